"""What server and clients need of what carries their bytes: Unix sockets, or Windows' named pipes.

    Claim ── Door    the server's: lets clients in, and says which have something
               └─ Line    one client, seen by the server: it never waits
    Call             the daemon, seen by a client: it waits, up to a time

The server asks which lines are ready, as `poll` says it. `sockets` has that from the kernel;
`pipes` makes it of operations that Windows says are completed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

SOCKET: Final = "control.sock"
LOCK: Final = "control.lock"
KNOCK_S: Final = 0.01  # between two tries while more knock than are let in
NOBODY: Final = "no gesturectl is running; start one with `gesturectl run`"

# What a line is asked for, and what it answers: the bits of <poll.h>, on Linux and macOS alike.
IN: Final = 1
OUT: Final = 4
GONE: Final = 8 | 16 | 32  # it failed, hung up, or was closed; told unasked


class Stranger(Exception):  # noqa: N818 — says who
    """Another user has knocked, and was sent away."""


class Line(Protocol):
    """A client that was let in. Calls never wait; they raise an OSError where it is gone."""

    def fileno(self) -> int:
        """Return the number by which the door speaks of it."""

    def recv(self, most: int, /) -> bytes:
        """Return what has come, nothing where no more will; BlockingIOError: not now."""

    def send(self, data: bytearray, /) -> int:
        """Return how many bytes, from the first, are on their way. BlockingIOError: not now; the
        next call begins with the same bytes."""

    def close(self) -> None:
        """Hang up. What was sent is still delivered."""


class Door(Protocol):
    """Where clients come in. One thread calls all but `ring`."""

    number: int  # `poll` gives it when somebody is at the door
    bell: int  # and this one after `ring`

    def accept(self) -> Line:
        """Let the next one in.

        Raises:
            BlockingIOError: nobody is there.
            Stranger: it was another user.
            OSError: it cannot be let in.
        """

    def register(self, number: int, mask: int, /) -> object:
        """Ask for `IN`, `OUT`, both or neither, of a line from now on."""

    def modify(self, number: int, mask: int, /) -> object:
        """Ask for something else."""

    def unregister(self, number: int, /) -> object:
        """Ask for nothing, not even whether it is gone."""

    def poll(self, timeout_ms: int | None, /) -> list[tuple[int, int]]:
        """Wait until something has happened, and return it, for as long as it lasts. It may be
        nothing, also before the time is over."""

    def ring(self) -> None:
        """End a `poll`, or the next one. For any thread."""

    def hush(self) -> None:
        """Have the bell rung no more."""


class Call(Protocol):
    """A connection to the daemon. Calls raise TimeoutError, or another OSError once it is gone."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Say how long to wait from now on; None is for ever."""

    def sendall(self, data: bytes, /) -> None:
        """Say something."""

    def recv(self, most: int, /) -> bytes:
        """Wait for something, and return it; nothing when no more comes."""

    def close(self) -> None:
        """Hang up."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to be the daemon of this user, by the door through which clients come."""

    door: Door
    address: str
