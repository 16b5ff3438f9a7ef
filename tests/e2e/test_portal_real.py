"""The sink `portal` through the real xdg-desktop-portal, behind which stands a desktop of ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gesturectl.sinks.portal import PortalSink
from gesturectl.sinks.portalsession import Patience, works
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Command,
    KeyDown,
    KeyUp,
    MoveBy,
    Scroll,
    Text,
)
from tests.conftest import require_program
from tests.e2e.xserver import wait_until
from tests.fakebackend import PROGRAM, FakeBackend, running_frontend
from tests.sessionbus import running_bus

pytestmark = pytest.mark.slow

SOON = Patience(back_off_s=(0.05, 0.2))
RELEASED_WITHIN_S = 1.0
CTRL = ("KeyboardKeycode", 29)


@pytest.fixture
def desktop(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBackend]:
    require_program("dbus-daemon", str(PROGRAM))
    with running_bus(short_folder) as address, running_frontend(address, short_folder) as desktop:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        assert wait_until(lambda: works() is None), works()
        yield desktop


def test_everything_reaches_the_desktop_in_its_order(desktop: FakeBackend) -> None:
    commands: tuple[Command, ...] = (
        *(KeyDown(0, "ctrl"), KeyDown(0, "c"), KeyUp(0, "c"), KeyUp(0, "ctrl"), Text(0, "я")),
        *(ButtonDown(0, "left"), MoveBy(0, 1.5, -2.0), ButtonUp(0, "left"), Scroll(0, 0.5, 2.0)),
    )
    with PortalSink(patience=SOON) as sink:
        for command in commands:
            sink.send(command)
    assert desktop.heard == [
        *((CTRL[0], (29, 1)), ("KeyboardKeysym", (0x63, 1))),
        *(("KeyboardKeysym", (0x63, 0)), (CTRL[0], (29, 0))),
        *(("KeyboardKeysym", (0x100044F, 1)), ("KeyboardKeysym", (0x100044F, 0))),
        *(("PointerButton", (0x110, 1)), ("PointerMotion", (1.5, -2.0))),
        *(("PointerButton", (0x110, 0)), ("PointerAxisDiscrete", (0, 2))),
        ("PointerAxis", (5.0, 0.0)),
    ]
    assert desktop.wait_for(lambda: not desktop.sessions)


def test_after_a_locked_screen_keys_arrive_again(
    desktop: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    with PortalSink(patience=SOON) as sink:
        sink.send(KeyDown(0, "ctrl"))
        assert desktop.wait_for(lambda: desktop.down == {CTRL})
        desktop.lock_screen()
        assert wait_until(lambda: "the screen is locked" in caplog.text)

        def pressed() -> bool:
            sink.send(KeyUp(0, "ctrl"))
            sink.send(KeyDown(0, "ctrl"))
            return desktop.wait_for(lambda: desktop.down == {CTRL}, 0.1)

        assert wait_until(pressed)


HOLD = """
import time
from gesturectl.sinks.portal import PortalSink
from gesturectl.types import KeyDown
sink = PortalSink()
sink.send(KeyDown(0, "ctrl"))
time.sleep(60)
"""


def test_the_portal_ends_the_session_of_a_killed_daemon(desktop: FakeBackend) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], env=dict(os.environ)) as daemon:
        assert desktop.wait_for(lambda: desktop.down == {CTRL}, 30.0)
        daemon.send_signal(signal.SIGKILL)
        assert desktop.wait_for(lambda: not desktop.sessions, RELEASED_WITHIN_S)
        assert not desktop.down
