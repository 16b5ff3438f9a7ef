"""What a person sees while the daemon runs: gesture, confidence, command, frame rate, latency.

`LiveView` redraws a small panel in place on a terminal. `PlainView` prints a line for each gesture
that begins, with what was sent for it, and no control codes: for pipes, logs and screen readers.
Both are told of every frame and draw at the pace of the frames' own stamps.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text as Words

from gesturectl.daemon import Meters
from gesturectl.engine import InControl, Step
from gesturectl.jsonl import to_json
from gesturectl.types import Began, Command, Controls, Entered, HandOver, Notice, UseProfile

REDRAW_US = 100_000  # ten times a second: faster flickers on slow terminals and costs the loop
ROWS = 3  # gestures shown at once: both hands and the body
BAR_WIDTH = 28


class View(Protocol):
    """Shows steps to a person."""

    def show(self, t_us: int, step: Step, meters: Meters) -> None:
        """Take note of one frame."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def open_view(console: Console, title: str) -> View:
    """Return the view that suits this console."""
    return LiveView(console, title) if console.is_terminal else PlainView(console, title)


def silent(t_us: int, step: Step, meters: Meters) -> None:
    """Show nothing."""


def describe(command: Command) -> str:
    """Say a command in a few words: ``key_down Right``."""
    fields = to_json(command)
    words = [str(fields.pop("command"))]
    del fields["t_us"], fields["type"]
    words += [
        " ".join(map(str, value)) if isinstance(value, list) else str(value)
        for value in fields.values()
    ]
    return " ".join(words)


def asked(request: Notice) -> str:
    """Say in a few words what counts from now on: ``mode volume``."""
    match request:
        case Entered(mode=mode):
            return f"mode {mode}"
        case UseProfile(name=name):
            return f"profile {name}"
        case HandOver():
            return "control is handed over"
        case Controls(person=None):
            return "nobody controls"
        case Controls(person=person):
            return f"person {person} controls"


def who_controls(control: InControl | None) -> str:
    """Say who controls of those in view, where several people may."""
    if control is None:
        return ""
    who = "nobody" if control.person is None else f"person {control.person}"
    return f"  {who} of {control.people} controls"


class PlainView:
    """One line for each gesture that begins, one for each command."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._start_us: int | None = None
        self._advice: str | None = None

    def show(self, t_us: int, step: Step, meters: Meters) -> None:
        if self._start_us is None:
            self._start_us = t_us
        seconds = (t_us - self._start_us) / 1e6
        if meters.advice != self._advice:
            self._advice = meters.advice
            if meters.advice is not None:
                self._say(f"{seconds:7.2f} s  {meters.advice}")
        for event in step.events:
            if isinstance(event, Began):
                self._say(
                    f"{seconds:7.2f} s  {event.gesture} ({event.side}, {event.confidence:.2f})"
                )
        for command in step.commands:
            self._say(f"{seconds:7.2f} s    → {describe(command)}")
        for request in step.requests:
            self._say(f"{seconds:7.2f} s  {asked(request)}")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._say(self._title)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass


class LiveView:
    """A panel redrawn in place."""

    def __init__(self, console: Console, title: str) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._title = title
        self._start_us: int | None = None
        self._drawn_us = 0
        self._last_gesture = ""
        self._last_commands = ""
        self._asked = ""

    def show(self, t_us: int, step: Step, meters: Meters) -> None:
        if self._start_us is None:
            self._start_us = t_us
        for event in step.events:
            if isinstance(event, Began):
                seconds = (event.t_us - self._start_us) / 1e6
                self._last_gesture = f"{seconds:.1f} s  {event.gesture} ({event.side})"
                self._last_commands = ""
        if step.requests:
            self._asked = f" · {asked(step.requests[-1])}"
        if step.commands:
            self._last_commands = ", ".join(describe(command) for command in step.commands)
        if t_us - self._drawn_us >= REDRAW_US:
            self._drawn_us = t_us
            self._live.update(self._panel(step, meters), refresh=True)

    def _panel(self, step: Step, meters: Meters) -> RenderableType:
        rows = Table.grid(padding=(0, 1))
        rows.add_column(width=12)
        rows.add_column(width=6)
        rows.add_column(width=BAR_WIDTH)
        rows.add_column(width=6)
        shown = sorted(step.candidates, key=lambda candidate: -candidate.p)[:ROWS]
        for candidate in shown:
            style = "green" if candidate.active else "yellow" if candidate.p > 0.5 else "dim"
            rows.add_row(
                Words(candidate.gesture, style=style),
                Words(candidate.subject, style="dim"),
                ProgressBar(
                    total=1.0, completed=candidate.p, width=BAR_WIDTH, complete_style=style
                ),
                f"{candidate.p:.2f}{' ●' if candidate.active else ''}",
            )
        for _ in range(ROWS - len(shown)):  # a panel of constant height does not jump
            rows.add_row("", "", "", "")
        last = Words.assemble(
            ("last   ", "dim"), self._last_gesture, ("  →  ", "dim"), self._last_commands
        )
        costs = "  ".join(
            f"{stage} {spread.median_ms:.1f}" for stage, spread in meters.spread().items()
        )
        costs += " ms" if costs else ""
        who = who_controls(step.control)
        if meters.advice is not None:
            last = Words(meters.advice, style="yellow")
        figures = Words(f"{meters.rate_hz:.1f} fps  {costs}{who}", style="dim")
        return Panel(
            Group(rows, last, figures),
            title=Words(self._title + self._asked),
            title_align="left",
            expand=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()
