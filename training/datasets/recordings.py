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
from gesturectl.types import Hand, Observation, Side
from training.datasets.arms import ArmRecording, Segment, segments_of

SIDES: tuple[Side, ...] = ("left", "right")


@dataclass(frozen=True, slots=True, eq=False)
class HandTrack:
    """One hand's way through a recording.

    `t_us` (T,) are the stamps of the frames that show it, `points` (T, 21, 3) the hand as
    `features.hand_points` gives it (left ones mirrored), `label` (T,) the frames' labels, null is
    ''. `alone` (T,) tells that no other hand was seen: then the label can only mean this one.
    """

    side: Side
    t_us: NDArray[np.int64]
    points: NDArray[np.float32]
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
    t_us: list[int] = []
    names: list[str] = []
    seen: dict[Side, list[tuple[int, NDArray[np.float32], str, bool]]] = {s: [] for s in SIDES}
    bodies: list[tuple[int, NDArray[np.float32], str]] = []
    for observation, label in trace:
        if label is not None and label not in catalog():
            raise UsageError(
                f"{file}: at {observation.t_us} µs the label is {label!r}, which is no gesture of "
                "the catalog; `gesturectl list gestures` names them"
            )
        name = label or ""
        t_us.append(observation.t_us)
        names.append(name)
        for hand, points in _hands(observation):
            alone = len(observation.hands) == 1
            seen[hand.side].append((observation.t_us, points, name, alone))
        if observation.bodies:
            bodies.append((observation.t_us, observation.bodies[0].image, name))
    hands = tuple(_track(side, rows) for side, rows in seen.items() if rows)
    arms = _arms(file, trace.size_px, bodies) if bodies else None
    seconds = (t_us[-1] - t_us[0]) / 1e6 if t_us else 0.0
    segments = segments_of(np.array(t_us, np.int64), np.array(names)) if t_us else ()
    return Recording(file.name, seconds, hands, arms, segments)


def _hands(observation: Observation) -> list[tuple[Hand, NDArray[np.float32]]]:
    """Return at most one hand a side, the last one told, as the recogniser takes them."""
    hands = list({hand.side: hand for hand in observation.hands}.values())
    if not hands:
        return []
    points = features.hand_points(hands, observation.size_px)
    return list(zip(hands, points, strict=True))


def _track(side: Side, rows: list[tuple[int, NDArray[np.float32], str, bool]]) -> HandTrack:
    t_us, points, label, alone = zip(*rows, strict=True)
    return HandTrack(side, np.array(t_us), np.stack(points), np.array(label), np.array(alone))


def _arms(
    file: Path, size_px: tuple[int, int], rows: list[tuple[int, NDArray[np.float32], str]]
) -> ArmRecording:
    times, images, names = zip(*rows, strict=True)
    t_us, label = np.array(times, np.int64), np.array(names)
    segments = segments_of(t_us, label)
    return ArmRecording(file.name, "", t_us, np.stack(images), size_px, segments, label == "")
