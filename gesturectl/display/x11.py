"""The panel and the ring on X11: windows of their own that no window manager touches.

    we       create   shape input := nothing   map      picture, picture …   raise
    server                                            ConfigureNotify of another ─┘

Clicks go through, because the windows' input regions are empty. Where a compositing manager runs,
panels are translucent; where none does, they are opaque, cut to their form. Some window managers
put a window that fills the screen over everything: whenever the order of windows changes, ours are
looked after, a few times a second at most, so that two displays do not fight.
"""

from __future__ import annotations

import io
import os
import re
import struct
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import xcffib
import xcffib.randr
import xcffib.render
import xcffib.shape
import xcffib.xproto
from numpy.typing import NDArray
from xcffib.xproto import CW, ConfigWindow, EventMask, WindowClass

from gesturectl.config import Display
from gesturectl.display.drawing import Picture
from gesturectl.display.screens import Hot
from gesturectl.display.spots import MARGIN, Monitor, chosen, corner
from gesturectl.errors import DesktopError
from gesturectl.xserver import atoms, connect, speaking

PIECE_BYTES: Final = 200_000  # of a picture; a request has 262140 at least
RAISES: Final = 5  # in a second, at most
ABOVE: Final = 0  # StackMode
Z_PIXMAP: Final = 2
PUT_IMAGE_CODE, PUT_IMAGE = 72, struct.Struct("=xB2xIIHHhhBB2x")
SET, BOUNDING, INPUT = 0, 0, 2  # of the shape extension
UNSORTED: Final = 0
TRUE_COLOR: Final = 4
ATOM, STRING, WM_NAME = 4, 31, 39  # known to every server
WHOLE_OF: Final = 255 / np.maximum(np.arange(256, dtype=np.float32), 1)  # by an alpha
DPI: Final = 96.0  # at which a length of 1 is a pixel


