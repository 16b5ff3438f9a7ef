"""The measure of SHREC'17: subjects kept apart, figures that can be checked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training import datasets
from training.evaluate import shrec17
from training.evaluate.__main__ import main
from training.evaluate.shrec17 import GESTURES, WAYS, Answers


def a_small_shrec17(data: Path) -> None:
    """Every gesture once with a finger and once with the hand, by each of five subjects."""
    rng = np.random.default_rng(0)
    meta = [(g, f, s) for g in range(1, 15) for f in (1, 2) for s in (1, 2, 3, 4, 9)]
    frames = rng.integers(8, 20, len(meta))
    offset = np.concatenate([[0], np.cumsum(frames)])
    folder = data / "shrec17"
    folder.mkdir()
    np.savez(
        folder / "shrec17.npz",
        joints_m=rng.normal(0, 0.1, (offset[-1], 22, 3)).astype(np.float32),
        offset=offset,
        meta=np.array(meta),
        meta_cols=np.array(["gesture", "finger", "subject"]),
        split=np.array(["test" if s == 9 else "train" for _, _, s in meta]),
    )


def answers(truth: list[int], gesture: list[int], label: list[int]) -> Answers:
    return Answers(*map(np.array, (truth, [1] * len(truth), gesture, label)))


def test_subjects_that_are_held_out_are_never_trained_on_and_each_is_once(tmp_path: Path) -> None:
    a_small_shrec17(tmp_path)
    train, _ = datasets.shrec17(datasets.located("shrec17", tmp_path))
    asked: list[int] = []
    for rest, left_out in shrec17.held_out(train):
        assert not set(rest.subject.tolist()) & set(left_out.subject.tolist())
        assert len(rest) + len(left_out) == len(train)
        asked += left_out.subject.tolist()
    assert sorted(asked) == sorted(train.subject.tolist())


def test_a_right_gesture_the_wrong_way_counts_for_14_classes_and_not_for_28() -> None:
    told = answers(truth=[0, 1, 2, 3], gesture=[0, 0, 1, 0], label=[0, 0, 2, 1])
    figures = shrec17.report(told, [], "test").figures
    assert (figures["accuracy_14"], figures["accuracy_28"]) == (0.75, 0.5)
    tap = figures["gestures"]["tap"]
    assert (tap["sequences"], tap["right"], tap["taken_for"]) == (2, 0.5, {"grab": 1})
    assert tap["right_way"] == {"one finger": 1.0, "whole hand": 0.0}
    low, high = figures["intervals"]["accuracy_14"]
    assert low < 0.75 < high


@pytest.mark.slow
def test_the_measure_trains_asks_and_reports_within_the_parameters_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("jax", reason="training needs JAX: pip install .[train]")
    a_small_shrec17(tmp_path)
    command = ["shrec17", "--data", str(tmp_path), "--json", "--epochs", "1"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["sequences"] == len(GESTURES) * WAYS
    assert figures["parameters"] == sum(one["parameters"] for one in figures["networks"])
    assert figures["parameters"] <= shrec17.PARAMETERS
    for classes in (14, 28):
        assert 0 <= figures[f"accuracy_{classes}"] <= 1
        assert (tmp_path / "out" / f"shrec17_{classes}.png").stat().st_size > 0


def test_a_folder_without_the_recordings_says_where_they_belong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shrec17", "--data", str(tmp_path)]) == 2
    assert "shrec17.npz is missing" in capsys.readouterr().err
