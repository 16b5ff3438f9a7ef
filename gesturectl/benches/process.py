"""`gesturectl bench start` and `memory`: the whole process, beside one that only knows MediaPipe.

`start`   from nothing to the first frame that was looked at, beside importing mediapipe alone.
`memory`  what stays resident after some frames with hands and a body, beside the loop that
          MediaPipe's documentation shows.

Each is measured in processes of its own, started in turns.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import islice
from statistics import median
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from gesturectl import bundles
from gesturectl.errors import GesturectlError
from gesturectl.rig import EVERYTHING, Choice

ROUNDS: Final = 5
FRAMES: Final = 150
SOURCE: Final = "puppet:open_palm:2s,fist:2s,thumb_up:2s"

Figures = dict[str, Any]

# What a child does; argv[1:] are the estimator and the two bundles.
START: Final = """
import sys
from pathlib import Path
from gesturectl.benches import process
process.first_frame(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
"""
IMPORT: Final = "import mediapipe"
OURS: Final = START.replace("first_frame", "resident_ours")
BARE: Final = START.replace("first_frame", "resident_bare")


def measure_start(choice: Choice) -> Figures:
    """Return how long the start takes, and importing mediapipe, in seconds.

    Raises:
        ModelError: the models cannot be had.
        GesturectlError: a child failed.
    """
    arguments = _arguments(choice)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_run(START, arguments)[0])
        theirs.append(_run(IMPORT, ())[0])
    return {
        "rounds": ROUNDS,
        "to_first_frame_s": median(ours),
        "import_mediapipe_s": median(theirs),
        "ratio": median(ours) / median(theirs),
    }


def measure_memory(choice: Choice) -> Figures:
    """Return what stays resident of us, and of a bare loop, in MB.

    Raises:
        ModelError: the models cannot be had.
        GesturectlError: a child failed.
    """
    arguments = _arguments(choice)
    ours, theirs = (float(_run(what, arguments)[1]) / 1e6 for what in (OURS, BARE))
    return {
        "frames": FRAMES,
        "gesturectl_mb": ours,
        "bare_mediapipe_mb": theirs,
        "ratio": ours / theirs,
    }


def first_frame(estimator: str, hand: Any, pose: Any) -> None:
    """Open a run and look at one frame: what the child of `start` does."""
    with _opened(estimator, hand, pose) as rig:
        item = rig.source.read(5.0)
        rig.engine.step(rig.landmarker.detect(item))


def resident_ours(estimator: str, hand: Any, pose: Any) -> None:
    """Look at some frames and print what stays resident: what a child of `memory` does."""
    with _opened(estimator, hand, pose) as rig:
        for _ in range(FRAMES):
            rig.engine.step(rig.landmarker.detect(rig.source.read(5.0)))
        print(psutil.Process().memory_info().rss)


def resident_bare(estimator: str, hand: Any, pose: Any) -> None:
    """Do the same with MediaPipe alone."""
    from gesturectl.benches.frame import bare_loop
    from gesturectl.sources import open_source

    choice = Choice(SOURCE, None, "memory", hand_model=hand, pose_model=pose)
    with open_source(SOURCE, realtime=False) as source, bare_loop(choice, EVERYTHING) as look:
        for frame in islice(iter(lambda: source.read(5.0), None), FRAMES):
            look(frame)  # type: ignore[arg-type]  # the puppet gives frames
        print(psutil.Process().memory_info().rss)


def _opened(estimator: str, hand: Any, pose: Any) -> Any:
    from gesturectl.rig import open_rig

    choice = Choice(
        SOURCE,
        None,
        "memory",
        own=False,
        hand_model=hand,
        pose_model=pose,
        estimator=estimator,
    )
    return open_rig(choice, realtime=False)


def _arguments(choice: Choice) -> tuple[str, ...]:
    hand = bundles.hand_bundle(choice.progress, choice.hand_model)
    pose = bundles.pose_bundle(choice.progress, choice.pose_model)
    return choice.estimator, str(hand), str(pose)


def _run(script: str, arguments: Sequence[str]) -> tuple[float, str]:
    """Return how long a child took, in seconds, and what it printed."""
    began_s = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    took_s = time.perf_counter() - began_s
    if done.returncode != 0:
        raise GesturectlError(f"a child of the bench failed: {done.stderr.strip()[-500:]}")
    return took_s, done.stdout.strip()


def show(figures: Figures, console: Console) -> None:
    """Print the figures as a table."""
    table = Table("process", "", box=None)
    for what, value in figures.items():
        table.add_row(what, f"{value:.3g}" if isinstance(value, float) else str(value))
    console.print(table)
