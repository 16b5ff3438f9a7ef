"""How soon a client hears that keys are up: printed (`pytest -s`), for docs/safety.md.

Killed, the daemon's guardian lets go; hung, it does when it has heard nothing for as long as the
sink says. That it happens at all is what is tested.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import pytest

from tests.e2e.wayland import Sway
from tests.e2e.windows import Hand
from tests.e2e.wlclient import WaylandListener
from tests.e2e.xserver import Listener, XServer

pytestmark = pytest.mark.slow

ROUNDS = 10
PAUSE = 127
PATIENCE_S = 6.0  # the silence of three seconds, and as much again
HOLD = """
import sys, time
from gesturectl.sinks import open_sink
from gesturectl.types import ButtonDown, KeyDown

with open_sink(sys.argv[1]) as sink:
    if hasattr(sink, "panic_on"):
        sink.panic_on(frozenset({"Pause"}))
    print("open", flush=True)
    sys.stdin.readline()
    for command in (KeyDown(0, "ctrl"), KeyDown(0, "Right")):
        sink.send(command)
    while True:
        sink.beat()
        time.sleep(0.03)
"""


@contextmanager
def holding(sink: str, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A program that opens a sink, and holds two keys from a line on stdin on."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, sink],
        env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def waited_s(condition: Callable[[], Any]) -> float:
    """Return how long it took until a condition held."""
    start_s = time.monotonic()
    while not condition():
        assert time.monotonic() - start_s < PATIENCE_S, "it never came"
        time.sleep(0.0005)
    return time.monotonic() - start_s


def say(what: str, times_s: list[float]) -> None:
    ordered = sorted(1e3 * one for one in times_s)
    print(
        f"\n{what}: median {median(ordered):.1f} ms, longest {ordered[-1]:.1f} ms of {len(ordered)}"
    )


SIGNALS = [(signal.SIGKILL, ROUNDS), (signal.SIGSTOP, 3)]


@pytest.mark.parametrize(("number", "rounds"), SIGNALS)
def test_on_x11(desktop: XServer, listener: Listener, number: signal.Signals, rounds: int) -> None:
    desktop.call("xset", "r", "off")
    times_s = []
    for _ in range(rounds):
        with holding("x11", desktop.env) as process:
            go(process)
            waited_s(lambda: listener._read() >= 2)
            listener.clear()
            os.kill(process.pid, number)
            times_s.append(waited_s(lambda: listener._read() >= 2))
        assert {what for what, _ in listener.received()} == {"release"}
    desktop.call("xset", "r", "on")
    say(f"X11, after {number.name}", times_s)


def test_on_x11_by_the_panic_key_while_the_daemon_hangs(
    desktop: XServer, listener: Listener
) -> None:
    desktop.call("xset", "r", "off")
    hand = Hand(desktop)
    times_s = []
    for _ in range(ROUNDS):
        with holding("x11", desktop.env) as process:
            go(process)
            waited_s(lambda: listener._read() >= 2)
            os.kill(process.pid, signal.SIGSTOP)
            listener.clear()
            hand.press(PAUSE)
            times_s.append(waited_s(lambda: listener._read() >= 3))
            hand.release(PAUSE)
        listener.clear()
    hand.leave()
    desktop.call("xset", "r", "on")
    say("X11, by the panic key while the daemon is stopped", times_s)


@pytest.mark.parametrize(("number", "rounds"), SIGNALS)
def test_on_sway(sway: Sway, number: signal.Signals, rounds: int) -> None:
    times_s = []
    for _ in range(rounds):
        listener = WaylandListener(sway)
        with holding("wlroots", sway.env) as process:
            listener.wait_for_focus()
            go(process)
            waited_s(lambda: listener._read() and len(listener.down) == 2)  # noqa: B023
            os.kill(process.pid, number)
            times_s.append(waited_s(lambda: listener._read() and not listener.down))  # noqa: B023
        listener.close()
    say(f"sway, after {number.name}", times_s)
