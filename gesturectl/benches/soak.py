"""`gesturectl bench soak`: hours of a run, and what grows in them.

Time is simulated by a trace that is played again and again, its stamps going on growing, as fast as
it goes; or real, by the puppet before the real landmark models. Either way the daemon's own loop
plays it: engine, bindings, ledger, sockets with a follower and a display, windows that change. In
each round every shipped profile is read and takes its turn, awake; at the end of a round all keys
must be up, and a sample is taken:

    round    | profile 1 | profile 2 | … | profile n | profile 1 | …
                                                      ^ all is let go of, then the sample

In real time the age of the newest picture is sampled, too: stamps that drift from the monotonic
clock, or pictures that queue, would make it grow. Of the last 256 pictures the youngest counts, for
whatever else the machine does ages pictures as well. A trace has no clock but its stamps.

What grows is told by a line through the samples after the first tenth, in which caches fill, and by
how sure its slope is. A measure grows when its slope is surely above zero, and adds more over the
run than `Measure.tolerance`.
"""

from __future__ import annotations

import gc
import logging
import sys
import tempfile
import threading
import time
from array import array
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from gesturectl import daemon, garbage, profile
from gesturectl.benches import control, step
from gesturectl.control import place
from gesturectl.control.server import answering
from gesturectl.daemon import Loop, Outside
from gesturectl.errors import GesturectlError, UsageError
from gesturectl.lifecycle import in_turn
from gesturectl.plots import Chart, Curve
from gesturectl.rig import Choice, open_rig
from gesturectl.rules import ACTIVE
from gesturectl.sinks.unsent import Unsent
from gesturectl.sources import open_source, to_its_end
from gesturectl.sources.clock import MONOTONIC
from gesturectl.sources.recording import Item, Recording
from gesturectl.types import Window
from gesturectl.view import silent

HOUR_US: Final = 3_600_000_000
FRAME_US: Final = 33_333
SAMPLES: Final = 100
TURN_US: Final = 3_000_000  # the least that a profile has
WINDOW_US: Final = 5_000_000
WARM_UP: Final = 0.1
LEAST_SAMPLES: Final = 8  # for a line with an interval
SURE: Final = 2.0  # standard errors: an interval of about 95 %
APPS: Final = ("impress", "firefox", "mpv", "editor")
FLAT, GROWS, SHORT = "flat", "grows", "too short to tell"

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """What may not grow, its unit, and what a run may add to it: a `share` of it, or so many."""

    says: str
    unit: str
    tolerance: float
    share: bool = False


MEASURES: Final = {
    "resident_mb": Measure("resident memory", "MB", 0.01, share=True),
    "blocks": Measure("blocks of memory in Python", "", 0.01, share=True),
    "files": Measure("open files and sockets", "", 0.5),
    "threads": Measure("threads", "", 0.5),
    "held": Measure("keys and buttons held", "", 0.5),
    "late_ms": Measure("the newest picture's least age", "ms", 5.0),
}


