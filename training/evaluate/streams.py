"""Arm gestures in continuous recordings, each group of recordings unseen in training.

Every observation goes through the daemon's own `Recogniser`. By default one model is trained for
each group, on all the others and by the functions that train the shipped one; `--model` takes a
model as it is, which is right for recordings that it has never seen. Only the six gestures are
asked for: whatever else the recordings show is there to be refused, and what the recogniser calls
by other names is counted apart. With `--rates` all is heard again with fewer pictures.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import Progress
from rich.table import Table

from gesturectl import model, recogniser
from gesturectl.errors import UsageError
from gesturectl.model import Model
from gesturectl.recogniser import Recogniser
from gesturectl.types import Began
from training import datasets
from training.datasets import ArmRecording
from training.evaluate import metrics, rates
from training.evaluate.metrics import Matching, Rate, Tally
from training.evaluate.outcome import (
    Draw,
    Figures,
    Measure,
    Outcome,
    gesture_table,
    milliseconds,
    table,
)
from training.evaluate.timelines import Line, draw_delays, draw_timelines
from training.measured import per_hour, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GESTURES = ("swipe_left", "swipe_right", "swipe_up", "swipe_down", "circle_cw", "circle_ccw")
GRACE_US = 300_000
HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """One recording and what was heard in it; `others` are gestures nobody asked for."""

    recording: ArmRecording
    matching: Matching
    others: tuple[Began, ...]

    @property
    def line(self) -> Line:
        """What a picture shows of it."""
        t_us, one = self.recording.t_us, self.recording
        return Line(one.name, int(t_us[0]), int(t_us[-1]), one.segments, self.matching)

    @property
    def tally(self) -> Tally:
        """Right, false and missed."""
        return Tally.of(self.matching)

    @property
    def idle(self) -> Rate:
        """False activations while the person does nothing that is annotated."""
        at = {int(t) for t in self.recording.t_us[self.recording.idle]}
        passed_us = np.diff(self.recording.t_us, prepend=self.recording.t_us[0])
        hours = float(passed_us[self.recording.idle].sum()) / 3.6e9
        return Rate(sum(event.t_us in at for event in self.matching.false), hours)


def listen(trained: Model, recording: ArmRecording) -> Heard:
    """Play one recording to a fresh recogniser."""
    ear = Recogniser(trained)
    events = [
        event
        for observation in recording.observations()
        for event in ear.step(observation)
        if isinstance(event, Began)
    ]
    asked = [event for event in events if event.gesture in GESTURES]
    wanted = [segment for segment in recording.segments if segment.name in GESTURES]
    others = tuple(event for event in events if event.gesture not in GESTURES)
    return Heard(recording, metrics.match(asked, wanted, GRACE_US), others)


# --- the models ---------------------------------------------------------------------------------


def shipped() -> Model:
    """Return the shipped model."""
    return model.load(resources.files("gesturectl.gestures").joinpath("models", recogniser.SHIPPED))


def with_parts(base: Model, own: Model) -> Model:
    """Return `base` with the parts of `own` in place of its own."""
    parts = {**base.card.parts, **own.card.parts}
    return Model(base.card.model_copy(update={"parts": parts}), {**base.nets, **own.nets})


def train_without(
    group: str, recordings: Sequence[ArmRecording], steps: int | None, folder: Path, bar: Progress
) -> Model:
    """Train the arm's part on the recordings of all other groups; leave it in `folder`.

    The model is written and read as the shipped one is, so nothing but files decides.
    """
    from training import export, train  # brings JAX, which measuring alone does not need

    steps = steps or train.STEPS["arm_motion"]
    task = bar.add_task(f"training without {group}", total=steps)
    rng = np.random.default_rng(train.SEED + list(train.PARTS).index("arm_motion"))
    part = train.fit_arm_motion(
        rng,
        [recording for recording in recordings if recording.group != group],
        lambda step, loss: bar.update(task, completed=step + 1),
        steps,
    )
    card = f"Trained on all recordings of arms but those of group {group}, to measure on these.\n"
    export.write(folder, f"without_{group}", {"arm_motion": part}, {"steps": steps}, card)
    bar.remove_task(task)
    return model.load(folder)


def _models(
    options: argparse.Namespace, recordings: Sequence[ArmRecording], bar: Progress
) -> Iterable[tuple[str, Model]]:
    """Yield each group that is asked for and the model that may listen to it."""
    groups = sorted({recording.group for recording in recordings})
    asked = options.groups.split(",") if options.groups else groups
    if unknown := set(asked) - set(groups):
        raise UsageError(f"there is no group {', '.join(sorted(unknown))}; known: {groups}")
    base = shipped()
    if options.model == HELD_OUT:
        with tempfile.TemporaryDirectory() as temporary:
            keep = options.keep or Path(temporary)
            for group in asked:
                own = train_without(group, recordings, options.steps, keep / group, bar)
                yield group, with_parts(base, own)
        return
    folder = Path(options.model)
    for group in asked:
        if options.model == recogniser.SHIPPED:
            yield group, base
        elif (folder / "model.json").is_file():
            yield group, with_parts(base, model.load(folder))
        elif (folder / group / "model.json").is_file():
            yield group, with_parts(base, model.load(folder / group))
        else:
            raise UsageError(
                f"--model {folder} holds neither a model nor one for group {group}; "
                f"give {HELD_OUT!r}, {recogniser.SHIPPED!r}, or a folder that --keep has filled"
            )


# --- the measure --------------------------------------------------------------------------------


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only this measure asks."""
    parser.add_argument(
        "--model", default=HELD_OUT,
        help="'held-out' trains one for each group (default); 'shipped', or the folder of a "
        "model: as it is; a folder filled by --keep: those held-out models again",
    )  # fmt: skip
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the held-out models here")
    parser.add_argument("--groups", metavar="A,B", help="measure on these groups only")
    parser.add_argument("--steps", type=int, help="train for so many steps instead of all")
    parser.add_argument(
        "--rates", type=rates.rates, default=(), metavar="HZ,HZ",
        help="measure again with at most so many pictures a second",
    )  # fmt: skip


