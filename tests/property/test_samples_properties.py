"""Whatever interrupts or damages the user's folder: takes are whole or absent, and none is lost."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesturectl import lastheard
from gesturectl.errors import GesturectlError, TraceError, UsageError
from gesturectl.samples import Plan, Store, check_name
from gesturectl.types import Hand, Observation

FRAMES = 12


def take() -> list[Observation]:
    hand = Hand("right", 0.9, np.linspace(0.2, 0.8, 63, dtype=np.float32).reshape(21, 3))
    return [Observation(i * 33_333, (hand,), (), (640, 480)) for i in range(FRAMES)]


class Stopped(list[Observation]):
    """A take during whose writing somebody presses Ctrl-C."""

    def __init__(self, at: int) -> None:
        super().__init__(take())
        self.at = at

    def __iter__(self) -> Iterator[Observation]:
        for index, observation in enumerate(super().__iter__()):
            if index == self.at:
                raise KeyboardInterrupt
            yield observation


def kept(folder: str, takes: int) -> Store:
    store = Store(Path(folder))
    store.begin("zigzag", Plan("hand", 5))
    for _ in range(takes):
        store.add_take("zigzag", take(), "")
    return store


@given(before=st.integers(0, 2), at=st.integers(0, FRAMES - 1))
@settings(max_examples=20, deadline=None)
def test_an_interrupt_at_any_frame_loses_no_earlier_take_and_leaves_no_half(
    before: int, at: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = kept(folder, before)
        with pytest.raises(KeyboardInterrupt):
            store.add_take("zigzag", Stopped(at), "")
        assert [len(one) for one in store.load().gestures["zigzag"].takes] == [FRAMES] * before
        assert not list(store.root.rglob("*.part"))
        store.add_take("zigzag", take(), "")
        assert len(store.files("zigzag")) == before + 1


@given(at=st.floats(0, 1), garbage=st.binary(max_size=40), cut=st.booleans())
@settings(max_examples=60, deadline=None)
def test_damage_anywhere_in_a_take_is_named_and_costs_no_other(
    at: float, garbage: bytes, cut: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = kept(folder, 2)
        victim, other = store.files("zigzag")
        data = victim.read_bytes()
        place = round(at * len(data))
        victim.write_bytes(data[:place] + garbage + (b"" if cut else data[place + len(garbage) :]))
        read = store.load()
        whole = len(read.gestures["zigzag"].takes)
        assert other in read.gestures["zigzag"].files
        assert whole + len(read.problems) == 2
        assert all(str(victim) in problem for problem in read.problems)


@given(st.text(max_size=60))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    store = Store(Path("somewhere"))
    try:
        check_name(name)
    except UsageError as error:
        assert name == "" or error.exit_code == 2
        with pytest.raises(GesturectlError):
            store.begin(name, Plan())
    else:
        assert name.isascii()
        assert Path(name).name == name
        assert not name.startswith(".")


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_the_file_of_the_last_activation_holds_it_is_read_or_refused(
    data: bytes, zipped: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "last-heard.jsonl.gz"
        path.write_bytes(gzip.compress(data) if zipped else data)
        with pytest.raises(TraceError, match="last-heard"):
            lastheard.read(path)
