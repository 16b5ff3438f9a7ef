"""People to be sensed: a hand and a body put where a test wants them, at any rate of frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from gesturectl.kinematics import Array, hand_points, hand_shape, place_hand, turn
from gesturectl.senses import Senses
from gesturectl.types import Began, Body, Ended, Hand, Moved, Observation, Side

SIZE_PX = (640, 480)
ASPECT = SIZE_PX[0] / SIZE_PX[1]
PALM_UP = turn((1.0, 0.0, 0.0), np.pi)  # fingers up, the palm to the camera

Look = Callable[[float], tuple[tuple[Hand, ...], tuple[Body, ...]]]
Told = tuple[int, str, str, str]


def hand(
    right: float = 0.5,
    down: float = 0.5,
    *,
    side: Side = "right",
    size: float = 0.12,
    shape: str = "open_palm",
    roll_deg: float = 0.0,
) -> Hand:
    """Return a hand whose palm's centre is here in the mirror, as fractions of the picture.

    `size` is the width of its palm in heights of the picture; it is turned clockwise by `roll_deg`
    as its owner sees it.
    """
    flip = np.array([1.0, 1.0, 1.0]) if side == "right" else np.array([-1.0, 1.0, 1.0])
    upright = place_hand(hand_points(hand_shape(shape)), PALM_UP, np.zeros(3))
    # On the unmirrored image what the owner sees turn clockwise turns the other way.
    points = upright * flip @ turn((0.0, 0.0, 1.0), -np.deg2rad(roll_deg)).T
    points -= points[[0, 5, 9, 13, 17]].mean(axis=0)
    image = points * size / 0.065
    image[:, [0, 2]] /= ASPECT
    image[:, :2] += (1 - right, down)
    return Hand(side, 0.98, image.astype(np.float32), points.astype(np.float32))


def _standing() -> Array:
    """Lay out the left half, and the right one as its mirror image."""
    points = np.zeros((33, 3))
    points[0] = (0.0, -0.70, -0.12)
    for left, right, place in (
        *((eye, eye + 3, (0.03, -0.71, -0.10)) for eye in (1, 2, 3)),
        (7, 8, (0.08, -0.70, 0.0)),
        (9, 10, (0.03, -0.64, -0.10)),
        (11, 12, (0.18, -0.50, 0.0)),
        (13, 14, (0.18, -0.20, 0.0)),
        (15, 16, (0.18, 0.06, 0.0)),
        *((index, index + 1, (0.18, 0.15, 0.0)) for index in (17, 19, 21)),
        (23, 24, (0.10, 0.0, 0.0)),
        (25, 26, (0.10, 0.42, 0.0)),
        (27, 28, (0.10, 0.85, 0.0)),
        (29, 30, (0.10, 0.90, 0.05)),
        (31, 32, (0.10, 0.91, -0.15)),
    ):
        points[left] = place
        points[right] = (-place[0], *place[1:])
    points.flags.writeable = False
    return points


STANDING_M: Array = _standing()
"""A person who stands facing the camera, arms hanging, in metres around the hips' centre."""


def body(
    points_m: Array = STANDING_M,
    *,
    right: float = 0.5,
    down: float = 0.6,
    unseen: Iterable[int] = (),
    metres: bool = True,
) -> Body:
    """Return a body whose hips are here in the mirror; a metre is half the picture's height."""
    image = np.concatenate([points_m * 0.5, np.full((33, 1), 0.99)], axis=1)
    image[:, [0, 2]] /= ASPECT
    image[:, :2] += (1 - right, down)
    image[list(unseen), 3] = 0.1
    return Body(image.astype(np.float32), points_m.astype(np.float32) if metres else None)


def bent(joint: int, moved: Iterable[int], axis: Iterable[float], angle_deg: float) -> Array:
    """Return the standing person with these points turned about a joint."""
    points = STANDING_M.copy()
    rotation = turn(np.array(list(axis)), np.deg2rad(angle_deg))
    which = list(moved)
    points[which] = (points[which] - points[joint]) @ rotation.T + points[joint]
    return points


def knee_bent(to_deg: float) -> Array:
    """Return the person with the left knee bent so that thigh and shin enclose this angle."""
    return bent(25, [27, 31], (1.0, 0.0, 0.0), 180.0 - to_deg)


def elbow_bent(to_deg: float) -> Array:
    """Return the person with the right elbow bent so that it encloses this angle."""
    return bent(14, [16, 20], (0.0, 0.0, 1.0), 180.0 - to_deg)


def frame(t_us: int, *who: Hand | Body) -> Observation:
    """Return what is seen at one time."""
    hands = tuple(one for one in who if isinstance(one, Hand))
    return Observation(t_us, hands, tuple(one for one in who if isinstance(one, Body)), SIZE_PX)


def filmed(seconds: float, look: Callable[[float], object], fps: float = 30.0) -> list[Observation]:
    """Return a film of what `look(t_s)` shows: a hand, a body, several, or None."""
    film = []
    for index in range(int(seconds * fps) + 1):
        shown = look(index / fps)
        who = shown if isinstance(shown, tuple) else () if shown is None else (shown,)
        film.append(frame(round(index * 1e6 / fps), *who))
    return film


def told(events: Iterable[Began | Ended | Moved]) -> list[Told]:
    """Return beginnings and ends as (ms, began or ended, name, whose)."""
    return [
        (event.t_us // 1000, type(event).__name__.lower(), event.gesture, event.side)
        for event in events
        if isinstance(event, Began | Ended)
    ]


def sensed(senses: Senses, film: Iterable[Observation]) -> list[Told]:
    """Return all that begins and ends in a film."""
    return [one for observation in film for one in told(senses.step(observation))]
