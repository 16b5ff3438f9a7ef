"""What turns frames into keypoints."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from gesturectl.types import Frame, Observation


class Landmarker(Protocol):
    """Finds hands and bodies in frames whose time stamps grow. A context manager; close it."""

    def detect(self, frame: Frame) -> Observation:
        """Return what is in the frame, sides being the user's own; never None."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
