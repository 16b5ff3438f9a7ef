"""Shapes and words on a picture: float32 (height, width, 4), colours times their alpha.

A shape is the signed distance to its edge, as in the tray's icons; a pixel is covered by half a
pixel less that distance. Only the pixels around a shape are touched. Lengths are pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, cos, floor, pi, sin
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gesturectl.display import words

Colour = tuple[int, int, int]
Floats = NDArray[np.float32]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
TURN: Final = 2 * pi


@dataclass(slots=True)
class Canvas:
    """A picture that is drawn on, at first all transparent."""

    width: int
    height: int
    pixels: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.pixels = np.zeros((self.height, self.width, 4), np.float32)

    def done(self) -> NDArray[np.uint8]:
        """Return the picture, uint8 (height, width, 4): red, green, blue times alpha, alpha."""
        return (self.pixels * np.float32(255) + np.float32(0.5)).astype(np.uint8)

    def rounded(self, box: Box, radius: float, paint: Colour, alpha: float = 1.0) -> None:
        """Fill a box with round corners."""
        grid = self._around(box)
        if grid is not None:
            y, x, columns, rows = grid
            self._cover(y, x, _to_box(columns, rows, box, radius), paint, alpha)

    def frame(
        self, box: Box, radius: float, width: float, paint: Colour, alpha: float = 1.0
    ) -> None:
        """Draw the edge of such a box, inside of it."""
        grid = self._around(box)
        if grid is not None:
            y, x, columns, rows = grid
            away = np.abs(_to_box(columns, rows, box, radius) + width / 2) - width / 2
            self._cover(y, x, away, paint, alpha)

    def arc(
        self,
        centre: tuple[float, float],
        radius: float,
        width: float,
        paint: Colour,
        alpha: float = 1.0,
        *,
        share: float = 1.0,
    ) -> None:
        """Draw a ring, or from its top clockwise a share of it, with round ends."""
        cx, cy = centre
        out = radius + width / 2 + 1
        grid = self._around((cx - out, cy - out, cx + out, cy + out))
        if grid is None or share <= 0:
            return
        y, x, columns, rows = grid
        dx, dy = columns - cx, rows - cy
        away = np.abs(np.hypot(dx, dy) - radius) - width / 2
        if share < 1:
            beyond = np.mod(np.arctan2(dx, -dy), TURN) > share * TURN
            last = share * TURN
            tip = (cx + radius * sin(last), cy - radius * cos(last))
            ends = np.minimum(np.hypot(dx, dy + radius), np.hypot(columns - tip[0], rows - tip[1]))
            away = np.where(beyond, ends - width / 2, away)
        self._cover(y, x, away, paint, alpha)

    def line(
        self,
        points: tuple[tuple[float, float], ...],
        width: float,
        paint: Colour,
        alpha: float = 1.0,
    ) -> None:
        """Draw a line with round ends through points."""
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        grid = self._around((min(xs) - width, min(ys) - width, max(xs) + width, max(ys) + width))
        if grid is None:
            return
        y, x, columns, rows = grid
        nearest = np.full(np.broadcast_shapes(columns.shape, rows.shape), np.inf, np.float32)
        for (x0, y0), (x1, y1) in pairwise(points):
            length = (x1 - x0) ** 2 + (y1 - y0) ** 2
            along = ((columns - x0) * (x1 - x0) + (rows - y0) * (y1 - y0)) / max(length, 1e-6)
            share = np.clip(along, 0, 1)
            gap = np.hypot(columns - x0 - share * (x1 - x0), rows - y0 - share * (y1 - y0))
            nearest = np.minimum(nearest, gap)
        self._cover(y, x, nearest - width / 2, paint, alpha)

    def text(
        self,
        words_: str,
        at: tuple[float, float],
        size: float,
        paint: Colour,
        alpha: float = 1.0,
        *,
        most: float | None = None,
    ) -> float:
        """Write one line whose baseline begins at a place; return how wide it became.

        What is wider than `most` is cut, and ends with an ellipsis.
        """
        written = words.write(words_, max(1, round(size)), None if most is None else int(most))
        x, y = round(at[0]), round(at[1]) - written.above
        self._blend(y, x, written.mask.astype(np.float32) / 255, paint, alpha)
        return float(written.mask.shape[1])

    def put(self, pixels: Floats, at: tuple[float, float], alpha: float = 1.0) -> None:
        """Put the pixels of another canvas here."""
        self._over(round(at[1]), round(at[0]), pixels if alpha == 1 else pixels * np.float32(alpha))

    def fade(self, share: float) -> None:
        """Make all that is drawn so far fainter."""
        if share != 1:
            self.pixels *= np.float32(share)

    # --- pixels -----------------------------------------------------------------------------

    def _around(self, box: Box) -> tuple[int, int, Floats, Floats] | None:
        """Return the corner of the pixels around a box, and where their middles are."""
        left, top = max(floor(box[0]) - 1, 0), max(floor(box[1]) - 1, 0)
        right, bottom = min(ceil(box[2]) + 1, self.width), min(ceil(box[3]) + 1, self.height)
        if right <= left or bottom <= top:
            return None
        columns = np.arange(left, right, dtype=np.float32)[None, :] + 0.5
        rows = np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5
        return top, left, columns, rows

    def _cover(self, y: int, x: int, away: Floats, paint: Colour, alpha: float) -> None:
        self._blend(y, x, np.clip(0.5 - away, 0, 1), paint, alpha)

    def _blend(
        self, y: int, x: int, cover: NDArray[np.floating[Any]], paint: Colour, alpha: float
    ) -> None:
        colour = np.array([*(one / 255 for one in paint), 1.0], np.float32)
        self._over(y, x, (cover.astype(np.float32) * np.float32(alpha))[:, :, None] * colour)

    def _over(self, y: int, x: int, layer: Floats) -> None:
        top, left = max(y, 0), max(x, 0)
        bottom = min(y + layer.shape[0], self.height)
        right = min(x + layer.shape[1], self.width)
        if bottom <= top or right <= left:
            return
        layer = layer[top - y : bottom - y, left - x : right - x]
        below = self.pixels[top:bottom, left:right]
        below *= 1 - layer[:, :, 3:]
        below += layer


def _to_box(columns: Floats, rows: Floats, box: Box, radius: float) -> Floats:
    left, top, right, bottom = box
    radius = min(radius, (right - left) / 2, (bottom - top) / 2)
    qx = np.abs(columns - (left + right) / 2) - (right - left) / 2 + radius
    qy = np.abs(rows - (top + bottom) / 2) - (bottom - top) / 2 + radius
    outside = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0))
    away: Floats = outside + np.minimum(np.maximum(qx, qy), 0) - radius
    return away
