"""The pure core in one piece: an observation in, events and commands out.

Features, networks, decoder and bindings, without a clock, a camera or a keyboard: the daemon,
`replay` and the tests all step this very class.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gesturectl import bindings
from gesturectl.recogniser import Candidate, Recogniser
from gesturectl.rules import Profile
from gesturectl.types import Began, Command, Ended, GestureEvent, Observation, Tick


@dataclass(frozen=True, slots=True)
class Step:
    """What one observation led to. `candidates` is for displays."""

    events: tuple[Began | Ended, ...]
    commands: tuple[Command, ...]
    candidates: tuple[Candidate, ...]


class Engine:
    """A recogniser and the bindings of a profile; without a profile it only recognises."""

    def __init__(self, recogniser: Recogniser, profile: Profile | None = None) -> None:
        self._recogniser = recogniser
        self._profile = profile
        self._state = bindings.State() if profile is None else bindings.initial(profile)

    def step(self, observation: Observation) -> Step:
        """Take one frame's observation; times must grow (`ValueError` otherwise)."""
        events = self._recogniser.step(observation)
        commands = self._play((*events, Tick(observation.t_us)))
        return Step(events, commands, self._recogniser.candidates)

    def release(self, t_us: int) -> Step:
        """End all gestures and let go of everything: on pause, a stalled camera, exit."""
        commands: tuple[Command, ...] = ()
        if self._profile is not None:
            self._state, commands = bindings.release(self._profile, self._state, t_us)
        # The bindings do not hear these ends: a release must never set off a tap.
        return Step(self._recogniser.reset(t_us), commands, ())

    def _play(self, events: Iterable[GestureEvent]) -> tuple[Command, ...]:
        if self._profile is None:
            return ()
        commands: list[Command] = []
        for event in events:
            self._state, out = bindings.step(self._profile, self._state, event)
            commands += out
        return tuple(commands)
