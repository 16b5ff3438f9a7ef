"""The trace format: what is written is what is read, and every damage is named."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gesturectl.errors import TraceError
from gesturectl.trace import MAX_LINE_BYTES, TraceWriter, read_trace, recover, reduce_face
from gesturectl.types import Body, Hand, Observation

SIZE_PX = (640, 480)
HEADER = {"format": "gesturectl-trace", "version": 1, "size_px": [640, 480], "source": "camera 0"}


def points(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((rows, columns), dtype=np.float32)


def a_hand(side: str = "right") -> Hand:
    return Hand(side, 0.98, points(21, 3), points(21, 3, seed=1) * 0.1)


def a_body() -> Body:
    return Body(points(33, 4), points(33, 3, seed=1))


def nobody(t_us: int) -> Observation:
    return Observation(t_us, (), (), SIZE_PX)


def write(path: Path, *observations: Observation) -> Path:
    with TraceWriter(path, SIZE_PX, "camera 0") as writer:
        for observation in observations:
            writer.write(observation)
    return path


def lines(path: Path, *rows: object) -> Path:
    """Write rows as they come: bytes as they are, all else as JSON."""
    text = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    path.write_bytes(b"\n".join([*text, b""]))
    return path


def complaint(path: Path) -> str:
    with pytest.raises(TraceError) as caught:
        list(read_trace(path))
    message = str(caught.value)
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


# --- what is written is what is read ------------------------------------------------------------


@pytest.mark.parametrize("name", ["walk.jsonl", "walk.jsonl.gz"])
def test_a_recording_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    with TraceWriter(tmp_path / name, SIZE_PX, "camera 0 (Ünïcode)") as writer:
        writer.write(nobody(0))
        writer.write(Observation(33_333, (a_hand("left"), a_hand()), (a_body(),), SIZE_PX), "wave")

    trace = read_trace(tmp_path / name)
    (first, no_label), (second, label) = trace

    assert (trace.size_px, trace.source) == (SIZE_PX, "camera 0 (Ünïcode)")
    assert (first.t_us, first.hands, first.bodies, no_label) == (0, (), (), None)
    assert (second.t_us, second.size_px, label) == (33_333, SIZE_PX, "wave")
    left, right = second.hands
    assert (left.side, right.side, right.score) == ("left", "right", 0.98)
    np.testing.assert_allclose(right.image, a_hand().image, atol=6e-6)
    np.testing.assert_allclose(right.world, a_hand().world, atol=6e-6)
    np.testing.assert_allclose(second.bodies[0].image, reduce_face(a_body().image), atol=6e-6)
    assert right.image.dtype == right.world.dtype == second.bodies[0].image.dtype == np.float32


def test_a_trace_can_be_read_twice(tmp_path: Path) -> None:
    trace = read_trace(write(tmp_path / "a.jsonl", nobody(0), nobody(1)))
    assert [o.t_us for o, _ in trace] == [o.t_us for o, _ in trace] == [0, 1]


def test_of_a_face_only_nose_eyes_and_ears_are_kept(tmp_path: Path) -> None:
    body = a_body()
    path = write(tmp_path / "a.jsonl", Observation(0, (), (body,), SIZE_PX))
    ((observation, _),) = read_trace(path)
    image = observation.bodies[0].image

    kept = [0, 2, 5, 7, 8, *range(11, 33)]
    np.testing.assert_allclose(image[kept], body.image[kept], atol=6e-6)
    for left_out, stand_in in {1: 2, 3: 2, 4: 5, 6: 5, 9: 0, 10: 0}.items():
        np.testing.assert_array_equal(image[left_out, :3], image[stand_in, :3])
        assert image[left_out, 3] == 0.0
    written = json.loads(path.read_text().splitlines()[1])["bodies"][0]["image"]
    assert {tuple(row[:3]) for row in written[:11]} == {tuple(written[i][:3]) for i in kept[:5]}


def test_compressed_traces_of_the_same_frames_are_the_same_bytes(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl.gz", nobody(0))
    two = write(tmp_path / "two.jsonl.gz", nobody(0))
    assert one.read_bytes() == two.read_bytes()


def test_a_trace_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    assert write(tmp_path / "a.jsonl").stat().st_mode & 0o077 == 0


# --- an interrupted recording loses nothing -----------------------------------------------------


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_an_interrupted_recording_is_kept_and_recovered(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / name
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(KeyboardInterrupt),
        TraceWriter(path, SIZE_PX, "camera 0") as writer,
    ):
        writer.write(nobody(0))
        writer.write(nobody(1))
        raise KeyboardInterrupt

    assert not path.exists()
    assert f"interrupted after 2 frames; they are kept in {path}.part" in caplog.text
    assert recover(f"{path}.part", path) == 2
    assert [o.t_us for o, _ in read_trace(path)] == [0, 1]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_killed_recording_loses_no_frame(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    program = (
        "import os, sys\n"
        "from gesturectl.trace import TraceWriter\n"
        "from gesturectl.types import Observation\n"
        "writer = TraceWriter(sys.argv[1], (640, 480), 'camera 0').__enter__()\n"
        "for t_us in range(5):\n"
        "    writer.write(Observation(t_us, (), (), (640, 480)))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], check=False)

    assert killed.returncode == -9
    assert recover(f"{path}.part", path) == 5
    assert [o.t_us for o, _ in read_trace(path)] == [0, 1, 2, 3, 4]


def test_recovering_keeps_what_comes_before_the_damage(tmp_path: Path) -> None:
    cut = lines(tmp_path / "a.jsonl", HEADER, {"t_us": 0}, {"t_us": 1}, b'{"t_us": 2, "han')
    assert recover(cut, tmp_path / "b.jsonl") == 2
    assert [o.t_us for o, _ in read_trace(tmp_path / "b.jsonl")] == [0, 1]


def test_a_new_recording_does_not_overwrite_an_interrupted_one(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.part").write_text("precious")
    with pytest.raises(TraceError, match=r"holds an interrupted recording.*move it away"):
        write(tmp_path / "a.jsonl", nobody(0))
    assert (tmp_path / "a.jsonl.part").read_text() == "precious"


def test_an_older_trace_is_replaced_only_by_a_whole_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", nobody(0))
    with pytest.raises(RuntimeError), TraceWriter(path, SIZE_PX, "camera 0") as writer:
        writer.write(nobody(7))
        raise RuntimeError
    assert [o.t_us for o, _ in read_trace(path)] == [0]


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"nowhere/a\.jsonl\.part: cannot be written: No such"):
        write(tmp_path / "nowhere" / "a.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here to be a full disk")
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_full_disk_is_named(tmp_path: Path, name: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with (
            pytest.raises(TraceError, match="cannot be written: No space left on device"),
            TraceWriter(tmp_path / name, SIZE_PX, "camera 0") as writer,
        ):
            os.dup2(full, writer._file.fileno())  # the disk fills up now
            writer.write(nobody(0))
    finally:
        os.close(full)
    assert not (tmp_path / name).exists()


# --- the writer refuses what the reader would ---------------------------------------------------


def test_the_writer_refuses_time_that_goes_back(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="time goes back: t_us 5 after 5"),
        TraceWriter(tmp_path / "a.jsonl", SIZE_PX, "camera 0") as writer,
    ):
        writer.write(nobody(5))
        writer.write(nobody(5))


@pytest.mark.parametrize("label", ["", "a" * 101, "a\nb", "\ud800"])
def test_the_writer_refuses_a_label_that_is_no_name(tmp_path: Path, label: str) -> None:
    with (
        pytest.raises(ValueError, match="is no label: 1 to 100 characters"),
        TraceWriter(tmp_path / "a.jsonl", SIZE_PX, "camera 0") as writer,
    ):
        writer.write(nobody(0), label)


def test_the_writer_refuses_another_picture_size(tmp_path: Path) -> None:
    with (
        pytest.raises(TraceError, match=r"changed from 640×480 to 1280×720.*begin a new recording"),
        TraceWriter(tmp_path / "a.jsonl", SIZE_PX, "camera 0") as writer,
    ):
        writer.write(Observation(0, (), (), (1280, 720)))


@pytest.mark.parametrize(
    "hand",
    [
        Hand("right", 0.9, np.full((21, 3), np.nan, np.float32)),
        Hand("right", 0.9, np.full((21, 3), 1001, np.float32)),
        Hand("right", 1.5, points(21, 3)),
        Hand("right", 0.9, points(20, 3)),
        Hand("right", 0.9, points(21, 3), points(21, 2)),
    ],
    ids=["nan", "far out", "score", "too few points", "world without depth"],
)
def test_the_writer_refuses_a_hand_that_is_none(tmp_path: Path, hand: Hand) -> None:
    with (
        pytest.raises(ValueError, match=r"not finite, or too large|not in 0\.\.1|have the shape"),
        TraceWriter(tmp_path / "a.jsonl", SIZE_PX, "camera 0") as writer,
    ):
        writer.write(Observation(0, (hand,), (), SIZE_PX))


# --- every damage is named, with its line and what to do ----------------------------------------


def test_a_missing_file(tmp_path: Path) -> None:
    assert complaint(tmp_path / "a.jsonl") == ": there is no such file"


def test_a_folder(tmp_path: Path) -> None:
    assert complaint(tmp_path) == ": cannot be read: Is a directory"


def test_an_empty_file(tmp_path: Path) -> None:
    assert complaint(lines(tmp_path / "a.jsonl")).startswith(":1: the file is empty; record again")


@pytest.mark.parametrize(
    "first", [b"hello", b"\x00\xff\xfe", [1, 2], {"format": "other"}, b"[" * 100_000, b"9" * 5_000]
)
def test_a_file_that_is_no_trace(tmp_path: Path, first: object) -> None:
    assert ":1: this is not a gesturectl trace" in complaint(lines(tmp_path / "a.jsonl", first))


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "a pipe or a device is no trace" in complaint(tmp_path / "pipe")


def test_a_source_is_told_in_characters_that_a_terminal_can_show(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", HEADER | {"source": "\x1b[2J\ud800" + "a" * 300})
    assert read_trace(path).source == ("\ufffd[2J\ufffd" + "a" * 300)[:200]


@pytest.mark.parametrize("version", [2, 0, "1", None, True])
def test_another_version(tmp_path: Path, version: object) -> None:
    message = complaint(lines(tmp_path / "a.jsonl", HEADER | {"version": version}))
    assert message == (
        f":1: the trace has version {version!r}, this gesturectl reads version 1; "
        "update gesturectl, or record again"
    )


@pytest.mark.parametrize("version", ["v" * 10_000, [[[]]]])
def test_a_hostile_version_is_told_in_few_words(tmp_path: Path, version: object) -> None:
    assert len(complaint(lines(tmp_path / "a.jsonl", HEADER | {"version": version}))) < 200


@pytest.mark.parametrize("size_px", [None, [640], [640, 0], [640.0, 480], "640x480", [True, True]])
def test_a_header_without_a_size(tmp_path: Path, size_px: object) -> None:
    message = complaint(lines(tmp_path / "a.jsonl", HEADER | {"size_px": size_px}))
    assert message.startswith(":1: size_px must be [width, height]")


HAND = {"side": "right", "score": 1, "image": [[0, 0, 0]] * 21}
BODY = {"image": [[0, 0, 0, 1]] * 33}
# As an array of texts of the same length, this line would fill 7 GB.
TEXTS = ["x" * 50_000, *[""] * 40_000]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (b"", "not one whole JSON value"),
        (b'{"t_us": 1, "ha', "delete this line and all after it to keep what comes before"),
        (b'{"t_us": \xff}', "not one whole JSON value"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"t_us": NaN}', "NaN is no number"),
        ([], "a frame must be a JSON object"),
        ({}, "t_us must be a whole number of microseconds"),
        ({"t_us": 1.5}, "t_us must be a whole number of microseconds"),
        ({"t_us": True}, "t_us must be a whole number of microseconds"),
        ({"t_us": -1}, "t_us must be a whole number of microseconds"),
        ({"t_us": 1 << 80}, "t_us must be a whole number of microseconds"),
        ({"t_us": 0}, "time goes back: t_us is 0 after 0"),
        ({"t_us": 1, "hand": []}, "a frame has the unknown key 'hand'; known: bodies, hands,"),
        ({"t_us": 1, "label": 3}, "label must be the name of a gesture"),
        ({"t_us": 1, "hands": {}}, "hands must be a list"),
        ({"t_us": 1, "hands": [7]}, "hands[0] must be a JSON object"),
        ({"t_us": 1, "hands": [HAND, HAND | {"side": "Left"}]}, 'hands[1].side must be "left"'),
        ({"t_us": 1, "hands": [HAND | {"score": 2}]}, "hands[0].score must be a number in 0..1"),
        ({"t_us": 1, "hands": [HAND | {"score": None}]}, "hands[0].score must be a number"),
        ({"t_us": 1, "hands": [HAND | {"image": None}]}, "hands[0].image must be 21 points of 3"),
        ({"t_us": 1, "hands": [HAND | {"image": [["0"] * 3] * 21}]}, "21 points of 3 numbers"),
        ({"t_us": 1, "hands": [HAND | {"image": [[0], [0, 0]]}]}, "21 points of 3 numbers"),
        ({"t_us": 1, "hands": [HAND | {"world": [[0] * 4] * 21}]}, "hands[0].world must be 21"),
        ({"t_us": 1, "hands": [HAND | {"image": [[1e300] * 3] * 21}]}, "too large"),
        ({"t_us": 1, "hands": [HAND | {"image": [[10**400] * 3] * 21}]}, "too large"),
        ({"t_us": 1, "hands": [HAND | {"image": [[1001, 0, 0]] * 21}]}, "too large"),
        ({"t_us": 1, "hands": [HAND | {"image": [[True, 0, 0]] * 21}]}, "21 points of 3 numbers"),
        ({"t_us": 1, "hands": [HAND | {"image": TEXTS}]}, "21 points of 3 numbers"),
        (b'{"t_us": 1, "t_us": 2}', "the key 't_us' is there twice"),
        ({"t_us": 1, "label": ""}, "1 to 100 characters that can be printed"),
        ({"t_us": 1, "label": "a" * 101}, "1 to 100 characters that can be printed"),
        ({"t_us": 1, "label": "\x1b[2J"}, "1 to 100 characters that can be printed"),
        ({"t_us": 1, "label": "\ud800"}, "1 to 100 characters that can be printed"),
        ({"t_us": 1, "bodies": [{}]}, "bodies[0].image must be 33 points of 4 numbers"),
        ({"t_us": 1, "bodies": [BODY | {"world": []}]}, "bodies[0].world must be 33 points of 3"),
        ({"t_us": 1, "bodies": [BODY | {"score": 1}]}, "bodies[0] has the unknown key 'score'"),
        (b'{"t_us": 1' + b" " * MAX_LINE_BYTES + b"}", f"longer than {MAX_LINE_BYTES} bytes"),
    ],
)
def test_a_damaged_frame(tmp_path: Path, row: object, expected: str) -> None:
    message = complaint(lines(tmp_path / "a.jsonl", HEADER, {"t_us": 0}, row))
    assert message.startswith(":3: ")
    assert expected in message


def test_frames_before_the_damage_are_yielded(tmp_path: Path) -> None:
    frames = iter(read_trace(lines(tmp_path / "a.jsonl", HEADER, {"t_us": 3}, b"?")))
    assert next(frames)[0].t_us == 3
    with pytest.raises(TraceError):
        next(frames)


def test_gzip_data_that_were_cut_off(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl.gz", *(nobody(t_us) for t_us in range(500)))
    path.write_bytes(path.read_bytes()[:-200])
    assert "the gzip data end too early: the file was cut off; the" in complaint(path)


def test_gzip_data_that_are_damaged(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl.gz", nobody(0))
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF  # in the checksum
    path.write_bytes(data)
    assert "the gzip data are damaged" in complaint(path)


def test_a_gzip_bomb_is_stopped_at_the_first_long_line(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb") as file:
        file.write(json.dumps(HEADER).encode() + b"\n")
        for _ in range(64):
            file.write(b" " * (1 << 20))
    assert complaint(path).startswith(f":2: the line is longer than {MAX_LINE_BYTES} bytes")
