"""`python -m gesturectl.display.picture FILE`: the picture in docs/display.md, drawn by our code.

Panels as they look while something happens, over a plain ground; below each other by column.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from gesturectl.config import Display
from gesturectl.display import drawing, seeing
from gesturectl.display.drawing import Look, Picture
from gesturectl.display.seeing import Rest, View

SCALE: Final = 1.5
GAP: Final = 24
GROUND: Final = (198, 206, 214)
QUIET: Final[dict[str, Any]] = {"paused": False, "frames": True, "mode": "active"}
FIST: Final = {"gesture": "fist", "side": "right", "p": 0.62, "enter": 0.8, "active": False}
SURE: Final = FIST | {"p": 0.95, "active": True}
HOLD: Final = {"name": "fist", "side": "right", "fraction": 0.6}
SWIPE: Final = {"number": 1, "gesture": "swipe_left", "does": "Right"}

COLUMNS: Final[tuple[tuple[tuple[dict[str, Any], float], ...], ...]] = (
    (({"candidate": FIST, "armed": False}, 0.0), ({"candidate": SURE, "progress": HOLD}, 0.0)),
    (
        ({"candidate": FIST, "fired": SWIPE, "armed": True, "control": {"people": 3}}, 1.0),
        ({"mode": "volume"}, 0.0),
    ),
    (
        ({"frames": False, "problem": "the camera is in use by another program; close it"}, 0.0),
        ({"asleep": True, "progress": {**HOLD, "name": "open_palm"}}, 0.0),
    ),
)


def whole(columns: Sequence[Sequence[Picture]]) -> Image.Image:
    """Return pictures below and beside each other."""
    height = max(sum(one.shape[0] + GAP for one in column) for column in columns) + GAP
    width = sum(max(one.shape[1] for one in column) + GAP for column in columns) + GAP
    ground = np.empty((height, width, 3), np.float32)
    ground[:] = GROUND
    x = GAP
    for column in columns:
        y = GAP
        for one in column:
            part = ground[y : y + one.shape[0], x : x + one.shape[1]]
            part *= 1 - one[:, :, 3:] / 255
            part += one[:, :, :3]
            y += one.shape[0] + GAP
        x += max(one.shape[1] for one in column) + GAP
    return Image.fromarray(np.rint(ground).astype(np.uint8))


def main(file: Path) -> None:
    """Write the picture."""
    columns: list[list[Picture]] = []
    for rows in COLUMNS:
        column = []
        for changes, glow in rows:
            told = seeing.read(QUIET | changes)
            view = View(told, float(told.moves or glow > 0), glow)
            column.append(drawing.panel(Look(Display(), SCALE), view))
        columns.append(column)
    high = Look(Display(contrast="high"), SCALE)
    view = View(seeing.read(QUIET | {"candidate": SURE, "fired": SWIPE}), 1.0, 1.0)
    columns[1][1] = drawing.panel(high, view)
    ring = drawing.ring(Look(Display(), SCALE), Rest(0.7, "double", None))
    columns.append(
        [ring, drawing.panel(Look(Display(place="top-left"), SCALE), _closed())[:, :200]]
    )
    whole(columns).quantize(96).save(file, optimize=True)


def _closed() -> View:
    return View(seeing.read(QUIET), 0.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
