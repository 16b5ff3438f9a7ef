"""Whatever is seen, in whatever order: every taught gesture that begins has its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gesturectl.engine import Engine
from gesturectl.listener import Listener
from gesturectl.recogniser import Recogniser
from gesturectl.types import Began, Body, Ended, Hand, Observation
from tests.teaching import SIZE_PX, known, samples

# One thing that happens: so many frames of a take from somewhere on, the sides of its hands as
# they are or swapped, of anything at all, of nobody, a pause, or a reset.
happenings = st.one_of(
    st.tuples(
        st.sampled_from(["hook", "tap", "meet", "zigzag", "lift"]),
        st.integers(0, 60),
        st.integers(1, 60),
        st.booleans(),
    ),
    st.tuples(st.just("anything"), st.integers(0, 2**32 - 1), st.integers(1, 10), st.just(False)),
    st.tuples(st.just("nobody"), st.just(0), st.integers(1, 8), st.just(False)),
    st.tuples(st.just("pause"), st.just(0), st.integers(1, 9_000_000), st.just(False)),
    st.tuples(st.just("reset"), st.just(0), st.just(0), st.just(False)),
)
stories = st.lists(happenings, max_size=6)


def anything(seed: int, frames: int) -> list[Observation]:
    """Points anywhere, also far outside of all pictures."""
    rng = np.random.default_rng(seed)
    size = 10.0 ** rng.uniform(-3, 3)
    return [
        Observation(
            0,
            (Hand("right", 1.0, (rng.normal(size=(21, 3)) * size).astype(np.float32)),),
            (Body(rng.normal(size=(33, 4)).astype(np.float32)),),
            SIZE_PX,
        )
        for _ in range(frames)
    ]


def played(story: list[tuple[str, int, int, bool]]) -> Iterator[Observation | int]:
    """Yield observations, and for each reset its time."""
    t_us = 0
    other = {"left": "right", "right": "left"}
    for what, start, count, swapped in story:
        if what == "pause":
            t_us += count
        elif what == "reset":
            yield t_us
        else:
            if what == "anything":
                seen = anything(start, count)
            elif what == "nobody":
                seen = [Observation(0, (), (), SIZE_PX)] * count
            else:
                seen = list(samples()[what][0][start : start + count])
            for o in seen:
                t_us += 33_333
                hands = o.hands
                if swapped:
                    hands = tuple(replace(h, side=other[h.side]) for h in hands)  # type: ignore[arg-type]
                yield replace(o, t_us=t_us, hands=hands)
    yield t_us


@settings(max_examples=12, deadline=None)
@given(stories)
def test_every_beginning_has_its_end(story: list[tuple[str, int, int, bool]]) -> None:
    listener, shown = Listener(known()), set[tuple[str, str]]()
    for one in played(story):
        reset = isinstance(one, int)
        events = listener.reset(one) if isinstance(one, int) else listener.step(one)
        for event in events:
            if isinstance(event, Began):
                assert (event.gesture, event.side) not in shown
                assert 0.85 <= event.confidence <= 1
                shown.add((event.gesture, event.side))
            else:
                shown.remove((event.gesture, event.side))
        assert not (reset and shown)


@settings(max_examples=8, deadline=None)
@given(stories)
def test_beside_shipped_gestures_as_well(story: list[tuple[str, int, int, bool]]) -> None:
    engine = Engine(Recogniser.load(), None, Listener(known()))
    shown = set[tuple[str, str]]()
    for one in played(story):
        step = engine.release(one) if isinstance(one, int) else engine.step(one)
        for event in step.events:
            if isinstance(event, Ended):
                shown.remove((event.gesture, event.side))
            else:
                assert (event.gesture, event.side) not in shown
                shown.add((event.gesture, event.side))
        assert not (isinstance(one, int) and shown)
