"""Hands and bodies of rigid bones: whatever the joints do, they stay anatomy."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from gesturectl.catalog import catalog
from gesturectl.kinematics import (
    BODY_POSES,
    FOREARM_M,
    HAND_ANGLES,
    HAND_SHAPES,
    HANGING,
    HIP_HEIGHT_M,
    MOTIONS,
    PALM_OUT,
    PALM_WIDTH_M,
    UPPER_ARM_M,
    Arm,
    Array,
    Stance,
    blend_rotation,
    facing,
    figure,
    hand_facing,
    hand_points,
    hand_shape,
    minimum_jerk,
    mirrored,
    place_hand,
    turn,
    two_bones,
)

FINGERS = [(0, 1, 2, 3, 4), *[(0, a, a + 1, a + 2, a + 3) for a in (5, 9, 13, 17)]]
HAND_BONES = [pair for chain in FINGERS for pair in pairwise(chain)]
LIMBS = [(11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27), (24, 26), (26, 28)]


def lengths(points: Array, bones: list[tuple[int, int]]) -> Array:
    a, b = np.array(bones).T
    return np.linalg.norm(points[..., a, :] - points[..., b, :], axis=-1)


def standing(arm: Arm, drop_m: float = 0.0, lean_rad: float = 0.0) -> Stance:
    return Stance(np.zeros(2), arm, arm, drop_m, lean_rad)


def test_no_joint_angle_stretches_a_bone_of_the_hand() -> None:
    anyhow = np.random.default_rng(0).uniform(-60, 120, (500, HAND_ANGLES))
    straight = lengths(hand_points(np.zeros(HAND_ANGLES)), HAND_BONES)
    np.testing.assert_allclose(
        lengths(hand_points(anyhow), HAND_BONES), np.tile(straight, (500, 1)), atol=1e-12
    )


def test_a_hand_grows_in_all_its_bones_alike() -> None:
    shape = hand_shape("victory")
    np.testing.assert_allclose(hand_points(shape, 1.2), 1.2 * hand_points(shape))


def test_turning_and_mirroring_keep_a_hand_rigid() -> None:
    hand = hand_points(hand_shape("ok"))
    turned = place_hand(mirrored(hand), turn((1.0, 2.0, -1.0), 1.3), (0.1, -0.4, 2.0))
    np.testing.assert_allclose(lengths(turned, HAND_BONES), lengths(hand, HAND_BONES), atol=1e-12)


def test_every_hand_pose_of_the_catalog_has_a_shape() -> None:
    for gesture in catalog().values():
        if gesture.kind == "pose" and "hand" in gesture.seen_by:
            assert hand_shape(gesture.name).shape == (HAND_ANGLES,)
    assert all(name.split("/")[0] in {*catalog(), "rest"} for name in HAND_SHAPES)


def test_every_motion_and_body_pose_of_the_catalog_can_be_acted() -> None:
    assert set(MOTIONS) == {g.name for g in catalog().values() if g.kind == "motion"}
    assert set(BODY_POSES) == {
        g.name for g in catalog().values() if g.kind == "pose" and g.seen_by == ("body",)
    }


@pytest.mark.parametrize(
    ("name", "raised"),
    [
        ("open_palm", {8, 12, 16, 20}),
        ("fist", set()),
        ("point_up", {8}),
        ("victory", {8, 12}),
        ("three", {8, 12, 16}),
        ("three/thumb", {8, 12}),
        ("four", {8, 12, 16, 20}),
        ("thumb_up", set()),
        ("call_me", {20}),
        ("horns", {8, 20}),
        ("ok", {12, 16, 20}),
    ],
)
def test_the_fingers_that_a_pose_raises_reach_past_their_middle_joints(
    name: str, raised: set[int]
) -> None:
    hand = hand_points(hand_shape(name))
    up = {tip for tip in (8, 12, 16, 20) if hand[tip, 1] > hand[tip - 2, 1] + 0.01}
    assert up == raised


@pytest.mark.parametrize(("name", "touching"), [("ok", True), ("pinch", True), ("four", False)])
def test_thumb_and_index_touch_in_ok_and_pinch_only(name: str, touching: bool) -> None:
    hand = hand_points(hand_shape(name))
    # Tips are centres of finger ends some 14 mm thick.
    assert bool(np.linalg.norm(hand[4] - hand[8]) < 0.25 * PALM_WIDTH_M) == touching


def test_a_right_palm_before_the_camera_has_its_thumb_toward_larger_x() -> None:
    hand = place_hand(hand_points(hand_shape("open_palm")), PALM_OUT, np.zeros(3))
    assert hand[4, 0] > hand[20, 0]
    assert hand[12, 1] < hand[0, 1]  # fingers up: y grows downward


def test_the_thumb_points_up_in_thumb_up_and_down_in_thumb_down() -> None:
    for name, sign in (("thumb_up", -1.0), ("thumb_down", 1.0)):
        hand = place_hand(hand_points(hand_shape(name)), hand_facing(name), np.zeros(3))
        thumb = hand[4] - hand[2]
        assert sign * thumb[1] > 0.8 * np.linalg.norm(thumb)


def test_a_stroke_starts_and_ends_at_rest() -> None:
    u = np.array([0.0, 1e-4, 1.0 - 1e-4, 1.0])
    s = minimum_jerk(u)
    assert s[0] == 0.0
    assert s[3] == 1.0
    assert (s[1] - s[0]) / 1e-4 < 1e-6
    assert (s[3] - s[2]) / 1e-4 < 1e-6
    assert minimum_jerk(0.5) == pytest.approx(0.5)
    assert np.diff(minimum_jerk(np.linspace(0, 1, 999))).max() * 998 == pytest.approx(1.875, 1e-3)


@pytest.mark.parametrize("name", MOTIONS)
def test_every_motion_starts_and_ends_at_rest(name: str) -> None:
    motion = MOTIONS[name]
    for a, b in ((0.0, 1e-4), (1.0 - 1e-4, 1.0)):
        assert np.abs(motion.path(b) - motion.path(a)).max() < 1e-6
        assert np.abs(motion.swing(b) - motion.swing(a)) < 1e-6


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("swipe_left", (1, 0, 0)),  # the user's left is the image's right
        ("swipe_right", (-1, 0, 0)),
        ("swipe_up", (0, -1, 0)),
        ("swipe_down", (0, 1, 0)),
        ("push", (0, 0, -1)),
    ],
)
def test_strokes_go_where_the_user_would_say(name: str, direction: tuple[int, int, int]) -> None:
    path = MOTIONS[name].path(np.array([0.0, 1.0]))
    np.testing.assert_allclose(path[1] - path[0], direction, atol=1e-12)


def test_circles_turn_as_the_user_sees_them_and_close() -> None:
    for name, sign in (("circle_cw", -1.0), ("circle_ccw", 1.0)):
        x, y, _ = MOTIONS[name].path(np.linspace(0, 1, 200)).T
        # The image shows the user's right on its left, so the user's clockwise is its contrary.
        area = 0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])
        assert sign * area == pytest.approx(np.pi, rel=0.01)
        assert (x[0], y[0]) == pytest.approx((x[-1], y[-1]), abs=1e-9)


def test_no_stance_stretches_an_arm_or_a_leg() -> None:
    usual = lengths(figure(standing(HANGING)).body, LIMBS)
    rng = np.random.default_rng(1)
    for _ in range(200):
        arm = Arm(
            rng.uniform(-0.9, 0.9, 3), rng.normal(size=3), hand_facing("fist"), hand_shape("fist")
        )
        body = figure(standing(arm, rng.uniform(0, 0.5), rng.uniform(-0.2, 0.7))).body
        np.testing.assert_allclose(lengths(body, LIMBS), usual, atol=1e-9)


def test_an_arm_reaches_what_is_near_and_stops_short_of_what_is_far() -> None:
    near, far, down = np.array([0.2, 0.3, -0.1]), np.array([3.0, 0.0, 0.0]), np.array([0, 1.0, 0])
    _, wrist = two_bones(np.zeros(3), near, UPPER_ARM_M, FOREARM_M, down)
    np.testing.assert_allclose(wrist, near, atol=1e-9)
    elbow, wrist = two_bones(np.zeros(3), far, UPPER_ARM_M, FOREARM_M, down)
    assert np.linalg.norm(wrist) <= UPPER_ARM_M + FOREARM_M
    assert wrist[0] > 0.99 * (UPPER_ARM_M + FOREARM_M)
    assert elbow[1] >= 0.0  # bent the way it was told


def test_both_sides_of_a_person_are_mirror_images() -> None:
    seen = figure(standing(BODY_POSES["t_pose"][0]))
    np.testing.assert_allclose(seen.left, mirrored(seen.right), atol=1e-12)
    np.testing.assert_allclose(seen.body[11:33:2], mirrored(seen.body[12:33:2]), atol=1e-12)
    assert seen.body[12, 0] < 0 < seen.body[11, 0]  # the user's right is the image's left


def test_body_poses_look_like_their_names() -> None:
    up, out, low = (
        figure(standing(*BODY_POSES[name])).body for name in ("arms_up", "t_pose", "squat")
    )
    assert (up[[15, 16], 1] < up[0, 1] - 0.2).all()
    assert (np.abs(out[[13, 14, 15, 16], 1] - out[11, 1]) < 0.06).all()
    assert (low[[23, 24], 1] > -0.6 * HIP_HEIGHT_M).all()
    assert (low[[25, 26], 2] < low[[23, 24], 2] - 0.2).all()  # knees before the hips


def test_a_turn_between_two_facings_is_a_rotation_all_the_way() -> None:
    start, end = facing((0, 1, 0), (0, 0, 1)), facing((0, -1, 0), (0, 0, -1))  # a half turn
    for u in np.linspace(0, 1, 11):
        r = blend_rotation(start, end, float(u))
        np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(r) == pytest.approx(1.0)
    np.testing.assert_allclose(blend_rotation(start, end, 1.0), end, atol=1e-9)


def test_it_imports_nothing_but_numpy() -> None:
    code = "import sys, gesturectl.kinematics; print('cv2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
