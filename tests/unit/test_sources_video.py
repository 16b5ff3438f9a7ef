"""Video files: stamped by their container, whatever state that is in."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from gesturectl.errors import SourceError
from gesturectl.sources import Source, to_its_end
from gesturectl.sources.video import Timeline, open_video
from gesturectl.types import Frame

RED, BLUE = (200, 30, 30), (30, 30, 200)


def a_video(path: Path, codec: str = "mp4v", frames: int = 10, fps: float = 25) -> Path:
    """Write a little video whose top half is red and bottom half blue."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, (64, 48))
    assert writer.isOpened()
    rgb = np.empty((48, 64, 3), np.uint8)
    rgb[:24], rgb[24:] = RED, BLUE
    for _ in range(frames):
        writer.write(rgb[:, :, ::-1])
    writer.release()
    return path


def frames_of(source: Source) -> list[Frame]:
    with source:
        return list(to_its_end(source))


def times_us(path: Path) -> list[int]:
    return [frame.t_us for frame in frames_of(open_video(str(path), realtime=False))]


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mp4v"), ("a.avi", "MJPG")])
def test_frames_are_stamped_by_the_container(tmp_path: Path, name: str, codec: str) -> None:
    source = open_video(str(a_video(tmp_path / name, codec)), realtime=False)
    assert source.description == f"video {name} 64×48 25 fps"
    assert source.problem is None
    frames = frames_of(source)
    assert [frame.t_us for frame in frames] == list(range(0, 400_000, 40_000))
    assert frames[0].rgb.shape == (48, 64, 3)
    assert frames[0].rgb.dtype == np.uint8


def test_frames_are_rgb(tmp_path: Path) -> None:
    frame = frames_of(open_video(str(a_video(tmp_path / "a.mp4")), realtime=False))[0]
    np.testing.assert_allclose(frame.rgb[5, 32], RED, atol=25)
    np.testing.assert_allclose(frame.rgb[43, 32], BLUE, atol=25)


def test_a_fractional_frame_rate_does_not_drift(tmp_path: Path) -> None:
    path = a_video(tmp_path / "a.mp4", frames=100, fps=30_000 / 1001)
    assert times_us(path)[99] == pytest.approx(99 * 1001 / 30_000 * 1e6, abs=100)


def test_a_variable_frame_rate_is_followed(tmp_path: Path) -> None:
    path = a_video(tmp_path / "a.mp4")
    ticks = [1, 1, 1, 5, 1, 1, 10, 1, 1, 1]
    make_variable(path, ticks)
    expected = [40_000 * sum(ticks[:i]) for i in range(len(ticks))]
    assert times_us(path) == expected


def test_rotation_noted_in_the_file_is_applied(tmp_path: Path) -> None:
    path = a_video(tmp_path / "a.mp4")
    make_rotated(path)
    source = open_video(str(path), realtime=False)
    assert source.description == "video a.mp4 48×64 25 fps"
    frame = frames_of(source)[0]
    assert frame.rgb.shape == (64, 48, 3)
    np.testing.assert_allclose(frame.rgb[32, 43], RED, atol=25)  # the top is at the right now
    np.testing.assert_allclose(frame.rgb[32, 5], BLUE, atol=25)


def test_a_video_without_time_stamps_gets_those_of_its_frame_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.mjpeg"  # pictures one after another, and nothing else
    jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    path.write_bytes(jpeg * 5)
    assert times_us(path) == [0, 40_000, 80_000, 120_000, 160_000]


def test_a_name_with_a_pattern_in_it_is_only_a_name(tmp_path: Path) -> None:
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"img{i}.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(SourceError, match="there is no such file"):
        open_video(str(tmp_path / "img%d.png"), realtime=False)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "there is no such file"),
        (b"", "the file is empty"),
        (b"hello " * 100, "not a video, or damaged"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(60), "not a video, or damaged"),
    ],
    ids=["missing", "empty", "text", "sound"],
)
def test_a_file_that_is_no_video_is_named(
    tmp_path: Path, content: bytes | None, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        open_video(str(path), realtime=False)
    assert str(caught.value).startswith(f"{path}: {expected}")
    assert capfd.readouterr() == ("", "")


def test_a_video_cut_off_before_its_index_is_named(tmp_path: Path) -> None:
    path = a_video(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(SourceError, match="was it copied or recorded to its end"):
        open_video(str(path), realtime=False)


def test_a_video_whose_pictures_are_damaged_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = a_video(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    start, size = box(data, b"mdat")
    data[start : start + size] = bytes(size)
    path.write_bytes(data)
    with pytest.raises(SourceError, match="no picture in it can be decoded"):
        open_video(str(path), realtime=False)
    assert capfd.readouterr() == ("", "")


def test_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a folder; name one video file in it"):
        open_video(str(tmp_path), realtime=False)


# --- stamps that are wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("positions_ms", "expected_us"),
    [
        ([0, 40, 80], [0, 40_000, 80_000]),
        ([1000, 1040], [1_000_000, 1_040_000]),
        ([0, 0, 0], [0, 20_000, 40_000]),
        ([0, 20, 20, 20, 40], [0, 20_000, 40_000, 60_000, 80_000]),
        ([500, 520, 0, 20], [500_000, 520_000, 540_000, 560_000]),
        ([-40, 0, 40], [0, 40_000, 80_000]),
        ([float("nan"), float("inf"), 7], [0, 20_000, 27_000]),
        ([0, 3_600_000], [0, 3_600_000_000]),
    ],
    ids=["good", "late_start", "missing", "constant", "back", "negative", "not_numbers", "pause"],
)
def test_stamps_strictly_grow(positions_ms: list[float], expected_us: list[int]) -> None:
    timeline = Timeline(fps=50)
    assert [timeline.stamp(position) for position in positions_ms] == expected_us


@pytest.mark.parametrize("fps", [0, -1, 90_000, float("nan")])
def test_an_impossible_frame_rate_counts_as_thirty(fps: float) -> None:
    timeline = Timeline(fps)
    assert [timeline.stamp(0), timeline.stamp(0)] == [0, 33_333]


# --- editing the index of an MP4 file -----------------------------------------------------------


def box(data: bytes | bytearray, name: bytes) -> tuple[int, int]:
    """Return where the content of the first box of this name begins, and its size in bytes."""
    at = data.index(name)
    return at + 4, struct.unpack_from(">I", data, at - 4)[0] - 8


def make_rotated(path: Path) -> None:
    """Note in the track's header that the picture is to be turned a quarter to the right."""
    data = bytearray(path.read_bytes())
    start, _ = box(data, b"tkhd")
    matrix = [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]
    struct.pack_into(">9i", data, start + 40, *matrix)
    path.write_bytes(data)


def make_variable(path: Path, ticks: list[int]) -> None:
    """Replace the one duration of all frames by a duration for each, in units of the old one."""
    data = bytearray(path.read_bytes())
    start, size = box(data, b"stts")
    unit = struct.unpack_from(">I", data, start + 12)[0]
    table = struct.pack(">II", 0, len(ticks))
    table += b"".join(struct.pack(">II", 1, unit * tick) for tick in ticks)
    data[start : start + size] = table
    edits, _ = box(data, b"elst")
    duration = struct.unpack_from(">I", data, edits + 8)[0]
    struct.pack_into(">I", data, edits + 8, duration * sum(ticks) // len(ticks))
    # The index lies behind the pictures, so only the boxes around it change their size.
    for name in (b"stts", b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        at = data.index(name) - 4
        old = struct.unpack_from(">I", data, at)[0]
        struct.pack_into(">I", data, at, old + len(table) - size)
    path.write_bytes(data)
