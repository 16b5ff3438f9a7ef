"""Any hand, anywhere, of any size, on either side; any frame rate, with jitter and losses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesturectl import features, kinematics
from gesturectl.features import Track
from gesturectl.types import Hand

SIZE_PX = (640, 480)
NAMES = sorted(kinematics.HAND_SHAPES)

seeds = st.integers(0, 2**32 - 1)
offsets = st.floats(-0.4, 0.4)
scales = st.floats(0.2, 3.0)


@st.composite
def hands(draw: st.DrawFn) -> np.ndarray:
    """The 21 points (21, 3) of a right hand between two poses, held anyhow, in metres."""
    rng = np.random.default_rng(draw(seeds))
    a, b = (kinematics.hand_shape(draw(st.sampled_from(NAMES))) for _ in range(2))
    angles = a + (b - a) * rng.random() + rng.normal(0, 4, kinematics.HAND_ANGLES)
    turned = kinematics.turn(rng.normal(size=3), rng.uniform(0, np.pi))
    return kinematics.place_hand(kinematics.hand_points(angles), turned, np.zeros(3))


def placed(points: np.ndarray, x: float, y: float, scale: float) -> np.ndarray:
    """Where a picture of 640×480 shows it: fractions, z in the scale of x."""
    return (points * scale * [0.75, 1, 0.75] + [x, y, 0]).astype(np.float32)


def shape(image: np.ndarray, side: str = "right") -> np.ndarray:
    return features.hand_shapes(features.hand_points([Hand(side, 1.0, image)], SIZE_PX))[0]  # type: ignore[arg-type]


@given(hands(), offsets, offsets, scales)
def test_shapes_ignore_place_and_size(points: np.ndarray, x: float, y: float, scale: float) -> None:
    here, there = placed(points, 0.5, 0.5, 1.0), placed(points, 0.5 + x, 0.5 + y, scale)
    assert shape(there) == pytest.approx(shape(here), abs=2e-3)


@given(hands(), offsets)
def test_a_left_hand_in_the_mirror_is_a_right_one(points: np.ndarray, x: float) -> None:
    image = placed(points, 0.5 + x, 0.5, 1.0)
    mirrored = image * np.array([-1, 1, 1], np.float32) + np.array([1, 0, 0], np.float32)
    assert shape(mirrored, "left") == pytest.approx(shape(image), abs=2e-3)


@given(hands(), hands(), offsets, scales, st.sampled_from(["right", "left"]))
def test_motion_ignores_place_size_and_side(
    start: np.ndarray, end: np.ndarray, x: float, scale: float, side: str
) -> None:
    u = np.linspace(0, 1, 12)[:, None, None]
    path = start + (end - start) * u + u * [0.2, -0.1, 0.0]
    t_us = np.arange(12) * 33_333

    def motion(images: np.ndarray, side: str) -> np.ndarray:
        seen = [Hand(side, 1.0, image) for image in images.astype(np.float32)]  # type: ignore[arg-type]
        signals = features.hand_signals(features.hand_points(seen, SIZE_PX))
        return features.motion_batch(t_us, signals, arm=False)[1]

    there = placed(path, 0.5 + x, 0.5 - x, scale)
    if side == "left":
        there = there * [-1, 1, 1]
    assert motion(there, side) == pytest.approx(
        motion(placed(path, 0.5, 0.5, 1.0), "right"), abs=5e-3
    )


@settings(max_examples=60)
@given(seeds, offsets, offsets, scales)
def test_bodies_ignore_place_and_size(seed: int, x: float, y: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    body = rng.normal(0.5, 0.2, (1, 33, 4)).astype(np.float32)
    moved = body.copy()
    moved[..., :3] = moved[..., :3] * scale + np.array([x, y, 0], np.float32)
    for describe in (features.body_shapes, features.arm_signals):
        assert describe(moved) == pytest.approx(describe(body), abs=2e-2)


# --- streams ------------------------------------------------------------------------------------


@st.composite
def stamps(draw: st.DrawFn) -> np.ndarray:
    """The stamps of a camera of 15–125 fps: even or jittery, with losses, from any time on."""
    rate = draw(st.floats(15, 125))
    count = draw(st.integers(1, 80))
    rng = np.random.default_rng(draw(seeds))
    gaps = np.full(count, 1e6 / rate)
    if draw(st.booleans()):
        gaps *= rng.uniform(0.3, 1.7, count)
    for at in draw(st.lists(st.integers(0, count - 1), max_size=3)):
        gaps[at] = draw(st.sampled_from([100_000, 150_000, 150_001, 166_665, 400_000, 2_000_000]))
    gaps = np.maximum(gaps.astype(np.int64), 1)
    if draw(st.booleans()):  # stamps on the very grid of the features
        gaps = np.maximum(gaps // features.STEP_US, 1) * features.STEP_US
        return np.cumsum(gaps) + draw(st.integers(0, 1000)) * features.STEP_US
    return np.cumsum(gaps) + draw(st.integers(0, 10**12))


@settings(max_examples=200)
@given(stamps(), seeds, st.booleans())
def test_streamed_motion_is_that_of_the_whole_recording(
    t_us: np.ndarray, seed: int, arm: bool
) -> None:
    size = features.ARM_SIGNAL_SIZE if arm else features.HAND_SIGNAL_SIZE
    rng = np.random.default_rng(seed)
    signals = np.cumsum(rng.normal(0, 0.05, (len(t_us), size)), axis=0).astype(np.float32)
    steps, motion = features.motion_batch(t_us, signals, arm=arm)

    track, done = Track(), []
    for t, signal in zip(t_us.tolist(), signals, strict=True):
        done += track.push(t, signal)

    assert [moment.step for moment in done] == steps.tolist()
    if done:
        assert features.motions(done, arm=arm) == pytest.approx(motion, abs=2e-4)


@given(stamps())
def test_a_gap_is_bridged_up_to_150_ms_and_never_beyond(t_us: np.ndarray) -> None:
    steps, values = features.resample(t_us, t_us[:, None].astype(np.float32))
    at_us = steps * features.STEP_US
    assert (np.diff(steps) > 0).all()
    inside = np.searchsorted(t_us, at_us, side="right") - 1
    following = np.minimum(inside + 1, len(t_us) - 1)
    bridged = np.where(t_us[inside] == at_us, 0, t_us[following] - t_us[inside])
    assert (bridged <= features.MAX_GAP_US).all()
    every = range(-(-int(t_us[0]) // features.STEP_US), int(t_us[-1]) // features.STEP_US + 1)
    left_out = set(every) - set(steps.tolist())
    for step in left_out:
        before = np.searchsorted(t_us, step * features.STEP_US) - 1
        assert t_us[before + 1] - t_us[before] > features.MAX_GAP_US
    assert np.isfinite(values).all()


@given(seeds, st.integers(1, 3))
def test_the_left_arm_is_the_right_one_of_the_body_in_a_mirror(seed: int, count: int) -> None:
    points = np.random.default_rng(seed).normal(0.5, 0.4, (count, 33, 4)).astype(np.float32)
    shapes, (right, left) = features.body_shapes_and_arms(points)
    assert (shapes == features.body_shapes(points)).all()
    assert (right == features.arm_signals(points)).all()
    assert (left == features.arm_signals(features.mirror_body(points))).all()
