"""People who teach gestures of their own: small ones, held ones, with one hand, two or an arm.

Each take begins and ends at rest, at a place, size and speed of its own, and joints are a little
off, as an estimator has them. `stream` puts takes and ordinary behaviour one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.random import Generator

from gesturectl import kinematics
from gesturectl.kinematics import HAND_SHAPES, Array, minimum_jerk
from gesturectl.taught import Taught, refit
from gesturectl.types import Body, Float32, Hand, Observation, Take
from training import synth

SIZE_PX = (640, 480)
FOCAL = 0.9  # of the image's width
REST_S = 0.6

REST = HAND_SHAPES["rest"]
HOOK = np.array([62, 18, 0, -4, -14, 0, 8, 95, 60, 0, 8, 95, 60, 0, 82, 98, 55, 0, 82, 98, 55.0])
"""Thumb out, index and middle finger bent to hooks: nothing of the catalog."""


def _bump(u: Array, times: int = 1) -> Array:
    """Go there and back, so many times, over u in 0..1."""
    return np.sin(np.pi * times * np.clip(u, 0, 1)) ** 2


def _shown(u: Array) -> Array:
    """Go there, stay, and come back."""
    return minimum_jerk(u * 6) - minimum_jerk((u - 5 / 6) * 6)


Part = tuple[Array, Array]  # angles (T, 21) in degrees and the wrist's way (T, 3) in metres


def tap(u: Array) -> Part:
    """The index finger of a pointing hand taps twice; nothing else moves."""
    angles = np.tile(HAND_SHAPES["point_up"], (len(u), 1))
    angles[:, 6:9] += _bump(u, 2)[:, None] * [40, 25, 15]
    return angles, np.zeros((len(u), 3))


def hook(u: Array) -> Part:
    """Two hooked fingers are shown and held."""
    s = _shown(u)[:, None]
    return REST + s * (HOOK - REST), s * [0.0, -0.05, 0.0]


def zigzag(u: Array) -> Part:
    """An open hand draws a Z in the air."""
    corners = np.array([[0, 0, 0], [0.16, 0, 0], [0.0, 0.13, 0], [0.16, 0.13, 0], [0, 0, 0]])
    way = np.zeros((len(u), 3))
    for i in range(4):
        way += minimum_jerk(u * 4 - i)[:, None] * (corners[i + 1] - corners[i])
    return np.tile(HAND_SHAPES["open_palm"], (len(u), 1)), way


def meet(u: Array) -> Part:
    """The hand goes inward and back: done with both, they meet."""
    return np.tile(REST, (len(u), 1)), _bump(u)[:, None] * [0.13, 0.0, 0.0]


GESTURES: Mapping[str, tuple[Callable[[Array], Part], float, tuple[str, ...]]] = MappingProxyType(
    {
        "tap": (tap, 0.8, ("right",)),
        "hook": (hook, 1.8, ("right",)),
        "zigzag": (zigzag, 1.4, ("right",)),
        "meet": (meet, 0.9, ("right", "left")),
    }
)


def seen(points_m: Array, rng: Generator) -> Float32:
    """Hands (T, 21, 3) in metres as the image shows them, joints a little off."""
    x, y, z = np.moveaxis(points_m, -1, 0)
    depth = (z - z[..., :1]) / z[..., :1]
    aspect = SIZE_PX[0] / SIZE_PX[1]
    image = np.stack([0.5 + FOCAL * x / z, 0.5 + FOCAL * aspect * y / z, FOCAL * depth], axis=-1)
    return (image + rng.normal(0, 0.0015, image.shape)).astype(np.float32)


def hand_take(
    name: str,
    rng: Generator,
    *,
    fps: float = 30.0,
    sides: tuple[str, ...] | None = None,
    idle: str | None = None,
) -> Take:
    """One take of a gesture, by the hands that make it or `sides`; `idle` only lies in view."""
    make, seconds, own = GESTURES[name]
    seconds *= rng.uniform(0.85, 1.2)
    n = round((seconds + 2 * REST_S) * fps)
    u = np.clip((np.arange(n) / fps - REST_S) / seconds, 0, 1)
    angles, way = make(u)
    return _filmed(angles + rng.normal(0, 3, 21), way, sides or own, rng, fps=fps, idle=idle)


def resting(seconds: float, rng: Generator, sides: tuple[str, ...] = ("right",)) -> Take:
    """A hand that does nothing at all."""
    n = round(seconds * 30)
    return _filmed(np.tile(REST, (n, 1)), np.zeros((n, 3)), sides, rng)


def _filmed(
    angles: Array,
    way: Array,
    sides: tuple[str, ...],
    rng: Generator,
    *,
    fps: float = 30.0,
    idle: str | None = None,
) -> Take:
    n, distance = len(angles), rng.uniform(0.5, 0.7)
    points = kinematics.hand_points(angles, rng.uniform(0.9, 1.1))
    facing = kinematics.turn([0, 0, 1], rng.normal(0, 0.08)) @ kinematics.PALM_OUT
    home = np.array([-0.16 + rng.normal(0, 0.02), rng.normal(0.03, 0.02), distance])
    images: dict[str, Float32] = {}
    for side in (*sides, *((idle,) if idle else ())):
        moved = way if side in sides else np.zeros((n, 3))
        shape = points if side in sides else kinematics.hand_points(np.tile(REST, (n, 1)))
        placed = kinematics.place_hand(shape, facing, home + moved)
        images[side] = seen(placed if side == "right" else kinematics.mirrored(placed), rng)
    return [
        Observation(
            round((i + 1) * 1e6 / fps),
            tuple(Hand(side, 1.0, image[i]) for side, image in images.items()),  # type: ignore[arg-type]
            (),
            SIZE_PX,
        )
        for i in range(n)
    ]


def raise_take(rng: Generator, wrists: tuple[int, ...] = (15, 16), fps: float = 30.0) -> Take:
    """A body, of which no hand is found, lifts its wrists (15 left, 16 right) and lowers them."""
    points = np.full((33, 4), 0.5, np.float32)
    points[:, 3] = 0.95
    for i, x in ((11, 0.6), (12, 0.4), (13, 0.65), (14, 0.35), (15, 0.66), (16, 0.34)):
        points[i, :2] = x, 0.4 + 0.15 * ((i - 11) // 2)
    points[[19, 20], :2] = points[[15, 16], :2] + [0, 0.04]
    points[[23, 24], :2] = (0.57, 0.9), (0.43, 0.9)
    seconds = rng.uniform(0.9, 1.2)
    n = round((seconds + 2 * REST_S) * fps)
    u = np.clip((np.arange(n) / fps - REST_S) / seconds, 0, 1)
    take = []
    for i, lift in enumerate(_bump(u)):
        image = points.copy()
        for wrist in wrists:
            image[[wrist, wrist + 4], 1] -= 0.5 * lift
            image[wrist - 2, 1] -= 0.15 * lift
        image[:, :2] += rng.normal(0, 0.003, (33, 2))
        take.append(Observation(round((i + 1) * 1e6 / fps), (), (Body(image),), SIZE_PX))
    return take


def ordinary_hand(rng: Generator, seconds: float = 30.0) -> Take:
    """Somebody types, drinks, scratches, talks with the hands, reaches for things."""
    stream = synth.hand_stream(rng, seconds, 0.0, synth.POSELESS)
    square = (1000, 1000)  # synthesis measures in image heights: so do these pictures
    return [
        Observation(int(t) + 1, (Hand("right", 1.0, points),), (), square)
        for t, points in zip(stream.t_us.tolist(), stream.points, strict=True)
    ]


def later(
    takes: Iterable[Take], pause_us: int = 500_000
) -> Iterator[tuple[int, list[Observation]]]:
    """Put takes one after another, with nobody in view between them; yield when each begins."""
    t_us = 10_000_000
    for take in takes:
        moved = [replace(o, t_us=o.t_us - take[0].t_us + t_us) for o in take]
        yield t_us, moved
        t_us = moved[-1].t_us + pause_us


def stream(takes: Iterable[Take], pause_us: int = 500_000) -> list[Observation]:
    """Put takes one after another, with nobody in view between them."""
    return [o for _, moved in later(takes, pause_us) for o in moved]


@cache
def samples(takes: int = 5) -> Mapping[str, list[Take]]:
    """Takes of all gestures and of a body that lifts its arms, always the same."""
    rng = np.random.default_rng(1)
    taken: dict[str, list[Take]] = {
        name: [hand_take(name, rng) for _ in range(takes)] for name in GESTURES
    }
    return taken | {"lift": [raise_take(rng) for _ in range(takes)]}


@cache
def known() -> Taught:
    """All gestures, taught with five takes each and what is shipped."""
    return refit(samples())
