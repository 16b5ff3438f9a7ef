"""Whatever the text, a profile is read or refused in words; and nothing that is wrong is hidden."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gesturectl.catalog import catalog
from gesturectl.errors import ProfileError
from gesturectl.profile import parse
from gesturectl.yamlnodes import Problem

# Pieces of profiles, right and wrong, so that chance gets further than the first line.
PIECES = [
    "version: 1\n", "bindings:\n", "  - ", "- ", "gesture", "do", "key", ": ", ":", ", ", "{", "}",
    "[", "]", "fist", "swipe_left", "arms_up", "ctrl+a", "hold_for", "while", "repeat", "within",
    "800ms", "true", "1", "side", "left", "'", '"', "&a ", "*a", "!!int ", "|", "\n", "\n    ",
    "\t", "#", "---\n", "<<", "?", "@", "%", "\x00", "\ufeff", "é", "演", "\u2028", "\r",
]  # fmt: skip


def refused(text: str | bytes) -> tuple[Problem, ...]:
    """Return the problems of a profile; nothing but a ProfileError may come out of it."""
    try:
        parse(text)
    except ProfileError as error:
        assert error.problems, "a refusal without a reason"
        assert str(error)
        return error.problems  # type: ignore[return-value]
    return ()


@given(st.text())
@example("[" * 100_000)
@example("{a: " * 50_000)
@example("- " * 60_000)
@example("? " * 60_000)
@example("a: &a [*a, *a]")
@example("{")
@example("\x85[")
@example("\ud800")
@example("a" * 300_000)
def test_any_text_is_read_or_refused(text: str) -> None:
    refused(text)


@given(st.binary())
@example(b"\xff\xfev\x00")
@example(b"version: 1\nbindings: \xc3")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    refused(data)


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_any_heap_of_pieces_is_read_or_refused(text: str) -> None:
    refused(text)
    refused("version: 1\nbindings:\n  - " + text)


values = st.recursive(
    st.sampled_from([*catalog(), *PIECES[9:12], "800ms", "true", "left", "Right", "", "0.5"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["key", "keys", "text", "scroll", "up", "after", "every", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
KEYS = ["gesture", "side", "tap", "hold_for", "repeat", "while", "within", "confidence", "do", "x"]


def flow(value: object) -> str:
    """Write a value in one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return f'"{value}"' if value in ("{", "}", "[", "]", ", ") else str(value)


@given(st.lists(st.dictionaries(st.sampled_from(KEYS), values, max_size=5), max_size=4))
def test_any_tree_in_the_place_of_bindings_is_read_or_refused(bindings: list[object]) -> None:
    text = f"version: 1\nbindings: {flow(bindings)}"
    lines = text.splitlines()
    for problem in refused(text):
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert "Input should" not in problem.message, "pydantic's words, not ours"
        assert "valid" not in problem.message


MISTAKES = [
    "  - {gesture: fits, do: {key: a}}",
    "  - {gesture: fist, do: {key: Rihgt}}",
    "  - {gesture: fist, hold_for: 400, do: {key: a}}",
    "  - {gesture: fist, cooldwn: 1s, do: {key: a}}",
    "  - {gesture: swipe_left, hold_for: 1s, do: {key: a}}",
    "  - {gesture: arms_up, side: left, do: {key: a}}",
    "  - {gesture: fist, side: up, do: {key: a}}",
    "  - {gesture: fist, confidence: 2, do: {key: a}}",
    "  - {gesture: fist, do: {run: [ls]}}",
    "  - {gesture: fist, do: {key: a, text: b}}",
    "  - {gesture: fist, while: true, do: {text: b}}",
    "  - {gesture: fist}",
    "  - {do: {key: a}}",
    "  - fist",
    "  - {gesture: fist, do: {scroll: {up: 0}}}",
    "  - {gesture: fist, do: {key: a}, do: {key: b}}",
]


@given(st.lists(st.sampled_from(MISTAKES), min_size=1, max_size=12))
def test_every_mistake_is_told_in_one_pass(mistakes: list[str]) -> None:
    problems = refused("\n".join(["version: 1", "bindings:", *mistakes]))
    for line in range(3, 3 + len(mistakes)):
        assert any(problem.line == line for problem in problems), mistakes[line - 3]
    assert list(problems) == sorted(problems)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_alone_is_one_problem(mistake: str) -> None:
    assert len(refused(f"version: 1\nbindings:\n{mistake}\n")) == 1
