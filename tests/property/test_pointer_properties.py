"""Whatever is seen and asked for: every press has its release, and nothing leaps."""

from __future__ import annotations

from math import hypot, isfinite

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gesturectl import pointer
from gesturectl.aiming import FASTEST
from gesturectl.ledger import Ledger
from gesturectl.pointer import FARTHEST_PX, Settings, State
from gesturectl.types import (
    Body,
    ButtonDown,
    ButtonUp,
    Command,
    Hand,
    MoveBy,
    MoveTo,
    Observation,
    Point,
    Scroll,
)
from tests.pointing import SIZE_PX, hand, head

SETTINGS = [
    Settings(),
    Settings(drag_lock=True, dwell_us=200_000),
    Settings(by="head", dwell_us=100_000, dwell_radius_px=5),
    Settings(by="index", reach="absolute", monitor=(0.5, 0.0, 1.0, 1.0)),
    Settings(reach="absolute", around="shoulder", dwell_us=300_000),
    Settings(rewind_us=0, slop=0, speed=10, pinch=False),
]
FINGERS = [None, None, None, "index", "middle", "ring"]
SIDES = ["left", "right"]
places = st.floats(-4, 4)


@st.composite
def hands(draw: st.DrawFn) -> Hand:
    """A hand somewhere, sometimes pinched, sometimes with points that cannot be."""
    one = hand(
        draw(places), draw(places), draw(st.sampled_from(FINGERS)), draw(st.sampled_from(SIDES))
    )
    broken = draw(st.sampled_from([None, None, None, None, np.nan, np.inf, 0.0, 1e30]))
    if broken is not None:
        one.image[draw(st.integers(0, 20))] = broken
    if draw(st.booleans()) and draw(st.booleans()):
        one.image[:] = one.image[0]
    return one


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    """A body, sometimes hardly visible, sometimes without any width."""
    one = head(draw(places), draw(places), draw(st.floats(0, 0.5)))
    one.image[:, 3] = draw(st.sampled_from([1.0, 1.0, 0.1]))
    return one


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[Observation, tuple[Point, ...]]]:
    """Frames in the order of time, with requests that may end without a beginning."""
    t_us, found = 0, []
    for _ in range(draw(st.integers(1, 40))):
        t_us += draw(st.sampled_from([1_000, 16_667, 33_333, 33_333, 66_667, 150_000, 900_000]))
        whats = st.sampled_from(["move", "move", "precise", "scroll", "choose"])
        requests = tuple(
            Point(t_us, draw(whats), draw(st.sampled_from([*SIDES, "body"])), draw(st.booleans()))
            for _ in range(draw(st.sampled_from([0, 0, 1, 2])))
        )
        seen = tuple(draw(hands()) for _ in range(draw(st.integers(0, 2))))
        someone = (draw(bodies()),) if draw(st.booleans()) else ()
        found.append((Observation(t_us, seen, someone, SIZE_PX), requests))
    return found


def sane(command: Command, settings: Settings, dt_us: int) -> bool:
    """Whether a command is one that a person might make."""
    match command:
        case MoveBy(dx_px=dx, dy_px=dy):
            most = max(settings.slow_gain, settings.fast_gain) * settings.speed
            return hypot(dx, dy) <= most * FASTEST * dt_us / 1e6 + FARTHEST_PX + 1e-6
        case MoveTo(x=x, y=y):
            left, top, right, bottom = settings.monitor
            return left <= x <= right and top <= y <= bottom
        case Scroll(dx=dx, dy=dy):
            return isfinite(dx) and isfinite(dy)
        case ButtonDown() | ButtonUp():
            return True
        case _:
            return False


@given(st.sampled_from(SETTINGS), streams(), st.booleans())
def test_every_press_has_its_release_and_no_step_is_longer_than_a_hand_can_make(
    settings: Settings, stream: list[tuple[Observation, tuple[Point, ...]]], lost: bool
) -> None:
    state, ledger, then_us = State(), Ledger(), 0
    for observation, requests in stream:
        state, commands = pointer.step(settings, state, observation, requests)
        dt_us = observation.t_us - then_us
        assert all(sane(one, settings, dt_us + pointer.LOST_US) for one in commands)
        assert all(one.t_us == observation.t_us for one in commands)
        for one in commands:
            pressing = isinstance(one, ButtonDown | ButtonUp)
            assert ledger.note(one) or not pressing, "pressed twice, or released what is free"
        assert ledger.held == (() if state.buttons.held is None else (state.buttons.held,))
        shown = pointer.shown(settings, state, observation.t_us)
        assert 0 <= shown.dwell <= 1
        then_us = observation.t_us
    if lost:
        for _ in range(3):
            then_us += 100_000
            state, commands = pointer.step(settings, state, Observation(then_us, (), (), SIZE_PX))
            for one in commands:
                ledger.note(one)
    else:
        state, commands = pointer.release(state, then_us)
        for one in commands:
            ledger.note(one)
        assert state == State()
    assert ledger.held == ()
