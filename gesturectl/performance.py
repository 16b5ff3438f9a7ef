"""Write `docs/performance.md` from what `gesturectl bench` measures on this machine, now.

    python -m gesturectl.performance            measure, keep the figures, write the page
    python -m gesturectl.performance --page     write the page from the figures that are kept

The figures are those of one machine at one time; the ratios, each of two things measured in turns,
are what can be compared.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gesturectl.bench import BENCHES, Asked
from gesturectl.rig import Choice

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
PAGE: Final = DOCS / "performance.md"
KEPT: Final = DOCS / "performance" / "figures.json"
MEASURED: Final = ("frame", "latency", "idle", "start", "memory", "step", "replay", "profile")

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page: what is measured, beside what, what we want, and the figures."""

    measure: str
    reference: str
    wanted: str
    ours: Callable[[Figures], str]
    met: Callable[[Figures], bool]


def _frame(scene: str, most: float) -> tuple[Callable[[Figures], str], Callable[[Figures], bool]]:
    def said(found: Figures) -> str:
        one = found["frame"][scene]
        return (
            f"{one['gesturectl_median_ms']:.1f} against {one['bare_mediapipe_median_ms']:.1f} ms: "
            f"**{one['ratio_of_medians']:.2f}**, p95 {one['ratio_of_p95']:.2f}"
        )

    return said, lambda found: bool(found["frame"][scene]["ratio_of_medians"] <= most)


ROWS: Final = (
    Row(
        "whole frame, one hand in view, one looked for",
        "bare MediaPipe, `num_hands=1`",
        "≤ 1.05",
        *_frame("one_hand", 1.05),
    ),
    Row(
        "whole frame, one hand in view, two looked for",
        "bare MediaPipe, `num_hands=2`",
        "≤ 0.65",
        *_frame("two_hands", 0.65),
    ),
    Row(
        "whole frame, hands and body",
        "two bare landmarkers in turn",
        "≤ 0.75",
        *_frame("hands_and_body", 0.75),
    ),
    Row(
        "nobody in view, seconds of the processor",
        "bare MediaPipe at full rate",
        "≤ 0.10",
        lambda found: (
            f"{found['idle']['gesturectl_cpu_s']:.2f} against "
            f"{found['idle']['bare_mediapipe_cpu_s']:.2f} s: **{found['idle']['ratio']:.3f}**"
        ),
        lambda found: found["idle"]["ratio"] <= 0.1,
    ),
    Row(
        "a hand that comes in, later than with a search of every frame",
        "bare MediaPipe",
        "≤ 150 ms",
        lambda found: f"**{max(0.0, found['idle']['later_than_bare_ms']):.0f} ms**",
        lambda found: found["idle"]["later_than_bare_ms"] <= 150,
    ),
    Row(
        "captured to a key at a client, 30 pictures a second, beyond the landmarks",
        "the landmarks of that frame",
        "p50 ≤ 3 ms, p99 ≤ 12 ms",
        lambda found: (
            f"p50 **{found['latency']['beyond_landmarks_ms']['p50']:.1f} ms**, "
            f"p99 **{found['latency']['beyond_landmarks_ms']['p99']:.1f} ms**"
        ),
        lambda found: (
            found["latency"]["beyond_landmarks_ms"]["p50"] <= 3
            and found["latency"]["beyond_landmarks_ms"]["p99"] <= 12
        ),
    ),
    Row(
        "everything but the landmarks, two hands and a body",
        "–",
        "≤ 1.2 ms, p99 ≤ 3 ms",
        lambda found: (
            f"**{found['step']['median_us'] / 1e3:.2f} ms**, "
            f"p99 {found['step']['p99_us'] / 1e3:.2f} ms"
        ),
        lambda found: found["step"]["median_us"] <= 1200 and found["step"]["p99_us"] <= 3000,
    ),
    Row(
        "resident memory",
        "the process of a bare loop",
        "≤ 1.3",
        lambda found: (
            f"{found['memory']['gesturectl_mb']:.0f} against "
            f"{found['memory']['bare_mediapipe_mb']:.0f} MB: **{found['memory']['ratio']:.2f}**"
        ),
        lambda found: found["memory"]["ratio"] <= 1.3,
    ),
    Row(
        "start to the first frame that was looked at",
        "`import mediapipe` alone",
        "≤ 1.5",
        lambda found: (
            f"{found['start']['to_first_frame_s']:.2f} against "
            f"{found['start']['import_mediapipe_s']:.2f} s: **{found['start']['ratio']:.2f}**"
        ),
        lambda found: found["start"]["ratio"] <= 1.5,
    ),
    Row(
        "replay of a trace, two hands and a body",
        "–",
        "≥ 3000 frames/s a core",
        lambda found: f"**{found['replay']['frames_per_cpu_s']:.0f} frames/s**",
        lambda found: found["replay"]["frames_per_cpu_s"] >= 3000,
    ),
)


def page(kept: Figures) -> str:
    """Return the page for figures that were kept."""
    lines = [
        "# Performance",
        "",
        "<!-- Written by `python -m gesturectl.performance` from what it measured. -->",
        "",
        f"Measured on {kept['when']} on {kept['machine']}, by one command:",
        "`python -m gesturectl.performance`. Each ratio is of two things measured in turns in one",
        "run, so whatever else the machine does slows both. `gesturectl bench NAME` measures one",
        "of them on your machine.",
        "",
        "| measure | beside | wanted | measured | |",
        "|---|---|---|---|---|",
    ]
    for row in ROWS:
        verdict = "met" if row.met(kept["figures"]) else "**missed**"
        said = row.ours(kept["figures"])
        lines.append(f"| {row.measure} | {row.reference} | {row.wanted} | {said} | {verdict} |")
    lines += [
        "",
        "Where a frame's time goes, from the picture to the key that a program received, at 30",
        "pictures a second:",
        "",
        "| stage | p50 | p95 | p99 |",
        "|---|---|---|---|",
    ]
    stages = {
        "landmarks": "landmarks_ms",
        "recognised and mapped": "engine_ms",
        "injected": "sink_ms",
        "captured to received": "captured_to_received_ms",
    }
    for name, key in stages.items():
        one = kept["figures"]["latency"][key]
        lines.append(
            f"| {name} | {one['p50']:.2f} ms | {one['p95']:.2f} ms | {one['p99']:.2f} ms |"
        )
    lines += [
        "",
        "Why landmarks cost less than in MediaPipe's own graphs, and what that gives up:",
        "[decision 19](decisions/0019-networks-one-by-one.md). What [sockets](control.md), the",
        "[tray](tray.md) and the [display](display.md) cost is told on their pages.",
        "",
    ]
    return "\n".join(lines)


def measure() -> Figures:
    """Measure all that the page tells.

    Raises:
        GesturectlError: a model or a program that is needed cannot be had.
    """
    asked = Asked(Choice("puppet:all", None, "memory"))
    figures = {}
    for name in MEASURED:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures[name] = BENCHES[name].measure(asked)
    return {
        "when": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} virtual cores of a server ({platform.machine()}), "
        f"Python {platform.python_version()}",
        "figures": figures,
    }


def main() -> None:
    """Measure, unless the page alone is asked for, and write."""
    if "--page" not in sys.argv[1:]:
        KEPT.write_text(json.dumps(measure(), indent=2) + "\n", "utf-8")
    PAGE.write_text(page(json.loads(KEPT.read_text("utf-8"))), "utf-8")
    print(f"wrote docs/{PAGE.name}")


if __name__ == "__main__":
    main()
