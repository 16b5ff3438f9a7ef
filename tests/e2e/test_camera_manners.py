"""A daemon's camera is let go of on pause and in meetings; advice comes from real pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gesturectl import daemon
from gesturectl.engine import Step
from gesturectl.ledger import Ledger
from gesturectl.rig import Choice, open_rig
from gesturectl.sinks.memory import MemorySink
from gesturectl.sources.puppet import Puppet
from tests.e2e.process import START_S, finished, gesturectl
from tests.e2e.windows import Client
from tests.e2e.xserver import XServer, wait_until
from tests.netcam import NetCam

pytestmark = pytest.mark.slow

PROFILE = "version: 1\nlandmarks: [hand, body]\nbindings:\n  - {gesture: fist, do: {key: space}}\n"


def status() -> dict[str, Any]:
    with gesturectl("ctl", "status", "--json") as process:
        code, out, _ = finished(process, START_S)
    return dict(json.loads(out)) if code == 0 else {}


def ctl(what: str) -> None:
    with gesturectl("ctl", what) as process:
        assert finished(process, START_S)[0] == 0


@pytest.fixture
def camera(
    desktop: XServer, tmp_path: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NetCam]:
    """A camera that a daemon looks through, on a desktop where Zoom may come to have it."""
    settings = tmp_path / "config" / "gesturectl"
    settings.mkdir(parents=True)
    (settings / "config.yaml").write_text("consent: true\ncamera: {release_when: [Zoom]}\n")
    (tmp_path / "p.yaml").write_text(PROFILE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    monkeypatch.setenv("DISPLAY", desktop.display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    options = ("--profile", tmp_path / "p.yaml", "--sink", "print")
    with NetCam(0.03) as camera, gesturectl("run", "--source", camera.stream, *options):
        assert wait_until(lambda: status().get("frames", 0) > 0, START_S)
        yield camera


def test_a_pause_closes_the_camera_and_resuming_opens_it_again(camera: NetCam) -> None:
    assert camera.viewers == 1
    ctl("pause")
    assert wait_until(lambda: camera.viewers == 0)
    told = status()
    assert (told["paused"], told["problem"], told["frames_per_s"]) == (True, None, 0.0)
    ctl("resume")
    assert wait_until(lambda: camera.viewers == 1)
    assert wait_until(lambda: status()["frames"] > told["frames"], START_S)
    assert status()["problem"] is None


def test_while_a_meeting_s_window_is_open_it_has_the_camera(
    camera: NetCam, desktop: XServer
) -> None:
    with Client(desktop) as client:
        window = client.show("Zoom", "Zoom Meeting")
        assert wait_until(lambda: camera.viewers == 0)
        assert status()["away"] == "Zoom has the camera"
        client.close(window)
        client.finish()
        assert wait_until(lambda: camera.viewers == 1)
    assert wait_until(lambda: status()["frames_per_s"] > 0, START_S)
    assert status()["away"] is None


def filmed(path: Path, script: str, fps: int, light: float, size: float) -> str:
    """Film the puppet, in so much of its light, as so large a part of the picture."""
    puppet = Puppet(f"{script}&fps={fps}")
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, puppet.script.image)
    for index in range(puppet.frames):
        bgr = (puppet.picture(index) * light).astype(np.uint8)[:, :, ::-1]
        small = cv2.resize(bgr, None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
        below, beside = bgr.shape[0] - small.shape[0], bgr.shape[1] - small.shape[1]
        film.write(cv2.copyMakeBorder(small, below, 0, 0, beside, cv2.BORDER_REPLICATE))
    film.release()
    return f"video:{path}"


@pytest.mark.parametrize(
    ("fps", "light", "size", "advice"),
    [
        (15, 1.0, 1.0, {None}),
        (8, 0.08, 1.0, {None, "too dark: 8 fps; more light"}),
        (15, 1.0, 0.25, {None, "too far away; move closer"}),
    ],
    ids=["well", "dark", "far"],
)
def test_what_would_let_the_camera_see_better_is_said(
    fps: int, light: float, size: float, advice: set[str | None], tmp_path: Path
) -> None:
    profile = tmp_path / "p.yaml"
    profile.write_text(PROFILE)
    said: set[str | None] = set()

    def note(t_us: int, step: Step, meters: daemon.Meters) -> None:
        said.add(meters.advice)

    script = "wait:1s,open_palm:6s?frame=webcam&size=0.9"
    source = filmed(tmp_path / "film.avi", script, fps, light, size)
    sink = MemorySink()
    with open_rig(Choice(source, str(profile), sink), realtime=False) as rig:
        daemon.run(rig.source, rig.landmarker, rig.engine, sink, Ledger(), on_step=note)
    assert said == advice
