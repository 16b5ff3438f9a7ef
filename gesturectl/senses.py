"""What else a binding can listen to: zones, angles, repetitions, presence, dwelling, both hands.

In:  each frame's Observation, and the gestures that began and ended with it.
Out: Began and Ended of every cue asked for, and Moved of the hands where movement is followed.

A cue begins and ends as a gesture does, under a name of its own without spaces (`zone:mouth`), so
that every trigger works with every cue: a zone that is held is a button, one that is released is
left. `CUES` holds them all; parser, hints, schema and reference page read that table.

Each cue is a pure machine `step(value, state, glimpse) -> (state, changes)`, one state for each
hand or body that can give it. A state of None is rest. Time is that of the frames alone. What is
out of sight for no longer than `LOST_US` has not gone; what is longer ends its cues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import CoreSchema, core_schema

from gesturectl import dwell, presence, reps
from gesturectl.catalog import Gesture
from gesturectl.chords import ChordText
from gesturectl.dwell import Dwell, DwellKind, Rest
from gesturectl.fields import Kind, Surroundings, advise, wrong
from gesturectl.joints import JOINTS, Goniometer
from gesturectl.movement import Palms, moved
from gesturectl.places import BEGINS, ENDS, Changes, Seen
from gesturectl.presence import PresenceKind
from gesturectl.reps import Counting, Degrees, JointName, Reps, RepsKind, Slack, degrees_text
from gesturectl.types import Began, Ended, Moved, Needs, Observation, Subject
from gesturectl.zones import Visit, Zone, ZoneName, step_visit

ONCE: Final[Changes] = ("begins", "ends")  # a motion

HANDS: Final[tuple[Subject, ...]] = ("left", "right")
BODY: Final[tuple[Subject, ...]] = ("body",)

Zones = Mapping[str, Zone]


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a cue may look at: one frame, its gesture events, and what is measured over time."""

    seen: Seen
    subject: Subject
    events: tuple[Began | Ended, ...]
    zones: Zones
    angles: Goniometer
    palms: Palms

    @property
    def t_us(self) -> int:
        """When."""
        return self.seen.t_us

    def angle(self, joint: str) -> float | None:
        """Return the steady angle of a joint of this hand or body."""
        return self.angles.read(joint, self.subject)


# --- zone ---------------------------------------------------------------------------------------


def step_zone(name: str, state: Visit | None, glimpse: Glimpse) -> tuple[Visit | None, Changes]:
    """Begin when the part has come to stay, end when it has left; drawn at `zones.step_visit`."""
    after = step_visit(glimpse.zones[name], state, glimpse.seen, glimpse.subject)
    was, now = state is not None and state.shown, after is not None and after.shown
    return after, () if was == now else BEGINS if now else ENDS


