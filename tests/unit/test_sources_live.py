"""Watching a device: the numbered cases of `gesturectl.sources.live`, on a standing clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from gesturectl.errors import SourceError
from gesturectl.sources import EndOfSource
from gesturectl.sources.clock import MONOTONIC, ManualClock
from gesturectl.sources.live import Live, Picture, Unavailable, is_dark, is_same
from gesturectl.sources.memory import MemoryDevice

GONE = "camera 7 (Memory) is missing"
UNPLUGGED = "camera 7 (Memory) is unplugged"
BLACK = "camera 7 (Memory) is black: open its shutter, or switch on a light"
FROZEN = (
    "camera 7 (Memory) is frozen: it sends the same picture again and again; replug or restart it"
)
SILENT = "camera 7 (Memory) is frozen: it has sent no picture for more than a second"

INTERVAL_US = 100_000


def a_picture(seed: int) -> Picture:
    return np.random.default_rng(seed).integers(60, 200, (48, 64, 3), dtype=np.uint8)


def moving(count: int) -> list[Picture]:
    return [a_picture(seed) for seed in range(count)]


def still(count: int) -> list[Picture]:
    return [a_picture(1000)] * count


def dark(count: int) -> list[Picture]:
    noise = np.random.default_rng(0).integers(0, 9, (count, 48, 64, 3), dtype=np.uint8)
    return list(noise)


class Story:
    """A device that acts its takes, watched step by step."""

    def __init__(self, *takes: Unavailable | Sequence[Picture | None]) -> None:
        self.clock = ManualClock(1_000_000)
        self.device = MemoryDevice(self.clock, takes, interval_us=INTERVAL_US)
        self.live = Live(self.device, self.clock)

    def goes_on(self, turns: int) -> list[str | None]:
        """Watch for so many turns; return the problem after each."""
        problems = []
        for _ in range(turns):
            self.clock.sleep_us(self.live.turn())
            problems.append(self.live.problem)
        return problems

    def openings_at(self, turns: int) -> list[int]:
        """Watch; return the times, in ms from now, at which the device was opened."""
        start_us, times = self.clock.now_us(), []
        for _ in range(turns):
            before, now_us = self.device.openings, self.clock.now_us()
            pause_us = self.live.turn()
            if self.device.openings > before:
                times.append((now_us - start_us) // 1000)
            self.clock.sleep_us(pause_us)
        return times


# --- case 1: fine -------------------------------------------------------------------------------


def test_only_the_newest_picture_is_kept() -> None:
    pictures = moving(5)
    story = Story(pictures)
    assert story.goes_on(3) == [None] * 3
    frame = story.live.read(0)
    assert frame is not None
    np.testing.assert_array_equal(frame.rgb, pictures[2])
    assert frame.t_us == 1_000_000 + 3 * INTERVAL_US
    assert story.live.read(0) is None
    assert story.live.description == "camera 7 (Memory) in memory"


def test_time_stamps_strictly_grow_on_a_clock_too_coarse() -> None:
    clock = ManualClock()
    live = Live(MemoryDevice(clock, [moving(3)], interval_us=0), clock)
    times = []
    for _ in range(3):
        live.turn()
        times.append(live.read(0).t_us)
    assert times == [0, 1, 2]


def test_a_damaged_picture_is_passed_over() -> None:
    story = Story([a_picture(0), None, a_picture(1)])
    story.goes_on(2)
    assert story.live.read(0).t_us == 1_000_000 + INTERVAL_US
    assert story.live.read(0) is None
    story.goes_on(1)
    assert story.live.read(0) is not None


def test_after_the_machine_has_slept_only_new_pictures_count_from_a_device_opened_anew() -> None:
    before, after = moving(3), still(1)
    story = Story(before, after)
    assert story.goes_on(3) == [None] * 3
    openings = story.device.openings
    story.live.renew()
    assert story.live.read(0) is None
    woke_us = story.clock.now_us()
    assert story.goes_on(2) == [None] * 2
    assert story.device.openings == openings + 1
    frame = story.live.read(0)
    assert frame is not None
    assert frame.t_us > woke_us
    np.testing.assert_array_equal(frame.rgb, after[0])


# --- case 2: unplugged and back -----------------------------------------------------------------


def test_an_unplugged_camera_is_opened_again_when_it_is_back() -> None:
    story = Story(moving(2), Unavailable(GONE), moving(3))
    assert story.goes_on(2) == [None, None]
    before = story.live.read(0)
    assert story.goes_on(1) == [UNPLUGGED]
    assert not story.device.is_open
    assert story.goes_on(1) == [GONE]
    assert story.goes_on(1) == [GONE]  # open, but nothing has been seen yet
    assert story.live.read(0) is None
    assert story.goes_on(1) == [None]
    after = story.live.read(0)
    assert after.t_us > before.t_us


def test_pauses_double_up_to_five_seconds_and_never_end() -> None:
    story = Story(moving(1))
    assert story.goes_on(2) == [None, UNPLUGGED]
    assert story.openings_at(9) == [0, 500, 1500, 3500, 7500, 12500, 17500, 22500, 27500]


def test_the_first_opening_comes_a_quarter_of_a_second_after_the_loss() -> None:
    story = Story(moving(1))
    story.live.turn()
    assert story.live.turn() == 250_000


def test_a_camera_that_opens_but_gives_nothing_is_not_tried_ever_faster() -> None:
    story = Story(moving(1), [], [], [], [], [])
    story.goes_on(2)
    assert story.openings_at(8) == [0, 500, 1500, 3500]


def test_after_a_picture_the_pauses_begin_anew() -> None:
    story = Story(moving(1), Unavailable(GONE), Unavailable(GONE), moving(1), moving(1))
    story.goes_on(6)
    assert story.live.turn() == 250_000


# --- the first opening --------------------------------------------------------------------------


def test_a_camera_missing_at_first_is_an_error() -> None:
    with pytest.raises(SourceError, match="is missing"):
        Story(Unavailable(GONE))


def test_a_camera_busy_at_first_is_waited_for() -> None:
    busy = "camera 7 (Memory) is busy: another program is using it"
    story = Story(Unavailable(busy, may_pass=True), Unavailable(busy, may_pass=True), moving(2))
    assert story.live.problem == busy
    assert story.goes_on(4) == [busy, busy, None, None]


# --- case 3 and 4: frozen -----------------------------------------------------------------------


def test_a_frozen_camera_is_noticed_after_a_second_and_its_pictures_are_withheld() -> None:
    story = Story([*moving(1), *still(15), *moving(2)])
    assert story.goes_on(12) == [None] * 12  # one picture, a new one, and a second of it
    assert story.live.read(0) is not None
    assert story.goes_on(1) == [FROZEN]
    assert story.live.read(0) is None
    assert story.goes_on(3) == [FROZEN] * 3
    assert story.live.read(0) is None
    assert story.goes_on(1) == [None]
    assert story.live.read(0) is not None


def test_a_camera_frozen_for_long_is_opened_anew_with_doubling_patience() -> None:
    story = Story(*[still(1000)] * 5)
    assert story.openings_at(800) == [5_200, 15_300, 35_400, 75_500]
    assert story.live.problem == FROZEN


def test_a_camera_that_thaws_by_opening_it_anew_is_fine() -> None:
    story = Story(still(1000), moving(5))
    story.goes_on(53)
    assert story.device.openings == 2
    assert story.goes_on(1) == [None]


def test_a_camera_that_sends_only_damaged_pictures_is_silent_and_then_opened_anew() -> None:
    story = Story([None] * 1000, moving(3))
    assert story.goes_on(11) == [None] * 10 + [SILENT]
    story.goes_on(41)
    assert story.device.openings == 2
    assert story.goes_on(1) == [None]


# --- case 5: black ------------------------------------------------------------------------------


def test_a_closed_shutter_is_noticed_after_a_second_and_shown_all_the_same() -> None:
    story = Story([*moving(1), *dark(30), *moving(1)])
    assert story.goes_on(11) == [None] * 11
    assert story.goes_on(1) == [BLACK]
    assert story.live.read(0) is not None
    assert set(story.goes_on(19)) == {BLACK}
    assert story.goes_on(1) == [None]


def test_black_that_never_changes_is_black_and_not_frozen() -> None:
    story = Story([np.zeros((48, 64, 3), np.uint8)] * 200)
    assert story.goes_on(150)[-1] == BLACK
    assert story.device.openings == 1


# --- case 6: silent -----------------------------------------------------------------------------


def test_a_camera_that_hangs_is_noticed_by_the_clock_of_who_asks() -> None:
    story = Story(moving(3))
    story.goes_on(1)
    story.clock.sleep_us(1_000_000)
    assert story.live.problem is None
    story.clock.sleep_us(1)
    assert story.live.problem == SILENT


# --- the thread ---------------------------------------------------------------------------------


def test_a_bug_in_a_device_reaches_the_reader() -> None:
    class Broken(MemoryDevice):
        def retrieve(self) -> Picture | None:
            raise ZeroDivisionError

    clock = ManualClock()
    with (
        Live(Broken(clock, [moving(3)]), clock) as live,
        pytest.raises(ZeroDivisionError),
    ):
        live.read(5.0)


def test_leaving_lets_go_of_the_device() -> None:
    clock = ManualClock()
    device = MemoryDevice(clock, [moving(100)])
    with Live(device, clock) as live:
        live.read(5.0)
    assert not device.is_open
    with pytest.raises(EndOfSource):
        live.read(0)


def test_a_source_never_entered_lets_go_too() -> None:
    clock = ManualClock()
    device = MemoryDevice(clock, [moving(1)])
    Live(device, clock).__exit__(None, None, None)
    assert not device.is_open


def test_a_device_that_proves_useless_once_it_is_open_is_let_go_of() -> None:
    class Page(MemoryDevice):
        def open(self) -> str:
            super().open()
            raise Unavailable("a page for people, not a stream")

    clock = ManualClock()
    device = Page(clock, [moving(1)])
    with pytest.raises(SourceError, match="a page for people"):
        Live(device, clock)
    assert not device.is_open


# --- case 7: at rest ----------------------------------------------------------------------------


def test_at_rest_the_device_is_closed_and_nothing_is_wrong_until_it_is_woken() -> None:
    story = Story(moving(100), moving(100))
    story.goes_on(5)
    story.live.rest(True)
    assert story.goes_on(3) == [None, None, None]
    assert not story.device.is_open
    assert story.live.read(0) is None
    story.live.rest(False)
    assert story.goes_on(2) == [None, None]
    assert story.device.is_open
    assert story.live.read(0) is not None


def test_a_picture_from_before_the_rest_is_not_given_after_it() -> None:
    story = Story(moving(100), moving(100))
    story.goes_on(5)
    story.live.rest(True)
    story.goes_on(1)
    story.live.rest(False)
    assert story.live.read(0) is None


def test_a_camera_that_somebody_else_took_meanwhile_is_busy_and_waited_for() -> None:
    busy = Unavailable("camera 7 (Memory) is busy: zoom is using it; close that program")
    story = Story(moving(100), busy, moving(100))
    story.goes_on(3)
    story.live.rest(True)
    story.goes_on(1)
    story.live.rest(False)
    assert story.goes_on(3) == [str(busy), str(busy), None]


def test_a_rest_that_is_over_before_anybody_noticed_changes_nothing() -> None:
    story = Story(moving(100))
    story.goes_on(3)
    story.live.rest(True)
    story.live.rest(False)
    story.goes_on(1)
    assert (story.device.openings, story.device.is_open) == (1, True)


def test_the_thread_lets_go_and_takes_hold_again() -> None:
    gone = Unavailable(GONE, may_pass=True)
    device = MemoryDevice(MONOTONIC, [gone, moving(999), moving(999)], interval_us=10_000)
    with Live(device, MONOTONIC) as live:
        live.rest(True)
        assert live.read(5.0) is None
        assert live.problem is None
        live.rest(False)
        assert live.read(5.0) is not None
        live.rest(True)
        for _ in range(50):
            if not device.is_open:
                break
            live.read(0.1)
        assert not device.is_open


# --- what counts as dark and as the same --------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, True), (0, 9, True), (0, 60, False), (20, 24, False), (100, 101, False)],
    ids=["black", "sensor noise", "a dim room", "a grey wall", "an even wall"],
)
def test_dark(low: int, high: int, expected: bool) -> None:
    picture = np.random.default_rng(0).integers(low, high, (480, 640, 3), dtype=np.uint8)
    assert is_dark(picture) is expected


def test_a_small_light_on_black_is_not_dark() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[100:200, 100:200] = 200  # a screen across the room
    assert not is_dark(picture)


def test_pictures_are_the_same_only_to_the_last_bit() -> None:
    one = a_picture(0)
    other = one.copy()
    assert is_same(one, other)
    other[47, 63, 2] ^= 1
    assert not is_same(one, other)
    assert not is_same(None, one)
    assert not is_same(one, one[:24])
