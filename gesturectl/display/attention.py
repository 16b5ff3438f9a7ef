r"""When to speak up: what needs somebody's attention is told once, and not again for a while.

    problem   ___/^^^^^^^^^^^^^^^\__/^^^^^^^\____
    told      ____________^_____________________      after PATIENCE_US of it, and once in REST_US

A camera that comes back within seconds is nothing to bother anybody with, nor is what they did
themselves: a pause, a sleep.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gesturectl.display.seeing import Told

PATIENCE_US: Final = 5_000_000
REST_US: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class State:
    """Since when there is a problem, whether it was told, and when something last was."""

    since_us: int | None = None
    told: bool = False
    told_us: int | None = None


def step(state: State, told: Told | None, t_us: int) -> tuple[State, str | None]:
    """Return what is to be told now, if anything."""
    problem = None if told is None else told.problem
    if problem is None:
        return replace(state, since_us=None, told=False), None
    if state.since_us is None:
        state = replace(state, since_us=t_us)
    due = due_us(state, told)
    if due is None or t_us < due:
        return state, None
    return replace(state, told=True, told_us=t_us), f"Gestures do nothing: {problem}"


def due_us(state: State, told: Told | None) -> int | None:
    """Return when something may have to be told, None for never."""
    if told is None or told.problem is None or state.told or state.since_us is None:
        return None
    rested_us = 0 if state.told_us is None else state.told_us + REST_US
    return max(state.since_us + PATIENCE_US, rested_us)
