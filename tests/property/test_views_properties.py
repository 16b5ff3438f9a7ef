"""Streams give what recordings give, however often, unevenly and incompletely they are seen."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesturectl import views
from gesturectl.types import Observation
from gesturectl.views import BEAT_US, Sums, Watcher, beats
from tests.acting import Performance

seeds = st.integers(0, 2**32 - 1)
rates = st.sampled_from([13.0, 24.0, 30.0, 47.0, 90.0])


@cache
def performed(fps: float) -> tuple[Observation, ...]:
    return tuple(Performance("swipe_left,ok@left").at(fps, body=True))


def lossy(fps: float, seed: int, start_us: int) -> list[Observation]:
    """Two hands and a body, of which parts are lost, for a frame or for a while."""
    rng = np.random.default_rng(seed)
    seen = []
    absent = dict.fromkeys(("left", "right", "body"), 0.0)
    for o in performed(fps):
        for who in absent:
            if rng.random() < 0.03:
                absent[who] = o.t_us + rng.choice([30_000, 120_000, 400_000])
        hands = tuple(h for h in o.hands if absent[h.side] < o.t_us)
        bodies = o.bodies if absent["body"] < o.t_us else ()
        t_us = o.t_us + start_us + int(rng.integers(0, 3_000))
        seen.append(Observation(t_us, hands, bodies, o.size_px))
    return seen


def streamed(take: list[Observation], **look: bool) -> dict[int, Sums]:
    """Sum up what a watcher tells, by beats."""
    watcher, told = Watcher(**look), dict[int, Sums]()
    for o in take:
        if (one := watcher.step(o)) is not None:
            old = told.get(beat := o.t_us // BEAT_US)
            told[beat] = one if old is None else plus(old, one)
    return told


def plus(a: Sums, b: Sums) -> Sums:
    return Sums(a.hands + b.hands, a.body + b.body, a.seen + b.seen)


@settings(max_examples=10, deadline=None)
@given(rates, seeds, st.integers(1, 10**11), st.booleans(), st.booleans())
def test_a_stream_tells_what_its_recording_tells(
    fps: float, seed: int, start_us: int, hands: bool, body: bool
) -> None:
    take = lossy(fps, seed, start_us)
    whole = beats(take, hands=hands, body=body)
    told = streamed(take, hands=hands, body=body)
    for i in range(len(whole)):
        one, expected = told.get(whole.first + i), whole.window(i, i + 1)
        if one is None:
            assert not expected.seen.any()
            continue
        assert one.seen.tolist() == expected.seen.tolist()
        assert one.hands == pytest.approx(expected.hands, abs=2e-4)
        assert one.body == pytest.approx(expected.body, abs=2e-4)


@settings(max_examples=6, deadline=None)
@given(seeds, st.integers(2, 60))
def test_into_how_many_pieces_a_recording_is_cut_does_not_matter(seed: int, at: int) -> None:
    take = lossy(30.0, seed, 0)
    watcher = Watcher()
    for o in take[:at]:
        watcher.step(o)
    rest = [watcher.step(o) for o in take[at:]]
    again = Watcher()
    every = [again.step(o) for o in take]
    for one, other in zip(rest, every[at:], strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.hands.tobytes() == other.hands.tobytes()
            assert one.body.tobytes() == other.body.tobytes()


@pytest.mark.parametrize("fps", [15.0, 24.0, 60.0])
def test_any_frame_rate_tells_nearly_the_same(fps: float) -> None:
    told = [beats(performed(rate)) for rate in (30.0, fps)]
    n = min(map(len, told)) - 12
    for start in range(0, n, 5):
        one, other = (t.window(start, start + 10).embedded() for t in told)
        if one.any() and other.any():
            assert one @ other > 0.97


def test_nobody_is_told_as_nothing() -> None:
    empty = [replace(o, hands=(), bodies=()) for o in performed(30.0)]
    assert not beats(empty).sums.seen.any()
    assert not beats(empty).window(0, 10).embedded().any()
    assert streamed(empty) == {}


def test_an_embedding_has_length_one_and_its_parts_their_places() -> None:
    told = beats(performed(30.0))
    both = told.window(0, len(told)).embedded()
    assert np.linalg.norm(both) == pytest.approx(1, abs=1e-5)
    alone = told.window(0, len(told)).embedded((views.RIGHT,))
    assert not alone[views.SHARED_SIZE + views.WAVES : views.ARMS_AT].any()
    assert alone[views.ARMS_AT :].any()
