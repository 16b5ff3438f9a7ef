"""The machines by themselves; the numbers are those of the drawings in `triggers`."""

from __future__ import annotations

from typing import Any

import pytest

from gesturectl.triggers import (
    TRIGGERS,
    HoldFor,
    Outputs,
    Repeat,
    Sequence,
    Tap,
    Trigger,
    While,
    step,
)
from gesturectl.types import Began, Ended, GestureEvent, Tick


def b(t_ms: int, gesture: str = "fist") -> Began:
    return Began(t_ms * 1000, gesture, "right", 0.9)


def e(t_ms: int, gesture: str = "fist") -> Ended:
    return Ended(t_ms * 1000, gesture, "right", 0.9)


def t(t_ms: int) -> Tick:
    return Tick(t_ms * 1000)


def played(trigger: Trigger, *events: GestureEvent) -> tuple[dict[int, Outputs], Any]:
    """Return what came out by time in ms, and the state in the end."""
    state, out = None, {}
    for event in events:
        state, outputs = step(trigger, state, event)
        if outputs:
            out[event.t_us // 1000] = outputs
    return out, state


TAP = Trigger("tap", Tap())
TAP_BESIDE_HOLD = Trigger("tap", Tap(before_us=800_000))
HOLD = Trigger("hold_for", HoldFor(800_000))
WHILE = Trigger("while", While())
REPEAT = Trigger("repeat", Repeat(every_us=100_000, after_us=500_000))
TWO = Trigger("sequence", Sequence(("fist", "ok"), 900_000))


def test_tap_1_acts_when_the_gesture_begins() -> None:
    assert played(TAP, b(0), t(33), e(500)) == ({0: ("tap",)}, None)


def test_tap_2_beside_a_hold_acts_on_an_early_end() -> None:
    assert played(TAP_BESIDE_HOLD, b(0), t(33), e(500)) == ({500: ("tap",)}, None)


def test_tap_3_beside_a_hold_leaves_a_late_end_alone() -> None:
    assert played(TAP_BESIDE_HOLD, b(0), t(799), t(801), e(900)) == ({}, None)


def test_hold_1_acts_once_at_its_time() -> None:
    assert played(HOLD, b(0), t(799), t(800), t(833), e(2000)) == ({800: ("tap",)}, None)


def test_hold_2_released_early_is_nothing() -> None:
    assert played(HOLD, b(0), t(700), e(799), t(800)) == ({}, None)


def test_hold_3_that_ends_unseen_is_nothing() -> None:
    assert played(HOLD, b(0), t(700), e(2000)) == ({}, None)


def test_hold_says_how_far_it_has_come() -> None:
    progress = TRIGGERS["hold_for"].progress
    _, state = played(HOLD, b(100))
    assert [progress(HOLD.config, state, ms * 1000) for ms in (100, 500, 900, 1300)] == [
        0.0,
        0.5,
        1.0,
        1.0,
    ]
    assert progress(HOLD.config, None, 0) is None


def test_while_1_presses_and_lets_go() -> None:
    assert played(WHILE, b(0), t(33), e(500)) == ({0: ("press",), 500: ("release",)}, None)


def test_while_2_presses_once_for_two_beginnings() -> None:
    out, state = played(WHILE, b(0), b(100), e(500), e(600))
    assert (out, state) == ({0: ("press",), 500: ("release",)}, None)


def test_repeat_1_waits_and_then_keeps_its_rhythm() -> None:
    out, state = played(REPEAT, b(0), *(t(ms) for ms in range(10, 800, 10)), e(800))
    assert out == {0: ("tap",), 500: ("again",), 600: ("again",), 700: ("again",)}
    assert state is None


def test_repeat_2_let_go_early_acts_once() -> None:
    assert played(REPEAT, b(0), t(400), e(499), t(700)) == ({0: ("tap",)}, None)


def test_repeat_3_makes_no_burst_of_what_slow_frames_missed() -> None:
    out, _ = played(REPEAT, b(0), t(850), t(880), t(900))
    assert out == {0: ("tap",), 850: ("again",), 900: ("again",)}


@pytest.mark.parametrize("fps", [15, 24, 30, 60])
def test_repeat_is_as_fast_at_every_frame_rate(fps: int) -> None:
    frames = [Tick(round(n * 1_000_000 / fps)) for n in range(1, 4 * fps + 1)]
    out, _ = played(REPEAT, b(0), *frames)
    assert len(out) == 1 + 36  # at 0, and from 0.5 s to 4.0 s every 0.1 s


def test_sequence_1_acts_on_the_last_beginning() -> None:
    assert played(TWO, b(0), e(100), b(500, "ok"), e(600, "ok")) == ({500: ("tap",)}, None)


def test_sequence_2_out_of_time_is_nothing() -> None:
    out, _ = played(TWO, b(0), e(100), t(800), b(901, "ok"))
    assert out == {}


def test_sequence_3_counts_the_later_of_two_first_ones() -> None:
    out, _ = played(TWO, b(0), e(100), b(800), e(850), b(1600, "ok"))
    assert out == {1600: ("tap",)}


def test_sequence_4_is_not_disturbed_by_what_came_before() -> None:
    out, _ = played(TWO, b(0, "ok"), e(10, "ok"), b(100), e(150), b(300, "ok"))
    assert out == {300: ("tap",)}


def test_sequence_5_begins_anew_after_acting() -> None:
    out, _ = played(TWO, b(0), b(100, "ok"), e(150, "ok"), b(200, "ok"))
    assert out == {100: ("tap",)}


def test_sequence_of_equal_gestures_finds_its_tail() -> None:
    thrice = Trigger("sequence", Sequence(("fist", "fist", "ok"), 2_000_000))
    out, _ = played(thrice, b(0), b(100), b(200), b(300, "ok"))
    assert out == {300: ("tap",)}


def test_sequence_rests_when_its_time_is_over() -> None:
    _, state = played(TWO, b(0), e(100), t(900))
    assert state is not None
    state, _ = step(TWO, state, t(901))
    assert state is None


def test_sequence_says_how_far_it_has_come() -> None:
    progress = TRIGGERS["sequence"].progress
    _, state = played(TWO, b(0), e(100))
    assert progress(TWO.config, state, 200_000) == 0.5
    _, state = played(TWO, b(0, "ok"))
    assert progress(TWO.config, state, 200_000) is None


@pytest.mark.parametrize("trigger", [TAP, TAP_BESIDE_HOLD, HOLD, WHILE, REPEAT, TWO])
def test_an_end_without_a_beginning_is_nothing(trigger: Trigger) -> None:
    assert played(trigger, e(0), t(10), e(20)) == ({}, None)
