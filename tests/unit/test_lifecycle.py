"""What goes on around a run, in the loop itself: locks, pauses, sleep, and what systemd is told."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from gesturectl import daemon
from gesturectl.daemon import Control
from gesturectl.desktop.session import Session
from gesturectl.errors import ProfileError
from gesturectl.lifecycle import Life, in_turn
from gesturectl.systemd import Manager
from gesturectl.types import KeyDown, KeyUp, UserInput, Window
from tests.controlled import PROFILE, Counter, a_rig, sent
from tests.fakes import Happening, ListSource, frames

PANIC = PROFILE + "safety: {panic: {keys: ctrl+alt+Pause}}\n"


class Camera(ListSource):
    """A list that can be opened anew."""

    renewed = 0

    def renew(self) -> None:
        self.renewed += 1


@pytest.fixture
def line(short_folder: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(short_folder / "notify"))
        line.setblocking(False)
        yield line


class Told:
    """A run with a session that says what the test wants. It is not entered: nothing listens."""

    def __init__(self, script: dict[int, str], manager: Manager | None = None) -> None:
        self.source, self.session, self.control = Camera([]), Session(), Control()
        self.rig = a_rig(self.source, script, PANIC)
        self.counter = Counter(self.rig)
        self.life = Life(self.session, manager or Manager())

    def lock(self) -> None:
        self.session._hinted = True

    def unlock(self) -> None:
        self.session._hinted = False

    def sleep(self) -> None:
        self.session.asleep = True

    def wake(self) -> None:
        self.session.asleep = False
        self.session.wakes += 1

    def plays(self, *happenings: Happening, outside: object = None) -> None:
        self.source.add(happenings)
        daemon.run(
            self.source, None, self.rig.engine, self.rig.sink, self.rig.ledger,
            control=self.control, between=in_turn(self.life.between, self.counter.desk.between),
            outside=outside,
        )  # type: ignore[call-overload]  # fmt: skip

    @property
    def keys(self) -> list[tuple[str, int]]:
        """What went down and up, by the number of the frame."""
        return [
            ("down" if isinstance(one, KeyDown) else "up", round(one.t_us / 33_333))
            for one in sent(self.rig)
            if isinstance(one, KeyDown | KeyUp)
        ]


def test_a_lock_lets_go_at_once_and_what_is_shown_meanwhile_is_forgotten() -> None:
    run = Told({1: "+fist", 6: "-fist +fist", 12: "+fist"})
    run.plays(*frames(4), run.lock, *frames(6, 4), run.unlock, *frames(6, 10))
    assert run.keys == [("down", 1), ("up", 4), ("down", 12), ("up", 15)]
    assert not run.control.locked


def test_unlocking_does_not_end_a_pause() -> None:
    run = Told({1: "+fist", 8: "-fist +fist"})
    pause, resume = run.counter.ask("pause"), run.counter.ask("resume")
    run.plays(*frames(3), pause, *frames(1, 3), run.lock, *frames(1, 4), run.unlock,
              *frames(5, 5), resume, *frames(1, 10))  # fmt: skip
    assert run.keys == [("down", 1), ("up", 3)]
    assert run.counter.news == []
    assert run.control.paused is False


def test_resume_behind_a_lock_is_taken_and_says_so() -> None:
    run = Told({5: "+fist"})
    run.plays(*frames(1), run.lock, run.counter.ask("resume"), *frames(8, 1))
    assert run.counter.answers == [{"locked": True}]
    assert run.keys == []


def test_nothing_is_done_for_others_behind_a_lock() -> None:
    run = Told({})
    run.lock()
    do = ("do", "{key: Right}")
    run.plays(*frames(1), run.counter.ask(*do), *frames(2, 1))
    (answer,) = run.counter.answers
    assert "the screen is locked" in str(answer)
    assert run.keys == []


def test_the_source_is_taken_anew_once_after_each_sleep() -> None:
    run = Told({1: "+fist"})
    run.plays(*frames(3), run.sleep, *frames(2, 3), run.wake, *frames(3, 5))
    assert run.keys == [("down", 1), ("up", 3)]
    assert run.source.renewed == 1


@pytest.mark.parametrize("how", ["paused", "locked", "without pictures"])
def test_panic_is_heard_while_nothing_counts_and_other_keys_are_not(how: str) -> None:
    run = Told({12: "+fist"})
    pressed: list[UserInput | Window] = []

    def outside(t_us: int) -> tuple[UserInput | Window, ...]:
        found, pressed[:] = tuple(pressed), []
        return found

    def use(*keys: str) -> None:
        pressed.append(UserInput(0, frozenset(keys)))

    modes: list[str] = []
    if how == "paused":
        run.control.paused = True
    elif how == "locked":
        run.lock()
    rest: list[Happening] = [None] if how == "without pictures" else [*frames(1, 1)]
    run.plays(
        *frames(1), lambda: use("a"), *rest, lambda: modes.append(run.rig.engine.mode),
        lambda: use("ctrl", "alt", "Pause"), *rest, lambda: modes.append(run.rig.engine.mode),
        outside=outside,
    )  # fmt: skip
    assert modes == ["active", "sleep"]


def test_systemd_hears_of_every_state_in_its_turn(line: socket.socket) -> None:
    run = Told({}, Manager(line.getsockname(), 30.0))
    run.plays(*frames(3), run.lock, *frames(2, 3), run.unlock, None, None, *frames(2, 5))
    heard = []
    while True:
        try:
            heard.append(line.recv(1000).decode())
        except BlockingIOError:
            break
    assert heard == [
        "READY=1\nWATCHDOG_USEC=30000000",
        "WATCHDOG=1",
        "STATUS=waiting for pictures",
        "STATUS=watching, mode active",
        "STATUS=the screen is locked, no gesture acts",
        "STATUS=waiting for pictures",
        "STATUS=watching, mode active",
    ]


def test_a_camera_whose_thread_finds_it_well_after_every_look_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = count()
    flickers = property(lambda camera: None if next(looks) % 2 else "the camera is frozen")
    monkeypatch.setattr(Camera, "problem", flickers)
    run = Told({1: "+fist", 2: "-fist"})
    run.plays(*frames(4))
    assert run.keys == [("down", 1), ("up", 2)]


def test_a_reload_is_told_also_when_it_fails(line: socket.socket) -> None:
    life = Life(Session(), Manager(line.getsockname()))

    def read(name: str | None) -> tuple[None, daemon.Engine]:
        raise ProfileError("a profile with problems")

    with pytest.raises(ProfileError):
        life.reloading(read)(None)
    assert line.recv(1000).startswith(b"RELOADING=1\n")
    assert line.recv(1000) == b"READY=1"
