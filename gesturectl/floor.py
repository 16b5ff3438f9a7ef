"""Several people before one camera: one has the floor, and an engine of their own plays it.

    Observation → people → controller → what is seen of one person → Engine → Step

Of everybody else nothing reaches recogniser, listener, senses, bindings or pointer. There is one
exception: while the profile sleeps, an engine listens to each of the others, and nothing of it is
sent; who wakes the profile takes over, with the engine that heard it.

    awake   A controls, B is ignored; A gone, or A hands over: B may be chosen (`controller`)
    asleep  A and B are heard, each alone; who wakes it controls from then on
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from gesturectl import bindings, controller, people, pointer
from gesturectl.actions import Action
from gesturectl.controller import FIRST_ARMED, Control
from gesturectl.engine import Core, Engine, InControl, Mark, Step, unmarked
from gesturectl.people import Crowd, Person
from gesturectl.rules import SLEEP
from gesturectl.types import Controls, HandOver, Observation, Subject, UserInput, Window
from gesturectl.zones import Zone

NOTHING = Step((), (), ())


class Floor:
    """An engine where several people may control. `make` gives an engine for one person."""

    def __init__(
        self, make: Callable[[], Engine], settings: Control, zones: Mapping[str, Zone]
    ) -> None:
        self._make = make
        self._settings = settings
        self._zone = zones.get(settings.zone or "")
        self._one = make()
        self._others: dict[int, Engine] = {}
        self._crowd = Crowd()
        self._state = controller.State()
        self._here: tuple[Person, ...] = ()
        self._aspect = 4 / 3
        self._sleep_unless_woken()

    @property
    def mode(self) -> str:
        """The mode of the profile that counts."""
        return self._one.mode

    @property
    def state(self) -> bindings.State:
        """What the bindings remember, for displays."""
        return self._one.state

    def progress(self, t_us: int) -> Iterator[tuple[str, Subject, float]]:
        """Say how far holds, sequences and cues of who controls have come."""
        return self._one.progress(t_us)

    def pointing(self, t_us: int) -> pointer.Shown | None:
        """Return what a display shows of the pointer of who controls."""
        return self._one.pointing(t_us)

    def take_over(self, before: Core) -> None:
        """Go on in the mode and before the window of another, and with the person in control."""
        self._one.take_over(before)
        if isinstance(before, Floor):
            self._crowd, self._state = before._crowd, before._state
        self._sleep_unless_woken()

    def foresee(self, observations: Sequence[Observation]) -> None:
        """Foresee nothing: who a frame is about is known when those before it have been played."""

    def step(
        self,
        observation: Observation,
        outside: tuple[Window | UserInput, ...] = (),
        recognised: Mark = unmarked,
    ) -> Step:
        """Take one frame's observation of everybody; play what it shows of who controls.

        Times must grow (`ValueError` otherwise). While asleep, all that is heard of others comes
        after the mark.
        """
        t_us, settings = observation.t_us, self._settings
        width, height = observation.size_px
        self._aspect = width / height
        self._crowd, present = people.step(self._crowd, observation, settings.gone_us)
        self._here = tuple(
            one
            for one in present
            if controller.may(settings, self._zone, self._state, one, self._aspect)
        )
        before, asleep = self._state.person, self.mode == SLEEP
        self._state = controller.step(settings, self._state, self._here, t_us, self._aspect)
        left = self._leave(t_us) if before not in (None, self._state.person) else NOTHING
        seen = people.only(observation, self._in_control())
        step = self._one.step(seen, outside, recognised)
        if HandOver in map(type, step.requests):
            step = _joined(step, self._hand_over(t_us))
        elif asleep and self.mode == SLEEP:
            step = _joined(step, self._hear_others(observation, outside))
        else:
            self._others.clear()
        step = self._told(_joined(left, step), before, t_us)
        holder = self._in_control()
        box = holder.box if holder is not None else None
        seen = people.only(observation, holder)
        return replace(step, control=InControl(self._state.person, box, len(present), seen))

    def hear(self, outside: tuple[Window | UserInput, ...]) -> Step:
        """Take in what happened on the desktop while no frames count."""
        for other in self._others.values():
            other.hear(outside)
        return self._one.hear(outside)

    def enter(self, mode: str, t_us: int) -> Step:
        """Go to a mode of the profile without a gesture."""
        return self._one.enter(mode, t_us)

    def perform(self, done: tuple[Action, ...], t_us: int) -> Step:
        """Do once what no gesture has asked for."""
        before = self._state.person
        step = self._one.perform(done, t_us)
        if HandOver in map(type, step.requests):
            step = _joined(step, self._hand_over(t_us))
        return self._told(step, before, t_us)

    def release(self, t_us: int) -> Step:
        """End all gestures and let go of everything: on pause, a stalled camera, exit."""
        self._others.clear()
        return self._one.release(t_us)

    def _in_control(self) -> Person | None:
        return next((one for one in self._here if one.number == self._state.person), None)

    def _leave(self, t_us: int) -> Step:
        """Let go of what the one before has begun; sleep where nobody else may follow unasked."""
        released = self._one.release(t_us)
        if self._settings.by == FIRST_ARMED and self._state.person is None:
            released = _joined(released, self._one.enter(SLEEP, t_us))
        return released

    def _hand_over(self, t_us: int) -> Step:
        before = self._state
        self._state = controller.hand_over(self._settings, before, self._here, t_us, self._aspect)
        return self._leave(t_us) if self._state.person != before.person else NOTHING

    def _hear_others(
        self, observation: Observation, outside: tuple[Window | UserInput, ...]
    ) -> Step:
        """Listen to everybody who does not control; who wakes the profile takes over."""
        known = {one.number for one in self._crowd.tracks}
        self._others = {number: one for number, one in self._others.items() if number in known}
        for person in self._here:
            if person.number == self._state.person:
                continue
            if person.number not in self._others:
                self._others[person.number] = self._make()
                self._others[person.number].take_over(self._one)
            engine = self._others[person.number]
            step = engine.step(people.only(observation, person), outside)
            if engine.mode != SLEEP:
                released = self._one.release(observation.t_us)
                self._one, self._others = engine, {}
                self._state = controller.State(person.number, observation.t_us)
                return _joined(released, step)
        return NOTHING

    def _told(self, step: Step, before: int | None, t_us: int) -> Step:
        if self._state.person == before:
            return step
        return replace(step, requests=(*step.requests, Controls(t_us, self._state.person)))

    def _sleep_unless_woken(self) -> None:
        if self._settings.by == FIRST_ARMED and self._state.person is None:
            self._one.enter(SLEEP, 0)


def _joined(one: Step, other: Step) -> Step:
    """Return two steps of the same frame as one."""
    return Step(
        (*one.events, *other.events),
        (*one.commands, *other.commands),
        other.candidates or one.candidates,
        (*one.requests, *other.requests),
    )
