"""Zones of the picture and around the body; the numbers are those of the drawing in `zones`."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest

from gesturectl.places import BODY_PARTS, HAND_PARTS, BodyPart, HandPart, Seen
from gesturectl.senses import Cue, Senses
from gesturectl.types import Needs, Observation
from gesturectl.zones import Zone, inside
from tests.sensing import Told, body, filmed, frame, hand, sensed

CORNER = Zone(image=(0.0, 0.0, 0.3, 0.3))
MOUTH = Zone(around="mouth", radius=0.5)


def visits(zone: Zone, film: list[Observation]) -> list[Told]:
    return sensed(Senses([Cue("zone", "here")], {"here": zone}), film)


def is_in(zone: Zone, *who: object) -> bool | None:
    subject = "right" if zone.by_hand else "body"
    return inside(zone, Seen(frame(0, *who)), subject)  # type: ignore[arg-type]


def at(times: dict[float, float | None]) -> Callable[[float], object]:
    """A hand that from these seconds on is at these places from the mirror's left edge, or gone."""

    def look(t_s: float) -> object:
        right = times[max(time for time in times if time <= t_s + 1e-6)]
        return None if right is None else hand(right, 0.15)

    return look


# --- regions ---


def test_every_part_that_can_be_named_has_its_points() -> None:
    assert {*get_args(HandPart)} == {*HAND_PARTS}
    assert {*get_args(BodyPart)} == {*BODY_PARTS}


def test_regions_of_the_picture_are_as_in_a_mirror() -> None:
    assert is_in(CORNER, hand(0.15, 0.15)) is True
    assert is_in(CORNER, hand(0.85, 0.15)) is False
    assert is_in(CORNER, hand(0.15, 0.85)) is False


def test_a_side_on_the_edge_of_the_picture_is_open() -> None:
    assert is_in(CORNER, hand(-0.1, -0.1)) is True
    assert is_in(Zone(image=(0.1, 0.0, 0.3, 0.3)), hand(0.05, 0.1)) is False


def test_regions_around_the_body_are_in_shoulder_widths() -> None:
    # Shoulders are 0.36 m apart and 0.5 m above the hips; a metre is half the picture's height.
    zone = Zone(around="right_shoulder", radius=0.5, offset=(1.0, 0.0))
    right_of_it = 0.5 + (0.18 + 0.36) * 0.5 * 480 / 640
    assert is_in(zone, body(), hand(right_of_it, 0.35)) is True
    assert is_in(zone, body(), hand(right_of_it + 0.09, 0.35)) is False
    assert is_in(zone, body(), hand(1 - right_of_it, 0.35)) is False


def test_up_is_up() -> None:
    above = Zone(around="head", radius=0.5, offset=(0.0, 1.0))
    assert is_in(above, body(), hand(0.5, 0.07)) is True
    assert is_in(above, body(), hand(0.5, 0.43)) is False


def test_a_part_of_the_body_comes_and_goes_too() -> None:
    bowed = Zone(image=(0.0, 0.5, 1.0, 1.0), part="nose")
    assert is_in(bowed, body(down=0.6)) is False
    assert is_in(bowed, body(down=0.9)) is True


def test_an_index_tip_is_not_its_palm() -> None:
    top = Zone(image=(0.0, 0.0, 1.0, 0.4), part="index_tip")
    assert is_in(top, hand(0.5, 0.5)) is True
    assert is_in(Zone(image=(0.0, 0.0, 1.0, 0.4)), hand(0.5, 0.5)) is False


def test_what_is_not_in_sight_is_neither_inside_nor_outside() -> None:
    assert is_in(CORNER, body()) is None
    assert is_in(MOUTH, hand()) is None
    assert is_in(MOUTH, hand(), body(unseen=[9])) is None


@pytest.mark.parametrize(
    ("zone", "needs"),
    [
        (CORNER, Needs(1, 0)),
        (MOUTH, Needs(1, 1)),
        (Zone(image=(0.0, 0.0, 1.0, 0.4), part="nose"), Needs(0, 1)),
    ],
)
def test_a_zone_asks_for_what_shows_it(zone: Zone, needs: Needs) -> None:
    assert zone.needs == needs


# --- over time ---


def test_1_to_5_a_visit_begins_once_it_lasts_and_ends_once_it_is_over() -> None:
    film = filmed(2, at({0: 0.8, 0.5: 0.1, 1.0: 0.8, 1.03: 0.1, 1.5: 0.8}))
    assert visits(CORNER, film) == [
        (566, "began", "zone:here", "right"),
        (1566, "ended", "zone:here", "right"),
    ]


def test_1_who_only_passes_does_not_begin() -> None:
    assert visits(CORNER, filmed(1, at({0: 0.8, 0.5: 0.1, 0.53: 0.8}))) == []


def test_4_the_region_is_left_a_little_farther_out() -> None:
    film = filmed(2, at({0: 0.8, 0.3: 0.28, 1.0: 0.31, 1.5: 0.33}))
    assert [one[0] for one in visits(CORNER, film)] == [366, 1566]


def test_6_a_short_loss_is_bridged() -> None:
    film = filmed(1, at({0: 0.1, 0.5: None, 0.6: 0.1}))
    assert visits(CORNER, film) == [(66, "began", "zone:here", "right")]


def test_7_a_long_loss_ends() -> None:
    film = filmed(1, at({0: 0.1, 0.5: None}))
    assert [one[:2] for one in visits(CORNER, film)] == [(66, "began"), (633, "ended")]


def test_after_frames_that_stopped_it_begins_anew() -> None:
    film = [one for one in filmed(2, at({0: 0.1})) if not 500_000 < one.t_us < 1_500_000]
    assert [one[:2] for one in visits(CORNER, film)] == [
        (66, "began"),
        (1500, "ended"),
        (1566, "began"),
    ]


def test_who_goes_from_one_zone_to_the_next_leaves_first() -> None:
    zones = {"a": Zone(image=(0.5, 0.0, 1.0, 1.0)), "b": Zone(image=(0.0, 0.0, 0.4, 1.0))}
    senses = Senses([Cue("zone", "b"), Cue("zone", "a")], zones)
    story = sensed(senses, filmed(1, at({0: 0.8, 0.5: 0.1})))
    assert [one[1:3] for one in story] == [
        ("began", "zone:a"),
        ("ended", "zone:a"),
        ("began", "zone:b"),
    ]


def test_each_hand_has_visits_of_its_own() -> None:
    both = (hand(0.1, 0.1), hand(0.15, 0.1, side="left"))
    assert [one[3] for one in visits(CORNER, filmed(0.2, lambda t_s: both))] == ["left", "right"]
