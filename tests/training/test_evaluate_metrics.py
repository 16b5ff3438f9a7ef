"""Events against truth, and how sure a figure is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesturectl.types import Began
from training.datasets import Segment
from training.evaluate import metrics
from training.evaluate.metrics import Matching, Rate, Tally

GRACE = 300


def heard(t_us: int, gesture: str = "swipe_left") -> Began:
    return Began(t_us, gesture, "right", 0.9)


def marked(start_us: int, end_us: int, name: str = "swipe_left") -> Segment:
    return Segment(name, start_us, end_us)


def matched(events: list[Began], segments: list[Segment]) -> tuple[int, int, int]:
    tally = Tally.of(metrics.match(events, segments, GRACE))
    return tally.right, tally.false, tally.missed


# --- matching -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("t_us", "right"), [(999, 0), (1000, 1), (2000, 1), (2300, 1), (2301, 0)])
def test_an_event_counts_from_the_start_until_the_grace_is_over(t_us: int, right: int) -> None:
    assert matched([heard(t_us)], [marked(1000, 2000)]) == (right, 1 - right, 1 - right)


def test_the_first_right_event_answers_and_the_second_is_false() -> None:
    found = metrics.match([heard(1500), heard(1200)], [marked(1000, 2000)], GRACE)
    segment = marked(1000, 2000)
    assert found == Matching(((heard(1200), segment),), (heard(1500),), ())


def test_a_wrong_event_does_not_use_a_segment_up() -> None:
    events = [heard(1200, "circle_cw"), heard(1500)]
    assert matched(events, [marked(1000, 2000)]) == (1, 1, 0)


def test_a_wrong_gesture_is_false_and_leaves_the_segment_missed() -> None:
    assert matched([heard(1500, "swipe_right")], [marked(1000, 2000)]) == (0, 1, 1)


def test_an_event_in_two_windows_answers_the_one_that_closes_first() -> None:
    segments = [marked(1000, 2000), marked(2100, 3000)]
    assert matched([heard(2200), heard(2250)], segments) == (2, 0, 0)


def test_nothing_heard_and_nothing_marked_is_no_error() -> None:
    assert matched([], []) == (0, 0, 0)
    assert metrics.total([]).f1 == 0.0


spans = st.tuples(st.integers(0, 40), st.integers(0, 12), st.sampled_from("ab"))
segments_of = st.lists(spans.map(lambda s: marked(s[0], s[0] + s[1], s[2])), max_size=7)
events_of = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from("abc")).map(lambda e: heard(*e)), max_size=7
)


def most(events: list[Began], segments: list[Segment], grace_us: int) -> int:
    """The largest number of answers there can be, by trying everything."""
    if not events:
        return 0
    first, *rest = events
    best = most(rest, segments, grace_us)
    for i, s in enumerate(segments):
        if s.name == first.gesture and s.start_us <= first.t_us <= s.end_us + grace_us:
            best = max(best, 1 + most(rest, segments[:i] + segments[i + 1 :], grace_us))
    return best


@given(events_of, segments_of)
def test_no_choice_of_answers_would_count_more(
    events: list[Began], segments: list[Segment]
) -> None:
    assert len(metrics.match(events, segments, 5).right) == most(events, segments, 5)


@given(events_of, segments_of)
def test_every_event_and_every_segment_is_counted_once(
    events: list[Began], segments: list[Segment]
) -> None:
    found = metrics.match(events, segments, 5)
    heard_of = [event for event, _ in found.right] + list(found.false)
    marks = [segment for _, segment in found.right] + list(found.missed)
    assert sorted(map(repr, heard_of)) == sorted(map(repr, events))
    assert sorted(map(repr, marks)) == sorted(map(repr, segments))


@given(events_of, segments_of)
def test_the_tallies_of_the_gestures_add_up_to_that_of_all(
    events: list[Began], segments: list[Segment]
) -> None:
    found = metrics.match(events, segments, 5)
    assert metrics.total([Tally.of(found, name) for name in "abc"]) == Tally.of(found)


def test_precision_recall_and_f1_by_hand() -> None:
    tally = Tally(right=6, false=2, missed=4)
    assert (tally.precision, tally.recall) == (0.75, 0.6)
    assert tally.f1 == pytest.approx(2 * 0.75 * 0.6 / (0.75 + 0.6))


def test_recordings_that_are_all_alike_leave_no_doubt_about_f1() -> None:
    bounds = metrics.f1_interval([Tally(8, 1, 1)] * 5)
    assert bounds.low == bounds.high == pytest.approx(16 / 18)


# --- intervals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "low", "high"),  # Garwood's table, as reprinted by Johnson, Kotz & Kemp
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (20, 12.217, 30.888)],
)
def test_the_interval_of_a_rate_is_two_sided_even_if_nothing_was_seen(
    count: int, low: float, high: float
) -> None:
    rate = Rate(count, 3.0)
    assert rate.per_hour == count / 3
    assert rate.interval == (pytest.approx(low / 3, abs=2e-4), pytest.approx(high / 3, abs=2e-4))


def test_no_time_gives_no_rate() -> None:
    assert Rate(0, 0.0).per_hour is None
    assert Rate(2, 0.0).interval.high == math.inf


def test_the_wilson_interval_is_the_published_one() -> None:
    bounds = metrics.wilson(81, 263)  # Newcombe 1998, method 3
    assert (bounds.low, bounds.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_wilson_interval_holds_the_fraction_and_stays_within_0_and_1(a: int, b: int) -> None:
    bounds = metrics.wilson(a, a + b)
    assert 0 <= bounds.low <= bounds.high <= 1
    if a + b:
        assert bounds.low <= a / (a + b) <= bounds.high


def test_more_hits_than_tries_are_refused() -> None:
    with pytest.raises(ValueError, match="3 hits of 2"):
        metrics.wilson(3, 2)


# --- spreads ------------------------------------------------------------------------------------


def test_latencies_are_told_in_milliseconds() -> None:
    assert metrics.spread_ms([-100_000, 0, 100_000]) == {"median": 0.0, "p90": 80.0}
    assert metrics.spread_ms([]) == {"median": None, "p90": None}
