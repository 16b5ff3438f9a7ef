"""A camera in memory: acts what a test, or a curious reader, tells it to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from gesturectl.sources.clock import Clock
from gesturectl.sources.live import Picture, Unavailable


class MemoryDevice:
    """Each opening takes the next of `takes`: an `Unavailable`, which it raises, or the pictures to
    deliver at an even pace. A picture of None is a damaged one. After its last picture the device
    is unplugged; after its last take it is missing.
    """

    def __init__(
        self,
        clock: Clock,
        takes: Iterable[Unavailable | Sequence[Picture | None]],
        *,
        interval_us: int = 33_333,
    ) -> None:
        self.name = "camera 7 (Memory)"
        self.openings = 0
        self.is_open = False
        self._clock = clock
        self._takes = deque(takes)
        self._interval_us = interval_us
        self._pictures: deque[Picture | None] = deque()
        self._grabbed: Picture | None = None

    def open(self) -> str:
        self.openings += 1
        take = self._takes.popleft() if self._takes else Unavailable(f"{self.name} is missing")
        if isinstance(take, Unavailable):
            raise take
        self._pictures = deque(take)
        self.is_open = True
        return "in memory"

    def grab(self) -> int:
        if not self._pictures:
            raise Unavailable(f"{self.name} is unplugged")
        self._clock.sleep_us(self._interval_us)
        self._grabbed = self._pictures.popleft()
        return self._clock.now_us()

    def retrieve(self) -> Picture | None:
        return self._grabbed

    def release(self) -> None:
        self.is_open = False
