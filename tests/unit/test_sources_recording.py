"""Recordings: every frame in replay; paced by the clock, newest first, when played live."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from functools import partial

import numpy as np
import pytest

from gesturectl.errors import SourceError
from gesturectl.sources import EndOfSource
from gesturectl.sources.clock import ManualClock
from gesturectl.sources.recording import AHEAD, MAX_DROPPED_IN_A_ROW, Recording
from gesturectl.types import Frame, Observation


def items(times_us: Iterable[int]) -> Generator[Observation]:
    for t_us in times_us:
        yield Observation(t_us, (), (), (4, 3))


def replayed(times_us: Iterable[int]) -> Recording:
    return Recording(items(times_us), "test", realtime=False, clock=ManualClock(1_000_000))


def test_a_replay_gives_every_frame_with_its_own_time_and_never_waits() -> None:
    recording = replayed([5, 40_000, 9_000_000])
    assert [recording.read(0).t_us for _ in range(3)] == [5, 40_000, 9_000_000]
    with pytest.raises(EndOfSource):
        recording.read(0)
    with pytest.raises(EndOfSource):
        recording.read(0)


@pytest.mark.parametrize("realtime", [False, True])
def test_damage_is_reported_exactly_where_it_is(realtime: bool) -> None:
    def broken() -> Generator[Observation]:
        yield from items([0, 1])
        raise SourceError("damaged")

    recording = Recording(broken(), "test", realtime=realtime, clock=ManualClock())
    assert [recording.read(1).t_us for _ in range(2)] == [0, 1]
    with pytest.raises(SourceError, match="damaged"):
        recording.read(0)


def test_a_replay_tells_what_comes_once_and_then_gives_it() -> None:
    recording = replayed(range(AHEAD + 10))
    assert recording.read(0).t_us == 0
    told = list(recording.foretell())
    assert [item.t_us for item in told] == list(range(1, AHEAD + 1))
    for item in told:
        assert recording.foretell() == ()
        assert recording.read(0) is item
    assert [item.t_us for item in recording.foretell()] == list(range(AHEAD + 1, AHEAD + 10))


def test_damage_that_was_met_while_foretelling_is_reported_where_it_is() -> None:
    def broken() -> Generator[Observation]:
        yield from items([0, 1, 2])
        raise SourceError("damaged")

    recording = Recording(broken(), "test", realtime=False)
    assert [item.t_us for item in recording.foretell()] == [0, 1, 2]
    assert [recording.read(0).t_us for _ in range(3)] == [0, 1, 2]
    for ask in (recording.foretell, partial(recording.read, 0)):
        with pytest.raises(SourceError, match="damaged"):
            ask()


def test_pictures_are_not_foretold_nor_is_what_may_be_dropped() -> None:
    picture = Frame(0, np.zeros((3, 4, 3), np.uint8))
    assert Recording((p for p in [picture]), "test", realtime=False).foretell() == ()
    live = Recording(items(range(5)), "test", realtime=True, clock=ManualClock())
    assert live.foretell() == ()


def test_a_file_that_cannot_be_opened_fails_at_once() -> None:
    def unopened() -> Generator[Observation]:
        raise SourceError("no such file")
        yield

    with pytest.raises(SourceError, match="no such file"):
        Recording(unopened(), "test", realtime=True)


def test_live_the_first_frame_is_now_and_the_others_as_far_apart_as_recorded() -> None:
    clock = ManualClock(1_000_000)
    recording = Recording(items([500, 40_500, 140_500]), "test", realtime=True, clock=clock)
    seen = []
    for _ in range(3):
        item = recording.read(1.0)
        seen.append((item.t_us, clock.now_us()))
    assert seen == [(1_000_000,) * 2, (1_040_000,) * 2, (1_140_000,) * 2]


def test_live_a_frame_not_due_within_the_timeout_is_kept_for_later() -> None:
    clock = ManualClock()
    recording = Recording(items([0, 100_000]), "test", realtime=True, clock=clock)
    recording.read(0)
    assert recording.read(0.06) is None
    assert clock.now_us() == 60_000
    assert recording.read(0.06).t_us == 100_000


def test_live_the_newest_frame_wins_when_the_reader_is_slow() -> None:
    clock = ManualClock()
    recording = Recording(items(range(0, 300_000, 33_333)), "test", realtime=True, clock=clock)
    recording.read(0)
    clock.sleep_us(110_000)  # the reader was busy with the first frame
    assert recording.read(0).t_us == 99_999
    assert recording.read(1).t_us == 133_332


def test_live_decoding_slower_than_real_time_shows_frames_later_and_not_never() -> None:
    clock = ManualClock()

    def slow() -> Generator[Observation]:
        for observation in items(range(0, 10_000_000, 10_000)):
            clock.sleep_us(25_000)
            yield observation

    recording = Recording(slow(), "test", realtime=True, clock=clock)
    shown = []
    for _ in range(10):
        while (item := recording.read(0.01)) is None:
            pass
        shown.append(item.t_us)
        assert clock.now_us() - item.t_us <= (MAX_DROPPED_IN_A_ROW + 1) * 25_000
    assert shown == sorted(set(shown))


def test_leaving_closes_the_file_and_ends_the_recording() -> None:
    closed = []

    def watched() -> Generator[Observation]:
        try:
            yield from items(range(100))
        finally:
            closed.append(True)

    with Recording(watched(), "test", realtime=False) as recording:
        recording.read(0)
    assert closed == [True]
    with pytest.raises(EndOfSource):
        recording.read(0)
