"""Models are loaded as they were written, run as they were trained, or refused with a reason."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturectl import model
from gesturectl.catalog import catalog
from gesturectl.classifier import INPUTS
from gesturectl.errors import ModelError
from gesturectl.features import FEATURES_VERSION
from gesturectl.recogniser import Recogniser
from tests.small_models import (
    arrays_of,
    edit_card,
    part,
    parts,
    perceptron,
    put_arrays,
    put_weights,
    save,
)
from training.export import write

SHIPPED = Path(__file__).resolve().parents[2] / "gestures" / "models" / "shipped"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(tmp_path / "small")


def refusal(folder: Path) -> str:
    """Say why this model is refused; which one it is, is always said."""
    with pytest.raises(ModelError) as caught:
        model.load(folder)
    assert str(folder) in str(caught.value)
    return str(caught.value)


# --- what is loaded -----------------------------------------------------------------------------


def test_a_model_is_what_was_written(folder: Path) -> None:
    loaded = model.load(folder)
    assert loaded.card.name == "small"
    assert set(loaded.nets) == {"shapes", "strokes"}
    rules = loaded.rules("shapes")
    assert rules.names == ("null", "fist", "ok")
    assert rules.enter.tolist() == pytest.approx([0.6, 0.8, 0.6])
    assert rules.hold_us.tolist() == [30_000] * 3


def test_a_part_of_another_kind_or_name_is_not_there(folder: Path) -> None:
    loaded = model.load(folder)
    with pytest.raises(ModelError, match="no part 'strokes' of kind mlp"):
        loaded.mlp("strokes")
    with pytest.raises(ModelError, match="no part 'elbows' of kind tcn"):
        loaded.tcn("elbows")


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_a_perceptron_is_two_matrix_products_of_what_was_standardised(folder: Path) -> None:
    own = parts()["shapes"]
    x = np.random.default_rng(1).normal(size=(20, 6)).astype(np.float32)
    hidden = np.maximum((x - own.mean) / own.scale @ own.params["w0"] + own.params["b0"], 0)
    expected = softmax(hidden @ own.params["w1"] + own.params["b1"])
    assert model.load(folder).mlp("shapes").scores(x) == pytest.approx(expected, abs=1e-5)


def test_a_stream_equals_the_mean_of_convolutions_of_the_whole(folder: Path) -> None:
    own = parts()["strokes"]
    x = np.random.default_rng(2).normal(size=(50, 4)).astype(np.float32)
    expected = np.zeros((50, 2))
    for view in range(2):
        of = {name: array[view] for name, array in own.params.items()}
        h = np.maximum((x - own.mean) / own.scale @ of["in_w"] + of["in_b"], 0)
        for i in range(3):
            weight, bias = of[f"conv{i}_w"].reshape(3, 8, 8), of[f"conv{i}_b"]
            out = np.zeros_like(h) + bias
            for tap, back in enumerate((2 << i, 1 << i, 0)):
                past = np.concatenate([np.zeros((back, 8)), h])[: len(h)]
                out += past @ weight[tap]
            h = h + np.maximum(out, 0)
        expected += softmax(h @ of["out_w"] + of["out_b"]) / 2

    stream = model.load(folder).tcn("strokes").stream()
    assert np.stack([stream.scores(row) for row in x]) == pytest.approx(expected, abs=1e-4)


def test_a_stream_that_was_reset_is_a_fresh_one(folder: Path) -> None:
    net = model.load(folder).tcn("strokes")
    x = np.random.default_rng(3).normal(size=(30, 4)).astype(np.float32)
    used = net.stream()
    for row in x:
        used.scores(row)
    used.reset()
    fresh = net.stream()
    for row in x:
        assert (used.scores(row) == fresh.scores(row)).all()


def test_lanes_do_not_hear_each_other() -> None:
    shipped = model.load(SHIPPED)
    hand, arm = shipped.tcn("hand_motion"), shipped.tcn("arm_motion")
    rng = np.random.default_rng(4)
    lanes = [(row, net) for row in range(2) for net in range(2)]
    together = model.TcnStreams([hand, arm], rows=2)
    alone = {lane: (hand, arm)[lane[1]].stream() for lane in lanes}
    following = dict.fromkeys(lanes, 300)
    for now in range(300, 370):
        if now == 333:
            together.forget((0, 1))
            alone[0, 1].reset()
        # Each is lost for a while, and takes the steps that it has missed when it is back.
        here = [lane for i, lane in enumerate(lanes) if (now // 7 + i) % 5]
        for step in range(min((following[lane] for lane in here), default=now), now + 1):
            taken = [lane for lane in here if following[lane] == step]
            x = {lane: rng.normal(size=(25, 24)[lane[1]]).astype(np.float32) for lane in taken}
            p = together.scores(step, x)
            for lane in taken:
                following[lane] += 1
                expected = alone[lane].scores(x[lane])
                assert (p[lane][: len(expected)] == expected).all()
                assert not p[lane][len(expected) :].any()


def test_networks_of_different_forms_do_not_run_together(folder: Path) -> None:
    small, large = model.load(folder).tcn("strokes"), model.load(SHIPPED).tcn("hand_motion")
    with pytest.raises(ValueError, match="different forms"):
        model.TcnStreams([small, large], rows=1)


# --- the shipped one ----------------------------------------------------------------------------


def test_the_shipped_model_knows_exactly_the_catalog() -> None:
    rules = {name: model.load(SHIPPED).rules(name).names for name in INPUTS}
    assert {names[0] for names in rules.values()} == {"null"}

    def known(kind: str, by: str) -> set[str]:
        return {g.name for g in catalog().values() if g.kind == kind and by in g.seen_by}

    assert set(rules["hand_pose"][1:]) == known("pose", "hand")
    assert set(rules["body_pose"][1:]) == known("pose", "body")
    assert set(rules["hand_motion"][1:]) == known("motion", "hand")
    assert set(rules["arm_motion"][1:]) == known("motion", "body")


def test_the_shipped_model_is_small() -> None:
    assert all(file.stat().st_size <= 1_000_000 for file in SHIPPED.iterdir())


def test_the_shipped_model_reads_what_our_features_write() -> None:
    card = model.load(SHIPPED).card
    assert {name: part.inputs for name, part in card.parts.items()} == INPUTS


def test_the_shipped_model_is_two_files_and_a_card_for_people() -> None:
    assert {file.name for file in SHIPPED.iterdir()} == {"model.json", "weights.npz", "CARD.md"}


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.json", "weights.npz"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert "No such file" in refusal(folder)
    assert name in refusal(folder)


def test_a_folder_in_place_of_a_file_is_named(folder: Path) -> None:
    (folder / "weights.npz").unlink()
    (folder / "weights.npz").mkdir()
    assert "weights.npz" in refusal(folder)


@pytest.mark.parametrize("name", ["model.json", "weights.npz"])
def test_a_pipe_in_place_of_a_file_is_refused_rather_than_waited_for(
    folder: Path, name: str
) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert f"{name} is a pipe or a device" in refusal(folder)


@pytest.mark.parametrize("name", ["model.json", "weights.npz"])
def test_a_link_that_leads_nowhere_or_to_a_device_is_refused(folder: Path, name: str) -> None:
    for target in (name, "nowhere", "/dev/zero"):
        (folder / name).unlink()
        (folder / name).symlink_to(target)
        assert name in refusal(folder)


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_truncated_weights_are_not_those_of_the_card(folder: Path, keep: int) -> None:
    file = folder / "weights.npz"
    file.write_bytes(file.read_bytes()[:keep])
    assert "SHA-256 differs" in refusal(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[1", "[" * 100_000, '{"a":' * 50_000, "1" * 10_000, "\0", "\ud800"]
)
def test_a_card_that_is_not_json_is_refused(folder: Path, text: str) -> None:
    (folder / "model.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert "is not JSON" in refusal(folder)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"version": 1', '"version": 9, "version": 1', "the key 'version' is there twice"),
        ('"seed": 7', '"seed": NaN', "NaN is no number"),
        ('"seed": 7', '"seed": -Infinity', "-Infinity is no number"),
    ],
)
def test_json_that_two_readers_would_read_differently_is_refused(
    folder: Path, old: str, new: str, reason: str
) -> None:
    file = folder / "model.json"
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    assert refusal(folder) == f"{file} is not JSON: {reason}"


@pytest.mark.parametrize("content", [[], 1, None, {}, {"format": "gesturectl-trace"}])
def test_json_of_something_else_is_refused(folder: Path, content: object) -> None:
    (folder / "model.json").write_text(json.dumps(content))
    assert "is not a gesturectl model" in refusal(folder)


def test_an_oversized_file_is_not_read_whole(folder: Path) -> None:
    with (folder / "model.json").open("ab") as f:
        f.write(b" " * model.MAX_JSON_BYTES)
    assert "larger than 256 KiB" in refusal(folder)
    save(folder)
    with (folder / "weights.npz").open("r+b") as f:
        f.truncate(model.MAX_WEIGHTS_BYTES + 1)
    assert "larger than 16384 KiB" in refusal(folder)


def part_of(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda card: card["parts"]["shapes"].update(changes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda card: card.update(version=2), "has version 2, this program reads 1"),
        (lambda card: card.update(version="v" * 200_000), "has version 'vvv"),
        (
            lambda card: card.update(features_version=FEATURES_VERSION + 1),
            f"was trained on features version {FEATURES_VERSION + 1}",
        ),
        (lambda card: card.pop("sha256"), "sha256: Field required"),
        (lambda card: card.update(pickle="cos"), "pickle: Extra inputs"),
        (lambda card: card.update(name="../../etc"), "name: "),
        (part_of(kind="svm"), "parts.shapes.kind"),
        (part_of(classes=["null"]), "parts.shapes.classes"),
        (part_of(classes=["null", "fist", "fist"]), "same name twice"),
        (part_of(enter=[0.5]), "enter must have one value for each"),
        (part_of(enter=[0.5, 0.5, 1.5]), "parts.shapes.enter.2"),
        (part_of(enter=[0.5, 0.5, float("nan")]), "NaN is no number"),
        (part_of(exit=[0.5, 0.5, 0.9]), "exit must not be above enter"),
        (part_of(hold_us=[0, 0, -1]), "parts.shapes.hold_us.2"),
        (part_of(inputs=7), "shapes/mean has shape (6,), expected (7)"),
        (part_of(kind="tcn"), "shapes/in_b is missing"),
        (part_of(classes=["null", "a", "b", "c"], **{
            key: [0.5] * 4 for key in ("enter", "exit")
        }, hold_us=[0] * 4, refractory_us=[0] * 4), "gives 3 scores for 4 classes"),
        (lambda card: card["arrays"].pop("shapes/w0"), "does not hold the arrays"),
        (lambda card: card["arrays"].update({"a/b": {"shape": [1]}}), "does not hold the arrays"),
        (lambda card: card["arrays"]["shapes/w0"].update(shape=[5, 6]), "shapes/w0 is"),
        (lambda card: card["arrays"]["shapes/w0"].update(shape=[65536] * 3), "too many"),
        (lambda card: card["arrays"]["shapes/w0"].update(shape=[1] * 4), "arrays.shapes/w0"),
        (lambda card: card["arrays"]["shapes/w0"].update(shape=[-1]), "arrays.shapes/w0"),
    ],
)  # fmt: skip
def test_a_card_that_cannot_be_true_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    edit_card(folder, change)
    assert reason in refusal(folder)


def test_the_name_of_an_array_that_is_none_is_told_in_few_plain_characters(folder: Path) -> None:
    edit_card(folder, lambda card: card["arrays"].update({"\x1b[2J" * 9_000: {"shape": [1]}}))
    assert len(refusal(folder)) < 400
    assert "\x1b" not in refusal(folder)


def test_the_error_of_a_hostile_card_is_short(folder: Path) -> None:
    edit_card(folder, lambda card: card.update(features_version="\x1b[2J" * 50_000))
    assert len(refusal(folder)) < 400
    assert "\x1b" not in refusal(folder)


@pytest.mark.parametrize(
    ("name", "array", "reason"),
    [
        ("shapes/b0", np.zeros((5, 1), np.float32), "shapes/b0 has shape (5, 1), expected (any)"),
        ("shapes/w1", np.zeros((5, 2), np.float32), "shapes/w1 has shape (5, 2)"),
        ("shapes/scale", np.zeros(6, np.float32), "scale in the weights is not positive"),
        ("shapes/scale", np.full(6, 1e-44, np.float32), "next to nothing"),
        ("shapes/w0", np.full((6, 5), np.nan, np.float32), "not finite"),
        ("shapes/w0", np.full((6, 5), np.inf, np.float32), "not finite"),
        ("shapes/w0", np.zeros((6, 5), np.float64), "is \"{'descr': '<f8'"),
        ("shapes/w0", np.zeros((6, 5), np.int32), "is \"{'descr': '<i4'"),
        ("shapes/w0", np.zeros((6, 5), ">f4"), "is \"{'descr': '>f4'"),
        ("strokes/conv0_b", np.zeros((2, 7), np.float32), "expected (2, 8)"),
        ("strokes/conv0_w", np.zeros((24, 8), np.float32), "expected (2, 24, 8)"),
        ("strokes/in_b", np.zeros((5, 8), np.float32), "has 5 views; 4 are the limit"),
        ("strokes/more", np.zeros(1, np.float32), "arrays nobody needs: more"),
        ("nobody/more", np.zeros(1, np.float32), "no part has the arrays nobody/more"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    folder: Path, name: str, array: np.ndarray, reason: str
) -> None:
    put_arrays(folder, arrays_of(folder) | {name: array})
    assert reason in refusal(folder)


def test_as_many_blocks_as_would_fill_the_memory_are_refused(folder: Path) -> None:
    arrays = arrays_of(folder)
    for i in range(3, 30):
        arrays[f"strokes/conv{i}_w"] = arrays["strokes/conv0_w"]
        arrays[f"strokes/conv{i}_b"] = arrays["strokes/conv0_b"]
    put_arrays(folder, arrays)
    assert "has 30 blocks; 12 are the limit" in refusal(folder)


# --- hostile archives, with a card that vouches for them -----------------------------------------


def npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def replaced(
    folder: Path, entry: bytes, *, name: str = "shapes/w0", method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """The weights with one entry replaced by these bytes."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(folder / "weights.npz") as old,
        zipfile.ZipFile(out, "w", method) as new,
    ):
        for key in old.namelist():
            new.writestr(key, entry if key == f"{name}.npy" else old.read(key))
    return out.getvalue()


