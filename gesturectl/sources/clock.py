"""The one place where sources read the time, so that their tests need not wait for it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A clock in integer microseconds that never goes back."""

    def now_us(self) -> int: ...

    def sleep_us(self, duration_us: int) -> None: ...


class MonotonicClock:
    """The monotonic clock of the system, on which frames are stamped."""

    def now_us(self) -> int:
        return time.monotonic_ns() // 1000

    def sleep_us(self, duration_us: int) -> None:
        time.sleep(max(0, duration_us) / 1e6)


class ManualClock:
    """Stands still until someone sleeps: an hour passes at once, and the same way every time."""

    def __init__(self, now_us: int = 0) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def sleep_us(self, duration_us: int) -> None:
        self._now_us += max(0, duration_us)


MONOTONIC: Clock = MonotonicClock()
