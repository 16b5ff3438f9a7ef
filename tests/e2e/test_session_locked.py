"""A screen that is locked, a machine that sleeps: told by fake services on buses of the test's own,
to the real watcher, and to the real daemon with a real X server."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gesturectl import doctor
from gesturectl.desktop.session import SAVERS, Session
from tests.conftest import require_program
from tests.controlled import Talk
from tests.e2e.buses import Logind, Saver, Service
from tests.e2e.process import START_S, finished, gesturectl
from tests.e2e.xserver import Listener, XServer, wait_until
from tests.lessons import trace_of
from tests.sessionbus import running_bus

PROFILE = """\
version: 1
bindings:
  - {gesture: fist, while: true, do: {key: space}}
"""


@pytest.fixture
def system(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    require_program("dbus-daemon")
    with running_bus(short_folder, "system") as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address


@pytest.fixture
def session_bus(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    require_program("dbus-daemon")
    with running_bus(short_folder, "session") as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


def comes(condition: Callable[[], bool]) -> bool:
    return wait_until(condition, 5.0)


# --- the watcher --------------------------------------------------------------------------------


def test_what_a_locker_tells_logind_is_known(system: str) -> None:
    with Logind(system) as logind, Session() as session:
        assert session.settle(10.0)
        assert not session.locked
        logind.hint(locked=True)
        assert comes(lambda: session.locked)
        logind.hint(locked=False)
        assert comes(lambda: not session.locked)
        logind.ask("Lock")
        assert comes(lambda: session.locked)
        logind.ask("Unlock")
        assert comes(lambda: not session.locked)


def test_a_screen_that_is_locked_before_the_start_is_known_at_once(system: str) -> None:
    with Logind(system, locked=True), Session() as session:
        assert session.settle(10.0)
        assert session.locked


def test_nobody_but_logind_is_believed_on_the_system_bus(system: str) -> None:
    with Logind(system) as logind, Service(system) as other, Session() as session:
        assert session.settle(10.0)
        logind.hint(locked=True)
        assert comes(lambda: session.locked)
        Logind.ask(other, "Unlock")  # type: ignore[arg-type]
        Logind.sleep(other, begins=True)  # type: ignore[arg-type]
        logind.sleep(begins=False)  # comes after what the other has said
        assert comes(lambda: session.wakes == 1)
        assert session.locked
        assert not session.asleep


@pytest.mark.parametrize("name", SAVERS)
def test_the_screen_saver_of_each_desktop_is_heard(session_bus: str, name: str) -> None:
    with Saver(session_bus, name) as saver, Session() as session:
        assert session.settle(10.0)
        assert not session.locked
        saver.cover(active=True)
        assert comes(lambda: session.locked)
        saver.cover(active=False)
        assert comes(lambda: not session.locked)


def test_a_screen_saver_that_is_on_before_the_start_or_comes_up_later_is_asked(
    session_bus: str,
) -> None:
    with Session() as session:
        assert session.settle(10.0)
        with Saver(session_bus, "org.gnome.ScreenSaver", active=True):
            assert comes(lambda: session.locked)
            with Session() as later:
                assert later.settle(10.0)
                assert later.locked
        assert comes(lambda: not session.locked)  # it has died, and covers nothing


def test_a_bus_that_comes_later_and_one_that_restarts_are_found(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_program("dbus-daemon")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={short_folder / 'system'}")
    with Session() as session:
        assert session.settle(10.0)
        with running_bus(short_folder, "system") as address, Logind(address, locked=True):
            assert comes(lambda: session.locked)
        (short_folder / "system").unlink(missing_ok=True)
        assert session.locked  # nobody has said that it is unlocked
        with running_bus(short_folder, "system") as address, Logind(address):
            assert wait_until(lambda: not session.locked, 10.0)


def test_the_machine_waits_until_everything_is_let_go(system: str) -> None:
    with Logind(system) as logind, Session() as session:
        assert session.settle(10.0)
        assert comes(lambda: logind.delayed)
        logind.sleep(begins=True)
        assert comes(lambda: session.asleep)
        assert logind.delayed
        session.rested()
        assert comes(lambda: not logind.delayed)
        logind.sleep(begins=False)
        assert comes(lambda: session.wakes == 1 and not session.asleep)
        assert comes(lambda: logind.delayed)


def test_doctor_says_who_tells_of_locks(
    system: str, session_bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SWAYSOCK", raising=False)
    (nobody,) = doctor._locks()
    assert (nobody.verdict, nobody.found) == ("warn", "nobody tells when it is locked")
    with Logind(system), Saver(session_bus, "org.gnome.ScreenSaver"):
        (both,) = doctor._locks()
        assert (both.verdict, both.found) == ("ok", "told by logind, org.gnome.ScreenSaver")
        monkeypatch.setenv("SWAYSOCK", "/run/sway.sock")
        (sway,) = doctor._locks()
        assert (sway.verdict, "docs/service.md" in sway.advice) == ("warn", True)


def test_without_any_bus_nothing_is_locked_and_nobody_waits() -> None:
    with Session() as session:
        assert session.settle(10.0)
        assert not session.locked


# --- the daemon -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fists, for longer than any test here; a second each, and a second in between."""
    script = ",".join(["fist:1s", "wait:400ms"] * 60)
    return trace_of(script, tmp_path_factory.mktemp("day") / "day.jsonl", fps=15)


