"""Gestures of one's own: learned from three takes, told apart, and strangers refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import Generator

from gesturectl import custom, features, kinematics
from gesturectl.custom import Learned
from gesturectl.errors import SampleError
from gesturectl.types import Float32, Hand, Observation, Side, Take
from gesturectl.views import EMBEDDING_SIZE
from tests.teaching import SIZE_PX, raise_take, seen

FRAME_US = 33_333

TAUGHT = ("fist", "victory", "swipe_left", "swipe_right")
ORDINARY = ("open_palm", "point_up", "call_me", "pinch")


def acted(name: str, rng: Generator, side: Side = "right", fps: float = 30.0) -> Take:
    """One take of a pose or stroke of the catalog, at a place, size and speed of its own."""
    motion = kinematics.MOTIONS.get(name)
    duration_s = (motion.duration_s if motion else 0.8) * rng.uniform(0.85, 1.2)
    n = round((duration_s + 0.4) * fps)
    u = np.clip((np.arange(n) / fps - 0.2) / duration_s, 0, 1)
    angles = kinematics.hand_shape(motion.shape if motion else name) + rng.normal(0, 4, 21)
    points = kinematics.hand_points(angles, rng.uniform(0.9, 1.1))
    wrist = np.array([*rng.uniform(-0.06, 0.06, 2), rng.uniform(0.5, 0.8)]) + np.zeros((n, 3))
    swing = np.zeros(n)
    if motion:
        wrist = wrist + 3 * motion.size_m * motion.path(u)
        swing = motion.swing(u)
    turned = kinematics.turn([0, 0, 1], swing + rng.normal(0, 0.08))
    hands = kinematics.place_hand(points, turned @ kinematics.hand_facing(name), wrist)
    if side == "left":
        hands = hands * np.array([-1, 1, 1])
    images = seen(hands, rng)
    return [
        Observation(round((i + 1) * 1e6 / fps), (Hand(side, 1.0, image),), (), SIZE_PX)
        for i, image in enumerate(images)
    ]


def ordinary(rng: Generator) -> Take:
    """A hand that goes from one place and shape to another, on no errand."""
    a, b = (kinematics.hand_shape(name) for name in rng.choice(ORDINARY, 2))
    n = int(rng.integers(25, 50))
    u = kinematics.minimum_jerk(np.linspace(0, 1, n))[:, None]
    points = kinematics.hand_points(a + u * (b - a) + rng.normal(0, 8, 21))
    ends = rng.normal((0, 0, 0.65), 0.06, (2, 3))
    turned = kinematics.turn(rng.normal(size=3), rng.normal(0, 0.5)) @ kinematics.PALM_OUT
    hands = kinematics.place_hand(points, turned, ends[0] + u * (ends[1] - ends[0]))
    return [
        Observation((i + 1) * FRAME_US, (Hand("right", 1.0, image),), (), SIZE_PX)
        for i, image in enumerate(seen(hands, rng))
    ]


def background(n: int = 60) -> list[Take]:
    rng = np.random.default_rng(1)
    return [ordinary(rng) for _ in range(n)]


def samples(takes: int, seed: int = 2) -> dict[str, list[Take]]:
    rng = np.random.default_rng(seed)
    return {name: [acted(name, rng) for _ in range(takes)] for name in TAUGHT}


def embedded(takes: Sequence[Take]) -> Float32:
    rows = [custom.embed(take) for take in takes]
    return np.array(rows, np.float32).reshape(len(rows), EMBEDDING_SIZE)


def learn(samples: Mapping[str, Sequence[Take]], ordinary: Sequence[Take]) -> Learned:
    return custom.fit(
        {name: embedded(takes) for name, takes in samples.items()}, embedded(ordinary)
    )


def likeliest(learned: Learned, take: Take) -> tuple[str, float]:
    """What a take is most like, and how much."""
    scores = learned.scores(custom.embed(take))
    return learned.names[int(scores.argmax())], float(scores.max())


def accepted(learned: Learned, takes: Sequence[Take]) -> list[str | None]:
    """What takes are believed to be."""
    found = [likeliest(learned, take) for take in takes]
    return [name if score >= learned.enter else None for name, score in found]


@pytest.fixture(scope="module")
def learned() -> Learned:
    """Four gestures, from three takes of each."""
    return learn(samples(3), background())


# --- what is taught is known --------------------------------------------------------------------


@pytest.mark.parametrize("name", TAUGHT)
def test_three_takes_teach_a_gesture(learned: Learned, name: str) -> None:
    rng = np.random.default_rng(3)
    told = accepted(learned, [acted(name, rng) for _ in range(20)])
    assert told.count(name) >= 18
    assert set(told) <= {name, None}


def test_a_gesture_taught_with_one_hand_is_known_from_the_other(learned: Learned) -> None:
    rng = np.random.default_rng(4)
    told = accepted(learned, [acted("victory", rng, "left") for _ in range(10)])
    assert told.count("victory") >= 8


@pytest.mark.parametrize("fps", [15.0, 60.0])
def test_the_rate_of_the_camera_does_not_matter(learned: Learned, fps: float) -> None:
    rng = np.random.default_rng(5)
    told = accepted(learned, [acted("swipe_left", rng, fps=fps) for _ in range(10)])
    assert told.count("swipe_left") >= 9


def test_the_hour_of_the_day_does_not_matter(learned: Learned) -> None:
    take = acted("fist", np.random.default_rng(6))
    later = [replace(o, t_us=o.t_us + 7_000 * features.STEP_US) for o in take]
    name, score = likeliest(learned, take)
    assert likeliest(learned, later) == (name, pytest.approx(score, abs=1e-5))


def test_which_arm_rises_is_told_apart() -> None:
    rng = np.random.default_rng(7)
    wrists = {"left": (15,), "right": (16,)}
    takes = {side: [raise_take(rng, wrist) for _ in range(4)] for side, wrist in wrists.items()}
    learned = learn(takes, background())
    for side, wrist in wrists.items():
        assert likeliest(learned, raise_take(rng, wrist))[0] == side


# --- what was not taught is refused -------------------------------------------------------------


@pytest.mark.parametrize("stranger", ["thumb_up", "ok", "circle_cw", "open_palm"])
def test_a_gesture_that_nobody_taught_is_refused(learned: Learned, stranger: str) -> None:
    rng = np.random.default_rng(8)
    told = accepted(learned, [acted(stranger, rng) for _ in range(20)])
    assert told.count(None) >= 19


def test_ordinary_behaviour_is_refused(learned: Learned) -> None:
    rng = np.random.default_rng(9)
    told = accepted(learned, [ordinary(rng) for _ in range(100)])
    assert told.count(None) >= 98


def test_an_empty_room_is_refused(learned: Learned) -> None:
    empty = [Observation((i + 1) * FRAME_US, (), (), SIZE_PX) for i in range(30)]
    assert accepted(learned, [empty]) == [None]


def test_scores_without_enough_background_rank_but_accept_nothing() -> None:
    learned = learn(samples(2), [])
    fist = acted("fist", np.random.default_rng(10))
    assert likeliest(learned, fist)[0] == "fist"
    assert accepted(learned, [fist]) == [None]


def test_a_single_take_of_each_gesture_gives_a_threshold_too() -> None:
    learned = learn(samples(1), background())
    assert np.isfinite(learned.enter)


def test_learning_twice_gives_the_same_bytes() -> None:
    one, two = (learn(samples(2), background(30)) for _ in range(2))
    assert one.weights.tobytes() == two.weights.tobytes()
    assert one.enter == two.enter


# --- damage -------------------------------------------------------------------------------------


def damaged(**change: object) -> Take:
    """A take whose third frame has a hand like no other."""
    take = list(acted("fist", np.random.default_rng(12)))
    hand = replace(take[2].hands[0], **change)  # type: ignore[arg-type]
    return [*take[:2], replace(take[2], hands=(hand,)), *take[3:]]


@pytest.mark.parametrize(
    ("take", "says"),
    [
        ([], "a take of 0 frames"),
        (acted("fist", np.random.default_rng(13))[:4], "a take lasts 0.1 s"),
        (list(reversed(acted("fist", np.random.default_rng(13)))), "do not grow"),
        (damaged(image=np.full((21, 3), np.nan, np.float32)), "not numbers near the image"),
        (damaged(image=np.full((21, 3), np.inf, np.float32)), "not numbers near the image"),
        (damaged(image=np.full((21, 3), 1e30, np.float32)), "not numbers near the image"),
        (damaged(image=np.zeros((20, 3), np.float32)), "the shape (20, 3) instead of (21, 3)"),
    ],
)
def test_a_damaged_take_is_an_error_that_says_why(take: Take, says: str) -> None:
    with pytest.raises(SampleError) as error:
        custom.embed(take)
    assert says in str(error.value)


def test_nothing_to_learn_is_an_error() -> None:
    nothing = np.zeros((0, EMBEDDING_SIZE), np.float32)
    with pytest.raises(SampleError, match="no takes of any gesture"):
        custom.fit({}, nothing)
    with pytest.raises(SampleError, match="no takes of fist"):
        custom.fit({"fist": nothing}, nothing)


def test_a_hand_folded_into_one_point_does_no_harm() -> None:
    assert np.isfinite(custom.embed(damaged(image=np.zeros((21, 3), np.float32)))).all()
