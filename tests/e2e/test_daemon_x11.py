"""The whole daemon, started as users start it, in a real X server: puppet in, key presses out."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.process import START_S, finished, gesturectl
from tests.e2e.xserver import Listener, XServer, tap, wait_until

pytestmark = pytest.mark.slow

PROFILE = """\
version: 1
bindings:
  - {gesture: swipe_left, do: {key: Right}}
  - {gesture: swipe_right, do: {key: Left}}
  - {gesture: fist, while: true, do: {key: space}}
"""
RELEASED_WITHIN_S = 1.0


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "test.yaml"
    path.write_text(PROFILE, "utf-8")
    return path


@pytest.fixture(autouse=True)
def no_repeats(desktop: XServer) -> Iterator[None]:
    """A key that is held repeats, as with a real keyboard; here each press shall count once."""
    desktop.call("xset", "r", "off")
    yield
    desktop.call("xset", "r", "on")


def options(profile: Path, source: str) -> tuple[str | Path, ...]:
    return ("run", "--source", source, "--profile", profile, "--sink", "x11")


def wait_for_a_held_key(process: subprocess.Popen[str], desktop: XServer) -> None:
    held = wait_until(lambda: bool(desktop.down()) or process.poll() is not None, START_S)
    assert held and process.poll() is None, process.communicate()


def test_an_application_receives_exactly_the_keys_of_the_gestures_that_were_acted(
    desktop: XServer, listener: Listener, profile: Path
) -> None:
    source = "puppet:swipe_left,fist:1.5s,swipe_right,wait:500ms"
    with gesturectl(*options(profile, source), env=desktop.env) as process:
        code, _, said = finished(process, START_S)
    assert code == 0, said
    assert listener.received() == [*tap("Right"), *tap(" "), *tap("Left")]


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_key_that_is_held_is_up_within_a_second_of_the_signal(
    desktop: XServer, listener: Listener, profile: Path, number: signal.Signals, code: int
) -> None:
    with gesturectl(*options(profile, "puppet:fist:60s"), env=desktop.env) as process:
        wait_for_a_held_key(process, desktop)
        process.send_signal(number)
        assert wait_until(lambda: not desktop.down(), RELEASED_WITHIN_S)
        assert finished(process)[0] == code
    assert listener.received() == tap(" ")


def test_a_second_signal_leaves_at_once_with_the_keys_up(desktop: XServer, profile: Path) -> None:
    with gesturectl(*options(profile, "puppet:fist:60s"), env=desktop.env) as process:
        wait_for_a_held_key(process, desktop)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert wait_until(lambda: not desktop.down(), RELEASED_WITHIN_S)
        assert finished(process)[0] == 130


def test_a_hang_up_reads_the_profile_anew_and_a_bad_one_is_refused(
    desktop: XServer, listener: Listener, profile: Path
) -> None:
    with gesturectl(*options(profile, "puppet:fist:2s?loop=1"), env=desktop.env) as process:
        wait_for_a_held_key(process, desktop)
        profile.write_text(PROFILE.replace("fist", "fistt"), "utf-8")
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)  # it is read between two frames
        profile.write_text(PROFILE.replace("space", "b"), "utf-8")
        process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: ("press", "b") in listener.received(), START_S)
        process.send_signal(signal.SIGTERM)
        code, _, said = finished(process)
    assert code == 0
    assert "the old profile stays" in said
    assert "unknown gesture `fistt`" in said


def test_a_recorded_thumb_ends_in_its_key(
    desktop: XServer, listener: Listener, tmp_path: Path, shared_data: Path
) -> None:
    profile = tmp_path / "thumb.yaml"
    profile.write_text("version: 1\nbindings:\n  - {gesture: thumb_up, do: {key: F5}}\n", "utf-8")
    clip = shared_data / "clips" / "pose_thumb_up_a1.mp4"
    with gesturectl(*options(profile, f"video:{clip}"), env=desktop.env) as process:
        code, _, said = finished(process, START_S)
    assert code == 0, said
    assert listener.received() == tap("F5")


def test_a_key_the_layout_lacks_is_refused_before_the_first_gesture(
    desktop: XServer, tmp_path: Path
) -> None:
    profile = tmp_path / "wrong.yaml"
    profile.write_text(PROFILE.replace("space", "spaec"), "utf-8")
    with gesturectl(*options(profile, "puppet:fist"), env=desktop.env) as process:
        code, _, said = finished(process)
    assert code == 2
    assert "did you mean" in said


def test_without_a_display_the_error_says_what_to_do(tmp_path: Path, profile: Path) -> None:
    with gesturectl(*options(profile, "puppet:fist"), env={"HOME": str(tmp_path)}) as process:
        code, _, said = finished(process)
    assert code == 5
    assert "DISPLAY" in said
    assert "Traceback" not in said
