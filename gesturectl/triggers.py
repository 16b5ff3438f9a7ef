"""When a binding acts: pure machines from what is shown to when to press and when to let go.

In:  Began, Ended and Tick of one binding's gestures, by one hand or body; Moved where it follows.
Out: `tap` (press and let go at once), `press`, `release`, `again` (a tap that belongs to the one
     before it), `more` and `less` (a step along an axis).

Each machine is one function `step(config, state, event) -> (state, outputs)`. A state of None is
rest: only machines away from rest hear the ticks. A gesture whose hand is lost arrives as Ended.
`TRIGGERS` holds them all; parser, hints, schema and reference page read that table. The docstring
of each machine draws its cases in time, numbered as its tests are:

    B began   E ended   | the time asked for has passed   ^ acts
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from gesturectl.axes import Axis, Sliding
from gesturectl.axes import step as steps_along
from gesturectl.fields import Duration, Short, Yes
from gesturectl.types import Began, Ended, GestureEvent, Moved

Output = Literal["tap", "press", "release", "again", "more", "less"]
Outputs = tuple[Output, ...]

TAP: Final[Outputs] = ("tap",)
PRESS: Final[Outputs] = ("press",)
RELEASE: Final[Outputs] = ("release",)
AGAIN: Final[Outputs] = ("again",)
MORE: Final[Outputs] = ("more",)
LESS: Final[Outputs] = ("less",)


@dataclass(frozen=True, slots=True)
class Since:
    """A gesture has been shown since `since_us`; `done` when there is nothing more to wait for."""

    since_us: int
    done: bool = False


# --- tap ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tap:
    """Act once.

    With `before_us`, wait whether the gesture ends sooner: a longer one is a hold. With `alone_us`,
    wait that long whether another beginning follows: a second one by this hand is a `double`, one
    by the other hand a `chord`.
    """

    before_us: int | None = None
    alone_us: int | None = None


def step_tap(config: Tap, state: Since | None, event: GestureEvent) -> tuple[Since | None, Outputs]:
    """Act when the gesture begins, or when it is clear that nothing else was meant.

    1) B^             alone: acts on B
    2) B----E^   |    beside a hold_for: acts on E, if E comes before its time
    3) B---------|-E  beside a hold_for: nothing, the hold has acted
    4) B--E--|^       beside a double or a chord: acts at |
    5) B--E-B|        beside a double: nothing, the double has acted
    """
    if state is None:
        if not isinstance(event, Began):
            return None, ()
        waits = config.before_us is not None or config.alone_us is not None
        return (Since(event.t_us), ()) if waits else (None, TAP)
    shown_us = event.t_us - state.since_us
    match event:
        case Began() if config.alone_us is not None:
            return None, ()
        case Ended() if not state.done:
            if config.before_us is not None and shown_us >= config.before_us:
                return None, ()
            state = Since(state.since_us, done=True)
    ended = config.before_us is None or state.done
    alone = config.alone_us is None or shown_us >= config.alone_us
    return (None, TAP) if ended and alone else (state, ())


# --- double -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Double:
    """Act when the gesture begins twice within `within_us`."""

    within_us: int


def step_double(
    config: Double, state: Since | None, event: GestureEvent
) -> tuple[Since | None, Outputs]:
    """Act on the second beginning.

    1) B-E-B^-E |    acts on the second B
    2) B-E------|-B  nothing; the second may be the first of two
    3) B-E-B^-E-B    the third is a first again
    """
    match state, event:
        case Since(), Began() if event.t_us - state.since_us <= config.within_us:
            return None, TAP
        case _, Began():
            return Since(event.t_us), ()
        case Since(), _ if event.t_us - state.since_us > config.within_us:
            return None, ()
        case _:
            return state, ()


# --- hold_for -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HoldFor:
    """Act once the gesture has been shown for `hold_us`."""

    hold_us: int


def step_hold_for(
    config: HoldFor, state: Since | None, event: GestureEvent
) -> tuple[Since | None, Outputs]:
    """Act when the gesture has lasted.

    1) B----|^---E   acts at |, once
    2) B--E |        nothing
    3) B---  |E      no frame between | and E: nothing, it was last seen before |
    """
    match state, event:
        case None, Began():
            return Since(event.t_us), ()
        case Since(), Ended():
            return None, ()
        case Since(done=False), _ if event.t_us - state.since_us >= config.hold_us:
            return Since(state.since_us, done=True), TAP
        case _:
            return state, ()


# --- while --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class While:
    """Press when the gesture begins, let go when it ends."""


def step_while(
    config: While, state: Since | None, event: GestureEvent
) -> tuple[Since | None, Outputs]:
    """Press on begin, release on end.

    1) B^-----E^     presses on B, lets go on E
    2) B^--B--E^     one press, one release
    """
    match state, event:
        case None, Began():
            return Since(event.t_us), PRESS
        case Since(), Ended():
            return None, RELEASE
        case _:
            return state, ()


# --- release ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Release:
    """Act when the gesture ends."""


def step_release(
    config: Release, state: Since | None, event: GestureEvent
) -> tuple[Since | None, Outputs]:
    """Act on the end.

    1) B------E^     acts on E, also when the hand is lost
    2) E             nothing: it had not begun here
    """
    match state, event:
        case None, Began():
            return Since(event.t_us), ()
        case Since(), Ended():
            return None, TAP
        case _:
            return state, ()


# --- toggle -------------------------------------------------------------------------------------


TREMBLES_US: Final = 400_000  # nobody switches on and off again in less; poses flicker faster


@dataclass(frozen=True, slots=True)
class Toggle:
    """Press when the gesture begins, let go when it begins again."""


def step_toggle(
    config: Toggle, state: Since | None, event: GestureEvent
) -> tuple[Since | None, Outputs]:
    """Press and let go in turn.

    1) B^-E----B^-E  presses on the first B, lets go on the second
    2) B^-E----      stays down, whoever comes and goes, until the binding is left behind
    3) B^-EB-E       nothing more: a second beginning so soon is a pose that trembles
    """
    match state, event:
        case None, Began():
            return Since(event.t_us), PRESS
        case Since(), Began() if event.t_us - state.since_us >= TREMBLES_US:
            return None, RELEASE
        case _:
            return state, ()


# --- repeat -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Repeat:
    """Act at once, again after `after_us`, and then every `every_us` while the gesture lasts.

    With `to_us` the repetitions come faster: evenly, until they are that short after `over_us`.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", title="Repeat")

    every_us: Annotated[
        Duration, Field(alias="every", description="Time from one repetition to the next.")
    ]
    after_us: Annotated[
        Duration | None,
        Field(alias="after", description="Time before the first repetition; `every` if left out."),
    ] = None
    to_us: Annotated[
        Duration | None,
        Field(alias="to", description="What the time between repetitions shrinks or grows to."),
    ] = None
    over_us: Annotated[
        Duration, Field(alias="over", description="How long it takes from `every` to `to`.")
    ] = 2_000_000

    def interval_us(self, shown_us: int) -> int:
        """Return the time between repetitions when the gesture has been shown for so long."""
        if self.to_us is None:
            return self.every_us
        part = min(1.0, shown_us / self.over_us)
        return round(self.every_us + part * (self.to_us - self.every_us))


