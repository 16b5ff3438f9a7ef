"""Remove what is older than the user allows (`keep` in config.yaml): at each start, and on `show`.

A recording's age is that of its file. The model that was made from it stays as it is until
something is learned anew: nobody who starts a program waits for that, or finds gestures changed.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from gesturectl import holdings
from gesturectl.config import Keep

log = logging.getLogger(__name__)

DAY_S: Final = 86_400
_ADVICE: Final = {"background": "; `gesturectl background` records anew"}


def apply(keep: Keep, now_s: float | None = None) -> dict[str, int]:
    """Remove recordings that are too old; return how many of each place.

    What cannot be removed is logged and left: a run must start, and `privacy show` says it again.
    """
    now_s = time.time() if now_s is None else now_s
    removed: dict[str, int] = {}
    for place in holdings.PLACES:
        days = None if place.limit is None else getattr(keep, place.limit)
        if days is None:
            continue
        for item in holdings.items(place):
            recorded = item.kind == "file" and item.path.name.endswith((".jsonl.gz", ".part"))
            if not recorded or now_s - item.at_s <= days * DAY_S:
                continue
            try:
                item.path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("%s is too old, and cannot be removed: %s", item.path, error.strerror)
            else:
                removed[place.name] = removed.get(place.name, 0) + 1
    for name, count in removed.items():
        log.warning(
            "%d file(s) of %s removed, older than `keep` allows%s",
            count,
            name,
            _ADVICE.get(name, ""),
        )
    return removed
