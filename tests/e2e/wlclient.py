"""A Wayland client of our own that says what it received, as `Listener` does on X11.

It shows a window, and looks keys up in the keymap that the compositor last sent, by libxkbcommon,
as toolkits do. It reads only while it is asked, so it is also what a slow client is.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import mmap
import os
import select
import socket
import struct
import time
from typing import Any

from gesturectl import wayland
from gesturectl.wayland import DISPLAY, Global, message
from tests.e2e.wayland import Sway
from tests.e2e.xserver import QUIET_S, TIMEOUT_S, name_of_keysym, wait_until

SIZE_PX = (800, 600)
BUTTON_NAMES = {0x110: "left", 0x111: "right", 0x112: "middle"}
AXIS_NAMES = ("vertical", "horizontal")


class WaylandListener:
    """A window that records what it receives.

    Records are ("press", "ä"), ("release", "F5"), ("press", "left"); ("motion", (x, y)) in the
    window; and for each turn of the wheel ("axis", (way, value, clicks, source)). `text` is what
    the keys have typed by libxkbcommon's own account.
    """

    def __init__(self, sway: Sway) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(sway.wayland)
        self._buffer = bytearray()
        self._files: list[int] = []
        self._xkb = Xkb()
        self._globals: dict[str, Global] = {}
        self._newest = DISPLAY
        self._callback = self._keyboard = self._pointer = self._pixels = 0
        self._shell = self._xdg = self._seat = 0
        self._records: list[tuple[str, Any]] = []
        self._turn: dict[str, Any] = {}
        self._focused = self._pointed = self._shown = False
        self.text = ""
        self.keymaps = 0  # how many were received
        self.modifiers = 0
        self.down: set[str] = set()  # by the compositor's account
        self._registry = self._new(DISPLAY, wayland.DISPLAY_GET_REGISTRY)
        self._round_trip()
        compositor, shm = self._bind("wl_compositor", 4), self._bind("wl_shm", 1)
        self._shell, self._seat = self._bind("xdg_wm_base", 1), self._bind("wl_seat", 5)
        self._surface = self._new(compositor, 0)
        self._xdg = self._new(self._shell, 2, after=(self._surface,))
        toplevel = self._new(self._xdg, 1)
        self._send(toplevel, 3, body=wayland.string("listener"))
        self._send(self._surface, 6)
        self._pixels = self._canvas(shm)

    def wait_for_focus(self) -> None:
        """Wait until the window has the keyboard: a seat has one only while somebody brings it."""
        assert wait_until(lambda: self._read() and self._focused and self._shown, TIMEOUT_S)
        self.received()

    def received(self, count: int | None = None) -> list[tuple[str, Any]]:
        """Return all that came since the last call: wait for `count`, and a little for more."""
        if count is not None:
            wait_until(lambda: self._read() and len(self._records) >= count, TIMEOUT_S)
        until_s = time.monotonic() + QUIET_S
        while time.monotonic() < until_s:
            self._read()
        received, self._records = self._records, []
        return received

    def heard(self, condition: Any, timeout_s: float = TIMEOUT_S) -> bool:
        """Read until a condition holds."""
        return wait_until(lambda: self._read() and bool(condition(self)), timeout_s)

    def close(self) -> None:
        for file in self._files:
            os.close(file)
        self._socket.close()

    # --- the wire ---------------------------------------------------------------------------

    def _number(self) -> int:
        self._newest += 1
        return self._newest

    def _send(self, of: int, request: int, *words: int, body: bytes = b"") -> None:
        self._socket.sendall(message(of, request, *words, body=body))

    def _new(self, of: int, request: int, *, after: tuple[int, ...] = ()) -> int:
        number = self._number()
        self._send(of, request, number, *after)
        return number

    def _bind(self, interface: str, version: int) -> int:
        number = self._number()
        offered = self._globals[interface]
        self._socket.sendall(wayland.bind(self._registry, offered, version, number))
        return number

    def _canvas(self, shm: int) -> int:
        """Return a buffer of the window's size, black."""
        width, height = SIZE_PX
        file = os.memfd_create("canvas")
        os.ftruncate(file, width * height * 4)
        pool, pixels = self._number(), self._number()
        size = width * height * 4
        socket.send_fds(self._socket, [message(shm, 0, pool, size)], [file])
        self._send(pool, 0, pixels, 0, width, height, width * 4, 1)
        os.close(file)
        return pixels

    def _round_trip(self) -> None:
        self._callback = self._new(DISPLAY, wayland.DISPLAY_SYNC)
        assert wait_until(lambda: self._read() and not self._callback)

    def _read(self) -> bool:
        """Take in what is there; return True, for conditions."""
        while select.select([self._socket], [], [], 0.005)[0]:
            data, files, _, _ = socket.recv_fds(self._socket, 1 << 16, 8)
            assert data, "the compositor has thrown us out"
            self._buffer += data
            self._files += files
            while (told := wayland.cut(self._buffer)) is not None:
                self._take_in(*told)
        return True

    def _take_in(self, of: int, event: int, body: bytes) -> None:
        if of == DISPLAY:
            assert event != wayland.DISPLAY_ERROR, wayland.read_string(body, 8)
            return
        words = struct.unpack(f"={len(body) // 4}I", body)
        if of == self._registry and event == wayland.REGISTRY_GLOBAL:
            offered = wayland.read_global(body)
            self._globals[offered.interface] = offered
        elif of == self._callback:
            self._callback = 0
        elif of in (self._keyboard, self._pointer):
            (self._key_event if of == self._keyboard else self._pointer_event)(event, words)
        elif of == self._shell:
            self._send(self._shell, 3, *words)  # pong
        elif of == self._xdg:
            self._send(self._xdg, 4, *words)  # acknowledged
            self._send(self._surface, 1, self._pixels, 0, 0)
            self._send(self._surface, 6)
            self._shown = True
        elif of == self._seat and event == 0:
            if words[0] & 1 and not self._pointer:
                self._pointer = self._new(self._seat, 0)
            if words[0] & 2 and not self._keyboard:
                self._keyboard = self._new(self._seat, 1)
            if not words[0] & 2:
                self._keyboard, self._focused = 0, False
            if not words[0] & 1:
                self._pointer = 0

    def _key_event(self, event: int, words: tuple[int, ...]) -> None:
        if event == 0:  # keymap
            self._xkb.load(self._files.pop(0), words[1])
            self.keymaps += 1
        elif event == 1:
            self._focused = True
        elif event == 2:
            self._focused = False
        elif event == 3:
            _, _, code, state = words
            keysym, text = self._xkb.look_up(code)
            name = name_of_keysym(keysym)
            self._note(name, bool(state))
            self.text += text if state else ""
        elif event == 4:
            self.modifiers = words[1]
            self._xkb.modify(*words[1:])

    def _pointer_event(self, event: int, words: tuple[int, ...]) -> None:
        if event in (0, 2):  # enter, motion
            x, y = words[-2:]
            self._records.append(("motion", (x / 256, y / 256)))
        elif event == 3:
            self._note(BUTTON_NAMES[words[2]], bool(words[3]))
        elif event == 4:
            value = struct.unpack("=i", struct.pack("=I", words[2]))[0] / 256
            self._turn |= {"way": AXIS_NAMES[words[1]], "value": value}
        elif event == 6:
            self._turn["source"] = words[0]
        elif event == 8:
            self._turn["clicks"] = struct.unpack("=i", struct.pack("=I", words[1]))[0]
        elif event == 5 and self._turn:  # frame
            turn, self._turn = self._turn, {}
            told = tuple(turn.get(key) for key in ("way", "value", "clicks", "source"))
            self._records.append(("axis", told))

    def _note(self, name: str, down: bool) -> None:
        self._records.append(("press" if down else "release", name))
        (self.down.add if down else self.down.discard)(name)


