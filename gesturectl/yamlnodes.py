"""Read YAML as nodes that know where they stand, and say what is wrong with them.

In:  the bytes or text of a file.  Out: a tree of `Scalar`, `Items`, `Mapping`, or `Problem`s.

A YAML loader decides what a word means before anyone can ask: PyYAML turns `on` into True, `1:30`
into 90, and drops the first of two equal keys without a word. Here scalars stay the text they are
written as, whoever knows the schema decides what they mean, and every node keeps its line and
column. The tree is built from the parser's events, without recursion, so that no file, however
nested or however many aliases it multiplies, costs more than `LIMITS` allow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import yaml

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where it is


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be. A profile of 500 bindings has 50 KiB, 7000 nodes and depth 6."""

    size_bytes: int = 256 * 1024
    depth: int = 16
    nodes: int = 50_000  # counted after aliases are written out


LIMITS: Final = Limits()


# --- problems -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node begins, line and column from 0, and how many characters to underline."""

    line: int
    column: int
    width: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a file. Line and column count from 1, as editors do."""

    line: int
    column: int
    message: str
    advice: str = ""
    filename: str = ""
    excerpt: str = ""  # the source line and, under it, the caret

    def __str__(self) -> str:
        lines = [f"{self.filename}:{self.line}:{self.column}: {self.message}"]
        lines += [f"    {line}" for line in self.excerpt.splitlines()]
        lines += [f"    {line}" for line in self.advice.splitlines()]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file's name and lines, from which problems quote."""

    filename: str
    lines: tuple[str, ...]

    def at(self, place: Place) -> str:
        """Return the character that stands there, or nothing at the end of a line or the text."""
        line = self.lines[place.line] if place.line < len(self.lines) else ""
        return line[place.column : place.column + 1]

    def problem(self, place: Place, message: str, advice: str = "") -> Problem:
        """Describe what is wrong at `place`, with the line and a caret under it."""
        line = self.lines[place.line] if place.line < len(self.lines) else ""
        excerpt = _excerpt(line, place.column, place.width)
        message, advice = (_LONG_QUOTE.sub(r"`\1…`", text) for text in (message, advice))
        return Problem(place.line + 1, place.column + 1, message, advice, self.filename, excerpt)


_LONG_QUOTE = re.compile(r"`([^`]{60})[^`]+`")
_SHOWN = 96  # columns of a source line that an excerpt shows


