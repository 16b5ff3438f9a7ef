"""The service under a real user manager of systemd: started, watched, reloaded, ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Bundles
from tests.e2e.process import COMMAND, START_S
from tests.e2e.usermanager import UserManager, running_manager
from tests.e2e.xserver import XServer, running_server, wait_until
from tests.lessons import trace_of

pytestmark = pytest.mark.slow

UNIT = "gesturectl.service"
PROFILE = """\
version: 1
bindings:
  - {gesture: fist, while: true, do: {key: space}}
"""
HASTE = "[Service]\nWatchdogSec=2\nTimeoutStopSec=2\nRestartSec=200ms\n"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    script = ",".join(["fist:3s", "wait:400ms"] * 40)
    return trace_of(script, tmp_path_factory.mktemp("day") / "day.jsonl", fps=15)


@pytest.fixture
def home(tmp_path: Path, day: Path) -> Path:
    """A home whose settings name a recording, a profile and the X server."""
    folder = tmp_path / "home"
    settings = folder / ".config/gesturectl"
    settings.mkdir(parents=True)
    (settings / "p.yaml").write_text(PROFILE, "utf-8")
    set_source(folder, f"trace:{day}")
    return folder


def set_source(home: Path, source: str, *more: str) -> None:
    settings = home / ".config/gesturectl"
    lines = (f"source: {source}", f"profile: {settings / 'p.yaml'}", "sink: x11", *more)
    (settings / "config.yaml").write_text("\n".join(lines) + "\n", "utf-8")


def environment(home: Path, display: str) -> dict[str, str]:
    """What a login gives to the manager."""
    env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return env | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "DISPLAY": display,
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def manager(desktop: XServer, home: Path, short_folder: Path) -> Iterator[UserManager]:
    """A manager in the session of the X server."""
    desktop.call("xset", "r", "off")
    with running_manager(short_folder, environment(home, desktop.display)) as manager:
        assert manager.run("systemctl", "--user", "start", "session.target").returncode == 0
        yield manager
    assert wait_until(lambda: not desktop.down())
    desktop.call("xset", "r", "on")


def gesturectl(manager: UserManager, *words: str) -> subprocess.CompletedProcess[str]:
    return manager.run(*COMMAND, *words)


def make_haste(home: Path) -> None:
    """Let the watchdog bark after two seconds, for the tests' sake."""
    folder = home / ".config/systemd/user" / f"{UNIT}.d"
    folder.mkdir(parents=True)
    (folder / "haste.conf").write_text(HASTE)


def installed(manager: UserManager) -> None:
    done = gesturectl(manager, "service", "install", "--now")
    assert done.returncode == 0, done.stderr + manager.ctl("status", UNIT)


def acts(desktop: XServer) -> bool:
    return wait_until(lambda: bool(desktop.down()), START_S)


def main_pid(manager: UserManager) -> int:
    return int(manager.shows(UNIT, "MainPID")[0])


def test_it_is_installed_runs_tells_how_it_fares_and_is_removed(
    manager: UserManager, desktop: XServer, home: Path
) -> None:
    assert gesturectl(manager, "service", "status").returncode == 1
    installed(manager)
    assert acts(desktop)
    assert manager.shows(UNIT, "ActiveState", "Type", "StatusText") == (
        "active", "notify", "watching, mode active",
    )  # fmt: skip
    pid = main_pid(manager)
    installed(manager)  # once more changes nothing
    assert main_pid(manager) == pid
    done = gesturectl(manager, "service", "status")
    assert done.returncode == 0
    assert "starts at login; active (running): watching, mode active" in done.stdout
    paused = gesturectl(manager, "ctl", "pause")
    assert paused.returncode == 0, paused.stderr
    assert wait_until(lambda: manager.shows(UNIT, "StatusText") == ("paused",))
    assert gesturectl(manager, "service", "remove").returncode == 0
    assert manager.shows(UNIT, "ActiveState", "LoadState") == ("inactive", "not-found")
    assert not list((home / ".config/systemd/user").rglob("gesturectl*"))
    assert gesturectl(manager, "service", "remove").stdout == "nothing was installed\n"


