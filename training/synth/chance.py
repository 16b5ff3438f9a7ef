"""What differs from one person to the next and from one try to the next, and how far."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from gesturectl.kinematics import Array, turn

X, Y, Z = np.eye(3)  # of the camera; see `kinematics`


def random_rotation(rng: Generator, n: int, degrees: float | Array) -> Array:
    """Return (n, 3, 3) rotations about random axes by normally distributed angles."""
    return turn(rng.normal(size=(n, 3)), np.deg2rad(rng.normal(size=n) * degrees))


def disturb(points: Array, rng: Generator, amount: float = 1.0) -> Array:
    """Disturb image points (n, 21, 3) as an estimator does: joints, and the scale of z."""
    n = len(points)
    size = np.linalg.norm(points[:, 9] - points[:, 0], axis=1)[:, None, None]
    sigma = rng.uniform(0.005, 0.03, (n, 1, 1)) * amount
    noise = rng.normal(size=points.shape) * size * sigma * np.array([1, 1, 2.0])
    out: Array = points + noise
    out[..., 2] *= np.exp(rng.normal(0, 0.25 * amount, (n, 1)))
    return out


def hand_proportions(points: Array, rng: Generator) -> Array:
    """Give hands (n, 21, 3) their own bone lengths: each bone ±6 %, each finger ±5 %."""
    n = len(points)
    factor = np.exp(rng.normal(0, 0.06, (n, 21)))
    factor[:, 1:] *= np.repeat(np.exp(rng.normal(0, 0.05, (n, 5))), 4, axis=1)
    out = points.copy()
    for joint in range(1, 21):
        before = 0 if joint % 4 == 1 else joint - 1  # each finger begins at the wrist
        bone = points[:, joint] - points[:, before]
        out[:, joint] = out[:, before] + bone * factor[:, joint, None]
    return out


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """Return a number between two, each doubling as likely as the next."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def facing_near(rng: Generator, base: Array, degrees: float) -> Array:
    """Return a rotation (3, 3) about so many degrees off another."""
    facing: Array = random_rotation(rng, 1, degrees)[0] @ base
    return facing


def place_near(rng: Generator, near: Array, size: float) -> Array:
    """Return a place (3,) in the box of this half width about another, flat toward the camera."""
    place: Array = near + rng.uniform(-1, 1, 3) * np.array([size, size, size * 0.4])
    return place
