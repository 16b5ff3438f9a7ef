"""A few small files of lines, written by a thread of their own: whoever has a line never waits.

    put      a b c d e f g         the disk hangs after a; room for three
    files    a ········ b c d lost(2) g

In:  lines, from any thread.  Out: name → name.1 → … → name.`keep` → gone; whole lines in the order
of their coming, and where some are missing, one that says how many.

A disk that is full loses lines until it has room again. Files are made at the start and when a file
is full, and at no other time: whoever removes the newest, or its folder, has ended the log, and
nothing comes back. Either is said once. Files are for their owner only, and links are not followed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from threading import Event, RLock, Thread
from typing import Final, NamedTuple

log = logging.getLogger(__name__)

MAX_BYTES: Final = 256 * 1024
MOST: Final = 9  # older files
MAX_WAITING: Final = 1000  # lines; more than a disk that hangs for minutes keeps waiting
CLOSE_S: Final = 2.0  # nobody who stops a program waits longer for a disk


class _Waiting(NamedTuple):
    """A line, or None for a mark in their midst, which is set when all before it is on disk.

    `dropped` is how many lines had found no room until then, in the whole run.
    """

    line: str | None
    dropped: int
    reached: Event | None = None


class LogFile:
    """Writes lines until it is closed. `lost` makes the line that tells how many are missing."""

    def __init__(self, path: Path, keep: int, lost: Callable[[int], str]) -> None:
        """Make the file, and remove older ones beyond `keep`.

        Raises:
            OSError: it cannot be made, or is a link.
        """
        self._files = _Files(path, keep)
        self._lost = lost
        # Reentrant, as is SimpleQueue.put: a line may come from a signal's handler, or a finaliser.
        self._lock = RLock()
        self._waiting: SimpleQueue[_Waiting] = SimpleQueue()
        self._dropped = 0
        self._ended = False
        self._thread = Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def put(self, make: Callable[[], str]) -> None:
        """Have a line written, made in the order of its coming; it is dropped if there is no room.

        Never waits for the disk.
        """
        with self._lock:
            if self._ended:
                return
            if self._waiting.qsize() >= MAX_WAITING:
                self._dropped += 1
            else:
                self._waiting.put(_Waiting(make(), self._dropped))

    def flush(self, timeout_s: float = CLOSE_S) -> bool:
        """Wait until all lines so far are written, or lost; tell whether that is so."""
        reached = Event()
        with self._lock:
            if not self._ended:
                self._waiting.put(_Waiting(None, self._dropped, reached))
        return self._ended or reached.wait(timeout_s)

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Write what waits; give it up where the disk hangs."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            self._waiting.put(_Waiting(None, self._dropped))
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            log.warning("the last lines of %s are not written: its disk hangs", self._files.path)

    # --- the thread -------------------------------------------------------------------------------

    def _write_all(self) -> None:
        known = missing = 0
        told = False
        while True:
            line, dropped, reached = self._waiting.get()
            missing, known = missing + dropped - known, dropped
            lines = [self._lost(missing)] if missing else []
            lines += [] if line is None else [line]
            try:
                if lines:
                    self._files.append("".join(f"{one}\n" for one in lines))
                    missing = 0
            except FileNotFoundError:
                self._give_up()
                return
            except OSError as error:
                missing += line is not None
                if not told:
                    told = True
                    path, why = self._files.path, error.strerror
                    log.warning("%s: %s; lines are lost until it can be written", path, why)
            finally:
                if reached is not None:
                    reached.set()
            if line is None and reached is None:
                return

    def _give_up(self) -> None:
        """Take no more lines, and let go of who waits for them."""
        with self._lock:
            closing, self._ended = self._ended, True
        while not self._waiting.empty():
            if (reached := self._waiting.get().reached) is not None:
                reached.set()
        if not closing:
            log.warning("%s is gone: no log is kept until the next start", self._files.path)


class _Files:
    """The newest file and those before it. Belongs to one thread."""

    def __init__(self, path: Path, keep: int) -> None:
        self.path = path
        self._keep = keep
        self._due = False  # the newest has been put away, the next is not made yet
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(path, "a+b", buffering=0, opener=_made) as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            self._before = b"" if file.read(1) in (b"", b"\n") else b"\n"  # half a line of a crash
        remove(path, beyond=keep)

    def append(self, text: str) -> None:
        """Add lines, all or none.

        Raises:
            FileNotFoundError: somebody has removed the newest file.
            OSError: they cannot be written.
        """
        data = self._before + text.encode("utf-8", "replace")
        if self._due:
            self._make_next()
        if not self._add(data):
            self._put_away()
            self._make_next()
            self._add(data)
        self._before = b""

    def _add(self, data: bytes) -> bool:
        """Add to the newest file; tell whether there was room in it."""
        with open(self.path, "ab", buffering=0, opener=_found) as file:
            size = os.fstat(file.fileno()).st_size
            if size and size + len(data) > MAX_BYTES:
                return False
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[file.write(rest) or 0 :]
            except OSError:
                file.truncate(size)
                raise
        return True

    def _put_away(self) -> None:
        for number in range(self._keep, 1, -1):
            if (newer := _older(self.path, number - 1)).exists():
                newer.replace(_older(self.path, number))
        self.path.replace(_older(self.path, 1))
        self._due = True

    def _make_next(self) -> None:
        """Make the next file; if the one before it is gone, all were removed meanwhile."""
        open(self.path, "ab", opener=_made).close()
        self._due = False
        if not _older(self.path, 1).exists():
            self.path.unlink(missing_ok=True)
            raise FileNotFoundError(self.path)


def all_of(path: Path) -> list[Path]:
    """Return the files of a log that there are, the newest first."""
    return [one for one in (_older(path, number) for number in range(MOST + 1)) if one.exists()]


def remove(path: Path, *, beyond: int = -1) -> None:
    """Remove what is more than `beyond` files behind the newest; without it, all.

    Raises:
        OSError: one of them cannot be removed.
    """
    for number in range(beyond + 1, MOST + 1):
        _older(path, number).unlink(missing_ok=True)


def _older(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}") if number else path


def _made(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _found(path: str, flags: int) -> int:
    return _made(path, flags & ~os.O_CREAT)
