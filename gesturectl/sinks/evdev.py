"""The kernel's numbers of keys and buttons, for desktops whose own keyboard layout applies.

Source: <linux/input-event-codes.h>. They are places on a PC's keyboard: characters, which
layouts move about, have none here. Only four differ from the keyboard that we bring to Wayland,
whose numbers X11 programs must know as well (`wlkeymap`).
"""

from __future__ import annotations

from typing import Final

from gesturectl.sinks.wlkeymap import KNOWN

RIGHT_ALT: Final = 100  # AltGr where the layout says so

KEYCODES: Final[dict[str, int]] = KNOWN | {
    "altgr": RIGHT_ALT, "alt_r": RIGHT_ALT, "mic_mute": 248, "Break": 411,
}  # fmt: skip

# What the keypad's keys make depends on Num Lock; all else is the same in every layout.
KEYPAD: Final = frozenset(name for name in KEYCODES if name.startswith("KP_"))

BUTTONS: Final = {"left": 0x110, "right": 0x111, "middle": 0x112}
