"""A recording of landmarks: one JSON header line, then one JSON line per frame.

    {"format": "gesturectl-trace", "version": 1, "size_px": [640, 480], "source": "camera 0"}
    {"t_us": 33333, "hands": [{"side": "right", "score": 0.98, "image": […], "world": […]}]}

The same file serves bug reports, golden tests, recordings and training data. It holds landmarks
only, never an image, and of a face no more than nose, eyes and ears. Files may be gzipped; the
content decides, not the name. Reading is lazy and trusts nothing: every damage is a `TraceError`
that names the file and the line. Writing goes to `NAME.part` and is renamed at the end, so a file
under its own name is always whole, and an interrupted recording is still there to `recover`.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, NoReturn, Self, cast

import numpy as np
from pydantic_core import from_json

from gesturectl import wholefile
from gesturectl.errors import TraceError
from gesturectl.strictjson import brief, loads
from gesturectl.types import BODY_POINTS, HAND_POINTS, Body, Float32, Hand, Observation, Side

log = logging.getLogger(__name__)

FORMAT: Final = "gesturectl-trace"
VERSION: Final = 1

# A frame with two hands and a body takes about 6 kB; this holds forty people. It is what keeps a
# damaged file or a gzip bomb from filling the memory.
MAX_LINE_BYTES: Final = 1 << 18

# Fractions of an image, or metres. An estimator that loses a joint stays far below; what is beyond
# would overflow where the features multiply.
MAX_COORDINATE: Final = 1000.0

MAX_LABEL_CHARS: Final = 100
MAX_SOURCE_CHARS: Final = 200

# 0.00001 of a 640 px image is 0.006 px, of a metre 0.01 mm: far below what an estimator can tell.
DECIMALS: Final = 5

# MediaPipe's eleven face points → the point of the trace that stands for each: nose (0), left and
# right eye (2, 5), left and right ear (7, 8). The corners of the eyes and of the mouth would help
# to tell people apart and no gesture needs them: they become copies with visibility 0.
FACE_STAND_INS: Final = (0, 2, 2, 2, 5, 5, 5, 7, 8, 0, 0)
_FACE_LEFT_OUT = tuple(i for i, stand_in in enumerate(FACE_STAND_INS) if i != stand_in)

Label = str | None


@dataclass(frozen=True, slots=True)
class Trace:
    """An opened trace. Iterating reads the file anew and yields (what was seen, label) per frame.

    Raises `TraceError` while iterating, at the first line that is damaged; what came before it has
    been yielded by then.
    """

    path: Path
    size_px: tuple[int, int]
    source: str

    def __iter__(self) -> Iterator[tuple[Observation, Label]]:
        with _opened(self.path) as lines:
            next(lines)  # the header, read already
            last_us = -1
            for number, line in lines:
                where = _Where(self.path, number)
                observation, label = _parse_frame(line, self.size_px, where)
                if observation.t_us <= last_us:
                    where.fail(
                        f"time goes back: t_us is {observation.t_us} after {last_us}; "
                        "every frame must be later than the one before"
                    )
                last_us = observation.t_us
                yield observation, label


def read_trace(path: str | os.PathLike[str]) -> Trace:
    """Open a trace and check its header.

    Raises:
        TraceError: the file cannot be read, is not a trace, or is of another version.
    """
    path = Path(path)
    with _opened(path) as lines:
        number, line = next(lines, (1, b""))
    where = _Where(path, number)
    if not line:
        where.fail("the file is empty; record again with `gesturectl record`")
    size_px, source = _parse_header(line, where)
    return Trace(path, size_px, source)


class TraceWriter:
    """Writes a trace, as a context manager: `with TraceWriter(path, size_px, source) as writer`.

    A path that ends in `.gz` is compressed. Frames go to `PATH.part`, each of them at once, and
    the file takes its own name when the block ends well. If the block ends by an exception, or the
    process dies, the part stays: `recover` makes a whole file of it.

    Raises:
        TraceError: the file cannot be written, or a part of an earlier recording is in the way.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size_px: tuple[int, int],
        source: str,
        *,
        part: Path | None = None,
    ) -> None:
        self.path = Path(path)
        self.part = part or self.path.with_name(self.path.name + ".part")
        self.size_px = size_px
        self.frames = 0
        self._last_us = -1
        self._file: BinaryIO | None = None
        self._out: BinaryIO | None = None
        self._header = {
            "format": FORMAT,
            "version": VERSION,
            "size_px": list(size_px),
            "source": _shown(source),
        }
        _parse_header(_encode(self._header), _Where(self.path, 1))  # never write what we refuse

    def __enter__(self) -> Self:
        try:
            # Landmarks describe a person: readable by their owner only.
            handle = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise TraceError(
                f"{self.part}: holds an interrupted recording, or one that is still running; "
                "move it away or delete it, or record to another name"
            ) from None
        except OSError as error:
            raise TraceError(f"{self.part}: cannot be written: {error.strerror}") from error
        self._file = os.fdopen(handle, "wb")
        self._out = self._file
        if self.path.suffix == ".gz":
            # No name and no time inside: the same frames give the same bytes.
            stream = gzip.GzipFile("", "wb", compresslevel=6, fileobj=self._file, mtime=0)
            self._out = cast(BinaryIO, stream)
        self._append(self._header)
        return self

    def write(self, observation: Observation, label: Label = None) -> None:
        """Append one frame; its time must be later than that of the one before.

        Raises:
            TraceError: the disk is full, or the size of the picture has changed.
            ValueError: times do not grow, landmarks are not coordinates in the right shape, or the
                label is no name.
        """
        if observation.size_px != self.size_px:
            raise TraceError(
                f"{self.path}: the picture changed from {_size(self.size_px)} to "
                f"{_size(observation.size_px)}; a trace has one size, begin a new recording"
            )
        if observation.t_us <= self._last_us:
            raise ValueError(f"time goes back: t_us {observation.t_us} after {self._last_us}")
        self._append(_frame_to_json(observation, label))
        self._last_us = observation.t_us
        self.frames += 1

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is None or self._out is None:
            return
        try:
            if self._out is not self._file:
                self._out.close()  # writes the end of the gzip data; the file stays open
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if exc_type is None:
                self.part.replace(self.path)
                wholefile.sync_folder(self.path.parent)
        except OSError as error:
            raise TraceError(
                f"{self.path}: cannot be written: {error.strerror}; "
                f"what was recorded before is in {self.part}"
            ) from error
        finally:
            with suppress(OSError):  # closing tries to write once more
                self._file.close()
            self._file = self._out = None
        if exc_type is not None:
            log.warning(
                "recording interrupted after %d frames; they are kept in %s", self.frames, self.part
            )

    def _append(self, row: dict[str, Any]) -> None:
        if self._out is None:
            raise ValueError("the trace is not open; write inside its `with` block")
        try:
            self._out.write(_encode(row) + b"\n")
            # Each frame reaches the system at once: SIGKILL costs none. For gzip this adds
            # 4 % to the size (measured on 900 frames of a hand and a body).
            self._out.flush()
        except OSError as error:
            raise TraceError(
                f"{self.path}: cannot be written: {error.strerror}; "
                f"what was recorded before is in {self.part}"
            ) from error