class Daemon:
    """A run in the X server, and a line to it."""

    def __init__(self, process: subprocess.Popen[str], desktop: XServer, talk: Talk) -> None:
        self.process, self.desktop, self.talk = process, desktop, talk

    def status(self) -> dict[str, Any]:
        return self.talk.ask(ask="status")

    def holds(self) -> bool:
        return bool(self.desktop.down())

    def acts(self) -> bool:
        """Whether a key goes down before long."""
        return wait_until(self.holds, 6.0)

    def frames_pass(self, count: int = 45) -> None:
        """Wait until so many frames more were looked at: three fists at 15 a second."""
        start = self.status()["frames"]
        assert wait_until(lambda: self.status()["frames"] >= start + count, 20.0)


@pytest.fixture
def daemon(
    desktop: XServer, day: Path, tmp_path: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Daemon]]:
    """Start the daemon once the test has its services."""
    desktop.call("xset", "r", "off")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    profile = tmp_path / "p.yaml"
    profile.write_text(PROFILE, "utf-8")
    words = ("run", "--source", f"trace:{day}", "--profile", profile, "--sink", "x11")
    running: list[Any] = []

    def start() -> Daemon:
        context = gesturectl(*words, env=desktop.env)
        process = context.__enter__()
        running.append(context)

        def up() -> bool:
            return (short_folder / "gesturectl/control.sock").exists()

        assert wait_until(lambda: up() or process.poll() is not None, START_S)
        assert process.poll() is None, process.communicate()
        return Daemon(process, desktop, Talk(short_folder / "gesturectl"))

    yield start
    for context in running:
        context.__exit__(None, None, None)
    assert wait_until(lambda: not desktop.down())
    desktop.call("xset", "r", "on")


@pytest.mark.slow
def test_while_the_screen_is_locked_no_key_arrives_and_what_was_held_is_up(
    system: str, daemon: Callable[[], Daemon], listener: Listener
) -> None:
    with Logind(system) as logind:
        run = daemon()
        assert run.acts()
        logind.hint(locked=True)
        assert wait_until(lambda: not run.holds(), 1.0)
        assert wait_until(lambda: run.status()["locked"])
        assert run.status()["paused"] is False
        listener.clear()
        refused = run.talk.ask(ask="do", action="{key: Right}")
        assert (refused["ok"], "screen is locked" in refused["error"]) == (False, True)
        assert not wait_until(run.holds, 3.0)  # two fists go by
        assert listener.received() == []
        logind.hint(locked=False)
        assert run.acts()
        assert run.status()["locked"] is False


@pytest.mark.slow
def test_unlocking_ends_what_the_lock_has_paused_and_not_what_the_user_has(
    session_bus: str, daemon: Callable[[], Daemon]
) -> None:
    with Saver(session_bus, "org.gnome.ScreenSaver") as saver:
        run = daemon()
        assert run.acts()
        run.talk.ask(ask="pause")
        saver.cover(active=True)
        assert wait_until(lambda: run.status()["locked"])
        saver.cover(active=False)
        assert wait_until(lambda: not run.status()["locked"])
        assert run.status()["paused"] is True
        assert not wait_until(run.holds, 3.0)
        run.talk.ask(ask="resume")
        assert run.acts()


@pytest.mark.slow
def test_a_daemon_that_starts_behind_a_locked_screen_waits_and_says_so(
    system: str, daemon: Callable[[], Daemon]
) -> None:
    with Logind(system, locked=True) as logind:
        run = daemon()
        assert wait_until(lambda: run.status()["locked"])
        assert not wait_until(run.holds, 3.0)
        assert run.talk.ask(ask="resume")["locked"] is True
        logind.ask("Unlock")
        assert run.acts()
        run.process.terminate()
        code, _, said = finished(run.process)
        assert code == 0
        assert "the screen is locked: no gesture acts" in said
        assert "somebody is there again: gestures act" in said


@pytest.mark.slow
def test_keys_are_up_before_the_machine_sleeps_and_gestures_work_when_it_wakes(
    system: str, daemon: Callable[[], Daemon]
) -> None:
    with Logind(system) as logind:
        run = daemon()
        assert run.acts()
        assert logind.delayed
        logind.sleep(begins=True)
        assert wait_until(lambda: not logind.delayed, 1.0)
        assert not run.holds()
        assert not wait_until(run.holds, 3.0)
        logind.sleep(begins=False)
        assert run.acts()
        assert wait_until(lambda: logind.delayed)
        assert run.status()["locked"] is False
