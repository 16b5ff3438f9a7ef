"""The desktop of sway, by its own protocol: JSON messages over a socket, each behind 14 bytes.

    sway   window focus {…}   window title {…}   window close {…}   workspace focus {nobody there}
    poll   Window             Window             Window of nobody   Window of nobody

News is pushed and carries all that is told; nothing is asked after the start. i3 speaks the same,
but runs on X11, where `x11` also watches keyboards and mice.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from gesturectl.desktop import LOST, WAYLAND_INPUT, OpenWindow, Texts
from gesturectl.desktop.processes import executable_of
from gesturectl.errors import DesktopError
from gesturectl.streams import Stream
from gesturectl.types import UserInput, Window

# Source: sway-ipc(7). Numbers are in the machine's own byte order.
MAGIC = b"i3-ipc"
HEADER = struct.Struct("=6sII")
SUBSCRIBE, GET_TREE = 2, 4
WORKSPACE_EVENT, WINDOW_EVENT = 0x8000_0000, 0x8000_0003
LONGEST = 64 << 20  # no tree is longer; what claims to be is not sway

Node = dict[str, Any]


class SwayDesktop:
    """Watches the sway whose socket is `path`, by default that of the environment.

    Raises:
        DesktopError: no sway answers there; says what to do.
    """

    name = "sway"
    windows_problem: str | None = None
    input_problem: str | None = WAYLAND_INPUT

    def __init__(self, path: str | None = None) -> None:
        self._path = path or os.environ.get("SWAYSOCK", "")
        self._stream = _connect(self._path)
        self._front = 0  # sway's number of the container in front
        self._told: Texts | None = None
        self._stream.send(_message(SUBSCRIBE, json.dumps(["window", "workspace"])))
        self._stream.send(_message(GET_TREE))
        tree: Node = {}
        while not tree:
            kind, content = self._stream.wait()
            if kind == SUBSCRIBE and not content.get("success"):
                raise DesktopError(f"sway at {self._path} does not tell of its windows")
            tree = content if kind == GET_TREE else {}
        front = next((node for node in _containers(tree) if node.get("focused")), None)
        self._next: Node | None = front or {}

    def poll(self, t_us: int) -> tuple[Window | UserInput, ...]:
        """Return what has happened since the last call. See `Desktop.poll`.

        Raises:
            DesktopError: sway has ended.
        """
        for kind, content in self._stream.arrived():
            self._take_in(kind, content)
        if self._next is None:
            return ()
        node, self._next = self._next, None
        self._front = int(node.get("id", 0))
        texts = _texts(node)
        if texts == self._told:
            return ()
        self._told = texts
        return (Window(t_us, *texts),)

    def windows(self) -> tuple[OpenWindow, ...]:
        """Return all windows, in the order of sway's tree.

        Raises:
            DesktopError: sway has ended.
        """
        stream = _connect(self._path)
        try:
            stream.send(_message(GET_TREE))
            _, tree = stream.wait()
        finally:
            stream.close()
        return tuple(
            OpenWindow(*_texts(node), bool(node.get("focused"))) for node in _containers(tree)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()

    def _take_in(self, kind: int, content: Node) -> None:
        change = content.get("change")
        if kind == WINDOW_EVENT:
            node = content.get("container") or {}
            front = self._front if self._next is None else int(self._next.get("id", 0))
            if change == "focus" or (change == "title" and node.get("id") == front):
                self._next = node
            elif change == "close" and node.get("id") == front:
                self._next = {}  # whoever comes to the front next is told in a moment
        elif kind == WORKSPACE_EVENT and change == "focus":
            workspace = content.get("current") or {}
            if next(_containers(workspace), None) is None:
                self._next = {}


def _connect(path: str) -> Stream[tuple[int, Node]]:
    if not path:
        raise DesktopError("SWAYSOCK is not set: this is not a session of sway")
    try:
        return Stream(path, _cut, DesktopError, "sway", LOST)
    except OSError as error:
        raise DesktopError(
            f"no sway answers at {path} ({error.strerror}); start gesturectl inside its session"
        ) from error


def _message(kind: int, payload: str = "") -> bytes:
    return HEADER.pack(MAGIC, len(payload.encode()), kind) + payload.encode()


def _cut(buffer: bytearray) -> tuple[int, Node] | None:
    """Take the first message off a buffer, or None while it is not whole.

    Raises:
        ValueError: this is no message of sway's.
    """
    if len(buffer) < HEADER.size:
        return None
    magic, length, kind = HEADER.unpack_from(buffer)
    if magic != MAGIC or length > LONGEST:
        raise ValueError("what answers at SWAYSOCK is not sway")
    end = HEADER.size + length
    if len(buffer) < end:
        return None
    try:
        content = json.loads(buffer[HEADER.size : end])
    except ValueError as error:
        raise ValueError(f"sway sent a message that cannot be read ({error})") from error
    del buffer[:end]
    return kind, content if isinstance(content, dict) else {}


def _containers(node: Node) -> Iterator[Node]:
    """Yield every window under a node, which are its leaves with a process."""
    children = [*(node.get("nodes") or ()), *(node.get("floating_nodes") or ())]
    for child in children:
        yield from _containers(child)
    if not children and node.get("pid"):
        yield node


def _texts(node: Node) -> Texts:
    """Return application, title, executable. A window of XWayland has a class, others an app_id."""
    app = node.get("app_id") or (node.get("window_properties") or {}).get("class")
    return str(app or ""), str(node.get("name") or ""), executable_of(int(node.get("pid") or 0))
