"""What a display is told of a run: what is seen, how far it has come, what acted; never a text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest

from gesturectl import profile
from gesturectl.actions import ACTIONS, Action
from gesturectl.control import glance
from gesturectl.recogniser import Candidate
from tests.controlled import PROFILE, Counter, a_rig, run
from tests.fakes import Happening, ListSource, ScriptedRecogniser, frames

HOLDING = """\
version: 1
modes:
  sleep: {wake: {gesture: open_palm, hold_for: 800ms}}
clutch: {gesture: victory}
bindings:
  - {gesture: fist, hold_for: 1s, do: {key: Escape}}
  - {gesture: swipe_left, do: {key: Right}}
  - {gesture: swipe_right, armed: true, do: [{text: "my password"}, {key: Return}]}
  - {gesture: thumb_up, while: true, do: {key: ctrl}}
"""


def rows(
    *happenings: Happening,
    script: Mapping[int, str] | None = None,
    text: str = HOLDING,
    shown: bool = True,
) -> list[dict[str, Any]]:
    """What a display is told while these frames come."""
    rig = a_rig(ListSource([]), script, text)
    counter = Counter(rig)
    counter.desk.shown = shown
    run(rig, counter, happenings)
    return [one for one in counter.news if isinstance(one, dict) and one["type"] == "show"]


def values(told: list[dict[str, Any]], name: str) -> Iterator[Any]:
    """What a value was, one after the other."""
    before: Any = ()
    for one in told:
        if one[name] != before:
            before = one[name]
            yield before


def test_nothing_is_told_while_nobody_shows_anything() -> None:
    assert rows(*frames(20), script={5: "+fist"}, shown=False) == []


def test_nothing_is_told_while_nothing_changes() -> None:
    assert len(rows(*frames(60))) == 1


def test_a_hold_is_told_as_it_grows_and_what_it_did_when_it_acts() -> None:
    told = rows(*frames(60), script={5: "+fist", 50: "-fist"})
    shares = [one["fraction"] for one in values(told, "progress") if one]
    assert shares == sorted(shares)
    assert shares[-1] > 0.85
    assert list(values(told, "fired")) == [
        None,
        {"number": 1, "gesture": "fist", "does": "Escape"},
    ]
    assert told[-1]["progress"] is None


def test_it_is_told_twenty_times_a_second_at_most() -> None:
    told = rows(*frames(60), script={5: "+fist"})
    times_us = [one["t_us"] for one in told]
    assert all(b - a >= glance.EVERY_US for a, b in pairwise(times_us[1:]))


def test_the_same_binding_twice_is_told_twice() -> None:
    told = rows(*frames(60), script={5: "+swipe_left -swipe_left", 35: "+swipe_left -swipe_left"})
    assert [one["number"] for one in values(told, "fired") if one] == [1, 2]


def test_the_clutch_is_open_or_closed_and_null_where_there_is_none() -> None:
    told = rows(*frames(30), script={5: "+victory", 15: "-victory"})
    assert list(values(told, "armed")) == [False, True, False]
    assert list(values(rows(*frames(3), text=PROFILE), "armed")) == [None]


def test_what_is_held_is_told_until_it_is_let_go() -> None:
    told = rows(*frames(30), script={5: "+thumb_up", 15: "-thumb_up"})
    assert list(values(told, "held")) == [[], ["ctrl"], []]


def test_a_text_that_is_typed_is_never_told() -> None:
    told = rows(*frames(30), script={5: "+victory", 8: "+swipe_right -swipe_right"})
    assert told[-1]["fired"]["does"] == "types a text, Return"
    assert "password" not in json.dumps(told)


def test_a_stall_is_told_at_once_and_with_it_nothing_is_seen() -> None:
    told = rows(*frames(10), None, script={5: "+fist"})
    assert told[-1]["frames"] is False
    assert told[-1]["progress"] is None
    assert told[-1]["candidate"] is None


def test_the_likeliest_is_told_where_anything_is_likely() -> None:
    class Seeing(ScriptedRecogniser):
        candidates = (
            Candidate("left", "fist", 0.4, 0.8, False),
            Candidate("right", "open_palm", 0.91234, 0.8, True),
        )

    rig = a_rig(ListSource([]), {}, HOLDING)
    rig.engine._recogniser = Seeing({})  # type: ignore[assignment]
    counter = Counter(rig)
    counter.desk.shown = True
    run(rig, counter, frames(5))
    last = [one for one in counter.news if isinstance(one, dict)][-1]
    assert last["candidate"] == {
        "gesture": "open_palm", "side": "right", "p": 0.91, "enter": 0.8, "active": True,
    }  # fmt: skip


# --- words --------------------------------------------------------------------------------------

PRIVATE = (
    "{text: Geheimnis}",
    "{notify: Geheimnis}",
    "{say: Geheimnis}",
    "{run: [/usr/bin/true, Geheimnis]}",
    """{webhook: {url: 'http://localhost/Geheimnis', body: '"Geheimnis"'}}""",
    "{osc: {to: 'localhost:9000', address: /Geheimnis, arguments: [Geheimnis]}}",
    "{mqtt: {to: localhost, topic: Geheimnis, payload: Geheimnis}}",
)


def actions(text: str) -> tuple[Action, ...]:
    return profile.parse_actions(
        text, "here", modes=frozenset({"volume"}), allow_run=True, allow_hosts=frozenset()
    )


@pytest.mark.parametrize("text", PRIVATE)
def test_no_word_of_what_is_typed_said_or_sent_is_told(text: str) -> None:
    said = glance.words(actions(text))
    assert said
    assert "geheimnis" not in said.lower()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{key: ctrl+Right}", "ctrl+Right"),
        ("{media: play_pause}", "play pause"),
        ("{click: double}", "double click"),
        ("{mode: volume}", "mode volume"),
        ("[{key: a}, {wait: 100ms}, {key: a}]", "a"),
        ("{keys: ctrl+c 200ms ctrl+v}", "several keys"),
        ("[{key: e}, {key: v}, {key: a}]", "several keys"),
    ],
)
def test_what_is_done_is_said_shortly(text: str, said: str) -> None:
    assert glance.words(actions(text)) == said


def test_there_are_words_for_every_action() -> None:
    assert set(glance.WORDS) == set(ACTIONS)
