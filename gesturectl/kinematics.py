"""Hands and bodies that can be posed: joint angles in, MediaPipe's points out, in metres.

Two chains of rigid bones. A hand is 21 angles and gives 21 points; a body is hips, a lean and
where its wrists are, and gives 33 points, elbows and knees following by two-bone inverse
kinematics. Shapes, facings and paths of every gesture of the catalog are tables below, and
minimum-jerk strokes lead from one to the next. Pure numpy: the puppet camera draws these figures,
and training draws synthetic samples from them.

Axes are the camera's, for every point outside a hand: x to the right of the unmirrored image (the
user's left), y down, z away from the camera. A hand's own axes, for a right hand: x toward the
thumb, y toward the fingertips, z out of the palm. Left limbs are right ones mirrored in x.

All functions take leading axes: angles (..., 21) give points (..., 21, 3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# --- time ---------------------------------------------------------------------------------------


def minimum_jerk(u: ArrayLike) -> Array:
    """Return the progress 0..1 of a point-to-point reach at time u in 0..1 of its duration.

    Human reaches minimise jerk: Flash & Hogan 1985, J. Neurosci. 5(7):1688-1703. Speed and
    acceleration are zero at both ends, and the peak speed is 1.875 times the mean.
    """
    t = np.clip(np.asarray(u, dtype=np.float64), 0.0, 1.0)
    progress: Array = t * t * t * (10.0 + t * (6.0 * t - 15.0))
    return progress


# --- rotations ----------------------------------------------------------------------------------


def _unit(v: Array) -> Array:
    unit: Array = v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)
    return unit


def facing(fingers: Sequence[float], palm: Sequence[float]) -> Array:
    """Return the rotation (3, 3) of a right hand whose fingers and palm point in these directions.

    `fingers` is kept exactly, `palm` as nearly as a right angle to it allows. Columns are the
    hand's own axes seen in the camera's.
    """
    y = _unit(np.asarray(fingers, dtype=np.float64))
    p = np.asarray(palm, dtype=np.float64)
    z = _unit(p - (p @ y) * y)
    return np.stack([np.cross(y, z), y, z], axis=1)


def turn(axis: ArrayLike, angle_rad: ArrayLike) -> Array:
    """Return rotations (..., 3, 3) by angles (...) about axes (..., 3); Rodrigues' formula."""
    x, y, z = np.moveaxis(_unit(np.asarray(axis, dtype=np.float64)), -1, 0)
    zero = np.zeros_like(x)
    k = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    a = np.asarray(angle_rad, dtype=np.float64)[..., None, None]
    rotation: Array = np.eye(3) + np.sin(a) * k + (1.0 - np.cos(a)) * (k @ k)
    return rotation


def blend_rotation(a: Array, b: Array, u: float) -> Array:
    """Return the rotation (3, 3) at progress u of the shortest turn from a to b."""
    difference = a.T @ b
    angle = float(np.arccos(np.clip((np.trace(difference) - 1.0) / 2.0, -1.0, 1.0)))
    if angle < 1e-6:
        return b if u >= 0.5 else a
    if angle > np.pi - 1e-3:  # a half turn has no axis in the skew part; the symmetric part has it
        m = (difference + np.eye(3)) / 2.0
        axis = m[:, int(np.argmax(np.diag(m)))]
    else:
        skew = difference - difference.T
        axis = np.array([skew[2, 1], skew[0, 2], skew[1, 0]])
    return a @ turn(axis, angle * u)


def mirrored(points: Array) -> Array:
    """Return points (..., 3) seen in a mirror across x = 0: a right limb becomes a left one."""
    flipped: Array = points * np.array([-1.0, 1.0, 1.0])
    return flipped


# --- the hand -----------------------------------------------------------------------------------

THUMB = slice(0, 5)
"""Angles of the thumb: away from the index in the palm's plane, out of that plane, roll of the
bending plane, then the bends of its two outer joints."""
INDEX, MIDDLE, RING, LITTLE = slice(5, 9), slice(9, 13), slice(13, 17), slice(17, 21)
"""Angles of a finger: splay toward the thumb, then the bends of MCP, PIP and DIP."""

