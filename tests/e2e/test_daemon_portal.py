"""The whole daemon, started as users start it, against a portal: landmarks in, its calls out."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.conftest import require_program
from tests.e2e.process import START_S, finished, gesturectl
from tests.fakeportal import FakePortal
from tests.lessons import trace_of
from tests.sessionbus import running_bus

pytestmark = pytest.mark.slow

PROFILE = """\
version: 1
bindings:
  - {gesture: swipe_left, do: {key: ctrl+Right}}
  - {gesture: swipe_right, do: {text: "Hä"}}
  - {gesture: fist, while: true, do: {key: space}}
"""
RELEASED_WITHIN_S = 1.0
CTRL, RIGHT, SPACE = 29, 106, 57


@pytest.fixture
def portal(short_folder: Path) -> Iterator[FakePortal]:
    require_program("dbus-daemon")
    with running_bus(short_folder) as address, FakePortal(address) as portal:
        yield portal


@pytest.fixture
def env(portal: FakePortal) -> Mapping[str, str]:
    """A desktop whose only way in is the portal."""
    named = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    return named | {
        "DBUS_SESSION_BUS_ADDRESS": portal.address,
        "WAYLAND_DISPLAY": "/nobody/wayland-0",
    }


def options(folder: Path, script: str) -> tuple[str | Path, ...]:
    profile = folder / "test.yaml"
    profile.write_text(PROFILE, "utf-8")
    return ("run", "--source", trace_of(script, folder / "day.jsonl"), "--profile", profile)


def code(number: int) -> list[tuple[str, tuple[int, int]]]:
    return [("KeyboardKeycode", (number, value)) for value in (1, 0)]


def symbol(character: str) -> list[tuple[str, tuple[int, int]]]:
    return [("KeyboardKeysym", (ord(character), value)) for value in (1, 0)]


def test_the_portal_receives_exactly_the_keys_of_the_gestures(
    portal: FakePortal, env: Mapping[str, str], tmp_path: Path
) -> None:
    script = "swipe_left,fist:1.5s,swipe_right,wait:500ms"
    with gesturectl(*options(tmp_path, script), env=env) as process:  # found without a name
        ended, _, said = finished(process, START_S)
    assert ended == 0, said
    down, up = code(CTRL)
    assert portal.heard == [
        *(down, *code(RIGHT), up),
        *code(SPACE),
        *(*symbol("H"), *symbol("ä")),
    ]
    assert portal.let_go == []
    assert portal.dialogs == 1
    assert said.count("the desktop asks whether gesturectl may use keyboard and mouse") == 1


def holds_space(process: subprocess.Popen[str], portal: FakePortal) -> bool:
    portal.wait_for(lambda: bool(portal.down) or process.poll() is not None, START_S)
    return portal.down == {("KeyboardKeycode", SPACE)}


@pytest.mark.parametrize(
    ("number", "ends"),
    [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_key_that_is_held_is_up_within_a_second_of_the_signal(
    portal: FakePortal,
    env: Mapping[str, str],
    tmp_path: Path,
    number: signal.Signals,
    ends: int,
) -> None:
    with gesturectl(*options(tmp_path, "fist:60s"), env=env) as process:
        assert holds_space(process, portal), process.communicate()
        process.send_signal(number)
        assert portal.wait_for(lambda: not portal.down, RELEASED_WITHIN_S)
        assert finished(process)[0] == ends
    killed = number is signal.SIGKILL
    assert portal.let_go == ([("KeyboardKeycode", SPACE)] if killed else [])


def test_a_locked_screen_drops_what_comes_until_the_session_is_back(
    portal: FakePortal, env: Mapping[str, str], tmp_path: Path
) -> None:
    script = ",".join(["fist:1s", "swipe_left"] * 20)
    with gesturectl(*options(tmp_path, script), env=env) as process:
        assert holds_space(process, portal), process.communicate()
        portal.close_sessions()
        assert portal.let_go == [("KeyboardKeycode", SPACE)]
        before = len(portal.heard)
        assert portal.wait_for(lambda: len(portal.heard) > before + 4, START_S)
        process.send_signal(signal.SIGTERM)
        ended, _, said = finished(process)
    assert ended == 0, said
    assert portal.down == set()
    assert portal.dialogs == 1  # the token is enough
    assert said.count("the screen is locked, or somebody stopped it") == 1


def test_who_denies_ends_the_run_with_what_to_do(
    portal: FakePortal, env: Mapping[str, str], tmp_path: Path
) -> None:
    portal.answer = 1
    with gesturectl(*options(tmp_path, "fist:1s"), env=env) as process:
        ended, _, said = finished(process, START_S)
    assert ended == 5
    assert "start gesturectl again and agree in the dialog" in said


def test_ctrl_c_ends_a_run_that_waits_for_the_dialog(
    portal: FakePortal, env: Mapping[str, str], tmp_path: Path
) -> None:
    portal.answer = None
    with gesturectl(*options(tmp_path, "fist:1s"), env=env) as process:
        assert portal.wait_for(lambda: portal.dialogs == 1, START_S)
        process.send_signal(signal.SIGINT)
        ended, _, said = finished(process)
    assert (ended, "Traceback" in said) == (130, False), said
    assert portal.wait_for(lambda: not portal.sessions)


def test_doctor_says_what_works_and_asks_nobody(portal: FakePortal, env: Mapping[str, str]) -> None:
    with gesturectl("doctor", "--json", env=env) as process:
        _, out, _ = finished(process, START_S)
    assert '"portal works in part"' in out
    assert "follows a hand by movements" in out
    assert portal.dialogs == 0
