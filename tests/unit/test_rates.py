"""Rates with exact Poisson intervals, against values from tables."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesturectl.rates import interval, two_sided


def test_nothing_seen_in_t_hours_shows_no_more_than_three_in_t() -> None:
    low, high = interval(0, 10)
    assert low == 0
    assert high == pytest.approx(0.29957, abs=1e-4)


@pytest.mark.parametrize(
    ("count", "low", "high"),  # Garwood 1936, 95 %
    [(1, 0.0253, 5.572), (2, 0.2422, 7.225), (5, 1.623, 11.668), (20, 12.217, 30.889)],
)
def test_intervals_are_the_exact_ones(count: int, low: float, high: float) -> None:
    assert interval(count, 1) == (pytest.approx(low, rel=1e-3), pytest.approx(high, rel=1e-3))
    assert interval(count, 2)[1] == pytest.approx(high / 2, rel=1e-3)


def test_many_events_are_no_trouble() -> None:
    low, high = interval(5000, 1)
    assert low < 5000 < high < 5200


def test_without_time_nothing_is_known() -> None:
    assert interval(3, 0) == (0.0, math.inf)


@given(st.integers(0, 400), st.floats(0.5, 0.999))
def test_an_interval_holds_the_count_and_leaves_equal_tails(count: int, confidence: float) -> None:
    low, high = two_sided(count, confidence)
    assert low <= count <= high
    tail = (1 - confidence) / 2

    def at_most(k: int, mean: float) -> float:
        return math.fsum(
            math.exp(i * math.log(mean) - mean - math.lgamma(i + 1)) for i in range(k + 1)
        )

    assert at_most(count, high) == pytest.approx(tail, rel=1e-6)
    if count:
        assert 1 - at_most(count - 1, low) == pytest.approx(tail, rel=1e-6)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="-1 events"):
        two_sided(-1)
