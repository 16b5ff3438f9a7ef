"""Angles of joints that are bent on purpose, and of people whose angles are known."""

from __future__ import annotations

import numpy as np
import pytest

from gesturectl.joints import JOINTS, STEADY_US, Goniometer, measure
from gesturectl.kinematics import (
    HAND_SHAPES,
    INDEX,
    SHANK_M,
    STRAIGHT_OUT,
    THIGH_M,
    Stance,
    figure,
    hand_points,
    turn,
)
from gesturectl.places import Seen
from gesturectl.types import Body, Hand, Subject
from tests.sensing import STANDING_M, bent, body, elbow_bent, frame, hand, knee_bent

X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
RIGHT_ARM = [14, 16, 18, 20, 22]
TRUNK = [*range(23)]


def angle(joint: str, who: Body | Hand, subject: Subject = "body") -> float | None:
    return measure(joint, Seen(frame(0, who)), subject)


@pytest.mark.parametrize(
    ("joint", "degrees"),
    [
        ("left_elbow", 180),
        ("right_knee", 180),
        ("left_shoulder", 0),
        ("right_shoulder_abduction", 0),
        ("right_shoulder_flexion", 0),
        ("trunk", 0),
        ("trunk_forward", 0),
        ("trunk_right", 0),
        ("shoulders_right", 0),
        ("neck_forward", 0),
        ("head_right", 0),
        ("head_turn_right", 0),
        ("head_up", 0),
    ],
)
def test_who_stands_upright_is_at_the_neutral_position(joint: str, degrees: float) -> None:
    assert angle(joint, body()) == pytest.approx(degrees, abs=0.1)


@pytest.mark.parametrize("to", [30.0, 90.0, 150.0])
def test_a_bend_is_the_angle_between_the_bones(to: float) -> None:
    assert angle("left_knee", body(knee_bent(to))) == pytest.approx(to, abs=0.01)
    assert angle("right_knee", body(knee_bent(to))) == pytest.approx(180, abs=0.1)
    assert angle("right_elbow", body(elbow_bent(to))) == pytest.approx(to, abs=0.01)


@pytest.mark.parametrize("to", [-20.0, 30.0, 90.0, 150.0, 190.0])
def test_an_arm_raised_sideways_is_abducted(to: float) -> None:
    # The user's right is at smaller x, up at smaller y: raising it sideways turns it clockwise.
    raised = body(bent(12, RIGHT_ARM, Z, to))
    assert angle("right_shoulder_abduction", raised) == pytest.approx(to, abs=0.01)
    assert angle("right_shoulder", raised) == pytest.approx(min(abs(to), 360 - to), abs=0.01)


@pytest.mark.parametrize("to", [-30.0, 45.0, 90.0, 170.0])
def test_an_arm_raised_forward_is_flexed(to: float) -> None:
    raised = body(bent(12, RIGHT_ARM, X, -to))
    assert angle("right_shoulder_flexion", raised) == pytest.approx(to, abs=0.01)
    assert angle("right_shoulder", raised) == pytest.approx(abs(to), abs=0.01)


def test_an_arm_straight_ahead_has_no_abduction() -> None:
    assert angle("right_shoulder_abduction", body(bent(12, RIGHT_ARM, X, -88))) is None


@pytest.mark.parametrize(
    ("joint", "moved", "about", "axis", "turned"),
    [
        ("trunk_forward", TRUNK, (0.0, 0.0, 0.0), X, 25.0),
        ("trunk_right", TRUNK, (0.0, 0.0, 0.0), Z, -20.0),
        ("head_right", [*range(11)], (0.0, -0.5, 0.0), Z, -15.0),
        ("head_turn_right", [*range(11)], (0.0, -0.5, 0.0), Y, 30.0),
        ("head_up", [*range(11)], (0.0, -0.7, 0.0), X, -20.0),
        ("shoulders_right", [*range(11, 23)], (0.0, -0.5, 0.0), Z, -10.0),
    ],
)
def test_signs_are_the_users_own(
    joint: str, moved: list[int], about: tuple[float, ...], axis: tuple[float, ...], turned: float
) -> None:
    points = STANDING_M.copy()
    points[moved] = (points[moved] - about) @ turn(axis, np.deg2rad(turned)).T + about
    assert angle(joint, body(points)) == pytest.approx(abs(turned), abs=0.5)


# --- against the puppet, whose angles are known ---


def puppet(drop_m: float, lean_deg: float) -> Body:
    stance = Stance(np.array([0.0, 2.5]), STRAIGHT_OUT, STRAIGHT_OUT, drop_m, np.deg2rad(lean_deg))
    points = figure(stance).body
    return body(points - (points[23] + points[24]) / 2)


