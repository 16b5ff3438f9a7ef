"""People's takes of gestures of their own, for measuring how few takes teach one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gesturectl import features
from gesturectl.types import Body, Float32, Hand, Observation, Side
from training.datasets import archives

# The recordings have neither times nor sizes: a usual webcam's are assumed.
SIZE_PX = (640, 480)
_SAME_WORD = {"ola": "hello", "obrigado": "thanks"}
_FORMS: dict[str, archives.Form] = {
    "pose": ("f", ("n", "frames", 33, 4)),
    "left_hand": ("f", ("n", "frames", 21, 3)),
    "right_hand": ("f", ("n", "frames", 21, 3)),
    "label": ("U", ("n",)),
}


def user_takes(file: Path) -> tuple[list[list[Observation]], NDArray[np.str_]]:
    """Return one user's takes as a landmarker would have told them, and their labels (N,).

    Words that mean the same in two languages get one label.

    Raises:
        SourceError: the file is damaged.
    """
    d = archives.read(file, _FORMS)
    label = np.array([_word(name) for name in d["label"].tolist()])
    parts = (d[key].astype(np.float32) for key in ("pose", "left_hand", "right_hand"))
    takes = [
        [
            Observation((i + 1) * features.STEP_US, _hands(lefts, rights), _bodies(body), SIZE_PX)
            for i, (body, lefts, rights) in enumerate(zip(*frames, strict=True))
        ]
        for frames in zip(*parts, strict=True)
    ]
    return takes, label


def _hands(left: Float32, right: Float32) -> tuple[Hand, ...]:
    sides: tuple[tuple[Side, Float32], ...] = (("left", left), ("right", right))
    return tuple(Hand(side, 1.0, image) for side, image in sides if image.any())  # 0: not seen


def _bodies(image: Float32) -> tuple[Body, ...]:
    return (Body(image),) if image.any() else ()


def _word(name: str) -> str:
    word = name.strip().lower()
    return _SAME_WORD.get(word, word)
