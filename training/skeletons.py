"""Hands that show one gesture from its start to its end, and what is told of them to a network.

    joints, any length --stretched--> STEPS moments --disturbed (training only)--> described

A gesture is made free of its place and of the hand's size. A view is a choice of what is told of
it. It decides what can be learned by heart: hands differ between people more than strokes do, so a
network that is told how the hand changes, but not its shape, knows strangers' strokes better, and
one that is told the shape knows one finger from the whole hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gesturectl.types import Float32, Float64, Int64
from training.synth import random_rotation

# The joints of a skeleton: wrist, palm, then four of each finger from the knuckle on.
JOINTS = 22
WRIST, PALM = 0, 1
INDEX, MIDDLE, RING, LITTLE = 6, 10, 14, 18
# Wrist, palm, knuckles and tips: the distances between them tell the shape of a hand.
MARKED = (0, 1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21)

STEPS = 40
USUAL_FRAMES = 48.0  # how long a gesture is told relative to this


@dataclass(frozen=True, slots=True, eq=False)
class Skeletons:
    """N gestures: `joints` (N, T, 22, 3) in hand sizes about the palm's mean place.

    `frames` (N,) is how many of the T are each gesture's own; after those the last one stays.
    """

    joints: Float32
    frames: Int64

    def __len__(self) -> int:
        return len(self.frames)

    def those(self, chosen: NDArray[Any]) -> Skeletons:
        """Return the gestures at these indices or marks."""
        return Skeletons(self.joints[chosen], self.frames[chosen])


def skeletons(recorded: Sequence[Float32]) -> Skeletons:
    """Free recorded joints, each (T, 22, 3) in metres, of place and size.

    Raises:
        ValueError: a recording has fewer than two frames or other joints.
    """
    for one in recorded:
        if len(one) < 2 or one.shape[1:] != (JOINTS, 3):
            raise ValueError(f"a gesture has (2 or more, {JOINTS}, 3) joints, not {one.shape}")
    frames = np.array([len(one) for one in recorded])
    joints = np.empty((len(frames), frames.max(), JOINTS, 3), np.float32)
    for row, one in zip(joints, recorded, strict=True):
        lengths = np.linalg.norm(one[:, (INDEX, MIDDLE, RING, LITTLE)] - one[:, :1], axis=-1)
        row[: len(one)] = (one - one[:, PALM].mean(0)) / max(float(np.median(lengths)), 1e-6)
        row[len(one) :] = row[len(one) - 1]
    return Skeletons(joints, frames)


def stretched(gestures: Skeletons, at: Float64) -> Float32:
    """Return the joints (N, S, 22, 3) at moments `at` (N, S), from 0, its start, to 1, its end."""
    last = gestures.frames[:, None] - 1
    moment = np.clip(at, 0, 1) * last
    before = np.minimum(moment.astype(np.int64), last - 1)
    after = (moment - before).astype(np.float32)[..., None, None]
    row = np.arange(len(gestures))[:, None]
    joints = gestures.joints[row, before] * (1 - after) + gestures.joints[row, before + 1] * after
    return np.asarray(joints, np.float32)


def as_shown(gestures: Skeletons) -> tuple[Float32, Float32]:
    """Return joints (N, STEPS, 22, 3) and how long each lasted (N,), a logarithm."""
    at = np.tile(np.linspace(0, 1, STEPS), (len(gestures), 1))
    return stretched(gestures, at), np.log(gestures.frames / USUAL_FRAMES).astype(np.float32)


def disturbed(gestures: Skeletons, rng: Generator) -> tuple[Float32, Float32]:
    """Return them as `as_shown` does, but as others could have shown them.

    Begun and ended otherwise, faster here and slower there, turned, further or less far, by hands
    of other proportions, and seen less well. How much was chosen on subjects held out of training.
    """
    n = len(gestures)
    start, end = rng.uniform(-0.05, 0.1, (n, 1)), 1 - rng.uniform(-0.05, 0.1, (n, 1))
    at = start + (end - start) * np.linspace(0, 1, STEPS)
    haste = rng.uniform(-0.15, 0.15, (n, 1))
    waves = rng.integers(1, 3, (n, 1))
    joints = stretched(gestures, at + haste * np.sin(np.pi * waves * at) / (np.pi * waves))
    lasted = np.log(gestures.frames / USUAL_FRAMES * (end - start)[:, 0]) + rng.normal(0, 0.1, n)

    palm = joints[:, :, PALM, None]
    hand = (joints - palm) * rng.uniform(0.9, 1.1, (n, 1, 1, 1))
    hand *= 1 + rng.normal(0, 0.03, (n, 1, JOINTS, 1))
    seen = hand + palm * np.exp(rng.normal(0, 0.15, (n, 1, 1, 1)))
    seen = seen @ random_rotation(rng, n, 17.0)[:, None]
    seen += rng.normal(0, 0.03, (n, 1, JOINTS, 3)) + rng.normal(0, 0.02, seen.shape)
    return seen.astype(np.float32), lasted.astype(np.float32)


# --- what is told -------------------------------------------------------------------------------


def _unit(v: Any) -> Any:
    return v / (jnp.linalg.norm(v, axis=-1, keepdims=True) + 1e-6)


def _palm_axes(x: Any) -> Any:
    """Return (…, 3, 3): columns toward the index finger, along the fingers, out of the palm."""
    along = _unit(x[..., MIDDLE, :] - x[..., WRIST, :])
    across = x[..., INDEX, :] - x[..., LITTLE, :]
    across = _unit(across - (across * along).sum(-1, keepdims=True) * along)
    return jnp.stack([across, along, jnp.cross(across, along)], -1)


def _change(x: Any, steps: int) -> Any:
    """Return by how much (N, S, …) changes over so many steps about each; 0 at both ends."""
    before = steps // 2
    ends = ((0, 0), (before, steps - before)) + ((0, 0),) * (x.ndim - 2)
    return jnp.pad(x[:, steps:] - x[:, :-steps], ends)


def _distances(x: Any) -> Any:
    a, b = (np.array(MARKED)[side] for side in np.triu_indices(len(MARKED), 1))
    return jnp.sqrt(((x[:, :, a] - x[:, :, b]) ** 2).sum(-1) + 1e-6)


def _shape(x: Any) -> Any:
    return jnp.einsum("nsjc,nscd->nsjd", x - x[:, :, PALM, None], _palm_axes(x))


def _path(x: Any) -> Any:
    palm = x[:, :, PALM]
    return jnp.concatenate([_about_mean(palm), palm - palm[:, :1]], -1)


def _about_mean(x: Any) -> Any:
    return x - x.mean(1, keepdims=True)


# What can be told of joints (N, S, 22, 3); each gives (N, S, …).
TELLS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "shape": _shape,  # where the joints are in the palm's own frame
        "distances": _distances,  # between the marked joints
        "opening": lambda x: _about_mean(_distances(x)),
        "axes": lambda x: _palm_axes(x)[..., :2],  # how the palm is turned
        "turning": lambda x: _about_mean(_palm_axes(x)[..., :2]),
        "path": _path,  # where the palm is, from its mean place and from the start
        "motion": lambda x: _change(x, 1),  # of every joint, from one step to the next
        "sweep": lambda x: _change(x, 4),  # of every joint, over a tenth of the gesture
    }
)


def described(joints: Any, lasted: Any, view: Sequence[str]) -> Any:
    """Tell what a view tells of joints (N, S, 22, 3), and how long (N,) they lasted: (N, S, F)."""
    n, steps = joints.shape[:2]
    told = [TELLS[name](joints).reshape(n, steps, -1) for name in view]
    return jnp.concatenate([*told, jnp.broadcast_to(lasted[:, None, None], (n, steps, 1))], -1)
