"""Whatever is done to the files of a model: it is loaded or refused, and never does harm."""

from __future__ import annotations

import io
import json
import tempfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gesturectl import model
from gesturectl.errors import ModelError
from tests.jsonplaces import Place, places
from tests.small_models import put_weights, save

with tempfile.TemporaryDirectory() as _folder:
    save(Path(_folder))
    CARD = (Path(_folder) / "model.json").read_bytes()
    WEIGHTS = (Path(_folder) / "weights.npz").read_bytes()

ENOUGH_BYTES = 2 * model.MAX_WEIGHTS_BYTES
"""Refusing a model never takes more memory: the room to read the largest is one half of it."""

offsets = st.integers(0, 1_000_000)
edits = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "insert"]), offsets, st.binary(min_size=1, max_size=8)
    ),
    min_size=1,
    max_size=6,
)


def damaged(raw: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    """Overwrite, cut out or insert a few bytes."""
    for how, place, value in changes:
        at = place % (len(raw) + 1)
        after = {"set": at + len(value), "cut": at + len(value) ** 2, "insert": at}[how]
        raw = raw[:at] + (b"" if how == "cut" else value) + raw[after:]
    return raw


def try_to_load(card: bytes, weights: bytes, *, vouch: bool) -> None:
    """Load, or be refused by a ModelError with a message; anything else fails the test."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.json").write_bytes(card)
        (folder / "weights.npz").write_bytes(weights)
        if vouch:
            put_weights(folder, weights)
        tracemalloc.start()
        try:
            loaded = model.load(folder)
        except ModelError as error:
            said = str(error).replace(name, "")
            assert 10 < len(said) < 600, said
            assert said.isprintable(), said
        else:
            run(loaded)
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < ENOUGH_BYTES


def run(loaded: model.Model) -> None:
    """What could be loaded can be run."""
    for name, part in loaded.card.parts.items():
        x = np.ones(part.inputs, np.float32)
        if part.kind == "mlp":
            p = loaded.mlp(name).scores(x[None])[0]
        else:
            p = loaded.tcn(name).stream().scores(x)
        assert p.shape == (len(part.classes),)


@settings(max_examples=100, deadline=None)
@given(edits, edits)
def test_damaged_files_are_refused(
    card: list[tuple[str, int, bytes]], weights: list[tuple[str, int, bytes]]
) -> None:
    try_to_load(damaged(CARD, card), WEIGHTS, vouch=False)
    try_to_load(CARD, damaged(WEIGHTS, weights), vouch=False)


@settings(max_examples=150, deadline=None)
@given(edits)
def test_damaged_weights_that_the_card_vouches_for_do_no_harm(
    changes: list[tuple[str, int, bytes]],
) -> None:
    try_to_load(CARD, damaged(WEIGHTS, changes), vouch=True)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([1e308, 10**400, "null", "mlp", "tcn", 65536, 16_000_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


PATHS = places(json.loads(CARD))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PATHS[1:]), values)
@example(("arrays", "shapes/w0", "shape"), [65536, 65536])
@example(("arrays", "shapes/w0", "shape"), [])
@example(("parts", "strokes", "inputs"), 4096)
@example(("version",), True)
@example(("arrays",), {"\x1b[2J" * 1000: {"shape": [1]}})
@example(("parts",), {f"p{i}": {} for i in range(1000)})
@example(("training",), {"a": "x" * 200_000})
def test_a_card_with_one_odd_value_does_no_harm(path: Place, value: Any) -> None:
    content = json.loads(CARD)
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    try_to_load(json.dumps(content).encode(), WEIGHTS, vouch=False)


entries = st.lists(
    st.tuples(
        st.sampled_from(["shapes/w0.npy", "shapes/b0.npy", "../x", "/", "a" * 300, "\x1b[2J"]),
        st.binary(max_size=200) | st.just(1_000_000),  # so many zeros
        st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    ),
    max_size=5,
)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(max_examples=60, deadline=None)
@given(entries, st.booleans())
def test_any_other_archive_that_the_card_vouches_for_does_no_harm(
    contents: list[tuple[str, bytes | int, int]], whole: bool
) -> None:
    out = io.BytesIO(WEIGHTS if whole else b"")
    with zipfile.ZipFile(out, "a") as archive:
        for name, content, method in contents:
            archive.writestr(name, bytes(content), method)
    try_to_load(CARD, out.getvalue(), vouch=True)
