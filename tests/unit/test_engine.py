"""From what is seen to what is sent, in one step: the real recogniser and real profiles."""

from __future__ import annotations

from functools import cache

import pytest

from gesturectl.engine import Engine, Step
from gesturectl.profile import Profile, parse
from gesturectl.recogniser import Recogniser
from gesturectl.types import Began, Command, Ended, KeyDown, KeyUp, Observation
from tests.acting import Performance

HOLDING = """\
version: 1
bindings:
  - {gesture: fist, while: true, do: {key: space}}
  - {gesture: swipe_left, do: {key: Right}}
"""


@cache
def seen(script: str) -> tuple[Observation, ...]:
    return tuple(Performance(script).at(30))


def profile(text: str = HOLDING) -> Profile:
    return parse(text, "p.yaml")


def play(engine: Engine, observations: tuple[Observation, ...]) -> list[Step]:
    return [engine.step(observation) for observation in observations]


def sent(steps: list[Step]) -> list[Command]:
    return [command for step in steps for command in step.commands]


def keys(commands: list[Command] | tuple[Command, ...]) -> list[tuple[type[Command], str]]:
    return [(type(c), c.key) for c in commands if isinstance(c, KeyDown | KeyUp)]


def holding(text: str = HOLDING) -> tuple[Engine, int]:
    """An engine in the midst of a fist, and what time it is."""
    engine = Engine(Recogniser.load(), profile(text))
    steps = play(engine, seen("fist:3s")[:75])
    assert any(isinstance(e, Began) and e.gesture == "fist" for s in steps for e in s.events)
    return engine, seen("fist:3s")[74].t_us


def test_without_a_profile_it_only_recognises() -> None:
    engine = Engine(Recogniser.load())
    steps = play(engine, seen("swipe_left"))
    assert any(event.gesture == "swipe_left" for step in steps for event in step.events)
    assert sent(steps) == []
    assert engine.release(10_000_000).commands == ()


def test_a_stroke_sends_its_key_in_the_very_step_in_which_it_is_heard() -> None:
    steps = play(Engine(Recogniser.load(), profile()), seen("swipe_left"))
    (acting,) = [step for step in steps if step.commands]
    assert "swipe_left" in {event.gesture for event in acting.events}
    assert keys(acting.commands) == [(KeyDown, "Right"), (KeyUp, "Right")]


def test_a_pose_holds_its_key_from_its_beginning_to_its_end() -> None:
    steps = play(Engine(Recogniser.load(), profile()), seen("fist"))
    assert keys(sent(steps)) == [(KeyDown, "space"), (KeyUp, "space")]
    down, up = sent(steps)
    fist = [e for step in steps for e in step.events if e.gesture == "fist"]
    assert [down.t_us, up.t_us] == [event.t_us for event in fist]


def test_a_release_ends_what_is_shown_and_lets_go() -> None:
    engine, t_us = holding()
    step = engine.release(t_us)
    assert [(type(e), e.gesture) for e in step.events] == [(Ended, "fist")]
    assert keys(step.commands) == [(KeyUp, "space")]
    assert engine.release(t_us) == Step((), (), ())


TAP_OR_HOLD = """\
version: 1
bindings:
  - {gesture: fist, hold_for: 10s, do: {key: b}}
  - {gesture: fist, do: {key: a}}
"""


def test_a_release_sets_off_no_tap_though_opening_the_hand_would() -> None:
    engine, t_us = holding(TAP_OR_HOLD)
    assert engine.release(t_us).commands == ()
    engine, _ = holding(TAP_OR_HOLD)
    opened = sent(play(engine, seen("fist:3s")[75:]))
    assert keys(opened) == [(KeyDown, "a"), (KeyUp, "a")]


def test_after_a_release_the_same_fist_begins_anew() -> None:
    engine, _ = holding()
    at_us = seen("fist:3s")[75].t_us
    engine.release(at_us - 1)
    steps = play(engine, seen("fist:3s")[75:100])
    assert keys(sent(steps)) == [(KeyDown, "space")]


def test_time_that_does_not_grow_is_refused() -> None:
    engine = Engine(Recogniser.load(), profile())
    first = seen("fist")[0]
    engine.step(first)
    with pytest.raises(ValueError, match="must grow in time"):
        engine.step(first)
