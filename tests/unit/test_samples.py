"""The folder of a user's own takes: whole or absent, named carefully, read without trust."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gesturectl import samples
from gesturectl.catalog import catalog
from gesturectl.errors import SampleError, UsageError
from gesturectl.samples import Plan, Store, check_name
from gesturectl.trace import read_trace
from gesturectl.types import Hand, Observation

SIZE_PX = (640, 480)


def take(frames: int = 30, start_us: int = 0) -> list[Observation]:
    image = np.linspace(0.2, 0.8, 63, dtype=np.float32).reshape(21, 3)
    hand = Hand("right", 0.9, image)
    return [Observation(start_us + i * 33_333, (hand,), (), SIZE_PX) for i in range(frames)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data")


def kept(store: Store, name: str = "zigzag", takes: int = 3) -> Sequence[Path]:
    store.begin(name, Plan("hand", 5))
    return [store.add_take(name, take(), "a test") for _ in range(takes)]


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["zigzag", "z", "draw_z", "wave2", "a" * 40])
def test_names_like_those_of_the_catalog_are_good(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Draw-Z", "write draw_z"),
        ("draw z", "write draw_z"),
        ("2nd", "write nd"),
        ("", "choose one like draw_z"),
        ("../../etc", "write etc"),
        ("a/b", "write a_b"),
        ("zigzag\n", "write zigzag"),
        ("..", "choose one like"),
        ("x" * 41, "write " + "x" * 40),
        ("élan", "write lan"),
        ("con", "choose one like"),
        ("fist", "my_fist"),
        ("Fist", "choose one like"),
    ],
)
def test_a_bad_name_is_refused_with_a_better_one(name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says.replace("..", r"\.\.")):
        check_name(name)


def test_no_shipped_gesture_can_be_taught() -> None:
    for name in catalog():
        with pytest.raises(UsageError, match="shipped gesture"):
            check_name(name)


# --- keeping ------------------------------------------------------------------------------------


def test_takes_are_traces_in_a_row_with_nothing_beside_them(store: Store) -> None:
    files = kept(store)
    assert [file.name for file in files] == [f"take-00{n}.jsonl.gz" for n in (1, 2, 3)]
    folder = store.root / "gestures" / "zigzag"
    assert sorted(p.name for p in folder.iterdir()) == ["gesture.json", *(f.name for f in files)]
    trace = read_trace(files[0])
    assert (trace.size_px, trace.source) == (SIZE_PX, "a test")
    assert {label for _, label in trace} == {"zigzag"}


def test_landmarks_are_for_their_owner_only(store: Store) -> None:
    files = kept(store)
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700


def test_a_number_is_not_used_twice_while_a_later_take_is_there(store: Store) -> None:
    files = kept(store)
    files[1].unlink()
    assert store.add_take("zigzag", take(), "a test").name == "take-004.jsonl.gz"


def test_what_was_kept_is_read_back(store: Store) -> None:
    kept(store)
    store.add_background(take(90), "a test")
    store.add_wrong(take(60), "zigzag")
    read = store.load()
    assert read.problems == ()
    assert read.gestures["zigzag"].plan == Plan("hand", 5)
    assert [len(one) for one in read.gestures["zigzag"].takes] == [30, 30, 30]
    assert [len(one) for one in (*read.background, *read.wrong)] == [90, 60]
    assert read.background_us == 89 * 33_333


def test_an_empty_folder_is_no_samples(store: Store) -> None:
    assert store.names() == ()
    read = store.load()
    assert (read.gestures, read.background, read.problems) == ({}, (), ())
    assert not store.root.exists()


def test_numbers_have_limits(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MAX_TAKES", 2)
    monkeypatch.setattr(samples, "MAX_GESTURES", 1)
    monkeypatch.setattr(samples, "MAX_WRONG", 1)
    kept(store, takes=2)
    with pytest.raises(SampleError, match="2 takes, all that can be kept"):
        store.add_take("zigzag", take(), "")
    with pytest.raises(SampleError, match="gesturectl forget"):
        store.begin("another", Plan())
    store.add_wrong(take(), "zigzag")
    with pytest.raises(SampleError, match="teach them again"):
        store.add_wrong(take(), "zigzag")


def test_of_ordinary_behaviour_the_newest_is_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "MAX_PIECES", 2)
    for frames in (10, 20, 30):
        store.add_background(take(frames), "a test")
    assert [len(piece) for piece in store.load().background] == [20, 30]
    assert store.background_files()[-1].name == "003.jsonl.gz"


def test_the_thousandth_piece_is_newer_than_the_one_before(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "MAX_PIECES", 2)
    first = store.add_background(take(), "a test")
    first.rename(first.with_name("999.jsonl.gz"))
    for _ in range(2):
        store.add_background(take(), "a test")
    assert [file.name for file in store.background_files()] == ["1000.jsonl.gz", "1001.jsonl.gz"]


def test_what_cannot_be_kept_leaves_nothing_behind(store: Store) -> None:
    kept(store, takes=1)
    before = sorted(store.root.rglob("*"))
    changed = [*take(2), Observation(10**9, (), (), (320, 240))]
    for bad in ([], changed):
        with pytest.raises(SampleError):
            store.add_take("zigzag", bad, "")
    assert sorted(store.root.rglob("*")) == before


def test_a_folder_that_cannot_be_written_is_an_error_with_its_name(store: Store) -> None:
    store.root.parent.mkdir(parents=True, exist_ok=True)
    store.root.write_text("in the way", "utf-8")
    with pytest.raises(SampleError, match="data"):
        store.begin("zigzag", Plan())


def test_halves_of_a_killed_program_are_no_takes_and_are_swept_away(store: Store) -> None:
    files = kept(store)
    half = files[0].with_name(".take-009.jsonl.gz.123.part")
    half.write_bytes(files[0].read_bytes()[:50])
    assert store.files("zigzag") == tuple(files)
    assert store.load().problems == ()
    store.begin("zigzag", Plan())
    assert not half.exists()


# --- reading without trust ----------------------------------------------------------------------


def test_a_damaged_take_is_named_and_left_out_and_the_others_are_used(store: Store) -> None:
    files = kept(store)
    files[1].write_bytes(files[1].read_bytes()[:-40])
    read = store.load()
    assert read.gestures["zigzag"].files == (files[0], files[2])
    (problem,) = read.problems
    assert str(files[1]) in problem
    assert "delete the file, or record another" in problem


def test_a_file_too_long_or_too_short_for_a_take_is_left_out(store: Store) -> None:
    kept(store, takes=1)
    store.add_take("zigzag", take(2001), "")
    store.add_take("zigzag", take(1), "")
    read = store.load()
    assert len(read.gestures["zigzag"].takes) == 1
    assert ["more than 2000 frames" in p or "1 frames" in p for p in read.problems] == [True, True]


def test_a_folder_of_another_name_is_said_and_not_read(store: Store) -> None:
    kept(store)
    (store.root / "gestures" / "Not A Name").mkdir()
    (store.root / "gestures" / "fist").mkdir()
    assert store.names() == ("zigzag",)
    problems = " ".join(store.load().problems)
    assert "'Not A Name'" in problems
    assert "'fist' is a shipped gesture" in problems


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"part": "foot", "samples": 5}', '{"part": "hand", "samples": true}']
)
def test_a_damaged_plan_is_that_of_a_gesture_just_begun(store: Store, text: str) -> None:
    kept(store)
    (store.root / "gestures" / "zigzag" / "gesture.json").write_text(text, "utf-8")
    assert store.plan("zigzag") is None
    assert store.load().gestures["zigzag"].plan == Plan()


def test_a_link_to_somewhere_else_is_not_followed(store: Store, tmp_path: Path) -> None:
    kept(store)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "letter.txt").write_text("dear", "utf-8")
    (store.root / "gestures" / "linked").symlink_to(elsewhere)
    assert store.names() == ("zigzag",)
    with pytest.raises(UsageError):
        store.forget("linked")
    assert (elsewhere / "letter.txt").exists()


# --- forgetting ---------------------------------------------------------------------------------


def test_forgetting_removes_everything_of_one_gesture_and_nothing_else(store: Store) -> None:
    kept(store)
    kept(store, "other", 1)
    store.add_wrong(take(), "zigzag")
    store.add_wrong(take(), "other")
    assert store.forget("zigzag") == 3
    assert store.names() == ("other",)
    assert len(store.wrong_files()) == 1
    with pytest.raises(UsageError, match="known: other"):
        store.forget("zigzag")


def test_a_removal_that_was_interrupted_can_be_done_again(store: Store) -> None:
    files = kept(store)
    files[0].unlink()
    assert store.forget("zigzag") == 2
    assert store.names() == ()


def test_everything_can_be_forgotten(store: Store) -> None:
    kept(store)
    store.add_background(take(), "")
    store.add_wrong(take(), "zigzag")
    store.forget_all()
    assert not [path for path in store.root.rglob("*") if path.is_file()]


def test_the_plan_is_one_line_of_json(store: Store) -> None:
    store.begin("zigzag", Plan("body", 7))
    text = (store.root / "gestures" / "zigzag" / "gesture.json").read_text("utf-8")
    assert json.loads(text) == {"version": 1, "part": "body", "samples": 7, "learned": False}
