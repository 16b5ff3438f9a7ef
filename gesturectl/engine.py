"""The pure core in one piece: an observation in, events and commands out.

Features, networks, decoder and bindings, without a clock, a camera or a keyboard: the daemon,
`replay` and the tests all step this very class.

With a listener, gestures of the user's own are heard as well. Where one of them and a shipped one
are seen at once, `arbiter` settles it: what the user has taught wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gesturectl import arbiter, bindings
from gesturectl.listener import Listener
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
    """A recogniser and the bindings of a profile; without a profile it only recognises.

    A `listener` hears the gestures that the user has taught.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        profile: Profile | None = None,
        listener: Listener | None = None,
    ) -> None:
        self._recogniser = recogniser
        self._profile = profile
        self._listener = listener
        self._rivals = arbiter.State()
        self._state = bindings.State() if profile is None else bindings.initial(profile)

    def step(self, observation: Observation) -> Step:
        """Take one frame's observation; times must grow (`ValueError` otherwise)."""
        events = self._recogniser.step(observation)
        candidates = self._recogniser.candidates
        if self._listener is not None:
            own, near = self._listener.step(observation), self._listener.near
            self._rivals, events = arbiter.step(self._rivals, observation.t_us, events, own, near)
            taught = {one.subject: one for one in self._listener.candidates if one.subject in near}
            others = (one for one in candidates if one.subject not in taught)
            candidates = (*taught.values(), *others)
        commands = self._play((*events, Tick(observation.t_us)))
        return Step(events, commands, candidates)

    def release(self, t_us: int) -> Step:
        """End all gestures and let go of everything: on pause, a stalled camera, exit."""
        commands: tuple[Command, ...] = ()
        if self._profile is not None:
            self._state, commands = bindings.release(self._profile, self._state, t_us)
        # The bindings do not hear these ends: a release must never set off a tap.
        ended = self._recogniser.reset(t_us)
        if self._listener is not None:
            own = self._listener.reset(t_us)
            self._rivals, ended = arbiter.release(self._rivals, ended, own)
        return Step(ended, commands, ())

    def _play(self, events: Iterable[GestureEvent]) -> tuple[Command, ...]:
        if self._profile is None:
            return ()
        commands: list[Command] = []
        for event in events:
            self._state, out = bindings.step(self._profile, self._state, event)
            commands += out
        return tuple(commands)
