"""How often something happens, from how often it was seen: exact Poisson intervals.

Nothing seen in T hours does not mean that it never happens: with 95 % confidence it happens less
often than 3.0 times in T hours (-ln 0.05), and no more is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

CONFIDENCE: Final = 0.95


def interval(count: int, hours: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the interval (low, high) of the rate per hour after `count` events in `hours`.

    Exact (Garwood 1936): two-sided, but one-sided where nothing was seen. Without any hours nothing
    is known: (0, inf).
    """
    if hours <= 0:
        return 0.0, math.inf
    if count == 0:
        return 0.0, -math.log(1 - confidence) / hours
    rest = (1 - confidence) / 2
    low = _where(lambda mean: _at_most(count - 1, mean) < 1 - rest, count)
    high = _where(lambda mean: _at_most(count, mean) < rest, count)
    return low / hours, high / hours


def _at_most(count: int, mean: float) -> float:
    """Return the probability of `count` events or fewer where `mean` are expected."""
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))
                     for k in range(count + 1))  # fmt: skip


def _where(beyond: Callable[[float], bool], count: int) -> float:
    """Return the mean from which on `beyond` holds, by halving."""
    low, high = 1e-9, 10.0 + 4.0 * count
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return high
