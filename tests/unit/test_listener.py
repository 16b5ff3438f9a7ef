"""A stream is listened to: taught gestures begin, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from gesturectl.engine import Engine
from gesturectl.listener import Listener
from gesturectl.recogniser import Recogniser
from gesturectl.types import Began, Ended, Observation, Take
from tests.acting import Performance
from tests.teaching import SIZE_PX, hand_take, known, later, ordinary_hand, raise_take, resting


def heard(takes: Iterable[Take]) -> list[list[tuple[str, str]]]:
    """Play takes one after another; return for each what began, and by whom."""
    listener, told = Listener(known()), []
    for _, moved in later(takes):
        events = [e for o in moved for e in listener.step(o)]
        told.append([(e.gesture, e.side) for e in events if isinstance(e, Began)])
    return told


def takes(name: str, n: int = 6, seed: int = 5, **how: object) -> list[Take]:
    rng = np.random.default_rng(seed)
    return [hand_take(name, rng, **how) for _ in range(n)]  # type: ignore[arg-type]


# --- what is heard ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tap", "hook", "zigzag"])
def test_a_gesture_is_heard_once_and_by_the_hand_that_makes_it(name: str) -> None:
    told = heard(takes(name))
    assert told.count([(name, "right")]) >= 5
    assert all(len(events) <= 1 for events in told)


@pytest.mark.parametrize("fps", [15.0, 60.0])
def test_the_rate_of_the_camera_does_not_matter(fps: float) -> None:
    assert heard(takes("zigzag", fps=fps)).count([("zigzag", "right")]) >= 5


def test_a_hand_that_only_lies_in_view_does_not_matter() -> None:
    assert heard(takes("hook", idle="left")).count([("hook", "right")]) >= 5
    assert heard(takes("zigzag", idle="left")).count([("zigzag", "right")]) >= 5


def test_a_pose_taught_with_one_hand_is_known_from_the_other() -> None:
    assert heard(takes("hook", sides=("left",))).count([("hook", "left")]) >= 5


def test_both_hands_together_make_what_was_taught_with_both() -> None:
    told = heard(takes("meet"))
    assert sum([name for name, _ in events] == ["meet"] for events in told) >= 5


def test_arms_are_heard_where_no_hand_is_found() -> None:
    rng = np.random.default_rng(6)
    told = heard([raise_take(rng) for _ in range(6)])
    assert told.count([("lift", "body")]) >= 5


# --- what is not --------------------------------------------------------------------------------


def test_resting_hands_and_one_raised_arm_are_nothing() -> None:
    rng = np.random.default_rng(7)
    quiet = [resting(2.0, rng), resting(2.0, rng, ("right", "left")), raise_take(rng, (16,))]
    assert heard([*quiet, *quiet]) == [[]] * 6


def test_ordinary_behaviour_is_nothing() -> None:
    rng = np.random.default_rng(8)
    assert sum(map(len, heard(ordinary_hand(rng) for _ in range(6)))) <= 1


def test_an_empty_room_is_nothing() -> None:
    empty = [Observation((i + 1) * 33_333, (), (), SIZE_PX) for i in range(100)]
    assert heard([empty]) == [[]]


# --- beginnings and ends ------------------------------------------------------------------------


def test_a_motion_begins_and_ends_at_once_and_a_pose_when_it_is_let_go() -> None:
    for name in ("zigzag", "hook"):
        ((_, moved),) = later([takes(name, 1)[0]])
        listener = Listener(known())
        events = [e for o in moved for e in listener.step(o)]
        assert [type(e) for e in events] == [Began, Ended]
        began, ended = events
        lasted_s = (ended.t_us - began.t_us) / 1e6
        assert lasted_s == 0 if name == "zigzag" else 0.5 < lasted_s < 2.0


def holding() -> tuple[Listener, int]:
    """A listener in the midst of a pose, and what time it is."""
    listener = Listener(known())
    for o in takes("hook", 1)[0]:
        if any(isinstance(e, Began) for e in listener.step(o)):
            return listener, o.t_us
    raise AssertionError("the pose was not heard")


def test_a_hand_that_is_gone_ends_its_pose_after_150_ms() -> None:
    listener, t_us = holding()
    events = {
        ago: listener.step(Observation(t_us + ago, (), (), SIZE_PX))
        for ago in range(50_000, 300_000, 50_000)
    }
    assert [ago for ago, told in events.items() if told] == [200_000]
    assert [(type(e), e.gesture) for e in events[200_000]] == [(Ended, "hook")]


def test_a_reset_ends_what_is_shown_and_forgets_the_past() -> None:
    listener, t_us = holding()
    assert [(type(e), e.gesture) for e in listener.reset(t_us)] == [(Ended, "hook")]
    assert listener.reset(t_us) == ()
    assert listener.candidates == ()


def test_after_a_stalled_camera_nothing_is_left_of_what_was_before() -> None:
    listener, t_us = holding()
    events = listener.step(Observation(t_us + 60_000_000, (), (), SIZE_PX))
    assert [type(e) for e in events] == [Ended]


def test_time_that_does_not_grow_is_refused() -> None:
    listener = Listener(known())
    listener.step(Observation(5, (), (), SIZE_PX))
    with pytest.raises(ValueError, match="must grow in time"):
        listener.step(Observation(5, (), (), SIZE_PX))


def test_the_hour_of_the_day_does_not_matter() -> None:
    take = takes("zigzag", 1)[0]
    tomorrow = [replace(o, t_us=o.t_us + 86_400_000_000) for o in take]
    now, then = Listener(known()), Listener(known())
    first = [e.gesture for o in take for e in now.step(o)]
    assert first == [e.gesture for o in tomorrow for e in then.step(o)]


# --- in the engine ------------------------------------------------------------------------------


def begun(engine: Engine, observations: Iterable[Observation]) -> list[str]:
    steps = [engine.step(o) for o in observations]
    return [e.gesture for step in steps for e in step.events if isinstance(e, Began)]


@pytest.mark.parametrize("script", ["thumb_up", "victory", "swipe_left", "fist@left"])
def test_shipped_gestures_are_what_they_were_when_others_are_taught(script: str) -> None:
    seen = Performance(script).at(30)
    alone, beside = Engine(Recogniser.load()), Engine(Recogniser.load(), None, Listener(known()))
    assert begun(beside, seen) == begun(alone, seen)


def test_the_engine_tells_what_was_taught() -> None:
    engine = Engine(Recogniser.load(), None, Listener(known()))
    told = [begun(engine, moved) for _, moved in later(takes("zigzag", 4))]
    assert sum("zigzag" in names for names in told) >= 3


def test_a_release_ends_what_was_taught_as_well() -> None:
    engine = Engine(Recogniser.load(), None, Listener(known()))
    take = takes("hook", 1)[0]
    for o in take:
        step = engine.step(o)
        if any(isinstance(e, Began) and e.gesture == "hook" for e in step.events):
            assert "hook" in {one.gesture for one in step.candidates}
            break
    ended = engine.release(o.t_us).events
    assert "hook" in {e.gesture for e in ended}
    assert engine.release(o.t_us).events == ()
