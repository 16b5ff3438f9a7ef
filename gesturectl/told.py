"""What a person is told of their own gestures: what was learned, what is expected, what to do.

In words, on the screen of a lesson; programs get the same as JSON from `teach` itself.
"""

from __future__ import annotations

import json
import math
import sys
import time
from typing import Final

from gesturectl import rates, teach
from gesturectl.catalog import catalog
from gesturectl.inspect import print_table
from gesturectl.teach import Corrected, Known, Ordinary, Report, Row
from gesturectl.teachview import Screen

LEAST_RECALLED: Final = 0.8
OFTEN_PER_HOUR: Final = 0.2  # what thresholds are set for, where the takes allow it
LITTLE_S: Final = 300.0  # of ordinary behaviour


def per_hour(rate: float) -> str:
    """Say a rate as a person would: `0.08`, `1.2`, `15`."""
    if math.isinf(rate):
        return "any number"
    if 0 < rate < 0.005:
        return "<0.01"
    return f"{rate:.2f}" if rate < 1 else f"{rate:.1f}" if rate < 10 else f"{rate:.0f}"


def say_report(report: Report, screen: Screen) -> None:
    """Tell a person what a lesson came to."""
    name = report.gesture
    for problem in report.problems:
        screen.say(problem, "bad")
    if not report.learned or report.row is None:
        screen.say(
            f"{name} is not learned yet: {report.takes} takes are kept; "
            f"`gesturectl teach {name}` goes on from there", "wait",
        )  # fmt: skip
        return
    row = report.row
    what = "a pose" if row.kind == "pose" else "a motion"
    screen.say(f"{name} is learned: {what} of {_seen_by(row)}, from {report.takes} takes.", "good")
    recalled = row.recalled or 0
    screen.say(
        f"  recognised   {recalled} of {row.takes} takes, each judged by what the others taught",
        "plain" if recalled >= LEAST_RECALLED * row.takes else "bad",
    )
    if row.false_per_hour is not None and row.false_interval is not None:
        low, high = row.false_interval
        screen.say(
            f"  by mistake   {per_hour(row.false_per_hour)} times an hour expected "
            f"(95 %: {per_hour(low)} to {per_hour(high)})"
        )
    for line, tone in advice(report):
        screen.say(f"  {line}", "bad" if tone else "plain")
    screen.say("Bind it in a profile, and try it:")
    screen.say(f"  - {{gesture: {name}, do: {{key: Right}}}}")
    screen.say("  gesturectl run --dry-run --profile mine.yaml")


def advice(report: Report) -> list[tuple[str, bool]]:
    """Return what else is to be known of a gesture; with True where it is a warning."""
    row = report.row
    if row is None:
        return []
    said = []
    for shipped in report.collides:
        count = report.shipped[shipped]
        said.append((
            f"collides     with the shipped {shipped}, which is heard in {count} of {report.takes} "
            f"takes as well: bind only one of the two", True,
        ))  # fmt: skip
    if taken := [name for name in report.taken if name not in report.collides]:
        names = ", ".join(taken)
        said.append((
            f"collides     with the shipped {names}: whoever makes it is taken to make yours. Bind "
            "only one of them, or teach it with another shape of the hand", True,
        ))  # fmt: skip
    if row.nearest is not None:
        said.append((
            f"collides     with your own {row.nearest}: takes of it are taken for that; make them "
            "more different, or teach more takes", True,
        ))  # fmt: skip
    if (row.recalled or 0) < LEAST_RECALLED * row.takes:
        said.append(("few          are recognised: more takes help, or a clearer gesture", True))
    if (row.background_s or 0) < LITTLE_S:
        said.append((
            "background   what you ordinarily do is hardly known: `gesturectl background` makes "
            "mistakes rarer", False,
        ))  # fmt: skip
    elif (row.false_per_hour or 0) > OFTEN_PER_HOUR:
        said.append((
            "mistakes     are expected too often: a gesture less like what you do anyway, and "
            "more background, make them rarer", True,
        ))  # fmt: skip
    return said


