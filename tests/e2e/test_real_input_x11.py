"""The user's own keyboard and mouse, told apart from what we and other programs inject."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gesturectl.desktop.x11 import X11Desktop
from gesturectl.sinks.x11 import X11Sink
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Command,
    KeyDown,
    KeyUp,
    MoveBy,
    MoveTo,
    Scroll,
    Text,
    UserInput,
)
from tests.conftest import require_program
from tests.e2e.windows import Hand
from tests.e2e.xserver import Listener, XServer, tap, wait_until

pytestmark = pytest.mark.slow

# Keycodes of a PC keyboard.
CTRL, SHIFT, ALT, RIGHT_CTRL, PAUSE, A, P, KEYPAD_7 = 37, 50, 64, 105, 127, 38, 33, 79


@pytest.fixture
def sink(desktop: XServer) -> Iterator[X11Sink]:
    with X11Sink(desktop.display) as sink:
        yield sink


@pytest.fixture
def watch(desktop: XServer, sink: X11Sink) -> Iterator[X11Desktop]:
    """What the daemon has: a desktop that knows of its sink."""
    with X11Desktop(desktop.display, injected=sink.injected) as watch:
        watch.poll(0)
        yield watch


@pytest.fixture
def hand(desktop: XServer) -> Iterator[Hand]:
    hand = Hand(desktop)
    yield hand
    hand.leave()


def used(watch: X11Desktop) -> list[set[str]]:
    """Poll; return the keys that were down at each use."""
    return [set(event.keys) for event in watch.poll(0) if isinstance(event, UserInput)]


# --- the user's hands ----------------------------------------------------------------------------


def test_keys_are_seen_as_they_go_down_and_up(watch: X11Desktop, hand: Hand) -> None:
    hand.press(CTRL, ALT)
    assert used(watch) == [{"ctrl"}, {"ctrl", "alt"}]
    assert used(watch) == []
    hand.press(PAUSE)
    hand.release(PAUSE, ALT, CTRL)
    assert used(watch) == [{"ctrl", "alt", "Pause"}, {"ctrl", "alt"}, {"ctrl"}, set()]


def test_a_chord_shorter_than_a_frame_is_seen_whole(watch: X11Desktop, hand: Hand) -> None:
    hand.press(CTRL, ALT, PAUSE)
    hand.release(PAUSE, ALT, CTRL)
    assert {"ctrl", "alt", "Pause"} in used(watch)


def test_a_key_that_is_held_is_use_when_it_comes_up_as_well(watch: X11Desktop, hand: Hand) -> None:
    hand.press(A)
    assert used(watch) == [{"a"}]
    hand.release(A)
    assert used(watch) == [set()]


def test_the_right_ctrl_is_a_ctrl(watch: X11Desktop, hand: Hand) -> None:
    hand.press(RIGHT_CTRL)
    hand.release(RIGHT_CTRL)
    assert used(watch) == [{"ctrl", "ctrl_r"}, set()]


def test_a_key_of_the_keypad_has_a_name(watch: X11Desktop, hand: Hand) -> None:
    hand.press(KEYPAD_7)
    hand.release(KEYPAD_7)
    assert used(watch) == [{"KP_7"}, set()]


def test_keys_are_named_by_every_layout_that_the_user_can_switch_to(
    desktop: XServer, watch: X11Desktop, hand: Hand
) -> None:
    desktop.set_layout("us,ru")
    hand.press(P)
    hand.release(P)
    assert used(watch) == [{"p", "з"}, set()]
    desktop.set_layout("us")
    hand.press(P)
    hand.release(P)
    assert used(watch) == [{"p"}, set()]


def test_input_is_seen_whatever_window_has_the_focus_or_grabs_the_keyboard(
    watch: X11Desktop, hand: Hand, listener: Listener
) -> None:
    core = listener._connection.core
    root = listener._connection.get_setup().roots[0].root
    assert core.GrabKeyboard(False, root, 0, 1, 1).reply().status == 0
    hand.press(PAUSE)
    hand.release(PAUSE)
    assert used(watch) == [{"Pause"}, set()]


def test_clicks_are_use(watch: X11Desktop, hand: Hand, listener: Listener) -> None:
    hand.click()
    hand.click(3)
    assert used(watch) == [set()]
    assert listener.received(4) == [*tap("left"), *tap("right")]


def test_a_mouse_that_is_moved_is_use_and_one_that_trembles_is_not(
    watch: X11Desktop, hand: Hand
) -> None:
    for _ in range(20):
        hand.move(1, -1)
        hand.move(-1, 1)
    assert used(watch) == []
    for _ in range(5):
        hand.move(6, 2)
    assert used(watch) == [set()]


# --- what others and we ourselves inject ---------------------------------------------------------


def test_nothing_that_our_sink_sends_is_taken_for_the_user_s(
    watch: X11Desktop, sink: X11Sink, listener: Listener
) -> None:
    commands: tuple[Command, ...] = (
        *(KeyDown(0, "ctrl"), KeyDown(0, "Right"), KeyUp(0, "Right"), KeyUp(0, "ctrl")),
        *(KeyDown(0, "A"), KeyUp(0, "A"), Text(0, "Grüße, 你"), KeyDown(0, "F13"), KeyUp(0, "F13")),
        *(ButtonDown(0, "left"), MoveBy(0, 90, 40), ButtonUp(0, "left"), MoveTo(0, 0.5, 0.5)),
        *(Scroll(0, 1, -3), ButtonDown(0, "right"), ButtonUp(0, "right")),
    )
    seen: list[set[str]] = []
    for command in commands:
        sink.send(command)
        seen += used(watch)
    assert ("release", "right") in listener.received()  # it has all gone through the server
    assert seen + used(watch) == []


def test_our_key_that_repeats_is_still_ours(
    watch: X11Desktop, sink: X11Sink, listener: Listener
) -> None:
    sink.send(KeyDown(0, "a"))
    presses = 0

    def repeats() -> bool:
        nonlocal presses
        presses += listener.received().count(("press", "a"))
        return presses >= 3

    assert wait_until(repeats)
    sink.send(KeyUp(0, "a"))
    listener.received(1)
    assert used(watch) == []


def test_the_user_s_key_is_seen_while_we_hold_the_same_one(
    watch: X11Desktop, sink: X11Sink, hand: Hand
) -> None:
    sink.send(KeyDown(0, "ctrl"))
    hand.press(CTRL)
    sink.send(KeyUp(0, "ctrl"))
    assert used(watch) == [{"ctrl"}]
    hand.release(CTRL)
    assert used(watch) == [set()]


def test_keys_and_clicks_of_other_programs_are_the_user_s(
    desktop: XServer, watch: X11Desktop, listener: Listener
) -> None:
    require_program("xdotool")
    desktop.call("xdotool", "key", "ctrl+Pause")
    seen = used(watch)
    assert {"ctrl", "Pause"} in seen
    assert seen[-1] == set()
    desktop.call("xdotool", "click", "1")
    assert used(watch) == [set()]


def test_movement_by_other_programs_is_not_the_user_s(desktop: XServer, watch: X11Desktop) -> None:
    require_program("xdotool")
    desktop.call("xdotool", "mousemove_relative", "100", "50")
    assert used(watch) == []


def test_without_knowledge_of_the_sink_only_devices_count(desktop: XServer, hand: Hand) -> None:
    require_program("xdotool")
    with X11Desktop(desktop.display) as watch:
        watch.poll(0)
        desktop.call("xdotool", "key", "ctrl+Pause", "click", "1")
        assert used(watch) == []
        hand.press(PAUSE)
        hand.release(PAUSE)
        assert used(watch) == [{"Pause"}, set()]


def test_what_the_guardian_lets_go_of_is_not_the_user_s(desktop: XServer) -> None:
    with (
        X11Sink(desktop.display, heartbeat_s=0.2) as sink,
        X11Desktop(desktop.display, injected=sink.injected) as watch,
    ):
        watch.poll(0)
        sink.send(KeyDown(0, "ctrl"))
        sink.beat()
        assert wait_until(lambda: desktop.down() == set()), "the guardian sleeps"
        assert used(watch) == []
