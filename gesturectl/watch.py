"""`gesturectl run`: the daemon with a view for whoever watches it, and an exit code.

A few times a second it looks whether the profile was saved, or the user's own gestures learned anew
by `gesturectl teach` in another terminal, and takes that up as SIGHUP would. Beside the loop run
the threads through which `gesturectl ctl` and other programs control it, and which hears that the
screen is locked.
"""

from __future__ import annotations

import dataclasses
import logging
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from importlib.resources.abc import Traversable
from pathlib import Path

from rich.console import Console

from gesturectl import daemon, garbage, journal, own
from gesturectl.company import accompanied
from gesturectl.config import Log
from gesturectl.control import place
from gesturectl.control.server import answering
from gesturectl.control.transport import Claim
from gesturectl.daemon import Between, Control, Loop, Meters, OnStep, Summary, signals
from gesturectl.engine import Step
from gesturectl.errors import ControlError, RunningError
from gesturectl.lifecycle import in_turn, looked_after
from gesturectl.meetings import Meetings
from gesturectl.power import Power
from gesturectl.replay import print_lines
from gesturectl.rig import Choice, open_rig
from gesturectl.samples import Store
from gesturectl.sinks.unsent import Unsent
from gesturectl.sources.clock import MONOTONIC
from gesturectl.view import PlainView, open_view, silent

log = logging.getLogger(__name__)

LOOK_US = 250_000


def watch(
    choice: Choice,
    *,
    as_json: bool,
    beside: bool = False,
    quiet: bool = False,
    faces: Sequence[str] = (),
    log_to: Log | None = None,
) -> int:
    """Run until the source ends or a signal comes; return the exit code.

    `beside` is for a run that sends nothing, and so may go on beside the user's daemon. A `quiet`
    one shows no gestures: what a service prints is kept in a log for long. `faces` are shown on the
    desktop by a companion; see there. `log_to` says what is noted in the log; see `journal`.

    Raises:
        RunningError: a daemon of this user runs.
        GesturectlError: a part cannot be had, or fails on the way.
    """
    console = Console(stderr=True)
    in_lines = choice.sink == "print" and (as_json or sys.stdout.isatty())
    if in_lines:  # each command once, in its place among the gestures
        choice = dataclasses.replace(choice, sink=Unsent())
    control, store = Control(), Store.of_user()
    meetings = Meetings(choice.release_when)
    with (
        claimed(beside=beside) as claim,
        journal.opened(log_to, choice) if claim and log_to else nullcontext() as noted,
        looked_after() as life,
        open_rig(choice, realtime=True) as rig,
        answering(claim, rig) if claim else nullcontext() as desk,
        accompanied(faces if _is_controlled(claim, faces) else ()),
        garbage.frozen(),
    ):
        sink = choice.sink if isinstance(choice.sink, str) else "print"
        title = f"{rig.source.description} · {choice.profile} → {sink}"
        view = PlainView(Console(), title) if in_lines else open_view(console, title)
        show = silent if quiet else print_lines(sys.stdout) if as_json else view.show
        on_step = reloading(
            control,
            lambda: (own.stamp(store), stamps(rig.profile.files if rig.profile else ())),
            show,
        )
        with (
            signals(control),
            journal.on_disk(noted),
            nullcontext() if as_json or quiet else view,
        ):
            summary = daemon.run(
                rig.source,
                rig.landmarker,
                rig.engine,
                rig.sink,
                rig.ledger,
                control=control,
                reload=life.reloading(rig.reload),
                on_step=desk.noting(on_step) if desk else on_step,
                outside=rig.outside,
                between=in_turn(
                    life.between,
                    Power(choice.power, choice.max_cpu).between,
                    away(lambda: meetings.look(rig.windows, MONOTONIC.now_us())),
                    desk.between if desk else None,
                    noted.watching(rig).between if noted else None,
                ),
                remember=rig.remember,
                clock_us=MONOTONIC.now_us,
            )
        if noted:
            noted.stopped(summary)
    console.print(say(summary), highlight=False, soft_wrap=True)
    return exit_code(summary)


def away(look: Callable[[], str | None]) -> Between:
    """Return what sees between two frames who is to have the camera."""

    def between(loop: Loop) -> None:
        loop.control.away = look()

    return between


def _is_controlled(claim: Claim | None, faces: Sequence[str]) -> bool:
    """Whether the companion will find this run; it talks to it as `gesturectl ctl` does."""
    if claim is None and faces:
        log.warning("no %s: it would have to talk to this run", ", no ".join(faces))
    return claim is not None


@contextmanager
def claimed(*, beside: bool) -> Iterator[Claim | None]:
    """Become the one daemon of this user; give None where nobody will be able to control it.

    Gestures are worth having without control, too. Only a second one that sends is refused.

    Raises:
        RunningError: a daemon runs, and this run would not stay `beside` it in silence.
    """
    with ExitStack() as stack:
        claim: Claim | None = None
        try:
            claim = stack.enter_context(place.claim())
        except RunningError as error:
            if not beside:
                raise
            log.info("`gesturectl ctl` talks to the one that runs already: pid %s", error.pid)
        except ControlError as error:
            log.warning("`gesturectl ctl` cannot talk to this run: %s", error)
        yield claim


def reloading(control: Control, stamp: Callable[[], object], on_step: OnStep) -> OnStep:
    """Return what asks to reload when `stamp` gives another value, and calls `on_step`.

    A value must have lasted from one look to the next: editors write in several steps.
    """
    known = before = stamp()
    looked_us = 0

    def note(t_us: int, step: Step, meters: Meters) -> None:
        nonlocal known, before, looked_us
        if abs(t_us - looked_us) >= LOOK_US:
            looked_us = t_us
            found = stamp()
            if found != known and found == before:
                known = found
                control.reload = True
            before = found
        on_step(t_us, step, meters)

    return note


def stamps(files: Iterable[Traversable]) -> tuple[tuple[int, int, int] | None, ...]:
    """Return what tells apart the versions of files, saved in place or by renaming another."""
    found: list[tuple[int, int, int] | None] = []
    for file in files:
        try:
            told = file.stat() if isinstance(file, Path) else None
        except OSError:  # on its way from one version to the next
            told = None
        found.append((told.st_mtime_ns, told.st_size, told.st_ino) if told else None)
    return tuple(found)


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
