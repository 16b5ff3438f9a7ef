"""Who is to have the camera instead: a program for meeting people, while its window is open.

In:  the windows that are open, every two seconds.  Out: why the camera is away, or None.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from gesturectl.desktop import OpenWindow
from gesturectl.rules import WindowRule
from gesturectl.types import Window

log = logging.getLogger(__name__)

LOOK_US: Final = 2_000_000
BACK_US: Final = 3_000_000  # meetings close one window before they open the next


@dataclass(frozen=True, slots=True)
class State:
    """Which application has the camera, and when its window was last seen."""

    app: str | None = None
    seen_us: int = 0


def step(
    state: State, rules: tuple[WindowRule, ...], windows: Iterable[OpenWindow], t_us: int
) -> State:
    r"""Return who has the camera after a look.

    window   __/^^^^^^\_/^^^^\_________
    away     __/^^^^^^^^^^^^^^^^^^\____     as soon as it is open, until it is gone for BACK_US
    """
    for one in windows:
        window = Window(t_us, one.app, one.title, one.executable)
        if any(rule.fits(window) for rule in rules):
            return State(one.app or one.executable or "another program", t_us)
    if state.app is not None and t_us - state.seen_us < BACK_US:
        return state
    return State()


class Meetings:
    """Looks every two seconds, where there is something to look for."""

    def __init__(self, rules: tuple[WindowRule, ...]) -> None:
        self._rules = rules
        self._state = State()
        self._next_us = 0

    def look(self, windows: Callable[[], Iterable[OpenWindow]], now_us: int) -> str | None:
        """Return why the camera is away now, in words, or None."""
        if self._rules and now_us >= self._next_us:
            self._next_us = now_us + LOOK_US
            before, self._state = self._state, step(self._state, self._rules, windows(), now_us)
            if before.app is None and self._state.app is not None:
                log.warning("the camera is released: %s is open", self._state.app)
            elif before.app is not None and self._state.app is None:
                log.warning("the camera is taken back: %s is closed", before.app)
        return None if self._state.app is None else f"{self._state.app} has the camera"
