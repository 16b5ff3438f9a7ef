"""Single bodies that show a pose of the catalog, or nothing of it."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from gesturectl import kinematics as figures
from gesturectl.catalog import catalog
from gesturectl.kinematics import HAND_SHAPES, PALM_OUT, Array, turn
from gesturectl.types import Float32
from training.synth.arms import HANG, SHOULDER
from training.synth.chance import Y, random_rotation

BODY_POSES = [g.name for g in catalog().values() if g.seen_by == ("body",)]


def body_samples(rng: Generator, name: str | None, n: int) -> Float32:
    """Return (n, 33, 4) image points of bodies that show a pose, or None of them."""
    return np.stack([_body(rng, name) for _ in range(n)]).astype(np.float32)


def _body(rng: Generator, name: str | None) -> Array:
    shown = name
    if name is None and rng.random() < 0.3:  # one arm of a pose is no pose
        shown = "arms_up" if rng.random() < 0.5 else "t_pose"
    single = rng.integers(2)
    # Both arms half out, below or above the horizontal: on the way to a pose, and none.
    slope = np.deg2rad(rng.uniform(25, 65)) * rng.choice([-1, 1]) if rng.random() < 0.2 else None
    arms = []
    for side in range(2):
        raised = shown in ("arms_up", "t_pose") and (name is not None or side == single)
        straight = figures.BODY_POSES[shown][0] if shown and raised else None
        wrist = _body_wrist(rng, name, straight, slope)
        pole = figures.HANGING.pole + rng.normal(0, 0.2, 3)
        if straight is not None:
            pole = straight.pole + rng.normal(0, 0.2, 3)
        arms.append(figures.Arm(wrist, pole, PALM_OUT, HAND_SHAPES["rest"]))
    drop = rng.uniform(0.30, 0.50) if name == "squat" else rng.choice([0, rng.uniform(0, 0.12)])
    lean = rng.uniform(0.2, 0.8) if name == "squat" else rng.normal(0, 0.08)
    stance = figures.Stance(np.zeros(2), arms[0], arms[1], drop, lean)
    return _film_body(figures.figure(stance).body, rng, whole=name == "squat")


def _body_wrist(
    rng: Generator, name: str | None, straight: figures.Arm | None, slope: float | None
) -> Array:
    """Return where a wrist is (3,): of a `straight` arm, on the way there, or elsewhere."""
    if straight is not None:
        reach = straight.wrist + rng.normal(0, 0.07, 3) - SHOULDER
        wrist: Array = SHOULDER + reach * rng.uniform(0.82, 1.05)
    elif name is None and slope is not None:
        reach = np.array([-np.cos(slope), np.sin(slope), rng.uniform(-0.3, 0)])
        wrist = SHOULDER + reach * rng.uniform(0.42, 0.55)
    elif name == "squat" or rng.random() < 0.5:
        wrist = (HANG, figures.STRAIGHT_AHEAD.wrist)[rng.integers(2)] + rng.normal(0, 0.08, 3)
    else:  # anywhere but up or out
        wrist = np.array([rng.uniform(-0.45, 0.2), rng.uniform(-0.2, 0.55), rng.uniform(-0.4, 0)])
    return wrist


def _film_body(points: Array, rng: Generator, *, whole: bool) -> Array:
    """See a body (33, 3) in metres as a camera and an estimator do: (33, 4).

    Unless it is to be seen as a `whole`, the picture often ends at the waist or the thighs.
    """
    points = points @ random_rotation(rng, 1, 9)[0].T
    points = points @ turn(Y, np.deg2rad(rng.normal(0, 18))).T
    depth = rng.uniform(1.5, 4.0)
    flat = points[:, :2] / (1 + points[:, 2:] / depth) / depth
    size = np.linalg.norm(flat[11] - flat[12])
    flat = flat + rng.normal(0, rng.uniform(0.01, 0.05), flat.shape) * size
    visible = np.clip(rng.normal(0.95, 0.06, 33), 0, 1)
    if not whole and rng.random() < 0.55:
        edge = flat[[23, 25][rng.integers(2)], 1] + rng.normal(0, 0.02)
        hidden = flat[:, 1] > edge
        visible[hidden] *= rng.uniform(0, 0.4)
        flat[hidden] += rng.normal(0, 0.5, (int(hidden.sum()), 2)) * size
    return np.concatenate([flat, points[:, 2:] / depth, visible[:, None]], axis=1)
