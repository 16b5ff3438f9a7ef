"""Play a recording through the engine, as fast as it goes, and print what comes out.

The very same loop as on a camera, with a sink that delivers nothing. The recording's own stamps
are the only clock, so the same recording and profile print the same bytes, every time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.table import Table

from gesturectl import daemon
from gesturectl.daemon import Control, Meters, Summary, signals
from gesturectl.engine import Step
from gesturectl.jsonl import to_line
from gesturectl.rig import Choice, open_rig
from gesturectl.types import Began, Ended
from gesturectl.view import asked, describe


def print_lines(out: TextIO) -> Callable[[int, Step, Meters], None]:
    """Return what prints a step's events and commands to `out` as JSON Lines, at once."""

    def show(t_us: int, step: Step, meters: Meters) -> None:
        items = (*step.events, *step.commands, *step.requests)
        lines = [to_line(item, step.stages) for item in items]
        if lines:
            out.write("\n".join(lines) + "\n")
            out.flush()

    return show


def replay(choice: Choice, *, as_json: bool) -> Summary:
    """Play `choice.source`, printing JSON Lines or a table to stdout.

    Raises:
        GesturectlError: something of `choice` cannot be had; the recording is damaged.
    """
    control = Control()
    rows = _Rows()
    show = print_lines(sys.stdout) if as_json else rows.note
    with open_rig(choice, realtime=False) as rig, signals(control):
        summary = daemon.run(
            rig.source,
            rig.landmarker,
            rig.engine,
            rig.sink,
            rig.ledger,
            control=control,
            reload=rig.reload,
            on_step=show,
        )
    if not as_json:
        Console().print(rows.table())
    return summary


class _Rows:
    """Gestures from beginning to end, with what was sent meanwhile."""

    def __init__(self) -> None:
        self._gestures: list[tuple[Began, Ended | None]] = []
        self._sent: list[tuple[int, str]] = []

    def note(self, t_us: int, step: Step, meters: Meters) -> None:
        for event in step.events:
            if isinstance(event, Began):
                self._gestures.append((event, None))
            elif isinstance(event, Ended):
                self._end(event)
        self._sent += [(command.t_us, f"→ {describe(command)}") for command in step.commands]
        self._sent += [(request.t_us, f"→ {asked(request)}") for request in step.requests]

    def _end(self, ended: Ended) -> None:
        for index, (began, end) in enumerate(self._gestures):
            if end is None and (began.gesture, began.side) == (ended.gesture, ended.side):
                self._gestures[index] = (began, ended)

    def table(self) -> Table:
        table = Table("from", "to", "what", "side", "confidence", box=None)
        table.columns[0].justify = table.columns[1].justify = "right"
        rows: list[tuple[int, tuple[str, ...]]] = [
            (
                began.t_us,
                (
                    _seconds(began.t_us),
                    _seconds(ended.t_us) if ended else "",
                    began.gesture,
                    began.side,
                    f"{began.confidence:.2f}",
                ),
            )
            for began, ended in self._gestures
        ]
        rows += [(t_us, (_seconds(t_us), "", words, "", "")) for t_us, words in self._sent]
        for _, row in sorted(rows, key=lambda row: row[0]):
            table.add_row(*row)
        return table


def _seconds(t_us: int) -> str:
    return f"{t_us / 1e6:.2f} s"
