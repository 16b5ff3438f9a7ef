"""Send nothing: for whoever shows the commands of each step, in their place among the gestures."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from gesturectl import keys
from gesturectl.types import Command


class Unsent:
    """Delivers nothing, keeps nothing."""

    def send(self, command: Command) -> None:
        """Do nothing."""

    def beat(self) -> None:
        """Do nothing: nothing is held."""

    def check_keys(self, names: frozenset[str]) -> dict[str, str]:
        """Every known key will do."""
        return keys.unknown(names)

    def check_kinds(self, kinds: frozenset[type[object]]) -> dict[str, str]:
        """Every kind will do."""
        return {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass
