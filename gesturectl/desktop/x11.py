"""The desktop of an X server: the window in front by what the window manager writes on the root.

    manager   _NET_ACTIVE_WINDOW := w           title of w changes        w is closed, v is next
    server                     PropertyNotify              PropertyNotify         PropertyNotify
    poll                         Window(w)                   Window(w')             Window(v)

The properties of a window are asked for together, in one round trip, and only after such news.
Without a window manager (a kiosk) nobody writes anything: then each poll asks who has the focus.

The connection is our own: what the sink's connection is told is not taken from it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import xcffib
import xcffib.res
import xcffib.xkb
import xcffib.xproto
from xcffib.xproto import CW, EventMask

from gesturectl.desktop import LOST, OpenWindow, Texts
from gesturectl.desktop.processes import executable_of
from gesturectl.desktop.xinput import GENERIC_EVENT, RawInput
from gesturectl.errors import DesktopError
from gesturectl.sinks.injected import Injected
from gesturectl.sinks.xdisplay import CORE_KEYBOARD, XKB_MAP, XKB_NEW_KEYBOARD, read_keymap
from gesturectl.sinks.xkeymap import Keymap
from gesturectl.types import UserInput, Window
from gesturectl.xserver import atoms, connect, has, speaking

log = logging.getLogger(__name__)

ANY_TYPE = 0
TEXT_WORDS = 1024  # of a title, at most: 4096 bytes
MANY_WORDS = 1 << 16  # of a list of windows
NO_FOCUS, POINTER_ROOT = 0, 1
LOCAL_CLIENT_PID = 2
DEPTH = 32  # windows in windows; a toolkit nests a handful

NOBODY: Texts = ("", "", "")


class _Connection(xcffib.Connection):  # type: ignore[misc]
    """Hands on generic events as the bytes that came: xcffib misreads those of raw input.

    It takes the mask of axes for their number, and reads that many beyond the event's end.
    """

    def hoist_event(self, event: Any) -> Any:
        if event.response_type & 0x7F != GENERIC_EVENT:
            return super().hoist_event(event)
        (words,) = struct.unpack_from("=I", xcffib.ffi.buffer(event, 8), 4)
        came = bytes(xcffib.ffi.buffer(event, 36 + 4 * words))
        return came[:32] + came[36:]  # xcb puts its own count of four bytes between


@dataclass(frozen=True, slots=True)
class _Asked:
    """Questions about one window that are on their way."""

    properties: dict[str, Any]
    client: Any


class X11Desktop:
    """Watches the X display `display`, by default that of the environment.

    `injected` is what the sink on the same display sends; see `xinput`.

    Raises:
        DesktopError: there is no display, or it does not let us in; says what to do.
    """

    name = "x11"

    def __init__(self, display: str | None = None, *, injected: Injected | None = None) -> None:
        self._name = display or os.environ.get("DISPLAY", "")
        self._injected = injected
        self._connection = connect(self._name, DesktopError, kind=_Connection)
        self._core = self._connection.core
        screen = self._connection.get_setup().roots[self._connection.pref_screen]
        self._root = screen.root
        self.windows_problem: str | None = None
        self.input_problem: str | None = None
        self._keymap: Keymap | None = None
        self._stale = True  # there is news about the window in front
        self._managed = False
        self._manager = 0
        self._front = 0
        self._told: Texts | None = None
        with self._speaking():
            names = (
                "_NET_ACTIVE_WINDOW", "_NET_CLIENT_LIST", "_NET_SUPPORTING_WM_CHECK", "WM_CLASS",
                "_NET_WM_NAME", "WM_NAME", "WM_CLIENT_MACHINE",
            )  # fmt: skip
            self._atoms = dict(zip(names, atoms(self._connection, *names), strict=True))
            self._res = self._resources()
            size_px = (screen.width_in_pixels, screen.height_in_pixels)
            self._input = self._raw_input(size_px)
            self._listen(self._root, EventMask.PropertyChange)

    def poll(self, t_us: int) -> tuple[Window | UserInput, ...]:
        """Return what has happened since the last call. See `Desktop.poll`.

        Raises:
            DesktopError: the display is gone.
        """
        happened: list[Window | UserInput] = []
        with self._speaking():
            self._read_events()
            texts = self._look()
            if texts is not None and texts != self._told:
                self._told = texts
                happened.append(Window(t_us, *texts))
            if self._input is not None and self._input.waiting:
                happened += self._input.take(t_us, self._read_keymap())
        return tuple(happened)

    def windows(self) -> tuple[OpenWindow, ...]:
        """Return all windows of applications, oldest first.

        Raises:
            DesktopError: the display is gone.
        """
        with self._speaking():
            front = self._find_front()
            found = self._list("_NET_CLIENT_LIST") if self._managed else self._shown()
            asked = [(window, self._ask(window)) for window in found]
            texts = [(window, self._answer(window, questions)) for window, questions in asked]
        return tuple(OpenWindow(*of, window == front) for window, of in texts if of is not None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.disconnect()

    # --- news -------------------------------------------------------------------------------

    def _read_events(self) -> None:
        front_texts = {self._atoms[name] for name in ("WM_CLASS", "_NET_WM_NAME", "WM_NAME")}
        of_root = {self._atoms[name] for name in ("_NET_ACTIVE_WINDOW", "_NET_SUPPORTING_WM_CHECK")}
        while True:
            try:
                event = self._connection.poll_for_event()
            except xcffib.Error:  # of a window that was gone before our request arrived
                continue
            match event:
                case None:
                    return
                case bytes():
                    if self._input is not None and event[1] == self._input.opcode:
                        self._input.note(event, self._injected)
                case xcffib.xproto.PropertyNotifyEvent():
                    watched = of_root if event.window == self._root else front_texts
                    self._stale |= event.atom in watched
                case xcffib.xproto.DestroyNotifyEvent():
                    self._stale |= event.window in (self._front, self._manager)
                case xcffib.xproto.MappingNotifyEvent() | xcffib.xkb.NewKeyboardNotifyEvent():
                    self._keymap = None

    def _look(self) -> Texts | None:
        """Return the texts of the window in front where there is news of it, else None."""
        if self._managed and not self._stale:
            return None
        front = self._find_front()
        if front == self._front and not self._stale:
            return None
        self._stale = False
        if front != self._front:
            if self._front:
                self._listen(self._front, 0)
            if front:
                self._listen(front, EventMask.PropertyChange | EventMask.StructureNotify)
            self._front = front
        if not front:
            return NOBODY
        # Gone already? What comes to the front next is told in a moment, or nothing comes: after
        # the last window openbox leaves _NET_ACTIVE_WINDOW as it was.
        return self._answer(front, self._ask(front)) or NOBODY

    def _find_front(self) -> int:
        """Return the window in front, 0 for none: by the window manager, or by the focus."""
        active = self._get(self._root, "_NET_ACTIVE_WINDOW", 1)
        check = self._get(self._root, "_NET_SUPPORTING_WM_CHECK", 1)
        focus = self._core.GetInputFocus()
        found = _numbers(_reply(active))
        manager = next(iter(_numbers(_reply(check))), 0)
        focused = int(focus.reply().focus)
        if manager != self._manager:
            self._manager = manager
            if manager:
                self._listen(manager, EventMask.StructureNotify)
        # A manager that was killed leaves its properties behind; its window is gone with it.
        self._managed = (
            bool(_numbers(_reply(self._get(manager, "_NET_SUPPORTING_WM_CHECK", 1))))
            if manager
            else bool(found)
        )
        if not self._managed:
            return self._client_of(focused)
        return next(iter(found), 0)

    def _client_of(self, focused: int) -> int:
        """Return the window of an application that holds the focus, however deep inside it."""
        if focused == POINTER_ROOT:
            focused = int(self._core.QueryPointer(self._root).reply().child)
        if focused in (NO_FOCUS, self._root):
            return 0
        window = focused
        for _ in range(DEPTH):
            named = self._get(window, "WM_CLASS", 1)
            tree = _reply(self._core.QueryTree(window))
            if _bytes(_reply(named)):
                return window
            if tree is None or tree.parent in (0, self._root):
                break
            window = int(tree.parent)
        return window

    def _shown(self) -> list[int]:
        """Return the top-level windows that are shown, without the help of a window manager."""
        children = list(self._core.QueryTree(self._root).reply().children)
        asked = [
            (w, self._core.GetWindowAttributes(w), self._get(w, "WM_CLASS", 1)) for w in children
        ]
        found: list[int] = []
        for window, attributes, named in asked:
            state = _reply(attributes)
            if state is not None and state.map_state and _bytes(_reply(named)):
                found.append(window)
        return found

    # --- questions --------------------------------------------------------------------------

    def _ask(self, window: int) -> _Asked:
        texts = ("WM_CLASS", "_NET_WM_NAME", "WM_NAME", "WM_CLIENT_MACHINE")
        client = None
        if self._res is not None:
            spec = xcffib.res.ClientIdSpec.synthetic(window, LOCAL_CLIENT_PID)
            client = self._res.QueryClientIds(1, [spec])
        return _Asked({name: self._get(window, name, TEXT_WORDS) for name in texts}, client)

    def _answer(self, window: int, asked: _Asked) -> Texts | None:
        """Return the texts of a window, or None if it is gone."""
        replies = {name: _reply(cookie) for name, cookie in asked.properties.items()}
        client = _reply(asked.client) if asked.client is not None else None
        if any(reply is None for reply in replies.values()):
            return None
        # WM_CLASS holds two texts, each closed by a zero: the instance, and the class.
        instance, _, of_class = _bytes(replies["WM_CLASS"]).partition(b"\0")
        title = _bytes(replies["_NET_WM_NAME"]) or _bytes(replies["WM_NAME"])
        machine = _text(_bytes(replies["WM_CLIENT_MACHINE"]))
        executable = ""
        # Who speaks for a program on another machine is `ssh`, which would say nothing.
        if client is not None and machine in ("", socket.gethostname()):
            for entry in client.ids:
                executable = executable_of(next(iter(entry.value), 0))
        return _text(of_class.rstrip(b"\0") or instance), _text(title), executable

    def _get(self, window: int, name: str, words: int) -> Any:
        return self._core.GetProperty(False, window, self._atoms[name], ANY_TYPE, 0, words)

    def _list(self, name: str) -> list[int]:
        return _numbers(_reply(self._get(self._root, name, MANY_WORDS)))

    def _listen(self, window: int, mask: int) -> None:
        self._core.ChangeWindowAttributes(window, CW.EventMask, [mask])

    # --- extensions -------------------------------------------------------------------------

    def _resources(self) -> Any:
        """Return what tells the process of a client, as the server sees it: also in a sandbox."""
        if not has(self._connection, "X-Resource"):
            return None
        resources = self._connection(xcffib.res.key)
        version = resources.QueryVersion(1, 2).reply()
        known = (version.server_major, version.server_minor) >= (1, 2)
        return resources if known else None

    def _raw_input(self, size_px: tuple[int, int]) -> RawInput | None:
        for extension in ("XInputExtension", "XKEYBOARD"):
            if not has(self._connection, extension):
                self.input_problem = (
                    f"the X server of {self._name} has no {extension} extension: real keyboards "
                    "and mice do not pause gestures, and the panic key is not heard"
                )
                return None
        watched = RawInput(self._connection, self._root, size_px)
        watched.select()
        self._xkb = self._connection(xcffib.xkb.key)
        self._xkb.UseExtension(1, 0).reply()
        events = 1 << XKB_NEW_KEYBOARD | 1 << XKB_MAP
        self._xkb.SelectEvents(CORE_KEYBOARD, events, 0, events, 0xFFFF, 0xFFFF, [])
        return watched

    def _read_keymap(self) -> Keymap:
        if self._keymap is None:
            self._keymap = read_keymap(self._xkb)
        return self._keymap

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        with speaking(self._name, DesktopError, LOST):
            yield
            self._connection.flush()


def _reply(cookie: Any) -> Any:
    """Return an answer, or None where the window it is about is gone."""
    with contextlib.suppress(xcffib.Error):
        return cookie.reply()
    return None


def _bytes(reply: Any) -> bytes:
    return b"" if reply is None or reply.format != 8 else bytes(reply.value.buf())


def _numbers(reply: Any) -> list[int]:
    return [] if reply is None or reply.format != 32 else [int(n) for n in reply.value.to_atoms()]


def _text(raw: bytes) -> str:
    """Read a text: by today's rules UTF-8, by the old ones Latin-1. May be cut in a character."""
    raw = raw.rstrip(b"\0")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return raw[: error.start].decode("utf-8")
        return raw.decode("latin-1")
