"""Numbers that mean the same for everyone: what they ignore, and what they tell apart."""

from __future__ import annotations

import numpy as np
import pytest

from gesturectl import features, kinematics
from gesturectl.features import MAX_GAP_US, STEP_US, Track
from gesturectl.types import Hand, Side

SQUARE_PX = (480, 480)


def shown(name: str, side: Side = "right") -> Hand:
    """A hand that shows a pose, a third of a square picture high."""
    points = kinematics.place_hand(
        kinematics.hand_points(kinematics.hand_shape(name)), kinematics.hand_facing(name), [0, 0, 0]
    )
    if side == "left":
        points = kinematics.mirrored(points)
    return Hand(side, 0.9, (0.5 + points * 2).astype(np.float32))


def shape(hand: Hand, size_px: tuple[int, int] = SQUARE_PX) -> np.ndarray:
    return features.hand_shapes(features.hand_points([hand], size_px))[0]


def person(right: kinematics.Arm, left: kinematics.Arm, drop_m: float = 0.0) -> np.ndarray:
    """A standing body as float32 (33, 4), 2 m high in a picture of 2.5 m."""
    stance = kinematics.Stance(np.zeros(2), right, left, drop_m)
    points = kinematics.figure(stance).body / 2.5 + [0.5, 0.9, 0.0]
    return np.concatenate([points, np.ones((33, 1))], axis=1).astype(np.float32)


# --- hands --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["open_palm", "fist", "thumb_up", "thumb_down", "ok"])
def test_a_left_hand_has_the_shape_of_the_right_one_in_a_mirror(name: str) -> None:
    assert shape(shown(name, "left")) == pytest.approx(shape(shown(name)), abs=1e-5)


def test_the_same_hand_in_a_wide_picture_has_the_same_shape() -> None:
    hand = shown("victory")
    squeezed = hand.image * np.array([480 / 640, 1, 480 / 640], np.float32)
    wide = Hand("right", 0.9, squeezed.astype(np.float32))
    assert shape(wide, (640, 480)) == pytest.approx(shape(hand), abs=1e-4)


def test_hands_of_one_picture_are_described_as_each_alone() -> None:
    both = [shown("fist"), shown("horns", "left")]
    together = features.hand_shapes(features.hand_points(both, SQUARE_PX))
    assert together == pytest.approx(np.stack([shape(hand) for hand in both]), abs=1e-6)


def test_thumb_up_and_thumb_down_have_one_shape_and_two_directions() -> None:
    # The last six numbers are the palm's axes in the picture; those before are about the fingers.
    up, down = shape(shown("thumb_up")), shape(shown("thumb_down"))
    assert up[:-6] == pytest.approx(down[:-6], abs=0.02)
    assert np.abs(up[-6:] - down[-6:]).max() > 0.3


def test_fingers_curl_from_straight_to_rolled_up() -> None:
    straight, rolled, pointing = (
        features.curls(features.hand_points([shown(name)], SQUARE_PX))[0]
        for name in ("open_palm", "fist", "point_up")
    )
    assert straight.max() < 0.1
    assert rolled[1:].min() > 0.3
    assert pointing[1] < 0.1
    assert pointing[2:].min() > 0.3


def test_points_that_all_coincide_have_a_finite_shape() -> None:
    nowhere = Hand("right", 0.9, np.full((21, 3), 0.5, np.float32))
    assert np.isfinite(shape(nowhere)).all()
    assert np.isfinite(features.hand_signals(features.hand_points([nowhere], SQUARE_PX))).all()


def test_the_sizes_are_as_announced() -> None:
    points = features.hand_points([shown("fist"), shown("ok")], SQUARE_PX)
    assert features.hand_shapes(points).shape == (2, features.HAND_SHAPE_SIZE)
    assert features.hand_signals(points).shape == (2, features.HAND_SIGNAL_SIZE)
    body = person(kinematics.HANGING, kinematics.HANGING)[None]
    assert features.body_shapes(body).shape == (1, features.BODY_SHAPE_SIZE)
    assert features.arm_signals(body).shape == (1, features.ARM_SIGNAL_SIZE)
    for arm, size in ((False, features.HAND_MOTION_SIZE), (True, features.ARM_MOTION_SIZE)):
        signals = features.ARM_SIGNAL_SIZE if arm else features.HAND_SIGNAL_SIZE
        t_us = np.arange(5) * STEP_US
        _, motion = features.motion_batch(t_us, np.zeros((5, signals), np.float32), arm=arm)
        assert motion.shape == (5, size)
        assert motion.dtype == np.float32


