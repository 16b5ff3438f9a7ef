"""A daemon that runs, and `gesturectl ctl` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gesturectl.control import transport
from tests.controlled import PROFILE, Talk
from tests.e2e.process import START_S, finished, gesturectl
from tests.lessons import trace_of

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="control needs Unix sockets")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that outlasts every test here."""
    script = ",".join(["fist:800ms", "swipe_left"] * 30)
    return trace_of(script, tmp_path_factory.mktemp("day") / "day.jsonl", fps=15)


@pytest.fixture
def arguments(day: Path, tmp_path: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, ...]:  # fmt: skip
    """How the daemon is started; its socket lies in a folder of the test."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    profile = tmp_path / "p.yaml"
    profile.write_text(PROFILE, "utf-8")
    return ("run", "--source", f"trace:{day}", "--profile", str(profile), "--sink", "print")


Daemon = subprocess.Popen[str]


@pytest.fixture
def daemon(arguments: tuple[str, ...]) -> Iterator[Daemon]:
    """A daemon that sends keys: to its stdout."""
    with gesturectl(*arguments) as process:
        wait_for_key_down(process)
        yield process


def wait_for_key_down(process: Daemon) -> None:
    """Return when the first fist is shown, and space is down."""
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["command"] == "key_down"


def ctl(*arguments: str) -> tuple[int, str, str]:
    with gesturectl("ctl", *arguments) as process:
        return finished(process, START_S)


def rows(text: str) -> list[tuple[str, str]]:
    return [(row["command"], row["key"]) for row in map(json.loads, text.splitlines())]


def test_a_daemon_is_looked_at_paused_and_ended(daemon: Daemon) -> None:
    code, out, err = ctl("pause")
    assert (code, out) == (0, "paused: nothing is held, and gestures do nothing\n"), err
    status = json.loads(ctl("status", "--json")[1])
    assert (status["pid"], status["paused"], status["held"]) == (daemon.pid, True, [])
    code, out, _ = ctl("status")
    assert code == 0
    assert f"pid {daemon.pid}" in out
    assert "paused, mode active of active, sleep, volume" in out
    assert "recognised" in out
    assert "ms (median / 95 % within)" in out
    code, out, _ = ctl("quit")
    assert (code, out) == (0, f"gesturectl (pid {daemon.pid}) has ended\n")
    out, err = daemon.communicate(timeout=START_S)
    assert daemon.returncode == 0, err
    assert rows(out) == [("key_up", "space")]


def test_actions_modes_and_panic(daemon: Daemon) -> None:
    assert ctl("panic")[1] == "everything is let go, and gestures sleep\n"
    assert ctl("do", "{key: Left}")[0] == 0
    assert ctl("mode", "volume")[1] == "in mode volume\n"
    code, _, err = ctl("mode", "volum")
    assert (code, "did you mean `volume`" in err) == (6, True)
    code, _, err = ctl("do", "{run: [ls]}")
    assert (code, "allow_run" in err) == (6, True)
    assert ctl("quit")[0] == 0
    out, _ = daemon.communicate(timeout=START_S)
    assert rows(out) == [("key_up", "space"), ("key_down", "Left"), ("key_up", "Left")]


def test_whoever_follows_hears_all_until_the_daemon_ends(daemon: Daemon) -> None:
    with gesturectl("ctl", "events", "--follow") as follower:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["type"] == "state"
        assert ctl("mode", "volume")[0] == 0
        assert ctl("quit")[0] == 0
        code, out, err = finished(follower, START_S)
    assert code == 0, err
    kinds = [json.loads(line)["type"] for line in out.splitlines()]
    assert {"mode", "state"} <= set(kinds)


def test_whoever_follows_may_stop_by_ctrl_c(daemon: Daemon) -> None:
    with gesturectl("ctl", "events", "--follow") as follower:
        assert follower.stdout is not None
        follower.stdout.readline()
        follower.send_signal(signal.SIGINT)
        assert finished(follower, START_S)[0] == 130


def test_a_second_run_says_who_runs_and_what_to_do(
    daemon: Daemon, arguments: tuple[str, ...]
) -> None:
    with gesturectl(*arguments) as second:
        code, out, err = finished(second, START_S)
    assert (code, out) == (6, "")
    assert f"gesturectl (pid {daemon.pid}) is running already" in err
    assert "gesturectl ctl quit" in err


def test_a_run_that_sends_nothing_goes_on_beside_the_daemon(
    daemon: Daemon, arguments: tuple[str, ...]
) -> None:
    with gesturectl(*arguments[:-2], "--dry-run") as second:
        wait_for_key_down(second)
        assert json.loads(ctl("status", "--json")[1])["pid"] == daemon.pid


def test_after_a_daemon_was_killed_the_next_one_takes_its_place(
    daemon: Daemon, arguments: tuple[str, ...], short_folder: Path
) -> None:
    daemon.kill()
    daemon.wait(START_S)
    assert (short_folder / "gesturectl" / transport.SOCKET).exists()
    code, _, err = ctl("status")
    assert (code, "no gesturectl is running" in err) == (6, True)
    with gesturectl(*arguments) as second:
        wait_for_key_down(second)
        assert json.loads(ctl("status", "--json")[1])["pid"] == second.pid


def test_a_daemon_that_is_shouted_at_goes_on(daemon: Daemon, short_folder: Path) -> None:
    with Talk(short_folder / "gesturectl") as loud:
        loud.line.setblocking(False)
        try:
            for _ in range(1000):
                loud.line.send(b"garbage\n" * 100 + b'{"ask": "status"}\n' * 100)
        except BlockingIOError:
            pass
        assert ctl("panic")[0] == 0
        assert ctl("quit")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["status"], 6, "start one with `gesturectl run`"),
        (["mode"], 2, "gesturectl ctl mode active"),
        (["do"], 2, "{key: Right}"),
        (["pause", "now"], 2, "takes nothing more"),
        (["status", "--follow"], 2, "belongs to `events`"),
        (["paus"], 2, "'pause'"),
    ],
)
def test_without_a_daemon_and_with_wrong_words_it_says_what_to_do(
    words: list[str], code: int, says: str
) -> None:
    found, out, err = ctl(*words)
    assert (found, out) == (code, "")
    assert says in err
