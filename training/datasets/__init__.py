"""Readers for every set of recordings, and the rule which of them may be trained on.

`SETS` says it as data: a set whose licence lets a model trained on it be shipped is marked
`ship`; `for_training` refuses the others, so that a measuring set cannot slip into a model.
`recordings` reads a user's own, which are in no set: whoever recorded them may train on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gesturectl.errors import UsageError
from training.datasets.arms import STREAM_NAMES, ArmRecording, Segment, arm_recordings
from training.datasets.benchmarks import (
    SFINGE3D_CLASSES,
    SFINGE3D_FRAME_US,
    HandSequences,
    HandStream,
    sfinge3d,
    shrec17,
)
from training.datasets.photos import HandPhotos, body_photos, hand_photos
from training.datasets.recordings import HandTrack, Recording, recordings
from training.datasets.tables import ClipRow, Points, clips, finger_paths, key_points
from training.datasets.takes import user_takes

__all__ = [
    "SETS",
    "SFINGE3D_CLASSES",
    "SFINGE3D_FRAME_US",
    "STREAM_NAMES",
    "ArmRecording",
    "ClipRow",
    "HandPhotos",
    "HandSequences",
    "HandStream",
    "HandTrack",
    "Points",
    "Recording",
    "Segment",
    "Set",
    "arm_recordings",
    "body_photos",
    "clips",
    "finger_paths",
    "for_training",
    "hand_photos",
    "key_points",
    "located",
    "recordings",
    "sfinge3d",
    "shrec17",
    "user_takes",
]


@dataclass(frozen=True, slots=True)
class Set:
    """One set of recordings: where it lies below the data folder, whose it is, what it may do."""

    path: str
    licence: str
    ship: bool
    what: str


SETS: Mapping[str, Set] = MappingProxyType(
    {
        "hand_poses": Set(
            "hand_poses/photos_14_classes.npz", "MIT", True, "5,732 hands of 2-3 people, 14 classes"
        ),
        "body_poses": Set(
            "body_poses/photos_14_classes.npz", "MIT", True, "4,542 bodies, 14 classes"
        ),
        "pose_streams": Set("pose_streams", "MIT", True, "67 webcam recordings of arm gestures"),
        "keypoint_csv": Set("keypoint_csv", "Apache-2.0", True, "hand key points and finger paths"),
        "clips": Set("clips", "unstated", False, "35 short videos"),
        "custom_gestures": Set("custom_gestures", "unstated", False, "13 people's vocabularies"),
        "shrec17": Set("shrec17/shrec17.npz", "research", False, "SHREC'17 hand gestures"),
        "sfinge3d": Set("sfinge3d", "unstated", False, "SFINGE3D gesture streams"),
    }
)


def for_training(name: str, data: Path) -> Path:
    """Return where a set lies, if a model to be shipped may be trained on it.

    Raises:
        UsageError: it may not, there is no such set, or it is not there.
    """
    if name in SETS and not SETS[name].ship:
        raise UsageError(
            f"{name} ({SETS[name].licence}) is for measuring only; a shipped model must not see it"
        )
    return located(name, data)


def located(name: str, data: Path) -> Path:
    """Return where a set lies.

    Raises:
        UsageError: there is no such set, or it is not there.
    """
    if name not in SETS:
        raise UsageError(f"there is no data set {name!r}; known are {', '.join(SETS)}")
    path = data / SETS[name].path
    if not path.exists():
        raise UsageError(f"{path} is missing; --data names the folder that holds {SETS[name].path}")
    return path