def recover(part: str | os.PathLike[str], path: str | os.PathLike[str]) -> int:
    """Copy the good beginning of a damaged or interrupted trace to `path`; return its frames.

    `recover("walk.jsonl.part", "walk.jsonl")` is the usual call; the part itself stays.

    Raises:
        TraceError: not even the header is good, or `path` cannot be written.
    """
    trace = read_trace(part)
    beside = Path(path).with_name(Path(path).name + ".recovered.part")
    with TraceWriter(path, trace.size_px, trace.source, part=beside) as writer:
        frames = iter(trace)
        while True:
            try:
                observation, label = next(frames)
            except StopIteration:
                return writer.frames
            except TraceError as error:
                log.warning("%s", error)
                return writer.frames
            writer.write(observation, label)


def reduce_face(points: Float32) -> Float32:
    """Return a body's points, (33, 3) or (33, 4), with the face reduced to nose, eyes and ears.

    The points left out become copies of the nearest kept one, with visibility 0 where there is one:
    a body keeps its 33 rows, and doing it twice changes nothing.
    """
    reduced = points.copy()
    reduced[: len(FACE_STAND_INS)] = points[list(FACE_STAND_INS)]
    if points.shape[1] == 4:
        reduced[list(_FACE_LEFT_OUT), 3] = 0.0
    return reduced


# --- writing ----------------------------------------------------------------------------------


def _frame_to_json(observation: Observation, label: Label) -> dict[str, Any]:
    row: dict[str, Any] = {"t_us": observation.t_us}
    if observation.hands:
        row["hands"] = [_hand_to_json(hand) for hand in observation.hands]
    if observation.bodies:
        row["bodies"] = [_body_to_json(body) for body in observation.bodies]
    if label is not None:
        if not _is_name(label):
            raise ValueError(f"{label[:MAX_LABEL_CHARS]!r} is no label: {_A_NAME}")
        row["label"] = label
    return row


