"""How rare is rare: carried on from what was seen to what was not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gesturectl.tails import Tail


def pieces(hours: float, seed: int = 1) -> list[np.ndarray]:
    """Scores of each second of pieces of half a minute, thinning out by e in each 0.2."""
    rng = np.random.default_rng(seed)
    return [rng.exponential(0.2, 30) for _ in range(round(hours * 120))]


def test_a_rate_that_was_seen_is_the_one_that_was_counted() -> None:
    seen = pieces(2.0)
    tail = Tail.of(seen, 2.0)
    counted = sum(float((piece > 0.9).sum()) for piece in seen) / 2.0
    assert tail.rate(0.9)[0] == pytest.approx(counted, rel=0.25)


def test_a_rate_beyond_all_that_was_seen_is_carried_on() -> None:
    tail = Tail.of(pieces(0.5), 0.5)
    truth = 3600 * math.exp(-2.0 / 0.2)
    rate, low, high = tail.rate(2.0)
    assert low < truth < high
    assert truth / 5 < rate < 5 * truth


def test_the_bounds_hold_the_truth_nearly_always() -> None:
    truth = 3600 * math.exp(-1.8 / 0.2)
    bounds = [Tail.of(pieces(0.5, seed), 0.5).rate(1.8)[1:] for seed in range(60)]
    assert sum(low <= truth <= high for low, high in bounds) >= 50


def test_a_score_and_its_rate_lead_to_each_other() -> None:
    tail = Tail.of(pieces(0.5), 0.5)
    assert tail.rate(tail.score(0.2))[0] == pytest.approx(0.2)


def test_a_higher_score_is_rarer() -> None:
    tail = Tail.of(pieces(0.2), 0.2)
    rates = [tail.rate(score)[0] for score in np.linspace(0.5, 4, 20)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("seen", [[], [np.full(30, -np.inf)], [np.array([0.1, 0.2])]])
def test_of_nothing_nothing_is_known(seen: list[np.ndarray]) -> None:
    tail = Tail.of(seen, 1.0)
    assert not tail.known
    assert tail.rate(1.0) == (0.0, 0.0, math.inf)
    assert tail.score(0.2) == -math.inf
