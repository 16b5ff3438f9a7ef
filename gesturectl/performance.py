"""Write `docs/performance.md` from what `gesturectl bench` measures on this machine, now.

    python -m gesturectl.performance            measure, keep the figures, write the page
    python -m gesturectl.performance step idle  measure these anew, and keep the other figures
    python -m gesturectl.performance --page     write the page from the figures that are kept

The figures are those of one machine at one time; the ratios, each of two things measured in turns,
are what can be compared.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gesturectl import plots
from gesturectl.bench import BENCHES, Asked
from gesturectl.benches import load, scale, soak
from gesturectl.rig import Choice

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
PAGE: Final = DOCS / "performance.md"
KEPT: Final = DOCS / "performance" / "figures.json"
MEASURED: Final = (
    *("frame", "latency", "load", "idle", "start", "memory", "step", "replay", "profile"),
    *("power", "scale", "soak"),
)
HOURS: Final = 26.0  # of a trace with gaps: a million frames, some 15 minutes
REAL_HOURS: Final = 0.25
DRAWN: Final = {"latency": 2, "scale": 2, "soak": 3}  # in so many columns
TINY: Final = 1e-6  # what is left of nothing by rounding

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
            f"**{one['ratio_of_medians']:.2f}**, p95 **{one['ratio_of_p95']:.2f}**"
        )

    def met(found: Figures) -> bool:
        one = found["frame"][scene]
        return bool(max(one["ratio_of_medians"], one["ratio_of_p95"]) <= most)

    return said, met


def _soak(time: str) -> tuple[Callable[[Figures], str], Callable[[Figures], bool]]:
    def said(found: Figures) -> str:
        one = found["soak"][time]
        return f"**{soak.verdict(one)}** over {one['hours']:.2g} h, {one['frames']:,} frames"

    return said, lambda found: soak.verdict(found["soak"][time]) == soak.FLAT


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
        "every core busy: how old a picture is when its commands are sent",
        "the same with nothing beside it",
        f"≤ {load.MOST_FRAMES:g} frames",
        lambda found: (
            f"p50 {_ages(found, 'p50')}, p99 {_ages(found, 'p99')}, "
            f"at most **{_ages(found, 'max')}** frames"
        ),
        lambda found: found["load"]["beside"]["age_when_sent_frames"]["max"] <= load.MOST_FRAMES,
    ),
    Row(
        "every core busy: gestures lost, events told twice",
        "the same with nothing beside it",
        "none more, none",
        lambda found: (
            f"**{found['load']['lost_beyond_alone']}** more of "
            f"{found['load']['beside']['gestures_acted']}, "
            f"**{found['load']['beside']['events_twice']}**"
        ),
        lambda found: (
            found["load"]["lost_beyond_alone"] == found["load"]["beside"]["events_twice"] == 0
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
    Row(
        "8 applications of 500 bindings, 100 programs that follow: a frame without landmarks",
        "one of each",
        "≤ 1.5",
        lambda found: (
            f"{found['scale']['full']['median_us']:.0f} against "
            f"{found['scale']['full']['of_one_median_us']:.0f} µs: "
            f"**{found['scale']['full']['ratio']:.2f}**"
        ),
        lambda found: found["scale"]["full"]["ratio"] <= 1.5,
    ),
    Row(
        "blocks of memory that a frame leaves behind",
        "–",
        "none",
        lambda found: f"**{max(0.0, found['step']['blocks_per_frame']):.2f}**",
        lambda found: found["step"]["blocks_per_frame"] < 0.05,
    ),
    Row(
        *("memory, files, threads, held keys: a trace again and again", "–", "flat"),
        *_soak("simulated"),
    ),
    Row(*("the same before the puppet, and the age of pictures", "–", "flat"), *_soak("real")),
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
    latency = kept["figures"]["latency"]
    whole = {"captured to received": latency["captured_to_received_ms"]}
    for name, one in (latency["spent_ms"] | whole).items():
        lines.append(
            f"| {name} | {one['p50']:.2f} ms | {one['p95']:.2f} ms | {one['p99']:.2f} ms |"
        )
    lines += [
        "",
        "![The stages of a frame one after the other](performance/latency.png)",
        "",
        "`read` is the wait for the loop. Events of a run tell these times [of their own",
        "frame](command-line.md#events), and [`ctl status`](control.md) those of the last 256",
        "frames.",
        *_under_load(kept["figures"]["load"]),
    ]
    lines += _presets(kept["figures"]["power"])
    lines += [*_hours(kept["figures"]), *_more(kept["figures"])]
    lines += [
        "",
        "Why landmarks cost less than in MediaPipe's own graphs, and what that gives up:",
        "[decision 19](decisions/0019-networks-one-by-one.md). What [sockets](control.md), the",
        "[tray](tray.md) and the [display](display.md) cost is told on their pages.",
        "",
    ]
    return "\n".join(lines)


def _ages(found: Figures, part: str) -> str:
    runs = (found["load"][run]["age_when_sent_frames"] for run in ("beside", "alone"))
    return " against ".join(f"{ages[part]:.1f}" for ages in runs)


def _under_load(load: Figures) -> list[str]:
    """Tell what becomes of pictures and gestures while every core is busy."""
    beside, crowded = load["beside"], load["crowded"]
    ages = crowded["age_when_sent_frames"]
    return [
        "",
        "## Every core busy",
        "",
        f"Beside {beside['busy_processes']} busy processes, one for each core, "
        f"{beside['dropped']} of {beside['pictures']} pictures were dropped; in a",
        f"crowd of {crowded['busy_processes']}, {crowded['dropped']}. None is ever queued, for who "
        "grabs pictures keeps the newest alone: in that",
        f"crowd a picture was {ages['p50']:.1f} frames old in the middle when its commands were "
        f"sent, {ages['max']:.1f} at most,",
        f"{crowded['gestures_lost']} of {crowded['gestures_acted']} gestures were lost and "
        f"{crowded['events_twice']} events told twice. No higher priority is asked for.",
    ]


def _presets(power: Figures) -> list[str]:
    """Tell what presets and budgets cost, and what of the gestures they let through."""
    lines = [
        "",
        "## Presets and budgets",
        "",
        f"One scene of {power['acted']} gestures in real time, as a webcam sends it, by each "
        "[preset](power.md), and with",
        "three quarters and half of what `balanced` takes as `max_cpu`:",
        "",
        "| | of a core | pictures a second | recognised | others heard |",
        "|---|---|---|---|---|",
    ]
    for name, one in power["runs"].items():
        lines.append(
            f"| {name} | {100 * one['cpu']:.1f} % | {one['frames_per_s']:.1f} | "
            f"{one['recognised']} | {one['false']} |"
        )
    return [
        *lines,
        "",
        "One gesture more or less is chance. Others heard are what a hand shows on its way from",
        "one gesture to the next: all gestures are listened for here.",
    ]


def _hours(found: Figures) -> list[str]:
    """Tell what grows over hours, and what the collector of garbage would cost."""
    lines = ["", "## Hours", ""]
    for time, one in found["soak"].items():
        rows = one["measures"].items()
        lines += [
            f"{one['hours']:.2f} hours of {time} time ({one['on']}): {one['frames']:,} frames,",
            f"{one['events']:,} beginnings and ends of gestures, {one['profiles_read']:,} times "
            f"another profile: **{soak.verdict(one)}**.",
            "",
            "| | from | to | slope an hour, between |",
            "|---|---|---|---|",
            *(_trend(soak.MEASURES[name], row) for name, row in rows),
            "",
        ]
    lines += ["![Each measure over the hours](performance/soak.png)", ""]
    memory = [
        one["measures"][name]["verdict"]
        for one in found["soak"].values()
        for name in ("resident_mb", "blocks")
    ]
    if soak.GROWS not in memory:
        lines += [
            "Frames leave nothing behind. What little grows in real time does so by profiles that",
            "look for something else than the one before: of each network that is opened anew for",
            "them, LiteRT keeps about 60 bytes.",
            "",
        ]
    step = found["step"]
    return [
        *lines,
        "A full collection of garbage would hold a frame up for "
        f"{step['full_collection_ms']:.0f} ms;",
        "a run takes what it has opened out of it, and one takes "
        f"{step['frozen_full_collection_ms']:.1g} ms. The 99th",
        f"percentile of a step is {step['p99_us'] / 1e3:.2f} ms so, and "
        f"{step['unfrozen_p99_us'] / 1e3:.2f} ms otherwise.",
    ]


def _trend(what: soak.Measure, row: Figures) -> str:
    if "slope_per_hour" not in row:
        return f"| {what.says} | | | {row['verdict']} |"
    low, high = row["interval"]
    first, last = (f"{row[end]:,.1f} {what.unit}".strip() for end in ("first", "last"))
    return f"| {what.says} | {first} | {last} | {_slope(low)} … {_slope(high)} |"


def _slope(value: float) -> str:
    return "0" if abs(value) < TINY else f"{value:+,.2g}" if abs(value) < 100 else f"{value:+,.0f}"


def _more(found: Figures) -> list[str]:
    """Tell what more of everything costs."""
    return [
        "",
        "## More of everything",
        "",
        *(f"- {said}." for said in scale.sentences(found["scale"])),
        "- cameras: a run looks through one.",
        "",
        "![What a frame costs as there is more of something](performance/scale.png)",
    ]


def measure(names: Sequence[str] = MEASURED) -> Figures:
    """Measure what the page tells, or some of it.

    Raises:
        GesturectlError: a model or a program that is needed cannot be had.
    """
    asked = Asked(Choice("puppet:all", None, "memory"), hours=HOURS, real_hours=REAL_HOURS)
    figures = {}
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures[name] = BENCHES[name].measure(asked)
    return {
        "when": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} virtual cores of a server ({platform.machine()}), "
        f"Python {platform.python_version()}",
        "figures": figures,
    }


def main() -> None:
    """Measure all, some, or with `--page` nothing anew; write page and pictures."""
    names = sys.argv[1:] or MEASURED
    if unknown := sorted(set(names) - {*MEASURED, "--page"}):
        sys.exit(f"not measured: {', '.join(unknown)}; known: {', '.join(MEASURED)}")
    if "--page" not in names:
        fresh = measure([name for name in MEASURED if name in names])
        before = json.loads(KEPT.read_text("utf-8"))["figures"]
        fresh["figures"] = before | fresh["figures"]
        KEPT.write_text(json.dumps(fresh, indent=2) + "\n", "utf-8")
    kept = json.loads(KEPT.read_text("utf-8"))
    PAGE.write_text(page(kept), "utf-8")
    for name, columns in DRAWN.items():
        draw = BENCHES[name].charts
        if draw is not None:
            plots.save(draw(kept["figures"][name]), KEPT.parent / f"{name}.png", columns=columns)
    print(f"wrote docs/{PAGE.name}")


if __name__ == "__main__":
    main()
