"""The icon in a real panel: seen in its pixels, clicked with a real mouse, killed for real."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from gesturectl.tray.icons import DRAWINGS
from gesturectl.tray.status import State
from tests.conftest import require_program
from tests.controlled import PROFILE
from tests.e2e.panels import SIZE_PX, XfceDesktop, xfce_desktop
from tests.e2e.process import START_S, finished, gesturectl
from tests.e2e.screenshots import of_x11
from tests.e2e.xserver import wait_until
from tests.lessons import trace_of

pytestmark = pytest.mark.slow

SHOWS_S = 20.0
AT = (SIZE_PX // 2, SIZE_PX // 2)
Daemon = subprocess.Popen[str]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that outlasts every test here."""
    script = ",".join(["fist:800ms", "swipe_left"] * 60)
    return trace_of(script, tmp_path_factory.mktemp("day") / "day.jsonl", fps=15)


@pytest.fixture
def xfce(tmp_path: Path, short_folder: Path) -> Iterator[XfceDesktop]:
    require_program("Xvfb", "openbox", "xdotool", "dbus-daemon", "xfce4-panel")
    with xfce_desktop(tmp_path, short_folder) as desktop:
        yield desktop


@pytest.fixture
def arguments(day: Path, tmp_path: Path) -> tuple[str, ...]:
    profile = tmp_path / "p.yaml"
    profile.write_text(PROFILE, "utf-8")
    return ("run", "-v", "--source", f"trace:{day}", "--profile", str(profile), "--sink", "print")


def seen(desktop: XfceDesktop, state: State, file: Path) -> bool:
    """Whether the panel shows the colour of a state, where the icon is to be."""
    colour = np.array(DRAWINGS[state].colour)
    icon = of_x11(desktop.server, file)[:SIZE_PX, : 2 * SIZE_PX].astype(int)
    return bool(np.sum(np.abs(icon - colour).max(axis=2) < 8) > 20)


def comes_to_be_seen(desktop: XfceDesktop, state: State, file: Path) -> bool:
    return wait_until(lambda: seen(desktop, state, file), SHOWS_S)


def click(desktop: XfceDesktop, x_px: int, y_px: int, button: int = 1) -> None:
    desktop.server.call("xdotool", "mousemove", str(x_px), str(y_px), "click", str(button))


def status(desktop: XfceDesktop) -> dict[str, object]:
    with gesturectl("ctl", "status", "--json", env=desktop.env) as process:
        code, out, err = finished(process, START_S)
    assert code == 0, err
    found: dict[str, object] = json.loads(out)
    return found


