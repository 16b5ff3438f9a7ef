"""Landmarks drawn with dots: true shapes, mirrored, whatever the numbers are."""

from __future__ import annotations

import numpy as np

from gesturectl.sketch import sketch
from gesturectl.types import Hand, Observation
from tests.acting import Performance

SIZE_PX = (640, 480)


def hand_at(x: float, y: float) -> Hand:
    spread = np.linspace(-0.05, 0.05, 21)
    points = np.stack([x + spread, y + spread[::-1], np.zeros(21)], axis=1)
    return Hand("right", 0.9, points.astype(np.float32))


def drawn(x: float, y: float) -> tuple[int, int]:
    """Where the first letter of a hand at this place stands: its line and column."""
    lines = sketch(Observation(0, (hand_at(x, y),), (), SIZE_PX), 40, 12)
    return next(
        (row, column) for row, line in enumerate(lines) for column, c in enumerate(line) if c != " "
    )


def test_a_picture_has_the_size_that_was_asked_for_also_with_nobody_in_it() -> None:
    lines = sketch(Observation(0, (), (), SIZE_PX), 30, 8)
    assert lines == [" " * 30] * 8


def test_it_is_a_mirror_and_up_is_up() -> None:
    assert drawn(0.2, 0.5)[1] > drawn(0.8, 0.5)[1]
    assert drawn(0.5, 0.2)[0] < drawn(0.5, 0.8)[0]


def test_a_person_is_drawn_from_hands_and_body() -> None:
    seen = Performance("open_palm").at(30, body=True)[60]
    both = "".join(sketch(seen, 60, 20))
    body = "".join(sketch(Observation(0, (), seen.bodies, SIZE_PX), 60, 20))
    assert both.count(" ") < body.count(" ") < len(body)


def test_points_far_outside_are_cut_off() -> None:
    wild = Hand("left", 0.5, np.linspace(-1e6, 1e6, 63, dtype=np.float32).reshape(21, 3))
    assert len(sketch(Observation(0, (wild,), (), SIZE_PX), 20, 6)) == 6
