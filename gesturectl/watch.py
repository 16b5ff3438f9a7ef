"""`gesturectl run`: the daemon with a view for whoever watches it, and an exit code.

Once a second it looks whether the user's own gestures were learned anew, by `gesturectl teach` in
another terminal, say, and takes them up as SIGHUP would.
"""

from __future__ import annotations

import dataclasses
import signal
import sys
from contextlib import nullcontext

from rich.console import Console

from gesturectl import daemon, own
from gesturectl.daemon import Control, Meters, OnStep, Summary, signals
from gesturectl.engine import Step
from gesturectl.replay import print_lines
from gesturectl.rig import Choice, open_rig
from gesturectl.samples import Store
from gesturectl.sinks.unsent import Unsent
from gesturectl.sources.clock import MONOTONIC
from gesturectl.view import PlainView, open_view

LOOK_US = 1_000_000


def watch(choice: Choice, *, as_json: bool) -> int:
    """Run until the source ends or a signal comes; return the exit code.

    Raises:
        GesturectlError: a part cannot be had, or fails on the way.
    """
    console = Console(stderr=True)
    in_lines = choice.sink == "print" and (as_json or sys.stdout.isatty())
    if in_lines:  # each command once, in its place among the gestures
        choice = dataclasses.replace(choice, sink=Unsent())
    control = Control()
    with open_rig(choice, realtime=True) as rig:
        sink = choice.sink if isinstance(choice.sink, str) else "print"
        title = f"{rig.source.description} · {choice.profile} → {sink}"
        view = PlainView(Console(), title) if in_lines else open_view(console, title)
        with signals(control), nullcontext() if as_json else view:
            summary = daemon.run(
                rig.source,
                rig.landmarker,
                rig.engine,
                rig.sink,
                rig.ledger,
                control=control,
                reload=rig.reload,
                on_step=reloading(
                    control, Store.of_user(), print_lines(sys.stdout) if as_json else view.show
                ),
                remember=rig.remember,
                clock_us=MONOTONIC.now_us,
            )
    console.print(say(summary), highlight=False, soft_wrap=True)
    return exit_code(summary)


def reloading(control: Control, store: Store, on_step: OnStep) -> OnStep:
    """Return what asks to reload when own gestures were learned anew, and calls `on_step`."""
    known = before = own.stamp(store)
    looked_us = 0

    def note(t_us: int, step: Step, meters: Meters) -> None:
        nonlocal known, before, looked_us
        if abs(t_us - looked_us) >= LOOK_US:
            looked_us = t_us
            found = own.stamp(store)
            if found != known and found == before:  # for a second, so whole by now
                known = found
                control.reload = True
            before = found
        on_step(t_us, step, meters)

    return note


def say(summary: Summary) -> str:
    """Return one line about a run."""
    costs = "".join(
        f", {stage} {spread.median_ms:.1f} ms" for stage, spread in summary.stages.items()
    )
    return (
        f"{summary.reason}: {summary.frames} frames at {summary.rate_hz:.1f} fps{costs}; "
        f"{summary.events} gesture events, {summary.commands} commands; nothing is held"
    )


def exit_code(summary: Summary) -> int:
    """Return 130 after Ctrl-C; SIGTERM is how services are stopped, and all went well."""
    return 128 + signal.SIGINT if summary.signal == signal.SIGINT else 0
