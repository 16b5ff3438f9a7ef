"""What turns frames into keypoints."""

from __future__ import annotations

from importlib.util import find_spec
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

import numpy as np

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


@runtime_checkable
class Searching(Protocol):
    """A landmarker that searches for others when it seems worth it, or `always`."""

    always: bool


def checked(frame: Frame) -> tuple[int, int]:
    """Return the (width, height) of a frame's picture.

    Raises:
        ValueError: the picture is not uint8 (H, W, 3).
    """
    rgb = frame.rgb
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"a frame is uint8 (H, W, 3) RGB, not {rgb.dtype} {rgb.shape}")
    return rgb.shape[1], rgb.shape[0]


def has_litert() -> bool:
    """Whether LiteRT is installed; it is not to be had for every machine."""
    return find_spec("ai_edge_litert") is not None
