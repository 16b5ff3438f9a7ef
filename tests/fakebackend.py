"""A desktop behind the real xdg-desktop-portal: the part that a GNOME or KDE brings, for tests.

It agrees to everything, keeps what reaches it in `heard`, and lets go when a session is closed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from tests.fakeportal import ARRIVES_S, HELD, Heard

PROGRAM = Path("/usr/libexec/xdg-desktop-portal")
NAME = "org.freedesktop.impl.portal.desktop.gesturectltest"
REMOTE = "org.freedesktop.impl.portal.RemoteDesktop"
SESSION = "org.freedesktop.impl.portal.Session"
PROPERTIES = "org.freedesktop.DBus.Properties"
OFFERED = {"AvailableDeviceTypes": Variant("u", 3), "version": Variant("u", 1)}


class FakeBackend:
    """The desktop's part, on the bus at `address`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.heard: list[Heard] = []
        self.sessions: set[str] = set()
        self.down: set[tuple[str, int]] = set()
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(),), daemon=True
        )

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(ARRIVES_S)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(ARRIVES_S)
        self._loop.close()

    def lock_screen(self) -> None:
        """End all sessions, as a desktop does that locks its screen."""

        def end() -> None:
            for path in self.sessions:
                self._bus.send(Message.new_signal(path, SESSION, "Closed", "", []))
            self.sessions.clear()
            self.down.clear()

        self._loop.call_soon_threadsafe(end)

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = ARRIVES_S) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    async def _serve(self) -> None:
        self._bus = await MessageBus(bus_address=self._address).connect()
        self._bus.add_message_handler(self._hear)
        await self._bus.request_name(NAME)
        self._ready.set()
        await self._stop.wait()
        self._bus.disconnect()

    def _hear(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        with self._changed:
            self._changed.notify_all()
            if message.interface == PROPERTIES:
                if message.member == "GetAll":
                    return Message.new_method_return(message, "a{sv}", [OFFERED])
                return Message.new_method_return(message, "v", [OFFERED[message.body[1]]])
            if message.interface == SESSION and message.member == "Close":
                self.sessions.discard(message.path or "")
                self.down.clear()
                return Message.new_method_return(message)
            if message.interface != REMOTE:
                return None
            if message.member == "CreateSession":
                self.sessions.add(message.body[1])
            if message.member in ("CreateSession", "SelectDevices", "Start"):
                granted = {"devices": Variant("u", 3)} if message.member == "Start" else {}
                return Message.new_method_return(message, "ua{sv}", [0, granted])
            member = (message.member or "").removeprefix("Notify")
            self.heard.append((member, tuple(message.body[2:])))
            if member in HELD:
                (self.down.add if message.body[3] else self.down.discard)((member, message.body[2]))
            return Message.new_method_return(message)


@contextmanager
def running_frontend(address: str, folder: Path) -> Iterator[FakeBackend]:
    """Run the real portal on a bus, with a desktop of ours behind it."""
    (folder / "portals").mkdir()
    (folder / "portals" / "test.portal").write_text(
        f"[portal]\nDBusName={NAME}\nInterfaces={REMOTE};\nUseIn=test\n"
    )
    env = os.environ | {
        "DBUS_SESSION_BUS_ADDRESS": address,
        "XDG_DESKTOP_PORTAL_DIR": str(folder / "portals"),
        "XDG_CURRENT_DESKTOP": "test",
        "HOME": str(folder),
    }
    backend = FakeBackend(address)
    backend.start()
    with subprocess.Popen([PROGRAM], env=env, stderr=subprocess.DEVNULL) as portal:
        try:
            yield backend
        finally:
            portal.terminate()
            portal.wait()
            backend.stop()
