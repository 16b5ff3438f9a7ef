"""Keys, text and mouse on a real Wayland desktop, seen by a client of ours and by a terminal."""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gesturectl import sinks, wayland
from gesturectl.errors import SinkError
from gesturectl.sinks.wlkeymap import SPARE
from gesturectl.sinks.wlroots import WlrootsSink
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Command,
    KeyDown,
    KeyUp,
    MoveBy,
    MoveTo,
    Scroll,
    Text,
)
from tests.conftest import require_program
from tests.e2e.process import finished, gesturectl
from tests.e2e.wayland import Sway, running_sway
from tests.e2e.wlclient import WaylandListener
from tests.e2e.xserver import XServer, tap, wait_until
from tests.fakeportal import FakePortal
from tests.sessionbus import running_bus

pytestmark = pytest.mark.slow

RELEASED_WITHIN_S = 1.0
CTRL = 4  # bit of the mask of modifiers
WHEEL, SMOOTH = 0, 2  # sources of an axis


@pytest.fixture
def listener(sway: Sway) -> Iterator[WaylandListener]:
    listener = WaylandListener(sway)
    yield listener
    listener.close()


@pytest.fixture
def sink(sway: Sway, listener: WaylandListener) -> Iterator[WlrootsSink]:
    with WlrootsSink(sway.wayland) as sink:
        listener.wait_for_focus()
        yield sink


def send(sink: WlrootsSink, *commands: Command) -> None:
    for command in commands:
        sink.send(command)


def typed(sink: WlrootsSink, listener: WaylandListener, text: str) -> str:
    listener.text = ""
    sink.send(Text(0, text))
    listener.heard(lambda heard: len(heard.text) >= len(text))
    listener.received()
    return listener.text


# --- keys and text ----------------------------------------------------------------------------


def test_keys_chords_and_characters_of_other_scripts_arrive(
    sink: WlrootsSink, listener: WaylandListener
) -> None:
    send(sink, KeyDown(0, "ctrl"), KeyDown(0, "Right"))
    assert listener.received(2) == [("press", "Control_L"), ("press", "Right")]
    assert listener.modifiers == CTRL
    send(sink, KeyUp(0, "Right"), KeyUp(0, "ctrl"))
    assert listener.received(2) == [("release", "Right"), ("release", "Control_L")]
    assert listener.modifiers == 0
    for name in ("play_pause", "A", "question", "я", "你"):
        send(sink, KeyDown(0, name), KeyUp(0, name))
    names = ("XF86AudioPlay", "A", "?", "я", "你")
    assert listener.received(10) == [stroke for name in names for stroke in tap(name)]


def test_shift_and_a_digit_make_what_is_above_the_digit(
    sink: WlrootsSink, listener: WaylandListener
) -> None:
    send(sink, KeyDown(0, "shift"), KeyDown(0, "1"))
    assert listener.received(2) == [("press", "Shift_L"), ("press", "!")]


def test_a_modifier_stays_in_force_when_the_keymap_is_sent_anew(
    sink: WlrootsSink, listener: WaylandListener
) -> None:
    sink.send(KeyDown(0, "ctrl"))
    listener.received(1)
    before = listener.keymaps
    sink.send(KeyDown(0, "я"))
    assert listener.received(1) == [("press", "я")]
    assert listener.keymaps == before + 1
    assert listener.modifiers == CTRL


@pytest.mark.parametrize(
    "text",
    [
        "Hello, World! ~{}|\\",
        "Grüße, naïve œuvre",
        "Καλημέρα κόσμε",
        "Привет, мир",
        "你好，世界。こんにちは안녕",
        "😀🎉👩\u200d💻",
        "a\tb\nc",
    ],
)
def test_a_text_of_any_script_is_typed(
    sink: WlrootsSink, listener: WaylandListener, text: str
) -> None:
    assert typed(sink, listener, text) == text.replace("\n", "\r")


def test_a_text_with_more_characters_than_spare_keys_is_typed_whole(
    sink: WlrootsSink, listener: WaylandListener
) -> None:
    text = "".join(chr(0x4E00 + place) for place in range(5 * len(SPARE))) * 2
    assert typed(sink, listener, text) == text


def test_typing_is_not_bent_by_the_keys_that_are_held(
    sink: WlrootsSink, listener: WaylandListener
) -> None:
    send(sink, KeyDown(0, "ctrl"), KeyDown(0, "a"))
    listener.received(2)
    assert typed(sink, listener, "aBя") == "aBя"
    assert listener.down == {"Control_L"}  # `a` had to be let go to be typed
    assert listener.modifiers == CTRL
    send(sink, KeyUp(0, "a"), KeyDown(0, "a"))
    assert listener.received(1) == [("press", "a")]


