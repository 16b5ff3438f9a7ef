"""Curves in pictures: round ticks, every curve in its colour, a file that can be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gesturectl import plots
from gesturectl.display.canvas import Colour
from gesturectl.errors import GesturectlError
from gesturectl.plots import Bar, Chart, Curve, Waterfall

FLAT = Chart("Memory", "frames", "MB", (Curve("resident", (0, 500_000, 1_000_000), (90, 90, 90)),))
TWO = Chart(
    "A step", "bindings", "µs", (Curve("p50", (1, 500), (9, 10)), Curve("p99", (1, 500), (12, 31)))
)


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9))
def test_ticks_enclose_the_range_and_are_few(lowest: float, width: float) -> None:
    marks = plots.ticks(lowest, lowest + width)
    assert marks[0] <= lowest + 1e-6 * width
    assert marks[-1] >= lowest + width - 1e-6 * width
    assert 3 <= len(marks) <= 2 * plots.TICKS + 2
    assert len(set(plots.labels(marks))) == len(marks)


def test_ticks_are_round() -> None:
    assert plots.labels(plots.ticks(0, 1_000_000)) == [
        "0", "200,000", "400,000", "600,000", "800,000", "1,000,000",
    ]  # fmt: skip
    assert plots.labels(plots.ticks(0, 0.31)) == ["0.0", "0.1", "0.2", "0.3", "0.4"]


def test_what_never_changes_is_drawn_level() -> None:
    blue = np.all(plots.draw([FLAT]) == plots.COLOURS[0], axis=2)
    rows = np.flatnonzero(blue[:, 200:300].all(axis=1))
    assert 1 <= len(rows) <= 3


def test_every_curve_has_its_colour_and_every_chart_its_place() -> None:
    picture = plots.draw([FLAT, TWO, TWO])
    assert picture.shape == (2 * plots.HEIGHT, 2 * plots.WIDTH, 3)
    for colour in plots.COLOURS[:2]:
        for corner in (picture[: plots.HEIGHT, plots.WIDTH :], picture[plots.HEIGHT :]):
            assert np.all(corner == colour, axis=2).sum() > 200


def test_of_a_waterfall_each_bar_begins_where_the_one_before_ends_and_the_last_spans_all() -> None:
    bars = (
        Bar("first", 0, 4, 5, "4 ms"),
        Bar("then", 4, 8, 9, "4 ms"),
        Bar("all", 0, 8, 9, "8 ms"),
    )
    picture = plots.draw([Waterfall("Both", "ms", bars)])

    def spans(colour: Colour) -> tuple[int, int]:
        """Where a bar begins and ends: letters and thin lines fill fewer of its rows."""
        painted = np.all(picture == colour, axis=2)
        rows = painted[painted.sum(axis=1) > 60]
        columns = np.flatnonzero(rows.mean(axis=0) > 0.8)
        return int(columns[0]), int(columns[-1])

    first, then, whole = (spans(colour) for colour in (*plots.COLOURS[:2], plots.INK))
    assert abs(then[0] - first[1]) <= 3
    assert abs(whole[0] - first[0]) <= 3
    assert abs(whole[1] - then[1]) <= 3


def test_one_point_alone_is_drawn_as_well() -> None:
    lonely = Chart("One", "n", "ms", (Curve("it", (3,), (0,)),))
    assert np.all(plots.draw([lonely]) == plots.COLOURS[0], axis=2).any()


def test_a_picture_is_written_or_it_is_said_why_not(tmp_path: Path) -> None:
    plots.save([TWO], tmp_path / "two.png")
    with Image.open(tmp_path / "two.png") as picture:
        assert picture.size == (plots.WIDTH, plots.HEIGHT)
    with pytest.raises(GesturectlError, match=r"no/two\.png cannot be written: No such file"):
        plots.save([TWO], tmp_path / "no" / "two.png")
