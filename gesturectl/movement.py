"""Where hands are and how they are held, frame by frame: what axes and the pointer follow.

In:  what a frame shows.  Out: `Moved` of every hand, in widths of the user's palm.

Places are not smoothed here: those who follow them smooth in their own way (the pointer by a 1€
filter, an axis by its dead zone), and a filter before a filter is lag alone. Only the palm's width,
by which everything is divided, is a running median: a hand that bends or turns for a moment has not
grown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import atan2, degrees, dist
from statistics import median
from typing import Final

from gesturectl.features import INDEX_MCP, MIDDLE_MCP, PINKY_MCP, WRIST
from gesturectl.places import LOST_US, WIDTH_OF_SIZE, Seen
from gesturectl.types import SIDES, Moved, Side

WIDTH_US: Final = 500_000  # a width is the median of this last while
NEAR_US: Final = 134_000  # where nearness itself is followed it must not lag as long
THUMB_TIP: Final = 4
INDEX_TIP: Final = 8


@dataclass(slots=True)
class _Widths:
    """The widths of one hand's palm in the last while, oldest first, in heights of the image."""

    seen: deque[tuple[int, float]] = field(default_factory=deque)

    def push(self, t_us: int, width: float) -> None:
        if self.seen and t_us - self.seen[-1][0] > LOST_US:
            self.seen.clear()
        self.seen.append((t_us, width))
        while t_us - self.seen[0][0] > WIDTH_US:
            self.seen.popleft()

    def middle(self, within_us: int) -> float:
        latest_us = self.seen[-1][0]
        return median([width for t_us, width in self.seen if latest_us - t_us <= within_us])


class Palms:
    """The widths of both hands' palms over time."""

    def __init__(self) -> None:
        self._widths: dict[Side, _Widths] = {side: _Widths() for side in SIDES}

    def step(self, seen: Seen) -> None:
        """Take one frame."""
        for side in SIDES:
            width = seen.palm_width(side)
            if width is not None:
                self._widths[side].push(seen.t_us, width)

    def width(self, side: Side, within_us: int = WIDTH_US) -> float | None:
        """Return the steady width in heights of the image; None for a hand never seen."""
        widths = self._widths[side]
        return widths.middle(within_us) if widths.seen else None

    def reset(self) -> None:
        """Forget everything, as on pause."""
        self._widths = {side: _Widths() for side in SIDES}


def moved(seen: Seen, palms: Palms) -> Iterator[Moved]:
    """Say where every hand in this frame is; `palms` has taken the frame already.

    A camera's focal length is taken to be the width of its picture (a field of view of 53 degrees,
    as webcams have), so that `near` is about minus the distance in palm widths.
    """
    for side in SIDES:
        points, place = seen.flat(side), seen.hand_part(side, "palm")
        width, close = palms.width(side), palms.width(side, NEAR_US)
        solid = seen.solid(side)
        if points is None or place is None or width is None or close is None or solid is None:
            continue
        wrist, knuckle = points[WRIST], points[MIDDLE_MCP]
        # On the unmirrored image the user's right is on the left.
        roll = atan2((wrist[0] - knuckle[0]) * seen.aspect, wrist[1] - knuckle[1])
        yield Moved(
            seen.t_us,
            side,
            right=(place[0] - seen.aspect / 2) / width,
            up=(0.5 - place[1]) / width,
            near=-seen.aspect / close,
            pinch=pinch(solid),
            roll_deg=degrees(roll),
        )


def pinch(solid: list[list[float]]) -> float:
    """Return how far the tips of thumb and index finger are apart, in palm widths.

    Measured in three dimensions against the palm of the same frame: fingers that point at the
    camera are not closed.
    """
    wrist, index, little = solid[WRIST], solid[INDEX_MCP], solid[PINKY_MCP]
    size = (dist(wrist, index) + dist(index, little) + dist(little, wrist)) / 3
    return dist(solid[THUMB_TIP], solid[INDEX_TIP]) / (WIDTH_OF_SIZE * size) if size else 0.0
