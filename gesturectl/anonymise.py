"""Take out of settings and profiles whatever a person wrote in words of his own.

In:  nodes of YAML, or text of ours.  Out: the same shape, to be shown to strangers.

Nothing is searched for that might be private. What stays is what the language itself knows: its
keys, gestures of the catalog, names of keys that are no characters, numbers and times. Every other
word becomes a placeholder, the same one wherever it stands, so that it still can be seen that a
binding enters a mode that exists. Under what is said, sent, started or matched not even numbers
stay, for a PIN is one.

    {gesture: wave_of_anna, mode: [active, work], do: [{keys: ctrl+c h i}, {text: 1234}]}
    {gesture: word-1, mode: [active, word-2], do: [{keys: ctrl+c … …}, {text: word-3}]}

A `Scrubber` is the second line: it takes known words, addresses and paths out of sentences of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from gesturectl import keys, yamlnodes
from gesturectl.actions import ACTIONS
from gesturectl.schema import json_schema
from gesturectl.sources import SOURCES
from gesturectl.yamlnodes import Items, Node, Scalar

Plain = str | list["Plain"] | dict[str, "Plain"] | None

# Actions whose values are of the language; a new action is closed until it is named here.
OPEN_ACTIONS: Final = frozenset(
    {"key", "keys", "wait", "media", "button", "click", "scroll", "pointer", "mode", "profile",
     "hand_over"}
)  # fmt: skip
CLOSED: Final = frozenset(ACTIONS) - OPEN_ACTIONS | {
    "match", "when", "macro", "with", "says", "name", "app", "title", "executable",
    "release_when", "screen", "allow_hosts", "hand_model", "pose_model",
}  # fmt: skip
"""Under these nothing stays but the shape."""
NAMED: Final = frozenset({"gesture", "mode", "inherits", "inherit", "imports", "zone", "profile"})
"""Under these a word of the language stays, and a number does not: it would be a name."""
CHORDS: Final = frozenset({"key", "keys", "chord"})
WORDS: Final = frozenset({"active", "sleep", "back", "any", "true", "false", "auto", "forever"})
MIN_KNOWN_CHARS: Final = 3  # shorter words are parts of too many others

_NUMBER: Final = re.compile(
    r"[-+]?\d{1,9}(\.\d{1,6})?\s?(ms|s|min|h|%|deg|°|(day|week|year)s?)?|1:\d+", re.ASCII
)
_SPELLS: Final = frozenset({"Shift", "shift", "AltGr", "altgr"})  # with these a character is text


@cache
def vocabulary() -> frozenset[str]:
    """Return every word that the language of profiles knows by itself."""
    return frozenset(_words(json_schema())) | WORDS


def _words(schema: Any) -> Iterator[str]:
    """Yield names of properties and fixed values, at any depth."""
    if isinstance(schema, list):
        for one in schema:
            yield from _words(one)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("examples", "defaultSnippets"):
                continue
            if key == "properties":
                yield from value
            elif key in ("enum", "const"):
                listed = value if isinstance(value, list) else [value]
                yield from (one for one in listed if isinstance(one, str))
            yield from _words(value)


@dataclass(slots=True)
class Anonymiser:
    """Turns nodes into plain values. `known` are words that stay, beyond those of profiles.

    `taken` holds what was taken out, with its placeholder.
    """

    known: frozenset[str] = frozenset()
    taken: dict[str, str] = field(default_factory=dict)

    def plain(self, node: Node, key: str = "", *, closed: bool = False) -> Plain:
        """Return what a node holds, as it may be shown. `key` is what it stands under."""
        if isinstance(node, Scalar):
            return None if node.blank else self._scalar(node.text, key, closed=closed)
        if isinstance(node, Items):
            return [self.plain(one, key, closed=closed) for one in node.items]
        shown: dict[str, Plain] = {}
        for name, (_, value) in node.entries.items():
            known = self._knows(name)
            # Under a key that the language does not know may stand anything: `txet: 1234`.
            inner = closed or name in CLOSED or not (known or key in _NAMES_ITS_OWN)
            shown[name if known else self.placeholder(name)] = self.plain(
                value, name if known else "", closed=inner
            )
        return shown

    def placeholder(self, text: str) -> str:
        """Return what stands for a text: the same one each time."""
        return self.taken.setdefault(text, f"word-{len(self.taken) + 1}")

    def _knows(self, word: str) -> bool:
        return word in vocabulary() or word in self.known

    def _scalar(self, text: str, key: str, *, closed: bool) -> str:
        if closed:
            return self.placeholder(text)
        if key == "source":
            return source_kind(text)
        if key in CHORDS:
            return " ".join(self._chord(one) for one in text.split())
        if self._knows(text) or (key not in NAMED and _NUMBER.fullmatch(text)):
            return text
        return self.placeholder(text)

    def _chord(self, text: str) -> str:
        """Return a chord; characters, which can spell a word, only where a modifier is held."""
        if _NUMBER.fullmatch(text) and len(text) > 1:
            return text if text[-1].isalpha() else "…"  # a pause; `1234` is none
        *held, last = re.split(r"\+(?!$)", text)
        spelled = len(last) == 1 and not (held and set(held) - _SPELLS)
        if spelled or not all(_is_key(one) for one in (*held, last)):
            return "…" if spelled else self.placeholder(text)
        return text


_NAMES_ITS_OWN: Final = frozenset({"modes", "zones", "macros"})  # their keys are names


def _is_key(name: str) -> bool:
    return len(name) == 1 or not keys.unknown([name]) or name in vocabulary()


def shown(data: bytes, filename: str, anonymiser: Anonymiser) -> Plain:
    """Return what a YAML file holds, as it may be shown; comments and order of lines are gone."""
    _, node, problems = yamlnodes.read(data, filename)
    if node is None:
        return f"not readable: {len(problems)} problem(s)" if problems else None
    return anonymiser.plain(node)


# --- sources --------------------------------------------------------------------------------------


def source_kind(spec: str) -> str:
    """Return what kind of source it is: a camera's number or device stays, all else goes."""
    if spec.isdecimal():
        return f"camera:{spec}"
    kind, _, what = spec.partition(":")
    if kind == "camera" and re.fullmatch(r"\d{1,3}|/dev/video\d{1,3}", what, re.ASCII):
        return spec
    return kind if kind in SOURCES else "other"


