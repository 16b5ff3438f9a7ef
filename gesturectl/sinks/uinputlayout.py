"""Which key of the user's keyboard layout types a character, for devices that only press keys."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Final, Protocol

from gesturectl import keys
from gesturectl.errors import SinkError
from gesturectl.sinks.evdev import KEYCODES
from gesturectl.sinks.keysyms import keysyms_of
from gesturectl.sinks.xdisplay import XDisplay
from gesturectl.sinks.xkeymap import Keymap, Stroke

X_OFFSET: Final = 8  # X11 counts the kernel's keys from there
MODIFIERS: Final = tuple(
    KEYCODES[name] + X_OFFSET
    for name in ("shift", "ctrl", "alt", "super", "altgr", "shift_r", "ctrl_r", "super_r")
)


class Layout(Protocol):
    """The user's layout, by the kernel's numbers of keys."""

    def stroke(self, key: keys.Key) -> Stroke:
        """Return the key to press, and the modifiers to hold meanwhile.

        Raises:
            SinkError: no key does; says why and what to do.
        """
        ...

    def close(self) -> None:
        """Ask no more."""
        ...


class XLayout:
    """The layout as the X server knows it, XWayland too: asked at need, followed from then on."""

    def __init__(self) -> None:
        self._display: XDisplay | None = None

    def stroke(self, key: keys.Key) -> Stroke:
        """Return the key to press, and the modifiers to hold meanwhile.

        Raises:
            SinkError: the layout has no such key, or there is no X server to ask.
        """
        if self._display is None:
            self._display = _opened(key.name)
        with self._display.speaking():
            self._display.read_events()
            group = self._display.state().group
            keymap = self._display.keymap()
            found = keymap.stroke(keysyms_of(key), 0, group)
        if found is None:
            raise SinkError(
                f"the keyboard layout has no key for {key.name}, and the sink uinput can lend "
                "none; choose another key, or another layout"
            )
        if found.group is not None:
            raise SinkError(
                f"{key.name} is in another keyboard layout than the one in use; switch to that one "
                "first, or choose another key"
            )
        holding = tuple(_real(code, keymap) - X_OFFSET for code in found.holding)
        return replace(found, keycode=found.keycode - X_OFFSET, holding=holding)

    def close(self) -> None:
        """Ask no more."""
        if self._display is not None:
            self._display.close()


def _real(code: int, keymap: Keymap) -> int:
    """Return a modifier that keyboards have, where X11 names one of those that only its tables do.

    AltGr is such: keycode 92, which is no key of the kernel's, has the keysym of the real 108.
    """
    if code in MODIFIERS:
        return code
    for places in keymap.places.values():
        same = {place.keycode for place in places if place.level == 0}
        if code in same and (real := same.intersection(MODIFIERS)):
            return min(real)
    return code


def _opened(name: str) -> XDisplay:
    try:
        return XDisplay(os.environ.get("DISPLAY", ""))
    except SinkError as error:
        raise SinkError(
            f"which key types {name} depends on the keyboard layout, which is read from the X "
            f"server or XWayland, and there is none ({error}); bind a key that every keyboard has "
            "in the same place: Right, F5, space, play_pause"
        ) from error
