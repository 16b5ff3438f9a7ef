"""Where a hand is said to be, in the user's own directions and palm widths."""

from __future__ import annotations

from typing import Any

import pytest

from gesturectl.movement import Palms, moved
from gesturectl.places import Seen
from gesturectl.types import Moved, Observation
from tests.sensing import ASPECT, body, filmed, frame, hand


def last(film: list[Observation]) -> dict[str, Moved]:
    palms = Palms()
    found: list[Moved] = []
    for observation in film:
        seen = Seen(observation)
        palms.step(seen)
        found = list(moved(seen, palms))
    return {one.side: one for one in found}


def where(**how: Any) -> Moved:
    side = how.get("side", "right")
    return last([frame(0, hand(**how))])[side]


def test_places_are_in_palm_widths_from_the_middle_as_in_a_mirror() -> None:
    one = where(right=0.5 + 0.24 / ASPECT, down=0.5 - 0.12, size=0.12)
    assert one.right == pytest.approx(2.0, rel=0.05)
    assert one.up == pytest.approx(1.0, rel=0.05)


def test_both_hands_are_told_alike() -> None:
    right, left = where(right=0.7, down=0.4), where(right=0.7, down=0.4, side="left")
    assert (left.right, left.up, left.near) == pytest.approx((right.right, right.up, right.near))


def test_a_hand_twice_as_large_is_twice_as_near() -> None:
    assert where(size=0.12).near == pytest.approx(2 * where(size=0.24).near, rel=0.01)
    assert where(size=0.24).near > where(size=0.12).near


def test_the_same_place_in_the_room_is_the_same_number_of_palms_at_every_size() -> None:
    near, far = where(right=0.9, size=0.2), where(right=0.7, size=0.1)
    assert near.right == pytest.approx(far.right, rel=0.01)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("turned", [-60.0, 0.0, 45.0, 90.0])
def test_roll_is_clockwise_as_the_user_sees_it(side: Any, turned: float) -> None:
    upright = where(side=side).roll_deg
    assert where(side=side, roll_deg=turned).roll_deg - upright == pytest.approx(turned, abs=0.5)
    assert abs(upright) < 6


def test_fingers_that_touch_are_at_no_distance_and_a_flat_hand_far_apart() -> None:
    assert where(shape="pinch").pinch < 0.3
    assert where(shape="ok").pinch < 0.4
    assert where(shape="open_palm").pinch > 1.2


def test_a_hand_that_seems_larger_for_one_frame_has_not_grown() -> None:
    steady = last(filmed(1, lambda t_s: hand(right=0.7)))["right"]
    jumped = last([*filmed(1, lambda t_s: hand(right=0.7)), frame(1_033_333, hand(0.7, size=0.2))])
    assert jumped["right"].right == pytest.approx(steady.right, rel=0.01)
    assert jumped["right"].near == pytest.approx(steady.near, rel=0.01)


def test_nobody_moves_where_nobody_is() -> None:
    assert last([frame(0, body())]) == {}
    assert last([frame(0, hand()), frame(33_333)]) == {}
