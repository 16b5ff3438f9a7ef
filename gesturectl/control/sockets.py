"""The transport of Linux and macOS: a Unix socket that only its user's processes are heard by.

    …/gesturectl/           0700, the user's own, in the runtime folder of the platform
        control.lock        locked while a daemon runs; holds its pid, and is never removed
        control.sock  0600  the socket

Whoever holds the lock is the daemon, and he alone removes a socket and binds a new one. A lock ends
with its process, whatever ends that: the socket of a dead daemon lies beside a lock that is free,
and two that start at once settle it by the lock. Who connects is asked for his user id by the
kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import stat
import struct
import sys
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gesturectl.control.transport import IN, KNOCK_S, LOCK, NOBODY, SOCKET, Claim, Stranger
from gesturectl.errors import ControlError, RunningError

if sys.platform == "win32":
    raise ImportError("Windows has no such sockets, but pipes")

BACKLOG: Final = 512
MAX_PATH_BYTES: Final = 103  # of a socket: 108 with its end on Linux, 104 on macOS

_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES = 0, 1, 76  # <sys/un.h>, <sys/ucred.h> of macOS


class SocketDoor:
    """A socket that listens, and the kernel's own `poll`."""

    def __init__(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        self.listener = listener
        self.number = listener.fileno()
        self.bell, self._rope = os.pipe()
        for end in (self.bell, self._rope):
            os.set_blocking(end, False)
        poll = select.poll()
        self.register, self.modify, self.unregister = poll.register, poll.modify, poll.unregister
        self.poll = poll.poll
        poll.register(listener, IN)
        poll.register(self.bell, IN)

    def accept(self) -> socket.socket:
        """Let the next process of this user in."""
        line, _address = self.listener.accept()
        line.setblocking(False)
        if not is_own(line):
            line.close()
            raise Stranger
        return line

    def ring(self) -> None:
        """End a `poll`."""
        with contextlib.suppress(BlockingIOError):  # full of rings: as good as one more
            os.write(self._rope, b"\0")

    def hush(self) -> None:
        """Have the bell rung no more."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.bell, 4096)

    def close(self) -> None:
        """Let nobody in any more."""
        os.close(self.bell)
        os.close(self._rope)


@contextmanager
def claim(where: Path) -> Iterator[Claim]:
    """Become the daemon of this user, until the context ends.

    Raises:
        RunningError: another one is; it is named by its pid.
        ControlError: the folder is not safe, or something lies in its place.
    """
    _own_folder(where)
    path = where / SOCKET
    _check_length(path)
    with _locked(where / LOCK), socket.socket(socket.AF_UNIX) as listener:
        _listen(listener, path)
        door = SocketDoor(listener)
        try:
            yield Claim(door, str(path))
        finally:
            path.unlink(missing_ok=True)
            door.close()


def connect(where: Path, *, timeout_s: float) -> socket.socket:
    """Return a blocking socket to the daemon of this user.

    Raises:
        ControlError: none runs, or somebody else's socket lies there.
    """
    path = where / SOCKET
    _check_length(path)
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(timeout_s)
    try:
        _knock(line, path, timeout_s)
        own = is_own(line)
    except (FileNotFoundError, ConnectionRefusedError):
        line.close()
        raise ControlError(NOBODY) from None
    except OSError as error:
        line.close()
        raise ControlError(f"{path}: {error.strerror or error}") from error
    if not own:
        line.close()
        raise ControlError(f"{path} belongs to another user; remove it, or set XDG_RUNTIME_DIR")
    return line


def _knock(line: socket.socket, path: Path, timeout_s: float) -> None:
    """Connect; where too many wait at the door, a Unix socket says so at once, so wait here."""
    until_s = time.monotonic() + timeout_s
    while True:
        try:
            line.connect(str(path))
            return
        except BlockingIOError:
            if time.monotonic() > until_s:
                raise
            time.sleep(KNOCK_S)


async def streams(where: Path, *, timeout_s: float) -> tuple[StreamReader, StreamWriter]:
    """Return the same connection for an event loop.

    Raises:
        ControlError: none runs, or somebody else's socket lies there.
    """
    connected = connect(where, timeout_s=timeout_s)
    connected.setblocking(False)
    return await asyncio.open_unix_connection(sock=connected)


def holds(pid: int, where: Path) -> bool:
    """Whether a process lives, and its pid is still in the lock."""
    if _named(where) != pid:
        return False
    try:
        os.kill(pid, 0)
    except OSError:  # killed meanwhile, with its name still at the door
        return False
    return True


def _named(where: Path) -> int | None:
    """Return the pid that is written into the lock, None where none is: it may be of the dead."""
    try:
        lock = os.open(where / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return _pid_in(lock)
    finally:
        os.close(lock)


def is_own(line: socket.socket) -> bool:
    """Whether the other end of a connected socket is a process of this very user."""
    if hasattr(socket, "SO_PEERCRED"):
        raw = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
        _, uid, _ = struct.unpack("iII", raw)
    else:  # macOS
        raw = line.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES)
        _, uid = struct.unpack_from("II", raw)
    return bool(uid == os.geteuid())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock, with our pid in it."""
    import fcntl

    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ControlError(f"{path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunningError(_pid_in(lock)) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(lock, 0)
    finally:
        os.close(lock)


def _listen(listener: socket.socket, path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        before = os.umask(0o177)  # so that it is 0600 from its first moment
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
    except OSError as error:
        raise ControlError(f"{path}: {error.strerror}") from error


def _pid_in(lock: int) -> int | None:
    """Return the pid in a lock, None in the moment before it is written."""
    text = os.pread(lock, 20, 0).strip()
    return int(text) if text.isdigit() else None


def _own_folder(where: Path) -> None:
    """Make the folder, or make sure that nobody else can put anything in its place.

    Raises:
        ControlError: somebody else can.
    """
    advice = "remove it, or set XDG_RUNTIME_DIR to a folder of your own"
    try:
        where.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        where.mkdir(mode=0o700, exist_ok=True)
        found, above = where.lstat(), where.parent.stat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise ControlError(f"{where} is not a folder of yours; {advice}")
        others_write = above.st_mode & 0o022 and not above.st_mode & stat.S_ISVTX
        if above.st_uid not in (0, os.geteuid()) or others_write:
            raise ControlError(f"{where.parent} can be changed by other users; {advice}")
        if found.st_mode & 0o077:
            where.chmod(0o700)
    except OSError as error:
        raise ControlError(f"{where}: {error.strerror}; {advice}") from error


def _check_length(path: Path) -> None:
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise ControlError(
            f"{path} is too long for a socket, of which {MAX_PATH_BYTES} bytes are the most; "
            "set XDG_RUNTIME_DIR to a shorter folder"
        )
