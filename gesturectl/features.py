"""Describe hands and bodies by numbers that mean the same for everyone.

Two kinds of description leave here, both for right hands: a left one is mirrored first, so
that one model serves both sides.

- *Shape*, one vector a frame, for poses: what the fingers or the limbs do and which way the
  palm looks, free of place, size and side.
- *Motion*, one vector a grid step, for strokes: how far the palm (or wrist) has moved over
  several spans, in palm widths (or shoulder widths), resampled on time stamps to `STEP_US`
  so that 15 and 60 frames a second tell the same story.

Both are computed here and nowhere else: training calls `hand_shapes`, `body_shapes` and
`motion_batch` on whole recordings, the daemon steps a `Track`; a test holds them equal.
A model names the `FEATURES_VERSION` it was trained on and is refused on any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gesturectl.types import HAND_POINTS, Float32, Hand, Side

FEATURES_VERSION = 1

STEP_US = 33_333  # the grid of motion: 30 steps a second
MAX_GAP_US = 150_000  # a shorter loss of tracking is bridged, a longer one starts afresh
LAGS = (1, 3, 8, 16)  # spans of displacement, in steps: 33, 100, 267 and 533 ms
MAX_LAG = LAGS[-1]

# MediaPipe hand indices
WRIST, INDEX_MCP, MIDDLE_MCP, PINKY_MCP = 0, 5, 9, 17
_PARENT = np.array([0, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19])
_FINGER_ROOT = np.array([1, 5, 9, 13, 17])
_FINGER_TIP = np.array([4, 8, 12, 16, 20])
_PALM = np.array([0, 5, 9, 13, 17])
_NEAR_A = np.array(
    [4, 4, 4, 4, 4, 4, 8, 12, 16]
)  # pairs of points whose closeness tells poses apart
_NEAR_B = np.array([8, 12, 16, 20, 5, 6, 12, 16, 20])

HAND_SHAPE_SIZE = 20 * 3 + 5 + 5 + len(_NEAR_A) + 6

# MediaPipe body indices, as (left, right)
_SHOULDER, _ELBOW, _WRIST, _INDEX = (11, 12), (13, 14), (15, 16), (19, 20)
_HIP, _KNEE, _ANKLE = (23, 24), (25, 26), (27, 28)
_LIMB_A = np.array([11, 13, 12, 14, 23, 25, 24, 26, 11, 12])
_LIMB_B = np.array([13, 15, 14, 16, 25, 27, 26, 28, 23, 24])
_SEEN = np.array([13, 14, 15, 16, 23, 24, 25, 26, 27, 28])
# Wrist, elbow and index of one arm, wrist and elbow of the other: of the right, of the left.
_OF_ARMS = np.array([[16, 14, 20, 15, 13], [15, 13, 19, 16, 14]])
_MIRROR_BODY = np.array(
    [
        0,
        4,
        5,
        6,
        1,
        2,
        3,
        8,
        7,
        10,
        9,
        12,
        11,
        14,
        13,
        16,
        15,
        18,
        17,
        20,
        19,
        22,
        21,
        24,
        23,
        26,
        25,
        28,
        27,
        30,
        29,
        32,
        31,
    ]
)
# Columns of a body's shape: limb directions; arms, bends; visibility.
_LIMBS, _PLACES, _BENDS, _VISIBLE = (
    slice(0, 20), slice(20, 28), slice(28, 34), slice(34, 44)
)  # fmt: skip
BODY_SHAPE_SIZE = _VISIBLE.stop

_TINY = 1e-6
_TURNED, _BACK = np.array([1, 2, 0]), np.array([2, 0, 1])  # x, y, z; for cross products


def _within(values: Float32, most: float) -> Float32:
    """Cut values to -most..most, in place: what `np.clip` does, in a third of its time."""
    np.maximum(values, np.float32(-most), out=values)
    return np.minimum(values, np.float32(most), out=values)


def _length(v: NDArray[Any]) -> NDArray[Any]:
    """Return how long vectors (…, 2) or (…, 3) are."""
    square = v * v
    # One after the other, as numpy adds along a short axis, in a third of its time.
    total = square[..., 0] + square[..., 1]
    if v.shape[-1] == 3:
        total += square[..., 2]
    long: NDArray[Any] = np.sqrt(total, out=total)
    return long


# --- hands --------------------------------------------------------------------------------------


def hand_points(hands: Sequence[Hand], size_px: tuple[int, int]) -> Float32:
    """Return float32 (N, 21, 3) in units of the image's height, left hands mirrored to right.

    x and z are multiplied by the aspect, so that shapes are true whatever the picture's format.
    """
    aspect = size_px[0] / size_px[1]
    points = np.array([hand.image for hand in hands], np.float32)
    signs = np.array([aspect if hand.side == "right" else -aspect for hand in hands], np.float32)
    points[..., 0] *= signs[:, None]
    points[..., 2] *= aspect
    return points


# Everything that is measured of a hand is a way from one point to another: the palm's four, the 20
# bones, each finger's reach, fingertips to wrist, and pairs that are near or not.
_WAYS = np.array(
    [
        *((MIDDLE_MCP, WRIST), (INDEX_MCP, PINKY_MCP), (INDEX_MCP, WRIST), (PINKY_MCP, WRIST)),
        *((point, _PARENT[point]) for point in range(1, HAND_POINTS)),
        *zip(_FINGER_TIP, _FINGER_ROOT, strict=True),
        *((tip, WRIST) for tip in _FINGER_TIP),
        *zip(_NEAR_A, _NEAR_B, strict=True),
    ]
)
_TO, _FROM = _WAYS.T
_PALM_WAYS, _BONES, _REACH, _APART = slice(0, 4), slice(4, 24), slice(24, 29), slice(29, None)


@dataclass(frozen=True, slots=True, eq=False)
class _Ways:
    """Ways between the points of hands (N, W, 3), and how long they are (N, W)."""

    ways: Float32
    long: Float32

    @classmethod
    def of(cls, points: Float32) -> _Ways:
        ways = points.take(_TO, 1) - points.take(_FROM, 1)
        return cls(ways, _length(ways))


def palm_frame(points: Float32) -> tuple[Float32, Float32]:
    """Return the palm's axes float32 (N, 3, 3) as rows (across, up, out) and its size (N,).

    `across` runs from the little to the index finger's knuckle, `up` from the wrist to the middle
    knuckle, `out` leaves the palm's plane. The size is the mean of three sides of the palm: it
    keeps when the palm is turned about any one of its axes.
    """
    return _palm_frame(_Ways.of(points))


def _palm_frame(seen: _Ways) -> tuple[Float32, Float32]:
    ways, long = seen.ways[:, _PALM_WAYS], seen.long[:, _PALM_WAYS]
    axes = np.empty((len(ways), 3, 3), np.float32)
    up = ways[:, 0] / (long[:, :1] + _TINY)
    across = ways[:, 1]
    along = across * up
    across = across - (along[:, :1] + along[:, 1:2] + along[:, 2:]) * up
    across /= _length(across)[:, None] + _TINY
    axes[:, 0], axes[:, 1] = across, up
    turn, back = across.take(_TURNED, 1), up.take(_TURNED, 1)
    axes[:, 2] = turn * up.take(_BACK, 1) - across.take(_BACK, 1) * back
    size: NDArray[Any] = (long[:, 1] + long[:, 2] + long[:, 3]) / 3
    return axes, (size + _TINY).astype(np.float32)


def curls(points: Float32) -> Float32:
    """Return float32 (N, 5): 0 for a straight finger, toward 1 for one rolled up, thumb first."""
    return _curls(_Ways.of(points))


def _curls(seen: _Ways) -> Float32:
    bones = seen.long[:, _BONES].reshape(-1, 5, 4)
    chain = bones[..., 1] + bones[..., 2] + bones[..., 3]
    curled: Float32 = (1 - seen.long[:, _REACH] / (chain + _TINY)).astype(np.float32)
    return curled


def hand_shapes(points: Float32) -> Float32:
    """Describe hands free of place, size and side.

    In: float32 (N, 21, 3) as `hand_points` gives them. Out: float32 (N, HAND_SHAPE_SIZE): 20 bone
    directions in the palm's frame, 5 curls, 5 fingertip-to-wrist and 9 point-to-point distances
    in palm sizes, then the palm's `up` and `out` axes in the image, which tell thumb_up from
    thumb_down.
    """
    return hand_shapes_and_signals(points)[0]


def hand_shapes_and_signals(points: Float32) -> tuple[Float32, Float32]:
    """Return what `hand_shapes` and `hand_signals` return; what both need is worked out once."""
    seen = _Ways.of(points)
    axes, size = _palm_frame(seen)
    curled = _curls(seen)
    bones = seen.ways[:, _BONES] / (seen.long[:, _BONES, None] + _TINY)
    local = bones @ axes.transpose(0, 2, 1)
    up_and_out = axes[:, 1:].reshape(len(points), 6)
    apart = seen.long[:, _APART] / size[:, None]
    shapes = np.concatenate(
        [local.reshape(len(points), 60), curled, apart, up_and_out], axis=1, dtype=np.float32
    )
    centre = np.add.reduce(points[:, _PALM, :2], 1) / np.float32(len(_PALM))  # as `mean` does
    signals = np.concatenate(
        [centre, np.log(size)[:, None], up_and_out, curled], axis=1, dtype=np.float32
    )
    return shapes, signals


# --- bodies -------------------------------------------------------------------------------------


def body_points(image: Float32, size_px: tuple[int, int]) -> Float32:
    """Return float32 (…, 33, 4): x, y, z in units of the image's height, and visibility."""
    aspect = np.float32(size_px[0] / size_px[1])
    return (image * np.array([aspect, 1, aspect, 1], np.float32)).astype(np.float32)


