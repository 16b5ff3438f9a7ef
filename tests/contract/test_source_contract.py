"""What every source promises, whatever it is made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from gesturectl.sources import EndOfSource, Source, open_source
from gesturectl.sources.clock import MONOTONIC
from gesturectl.sources.live import Live, Unavailable
from gesturectl.sources.memory import MemoryDevice
from gesturectl.trace import TraceWriter
from gesturectl.types import Frame, Observation
from tests.netcam import NetCam

Opener = Callable[[Path, ExitStack], Source]


def a_video(folder: Path, fps: float = 60) -> str:
    path = folder / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), fps, (64, 48))
    for level in range(12):
        writer.write(np.full((48, 64, 3), 100 + level, np.uint8))
    writer.release()
    return str(path)


def a_trace(folder: Path) -> str:
    path = folder / "walk.jsonl"
    with TraceWriter(path, (640, 480), "camera 0") as writer:
        for number in range(12):
            writer.write(Observation(number * 15_000, (), (), (640, 480)))
    return str(path)


def a_camera(_: Path, stack: ExitStack) -> Source:
    moving = [np.full((48, 64, 3), 100 + level, np.uint8) for level in range(100)]
    takes = [moving[:5], Unavailable("unplugged"), moving]
    return Live(MemoryDevice(MONOTONIC, takes, interval_us=5_000))


def a_network_camera(_: Path, stack: ExitStack) -> Source:
    return open_source(f"{stack.enter_context(NetCam()).url}/video", realtime=True)


SOURCES: dict[str, Opener] = {
    "a video, replayed": lambda folder, _: open_source(a_video(folder), realtime=False),
    "a video, live": lambda folder, _: open_source(a_video(folder), realtime=True),
    "a trace, replayed": lambda folder, _: open_source(a_trace(folder), realtime=False),
    "a trace, live": lambda folder, _: open_source(a_trace(folder), realtime=True),
    "the puppet, replayed": lambda *_: open_source("puppet:fist", realtime=False),
    "the puppet, live": lambda *_: open_source("puppet:fist", realtime=True),
    "a camera": a_camera,
    "a network camera": a_network_camera,
}
FINITE = [name for name in SOURCES if "camera" not in name and "puppet" not in name]


def a_stalled_video(folder: Path, _: ExitStack) -> Source:
    source = open_source(a_video(folder, fps=0.1), realtime=True)
    source.read(0)
    return source


def a_stalled_camera(_: Path, stack: ExitStack) -> Source:
    takes = [[np.full((48, 64, 3), 100, np.uint8)] * 3]
    return Live(MemoryDevice(MONOTONIC, takes, interval_us=2_000_000))


def a_missing_camera(_: Path, stack: ExitStack) -> Source:
    return Live(MemoryDevice(MONOTONIC, [Unavailable("busy", may_pass=True)]))


def a_stalled_network_camera(_: Path, stack: ExitStack) -> Source:
    camera = stack.enter_context(NetCam(interval_s=0.001))
    source = stack.enter_context(open_source(f"{camera.url}/video", realtime=True))
    camera.stalled.set()
    while source.read(0.1) is not None:
        pass
    return source


STALLED: dict[str, Opener] = {
    "a video": a_stalled_video,
    "a camera": a_stalled_camera,
    "a missing camera": a_missing_camera,
    "a network camera": a_stalled_network_camera,
}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def read_some(source: Source, count: int = 10) -> list[Frame | Observation]:
    """Read so many items, or all there are, however long it takes, within reason."""
    items: list[Frame | Observation] = []
    deadline = time.monotonic() + 20
    while len(items) < count:
        assert time.monotonic() < deadline, f"nothing comes: {source.problem}"
        try:
            item = source.read(0.5)
        except EndOfSource:
            break
        if item is not None:
            items.append(item)
    return items


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path, stack: ExitStack) -> Source:
    return SOURCES[request.param](tmp_path, stack)


def test_time_stamps_are_whole_microseconds_that_strictly_grow(source: Source) -> None:
    with source:
        times = [item.t_us for item in read_some(source)]
    assert len(times) >= 2
    assert all(type(t_us) is int for t_us in times)
    assert all(earlier < later for earlier, later in pairwise(times))


def test_frames_are_rgb_pictures(source: Source) -> None:
    with source:
        for item in read_some(source, 3):
            if isinstance(item, Frame):
                assert item.rgb.dtype == np.uint8
                assert item.rgb.ndim == 3
                assert item.rgb.shape[2] == 3


def test_a_source_says_what_it_is_and_that_it_is_well(source: Source) -> None:
    with source:
        read_some(source, 2)
        assert source.description
        assert source.problem is None


def test_leaving_twice_is_fine(source: Source) -> None:
    with source:
        read_some(source, 2)
    source.__exit__(None, None, None)


@pytest.mark.parametrize("name", [name for name in SOURCES if "replayed" not in name])
def test_live_frames_are_stamped_on_the_monotonic_clock(
    name: str, tmp_path: Path, stack: ExitStack
) -> None:
    before_us = time.monotonic_ns() // 1000
    with SOURCES[name](tmp_path, stack) as source:
        items = read_some(source, 5)
    assert before_us - 1_000_000 <= items[0].t_us
    assert items[-1].t_us <= time.monotonic_ns() // 1000


@pytest.mark.parametrize("name", FINITE)
def test_the_end_comes_again_and_again(name: str, tmp_path: Path, stack: ExitStack) -> None:
    with SOURCES[name](tmp_path, stack) as source:
        read_some(source, 1000)
        for _ in range(2):
            with pytest.raises(EndOfSource):
                source.read(0.1)


@pytest.mark.parametrize("name", [name for name in SOURCES if "replayed" in name])
def test_a_replay_is_the_same_every_time(name: str, tmp_path: Path, stack: ExitStack) -> None:
    runs = []
    for _ in range(2):
        with SOURCES[name](tmp_path, stack) as source:
            runs.append(read_some(source, 20))
    assert [item.t_us for item in runs[0]] == [item.t_us for item in runs[1]]
    for one, other in zip(*runs, strict=True):
        if isinstance(one, Frame) and isinstance(other, Frame):
            np.testing.assert_array_equal(one.rgb, other.rgb)


@pytest.mark.parametrize("name", STALLED)
def test_a_stalled_source_returns_nothing_in_time(
    name: str, tmp_path: Path, stack: ExitStack
) -> None:
    source = STALLED[name](tmp_path, stack)
    with ExitStack() as inside:
        if name != "a network camera":  # entered already
            inside.enter_context(source)
        start = time.monotonic()
        assert source.read(0.05) is None
        assert source.read(0) is None
        assert time.monotonic() - start < 1.0
