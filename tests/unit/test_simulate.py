"""The language of simulations: what each word means, and what is said of one that means nothing."""

from __future__ import annotations

import pytest

from gesturectl.errors import UsageError
from gesturectl.profile import parse
from gesturectl.simulate import simulate
from gesturectl.sinks.print import plain_line
from gesturectl.types import ButtonDown, KeyDown, KeyUp, Scroll

PROFILE = parse("""
version: 1
safety: {takeback: 1s}
zones: {corner: {image: [0, 0, 0.2, 0.2]}}
modes: {volume: {}}
profiles:
  - {match: {only: {app: mpv, title: film}}, bindings: [{gesture: swipe_left, do: {key: Left}}]}
bindings:
  - {gesture: swipe_left, do: {key: Right}}
  - {gesture: open_palm, hold_for: 800ms, do: {key: Escape}}
  - {gesture: fist, side: left, confidence: 0.9, do: {key: a}}
  - gesture: pinch
    axis: {of: vertical, step: 1, dead_zone: 0}
    more: {scroll: {up: 1}}
    less: {scroll: {down: 1}}
  - {gesture: arms_up, do: {keys: [a, 300ms, b]}}
  - {zone: corner, do: {button: left}}
  - {chord: victory, do: {key: v}}
defaults: {cooldown: 0ms}
""")


def keys(script: str) -> list[str]:
    """Return the keys that go down."""
    return [one.key for one in simulate(PROFILE, script) if isinstance(one, KeyDown)]


def test_the_script_of_the_documentation() -> None:
    sent = list(simulate(PROFILE, "swipe_left t:200 open_palm+ t:900 open_palm-"))
    assert sent[:2] == [KeyDown(0, "Right"), KeyUp(0, "Right")]
    assert sent[2].t_us - 200_000 == pytest.approx(800_000, abs=33_334)
    assert [plain_line(one).split()[-1] for one in sent[2:]] == ["Escape", "Escape"]  # type: ignore[arg-type]


def test_sides_and_confidence() -> None:
    assert keys("fist left:fist@0.8 left:fist@0.95") == ["a"]


def test_windows_come_to_the_front_word_by_word() -> None:
    assert keys("swipe_left app:mpv swipe_left 'title:A film' swipe_left") == [
        "Right",
        "Right",
        "Left",
    ]


def test_real_input_gives_pause() -> None:
    assert keys("mouse swipe_left t:1s swipe_left key:ctrl+c swipe_left") == ["Right"]


def test_real_keys_stay_down_until_it_is_said_otherwise() -> None:
    rules = parse("version: 1\nbindings: [{pressed: ctrl+g, hold_for: 1s, do: {key: a}}]")
    assert [type(one) for one in simulate(rules, "keys:ctrl+g t:900 keys:")] == []
    assert len(list(simulate(rules, "keys:ctrl+g t:1100 keys:"))) == 2


def test_hands_move_in_palm_widths() -> None:
    sent = list(simulate(PROFILE, "pinch+ move:up=0 t:100 move:up=2 t:100 move:vertical=-1 pinch-"))
    assert [one.dy for one in sent if isinstance(one, Scroll)] == [-1, -1, 1]


def test_what_takes_its_time_is_waited_for() -> None:
    assert keys("arms_up") == ["a", "b"]
    assert keys("arms_up lost") == ["a"]


def test_cues_and_chords_are_shown_by_their_names() -> None:
    assert any(isinstance(one, ButtonDown) for one in simulate(PROFILE, "zone:corner"))
    assert keys("left:victory+ right:victory+") == ["v"]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (
            "fist swip_left",
            "word 2 of the script, 'swip_left': there is no such gesture; did you mean",
        ),
        ("left:arms_up", "`arms_up` is made by the whole body"),
        ("t:soon", "`soon` is not a time"),
        ("fist@2", "`2` is no confidence"),
        ("move:sideways=1", "no axis is called `sideways`"),
        ("move:up=far", "write how far"),
        ("key:ctl+c", "did you mean `ctrl`"),
        ("'fist", "No closing quotation"),
    ],
)
def test_a_word_that_means_nothing_is_told_with_its_place(script: str, says: str) -> None:
    with pytest.raises(UsageError) as told:
        list(simulate(PROFILE, script))
    assert says in str(told.value)
