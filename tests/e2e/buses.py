"""D-Bus of a test's own, and services on it that say what the test wants."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from queue import Queue
from typing import Any, Self

from dbus_fast import ErrorType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

TIMEOUT_S = 10.0
BUS = "org.freedesktop.DBus"
LOGIND = "org.freedesktop.login1"
LOGIND_PATH = "/org/freedesktop/login1"
USER = "/org/freedesktop/login1/user/_1"
SESSION = "/org/freedesktop/login1/session/_31"


class Service:
    """One connection to a bus, in a thread of its own. `answers` maps members of method calls to
    what gives signature and body; what is not there is an error. `signals` are the members of
    those that come from `interfaces`."""

    def __init__(self, address: str, *names: str, interfaces: tuple[str, ...] = ()) -> None:
        self.address = address
        self.answers: dict[str, Callable[[Message], tuple[str, list[Any]]]] = {}
        self.signals: Queue[str] = Queue()
        self.files: list[int] = []  # to be passed with the next answer
        self._names, self._interfaces = names, interfaces
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(),), daemon=True
        )

    async def _serve(self) -> None:
        self._bus = await MessageBus(bus_address=self.address, negotiate_unix_fd=True).connect()
        self._bus.add_message_handler(self._hear)
        for interface in self._interfaces:
            await self._bus.call(
                Message(
                    destination=BUS, path="/org/freedesktop/DBus", interface=BUS, member="AddMatch",
                    signature="s", body=[f"type='signal',interface='{interface}'"],
                )
            )  # fmt: skip
        for name in self._names:
            await self._bus.request_name(name)
        self._ready.set()
        await self._stop.wait()
        self._bus.disconnect()

    def _hear(self, message: Message) -> Message | bool | None:
        with self._changed:
            self._changed.notify_all()
            if message.message_type is MessageType.SIGNAL:
                self._noted(message)
            elif message.message_type is MessageType.METHOD_CALL and message.interface is not None:
                return self._answer(message)
            return None

    def _noted(self, message: Message) -> None:
        if message.interface in self._interfaces:
            self.signals.put(message.member)

    def _answer(self, message: Message) -> Message | bool | None:
        answer = self.answers.get(message.member)
        if answer is None:
            return Message.new_error(message, ErrorType.UNKNOWN_METHOD, message.member)
        signature, body = answer(message)
        files, self.files = self.files, []
        return Message.new_method_return(message, signature, body, unix_fds=files)

    def tell(self, path: str, interface: str, member: str, signature: str = "", *body: Any) -> None:
        """Send a signal to whoever listens."""
        signal = Message.new_signal(path, interface, member, signature, list(body))
        self._loop.call_soon_threadsafe(self._bus.send, signal)

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> bool:
        """Wait until something that this service knows is so."""
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(TIMEOUT_S)
        return self

    def __exit__(self, *exc: object) -> None:
        """End, as one that crashes: without a word to anybody."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(TIMEOUT_S)
        self._loop.close()


class Logind(Service):
    """What gesturectl needs of systemd-logind: one user, one session, one delay before sleep."""

    def __init__(self, address: str, *, locked: bool = False) -> None:
        super().__init__(address, LOGIND)
        self.locked = locked
        self._delay: int | None = None

        def get(message: Any) -> tuple[str, list[Any]]:
            if message.body[1] == "Display":
                return "v", [Variant("(so)", ["1", SESSION])]
            return "v", [Variant("b", self.locked)]

        self.answers = {
            "GetUser": lambda message: ("o", [USER]),
            "Get": get,
            "Inhibit": self._inhibit,
        }

    def _inhibit(self, message: Any) -> tuple[str, list[Any]]:
        assert message.body[0::3] == ["sleep", "delay"]
        self._delay, given = os.pipe()
        os.set_blocking(self._delay, False)
        self.files = [given]
        self._loop.call_later(0.5, os.close, given)  # once it was passed on
        return "h", [0]

    @property
    def delayed(self) -> bool:
        """Whether somebody asks us to wait before the machine sleeps."""
        if self._delay is None:
            return False
        try:
            return os.read(self._delay, 1) != b""
        except BlockingIOError:
            return True

    def hint(self, *, locked: bool) -> None:
        """Say, as a locker does, that the session is locked or is not."""
        self.locked = locked
        self.tell(
            SESSION,
            "org.freedesktop.DBus.Properties",
            "PropertiesChanged",
            "sa{sv}as",
            f"{LOGIND}.Session",
            {"LockedHint": Variant("b", locked)},
            [],
        )

    def ask(self, member: str) -> None:
        """Ask for `Lock` or `Unlock`, as `loginctl` does."""
        self.tell(SESSION, f"{LOGIND}.Session", member)

    def sleep(self, *, begins: bool) -> None:
        """Say that the machine is about to sleep, or has woken."""
        self.tell(LOGIND_PATH, f"{LOGIND}.Manager", "PrepareForSleep", "b", begins)


class Saver(Service):
    """The screen saver of a desktop."""

    def __init__(self, address: str, name: str, *, active: bool = False) -> None:
        super().__init__(address, name)
        self.name, self.active = name, active
        self.answers = {"GetActive": lambda message: ("b", [self.active])}

    def cover(self, *, active: bool) -> None:
        """Come on, or go off."""
        self.active = active
        path = "/" + self.name.replace(".", "/")
        self.tell(path, self.name, "ActiveChanged", "b", active)