def _hand_to_json(hand: Hand) -> dict[str, Any]:
    if not 0 <= hand.score <= 1:
        raise ValueError(f"a hand's score is {hand.score}, not in 0..1")
    row: dict[str, Any] = {
        "side": hand.side,
        "score": round(float(hand.score), DECIMALS),
        "image": _rounded(hand.image, (HAND_POINTS, 3)),
    }
    if hand.world is not None:
        row["world"] = _rounded(hand.world, (HAND_POINTS, 3))
    return row


def _body_to_json(body: Body) -> dict[str, Any]:
    row: dict[str, Any] = {"image": _rounded(reduce_face(body.image), (BODY_POINTS, 4))}
    if body.world is not None:
        row["world"] = _rounded(reduce_face(body.world), (BODY_POINTS, 3))
    return row


def _rounded(points: Float32, shape: tuple[int, int]) -> list[list[float]]:
    if points.shape != shape:
        raise ValueError(f"landmarks have the shape {points.shape} instead of {shape}")
    if not (np.abs(points) <= MAX_COORDINATE).all():
        raise ValueError("landmarks are not finite, or too large to be coordinates")
    # In float64, or 0.1 would be written with the sixteen digits of the float32 nearest to it.
    rows: list[list[float]] = np.round(points.astype(np.float64), DECIMALS).tolist()
    return rows


def _encode(row: dict[str, Any]) -> bytes:
    text = json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", errors="replace")  # a file name may hold what UTF-8 cannot


