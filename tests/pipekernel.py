"""What `pipes` asks of Windows, done by Unix sockets: operations that end after they began.

It keeps Windows' rules where they differ from sockets': a write is done when all of it was taken,
there is no closing of one half, and whoever reads from a pipe without its other end is told so.
"""

from __future__ import annotations

import asyncio
import os
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from os import set_blocking
from pathlib import Path
from select import POLLIN, POLLOUT, poll
from socket import AF_UNIX, SO_PEERCRED, SOL_SOCKET, socket


class Begun:
    """An operation that is tried again whenever somebody looks."""

    def __init__(self, handle: int, mask: int, attempt: Callable[[], bytes | int]) -> None:
        self.handle, self.mask, self._attempt = handle, mask, attempt
        self._result: bytes | int | OSError | None = None

    @property
    def done(self) -> bool:
        if self._result is None:
            try:
                self._result = self._attempt()
            except BlockingIOError:
                return False
            except OSError as error:
                self._result = error
        return True

    def result(self) -> bytes | int:
        assert self._result is not None
        if isinstance(self._result, OSError):
            raise self._result
        return self._result

    def cancel(self) -> None:
        self._result = self._result or BrokenPipeError("called off")


class StandIn:
    """Pipes of one folder, whose names are files in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listener: socket | None = None
        self._path: Path | None = None
        self._ends: dict[int, socket | None] = {}  # None while it waits for a client
        self._begun: list[Begun] = []
        self._next = 0
        self._hears, self._calls = os.pipe()
        set_blocking(self._hears, False)

    def instance(self, name: str, *, first: bool) -> int:
        if first:
            self._listener = socket(AF_UNIX)
            self._listener.setblocking(False)
            path = self._file(name)
            try:
                self._listener.bind(str(path))
            except OSError as error:
                self._listener.close()
                raise FileExistsError(error.errno, "there is one") from error
            self._path = path
            self._listener.listen(512)
        return self._new(None)

    def admit(self, handle: int) -> Begun:
        def attempt() -> int:
            assert self._listener is not None
            end, _ = self._listener.accept()
            end.setblocking(False)
            self._ends[handle] = end
            return 0

        return self._begin(Begun(handle, POLLIN, attempt))

    def dial(self, name: str) -> int:
        end = socket(AF_UNIX)
        end.setblocking(False)
        try:
            end.connect(str(self._file(name)))
        except OSError:
            end.close()
            raise
        return self._new(end)

    async def streams(self, name: str) -> tuple[StreamReader, StreamWriter]:
        return await asyncio.open_unix_connection(str(self._file(name)))

    def server(self, handle: int) -> int:
        told = self._end(handle).getsockopt(SOL_SOCKET, SO_PEERCRED, 12)
        return int(struct.unpack("iII", told)[0])

    def read(self, handle: int, most: int) -> Begun:
        end = self._end(handle)

        begun = Begun(handle, POLLIN, lambda: end.recv(most))
        if begun.done and not begun.result():
            raise BrokenPipeError("the other end is closed")  # later it would be an empty read
        return self._begin(begun)

    def write(self, handle: int, data: bytes) -> Begun:
        end, rest = self._end(handle), bytearray(data)

        def attempt() -> int:
            while rest:
                del rest[: end.send(rest)]
            return len(data)

        return self._begin(Begun(handle, POLLOUT, attempt))

    def wait(self, timeout_ms: int | None) -> bool:
        waits = poll()
        waits.register(self._hears, POLLIN)
        begun = [one for one in self._begun if not one.done]
        if len(begun) < len(self._begun):
            self._begun, timeout_ms = begun, 0
        masks: dict[int, int] = {}
        for one in begun:
            end = self._ends.get(one.handle) or self._listener
            assert end is not None
            masks[end.fileno()] = masks.get(end.fileno(), 0) | one.mask
        for file, mask in masks.items():
            waits.register(file, mask)
        rung = any(file == self._hears for file, _ in waits.poll(timeout_ms))
        if rung:
            os.read(self._hears, 4096)
        return rung

    def ring(self) -> None:
        os.write(self._calls, b"\0")

    def busy(self) -> bool:
        return bool(self._begun)

    def hang_up(self, handle: int) -> None:
        end = self._ends.pop(handle)
        if end is not None:
            end.close()
        self._begun = [one for one in self._begun if one.handle != handle]

    def close(self) -> None:
        assert not self._ends, "ends of pipes were left open"
        if self._path is not None:
            assert self._listener is not None
            self._listener.close()
            self._path.unlink()
        os.close(self._hears)
        os.close(self._calls)

    def _file(self, name: str) -> Path:
        return self._folder / name.rpartition("\\")[2].removeprefix("gesturectl-")[:8]

    def _new(self, end: socket | None) -> int:
        self._next += 4
        self._ends[self._next] = end
        return self._next

    def _end(self, handle: int) -> socket:
        end = self._ends[handle]
        assert end is not None
        return end

    def _begin(self, one: Begun) -> Begun:
        if not one.done:
            self._begun.append(one)
        return one
