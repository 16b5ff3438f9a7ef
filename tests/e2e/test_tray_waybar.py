"""The icon in waybar, as people of sway have it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from gesturectl.sinks.wlroots import WlrootsSink
from gesturectl.tray.icons import DRAWINGS
from gesturectl.tray.status import State
from gesturectl.types import ButtonDown, ButtonUp, MoveTo
from tests.conftest import require_program
from tests.controlled import running
from tests.e2e.screenshots import of_sway
from tests.e2e.wayland import Sway, running_sway
from tests.e2e.xserver import wait_until
from tests.sessionbus import running_bus

pytestmark = pytest.mark.slow

SHOWS_S = 30.0
BAR = {"height": 32, "modules-right": ["tray"], "tray": {"icon-size": 24, "spacing": 4}}


@pytest.fixture
def bar(tmp_path: Path) -> Iterator[tuple[Sway, str]]:
    """A sway with a waybar, and the address of their bus."""
    require_program("sway", "swaymsg", "setpriv", "grim", "waybar", "dbus-daemon")
    config, style = tmp_path / "config", tmp_path / "style.css"
    config.write_text(json.dumps(BAR), "utf-8")
    style.write_text("window#waybar { background: #202020; }", "utf-8")
    with running_sway() as sway, running_bus(tmp_path) as address:
        env = sway.env | {
            "HOME": str(tmp_path),
            "DBUS_SESSION_BUS_ADDRESS": address,
            "GDK_BACKEND": "wayland",
            "NO_AT_BRIDGE": "1",
        }
        process = subprocess.Popen(
            ["waybar", "--config", str(config), "--style", str(style)],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=(tmp_path / "waybar.log").open("wb"),
        )
        try:
            yield sway, address
        finally:
            process.terminate()
            process.wait()


def spot(sway: Sway, state: State, file: Path) -> tuple[float, float] | None:
    """Return where the bar at the top shows the colour of a state, in fractions of the screen."""
    colour = np.array(DRAWINGS[state].colour)
    picture = of_sway(sway, "HEADLESS-1", file).astype(int)
    rows, columns = np.nonzero(np.abs(picture[:40] - colour).max(axis=2) < 8)
    if len(rows) < 20:
        return None
    height, width, _ = picture.shape
    return float(columns.mean()) / width, float(rows.mean()) / height


def test_the_icon_is_seen_in_waybar_clicked_and_gone_with_the_run(
    bar: tuple[Sway, str], short_folder: Path, tmp_path: Path
) -> None:
    sway, address = bar
    env = dict(os.environ) | {
        "XDG_RUNTIME_DIR": str(short_folder),
        "DBUS_SESSION_BUS_ADDRESS": address,
    }

    def seen(state: State, file: str) -> tuple[float, float]:
        at: list[tuple[float, float] | None] = [None]

        def shown() -> bool:
            at[0] = spot(sway, state, tmp_path / file)
            return at[0] is not None

        assert wait_until(shown, SHOWS_S), f"no {state} in {tmp_path / file}"
        assert at[0] is not None
        return at[0]

    with running(short_folder / "gesturectl") as run, WlrootsSink(sway.wayland) as mouse:
        process = subprocess.Popen([sys.executable, "-m", "gesturectl.companion", "tray"], env=env)

        def click(at: tuple[float, float], button: Literal["left", "right"]) -> None:
            for command in (MoveTo(0, *at), ButtonDown(0, button), ButtonUp(0, button)):
                mouse.send(command)

        click(seen(State.active, "active.png"), "left")
        assert wait_until(lambda: run.control.paused, SHOWS_S)
        click(seen(State.paused, "paused.png"), "left")
        assert wait_until(lambda: not run.control.paused, SHOWS_S)
        bare = of_sway(sway, "HEADLESS-1", tmp_path / "resumed.png")[40:]
        click(seen(State.active, "resumed.png"), "right")
        assert wait_until(
            lambda: bool(
                np.mean(of_sway(sway, "HEADLESS-1", tmp_path / "menu.png")[40:] != bare) > 0.02
            ),
            SHOWS_S,
        ), f"no menu opens; see {tmp_path / 'menu.png'}"
    process.wait(SHOWS_S)
    assert wait_until(lambda: spot(sway, State.active, tmp_path / "gone.png") is None, SHOWS_S)
