"""Keyboard and mouse of an X11 desktop, through xcffib and the XTEST extension.

A key name becomes a keysym, and the keymap (`xkeymap`) says which key makes it under the current
layout. A keysym that the layout lacks (F13, `z` in a Russian layout, `你`) is bound to a keycode
that has none:

    bind 97 → 你      press 97      release 97      …      bind 97 → nothing, on close

A client looks a key up when it gets round to the event, so a binding must stay for a while after
its last use: it is kept until close, or until the keycode is needed again, `SETTLE_S` later.

XTEST keys stay down when their client dies: everything is told to a `Guardian` before it is
pressed. Requests are not waited for; their errors come with the events before the next command.
"""

from __future__ import annotations

import logging
import os
import struct
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import xcffib
import xcffib.xkb
import xcffib.xproto
import xcffib.xtest

from gesturectl import keys
from gesturectl.errors import SinkError
from gesturectl.ledger import Ledger
from gesturectl.sinks import programs
from gesturectl.sinks.carry import Carry
from gesturectl.sinks.guardian import Guardian
from gesturectl.sinks.keysyms import character_keysyms
from gesturectl.sinks.xkeymap import CONTROL, LOCK, Keymap, KeyType, Place, Stroke
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Command,
    KeyDown,
    KeyUp,
    MoveBy,
    MoveTo,
    Run,
    Scroll,
    Text,
)

log = logging.getLogger(__name__)

# The X11 protocol's numbers of events, and XKB's name of the keyboard that all clients see.
KEY_PRESS, KEY_RELEASE, BUTTON_PRESS, BUTTON_RELEASE, MOTION = 2, 3, 4, 5, 6
CORE_KEYBOARD = 0x100
XKB_NEW_KEYBOARD, XKB_MAP, XKB_STATE = 0, 1, 2
ONE_LEVEL = bytes(4)  # the first key type of every keymap, in all four groups

BUTTONS = {"left": 1, "middle": 2, "right": 3}
WHEEL_UP, WHEEL_DOWN, WHEEL_LEFT, WHEEL_RIGHT = 4, 5, 6, 7
MOVE_LIMIT_PX = 32767  # XTEST counts in int16

# How long a binding outlives its last key press. Clients look a key up within milliseconds, a
# browser under load within tens; measured with xterm and Chromium on two busy cores.
SETTLE_S = 0.1
# How long typing waits for the user's own Ctrl, Alt or Super to come up.
PATIENCE_S = 0.5
HEARTBEAT_S = 3.0

# Keysyms of keys that act as modifiers while they are down, locks and latches excluded.
SHORTCUT_KEYSYMS = frozenset(range(0xFFE7, 0xFFEF)) | {0xFFE3, 0xFFE4}  # Control Meta Alt Super …
HOLDING_KEYSYMS = SHORTCUT_KEYSYMS | {0xFFE1, 0xFFE2, 0xFE03, 0xFE11}  # Shift, levels 3 and 5


@dataclass(frozen=True, slots=True)
class Loan:
    """What a keycode is bound to for a while, and when it was last pressed."""

    keysym: int
    used_s: float


@dataclass(frozen=True, slots=True)
class KeyboardState:
    """Modifiers by how they came about, and the group in force."""

    held: int  # by keys that are down, and latched for the next key
    locked: int
    group: int

    @property
    def mods(self) -> int:
        """All modifiers in force."""
        return self.held | self.locked


