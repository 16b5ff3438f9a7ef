"""Whatever an ignored person does, nothing comes of it; and every press has its release."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gesturectl import people
from gesturectl.engine import Engine, Step
from gesturectl.floor import Floor
from gesturectl.ledger import Ledger
from gesturectl.people import Crowd
from gesturectl.profile import parse
from gesturectl.recogniser import Recogniser
from gesturectl.types import Observation
from tests.acting import SIZE_PX, Performance
from tests.company import at, nobody, together
from tests.property.test_engine_properties import PROFILE, TRAINED, anything

CONTROL = PROFILE.replace("version: 1\n", "version: 1\ncontrol: largest\n")
SCENES = ("fist", "open_palm", "victory,thumb_up", "swipe_left", "arms_up", "fist@left")
FRAMES = 120


def filmed(script: str, right: float, size: float) -> list[Observation]:
    return at(Performance(script + "?frame=webcam").at(30, body=True), right, size)


OWN = filmed("fist,victory,swipe_left", 0.25, 0.6)[:FRAMES]
OTHERS = {scene: filmed(scene, 0.8, 0.5) for scene in SCENES}


def floor() -> Floor:
    chosen = parse(CONTROL, "p.yaml")
    assert chosen.control is not None
    return Floor(lambda: Engine(Recogniser(TRAINED), chosen), chosen.control, chosen.zones)


def what_came(steps: list[Step]) -> list[object]:
    return [(step.events, step.commands, step.requests) for step in steps]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SCENES), st.integers(0, 100), st.integers(1, 60))))
def test_an_ignored_person_changes_nothing_of_what_comes_of_the_one_in_control(
    story: list[tuple[str, int, int]],
) -> None:
    # The other comes when it is settled who controls, and never comes near.
    other = [*nobody(20)]
    for scene, first, count in story:
        other += OTHERS[scene][first : first + count]
    other = [*other[:FRAMES], *nobody(max(0, FRAMES - len(other)))]
    alone, beside = floor(), floor()
    assert what_came([beside.step(seen) for seen in together(OWN, other)]) == what_came(
        [alone.step(seen) for seen in together(OWN)]
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(SCENES), st.booleans())
def test_nothing_is_held_after_any_crowd_and_a_release(seed: int, scene: str, turned: bool) -> None:
    one, ledger = floor(), Ledger()
    films = [list(anything(seed, 40)), OTHERS[scene]]
    t_us = 0
    for seen in together(*(films if turned else films[::-1])):
        t_us = seen.t_us
        step = one.step(seen)
        for command in step.commands:
            assert ledger.note(command)
        assert step.control is not None
        sides = [hand.side for hand in step.control.observation.hands]
        assert len(sides) == len(set(sides))
        assert len(step.control.observation.bodies) <= 1
    for command in one.release(t_us).commands:
        assert ledger.note(command)
    assert not ledger.held


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_everything_is_of_one_person_at_most_and_nobody_has_two_hands_of_a_side(seed: int) -> None:
    crowd = Crowd()
    films = [list(anything(seed, 12)), list(anything(seed + 1, 12))]
    for index, pair in enumerate(zip(*films, strict=True)):
        seen = Observation(
            index * 33_333,
            tuple(hand for one in pair for hand in one.hands),
            tuple(body for one in pair for body in one.bodies),
            SIZE_PX,
        )
        crowd, here = people.step(crowd, seen, 3_000_000)
        numbers = [one.number for one in here]
        assert all(a < b for a, b in pairwise(numbers))
        assert sum(len(one.hands) for one in here) <= len(seen.hands)
        for one in here:
            assert len({hand.side for hand in one.hands}) == len(one.hands)
