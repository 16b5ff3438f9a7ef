"""Repetitions, good and bad; the numbers are those of the drawing in `reps`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gesturectl.reps import Counting, Limit, Reps, Swing
from gesturectl.senses import Cue, Senses
from gesturectl.types import Began, Ended, Observation
from tests.sensing import body, filmed, frame, hand, knee_bent, told

KNEE = Swing("left_knee", 160.0, 100.0)


def bends(*turns: float, each_s: float = 1.0, start: float = 170.0) -> Callable[[float], Any]:
    """A knee that goes to each of these angles in turn, in the time for each, evenly."""
    times = np.arange(len(turns) + 2) * each_s
    angles = (start, start, *turns)

    def look(t_s: float) -> Any:
        return body(knee_bent(float(np.interp(t_s, times, angles))))

    return look


def played(settings: Reps, film: list[Observation]) -> tuple[list[int], Counting]:
    """Return when it acted, in ms, and what has been counted."""
    cue = Cue("reps", settings)
    senses = Senses([cue])
    story = [one for observation in film for one in told(senses.step(observation))]
    assert {one[2] for one in story} <= {cue.name}
    assert [one[1] for one in story] == ["began", "ended"] * (len(story) // 2)
    return [one[0] for one in story[::2]], senses.counts[cue.name, "body"]


def faults(settings: Reps, film: list[Observation]) -> tuple[str, ...]:
    _, counting = played(settings, film)
    assert counting.last is not None
    return counting.last.faults


def test_1_2_4_there_and_back_is_one_repetition() -> None:
    acted, counting = played(Reps(angle=KNEE), filmed(4, bends(90, 170)))
    assert len(acted) == 1
    assert acted[0] == pytest.approx(2950, abs=40)  # 0.07 s after the knee is at 160 again
    assert (counting.good, counting.bad) == (1, 0)
    assert counting.last is not None
    assert counting.last.least_deg == pytest.approx(90, abs=4)
    assert counting.last.ended_us - counting.last.began_us == pytest.approx(1_650_000, abs=70_000)


def test_repetitions_are_counted_on() -> None:
    acted, counting = played(Reps(angle=KNEE), filmed(9, bends(90, 170, 90, 170, 95, 170)))
    assert len(acted) == counting.good == 3


def test_a_swing_may_go_upward() -> None:
    raised = Swing("left_knee", 95.0, 150.0)
    acted, _ = played(Reps(angle=raised), filmed(4, bends(170, 90, start=90.0)))
    assert len(acted) == 1


def test_4_without_2_is_shallow_when_at_least_half_the_way_was_gone() -> None:
    acted, counting = played(Reps(angle=KNEE), filmed(4, bends(120, 170)))
    assert (acted, counting.good, counting.bad) == ([], 0, 1)
    assert faults(Reps(angle=KNEE), filmed(4, bends(120, 170))) == ("shallow",)


def test_4_without_2_is_nothing_when_less_was_gone() -> None:
    acted, counting = played(Reps(angle=KNEE), filmed(4, bends(140, 170)))
    assert (acted, counting.good, counting.bad) == ([], 0, 0)


def test_1_who_was_never_at_from_has_not_begun() -> None:
    assert played(Reps(angle=KNEE), filmed(4, bends(90, 170, start=120.0)))[0] == []


def test_dipping_twice_on_the_way_is_one_repetition() -> None:
    _, counting = played(Reps(angle=KNEE), filmed(6, bends(90, 130, 90, 170)))
    assert counting.good == 1


@pytest.mark.parametrize(
    ("settings", "each_s", "wrong"),
    [
        (Reps(angle=KNEE, min_us=2_000_000), 1.0, ("fast",)),
        (Reps(angle=KNEE, min_us=1_000_000), 1.0, ()),
        (Reps(angle=KNEE, max_us=1_000_000), 1.0, ("slow",)),
        (Reps(angle=KNEE, hold_us=1_000_000), 1.0, ("not_held",)),
        (Reps(angle=KNEE, hold_us=500_000), 3.0, ()),
        (Reps(angle=KNEE, limits=(Limit("trunk", below_deg=20.0),)), 1.0, ()),
        (Reps(angle=KNEE, limits=(Limit("right_knee", below_deg=120.0),)), 1.0, ("crooked",)),
    ],
)
def test_form_is_judged(settings: Reps, each_s: float, wrong: tuple[str, ...]) -> None:
    assert faults(settings, filmed(4 * each_s, bends(90, 170, each_s=each_s))) == wrong


def test_bad_ones_have_an_event_of_their_own() -> None:
    film = filmed(6, bends(90, 170, 120, 170))
    assert len(played(Reps(angle=KNEE), film)[0]) == 1
    assert len(played(Reps(angle=KNEE, form="bad"), film)[0]) == 1
    assert len(played(Reps(angle=KNEE, form="shallow"), film)[0]) == 1
    assert played(Reps(angle=KNEE, form="slow"), film)[0] == []


def test_every_acts_on_each_so_many() -> None:
    film = filmed(14, bends(90, 170, 90, 170, 120, 170, 90, 170, 90, 170))
    acted, counting = played(Reps(angle=KNEE, every=2), film)
    assert len(acted) == 2
    assert (counting.good, counting.bad) == (4, 1)


def test_what_is_not_in_sight_is_not_held_against_anybody() -> None:
    settings = Reps(angle=KNEE, limits=(Limit("right_elbow", below_deg=20.0),))
    look = bends(90, 170)

    def armless(t_s: float) -> Any:
        shown = look(t_s)
        shown.image[14, 3] = 0.0
        return shown

    assert faults(settings, filmed(4, armless)) == ()


def test_a_short_loss_is_bridged_and_a_long_one_ends_the_repetition() -> None:
    look = bends(90, 170)
    film = filmed(4, look)
    assert len(played(Reps(angle=KNEE), [o for o in film if not 1.7 < o.t_us / 1e6 < 2.0])[0]) == 1
    assert played(Reps(angle=KNEE), [o for o in film if not 1.7 < o.t_us / 1e6 < 2.4])[0] == []


def test_landmarks_that_jump_are_no_repetition() -> None:
    def look(t_s: float) -> Any:
        return body(knee_bent(60 if 1.0 <= t_s < 1.15 else 170))

    assert played(Reps(angle=KNEE), filmed(2, look))[1].good == 0


def test_who_sits_down_for_minutes_has_done_no_repetition() -> None:
    look = bends(90, 90, 90, 170, each_s=30.0)
    assert played(Reps(angle=KNEE), filmed(140, look, fps=15))[1].good == 0


# --- gestures ---


def shown_from(began_ms: int, ended_ms: int, **settings: Any) -> tuple[list[int], Counting]:
    cue = Cue("reps", Reps(gesture="fist", **settings))
    senses = Senses([cue])
    acted = []
    for observation in filmed(2, lambda t_s: hand()):
        t_ms = observation.t_us // 1000
        events: tuple[Began | Ended, ...] = ()
        if t_ms == began_ms:
            events = (Began(observation.t_us, "fist", "right", 0.9),)
        if t_ms == ended_ms:
            events = (*events, Ended(observation.t_us, "fist", "right", 0.9))
        acted += [one[0] for one in told(senses.step(observation, events)) if one[1] == "began"]
    return acted, senses.counts["reps:fist" if not settings else cue.name, "right"]


def test_a_gesture_counts_when_it_is_let_go() -> None:
    acted, counting = shown_from(500, 1000)
    assert acted == [1000]
    assert counting.last is not None and counting.last.held_us == 500_000


def test_a_motion_counts_at_once() -> None:
    assert shown_from(500, 500)[0] == [500]


def test_a_gesture_let_go_too_soon_is_not_held() -> None:
    acted, counting = shown_from(500, 1000, hold_us=800_000)
    assert acted == []
    assert counting.last is not None and counting.last.faults == ("not_held",)


def test_a_gesture_that_ends_because_the_hand_is_gone_does_not_count() -> None:
    senses = Senses([Cue("reps", Reps(gesture="fist"))])
    assert senses.step(frame(0, hand()), (Began(0, "fist", "right", 0.9),)) == ()
    assert senses.step(frame(200_000), (Ended(200_000, "fist", "right", 0.9),)) == ()
    assert senses.counts["reps:fist", "right"].good == 0


# --- a pause ---


def test_counts_outlive_a_pause() -> None:
    cue = Cue("reps", Reps(angle=KNEE))
    senses = Senses([cue])
    for observation in filmed(4, bends(90, 170)):
        senses.step(observation)
    assert senses.reset(4_100_000) == ()
    assert senses.counts[cue.name, "body"].good == 1
