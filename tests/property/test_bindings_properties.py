"""Whatever happens, in whatever order: every press has its release, and the bounds hold."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from gesturectl import bindings
from gesturectl.bindings import SECOND_US, State
from gesturectl.errors import ProfileError
from gesturectl.ledger import Ledger
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
    Tick,
)

GESTURES = ["fist", "ok", "open_palm", "swipe_left", "arms_up"]
TRIGGERS = ["", "hold_for: 300ms, ", "while: true, ", "repeat: 100ms, ", "within: 1s, "]
ACTIONS = [
    "{key: a}",
    "{key: ctrl+a}",
    "{key: ctrl+shift}",
    "{key: shift+a}",
    "{keys: [ctrl+a, a]}",
    "{button: left}",
    "{media: mute}",
    "[{key: ctrl+a}, {key: ctrl}]",
    "[{button: left}, {key: a}, {key: a}]",
]


HEAD = ["version: 1", "bindings:"]


def is_right(text: str) -> bool:
    """Whether a binding can act beside the others: chance also makes some that cannot."""
    try:
        parse(text)
    except ProfileError:
        return False
    return True


@st.composite
def profiles(draw: st.DrawFn, actions: list[str] = ACTIONS) -> Profile:
    """Profiles of a few bindings that all want the same few keys."""
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        trigger = draw(st.sampled_from(TRIGGERS))
        gesture = draw(st.sampled_from(GESTURES[:3] if trigger else GESTURES))
        if trigger == "within: 1s, ":
            gesture = f"[{gesture}, {draw(st.sampled_from(GESTURES[:4]))}]"
        confidence = draw(st.sampled_from(["0", "0.5", "0.9"]))
        cooldown = draw(st.sampled_from(["0ms", "200ms"]))
        line = (
            f"  - {{gesture: {gesture}, {trigger}confidence: {confidence}, "
            f"cooldown: {cooldown}, do: {draw(st.sampled_from(actions))}}}"
        )
        if is_right("\n".join([*HEAD, *lines, line])):
            lines.append(line)
    if not lines:
        lines.append(f"  - {{gesture: fist, repeat: 50ms, do: {actions[0]}}}")
    rate = draw(st.sampled_from(["1", "3", "100"]))
    return parse("\n".join([f"safety: {{max_actions_per_second: {rate}}}", *HEAD, *lines]))


@st.composite
def streams(draw: st.DrawFn) -> list[GestureEvent]:
    """Events in the order of time, but with ends that never began and beginnings without an end."""
    t_us, events = 0, list[GestureEvent]()
    for _ in range(draw(st.integers(0, 40))):
        t_us += draw(st.sampled_from([0, 33_333, 100_000, 400_000, 2_000_000]))
        gesture = draw(st.sampled_from(GESTURES))
        side = draw(st.sampled_from(["left", "right", "body"]))
        sure = draw(st.sampled_from([0.3, 0.7, 1.0]))
        kind = draw(st.sampled_from([Began, Began, Ended, Tick]))
        events.append(Tick(t_us) if kind is Tick else kind(t_us, gesture, side, sure))
    return events


def play(rules: Profile, events: list[GestureEvent]) -> tuple[State, list[Command]]:
    state, sent = bindings.initial(rules), list[Command]()
    for event in events:
        state, commands = bindings.step(rules, state, event)
        assert all(command.t_us == event.t_us for command in commands)
        sent += commands
    return state, sent


@given(profiles(), streams())
def test_after_anything_and_a_release_nothing_is_held(
    rules: Profile, events: list[GestureEvent]
) -> None:
    state, sent = play(rules, events)
    state, ups = bindings.release(rules, state, 10**9)
    ledger = Ledger()
    for command in (*sent, *ups):
        assert ledger.note(command), "a press of what is down, or a release of what is up"
    assert ledger.held == ()
    assert state == bindings.initial(rules)


@given(profiles(), streams())
def test_when_all_gestures_have_ended_nothing_is_held(
    rules: Profile, events: list[GestureEvent]
) -> None:
    sides = ("left", "right", "body")
    ends = [Ended(10**8, gesture, side, 1.0) for gesture in GESTURES for side in sides]
    state, _ = play(rules, [*events, *ends])
    assert state.held == ()


@given(profiles(), streams())
def test_what_is_held_is_what_was_sent(rules: Profile, events: list[GestureEvent]) -> None:
    state, sent = play(rules, events)

    def note(down: set[str], command: Command) -> set[str]:
        match command:
            case KeyDown(key=name) | ButtonDown(button=name):
                return down | {name}
            case KeyUp(key=name) | ButtonUp(button=name):
                return down - {name}
        return down

    held = {up.key if isinstance(up, KeyUp) else up.button for up in state.held}
    assert reduce(note, sent, set()) == held


@given(profiles(actions=["{scroll: {up: 1}}"]), streams())
def test_no_second_has_more_actions_than_allowed(
    rules: Profile, events: list[GestureEvent]
) -> None:
    _, sent = play(rules, events)
    acted_us = [command.t_us for command in sent]
    for t_us in acted_us:
        within = [one for one in acted_us if t_us <= one < t_us + SECOND_US]
        assert len(within) <= rules.safety.max_actions_per_second


@given(profiles(), streams())
def test_the_same_events_send_the_same_commands(rules: Profile, events: list[GestureEvent]) -> None:
    assert play(rules, events) == play(rules, events)
