"""From what is seen to what is sent, in one step: the real recogniser and real profiles."""

from __future__ import annotations

from functools import cache

import pytest

from gesturectl import bindings
from gesturectl.engine import Engine, Step
from gesturectl.profile import Profile, parse
from gesturectl.recogniser import Recogniser
from gesturectl.types import (
    Began,
    ButtonDown,
    ButtonUp,
    Command,
    Ended,
    KeyDown,
    KeyUp,
    Observation,
    UserInput,
)
from tests.acting import Performance
from tests.sensing import frame, hand

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


def test_each_step_marks_once_that_all_is_recognised_before_any_binding_is_played() -> None:
    engine = Engine(Recogniser.load(), profile())
    for observation in seen("fist"):
        before, marks = engine.state, list[bindings.State]()
        engine.step(observation, (), lambda: marks.append(engine.state))  # noqa: B023
        assert [mark is before for mark in marks] == [True]


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


# --- a drag, which a pinch holds after the gesture that points has ended --------------------------

POINTING = """\
version: 1
safety: {takeback: 1s, panic: {keys: ctrl+alt+Pause}}
modes:
  sleep: {wake: {gesture: thumb_up}}
bindings:
  - {gesture: point_up, while: true, do: {pointer: move}}
"""


def dragging() -> tuple[Engine, int]:
    """An engine in the midst of a pinch that points, and what time it is."""
    engine, t_us, steps = Engine(Recogniser.load(), profile(POINTING)), 0, []
    for shape, count in (("point_up", 30), ("pinch", 30)):
        for _ in range(count):
            t_us += 33_333
            steps.append(engine.step(frame(t_us, hand(shape=shape))))
    assert buttons(sent(steps)) == [ButtonDown]
    return engine, t_us


def buttons(commands: list[Command] | tuple[Command, ...]) -> list[type[Command]]:
    return [type(one) for one in commands if isinstance(one, ButtonDown | ButtonUp)]


@pytest.mark.parametrize("used", [frozenset({"a"}), frozenset({"ctrl", "alt", "Pause"})])
def test_real_keys_and_panic_end_a_drag_though_the_pinch_goes_on(used: frozenset[str]) -> None:
    engine, t_us = dragging()
    pinch = hand(shape="pinch")
    step = engine.step(frame(t_us + 33_333, pinch), (UserInput(t_us + 33_333, used),))
    assert buttons(step.commands) == [ButtonUp]
    later = [engine.step(frame(t_us + n * 33_333, pinch)) for n in range(2, 60)]
    assert buttons(sent(later)) == []


def test_without_them_a_drag_goes_on_after_the_gesture_that_points() -> None:
    engine, t_us = dragging()
    later = [engine.step(frame(t_us + n * 33_333, hand(shape="pinch"))) for n in range(1, 60)]
    assert buttons(sent(later)) == []
    assert buttons(engine.release(t_us + 3_000_000).commands) == [ButtonUp]


# --- the rate limit holds for clicks, too ---------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_fingers_that_tremble_click_no_oftener_than_the_rate_limit_allows(limit: int) -> None:
    text = POINTING.replace("takeback: 1s", f"max_actions_per_second: {limit}")
    engine, t_us, found = Engine(Recogniser.load(), profile(text)), 0, list[Command]()
    for shape in ["point_up"] * 30 + (["pinch"] * 4 + ["point_up"] * 4) * 15:
        t_us += 33_333
        found += engine.step(frame(t_us, hand(shape=shape))).commands
    clicks = [one for one in found if isinstance(one, ButtonDown)]
    pressed = [one.t_us for one in clicks]
    within = max(sum(0 <= other - one < 1_000_000 for other in pressed) for one in pressed)
    assert within <= limit
    assert (within < limit) == (limit == 10)  # without a limit there are three or four
    assert buttons(found) == [ButtonDown, ButtonUp] * len(clicks)
    assert (engine.state.dropped > 0) == (limit < 10)
