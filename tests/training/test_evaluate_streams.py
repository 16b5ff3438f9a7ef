"""Arm gestures in recordings: what is counted, what is told about errors, what is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gesturectl.types import Began
from training.datasets import ArmRecording, Segment
from training.evaluate import metrics, streams
from training.evaluate.__main__ import main
from training.evaluate.outcome import save
from training.evaluate.streams import Heard
from training.measured import SECTIONS

SECOND = 1_000_000


def standing(segments: tuple[Segment, ...] = (), seconds: int = 4) -> ArmRecording:
    """Somebody who stands with hanging arms, whatever the annotation says."""
    t_us = np.arange(0, seconds * SECOND, 40_000, dtype=np.int64)
    image = np.zeros((len(t_us), 33, 4), np.float32)
    places = {
        11: (0.6, 0.3), 12: (0.4, 0.3), 13: (0.62, 0.5), 14: (0.38, 0.5), 15: (0.62, 0.7),
        16: (0.38, 0.7), 19: (0.62, 0.74), 20: (0.38, 0.74), 23: (0.57, 0.7), 24: (0.43, 0.7),
    }  # fmt: skip
    for point, place in places.items():
        image[:, point] = (*place, 0.0, 1.0)
    idle = np.ones(len(t_us), bool)
    for segment in segments:
        idle &= (t_us < segment.start_us) | (t_us > segment.end_us)
    return ArmRecording("a_1", "a", t_us, image, (640, 480), segments, idle)


def written(folder: Path, name: str, recording: ArmRecording) -> None:
    label = np.full(len(recording.t_us), "idle", "<U24")
    for segment in recording.segments:
        inside = (recording.t_us >= segment.start_us) & (recording.t_us <= segment.end_us)
        label[inside] = segment.name
    (folder / "pose_streams").mkdir(exist_ok=True)
    np.savez(
        folder / "pose_streams" / f"{name}.npz",
        pose=recording.image, t_us=recording.t_us, label=label, size_px=np.array([640, 480]),
    )  # fmt: skip


def hearing(recording: ArmRecording, *events: tuple[int, str]) -> Heard:
    """What a recogniser would have heard of it, had it heard these."""
    began = [Began(t_us, gesture, "right", 0.9) for t_us, gesture in events]
    return Heard(recording, metrics.match(began, recording.segments, streams.GRACE_US), ())


def test_who_stands_still_is_not_heard_and_all_that_time_is_idle() -> None:
    heard = streams.listen(streams.shipped(), standing())
    assert heard.matching == metrics.Matching((), (), ())
    assert heard.idle.hours == pytest.approx(3.96 / 3600)


def test_only_what_fires_while_idle_counts_as_false_in_idle() -> None:
    swipe = Segment("swipe_left", SECOND, 2 * SECOND)
    one = hearing(standing((swipe,)), (1_520_000, "swipe_up"), (3_000_000, "swipe_left"))
    assert (one.tally.right, one.tally.false, one.tally.missed) == (0, 2, 1)
    assert one.idle.count == 1
    assert one.idle.hours == pytest.approx((3.96 - 1.04) / 3600)


def test_errors_tell_when_what_and_what_was_going_on() -> None:
    swipe = Segment("swipe_left", SECOND, 2 * SECOND)
    one = hearing(standing((swipe,)), (1_520_000, "swipe_up"), (3_000_000, "swipe_left"))
    missed, inside, outside = streams.errors(one)
    assert (missed["kind"], missed["gesture"], missed["heard_instead"]) == (
        "missed", "swipe_left", ["swipe_up"],
    )  # fmt: skip
    assert (inside["gesture"], inside["during"], inside["t_s"]) == ("swipe_up", "swipe_left", 1.52)
    assert (outside["during"], outside["last"], outside["since_last_ms"]) == (
        "idle", "swipe_left", 1000,
    )  # fmt: skip


def test_latencies_count_from_both_marks() -> None:
    swipe = Segment("swipe_left", SECOND, 2 * SECOND)
    figures = streams.report([hearing(standing((swipe,)), (1_800_000, "swipe_left"))], "x").figures
    assert figures["latency_end_ms"] == {"median": -200.0, "p90": -200.0}
    assert figures["latency_start_ms"] == {"median": 800.0, "p90": 800.0}
    assert (figures["precision"], figures["recall"], figures["f1"]) == (1.0, 1.0, 1.0)


def test_streams_are_told_on_the_page_by_group_and_gesture() -> None:
    swipe = Segment("swipe_left", SECOND, 2 * SECOND)
    one = hearing(standing((swipe,), seconds=10), (1_900_000, "swipe_left"))
    figures = streams.report([one], "held-out", {12.0: [one]}).figures
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


def test_nothing_heard_gives_figures_and_pictures_all_the_same(tmp_path: Path) -> None:
    outcome = streams.report([hearing(standing())], "x")
    assert outcome.figures["f1"] == 0.0
    json.dumps(outcome.figures, allow_nan=False)
    files = save(outcome.pictures, tmp_path)
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_json_is_all_that_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, "a_1", standing((Segment("swipe_left", SECOND, 2 * SECOND),)))
    written(tmp_path, "b_1", standing())
    code = main(
        ["streams", "--data", str(tmp_path), "--model", "shipped", "--json", "--out", str(tmp_path)]
    )
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert {"precision", "recall", "f1", "false_per_hour", "latency_end_ms"} <= set(told)
    assert set(told["latency_end_ms"]) == {"median", "p90"}
    assert (told["missed"], set(told["groups"])) == (1, {"a", "b"})
    assert (tmp_path / "streams.png").is_file()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--groups", "z"], "there is no group z"),
        (["--model", "nowhere"], "holds neither a model nor one for group a"),
    ],
)
def test_what_does_not_exist_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    written(tmp_path, "a_1", standing())
    assert main(["streams", "--data", str(tmp_path), *more]) == 2
    assert says in capsys.readouterr().err


def test_without_recordings_it_says_where_they_should_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["streams", "--data", str(tmp_path)]) == 2
    assert "--data names the folder that holds pose_streams" in capsys.readouterr().err


@pytest.mark.slow
def test_a_held_out_model_is_trained_kept_and_used_again(
    tmp_path: Path,
    shared_data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("jax", reason="training needs JAX: pip install .[train]")
    from training import train

    for name, less in (("ARM_COPIES", 0), ("ARM_H", 0.1), ("QUIET_H", 1)):
        monkeypatch.setattr(train, name, less)
    common = ["streams", "--data", str(shared_data), "--groups", "x", "--json"]
    common += ["--out", str(tmp_path)]
    assert main([*common, "--steps", "3", "--keep", str(tmp_path)]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main([*common, "--model", str(tmp_path)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again | {"model": ""} == first | {"model": ""}
