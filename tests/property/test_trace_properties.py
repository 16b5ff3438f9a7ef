"""Whatever was seen can be written and read again; whatever a file holds cannot do harm."""

from __future__ import annotations

import copy
import gzip
import io
import json
import re
import sys
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any
from unittest import mock

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings

from gesturectl.cli import main
from gesturectl.errors import TraceError
from gesturectl.trace import DECIMALS, MAX_LINE_BYTES, TraceWriter, read_trace, reduce_face
from gesturectl.types import Body, Hand, Observation
from tests.jsonplaces import places


def points(rows: int, columns: int) -> st.SearchStrategy[np.ndarray]:
    numbers = st.floats(-8, 8, width=32)
    return arrays.arrays(np.float32, (rows, columns), elements=numbers)


hands = st.builds(
    Hand,
    side=st.sampled_from(["left", "right"]),
    score=st.floats(0, 1),
    image=points(21, 3),
    world=st.none() | points(21, 3),
)
bodies = st.builds(Body, image=points(33, 4), world=st.none() | points(33, 3))
frames = st.tuples(
    st.integers(1, 10_000_000),  # microseconds since the frame before
    st.lists(hands, max_size=2).map(tuple),
    st.lists(bodies, max_size=1).map(tuple),
    st.none() | st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20),
)


def rounded(values: np.ndarray | None) -> list[list[float]] | None:
    if values is None:
        return None
    return np.round(values.astype(np.float64), DECIMALS).astype(np.float32).tolist()


def story(observation: Observation) -> object:
    """Everything in an observation, as the trace keeps it, in a form that compares."""
    return (
        observation.t_us,
        observation.size_px,
        [
            (hand.side, round(hand.score, DECIMALS), rounded(hand.image), rounded(hand.world))
            for hand in observation.hands
        ],
        [
            (
                rounded(reduce_face(body.image)),
                rounded(None if body.world is None else reduce_face(body.world)),
            )
            for body in observation.bodies
        ],
    )


