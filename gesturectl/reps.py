"""Count repetitions: of a joint that bends and comes back, or of a gesture shown and let go.

In:  the settings, steady angles or the gesture's beginnings and ends.  Out: repetitions, each good
     or with its faults, its times and its range of motion.

One repetition of an angle goes from `from` to `to` and back to `from`; small movements about either
end count as none.
A repetition of a gesture begins and ends with it. What ends because nobody is in sight any more is
no repetition, nor is what lasts longer than anybody would take for one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo

from gesturectl.fields import (
    Count,
    Duration,
    GestureName,
    Short,
    Surroundings,
    choice,
    duration_text,
    number,
    wrong,
)
from gesturectl.joints import JOINTS

# In a second the steady angles of a head at rest before a webcam wander by 1 to 4 degrees (medians;
# 4 to 9 in nine of ten seconds).
HYSTERESIS_DEG: Final = 8.0
SHALLOW: Final = 0.5  # of the way: less is no attempt
QUICKEST_US: Final = (
    250_000  # to bend and straighten a finger takes longer than landmarks that jump
)
BRIDGED_US: Final = 500_000  # fast squats lose the body for 200 ms; nothing is held meanwhile
LONGEST_US: Final = 60_000_000  # unless `max_time` says more: somebody has sat down

Degrees = Annotated[float, number("an angle in degrees", -180, 360)]
Slack = Annotated[float, number("an angle in degrees", 1, 90)]
JointName = Annotated[str, choice("a joint", JOINTS)]

Fault = Literal["shallow", "fast", "slow", "not_held", "crooked"]
FormName = Literal["good", "bad", "shallow", "fast", "slow", "not_held", "crooked"]
Form = Annotated[FormName, choice("a form", get_args(FormName))]


def degrees_text(angle: float) -> str:
    """Write an angle as a person would: `60`, `62.5`."""
    return f"{angle:.9g}"


# --- bounds of an angle -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """A joint that must stay below or above an angle, or between two."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Limit")

    joint: Annotated[JointName, Field(description="The joint.")]
    below_deg: Annotated[
        Degrees | None, Field(alias="below", description="Its angle is less than this.")
    ] = None
    above_deg: Annotated[
        Degrees | None, Field(alias="above", description="Its angle is more than this.")
    ] = None

    @property
    def text(self) -> str:
        """The limit in short: `right_elbow<60`, `20<trunk<60`."""
        return bounds_text(self.joint, self.below_deg, self.above_deg)

    def keeps(self, angle: float | None) -> bool:
        """Whether this angle is within; what is not in sight is not held against anybody."""
        return angle is None or within(angle, self.below_deg, self.above_deg)


def within(angle: float, below: float | None, above: float | None, slack: float = 0.0) -> bool:
    """Whether an angle is between the bounds, or not farther than `slack` outside."""
    return (below is None or angle < below + slack) and (above is None or angle > above - slack)


def bounds_text(joint: str, below: float | None, above: float | None) -> str:
    """Write bounds of a joint's angle without spaces."""
    low, high = (None if one is None else degrees_text(one) for one in (above, below))
    if high is None:
        return f"{joint}>{low}"
    return f"{joint}<{high}" if low is None else f"{low}<{joint}<{high}"


def check_bounds(below: float | None, above: float | None) -> None:
    """Raise the error of one value where there is no bound, or nothing between two."""
    if below is None and above is None:
        raise wrong("this angle has no bound", "write `below: 60`, `above: 150`, or both")
    if below is not None and above is not None and below <= above:
        raise wrong("no angle is both below and above these", "exchange `below` and `above`")


def _bounded(limit: Limit) -> Limit:
    check_bounds(limit.below_deg, limit.above_deg)
    return limit


