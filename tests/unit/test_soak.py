"""Hours in a second: profiles take turns, samples tell what grows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from gesturectl import bench
from gesturectl.benches import soak
from gesturectl.benches.soak import FLAT, GROWS, MEASURES, SHORT, trend, verdict
from gesturectl.errors import GesturectlError, UsageError
from gesturectl.profile import shipped
from gesturectl.trace import TraceWriter
from tests.acting import Performance

HOURS = [n / 10 for n in range(40)]
NOISE = [(n * 7 % 5 - 2) / 10 for n in range(40)]


def test_what_wavers_is_flat_and_what_climbs_grows() -> None:
    wavers = trend(MEASURES["resident_mb"], HOURS, [100 + one for one in NOISE])
    climbs = trend(
        MEASURES["resident_mb"],
        HOURS,
        [100 + 2 * hour + one for hour, one in zip(HOURS, NOISE, strict=True)],
    )
    assert (wavers["verdict"], climbs["verdict"]) == (FLAT, GROWS)
    assert climbs["slope_per_hour"] == pytest.approx(2, abs=0.1)
    assert climbs["interval"][0] < 2 < climbs["interval"][1]
    told = {"measures": {"resident_mb": climbs, "threads": wavers}}
    assert verdict(told) == "grows: resident memory by 2 MB an hour"


def test_a_file_that_stays_open_in_every_round_is_found() -> None:
    assert trend(MEASURES["files"], HOURS, [20 + n // 10 for n in range(40)])["verdict"] == GROWS


def test_what_fills_at_first_does_not_grow() -> None:
    fills = [50 + 12 * min(n, 4) for n in range(40)]
    assert trend(MEASURES["resident_mb"], HOURS, fills)["verdict"] == FLAT


def test_a_few_samples_say_nothing() -> None:
    few = trend(MEASURES["held"], HOURS[:5], [0] * 5)
    assert few["verdict"] == SHORT
    assert verdict({"measures": {"held": few}}) == "too short to tell: give more hours"


def test_every_shipped_profile_has_its_turn_and_nothing_stays_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, drawn = tmp_path / "palm.jsonl", tmp_path / "soak.png"
    with TraceWriter(path, (640, 480), "test") as writer:
        for seen in Performance("open_palm,swipe_left,fist").at(15, body=True):
            writer.write(seen)
    monkeypatch.setattr(soak, "TURN_US", 300_000)
    bench.bench("soak", as_json=True, trace=path, hours=0.01, plot=drawn)
    found = json.loads(capsys.readouterr().out)["soak"]
    assert found.keys() == {"simulated"}
    one = found["simulated"]
    assert one["profiles_read"] >= 8 * len(shipped())
    assert one["measures"].keys() == MEASURES.keys() - {"late_ms"}
    assert set(one["measures"]["held"]["samples"]) == {0}
    assert len(one["sample_hours"]) >= 8
    assert drawn.stat().st_size > 1000
    soak.show(found, Console(width=150))
    assert "keys and buttons held" in capsys.readouterr().out


def test_less_than_a_round_is_refused_and_what_has_no_curves_is_not_drawn(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one round takes 27 s; give more --hours"):
        bench.bench("soak", as_json=True, hours=0.001)
    with pytest.raises(UsageError, match=r"`bench step` draws no curves; these do: .*soak"):
        bench.bench("step", as_json=True, plot=tmp_path / "no.png")


def test_a_trace_without_frames_is_not_played_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    with TraceWriter(path, (640, 480), "test"):
        pass
    with pytest.raises(GesturectlError, match="no frames"):
        bench.bench("soak", as_json=True, trace=path)