# --- angle --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Angle:
    """A joint that is bent beyond a threshold, or between two."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Angle")

    joint: Annotated[JointName, Field(description="The joint.")]
    below_deg: Annotated[
        Degrees | None,
        Field(alias="below", description="It begins when the angle is less than this."),
    ] = None
    above_deg: Annotated[
        Degrees | None,
        Field(alias="above", description="It begins when the angle is more than this."),
    ] = None
    hysteresis_deg: Annotated[
        Slack,
        Field(
            alias="hysteresis",
            description="It ends when the angle is this far beyond what it began at.",
        ),
    ] = reps.HYSTERESIS_DEG

    @property
    def name(self) -> str:
        """The name of its event: `angle:right_elbow<60`."""
        bounds = reps.bounds_text(self.joint, self.below_deg, self.above_deg)
        if self.hysteresis_deg != reps.HYSTERESIS_DEG:
            bounds += f",hysteresis={degrees_text(self.hysteresis_deg)}"
        return f"angle:{bounds}"


def _bounded(angle: Angle) -> Angle:
    reps.check_bounds(angle.below_deg, angle.above_deg)
    return angle


@dataclass(frozen=True, slots=True)
class Shown:
    """It is so now; nothing else need be known."""


def step_angle(
    config: Angle, state: Shown | None, glimpse: Glimpse
) -> tuple[Shown | None, Changes]:
    r"""Begin beyond the threshold, end on this side of it by the hysteresis.

    angle        ---\              /--
    threshold        \1           /        1) begins   2) not yet   3) ends
    + hysteresis      \__________/2 3      4) the joint is lost for longer than LOST_US: ends
    """
    angle = glimpse.angle(config.joint)
    slack = config.hysteresis_deg if state else 0.0
    is_so = angle is not None and reps.within(angle, config.below_deg, config.above_deg, slack)
    if is_so == (state is not None):
        return state, ()
    return (Shown(), BEGINS) if is_so else (None, ENDS)


# --- reps ---------------------------------------------------------------------------------------


def step_reps(
    config: Reps, state: Counting | None, glimpse: Glimpse
) -> tuple[Counting | None, Changes]:
    """Begin and end at once with each repetition asked for; drawn in `reps`."""
    state = state or Counting()
    if config.angle is not None:
        state, acts = reps.step_angle(config, state, glimpse.t_us, glimpse.angle)
        return state, ONCE if acts else ()
    acted: Changes = ()
    mine = [one for one in glimpse.events if _is(one, config.gesture, glimpse.subject)]
    for event in mine or (None,):
        heard = reps.Heard(
            begins=isinstance(event, Began),
            ends=isinstance(event, Ended),
            here=glimpse.seen.shows(glimpse.subject),
        )
        state, acts = reps.step_gesture(config, state, glimpse.t_us, heard, glimpse.angle)
        acted += ONCE if acts else ()
    return state, acted


def _is(event: Began | Ended, gesture: str | None, subject: Subject) -> bool:
    return event.gesture == gesture and event.side == subject


def _reps_progress(config: Reps, state: Counting, glimpse: Glimpse) -> float | None:
    angle = glimpse.angle(config.angle.joint) if config.angle else None
    return reps.progress(config, state, angle)


def _reps_subjects(config: Reps, zones: Zones) -> tuple[Subject, ...]:
    if config.angle is None:
        return (*HANDS, *BODY)
    return BODY if JOINTS[config.angle.joint].of == "body" else HANDS


# --- dwell --------------------------------------------------------------------------------------


def step_dwell(config: Dwell, state: Rest | None, glimpse: Glimpse) -> tuple[Rest | None, Changes]:
    """Begin when the hand has come to rest, end when it moves on; drawn at `dwell.step`."""
    side = glimpse.subject
    if side == "body":
        return None, ()
    return dwell.step(config, state, glimpse.seen, side, glimpse.palms.width(side))


# --- chord --------------------------------------------------------------------------------------


def _hand_pose(text: str, around: Surroundings) -> str:
    poses = [one.name for one in around.gestures.values() if _is_hand_pose(one)]
    if text not in around.gestures:
        raise wrong(f"unknown gesture `{text}`", advise(text, poses))
    if text not in poses:
        raise wrong(f"`{text}` is no pose that a hand can hold", f"one of: {', '.join(poses)}")
    return text


def _is_hand_pose(gesture: Gesture) -> bool:
    return gesture.kind == "pose" and "hand" in gesture.seen_by


HandPose = Annotated[
    str, Kind("the name of a hand's pose", _hand_pose, {"type": "string", "format": "gesture"})
]


@dataclass(frozen=True, slots=True)
class Chord:
    r"""A pose of the left hand and one of the right, held at once.

    left    __/^^^^^^^^^^\___
    right   _____/^^^\_/^^^^\_     1) one alone: nothing   2) both: begins   3) one lets go: ends
    shown   _____/^^^\_/^\____     4) takes it up again: begins again
              1  2   3 4
    """

    __pydantic_config__ = ConfigDict(extra="forbid", title="Chord")

    left: Annotated[HandPose, Field(description="The pose of the left hand.")]
    right: Annotated[HandPose, Field(description="The pose of the right hand.")]

    @property
    def name(self) -> str:
        """The name of its event: `chord:left=fist,right=open_palm`."""
        return f"chord:left={self.left},right={self.right}"


class _OrBoth:
    """A chord that may be written as the one pose that both hands hold."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def spread(value: object) -> object:
            return {"left": value, "right": value} if isinstance(value, str) else value

        return core_schema.no_info_before_validator_function(spread, handler(source))

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        long = handler(core)
        return {"anyOf": [handler.resolve_ref_schema(long)["properties"]["left"], long]}


# --- the table ----------------------------------------------------------------------------------


def _none(value: Any) -> tuple[str, ...]:
    return ()


def _no_progress(value: Any, state: Any, glimpse: Glimpse) -> float | None:
    return None


def _forgotten(state: Any) -> Any:
    return None


def _of_joints(joints: Iterable[str]) -> Needs:
    whose = {JOINTS[joint].of for joint in joints}
    return Needs(int("hand" in whose), int("body" in whose))


CueMachine = Callable[[Any, Any, Glimpse], tuple[Any, Changes]]


