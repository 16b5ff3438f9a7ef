"""What each action becomes: its commands in order and in time, its releases, its refusals."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from gesturectl import yamlnodes
from gesturectl.actions import ACTIONS, Action, kinds, press, release, tap
from gesturectl.fields import Surroundings
from gesturectl.profile import json_schema
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Entered,
    KeyDown,
    KeyUp,
    Mqtt,
    Notify,
    Osc,
    Play,
    Point,
    Run,
    Say,
    Scroll,
    Text,
    UseProfile,
    Webhook,
)

AROUND = Surroundings(allow_run=True, modes=frozenset({"volume", "sleep"}))


def action(text: str, around: Surroundings = AROUND) -> Action:
    """Read one action as it stands in a profile."""
    _, node, problems = yamlnodes.read(text, "profile.yaml")
    assert isinstance(node, yamlnodes.Mapping), problems
    ((name, (_, value)),) = node.entries.items()
    kind: TypeAdapter[Any] = TypeAdapter(ACTIONS[name].kind)
    return Action(name, kind.validate_python(yamlnodes.plain(value), context=around))


def refusal(text: str, around: Surroundings = AROUND) -> tuple[str, str]:
    """The message and the advice of the first thing that is wrong with an action."""
    with pytest.raises(ValidationError) as refused:
        action(text, around)
    first = refused.value.errors()[0]
    context = first.get("ctx", {})
    return context.get("message", first["msg"]), context.get("advice", "")


def tapped(*written: str) -> tuple[object, ...]:
    return tap(tuple(action(text) for text in written), 1_000_000)


# --- the table ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIONS)
def test_the_example_of_every_action_can_be_done(name: str) -> None:
    example = action(ACTIONS[name].example)
    assert example.name == name
    assert tap((example,), 0) or name == "wait"


@pytest.mark.parametrize("name", ACTIONS)
def test_the_example_of_every_action_fits_the_schema(name: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    do = yaml.safe_load(ACTIONS[name].example)
    profile = {"version": 1, "bindings": [{"gesture": "ok", "do": do}]}
    jsonschema.validate(profile, json_schema())


@pytest.mark.parametrize("name", ACTIONS)
def test_what_an_action_presses_it_lets_go(name: str) -> None:
    done = tap((action(ACTIONS[name].example),), 0)
    held: list[object] = []
    for one in done:
        match one:
            case KeyDown(key=thing) | ButtonDown(button=thing):
                held.append(thing)
            case KeyUp(key=thing) | ButtonUp(button=thing):
                held.remove(thing)
            case Point():
                held.append("pointer") if one.on else held.remove("pointer")
    assert held == []


# --- keys ---------------------------------------------------------------------------------------


def test_a_chord_is_pressed_in_order_and_let_go_in_reverse() -> None:
    assert tapped("key: ctrl+Tab") == (
        *(KeyDown(1_000_000, "ctrl"), KeyDown(1_000_000, "Tab")),
        *(KeyUp(1_000_000, "Tab"), KeyUp(1_000_000, "ctrl")),
    )


@pytest.mark.parametrize("written", ["keys: [ctrl+c, 200ms, v]", "keys: ctrl+c 200ms v"])
def test_keys_come_one_after_the_other_and_later_after_a_pause(written: str) -> None:
    assert tapped(written) == (
        *(KeyDown(1_000_000, "ctrl"), KeyDown(1_000_000, "c")),
        *(KeyUp(1_000_000, "c"), KeyUp(1_000_000, "ctrl")),
        *(KeyDown(1_200_000, "v"), KeyUp(1_200_000, "v")),
    )


def test_what_follows_a_pause_in_a_list_of_actions_comes_later_too() -> None:
    assert tapped("keys: a 100ms", "wait: 0.4s", "text: hello", "key: b") == (
        *(KeyDown(1_000_000, "a"), KeyUp(1_000_000, "a")),
        Text(1_500_000, "hello"),
        *(KeyDown(1_500_000, "b"), KeyUp(1_500_000, "b")),
    )


def test_keys_that_are_held_keep_the_last_one_down() -> None:
    both = (action("key: shift"), action("keys: [a, b]"))
    down = (KeyDown(1, "shift"), KeyDown(1, "a"), KeyUp(1, "a"), KeyDown(1, "b"))
    assert press(both, 1) == down
    assert release(both, 2) == (KeyUp(2, "b"), KeyUp(2, "shift"))


@pytest.mark.parametrize(
    ("written", "can"),
    [
        ("key: ctrl", True),
        ("keys: a b", True),
        ("keys: a 1ms b", False),
        ("wait: 1s", False),
        ("button: left", True),
        ("click: left", False),
        ("pointer: move", True),
        ("mode: volume", True),
        ("text: a", False),
    ],
)
def test_only_what_is_pressed_and_does_not_pause_can_be_held(written: str, can: bool) -> None:
    assert action(written).can_be_held is can


def test_digits_are_keys_and_numbers_with_units_are_pauses() -> None:
    keys = action("keys: [5, 5ms, KP_5, 0.5 s]")
    assert keys.value == (("5",), 5_000, ("KP_5",), 500_000)
    assert list(keys.spec.keys(keys.value)) == ["5", "KP_5"]


def test_keys_that_were_meant_together_are_refused_with_the_right_text() -> None:
    assert refusal("keys: [ctrl, shift, Tab]") == (
        "`shift` is let go before `Tab` is pressed: these come in turn",
        "to press them together write `key: ctrl+shift+Tab`, else put a pause between them",
    )
    assert refusal("keys: [a, ctrl, shift+Tab]")[1].startswith(
        "to press them together write `key: ctrl+shift+Tab`"
    )


@pytest.mark.parametrize("written", ["keys: shift shift", "keys: super 100ms t", "keys: a ctrl"])
def test_modifiers_alone_may_be_tapped(written: str) -> None:
    assert action(written)


@pytest.mark.parametrize(
    ("written", "message", "advice"),
    [
        ("keys: ctrl+c 200 ctrl+v", "`200` has no unit", "write `200ms` or `200s`"),
        ("keys: 1.5", "`1.5` is not a time", "write it like `400ms`, `1.5s` or `2min`"),
        ("keys: 2s", "this presses no key", "a pause alone is `wait: 200ms`"),
        (
            "keys: a 2min",
            "a pause of `2min` cannot be",
            "write a time up to one minute, like `200ms`",
        ),
        ("keys: ctrl+Rigth", "no key of a keyboard is called `Rigth`", "did you mean `Right`?"),
        ("wait: 0s", "a pause of `0s` cannot be", "write a time up to one minute, like `200ms`"),
    ],
)
def test_what_is_wrong_with_keys_is_told(written: str, message: str, advice: str) -> None:
    assert refusal(written) == (message, advice)


def test_brightness_is_a_media_key() -> None:
    assert tapped("media: brightness_up")[0] == KeyDown(1_000_000, "brightness_up")


# --- mouse and pointer --------------------------------------------------------------------------


def test_a_click_presses_and_lets_go_and_a_double_click_does_so_twice() -> None:
    right = (ButtonDown(1_000_000, "right"), ButtonUp(1_000_000, "right"))
    left = (ButtonDown(1_000_000, "left"), ButtonUp(1_000_000, "left"))
    assert tapped("click: right") == right
    assert tapped("click: double") == left * 2


def test_a_wheel_may_turn_by_less_than_a_step() -> None:
    assert tapped("scroll: {up: 0.2, right: 2}") == (Scroll(1_000_000, 2.0, -0.2),)
    assert refusal("scroll: {up: 0}")[0] == "`0` is not a number above 0, up to 100"
    assert refusal("scroll: {up: -1}")[0] == "`-1` is not a number above 0, up to 100"


def test_the_pointer_is_asked_for_and_given_back() -> None:
    move = (action("pointer: precise"),)
    assert press(move, 1) == (Point(1, "precise", "body", True),)
    assert release(move, 2) == (Point(2, "precise", "body", False),)
    assert ACTIONS["pointer"].only_held


def test_a_mode_is_one_of_this_profile() -> None:
    assert tapped("mode: volume") == (Entered(1_000_000, "volume"),)
    assert refusal("mode: volum") == ("there is no mode `volum`", "did you mean `volume`?")
    assert refusal("mode: volume", Surroundings()) == (
        "there is no mode `volume`",
        "name it at the top of the file: `modes: {volume: {}}`",
    )


def test_a_profile_is_named_and_never_a_path() -> None:
    assert tapped("profile: media") == (UseProfile(1_000_000, "media"),)
    for path in ("/etc/passwd", "../media", "media.yaml", "a/b"):
        assert "is not the name of a profile" in refusal(f"profile: {path}")[0]


# --- programs and messages ----------------------------------------------------------------------


def test_programs_are_started_only_where_the_configuration_lets_them() -> None:
    assert tapped("run: [echo, a b]") == (Run(1_000_000, ("echo", "a b")),)
    assert "allow_run: true" in refusal("run: [echo]", Surroundings())[1]


def test_messages_are_told_as_written() -> None:
    assert tapped("notify: awake", "say: hello", "say: {sound: ~/done.ogg}") == (
        *(Notify(1_000_000, "awake"), Say(1_000_000, "hello"), Play(1_000_000, "~/done.ogg")),
    )
    assert tapped("webhook: http://localhost/x") == (
        Webhook(1_000_000, "http://localhost/x", "{}"),
    )
    assert tapped("osc: {to: '[::1]:9000', address: /a/b, arguments: [1, -0.5, 1e3, on]}") == (
        Osc(1_000_000, "::1", 9000, "/a/b", (1, -0.5, "1e3", "on")),
    )
    assert tapped("mqtt: {to: LOCALHOST, topic: a/b, payload: 1}") == (
        Mqtt(1_000_000, "localhost", 1883, "a/b", "1"),
    )


def test_the_kinds_that_actions_become_are_known_before_they_happen() -> None:
    some = (action("say: hello"), action("say: {sound: bell}"), action("mode: volume"))
    assert kinds(some) == {Say, Play, Entered}


@pytest.mark.parametrize(
    "written",
    [
        "webhook: http://lamp.example/x",
        "webhook: {url: 'https://lamp.example:8443/x'}",
        "osc: {to: 'lamp.example:9000', address: /a}",
        "mqtt: {to: Lamp.Example, topic: a, payload: b}",
    ],
)
def test_messages_go_beyond_this_machine_only_where_the_configuration_lets_them(
    written: str,
) -> None:
    assert refusal(written) == (
        "`lamp.example` is not this machine, and profiles may talk to no other here",
        "allow it with `allow_hosts: [lamp.example]` in gesturectl's own configuration, never in "
        "a profile",
    )
    assert action(written, Surroundings(allow_hosts=frozenset({"lamp.example"})))


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "2130706433", "127.1", "localhost.example", "10.0.0.1", "[fe80::1]"],  # noqa: S104
)
def test_what_only_looks_like_this_machine_is_not(host: str) -> None:
    assert "is not this machine" in refusal(f"webhook: 'http://{host}/x'")[0]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_every_loopback_address_is_this_machine(host: str) -> None:
    assert action(f"webhook: 'http://{host}:8123/x'")


@pytest.mark.parametrize(
    "written",
    [
        "webhook: ftp://localhost/x",
        "webhook: http://user:secret@localhost/x",
        "webhook: http://localhost:99999/x",
        "webhook: 'http://localhost/a b'",
        "webhook: {url: http://localhost/x, body: on}",
        "webhook: {body: '{}'}",
        "osc: {to: localhost, address: /a}",
        "osc: {to: 'localhost:0', address: /a}",
        "osc: {to: 'localhost:9000', address: a}",
        "osc: {to: 'localhost:9000', address: '/a b'}",
        "mqtt: {to: localhost, topic: a/#, payload: b}",
        "mqtt: {to: localhost, topic: a}",
        "say: {}",
        "say: {text: a, sound: bell}",
        "say: {sound: //server/share/x.wav}",
        "say: {sound: relative/x.wav}",
        "notify: ''",
        "click: twice",
        "pointer: mvoe",
    ],
)
def test_messages_that_cannot_be_are_refused(written: str) -> None:
    assert refusal(written)
