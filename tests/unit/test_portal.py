"""The sink `portal` against a portal of the tests' own, on a bus of the tests' own."""

from __future__ import annotations

import logging
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gesturectl.errors import SinkError
from gesturectl.sinks.portal import PortalSink
from gesturectl.sinks.portalsession import Patience, token_file, works
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
from tests.fakeportal import KEYBOARD, POINTER, FakePortal
from tests.sessionbus import running_bus

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the portal is D-Bus on Linux")

SOON = Patience(taken_s=0.5, back_off_s=(0.05, 0.2))
CTRL, F5, RETURN = 29, 63, 28


@pytest.fixture
def bus(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    require_program("dbus-daemon")
    with running_bus(short_folder) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


@pytest.fixture
def portal(bus: str) -> Iterator[FakePortal]:
    with FakePortal(bus) as portal:
        yield portal


def sent(portal: FakePortal, *commands: Command) -> list[object]:
    """Send commands through a sink of their own, and return all that the portal heard."""
    with PortalSink(patience=SOON) as sink:
        for command in commands:
            sink.send(command)
    return list(portal.heard)


def until(condition: Callable[[], bool], act: Callable[[], object]) -> bool:
    """Do something again and again until a condition holds."""
    end_s = time.monotonic() + 10.0
    while not condition():
        if time.monotonic() > end_s:
            return False
        act()
        time.sleep(0.02)
    return True


def back_again(sink: PortalSink, portal: FakePortal) -> bool:
    """Wait until keys arrive again."""
    before = len(portal.heard)

    def tap() -> None:
        sink.send(KeyDown(0, "Escape"))
        sink.send(KeyUp(0, "Escape"))

    return until(lambda: len(portal.heard) > before, tap)


# --- what arrives ---------------------------------------------------------------------------------


def test_known_keys_go_by_their_place_and_characters_by_their_keysym(portal: FakePortal) -> None:
    commands = [
        command
        for name in ("Right", "play_pause", "mic_mute", "altgr", "c", "A", "я", "KP_0")
        for command in (KeyDown(0, name), KeyUp(0, name))
    ]
    strokes = [
        *(("KeyboardKeycode", 106), ("KeyboardKeycode", 164), ("KeyboardKeycode", 248)),
        *(("KeyboardKeycode", 100), ("KeyboardKeysym", 0x63), ("KeyboardKeysym", 0x41)),
        *(("KeyboardKeysym", 0x100044F), ("KeyboardKeysym", 0xFFB0)),
    ]
    assert sent(portal, *commands) == [
        (member, (code, value)) for member, code in strokes for value in (1, 0)
    ]


def test_buttons_movement_and_the_wheel(portal: FakePortal) -> None:
    heard = sent(
        portal,
        *(ButtonDown(0, "left"), MoveBy(0, 1.5, -2.0), ButtonUp(0, "left")),
        *(Scroll(0, 0.0, 2.0), Scroll(0, -1.0, 0.5)),
    )
    assert heard == [
        ("PointerButton", (0x110, 1)),
        ("PointerMotion", (1.5, -2.0)),
        ("PointerButton", (0x110, 0)),
        ("PointerAxisDiscrete", (0, 2)),
        ("PointerAxis", (0.0, 5.0)),
        ("PointerAxisDiscrete", (1, -1)),
    ]


def test_places_are_followed_by_movements_and_edges_are_reached(
    portal: FakePortal, caplog: pytest.LogCaptureFixture
) -> None:
    places = [(0.5, 0.5), (0.75, 0.5), (0.75, 0.25), (0.0, 0.25), (0.0, 0.25), (0.0, 1.0)]
    heard = sent(portal, *(MoveTo(0, x, y) for x, y in places))
    assert heard == [
        ("PointerMotion", (480.0, 0.0)),
        ("PointerMotion", (0.0, -270.0)),
        ("PointerMotion", (-1920.0, 0.0)),
        ("PointerMotion", (0.0, 1080.0)),
    ]
    assert sum("follows a hand by movements" in message for message in caplog.messages) == 1


def test_typing_lifts_the_modifiers_that_are_held(portal: FakePortal) -> None:
    heard = sent(
        portal, *(KeyDown(0, "ctrl"), KeyDown(0, "a"), Text(0, "aB\n"), KeyUp(0, "a")),
    )  # fmt: skip
    assert heard == [
        ("KeyboardKeycode", (CTRL, 1)),
        ("KeyboardKeysym", (0x61, 1)),
        ("KeyboardKeycode", (CTRL, 0)),
        ("KeyboardKeysym", (0x61, 0)),  # it had to be let go to be typed, and stays up
        *(("KeyboardKeysym", (0x61, 1)), ("KeyboardKeysym", (0x61, 0))),
        *(("KeyboardKeysym", (0x42, 1)), ("KeyboardKeysym", (0x42, 0))),
        *(("KeyboardKeycode", (RETURN, 1)), ("KeyboardKeycode", (RETURN, 0))),
        ("KeyboardKeycode", (CTRL, 1)),
        ("KeyboardKeycode", (CTRL, 0)),  # on leaving
    ]


def test_two_names_of_one_key_hold_it_together(portal: FakePortal) -> None:
    heard = sent(
        portal,
        *(KeyDown(0, "altgr"), KeyDown(0, "alt_r"), KeyUp(0, "altgr"), KeyUp(0, "alt_r")),
    )
    assert heard == [("KeyboardKeycode", (100, 1)), ("KeyboardKeycode", (100, 0))]


def test_a_long_text_arrives_whole_and_in_order(portal: FakePortal) -> None:
    text = "".join(chr(0x4E00 + place) for place in range(500))
    with PortalSink(patience=SOON) as sink:
        sink.send(Text(0, text))
        assert portal.wait_for(lambda: len(portal.heard) == 2 * len(text))
    assert [chr(body[0] - 0x1000000) for _, body in portal.heard if body[1]] == list(text)


# --- agreement, and the token ---------------------------------------------------------------------


def test_the_user_is_asked_once_and_the_token_is_changed_each_time(portal: FakePortal) -> None:
    kept = []
    for _ in range(3):
        sent(portal)
        kept.append(token_file().read_text("ascii").strip())
    assert portal.dialogs == 1
    assert len(set(kept)) == 3
    assert portal.tokens == {kept[-1]}  # each counts once
    assert stat.S_IMODE(token_file().stat().st_mode) == 0o600


@pytest.mark.parametrize("damaged", [b"", b"no token\n", b"\xff\xfe", b"a" * 5000])
def test_a_damaged_token_means_to_be_asked_again(portal: FakePortal, damaged: bytes) -> None:
    token_file().parent.mkdir(parents=True)
    token_file().write_bytes(damaged)
    assert sent(portal, KeyDown(0, "F5")) == [
        ("KeyboardKeycode", (F5, 1)),
        ("KeyboardKeycode", (F5, 0)),
    ]
    assert portal.dialogs == 1


def test_a_token_that_cannot_be_kept_is_told(
    portal: FakePortal, caplog: pytest.LogCaptureFixture
) -> None:
    token_file().parent.parent.mkdir(parents=True, exist_ok=True)
    token_file().parent.write_text("a file")
    sent(portal)
    assert "so the desktop will ask again next time" in caplog.text


def test_who_denies_is_told_what_to_do(portal: FakePortal) -> None:
    portal.answer = 1
    with pytest.raises(SinkError, match=r"was not allowed .* agree in the dialog, or .*print"):
        PortalSink(patience=SOON)


def test_a_dialog_that_nobody_answers_ends(portal: FakePortal) -> None:
    portal.answer = None
    with pytest.raises(SinkError, match=r"nobody agreed"):
        PortalSink(patience=Patience(consent_s=0.1))
    assert portal.wait_for(lambda: not portal.sessions)


def test_a_portal_that_fails_is_told(portal: FakePortal) -> None:
    portal.answer = 2
    with pytest.raises(SinkError, match=r"gave up at Start; is the screen locked\?"):
        PortalSink(patience=SOON)


def test_a_slow_portal_and_one_that_tells_everybody_are_waited_for(portal: FakePortal) -> None:
    portal.delay_s, portal.unicast = 0.2, False
    assert len(sent(portal, KeyDown(0, "F5"))) == 2


def test_a_keyboard_alone_is_used_and_told_of(
    portal: FakePortal, caplog: pytest.LogCaptureFixture
) -> None:
    portal.allowed = KEYBOARD
    assert sent(portal, MoveBy(0, 1.0, 1.0), KeyDown(0, "F5")) == [
        ("KeyboardKeycode", (F5, 1)),
        ("KeyboardKeycode", (F5, 0)),
    ]
    assert "use the keyboard only" in caplog.text
    assert not token_file().exists()  # the next run asks for both


def test_a_mouse_alone_means_that_all_keys_are_refused(portal: FakePortal) -> None:
    portal.allowed = POINTER
    with PortalSink(patience=SOON) as sink:
        assert "mouse only" in sink.check_keys(frozenset({"F5"}))["F5"]


# --- where it does not work -----------------------------------------------------------------------


def test_no_portal_is_told(bus: str) -> None:
    assert "no desktop portal runs here" in (works() or "")
    with pytest.raises(SinkError, match="install xdg-desktop-portal"):
        PortalSink()


def test_a_portal_without_remote_desktop_is_told(portal: FakePortal) -> None:
    portal.available = None
    assert "has no RemoteDesktop" in (works() or "")


def test_a_portal_that_lends_nothing_is_told(portal: FakePortal) -> None:
    portal.available = 4
    assert "neither keyboard nor mouse" in (works() or "")


def test_no_bus_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'nobody'}")
    assert "this session has no D-Bus" in (works() or "")


