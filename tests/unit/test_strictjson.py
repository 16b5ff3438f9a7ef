"""JSON has one meaning, or it is refused in one short line."""

from __future__ import annotations

import pytest

from gesturectl.strictjson import brief, loads


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": [1, 2.5, null, true], "b": "\xc3\xa9"}', {"a": [1, 2.5, None, True], "b": "é"}),
        (b'{"a": {"b": 1}, "b": {"b": 2}}', {"a": {"b": 1}, "b": {"b": 2}}),
        (b"7", 7),
    ],
)
def test_json_is_read(raw: bytes, value: object) -> None:
    assert loads(raw) == value


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "Expecting value"),
        (b"{} {}", "Extra data"),
        (b'{"a": 1, "b": {"c": 2, "c": 3}}', "the key 'c' is there twice"),
        (b'{"' + b"a" * 999 + b'": 1, "' + b"a" * 999 + b'": 1}', "is there twice"),
        (b"[NaN]", "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b"1" * 10_000, "digits"),
        (b"\xff", "can't decode"),
        ("[1]".encode("utf-16"), "can't decode"),
    ],
)
def test_what_has_no_meaning_or_two_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        loads(raw)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "None"),
        ("v" * 99, "'" + "v" * 39),
        ([[[]]], "a list"),
        ({}, "an object"),
        (1.5, "1.5"),
    ],
)
def test_a_value_is_told_in_few_characters(value: object, said: str) -> None:
    assert brief(value) == said
