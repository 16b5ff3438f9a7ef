"""How rival bindings, cooldown, rate and held keys are settled. Longer stories: tests/golden."""

from __future__ import annotations

from gesturectl import bindings
from gesturectl.bindings import State
from gesturectl.profile import Profile, parse
from gesturectl.types import (
    Began,
    ButtonDown,
    ButtonUp,
    Command,
    Ended,
    GestureEvent,
    KeyDown,
    KeyUp,
    Subject,
    Tick,
    UserInput,
)


def profile(text: str) -> Profile:
    return parse(f"version: 1\n{text}")


def play(
    rules: Profile, *events: GestureEvent, state: State | None = None
) -> tuple[State, list[Command]]:
    state = state or bindings.initial(rules)
    sent: list[Command] = []
    for event in events:
        state, commands = bindings.step(rules, state, event)
        sent += commands
    return state, sent


def began(t_us: int, gesture: str, side: Subject = "right", confidence: float = 0.9) -> Began:
    return Began(t_us, gesture, side, confidence)


def ended(t_us: int, gesture: str, side: Subject = "right") -> Ended:
    return Ended(t_us, gesture, side, 0.9)


NEXT = "bindings: [{gesture: swipe_left, do: {key: Right}}]"


def test_a_swipe_is_one_press_and_its_release() -> None:
    _, sent = play(profile(NEXT), began(5, "swipe_left"), ended(5, "swipe_left"), Tick(5), Tick(9))
    assert sent == [KeyDown(5, "Right"), KeyUp(5, "Right")]


def test_what_no_binding_listens_to_changes_nothing() -> None:
    rules = profile(NEXT)
    start = bindings.initial(rules)
    state, sent = play(rules, began(0, "wave"), ended(0, "wave"), Tick(0), state=start)
    assert state is start
    assert sent == []


def test_a_tick_at_rest_costs_nothing() -> None:
    rules = profile(NEXT)
    state, _ = play(rules, began(0, "swipe_left"))
    assert bindings.step(rules, state, Tick(33_000))[0] is state


def test_the_state_before_is_never_changed() -> None:
    rules = profile("bindings: [{gesture: fist, while: true, do: {key: shift}}]")
    start = bindings.initial(rules)
    held, _ = bindings.step(rules, start, began(0, "fist"))
    bindings.step(rules, held, ended(1, "fist"))
    assert start == bindings.initial(rules)
    assert held.held == (KeyUp(0, "shift"),)
    assert list(held.playing) == [(0, "right")]


def test_of_rivals_the_first_in_the_file_is_heard() -> None:
    rules = profile("""
bindings:
  - {gesture: fist, confidence: 0.9, do: {key: a}}
  - {gesture: fist, side: left, do: {key: b}}
  - {gesture: fist, do: {key: c}}
""")
    sure = began(0, "fist", "left", 0.95)
    unsure_left, unsure_right = began(0, "fist", "left", 0.5), began(0, "fist", "right", 0.5)
    pressed = [play(rules, event)[1][0] for event in (sure, unsure_left, unsure_right)]
    assert pressed == [KeyDown(0, "a"), KeyDown(0, "b"), KeyDown(0, "c")]


def test_the_first_in_the_file_rests_and_no_other_steps_in() -> None:
    rules = profile("""
bindings:
  - {gesture: swipe_left, side: right, cooldown: 1s, do: {key: a}}
  - {gesture: swipe_left, do: {key: b}}
""")
    _, sent = play(rules, began(0, "swipe_left"), began(500_000, "swipe_left"))
    assert sent == [KeyDown(0, "a"), KeyUp(0, "a")]


def test_a_rival_that_was_not_heard_at_the_beginning_is_not_heard_at_the_end() -> None:
    rules = profile("""
bindings:
  - {gesture: fist, side: left, while: true, do: {key: ctrl}}
  - {gesture: fist, while: true, do: {key: shift}}
""")
    _, sent = play(rules, began(0, "fist", "left"), ended(1, "fist", "left"))
    assert sent == [KeyDown(0, "ctrl"), KeyUp(1, "ctrl")]


def test_a_sequence_listens_while_others_act_and_gives_way_at_its_end() -> None:
    rules = profile("""
bindings:
  - {gesture: fist, do: {key: a}}
  - {gesture: ok, confidence: 0.9, do: {key: b}}
  - {gesture: [fist, ok], do: {key: c}}
""")
    _, sure = play(rules, began(0, "fist"), began(1, "ok", "right", 0.95))
    _, unsure = play(rules, began(0, "fist"), began(1, "ok", "right", 0.6))
    assert sure[::2] == [KeyDown(0, "a"), KeyDown(1, "b")]
    assert unsure[::2] == [KeyDown(0, "a"), KeyDown(1, "c")]


