"""Which key to press, under which modifiers and in which group, so that a keysym comes out.

Pure: `Keymap` is what the X server's keyboard extension says, read by the sink. In its words a key
has *groups* (layouts: us, ru), each group has *levels* (plain, Shift, AltGr), and the *type* of the
key says which modifiers lead to which level:

    key 38, group 0, type ALPHABETIC, levels a A        Shift → 1, Lock → 1
    key 24, group 0, type FOUR_LEVEL, levels q Q @ Ω    Shift → 1, Mod5 → 2, Shift+Mod5 → 3

Modifiers are a mask of eight bits; Mod1 … Mod5 mean what the layout makes of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

SHIFT, LOCK, CONTROL = 1, 2, 4


@dataclass(frozen=True, slots=True)
class KeyType:
    """Which modifiers a key looks at, and the level each combination leads to (others: 0)."""

    mods: int
    levels: Mapping[int, int]

    def level(self, mods: int) -> int:
        """Return the level that a mask of modifiers leads to."""
        return self.levels.get(mods & self.mods, 0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a keysym lies. `group` is None on a key that has one group and so ignores it."""

    keycode: int
    group: int | None
    level: int
    type: KeyType


@dataclass(frozen=True, slots=True)
class Stroke:
    """How to press: lock `group` first unless None, hold the keys `holding`, press `keycode`."""

    keycode: int
    group: int | None = None
    holding: tuple[int, ...] = ()
    heeds_lock: bool = False  # Caps Lock would change what comes out


@dataclass(frozen=True, slots=True)
class Keymap:
    """One keyboard as the server knows it.

    `modifiers` gives for each modifier bit a key that sets it while it is down; `mods_of` gives
    the bits of every modifier key; `shortcuts` are the bits that make a key a shortcut (Control,
    Alt, Super). `spare` are the keycodes without a keysym.
    """

    places: Mapping[int, tuple[Place, ...]]
    modifiers: Mapping[int, int] = field(default_factory=dict)
    mods_of: Mapping[int, int] = field(default_factory=dict)
    shortcuts: int = CONTROL
    spare: tuple[int, ...] = ()

    def stroke(self, keysyms: Iterable[int], mods: int, group: int) -> Stroke | None:
        """Return how to make one of the keysyms under the modifiers and group in force, or None.

        Modifiers in force stay in force; only missing ones are added. Caps Lock is taken as off.
        """
        mods &= ~LOCK
        for place in self._nearest(keysyms, group):
            added = self._missing(place, mods)
            if added is not None:
                return Stroke(
                    place.keycode,
                    None if place.group in (None, group) else place.group,
                    added,
                    heeds_lock=place.type.level(mods) != place.type.level(mods | LOCK),
                )
        return None

    def chord(self, keysyms: tuple[int, ...], mods: int, group: int) -> Stroke | None:
        """Like `stroke`, but modifiers in force are meant: shift + `1` is the key `1`, shifted."""
        return self.stroke(keysyms, mods, group) or self.stroke(keysyms, 0, group)

    def _nearest(self, keysyms: Iterable[int], group: int) -> list[Place]:
        """Return all places, those of the group in force first, plain before shifted."""
        places = [place for keysym in keysyms for place in self.places.get(keysym, ())]
        return sorted(places, key=lambda place: (place.group not in (None, group), place.level))

    def _missing(self, place: Place, mods: int) -> tuple[int, ...] | None:
        """Return the fewest modifier keys that lead to the level, or None if none do."""
        addable = [bit for bit in self.modifiers if bit & place.type.mods and not bit & mods]
        for count in range(len(addable) + 1):
            for bits in combinations(addable, count):
                if place.type.level(mods | sum(bits)) == place.level:
                    return tuple(self.modifiers[bit] for bit in bits)
        return None