# --- settings -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Swing:
    """A joint that goes from one angle to another and back."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Swing")

    joint: Annotated[JointName, Field(description="The joint.")]
    from_deg: Annotated[
        Degrees, Field(alias="from", description="The angle it starts from and comes back to.")
    ]
    to_deg: Annotated[Degrees, Field(alias="to", description="The angle it must reach.")]
    hysteresis_deg: Annotated[
        Slack,
        Field(alias="hysteresis", description="Movements smaller than this count as none."),
    ] = HYSTERESIS_DEG

    @property
    def way_deg(self) -> float:
        """How far it is from one end to the other."""
        return abs(self.from_deg - self.to_deg)

    def gone_deg(self, angle: float) -> float:
        """Return how far from `from` toward `to` an angle is."""
        return self.from_deg - angle if self.from_deg > self.to_deg else angle - self.from_deg


def _wide(swing: Swing) -> Swing:
    if swing.way_deg < 2 * swing.hysteresis_deg:
        raise wrong(
            f"from {degrees_text(swing.from_deg)} to {degrees_text(swing.to_deg)} is less than "
            f"twice the hysteresis of {degrees_text(swing.hysteresis_deg)}",
            "choose ends farther apart, or a smaller `hysteresis`",
        )
    return swing


@dataclass(frozen=True, slots=True)
class Reps:
    """Repetitions of an angle or of a gesture, and which of them count."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Reps")

    angle: Annotated[
        Annotated[Swing, AfterValidator(_wide)] | None,
        Field(description="The joint that bends and comes back."),
    ] = None
    gesture: Annotated[
        GestureName | None, Field(description="The gesture that is shown and let go.")
    ] = None
    min_us: Annotated[
        Duration | None, Field(alias="min_time", description="A shorter one is bad: `fast`.")
    ] = None
    max_us: Annotated[
        Duration | None, Field(alias="max_time", description="A longer one is bad: `slow`.")
    ] = None
    hold_us: Annotated[
        Duration | None,
        Field(
            alias="hold",
            description="How long to stay at the turning point; a shorter stay is bad: `not_held`.",
        ),
    ] = None
    limits: Annotated[
        tuple[Annotated[Limit, AfterValidator(_bounded)], ...],
        Field(
            max_length=8,
            description="What other joints must keep meanwhile; a breach is bad: `crooked`. A "
            "joint out of sight is not held against anybody.",
        ),
    ] = ()
    form: Annotated[
        Form,
        Field(
            description="Which repetitions this acts on: `good` ones, `bad` ones, or those with "
            "one fault."
        ),
    ] = "good"
    every: Annotated[Count, Field(description="Act on every so many of them.")] = 1

    @property
    def name(self) -> str:
        """The name of its event: all that sets it apart from others."""
        swing = self.angle
        parts = [self.gesture or ""]
        if swing is not None:
            ends = f"{degrees_text(swing.from_deg)}..{degrees_text(swing.to_deg)}"
            parts = [f"{swing.joint}:{ends}"]
            if swing.hysteresis_deg != HYSTERESIS_DEG:
                parts.append(f"hysteresis={degrees_text(swing.hysteresis_deg)}")
        times = (("min", self.min_us), ("max", self.max_us), ("hold", self.hold_us))
        parts += [f"{key}={duration_text(us)}" for key, us in times if us is not None]
        parts += [limit.text for limit in self.limits]
        parts += [self.form] if self.form != "good" else []
        parts += [f"every={self.every}"] if self.every != 1 else []
        return f"reps:{','.join(parts)}"

    @property
    def joints(self) -> tuple[str, ...]:
        """The joints that must be measured."""
        own = () if self.angle is None else (self.angle.joint,)
        return (*own, *(limit.joint for limit in self.limits))

    @property
    def longest_us(self) -> int:
        """What lasts longer is no repetition."""
        return max(LONGEST_US, self.max_us or 0)


def _countable(reps: Reps, info: ValidationInfo) -> Reps:
    if (reps.angle is None) == (reps.gesture is None):
        raise wrong(
            "repetitions are of an `angle` or of a `gesture`",
            "write `{angle: {joint: left_knee, from: 150, to: 100}}` or `{gesture: squat}`",
        )
    if reps.min_us is not None and reps.max_us is not None and reps.min_us >= reps.max_us:
        raise wrong("no time is between `min_time` and `max_time`", "exchange them")
    around: Surroundings = info.context or Surroundings()
    gesture = around.gestures.get(reps.gesture or "")
    if gesture and gesture.kind == "motion" and (reps.min_us or reps.max_us or reps.hold_us):
        message = f"`{gesture.name}` is a motion, over once it is seen: it takes no time"
        raise wrong(message, "leave `min_time`, `max_time` and `hold` out, or choose a pose")
    if reps.angle is not None and JOINTS[reps.angle.joint].of == "body":
        for limit in reps.limits:
            if JOINTS[limit.joint].of == "hand":
                message = f"`{limit.joint}` is a hand's, and a body does not say which hand"
                raise wrong(message, "limit a joint of the body")
    return reps


RepsKind = Annotated[Reps, AfterValidator(_countable), Short("gesture")]
"""The value of `reps`; a gesture's name alone will do."""

