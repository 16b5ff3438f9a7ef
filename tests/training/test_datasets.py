"""Who may be trained on is data, and what was recorded is read as our features take it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gesturectl import features
from gesturectl.errors import UsageError
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
def test_an_unknown_set_and_a_missing_one_say_what_to_do(find: object, tmp_path: Path) -> None:
    assert callable(find)
    with pytest.raises(UsageError, match=r"no data set 'faces'; known are .*pose_streams"):
        find("faces", tmp_path)
    with pytest.raises(UsageError, match="is missing; --data names the folder"):
        find("pose_streams", tmp_path)


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
    assert np.diff(one.t_us).min() > 0


def test_the_arm_that_moves_gets_the_label_and_the_other_one_none(tmp_path: Path) -> None:
    (one,) = datasets.arm_recordings(recording(tmp_path / "streams"))
    right, left = augment.labelled_arms(one, ("", "circle_cw", "circle_ccw"))
    assert set(left[2].tolist()) == {synth.NULL}
    assert right[2].tolist() == [0, 0, 0, -1, -1, 1, 1, 1, -1, -1]
    assert right[1].shape == (10, features.ARM_SIGNAL_SIZE)


def test_shrec17_sequences_keep_their_frames_names_subjects_and_split(tmp_path: Path) -> None:
    points = np.arange(6 * 22 * 3, dtype=np.float32).reshape(6, 22, 3)
    np.savez(
        tmp_path / "shrec17.npz",
        joints_m=points,
        offset=np.array([0, 2, 3, 6]),
        meta=np.array([[1, 1, 7, 1], [14, 2, 8, 1], [3, 2, 7, 2]]),
        meta_cols=np.array(["gesture", "finger", "subject", "essai"]),
        split=np.array(["train", "test", "train"]),
    )
    train, test = datasets.shrec17(tmp_path / "shrec17.npz")
    assert [len(one) for one in train.joints] == [2, 3]
    assert train.joints[1] == pytest.approx(points[3:])
    assert train.gesture.tolist() == [0, 2]
    assert train.whole_hand.tolist() == [False, True]
    assert train.subject.tolist() == [7, 7]
    assert (len(test), test.gesture.tolist(), test.subject.tolist()) == (1, [13], [8])


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
