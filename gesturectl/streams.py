"""A local socket that is read without waiting, message by message."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from gesturectl.errors import GesturectlError

ANSWER_S = 2.0  # whoever is asked and says nothing for so long hangs

Message = TypeVar("Message")
Cut = Callable[[bytearray], Message | None]
"""Takes the first message off a buffer; returns None while it is not whole. What is no message
of the other end's is a ValueError."""


class Stream(Generic[Message]):
    """A connection to `path`, in whose bytes `cut` finds the messages.

    What goes wrong later raises `problem`: `peer` is what it calls the other end, `loss` what the
    end of that means, and what to do.

    Raises:
        OSError: nobody listens there.
    """

    def __init__(
        self, path: str, cut: Cut[Message], problem: type[GesturectlError], peer: str, loss: str
    ) -> None:
        self._cut, self._problem, self._peer, self._loss = cut, problem, peer, loss
        self._buffer = bytearray()
        self._socket: socket.socket
        if sys.platform == "win32":
            raise OSError(errno.EAFNOSUPPORT, "Python has no local sockets on Windows")
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

    def send(self, data: bytes | bytearray, *files: int) -> None:
        """Send messages; with files they are short, and fit into the kernel's buffer.

        Raises `problem` where the other end is gone, or takes nothing any more.
        """
        try:
            self._socket.settimeout(ANSWER_S)
            if files and sys.platform != "win32":
                socket.send_fds(self._socket, [data], files)
            else:
                self._socket.sendall(data)
        except TimeoutError as error:
            raise self._problem(f"{self._peer} takes nothing in: it hangs") from error
        except OSError as error:
            raise self._gone() from error

    def wait(self) -> Message:
        """Return the next message, when it has come.

        Raises `problem` where the other end is gone, or says nothing.
        """
        while (message := self._first()) is None:
            self._socket.settimeout(ANSWER_S)
            try:
                self._read()
            except TimeoutError as error:
                raise self._problem(f"{self._peer} does not answer") from error
        return message

    def arrived(self) -> Iterator[Message]:
        """Yield the messages that are there.

        Raises `problem` where the other end is gone, and all that it said was yielded.
        """
        while True:
            while (message := self._first()) is not None:
                yield message
            self._socket.settimeout(0)  # each time: who was given a message may have sent one
            try:
                self._read()
            except BlockingIOError:
                return

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def _first(self) -> Message | None:
        try:
            return self._cut(self._buffer)
        except ValueError as error:
            raise self._problem(str(error)) from error

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

    def _gone(self) -> GesturectlError:
        return self._problem(f"{self._peer} has ended: {self._loss}")
