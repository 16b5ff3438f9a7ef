"""The display on X11: seen, over everything, and never in the way of a click."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from gesturectl.config import Display
from gesturectl.display import drawing
from gesturectl.display.drawing import HEIGHT, WIDTH, Look
from gesturectl.display.spots import MARGIN
from gesturectl.display.x11 import RAISES, X11Screen
from gesturectl.errors import DesktopError
from tests.conftest import require_program
from tests.e2e.screenshots import of_x11, shows_panel
from tests.e2e.xserver import SIZE_PX, Listener, XServer, running_server, wait_until
from tests.shown import BUSY, RESTING, told

pytestmark = pytest.mark.slow

LOOK = Look()
WIDE, HIGH = SIZE_PX
CORNER = (WIDE - WIDTH - MARGIN, HIGH - HEIGHT - MARGIN)
MIDDLE = (CORNER[0] + WIDTH // 2, CORNER[1] + HEIGHT // 2)


@pytest.fixture(params=["plain", "composited"])
def x(request: pytest.FixtureRequest) -> Iterator[XServer]:
    """A screen with a window manager, without and with a compositing manager."""
    require_program("Xvfb", "openbox", "xdotool")
    with ExitStack() as stack:
        server = stack.enter_context(running_server())
        if request.param == "composited":
            require_program("xcompmgr")
            stack.enter_context(compositing(server))
        yield server


@contextmanager
def compositing(server: XServer) -> Iterator[None]:
    process = subprocess.Popen(["xcompmgr"], env=server.env, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: composited(server)), "xcompmgr does not come up"
        yield
    finally:
        process.kill()
        process.wait()


def composited(server: XServer) -> bool:
    screen = X11Screen(Display(), server.display)
    try:
        return screen._composited()
    finally:
        screen.close()


@contextmanager
def a_screen(server: XServer, settings: Display = LOOK.settings) -> Iterator[X11Screen]:
    screen = X11Screen(settings, server.display)
    try:
        yield screen
    finally:
        screen.close()


def test_a_panel_is_seen_in_its_corner_and_clicks_reach_what_is_beneath(
    x: XServer, tmp_path: Path
) -> None:
    listener = Listener(x)
    with a_screen(x) as screen:
        screen.show(drawing.panel(LOOK, BUSY))
        assert wait_until(lambda: shows_panel(of_x11(x, tmp_path / "panel.png"), CORNER))
        x.call("xdotool", "mousemove", *map(str, MIDDLE), "click", "1")
        assert [one for one in listener.received(3) if one[0] != "motion"] == [
            ("press", "left"),
            ("release", "left"),
        ]
        screen.show(None)
        assert wait_until(lambda: not shows_panel(of_x11(x, tmp_path / "gone.png"), CORNER))
    listener.close()


def test_a_ring_stands_about_the_pointer_and_clicks_reach_what_is_in_it(
    x: XServer, tmp_path: Path
) -> None:
    listener = Listener(x)
    x.call("xdotool", "mousemove", "300", "200")
    rest = told(pointer=RESTING).rest
    assert rest is not None
    with a_screen(x) as screen:
        screen.point(drawing.ring(LOOK, rest), drawing.hot_spot(LOOK), None)

        def ringed() -> bool:
            picture = of_x11(x, tmp_path / "ring.png").astype(int)
            yellow = (picture[:, :, 0] > 200) & (picture[:, :, 2] < 160)
            rows, columns = np.nonzero(yellow)
            return rows.size > 200 and abs(columns.max() - 330) < 3 and abs(rows.min() - 170) < 3

        assert wait_until(ringed)
        listener.clear()
        x.call("xdotool", "click", "1")
        assert ("press", "left") in listener.received(2)
        assert of_x11(x, tmp_path / "ring.png")[200, 300].tolist() == [255, 255, 255]
    listener.close()


def test_a_window_that_fills_the_screen_does_not_cover_it(x: XServer, tmp_path: Path) -> None:
    require_program("xterm")
    with a_screen(x) as screen:
        screen.show(drawing.panel(LOOK, BUSY))
        terminal = subprocess.Popen(["xterm", "-fullscreen", "-e", "sleep", "600"], env=x.env)
        try:
            find = ["xdotool", "search", "--onlyvisible", "--class", "xterm"]
            assert wait_until(
                lambda: (
                    subprocess.run(find, env=x.env, capture_output=True, check=False).stdout != b""
                )
            )

            def full() -> bool:
                screen.read()
                picture = of_x11(x, tmp_path / "fullscreen.png")
                return bool((picture[300] == 255).all()) and shows_panel(picture, CORNER)

            assert wait_until(full)
        finally:
            terminal.kill()
            terminal.wait()


def test_it_comes_back_over_a_window_that_puts_itself_over_everything(
    x: XServer, tmp_path: Path
) -> None:
    with a_screen(x) as screen:
        screen.show(drawing.panel(LOOK, BUSY))
        assert wait_until(lambda: shows_panel(of_x11(x, tmp_path / "before.png"), CORNER))
        over = Listener(x)
        assert not shows_panel(of_x11(x, tmp_path / "covered.png"), CORNER)

        def back() -> bool:
            screen.read()
            return shows_panel(of_x11(x, tmp_path / "back.png"), CORNER)

        assert wait_until(back)
        over.close()


def test_it_fights_no_other_window_for_the_top_for_ever(x: XServer) -> None:
    with a_screen(x) as screen, a_screen(x) as other:
        for one in (screen, other):
            one.show(drawing.panel(LOOK, BUSY))
        began_s = time.monotonic()
        lifts = 0
        while time.monotonic() - began_s < 1.0:
            for one in (screen, other):
                before = tuple(one._raised_s)
                one.read()
                lifts += tuple(one._raised_s) != before
        assert lifts <= 4 * RAISES


def test_it_stands_on_the_monitor_that_is_named(tmp_path: Path) -> None:
    require_program("Xvfb", "xrandr")
    with running_server(window_manager=False) as x:
        x.call("xrandr", "--setmonitor", "left", "400/100x600/150+0+0", "screen")
        x.call("xrandr", "--setmonitor", "right", "400/100x600/150+400+0", "none")
        for name, place, at in (
            ("left", "top-left", (MARGIN, MARGIN)),
            ("right", "top-left", (400 + MARGIN, MARGIN)),
            ("2", "bottom-right", CORNER),
            ("1", "bottom", ((400 - WIDTH) // 2, CORNER[1])),
        ):
            settings = Display(place=place, screen=name)  # type: ignore[arg-type]
            with a_screen(x, settings) as screen:
                screen.show(drawing.panel(Look(settings), BUSY))
                file = tmp_path / f"{name}.png"
                assert wait_until(lambda: shows_panel(of_x11(x, file), at)), name  # noqa: B023


def test_it_moves_when_the_settings_say_so_and_grows_with_the_session_s_fonts(
    tmp_path: Path,
) -> None:
    require_program("Xvfb", "xrdb")
    with running_server(window_manager=False) as x, a_screen(x) as screen:
        settings = Display(place="top-left")
        screen.arrange(settings)
        screen.show(drawing.panel(Look(settings), BUSY))
        assert wait_until(lambda: shows_panel(of_x11(x, tmp_path / "moved.png"), (MARGIN, MARGIN)))
        subprocess.run(["xrdb", "-merge"], input=b"Xft.dpi: 192\n", env=x.env, check=True)
        assert wait_until(screen.read)
        assert screen.scale == 2.0
        screen.show(drawing.panel(Look(settings, screen.scale), BUSY))
        double = (2 * MARGIN + 150, 2 * MARGIN + 130)  # the row of what acted last
        assert wait_until(lambda: shows_panel(of_x11(x, tmp_path / "double.png"), double))


def test_a_server_that_ends_is_told_of() -> None:
    require_program("Xvfb")
    with running_server(window_manager=False) as x:
        screen = X11Screen(Display(), x.display)
    with pytest.raises(DesktopError, match="is gone"):
        for _ in range(3):
            screen.read()