class X11Screen:
    """The screen of the X display `display`, by default that of the environment.

    Raises:
        DesktopError: there is no display, or it lacks what this takes.
    """

    def __init__(self, settings: Display, display: str | None = None) -> None:
        self._name = display or os.environ.get("DISPLAY", "")
        self._settings = settings
        self._connection = connect(self._name, DesktopError, ("SHAPE", "RANDR"))
        self._core = self._connection.core
        self._raised_s: deque[float] = deque(maxlen=RAISES)
        try:
            with self._speaking():
                self._begin()
        except DesktopError:
            self._connection.disconnect()
            raise

    def _begin(self) -> None:
        number = self._connection.pref_screen
        screen = self._connection.get_setup().roots[number]
        self._root = screen.root
        self._size = (screen.width_in_pixels, screen.height_in_pixels)
        self._shape = self._connection(xcffib.shape.key)
        self._randr = self._connection(xcffib.randr.key)
        self._randr.QueryVersion(1, 5).reply()
        changes = xcffib.randr.NotifyMask
        self._randr.SelectInput(self._root, changes.ScreenChange | changes.CrtcChange)
        self._depth, self._visual = _visual(screen)
        self._colours = self._connection.generate_id()
        self._core.CreateColormap(0, self._colours, self._root, self._visual)
        names = (f"_NET_WM_CM_S{number}", "_NET_WM_WINDOW_TYPE",
                 "_NET_WM_WINDOW_TYPE_NOTIFICATION", "RESOURCE_MANAGER")  # fmt: skip
        self._compositor, self._type, self._notification, self._resources = atoms(
            self._connection, *names
        )
        listens = (
            EventMask.SubstructureNotify | EventMask.StructureNotify | EventMask.PropertyChange
        )
        self._core.ChangeWindowAttributes(self._root, CW.EventMask, [listens])
        self._panel, self._ring = self._make("panel"), self._make("countdown")
        self._measure()

    # --- as `Screen` asks ---------------------------------------------------------------------

    @property
    def scale(self) -> float:
        """By the resolution that the session names for its fonts: X has no other."""
        return self._monitor.scale

    def fileno(self) -> int:
        return int(self._connection.get_file_descriptor())

    def read(self) -> bool:
        anew = False
        with self._speaking():
            while (event := self._connection.poll_for_event()) is not None:
                match event:
                    case xcffib.xproto.ConfigureNotifyEvent() | xcffib.xproto.MapNotifyEvent():
                        if event.window == self._root:
                            anew = True
                        elif event.window not in (self._panel.id, self._ring.id):
                            self._stay_on_top()
                    case xcffib.xproto.PropertyNotifyEvent():
                        anew |= event.atom == self._resources
                    case xcffib.randr.ScreenChangeNotifyEvent() | xcffib.randr.NotifyEvent():
                        anew = True
            if anew:
                self._measure()
        return anew

    def arrange(self, settings: Display) -> None:
        self._settings = settings
        with self._speaking():
            self._measure()

    def show(self, panel: Picture | None) -> None:
        with self._speaking():
            if panel is None:
                self._panel.hide()
                return
            height, width = panel.shape[:2]
            margin = round(MARGIN * self._settings.size * self.scale)
            at = corner(self._monitor, self._settings.place, width, height, margin)
            self._panel.put(panel, at, see_through=self._composited())

    def finds(self, at: tuple[float, float] | None) -> bool:
        return True  # the server knows where the pointer is

    def point(self, ring: Picture | None, hot: Hot, at: tuple[float, float] | None) -> None:
        with self._speaking():
            if ring is None:
                self._ring.hide()
                return
            pointer = self._core.QueryPointer(self._root).reply()
            place = (pointer.root_x - hot[0], pointer.root_y - hot[1])
            self._ring.put(ring, place, see_through=self._composited())

    def close(self) -> None:
        self._connection.disconnect()

    # --- help ---------------------------------------------------------------------------------

    def _make(self, name: str) -> _Window:
        return _Window(
            self._connection,
            self._root,
            (self._depth, self._visual, self._colours),
            (self._type, self._notification),
            name,
        )

    def _composited(self) -> bool:
        owner = self._core.GetSelectionOwner(self._compositor).reply().owner
        return self._depth == 32 and bool(owner)

    def _measure(self) -> None:
        """Look which monitors there are, and how dense."""
        size = self._core.GetGeometry(self._root).reply()
        told = self._core.GetProperty(False, self._root, self._resources, 0, 0, 1 << 14).reply()
        found = re.search(rb"^Xft\.dpi:\s*([\d.]+)", bytes(told.value.buf()), re.MULTILINE)
        scale = max(0.5, round(float(found[1]) / DPI * 4) / 4) if found else 1.0
        monitors = []
        for one in self._randr.GetMonitors(self._root, 1).reply().monitors:
            name = bytes(self._core.GetAtomName(one.name).reply().name.buf()).decode("latin-1")
            place = (one.x, one.y, one.width, one.height)
            monitors.append(Monitor(name, *place, bool(one.primary), scale))
        whole = Monitor("", 0, 0, size.width, size.height, True, scale)
        self._monitor = chosen(monitors or [whole], self._settings.screen) or whole

    def _stay_on_top(self) -> None:
        """Raise ours where another window has come over them."""
        now_s = time.monotonic()
        if len(self._raised_s) == RAISES and now_s - self._raised_s[0] < 1.0:
            return
        ours = [one for one in (self._panel, self._ring) if one.shown]
        order = list(self._core.QueryTree(self._root).reply().children)
        if ours and set(order[-len(ours) :]) != {one.id for one in ours}:
            self._raised_s.append(now_s)
            for one in ours:
                one.lift()

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        with speaking(self._name, DesktopError, "nothing is shown"):
            yield
            self._connection.flush()


