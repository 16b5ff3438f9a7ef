"""The tray in the companion: from what the daemon tells to what a panel shows, and back.

    rows of the daemon ─▶ Known ─▶ Status ─▶ panel        four times a second at most
    daemon, or desktop ◀── asked ◀── Ask ◀── clicks

The daemon tells of its state by itself. Its modes and the profiles on disk are looked up at the
start, when the profile changes, and when a menu opens; nothing is asked while nothing happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Final, Protocol

from gesturectl import profile, sessionbus
from gesturectl.config import Config
from gesturectl.control import wire
from gesturectl.control.line import Line, Row
from gesturectl.errors import ControlError, DesktopError
from gesturectl.tray import chores
from gesturectl.tray.menu import Ask
from gesturectl.tray.status import Known, Status, heard, status, told

log = logging.getLogger(__name__)

LOOK_S: Final = 0.25  # nobody sees more; a panel draws anew each time


class Panel(Protocol):
    """Where the tray is shown."""

    def show(self, status: Status) -> None:
        """Show another status."""
        ...


async def show(line: Line, settings: Config) -> None:
    """Show the tray on the session's D-Bus, until cancelled.

    Raises:
        ControlError: the daemon does not answer.
        DesktopError: there is no bus, or it has ended.
    """
    from gesturectl.tray.sni import shown_on

    tray = Tray(line)
    async with tray.following(), shown_on(tray.status, tray.act, tray.look) as (panel, gone):
        showing = asyncio.ensure_future(tray.show_on(panel))
        try:
            await asyncio.wait({showing, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            showing.cancel()
        if not showing.cancelled() and showing.done():
            showing.result()
        raise DesktopError(sessionbus.ENDED)


class Tray:
    """What is known of a run, and what may be asked of it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._known, self._profiles = Known(), tuple[str, ...]()
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def status(self) -> Status:
        """What is to be shown now."""
        return status(self._known, self._profiles)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Know the run, and all that happens in it.

        Raises:
            ControlError: the daemon does not answer.
        """
        with self._line.listening(self._hear):
            answer = await self._line.ask("events", True)
            self._hear(answer["state"])
            await self._look()
            yield

    async def show_on(self, panel: Panel) -> None:
        """Show each change, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            panel.show(self.status)
            await asyncio.sleep(LOOK_S)

    def _hear(self, row: Row) -> None:
        before, self._known = self._known, heard(self._known, row)
        if self._known is not before:
            self._changed.set()
        if self._known.profile != before.profile:
            self.look()

    def look(self) -> None:
        """Look up what the daemon does not tell by itself."""
        self._begin(self._look())

    async def _look(self) -> None:
        self._profiles = tuple(sorted(profile.available()))
        try:
            self._known = told(self._known, await self._line.ask("status"))
        except ControlError as error:
            log.debug("%s", error)
        self._changed.set()

    def act(self, ask: Ask) -> None:
        """Do what a click asks for; whatever comes of it is told on the desktop."""
        self._begin(self._do(ask))

    async def _do(self, ask: Ask) -> None:
        if ask.verb not in wire.ASKS:
            await asyncio.to_thread(chores.CHORES[ask.verb])
            return
        try:
            await self._line.ask(ask.verb, ask.value or None)
        except ControlError as error:
            log.warning("%s: %s", ask.verb, error)
            await asyncio.to_thread(chores.tell, str(error))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # the loop itself forgets tasks that nobody holds
        task.add_done_callback(self._tasks.discard)
