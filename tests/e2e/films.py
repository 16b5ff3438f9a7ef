"""Hands as landmarks, in files that the daemon plays: who acts, and no landmark model runs.

In:  a puppet script, or shapes and places of a hand.  Out: `trace:FILE`, a source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gesturectl.trace import TraceWriter
from gesturectl.types import Observation
from tests import sensing
from tests.acting import SIZE_PX, Performance

RATE_HZ = 30
FRAME_US = 1_000_000 // RATE_HZ

Place = tuple[float, float]  # to the right and down, in fractions of the mirrored picture


def filmed(path: Path, seen: Iterable[Observation]) -> str:
    """Keep what was seen in a file; return the source that plays it."""
    with TraceWriter(path, SIZE_PX, "a film") as writer:
        for one in seen:
            writer.write(one)
    return f"trace:{path}"


def acted(path: Path, script: str) -> str:
    """Film somebody who acts a puppet script."""
    return filmed(path, Performance(script).at(RATE_HZ))


class Film:
    """One right hand, shown scene by scene."""

    def __init__(self, place: Place = (0.5, 0.5)) -> None:
        self._place = place
        self._scenes: list[tuple[str, int, Place, Place]] = []

    def show(self, shape: str, seconds: float, to: Place | None = None) -> Film:
        """Hold a shape; with `to`, move there evenly meanwhile."""
        start, self._place = self._place, to or self._place
        self._scenes.append((shape, round(seconds * RATE_HZ), start, self._place))
        return self

    def frames(self, times: int = 1) -> Iterator[Observation]:
        """Yield what is seen, so many times over."""
        t_us = 0
        for shape, count, start, end in self._scenes * times:
            for number in range(1, count + 1):
                t_us += FRAME_US
                right, down = (
                    a + (b - a) * number / count for a, b in zip(start, end, strict=True)
                )
                yield sensing.frame(t_us, sensing.hand(right, down, shape=shape))
