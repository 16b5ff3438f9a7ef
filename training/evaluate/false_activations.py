"""Hours of anything but gestures: what fires all the same, how often, and what would stop it.

Every activation is false here; the user of this measure vouches for that. Where one happens, the
same moments are played again at higher and higher thresholds:

    observations  ------------------------------------------------
    own enter                   B     E
    replayed              |--------------------|     from `WARM_US` before B, so that networks and
    enter 0.90                  B    E               features stand as they stood, until all has
    enter 0.95                                       ended and `AFTER_US` has passed

A higher threshold fires nowhere else, so the counts are measured and not guessed. What it costs in
recall only recordings of gestures tell.

`--synthetic` plays people of `training.synth` who make no stroke. They show poses, though, as
hands at rest do: there only strokes are counted. With `--hasty` some of their moves are as fast as
strokes: that is what people do who draw in the air while they talk, and no threshold refuses it.
"""

from __future__ import annotations

import argparse
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from rich.progress import Progress
from rich.table import Table

from gesturectl.catalog import catalog
from gesturectl.errors import UsageError
from gesturectl.model import Model, Part
from gesturectl.recogniser import Recogniser
from gesturectl.trace import read_trace
from gesturectl.types import Began, Body, Ended, Float32, Hand, Observation
from training import synth
from training.evaluate.metrics import Rate, poisson
from training.evaluate.outcome import Draw, Figures, Measure, Outcome, table
from training.evaluate.streams import shipped
from training.measured import per_hour

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OWN = 0.0  # the rung of the model's own thresholds
RUNGS = (OWN, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)

# The network sees 62 steps back, its features 16 more: 2.6 s. Then a hand's age counts to 1 s.
WARM_US = 4_000_000
AFTER_US = 2_000_000
FORESEEN = 256  # frames that are scored together, for a fraction of what each costs alone
STOPPED_US = 1_000_000  # a longer gap between frames is no time in which anything could fire

TARGET_PER_HOUR = 0.2
STREAM_S = 30.0


def at_least(trained: Model, rung: float) -> Model:
    """Return the model with no threshold below `rung`."""
    parts = {}
    for name, part in trained.card.parts.items():
        enter = [max(own, rung) for own in part.enter]
        # Validated anew, not copied: a copy would keep the thresholds that are cached in it.
        parts[name] = Part.model_validate({**part.model_dump(), "enter": enter})
    return Model(trained.card.model_copy(update={"parts": parts}), trained.nets)


class Watch:
    """Activations of the gestures `judged`, by rung; `others` counts the rest at its own."""

    def __init__(self, trained: Model, judged: Iterable[str]) -> None:
        self.trained = trained
        self.judged = frozenset(judged)
        self.counts: dict[float, Counter[str]] = {rung: Counter() for rung in RUNGS}
        self.others: Counter[str] = Counter()
        self._models = {rung: at_least(trained, rung) for rung in RUNGS[1:]}

    def add(self, observations: Iterable[Observation]) -> int:
        """Watch one recording from its beginning to its end; return for how long, in µs."""
        ear = Recogniser(self.trained)
        past: deque[Observation] = deque()
        higher: dict[float, Recogniser] = {}
        watched_us, shown, busy_until_us = 0, 0, -1
        for now in _foreseen(ear, observations):
            t = now.t_us
            if past and t - past[-1].t_us <= STOPPED_US:
                watched_us += t - past[-1].t_us
            events = ear.step(now)
            self.others.update(
                event.gesture
                for event in events
                if isinstance(event, Began) and event.gesture not in self.judged
            )
            began = self._count(OWN, events)
            shown += began - self._judged(events, Ended)
            if began and not higher:
                higher = {rung: Recogniser(own) for rung, own in self._models.items()}
                for one in higher.values():
                    for earlier in past:
                        one.step(earlier)
            for rung, one in higher.items():
                self._count(rung, one.step(now))
            if began or shown:
                busy_until_us = t + AFTER_US
            elif t > busy_until_us:
                higher = {}
            past.append(now)
            while past[0].t_us < t - WARM_US:
                past.popleft()
        return watched_us

    def _judged(self, events: Iterable[Began | Ended], kind: type[Began | Ended]) -> int:
        return sum(isinstance(event, kind) and event.gesture in self.judged for event in events)

    def _count(self, rung: float, events: Iterable[Began | Ended]) -> int:
        began = [e.gesture for e in events if isinstance(e, Began) and e.gesture in self.judged]
        self.counts[rung].update(began)
        return len(began)


def _foreseen(ear: Recogniser, observations: Iterable[Observation]) -> Iterator[Observation]:
    """Yield observations, after `ear` has looked at some seconds of them at once."""
    coming = iter(observations)
    while some := list(islice(coming, FORESEEN)):
        ear.foresee(some)
        yield from some


