"""The display of a daemon that runs: it shows what acts, follows the settings, and ends with it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from gesturectl.control import transport
from gesturectl.ctl import Caller
from gesturectl.display.drawing import HEIGHT, WIDTH
from gesturectl.display.spots import MARGIN
from tests.conftest import require_program
from tests.controlled import PROFILE
from tests.e2e.process import START_S, finished, gesturectl
from tests.e2e.screenshots import Rgb, of_x11
from tests.e2e.xserver import SIZE_PX, XServer, running_server, wait_until
from tests.lessons import trace_of

pytestmark = pytest.mark.slow

WIDE, HIGH = SIZE_PX
DARK = 60
CORNER = (WIDE - WIDTH - MARGIN, HIGH - HEIGHT - MARGIN)
SETTINGS = "tray: false\ndisplay: {place: %s, contrast: high, motion: reduced}\n"


@pytest.fixture
def x() -> Iterator[XServer]:
    require_program("Xvfb")
    with running_server(window_manager=False) as x:
        yield x


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that outlasts the test."""
    script = ",".join(["fist:800ms", "swipe_left"] * 10)
    return trace_of(script, tmp_path_factory.mktemp("day") / "day.jsonl", fps=15)


def open_at(picture: Rgb, at: tuple[int, int]) -> bool:
    """Whether an open panel in high contrast is there: its white edge, and yellow in it."""
    x, y = at
    edge = picture[y, x + 20 : x + WIDTH - 20].astype(int)
    inside = picture[y + 4 : y + HEIGHT - 4, x + 4 : x + WIDTH - 4].astype(int)
    yellow = (inside[:, :, 0] > 200) & (inside[:, :, 1] > 200) & (inside[:, :, 2] < 80)
    return bool((edge > 200).all() and yellow.sum() > 500 and (inside < DARK).mean() > 0.4)


def test_what_acts_is_seen_where_the_settings_say_and_nothing_is_left_at_the_end(
    x: XServer, day: Path, tmp_path: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    settings = tmp_path / "config" / "gesturectl" / "config.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS % "bottom-right", "utf-8")
    profile = tmp_path / "p.yaml"
    profile.write_text(PROFILE, "utf-8")
    env = x.env | {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_RUNTIME_DIR": str(short_folder),
    }
    arguments = ("run", "--source", f"trace:{day}", "--profile", profile, "--sink", "print")
    with gesturectl(*arguments, env=env) as process:

        def shown(name: str, at: tuple[int, int]) -> bool:
            return wait_until(lambda: open_at(of_x11(x, tmp_path / f"{name}.png"), at), START_S)

        assert shown("running", CORNER)
        settings.write_text(SETTINGS % "top-left", "utf-8")
        assert shown("moved", (MARGIN, MARGIN))

        (companion,) = (
            one for one in psutil.Process(process.pid).children()
            if "gesturectl.companion" in " ".join(one.cmdline())
        )  # fmt: skip
        companion.kill()
        assert wait_until(lambda: not np.any(of_x11(x, tmp_path / "killed.png")))
        assert shown("again", (MARGIN, MARGIN))
        assert process.poll() is None

        process.send_signal(signal.SIGINT)
        code, _, errors = finished(process)
        assert code == 128 + signal.SIGINT, errors
    assert not np.any(of_x11(x, tmp_path / "ended.png"))


def test_a_dry_run_shows_nothing(x: XServer, day: Path, short_folder: Path) -> None:
    env = x.env | {"XDG_RUNTIME_DIR": str(short_folder)}
    folder = short_folder / "gesturectl"
    with gesturectl("run", "--source", f"trace:{day}", "--dry-run", env=env) as process:
        assert wait_until((folder / transport.SOCKET).exists, START_S)
        with Caller(folder) as caller:
            assert wait_until(lambda: caller.ask("status")["frames"] > 5)
        assert not psutil.Process(process.pid).children()
