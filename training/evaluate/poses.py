"""Real videos of poses, through the landmark models and all the rest, as `gesturectl replay` does.

    pose_<gesture>_*   a loose fist, the pose once, a fist again: the pose must be recognised, and
                       nothing else but the fist
    neg_*              people who show nothing: whatever is recognised there is false

Whoever measures often saves time with traces of the same videos (`gesturectl record`): then only
the recogniser is measured anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import Progress
from rich.table import Table

from gesturectl import daemon
from gesturectl.catalog import catalog
from gesturectl.config import AUTO, ESTIMATORS
from gesturectl.daemon import Meters
from gesturectl.engine import Step
from gesturectl.errors import UsageError
from gesturectl.rig import Choice, open_rig
from gesturectl.sinks.unsent import Unsent
from gesturectl.types import Began, Ended
from training import datasets
from training.evaluate import metrics
from training.evaluate.metrics import Rate
from training.evaluate.outcome import Figures, Measure, Outcome, table
from training.measured import per_hour, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REST = "fist"  # how the clips begin and end
VIDEOS = frozenset({".mp4", ".webm", ".mkv", ".mov", ".avi"})


@dataclass(frozen=True, slots=True)
class Shown:
    """One gesture as the recogniser told it."""

    gesture: str
    side: str
    start_us: int
    end_us: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Clip:
    """A video, the gesture it shows or None, and what was recognised in it."""

    name: str
    gesture: str | None
    lasts_us: int
    shown: tuple[Shown, ...]

    @property
    def right(self) -> bool:
        """The gesture that it shows was recognised."""
        return any(one.gesture == self.gesture for one in self.shown)

    @property
    def wrong(self) -> tuple[str, ...]:
        """What else was recognised; at rest the hand is a fist, and may be called one."""
        allowed = () if self.gesture is None else (self.gesture, REST)
        return tuple(one.gesture for one in self.shown if one.gesture not in allowed)


def named_gesture(stem: str) -> str | None:
    """Return the gesture of a clip's name, None for a negative.

    Raises:
        UsageError: it names a gesture that is not in the catalog.
    """
    if stem.startswith("neg_"):
        return None
    fitting = [name for name in catalog() if f"{stem}_".startswith(f"pose_{name}_")]
    if not fitting:
        raise UsageError(
            f"{stem} names no gesture of the catalog; call clips pose_<gesture>_… or neg_…"
        )
    return max(fitting, key=len)


def listen(source: str, name: str, gesture: str | None, estimator: str = AUTO) -> Clip:
    """Play a video or a trace through the daemon's own loop, without a profile.

    Raises:
        GesturectlError: the source or a model cannot be had.
    """
    shown: list[Shown] = []
    times_us: list[int] = []

    def note(t_us: int, step: Step, meters: Meters) -> None:
        times_us.append(t_us)
        for event in step.events:
            match event:
                case Began(t, what, side, p):
                    shown.append(Shown(what, side, t, t, p))
                case Ended(t, what, side, _):
                    i = max(
                        i for i, one in enumerate(shown) if (one.gesture, one.side) == (what, side)
                    )
                    shown[i] = replace(shown[i], end_us=t)

    choice = Choice(source=source, profile=None, sink=Unsent(), estimator=estimator)
    with open_rig(choice, realtime=False) as rig:
        daemon.run(rig.source, rig.landmarker, rig.engine, rig.sink, rig.ledger, on_step=note)
    return Clip(name, gesture, times_us[-1] - times_us[0] if times_us else 0, tuple(shown))


# --- the measure --------------------------------------------------------------------------------


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only this measure asks."""
    parser.add_argument(
        "--traces", type=Path, metavar="DIR",
        help="use DIR/CLIP.jsonl or .jsonl.gz in place of a video, where there is one",
    )  # fmt: skip
    parser.add_argument(
        "--estimator", choices=ESTIMATORS, default=AUTO, help="what finds the landmarks",
    )  # fmt: skip


def run(options: argparse.Namespace, bar: Progress) -> Outcome:
    """Play every clip.

    Raises:
        UsageError: there are no clips, or one has a name that says nothing.
        GesturectlError: a clip cannot be read, or a model cannot be had.
    """
    folder = datasets.located("clips", options.data)
    files = sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in VIDEOS and file.stem.startswith(("pose_", "neg_"))
    )
    if not files:
        raise UsageError(f"{folder} holds no clips named pose_… or neg_…")
    gestures = [named_gesture(file.stem) for file in files]
    clips = [
        listen(_source(file, options.traces), file.stem, gesture, options.estimator)
        for file, gesture in bar.track(
            list(zip(files, gestures, strict=True)), description="playing clips"
        )
    ]
    return report(clips)


