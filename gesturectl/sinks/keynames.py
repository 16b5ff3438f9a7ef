"""The keys of a real keyboard by their canonical names: whose keycode is `ctrl`, whose `Pause`."""

from __future__ import annotations

from gesturectl import keys
from gesturectl.sinks.keysyms import OLD_KEYSYMS
from gesturectl.sinks.xkeymap import Keymap

# To whoever says `ctrl`, the right one is as good.
OTHER_SIDE = {"ctrl_r": "ctrl", "shift_r": "shift", "alt_r": "alt", "super_r": "super"}

_KEYS_BY_KEYSYM = {key.keysym: key.name for key in keys.KEYS.values()}
_OLD_CHARACTERS = {keysym: character for character, keysym in OLD_KEYSYMS.items()}


def key_names(keymap: Keymap) -> dict[int, set[str]]:
    """Return by keycode all canonical names of a key, those that it has without modifiers.

    In every layout of the keymap: `ctrl+alt+p` stays where it is when the user switches from us to
    ru. A key that has a name only with a modifier (the keypad's digits) bears that one.
    """
    plain: dict[int, set[str]] = {}
    other: dict[int, set[str]] = {}
    for keysym, places in keymap.places.items():
        name = name_of(keysym)
        if name is None:
            continue
        for place in places:
            row = (plain if place.level == 0 else other).setdefault(place.keycode, set())
            row.add(name)
            if name in OTHER_SIDE:
                row.add(OTHER_SIDE[name])
    return other | plain


def name_of(keysym: int) -> str | None:
    """Return the canonical name of the key that makes a keysym, or None where we know none."""
    if keysym in _KEYS_BY_KEYSYM:
        return _KEYS_BY_KEYSYM[keysym]
    character = _OLD_CHARACTERS.get(keysym)
    if character is None:
        code = keysym - 0x0100_0000 if keysym >> 24 == 1 else keysym
        if keysym >> 24 != 1 and not 0x20 <= keysym <= 0xFF:
            return None
        character = chr(code)
    try:
        return keys.canonical(character)
    except keys.UnknownKey:
        return None


def keycodes(names: frozenset[str], keymap: Keymap) -> tuple[frozenset[int], ...]:
    """Return for each name the keycodes that bear it; nothing at all where one has none."""
    known = key_names(keymap)
    found = [
        frozenset(keycode for keycode, of in known.items() if name in of) for name in sorted(names)
    ]
    return tuple(found) if all(found) else ()