@dataclass(frozen=True, slots=True)
class Repeating:
    """Shown since `since_us`; the next repetition is due at `due_us`."""

    since_us: int
    due_us: int


def step_repeat(
    config: Repeat, state: Repeating | None, event: GestureEvent
) -> tuple[Repeating | None, Outputs]:
    """Act as a key that repeats.

    1) B^----|^--|^--|^-E      on B, after `after`, then each `every`, until E
    2) B^--E |                 once
    3) B^----|  .  .  .^-|^-E  no frames for a while: one repetition, and the rhythm is kept
    4) B^----|^--|^-|^|^|^-E   with `to`: faster and faster
    """
    match state, event:
        case None, Began():
            after_us = config.every_us if config.after_us is None else config.after_us
            return Repeating(event.t_us, event.t_us + after_us), TAP
        case Repeating(), Ended():
            return None, ()
        case Repeating(), _ if event.t_us >= state.due_us:
            every_us = config.interval_us(event.t_us - state.since_us)
            passed = (event.t_us - state.due_us) // every_us
            return Repeating(state.since_us, state.due_us + (passed + 1) * every_us), AGAIN
        case _:
            return state, ()


# --- axis ---------------------------------------------------------------------------------------


def step_axis(
    config: Axis, state: Sliding | None, event: GestureEvent
) -> tuple[Sliding | None, Outputs]:
    """Act on each step that the hand moves along the axis, from where the gesture began.

    1) B--->^-->^--E         `more` at each step up, right, nearer, apart or clockwise
    2) B--->^--<^--E         and `less` on the way back
    3) B->-<-E               within the dead zone: nothing
    """
    match state, event:
        case None, Began():
            return Sliding(), ()
        case Sliding(), Ended():
            return None, ()
        case Sliding(), Moved():
            state, count = steps_along(config, state, event)
            return state, MORE * count if count > 0 else LESS * -count
        case _:
            return state, ()


