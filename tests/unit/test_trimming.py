"""What of a take is the gesture: found by what moves, or by what is held."""

from __future__ import annotations

import numpy as np
import pytest

from gesturectl.trimming import trim, trim_all
from gesturectl.types import Observation, Take
from tests.teaching import REST_S, SIZE_PX, hand_take, raise_take, resting


def takes(name: str, n: int = 5, **how: object) -> list[Take]:
    rng = np.random.default_rng(1)
    return [hand_take(name, rng, **how) for _ in range(n)]  # type: ignore[arg-type]


def times_s(take: Take) -> tuple[float, float, float]:
    first, last = trim(take)
    return take[first].t_us / 1e6, take[last].t_us / 1e6, take[-1].t_us / 1e6


@pytest.mark.parametrize("name", ["tap", "zigzag", "meet"])
@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
def test_a_movement_is_cut_out_of_the_rest_around_it(name: str, fps: float) -> None:
    for take in takes(name, fps=fps):
        first_s, last_s, end_s = times_s(take)
        assert first_s == pytest.approx(REST_S, abs=0.25)
        assert last_s == pytest.approx(end_s - REST_S, abs=0.25)


def test_a_pose_is_cut_to_what_is_held_between_approach_and_return() -> None:
    for take in takes("hook"):
        first_s, last_s, end_s = times_s(take)
        assert 0.7 < first_s < 1.2
        assert end_s - 1.2 < last_s < end_s - 0.7


def test_arms_that_lift_are_cut_out_as_well() -> None:
    rng = np.random.default_rng(2)
    first_s, last_s, end_s = times_s(raise_take(rng))
    assert 0.4 < first_s < 0.9
    assert end_s - 0.9 < last_s < end_s - 0.4


def test_what_is_struck_is_a_motion_and_what_is_held_a_pose() -> None:
    kinds = {name: trim_all(takes(name))[0] for name in ("tap", "zigzag", "meet", "hook")}
    assert kinds == {"tap": "motion", "zigzag": "motion", "meet": "motion", "hook": "pose"}


def test_a_take_that_is_held_from_end_to_end_is_a_pose() -> None:
    take = resting(1.0, np.random.default_rng(3))
    assert trim_all([take])[0] == "pose"
    assert trim(take)[1] - trim(take)[0] > 20


def test_most_takes_decide() -> None:
    assert trim_all([*takes("hook", 2), *takes("zigzag", 1)])[0] == "pose"
    assert trim_all([*takes("hook", 1), *takes("zigzag", 2)])[0] == "motion"


def test_of_an_empty_room_nothing_is_cut_off() -> None:
    empty = [Observation((i + 1) * 33_333, (), (), SIZE_PX) for i in range(30)]
    assert trim(empty) == (0, 29)


def test_a_hand_that_is_lost_in_mid_stroke_is_no_end_of_it() -> None:
    take = list(takes("zigzag", 1)[0])
    for i in range(35, 45):
        take[i] = Observation(take[i].t_us, (), (), SIZE_PX)
    first, last = trim(take)
    assert first < 30
    assert last > 50
