"""What our own sink made the X server believe, so that it is not taken for the user's doing.

    sink        note Right ↓, send it            note Right ↑, send it
    server                  Right ↓ of XTEST                 Right ↑ of XTEST     a ↓ of XTEST
    desktop                 take: ours                       take: ours           take: not ours

Every injected event comes back once to whoever watches raw input, and says only that *some* client
injected it. So counting is all there is: a note is taken by the first event of its kind.
"""

from __future__ import annotations

from collections import deque

# A server answers within milliseconds. What has not come back then never will: the server drops
# the press of a modifier that another client holds down already.
FORGOTTEN_S = 5.0


class Injected:
    """Presses and releases of keys and buttons on their way to the server and back."""

    def __init__(self) -> None:
        self._noted: dict[tuple[int, int], deque[float]] = {}

    def note(self, event: int, detail: int, now_s: float) -> None:
        """Note an event that is about to be sent: its code in the X11 protocol, and its key."""
        times = self._noted.setdefault((event, detail), deque())
        self._forget(times, now_s)
        times.append(now_s)

    def take(self, event: int, detail: int, now_s: float) -> bool:
        """Whether an event that came back is ours. Each that was sent is ours once."""
        times = self._noted.get((event, detail))
        if times is None:
            return False
        self._forget(times, now_s)
        if not times:
            return False
        times.popleft()
        return True

    def _forget(self, times: deque[float], now_s: float) -> None:
        while times and now_s - times[0] > FORGOTTEN_S:
            times.popleft()
