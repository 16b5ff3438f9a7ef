"""Draw figures as curves and bars in a picture, with the display's own shapes and letters.

Charts stand in a grid. An axis begins at zero unless it is asked not to: a curve that looks flat is
flat. Colours are those that Okabe and Ito chose for colour-blind readers
(https://jfly.uni-koeln.de/color/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gesturectl.display import words
from gesturectl.display.canvas import Box, Canvas, Colour
from gesturectl.errors import GesturectlError

WIDTH: Final = 520  # of one chart, in pixels
HEIGHT: Final = 320
LEFT, RIGHT, TOP, BOTTOM = 64, 36, 62, 46  # around the curves
GAP: Final = 16  # beside a waterfall's names
THICK: Final = 8  # half of a bar
TICKS: Final = 5  # or a few more
LETTERS: Final = 12
TITLE: Final = 15
MARKED: Final = 30  # points; more are a line alone
COLOURS_KEPT: Final = 128  # of the picture's palette

PAPER: Final = (255, 255, 255)
INK: Final = (30, 30, 30)
GRID: Final = (225, 225, 225)
COLOURS: Final[tuple[Colour, ...]] = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """Points joined in their order; `name` stands in the legend."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over one pair of axes. `bound` is a line across: what may be reached at most."""

    title: str
    x_title: str
    y_title: str
    curves: tuple[Curve, ...]
    bound: float | None = None
    from_zero: bool = True


