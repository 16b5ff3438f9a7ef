"""Where a user's daemon is found, and that there is only one: by sockets, or on Windows by pipes.

Both transports give the same: `claim`, `connect`, `streams` and `holds`.
"""

from __future__ import annotations

import sys
import warnings
from asyncio import StreamReader, StreamWriter
from contextlib import AbstractContextManager
from pathlib import Path

import platformdirs

from gesturectl.control.transport import Call, Claim

if sys.platform == "win32":
    from gesturectl.control import pipes as transport
else:
    from gesturectl.control import sockets as transport


def folder() -> Path:
    """Return the folder of socket and lock, which also names the pipe; it need not exist."""
    with warnings.catch_warnings():  # without XDG_RUNTIME_DIR there is a folder of ours in /tmp
        warnings.simplefilter("ignore")
        return platformdirs.user_runtime_path("gesturectl")


def claim(where: Path | None = None) -> AbstractContextManager[Claim]:
    """Become the daemon of this user, until the context ends.

    Raises:
        RunningError: another one is; it is named by its pid.
        ControlError: the place is not safe.
    """
    return transport.claim(where or folder())


def connect(where: Path | None = None, *, timeout_s: float) -> Call:
    """Return a connection to the daemon of this user, which waits.

    Raises:
        ControlError: none runs, or somebody else is in its place.
    """
    return transport.connect(where or folder(), timeout_s=timeout_s)


async def streams(
    where: Path | None = None, *, timeout_s: float
) -> tuple[StreamReader, StreamWriter]:
    """Return the same connection for an event loop.

    Raises:
        ControlError: none runs, or somebody else is in its place.
    """
    return await transport.streams(where or folder(), timeout_s=timeout_s)


def holds(pid: int, where: Path | None = None) -> bool:
    """Whether a daemon is alive, and has not given up its place."""
    return transport.holds(pid, where or folder())
