"""What somebody who teaches sees: a panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io

from rich.console import Console

from gesturectl.teachview import LivePanel, PlainLines, Status, open_screen
from gesturectl.types import Observation
from tests.acting import Performance

SEEN = Performance("open_palm").at(30)[60]


def terminal(out: io.StringIO) -> Console:
    return Console(file=out, force_terminal=True, width=80, color_system=None)


def test_without_a_terminal_there_are_lines_and_no_control_codes() -> None:
    out = io.StringIO()
    with open_screen(Console(file=out, width=40), "teach z · camera 0 [HD]") as screen:
        assert isinstance(screen, PlainLines)
        for count in (3, 3, 2, 1):
            screen.show(SEEN, Status("take 1: get ready", "wait", count, 0, 5))
        screen.show(SEEN, Status("now: make the gesture", "go", None, 0, 5))
        screen.show(SEEN, Status("recording", "plain", None, 0, 5))
        screen.say("take 1: kept; 1.2 s, right hand seen in 98 % of all its frames", "good")
    assert out.getvalue() == (
        "teach z · camera 0 [HD]\n"
        "take 1: get ready (3 s)\n"
        "now: make the gesture\n"
        "take 1: kept; 1.2 s, right hand seen in 98 % of all its frames\n"
    )


def test_a_terminal_shows_the_hand_what_to_do_and_how_many_takes_there_are() -> None:
    out = io.StringIO()
    with open_screen(terminal(out), "teach z") as screen:
        assert isinstance(screen, LivePanel)
        screen.show(SEEN, Status("take 3: get ready", "wait", 2, 2, 5))
        screen.say("take 2: kept")
    shown = out.getvalue()
    for word in ("teach z", "take 3: get ready  2", "sees right hand 97 %", "2 of 5 takes  ● ● ○"):
        assert word in shown
    assert any("\u2800" < letter < "\u28ff" for letter in shown)
    assert "take 2: kept" in shown


def test_a_small_terminal_gets_a_small_picture() -> None:
    out = io.StringIO()
    small = Console(file=out, force_terminal=True, width=30, height=12, color_system=None)
    with LivePanel(small, "teach z") as screen:
        screen.show(SEEN, Status("now", "go", None, 0, 5))
    panel, _, _ = out.getvalue().partition("╰")
    assert "now" in panel
    assert panel.count("\n") < 12


def test_the_bell_rings_when_it_is_time_to_begin_and_not_in_every_frame() -> None:
    out = io.StringIO()
    with LivePanel(terminal(out), "teach z") as screen:
        for t_us in range(0, 400_000, 33_333):
            seen = Observation(t_us, SEEN.hands, (), SEEN.size_px)
            screen.show(seen, Status("now", "go", None, 0, 5))
    assert out.getvalue().count("\a") == 1


def test_time_that_passes_is_a_bar() -> None:
    out = io.StringIO()
    with LivePanel(terminal(out), "background") as screen:
        screen.show(SEEN, Status("as always", "go", None, 30.0, 60.0, in_seconds=True))
    assert "━" in out.getvalue()
