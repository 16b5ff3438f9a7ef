"""Joint angles in degrees: how far limbs, trunk, head and fingers are bent.

In:  what a frame shows, and the names of the joints asked for.  Out: a steady angle of each, or
     None where the joint is not in sight.

`JOINTS` is the table; parser, hints and reference page read it. Elbows, wrists, hips, knees and
ankles are told as the angle between the two bones that meet there, 180 when straight. The others
are told from the neutral position, 0 when standing upright with the arms hanging, as the
goniometry of Norkin & White, "Measurement of Joint Motion" (5th ed., 2016) does: shoulders against
the trunk in the frontal plane (abduction) and in the sagittal plane (flexion). A finger is told by
its total flexion, the sum of the bends of its joints (total active motion, as the American Society
for Surgery of the Hand defines it). Signs are the user's own: forward, and to the user's right.

What to expect of one camera, measured with MediaPipe's pose model on the puppet, whose angles are
known, in a squat, with arms up and with arms out (medians of the error): abduction 2 to 5 degrees,
the lean of trunk, shoulders and head to a side 1, elbows and shoulders 5 to 12, knees 15, a
straight one reading about 160. What moves toward the camera is told worst: the bent hip of a squat
seen from the front is 40 off. This is no medical device.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import acos, atan2, degrees, hypot, sqrt
from statistics import median
from types import MappingProxyType
from typing import Final, Literal

from gesturectl.places import LOST_US, Point, Seen
from gesturectl.types import Subject

Vector = tuple[float, float, float]

# A reading is the median of this last while: one odd frame in three moves nothing, at any rate of
# frames from 15 a second on, and what is read is about 67 ms old.
STEADY_US: Final = 134_000
SETTLE_US: Final = 60_000  # a joint that has just come into sight is not believed sooner


@dataclass(frozen=True, slots=True)
class Points:
    """The solid points of one hand or body; `hips` whether the hips are in sight."""

    at: list[Point]
    hips: bool = False

    def bone(self, start: int, end: int) -> Vector:
        """The vector from one point to another."""
        a, b = self.at[start], self.at[end]
        return b[0] - a[0], b[1] - a[1], b[2] - a[2]

    def middle(self, one: int, other: int) -> Vector:
        """The point between two."""
        a, b = self.at[one], self.at[other]
        return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2


Measure = Callable[[Points], float | None]

# --- geometry -----------------------------------------------------------------------------------

_TINY: Final = 1e-9
_UP: Final = (0.0, -1.0, 0.0)


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _unit(v: Vector) -> Vector | None:
    length = sqrt(_dot(v, v))
    return (v[0] / length, v[1] / length, v[2] / length) if length > _TINY else None


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _across(v: Vector, axis: Vector) -> Vector | None:
    """Return the direction of what of `v` is at a right angle to the unit vector `axis`."""
    along = _dot(v, axis)
    return _unit((v[0] - along * axis[0], v[1] - along * axis[1], v[2] - along * axis[2]))


def _between(a: Vector, b: Vector) -> float | None:
    """Return the angle between two vectors, 0 to 180."""
    lengths = sqrt(_dot(a, a) * _dot(b, b))
    if lengths <= _TINY * _TINY:
        return None
    return degrees(acos(max(-1.0, min(1.0, _dot(a, b) / lengths))))


@dataclass(frozen=True, slots=True)
class _Axes:
    """A person's own directions, unit vectors: up along the trunk, to the right, forward."""

    up: Vector
    right: Vector
    forward: Vector


def _axes(points: Points, *, standing: bool = False) -> _Axes | None:
    """Return the axes of the trunk; of a trunk whose hips are out of sight, or `standing`, the
    vertical is its up."""
    up: Vector | None = _UP
    if points.hips and not standing:
        up = _unit(_minus(points.middle(11, 12), points.middle(23, 24)))
    right = _across(points.bone(11, 12), up) if up else None
    return _Axes(up, right, _cross(up, right)) if up and right else None


# --- measures -----------------------------------------------------------------------------------


def _bend(first: int, joint: int, last: int) -> Measure:
    """The angle between two bones, 180 when they are in line."""
    return lambda points: _between(points.bone(joint, first), points.bone(joint, last))


def _raised(shoulder: int, elbow: int) -> Measure:
    """The angle between upper arm and trunk, whichever way the arm is raised."""

    def measure(points: Points) -> float | None:
        axes = _axes(points)
        if axes is None:
            return None
        raised = _between(points.bone(shoulder, elbow), axes.up)
        return None if raised is None else 180.0 - raised

    return measure