HAND_ANGLES = 21

PALM_WIDTH_M = 0.065
"""From the index knuckle to the little finger's (points 5 and 17)."""

# Phalanges: Buryanov & Kotiuk 2010, "Proportions of hand segments", Int. J. Morphol. 28(3),
# with 4 mm of soft tissue at each tip. Knuckles: their metacarpals on a carpus of 25 mm, fanned
# and arched as in the hands MediaPipe reports.
_KNUCKLES_M = np.array(
    [[0.0245, 0.0915, 0.005], [0.0, 0.0935, 0.0], [-0.0205, 0.086, 0.002], [-0.0385, 0.0735, 0.007]]
)
_PHALANGES_M = np.array(
    [[0.0398, 0.0224, 0.0196], [0.0446, 0.0263, 0.0214],
     [0.0414, 0.0257, 0.0213], [0.0327, 0.0181, 0.0197]]
)  # fmt: skip
_THUMB_ROOT_M = np.array([0.024, 0.022, 0.013])
_THUMB_M = np.array([0.0440, 0.0330, 0.0260])
# Fingers are not parallel when straight, and converge toward the wrist when bent.
_SPLAY_DEG = np.array([3.0, 0.0, -4.0, -9.0])
_CONVERGE = np.array([-0.10, 0.0, 0.10, 0.22])


def hand_points(angles_deg: ArrayLike, scale: float = 1.0) -> Array:
    """Return the 21 points (..., 21, 3) of a right hand, in metres on its own axes, wrist at 0.

    `angles_deg` is (..., 21), ordered as `THUMB`, `INDEX`, `MIDDLE`, `RING`, `LITTLE`. Points are
    in MediaPipe's order; bone lengths depend on `scale` alone.
    """
    a = np.deg2rad(np.asarray(angles_deg, dtype=np.float64))
    points = np.zeros((*a.shape[:-1], 21, 3))

    away, out, roll = a[..., 0], a[..., 1], a[..., 2]
    sa, ca, so, co = np.sin(away), np.cos(away), np.sin(out), np.cos(out)
    along = np.stack([co * sa, co * ca, so], axis=-1)
    inward = np.stack([-ca, sa, np.zeros_like(sa)], axis=-1)
    upward = np.stack([-so * sa, -so * ca, co], axis=-1)
    bend = np.cos(roll)[..., None] * inward + np.sin(roll)[..., None] * upward
    points[..., 1, :] = _THUMB_ROOT_M
    bends = np.cumsum(a[..., 2:5] * [0.0, 1.0, 1.0], axis=-1)
    points[..., 2:5, :] = _grow(_THUMB_ROOT_M, along, bend, bends, _THUMB_M)

    for finger, part in enumerate((INDEX, MIDDLE, RING, LITTLE)):
        splay = a[..., part.start] + np.deg2rad(_SPLAY_DEG[finger])
        s, c, zero = np.sin(splay), np.cos(splay), np.zeros_like(splay)
        along = np.stack([s, c, zero], axis=-1)
        sideways = np.stack([c, -s, zero], axis=-1)
        bend = _unit(_CONVERGE[finger] * sideways + np.array([0.0, 0.0, 1.0]))
        first = 5 + 4 * finger
        points[..., first, :] = _KNUCKLES_M[finger]
        bends = np.cumsum(a[..., part.start + 1 : part.stop], axis=-1)
        ends = _grow(_KNUCKLES_M[finger], along, bend, bends, _PHALANGES_M[finger])
        points[..., first + 1 : first + 4, :] = ends
    return points * scale


def _grow(root: Array, along: Array, bend: Array, bends_rad: Array, lengths_m: Array) -> Array:
    """Return the ends (..., 3, 3) of three bones from `root`, each bent in all from `along`."""
    t = bends_rad[..., None]
    directions = np.cos(t) * along[..., None, :] + np.sin(t) * bend[..., None, :]
    ends: Array = root + np.cumsum(lengths_m[:, None] * directions, axis=-2)
    return ends


