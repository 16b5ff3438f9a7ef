"""`gesturectl bench profile`: what a long profile costs, beside a short one in the same run.

`parse`   reading and checking 500 bindings, beside PyYAML reading the same text into plain lists.
`step`    what the bindings do with an event, of ten minutes of somebody who gestures all the time,
          beside the same with one binding. Most events are a frame's clock and moving hands.
`reload`  from a profile that is read to an engine that acts by it, keys of the old one let go.

All alternate with their reference in one process: what else the machine does slows both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from random import Random
from statistics import median
from typing import Final

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from gesturectl import bindings
from gesturectl.catalog import catalog
from gesturectl.engine import Engine
from gesturectl.profile import parse
from gesturectl.recogniser import Recogniser
from gesturectl.rules import Profile
from gesturectl.types import (
    SIDES,
    Began,
    Ended,
    GestureEvent,
    Moved,
    Observation,
    Side,
    Tick,
    UserInput,
    Window,
)

Figures = dict[str, float]

BINDINGS: Final = 500
IN_APPLICATIONS: Final = 100  # of them; the others hold everywhere
APPLICATIONS: Final = 5
MODES: Final = 10
MOTIONS: Final = 4  # gestures of the catalog that are strokes of a hand, used beside its poses
# One of each moment at which a binding may act, so that all can stand beside each other.
TRIGGERS: Final = ("hold_for: 900ms", "release: true", "double: 400ms", "while: true")

ROUNDS: Final = 11  # of reading and of reloading
FRAME_US: Final = 33_333
FRAMES: Final = 18_000  # ten minutes
SIZE_PX: Final = (640, 480)
SEED: Final = 4

# What is measured, in which words, and what it may be at most.
TITLES: Final[Mapping[str, tuple[str, float]]] = {
    "parse_ms": ("reading and checking, ms", 150.0),
    "step_median_us": ("an event, median, µs", 100.0),
    "step_p99_us": ("an event, 99th percentile, µs", 100.0),
    "gesture_median_us": ("a gesture begins or ends, median, µs", 100.0),
    "gesture_p99_us": ("the same, 99th percentile, µs", 100.0),
    "reload_ms": ("taking over once it is read, ms", FRAME_US / 1e3),
}


def measure() -> dict[str, Figures]:
    """Return the figures of `long`, the profile of 500 bindings, `reference` and `ratio`."""
    text, short = profile_text(BINDINGS), profile_text(1)
    parse_ms, plain_ms = alternately(lambda: parse(text), lambda: plainly_read(text))
    rules = {"long": parse(text), "reference": parse(short)}
    found: dict[str, Figures] = {
        "long": {"parse_ms": parse_ms},
        "reference": {"parse_ms": plain_ms},
    }
    steps = step_times_us(*rules.values())
    for name, (all_us, gestures_us) in zip(rules, steps, strict=True):
        found[name] |= {
            "step_median_us": median(all_us),
            "step_p99_us": float(np.percentile(all_us, 99)),
            "gesture_median_us": median(gestures_us),
            "gesture_p99_us": float(np.percentile(gestures_us, 99)),
        }
    found["long"]["reload_ms"], found["reference"]["reload_ms"] = take_over_ms(text, short)
    found["ratio"] = {key: found["long"][key] / found["reference"][key] for key in TITLES}
    return found


def show(found: Mapping[str, Figures], console: Console) -> None:
    """Print the figures as a table, with what they may be at most."""
    table = Table("profile", f"{BINDINGS} bindings", "reference", "ratio", "at most", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for key, (title, bound) in TITLES.items():
        cells = (f"{found[name][key]:.3g}" for name in ("long", "reference", "ratio"))
        table.add_row(title, *cells, f"{bound:.3g}")
    console.print(table)
    console.print(
        "reference: PyYAML reading the same text; for all others, one binding", style="dim"
    )


# --- what is measured on --------------------------------------------------------------------------


def binding_lines(count: int) -> list[str]:
    """Write so many bindings, each on a line of its own: modes, every side and trigger."""
    hand = [row for row in catalog().values() if "hand" in row.seen_by]
    poses = [row.name for row in hand if row.kind == "pose"]
    motions = [row.name for row in hand if row.kind == "motion"][:MOTIONS]
    letters = "abcdefghijklmnopqrstuvwxyz"
    kinds = [
        *product(TRIGGERS, poses, SIDES),
        *product(("tap: true",), motions, SIDES),
    ]
    lines: list[str] = []
    names = ("active", *(f"m{mode}" for mode in range(MODES)))
    for number, (mode, (trigger, gesture, side)) in enumerate(product(names, kinds)):
        key = letters[number % len(letters)]
        lines.append(
            f"- {{gesture: {gesture}, side: {side}, {trigger}, mode: {mode}, confidence: 0.5, "
            f"cooldown: {300 + number % 7}ms, do: {{key: ctrl+{key}}}}}"
        )
    return Random(SEED).sample(lines, count)


def heading() -> list[str]:
    """Write what stands above such bindings: their modes, a clutch, what is safe."""
    modes = ", ".join(f"m{mode}: {{inherits: active}}" for mode in range(MODES))
    return [
        "version: 1",
        f"modes: {{sleep: {{wake: {{gesture: open_palm, hold_for: 800ms}}}}, {modes}}}",
        "clutch: {gesture: open_palm, side: left, lasts: 1s}",
        "safety: {takeback: 1s, panic: {keys: ctrl+alt+Pause}}",
    ]


def profile_text(count: int) -> str:
    """Write a profile of so many bindings, some of them for one of several applications alone."""
    lines, text = binding_lines(count), heading()
    local = lines[:IN_APPLICATIONS] if count > IN_APPLICATIONS else []
    if local:
        text.append("profiles:")
        for number in range(APPLICATIONS):
            text.append(f"  - match: {{only: [{{app: app{number}}}, {{title: /page {number}$/}}]}}")
            text.append("    bindings:")
            text += [f"      {line}" for line in local[number::APPLICATIONS]]
    text.append("bindings:")
    text += [f"  {line}" for line in lines[len(local) :]]
    return "\n".join(text) + "\n"


def gesturing() -> Iterator[GestureEvent]:
    """Yield what comes of ten minutes: gestures without pause, moving hands, windows, keys."""
    random = Random(SEED)
    hand = [row.name for row in catalog().values() if "hand" in row.seen_by]
    shown: dict[Side, tuple[str, int]] = {}
    for frame in range(FRAMES):
        t_us = frame * FRAME_US
        if frame % 300 == 299:
            yield Window(t_us, app=f"app{random.randrange(2 * APPLICATIONS)}")
        if frame % 1800 == 1799:
            yield UserInput(t_us, frozenset({"ctrl", "c"}))
        for side in SIDES:
            name, until = shown.get(side, ("", 0))
            if name and frame >= until:
                yield Ended(t_us, name, side, 0.9)
                del shown[side]
            elif not name and random.random() < 0.1:
                shown[side] = name, _ = random.choice(hand), frame + random.randint(3, 60)
                yield Began(t_us, name, side, random.uniform(0.4, 1.0))
        for side in SIDES:
            right, up = random.uniform(-3, 3), random.uniform(-3, 3)
            yield Moved(t_us, side, right=right, up=up, near=0.0, pinch=0.8, roll_deg=0.0)
        yield Tick(t_us)


# --- measuring ------------------------------------------------------------------------------------


def plainly_read(text: str) -> object:
    """Read YAML into lists and mappings, by the same parser that reads profiles."""
    safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, Loader=safe)  # noqa: S506 — both are safe


def alternately(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Return the median milliseconds of each, of both run in turns."""
    times_ms: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for run, found_ms in zip((one, other), times_ms, strict=True):
            began_ns = time.perf_counter_ns()
            run()
            found_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
    return median(times_ms[0]), median(times_ms[1])


