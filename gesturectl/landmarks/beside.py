"""One thread beside the caller's, on another core.

A kernel wakes a thread where it thinks best, and that may be the very core whose thread has woken
it, though another is idle: of two networks that were to run beside each other one then waits for
the other. On the two cores of docs/performance.md Linux 6.18 chose so in 61 of 71 frames at 30 a
second, and they took 10.2 ms instead of 6.8. So on Linux the thread is kept off the caller's core
while the caller works, and may come to it as soon as the caller waits.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

Found = TypeVar("Found")


class Meanwhile(Generic[Found]):
    """Work that was given to the thread."""

    def __init__(self, work: Future[Found], thread: int) -> None:
        self._work = work
        self._thread = thread

    def result(self) -> Found:
        """Wait for the work and return what it has found; raises what it raised."""
        _may_run_anywhere(self._thread)
        return self._work.result()


class Beside:
    """Gives work, piece after piece, to a thread that begins with the first. Close it."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._thread: int | None = None

    def submit(self, work: Callable[[], Found]) -> Meanwhile[Found]:
        """Begin to work on another core than the caller's."""
        if self._thread is None:
            self._thread = self._pool.submit(threading.get_native_id).result()
        _keep_off_this_core(self._thread)
        return Meanwhile(self._pool.submit(work), self._thread)

    def close(self) -> None:
        """Wait for the thread to end. Closing twice does nothing."""
        self._pool.shutdown()


if sys.platform == "linux":
    _core = ctypes.CDLL(None).sched_getcpu

    def _keep_off_this_core(thread: int) -> None:
        others = os.sched_getaffinity(0) - {_core()}
        if others:
            _let_run(thread, others)

    def _may_run_anywhere(thread: int) -> None:
        _let_run(thread, os.sched_getaffinity(0))

    def _let_run(thread: int, cores: set[int]) -> None:
        with suppress(OSError):  # a sandbox may forbid it: then the kernel alone chooses
            os.sched_setaffinity(thread, cores)

else:

    def _keep_off_this_core(thread: int) -> None:
        pass

    def _may_run_anywhere(thread: int) -> None:
        pass