def _excerpt(line: str, column: int, width: int) -> str:
    """Return the line and a second one with carets; long lines are cut around the place."""
    start = max(0, column - _SHOWN // 2) if len(line) > _SHOWN else 0
    shown = "".join(c if c.isprintable() else " " for c in line[start : start + _SHOWN])
    before, marked = shown[: column - start], shown[column - start : column - start + width]
    ellipsis = "…" if start else ""
    indent = 0 if start else len(before) - len(before.lstrip())
    carets = "^" * max(1, _columns(marked))
    pad = " " * (len(ellipsis) + _columns(before[indent:]))
    tail = "…" if start + _SHOWN < len(line) else ""
    return f"{ellipsis}{shown[indent:].rstrip()}{tail}\n{pad}{carets}"


def _columns(text: str) -> int:
    """How wide a terminal draws it: ideographs take two columns, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


# --- nodes --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word or text as written. `blank` is a place left empty, which is not the text `""`."""

    text: str
    blank: bool
    place: Place
    size: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    place: Place
    size: int
    height: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values, in the file's order; every key stands once."""

    entries: dict[str, tuple[Scalar, Node]]
    place: Place
    size: int
    height: int

    def value(self, key: str) -> Node | None:
        """Return what stands under a key, None without such a key."""
        return self.entries[key][1] if key in self.entries else None


Node = Scalar | Items | Mapping


class Blank(Enum):
    """What stands where nothing is written, as after `key:`. No default may take its place."""

    BLANK = "blank"


BLANK: Final = Blank.BLANK

Plain = str | Blank | tuple["Plain", ...] | dict[str, "Plain"]


def plain(node: Node) -> Plain:
    """Return the tree without its places: dict, tuple, str, and BLANK."""
    match node:
        case Scalar():
            return BLANK if node.blank else node.text
        case Items():
            return tuple(plain(item) for item in node.items)
        case Mapping():
            return {name: plain(value) for name, (_, value) in node.entries.items()}


def listed(node: Node) -> tuple[Node, ...]:
    """Return the items of a list; what is none stands for the list of it alone."""
    return node.items if isinstance(node, Items) else (node,)


def locate(node: Node, path: Iterable[str | int], *, key: bool = False) -> Place:
    """Return where a path of keys and indices leads, as far as the file goes along with it.

    Steps that the file does not have are passed over: a schema may see a list where the file
    has a single value. With `key`, the place is that of the last key, not of its value.
    """
    place = node.place
    for step in path:
        match node, step:
            case Mapping(), str() if step in node.entries:
                name, node = node.entries[step]
                place = name.place if key else node.place
            case Items(), int() if step < len(node.items):
                node = node.items[step]
                place = node.place
    return place


# --- reading ------------------------------------------------------------------------------------

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # YAML 1.1, as libyaml counts lines
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


class _Unreadable(Exception):  # noqa: N818 — says why reading stopped
    """Reading cannot go on; carries the last problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def read(data: bytes | str, filename: str) -> tuple[SourceText, Node | None, list[Problem]]:
    """Read one YAML document.

    Returns the text to quote from, the tree (None when it cannot be read to its end) and the
    problems found on the way: encoding, size, syntax, keys that stand twice.
    """
    problems: list[Problem] = []
    size_bytes = len(data.encode(errors="surrogatepass") if isinstance(data, str) else data)
    if size_bytes > LIMITS.size_bytes:
        message = f"a file of more than {LIMITS.size_bytes // 1024} KiB is not read"
        return SourceText(filename, ()), None, [Problem(1, 1, message, "", filename)]
    text = data if isinstance(data, str) else _decoded(data, filename, problems)
    text = text.removeprefix("\ufeff")  # some editors on Windows begin UTF-8 files with it
    source = SourceText(filename, tuple(_LINE_BREAK.split(text)))
    if not problems:
        problems += _invisible(source)
    if problems:
        return source, None, problems
    stack: list[_Open] = []
    try:
        node = _composed(yaml.parse(text, Loader=_LOADER), stack, source, problems)
    except _Unreadable as stop:
        return source, None, [*problems, stop.problem]
    except yaml.MarkedYAMLError as error:
        return source, None, [*problems, _syntax_problem(error, stack, source)]
    return source, node, problems


def _decoded(data: bytes, filename: str, problems: list[Problem]) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        advice = "save it as UTF-8"
        problems.append(Problem(1, 1, "this file is written in UTF-16", advice, filename))
        return ""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        text = data.decode(errors="replace")
        before = _LINE_BREAK.split(data[: error.start].decode())
        place = Place(len(before) - 1, len(before[-1]))
        source = SourceText(filename, tuple(_LINE_BREAK.split(text)))
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        problems.append(source.problem(place, message, "save the file as UTF-8"))
        return text


def _invisible(source: SourceText) -> Iterator[Problem]:
    for number, line in enumerate(source.lines):
        if found := _UNPRINTABLE.search(line):
            message = f"the invisible character U+{ord(found[0]):04X} stands here"
            yield source.problem(Place(number, found.start()), message, "delete it")


def _syntax_problem(error: yaml.MarkedYAMLError, stack: list[_Open], source: SourceText) -> Problem:
    """Say in words for authors what the scanner says in words of its grammar."""
    said, context = error.problem or "", error.context or ""
    mark, opened = error.problem_mark or error.context_mark, error.context_mark
    place = Place(mark.line, mark.column) if mark else Place(0, 0)
    begun = Place(opened.line, opened.column) if opened else place
    at = source.at(place)
    brackets = [one.place for one in stack if one.in_brackets]
    if at == "\t" or "tab character" in said:
        return source.problem(place, "a tab stands where YAML wants spaces", "indent with spaces")
    if "cannot start any token" in said:
        advice = f"a text that begins with `{at}` must stand in quotes"
        return source.problem(place, f"`{at}` cannot begin a word", advice)
    if "mapping values are not allowed" in said:
        advice = "put the text in quotes if the `:` belongs to it, or mend the indentation"
        return source.problem(place, "a `:` stands where no key can be", advice)
    if "unexpected end of stream" in said:
        return source.problem(begun, "this quote is never closed", "close it on the same line")
    if brackets and ("flow" in context or "node" in context or "simple key" in context):
        bracket = source.at(brackets[-1])
        close = "}" if bracket == "{" else "]"
        advice = f"close it with `{close}`, and put a `,` between the items"
        return source.problem(brackets[-1], f"this `{bracket}` is not closed properly", advice)
    if "block collection" in context:
        advice = "begin it with `- `, or indent it"
        return source.problem(place, "this is not an item of the list above", advice)
    if "block mapping" in context and source.lines[place.line][: place.column].strip():
        advice = "if it belongs to the text, put the whole text in double quotes"
        return source.problem(place, "this cannot follow here", advice)
    if "block mapping" in context:
        advice = f"line up the keys that belong to line {begun.line + 1}"
        return source.problem(place, "this line is indented unlike those above", advice)
    if "simple key" in context:
        return source.problem(begun, "this key has no value", "write `key: value`")
    return source.problem(place, f"this is not YAML: {said or error}")


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    place: Place
    anchor: str | None
    is_mapping: bool
    in_brackets: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    key: Node | None = None
    size: int = 1
    height: int = 1


def _composed(
    events: Iterable[Any], stack: list[_Open], source: SourceText, problems: list[Problem]
) -> Node | None:
    anchors: dict[str, Node] = {}
    documents = 0
    root: Node | None = None
    for event in events:
        start, end = event.start_mark, event.end_mark
        place = Place(start.line, start.column, max(1, end.column - start.column))
        if start.line != end.line:
            place = Place(start.line, start.column, _rest(source, start.line, start.column))
        if getattr(event, "tag", None) is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            message = f"the tag `{tag}` has no meaning here"
            problems.append(source.problem(place, message, "leave it out"))
        node: Node
        match event:
            case yaml.DocumentStartEvent():
                documents += 1
                if documents > 1:
                    advice = "write each into a file of its own"
                    raise _Unreadable(source.problem(place, "a second document begins", advice))
                continue
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                stack.append(_Open(place, event.anchor, is_mapping, bool(event.flow_style)))
                if len(stack) > LIMITS.depth:
                    raise _Unreadable(source.problem(place, _TOO_DEEP))
                continue
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                top = stack.pop()
                node, anchor = _closed(top, end.line, end.column, source), top.anchor
            case yaml.AliasEvent():
                if event.anchor not in anchors:
                    message = f"nothing before this is named `&{event.anchor}`"
                    raise _Unreadable(source.problem(place, message))
                node, anchor = anchors[event.anchor], None
            case yaml.ScalarEvent():
                blank = not event.value and not event.style
                node, anchor = Scalar(event.value, blank, place), event.anchor
            case _:
                continue
        if anchor is not None:
            anchors[anchor] = node
        if not stack:
            root = node
            continue
        _added(stack[-1], node, place, source, problems)
        if len(stack) + node.height > LIMITS.depth:
            raise _Unreadable(source.problem(place, _TOO_DEEP))
        if stack[-1].size > LIMITS.nodes:
            message = f"with this, the file has more than {LIMITS.nodes} values"
            raise _Unreadable(source.problem(place, message, "are aliases multiplying?"))
    return root


_TOO_DEEP = f"brackets or lists are nested more than {LIMITS.depth} deep"


def _rest(source: SourceText, line: int, column: int) -> int:
    return max(1, len(source.lines[line].rstrip()) - column)


def _closed(top: _Open, end_line: int, end_column: int, source: SourceText) -> Node:
    line, column = top.place.line, top.place.column
    one_line = end_line == line and end_column > column
    width = end_column - column if one_line else _rest(source, line, column)
    place = Place(line, column, width)
    if top.is_mapping:
        return Mapping(top.entries, place, top.size, top.height)
    return Items(tuple(top.items), place, top.size, top.height)


def _added(
    top: _Open, node: Node, place: Place, source: SourceText, problems: list[Problem]
) -> None:
    """Put a finished node into the list or mapping that is open around it."""
    top.size += node.size
    top.height = max(top.height, node.height + 1)
    if not top.is_mapping:
        top.items.append(node)
    elif top.key is None:
        top.key = node
        if not isinstance(node, Scalar):
            problems.append(source.problem(place, "a key must be a single word"))
    else:
        key, top.key = top.key, None
        if not isinstance(key, Scalar):
            return
        if key.text in top.entries:
            first = top.entries[key.text][0].place.line + 1
            message = f"`{key.text}` stands here a second time; the first is on line {first}"
            problems.append(source.problem(key.place, message, "keep one of them"))
            return
        top.entries[key.text] = (key, node)
