r"""The transport of Windows: a named pipe that only its user's processes can open.

    \\.\pipe\gesturectl-…    named by the folder of the user; one instance for each client,
                             and a few that wait for the next ones

Whoever makes the first instance is the daemon; Windows lets nobody make a second first one, nor
another user any. A pipe ends with its process, whatever ends that.

The server asks what is ready; Windows says what is completed. So a line keeps one read and one
write under way, in `Kernel`, and is ready when they are done:

    IN    what was read lies here       no further read begins before it is fetched
    OUT   no write is under way         `send` counts bytes when Windows has taken them
    GONE  a read failed                 and all that came before was fetched

`Kernel` is all that is asked of Windows: `windows.Windows` is the real one.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import sys
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeVar
from weakref import WeakValueDictionary

from gesturectl.control.transport import GONE, IN, KNOCK_S, NOBODY, OUT, Claim
from gesturectl.errors import ControlError, RunningError

READ_BYTES: Final = 4096
WRITE_BYTES: Final = 65_536  # at once: as much as a pipe holds
WAITING: Final = 8  # instances for clients to come; one that finds none tries again
TRIES: Final = 8  # to make an instance, while clients come and go in that moment
SLICE_S: Final = 0.25  # of a long wait: in between, Ctrl-C is heard
FAREWELL_S: Final = 1.0  # for what is under way at the end to be called off
BELL: Final = -1
DOOR: Final = -2


T_co = TypeVar("T_co", covariant=True)


class Operation(Protocol[T_co]):
    """A read, a write or the wait for a client, since it has begun."""

    @property
    def done(self) -> bool:
        """Whether `result` is known."""

    def result(self) -> T_co:
        """Return the bytes that were read, or the number of those written; once.

        Raises:
            OSError: it failed. A read may also give nothing, where the other end is closed.
        """

    def cancel(self) -> None:
        """Call it off."""


class Kernel(Protocol):
    """What is asked of Windows, for one thread; handles are numbers above zero."""

    def instance(self, name: str, *, first: bool) -> int:
        """Make an instance of a pipe that this user alone can open, from this machine.

        Raises:
            FileExistsError: there is such a pipe, though this should be the first.
        """

    def admit(self, handle: int) -> Operation[object]:
        """Begin to wait for a client. BrokenPipeError: it came and has gone."""

    def dial(self, name: str) -> int:
        """Open a pipe as a client.

        Raises:
            FileNotFoundError: there is none.
            BlockingIOError: all its instances are taken.
            PermissionError: it is another user's.
        """

    async def streams(self, name: str) -> tuple[StreamReader, StreamWriter]:
        """Open a pipe as a client, for an event loop; raises what `dial` raises."""

    def server(self, handle: int) -> int:
        """Return the pid of the process that made the pipe that was opened."""

    def read(self, handle: int, most: int) -> Operation[bytes]:
        """Begin to read."""

    def write(self, handle: int, data: bytes) -> Operation[int]:
        """Begin to write all of it."""

    def wait(self, timeout_ms: int | None) -> bool:
        """Wait until some operation is done, or a ring; return whether it rang. May end early."""

    def ring(self) -> None:
        """End a wait, or the next one. For any thread."""

    def busy(self) -> bool:
        """Whether Windows has not yet let go of some operation."""

    def hang_up(self, handle: int) -> None:
        """Close an end of a pipe. What was written is still delivered."""

    def close(self) -> None:
        """Be waited for no more."""


def windows() -> Kernel:
    """Return the real one.

    Raises:
        ControlError: this is not Windows.
    """
    if sys.platform == "win32":
        from gesturectl.control.windows import Windows

        return Windows()
    raise ControlError("only Windows has such pipes")


class PipeLine:
    """One end of a pipe, which never waits."""

    def __init__(self, kernel: Kernel, handle: int) -> None:
        self._kernel, self._handle = kernel, handle
        self._reading: Operation[bytes] | None = None
        self._writing: Operation[int] | None = None
        self._arrived = b""
        self._over = False

    def fileno(self) -> int:
        """Return its handle."""
        return self._handle

    def recv(self, most: int) -> bytes:
        """Return what was read; nothing when no more comes."""
        self._gather(more=True)
        if not self._arrived and not self._over:
            raise BlockingIOError
        data, self._arrived = self._arrived[:most], self._arrived[most:]
        return data

    def send(self, data: bytes | bytearray) -> int:
        """Return how many bytes Windows has taken: of those that the call before has begun with,
        if it was too early for them."""
        if self._writing is None:
            self._writing = self._kernel.write(self._handle, bytes(data[:WRITE_BYTES]))
        if not self._writing.done:
            raise BlockingIOError
        writing, self._writing = self._writing, None
        return writing.result()

    def ready(self, mask: int) -> int:
        """Return what of the mask it is ready for, and whether it is gone."""
        self._gather(more=bool(mask & IN))
        now = IN if self._arrived else GONE if self._over else 0
        if self._writing is None or self._writing.done:
            now |= OUT
        return now & (mask | GONE)

    def close(self) -> None:
        """Hang up."""
        for operation in (self._reading, self._writing):
            if operation is not None and not operation.done:
                operation.cancel()
        self._kernel.hang_up(self._handle)

    def _gather(self, *, more: bool) -> None:
        """Take what was read; begin to read more, if nothing of it is left."""
        try:
            if self._reading is None and more and not self._arrived and not self._over:
                self._reading = self._kernel.read(self._handle, READ_BYTES)
            if self._reading is not None and self._reading.done:
                reading, self._reading = self._reading, None
                self._arrived = reading.result()
                self._over = (
                    not self._arrived
                )  # so, or by an error, it is said that nobody is there
        except OSError:
            self._over = True


class PipeDoor:
    """Instances of a pipe that wait for clients, and the lines of those who came.

    Raises:
        FileExistsError: another process has such a pipe.
        OSError: it cannot be made.
    """

    number = DOOR
    bell = BELL

    def __init__(self, kernel: Kernel, name: str) -> None:
        self._kernel, self._name = kernel, name
        self._waiting: list[tuple[int, Operation[object]]] = []
        self._lines: WeakValueDictionary[int, PipeLine] = WeakValueDictionary()
        self._masks: dict[int, int] = {}
        self.ring = kernel.ring
        self._open(first=True)
        self._fill()

    def accept(self) -> PipeLine:
        """Let the next client in: Windows let no other user come."""
        for waits in [one for one in self._waiting if one[1].done]:
            if len(self._waiting) == 1:
                self._open()  # before this one is given away: nobody may take the name
            self._waiting.remove(waits)
            handle, admitting = waits
            self._fill()
            try:
                admitting.result()
            except OSError:  # it has gone again
                self._kernel.hang_up(handle)
                continue
            self._lines[handle] = line = PipeLine(self._kernel, handle)
            return line
        raise BlockingIOError

    def register(self, number: int, mask: int) -> None:
        """Ask for something of a line from now on."""
        self._masks[number] = mask

    modify = register

    def unregister(self, number: int) -> None:
        """Ask for nothing any more."""
        del self._masks[number]

    def poll(self, timeout_ms: int | None) -> list[tuple[int, int]]:
        """Return what is ready, or wait until something may be."""
        ready = self._ready()
        rung = self._kernel.wait(0 if ready else timeout_ms)
        ready = ready or self._ready()
        return [(BELL, IN), *ready] if rung else ready

    def hush(self) -> None:
        """Nothing: `poll` tells of a ring once."""

    def close(self) -> None:
        """Let nobody in any more; wait until Windows has let go of what was under way."""
        for handle, admitting in self._waiting:
            admitting.cancel()
            self._kernel.hang_up(handle)
        _part(self._kernel)

    def _ready(self) -> list[tuple[int, int]]:
        found = [(DOOR, IN)] if any(admitting.done for _, admitting in self._waiting) else []
        for number, mask in self._masks.items():
            if now := self._lines[number].ready(mask):
                found.append((number, now))
        return found

    def _open(self, *, first: bool = False) -> None:
        """Make an instance that waits for a client."""
        for left in reversed(range(TRIES)):
            handle = self._kernel.instance(self._name, first=first)
            try:
                self._waiting.append((handle, self._kernel.admit(handle)))
                return
            except OSError as error:
                self._kernel.hang_up(handle)
                if not (left and isinstance(error, BrokenPipeError)):
                    raise

    def _fill(self) -> None:
        """Have enough of them waiting, or at least one."""
        try:
            while len(self._waiting) < WAITING:
                self._open()
        except OSError:
            if not self._waiting:
                raise


class PipeCall:
    """The daemon, seen by a client that waits for it."""

    def __init__(self, kernel: Kernel, handle: int, timeout_s: float | None) -> None:
        self._kernel, self._line, self._timeout_s = kernel, PipeLine(kernel, handle), timeout_s

    def settimeout(self, seconds: float | None) -> None:
        """Say how long to wait from now on."""
        self._timeout_s = seconds

    def sendall(self, data: bytes) -> None:
        """Say something."""
        until_s = self._until_s()
        while data:
            try:
                data = data[self._line.send(data) :]
            except BlockingIOError:
                self._wait(until_s)

    def recv(self, most: int) -> bytes:
        """Wait for something, and return it; nothing when no more comes."""
        until_s = self._until_s()
        while True:
            try:
                return self._line.recv(most)
            except BlockingIOError:
                self._wait(until_s)

    def close(self) -> None:
        """Hang up."""
        self._line.close()
        _part(self._kernel)

    def _until_s(self) -> float:
        return time.monotonic() + (math.inf if self._timeout_s is None else self._timeout_s)

    def _wait(self, until_s: float) -> None:
        left_s = min(until_s - time.monotonic(), SLICE_S)
        if left_s <= 0:
            raise TimeoutError
        self._kernel.wait(math.ceil(1000 * left_s))


def name(where: Path) -> str:
    """Return the name of the pipe of the user whose runtime folder this is."""
    return rf"\\.\pipe\gesturectl-{hashlib.sha256(os.fsencode(where)).hexdigest()[:32]}"


@contextmanager
def claim(where: Path, *, kernel: Callable[[], Kernel] = windows) -> Iterator[Claim]:
    """Become the daemon of this user, until the context ends.

    Raises:
        RunningError: another one is; it is named by its pid.
        ControlError: the pipe cannot be made, or another user has one of its name.
    """
    ours = kernel()
    try:
        door = PipeDoor(ours, name(where))
    except FileExistsError:
        ours.close()
        raise RunningError(_pid(where, kernel)) from None
    except OSError as error:
        ours.close()
        raise ControlError(f"{name(where)}: {error.strerror or error}") from error
    try:
        yield Claim(door, name(where))
    finally:
        door.close()


def connect(where: Path, *, timeout_s: float, kernel: Callable[[], Kernel] = windows) -> PipeCall:
    """Return a connection to the daemon of this user, which waits.

    Raises:
        ControlError: none runs, it lets nobody in, or another user has a pipe of its name.
    """
    ours = kernel()
    try:
        return PipeCall(ours, _knock(ours, where, timeout_s), timeout_s)
    except BaseException:
        ours.close()
        raise


async def streams(
    where: Path, *, timeout_s: float, kernel: Callable[[], Kernel] = windows
) -> tuple[StreamReader, StreamWriter]:
    """Return the same connection for an event loop.

    Raises:
        ControlError: none runs, it lets nobody in, or another user has a pipe of its name.
    """
    ours = kernel()
    try:
        with _told(where):
            async with asyncio.timeout(timeout_s):
                return await ours.streams(name(where))
    finally:
        ours.close()


def holds(pid: int, where: Path, *, kernel: Callable[[], Kernel] = windows) -> bool:
    """Whether a process has the pipe of this user."""
    ours = kernel()
    try:
        handle = ours.dial(name(where))
    except BlockingIOError:  # it has as many clients as it lets in
        return True
    except OSError:
        return False
    else:
        there = ours.server(handle) == pid
        ours.hang_up(handle)
        return there
    finally:
        ours.close()


def _pid(where: Path, kernel: Callable[[], Kernel]) -> int | None:
    """Return whose pipe it is; None where it goes away in this moment, or lets nobody in."""
    ours = kernel()
    try:
        handle = _knock(ours, where, timeout_s=1.0)
        pid = ours.server(handle)
        ours.hang_up(handle)
        return pid
    except ControlError as error:
        if isinstance(error.__cause__, PermissionError):
            raise
        return None
    finally:
        ours.close()


def _knock(kernel: Kernel, where: Path, timeout_s: float) -> int:
    """Open the pipe; where all its instances are taken, wait for one."""
    until_s = time.monotonic() + timeout_s
    with _told(where):
        while True:
            try:
                return kernel.dial(name(where))
            except BlockingIOError as error:
                if time.monotonic() > until_s:
                    raise TimeoutError(error.errno, "it lets nobody in") from error
                time.sleep(KNOCK_S)


@contextmanager
def _told(where: Path) -> Iterator[None]:
    """Say in words why a pipe cannot be opened."""
    try:
        yield
    except FileNotFoundError:
        raise ControlError(NOBODY) from None
    except PermissionError as error:
        raise ControlError(f"{name(where)} belongs to another user") from error
    except OSError as error:
        raise ControlError(f"{name(where)}: {error.strerror or error}") from error


def _part(kernel: Kernel) -> None:
    """Close a kernel when Windows has let go of what was under way."""
    until_s = time.monotonic() + FAREWELL_S
    while kernel.busy() and time.monotonic() < until_s:
        kernel.wait(50)
    kernel.close()