@dataclass(frozen=True, slots=True)
class Bar:
    """From one value to another; `most` is as far as it may come, drawn as a thin line."""

    name: str
    begin: float
    end: float
    most: float
    says: str


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Bars under each other, on one axis from zero: what comes after what. The last is the sum."""

    title: str
    x_title: str
    bars: tuple[Bar, ...]


Drawn = Chart | Waterfall


def save(charts: Sequence[Drawn], path: Path, *, columns: int = 2) -> None:
    """Draw charts and write them as a PNG.

    Raises:
        GesturectlError: the file cannot be written.
    """
    drawn = Image.fromarray(draw(charts, columns=columns))
    picture = drawn.quantize(COLOURS_KEPT, Image.Quantize.MAXCOVERAGE)
    try:
        picture.save(path, "png", optimize=True)
    except OSError as error:
        raise GesturectlError(
            f"{path} cannot be written: {error.strerror or error}; name another file"
        ) from error


def draw(charts: Sequence[Drawn], *, columns: int = 2) -> NDArray[np.uint8]:
    """Draw charts in rows of so many; uint8 (height, width, 3)."""
    columns = min(columns, len(charts))
    canvas = Canvas(columns * WIDTH, ceil(len(charts) / columns) * HEIGHT)
    canvas.rounded((-1, -1, canvas.width + 1, canvas.height + 1), 0, PAPER)
    for number, chart in enumerate(charts):
        down, right = divmod(number, columns)
        if isinstance(chart, Waterfall):
            _draw_waterfall(canvas, chart, right * WIDTH, down * HEIGHT)
        else:
            _draw_chart(canvas, chart, right * WIDTH, down * HEIGHT)
    return np.ascontiguousarray(canvas.done()[:, :, :3])


def ticks(lowest: float, highest: float) -> list[float]:
    """Return round numbers, 1, 2 or 5 times a power of ten apart, that enclose a range."""
    if not highest > lowest:
        highest = lowest + 1
    rough = (highest - lowest) / TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough * (1 - 1e-9))
    first, last = floor(lowest / step + 1e-9), ceil(highest / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def labels(marks: Sequence[float]) -> list[str]:
    """Write ticks with as many decimals as tell them apart."""
    step = marks[1] - marks[0]
    decimals = max(0, -floor(log10(step) + 1e-9))
    return [f"{mark:,.{decimals}f}" for mark in marks]


def _draw_chart(canvas: Canvas, chart: Chart, x: int, y: int) -> None:
    box = (x + LEFT, y + TOP, x + WIDTH - RIGHT, y + HEIGHT - BOTTOM)
    xs = [value for curve in chart.curves for value in curve.x]
    ys = [value for curve in chart.curves for value in curve.y]
    ys += [] if chart.bound is None else [chart.bound]
    ys += [0.0] if chart.from_zero else []
    across, up = ticks(min(xs), max(xs)), ticks(min(ys), max(ys))
    ends = (min(xs), max(xs)) if max(xs) > min(xs) else (across[0], across[-1])
    across = [mark for mark in across if ends[0] <= mark <= ends[1]]
    if all(float(value).is_integer() for value in xs):  # nobody has half a hand
        across = [mark for mark in across if float(mark).is_integer()]
    canvas.text(chart.title, (x + LEFT, y + 22), TITLE, INK, most=WIDTH - LEFT - RIGHT)
    _draw_axes(canvas, chart, box, (across, ends), up)

    def at(px: float, py: float) -> tuple[float, float]:
        return (
            box[0] + (px - ends[0]) / (ends[1] - ends[0]) * (box[2] - box[0]),
            box[3] - (py - up[0]) / (up[-1] - up[0]) * (box[3] - box[1]),
        )

    if chart.bound is not None:
        level = at(ends[0], chart.bound)[1]
        for dash in range(int(box[0]), int(box[2]), 10):
            canvas.line(((dash, level), (dash + 4, level)), 1.5, INK)
    legend_x = box[0] + canvas.text(chart.y_title, (box[0], y + 46), LETTERS, INK) + 20
    for number, curve in enumerate(chart.curves):
        paint = COLOURS[number % len(COLOURS)]
        points = [at(*point) for point in zip(curve.x, curve.y, strict=True)]
        for pair in pairwise(points):
            canvas.line(pair, 2.0, paint)
        if len(points) <= MARKED:
            for px, py in points:
                canvas.rounded((px - 3.5, py - 3.5, px + 3.5, py + 3.5), 3.5, paint)
        canvas.line(((legend_x, y + 42), (legend_x + 14, y + 42)), 3.0, paint)
        legend_x += 20
        legend_x += canvas.text(curve.name, (legend_x, y + 46), LETTERS, INK) + 16


def _draw_waterfall(canvas: Canvas, chart: Waterfall, x: int, y: int) -> None:
    names = max(words.width(bar.name, LETTERS) for bar in chart.bars)
    left, right = x + names + 2 * GAP, x + WIDTH - RIGHT
    top, bottom = y + TOP - GAP, y + HEIGHT - BOTTOM
    canvas.text(chart.title, (x + GAP, y + 22), TITLE, INK, most=WIDTH - GAP - RIGHT)
    says = max(words.width(bar.says, LETTERS) for bar in chart.bars)
    marks = ticks(0, max(bar.most for bar in chart.bars))
    px_each = (right - left - says) / max(bar.most for bar in chart.bars)
    marks = [mark for mark in marks if left + mark * px_each <= right]
    for mark, text in zip(marks, labels(marks), strict=True):
        place = left + mark * px_each
        canvas.rounded((place - 0.5, top, place + 0.5, bottom), 0, GRID)
        canvas.text(text, (place - words.width(text, LETTERS) / 2, bottom + 18), LETTERS, INK)
    name = chart.x_title
    canvas.text(name, (right - words.width(name, LETTERS), bottom + 36), LETTERS, INK)
    step = (bottom - top) / len(chart.bars)
    for number, bar in enumerate(chart.bars):
        middle = top + (number + 0.5) * step
        paint = INK if bar is chart.bars[-1] else COLOURS[number % len(COLOURS)]
        begin, end, most = (left + at * px_each for at in (bar.begin, bar.end, bar.most))
        canvas.text(
            bar.name, (left - GAP - words.width(bar.name, LETTERS), middle + 4), LETTERS, INK
        )
        canvas.rounded((begin, middle - THICK, max(end, begin + 3), middle + THICK), 3, paint)
        if most > end:
            canvas.line(((end, middle), (most, middle)), 1.5, paint)
            canvas.line(((most, middle - 4), (most, middle + 4)), 1.5, paint)
        canvas.text(bar.says, (max(end, most) + GAP / 2, middle + 4), LETTERS, INK)


def _draw_axes(
    canvas: Canvas,
    chart: Chart,
    box: Box,
    across: tuple[Sequence[float], tuple[float, float]],
    up: Sequence[float],
) -> None:
    left, top, right, bottom = box
    for mark, text in zip(up, labels(up), strict=True):
        level = bottom - (mark - up[0]) / (up[-1] - up[0]) * (bottom - top)
        canvas.rounded((left, level - 0.5, right, level + 0.5), 0, GRID)
        canvas.text(text, (left - 8 - words.width(text, LETTERS), level + 4), LETTERS, INK)
    marks, (first, last) = across
    names = labels(marks) if len(marks) > 1 else [f"{mark:g}" for mark in marks]
    for mark, text in zip(marks, names, strict=True):
        place = left + (mark - first) / (last - first) * (right - left)
        canvas.rounded((place - 0.5, bottom, place + 0.5, bottom + 5), 0, INK)
        canvas.text(text, (place - words.width(text, LETTERS) / 2, bottom + 18), LETTERS, INK)
    canvas.rounded((left, bottom - 0.5, right, bottom + 0.5), 0, INK)
    name = chart.x_title
    canvas.text(name, (right - words.width(name, LETTERS), bottom + 36), LETTERS, INK)
