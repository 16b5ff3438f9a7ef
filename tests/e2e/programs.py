"""A program with windows that a window manager looks after, and what comes to each of them."""

from __future__ import annotations

from tests.e2e.windows import Client
from tests.e2e.xserver import BUTTON_NAMES, WHEEL_NAMES, XServer, name_of_keysym

Received = tuple[str, str]  # ("press", "Right"), ("release", "left"), ("press", "wheel up")


class Program(Client):
    """Windows that record presses and releases. Keys are named by their cap, whatever is held."""

    def __init__(self, server: XServer) -> None:
        super().__init__(server)
        self._server = server
        self._received: dict[int, list[Received]] = {}

    def open(self, app: str, title: str = "") -> int:
        """Show a window that listens; return its number."""
        from xcffib.xproto import CW, EventMask

        window = self.show(app, title)
        mask = (
            EventMask.KeyPress | EventMask.KeyRelease
            | EventMask.ButtonPress | EventMask.ButtonRelease
        )  # fmt: skip
        self._core.ChangeWindowAttributes(window, CW.EventMask, [mask])
        self._received[window] = []
        self.finish()
        return window

    def bring_to_front(self, window: int) -> None:
        """Have the window manager put this window in front, with the focus."""
        self._server.call("xdotool", "windowactivate", "--sync", str(window))

    def received(self, window: int) -> list[Received]:
        """Return all that has come to a window so far."""
        import xcffib.xproto as x

        self.finish()
        while (event := self._connection.poll_for_event()) is not None:
            match event:
                case x.KeyPressEvent() | x.KeyReleaseEvent():
                    name = self._cap(event.detail)
                case x.ButtonPressEvent() | x.ButtonReleaseEvent():
                    name = (BUTTON_NAMES | WHEEL_NAMES)[event.detail]
                case _:
                    continue
            goes_down = isinstance(event, x.KeyPressEvent | x.ButtonPressEvent)
            self._received[event.event].append(("press" if goes_down else "release", name))
        return list(self._received[window])

    def place(self, window: int) -> tuple[int, int]:
        """Return where the inside of a window is on the desktop."""
        at = self._core.TranslateCoordinates(window, self.root, 0, 0).reply()
        return int(at.dst_x), int(at.dst_y)

    def put_pointer(self, x_px: int, y_px: int) -> None:
        """Put the pointer somewhere on the desktop, as a test begins."""
        self._core.WarpPointer(0, self.root, 0, 0, 0, 0, x_px, y_px)
        self.finish()

    def pointer(self) -> tuple[int, int]:
        """Return where the pointer is on the desktop."""
        at = self._core.QueryPointer(self.root).reply()
        return int(at.root_x), int(at.root_y)

    def _cap(self, keycode: int) -> str:
        return name_of_keysym(self._core.GetKeyboardMapping(keycode, 1).reply().keysyms[0])