def place_hand(points: Array, rotation: Array, wrist: ArrayLike) -> Array:
    """Turn hand points (..., 21, 3) by `rotation` (..., 3, 3) and put the wrist at (..., 3)."""
    w = np.asarray(wrist, dtype=np.float64)[..., None, :]
    placed: Array = points @ np.swapaxes(rotation, -1, -2) + w
    return placed


_STRAIGHT, _POINTING, _CLOSED = (5.0, 8.0, 5.0), (4.0, 6.0, 4.0), (82.0, 98.0, 55.0)
_THUMB_ACROSS = (28.0, 41.0, 7.0, 46.0, 45.0)
_THUMB_OUT = (46.0, 24.0, 10.0, 4.0, -4.0)


def _shape(
    thumb: Sequence[float],
    *fingers: Sequence[float],
    splay: Sequence[float] = (0.0, 0.0, 0.0, 0.0),
) -> Array:
    """Return the 21 angles in degrees of a thumb and four fingers of (MCP, PIP, DIP) bends."""
    flat: list[float] = list(thumb)
    for bends, sideways in zip(fingers, splay, strict=True):
        flat += [sideways, *bends]
    shape = np.array(flat, np.float64)
    shape.flags.writeable = False
    return shape


# fmt: off
HAND_SHAPES: Mapping[str, Array] = MappingProxyType({
    "rest": _shape((36, 28, 20, 12, 14), (22, 26, 14), (28, 30, 16), (32, 34, 18), (34, 34, 18),
                   splay=(2, 0, 0, 1)),
    "open_palm": _shape(_THUMB_OUT, _STRAIGHT, _STRAIGHT, _STRAIGHT, _STRAIGHT,
                        splay=(9, 2, -6, -12)),
    "fist": _shape(_THUMB_ACROSS, _CLOSED, _CLOSED, _CLOSED, _CLOSED),
    "point_up": _shape(_THUMB_ACROSS, _POINTING, _CLOSED, _CLOSED, _CLOSED),
    "victory": _shape((13, 42, 2, 49, 37), _POINTING, _POINTING, _CLOSED, _CLOSED,
                      splay=(9, -11, 0, 0)),
    "three": _shape((16, 36, 4, 58, 62), _STRAIGHT, _STRAIGHT, _STRAIGHT, _CLOSED,
                    splay=(8, 0, -8, 0)),
    "three/thumb": _shape(_THUMB_OUT, _POINTING, _POINTING, _CLOSED, _CLOSED, splay=(8, -8, 0, 0)),
    "four": _shape((11, 29, 4, 60, 68), _STRAIGHT, _STRAIGHT, _STRAIGHT, _STRAIGHT,
                   splay=(8, 2, -5, -10)),
    "thumb_up": _shape((62, 18, 0, -4, -14), _CLOSED, _CLOSED, _CLOSED, _CLOSED),
    "call_me": _shape((58, 20, 0, 0, -8), _CLOSED, _CLOSED, _CLOSED, _POINTING,
                      splay=(0, 0, 0, -16)),
    "horns": _shape((22, 43, 4, 50, 38), _POINTING, _CLOSED, _CLOSED, _POINTING,
                    splay=(4, 0, 0, -8)),
    "ok": _shape((13, 15, 58, 26, 26), (21, 73, 44), (16, 14, 8), (8, 8, 5), (5, 6, 4),
                 splay=(0, 2, -6, -12)),
    "pinch": _shape((21, 23, 49, 29, 29), (41, 59, 30), (44, 52, 26), (50, 58, 28), (52, 56, 28)),
})
# fmt: on
"""Joint angles in degrees, (21,) read-only, of every hand pose of the catalog; `thumb_down` is the
shape of `thumb_up` turned over. `name/variant` is another way to show the same gesture."""


def hand_shape(name: str) -> Array:
    """Return the joint angles of a pose or variant of the catalog.

    Raises:
        KeyError: no such hand shape.
    """
    return HAND_SHAPES["thumb_up" if name == "thumb_down" else name]


