"""Draw what is seen with dots, as in a mirror, for a terminal: hands, and the body's limbs.

Each letter of the picture is a Braille cell, two dots wide and four high. Terminals draw letters
about twice as high as wide, so dots stand as far apart across as down, and shapes are true.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import numpy as np

from gesturectl.types import Float32, Observation

_FINGERS: Final = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
HAND_BONES: Final = (
    *((0, finger[0]) for finger in (_FINGERS[0], _FINGERS[1], _FINGERS[4])),
    *((a[0], b[0]) for a, b in pairwise(_FINGERS[1:])),
    *(bone for finger in _FINGERS for bone in pairwise(finger)),
)
BODY_BONES: Final = (
    (11, 12), (11, 13), (13, 15), (12, 14), (14, 16), (11, 23), (12, 24), (23, 24),
    (23, 25), (25, 27), (24, 26), (26, 28), (7, 2), (2, 0), (0, 5), (5, 8),
)  # fmt: skip
_VISIBLE: Final = 0.5
_BLANK: Final = 0x2800
_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # by row and column


def sketch(observation: Observation, columns: int, rows: int) -> list[str]:
    """Return `rows` lines of `columns` letters; the whole picture fits in, its middle in theirs."""
    width, height = 2 * columns, 4 * rows
    dots = np.zeros((height, width), bool)
    aspect = observation.size_px[0] / observation.size_px[1]
    scale = min(width / aspect, height)
    unit = np.array([-scale * aspect, scale])  # a mirror: the picture's left is on the right
    middle = np.array([width / 2, height / 2])
    for points, bones, shown in _figures(observation):
        places = (points[:, :2].astype(np.float64) - 0.5) * unit + middle
        for a, b in bones:
            if shown[a] and shown[b]:
                _line(dots, places[a], places[b])
    return ["".join(_letter(dots, row, column) for column in range(columns)) for row in range(rows)]


def _figures(
    observation: Observation,
) -> Iterable[tuple[Float32, tuple[tuple[int, int], ...], list[bool]]]:
    for body in observation.bodies:
        yield body.image, BODY_BONES, [bool(seen) for seen in body.image[:, 3] >= _VISIBLE]
    for hand in observation.hands:
        yield hand.image, HAND_BONES, [True] * len(hand.image)


def _line(dots: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
    # What is far outside is cut off: an estimator's error must not cost a second of dots.
    steps = min(int(np.abs(end - start).max()) + 1, 4 * max(dots.shape))
    for u in np.linspace(0.0, 1.0, steps + 1):
        x, y = np.floor(start + (end - start) * u)
        if 0 <= x < dots.shape[1] and 0 <= y < dots.shape[0]:
            dots[int(y), int(x)] = True


def _letter(dots: np.ndarray, row: int, column: int) -> str:
    code = _BLANK
    for dy, pair in enumerate(_DOTS):
        for dx, bit in enumerate(pair):
            if dots[4 * row + dy, 2 * column + dx]:
                code |= bit
    return chr(code) if code != _BLANK else " "
