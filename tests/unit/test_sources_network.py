"""Cutting pictures out of streams, and keeping logins out of messages."""

from __future__ import annotations

import io
from collections.abc import Callable
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesturectl.errors import SourceError
from gesturectl.sources import open_source
from gesturectl.sources.network import (
    MAX_JUNK_BYTES,
    MAX_PICTURE_BYTES,
    HttpDevice,
    JpegStream,
    jpeg_end,
    shown,
)


def a_jpeg(seed: int = 0, *, progressive: bool = False) -> bytes:
    picture = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive), cv2.IMWRITE_JPEG_RST_INTERVAL, 2]
    return cv2.imencode(".jpg", picture, options)[1].tobytes()


def with_thumbnail(jpeg: bytes) -> bytes:
    """Put a whole picture, end marker included, into a segment of another, as Exif does."""
    inside = a_jpeg(99)
    return jpeg[:2] + b"\xff\xe1" + (len(inside) + 2).to_bytes(2) + inside + jpeg[2:]


def reads(data: bytes, size: int = 1 << 18) -> Callable[[int], bytes]:
    stream = io.BytesIO(data)
    return lambda wanted: stream.read(min(size, wanted))


def all_of(read: Callable[[int], bytes]) -> list[bytes]:
    stream, pictures = JpegStream(read), []
    while True:
        try:
            pictures.append(stream.newest())
        except EOFError:
            return pictures


ONE, TWO = a_jpeg(1), a_jpeg(2)
HEAD = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize(
    "stream",
    [
        HEAD % len(ONE) + ONE + b"\r\n" + HEAD % len(TWO) + TWO + b"\r\n--frame--\r\n",
        ONE + TWO,
        b"\r\n".join([b"", ONE, b"--", TWO, b""]),
        HEAD % 17 + ONE + HEAD % 999_999 + TWO,
    ],
    ids=["multipart", "bare", "odd boundary", "wrong lengths"],
)
@pytest.mark.parametrize("size", [1, 700, 1400])
def test_pictures_are_cut_out_whatever_is_around_them(stream: bytes, size: int) -> None:
    assert all_of(reads(stream, size)) == [ONE, TWO]


def test_of_pictures_that_came_together_the_newest_wins() -> None:
    assert all_of(reads(ONE + TWO)) == [TWO]


@pytest.mark.parametrize("jpeg", [a_jpeg(progressive=True), with_thumbnail(ONE)])
def test_end_markers_inside_a_picture_do_not_end_it(jpeg: bytes) -> None:
    assert all_of(reads(jpeg + TWO, 64)) == [jpeg, TWO]


def test_a_picture_cut_off_by_the_next_is_dropped() -> None:
    assert all_of(reads(ONE[: len(ONE) // 2] + TWO, 64)) == [TWO]


def test_a_picture_with_damaged_markers_is_dropped() -> None:
    damaged = ONE[:2] + b"\xff\xe0\x00\x01" + ONE[6:]
    assert all_of(reads(damaged + TWO, 64)) == [TWO]


def test_a_picture_that_claims_an_absurd_size_is_dropped() -> None:
    at = ONE.index(b"\xff\xc0")
    huge = ONE[: at + 5] + b"\xff\xff\xff\xff" + ONE[at + 9 :]
    assert all_of(reads(huge + TWO, 64)) == [TWO]


def test_a_stream_without_pictures_is_given_up() -> None:
    with pytest.raises(ValueError, match="not JPEG pictures"):
        JpegStream(reads(b"x" * (MAX_JUNK_BYTES + 10))).newest()


def test_a_picture_without_end_is_given_up() -> None:
    scan = ONE[: ONE.index(b"\xff\xda") + 14]
    with pytest.raises(ValueError, match="larger than 8 MiB"):
        JpegStream(reads(scan + b"x" * (MAX_PICTURE_BYTES + 10))).newest()


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_are_pictures_junk_or_an_end(data: bytes, size: int) -> None:
    for picture in all_of(reads(b"\xff\xd8\xff" + data, size)):
        assert jpeg_end(picture) == len(picture)


# --- logins -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://cam:8080/video", "http://cam:8080/video"),
        ("http://me:secret@cam/video", "http://cam/video"),
        ("http://cam/video.cgi?user=me&pwd=secret", "http://cam/video.cgi?…"),
        ("rtsp://me:secret@[::1]:554/live", "rtsp://[::1]:554/live"),
    ],
)
def test_a_url_is_shown_without_its_login(url: str, expected: str) -> None:
    assert shown(urlsplit(url)) == expected
    assert HttpDevice(urlsplit(url)).name == f"camera {expected}"


@pytest.mark.parametrize(
    "url", ["http://", "http:///video", "http://me:secret@", "http://cam:port/", "http://[cam/"]
)
def test_what_is_no_address_is_told_without_repeating_it(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(url, realtime=True)
    assert str(caught.value) == (
        "this is not the address of a camera; write it like http://192.168.1.20:8080/video"
    )
