"""Key names: many spellings, one name, and help for the wrong ones."""

from __future__ import annotations

import pytest

from gesturectl import keys
from gesturectl.errors import UsageError


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Right", "Right"),
        ("right", "Right"),
        ("PAGE_DOWN", "Page_Down"),
        ("PgDn", "Page_Down"),
        ("Control_L", "ctrl"),
        ("CTRL", "ctrl"),
        ("Win", "super"),
        ("esc", "Escape"),
        ("enter", "Return"),
        ("f5", "F5"),
        ("F24", "F24"),
        ("kp_enter", "KP_Enter"),
        ("XF86AudioPlay", "play_pause"),
        ("prev", "previous"),
        ("+", "plus"),
        (" ", "space"),
        ("?", "question"),
    ],
)
def test_every_spelling_leads_to_the_one_name(written: str, name: str) -> None:
    assert keys.canonical(written) == name


@pytest.mark.parametrize("name", ["a", "A", "7", "ä", "Ä", "я", "你", "🙂", "№", "€"])
def test_a_single_character_of_any_script_is_a_key_of_its_own(name: str) -> None:
    assert keys.canonical(name) == name
    assert keys.lookup(name).character == name


def test_a_decomposed_character_is_the_composed_one() -> None:
    assert keys.canonical("a\u0308") == "ä"


@pytest.mark.parametrize(
    ("character", "keysym"),
    [
        ("a", 0x61),
        ("ä", 0xE4),
        ("€", 0x10020AC),
        ("я", 0x100044F),
        ("你", 0x1004F60),
        ("🙂", 0x101F642),
    ],
)
def test_characters_beyond_latin_1_have_unicode_keysyms(character: str, keysym: int) -> None:
    assert keys.lookup(character).keysym == keysym


@pytest.mark.parametrize(
    ("wrong", "suggestion"),
    [
        ("Rigth", "Right"),
        ("Pg_Dwn", "Page_Down"),
        ("volumeup", "volume_up"),
        ("Controll", "ctrl"),
        ("play-pause", "play_pause"),
        ("banana", None),
        ("", None),
    ],
)
def test_an_unknown_name_suggests_the_nearest(wrong: str, suggestion: str | None) -> None:
    with pytest.raises(keys.UnknownKey) as caught:
        keys.canonical(wrong)
    assert caught.value.suggestion == suggestion
    assert repr(wrong) in str(caught.value)
    assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize("control", ["\x00", "\x1b", "\n", "\ud800"])
def test_control_characters_and_halves_of_characters_are_not_keys(control: str) -> None:
    with pytest.raises(keys.UnknownKey):
        keys.canonical(control)


def test_unknown_lists_the_wrong_names_with_advice() -> None:
    assert keys.unknown(["a", "Rigth", "Home"]) == {
        "Rigth": "unknown key 'Rigth'; did you mean 'Right'?"
    }


def test_the_table_has_every_printable_ascii_character() -> None:
    typed = {key.character for key in keys.KEYS.values()}
    assert {chr(code) for code in range(0x20, 0x7F)} <= typed


def test_names_are_canonical_and_keysyms_are_of_one_key_each() -> None:
    assert all(keys.canonical(name) == name for name in keys.KEYS)
    keysyms = [key.keysym for key in keys.KEYS.values()]
    assert len(keysyms) == len(set(keysyms))


def test_a_profile_can_say_chords_without_ambiguity() -> None:
    """`ctrl+plus` splits at the plus sign, so no name but that character may contain it."""
    assert [name for name in keys.KEYS if "+" in name] == []


def test_the_reference_lists_every_named_key_once() -> None:
    rendered = keys.reference()
    for key in keys.KEYS.values():
        if key.group != "character":
            assert rendered.count(f"| `{key.name}` |") == 1
