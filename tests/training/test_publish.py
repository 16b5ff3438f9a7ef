"""What the documents say was measured is what the measures gave."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturectl import features
from gesturectl.errors import UsageError
from gesturectl.types import Began
from tests.small_models import save
from training import measured, publish
from training.datasets import ArmRecording, Segment
from training.evaluate import metrics, poses, streams
from training.evaluate.__main__ import MEASURES
from training.evaluate.outcome import Draw
from training.evaluate.poses import Clip, Shown
from training.evaluate.streams import Heard
from training.export import card_of
from training.measured import SECTIONS, Published
from training.publish import BEGIN, END, Places, main, pages, with_figures

PUBLISHED = measured.read()
FIXED = {
    "poses": {"clips", "right", "wrong_clips", "false_on_negatives"},
    "streams": {"precision", "recall", "f1", "false_per_hour", "latency_end_ms"},
    "custom": {"balanced_accuracy", "open_set"},
    "shrec17": {"accuracy_14", "accuracy_28", "parameters"},
    "sfinge3d": {"precision", "recall", "f1"},
    "false-activations": {"hours", "per_hour", "gestures"},
}


# --- the documents of this checkout ---------------------------------------------------------------


def test_the_documents_say_what_was_measured() -> None:
    for file, text in pages(Places()).items():
        assert file.read_text("utf-8") == text, (
            f"{file.name} is out of date; run `python -m training.publish`"
        )


def test_nothing_is_measured_that_could_not_be_published() -> None:
    assert set(MEASURES) <= set(SECTIONS) == set(FIXED)
    files = {file.name for file in measured.FOLDER.iterdir()}
    shown = {picture for one in PUBLISHED.values() for picture in one.pictures}
    assert files == shown | {f"{name}.json" for name in PUBLISHED}


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_published_is_small_and_says_where_it_comes_from(name: str) -> None:
    one = PUBLISHED[name]
    file = measured.FOLDER / f"{name}.json"
    assert file.read_text("utf-8") == one.text()
    assert file.stat().st_size <= publish.MAX_FIGURES_BYTES
    assert set(one.figures) >= FIXED[name]
    assert one.versions["numpy"]
    assert (one.model is not None) == SECTIONS[name].of_model
    for picture in one.pictures:
        content = (measured.FOLDER / picture).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) <= publish.MAX_PICTURE_BYTES


def test_the_page_counts_features_as_they_are_computed() -> None:
    page = publish.PAGE.read_text("utf-8")
    assert f"*A hand's shape* ({features.HAND_SHAPE_SIZE} numbers)" in page
    assert f"*A body's shape* ({features.BODY_SHAPE_SIZE})" in page
    motion = f"({features.HAND_MOTION_SIZE} for a hand, {features.ARM_MOTION_SIZE} for an arm)"
    assert f"*Motion* {motion}" in page
    lags_ms = [round(lag * features.STEP_US / 1000) for lag in features.LAGS]
    assert f"displacement over {lags_ms[0]}, {lags_ms[1]}, {lags_ms[2]} and {lags_ms[3]} ms" in page


# --- publishing -----------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """An empty page, no figures, and the shipped model."""
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text(f"# Page\n\n{BEGIN}{END}\nThe end.\n")
    shutil.copytree(publish.SHIPPED, tmp_path / "model")
    return Places(page, tmp_path / "docs" / "measured", tmp_path / "model")


def a_measure(name: str, model: str | None, figures: dict[str, Any]) -> Published:
    return Published(name, (), model, None, {"Python": "3.11.7", "numpy": "2.4"}, figures, ())


SHREC = {
    "accuracy_14": 0.951,
    "accuracy_28": 0.92,
    "parameters": 123_456,
    "sequences": 840,
    "intervals": {"accuracy_14": [0.934, 0.964], "accuracy_28": [0.9, 0.936]},
    "gestures": {
        "grab": {
            "gesture": "grab",
            "sequences": 60,
            "right": 0.9,
            "right_way": {"one finger": 0.85, "whole hand": None},
            "taken_for": {"pinch": 6},
        }
    },
}


def test_publishing_one_measure_keeps_the_others(places: Places) -> None:
    places.measured.mkdir()
    other = places.measured / "shrec17.json"
    other.write_text(a_measure("shrec17", None, SHREC).text())
    for _ in range(2):  # the same once more: nothing is there twice
        assert main(["false-activations", "--synthetic", "0.025", "--seed", "3"], places) == 0
    page = places.page.read_text("utf-8")
    assert page.startswith(f"# Page\n\n{BEGIN}")
    assert page.endswith(f"{END}\nThe end.\n")
    assert page.count("### Hours of anything but gestures") == 1
    assert "0.025 hours of synthetic people, seed 3:" in page
    assert "| 14 | 95.1 % (93.4–96.4) |" in page
    assert "123,456 parameters all told, 840 sequences." in page
    assert "| grab | 60 | 90.0 % | 85.0 % | – | pinch 6 |" in page
    published = json.loads((places.measured / "false-activations.json").read_text("utf-8"))
    assert published["model"] == publish.weights(places.model)
    assert published["options"] == ["--synthetic", "0.025", "--seed", "3"]
    assert (places.measured / "false-activations.png").is_file()
    card = (places.model / "CARD.md").read_text("utf-8")
    assert "| Hours of anything but gestures |" in card
    assert "SHREC" not in card  # which says nothing of this model


def test_without_a_name_the_pages_are_written_and_nothing_is_measured(places: Places) -> None:
    places.measured.mkdir()
    (places.measured / "shrec17.json").write_text(a_measure("shrec17", None, SHREC).text())
    assert main([], places) == 0
    assert "95.1 % of 14, 92.0 % of 28 classes" in places.page.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["posses"], "there is no measure 'posses'; known are poses, streams"),
        (["poses", "custom", "--shots", "1"], "only a single measure takes options of its own"),
        (["poses"], "--data"),
        (["false-activations", "--synthetic", "0"], "give more than no hours"),
        (["streams", "--model", "shipped"], "with --model streams measures something else"),
        (["custom", "--shots=/etc"], "/etc is a place of this machine"),
        (["streams", "--mod=shipped"], "with --model streams measures something else"),
        (["shrec17", "--held-out"], "with --held-out shrec17 measures something else"),
    ],
)
def test_what_cannot_be_measured_is_said(
    words: list[str], reason: str, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    before = places.page.read_text("utf-8")
    try:
        code: object = main(words, places)
    except SystemExit as stopped:  # argparse, for an option that is missing
        code = stopped.code
    assert code == UsageError.exit_code
    assert reason in capsys.readouterr().err
    assert places.page.read_text("utf-8") == before


def test_a_page_without_markers_is_left_alone() -> None:
    with pytest.raises(UsageError, match="lacks the lines"):
        with_figures("# A page\n", "figures")


def test_a_picture_is_drawn_as_small_as_it_must_be() -> None:
    def noise() -> Any:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 8))
        figure.figimage(np.random.default_rng(0).random((880, 880)))
        figure.subplots().imshow(np.random.default_rng(0).random((400, 400)))
        return figure

    draw: Draw = noise
    assert len(publish.small_png(draw)) <= publish.MAX_PICTURE_BYTES


# --- cards ----------------------------------------------------------------------------------------


def test_a_card_tells_the_figures_of_its_own_model_alone(tmp_path: Path) -> None:
    content = json.loads((save(tmp_path) / "model.json").read_text("utf-8"))
    of = {"clips": 4, "right": 4, "wrong_clips": 0, "false_on_negatives": 0}
    own, older = (
        {"poses": a_measure("poses", model, of)} for model in (content["sha256"], "0" * 64)
    )
    assert "4 of 4 right, 0 wrong" in card_of(content, own)
    assert card_of(content, older) == card_of(content, {}) == card_of(content)


def test_figures_of_an_earlier_model_are_told_as_such() -> None:
    figures = poses.report([a_clip("thumb_up", "thumb_up")]).figures
    published = {"poses": a_measure("poses", "1" * 64, figures)}
    assert "on the shipped model (111111111111)" in measured.page(published, "1" * 64)
    assert "on an earlier model (111111111111)" in measured.page(published, "2" * 64)


# --- sections, from what the measures really give ----------------------------------------------


def a_clip(gesture: str | None, *shown: str) -> Clip:
    name = f"pose_{gesture}_a1" if gesture else "neg_a1"
    times = (Shown(one, "right", 0, 1_000_000, 0.9) for one in shown)
    return Clip(name, gesture, 60_000_000, tuple(times))


def test_poses_are_told() -> None:
    outcome = poses.report([a_clip("fist", "fist"), a_clip("ok", "horns"), a_clip(None, "ok")])
    text = "\n".join(SECTIONS["poses"].body(outcome.figures))
    assert "| clips whose pose was recognised | 2 | 1, 50.0 %" in text
    assert "| clips in which something else was | 2 | 1, 50.0 %" in text
    assert "| activations on people who show nothing | 1.0 min | 1, a minute 1.00" in text
    assert SECTIONS["poses"].main(outcome.figures).startswith("1 of 2 right, 1 wrong, 1 on")


def test_streams_are_told_by_group_and_gesture() -> None:
    t_us = np.arange(0, 10_000_000, 40_000, dtype=np.int64)
    segment = Segment("swipe_left", 1_000_000, 2_000_000)
    idle = (t_us < segment.start_us) | (t_us > segment.end_us)
    image = np.zeros((len(t_us), 33, 4), np.float32)
    recording = ArmRecording("a_1", "a", t_us, image, (640, 480), (segment,), idle)
    events = [Began(t, name, "right", 0.9) for t, name in ((1_900_000, "swipe_left"),)]
    heard = Heard(recording, metrics.match(events, recording.segments, streams.GRACE_US), ())
    figures = streams.report([heard], "held-out", {12.0: [heard]}).figures
    text = "\n".join(SECTIONS["streams"].body(figures))
    assert "| 12 | 100.0 % (20.6–100.0) | 100.0 % | – | 100.0 % (20.6–100.0) | -100 ms |" in text
    del figures["rates"]  # which earlier figures lack
    text = "\n".join(SECTIONS["streams"].body(figures))
    assert "fewer pictures" not in text
    assert "| **all** | 1 | 100.0 % (20." in text
    assert "| group a | 1 |" in text
    assert "| `swipe_left` | 1 |" in text
    assert "| -100 ms | -100 ms |" in text
    assert "0 activations, 0.00" in text


def test_streams_of_the_other_benchmark_are_told_alike() -> None:
    one = {
        "precision": 0.5, "recall": 0.25, "f1": 0.3333, "right": 1, "false": 1, "missed": 3,
        "latency_end_ms": {"median": -50.0, "p90": 100.0},
        "intervals": {"precision": [0.1, 0.9], "recall": [0.05, 0.7]},
    }  # fmt: skip
    figures = one | {
        "streams": 2,
        "hours": 0.1,
        "groups": {"80–90 mm": one},
        "gestures": {"tap": one},
    }
    text = "\n".join(SECTIONS["sfinge3d"].body(figures))
    assert "| hands of 80–90 mm | 4 | 50.0 % (10.0–90.0) | 25.0 % (5.0–70.0) | 33.3 % |" in text
    assert "| `tap` | 4 |" in text
    assert "2 streams, 6 min." in text


def test_custom_gestures_are_told_for_both_halves_of_the_users() -> None:
    one = {
        "balanced_accuracy": {"1": 0.9, "3": 0.95},
        "balanced_accuracy_interval": {"1": [0.85, 0.93], "3": [0.9, 0.97]},
        "open_set": {"false_accept": 0.02, "recall": 0.9},
        "open_set_interval": {"false_accept": [0.01, 0.04], "recall": [0.8, 0.95]},
    }
    alone = one | {"balanced_accuracy": {"1": 0.9}, "open_set": {}, "open_set_interval": {}}
    text = "\n".join(SECTIONS["custom"].body(one | {"halves": {"chosen": one, "unseen": alone}}))
    assert "| 3 | 95.0 % (90.0–97.0) | 95.0 % (90.0–97.0) | – |" in text
    assert "| negative takes accepted | 2.0 % (1.0–4.0) | 2.0 % (1.0–4.0) | – |" in text
    assert "90.0 % / 95.0 % from 1/3 takes" in SECTIONS["custom"].main(one)
