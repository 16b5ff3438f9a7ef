"""A keyboard of our own for Wayland: which key makes which keysym, and the keymap that says so.

Every Wayland keyboard brings its own keymap, so the user's layout does not matter. Ours has

    known keys      Right, F5, play_pause …   where every PC has them: some programs go by that
    a typing block  a A, 1 !, … as on `us`    so that shift and `1` makes `!`
    spare keys      я, 你, 😀 …               lent as texts and profiles need, by a new keymap

Pure: text and numbers. Keycodes are the kernel's (<linux/input-event-codes.h>); xkb adds 8.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import chain

from gesturectl import keys

XKB_OFFSET = 8
HIGHEST = 255  # X11 programs, which XWayland serves, know no keycode above

SHIFT, LOCK, CONTROL, MOD1, MOD2, MOD4, MOD5 = 1, 2, 4, 8, 16, 64, 128
MODIFIERS = {
    "shift": SHIFT, "shift_r": SHIFT, "ctrl": CONTROL, "ctrl_r": CONTROL, "alt": MOD1,
    "alt_r": MOD1, "super": MOD4, "super_r": MOD4, "altgr": MOD5,
}  # fmt: skip
LOCKS = {"Caps_Lock": LOCK, "Num_Lock": MOD2}
_XKB_NAMES = {
    SHIFT: "Shift", LOCK: "Lock", CONTROL: "Control", MOD1: "Mod1", MOD2: "Mod2", MOD4: "Mod4",
    MOD5: "Mod5",
}  # fmt: skip

# Keycode of the first key of a row → what its keys type, without and with shift.
_TYPING = {
    2: "1!2@3#4$5%6^7&8*9(0)-_=+",
    16: "qQwWeErRtTyYuUiIoOpP[{]}",
    30: "aAsSdDfFgGhHjJkKlL;:'\"`~",
    43: "\\|zZxXcCvVbBnNmM,<.>/?",
}
KNOWN = {
    "ctrl": 29, "shift": 42, "alt": 56, "super": 125, "altgr": 84, "ctrl_r": 97, "shift_r": 54,
    "alt_r": 100, "super_r": 126,
    "Left": 105, "Right": 106, "Up": 103, "Down": 108, "Page_Up": 104, "Page_Down": 109,
    "Home": 102, "End": 107,
    "Return": 28, "Escape": 1, "space": 57, "Tab": 15, "BackSpace": 14, "Delete": 111,
    "Insert": 110,
    **{f"F{n}": 58 + n for n in range(1, 11)}, "F11": 87, "F12": 88,
    **{f"F{n}": 170 + n for n in range(13, 25)},
    "KP_0": 82, "KP_1": 79, "KP_2": 80, "KP_3": 81, "KP_4": 75, "KP_5": 76, "KP_6": 77, "KP_7": 71,
    "KP_8": 72, "KP_9": 73, "KP_Enter": 96, "KP_Add": 78, "KP_Subtract": 74, "KP_Multiply": 55,
    "KP_Divide": 98, "KP_Decimal": 83, "KP_Equal": 117,
    "play_pause": 164, "next": 163, "previous": 165, "stop": 166, "rewind": 168,
    "fast_forward": 208, "record": 167, "eject": 161, "volume_up": 115, "volume_down": 114,
    "mute": 113, "brightness_up": 225, "brightness_down": 224, "keyboard_light_up": 230,
    "keyboard_light_down": 229,
    "mic_mute": 198,  # the kernel's is 248, too high for X11; 198 is no key of its own
    "Menu": 127, "Print": 99, "Pause": 119, "Scroll_Lock": 70, "Caps_Lock": 58, "Num_Lock": 69,
    "Break": 195,  # likewise, for 411
    "browser_back": 158, "browser_forward": 159, "browser_refresh": 173, "browser_home": 172,
    "search": 217, "calculator": 140, "mail": 155, "lock_screen": 152, "sleep": 142,
}  # fmt: skip
_SHIFTED_TAB = 0xFE20  # ISO_Left_Tab: what shift makes of Tab, on every layout

# Keys that stand idle, in the order in which they are lent. Not all do for that: Chromium drops
# keycodes that it knows no key of, whatever the keymap says. Measured with Chromium 156: it hears
# these, and none of the other 51 that neither carry a known key nor could switch something off.
SPARE = (
    *(85, 86, *range(89, 95), 118, *range(120, 125), 128, 129, *range(131, 139), 144, 150),
    *(169, 171, 174, 179, 180, 207, 209, 210, 227, 228, *range(231, 236), 244),
)


@dataclass(frozen=True, slots=True)
class Stroke:
    """The key to press, and the modifiers in force while it is down, a modifier's own included."""

    keycode: int
    mods: int = 0


