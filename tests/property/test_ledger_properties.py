"""Whatever is pressed and released, in whatever order, `release` leaves nothing held."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gesturectl.ledger import Ledger
from gesturectl.sinks.memory import MemorySink
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Command,
    KeyDown,
    KeyUp,
    MoveBy,
    Run,
    Scroll,
    Text,
)

KEYS = st.sampled_from(["a", "A", "ctrl", "shift", "Right", "F5"])
BUTTONS = st.sampled_from(["left", "middle", "right"])

COMMANDS: st.SearchStrategy[list[Command]] = st.lists(
    st.one_of(
        st.builds(KeyDown, st.just(0), KEYS),
        st.builds(KeyUp, st.just(0), KEYS),
        st.builds(ButtonDown, st.just(0), BUTTONS),
        st.builds(ButtonUp, st.just(0), BUTTONS),
        st.just(MoveBy(0, 1.0, 1.0)),
        st.just(Scroll(0, 0.0, 1.0)),
        st.just(Text(0, "ä")),
        st.just(Run(0, ("true",))),
    )
)


def down_after(commands: list[Command]) -> set[tuple[str, str]]:
    """What a keyboard and a mouse hold after these commands: an independent model of the ledger."""
    held: set[tuple[str, str]] = set()
    for command in commands:
        match command:
            case KeyDown():
                held.add(("key", command.key))
            case KeyUp():
                held.discard(("key", command.key))
            case ButtonDown():
                held.add(("button", command.button))
            case ButtonUp():
                held.discard(("button", command.button))
    return held


@given(COMMANDS)
def test_after_release_nothing_is_held(commands: list[Command]) -> None:
    ledger = Ledger()
    for command in commands:
        ledger.note(command)
    released = ledger.release(1)
    assert down_after([*commands, *released]) == set()
    assert ledger.held == ()
    assert ledger.release(2) == ()


@given(COMMANDS)
def test_exactly_what_is_held_is_released_and_once(commands: list[Command]) -> None:
    ledger = Ledger()
    for command in commands:
        ledger.note(command)
    assert len(ledger.release(1)) == len(down_after(commands))


@given(COMMANDS)
def test_what_passes_the_ledger_alternates_press_and_release(commands: list[Command]) -> None:
    ledger = Ledger()
    passed = [command for command in commands if ledger.note(command)]
    assert down_after(passed) == down_after(commands)
    for name in ("a", "A", "ctrl", "shift", "Right", "F5"):
        strokes = [type(c) for c in passed if isinstance(c, KeyDown | KeyUp) and c.key == name]
        assert strokes == [KeyDown, KeyUp] * (len(strokes) // 2) + [KeyDown] * (len(strokes) % 2)


@given(COMMANDS)
def test_a_sink_that_is_left_holds_nothing(commands: list[Command]) -> None:
    with MemorySink() as sink:
        for command in commands:
            sink.send(command)
    assert down_after(sink.sent) == set()
