"""A recorded stroke is learned from the moment on at which it is known for one."""

from __future__ import annotations

import numpy as np
import pytest

from gesturectl.kinematics import minimum_jerk
from training import augment, synth
from training.datasets import ArmRecording, Segment
from training.evaluate.false_activations import body_of

CLASSES = ("", "swipe_left", "swipe_up", "swipe_down", "circle_cw")
RATE_HZ = 30
HANG = (-0.7, 1.6)  # the right wrist from between the shoulders, in their width, downward


def recorded(path: list[tuple[float, float, float]], *segments: Segment) -> ArmRecording:
    """Film a right wrist that goes by minimum jerk from one (seconds, x, y) to the next."""
    knots = np.array([(0.0, *HANG), *path])
    t = np.arange(0, knots[-1, 0], 1 / RATE_HZ)
    at = np.clip(np.searchsorted(knots[:, 0], t, side="right") - 1, 0, len(knots) - 2)
    s = minimum_jerk((t - knots[at, 0]) / (knots[at + 1, 0] - knots[at, 0]))[:, None]
    wrist = knots[at, 1:] + s * (knots[at + 1, 1:] - knots[at, 1:])
    signals = np.zeros((len(t), 13), np.float32)
    signals[:, :2] = signals[:, 3:5] = signals[:, 5:7] = wrist
    signals[:, 7:11] = (0.7, 1.6, 0.6, 0.8)
    signals[:, 11:] = 1.0
    t_us = np.round(t * 1e6).astype(np.int64)
    idle = np.ones(len(t), bool)
    return ArmRecording("made", "0", t_us, body_of(signals), (1000, 1000), segments, idle)


def named(recording: ArmRecording, name: str) -> tuple[float, float] | None:
    """When the right arm's label says so, in seconds."""
    (t_us, _, label), _ = augment.labelled_arms(recording, CLASSES)
    found = t_us[label == CLASSES.index(name)] / 1e6
    return (float(found[0]), float(found[-1])) if len(found) else None


def segment(name: str, start_s: float, end_s: float) -> Segment:
    return Segment(name, round(start_s * 1e6), round(end_s * 1e6))


ACROSS = [
    (1.0, *HANG),
    (1.5, -1.3, 0.3),
    (1.7, -1.3, 0.3),
    (2.1, 0.3, 0.3),
    (3.0, *HANG),
    (4.0, *HANG),
]


@pytest.mark.parametrize(("start_s", "end_s"), [(1.7, 2.1), (1.0, 3.0)])
def test_a_swipe_is_known_once_it_has_slowed_down_whatever_was_marked(
    start_s: float, end_s: float
) -> None:
    since, until = named(recorded(ACROSS, segment("swipe_left", start_s, end_s)), "swipe_left")
    assert 1.95 < since < 2.15
    assert 0.2 <= until - since <= 0.3


def lifted(top_s: float, *, back_s: float = 0.5) -> list[tuple[float, float, float]]:
    top = (-0.7, -0.8)
    at = 1.5 + top_s
    return [(1.0, *HANG), (1.5, *top), (at, *top), (at + back_s, *HANG), (at + 2, *HANG)]


def test_a_lift_is_known_when_the_arm_begins_to_return() -> None:
    since, _ = named(recorded(lifted(0.1), segment("swipe_up", 1.0, 1.55)), "swipe_up")
    assert 1.5 < since < 1.75


def test_an_arm_that_stays_up_is_raised_and_neither_way_is_a_stroke() -> None:
    both = (segment("swipe_up", 1.0, 1.6), segment("swipe_down", 2.4, 3.0))
    stayed = recorded(lifted(0.9), *both)
    assert named(stayed, "swipe_up") is None
    assert named(stayed, "swipe_down") is None


def test_a_drop_is_known_in_its_second_half() -> None:
    path = [(1.0, *HANG), (2.0, -1.0, -0.8), (2.3, *HANG), (4.0, *HANG)]
    since, until = named(recorded(path, segment("swipe_down", 2.0, 2.3)), "swipe_down")
    assert 2.15 < since < 2.25
    assert until == pytest.approx(2.3 + augment.LATE_US / 1e6, abs=0.04)


def test_the_return_of_a_lift_is_no_drop() -> None:
    both = (segment("swipe_up", 1.0, 1.55), segment("swipe_down", 1.6, 2.1))
    assert named(recorded(lifted(0.1), *both), "swipe_down") is None


def test_what_is_marked_but_not_known_yet_is_not_judged() -> None:
    (_, _, label), _ = augment.labelled_arms(
        recorded(ACROSS, segment("swipe_left", 1.0, 3.0)), CLASSES
    )
    assert set(label[30:57].tolist()) == {synth.IGNORE}
    assert set(label[:30].tolist()) == {synth.NULL}


def test_the_first_half_of_a_circle_is_nothing_yet() -> None:
    (t_us, _, label), _ = augment.labelled_arms(
        recorded(ACROSS, segment("circle_cw", 1.0, 3.0)), CLASSES
    )
    at_s = t_us / 1e6
    assert set(label[at_s < 1.99].tolist()) == {synth.NULL}
    assert set(label[(at_s > 2.01) & (at_s < 2.49)].tolist()) == {synth.IGNORE}
    assert set(label[(at_s > 2.51) & (at_s < 3.19)].tolist()) == {CLASSES.index("circle_cw")}


def test_a_circle_played_backward_goes_round_the_other_way() -> None:
    both = (segment("swipe_left", 0.2, 0.7), segment("circle_cw", 1.5, 3.0))
    one = recorded(ACROSS, *both)
    (turned,) = augment.circles_backward(one)
    (circle,) = turned.segments
    assert circle.name == "circle_ccw"
    assert circle.end_us - circle.start_us == 1_500_000
    assert turned.t_us[0] == 0
    assert (np.diff(turned.t_us) > 0).all()
    # The swipe and what follows it are left out, the way from the circle is now the way to it.
    kept = one.t_us >= 700_000 + augment.TAIL_US
    assert np.array_equal(turned.points, one.points[kept][::-1])
    assert circle.start_us == one.t_us[-1] - 3_000_000


def test_only_circles_are_played_backward() -> None:
    assert augment.circles_backward(recorded(ACROSS, segment("swipe_left", 1.7, 2.1))) == []
    assert augment.circles_backward(recorded(ACROSS)) == []


@pytest.mark.parametrize("seed", range(6))
def test_the_same_movement_of_another_person_keeps_its_labels(seed: int) -> None:
    stream = synth.arm_stream(np.random.default_rng(4), 20.0, 0.7)
    rng = np.random.default_rng(seed)
    t_us, signals, label = augment.recorded_arm(stream.t_us, stream.signals, stream.label, rng)
    assert len(t_us) == len(signals) == len(label)
    assert np.diff(t_us).min() > 0
    assert set(label.tolist()) == set(stream.label.tolist())
    assert np.isfinite(signals).all()


def test_a_turned_thumb_is_named_by_where_it_points() -> None:
    up = synth.pose_samples(np.random.default_rng(0), "thumb_up", 400).astype(np.float32)
    turned, names = augment.turned_thumbs(up, np.random.default_rng(1))
    assert set(names.tolist()) == {"thumb_up", "thumb_down", "", "?"}
    tips = turned[:, 4, 1] - turned[:, 2, 1]
    assert tips[names == "thumb_up"].max() < 0 < tips[names == "thumb_down"].min()
