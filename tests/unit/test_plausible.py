"""A person is a body that stands or sits like one; a lone arm is none."""

from __future__ import annotations

import numpy as np
import pytest

from gesturectl.landmarks.plausible import is_person
from gesturectl.types import Body, Hand

SIZE_PX = (640, 480)


def person(**moved: tuple[float, float]) -> Body:
    """Someone who faces the camera, shoulders 150 px wide; named points may be elsewhere."""
    points = {
        "nose": (320, 120),
        "left_eye": (335, 108),
        "right_eye": (305, 108),
        "left_mouth": (332, 140),
        "right_mouth": (308, 140),
        "left_shoulder": (395, 200),
        "right_shoulder": (245, 200),
        "left_wrist": (430, 400),
        "right_wrist": (210, 400),
        "left_hip": (370, 420),
        "right_hip": (270, 420),
    } | moved
    index = {
        "nose": 0,
        "left_eye": 2,
        "right_eye": 5,
        "left_mouth": 9,
        "right_mouth": 10,
        "left_shoulder": 11,
        "right_shoulder": 12,
        "left_wrist": 15,
        "right_wrist": 16,
        "left_hip": 23,
        "right_hip": 24,
    }
    image = np.zeros((33, 4), np.float32)
    image[:, 3] = 1.0
    for name, (x, y) in points.items():
        image[index[name], :2] = x / SIZE_PX[0], y / SIZE_PX[1]
    return Body(image)


def hand(wrist: tuple[float, float], palm_px: float) -> Hand:
    image = np.zeros((21, 3), np.float32)
    x, y = wrist
    image[:, :2] = x, y - palm_px
    image[0, :2] = wrist
    image[5, :2], image[17, :2] = (x + palm_px / 2, y - palm_px), (x - palm_px / 2, y - palm_px)
    image[:, :2] /= SIZE_PX
    return Hand("right", 0.9, image)


def test_someone_facing_the_camera_is_a_person() -> None:
    assert is_person(person(), (), SIZE_PX)


def test_someone_at_a_desk_with_hips_below_the_picture_is_a_person() -> None:
    body = person(left_hip=(370, 560), right_hip=(270, 560))
    body.image[[23, 24], 3] = 0.0
    assert is_person(body, (), SIZE_PX)


def test_someone_turned_to_the_side_is_a_person() -> None:
    assert is_person(person(left_shoulder=(345, 200), right_shoulder=(295, 200)), (), SIZE_PX)


def test_a_hand_of_its_size_at_its_wrist_speaks_for_a_person() -> None:
    assert is_person(person(), (hand((210, 400), 40),), SIZE_PX)


def test_a_palm_as_large_as_the_trunk_at_its_wrist_speaks_against_it() -> None:
    assert not is_person(person(), (hand((210, 400), 160),), SIZE_PX)


def test_a_large_hand_far_from_the_body_is_someone_elses() -> None:
    assert is_person(person(), (hand((900, 900), 160),), SIZE_PX)


@pytest.mark.parametrize("part", [0, 11, 12], ids=["nose", "left shoulder", "right shoulder"])
def test_without_head_or_shoulders_there_is_no_person(part: int) -> None:
    body = person()
    body.image[part, 3] = 0.3
    assert not is_person(body, (), SIZE_PX)


@pytest.mark.parametrize(
    "body",
    [
        person(nose=(320, 260)),
        person(left_hip=(370, 60), right_hip=(270, 60)),
        person(left_hip=(700, 210), right_hip=(600, 210)),
        person(left_eye=(332, 140), right_eye=(308, 140), left_mouth=(332, 108)),
        person(left_shoulder=(325, 200), right_shoulder=(315, 200)),
        person(left_mouth=(332, 250), right_mouth=(308, 250)),
    ],
    ids=["head in the chest", "upside down", "lying", "crooked face", "no width", "long face"],
)
def test_no_person_is_built_like_that(body: Body) -> None:
    assert not is_person(body, (), SIZE_PX)


def test_all_points_in_one_place_are_no_person() -> None:
    image = np.full((33, 4), 0.5, np.float32)
    assert not is_person(Body(image), (), SIZE_PX)
