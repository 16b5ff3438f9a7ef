"""The ledger: a key is held or it is not."""

from __future__ import annotations

from gesturectl.ledger import Ledger
from gesturectl.types import ButtonDown, ButtonUp, KeyDown, KeyUp, MoveBy, Text


def test_what_is_pressed_is_released_newest_first() -> None:
    ledger = Ledger()
    ledger.note(KeyDown(1, "ctrl"))
    ledger.note(ButtonDown(2, "left"))
    ledger.note(KeyDown(3, "a"))
    assert ledger.held == ("ctrl", "left", "a")
    assert ledger.release(9) == (KeyUp(9, "a"), ButtonUp(9, "left"), KeyUp(9, "ctrl"))


def test_a_second_release_has_nothing_to_do() -> None:
    ledger = Ledger()
    ledger.note(KeyDown(1, "a"))
    ledger.release(2)
    assert ledger.held == ()
    assert ledger.release(3) == ()


def test_a_key_pressed_twice_needs_one_release() -> None:
    ledger = Ledger()
    assert ledger.note(KeyDown(1, "a")) is True
    assert ledger.note(KeyDown(2, "a")) is False
    assert ledger.note(KeyUp(3, "a")) is True
    assert ledger.held == ()


def test_a_release_without_a_press_changes_nothing() -> None:
    ledger = Ledger()
    assert ledger.note(KeyUp(1, "a")) is False
    assert ledger.note(ButtonUp(2, "left")) is False
    assert ledger.release(3) == ()


def test_a_key_and_a_button_of_one_name_are_two_things() -> None:
    ledger = Ledger()
    ledger.note(KeyDown(1, "left"))
    ledger.note(ButtonDown(2, "left"))
    ledger.note(KeyUp(3, "left"))
    assert ledger.release(4) == (ButtonUp(4, "left"),)


def test_a_press_that_could_not_be_sent_is_forgotten() -> None:
    ledger = Ledger()
    ledger.note(KeyDown(1, "a"))
    ledger.forget(KeyDown(1, "a"))
    assert ledger.note(KeyDown(2, "a")) is True


def test_other_commands_pass_and_are_not_held() -> None:
    ledger = Ledger()
    assert ledger.note(MoveBy(1, 2.0, 3.0)) is True
    assert ledger.note(Text(2, "a")) is True
    assert ledger.release(3) == ()
