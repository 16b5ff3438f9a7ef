"""A little network camera on the loopback interface: real sockets, and it can die and come back."""

from __future__ import annotations

import base64
import itertools
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import cv2
import numpy as np

SIZE_PX = (64, 48)


def a_jpeg(number: int) -> bytes:
    """Return a dark blue picture on which one red bar stands further right with each number."""
    rgb = np.full((SIZE_PX[1], SIZE_PX[0], 3), (20, 20, 120), np.uint8)
    left = number % (SIZE_PX[0] - 8)
    rgb[:, left : left + 8] = 220, 20, 20
    return cv2.imencode(".jpg", rgb[:, :, ::-1])[1].tobytes()


class NetCam:
    """Serves moving MJPEG at ``/video``, the same behind a login at ``/private``, without any
    framing at ``/bare``, and some things that are no stream.
    """

    def __init__(self, interval_s: float = 0.01) -> None:
        self.interval_s = interval_s
        self.stalled = threading.Event()  # connected, but nothing comes
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self._connections: set[socket.socket] = set()
        self._numbers = itertools.count()
        self._pictures = [a_jpeg(number) for number in range(SIZE_PX[0])]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream(self) -> str:
        return f"{self.url}/video"

    @property
    def viewers(self) -> int:
        """How many are connected; of one that has gone it is known with the next picture."""
        return len(self._connections)

    def __enter__(self) -> Self:
        self.come_back()
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def come_back(self) -> None:
        """Listen, on the same port as before."""
        camera = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                camera._connections.add(self.connection)
                with suppress(OSError):  # the viewer has gone, or we died
                    camera._answer(self)
                camera._connections.discard(self.connection)
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def die(self) -> None:
        """Close every connection and stop listening, as when the power is cut."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        for connection in tuple(self._connections):
            with suppress(OSError):  # closed by the viewer
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        page = request.path.partition("?")[0]
        if page == "/private":
            login = "Basic " + base64.b64encode(b"me:se cret").decode()
            if request.headers.get("Authorization") != login:
                return self._say(request, 401, "text/plain", b"", ('Basic realm="camera"'))
            page = "/video"
        if page == "/video":
            request.send_response(200)
            request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            request.end_headers()
            return self._stream(
                request, b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
            )
        if page == "/bare":
            request.send_response(200)
            request.end_headers()
            return self._stream(request, b"")
        if page == "/moved":
            request.send_response(302)
            request.send_header("Location", "/video")
            request.send_header("Content-Length", "0")
            return request.end_headers()
        if page == "/away":
            request.send_response(302)
            request.send_header("Location", "ftp://127.0.0.1/video")
            request.send_header("Content-Length", "0")
            return request.end_headers()
        if page == "/index.html":
            return self._say(request, 200, "text/html; charset=utf-8", b"<h1>Camera</h1>")
        if page == "/shot.jpg":
            return self._say(request, 200, "image/jpeg", self._pictures[0])
        return self._say(request, 404, "text/plain", b"")

    def _say(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        kind: str,
        content: bytes,
        login: str | None = None,
    ) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        if login:
            request.send_header("WWW-Authenticate", login)
        request.end_headers()
        request.wfile.write(content)

    def _stream(self, request: BaseHTTPRequestHandler, head: bytes) -> None:
        while True:
            while self.stalled.is_set():
                time.sleep(0.01)
            jpeg = self._pictures[next(self._numbers) % len(self._pictures)]
            request.wfile.write((head % len(jpeg) if head else b"") + jpeg + b"\r\n")
            time.sleep(self.interval_s)
