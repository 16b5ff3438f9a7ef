"""What a profile becomes when it is right. What is said when it is wrong: tests/golden."""

from __future__ import annotations

import os
from pathlib import Path

import jsonschema
import pytest
import yaml

from gesturectl import bindings, reference
from gesturectl.actions import ACTIONS, Action
from gesturectl.catalog import Gesture
from gesturectl.controller import Control
from gesturectl.errors import ProfileError
from gesturectl.profile import (
    Binding,
    Profile,
    Safety,
    available,
    json_schema,
    load,
    parse,
    shipped,
)
from gesturectl.senses import CUES
from gesturectl.triggers import TRIGGERS, HoldFor, Repeat, Sequence, Tap, Trigger, While
from gesturectl.types import Began, Needs, Tick
from gesturectl.yamlnodes import LIMITS


def profile(text: str) -> Profile:
    return parse(f"version: 1\n{text}")


def one(binding: str) -> Binding:
    return profile(f"bindings:\n  - {binding}").bindings[0]


def test_a_binding_says_all_it_can() -> None:
    binding = one(
        "{gesture: fist, side: left, confidence: 0.9, cooldown: 1.5s, hold_for: 800ms, "
        "do: [{key: ctrl+Esc}, {scroll: {down: 3}}]}"
    )
    assert binding.gestures == ("fist",)
    assert binding.side == "left"
    assert binding.confidence == 0.9
    assert binding.cooldown_us == 1_500_000
    assert binding.trigger == Trigger("hold_for", HoldFor(800_000))
    assert binding.actions[0] == Action("key", ("ctrl", "Escape"))
    assert binding.line == 3


def test_a_gesture_comes_early_where_all_its_bindings_say_so() -> None:
    read = profile(
        "bindings:\n"
        "  - {gesture: swipe_left, early: true, side: left, do: {scroll: {down: 3}}}\n"
        "  - {gesture: swipe_left, early: true, do: {scroll: {down: 9}}}\n"
        "  - {gesture: fist, early: true, side: left, do: {scroll: {up: 1}}}\n"
        "  - {gesture: fist, do: {key: Delete}}\n"
    )
    assert [binding.early for binding in read.bindings] == [True, True, True, False]
    assert read.early == {"swipe_left"}


def test_what_a_binding_leaves_out_comes_from_the_defaults() -> None:
    rules = profile("""
defaults: {confidence: 0.7, cooldown: 2s}
bindings:
  - {gesture: fist, do: {key: a}}
  - {gesture: ok, confidence: 0, cooldown: 0ms, do: {key: b}}
""")
    assert [(one.confidence, one.cooldown_us) for one in rules.bindings] == [
        (0.7, 2_000_000),
        (0.0, 0),
    ]


@pytest.mark.parametrize(
    ("written", "config"),
    [
        ("tap: true", Tap()),
        ("hold_for: 1 s", HoldFor(1_000_000)),
        ("while: true", While()),
        ("repeat: 120ms", Repeat(every_us=120_000)),
        ("repeat: {after: 0.5s, every: 120ms}", Repeat(every_us=120_000, after_us=500_000)),
    ],
)
def test_triggers(written: str, config: object) -> None:
    assert one(f"{{gesture: fist, {written}, do: {{key: a}}}}").trigger.config == config


def test_a_list_of_gestures_is_a_sequence() -> None:
    binding = one("{gesture: [fist, ok], do: {key: a}}")
    assert binding.trigger.config == Sequence(("fist", "ok"), 1_000_000)
    binding = one("{gesture: [fist, ok], within: 2s, do: {key: a}}")
    assert binding.trigger.config == Sequence(("fist", "ok"), 2_000_000)


def test_a_tap_waits_only_beside_a_hold_that_the_same_hand_could_mean() -> None:
    rules = profile("""
bindings:
  - {gesture: fist, side: left, hold_for: 1s, do: {key: a}}
  - {gesture: fist, side: left, hold_for: 500ms, do: {key: b}}
  - {gesture: fist, side: right, do: {key: c}}
  - {gesture: fist, do: {key: d}}
""")
    assert [one.trigger.config for one in rules.bindings[2:]] == [Tap(), Tap(before_us=500_000)]


