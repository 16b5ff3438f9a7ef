"""What a single-shot detector has found: from 2000 anchors to a few boxes with key points.

The networks look at a grid of anchors and say of each how sure they are that something is there
and how far it and its points lie from the anchor. Overlapping answers are averaged by how sure
they are, which is steadier than to take the surest (Bazarevsky et al. 2019, "BlazeFace",
arXiv:1907.05047, section 3.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log
from typing import Final

import numpy as np

from gesturectl.landmarks.regions import Matrix, overlap
from gesturectl.types import Float32

MIN_SCORE: Final = 0.5
SAME: Final = 0.3  # boxes that share more are of one thing
PER_CELL: Final = 2  # anchors that a layer of the network has in each cell of its grid


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """Something found, in 0..1 of the crop: box (4,) left, top, right, bottom; points (K, 2)."""

    score: float
    box: Matrix
    points: Matrix


@cache  # also because numpy 2 leaves 57 bytes behind with every `meshgrid`, as `bench soak` shows
def anchors(side_px: int, strides: tuple[int, ...]) -> Float32:
    """Return float32 (N, 2): the anchors' places x, y in 0..1, in the network's order.

    Layers of one stride share a grid, so that their anchors lie together. Not to be written to.
    """
    grids = []
    for stride in dict.fromkeys(strides):
        cells = side_px // stride
        at = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        grid = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
        grids.append(np.repeat(grid, PER_CELL * strides.count(stride), axis=0))
    whole: Float32 = np.concatenate(grids).astype(np.float32, copy=False)
    whole.flags.writeable = False
    return whole


def detections(raw: Float32, logits: Float32, at: Float32, side_px: int) -> list[Detection]:
    """Return what is found, the surest first.

    `raw` is (N, 4 + 2K): middle, size and points in pixels, as seen from the anchors `at` (N, 2);
    `logits` (N, 1).
    """
    kept = np.flatnonzero(logits[:, 0] >= log(MIN_SCORE / (1 - MIN_SCORE)))
    if not len(kept):
        return []
    score = 1.0 / (1.0 + np.exp(-logits[kept, 0].astype(float)))
    values = raw[kept].astype(float) / side_px
    middle, size = values[:, :2] + at[kept], values[:, 2:4]
    points = values[:, 4:].reshape(len(kept), -1, 2) + at[kept, None]
    boxes = np.concatenate([middle - size / 2, middle + size / 2], axis=1)
    rest = list(np.argsort(-score, kind="stable"))
    found = []
    while rest:
        first = tuple(boxes[rest[0]])
        same = [one for one in rest if one == rest[0] or overlap(first, tuple(boxes[one])) > SAME]
        rest = [one for one in rest if one not in same]
        share = score[same] / score[same].sum()
        found.append(
            Detection(
                float(score[same[0]]), share @ boxes[same], np.tensordot(share, points[same], 1)
            )
        )
    return found
