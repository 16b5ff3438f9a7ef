"""A client of the control socket that lives in an event loop: it asks, and hears what happens.

    async with open_line() as line:
        attending = create_task(line.attend())      until the daemon ends
        with line.listening(print):                 rows of followers: states, gestures, commands
            await line.ask("events", True)

Whoever listens takes what comes at once, and waits for nothing while it does.
"""

from __future__ import annotations

import asyncio
from asyncio import Future, StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

from gesturectl.config import Config
from gesturectl.control import place, wire
from gesturectl.control.wire import PROTOCOL, Lines, Value
from gesturectl.errors import ControlError

TIMEOUT_S: Final = 10.0  # as `ctl` waits
READ_BYTES: Final = 65_536
MAX_ROW_BYTES: Final = 1 << 22
GONE: Final = "the daemon has ended"

Row = dict[str, Any]
Hear = Callable[[Row], None]


class Line:
    """A connection to the daemon of this user; `open_line` makes it."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._lines = Lines(MAX_ROW_BYTES)
        self._asked: dict[int, Future[Row]] = {}
        self._number = 0
        self._hearers: list[Hear] = []
        self._over = False
        self.pid = 0

    @contextmanager
    def listening(self, hear: Hear) -> Iterator[None]:
        """Have `hear` called with every row that is no answer. It must not raise."""
        self._hearers.append(hear)
        try:
            yield
        finally:
            self._hearers.remove(hear)

    async def ask(self, ask: str, value: Value = None) -> Row:
        """Ask one thing; return the answer. `attend` must be running.

        Raises:
            ControlError: it is refused, nobody answers in time, or the daemon ends.
        """
        if self._over:
            raise ControlError(GONE)
        self._number += 1
        number = self._number
        answer: Future[Row] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            self._writer.write(wire.asking(ask, value, number))
            # Not `wait_for`: before Python 3.12 it swallows a cancellation at the wrong moment.
            async with asyncio.timeout(TIMEOUT_S):
                return await answer
        except TimeoutError:
            raise ControlError(f"gesturectl (pid {self.pid}) does not answer") from None
        finally:
            self._asked.pop(number, None)

    async def attend(self) -> None:
        """Hear what comes, until the daemon hangs up.

        Raises:
            ControlError: what it says is not understood.
        """
        try:
            while (row := await self._next()) is not None:
                if row.get("type") == "answer":
                    self._answered(row)
                else:
                    for hear in self._hearers:
                        hear(row)
        finally:
            self._over = True
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(ControlError(GONE))

    async def greet(self) -> None:
        """Hear the first line.

        Raises:
            ControlError: it does not come, or another protocol is spoken.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S):
                hello = await self._next() or {}
        except TimeoutError:
            raise ControlError("gesturectl runs, but does not answer") from None
        if hello.get("type") != "hello" or hello.get("protocol") != PROTOCOL:
            raise ControlError("the gesturectl that runs speaks another protocol")
        self.pid = hello["pid"]

    def _answered(self, row: Row) -> None:
        answer = self._asked.get(row["id"])
        if answer is None or answer.done():  # nobody waits for it any more
            return
        if row["ok"]:
            answer.set_result(row)
        else:
            answer.set_exception(ControlError(row["error"]))

    async def _next(self) -> Row | None:
        """Return the next row, None when there will be none."""
        while (line := self._take()) is None:
            try:
                data = await self._reader.read(READ_BYTES)
            except OSError:
                return None
            if not data:
                return None
            self._lines.add(data)
        try:
            return wire.decode(line)
        except ValueError as error:
            raise ControlError(f"the daemon said what is not understood: {error}") from None

    def _take(self) -> bytes | None:
        try:
            return self._lines.take()
        except ValueError as error:
            raise ControlError(f"the daemon said what is not understood: {error}") from None


@asynccontextmanager
async def open_line(where: Path | None = None) -> AsyncIterator[Line]:
    """Connect to the daemon of this user.

    Raises:
        ControlError: none runs, it does not answer, or it speaks another protocol.
    """
    reader, writer = await place.streams(where, timeout_s=TIMEOUT_S)
    try:
        line = Line(reader, writer)
        await line.greet()
        yield line
    finally:
        writer.close()


Show = Callable[[Line, Config], Coroutine[None, None, None]]
"""Shows a run until it is cancelled. Hears by `line.listening`, asks by `line.ask`.

Raises a GesturectlError where this desktop cannot show it: that is said, and it is tried again a
few times. What it raises beside that is a bug, which is logged and does not end other faces.
"""
