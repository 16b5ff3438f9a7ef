"""Where frames come from. `open_source` turns `kind:argument` into a `Source`."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from gesturectl.types import Frame, Observation


class Source(Protocol):
    """A stream of frames, or of observations where the landmarks are known already (traces).

    A source is a context manager; leaving it frees the device. Time stamps never go back.
    """

    @property
    def description(self) -> str:
        """What this is, for a status line: ``camera 0 (HD Webcam) 640×480 30 fps MJPG``."""
        ...

    @property
    def problem(self) -> str | None:
        """What is wrong right now in plain words (missing, busy, black, frozen), or None."""
        ...

    def read(self, timeout_s: float) -> Frame | Observation | None:
        """Return the newest unread item, or None when none came within `timeout_s`.

        Raises:
            EndOfSource: the recording is over.
            SourceError: the source failed and cannot come back by itself.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class EndOfSource(Exception):
    """A recording has been read to its end. Not an error."""
