"""Under load pictures are dropped, never queued; the newest is looked at, nothing told twice."""

from __future__ import annotations

from collections.abc import Generator
from itertools import pairwise

import cv2
import numpy as np
import pytest

from gesturectl import daemon
from gesturectl.benches.load import STEP_US, Camera, twice
from gesturectl.daemon import Control, Meters
from gesturectl.engine import Engine, Step
from gesturectl.ledger import Ledger
from gesturectl.profile import parse
from gesturectl.recogniser import Recogniser
from gesturectl.sinks.memory import MemorySink
from gesturectl.sources.clock import ManualClock
from gesturectl.sources.live import Live
from gesturectl.sources.memory import MemoryDevice
from gesturectl.sources.recording import Item, Recording
from gesturectl.types import Began, Ended, Frame, KeyDown, Observation
from tests.acting import Performance, begun
from tests.fakes import EmptyLandmarker

PROFILE = """\
version: 1
bindings:
  - {gesture: fist, do: {key: a}}
  - {gesture: swipe_left, do: {key: b}}
"""
INTERVAL_US = 33_333


def test_of_a_camera_that_is_faster_than_who_looks_only_the_newest_picture_is_looked_at() -> None:
    clock = ManualClock(1_000_000)
    noise = np.random.default_rng(0).integers(60, 200, (40, 48, 64, 3), dtype=np.uint8)
    live = Live(MemoryDevice(clock, [list(noise)], interval_us=INTERVAL_US), clock)

    class Slow(EmptyLandmarker):
        def detect(self, frame: Frame) -> Observation:
            for _ in range(3):  # meanwhile the camera's thread grabs, and time passes
                live.turn()
            return super().detect(frame)

    control, ages = Control(), list[tuple[int, int]]()

    def watch(t_us: int, step: Step, meters: Meters) -> None:
        if step.stages is not None:
            ages.append((step.stages.read, step.stages.injected))
        control.stop = meters.frames >= 9

    landmarker, engine = Slow(), Engine(Recogniser.load(), parse(PROFILE))
    live.turn()
    daemon.run(
        live, landmarker, engine, MemorySink(), Ledger(),
        control=control, on_step=watch, clock_us=clock.now_us,
    )  # fmt: skip
    assert {later - one for one, later in pairwise(landmarker.shown)} == {3 * INTERVAL_US}
    assert ages == [(0, 3 * INTERVAL_US)] * 9  # it does not grow, however long it goes on


def played(busy_us: int) -> tuple[list[Began | Ended], list[str], list[int], list[int]]:
    """Play two gestures in real time, each frame taking so long; give events, keys, ages, times."""
    clock, sink = ManualClock(5_000_000), MemorySink()
    events, ages, stamps = list[Began | Ended](), list[int](), list[int]()

    def film() -> Generator[Item]:
        yield from Performance("fist,swipe_left").at(30)

    def watch(t_us: int, step: Step, meters: Meters) -> None:
        events.extend(one for one in step.events if one.gesture in ("fist", "swipe_left"))
        if step.stages is not None:
            ages.append(step.stages.read)
            stamps.append(t_us)

    daemon.run(
        Recording(film(), "a film", realtime=True, clock=clock),
        None,
        Engine(Recogniser.load(), parse(PROFILE)),
        sink,
        Ledger(),
        on_step=watch,
        remember=lambda observation, step: clock.sleep_us(busy_us),
        clock_us=clock.now_us,
    )
    keys = [one.key for one in sink.sent if isinstance(one, KeyDown)]
    return events, keys, ages, stamps


@pytest.mark.parametrize("busy_us", [0, 50_000, 66_000])
def test_however_busy_each_gesture_is_told_once_and_no_picture_is_older_than_a_frame(
    busy_us: int,
) -> None:
    events, keys, ages, stamps = played(busy_us)
    assert [name for name, _ in begun(events)] == ["fist", "swipe_left"]
    assert twice(events) == 0
    assert keys == ["a", "b"]
    assert max(ages) < 1.01 * INTERVAL_US
    assert all(later > one for one, later in pairwise(stamps))
    assert busy_us == 0 or len(stamps) < len(played(0)[3])


def test_what_was_told_already_is_counted() -> None:
    one, end = Began(1, "fist", "right", 0.9), Ended(2, "fist", "right", 0.1)
    assert twice([one, end, one, end]) == 0
    assert twice([one, one, end, end]) == 2
    assert twice([one, Began(1, "fist", "left", 0.9)]) == 0


def test_pictures_that_nobody_grabs_in_time_are_lost_to_the_bench_s_camera() -> None:
    clock = ManualClock(1_000_000)
    shades = [np.full((16, 16, 3), 80 * shade, np.uint8) for shade in range(3)]
    camera = Camera([cv2.imencode(".jpg", shade)[1].tobytes() for shade in shades], clock)
    camera.open()
    assert (camera.grab(), camera.grab()) == (1_000_000, 1_000_000 + STEP_US)
    assert clock.now_us() == 1_000_000 + STEP_US
    clock.sleep_us(3 * STEP_US + 100)
    assert camera.grab() == 1_000_000 + 4 * STEP_US  # 2 and 3 are gone
    picture = camera.retrieve()
    assert picture is not None
    assert abs(float(picture.mean()) - 80) < 3
