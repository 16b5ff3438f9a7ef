"""Single hands that show a pose of the catalog, or nothing of it."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from gesturectl.catalog import catalog
from gesturectl.kinematics import (
    FACINGS,
    HAND_SHAPES,
    PALM_OUT,
    Array,
    hand_facing,
    hand_points,
    hand_shape,
    turn,
)
from training.synth.chance import Y, Z, disturb, hand_proportions, random_rotation

POSES = [g.name for g in catalog().values() if g.kind == "pose" and "hand" in g.seen_by]


def _project(points: Array, rng: Generator) -> Array:
    """See hands (n, 21, 3) in metres from 0.3 to 2 m; return image points, wrist at z = 0."""
    n = len(points)
    distance = np.exp(rng.uniform(np.log(0.3), np.log(2.0), n))[:, None]
    place = rng.uniform(-0.35, 0.35, (n, 1, 2)) * distance[:, None]
    depth = distance + points[..., 2]
    xy = (points[..., :2] + place) / depth[..., None]
    z = (points[..., 2] - points[:, :1, 2]) / distance
    return np.concatenate([xy, z[..., None]], axis=2)


THUMB_BESIDE = np.array([10.0, 35.0, 10.0, 12.0, 8.0])  # straight along the side of a fist
TILT_DEG = {"fist": 45.0, "ok": 25.0, "pinch": 30.0, "thumb_up": 24.0, "thumb_down": 24.0}


def turned_about(rng: Generator, name: str, n: int) -> Array:
    """Return facings (n, 3, 3) of a pose, with the freedom that its meaning leaves.

    A thumb up is a thumb up from the palm's side, the back's and the front; a fist is one from
    anywhere. The other poses show their palm.
    """
    base = np.broadcast_to(hand_facing(name), (n, 3, 3))
    if name in ("thumb_up", "thumb_down"):
        return turn(Y, rng.uniform(-np.pi, np.pi, n)) @ base
    if name == "fist":
        free = turn(Y, rng.uniform(-np.pi, np.pi, n)) @ turn(Z, np.deg2rad(rng.normal(0, 60, n)))
        return np.where(rng.random((n, 1, 1)) < 0.6, free @ base, base)
    return base


def pose_samples(rng: Generator, name: str, n: int) -> Array:
    """Return (n, 21, 3) image points of right hands that show a pose of the catalog."""
    variants = [key for key in HAND_SHAPES if key.split("/")[0] == name] or [name]
    angles = np.stack([hand_shape(variants[i]) for i in rng.integers(len(variants), size=n)])
    angles = angles + rng.normal(0, 7, angles.shape)
    if name in ("fist", "thumb_up", "thumb_down", "call_me"):  # loosely closed is closed
        bent = angles[:, 5:] > 40
        angles[:, 5:] -= np.where(bent, rng.uniform(0, 25, (n, 1)), 0)
    if name == "fist":  # its thumb lies across the fingers or beside them
        beside = rng.uniform(0, 1, (n, 1)) * (rng.random((n, 1)) < 0.6)
        angles[:, :5] += beside * (THUMB_BESIDE - angles[:, :5])
    if name == "pinch":  # the fingers that do not pinch may do as they like, short of straight
        angles[:, 9:] += rng.uniform(-15, 30, (n, 1)) * (angles[:, 9:] > 20)
    rotation = random_rotation(rng, n, TILT_DEG.get(name, 17.0)) @ turned_about(rng, name, n)
    return _photographed(angles, rotation, rng)


def _photographed(angles: Array, rotation: Array, rng: Generator) -> Array:
    """See hands of these angles (n, 21), each with its own proportions: (n, 21, 3)."""
    points = hand_proportions(hand_points(angles), rng)
    return disturb(_project(points @ rotation.transpose(0, 2, 1), rng), rng)


_OPEN, _SHUT = np.array([4.0, 6, 4]), np.array([80.0, 95, 50])
_FINGERS = {  # index, middle, ring, little: straight fingers of every pose of the catalog
    (0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 1, 1), (1, 0, 0, 1), (0, 0, 0, 1)
}  # fmt: skip


def no_pose_samples(rng: Generator, n: int) -> Array:
    """Return (n, 21, 3) image points of right hands that show nothing of the catalog.

    A third are finger combinations outside it, a third are half-way shapes and relaxed hands,
    and a third are poses turned so far that they mean something else.
    """
    third = n // 3
    parts = (_other_fingers(rng, third), _halfway(rng, third), _turned_away(rng, n - 2 * third))
    angles, rotation = (np.concatenate(some) for some in zip(*parts, strict=True))
    return _photographed(angles + rng.normal(0, 6, angles.shape), rotation, rng)


def _other_fingers(rng: Generator, n: int) -> tuple[Array, Array]:
    """Return angles (n, 21) and rotations of hands with other fingers straight than in any pose."""
    combos = [c for c in np.ndindex(2, 2, 2, 2) if c not in _FINGERS]
    straight = np.array([combos[i] for i in rng.integers(len(combos), size=n)])
    angles = np.tile(HAND_SHAPES["fist"], (n, 1))
    angles[:, :5] = np.where(
        rng.random((n, 1)) < 0.5, HAND_SHAPES["fist"][:5], HAND_SHAPES["open_palm"][:5]
    )
    for finger in range(4):
        bends = np.where(straight[:, finger, None] == 1, _OPEN, _SHUT)
        angles[:, 6 + 4 * finger : 9 + 4 * finger] = bends
    return angles, random_rotation(rng, n, 20) @ PALM_OUT


def _halfway(rng: Generator, n: int) -> tuple[Array, Array]:
    """Return angles (n, 21) and rotations of hands at rest, and half-way between two poses."""
    # Between a fist and a thumb there is no line to draw: leave that to the photographs.
    shapes = [hand_shape(name) for name in POSES if name not in ("thumb_up", "thumb_down")]
    table = np.stack([*shapes, *[HAND_SHAPES["rest"]] * 8])
    a, b = (table[rng.integers(len(table), size=n)] for _ in range(2))
    half = a + rng.uniform(0.4, 0.6, (n, 1)) * (b - a)
    relaxed = HAND_SHAPES["rest"] + rng.normal(0, 9, (n, 21))
    rest = rng.random(n) < 0.6
    facings = np.stack(list(FACINGS.values()))[rng.integers(len(FACINGS), size=n)]
    alike = np.abs(a - b).mean(1) <= 14
    angles = np.where((rest | alike)[:, None], relaxed, half)
    return angles, random_rotation(rng, n, 35) @ facings


def _turned_away(rng: Generator, n: int) -> tuple[Array, Array]:
    """Return angles (n, 21) and rotations of hands in a pose, too far turned to show it."""
    names = np.array([p for p in POSES if p != "fist"])[rng.integers(len(POSES) - 1, size=n)]
    angles = np.stack([hand_shape(name) for name in names])
    base = np.stack([hand_facing(name) for name in names])
    axis = np.where(rng.random((n, 1)) < 0.25, Y, Z)
    sign = np.where(rng.random(n) < 0.5, -1, 1)
    away = turn(axis, sign * np.deg2rad(rng.uniform(75, 150, n)))
    # A thumb turned upside down is the other thumb gesture: keep those sideways.
    thumbs = np.isin(names, ["thumb_up", "thumb_down"])
    away[thumbs] = turn(Z, sign * np.deg2rad(rng.uniform(65, 115, n)))[thumbs]
    return angles, random_rotation(rng, n, 10) @ away @ base
