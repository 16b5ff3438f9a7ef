"""The page of figures is the one that is written from what was measured."""

from __future__ import annotations

import json

from gesturectl import performance
from gesturectl.bench import BENCHES
from gesturectl.benches import soak


def test_the_page_tells_the_figures_that_were_measured_last() -> None:
    kept = json.loads(performance.KEPT.read_text("utf-8"))
    told = "python -m gesturectl.performance --page"
    assert performance.PAGE.read_text("utf-8") == performance.page(kept), told


def test_whatever_the_page_tells_can_be_measured() -> None:
    assert set(performance.MEASURED) <= set(BENCHES)


def test_a_figure_that_misses_its_aim_is_called_missed() -> None:
    kept = json.loads(performance.KEPT.read_text("utf-8"))
    kept["figures"]["idle"]["ratio"] = 0.5
    (row,) = (line for line in performance.page(kept).splitlines() if "nobody in view" in line)
    assert "0.500" in row
    assert row.endswith("**missed** |")


def test_memory_that_grows_is_not_explained_away() -> None:
    kept = json.loads(performance.KEPT.read_text("utf-8"))
    for verdict, explained in ((soak.FLAT, True), (soak.GROWS, False)):
        kept["figures"]["soak"]["real"]["measures"]["resident_mb"]["verdict"] = verdict
        assert ("leave nothing behind" in performance.page(kept)) is explained
