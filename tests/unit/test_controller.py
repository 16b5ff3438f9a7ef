"""Who controls, through a story: in, out, back, handed over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gesturectl import controller
from gesturectl.controller import Control, State
from gesturectl.people import Person
from gesturectl.zones import Zone

ASPECT = 4 / 3
Here = Callable[[float], tuple[Person, ...]]


def person(number: int, *, right: float = 0.5, unit: float = 0.2, since_s: float = 0.0) -> Person:
    box = (right - 0.1, 0.2, right + 0.1, 0.9)
    return Person(number, (right * ASPECT, 0.4), unit, box, round(since_s * 1e6), (), None)


NEAR, FAR = person(1, right=0.2, unit=0.3), person(2, right=0.5, unit=0.1)


def reign(settings: Control, look: Here, seconds: float) -> list[tuple[float, int | None]]:
    """Return who controls, and from when on."""
    state, told = State(), []
    for index in range(int(seconds * 10) + 1):
        t_s = index / 10
        before, state = state, controller.step(settings, state, look(t_s), round(t_s * 1e6), ASPECT)
        if before.person != state.person:
            told.append((t_s, state.person))
    return told


def test_1_2_who_is_there_for_half_a_second_controls() -> None:
    assert reign(Control(), lambda t: (FAR,), 2) == [(0.5, 2)]


def test_1_who_passes_by_does_not() -> None:
    assert reign(Control(), lambda t: (FAR,) if t < 0.4 else (), 2) == []


@pytest.mark.parametrize(("by", "person"), [("largest", 1), ("centre", 2), ("first_armed", None)])
def test_of_two_one_is_chosen(by: str, person: int | None) -> None:
    told = reign(Control(by=by), lambda t: (NEAR, FAR), 2)  # type: ignore[arg-type]
    assert told == ([] if person is None else [(0.5, person)])


def test_who_has_a_body_is_chosen_before_a_lone_hand_however_large() -> None:
    bodied = replace(FAR, body_known=True)
    assert reign(Control(), lambda t: (NEAR, bodied), 2) == [(0.5, 2)]


def test_it_is_locked_whoever_is_larger_or_nearer_the_centre() -> None:
    assert reign(Control(), lambda t: (FAR,) if t < 1 else (NEAR, FAR), 9) == [(0.5, 2)]


def test_3_a_short_absence_changes_nothing() -> None:
    assert reign(Control(), lambda t: (FAR,) if 1 < t < 3 else (NEAR, FAR), 9) == [(0.5, 1)]


def test_4_5_6_once_one_is_gone_the_other_controls() -> None:
    told = reign(Control(), lambda t: (NEAR, FAR) if t < 2 else (FAR,), 9)
    assert told == [(0.5, 1), (4.9, 2)]


def test_5_once_all_are_gone_nobody_does() -> None:
    assert reign(Control(), lambda t: (NEAR,) if t < 2 else (), 9) == [(0.5, 1), (4.9, None)]


def test_after_the_first_armed_is_gone_nobody_follows_unasked() -> None:
    settings = Control(by="first_armed")
    after = controller.step(settings, State(1, 1_000_000), (FAR,), 4_000_000, ASPECT)
    assert after.person is None


def test_handed_over_another_controls() -> None:
    def over(settings: Control, *here: Person) -> int | None:
        return controller.hand_over(settings, State(1, 0), here, 1_000_000, ASPECT).person

    third = person(3, right=0.4, unit=0.2)
    assert over(Control(), NEAR, FAR, third) == 3
    assert over(Control(by="centre"), NEAR, FAR, third) == 2
    assert over(Control(by="first_armed"), NEAR, FAR) is None
    assert over(Control(), NEAR) == 1, "there is nobody else"
    assert over(Control(), NEAR, person(4, since_s=0.9)) == 1, "who has just come is not chosen"


SEAT = Zone(image=(0.4, 0.0, 0.6, 1.0))


def test_only_who_is_in_the_zone_may_control() -> None:
    settings = Control(zone="seat")
    assert not controller.may(settings, SEAT, State(), NEAR, ASPECT)
    assert controller.may(settings, SEAT, State(), FAR, ASPECT)
    assert controller.may(Control(), None, State(), NEAR, ASPECT)


def test_who_controls_may_lean_out_of_the_zone_a_little() -> None:
    settings, leaning = Control(zone="seat"), person(2, right=0.61)
    assert not controller.may(settings, SEAT, State(), leaning, ASPECT)
    assert controller.may(settings, SEAT, State(2), leaning, ASPECT)
