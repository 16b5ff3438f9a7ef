"""Where in a picture to look closely: a square, turned as what it shows is turned.

The landmark networks were trained on crops in which a hand points up and a body stands, and which
they fill by a fixed share. The rules by which a region follows from what a detector or the last
frame has found are therefore part of the networks; they are those of MediaPipe's graphs
(mediapipe/tasks/cc/vision: hand_detector_graph, hand_landmarks_detector_graph,
pose_detector_graph, pose_landmarks_detector_graph, and the calculators that they name).

Pixels throughout: x to the right, y down; angles in radians, clockwise as seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Points = NDArray[np.floating[Any]]
Matrix = NDArray[np.float64]

# How much of what is around a palm, a hand and a body a crop shows, and how far it is moved toward
# the fingers, in its own heights.
PALM_SCALE: Final = 2.6
PALM_SHIFT: Final = 0.5
# MediaPipe's graph for palms gives the angle at which a hand points up as 90, in radians where
# degrees are meant: its crops are turned by what 90 exceeds a right angle and whole turns. So are
# ours, for thresholds were found with it. Seen: without it, the first frame is 2.7 px off.
PALM_TURN: Final = 90.0 % (2 * pi) - pi / 2
HAND_SCALE: Final = 2.0
HAND_SHIFT: Final = 0.1
BODY_SCALE: Final = 1.25

WRIST, INDEX, MIDDLE, RING = 0, 5, 9, 13  # where the fingers begin
# A hand's box is taken around its palm and the first joints of its fingers, so that the box does
# not change its size when fingers are bent.
STEADY: Final = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)


@dataclass(frozen=True, slots=True)
class Region:
    """A square of `side` pixels around (x, y), turned by `angle`."""

    x: float
    y: float
    side: float
    angle: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the square as if it were not turned."""
        half = self.side / 2
        return self.x - half, self.y - half, self.x + half, self.y + half

    def matrix(self, side_px: int) -> Matrix:
        """Return float64 (2, 3): from pixels of a crop of `side_px` to pixels of the picture."""
        scale = self.side / side_px
        c, s, half = cos(self.angle) * scale, sin(self.angle) * scale, side_px / 2
        x, y = self.x - (c - s) * half, self.y - (c + s) * half
        return np.array([[c, -s, x], [s, c, y]])


def whole(size_px: tuple[int, int]) -> Region:
    """Return the smallest upright square around the middle of a picture that holds it all."""
    width, height = size_px
    return Region(width / 2, height / 2, float(max(size_px)), 0.0)


def crop(rgb: Pixels, matrix: Matrix, side_px: int, *, black: bool, out: Pixels) -> Pixels:
    """Cut a square out of a picture into `out`, uint8 (side_px, side_px, 3).

    Beyond the picture's edge all is black, or as it is at the edge.
    """
    return cv2.warpAffine(  # type: ignore[no-any-return]
        rgb,
        matrix,
        (side_px, side_px),
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT if black else cv2.BORDER_REPLICATE,
    )


def placed(points: Points, matrix: Matrix) -> Matrix:
    """Return where points (N, 2) of a crop are in the picture."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def of_palm(box: Matrix, wrist: Matrix, middle: Matrix) -> Region:
    """Return where to look for a hand whose palm a detector has found.

    `box` is left, top, right, bottom; `middle` is where the middle finger begins.
    """
    angle = upright(wrist, middle) + PALM_TURN
    width, height = box[2] - box[0], box[3] - box[1]
    return Region(
        float(box[0] + box[2]) / 2 + height * PALM_SHIFT * sin(angle),
        float(box[1] + box[3]) / 2 - height * PALM_SHIFT * cos(angle),
        float(max(width, height)) * PALM_SCALE,
        angle,
    )


def of_hand(points: Matrix) -> Region:
    """Return where a hand seen at points (21, 2) is looked for in the next frame."""
    knuckles = ((points[INDEX] + points[RING]) / 2 + points[MIDDLE]) / 2
    angle = upright(points[WRIST], knuckles)
    steady = points[STEADY, :]
    middle = (steady.max(axis=0) + steady.min(axis=0)) / 2
    c, s = cos(angle), sin(angle)
    turned = (steady - middle) @ np.array([[c, -s], [s, c]])  # as if the hand pointed up
    low, high = turned.min(axis=0), turned.max(axis=0)
    x, y = (low + high) / 2
    width, height = high - low
    y -= height * HAND_SHIFT
    return Region(
        float(middle[0] + c * x - s * y),
        float(middle[1] + s * x + c * y),
        float(max(width, height)) * HAND_SCALE,
        angle,
    )


def of_body(hips: Matrix, reach: Matrix) -> Region:
    """Return where a body is: its hips' middle, and a point as far off as it reaches, above it."""
    return Region(
        float(hips[0]),
        float(hips[1]),
        2.0 * hypot(reach[0] - hips[0], reach[1] - hips[1]) * BODY_SCALE,
        upright(hips, reach),
    )


def upright(low: Matrix, high: Matrix) -> float:
    """Return by how much the way from `low` to `high` is turned from upwards, in -π..π."""
    angle = pi / 2 - atan2(low[1] - high[1], high[0] - low[0])
    return float((angle + pi) % (2 * pi) - pi)


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Return what two boxes share, as part of what they cover together."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
