"""Acted against heard."""

from __future__ import annotations

import pytest

from gesturectl.catalog import catalog
from gesturectl.score import EARLY_US, GRACE_US, Acted, Score, score
from gesturectl.types import Began

S = 1_000_000
FIST = Acted("fist", 2 * S, 4 * S)
SWIPE = Acted("swipe_left", 6 * S, 7 * S)


def heard(gesture: str, t_us: int) -> Began:
    return Began(t_us, gesture, "right", 0.9)


@pytest.mark.parametrize(
    ("events", "scores"),
    [
        ([], [Score("fist", 1, 0, 0, None), Score("swipe_left", 1, 0, 0, None)]),
        (
            [heard("fist", 2 * S + 200), heard("swipe_left", 7 * S - 100)],
            [Score("fist", 1, 1, 0, 200), Score("swipe_left", 1, 1, 0, -100)],
        ),
        (  # recognised before it was complete
            [heard("fist", 2 * S - EARLY_US)],
            [Score("fist", 1, 1, 0, -EARLY_US), Score("swipe_left", 1, 0, 0, None)],
        ),
        (  # a second beginning of the same is one too many
            [heard("fist", 2 * S), heard("fist", 3 * S)],
            [Score("fist", 1, 1, 1, 0), Score("swipe_left", 1, 0, 0, None)],
        ),
        (  # before it, and too long after it, is something else
            [heard("fist", 2 * S - EARLY_US - 1), heard("swipe_left", 7 * S + GRACE_US + 1)],
            [Score("fist", 1, 0, 1, None), Score("swipe_left", 1, 0, 1, None)],
        ),
        (  # never acted
            [heard("horns", 3 * S)],
            [
                Score("fist", 1, 0, 0, None),
                Score("horns", 0, 0, 1, None),
                Score("swipe_left", 1, 0, 0, None),
            ],
        ),
    ],
)
def test_each_beginning_answers_one_act_or_is_false(
    events: list[Began], scores: list[Score]
) -> None:
    assert list(score([SWIPE, FIST], events, catalog())) == scores


def test_missed_is_what_was_acted_in_vain() -> None:
    assert Score("fist", 5, 3, 0, 1).missed == 2