class Xkb:
    """libxkbcommon, as far as a client needs it."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(ctypes.util.find_library("xkbcommon") or "libxkbcommon.so.0")
        for name in ("context_new", "keymap_new_from_string", "state_new"):
            getattr(self._library, f"xkb_{name}").restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.xkb_context_new(0))
        self._state: ctypes.c_void_p | None = None

    def load(self, file: int, size: int) -> None:
        """Take a keymap from a file. A new one starts without modifiers, until told."""
        with mmap.mmap(file, size, mmap.MAP_PRIVATE, mmap.PROT_READ) as text:
            raw = bytes(text)
        os.close(file)
        self.load_text(raw.rstrip(b"\0"))

    def load_text(self, raw: bytes) -> None:
        """Take a keymap from its text."""
        keymap = self._library.xkb_keymap_new_from_string(self._context, raw, 1, 0)
        assert keymap, "libxkbcommon does not take the keymap"
        self._state = ctypes.c_void_p(self._library.xkb_state_new(ctypes.c_void_p(keymap)))

    def modify(self, depressed: int, latched: int, locked: int, group: int) -> None:
        """Set what is in force."""
        self._library.xkb_state_update_mask(self._state, depressed, latched, locked, 0, 0, group)

    def modifiers_of(self, code: int) -> int:
        """Return the modifiers that are in force while a key is down, and no other."""
        self.modify(0, 0, 0, 0)
        self._library.xkb_state_update_key(self._state, code + 8, 1)
        mods = int(self._library.xkb_state_serialize_mods(self._state, 1))
        self._library.xkb_state_update_key(self._state, code + 8, 0)
        return mods & 0xFF  # without the virtual ones, which newer versions count too

    def look_up(self, code: int) -> tuple[int, str]:
        """Return the keysym of a key, and the text that it types."""
        keysym = self._library.xkb_state_key_get_one_sym(self._state, code + 8)
        text = ctypes.create_string_buffer(16)
        self._library.xkb_state_key_get_utf8(self._state, code + 8, text, 16)
        return keysym, text.value.decode()
