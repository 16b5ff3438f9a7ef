"""Tell a person from what the pose model makes of a lone arm.

The pose model answers with a whole body wherever it starts to see one: for an arm against a wall it
draws a small person standing in the hand, sure of every joint. So visibility alone says little;
how the parts lie to each other, and how large a hand is beside them, says nearly all.

Measured on the clips of one arm (false bodies) and of people (true ones), 1,835 and 2,246 frames:
visibility alone keeps 94 % of the false bodies, the shape rules 22 %, the hand's size none, and
together they keep over 98 % of the true ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gesturectl.places import VISIBLE
from gesturectl.types import Body, Hand

# A palm is about a quarter of the shoulders' width; stretched toward the camera up to 0.72 was
# seen; on false bodies 0.78 and more.
LARGEST_PALM = 0.75
NEAR_WRIST = 3.0  # in palms; false bodies' wrists are up to 2.2 from the hand they are made of

_NOSE, _EYES, _MOUTH = 0, [2, 5], [9, 10]
_SHOULDERS, _WRISTS, _HIPS = [11, 12], [15, 16], [23, 24]


def is_person(body: Body, hands: Sequence[Hand], size_px: tuple[int, int]) -> bool:
    """Whether a body stands or sits upright as people do, and is as large as its hands ask.

    Hips out of the picture are no objection: people at a desk have none.
    """
    if body.image[[_NOSE, *_SHOULDERS], 3].min() < VISIBLE:
        return False
    points = body.image[:, :2] * np.asarray(size_px, np.float32)
    neck, hips = points[_SHOULDERS].mean(axis=0), points[_HIPS].mean(axis=0)
    eyes, mouth = points[_EYES].mean(axis=0), points[_MOUTH].mean(axis=0)
    width = float(np.linalg.norm(points[_SHOULDERS[0]] - points[_SHOULDERS[1]]))
    trunk = float(np.linalg.norm(hips - neck))
    size = max(width, trunk / 2)  # of a person turned sideways the trunk remains
    if size < 1.0:
        return False
    face = float(np.linalg.norm(mouth - eyes))
    shaped = (
        hips[1] - neck[1] > 0.8 * trunk
        and mouth[1] - eyes[1] > 0.6 * face
        and 0.1 < (neck[1] - points[_NOSE][1]) / size < 1.2
        and 0.12 < face / size < 0.4
        and 0.2 * trunk < width < 1.6 * trunk
    )
    return bool(shaped) and not any(
        _oversized(hand.image[:, :2] * np.asarray(size_px, np.float32), points[_WRISTS], size)
        for hand in hands
    )


def _oversized(hand_px: NDArray[np.float32], wrists_px: NDArray[np.float32], size: float) -> bool:
    """Whether a hand that may be this body's own, being near its wrist, is too large for it."""
    palm = max(
        float(np.linalg.norm(hand_px[5] - hand_px[17])),
        float(np.linalg.norm(hand_px[0] - hand_px[9])) * 0.85,  # a palm is longer than wide
    )
    near = float(np.linalg.norm(wrists_px - hand_px[0], axis=1).min()) < NEAR_WRIST * palm
    return near and palm > LARGEST_PALM * size
