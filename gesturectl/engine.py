"""The pure core in one piece: an observation in, events and commands out.

    recogniser, listener → arbiter → senses → bindings → pointer

Without a clock, a camera or a keyboard: the daemon, `replay` and the tests all step this very
class. With a listener, gestures of the user's own are heard as well. Where one of them and a
shipped one are seen at once, `arbiter` settles it: what the user has taught wins. Senses turn what
is seen into the zones, angles, repetitions and movements that a profile asks for, and the pointer
follows the hand that a binding lets it follow. What costs time runs only where a profile needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from gesturectl import arbiter, bindings, pointer
from gesturectl.actions import Action
from gesturectl.listener import Listener
from gesturectl.people import Box
from gesturectl.recogniser import Candidate, Recogniser
from gesturectl.rules import ACTIVE, SLEEP, Profile
from gesturectl.senses import Senses
from gesturectl.types import (
    Began,
    Button,
    ButtonDown,
    ButtonUp,
    Command,
    Ended,
    Entered,
    GestureEvent,
    HandOver,
    Left,
    Notice,
    Observation,
    Point,
    Stages,
    Subject,
    Tick,
    UseProfile,
    UserInput,
    Window,
)


@dataclass(frozen=True, slots=True, eq=False)
class InControl:
    """Who controls, where several people may: a person's number and place, None for nobody.

    `people` are in view. `observation` is all that counts: what the frame shows of this person.
    """

    person: int | None
    box: Box | None
    people: int
    observation: Observation


Mark = Callable[[], None]
"""Called once in a step, when all gestures are recognised and bindings are to be played.

