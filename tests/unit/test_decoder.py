"""Probabilities in, beginnings and ends out: the numbered cases of the decoder's drawings.

A story is a row of scores, one every 10 ms: a letter and a number say how probable that class is.
The rest goes to the null class.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesturectl import decoder
from gesturectl.decoder import MotionState, PoseState, Rules
from gesturectl.types import Began, Ended, Scores

STEP_US = 10_000
NAMES = ("null", "a", "b")


def rules(**changes: object) -> Rules:
    """Enter at 0.6, exit at 0.3, after 30 ms, quiet for 200 ms, without smoothing."""
    base: dict[str, object] = {
        "names": NAMES,
        "enter": np.full(3, 0.6, np.float32),
        "exit": np.full(3, 0.3, np.float32),
        "hold_us": np.full(3, 30_000, np.int64),
        "refractory_us": np.full(3, 200_000, np.int64),
        "smooth_us": 0,
    }
    return Rules(**(base | changes))  # type: ignore[arg-type]


def probabilities(story: str) -> Iterator[np.ndarray]:
    """Read `a.9*5 .*3`: five times a at 0.9, then three times nothing; `ab` shares it."""
    for word in story.split():
        what, _, times = word.partition("*")
        letters, _, part = what.partition(".")
        p = np.zeros(3, np.float32)
        for letter in letters:
            p[NAMES.index(letter)] = float(f"0.{part}") / len(letters)
        p[0] = 1 - p.sum()
        yield from [p] * int(times or 1)


def told(events: list[Began | Ended]) -> str:
    """Write events down: `+a@40` began after 40 ms, `-a@90` ended after 90."""
    signs = {Began: "+", Ended: "-"}
    return " ".join(f"{signs[type(e)]}{e.gesture}@{e.t_us // 1000}" for e in events)


def posed(story: str, by: Rules | None = None) -> str:
    by, state, events = by or rules(), PoseState(), []
    for i, p in enumerate(probabilities(story)):
        state, out = decoder.step_pose(by, state, Scores(i * STEP_US, "right", p))
        events += out
    return told(events)


def struck(story: str, by: Rules | None = None, state: MotionState | None = None) -> str:
    by, state, events = by or rules(), state or MotionState(), []
    for i, p in enumerate(probabilities(story)):
        state, out = decoder.step_motion(by, state, Scores(i * STEP_US, "right", p))
        events += out
    return told(events)


# --- poses --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("story", "events"),
    [
        ("a.9*3 .*9", ""),  # 1 without 2: it did not last for hold_us
        ("a.9*4", "+a@30"),  # 2
        ("a.9*9 .*3", "+a@30 -a@90"),  # 3, by falling below exit
        ("a.9*9 b.9*9", "+a@30 -a@90 +b@120"),  # 3, the old one having fallen first
        ("a.9*5 a.4*9 a.9*5", "+a@30"),  # between exit and enter nothing changes
        ("a.5*30", ""),  # nor does a beginning come from there
        ("a.9*2 .*1 a.9*3", ""),  # an interrupted candidate begins anew
        ("a.9*2 b.9*2 a.9*2 b.9*2", ""),  # so does one that takes turns with another
        ("a.9*5 .*2 a.9*9", "+a@30 -a@50 +a@100"),  # the same pose again is another one
        (".*50", ""),
    ],
)
def test_a_pose_begins_when_it_lasts_and_ends_when_it_is_gone(story: str, events: str) -> None:
    assert posed(story) == events


def test_another_pose_that_begins_ends_the_one_that_is_still_above_its_exit() -> None:
    low = rules(enter=np.array([0, 0.5, 0.5], np.float32), exit=np.full(3, 0.2, np.float32))
    shares = [np.array(p, np.float32) for p in ([0.1, 0.6, 0.3], [0.1, 0.3, 0.6])]
    state, events = PoseState(), []
    for i in range(12):
        scores = Scores(i * STEP_US, "left", shares[i >= 6])
        state, out = decoder.step_pose(low, state, scores)
        events += out
    assert told(events) == "+a@30 -a@90 +b@90"
    assert {event.side for event in events} == {"left"}


def test_nothing_begins_while_null_is_likelier() -> None:
    low = rules(enter=np.full(3, 0.3, np.float32), exit=np.full(3, 0.1, np.float32))
    assert posed("a.45*30", low) == ""
    assert posed("a.55*30", low) == "+a@30"


def test_each_class_has_its_own_thresholds() -> None:
    own = rules(
        enter=np.array([0, 0.6, 0.8], np.float32),
        hold_us=np.array([0, 30_000, 0], np.int64),
    )
    assert posed("a.7*9", own) == "+a@30"
    assert posed("b.7*9", own) == ""
    assert posed("b.9*9", own) == "+b@0"


def test_one_odd_frame_in_front_of_nothing_begins_nothing_even_without_a_hold() -> None:
    smooth = rules(hold_us=np.zeros(3, np.int64), smooth_us=80_000)
    assert posed("a.99*1 .*9", smooth) == ""
    assert posed("a.99*20", smooth).startswith("+a@")


@pytest.mark.parametrize("gap_us", [8_000, 16_667, 33_333, 66_667])
def test_smoothing_takes_its_time_whatever_the_frame_rate(gap_us: int) -> None:
    smooth, state, t_us = rules(smooth_us=80_000), PoseState(), 0
    none, all_a = (np.array(p, np.float32) for p in ([1, 0, 0], [0, 1, 0]))
    state, _ = decoder.step_pose(smooth, state, Scores(0, "right", none))
    while t_us < 200_000:
        t_us += gap_us
        state, _ = decoder.step_pose(smooth, state, Scores(t_us, "right", all_a))
    assert state.p is not None
    assert state.p[1] == pytest.approx(1 - np.exp(-t_us / 80_000), abs=1e-4)


def test_a_lost_subject_ends_its_pose_and_is_a_stranger_afterwards() -> None:
    state, story = PoseState(), list(probabilities("a.9*5"))
    for i, p in enumerate(story):
        state, _ = decoder.step_pose(rules(), state, Scores(i * STEP_US, "right", p))
    state, events = decoder.lose_pose(rules(), state, 90_000, "right")
    assert [(e.gesture, e.side, e.t_us) for e in events] == [("a", "right", 90_000)]
    assert isinstance(events[0], Ended)
    assert decoder.lose_pose(rules(), state, 99_000, "right")[1] == ()
    _, events = decoder.step_pose(rules(), state, Scores(100_000, "right", story[0]))
    assert events == ()


def test_a_frame_without_sense_changes_nothing() -> None:
    nan = np.full(3, np.nan, np.float32)
    state, events = PoseState(), []
    for i, p in enumerate([*probabilities("a.9*5"), nan, nan, *probabilities("a.9*5 .*2")]):
        state, out = decoder.step_pose(rules(), state, Scores(i * STEP_US, "right", p))
        events += out
    assert told(events) == "+a@30 -a@120"


# --- motions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("story", "events"),
    [
        ("a.9*3 .*9", ""),  # too short
        ("a.9*6 .*9", "+a@30 -a@30"),  # 1
        ("a.9*60", "+a@30 -a@30"),  # as long as it lasts it is one stroke
        ("a.9*6 .*2 a.9*6 .*30", "+a@30 -a@30"),  # 2, the same again
        ("a.9*6 .*2 b.9*6 .*30", "+a@30 -a@30"),  # 2, a return
        ("a.9*6 .*20 a.9*6", "+a@30 -a@30 +a@290 -a@290"),  # 3
        ("a.9*6 a.4*20 a.9*6", "+a@30 -a@30"),  # 3 needs it below exit
        ("a.9*6 .*20 b.9*6", "+a@30 -a@30 +b@290 -b@290"),
        ("a.9*6 .*9 b.9*20", "+a@30 -a@30 +b@230 -b@230"),  # a new stroke may start in the quiet
    ],
)
def test_a_stroke_is_one_event_and_quiet_follows_it(story: str, events: str) -> None:
    assert struck(story) == events


def test_what_another_machine_has_heard_is_not_heard_again_when_the_quiet_is_over() -> None:
    elsewhere = MotionState(quiet_until_us=200_000, echo=1)
    assert struck(".*4 a.9*40", state=elsewhere) == ""
    assert struck(".*4 a.9*10 .*9 a.9*9", state=elsewhere) == "+a@260 -a@260"
    assert struck(".*4 b.9*40", state=elsewhere) == "+b@200 -b@200"


def test_after_the_quiet_the_echo_is_a_stroke_like_any_other() -> None:
    assert struck(".*22 a.9*9", state=MotionState(quiet_until_us=200_000, echo=1)) == (
        "+a@250 -a@250"
    )


# --- whatever the scores ------------------------------------------------------------------------

shares = st.lists(
    st.tuples(st.integers(1, 300_000), st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3)),
    max_size=60,
)
smoothings = st.sampled_from([0, 40_000])


def streamed(rows: list[tuple[int, list[float]]]) -> Iterator[Scores]:
    t_us = 0
    for gap_us, row in rows:
        t_us += gap_us
        p = np.array(row, np.float32) + np.float32(1e-3)
        yield Scores(t_us, "right", p / p.sum())


@given(shares, smoothings)
def test_began_and_ended_take_turns_and_nothing_stays_shown(
    rows: list[tuple[int, list[float]]], smooth_us: int
) -> None:
    by, state, events, t_us = rules(smooth_us=smooth_us), PoseState(), [], 0
    for scores in streamed(rows):
        state, out = decoder.step_pose(by, state, scores)
        events += out
        t_us = scores.t_us
    state, out = decoder.lose_pose(by, state, t_us, "right")
    events += out
    assert [type(event) for event in events] == [Began, Ended] * (len(events) // 2)
    for began, ended in zip(events[::2], events[1::2], strict=True):
        assert began.gesture == ended.gesture != "null"
        assert began.t_us <= ended.t_us


@given(shares, smoothings)
def test_strokes_begin_and_end_at_once_and_keep_their_distance(
    rows: list[tuple[int, list[float]]], smooth_us: int
) -> None:
    by, state, events = rules(smooth_us=smooth_us), MotionState(), []
    for scores in streamed(rows):
        state, out = decoder.step_motion(by, state, scores)
        assert [type(event) for event in out] in ([], [Began, Ended])
        events += out
    times_us = [event.t_us for event in events if isinstance(event, Began)]
    assert all(later - earlier >= 200_000 for earlier, later in pairwise(times_us))


# --- early ----------------------------------------------------------------------------------------


def test_a_gesture_that_may_come_early_waits_for_nothing_and_the_others_as_ever() -> None:
    early = decoder.early(rules(), frozenset(["a"]))
    assert early.enter.tolist() == pytest.approx([0.6, 0.5, 0.6])
    assert early.hold_us.tolist() == [30_000, 0, 30_000]
    assert early.exit.tolist() == rules().exit.tolist()


def test_early_never_asks_for_more_and_never_for_less_than_the_end() -> None:
    low = rules(enter=np.array([0.4, 0.4, 0.9], np.float32), exit=np.full(3, 0.6, np.float32))
    early = decoder.early(rules(enter=np.full(3, 0.4, np.float32)), frozenset(["a", "b"]))
    assert early.enter.tolist() == pytest.approx([0.4] * 3)
    assert decoder.early(low, frozenset(["b"])).enter[2] == pytest.approx(0.6)
