"""A user's own recordings join training where their labels are sure, and are never shipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gesturectl import features, kinematics
from gesturectl.trace import TraceWriter
from gesturectl.types import Body, Hand, Observation, Side
from training import augment, datasets, recorded, synth
from training.datasets import HandTrack, Recording, Segment
from training.export import card_of

POSES = ("", "fist", "open_palm")
STROKES = ("", "swipe_left", "swipe_right")
FRAME_US = 40_000


def track(
    label: list[str], *, side: Side = "right", moving: bool = False, alone: bool = True
) -> HandTrack:
    """A hand that stays, or that goes evenly to larger x while it is labelled."""
    shape = kinematics.hand_points(kinematics.hand_shape("open_palm"))
    here = kinematics.place_hand(shape, np.eye(3), np.zeros(3)).astype(np.float32)
    points = np.tile(here, (len(label), 1, 1))
    if moving:
        points[..., 0] += np.cumsum([0.02 if name else 0.0 for name in label])[:, None]
    t_us = (np.arange(len(label)) + 1) * FRAME_US
    return HandTrack(side, t_us, points, np.array(label), np.full(len(label), alone))


def of(*tracks: HandTrack) -> Recording:
    one = tracks[0]
    segments = datasets.arms.segments_of(one.t_us, one.label)
    return Recording("a.jsonl", one.t_us[-1] / 1e6, tracks, None, segments)


# --- poses --------------------------------------------------------------------------------------


def test_a_pose_counts_where_one_hand_shows_it_and_nothing_where_none_is_labelled() -> None:
    label = [""] * 25 + ["fist"] * 25 + [""] * 25
    rows = list(recorded.hand_poses([of(track(label))], POSES, np.random.default_rng(0)))
    assert len(rows) == recorded.COPIES
    points, which = rows[0]
    assert points.shape == (len(which), 21, 3)
    assert set(which.tolist()) == {0, 1}
    assert np.bincount(which).tolist() == [12, 9]  # ten a second, less what is in doubt


def test_about_a_change_of_label_nothing_is_taken_for_nothing() -> None:
    label = [""] * 5 + ["fist"] * 10 + [""] * 5
    rows = list(recorded.hand_poses([of(track(label))], POSES, np.random.default_rng(0)))
    assert set(rows[0][1].tolist()) == {1}


def test_a_pose_beside_another_hand_says_nothing_of_either() -> None:
    label = ["fist"] * 20
    two = of(track(label, alone=False), track(label, side="left", alone=False))
    assert list(recorded.hand_poses([two], POSES, np.random.default_rng(0))) == []


def test_poses_of_a_body_are_found_in_its_frames() -> None:
    t_us = np.arange(50, dtype=np.int64) * FRAME_US
    arms = datasets.ArmRecording(
        "a", "", t_us, np.random.default_rng(0).random((50, 33, 4), dtype=np.float32), (640, 480),
        (Segment("t_pose", 1_000_000, 2_000_000),), t_us < 1_000_000,
    )  # fmt: skip
    one = Recording("a", 2.0, (), arms, arms.segments)
    rows = list(recorded.body_poses([one], ("", "t_pose"), np.random.default_rng(0)))
    assert len(rows) == recorded.COPIES
    assert set(rows[0][1].tolist()) == {0, 1}
    assert rows[0][0].shape[1:] == (33, 4)


# --- strokes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "which"), [("right", 1), ("left", 2)])
def test_a_stroke_is_of_the_hand_that_moved_and_mirrored_with_it(side: Side, which: int) -> None:
    label = [""] * 20 + ["swipe_left"] * 10 + [""] * 20
    other: Side = "left" if side == "right" else "right"
    one = of(track(label, side=other), track(label, side=side, moving=True))
    streams = list(recorded.hand_strokes([one], STROKES, np.random.default_rng(0)))
    assert len(streams) == 2 * (1 + recorded.COPIES // 2)
    still, moved = streams[0][2], streams[1 + recorded.COPIES // 2][2]
    assert set(still.tolist()) == {synth.NULL}
    assert set(moved.tolist()) == {synth.NULL, synth.IGNORE, which}
    first = int(np.flatnonzero(moved == which)[0])
    assert 25 <= first <= 28  # a stroke is none before its later part


def test_poses_are_nothing_to_the_network_of_strokes() -> None:
    one = of(track(["fist"] * 30))
    streams = list(recorded.hand_strokes([one], STROKES, np.random.default_rng(0)))
    assert {mark for _, _, label in streams for mark in label.tolist()} == {synth.NULL}


def test_copies_keep_labels_and_growing_times() -> None:
    label = [""] * 20 + ["swipe_left"] * 10 + [""] * 20
    one = of(track(label, moving=True))
    for t_us, signals, which in recorded.hand_strokes([one], STROKES, np.random.default_rng(1)):
        assert (np.diff(t_us) > 0).all()
        assert len(t_us) == len(signals) == len(which)
        assert signals.shape[1] == features.HAND_SIGNAL_SIZE
        assert 1 in which


# --- from files to a model ----------------------------------------------------------------------


def write_trace(path: Path) -> None:
    rng = np.random.default_rng(0)
    shape = synth.pose_samples(rng, "fist", 60).astype(np.float32)
    with TraceWriter(path, (640, 480), "test") as writer:
        for i, points in enumerate(shape):
            label = "fist" if 20 <= i < 40 else "swipe_left" if i >= 50 else None
            body = Body(rng.random((33, 4), dtype=np.float32))
            seen = Observation(i * FRAME_US, (Hand("right", 1.0, points),), (body,), (640, 480))
            writer.write(seen, label)


def test_recordings_join_the_data_of_every_network(tmp_path: Path) -> None:
    write_trace(tmp_path / "a.jsonl")
    own = datasets.recordings(tmp_path)
    rng = np.random.default_rng(0)
    poses = np.concatenate([y for _, y in recorded.hand_poses(own, ("", *synth.POSES), rng)])
    assert 1 + synth.POSES.index("fist") in poses
    strokes = recorded.hand_strokes(own, ("", *synth.MOTIONS), rng)
    assert any(1 + synth.MOTIONS.index("swipe_left") in label for _, _, label in strokes)
    (arms,) = [one.arms for one in own if one.arms is not None]
    labelled = augment.labelled_arms(arms, ("", *synth.MOTIONS))
    assert len(labelled) == 2
    assert recorded.described(own) == "1 trace, 0.0 min, of fist, swipe_left"


def test_a_card_says_whose_recordings_are_in_the_model() -> None:
    content = json.loads(
        (Path(recorded.__file__).parents[1] / "gestures/models/shipped/model.json").read_text()
    )
    assert "No recording of a user is in it." in card_of(content)
    content["training"]["data"][recorded.CARD_NAME] = {
        "licence": "your own",
        "what": "3 traces, 2.0 min, of fist",
    }
    card = card_of(content)
    assert "| your recordings | your own | 3 traces, 2.0 min, of fist |" in card
    assert "Your recordings are in it" in card
    assert "No recording of a user" not in card


def test_a_model_of_ones_own_never_overwrites_the_shipped_one_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = pytest.importorskip("training.train", reason="training needs JAX: pip install .[train]")
    with pytest.raises(SystemExit) as stopped:
        train.main(["--data", str(tmp_path), "--recordings", str(tmp_path)])
    assert stopped.value.code == 2
    assert "say where to write it with --out" in capsys.readouterr().err


def test_training_on_damaged_recordings_names_them_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = pytest.importorskip("training.train", reason="training needs JAX: pip install .[train]")
    (tmp_path / "a.jsonl").write_text("{}\n")
    out = tmp_path / "model"
    with pytest.raises(SystemExit) as stopped:
        train.main(["--data", str(tmp_path), "--recordings", str(tmp_path), "--out", str(out)])
    assert stopped.value.code == 3
    assert "a.jsonl:1: this is not a gesturectl trace" in capsys.readouterr().err
    assert not out.exists()


def test_the_same_seed_gives_the_same_rows() -> None:
    one = of(track([""] * 20 + ["swipe_left"] * 10 + ["fist"] * 10, moving=True))

    def rows() -> list[bytes]:
        rng = np.random.default_rng(5)
        poses = recorded.hand_poses([one], POSES, rng)
        strokes = recorded.hand_strokes([one], STROKES, rng)
        return [part.tobytes() for row in (*poses, *strokes) for part in row]

    assert rows() == rows()
