"""Photographs of hands and bodies that show poses, as landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesturectl import features
from gesturectl.types import Float32, Hand
from training.datasets import archives


@dataclass(frozen=True, slots=True, eq=False)
class HandPhotos:
    """`points` (N, 21, 3) as `features.hand_points` gives them, `gesture` names, null is ''.

    `thumb` (N,) marks the fists with a thumb out, whichever way it points.
    """

    points: Float32
    gesture: NDArray[Any]
    thumb: NDArray[np.bool_]


# In the photographs, a thumb to the side is a sign of its own: to us it is no gesture.
_PHOTO_NAMES = {"victory_back_of_hand": "victory", "none": ""}
_PHOTO_NULL = ("thumb_toward_image_left", "thumb_toward_image_right")
_BODY_NAMES = {"land": "t_pose", "take_off": "?", "emergency": "?"}


def hand_photos(path: Path) -> HandPhotos:
    """Read the photographed hands; those that hang down show nothing.

    Raises:
        SourceError: the file is damaged.
    """
    forms: dict[str, archives.Form] = {
        "image": ("f", ("n", 21, 3)),
        "handedness": ("U", ("n",)),
        "size_px": ("iu", ("n", 2)),
        "gesture": ("U", ("n",)),
        "raised": ("b", ("n",)),
    }
    d = archives.read(path, forms)
    sides = np.where(d["handedness"] == "Left", "left", "right")
    hands = [Hand(s, 1.0, image) for s, image in zip(sides, d["image"], strict=True)]
    names = [
        "" if not raised or name in _PHOTO_NULL else _PHOTO_NAMES.get(name, name)
        for name, raised in zip(d["gesture"].tolist(), d["raised"].tolist(), strict=True)
    ]
    thumb = np.isin(d["gesture"], [*_PHOTO_NULL, "thumb_up", "thumb_down"]) & d["raised"]
    points = features.hand_points(hands, archives.size_px(path, d["size_px"][0]))
    return HandPhotos(points, np.array(names), thumb)


def body_photos(path: Path) -> tuple[Float32, NDArray[Any]]:
    """Return photographed bodies (N, 33, 4) and their names: t_pose, '' or '?' for in between.

    Raises:
        SourceError: the file is damaged.
    """
    forms: dict[str, archives.Form] = {
        "image": ("f", ("n", 33, 4)),
        "size_px": ("iu", ("n", 2)),
        "label": ("U", ("n",)),
    }
    d = archives.read(path, forms)
    points = features.body_points(d["image"], archives.size_px(path, d["size_px"][0]))
    return points, np.array([_BODY_NAMES.get(name, "") for name in d["label"].tolist()])