def mirror_body(points: Float32) -> Float32:
    """Return the body as a mirror shows it: left and right change places, x its sign."""
    return (points[..., _MIRROR_BODY, :] * np.array([-1, 1, 1, 1], np.float32)).astype(np.float32)


def _body_scale(points: Float32) -> tuple[Float32, Float32]:
    """Return the middle of the shoulders (N, 2) and the unit of length (N,).

    The unit is the shoulders' width, or 0.6 of the torso's length where that is more: a person
    turned sideways keeps it.
    """
    left, right = points[:, 11, :2], points[:, 12, :2]
    middle = (left + right) / 2
    hips = (points[:, 23, :2] + points[:, 24, :2]) / 2
    unit = np.maximum(_length(left - right), 0.6 * _length(hips - middle)) + _TINY
    return middle.astype(np.float32), unit.astype(np.float32)


# Ways between points of a body: the limbs, then of each side thigh, shin and trunk from the joint
# that bends.
_BODY_WAYS = np.array(
    [
        *zip(_LIMB_B, _LIMB_A, strict=True),
        *(way for hip, knee, ankle, shoulder in zip(_HIP, _KNEE, _ANKLE, _SHOULDER, strict=True)
          for way in ((hip, knee), (ankle, knee), (shoulder, hip))),
    ]
)  # fmt: skip


