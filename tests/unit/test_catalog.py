"""The catalog is what the profile language, the puppet and the models agree on."""

from __future__ import annotations

import re

import pytest

from gesturectl.catalog import Gesture, catalog
from gesturectl.kinematics import BODY_POSES, HAND_SHAPES, MOTIONS

GESTURES = list(catalog().values())


def test_it_is_read_once_and_keeps_the_order_of_the_file() -> None:
    assert catalog() is catalog()
    assert list(catalog())[:2] == ["open_palm", "fist"]
    assert list(catalog())[-1] == "squat"


@pytest.mark.parametrize("gesture", GESTURES, ids=lambda gesture: gesture.name)
def test_every_row_is_whole(gesture: Gesture) -> None:
    assert catalog()[gesture.name] is gesture
    assert re.fullmatch(r"[a-z][a-z0-9_]*", gesture.name)
    assert gesture.kind in {"pose", "motion"}
    assert gesture.seen_by in {("hand",), ("body",), ("hand", "body")}
    assert gesture.says
    assert not gesture.says.endswith(".")


@pytest.mark.parametrize("gesture", GESTURES, ids=lambda gesture: gesture.name)
def test_every_gesture_can_be_acted(gesture: Gesture) -> None:
    if gesture.kind == "motion":
        assert gesture.name in MOTIONS
    elif gesture.seen_by == ("body",):
        assert gesture.name in BODY_POSES
    else:
        assert gesture.name in HAND_SHAPES or gesture.name == "thumb_down"


def test_nothing_is_said_twice() -> None:
    says = [gesture.says for gesture in GESTURES]
    assert len(set(says)) == len(says)