# --- counting -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition that is over: when, how far it went, and what was wrong with it.

    `least_deg` and `most_deg` are its range of motion, None for a gesture.
    """

    began_us: int
    ended_us: int
    held_us: int
    least_deg: float | None = None
    most_deg: float | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Under:
    """A repetition under way; `there_us` since when it has been at the turning point."""

    began_us: int
    least_deg: float = 0.0
    most_deg: float = 0.0
    reached: bool = False
    there_us: int | None = None
    held_us: int = 0
    crooked: bool = False


@dataclass(frozen=True, slots=True)
class Counting:
    """What one hand or body has done so far; `ready` once it has been at `from`.

    `asked` counts those that have the form asked for.
    """

    ready: bool = False
    seen_us: int = 0
    under: Under | None = None
    good: int = 0
    bad: int = 0
    asked: int = 0
    last: Repetition | None = None


Step = tuple[Counting, bool]  # and whether to act
Read = Callable[[str], float | None]  # the steady angle of a joint, or None


def step_angle(reps: Reps, state: Counting, t_us: int, read: Read) -> Step:
    r"""Take one frame's angles.

    from  --1\                      /4--      1 has left `from` by the hysteresis: begins
              \                    /          2 reaches `to`
    to         \2_____held_____3__/           3 has left `to` by the hysteresis: held from 2 to 3
                                              4 is back at `from`: counted
    from  --1\      /4--                      4 without 2: shallow, if at least half the way was
              \____/                            gone, and else nothing at all
    lost for longer than BRIDGED_US           nothing
    """
    swing, under = reps.angle, state.under
    angle = read(swing.joint) if swing is not None else None
    if state.ready and t_us - state.seen_us > BRIDGED_US:
        state, under = replace(state, ready=False, under=None), None
    if swing is None or angle is None:
        return state, False
    state = replace(state, seen_us=t_us)
    gone = swing.gone_deg(angle)
    if under is None:
        if gone <= 0:
            return replace(state, ready=True), False
        if not state.ready or gone <= swing.hysteresis_deg:
            return state, False
        under = Under(t_us, angle, angle)
    if t_us - under.began_us > reps.longest_us:
        return replace(state, ready=False, under=None), False
    there = gone >= swing.way_deg - swing.hysteresis_deg and (
        under.there_us is not None or gone >= swing.way_deg
    )
    there_us = (under.there_us if under.there_us is not None else t_us) if there else None
    under = Under(
        began_us=under.began_us,
        least_deg=min(under.least_deg, angle),
        most_deg=max(under.most_deg, angle),
        reached=under.reached or there,
        there_us=there_us,
        held_us=max(under.held_us, t_us - there_us if there_us is not None else 0),
        crooked=under.crooked or not all(limit.keeps(read(limit.joint)) for limit in reps.limits),
    )
    if gone > 0:
        return replace(state, under=under), False
    state = replace(state, under=None)
    farthest = max(swing.gone_deg(under.least_deg), swing.gone_deg(under.most_deg))
    attempt = under.reached or farthest >= SHALLOW * swing.way_deg
    if not attempt or t_us - under.began_us < QUICKEST_US:
        return state, False
    return _counted(reps, state, under, t_us)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one frame says of a gesture, and whether whose gesture it is can still be seen."""

    begins: bool
    ends: bool
    here: bool


def step_gesture(reps: Reps, state: Counting, t_us: int, heard: Heard, read: Read) -> Step:
    """Take a beginning or an end of the gesture, or a frame with neither."""
    under = Under(t_us, reached=True) if heard.begins else state.under
    if under is None:
        return state, False
    kept = all(limit.keeps(read(limit.joint)) for limit in reps.limits)
    took_us = t_us - under.began_us
    under = replace(under, held_us=took_us, crooked=under.crooked or not kept)
    if not heard.ends:
        return replace(state, under=under), False
    state = replace(state, under=None)
    lost = took_us > 0 and not heard.here
    if lost or took_us > reps.longest_us:
        return state, False
    return _counted(reps, state, under, t_us)


def _counted(reps: Reps, state: Counting, under: Under, t_us: int) -> Step:
    took_us = t_us - under.began_us
    found: tuple[tuple[bool, Fault], ...] = (
        (not under.reached, "shallow"),
        (reps.min_us is not None and took_us < reps.min_us, "fast"),
        (reps.max_us is not None and took_us > reps.max_us, "slow"),
        (under.reached and under.held_us < (reps.hold_us or 0), "not_held"),
        (under.crooked, "crooked"),
    )
    faults = tuple(fault for is_so, fault in found if is_so)
    asked = reps.form in (faults or ("good",)) or (reps.form == "bad" and bool(faults))
    state = replace(
        state,
        good=state.good + (not faults),
        bad=state.bad + bool(faults),
        asked=state.asked + asked,
        last=Repetition(
            under.began_us,
            t_us,
            under.held_us,
            under.least_deg if reps.angle else None,
            under.most_deg if reps.angle else None,
            faults,
        ),
    )
    return state, asked and state.asked % reps.every == 0


def progress(reps: Reps, state: Counting, angle: float | None) -> float | None:
    """Return how far the way to `to` has been gone, 0..1, or None outside a repetition."""
    if reps.angle is None or state.under is None or angle is None:
        return None
    return max(0.0, min(1.0, reps.angle.gone_deg(angle) / reps.angle.way_deg))
