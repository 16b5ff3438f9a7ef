"""Wayland's wire: messages of whole words over a local socket, and a client that exchanges them.

    ┌ object ─┬ bytes · number ┬ arguments …    uint, int, fixed: a word each
    │ 4 bytes │ 2 + 2 bytes    │                string: length with its zero, itself, filled up
    └─────────┴────────────────┘                fd: beside the bytes, not among them

Numbers are in the machine's own byte order. Source: "Wire Format" in the protocol's documentation,
and wayland.xml; requests and events are numbered in the order of the XML files.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gesturectl.errors import GesturectlError
from gesturectl.streams import Stream

HEADER = struct.Struct("=IHH")  # object, number of the request or event, bytes of the message
WORD = struct.Struct("=I")

DISPLAY = 1  # the one object that is there from the start
DISPLAY_SYNC, DISPLAY_GET_REGISTRY, REGISTRY_BIND = 0, 1, 0  # requests
DISPLAY_ERROR, REGISTRY_GLOBAL = 0, 0  # events


class Message(NamedTuple):
    """An event: of which object, its number, its arguments as they came."""

    object: int
    event: int
    body: bytes


class Global(NamedTuple):
    """What a desktop offers: its number there, its interface, the newest version it speaks."""

    name: int
    interface: str
    version: int


def cut(buffer: bytearray) -> Message | None:
    """Take the first message off a buffer, or None while it is not whole.

    Raises:
        ValueError: this is no message of Wayland's.
    """
    if len(buffer) < HEADER.size:
        return None
    of, event, size = HEADER.unpack_from(buffer)
    if size < HEADER.size:
        raise ValueError("what answers at WAYLAND_DISPLAY does not speak Wayland")
    if len(buffer) < size:
        return None
    body = bytes(buffer[HEADER.size : size])
    del buffer[:size]
    return Message(of, event, body)


def message(of: int, request: int, *words: int, body: bytes = b"") -> bytes:
    """Write a request: its words, negative ones too, then what else it carries."""
    arguments = struct.pack(f"={len(words)}I", *(word & 0xFFFF_FFFF for word in words)) + body
    return HEADER.pack(of, request, HEADER.size + len(arguments)) + arguments


def bind(registry: int, offered: Global, version: int, number: int) -> bytes:
    """Write the request that makes a global ours, as the object `number`."""
    wanted = WORD.pack(offered.name) + string(offered.interface)
    return message(registry, REGISTRY_BIND, body=wanted + struct.pack("=II", version, number))


def read_global(body: bytes) -> Global:
    """Read the registry's event that tells of one."""
    (name,) = WORD.unpack_from(body)
    (version,) = WORD.unpack_from(body, len(body) - WORD.size)
    return Global(name, read_string(body, WORD.size), version)


def string(text: str) -> bytes:
    """Write a text: its length with the closing zero, itself, filled to words."""
    raw = text.encode() + b"\0"
    return WORD.pack(len(raw)) + raw + bytes(-len(raw) % 4)


def read_string(body: bytes, offset: int) -> str:
    """Read the text at an offset."""
    (length,) = WORD.unpack_from(body, offset)
    return body[offset + 4 : offset + 4 + max(0, length - 1)].decode("utf-8", "replace")


def fixed(amount: float) -> int:
    """Return a number in 256ths, as which Wayland writes fractions."""
    return round(amount * 256)


def shared_memory(name: str) -> int:
    """Return a descriptor of new memory, empty, that a compositor may be given.

    Raises:
        OSError: there is none to be had; on Windows and macOS there never is.
    """
    if sys.platform == "win32" or sys.platform == "darwin":
        raise OSError(errno.ENOTSUP, "there is no Wayland on this system")
    return os.memfd_create(name)


def display_path() -> str:
    """Return where the environment says that Wayland is spoken; empty outside such a session."""
    display = os.environ.get("WAYLAND_DISPLAY", "")
    if not display or display.startswith("/"):
        return display
    return str(Path(os.environ.get("XDG_RUNTIME_DIR", "/"), display))


class Client:
    """Our end of the Wayland desktop at `path`, and the objects that we make there.

    `heard` takes the events. `globals` are those of the `registry` by interface; of several, as of
    seats, the first, which is the user's. What goes wrong, also later, raises `problem`; `loss` is
    what the end of the desktop means, and what to do.
    """

    def __init__(
        self,
        path: str,
        heard: Callable[[Message], None],
        problem: type[GesturectlError],
        loss: str,
    ) -> None:
        self.globals: dict[str, Global] = {}
        self._heard, self._problem = heard, problem
        self._newest = DISPLAY  # numbers of objects that we make must follow each other
        self.registry = self.number()
        if not path:
            raise problem("WAYLAND_DISPLAY is not set: start gesturectl in a Wayland session")
        try:
            self._stream = Stream(path, cut, problem, f"the Wayland desktop at {path}", loss)
        except OSError as error:
            raise problem(
                f"no Wayland desktop answers at {path} ({error.strerror or error}); start "
                "gesturectl inside its session"
            ) from error

    def fileno(self) -> int:
        """Return the descriptor of the connection."""
        return self._stream.fileno()

    def read_globals(self) -> None:
        """Have the desktop tell what it offers, and wait until it has."""
        self.send(DISPLAY, DISPLAY_GET_REGISTRY, self.registry)
        self.round_trip()

    def number(self) -> int:
        """Return the number of a new object."""
        self._newest += 1
        return self._newest

    def bind(self, offered: Global, newest: int) -> int:
        """Make a global ours, in the newest version that both sides know; return its number."""
        number = self.number()
        self.write(bind(self.registry, offered, min(offered.version, newest), number))
        return number

    def send(self, of: int, request: int, *words: int, body: bytes = b"") -> None:
        """Send a request."""
        self.write(message(of, request, *words, body=body))

    def write(self, requests: bytes | bytearray, *files: int) -> None:
        """Send requests as they are, and files with them."""
        try:
            self._stream.send(requests, *files)
        except self._problem:
            self.read_events()  # why it has ended, if it has said so
            raise

    def read_events(self) -> None:
        """Hear what the desktop has said since the last call."""
        for told in self._stream.arrived():
            self._take_in(told)

    def round_trip(self) -> None:
        """Wait until the desktop has done all that was sent, and told what came of it."""
        callback = self.number()
        self.send(DISPLAY, DISPLAY_SYNC, callback)
        while (told := self._stream.wait()).object != callback:
            self._take_in(told)

    def close(self) -> None:
        """Leave."""
        self._stream.close()

    def _take_in(self, told: Message) -> None:
        if told.object == DISPLAY and told.event == DISPLAY_ERROR:
            reason = read_string(told.body, 8)
            raise self._problem(f"the Wayland desktop refused what was sent: {reason}")
        if told.object == self.registry and told.event == REGISTRY_GLOBAL:
            offered = read_global(told.body)
            self.globals.setdefault(offered.interface, offered)
        self._heard(told)
