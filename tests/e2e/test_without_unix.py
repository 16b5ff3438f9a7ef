"""gesturectl where Python has nothing that Unix alone has; pipes stand in for Windows' own."""

from __future__ import annotations

import json
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen

import pytest

from tests.controlled import PROFILE
from tests.e2e.process import START_S, finished, gesturectl
from tests.lessons import trace_of

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("withoutunix.py")


class Without:
    """Starts gesturectl so; all that are started find each other by a folder."""

    def __init__(self, folder: Path) -> None:
        self.command = (sys.executable, str(SCRIPT), str(folder))
        self.env = dict(os.environ) | {"PYTHONPATH": str(ROOT)}

    def start(self, *arguments: str | Path) -> AbstractContextManager[Popen[str]]:
        return gesturectl(*arguments, env=self.env, command=self.command)

    def says(self, *arguments: str | Path) -> tuple[int, str, str]:
        with self.start(*arguments) as process:
            return finished(process, START_S)


@pytest.fixture
def without(short_folder: Path) -> Without:
    return Without(short_folder)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--help"], "Usage: gesturectl"),
        (["check", "slides"], "slides: ok"),
        (["list", "gestures"], "swipe_left"),
        (["list", "profiles"], "slides"),
        (["list", "sinks"], "sink x11 is for linux, and this is win32"),
        (["list", "cameras"], "there are no cameras"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_needs_no_desktop_works(without: Without, arguments: list[str], said: str) -> None:
    code, out, err = without.says(*arguments)
    assert (code, err) == (0, "")
    assert said in out


@pytest.mark.parametrize("sink", ["x11", "wlroots", "portal", "uinput"])
def test_a_sink_of_unix_says_so(without: Without, sink: str) -> None:
    run = ("run", "--source", "puppet:fist", "--profile", "slides", "--no-tray", "--sink", sink)
    assert without.says(*run)[1:] == ("", f"error: sink {sink} is for linux, and this is win32\n")


def test_what_is_ready_is_told(without: Without) -> None:
    _, out, err = without.says("doctor")
    assert "Traceback" not in err
    assert "sink" in out


def test_a_profile_is_played(without: Without, tmp_path: Path) -> None:
    profile = tmp_path / "p.yaml"
    profile.write_text(PROFILE, "utf-8")
    code, out, err = without.says("simulate", profile, "swipe_left")
    assert (code, err) == (0, "")
    assert "Right" in out


def test_a_daemon_is_controlled_through_a_pipe(without: Without, tmp_path: Path) -> None:
    day = trace_of(",".join(["fist:800ms", "swipe_left"] * 30), tmp_path / "day.jsonl", fps=15)
    profile = tmp_path / "p.yaml"
    profile.write_text(PROFILE, "utf-8")
    assert without.says("ctl", "status")[2].startswith("error: no gesturectl is running")
    run = ("run", "--source", f"trace:{day}", "--profile", profile, "--sink", "print", "--no-tray")
    with without.start(*run) as daemon:
        assert daemon.stdout is not None
        assert json.loads(daemon.stdout.readline())["command"] == "key_down"
        assert without.says("ctl", "pause")[:2] == (
            0,
            "paused: nothing is held, and gestures do nothing\n",
        )
        status = json.loads(without.says("ctl", "status", "--json")[1])
        assert (status["pid"], status["paused"], status["held"]) == (daemon.pid, True, [])
        code, _, err = without.says(*run)
        assert (code, f"pid {daemon.pid}" in err) == (6, True)
        assert without.says("ctl", "quit")[:2] == (0, f"gesturectl (pid {daemon.pid}) has ended\n")
        code, _, err = finished(daemon, START_S)
        assert code == 0
        assert "Traceback" not in err