# --- reading ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Where:
    """A place in a file, for messages."""

    path: Path
    line: int

    def fail(self, message: str) -> NoReturn:
        raise TraceError(f"{self.path}:{self.line}: {message}")


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[tuple[int, bytes]]]:
    """Open a trace, gzipped or not, as an iterator of (line number, line without its end)."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            # It is read twice, and opening a pipe that nobody writes to would wait for ever.
            raise TraceError(f"{path}: a pipe or a device is no trace; save it to a file first")
        with path.open("rb") as file:
            gzipped = file.peek(2)[:2] == b"\x1f\x8b"
            stream = cast(io.BufferedIOBase, gzip.GzipFile(fileobj=file)) if gzipped else file
            with stream:
                yield _lines(stream, path)
    except FileNotFoundError:
        raise TraceError(f"{path}: there is no such file") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise TraceError(f"{path}: cannot be read: {reason}") from error


def _lines(stream: io.BufferedIOBase, path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    while True:
        number += 1
        where = _Where(path, number)
        keep = f"the {number - 1} lines before it are good" if number > 1 else "nothing is left"
        try:
            line = stream.readline(MAX_LINE_BYTES + 1)
        except EOFError:
            where.fail(f"the gzip data end too early: the file was cut off; {keep}")
        except (gzip.BadGzipFile, zlib.error) as error:
            where.fail(f"the gzip data are damaged ({error}); {keep}")
        if not line:
            return
        if len(line) > MAX_LINE_BYTES:
            where.fail(f"the line is longer than {MAX_LINE_BYTES} bytes: no trace has such a line")
        yield number, line.rstrip(b"\r\n")


def _parse_header(line: bytes, where: _Where) -> tuple[tuple[int, int], str]:
    not_a_trace = (
        "this is not a gesturectl trace: it must begin with a line like "
        '{"format": "gesturectl-trace", "version": 1, "size_px": [640, 480], "source": "camera 0"}'
    )
    try:
        row = loads(line)
    except ValueError:
        where.fail(not_a_trace)
    if not isinstance(row, dict) or row.get("format") != FORMAT:
        where.fail(not_a_trace)
    version = row.get("version")
    if version != VERSION or isinstance(version, bool):
        where.fail(
            f"the trace has version {brief(version)}, this gesturectl reads version {VERSION}; "
            "update gesturectl, or record again"
        )
    size = row.get("size_px")
    if (
        not isinstance(size, list)
        or len(size) != 2
        or not all(type(side) is int and 1 <= side <= 65_535 for side in size)
    ):
        where.fail("size_px must be [width, height] of the image in pixels, each in 1..65535")
    source = row.get("source", "")
    if not isinstance(source, str):
        where.fail("source must be a text that says where the frames came from")
    return (size[0], size[1]), _shown(source)


def _parse_frame(line: bytes, size_px: tuple[int, int], where: _Where) -> tuple[Observation, Label]:
    try:
        row = _loads_frame(line)
    except ValueError as error:
        where.fail(
            f"not one whole JSON value ({error}); if the recording was cut off here, delete this "
            "line and all after it to keep what comes before"
        )
    _check_keys(row, {"t_us", "hands", "bodies", "label"}, "a frame", where)
    t_us = row.get("t_us")
    if type(t_us) is not int or not 0 <= t_us < 1 << 62:
        where.fail("t_us must be a whole number of microseconds, 0 or more")
    label = row.get("label")
    if label is not None and not (isinstance(label, str) and _is_name(label)):
        where.fail(f"label must be the name of a gesture, or left out: {_A_NAME}")
    hands = tuple(
        _parse_hand(hand, f"hands[{i}]", where)
        for i, hand in enumerate(_list_of(row, "hands", where))
    )
    bodies = tuple(
        _parse_body(body, f"bodies[{i}]", where)
        for i, body in enumerate(_list_of(row, "bodies", where))
    )
    return Observation(t_us, hands, bodies, size_px), label


def _loads_frame(line: bytes) -> Any:
    """Parse the JSON of a frame as `strictjson.loads` does, two to three times as fast.

    Pydantic's parser lets the last of two equal keys win. But each key has its colon: where there
    are no more colons in the whole line than keys were kept, no key was there twice.

    Raises:
        ValueError: as for `strictjson.loads`, which has the last word on all that is odd.
    """
    try:
        row = from_json(line, allow_inf_nan=False)
    except ValueError:
        return loads(line)
    if isinstance(row, dict):
        seen = (row.get("hands"), row.get("bodies"))
        inner = chain.from_iterable(some for some in seen if isinstance(some, list))
        keys = len(row) + sum(len(one) for one in inner if isinstance(one, dict))
        if line.count(b":") == keys:
            return row
    return loads(line)


def _parse_hand(row: object, name: str, where: _Where) -> Hand:
    row = _check_keys(row, {"side", "score", "image", "world"}, name, where)
    side = row.get("side")
    if side not in ("left", "right"):
        where.fail(f'{name}.side must be "left" or "right", the user\'s own; it is {brief(side)}')
    score = row.get("score")
    if not isinstance(score, int | float) or isinstance(score, bool) or not 0 <= score <= 1:
        where.fail(f"{name}.score must be a number in 0..1")
    return Hand(
        cast(Side, side),
        float(score),
        _parse_points(row.get("image"), (HAND_POINTS, 3), f"{name}.image", where),
        _parse_points(row["world"], (HAND_POINTS, 3), f"{name}.world", where)
        if "world" in row
        else None,
    )


def _parse_body(row: object, name: str, where: _Where) -> Body:
    row = _check_keys(row, {"image", "world"}, name, where)
    return Body(
        _parse_points(row.get("image"), (BODY_POINTS, 4), f"{name}.image", where),
        _parse_points(row["world"], (BODY_POINTS, 3), f"{name}.world", where)
        if "world" in row
        else None,
    )


def _parse_points(rows: object, shape: tuple[int, int], name: str, where: _Where) -> Float32:
    # Looked at before numpy sees them: of one long text among thousands of empty ones it would
    # make an array in which each has the room of the longest, of a single line 7 GB.
    numbers: list[Any] = []
    if (
        isinstance(rows, list)
        and len(rows) == shape[0]
        and set(map(type, rows)) == {list}
        and set(map(len, rows)) == {shape[1]}
    ):
        numbers = list(chain.from_iterable(rows))
    if not numbers or not set(map(type, numbers)) <= {int, float}:
        where.fail(f"{name} must be {shape[0]} points of {shape[1]} numbers each")
    try:
        points = np.array(numbers, np.float64).reshape(shape)
        sane = bool(np.abs(points).max() <= MAX_COORDINATE)
    except OverflowError:  # an integer beyond all floats
        sane = False
    if not sane:
        where.fail(f"{name} holds a number too large to be a coordinate")
    return points.astype(np.float32)


def _check_keys(row: object, known: set[str], name: str, where: _Where) -> dict[str, Any]:
    if not isinstance(row, dict):
        where.fail(f"{name} must be a JSON object like {{{', '.join(sorted(known))}}}")
    if not row.keys() <= known:
        unknown = min(row.keys() - known)
        where.fail(f"{name} has the unknown key {unknown!r:.40}; known: {', '.join(sorted(known))}")
    return row


def _list_of(row: dict[str, Any], key: str, where: _Where) -> list[Any]:
    value = row.get(key, [])
    if not isinstance(value, list):
        where.fail(f"{key} must be a list")
    return value


_A_NAME = f"1 to {MAX_LABEL_CHARS} characters that can be printed"


def _is_name(text: str) -> bool:
    return 0 < len(text) <= MAX_LABEL_CHARS and text.isprintable()


def _shown(text: str) -> str:
    """Return a text that a terminal can show: short, and nothing in it that moves the cursor."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[
        :MAX_SOURCE_CHARS
    ]


def _size(size_px: tuple[int, int]) -> str:
    return f"{size_px[0]}×{size_px[1]}"