PALM_OUT = facing((0.0, -1.0, -0.06), (0.0, 0.0, -1.0))
FACINGS: Mapping[str, Array] = MappingProxyType(
    {
        "palm_out": PALM_OUT,
        "thumb_up": facing((0.77, -0.09, -0.62), (0.54, -0.34, 0.75)),
        "thumb_down": facing((0.94, 0.09, 0.25), (0.20, 0.35, -0.88)),
        "call_me": facing((0.75, -0.50, -0.30), (0.40, -0.20, 0.90)),
        "hanging": facing((0.05, 1.0, -0.20), (0.45, 0.0, 1.0)),
    }
)
"""Where a right hand's fingers and palm look in a gesture, (3, 3); others look `palm_out`."""


def hand_facing(name: str) -> Array:
    """Return the rotation (3, 3) of a right hand that shows this gesture to the camera."""
    return FACINGS.get(name, PALM_OUT)


# --- motions of a hand --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Motion:
    """One stroke of the wrist.

    `path(u)` gives the wrist's offset (..., 3) in units of `size_m` at time u (...) in 0..1, from
    the middle of the movement, and rests at both ends; `arm_size_m` is the unit when the whole arm
    makes the stroke. `swing(u)` gives the turn (...) in radians of hand and forearm about the
    elbow, seen by the camera as clockwise: most of a sideways stroke. `shape` is the hand's.
    """

    path: Callable[[ArrayLike], Array]
    swing: Callable[[ArrayLike], Array]
    size_m: float
    arm_size_m: float
    duration_s: float
    shape: str = "open_palm"


def _line(dx: float, dy: float, dz: float) -> Callable[[ArrayLike], Array]:
    """Straight but for a slight rise in mid-stroke: the forearm pivots about the elbow."""
    direction = np.array([dx, dy, dz])
    bow = np.array([0.0, -0.10, 0.0]) * abs(dx)

    def path(u: ArrayLike) -> Array:
        s = minimum_jerk(u)[..., None]
        offset: Array = (s - 0.5) * direction + 4.0 * s * (1.0 - s) * bow
        return offset

    return path


def _ring(sign: float) -> Callable[[ArrayLike], Array]:
    def path(u: ArrayLike) -> Array:
        turned = 2.0 * np.pi * minimum_jerk(u)
        return np.stack([sign * np.sin(turned), -np.cos(turned), np.zeros_like(turned)], axis=-1)

    return path


def _still(u: ArrayLike) -> Array:
    return np.zeros((*np.shape(u), 3))


def _no_swing(u: ArrayLike) -> Array:
    return np.zeros(np.shape(u))


def _tilt(to_rad: float) -> Callable[[ArrayLike], Array]:
    """The hand leans into a sideways stroke as the forearm does."""

    def swing(u: ArrayLike) -> Array:
        return to_rad * (minimum_jerk(u) - 0.5)

    return swing


WAVES = 3
"""Oscillations of one `wave`."""


def _wave(u: ArrayLike) -> Array:
    t = np.clip(np.asarray(u, dtype=np.float64), 0.0, 1.0)
    envelope = minimum_jerk(6.0 * t) * minimum_jerk(6.0 * (1.0 - t))
    swing: Array = np.deg2rad(20.0) * envelope * np.sin(2.0 * np.pi * WAVES * t)
    return swing


MOTIONS: Mapping[str, Motion] = MappingProxyType(
    {
        "swipe_left": Motion(_line(1, 0, 0), _tilt(0.70), 0.10, 0.38, 0.36),
        "swipe_right": Motion(_line(-1, 0, 0), _tilt(-0.70), 0.10, 0.38, 0.36),
        "swipe_up": Motion(_line(0, -1, 0), _no_swing, 0.21, 0.46, 0.36),
        "swipe_down": Motion(_line(0, 1, 0), _no_swing, 0.21, 0.46, 0.36),
        # Clockwise for the user, who sees the image's left on the right.
        "circle_cw": Motion(_ring(-1.0), _no_swing, 0.075, 0.17, 1.0, "point_up"),
        "circle_ccw": Motion(_ring(1.0), _no_swing, 0.075, 0.17, 1.0, "point_up"),
        "wave": Motion(_still, _wave, 1.0, 1.0, WAVES / 2.0),
        "push": Motion(_line(0, 0, -1), _no_swing, 0.24, 0.30, 0.45),
    }
)
"""The strokes of a hand held before a camera, in metres and seconds at their usual size and speed.
Directions are the user's own: `swipe_left` goes toward larger x of the unmirrored image."""


