"""A camera of this machine, real or virtual, through V4L2.

Without hardware, `sudo modprobe vivid` makes one (or v4l2loopback with something that feeds it).
"""

from __future__ import annotations

import sys
import time

import pytest

from gesturectl.errors import SourceError
from gesturectl.sources import open_source
from gesturectl.sources.camera import CameraInfo, list_cameras
from gesturectl.types import Frame

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is a part of Linux")


@pytest.fixture
def camera() -> CameraInfo:
    usable = [camera for camera in list_cameras() if camera.readable]
    if not usable:
        pytest.skip("no camera here; `sudo modprobe vivid` makes one")
    return usable[0]


def test_a_camera_delivers_frames(camera: CameraInfo) -> None:
    with open_source(f"camera:{camera.index}", realtime=True) as source:
        assert camera.name in source.description
        times = []
        deadline = time.monotonic() + 10
        while len(times) < 5:
            assert time.monotonic() < deadline, source.problem
            frame = source.read(0.5)
            if isinstance(frame, Frame):
                assert frame.rgb.shape[2] == 3
                times.append(frame.t_us)
    assert times == sorted(set(times))
    assert times[-1] <= time.monotonic_ns() // 1000


def test_a_camera_held_by_another_program_is_busy(camera: CameraInfo) -> None:
    with open_source(f"camera:{camera.index}", realtime=True) as first:
        while first.read(0.5) is None:
            assert first.problem is None
        with open_source(f"camera:{camera.index}", realtime=True) as second:
            assert "is busy" in (second.problem or "")


def test_a_camera_that_is_not_there_is_told() -> None:
    with pytest.raises(SourceError, match="camera 963 is missing"):
        open_source("camera:963", realtime=True)
