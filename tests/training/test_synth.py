"""Synthetic people: what is labelled is what is done, and one seed tells one story."""

from __future__ import annotations

import numpy as np
import pytest

from gesturectl import features
from training import synth

SEEDS = range(6)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def hands() -> list[synth.HandStream]:
    return [synth.hand_stream(rng(seed), 40.0, 0.7) for seed in SEEDS]


@pytest.fixture(scope="module")
def arms() -> list[synth.ArmStream]:
    return [synth.arm_stream(rng(seed), 40.0, 0.7) for seed in SEEDS]


def test_stamps_grow_at_the_rate_of_a_camera(
    hands: list[synth.HandStream], arms: list[synth.ArmStream]
) -> None:
    for stream in (*hands, *arms):
        gaps_us = np.diff(stream.t_us)
        assert gaps_us.min() > 0
        assert 1e6 / 65 < np.median(gaps_us) < 1e6 / 12
        assert len(stream.t_us) == len(stream.label)


def test_labels_are_null_ignored_or_a_motion(
    hands: list[synth.HandStream], arms: list[synth.ArmStream]
) -> None:
    known = {synth.IGNORE, synth.NULL, *range(1, len(synth.MOTIONS) + 1)}
    push = synth.MOTIONS.index("push") + 1
    assert all(set(stream.label.tolist()) <= known for stream in hands)
    assert all(set(stream.label.tolist()) <= known - {push} for stream in arms)


def test_all_motions_are_made_and_each_shows_nothing_before_it(
    hands: list[synth.HandStream],
) -> None:
    label = np.concatenate([stream.label for stream in hands])
    assert set(range(1, len(synth.MOTIONS) + 1)) <= set(label.tolist())
    before = label[np.flatnonzero((label[1:] > 0) & (label[:-1] <= 0))]
    assert set(before.tolist()) <= {synth.IGNORE, synth.NULL}


def test_points_and_signals_are_finite_and_of_the_features_form(
    hands: list[synth.HandStream], arms: list[synth.ArmStream]
) -> None:
    for hand in hands:
        assert hand.points.shape == (len(hand.t_us), 21, 3)
        assert hand.points.dtype == np.float32
        assert np.isfinite(features.hand_signals(hand.points)).all()
    for arm in arms:
        assert arm.signals.shape == (len(arm.t_us), features.ARM_SIGNAL_SIZE)
        assert np.isfinite(arm.signals).all()


def test_a_hand_without_gestures_makes_none() -> None:
    for seed in SEEDS:
        label = synth.hand_stream(rng(seed), 20.0, 0.0).label
        assert set(label.tolist()) <= {synth.NULL, synth.IGNORE}


def test_the_same_seed_is_the_same_person_and_another_is_another() -> None:
    one, same, other = (synth.hand_stream(rng(seed), 5.0) for seed in (1, 1, 2))
    assert one.t_us.tobytes() == same.t_us.tobytes()
    assert one.points.tobytes() == same.points.tobytes()
    assert one.label.tobytes() == same.label.tobytes()
    assert one.points.tobytes() != other.points.tobytes()
    first, again = (synth.arm_stream(rng(3), 5.0) for _ in range(2))
    assert first.signals.tobytes() == again.signals.tobytes()


def test_a_stroke_goes_where_its_name_says(hands: list[synth.HandStream]) -> None:
    """Over all strokes of a name, the hand moves that way while it is labelled so."""
    for name, (dx, dy) in synth.STROKES.items():
        which, ways = synth.MOTIONS.index(name) + 1, []
        for stream in hands:
            at = np.flatnonzero(stream.label == which)
            for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1):
                # From where it may still be ignored: the label comes when the stroke is clear.
                if len(run) > 2 and run[0] > 2:
                    way = stream.points[run[-1], 9, :2] - stream.points[run[0] - 2, 9, :2]
                    ways.append(float(way @ [dx, dy]))
        assert ways
        assert np.median(ways) > 0


@pytest.mark.parametrize("name", synth.POSES)
def test_poses_differ_from_one_to_the_next_and_stay_finite(name: str) -> None:
    points = synth.pose_samples(rng(), name, 20).astype(np.float32)
    assert points.shape == (20, 21, 3)
    shapes = features.hand_shapes(points)
    assert np.isfinite(shapes).all()
    assert shapes.std(axis=0).max() > 0.01


def test_hands_that_show_nothing_and_bodies_are_finite() -> None:
    assert np.isfinite(synth.no_pose_samples(rng(), 200)).all()
    for name in (None, *synth.BODY_POSES):
        points = synth.body_samples(rng(), name, 10)
        assert points.shape == (10, 33, 4)
        assert np.isfinite(features.body_shapes(points)).all()
        assert points[..., 3].min() >= 0
        assert points[..., 3].max() <= 1


def test_a_mirrored_gesture_mirrored_again_is_itself() -> None:
    for name in synth.MOTIONS:
        assert features.mirrored(features.mirrored(name)) == name
        # The recogniser undoes at run time what training does here.
        assert (features.mirrored(name) != name) == (
            name.startswith("circle") or name in {"swipe_left", "swipe_right"}
        )


@pytest.mark.parametrize("bow", [0.0, 0.5, -1.5])
def test_a_calm_move_is_calm_however_far_it_is_bowed(bow: float) -> None:
    start = synth.Hand3d(np.array([0.0, 0.0, 1.0]), np.eye(3)[1], np.eye(3)[2], np.zeros(21))
    take = synth.Take(rng(), start, calm_m_s=0.33)
    take.go(0.1, np.array([0.12, 0.05, 1.0]), bow=bow)
    path = np.concatenate([start.wrist[None], take.moves[0].wrist])
    way_m = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
    assert way_m == pytest.approx(0.13 * synth.bowed_length(bow), rel=0.01)
    assert take.seconds == pytest.approx(way_m / 0.33, rel=0.03)
