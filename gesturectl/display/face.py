"""The display of one process: rows of `show` in, pictures on the screen, sounds and notices out.

    socket ──row──▶ hear ─┐
    time   ───────▶ turn ─┴─▶ draws what changed; says when it wants to be asked again
    screen ───────▶ turn

It owns no loop: whoever does calls `hear` with each row, and `turn` after it, when its time has
come, and when `fileno` is readable. When the desktop is gone it shows nothing, and tries again
every RETRY_US; gestures never depend on it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gesturectl.config import Config, Display
from gesturectl.control import place
from gesturectl.display import attention, drawing, seeing, sounds
from gesturectl.display.drawing import Look
from gesturectl.display.screens import Screen, open_screen
from gesturectl.display.seeing import Happening, Rest, View
from gesturectl.errors import DesktopError
from gesturectl.sinks.courier import Courier
from gesturectl.types import Notify, Play

log = logging.getLogger(__name__)

Opener = Callable[[Display], Screen]

RETRY_US: Final = 5_000_000
PACE_US: Final = 45_000  # between two pictures: as many as a daemon tells rows


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What is on the screen."""

    look: Look
    panel: View
    ring: Rest | None


class Face:
    """What a person sees and hears of a daemon; nothing until the first row.

    `changed` is called when `fileno` has become another one.
    """

    def __init__(
        self,
        config: Config,
        *,
        opener: Opener = open_screen,
        courier: Courier | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._config, self._opener, self._changed = config, opener, changed
        self._screen: Screen | None = None
        self._retry_us = 0
        self._said: str | None = None
        self._state, self._alarm = seeing.State(), attention.State()
        self._drawn: _Drawn | None = None
        self._drawn_us = 0
        self._courier = courier or Courier()

    def fileno(self) -> int | None:
        """Return what is readable when the screen has something to say, None without a screen."""
        return None if self._screen is None else self._screen.fileno()

    def take_up(self, config: Config) -> None:
        """Go on with other settings."""
        display, self._config = self._config.display, config
        self._retry_us = 0
        if self._screen is not None and display != config.display:
            if config.display.show is False:
                self._leave()
                return
            with self._surviving():
                self._screen.arrange(config.display)
            self._drawn = None

    def hear(self, row: Mapping[str, Any], t_us: int) -> None:
        """Take one row of `show`; others, and what cannot be read, are passed over."""
        if row.get("type") != "show":
            return
        try:
            told = seeing.read(row)
        except ValueError as error:
            log.debug("%s", error)
            return
        self._state, happened = seeing.hear(self._state, told, t_us)
        for one in happened:
            self._play(one)

    def turn(self, t_us: int) -> int | None:
        """Do what is to be done by now; return when to be asked again, None for not by time."""
        self._alarm, words = attention.step(self._alarm, self._state.told, t_us)
        if words is not None:
            self._courier.send(Notify(t_us, words))
        view, next_us = seeing.see(self._config.display.motion, self._state, t_us)
        if view is not None:
            next_us = _sooner(next_us, self._open(t_us))
        if self._screen is not None:
            with self._surviving():
                if self._screen.read():
                    self._drawn = None
                if view is not None:
                    next_us = _sooner(next_us, self._draw(self._screen, view, t_us))
        return _sooner(next_us, attention.due_us(self._alarm, self._state.told))

    def close(self) -> None:
        """Take everything off the screen."""
        self._leave()
        self._courier.close()

    # --- help ---------------------------------------------------------------------------------

    def _open(self, t_us: int) -> int | None:
        """Open the screen where that is wanted; return when to try again."""
        if self._screen is not None or self._config.display.show is False:
            return None
        if t_us < self._retry_us:
            return self._retry_us
        try:
            self._screen = self._opener(self._config.display)
        except DesktopError as error:
            self._retry_us = t_us + RETRY_US
            self._say(str(error))
            return self._retry_us
        self._said = None
        self._changed()
        return None

    def _draw(self, screen: Screen, view: View, t_us: int) -> int | None:
        """Draw what has changed, or return when that may be done."""
        look = Look(self._config.display, screen.scale)
        rest = view.told.rest
        if rest is not None and screen.finds(rest.at):
            drawn = _Drawn(look, replace(view, told=replace(view.told, rest=None)), rest)
        else:
            drawn = _Drawn(look, view, None)
        before = self._drawn
        if drawn == before:
            return None
        if before is not None and t_us < self._drawn_us + PACE_US:
            return self._drawn_us + PACE_US
        self._drawn, self._drawn_us = drawn, t_us
        if before is None or (before.look, before.panel) != (look, drawn.panel):
            screen.show(drawing.panel(look, drawn.panel))
        if drawn.ring is not None:
            screen.point(drawing.ring(look, drawn.ring), drawing.hot_spot(look), drawn.ring.at)
        elif before is None or before.ring is not None:
            screen.point(None, (0, 0), None)
        return None

    @contextlib.contextmanager
    def _surviving(self) -> Iterator[None]:
        """Do without the screen when it is gone."""
        try:
            yield
        except DesktopError as error:
            self._say(str(error))
            self._leave()

    def _leave(self) -> None:
        screen, self._screen = self._screen, None
        self._drawn = None
        if screen is not None:
            self._changed()
            with contextlib.suppress(DesktopError, OSError):
                screen.close()

    def _say(self, problem: str) -> None:
        """Say once why nothing is shown: loudly where it was asked for."""
        if problem != self._said:
            self._said = problem
            level = logging.WARNING if self._config.display.show else logging.INFO
            log.log(level, "the display: %s", problem)

    def _play(self, what: Happening) -> None:
        if not self._config.sounds:
            return
        try:
            path = sounds.file(what, place.folder())
        except OSError as error:
            log.info("no sound: %s", error)
            return
        self._courier.send(Play(0, str(path)))


def _sooner(one: int | None, other: int | None) -> int | None:
    return min((time for time in (one, other) if time is not None), default=None)
