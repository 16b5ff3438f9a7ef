"""More of everything: what is measured on, and what is said of it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from gesturectl.benches import scale
from gesturectl.benches.scale import CURVES, Told
from gesturectl.benches.step import two_hands_and_a_body
from gesturectl.profile import load
from gesturectl.sources.puppet import Puppet
from gesturectl.types import Window

COSTS = Told("bindings", "event_us", "an event", "binding", "µs")


def test_a_sentence_tells_what_each_one_more_costs() -> None:
    said = scale.sentence
    assert said(COSTS, [1, 1000], [5.0, 5.2]) == "an event: the same, 5 µs with 1, 5.2 µs with 1000"
    assert said(COSTS, [0, 2], [5.0, 9.0]) == (
        "an event: 5 µs with 0, 9 µs with 2; 2 µs for each binding"
    )
    assert said(COSTS, [0, 1000], [5.0, 7.0]) == (
        "an event: 5 µs with 0, 7 µs with 1000; 2 µs for a thousand of them"
    )


def test_every_curve_has_a_chart_and_a_sentence() -> None:
    axes: dict[str, dict[str, list[float]]] = {}
    for told in CURVES:
        axes.setdefault(told.axis, {"n": [1, 2, 3]})[told.key] = [1.0, 2.0, 3.0]
    figures = {"axes": axes}
    assert len(scale.sentences(figures)) == len(CURVES)
    drawn = scale.charts(figures)
    assert sum(len(chart.curves) for chart in drawn) == len(CURVES)
    assert len({(chart.title, chart.y_title) for chart in drawn}) == len(drawn)


def test_each_application_of_a_full_house_has_bindings_of_its_own(tmp_path: Path) -> None:
    rules = load(scale.write_profile(tmp_path / "full", 8, 50))
    assert len(rules.applications) == 8
    for number in range(8):
        application = rules.application_at(Window(0, app=f"app{number}"))
        here = {index for many in rules.heard("active", application).values() for index in many}
        nowhere = {index for many in rules.heard("active", None).values() for index in many}
        assert here - nowhere
    assert len(rules.bindings) == 8 * 50 + 1


def test_people_stand_side_by_side_for_the_engine_and_for_the_landmarks() -> None:
    (one,) = islice(two_hands_and_a_body(), 1)
    for people in scale.PEOPLE:
        assert Puppet(scale.script_of(people).removeprefix("puppet:")).frames > 0
        seen = scale.with_people(one, people)
        assert (len(seen.hands), len(seen.bodies)) == (2 * people, people)
        middles = [body.image[:, 0].mean() for body in seen.bodies]
        assert middles == sorted(middles)


def test_a_lesson_gives_as_many_takes_as_are_asked_for() -> None:
    assert len(scale.lesson("zigzag", 7)) == 7


def test_a_full_house_is_compared_with_one_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("APPLICATIONS", 2), ("PROGRAMS", 3), ("TURN", 5), ("TURNS", 3)):
        monkeypatch.setattr(scale, name, value)
    figures = scale.full()
    assert figures["frames"] == 10
    assert figures["ratio"] == pytest.approx(figures["median_us"] / figures["of_one_median_us"])
