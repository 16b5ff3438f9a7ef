"""Takes made into a stream again: what is right in it, what is wrong, and what is false."""

from __future__ import annotations

import numpy as np

from gesturectl.features import STEP_US
from gesturectl.types import Take
from tests.teaching import hand_take
from training.evaluate import custom_stream as measure
from training.evaluate.custom_stream import Heard, Person
from training.evaluate.metrics import Rate


def takes(name: str, n: int, seed: int) -> list[Take]:
    rng = np.random.default_rng(seed)
    return [hand_take(name, rng) for _ in range(n)]


def test_a_stream_has_all_takes_in_order_and_pauses_between_them() -> None:
    own, other = takes("hook", 1, 1)[0], takes("zigzag", 1, 2)[0]
    stream, segments = measure.joined([("hook", own), ("", other), ("hook", own)])
    stamps = [o.t_us for o in stream]
    assert set(np.diff(stamps).tolist()) == {STEP_US}
    assert len(stream) == 2 * len(own) + len(other) + 2 * measure.PAUSE_STEPS
    assert [segment.name for segment in segments] == ["hook", "hook"]
    assert segments[0].end_us - segments[0].start_us == (len(own) - 1) * STEP_US


def test_in_a_pause_a_hand_goes_on_from_take_to_take() -> None:
    one, two = takes("hook", 2, 3)
    stream, _ = measure.joined([("", one), ("", two)])
    pause = stream[len(one) : len(one) + measure.PAUSE_STEPS]
    way = np.stack([o.hands[0].image[0] for o in pause])
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    assert np.allclose(steps, steps[0], atol=1e-5)


def test_own_gestures_are_heard_among_strangers() -> None:
    label = np.repeat(["hook", "meet"], 7)
    person = Person("a", [*takes("hook", 7, 4), *takes("meet", 7, 5)], label)
    strangers = {"zigzag": takes("zigzag", 4, 6), "hook": takes("hook", 2, 7)}
    heard = measure.measure(person, strangers, (), frozenset(), np.random.default_rng(0))
    assert heard is not None
    assert heard.takes == 4
    assert heard.right >= 3
    assert heard.false.hours > 0


def test_too_few_takes_give_no_figure() -> None:
    person = Person("a", takes("hook", 5, 8), np.repeat(["hook"], 5))
    assert measure.measure(person, {}, (), frozenset(), np.random.default_rng(0)) is None


def test_figures_of_all_users_are_added_up() -> None:
    one = Heard(9, 10, Rate(1, 0.5), 2, 0.1)
    other = Heard(5, 10, Rate(0, 0.5), 0, 0.0)
    told = measure.figures({"a": one, "b": other})
    assert (told["recall"], told["wrong"], told["false"]) == (0.7, 2, 1)
    assert told["false_per_hour_of_strangers"] == 1.0
    assert told["users"]["a"]["recall"] == 0.9
