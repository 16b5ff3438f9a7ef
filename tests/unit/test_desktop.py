"""What of raw input is use, what of XTEST is ours, and the messages of sway and Wayland cut up."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gesturectl import wayland
from gesturectl.desktop import DESKTOPS, NoDesktop, OpenWindow, open_desktop, sway
from gesturectl.desktop.inuse import MEANT_PX, WITHIN_MS, Hands, Travel, travelled
from gesturectl.desktop.processes import executable_of
from gesturectl.errors import DesktopError
from gesturectl.sinks.injected import FORGOTTEN_S, Injected
from gesturectl.types import UserInput, Window
from tests.controlled import a_rig
from tests.fakes import ListSource

PRESS, RELEASE = 2, 3

# --- movement (the numbers are those of the drawing in `travelled`) -------------------------------


def uses(*motions: tuple[int, float, float]) -> list[int]:
    """When motions of (time in ms, dx, dy) are taken for use."""
    travel, found = Travel(), []
    for time_ms, dx_px, dy_px in motions:
        travel, used = travelled(travel, time_ms, dx_px, dy_px)
        if used:
            found.append(time_ms)
    return found


def test_1_a_mouse_that_trembles_for_an_hour_is_not_in_use() -> None:
    trembling = [(1, 0), (-1, 0), (0, 2), (0, -1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1)]
    assert uses(*((8 * i, *trembling[i % len(trembling)]) for i in range(450_000))) == []


def test_1_slow_drift_does_not_add_up() -> None:
    assert uses(*((100 * i, 1.0, 0.0) for i in range(1000))) == []


def test_2_a_mouse_that_is_moved_is_in_use_again_and_again() -> None:
    assert uses(*((8 * i, 6.0, 0.0) for i in range(1, 7))) == [24, 48]


def test_the_server_s_clock_may_start_anew_in_the_middle_of_a_movement() -> None:
    end_ms = (1 << 32) - 8
    assert uses((end_ms, 9.0, 0.0), (4, 9.0, 0.0)) == [4]
    assert uses((end_ms, 9.0, 0.0), (WITHIN_MS, 9.0, 0.0)) == []


# --- keys -----------------------------------------------------------------------------------------


def test_the_same_key_of_two_keyboards_is_down_until_both_are_up() -> None:
    hands = Hands()
    hands.press(7, 38)
    hands.press(9, 38)
    assert hands.release(7, 38)
    assert hands.down == {(9, 38)}


def test_a_release_of_what_nobody_pressed_is_not_use() -> None:
    assert not Hands().release(5, 38)


def test_a_keyboard_that_is_unplugged_holds_no_key() -> None:
    hands = Hands()
    hands.press(7, 38)
    hands.move(8, 0, MEANT_PX / 2, 0)
    assert hands.keep([3])
    assert (hands.down, hands.travels) == (set(), {})
    assert not hands.keep([3])


# --- ours or not ----------------------------------------------------------------------------------


def test_what_was_sent_is_ours_once() -> None:
    injected = Injected()
    injected.note(PRESS, 38, 0.0)
    assert not injected.take(PRESS, 39, 0.1)
    assert not injected.take(RELEASE, 38, 0.1)
    assert injected.take(PRESS, 38, 0.1)
    assert not injected.take(PRESS, 38, 0.1)


def test_what_never_came_back_is_forgotten() -> None:
    injected = Injected()
    injected.note(PRESS, 38, 0.0)
    assert not injected.take(PRESS, 38, FORGOTTEN_S + 1)


def test_notes_that_nobody_takes_do_not_pile_up() -> None:
    injected = Injected()
    for second in range(1000):
        injected.note(PRESS, 38, float(second))
    assert sum(injected.take(PRESS, 38, 999.0) for _ in range(1000)) <= FORGOTTEN_S + 1


# --- the table ------------------------------------------------------------------------------------


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of Linux desktops")
def test_without_a_desktop_nothing_happens_and_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SWAYSOCK"):
        monkeypatch.delenv(name, raising=False)
    with open_desktop() as nothing:
        assert isinstance(nothing, NoDesktop)
        assert "`match` are not used" in (nothing.windows_problem or "")
        assert "DISPLAY is not set" in (nothing.windows_problem or "")
        assert (nothing.poll(7), nothing.poll(8), nothing.windows()) == ((Window(7),), (), ())
    for name in DESKTOPS:
        with pytest.raises(DesktopError, match="is not set"):
            DESKTOPS[name](None)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of Linux desktops")
def test_under_wayland_x11_is_not_taken_for_the_whole_desktop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("WAYLAND_DISPLAY", str(tmp_path / "nobody"))
    monkeypatch.delenv("SWAYSOCK", raising=False)
    problem = open_desktop().windows_problem or ""
    assert "wlroots: no Wayland desktop answers" in problem
    assert "x11: " not in problem


def test_other_systems_are_told_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    assert "plan9" in (open_desktop().windows_problem or "")


class Gone(NoDesktop):
    """A desktop that ends."""

    def poll(self, t_us: int) -> tuple[Window | UserInput, ...]:
        raise DesktopError("the desktop is gone")

    def windows(self) -> tuple[OpenWindow, ...]:
        raise DesktopError("the desktop is gone")


@pytest.mark.parametrize("by", ["the loop", "a meeting"])
def test_whoever_finds_the_desktop_gone_no_window_is_in_front_from_then_on(
    by: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig = a_rig(ListSource([]))
    rig.desktop = Gone("")
    if by == "a meeting":
        assert rig.windows() == ()
    assert [rig.outside(t_us) for t_us in (7, 8)] == [(Window(7),), ()]
    assert caplog.messages == ["the desktop is gone; from now on no window is in front"]


# --- programs -------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/exe").exists(), reason="no /proc here")
def test_a_process_runs_a_program() -> None:
    assert executable_of(os.getpid()) == Path("/proc/self/exe").readlink().name


def test_of_a_process_that_has_ended_nothing_is_known() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert [executable_of(pid) for pid in (ended.pid, 0, -1)] == ["", "", ""]


# --- messages -------------------------------------------------------------------------------------


def test_a_message_of_sway_is_read_when_it_is_whole() -> None:
    whole = sway.HEADER.pack(sway.MAGIC, 9, 4) + json.dumps({"id": 7}).encode()
    buffer = bytearray()
    for byte in whole[:-1]:
        buffer.append(byte)
        assert sway._cut(buffer) is None
    buffer += whole[-1:] + whole
    assert [sway._cut(buffer), sway._cut(buffer)] == [(4, {"id": 7})] * 2
    assert buffer == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 400 Bad Request",
        sway.HEADER.pack(sway.MAGIC, 1 << 31, 4),
        sway.HEADER.pack(sway.MAGIC, 2, 4) + b"{[",
        sway.HEADER.pack(sway.MAGIC, 1, 4) + b"\xff",
    ],
)
def test_what_is_not_sway_is_refused(sent: bytes) -> None:
    with pytest.raises(ValueError, match="sway"):
        sway._cut(bytearray(sent))


def test_a_message_of_wayland_is_read_when_it_is_whole() -> None:
    whole = wayland.HEADER.pack(7, 1, 20) + struct.pack("=I", 4) + b"foo\0" + bytes(4)
    buffer = bytearray(whole[:19])
    assert wayland.cut(buffer) is None
    buffer += whole[19:]
    assert wayland.cut(buffer) == wayland.Message(7, 1, whole[8:])
    assert wayland.cut(buffer) is None


@contextmanager
def connected(
    folder: Path, heard: Callable[[wayland.Message], None] = lambda told: None
) -> Iterator[tuple[wayland.Client, socket.socket]]:
    """A client, and the socket at its other end."""
    path = str(folder / "desktop")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        client = wayland.Client(path, heard, DesktopError, "nothing is known")
        peer, _ = listener.accept()
    with peer:
        yield client, peer
    client.close()


def test_what_is_not_wayland_is_refused(short_folder: Path) -> None:
    with connected(short_folder) as (client, peer):
        peer.sendall(bytes(8))
        with pytest.raises(DesktopError, match="does not speak Wayland"):
            client.read_events()


def test_what_was_said_before_the_end_is_heard_before_the_end(short_folder: Path) -> None:
    heard: list[wayland.Message] = []
    with connected(short_folder, heard.append) as (client, peer):
        peer.sendall(2 * wayland.message(7, 1))
        peer.close()
        with pytest.raises(DesktopError, match="has ended: nothing is known"):
            client.read_events()
    assert heard == 2 * [wayland.Message(7, 1, b"")]


def test_a_refusal_is_told_also_where_the_next_request_finds_nobody(short_folder: Path) -> None:
    with connected(short_folder) as (client, peer):
        reason = struct.pack("=II", 7, 0) + wayland.string("no such thing")
        peer.sendall(wayland.message(wayland.DISPLAY, wayland.DISPLAY_ERROR, body=reason))
        peer.close()
        with pytest.raises(DesktopError, match="refused what was sent: no such thing"):
            client.send(7, 1)


@pytest.mark.parametrize("text", ["", "abc", "wörld", "four"])
def test_texts_of_wayland_fill_whole_words(text: str) -> None:
    written = wayland.string(text)
    assert len(written) % 4 == 0
    assert wayland.read_string(written, 0) == text