def test_words_that_yaml_would_take_for_something_else_stay_words() -> None:
    rules = profile("name: no\nsays: 1:30\nbindings: [{gesture: ok, do: {text: on}}]")
    assert (rules.name, rules.says) == ("no", "1:30")
    assert rules.bindings[0].actions == (Action("text", "on"),)


def test_a_digit_is_a_key() -> None:
    assert one("{gesture: ok, do: {key: 5}}").actions == (Action("key", ("5",)),)
    assert one("{gesture: ok, do: {key: ctrl+0}}").actions == (Action("key", ("ctrl", "0")),)


def test_a_byte_order_mark_and_windows_lines_are_no_hindrance() -> None:
    text = "\ufeffversion: 1\r\nbindings:\r\n  - {gesture: ok, do: {key: a}}\r\n"
    assert parse(text.encode()).gestures == {"ok"}


def test_aliases_and_anchors_may_save_typing() -> None:
    rules = profile("""
bindings:
  - {gesture: fist, do: &save {key: ctrl+s}}
  - {gesture: ok, do: *save}
""")
    assert rules.bindings[0].actions == rules.bindings[1].actions


def test_the_name_is_that_of_the_file_until_it_has_its_own() -> None:
    text = "version: 1\nbindings: [{gesture: ok, do: {key: a}}]"
    assert parse(text, "dir/mine.yaml").name == "mine"
    assert parse(f"{text}\nname: ours", "mine.yaml").name == "ours"


def test_safety_has_a_bound_of_its_own() -> None:
    assert profile("bindings: [{gesture: ok, do: {key: a}}]").safety == Safety(10)


def test_run_needs_leave_from_outside() -> None:
    text = "version: 1\nbindings: [{gesture: ok, do: {run: [echo, 'a b']}}]"
    with pytest.raises(ProfileError, match="allow_run: true"):
        parse(text)
    assert parse(text, allow_run=True).bindings[0].actions == (Action("run", ("echo", "a b")),)


def test_gestures_of_the_users_own_are_known_when_given() -> None:
    text = "version: 1\nbindings: [{gesture: my_wink, do: {key: a}}]"
    with pytest.raises(ProfileError, match="unknown gesture `my_wink`"):
        parse(text)
    mine = Gesture("my_wink", "motion", ("body",), "a wink")
    assert parse(text, extra=[mine]).needs == Needs(hands=0, bodies=1)


def test_what_was_once_written_otherwise_is_understood_and_told_with_the_line_to_change() -> None:
    read = profile("bindings:\n  - {gesture: fist, do: {keys: [ctrl, shift, Tab]}}")
    assert read.bindings[0].actions == (Action("key", ("ctrl", "shift", "Tab")),)
    (notice,) = read.notices
    assert (notice.line, notice.advice) == (3, "write `key: ctrl+shift+Tab`")


def test_keys_are_all_that_may_be_sent() -> None:
    rules = profile("""
bindings:
  - {gesture: ok, do: [{key: ctrl+PgDn}, {media: mute}, {text: xyz}, {button: left}]}
""")
    assert rules.keys == {"ctrl", "Page_Down", "mute"}


def test_five_hundred_bindings_are_read_and_played() -> None:
    lines = (f"  - {{gesture: fist, hold_for: {n + 1}ms, do: {{key: a}}}}" for n in range(500))
    rules = profile("bindings:\n" + "\n".join(lines))
    state, _ = bindings.step(rules, bindings.initial(rules), Began(0, "fist", "left", 0.9))
    _, sent = bindings.step(rules, state, Tick(1_000_000))
    assert len(sent) == 2 * rules.safety.max_actions_per_second


# --- needs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gestures", "needs"),
    [
        ("{gesture: fist}", Needs(1, 0)),
        ("{gesture: swipe_left}", Needs(1, 0)),
        ("{gesture: swipe_left, side: left}", Needs(2, 0)),
        ("{gesture: arms_up}", Needs(0, 1)),
        ("{gesture: arms_up}, {gesture: swipe_left}", Needs(0, 1)),
        ("{gesture: arms_up}, {gesture: swipe_left, side: right}", Needs(2, 1)),
        ("{gesture: arms_up}, {gesture: fist}", Needs(1, 1)),
    ],
)
def test_only_the_landmarks_that_the_gestures_need_are_run(gestures: str, needs: Needs) -> None:
    acting = gestures.replace("}", ", do: {key: a}}")
    assert profile(f"bindings: [{acting}]").needs == needs


