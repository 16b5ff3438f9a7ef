"""Clips of poses: what their names say, what counts as right, wrong and false."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gesturectl.errors import UsageError
from gesturectl.trace import TraceWriter
from gesturectl.types import Observation
from training.evaluate import poses
from training.evaluate.__main__ import main
from training.evaluate.outcome import save
from training.evaluate.poses import Clip, Shown
from training.measured import SECTIONS


def shown(*heard: str) -> tuple[Shown, ...]:
    times = (Shown(name, "right", i * 1000, i * 1000 + 500, 0.9) for i, name in enumerate(heard))
    return tuple(times)


def clip(gesture: str, *heard: str) -> Clip:
    return Clip(f"pose_{gesture}_a1", gesture, 3_000_000, shown(*heard))


def a_minute(*heard: str) -> Clip:
    """Somebody who shows nothing."""
    return Clip("neg_a1", None, 60_000_000, shown(*heard))


@pytest.mark.parametrize(
    ("stem", "gesture"),
    [
        ("pose_fist_a1", "fist"),
        ("pose_thumb_up_a3", "thumb_up"),
        ("pose_open_palm", "open_palm"),
        ("neg_walking_1", None),
    ],
)
def test_a_clip_is_named_by_what_it_shows(stem: str, gesture: str | None) -> None:
    assert poses.named_gesture(stem) == gesture


def test_a_clip_of_an_unknown_gesture_is_refused() -> None:
    with pytest.raises(UsageError, match="pose_thumb_a1 names no gesture of the catalog"):
        poses.named_gesture("pose_thumb_a1")


def test_the_fist_at_rest_is_neither_right_nor_wrong() -> None:
    assert clip("victory", "fist", "victory", "fist").right
    assert clip("victory", "fist", "victory", "fist").wrong == ()
    assert not clip("victory", "fist").right


def test_a_clip_can_be_right_and_wrong() -> None:
    one = clip("victory", "fist", "three", "victory")
    assert (one.right, one.wrong) == (True, ("three",))


def test_on_negatives_everything_is_false_and_counts_by_the_minute() -> None:
    clips = [clip("fist", "fist"), clip("four", "three"), a_minute("fist", "ok")]
    figures = poses.report(clips).figures
    fixed = {key: figures[key] for key in ("clips", "right", "wrong_clips", "false_on_negatives")}
    assert fixed == {"clips": 2, "right": 1, "wrong_clips": 1, "false_on_negatives": 2}
    assert (figures["missed"], figures["false_per_minute"]) == (1, 2.0)
    assert figures["intervals"]["false_per_minute"] == pytest.approx([0.242, 7.225], abs=1e-3)
    quiet = poses.report([a_minute()]).figures
    assert quiet["false_per_minute"] == 0.0
    assert quiet["intervals"]["false_per_minute"] == pytest.approx([0.0, 3.689], abs=1e-3)


def test_poses_are_told_on_the_page_of_figures() -> None:
    figures = poses.report([clip("fist", "fist"), clip("ok", "horns"), a_minute("ok")]).figures
    text = "\n".join(SECTIONS["poses"].body(figures))
    assert "| clips whose pose was recognised | 2 | 1, 50.0 %" in text
    assert "| clips in which something else was | 2 | 1, 50.0 %" in text
    assert "| activations on people who show nothing | 1.0 min | 1, a minute 1.00" in text
    assert SECTIONS["poses"].main(figures).startswith("1 of 2 right, 1 wrong, 1 on")


def test_no_negatives_give_no_rate(tmp_path: Path) -> None:
    outcome = poses.report([clip("fist", "fist")])
    assert outcome.figures["false_per_minute"] is None
    json.dumps(outcome.figures, allow_nan=False)
    assert save(outcome.pictures, tmp_path)[0].is_file()


def test_traces_stand_in_for_videos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clips").mkdir()
    for name in ("pose_victory_a1", "neg_a1"):
        (tmp_path / "clips" / f"{name}.mp4").touch()
        with TraceWriter(tmp_path / f"{name}.jsonl.gz", (640, 480), "nobody") as writer:
            for t_us in range(0, 1_000_001, 100_000):
                writer.write(Observation(t_us, (), (), (640, 480)))
    paths = ["--data", str(tmp_path), "--traces", str(tmp_path), "--out", str(tmp_path)]
    assert main(["poses", *paths, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["clips"], told["right"], told["false_on_negatives"]) == (1, 0, 0)
    assert [row["seconds"] for row in told["rows"]] == [1.0, 1.0]


@pytest.mark.slow
def test_a_real_video_goes_through_the_real_landmarker(shared_data: Path, bundles: object) -> None:
    video = shared_data / "clips" / "pose_victory_a1.mp4"
    one = poses.listen(f"video:{video}", video.stem, "victory")
    assert one.right
    assert one.lasts_us == pytest.approx(2_500_000, rel=0.1)
