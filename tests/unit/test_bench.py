"""What the bench measures on."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from gesturectl import bench
from gesturectl.errors import GesturectlError
from gesturectl.trace import TraceWriter
from tests.fakes import frames


def test_the_engine_is_measured_on_two_hands_and_a_body_in_every_frame() -> None:
    observations = list(islice(bench.two_hands_and_a_body(), 200))
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
        bench.bench_step(path)
    monkeypatch.setattr(bench, "STEP_WARM_UP", 10)
    figures = bench.bench_step(path)
    assert figures["frames"] == 20
    assert 0 < float(figures["median_us"]) <= float(figures["p99_us"])
