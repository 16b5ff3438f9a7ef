"""The kernel's side of /dev/uinput for tests: requests are kept, and events written to real files.

Real files, so that the guardian, another process, can write releases to them as well.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

from gesturectl import keys
from gesturectl.sinks.evdev import BUTTONS, KEYCODES
from gesturectl.sinks.xkeymap import Stroke

SYN, KEY, REL, ABS = 0, 1, 2, 3


@dataclass
class FakeUinput:
    """A kernel that makes devices; the first is the keyboard, then mouse and tablet."""

    folder: Path
    requests: list[list[tuple[int, int | bytes]]] = field(default_factory=list)
    fails: dict[int, OSError] = field(default_factory=dict)  # request, or 0 for opening
    closed: list[int] = field(default_factory=list)
    _devices: list[int] = field(default_factory=list)

    def open(self, path: str) -> int:
        assert path == "/dev/uinput"
        if 0 in self.fails:
            raise self.fails[0]
        name = self.folder / f"device{len(self._devices)}"
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
        self._devices.append(descriptor)
        self.requests.append([])
        return descriptor

    def ioctl(self, descriptor: int, request: int, argument: int | bytes) -> None:
        if request in self.fails:
            raise self.fails[request]
        self.requests[self._devices.index(descriptor)].append((request, argument))

    def write(self, descriptor: int, data: bytes) -> None:
        os.write(descriptor, data)

    def close(self, descriptor: int) -> None:
        self.closed.append(self._devices.index(descriptor))
        os.close(descriptor)

    def events(self, device: int) -> list[tuple[int, int, int]]:
        """Return all that was written to a device: type, code, value."""
        data = (self.folder / f"device{device}").read_bytes()
        return [event[2:] for event in struct.iter_unpack("@llHHi", data)]

    def strokes(self, device: int = 0) -> list[tuple[str, int]]:
        """Return the keys or buttons of a device as ("press" or "release", code).

        Each must have a report of its own.
        """
        events = self.events(device)
        assert all(event == (SYN, 0, 0) for event in events[1::2])
        return [
            ("press" if value else "release", code)
            for kind, code, value in events[::2]
            if kind == KEY
        ]


@dataclass
class UsLayout:
    """A layout of which only this is known: letters, digits, and `?` under shift."""

    closed: bool = False

    def stroke(self, key: keys.Key) -> Stroke:
        from gesturectl.errors import SinkError

        rows = {16: "qwertyuiop", 30: "asdfghjkl", 44: "zxcvbnm", 2: "1234567890", 53: "/"}
        shift = (KEYCODES["shift"],)
        character = "/" if key.character == "?" else key.character or " "
        for first, row in rows.items():
            if character.lower() in row:
                upper = character != character.lower() or key.character == "?"
                return Stroke(first + row.index(character.lower()), holding=shift * upper)
        raise SinkError(f"the keyboard layout has no key for {key.name}")

    def close(self) -> None:
        self.closed = True


CODES = {code: name for name, code in (KEYCODES | BUTTONS).items() if name not in ("altgr",)}