def test_looking_whether_it_works_asks_the_user_nothing(portal: FakePortal) -> None:
    assert works() is None
    assert (portal.dialogs, portal.sessions) == (0, {})


# --- however it ends ------------------------------------------------------------------------------


def test_a_locked_screen_forgets_what_is_held_and_drops_what_comes(
    portal: FakePortal, caplog: pytest.LogCaptureFixture
) -> None:
    with PortalSink(patience=SOON) as sink, caplog.at_level(logging.INFO):
        sink.send(KeyDown(0, "ctrl"))
        sink.send(KeyDown(0, "F5"))
        assert portal.wait_for(lambda: len(portal.down) == 2)
        portal.answer = None  # nobody is asked while the screen is locked
        portal.delay_s = 0.3
        portal.close_sessions()
        assert portal.let_go == [("KeyboardKeycode", F5), ("KeyboardKeycode", CTRL)]
        assert until(lambda: "has ended gesturectl's use" in caplog.text, lambda: None)
        for number in range(20):
            sink.send(KeyDown(number, "Right"))
            sink.send(KeyUp(number, "Right"))
        heard = len(portal.heard)
        assert back_again(sink, portal)
        sink.send(KeyUp(0, "F5"))  # of before: nobody holds it now
        sink.send(KeyUp(0, "ctrl"))
        sink.send(KeyDown(0, "ctrl"))  # and it goes down anew
        assert portal.wait_for(lambda: ("KeyboardKeycode", CTRL) in portal.down)
    assert portal.heard[heard:][:2] == [("KeyboardKeycode", (1, 1)), ("KeyboardKeycode", (1, 0))]
    assert ("KeyboardKeycode", (106, 1)) not in portal.heard
    assert portal.dialogs == 1
    assert sum("has ended gesturectl's use" in message for message in caplog.messages) == 1
    assert "takes keys and mouse again" in caplog.text


