"""`gesturectl bench pointer`: how steady, how late and how exact the pointer is.

Three pointers see the same hands in one run: ours; a plain 1€ filter, the same constants, with one
gain for all speeds and nothing else; and the raw landmarks with that gain.

`rest`     the pointer's stray while a hand is held still: on landmarks with the jitter of real
           ones, and on the stillest stretches of a recording where one is given.
`stroke`   how late the pointer is halfway through a stroke, behind the hand in the picture, and how
           far it runs past the end.
`tapping`  ISO 9241-411 multi-directional tapping by a simulated person (`motor`): throughput by
           effective width and distance (MacKenzie 2018), and clicks that miss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, log2, sqrt
from pathlib import Path
from statistics import fmean, median
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from gesturectl.aiming import look
from gesturectl.errors import GesturectlError
from gesturectl.kinematics import minimum_jerk
from gesturectl.motor import FRAME_US, Driven, SeenHand, Tap, tap_targets
from gesturectl.places import LOST_US, Seen
from gesturectl.pointer import Settings
from gesturectl.trace import read_trace
from gesturectl.types import Observation, Side

Figures = dict[str, float]

# One gain for all speeds: of 100, 150, 200, 300 and 450 pixels for a palm width the one with which
# the plain filter has its highest throughput below.
ONE_GAIN: Final = 300.0
# Thresholds so close together that a nearing finger does not hold the pointer.
_PLAIN: Final = {
    "slow_gain": ONE_GAIN,
    "fast_gain": ONE_GAIN,
    "rewind_us": 0,
    "slop": 0.0,
    "close": 0.35,
    "open": 0.3501,
}
POINTERS: Final[Mapping[str, Settings]] = {
    "ours": Settings(),
    "plain 1€": Settings(**_PLAIN),  # type: ignore[arg-type]
    "raw": Settings(**_PLAIN, steady_hz=1e9),  # type: ignore[arg-type]
}

RESTS: Final = 20
REST_FRAMES: Final = 150
REACH: Final = (3.0, 0.5)  # palm widths, seconds
CORRECTION: Final = (0.3, 0.3)
DISTANCES_PX: Final = (300.0, 600.0, 1000.0)
WIDTHS_PX: Final = (24.0, 48.0, 96.0)
MIDDLE_PX: Final = 48.0  # the width whose effective width is shown
RINGS: Final = 4
SEED: Final = 9241
STILL_US: Final = 500_000
STILL_SHARE: Final = 0.1


def measure(trace: Path | None = None, *, seed: int = SEED) -> dict[str, Figures]:
    """Return what was measured of each pointer, by its name.

    Raises:
        TraceError: the trace is damaged.
        GesturectlError: it shows no hand long enough.
    """
    stretches = still_stretches(item for item, _ in read_trace(trace)) if trace else []
    if trace and not stretches:
        raise GesturectlError(f"{trace} shows no hand for half a second; give a longer trace")
    found: dict[str, Figures] = {}
    for name, settings in POINTERS.items():
        figures = {"rest_jitter_px": rest_jitter_px(settings, seed)}
        if stretches:
            figures["recorded_jitter_px"] = recorded_jitter_px(settings, stretches)
        figures["reach_lag_ms"], figures["overshoot_px"] = stroke(settings, *REACH)
        figures["correction_lag_ms"], _ = stroke(settings, *CORRECTION)
        found[name] = figures | tapping(settings, seed)
    return found


def show(found: Mapping[str, Figures], console: Console) -> None:
    """Print the figures as a table, a pointer in each column."""
    table = Table("pointer", *found, box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for key in next(iter(found.values())):
        title, digits = TITLES[key]
        table.add_row(title, *(f"{figures[key]:.{digits}f}" for figures in found.values()))
    console.print(table)


TITLES: Final[Mapping[str, tuple[str, int]]] = {
    "rest_jitter_px": ("jitter at rest, px rms", 2),
    "recorded_jitter_px": ("the same, recorded hand, px rms", 2),
    "reach_lag_ms": ("lag in a reach, ms", 0),
    "overshoot_px": ("past the end of it, px", 1),
    "correction_lag_ms": ("lag in a small correction, ms", 0),
    "throughput_bits": ("throughput, bits/s", 2),
    "time_s": ("time for a target, s", 2),
    "misses_percent": ("clicks that miss, %", 1),
    "effective_width_px": ("effective width of 48 px, px", 1),
}


# --- rest -----------------------------------------------------------------------------------------


def rest_jitter_px(settings: Settings, seed: int = SEED) -> float:
    """Return how far the pointer strays from its mean while hands are still, px rms."""
    strays = []
    for number in range(RESTS):
        driven = Driven(settings)
        hand = SeenHand(np.random.default_rng([seed, number]))
        for frame in range(1, REST_FRAMES + 1):
            driven.step(hand.observe(frame * FRAME_US, 0.0, 0.0))
        strays.append(_stray_px(driven, FRAME_US * 30))
    return _rms(strays)


def _stray_px(driven: Driven, since_us: int) -> float:
    places = np.array([(x, y) for t_us, x, y in driven.path if t_us >= since_us])
    return float(np.sqrt(((places - places.mean(0)) ** 2).sum(1).mean()))


def _rms(values: Iterable[float]) -> float:
    return sqrt(fmean(value * value for value in values))


def still_stretches(observations: Iterable[Observation]) -> list[tuple[list[Observation], int]]:
    """Return the stillest tenth of all half seconds in which one hand is in view.

    Each with the second before it, as far as there is one, so that filters have settled; the number
    is when the half second itself begins.
    """
    found: list[tuple[float, list[Observation], int]] = []
    for run in _runs(observations):
        for i in range(0, len(run), 5):
            since_us = run[i].t_us
            part = [one for one in run[i:] if one.t_us - since_us <= STILL_US]
            if part[-1] is run[-1] and run[-1].t_us - since_us < STILL_US * 0.9:
                break
            before = [one for one in run[:i] if since_us - one.t_us <= 1_000_000]
            found.append((_travel(part), before + part, since_us))
    found.sort(key=lambda one: one[0])
    return [(frames, t_us) for _, frames, t_us in found[: max(round(len(found) * STILL_SHARE), 1)]]


def _runs(observations: Iterable[Observation]) -> Iterator[list[Observation]]:
    """Split a recording into runs that show the same one hand, and only it, without a gap."""
    run: list[Observation] = []
    for one in observations:
        follows = run and one.t_us - run[-1].t_us <= LOST_US
        same = len(one.hands) == 1 and (not run or run[-1].hands[0].side == one.hands[0].side)
        if run and not (follows and same):
            yield run
            run = []
        if len(one.hands) == 1:
            run.append(one)
    if run:
        yield run


def _side(observation: Observation) -> Side:
    return observation.hands[0].side


def _travel(frames: Sequence[Observation]) -> float:
    """Return how far the hand is at the end from where it began, in palm widths."""
    ends = [look(POINTERS["raw"], _side(one), Seen(one), frozenset()) for one in frames]
    aims = [one for one in ends if one is not None]
    if len(aims) < 2:
        return float("inf")
    third = max(len(aims) // 3, 1)
    middles = [
        [median(aim.place[axis] for aim in part) for axis in (0, 1)]
        for part in (aims[:third], aims[-third:])
    ]
    (ax, ay), (bx, by) = middles
    return hypot(bx - ax, by - ay) / median(aim.unit for aim in aims)


def recorded_jitter_px(
    settings: Settings, stretches: Sequence[tuple[list[Observation], int]]
) -> float:
    """Return how far the pointer strays over the stillest stretches of a recording, px rms."""
    strays = []
    for frames, since_us in stretches:
        driven = Driven(settings, side=_side(frames[0]))
        for one in frames:
            driven.step(one)
        strays.append(_stray_px(driven, since_us))
    return median(strays)


# --- a stroke -------------------------------------------------------------------------------------


def stroke(settings: Settings, distance: float, lasts_s: float) -> tuple[float, float]:
    """Return the lag in ms and the overshoot in px of a stroke without jitter, of mean phase.

    `distance` is in palm widths. The lag is how much later the pointer is halfway than the hand is;
    what the camera and the screen add is the same for all.
    """
    lags, overs = [], []
    for phase_us in range(0, FRAME_US, FRAME_US // 8):
        driven = Driven(settings)
        hand = SeenHand(np.random.default_rng(0), jitter=0.0)
        start_us = 10 * FRAME_US - phase_us
        for frame in range(1, 91):
            t_us = frame * FRAME_US
            share = float(minimum_jerk((t_us - start_us) / 1e6 / lasts_s))
            driven.step(hand.observe(t_us, distance * (share - 0.5), 0.0))
        t = np.array([one[0] for one in driven.path], float)
        x = np.array([one[1] for one in driven.path])
        half = int(np.argmax(x >= x[-1] / 2))
        part = (x[-1] / 2 - x[half - 1]) / (x[half] - x[half - 1])
        halfway_us = t[half - 1] + part * (t[half] - t[half - 1])
        lags.append((halfway_us - start_us - lasts_s * 1e6 / 2) / 1e3)
        overs.append(float(x.max() - x[-1]))
    return fmean(lags), fmean(overs)


# --- tapping --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ring:
    """What came of one ring of targets."""

    width_px: float
    taps: list[Tap]

    @property
    def time_s(self) -> float:
        """Mean time from click to click."""
        return fmean(tap.took_s for tap in self.taps)

    @property
    def effective_width_px(self) -> float:
        """4.133 standard deviations of the clicks along the way: the width that was really hit."""
        return 4.133 * float(np.std([tap.along_px for tap in self.taps], ddof=1))

    @property
    def throughput_bits(self) -> float:
        """Bits a second: log2(effective distance / effective width + 1) over the mean time."""
        way = fmean(tap.way_px + tap.along_px for tap in self.taps)
        return log2(way / self.effective_width_px + 1) / self.time_s


def tapping(settings: Settings, seed: int = SEED, rings: int | None = None) -> Figures:
    """Return the figures of all distances and widths; the same persons for each pointer."""
    done = [
        Ring(width, tap_targets(settings, np.random.default_rng([seed, number]), way, width))
        for way in DISTANCES_PX
        for width in WIDTHS_PX
        for number in range(RINGS if rings is None else rings)
    ]
    hits = [tap.hit(ring.width_px) for ring in done for tap in ring.taps]
    return {
        "throughput_bits": fmean(ring.throughput_bits for ring in done),
        "time_s": fmean(ring.time_s for ring in done),
        "misses_percent": 100.0 * (1.0 - fmean(hits)),
        "effective_width_px": fmean(
            ring.effective_width_px for ring in done if ring.width_px == MIDDLE_PX
        ),
    }
