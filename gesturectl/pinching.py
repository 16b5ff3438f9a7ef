"""Tell which finger touches the thumb.

In:  how far each finger's tip is from the thumb's, in palm widths.  Out: the finger that is closed.

Closing and opening have thresholds of their own, so that a pinch does not flicker, and the nearest
finger wins. A folded finger does not count: in `point_up` the thumb lies on the middle finger, in
`victory` on the ring finger, in a fist on the index finger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import dist
from typing import Final, Literal

from gesturectl.features import INDEX_MCP, PINKY_MCP, WRIST
from gesturectl.places import WIDTH_OF_SIZE, Point

Finger = Literal["index", "middle", "ring", "little"]
TIPS: Final[Mapping[Finger, int]] = {"index": 8, "middle": 12, "ring": 16, "little": 20}
THUMB_TIP: Final = 4

# Palm widths from the wrist to the tip of a finger. In photographs of 2-3 people folded fingers
# that have the thumb on them stay below 1.53 (95 of 100: the ring finger of `victory`, others
# below 1.45; landmarks of the image). Pinching fingers of the puppet are at 1.8 and more.
UNFOLDED: Final = 1.65

Gaps = Mapping[Finger, float]


def gaps(points: list[Point], fingers: frozenset[Finger]) -> Gaps:
    """Return how far the tips of these fingers are from the thumb's, in palm widths.

    `points` are the hand's 21 in three dimensions, in heights of the image. Folded fingers are left
    out. Landmarks in metres would not do: with them the ring finger of every fourth `victory` in
    those photographs seems to pinch.
    """
    wrist, index, little = points[WRIST], points[INDEX_MCP], points[PINKY_MCP]
    around = dist(wrist, index) + dist(index, little) + dist(little, wrist)
    width = WIDTH_OF_SIZE * around / 3
    if not width:
        return {}
    thumb = points[THUMB_TIP]
    return {
        finger: dist(thumb, points[tip]) / width
        for finger, tip in TIPS.items()
        if finger in fingers and dist(wrist, points[tip]) > UNFOLDED * width
    }


@dataclass(frozen=True, slots=True)
class Pinch:
    """What the past means for the next frame.

    `closed` is the finger on the thumb. `near_us` is since when some finger has been nearer than
    `open_at`. `armed` says that all have been farther since the hand came: a hand that arrives
    pinched, or that takes control by a pinch, must open first.
    """

    closed: Finger | None = None
    near_us: int | None = None
    armed: bool = False


def step(state: Pinch, t_us: int, gaps: Gaps, *, close_at: float, open_at: float) -> Pinch:
    r"""Take the gaps of one frame.

    gap     ^^^\              /^^^\   /^^^
    open    ----\------------/-----\-/----     1) near: a click may come   2) closed
    close   -----\__________/-------v-----     3) opened                   4) near, and away again
                 1 2         3      4
    """
    finger = min(gaps, key=gaps.__getitem__, default=None)
    gap = gaps[finger] if finger is not None else open_at
    if state.closed is not None:
        # A finger that folds while it is on the thumb stays there until it is seen away from it.
        if gaps.get(state.closed, close_at) <= open_at:
            return state
        return Pinch(armed=True)
    if finger is None or gap >= open_at:
        return Pinch(armed=True)
    near_us = t_us if state.near_us is None else state.near_us
    closed = finger if state.armed and gap < close_at else None
    return Pinch(closed, near_us, state.armed)
