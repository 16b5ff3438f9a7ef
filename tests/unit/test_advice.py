"""Advice on light and distance: begun by three looks, ended by two, never two at once."""

from __future__ import annotations

import numpy as np
import pytest

from gesturectl import advice
from gesturectl.advice import Advisor, Kind, Sight, State
from gesturectl.types import Frame
from tests.sensing import body, frame, hand

FINE = Sight(brightness=120, rate_hz=30, waits=True, palm=0.12)
LOOKS = {
    ".": FINE,
    "d": Sight(brightness=60, rate_hz=9, waits=True, palm=0.12),
    "f": Sight(brightness=120, rate_hz=30, waits=True, palm=0.03),
    "n": Sight(brightness=120, rate_hz=30, waits=True, palm=0.4),
}


def told(looks: str) -> str:
    """What is advised after each look, by its first letter."""
    state, said = State(), ""
    for one in looks:
        state = advice.step(state, LOOKS[one])
        said += state.kind[0] if state.kind else "-"
    return said


def test_1_three_looks_begin_it_and_two_fine_ones_end_it() -> None:
    assert told("ddd.d..") == "--dddd-"


def test_2_what_comes_and_goes_is_not_advised_on() -> None:
    assert told("dd.dd.dd") == "--------"


def test_3_never_two_at_once() -> None:
    assert told("dddfdfdfff") == "--dddddd-f"


def test_distance_is_advised_on_too() -> None:
    assert told("fff") == "--f"
    assert told("nnn") == "--n"


@pytest.mark.parametrize(
    ("sight", "kind"),
    [
        (FINE, None),
        (Sight(60, 30, waits=True), None),  # dim, and fast: no matter
        (Sight(120, 9, waits=True), None),  # slow in the light: a camera that is so
        (Sight(60, 9, waits=False), None),  # slow because we are
        (Sight(60, 9, waits=True), "dark"),
        (Sight(10, 30, waits=True), "dark"),
        (Sight(60, 9, waits=True, palm=0.03), "dark"),  # the most important first
        (Sight(120, 30, waits=True, shoulders=0.08), "far"),
        (Sight(120, 30, waits=True, shoulders=1.0), "near"),
        (Sight(120, 30, waits=True, palm=0.1, shoulders=1.0), None),  # hands count before bodies
    ],
)
def test_one_look(sight: Sight, kind: Kind | None) -> None:
    assert advice.kind(sight) == kind


def test_what_is_so_must_be_left_behind_by_some_way() -> None:
    nearly = Sight(120, 30, waits=True, palm=advice.FAR_PALM * 1.1)
    assert advice.kind(nearly) is None
    assert advice.kind(nearly, "far") == "far"


def test_it_is_said_with_what_to_do() -> None:
    assert advice.say("dark", LOOKS["d"]) == "too dark: 9 fps; more light"
    assert advice.say("dark", Sight(10, 30, waits=True)) == "too dark; more light"
    assert advice.say("far", LOOKS["f"]) == "too far away; move closer"
    assert advice.say("near", LOOKS["n"]) == "too near; move back"


def picture(t_s: float, level: int) -> Frame:
    return Frame(round(t_s * 1e6), np.full((48, 64, 3), level, np.uint8))


def test_it_looks_once_a_second_by_the_frames_own_time() -> None:
    advisor, looked = Advisor(), []

    def busy_ms() -> float:
        looked.append(1)
        return 20.0

    said = [
        advisor.look(picture(index / 10, 50), frame(0, hand(size=0.1)), 10.0, busy_ms)
        for index in range(40)
    ]
    assert len(looked) == 4
    assert said.index("too dark: 10 fps; more light") == 20
    assert set(said[:20]) == {None}


def test_hands_and_shoulders_are_measured_in_heights_of_the_picture() -> None:
    seen = frame(0, hand(size=0.1), hand(0.2, side="left", size=0.05), body())
    sight = advice.look(picture(0, 80), seen, 30.0, 10.0)
    assert sight.brightness == 80
    assert sight.palm == pytest.approx(0.1, rel=0.2)
    assert sight.shoulders == pytest.approx(0.18, rel=0.2)
