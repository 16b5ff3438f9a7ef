"""What is seen of what is told, as time passes."""

from __future__ import annotations

import pytest

from gesturectl.display import attention, seeing
from gesturectl.display.attention import PATIENCE_US, REST_US
from gesturectl.display.seeing import FADE_US, GLOW_US, LINGER_US, NEAR, State
from gesturectl.tray.status import State as Mood
from tests.shown import FIST, HOLD, RESTING, SURE, SWIPE, row, told


def test_before_anything_was_told_nothing_is_seen() -> None:
    assert seeing.see("full", State(), 0) == (None, None)


@pytest.mark.parametrize(
    ("changes", "mood", "title"),
    [
        ({}, Mood.active, "Active"),
        ({"mode": "volume"}, Mood.active, "volume"),
        ({"mode": "sleep", "asleep": True}, Mood.asleep, "Asleep"),
        ({"paused": True, "frames": False}, Mood.paused, "Paused"),
        ({"locked": True, "frames": False, "problem": "released"}, Mood.paused, "Locked"),
        ({"frames": False}, Mood.camera_off, "No picture"),
        ({"problem": "it is black"}, Mood.camera_off, "No picture"),
    ],
)
def test_the_mode_is_a_form_and_a_word(changes: dict[str, object], mood: Mood, title: str) -> None:
    read = told(**changes)
    assert (read.mood, read.title) == (mood, title)


def test_who_sleeps_is_shown_what_wakes_and_nothing_besides() -> None:
    read = told(mode="sleep", asleep=True, candidate=SURE, progress=HOLD)
    assert read.candidate is None
    assert read.hold is not None
    assert (read.hold.name, read.hold.side, read.hold.share) == ("fist", "right hand", 0.6)


def test_a_pointer_that_has_only_just_come_to_rest_shows_no_ring() -> None:
    assert told(pointer=RESTING | {"dwell": NEAR / 2}).rest is None
    assert told(pointer=RESTING | {"at": [0.2, 7]}).rest == seeing.Rest(0.6, "left", (0.2, 1.0))


@pytest.mark.parametrize(
    "broken", [{}, {"paused": True}, row(candidate=[1]), row(fired={"number": 1})]
)
def test_a_row_that_is_none_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a row"):
        seeing.read(broken)


def test_of_several_people_it_is_told_how_many_there_are() -> None:
    control = {"person": 2, "box": [0.1, 0.2, 0.3, 0.4], "people": 3}
    assert (told(control=control).people, told(control=None).people, told().people) == (3, 0, 0)


def test_a_row_of_an_older_daemon_lacks_things_and_of_a_newer_one_has_more() -> None:
    short = {"paused": False, "frames": True, "mode": "active", "colour": "green"}
    assert seeing.read(short) == told()


def test_a_panel_stays_open_for_a_while_and_closes() -> None:
    state, _ = seeing.hear(State(), told(candidate=FIST), 0)
    state, _ = seeing.hear(state, told(), 1000)
    state, _ = seeing.hear(state, told(), 2000)  # nothing new
    view, next_us = seeing.see("full", state, 2000)
    assert view is not None
    assert (view.opened, next_us) == (1.0, LINGER_US)
    view, next_us = seeing.see("full", state, LINGER_US + FADE_US // 2)
    assert view is not None
    assert 0.3 < view.opened < 0.7
    assert next_us is not None
    assert next_us < LINGER_US + FADE_US // 2 + 100_000
    view, next_us = seeing.see("full", state, LINGER_US + FADE_US)
    assert view is not None
    assert (view.opened, next_us) == (0.0, None)


def test_what_acts_glows_and_with_reduced_motion_it_is_lit_and_then_not() -> None:
    state, _ = seeing.hear(State(), told(), 0)
    state, happened = seeing.hear(state, told(fired=SWIPE), 10 * GLOW_US)
    assert happened == ("fired",)
    half = 10 * GLOW_US + GLOW_US // 2
    view, _ = seeing.see("full", state, half)
    assert view is not None
    assert view.glow == 0.6
    view, next_us = seeing.see("reduced", state, half)
    assert view is not None
    assert (view.glow, next_us) == (1.0, 11 * GLOW_US)
    view, _ = seeing.see("reduced", state, 11 * GLOW_US)
    assert view is not None
    assert view.glow == 0.0


def test_with_reduced_motion_nothing_is_ever_between() -> None:
    state, _ = seeing.hear(State(), told(candidate=FIST), 0)
    state, _ = seeing.hear(state, told(fired=SWIPE), 1000)
    t_us: int | None = 1000
    levels, pictures = set(), 0
    while t_us is not None:
        view, t_us = seeing.see("reduced", state, t_us)
        assert view is not None
        levels |= {view.opened, view.glow}
        pictures += 1
    assert levels == {0.0, 1.0}
    assert pictures == 3


def test_the_same_binding_twice_is_two_events_and_an_old_one_is_none() -> None:
    state, happened = seeing.hear(State(), told(fired=SWIPE), 0)
    assert happened == ()
    _, happened = seeing.hear(state, told(fired=SWIPE | {"number": 2}), 1)
    assert happened == ("fired",)


def test_what_happens_is_told_for_sounds() -> None:
    state = State()
    heard = []
    for changes in (
        {},
        {"mode": "sleep", "asleep": True},
        {},
        {"problem": "gone", "frames": False},
        {},
        {"paused": True, "frames": False},
    ):
        state, happened = seeing.hear(state, told(**changes), 0)
        heard.append(happened)
    assert heard == [(), ("slept",), ("woke",), ("trouble",), ("well",), ()]


# --- attention ----------------------------------------------------------------------------------


def notices(*rows: tuple[int, str | None]) -> list[int]:
    """When something is told, of problems that begin and end at these times."""
    state, found = attention.State(), []
    for t_us, problem in rows:
        state, words = attention.step(state, told(problem=problem), t_us)
        if words is not None:
            assert problem is not None
            assert problem in words
            found.append(t_us)
    return found


def test_a_camera_that_comes_back_soon_bothers_nobody() -> None:
    assert notices((0, "gone"), (PATIENCE_US - 1, "gone"), (PATIENCE_US, None)) == []


def test_a_problem_that_lasts_is_told_once() -> None:
    assert notices(*((i * PATIENCE_US, "gone") for i in range(100))) == [PATIENCE_US]


def test_one_that_comes_again_is_told_when_some_time_has_passed() -> None:
    flicker = [
        (i * 2 * PATIENCE_US + k * PATIENCE_US, problem)
        for i in range(12)
        for k, problem in ((0, "gone"), (1, "gone"), (1.1, None))
    ]
    told_us = notices(*((int(t), problem) for t, problem in flicker))
    assert len(told_us) == 2
    assert told_us[1] - told_us[0] >= REST_US
