"""Where is looked closely, and how what is found there comes back into the picture."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesturectl.landmarks.bodies import HEAT_PX, Euro, refined
from gesturectl.landmarks.detecting import anchors, detections
from gesturectl.landmarks.hands import turned, without_doubles
from gesturectl.landmarks.regions import (
    PALM_TURN,
    Region,
    crop,
    of_body,
    of_hand,
    of_palm,
    overlap,
    placed,
    upright,
    whole,
)
from gesturectl.types import Float32

angles = st.floats(-3.1, 3.1)
regions = st.builds(Region, st.floats(-200, 900), st.floats(-200, 900), st.floats(20, 900), angles)


def a_hand(angle: float = 0.0, scale: float = 100.0) -> np.ndarray:
    """Points (21, 2) of an open hand around (300, 200), pointing up and turned clockwise."""
    fingers = [(-0.8, -0.5), (-0.4, -1.2), (0.0, -1.3), (0.35, -1.2), (0.7, -1.0)]
    points = [(0.0, 0.9)]
    for x, y in fingers:
        points += [(x * part, 0.9 + (y - 0.9) * part) for part in (0.5, 0.7, 0.87, 1.0)]
    c, s = np.cos(angle), np.sin(angle)
    return np.array(points) * scale @ np.array([[c, s], [-s, c]]) + (300, 200)


def test_a_palm_s_region_lies_toward_its_fingers_and_turns_with_them() -> None:
    box = np.array([90.0, 90.0, 110.0, 110.0])
    palm = of_palm(box, np.array([100, 110]), np.array([100, 90]))
    assert palm.side == pytest.approx(52)
    assert palm.angle == pytest.approx(PALM_TURN)
    assert np.hypot(palm.x - 100, palm.y - 100) == pytest.approx(10)
    assert palm.y < 100
    left = of_palm(box, np.array([110, 100]), np.array([90, 100]))
    assert left.angle == pytest.approx(palm.angle - pi / 2)
    assert left.x < 100


@given(angles)
def test_a_hand_s_region_turns_with_it_and_holds_all_of_it(angle: float) -> None:
    region, still = of_hand(a_hand(angle)), of_hand(a_hand())
    assert np.cos(region.angle - still.angle - angle) == pytest.approx(1.0)
    assert region.side == pytest.approx(still.side)
    matrix = region.matrix(224)
    inside = (a_hand(angle) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    assert np.all((inside > 0) & (inside < 224))


def test_a_body_s_region_is_around_its_hips_and_twice_its_reach() -> None:
    region = of_body(np.array([200.0, 300.0]), np.array([200.0, 100.0]))
    assert (region.x, region.y, region.side, region.angle) == pytest.approx((200, 300, 500, 0))


@given(regions, st.floats(0, 1), st.floats(0, 1))
def test_a_crop_s_corners_lie_on_the_region_s(region: Region, u: float, v: float) -> None:
    (at,) = placed(np.array([[u * 224, v * 224]]), region.matrix(224))
    c, s = np.cos(region.angle), np.sin(region.angle)
    x, y = (u - 0.5) * region.side, (v - 0.5) * region.side
    assert at == pytest.approx((region.x + c * x - s * y, region.y + s * x + c * y), abs=1e-6)


def test_beyond_the_picture_a_crop_is_black_or_as_the_edge_is() -> None:
    rgb = np.full((40, 60, 3), 90, np.uint8)
    matrix, out = whole((60, 40)).matrix(60), np.empty((60, 60, 3), np.uint8)
    assert crop(rgb, matrix, 60, black=True, out=out)[[0, -1]].max() == 0
    assert crop(rgb, matrix, 60, black=False, out=out).min() == 90
    assert (out[10:50] == 90).all()


@given(angles)
def test_upright_is_how_far_the_way_is_turned(angle: float) -> None:
    high = np.array([np.sin(angle), -np.cos(angle)])
    assert upright(np.zeros(2), high) == pytest.approx(angle, abs=1e-9)


def test_overlap_is_of_what_both_cover() -> None:
    assert overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1.0
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 2, 2), (2, 0, 3, 2)) == 0.0


# --- detectors ----------------------------------------------------------------------------------


def test_anchors_are_as_many_as_the_networks_answer() -> None:
    assert anchors(192, (8, 16, 16, 16)).shape == (2016, 2)
    assert anchors(224, (8, 16, 32, 32, 32)).shape == (2254, 2)
    assert anchors(192, (8, 16, 16, 16))[:3] == pytest.approx(
        np.array([[0.5, 0.5], [0.5, 0.5], [1.5, 0.5]]) / 24
    )


def answers(*found: tuple[float, float, float, float]) -> tuple[Float32, Float32, Float32]:
    """Return raw, logits and anchors of a detector that saw (x, y, side, logit) and little else."""
    at = anchors(192, (8, 16, 16, 16))
    raw, logits = np.zeros((len(at), 18), np.float32), np.full((len(at), 1), -9, np.float32)
    for row, (x, y, side, logit) in enumerate(found, start=700):
        raw[row, :4] = (x - at[row, 0]) * 192, (y - at[row, 1]) * 192, side * 192, side * 192
        raw[row, 4:] = np.tile([(x - at[row, 0]) * 192, (y - at[row, 1]) * 192], 7)
        logits[row] = logit
    return raw, logits, at


def test_nothing_found_is_nothing() -> None:
    assert detections(*answers(), 192) == []
    assert detections(*answers((0.5, 0.5, 0.2, -0.1)), 192) == []


def test_answers_about_one_thing_are_averaged_by_how_sure_they_are() -> None:
    (one,) = detections(*answers((0.50, 0.5, 0.2, 0.0), (0.53, 0.5, 0.2, 20.0)), 192)
    assert one.score == pytest.approx(1.0)
    assert one.box == pytest.approx([0.42, 0.4, 0.62, 0.6], abs=1e-6)
    assert one.points == pytest.approx(np.tile([0.52, 0.5], (7, 1)), abs=1e-6)


def test_two_things_are_two_the_surer_first() -> None:
    found = detections(*answers((0.2, 0.2, 0.1, 1.0), (0.8, 0.7, 0.1, 3.0)), 192)
    assert [tuple(one.points[0].round(3)) for one in found] == [(0.8, 0.7), (0.2, 0.2)]


# --- hands and bodies -----------------------------------------------------------------------


def test_one_hand_found_twice_is_one() -> None:
    hand = a_hand()
    assert without_doubles([hand, hand + 6.0, hand + 300.0]) == [0, 2]
    assert without_doubles([hand]) == [0]
    assert without_doubles([]) == []


def test_a_hand_in_metres_is_turned_back_as_its_crop_was() -> None:
    up = np.array([[0.0, -1.0, 0.5]], np.float32)
    assert turned(up, pi / 2)[0] == pytest.approx([1.0, 0.0, 0.5], abs=1e-6)


def heat(*spots: tuple[int, int]) -> Float32:
    """Return heatmaps, one for each point, that are sure of a cell (column, row) and no other."""
    found = np.full((HEAT_PX, HEAT_PX, len(spots)), -20, np.float32)
    for index, (column, row) in enumerate(spots):
        found[row, column, index] = 20
    return found


def test_a_point_moves_to_the_heat_beside_it() -> None:
    points = np.array([[30.4, 20.2], [30.4, 20.2], [0.2, 63.7]]) / HEAT_PX
    moved = refined(points, heat((32, 19), (50, 50), (1, 63))) * HEAT_PX
    assert moved[0] == pytest.approx((32, 19), abs=1e-3)
    assert moved[1] == pytest.approx((30.4, 20.2))  # its heat is far away: no reason to move
    assert moved[2] == pytest.approx((1, 63), abs=1e-3)


def test_a_point_beyond_the_crop_stays_where_it_is() -> None:
    points = np.array([[-0.3, 0.5], [0.5, 1.2]])
    assert refined(points, heat((0, 32), (32, 63))) == pytest.approx(points)


def test_points_at_rest_are_steadied_and_moving_ones_followed() -> None:
    rng = np.random.default_rng(3)
    euro = Euro(0.05, 80.0)
    rest = [euro.step(t * 33_333, rng.normal(0, 1, 50), 1 / 300) for t in range(60)]
    assert np.std([one[0] for one in rest[30:]]) < 0.5
    moved = [euro.step((60 + t) * 33_333, np.full(50, 20.0 * t), 1 / 300) for t in range(15)]
    assert np.abs(moved[-1] - 280).max() < 10


def test_time_that_stands_still_changes_nothing() -> None:
    euro = Euro(0.05, 80.0)
    first = euro.step(5, np.zeros(2), 1.0)
    assert np.array_equal(euro.step(5, np.ones(2), 1.0), first)
