"""What a recogniser says of a performance, and the performers of `gesturectl.ideal`."""

from __future__ import annotations

from collections.abc import Iterable

from gesturectl.ideal import SIZE_PX, Performance, body_of
from gesturectl.recogniser import Recogniser
from gesturectl.types import Began, Ended, Observation

__all__ = ["SIZE_PX", "Performance", "begun", "body_of", "recognised"]


def recognised(recogniser: Recogniser, observations: Iterable[Observation]) -> list[Began | Ended]:
    """Return all events of a recording, in order."""
    return [event for observation in observations for event in recogniser.step(observation)]


def begun(events: Iterable[Began | Ended]) -> list[tuple[str, str]]:
    """Return what has begun, and by whom."""
    return [(event.gesture, event.side) for event in events if isinstance(event, Began)]
