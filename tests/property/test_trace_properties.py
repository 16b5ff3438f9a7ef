"""Whatever was seen can be written and read again; whatever a file holds cannot do harm."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from pathlib import Path

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from gesturectl.errors import TraceError
from gesturectl.trace import DECIMALS, TraceWriter, read_trace, reduce_face
from gesturectl.types import Body, Hand, Observation


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
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
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


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | damaged_traces | damaged_gzip())
def test_any_bytes_are_a_trace_or_a_trace_error(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(data)
        try:
            for observation, _ in read_trace(path):
                assert observation.t_us >= 0
        except TraceError as error:
            assert str(error).startswith(str(path))
