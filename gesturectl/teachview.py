"""What somebody who teaches a gesture sees: themselves drawn with dots, what to do now, the takes.

`LivePanel` redraws a panel in place on a terminal; what is to stay is printed above it.
`PlainLines` prints what is to stay, and each new thing to do, and no control codes: for pipes, logs
and screen readers. Both are told of every frame and draw at the pace of the frames' own stamps.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.text import Text

from gesturectl.sketch import sketch
from gesturectl.types import Observation

REDRAW_US: Final = 66_000  # fifteen times a second: a hand's own movement is to be seen
COLUMNS, ROWS = 52, 15
AROUND: Final = 8  # lines of the panel that are no picture, and of what was said last

Tone = Literal["plain", "wait", "go", "good", "bad"]
STYLES: Final[dict[Tone, str]] = {
    "plain": "",
    "wait": "bold yellow",
    "go": "bold green",
    "good": "green",
    "bad": "red",
}


@dataclass(frozen=True, slots=True)
class Status:
    """Where a lesson is: what to do now, how many seconds of it are left, how much is done.

    `done` and `wanted` are takes, or seconds with `in_seconds`; `wanted` None where it is open.
    """

    prompt: str
    tone: Tone = "plain"
    count_s: int | None = None
    done: float = 0
    wanted: float | None = None
    in_seconds: bool = False


class Screen(Protocol):
    """Shows a lesson to a person."""

    def show(self, observation: Observation, status: Status) -> None:
        """Take note of one frame."""
        ...

    def say(self, line: str, tone: Tone = "plain") -> None:
        """Say something that stays."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def open_screen(console: Console, title: str) -> Screen:
    """Return the screen that suits this console."""
    return LivePanel(console, title) if console.is_terminal else PlainLines(console, title)


class PlainLines:
    """A line for each new thing to do, and for all that stays."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._prompt = ""

    def show(self, observation: Observation, status: Status) -> None:
        if status.tone in ("wait", "go") and status.prompt != self._prompt:
            self._prompt = status.prompt
            seconds = f" ({status.count_s} s)" if status.count_s else ""
            self.say(status.prompt + seconds)

    def say(self, line: str, tone: Tone = "plain") -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self.say(self._title)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass


class LivePanel:
    """A panel redrawn in place; the bell rings when it is time to begin."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._title = title
        self._drawn_us: int | None = None
        self._tone: Tone = "plain"

    def show(self, observation: Observation, status: Status) -> None:
        changed = status.tone != self._tone
        if changed and status.tone == "go":
            self._console.bell()
        self._tone = status.tone
        since = None if self._drawn_us is None else observation.t_us - self._drawn_us
        if changed or since is None or since >= REDRAW_US or since < 0:
            self._drawn_us = observation.t_us
            self._live.update(self._panel(observation, status), refresh=True)

    def say(self, line: str, tone: Tone = "plain") -> None:
        self._live.console.print(Text(line, style=STYLES[tone]), soft_wrap=True)

    def _panel(self, observation: Observation, status: Status) -> RenderableType:
        columns = max(min(COLUMNS, self._console.width - 4), 1)
        rows = max(min(ROWS, self._console.height - AROUND), 1)
        prompt = Text(status.prompt, style=STYLES[status.tone])
        if status.count_s:
            prompt.append(f"  {status.count_s}")
        return Panel(
            Group(
                Text("\n".join(sketch(observation, columns, rows)), style="cyan"),
                prompt,
                _seen(observation),
                _progress(status, columns),
            ),
            title=Text(self._title),
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


def _seen(observation: Observation) -> Text:
    """Say what is seen: `right hand 97 %, body`."""
    words = [f"{hand.side} hand {100 * hand.score:.0f} %" for hand in observation.hands]
    words += ["body"] * bool(observation.bodies)
    return Text("sees " + (", ".join(words) or "nobody"), style="dim")


def _progress(status: Status, columns: int) -> RenderableType:
    if status.in_seconds:
        return ProgressBar(
            total=status.wanted, completed=status.done, width=columns, complete_style="green"
        )
    kept, wanted = round(status.done), round(status.wanted or status.done)
    return Text.assemble(
        (f"{kept} of {wanted} takes  " if status.wanted else f"{kept} takes  ", ""),
        ("● " * kept, "green"),
        ("○ " * max(wanted - kept, 0), "dim"),
    )
