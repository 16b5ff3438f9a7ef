"""Thresholds of strokes follow from hours in which nobody makes one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("jax", reason="training needs JAX: pip install .[train]")

from gesturectl import decoder
from gesturectl.decoder import MotionState, Rules
from gesturectl.features import STEP_US
from gesturectl.types import Began, Scores
from training import strokes

APART_US = 700_000
MOST = 0.75


def wandering(seed: int, steps: int = 200) -> np.ndarray:
    """Probabilities (steps, 3) that come and go."""
    rng = np.random.default_rng(seed)
    logits = np.cumsum(rng.normal(0, 0.8, (steps, 3)), axis=0) * 0.6
    logits -= logits.mean(0)
    e = np.exp(logits - logits.max(1, keepdims=True))
    return (e / e.sum(1, keepdims=True)).astype(np.float32)


def fired(p: np.ndarray, enter: float, hold_us: int, smooth_us: int) -> set[str]:
    """What the daemon's own decoder hears at this threshold."""
    three = np.full(3, enter, np.float32)
    rules = Rules(
        ("null", "a", "b"), three, three / 2, np.full(3, hold_us), np.zeros(3, np.int64), smooth_us
    )
    state, heard = MotionState(), set()
    for i, row in enumerate(p):
        state, events = decoder.step_motion(rules, state, Scores(i * STEP_US, "right", row))
        heard |= {event.gesture for event in events if isinstance(event, Began)}
    return heard


@given(
    seed=st.integers(0, 10_000),
    hold_us=st.sampled_from([0, 33_000, 66_000, 133_000]),
    smooth_us=st.sampled_from([0, 40_000]),
)
@settings(max_examples=60, deadline=None)
def test_the_highest_level_is_where_the_decoder_stops_to_fire(
    seed: int, hold_us: int, smooth_us: int
) -> None:
    p = wandering(seed)
    found = strokes.levels([p], [hold_us] * 3, smooth_us, STEP_US)
    for name, level in zip("ab", found, strict=True):
        if len(level):
            assert name in fired(p, float(level[0]) - 1e-4, hold_us, smooth_us)
        highest = float(level[0]) + 1e-4 if len(level) else 1e-3
        assert name not in fired(p, highest, hold_us, smooth_us)


def test_moments_of_one_activation_count_once() -> None:
    p = np.tile(np.array([0.1, 0.9, 0.0], np.float32), (42, 1))
    assert len(strokes.levels([p], [0] * 3, 0, APART_US)[0]) == 2  # 1.4 s of it


def exceeding(rng: np.random.Generator, count: int, fall: float = 0.5) -> np.ndarray:
    """Levels whose log odds fall exponentially from the least that counts."""
    odds = np.log(strokes.LEAST / (1 - strokes.LEAST)) + rng.exponential(fall, count)
    return np.sort(1 / (1 + np.exp(-odds)))[::-1].astype(np.float32)


def test_a_rarer_activation_asks_for_a_higher_threshold() -> None:
    level = exceeding(np.random.default_rng(0), 300)
    asked = [strokes.thresholds([level], 20.0, rate, [MOST])[0] for rate in (10.0, 1.0, 0.1)]
    assert asked == sorted(asked)
    assert asked[0] < asked[-1]


@pytest.mark.parametrize("per_hour", [5.0, 0.5])
def test_the_tail_tells_how_seldom_a_threshold_is_passed(per_hour: float) -> None:
    rng = np.random.default_rng(1)
    hours, count = 20.0, 400
    (asked,) = strokes.thresholds([exceeding(rng, count, 0.15)], hours, per_hour, [MOST])
    unseen = exceeding(rng, count * 50, 0.15)  # 1000 hours
    assert (unseen >= asked).sum() / (50 * hours) == pytest.approx(per_hour, rel=0.6)


def test_rates_too_low_to_be_seen_ask_for_more_than_was_ever_seen() -> None:
    few, many = (exceeding(np.random.default_rng(n), n, 0.1) for n in (3, 60))
    asked = strokes.thresholds([few, many], 20.0, 0.01, [MOST] * 2)
    assert asked[0] > few[0]
    assert asked[1] >= min(float(many[0]), MOST)


def test_a_stroke_that_quiet_hours_never_resemble_keeps_the_least_threshold() -> None:
    none = np.zeros(0, np.float32)
    assert strokes.thresholds([none, none], 20.0, 0.01, [MOST] * 2) == [strokes.LEAST] * 2


def test_no_threshold_is_so_high_that_nobody_could_pass_it() -> None:
    sure = np.full(500, 0.9999, np.float32)
    assert strokes.thresholds([sure, sure], 20.0, 0.01, [0.75, 0.9]) == [0.75, 0.9]
    assert strokes.thresholds([sure, sure], 20.0, 5.0, [0.75, 0.9]) == [0.75, 0.9]


def test_the_moments_that_fool_a_network_are_found_and_those_of_gestures_are_not() -> None:
    class_of_first = {  # says class 1 where the first feature is high
        "in_w": np.array([[6.0]], np.float32), "in_b": np.array([-3.0], np.float32),
        "out_w": np.array([[-2.0, 2.0]], np.float32), "out_b": np.array([2.0, -2.0], np.float32),
    }  # fmt: skip
    x = np.zeros((300, 1), np.float32)
    x[[50, 200]] = 1.0
    label = np.zeros(300, np.int64)
    label[190:210] = 1  # this one was meant
    (found,) = strokes.hardest(class_of_first, iter([(x, label)]))
    assert found[2] == 50
