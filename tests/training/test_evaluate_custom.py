"""The measure of custom gestures: what is drawn, what counts as a stranger, what is left open."""

from __future__ import annotations

import numpy as np
import pytest

from gesturectl.types import Float32
from gesturectl.views import EMBEDDING_SIZE
from training.evaluate import custom as measure
from training.evaluate.__main__ import parser
from training.evaluate.custom import User


def user(name: str, *gestures: str, takes: int = 8, spread: float = 0.3) -> User:
    """Somebody whose gestures are well apart, each the same for everybody who shows it."""
    rows: list[Float32] = []
    for gesture in gestures:
        rng = np.random.default_rng([ord(letter) for letter in gesture])
        centre = rng.normal(size=EMBEDDING_SIZE)
        own = np.random.default_rng([ord(letter) for letter in name + gesture])
        rows += [
            (row / np.linalg.norm(row)).astype(np.float32)
            for row in centre + spread * own.normal(size=(takes, EMBEDDING_SIZE))
        ]
    return User(name, np.stack(rows), np.repeat(gestures, takes))


def test_gestures_well_apart_are_all_right() -> None:
    assert measure.balanced_accuracy(user("a", "x", "y", "z"), shots=1, draws=3) == 1.0


def test_a_class_without_a_take_left_to_test_gives_no_figure() -> None:
    assert measure.balanced_accuracy(user("a", "x", "y", takes=5), shots=5, draws=3) is None


def test_strangers_gestures_are_refused_and_own_ones_recalled() -> None:
    others = [user(name, f"{name}1", f"{name}2", f"{name}3") for name in "bcdefg"]
    opened = measure.open_set(user("a", "x", "y", "none"), others, shots=5, draws=3)
    assert opened is not None
    assert opened.false_accept == 0
    assert opened.recall > 0.9


def test_the_same_gesture_of_somebody_else_is_no_stranger() -> None:
    others = [user(name, "x", "y", f"{name}1", f"{name}2") for name in "bcdefg"]
    opened = measure.open_set(user("a", "x", "y"), others, shots=5, draws=3)
    assert opened is not None
    assert opened.false_accept == 0


def test_a_lonely_user_leaves_the_open_set_open() -> None:
    assert measure.open_set(user("a", "x", "y"), [user("b", "z")], shots=5, draws=3) is None


def test_takes_to_learn_from_are_read_from_the_command_line() -> None:
    assert parser().parse_args(["custom", "--data", "x", "--shots", "1,3"]).shots == [1, 3]


@pytest.mark.parametrize("text", ["0,3", "few", ""])
def test_what_is_no_number_of_takes_is_refused(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["custom", "--data", "x", "--shots", text])
    assert f"{text!r}: give numbers from 1 on, as in 1,3,5" in capsys.readouterr().err