def suggest(counts: dict[float, Counter[str]], most: float) -> dict[str, float | None]:
    """Return a rung for each gesture, such that no more than `most` activations are left in all.

    Whoever has the most is raised first, so that quiet gestures keep their recall. None is for a
    gesture that fires even on the highest rung: it cannot be used so.
    """
    rungs = sorted(counts)
    at = dict.fromkeys(sorted(set().union(*counts.values())), 0)

    def left(name: str) -> int:
        return counts[rungs[at[name]]][name] if at[name] < len(rungs) else 0

    while sum(map(left, at)) > most:
        worst = max(at, key=left)
        # Steps that change nothing cost recall for no gain: go to the next that does.
        now = left(worst)
        while at[worst] < len(rungs) and left(worst) >= now:
            at[worst] += 1
    return {name: rungs[i] if i < len(rungs) else None for name, i in at.items()}


# --- people who do not exist ----------------------------------------------------------------------


def synthetic(rng: Generator, *, arms: bool, hasty: bool = False) -> Iterator[Observation]:
    """Yield half a minute of a hand, or of a body, that makes no stroke; `synth.Take` on hasty."""
    square = (1000, 1000)  # synthesis measures in image heights: so do these pictures
    if arms:
        arm = synth.arm_stream(rng, STREAM_S, gestures=0.0, hasty=hasty)
        bodies = body_of(arm.signals)
        for t_us, body in zip(arm.t_us.tolist(), bodies, strict=True):
            yield Observation(t_us, (), (Body(body),), square)
    else:
        hand = synth.hand_stream(rng, STREAM_S, gestures=0.0, hasty=hasty)
        for t_us, points in zip(hand.t_us.tolist(), hand.points, strict=True):
            yield Observation(t_us, (Hand("right", 1.0, points),), (), square)


def body_of(signals: Float32) -> Float32:
    """Return bodies (T, 33, 4) whose arms give these signals: `features.arm_signals` backwards.

    The shoulders are one unit apart around the origin; hips and legs are not seen.
    """
    body = np.zeros((len(signals), 33, 4), np.float32)
    body[:, 11, :2], body[:, 12, :2] = (0.5, 0.0), (-0.5, 0.0)
    body[:, 23, :2], body[:, 24, :2] = (0.3, 1.5), (-0.3, 1.5)
    body[:, 25:33, 1] = 2.5
    for point, column in ((16, 0), (14, 3), (20, 5), (15, 7), (13, 9)):
        body[:, point, :2] = signals[:, column : column + 2]
    body[:, 19, :2] = body[:, 15, :2] + 0.35 * (body[:, 15, :2] - body[:, 13, :2])
    body[:, [11, 12, 13, 14], 3] = 1.0
    body[:, [16, 15], 3] = signals[:, 11:13]
    return body


