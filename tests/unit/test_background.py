"""What is shipped to refuse: whole, small, and told of as hands, bodies, or both."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from gesturectl import background
from gesturectl.background import Background, Filmed
from gesturectl.catalog import catalog
from gesturectl.errors import ModelError
from gesturectl.types import BODY_POINTS, HAND_POINTS

FOLDER = resources.files("gesturectl.gestures").joinpath("background")


def filmed(points: int, numbers: int, n: int = 40) -> Filmed:
    rng = np.random.default_rng(1)
    steps = np.r_[np.arange(n // 2) * 3, 5000 + np.arange(n - n // 2) * 3]
    at = rng.normal(0, 0.1, (points, numbers)) + np.linspace(0, 0.2, n)[:, None, None]
    return Filmed(steps, at.astype(np.float32), np.arange(n) % 2)


def small() -> Background:
    bodies = filmed(BODY_POINTS, 4)
    bodies.points[:, 11, :2], bodies.points[:, 12, :2] = (0.1, 0.0), (-0.1, 0.0)
    return Background(("wave",), filmed(HAND_POINTS, 3), bodies)


def write(folder: Path, made: Background) -> Path:
    raw = background.archive(made)
    card = {
        "format": background.FORMAT,
        "version": background.VERSION,
        "names": list(made.names),
        "hands": len(made.hands.steps),
        "bodies": len(made.bodies.steps),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "data": {},
    }
    (folder / "background.npz").write_bytes(raw)
    (folder / "background.json").write_text(json.dumps(card), "utf-8")
    return folder


def test_what_is_shipped_is_minutes_of_both_in_less_than_a_megabyte() -> None:
    shipped = background.shipped()
    assert len(shipped.hands.steps) > 10 * 600
    assert len(shipped.bodies.steps) > 20 * 600
    assert len(FOLDER.joinpath("background.npz").read_bytes()) < 800_000
    assert set(catalog()) <= set(shipped.names)


def test_most_of_it_is_no_gesture() -> None:
    shipped = background.shipped()
    for kind in (shipped.hands, shipped.bodies):
        assert 0.6 < float((kind.marks == 0).mean()) < 1


@pytest.mark.parametrize(
    ("hands", "body", "seen"),
    [
        (True, False, [True, True, False]),
        (False, True, [False, False, True]),
        (True, True, [True] * 3),
    ],
)
def test_a_scene_shows_what_is_asked_for(hands: bool, body: bool, seen: list[bool]) -> None:
    scenes = background.scenes(small(), hands=hands, body=body)
    shown = sum(scene.beats.sums.seen.sum(1) for scene in scenes)
    # Of hands alone only every fourth scene has a left one, and there are but two here.
    if not body:
        seen = [True, False, False]
    assert (shown > 0).tolist() == seen
    assert all(len(scene.marks) == len(scene.beats) for scene in scenes)


def test_what_is_packed_comes_back_as_exactly_as_it_must(tmp_path: Path) -> None:
    made, read = small(), background.load(write(tmp_path, small()))
    assert read.hands.steps.tolist() == made.hands.steps.tolist()
    assert read.hands.marks.tolist() == made.hands.marks.tolist()
    wrist = made.hands.points[:, 0, :2]
    assert read.hands.points[:, 0, :2] == pytest.approx(wrist, abs=2e-4)
    used = [0, 11, 12, 15, 16, 23]
    assert read.bodies.points[:, used, :2] == pytest.approx(
        made.bodies.points[:, used, :2], abs=2e-3
    )


def test_long_recordings_are_cut_at_gaps() -> None:
    pieces = filmed(HAND_POINTS, 3).cut()
    assert [len(piece.steps) for piece in pieces] == [20, 20]


def test_another_file_than_the_card_describes_is_refused(tmp_path: Path) -> None:
    write(tmp_path, small())
    (tmp_path / "background.npz").write_bytes(b"x")
    with pytest.raises(ModelError, match="is not the file"):
        background.load(tmp_path)
    with pytest.raises(ModelError, match="cannot read"):
        background.load(tmp_path / "nowhere")
