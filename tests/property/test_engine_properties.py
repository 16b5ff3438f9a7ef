"""Whatever is seen, in whatever order: every press has its release, every beginning its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesturectl import kinematics, model
from gesturectl.engine import Engine, Step
from gesturectl.ledger import Ledger
from gesturectl.profile import parse
from gesturectl.recogniser import Recogniser
from gesturectl.types import Began, Body, ButtonUp, Ended, Hand, KeyUp, Observation
from tests.acting import SIZE_PX, Performance

PROFILE = """\
version: 1
bindings:
  - {gesture: fist, while: true, do: {key: ctrl+shift+a}}
  - {gesture: open_palm, while: true, do: {button: left}}
  - {gesture: victory, repeat: {every: 100ms}, do: {key: Down}}
  - {gesture: thumb_up, hold_for: 300ms, do: {key: b}}
  - {gesture: thumb_up, do: {key: a}}
  - {gesture: swipe_left, do: {key: Right}}
  - {gesture: arms_up, while: true, do: {key: space}}
"""

SCENES = (
    "fist",
    "open_palm",
    "victory,thumb_up",
    "swipe_left",
    "circle_cw@left",
    "arms_up",
    "fist@left",
)


SHIPPED = resources.files("gesturectl.gestures").joinpath("models", "shipped")
TRAINED = model.load(SHIPPED)


@cache
def acted(script: str) -> tuple[Observation, ...]:
    body = script == "arms_up"
    return tuple(Performance(script).at(30, hands=not body, body=body))


# One thing that happens: so many frames of a scene from somewhere on, of hands held anyhow, of
# nobody, a pause between two frames, or a release.
happenings = st.one_of(
    st.tuples(st.sampled_from(SCENES), st.integers(0, 150), st.integers(1, 60)),
    st.tuples(st.just("anything"), st.integers(0, 2**32 - 1), st.integers(1, 15)),
    st.tuples(st.just("nobody"), st.just(0), st.integers(1, 8)),
    st.tuples(st.just("pause"), st.just(0), st.integers(1, 3_000_000)),
    st.tuples(st.just("release"), st.integers(-200_000, 200_000), st.just(0)),
)
stories = st.lists(happenings, max_size=8)


def anything(seed: int, frames: int) -> Iterator[Observation]:
    """Hands and bodies of any shape, anywhere, now there and now not."""
    rng = np.random.default_rng(seed)
    names = list(kinematics.HAND_SHAPES)
    for _ in range(frames):
        hands = []
        for side in ("right", "left"):
            points = kinematics.hand_points(kinematics.HAND_SHAPES[names[rng.integers(len(names))]])
            turned = points @ kinematics.turn(rng.normal(size=3), rng.uniform(0, 3)).T
            image = (turned * rng.uniform(0.1, 4) + rng.uniform(-0.2, 1.2, 3)).astype(np.float32)
            if rng.random() < 0.7:
                hands.append(Hand(side, 0.9, image))  # type: ignore[arg-type]
        bodies = (Body(rng.normal(0.5, 0.3, (33, 4)).astype(np.float32)),)
        yield Observation(0, tuple(hands), bodies if rng.random() < 0.5 else (), SIZE_PX)


Story = list[tuple[str, int, int]]


def told(story: Story) -> Iterator[Observation | int]:
    """The frames of a story, and between them the times of releases."""
    t_us = 0
    for what, number, count in story:
        match what:
            case "pause":
                t_us += count
                continue
            case "release":
                yield max(t_us + number, 0)
                continue
            case "anything":
                observations = list(anything(number, count))
            case "nobody":
                observations = [Observation(0, (), (), SIZE_PX)] * count
            case _:
                observations = list(acted(what)[number : number + count])
        for observation in observations:
            t_us += 33_333
            yield replace(observation, t_us=t_us)
    yield t_us


def steps(engine: Engine, story: Story, ahead: int = 0) -> Iterator[tuple[str, Step]]:
    """Play a story, and say what each step was: a frame or a release.

    So many frames are foreseen at a time, whatever comes between them.
    """
    happens = list(told(story))
    foreseen = 0
    for number, one in enumerate(happens):
        if isinstance(one, int):
            yield "release", engine.release(one)
            continue
        if ahead and not foreseen:
            coming = [frame for frame in happens[number:] if isinstance(frame, Observation)][:ahead]
            engine.foresee(coming)
            foreseen = len(coming)
        foreseen -= 1
        yield "frame", engine.step(one)


@settings(max_examples=60, deadline=None)
@given(stories)
def test_nothing_is_held_after_any_story_and_a_release(story: Story) -> None:
    engine = Engine(Recogniser(TRAINED), parse(PROFILE, "p.yaml"))
    ledger, shown = Ledger(), set[tuple[str, str]]()
    for what, step in steps(engine, story):
        for command in step.commands:
            # What is down is not pressed again, nor let go twice; a release presses nothing.
            assert ledger.note(command)
            assert what == "frame" or isinstance(command, KeyUp | ButtonUp)
        for event in step.events:
            one = (event.gesture, event.side)
            if isinstance(event, Began):
                assert what == "frame"
                assert one not in shown
                shown.add(one)
            else:
                assert isinstance(event, Ended)
                shown.remove(one)
        if what == "release":
            assert not ledger.held
            assert not shown
            assert step.candidates == ()


@settings(max_examples=40, deadline=None)
@given(stories, st.integers(1, 40))
def test_to_look_ahead_changes_not_a_bit(story: Story, ahead: int) -> None:
    singly, foreseeing = (Engine(Recogniser(TRAINED), parse(PROFILE, "p.yaml")) for _ in range(2))
    assert list(steps(foreseeing, story, ahead)) == list(steps(singly, story))


def test_another_frame_than_was_foreseen_is_refused() -> None:
    engine = Engine(Recogniser(TRAINED), parse(PROFILE, "p.yaml"))
    first, second, *_ = acted("fist")
    engine.foresee([first, second])
    with pytest.raises(ValueError, match="another frame was foreseen"):
        engine.step(second)


@settings(max_examples=25, deadline=None)
@given(stories)
def test_the_same_story_ends_the_same_way(story: Story) -> None:
    first, second = (
        [
            (step.events, step.commands)
            for _, step in steps(Engine(Recogniser(TRAINED), parse(PROFILE, "p.yaml")), story)
        ]
        for _ in range(2)
    )
    assert first == second
