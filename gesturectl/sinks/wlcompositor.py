"""One connection to a Wayland compositor that takes keys and pointers of other programs.

    we     registry   bind seat, managers   keyboard, pointer   keymap   key … button … | destroy
    they   globals …                                         (silence: all is well)     | done

Requests are gathered and go out with `flush`. Errors come back with `read_events`, which the sink
calls before each command; on any, the compositor has closed the connection and let go of our keys.
"""

from __future__ import annotations

import os
import time
from typing import Final, Literal

from gesturectl.errors import SinkError
from gesturectl.wayland import Client, fixed, message, shared_memory

# Source: virtual-keyboard-unstable-v1.xml, wlr-virtual-pointer-unstable-v1.xml.
SEAT: Final = "wl_seat"
KEYBOARDS: Final = "zwp_virtual_keyboard_manager_v1"
POINTERS: Final = "zwlr_virtual_pointer_manager_v1"
CREATE: Final = 0  # of both managers
POINTERS_DESTROY: Final = 1  # that of keyboards has none
KEYMAP, KEY, MODIFIERS, KEYBOARD_DESTROY = 0, 1, 2, 3
MOTION, MOTION_ABSOLUTE, BUTTON, AXIS, FRAME, AXIS_SOURCE = 0, 1, 2, 3, 4, 5
AXIS_DISCRETE, POINTER_DESTROY = 7, 8
XKB_V1: Final = 1  # the format of keymaps
VERTICAL: Final = 0
HORIZONTAL: Final = 1
WHEEL, CONTINUOUS = 0, 2  # what turns: a wheel with clicks, or anything smooth
STEP: Final = 15.0  # what one click of a wheel counts on an axis, as libinput has it: degrees
WHOLE: Final = 65535  # of the desktop, in absolute movements


class Compositor:
    """A connection to the compositor at `path`; `bring_devices` gives it our keyboard and pointer.

    Raises:
        SinkError: there is none, or it takes no keys from programs; says what to do.
    """

    def __init__(self, path: str) -> None:
        self._unsent = bytearray()
        self.keyboard = self.pointer = self._pointers = 0  # of nothing yet
        self._client = Client(
            path, lambda told: None, SinkError, "start gesturectl again when it is back"
        )
        try:
            self._client.read_globals()
            offered = self._client.globals
            missing = [name for name in (SEAT, KEYBOARDS, POINTERS) if name not in offered]
            if missing:
                raise SinkError(_refusal(missing[-1]))
        except SinkError:
            self._client.close()
            raise

    def bring_devices(self, keymap: str) -> None:
        """Put a keyboard and a pointer of ours into the desktop, and wait until they are there.

        Raises:
            SinkError: the compositor has ended, or does not take the keymap.
        """
        seat = self._bind(SEAT)
        self._pointers = self._bind(POINTERS)
        self.keyboard = self._make(self._bind(KEYBOARDS), seat)
        self.pointer = self._make(self._pointers, seat)
        self.keymap(keymap)
        self.round_trip()

    def fileno(self) -> int:
        """Return the descriptor of the connection."""
        return self._client.fileno()

    def keymap(self, text: str) -> None:
        """Give our keyboard another keymap. Modifiers in force must be told anew."""
        self.flush()
        raw = text.encode() + b"\0"
        shared = shared_memory("gesturectl-keymap")
        try:
            with open(shared, "wb", closefd=False) as file:
                file.write(raw)
            self._client.write(message(self.keyboard, KEYMAP, XKB_V1, len(raw)), shared)
        finally:
            os.close(shared)

    def key(self, keycode: int, *, down: bool) -> None:
        """Press or release a key, by the kernel's number."""
        self._put(self.keyboard, KEY, _now_ms(), keycode, down)

    def modifiers(self, mods: int) -> None:
        """Set the modifiers in force."""
        self._put(self.keyboard, MODIFIERS, mods, 0, 0, 0)

    def button(self, code: int, *, down: bool) -> None:
        """Press or release a button, by the kernel's number."""
        self._put(self.pointer, BUTTON, _now_ms(), code, down)
        self._put(self.pointer, FRAME)

    def move_by(self, dx_256: int, dy_256: int) -> None:
        """Move the pointer by 256ths of a pixel."""
        self._put(self.pointer, MOTION, _now_ms(), dx_256, dy_256)
        self._put(self.pointer, FRAME)

    def move_to(self, x: float, y: float) -> None:
        """Move the pointer to a place of the whole desktop, from 0 to 1 each way."""
        place = (round(x * WHOLE), round(y * WHOLE))
        self._put(self.pointer, MOTION_ABSOLUTE, _now_ms(), *place, WHOLE, WHOLE)
        self._put(self.pointer, FRAME)

    def scroll(self, axis: Literal[0, 1], steps: float) -> None:
        """Turn by steps: whole ones are clicks of a wheel, any other amount is a smooth turn.

        A client that is told of clicks looks at nothing else, so the two are never mixed.
        """
        amount = fixed(steps * STEP)
        clicks = int(steps)
        if clicks == steps:
            self._put(self.pointer, AXIS_DISCRETE, _now_ms(), axis, amount, clicks)
        else:
            self._put(self.pointer, AXIS, _now_ms(), axis, amount)
        # After the axis: wlroots 0.15 gives the source to the axis that was told last.
        self._put(self.pointer, AXIS_SOURCE, WHEEL if clicks == steps else CONTINUOUS)
        self._put(self.pointer, FRAME)

    def flush(self) -> None:
        """Send what was gathered.

        Raises:
            SinkError: the compositor is gone, or takes nothing any more.
        """
        if not self._unsent:
            return
        try:
            self._client.write(self._unsent)
        finally:
            self._unsent.clear()

    def read_events(self) -> None:
        """Take in what the compositor has said since the last call.

        Raises:
            SinkError: it has ended, or refused something and closed the connection.
        """
        self._client.read_events()

    def round_trip(self) -> None:
        """Wait until the compositor has done all that was sent.

        Raises:
            SinkError: it has ended, refused something, or does not answer.
        """
        self.flush()
        self._client.round_trip()

    def destroy(self) -> None:
        """Take our keyboard and pointer out of the desktop, and wait until they are.

        Raises:
            SinkError: the compositor has ended.
        """
        self._put(self.keyboard, KEYBOARD_DESTROY)
        self._put(self.pointer, POINTER_DESTROY)
        self._put(self._pointers, POINTERS_DESTROY)
        self.round_trip()

    def close(self) -> None:
        """Leave."""
        self._client.close()

    def _bind(self, interface: str) -> int:
        # Version 1 of each has all that we use, and is what older desktops have.
        return self._client.bind(self._client.globals[interface], 1)

    def _make(self, manager: int, seat: int) -> int:
        number = self._client.number()
        self._put(manager, CREATE, seat, number)
        return number

    def _put(self, of: int, request: int, *words: int) -> None:
        self._unsent += message(of, request, *words)


def _refusal(missing: str) -> str:
    names = os.environ.get("XDG_CURRENT_DESKTOP", "")
    called = f" ({names.replace(':', ', ')})" if names else ""
    return (
        f"this Wayland desktop{called} takes no keys from other programs by the protocols of "
        f"wlroots (it has no {missing}), as sway, labwc, Wayfire, river, niri and Hyprland do"
    )


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