@pytest.mark.parametrize(
    ("landmarks", "needs"),
    [
        ("hand", Needs(1, 0)),
        ("both_hands", Needs(2, 0)),
        ("body", Needs(0, 1)),
        ("[hand, body]", Needs(1, 1)),
    ],
)
def test_a_profile_may_choose_its_landmarks(landmarks: str, needs: Needs) -> None:
    text = f"landmarks: {landmarks}\nbindings: [{{gesture: swipe_left, do: {{key: a}}}}]"
    assert profile(text).needs == needs


# --- files --------------------------------------------------------------------------------------


def test_a_profile_is_found_by_its_name() -> None:
    assert load("slides").name == "slides"


@pytest.mark.skipif(os.name == "nt", reason="the folder is elsewhere")
def test_ones_own_profile_stands_before_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    own = available()
    assert own.keys() == shipped().keys()
    import platformdirs

    folder = platformdirs.user_config_path("gesturectl") / "profiles"
    folder.mkdir(parents=True)
    (folder / "slides.yaml").write_text("version: 1\nbindings: [{gesture: ok, do: {key: a}}]")
    assert load("slides").gestures == {"ok"}


def test_a_misspelt_name_is_mended() -> None:
    with pytest.raises(ProfileError, match=r"no profile 'slidse'; did you mean slides\?"):
        load("slidse")


def test_files_that_cannot_be_read_are_errors_of_the_user(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path, "a\0b.yaml"):
        with pytest.raises(ProfileError):
            load(path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"# \n" * LIMITS.size_bytes)
    with pytest.raises(ProfileError, match="more than 256 KiB"):
        load(huge)


# --- problems -----------------------------------------------------------------------------------


def test_problems_can_be_read_by_programs() -> None:
    with pytest.raises(ProfileError) as refused:
        parse("version: 1\nbindings:\n  - {gesture: fits, do: {key: a}}\n", "mine.yaml")
    (problem,) = refused.value.problems
    assert (problem.filename, problem.line, problem.column) == ("mine.yaml", 3, 15)
    assert problem.message == "unknown gesture `fits`"
    assert problem.advice == "did you mean `fist`?"


def test_a_flood_of_problems_is_told_in_part() -> None:
    with pytest.raises(ProfileError) as refused:
        parse("version: 1\nbindings:\n" + "  - {gesture: nothing, do: {key: a}}\n" * 300)
    assert len(refused.value.problems) == 300
    assert "… and 200 more" in str(refused.value)


# --- what is shipped and generated ----------------------------------------------------------------


@pytest.mark.parametrize("name", shipped())
def test_shipped_profiles_are_right_for_the_parser_and_for_editors(name: str) -> None:
    rules = load(name)
    assert rules.name == name
    assert rules.says
    text = shipped()[name].read_text("utf-8")
    jsonschema.Draft202012Validator(json_schema()).validate(yaml.safe_load(text))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_schema_refuses_what_is_misspelt() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    good = {"version": 1, "bindings": [{"gesture": "fist", "do": {"key": "a"}}]}
    assert validator.is_valid(good)
    for bad in (
        {**good, "nmae": "x"},
        {**good, "bindings": []},
        {**good, "bindings": [{"gesture": "fits", "do": {"key": "a"}}]},
        {**good, "bindings": [{"gesture": "fist", "do": {"key": "a", "text": "b"}}]},
        {**good, "bindings": [{"gesture": "fist", "hold_for": 400, "do": {"key": "a"}}]},
    ):
        assert not validator.is_valid(bad)


@pytest.mark.parametrize("name", TRIGGERS)
def test_the_example_of_every_trigger_is_right(name: str) -> None:
    assert one(TRIGGERS[name].example).trigger.name == name


@pytest.mark.parametrize("name", ACTIONS)
def test_the_example_of_every_action_is_right(name: str) -> None:
    held = "while: true, " if ACTIONS[name].only_held else ""
    binding = f"{{gesture: ok, {held}do: {ACTIONS[name].example}}}"
    text = f"version: 1\nmodes: {{volume: {{}}}}\nbindings: [{binding}]"
    (action,) = parse(text, allow_run=True).bindings[0].actions
    assert action.name == name


