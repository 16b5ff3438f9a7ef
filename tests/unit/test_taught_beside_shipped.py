"""What is taught with the hand of a shipped gesture is not heard in that, and takes none away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from gesturectl.catalog import catalog
from gesturectl.engine import Engine
from gesturectl.listener import Listener
from gesturectl.recogniser import Recogniser
from gesturectl.score import Acted, score
from gesturectl.takes import cut_all
from gesturectl.taught import Taught, refit
from gesturectl.teach import heard_in
from gesturectl.types import Began, Observation
from tests.acting import Performance

# A Z is drawn with the finger that points up and that draws the shipped circles.
RIVALS = "circle_cw,point_up,circle_ccw,wave,circle_cw,swipe_left,circle_ccw?speed=0.9"


@cache
def drawn() -> Taught:
    """Five Zs of one puppet, as `gesturectl teach draw_z --hand` takes them up."""
    lesson = Performance(",".join(["zigzag"] * 5)).at(30)
    return refit(
        {"draw_z": [take for take, wrong in cut_all(lesson, "hand") if not wrong]},
        parts={"draw_z": "hand"},
    )


def begun(stream: Sequence[Observation], known: Taught | None) -> list[Began]:
    engine = Engine(Recogniser.load(), None, None if known is None else Listener(known))
    return [e for o in stream for e in engine.step(o).events if isinstance(e, Began)]


@pytest.mark.parametrize("seed", [3, 8])
def test_a_z_is_not_heard_in_circles_drawn_with_the_same_finger(seed: int) -> None:
    person = Performance(f"{RIVALS}&seed={seed}")
    acts = [Acted(act.gesture, act.start_us, act.end_us) for act in person.acts]
    before, after = (begun(person.at(30), known) for known in (None, drawn()))
    assert "draw_z" not in {event.gesture for event in after}

    def told(events: list[Began]) -> list[tuple[str, int, int]]:
        rows = score(acts, events, catalog())
        return [(row.gesture, row.recognised, row.false) for row in rows]

    assert told(after) == told(before)


def test_a_lesson_says_in_which_shipped_gestures_the_new_one_is_heard() -> None:
    lesson = Performance(",".join(["point_up"] * 5)).at(30)
    takes = [take for take, wrong in cut_all(lesson, "hand") if not wrong]
    mine = refit({"mine": takes}, parts={"mine": "hand"})
    assert heard_in(mine, "mine") == ("point_up", "circle_cw", "circle_ccw")
    assert heard_in(drawn(), "draw_z") == ()


def test_it_is_heard_where_it_is_drawn_faster_slower_and_by_others() -> None:
    for script in ("zigzag,zigzag?seed=4&speed=1.15", "zigzag,zigzag?seed=6&speed=0.9"):
        person = Performance(script)
        heard = [event for event in begun(person.at(30), drawn()) if event.gesture == "draw_z"]
        assert len(heard) == 2