def test_a_daemon_that_hangs_is_started_anew_and_its_keys_are_up(
    manager: UserManager, desktop: XServer, home: Path
) -> None:
    make_haste(home)
    installed(manager)
    assert acts(desktop)
    pid = main_pid(manager)
    os.kill(pid, signal.SIGSTOP)
    assert wait_until(lambda: not desktop.down(), 10.0)
    assert wait_until(lambda: main_pid(manager) not in (0, pid), 20.0)
    assert manager.shows(UNIT, "NRestarts") == ("1",)
    assert acts(desktop)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_daemon_that_dies_is_started_anew_and_its_keys_are_up(
    manager: UserManager, desktop: XServer, home: Path, number: signal.Signals
) -> None:
    make_haste(home)
    installed(manager)
    assert acts(desktop)
    pid = main_pid(manager)
    os.kill(pid, number)
    assert wait_until(lambda: not desktop.down(), 1.0)
    assert wait_until(lambda: main_pid(manager) not in (0, pid), 20.0)
    assert acts(desktop)


def test_a_reload_reads_the_profile_anew(
    manager: UserManager, desktop: XServer, home: Path
) -> None:
    installed(manager)
    assert acts(desktop)
    before = desktop.down()
    pid = main_pid(manager)
    profile = home / ".config/gesturectl/p.yaml"
    profile.write_text(PROFILE.replace("space", "b"), "utf-8")
    assert manager.run("systemctl", "--user", "reload", UNIT).returncode == 0
    assert wait_until(lambda: bool(desktop.down()) and desktop.down() != before, 10.0)
    assert main_pid(manager) == pid
    assert manager.shows(UNIT, "ActiveState") == ("active",)


def test_logging_out_ends_it_with_nothing_held(manager: UserManager, desktop: XServer) -> None:
    installed(manager)
    assert acts(desktop)
    manager.ctl("stop", "session.target")
    assert wait_until(lambda: manager.shows(UNIT, "ActiveState") == ("inactive",), 10.0)
    assert manager.shows(UNIT, "Result") == ("success",)
    assert not desktop.down()
    manager.ctl("start", "session.target")  # the next login
    assert acts(desktop)


def test_a_profile_with_problems_is_said_and_not_tried_again(
    manager: UserManager, home: Path
) -> None:
    (home / ".config/gesturectl/p.yaml").write_text("version: 1\nbindings: 3\n")
    done = gesturectl(manager, "service", "install", "--now")
    assert done.returncode == 2
    assert "installed, but does not start" in done.stderr
    assert wait_until(lambda: manager.shows(UNIT, "ActiveState") == ("failed",), 10.0)
    assert manager.shows(UNIT, "NRestarts", "ExecMainStatus") == ("0", "2")


def test_what_a_gesture_starts_is_no_part_of_the_service_and_outlives_it(
    manager: UserManager, home: Path, day: Path
) -> None:
    set_source(home, f"trace:{day}", "allow_run: true")
    starts = "bindings:\n  - {gesture: fist, cooldown: 10s, do: {run: [sleep, '321']}}\n"
    (home / ".config/gesturectl/p.yaml").write_text(f"version: 1\n{starts}", "utf-8")
    installed(manager)

    def apart() -> str:
        """The name of the unit that sleeps."""
        said = manager.ctl("list-units", "--plain", "--no-legend", "--type=service")
        return next((row.split()[0] for row in said.splitlines() if "sleep 321" in row), "")

    assert wait_until(lambda: bool(apart()), START_S), manager.ctl("status", UNIT)
    unit = apart()
    assert manager.shows(unit, "NoNewPrivileges") == ("no",)
    manager.ctl("stop", UNIT)
    assert manager.shows(UNIT, "ActiveState") == ("inactive",)
    assert manager.shows(unit, "ActiveState") == ("active",)
    manager.ctl("stop", unit)


def test_hardened_as_it_is_it_sees_gestures_in_pictures(
    manager: UserManager, desktop: XServer, home: Path, bundles: Bundles
) -> None:
    set_source(home, "puppet:fist:60s", f"hand_model: {bundles.hand}")
    installed(manager)
    assert acts(desktop)


def test_a_display_that_restarts_is_found_again(home: Path, short_folder: Path) -> None:
    make_haste(home)
    with running_server(window_manager=False) as first:
        display = first.display
        with running_manager(short_folder, environment(home, display)) as manager:
            manager.ctl("start", "session.target")
            installed(manager)
            assert acts(first)
            pid = main_pid(manager)
            first.stop()
            assert wait_until(lambda: main_pid(manager) != pid, 10.0)
            assert wait_until(lambda: int(manager.shows(UNIT, "NRestarts")[0]) > 1, 20.0)
            assert wait_until(lambda: manager.shows(UNIT, "ExecMainStatus") == ("5",), 10.0)
            with running_server(number=display, window_manager=False) as second:
                assert acts(second)
                manager.ctl("stop", UNIT)
