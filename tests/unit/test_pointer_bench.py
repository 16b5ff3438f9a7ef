"""What the bench of the pointer measures, and the simulated person it measures with."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from gesturectl import bench, motor
from gesturectl.benches import pointer
from gesturectl.benches.pointer import POINTERS, Ring
from gesturectl.errors import GesturectlError
from gesturectl.motor import FRAME_US, PALM, SeenHand, Tap
from gesturectl.places import Seen
from gesturectl.trace import TraceWriter
from tests.fakes import frames


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """One ring of one kind, one hand at rest."""
    monkeypatch.setattr(pointer, "RESTS", 1)
    monkeypatch.setattr(pointer, "RINGS", 1)
    monkeypatch.setattr(pointer, "DISTANCES_PX", (600.0,))
    monkeypatch.setattr(pointer, "WIDTHS_PX", (48.0,))


def test_a_simulated_hand_jitters_as_those_of_people_do() -> None:
    hand = SeenHand(np.random.default_rng(1))
    palms, tips = [], []
    for frame in range(1, 3000):
        points = Seen(hand.observe(frame * FRAME_US, 0, 0)).flat("right")
        assert points is not None
        flat = np.array(points)[:, :2] * [4 / 3 / PALM, 1 / PALM]
        palms.append(flat[[0, 5, 9, 13, 17]].mean(0))
        tips.append(flat[8])
    spreads = [float(np.sqrt(np.var(one, axis=0).sum())) for one in (palms, tips)]
    assert spreads == pytest.approx([0.0045, 0.009], rel=0.1)


def test_a_person_knows_how_far_the_pointer_goes() -> None:
    ours = POINTERS["ours"]
    size = motor.stroke_for(ours, 700, 0.6)
    assert motor.way_px(ours, size, 0.6) == pytest.approx(700, rel=1e-3)


def test_a_person_taps_every_target_of_a_ring_alike_each_time() -> None:
    first, again = (
        motor.tap_targets(POINTERS["ours"], np.random.default_rng(3), 600, 48) for _ in range(2)
    )
    assert first == again
    assert len(first) == 12
    assert all(0.5 < tap.took_s < 5 for tap in first)


def test_throughput_is_that_of_the_width_really_hit() -> None:
    # Clicks 10 px to both sides of targets 400 px away, one a second.
    ring = Ring(48, [Tap(1.0, error, 0.0, 400 - error) for error in (-10.0, 10.0) * 50])
    width = 4.133 * 10 * (100 / 99) ** 0.5
    assert ring.effective_width_px == pytest.approx(width)
    assert ring.throughput_bits == pytest.approx(np.log2(400 / width + 1))


def test_a_tap_hits_within_half_a_width() -> None:
    assert Tap(1, 20, 10, 400).hit(48)
    assert not Tap(1, 20, 20, 400).hit(48)


def test_a_filter_is_steadier_than_the_raw_landmarks_and_later() -> None:
    raw, ours = (POINTERS[name] for name in ("raw", "ours"))
    assert pointer.rest_jitter_px(ours) < pointer.rest_jitter_px(raw) / 2
    lag_ms, overshoot_px = pointer.stroke(raw, 3.0, 0.5)
    assert lag_ms == pytest.approx(0, abs=1)
    assert overshoot_px == pytest.approx(0, abs=0.1)
    assert 0 < pointer.stroke(ours, 3.0, 0.5)[0] < 33


def test_the_stillest_stretches_of_a_recording_are_found() -> None:
    hand = SeenHand(np.random.default_rng(2))
    seen = [hand.observe(i * FRAME_US, max(0, i - 100) * 0.1, 0.0) for i in range(1, 160)]
    for stretch, since_us in pointer.still_stretches(seen):
        assert stretch[-1].t_us <= 105 * FRAME_US
        assert stretch[0].t_us <= since_us < stretch[-1].t_us


@pytest.mark.usefixtures("short")
def test_all_three_pointers_are_shown_side_by_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "still.jsonl"
    hand = SeenHand(np.random.default_rng(4))
    with TraceWriter(path, motor.SIZE_PX, "test") as writer:
        for i in range(1, 60):
            writer.write(hand.observe(i * FRAME_US, 0, 0))
    bench.bench("pointer", trace=path, as_json=True)
    found = json.loads(capsys.readouterr().out)["pointer"]
    assert list(found) == ["ours", "plain 1€", "raw"]
    assert all(set(figures) == set(pointer.TITLES) for figures in found.values())
    text = StringIO()
    pointer.show(found, Console(file=text, width=80))
    assert "throughput, bits/s" in text.getvalue()


@pytest.mark.usefixtures("short")
def test_a_recording_without_hands_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nobody.jsonl"
    with TraceWriter(path, (640, 480), "test") as writer:
        for observation in frames(30):
            writer.write(observation)
    with pytest.raises(GesturectlError, match="shows no hand"):
        pointer.measure(path)
