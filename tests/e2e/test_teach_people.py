"""Real people's own gestures, taught from five labelled takes and heard among their other takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gesturectl import own
from gesturectl.engine import Engine
from gesturectl.listener import Listener
from gesturectl.recogniser import Recogniser
from gesturectl.samples import Plan, Store
from gesturectl.teach import teach
from gesturectl.trace import TraceWriter, read_trace
from gesturectl.types import Began, Observation, Take
from tests.lessons import Heard, choice
from training.datasets.takes import user_takes

pytestmark = pytest.mark.slow

STEP_US = 33_333
REST = 30  # frames with nobody in them, between two takes
TAUGHT, HEARD = 5, 6  # takes of each gesture
LATE_US = 700_000


def in_a_row(takes: Iterable[tuple[str, Take]], path: Path) -> list[tuple[str, int, int]]:
    """Write takes one after another, with rests between them; return name, start, end of each."""
    acts: list[tuple[str, int, int]] = []
    t_us = 0
    with TraceWriter(path, (640, 480), "a person") as writer:
        for name, take in takes:
            for _ in range(REST):
                writer.write(Observation(t_us, (), (), (640, 480)))
                t_us += STEP_US
            start_us = t_us
            for seen in take:
                writer.write(replace(seen, t_us=t_us, size_px=(640, 480)), name)
                t_us += STEP_US
            acts.append((name, start_us, t_us))
        for _ in range(REST):
            writer.write(Observation(t_us, (), (), (640, 480)))
            t_us += STEP_US
    return acts


@pytest.mark.parametrize("user", ["a01", "a03"])
def test_five_takes_of_a_person_are_enough_to_hear_their_other_takes(
    user: str, shared_data: Path, tmp_path: Path
) -> None:
    takes, labels = user_takes(shared_data / "custom_gestures" / f"user_{user}.npz")
    store = Store.of_user()
    unseen: list[tuple[str, Take]] = []
    for word in np.unique(labels).tolist():
        name = f"my_{word.lower()}"
        mine = np.random.default_rng(1).permutation(np.flatnonzero(labels == word)).tolist()
        trace = tmp_path / f"{name}.jsonl"
        in_a_row([(name, takes[i]) for i in mine[:TAUGHT]], trace)
        report = teach(choice(f"trace:{trace}"), name, Plan("auto"), store, Heard())
        assert report.learned
        assert report.takes >= TAUGHT - 1, report.refused
        unseen += [(name, takes[i]) for i in mine[TAUGHT : TAUGHT + HEARD]]

    acts = in_a_row(unseen, tmp_path / "unseen.jsonl")
    mine = own.load(store).taught
    assert mine is not None
    engine = Engine(Recogniser.load(), None, Listener(mine))
    heard = [
        event
        for seen, _ in read_trace(tmp_path / "unseen.jsonl")
        for event in engine.step(seen).events
        if isinstance(event, Began) and event.gesture in mine.gestures
    ]
    right = wrong = 0
    for name, start_us, end_us in acts:
        names = [e.gesture for e in heard if start_us <= e.t_us <= end_us + LATE_US]
        right += name in names
        wrong += any(other != name for other in names)
    assert right >= 0.9 * len(acts), (right, len(acts))
    assert wrong <= 0.05 * len(acts), (wrong, len(acts))
