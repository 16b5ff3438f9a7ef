"""Rows of `show` as a daemon tells them, for tests of the display."""

from __future__ import annotations

from typing import Any

from gesturectl.display.seeing import Told, View, read

QUIET: dict[str, Any] = {
    "t_us": 0, "type": "show", "paused": False, "frames": True, "problem": None,
    "profile": "media", "mode": "active", "asleep": False, "armed": None, "candidate": None,
    "progress": None, "fired": None, "held": [], "pointer": None,
}  # fmt: skip
FIST = {"gesture": "fist", "side": "right", "p": 0.62, "enter": 0.8, "active": False}
SURE = FIST | {"p": 0.95, "active": True}
HOLD = {"name": "fist", "side": "right", "fraction": 0.6}
SWIPE = {"number": 1, "gesture": "swipe_left", "does": "Right"}
RESTING = {"dwell": 0.6, "choice": "left", "at": None}


def row(**changes: Any) -> dict[str, Any]:
    """Return a row in which nothing happens but this."""
    return QUIET | changes


def told(**changes: Any) -> Told:
    """Return such a row, read."""
    return read(row(**changes))


def view(opened: float = 1.0, glow: float = 0.0, **changes: Any) -> View:
    """Return what is seen of such a row."""
    return View(told(**changes), opened, glow)


BUSY = view(glow=1.0, candidate=SURE, fired=SWIPE, armed=True)
"""An open panel in which everything happens."""