def companions(daemon: Daemon) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(daemon.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie, too
            if "gesturectl.companion" in child.cmdline():
                found.append(child)
    return found


def test_the_icon_is_seen_and_a_real_mouse_pauses_by_it_and_by_its_menu(
    xfce: XfceDesktop, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    with xfce.panel(), gesturectl(*arguments, env=xfce.env) as daemon:
        assert comes_to_be_seen(xfce, State.active, tmp_path / "active.png")
        click(xfce, *AT)
        assert comes_to_be_seen(xfce, State.paused, tmp_path / "paused.png")
        assert status(xfce)["paused"] is True
        click(xfce, *AT)
        assert comes_to_be_seen(xfce, State.active, tmp_path / "resumed.png")
        assert status(xfce)["paused"] is False

        click(xfce, *AT, button=3)
        click(xfce, 40, second_row_px(xfce, tmp_path / "menu.png"))  # Pause
        assert comes_to_be_seen(xfce, State.paused, tmp_path / "paused-by-menu.png")

        (companion,) = companions(daemon)
        daemon.send_signal(signal.SIGINT)
        assert finished(daemon)[0] == 130
        assert not companion.is_running()


def second_row_px(desktop: XfceDesktop, file: Path) -> int:
    """Return the middle of the second row of the menu that opens under the panel."""
    height_px = 0

    def opened() -> bool:
        nonlocal height_px
        beside_words = of_x11(desktop.server, file)[SIZE_PX + 4 :, 10].max(axis=1)
        height_px = int(np.argmax(beside_words < 100))  # where the light menu ends
        return bool(beside_words[0] > 200 and height_px > 8 * 20)

    assert wait_until(opened, SHOWS_S), f"no menu opens; see {file}"
    return round(SIZE_PX + 4 + 1.5 * height_px / 11.9)  # eleven rows and three rules


def test_a_companion_that_is_killed_comes_again_and_the_daemon_does_not_care(
    xfce: XfceDesktop, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    with xfce.panel(), gesturectl(*arguments, env=xfce.env) as daemon:
        assert comes_to_be_seen(xfce, State.active, tmp_path / "before.png")
        (first,) = companions(daemon)
        frames = status(xfce)["frames"]
        first.kill()
        assert wait_until(
            lambda: [one.pid for one in companions(daemon)] not in ([], [first.pid]), SHOWS_S
        )
        assert comes_to_be_seen(xfce, State.active, tmp_path / "after.png")
        assert status(xfce)["frames"] > frames  # type: ignore[operator]
        daemon.terminate()
        code, _, err = finished(daemon)
    assert code == 0
    assert "the companion ended with code -9; another comes" in err


def test_a_panel_that_is_restarted_shows_the_icon_again(
    xfce: XfceDesktop, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    with gesturectl(*arguments, env=xfce.env) as daemon:
        for time in ("first", "second"):
            with xfce.panel():
                assert comes_to_be_seen(xfce, State.active, tmp_path / f"{time}.png")
        (companion,) = companions(daemon)
        daemon.terminate()
        assert finished(daemon)[0] == 0
    assert not companion.is_running()


def test_a_daemon_that_is_killed_takes_its_icon_along(
    xfce: XfceDesktop, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    with xfce.panel(), gesturectl(*arguments, env=xfce.env) as daemon:
        assert comes_to_be_seen(xfce, State.active, tmp_path / "before.png")
        (companion,) = companions(daemon)
        os.kill(daemon.pid, signal.SIGKILL)
        daemon.communicate()
        gone, _ = psutil.wait_procs([companion], SHOWS_S)
        assert gone == [companion]
        assert wait_until(lambda: not seen(xfce, State.active, tmp_path / "after.png"), SHOWS_S)


def test_without_any_panel_one_line_says_so(xfce: XfceDesktop, arguments: tuple[str, ...]) -> None:
    with gesturectl(*arguments, env=xfce.env) as daemon:
        assert wait_until(lambda: bool(companions(daemon)), SHOWS_S)
        said = []
        assert daemon.stderr is not None
        for line in daemon.stderr:
            said.append(line)
            if "no panel" in line:
                break
        daemon.terminate()
        code, _, rest = finished(daemon)
    assert code == 0
    told = [line for line in (*said, *rest.splitlines()) if " panel" in line or " tray" in line]
    assert [line.partition(" (yet)")[0] for line in told] == [
        "INFO: no panel of this desktop shows icons"
    ]


NO_DISPLAY = "display: {show: false}\n"


@pytest.mark.parametrize(
    ("option", "settings"),
    [
        (("--no-tray",), NO_DISPLAY),
        ((), "tray: false\n" + NO_DISPLAY),
        (("--dry-run",), ""),
        (("--json",), ""),
    ],
    ids=["--no-tray", "tray: false", "--dry-run", "--json"],
)
def test_where_nothing_is_to_be_shown_no_companion_is_started(
    option: tuple[str, ...],
    settings: str,
    xfce: XfceDesktop,
    arguments: tuple[str, ...],
    tmp_path: Path,
) -> None:
    set_up(tmp_path, settings)
    with gesturectl(*arguments, *option, env=xfce.env) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()  # the first key goes down: all there is has been started
        assert companions(daemon) == []


def test_without_the_tray_a_companion_shows_the_display_alone(
    xfce: XfceDesktop, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    set_up(tmp_path, "tray: false\n")
    with xfce.panel(), gesturectl(*arguments, env=xfce.env) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        (companion,) = companions(daemon)
        assert companion.cmdline()[-1:] == ["display"]


def set_up(folder: Path, settings: str) -> None:
    """Write the user's settings."""
    file = folder / "config" / "gesturectl" / "config.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(settings, "utf-8")


def test_a_profile_that_is_refused_is_seen_until_it_is_mended(
    xfce: XfceDesktop, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    profile = tmp_path / "p.yaml"
    with xfce.panel(), gesturectl(*arguments, env=xfce.env):
        assert comes_to_be_seen(xfce, State.active, tmp_path / "before.png")
        profile.write_text(PROFILE + "  - {gesture: moonwalk, do: {key: a}}\n", "utf-8")
        assert comes_to_be_seen(xfce, State.error, tmp_path / "refused.png")
        profile.write_text(PROFILE + "  - {gesture: victory, do: {key: a}}\n", "utf-8")
        assert comes_to_be_seen(xfce, State.active, tmp_path / "mended.png")
