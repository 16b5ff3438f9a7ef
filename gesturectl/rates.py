"""How often something happens, from how often it was seen: exact Poisson intervals.

Nothing seen in T hours does not mean that it never happens: with 95 % confidence it happens less
often than 3.0 times in T hours (-ln 0.05), and no more is known. Where tables must compare counts,
nothing seen is a count like any other, and its two-sided bound is 3.7 (-ln 0.025).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

CONFIDENCE: Final = 0.95


def interval(count: int, hours: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the interval (low, high) of the rate per hour after `count` events in `hours`.

    Two-sided, but one-sided where nothing was seen. Without any hours nothing is known: (0, inf).
    """
    if hours <= 0:
        return 0.0, math.inf
    if count == 0:
        return 0.0, -math.log(1 - confidence) / hours
    low, high = two_sided(count, confidence)
    return low / hours, high / hours


def two_sided(count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact interval (low, high) of the expected number of events (Garwood 1936).

    Raises:
        ValueError: the count is negative.
    """
    if count < 0:
        raise ValueError(f"{count} events cannot have happened")
    tail = (1 - confidence) / 2
    high = _where_ends(lambda mean: _at_most(count, mean) > tail)
    low = _where_ends(lambda mean: 1 - _at_most(count - 1, mean) < tail) if count else 0.0
    return low, high


def _at_most(count: int, mean: float) -> float:
    """Return the probability of `count` events or fewer where `mean` are expected."""
    if mean == 0:
        return 1.0
    log_mean = math.log(mean)
    return math.fsum(math.exp(k * log_mean - mean - math.lgamma(k + 1)) for k in range(count + 1))


def _where_ends(holds: Callable[[float], bool]) -> float:
    """Return the mean at which what holds of 0 holds no more."""
    high = 1.0
    while holds(high):
        high *= 2
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high) / 2
