"""Real keyboards and mice of an X server, by the raw events of its input extension.

Raw events come from every device whatever window has the focus and whoever grabs the keyboard, so
a panic key works always. Whose they are:

    a real device             the user's
    XTEST, sent by our sink   ours, by `Injected`
    XTEST, of other programs  keys and buttons are the user's: a shared keyboard of another
                              computer, remote control, an on-screen keyboard. Movement is not: an
                              eye tracker, or whatever keeps the screen awake, moves all the time

Without knowledge of our sink, nothing of XTEST counts: it could be ours.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import xcffib
import xcffib.xinput
import xcffib.xproto

from gesturectl.desktop.inuse import Hands
from gesturectl.sinks.injected import Injected
from gesturectl.sinks.keynames import key_names
from gesturectl.sinks.xdisplay import BUTTON_PRESS, BUTTON_RELEASE, KEY_PRESS, KEY_RELEASE
from gesturectl.sinks.xkeymap import Keymap
from gesturectl.types import UserInput
from gesturectl.xserver import in_bytes

GENERIC_EVENT = 35
HIERARCHY = 11
RAW_KEY_PRESS, RAW_KEY_RELEASE, RAW_BUTTON_PRESS, RAW_BUTTON_RELEASE, RAW_MOTION = range(13, 18)
# What the sink has sent is noted by the core protocol's numbers.
CORE_EVENTS = {
    RAW_KEY_PRESS: KEY_PRESS, RAW_KEY_RELEASE: KEY_RELEASE,
    RAW_BUTTON_PRESS: BUTTON_PRESS, RAW_BUTTON_RELEASE: BUTTON_RELEASE,
}  # fmt: skip

ALL_DEVICES, ALL_MASTERS = 0, 1
SLAVES = (3, 4, 5)  # a pointer, a keyboard, one that is attached to neither
VALUATOR_CLASS, ABSOLUTE = 2, 1


@dataclass(frozen=True, slots=True)
class Raw:
    """One raw event; `axes` are the values of the device's axes that changed, by number."""

    event: int
    source: int
    time_ms: int
    detail: int
    axes: dict[int, float]


@dataclass(frozen=True, slots=True)
class Device:
    """A real device, or XTEST. `span_px` turns an absolute axis into pixels: its low end, scale."""

    xtest: bool
    span_px: dict[int, tuple[float, float]]


