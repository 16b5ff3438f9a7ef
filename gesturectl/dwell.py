"""Dwelling: a hand rests where it is.

In:  where a hand is in each frame, and how wide its palm.  Out: begins, ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from gesturectl.fields import Duration, Short, choice, duration_text, number
from gesturectl.places import (
    BEGINS,
    ENDS,
    HAND_PARTS,
    LOST_US,
    Changes,
    HandPart,
    Place,
    Seen,
)
from gesturectl.types import Side
from gesturectl.zones import LOOSER, STAY_US

# In palm widths; a hand held still for 0.8 s sways by 0.01 to 0.09 (21 of 23 recorded hands).
RESTS_WITHIN: Final = 0.3


@dataclass(frozen=True, slots=True)
class Dwell:
    """A hand that rests where it is."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Dwell")

    for_us: Annotated[
        Duration, Field(alias="for", description="Begin once the hand has rested so long.")
    ]
    radius: Annotated[
        Annotated[float, number("a radius", 0.05, 5)],
        Field(description="How far it may stray from where it rests, in palm widths."),
    ] = RESTS_WITHIN
    part: Annotated[
        Annotated[HandPart, choice("a part of a hand", HAND_PARTS)],
        Field(description="What of the hand must rest: its `palm` or its `index_tip`."),
    ] = "palm"

    @property
    def name(self) -> str:
        """The name of its event: `dwell:800ms`."""
        parts = [duration_text(self.for_us)]
        parts += [f"radius={self.radius:.9g}"] if self.radius != RESTS_WITHIN else []
        parts += [self.part] if self.part != "palm" else []
        return f"dwell:{','.join(parts)}"


DwellKind = Annotated[Dwell, Short("for")]
"""The value of `dwell`; the time alone will do."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A hand's rest: the middle of where it has been since `since_us`, in `frames` frames.

    `away_us` is since when it has been farther off than it may stray.
    """

    middle: Place
    since_us: int
    seen_us: int
    frames: int = 1
    away_us: int | None = None
    shown: bool = False


def step(
    config: Dwell, state: Rest | None, seen: Seen, side: Side, palm_width: float | None
) -> tuple[Rest | None, Changes]:
    r"""Begin when the hand has stayed within the radius, end when it moves on or is lost.
    `palm_width` is the steady width of the hand's palm, in heights of the image.

    away    ^^^\_____________/\______/^^^^^^^
    shown   _________/^^^^^^^^^^^^^^^^^\____
               1     2        3       4  5

    1) comes to rest   2) after `for`: begins   3) farther off for a moment: nothing
    4) moves on   5) after STAY_US: ends, and may rest anew
    """
    t = seen.t_us
    shown = state is not None and state.shown
    lost = state is not None and t - state.seen_us > LOST_US
    place = seen.hand_part(side, config.part)
    if place is None or palm_width is None:
        return (None, ENDS if shown else ()) if lost else (state, ())
    if state is None or lost:
        return Rest(place, t, t), ENDS if shown else ()
    right, down = place[0] - state.middle[0], place[1] - state.middle[1]
    if hypot(right, down) > config.radius * palm_width * (LOOSER if shown else 1.0):
        away_us = t if state.away_us is None else state.away_us
        if t - away_us >= STAY_US:
            return Rest(place, t, t), ENDS if shown else ()
        return replace(state, seen_us=t, away_us=away_us), ()
    frames = state.frames + 1
    middle = (state.middle[0] + right / frames, state.middle[1] + down / frames)
    begins = not shown and t - state.since_us >= config.for_us
    after = Rest(middle, state.since_us, t, frames, shown=shown or begins)
    return after, BEGINS if begins else ()


def progress(config: Dwell, state: Rest, t_us: int) -> float | None:
    """Return how long the hand has rested of the time that is asked for, 0..1, or None."""
    return None if state.shown else min(1.0, (t_us - state.since_us) / config.for_us)