def source_words(spec: str) -> list[str]:
    """Return the words of a source that name something of the user's."""
    if source_kind(spec) in (spec, f"camera:{spec}"):
        return []
    rest = spec.partition(":")[2] or spec
    return [rest, spec, rest.rpartition("/")[2], *re.split(r"[/@:?&=]+", rest)]


# --- sentences ------------------------------------------------------------------------------------

_ADDRESS: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_MAIL_OR_USER: Final = re.compile(r"\S+@\S+")
_PATH: Final = re.compile(r"(?<![\w.])(?:~|[A-Za-z]:)?[/\\](?!dev/video\d)[^\s'\"`;,()]+")
_IP: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


class Scrubber:
    """Takes known words, addresses and paths out of sentences."""

    def __init__(
        self,
        words: Iterable[str],
        replaced: Mapping[str, str] | None = None,
        keep: Iterable[str] = (),
    ) -> None:
        """Take out `words`, and what `replaced` says, by its name; `keep` looks like addresses."""
        self._keep = frozenset(keep)
        with_name = dict.fromkeys(words, "…") | dict(replaced or {})
        self._names = {
            word.casefold(): name
            for word, name in with_name.items()
            if len(word) >= MIN_KNOWN_CHARS and word not in vocabulary()
        }
        longest_first = sorted(self._names, key=len, reverse=True)
        known = "|".join(map(re.escape, longest_first)) or r"(?!)"
        # Whole words, also those joined by `_`: of `the` nothing must become of `other`.
        self._known = re.compile(rf"(?<![^\W_])(?:{known})(?![^\W_])", re.IGNORECASE)

    def text(self, text: str) -> str:
        """Return a sentence without them."""
        text = self._known.sub(lambda found: self._names.get(found[0].casefold(), "…"), text)
        for pattern, name in (
            (_ADDRESS, "<address>"), (_MAIL_OR_USER, "<address>"), (_PATH, "<path>"),
        ):  # fmt: skip
            text = pattern.sub(name, text)
        return _IP.sub(lambda found: found[0] if found[0] in self._keep else "<address>", text)

    def value(self, value: Any) -> Any:
        """Return a value of JSON with every text in it scrubbed, names of fields apart."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return {key: self.value(one) for key, one in value.items()}
        return value
