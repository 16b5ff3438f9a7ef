"""Give each hand the side it had a moment ago, unless it was wrong all along.

In:  the hands of a frame as the estimator labels them.  Out: the same hands, sides settled.

The one idea: a hand that moves on from where it was is the same hand, so its side is a belief that
gathers over time. A label that flips for a frame or two (a fist seen from below, motion blur: up
to 130 ms in the test clips) bends the belief but does not turn it; a wrong first guess is soon
outweighed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gesturectl.types import Hand, Side

# A belief is the log-odds of "right", within ±FULL; labels that are sure take TURN_US to bring it
# from full to none. The longest false run in the test clips is two frames of 67 ms.
FULL = 3.0
TURN_US = 250_000
FIRST_US = 50_000  # what the first sight of a hand counts for
MEMORY_US = 300_000  # a hand lost for longer is a new one
# Between frames a palm moved by up to 2.6 of its lengths in 67 ms (swipes in the test clips).
REACH, REACH_PER_US = 1.0, 40e-6
# One hand found twice: palms 0.3 to 0.5 apart with the same label. Two hands: 1.1 and more.
SAME_HAND = 0.6
SWAP = 1.0  # how much more right the left of two hands must be before they change sides


@dataclass(frozen=True, slots=True)
class Track:
    """One hand over time: where its palm is, how long that is, what side it is held to be."""

    x_px: float
    y_px: float
    palm_px: float
    belief: float
    side: Side
    t_us: int


def settle(
    tracks: tuple[Track, ...],
    hands: Sequence[Hand],
    t_us: int,
    size_px: tuple[int, int],
    most: int = 2,
) -> tuple[tuple[Track, ...], tuple[Hand, ...]]:
    """Return the tracks after this frame and its hands, `most` of them.

    No two of one side, where there can be but two; of more hands it is not known here whose they
    are.
    """
    tracks = tuple(track for track in tracks if t_us - track.t_us <= MEMORY_US)
    seen = _without_doubles([(hand, _sighting(hand, t_us, size_px)) for hand in hands], most)
    earlier = _pair(tracks, [now for _, now in seen])
    now = [_gather(before, sight) for before, (_, sight) in zip(earlier, seen, strict=True)]
    if len(now) == 2 and most <= 2:
        now = _apart(now, earlier)
    settled = tuple(
        hand
        if track.side == hand.side
        else replace(hand, side=track.side, score=max(0.0, 1.0 - hand.score))
        for (hand, _), track in zip(seen, now, strict=True)
    )
    lost = [track for track in tracks if not any(track is before for before in earlier)]
    return (*now, *lost), settled


def _sighting(hand: Hand, t_us: int, size_px: tuple[int, int]) -> Track:
    points = hand.image[:, :2] * np.asarray(size_px, np.float32)
    x, y = points[[0, 5, 9, 13, 17]].mean(axis=0)
    palm = max(np.linalg.norm(points[0] - points[9]), np.linalg.norm(points[5] - points[17]))
    p = min(max(hand.score, 0.05), 0.95)
    evidence = math.log(p / (1 - p))
    belief = evidence if hand.side == "right" else -evidence
    return Track(float(x), float(y), max(float(palm), 1.0), belief, hand.side, t_us)


def _distance(a: Track, b: Track) -> float:
    """How far apart two palms are, in lengths of the larger one."""
    return math.hypot(a.x_px - b.x_px, a.y_px - b.y_px) / max(a.palm_px, b.palm_px)


def _without_doubles(seen: list[tuple[Hand, Track]], most: int) -> list[tuple[Hand, Track]]:
    """Drop the second finding of one hand, then all but the surest of each frame.

    Where more than two are looked for a hand is often found twice, also with two labels.
    """
    kept: list[tuple[Hand, Track]] = []
    for hand, sight in sorted(seen, key=lambda pair: -pair[0].score):
        double = any(
            (hand.side == other.side or most > 2) and _distance(sight, place) < SAME_HAND
            for other, place in kept
        )
        if not double:
            kept.append((hand, sight))
    return kept[:most]


def _pair(tracks: tuple[Track, ...], sights: list[Track]) -> list[Track | None]:
    """Return for each sight the track that it continues: nearest pairs first, within reach."""
    pairs = sorted(
        (_distance(track, sight), i, j)
        for i, track in enumerate(tracks)
        for j, sight in enumerate(sights)
        if _distance(track, sight) <= REACH + REACH_PER_US * (sight.t_us - track.t_us)
    )
    found: list[Track | None] = [None] * len(sights)
    used: set[int] = set()
    for _, i, j in pairs:
        if i not in used and found[j] is None:
            found[j] = tracks[i]
            used.add(i)
    return found


def _gather(before: Track | None, sight: Track) -> Track:
    """Add what this frame says to what is believed of the hand."""
    old, since_us = (before.belief, sight.t_us - before.t_us) if before else (0.0, FIRST_US)
    belief = old + sight.belief * min(since_us / TURN_US, 1.0)
    belief = min(max(belief, -FULL), FULL)
    return replace(sight, belief=belief, side="right" if belief > 0 else "left")


def _apart(pair: list[Track], earlier: list[Track | None]) -> list[Track]:
    """Give two hands two sides.

    By belief; where that hardly differs, as they were; and where both are new, as they are in the
    picture: the camera sees the user's right hand on its left.
    """
    first, second = pair
    lead = first.belief - second.belief
    if abs(lead) > SWAP:
        first_is_right = lead > 0
    elif earlier[0] is not None:
        first_is_right = earlier[0].side == "right"
    elif earlier[1] is not None:
        first_is_right = earlier[1].side == "left"
    else:
        first_is_right = first.x_px < second.x_px
    sides: tuple[Side, Side] = ("right", "left") if first_is_right else ("left", "right")
    return [replace(track, side=side) for track, side in zip(pair, sides, strict=True)]