def test_holds_of_different_length_act_in_turn() -> None:
    rules = profile("""
bindings:
  - {gesture: fist, hold_for: 2s, do: {key: b}}
  - {gesture: fist, hold_for: 1s, do: {key: a}}
""")
    _, sent = play(rules, began(0, "fist"), Tick(1_000_000), Tick(2_000_000), ended(3, "fist"))
    assert sent[::2] == [KeyDown(1_000_000, "a"), KeyDown(2_000_000, "b")]


def test_what_the_rate_limit_drops_is_counted() -> None:
    rules = profile(f"safety: {{max_actions_per_second: 2}}\ndefaults: {{cooldown: 0ms}}\n{NEXT}")
    swipes = [began(n * 100_000, "swipe_left") for n in range(5)]
    state, sent = play(rules, *swipes)
    assert len(sent) == 2 * 2
    assert state.dropped == 3
    _, sent = play(rules, began(1_100_000, "swipe_left"), state=state)
    assert len(sent) == 2


def test_a_press_that_was_dropped_has_no_release() -> None:
    rules = profile("""
safety: {max_actions_per_second: 1}
bindings:
  - {gesture: swipe_left, do: {key: Right}}
  - {gesture: fist, while: true, do: {key: shift}}
""")
    _, sent = play(rules, began(0, "swipe_left"), began(9, "fist"), ended(99, "fist"))
    assert sent == [KeyDown(0, "Right"), KeyUp(0, "Right")]


def test_a_repeat_that_was_not_allowed_to_begin_does_not_go_on() -> None:
    rules = profile("bindings: [{gesture: fist, cooldown: 1s, repeat: 100ms, do: {key: Up}}]")
    events = [began(0, "fist"), ended(1, "fist"), began(500_000, "fist"), Tick(700_000)]
    _, sent = play(rules, *events)
    assert sent == [KeyDown(0, "Up"), KeyUp(0, "Up")]


def test_a_key_held_by_two_is_let_go_by_the_last() -> None:
    rules = profile("""
defaults: {cooldown: 0ms}
bindings:
  - {gesture: fist, while: true, do: {key: ctrl}}
  - {gesture: ok, while: true, do: {key: ctrl+shift}}
""")
    _, sent = play(
        rules,
        began(0, "fist", "left"),
        began(1, "ok", "right"),
        ended(2, "fist", "left"),
        ended(3, "ok", "right"),
    )
    assert sent == [
        KeyDown(0, "ctrl"),
        KeyDown(1, "shift"),
        KeyUp(3, "shift"),
        KeyUp(3, "ctrl"),
    ]


def test_release_lets_go_of_everything_newest_first_and_begins_anew() -> None:
    rules = profile("""
bindings:
  - {gesture: fist, while: true, do: [{key: ctrl}, {button: left}]}
  - {gesture: ok, hold_for: 1s, do: {key: a}}
""")
    state, sent = play(rules, began(0, "fist", "left"), began(1, "ok"))
    assert sent == [KeyDown(0, "ctrl"), ButtonDown(0, "left")]
    state, ups = bindings.release(rules, state, 7)
    assert ups == (ButtonUp(7, "left"), KeyUp(7, "ctrl"))
    assert state == bindings.initial(rules)
    assert play(rules, ended(8, "fist", "left"), Tick(2_000_000), state=state)[1] == []


def test_progress_shows_what_is_under_way() -> None:
    rules = profile("""
bindings:
  - {gesture: fist, hold_for: 1s, do: {key: a}}
  - {gesture: fist, while: true, do: {key: shift}}
""")
    state, _ = play(rules, began(0, "fist", "left"))
    shown = list(bindings.progress(rules, state, 250_000))
    assert [(one.binding.trigger.name, one.side, one.fraction) for one in shown] == [
        ("hold_for", "left", 0.25)
    ]


def test_giving_way_lets_go_of_a_mode_and_of_all_that_was_heard_in_it() -> None:
    rules = profile("""
safety: {takeback: 1s}
modes: {volume: {}}
bindings:
  - {gesture: fist, toggle: true, do: {mode: volume}}
  - {gesture: ok, toggle: true, mode: volume, do: {key: a}}
""")
    state, sent = play(rules, began(0, "fist"), ended(1, "fist"), began(2, "ok"), UserInput(3))
    assert (state.mode, dict(state.playing), state.held) == ("active", {}, ())
    assert [one for one in sent if isinstance(one, KeyDown | KeyUp)] == [
        KeyDown(2, "a"),
        KeyUp(3, "a"),
    ]
