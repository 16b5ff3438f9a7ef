"""The keyboard that we bring to Wayland: every key has a place, spare ones are lent in turn."""

from __future__ import annotations

import ctypes
import ctypes.util

import pytest

from gesturectl import keys
from gesturectl.sinks.wlkeymap import (
    BASE,
    HIGHEST,
    MODIFIERS,
    SHIFT,
    SPARE,
    XKB_OFFSET,
    Keyboard,
    Stroke,
)
from tests.e2e.wlclient import Xkb

NOBODY: frozenset[int] = frozenset()


def cjk(count: int) -> list[int]:
    return [keys.character_keysym(chr(0x4E00 + place)) for place in range(count)]


def test_every_key_that_a_profile_can_name_has_its_own_stroke() -> None:
    keyboard = Keyboard()
    strokes = {name: keyboard.stroke(key.keysym) for name, key in keys.KEYS.items()}
    assert None not in strokes.values()
    assert len(set(strokes.values())) == len(keys.KEYS)


def test_no_key_is_above_what_x11_knows_and_no_spare_one_is_taken() -> None:
    assert not set(SPARE) & BASE.keys()
    assert max(SPARE + tuple(BASE)) + XKB_OFFSET <= HIGHEST


def test_capitals_need_shift_and_modifiers_are_in_force_while_they_are_down() -> None:
    keyboard = Keyboard()
    assert keyboard.stroke(ord("a")) == Stroke(30)
    assert keyboard.stroke(ord("A")) == Stroke(30, SHIFT)
    assert keyboard.stroke(keys.KEYS["shift"].keysym) == Stroke(42, SHIFT)


def test_a_character_is_lent_a_key_and_keeps_it() -> None:
    keyboard = Keyboard()
    (keysym,) = cjk(1)
    assert keyboard.stroke(keysym) is None
    assert keyboard.lend([keysym], NOBODY)
    stroke = keyboard.stroke(keysym)
    assert stroke == Stroke(SPARE[0])
    assert not keyboard.lend([keysym, ord("a")], NOBODY)
    assert keyboard.stroke(keysym) == stroke


def test_the_character_unused_for_longest_gives_its_key_to_the_next() -> None:
    keyboard = Keyboard()
    *full, late = cjk(len(SPARE) + 1)
    keyboard.lend(full, NOBODY)
    keyboard.stroke(full[0])  # used again
    keyboard.lend([late], NOBODY)
    assert keyboard.stroke(full[0]) == Stroke(SPARE[0])
    assert keyboard.stroke(late) == Stroke(SPARE[1])
    assert keyboard.stroke(full[1]) is None


def test_a_key_that_is_down_keeps_its_character() -> None:
    keyboard = Keyboard()
    *full, late = cjk(len(SPARE) + 1)
    keyboard.lend(full, NOBODY)
    assert keyboard.room({SPARE[0]}) == len(SPARE) - 1
    keyboard.lend([late], {SPARE[0]})
    assert keyboard.stroke(full[0]) == Stroke(SPARE[0])
    keyboard.lend([full[1]], SPARE)
    assert keyboard.stroke(full[1]) is None


def test_what_is_asked_for_together_fits_together() -> None:
    keyboard = Keyboard()
    first, second = cjk(2 * len(SPARE))[: len(SPARE)], cjk(2 * len(SPARE))[len(SPARE) // 2 :]
    keyboard.lend(first, NOBODY)
    wanted = second[: len(SPARE)]
    keyboard.lend(wanted, NOBODY)
    codes = {stroke.keycode for keysym in wanted if (stroke := keyboard.stroke(keysym))}
    assert codes == set(SPARE)


@pytest.mark.skipif(
    ctypes.util.find_library("xkbcommon") is None, reason="libxkbcommon is not installed"
)
def test_libxkbcommon_reads_the_keymap_as_we_mean_it() -> None:
    keyboard = Keyboard()
    lent = [keys.character_keysym(character) for character in "яñßλ你😀é"]
    keyboard.lend(lent, NOBODY)
    xkb = Xkb()
    xkb.load_text(keyboard.keymap().encode())
    for keysym in [key.keysym for key in keys.KEYS.values()] + lent:
        stroke = keyboard.stroke(keysym)
        assert stroke is not None
        modifies = stroke.keycode in {
            keyboard.stroke(keys.KEYS[name].keysym).keycode
            for name in MODIFIERS  # type: ignore[union-attr]
        }
        xkb.modify(0 if modifies else stroke.mods, 0, 0, 0)
        assert xkb.look_up(stroke.keycode)[0] == keysym
    for name in MODIFIERS:
        stroke = keyboard.stroke(keys.KEYS[name].keysym)
        assert stroke is not None
        assert xkb.modifiers_of(stroke.keycode) == stroke.mods
