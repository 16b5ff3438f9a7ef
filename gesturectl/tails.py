"""How often a score is exceeded, beyond what was ever seen.

An hour of ordinary behaviour cannot show what happens once in five. But scores that rarely occur
thin out evenly: above a high level `u`, each further step halves them. So an exponential tail is
fitted to the excesses over `u` (a generalised Pareto tail of shape 0; Pickands 1975), and carried
on beyond the highest one:

    exceeded    |\
    per hour    | \
                |  `-.__              counted
                |       `--..__ . . . . . . . . . carried on
                +--------u------------------------ score

What that may be off by is found by drawing whole pieces of the recordings anew (bootstrap).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gesturectl.rates import CONFIDENCE
from gesturectl.types import Float64

_TAIL = 0.03  # of all seconds, the highest; ten at least
_MIN_TAIL = 10
_DRAWS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The highest scores of ordinary behaviour.

    `over` (P,) counts, for each piece of the recordings, the seconds above `level`, `excess` (P,)
    adds up by how much; `hours` is the length of all pieces.
    """

    level: float
    over: Float64
    excess: Float64
    hours: float

    @classmethod
    def of(cls, pieces: Sequence[Float64], hours: float) -> Tail:
        """Fit the highest scores of each second (-inf where nothing was seen) of all pieces."""
        scores = np.concatenate(pieces) if pieces else np.zeros(0)
        scores = np.sort(scores[np.isfinite(scores)])
        if len(scores) < 2 * _MIN_TAIL:
            return cls(-np.inf, np.zeros(1), np.zeros(1), hours)
        count = max(round(_TAIL * len(scores)), _MIN_TAIL)
        level = float(scores[-count - 1])
        above = [np.maximum(np.nan_to_num(piece, neginf=level) - level, 0) for piece in pieces]
        over = np.array([float((piece > 0).sum()) for piece in above])
        return cls(level, over, np.array([float(piece.sum()) for piece in above]), hours)

    @property
    def known(self) -> bool:
        """Whether there was enough to fit anything to."""
        return bool(self.over.sum() > 0)

    def rate(self, score: float) -> tuple[float, float, float]:
        """Return how often an hour `score` is exceeded, and the bounds of its 95 % interval.

        Of nothing, nothing is known: 0 to infinity.
        """
        if not self.known or self.hours <= 0:
            return 0.0, 0.0, float("inf")
        beyond = max(score - self.level, 0.0)

        def carried_on(over: Float64, excess: Float64) -> Float64:
            scale = np.maximum(excess, 1e-9) / np.maximum(over, 1)
            rates: Float64 = over / self.hours * np.exp(-beyond / scale)
            return rates

        pieces = len(self.over)
        drawn = np.random.default_rng(0).integers(pieces, size=(_DRAWS, pieces))
        low, high = np.quantile(
            carried_on(self.over[drawn].sum(1), self.excess[drawn].sum(1)),
            [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2],
        )
        middle = carried_on(self.over.sum(keepdims=True), self.excess.sum(keepdims=True))
        return float(middle[0]), float(low), float(high)

    def score(self, per_hour: float) -> float:
        """Return the score that is exceeded so often; -inf where nothing is known."""
        if not self.known or self.hours <= 0:
            return float("-inf")
        count = float(self.over.sum())
        scale = float(self.excess.sum()) / count
        return self.level + scale * max(float(np.log(count / self.hours / per_hour)), 0.0)