def test_who_denies_after_a_locked_screen_is_not_asked_again(
    portal: FakePortal, caplog: pytest.LogCaptureFixture
) -> None:
    with PortalSink(patience=SOON) as sink:
        portal.tokens.clear()  # the permission was revoked
        portal.answer = 1
        portal.close_sessions()
        assert until(lambda: "was not allowed" in caplog.text, lambda: None)
        sink.send(KeyDown(0, "F5"))
        sink.send(KeyUp(0, "F5"))
    assert (portal.dialogs, portal.heard) == (2, [])


def test_a_portal_that_crashes_is_waited_for(bus: str, caplog: pytest.LogCaptureFixture) -> None:
    with FakePortal(bus) as first:
        sink = PortalSink(patience=SOON)
        sink.send(KeyDown(0, "F5"))
        assert first.wait_for(lambda: bool(first.down))
    with sink:
        assert until(lambda: "portal has ended" in caplog.text, lambda: None)
        with FakePortal(bus) as second:
            assert back_again(sink, second)
            sink.send(KeyUp(0, "F5"))
        assert ("KeyboardKeycode", (F5, 0)) not in second.heard


def test_a_portal_that_hangs_loses_the_session_and_what_it_held(
    portal: FakePortal, caplog: pytest.LogCaptureFixture
) -> None:
    with PortalSink(patience=SOON) as sink:
        sink.send(KeyDown(0, "ctrl"))
        assert portal.wait_for(lambda: bool(portal.down))
        portal.takes_calls = False
        for number in range(2000):
            sink.send(MoveBy(number, 1.0, 0.0))
        assert portal.wait_for(lambda: portal.let_go == [("KeyboardKeycode", CTRL)])
        portal.takes_calls = True
        assert back_again(sink, portal)
    assert "answer within" in caplog.text or "too slowly" in caplog.text


