"""What the tray shows: its state, its rows, its icons."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesturectl.tray import icons
from gesturectl.tray.menu import Ask, every, rows, toggled
from gesturectl.tray.status import State, Status, state_of

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
