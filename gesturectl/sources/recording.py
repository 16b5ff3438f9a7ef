"""A source that plays what was recorded: a video, a trace, a script.

In:  an iterator of items with strictly growing time stamps.
Out: the same items; as fast as they are read, or paced by a clock.

Paced, the first item is shown when it is first asked for and the others as far apart as they were
recorded. They are then stamped with the time at which they were due on that clock, like frames of
a camera, so that latency is measured the same way. Of several that are due, the newest wins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from gesturectl.errors import GesturectlError
from gesturectl.sources import EndOfSource
from gesturectl.sources.clock import MONOTONIC, Clock
from gesturectl.types import Frame, Observation

Item = Frame | Observation

# When decoding is slower than real time there is always one more late frame to drop. After so many
# the recording is shown later instead, and stays visible.
MAX_DROPPED_IN_A_ROW: Final = 15

AHEAD: Final = 32  # observations that are foretold at a time; more gain nothing


class Recording:
    """Plays `items`; closes the generator, and with it the file, on leaving.

    The first item is made at once, so a file that cannot be opened fails here and not in the loop.
    Where it fails later, `read` first gives all that comes before.
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
        self._coming: deque[Item] = deque()  # made, and not yet read
        self._told = 0  # how many of them
        self._failure: GesturectlError | None = None
        self._peek()

    @property
    def problem(self) -> str | None:
        """Nothing can ail a recording but its end."""
        return None

    def read(self, timeout_s: float) -> Item | None:
        """Return the next item, or, when paced, the newest that is due within `timeout_s`."""
        item = self._peek()
        if item is None:
            raise EndOfSource
        if self._realtime:
            return self._paced(item, round(timeout_s * 1e6))
        self._told = max(self._told - 1, 0)
        return self._coming.popleft()

    def foretell(self) -> Sequence[Observation]:
        """Return the next observations once those told before are read; paced, nothing."""
        if self._realtime or self._told or not isinstance(self._peek(), Observation):
            return ()
        while len(self._coming) < AHEAD and self._make():
            pass
        self._told = len(self._coming)
        return [item for item in self._coming if isinstance(item, Observation)]

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
        self._coming.popleft()
        dropped = 0
        # What is damaged further on is said by the next read.
        while self._has_next() and self._coming[0].t_us + self._offset_us <= now_us:
            if dropped == MAX_DROPPED_IN_A_ROW:
                self._offset_us = self._clock.now_us() - item.t_us
                break
            dropped += 1
            item = self._coming.popleft()
        return replace(item, t_us=item.t_us + self._offset_us)

    def _peek(self) -> Item | None:
        """Return the next item, None after the last.

        Raises:
            GesturectlError: there is no next item because the recording is damaged.
        """
        if self._has_next():
            return self._coming[0]
        if self._failure is not None:
            raise self._failure
        return None

    def _has_next(self) -> bool:
        return bool(self._coming) or self._make()

    def _make(self) -> bool:
        """Make one more item, if there is one."""
        try:
            item = next(self._items, None)
        except GesturectlError as error:
            self._failure = error
            return False
        if item is not None:
            self._coming.append(item)
        return item is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._items.close()
        self._coming.clear()
