"""Windows, keyboards and mice of a private X server, as tests want them.

`Client` is a program with windows of its own. `Hand` is a person at the server's own keyboard and
mouse: XTEST can speak for a device that exists, and to all others it is that device.
"""

from __future__ import annotations

import io
import struct
from types import TracebackType
from typing import Any, Self

from tests.e2e.xserver import XServer

DEVICE_VALUATOR, KEY_PRESS, KEY_RELEASE, BUTTON_PRESS, BUTTON_RELEASE, MOTION = range(6)


class Client:
    """A program that shows windows and sets their properties. Leaving it closes them all."""

    def __init__(self, server: XServer) -> None:
        import xcffib
        import xcffib.xproto

        self._connection = xcffib.connect(server.display)
        self._core = self._connection.core
        self._screen = self._connection.get_setup().roots[0]
        self.root = self._screen.root

    def show(self, app: str = "", title: str = "", machine: str = "") -> int:
        """Show a window; return its number. `app` is its class."""
        from xcffib.xproto import WindowClass

        window = self._connection.generate_id()
        self._core.CreateWindow(
            self._screen.root_depth, window, self._screen.root, 0, 0, 200, 100, 0,
            WindowClass.InputOutput, self._screen.root_visual, 0, [],
        )  # fmt: skip
        if app:
            self.write(window, "WM_CLASS", "STRING", f"{app.lower()}\0{app}\0".encode())
        if machine:
            self.write(window, "WM_CLIENT_MACHINE", "STRING", machine.encode())
        if title:
            self.name(window, title)
        self._core.MapWindow(window)
        self.finish()
        return int(window)

    def name(self, window: int, title: str) -> None:
        """Change a window's title."""
        self.write(window, "_NET_WM_NAME", "UTF8_STRING", title.encode())

    def write(self, window: int, name: str, kind: str, content: bytes) -> None:
        """Set a property of texts."""
        from xcffib.xproto import PropMode

        self._core.ChangeProperty(
            PropMode.Replace, window, self._atom(name), self._atom(kind), 8, len(content), content
        )
        self.finish()

    def point_to(self, window: int, name: str, target: int) -> None:
        """Set a property to the number of a window, as window managers do."""
        from xcffib.xproto import PropMode

        self._core.ChangeProperty(
            PropMode.Replace, window, self._atom(name), self._atom("WINDOW"), 32, 1, [target]
        )
        self.finish()

    def focus(self, window: int) -> None:
        """Give a window the focus; 0 for no window, 1 for whichever is under the pointer."""
        self._core.SetInputFocus(0, window, 0)
        self.finish()

    def close(self, window: int) -> None:
        """Close a window."""
        self._core.DestroyWindow(window)
        self.finish()

    def finish(self) -> None:
        """Wait until the server has done all that was asked."""
        self._core.GetInputFocus().reply()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.disconnect()

    def _atom(self, name: str) -> int:
        return int(self._core.InternAtom(False, len(name), name).reply().atom)


class Hand:
    """A person at the keyboard and mouse that Xvfb itself has."""

    def __init__(self, server: XServer) -> None:
        import xcffib
        import xcffib.xinput
        import xcffib.xproto
        import xcffib.xtest

        self._connection = xcffib.connect(server.display)
        self._xtest = self._connection(xcffib.xtest.key)
        xinput = self._connection(xcffib.xinput.key)
        xinput.XIQueryVersion(2, 2).reply()
        extension = self._connection.core.QueryExtension(15, "XInputExtension").reply()
        self._first = extension.first_event
        numbers = {_name(info): info.deviceid for info in xinput.XIQueryDevice(0).reply().infos}
        self._keyboard, self._mouse = numbers["Xvfb keyboard"], numbers["Xvfb mouse"]

    def press(self, *keycodes: int) -> None:
        """Press keys, and keep them down."""
        for keycode in keycodes:
            self._fake(KEY_PRESS, keycode, self._keyboard)

    def release(self, *keycodes: int) -> None:
        """Let keys go."""
        for keycode in keycodes:
            self._fake(KEY_RELEASE, keycode, self._keyboard)

    def click(self, button: int = 1) -> None:
        """Press and release a mouse button."""
        self._fake(BUTTON_PRESS, button, self._mouse)
        self._fake(BUTTON_RELEASE, button, self._mouse)

    def move(self, dx_px: int, dy_px: int) -> None:
        """Move the mouse. Source of the two records: <X11/extensions/xtestext1.h>, XInput."""
        request = io.BytesIO()
        request.write(bytes(4))
        more = 0x80  # a second record follows, with the values
        request.write(
            struct.pack("=BBxxIIxxxxxxxxhhxxxxxxxB", self._first + MOTION, 1, 0, 0, 0, 0,
                        self._mouse | more)
        )  # fmt: skip
        request.write(
            struct.pack("=BBHHBB6i", self._first + DEVICE_VALUATOR, self._mouse, 0, 0, 2, 0,
                        dx_px, dy_px, 0, 0, 0, 0)
        )  # fmt: skip
        self._xtest.send_request(2, request, is_checked=True).check()

    def leave(self) -> None:
        """Go away."""
        self._connection.disconnect()

    def _fake(self, event: int, detail: int, device: int) -> None:
        self._xtest.FakeInput(
            self._first + event, detail, 0, 0, 0, 0, device, is_checked=True
        ).check()


def _name(info: Any) -> str:
    return bytes(b if isinstance(b, int) else ord(b) for b in info.name).decode()
