"""Tell where somebody points: a hand or a head in one frame, and how it has moved since the last.

In:  what a frame shows.  Out: `Aim`, and `Track`: the way gone so far, in palm widths, smoothed.

Every step is divided by the palm's width before it is added up, so that a hand which comes nearer
does not move the pointer by growing. A jump no hand can make begins the track anew where it landed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import hypot, isfinite
from statistics import median
from typing import Final

from gesturectl import oneeuro, pinching
from gesturectl.oneeuro import Smooth
from gesturectl.pinching import Finger, Gaps
from gesturectl.places import BodyPart, Place, Seen
from gesturectl.pointing import BOXES, Box, Settings
from gesturectl.types import Subject

UNIT_US: Final = 500_000  # a palm's width is the median of this last while

# A palm a hundredth of the image high is noise; what is ten images away is an error.
LEAST_UNIT: Final = 0.01
FARTHEST: Final = 10.0

# Palm widths a second. Hands that point stay below 15, the fastest swipes reach 40 (2.6 m/s);
# a landmark that goes over to another hand is faster.
FASTEST: Final = 40.0

# Shoulder widths in which the head's movements count as those of a hand in palm widths. Shoulders
# are about 4 palms wide (0.36 m by 0.09 m of soft tissue), and a head that turns comfortably, 15
# degrees to each side, takes its nose a third as far as a pointing hand goes. In this unit a nose
# at rest jitters by 0.010 (rms, median of 23 recordings), as a fingertip does in its own.
HEAD_UNIT: Final = 1 / 12

_ORIGINS: Final[Mapping[Subject, BodyPart]] = {
    "left": "left_shoulder",
    "right": "right_shoulder",
    "body": "chest",
}


@dataclass(frozen=True, slots=True)
class Aim:
    """One frame's aim, as the user sees himself in a mirror.

    `place` is (right, down) of the origin of the box, in heights of the image: of the image's
    corner or of the shoulder. `seen` is (right, down) in fractions of the image. `unit` is a palm's
    width in this frame, `box` (left, top, width, height), both in heights of the image.
    """

    place: Place
    seen: Place
    unit: float
    box: Box
    gaps: Gaps


def look(settings: Settings, who: Subject, seen: Seen, fingers: frozenset[Finger]) -> Aim | None:
    """Return who points where, or None when it cannot be told in this frame."""
    if who == "body":
        anchor, width = seen.body_part("nose"), seen.shoulder_width()
        unit = width and width * HEAD_UNIT
    else:
        anchor = seen.hand_part(who, "index_tip" if settings.by == "index" else "palm")
        unit = seen.palm_width(who)
    frame = _frame(settings, who, seen)
    if anchor is None or not unit or frame is None:
        return None
    origin, box = frame
    place = (anchor[0] - origin[0], anchor[1] - origin[1])
    numbers = (*place, unit, *box)
    if not all(isfinite(one) and abs(one) < FARTHEST for one in numbers) or unit < LEAST_UNIT:
        return None
    gaps: Gaps = {}
    if fingers and who != "body" and (solid := seen.pictured(who)):
        gaps = pinching.gaps(solid, fingers)
    return Aim(place, (anchor[0] / seen.aspect, anchor[1]), unit, box, gaps)


def _frame(settings: Settings, who: Subject, seen: Seen) -> tuple[Place, Box] | None:
    """Return the origin and the box (left, top, width, height), in heights of the image."""
    left, top, right, bottom = settings.box or BOXES[settings.around]
    if settings.reach == "relative" or settings.around == "image":
        return (0.0, 0.0), (left * seen.aspect, top, (right - left) * seen.aspect, bottom - top)
    unit = seen.shoulder_width()
    origin = seen.body_part(_ORIGINS[who])
    if unit is None or origin is None:
        return None
    if who == "left":
        left, right = -right, -left
    return origin, (left * unit, top * unit, (right - left) * unit, (bottom - top) * unit)


@dataclass(frozen=True, slots=True)
class Track:
    """The way of one hand or head since it came into sight.

    `place` is where it was last, in heights of the image; `x`, `y` is the way gone since, in palm
    widths, and `smooth` the same way smoothed. `units` are the palm's widths of the last while.
    """

    t_us: int
    place: Place
    x: float
    y: float
    smooth: Smooth
    units: tuple[tuple[int, float], ...]

    @property
    def unit(self) -> float:
        """The steady width of the palm, in heights of the image."""
        return median(unit for _, unit in self.units)


def follow(settings: Settings, track: Track | None, t_us: int, aim: Aim) -> Track:
    """Take one frame's aim; a first one begins a track."""
    if track is None:
        at = Smooth(t_us, 0.0, 0.0)
        return Track(t_us, aim.place, 0.0, 0.0, at, ((t_us, aim.unit),))
    units = (*(one for one in track.units if t_us - one[0] <= UNIT_US), (t_us, aim.unit))
    track = replace(track, units=units)
    unit = track.unit
    dx = (aim.place[0] - track.place[0]) / unit
    dy = (aim.place[1] - track.place[1]) / unit
    if hypot(dx, dy) > FASTEST * (t_us - track.t_us) / 1e6:
        x, y = track.smooth.x, track.smooth.y
        return replace(track, t_us=t_us, place=aim.place, x=x, y=y, smooth=Smooth(t_us, x, y))
    x, y = track.x + dx, track.y + dy
    smooth = oneeuro.step(
        track.smooth, t_us, x, y, steady_hz=settings.steady_hz, quick=settings.quick
    )
    return replace(track, t_us=t_us, place=aim.place, x=x, y=y, smooth=smooth)


def in_box(aim: Aim, track: Track) -> Place:
    """Return the smoothed place as fractions of the box; beyond 0..1 it is outside."""
    left, top, width, height = aim.box
    unit = track.unit
    x = aim.place[0] + (track.smooth.x - track.x) * unit
    y = aim.place[1] + (track.smooth.y - track.y) * unit
    return (x - left) / width, (y - top) / height