def test_keys_that_the_profile_needs_are_lent_before_it_runs(
    sink: WlrootsSink, listener: WaylandListener
) -> None:
    assert sink.check_keys(frozenset("яñ你a")) == {}
    listener.received()
    before = listener.keymaps
    for name in "яñ你":
        send(sink, KeyDown(0, name), KeyUp(0, name))
    assert listener.received(6) == [stroke for name in "яñ你" for stroke in tap(name)]
    assert listener.keymaps == before


def test_caps_lock_is_refused_with_the_reason(sink: WlrootsSink) -> None:
    assert "of its own" in sink.check_keys(frozenset({"Caps_Lock"}))["Caps_Lock"]
    with pytest.raises(SinkError, match="Caps_Lock of its own"):
        sink.send(KeyDown(0, "Caps_Lock"))


def test_a_terminal_reads_what_was_typed(sway: Sway) -> None:
    out = sway.folder / "typed.txt"
    text = "Grüße Привет 你好 😀 " * 40
    reading = ("sh", "-c", f"stty -icanon -echo; dd bs=1 count={len(text.encode())} > {out}")
    with WlrootsSink(sway.wayland) as sink, sway.window("reader", "reader", *reading):
        assert wait_until(out.exists)
        time.sleep(0.3)  # until it has the focus
        sink.send(Text(0, text))
        assert wait_until(lambda: out.read_text("utf-8", "replace") == text), out.read_text()


# --- mouse ------------------------------------------------------------------------------------


def test_the_pointer_moves_by_fractions_and_to_places(
    sink: WlrootsSink, listener: WaylandListener
) -> None:
    sink.send(MoveTo(0, 0.5, 0.5))
    ((_, (x, y)),) = listener.received(1)
    send(sink, MoveBy(0, 1.5, -2.25), MoveBy(0, 0.25, 0.0))
    assert listener.received(2) == [
        ("motion", (x + 1.5, y - 2.25)),
        ("motion", (x + 1.75, y - 2.25)),
    ]


@pytest.mark.parametrize("name", ["left", "middle", "right"])
def test_buttons_go_down_and_up(sink: WlrootsSink, listener: WaylandListener, name: str) -> None:
    sink.send(MoveTo(0, 0.5, 0.5))
    listener.received(1)
    send(sink, ButtonDown(0, name), ButtonUp(0, name))  # type: ignore[arg-type]
    assert listener.received(2) == tap(name)


def test_whole_steps_are_clicks_of_the_wheel_and_fractions_a_smooth_turn(
    sink: WlrootsSink, listener: WaylandListener
) -> None:
    sink.send(MoveTo(0, 0.5, 0.5))
    listener.received(1)
    send(sink, Scroll(0, 0.0, 1.0), Scroll(0, 0.0, -0.25), Scroll(0, 0.5, -2.0))
    assert [told for _, told in listener.received(4)] == [
        ("vertical", 15.0, 1, WHEEL),
        ("vertical", -3.75, None, SMOOTH),
        ("vertical", -30.0, -2, WHEEL),
        ("horizontal", 7.5, None, SMOOTH),
    ]


# --- however it ends --------------------------------------------------------------------------

HOLD = """
import sys, time
from gesturectl.sinks.wlroots import WlrootsSink
from gesturectl.types import *

sink = WlrootsSink()
print("open", flush=True)
sys.stdin.readline()
for command in (
    MoveTo(0, 0.5, 0.5), KeyDown(0, "ctrl"), KeyDown(0, "A"), KeyDown(0, "я"),
    ButtonDown(0, "left"),
):
    sink.send(command)
while True:
    time.sleep(1)
"""
HELD = {"Control_L", "A", "я", "left"}