_BODY_TO, _BODY_FROM = _BODY_WAYS.T


def body_shapes(points: Float32) -> Float32:
    """Describe bodies free of place and size.

    In: float32 (N, 33, 4) as `body_points` gives them. Out: float32 (N, BODY_SHAPE_SIZE): limb
    directions in the image, wrists and elbows from the middle of the shoulders in shoulder
    widths, hip and knee bends and hip heights, then the visibility of the joints used.
    """
    return _body_shapes(points, *_body_scale(points))


def _body_shapes(points: Float32, middle: Float32, unit: Float32) -> Float32:
    n, xy = len(points), points[..., :2]
    ways = xy.take(_BODY_TO, 1) - xy.take(_BODY_FROM, 1)
    ways /= _length(ways)[..., None] + _TINY
    joints = ways[:, len(_LIMB_A) :].reshape(n, 2, 3, 2)  # side; thigh, shin, trunk; x, y
    shapes = np.empty((n, BODY_SHAPE_SIZE), np.float32)
    shapes[:, _LIMBS] = ways[:, : len(_LIMB_A)].reshape(n, -1)
    arms = (xy[:, 13:17] - middle[:, None]) / unit[:, None, None]  # elbows, wrists
    shapes[:, _PLACES] = arms.reshape(n, -1)
    by_side = np.empty((n, 2, 3), np.float32)
    for k, (one, another) in enumerate(((0, 1), (2, 0))):
        along = joints[:, :, one] * joints[:, :, another]
        by_side[:, :, k] = along[..., 0] + along[..., 1]
    by_side[:, :, 1] *= -1  # the thigh as seen from the hip
    by_side[:, :, 2] = (xy[:, 25:27, 1] - xy[:, 23:25, 1]) / unit[:, None]  # knees, hips
    shapes[:, _BENDS] = by_side.reshape(n, -1)
    _within(shapes[:, _PLACES.start : _BENDS.stop], 4)
    shapes[:, _VISIBLE] = points[:, _SEEN, 3]
    return shapes


# --- motion -------------------------------------------------------------------------------------

# A signal is what one frame says about a moving hand or arm. Columns 0, 1 are the place of the
# palm or wrist, column 2 the logarithm of the unit of length; the others depend on the kind.
HAND_SIGNAL_SIZE = 3 + 6 + 5
ARM_SIGNAL_SIZE = 3 + 8 + 2
HAND_MOTION_SIZE = 2 * len(LAGS) + 2 + 6 + 2 + 5 + 2
ARM_MOTION_SIZE = 2 * len(LAGS) + 8 + 4 + 2 + 2


