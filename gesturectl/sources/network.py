"""`http://…`, `https://…`, `rtsp://…`: a network camera, or a phone that plays one.

MJPEG over HTTP is read here: pictures are cut out of the stream by their own markers, whatever
framing is around them, since cameras get that wrong more often than the pictures. RTSP is read by
the FFmpeg inside OpenCV. Watching and reconnecting is `live`'s. Passwords in a URL never appear in
a message.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import numpy as np

from gesturectl.errors import SourceError
from gesturectl.sources.clock import MONOTONIC, Clock
from gesturectl.sources.live import Device, Live, Picture, Unavailable
from gesturectl.sources.opencv import cv2

TIMEOUT_S: Final = 5.0
MAX_PICTURE_BYTES: Final = 8 << 20
MAX_PICTURE_PX: Final = 40_000_000
MAX_JUNK_BYTES: Final = 1 << 20  # between two pictures; part headers take about 100
CHUNK_BYTES: Final = 1 << 18


def open_url(argument: str, *, realtime: bool, clock: Clock = MONOTONIC) -> Live:
    """Open a network camera by its URL; ``user:password@`` before the host is sent as a login.

    Raises:
        SourceError: the URL is no URL, or nothing there sends pictures.
    """
    del realtime  # a camera is never anything else
    url = _parsed(argument)
    device: Device = (HttpDevice if url.scheme.startswith("http") else RtspDevice)(url, clock)
    return Live(device, clock)


def shown(url: SplitResult) -> str:
    """Return a URL as it may be shown: without login, and without the query, where some put it."""
    host = url.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{host}{port}{url.path}" + ("?…" if url.query else "")


def _parsed(argument: str) -> SplitResult:
    try:
        url = urlsplit(argument)
        if url.hostname and url.port != 0:
            return url
    except ValueError:
        pass  # its message may repeat the login
    raise SourceError(
        "this is not the address of a camera; write it like http://192.168.1.20:8080/video"
    )


class HttpDevice:
    """A camera that sends JPEG pictures one after another over HTTP."""

    def __init__(self, url: SplitResult, clock: Clock = MONOTONIC) -> None:
        self.name = f"camera {shown(url)}"
        self._clock = clock
        self._request_url = url._replace(netloc=url.netloc.rpartition("@")[2], fragment="").geturl()
        self._opener = _http_opener(self._request_url, url.username, url.password)
        self._response: http.client.HTTPResponse | None = None
        self._stream: JpegStream | None = None
        self._jpeg: bytes = b""
        self._waiting = False  # a picture was read while opening and is still to be grabbed

    def open(self) -> str:
        self.release()
        try:
            request = urllib.request.Request(  # noqa: S310 (only http and https come here)
                self._request_url, headers={"User-Agent": "gesturectl"}
            )
            self._response = self._opener.open(request, timeout=TIMEOUT_S)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"{self.name} {_why_no_answer(error)}") from None
        kind = self._response.headers.get("Content-Type", "").lower()
        if kind.startswith("text/"):
            raise Unavailable(
                f"{self.name} is a page for people, not a stream; find the address of its MJPEG "
                "stream, often /video, /stream or /mjpg/video.mjpg"
            )
        if kind.startswith("image/jpeg"):
            raise Unavailable(
                f"{self.name} is one picture, not a stream; find the address of its MJPEG stream"
            )
        self._stream = JpegStream(self._response.read1)
        self.grab()
        self._waiting = True
        picture = self.retrieve()
        return "MJPEG" if picture is None else f"{picture.shape[1]}×{picture.shape[0]} MJPEG"

    def grab(self) -> int:
        if self._waiting:
            self._waiting = False
            return self._clock.now_us()
        if self._stream is None:
            raise Unavailable(f"{self.name} is not connected")
        try:
            self._jpeg = self._stream.newest()
        except EOFError:
            raise Unavailable(f"{self.name} ended the stream; connecting again") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"{self.name} {_why_no_answer(error)}") from None
        return self._clock.now_us()

    def retrieve(self) -> Picture | None:
        try:
            data = np.frombuffer(self._jpeg, np.uint8)
            rgb: Picture | None = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
        except cv2.error:
            return None
        return rgb

    def release(self) -> None:
        if self._response is not None:
            self._response.close()
        self._response = self._stream = None
        self._waiting = False


class RtspDevice:
    """A camera that speaks RTSP, read by FFmpeg."""

    def __init__(self, url: SplitResult, clock: Clock = MONOTONIC) -> None:
        self.name = f"camera {shown(url)}"
        self._url = url
        self._clock = clock
        self._capture: Any = None

    def open(self) -> str:
        self.release()
        timeout_ms = round(TIMEOUT_S * 1000)
        timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms]
        timeouts += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms]
        capture = cv2.VideoCapture(self._url.geturl(), cv2.CAP_FFMPEG, timeouts)
        if not capture.isOpened():
            capture.release()
            raise Unavailable(f"{self.name} {self._why_not_opened()}")
        self._capture = capture
        width, height, fps = (
            capture.get(which)
            for which in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
        )
        rate = f" {fps:.4g} fps" if 0 < fps <= 240 else ""
        return f"{width:.0f}×{height:.0f}{rate} RTSP"

    def grab(self) -> int:
        if self._capture is None or not self._capture.grab():
            raise Unavailable(f"{self.name} ended the stream; connecting again")
        return self._clock.now_us()

    def retrieve(self) -> Picture | None:
        decoded, bgr = self._capture.retrieve()
        if not decoded or bgr is None:
            return None
        rgb: Picture = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        return rgb

    def release(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _why_not_opened(self) -> str:
        """FFmpeg does not tell; whether the host answers at all does."""
        default_port = 322 if self._url.scheme == "rtsps" else 554
        address = (self._url.hostname or "", self._url.port or default_port)
        try:
            socket.create_connection(address, timeout=TIMEOUT_S).close()
        except OSError as error:
            return _why_no_answer(error)
        return "answers, but sends no video; check the path and the login in its address"


# --- MJPEG --------------------------------------------------------------------------------------

START: Final = b"\xff\xd8\xff"

# What ends a run of compressed data: a marker that is neither a stuffed zero nor a restart.
_END_OF_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class JpegStream:
    """Cuts JPEG pictures out of a stream: `read(n)` returns up to n bytes, none at the end."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._buffer = bytearray()
        self._junk = 0

    def newest(self) -> bytes:
        """Wait until a picture is whole; return the newest of those that have arrived.

        Raises:
            EOFError: the stream is over.
            ValueError: what comes are not pictures of a sensible size.
        """
        while True:
            newest = None
            while (picture := self._cut()) is not None:
                newest = picture
            if newest is not None:
                return newest
            data = self._read(CHUNK_BYTES)
            if not data:
                raise EOFError
            self._buffer += data

    def _cut(self) -> bytes | None:
        """Take the first whole picture out of the buffer; drop junk and damage before it."""
        while True:
            start = self._buffer.find(START)
            dropped = start if start >= 0 else max(0, len(self._buffer) - len(START) + 1)
            del self._buffer[:dropped]
            self._junk += dropped
            if self._junk > MAX_JUNK_BYTES:
                raise ValueError("what it sends are not JPEG pictures")
            if start < 0:
                return None
            try:
                end = jpeg_end(self._buffer)
            except ValueError:
                del self._buffer[: len(START) - 1]
                self._junk += len(START) - 1
                continue
            if end is None:
                if len(self._buffer) > MAX_PICTURE_BYTES:
                    raise ValueError(f"a picture is larger than {MAX_PICTURE_BYTES >> 20} MiB")
                return None
            picture = bytes(self._buffer[:end])
            del self._buffer[:end]
            self._junk = 0
            return picture


