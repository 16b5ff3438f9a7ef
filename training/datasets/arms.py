"""Continuous webcam recordings of people who gesture with their arms, as landmarks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesturectl import features
from gesturectl.errors import SourceError
from gesturectl.types import Body, Float32, Int64, Observation
from training.datasets import archives

# What the recordings call the gestures of the catalog.
STREAM_NAMES = {"rotate": "circle_cw", "rotate_counterclockwise": "circle_ccw"}


@dataclass(frozen=True, slots=True)
class Segment:
    """One annotated gesture: its name in the catalog or its own, from start to end (µs)."""

    name: str
    start_us: int
    end_us: int

    def holds(self, t_us: int | Int64, later_us: int = 0) -> Any:
        """Tell of a moment, or of many (T,), whether it lies in here, or so soon after the end."""
        return (self.start_us <= t_us) & (t_us <= self.end_us + later_us)


def segments_of(t_us: Int64, label: NDArray[Any]) -> tuple[Segment, ...]:
    """Return the stretches (T,) of equal labels, those of '' left out."""
    starts = np.flatnonzero(np.r_[len(label) > 0, label[1:] != label[:-1]])
    ends = np.append(starts[1:], len(label))[: len(starts)] - 1
    return tuple(
        Segment(str(label[a]), int(t_us[a]), int(t_us[b]))
        for a, b in zip(starts, ends, strict=True)
        if label[a]
    )


@dataclass(frozen=True, slots=True, eq=False)
class ArmRecording:
    """One continuous recording: `image` (T, 33, 4) as `types.Body` has it, stamps, annotation."""

    name: str
    group: str
    t_us: Int64
    image: Float32
    size_px: tuple[int, int]
    segments: tuple[Segment, ...]
    idle: NDArray[np.bool_]

    @property
    def points(self) -> Float32:
        """The body in image heights, as the features take it: (T, 33, 4)."""
        return features.body_points(self.image, self.size_px)

    def observations(self) -> Iterator[Observation]:
        """Yield what a landmarker told of each frame."""
        for t_us, image in zip(self.t_us.tolist(), self.image, strict=True):
            yield Observation(t_us, (), (Body(image),), self.size_px)


_FORMS: dict[str, archives.Form] = {
    "t_us": ("iu", ("t",)),
    "label": ("U", ("t",)),
    "size_px": ("iu", (2,)),
    "pose": ("f", ("t", 33, 4)),
}


def arm_recordings(folder: Path) -> list[ArmRecording]:
    """Read all continuous recordings of arm gestures, in the order of their names.

    Raises:
        SourceError: one of them is damaged.
    """
    out = []
    for file in sorted(folder.glob("*.npz")):
        d = archives.read(file, _FORMS)
        t_us = d["t_us"].astype(np.int64)
        if t_us[0] < 0 or (np.diff(t_us) <= 0).any():
            raise SourceError(f"{file}: t_us must be 0 or more, and grow with every frame")
        idle = d["label"] == "idle"
        names = [STREAM_NAMES.get(name, name) for name in d["label"].tolist()]
        label = np.where(idle, "", names)
        out.append(
            ArmRecording(
                file.stem,
                file.stem.split("_")[0],
                t_us,
                d["pose"].astype(np.float32),
                archives.size_px(file, d["size_px"]),
                segments_of(t_us, label),
                idle,
            )
        )
    return out
