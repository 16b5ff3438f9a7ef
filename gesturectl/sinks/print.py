"""Print commands instead of sending them: JSON Lines for programs, plain lines for people."""

from __future__ import annotations

import shlex
import sys
from types import TracebackType
from typing import Self, TextIO

from gesturectl import keys
from gesturectl.errors import SinkError
from gesturectl.jsonl import to_line
from gesturectl.ledger import Ledger
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Command,
    KeyDown,
    KeyUp,
    MoveBy,
    MoveTo,
    Mqtt,
    Notify,
    Osc,
    Play,
    Run,
    Say,
    Scroll,
    Text,
    Webhook,
)


class PrintSink:
    """Writes one line a command to `stream` (by default stdout) and flushes it.

    `as_json` chooses JSON Lines; None means plain lines on a terminal and JSON Lines elsewhere.
    """

    def __init__(self, stream: TextIO | None = None, *, as_json: bool | None = None) -> None:
        self._stream = stream if stream is not None else sys.stdout
        as_json = not self._stream.isatty() if as_json is None else as_json
        self._line = to_line if as_json else plain_line
        self._ledger = Ledger()
        self._t_us = 0

    def send(self, command: Command) -> None:
        """Print one command, unless it presses what is down or releases what is up.

        Raises:
            SinkError: nobody reads our output any more.
        """
        self._t_us = command.t_us
        if self._ledger.note(command):
            self._print(command)

    def beat(self) -> None:
        """Nothing here can be left held by a daemon that hangs."""

    def check_keys(self, names: frozenset[str]) -> dict[str, str]:
        """Every known key can be printed."""
        return keys.unknown(names)

    def check_kinds(self, kinds: frozenset[type[object]]) -> dict[str, str]:
        """Every kind can be printed."""
        return {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for command in self._ledger.release(self._t_us):
            self._print(command)

    def _print(self, command: Command) -> None:
        try:
            print(self._line(command), file=self._stream, flush=True)
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            raise SinkError(f"cannot print commands: {error}; is the reader gone?") from error


def plain_line(command: Command) -> str:
    """Return one command in words, after the second it belongs to."""
    return f"{command.t_us / 1e6:9.3f} s  {_words(command)}"


def _words(command: Command) -> str:
    match command:
        case KeyDown(key=name) | ButtonDown(button=name):
            return f"press    {name}"
        case KeyUp(key=name) | ButtonUp(button=name):
            return f"release  {name}"
        case MoveBy():
            return f"move     by {command.dx_px:+.1f}, {command.dy_px:+.1f} px"
        case MoveTo():
            return f"move     to {command.x:.1%}, {command.y:.1%} of the desktop"
        case Scroll():
            return f"scroll   right {command.dx:+g}, down {command.dy:+g}"
        case Text():
            return f"type     {command.text!r}"
        case Run():
            return f"run      {shlex.join(command.argv)}"
        case Notify():
            return f"notify   {command.text!r}"
        case Say():
            return f"say      {command.text!r}"
        case Play():
            return f"play     {command.sound!r}"
        case Webhook():
            return f"post     {command.url} {command.body}"
        case Osc(address=address, arguments=arguments):
            words = " ".join((address, *map(repr, arguments)))
            return f"osc      {_place(command.host, command.port)} {words}"
        case Mqtt(topic=topic, payload=payload):
            return f"publish  {_place(command.host, command.port)} {topic} {payload!r}"


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