def _base() -> dict[int, tuple[int, ...]]:
    """Return the keysyms of every key that is not spare, plain and shifted."""
    rows: dict[int, tuple[int, ...]] = {
        code: (keys.KEYS[name].keysym,) for name, code in KNOWN.items()
    }
    rows[KNOWN["Tab"]] = (keys.KEYS["Tab"].keysym, _SHIFTED_TAB)
    for first, typed in _TYPING.items():
        for place in range(0, len(typed), 2):
            rows[first + place // 2] = (ord(typed[place]), ord(typed[place + 1]))
    return rows


BASE = _base()
_STROKES = {
    keysym: Stroke(code, SHIFT if level else 0)
    for code, row in BASE.items()
    for level, keysym in enumerate(row)
    if keysym != _SHIFTED_TAB
} | {keys.KEYS[name].keysym: Stroke(KNOWN[name], bit) for name, bit in MODIFIERS.items()}


class Keyboard:
    """Where every keysym lies now. Spare keys are lent in turn, those unused for longest first."""

    def __init__(self) -> None:
        self._lent: dict[int, int] = {}  # keysym → keycode, the longest unused first

    def stroke(self, keysym: int) -> Stroke | None:
        """Return how to make a keysym, or None where it needs a key lent first."""
        found = _STROKES.get(keysym)
        if found is None and (code := self._lent.pop(keysym, None)) is not None:
            self._lent[keysym] = code  # used now
            found = Stroke(code)
        return found

    def room(self, busy: Collection[int]) -> int:
        """Return how many different keysyms can be lent keys at a time, while some are held."""
        return len(SPARE) - sum(code in busy for code in self._lent.values())

    def lend(self, keysyms: Iterable[int], busy: Collection[int]) -> bool:
        """Lend keys to those keysyms that have none; return whether the keymap is another now.

        Keys that are `busy`, held down, keep what they have. What was asked for in this call is
        not taken back in it, as far as there is room.
        """
        wanting = [
            keysym for keysym in dict.fromkeys(keysyms) if self.stroke(keysym) is None
        ]  # asking for its stroke moved every other one out of harm's way
        for keysym in wanting:
            free = (code for code in SPARE if code not in self._lent.values())
            code = next(free, None)
            if code is None:
                oldest = next(
                    (other for other, code in self._lent.items() if code not in busy), None
                )
                if oldest is None:
                    break
                code = self._lent.pop(oldest)
            self._lent[keysym] = code
        return bool(wanting)

    def keymap(self) -> str:
        """Return the keymap in the text format of xkb, version 1."""
        rows = BASE | {code: (keysym,) for keysym, code in self._lent.items()}
        codes = "".join(f"<K{code}> = {code + XKB_OFFSET};" for code in sorted(rows))
        symbols = "".join(
            f"key <K{code}> {{[{', '.join(f'{keysym:#x}' for keysym in row)}]}};"
            for code, row in sorted(rows.items())
        )
        maps = "".join(
            f"modifier_map {_XKB_NAMES[bit]} {{<K{KNOWN[name]}>}};"
            for name, bit in chain(MODIFIERS.items(), LOCKS.items())
        )
        return (
            'xkb_keymap {\nxkb_keycodes "gesturectl" '
            f"{{minimum = {XKB_OFFSET}; maximum = {HIGHEST};{codes}}};\n"
            'xkb_types "gesturectl" {include "complete"};\n'
            'xkb_compatibility "gesturectl" {include "complete"};\n'
            f'xkb_symbols "gesturectl" {{name[Group1] = "gesturectl";{symbols}{maps}}};\n}};\n'
        )
