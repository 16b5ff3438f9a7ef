"""What a line says: one JSON object, ended by a newline, of at most `MAX_LINE_BYTES`.

    ← {"type": "hello", "protocol": 1, "gesturectl": "1.0", "pid": 4711}
    → {"ask": "mode", "name": "volume", "id": 1}
    ← {"type": "answer", "id": 1, "ok": true}
    → {"ask": "mode", "name": "volumme", "id": 2}
    ← {"type": "answer", "id": 2, "ok": false, "error": "there is no mode `volumme`; did you …"}

`ASKS` holds all that can be asked; the command line, the desk and a test of docs/control.md read
it. Bytes in, values out: nothing here knows a socket.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gesturectl import strictjson

PROTOCOL: Final = 1
MAX_LINE_BYTES: Final = 16_384  # an action with a long text has room
MAX_ID: Final = 64

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class AskSpec:
    """One row: what is asked for, and the one value that belongs to it, if any does.

    `urgent` is answered before all that waits.
    """

    says: str
    argument: str | None = None
    kind: type[str] | type[bool] | type[int] = str
    optional: bool = False
    urgent: bool = False


ASKS: Final[dict[str, AskSpec]] = {
    "status": AskSpec("Says how the daemon is."),
    "pause": AskSpec("Lets go of everything; gestures do nothing until `resume`.", urgent=True),
    "resume": AskSpec("Lets gestures act again."),
    "mode": AskSpec("Goes to a mode of the profile, or `back` to the one before.", "name"),
    "profile": AskSpec("Goes on with another profile: a name, or a file.", "name"),
    "reload": AskSpec("Reads the profile and your own gestures anew."),
    "events": AskSpec(
        "Gives the last gestures and modes; with `follow`, all that happens from now on.",
        "follow", bool, optional=True,
    ),
    "show": AskSpec(
        "Gives what a display shows; with `follow`, again whenever it has changed.",
        "follow", bool, optional=True,
    ),
    "do": AskSpec("Does an action once, written as behind `do:` in a profile.", "action"),
    "panic": AskSpec(
        "Lets go of everything and sleeps; pauses where the profile cannot sleep.", urgent=True
    ),
    "quit": AskSpec("Lets go of everything and ends the daemon.", urgent=True),
    "hello": AskSpec(
        "Asks whether a protocol is spoken; answered at once, without waiting for a frame.",
        "protocol", int, optional=True,
    ),
}  # fmt: skip

Value = str | bool | int | None
Id = str | int | None


@dataclass(frozen=True, slots=True)
class Request:
    """What one line asks for, with its value and the client's own number for it."""

    ask: str
    value: Value = None
    id: Id = None


class Refused(Exception):  # noqa: N818 — says why
    """A line that asks for nothing there is; carries the client's number for it, if it has one."""

    def __init__(self, message: str, given: Id = None) -> None:
        super().__init__(message)
        self.id = given


def request(line: bytes) -> Request:
    """Read one line of a client.

    Raises:
        Refused: it is no request; the message says what is wrong with it.
    """
    try:
        row = strictjson.loads(line)
    except ValueError as error:
        raise Refused(f"this line is not JSON: {str(error)[:200]}") from None
    if not isinstance(row, dict):
        raise Refused('a request is an object: {"ask": "status"}')
    number = row.pop("id", None)
    if not _is_id(number):
        raise Refused(f"`id` is a whole number or a text of up to {MAX_ID} letters")
    name = row.pop("ask", None)
    if not isinstance(name, str) or name not in ASKS:
        raise Refused(f"`ask` is one of: {', '.join(ASKS)}; not {strictjson.brief(name)}", number)
    spec = ASKS[name]
    value = row.pop(spec.argument, None) if spec.argument else None
    if row:
        raise Refused(f"`{name}` takes no `{next(iter(row))[:MAX_ID]}`", number)
    if value is None and (spec.argument is None or spec.optional):
        return Request(name, None, number)
    if type(value) is not spec.kind:
        wanted = {str: "a text", bool: "true or false", int: "a whole number"}[spec.kind]
        raise Refused(f"`{name}` takes `{spec.argument}`, {wanted}", number)
    return Request(name, value, number)


def asking(ask: str, value: Value = None, number: Id = None) -> bytes:
    """Return the line of a request."""
    row: Json = {"ask": ask}
    if value is not None:
        row[str(ASKS[ask].argument)] = value
    return encode(row if number is None else row | {"id": number})


def encode(row: Mapping[str, object]) -> bytes:
    """Return an object as a line, with its newline. It is ASCII, and so are all its line ends."""
    return json.dumps(row).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Read one line of the daemon.

    Raises:
        ValueError: it is not an object.
    """
    row = strictjson.loads(line)
    if not isinstance(row, dict):
        raise ValueError("not an object")
    return row


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_ID
    return value is None or (type(value) is int and abs(value) < 2**53)


@dataclass(slots=True)
class Lines:
    """Cuts what arrives into lines; holds at most one line more than was given at once.

    >>> lines = Lines()
    >>> lines.add(b'{"ask": "sta')
    >>> lines.add(b'tus"}\\n{')
    >>> lines.take(), lines.take()
    (b'{"ask": "status"}', None)
    """

    most_bytes: int = MAX_LINE_BYTES
    _buffer: bytearray = field(default_factory=bytearray)
    _searched: int = 0  # how far there surely is no newline: a line in drops is not read n times

    def add(self, data: bytes) -> None:
        """Take what has arrived."""
        self._buffer += data

    def take(self) -> bytes | None:
        """Return the next line without its end, None where it has not come yet.

        Raises:
            ValueError: it is longer than a line may be.
        """
        end = self._buffer.find(b"\n", self._searched, self.most_bytes)
        if end < 0:
            if len(self._buffer) >= self.most_bytes:
                raise ValueError(f"a line has at most {self.most_bytes} bytes")
            self._searched = len(self._buffer)
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

    def clear(self) -> None:
        """Forget what has arrived."""
        self._buffer.clear()
        self._searched = 0

    def __bool__(self) -> bool:
        """Whether `take` has something to say."""
        full = len(self._buffer) >= self.most_bytes
        return full or self._buffer.find(b"\n", self._searched) >= 0