@settings(max_examples=40, deadline=None)
@given(seen=st.lists(frames, max_size=4), zipped=st.booleans(), source=st.text(max_size=20))
def test_what_is_written_is_read(seen: list, zipped: bool, source: str) -> None:
    size_px = (640, 480)
    t_us = 0
    written = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("a.jsonl.gz" if zipped else "a.jsonl")
        with TraceWriter(path, size_px, source) as writer:
            for step_us, seen_hands, seen_bodies, label in seen:
                t_us += step_us
                observation = Observation(t_us, seen_hands, seen_bodies, size_px)
                writer.write(observation, label)
                written.append((story(observation), label))
        trace = read_trace(path)
        read = [(story(observation), label) for observation, label in trace]
        # Rounded and reduced once, a trace written again is the same file.
        again = path.with_name("again" + "".join(path.suffixes))
        with TraceWriter(again, trace.size_px, trace.source) as writer:
            for observation, label in trace:
                writer.write(observation, label)
        assert again.read_bytes() == path.read_bytes()
    assert read == written


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["t_us", "hands", "bodies", "label", "side", "score", "image", "world"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
header = json.dumps(
    {"format": "gesturectl-trace", "version": 1, "size_px": [4, 3], "source": ""}
).encode()
damaged_traces = st.lists(json_values.map(json.dumps).map(str.encode), max_size=3).map(
    lambda rows: b"\n".join([header, *rows])
)


@st.composite
def damaged_gzip(draw: st.DrawFn) -> bytes:
    """Compressed data with some bytes flipped and the end cut off."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(draw(damaged_traces))
    data = bytearray(buffer.getvalue())
    for place in draw(st.lists(st.integers(0, len(data) - 1), max_size=3)):
        data[place] ^= draw(st.integers(1, 255))
    return bytes(data[: draw(st.integers(0, len(data)))])


HAND = {"side": "left", "score": 0.5, "image": [[0.5, 0.5, 0.0]] * 21, "world": [[0.0] * 3] * 21}
BODY = {"image": [[0.5, 0.5, 0.0, 1.0]] * 33, "world": [[0.0] * 3] * 33}
FRAME = {"t_us": 5, "hands": [HAND], "bodies": [BODY], "label": "fist"}
PLACES = places(FRAME)[1:]

# What makes programs that read JSON stumble: size, depth, texts where numbers are expected.
ODD = json_values | st.sampled_from(
    [
        10**400, -1, 1 << 62, 1e308, 1001, True, None, "x" * 50_000, "\ud800", "\x1b[2J", [], {},
        ["x" * 50_000, *[""] * 40_000], [[[]] * 3] * 21, [[0] * 4] * 21, [[1e300] * 3] * 21,
    ]
)  # fmt: skip


@st.composite
def odd_frames(draw: st.DrawFn) -> bytes:
    """A good frame, one with an odd value at some place, a good frame."""
    frame = copy.deepcopy(FRAME)
    *way, last = draw(st.sampled_from(PLACES))
    inner: Any = frame
    for key in way:
        inner = inner[key]
    inner[last] = draw(ODD)
    return b"\n".join([header, b'{"t_us": 1}', json.dumps(frame).encode(), b'{"t_us": 9}', b""])


def nested(depth: int) -> bytes:
    return b'{"t_us": 1, "hands": [{"side": ' + b"[" * depth + b"]" * depth + b"}]}"


edits = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.integers(0, 4), st.binary(max_size=4)), max_size=4
)


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    """A good trace, zipped or not, in which some bytes were replaced, cut out or inserted."""
    data = b"\n".join([header, json.dumps(FRAME).encode(), b'{"t_us": 7}', b""])
    if draw(st.booleans()):
        data = gzip.compress(data, mtime=0)
    for place, cut, new in draw(edits):
        at = place % (len(data) + 1)
        data = data[:at] + new + data[at + cut :]
    return data


ENOUGH_BYTES = 64 * MAX_LINE_BYTES
"""A line of JSON made of empty lists takes some 30 times its own size, and no trace takes more."""

anything = (
    st.binary(max_size=200)
    | damaged_traces
    | damaged_gzip()
    | odd_frames()
    | edited()
    | st.integers(900, 100_000).map(lambda depth: header + b"\n" + nested(depth))
)


@settings(max_examples=400, deadline=None)
@given(anything)
@example(header + b"\n" + b"[]," * 87_000)
@example(header + b"\n[" + b"[]," * 87_000 + b"[]]")
@example(header + b"\n" + json.dumps({"t_us": 1, "hands": [{}] * 60_000}).encode())
@example(header + b'\n{"t_us": 1, "hands": [' + b"{}," * 80_000 + b"{}]}")
@example(gzip.compress(header + b"\n" + bytes(20_000_000)))
@example(b"\xff\xfe" + header.decode().encode("utf-16-le"))
def test_any_bytes_are_a_trace_or_a_trace_error_that_says_where(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(data)
        tracemalloc.start()
        try:
            for observation, label in read_trace(path):
                assert observation.t_us >= 0
                assert label is None or label.isprintable()
        except TraceError as error:
            said = str(error).removeprefix(str(path))
            assert re.fullmatch(r":\d+: .{10,300}", said), said
            assert said.isprintable()
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < ENOUGH_BYTES


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(odd_frames() | edited() | damaged_traces)
@example(header + b'\n{"t_us": 5}\n{"t_us": 4}')
@example(header + b'\n{"t_us": 5}\n{"t_us": %d}' % ((1 << 62) - 1))
def test_replaying_any_file_ends_well_or_says_what_is_wrong_with_the_trace(
    capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(data)
        arguments = ["gesturectl", "replay", "--json", str(path)]
        with mock.patch.object(sys, "argv", arguments), pytest.raises(SystemExit) as ended:
            main()
    _, err = capsys.readouterr()
    assert ended.value.code in (None, 0, TraceError.exit_code)
    assert "Traceback" not in err
    if ended.value.code:
        assert str(path) in err.replace("\n", "")
