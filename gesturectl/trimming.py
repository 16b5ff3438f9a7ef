"""What of a take is the gesture: the movement of a stroke, or the held part of a pose.

In: a take, as it was recorded from rest to rest. Out: first and last frame of the gesture.

    movement      ____/^^\\_/^\\____          ____/^\\_____________/^\\___
    held            |        |              |      |----------|
                  stroke: all that moves    pose: what is held in between

Movement is measured against the take's own stillness, so that small ones count as well: a finger
that is lifted by a centimetre stands out of a hand that rests as much as a swipe out of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gesturectl import features
from gesturectl.types import Float32, Float64, Take
from gesturectl.views import PALMS_PER_SHOULDERS, SIDES

Kind = Literal["pose", "motion"]

_SPAN = 3  # movement is what happens within 100 ms
_FOREMOST = 3  # points of a hand that move most: a single finger is enough
_MOVES = 0.2  # of the greatest movement, above rest
_STILL_PALMS = 0.12  # estimators let the points of a hand at rest jump by half of this
_HELD = 0.55  # of the time a pose is held at least, where a take shows little else
_HELD_BETWEEN = 0.35  # of the time from the approach's first movement to the return's last
_MARGIN_STEPS = 2
_MIN_STEPS = 9  # 300 ms

Bools = NDArray[np.bool_]


def only(take: Take, part: str) -> Take:
    """Return a take with nothing but its hands ("hand") or bodies ("body"), else as it is."""
    match part:
        case "hand":
            return [replace(o, bodies=()) for o in take]
        case "body":
            return [replace(o, hands=()) for o in take]
    return take


def trim_all(takes: Sequence[Take]) -> tuple[Kind, list[tuple[int, int]]]:
    """Tell whether these takes of one gesture hold a pose or make a stroke; most of them decide.

    Returns with it the first and the last frame of what each shows; all of it where nobody is seen.
    """
    moved = [_movement(take) for take in takes]
    held = sum(_is_held(moves, seen) for moves, seen in moved)
    kind: Kind = "pose" if 2 * held > len(takes) else "motion"
    return kind, [_trim(take, kind, *both) for take, both in zip(takes, moved, strict=True)]


def trim(take: Take) -> tuple[int, int]:
    """Return the first and the last frame of what one take shows, as `trim_all` does."""
    return trim_all([take])[1][0]


def _trim(take: Take, kind: Kind, moves: Float64, seen: Bools) -> tuple[int, int]:
    if not seen.any():
        return 0, len(take) - 1
    if kind == "pose":
        moving = seen & _moving(moves)
        first, last = _held_between(moving, seen)
        if last - first + 1 < _MIN_STEPS:
            first, last = _longest(seen & ~moving)
    else:
        (steps,) = np.nonzero(seen & _moving(moves))
        if not len(steps):
            (steps,) = np.nonzero(seen)
        first, last = int(steps[0]) - _SPAN - _MARGIN_STEPS, int(steps[-1]) + _MARGIN_STEPS
    lacking = max(_MIN_STEPS - (last - first), 0)
    first, last = first - (lacking + 1) // 2, last + (lacking + 1) // 2
    t_us = np.array([o.t_us for o in take], np.int64)
    begin = int(t_us[0]) // features.STEP_US
    at = (np.array([first, last], np.int64) + begin) * features.STEP_US
    a, b = np.searchsorted(t_us, at)
    last_frame = len(take) - 1
    return min(int(a), last_frame), min(max(int(b), int(a)), last_frame)


def _movement(take: Take) -> tuple[Float64, Bools]:
    """Return, for each grid step of a take, how much moves (G,) in palm sizes, and who is seen."""
    begin = take[0].t_us // features.STEP_US
    n = take[-1].t_us // features.STEP_US - begin + 1
    moves, seen = np.zeros(n), np.zeros(n, bool)
    for t_us, points in _signals(take):
        flat = points.reshape(len(points), -1)
        steps, values = features.resample(np.array(t_us, np.int64), flat)
        if not len(steps):
            continue
        at = values.reshape(len(steps), -1, 2)
        earlier = at[np.searchsorted(steps, steps - _SPAN)]
        way = np.sqrt(((at - earlier) ** 2).sum(-1))
        foremost = np.sort(way, axis=1)[:, -_FOREMOST:].mean(1)
        excess = foremost - np.quantile(foremost, 0.2)
        where = steps - begin
        moves[where] = np.maximum(moves[where], excess)
        seen[where] = True
    return moves, seen


def _signals(take: Take) -> list[tuple[list[int], Float32]]:
    """Return stamps and points (T, P, 2), in palm sizes, of each hand and arm that is seen."""
    told: list[tuple[list[int], Float32]] = []
    for side in SIDES:
        seen = {o.t_us: h for o in take for h in o.hands if h.side == side}
        if seen:
            points = features.hand_points(list(seen.values()), take[0].size_px)
            _, size = features.palm_frame(points)
            told.append((list(seen), points[..., :2] / np.median(size)))
    bodies = [
        (o.t_us, features.body_points(o.bodies[0].image, o.size_px)) for o in take if o.bodies
    ]
    if bodies:
        points = np.stack([body for _, body in bodies])
        for body in (points, features.mirror_body(points)):
            wrist = features.arm_signals(body)[:, None, :2] * np.float32(PALMS_PER_SHOULDERS)
            told.append(([t for t, _ in bodies], wrist))
    return told


def _moving(moves: Float64) -> Bools:
    peak = float(moves.max())
    return moves > max(_MOVES * peak, _STILL_PALMS)


def _is_held(moves: Float64, seen: Bools) -> bool:
    """Tell whether most of a take is still, or what lies between its first and last movement."""
    if not seen.any():
        return False
    moving = seen & _moving(moves)
    first, last = _longest(seen & ~moving)
    if last - first + 1 >= max(_HELD * float(seen.sum()), 1):
        return True
    first, last = _held_between(moving, seen)
    moved = np.flatnonzero(moving)
    extent = int(moved[-1] - moved[0]) if len(moved) else 0
    return last - first + 1 >= max(_HELD_BETWEEN * extent, _MIN_STEPS)


def _held_between(moving: Bools, seen: Bools) -> tuple[int, int]:
    """Return the longest stillness between two movements; (0, -1) where there is none."""
    moved = np.flatnonzero(moving)
    if not len(moved):
        return 0, -1
    inside = seen & ~moving
    inside[: moved[0]] = inside[moved[-1] :] = False
    return _longest(inside)


def _longest(marks: Bools) -> tuple[int, int]:
    """Return the first and the last of the longest run; (0, -1) where there is none."""
    edges = np.flatnonzero(np.diff(np.r_[False, marks, False].astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    if not len(starts):
        return 0, -1
    best = int((stops - starts).argmax())
    return int(starts[best]), int(stops[best]) - 1
