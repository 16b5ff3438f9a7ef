"""The parts of the pointer: filter, pinches, buttons, rests, settings."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from gesturectl import clicking, dwelling, oneeuro, pinching, pointing
from gesturectl.clicking import Buttons
from gesturectl.dwelling import Dwell
from gesturectl.oneeuro import Smooth
from gesturectl.pinching import Pinch
from gesturectl.pointing import Settings
from gesturectl.types import ButtonDown, ButtonUp, Command

# --- the filter -----------------------------------------------------------------------------------


def smoothed(rate_hz: float, *, steady_hz: float = 1.0, quick: float = 0.0) -> float:
    """Where the filter is a quarter of a second after a step from 0 to 1."""
    state: Smooth | None = oneeuro.step(None, 0, 0.0, 0.0, steady_hz=steady_hz, quick=quick)
    for frame in range(1, round(rate_hz / 4) + 1):
        t_us = round(frame * 1e6 / rate_hz)
        state = oneeuro.step(state, t_us, 1.0, 0.0, steady_hz=steady_hz, quick=quick)
    assert state is not None
    return state.x


def test_a_first_place_is_taken_as_it_is() -> None:
    assert oneeuro.step(None, 7, 3.0, 4.0, steady_hz=1, quick=1) == Smooth(7, 3.0, 4.0)


def test_a_time_that_has_not_grown_changes_nothing() -> None:
    state = Smooth(7, 3.0, 4.0)
    assert oneeuro.step(state, 7, 9.0, 9.0, steady_hz=1, quick=1) is state


def test_a_step_is_followed_alike_at_every_frame_rate() -> None:
    exact = 1 - np.exp(-2 * np.pi / 4)
    assert smoothed(240) == pytest.approx(exact, abs=0.01)
    assert smoothed(60) == pytest.approx(exact, abs=0.03)
    assert smoothed(16) == pytest.approx(exact, abs=0.1)


def test_speed_opens_the_filter() -> None:
    assert smoothed(60, quick=2.0) > smoothed(60) + 0.1


def test_a_slanted_stroke_stays_straight() -> None:
    state = None
    for frame in range(30):
        state = oneeuro.step(state, frame * 33_333, frame * 0.1, frame * 0.01, steady_hz=1, quick=1)
    assert state is not None
    assert state.y == pytest.approx(state.x / 10)


# --- pinches --------------------------------------------------------------------------------------

ARMED = Pinch(armed=True)


def pinch(state: Pinch, t_us: int, **gaps: float) -> Pinch:
    return pinching.step(state, t_us, gaps, close_at=0.25, open_at=0.4)  # type: ignore[arg-type]


def test_a_pinch_closes_below_one_gap_and_opens_above_another() -> None:
    near = pinch(ARMED, 1, index=0.39)
    closed = pinch(near, 2, index=0.24)
    still = pinch(closed, 3, index=0.39)
    assert near == Pinch(None, 1, armed=True)
    assert closed == still == Pinch("index", 1, armed=True)
    assert pinch(still, 4, index=0.41) == ARMED


def test_the_nearest_finger_wins_and_keeps_its_place() -> None:
    closed = pinch(ARMED, 1, index=0.2, middle=0.1)
    assert closed.closed == "middle"
    assert pinch(closed, 2, index=0.05, middle=0.3).closed == "middle"


def test_who_comes_pinched_opens_first() -> None:
    assert pinch(Pinch(), 1, index=0.1).closed is None
    assert pinch(pinch(Pinch(), 1, index=0.5), 2, index=0.1).closed == "index"


def test_a_finger_that_folds_on_the_thumb_stays_there() -> None:
    closed = pinch(ARMED, 1, index=0.1)
    assert pinch(closed, 2).closed == "index"


def test_folded_fingers_do_not_pinch() -> None:
    points = [[0.0, 0.0, 0.0] for _ in range(21)]
    points[5], points[17] = [0.5, -1.4, 0.0], [-0.5, -1.2, 0.0]
    points[4] = points[12] = [0.1, -1.3, 0.0]
    points[8] = [0.4, -2.5, 0.0]
    gaps = pinching.gaps(points, frozenset(("index", "middle")))
    assert set(gaps) == {"index"}


# --- buttons --------------------------------------------------------------------------------------


def words(commands: tuple[Command, ...]) -> str:
    ups = {ButtonDown: "down", ButtonUp: "up"}
    return " ".join(f"{ups[type(one)]} {one.button}" for one in commands)  # type: ignore[union-attr, index]


def test_a_pinch_is_a_press_and_its_opening_the_release() -> None:
    state, down = clicking.pinched(Buttons(), 1, "right")
    assert state.held == "right"
    state, up = clicking.opened(state, 2, locks=False)
    assert (words(down), words(up), state) == ("down right", "up right", Buttons())


def test_a_locked_drag_is_let_go_by_the_next_pinch() -> None:
    state, _ = clicking.pinched(Buttons(), 1, "left")
    state, nothing = clicking.opened(state, 2, locks=True)
    state, more = clicking.pinched(state, 3, "left")
    assert (words(nothing), words(more), state.phase) == ("", "", "dropping")
    assert words(clicking.opened(state, 4, locks=True)[1]) == "up left"


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("left", "down left up left"),
        ("double", "down left up left down left up left"),
        ("right", "down right up right"),
        ("drag", "down left"),
    ],
)
def test_a_choice_says_what_a_rest_does(choice: dwelling.Choice, said: str) -> None:
    state, commands = clicking.rested(Buttons(choice=choice), 1)
    assert words(commands) == said
    assert state.choice == "left"


def test_a_chosen_drag_needs_no_held_pinch() -> None:
    state, down = clicking.pinched(Buttons(choice="drag"), 1, "left")
    state, nothing = clicking.opened(state, 2, locks=False)
    assert (words(down), words(nothing), state.held) == ("down left", "", "left")
    assert words(clicking.rested(state, 3)[1]) == "up left"


# --- resting --------------------------------------------------------------------------------------


def rests(steps: list[tuple[int, float]]) -> list[tuple[int, str]]:
    """What (time in ms, place) leads to: (time in ms, deed)."""
    state, done = Dwell(), []
    for t_ms, x in steps:
        state, deed = dwelling.step(
            state, t_ms * 1000, x, 0.0, after_us=600_000, radius=10.0, chooses=True
        )
        if deed:
            done.append((t_ms, deed))
    return done


def test_1_2_a_rest_clicks_and_resting_on_chooses_four_times() -> None:
    steps = [(0, 0.0), *((t, 50.0) for t in range(100, 8000, 100))]
    clicked = [(700, "click"), *((t, "choose") for t in (1600, 2500, 3400, 4300))]
    assert rests(steps) == clicked


def test_3_moving_on_counts_from_anew() -> None:
    assert rests([(0, 0.0), (100, 50.0), (600, 100.0), (800, 100.0), (1200, 95.0)]) == [
        (1200, "click")
    ]


def test_4_a_pointer_that_never_moved_does_nothing() -> None:
    assert rests([(t, 0.0) for t in range(0, 8000, 100)]) == []


# --- settings -------------------------------------------------------------------------------------

SECTION = TypeAdapter(Settings)


def test_a_section_of_a_profile_is_read_with_its_units() -> None:
    section = {"by": "head", "dwell": "800ms", "box": ("0.1", "0", "0.9", "1"), "drag_lock": "true"}
    read = SECTION.validate_python(section)
    assert read == Settings(by="head", dwell_us=800_000, box=(0.1, 0, 0.9, 1), drag_lock=True)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"by": "nose"}, "is not what can point"),
        ({"box": ("0.9", "0", "0.1", "1")}, "this box is empty"),
        ({"monitor": ("0", "0", "2", "1")}, "is not within 0 and 1"),
        ({"drag_lock": "yes"}, "neither `true` nor `false`"),
        ({"close": "0.5"}, "must be more than `close`"),
        ({"click": "ring"}, "three different fingers"),
        ({"rewind": "120"}, "has no unit"),
        ({"sped": "2"}, "unexpected keyword|Unexpected"),
    ],
)
def test_what_is_wrong_with_a_section_is_said(section: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SECTION.validate_python(section)


def test_the_gain_rises_with_speed_from_slow_to_fast() -> None:
    settings = Settings(slow_gain=100, fast_gain=500, fast_at=3, speed=2)
    gains = [pointing.gain(settings, speed) for speed in (0, 1, 3, 6, 1e9)]
    assert gains == sorted(gains)
    assert gains[0] == pytest.approx(200, rel=0.1)
    assert gains[2] == pytest.approx(600)
    assert gains[-1] == pytest.approx(1000)
