r"""How many pictures a second are looked at: as many as a preset and the processor's budget allow.

In:  how long the processor worked for how many pictures.  Out: a rate, None for all that come.

What one picture costs hardly depends on how many there are, so one measurement gives the rate at
which a budget is kept:

    cost = processor time / pictures        rate = budget / cost, from `LEAST_HZ` to the preset's

    cost of a picture   ____/^^^^^^^^^^^\______     somebody comes: each picture costs ten times
    rate                ^^^^^\__________/^^^^^^     as much, and fewer are looked at
                             1           2          1) at once   2) half way a second

Going down at once keeps the budget; going up slowly keeps it as well while the cost jumps about.
Rate is given up before accuracy: each picture that is looked at is looked at as ever. Below
`ENOUGH_HZ` quick strokes are missed, which is said; below `LEAST_HZ` all would be, so that a budget
which asks for less is not kept, which is said as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# An acted scene is heard as well at 15 pictures a second as at 30, and a quarter less at 12; of
# recorded arms nearly as many gestures at 10 as at 30 (84 and 85 of 100), but 48 at 8 and one at
# 7, where pictures lie farther apart than `features.MAX_GAP_US` and no stroke is followed:
# docs/power.md.
ENOUGH_HZ: Final = 15.0
LEAST_HZ: Final = 10.0
FASTEST_HZ: Final = 120.0  # above any camera: the same as no limit
EARLY: Final = (
    0.2  # of a period by which a picture may come too early and is looked at all the same
)


@dataclass(frozen=True, slots=True)
class Limits:
    """The preset's rate, None for all that come, and the part of one core that may be used."""

    most_hz: float | None = None
    max_cpu: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known. `hz` is the rate from now on; `share` the part of one core that was used.

    `kept` is whether the budget can be kept at all.
    """

    hz: float | None = None
    share: float | None = None
    kept: bool = True

    @property
    def enough(self) -> bool:
        """Whether quick strokes are followed."""
        return self.hz is None or self.hz >= ENOUGH_HZ


@dataclass(frozen=True, slots=True)
class Spending:
    """What a run may cost, and what it does, for those who look at it."""

    preset: str
    max_cpu: float | None
    pace: Pace


def step(pace: Pace, limits: Limits, wall_s: float, cpu_s: float, pictures: int) -> Pace:
    """Take what the last while has cost; return the pace to go on with.

    Without pictures, or without a budget, only the preset counts.
    """
    share = cpu_s / wall_s if wall_s > 0 else None
    if limits.max_cpu is None or share is None or not pictures:
        return Pace(limits.most_hz, share)
    most = limits.most_hz or FASTEST_HZ
    affordable = limits.max_cpu * pictures / max(cpu_s, 1e-9)
    now = min(pace.hz or most, most)
    # No more than what came can be known to be affordable: it may be the camera that is slow.
    wanted = affordable if affordable < now else (now + min(affordable, most)) / 2
    hz = min(max(wanted, LEAST_HZ), most)
    kept = affordable >= LEAST_HZ or share <= limits.max_cpu
    return Pace(None if hz >= FASTEST_HZ else hz, share, kept)


def due(next_us: int, t_us: int, hz: float | None) -> tuple[bool, int]:
    """Return whether a picture is looked at, and from when on the next one is.

    Of a steady camera every second picture is taken at half its rate, also when its stamps jitter.
    A picture after a pause counts from anew, and so does one of a clock that was set back.
    """
    if hz is None:
        return True, t_us
    period_us = round(1e6 / hz)
    early_us = round(EARLY * period_us)
    if t_us + early_us < next_us <= t_us + period_us + early_us:
        return False, next_us
    on_time = next_us <= t_us + early_us and t_us - next_us < period_us
    return True, (next_us if on_time else t_us) + period_us
