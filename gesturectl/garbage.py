"""Keep the collector of garbage out of the frames' way, and give back what is free.

Nearly all that frames make is gone with its last reference, and waits for no collector. What a run
has opened, a hundred thousand objects of libraries, models and profiles, stays until it ends; a
full collection goes through all of it to find nothing, which takes longer than a frame:

    frames      |  |  |  |           |  |        48 ms of a full collection, two frames lost
    frozen      |  |  |  |  |  |  |  |  |         less than 0.1 ms: what came since the start

`gesturectl bench step` measures both. Collecting still happens, for what libraries leave behind in
cycles, but seldom: at `THRESHOLDS`, 9,300 frames set off no collection, by Python's own four.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_LIBC: Final[Any] = ctypes.CDLL(None) if sys.platform == "linux" else None

THRESHOLDS: Final = (5_000, 20, 50)  # looking at 5,000 young objects takes some 0.3 ms


@contextmanager
def frozen() -> Iterator[None]:
    """Collect once, then leave alone what there is by now, until the end."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def give_back() -> None:
    """Give the system the memory that is free, where the C library would keep it for later.

    After some changes between profiles that look for something else glibc held 94 MB of 310, and
    now and then 20 more. Giving them back takes 7 to 30 ms: not between two frames.
    """
    if hasattr(_LIBC, "malloc_trim"):  # glibc alone has it
        _LIBC.malloc_trim(0)