@contextmanager
def holding(sway: Sway, listener: WaylandListener) -> Iterator[subprocess.Popen[str]]:
    """Run a program that holds keys and a button."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=sway.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdout.readline()
        listener.wait_for_focus()
        process.stdin.write("go\n")
        process.stdin.flush()
        assert listener.heard(lambda heard: heard.down == HELD)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_killed_daemon_leaves_nothing_down(
    sway: Sway, listener: WaylandListener, number: signal.Signals
) -> None:
    with holding(sway, listener) as daemon:
        daemon.send_signal(number)
        daemon.wait()
        assert listener.heard(lambda heard: not heard.down, RELEASED_WITHIN_S)
        assert listener.modifiers == 0


def test_a_daemon_that_stands_still_while_it_holds_keys_loses_them(
    sway: Sway, listener: WaylandListener
) -> None:
    with WlrootsSink(sway.wayland, heartbeat_s=0.3) as sink:
        listener.wait_for_focus()
        send(sink, MoveTo(0, 0.5, 0.5), KeyDown(0, "ctrl"), ButtonDown(0, "left"))
        for _ in range(6):  # for twice the patience of the guardian
            sink.beat()
            listener.received()
        assert listener.down == {"Control_L", "left"}
        assert listener.heard(lambda heard: not heard.down, RELEASED_WITHIN_S)  # no beat: it hangs
        assert listener.modifiers == 0


def test_leaving_takes_our_devices_out_of_the_desktop(sway: Sway) -> None:
    def devices() -> set[str]:
        inputs = subprocess.run(
            ["swaymsg", "--raw", "-t", "get_inputs"], env=sway.env, check=True, capture_output=True
        ).stdout
        return {device["type"] for device in json.loads(inputs)}

    with WlrootsSink(sway.wayland):
        assert devices() == {"keyboard", "pointer"}
    assert devices() == set()


def test_a_desktop_that_ends_is_an_error_with_advice(caplog: pytest.LogCaptureFixture) -> None:
    require_program("sway", "swaymsg", "foot", "setpriv")
    with running_sway() as sway:
        sink = WlrootsSink(sway.wayland)
        sink.send(KeyDown(0, "ctrl"))
    with sink:
        for name in ("F5", "F6"):
            with pytest.raises(SinkError, match=r"has ended: start gesturectl again"):
                sink.send(KeyDown(0, name))
    assert "not released properly" in caplog.text


# --- which sink it is -------------------------------------------------------------------------


def test_it_is_the_sink_of_a_wayland_session(sway: Sway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", sway.wayland)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert sinks.default_sink() == "wlroots"
    assert sinks.shortfall("wlroots") is None


def test_list_and_doctor_say_that_it_works(sway: Sway) -> None:
    with gesturectl("list", "sinks", "--json", env=sway.env) as process:
        code, out, _ = finished(process)
    usable = {row["name"]: row["usable"] for row in json.loads(out)}
    assert (code, usable["wlroots"], usable["x11"]) == (0, True, False)


@pytest.fixture
def gnome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A desktop that speaks Wayland, and takes no keys of programs."""
    path = tmp_path / "wayland-0"
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(path))
    server.listen()
    monkeypatch.setenv("WAYLAND_DISPLAY", str(path))
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "GNOME")

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                client.recv(4096)
                seat = wayland.string("wl_seat")
                body = b"\1\0\0\0" + seat + b"\7\0\0\0"
                client.sendall(wayland.message(2, 0, body=body) + wayland.message(3, 0, 0))
                client.recv(4096)

    thread = threading.Thread(target=serve)
    thread.start()
    yield
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


@pytest.mark.usefixtures("gnome")
def test_a_desktop_that_takes_no_keys_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nobody")
    with pytest.raises(SinkError) as caught:
        sinks.default_sink()
    first, *rest = str(caught.value).splitlines()[1:]
    assert "wlroots: this Wayland desktop (GNOME) takes no keys" in first
    assert "portal: this session has no D-Bus" in rest[0]


@pytest.mark.usefixtures("gnome")
def test_where_the_desktop_s_portal_lends_keys_it_is_taken(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_program("dbus-daemon")
    with running_bus(short_folder) as address, FakePortal(address):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        assert sinks.default_sink() == "portal"


@pytest.mark.usefixtures("gnome")
def test_where_only_xwayland_takes_keys_that_is_said(
    desktop: XServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DISPLAY", desktop.display)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nobody")
    assert sinks.default_sink() == "x11"
    with caplog.at_level(logging.WARNING), sinks.open_sink("x11"):
        pass
    assert "only programs that run in XWayland" in caplog.text
    assert "(GNOME) takes no keys" in caplog.text


def test_in_a_session_that_takes_keys_the_sink_x11_names_the_better_one(
    sway: Sway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", sway.wayland)
    assert "use --sink wlroots" in (sinks.shortfall("x11") or "")


def test_nobody_at_the_other_end_is_said(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="no Wayland desktop answers at"):
        WlrootsSink(str(tmp_path / "nobody"))


def test_outside_a_session_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SinkError, match="WAYLAND_DISPLAY is not set"):
        WlrootsSink()
