"""`gesturectl bench latency` and `load` on a real X server and the real landmark models."""

from __future__ import annotations

import psutil
import pytest
from rich.console import Console

from gesturectl.benches import latency, load
from gesturectl.daemon import STAGES
from gesturectl.plots import Chart, Waterfall
from gesturectl.rig import Choice
from tests.conftest import Bundles, require_program

pytestmark = pytest.mark.slow


def test_every_key_is_timed_on_its_way_from_the_picture_to_the_program(
    bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_program("Xvfb")
    monkeypatch.setattr(latency, "FRAMES", 150)
    choice = Choice("puppet:all", None, "memory", hand_model=bundles.hand, pose_model=bundles.pose)
    figures = latency.measure(choice)
    assert figures["keys"] >= 20
    assert figures["frames"] <= 150
    assert tuple(figures["spent_ms"]) == STAGES
    stages = sum(one["p50"] for one in figures["spent_ms"].values())
    whole = figures["captured_to_received_ms"]
    assert 0 < stages <= whole["p99"]
    assert whole["p50"] <= whole["p95"] <= whole["p99"]
    console = Console(record=True, width=100)
    latency.show(figures, console)
    assert "captured to received" in console.export_text()
    waterfall, ages = latency.charts(figures)
    assert isinstance(waterfall, Waterfall)
    assert [bar.name for bar in waterfall.bars] == [*STAGES, "all"]
    assert isinstance(ages, Chart)
    assert all(list(curve.x) == sorted(curve.x) for curve in ages.curves)


def test_beside_busy_processes_nothing_is_told_twice_and_the_processes_end(
    bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_program("Xvfb")
    monkeypatch.setattr(load, "SCRIPT", "fist:1s?frame=closeup&seed=5")
    monkeypatch.setattr(load, "ROUNDS", 1)
    before = psutil.Process().children()
    choice = Choice("puppet:all", None, "memory", hand_model=bundles.hand, pose_model=bundles.pose)
    figures = load.measure(choice)
    assert psutil.Process().children() == before
    for run in (figures[name] for name in load.RUNS):
        assert run["gestures_acted"] == 1
        assert run["keys_received"] == run["keys_sent"]
        assert run["events_twice"] == 0
        ages = run["age_when_sent_frames"]
        assert 0 < run["age_when_read_frames"]["p50"] < ages["p50"] <= ages["p99"] <= ages["max"]
    console = Console(record=True, width=100)
    load.show(figures, console)
    assert "pictures dropped" in console.export_text()
