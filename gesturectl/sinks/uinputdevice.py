"""Input devices of our own in the kernel, through /dev/uinput: its requests and the bytes written.

    open ─► UI_SET_… for all it can do ─► UI_DEV_SETUP ─► UI_DEV_CREATE ─► events … SYN ─► close

When the descriptor closes, by whatever end of the process, the kernel removes the device and
releases what it held.

Source: <linux/uinput.h>, <linux/input.h>; requests are numbered as in <asm-generic/ioctl.h>, which
x86, ARM and RISC-V use.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from gesturectl.errors import SinkError

PATH: Final = "/dev/uinput"

EV_SYN, EV_KEY, EV_REL, EV_ABS = 0, 1, 2, 3
SYN_REPORT: Final = 0
REL_X, REL_Y, REL_HWHEEL, REL_WHEEL, REL_WHEEL_HI_RES, REL_HWHEEL_HI_RES = 0, 1, 6, 8, 11, 12
ABS_X, ABS_Y = 0, 1
BUS_VIRTUAL: Final = 6

EVENT: Final = struct.Struct("@llHHi")  # struct input_event: a timeval, which is the kernel's
SETUP: Final = struct.Struct("@HHHH80sI")  # struct uinput_setup
ABS_SETUP: Final = struct.Struct("@H2x6i")  # struct uinput_abs_setup


def _request(number: int, size: int = 0) -> int:
    """Return the number of a request of uinput that takes so many bytes from us: _IO and _IOW."""
    return (1 << 30 if size else 0) | size << 16 | ord("U") << 8 | number


UI_DEV_CREATE: Final = _request(1)
UI_DEV_DESTROY: Final = _request(2)
UI_DEV_SETUP: Final = _request(3, SETUP.size)
UI_ABS_SETUP: Final = _request(4, ABS_SETUP.size)
UI_SET_EVBIT: Final = _request(100, 4)
UI_SET_KEYBIT: Final = _request(101, 4)
UI_SET_RELBIT: Final = _request(102, 4)
UI_SET_ABSBIT: Final = _request(103, 4)

Event = tuple[int, int, int]  # type, code, value
REPORT: Final[Event] = (EV_SYN, SYN_REPORT, 0)


class System(Protocol):
    """What is asked of the kernel; `KERNEL` asks it."""

    def open(self, path: str) -> int:
        """Open a file to write, never waiting."""
        ...

    def ioctl(self, descriptor: int, request: int, argument: int | bytes) -> None:
        """Make a request of a device."""
        ...

    def write(self, descriptor: int, data: bytes) -> None:
        """Write events."""
        ...

    def close(self, descriptor: int) -> None:
        """Close a file."""
        ...


class _Kernel:
    def open(self, path: str) -> int:
        if sys.platform == "win32":
            raise OSError(errno.ENOTSUP, "Windows has no uinput")
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def ioctl(self, descriptor: int, request: int, argument: int | bytes) -> None:
        if sys.platform != "win32":  # where nothing was opened
            import fcntl

            fcntl.ioctl(descriptor, request, argument)

    def write(self, descriptor: int, data: bytes) -> None:
        os.write(descriptor, data)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)


KERNEL: Final[System] = _Kernel()


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a device can do; `places` gives for an absolute axis its lowest and highest value."""

    keys: Iterable[int] = ()
    moves: Iterable[int] = ()
    places: Mapping[int, tuple[int, int]] = field(default_factory=dict)


class Device:
    """One input device, there until it is closed.

    Raises:
        SinkError: the kernel lets us make none; says which two commands help.
    """

    def __init__(self, name: str, product: int, abilities: Abilities, system: System) -> None:
        self._system = system
        try:
            self._descriptor = system.open(PATH)
        except OSError as error:
            raise SinkError(trouble(error)) from error
        try:
            for request, argument in _making(name, product, abilities):
                system.ioctl(self._descriptor, request, argument)
        except OSError as error:
            system.close(self._descriptor)
            raise SinkError(f"the kernel does not take {name!r}: {error.strerror}") from error

    def fileno(self) -> int:
        """Return the descriptor, whose end is that of the device."""
        return self._descriptor

    def write(self, *events: Event) -> None:
        """Write events, each followed by a report where the caller wants one.

        Raises:
            SinkError: the device is gone.
        """
        data = b"".join(EVENT.pack(0, 0, *event) for event in events)
        try:
            self._system.write(self._descriptor, data)
        except OSError as error:
            raise SinkError(
                f"the kernel takes no more input of ours ({error.strerror}); start gesturectl again"
            ) from error

    def close(self) -> None:
        """Take the device out of the system."""
        try:
            self._system.ioctl(self._descriptor, UI_DEV_DESTROY, 0)
        except OSError:
            pass  # closing does the same
        finally:
            self._system.close(self._descriptor)


def _making(name: str, product: int, abilities: Abilities) -> list[tuple[int, int | bytes]]:
    """Return the requests that make a device, in their order."""
    asked: list[tuple[int, int | bytes]] = []
    for kind, request, codes in (
        (EV_KEY, UI_SET_KEYBIT, abilities.keys),
        (EV_REL, UI_SET_RELBIT, abilities.moves),
        (EV_ABS, UI_SET_ABSBIT, abilities.places),
    ):
        if wanted := sorted(codes):
            asked += [(UI_SET_EVBIT, kind), *((request, code) for code in wanted)]
    for axis, (lowest, highest) in abilities.places.items():
        asked.append((UI_ABS_SETUP, ABS_SETUP.pack(axis, 0, lowest, highest, 0, 0, 0)))
    # No maker has the number 0x6763 (`gc`): udev's rules for real devices leave ours alone.
    asked.append((UI_DEV_SETUP, SETUP.pack(BUS_VIRTUAL, 0x6763, product, 1, name.encode(), 0)))
    return [*asked, (UI_DEV_CREATE, 0)]


RULE: Final = 'KERNEL=="uinput", SUBSYSTEM=="misc", TAG+="uaccess", OPTIONS+="static_node=uinput"'
RULE_FILE: Final = "/etc/udev/rules.d/70-gesturectl-uinput.rules"
ALLOW: Final = (
    f"  echo '{RULE}' | sudo tee {RULE_FILE}\n"
    "  sudo modprobe uinput && sudo udevadm control --reload && sudo udevadm trigger /dev/uinput"
)


def trouble(error: OSError) -> str:
    """Return why /dev/uinput cannot be opened, and the two commands that allow it."""
    match error.errno:
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            why = f"{PATH} does not exist: the kernel's module uinput is not loaded"
        case errno.EACCES | errno.EPERM:
            why = f"{PATH} may not be written by you"
        case _:
            why = f"{PATH} cannot be opened ({error.strerror})"
    return f"{why}; to let whoever sits at this computer send keys by it:\n{ALLOW}"


def works(path: str = PATH) -> str | None:
    """Return None where devices can be made, else the reason and what to do."""
    if os.access(path, os.W_OK):
        return None
    there = Path(path).exists()
    code = errno.EACCES if there else errno.ENOENT
    return trouble(OSError(code, os.strerror(code)))
