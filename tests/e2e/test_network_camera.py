"""A network camera over real sockets: it dies, comes back, asks for a login, or is none at all."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from gesturectl.errors import SourceError
from gesturectl.sources import Source, open_source
from gesturectl.types import Frame
from tests.netcam import NetCam
from tests.rtspcam import RtspCam


@pytest.fixture
def camera() -> Iterator[NetCam]:
    with NetCam() as camera:
        yield camera


def frames(source: Source, count: int) -> list[Frame]:
    """Read so many frames, however long it takes, within reason."""
    found: list[Frame] = []
    deadline = time.monotonic() + 20
    while len(found) < count:
        frame = source.read(0.5)
        if isinstance(frame, Frame):
            found.append(frame)
        assert time.monotonic() < deadline, f"no frames: {source.problem}"
    return found


def shows_a_red_bar_on_blue(frame: Frame) -> bool:
    row = frame.rgb[24].astype(int)
    reddest, bluest = row[row[:, 0].argmax()], row[row[:, 2].argmax()]
    return bool(reddest[0] > reddest[2] + 100 and bluest[2] > bluest[0] + 50)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("kind", [NetCam, RtspCam])
def test_a_camera_that_dies_and_comes_back_is_found_again(kind: type[NetCam | RtspCam]) -> None:
    with kind() as camera, open_source(camera.stream, realtime=True) as source:
        before = frames(source, 5)
        assert source.problem is None

        camera.die()
        wait_for(lambda: source.problem is not None)
        # First that the stream ended, then that nobody listens any more.
        wait_for(lambda: "is missing: nothing listens" in (source.problem or ""))
        source.read(0)  # what was on its way
        assert source.read(0.05) is None

        camera.come_back()
        after = frames(source, 5)
        assert source.problem is None

    times = [frame.t_us for frame in before + after]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert times[0] <= times[-1] <= time.monotonic_ns() // 1000


def test_a_camera_that_falls_silent_is_told_while_it_lasts(camera: NetCam) -> None:
    with open_source(camera.stream, realtime=True) as source:
        frames(source, 2)
        camera.stalled.set()
        wait_for(lambda: "it has sent no picture for more than a second" in (source.problem or ""))
        camera.stalled.clear()
        frames(source, 2)
        wait_for(lambda: source.problem is None)


@pytest.mark.parametrize("path", ["/video", "/bare", "/moved", "/video?quality=3"])
def test_pictures_come_in_rgb_and_in_their_size(camera: NetCam, path: str) -> None:
    with open_source(camera.url + path, realtime=True) as source:
        frame = frames(source, 1)[0]
        assert frame.rgb.shape == (48, 64, 3)
        assert frame.rgb.dtype == np.uint8
        assert shows_a_red_bar_on_blue(frame)
        shown = path.replace("?quality=3", "?…")
        assert source.description == f"camera {camera.url}{shown} 64×48 MJPEG"


def test_rtsp_pictures_come_in_rgb_and_in_their_size() -> None:
    with RtspCam() as camera, open_source(camera.stream, realtime=True) as source:
        frame = frames(source, 1)[0]
        assert frame.rgb.shape == (48, 64, 3)
        assert shows_a_red_bar_on_blue(frame)
        assert source.description.startswith(f"camera {camera.stream} 64×48")


def test_a_login_is_sent_and_never_shown(camera: NetCam, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = camera.url.replace("//", "//me:se%20cret@")
    with open_source(f"{url}/private", realtime=True) as source:
        frames(source, 1)
        camera.die()
        wait_for(lambda: "is missing" in (source.problem or ""))
        shown = f"{source.description} {source.problem} {caplog.text}"
    assert "cret" not in shown
    assert "me:" not in shown


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/private", "asks for a login: write it as http://user:password@host/…, or correct it"),
        ("/nowhere", "answers, but has nothing at this path; look up the address of its MJPEG"),
        ("/index.html", "is a page for people, not a stream; find the address of its MJPEG"),
        ("/shot.jpg", "is one picture, not a stream"),
        ("/away", "cannot be reached"),
    ],
)
def test_what_is_no_stream_is_told_at_once(camera: NetCam, path: str, expected: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(camera.url + path, realtime=True)
    assert str(caught.value).startswith(f"camera {camera.url}{path} {expected}")


def test_a_wrong_login_is_told_without_showing_it(camera: NetCam) -> None:
    with pytest.raises(SourceError, match="asks for a login") as caught:
        open_source(f"{camera.url}/private".replace("//", "//me:wrong@"), realtime=True)
    assert "me:wrong" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_an_address_where_nothing_listens_is_told_at_once(
    scheme: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with pytest.raises(SourceError) as caught:
            open_source(f"{scheme}://me:secret@127.0.0.1:{port}/live", realtime=True)
    assert str(caught.value) == (
        f"camera {scheme}://127.0.0.1:{port}/live is missing: nothing listens at this address; "
        "start the camera or its app"
    )
    assert capfd.readouterr() == ("", "")


def test_what_does_not_speak_rtsp_is_told(camera: NetCam) -> None:
    with pytest.raises(SourceError, match="answers, but sends no video; check the path"):
        open_source(f"rtsp://127.0.0.1:{camera.port}/live", realtime=True)
