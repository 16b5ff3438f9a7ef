"""`gesturectl ctl`: a program of the user's talks to the daemon that runs.

One connection, one question, one answer, in words or as JSON; `events --follow` stays on the line.
Imports no part of the daemon, so that it answers at once.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from gesturectl.control import place, wire
from gesturectl.control.wire import ASKS, PROTOCOL, Lines, Value
from gesturectl.errors import ControlError, UsageError

TIMEOUT_S: Final = 10.0  # starting with a cold disk takes seconds
READ_BYTES: Final = 65_536
MAX_ROW_BYTES: Final = 1 << 22  # all that is wrong with a profile of a megabyte


class Caller:
    """A connection to the daemon of this user.

    Raises:
        ControlError: none runs, it does not answer, or it speaks another protocol.
    """

    def __init__(self, where: Path | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._line = place.connect(where, timeout_s=timeout_s)
        self._lines = Lines(MAX_ROW_BYTES)
        self.pid: int | None = None
        try:
            hello = next(self._rows(), {})
            if hello.get("type") != "hello" or hello.get("protocol") != PROTOCOL:
                version = hello.get("gesturectl", "unknown")
                raise ControlError(
                    f"the gesturectl that runs (version {version}) speaks another protocol; "
                    "end it, and start this one"
                )
        except BaseException:
            self._line.close()
            raise
        self.pid = hello["pid"]

    def ask(self, ask: str, value: Value = None) -> dict[str, Any]:
        """Ask one thing; return the answer without its frame.

        Raises:
            ControlError: it is refused, or nobody answers.
        """
        try:
            self._line.sendall(wire.asking(ask, value))
        except OSError as error:
            raise ControlError(f"the daemon hung up: {error.strerror or error}") from error
        for row in self._rows():
            if row.get("type") == "answer":
                if not row["ok"]:
                    raise ControlError(row["error"])
                return {name: value for name, value in row.items() if name not in _FRAME}
        raise ControlError("the daemon ended before it answered")

    def follow(self) -> Iterator[dict[str, Any]]:
        """Yield all that happens, after `ask("events", True)`, until the daemon ends."""
        self._line.settimeout(None)
        return self._rows()

    def _rows(self) -> Iterator[dict[str, Any]]:
        while True:
            while (line := self._lines.take()) is not None:
                try:
                    yield wire.decode(line)
                except ValueError as error:
                    raise ControlError(f"the daemon said what is not understood: {error}") from None
            try:
                data = self._line.recv(READ_BYTES)
            except TimeoutError:
                who = "gesturectl" if self.pid is None else f"gesturectl (pid {self.pid})"
                raise ControlError(
                    f"{who} runs, but does not answer: it is starting, or it hangs; "
                    "if it hangs, end it with `kill`"
                ) from None
            except OSError:
                return
            if not data:
                return
            self._lines.add(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._line.close()


_FRAME: Final = ("type", "id", "ok")
FOLLOWED: Final = ("events", "show")


def ctl(do: str, what: str | None, *, follow: bool, as_json: bool) -> int:
    """Ask the daemon one thing and print the answer; return the exit code.

    Raises:
        UsageError: `what` is missing, or there is nothing that it could mean.
        ControlError: no daemon runs, or it refuses.
    """
    value = _value(do, what, follow=follow)
    with Caller() as caller:
        answer = caller.ask(do, value)
        if do in FOLLOWED:
            return _print_rows(caller, answer, follow=follow)
        if do == "quit" and caller.pid is not None:
            _wait_for_end(caller.pid)
        if as_json:
            print(json.dumps({"pid": caller.pid, **answer}, indent=2, ensure_ascii=False))
        elif do == "status":
            _print_status(answer)
        else:
            print(_says(do, what, answer, caller.pid))
    return 0


def _value(do: str, what: str | None, *, follow: bool) -> Value:
    if follow and do not in FOLLOWED:
        raise UsageError(f"--follow belongs to `events` and `show`, not to `{do}`")
    wanted = do not in FOLLOWED and ASKS[do].argument is not None
    if what is None and wanted:
        example = {"mode": "active", "profile": "slides", "do": "'{key: Right}'"}[do]
        raise UsageError(f"`ctl {do}` wants to know which: gesturectl ctl {do} {example}")
    if what is not None and not wanted:
        raise UsageError(f"`ctl {do}` takes nothing more, not {what!r}")
    if do in FOLLOWED:
        return follow or None
    if do == "profile" and what is not None and Path(what).suffix in (".yaml", ".yml"):
        return str(Path(what).expanduser().absolute())  # the daemon may be in another folder
    if what is not None and len(wire.asking(do, what)) > wire.MAX_LINE_BYTES:
        raise UsageError(f"`ctl {do}`: that is too long; put it into a profile")
    return what


def _says(do: str, what: str | None, answer: dict[str, Any], pid: int | None) -> str:
    match do:
        case "pause":
            return "paused: nothing is held, and gestures do nothing"
        case "resume" if answer.get("locked"):
            return "gestures act again once the screen is unlocked"
        case "resume":
            return "gestures act again"
        case "mode":
            return f"in mode {answer['mode']}"
        case "profile":
            return f"now the profile {what}"
        case "reload":
            return "the profile and your own gestures were read anew"
        case "panic" if answer.get("paused"):
            return "everything is let go, and gestures are paused: `gesturectl ctl resume`"
        case "panic":
            return "everything is let go, and gestures sleep"
        case "quit":
            return f"gesturectl (pid {pid}) has ended"
        case _:
            return "done"


def _print_rows(caller: Caller, answer: dict[str, Any], *, follow: bool) -> int:
    first = answer.get("show") or answer["state"]
    rows = iter([first]) if follow or "show" in answer else iter(answer["events"])
    try:
        for row in rows:
            print(json.dumps(row), flush=True)
        for row in caller.follow() if follow else ():
            print(json.dumps(row), flush=True)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _wait_for_end(pid: int) -> None:
    """Wait until a daemon has closed camera and models, and has given up its place."""
    until_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < until_s:
        if not place.holds(pid):
            return
        time.sleep(0.02)
    raise ControlError(f"gesturectl (pid {pid}) let go of everything, but does not end; `kill` it")


def _print_status(told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    latency = told["latency_ms"]
    how = "no pictures" if not told["frames_per_s"] else "watching"
    if told["paused"] or told["locked"]:
        how = "screen locked" if told["locked"] else "paused"
    rows = {
        "gesturectl": f"{told['version']}, pid {told['pid']}, up {_duration(told['uptime_s'])}",
        "state": f"{how}, mode {told['mode']} of {', '.join(told['modes'])}",
        "source": told["source"],
        "problem": told["problem"] or "",
        "profile": told["profile"] or "none",
        "frames": f"{told['frames_per_s']:.1f} a second, {told['frames']} so far",
        "latency": f"{latency['median']:.1f} ms, 95 % within {latency['p95']:.1f}, "
        f"99 % within {latency['p99']:.1f}"
        if latency
        else "",
        "stages": _stages(told.get("spent_ms", {})),
        "power": _power(told["power"]),
        "held": ", ".join(told["held"]) or "nothing",
        "gestures": ", ".join(
            f"{one['gesture']} ({one['side']}) {one['seconds_ago']:.1f} s ago"
            for one in reversed(told["recent"])
        ),
    }
    table = Table.grid(padding=(0, 2))
    for name, text in rows.items():
        if text:
            table.add_row(name, text)
    console = Console(highlight=False, markup=False, emoji=False)
    if not sys.stdout.isatty():
        console.width = max(console.width, 120)
    console.print(table)


def _stages(spent_ms: dict[str, Any]) -> str:
    each = [
        f"{stage} {one['median']:.1f} / {one['p95']:.1f}"
        for stage, one in spent_ms.items()
        if one is not None
    ]
    return f"{', '.join(each)} ms (median / 95 % within)" if each else ""


def _power(told: dict[str, Any] | None) -> str:
    if told is None:
        return ""
    text = str(told["preset"])
    if told["most_frames_per_s"] is not None:
        text += f", at most {told['most_frames_per_s']:.0f} frames a second"
    if told["cpu"] is not None:
        text += f", {100 * told['cpu']:.0f} % of a core used"
    if told["max_cpu"] is not None:
        text += f", {100 * told['max_cpu']:.0f} % allowed"
    if not told["kept"]:
        text += ", which is too little to keep to"
    elif not told["enough"]:
        text += ", too little for quick strokes"
    return text


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{rest} s"
