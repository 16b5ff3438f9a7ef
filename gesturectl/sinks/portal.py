"""Keyboard and mouse of GNOME, KDE and whoever else has the desktop portal's RemoteDesktop.

The user agrees once, in a dialog of the desktop; `portalsession` keeps the session. Here commands
become its calls: keys that every PC has by the kernel's numbers, characters by keysyms, for which
the desktop finds a key in the user's own layout. While there is no session, commands are dropped:
what was meant for a window before the screen was locked is not for the one after.

The portal knows places only in a picture of the screen, which we do not ask to see. So a place is
followed as a movement from the place before it, and the edges put right what the two disagree on.
"""

from __future__ import annotations

import logging
from collections import Counter
from types import TracebackType
from typing import Final, Self

from gesturectl import keys
from gesturectl.errors import GesturectlError
from gesturectl.ledger import Ledger
from gesturectl.pointer import MONITOR_PX
from gesturectl.sinks import programs
from gesturectl.sinks.courier import Courier, Message, check
from gesturectl.sinks.evdev import BUTTONS, KEYCODES, KEYPAD
from gesturectl.sinks.guardian import HEARTBEAT_S
from gesturectl.sinks.portalsession import (
    KEYBOARD,
    POINTER,
    Call,
    Patience,
    Portal,
    token_file,
)
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

MOVE_LIMIT_PX: Final = 32767
STEP_PX: Final = 10.0  # what one click of a wheel counts among smooth turns, as mutter has it
VERTICAL, HORIZONTAL = 0, 1
FOLLOWED: Final = (
    "the pointer follows a hand by movements, since the portal takes no places without seeing the "
    "screen: where `reach: absolute` leads it may be off, until it has touched the edges"
)

Stroke = tuple[str, int]  # the call, and the keycode or keysym it names


