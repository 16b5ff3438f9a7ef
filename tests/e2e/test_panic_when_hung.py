"""The panic keys in every state, the daemon stopped dead included: a real keyboard and client."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gesturectl.sinks.x11 import X11Sink
from gesturectl.types import ButtonDown, KeyDown, KeyUp
from tests.controlled import Talk
from tests.e2e.process import START_S, gesturectl
from tests.e2e.test_x11_guardian import guardians, status_of
from tests.e2e.windows import Hand
from tests.e2e.xserver import Listener, XServer, tap, wait_until
from tests.lessons import trace_of

pytestmark = pytest.mark.slow

# Keycodes of a PC keyboard; Z is where German ones have their Y.
CTRL, RIGHT_CTRL, ALT, PAUSE, A, Z = 37, 105, 64, 127, 38, 52
CHORD = frozenset({"ctrl", "alt", "Pause"})
OF_HAND = {("key", code) for code in (CTRL, RIGHT_CTRL, ALT, PAUSE, A, Z)}
AT_ONCE_S = 1.0  # the limit of silence is three times as long

PROFILE = """\
version: 1
safety: {panic: {keys: ctrl+alt+Pause}}
modes:
  active: {initial: true}
  sleep: {wake: {gesture: open_palm, hold_for: 800ms}}
bindings:
  - {gesture: fist, while: true, do: {key: space}}