def run(options: argparse.Namespace, bar: Progress) -> Outcome:
    """Listen to every recording.

    Raises:
        UsageError: the recordings, a group or a model are not there.
        ModelError: a model is damaged.
    """
    recordings = datasets.arm_recordings(datasets.located("pose_streams", options.data))
    if not recordings:
        raise UsageError(f"{options.data / 'pose_streams'} holds no recordings")
    heard: list[Heard] = []
    slower: dict[float, list[Heard]] = {rate_hz: [] for rate_hz in options.rates}
    for group, trained in _models(options, recordings, bar):
        chosen = [recording for recording in recordings if recording.group == group]
        tracked = bar.track(chosen, description=f"listening to {group}")
        heard += [listen(trained, recording) for recording in tracked]
        for rate_hz, some in slower.items():
            thinned = [rates.thinned(recording, rate_hz) for recording in chosen]
            tracked = bar.track(thinned, description=f"listening to {group}, {rate_hz:g} a second")
            some += [listen(trained, recording) for recording in tracked]
    return report(heard, options.model, slower)


def report(
    heard: Sequence[Heard], which: str, slower: Mapping[float, Sequence[Heard]] | None = None
) -> Outcome:
    """Turn what was heard, at full rate and at lower ones, into figures, tables and pictures."""
    groups: dict[str, list[Heard]] = {}
    for one in heard:
        groups.setdefault(one.recording.group, []).append(one)
    figures = {
        **_figures(heard),
        "model": which,
        "recordings": len(heard),
        "groups": {name: _figures(some) for name, some in groups.items()},
        "gestures": {
            name: metrics.of_gesture([one.matching for one in heard], name) for name in GESTURES
        },
        "other_events": dict(Counter(event.gesture for one in heard for event in one.others)),
        "errors": [error for one in heard for error in errors(one)],
    }
    tables = [_table(heard, groups, which), gesture_table(figures["gestures"]), _blame(figures)]
    if slower:
        figures["rates"] = rates.figures(
            {hz: [(one.recording, one.matching) for one in some] for hz, some in slower.items()}
        )
        tables.append(rates.rate_table(figures["rates"]))
    pictures: dict[str, Draw] = {
        "streams": lambda: draw_figures(figures, heard),
        "streams-timelines": lambda: timelines(heard),
    }
    return Outcome(figures, tuple(tables), pictures)


def _figures(heard: Sequence[Heard]) -> Figures:
    figures = metrics.overall([one.matching for one in heard])
    idle = Rate(sum(one.idle.count for one in heard), sum(one.idle.hours for one in heard))
    bounds = idle.interval.rounded(3) if idle.hours else None
    return {
        **figures,
        "intervals": {**figures["intervals"], "false_per_hour": bounds},
        "false_per_hour": None if idle.per_hour is None else round(idle.per_hour, 3),
        "false_in_idle": idle.count,
        "idle_hours": round(idle.hours, 4),
    }


