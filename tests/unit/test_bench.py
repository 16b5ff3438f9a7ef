"""What the bench measures on."""

from __future__ import annotations

import json
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from gesturectl import bench
from gesturectl.benches import control, power, profiles, step
from gesturectl.errors import GesturectlError
from gesturectl.profile import parse
from gesturectl.sources.live import Unavailable
from gesturectl.trace import TraceWriter
from gesturectl.types import Began
from tests.fakes import frames


def test_the_engine_is_measured_on_two_hands_and_a_body_in_every_frame() -> None:
    observations = list(islice(step.two_hands_and_a_body(), 200))
    for one in observations:
        assert [hand.side for hand in one.hands] == ["right", "left"]
        assert [hand.image.shape for hand in one.hands] == [(21, 3), (21, 3)]
        assert [body.image.shape for body in one.bodies] == [(33, 4)]
        assert all(hand.image.dtype == np.float32 for hand in one.hands)
    assert all(later.t_us > earlier.t_us for earlier, later in pairwise(observations))


def test_a_trace_of_one_s_own_is_measured_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.jsonl"
    with TraceWriter(path, (640, 480), "test") as writer:
        for observation in frames(30):
            writer.write(observation)
    with pytest.raises(GesturectlError, match="30 frames are too few"):
        step.measure(path)
    monkeypatch.setattr(step, "WARM_UP", 10)
    figures = step.measure(path)
    assert figures["frames"] == 20
    assert 0 < float(figures["median_us"]) <= float(figures["p99_us"])


def test_a_profile_of_five_hundred_bindings_hears_something_in_every_mode() -> None:
    rules = parse(profiles.profile_text(500))
    assert len(rules.bindings) == 500 + 1  # and what wakes
    assert len(rules.applications) == 5
    assert all(rules.heard(mode, None) for mode in rules.modes if mode != "sleep")
    kinds = {binding.trigger.spec.key for binding in rules.bindings}
    assert kinds == {"tap", "hold_for", "release", "double", "while"}
    assert len(parse(profiles.profile_text(1)).bindings) == 1 + 1


def test_the_events_are_those_of_somebody_who_gestures_in_every_mode() -> None:
    events = list(profiles.gesturing())
    assert all(later.t_us >= earlier.t_us for earlier, later in pairwise(events))
    assert events[-1].t_us // 60_000_000 == profiles.MODES - 1
    began = [event for event in events if isinstance(event, Began)]
    assert len(began) > 500
    assert {event.side for event in began} == {"left", "right"}


def test_long_and_short_profile_are_measured_and_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(profiles, "FRAMES", 90)
    monkeypatch.setattr(profiles, "ROUNDS", 1)
    bench.bench("profile", as_json=True)
    figures = json.loads(capsys.readouterr().out)["profile"]
    assert figures["long"].keys() == figures["reference"].keys() == profiles.TITLES.keys()
    for key in profiles.TITLES:
        long, reference = figures["long"][key], figures["reference"][key]
        assert figures["ratio"][key] == pytest.approx(long / reference)
    bench.bench("profile", as_json=False)
    assert "500 bindings" in capsys.readouterr().out


def test_what_sockets_cost_is_measured_beside_a_daemon_that_may_run(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("FRAMES", 1000),
        ("ROUND_TRIPS", 20),
        ("LAST_RATE_HZ", control.FIRST_RATE_HZ),
        ("HOLD_S", 0.1),
        ("LATE_FRAMES", 5),
    ):
        monkeypatch.setattr(control, name, value)
    folder = short_folder / "run"
    assert control.frame_cost(folder).keys() >= {"nobody_us", "one_follower_while_acting_us"}
    assert control.round_trips(folder)["hello_ms"]["median"] > 0
    assert control.followers(folder, 3)["events_per_s"] in (0, control.FIRST_RATE_HZ)
    assert control.lateness(folder, shouting=2)["late_median_ms"] > -1


def test_a_film_that_a_camera_s_watcher_opens_again_stays_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(power, "SCRIPT", "wait:100ms?until=0")
    film = power._Film()
    film.open()
    while not film.over:
        film.grab()
    for ask in (film.grab, film.open):
        with pytest.raises(Unavailable, match="at its end"):
            ask()
    film.rewind()
    film.open()
    assert not film.over
