"""The shipped profile `desktop`: a hand clicks, drags and scrolls a real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require_program
from tests.e2e.films import Film, filmed
from tests.e2e.process import START_S, finished, gesturectl
from tests.e2e.programs import Program
from tests.e2e.xserver import XServer, tap, wait_until

pytestmark = pytest.mark.slow

INSIDE = (60, 50)
TITLE_BAR = (60, -8)  # above the inside of a window
RELEASED_WITHIN_S = 2.0


@pytest.fixture
def program(desktop: XServer) -> Iterator[Program]:
    require_program("xdotool")
    with Program(desktop) as program:
        yield program


@pytest.fixture
def window(desktop: XServer, program: Program) -> int:
    """A window in the middle of the desktop, with a title bar."""
    window = program.open("Drawing", "a drawing")
    desktop.call("xdotool", "windowmove", "--sync", str(window), "300", "250")
    program.bring_to_front(window)
    return window


def awake() -> Film:
    """A hand that has woken the profile and begins to point."""
    return Film().show("open_palm", 1.3).show("point_up", 0.6)


def show(desktop: XServer, tmp_path: Path, film: Film) -> None:
    source = filmed(tmp_path / "film.jsonl", film.frames())
    arguments = ("run", "--source", source, "--profile", "desktop", "--sink", "x11")
    with gesturectl(*arguments, env=desktop.env) as process:
        code, _, said = finished(process, START_S)
    assert code == 0, said


def point_at(program: Program, window: int, offset: tuple[int, int]) -> None:
    x_px, y_px = program.place(window)
    program.put_pointer(x_px + offset[0], y_px + offset[1])


def test_two_pinches_are_two_clicks_where_the_pointer_is(
    desktop: XServer, program: Program, window: int, tmp_path: Path
) -> None:
    point_at(program, window, INSIDE)
    film = awake().show("pinch", 0.3).show("point_up", 0.5).show("pinch", 0.3).show("point_up", 0.5)
    show(desktop, tmp_path, film)
    assert wait_until(lambda: len(program.received(window)) >= 4)
    assert program.received(window) == [*tap("left"), *tap("left")]


def test_a_pinch_on_the_title_bar_takes_the_window_along(
    desktop: XServer, program: Program, window: int, tmp_path: Path
) -> None:
    point_at(program, window, TITLE_BAR)
    before = program.place(window)
    film = awake().show("pinch", 0.4).show("pinch", 0.8, (0.6, 0.5)).show("rest", 0.5)
    show(desktop, tmp_path, film)
    dx_px, dy_px = (b - a for a, b in zip(before, program.place(window), strict=True))
    assert dx_px > 50
    assert abs(dy_px) < dx_px / 4
    assert desktop.down() == set()


def test_three_fingers_turn_the_wheel_and_the_page_goes_with_the_hand(
    desktop: XServer, program: Program, window: int, tmp_path: Path
) -> None:
    point_at(program, window, INSIDE)
    show(desktop, tmp_path, awake().show("three", 0.6).show("three", 0.8, (0.5, 0.35)))
    assert wait_until(lambda: len(program.received(window)) >= 8)
    assert set(program.received(window)) == set(tap("wheel down"))


def test_pointing_moves_the_pointer_and_presses_nothing(
    desktop: XServer, program: Program, window: int, tmp_path: Path
) -> None:
    program.put_pointer(100, 300)
    show(desktop, tmp_path, awake().show("point_up", 0.8, (0.6, 0.5)))
    assert program.pointer()[0] > 150
    assert program.received(window) == []


def test_asleep_the_hand_is_no_mouse(
    desktop: XServer, program: Program, window: int, tmp_path: Path
) -> None:
    point_at(program, window, INSIDE)
    film = Film().show("point_up", 1.0).show("pinch", 0.4).show("pinch", 0.6, (0.6, 0.5))
    show(desktop, tmp_path, film.show("rest", 0.4))
    assert program.received(window) == []


@pytest.mark.parametrize("keys", ["a", "ctrl+alt+Pause"])
def test_real_keys_let_go_of_what_a_pinch_drags(
    desktop: XServer, program: Program, window: int, tmp_path: Path, keys: str
) -> None:
    """Takeback and panic: the button is up at once, though the fingers still touch."""
    point_at(program, window, INSIDE)
    source = filmed(tmp_path / "film.jsonl", awake().show("pinch", 60.0).frames())
    arguments = ("run", "--source", source, "--profile", "desktop", "--sink", "x11")
    with gesturectl(*arguments, env=desktop.env) as process:
        assert wait_until(lambda: ("button", 1) in desktop.down(), START_S), finished(process)
        desktop.call("xdotool", "key", keys)
        assert wait_until(lambda: not desktop.down(), RELEASED_WITHIN_S)
        assert process.poll() is None
