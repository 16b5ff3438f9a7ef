"""The clients of control: several, slow ones, hostile ones; the frames go on, by each transport."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gesturectl import __version__
from gesturectl.control import server, sockets, wire
from gesturectl.control.transport import Call
from gesturectl.engine import Step
from gesturectl.errors import ControlError
from gesturectl.types import Began, KeyDown, KeyUp
from tests.controlled import TIMEOUT_S, Running, Talk, Transport, running, sent


@pytest.fixture
def run(short_folder: Path, by: Transport) -> Iterator[Running]:
    with running(short_folder / "run", by=by) as run:
        yield run


@pytest.fixture
def run_with_halves(run: Running) -> Running:
    if not run.by.halves:
        pytest.skip("a pipe has no half that could be closed")
    return run


def frames_go_on(run: Running) -> bool:
    """Whether the loop answers, and has gone on: two frames at least have passed then."""
    with run.talk() as talk:
        before = talk.ask(ask="status")["frames"]
        while talk.ask(ask="status")["frames"] < before + 2:
            pass
    return True


def test_it_greets_with_its_protocol(run: Running) -> None:
    with run.talk() as talk:
        assert talk.hello["type"] == "hello"
        assert (talk.hello["protocol"], talk.hello["gesturectl"]) == (wire.PROTOCOL, __version__)
        assert talk.ask(ask="hello", protocol=1)["ok"]
        refusal = talk.ask(ask="hello", protocol=99)
        assert (refusal["ok"], "protocol 99" in refusal["error"]) == (False, True)


def test_requests_sent_at_once_are_answered_in_turn_with_their_numbers(run: Running) -> None:
    with run.talk() as talk:
        talk.say(
            {"ask": "mode", "name": "volume", "id": 1},
            {"ask": "nonsense", "id": "two"},
            {"ask": "mode", "name": "back", "id": 3},
        )
        answers = [talk.hear() for _ in range(3)]
        assert [(one["id"], one["ok"]) for one in answers] == [(1, True), ("two", False), (3, True)]
        assert (answers[0]["mode"], answers[2]["mode"]) == ("volume", "active")


def test_an_action_reaches_the_sink_before_its_answer_reaches_the_client(run: Running) -> None:
    with run.talk() as talk:
        assert talk.ask(ask="do", action="{key: a}")["ok"]
        assert [type(one) for one in sent(run.rig)] == [KeyDown, KeyUp]
        refusal = talk.ask(ask="do", action="{kay: a}")
        assert not refusal["ok"]
        assert "unknown key `kay`" in refusal["error"]


def test_a_follower_hears_the_state_first_and_then_what_happens(run: Running) -> None:
    with run.talk() as follower, run.talk() as other:
        assert follower.ask(ask="events", follow=True)["state"]["mode"] == "active"
        other.ask(ask="mode", name="volume")
        heard = [follower.hear() for _ in range(2)]
        assert [one["type"] for one in heard] == ["mode", "state"]
        other.ask(ask="do", action="{key: a}")
        assert [follower.hear()["command"] for _ in range(2)] == ["key_down", "key_up"]
        assert follower.ask(ask="status")["ok"]
    while run.desk.followed:  # it is noticed that nobody follows any more
        pass


def test_a_follower_may_stop_to_follow(run: Running) -> None:
    with run.talk() as talk:
        talk.ask(ask="events", follow=True)
        assert run.desk.followed
        talk.ask(ask="events", follow=False)
        assert not run.desk.followed


# --- hostile and unlucky ------------------------------------------------------------------------


@pytest.mark.parametrize("garbage", [b"\0\xff\n", b"GET / HTTP/1.1\r\n", b"[]\n", b"{}\n", b'"\n'])
def test_garbage_is_answered_in_words_and_forgiven(run: Running, garbage: bytes) -> None:
    with run.talk() as talk:
        talk.line.sendall(garbage)
        assert talk.hear()["ok"] is False
        talk.line.sendall(b"\n \n")  # empty lines mean nothing
        assert talk.ask(ask="status")["ok"]


@pytest.mark.parametrize("size", [wire.MAX_LINE_BYTES, 50 * wire.MAX_LINE_BYTES])
def test_a_line_without_an_end_is_hung_up_on(run: Running, size: int) -> None:
    with run.talk() as talk:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # while still speaking
            talk.line.sendall(b"x" * size)
        while answer := talk.hear():  # until it is hung up on
            assert "at most" in answer["error"]
    assert frames_go_on(run)


def test_whoever_says_no_more_still_hears_the_answer_and_then_is_hung_up_on(
    run_with_halves: Running,
) -> None:
    with run_with_halves.talk() as talk:
        talk.say({"ask": "status", "id": 1}, {"ask": "pause", "id": 2})
        talk.say_no_more()
        assert [talk.hear()["id"] for _ in range(2)] == [1, 2]
        assert talk.hear() == {}


def test_whoever_says_no_more_may_still_follow(run_with_halves: Running) -> None:
    run = run_with_halves
    with run.talk() as talk, run.talk() as other:
        talk.say({"ask": "events", "follow": True})
        talk.say_no_more()
        assert talk.hear()["ok"]
        other.ask(ask="mode", name="volume")
        assert talk.hear()["mode"] == "volume"


def test_what_somebody_asked_for_who_is_gone_is_done(run: Running) -> None:
    with Talk(run.folder, greeted=False, by=run.by) as talk:
        talk.say({"ask": "mode", "name": "volume"}, {"ask": "do", "action": "{key: a}"})
    with run.talk() as other:
        while other.ask(ask="status")["commands"] < 2:
            pass
        assert other.ask(ask="status")["mode"] == "volume"


def test_a_half_said_line_is_never_done(run: Running) -> None:
    with run.talk() as talk:
        talk.line.sendall(b'{"ask": "quit"}')
        if run.by.halves:
            talk.say_no_more()
            assert talk.hear() == {}
    assert frames_go_on(run)


def test_a_flood_of_garbage_and_of_requests_stops_neither_frames_nor_others(run: Running) -> None:
    with ExitStack() as stack:
        for line in (b"garbage\n", b'{"ask": "status"}\n', b"\n", b'{"ask": "hello"}\n') * 4:
            talk = stack.enter_context(run.talk())
            talk.line.settimeout(0)
            _fill(talk.line, line * 500)
        assert frames_go_on(run)
        with run.talk() as other:
            assert other.ask(ask="panic")["ok"]


def _fill(line: Call, data: bytes) -> None:
    """Say as much as the other side takes; it is never listened to."""
    with contextlib.suppress(BlockingIOError, TimeoutError):
        for _ in range(200):
            line.sendall(data)


def test_a_follower_that_fetches_nothing_loses_lines_that_are_counted_and_others_lose_none(
    run: Running,
) -> None:
    # Some megabytes: more than the kernel keeps for one, and than the server does.
    step = Step((Began(0, "x" * 2000, "right", 1.0),), (), ())
    rounds = 40
    with run.talk() as slow, run.talk() as quick, run.talk() as asks:
        slow.ask(ask="events", follow=True)
        quick.ask(ask="events", follow=True)
        note = run.desk.noting(lambda t_us, step, meters: None)
        for _ in range(rounds):
            for _ in range(20):
                note(0, step, None)  # type: ignore[arg-type]  # figures are not looked at
            for _ in range(20):
                assert quick.hear()["type"] == "gesture"
        asks.ask(ask="mode", name="volume")
        count, dropped = 0, 0
        while (row := slow.hear())["type"] != "dropped":
            count += 1
        dropped = row["lines"]
        assert count + dropped >= 20 * rounds
        assert dropped > 0


def test_hundreds_of_clients_are_served_and_the_most_silent_makes_room(run: Running) -> None:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 3 * server.MAX_CLIENTS:
        pytest.skip(f"only {soft} open files are allowed here")
    with ExitStack() as stack:
        follower = stack.enter_context(run.talk())
        follower.ask(ask="events", follow=True)
        first, *others = [stack.enter_context(run.talk()) for _ in range(server.MAX_CLIENTS - 1)]
        for one in others[:40]:
            assert one.ask(ask="status")["ok"]
        last = stack.enter_context(run.talk())
        assert first.hear() == {}  # hung up on
        assert last.ask(ask="panic")["mode"] == "sleep"
        assert follower.hear()["mode"] == "sleep"


def test_where_no_file_is_left_the_most_silent_makes_room(run: Running) -> None:
    if not run.by.halves:
        pytest.skip("a pipe's door is open before anybody comes")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        silent = stack.enter_context(run.talk())
        silent.ask(ask="status")
        last = stack.enter_context(socket.socket(socket.AF_UNIX))
        last.settimeout(TIMEOUT_S)
        highest = max(int(one.name) for one in Path("/dev/fd").iterdir())
        for _ in range(highest):
            number = os.dup(last.fileno())
            stack.callback(os.close, number)
            if number > highest:
                break
        resource.setrlimit(resource.RLIMIT_NOFILE, (number + 1, hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        last.connect(str(run.folder / sockets.SOCKET))
        assert silent.hear() == {}  # hung up on
        assert b"hello" in last.recv(1000)


def test_clients_that_come_and_go_leave_nothing_behind(run: Running) -> None:
    for _ in range(300):
        run.by.connect(run.folder, timeout_s=5).close()
    assert frames_go_on(run)


# --- the end ------------------------------------------------------------------------------------


def test_at_the_end_what_was_asked_is_answered_and_all_are_hung_up_on(
    short_folder: Path, by: Transport
) -> None:
    with running(short_folder / "run", by=by) as run:
        follower, asks = run.talk(), run.talk()
        follower.ask(ask="events", follow=True)
        assert asks.ask(ask="quit")["ok"]
    with follower, asks:
        assert asks.hear() == {}
        while follower.hear():
            pass
    with pytest.raises(ControlError, match="no gesturectl is running"):
        by.connect(short_folder / "run", timeout_s=5)


def test_without_pictures_requests_are_answered_all_the_same(run: Running) -> None:
    run.source.stalls.set()
    with run.talk() as talk:
        assert talk.ask(ask="pause")["ok"]
        assert talk.ask(ask="status")["frames_per_s"] == 0.0


def test_a_display_is_shown_what_there_is_and_then_what_changes(run: Running) -> None:
    with run.talk() as display, run.talk() as other:
        first = display.ask(ask="show", follow=True)["show"]
        assert (first["type"], first["mode"], first["fired"]) == ("show", "active", None)
        other.ask(ask="mode", name="volume")
        while display.hear()["mode"] != "volume":
            pass
        assert run.desk.shown
        assert not run.desk.followed
    while run.desk.shown:  # it is noticed that nobody shows anything any more
        pass


def test_who_asks_once_what_is_shown_is_told_once(run: Running) -> None:
    with run.talk() as talk:
        assert talk.ask(ask="show")["show"]["paused"] is False
        assert not run.desk.shown
        talk.ask(ask="show", follow=True)
        assert run.desk.shown
        talk.ask(ask="show", follow=False)
        assert not run.desk.shown


def test_a_display_that_fell_behind_hears_the_newest_and_not_what_it_missed(
    run: Running,
) -> None:
    with run.talk() as display, run.talk() as other:
        display.ask(ask="show", follow=True)
        row = {"type": "show", "mode": "x" * 1000, "number": 0}
        for number in range(5000):  # far more than the kernel keeps
            run.desk._tell(row | {"number": number}, 1)
            run.desk.wake()
            if number % 500 == 0:
                other.ask(ask="status")
        other.ask(ask="status")
        heard = [display.hear() for _ in range(2)]
        while heard[-1].get("number") != 4999:
            heard.append(display.hear())
        assert len(heard) < 2500
        assert not any(one["type"] == "dropped" for one in heard)