def _source(video: Path, traces: Path | None) -> str:
    if traces is not None:
        for ending in (".jsonl", ".jsonl.gz"):
            if (trace := traces / f"{video.stem}{ending}").is_file():
                return f"trace:{trace}"
    return f"video:{video}"


def report(clips: Sequence[Clip]) -> Outcome:
    """Turn what was recognised into figures, a table and a picture."""
    poses = [clip for clip in clips if clip.gesture is not None]
    negatives = [clip for clip in clips if clip.gesture is None]
    right = sum(clip.right for clip in poses)
    wrong = sum(bool(clip.wrong) for clip in poses)
    false = Rate(
        sum(len(clip.wrong) for clip in negatives), sum(c.lasts_us for c in negatives) / 3.6e9
    )
    bounds = [round(bound / 60, 3) for bound in false.interval] if false.hours else None
    figures: Figures = {
        "clips": len(poses),
        "right": right,
        "wrong_clips": wrong,
        "false_on_negatives": false.count,
        "missed": len(poses) - right,
        "negatives": len(negatives),
        "negative_minutes": round(false.hours * 60, 3),
        "false_per_minute": round(false.count / false.hours / 60, 3) if false.hours else None,
        "intervals": {
            "right": metrics.wilson(right, len(poses)).rounded(),
            "wrong_clips": metrics.wilson(wrong, len(poses)).rounded(),
            "false_per_minute": bounds,
        },
        "rows": [_row(clip) for clip in clips],
    }
    return Outcome(figures, (_summary(figures), _table(clips)), {"poses": lambda: draw(clips)})


def _row(clip: Clip) -> Figures:
    return {
        "clip": clip.name,
        "gesture": clip.gesture,
        "right": clip.right if clip.gesture else not clip.wrong,
        "wrong": list(clip.wrong),
        "seconds": round(clip.lasts_us / 1e6, 2),
        "shown": [
            {
                "gesture": one.gesture,
                "side": one.side,
                "start_s": round(one.start_us / 1e6, 2),
                "end_s": round(one.end_us / 1e6, 2),
                "confidence": round(one.confidence, 2),
            }
            for one in clip.shown
        ],
    }


def _summary(figures: Figures) -> Table:
    out = table("poses in real videos", "", "clips", "of them", "(95 %)")
    n, bounds = figures["clips"], figures["intervals"]
    for name, key in (("right", "right"), ("something wrong", "wrong_clips")):
        share = figures[key] / max(n, 1)
        out.add_row(name, str(n), str(figures[key]), percent(share, bounds[key]))
    if figures["false_per_minute"] is not None:
        a_minute = per_hour(figures["false_per_minute"], bounds["false_per_minute"])
        out.add_row(
            f"false in {figures['negative_minutes']:.1f} min without gestures",
            str(figures["negatives"]), str(figures["false_on_negatives"]), f"{a_minute} a minute",
        )  # fmt: skip
    return out


def _table(clips: Sequence[Clip]) -> Table:
    out = Table("clip", "", "recognised, from when on", box=None)
    for clip in clips:
        if clip.wrong:
            verdict = "[red]wrong" if clip.gesture is None or clip.right else "[red]missed, wrong"
        else:
            verdict = "[green]right" if clip.right or clip.gesture is None else "[yellow]missed"
        heard = ", ".join(f"{one.gesture} {one.start_us / 1e6:.1f} s" for one in clip.shown)
        out.add_row(clip.name, verdict, heard)
    return out


def draw(clips: Sequence[Clip]) -> Figure:
    """Draw each clip as a line: its gesture in green, a fist at rest in grey, all else in red."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 1 + 0.3 * len(clips)), layout="constrained")
    axes = figure.subplots()
    for row, clip in enumerate(clips):
        seconds = clip.lasts_us / 1e6
        scale = 1 / max(seconds, 1e-6)  # all clips as long: the negatives last for minutes
        axes.plot([0, 1], [row, row], color="lightgrey", linewidth=0.8, zorder=0)
        for one in clip.shown:
            colour = "tab:green" if one.gesture == clip.gesture else "tab:red"
            if one.gesture == REST and clip.gesture not in (None, REST):
                colour = "silver"
            start = one.start_us / 1e6 * scale
            width = max((one.end_us - one.start_us) / 1e6 * scale, 0.004)
            axes.barh(row, width, 0.7, start, color=colour)
            if colour == "tab:red":
                axes.text(start, row, f" {one.gesture}", va="center", fontsize=7)
        axes.text(1.005, row, f"{seconds:.1f} s", va="center", fontsize=7)
    axes.set_yticks(range(len(clips)), [clip.name for clip in clips], fontsize=8)
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.set_xlim(0, 1.05)
    axes.set_title(
        "recognised: the clip's gesture (green), fist at rest (grey), anything else (red)"
    )
    return figure


MEASURE = Measure("real videos of poses and of people who show none", add_options, run)