# --- the body -----------------------------------------------------------------------------------

STATURE_M = 1.74
# Fractions of stature: Drillis & Contini 1966, as in Winter 2009, "Biomechanics and Motor Control
# of Human Movement", fig. 4.1. Half widths are those between joint centres, not of the silhouette.
SHOULDER_HEIGHT_M, HIP_HEIGHT_M = 0.818 * STATURE_M, 0.530 * STATURE_M
UPPER_ARM_M, FOREARM_M = 0.172 * STATURE_M, 0.150 * STATURE_M
THIGH_M, SHANK_M, ANKLE_HEIGHT_M = 0.245 * STATURE_M, 0.246 * STATURE_M, 0.039 * STATURE_M
SHOULDER_HALF_M, HIP_HALF_M = 0.102 * STATURE_M, 0.056 * STATURE_M
TRUNK_M = SHOULDER_HEIGHT_M - HIP_HEIGHT_M

# Points of the head from mid-shoulder: nose, eyes (inner, middle, outer; left then right), ears,
# mouth; the person's left is +x.
_HEAD_M = np.array([
    [0.0, -0.176, -0.115],
    [0.018, -0.212, -0.096], [0.032, -0.213, -0.094], [0.045, -0.211, -0.086],
    [-0.018, -0.212, -0.096], [-0.032, -0.213, -0.094], [-0.045, -0.211, -0.086],
    [0.077, -0.190, -0.010], [-0.077, -0.190, -0.010],
    [0.026, -0.138, -0.098], [-0.026, -0.138, -0.098],
])  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """Where one arm is. All of it is told as of a right arm; a left one is drawn mirrored.

    `wrist` (3,) is in metres from the middle between the shoulders, `pole` (3,) the direction in
    which the elbow points, `rotation` (3, 3) and `angles_deg` (21,) the hand's.
    """

    wrist: Array
    pole: Array
    rotation: Array
    angles_deg: Array


@dataclass(frozen=True, slots=True, eq=False)
class Stance:
    """A whole person, standing on the floor at (x, z) = `feet` (2,).

    `drop_m` is how far the hips have sunk (a squat), `lean_rad` how far the trunk leans forward.
    """

    feet: Array
    right: Arm
    left: Arm
    drop_m: float = 0.0
    lean_rad: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """The points of a person, in metres: `body` (33, 3), `right` and `left` (21, 3).

    The floor is at y = 0, so that all heights are negative.
    """

    body: Array
    right: Array
    left: Array


def two_bones(
    root: Array, target: Array, first_m: float, second_m: float, pole: Array
) -> tuple[Array, Array]:
    """Return the middle joint and the end of two bones that reach from `root` toward `target`.

    The joint points toward `pole`. A target out of reach is approached as far as the bones allow,
    so that their lengths never change.
    """
    toward = target - root
    distance = float(np.linalg.norm(toward))
    direction = toward / distance if distance > 1e-9 else np.array([0.0, 1.0, 0.0])
    reach = min(max(distance, abs(first_m - second_m) + 1e-6), (first_m + second_m) * 0.9995)
    along = (first_m**2 - second_m**2 + reach**2) / (2.0 * reach)
    height = np.sqrt(max(first_m**2 - along**2, 0.0))
    sideways = _unit(pole - (pole @ direction) * direction)
    return root + along * direction + height * sideways, root + reach * direction


