"""Recordings of the puppet through the real landmark models, and what must be heard in them.

A case is a trace and a text: where the trace comes from, what may be heard by the way (a hand
that swipes is an open palm too), then what must be heard, in order, by whom. A new one is made by

    gesturectl record --consent tests/golden/recognition/NAME.jsonl.gz --source puppet:SCRIPT
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gesturectl.recogniser import Recogniser
from gesturectl.trace import read_trace
from gesturectl.types import Ended
from tests.acting import begun, recognised

FOLDER = Path(__file__).parent / "recognition"
CASES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_what_was_acted_is_heard_and_nothing_else(case: Path) -> None:
    source, by_the_way, *lines = case.read_text("utf-8").splitlines()
    allowed = by_the_way.removeprefix("by the way:").split()
    trace = read_trace(case.with_suffix(".jsonl.gz"))
    assert source.removeprefix("source: puppet:") in trace.source

    recogniser = Recogniser.load()
    events = recognised(recogniser, (observation for observation, _ in trace))
    told = [f"{name} {side}" for name, side in begun(events) if name not in allowed]
    assert told == lines
    # The person's hands are down again at the end: nothing is still shown.
    assert len([event for event in events if isinstance(event, Ended)]) == len(begun(events))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_trace_in_the_repository_is_small_and_ours(case: Path) -> None:
    trace = case.with_suffix(".jsonl.gz")
    assert trace.stat().st_size < 150_000
    assert read_trace(trace).source.startswith("puppet ")