# --- bodies -------------------------------------------------------------------------------------


def test_a_mirrored_twice_body_is_itself() -> None:
    body = person(kinematics.STRAIGHT_UP, kinematics.HANGING)[None]
    assert (features.mirror_body(features.mirror_body(body)) == body).all()


def test_the_left_arm_is_the_right_one_of_the_mirrored_body() -> None:
    raised, hanging = kinematics.STRAIGHT_OUT, kinematics.HANGING
    right = person(right=raised, left=hanging)[None]
    left = person(right=hanging, left=raised)[None]
    mirrored = features.arm_signals(features.mirror_body(left))
    assert mirrored == pytest.approx(features.arm_signals(right), abs=1e-5)


def test_a_body_turned_sideways_keeps_its_unit_of_length() -> None:
    body = person(kinematics.HANGING, kinematics.HANGING)
    turned = body.copy()
    turned[:, 0] = 0.5 + (turned[:, 0] - 0.5) * 0.1  # hardly any width is left
    front, side = (features.arm_signals(one[None])[0, 1] for one in (body, turned))
    assert 0.6 < front / side < 1.6


def test_knees_that_bend_and_hips_that_sink_are_told() -> None:
    standing, low = (
        features.body_shapes(person(kinematics.HANGING, kinematics.HANGING, drop)[None])[0]
        for drop in (0.0, 0.45)
    )
    assert np.abs(standing - low).max() > 0.5


# --- time ---------------------------------------------------------------------------------------


def ramp(t_us: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """A hand signal that grows by one every second, in all its numbers."""
    stamps = np.array(t_us, np.int64)
    signals = np.repeat((stamps / 1e6)[:, None], features.HAND_SIGNAL_SIZE, axis=1)
    return stamps, signals.astype(np.float32)


def test_resampling_reads_between_the_frames() -> None:
    steps, values = features.resample(*ramp([0, 50_000, 90_000, 170_000]))
    assert steps.tolist() == [0, 1, 2, 3, 4, 5]
    assert values[:, 0] == pytest.approx(steps * STEP_US / 1e6, abs=1e-6)


def test_the_grid_does_not_move_with_the_first_frame() -> None:
    steps, _ = features.resample(*ramp([STEP_US + 1, STEP_US + 40_000]))
    assert steps.tolist() == [2]


def test_a_loss_of_150_ms_is_bridged_and_a_longer_one_is_not() -> None:
    bridged, _ = features.resample(*ramp([0, MAX_GAP_US]))
    assert bridged.tolist() == [0, 1, 2, 3, 4]
    apart, _ = features.resample(*ramp([0, MAX_GAP_US + 1, 6 * STEP_US]))
    assert apart.tolist() == [0, 5, 6]


def test_motion_starts_afresh_after_a_loss_that_is_too_long() -> None:
    stamps, signals = ramp(list(range(0, 20 * STEP_US, STEP_US)))
    twice = np.concatenate([stamps, stamps + 40 * STEP_US])
    _, motion = features.motion_batch(twice, np.concatenate([signals, signals]), arm=False)
    assert (motion[20:] == motion[:20]).all()


def test_no_frames_give_no_motion() -> None:
    stamps, signals = ramp([])
    steps, motion = features.motion_batch(stamps, signals.reshape(0, 14), arm=False)
    assert len(steps) == len(motion) == 0
    assert motion.shape[1] == features.HAND_MOTION_SIZE


def test_a_frame_between_two_steps_completes_none() -> None:
    track, (stamps, signals) = Track(), ramp([0, 10_000, 20_000, 70_000])
    done = [track.push(int(t), s) for t, s in zip(stamps, signals, strict=True)]
    assert [[moment.step for moment in moments] for moments in done] == [[0], [], [], [1, 2]]


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_an_even_stroke_has_the_same_speed_at_every_frame_rate(fps: int) -> None:
    _, motion = features.motion_batch(*ramp([round(i * 1e6 / fps) for i in range(fps)]), arm=False)
    assert motion[20:, :8].std(axis=0).max() < 0.3
    reference = features.motion_batch(*ramp(list(range(0, 1_000_000, 5_000))), arm=False)[1]
    n = min(len(motion), len(reference))
    assert motion[:n] == pytest.approx(reference[:n], abs=1e-3)


def test_the_other_of_left_is_right() -> None:
    assert [features.other("left"), features.other("right")] == ["right", "left"]