FLOATS = "{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"hello",
        npy(FLOATS.format(descr="<f4", fortran=False, shape="(1000000000000,)")),
        npy(FLOATS.format(descr="<f4", fortran=False, shape="(5000000000,)")),
        npy(FLOATS.format(descr="<f4", fortran=False, shape="(-1, 5)")),
        npy(FLOATS.format(descr="<f4", fortran=True, shape="(6, 5)"), bytes(120)),
        npy(FLOATS.format(descr="|O", fortran=False, shape="(6, 5)"), b"cos\nsystem\n"),
        npy(FLOATS.format(descr="<f4", fortran=False, shape="(6, 5)"), bytes(119)),
        npy(FLOATS.format(descr="<f4", fortran=False, shape="(6, 5)"), bytes(121)),
        npy("{'descr': '<f4', 'shape': ("),
        npy("'''"),
        npy("(" * 5000),
        b"\x80\x04\x95" + bytes(60),  # a pickle
    ],
    ids=range(13),
)
def test_an_entry_that_is_not_the_array_announced_is_refused(folder: Path, entry: bytes) -> None:
    put_weights(folder, replaced(folder, entry))
    assert "shapes/w0" in refusal(folder)


def test_a_zip_bomb_is_not_unpacked(folder: Path) -> None:
    header = FLOATS.format(descr="<f4", fortran=False, shape="(6, 5)")
    raw = bytearray(replaced(folder, npy(header, bytes(20_000_000))))
    put_weights(folder, bytes(raw))
    assert "does not hold 120 bytes of values" in refusal(folder)
    # The same, with a directory that lies about the size.
    at = raw.rfind(b"shapes/w0.npy") - 46
    raw[at + 24 : at + 28] = struct.pack("<I", 10 + len(header) + 1 + 120)
    put_weights(folder, bytes(raw))
    assert "weights.npz is damaged" in refusal(folder)


