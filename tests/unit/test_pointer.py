"""The pointer, as stories of a hand before a camera."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gesturectl import pointer
from gesturectl.pointer import Settings, State
from gesturectl.types import Hand, MoveBy, MoveTo, Needs, Observation, Point
from tests.pointing import Desk, hand, head

CLICK = ["down left", "up left"]
RIGHT_CLICK = ["down right", "up right"]


def moving(settings: Settings | None = None, frame_us: int = 20_000) -> Desk:
    """A desk whose pointer is asked to move, with a hand at rest in the middle."""
    desk = Desk(settings, frame_us)
    desk.ask("move")
    desk.hold(0.3)
    return desk


def click(desk: Desk, *at: float, touch: str = "index", holds: float = 0.1) -> None:
    """Pinch where the hand is, and open again."""
    desk.hold(holds, *at, touch=touch)  # type: ignore[arg-type]
    desk.hold(0.2, *at)


# --- the clutch -----------------------------------------------------------------------------------


def test_a_hand_moves_nothing_until_a_binding_asks_for_it() -> None:
    desk = Desk()
    desk.stroke((0, 0), (2, 1))
    click(desk, 2, 1)
    assert desk.commands == []


def test_the_pointer_goes_to_the_user_s_right_and_down_as_the_hand_does() -> None:
    desk = moving()
    desk.stroke((0, 0), (2, 1))
    desk.hold(0.5, 2, 1)
    right, down = desk.place
    assert right > 500
    assert down == pytest.approx(right / 2, rel=0.01)
    assert all(isinstance(one, MoveBy) for one in desk.commands)


def test_an_open_clutch_lets_the_hand_go_back_without_the_pointer() -> None:
    desk = moving()
    desk.stroke((0, 0), (1, 0))
    desk.hold(0.5, 1, 0)
    there = desk.place
    desk.ask("move", on=False)
    desk.stroke((1, 0), (-1, 0))
    desk.hold(0.5, -1, 0)
    assert desk.place == there
    desk.ask("move")
    desk.hold(0.5, -1, 0)
    assert desk.place == pytest.approx(there, abs=0.5)
    desk.stroke((-1, 0), (0, 0))
    desk.hold(0.5, 0, 0)
    assert desk.place[0] == pytest.approx(2 * there[0], rel=0.01)


def test_a_fast_hand_takes_the_pointer_farther_than_a_slow_one() -> None:
    fast, slow = moving(), moving()
    fast.stroke((0, 0), (1, 0), 0.15)
    fast.hold(1, 1, 0)
    slow.stroke((0, 0), (1, 0), 3.0)
    slow.hold(1, 1, 0)
    assert slow.place[0] == pytest.approx(150, rel=0.1)
    assert fast.place[0] > 3 * slow.place[0]


def test_the_same_stroke_means_the_same_from_twice_as_far() -> None:
    near, far = moving(), Desk()
    near.stroke((0, 0), (1, 0))
    near.hold(0.5, 1, 0)
    far.ask("move")
    for share in [*[0.0] * 15, *np.arange(1, 21) / 20, *[1.0] * 25]:
        one = hand(float(share), 0)
        middle = np.array([0.5, 0.5, 0.0], np.float32)
        far.see(Hand("right", 1.0, (one.image - middle) / 2 + middle))
    assert far.place[0] == pytest.approx(near.place[0], rel=0.05)


@pytest.mark.parametrize("rate_hz", [15, 30, 60])
def test_slow_and_fast_cameras_tell_the_same_story(rate_hz: int) -> None:
    desk = moving(frame_us=round(1e6 / rate_hz))
    desk.stroke((0, 0), (2, 0), 0.6)
    desk.hold(0.8, 2, 0)
    click(desk, 2, 0, holds=0.3)
    assert desk.clicks == CLICK
    assert desk.place[0] == pytest.approx(880, rel=0.08)


def test_precise_steps_are_a_quarter_as_long() -> None:
    plain, precise = moving(), moving()
    precise.ask("precise")
    for desk in (plain, precise):
        desk.stroke((0, 0), (1, 0))
        desk.hold(0.5, 1, 0)
    assert precise.place[0] == pytest.approx(plain.place[0] / 4, rel=0.01)


def test_precise_alone_moves_too() -> None:
    desk = Desk()
    desk.ask("precise")
    desk.hold(0.3)
    desk.stroke((0, 0), (1, 0))
    assert desk.place[0] > 20


def test_the_last_hand_to_be_asked_leads() -> None:
    desk = moving()
    desk.ask("move", "left")
    for x in np.linspace(0, 1, 30):
        desk.see(hand(), hand(float(x), 0, side="left"))
    assert desk.place[0] > 100
    assert pointer.shown(desk.settings, desk.state, desk.t_us).leader == "left"


# --- clicks ---------------------------------------------------------------------------------------


def test_a_pinch_clicks() -> None:
    desk = moving()
    click(desk)
    assert desk.clicks == CLICK


def test_a_click_lands_where_the_pointer_was_before_the_fingers_closed() -> None:
    desk = moving()
    desk.stroke((0, 0), (1, 0))
    desk.hold(0.5, 1, 0)
    aimed = desk.place
    desk.stroke((1, 0), (1.05, 0.15), 0.1)  # the hand yields as the fingers come near
    assert desk.place != pytest.approx(aimed, abs=2)
    click(desk, 1.05, 0.15)
    assert desk.place == pytest.approx(aimed, abs=2)
    assert desk.clicks == CLICK


def test_without_rewind_a_click_lands_where_the_pointer_is() -> None:
    desk = moving(Settings(rewind_us=0))
    desk.stroke((0, 0), (1, 0))
    here = desk.place
    desk.see(hand(1, 0, "index"))
    assert desk.place == here


def test_a_click_in_full_flight_goes_back_a_little_only() -> None:
    desk = moving()
    desk.stroke((0, 0), (3, 0), 0.3)
    before = desk.place[0]
    desk.see(hand(3, 0, "index"))
    assert before - desk.place[0] == pytest.approx(pointer.FARTHEST_PX)


def test_a_closed_pinch_holds_the_pointer_still_until_it_has_moved_far_enough() -> None:
    desk = moving()
    desk.hold(0.1, touch="index")
    desk.stroke((0, 0), (0.15, 0), 0.2, "index")
    assert desk.place == (0, 0)
    click(desk, 0.15, 0)
    assert desk.clicks == CLICK


def test_a_pinch_that_moves_on_drags() -> None:
    desk = moving()
    desk.hold(0.1, touch="index")
    desk.stroke((0, 0), (2, 0), 0.5, "index")
    desk.hold(0.3, 2, 0, touch="index")
    assert desk.clicks == ["down left"]
    assert desk.place[0] > 400
    desk.hold(0.1, 2, 0)
    assert desk.clicks == CLICK


def test_a_drag_goes_on_when_the_pinch_ends_the_gesture_that_closes_the_clutch() -> None:
    desk = moving()
    desk.ask("move", on=False)
    desk.hold(0.2)
    desk.hold(0.1, touch="index")
    desk.stroke((0, 0), (2, 0), 2.0, "index")
    assert desk.clicks == ["down left"]
    assert desk.place[0] > 200
    desk.hold(0.1, 2, 0)
    assert desk.clicks == CLICK


def test_a_pinch_long_after_the_clutch_has_opened_is_not_heard() -> None:
    desk = moving()
    desk.ask("move", on=False)
    desk.hold(0.6)
    click(desk)
    assert desk.clicks == []


def test_a_locked_drag_lasts_until_the_next_pinch_opens() -> None:
    desk = moving(Settings(drag_lock=True))
    desk.hold(0.1, touch="index")
    desk.stroke((0, 0), (1, 0), 0.4, "index")
    desk.hold(0.3, 1, 0)
    desk.stroke((1, 0), (2, 0))
    assert desk.clicks == ["down left"]
    click(desk, 2, 0)
    assert desk.clicks == CLICK


def test_a_click_does_not_lock() -> None:
    desk = moving(Settings(drag_lock=True))
    click(desk)
    assert desk.clicks == CLICK


def test_a_second_click_lands_exactly_on_the_first() -> None:
    desk = moving()
    click(desk)
    first = desk.place
    desk.stroke((0, 0), (0.12, 0.1), 0.1)
    desk.hold(0.06, 0.12, 0.1)
    desk.hold(0.1, 0.12, 0.1, touch="index")
    assert desk.place == pytest.approx(first, abs=1e-9)
    desk.hold(0.1, 0.12, 0.1)
    assert desk.clicks == CLICK * 2


def test_a_second_click_that_comes_late_lands_where_it_is_aimed() -> None:
    desk = moving()
    click(desk)
    first = desk.place
    desk.stroke((0, 0), (0.3, 0), 0.3)
    desk.hold(0.6, 0.3, 0)
    click(desk, 0.3, 0)
    assert desk.place[0] > first[0] + 20


def test_the_middle_finger_clicks_right() -> None:
    desk = moving()
    click(desk, touch="middle")
    assert desk.clicks == RIGHT_CLICK


def test_fingers_can_be_given_other_tasks() -> None:
    desk = moving(Settings(click="middle", right_click="little", scroll="index"))
    click(desk, touch="middle")
    click(desk, touch="little")
    assert desk.clicks == CLICK + RIGHT_CLICK


def test_a_hand_that_comes_pinched_must_open_first() -> None:
    desk = Desk()
    desk.ask("move")
    desk.hold(0.3, touch="index")
    assert desk.clicks == []
    desk.hold(0.1)
    click(desk)
    assert desk.clicks == CLICK


def test_pinches_can_be_switched_off() -> None:
    desk = moving(Settings(pinch=False))
    click(desk)
    assert desk.clicks == []


def test_opening_fingers_do_not_take_the_pointer_along() -> None:
    desk = moving()
    desk.hold(0.1, touch="index")
    here = desk.place
    desk.stroke((0, 0), (0.2, 0), 0.1)
    assert desk.place == here


# --- scrolling ------------------------------------------------------------------------------------


def test_a_pinch_of_the_ring_finger_takes_the_content_along() -> None:
    desk = moving()
    desk.hold(0.1, touch="ring")
    desk.stroke((0, 0), (0, -2), 0.5, "ring")
    desk.hold(0.4, 0, -2, touch="ring")
    assert desk.place == (0, 0)
    assert desk.clicks == []
    assert desk.scrolled[0] == 0
    assert desk.scrolled[1] == pytest.approx(1.75 * 5, abs=0.5)


def test_a_binding_can_let_a_hand_scroll_without_any_pinch() -> None:
    desk = moving(Settings(scroll_follows="wheel"))
    desk.ask("scroll")
    desk.stroke((0, 0), (2, 0.2), 0.5)
    desk.hold(0.4, 2, 0.2)
    assert desk.place == (0, 0)
    assert desk.scrolled == (pytest.approx(10, abs=0.1), 0)


def test_a_pinch_while_a_binding_scrolls_clicks_nothing() -> None:
    desk = moving()
    desk.ask("scroll")
    click(desk)
    assert desk.clicks == []


def test_a_click_before_the_pointer_has_ever_moved_stays_where_the_pointer_is() -> None:
    desk = Desk(BOX)
    desk.ask("scroll")
    desk.hold(0.3)
    desk.ask("scroll", on=False)
    desk.hold(0.1)
    click(desk)
    assert desk.clicks == CLICK
    assert desk.spot is None


# --- lost and found -------------------------------------------------------------------------------


def test_a_lost_hand_lets_go_of_the_button() -> None:
    desk = moving()
    desk.hold(0.1, touch="index")
    desk.lose(0.14)
    assert desk.clicks == ["down left"]
    desk.lose(0.1)
    assert desk.clicks == CLICK


def test_a_hand_missed_for_a_moment_goes_on_dragging() -> None:
    desk = moving()
    desk.hold(0.1, touch="index")
    desk.lose(0.1)
    desk.hold(0.2, touch="index")
    assert desk.clicks == ["down left"]


def test_nothing_jumps_when_a_hand_comes_back_elsewhere() -> None:
    desk = moving()
    desk.stroke((0, 0), (1, 0))
    desk.hold(0.4, 1, 0)
    here = desk.place
    desk.lose(0.5)
    desk.hold(0.5, -2, -1)
    assert desk.place == pytest.approx(here, abs=1e-6)


def test_landmarks_that_go_over_to_another_hand_move_nothing() -> None:
    desk = moving()
    here = desk.place
    desk.hold(0.3, 3, 2)
    assert desk.place == pytest.approx(here, abs=1e-6)


def test_frames_that_stop_and_come_again_let_go_and_do_not_jump() -> None:
    desk = moving()
    desk.hold(0.1, touch="index")
    desk.t_us += 2_000_000
    desk.hold(0.1, 2, 2, touch="index")
    assert desk.clicks == CLICK
    assert desk.place == (0, 0)


def test_release_lets_go_and_forgets_who_asked() -> None:
    desk = moving()
    desk.hold(0.1, touch="index")
    desk.release()
    assert desk.clicks == CLICK
    assert desk.state == State()


def test_points_that_are_no_numbers_count_as_nobody() -> None:
    desk = moving()
    desk.hold(0.1, touch="index")
    broken = Hand("right", 1.0, np.full((21, 3), np.nan, np.float32))
    for _ in range(10):
        desk.see(broken)
    assert desk.clicks == CLICK


# --- absolute -------------------------------------------------------------------------------------

BOX = Settings(reach="absolute", box=(0.25, 0.25, 0.75, 0.75))
# The edges of that box in palm widths from the image's middle.
RIGHT, DOWN = 0.25 * 640 / 480 / 0.12, 0.25 / 0.12


@pytest.mark.parametrize(("x", "y"), [(-1, -1), (1, -1), (1, 1), (-1, 1), (0, 0)])
def test_every_corner_of_the_desktop_can_be_reached(x: int, y: int) -> None:
    desk = moving(BOX)
    desk.stroke((0, 0), (1.1 * RIGHT * x, 1.1 * DOWN * y), 0.8)
    desk.hold(0.5, 1.1 * RIGHT * x, 1.1 * DOWN * y)
    assert desk.spot == pytest.approx(((1 + x) / 2, (1 + y) / 2), abs=1e-3)


def test_one_monitor_of_several_can_be_chosen() -> None:
    desk = moving(Settings(reach="absolute", box=BOX.box, monitor=(0.5, 0.0, 1.0, 0.5)))
    assert desk.spot == pytest.approx((0.75, 0.25), abs=0.01)
    desk.stroke((0, 0), (RIGHT * 1.1, DOWN * 1.1), 0.8)
    desk.hold(0.5, RIGHT * 1.1, DOWN * 1.1)
    assert desk.spot == pytest.approx((1.0, 0.5), abs=1e-3)


def test_an_absolute_pointer_does_not_jump_to_a_hand_that_comes_back_elsewhere() -> None:
    desk = moving(BOX)
    assert desk.spot is not None
    before = desk.spot
    desk.lose(0.5)
    desk.hold(0.5, RIGHT / 2, DOWN / 2)
    assert desk.spot == pytest.approx(before, abs=1e-6)
    desk.stroke((RIGHT / 2, DOWN / 2), (-RIGHT, -DOWN), 0.6)
    desk.hold(0.5, -RIGHT, -DOWN)
    moves = [one for one in desk.commands if isinstance(one, MoveTo)]
    assert max(abs(b.x - a.x) for a, b in pairwise(moves)) < 0.1
    assert desk.spot == pytest.approx((0, 0), abs=0.02)


def test_a_box_at_the_shoulder_goes_with_the_body() -> None:
    settings = Settings(reach="absolute", around="shoulder", box=(-1.0, -2.0, 1.0, 0.0))
    desk = Desk(settings)
    desk.ask("move")
    desk.see(hand(0, 0), body=head())
    first = desk.spot
    assert first is not None
    assert 0 < first[0] < 1
    shifted = head()
    shifted.image[:, 0] -= 0.1
    moved = hand(0.1 * 640 / 480 / 0.12, 0)
    other = Desk(settings)
    other.ask("move")
    other.see(moved, body=shifted)
    assert other.spot == pytest.approx(first, abs=1e-3)


# --- the head, and resting ------------------------------------------------------------------------


def test_a_head_moves_the_pointer_when_a_gesture_of_the_body_asks() -> None:
    desk = Desk()
    desk.ask("move", "body")
    for x in [*[0.0] * 20, *np.linspace(0, 0.05, 30), *[0.05] * 30]:
        desk.see(body=head(float(x)))
    assert desk.place[0] > 200
    assert desk.place[1] == pytest.approx(0, abs=1)


def test_by_head_whoever_asks() -> None:
    desk = Desk(Settings(by="head"))
    desk.ask("move", "left")
    for x in np.linspace(0, 0.05, 30):
        desk.see(hand(5 * float(x), 0, side="left"), body=head(0, float(x)))
    assert desk.place[0] == pytest.approx(0, abs=1)
    assert desk.place[1] > 50


DWELL = Settings(dwell_us=600_000)


def rest_after_moving(desk: Desk, seconds: float) -> None:
    desk.stroke((0, 0), (1, 0), 0.3)
    desk.hold(0.2, 1, 0)
    desk.hold(seconds, 1, 0)


def test_resting_clicks_once_and_says_how_far_it_has_come() -> None:
    desk = moving(DWELL)
    rest_after_moving(desk, 0.2)
    shown = pointer.shown(desk.settings, desk.state, desk.t_us)
    assert desk.clicks == []
    assert 0.3 < shown.dwell < 0.8
    desk.hold(0.6, 1, 0)
    assert desk.clicks == CLICK


def test_resting_on_chooses_what_the_next_rest_does() -> None:
    desk = moving(DWELL)
    rest_after_moving(desk, 0.5)
    desk.hold(1.0, 1, 0)
    assert pointer.shown(desk.settings, desk.state, desk.t_us).choice == "double"
    desk.hold(0.9, 1, 0)
    assert pointer.shown(desk.settings, desk.state, desk.t_us).choice == "right"
    desk.stroke((1, 0), (0, 0), 0.3)
    desk.hold(0.9, 0, 0)
    assert desk.clicks == CLICK + RIGHT_CLICK
    assert pointer.shown(desk.settings, desk.state, desk.t_us).choice == "left"


def test_who_only_reads_finds_everything_as_it_was() -> None:
    desk = moving(DWELL)
    rest_after_moving(desk, 60)
    assert desk.clicks == CLICK
    assert pointer.shown(desk.settings, desk.state, desk.t_us).choice == "left"


def test_a_chosen_drag_is_dropped_by_the_next_rest() -> None:
    desk = moving(DWELL)
    for _ in range(3):
        desk.ask("choose")
        desk.hold(0.02)
    rest_after_moving(desk, 0.6)
    assert desk.clicks == ["down left"]
    desk.stroke((1, 0), (0, 0), 0.3)
    desk.hold(0.8, 0, 0)
    assert desk.clicks == CLICK


def test_a_choice_counts_for_a_pinch_too() -> None:
    desk = moving()
    desk.ask("choose")
    desk.hold(0.1)
    click(desk)
    assert desk.clicks == CLICK * 2


def test_nothing_rests_while_the_clutch_is_open() -> None:
    desk = moving(DWELL)
    desk.stroke((0, 0), (1, 0), 0.3)
    desk.ask("move", on=False)
    desk.hold(3, 1, 0)
    assert desk.clicks == []


# --- what is shown, what is needed ----------------------------------------------------------------


def test_displays_are_told_where_the_hand_is_and_what_is_held() -> None:
    desk = moving()
    desk.ask("precise")
    desk.hold(0.1, 0, 0, touch="index")
    shown = pointer.shown(desk.settings, desk.state, desk.t_us)
    assert (shown.leader, shown.held, shown.precise, shown.scrolls) == (
        "right",
        "left",
        True,
        False,
    )
    assert shown.place == pytest.approx((0.5, 0.5), abs=0.01)


@pytest.mark.parametrize(
    ("settings", "needs"),
    [
        (Settings(), Needs(1, 0)),
        (Settings(by="head"), Needs(0, 1)),
        (Settings(reach="absolute", around="shoulder"), Needs(1, 1)),
    ],
)
def test_pointing_says_which_landmarks_it_takes(settings: Settings, needs: Needs) -> None:
    assert pointer.needs(settings) == needs


def test_a_frame_is_a_function_of_what_went_before() -> None:
    desk = moving()
    one = Observation(desk.t_us + 20_000, (hand(0.5, 0),), (), (640, 480))
    asks = (Point(one.t_us, "precise", "right", on=True),)
    first = pointer.step(desk.settings, desk.state, one, asks)
    assert pointer.step(desk.settings, desk.state, one, asks) == first
