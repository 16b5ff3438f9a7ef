"""Keyboard and mouse of the kernel, by /dev/uinput: on every desktop, where it is allowed.

Three devices are made: a keyboard, a mouse, and a tablet for places. The desktop takes them for
real ones, a moment after they are opened. Keys that every PC has go by their own numbers. Which key
types a character is up to the user's layout, which the kernel does not know; it is read from the X
server, which on Wayland is XWayland. What the layout lacks, or what only another of several layouts
has, is refused: nobody here can lend a key.

The kernel lets go of what a device holds when its last descriptor closes, so also after SIGKILL. A
`Guardian` shares them, and lets go when the daemon hangs.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from types import TracebackType
from typing import Final, Self

from gesturectl import keys
from gesturectl.errors import GesturectlError, SinkError
from gesturectl.ledger import Ledger
from gesturectl.sinks import programs
from gesturectl.sinks.carry import Carry
from gesturectl.sinks.courier import Courier, check
from gesturectl.sinks.evdev import BUTTONS, KEYCODES
from gesturectl.sinks.guardian import HEARTBEAT_S, Guardian
from gesturectl.sinks.uinputdevice import (
    ABS_X,
    ABS_Y,
    EV_ABS,
    EV_KEY,
    EV_REL,
    KERNEL,
    REL_HWHEEL,
    REL_HWHEEL_HI_RES,
    REL_WHEEL,
    REL_WHEEL_HI_RES,
    REL_X,
    REL_Y,
    REPORT,
    Abilities,
    Device,
    Event,
    System,
)
from gesturectl.sinks.uinputlayout import Layout, XLayout
from gesturectl.sinks.xkeymap import Stroke
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

WHOLE: Final = 65535  # of the desktop, in places
CLICK: Final = 120  # what a click of a wheel counts in high resolution
# The kernel keeps 64 events for a desktop that is busy, and drops them all when there are more. A
# key typed under shift makes eight, so few go out at a time, with a pause in which they are read.
TYPED_AT_ONCE: Final = 6
PAUSE_S: Final = 0.004

KEYBOARD: Final = Abilities(keys=set(range(1, 116)) | set(range(117, 128)) | {*KEYCODES.values()})
MOUSE: Final = Abilities(
    keys=BUTTONS.values(),
    moves=(REL_X, REL_Y, REL_WHEEL, REL_HWHEEL, REL_WHEEL_HI_RES, REL_HWHEEL_HI_RES),
)
# With a button of a mouse, or udev would take it for a joystick.
TABLET: Final = Abilities(keys=BUTTONS.values(), places={ABS_X: (0, WHOLE), ABS_Y: (0, WHOLE)})


class UinputSink:
    """Sends commands through devices of its own in the kernel.

    `layout` knows the user's keyboard layout, by default from the X server; `system` is the kernel.
    `heartbeat_s` is how long a daemon that beats may be silent while keys are held before the
    guardian lets go of them. `courier` delivers messages; by default to this machine alone.

    Raises:
        SinkError: the kernel lets us make no devices; says which two commands help.
    """

    def __init__(
        self,
        *,
        layout: Layout | None = None,
        system: System = KERNEL,
        heartbeat_s: float = HEARTBEAT_S,
        courier: Courier | None = None,
    ) -> None:
        self._keyboard = Device("gesturectl keyboard", 1, KEYBOARD, system)
        made = [self._keyboard]
        try:
            self._mouse = Device("gesturectl mouse", 2, MOUSE, system)
            made.append(self._mouse)
            self._tablet = Device("gesturectl pointer", 3, TABLET, system)
        except SinkError:
            for device in made:
                device.close()
            raise
        held = (self._keyboard.fileno(), self._mouse.fileno())
        self._guardian = Guardian("uinput:" + ":".join(map(str, held)), heartbeat_s, shares=held)
        self._layout = layout or XLayout()
        self._ledger = Ledger()
        self._t_us = 0
        self._down: dict[str, Stroke] = {}  # key name → how it was pressed, the oldest first
        self._holders: Counter[int] = Counter()  # keycode → how many of our keys hold it
        self._travel_px = (Carry(), Carry())
        self._turn = {code: Carry() for code in MOUSE.moves}
        self._courier = courier or Courier()
        self._closed = False

    def send(self, command: Command) -> None:
        """Deliver one command.

        Raises:
            SinkError: the devices are gone, the layout has no such key, or a program is missing.
        """
        self._t_us = command.t_us
        if not self._ledger.note(command):
            return
        try:
            self._deliver(command)
        except GesturectlError:
            self._ledger.forget(command)
            raise

    def beat(self) -> None:
        """Say that the daemon lives; costs nothing while nothing is held."""
        if self._ledger.held:
            self._guardian.beat()

    def check_keys(self, names: frozenset[str]) -> dict[str, str]:
        """Return the keys that the user's layout cannot make, each with the reason."""
        problems = keys.unknown(names)
        for name in names - problems.keys():
            try:
                self._stroke(keys.lookup(name))
            except SinkError as error:
                problems[name] = str(error)
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
            for command in self._ledger.release(self._t_us):
                self._deliver(command)
            released = True
        except SinkError as error:
            log.warning("not released properly: %s", error)
        finally:
            self._guardian.close(clean=released)
            for device in (self._tablet, self._mouse, self._keyboard):
                device.close()
            self._layout.close()
            self._courier.close()

    # --- commands ---------------------------------------------------------------------------------

    def _deliver(self, command: Command) -> None:
        match command:
            case KeyDown():
                self._key_down(command.key)
            case KeyUp():
                self._key_up(command.key)
            case ButtonDown():
                code = BUTTONS[command.button]
                self._guardian.hold(f"button {code}")
                self._mouse.write((EV_KEY, code, 1), REPORT)
            case ButtonUp():
                code = BUTTONS[command.button]
                self._mouse.write((EV_KEY, code, 0), REPORT)
                self._guardian.free(f"button {code}")
            case MoveBy():
                x, y = self._travel_px
                self._report(
                    (EV_REL, REL_X, x.whole(command.dx_px)), (EV_REL, REL_Y, y.whole(command.dy_px))
                )
            case MoveTo():
                x_place, y_place = (min(max(part, 0.0), 1.0) for part in (command.x, command.y))
                self._tablet.write(
                    (EV_ABS, ABS_X, round(x_place * WHOLE)),
                    (EV_ABS, ABS_Y, round(y_place * WHOLE)),
                    REPORT,
                )
            case Scroll():
                self._scroll(REL_WHEEL, REL_WHEEL_HI_RES, -command.dy)  # up is positive there
                self._scroll(REL_HWHEEL, REL_HWHEEL_HI_RES, command.dx)
            case Text():
                self._type(command.text)
            case Run():
                programs.start(command.argv)
            case _:
                self._courier.send(command)

    def _report(self, *moves: Event) -> None:
        moved = [move for move in moves if move[2]]
        if moved:
            self._mouse.write(*moved, REPORT)

    def _scroll(self, clicks: int, fine: int, steps: float) -> None:
        """Turn a wheel in 120ths of a click, and tell whole clicks to whoever knows no parts."""
        self._report(
            (EV_REL, fine, self._turn[fine].whole(steps * CLICK)),
            (EV_REL, clicks, self._turn[clicks].whole(steps)),
        )

    def _stroke(self, key: keys.Key) -> Stroke:
        code = KEYCODES.get(key.name)
        return self._layout.stroke(key) if code is None else Stroke(code)

    def _key_down(self, name: str) -> None:
        stroke = self._stroke(keys.lookup(name))
        codes = (*stroke.holding, stroke.keycode)
        fresh = [code for code in codes if not self._holders[code]]
        self._guardian.hold(*(f"key {code}" for code in fresh))
        self._keyboard.write(*_pressed(fresh, 1))
        self._holders.update(codes)
        self._down[name] = stroke

    def _key_up(self, name: str) -> None:
        stroke = self._down.pop(name)
        codes = (stroke.keycode, *reversed(stroke.holding))
        last = [code for code in codes if self._holders[code] == 1]
        self._holders -= Counter(codes)  # none below 0: typing may have let it go
        self._keyboard.write(*_pressed(last, 0))
        self._guardian.free(*(f"key {code}" for code in last))

    def _type(self, text: str) -> None:
        """Type a text; what we hold meanwhile is lifted, and modifiers are put down again.

        Another key that is held stays up: pressed again it would type.
        """
        strokes = [self._stroke(key) for key in keys.of_text(text)]
        held = [code for code, holders in self._holders.items() if holders]
        modifiers = {
            self._down[name].keycode for name in self._down if keys.lookup(name).group == "modifier"
        }
        self._keyboard.write(*_pressed(held[::-1], 0))
        for start in range(0, len(strokes), TYPED_AT_ONCE):
            if start:
                time.sleep(PAUSE_S)
            for stroke in strokes[start : start + TYPED_AT_ONCE]:
                codes = (*stroke.holding, stroke.keycode)
                self._keyboard.write(*_pressed(codes, 1), *_pressed(codes[::-1], 0))
        self._keyboard.write(*_pressed([code for code in held if code in modifiers], 1))
        for code in set(held) - modifiers:
            del self._holders[code]
            self._guardian.free(f"key {code}")


def _pressed(codes: list[int] | tuple[int, ...], value: int) -> list[Event]:
    """Return the events of keys going down (1) or up (0), one report for each: order counts."""
    return [event for code in codes for event in ((EV_KEY, code, value), REPORT)]