def figure(stance: Stance) -> Figure:
    """Return all points of a person in this stance."""
    body = np.zeros((33, 3))
    ground = np.array([stance.feet[0], 0.0, stance.feet[1]])
    # Hips go back as they sink, and a leaning trunk brings the shoulders over the feet again.
    hips = ground + np.array([0.0, -(HIP_HEIGHT_M - stance.drop_m), 0.45 * stance.drop_m])
    lean = turn((1.0, 0.0, 0.0), stance.lean_rad)
    chest = hips + lean @ np.array([0.0, -TRUNK_M, 0.0])

    head_lean = turn((1.0, 0.0, 0.0), 0.4 * stance.lean_rad)  # eyes stay on the camera
    body[0:11] = chest + _HEAD_M @ head_lean.T
    hands = []
    for side, arm, shift in ((1.0, stance.left, 0), (-1.0, stance.right, 1)):
        flip = np.array([-side, 1.0, 1.0])  # tables tell of a right limb, at negative x
        shoulder = chest + lean @ np.array([side * SHOULDER_HALF_M, 0.0, 0.0])
        elbow, wrist = two_bones(
            shoulder, chest + arm.wrist * flip, UPPER_ARM_M, FOREARM_M, arm.pole * flip
        )
        shape = place_hand(hand_points(arm.angles_deg), arm.rotation, np.zeros(3)) * flip + wrist
        hands.append(shape)
        body[11 + shift], body[13 + shift], body[15 + shift] = shoulder, elbow, wrist
        body[17 + shift], body[19 + shift], body[21 + shift] = shape[17], shape[5], shape[2]

        hip = hips + np.array([side * HIP_HALF_M, 0.0, 0.0])
        ankle = ground + np.array([side * (HIP_HALF_M + 0.035), -ANKLE_HEIGHT_M, 0.02])
        knee, ankle = two_bones(hip, ankle, THIGH_M, SHANK_M, np.array([side * 0.45, 0.0, -1.0]))
        body[23 + shift], body[25 + shift], body[27 + shift] = hip, knee, ankle
        body[29 + shift] = ankle + np.array([0.0, 0.045, 0.05])
        body[31 + shift] = ankle + np.array([side * 0.04, 0.055, -0.15])
    return Figure(body, right=hands[1], left=hands[0])


_REST = HAND_SHAPES["rest"]
_DOWN_AND_BACK = np.array([-0.35, 0.6, 0.7])
HANGING = Arm(np.array([-0.235, 0.53, -0.05]), _DOWN_AND_BACK, FACINGS["hanging"], _REST)
ON_DESK = Arm(
    np.array([-0.20, 0.53, -0.22]),
    np.array([-0.6, 0.8, 0.6]),
    facing((0.12, 0.10, -0.98), (0.0, 1.0, 0.10)),
    _REST,
)
STRAIGHT_UP = Arm(
    np.array([-0.215, -0.56, -0.02]),
    np.array([-1.0, 0.0, -0.2]),
    facing((0.0, -1.0, 0.0), (0.25, 0.0, -1.0)),
    HAND_SHAPES["open_palm"],
)
STRAIGHT_OUT = Arm(
    np.array([-0.72, 0.0, -0.03]),
    np.array([0.0, 0.6, 0.8]),
    facing((-1.0, 0.0, 0.0), (0.0, 0.75, -0.65)),
    HAND_SHAPES["open_palm"],
)
STRAIGHT_AHEAD = Arm(
    np.array([-0.20, 0.10, -0.50]),
    np.array([-0.6, 1.0, 0.0]),
    facing((0.0, -0.1, -1.0), (0.2, 1.0, 0.0)),
    _REST,
)

BODY_POSES: Mapping[str, tuple[Arm, float, float]] = MappingProxyType(
    {
        "arms_up": (STRAIGHT_UP, 0.0, 0.0),
        "t_pose": (STRAIGHT_OUT, 0.0, 0.0),
        "squat": (STRAIGHT_AHEAD, 0.42, 0.55),
    }
)
"""Both arms, the drop of the hips in metres and the lean of the trunk in radians."""
