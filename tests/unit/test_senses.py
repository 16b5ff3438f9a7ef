"""Cues by themselves and as words of the language; the numbers are those of their drawings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gesturectl.catalog import catalog
from gesturectl.dwell import Dwell
from gesturectl.fields import Surroundings
from gesturectl.presence import Presence
from gesturectl.reps import Limit, Reps, Swing
from gesturectl.senses import CUES, Angle, Chord, Cue, Senses
from gesturectl.types import Ended, Moved, Needs, Subject
from gesturectl.zones import Zone, ZoneKind
from tests.sensing import body, elbow_bent, filmed, frame, hand, sensed

AROUND = Surroundings(catalog(), zones=frozenset({"mouth", "top_left"}))
ZONES = {"mouth": Zone(around="mouth", radius=0.5)}

Story = list[tuple[int, str]]


def story(cue: Cue, look: Callable[[float], object], seconds: float, fps: float = 30.0) -> Story:
    """Return what one cue says, as (ms, began or ended)."""
    return [one[:2] for one in sensed(Senses([cue], ZONES), filmed(seconds, look, fps))]


def between(*spans: tuple[float, float], who: object) -> Callable[[float], object]:
    """Somebody who is there from each first second to each second one."""
    return lambda t_s: who if any(a <= t_s + 1e-6 < b for a, b in spans) else None


# --- angle ---


def swing(*angles: float) -> Callable[[float], object]:
    """A right elbow at each of these angles for a second."""
    return lambda t_s: body(elbow_bent(angles[min(int(t_s + 1e-6), len(angles) - 1)]))


def test_an_angle_1_begins_below_its_threshold_and_3_ends_above_it_by_the_hysteresis() -> None:
    cue = Cue("angle", Angle("right_elbow", below_deg=60.0))
    assert story(cue, swing(90, 50, 65, 75), 4) == [(1066, "began"), (3066, "ended")]


def test_an_angle_may_be_above_or_between() -> None:
    above = Cue("angle", Angle("right_elbow", above_deg=100.0))
    assert story(above, swing(90, 120, 95, 80), 4) == [(1066, "began"), (3066, "ended")]
    between_two = Cue("angle", Angle("right_elbow", above_deg=60.0, below_deg=120.0))
    assert story(between_two, swing(30, 90, 150), 3) == [(1066, "began"), (2066, "ended")]


def test_an_angle_4_ends_when_the_joint_is_lost() -> None:
    cue = Cue("angle", Angle("right_elbow", below_deg=60.0))
    gone = between((0, 1), who=body(elbow_bent(50)))
    assert story(cue, gone, 2) == [(66, "began"), (1133, "ended")]


def test_a_bent_finger_is_of_the_hand_that_bends_it() -> None:
    cue = Cue("angle", Angle("index_finger", above_deg=150.0))
    film = filmed(
        0.2, lambda t_s: (hand(0.7, shape="open_palm"), hand(0.3, side="left", shape="fist"))
    )
    assert [one[3] for one in sensed(Senses([cue]), film)] == ["left"]


# --- presence ---

HERE = Cue("presence", Presence())


def test_presence_1_who_passes_by_is_not_present() -> None:
    assert story(HERE, between((0.2, 0.6), (1.0, 1.4), who=body()), 3) == []


def test_presence_2_to_7_begins_after_a_while_and_ends_after_a_longer_one() -> None:
    look = between((0.2, 0.5), (0.6, 2.0), (3.0, 4.0), who=body())
    assert story(HERE, look, 8) == [(700, "began"), (5966, "ended")]


def test_where_no_bodies_are_looked_for_a_hand_is_a_person() -> None:
    assert story(HERE, between((0, 1), who=hand()), 4) == [(500, "began"), (2966, "ended")]


def test_returning_is_arriving_again() -> None:
    back = Cue("presence", Presence(returns=True))
    look = between((0, 1), (5, 6), who=body())
    assert story(back, look, 10) == [(5500, "began"), (7966, "ended")]


def test_somebody_who_was_there_before_a_pause_returns_after_it() -> None:
    senses = Senses([Cue("presence", Presence(returns=True))])
    assert sensed(senses, filmed(1, lambda t_s: body())) == []
    assert senses.reset(1_100_000) == ()
    later = [frame(2_000_000 + one.t_us, body()) for one in filmed(1, lambda t_s: None)]
    assert [one[:2] for one in sensed(senses, later)] == [(2500, "began")]


# --- dwell ---

REST = Cue("dwell", Dwell(800_000))


def moves(*places: tuple[float, float]) -> Callable[[float], object]:
    """A hand that from each second on is at the place beside it."""
    return lambda t_s: hand([place for since, place in places if since <= t_s + 0.001][-1])


def test_dwell_1_2_a_hand_that_stays_begins_after_the_time() -> None:
    assert story(REST, moves((0, 0.5)), 1) == [(800, "began")]


def test_dwell_3_a_jump_of_one_frame_is_nothing() -> None:
    assert story(REST, moves((0, 0.5), (1.5, 0.6), (1.533, 0.5)), 2) == [(800, "began")]


def test_dwell_4_5_a_hand_that_moves_on_ends_and_may_rest_anew() -> None:
    look = moves((0, 0.5), (1.5, 0.7))
    assert story(REST, look, 3) == [(800, "began"), (1566, "ended"), (2366, "began")]


def test_a_slow_hand_does_not_rest() -> None:
    assert story(REST, lambda t_s: hand(0.2 + 0.1 * t_s), 4) == []


def test_a_trembling_hand_rests() -> None:
    tremor = 0.1 * 0.12 * 480 / 640  # a tenth of its palm
    assert story(REST, lambda t_s: hand(0.5 + tremor * (-1) ** round(t_s * 30)), 1) == [
        (800, "began")
    ]


def test_dwelling_shows_how_far_it_has_come() -> None:
    senses = Senses([REST])
    sensed(senses, filmed(0.4, lambda t_s: hand()))
    (progress,) = senses.progress
    assert (progress.cue, progress.side) == (REST, "right")
    assert progress.fraction == pytest.approx(0.5, abs=0.01)


# --- all together ---


def test_what_is_not_asked_for_is_not_said() -> None:
    assert Senses().step(frame(0, body(), hand())) == ()


def test_movement_comes_with_every_frame_that_shows_a_hand() -> None:
    senses = Senses(moved=True)
    kinds = [
        [type(event) for event in senses.step(one)]
        for one in (frame(0, hand()), frame(33_333), frame(66_666, hand(), hand(0.2, side="left")))
    ]
    assert kinds == [[Moved], [], [Moved, Moved]]


def test_a_pause_ends_what_has_begun() -> None:
    senses = Senses([HERE, REST])
    begun = sensed(senses, filmed(1, lambda t_s: (body(), hand())))
    assert [one[2] for one in begun] == ["presence", "dwell:800ms"]
    assert senses.reset(1_200_000) == (
        Ended(1_200_000, "presence", "body", 1.0),
        Ended(1_200_000, "dwell:800ms", "right", 1.0),
    )
    assert senses.reset(1_300_000) == ()


# --- the language ---


def read(key: str, value: object) -> Any:
    return TypeAdapter(CUES[key].kind).validate_python(value, context=AROUND)


def refusal(kind: Any, value: object) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value, context=AROUND)
    (error,) = caught.value.errors()
    return error["msg"], error["ctx"]["advice"]


@pytest.mark.parametrize(
    ("key", "written", "value", "name"),
    [
        ("zone", "mouth", "mouth", "zone:mouth"),
        (
            "angle",
            {"joint": "right_elbow", "below": "60"},
            Angle("right_elbow", below_deg=60.0),
            "angle:right_elbow<60",
        ),
        (
            "angle",
            {"joint": "trunk", "above": "20", "below": "62.5", "hysteresis": "5"},
            Angle("trunk", below_deg=62.5, above_deg=20.0, hysteresis_deg=5.0),
            "angle:20<trunk<62.5,hysteresis=5",
        ),
        ("reps", "squat", Reps(gesture="squat"), "reps:squat"),
        (
            "reps",
            {
                "angle": {"joint": "left_knee", "from": "150", "to": "100"},
                "hold": "1s",
                "limits": ({"joint": "trunk", "below": "30"},),
                "form": "bad",
                "every": "5",
            },
            Reps(
                angle=Swing("left_knee", 150.0, 100.0),
                hold_us=1_000_000,
                limits=(Limit("trunk", below_deg=30.0),),
                form="bad",
                every=5,
            ),
            "reps:left_knee:150..100,hold=1s,trunk<30,bad,every=5",
        ),
        ("presence", "true", Presence(), "presence"),
        (
            "presence",
            {"after": "5s", "returns": "true"},
            Presence(after_us=5_000_000, returns=True),
            "presence:after=5s,returns",
        ),
        ("dwell", "800ms", Dwell(800_000), "dwell:800ms"),
        (
            "dwell",
            {"for": "1s", "radius": "0.5", "part": "index_tip"},
            Dwell(1_000_000, 0.5, "index_tip"),
            "dwell:1s,radius=0.5,index_tip",
        ),
        ("chord", "fist", Chord("fist", "fist"), "chord:left=fist,right=fist"),
    ],
)
def test_a_cue_is_read_and_named(key: str, written: object, value: object, name: str) -> None:
    assert read(key, written) == value
    assert Cue(key, value).name == name
    assert " " not in name


@pytest.mark.parametrize(
    ("key", "written", "message", "advice"),
    [
        ("zone", "moth", "unknown zone `moth`", "did you mean `mouth`?"),
        (
            "angle",
            {"joint": "trunk"},
            "this angle has no bound",
            "write `below: 60`, `above: 150`, or both",
        ),
        (
            "angle",
            {"joint": "trunk", "above": "60", "below": "20"},
            "no angle is both below and above these",
            "exchange `below` and `above`",
        ),
        (
            "reps",
            {},
            "repetitions are of an `angle` or of a `gesture`",
            "write `{angle: {joint: left_knee, from: 150, to: 100}}` or `{gesture: squat}`",
        ),
        (
            "reps",
            {"angle": {"joint": "left_knee", "from": "160", "to": "150"}},
            "from 160 to 150 is less than twice the hysteresis of 8",
            "choose ends farther apart, or a smaller `hysteresis`",
        ),
        (
            "reps",
            {"gesture": "wave", "hold": "1s"},
            "`wave` is a motion, over once it is seen: it takes no time",
            "leave `min_time`, `max_time` and `hold` out, or choose a pose",
        ),
    ],
)
def test_what_cannot_be_is_said(key: str, written: object, message: str, advice: str) -> None:
    assert refusal(CUES[key].kind, written) == (message, advice)


EITHER = "a zone is a region of the picture or around a part of the body"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, EITHER),
        ({"image": ("0", "0", "1", "1"), "around": "nose"}, EITHER),
        ({"image": ("0.5", "0", "0.2", "1")}, "this region is empty"),
        (
            {"image": ("0", "0", "0.2", "1"), "radius": "1"},
            "`radius` and `offset` belong to `around`",
        ),
        ({"around": "nose", "part": "nose"}, "the nose is always around itself"),
    ],
)
def test_a_zone_that_cannot_be_is_refused(written: object, message: str) -> None:
    assert refusal(ZoneKind, written)[0] == message


def test_without_zones_the_way_to_name_one_is_told() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(CUES["zone"].kind).validate_python("desk", context=Surroundings())
    (error,) = caught.value.errors()
    assert error["ctx"]["advice"] == "add it: `zones: {desk: {image: [0, 0, 0.2, 0.3]}}`"


@pytest.mark.parametrize(
    ("cue", "needs", "subjects"),
    [
        (Cue("zone", "mouth"), Needs(1, 1), ("left", "right")),
        (Cue("angle", Angle("right_elbow", below_deg=60.0)), Needs(0, 1), ("body",)),
        (Cue("angle", Angle("thumb", below_deg=60.0)), Needs(1, 0), ("left", "right")),
        (HERE, Needs(0, 1), ("body",)),
        (REST, Needs(1, 0), ("left", "right")),
        (Cue("chord", Chord("fist", "fist")), Needs(2, 0), ("body",)),
    ],
)
def test_a_cue_asks_for_what_shows_it(
    cue: Cue, needs: Needs, subjects: tuple[Subject, ...]
) -> None:
    assert cue.spec.needs(cue.value, ZONES) == needs
    assert cue.spec.subjects(cue.value, ZONES) == subjects


def test_every_row_is_complete() -> None:
    for key, spec in CUES.items():
        assert f"{key}: " in spec.example and "do: " in spec.example
        assert TypeAdapter(spec.kind).json_schema()
