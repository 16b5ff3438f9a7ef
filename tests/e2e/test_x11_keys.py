"""The sink x11 against a real X server and a real client: what is sent is what arrives."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gesturectl.errors import SinkError
from gesturectl.sinks.x11 import X11Sink
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Command,
    KeyDown,
    KeyUp,
    MoveBy,
    MoveTo,
    Run,
    Scroll,
    Text,
)
from tests.e2e.xserver import Listener, XServer, tap, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def sink(desktop: XServer) -> Iterator[X11Sink]:
    with X11Sink(desktop.display) as sink:
        yield sink


def strike(sink: X11Sink, *names: str) -> None:
    """Press keys in order and release them in reverse, as a profile's `keys:` does."""
    commands: list[Command] = [KeyDown(0, name) for name in names]
    commands += [KeyUp(0, name) for name in reversed(names)]
    for command in commands:
        sink.send(command)


@pytest.mark.parametrize(
    ("key", "arrives"),
    [
        ("Right", "Right"),
        ("F5", "F5"),
        ("space", " "),
        ("a", "a"),
        ("Return", "Return"),
        ("KP_Enter", "KP_Enter"),
        ("Page_Down", "Next"),
        ("play_pause", "XF86AudioPlay"),
        ("volume_up", "XF86AudioRaiseVolume"),
        ("brightness_down", "XF86MonBrightnessDown"),
    ],
)
def test_a_key_of_the_layout_arrives(
    sink: X11Sink, listener: Listener, key: str, arrives: str
) -> None:
    strike(sink, key)
    assert listener.received(2) == tap(arrives)


@pytest.mark.parametrize("key", ["F13", "F24", "ä", "я", "你", "🙂"])
def test_a_key_that_the_layout_lacks_arrives_all_the_same(
    sink: X11Sink, listener: Listener, key: str
) -> None:
    strike(sink, key)
    assert listener.received(2) == tap(key)


def test_a_shifted_character_brings_its_shift(sink: X11Sink, listener: Listener) -> None:
    strike(sink, "A")
    strike(sink, "question")
    assert listener.received(8) == [
        *[("press", "Shift_L"), ("press", "A"), ("release", "A"), ("release", "Shift_L")],
        *[("press", "Shift_L"), ("press", "?"), ("release", "?"), ("release", "Shift_L")],
    ]


def test_a_chord_is_pressed_in_order_and_released_in_reverse(
    sink: X11Sink, listener: Listener
) -> None:
    strike(sink, "ctrl", "alt", "b")
    assert listener.received(6) == [
        *[("press", "Control_L"), ("press", "Alt_L"), ("press", "b")],
        *[("release", "b"), ("release", "Alt_L"), ("release", "Control_L")],
    ]


def test_shift_in_a_chord_stays_shift(sink: X11Sink, listener: Listener) -> None:
    """`key: shift+a` means the key of `a` under shift; it must not be taken away."""
    strike(sink, "shift", "a")
    assert listener.received(4) == [
        *[("press", "Shift_L"), ("press", "A"), ("release", "A"), ("release", "Shift_L")]
    ]


def test_a_character_after_a_released_shift_is_shifted_anew(
    sink: X11Sink, listener: Listener
) -> None:
    strike(sink, "shift", "F5")
    strike(sink, "question")
    assert ("press", "?") in listener.received(8)


def test_a_character_whose_shift_the_chord_holds_already_adds_none(
    sink: X11Sink, listener: Listener
) -> None:
    strike(sink, "shift", "question")
    assert listener.received(4) == [
        *[("press", "Shift_L"), ("press", "?"), ("release", "?"), ("release", "Shift_L")]
    ]


def test_caps_lock_does_not_change_a_character_and_stays_on(
    desktop: XServer, sink: X11Sink, listener: Listener
) -> None:
    desktop.call("xdotool", "key", "Caps_Lock")
    listener.clear()
    strike(sink, "a")
    strike(sink, "ä")
    assert listener.received(4) == [
        *tap("a")[:1],
        ("release", "A"),
        ("press", "ä"),
        ("release", "Ä"),
    ]
    desktop.call("xdotool", "key", "q")
    assert listener.received(2) == tap("Q")
    desktop.call("xdotool", "key", "Caps_Lock")


@pytest.mark.parametrize(
    ("layout", "keys"),
    [
        ("de", ["z", "y", "ä", "ß", "F13", "plus"]),
        ("ru", ["z", "я", "ё", "F13", "Right"]),
        ("fr", ["z", "a", "é", "7"]),
        ("us,ru", ["z", "я", "F5"]),
        ("gr", ["z", "ω", "ά"]),
        ("th", ["z", "ก"]),
    ],
)
def test_keys_arrive_right_in_other_layouts(
    desktop: XServer, listener: Listener, layout: str, keys: list[str]
) -> None:
    desktop.set_layout(layout)
    with X11Sink(desktop.display) as sink:
        assert sink.check_keys(frozenset(keys)) == {}
        for key in keys:
            listener.clear()
            strike(sink, key)
            pressed = [name for what, name in listener.received(2) if what == "press"]
            assert pressed[-1] == {"plus": "+"}.get(key, key)


