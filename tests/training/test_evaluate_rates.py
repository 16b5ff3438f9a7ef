"""What is heard of recordings in which fewer pictures are looked at."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from gesturectl.types import Began
from tests.training.test_evaluate_streams import SECOND, standing, written
from training.datasets import Segment
from training.evaluate import metrics, rates
from training.evaluate.__main__ import main


@pytest.mark.parametrize(("rate_hz", "left"), [(30, 100), (20, 80), (12.5, 50), (7, 28)])
def test_of_25_pictures_a_second_as_many_are_left_as_are_looked_at(
    rate_hz: float, left: int
) -> None:
    swipe = Segment("swipe_left", SECOND, 2 * SECOND)
    whole = standing((swipe,))
    thin = rates.thinned(whole, rate_hz)
    assert len(thin.t_us) == len(thin.image) == len(thin.idle) == pytest.approx(left, abs=2)
    kept = np.isin(whole.t_us, thin.t_us)
    assert np.array_equal(thin.idle, whole.idle[kept])
    assert thin.segments == (swipe,)


def test_each_rate_tells_what_was_heard_of_swipes_and_of_circles() -> None:
    swipe, circle = Segment("swipe_up", 0, SECOND), Segment("circle_cw", 2 * SECOND, 3 * SECOND)
    shown = standing((swipe, circle))
    one = metrics.match([Began(500_000, "swipe_up", "right", 0.9)], shown.segments, 0)
    row = rates.figures({12.5: [(rates.thinned(shown, 12.5), one)]})["12.5"]
    assert (row["right"], row["missed"], row["pictures_per_s"]) == (1, 1, pytest.approx(12.5, 0.05))
    assert (row["recall_swipes"], row["recall_circles"], row["recall"]) == (1.0, 0.0, 0.5)


def test_the_measure_of_streams_listens_again_at_each_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, "a_1", standing((Segment("swipe_left", SECOND, 2 * SECOND),)))
    common = ["streams", "--data", str(tmp_path), "--model", "shipped", "--out", str(tmp_path)]
    assert main([*common, "--rates", "15,7", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {name: row["missed"] for name, row in told["rates"].items()} == {"15": 1, "7": 1}
    assert main([*common, "--rates", "15,7"]) == 0
    assert "with fewer pictures" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "many", "0", "1000", "15;7"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="pictures a second"):
        rates.rates(text)
