"""What the service manager is told: on a real socket, as sd_notify(3) has it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gesturectl import systemd
from gesturectl.systemd import Manager

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="wants Unix sockets")


@pytest.fixture
def line(short_folder: Path) -> Iterator[socket.socket]:
    """The end of systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(short_folder / "notify"))
        line.setblocking(False)
        yield line


def heard(line: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(line.recv(4096).decode())
        except BlockingIOError:
            return found


def test_it_hears_that_we_are_ready_reload_and_stop(line: socket.socket) -> None:
    manager = Manager(line.getsockname())
    manager.ready()
    manager.reloading()
    manager.ready()
    manager.stopping()
    ready, reloading, again, stopping = heard(line)
    assert (ready, again, stopping) == ("READY=1", "READY=1", "STOPPING=1")
    first, second = reloading.splitlines()
    assert first == "RELOADING=1"
    assert int(second.removeprefix("MONOTONIC_USEC=")) > 0


def test_the_watchdog_waits_longer_while_a_profile_is_read(line: socket.socket) -> None:
    manager = Manager(line.getsockname(), 30.0)
    manager.reloading()
    manager.ready()
    reloading, ready = heard(line)
    assert reloading.endswith("\nWATCHDOG_USEC=600000000")
    assert ready == "READY=1\nWATCHDOG_USEC=30000000"


def test_a_status_is_told_once_in_one_line(line: socket.socket) -> None:
    manager = Manager(line.getsockname())
    for text in ("watching", "watching", "camera 0\nREADY=0", "watching"):
        manager.status(text)
    assert heard(line) == ["STATUS=watching", "STATUS=camera 0 READY=0", "STATUS=watching"]


def test_the_watchdog_hears_us_four_times_in_its_patience(line: socket.socket) -> None:
    now = [0.0]
    manager = Manager(line.getsockname(), 2.0, lambda: now[0])
    for frame in range(60):  # of two seconds
        now[0] = frame / 30
        manager.alive()
    assert heard(line) == ["WATCHDOG=1"] * 4


def test_an_abstract_socket_is_one_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0gesturectl-{os.getpid()}")
        line.settimeout(5)
        Manager(f"@gesturectl-{os.getpid()}").ready()
        assert line.recv(100) == b"READY=1"


def test_a_manager_that_does_not_read_never_holds_us_up(line: socket.socket) -> None:
    manager = Manager(line.getsockname())
    for _ in range(2000):
        manager.ready()


def test_nobody_who_listens_is_no_error(short_folder: Path) -> None:
    Manager(str(short_folder / "none")).ready()
    Manager().alive()
    Manager().ready()


def test_what_systemd_says_is_taken_from_the_environment() -> None:
    env = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    manager = systemd.manager(env)
    assert (manager.address, manager.watchdog_s) == ("/run/x", 30.0)
    assert env == {}


@pytest.mark.parametrize(
    "env",
    [
        {
            "NOTIFY_SOCKET": "/run/x",
            "WATCHDOG_USEC": "3",
            "WATCHDOG_PID": "1",
        },  # of another process
        {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "0"},
        {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "vsock:2:1", "WATCHDOG_USEC": "3"},
        {"WATCHDOG_USEC": "3"},
        {},
    ],
)
def test_a_watchdog_that_is_not_ours_is_not_fed(env: dict[str, str]) -> None:
    assert systemd.manager(env).watchdog_s is None