class PortalSink:
    """Sends commands through the portal on the session's D-Bus.

    Opening it waits for the user to agree, where the desktop has to ask. `heartbeat_s` is how long
    a daemon that beats may be silent before what it holds is let go. `courier` delivers messages;
    by default to this machine alone.

    Raises:
        SinkError: no portal lends keyboard or mouse, or the user does not agree.
    """

    def __init__(
        self,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        patience: Patience | None = None,
        courier: Courier | None = None,
    ) -> None:
        self._portal = Portal(token_file(), heartbeat_s, patience)
        self._portal.open()
        self._session = self._portal.live
        self._ledger = Ledger()
        self._t_us = 0
        self._down: dict[str, Stroke] = {}  # key name → how it was pressed, the oldest first
        self._holders: Counter[Stroke] = Counter()  # how many of our keys hold it
        self._at: tuple[float, float] | None = None  # where the last MoveTo led
        self._courier = courier or Courier()
        self._told: set[str] = set()

    def send(self, command: Command) -> None:
        """Deliver one command; while the desktop takes none, drop it.

        Raises:
            SinkError: a program is missing.
        """
        self._t_us = command.t_us
        match command:
            case Run():
                programs.start(command.argv)
            case _ if isinstance(command, Message):
                self._courier.send(command)
            case _ if self._is_live():
                self._deliver(command)
            case KeyUp() | ButtonUp():
                pass  # up already: the desktop let go when it ended the session
            case _:
                self._portal.drop()

    def beat(self) -> None:
        """Say that the daemon lives."""
        self._portal.beat()

    def check_keys(self, names: frozenset[str]) -> dict[str, str]:
        """Return the keys that are none, or all where the user lends us no keyboard."""
        problems = keys.unknown(names)
        if not self._portal.devices & KEYBOARD and self._is_live():
            reason = "the desktop was allowed to lend gesturectl the mouse only; start it again"
            problems |= dict.fromkeys(names - problems.keys(), reason)
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
        if self._is_live():
            for command in self._ledger.release(self._t_us):
                self._post(command)
        self._portal.close()
        self._courier.close()

    # --- commands ---------------------------------------------------------------------------------

    def _is_live(self) -> bool:
        """Whether there is a session; what was held in another one is forgotten."""
        live = self._portal.live
        if live != self._session:
            self._session = live
            self._ledger = Ledger()
            self._down.clear()
            self._holders.clear()
            self._at = None
        return live != 0

    def _deliver(self, command: Command) -> None:
        if not self._ledger.note(command):
            return
        try:
            self._post(command)
        except GesturectlError:
            self._ledger.forget(command)
            raise

    def _post(self, command: Command) -> None:
        calls = self._calls(command)
        if calls:
            self._portal.post(self._session, calls)

    def _calls(self, command: Command) -> list[Call]:
        needed = KEYBOARD if isinstance(command, KeyDown | KeyUp | Text) else POINTER
        if not self._portal.devices & needed:
            return []  # which of the two the user allows was told when the session began
        match command:
            case KeyDown():
                return self._key_down(command.key)
            case KeyUp():
                return self._key_up(command.key)
            case ButtonDown():
                return [_button(command.button, down=True)]
            case ButtonUp():
                return [_button(command.button, down=False)]
            case MoveBy():
                return [_motion(command.dx_px, command.dy_px)]
            case MoveTo():
                return self._move_to(command.x, command.y)
            case Scroll():
                return _scroll(command.dx, command.dy)
            case Text():
                return self._typing(command.text)
            case _:
                return []

    def _key_down(self, name: str) -> list[Call]:
        stroke = self._down[name] = stroke_of(keys.lookup(name))
        self._holders[stroke] += 1
        return [_key(stroke, down=True)] if self._holders[stroke] == 1 else []

    def _key_up(self, name: str) -> list[Call]:
        stroke = self._down.pop(name)
        was = self._holders[stroke]
        self._holders -= Counter((stroke,))  # none below 0: typing may have let it go
        return [_key(stroke, down=False)] if was == 1 else []

    def _typing(self, text: str) -> list[Call]:
        """Type a text with the modifiers that we hold lifted, and put down again after it.

        Another key that is held is let go to be typed and stays up: pressed again it would type.
        """
        held = [
            stroke
            for name, stroke in self._down.items()
            if keys.lookup(name).group == "modifier" and self._holders[stroke]
        ]
        calls = [_key(stroke, down=False) for stroke in reversed(held)]
        for key in keys.of_text(text):
            stroke = stroke_of(key)
            if self._holders.pop(stroke, 0):
                calls.append(_key(stroke, down=False))
            calls += (_key(stroke, down=True), _key(stroke, down=False))
        return calls + [_key(stroke, down=True) for stroke in held]

    def _move_to(self, x: float, y: float) -> list[Call]:
        """Move by as much as the place has moved; at an edge by more, so that it is reached."""
        if FOLLOWED not in self._told:
            self._told.add(FOLLOWED)
            log.warning("%s", FOLLOWED)
        x, y = min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
        last = self._at or (x, y)
        self._at = (x, y)
        by = [
            _travel_px(now, before, across)
            for now, before, across in zip((x, y), last, MONITOR_PX, strict=True)
        ]
        return [_motion(*by)] if any(by) else []


def _travel_px(now: float, before: float, across_px: float) -> float:
    edge = {0.0: -across_px, 1.0: across_px}.get(now, 0.0)
    return edge if edge and now != before else (now - before) * across_px


def stroke_of(key: keys.Key) -> Stroke:
    """Return how the portal is told of a key: by its place on a PC's keyboard, or by its keysym."""
    code = KEYCODES.get(key.name)
    if code is None or key.name in KEYPAD:  # whose digits would depend on Num Lock
        return "KeyboardKeysym", key.keysym
    return "KeyboardKeycode", code


def _key(stroke: Stroke, *, down: bool) -> Call:
    member, code = stroke
    return Call(member, "iu", (code, int(down)))


def _button(name: str, *, down: bool) -> Call:
    return Call("PointerButton", "iu", (BUTTONS[name], int(down)))


def _motion(dx_px: float, dy_px: float) -> Call:
    dx, dy = (max(-MOVE_LIMIT_PX, min(MOVE_LIMIT_PX, by)) for by in (dx_px, dy_px))
    return Call("PointerMotion", "dd", (float(dx), float(dy)))


def _scroll(dx: float, dy: float) -> list[Call]:
    """Turn by clicks where they are whole, else smoothly: programs heed only one of the two."""
    calls: list[Call] = []
    for axis, steps in ((VERTICAL, dy), (HORIZONTAL, dx)):
        if not steps:
            continue
        if steps == int(steps):
            calls.append(Call("PointerAxisDiscrete", "ui", (axis, int(steps))))
        else:
            turn = steps * STEP_PX
            calls.append(
                Call("PointerAxis", "dd", (0.0, turn) if axis == VERTICAL else (turn, 0.0))
            )
    return calls
