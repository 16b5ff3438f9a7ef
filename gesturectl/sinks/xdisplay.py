"""One connection to an X server: what it tells of its keyboard, and the requests that we make.

Requests are not waited for. Errors, and news of a changed layout, modifier or desktop size, come
with `read_events`, which the sink calls before each command; keymap and state are read again from
the server only after such news (1.5 ms and 0.1 ms).
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import xcffib
import xcffib.xkb
import xcffib.xproto
import xcffib.xtest

from gesturectl.errors import SinkError
from gesturectl.sinks.injected import Injected
from gesturectl.sinks.xkeymap import CONTROL, LOCK, Keymap, KeyType, Place
from gesturectl.xserver import connect, in_bytes, speaking

# The X11 protocol's numbers of events; XKB's of its events, and its keyboard that all clients see.
KEY_PRESS, KEY_RELEASE, BUTTON_PRESS, BUTTON_RELEASE, MOTION = 2, 3, 4, 5, 6
XKB_NEW_KEYBOARD, XKB_MAP, XKB_STATE = 0, 1, 2
CORE_KEYBOARD = 0x100
ONE_LEVEL = bytes(4)  # the first key type of every keymap, for all four groups of a key

# Keysyms of keys that act as modifiers while they are down, locks and latches excluded.
SHORTCUT_KEYSYMS = frozenset(range(0xFFE7, 0xFFEF)) | {0xFFE3, 0xFFE4}  # Control Meta Alt Super …
HOLDING_KEYSYMS = SHORTCUT_KEYSYMS | {0xFFE1, 0xFFE2, 0xFE03, 0xFE11}  # Shift, levels 3 and 5


@dataclass(frozen=True, slots=True)
class KeyboardState:
    """The modifiers in force, `locked` those that stay without a key down; the group in force."""

    mods: int
    locked: int
    group: int

    @property
    def caps_lock(self) -> bool:
        """Whether Caps Lock is on."""
        return bool(self.locked & LOCK)


class XDisplay:
    """A connection to the display `name`.

    Raises:
        SinkError: there is none, or it does not let us in; says what to do.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._connection = connect(name, SinkError, ("XTEST", "XKEYBOARD"))
        self._core = self._connection.core
        self._xtest = self._connection(xcffib.xtest.key)
        self._xkb = self._connection(xcffib.xkb.key)
        screen = self._connection.get_setup().roots[self._connection.pref_screen]
        self._root = screen.root
        self.size_px: tuple[int, int] = (screen.width_in_pixels, screen.height_in_pixels)
        self._keymap: Keymap | None = None  # None: to be read from the server
        self._state: KeyboardState | None = None
        self._buttons: list[int] | None = None
        self.injected = Injected()
        with self.speaking():
            self._subscribe()

    def keymap(self) -> Keymap:
        """Return the keymap in force."""
        if self._keymap is None:
            self._keymap = read_keymap(self._xkb)
        return self._keymap

    def state(self, *, fresh: bool = False) -> KeyboardState:
        """Return modifiers and group in force, by the last news or, if `fresh`, by asking."""
        if self._state is None or fresh:
            reply = self._xkb.GetState(CORE_KEYBOARD).reply()
            self._state = KeyboardState(reply.mods, reply.lockedMods, reply.group)
        return self._state

    def button_code(self, button: int) -> int:
        """Return what to send so that clients see `button`: a left-handed user has swapped them."""
        if self._buttons is None:
            self._buttons = [int(code) for code in self._core.GetPointerMapping().reply().map]
        return self._buttons.index(button) + 1 if button in self._buttons else button

    def fake(self, event: int, detail: int, x: int = 0, y: int = 0) -> None:
        """Act as if a device had sent an event: a keycode, a button, or a motion."""
        if event != MOTION:
            self.injected.note(event, detail, time.monotonic())
        self._xtest.FakeInput(event, detail, 0, self._root, x, y, 0)
        # The server tells us of a modifier that changed, but perhaps after the next command.
        if event in (KEY_PRESS, KEY_RELEASE) and detail in self.keymap().mods_of:
            self._state = None

    def set_caps_lock(self, *, on: bool) -> None:
        """Switch Caps Lock without pressing its key."""
        self._xkb.LatchLockState(CORE_KEYBOARD, LOCK, LOCK if on else 0, False, 0, 0, False, 0)

    def set_group(self, group: int) -> None:
        """Switch to another group (layout) of the keymap."""
        self._xkb.LatchLockState(CORE_KEYBOARD, 0, 0, True, group, 0, False, 0)

    def bind(self, bindings: Mapping[int, int]) -> None:
        """Bind keycodes to one keysym each, 0 for none, on one level: no modifier changes it.

        The core protocol binds a range of keycodes at once, and free ones are seldom neighbours.
        Each request makes every client of the desktop read the keymap anew, and window managers
        grab all their keys again (openbox: 20 ms). So this is one request of XKB, which can write
        the keys in between just as they are.
        """
        if not bindings:
            return
        first, last = min(bindings), max(bindings)
        count = last - first + 1
        syms = xcffib.xkb.MapPart.KeySyms
        reply = self._xkb.GetMap(CORE_KEYBOARD, 0, syms, 0, 0, first, count, *[0] * 11).reply()
        rows: list[bytes] = []
        total = 0
        for keycode, row in enumerate(reply.syms_rtrn, first):
            keysyms = list(row.syms)
            types, groups, width = in_bytes(row.kt_index), row.groupInfo, row.width
            if keycode in bindings:
                keysyms = [bindings[keycode]] if bindings[keycode] else []
                types, groups, width = ONE_LEVEL, len(keysyms), len(keysyms)
            total += len(keysyms)
            rows.append(
                struct.pack(f"=4sBBH{len(keysyms)}I", types, groups, width, len(keysyms), *keysyms)
            )
        self._xkb.SetMap(
            *(CORE_KEYBOARD, syms, 0, reply.minKeyCode, reply.maxKeyCode, 0, 0),
            *(first, count, total, *[0] * 16, [rows]),
        )
        self._keymap = None

    def read_events(self) -> list[str]:
        """Take in what the server told us; return the errors of earlier requests, by name."""
        refused: list[str] = []
        while True:
            try:
                event = self._connection.poll_for_event()
            except xcffib.Error as error:
                refused.append(type(error).__name__)
                continue
            if event is None:
                return refused
            if isinstance(event, xcffib.xkb.NewKeyboardNotifyEvent):
                # xcffib takes every XKB event for one of these; the kind is right all the same.
                self._state = None
                if event.xkbType != XKB_STATE:
                    self._keymap = None
            elif isinstance(event, xcffib.xproto.MappingNotifyEvent):
                self._keymap = None
                self._buttons = None
            elif isinstance(event, xcffib.xproto.ConfigureNotifyEvent):
                self.size_px = (event.width, event.height)

    def flush(self) -> None:
        """Send what was requested so far."""
        self._connection.flush()

    def finish(self) -> None:
        """Wait until the server has carried out all requests."""
        self._core.GetInputFocus().reply()

    def close(self) -> None:
        """Leave the server."""
        self._connection.disconnect()

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Turn what xcffib raises into what a user can act on."""
        with speaking(
            self._name,
            SinkError,
            "its server ended or cut us off; start gesturectl again when the desktop is back",
        ):
            yield

    def _subscribe(self) -> None:
        """Ask to be told when the keymap, the modifiers, or the size of the desktop change."""
        self._xkb.UseExtension(1, 0).reply()
        self._xtest.GetVersion(2, 2).reply()
        self._xtest.GrabControl(True)  # releases must get through while a client grabs all
        events = 1 << XKB_NEW_KEYBOARD | 1 << XKB_MAP | 1 << XKB_STATE
        self._xkb.SelectEvents(CORE_KEYBOARD, events, 0, events, 0xFFFF, 0xFFFF, [])
        self._core.ChangeWindowAttributes(
            self._root, xcffib.xproto.CW.EventMask, [xcffib.xproto.EventMask.StructureNotify]
        )


def read_keymap(xkb: Any) -> Keymap:
    """Return the keymap in force, by a connection's keyboard extension."""
    part = xcffib.xkb.MapPart
    reply = xkb.GetMap(
        CORE_KEYBOARD, part.KeyTypes | part.KeySyms | part.ModifierMap, 0, *[0] * 15
    ).reply()
    types = [
        KeyType(row.mods_mask, {entry.mods_mask: entry.level for entry in row.map if entry.active})
        for row in reply.types_rtrn
    ]
    mods_of = {row.keycode: row.mods for row in reply.modmap_rtrn if row.mods}
    places: dict[int, list[Place]] = {}
    modifiers: dict[int, int] = {}
    spare: list[int] = []
    shortcuts = CONTROL
    for keycode, row in enumerate(reply.syms_rtrn, reply.firstKeySym):
        keysyms = list(row.syms)
        groups = row.groupInfo & 0x0F
        if not any(keysyms):
            if keycode not in mods_of:
                spare.append(keycode)
            continue
        type_of_group = [types[index] for index in in_bytes(row.kt_index)]
        for position, keysym in enumerate(keysyms):
            if keysym:
                group, level = divmod(position, row.width)
                place = Place(keycode, group if groups > 1 else None, level, type_of_group[group])
                places.setdefault(keysym, []).append(place)
        if keycode in mods_of and keysyms[0] in HOLDING_KEYSYMS:
            for bit in _bits(mods_of[keycode]):
                modifiers.setdefault(bit, keycode)
            if keysyms[0] in SHORTCUT_KEYSYMS:
                shortcuts |= mods_of[keycode]
    return Keymap(
        places={keysym: tuple(found) for keysym, found in places.items()},
        modifiers=modifiers,
        mods_of=mods_of,
        shortcuts=shortcuts,
        spare=tuple(spare),
    )


def _bits(mask: int) -> Iterator[int]:
    return (1 << place for place in range(8) if mask >> place & 1)
