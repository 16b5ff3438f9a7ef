"""`gesturectl demo`: the real daemon on a drawn person, with the truth beside what it made of it.

Real landmark models, real recogniser, a shipped profile, real time: only the camera is a puppet.
The profile starts asleep, so the puppet begins with what wakes it. Gestures that the profile does
not listen for once it is awake are not counted: an open hand is seen before every swipe, and
rightly so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import cycle
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gesturectl import daemon, profile
from gesturectl.bundles import Progress
from gesturectl.catalog import catalog
from gesturectl.config import AUTO
from gesturectl.daemon import Control, Meters, Summary, signals
from gesturectl.engine import Step
from gesturectl.errors import UsageError
from gesturectl.rig import Choice, open_rig
from gesturectl.rules import ACTIVE, Profile
from gesturectl.score import Acted, Score, score
from gesturectl.sinks import default_sink
from gesturectl.sinks.unsent import Unsent
from gesturectl.sources.clock import MONOTONIC
from gesturectl.sources.puppet import Puppet
from gesturectl.sources.puppet.scene import plan
from gesturectl.sources.puppet.script import parse
from gesturectl.types import Began
from gesturectl.view import PlainView, View, open_view
from gesturectl.watch import exit_code, say

PROFILE = "slides"
POSE_S = 2.0  # longer than any `hold_for` of the profile, so that every gesture has its command
DISTRACTORS = ("scratch_head", "drink", "fidget")  # after each round: these must do nothing


def demo(
    *,
    send: bool,
    seconds: float,
    as_json: bool,
    hand_model: Path | None = None,
    estimator: str = AUTO,
    pose_model: Path | None = None,
    progress: Progress | None = None,
) -> int:
    """Run the demo; print a live view and a table, or JSON. Return the exit code.

    Raises:
        GesturectlError: a part cannot be had; with `send`, keys cannot be sent here.
    """
    chosen = profile.load(PROFILE)
    listened = heard_in(chosen, ACTIVE)
    script = script_for(listened, seconds, first=heard_in(chosen, chosen.initial) - listened)
    sink = default_sink() if send else Unsent()
    choice = Choice(
        source=f"puppet:{script}",
        profile=PROFILE,
        sink=sink,
        own=False,  # the puppet acts what is shipped
        hand_model=hand_model,
        estimator=estimator,
        pose_model=pose_model,
        progress=progress,
    )
    console = Console(stderr=as_json)
    heard: list[Began] = []
    control = Control()
    with open_rig(choice, realtime=True) as rig:
        puppet = rig.source
        if not isinstance(puppet, Puppet):
            raise UsageError("the source `puppet` is not ours: a package has replaced it")
        where = sink if isinstance(sink, str) else "a dry run: nothing is sent"
        title = f"puppet · {PROFILE} → {where}"
        view: View = PlainView(console, title) if as_json else open_view(console, title)

        def note(t_us: int, step: Step, meters: Meters) -> None:
            heard.extend(
                event
                for event in step.events
                if isinstance(event, Began) and event.gesture in listened
            )
            if not as_json:
                view.show(t_us, step, meters)

        with signals(control), view:
            summary = daemon.run(
                puppet,
                rig.landmarker,
                rig.engine,
                rig.sink,
                rig.ledger,
                control=control,
                on_step=note,
                clock_us=MONOTONIC.now_us,
            )
        acts = [
            Acted(act.gesture, act.start_us + puppet.offset_us, act.end_us + puppet.offset_us)
            for act in puppet.truth
            if act.gesture in listened
        ]
    scores = score(acts, heard, catalog())
    if as_json:
        print(json.dumps(_as_json(script, scores, summary, sent=send), indent=2))
    else:
        console.print(_table(scores))
        console.print(say(summary), highlight=False, soft_wrap=True)
        if not send:
            console.print("Nothing was sent; `gesturectl demo --send` sends the keys for real.")
    return exit_code(summary)


def heard_in(chosen: Profile, mode: str) -> frozenset[str]:
    """Return the gestures that count in a mode, in whatever window: heard, or asked for beside."""
    windows = (None, *range(len(chosen.applications)))
    heard = {index for window in windows for index in chosen.order(mode, window)}
    bindings = [chosen.bindings[index] for index in heard]
    names = {name for binding in bindings for name in binding.gestures}
    names |= {one.name for binding in bindings for one in binding.require}
    return frozenset(names & chosen.known.keys())


def script_for(
    gestures: frozenset[str], seconds: float, first: frozenset[str] = frozenset()
) -> str:
    """Return a puppet script that acts `first`, then these gestures in turn, about so long."""
    words = _acted(first)
    for word in _rounds(_acted(gestures)):
        longer = ",".join([*words, word])
        if len(words) > len(first) and plan(parse(longer)).duration_us > seconds * 1e6:
            break
        words.append(word)
    return ",".join(words)


def _acted(gestures: frozenset[str]) -> list[str]:
    """Return the words for these gestures: strokes first, then poses."""
    known = [row for row in catalog().values() if row.name in gestures]
    acted = [row.name for row in known if row.kind == "motion"]
    return acted + [f"{row.name}:{POSE_S}s" for row in known if row.kind == "pose"]


def _rounds(gestures: list[str]) -> Iterator[str]:
    for distractor in cycle(DISTRACTORS):
        yield from gestures
        yield distractor


def _table(scores: tuple[Score, ...]) -> Table:
    table = Table("gesture", "acted", "recognised", "missed", "false", "latency", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in scores:
        latency = "" if row.latency_us is None else f"{row.latency_us / 1000:+.0f} ms"
        counts = (row.acted, row.recognised, row.missed, row.false)
        table.add_row(row.gesture, *map(str, counts), latency)
    table.add_section()
    counted = [(row.acted, row.recognised, row.missed, row.false) for row in scores]
    columns = zip(*counted, strict=True)
    table.add_row("all", *(str(sum(column)) for column in columns), style="bold")
    return table


def _as_json(
    script: str, scores: tuple[Score, ...], summary: Summary, *, sent: bool
) -> dict[str, object]:
    return {
        "profile": PROFILE,
        "script": script,
        "sent": sent,
        "gestures": [{**asdict(row), "missed": row.missed} for row in scores],
        "run": asdict(summary),
    }