def say_ordinary(ordinary: Ordinary, screen: Screen) -> None:
    """Tell a person what was recorded, what it shows, and what it cannot show."""
    for problem in ordinary.problems:
        screen.say(problem, "bad")
    hours = ordinary.recorded_s / 3600
    screen.say(
        f"{_minutes(ordinary.recorded_s)} recorded, with somebody in view for "
        f"{_minutes(ordinary.somebody_s)}; {_minutes(ordinary.kept_s)} are kept in all.", "good",
    )  # fmt: skip
    own_names = {row.gesture for row in ordinary.rows}
    for name, count in ordinary.heard.items():
        low, high = rates.interval(count, hours)
        whose = "your own" if name in own_names else "shipped"
        screen.say(
            f"  {name} ({whose}) was heard {count} times while nobody made it: "
            f"{per_hour(count / hours)} an hour ({per_hour(low)} to {per_hour(high)})", "bad",
        )  # fmt: skip
    learned = [row for row in ordinary.rows if row.false_per_hour is not None]
    for row in learned:
        low, high = row.false_interval or (0.0, 0.0)
        screen.say(
            f"  {row.gesture}: {row.recalled} of {row.takes} takes recognised; from now on "
            f"{per_hour(row.false_per_hour or 0)} mistakes an hour expected "
            f"({per_hour(low)} to {per_hour(high)})",
            "bad" if (row.false_per_hour or 0) > OFTEN_PER_HOUR else "plain",
        )
    shown = rates.interval(0, ordinary.kept_s / 3600)[1]
    screen.say(
        f"What this can promise: what is never heard in {_minutes(ordinary.kept_s)} may still come "
        f"up to {per_hour(shown)} times an hour (95 %). That it stays below 0.2 an hour, only 15 "
        "hours would show; what is expected goes by what was almost taken for a gesture."
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"


def say_shipped_wrong(name: str) -> str:
    """Say what can be done about a shipped gesture that is heard by mistake."""
    kind = catalog()[name].kind if name in catalog() else "pose"
    longer = f"\n  - {{gesture: {name}, hold_for: 1s, do: …}}   a hold is rarer than a moment"
    return (
        f"{name} is a shipped gesture: it is not learned on this machine, so a mistake cannot be "
        f"unlearned here. What helps, in your profile:\n"
        f"  - {{gesture: {name}, confidence: 0.95, do: …}}   only when it is sure; try up to 0.99"
        f"{longer if kind == 'pose' else ''}\n"
        "or bind another gesture, or one of your own (`gesturectl teach NAME`)."
    )


def mistakes(count: int) -> str:
    """Say how many mistakes are known."""
    return "1 mistake is known" if count == 1 else f"{count} mistakes are known"


def say_corrected(corrected: Corrected, screen: Screen) -> None:
    """Tell a person what their correction has changed."""
    name, before, after = corrected.gesture, corrected.before, corrected.after
    screen.say(f"noted: that was no {name}; {mistakes(corrected.mistakes)}", "good")
    if after is None or after.recalled is None:
        return
    screen.say(
        f"  {name}: {per_hour(after.false_per_hour or 0)} an hour expected by mistake, "
        f"{after.recalled} of {after.takes} takes recognised"
    )
    if before is not None and before.recalled is not None and after.recalled < before.recalled:
        screen.say(
            f"  before, {before.recalled} were: what was called wrong looks like the gesture "
            "itself. `gesturectl wrong --undo` takes it back",
            "bad",
        )


# --- gestures -----------------------------------------------------------------------------------


def print_gestures(known: Known, *, as_json: bool) -> None:
    """Print all own gestures, for people or as JSON, and on stderr what is wrong with them."""
    for problem in known.problems:
        print(problem, file=sys.stderr)
    if as_json:
        print(json.dumps([teach.as_json(row) for row in known.rows], indent=2))
    elif not known.rows:
        print("there are no gestures of your own; `gesturectl teach NAME` begins")
    else:
        print_table([_listed(row) for row in known.rows])
        print(
            f"learned with {_minutes(known.background_s)} of your ordinary behaviour; "
            f"{mistakes(known.mistakes)}"
        )


def _listed(row: Row) -> dict[str, object]:
    learned = row.recalled is not None
    low, high = row.false_interval or (0.0, 0.0)
    rate = f"{per_hour(row.false_per_hour or 0.0)} ({per_hour(low)} to {per_hour(high)})"
    return {
        "gesture": row.gesture,
        "state": row.state,
        "kind": row.kind or "",
        "seen by": _seen_by(row),
        "takes": str(row.takes) if learned else f"{row.takes} of {row.wanted}",
        "recognised": f"{row.recalled} of {row.takes}" if learned else "",
        "by mistake, per hour": rate if learned else "",
        "most like": row.nearest or "",
    }


def _seen_by(row: Row) -> str:
    words = {0: "", 1: "one hand", 2: "both hands"}[row.hands or 0]
    return " and ".join(filter(None, [words, "the body" if "body" in row.seen_by else ""]))


def ago(at_s: float) -> str:
    """Say how long ago a file's time is."""
    seconds = max(time.time() - at_s, 0.0)
    if seconds < 60:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 3600 else f"{seconds / 3600:.0f} h ago"