class X11Sink:
    """Sends commands to the X display `display`, by default that of the environment.

    `heartbeat_s` is how long a daemon that beats may be silent while keys are held before the
    guardian lets go of them.

    Raises:
        SinkError: there is no display, or it does not let us in; says what to do.
    """

    def __init__(self, display: str | None = None, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._display = display or os.environ.get("DISPLAY", "")
        self._connection = _connect(self._display)
        self._core = self._connection.core
        self._xtest = self._connection(xcffib.xtest.key)
        self._xkb = self._connection(xcffib.xkb.key)
        screen = self._connection.get_setup().roots[self._connection.pref_screen]
        self._root = screen.root
        self._size_px = (screen.width_in_pixels, screen.height_in_pixels)
        self._subscribe()

        self._ledger = Ledger()
        self._t_us = 0
        self._down: dict[str, Stroke] = {}  # key name → how it was pressed
        self._presses: Counter[tuple[str, int]] = Counter()  # of ("key" or "button", code)
        self._freed: list[str] = []  # released, but the guardian does not know yet
        self._lent: dict[int, Loan] = {}  # by keycode, the longest unused first
        self._travel_px = (Carry(), Carry())
        self._turn = (Carry(), Carry())
        self._known_keymap: Keymap | None = None  # None: the server's has changed
        self._known_state: KeyboardState | None = None
        self._closed = False
        if os.environ.get("WAYLAND_DISPLAY"):
            log.warning(
                "this is a Wayland session: through X11 only windows that run in XWayland get keys"
            )
        self._guardian = Guardian(self._display, heartbeat_s)

    def send(self, command: Command) -> None:
        """Deliver one command.

        Raises:
            SinkError: the display is gone, the layout cannot make a key, or a program is missing.
        """
        self._t_us = command.t_us
        if self._ledger.note(command):
            with self._speaking():
                self._read_events()
                self._deliver(command)
                self._flush()

    def beat(self) -> None:
        """Say that the daemon lives; costs nothing while nothing is held."""
        if self._down or self._presses:
            self._guardian.beat()

    def check_keys(self, names: frozenset[str]) -> dict[str, str]:
        """Return the keys that the current layout cannot send, each with the reason."""
        problems = keys.unknown(names)
        with self._speaking():
            self._read_events()
            keymap = self._keymap()
        for name in names - problems.keys():
            key = keys.lookup(name)
            if any(keysym in keymap.places for keysym in _keysyms(key)):
                continue
            if key.group == "modifier":
                problems[name] = f"the keyboard layout has no {key.name} key; choose another"
            elif not keymap.spare and not self._lent:
                problems[name] = (
                    f"the keyboard layout has no {key.name} key and no free keycode to lend it; "
                    "choose another key, or another layout"
                )
        return problems

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._closed:
            return
        self._closed = True
        clean = False
        try:
            with self._speaking():
                for command in self._ledger.release(self._t_us):
                    self._deliver(command)
                self._flush()
                self._unbind_all()
                self._core.GetInputFocus().reply()  # all has been carried out
            clean = True
        except SinkError as error:
            log.warning("not released properly: %s", error)
        finally:
            self._guardian.close(clean=clean)
            self._connection.disconnect()

    # --- commands ---------------------------------------------------------------------------

    def _deliver(self, command: Command) -> None:
        match command:
            case KeyDown():
                self._key_down(command.key)
            case KeyUp():
                self._key_up(command.key)
            case ButtonDown():
                self._press("button", BUTTONS[command.button])
            case ButtonUp():
                self._release("button", BUTTONS[command.button])
            case MoveBy():
                self._move_by(command.dx_px, command.dy_px)
            case MoveTo():
                self._move_to(command.x, command.y)
            case Scroll():
                self._scroll(command.dx, command.dy)
            case Text():
                self._type(command.text)
            case Run():
                programs.start(command.argv)

    def _key_down(self, name: str) -> None:
        key = keys.lookup(name)
        state = self._state()
        stroke = self._keymap().chord(_keysyms(key), state.mods, state.group)
        if stroke is None:
            self._bind([key])
            stroke = self._keymap().chord(_keysyms(key), state.mods, state.group)
        if stroke is None:
            raise SinkError(f"the keyboard layout cannot make the key {name!r}; choose another")
        self._down[name] = stroke
        self._touch(stroke)
        caps = state.locked & LOCK and (stroke.heeds_lock or _has_case(key))
        if caps:
            self._set_lock(on=False)
        if stroke.group is not None:
            self._set_group(stroke.group)
        for keycode in (*stroke.holding, stroke.keycode):
            self._press("key", keycode)
        if stroke.group is not None:
            self._set_group(state.group)
        if caps:
            self._set_lock(on=True)

    def _key_up(self, name: str) -> None:
        stroke = self._down.pop(name, None)
        if stroke is not None:  # else it never went down: the layout had no such key
            for keycode in (stroke.keycode, *reversed(stroke.holding)):
                self._release("key", keycode)

    def _move_by(self, dx_px: float, dy_px: float) -> None:
        x, y = self._travel_px[0].whole(dx_px), self._travel_px[1].whole(dy_px)
        if x or y:
            self._fake(MOTION, 1, _limited(x), _limited(y))

    def _move_to(self, x: float, y: float) -> None:
        width, height = self._size_px
        self._travel_px = (Carry(), Carry())
        self._fake(
            MOTION,
            0,
            round(min(max(x, 0.0), 1.0) * (width - 1)),
            round(min(max(y, 0.0), 1.0) * (height - 1)),
        )

    def _scroll(self, dx: float, dy: float) -> None:
        for carry, amount, back, forth in (
            (self._turn[0], dx, WHEEL_LEFT, WHEEL_RIGHT),
            (self._turn[1], dy, WHEEL_UP, WHEEL_DOWN),
        ):
            steps = carry.whole(amount)
            button = back if steps < 0 else forth
            for _ in range(abs(steps)):
                self._fake(BUTTON_PRESS, button)
                self._fake(BUTTON_RELEASE, button)

    # --- text -------------------------------------------------------------------------------

    def _type(self, text: str) -> None:
        """Type a text, whatever the layout, the user's fingers and Caps Lock are up to."""
        typed = list(keys.of_text(text))
        keymap = self._keymap()
        own = [code for kind, code in self._presses if kind == "key" and code in keymap.mods_of]
        for keycode in own:
            self._fake(KEY_RELEASE, keycode)
        self._known_state = None
        try:
            state = self._without_shortcuts()
            if state is None:
                log.warning("not typed: Ctrl, Alt or Super is held down")
                return
            if state.locked & LOCK:
                self._set_lock(on=False)
            try:
                while typed:
                    typed = typed[self._type_some(typed, state) :]
            finally:
                if state.locked & LOCK:
                    self._set_lock(on=True)
        finally:
            for keycode in own:
                self._fake(KEY_PRESS, keycode)
            self._known_state = None

    def _type_some(self, typed: list[keys.Key], state: KeyboardState) -> int:
        """Type as much as there are keycodes to lend for; return the number of keys typed."""
        keymap = self._keymap()
        room = len(keymap.spare) + sum(self._idle(keycode) for keycode in self._lent)
        borrowers: dict[str, keys.Key] = {}  # need a keycode lent, or have one
        wanting: dict[str, keys.Key] = {}  # need one
        count = 0
        for key in typed:
            stroke = keymap.stroke(_keysyms(key), state.mods, state.group)
            if stroke is None or stroke.keycode in self._lent:
                if key.name not in borrowers and len(borrowers) == room:
                    break
                borrowers[key.name] = key
            if stroke is None:
                wanting[key.name] = key
            else:
                self._touch(stroke)  # so that no other key takes its keycode now
            count += 1
        self._bind(wanting.values() if count else typed[:1])
        self._tap(typed[:count], state)
        return count

    def _tap(self, typed: list[keys.Key], state: KeyboardState) -> None:
        """Press and release keys one after another."""
        keymap = self._keymap()
        strokes: list[Stroke] = []
        for key in typed:
            stroke = keymap.stroke(_keysyms(key), state.mods, state.group)
            if stroke is None:
                raise SinkError(f"cannot type {key.name!r} in this keyboard layout")
            strokes.append(stroke)
        used = {code for stroke in strokes for code in (stroke.keycode, *stroke.holding)}
        told = [f"key {code}" for code in used if not self._presses["key", code]]
        self._guardian.hold(*told)
        group = state.group
        for stroke in strokes:
            target = state.group if stroke.group is None else stroke.group
            if target != group:
                self._set_group(target)
                group = target
            held_down = self._presses["key", stroke.keycode]
            if held_down:
                self._fake(KEY_RELEASE, stroke.keycode)
            for keycode in (*stroke.holding, stroke.keycode):
                self._fake(KEY_PRESS, keycode)
            for keycode in (stroke.keycode, *reversed(stroke.holding)):
                self._fake(KEY_RELEASE, keycode)
            if held_down:
                self._fake(KEY_PRESS, stroke.keycode)
            self._touch(stroke)
        if group != state.group:
            self._set_group(state.group)
        self._freed += told
        self._flush()

    def _without_shortcuts(self) -> KeyboardState | None:
        """Return the state once no modifier of shortcuts is in force, or None if one stays."""
        patience_until_s = time.monotonic() + PATIENCE_S
        while (state := self._state()).mods & self._keymap().shortcuts:
            if time.monotonic() > patience_until_s:
                return None
            time.sleep(0.01)
            self._known_state = None
        return state

    # --- lending keycodes -------------------------------------------------------------------

    def _bind(self, wanted: Iterable[keys.Key]) -> None:
        """Lend keycodes to keys that the layout lacks; the keymap is read anew afterwards."""
        spare = list(self._keymap().spare)
        bindings: dict[int, int] = {}
        for key in wanted:
            keycode = spare.pop() if spare else self._take_back()
            bindings[keycode] = key.keysym
        self._guardian.hold(*(f"map {keycode}" for keycode in bindings))
        for keycode, keysym in bindings.items():
            self._lent[keycode] = Loan(keysym, time.monotonic())
        if bindings:
            rebind(self._xkb, bindings)
            self._known_keymap = None

    def _take_back(self) -> int:
        """Return the keycode lent and not used for longest, once no client looks it up any more."""
        keycode = next(filter(self._idle, self._lent), None)
        if keycode is None:
            raise SinkError("the keyboard layout has no free keycode left; release some keys first")
        self._flush()
        time.sleep(max(0.0, self._lent.pop(keycode).used_s + SETTLE_S - time.monotonic()))
        return keycode

    def _idle(self, keycode: int) -> bool:
        return not self._presses["key", keycode]

    def _touch(self, stroke: Stroke) -> None:
        """Note that a keycode is used, if it is lent."""
        loan = self._lent.pop(stroke.keycode, None)
        if loan is not None:
            self._lent[stroke.keycode] = Loan(loan.keysym, time.monotonic())

    def _unbind_all(self) -> None:
        last_used_s = max((loan.used_s for loan in self._lent.values()), default=0.0)
        time.sleep(max(0.0, last_used_s + SETTLE_S - time.monotonic()))
        if self._lent:
            rebind(self._xkb, dict.fromkeys(self._lent, 0))
        self._lent.clear()

    # --- the server -------------------------------------------------------------------------

    def _press(self, kind: str, code: int) -> None:
        """Press a key or button, unless another key of ours holds it down already."""
        self._presses[kind, code] += 1
        if self._presses[kind, code] == 1:
            self._guardian.hold(f"{kind} {code}")
            self._fake(KEY_PRESS if kind == "key" else BUTTON_PRESS, code)
            self._forget_state(code)

    def _release(self, kind: str, code: int) -> None:
        self._presses[kind, code] -= 1
        if self._presses[kind, code] == 0:
            del self._presses[kind, code]
            self._fake(KEY_RELEASE if kind == "key" else BUTTON_RELEASE, code)
            self._freed.append(f"{kind} {code}")
            self._forget_state(code)

    def _forget_state(self, code: int) -> None:
        # The server tells us of the change, but perhaps later than the next command.
        if self._known_keymap is None or code in self._known_keymap.mods_of:
            self._known_state = None

    def _fake(self, event: int, detail: int, x: int = 0, y: int = 0) -> None:
        self._xtest.FakeInput(event, detail, 0, self._root, x, y, 0)

    def _set_lock(self, *, on: bool) -> None:
        self._xkb.LatchLockState(CORE_KEYBOARD, LOCK, LOCK if on else 0, False, 0, 0, False, 0)

    def _set_group(self, group: int) -> None:
        self._xkb.LatchLockState(CORE_KEYBOARD, 0, 0, True, group, 0, False, 0)

    def _flush(self) -> None:
        self._connection.flush()
        if self._freed:
            self._guardian.free(*self._freed)
            self._freed.clear()

    def _subscribe(self) -> None:
        """Ask to be told when the keymap, the modifiers, or the size of the desktop change."""
        with self._speaking():
            self._xkb.UseExtension(1, 0).reply()
            self._xtest.GetVersion(2, 2).reply()
            self._xtest.GrabControl(True)  # releases must get through while a client grabs all
            events = 1 << XKB_NEW_KEYBOARD | 1 << XKB_MAP | 1 << XKB_STATE
            self._xkb.SelectEvents(CORE_KEYBOARD, events, 0, events, 0xFFFF, 0xFFFF, [])
            self._core.ChangeWindowAttributes(
                self._root, xcffib.xproto.CW.EventMask, [xcffib.xproto.EventMask.StructureNotify]
            )

    def _read_events(self) -> None:
        """Take in what the server told us since the last command, errors included."""
        while (event := self._connection.poll_for_event()) is not None:
            if isinstance(event, xcffib.xkb.NewKeyboardNotifyEvent):
                # xcffib makes every XKB event one of these; the kind is right all the same.
                self._known_state = None
                if event.xkbType != XKB_STATE:
                    self._known_keymap = None
            elif isinstance(event, xcffib.xproto.MappingNotifyEvent):
                self._known_keymap = None
            elif isinstance(event, xcffib.xproto.ConfigureNotifyEvent):
                self._size_px = (event.width, event.height)

    def _state(self) -> KeyboardState:
        if self._known_state is None:
            reply = self._xkb.GetState(CORE_KEYBOARD).reply()
            self._known_state = KeyboardState(
                reply.baseMods | reply.latchedMods, reply.lockedMods, reply.group
            )
        return self._known_state

    def _keymap(self) -> Keymap:
        if self._known_keymap is None:
            keymap = self._known_keymap = read_keymap(self._xkb)
            # A layout set anew has wiped our bindings, and may use the keycodes itself.
            for keycode, loan in [*self._lent.items()]:
                if all(place.keycode != keycode for place in keymap.places.get(loan.keysym, ())):
                    del self._lent[keycode]
                    self._freed.append(f"map {keycode}")
        return self._known_keymap

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """Turn what xcffib raises into what a user can act on."""
        try:
            yield
        except xcffib.ConnectionException as error:
            raise SinkError(
                f"the X display {self._display} is gone: its server ended or cut us off; "
                "start gesturectl again when the desktop is back"
            ) from error
        except xcffib.XcffibException as error:
            raise SinkError(
                f"the X server of {self._display} refused a request ({type(error).__name__}); "
                "it may not allow XTEST to this program"
            ) from error


def works(display: str | None = None) -> str | None:
    """Return None where the display takes our keys, else the reason and what to do."""
    name = display or os.environ.get("DISPLAY", "")
    try:
        connection = _connect(name)
    except SinkError as error:
        return str(error)
    connection.disconnect()
    return None


def read_keymap(xkb: Any) -> Keymap:
    """Read the whole keymap from the server (1.5 ms). `xkb` is xcffib's XKB extension."""
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
        type_of_group = [types[index] for index in _bytes(row.kt_index)]
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


def rebind(xkb: Any, bindings: Mapping[int, int]) -> None:
    """Bind keycodes to one keysym each, 0 for none, on one level: no modifier changes it.

    The core protocol's request takes a range of keycodes, and free ones are seldom neighbours. Each
    request makes every client of the desktop read the keymap anew, and window managers grab all
    their keys again (openbox: 20 ms each). So this is one request of XKB, which can write the keys
    in between just as they are.
    """
    first, last = min(bindings), max(bindings)
    count = last - first + 1
    syms = xcffib.xkb.MapPart.KeySyms
    reply = xkb.GetMap(CORE_KEYBOARD, 0, syms, 0, 0, first, count, *[0] * 11).reply()
    rows: list[bytes] = []
    total = 0
    for keycode, row in enumerate(reply.syms_rtrn, first):
        keysyms = list(row.syms)
        types, groups, width = _bytes(row.kt_index), row.groupInfo, row.width
        if keycode in bindings:
            keysyms = [bindings[keycode]] if bindings[keycode] else []
            types, groups, width = ONE_LEVEL, len(keysyms), len(keysyms)
        total += len(keysyms)
        rows.append(
            struct.pack(f"=4sBBH{len(keysyms)}I", types, groups, width, len(keysyms), *keysyms)
        )
    xkb.SetMap(
        *(CORE_KEYBOARD, syms, 0, reply.minKeyCode, reply.maxKeyCode, 0, 0),
        *(first, count, total, *[0] * 16, [rows]),
    )


def _connect(display: str) -> Any:
    """Open a connection to a display that has XTEST and XKB.

    Raises:
        SinkError: there is none, or it does not let us in; says what to do.
    """
    if not display:
        raise SinkError(
            "DISPLAY is not set: "
            + (
                "this is a Wayland session without XWayland, which the sink x11 cannot reach"
                if os.environ.get("WAYLAND_DISPLAY")
                else "no X11 desktop here; start gesturectl inside the desktop session, "
                "or set DISPLAY (usually :0)"
            )
        )
    try:
        connection = xcffib.connect(display)
        for name in ("XTEST", "XKEYBOARD"):
            if not connection.core.QueryExtension(len(name), name).reply().present:
                connection.disconnect()
                raise SinkError(
                    f"the X server of {display} has no {name} extension; switch it on (remove "
                    f"`-extension {name}` from the server's options)"
                )
    except (xcffib.XcffibException, UnicodeEncodeError) as error:
        raise SinkError(
            f"cannot connect to the X display {display}: no server there, or it does not let this "
            "user in; start gesturectl as the user of the desktop (not by sudo), and check "
            "DISPLAY and XAUTHORITY with `xdpyinfo`"
        ) from error
    return connection


def _keysyms(key: keys.Key) -> tuple[int, ...]:
    return (key.keysym,) if key.character is None else character_keysyms(key.character)


def _has_case(key: keys.Key) -> bool:
    return key.character is not None and key.character.lower() != key.character.upper()


def _limited(distance_px: int) -> int:
    return max(-MOVE_LIMIT_PX, min(MOVE_LIMIT_PX, distance_px))


def _bits(mask: int) -> Iterator[int]:
    return (1 << place for place in range(8) if mask >> place & 1)


def _bytes(values: Any) -> bytes:
    # xcffib gives a list of bytes as numbers or as one-character strings, by its version.
    return bytes(ord(value) if isinstance(value, str | bytes) else value for value in values)
