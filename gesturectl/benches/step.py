"""`gesturectl bench step`: all but the landmarks, on two hands and a body in every frame."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from gesturectl import daemon, garbage
from gesturectl.engine import Engine
from gesturectl.errors import GesturectlError
from gesturectl.profile import load
from gesturectl.recogniser import Recogniser
from gesturectl.replay import print_lines
from gesturectl.rig import Choice, open_rig
from gesturectl.sinks.unsent import Unsent
from gesturectl.sources.puppet import Puppet, Truth
from gesturectl.trace import TraceWriter, read_trace
from gesturectl.types import Body, Float32, Hand, Observation

FRAMES: Final = 3000
WARM_UP: Final = 100
TURN: Final = 150
PUPPET: Final = "all?by=arm"
PROFILE: Final = "slides"

Figures = dict[str, Any]


def measure(trace: Path | None = None) -> Figures:
    """Time `engine.step` on a trace, or on the puppet's true landmarks: two hands and a body.

    In turns, with the collector of garbage kept out of the way as in a run, and without that.

    Raises:
        TraceError: the trace is damaged.
        GesturectlError: it has too few frames to measure anything.
    """
    observations = (item for item, _ in read_trace(trace)) if trace else two_hands_and_a_body()
    seen = list(islice(observations, WARM_UP + FRAMES))
    if len(seen) <= WARM_UP:
        raise GesturectlError(f"{trace}: {len(seen)} frames are too few; give a longer trace")
    engine, other = (Engine(Recogniser.load(), load(PROFILE)) for _ in range(2))
    times_us, other_us, more = [], [], []
    for at in (0, *range(WARM_UP, len(seen), TURN)):
        turn = seen[at : at + TURN] if at else seen[:WARM_UP]
        other_us.append(_turn(other, turn)[0])
        with garbage.frozen():
            taken_us, blocks = _turn(engine, turn)
        times_us.append(taken_us)
        more.append(blocks)
    full_ms = _full_collection_ms()
    with garbage.frozen():
        frozen_ms = _full_collection_ms()
    measured = np.concatenate(times_us[1:])
    return {
        "on": str(trace) if trace else "two hands and a body, by the puppet's true landmarks",
        "frames": len(measured),
        "median_us": float(np.median(measured)),
        "p99_us": float(np.percentile(measured, 99)),
        "unfrozen_p99_us": float(np.percentile(np.concatenate(other_us[1:]), 99)),
        "blocks_per_frame": sum(more[1:]) / len(measured),
        "full_collection_ms": full_ms,
        "frozen_full_collection_ms": frozen_ms,
    }


def _turn(engine: Engine, seen: Sequence[Observation]) -> tuple[NDArray[np.float64], int]:
    """Return what each step took, in microseconds, and how many blocks of memory stay after all.

    Python keeps blocks for the next ones of their kind; a collection gives them back.
    """
    times_us = np.empty(len(seen))  # filled in place, so that to note times takes no memory
    gc.collect()
    before = sys.getallocatedblocks()
    for number, observation in enumerate(seen):
        began_ns = time.perf_counter_ns()
        engine.step(observation)
        times_us[number] = (time.perf_counter_ns() - began_ns) / 1e3
    gc.collect()
    return times_us, sys.getallocatedblocks() - before


def _full_collection_ms() -> float:
    began_ns = time.perf_counter_ns()
    gc.collect()
    return (time.perf_counter_ns() - began_ns) / 1e6


def two_hands_and_a_body() -> Iterator[Observation]:
    """Yield for ever what a perfect landmarker would see of the puppet acting every gesture.

    The second hand is the first one, mirrored, whether or not it is really in the picture.
    """
    puppet = Puppet(PUPPET)
    start_us = 0
    while True:
        for index in range(puppet.frames):
            t_us = start_us + puppet.time_us(index)
            truth = puppet.look(index)
            if truth.right is None:
                continue
            hands = (_hand(truth.right), _mirrored(_hand(truth.right)))
            yield Observation(t_us, hands, (_body(truth),), puppet.script.image)
        start_us += puppet.time_us(puppet.frames)


def _hand(points: np.ndarray) -> Hand:
    return Hand("right", 1.0, _with_columns(points, 0.0))


def _mirrored(hand: Hand) -> Hand:
    image = hand.image.copy()
    image[:, 0] = 1.0 - image[:, 0]
    return Hand("left", hand.score, image)


def _body(truth: Truth) -> Body:
    return Body(_with_columns(truth.body, 0.0, 1.0))


def _with_columns(points: np.ndarray, *values: float) -> Float32:
    more = [np.full(len(points), value) for value in values]
    return np.column_stack([points, *more]).astype(np.float32)


def measure_replay(trace: Path | None = None) -> Figures:
    """Replay a trace, by default of two hands and a body: what `gesturectl replay --json` does.

    Raises:
        TraceError: the trace is damaged.
        GesturectlError: it has too few frames to measure anything.
    """
    with (
        tempfile.TemporaryDirectory(prefix="gc-") as folder,
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        open_rig(_choice(trace or written(Path(folder) / "bench.jsonl")), realtime=False) as rig,
    ):
        began_s = time.process_time()
        frames = daemon.run(
            rig.source,
            rig.landmarker,
            rig.engine,
            rig.sink,
            rig.ledger,
            on_step=print_lines(nowhere),
        ).frames
        spent_s = time.process_time() - began_s
    if frames <= WARM_UP:
        raise GesturectlError(f"{trace}: {frames} frames are too few; give a longer trace")
    return {
        "on": str(trace) if trace else "two hands and a body, by the puppet's true landmarks",
        "frames": frames,
        "frames_per_cpu_s": frames / spent_s,
    }


def _choice(trace: Path) -> Choice:
    return Choice(source=f"trace:{trace}", profile=PROFILE, sink=Unsent())


def written(path: Path) -> Path:
    """Write a trace of two hands and a body; return its path."""
    with TraceWriter(path, (640, 480), "bench") as writer:
        for observation in islice(two_hands_and_a_body(), WARM_UP + FRAMES):
            writer.write(observation)
    return path


def show(figures: Figures, console: Console) -> None:
    """Print the figures as a table."""
    table = Table("step", "", box=None)
    for what, value in figures.items():
        table.add_row(what, f"{value:.4g}" if isinstance(value, float) else str(value))
    console.print(table)