# --- the measure --------------------------------------------------------------------------------


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only this measure asks."""
    parser.add_argument("traces", nargs="*", type=Path, metavar="TRACE", help=".jsonl or .jsonl.gz")
    parser.add_argument(
        "--synthetic", type=float, metavar="HOURS",
        help="watch so many hours of synthetic people; each hour is one of a hand and one of arms",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of the synthetic people (0)")
    parser.add_argument(
        "--hasty", action="store_true",
        help="people who do, now and then, just what a stroke does, and mean nothing",
    )  # fmt: skip
    parser.add_argument(
        "--target", type=float, default=TARGET_PER_HOUR, metavar="RATE",
        help="false activations an hour, of all gestures together, that the suggested thresholds "
        f"may leave ({TARGET_PER_HOUR})",
    )  # fmt: skip


def run(options: argparse.Namespace, bar: Progress) -> Outcome:
    """Watch the traces, or synthetic people.

    Raises:
        UsageError: there is nothing to watch, or both.
        TraceError: a trace is damaged.
    """
    hours: float | None = options.synthetic
    if (hours is None) == (not options.traces):
        raise UsageError("give traces, or --synthetic HOURS")
    if hours is None:
        watch = Watch(shipped(), catalog())
        watched_us = 0
        for path in bar.track(options.traces, description="watching"):
            watched_us += watch.add(observation for observation, _ in read_trace(path))
        what = f"{len(options.traces)} traces"
        return report(watch, watched_us / 3.6e9, options.target, what)
    if hours <= 0:
        raise UsageError(f"--synthetic {hours}: give more than no hours")
    watch = Watch(shipped(), [name for name, g in catalog().items() if g.kind == "motion"])
    # Training draws from other seeds, whatever number is given here.
    rng = np.random.default_rng((0xFA15E, options.seed))
    streams = max(1, round(hours * 3600 / STREAM_S))
    for _ in bar.track(range(streams), description="watching synthetic people"):
        # The hand and the arms are those of one person, at the same time.
        watch.add(synthetic(rng, arms=False, hasty=options.hasty))
        watch.add(synthetic(rng, arms=True, hasty=options.hasty))
    what = f"{'hasty ' if options.hasty else ''}synthetic people, seed {options.seed}"
    return report(watch, streams * STREAM_S / 3600, options.target, what)


def report(watch: Watch, hours: float, target_per_hour: float, what: str) -> Outcome:
    """Turn counts into figures, a table and a picture."""
    suggested = suggest(watch.counts, target_per_hour * hours)
    own: dict[str, float] = {}
    for part in watch.trained.card.parts.values():
        for name, enter in zip(part.classes, part.enter, strict=True):
            if name in watch.judged:  # two parts may know it: the lower threshold lets it through
                own[name] = min(enter, own.get(name, 1.0))
    counts = watch.counts
    gestures = {
        name: _gesture(counts, name, own[name], suggested.get(name, OWN), hours)
        for name in sorted(own, key=lambda name: -counts[OWN][name])
    }
    total = Rate(sum(counts[OWN].values()), hours)
    left = Rate(sum(row["at_suggested"] for row in gestures.values()), hours)
    figures: Figures = {
        "of": what,
        "hours": round(hours, 4),
        "false": total.count,
        **_rate(total),
        "target_per_hour": target_per_hour,
        "suggested": {"false": left.count, **_rate(left)},
        "gestures": gestures,
        "not_judged": dict(sorted(watch.others.items())),
    }
    return Outcome(figures, (_table(figures, total, left),), {"false-activations": _draw(figures)})


def _rate(rate: Rate) -> Figures:
    return {
        "per_hour": None if rate.per_hour is None else round(rate.per_hour, 4),
        "interval": rate.interval.rounded() if rate.hours > 0 else None,
    }


def _gesture(
    counts: dict[float, Counter[str]], name: str, enter: float, rung: float | None, hours: float
) -> Figures:
    left = 0 if rung is None else counts[rung][name]
    return {
        "false": counts[OWN][name],
        **_rate(Rate(counts[OWN][name], hours)),
        "enter": round(enter, 4),
        "suggested_enter": None if rung is None else round(max(enter, rung), 4),
        "at_suggested": left,
        "by_enter": {f"{rung:g}": counted[name] for rung, counted in counts.items() if rung > enter}
        if counts[OWN][name]
        else {},
    }


def _table(figures: Figures, total: Rate, left: Rate) -> Table:
    out = table(
        f"false activations in {figures['hours']:.2f} hours of {figures['of']}",
        "gesture", "false", "an hour (95 %)", "enter", "suggested", "then false",
    )  # fmt: skip
    quiet = [name for name, row in figures["gestures"].items() if not row["false"]]
    for name, row in figures["gestures"].items():
        if name in quiet:
            continue
        enter = row["suggested_enter"]
        out.add_row(
            name, str(row["false"]), _hourly(Rate(row["false"], total.hours)),
            f"{row['enter']:.2f}", "none will do" if enter is None else f"{enter:.3g}",
            str(row["at_suggested"]),
        )  # fmt: skip
    if quiet:
        out.add_row(f"each of {len(quiet)} more", "0", _hourly(Rate(0, total.hours)), "", "", "0")
    out.add_row("all", str(total.count), _hourly(total), style="bold")
    out.add_row("all, as suggested", str(left.count), _hourly(left), style="bold")
    for name, times in figures["not_judged"].items():
        out.add_row(f"({name}: not judged)", str(times), style="dim")
    return out


def _hourly(rate: Rate) -> str:
    return per_hour(rate.per_hour, rate.interval)


def _draw(figures: Figures) -> Draw:
    def draw() -> Figure:
        from matplotlib import pyplot as plt

        rows = {name: row for name, row in figures["gestures"].items() if row["false"]}
        rows["all"] = {**figures, "at_suggested": figures["suggested"]["false"]}
        figure, axes = plt.subplots(figsize=(9, 1.5 + 0.35 * len(rows)), layout="constrained")
        hours = max(figures["hours"], 1e-9)
        for i, row in enumerate(rows.values()):
            for colour, count, offset in (
                ("tab:red", row["false"], -0.15),
                ("tab:green", row["at_suggested"], 0.15),
            ):
                bounds = poisson(count)
                axes.plot([bounds.low / hours, bounds.high / hours], [i + offset] * 2, color=colour)
                axes.plot(count / hours, i + offset, "o", color=colour)
        axes.axvline(figures["target_per_hour"], color="black", linewidth=1, linestyle="--")
        axes.set_xscale("symlog", linthresh=0.1)
        axes.set_xlim(left=0)
        axes.set_yticks(range(len(rows)), list(rows))
        axes.invert_yaxis()
        axes.set_xlabel("false activations an hour, 95 %")
        axes.set_title("as the model is (red), with suggested thresholds (green), target (dashed)")
        return figure

    return draw


MEASURE = Measure(
    "hours of anything but gestures: what fires, and the thresholds that would stop it",
    add_options,
    run,
    needs_data=False,
)
