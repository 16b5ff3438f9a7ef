"""Bodies in a picture: found by a detector, then followed from frame to frame, and smoothed.

Networks, regions, thresholds and smoothing are those of MediaPipe's pose landmarker; its points
move by a few pixels from frame to frame without the smoothing, and thresholds of gestures were
chosen with it. Visible points differ from MediaPipe's by one to two pixels on clips of people.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from pathlib import Path
from typing import Final

import numpy as np

from gesturectl.landmarks.detecting import anchors, detections
from gesturectl.landmarks.hands import turned
from gesturectl.landmarks.networks import Network
from gesturectl.landmarks.regions import (
    Matrix,
    Pixels,
    Points,
    Region,
    crop,
    of_body,
    overlap,
    placed,
    whole,
)
from gesturectl.types import BODY_POINTS, Body, Float32

DETECTOR = "pose_detector.tflite"
LANDMARKS = "pose_landmarks_detector.tflite"

POINTS: Final = 39  # after the body's come two that say where to look next, and four unused
HIPS, REACH = 33, 34
MIN_PRESENCE: Final = 0.5
FOLLOWED: Final = 0.5
HEAT_PX: Final = 64  # side of a heatmap
HEAT_AROUND: Final = 3  # cells looked at on each side of a point
HEAT_LEAST: Final = 0.5  # a heatmap that is less sure moves nothing


@dataclass(slots=True)
class Euro:
    """The 1€ filter, for many values of one unit at once (see `oneeuro` for the paper).

    As MediaPipe has it: each value has a cutoff of its own, and speeds are measured between
    unsmoothed values, with a cutoff of 1 Hz.
    """

    steady_hz: float
    quick: float
    t_us: int = 0
    raw: Matrix | None = None
    smooth: Matrix | None = None
    speed: Matrix | None = None

    def step(self, t_us: int, values: Matrix, scale: float) -> Matrix:
        """Return `values` smoothed; `scale` makes their speeds comparable between far and near."""
        if self.raw is None or self.smooth is None or self.speed is None:
            self.smooth, self.speed = values, np.zeros_like(values)
        elif t_us > self.t_us:
            dt_s = (t_us - self.t_us) / 1e6
            speed = (values - self.raw) * (scale / dt_s)
            self.speed = self.speed + _share(1.0, dt_s) * (speed - self.speed)
            share = _share(self.steady_hz + self.quick * np.abs(self.speed), dt_s)
            self.smooth = self.smooth + share * (values - self.smooth)
        self.t_us, self.raw = t_us, values
        return self.smooth


def _share(cutoff_hz: Matrix | float, dt_s: float) -> Matrix | float:
    return 1.0 / (1.0 + 1.0 / (2.0 * pi * dt_s * cutoff_hz))


@dataclass(slots=True)
class _Followed:
    """One body: where to look for it, and what smooths its points in pixels and in metres."""

    region: Region
    image: Euro
    world: Euro


class Bodies:
    """Follows up to `most` bodies by a bundle's networks.

    Raises:
        ModelError: the bundle is not that of a pose landmarker.
    """

    def __init__(self, bundle: Path, most: int) -> None:
        self.most = most
        self._people = Network(
            bundle, DETECTOR, [(1, 2254, 12), (1, 2254, 1)], wanted=(0, 1), signed=True
        )
        self._points = Network(
            bundle,
            LANDMARKS,
            [
                (1, POINTS * 5),
                (1, 1),
                (1, 256, 256, 1),
                (1, HEAT_PX, HEAT_PX, POINTS),
                (1, POINTS * 3),
            ],
            wanted=(0, 1, 3, 4),
        )
        self._anchors = anchors(self._people.side_px, (8, 16, 32, 32, 32))
        self._followed: list[_Followed] = []

    @property
    def missing(self) -> bool:
        """Whether there may be more bodies than are followed."""
        return len(self._followed) < self.most

    @property
    def following(self) -> int:
        """How many are followed."""
        return len(self._followed)

    def look(self, rgb: Pixels, t_us: int, *, search: bool) -> list[Body]:
        """Return the bodies in a picture; with `search`, also those that were not there before."""
        followed = self._followed
        if search and self.missing:
            for region in self._find(rgb):
                if all(overlap(region.box, one.region.box) <= FOLLOWED for one in followed):
                    fresh = _Followed(region, Euro(0.05, 80.0), Euro(0.1, 40.0))
                    followed = [*followed, fresh]
        self._followed, bodies = [], []
        for one in followed[: self.most]:
            body = self._see(rgb, t_us, one)
            if body is not None:
                self._followed.append(one)
                bodies.append(body)
        return bodies

    def _find(self, rgb: Pixels) -> list[Region]:
        """Return where people are, the surest first."""
        side_px = self._people.side_px
        matrix = whole((rgb.shape[1], rgb.shape[0])).matrix(side_px)
        crop(rgb, matrix, side_px, black=True, out=self._people.picture)
        raw, logits = self._people.run()
        found = detections(raw, logits, self._anchors, side_px)
        points = [placed(one.points * side_px, matrix) for one in found]
        return [of_body(one[0], one[1]) for one in points]

    def _see(self, rgb: Pixels, t_us: int, one: _Followed) -> Body | None:
        """Return the body in a region, and take note of where it goes; None where there is none."""
        region, side_px = one.region, self._points.side_px
        matrix = region.matrix(side_px)
        crop(rgb, matrix, side_px, black=False, out=self._points.picture)
        raw, presence, heat, world = self._points.run()
        if presence[0] < MIN_PRESENCE:
            return None
        rows = raw.reshape(POINTS, 5)
        at = placed(refined(rows[:, :2] / side_px, heat) * side_px, matrix)
        one.region = of_body(at[HIPS], at[REACH])
        height, width = rgb.shape[:2]
        pixels = np.empty((BODY_POINTS, 3))
        pixels[:, :2] = at[:BODY_POINTS]
        pixels[:, 2] = rows[:BODY_POINTS, 2] * (region.side / side_px)
        image = np.empty((BODY_POINTS, 4), np.float32)
        image[:, :3] = one.image.step(t_us, pixels, 1.0 / region.side) / (width, height, width)
        image[:, 3] = 1.0 / (1.0 + np.exp(-rows[:BODY_POINTS, 3]))
        metres = turned(world.reshape(POINTS, 3)[:BODY_POINTS], region.angle).astype(float)
        return Body(image, one.world.step(t_us, metres, 1.0).astype(np.float32))


_AROUND = np.arange(-HEAT_AROUND, HEAT_AROUND + 1)


def refined(points: Points, heat: Float32) -> Points:
    """Return points (N, 2) in 0..1 of a crop, each moved to the middle of the heat around it.

    `heat` is (HEAT_PX, HEAT_PX, N), as logits. Points beyond the crop stay where they are.
    """
    cells = np.trunc(points * HEAT_PX).astype(int)
    inside = ((cells >= 0) & (cells < HEAT_PX)).all(axis=1)
    columns = cells[:, 0, None] + _AROUND  # (N, 7)
    rows = cells[:, 1, None] + _AROUND
    known = ((rows >= 0) & (rows < HEAT_PX))[:, :, None]
    known = known & ((columns >= 0) & (columns < HEAT_PX))[:, None, :]
    found = heat[
        rows.clip(0, HEAT_PX - 1)[:, :, None],
        columns.clip(0, HEAT_PX - 1)[:, None, :],
        np.arange(len(points))[:, None, None],
    ]
    weight = np.where(known, 1.0 / (1.0 + np.exp(-found)), 0.0)  # (N, row, column)
    total = weight.sum(axis=(1, 2))
    total = np.where(total > 0, total, 1.0)
    moved = np.empty_like(points)
    moved[:, 0] = (weight * columns[:, None, :]).sum(axis=(1, 2)) / total / HEAT_PX
    moved[:, 1] = (weight * rows[:, :, None]).sum(axis=(1, 2)) / total / HEAT_PX
    sure = inside & (weight.max(axis=(1, 2)) >= HEAT_LEAST)
    return np.where(sure[:, None], moved, points)
