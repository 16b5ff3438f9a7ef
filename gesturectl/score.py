"""Compare what was acted with what was recognised, when the truth is known.

    act          S-----------E                S start, E end of the stroke or of the held pose
    heard          B                          recognised: the first beginning of this gesture here
    heard                      B      B       second and third: false, as is any other gesture
             |-------------------|            from `EARLY_US` before S until `GRACE_US` after E

Latency counts from the start of a pose, which shows at once what it is, and from the end of a
motion, which is one only when it is over. It may be negative: recognised before it was complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from gesturectl.catalog import Gesture
from gesturectl.types import Began

EARLY_US = 400_000  # a hand that is closing is a fist before it is quite closed
GRACE_US = 1_000_000  # a landmarker lags, and people act the next gesture later than this


@dataclass(frozen=True, slots=True)
class Acted:
    """A gesture that was really made, and when."""

    gesture: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Score:
    """How one gesture fared. `latency_us` is the median of those recognised, None without any."""

    gesture: str
    acted: int
    recognised: int
    false: int
    latency_us: int | None

    @property
    def missed(self) -> int:
        """How many were acted in vain."""
        return self.acted - self.recognised


def score(
    acts: Iterable[Acted], heard: Iterable[Began], known: Mapping[str, Gesture]
) -> tuple[Score, ...]:
    """Return one score for each gesture that was acted or heard, in the order of `known`."""
    acts = sorted(acts, key=lambda act: act.start_us)
    latencies_us: dict[str, list[int]] = {name: [] for name in known}
    false = dict.fromkeys(known, 0)
    answered: set[int] = set()
    for began in sorted(heard, key=lambda began: began.t_us):
        index = next(
            (
                i
                for i, act in enumerate(acts)
                if i not in answered
                and act.gesture == began.gesture
                and act.start_us - EARLY_US <= began.t_us <= act.end_us + GRACE_US
            ),
            None,
        )
        if index is None:
            false[began.gesture] += 1
            continue
        answered.add(index)
        act = acts[index]
        since_us = act.end_us if known[began.gesture].kind == "motion" else act.start_us
        latencies_us[began.gesture].append(began.t_us - since_us)
    acted = [act.gesture for act in acts]
    return tuple(
        Score(
            gesture=name,
            acted=acted.count(name),
            recognised=len(latencies_us[name]),
            false=false[name],
            latency_us=round(median(latencies_us[name])) if latencies_us[name] else None,
        )
        for name in known
        if name in acted or false[name] or latencies_us[name]
    )
