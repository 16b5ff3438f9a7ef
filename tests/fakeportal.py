"""A desktop portal for tests: RemoteDesktop on a bus of the test's own, as in xdg-desktop-portal.

It answers by Request objects and their Response, keeps sessions and single-use tokens, looks after
the order of requests and what the user allows, and lets go of what a session held when that ends,
by Close, by the end of its owner on the bus, or by the test (a locked screen, a user who stops it).
What arrives is kept in `heard`, whole and in order.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle

from dbus_fast import ErrorType, Message, Variant

from tests.e2e.buses import BUS, TIMEOUT_S, Service

SERVICE = "org.freedesktop.portal.Desktop"
ROOT = "/org/freedesktop/portal/desktop"
REMOTE = "org.freedesktop.portal.RemoteDesktop"
REQUEST = "org.freedesktop.portal.Request"
SESSION = "org.freedesktop.portal.Session"
DENIED = "org.freedesktop.DBus.Error.AccessDenied"
INVALID = "org.freedesktop.portal.Error.InvalidArgument"

KEYBOARD, POINTER = 1, 2
# Name without Notify → its arguments after session and options, and the device it needs.
NOTIFY = {
    "KeyboardKeycode": ("iu", KEYBOARD),
    "KeyboardKeysym": ("iu", KEYBOARD),
    "PointerButton": ("iu", POINTER),
    "PointerMotion": ("dd", POINTER),
    "PointerAxis": ("dd", POINTER),
    "PointerAxisDiscrete": ("ui", POINTER),
}
HELD = ("KeyboardKeycode", "KeyboardKeysym", "PointerButton")

Heard = tuple[str, tuple[int | float, ...]]


@dataclass
class Session:
    """One session: whose it is, how far it is, what it holds."""

    owner: str
    types: int = 0
    persists: bool = False
    restored: bool = False
    started: bool = False
    devices: int = 0
    down: list[tuple[str, int]] = field(default_factory=list)


class FakePortal(Service):
    """The portal. Its attributes say what the user and the desktop do; set them at any time.

    `answer` is what the user does with the dialog: 0 agrees, 1 denies, 2 all else, None nothing.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address, SERVICE, interfaces=(BUS,))
        self.available: int | None = KEYBOARD | POINTER  # None: there is no RemoteDesktop
        self.allowed = KEYBOARD | POINTER
        self.answer: int | None = 0
        self.delay_s = 0.0  # before a Response
        self.takes_calls = True  # or hangs
        self.unicast = True
        self.dialogs = 0
        self.tokens: set[str] = set()
        self.sessions: dict[str, Session] = {}
        self.heard: list[Heard] = []
        self._delays_s = cycle((0.0005, 0.0, 0.001, 0.0))
        self.let_go: list[tuple[str, int]] = []  # by the desktop, as a session ended

    def close_sessions(self) -> None:
        """End all sessions: the screen is locked, or the user stops them."""
        self._do(lambda: [self._close(path, told=True) for path in list(self.sessions)])

    def strokes(self) -> list[Heard]:
        """Return what was heard of keys and buttons."""
        return [one for one in self.heard if one[0] in HELD]

    @property
    def down(self) -> set[tuple[str, int]]:
        """What is held, in all sessions."""
        return {thing for session in self.sessions.values() for thing in session.down}

    def _do(self, what: Callable[[], object]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (what(), done.set()))
        assert done.wait(TIMEOUT_S)

    def _noted(self, message: Message) -> None:
        if message.member == "NameOwnerChanged" and not message.body[2]:
            for path, session in list(self.sessions.items()):
                if session.owner == message.body[0]:
                    self._close(path, told=False)

    def _answer(self, message: Message) -> Message | bool | None:
        if message.interface == SESSION and message.member == "Close":
            if message.path in self.sessions:
                self._close(message.path, told=False)
            return Message.new_method_return(message)
        if message.path != ROOT:
            return None
        if message.interface == BUS + ".Properties":
            return self._property(message)
        if message.interface != REMOTE or self.available is None:
            return Message.new_error(message, ErrorType.UNKNOWN_METHOD, "no such method")
        if message.member.startswith("Notify"):
            if not self.takes_calls:
                return True  # taken, and never answered
            # The portal takes each call in a thread: who does not wait sees them change places.
            self._loop.call_later(next(self._delays_s), self._notified, message)
            return True
        return self._request(message)

    def _property(self, message: Message) -> Message:
        if self.available is None:
            return Message.new_error(message, ErrorType.INVALID_ARGS, "No such interface")
        value = {"AvailableDeviceTypes": self.available, "version": 2}[message.body[1]]
        return Message.new_method_return(message, "v", [Variant("u", value)])

    def _request(self, message: Message) -> Message:
        options: dict[str, Variant] = message.body[-1]
        sender = message.sender.removeprefix(":").replace(".", "_")
        handle = f"{ROOT}/request/{sender}/{options['handle_token'].value}"
        try:
            answered = self._asked(message, sender, options)
        except PermissionError as error:
            return Message.new_error(message, DENIED, str(error))
        except ValueError as error:
            return Message.new_error(message, INVALID, str(error))
        if answered is not None:
            self._loop.call_later(self.delay_s, self._respond, message.sender, handle, answered)
        return Message.new_method_return(message, "o", [handle])

    def _asked(
        self, message: Message, sender: str, options: dict[str, Variant]
    ) -> Callable[[], tuple[int, dict[str, Variant]]] | None:
        """Take in a request; return what answers it, or None where the user never does."""
        if message.member == "CreateSession":
            path = f"{ROOT}/session/{sender}/{options['session_handle_token'].value}"
            self.sessions[path] = Session(message.sender)
            return lambda: (0, {"session_handle": Variant("s", path)})  # `s`, as it is in fact
        path = message.body[0]
        session = self._session(message)
        if session.started:
            raise PermissionError("session already started")
        if message.member == "SelectDevices":
            token = options["restore_token"].value if "restore_token" in options else None
            if token is not None:
                uuid.UUID(token)  # or ValueError
            session.types = options["types"].value
            session.persists = options["persist_mode"].value == 2
            session.restored = token in self.tokens
            self.tokens.discard(token or "")
            return lambda: (0, {})
        if message.member != "Start" or not session.types:
            raise PermissionError("devices not selected")
        if not session.restored:
            self.dialogs += 1
            if self.answer is None:
                return None
        answer = 0 if session.restored else self.answer or 0
        return lambda: self._started(path, answer)

    def _started(self, path: str, answer: int) -> tuple[int, dict[str, Variant]]:
        session = self.sessions.get(path)
        if session is None:
            return 2, {}
        if answer:
            del self.sessions[path]
            return answer, {}
        session.started = True
        session.devices = session.types & self.allowed
        results = {"devices": Variant("u", session.devices)}
        if session.persists:
            token = str(uuid.uuid4())
            self.tokens.add(token)
            results["restore_token"] = Variant("s", token)
        return 0, results

    def _session(self, message: Message) -> Session:
        session = self.sessions.get(message.body[0])
        if session is None or session.owner != message.sender:
            raise PermissionError("invalid session")
        return session

    def _respond(
        self,
        to: str,
        handle: str,
        answered: Callable[[], tuple[int, dict[str, Variant]]],
    ) -> None:
        with self._changed:
            code, results = answered()
            signal = Message.new_signal(handle, REQUEST, "Response", "ua{sv}", [code, results])
            self._tell(to, signal)
            self._changed.notify_all()

    def _tell(self, to: str, signal: Message) -> None:
        if self.unicast:
            signal.destination = to
        self._bus.send(signal)

    def _notified(self, message: Message) -> None:
        with self._changed:
            self._bus.send(self._notify(message))
            self._changed.notify_all()

    def _notify(self, message: Message) -> Message:
        member = message.member.removeprefix("Notify")
        signature, needed = NOTIFY[member]
        try:
            session = self._session(message)
        except PermissionError as error:
            return Message.new_error(message, DENIED, str(error))
        if not session.started or not session.devices & needed:
            return Message.new_error(message, DENIED, "session is not allowed to call Notify*")
        assert message.signature == f"oa{{sv}}{signature}"
        values = tuple(message.body[2:])
        self.heard.append((member, values))
        if member in HELD:
            thing = (member, values[0])
            if values[1]:
                assert thing not in session.down, f"{thing} went down twice"
                session.down.append(thing)
            elif thing in session.down:
                session.down.remove(thing)
        return Message.new_method_return(message)

    def _close(self, path: str, *, told: bool) -> None:
        with self._changed:
            session = self.sessions.pop(path)
            self.let_go += reversed(session.down)
            if told:
                signal = Message.new_signal(path, SESSION, "Closed", "a{sv}", [{}])
                self._tell(session.owner, signal)
            self._changed.notify_all()
