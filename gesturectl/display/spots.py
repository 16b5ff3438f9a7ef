"""Where things stand on a desktop of several monitors.

Lengths are those of the desktop: pixels on X11, logical ones on Wayland.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gesturectl.config import Spot

MARGIN: Final = 16  # between a panel and the edges of its monitor, at size 1


@dataclass(frozen=True, slots=True)
class Monitor:
    """One monitor. `scale` is how many pixels of its own a length of 1 has."""

    name: str
    x: int
    y: int
    width: int
    height: int
    main: bool = False
    scale: float = 1.0


def chosen(monitors: Sequence[Monitor], wanted: str | None) -> Monitor | None:
    """Return the monitor of this name or number (from 1), else the main one, else the first.

    Monitors come and go: one that is not there now is not an error.
    """
    for number, monitor in enumerate(monitors, 1):
        if wanted is not None and wanted in (monitor.name, str(number)):
            return monitor
    return next((one for one in monitors if one.main), monitors[0] if monitors else None)


def corner(monitor: Monitor, spot: Spot, width: int, height: int, margin: int) -> tuple[int, int]:
    """Return where the upper left corner of a panel belongs."""
    across, down = sides(spot)
    x = (margin, (monitor.width - width) // 2, monitor.width - width - margin)[across + 1]
    y = (margin, (monitor.height - height) // 2, monitor.height - height - margin)[down + 1]
    return monitor.x + max(x, 0), monitor.y + max(y, 0)


def sides(spot: Spot) -> tuple[int, int]:
    """Return to which sides a place belongs: -1 left or up, 1 right or down, 0 neither."""
    words = spot.split("-")
    return ("right" in words) - ("left" in words), ("bottom" in words) - ("top" in words)


def at(monitors: Sequence[Monitor], place: tuple[float, float]) -> tuple[Monitor, int, int] | None:
    """Turn fractions of the whole desktop into a monitor, and a place on it."""
    if not monitors:
        return None
    left, top = min(one.x for one in monitors), min(one.y for one in monitors)
    right = max(one.x + one.width for one in monitors)
    bottom = max(one.y + one.height for one in monitors)
    x, y = left + place[0] * (right - left), top + place[1] * (bottom - top)
    for one in monitors:
        if one.x <= x <= one.x + one.width and one.y <= y <= one.y + one.height:
            return one, round(x - one.x), round(y - one.y)
    return None  # in a corner of the desktop that no monitor shows
