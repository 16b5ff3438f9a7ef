"""Whatever comes, in whatever order: when the loop is over, nothing is held."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from gesturectl import daemon, profile
from gesturectl.daemon import Control
from gesturectl.engine import Engine
from gesturectl.errors import ProfileError
from gesturectl.ledger import Ledger
from gesturectl.sinks.memory import MemorySink
from gesturectl.types import ButtonDown, ButtonUp, KeyDown, KeyUp
from tests.fakes import Happening, ListSource, ScriptedRecogniser, seen

PROFILE = """\
version: 1
bindings:
  - {gesture: fist, while: true, do: {key: ctrl+shift+a}}
  - {gesture: victory, while: true, do: {button: left}}
  - {gesture: three, repeat: {every: 100ms}, do: {key: Down}}
  - {gesture: open_palm, hold_for: 200ms, do: {media: play_pause}}
  - {gesture: swipe_left, do: {key: Right}}
"""

WORDS = ("fist", "victory", "three", "open_palm", "swipe_left")
NAMES = st.sampled_from([f"{sign}{word}" for sign in "+-" for word in WORDS])
SCRIPTS = st.dictionaries(
    st.integers(0, 40),
    st.lists(NAMES, max_size=4).map(" ".join) | st.just(ZeroDivisionError("a bug")),
)
HAPPENINGS = st.lists(
    st.sampled_from(["frame", "frame", "frame", "stall", "pause", "resume", "reload", "stop"]),
    max_size=40,
)


@given(SCRIPTS, HAPPENINGS, st.sampled_from(["sound", "unsound"]))
def test_nothing_is_held_after_any_run(
    script: dict[int, str | Exception], words: list[str], next_profile: str
) -> None:
    control = Control()

    def an_engine() -> Engine:
        return Engine(ScriptedRecogniser(script), profile.parse(PROFILE, "p.yaml"))  # type: ignore[arg-type]

    def reload(name: str | None) -> tuple[None, Engine]:
        if next_profile == "unsound":
            raise ProfileError("p.yaml:1:1: not a profile")
        return None, an_engine()

    def happening(index: int, word: str) -> Happening:
        match word:
            case "frame":
                return seen(index * 33_333)
            case "stall":
                return None
            case "resume":
                return lambda: setattr(control, "paused", False)
            case _:
                name = "paused" if word == "pause" else word
                return lambda: setattr(control, name, True)

    sink, ledger = MemorySink(), Ledger()
    source = ListSource([happening(index, word) for index, word in enumerate(words)])
    with contextlib.suppress(ZeroDivisionError):
        daemon.run(source, None, an_engine(), sink, ledger, control=control, reload=reload)

    held: set[object] = set()
    for command in sink.sent:
        match command:
            case KeyDown(key=name) | ButtonDown(button=name):
                held.add(name)
            case KeyUp(key=name) | ButtonUp(button=name):
                held.remove(name)
    assert not held
    assert not ledger.held
    assert [command.t_us for command in sink.sent] == sorted(command.t_us for command in sink.sent)
