"""The display as a layer of a real compositor, which draws without a graphics card."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from gesturectl.config import Display
from gesturectl.display import drawing
from gesturectl.display.drawing import HEIGHT, WIDTH, Look, Picture
from gesturectl.display.layers import LayerScreen
from gesturectl.display.spots import MARGIN
from gesturectl.errors import DesktopError
from gesturectl.sinks.wlroots import WlrootsSink
from gesturectl.types import ButtonDown, ButtonUp, MoveTo
from tests.conftest import require_program
from tests.e2e.screenshots import of_sway, shows_panel
from tests.e2e.wayland import Sway, running_sway
from tests.e2e.wlclient import WaylandListener
from tests.e2e.xserver import wait_until
from tests.shown import BUSY, RESTING, told

pytestmark = pytest.mark.slow

WIDE, HIGH = 800, 600
CORNER = (WIDE - WIDTH - MARGIN, HIGH - HEIGHT - MARGIN)


@pytest.fixture
def sway() -> Iterator[Sway]:
    require_program("sway", "swaymsg", "grim", "setpriv")
    with running_sway() as sway:
        yield sway


@contextmanager
def a_screen(sway: Sway, settings: Display) -> Iterator[LayerScreen]:
    screen = LayerScreen(settings, sway.wayland)
    try:
        yield screen
    finally:
        screen.close()


def shows(screen: LayerScreen, picture: Picture, shown: Callable[[], bool]) -> bool:
    """Have a picture shown, as the loop of a display would, until it is seen."""
    screen.show(picture)

    def turned() -> bool:
        if screen.read():
            screen.show(picture)
        return shown()

    return wait_until(turned)


def test_a_panel_is_seen_over_a_window_that_fills_the_screen_and_lets_clicks_through(
    sway: Sway, tmp_path: Path
) -> None:
    listener = WaylandListener(sway)
    with WlrootsSink(sway.wayland) as sink, a_screen(sway, Display()) as screen:
        listener.wait_for_focus()
        sway.tell("fullscreen enable")
        assert shows(
            screen,
            drawing.panel(Look(), BUSY),
            lambda: shows_panel(of_sway(sway, "HEADLESS-1", tmp_path / "layer.png"), CORNER),
        )
        listener.received()
        place = ((CORNER[0] + WIDTH / 2) / WIDE, (CORNER[1] + HEIGHT / 2) / HIGH)
        for command in (MoveTo(0, *place), ButtonDown(0, "left"), ButtonUp(0, "left")):
            sink.send(command)
        heard = [one for one in listener.received(3) if one[0] != "motion"]
        assert heard == [("press", "left"), ("release", "left")]
    listener.close()


def test_a_ring_stands_where_the_daemon_has_put_the_pointer(sway: Sway, tmp_path: Path) -> None:
    rest = told(pointer=RESTING | {"at": [0.25, 0.5]}).rest
    assert rest is not None
    with a_screen(sway, Display()) as screen:
        assert screen.finds(rest.at)
        assert not screen.finds(None)
        screen.point(drawing.ring(Look(), rest), drawing.hot_spot(Look()), rest.at)

        def ringed() -> bool:
            screen.read()
            picture = of_sway(sway, "HEADLESS-1", tmp_path / "ring.png").astype(int)
            rows, columns = np.nonzero((picture[:, :, 0] > 200) & (picture[:, :, 2] < 160))
            return rows.size > 200 and abs(columns.max() - 230) < 3 and abs(rows.min() - 270) < 3

        assert wait_until(ringed)


def test_on_a_dense_monitor_it_is_drawn_in_the_monitor_s_own_pixels(
    sway: Sway, tmp_path: Path
) -> None:
    settings = Display(place="top-left")
    with a_screen(sway, settings) as screen:
        sway.tell("output HEADLESS-1 scale 2")
        assert wait_until(screen.read)
        assert screen.scale == 2.0
        assert shows(
            screen,
            drawing.panel(Look(settings, screen.scale), BUSY),
            lambda: shows_panel(
                of_sway(sway, "HEADLESS-1", tmp_path / "scale-2.png"), (MARGIN, MARGIN), 2
            ),
        )


def test_it_goes_to_the_monitor_that_is_named_as_soon_as_that_is_there(
    sway: Sway, tmp_path: Path
) -> None:
    settings = Display(place="center", screen="HEADLESS-2")
    picture = drawing.panel(Look(settings), BUSY)
    here, there = ((width - WIDTH) // 2 for width in (WIDE, 640))
    first, second = tmp_path / "first.png", tmp_path / "second.png"

    def on_first() -> bool:
        return shows_panel(of_sway(sway, "HEADLESS-1", first), (here, (HIGH - HEIGHT) // 2))

    with a_screen(sway, settings) as screen:
        assert shows(screen, picture, on_first)
        sway.tell("create_output")
        sway.tell("output HEADLESS-2 mode 640x480")
        at = (there, (480 - HEIGHT) // 2)
        assert shows(screen, picture, lambda: shows_panel(of_sway(sway, "HEADLESS-2", second), at))
        assert not on_first()


def test_a_desktop_that_ends_is_told_of(sway: Sway) -> None:
    screen = LayerScreen(Display(), sway.wayland)
    subprocess.run(["swaymsg", "exit"], env=sway.env, capture_output=True, check=False)
    picture = drawing.panel(Look(), BUSY)

    def ended() -> bool:
        try:
            screen.read()
            screen.show(picture)
        except DesktopError as error:
            assert "nothing is shown any more" in str(error)
            return True
        return False

    assert wait_until(ended)
    screen.close()
