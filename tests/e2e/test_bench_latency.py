"""`gesturectl bench latency` on a real X server and the real landmark models."""

from __future__ import annotations

import pytest
from rich.console import Console

from gesturectl import benchlatency
from gesturectl.rig import Choice
from tests.conftest import Bundles, require_program

pytestmark = pytest.mark.slow


def test_every_key_is_timed_on_its_way_from_the_picture_to_the_program(
    bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_program("Xvfb")
    monkeypatch.setattr(benchlatency, "FRAMES", 150)
    choice = Choice("puppet:all", None, "memory", hand_model=bundles.hand, pose_model=bundles.pose)
    figures = benchlatency.measure(choice)
    assert figures["keys"] >= 20
    assert figures["frames"] <= 150
    stages = sum(figures[key]["p50"] for key in benchlatency.STAGES.values())
    whole = figures["captured_to_received_ms"]
    assert 0 < stages <= whole["p99"]
    assert whole["p50"] <= whole["p95"] <= whole["p99"]
    console = Console(record=True, width=100)
    benchlatency.show(figures, console)
    assert "captured to received" in console.export_text()
