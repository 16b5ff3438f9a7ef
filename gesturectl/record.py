"""`gesturectl record`: a trace from any source, landmarks only; the command line asks first."""

from __future__ import annotations

import sys
from pathlib import Path

from gesturectl import holdings
from gesturectl.daemon import STALL_S, Control, signals
from gesturectl.errors import SourceError
from gesturectl.rig import EVERYTHING, Choice, open_landmarker
from gesturectl.sources import EndOfSource, gives_frames, open_source
from gesturectl.trace import TraceWriter
from gesturectl.types import Observation

FIRST_FRAME_S = 10.0  # a camera may take long to start; a recording needs its size first


def record(choice: Choice, path: Path, *, seconds: float | None) -> int:
    """Write what `choice.source` shows to `path`; return the number of frames.

    Ends with the source, after `seconds` by the frames' stamps, or on a signal; the file is whole.

    Raises:
        SourceError: the source gives nothing, or the file cannot be written.
        ModelError: a landmark model cannot be had.
    """
    control = Control()
    with open_source(choice.source, realtime=False) as source:
        if not gives_frames(choice.source):
            raise SourceError(f"{choice.source} is a trace already; copy the file instead")
        with open_landmarker(EVERYTHING, choice) as landmarker, signals(control):
            frame = source.read(FIRST_FRAME_S)
            if frame is None or isinstance(frame, Observation):
                raise SourceError(f"{source.description}: {source.problem or 'no picture comes'}")
            first = landmarker.detect(frame)
            end_us = None if seconds is None else first.t_us + round(seconds * 1e6)
            holdings.note_recording(path, choice.source)
            with TraceWriter(path, first.size_px, source.description) as writer:
                print(f"recording {source.description}; Ctrl-C ends it", file=sys.stderr)
                writer.write(first)
                while not control.stop:
                    try:
                        frame = source.read(STALL_S)
                    except EndOfSource:
                        break
                    if frame is None or isinstance(frame, Observation):
                        continue
                    if end_us is not None and frame.t_us >= end_us:
                        break
                    writer.write(landmarker.detect(frame))
                return writer.frames
