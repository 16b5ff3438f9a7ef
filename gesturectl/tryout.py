"""`simulate` and `explain`: what a profile would do, with no camera, and nothing sent."""

from __future__ import annotations

import json
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from gesturectl import own, profile
from gesturectl.config import Config
from gesturectl.errors import UsageError
from gesturectl.explain import Moment, Verdict, explain
from gesturectl.fields import advise
from gesturectl.jsonl import to_line
from gesturectl.rules import Profile
from gesturectl.simulate import simulate
from gesturectl.sinks.print import plain_line
from gesturectl.types import Entered, HandOver, Left, Point, UseProfile

WIDE = 120


def play(name: str, script: str, settings: Config, *, as_json: bool) -> None:
    """Print what a script makes a profile do.

    Raises:
        ProfileError: the profile has problems.
        UsageError: a word of the script means nothing.
    """
    for one in simulate(_load(name, settings), script):
        match one:
            case Point(what=what, side=side, on=on):
                words = f"{one.t_us / 1e6:9.3f} s  pointer  {what} {side} {'on' if on else 'off'}"
                fields = {"t_us": one.t_us, "type": "pointer", "what": what, "side": side, "on": on}
                print(json.dumps(fields) if as_json else words)
            case Entered(mode=mode):
                print(to_line(one) if as_json else f"{one.t_us / 1e6:9.3f} s  mode     {mode}")
            case UseProfile(name=other):
                print(to_line(one) if as_json else f"{one.t_us / 1e6:9.3f} s  profile  {other}")
            case HandOver():
                print(to_line(one) if as_json else f"{one.t_us / 1e6:9.3f} s  hand over")
            case Left():
                pass
            case _:
                print(to_line(one) if as_json else plain_line(one))


def why(name: str, moment: Moment, gesture: str | None, settings: Config, *, as_json: bool) -> None:
    """Print which bindings of a gesture, or of each, would act at a moment, and why the others not.

    Raises:
        ProfileError: the profile has problems.
        UsageError: it has no such mode, or does not listen to that gesture.
    """
    chosen = _load(name, settings)
    if moment.mode not in chosen.modes:
        known = advise(moment.mode, chosen.modes)
        raise UsageError(f"profile {name} has no mode {moment.mode!r}; {known}")
    if gesture is not None and gesture not in chosen.by_gesture:
        known = advise(gesture, chosen.by_gesture)
        raise UsageError(f"profile {name} does not listen to {gesture!r}; {known}")
    rows = [
        (one, verdict)
        for one in ([gesture] if gesture else chosen.by_gesture)
        for verdict in explain(chosen, _at(moment, one, chosen))
    ]
    if as_json:
        print(json.dumps([_row(one, verdict) for one, verdict in rows], indent=2))
        return
    table = Table("line", "gesture", "does", "verdict", box=None)
    table.columns[0].justify = "right"
    for one, verdict in rows:
        binding = verdict.binding
        mark = "[green]✓[/green] " if verdict.acts else "[dim]·[/dim] "
        table.add_row(str(binding.line), one, _does(verdict), f"{mark}{verdict.why}")
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, WIDE)
    console.print(table)


def _at(moment: Moment, gesture: str, chosen: Profile) -> Moment:
    row = chosen.known.get(gesture)
    by_body = gesture.startswith("chord:") or (row is not None and "hand" not in row.seen_by)
    return replace(moment, gesture=gesture, side="body" if by_body else moment.side)


def _does(verdict: Verdict) -> str:
    binding = verdict.binding
    names = [f"{action.name} {_words(action.value)}" for action in binding.all_actions]
    return ", then ".join(names) or "lets go of everything"


def _words(value: object) -> str:
    match value:
        case tuple():
            return "+".join(map(str, value))
        case _:
            return str(value)


def _row(gesture: str, verdict: Verdict) -> dict[str, object]:
    binding = verdict.binding
    return {
        "gesture": gesture,
        "file": binding.filename,
        "line": binding.line,
        "acts": verdict.acts,
        "why": verdict.why,
    }


def _load(name: str, settings: Config) -> Profile:
    return profile.load(
        name,
        extra=own.load().gestures,
        allow_run=settings.allow_run,
        allow_hosts=settings.allow_hosts,
    )