class RawInput:
    """Follows raw events; fed with the events of a connection that has called `select`."""

    def __init__(self, connection: Any, root: int, size_px: tuple[int, int]) -> None:
        self._xinput = connection(xcffib.xinput.key)
        self._root = root
        self._size_px = size_px
        self._hands = Hands()
        self._places: dict[tuple[int, int], float] = {}  # of absolute axes, in pixels
        self._used = False
        self._changes: list[frozenset[tuple[int, int]]] = []  # keys down after each change
        self._devices: dict[int, Device] = {}
        self.opcode = int(
            connection.core.QueryExtension(15, "XInputExtension").reply().major_opcode
        )

    def select(self) -> None:
        """Ask for raw events, and for news of devices.

        Version 2.2 names the device of an event and leaves no event out during a grab (2.1).
        """
        self._xinput.XIQueryVersion(2, 2).reply()
        masks = xcffib.xinput.XIEventMask
        raw = (
            masks.RawKeyPress | masks.RawKeyRelease | masks.RawButtonPress
            | masks.RawButtonRelease | masks.RawMotion | masks.RawTouchBegin | masks.RawTouchEnd
        )  # fmt: skip
        chosen = [(ALL_MASTERS, 1, [raw]), (ALL_DEVICES, 1, [masks.Hierarchy])]
        make = xcffib.xinput.EventMask.synthetic
        self._xinput.XISelectEvents(self._root, len(chosen), [make(*mask) for mask in chosen])
        self._read_devices()

    def note(self, wire: bytes, injected: Injected | None) -> None:
        """Take in one event of the extension, as it came."""
        (event,) = struct.unpack_from("=H", wire, 8)
        if event == HIERARCHY:
            self._read_devices()
            return
        raw = unpack(wire)
        device = self._devices.get(raw.source)
        if device is None:
            return
        if device.xtest:
            core = CORE_EVENTS.get(event)
            if injected is None or core is None:
                return
            if injected.take(core, raw.detail, time.monotonic()):
                return
        if event == RAW_KEY_PRESS:
            self._hands.press(raw.source, raw.detail)
            self._changes.append(frozenset(self._hands.down))
        elif event == RAW_KEY_RELEASE:
            # Of XTEST it may be the guardian's, who lets go of what our sink held.
            if self._hands.release(raw.source, raw.detail):
                self._changes.append(frozenset(self._hands.down))
        elif event == RAW_MOTION:
            dx_px, dy_px = self._moved_px(raw, device)
            self._used |= self._hands.move(raw.source, raw.time_ms, dx_px, dy_px)
        elif event != RAW_BUTTON_RELEASE or not device.xtest:
            self._used = True

    def take(self, t_us: int, keymap: Keymap | None) -> Iterator[UserInput]:
        """Yield what was used since the last call."""
        changes, used = self._changes, self._used
        self._changes, self._used = [], False
        names = key_names(keymap) if keymap is not None else {}
        if used and not changes:
            changes = [frozenset(self._hands.down)]
        for down in changes:
            yield UserInput(
                t_us,
                frozenset(name for _, keycode in down for name in names.get(keycode, ())),
            )

    @property
    def waiting(self) -> bool:
        """Whether `take` has something to tell."""
        return self._used or bool(self._changes)

    def _moved_px(self, raw: Raw, device: Device) -> tuple[float, float]:
        """Return how far axes 0 and 1 moved. Others are wheels, pressure, tilt."""
        moved = [0.0, 0.0]
        for axis in (0, 1):
            value = raw.axes.get(axis)
            if value is None:
                continue
            if axis not in device.span_px:  # a mouse says how far, a tablet where
                moved[axis] = value
                continue
            low, scale = device.span_px[axis]
            place_px = (value - low) * scale
            moved[axis] = place_px - self._places.get((raw.source, axis), place_px)
            self._places[raw.source, axis] = place_px
        return moved[0], moved[1]

    def _read_devices(self) -> None:
        infos = self._xinput.XIQueryDevice(ALL_DEVICES).reply().infos
        self._devices = {
            info.deviceid: Device(
                xtest=b"XTEST" in in_bytes(info.name),
                span_px=dict(self._spans_px(info)),
            )
            for info in infos
            if info.type in SLAVES
        }
        self._places = {of: px for of, px in self._places.items() if of[0] in self._devices}
        if self._hands.keep(self._devices):
            self._changes.append(frozenset(self._hands.down))

    def _spans_px(self, info: Any) -> Iterator[tuple[int, tuple[float, float]]]:
        for axis in info.classes:
            if axis.type == VALUATOR_CLASS and axis.number in (0, 1) and axis.mode == ABSOLUTE:
                low, high = _number(axis.min), _number(axis.max)
                if high > low:
                    yield axis.number, (low, self._size_px[axis.number] / (high - low))


def unpack(wire: bytes) -> Raw:
    """Read a raw event as the server sends it; xcffib's own reader goes beyond its end.

    Source: <X11/extensions/XI2proto.h>, xXIRawEvent. A mask of axes follows, a bit for each; then
    the values of those axes in 32.32 fixed point, accelerated, and again as the device gave them.
    """
    event, _, time_ms, detail, source, words = struct.unpack_from("=HHIIHH", wire, 8)
    mask = int.from_bytes(wire[32 : 32 + 4 * words], "little")  # a row of bytes on every machine
    axes: dict[int, float] = {}
    offset = 32 + 4 * words
    for axis in range(32 * words):
        if mask >> axis & 1:
            whole, fraction = struct.unpack_from("=iI", wire, offset)
            axes[axis] = whole + fraction / (1 << 32)
            offset += 8
    return Raw(event, source, time_ms, detail, axes)


def _number(fixed: Any) -> float:
    return float(fixed.integral) + float(fixed.frac) / (1 << 32)