def hand_signals(points: Float32) -> Float32:
    """Return float32 (N, HAND_SIGNAL_SIZE): palm centre, log size, palm axes `up`, `out`, curls."""
    return hand_shapes_and_signals(points)[1]


def arm_signals(points: Float32) -> Float32:
    """Return float32 (N, ARM_SIGNAL_SIZE) of the right arm; mirror the body first for the left.

    The wrist and the shoulders' middle in image heights with the log shoulder width, then elbow,
    index, other wrist and other elbow from the shoulders' middle in shoulder widths, and the
    visibility of both wrists.
    """
    right: Float32 = _arm_signals(points, *_body_scale(points))[0]
    return right


def _arm_signals(points: Float32, middle: Float32, unit: Float32) -> Float32:
    """Return signals (2, N, ARM_SIGNAL_SIZE): of the right arm, and of the left one in a mirror."""
    relative = (points[:, _OF_ARMS, :2] - middle[:, None, None]) / unit[:, None, None, None]
    relative[:, 1, :, 0] *= -1
    signals = np.zeros((2, len(points), ARM_SIGNAL_SIZE), np.float32)
    signals[1, :, 11:] = wrists = points[:, 15:17, 3]
    signals[0, :, 11:] = wrists[:, ::-1]
    for arm, places in enumerate(_within(relative, 5).swapaxes(0, 1)):
        # The wrist is kept in shoulder widths already (log unit 0): the body may walk or lean.
        signals[arm, :, :2] = places[:, 0]
        signals[arm, :, 3:11] = places[:, 1:].reshape(-1, 8)
    return signals


def body_shapes_and_arms(points: Float32) -> tuple[Float32, Float32]:
    """Return `body_shapes` (N, BODY_SHAPE_SIZE), and `arm_signals` (2, N, ARM_SIGNAL_SIZE) of the
    right arm and of the left one as a mirror shows it; what both need is worked out once.
    """
    middle, unit = _body_scale(points)
    return _body_shapes(points, middle, unit), _arm_signals(points, middle, unit)


_SPANS = np.array([0.5, 1.5, 3.0, 4.0], np.float32)[:, None]  # speeds of strokes come out near 1
_LAG_3, _LAG_8 = LAGS.index(3), LAGS.index(8)


def _motion(now: Float32, past: Float32, age: Float32, *, arm: bool) -> Float32:
    """Combine a signal (N, S) with the signals `LAGS` steps earlier (N, 4, S) into motion features.

    Returns float32 (N, M). `age` (N,) counts the steps since this hand or arm appeared. One
    function for streams and recordings, so that they cannot drift apart.
    """
    scale = np.exp((now[:, 2] + past[:, _LAG_3, 2] + past[:, _LAG_8, 2]) / 3)
    vector = np.empty((len(now), ARM_MOTION_SIZE if arm else HAND_MOTION_SIZE), np.float32)
    moved = vector[:, :8].reshape(len(now), 4, 2)  # the same numbers
    np.subtract(now[:, None, :2], past[:, :, :2], out=moved)
    moved /= scale[:, None, None]
    moved /= _SPANS
    if arm:
        moved *= 4  # a shoulder width is about four palm widths
        vector[:, 8:10] = now[:, :2]
        vector[:, 10:12] = now[:, 3:5]
        vector[:, 12:14] = now[:, 5:7] - now[:, :2]
        vector[:, 14:16] = now[:, 7:9]
        vector[:, 16:18] = now[:, 7:9] - past[:, _LAG_3, 7:9]
        vector[:, 18:20] = now[:, 7:9] - past[:, _LAG_8, 7:9]
        vector[:, 20:22] = now[:, 11:13]
    else:
        vector[:, 8] = (now[:, 2] - past[:, _LAG_3, 2]) * 4
        vector[:, 9] = (now[:, 2] - past[:, _LAG_8, 2]) * 4
        vector[:, 10:16] = now[:, 3:9]
        vector[:, 16:18] = (now[:, 3:5] - past[:, _LAG_3, 3:5]) * 2
        vector[:, 18:23] = now[:, 9:14]
    vector[:, -2] = np.minimum(age, 30) / 30
    vector[:, -1] = 1
    return _within(vector, 6)