# --- sequence -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sequence:
    """Act when `gestures` have begun one after the other, first to last within `within_us`."""

    gestures: tuple[str, ...]
    within_us: int


@dataclass(frozen=True, slots=True)
class Lately:
    """The gestures of the sequence that began lately, each with its time, oldest first."""

    began: tuple[tuple[str, int], ...]


def step_sequence(
    config: Sequence, state: Lately | None, event: GestureEvent
) -> tuple[Lately | None, Outputs]:
    """Act when the last beginnings are the sequence, whatever came before them.

    1) A--B^   |      acts on B
    2) A-------|-B    nothing
    3) A--A--B^  |    the later A counts
    4) B--A--B^       what came before does no harm
    5) A--B^--B       begins anew after acting: the second B does nothing
    """
    began = state.began if state else ()
    if isinstance(event, Began):
        began = (*began, (event.gesture, event.t_us))[-len(config.gestures) :]
    began = tuple(one for one in began if event.t_us - one[1] <= config.within_us)
    if isinstance(event, Began) and tuple(name for name, _ in began) == config.gestures:
        return None, TAP
    return (Lately(began) if began else None), ()


# --- the table ----------------------------------------------------------------------------------


def _began_moment(config: Any) -> Hashable:
    return "began"


def _no_progress(config: Any, state: Any, t_us: int) -> float | None:
    return None


def _hold_progress(config: HoldFor, state: Since | None, t_us: int) -> float | None:
    return min(1.0, (t_us - state.since_us) / config.hold_us) if state else None


def _sequence_progress(config: Sequence, state: Lately | None, t_us: int) -> float | None:
    """Return how much of the sequence the latest beginnings are: the longest prefix they end in."""
    names = tuple(name for name, _ in state.began) if state else ()
    for length in range(len(names), 0, -1):
        if names[-length:] == config.gestures[:length]:
            return length / len(config.gestures)
    return None


@dataclass(frozen=True, slots=True)
class TriggerSpec:
    """One row: how a trigger is written, what it means, and its machine.

    `key` is the binding's key that asks for it, `kind` the pydantic type of that key's value and
    `build(value, gestures)` gives the machine's config. `example` is a whole binding. Rival
    bindings of one gesture act at the same `moment(config)`: only the first of them is heard.
    `progress` is 0..1 for the display.
    """

    key: str
    kind: Any
    build: Callable[[Any, tuple[str, ...]], Any]
    step: Callable[[Any, Any, GestureEvent], tuple[Any, Outputs]]
    says: str
    example: str
    motions: bool = False  # whether a motion, which begins and ends at once, can set it off
    holds: bool = False  # whether it presses and lets go at different times
    shared: bool = False  # whether one machine hears all hands, so that one ends what another began
    follows: bool = False  # whether it follows the hand and has steps to do, `more` and `less`
    gathers: bool = False  # whether it acts on several beginnings, so that it must hear them all
    moment: Callable[[Any], Hashable] = _began_moment
    progress: Callable[[Any, Any, int], float | None] = _no_progress


