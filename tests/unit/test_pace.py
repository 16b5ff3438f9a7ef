"""A budget of the processor is kept by looking at fewer pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesturectl import features, pace
from gesturectl.pace import ENOUGH_HZ, LEAST_HZ, Limits, Pace

costs = st.floats(0.0005, 0.08)
budgets = st.floats(0.05, 1.0)
cameras = st.sampled_from([15.0, 24.0, 30.0, 60.0])


def spend(state: Pace, limits: Limits, cost_s: float, camera_hz: float) -> tuple[Pace, float]:
    """One second with pictures of this cost; returns the pace after it, and the share it took."""
    pictures = round(min(camera_hz, state.hz or camera_hz))
    cpu_s = pictures * cost_s
    return pace.step(state, limits, 1.0, cpu_s, pictures), cpu_s


def test_without_a_budget_only_the_preset_counts() -> None:
    assert pace.step(Pace(), Limits(), 1.0, 0.4, 30) == Pace(None, 0.4)
    assert pace.step(Pace(), Limits(most_hz=15), 1.0, 0.4, 30) == Pace(15, 0.4)


def test_a_second_without_pictures_tells_nothing_of_their_cost() -> None:
    assert pace.step(Pace(9, 0.2), Limits(max_cpu=0.2), 1.0, 0.1, 0) == Pace(None, 0.1)


def test_somebody_comes_and_each_picture_costs_ten_times_as_much() -> None:
    state, limits = Pace(), Limits(max_cpu=0.2)
    for _ in range(5):
        state, share = spend(state, limits, 0.001, 30)
    assert share == pytest.approx(0.03)  # an empty room: all pictures are looked at
    state, share = spend(state, limits, 0.010, 30)
    assert share == pytest.approx(0.3)
    assert state.hz == pytest.approx(20)  # at once
    state, share = spend(state, limits, 0.010, 30)
    assert share == pytest.approx(0.2)


def test_what_is_too_little_for_strokes_is_told_and_what_cannot_be_kept_as_well() -> None:
    little, _ = spend(Pace(), Limits(max_cpu=0.12), 0.01, 30)
    assert (little.hz, little.enough, little.kept) == (pytest.approx(12), False, True)
    least, _ = spend(Pace(), Limits(max_cpu=0.05), 0.05, 30)
    assert (least.hz, least.enough, least.kept) == (LEAST_HZ, False, False)
    assert ENOUGH_HZ > LEAST_HZ


@given(costs, budgets, cameras, st.none() | st.just(15.0))
def test_a_budget_is_kept_from_the_second_second_on(
    cost_s: float, max_cpu: float, camera_hz: float, most_hz: float | None
) -> None:
    limits, state, rates = Limits(most_hz, max_cpu), Pace(), []
    for second in range(30):
        state, share = spend(state, limits, cost_s, camera_hz)
        if second and state.kept:
            assert share <= max_cpu + cost_s  # whole pictures
        rates.append(state.hz or camera_hz)
        assert LEAST_HZ <= rates[-1] <= (most_hz or pace.FASTEST_HZ)
    used = [min(rate, camera_hz) for rate in rates[10:]]
    assert max(used) - min(used) < 2  # it has settled


@given(st.floats(5, 60), st.lists(st.integers(-4000, 4000), min_size=60, max_size=60))
def test_pictures_that_are_looked_at_come_at_the_rate_that_was_asked_for(
    hz: float, jitter_us: list[int]
) -> None:
    next_us, taken = 0, 0
    for i, off_us in enumerate(jitter_us):
        wanted, next_us = pace.due(next_us, 1_000_000 + i * 33_333 + off_us, hz)
        taken += wanted
    assert taken == pytest.approx(min(hz, 30) * 2, abs=3)


def test_of_a_steady_camera_every_second_picture_is_looked_at() -> None:
    next_us, looked_at = 0, []
    for i in range(12):
        wanted, next_us = pace.due(next_us, i * 33_333 + (i % 3) * 900, 15)
        looked_at.append(wanted)
    assert looked_at == [True, False] * 6


@given(cameras, st.lists(st.integers(-3000, 3000), min_size=90, max_size=90))
def test_at_the_least_rate_strokes_are_still_followed(
    camera_hz: float, jitter_us: list[int]
) -> None:
    """Pictures farther apart than `MAX_GAP_US` would begin every stroke anew."""
    next_us, taken_us = 0, []
    for i, off_us in enumerate(jitter_us):
        t_us = 1_000_000 + round(i * 1e6 / camera_hz) + off_us
        wanted, next_us = pace.due(next_us, t_us, LEAST_HZ)
        taken_us += [t_us] if wanted else []
    assert max(np.diff(taken_us)) <= features.MAX_GAP_US


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    _, next_us = pace.due(0, 10_000_000, 10)
    assert pace.due(next_us, 5_000_000, 10) == (True, 5_100_000)
