"""What sockets and pipes both promise: one daemon, whose clients find it and never delay it."""

from __future__ import annotations

import asyncio
import os
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gesturectl.control.transport import GONE, IN, OUT, Call, Claim, Door, Line
from gesturectl.errors import ControlError, RunningError
from tests.controlled import TIMEOUT_S, Transport

MUCH = b"x" * 4_000_000  # more than is kept for somebody who does not read


@pytest.fixture
def place(short_folder: Path) -> Path:
    return short_folder / "run"


@pytest.fixture
def claim(by: Transport, place: Path) -> Iterator[Claim]:
    with by.claim(place) as claim:
        yield claim


@pytest.fixture
def ends(by: Transport, place: Path, claim: Claim) -> Iterator[tuple[Door, Line, Call]]:
    """A door, and both ends of one connection through it."""
    call = by.connect(place, timeout_s=TIMEOUT_S)
    line = let_in(claim.door)
    claim.door.register(line.fileno(), IN)
    yield claim.door, line, call
    call.close()
    line.close()


def told(door: Door, number: int, mask: int) -> None:
    """Wait until the door tells something of a line, or of itself."""
    until_s = time.monotonic() + TIMEOUT_S
    while not any(one == number and now & mask for one, now in door.poll(100)):
        assert time.monotonic() < until_s, "it is not told"


def let_in(door: Door) -> Line:
    told(door, door.number, IN)
    return door.accept()


def test_a_second_daemon_hears_who_the_first_is(by: Transport, place: Path, claim: Claim) -> None:
    with pytest.raises(RunningError) as refused, by.claim(place):
        pass
    assert refused.value.pid == os.getpid()
    assert by.holds(os.getpid(), place)
    assert not by.holds(os.getpid() + 1, place)


def test_who_looks_for_a_daemon_where_none_runs_is_told_so(by: Transport, place: Path) -> None:
    with pytest.raises(ControlError, match="no gesturectl is running"):
        by.connect(place, timeout_s=TIMEOUT_S)
    with pytest.raises(ControlError, match="no gesturectl is running"):
        asyncio.run(in_a_loop(by, place))
    assert not by.holds(os.getpid(), place)


async def in_a_loop(by: Transport, place: Path) -> None:
    await by.streams(place, timeout_s=TIMEOUT_S)


def test_a_place_that_was_left_can_be_taken_again(by: Transport, place: Path) -> None:
    for _ in range(2):
        with by.claim(place):
            by.connect(place, timeout_s=TIMEOUT_S).close()
        assert not by.holds(os.getpid(), place)


def test_what_one_end_says_the_other_hears(ends: tuple[Door, Line, Call]) -> None:
    door, line, call = ends
    call.sendall(b"question")
    told(door, line.fileno(), IN)
    assert line.recv(4096) == b"question"
    assert line.send(bytearray(b"answer")) == len(b"answer")
    assert call.recv(4096) == b"answer"


def test_nobody_at_the_door_and_nothing_said_is_no_reason_to_wait(
    ends: tuple[Door, Line, Call],
) -> None:
    door, line, _ = ends
    with pytest.raises(BlockingIOError):
        door.accept()
    with pytest.raises(BlockingIOError):
        line.recv(4096)
    assert door.poll(0) == []


def test_what_is_asked_of_a_line_are_the_bits_of_the_kernel_s_poll() -> None:
    assert (IN, OUT) == (select.POLLIN, select.POLLOUT)
    assert GONE == select.POLLERR | select.POLLHUP | select.POLLNVAL


def test_a_bell_ends_the_wait_and_rings_once(claim: Claim) -> None:
    door = claim.door
    for _ in range(3):
        door.ring()
    assert (door.bell, IN) in door.poll(None)
    door.hush()
    assert door.poll(0) == []


def test_who_does_not_read_is_not_waited_for_and_loses_nothing_that_was_counted(
    ends: tuple[Door, Line, Call],
) -> None:
    door, line, call = ends
    out, counted = bytearray(MUCH), 0
    with pytest.raises(BlockingIOError):
        while out:
            count = line.send(out)
            counted += count
            del out[:count]
    door.modify(line.fileno(), OUT)
    assert (line.fileno(), OUT) not in door.poll(0)
    heard = 0
    while heard < len(MUCH):
        heard += len(call.recv(65_536))
        for number, mask in door.poll(0):
            if number == line.fileno() and mask & OUT and out:
                try:
                    del out[: line.send(out)]
                except BlockingIOError:
                    break
    assert 0 < counted < len(MUCH)
    assert heard == len(MUCH)


def test_a_call_that_is_not_answered_ends_in_time(ends: tuple[Door, Line, Call]) -> None:
    _, _, call = ends
    call.settimeout(0.01)
    with pytest.raises(TimeoutError):
        call.recv(4096)


def test_a_flood_stays_with_who_makes_it(ends: tuple[Door, Line, Call]) -> None:
    door, line, call = ends
    call.settimeout(0.01)
    with pytest.raises(TimeoutError):
        call.sendall(MUCH)
    told(door, line.fileno(), IN)
    assert len(line.recv(4096)) <= 4096


def test_what_somebody_said_who_has_gone_is_heard_before_he_is_missed(
    by: Transport, place: Path, claim: Claim
) -> None:
    call = by.connect(place, timeout_s=TIMEOUT_S)
    line = let_in(claim.door)
    call.sendall(b"last words")
    call.close()
    claim.door.register(line.fileno(), IN)
    told(claim.door, line.fileno(), IN)
    assert line.recv(4096) == b"last words"
    told(claim.door, line.fileno(), GONE)
    assert line.recv(4096) == b""
    claim.door.unregister(line.fileno())
    assert claim.door.poll(0) == []
    line.close()


def test_what_was_said_is_heard_after_it_was_hung_up(
    by: Transport, place: Path, claim: Claim
) -> None:
    call = by.connect(place, timeout_s=TIMEOUT_S)
    line = let_in(claim.door)
    line.send(bytearray(b"farewell"))
    line.close()
    assert call.recv(4096) == b"farewell"
    assert call.recv(4096) == b""
    call.close()


def test_a_crowd_is_let_in_one_by_one(by: Transport, place: Path, claim: Claim) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            call = by.connect(place, timeout_s=TIMEOUT_S)
            stack.callback(call.close)
        for _ in range(50):
            stack.callback(let_in(claim.door).close)
        with pytest.raises(BlockingIOError):
            claim.door.accept()


def test_an_event_loop_hears_and_says_the_same(by: Transport, place: Path, claim: Claim) -> None:
    async def talk() -> bytes:
        reader, writer = await by.streams(place, timeout_s=TIMEOUT_S)
        writer.write(b"question")
        line = await asyncio.to_thread(let_in, claim.door)
        line.send(bytearray(b"answer"))
        heard = await reader.read(4096)
        line.close()
        writer.close()
        return heard

    assert asyncio.run(talk()) == b"answer"