class _Window:
    """A window that is only looked at. It keeps its picture by itself, as its background."""

    def __init__(
        self,
        connection: Any,
        root: int,
        pixels: tuple[int, int, int],
        types: tuple[int, int],
        name: str,
    ) -> None:
        self._connection, self._core, self._root = connection, connection.core, root
        self._shape = connection(xcffib.shape.key)
        self._depth, visual, colours = pixels
        self.id = connection.generate_id()
        self.shown = False
        self._box = (0, 0, 1, 1)
        self._form: bytes | None = None
        self._core.CreateWindow(
            self._depth, self.id, root, *self._box, 0, WindowClass.InputOutput, visual,
            CW.BackPixel | CW.BorderPixel | CW.OverrideRedirect | CW.Colormap,
            [0, 0, 1, colours],
        )  # fmt: skip
        self._shape.Rectangles(SET, INPUT, UNSORTED, self.id, 0, 0, 0, [])
        of_type, kind = types
        self._core.ChangeProperty(0, self.id, of_type, ATOM, 32, 1, [kind])
        # A name for whoever looks, but no WM_CLASS: that is what windows of applications have.
        title = f"gesturectl {name}"
        self._core.ChangeProperty(0, self.id, WM_NAME, STRING, 8, len(title), title)

    def put(self, picture: Picture, at: tuple[int, int], *, see_through: bool) -> None:
        """Show a picture with its corner at a place of the root."""
        height, width = picture.shape[:2]
        if (*at, width, height) != self._box:
            self._box = (*at, width, height)
            mask = ConfigWindow.X | ConfigWindow.Y | ConfigWindow.Width | ConfigWindow.Height
            self._core.ConfigureWindow(self.id, mask, [*at, width, height])
        self._cut(None if see_through else picture[:, :, 3] > 127)
        self._paint(picture if see_through else _opaque(picture))
        if not self.shown:
            self.shown = True
            self._core.MapWindow(self.id)
            self.lift()

    def hide(self) -> None:
        """Take it off the screen."""
        if self.shown:
            self.shown = False
            self._core.UnmapWindow(self.id)

    def lift(self) -> None:
        """Put it over all other windows."""
        self._core.ConfigureWindow(self.id, ConfigWindow.StackMode, [ABOVE])

    def _cut(self, form: NDArray[np.bool_] | None) -> None:
        """Give the window a form, None for all of it."""
        told = None if form is None else form.tobytes()
        if told == self._form:
            return
        self._form = told
        if form is None:
            self._shape.Mask(SET, BOUNDING, self.id, 0, 0, 0)
            return
        boxes = [
            xcffib.xproto.RECTANGLE.synthetic(int(left), row, int(right - left), 1)
            for row, line in enumerate(form)
            for left, right in _runs(line)
        ]
        self._shape.Rectangles(SET, BOUNDING, UNSORTED, self.id, 0, 0, len(boxes), boxes)

    def _paint(self, picture: Picture) -> None:
        height, width = picture.shape[:2]
        pixmap, pen = self._connection.generate_id(), self._connection.generate_id()
        self._core.CreatePixmap(self._depth, pixmap, self.id, width, height)
        self._core.CreateGC(pen, pixmap, 0, [])
        raw = np.ascontiguousarray(picture[:, :, [2, 1, 0, 3]])
        rows = max(1, PIECE_BYTES // (width * 4))
        for top in range(0, height, rows):
            piece = raw[top : top + rows]
            # As `PutImage` of xcffib, which takes bytes one by one: two thirds of all the work.
            head = PUT_IMAGE.pack(Z_PIXMAP, pixmap, pen, width, len(piece), 0, top, 0, self._depth)
            self._core.send_request(PUT_IMAGE_CODE, io.BytesIO(head + piece.tobytes()))
        self._core.ChangeWindowAttributes(self.id, CW.BackPixmap, [pixmap])
        self._core.ClearArea(False, self.id, 0, 0, 0, 0)
        self._core.FreeGC(pen)
        self._core.FreePixmap(pixmap)


def _visual(screen: Any) -> tuple[int, int]:
    """Return depth and visual: with alpha where there is one."""
    for depth in screen.allowed_depths:
        if depth.depth == 32:
            for visual in depth.visuals:
                if visual._class == TRUE_COLOR:
                    return 32, visual.visual_id
    if screen.root_depth != 24:
        raise DesktopError("the display wants a screen of 24 or 32 bits a pixel")
    return 24, screen.root_visual


def _opaque(picture: Picture) -> Picture:
    """Return a picture whose colours are not times alpha any more, and which hides all."""
    full = np.minimum(picture * WHOLE_OF[picture[:, :, 3]][:, :, None], 255).astype(np.uint8)
    full[:, :, 3] = 255
    return full


def _runs(line: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return from where to where a row is set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
