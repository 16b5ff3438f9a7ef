"""What a person does before an ideal estimator, and what the shipped model makes of it.

The stories hold for any model worth shipping: none of them names a score.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import resources
from itertools import pairwise

import numpy as np
import pytest

from gesturectl import features, model
from gesturectl.catalog import catalog
from gesturectl.recogniser import LOST_US, Recogniser
from gesturectl.types import Began, Body, Ended, Float32, Hand, Observation
from tests.acting import Performance, begun, recognised

STROKES = [g.name for g in catalog().values() if g.kind == "motion"]
BY_ARM = [g.name for g in catalog().values() if g.kind == "motion" and "body" in g.seen_by]
HAND_POSES = [g.name for g in catalog().values() if g.kind == "pose" and "hand" in g.seen_by]
BODY_POSES = [g.name for g in catalog().values() if g.seen_by == ("body",)]
RATES = (15, 24, 30, 60)

MIRRORED = {
    "swipe_left": "swipe_right",
    "swipe_right": "swipe_left",
    "circle_cw": "circle_ccw",
    "circle_ccw": "circle_cw",
}


TRAINED = model.load(resources.files("gesturectl.gestures").joinpath("models", "shipped"))


def fresh() -> Recogniser:
    return Recogniser(TRAINED)


performance = cache(Performance)


@cache
def seen(
    script: str, fps: float = 30, *, hands: bool = True, body: bool = False
) -> tuple[Observation, ...]:
    """What is seen of a script, worked out once."""
    return tuple(performance(script).at(fps, hands=hands, body=body))


def strokes_of(events: list[Began | Ended]) -> list[Began]:
    return [event for event in events if isinstance(event, Began) and event.gesture in STROKES]


def mirrored(image: Float32) -> Float32:
    """A body's points in a mirror, which stay in the picture."""
    return (features.mirror_body(image) + np.array([1, 0, 0, 0])).astype(np.float32)


def in_a_mirror(observation: Observation) -> Observation:
    """The same person in a mirror: the other hand, the other side of the picture."""
    hands = tuple(
        Hand(
            features.other(hand.side),
            hand.score,
            (hand.image * [-1, 1, 1] + [1, 0, 0]).astype(np.float32),
        )
        for hand in observation.hands
    )
    bodies = tuple(Body(mirrored(body.image)) for body in observation.bodies)
    return replace(observation, hands=hands, bodies=bodies)


def later(observation: Observation, by_us: int) -> Observation:
    return replace(observation, t_us=observation.t_us + by_us)


# --- frame rates --------------------------------------------------------------------------------


def assert_alike(heard: list[list[Began]], apart_us: int) -> None:
    """The same events in the same order, and each within this time at every rate."""
    assert [begun(events) for events in heard] == [begun(heard[0])] * len(heard)
    for events in zip(*heard, strict=True):
        times_us = [event.t_us for event in events]
        assert max(times_us) - min(times_us) <= apart_us, events


@pytest.mark.parametrize("name", STROKES)
def test_a_stroke_of_the_hand_is_heard_alike_at_every_frame_rate(name: str) -> None:
    heard = [strokes_of(recognised(fresh(), seen(name, fps))) for fps in RATES]
    assert begun(heard[0])[0] == (name, "right")
    # One swing of a waving hand is like the next: any of them may be the one that is enough.
    assert_alike(heard, 300_000 if name == "wave" else 100_000)


@pytest.mark.parametrize("name", BY_ARM)
def test_a_stroke_of_the_arm_is_heard_alike_at_every_frame_rate(name: str) -> None:
    script = f"{name}?by=arm"
    heard = [recognised(fresh(), seen(script, fps, hands=False, body=True)) for fps in RATES]
    assert_alike([strokes_of(events) for events in heard], 300_000 if name == "wave" else 100_000)


@pytest.mark.parametrize("name", [*HAND_POSES, *BODY_POSES])
def test_a_pose_is_held_once_whatever_the_frame_rate(name: str) -> None:
    times_us = []
    by_hand = name in HAND_POSES
    for fps in (15, 30, 60):
        events = recognised(fresh(), seen(name, fps, hands=by_hand, body=not by_hand))
        began, ended = (event for event in events if event.gesture == name)
        assert isinstance(began, Began)
        assert isinstance(ended, Ended)
        assert ended.t_us - began.t_us > 800_000
        times_us.append(began.t_us)
    assert max(times_us) - min(times_us) <= 100_000


# --- sides, and who else is there -----------------------------------------------------------------


