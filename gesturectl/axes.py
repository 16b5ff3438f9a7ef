"""A hand as a slider, a dial or a joystick: where it moves → steps of more and of less.

In:  Moved, while a gesture is shown.  Out: how many steps since the last frame, signed.

A slider has a place for every step, as a volume knob has detents: a hand that trembles between two
of them sets off neither. A joystick, which is what an axis with a `rate` is, steps on and on, the
faster the farther the hand is from where it began.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal, get_args

from pydantic import ConfigDict, Field

from gesturectl.fields import Kind, Surroundings, choice, wrong
from gesturectl.types import Moved

AxisName = Literal["horizontal", "vertical", "depth", "pinch", "roll"]

# A detent holds until the hand has come three quarters of the way to the next: landmarks at rest
# tremble by hundredths of a palm's width, and a hand that stops just there must not chatter.
LEAVES: Final = 0.75
MAX_STEPS: Final = 8  # at once; more is a jump of the landmarks, not of a hand

_STEP: Final = {"roll": 15.0}  # degrees; otherwise palm widths
_DEAD_ZONE: Final = {"roll": 8.0}
_REACH: Final = {"roll": 60.0}


def _size(text: str, _: Surroundings) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,4})?", text) or not 0 < float(text) <= 360:
        raise wrong(f"`{text}` is not a size above zero", "write a number like `0.25`")
    return float(text)


def _zone(text: str, around: Surroundings) -> float:
    return 0.0 if re.fullmatch(r"0(\.0{1,4})?", text) else _size(text, around)


_SIZE_SCHEMA: Final = {"type": "number", "exclusiveMinimum": 0, "maximum": 360}
Size = Annotated[float, Kind("a number like `0.25`", _size, _SIZE_SCHEMA)]
SizeOrNone = Annotated[
    float, Kind("a number like `0.25`", _zone, {"type": "number", "minimum": 0, "maximum": 360})
]


@dataclass(frozen=True, slots=True)
class Axis:
    """Which way the hand is followed, and how far a step is."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Axis")

    of: Annotated[
        Annotated[AxisName, choice("an axis", get_args(AxisName))],
        Field(
            description="`horizontal` (more to your right), `vertical` (more is up), `depth` (more "
            "is toward the camera), `pinch` (more is thumb and index finger apart) or `roll` (more "
            "is clockwise, as you see your hand)."
        ),
    ]
    step: Annotated[
        Size | None,
        Field(
            description="How far one step is: palm widths (default 0.25), or degrees of `roll` "
            "(default 15)."
        ),
    ] = None
    dead_zone: Annotated[
        SizeOrNone | None,
        Field(
            description="How far the hand may stray from where it began before the first step: "
            "palm widths (default 0.15), or degrees (default 8)."
        ),
    ] = None
    curve: Annotated[
        Size,
        Field(description="1 is even; 2 is finer near where the hand began and coarser beyond."),
    ] = 1.0
    rate: Annotated[
        Size | None,
        Field(
            description="Makes it a joystick: so many steps a second when the hand is `reach` "
            "away from where it began."
        ),
    ] = None
    reach: Annotated[
        Size | None,
        Field(
            description="How far away a joystick is at its full rate: palm widths (default 1.5), "
            "or degrees (default 60)."
        ),
    ] = None

    @property
    def step_size(self) -> float:
        """How far one step is, in palm widths or degrees."""
        return self.step or _STEP.get(self.of, 0.25)

    @property
    def dead_size(self) -> float:
        """How far the hand may stray before the first step."""
        return _DEAD_ZONE.get(self.of, 0.15) if self.dead_zone is None else self.dead_zone

    @property
    def reach_size(self) -> float:
        """How far a joystick is at its full rate: always beyond its dead zone."""
        return max(self.reach or _REACH.get(self.of, 1.5), self.dead_size * 1.01 + 1e-6)


@dataclass(frozen=True, slots=True)
class Sliding:
    """A hand being followed. `way` is how far it is from where it began, None before it was seen.

    `last` is its place in the last frame, `steps` the detent it is in, or the part of a step that
    a joystick has come.
    """

    way: float | None = None
    last: float = 0.0
    t_us: int = 0
    steps: float = 0.0


def step(axis: Axis, state: Sliding, event: Moved) -> tuple[Sliding, int]:
    """Take one frame's place of the hand; return how many steps to do, less than zero for less."""
    now = _along(axis.of, event)
    if not math.isfinite(now):
        return state, 0
    if state.way is None:
        return Sliding(0.0, now, event.t_us), 0
    moved = now - state.last
    if axis.of == "roll":  # past upside down, a turn of 350 degrees is one of -10
        moved = (moved + 180.0) % 360.0 - 180.0
    way = state.way + moved
    beyond = max(0.0, abs(way) - axis.dead_size)
    since_us, state = event.t_us - state.t_us, replace(state, way=way, last=now, t_us=event.t_us)
    if axis.rate is not None:
        part = min(1.0, beyond / (axis.reach_size - axis.dead_size)) ** axis.curve
        come = state.steps + math.copysign(axis.rate * part * since_us / 1e6, way)
        count = 0 if beyond == 0 else _bounded(math.trunc(come))
        return replace(state, steps=0.0 if beyond == 0 else come - math.trunc(come)), count
    place = math.copysign((beyond / axis.step_size) ** axis.curve, way)
    if abs(place - state.steps) < LEAVES:
        return state, 0
    count = _bounded(round(place - state.steps))
    return replace(state, steps=state.steps + count), count


def _bounded(count: int) -> int:
    return max(-MAX_STEPS, min(MAX_STEPS, count))


def _along(name: AxisName, event: Moved) -> float:
    match name:
        case "horizontal":
            return event.right
        case "vertical":
            return event.up
        case "depth":
            return event.near
        case "pinch":
            return event.pinch
        case "roll":
            return event.roll_deg
