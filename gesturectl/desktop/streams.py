"""A local socket that is read without waiting, message by message."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import TypeVar

from gesturectl.errors import DesktopError

NO_WINDOWS = "which window is in front is not known any more"
ANSWER_S = 2.0  # a desktop that is asked at the start and says nothing for so long hangs

Message = TypeVar("Message")
Cut = Callable[[bytearray], Message | None]
"""Takes the first message off a buffer; returns None while it is not whole."""


class Stream:
    """A connection to `path`; `peer` is what errors call the other end, `loss` what its end means.

    Raises:
        OSError: nobody listens there.
    """

    def __init__(self, path: str, peer: str, loss: str = NO_WINDOWS) -> None:
        self._peer, self._loss = peer, loss
        self._buffer = bytearray()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(ANSWER_S)
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor of the connection."""
        return self._socket.fileno()

    def send(self, message: bytes, *files: int) -> None:
        """Send a message; they are short, and fit into the kernel's buffer.

        Raises:
            DesktopError: the other end is gone.
        """
        try:
            self._socket.settimeout(ANSWER_S)
            if files:
                socket.send_fds(self._socket, [message], files)
            else:
                self._socket.sendall(message)
        except OSError as error:
            raise self._gone() from error

    def wait(self, cut: Cut[Message]) -> Message:
        """Return the next message, when it has come.

        Raises:
            DesktopError: the other end is gone, or says nothing.
        """
        self._socket.settimeout(ANSWER_S)
        while (message := cut(self._buffer)) is None:
            try:
                self._read()
            except TimeoutError as error:
                raise DesktopError(f"{self._peer} does not answer") from error
        return message

    def arrived(self, cut: Cut[Message]) -> Iterator[Message]:
        """Yield the messages that are there.

        Raises:
            DesktopError: the other end is gone, and all that it said was yielded.
        """
        while True:
            while (message := cut(self._buffer)) is not None:
                yield message
            self._socket.settimeout(0)  # each time: who was given a message may have sent one
            try:
                self._read()
            except BlockingIOError:
                return

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def _read(self) -> None:
        try:
            data = self._socket.recv(1 << 16)
        except (BlockingIOError, TimeoutError):
            raise
        except OSError as error:
            raise self._gone() from error
        if not data:
            raise self._gone()
        self._buffer += data

    def _gone(self) -> DesktopError:
        return DesktopError(
            f"{self._peer} has ended: {self._loss}; start gesturectl again when the desktop is back"
        )