TRIGGERS: Final[dict[str, TriggerSpec]] = {
    "tap": TriggerSpec(
        key="tap",
        kind=Yes,
        build=lambda value, gestures: Tap(),
        step=step_tap,
        says="Act once, when the gesture begins. This is what happens when no trigger is given. "
        "Where the same gesture also has a `hold_for`, the tap waits for the end of the gesture "
        "and acts if that comes before the hold; where it also has a `double` or is part of a "
        "`chord`, it waits that long whether the other beginning comes.",
        example="{gesture: thumb_up, tap: true, do: {media: play_pause}}",
        motions=True,
    ),
    "hold_for": TriggerSpec(
        key="hold_for",
        kind=Duration,
        build=lambda value, gestures: HoldFor(value),
        step=step_hold_for,
        says="Act once the gesture has been shown for this long without a break.",
        example="{gesture: fist, hold_for: 800ms, do: {key: Escape}}",
        moment=lambda config: ("held", config.hold_us),
        progress=_hold_progress,
    ),
    "double": TriggerSpec(
        key="double",
        kind=Duration,
        build=lambda value, gestures: Double(value),
        step=step_double,
        says="Act when the gesture begins a second time within this time.",
        example="{gesture: fist, double: 600ms, do: {key: Escape}}",
        motions=True,
        moment=lambda config: "double",
    ),
    "release": TriggerSpec(
        key="release",
        kind=Yes,
        build=lambda value, gestures: Release(),
        step=step_release,
        says="Act when the gesture ends, or when the hand is lost.",
        example="{gesture: fist, release: true, do: {key: b}}",
        moment=lambda config: "released",
    ),
    "repeat": TriggerSpec(
        key="repeat",
        kind=Annotated[Repeat, Short("every")],
        build=lambda value, gestures: value,
        step=step_repeat,
        says="Act when the gesture begins, and again and again while it is shown, as a key that "
        "is held down repeats; with `to`, faster and faster.",
        example="{gesture: thumb_up, repeat: {after: 500ms, every: 120ms}, do: {key: Up}}",
    ),
    "while": TriggerSpec(
        key="while",
        kind=Yes,
        build=lambda value, gestures: While(),
        step=step_while,
        says="Press when the gesture begins and let go when it ends, or when the hand is lost.",
        example="{gesture: pinch, while: true, do: {button: left}}",
        holds=True,
    ),
    "toggle": TriggerSpec(
        key="toggle",
        kind=Yes,
        build=lambda value, gestures: Toggle(),
        step=step_toggle,
        says="Press when the gesture begins, by either hand, and let go when it begins again. What "
        "is held is also let go when the mode or the application changes to one without this "
        "binding.",
        example="{gesture: victory, toggle: true, do: {key: shift}}",
        motions=True,
        holds=True,
        shared=True,
    ),
    "axis": TriggerSpec(
        key="axis",
        kind=Annotated[Axis, Short("of")],
        build=lambda value, gestures: value,
        step=step_axis,
        says="Follow the hand along an axis while the gesture is shown, and do `more` or `less` "
        "at each step, in place of `do`: a slider, or with `of: roll` a dial.",
        example="{gesture: pinch, axis: vertical, more: {media: volume_up}, "
        "less: {media: volume_down}}",
        moment=lambda config: ("axis", config.of),
        follows=True,
    ),
    "sequence": TriggerSpec(
        key="within",
        kind=Duration,
        build=lambda value, gestures: Sequence(gestures, value),
        step=step_sequence,
        says="Act when several gestures begin one after the other by the same hand or body, from "
        "the first to the last within this time. `gesture` is the list of them.",
        example="{gesture: [fist, open_palm], within: 900ms, do: {key: F5}}",
        motions=True,
        gathers=True,
        progress=_sequence_progress,
    ),
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """A row of the table with its settings: when one binding acts."""

    name: str
    config: Any

    @property
    def spec(self) -> TriggerSpec:
        """The row of the table."""
        return TRIGGERS[self.name]

    @property
    def moment(self) -> Hashable:
        """When it acts; rivals act at the same moment."""
        return self.spec.moment(self.config)


def step(trigger: Trigger, state: Any, event: GestureEvent) -> tuple[Any, Outputs]:
    """Advance one machine by one event."""
    return TRIGGERS[trigger.name].step(trigger.config, state, event)
