"""`trace:FILE`: what was seen in an earlier session; needs no camera and no landmark models."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from gesturectl.sources.clock import MONOTONIC, Clock
from gesturectl.sources.recording import Item, Recording
from gesturectl.trace import Trace, read_trace


def open_trace(argument: str, *, realtime: bool, clock: Clock = MONOTONIC) -> Recording:
    """Open a trace as a source of observations.

    Raises:
        TraceError: the file is missing or damaged; also from `read`, at the first damaged line.
    """
    trace = read_trace(Path(argument).expanduser())
    width, height = trace.size_px
    description = f"trace {trace.path.name} {width}×{height}"
    if trace.source:
        description += f" of {trace.source}"
    return Recording(_observations(trace), description, realtime=realtime, clock=clock)


def _observations(trace: Trace) -> Generator[Item]:
    for observation, _ in trace:
        yield observation