@pytest.mark.parametrize("drop_m", [0.1, 0.2, 0.4])
def test_knees_of_a_squatting_puppet_follow_from_its_bones(drop_m: float) -> None:
    points = figure(
        Stance(np.array([0.0, 2.5]), STRAIGHT_OUT, STRAIGHT_OUT, drop_m, np.deg2rad(30))
    ).body
    reach = float(np.linalg.norm(points[23] - points[27]))
    cosine = (THIGH_M**2 + SHANK_M**2 - reach**2) / (2 * THIGH_M * SHANK_M)
    knee = angle("left_knee", puppet(drop_m, 30.0))
    assert knee == pytest.approx(np.rad2deg(np.arccos(cosine)), abs=0.05)


def test_a_leaning_puppet_leans_as_far_as_it_was_told() -> None:
    assert angle("trunk", puppet(0.3, 30.0)) == pytest.approx(30.0, abs=0.05)
    assert angle("trunk_forward", puppet(0.3, 30.0)) == pytest.approx(30.0, abs=0.05)


@pytest.mark.parametrize("bend", [0.0, 60.0, 180.0, 240.0])
def test_a_finger_is_bent_by_the_sum_of_its_joints(bend: float) -> None:
    angles = HAND_SHAPES["open_palm"].copy()
    angles[INDEX] = (0.0, bend / 3, bend / 3, bend / 3)
    points = hand_points(angles).astype(np.float32)
    found = angle("index_finger", Hand("right", 1.0, points, points), "right")
    # A straight finger leaves the line of its metacarpal by some degrees.
    assert found == pytest.approx(bend, abs=13.0)


def test_fingers_of_a_fist_are_bent_far_and_those_of_a_palm_hardly() -> None:
    for finger in ("index_finger", "middle_finger", "ring_finger", "little_finger"):
        closed = angle(finger, hand(shape="fist"), "right")
        straight = angle(finger, hand(shape="open_palm"), "right")
        assert closed is not None and closed > 200
        assert straight is not None and straight < 40


# --- what is in sight ---


def test_without_metres_the_picture_counts() -> None:
    flat = body(elbow_bent(70), metres=False)
    assert angle("right_elbow", flat) == pytest.approx(70, abs=0.1)
    assert angle("trunk_forward", flat) is None


def test_a_joint_whose_points_are_not_visible_is_not_measured() -> None:
    assert angle("left_knee", body(unseen=[27])) is None
    assert angle("right_knee", body(unseen=[27])) is not None


def test_shoulders_are_measured_at_a_desk_that_hides_the_hips() -> None:
    seated = body(bent(12, RIGHT_ARM, Z, 60), unseen=[23, 24, 25, 26, 27, 28])
    assert angle("right_shoulder_abduction", seated) == pytest.approx(60, abs=0.1)


def test_a_hand_has_no_knees_and_a_body_no_fingers() -> None:
    assert angle("left_knee", hand(), "right") is None
    assert angle("index_finger", body()) is None


def test_points_that_fall_together_have_no_angle() -> None:
    nowhere = Body(np.ones((33, 4), np.float32), np.zeros((33, 3), np.float32))
    assert {
        joint: angle(joint, nowhere) for joint in ("left_knee", "trunk", "head_turn_right")
    } == {
        "left_knee": None,
        "trunk": None,
        "head_turn_right": None,
    }


def test_every_joint_says_what_it_means() -> None:
    for spec in JOINTS.values():
        assert spec.says[0].isupper() and spec.says.endswith(".")


# --- over time ---


def readings(*angles: float | None, fps: int = 30) -> list[float | None]:
    meter = Goniometer(["left_knee"])
    read = []
    for index, one in enumerate(angles):
        shown = () if one is None else (body(knee_bent(one)),)
        meter.step(Seen(frame(round(index * 1e6 / fps), *shown)))
        steady = meter.read("left_knee", "body")
        read.append(None if steady is None else round(steady))
    return read


def test_a_newcomer_is_believed_after_a_moment() -> None:
    assert readings(90, 90, 90) == [None, None, 90]


def test_one_odd_frame_changes_nothing() -> None:
    assert readings(90, 90, 90, 170, 90, 90)[2:] == [90, 90, 90, 90]
    assert readings(90, 90, 90, 170, 90, 90, fps=15)[2:] == [90, 90, 90, 90]


def test_a_short_loss_keeps_the_angle_and_a_long_one_forgets_it() -> None:
    assert readings(90, 90, 90, None, None, None, None, None)[2:7] == [90, 90, 90, 90, 90]
    assert readings(90, 90, 90, None, None, None, None, None)[7] is None
    assert STEADY_US < 150_000