def _raised_in_plane(shoulder: int, elbow: int, sideways: int) -> Measure:
    """The angle of the upper arm in one plane of the trunk: to this side, or forward (0).

    An arm less than half in that plane has no angle there: its direction would be noise.
    """

    def measure(points: Points) -> float | None:
        axes, arm = _axes(points), _unit(points.bone(shoulder, elbow))
        if axes is None or arm is None:
            return None
        outward = _dot(arm, axes.right) * sideways if sideways else _dot(arm, axes.forward)
        down = -_dot(arm, axes.up)
        if hypot(outward, down) < 0.5:
            return None
        angle = degrees(atan2(outward, down))
        return angle + 360.0 if angle < -90.0 else angle  # past the head it goes on beyond 180

    return measure


def _trunk(points: Points) -> float | None:
    return _between(_minus(points.middle(11, 12), points.middle(23, 24)), _UP)


def _trunk_toward(direction: Literal["forward", "right"]) -> Measure:
    def measure(points: Points) -> float | None:
        axes = _axes(points, standing=True)
        if axes is None:
            return None
        trunk = _minus(points.middle(11, 12), points.middle(23, 24))
        toward = axes.forward if direction == "forward" else axes.right
        return degrees(atan2(_dot(trunk, toward), _dot(trunk, _UP)))

    return measure


def _shoulders_right(points: Points) -> float | None:
    line = points.bone(11, 12)
    return degrees(atan2(line[1], hypot(line[0], line[2])))


def _neck_forward(points: Points) -> float | None:
    axes = _axes(points)
    if axes is None:
        return None
    neck = _minus(points.middle(7, 8), points.middle(11, 12))
    return degrees(atan2(_dot(neck, axes.forward), _dot(neck, axes.up)))


def _head_right(points: Points) -> float | None:
    axes = _axes(points)
    if axes is None:
        return None
    ears = points.bone(7, 8)
    return degrees(atan2(-_dot(ears, axes.up), _dot(ears, axes.right)))


def _head_turn_right(points: Points) -> float | None:
    axes = _axes(points)
    if axes is None:
        return None
    looks = _minus(points.middle(0, 0), points.middle(7, 8))
    return degrees(atan2(_dot(looks, axes.right), _dot(looks, axes.forward)))


def _head_up(points: Points) -> float | None:
    axes = _axes(points)
    if axes is None:
        return None
    looks = _minus(points.middle(0, 0), points.middle(7, 8))
    level = hypot(_dot(looks, axes.right), _dot(looks, axes.forward))
    return degrees(atan2(_dot(looks, axes.up), level))


def _flexion(chain: tuple[int, ...]) -> Measure:
    """The sum of the bends along a chain of points."""

    def measure(points: Points) -> float | None:
        bones = [points.bone(a, b) for a, b in pairwise(chain)]
        total = 0.0
        for bone, following in pairwise(bones):
            bend = _between(bone, following)
            if bend is None:
                return None
            total += bend
        return total

    return measure


# --- the table ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JointSpec:
    """One row: whose joint it is, the points that must be in sight, and how it is measured.

    `by` tells from what: `either` from points in metres, or where there are none from the image,
    as the picture shows it; `picture` always from the image, which is the more exact for what turns
    in its plane; `metres` from nothing else, since the picture does not show it.
    """

    of: Literal["body", "hand"]
    points: tuple[int, ...]
    measure: Measure
    says: str
    by: Literal["either", "picture", "metres"] = "either"


def _limbs() -> dict[str, JointSpec]:
    """The joints that come in pairs, from MediaPipe's indices of the left one."""
    rows: dict[str, JointSpec] = {}
    for name, (a, b, c), says in (
        ("elbow", (11, 13, 15), "Between upper arm and forearm, 180 when straight."),
        ("wrist", (13, 15, 19), "Between forearm and hand, 180 when straight."),
        ("hip", (11, 23, 25), "Between trunk and thigh, 180 when standing."),
        ("knee", (23, 25, 27), "Between thigh and shin, 180 when straight."),
        ("ankle", (25, 27, 31), "Between shin and foot, about 110 when standing."),
    ):
        for shift, side in enumerate(("left", "right")):
            indices = (a + shift, b + shift, c + shift)
            rows[f"{side}_{name}"] = JointSpec("body", indices, _bend(*indices), says)
    for shift, side in enumerate(("left", "right")):
        shoulder, elbow = 11 + shift, 13 + shift
        for suffix, measure, says in (
            (
                "",
                _raised(shoulder, elbow),
                "How far the upper arm is raised from the trunk, whichever way: 0 hanging, 90 "
                "level, 180 overhead.",
            ),
            (
                "_abduction",
                _raised_in_plane(shoulder, elbow, 1 if shift else -1),
                "How far the upper arm is raised sideways; not measured while it points forward.",
            ),
            (
                "_flexion",
                _raised_in_plane(shoulder, elbow, 0),
                "How far the upper arm is raised forward, below 0 behind the back; not measured "
                "while it points sideways.",
            ),
        ):
            by: Literal["either", "metres"] = "metres" if suffix == "_flexion" else "either"
            rows[f"{side}_shoulder{suffix}"] = JointSpec("body", (11, 12, elbow), measure, says, by)
    return rows


