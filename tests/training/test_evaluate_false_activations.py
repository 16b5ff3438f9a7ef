"""Hours without gestures: counts at every threshold, and what is suggested from them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesturectl import features
from gesturectl.recogniser import Recogniser
from gesturectl.trace import TraceWriter
from gesturectl.types import Began, Hand, Observation
from training import synth
from training.evaluate import false_activations as fa
from training.evaluate.__main__ import main
from training.evaluate.streams import shipped


def strokes(seed: int) -> list[Observation]:
    """A hand that makes strokes: here they are called false, as there must be something to find."""
    hand = synth.hand_stream(np.random.default_rng(seed), 40.0, gestures=0.8)
    return [
        Observation(int(t), (Hand("right", 1.0, points),), (), (1000, 1000))
        for t, points in zip(hand.t_us, hand.points, strict=True)
    ]


def test_replaying_only_around_activations_counts_what_listening_all_the_way_does() -> None:
    observations, judged = strokes(seed=4), synth.MOTIONS
    watch = fa.Watch(shipped(), judged)
    watch.add(observations)
    assert sum(watch.counts[fa.OWN].values()) > 3
    for rung in (0.9, 0.98):
        ear = Recogniser(fa.at_least(shipped(), rung))
        heard = Counter(
            event.gesture
            for observation in observations
            for event in ear.step(observation)
            if isinstance(event, Began) and event.gesture in judged
        )
        assert watch.counts[rung] == heard


def test_a_rung_raises_thresholds_and_lowers_none() -> None:
    trained = shipped()
    assert all(part.rules.enter.size for part in trained.card.parts.values())  # caches are filled
    raised = fa.at_least(trained, 0.7)
    for name, part in trained.card.parts.items():
        expected = np.maximum(part.rules.enter, np.float32(0.7))
        assert np.array_equal(raised.rules(name).enter, expected)


def test_gaps_between_frames_are_no_time_watched() -> None:
    watch = fa.Watch(shipped(), synth.MOTIONS)
    times = (0, 500_000, 1_000_000, 60_000_000, 60_500_000)
    watched_us = watch.add(Observation(t, (), (), (640, 480)) for t in times)
    assert watched_us == 1_500_000


def test_whoever_fires_most_is_raised_first() -> None:
    counts = {
        0.0: Counter(swipe_left=10, wave=2),
        0.8: Counter(swipe_left=10, wave=1),
        0.9: Counter(swipe_left=1),
        0.99: Counter(swipe_left=1),
    }
    assert fa.suggest(counts, 20) == {"swipe_left": 0.0, "wave": 0.0}
    assert fa.suggest(counts, 3) == {"swipe_left": 0.9, "wave": 0.0}
    assert fa.suggest(counts, 2) == {"swipe_left": 0.9, "wave": 0.8}


def test_what_fires_at_every_threshold_gets_none() -> None:
    counts = {0.0: Counter(fist=9), 0.9: Counter(fist=4)}
    assert fa.suggest(counts, 3) == {"fist": None}


rows = st.fixed_dictionaries({name: st.lists(st.integers(0, 9), min_size=4) for name in "abc"})


@given(rows, st.floats(0, 30))
def test_no_more_are_left_than_may_be(falling: dict[str, list[int]], most: float) -> None:
    rungs = (0.0, 0.8, 0.9, 0.99)
    counts = {
        rung: Counter({name: sorted(n[:4], reverse=True)[i] for name, n in falling.items()})
        for i, rung in enumerate(rungs)
    }
    suggested = fa.suggest(counts, most)
    left = [counts[rung][name] for name, rung in suggested.items() if rung is not None]
    assert sum(left) <= most


def test_a_body_made_of_signals_gives_these_signals() -> None:
    signals = synth.arm_stream(np.random.default_rng(2), 5.0, gestures=0.5).signals
    again = features.arm_signals(features.body_points(fa.body_of(signals), (1000, 1000)))
    assert np.allclose(again, np.clip(signals, -5, 5), atol=1e-4)


def test_nobody_in_view_for_a_while_shows_little(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "nobody.jsonl"
    with TraceWriter(trace, (640, 480), "nobody") as writer:
        for t_us in range(0, 36_000_001, 500_000):
            writer.write(Observation(t_us, (), (), (640, 480)))
    assert main(["false-activations", str(trace), "--json", "--out", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["hours"], told["false"]) == (0.01, 0)
    assert told["interval"][1] == pytest.approx(368.9, abs=0.1)
    assert (tmp_path / "false-activations.png").is_file()


def test_synthetic_people_are_the_same_for_the_same_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(seed: str, *more: str) -> str:
        arguments = ["--synthetic", "0.01", "--seed", seed, "--json", "--out", str(tmp_path), *more]
        assert main(["false-activations", *arguments]) == 0
        return capsys.readouterr().out

    first = told("1")
    assert told("1") == first
    assert told("2") != first
    assert json.loads(told("1", "--hasty"))["of"] == "hasty synthetic people, seed 1"
    assert set(json.loads(first)["gestures"]) == set(synth.MOTIONS)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give traces, or --synthetic HOURS"),
        (["a.jsonl", "--synthetic", "1"], "give traces, or --synthetic HOURS"),
        (["--synthetic", "0"], "give more than no hours"),
    ],
)
def test_asking_for_nothing_or_for_both_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert main(["false-activations", *arguments]) == 2
    assert says in capsys.readouterr().err