def test_an_archive_of_very_many_entries_is_not_listed(folder: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(2_000):
            archive.writestr(str(i), b"")
    put_weights(folder, out.getvalue())
    assert "holds more entries than any model has arrays" in refusal(folder)


def test_an_archive_with_another_directory_behind_its_own_is_refused(folder: Path) -> None:
    raw = (folder / "weights.npz").read_bytes()
    locator = b"PK\x06\x07" + bytes(16)
    put_weights(folder, raw[:-22] + locator + raw[-22:])
    assert "does not end as an archive of arrays does" in refusal(folder)
    put_weights(folder, raw + b"a comment")
    assert "does not end as an archive of arrays does" in refusal(folder)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_unusual_compression_is_refused(folder: Path, method: int) -> None:
    put_weights(folder, replaced(folder, b"", method=method))
    assert "compressed in a way that models are not" in refusal(folder)


@pytest.mark.parametrize(
    ("offset", "value"),
    [(8, b"\x01"), (10, b"\x63"), (42, b"\xff\xff\xff\x7f")],
    ids=["a password", "an unknown method", "an entry beyond the end"],
)
def test_a_damaged_directory_is_refused(folder: Path, offset: int, value: bytes) -> None:
    raw = bytearray((folder / "weights.npz").read_bytes())
    at = raw.find(b"PK\x01\x02") + offset
    raw[at : at + len(value)] = value
    put_weights(folder, bytes(raw))
    assert "weights.npz" in refusal(folder)


def test_damaged_compression_is_refused(folder: Path) -> None:
    raw = bytearray((folder / "weights.npz").read_bytes())
    at = raw.find(b"shapes/w0.npy") + len("shapes/w0.npy")
    raw[at : at + 20] = b"\xff" * 20
    put_weights(folder, bytes(raw))
    assert "weights.npz is damaged" in refusal(folder)


def test_an_entry_that_is_there_twice_is_refused(folder: Path) -> None:
    with zipfile.ZipFile(folder / "weights.npz", "a") as archive:
        info = zipfile.ZipInfo("shapes/w0.npy")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(info, archive.read("shapes/w0.npy"))
    put_weights(folder, (folder / "weights.npz").read_bytes())
    assert "does not hold the arrays" in refusal(folder)


# --- what a recogniser asks of a model -----------------------------------------------------------


def test_a_recogniser_wants_all_four_parts(folder: Path) -> None:
    with pytest.raises(ModelError, match="has no part 'hand_pose' of kind mlp"):
        Recogniser(model.load(folder))


@pytest.mark.parametrize("name", ["nonsense", "", "..", "../..", "/nowhere", "a/b"])
def test_a_name_that_is_no_model_is_refused(name: str) -> None:
    with pytest.raises(ModelError):
        Recogniser.load(name)


def test_a_model_that_reads_other_features_is_refused_before_the_first_frame(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    odd = part("mlp", ("null", "fist"), perceptron(rng, (9, 2)), 9)
    write(tmp_path, "odd", {"hand_pose": odd}, {}, "")
    with pytest.raises(ModelError, match="hand_pose reads 9 features, this program computes"):
        Recogniser.load(str(tmp_path))