So whoever has a clock can tell the time of one from that of the other; here there is none.
"""


def unmarked() -> None:
    """Mark nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one observation led to. `candidates` and `control` are for displays.

    `requests` are for the daemon: a mode that counts from now on, another profile to go on with,
    another person who controls. `stages` are added by who has a clock, for who is told of it.
    """

    events: tuple[Began | Ended, ...]
    commands: tuple[Command, ...]
    candidates: tuple[Candidate, ...]
    requests: tuple[Notice, ...] = ()
    control: InControl | None = None
    stages: Stages | None = None


class Core(Protocol):
    """What the daemon plays: an `Engine`, or a `floor.Floor` where several people may control."""

    @property
    def mode(self) -> str: ...

    @property
    def state(self) -> bindings.State: ...

    def take_over(self, before: Core) -> None: ...

    def foresee(self, observations: Sequence[Observation]) -> None: ...

    def step(
        self,
        observation: Observation,
        outside: tuple[Window | UserInput, ...] = (),
        recognised: Mark = unmarked,
    ) -> Step: ...

    def hear(self, outside: tuple[Window | UserInput, ...]) -> Step: ...

    def progress(self, t_us: int) -> Iterator[tuple[str, Subject, float]]: ...

    def pointing(self, t_us: int) -> pointer.Shown | None: ...

    def enter(self, mode: str, t_us: int) -> Step: ...

    def perform(self, done: tuple[Action, ...], t_us: int) -> Step: ...

    def release(self, t_us: int) -> Step: ...


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
        if profile is not None:
            profile.prepare()
        self._senses: Senses | None = None
        if profile is not None and (profile.cues or profile.follows):
            self._senses = Senses(profile.cues, profile.zones, moved=profile.follows)
        self._settings: pointer.Settings | None = None
        if profile is not None and profile.points:
            self._settings = profile.pointer
        self._pointer = pointer.State()
        self._refused: set[Button] = set()  # clicked beyond the rate limit, and not yet up

    def take_over(self, before: Core) -> None:
        """Go on in the mode, and before the window, of the engine whose place this one takes."""
        if self._profile is not None:
            self._state = bindings.carried(self._profile, before.state)

    @property
    def mode(self) -> str:
        """The mode of the profile that counts."""
        return self._state.mode if self._profile is not None else ACTIVE

    @property
    def state(self) -> bindings.State:
        """What the bindings remember, for displays."""
        return self._state

    def progress(self, t_us: int) -> Iterator[tuple[str, Subject, float]]:
        """Say how far holds, sequences and cues have come, 0..1, for displays."""
        if self._profile is not None:
            for one in bindings.progress(self._profile, self._state, t_us):
                yield " → ".join(one.binding.gestures), one.side, one.fraction
        if self._senses is not None:
            for sensed in self._senses.progress:
                yield sensed.cue.name, sensed.side, sensed.fraction

    def pointing(self, t_us: int) -> pointer.Shown | None:
        """Return what a display shows of the pointer; None where the profile moves none."""
        if self._settings is None:
            return None
        return pointer.shown(self._settings, self._pointer, t_us)

    def foresee(self, observations: Sequence[Observation]) -> None:
        """Look at the next frames of a recording at once: `Recogniser.foresee`."""
        self._recogniser.foresee(observations)

    def step(
        self,
        observation: Observation,
        outside: tuple[Window | UserInput, ...] = (),
        recognised: Mark = unmarked,
    ) -> Step:
        """Take one frame's observation, and what happened on the desktop since the last one.

        Times must grow (`ValueError` otherwise).
        """
        events = self._recogniser.step(observation)
        candidates = self._recogniser.candidates
        if self._listener is not None:
            own, near = self._listener.step(observation), self._listener.near
            self._rivals, events = arbiter.step(self._rivals, observation.t_us, events, own, near)
            taught = {one.subject: one for one in self._listener.candidates if one.subject in near}
            others = (one for one in candidates if one.subject not in taught)
            candidates = (*taught.values(), *others)
        if self._senses is None:
            sensed: tuple[GestureEvent, ...] = ()
        else:
            sensed = self._senses.step(observation, events)
        recognised()
        tick, quiet_us = Tick(observation.t_us), self._state.quiet_us
        commands, points, requests = _sorted(self._play((*outside, *events, *sensed, tick)))
        if self._settings is not None:
            # A drag outlives the gesture that points, which a pinch ends; nobody's drag outlives
            # the real mouse, panic or sleep.
            if self._state.quiet_us != quiet_us or Entered(tick.t_us, SLEEP) in requests:
                self._pointer, ups = pointer.release(self._pointer, tick.t_us)
                commands += self._limited(ups)
            self._pointer, moves = pointer.step(
                self._settings, self._pointer, observation, tuple(points)
            )
            commands += self._limited(moves)
        derived = (one for one in sensed if isinstance(one, Began | Ended))
        return Step((*events, *derived), tuple(commands), candidates, tuple(requests))

    def hear(self, outside: tuple[Window | UserInput, ...]) -> Step:
        """Take in what happened on the desktop while no frames count: paused, locked, stalled.

        The window in front is known when they count again, and panic is heard at once. Other real
        keys and mice do nothing: there is nothing that could give way to them.
        """
        panic = frozenset[str]() if self._profile is None else self._profile.panic_keys
        heard = [one for one in outside if isinstance(one, Window) or (panic and panic <= one.keys)]
        commands, _, requests = _sorted(self._play(heard))
        return Step((), tuple(commands), (), tuple(requests))

    def enter(self, mode: str, t_us: int) -> Step:
        """Go to a mode of the profile without a gesture; without a profile there is only one."""
        if self._profile is None:
            return Step((), (), ())
        self._state, sent = bindings.enter(self._profile, self._state, mode, t_us)
        return self._sent(sent)

    def perform(self, done: tuple[Action, ...], t_us: int) -> Step:
        """Do once what no gesture has asked for; nothing where the rate limit has no room."""
        if self._profile is None:
            return Step((), (), ())
        self._state, sent = bindings.perform(self._profile, self._state, done, t_us)
        return self._sent(sent)

    def _sent(self, sent: tuple[bindings.Sent, ...]) -> Step:
        commands, _, requests = _sorted(sent)
        return Step((), tuple(commands), (), tuple(requests))

    def release(self, t_us: int) -> Step:
        """End all gestures and let go of everything: on pause, a stalled camera, exit."""
        commands: list[Command] = []
        if self._profile is not None:
            self._state, sent = bindings.release(self._profile, self._state, t_us)
            commands, _, _ = _sorted(sent)
        if self._settings is not None:
            self._pointer, ups = pointer.release(self._pointer, t_us)
            commands += self._limited(ups)
        # The bindings do not hear these ends: a release must never set off a tap.
        ended = self._recogniser.reset(t_us)
        if self._listener is not None:
            own = self._listener.reset(t_us)
            self._rivals, ended = arbiter.release(self._rivals, ended, own)
        if self._senses is not None:
            ended = (*ended, *self._senses.reset(t_us))
        return Step(ended, tuple(commands), ())

    def _limited(self, made: Iterable[Command]) -> Iterator[Command]:
        """Yield what the pointer does, but no clicks beyond the rate limit, nor their releases.

        What one frame clicks is one action: a double click, where that is chosen.
        """
        admitted: bool | None = None
        for one in made:
            if isinstance(one, ButtonDown):
                if admitted is None and self._profile is not None:
                    self._state, admitted = bindings.admit(self._profile, self._state, one.t_us)
                if not admitted:
                    self._refused.add(one.button)
                    continue
            elif isinstance(one, ButtonUp) and one.button in self._refused:
                self._refused.remove(one.button)
                continue
            yield one

    def _play(self, events: Iterable[GestureEvent]) -> Iterator[bindings.Sent]:
        if self._profile is None:
            return
        for event in events:
            self._state, sent = bindings.step(self._profile, self._state, event)
            yield from sent


def _sorted(
    sent: Iterable[bindings.Sent],
) -> tuple[list[Command], list[Point], list[Notice]]:
    """Sort what bindings send by who it is for: sinks, the pointer, the daemon."""
    commands: list[Command] = []
    points: list[Point] = []
    requests: list[Notice] = []
    for one in sent:
        match one:
            case Point():
                points.append(one)
            case Entered() | UseProfile() | HandOver():
                requests.append(one)
            case Left():
                pass
            case _:
                commands.append(one)
    return commands, points, requests
