"""Play a profile: gesture events → commands. All that rival bindings settle is settled here.

In:  Began, Ended and Tick, in the order of time.  Out: commands, and the state for the next event.

Who is heard:  Of the bindings that fit a beginning and act at the same moment, the first in the
               file. It is heard to its end, by the hand or body that began it.
Who may act:   A binding rests for its cooldown after it has acted, and all together act at most
               `max_actions_per_second` times in any second. What is dropped is counted.
What is held:  Presses are counted, so that two bindings may hold one key: it goes down with the
               first and up with the last. What is held is let go without asking cooldown or rate.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gesturectl import actions, triggers
from gesturectl.rules import Binding, Profile
from gesturectl.triggers import Output, Outputs
from gesturectl.types import (
    Began,
    ButtonDown,
    ButtonUp,
    Command,
    Ended,
    GestureEvent,
    KeyDown,
    KeyUp,
    Subject,
    Tick,
)

SECOND_US: Final = 1_000_000

Live = tuple[int, Subject]  # the index of a binding, and the hand or body it listens to


@dataclass(frozen=True, slots=True)
class Playing:
    """A machine away from rest. `muted` while what it started was not allowed."""

    machine: Any
    muted: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What the past means for the next event. Nothing in it is ever changed in place.

    `acted_us` is when each binding last acted, `recent_us` the actions of the last second, `held`
    one entry for each press not yet let go (time 0), `dropped` how many actions the rate limit
    has kept back so far.
    """

    playing: Mapping[Live, Playing] = field(default_factory=dict)
    acted_us: Mapping[int, int] = field(default_factory=dict)
    recent_us: tuple[int, ...] = ()
    held: tuple[KeyUp | ButtonUp, ...] = ()
    dropped: int = 0


Step = tuple[State, tuple[Command, ...]]


def initial(profile: Profile) -> State:
    """Return the state in which nothing is shown and nothing is held."""
    return State()


def step(profile: Profile, state: State, event: GestureEvent) -> Step:
    """Advance by one event."""
    match event:
        case Began(gesture=gesture, side=side, confidence=confidence):
            fitting = [
                index
                for index in profile.by_gesture.get(gesture, ())
                if profile.bindings[index].matches(side, confidence)
            ]
            return _began(profile, state, event, fitting) if fitting else (state, ())
        case Ended(gesture=gesture, side=side):
            indices = profile.by_gesture.get(gesture, ())
            heard = [live for index in indices if (live := (index, side)) in state.playing]
        case Tick():
            heard = list(state.playing)
    if not heard:
        return state, ()
    turn = _Turn(profile, state, event)
    for live in heard:
        turn.do(live, turn.hear(live))
    return turn.done()


def release(profile: Profile, state: State, t_us: int) -> Step:
    """Let go of all that is held, newest first, and begin anew: on pause, reload, loss and exit."""
    ups = tuple(replace(up, t_us=t_us) for up in dict.fromkeys(reversed(state.held)))
    return initial(profile), ups


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a hold or a sequence has come, 0..1, for the display."""

    binding: Binding
    side: Subject
    fraction: float


def progress(profile: Profile, state: State, t_us: int) -> Iterator[Progress]:
    """Say what is under way."""
    for (index, side), playing in state.playing.items():
        binding = profile.bindings[index]
        trigger = binding.trigger
        fraction = trigger.spec.progress(trigger.config, playing.machine, t_us)
        if fraction is not None:
            yield Progress(binding, side, fraction)


# --- one turn -----------------------------------------------------------------------------------


def _began(profile: Profile, state: State, event: Began, fitting: list[int]) -> Step:
    """Give each moment to the first that fits; what gathers several beginnings hears every one."""
    turn = _Turn(profile, state, event)
    taken: set[Hashable] = set()
    for index in fitting:
        trigger, live = profile.bindings[index].trigger, (index, event.side)
        late = trigger.moment in taken
        if late and not trigger.spec.gathers:
            continue
        outputs = turn.hear(live)
        if outputs or not trigger.spec.gathers:
            taken.add(trigger.moment)
        turn.do(live, () if late else outputs)
    return turn.done()


class _Turn:
    """One event: works on a copy of the state, collects what is sent."""

    def __init__(self, profile: Profile, state: State, event: GestureEvent) -> None:
        self.profile = profile
        self.event = event
        self.playing = dict(state.playing)
        self.acted_us = dict(state.acted_us)
        self.recent_us = state.recent_us
        self.held = list(state.held)
        self.dropped = state.dropped
        self.sent: list[Command] = []

    def done(self) -> Step:
        held = tuple(self.held)
        state = State(self.playing, self.acted_us, self.recent_us, held, self.dropped)
        return state, tuple(self.sent)

    def hear(self, live: Live) -> Outputs:
        """Move one machine by the event; return what it asks for."""
        before = self.playing.get(live, _RESTING)
        trigger = self.profile.bindings[live[0]].trigger
        machine, outputs = triggers.step(trigger, before.machine, self.event)
        if machine is not before.machine:
            self.playing[live] = Playing(machine, before.muted)
        return outputs

    def do(self, live: Live, outputs: Outputs) -> None:
        """Do what a machine asks for, as far as that is allowed; forget it when it rests."""
        index, _ = live
        binding = self.profile.bindings[index]
        playing = self.playing.get(live, _RESTING)
        muted = playing.muted
        for output in outputs:
            if output in ("tap", "press"):
                muted = self.cools_down(index, binding) or not self.has_room()
            elif output == "again" and not muted and not self.has_room():
                continue
            if not muted:
                self.acted_us[index] = self.event.t_us
                self.send(_commands(binding, output, self.event.t_us))
        if playing.machine is None:
            self.playing.pop(live, None)
        elif muted is not playing.muted:
            self.playing[live] = replace(playing, muted=muted)

    def cools_down(self, index: int, binding: Binding) -> bool:
        acted_us = self.acted_us.get(index)
        return acted_us is not None and self.event.t_us - acted_us < binding.cooldown_us

    def has_room(self) -> bool:
        """Whether the rate limit lets one more action pass; notes it, or that it was dropped."""
        t_us = self.event.t_us
        recent_us = tuple(one for one in self.recent_us if t_us - one < SECOND_US)
        room = len(recent_us) < self.profile.safety.max_actions_per_second
        self.recent_us = (*recent_us, t_us) if room else recent_us
        self.dropped += not room
        return room

    def send(self, commands: Iterable[Command]) -> None:
        """Send all but presses of what is down already and releases of what another still holds."""
        for command in commands:
            match command:
                case KeyDown(key=key):
                    first = self.press(KeyUp(0, key))
                case ButtonDown(button=button):
                    first = self.press(ButtonUp(0, button))
                case KeyUp() | ButtonUp():
                    first = self.let_go(replace(command, t_us=0))
                case _:
                    first = True
            if first:
                self.sent.append(command)

    def press(self, up: KeyUp | ButtonUp) -> bool:
        """Count a press; return whether it is the first."""
        self.held.append(up)
        return self.held.count(up) == 1

    def let_go(self, up: KeyUp | ButtonUp) -> bool:
        """Count a release; return whether nothing holds it any more."""
        newest = len(self.held) - 1 - self.held[::-1].index(up)
        del self.held[newest]
        return up not in self.held


_RESTING: Final = Playing(None)


def _commands(binding: Binding, output: Output, t_us: int) -> tuple[Command, ...]:
    match output:
        case "press":
            return actions.press(binding.actions, t_us)
        case "release":
            return actions.release(binding.actions, t_us)
        case "tap" | "again":
            return actions.tap(binding.actions, t_us)
