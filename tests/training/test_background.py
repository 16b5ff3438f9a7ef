"""The shipped background is made again from the recordings, and from nothing that may not ship."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gesturectl.background import FRAME_STEPS, load
from training import background, datasets

DATA = Path(os.environ.get("GESTURECTL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def test_a_reel_has_recordings_one_after_another_and_keeps_their_gaps() -> None:
    reel = background.Reel()
    t_us = np.arange(0, 3_000_000, 40_000)
    points = np.zeros((len(t_us), 21, 3), np.float32)
    marks = (t_us > 1_500_000).astype(np.int64)
    reel.add(t_us, points, marks, background.GAP_STEPS)
    lost = (t_us < 1_000_000) | (t_us > 2_000_000)
    reel.add(t_us[lost], points[lost], marks[lost], background.GAP_STEPS)
    filmed = reel.filmed()
    assert (filmed.steps % FRAME_STEPS == 0).all()
    gaps = np.diff(filmed.steps)
    assert sorted(set(gaps[gaps > FRAME_STEPS].tolist())) == [36, background.GAP_STEPS]
    assert set(filmed.marks.tolist()) == {0, 1}


@pytest.mark.skipif(not (DATA / "pose_streams").is_dir(), reason=f"no recordings in {DATA}")
def test_the_same_recordings_give_what_is_shipped(tmp_path: Path) -> None:
    background.make(DATA, tmp_path)
    made, shipped = load(tmp_path), load(Path(__file__).parents[2] / "gestures" / "background")
    assert made.hands.steps.tolist() == shipped.hands.steps.tolist()
    assert made.bodies.marks.tolist() == shipped.bodies.marks.tolist()
    assert made.hands.points == pytest.approx(shipped.hands.points, abs=0.02)


def test_only_what_may_be_shipped_is_in_it() -> None:
    assert all(datasets.SETS[name].ship for name in ("hand_poses", "pose_streams"))
