"""`video:FILE`: the frames of a video file, stamped as its container says.

In:  a file of any kind that FFmpeg reads.   Out: a `Recording` of frames.

Recordings of phones and screens have a variable frame rate, so frames are never counted: a frame's
time is that of its container. Where the container has none, or it stands still or goes back,
the nominal frame rate fills in. Rotation noted in the file is applied, as OpenCV does by itself.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

from gesturectl.errors import SourceError
from gesturectl.sources.clock import MONOTONIC, Clock
from gesturectl.sources.opencv import cv2
from gesturectl.sources.recording import Item, Recording
from gesturectl.types import Frame

DEFAULT_STEP_US: Final = 33_333


def open_video(argument: str, *, realtime: bool, clock: Clock = MONOTONIC) -> Recording:
    """Open a video file.

    Raises:
        SourceError: there is no such file, or no picture in it can be decoded.
    """
    path = Path(argument).expanduser()
    capture = _open(path)
    fps = capture.get(cv2.CAP_PROP_FPS)
    width, height = (
        round(capture.get(which)) for which in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    description = f"video {path.name} {width}×{height}" + (f" {fps:.4g} fps" if fps > 0 else "")
    return Recording(_frames(capture, path), description, realtime=realtime, clock=clock)


class Timeline:
    """Turns a container's time stamps, good or bad, into strictly growing microseconds.

    A step forward is taken as it is, however long: a pause in a recording is a pause. A step of
    nothing or backward, or no stamp at all, becomes one nominal step.
    """

    def __init__(self, fps: float) -> None:
        self._nominal_us = round(1e6 / fps) if 1 <= fps <= 240 else DEFAULT_STEP_US
        self._last_raw_us: int | None = None
        self._t_us = 0

    def stamp(self, position_ms: float) -> int:
        """Return the time of the next frame, given what the container says of it."""
        raw_us = round(position_ms * 1000) if math.isfinite(position_ms) else None
        if self._last_raw_us is None:
            self._t_us = max(0, raw_us or 0)
        else:
            step_us = 0 if raw_us is None else raw_us - self._last_raw_us
            self._t_us += step_us if step_us > 0 else self._nominal_us
        self._last_raw_us = raw_us if raw_us is not None else (self._last_raw_us or 0)
        return self._t_us


def _open(path: Path) -> Any:
    if path.is_dir():
        raise SourceError(f"{path} is a folder; name one video file in it")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise SourceError(f"{path}: there is no such file") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    if empty:
        raise SourceError(f"{path}: the file is empty")
    # FFmpeg alone, and an absolute path: a name like `img%d.png` or `concat:a` is only a name.
    capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise SourceError(
            f"{path}: not a video, or damaged (was it copied or recorded to its end?); "
            "try whether a video player shows it"
        )
    return capture


def _frames(capture: Any, path: Path) -> Generator[Item]:
    timeline = Timeline(capture.get(cv2.CAP_PROP_FPS))
    shown = False
    try:
        while capture.grab():
            t_us = timeline.stamp(capture.get(cv2.CAP_PROP_POS_MSEC))
            decoded, bgr = capture.retrieve()
            if not decoded or bgr is None:
                continue  # a damaged picture; its time still passes
            shown = True
            yield Frame(t_us, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
        if not shown:
            raise SourceError(f"{path}: no picture in it can be decoded; it is damaged")
    finally:
        capture.release()