"""


@pytest.fixture(autouse=True)
def no_repeats(desktop: XServer) -> Iterator[None]:
    desktop.call("xset", "r", "off")
    yield
    desktop.call("xset", "r", "on")


@pytest.fixture
def hand(desktop: XServer) -> Iterator[Hand]:
    hand = Hand(desktop)
    yield hand
    hand.leave()


@pytest.fixture
def sink(desktop: XServer) -> Iterator[X11Sink]:
    """A sink that never beats, so that only panic lets go of anything; its guardian listens."""
    with X11Sink(desktop.display) as sink:
        sink.panic_on(CHORD)
        wait_until_heard(desktop)
        yield sink


def wait_until_heard(desktop: XServer) -> None:
    """Wait until the guardian has asked for the events of keyboards, after which it rests.

    It has no way to say so, and takes its time on a busy machine.
    """

    def rests() -> bool:
        before = seen()
        time.sleep(0.2)
        return bool(before) and seen() == before and all(one[0] == "S" for one in before)

    def seen() -> list[tuple[str, ...]]:
        """State and time of processors, of user and system, of each."""
        found = [status_of(Path(f"/proc/{pid}")) for pid in guardians(desktop)]
        return [(one[0], *one[11:13]) for one in found if one]

    assert wait_until(rests, START_S)


def ours(desktop: XServer) -> set[tuple[str, int]]:
    """What is held down, but for what the hand holds."""
    return desktop.down() - OF_HAND


# --- the guardian ---------------------------------------------------------------------------------


def test_the_chord_lets_go_of_keys_and_buttons_whatever_the_daemon_does(
    desktop: XServer, sink: X11Sink, hand: Hand
) -> None:
    sink.send(KeyDown(0, "Right"))
    sink.send(ButtonDown(0, "left"))
    assert wait_until(lambda: len(ours(desktop)) == 2)
    hand.press(RIGHT_CTRL, ALT)
    assert not wait_until(lambda: len(ours(desktop)) < 2, 0.3)
    hand.press(PAUSE)
    assert wait_until(lambda: not ours(desktop), AT_ONCE_S)
    hand.release(PAUSE, ALT, RIGHT_CTRL)
    sink.send(KeyUp(0, "Right"))
    sink.send(KeyDown(0, "Right"))  # and it holds again what it is told
    assert wait_until(lambda: len(ours(desktop)) == 1)


def test_our_own_keys_are_nobody_s_panic(desktop: XServer, sink: X11Sink, hand: Hand) -> None:
    for name in ("ctrl", "alt", "Pause"):
        sink.send(KeyDown(0, name))
    assert not wait_until(lambda: len(desktop.down()) < 3, 0.5)


def test_the_chord_stays_where_its_letters_are_when_the_layout_changes(
    desktop: XServer, sink: X11Sink, hand: Hand
) -> None:
    sink.panic_on(frozenset({"ctrl", "y"}))
    desktop.set_layout("de")
    assert wait_until(lambda: _beaten(sink) == "panic 37,105 52")
    wait_until_heard(desktop)
    sink.send(KeyDown(0, "Right"))
    hand.press(CTRL, Z)
    assert wait_until(lambda: not ours(desktop), AT_ONCE_S)
    hand.release(Z, CTRL)


def _beaten(sink: X11Sink) -> str:
    sink.beat()
    return sink._guardian._panic


def test_keys_that_were_lent_stay_lent(desktop: XServer, sink: X11Sink, hand: Hand) -> None:
    spare = desktop.spare_keycodes()
    sink.send(KeyDown(0, "F13"))
    assert wait_until(lambda: len(desktop.spare_keycodes()) == len(spare) - 1)
    hand.press(CTRL, ALT, PAUSE)
    assert wait_until(lambda: not ours(desktop), AT_ONCE_S)
    hand.release(PAUSE, ALT, CTRL)
    assert len(desktop.spare_keycodes()) == len(spare) - 1


def test_without_panic_keys_the_guardian_listens_to_no_keyboard(
    desktop: XServer, sink: X11Sink, hand: Hand
) -> None:
    sink.panic_on(frozenset())
    wait_until_heard(desktop)
    sink.send(KeyDown(0, "Right"))
    hand.press(CTRL, ALT, PAUSE)
    assert not wait_until(lambda: not ours(desktop), 0.5)
    hand.release(PAUSE, ALT, CTRL)


# --- the daemon -----------------------------------------------------------------------------------


@contextmanager
def daemon(desktop: XServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run the daemon until it holds a key; give its process, and what asks for its status."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    day = trace_of(",".join(["fist:1500ms", "wait:400ms"] * 30), folder / "day.jsonl", fps=15)
    profile = folder / "p.yaml"
    profile.write_text(PROFILE, "utf-8")
    words = ("run", "--source", f"trace:{day}", "--profile", profile, "--sink", "x11")
    with gesturectl(*words, env=desktop.env) as process:
        held = wait_until(lambda: bool(desktop.down()) or process.poll() is not None, START_S)
        assert held and process.poll() is None, process.communicate()
        with Talk(folder / "gesturectl") as talk:
            yield process, talk


def stop_while_it_holds(process: Any, desktop: XServer) -> None:
    """Stop the daemon dead with a key down, and not between two fists."""
    for _ in range(10):
        assert wait_until(lambda: bool(ours(desktop)))
        process.send_signal(signal.SIGSTOP)
        if not wait_until(lambda: not ours(desktop), 0.1):
            return
        process.send_signal(signal.SIGCONT)
    pytest.fail("the daemon was never stopped with a key down")


def test_a_daemon_that_is_stopped_dead_loses_its_keys_at_the_chord_and_wakes_asleep(
    desktop: XServer,
    listener: Listener,
    hand: Hand,
    short_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with daemon(desktop, short_folder, monkeypatch) as (process, talk):
        wait_until_heard(desktop)
        stop_while_it_holds(process, desktop)
        listener.clear()
        start_s = time.monotonic()
        hand.press(CTRL, ALT, PAUSE)
        assert wait_until(lambda: not ours(desktop), AT_ONCE_S)
        print(f"panic while hung: up after {1e3 * (time.monotonic() - start_s):.0f} ms")
        assert ("release", " ") in listener.received()
        hand.release(PAUSE, ALT, CTRL)
        process.send_signal(signal.SIGCONT)
        assert wait_until(lambda: talk.ask(ask="status")["mode"] == "sleep")
        listener.clear()
        assert not wait_until(lambda: bool(ours(desktop)), 4.0)  # two fists go by
        assert listener.received() == []


def test_a_paused_daemon_hears_the_chord_and_is_asleep_when_it_goes_on(
    desktop: XServer, hand: Hand, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with daemon(desktop, short_folder, monkeypatch) as (_, talk):
        talk.ask(ask="pause")
        hand.press(CTRL, ALT, PAUSE)
        hand.release(PAUSE, ALT, CTRL)
        assert wait_until(lambda: talk.ask(ask="status")["mode"] == "sleep")
        talk.ask(ask="resume")
        assert not wait_until(lambda: bool(desktop.down()), 4.0)


def test_keys_used_while_paused_do_nothing_later(
    desktop: XServer, hand: Hand, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with daemon(desktop, short_folder, monkeypatch) as (_, talk):
        talk.ask(ask="pause")
        hand.press(A)
        hand.release(A)
        talk.ask(ask="resume")
        assert wait_until(lambda: bool(desktop.down()), 6.0)
        assert talk.ask(ask="status")["mode"] == "active"


def test_a_tap_of_the_sink_is_as_before(sink: X11Sink, listener: Listener) -> None:
    sink.send(KeyDown(0, "Right"))
    sink.send(KeyUp(0, "Right"))
    assert listener.received(2) == tap("Right")
