"""Smooth a place: steady where it rests, quick where it moves (the 1€ filter).

In:  a place and its time.  Out: the smoothed place, and how fast it moves.

A low-pass filter whose cutoff rises with speed: a resting hand shows jitter and forgives lag, a
moving one shows lag and forgives jitter. Casiez, Roussel & Vogel 2012, "1€ Filter: A Simple
Speed-based Low-pass Filter for Noisy Input in Interactive Systems", CHI '12, 2527-2530. Two things
differ from the paper: both axes share one cutoff, that of the speed along the path, for filtered
one by one they bend slanted strokes; and times are those of the frames, so that 15 and 60 frames a
second are smoothed alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, pi
from typing import Final

# The speed itself is filtered with this cutoff. With the paper's 1 Hz a small correction (0.3 palm
# widths in 0.3 s, 30 frames a second) lags 31 ms, with 3 Hz 21 ms, with 8 Hz 17 ms; jitter at rest
# is 0.22, 0.24 and 0.25 px (`gesturectl bench pointer`).
SPEED_HZ: Final = 3.0


@dataclass(frozen=True, slots=True)
class Smooth:
    """A smoothed place (x, y) at a time, and its speed (vx, vy) in the same unit a second."""

    t_us: int
    x: float
    y: float
    vx: float = 0.0
    vy: float = 0.0

    @property
    def speed(self) -> float:
        """Units a second along the path."""
        return hypot(self.vx, self.vy)


def step(
    state: Smooth | None,
    t_us: int,
    x: float,
    y: float,
    *,
    steady_hz: float,
    quick: float,
    speed_hz: float = SPEED_HZ,
) -> Smooth:
    """Take one place; return the smoothed one.

    `steady_hz` is the cutoff at rest, `quick` by how many Hz each unit a second raises it. The
    first place is taken as it is. A time that has not grown changes nothing.
    """
    if state is None:
        return Smooth(t_us, x, y)
    dt_s = (t_us - state.t_us) / 1e6
    if dt_s <= 0:
        return state
    part = _share(speed_hz, dt_s)
    vx = state.vx + part * ((x - state.x) / dt_s - state.vx)
    vy = state.vy + part * ((y - state.y) / dt_s - state.vy)
    part = _share(steady_hz + quick * hypot(vx, vy), dt_s)
    return Smooth(t_us, state.x + part * (x - state.x), state.y + part * (y - state.y), vx, vy)


def _share(cutoff_hz: float, dt_s: float) -> float:
    """Return how much of the new value a low-pass filter with this cutoff takes, in 0..1."""
    return 1.0 / (1.0 + 1.0 / (2.0 * pi * cutoff_hz * dt_s))