@dataclass(slots=True)
class Rounds:
    """Lets every profile have its turn, and takes a sample after each round.

    Samples are kept in arrays: as objects they would be what grows, by seven blocks a round.
    """

    turn_us: int
    stop_us: int
    profiles: tuple[str, ...]
    live: bool
    hours: array[float] = field(default_factory=lambda: array("d"))
    taken: dict[str, array[float]] = field(default_factory=dict)
    turns: int = 0
    begun_us: int | None = None
    resting: bool = False  # since the last turn was over: nothing may be held

    def between(self, loop: Loop) -> None:
        """Count turns between two frames; see above."""
        if loop.meters.frames == 0:
            return
        if self.begun_us is None:
            self.begun_us = loop.t_us
        past_us = loop.t_us - self.begun_us
        if self.resting:
            self.resting = False
            if loop.refused is not None:
                raise GesturectlError(loop.refused)
            if self.turns % len(self.profiles) == 0:
                self._sample(loop, past_us)
            loop.send(loop.engine.enter(ACTIVE, loop.t_us))
        if past_us >= self.stop_us:
            loop.control.stop = True
        elif past_us >= (self.turns + 1) * self.turn_us:
            self.turns += 1
            self.resting = True
            loop.another = self.profiles[self.turns % len(self.profiles)]

    def _sample(self, loop: Loop, past_us: int) -> None:
        gc.collect()
        process = psutil.Process()
        self.hours.append(past_us / HOUR_US)
        sample = {
            "resident_mb": process.memory_info().rss / 1e6,
            "blocks": float(sys.getallocatedblocks()),
            "files": float(process.num_fds() if hasattr(process, "num_fds") else 0),
            "threads": float(threading.active_count()),
            "held": float(len(list(loop.ledger.held)) + len(loop.engine.state.held)),
        }
        if self.live:
            sample["late_ms"] = min(loop.meters.stages_ms["latency"])
        for name, value in sample.items():
            self.taken.setdefault(name, array("d")).append(value)


def measure(choice: Choice, trace: Path | None, hours: float, real_hours: float) -> Figures:
    """Play so many hours of simulated and of real time; either may be 0.

    Raises:
        UsageError: neither is as long as a round.
        GesturectlError: the trace is empty or damaged, or a model cannot be had.
    """
    least_s = len(profile.shipped()) * TURN_US / 1e6
    if max(hours, real_hours) * 3600 < least_s:
        raise UsageError(f"one round takes {least_s:.0f} s; give more --hours or --real-hours")
    found: Figures = {}
    with tempfile.TemporaryDirectory(prefix="gc-") as name:
        folder = Path(name)
        if hours > 0:
            path = trace or step.written(folder / "bench.jsonl")
            played = replace(choice, source=f"trace:{path}")
            found["simulated"] = _play(folder, played, hours, live=False)
        if real_hours > 0:
            found["real"] = _play(folder, choice, real_hours, live=True)
    return found


