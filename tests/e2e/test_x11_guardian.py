"""However the daemon ends, nothing stays down: killed, crashed, hung, or ended as it should."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gesturectl.sinks import guardian
from gesturectl.sinks.guardian import Guardian
from gesturectl.sinks.x11 import X11Sink
from gesturectl.types import KeyDown, KeyUp
from tests.e2e.xserver import Listener, XServer, tap, wait_until

pytestmark = pytest.mark.slow

RELEASED_WITHIN_S = 1.0

PREAMBLE = """
import os, sys, time
from gesturectl.sinks.x11 import X11Sink
from gesturectl.types import *
"""


@contextmanager
def program(desktop: XServer, body: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python program that uses the sink; it is ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(body)],
        env=desktop.env,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


HOLD = """
    with X11Sink() as sink:
        sink.send(KeyDown(0, "ctrl"))
        sink.send(KeyDown(0, "A"))
        sink.send(ButtonDown(0, "left"))
        sink.send(KeyDown(0, "F13"))
        while True:
            time.sleep(1)
"""
HELD = 5  # ctrl, shift, a, F13, left button


def guardians(desktop: XServer) -> list[int]:
    """Return the guardian processes of one display, by their pid."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if guardian.__file__.encode() in words and desktop.display.encode() in words:
            found.append(int(folder.name))
    return found


def own_guardian(desktop: XServer) -> int:
    """Return the guardian that this process has started, once it runs."""

    def own() -> list[int]:
        return [pid for pid in guardians(desktop) if _parent(pid) == os.getpid()]

    assert wait_until(lambda: len(own()) == 1)
    return own()[0]


def zombies() -> list[int]:
    """Return our own children that have ended and were not waited for."""
    return [
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if (status := status_of(folder)) and status[0] == "Z" and int(status[1]) == os.getpid()
    ]


def wait_for_held(desktop: XServer, count: int = HELD) -> None:
    assert wait_until(lambda: len(desktop.down()) == count)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_killed_daemon_leaves_nothing_down(desktop: XServer, number: signal.Signals) -> None:
    before = guardians(desktop)
    with program(desktop, HOLD) as daemon:
        wait_for_held(desktop)
        daemon.send_signal(number)
        daemon.wait()
        assert wait_until(lambda: desktop.down() == set(), RELEASED_WITHIN_S)
    assert wait_until(lambda: guardians(desktop) == before), "the guardian stayed behind"


def test_a_daemon_killed_while_a_forked_child_keeps_the_pipe_leaves_nothing_down(
    desktop: XServer,
) -> None:
    forking = HOLD.replace(
        "while True:",
        """if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
        while True:""",
    )
    with program(desktop, forking) as daemon:
        wait_for_held(desktop)
        daemon.kill()
        daemon.wait()
        assert wait_until(lambda: desktop.down() == set(), RELEASED_WITHIN_S)


def test_a_daemon_that_ends_without_closing_the_sink_leaves_nothing_down(desktop: XServer) -> None:
    body = """
    sink = X11Sink()
    sink.send(KeyDown(0, "Right"))
    time.sleep(0.3)
    os._exit(3)
    """
    with program(desktop, body) as daemon:
        wait_for_held(desktop, 1)
        assert daemon.wait() == 3
        assert wait_until(lambda: desktop.down() == set(), RELEASED_WITHIN_S)


def test_ctrl_c_on_the_terminal_does_not_reach_the_guardian(desktop: XServer) -> None:
    deaf = """
    import signal
    signal.signal(signal.SIGINT, lambda *_: None)
    """
    with program(desktop, deaf + HOLD) as daemon:
        wait_for_held(desktop)
        os.killpg(daemon.pid, signal.SIGINT)  # what a terminal does: the whole group
        time.sleep(0.2)
        assert len(desktop.down()) == HELD
        daemon.kill()
        daemon.wait()
        assert wait_until(lambda: desktop.down() == set(), RELEASED_WITHIN_S)


def test_keycodes_lent_by_a_killed_daemon_are_given_back(desktop: XServer) -> None:
    spare = desktop.spare_keycodes()
    with program(desktop, HOLD) as daemon:
        wait_for_held(desktop)
        assert len(desktop.spare_keycodes()) == len(spare) - 1
        daemon.kill()
        daemon.wait()
        assert wait_until(lambda: desktop.spare_keycodes() == spare)


def test_a_daemon_that_hangs_while_it_holds_keys_loses_them(desktop: XServer) -> None:
    with X11Sink(desktop.display, heartbeat_s=0.3) as sink:
        sink.send(KeyDown(0, "Right"))
        for _ in range(6):  # for twice the patience of the guardian
            sink.beat()
            time.sleep(0.1)
        assert desktop.down() != set()
        assert wait_until(lambda: desktop.down() == set(), RELEASED_WITHIN_S)  # no beat: it hangs


def test_a_daemon_that_never_beats_may_hold_keys_for_ever(desktop: XServer) -> None:
    with X11Sink(desktop.display, heartbeat_s=0.1) as sink:
        sink.send(KeyDown(0, "Right"))
        time.sleep(0.5)
        assert desktop.down() != set()


def test_a_clean_end_leaves_no_guardian_and_no_zombie(desktop: XServer) -> None:
    before = guardians(desktop)
    with X11Sink(desktop.display) as sink:
        sink.send(KeyDown(0, "Right"))
        assert wait_until(lambda: len(guardians(desktop)) == len(before) + 1)
    assert guardians(desktop) == before
    assert zombies() == []


def test_a_guardian_that_was_killed_is_replaced(desktop: XServer, listener: Listener) -> None:
    before = guardians(desktop)
    with X11Sink(desktop.display) as sink:
        sink.send(KeyDown(0, "ctrl"))
        assert wait_until(lambda: len(guardians(desktop)) == len(before) + 1)
        (pid,) = set(guardians(desktop)) - set(before)
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: pid not in guardians(desktop))
        listener.clear()
        sink.send(KeyDown(0, "F5"))
        sink.send(KeyUp(0, "F5"))
        assert listener.received(2) == tap("F5")
        assert wait_until(lambda: len(guardians(desktop)) == len(before) + 1)


def test_a_guardian_that_reads_nothing_never_blocks_the_daemon(desktop: XServer) -> None:
    watcher = Guardian(desktop.display, heartbeat_s=3.0)
    process = own_guardian(desktop)
    os.kill(process, signal.SIGSTOP)
    for _ in range(10_000):  # more than a pipe holds
        watcher.hold("key 38")
        watcher.free("key 38")
    assert wait_until(lambda: process not in guardians(desktop))
    watcher.close(clean=True)


def test_the_guardian_is_light(desktop: XServer) -> None:
    """Measured: 18 MB, 21 with panic keys. It must never import numpy or the rest of gesturectl."""
    watcher = Guardian(desktop.display, heartbeat_s=3.0)
    watcher.panic_on((frozenset({127}),))
    process = own_guardian(desktop)
    time.sleep(0.5)
    maps = Path(f"/proc/{process}/maps").read_text()
    status = Path(f"/proc/{process}/status").read_text()
    watcher.close(clean=True)
    assert "numpy" not in maps
    assert int(status.split("VmRSS:")[1].split()[0]) < 40_000


def _parent(pid: int) -> int | None:
    status = status_of(Path(f"/proc/{pid}"))
    return int(status[1]) if status else None


def status_of(folder: Path) -> list[str]:
    """Return state, parent and more of a process, or nothing when it has ended."""
    try:
        return (folder / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []
