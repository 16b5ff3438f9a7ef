"""What a person sees: a panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io

from rich.console import Console

from gesturectl.daemon import Meters
from gesturectl.engine import Step
from gesturectl.recogniser import Candidate
from gesturectl.types import Began, Ended, KeyDown, KeyUp, Run
from gesturectl.view import LiveView, PlainView, describe, open_view

SWIPE = Step(
    events=(
        Began(2_500_000, "swipe_left", "right", 0.934),
        Ended(2_500_000, "swipe_left", "right", 0.9),
    ),
    commands=(KeyDown(2_500_000, "Right"), KeyUp(2_500_000, "Right")),
    candidates=(Candidate("right", "swipe_left", 0.934, 0.8, True),),
)
NOTHING = Step((), (), ())


def meters() -> Meters:
    meters = Meters()
    meters.stamps_us.extend((0, 50_000))
    meters.note("landmarks", 12.5)
    return meters


def test_without_a_terminal_there_are_lines_and_no_control_codes() -> None:
    out = io.StringIO()
    with open_view(Console(file=out, width=60), "camera 0 [HD] · slides → x11") as view:
        view.show(1_000_000, NOTHING, meters())
        view.show(2_500_000, SWIPE, meters())
    assert isinstance(view, PlainView)
    assert out.getvalue() == (
        "camera 0 [HD] · slides → x11\n"
        "   1.50 s  swipe_left (right, 0.93)\n"
        "   1.50 s    → key_down Right\n"
        "   1.50 s    → key_up Right\n"
    )


def test_a_terminal_shows_gesture_confidence_command_rate_and_latency() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=90, color_system=None)
    with open_view(console, "camera 0 [HD] · slides → x11") as view:
        view.show(1_000_000, NOTHING, meters())
        view.show(2_500_000, SWIPE, meters())
    assert isinstance(view, LiveView)
    for words in (
        "camera 0 [HD] · slides → x11",
        "swipe_left",
        "━━━━━━━━",
        "0.93 ●",
        "1.5 s  swipe_left (right)  →  key_down Right, key_up Right",
        "20.0 fps  landmarks 12.5 ms",
    ):
        assert words in out.getvalue()


def test_a_terminal_is_redrawn_at_most_ten_times_a_second() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=90, color_system=None)
    with open_view(console, "camera 0") as view:
        for index in range(30):
            view.show(1_000_000 + index * 33_333, NOTHING, meters())
    assert 5 <= out.getvalue().count("20.0 fps") <= 11


def test_commands_are_said_in_a_few_words() -> None:
    assert describe(KeyDown(1, "Right")) == "key_down Right"
    assert describe(Run(1, ("notify-send", "hi"))) == "run notify-send hi"