@pytest.mark.parametrize("name", CUES)
def test_the_example_of_every_cue_is_right(name: str) -> None:
    text = f"version: 1\nzones: {{mouth: {{around: mouth}}}}\nbindings:\n  - {CUES[name].example}"
    (binding,) = parse(text).bindings
    assert binding.gestures[0].startswith(name)


def test_the_reference_is_up_to_date() -> None:
    assert reference.main(["--check"]) == 0, "run: python -m gesturectl.reference"


# --- gestures of one's own ----------------------------------------------------------------------

OWN = (
    Gesture("zigzag", "motion", ("hand",), "your own", Needs(1, 0)),
    Gesture("clap", "motion", ("hand",), "your own", Needs(2, 0)),
    Gesture("salute", "pose", ("hand", "body"), "your own", Needs(1, 1)),
)


@pytest.mark.parametrize(
    ("gestures", "needs"),
    [
        (["zigzag"], Needs(1, 0)),
        (["clap"], Needs(2, 0)),
        (["salute"], Needs(1, 1)),
        (["zigzag", "squat"], Needs(1, 1)),
        (["clap", "fist"], Needs(2, 0)),
        (["swipe_left", "salute"], Needs(1, 1)),
    ],
)
def test_a_gesture_of_one_s_own_needs_what_it_was_taught_with(
    gestures: list[str], needs: Needs
) -> None:
    rows = "".join(f"\n  - {{gesture: {name}, do: {{key: b}}}}" for name in gestures)
    assert parse(f"version: 1\nbindings:{rows}", extra=OWN).needs == needs


@pytest.mark.parametrize("landmarks", ["hand", "[hand, body]"])
def test_a_gesture_of_both_hands_cannot_be_seen_by_looking_for_one(landmarks: str) -> None:
    text = f"version: 1\nlandmarks: {landmarks}\nbindings:\n  - {{gesture: clap, do: {{key: b}}}}"
    with pytest.raises(ProfileError, match="`clap` is made by both hands, and one is looked for"):
        parse(text, extra=OWN)
    assert parse(text.replace("hand", "both_hands", 1), extra=OWN).needs.hands == 2


def test_all_landmarks_of_a_gesture_of_one_s_own_must_be_looked_for() -> None:
    text = "version: 1\nlandmarks: hand\nbindings:\n  - {gesture: salute, do: {key: b}}"
    with pytest.raises(ProfileError, match="`salute` is seen by the body, which is not looked for"):
        parse(text, extra=OWN)


# --- several people -----------------------------------------------------------------------------

BINDING = "bindings: [{gesture: fist, do: {key: a}}]\n"


def test_control_is_read_long_and_short() -> None:
    assert profile(f"control: centre\n{BINDING}").control == Control(by="centre")
    long = "control: {by: first_armed, zone: seat, gone: 10s, people: 3}\n"
    around = "zones: {seat: {image: [0.2, 0, 0.8, 1]}}\nmodes: {sleep: {wake: {gesture: fist}}}\n"
    assert profile(f"{long}{around}{BINDING}").control == Control(
        "first_armed", "seat", 10_000_000, 3
    )
    assert profile(BINDING).control is None


@pytest.mark.parametrize(
    ("head", "needs"),
    [
        ("", Needs(1, 0)),
        ("control: largest\n", Needs(4, 2)),
        ("control: {people: 3}\n", Needs(6, 3)),
        ("control: largest\nlandmarks: hand\n", Needs(4, 0)),
        ("control: largest\nlandmarks: body\n", Needs(0, 2)),
        ("control: largest\nlandmarks: [both_hands, body]\n", Needs(4, 2)),
    ],
)
def test_several_people_are_looked_for_only_where_one_of_them_controls(
    head: str, needs: Needs
) -> None:
    binding = BINDING.replace("fist", "arms_up") if head.endswith(": body\n") else BINDING
    assert profile(head + binding).needs == needs


def test_handing_over_where_nobody_else_may_control_is_noticed() -> None:
    text = "bindings: [{gesture: fist, do: {hand_over: true}}]\n"
    (notice,) = profile(text).notices
    assert "this hands over control, and one person is alone here" in str(notice)
    assert profile(f"control: largest\n{text}").notices == ()
