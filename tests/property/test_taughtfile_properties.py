"""Whatever is done to files of taught gestures or of the background: read or refused, no harm.

Others' files reach people: a model that was shared, a folder that a failing disk gave back.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from importlib import resources
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gesturectl import background, taughtfile
from gesturectl.arrays import npz_bytes
from gesturectl.ears import Ear, Expected, Sought, Taught
from gesturectl.errors import ModelError
from gesturectl.views import EMBEDDING_SIZE
from tests.jsonplaces import places


def a_little_taught() -> Taught:
    """One gesture of three takes, whose weights mean nothing."""
    rng = np.random.default_rng(0)

    def f32(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    sought = Sought("motion", 1, (5, 8), 0.8, 0.0, 0.5, 1.0)
    ear = Ear(
        ("hand",), ("snap",), (sought,), f32(EMBEDDING_SIZE, 1), f32(1), f32(3, EMBEDDING_SIZE),
        np.zeros(3, np.int64),
    )  # fmt: skip
    expected = Expected("motion", ("hand",), 1, 3, 2, 0, 3_600_000_000, 0.1, (0.0, inf), None, 0.5)
    return Taught(MappingProxyType({"snap": expected}), (ear,), 3_600_000_000)


with tempfile.TemporaryDirectory() as _name:
    taughtfile.save(a_little_taught(), Path(_name) / "taught")
    CARD = (Path(_name) / "taught" / taughtfile.CARD).read_bytes()
    ARRAYS = (Path(_name) / "taught" / taughtfile.ARRAYS).read_bytes()

_SHIPPED = resources.files("gesturectl.gestures").joinpath("background")
SCENES = _SHIPPED.joinpath("background.json").read_bytes()
LANDMARKS = _SHIPPED.joinpath("background.npz").read_bytes()

Load = Callable[[Path], object]
ENOUGH_BYTES = 256_000_000


def try_to_load(
    load: Load, names: tuple[str, str], card: bytes, arrays: bytes, *, vouch: bool = False
) -> bool:
    """Load, or be refused by a ModelError of one plain line; return whether it was loaded."""
    if vouch:
        content = json.loads(card)
        content["sha256"] = hashlib.sha256(arrays).hexdigest()
        card = json.dumps(content).encode()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / names[0]).write_bytes(card)
        (folder / names[1]).write_bytes(arrays)
        tracemalloc.start()
        try:
            load(folder)
        except ModelError as error:
            said = str(error).replace(name, "")
            assert 10 < len(said) < 700, said
            assert said.isprintable(), said
            return False
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < ENOUGH_BYTES
    return True


def hear(folder: Path) -> None:
    """Load taught gestures and use them."""
    for ear in taughtfile.load(folder).ears:
        assert ear.scores(np.ones((2, EMBEDDING_SIZE), np.float32)).shape == (2, len(ear.names))
        assert ear.lengths


TAUGHT = (taughtfile.CARD, taughtfile.ARRAYS)
BACKGROUND = ("background.json", "background.npz")
KINDS: dict[str, tuple[Load, tuple[str, str], bytes, bytes]] = {
    "taught": (hear, TAUGHT, CARD, ARRAYS),
    "background": (background.load, BACKGROUND, SCENES, LANDMARKS),
}
kinds = st.sampled_from(sorted(KINDS))


@pytest.mark.parametrize("kind", KINDS)
def test_good_files_are_loaded(kind: str) -> None:
    assert try_to_load(*KINDS[kind])


edits = st.lists(
    st.tuples(st.integers(0, 1 << 22), st.integers(0, 9), st.binary(max_size=8)),
    min_size=1,
    max_size=5,
)


def damaged(raw: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for place, cut, new in changes:
        at = place % (len(raw) + 1)
        raw = raw[:at] + new + raw[at + cut :]
    return raw


@settings(max_examples=60, deadline=None)
@given(kinds, edits, edits)
def test_damaged_files_are_refused(
    kind: str, card_edits: list[tuple[int, int, bytes]], edits: list[tuple[int, int, bytes]]
) -> None:
    load, names, card, arrays = KINDS[kind]
    try_to_load(load, names, damaged(card, card_edits), arrays)
    try_to_load(load, names, card, damaged(arrays, edits))


@settings(max_examples=60, deadline=None)
@given(kinds, edits)
def test_damaged_arrays_that_the_card_vouches_for_do_no_harm(
    kind: str, changes: list[tuple[int, int, bytes]]
) -> None:
    load, names, card, arrays = KINDS[kind]
    try_to_load(load, names, card, damaged(arrays, changes), vouch=True)


PLACES = {
    kind: [list(place) for place in places(json.loads(card))[1:]]
    for kind, (_, _, card, _) in KINDS.items()
}
odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from([1e308, -1e300, 10**40, "snap", "hand", "body", "\x1b[2J", "x" * 50_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(kinds, st.integers(0, 10**6), odd_values)
@example("taught", 0, {"\x1b[2J" * 9_000: {}})
@example("background", 0, {"\x1b[2J" * 9_000: {}})
def test_a_card_with_one_odd_value_does_no_harm(kind: str, which: int, value: Any) -> None:
    load, names, card, arrays = KINDS[kind]
    content = json.loads(card)
    *way, last = PLACES[kind][which % len(PLACES[kind])]
    inner = content
    for key in way:
        inner = inner[key]
    inner[last] = value
    try_to_load(load, names, json.dumps(content).encode(), arrays)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["\x1b[2J" * 9_000, "\ud800", "more"])
def test_a_key_that_nobody_knows_is_told_in_plain_characters(kind: str, key: str) -> None:
    load, names, card, arrays = KINDS[kind]
    for place in [[], *PLACES[kind]]:
        content: Any = json.loads(card)
        inner = content
        for step in place:
            inner = inner[step]
        if isinstance(inner, dict):
            inner[key] = 1
            loaded = try_to_load(load, names, json.dumps(content).encode(), arrays)
            assert not loaded or place[:1] == ["data"]  # which is for people


VALUES = {
    "nan": np.float32(np.nan),
    "inf": np.float32(np.inf),
    "huge": np.float32(3e38),
    "zero": np.float32(0),
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", ["0_weights", "0_bias", "0_takes"])
def test_weights_that_no_fit_gives_are_refused_or_harmless(name: str, value: str) -> None:
    with np.load(io.BytesIO(ARRAYS), allow_pickle=False) as npz:
        arrays = {key: npz[key] for key in npz.files}
    arrays[name] = np.full_like(arrays[name], VALUES[value])
    loaded = try_to_load(hear, TAUGHT, CARD, npz_bytes(arrays), vouch=True)
    assert loaded == (value == "zero")


@pytest.mark.parametrize("kind", KINDS)
def test_pickles_bombs_and_countless_entries_are_refused(kind: str) -> None:
    load, names, card, arrays = KINDS[kind]
    with zipfile.ZipFile(io.BytesIO(arrays)) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    first = next(iter(entries))
    bomb = entries[first][:128] + bytes(50_000_000)
    objects = io.BytesIO()
    np.lib.format.write_array(objects, np.array([{}], object), allow_pickle=True)
    for hostile in (
        {first: bomb},
        {first: objects.getvalue()},
        {str(i): b"" for i in range(2_000)},
    ):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, content in (entries | hostile).items():
                archive.writestr(entry, content)
        assert not try_to_load(load, names, card, out.getvalue(), vouch=True)
