"""What the menu does beside the run: terminals, folders and notifications."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gesturectl import __version__
from gesturectl.tray import chores, terminal
from tests.conftest import require_program
from tests.controlled import Running, running
from tests.e2e.bus import TIMEOUT_S, notification_service
from tests.e2e.process import START_S
from tests.e2e.xserver import wait_until
from tests.sessionbus import running_bus

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="terminals of Linux")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH; a display is named, which nobody uses."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("DISPLAY", ":4321")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return folder


def program(folder: Path, name: str, does: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{does}\n", "utf-8")
    (folder / name).chmod(0o755)


def test_the_first_terminal_that_comes_up_runs_the_command(programs: Path) -> None:
    note = programs / "note"
    program(programs, "x-terminal-emulator", "exit 1")
    program(programs, "foot", "exit 0")  # needs Wayland, so it is not asked
    program(programs, "xterm", f'printf "%s\\n" "$@" > {note}.new; /bin/mv {note}.new {note}')
    assert terminal.open_with("privacy")
    assert wait_until(note.exists)
    words = note.read_text().split()
    assert words == ["-e", sys.executable, "-P", "-m", "gesturectl.tray.terminal", "privacy"]


def test_without_a_terminal_a_notification_says_what_to_type(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    require_program("dbus-daemon")
    with running_bus(tmp_path) as address, notification_service(address) as shown:
        monkeypatch.setenv("PATH", str(programs))
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        chores.CHORES["teach"]()
        assert shown.get(timeout=TIMEOUT_S)["summary"] == (
            "Type in a terminal: gesturectl teach NAME"
        )


def test_about_and_a_folder_that_nothing_opens_are_notifications(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", os.defpath)
    with running_bus(tmp_path) as address, notification_service(address) as shown:
        monkeypatch.setenv("PATH", str(programs))
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        chores.CHORES["about"]()
        assert f"gesturectl {__version__}:" in shown.get(timeout=TIMEOUT_S)["summary"]
        chores.CHORES["folder"]()
        folder = tmp_path / "config" / "gesturectl"
        assert shown.get(timeout=TIMEOUT_S)["summary"] == f"The configuration is in {folder}"


def test_the_folder_is_made_and_opened(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    program(programs, "xdg-open", f'printf "%s" "$1" > {programs / "note"}')
    chores.CHORES["folder"]()
    folder = Path((programs / "note").read_text())
    assert (folder / "profiles").is_dir()


def test_without_any_desktop_what_would_be_said_is_logged(
    programs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chores.CHORES["about"]()
    assert __version__ in caplog.text


# --- inside the terminal ------------------------------------------------------------------------


def inside(what: str, types: str) -> tuple[int, str]:
    """Run what a terminal runs, for somebody who types; return its exit code and all it said."""
    done = subprocess.run(
        [sys.executable, "-m", "gesturectl.tray.terminal", what],
        input=types,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=START_S,
        check=False,
    )
    return done.returncode, done.stdout


def test_privacy_is_shown_until_enter_is_pressed() -> None:
    code, said = inside("privacy", "\n")
    assert code == 0
    assert "Press Enter to close this window" in said
    assert "consent" in said


def test_a_lesson_without_a_name_is_none() -> None:
    assert inside("teach", "\n") == (0, terminal.TASKS["teach"].asks)


def test_a_window_that_is_closed_halfway_ends_it() -> None:
    assert inside("teach", "")[0] == 130


@pytest.fixture
def run(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    with running(short_folder / "gesturectl") as run:
        yield run


def paused_during(run: Running, what: str, types: str) -> list[bool]:
    """Return how the daemon's pause changes while something runs in a terminal."""
    heard: list[bool] = []
    with run.talk() as follower:
        follower.ask(ask="events", follow=True)
        inside(what, types)
        follower.say({"ask": "hello"})  # answered behind all that has happened
        while (row := follower.hear())["type"] != "answer":
            if row["type"] == "state":
                heard.append(row["paused"])
    return [now for now, before in zip(heard, [False, *heard], strict=False) if now != before]


def test_the_gesturectl_that_runs_is_paused_for_a_lesson(run: Running) -> None:
    assert paused_during(run, "teach", "Not A Name\n\n") == [True, False]


def test_a_pause_of_the_users_own_outlasts_a_lesson(run: Running) -> None:
    run.control.paused = True
    inside("teach", "Not A Name\n\n")
    assert run.control.paused
