"""Whatever is done to a file of a data set: it is read, or named as damaged, and does no harm."""

from __future__ import annotations

import io
import json
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gesturectl.arrays import npz_bytes
from gesturectl.errors import SourceError
from training import datasets

RNG = np.random.default_rng(0)


def f32(*shape: int) -> np.ndarray:
    return RNG.random(shape, dtype=np.float32)


HANDS = {
    "image": f32(3, 21, 3),
    "handedness": np.array(["Left", "Right", "Right"]),
    "size_px": np.tile([640, 480], (3, 1)),
    "gesture": np.array(["fist", "ok", "none"]),
    "raised": np.array([True, True, False]),
}
BODIES = {
    "image": f32(2, 33, 4),
    "size_px": np.tile([640, 480], (2, 1)),
    "label": np.array(["land", "x"]),
}
ARMS = {
    "t_us": np.arange(4) * 40_000,
    "label": np.array(["idle", "rotate", "rotate", "idle"]),
    "size_px": np.array([640, 480]),
    "pose": f32(4, 33, 4),
}
TAKES = {
    "pose": f32(2, 3, 33, 4),
    "left_hand": f32(2, 3, 21, 3),
    "right_hand": f32(2, 3, 21, 3),
    "label": np.array(["hello", "_"]),
}
SHREC = {
    "joints_m": f32(5, 22, 3),
    "offset": np.array([0, 2, 5]),
    "meta": np.array([[1, 1, 1], [2, 2, 2]]),
    "meta_cols": np.array(["gesture", "finger", "subject"]),
    "split": np.array(["train", "test"]),
}

SFINGE = {
    "stream_frames": f32(5, 140),
    "stream_offset": np.array([0, 2, 5]),
    "stream_id": np.array([7, 9]),
}
TRUTH = {"7": [[1, 0, 1]], "9": [[13, 0, 1], [2, 1, 2]]}


def streams(path: Path) -> object:
    """Read streams whose arrays are at this path, and whose annotation is right."""
    (path.parent / "sequencesGT.json").write_text(json.dumps(TRUTH))
    try:
        return datasets.sfinge3d(path.rename(path.with_name("sfinge3d.npz")).parent)
    except SourceError as error:
        raise SourceError(str(error).replace("sfinge3d.npz", path.name)) from error


Reader = Callable[[Path], object]
READERS: dict[str, tuple[Reader, dict[str, np.ndarray]]] = {
    "hands": (datasets.hand_photos, HANDS),
    "bodies": (datasets.body_photos, BODIES),
    "arms": (lambda path: datasets.arm_recordings(path.parent), ARMS),
    "takes": (datasets.user_takes, TAKES),
    "shrec17": (datasets.shrec17, SHREC),
    "sfinge3d": (streams, SFINGE),
}
names = st.sampled_from(sorted(READERS))
ENOUGH_BYTES = 8_000_000


