"""Keyboard and mouse of an X11 desktop, through xcffib and the XTEST extension.

A key name becomes a keysym; the keymap says which key makes it under the current layout, and what
the layout lacks is lent a free keycode (`xlending`). XTEST keys stay down when their client dies,
so a `Guardian` is told of everything before it goes down.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from itertools import chain
from types import TracebackType
from typing import Literal, Self

from gesturectl import keys
from gesturectl.errors import GesturectlError, SinkError
from gesturectl.ledger import Ledger
from gesturectl.sinks import programs, shortfall
from gesturectl.sinks.carry import Carry
from gesturectl.sinks.courier import Courier, check
from gesturectl.sinks.guardian import HEARTBEAT_S, Guardian
from gesturectl.sinks.keynames import keycodes
from gesturectl.sinks.keysyms import keysyms_of
from gesturectl.sinks.xdisplay import (
    BUTTON_PRESS,
    BUTTON_RELEASE,
    KEY_PRESS,
    KEY_RELEASE,
    MOTION,
    KeyboardState,
    XDisplay,
)
from gesturectl.sinks.xkeymap import Keymap, Stroke
from gesturectl.sinks.xlending import Lending
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

BUTTONS = {"left": 1, "middle": 2, "right": 3}
WHEEL_UP, WHEEL_DOWN, WHEEL_LEFT, WHEEL_RIGHT = 4, 5, 6, 7
MOVE_LIMIT_PX = 32767  # XTEST counts in int16
PATIENCE_S = 0.5  # how long typing waits for the user's own Ctrl, Alt or Super to come up


class X11Sink:
    """Sends commands to the X display `display`, by default that of the environment.

    `heartbeat_s` is how long a daemon that beats may be silent while keys are held before the
    guardian lets go of them. `courier` delivers messages; by default to this machine alone.

    Raises:
        SinkError: there is no display, or it does not let us in; says what to do.
    """

    def __init__(
        self,
        display: str | None = None,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        courier: Courier | None = None,
    ) -> None:
        name = display or os.environ.get("DISPLAY", "")
        self._display = XDisplay(name)
        if (reach := shortfall("x11")) is not None:
            log.warning("%s", reach)
        self.injected = self._display.injected  # for whoever watches real keyboards and mice
        self._guardian = Guardian(name, heartbeat_s)
        self._ledger = Ledger()
        self._t_us = 0
        self._down: dict[str, Stroke] = {}  # key name → how it was pressed
        # How many of our keys hold a keycode or button: `shift` and `A` both hold Shift.
        self._holders: Counter[tuple[Literal["key", "button"], int]] = Counter()
        self._refused: list[str] = []  # errors of the server that came with a beat
        self._freed: list[str] = []  # released, but the guardian does not know yet
        self._lending = Lending(self._display, self._guardian, self._is_down)
        self._travel_px = (Carry(), Carry())
        self._turn = (Carry(), Carry())
        self._courier = courier or Courier()
        self._panic: frozenset[str] = frozenset()
        self._told: Keymap | None = None  # by which keymap the guardian knows the panic keys
        self._closed = False

    def panic_on(self, chord: frozenset[str]) -> None:
        """Have the guardian let go of everything when these real keys are down together.

        Raises:
            SinkError: the display is gone.
        """
        self._panic, self._told = chord, None
        if not chord:
            self._guardian.panic_on(())
        with self._display.speaking():
            self._tell_guardian()

    def send(self, command: Command) -> None:
        """Deliver one command.

        Raises:
            SinkError: the display is gone, the layout cannot make a key, or a program is missing.
        """
        self._t_us = command.t_us
        if not self._ledger.note(command):
            return
        try:
            with self._display.speaking():
                refused = [*self._refused, *self._display.read_events()]
                self._refused.clear()
                self._deliver(command)
                self._flush()
        except GesturectlError:
            self._ledger.forget(command)
            raise
        if refused:  # of an earlier command, and no reason not to deliver this one
            raise SinkError(
                f"the X server refused what was sent ({', '.join(refused)}); "
                "it may not allow XTEST to this program"
            )

    def beat(self) -> None:
        """Say that the daemon lives; hear from the display whether it does.

        Raises:
            SinkError: the display is gone.
        """
        if self._holders:
            self._guardian.beat()
        with self._display.speaking():
            self._refused += self._display.read_events()
            self._tell_guardian()

    def check_keys(self, names: frozenset[str]) -> dict[str, str]:
        """Return the keys that the current layout cannot send, each with the reason."""
        problems = keys.unknown(names)
        with self._display.speaking():
            self._display.read_events()
            places = self._display.keymap().places
            room = self._lending.room
        for name in names - problems.keys():
            key = keys.lookup(name)
            if any(keysym in places for keysym in keysyms_of(key)):
                continue
            if key.group == "modifier":
                problems[name] = f"the keyboard layout has no {key.name} key; choose another"
            elif not room:
                problems[name] = (
                    f"the keyboard layout has no {key.name} key and no free keycode to lend it; "
                    "choose another key, or another layout"
                )
        return problems

    def check_kinds(self, kinds: frozenset[type[object]]) -> dict[str, str]:
        """Return the kinds of messages that this desktop does not deliver, each with the reason."""
        return check(kinds)

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
        released = False
        try:
            with self._display.speaking():
                for command in self._ledger.release(self._t_us):
                    self._deliver(command)
                self._flush()
                self._lending.end()
                self._display.finish()
            released = True
        except SinkError as error:
            log.warning("not released properly: %s", error)
        finally:
            self._guardian.close(clean=released)
            self._display.close()
            self._courier.close()

    # --- commands ---------------------------------------------------------------------------

    def _deliver(self, command: Command) -> None:
        match command:
            case KeyDown():
                self._key_down(command.key)
            case KeyUp():
                self._key_up(command.key)
            case ButtonDown():
                self._press("button", self._display.button_code(BUTTONS[command.button]))
            case ButtonUp():
                # The same code as on pressing: the server swaps no buttons while one is down.
                self._release("button", self._display.button_code(BUTTONS[command.button]))
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
            case _:
                self._courier.send(command)

    def _key_down(self, name: str) -> None:
        key = keys.lookup(name)
        state = self._display.state()
        stroke = self._display.keymap().chord(keysyms_of(key), state.mods, state.group)
        if stroke is None:
            if key.group == "modifier":  # a keycode lent to it would modify nothing
                raise SinkError(f"the keyboard layout has no {name} key; choose another")
            self._lending.lend([key.keysym])
            stroke = self._display.keymap().chord(keysyms_of(key), state.mods, state.group)
            if stroke is None:
                raise SinkError(f"the keyboard layout has no {name} key and takes none lent")
        self._lending.lent(stroke.keycode)
        self._down[name] = stroke
        without_caps = state.caps_lock and (stroke.heeds_lock or _has_case(key))
        if without_caps:
            self._display.set_caps_lock(on=False)
        if stroke.group is not None:
            self._display.set_group(stroke.group)
        for keycode in (*stroke.holding, stroke.keycode):
            self._press("key", keycode)
        if stroke.group is not None:
            self._display.set_group(state.group)
        if without_caps:
            self._display.set_caps_lock(on=True)

    def _key_up(self, name: str) -> None:
        stroke = self._down.pop(name)
        for keycode in (stroke.keycode, *reversed(stroke.holding)):
            self._release("key", keycode)

    def _press(self, kind: Literal["key", "button"], code: int) -> None:
        self._holders[kind, code] += 1
        if self._holders[kind, code] == 1:
            self._guardian.hold(f"{kind} {code}")
            self._display.fake(KEY_PRESS if kind == "key" else BUTTON_PRESS, code)

    def _release(self, kind: Literal["key", "button"], code: int) -> None:
        self._holders[kind, code] -= 1
        if not self._holders[kind, code]:
            del self._holders[kind, code]
            self._display.fake(KEY_RELEASE if kind == "key" else BUTTON_RELEASE, code)
            self._freed.append(f"{kind} {code}")

    def _tell_guardian(self) -> None:
        """Tell where the panic keys are, again when the layout has changed."""
        if self._panic and (keymap := self._display.keymap()) is not self._told:
            self._told = keymap
            self._guardian.panic_on(keycodes(self._panic, keymap))

    def _is_down(self, keycode: int) -> bool:
        return ("key", keycode) in self._holders

    def _flush(self) -> None:
        """Send all requests; then, and not before, tell the guardian what is up again."""
        self._display.flush()
        self._guardian.free(*self._freed)
        self._freed.clear()

    def _move_by(self, dx_px: float, dy_px: float) -> None:
        x, y = self._travel_px[0].whole(dx_px), self._travel_px[1].whole(dy_px)
        if x or y:
            self._display.fake(MOTION, 1, _limited(x), _limited(y))

    def _move_to(self, x: float, y: float) -> None:
        width, height = self._display.size_px
        self._travel_px = (Carry(), Carry())
        x_px = round(min(max(x, 0.0), 1.0) * (width - 1))
        y_px = round(min(max(y, 0.0), 1.0) * (height - 1))
        self._display.fake(MOTION, 0, x_px, y_px)

    def _scroll(self, dx: float, dy: float) -> None:
        for carry, amount, back, forth in (
            (self._turn[0], dx, WHEEL_LEFT, WHEEL_RIGHT),
            (self._turn[1], dy, WHEEL_UP, WHEEL_DOWN),
        ):
            steps = carry.whole(amount)
            code = self._display.button_code(back if steps < 0 else forth)
            for _ in range(abs(steps)):
                self._display.fake(BUTTON_PRESS, code)
                self._display.fake(BUTTON_RELEASE, code)

    # --- text -------------------------------------------------------------------------------

    def _type(self, text: str) -> None:
        """Type a text, whatever the layout, the user's fingers and Caps Lock are up to."""
        # Modifiers that we hold are lifted. Those of the user's keyboard cannot be, by anyone.
        mods_of = self._display.keymap().mods_of
        lifted = [code for kind, code in self._holders if kind == "key" and code in mods_of]
        for keycode in lifted:
            self._display.fake(KEY_RELEASE, keycode)
        state = self._without_shortcuts()
        if state is None:
            log.warning("not typed: Ctrl, Alt or Super is held down")
        else:
            self._type_under(state, list(keys.of_text(text)))
        for keycode in lifted:
            self._display.fake(KEY_PRESS, keycode)

    def _without_shortcuts(self) -> KeyboardState | None:
        """Return the state once no modifier of shortcuts is in force, or None if one stays."""
        patience_until_s = time.monotonic() + PATIENCE_S
        while (state := self._display.state(fresh=True)).mods & self._display.keymap().shortcuts:
            if time.monotonic() > patience_until_s:
                return None
            time.sleep(0.01)
        return state

    def _type_under(self, state: KeyboardState, typed: list[keys.Key]) -> None:
        if state.caps_lock:
            self._display.set_caps_lock(on=False)
        try:
            while typed:
                count = self._prepare(typed, state)
                self._tap(typed[:count], state)
                typed = typed[count:]
        finally:
            if state.caps_lock:
                self._display.set_caps_lock(on=True)

    def _prepare(self, typed: list[keys.Key], state: KeyboardState) -> int:
        """Lend keycodes to what the layout lacks, as far as they go; return how many keys."""
        keymap = self._display.keymap()
        room = max(1, self._lending.room)  # lending one more than there are raises
        borrowers: dict[str, None] = {}  # have a keycode lent, or need one
        wanting: dict[int, None] = {}
        count = 0
        for key in typed:
            stroke = keymap.stroke(keysyms_of(key), state.mods, state.group)
            if stroke is None or self._lending.lent(stroke.keycode):
                if key.name not in borrowers and len(borrowers) == room:
                    break
                borrowers[key.name] = None
            if stroke is None:
                wanting[key.keysym] = None
            count += 1
        self._lending.lend(wanting)
        return count

    def _tap(self, typed: list[keys.Key], state: KeyboardState) -> None:
        """Press and release keys one after another, in one go."""
        keymap = self._display.keymap()
        strokes: list[Stroke] = []
        for key in typed:
            stroke = keymap.stroke(keysyms_of(key), state.mods, state.group)
            if stroke is None:
                raise SinkError(f"the keyboard layout has no {key.name} and takes none lent")
            strokes.append(stroke)
        used = set(chain.from_iterable((stroke.keycode, *stroke.holding) for stroke in strokes))
        told = [f"key {keycode}" for keycode in used if not self._is_down(keycode)]
        self._guardian.hold(*told)
        group = state.group
        for stroke in strokes:
            wanted = state.group if stroke.group is None else stroke.group
            if wanted != group:
                self._display.set_group(wanted)
                group = wanted
            held = self._is_down(stroke.keycode)  # by a key of ours that a gesture holds
            if held:
                self._display.fake(KEY_RELEASE, stroke.keycode)
            for keycode in (*stroke.holding, stroke.keycode):
                self._display.fake(KEY_PRESS, keycode)
            for keycode in (stroke.keycode, *reversed(stroke.holding)):
                self._display.fake(KEY_RELEASE, keycode)
            if held:
                self._display.fake(KEY_PRESS, stroke.keycode)
            self._lending.lent(stroke.keycode)
        if group != state.group:
            self._display.set_group(state.group)
        self._freed += told
        self._flush()


def works(display: str | None = None) -> str | None:
    """Return None where the display takes our keys, else the reason and what to do."""
    try:
        XDisplay(display or os.environ.get("DISPLAY", "")).close()
    except SinkError as error:
        return str(error)
    return None


def _has_case(key: keys.Key) -> bool:
    return key.character is not None and key.character.lower() != key.character.upper()


def _limited(distance_px: int) -> int:
    return max(-MOVE_LIMIT_PX, min(MOVE_LIMIT_PX, distance_px))
