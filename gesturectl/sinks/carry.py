"""Send fractions in whole steps: what a step leaves over is carried to the next."""

from __future__ import annotations

from dataclasses import dataclass
from math import trunc


@dataclass(slots=True)
class Carry:
    """Adds up fractions of a pixel or of a wheel step.

    >>> carry = Carry()
    >>> [carry.whole(0.4) for _ in range(5)]
    [0, 0, 1, 0, 1]
    """

    rest: float = 0.0

    def whole(self, amount: float) -> int:
        """Add an amount; return the whole steps to send now, and keep the rest."""
        total = self.rest + amount
        steps = trunc(total)
        self.rest = total - steps
        return steps