_TRUNK, _HEAD = (11, 12, 23, 24), (0, 7, 8, 11, 12)

JOINTS: Final[Mapping[str, JointSpec]] = MappingProxyType(
    {
        **_limbs(),
        "trunk": JointSpec(
            "body", _TRUNK, _trunk, "How far the trunk leans from upright, whichever way."
        ),
        "trunk_forward": JointSpec(
            "body",
            _TRUNK,
            _trunk_toward("forward"),
            "How far the trunk leans forward, below 0 back.",
            by="metres",
        ),
        "trunk_right": JointSpec(
            "body",
            _TRUNK,
            _trunk_toward("right"),
            "How far the trunk leans to the right, below 0 to the left.",
            by="picture",
        ),
        "shoulders_right": JointSpec(
            "body",
            (11, 12),
            _shoulders_right,
            "How far the line of the shoulders falls to the right, below 0 to the left: a raised "
            "left shoulder is above 0.",
            by="picture",
        ),
        "neck_forward": JointSpec(
            "body",
            (7, 8, 11, 12),
            _neck_forward,
            "How far the head is before the shoulders, against the trunk.",
            by="metres",
        ),
        "head_right": JointSpec(
            "body",
            _HEAD,
            _head_right,
            "How far the head tilts toward the right shoulder, below 0 toward the left.",
            by="picture",
        ),
        "head_turn_right": JointSpec(
            "body",
            _HEAD,
            _head_turn_right,
            "How far the head turns to the right, below 0 to the left.",
            by="metres",
        ),
        "head_up": JointSpec(
            "body",
            _HEAD,
            _head_up,
            "How far the head looks up; the nose is below the ears, so looking straight ahead is "
            "some degrees below 0.",
            by="metres",
        ),
        "thumb": JointSpec(
            "hand", (), _flexion((1, 2, 3, 4)), "How far the thumb is bent in all, 0 straight."
        ),
        **{
            f"{name}_finger": JointSpec(
                "hand",
                (),
                _flexion((0, first, first + 1, first + 2, first + 3)),
                f"How far the {name} finger is bent in all, 0 straight, about 230 in a fist.",
            )
            for name, first in (("index", 5), ("middle", 9), ("ring", 13), ("little", 17))
        },
    }
)
"""Every joint that can be asked for, by name."""


def measure(joint: str, seen: Seen, subject: Subject) -> float | None:
    """Return the angle of a joint in one frame, or None where it is not in sight.

    Raises:
        KeyError: no such joint.
    """
    spec = JOINTS[joint]
    if (spec.of == "body") != (subject == "body"):
        return None
    if spec.of == "body" and not seen.visible(spec.points):
        return None
    if spec.by == "metres" and not seen.in_metres(subject):
        return None
    at = seen.pictured(subject) if spec.by == "picture" else seen.solid(subject)
    if not at:
        return None
    if spec.of == "hand":
        return spec.measure(Points(at))
    return spec.measure(Points(at, hips=seen.visible((23, 24))))


# --- over time ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Readings:
    """The last while of one joint, and since when it has been in sight without a long break."""

    since_us: int = 0
    times_us: deque[int] = field(default_factory=deque)
    angles: deque[float] = field(default_factory=deque)
    steady: float | None = None


class Goniometer:
    """Steady angles of some joints, frame by frame; a short loss of sight is bridged."""

    def __init__(self, joints: Iterable[str]) -> None:
        sides: tuple[Subject, ...] = ("left", "right")
        self._readings: dict[tuple[str, Subject], _Readings] = {
            (joint, subject): _Readings()
            for joint in dict.fromkeys(joints)
            for subject in (sides if JOINTS[joint].of == "hand" else ("body",))
        }

    def step(self, seen: Seen) -> None:
        """Measure all joints in this frame."""
        t = seen.t_us
        for (joint, subject), readings in self._readings.items():
            angle = measure(joint, seen, subject)
            times, angles = readings.times_us, readings.angles
            if times and t - times[-1] > LOST_US:
                times.clear()
                angles.clear()
                readings.steady = None
            if angle is None:
                continue
            if not times:
                readings.since_us = t
            times.append(t)
            angles.append(angle)
            while t - times[0] > STEADY_US:
                times.popleft()
                angles.popleft()
            if t - readings.since_us >= SETTLE_US:
                readings.steady = median(angles)

    def read(self, joint: str, subject: Subject) -> float | None:
        """Return the steady angle; None where it has not been in sight, or not long enough."""
        whose: Subject = "body" if JOINTS[joint].of == "body" else subject
        readings = self._readings.get((joint, whose))
        return None if readings is None else readings.steady

    def reset(self) -> None:
        """Forget everything, as on pause."""
        for key in self._readings:
            self._readings[key] = _Readings()
