"""Zones: named regions of the picture or around a part of the body, and whether a part is in one.

In:  a zone of a profile, what a frame shows.  Out: inside, outside, or None: not in sight.

Regions of the picture are told as the user sees himself in a mirror: left is the user's left, 0 at
the left and top edges, 1 at the right and bottom. Regions around a part of the body go with it and
are told in shoulder widths, so that they mean the same near and far.

A region is left a little farther out than it is entered, and both count only once they have lasted
`STAY_US`: hands tremble, and landmarks do.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Annotated, Final, get_args

from pydantic import AfterValidator, ConfigDict, Field

from gesturectl.fields import Kind, Surroundings, advise, choice, number, wrong
from gesturectl.places import HAND_PARTS, LOST_US, BodyPart, HandPart, Place, Seen
from gesturectl.types import Needs, Subject

STAY_US: Final = 60_000  # two frames in 30 a second; landmarks that jump are back sooner
LOOSER: Final = 1.15  # how much larger the region is that must be left
RADIUS: Final = 0.5  # in shoulder widths: a fist before the mouth is within it, one aside is not

Fraction = Annotated[float, number("a part of the picture", 0, 1)]
Radius = Annotated[float, number("a radius", 0.05, 5)]
Shift = Annotated[float, number("a distance", -5, 5)]
Part = Annotated[HandPart | BodyPart, choice("a part", (*get_args(HandPart), *get_args(BodyPart)))]
Centre = Annotated[BodyPart, choice("a part of the body", get_args(BodyPart))]


@dataclass(frozen=True, slots=True)
class Zone:
    """A region, either of the picture or around a part of the body, and what must be in it."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Zone")

    image: Annotated[
        tuple[Fraction, ...] | None,
        Field(
            min_length=4,
            max_length=4,
            description="Left, top, right and bottom of a region of the picture, from 0 to 1, as "
            "you see yourself in a mirror. A side that lies on the picture's edge is open: what is "
            "beyond it is inside.",
        ),
    ] = None
    around: Annotated[
        Centre | None, Field(description="The part of the body that the region goes with.")
    ] = None
    radius: Annotated[
        Radius | None,
        Field(description=f"Its radius in shoulder widths; {RADIUS:g} if left out."),
    ] = None
    offset: Annotated[
        tuple[Shift, ...] | None,
        Field(
            min_length=2,
            max_length=2,
            description="How far its middle is from that part, to your right and up, in shoulder "
            "widths.",
        ),
    ] = None
    part: Annotated[
        Part,
        Field(
            description="What must be in it: the `palm` or the `index_tip` of a hand, or a part of "
            "the body."
        ),
    ] = "palm"

    @property
    def by_hand(self) -> bool:
        """Whether hands come and go here; otherwise a part of the body does."""
        return self.part in HAND_PARTS

    @property
    def needs(self) -> Needs:
        """What must be looked for."""
        return Needs(int(self.by_hand), int(self.around is not None or not self.by_hand))


def _sensible(zone: Zone) -> Zone:
    if (zone.image is None) == (zone.around is None):
        raise wrong(
            "a zone is a region of the picture or around a part of the body",
            "write `{image: [0, 0, 0.2, 0.3]}` or `{around: mouth, radius: 0.5}`",
        )
    if zone.image is not None:
        left, top, right, bottom = zone.image
        if left >= right or top >= bottom:
            raise wrong(
                "this region is empty", "its numbers are left, top, right, bottom: `[0, 0, 0.2, 1]`"
            )
        if zone.radius is not None or zone.offset is not None:
            raise wrong("`radius` and `offset` belong to `around`", "leave them out beside `image`")
    if zone.around is not None and zone.around == zone.part and zone.offset is None:
        raise wrong(f"the {zone.part} is always around itself", "choose another `part` or `around`")
    return zone


ZoneKind = Annotated[Zone, AfterValidator(_sensible)]
"""The value of an entry of `zones`."""


def _name(text: str, around: Surroundings) -> str:
    if text not in around.zones:
        names = sorted(around.zones)
        advice = (
            advise(text, names)
            if names
            else f"add it: `zones: {{{text}: {{image: [0, 0, 0.2, 0.3]}}}}`"
        )
        raise wrong(f"unknown zone `{text}`", advice)
    return text


ZoneName = Annotated[str, Kind("the name of a zone", _name, {"type": "string"})]


def inside(zone: Zone, seen: Seen, subject: Subject, *, looser: float = 1.0) -> bool | None:
    """Whether the part is in the region, `looser` times as large; None when it is not in sight."""
    place = seen.body_part(zone.part) if subject == "body" else seen.hand_part(subject, zone.part)
    if place is None:
        return None
    if zone.image is not None:
        return in_picture(zone.image, place, seen.aspect, looser)
    unit = seen.shoulder_width()
    centre = seen.body_part(zone.around or "")
    if unit is None or centre is None:
        return None
    right, up = zone.offset or (0.0, 0.0)
    away = hypot(place[0] - centre[0] - right * unit, place[1] - centre[1] + up * unit)
    return away <= (zone.radius or RADIUS) * unit * looser


def in_picture(box: tuple[float, ...], place: Place, aspect: float, looser: float = 1.0) -> bool:
    """Whether a place, in heights of the mirrored image, is in a region of the picture."""
    for at, low, high in ((place[0] / aspect, box[0], box[2]), (place[1], box[1], box[3])):
        margin = (high - low) * (looser - 1) / 2
        if (low > 0 and at < low - margin) or (high < 1 and at > high + margin):
            return False
    return True


# --- over time ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Visit:
    """One hand's or body's stay in one zone: inside or not, and since when it seems otherwise."""

    seen_us: int
    shown: bool = False
    otherwise_us: int | None = None


def step_visit(zone: Zone, state: Visit | None, seen: Seen, subject: Subject) -> Visit | None:
    r"""Begin when inside for `STAY_US`, end when outside the larger region as long, or lost.

    in      __/^^^^^^^^\_/^^^^^\_____   __/^^^^^^...........
    shown   _____/^^^^^^^^^^^^^^^^\__   _____/^^^^^^^^^^\___
              1  2      3      4   5                6    7

    1) comes in   2) still there: begins   3) a shorter absence is none
    4) goes out of the larger region   5) still out: ends
    6) lost from sight   7) for longer than LOST_US: ends
    """
    t = seen.t_us
    shown = state is not None and state.shown
    now = inside(zone, seen, subject, looser=LOOSER if shown else 1.0)
    if now is None:
        return None if state is None or t - state.seen_us > LOST_US else state
    if state is not None and t - state.seen_us > LOST_US:
        state, shown = None, False
        now = inside(zone, seen, subject)
    if now == shown:
        return Visit(t, shown) if shown else None
    otherwise_us = t if state is None or state.otherwise_us is None else state.otherwise_us
    if t - otherwise_us >= STAY_US:
        return Visit(t, shown=True) if now else None
    return Visit(t, shown, otherwise_us)
