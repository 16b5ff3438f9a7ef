"""What the tray shows of a run: from the rows that the daemon tells to one state.

    paused    the user wants no gesture to act, or has locked the screen
    camera off    no pictures come
    error     a profile was refused, the old one stays; or the pictures show nothing
    asleep    gestures wait for the one that wakes
    active    gestures act

The first that applies is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from gesturectl.rules import ACTIVE, SLEEP

RECENT: Final = 5  # gestures in the menu


class State(StrEnum):
    """What is seen at a glance."""

    active = "active"
    asleep = "asleep"
    paused = "paused"
    camera_off = "camera off"
    error = "error"


NEEDS_ATTENTION: Final = frozenset({State.camera_off, State.error})


@dataclass(frozen=True, slots=True)
class Status:
    """A run as the tray shows it.

    `modes` and `profiles` are what can be chosen, `recent` the last gestures, newest first.
    """

    state: State
    mode: str = ACTIVE
    modes: tuple[str, ...] = ()
    profile: str | None = None
    profiles: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def words(self) -> str:
        """Say all that counts in one line, for tooltips and screen readers."""
        said = [f"gesturectl: {self.state}"]
        if self.state in NEEDS_ATTENTION and self.problem:
            said.append(self.problem)
        elif self.profile is not None:
            said.append(f"profile {called(self.profile)}")
            if self.mode not in (ACTIVE, SLEEP):
                said.append(f"mode {self.mode}")
        return " · ".join(said)


@dataclass(frozen=True, slots=True)
class Known:
    """What the daemon has said of itself so far."""

    paused: bool = False
    locked: bool = False
    frames: bool = True
    problem: str | None = None
    refused: str | None = None
    profile: str | None = None
    mode: str = ACTIVE
    modes: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()


def heard(known: Known, row: Mapping[str, Any]) -> Known:
    """Take a row that a follower hears."""
    match row:
        case {"type": "state"}:
            return replace(
                known,
                paused=row["paused"],
                locked=row.get("locked", False),
                frames=row["frames"],
                problem=row["problem"],
                refused=row.get("refused"),
                profile=row["profile"],
                mode=row["mode"],
            )
        case {"type": "gesture", "phase": "began", "gesture": str(name), "side": str(side)}:
            return replace(known, recent=(said(name, side), *known.recent)[:RECENT])
    return known


def told(known: Known, status: Mapping[str, Any]) -> Known:
    """Take the answer to `status`, which followers are not told of when it changes."""
    recent = tuple(said(one["gesture"], one["side"]) for one in reversed(status["recent"]))
    return replace(known, modes=tuple(status["modes"]), recent=recent[:RECENT])


def said(gesture: str, side: str) -> str:
    """Return a gesture as the menu names it."""
    return f"{gesture} ({side})"


def status(known: Known, profiles: Iterable[str]) -> Status:
    """Return what is shown of what is known."""
    problem = known.refused or known.problem
    return Status(
        state_of(
            paused=known.paused or known.locked,
            pictures=known.frames,
            problem=problem,
            asleep=known.mode == SLEEP,
        ),
        known.mode,
        known.modes,
        known.profile,
        tuple(profiles),
        known.recent,
        problem if known.frames else known.problem,
    )


def called(profile: str) -> str:
    """Return how a profile is called, which may be given by its file."""
    return profile.replace("\\", "/").rpartition("/")[2]


def state_of(*, paused: bool, pictures: bool, problem: str | None, asleep: bool) -> State:
    """Return the first state that applies."""
    if paused:
        return State.paused
    if not pictures:
        return State.camera_off
    if problem is not None:
        return State.error
    return State.asleep if asleep else State.active
