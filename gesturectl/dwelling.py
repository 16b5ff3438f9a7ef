"""Click by resting: for those who can point but not pinch.

In:  where the pointer is.  Out: what is done there.

Resting once clicks. Resting on, in the same place, chooses what the *next* rest does: a double
click, a right click, a drag, and the left click again, with which it ends; so somebody who only
reads finds everything as it was. Every countdown can be shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot
from typing import Final, Literal, get_args

Choice = Literal["left", "double", "right", "drag"]
CHOICES: Final[tuple[Choice, ...]] = get_args(Choice)
Deed = Choice | Literal["choose"]

# Choosing counts down slower than clicking: it must be possible to see a choice and to leave.
CHOOSING: Final = 1.5


@dataclass(frozen=True, slots=True)
class Dwell:
    """What the past means for the next frame.

    The pointer has been near (x, y) since `since_us`, None while nothing is counted down. `moved`
    says that it has gone there since the last click. `turns` counts the choices made here.
    """

    x: float = 0.0
    y: float = 0.0
    since_us: int | None = None
    moved: bool = False
    turns: int = 0


def next_choice(choice: Choice) -> Choice:
    """Return the one that follows."""
    return CHOICES[(CHOICES.index(choice) + 1) % len(CHOICES)]


def step(
    state: Dwell, t_us: int, x: float, y: float, *, after_us: int, radius: float, chooses: bool
) -> tuple[Dwell, Literal["click", "choose"] | None]:
    """Take where the pointer is.

    M moved farther than the radius   | `after_us` passed   : half as long again passed   ^ acts

    1) M---|^                     click
    2) M---|^----:^----:^----:^----:^----------   click, then four choices, then nothing
    3) M--M---|^                  moved on: counted from anew
    4) ------------               never moved: nothing
    """
    if state.since_us is None:
        return replace(state, x=x, y=y, since_us=t_us), None
    if hypot(x - state.x, y - state.y) > radius:
        return Dwell(x, y, t_us, moved=True), None
    lasts_us = _lasts_us(state, after_us, chooses)
    if lasts_us is None or t_us - state.since_us < lasts_us:
        return state, None
    if state.moved:
        return replace(state, since_us=t_us, moved=False, turns=len(CHOICES)), "click"
    return replace(state, since_us=t_us, turns=state.turns - 1), "choose"


def progress(state: Dwell, t_us: int, *, after_us: int, chooses: bool) -> float:
    """Return how far the countdown has come, 0..1; 0 where nothing is counted."""
    lasts_us = _lasts_us(state, after_us, chooses)
    if state.since_us is None or not lasts_us:
        return 0.0
    return min(max((t_us - state.since_us) / lasts_us, 0.0), 1.0)


def _lasts_us(state: Dwell, after_us: int, chooses: bool) -> int | None:
    """Return how long the countdown is, or None when there is none."""
    if not after_us:
        return None
    if state.moved:
        return after_us
    return round(CHOOSING * after_us) if chooses and state.turns else None
