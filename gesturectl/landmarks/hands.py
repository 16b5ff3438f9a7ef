"""Hands in a picture: found by their palms, then followed from frame to frame.

A palm detector (4.7 ms on the machine of docs/performance.md) is asked only when the caller says
so; a hand that is followed costs one run of the landmark network (4.2 ms). Where both are to run,
they run on two cores, and what is found is the same. Networks, regions and
thresholds are those of MediaPipe's hand landmarker, and so are the points: on clips of hands that
are followed they differ by about 0.1 pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from math import cos, sin
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gesturectl.landmarks.beside import Beside
from gesturectl.landmarks.detecting import anchors, detections
from gesturectl.landmarks.networks import Network
from gesturectl.landmarks.regions import (
    Matrix,
    Pixels,
    Region,
    crop,
    of_hand,
    of_palm,
    overlap,
    placed,
    whole,
)
from gesturectl.types import HAND_POINTS, Float32, Hand

DETECTOR = "hand_detector.tflite"
LANDMARKS = "hand_landmarks_detector.tflite"

MIN_PRESENCE: Final = 0.5
FOLLOWED: Final = 0.5  # a palm whose region shares more with that of a followed hand is its own
DEPTH: Final = 0.4  # how the network's z is scaled to the width of its crop
PALM_WRIST, PALM_MIDDLE = 0, 2  # of the detector's seven points

# One hand found twice: half its points are as near as a fifth of the palm, and the boxes overlap
# (hand_landmarks_deduplication_calculator).
NEAR: Final = 0.2
NEAR_POINTS: Final = 10
NEAR_BOXES: Final = 0.2


class Hands:
    """Follows up to `most` hands of a bundle's networks.

    `beside` runs the palm detector while the hands that are followed are looked at. It is the
    caller's to close.

    Raises:
        ModelError: the bundle is not that of a hand landmarker.
    """

    def __init__(self, bundle: Path, most: int, beside: Beside) -> None:
        self.most = most
        self._beside = beside
        self._palms = Network(bundle, DETECTOR, [(1, 2016, 18), (1, 2016, 1)], wanted=(0, 1))
        self._points = Network(
            bundle, LANDMARKS, [(1, 63), (1, 1), (1, 1), (1, 63)], wanted=(0, 1, 2, 3)
        )
        self._anchors = anchors(self._palms.side_px, (8, 16, 16, 16))
        self._regions: list[Region] = []

    @property
    def regions(self) -> tuple[Region, ...]:
        """Where the hands are that are followed."""
        return tuple(self._regions)

    @property
    def missing(self) -> bool:
        """Whether there may be more hands than are followed."""
        return len(self._regions) < self.most

    def look(self, rgb: Pixels, *, search: bool) -> list[Hand]:
        """Return the hands in a picture; with `search`, also those that were not there before."""
        regions, palms = self._regions, list[Region]()
        if not (search and self.missing):
            seen = self._see_all(rgb, regions)
        elif not regions:
            seen, palms = [], self._find(rgb)
        else:
            finding = self._beside.submit(partial(self._find, rgb))
            try:
                seen = self._see_all(rgb, regions)
            finally:
                palms = finding.result()
        room = self.most - len(regions)
        seen += self._see_all(rgb, _apart(palms, regions)[:room])
        kept = without_doubles([points for _, points in seen])
        self._regions = [of_hand(seen[index][1]) for index in kept]
        return [seen[index][0] for index in kept]

    def _find(self, rgb: Pixels) -> list[Region]:
        """Return where palms are, the surest first."""
        side_px = self._palms.side_px
        matrix = whole((rgb.shape[1], rgb.shape[0])).matrix(side_px)
        crop(rgb, matrix, side_px, black=True, out=self._palms.picture)
        raw, logits = self._palms.run()
        found = []
        for one in detections(raw, logits, self._anchors, side_px):
            corners = placed(one.box.reshape(2, 2) * side_px, matrix)
            points = placed(one.points * side_px, matrix)
            found.append(of_palm(corners.ravel(), points[PALM_WRIST], points[PALM_MIDDLE]))
        return found

    def _see_all(self, rgb: Pixels, regions: Iterable[Region]) -> list[tuple[Hand, Matrix]]:
        """Return the hands that are in these regions."""
        return [one for one in (self._see(rgb, region) for region in regions) if one]

    def _see(self, rgb: Pixels, region: Region) -> tuple[Hand, Matrix] | None:
        """Return the hand in a region, if there is one, with its points (21, 2) in pixels."""
        side_px = self._points.side_px
        matrix = region.matrix(side_px)
        crop(rgb, matrix, side_px, black=False, out=self._points.picture)
        raw, presence, right, world = self._points.run()
        if presence[0] < MIN_PRESENCE:
            return None
        points = raw.reshape(HAND_POINTS, 3)
        at = placed(points[:, :2], matrix)
        height, width = rgb.shape[:2]
        image = np.empty((HAND_POINTS, 3), np.float32)
        image[:, :2] = at / (width, height)
        image[:, 2] = points[:, 2] * (region.side / (side_px * DEPTH * width))
        sure = float(right[0])
        return Hand(
            "right" if sure > 0.5 else "left",
            max(sure, 1.0 - sure),
            image,
            turned(world.reshape(HAND_POINTS, 3), region.angle),
        ), at


def _apart(palms: Iterable[Region], followed: Sequence[Region]) -> list[Region]:
    """Return the palms that are none of the hands that are followed, nor of a palm before."""
    apart: list[Region] = []
    for palm in palms:
        if all(overlap(palm.box, known.box) <= FOLLOWED for known in (*followed, *apart)):
            apart.append(palm)
    return apart


def turned(world: Float32, angle: float) -> Float32:
    """Return points (N, 3) of an upright crop as they lie in the picture."""
    c, s = cos(angle), sin(angle)
    turn = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]], np.float32)
    return world @ turn


def without_doubles(hands: Sequence[Matrix]) -> list[int]:
    """Return which of some hands, points (21, 2) in pixels, are not the same as one before."""
    if len(hands) < 2:
        return list(range(len(hands)))
    palms = [_palm_px(points) for points in hands]
    boxes = [_box(points) for points in hands]
    kept: list[int] = []
    for index, points in enumerate(hands):
        same = (
            _near(points, hands[other], max(palms[index], palms[other])) >= NEAR_POINTS
            and overlap(boxes[index], boxes[other]) > NEAR_BOXES
            for other in kept
        )
        if not any(same):
            kept.append(index)
    return kept


def _near(a: Matrix, b: Matrix, palm_px: float) -> int:
    return int(np.count_nonzero(np.hypot(*(a - b).T) < NEAR * palm_px))


def _palm_px(points: NDArray[np.float64]) -> float:
    palm = points[[0, 5, 17]]
    return float(np.hypot(*(palm - palm[[1, 2, 0]]).T).max())


def _box(points: Matrix) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)
