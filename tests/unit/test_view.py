"""What a person sees: a panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from gesturectl.daemon import Meters
from gesturectl.engine import InControl, Step
from gesturectl.recogniser import Candidate
from gesturectl.types import Began, Controls, Ended, KeyDown, KeyUp, Observation, Run
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


def in_control(person: int | None) -> InControl:
    return InControl(person, None, 2, Observation(0, (), (), (640, 480)))


def test_who_controls_is_said_as_it_changes_and_shown_all_the_time() -> None:
    out, terminal = io.StringIO(), io.StringIO()
    change = replace(NOTHING, requests=(Controls(2_000_000, 2),), control=in_control(2))
    with open_view(Console(file=out, width=80), "camera") as view:
        view.show(1_000_000, NOTHING, meters())
        view.show(2_000_000, change, meters())
    assert out.getvalue().splitlines()[-1] == "   1.00 s  person 2 controls"
    console = Console(file=terminal, force_terminal=True, width=80)
    with LiveView(console, "camera") as live:
        live.show(1_000_000, replace(NOTHING, control=in_control(None)), meters())
        live.show(2_000_000, replace(NOTHING, control=in_control(2)), meters())
    assert "nobody of 2 controls" in terminal.getvalue()
    assert "person 2 of 2 controls" in terminal.getvalue()


def test_advice_is_said_once_and_shown_as_long_as_it_holds() -> None:
    out, terminal = io.StringIO(), io.StringIO()
    advised = meters()
    advised.advice = "too dark: 9 fps; more light"
    with open_view(Console(file=out, width=80), "camera") as view:
        for t_us, figures in ((1, meters()), (1_000_001, advised), (2_000_001, advised)):
            view.show(t_us, NOTHING, figures)
    assert out.getvalue().splitlines() == ["camera", "   1.00 s  too dark: 9 fps; more light"]
    with LiveView(Console(file=terminal, force_terminal=True, width=80), "camera") as live:
        live.show(1_000_000, NOTHING, advised)
    assert "too dark: 9 fps; more light" in terminal.getvalue()
