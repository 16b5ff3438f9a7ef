"""`gesturectl bench`: what frames and profiles cost here, and how exact the pointer is.

`BENCHES` holds all that can be measured. Wherever there is something to compare with, both run in
turns in one run: whatever else the machine does slows both, and their ratio stays true where the
times do not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from gesturectl import bundles, plots
from gesturectl.benches import (
    companion,
    control,
    frame,
    latency,
    load,
    pointer,
    power,
    process,
    profiles,
    scale,
    soak,
    step,
)
from gesturectl.config import AUTO
from gesturectl.errors import UsageError
from gesturectl.plots import Drawn
from gesturectl.rig import Choice


@dataclass(frozen=True, slots=True)
class Asked:
    """What a bench may use: models and estimator; frames and landmarks of the user's own; hours."""

    choice: Choice
    source: str | None = None
    trace: Path | None = None
    hours: float = 1.0
    real_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class Bench:
    """One row: how it is measured, its figures printed and drawn, whether `all` holds it."""

    measure: Callable[[Asked], dict[str, Any]]
    show: Callable[[Any, Console], None]
    short: bool = True
    charts: Callable[[Any], Sequence[Drawn]] | None = None


BENCHES: Final = {
    "step": Bench(lambda asked: step.measure(asked.trace), step.show),
    "frame": Bench(
        lambda asked: frame.measure_frames(asked.choice, asked.source),
        frame.show_frames,
    ),
    "latency": Bench(
        lambda asked: latency.measure(asked.choice),
        latency.show,
        charts=latency.charts,
    ),
    "idle": Bench(lambda asked: frame.measure_idle(asked.choice), frame.show_idle),
    "start": Bench(lambda asked: process.measure_start(asked.choice), process.show),
    "memory": Bench(lambda asked: process.measure_memory(asked.choice), process.show),
    "replay": Bench(lambda asked: step.measure_replay(asked.trace), step.show),
    "pointer": Bench(lambda asked: pointer.measure(asked.trace), pointer.show),
    "profile": Bench(lambda asked: profiles.measure(), profiles.show),
    # Not in `all`: it plays in real time.
    "power": Bench(lambda asked: power.measure(asked.choice), power.show, short=False),
    "control": Bench(lambda asked: control.measure(), control.show),
    # Not in `all`: they take minutes, or need a desktop.
    "soak": Bench(
        lambda asked: soak.measure(
            replace(asked.choice, source=asked.source or asked.choice.source),
            asked.trace,
            asked.hours,
            asked.real_hours,
        ),
        soak.show,
        short=False,
        charts=soak.charts,
    ),
    "scale": Bench(
        lambda asked: scale.measure(asked.choice),
        scale.show,
        short=False,
        charts=scale.charts,
    ),
    "load": Bench(lambda asked: load.measure(asked.choice), load.show, short=False),
    "companion": Bench(lambda asked: companion.measure(), companion.show, short=False),
}


def bench(
    name: str,
    *,
    source: str | None = None,
    trace: Path | None = None,
    as_json: bool,
    hand_model: Path | None = None,
    estimator: str = AUTO,
    pose_model: Path | None = None,
    progress: bundles.Progress | None = None,
    hours: float = 1.0,
    real_hours: float = 0.0,
    plot: Path | None = None,
) -> None:
    """Measure one of `BENCHES`, or `all` that are short, and print tables or JSON.

    With `plot`, curves are drawn into that file.

    Raises:
        UsageError: nothing of it can be drawn.
        GesturectlError: a model, the source or the trace cannot be had.
    """
    choice = Choice(
        source=source or "puppet:all",
        profile=None,
        sink="memory",
        hand_model=hand_model,
        estimator=estimator,
        pose_model=pose_model,
        progress=progress,
    )
    asked = Asked(choice, source, trace, hours, real_hours)
    chosen = [key for key, one in BENCHES.items() if name == key or (name == "all" and one.short)]
    drawn = [key for key in chosen if BENCHES[key].charts is not None]
    if plot is not None and not drawn:
        known = ", ".join(key for key, one in BENCHES.items() if one.charts is not None)
        raise UsageError(f"`bench {name}` draws no curves; these do: {known}")
    console = Console()
    figures = {}
    for key in chosen:
        figures[key] = BENCHES[key].measure(asked)
        if not as_json:
            BENCHES[key].show(figures[key], console)
    if as_json:
        print(json.dumps(figures, indent=2))
    if plot is not None:
        plots.save([chart for key in drawn for chart in _charts(key, figures[key])], plot)


def _charts(key: str, found: Any) -> Sequence[Drawn]:
    draw = BENCHES[key].charts
    return [] if draw is None else draw(found)
