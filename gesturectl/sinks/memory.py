"""Keep commands in a list: for tests, and for programs that embed the engine."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from gesturectl import keys
from gesturectl.ledger import Ledger
from gesturectl.types import Command


class MemorySink:
    """`sent` holds what a desktop would have seen, in order."""

    def __init__(self) -> None:
        self.sent: list[Command] = []
        self._ledger = Ledger()

    def send(self, command: Command) -> None:
        """Keep one command, unless it presses what is down or releases what is up."""
        if self._ledger.note(command):
            self.sent.append(command)

    def beat(self) -> None:
        """Nothing here can be left held by a daemon that hangs."""

    def check_keys(self, names: frozenset[str]) -> dict[str, str]:
        """Every known key can be kept."""
        return keys.unknown(names)

    def check_kinds(self, kinds: frozenset[type[object]]) -> dict[str, str]:
        """Every kind can be kept."""
        return {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.sent += self._ledger.release(self.sent[-1].t_us if self.sent else 0)
