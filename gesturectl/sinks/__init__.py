"""Where commands go. `open_sink` turns a name into a `Sink`."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from gesturectl.types import Command


class Sink(Protocol):
    """Delivers commands. A context manager; leaving it leaves nothing held."""

    def send(self, command: Command) -> None:
        """Deliver one command.

        Raises:
            SinkError: the display is gone or the command cannot be expressed here.
        """
        ...

    def check_keys(self, names: frozenset[str]) -> dict[str, str]:
        """Return the keys that cannot be sent here, each with the reason and what to do."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
