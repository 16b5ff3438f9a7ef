"""The node reader: places, raw text, bounds."""

from __future__ import annotations

import pytest

from gesturectl.yamlnodes import (
    BLANK,
    LIMITS,
    Node,
    Place,
    SourceText,
    locate,
    plain,
    read,
)

TEXT = """\
a: {b: [1, no], c: "x: y"}
d:
  - e:
  - 'f'
"""


def tree(text: str) -> Node:
    _, node, problems = read(text, "t.yaml")
    assert problems == []
    assert node is not None
    return node


def test_scalars_stay_the_text_they_are() -> None:
    assert plain(tree(TEXT)) == {
        "a": {"b": ("1", "no"), "c": "x: y"},
        "d": ({"e": BLANK}, "f"),
    }


def test_an_empty_text_in_quotes_is_not_a_blank() -> None:
    assert plain(tree("a: ''\nb:")) == {"a": "", "b": BLANK}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), Place(0, 0, 26)),
        (("a",), Place(0, 3, 23)),
        (("a", "b"), Place(0, 7, 7)),
        (("a", "b", 1), Place(0, 11, 2)),
        (("a", "c"), Place(0, 19, 6)),
        (("d", 1), Place(3, 4, 3)),
        (("d", 7, "x"), Place(2, 2, 4)),
    ],
)
def test_every_node_knows_where_it_stands(path: tuple[str | int, ...], place: Place) -> None:
    assert locate(tree(TEXT), path) == place


def test_a_key_has_its_own_place() -> None:
    assert locate(tree(TEXT), ("a", "c"), key=True) == Place(0, 16, 1)


def test_aliases_count_as_often_as_they_are_written() -> None:
    row = "[" + ", ".join(["*a"] * 1000) + "]"
    _, node, problems = read(f"a: &a [{', '.join('x' * 100)}]\nb: {row}\n", "t.yaml")
    assert node is None
    assert f"more than {LIMITS.nodes} values" in problems[0].message


def test_depth_counts_through_aliases() -> None:
    half = LIMITS.depth // 2
    text = f"a: &a {'[' * half}{']' * half}\nb: {'[' * half}*a{']' * half}\n"
    _, node, problems = read(text, "t.yaml")
    assert node is None
    assert "nested more than" in problems[0].message


def test_an_alias_cannot_hold_itself() -> None:
    _, node, problems = read("a: &a [*a]", "t.yaml")
    assert node is None
    assert problems[0].message == "nothing before this is named `&a`"


def test_carets_stand_under_what_they_mean_also_after_wide_letters() -> None:
    problem = SourceText("t.yaml", ("演示: héllo",)).problem(Place(0, 4, 5), "here")
    text, carets = problem.excerpt.splitlines()
    assert text == "演示: héllo"
    assert carets == "      ^^^^^"


def test_long_lines_are_cut_around_the_place() -> None:
    line = "x" * 500 + "HERE" + "y" * 500
    text, carets = SourceText("t.yaml", (line,)).problem(Place(0, 500, 4), "").excerpt.splitlines()
    assert len(text) < 100
    assert text[carets.index("^") : carets.rindex("^") + 1] == "HERE"
