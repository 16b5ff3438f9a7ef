"""Readers for every set of recordings, and the rule which of them may be trained on.

`SETS` says it as data: a set whose licence lets a model trained on it be shipped is marked
`ship`; `for_training` refuses the others, so that a measuring set cannot slip into a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesturectl import features
from gesturectl.errors import UsageError
from gesturectl.types import Body, Hand, Observation


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


@dataclass(frozen=True, slots=True, eq=False)
class HandPhotos:
    """`points` (N, 21, 3) as `features.hand_points` gives them, `gesture` names, null is ''.

    `thumb` (N,) marks the fists with a thumb out, whichever way it points.
    """

    points: NDArray[np.float32]
    gesture: NDArray[Any]
    thumb: NDArray[np.bool_]


# In the photographs, a thumb to the side is a sign of its own: to us it is no gesture.
_PHOTO_NAMES = {"victory_back_of_hand": "victory", "none": ""}
_PHOTO_NULL = ("thumb_toward_image_left", "thumb_toward_image_right")


def hand_photos(path: Path) -> HandPhotos:
    """Read the photographed hands; those that hang down show nothing."""
    with np.load(path, allow_pickle=False) as d:
        sides = np.where(d["handedness"] == "Left", "left", "right")
        hands = [Hand(s, 1.0, image) for s, image in zip(sides, d["image"], strict=True)]
        width, height = d["size_px"][0]
        names = [
            "" if not raised or name in _PHOTO_NULL else _PHOTO_NAMES.get(name, name)
            for name, raised in zip(d["gesture"].tolist(), d["raised"].tolist(), strict=True)
        ]
        thumbs = [*_PHOTO_NULL, "thumb_up", "thumb_down"]
        thumb = np.isin(d["gesture"], thumbs) & d["raised"]
    points = features.hand_points(hands, (int(width), int(height)))
    return HandPhotos(points, np.array(names), thumb)


def body_photos(path: Path) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Return photographed bodies (N, 33, 4) and their names: t_pose, '' or '?' for in between."""
    known = {"land": "t_pose", "take_off": "?", "emergency": "?"}
    with np.load(path, allow_pickle=False) as d:
        width, height = d["size_px"][0]
        points = features.body_points(d["image"], (int(width), int(height)))
        names = np.array([known.get(name, "") for name in d["label"].tolist()])
    return points, names


# What the recordings call the gestures of the catalog.
STREAM_NAMES = {"rotate": "circle_cw", "rotate_counterclockwise": "circle_ccw"}


@dataclass(frozen=True, slots=True)
class Segment:
    """One annotated gesture: its name in the catalog or its own, from start to end (µs)."""

    name: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True, eq=False)
class ArmRecording:
    """One continuous recording: `image` (T, 33, 4) as `types.Body` has it, stamps, annotation."""

    name: str
    group: str
    t_us: NDArray[np.int64]
    image: NDArray[np.float32]
    size_px: tuple[int, int]
    segments: tuple[Segment, ...]
    idle: NDArray[np.bool_]

    @property
    def points(self) -> NDArray[np.float32]:
        """The body in image heights, as the features take it: (T, 33, 4)."""
        return features.body_points(self.image, self.size_px)

    def observations(self) -> Iterator[Observation]:
        """Yield what a landmarker told of each frame."""
        for t_us, image in zip(self.t_us.tolist(), self.image, strict=True):
            yield Observation(t_us, (), (Body(image),), self.size_px)


def arm_recordings(folder: Path) -> list[ArmRecording]:
    """Read all continuous recordings of arm gestures, in the order of their names."""
    out = []
    for file in sorted(folder.glob("*.npz")):
        with np.load(file, allow_pickle=False) as d:
            t_us, label = d["t_us"].astype(np.int64), d["label"]
            size = (int(d["size_px"][0]), int(d["size_px"][1]))
            image = d["pose"].astype(np.float32)
        starts = np.flatnonzero(np.r_[True, label[1:] != label[:-1]])
        ends = np.r_[starts[1:], len(label)] - 1
        segments = tuple(
            Segment(STREAM_NAMES.get(name := str(label[a]), name), int(t_us[a]), int(t_us[b]))
            for a, b in zip(starts, ends, strict=True)
            if label[a] != "idle"
        )
        idle = label == "idle"
        group = file.stem.split("_")[0]
        out.append(ArmRecording(file.stem, group, t_us, image, size, segments, idle))
    return out


@dataclass(frozen=True, slots=True, eq=False)
class HandSequences:
    """N recorded hands that show one gesture each, cut from its start to its end.

    `joints` has N arrays (T, 22, 3) in metres, in the camera's frame: wrist, palm, then four
    joints of each finger from the thumb on. `gesture` (N,) counts from 0; `whole_hand` (N,) tells
    whether it was shown with the whole hand or with one finger; `subject` (N,) is who showed it.
    """

    joints: tuple[NDArray[np.float32], ...]
    gesture: NDArray[np.int64]
    whole_hand: NDArray[np.bool_]
    subject: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.joints)

    def those(self, chosen: NDArray[np.bool_]) -> HandSequences:
        """Return the sequences that are marked in `chosen` (N,)."""
        joints = tuple(one for one, wanted in zip(self.joints, chosen, strict=True) if wanted)
        return HandSequences(
            joints, self.gesture[chosen], self.whole_hand[chosen], self.subject[chosen]
        )


def shrec17(path: Path) -> tuple[HandSequences, HandSequences]:
    """Read SHREC'17; return its official training and test split, which share no subject."""
    with np.load(path, allow_pickle=False) as d:
        points = d["joints_m"].astype(np.float32)
        joints = tuple(np.split(points, d["offset"][1:-1]))
        column = dict(zip(d["meta_cols"].tolist(), d["meta"].T, strict=True))
        split = d["split"]
    every = HandSequences(
        joints, column["gesture"] - 1, column["finger"] == 2, column["subject"].astype(np.int64)
    )
    return every.those(split == "train"), every.those(split == "test")
