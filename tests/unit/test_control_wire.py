"""What a line says: every request there is can be written, and whatever else comes is refused."""

from __future__ import annotations

import pytest

from gesturectl.cli import CtlDo
from gesturectl.control import wire
from gesturectl.control.desk import HANDLERS
from gesturectl.control.wire import ASKS, Lines, Refused, Request
from tests.conftest import ROOT

VALUES: dict[str, wire.Value] = {
    "name": "volume",
    "action": "{key: a}",
    "follow": True,
    "protocol": 1,
}


@pytest.mark.parametrize("ask", ASKS)
def test_what_is_asked_is_read_as_it_was_meant(ask: str) -> None:
    value = VALUES.get(ASKS[ask].argument or "")
    line = wire.asking(ask, value, 7)
    assert line.endswith(b"\n")
    assert wire.request(line) == Request(ask, value, 7)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"status", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 5000, "nested too deeply"),
        (b'{"ask": "status", "ask": "quit"}', "twice"),
        (b'{"id": NaN}', "NaN"),
        (b"[1]", "an object"),
        (b"{}", "`ask` is one of: status"),
        (b'{"ask": "staus"}', "not 'staus'"),
        (b'{"ask": ["quit"]}', "a list"),
        (b'{"ask": "status", "name": "x"}', "`status` takes no `name`"),
        (b'{"ask": "mode"}', "`mode` takes `name`, a text"),
        (b'{"ask": "mode", "name": 1}', "`mode` takes `name`, a text"),
        (b'{"ask": "events", "follow": 1}', "true or false"),
        (b'{"ask": "status", "id": 1.5}', "`id` is"),
        (b'{"ask": "status", "id": true}', "`id` is"),
    ],
)
def test_a_line_that_asks_for_nothing_there_is_is_refused_in_words(line: bytes, says: str) -> None:
    with pytest.raises(Refused, match=says.replace("[", r"\[")):
        wire.request(line)


def test_a_refusal_knows_which_request_it_belongs_to() -> None:
    with pytest.raises(Refused) as refused:
        wire.request(b'{"ask": "mode", "id": "left"}')
    assert refused.value.id == "left"


def test_a_line_that_comes_in_drops_is_whole_at_its_end() -> None:
    lines = Lines()
    for byte in b"one\ntwo":
        lines.add(bytes([byte]))
    assert (lines.take(), lines.take()) == (b"one", None)
    lines.add(b"\n\n")
    assert (lines.take(), lines.take(), lines.take()) == (b"two", b"", None)


def test_a_line_without_an_end_is_not_waited_for() -> None:
    lines = Lines(8)
    lines.add(b"1234567")
    assert not lines
    assert lines.take() is None
    lines.add(b"8")
    assert lines
    with pytest.raises(ValueError, match="at most 8 bytes"):
        lines.take()


def test_all_that_can_be_asked_is_answered_documented_and_on_the_command_line() -> None:
    assert set(ASKS) == {*HANDLERS, "hello"} == {*(one.value for one in CtlDo), "hello"}
    page = (ROOT / "docs" / "control.md").read_text("utf-8")
    for name, spec in ASKS.items():
        assert f"| `{name}` |" in page
        assert spec.says in page
