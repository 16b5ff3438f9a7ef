"""Recordings of which fewer pictures are looked at, and how many gestures are still heard in them.

Pictures are left out by the daemon's own rule (`pace.due`), as it leaves them out to keep a budget.
Landmarks stay those that were found in every picture: a landmark model that sees fewer of them may
lose somebody more often, which `gesturectl bench power` measures on a drawn person.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.table import Table

from gesturectl import pace
from training.datasets import ArmRecording
from training.evaluate import metrics
from training.evaluate.metrics import Matching
from training.evaluate.outcome import Figures, milliseconds, table
from training.measured import percent

STROKES = ("swipe", "circle")


def thinned(recording: ArmRecording, rate_hz: float) -> ArmRecording:
    """Return a recording without the pictures that are not looked at at this rate."""
    next_us, kept = 0, []
    for i, t_us in enumerate(recording.t_us.tolist()):
        looked_at, next_us = pace.due(next_us, t_us, rate_hz)
        if looked_at:
            kept.append(i)
    return replace(
        recording,
        t_us=recording.t_us[kept],
        image=recording.image[kept],
        idle=recording.idle[kept],
    )


def rates(text: str) -> tuple[float, ...]:
    """Read pictures a second, parted by commas.

    Raises:
        ArgumentTypeError: these are none.
    """
    try:
        asked = tuple(float(one) for one in text.split(","))
    except ValueError:
        asked = ()
    if not asked or not all(1 <= one <= pace.FASTEST_HZ for one in asked):
        raise argparse.ArgumentTypeError(
            f"{text!r} are no pictures a second; write 30,15 for instance"
        )
    return asked


def figures(slower: Mapping[float, Sequence[tuple[ArmRecording, Matching]]]) -> Figures:
    """Return for each rate what was heard: the recordings that were left, and their answers."""
    out = {}
    for rate_hz, heard in slower.items():
        seconds = sum(float(one.t_us[-1] - one.t_us[0]) / 1e6 for one, _ in heard)
        matchings = [matching for _, matching in heard]
        out[f"{rate_hz:g}"] = {
            **metrics.overall(matchings),
            "pictures_per_s": round(sum(len(one.t_us) for one, _ in heard) / max(seconds, 1), 1),
            **{f"recall_{kind}s": _recall(matchings, kind) for kind in STROKES},
        }
    return out


def _recall(matchings: Sequence[Matching], kind: str) -> float | None:
    right = sum(s.name.startswith(kind) for one in matchings for _, s in one.right)
    missed = sum(s.name.startswith(kind) for one in matchings for s in one.missed)
    return round(right / (right + missed), 4) if right + missed else None


def rate_table(rows: Figures) -> Table:
    """Return one row a rate."""
    out = table(
        "with fewer pictures", "pictures/s at most", "right", "false", "precision", "recall",
        *(f"{kind}s" for kind in STROKES), "ms from end, median / p90",
    )  # fmt: skip
    for rate, row in rows.items():
        bound = metrics.wilson(row["right"], row["right"] + row["missed"])
        kinds = (row[f"recall_{kind}s"] for kind in STROKES)
        out.add_row(
            rate, str(row["right"]), str(row["false"]),
            percent(row["precision"]), percent(row["recall"], bound),
            *("–" if one is None else percent(one) for one in kinds),
            milliseconds(row["latency_end_ms"]),
        )  # fmt: skip
    return out
