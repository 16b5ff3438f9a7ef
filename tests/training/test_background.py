"""The shipped background is made again from the recordings, and from nothing that may not ship."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gesturectl.background import FRAME_STEPS, load
from training import background


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


def test_the_same_recordings_give_what_is_shipped(tmp_path: Path, shared_data: Path) -> None:
    background.make(shared_data, tmp_path)
    made, shipped = load(tmp_path), load(background.SHIPPED)
    assert made.hands.steps.tolist() == shipped.hands.steps.tolist()
    assert made.bodies.marks.tolist() == shipped.bodies.marks.tolist()
    assert made.hands.points == pytest.approx(shipped.hands.points, abs=0.02)
