"""A face in an event loop: it is asked again when it wants to be, and takes up settings on saving.

row ─▶ hear ─▶ turn, soon      timer ─▶ turn      screen readable ─▶ turn
every LOOK_S: was config.yaml saved?
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gesturectl import config
from gesturectl.config import Config
from gesturectl.control.line import Line
from gesturectl.display.face import Face, Opener
from gesturectl.display.screens import open_screen
from gesturectl.errors import ConfigError

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0


class Driver:
    """Drives a face in the loop that runs. Call `hear` with every row that the daemon tells."""

    def __init__(self, settings: Config, opener: Opener = open_screen) -> None:
        self._loop = asyncio.get_running_loop()
        self._face = Face(settings, opener=opener, changed=self._watch)
        self._watched: int | None = None
        self._soon: asyncio.TimerHandle | None = None
        self._stamp = _stamp()
        self._looks = self._loop.call_later(LOOK_S, self._look)

    def hear(self, row: Mapping[str, Any]) -> None:
        """Take a row; of several that come at once, one picture is drawn."""
        self._face.hear(row, _now_us())
        self._at(0)

    def close(self) -> None:
        """Take everything off the screen, and be driven no more."""
        self._looks.cancel()
        if self._soon is not None:
            self._soon.cancel()
        self._face.close()
        self._watch()

    def _turn(self) -> None:
        self._soon = None
        next_us = self._face.turn(_now_us())
        if next_us is not None:
            self._at(max(0.0, (next_us - _now_us()) / 1e6))

    def _at(self, in_s: float) -> None:
        when = self._loop.time() + in_s
        if self._soon is not None:
            if self._soon.when() <= when:
                return
            self._soon.cancel()
        self._soon = self._loop.call_at(when, self._turn)

    def _watch(self) -> None:
        """Read from the screen that there is now."""
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
        self._watched = self._face.fileno()
        if self._watched is not None:
            self._loop.add_reader(self._watched, self._turn_now)

    def _turn_now(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
        self._turn()

    def _look(self) -> None:
        self._looks = self._loop.call_later(LOOK_S, self._look)
        stamp = _stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._face.take_up(config.load())
        except ConfigError as error:
            log.warning("the settings stay as they were: %s", error)
        self._at(0)


async def show(line: Line, settings: Config) -> None:
    """Show a run until it is cancelled: what `companion` calls a face."""
    driver = Driver(settings)
    try:
        with line.listening(driver.hear):
            answer = await line.ask("show", True)
            driver.hear(answer["show"])
            await asyncio.Event().wait()
    finally:
        driver.close()


def _stamp() -> tuple[int, int] | None:
    """Return what tells one saving of the settings from another."""
    try:
        found = Path(config.folder() / "config.yaml").stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _now_us() -> int:
    return time.monotonic_ns() // 1000