def _play(folder: Path, choice: Choice, hours: float, *, live: bool) -> Figures:
    profiles = tuple(profile.shipped())
    stop_us = round(hours * HOUR_US)
    turn_us = max(TURN_US, stop_us // (SAMPLES * len(profiles)))
    rounds = Rounds(turn_us, stop_us, profiles, live)
    chosen = replace(choice, profile=profiles[0], sink=Unsent(), own=False)
    with (
        _without_chatter(),
        open_rig(chosen, realtime=False) as rig,
        Recording(again(choice.source), choice.source, realtime=live) as source,
        place.claim(folder / "run") as claim,
        answering(claim, rig) as desk,
        control.following(desk, rig, folder / "run", {"events": 1, "show": 1}),
        garbage.frozen(),
    ):
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        summary = daemon.run(
            source,
            rig.landmarker,
            rig.engine,
            rig.sink,
            rig.ledger,
            reload=rig.reload,
            outside=windows(),
            between=in_turn(desk.between, rounds.between),
            on_step=desk.noting(silent),
            clock_us=MONOTONIC.now_us if live else None,
        )
        spent_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    return {
        "on": "the puppet, in real time" if live else "a trace, again and again",
        "hours": rounds.hours[-1] if rounds.hours else 0.0,
        "frames": summary.frames,
        "events": summary.events,
        "commands": summary.commands,
        "profiles_read": rounds.turns,
        "took_s": spent_s,
        "cpu_s": cpu_s,
        "sample_hours": [round(one, 4) for one in rounds.hours],
        "measures": {
            name: trend(MEASURES[name], rounds.hours, taken) for name, taken in rounds.taken.items()
        },
    }


def again(spec: str) -> Generator[Item]:
    """Play a source for ever; its stamps go on where it ended."""
    start_us = 0
    while True:
        last_us: int | None = None
        with open_source(spec, realtime=False) as source:
            for item in to_its_end(source):
                last_us = item.t_us
                yield replace(item, t_us=start_us + item.t_us)
        if last_us is None:
            raise GesturectlError(f"{spec} has no frames; give another one")
        start_us += last_us + FRAME_US


def windows() -> Outside:
    """Return what puts another window in front every few seconds."""
    shown = -1

    def look(t_us: int) -> tuple[Window, ...]:
        nonlocal shown
        number = t_us // WINDOW_US
        if number == shown:
            return ()
        shown = number
        app = APPS[number % len(APPS)]
        return (Window(t_us, app=app, title=f"page {number % 100}"),)

    return look


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Say nothing of profiles that are read anew, which happens a thousand times."""
    logger = logging.getLogger("gesturectl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def trend(one: Measure, hours: Sequence[float], taken: Sequence[float]) -> Figures:
    """Return what samples tell: the slope of their line an hour, its interval, and a verdict.

    Neighbouring samples are alike, and so tell less than their number says: the interval is wider
    by their correlation.
    """
    first = int(len(taken) * WARM_UP)
    x, y = np.array(hours[first:]), np.array(taken[first:])
    found: Figures = {"samples": [round(value, 3) for value in taken]}
    if len(x) < LEAST_SAMPLES:
        return found | {"verdict": SHORT}
    x = x - x.mean()
    square = float(x @ x)
    slope = float(x @ y) / square
    off = y - y.mean() - slope * x
    spread = float(off @ off)
    alike = float(off[1:] @ off[:-1]) / spread if spread > 0 else 0.0
    alike = min(max(alike, 0.0), 0.95)
    error = np.sqrt(spread / (len(x) - 2) / square * (1 + alike) / (1 - alike))
    span = float(hours[-1] - hours[first])
    most = one.tolerance * (float(y[0]) if one.share else 1.0)
    low = slope - SURE * float(error)
    grows = low > 0 and slope * span > most
    return found | {
        "first": float(y[0]),
        "last": float(y[-1]),
        "slope_per_hour": slope,
        "interval": [low, slope + SURE * float(error)],
        "verdict": GROWS if grows else FLAT,
    }


def verdict(found: Figures) -> str:
    """Say in a sentence whether all is flat, or what grows."""
    told = {name: one["verdict"] for name, one in found["measures"].items()}
    if not told or SHORT in told.values():
        return f"{SHORT}: give more hours"
    growing = [
        f"{MEASURES[name].says} by {found['measures'][name]['slope_per_hour']:.3g} "
        f"{MEASURES[name].unit}".strip()
        + " an hour"
        for name, said in told.items()
        if said == GROWS
    ]
    return f"{GROWS}: {', '.join(growing)}" if growing else FLAT


def show(figures: Figures, console: Console) -> None:
    """Print a table for each kind of time, and its verdict."""
    for time_, found in figures.items():
        title = f"{time_}, {found['hours']:.2f} h, {found['frames']:,} frames"
        table = Table(title, "from", "to", "slope an hour", "between", "", box=None)
        for name, one in found["measures"].items():
            what = MEASURES[name]
            if one["verdict"] == SHORT:
                table.add_row(what.says, "", "", "", "", SHORT)
                continue
            low, high = one["interval"]
            table.add_row(
                what.says,
                f"{one['first']:,.1f} {what.unit}",
                f"{one['last']:,.1f} {what.unit}",
                f"{one['slope_per_hour']:+.3g}",
                f"{low:+.3g}, {high:+.3g}",
                one["verdict"],
            )
        console.print(table)
        console.print(f"{time_} time: {verdict(found)}", highlight=False)


def charts(figures: Figures) -> list[Chart]:
    """Return a curve of every measure over the hours."""
    return [
        Chart(
            f"{MEASURES[name].says}, {time_} time",
            "hours",
            MEASURES[name].unit,
            (Curve("after each round", found["sample_hours"], one["samples"]),),
        )
        for time_, found in figures.items()
        for name, one in found["measures"].items()
        if one["samples"]
    ]
