"""Sets that come as CSV: key points of hands, paths of finger tips, the list of clips."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gesturectl.errors import SourceError
from training.datasets import archives

MAX_BYTES = 64 * 1024 * 1024
MAX_LINE_CHARS = 10_000

# In the order of the numbers in the files.
KEY_POINTS = ("open_palm", "fist", "point_up", "ok")
FINGER_PATHS = ("stop", "circle_cw", "circle_ccw", "move")


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """`points` (N, P, 2) and the `gesture` (N,) that each row shows."""

    points: NDArray[np.float32]
    gesture: NDArray[np.str_]


def key_points(folder: Path) -> Points:
    """Return hands as (N, 21, 2): x and y from the wrist on, the farthest being 1 away.

    They are those of a mirrored picture, of hands of either side.

    Raises:
        SourceError: the file is damaged.
    """
    return _points(folder / "keypoint.csv", KEY_POINTS, 21)


def finger_paths(folder: Path) -> Points:
    """Return 16 places of an index finger's tip each, as (N, 16, 2), from the first one on.

    They are fractions of a mirrored picture, so a circle turns as its maker saw it; `stop` and
    `move` are no gestures of the catalog.

    Raises:
        SourceError: the file is damaged.
    """
    return _points(folder / "point_history.csv", FINGER_PATHS, 16)


def _points(file: Path, names: tuple[str, ...], count: int) -> Points:
    gestures, rows = [], []
    for number, row in _rows(file):
        try:
            which, values = int(row[0]), [float(value) for value in row[1:]]
        except (ValueError, IndexError):
            raise SourceError(f"{file}:{number}: a row must be numbers alone") from None
        if not 0 <= which < len(names) or len(values) != 2 * count:
            raise SourceError(
                f"{file}:{number}: a row must be a number below {len(names)} "
                f"and {count} pairs of coordinates"
            )
        if not all(map(math.isfinite, values)):
            raise SourceError(f"{file}:{number}: a coordinate is not finite")
        gestures.append(names[which])
        rows.append(values)
    if not rows:
        raise SourceError(f"{file} is empty; get the file again")
    points = np.array(rows, np.float32).reshape(len(rows), count, 2)
    return Points(points, np.array(gestures))


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One video as the list has it: its file, its label ('' if it has none), what it shows."""

    file: Path
    label: str
    kind: str


def clips(folder: Path) -> list[ClipRow]:
    """Return the listed videos.

    Raises:
        SourceError: the list is damaged, or names a video that is not there.
    """
    file = folder / "clips.csv"
    rows = _rows(file)
    number, head = next(rows, (1, []))
    if head[:3] != ["file", "label", "kind"]:
        raise SourceError(f"{file}:{number}: its columns must begin with file, label, kind")
    out = []
    for number, row in rows:
        # A list is no way out of its folder.
        if len(row) < 3 or Path(row[0]).name != row[0] or not (folder / row[0]).is_file():
            raise SourceError(f"{file}:{number}: there is no such video: {','.join(row):.80}")
        out.append(ClipRow(folder / row[0], row[1], row[2]))
    return out


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise SourceError(f"{file} is larger than {MAX_BYTES >> 20} MB; is it another file?")
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise archives.unreadable(file, error) from error
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE_CHARS or "\0" in line:
            raise SourceError(f"{file}:{number}: the line is too long, or no text")
        if line.strip():
            yield number, next(csv.reader([line]))
