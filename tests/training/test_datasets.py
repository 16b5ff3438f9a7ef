"""Who may be trained on is data, and what was recorded is read as our features take it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gesturectl import features
from gesturectl.errors import SourceError, TraceError, UsageError
from gesturectl.trace import TraceWriter
from gesturectl.types import Body, Hand, Observation
from training import augment, datasets, synth

MEASURING = [name for name, one in datasets.SETS.items() if not one.ship]
SHIPPING = [name for name, one in datasets.SETS.items() if one.ship]


def a_folder_with(name: str, data: Path) -> Path:
    path = data / datasets.SETS[name].path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


# --- what may be trained on ---------------------------------------------------------------------


@pytest.mark.parametrize("name", MEASURING)
def test_a_set_for_measuring_is_refused_to_training_even_when_it_is_there(
    name: str, tmp_path: Path
) -> None:
    path = a_folder_with(name, tmp_path)
    with pytest.raises(UsageError, match=f"{name} .* is for measuring only"):
        datasets.for_training(name, tmp_path)
    assert datasets.located(name, tmp_path) == path


@pytest.mark.parametrize("name", SHIPPING)
def test_a_set_that_may_be_shipped_is_found(name: str, tmp_path: Path) -> None:
    path = a_folder_with(name, tmp_path)
    assert datasets.for_training(name, tmp_path) == path


def test_no_set_without_a_free_licence_may_be_shipped() -> None:
    assert {datasets.SETS[name].licence for name in SHIPPING} <= {"MIT", "Apache-2.0", "CC0-1.0"}
    assert {"clips", "custom_gestures", "shrec17", "sfinge3d"} <= set(MEASURING)


@pytest.mark.parametrize("find", [datasets.for_training, datasets.located])
def test_an_unknown_set_and_a_missing_one_say_what_to_do(
    find: Callable[[str, Path], Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"no data set 'faces'; known are .*pose_streams"):
        find("faces", tmp_path)
    with pytest.raises(UsageError, match="is missing; --data names the folder"):
        find("pose_streams", tmp_path)


def calls(module: Path) -> list[str]:
    """The sets that a module asks for, as `located(name)` or `for_training(name)`."""
    out = []
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        match node:
            case ast.Call(ast.Attribute(attr="located" | "for_training" as how), [name, *_]):
                assert isinstance(name, ast.Constant), "a set is asked for by its name"
                out.append(f"{how}({name.value})")
    return out


def test_whatever_makes_models_asks_for_sets_only_in_the_way_that_refuses() -> None:
    asked = {
        call
        for module in Path(datasets.__file__).parents[1].glob("*.py")  # evaluate/ only measures
        for call in calls(module)
    }
    assert "for_training(hand_poses)" in asked
    assert asked <= {f"for_training({one})" for one in SHIPPING}


READERS: dict[str, Callable[[Path], object]] = {
    "hand_poses": datasets.hand_photos,
    "body_poses": datasets.body_photos,
    "pose_streams": datasets.arm_recordings,
    "keypoint_csv": lambda path: (datasets.key_points(path), datasets.finger_paths(path)),
    "clips": datasets.clips,
    "custom_gestures": lambda path: [datasets.user_takes(f) for f in path.glob("user_*.npz")],
    "shrec17": datasets.shrec17,
    "sfinge3d": datasets.sfinge3d,
}


def test_no_set_is_without_a_reader() -> None:
    assert set(READERS) == set(datasets.SETS)


@pytest.mark.parametrize("name", READERS)
def test_every_set_has_a_reader_and_is_read(name: str, shared_data: Path) -> None:
    assert READERS[name](datasets.located(name, shared_data))


# --- readers ------------------------------------------------------------------------------------


def test_photographed_hands_are_mirrored_to_right_ones_and_named_as_in_the_catalog(
    tmp_path: Path,
) -> None:
    image = np.random.default_rng(0).uniform(0.2, 0.8, (5, 21, 3)).astype(np.float32)
    names = ["fist", "victory_back_of_hand", "none", "thumb_toward_image_left", "ok"]
    np.savez(
        tmp_path / "photos.npz",
        handedness=np.array(["Right", "Left", "Right", "Right", "Right"]),
        image=image,
        size_px=np.tile([640, 480], (5, 1)),
        gesture=np.array(names),
        raised=np.array([True, True, True, True, False]),
    )
    photos = datasets.hand_photos(tmp_path / "photos.npz")
    assert photos.gesture.tolist() == ["fist", "victory", "", "", ""]
    assert photos.thumb.tolist() == [False, False, False, True, False]
    assert photos.points[0, :, 0] == pytest.approx(image[0, :, 0] * 640 / 480)
    assert photos.points[1, :, 0] == pytest.approx(-image[1, :, 0] * 640 / 480)


def test_photographed_bodies_have_names_or_are_in_between(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "photos.npz",
        image=np.ones((3, 33, 4), np.float32),
        size_px=np.tile([640, 480], (3, 1)),
        label=np.array(["land", "take_off", "hover"]),
    )
    points, names = datasets.body_photos(tmp_path / "photos.npz")
    assert names.tolist() == ["t_pose", "?", ""]
    assert points[0, 0] == pytest.approx([640 / 480, 1, 640 / 480, 1])


def recording(folder: Path) -> Path:
    """A second of an arm that is raised as a `rotate` from 300 to 600 ms, at 10 frames a second."""
    label = np.array(["idle"] * 3 + ["rotate"] * 4 + ["idle"] * 3)
    pose = np.full((10, 33, 4), 0.5, np.float32)
    pose[:, 11, 0], pose[:, 12, 0] = 0.6, 0.4
    pose[3:7, 16, :2] = np.stack([np.linspace(0.3, 0.1, 4), np.linspace(0.5, 0.2, 4)], axis=1)
    folder.mkdir(exist_ok=True)
    np.savez(
        folder / "a_01.npz",
        t_us=np.arange(10) * 100_000,
        label=label,
        size_px=np.array([640, 480]),
        pose=pose,
    )
    return folder


def test_a_recording_is_cut_into_segments_named_as_in_the_catalog(tmp_path: Path) -> None:
    (one,) = datasets.arm_recordings(recording(tmp_path / "streams"))
    assert (one.name, one.group) == ("a_01", "a")
    assert one.segments == (datasets.Segment("circle_cw", 300_000, 600_000),)
    assert one.idle.tolist() == [True] * 3 + [False] * 4 + [True] * 3
    first = next(one.observations())
    assert (first.t_us, first.size_px, first.hands) == (0, (640, 480), ())
    assert np.array_equal(first.bodies[0].image, one.image[0])


def test_the_arm_that_moves_gets_the_label_and_the_other_one_none(tmp_path: Path) -> None:
    (one,) = datasets.arm_recordings(recording(tmp_path / "streams"))
    right, left = augment.labelled_arms(one, ("", "circle_cw", "circle_ccw"))
    assert set(left[2].tolist()) == {synth.NULL}
    assert right[2].tolist() == [0, 0, 0, 0, 0, -1, 1, 1, 1, -1]
    assert right[1].shape == (10, features.ARM_SIGNAL_SIZE)


SHREC17 = {
    "joints_m": np.arange(6 * 22 * 3, dtype=np.float32).reshape(6, 22, 3),
    "offset": np.array([0, 2, 3, 6]),
    "meta": np.array([[1, 1, 7, 1], [14, 2, 8, 1], [3, 2, 7, 2]]),
    "meta_cols": np.array(["gesture", "finger", "subject", "essai"]),
    "split": np.array(["train", "test", "train"]),
}


def test_shrec17_sequences_keep_their_frames_names_subjects_and_split(tmp_path: Path) -> None:
    np.savez(tmp_path / "shrec17.npz", **SHREC17)
    train, test = datasets.shrec17(tmp_path / "shrec17.npz")
    assert [len(one) for one in train.joints] == [2, 3]
    assert (train.joints[1] == SHREC17["joints_m"][3:]).all()
    assert train.gesture.tolist() == [0, 2]
    assert train.whole_hand.tolist() == [False, True]
    assert train.subject.tolist() == [7, 7]
    assert (len(test), test.gesture.tolist(), test.subject.tolist()) == (1, [13], [8])


@pytest.mark.parametrize("offset", [[0, 2, 3, 5], [1, 2, 3, 6], [0, 2, 2, 6], [0, 7, 3, 6], [0, 6]])
def test_offsets_that_do_not_cut_the_frames_are_damage(tmp_path: Path, offset: list[int]) -> None:
    np.savez(tmp_path / "bad.npz", **SHREC17 | {"offset": np.array(offset)})
    with pytest.raises(SourceError, match=r"bad.npz: its (offsets|table)"):
        datasets.shrec17(tmp_path / "bad.npz")


def sfinge3d(folder: Path, truth: str) -> Path:
    """Two streams of four and three frames whose joints count upward."""
    folder.mkdir(exist_ok=True)
    np.savez(
        folder / "sfinge3d.npz",
        stream_frames=np.arange(7 * 140, dtype=np.float32).reshape(7, 140),
        stream_offset=np.array([0, 4, 7]),
        stream_id=np.array([12, 3]),
    )
    (folder / "sequencesGT.json").write_text(truth, "utf-8")
    return folder


def test_sfinge3d_streams_keep_their_joints_and_have_their_annotation(tmp_path: Path) -> None:
    folder = sfinge3d(tmp_path, '{"3": [], "12": [[13, 0, 2], [1, 2, 4]]}')
    first, second = datasets.sfinge3d(folder)
    assert (first.name, len(first), second.name, len(second)) == ("12", 4, "3", 3)
    assert first.joints[1, 2].tolist() == [154, 155, 156]
    assert first.segments == (
        datasets.Segment("swipe_o", 0, 100_000),
        datasets.Segment("one", 100_000, 200_000),
    )
    assert second.segments == ()


@pytest.mark.parametrize(
    ("truth", "says"),
    [
        ("", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ('{"3": []}', "does not annotate the streams"),
        ('{"3": [], "12": [[14, 0, 2]]}', r"stream 12 has \[14, 0, 2\]"),
        ('{"3": [], "12": [[1, 2, 1]]}', r"stream 12 has \[1, 2, 1\]"),
        ('{"3": [], "12": 5}', "stream 12 has 5"),
    ],
)
def test_a_damaged_annotation_of_sfinge3d_is_named(tmp_path: Path, truth: str, says: str) -> None:
    with pytest.raises(SourceError, match=f"sequencesGT.json.* {says}"):
        datasets.sfinge3d(sfinge3d(tmp_path, truth))


def test_unseen_hands_and_bodies_are_absent_from_what_is_read(tmp_path: Path) -> None:
    file = tmp_path / "user_x.npz"
    hands = np.full((1, 2, 21, 3), 0.5, np.float32)
    hands[0, 1] = 0
    pose = np.zeros((1, 2, 33, 4), np.float32)
    pose[0, 0] = 0.5
    np.savez(file, pose=pose, left_hand=hands, right_hand=hands * 0, label=np.array([" Ola"]))
    takes, label = datasets.user_takes(file)
    seen = [([hand.side for hand in o.hands], len(o.bodies)) for o in takes[0]]
    assert seen == [(["left"], 1), ([], 0)]
    assert label.tolist() == ["hello"]


def csv_file(folder: Path, name: str, *rows: str) -> Path:
    (folder / name).write_text("\n".join(rows) + "\n", "utf-8-sig")
    return folder


def test_key_points_and_finger_paths_are_named_as_in_the_catalog(tmp_path: Path) -> None:
    numbers = ",".join(f"{i / 100}" for i in range(42))
    csv_file(tmp_path, "keypoint.csv", f"0,{numbers}", f"2,{numbers}")
    hands = datasets.key_points(tmp_path)
    assert hands.gesture.tolist() == ["open_palm", "point_up"]
    assert hands.points.shape == (2, 21, 2)
    assert hands.points[1, 20].tolist() == pytest.approx([0.40, 0.41])
    csv_file(tmp_path, "point_history.csv", "1," + ",".join(["0.5"] * 32))
    paths = datasets.finger_paths(tmp_path)
    assert paths.gesture.tolist() == ["circle_cw"]
    assert paths.points.shape == (1, 16, 2)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("", "is empty; get the file again"),
        ("hand,1,2", ":1: a row must be numbers alone"),
        ("0,1,2", ":1: a row must be a number below 4 and 21 pairs of coordinates"),
        ("4" + ",0" * 42, ":1: a row must be a number below 4"),
        ("0" + ",nan" * 42, ":1: a coordinate is not finite"),
        ("0" + ",1" * 9_999, ":1: the line is too long"),
    ],
)
def test_a_damaged_table_is_named_with_its_line(row: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        datasets.key_points(csv_file(tmp_path, "keypoint.csv", row))
    assert str(caught.value).startswith(str(tmp_path / "keypoint.csv"))
    assert reason in str(caught.value)


def test_clips_are_those_of_the_list_and_inside_their_folder(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    head = "file,label,kind,source_repo,note"
    csv_file(tmp_path, "clips.csv", head, 'a.mp4,fist,"one hand, rest=fist",x,')
    (row,) = datasets.clips(tmp_path)
    assert row == datasets.ClipRow(tmp_path / "a.mp4", "fist", "one hand, rest=fist")
    for other in ("b.mp4,fist,x", "../clips/a.mp4,fist,x", "a.mp4"):
        with pytest.raises(SourceError, match=r"clips.csv:2: there is no such video"):
            datasets.clips(csv_file(tmp_path, "clips.csv", head, other))


# --- what users record --------------------------------------------------------------------------

SIZE_PX = (640, 480)


def trace(path: Path, frames: list[tuple[Observation, str | None]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with TraceWriter(path, SIZE_PX, "test") as writer:
        for observation, label in frames:
            writer.write(observation, label)
    return path


def frame(t_us: int, *sides: str, body: bool = False) -> Observation:
    rng = np.random.default_rng(t_us)
    hands = tuple(Hand(s, 1.0, rng.random((21, 3), dtype=np.float32)) for s in sides)  # type: ignore[arg-type]
    bodies = (Body(rng.random((33, 4), dtype=np.float32)),) if body else ()
    return Observation(t_us, hands, bodies, SIZE_PX)


def test_recordings_are_read_by_hand_and_by_body(tmp_path: Path) -> None:
    trace(
        tmp_path / "deeper" / "a.jsonl.gz",
        [
            (frame(0), None),
            (frame(40_000, "left"), "fist"),
            (frame(80_000, "left", "right"), "fist"),
            (frame(120_000, "right", body=True), None),
            (frame(160_000, body=True), "swipe_left"),
        ],
    )
    trace(tmp_path / "b.jsonl", [(frame(0), None)])
    empty, one = datasets.recordings(tmp_path)
    assert (empty.hands, empty.arms, empty.seconds) == ((), None, 0.0)
    assert (one.name, one.seconds) == ("a.jsonl.gz", 0.16)
    assert one.segments == (
        datasets.Segment("fist", 40_000, 80_000),
        datasets.Segment("swipe_left", 160_000, 160_000),
    )
    left, right = one.hands
    assert (left.side, left.t_us.tolist(), left.label.tolist(), left.alone.tolist()) == (
        "left",
        [40_000, 80_000],
        ["fist", "fist"],
        [True, False],
    )
    seen = frame(40_000, "left").hands[0].image
    assert left.points[0, :, 0] == pytest.approx(-seen[:, 0] * 640 / 480, abs=1e-4)
    assert (right.label.tolist(), right.alone.tolist()) == (["fist", ""], [False, True])
    assert one.arms is not None
    assert one.arms.segments == (datasets.Segment("swipe_left", 160_000, 160_000),)
    assert one.arms.idle.tolist() == [True, False]


def test_a_folder_without_traces_and_an_unknown_label_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no traces .* make some with `gesturectl record`"):
        datasets.recordings(tmp_path)
    trace(tmp_path / "a.jsonl", [(frame(7), "wiggle")])
    with pytest.raises(UsageError, match=r"a.jsonl: at 7 µs the label is 'wiggle'"):
        datasets.recordings(tmp_path)


def test_a_damaged_recording_is_named_with_its_line(tmp_path: Path) -> None:
    path = trace(tmp_path / "a.jsonl", [(frame(0), None), (frame(1), None)])
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(TraceError, match=r"a\.jsonl:4: t_us must be"):
        datasets.recordings(tmp_path)


# --- the real recordings, where they are --------------------------------------------------------


def test_every_recorded_gesture_lies_within_its_recording(shared_data: Path) -> None:
    recordings = datasets.arm_recordings(datasets.for_training("pose_streams", shared_data))
    assert len(recordings) > 50
    for one in recordings:
        assert np.diff(one.t_us).min() >= 0
        assert len(one.t_us) == len(one.points) == len(one.idle)
        for segment in one.segments:
            assert one.t_us[0] <= segment.start_us <= segment.end_us <= one.t_us[-1]
    names = {segment.name for one in recordings for segment in one.segments}
    assert {"swipe_left", "circle_cw", "circle_ccw"} <= names


def test_the_photographs_know_poses_of_the_catalog_alone(shared_data: Path) -> None:
    photos = datasets.hand_photos(datasets.for_training("hand_poses", shared_data))
    assert set(photos.gesture.tolist()) <= {"", *synth.POSES}
    assert np.isfinite(features.hand_shapes(photos.points)).all()
    points, names = datasets.body_photos(datasets.for_training("body_poses", shared_data))
    assert set(names.tolist()) <= {"", "?", *synth.BODY_POSES}
    assert np.isfinite(features.body_shapes(points)).all()


def test_the_official_split_of_shrec17_shares_no_subject(shared_data: Path) -> None:
    train, test = datasets.shrec17(datasets.located("shrec17", shared_data))
    assert (len(train), len(test)) == (1960, 840)
    assert not set(train.subject.tolist()) & set(test.subject.tolist())
    assert set(train.gesture.tolist()) == set(test.gesture.tolist()) == set(range(14))