def test_a_layout_changed_while_running_is_followed(
    desktop: XServer, sink: X11Sink, listener: Listener
) -> None:
    strike(sink, "z")
    assert listener.received(2) == tap("z")
    for layout in ("de", "ru", "us,ru", "fr"):
        desktop.set_layout(layout)
        listener.clear()
        strike(sink, "z")
        strike(sink, "F13")
        assert listener.received(4) == [*tap("z"), *tap("F13")], layout


def test_a_key_held_over_a_layout_change_is_released(
    desktop: XServer, sink: X11Sink, listener: Listener
) -> None:
    sink.send(KeyDown(0, "z"))
    held = desktop.down()
    desktop.set_layout("de")
    assert wait_until(lambda: desktop.down() == held)
    sink.send(KeyUp(0, "z"))
    assert wait_until(lambda: desktop.down() == set())


def test_check_keys_names_what_the_layout_cannot_send(desktop: XServer, sink: X11Sink) -> None:
    desktop.call("xmodmap", "-e", "remove mod4 = Super_R", "-e", "keysym Super_R = NoSymbol")
    assert sink.check_keys(frozenset({"super_r", "F13", "a", "你"})) == {
        "super_r": "the keyboard layout has no super_r key; choose another"
    }


def test_more_keys_than_there_are_keycodes_to_lend_arrive_one_after_another(
    desktop: XServer, sink: X11Sink, listener: Listener
) -> None:
    count = len(desktop.spare_keycodes()) + 5
    characters = [chr(0x4E00 + place) for place in range(count)]
    for character in characters:
        strike(sink, character)
        assert listener.received(2) == tap(character)


def test_buttons_and_wheel_arrive(sink: X11Sink, listener: Listener) -> None:
    sink.send(ButtonDown(0, "left"))
    sink.send(ButtonUp(0, "left"))
    sink.send(ButtonDown(0, "right"))
    sink.send(ButtonUp(0, "right"))
    sink.send(Scroll(0, dx=1, dy=-2))
    assert listener.received(10) == [
        *tap("left"),
        *tap("right"),
        *tap("wheel right"),
        *tap("wheel up"),
        *tap("wheel up"),
    ]


def test_swapped_buttons_and_a_turned_wheel_mean_what_the_profile_says(
    desktop: XServer, sink: X11Sink, listener: Listener
) -> None:
    desktop.call("xmodmap", "-e", "pointer = 3 2 1 5 4")
    sink.send(ButtonDown(0, "left"))
    sink.send(ButtonUp(0, "left"))
    sink.send(Scroll(0, dx=0.0, dy=1.0))
    assert listener.received(4) == [*tap("left"), *tap("wheel down")]
    desktop.call("xmodmap", "-e", "pointer = default")


def test_fractions_of_a_wheel_step_add_up(sink: X11Sink, listener: Listener) -> None:
    for _ in range(5):
        sink.send(Scroll(0, dx=0.0, dy=0.4))
    assert listener.received(4) == [*tap("wheel down"), *tap("wheel down")]


def test_the_pointer_moves_to_places_and_by_fractions(sink: X11Sink, listener: Listener) -> None:
    sink.send(MoveTo(0, 0.5, 0.5))
    for _ in range(5):
        sink.send(MoveBy(0, 0.5, -1.0))
    sink.send(MoveTo(0, 1.0, 2.0))
    moves = [place for what, place in listener.received(7) if what == "motion"]
    assert moves[0] == (400, 300)
    assert moves[-2] == (402, 295)
    assert moves[-1] == (799, 599)


def test_leaving_the_sink_releases_everything(desktop: XServer, listener: Listener) -> None:
    with X11Sink(desktop.display) as sink:
        sink.send(KeyDown(0, "ctrl"))
        sink.send(KeyDown(0, "A"))
        sink.send(ButtonDown(0, "left"))
        sink.send(KeyDown(0, "F13"))
        assert wait_until(lambda: len(desktop.down()) == 5)
    assert desktop.down() == set()


def test_run_starts_a_program_that_is_not_our_child_to_wait_for(
    sink: X11Sink, tmp_path: Path
) -> None:
    witness = tmp_path / "ran"
    sink.send(Run(0, ("touch", str(witness))))
    assert wait_until(witness.exists)


def test_running_a_missing_program_says_so(sink: X11Sink) -> None:
    with pytest.raises(SinkError, match=r"no program 'no-such-program' on the PATH"):
        sink.send(Run(0, ("no-such-program",)))


def test_the_window_manager_obeys(desktop: XServer, sink: X11Sink) -> None:
    """Window managers ignore XSendEvent; openbox shows the desktop on super+d by its defaults."""

    def shows_desktop() -> bool:
        answer = subprocess.run(
            ["xprop", "-root", "_NET_SHOWING_DESKTOP"],
            env=desktop.env, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return answer.stdout.strip().endswith("= 1")

    assert not shows_desktop()
    strike(sink, "super", "d")
    assert wait_until(shows_desktop)
    strike(sink, "super", "d")
    assert wait_until(lambda: not shows_desktop())


def test_text_while_a_modifier_of_ours_is_held_is_plain(sink: X11Sink, listener: Listener) -> None:
    sink.send(KeyDown(0, "ctrl"))
    listener.clear()
    sink.send(Text(0, "aB"))
    received = listener.received(10)
    assert received[0] == ("release", "Control_L")
    assert received[-1] == ("press", "Control_L")
    assert [name for what, name in received if what == "press"][:-1] == ["a", "Shift_L", "B"]