@pytest.mark.parametrize("name", [*STROKES, "thumb_down", "call_me"])
def test_in_a_mirror_the_other_hand_does_the_mirrored_thing(name: str) -> None:
    direct = recognised(fresh(), seen(name))
    reflected = recognised(fresh(), map(in_a_mirror, seen(name)))
    assert begun(direct)
    assert [(type(e), e.t_us, MIRRORED.get(e.gesture, e.gesture), e.side) for e in direct] == [
        (type(e), e.t_us, e.gesture, features.other(e.side)) for e in reflected
    ]  # type: ignore[arg-type]


@pytest.mark.parametrize("script", ["swipe_left?by=arm", "circle_cw?by=arm&speed=1.25"])
def test_in_a_mirror_the_other_arm_does_the_mirrored_thing(script: str) -> None:
    observations = seen(script, hands=False, body=True)
    direct = strokes_of(recognised(fresh(), observations))
    reflected = strokes_of(recognised(fresh(), map(in_a_mirror, observations)))
    assert direct
    assert [(e.t_us, MIRRORED.get(e.gesture, e.gesture), "left") for e in direct] == [
        (e.t_us, e.gesture, e.side) for e in reflected
    ]


def still_left_hand() -> Hand:
    return in_a_mirror(seen("rest:2s")[45]).hands[0]


@pytest.mark.parametrize("name", ["swipe_left", "swipe_up", "circle_cw", "push", "victory"])
def test_a_second_hand_that_rests_in_view_changes_nothing(name: str) -> None:
    other = still_left_hand()
    alone = recognised(fresh(), seen(name))
    for first in (True, False):
        both = [
            replace(o, hands=(other, *o.hands) if first else (*o.hands, other)) for o in seen(name)
        ]
        assert [e for e in recognised(fresh(), both) if e.side == "right"] == alone


def test_the_order_in_which_hands_are_found_does_not_matter() -> None:
    other = still_left_hand()
    orders = ([replace(o, hands=(*o.hands, other)[::way]) for o in seen("wave")] for way in (1, -1))
    first, second = (begun(recognised(fresh(), observations)) for observations in orders)
    assert sorted(first) == sorted(second)


@pytest.mark.parametrize("name", ["swipe_left", "swipe_right", "swipe_up", "swipe_down", "push"])
def test_a_stroke_of_both_hands_together_is_none(name: str) -> None:
    observations = [
        replace(o, hands=(*o.hands, *in_a_mirror(o).hands)) for o in seen(name) if o.hands
    ]
    assert len(observations) > 30
    assert strokes_of(recognised(fresh(), observations)) == []


@pytest.mark.parametrize("name", BY_ARM)
def test_a_stroke_of_both_arms_together_is_none(name: str) -> None:
    def both_arms(observation: Observation) -> Observation:
        right = observation.bodies[0].image
        left = mirrored(right)
        joints = [11, 13, 15, 17, 19, 21, 23]
        image = right.copy()
        image[joints] = left[joints]
        return replace(observation, bodies=(Body(image),))

    observations = map(both_arms, seen(f"{name}?by=arm", hands=False, body=True))
    assert strokes_of(recognised(fresh(), observations)) == []


@pytest.mark.parametrize("name", BY_ARM)
def test_a_stroke_that_hand_and_arm_show_is_one_event(name: str) -> None:
    script = f"{name}?by=arm"
    hand, arm, both = (
        begun(list(strokes_of(recognised(fresh(), seen(script, hands=hands, body=body)))))
        for hands, body in ((True, False), (False, True), (True, True))
    )
    assert len(set(both)) == len(both)
    if hand == arm == [(name, "right")]:
        assert both == hand


# --- time ---------------------------------------------------------------------------------------


def test_time_must_grow_and_a_frame_refused_changes_nothing() -> None:
    recogniser, observations = fresh(), seen("fist")
    events = []
    for earlier, observation in pairwise(observations):
        with pytest.raises(ValueError, match="must grow in time"):
            events += [*recogniser.step(observation), *recogniser.step(earlier)]
        with pytest.raises(ValueError, match="must grow in time"):
            recogniser.step(observation)
    assert len(observations) > 30


def test_events_bear_the_time_of_the_frame_that_completes_them() -> None:
    recogniser = fresh()
    for observation in seen("swipe_left,fist,circle_cw", 24):
        assert {event.t_us for event in recogniser.step(observation)} <= {observation.t_us}


def test_what_was_long_before_does_not_matter() -> None:
    recogniser = fresh()
    before = recognised(recogniser, seen("circle_cw"))
    assert before
    # Whole grid steps later, so that even the sampling is the same.
    shift_us = 300 * features.STEP_US
    after = recognised(recogniser, (later(o, shift_us) for o in seen("swipe_left")))
    alone = recognised(fresh(), (later(o, shift_us) for o in seen("swipe_left")))
    assert after == alone