def try_to_read(name: str, raw: bytes) -> bool:
    """Read, or be refused by a SourceError that names the file; return whether it was read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a_1.npz"
        path.write_bytes(raw)
        tracemalloc.start()
        try:
            READERS[name][0](path)
        except SourceError as error:
            assert str(error).startswith(str(path))
            said = str(error).removeprefix(str(path))
            assert 10 < len(said) < 400
            assert said.isprintable()
            return False
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < ENOUGH_BYTES
    return True


@pytest.mark.parametrize("name", READERS)
def test_good_files_are_read(name: str) -> None:
    assert try_to_read(name, npz_bytes(READERS[name][1]))


@pytest.mark.parametrize("name", READERS)
def test_an_array_that_is_missing_is_named(name: str, tmp_path: Path) -> None:
    arrays = READERS[name][1]
    for left_out in arrays:
        path = tmp_path / "a_1.npz"
        path.write_bytes(npz_bytes({k: a for k, a in arrays.items() if k != left_out}))
        with pytest.raises(SourceError, match=f"does not hold {left_out}"):
            READERS[name][0](path)


ODD = {
    "objects": np.array([{}, None], dtype=object),
    "nothing": np.zeros(0, np.float32),
    "a number": np.float32(1),
    "texts": np.array(["a", "b"]),
    "complex": np.zeros((2, 2), np.complex64),
    "dates": np.zeros(3, "datetime64[s]"),
    "records": np.zeros(3, [("a", "<f4")]),
    "bytes": np.zeros(3, "S5"),
    "nan": np.full((3, 21, 3), np.nan, np.float32),
    "inf": np.full((4, 33, 4), np.inf, np.float32),
    "time back": np.array([5, 4, 3, 2]),
    "negative": np.full((3, 2), -1),
    "unsigned": np.full(4, 2**63, np.uint64),
    "many": np.zeros((70_000, 1), np.int8),
}


def pickled(arrays: dict[str, np.ndarray]) -> bytes:
    """As numpy saves them, pickles included."""
    out = io.BytesIO()
    np.savez(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


@settings(max_examples=150, deadline=None)
@given(names, st.data())
def test_an_odd_array_does_no_harm(name: str, data: st.DataObject) -> None:
    arrays = READERS[name][1]
    where = data.draw(st.sampled_from(sorted(arrays)))
    what = data.draw(st.sampled_from(sorted(ODD)))
    try_to_read(name, pickled(arrays | {where: ODD[what]}))


def test_a_program_in_place_of_an_array_is_not_run(tmp_path: Path) -> None:
    for name, (_, arrays) in READERS.items():
        for where in arrays:
            assert not try_to_read(name, pickled(arrays | {where: ODD["objects"]}))


edits = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.integers(0, 8), st.binary(max_size=8)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(names, edits, st.booleans())
def test_damaged_bytes_do_no_harm(
    name: str, changes: list[tuple[int, int, bytes]], zipped: bool
) -> None:
    arrays = READERS[name][1]
    raw = npz_bytes(arrays) if zipped else pickled(arrays)
    for place, cut, new in changes:
        at = place % (len(raw) + 1)
        raw = raw[:at] + new + raw[at + cut :]
    try_to_read(name, raw)


def entry(header: str, zeros: int) -> bytes:
    """An archive whose `image` claims what this header says."""
    text = header.encode("latin-1")
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(zeros)
    out = io.BytesIO(npz_bytes({k: a for k, a in HANDS.items() if k != "image"}))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("image.npy", content)
    return out.getvalue()


HEADER = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n"


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["<f4", ">f8", "<U9999", "|O", "|V8", "<f99", "<M8[s]", "<i3"]),
    st.text("0123456789, -ae", max_size=20),
    st.sampled_from([0, 756, 5_000_000]),
)
@example("<f4", "3, 21, 3", 756)
@example("<f4", "3, 21, 3", 50_000_000)
@example("<f4", "1000000000, 21, 3", 0)
@example("<f4", "0, 99999999999999999999", 0)
@example("<U9999", "1000000", 0)
@example("<f4", ",".join("1" * 40), 4)
def test_headers_that_lie_do_no_harm(descr: str, shape: str, zeros: int) -> None:
    try_to_read("hands", entry(HEADER % (descr, shape), zeros))


@pytest.mark.parametrize("header", ["", "(" * 9_000, "'''", "{'descr': ", "\x93" * 99, "[]*9\n"])
def test_headers_that_are_none_do_no_harm(header: str) -> None:
    assert not try_to_read("hands", entry(header, 0))


def test_an_archive_of_very_many_entries_is_refused() -> None:
    out = io.BytesIO(npz_bytes(HANDS))
    with zipfile.ZipFile(out, "a") as archive:
        for i in range(2_000):
            archive.writestr(str(i), b"")
    assert not try_to_read("hands", out.getvalue())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["7", "9"]), inner),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(json_values.map(json.dumps).map(str.encode) | st.binary(max_size=50))
@example(b'{"7": ' + b"[" * 900 + b"]" * 900 + b', "9": []}')
@example(b'{"7": [[1, 0, 1]], "7": [], "9": []}')
@example(b'{"7": [], "9": [[1, 0, 1' + b"0" * 5000 + b"]]}")
def test_any_annotation_is_read_or_refused(truth: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sfinge3d.npz").write_bytes(npz_bytes(SFINGE))
        (folder / "sequencesGT.json").write_bytes(truth)
        try:
            datasets.sfinge3d(folder)
        except SourceError as error:
            said = str(error).removeprefix(f"{folder}/sequencesGT.json")
            assert 10 < len(said) < 400
            assert said.isprintable()
