"""A desktop behind the real xdg-desktop-portal: the part that a GNOME or KDE brings, for tests.

It agrees to everything, keeps what reaches it in `heard`, and lets go when a session is closed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dbus_fast import Message, Variant

from tests.e2e.buses import Service
from tests.fakeportal import HELD, Heard

PROGRAM = Path("/usr/libexec/xdg-desktop-portal")
NAME = "org.freedesktop.impl.portal.desktop.gesturectltest"
REMOTE = "org.freedesktop.impl.portal.RemoteDesktop"
SESSION = "org.freedesktop.impl.portal.Session"
PROPERTIES = "org.freedesktop.DBus.Properties"
OFFERED = {"AvailableDeviceTypes": Variant("u", 3), "version": Variant("u", 1)}


class FakeBackend(Service):
    """The desktop's part, on the bus at `address`."""

    def __init__(self, address: str) -> None:
        super().__init__(address, NAME)
        self.heard: list[Heard] = []
        self.sessions: set[str] = set()
        self.down: set[tuple[str, int]] = set()

    def lock_screen(self) -> None:
        """End all sessions, as a desktop does that locks its screen."""

        def end() -> None:
            for path in self.sessions:
                self._bus.send(Message.new_signal(path, SESSION, "Closed", "", []))
            self.sessions.clear()
            self.down.clear()

        self._loop.call_soon_threadsafe(end)

    def _answer(self, message: Message) -> Message | None:
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
    with (
        FakeBackend(address) as backend,
        subprocess.Popen([PROGRAM], env=env, stderr=subprocess.DEVNULL) as portal,
    ):
        try:
            yield backend
        finally:
            portal.terminate()
