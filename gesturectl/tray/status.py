"""What the tray shows of a run, and what it may ask of it.

    paused    the user wants no gesture to act       before all else: it is the user's own word
    camera off    no pictures come
    error     a profile was refused, the old one stays
    asleep    gestures wait for the one that wakes
    active    gestures act

The first that applies is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol


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
    `switches` is false where no mode can be chosen from outside.
    """

    state: State
    mode: str = "active"
    modes: tuple[str, ...] = ()
    profile: str | None = None
    profiles: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()
    problem: str | None = None
    switches: bool = True

    @property
    def words(self) -> str:
        """Say all that counts in one line, for tooltips and screen readers."""
        said = [f"gesturectl: {self.state}"]
        if self.state in NEEDS_ATTENTION and self.problem:
            said.append(self.problem)
        elif self.profile is not None:
            said.append(f"profile {self.profile}")
            if self.mode not in (self.state, "sleep"):
                said.append(f"mode {self.mode}")
        return " · ".join(said)


class Requests(Protocol):
    """What may be asked of a run from another thread. Nothing here waits or raises."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def mode(self, name: str) -> None: ...
    def profile(self, name: str) -> None: ...
    def reload(self) -> None: ...
    def quit(self) -> None: ...


def state_of(*, paused: bool, pictures: bool, problem: str | None, asleep: bool) -> State:
    """Return the first state that applies."""
    if paused:
        return State.paused
    if not pictures:
        return State.camera_off
    if problem is not None:
        return State.error
    return State.asleep if asleep else State.active
