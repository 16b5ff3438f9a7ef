"""A little camera that speaks RTSP on the loopback interface: JPEG over RTP (RFC 2435) over TCP."""

from __future__ import annotations

import itertools
import re
import socket
import socketserver
import struct
import threading
import time
from contextlib import suppress
from typing import Self

from tests.netcam import SIZE_PX, a_jpeg

SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\n"


class RtspCam:
    """Serves moving pictures at any path, to one viewer or several; can die and come back."""

    def __init__(self, interval_s: float = 0.01) -> None:
        self.interval_s = interval_s
        self.port = 0
        self._server: socketserver.ThreadingTCPServer | None = None
        self._connections: set[socket.socket] = set()

    @property
    def stream(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

    def __enter__(self) -> Self:
        self.come_back()
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def come_back(self) -> None:
        """Listen, on the same port as before."""
        camera = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                camera._connections.add(self.connection)
                with suppress(OSError):  # the viewer has gone, or we died
                    camera._talk(self)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def die(self) -> None:
        """Close every connection and stop listening, as when the power is cut."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        for connection in self._connections:
            with suppress(OSError):  # closed by the viewer
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()

    def _talk(self, viewer: socketserver.StreamRequestHandler) -> None:
        while request := viewer.rfile.readline().decode():
            method = request.split()[0]
            number = "0"
            while (line := viewer.rfile.readline().strip().decode()) != "":
                if match := re.fullmatch(r"CSeq: (\d+)", line, re.IGNORECASE):
                    number = match[1]
            headers, body = "", ""
            if method == "OPTIONS":
                headers = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            elif method == "DESCRIBE":
                body = SDP
                headers = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            elif method in ("SETUP", "PLAY"):
                headers = "Session: 1\r\n"
                if method == "SETUP":
                    headers += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
            answer = f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{headers}\r\n{body}"
            viewer.wfile.write(answer.encode())
            if method == "PLAY":
                for packet in map(rtp_packet, itertools.count()):
                    viewer.wfile.write(b"$\x00" + len(packet).to_bytes(2) + packet)
                    time.sleep(self.interval_s)


def rtp_packet(number: int) -> bytes:
    """Return one whole picture as an RTP packet, its quantisation tables included."""
    jpeg = a_jpeg(number)
    tables = b"".join(
        jpeg[at.end() + 2 : at.end() + 66] for at in re.finditer(rb"\xff\xdb\x00(?=\x43)", jpeg)
    )
    start = jpeg.index(b"\xff\xda")
    scan = jpeg[start + 2 + int.from_bytes(jpeg[start + 2 : start + 4]) : -2]
    rtp = struct.pack(">BBHII", 0x80, 0x80 | 26, number & 0xFFFF, number * 3000 & 0xFFFFFFFF, 7)
    half_chroma, tables_follow = 1, 255
    picture = struct.pack(">IBBBB", 0, half_chroma, tables_follow, SIZE_PX[0] // 8, SIZE_PX[1] // 8)
    return rtp + picture + struct.pack(">BBH", 0, 0, len(tables)) + tables + scan