def test_a_bus_that_ends_harms_nothing(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    require_program("dbus-daemon")
    with ExitStack() as later:
        with running_bus(short_folder) as address:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            later.enter_context(FakePortal(address))
            sink = PortalSink(patience=SOON)
        with sink:
            assert until(lambda: " has ended: what gestures do" in caplog.text, lambda: None)
            sink.send(KeyDown(0, "F5"))
            sink.send(KeyUp(0, "F5"))


def test_a_daemon_that_hangs_loses_what_it_holds(portal: FakePortal) -> None:
    with PortalSink(heartbeat_s=0.3, patience=SOON) as sink:
        sink.send(KeyDown(0, "ctrl"))
        sink.send(ButtonDown(0, "left"))
        assert portal.wait_for(lambda: len(portal.down) == 2)
        sink.beat()
        assert portal.wait_for(lambda: not portal.down)
    assert portal.heard[2:4] == [("PointerButton", (0x110, 0)), ("KeyboardKeycode", (CTRL, 0))]


def test_leaving_ends_the_session_and_the_thread(portal: FakePortal) -> None:
    before = threading.active_count()
    sent(portal, KeyDown(0, "F5"))
    assert portal.wait_for(lambda: not portal.sessions)
    assert portal.let_go == []  # all was released before
    assert threading.active_count() == before


HOLD = """
import sys, time
from gesturectl.sinks.portal import PortalSink
from gesturectl.types import ButtonDown, KeyDown
sink = PortalSink()
for command in (KeyDown(0, "ctrl"), KeyDown(0, "A"), ButtonDown(0, "left")):
    sink.send(command)
while True:
    time.sleep(1)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_killed_daemon_leaves_nothing_down(portal: FakePortal, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], env=dict(os.environ)) as daemon:
        assert portal.wait_for(lambda: len(portal.down) == 3, 30.0)
        daemon.send_signal(number)
        assert portal.wait_for(lambda: not portal.sessions, 1.0)
        daemon.wait()
    assert portal.let_go == [
        ("PointerButton", 0x110),
        ("KeyboardKeysym", 0x41),
        ("KeyboardKeycode", CTRL),
    ]
