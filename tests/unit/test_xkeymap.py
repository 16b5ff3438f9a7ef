"""Which key to press: a small German-and-Russian keyboard, and what comes out of it."""

from __future__ import annotations

from gesturectl.sinks.xkeymap import CONTROL, LOCK, SHIFT, Keymap, KeyType, Place, Stroke

ALTGR = 128
ONE_LEVEL = KeyType(0, {})
ALPHABETIC = KeyType(SHIFT | LOCK, {SHIFT: 1, LOCK: 1})
FOUR_LEVEL = KeyType(SHIFT | ALTGR, {SHIFT: 1, ALTGR: 2, SHIFT | ALTGR: 3})

SHIFT_KEY, ALTGR_KEY, Z, Q, RIGHT = 50, 92, 29, 24, 114
KEYMAP = Keymap(
    places={
        ord("z"): (Place(Z, 0, 0, ALPHABETIC),),
        ord("Z"): (Place(Z, 0, 1, ALPHABETIC),),
        0x6CE: (Place(Z, 1, 0, ALPHABETIC),),  # н
        ord("q"): (Place(Q, None, 0, FOUR_LEVEL),),
        ord("Q"): (Place(Q, None, 1, FOUR_LEVEL),),
        ord("@"): (Place(Q, None, 2, FOUR_LEVEL),),
        0x7D9: (Place(Q, None, 3, FOUR_LEVEL),),  # Ω
        0xFF53: (Place(RIGHT, None, 0, ONE_LEVEL),),
    },
    modifiers={SHIFT: SHIFT_KEY, ALTGR: ALTGR_KEY, CONTROL: 37},
)


def test_a_plain_key_is_just_pressed() -> None:
    assert KEYMAP.stroke([0xFF53], mods=0, group=0) == Stroke(RIGHT)


def test_a_shifted_character_holds_shift() -> None:
    assert KEYMAP.stroke([ord("Q")], 0, 0) == Stroke(Q, holding=(SHIFT_KEY,))


def test_the_third_level_holds_altgr_and_the_fourth_both() -> None:
    assert KEYMAP.stroke([ord("@")], 0, 0) == Stroke(Q, holding=(ALTGR_KEY,))
    assert KEYMAP.stroke([0x7D9], 0, 0) == Stroke(Q, holding=(SHIFT_KEY, ALTGR_KEY))


def test_what_is_in_force_is_not_pressed_again() -> None:
    assert KEYMAP.stroke([ord("Q")], SHIFT, 0) == Stroke(Q)
    assert KEYMAP.stroke([0x7D9], SHIFT, 0) == Stroke(Q, holding=(ALTGR_KEY,))


def test_modifiers_that_the_key_does_not_heed_do_not_matter() -> None:
    assert KEYMAP.stroke([ord("q")], CONTROL, 0) == Stroke(Q)


def test_a_plain_character_cannot_be_had_while_shift_is_in_force() -> None:
    assert KEYMAP.stroke([ord("q")], SHIFT, 0) is None


def test_but_in_a_chord_shift_is_meant() -> None:
    assert KEYMAP.chord((ord("q"),), SHIFT, 0) == Stroke(Q)


def test_a_key_of_another_group_switches_to_it() -> None:
    assert KEYMAP.stroke([0x6CE], 0, 0) == Stroke(Z, group=1, heeds_lock=True)
    assert KEYMAP.stroke([0x6CE], 0, 1) == Stroke(Z, heeds_lock=True)
    assert KEYMAP.stroke([ord("z")], 0, 1) == Stroke(Z, group=0, heeds_lock=True)


def test_caps_lock_is_taken_as_off_and_its_influence_told() -> None:
    assert KEYMAP.stroke([ord("z")], LOCK, 0) == Stroke(Z, heeds_lock=True)


def test_what_no_key_makes_is_nothing() -> None:
    assert KEYMAP.stroke([ord("x")], 0, 0) is None
    assert KEYMAP.chord((ord("x"),), 0, 0) is None


def test_the_first_keysym_that_a_key_makes_is_taken() -> None:
    assert KEYMAP.stroke([ord("x"), ord("q")], 0, 0) == Stroke(Q)