def test_the_same_clip_gives_the_same_events_twice() -> None:
    assert recognised(fresh(), seen("wave")) == recognised(fresh(), seen("wave"))


def held_pose() -> tuple[Recogniser, Observation]:
    """A recogniser in whose view a fist is shown right now, and its last frame."""
    recogniser = fresh()
    events: list[Began | Ended] = []
    for observation in seen("fist:3s"):
        events += recogniser.step(observation)
        if observation.t_us > 2_000_000:
            break
    assert begun(events) == [("fist", "right")]
    assert not any(isinstance(event, Ended) for event in events)
    return recogniser, observation


@pytest.mark.parametrize("shift_us", [0, 500_000, -500_000])
def test_a_reset_ends_what_is_shown_whatever_the_clock_says(shift_us: int) -> None:
    recogniser, last = held_pose()
    t_us = last.t_us + shift_us
    (ended,) = recogniser.reset(t_us)
    assert (ended.gesture, ended.side, ended.t_us) == ("fist", "right", t_us)
    assert recogniser.reset(t_us) == ()
    assert recogniser.candidates == ()


def test_a_pose_still_shown_after_a_reset_begins_anew() -> None:
    recogniser, last = held_pose()
    recogniser.reset(last.t_us)
    again = [later(o, last.t_us + 1) for o in seen("fist:3s")[50:80]]
    assert begun(recognised(recogniser, again)) == [("fist", "right")]


def test_a_hand_lost_for_a_moment_still_shows_its_pose() -> None:
    recogniser, last = held_pose()
    nobody = replace(last, hands=(), bodies=())
    assert recogniser.step(replace(nobody, t_us=last.t_us + LOST_US)) == ()
    (ended,) = recogniser.step(replace(nobody, t_us=last.t_us + LOST_US + 1))
    assert isinstance(ended, Ended)
    assert (ended.gesture, ended.side) == ("fist", "right")


def test_nobody_shows_nothing() -> None:
    recogniser = fresh()
    for i in range(100):
        assert recogniser.step(Observation(i * 33_333, (), (), (640, 480))) == ()
        assert recogniser.candidates == ()


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
def test_points_beyond_all_measure_do_no_lasting_harm() -> None:
    recogniser, last = held_pose()
    wild = Hand("right", 1.0, np.full((21, 3), 1e38, np.float32))
    wild.image[::2] *= -1
    assert recogniser.step(replace(last, t_us=last.t_us + 33_333, hands=(wild,))) == ()
    # Out of sight and back: the fist is heard again.
    back = [later(o, last.t_us + 500_000) for o in seen("fist:2s")]
    assert begun(recognised(recogniser, back)) == [("fist", "right")]
    for i in range(10):
        assert recogniser.step(later(last, 10_000_000 + i)) is not None


def test_what_is_shown_can_be_watched() -> None:
    recogniser, _ = held_pose()
    (candidate,) = recogniser.candidates
    assert (candidate.subject, candidate.gesture, candidate.active) == ("right", "fist", True)
    assert candidate.p > candidate.enter


def test_the_model_says_what_it_knows() -> None:
    assert fresh().gestures == frozenset(catalog())


@pytest.mark.parametrize("script", ["swipe_left", "swipe_right", "circle_cw@left", "thumb_up"])
def test_what_may_come_early_comes_no_later_and_no_other_gesture_changes(script: str) -> None:
    name = script.partition("@")[0]
    plain, early = fresh(), Recogniser(TRAINED, early=frozenset([name]))
    events = [
        [event for observation in seen(f"{script},wait:1s,fist") for event in one.step(observation)]
        for one in (plain, early)
    ]
    (usual, *_), (sooner, *_) = (
        [e.t_us for e in each if isinstance(e, Began) and e.gesture == name] for each in events
    )
    assert sooner <= usual
    fists = [[e for e in each if e.gesture == "fist"] for each in events]
    assert fists[0] == fists[1]


def test_a_left_hands_stroke_may_come_early_by_its_own_name() -> None:
    def first(early: frozenset[str]) -> int:
        ear = Recogniser(TRAINED, early=early)
        heard = (e for o in seen("swipe_left@left") for e in ear.step(o))
        return next(e.t_us for e in heard if e.gesture == "swipe_left")

    assert first(frozenset(["swipe_left"])) < first(frozenset())
    assert first(frozenset(["swipe_right"])) == first(frozenset())
