"""What training writes is what the daemon loads, byte for byte the same for the same weights."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from gesturectl import model
from gesturectl.arrays import npz_bytes
from gesturectl.errors import ModelError
from tests.small_models import parts
from training.export import write


def test_what_is_written_is_loaded_again(tmp_path: Path) -> None:
    write(tmp_path / "new" / "model", "small", parts(), {"seed": 7}, "# For people\n")
    loaded = model.load(tmp_path / "new" / "model")
    assert loaded.card.training == {"seed": 7}
    assert (tmp_path / "new" / "model" / "CARD.md").read_text() == "# For people\n"
    x = np.ones((1, 6), np.float32)
    own = parts()["shapes"]
    hidden = np.maximum((x - own.mean) / own.scale @ own.params["w0"] + own.params["b0"], 0)
    logits = hidden @ own.params["w1"] + own.params["b1"]
    expected = np.exp(logits - logits.max())
    assert loaded.mlp("shapes").scores(x) == pytest.approx(expected / expected.sum(), abs=1e-5)


def test_the_same_weights_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, "small", parts(), {"seed": 7}, "")
    for file in ("model.json", "weights.npz"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_numpy_reads_the_archive_too() -> None:
    arrays = {"a/w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(1, np.float32)}
    with np.load(io.BytesIO(npz_bytes(arrays)), allow_pickle=False) as npz:
        assert set(npz.files) == set(arrays)
        assert all((npz[name] == array).all() for name, array in arrays.items())


def test_an_array_laid_out_by_columns_is_written_by_rows(tmp_path: Path) -> None:
    columns = parts()
    weights = columns["shapes"].params
    weights["w0"] = np.asfortranarray(weights["w0"])
    write(tmp_path / "a", "small", columns, {"seed": 7}, "")
    write(tmp_path / "b", "small", parts(), {"seed": 7}, "")
    assert (tmp_path / "a" / "weights.npz").read_bytes() == (
        tmp_path / "b" / "weights.npz"
    ).read_bytes()


def test_thresholds_of_a_class_of_its_own_go_into_the_card() -> None:
    card = parts()["shapes"].card()
    assert card["enter"] == [0.6, 0.8, 0.6]
    assert card["exit"] == [0.3] * 3
    assert card["inputs"] == 6


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_model_that_could_not_be_loaded_is_not_taken_for_written(
    tmp_path: Path, value: float
) -> None:
    broken = parts()
    broken["shapes"].params["w1"][0, 0] = value
    with pytest.raises(ModelError, match="not finite"):
        write(tmp_path, "small", broken, {}, "")
