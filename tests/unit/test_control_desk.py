"""What is asked of the loop between frames: it takes effect, then it is answered, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from gesturectl import profile
from gesturectl.control.desk import AT_ONCE, MAX_NEWS, Answered, Desk
from gesturectl.control.wire import Request
from gesturectl.daemon import Control, Loop, Summary
from gesturectl.engine import Engine, InControl, Step
from gesturectl.errors import ControlError, ProfileError, SinkError
from gesturectl.sinks.memory import MemorySink
from gesturectl.types import Command, KeyDown, KeyUp, Stages
from tests.controlled import PROFILE, SLEEPLESS, Counter, a_rig, run, sent
from tests.fakes import STEP_US, Happening, ListSource, frames, seen

Asked = tuple[str, str | bool | None] | str


def at(frame: int) -> int:
    return frame * STEP_US


def played(
    *happenings: Happening | Asked,
    script: Mapping[int, str | Exception] | None = None,
    text: str = PROFILE,
) -> tuple[list[Command], list[Any], Summary]:
    """Run frames and requests in turn; return what was sent, what was answered, the summary."""
    rig = a_rig(ListSource([]), script, text)
    counter = Counter(rig)
    summary = run(rig, counter, written(counter, happenings))
    return sent(rig), counter.answers, summary


def written(counter: Counter, items: Iterable[Happening | Asked]) -> list[Happening]:
    return [
        counter.ask(item) if isinstance(item, str)
        else counter.ask(*item) if isinstance(item, tuple)
        else item
        for item in items
    ]  # fmt: skip


def test_pause_lets_go_before_it_is_answered_and_resume_goes_on() -> None:
    rig = a_rig(ListSource([]), {1: "+fist", 7: "+swipe_left -swipe_left"})
    counter, seen = Counter(rig), []
    run(
        rig,
        counter,
        [
            *frames(2),
            counter.ask("pause"),
            *frames(1, start=2),
            lambda: seen.append((counter.answers, rig.ledger.held, rig.source.read)),
            *frames(3, start=3),
            counter.ask("resume"),
            *frames(3, start=6),
        ],
    )
    answers, held, _ = seen[0]
    assert (answers, held) == ([{}], ())
    keys = [KeyDown(at(1), "space"), KeyUp(at(2), "space")]
    assert sent(rig) == [*keys, KeyDown(at(7), "Right"), KeyUp(at(7), "Right")]


def test_an_action_is_done_once_as_a_profile_would_do_it() -> None:
    commands, answers, _ = played(*frames(1), ("do", "{key: ctrl+c}"), *frames(2, start=1))
    assert [type(one) for one in commands] == [KeyDown, KeyDown, KeyUp, KeyUp]
    assert answers == [{}]


def test_an_action_takes_its_time() -> None:
    commands, answers, _ = played(
        *frames(1), ("do", "[{key: a}, {wait: 100ms}, {key: b}]"), *frames(6, start=1)
    )
    assert [(one.t_us, one.key) for one in commands if isinstance(one, KeyDown)] == [
        (at(1), "a"),
        (at(5), "b"),
    ]
    assert answers == [{}]


def test_an_action_that_holds_a_mode_or_changes_it_counts_as_ever() -> None:
    _, answers, _ = played(*frames(1), ("do", "{mode: volume}"), *frames(1, start=1), "status",
                           *frames(1, start=2))  # fmt: skip
    assert answers[1]["mode"] == "volume"


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("{key: Rigt}", "did you mean `Right`"),
        ("{mode: volum}", "did you mean `volume`"),
        ("{run: [ls]}", "allow_run: true"),
        ("{pointer: move}", "lasts as long as it is held"),
        ("hello", "write it like `{key: Right}`"),
        ("", "no action stands here"),
        ("{key: a", "not closed"),
        ("{macro: mine}", "no macro"),
        ("{text: '" + "x" * 5000 + "'}", "more than 4096 letters"),
        ("[" * 500, ""),
    ],
)
def test_an_action_that_cannot_be_is_refused_with_advice(action: str, says: str) -> None:
    desk = Desk(a_rig(ListSource([])))
    with pytest.raises((ControlError, ProfileError)) as refused:
        desk.ask(1, Request("do", action), urgent=False)
    assert says in str(refused.value)


def test_a_program_is_started_only_if_the_user_s_own_settings_allow_it() -> None:
    rig = a_rig(ListSource([]))
    rig.choice = replace(rig.choice, allow_run=True)
    Desk(rig).ask(1, Request("do", "{run: [ls]}"), urgent=False)


def test_while_paused_no_action_is_done() -> None:
    commands, (_, refusal), _ = played(*frames(1), "pause", *frames(1, start=1), ("do", "{key: a}"),
                                       *frames(1, start=2))  # fmt: skip
    assert "ctl resume" in refusal
    assert commands == []


def test_without_pictures_an_action_is_done_at_once_or_not_at_all() -> None:
    slow = "[{key: a}, {wait: 1s}, {key: b}]"
    commands, (refusal, done), _ = played(*frames(1), None, ("do", slow), None, ("do", "{key: c}"),
                                          None)  # fmt: skip
    assert "no time passes" in refusal
    assert done == {}
    assert commands == [KeyDown(0, "c"), KeyUp(0, "c")]


def test_more_actions_than_the_profile_allows_are_refused() -> None:
    text = PROFILE + "safety: {max_actions_per_second: 2}\n"
    happenings: list[Happening | Asked] = []
    for index in range(4):
        happenings += [*frames(1, start=index), ("do", "{key: a}")]
    commands, answers, _ = played(*happenings, *frames(1, start=9), text=text)
    assert answers[:2] == [{}, {}]
    assert "rate limit" in answers[2]
    assert len(commands) == 4


def test_keys_that_cannot_be_sent_here_are_said_so() -> None:
    class NoEscape(MemorySink):
        def check_keys(self, names: frozenset[str]) -> dict[str, str]:
            return {"Escape": "this keyboard has none"} if "Escape" in names else {}

    rig = a_rig(ListSource([]))
    rig.sink = NoEscape()
    counter = Counter(rig)
    run(rig, counter, written(counter, [*frames(1), ("do", "{key: Escape}"), *frames(2, start=1)]))
    assert counter.answers == ["Escape: this keyboard has none"]
    assert sent(rig) == []


# --- modes and panic ----------------------------------------------------------------------------


def test_a_mode_is_entered_and_left_again() -> None:
    _, answers, _ = played(*frames(1), ("mode", "volume"), *frames(1, start=1), ("mode", "back"),
                           *frames(1, start=2))  # fmt: skip
    assert answers == [{"mode": "volume"}, {"mode": "active"}]


def test_a_mode_that_does_not_exist_is_answered_by_the_nearest() -> None:
    _, (answer,), _ = played(*frames(1), ("mode", "volumme"), *frames(1, start=1))
    assert answer == "there is no mode `volumme` in the profile mine; did you mean `volume`?"


def test_what_a_mode_does_not_hear_is_let_go_when_it_is_entered() -> None:
    commands, _, _ = played(
        *frames(3), ("mode", "volume"), *frames(2, start=3), script={1: "+fist"}
    )
    assert commands == [KeyDown(at(1), "space"), KeyUp(at(3), "space")]


def test_panic_lets_go_of_everything_and_sleeps() -> None:
    script = {1: "+fist", 5: "+swipe_left -swipe_left"}
    commands, answers, _ = played(*frames(3), "panic", *frames(4, start=3), script=script)
    assert commands == [KeyDown(at(1), "space"), KeyUp(at(3), "space")]
    assert answers == [{"mode": "sleep"}]


def test_panic_pauses_where_the_profile_cannot_sleep() -> None:
    script = {1: "+fist", 5: "+fist"}
    commands, answers, _ = played(
        *frames(3), "panic", *frames(4, start=3), script=script, text=SLEEPLESS
    )
    assert commands == [KeyDown(at(1), "space"), KeyUp(at(3), "space")]
    assert answers == [{"paused": True}]


def test_panic_works_while_paused_and_while_no_pictures_come() -> None:
    _, answers, _ = played(*frames(1), "pause", None, "panic", None, "resume", "status", None)
    assert answers[1] == {"mode": "sleep"}
    assert answers[3]["mode"] == "sleep"


def test_quit_lets_go_and_no_further_frame_is_looked_at() -> None:
    commands, answers, summary = played(
        *frames(3), "quit", *frames(9, start=3), script={1: "+fist"}
    )
    assert commands == [KeyDown(at(1), "space"), KeyUp(at(3), "space")]
    assert (answers, summary.reason, summary.frames) == ([{}], "stopped", 4)


# --- profiles -----------------------------------------------------------------------------------


def test_a_profile_is_read_anew_or_the_reason_why_not_is_answered() -> None:
    rig = a_rig(ListSource([]))
    counter, asked = Counter(rig), []

    def reload(name: str | None) -> tuple[None, Engine]:
        asked.append(name)
        raise ProfileError("p.yaml:3:4: no such gesture")

    happenings = written(counter, [*frames(1), ("profile", "media"), *frames(1, start=1)])
    run(rig, counter, happenings, reload=reload)
    assert (asked, counter.answers) == (["media"], ["p.yaml:3:4: no such gesture"])


def test_reading_profiles_over_and_over_is_refused_for_it_takes_longer_than_a_frame() -> None:
    rig = a_rig(ListSource([]))
    counter = Counter(rig)

    def reload(name: str | None) -> tuple[None, Engine]:
        return None, a_rig(ListSource([])).engine

    happenings = written(counter, [*frames(1), "reload", "reload", *frames(2, start=1)])
    run(rig, counter, happenings, reload=reload)
    assert counter.answers[0] == {}
    assert "ask again in a second" in str(counter.answers[1])


def test_an_action_read_for_another_profile_is_not_done() -> None:
    rig = a_rig(ListSource([]))
    counter = Counter(rig)

    def another_profile() -> None:
        rig.profile = profile.parse(SLEEPLESS, "other.yaml")

    asked = counter.ask("do", "{mode: volume}")
    run(rig, counter, [*frames(1), asked, another_profile, *frames(2, start=1)])
    assert counter.answers == ["the profile has just changed; ask again"]


# --- what is told -------------------------------------------------------------------------------


def test_status_says_how_it_is() -> None:
    _, (told,), _ = played(*frames(31), "status", *frames(1, start=31), script={1: "+fist"})
    assert told["mode"] == "active"
    assert told["modes"] == ["active", "sleep", "volume"]
    assert (told["source"], told["profile"], told["problem"]) == ("a list", "mine", None)
    assert (told["paused"], told["held"], told["frames"]) == (False, ["space"], 32)
    assert told["frames_per_s"] == pytest.approx(30, abs=0.1)
    assert told["recent"] == [{"gesture": "fist", "side": "right", "seconds_ago": 1.0}]


def test_status_says_how_long_each_stage_took_lately_and_all_of_them() -> None:
    rig = a_rig(ListSource([]))
    counter = Counter(rig)
    ticking = count(40_000, 1_000)  # a millisecond passes whenever it is looked at
    script = [*frames(1), counter.ask("status"), None]
    run(rig, counter, script, clock_us=lambda: next(ticking))
    (told,) = counter.answers
    assert isinstance(told, dict)
    one_ms, since_captured = dict.fromkeys(("median", "p95", "p99"), 1.0), 40.0
    assert told["spent_ms"] == {
        "read": dict.fromkeys(one_ms, since_captured),
        "landmarks": None,  # they were known already
        "recognised": one_ms,
        "mapped": one_ms,
        "injected": one_ms,
    }
    assert told["latency_ms"] == dict.fromkeys(one_ms, 43.0)


def test_status_says_who_controls_what_is_advised_and_who_has_the_camera() -> None:
    rig = a_rig(ListSource([]))
    control = Control(away="Zoom has the camera")
    loop = Loop(rig.source, None, rig.engine, rig.sink, rig.ledger, control)
    loop.in_control = InControl(2, (0.1, 0.2, 0.4, 0.9), 3, seen(0))
    loop.meters.advice = "too dark; more light"
    desk = Desk(rig)
    desk.ask(1, Request("status", None), urgent=False)
    desk.between(loop)
    answered = desk.take()
    assert isinstance(answered, Answered)
    told = answered.answer()
    assert told["control"] == {"person": 2, "box": [0.1, 0.2, 0.4, 0.9], "people": 3}
    assert (told["advice"], told["away"]) == ("too dark; more light", "Zoom has the camera")
    assert (desk.state.advice, desk.state.away) == (told["advice"], told["away"])


def test_status_says_that_no_pictures_come_and_why() -> None:
    rig = a_rig(ListSource([]))
    counter = Counter(rig)
    ail = lambda: setattr(rig.source, "problem", "unplugged")  # noqa: E731
    run(rig, counter, [*frames(9), ail, None, counter.ask("status"), None])
    (told,) = counter.answers
    assert isinstance(told, dict)
    assert (told["problem"], told["frames_per_s"]) == ("unplugged", 0.0)


def test_whoever_follows_is_told_what_happens_and_what_has_changed() -> None:
    rig = a_rig(ListSource([]), {1: "+swipe_left -swipe_left"})
    counter = Counter(rig)
    counter.desk.followed = True
    run(rig, counter, [*frames(2), counter.ask("pause"), *frames(2, start=2)])
    kinds = [
        (one["paused"], one["frames"]) if isinstance(one, dict) else len(one.commands)
        for one in counter.news
    ]
    assert kinds == [(False, True), 2, (True, False)]


def test_events_tell_when_their_frame_had_passed_each_stage_also_later() -> None:
    rig = a_rig(ListSource([]), {1: "+swipe_left -swipe_left"})
    counter = Counter(rig)
    counter.desk.followed = True
    now_us = 2 * STEP_US
    script = [*frames(2), counter.ask("events"), None]
    run(rig, counter, script, clock_us=lambda: now_us)
    (step,) = (one for one in counter.news if isinstance(one, Step))
    assert step.stages == Stages(0, *[now_us - STEP_US] * 5)
    (told,) = counter.answers
    assert isinstance(told, dict)
    assert [one["stages_us"] for one in told["events"]] == [step.stages._asdict()] * 2


def test_nothing_is_kept_for_followers_while_there_are_none() -> None:
    rig = a_rig(ListSource([]), {1: "+swipe_left -swipe_left"})
    counter = Counter(rig)
    run(rig, counter, frames(4))
    assert counter.news == []


def test_what_nobody_fetches_is_counted_and_not_kept() -> None:
    rig = a_rig(ListSource([]), dict.fromkeys(range(MAX_NEWS + 50), "+swipe_left -swipe_left"))
    counter = Counter(rig)
    counter.desk.followed = True
    run(rig, counter, frames(MAX_NEWS + 50))
    assert len(counter.news) == MAX_NEWS
    steps = [one for one in counter.news if isinstance(one, Step)]
    lines = sum(len(one.events) + len(one.commands) for one in steps)
    assert counter.desk.lost > 0
    assert counter.desk.lost + lines >= 2 * (MAX_NEWS + 50)


def test_the_last_gestures_are_given_without_following() -> None:
    _, (told,), _ = played(*frames(3), ("events", None), *frames(1, start=3),
                           script={1: "+fist", 2: "-fist"})  # fmt: skip
    assert [one["phase"] for one in told["events"]] == ["began", "ended"]
    assert told["state"]["type"] == "state"


# --- many, and trouble --------------------------------------------------------------------------


def test_many_requests_wait_for_each_other_and_no_frame_waits_for_them() -> None:
    rig = a_rig(ListSource([]))
    counter, answered = Counter(rig), []
    asks = [counter.ask("status") for _ in range(3 * AT_ONCE)]
    note = lambda: answered.append(len(counter.answers))  # noqa: E731
    happenings: list[Happening] = [*frames(1), *asks]
    for index in range(1, 5):
        happenings += [*frames(1, start=index), note]
    run(rig, counter, happenings)
    assert answered == [0 + AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE, 3 * AT_ONCE]


def test_what_is_urgent_is_not_kept_waiting() -> None:
    rig = a_rig(ListSource([]))
    desk = Desk(rig)
    for _ in range(20):
        desk.ask(1, Request("status"), urgent=False)
    desk.ask(2, Request("panic"), urgent=True)
    run_once = Counter(rig)
    run_once.desk = desk
    run(rig, run_once, frames(1))
    assert run_once.answers[0] == {"mode": "sleep"}


def test_a_display_that_is_gone_is_answered_and_ends_the_run() -> None:
    class Gone(MemorySink):
        def send(self, command: Command) -> None:
            raise SinkError("the display is gone")

    rig = a_rig(ListSource([]))
    rig.sink = Gone()
    counter = Counter(rig)
    with pytest.raises(SinkError, match="is gone"):
        run(rig, counter, [*frames(1), counter.ask("do", "{key: a}"), *frames(3, start=1)])
    assert counter.answers == ["the display is gone"]


def test_at_the_end_whoever_still_waits_is_told() -> None:
    counter = Counter(a_rig(ListSource([])))
    counter.ask("status")()
    counter.desk.dismiss()
    assert counter.answers == ["gesturectl is ending"]


def test_control_of_the_loop_is_the_one_that_signals_set() -> None:
    rig, control = a_rig(ListSource([])), Control()
    counter = Counter(rig)
    run(rig, counter, [*frames(1), counter.ask("pause"), *frames(1, start=1)], control=control)
    assert control.paused
