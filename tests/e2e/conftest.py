"""Fixtures of a desktop for tests: a private X server with a window manager, and a client in it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.conftest import require_program
from tests.e2e.wayland import Sway, running_sway
from tests.e2e.xserver import Listener, XServer, running_server


def pytest_configure() -> None:
    """Let programs under test be interrupted where the tests themselves run in the background.

    A shell makes what it starts so ignore Ctrl-C, and every child inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def x_desktop() -> Iterator[XServer]:
    """One X server with openbox for all tests of a run; use `desktop`, which cleans up."""
    require_program("Xvfb", "openbox", "setxkbmap", "xprop")
    with running_server() as server:
        yield server


@pytest.fixture
def desktop(x_desktop: XServer) -> Iterator[XServer]:
    """The X server in the layout `us`, with nothing held, before and after the test."""
    x_desktop.set_layout("us")
    spare = x_desktop.spare_keycodes()
    assert x_desktop.down() == set()
    yield x_desktop
    x_desktop.set_layout("us")
    assert x_desktop.down() == set(), "the test left keys or buttons down"
    assert x_desktop.spare_keycodes() == spare, "the test left keycodes bound"


@pytest.fixture
def listener(desktop: XServer) -> Iterator[Listener]:
    """A focused window over the whole desktop that records what it receives."""
    listener = Listener(desktop)
    yield listener
    listener.close()


@pytest.fixture(scope="session")
def sway() -> Iterator[Sway]:
    """One sway for all tests of a run that leave it as it was."""
    require_program("sway", "swaymsg", "foot", "setpriv")
    with running_sway() as sway:
        yield sway
