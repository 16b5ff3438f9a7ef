"""Lines of control: however they are cut, and whatever they hold, they are read alike."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from gesturectl.control import wire
from gesturectl.control.wire import Lines, Refused


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line)), st.data())
def test_lines_do_not_depend_on_how_they_arrive(rows: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(row + b"\n" for row in rows)
    lines, found = Lines(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        lines.add(stream[:size])
        stream = stream[size:]
        if data.draw(st.booleans()):
            found += iter(lines.take, None)
    found += iter(lines.take, None)
    assert found == rows


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_being_refused(line: bytes) -> None:
    with contextlib.suppress(Refused):
        wire.request(line)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["ask", "id", "name", "follow", "action", "protocol", "x"]),
        st.sampled_from(list(wire.ASKS)) | JSON,
    )
)
def test_whatever_is_read_can_be_written_and_read_again(row: dict[str, object]) -> None:
    try:
        request = wire.request(wire.encode(row))
    except Refused:
        return
    assert wire.request(wire.asking(request.ask, request.value, request.id)) == request