def jpeg_end(data: bytes | bytearray) -> int | None:
    """Return where the JPEG picture ends with which `data` begin, or None when it is not all there.

    Walks from marker to marker by their lengths, so that a thumbnail inside a picture, which has
    an end marker of its own, is passed over.

    Raises:
        ValueError: the picture is damaged, or too large to be one of a camera.
    """
    at = 2
    while at + 2 <= len(data):
        if data[at] != 0xFF:
            raise ValueError("no marker where one must be")
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker == 0xD9:
            return at + 2
        elif marker == 0xD8:
            raise ValueError("the picture was cut off by the next one")
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without content
            at += 2
        else:
            if at + 9 > len(data):
                return None
            size = int.from_bytes(data[at + 2 : at + 4])
            height, width = (
                int.from_bytes(data[at + 5 : at + 7]),
                int.from_bytes(data[at + 7 : at + 9]),
            )
            if size < 2 or (marker in _FRAME_HEADERS and height * width > MAX_PICTURE_PX):
                raise ValueError("impossible size")
            at += 2 + size
            if marker == 0xDA:  # start of a scan: its compressed data follow
                found = _END_OF_SCAN.search(data, at)
                if found is None:
                    return None
                at = found.start()
    return None


# --- HTTP ---------------------------------------------------------------------------------------


def _http_opener(url: str, user: str | None, password: str | None) -> urllib.request.OpenerDirector:
    """Return an opener for this camera: http and https alone, no proxy, login only if given."""
    opener = urllib.request.OpenerDirector()
    logins = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if user is not None:
        logins.add_password(None, url, unquote(user), unquote(password or ""))
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPBasicAuthHandler(logins),
        urllib.request.HTTPDigestAuthHandler(logins),
        urllib.request.UnknownHandler(),  # redirected to something else: an error, not None
    ):
        opener.add_handler(handler)
    return opener


_STATUS: Final = {
    401: "asks for a login: write it as http://user:password@host/…, or correct it",
    403: "forbids access; check the login and the camera's settings",
    404: "answers, but has nothing at this path; look up the address of its MJPEG stream",
    503: "is busy: it serves no more viewers; close another one",
}


def _why_no_answer(error: Exception) -> str:
    """Say in plain words why a camera does not answer; never repeats the request."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return _STATUS.get(error.code, f"answers with the HTTP error {error.code}")
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    match reason:
        case ssl.SSLError():
            return "has a certificate that cannot be trusted; use http:// within your own network"
        case socket.gaierror():
            return "is missing: no host of this name; check the address"
        case TimeoutError():
            return f"is silent for {TIMEOUT_S:.0f} s; is it switched on and in this network?"
        case ConnectionRefusedError():
            return "is missing: nothing listens at this address; start the camera or its app"
        case OSError():
            return f"cannot be reached: {reason.strerror or 'the connection broke'}"
        case http.client.HTTPException():
            return "does not speak HTTP as it should; check the address"
        case ValueError():
            return f"does not send a stream: {reason}"
    return "cannot be reached"
