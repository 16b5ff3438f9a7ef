"""Whole gestures: what is told of them, what is learned, and what is counted."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("jax", reason="training needs JAX: pip install .[train]")

from gesturectl.types import Float32
from training import isolated, skeletons
from training.isolated import Network, Plan
from training.skeletons import STEPS, TELLS

EVERYTHING = tuple(TELLS)
QUICK = Plan(epochs=30, batch=16)
BRIEF = Plan(epochs=1, batch=16)


def hand(rng: np.random.Generator) -> Float32:
    """A hand (22, 3) in metres: five fingers fan out from the wrist."""
    out = np.zeros((22, 3), np.float32)
    out[1] = (0, 0.05, 0)
    for i, angle in enumerate(np.linspace(-0.6, 0.6, 5)):
        reach = np.array([0.08, 0.12, 0.15, 0.17])[:, None]
        out[2 + 4 * i : 6 + 4 * i] = reach * [np.sin(angle), np.cos(angle), 0.1 * i]
    return out + rng.normal(0, 0.002, out.shape).astype(np.float32)


def strokes(n: int, seed: int) -> tuple[list[Float32], NDArray[np.int64]]:
    """Strokes to the left or right, with open or closed fingers: labels 0 to 3."""
    rng = np.random.default_rng(seed)
    label = rng.integers(4, size=n)
    out = []
    for one in label:
        frames = int(rng.integers(20, 60))
        joints = np.repeat(hand(rng)[None], frames, 0)
        if one % 2:
            joints[:, 2:] = joints[:, 1:2] + 0.3 * (joints[:, 2:] - joints[:, 1:2])
        joints[..., 0] += (0.3 if one // 2 else -0.3) * np.linspace(0, 1, frames)[:, None]
        out.append(joints.astype(np.float32))
    return out, label


def told(recorded: list[Float32], *view: str) -> Float32:
    joints, lasted = skeletons.as_shown(skeletons.skeletons(recorded))
    return np.asarray(skeletons.described(joints, lasted, view or EVERYTHING))


# --- what is told -------------------------------------------------------------------------------


def test_neither_the_place_nor_the_size_of_a_hand_is_told() -> None:
    recorded, _ = strokes(4, seed=1)
    moved = [2.5 * one + np.array([0.4, -1.0, 2.0], np.float32) for one in recorded]
    assert told(moved) == pytest.approx(told(recorded), abs=1e-3)


def test_the_shape_of_a_hand_is_told_whichever_way_the_palm_is_turned() -> None:
    recorded, _ = strokes(4, seed=2)
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    turned = [one @ turn for one in recorded]
    for name in ("shape", "distances", "opening"):
        assert told(turned, name) == pytest.approx(told(recorded, name), abs=1e-3)
    for name in ("axes", "path", "motion"):
        assert told(turned, name) != pytest.approx(told(recorded, name), abs=1e-2)


def test_a_gesture_keeps_its_ends_however_long_it_lasted() -> None:
    recorded, _ = strokes(3, seed=3)
    gestures = skeletons.skeletons([recorded[0][:7], recorded[1]])
    joints, lasted = skeletons.as_shown(gestures)
    assert joints.shape == (2, STEPS, 22, 3)
    assert joints[0, 0] == pytest.approx(gestures.joints[0, 0])
    assert joints[0, -1] == pytest.approx(gestures.joints[0, 6])
    assert lasted[0] < lasted[1]


def test_a_disturbed_gesture_is_another_one_yet_much_the_same() -> None:
    recorded, _ = strokes(8, seed=4)
    gestures = skeletons.skeletons(recorded)
    shown, _ = skeletons.as_shown(gestures)
    other, _ = skeletons.disturbed(gestures, np.random.default_rng(0))
    away = np.linalg.norm(other - shown, axis=-1).mean((1, 2))
    assert away.min() > 0.02
    assert away.max() < 1.0  # hand sizes


@pytest.mark.parametrize("shape", [(1, 22, 3), (5, 21, 3), (5, 22, 2)])
def test_what_is_no_skeleton_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a gesture has"):
        skeletons.skeletons([np.zeros(shape, np.float32)])


# --- what is learned ----------------------------------------------------------------------------


@cache
def learned(seed: int, plan: Plan = QUICK, view: tuple[str, ...] = EVERYTHING) -> Network:
    recorded, label = strokes(64, seed=5)
    return isolated.fit(skeletons.skeletons(recorded), label, view, seed, plan)


def test_which_gesture_and_which_way_are_learned_together() -> None:
    recorded, label = strokes(40, seed=6)
    which, both = isolated.predicted([learned(1)], skeletons.skeletons(recorded))
    assert both.sum((1, 2)) == pytest.approx(np.ones(40), abs=1e-4)
    assert (which.argmax(1) == label // 2).mean() > 0.9
    assert (both.reshape(40, -1).argmax(1) == label).mean() > 0.9


def test_networks_are_averaged() -> None:
    gestures = skeletons.skeletons(strokes(10, seed=7)[0])
    networks = [learned(1, BRIEF, (view,)) for view in ("path", "shape")]
    alone = [isolated.predicted([one], gestures)[0] for one in networks]
    together, _ = isolated.predicted(networks, gestures)
    assert together == pytest.approx(np.mean(alone, axis=0), abs=1e-6)


def test_the_same_seed_gives_the_same_network_and_another_one_another() -> None:
    first = learned(1, BRIEF, ("path",))
    again, other = (learned.__wrapped__(seed, BRIEF, ("path",)) for seed in (1, 2))
    assert all(
        first.weights[name].tobytes() == again.weights[name].tobytes() for name in first.weights
    )
    assert first.weights["in_w"].tobytes() != other.weights["in_w"].tobytes()


def test_folding_the_normalisation_changes_no_answer() -> None:
    rng = np.random.default_rng(9)
    weights = isolated._initial(rng, 7, 2)
    for name in weights:
        if name.endswith(("_scale", "_b")):
            weights[name] += rng.normal(0, 0.3, weights[name].shape).astype(np.float32)
    x = rng.normal(3, 2, (32, STEPS, 7)).astype(np.float32)
    folded = isolated._folded(weights, x)
    wanted = isolated._forward(
        weights, isolated._normalised(x)[0], isolated._over_batch(weights), isolated._keep
    )
    for got, expected in zip(isolated._predicted(folded, x), wanted, strict=True):
        assert np.asarray(got) == pytest.approx(np.asarray(expected), abs=1e-3)


def test_every_array_that_predicts_is_counted_and_no_other_takes_part() -> None:
    network = learned(1, BRIEF, ("path",))
    inputs, width, blocks, gestures = 7, isolated.WIDTH, len(isolated.BLOCKS), 2
    linear = (inputs + 1) * width
    convolutions = blocks * (isolated.KERNEL * width + 1) * width
    heads = (2 * width + 1) * gestures * (1 + isolated.WAYS)
    assert network.parameters == linear + convolutions + heads
    gestures_shown = skeletons.skeletons(strokes(3, seed=8)[0])
    for missing in network.weights:
        rest = {name: array for name, array in network.weights.items() if name != missing}
        with pytest.raises(KeyError):
            isolated.predicted([Network(network.view, rest)], gestures_shown)
