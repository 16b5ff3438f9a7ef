"""A user's own recordings: traces whose frames are labelled with gestures of the catalog.

`gesturectl record` writes traces; a label is the name of what a frame shows, and a frame without
one shows nothing. Everything is kept per subject: that is how networks look at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesturectl import features
from gesturectl.catalog import catalog
from gesturectl.errors import UsageError
from gesturectl.trace import read_trace
from gesturectl.types import SIDES, Float32, Int64, Side
from training.datasets.arms import ArmRecording, Segment, segments_of


@dataclass(frozen=True, slots=True, eq=False)
class HandTrack:
    """One hand's way through a recording.

    `t_us` (T,) are the stamps of the frames that show it, `points` (T, 21, 3) the hand as
    `features.hand_points` gives it (left ones mirrored), `label` (T,) the frames' labels, null is
    ''. `alone` (T,) tells that no other hand was seen: then the label can only mean this one.
    """

    side: Side
    t_us: Int64
    points: Float32
    label: NDArray[Any]
    alone: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One trace: its hands, its body's arms if it shows one, the stretches that are labelled.

    `seconds` is its length.
    """

    name: str
    seconds: float
    hands: tuple[HandTrack, ...]
    arms: ArmRecording | None
    segments: tuple[Segment, ...]


def recordings(folder: Path) -> list[Recording]:
    """Read all traces below a folder, in the order of their names.

    Raises:
        UsageError: there are none, or one has a label that is no gesture of the catalog.
        TraceError: a trace is damaged; the message names it and the line.
    """
    files = sorted({*folder.rglob("*.jsonl"), *folder.rglob("*.jsonl.gz")})
    if not files:
        raise UsageError(
            f"{folder} holds no traces (*.jsonl, *.jsonl.gz); make some with `gesturectl record`"
        )
    return [_recording(file) for file in files]


def _recording(file: Path) -> Recording:
    trace = read_trace(file)
    frames = list(trace)
    for observation, name in frames:
        if name is not None and name not in catalog():
            raise UsageError(
                f"{file}: at {observation.t_us} µs the label is {name!r}, which is no gesture of "
                "the catalog; `gesturectl list gestures` names them"
            )
    t_us = np.array([observation.t_us for observation, _ in frames], np.int64)
    label = np.array([name or "" for _, name in frames], str)
    alone = np.array([len(observation.hands) == 1 for observation, _ in frames], bool)
    hands = []
    for side in SIDES:
        # Of several hands of a side the last one told counts, as for the recogniser.
        seen = {i: hand for i, (o, _) in enumerate(frames) for hand in o.hands if hand.side == side}
        if at := list(seen):
            points = features.hand_points(list(seen.values()), trace.size_px)
            hands.append(HandTrack(side, t_us[at], points, label[at], alone[at]))
    bodies = {i: o.bodies[0].image for i, (o, _) in enumerate(frames) if o.bodies}
    arms = None
    if at := list(bodies):
        image, segments = np.stack(list(bodies.values())), segments_of(t_us[at], label[at])
        idle = label[at] == ""
        arms = ArmRecording(file.name, "", t_us[at], image, trace.size_px, segments, idle)
    seconds = (t_us[-1] - t_us[0]) / 1e6 if len(t_us) else 0.0
    return Recording(file.name, float(seconds), tuple(hands), arms, segments_of(t_us, label))
