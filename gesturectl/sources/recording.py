"""A source that plays what was recorded: a video, a trace, a script.

In:  an iterator of items with strictly growing time stamps.
Out: the same items; as fast as they are read, or paced by a clock.

Paced, the first item is shown when it is first asked for and the others as far apart as they were
recorded. They are then stamped with the time at which they were due on that clock, like frames of
a camera, so that latency is measured the same way. Of several that are due, the newest wins.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from gesturectl.sources import EndOfSource
from gesturectl.sources.clock import MONOTONIC, Clock
from gesturectl.types import Frame, Observation

Item = Frame | Observation

# When decoding is slower than real time there is always one more late frame to drop. After so many
# the recording is shown later instead, and stays visible.
MAX_DROPPED_IN_A_ROW: Final = 15


class Recording:
    """Plays `items`; closes the generator, and with it the file, on leaving.

    The first item is made at once, so a file that cannot be opened fails here and not in the loop.
    """

    def __init__(
        self,
        items: Generator[Item],
        description: str,
        *,
        realtime: bool,
        clock: Clock = MONOTONIC,
    ) -> None:
        self.description = description
        self._items = items
        self._realtime = realtime
        self._clock = clock
        self._offset_us: int | None = None  # from recorded time to the clock, once it plays
        self._next: Item | None = next(items, None)
        self._over = self._next is None

    @property
    def problem(self) -> str | None:
        """Nothing can ail a recording but its end."""
        return None

    def read(self, timeout_s: float) -> Item | None:
        """Return the next item, or, when paced, the newest that is due within `timeout_s`."""
        item = self._peek()
        if item is None:
            raise EndOfSource
        if not self._realtime:
            self._next = None
            return item
        return self._paced(item, round(timeout_s * 1e6))

    def _paced(self, item: Item, timeout_us: int) -> Item | None:
        now_us = self._clock.now_us()
        if self._offset_us is None:
            self._offset_us = now_us - item.t_us
        wait_us = item.t_us + self._offset_us - now_us
        if wait_us > 0:
            self._clock.sleep_us(min(wait_us, timeout_us))
            if wait_us > timeout_us:
                return None
            now_us = self._clock.now_us()
        self._next = None
        dropped = 0
        while (later := self._peek()) is not None and later.t_us + self._offset_us <= now_us:
            if dropped == MAX_DROPPED_IN_A_ROW:
                self._offset_us = self._clock.now_us() - item.t_us
                break
            dropped += 1
            item, self._next = later, None
        return replace(item, t_us=item.t_us + self._offset_us)

    def _peek(self) -> Item | None:
        if self._next is None and not self._over:
            self._next = next(self._items, None)
            self._over = self._next is None
        return self._next

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._items.close()
        self._next, self._over = None, True
