"""What the sink x11 says when there is no display, the wrong one, or none any more."""

from __future__ import annotations

import pytest

from gesturectl.errors import SinkError
from gesturectl.sinks import SINKS, default_sink, x11
from gesturectl.sinks.x11 import X11Sink
from gesturectl.sinks.xdisplay import KEY_PRESS, XDisplay
from gesturectl.types import KeyDown, KeyUp
from tests.conftest import require_program
from tests.e2e.xserver import XServer, running_server

pytestmark = pytest.mark.slow


def test_without_display_the_advice_is_to_start_inside_the_desktop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SinkError, match=r"DISPLAY is not set.*start gesturectl inside the desktop"):
        X11Sink()


def test_in_a_pure_wayland_session_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert "Wayland session without XWayland" in (SINKS["x11"].works() or "")
    with pytest.raises(SinkError, match=r"(?s)no Wayland desktop answers.*XWayland.*--sink print"):
        default_sink()


def test_a_display_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SinkError, match=r"cannot connect to the X display :4321.*XAUTHORITY"):
        X11Sink(":4321")
    assert "cannot connect" in (x11.works("no display at all") or "")


def test_under_xwayland_it_warns_that_only_some_windows_get_keys(
    desktop: XServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with X11Sink(desktop.display):
        assert "keys reach only programs that run in XWayland" in caplog.text


def test_a_working_display_is_the_default(
    desktop: XServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", desktop.display)
    assert SINKS["x11"].works() is None
    assert default_sink() == "x11"


def test_a_server_without_xtest_is_refused_with_advice() -> None:
    require_program("Xvfb")
    with running_server("-extension", "XTEST", window_manager=False) as server:
        assert "has no XTEST extension" in (x11.works(server.display) or "")


def test_a_display_that_goes_away_is_an_error_with_advice_and_no_traceback_on_leaving() -> None:
    require_program("Xvfb")
    with running_server(window_manager=False) as server:
        sink = X11Sink(server.display)
        sink.send(KeyDown(0, "Right"))
    with sink, pytest.raises(SinkError, match=r"the X display :\d+ is gone"):
        for _ in range(3):
            sink.send(KeyUp(0, "Right"))
            sink.send(KeyDown(0, "Right"))


def test_an_unknown_keycode_is_an_error_and_the_connection_lives_on(desktop: XServer) -> None:
    display = XDisplay(desktop.display)
    display.fake(KEY_PRESS, 3)  # the protocol's smallest keycode is 8
    display.finish()
    assert display.read_events() == ["ValueError"]
    display.finish()
    assert display.read_events() == []
    display.close()
