"""What was taught wins over what is shipped; the numbers are those of the drawing in `arbiter`."""

from __future__ import annotations

from gesturectl import arbiter
from gesturectl.arbiter import QUIET_US, WAIT_US, State
from gesturectl.types import Began, Ended, Subject

MS = 1000
Event = Began | Ended


def began(gesture: str, t_us: int, side: Subject = "right") -> Began:
    return Began(t_us, gesture, side, 0.95)


def ended(gesture: str, t_us: int, side: Subject = "right") -> Ended:
    return Ended(t_us, gesture, side, 0.95)


def told(
    frames: dict[int, tuple[list[Event], list[Event], list[Subject]]], until_us: int = 2_000_000
) -> list[tuple[str, str, int]]:
    """Play frames every 50 ms: what is shipped, what is one's own, who is near; what is told."""
    state, out = State(), []
    for t_us in range(0, until_us, 50 * MS):
        shipped, own, near = frames.get(t_us, ([], [], []))
        state, events = arbiter.step(state, t_us, shipped, own, near)
        assert all(event.t_us == t_us for event in events)
        out += [(type(e).__name__, e.gesture, t_us // MS) for e in events]
    return out


def stroke(gesture: str, t_ms: int, side: Subject = "right") -> list[Event]:
    return [began(gesture, t_ms * MS, side), ended(gesture, t_ms * MS, side)]


def test_1_where_nothing_is_near_a_shipped_gesture_is_told_at_once() -> None:
    assert told({100 * MS: (stroke("swipe_left", 100), [], [])}) == [
        ("Began", "swipe_left", 100),
        ("Ended", "swipe_left", 100),
    ]


def test_2_near_to_something_taught_it_is_kept_back_and_told_when_that_goes_by() -> None:
    near: list[Subject] = ["right"]
    frames = {t * MS: ([], [], near) for t in range(100, 250, 50)}
    frames[100 * MS] = (stroke("swipe_left", 100), [], near)
    assert told(frames) == [("Began", "swipe_left", 250), ("Ended", "swipe_left", 250)]


def test_2_it_does_not_wait_for_ever() -> None:
    near: list[Subject] = ["right"]
    frames = {t * MS: ([], [], near) for t in range(100, 1000, 50)}
    frames[100 * MS] = ([began("fist", 100 * MS)], [], near)
    assert told(frames) == [("Began", "fist", 100 + WAIT_US // MS)]


def test_2_if_something_taught_begins_meanwhile_it_is_never_told() -> None:
    near: list[Subject] = ["right"]
    frames = {
        100 * MS: (stroke("swipe_left", 100), [], near),
        150 * MS: ([], [], near),
        200 * MS: ([], stroke("zigzag", 200), near),
    }
    assert told(frames) == [("Began", "zigzag", 200), ("Ended", "zigzag", 200)]


def test_3_while_a_taught_pose_is_shown_no_shipped_one_is_told_nor_its_end() -> None:
    frames = {
        100 * MS: ([], [began("hook", 100 * MS)], []),
        900 * MS: ([began("fist", 900 * MS)], [], []),
        1200 * MS: ([ended("fist", 1200 * MS)], [ended("hook", 1200 * MS)], []),
    }
    assert told(frames) == [("Began", "hook", 100), ("Ended", "hook", 1200)]


def test_3_the_return_of_a_taught_stroke_is_no_shipped_one() -> None:
    after_ms = 100 + QUIET_US // MS
    frames = {
        100 * MS: ([], stroke("zigzag", 100), []),
        300 * MS: (stroke("swipe_left", 300), [], []),
        after_ms * MS: (stroke("swipe_up", after_ms), [], []),  # 4
    }
    assert [gesture for _, gesture, _ in told(frames)] == ["zigzag"] * 2 + ["swipe_up"] * 2


def test_the_other_hand_is_its_own_but_the_body_is_both() -> None:
    frames = {
        100 * MS: ([], [began("hook", 100 * MS, "left")], []),
        200 * MS: ([began("fist", 200 * MS), began("arms_up", 200 * MS, "body")], [], []),
    }
    assert [gesture for _, gesture, _ in told(frames)] == ["hook", "fist"]


def test_a_pose_that_was_told_ends_whatever_has_begun_since() -> None:
    frames = {
        100 * MS: ([began("open_palm", 100 * MS)], [], []),
        300 * MS: ([], stroke("zigzag", 300), []),
        400 * MS: ([ended("open_palm", 400 * MS)], [], []),
    }
    assert [kind for kind, gesture, _ in told(frames) if gesture == "open_palm"] == [
        "Began",
        "Ended",
    ]


def test_a_short_pose_that_was_kept_back_begins_and_ends_when_it_is_told() -> None:
    near: list[Subject] = ["right"]
    frames = {
        100 * MS: ([began("fist", 100 * MS)], [], near),
        150 * MS: ([ended("fist", 150 * MS)], [], near),
    }
    assert told(frames) == [("Began", "fist", 200), ("Ended", "fist", 200)]


def test_a_release_ends_what_was_told_and_nothing_else() -> None:
    near: list[Subject] = ["right"]
    state, _ = arbiter.step(State(), 0, [began("ok", 0, "left")], [], near)
    state, _ = arbiter.step(state, 1, [began("fist", 1)], [began("hook", 1, "left")], near)
    ends = [ended("ok", 2, "left"), ended("fist", 2)]
    state, events = arbiter.release(state, ends, [ended("hook", 2, "left")])
    assert [event.gesture for event in events] == ["ok", "hook"]
    assert state == State()
