"""What the tray shows: its state, its rows, its icons."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesturectl.control import wire
from gesturectl.tray import icons
from gesturectl.tray.chores import CHORES
from gesturectl.tray.menu import MAX_LABEL, Ask, every, rows, toggled
from gesturectl.tray.status import RECENT, Known, State, Status, heard, state_of, status, told
from tests.conftest import ROOT

NAMES = st.lists(st.text(max_size=100), max_size=60).map(tuple)
STATUSES = st.builds(Status, st.sampled_from(State), st.text(), NAMES, st.none() | st.text(), NAMES)


def test_the_users_pause_is_shown_before_all_else() -> None:
    assert state_of(paused=True, pictures=False, problem="!", asleep=True) is State.paused
    assert state_of(paused=False, pictures=False, problem="!", asleep=True) is State.camera_off
    assert state_of(paused=False, pictures=True, problem="!", asleep=True) is State.error
    assert state_of(paused=False, pictures=True, problem=None, asleep=True) is State.asleep
    assert state_of(paused=False, pictures=True, problem=None, asleep=False) is State.active


def test_a_click_on_the_icon_pauses_and_resumes() -> None:
    assert toggled(Status(State.active)) == Ask("pause")
    assert toggled(Status(State.paused)) == Ask("resume")


@given(STATUSES)
def test_every_row_has_its_own_key_and_what_counts_is_chosen(status: Status) -> None:
    found = list(every(rows(status)))
    assert len({row.key for row in found}) == len(found)
    modes = [row.ask for row in found if row.chosen and row.key.startswith("mode/")]
    assert modes == [Ask("mode", status.mode)]


@given(STATUSES)
def test_whatever_a_row_asks_for_somebody_can_do(status: Status) -> None:
    asks = [row.ask for row in every(rows(status)) if row.ask is not None]
    assert {ask.verb for ask in asks} <= {*wire.ASKS, *CHORES}
    assert {ask.verb for ask in asks if ask.verb in wire.ASKS and ask.value} <= {"mode", "profile"}


@given(STATUSES)
def test_rows_are_short_lines(status: Status) -> None:
    for row in every(rows(status)):
        assert len(row.label) <= MAX_LABEL
        assert len(row.label.splitlines()) <= 1


def state_row(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "t_us": 1, "type": "state", "paused": False, "frames": True, "problem": None,
        "profile": "media", "mode": "active",
    }  # fmt: skip
    return row | changes


def gesture_row(name: str, phase: str = "began") -> dict[str, object]:
    return {"t_us": 1, "type": "gesture", "phase": phase, "gesture": name, "side": "right"}


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, State.active, "gesturectl: active · profile media"),
        ({"mode": "sleep"}, State.asleep, "gesturectl: asleep · profile media"),
        ({"mode": "volume"}, State.active, "gesturectl: active · profile media · mode volume"),
        ({"paused": True, "frames": False}, State.paused, "gesturectl: paused · profile media"),
        (
            {"frames": False, "problem": "camera 0 is in use"},
            State.camera_off,
            "gesturectl: camera off · camera 0 is in use",
        ),
        ({"locked": True, "frames": False}, State.paused, "gesturectl: paused · profile media"),
        ({"profile": "/somewhere/a.yaml"}, State.active, "gesturectl: active · profile a.yaml"),
        ({"problem": "it is too dark"}, State.error, "gesturectl: error · it is too dark"),
        (
            {"refused": "the old profile stays: no key `Rihgt`"},
            State.error,
            "gesturectl: error · the old profile stays: no key `Rihgt`",
        ),
    ],
)
def test_what_the_daemon_tells_is_seen_at_a_glance(
    changes: dict[str, object], state: State, words: str
) -> None:
    seen = status(heard(Known(), state_row(**changes)), ())
    assert (seen.state, seen.words) == (state, words)


def test_the_last_gestures_are_known_newest_first() -> None:
    known = told(Known(), {"modes": ["active"], "recent": [{"gesture": "fist", "side": "left"}]})
    for name in ("a", "b", "c", "d", "e"):
        known = heard(heard(known, gesture_row(name)), gesture_row(name, "ended"))
    assert len(known.recent) == RECENT
    assert known.recent[:2] == ("e (right)", "d (right)")
    known = heard(known, {"t_us": 1, "type": "command", "command": "move_to", "x": 0.1, "y": 0.2})
    assert status(known, ()).recent == known.recent


def test_a_row_of_a_kind_that_nobody_knows_yet_changes_nothing() -> None:
    known = Known(profile="media")
    assert heard(known, {"type": "weather"}) is known


@pytest.mark.parametrize("size_px", icons.SIZES_PX)
def test_states_differ_in_form_and_not_only_in_colour(size_px: int) -> None:
    forms = {state: icons.rgba(state, size_px)[:, :, 3] > 127 for state in State}
    for one, other in combinations(State, 2):
        assert np.mean(forms[one] ^ forms[other]) > 0.1, f"{one} looks like {other}"


@pytest.mark.parametrize("state", State)
def test_an_icon_is_drawn_alike_as_pixels_and_as_svg(state: State) -> None:
    assert len(icons.argb(state, 22)) == 22 * 22 * 4
    drawing = icons.DRAWINGS[state]
    drawn = len(ElementTree.fromstring(icons.svg(state)))  # noqa: S314  our own
    assert drawn == 2 * len(drawing.shapes) + len(drawing.marks)


@pytest.mark.parametrize("state", State)
def test_the_page_for_users_shows_the_icons_as_they_are(state: State) -> None:
    file = ROOT / "docs" / "icons" / f"{state.replace(' ', '-')}.svg"
    assert file.read_text("utf-8") == icons.svg(state)
