"""`open_source`: the table of kinds, bare paths, and help for what is misspelt."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import cv2
import numpy as np
import pytest

from gesturectl import sources
from gesturectl.errors import SourceError, UsageError
from gesturectl.sources import (
    SOURCES,
    SourceSpec,
    gives_frames,
    is_live,
    known_sources,
    open_source,
)
from gesturectl.trace import TraceWriter
from gesturectl.types import Observation


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "walk.jsonl.gz"
    with TraceWriter(path, (640, 480), "camera 0") as writer:
        writer.write(Observation(7, (), (), (640, 480)))
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    return path


def test_a_trace_is_opened_by_its_kind_or_by_its_name(trace: Path) -> None:
    for spec in (f"trace:{trace}", str(trace)):
        with open_source(spec, realtime=False) as source:
            assert source.description == "trace walk.jsonl.gz 640×480 of camera 0"
            assert source.read(0).t_us == 7


def test_an_interrupted_trace_is_opened_too(trace: Path) -> None:
    part = trace.rename(f"{trace}.part")
    with open_source(str(part), realtime=False) as source:
        assert source.read(0).t_us == 7


def test_a_video_is_opened_by_its_kind_or_by_its_name(video: Path) -> None:
    for spec in (f"video:{video}", str(video)):
        with open_source(spec, realtime=False) as source:
            assert source.description.startswith("video clip.avi 64×48")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("camra:0", "there is no source and no file 'camra:0'; did you mean camera:N|NAME|PATH?"),
        ("Video:a.mp4", "did you mean video:FILE?"),
        ("qqq:x", "write one of: camera:N|NAME|PATH, http://HOST/PATH,"),
        ("nowhere.mp4", "there is no source and no file 'nowhere.mp4'; write one of: camera:N"),
        ("", "there is no source and no file ''"),
        ("video:", "source 'video:' names no file; write video:FILE"),
        ("trace", "source 'trace' names no file; write trace:FILE"),
    ],
)
def test_what_is_misspelt_gets_help(spec: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_source(spec, realtime=False)
    assert expected in str(caught.value)


def test_a_missing_file_is_a_source_error() -> None:
    with pytest.raises(SourceError, match=r"nowhere\.mp4: there is no such file"):
        open_source("video:nowhere.mp4", realtime=False)


def test_every_row_says_how_it_is_written_and_what_it_is() -> None:
    for kind, row in SOURCES.items():
        assert row.usage.startswith(kind)
        assert row.says


def test_other_packages_add_kinds_of_source(monkeypatch: pytest.MonkeyPatch, trace: Path) -> None:
    theirs = EntryPoint("tape", f"{__name__}:A_SPEC", "gesturectl.sources")
    broken = EntryPoint("broken", "no_such_module:spec", "gesturectl.sources")
    monkeypatch.setattr(sources, "entry_points", lambda group: [broken, theirs])
    known_sources.cache_clear()
    try:
        with open_source(f"tape:{trace}", realtime=False) as source:
            assert source.read(0).t_us == 7
        assert "broken" not in known_sources()
    finally:
        known_sources.cache_clear()


A_SPEC = SourceSpec("tape:FILE", "a test", SOURCES["trace"].open)


@pytest.mark.parametrize(
    ("spec", "live", "frames"),
    [
        ("camera:0", True, True),
        ("camera:", True, True),
        ("0", True, True),
        ("/dev/null", True, True),  # a device, as cameras are
        ("http://cam.local/video", True, True),
        ("rtsp://cam.local/", True, True),
        ("puppet:all", False, True),
        ("video:talk.mp4", False, True),
        ("talk.mp4", False, True),
        ("trace:a.jsonl", False, False),
        ("trace:a", False, False),
        ("a.jsonl", False, False),
        ("a.jsonl.gz.part", False, False),
        ("pupet:all", False, True),  # opened by nobody: told as what it is
    ],
)
def test_what_shows_people_as_they_are_now_and_what_gives_pictures_is_known_before_it_is_opened(
    spec: str, live: bool, frames: bool
) -> None:
    assert (is_live(spec), gives_frames(spec)) == (live, frames)


def test_opening_a_trace_imports_no_camera_library(trace: Path) -> None:
    program = (
        "import sys\n"
        "from gesturectl.sources import open_source\n"
        "open_source(sys.argv[1], realtime=False)\n"
        "assert 'cv2' not in sys.modules and 'mediapipe' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program, str(trace)], check=True)
