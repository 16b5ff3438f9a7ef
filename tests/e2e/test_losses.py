"""What is lost on the way: the display, the compositor, the landmark models."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Bundles, require_program
from tests.e2e.process import START_S, finished, gesturectl
from tests.e2e.wayland import running_sway
from tests.e2e.xserver import XServer, running_server, wait_until
from tests.lessons import trace_of

pytestmark = pytest.mark.slow

PROFILE = """\
version: 1
bindings:
  - {gesture: fist, while: true, do: {key: space}}
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(PROFILE, "utf-8")
    return path


@pytest.fixture
def nobody(tmp_path: Path) -> Path:
    """A recording in which nothing happens, for half a minute."""
    return trace_of("wait:30s", tmp_path / "nobody.jsonl", fps=15)


def wait_for_title(process: subprocess.Popen[str]) -> None:
    """Wait until everything is open, and the loop about to begin."""
    assert process.stderr is not None
    for line in process.stderr:
        if " → " in line:
            return
    pytest.fail(f"it has ended with code {process.wait()}")


def test_a_display_that_goes_away_ends_the_daemon_though_nobody_makes_a_gesture(
    profile: Path, nobody: Path
) -> None:
    require_program("Xvfb")
    with running_server(window_manager=False) as server:
        words = ("run", "--source", f"trace:{nobody}", "--profile", profile, "--sink", "x11")
        with gesturectl(*words, env=server.env) as process:
            wait_for_title(process)
            server.stop()
            code, _, said = finished(process)
    assert code == 5
    assert "the X display" in said
    assert "is gone" in said
    assert "Traceback" not in said


def test_a_compositor_that_goes_away_ends_the_daemon_though_nobody_makes_a_gesture(
    profile: Path, nobody: Path
) -> None:
    require_program("sway", "swaymsg", "foot", "setpriv")
    words = ("run", "--source", f"trace:{nobody}", "--profile", profile, "--sink", "wlroots")
    with ExitStack() as stack:
        with running_sway() as sway:
            process = stack.enter_context(gesturectl(*words, env=sway.env))
            wait_for_title(process)
        code, _, said = finished(process)
    assert code == 5
    assert "error:" in said
    assert "Traceback" not in said


def test_models_that_vanish_under_a_daemon_are_not_missed(
    desktop: XServer, profile: Path, bundles: Bundles, tmp_path: Path
) -> None:
    model = tmp_path / "hand.task"
    shutil.copyfile(bundles.hand, model)
    words = ("run", "--source", "puppet:fist:2s?loop=1", "--profile", profile, "--sink", "x11")
    with gesturectl(*words, "--hand-model", model, env=desktop.env) as process:
        held = wait_until(lambda: bool(desktop.down()) or process.poll() is not None, START_S)
        assert held and process.poll() is None, process.communicate()
        model.unlink()
        for down in (False, True, False, True):
            assert wait_until(lambda down=down: bool(desktop.down()) is down, 10.0)  # type: ignore[misc]
        process.terminate()
        assert finished(process)[0] == 0
    assert not desktop.down()


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_model_is_named_at_the_start(
    profile: Path, bundles: Bundles, tmp_path: Path, damage: str
) -> None:
    data = bytearray(bundles.hand.read_bytes())
    if damage == "changed":
        data[len(data) // 2] ^= 0xFF
    model = tmp_path / "hand.task"
    model.write_bytes({"cut": data[: len(data) // 2], "changed": data, "empty": b""}[damage])
    words = ("run", "--source", "puppet:fist", "--profile", profile, "--sink", "print")
    with gesturectl(*words, "--hand-model", model) as process:
        code, _, said = finished(process, START_S)
    assert code == 4, said
    assert str(model) in said
    assert "Traceback" not in said
