"""What every measure counts with: intervals that are exact or close to it, events against truth.

segment      S-----------E                   S start, E end, as annotated
heard          1     2       3        4
window       |-------------------|           from S until `grace_us` after E
  1) the right gesture inside the window: it answers the segment, which is taken from then on
  2) the same once more: false, as the segment has its answer
  3) any other gesture: false, also inside the window
  4) outside every window: false
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from gesturectl import rates
from gesturectl.rates import CONFIDENCE
from gesturectl.types import Began, Float64, Int64
from training.datasets import Segment


def rounded(figure: float | None, digits: int = 4) -> float | None:
    """Return a figure as JSON tells it; none stays none."""
    return None if figure is None else round(figure, digits)


class Interval(NamedTuple):
    """Bounds between which a figure lies with 95 % confidence."""

    low: float
    high: float

    def rounded(self, digits: int = 4) -> list[float]:
        """Return both bounds as JSON tells them."""
        return [round(self.low, digits), round(self.high, digits)]


def wilson(hits: int, n: int) -> Interval:
    """Return the score interval of a fraction (Wilson 1927); nothing seen leaves 0 to 1.

    Raises:
        ValueError: not 0 ≤ hits ≤ n.
    """
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} hits of {n} is no fraction")
    if n == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    p, z2 = hits / n, z * z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    # At the ends the bound is the end itself; rounding would miss it by a hair.
    low = 0.0 if hits == 0 else middle - half
    high = 1.0 if hits == n else middle + half
    return Interval(low, high)


def poisson(count: int) -> Interval:
    """Return the exact interval of the expected count of rare events (`rates.two_sided`).

    Two-sided if there were none as well: not the "rule of three" that users are told.
    """
    return Interval(*rates.two_sided(count))


def bootstrap(figure: Callable[[Int64], Float64], n: int) -> Interval:
    """Return the interval of a figure of n things: n of them drawn anew, 2000 times (Efron 1979).

    `figure` takes what was drawn (draws, n), indices, and gives the figure of each draw (draws,).
    Always the same are drawn, so that the same things have the same interval.
    """
    drawn = np.random.default_rng(0).integers(n, size=(2000, n))
    low, high = np.quantile(figure(drawn), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(low), float(high))


@dataclass(frozen=True, slots=True)
class Rate:
    """Events over a time, with the exact interval of their rate."""

    count: int
    hours: float

    @property
    def per_hour(self) -> float | None:
        """Events per hour; None when no time has passed."""
        return self.count / self.hours if self.hours > 0 else None

    @property
    def interval(self) -> Interval:
        """Bounds of `per_hour`."""
        if self.hours <= 0:
            return Interval(0.0, math.inf)
        bounds = poisson(self.count)
        return Interval(bounds.low / self.hours, bounds.high / self.hours)


# --- events against truth -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Matching:
    """What answered what, what was false and what was missed, each in the order of time."""

    right: tuple[tuple[Began, Segment], ...]
    false: tuple[Began, ...]
    missed: tuple[Segment, ...]


def match(events: Sequence[Began], segments: Sequence[Segment], grace_us: int) -> Matching:
    """Answer each segment by at most one event; see the drawing above.

    Where windows of the same gesture overlap, an event answers the one that ends first: no other
    choice answers more of them.
    """
    waiting = sorted(segments, key=lambda s: (s.end_us, s.start_us))
    right: list[tuple[Began, Segment]] = []
    false: list[Began] = []
    for event in sorted(events, key=lambda e: e.t_us):
        for segment in waiting:
            if event.gesture == segment.name and segment.holds(event.t_us, grace_us):
                right.append((event, segment))
                waiting.remove(segment)
                break
        else:
            false.append(event)
    missed = sorted(waiting, key=lambda s: s.start_us)
    return Matching(tuple(right), tuple(false), tuple(missed))


@dataclass(frozen=True, slots=True)
class Tally:
    """Events that were right and false, segments that were missed."""

    right: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.right + other.right, self.false + other.false, self.missed + other.missed)

    @classmethod
    def of(cls, matching: Matching, gesture: str | None = None) -> Tally:
        """Count a matching, all of it or what concerns one gesture."""

        def mine(name: str) -> bool:
            return gesture is None or name == gesture

        return cls(
            sum(mine(event.gesture) for event, _ in matching.right),
            sum(mine(event.gesture) for event in matching.false),
            sum(mine(segment.name) for segment in matching.missed),
        )

    @property
    def precision(self) -> float:
        """Of the events, how many were right; 0 without events."""
        return self.right / max(self.right + self.false, 1)

    @property
    def recall(self) -> float:
        """Of the segments, how many were answered; 0 without segments."""
        return self.right / max(self.right + self.missed, 1)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / max(2 * self.right + self.false + self.missed, 1)

    def intervals(self) -> dict[str, Interval]:
        """Return Wilson's intervals of precision and recall."""
        return {
            "precision": wilson(self.right, self.right + self.false),
            "recall": wilson(self.right, self.right + self.missed),
        }


def total(tallies: Sequence[Tally]) -> Tally:
    """Add up."""
    return sum(tallies, Tally())


def f1_interval(tallies: Sequence[Tally]) -> Interval:
    """Return the bootstrap interval of F1 over whole recordings, as errors come in company."""
    if not tallies:
        return Interval(0.0, 1.0)
    counts = np.array([(t.right, t.false, t.missed) for t in tallies], np.float64)

    def f1(drawn: Int64) -> Float64:
        right, false, missed = counts[drawn].sum(1).T
        out: Float64 = 2 * right / np.maximum(2 * right + false + missed, 1)
        return out

    return bootstrap(f1, len(counts))


def spread_ms(times_us: Sequence[int]) -> dict[str, float | None]:
    """Return median and 90th percentile in milliseconds; None of nothing."""
    if not times_us:
        return {"median": None, "p90": None}
    times = np.array(times_us, np.float64) / 1e3
    return {
        "median": round(float(np.median(times)), 1),
        "p90": round(float(np.quantile(times, 0.9)), 1),
    }


# --- figures --------------------------------------------------------------------------------------


def overall(matchings: Sequence[Matching]) -> dict[str, Any]:
    """Return what JSON tells of recordings: precision, recall, F1, and how soon events came."""
    tallies = [Tally.of(matching) for matching in matchings]
    right = [pair for matching in matchings for pair in matching.right]
    figures = _figures(total(tallies), right)
    figures["latency_start_ms"] = spread_ms([e.t_us - s.start_us for e, s in right])
    figures["intervals"]["f1"] = f1_interval(tallies).rounded()
    return figures


def of_gesture(matchings: Sequence[Matching], name: str) -> dict[str, Any]:
    """Return the same figures of one gesture, without what only whole recordings can tell."""
    right = [pair for matching in matchings for pair in matching.right if pair[1].name == name]
    return _figures(total([Tally.of(matching, name) for matching in matchings]), right)


def _figures(tally: Tally, right: Sequence[tuple[Began, Segment]]) -> dict[str, Any]:
    return {
        "precision": round(tally.precision, 4),
        "recall": round(tally.recall, 4),
        "f1": round(tally.f1, 4),
        "right": tally.right,
        "false": tally.false,
        "missed": tally.missed,
        "latency_end_ms": spread_ms([e.t_us - s.end_us for e, s in right]),
        "intervals": {key: bound.rounded() for key, bound in tally.intervals().items()},
    }