def resample(t_us: NDArray[np.int64], signals: Float32) -> tuple[NDArray[np.int64], Float32]:
    """Put a recording's signals on the grid of multiples of `STEP_US`.

    In: stamps (T,) of the frames that show the subject, signals float32 (T, S). Out: the grid's
    step numbers (G,) and signals (G, S). Steps inside gaps longer than `MAX_GAP_US` are absent.
    """
    if len(t_us) == 0:
        return np.zeros(0, np.int64), np.zeros((0, signals.shape[1]), np.float32)
    first, last = -(-int(t_us[0]) // STEP_US), int(t_us[-1]) // STEP_US
    steps = np.arange(first, last + 1, dtype=np.int64)
    at = steps * STEP_US
    after = np.clip(np.searchsorted(t_us, at, side="left"), 0, len(t_us) - 1)
    before = np.where(t_us[after] == at, after, np.maximum(after - 1, 0))
    gap = t_us[after] - t_us[before]
    keep = gap <= MAX_GAP_US
    part = np.where(gap > 0, (at - t_us[before]) / np.maximum(gap, 1), 0.0)[:, None]
    mixed = signals[before] + part.astype(np.float32) * (signals[after] - signals[before])
    return steps[keep], mixed[keep].astype(np.float32)


def motion_batch(t_us: NDArray[np.int64], signals: Float32, *, arm: bool) -> tuple[Any, Float32]:
    """Return step numbers (G,) and motion features (G, M) of a whole recording of one subject."""
    steps, grid = resample(t_us, signals)
    index = np.arange(len(steps))
    starts = np.r_[True, np.diff(steps) > 1] if len(steps) else np.zeros(0, bool)
    first = np.maximum.accumulate(np.where(starts, index, 0)) if len(steps) else index
    past = grid[np.maximum(index[:, None] - np.array(LAGS), first[:, None])]
    if not len(steps):
        return steps, np.zeros((0, ARM_MOTION_SIZE if arm else HAND_MOTION_SIZE), np.float32)
    return steps, _motion(grid, past, (index - first).astype(np.float32), arm=arm)


class Moment(NamedTuple):
    """One grid step of a hand or arm: its number, how many came before it since the hand or arm
    appeared, and its signals: now, and `LAGS` steps earlier.
    """

    step: int
    age: int
    signals: list[Float32]


def motions(moments: Sequence[Moment], *, arm: bool) -> Float32:
    """Return the motion features (N, M) of hands, or of arms: what `motion_batch` gives for them.

    For two at once: they cost hardly more than one.
    """
    signals = np.array([moment.signals for moment in moments])
    ages = np.array([moment.age for moment in moments], np.float32)
    return _motion(signals[:, 0], signals[:, 1:], ages, arm=arm)


@dataclass(slots=True)
class Track:
    """The recent signals of one hand or arm, on the grid. Feed frames, get moments."""

    _history: list[Float32] = field(default_factory=list)
    _last: tuple[int, Float32] | None = None
    _step: int | None = None
    _age: int = 0

    def reset(self) -> None:
        """Forget everything, as after a long gap."""
        self._history.clear()
        self._last = self._step = None
        self._age = 0

    def push(self, t_us: int, signal: Float32) -> list[Moment]:
        """Take one frame's signal; return the grid steps that it completes."""
        done: list[Moment] = []
        if self._last is not None and t_us - self._last[0] > MAX_GAP_US:
            self.reset()
        if self._last is None:
            self._last = (t_us, signal)
            if t_us % STEP_US == 0:
                self._append(t_us // STEP_US, signal, done)
            return done
        then, old = self._last
        for step in range(then // STEP_US + 1, t_us // STEP_US + 1):
            part = np.float32((step * STEP_US - then) / (t_us - then))
            self._append(step, old + part * (signal - old), done)
        self._last = (t_us, signal)
        return done

    def _append(self, step: int, signal: Float32, done: list[Moment]) -> None:
        self._age = 0 if self._step is None else self._age + 1
        self._step = step
        history = self._history
        history.append(signal)
        newest = len(history) - 1
        past = [history[max(newest - lag, 0)] for lag in LAGS]
        done.append(Moment(step, self._age, [signal, *past]))
        if newest == MAX_LAG:
            del history[0]


def other(side: Side) -> Side:
    """Return the other side."""
    return "left" if side == "right" else "right"


_MIRRORED = {
    "swipe_left": "swipe_right",
    "swipe_right": "swipe_left",
    "circle_cw": "circle_ccw",
    "circle_ccw": "circle_cw",
}


def mirrored(gesture: str) -> str:
    """Return what a gesture is in a mirror, which is how left hands and arms are described."""
    return _MIRRORED.get(gesture, gesture)