@dataclass(frozen=True, slots=True)
class CueSpec:
    """One row: how a cue is written, what it is called, and its machine.

    Its key in the table is the binding's key that asks for it. `kind` is the pydantic type of that
    key's value, `name(value)` the name of its events, `example` a whole binding. `step` is None for
    what `bindings` hears by itself: a chord, which takes its hands' own events away, and real keys.
    What `lasts` can be held; the others begin and end at once. `subjects` are the hands or bodies
    that can give it, `needs` what must be looked for (one hand, until a binding names a side),
    `gestures` those that must be heard and `joints` those that must be measured. `progress` is 0..1
    for the display. `keep(state)` is what remains after a reset.
    """

    kind: Any
    name: Callable[[Any], str]
    step: CueMachine | None
    subjects: Callable[[Any, Zones], tuple[Subject, ...]]
    needs: Callable[[Any, Zones], Needs]
    says: str
    example: str
    lasts: bool = True
    gestures: Callable[[Any], tuple[str, ...]] = _none
    joints: Callable[[Any], tuple[str, ...]] = _none
    progress: Callable[[Any, Any, Glimpse], float | None] = _no_progress
    keep: Callable[[Any], Any] = _forgotten


CUES: Final[Mapping[str, CueSpec]] = MappingProxyType(
    {
        "zone": CueSpec(
            kind=ZoneName,
            name=lambda value: f"zone:{value}",
            step=step_zone,
            subjects=lambda value, zones: HANDS if zones[value].by_hand else BODY,
            needs=lambda value, zones: zones[value].needs,
            says="A hand, or a part of the body, is in a region of the picture or around a part "
            "of the body. Regions are named under `zones`. It begins once the hand has come to "
            "stay and ends once it has left: with `hold_for` it is a button, with `release` it "
            "acts on leaving.",
            example="{zone: mouth, hold_for: 500ms, do: {media: mute}}",
        ),
        "angle": CueSpec(
            kind=Annotated[Angle, AfterValidator(_bounded)],
            name=lambda value: value.name,
            step=step_angle,
            subjects=lambda value, zones: BODY if JOINTS[value.joint].of == "body" else HANDS,
            needs=lambda value, zones: _of_joints([value.joint]),
            says="A joint is bent `below` an angle in degrees, or is `above` one, or both: "
            "between two. It ends when the joint is back by the `hysteresis`.",
            example="{angle: {joint: right_elbow, below: 60}, while: true, do: {key: ctrl}}",
            joints=lambda value: (value.joint,),
        ),
        "reps": CueSpec(
            kind=RepsKind,
            name=lambda value: value.name,
            step=step_reps,
            subjects=_reps_subjects,
            needs=lambda value, zones: _of_joints(value.joints),
            says="A repetition has been done: of a joint that goes `from` one angle `to` another "
            "and back, or of a gesture that is shown and let go. What time it takes, how long it "
            "is held at the turning point and what other joints keep meanwhile can be asked for; "
            "`form: bad` acts on those that fall short of it.",
            example="{reps: {angle: {joint: left_knee, from: 150, to: 100}}, do: {key: Space}}",
            lasts=False,
            gestures=lambda value: (value.gesture,) if value.gesture else (),
            joints=lambda value: value.joints,
            progress=_reps_progress,
            keep=lambda state: replace(state, ready=False, under=None),
        ),
        "presence": CueSpec(
            kind=PresenceKind,
            name=lambda value: value.name,
            step=lambda value, state, glimpse: presence.step(value, state, glimpse.seen),
            subjects=lambda value, zones: BODY,
            needs=lambda value, zones: Needs(0, 1),
            says="Somebody is there. It begins when a person arrives and ends when nobody is left: "
            "with `release` it acts on leaving. `returns: true` begins only for who comes back. "
            "Where `landmarks` names hands alone, a hand is a person.",
            example="{presence: true, release: true, do: {media: play_pause}}",
            progress=lambda value, state, glimpse: presence.progress(value, state, glimpse.t_us),
            keep=presence.kept,
        ),
        "dwell": CueSpec(
            kind=DwellKind,
            name=lambda value: value.name,
            step=step_dwell,
            subjects=lambda value, zones: HANDS,
            needs=lambda value, zones: Needs(1, 0),
            says="A hand rests where it is for this long. It ends when the hand moves on.",
            example="{dwell: 800ms, do: {click: left}}",
            progress=lambda value, state, glimpse: dwell.progress(value, state, glimpse.t_us),
        ),
        "chord": CueSpec(
            kind=Annotated[Chord, _OrBoth()],
            name=lambda value: value.name,
            step=None,
            subjects=lambda value, zones: BODY,
            needs=lambda value, zones: Needs(2, 0),
            says="Both hands hold a pose at once: the same one, or `left` and `right` each its "
            "own. It begins with the later of them and ends with the first that lets go. What "
            "completes a chord is not heard by that hand's own bindings, and those of the other "
            "that were under way are let go.",
            example="{chord: {left: fist, right: open_palm}, do: {key: F5}}",
            gestures=lambda value: tuple(dict.fromkeys((value.left, value.right))),
        ),
        "pressed": CueSpec(
            kind=ChordText,
            name=lambda value: f"pressed:{'+'.join(value)}",
            step=None,
            subjects=lambda value, zones: BODY,
            needs=lambda value, zones: Needs(0, 0),
            says="Keys of the real keyboard are down together, whatever else they do. They are "
            "heard also while `takeback` rests. Where gesturectl cannot watch the keyboard, it "
            "says so.",
            example="{pressed: ctrl+alt+g, do: {mode: sleep}}",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Cue:
    """A row of the table with its value: what one binding listens to."""

    key: str
    value: Any

    @property
    def spec(self) -> CueSpec:
        """The row of the table."""
        return CUES[self.key]

    @property
    def name(self) -> str:
        """The name of its events."""
        return self.spec.name(self.value)


# --- all of them, frame by frame ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a cue has come toward its beginning, 0..1, for the display."""

    cue: Cue
    side: Subject
    fraction: float


@dataclass(slots=True)
class _Watch:
    """One cue by one hand or body: its machine's state, and whether it has begun."""

    cue: Cue
    machine: CueMachine
    name: str
    subject: Subject
    state: Any = None
    begun: bool = False


class Senses:
    """The cues a profile asks for, and `moved` whether it follows hands. What is not asked for
    costs nothing."""

    def __init__(
        self,
        cues: Iterable[Cue] = (),
        zones: Zones = MappingProxyType({}),
        *,
        moved: bool = False,
    ) -> None:
        cues = tuple(dict.fromkeys(cues))
        self._zones = zones
        self._moved = moved
        self._watches = [
            _Watch(cue, machine, cue.name, subject)
            for cue in cues
            if (machine := cue.spec.step) is not None
            for subject in cue.spec.subjects(cue.value, zones)
        ]
        self._subjects = tuple(dict.fromkeys(watch.subject for watch in self._watches))
        self._angles = Goniometer(joint for cue in cues for joint in cue.spec.joints(cue.value))
        self._palms = Palms()
        self._follows_palms = moved or any(cue.key == "dwell" for cue in cues)
        self._glimpses: dict[Subject, Glimpse] = {}

    def step(
        self, observation: Observation, events: tuple[Began | Ended, ...] = ()
    ) -> tuple[Began | Ended | Moved, ...]:
        """Take one frame and the gesture events it led to; return what else begins and ends.

        Ends stand before beginnings, so that who goes from one zone to the next leaves first.
        """
        if not self._watches and not self._moved:
            return ()
        seen = Seen(observation)
        self._angles.step(seen)
        if self._follows_palms:
            self._palms.step(seen)
        self._glimpses = {
            subject: Glimpse(seen, subject, events, self._zones, self._angles, self._palms)
            for subject in self._subjects
        }
        ends: list[Began | Ended | Moved] = []
        begins: list[Began | Ended | Moved] = []
        for watch in self._watches:
            cue, glimpse = watch.cue, self._glimpses[watch.subject]
            watch.state, changes = watch.machine(cue.value, watch.state, glimpse)
            for change in changes:
                if change == "begins":
                    begins.append(Began(seen.t_us, watch.name, watch.subject, 1.0))
                    watch.begun = True
                else:
                    ended = Ended(seen.t_us, watch.name, watch.subject, 1.0)
                    (begins if len(changes) > 1 else ends).append(ended)
                    watch.begun = False
        follows = moved(seen, self._palms) if self._moved else ()
        return (*ends, *begins, *follows)

    def reset(self, t_us: int) -> tuple[Ended, ...]:
        """End all cues and forget the past, as on pause or a stalled camera; counts are kept."""
        ended = tuple(
            Ended(t_us, watch.name, watch.subject, 1.0) for watch in self._watches if watch.begun
        )
        for watch in self._watches:
            watch.begun = False
            watch.state = None if watch.state is None else watch.cue.spec.keep(watch.state)
        self._angles.reset()
        self._palms.reset()
        self._glimpses.clear()
        return ended

    @property
    def progress(self) -> Iterator[Progress]:
        """How far cues have come that are about to begin."""
        for watch in self._watches:
            if watch.state is None or watch.subject not in self._glimpses:
                continue
            glimpse = self._glimpses[watch.subject]
            fraction = watch.cue.spec.progress(watch.cue.value, watch.state, glimpse)
            if fraction is not None:
                yield Progress(watch.cue, watch.subject, fraction)

    @property
    def counts(self) -> dict[tuple[str, Subject], Counting]:
        """What has been counted of each repetition asked for, by its name and hand or body."""
        return {
            (watch.name, watch.subject): watch.state
            for watch in self._watches
            if isinstance(watch.state, Counting)
        }