def errors(one: Heard) -> list[Figures]:
    """Tell each false event and each missed segment: when, what, and what was going on."""
    segments = one.recording.segments
    rows: list[Figures] = []
    for event in one.matching.false:
        during = next((s for s in segments if s.holds(event.t_us)), None)
        before = [s for s in segments if s.end_us < event.t_us]
        rows.append(
            {
                "kind": "false",
                "t_s": round(event.t_us / 1e6, 2),
                "gesture": event.gesture,
                "side": event.side,
                "confidence": round(event.confidence, 2),
                "during": during.name if during else "idle",
                "last": before[-1].name if before else None,
                "since_last_ms": round((event.t_us - before[-1].end_us) / 1e3) if before else None,
            }
        )
    for segment in one.matching.missed:
        inside = [
            event.gesture
            for event in (*one.matching.false, *one.others)
            if segment.holds(event.t_us, GRACE_US)
        ]
        rows.append(
            {
                "kind": "missed",
                "t_s": round(segment.start_us / 1e6, 2),
                "gesture": segment.name,
                "lasts_ms": round((segment.end_us - segment.start_us) / 1e3),
                "heard_instead": inside,
            }
        )
    named = [{"recording": one.recording.name, **row} for row in rows]
    return sorted(named, key=lambda row: float(row["t_s"]))


# --- tables and pictures ------------------------------------------------------------------------


def _table(heard: Sequence[Heard], groups: dict[str, list[Heard]], which: str) -> Table:
    out = table(
        f"arm gestures in streams, model {which}", "group", "segments", "right", "false",
        "precision", "recall", "F1", "false/h idle", "ms from end, median / p90",
    )  # fmt: skip
    for name, some in [*groups.items(), ("all", heard)]:
        figures, tally = _figures(some), metrics.total([one.tally for one in some])
        bound = metrics.f1_interval([one.tally for one in some])
        idle = Rate(figures["false_in_idle"], sum(one.idle.hours for one in some))
        out.add_row(
            name, str(tally.right + tally.missed), str(tally.right), str(tally.false),
            percent(figures["precision"]), percent(figures["recall"]),
            percent(figures["f1"], bound),
            per_hour(idle.per_hour, idle.interval), milliseconds(figures["latency_end_ms"]),
            style="bold" if name == "all" else None,
        )  # fmt: skip
    return out


def _blame(figures: Figures) -> Table:
    """Count the false events by what was going on, the most frequent first."""
    out = table("false events", "heard", "during", "soon after", "times")
    false = Counter(
        (
            error["gesture"],
            error["during"],
            (error["last"] or "") if (error["since_last_ms"] or 9999) < 1500 else "",
        )
        for error in figures["errors"]
        if error["kind"] == "false"
    )
    for (gesture, during, after), times in false.most_common():
        out.add_row(gesture, during, after, str(times))
    for gesture, times in figures["other_events"].items():
        out.add_row(f"({gesture}: not asked for)", "", "", str(times))
    return out


def draw_figures(figures: Figures, heard: Sequence[Heard]) -> Figure:
    """Draw precision and recall by gesture, F1 by group, and when the gestures were heard."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    for offset, key in ((-0.2, "precision"), (0.2, "recall")):
        rows = list(figures["gestures"].values())
        _bars(axes[0], [row[key] for row in rows], [row["intervals"][key] for row in rows], offset)
    axes[0].set_xticks(range(len(GESTURES)), GESTURES, rotation=30, ha="right")
    axes[0].set_title("precision (left) and recall (right)")
    rows = [*figures["groups"].values(), figures]
    _bars(axes[1], [row["f1"] for row in rows], [row["intervals"]["f1"] for row in rows], 0.0)
    axes[1].set_xticks(range(len(rows)), [*figures["groups"], "all"])
    axes[1].set_title("F1 by recording group")
    draw_delays(axes[2], (one.matching for one in heard))
    return figure


def _bars(axes: Axes, values: list[float], bounds: list[list[float]], offset: float) -> None:
    x = np.arange(len(values)) + offset
    reach = np.array([[v - b[0], b[1] - v] for v, b in zip(values, bounds, strict=True)]).T
    axes.bar(x, values, 0.38, yerr=np.maximum(reach, 0), capsize=3)
    axes.set_ylim(0, 1.02)
    axes.grid(axis="y", alpha=0.3)


_COLOURS = {
    "swipe_left": "tab:blue", "swipe_right": "tab:orange", "swipe_up": "tab:purple",
    "swipe_down": "tab:brown", "circle_cw": "tab:green", "circle_ccw": "tab:olive",
}  # fmt: skip


def timelines(heard: Sequence[Heard]) -> Figure:
    """Draw what was heard in every recording."""
    return draw_timelines([one.line for one in heard], _COLOURS)


MEASURE = Measure("arm gestures in continuous recordings", add_options, run)