def step_times_us(*profiles: Profile) -> list[tuple[list[float], list[float]]]:
    """Return for each profile the microseconds of every event, and those of gestures alone.

    Every minute another mode is entered.
    """
    for rules in profiles:
        rules.prepare()
    states = [bindings.initial(rules) for rules in profiles]
    found: list[tuple[list[float], list[float]]] = [([], []) for _ in profiles]
    for event in gesturing():
        minute = f"m{event.t_us // 60_000_000}"
        for number, rules in enumerate(profiles):
            if states[number].mode != minute:
                states[number] = replace(states[number], mode=minute)
            began_ns = time.perf_counter_ns()
            states[number], _ = bindings.step(rules, states[number], event)
            took_us = (time.perf_counter_ns() - began_ns) / 1e3
            found[number][0].append(took_us)
            if isinstance(event, Began | Ended):
                found[number][1].append(took_us)
    return found


def take_over_ms(*texts: str) -> list[float]:
    """Return for each profile the median milliseconds from when it is read to its first frame."""
    before = Engine(Recogniser.load(), parse(texts[-1]))
    times_ms: list[list[float]] = [[] for _ in texts]
    for number in range(ROUNDS):
        for text, found_ms in zip(texts, times_ms, strict=True):
            rules = parse(text)  # anew: a profile keeps what it has worked out
            t_us = number * FRAME_US
            began_ns = time.perf_counter_ns()
            fresh = Engine(Recogniser.load(early=rules.early), rules)
            before.release(t_us)
            fresh.take_over(before)
            fresh.step(Observation(t_us, (), (), SIZE_PX))
            found_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
    return [median(found_ms) for found_ms in times_ms]
