"""However a recording is cut, its gestures and scores are the same."""

from __future__ import annotations

import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesturectl import features, model
from gesturectl.features import Track
from gesturectl.recogniser import Candidate, Recogniser
from gesturectl.trace import TraceWriter, read_trace
from gesturectl.types import Began, Body, Ended, Hand, Observation
from training import synth
from training.evaluate.false_activations import body_of
from training.evaluate.streams import shipped

SIZE_PX = (1000, 1000)  # synthesis measures in image heights: so do these pictures
SEEDS = st.integers(0, 3)  # of clips, which take longer to make than to hear

# A network of 5 blocks sees 62 steps back, its features 16 more; a newcomer's age counts to 30.
REACH_STEPS = 62 + features.MAX_LAG + 30


@cache
def clip(seed: int) -> tuple[Observation, ...]:
    """Twelve seconds of a hand and a body that make strokes, with losses and an uneven rate."""
    rng = np.random.default_rng(seed)
    hand = synth.hand_stream(rng, 12.0, 0.8)
    arm = synth.arm_stream(rng, 12.0, 0.8)
    bodies = body_of(arm.signals)
    seen = {t: (Hand("right", 1.0, points),) for t, points in zip(
        hand.t_us.tolist(), hand.points, strict=True)}  # fmt: skip
    shown = dict(zip(arm.t_us.tolist(), bodies, strict=True))
    return tuple(
        Observation(t, seen.get(t, ()), (Body(shown[t]),) if t in shown else (), SIZE_PX)
        for t in sorted({*seen, *shown})
    )


Heard = list[tuple[tuple[Began | Ended, ...], tuple[Candidate, ...]]]


def heard(observations: list[Observation]) -> Heard:
    """What begins and ends with each frame, and what seems to be shown."""
    ear = Recogniser(shipped())
    return [(ear.step(observation), ear.candidates) for observation in observations]


def written(folder: Path, name: str, observations: tuple[Observation, ...]) -> list[Observation]:
    """The same observations after a way through a file."""
    with TraceWriter(folder / name, SIZE_PX, "test") as writer:
        for observation in observations:
            writer.write(observation)
    return [observation for observation, _ in read_trace(folder / name)]


@settings(max_examples=6, deadline=None)
@given(SEEDS, st.lists(st.integers(1, 300), max_size=4), st.booleans())
def test_a_clip_recorded_in_pieces_is_heard_like_the_whole(
    seed: int, cuts: list[int], zipped: bool
) -> None:
    whole = clip(seed)
    places = [0, *sorted({cut for cut in cuts if cut < len(whole)}), len(whole)]
    ending = ".jsonl.gz" if zipped else ".jsonl"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pieces = [
            observation
            for i, (a, b) in enumerate(pairwise(places))
            for observation in written(folder, f"{i}{ending}", whole[a:b])
        ]
        again = heard(written(folder, f"whole{ending}", whole))
    assert heard(pieces) == again
    assert any(events for events, _ in again)


def scores(
    net: model.Tcn, t_us: np.ndarray, signals: np.ndarray, *, arm: bool
) -> dict[int, np.ndarray]:
    """A network's probabilities by time, heard frame by frame as the recogniser does."""
    track, stream, told = Track(), net.stream(), {}
    for t, signal in zip(t_us.tolist(), signals, strict=True):
        for moment in track.push(t, signal):
            if moment.age == 0:
                stream.reset()
            (vector,) = features.motions([moment], arm=arm)
            told[moment.step * features.STEP_US] = stream.scores(vector)
    return told


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.floats(0, 0.8), st.booleans())
def test_a_clip_that_begins_later_is_scored_alike_once_its_beginning_is_out_of_reach(
    seed: int, part: float, arm: bool
) -> None:
    rng = np.random.default_rng(seed)
    t_us, signals, _ = synth.signal_stream(rng, 20.0, 0.7, arm=arm)
    net = shipped().tcn("arm_motion" if arm else "hand_motion")
    cut = int(part * len(t_us))
    whole = scores(net, t_us, signals, arm=arm)
    later = scores(net, t_us[cut:], signals[cut:], arm=arm)
    reached = t_us[cut] + REACH_STEPS * features.STEP_US
    alike = [at for at in later if at > reached]
    for at in alike:
        assert later[at] == pytest.approx(whole[at], abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.booleans())
def test_features_of_frames_are_scored_like_the_features_of_the_whole(seed: int, arm: bool) -> None:
    """Training computes features of whole recordings, the daemon step by step."""
    rng = np.random.default_rng(seed)
    t_us, signals, _ = synth.signal_stream(rng, 10.0, 0.7, arm=arm)
    steps, whole = features.motion_batch(t_us, signals, arm=arm)
    track, streamed = Track(), []
    for t, signal in zip(t_us.tolist(), signals, strict=True):
        streamed += track.push(t, signal)
    assert [moment.step for moment in streamed] == steps.tolist()
    net = shipped().tcn("arm_motion" if arm else "hand_motion")
    one, other = net.stream(), net.stream()
    for moment, row in zip(streamed, whole, strict=True):
        (vector,) = features.motions([moment], arm=arm)
        assert one.scores(vector) == pytest.approx(other.scores(row), abs=1e-3)
