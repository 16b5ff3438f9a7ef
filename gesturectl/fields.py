"""The kinds of values a profile can hold: each knows its text, its advice and its schema.

In:  the text of one YAML scalar.  Out: a typed value, or an error that says what to write instead.

Times become integer microseconds and must carry their unit. Nothing is guessed: `yes` is not
`true`, `400` is not `400ms`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from gesturectl.catalog import Gesture
from gesturectl.yamlnodes import BLANK

SideName = Literal["left", "right", "either"]
LandmarkName = Literal["hand", "both_hands", "body"]

WRONG: Final = "wrong"  # the type of our own errors among pydantic's


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a value may refer to: the names known here, and what the user's own settings allow.

    `allow_run` lets a profile start programs, `allow_hosts` send messages beyond this machine.
    """

    gestures: Mapping[str, Gesture] = field(default_factory=dict)
    zones: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    macros: frozenset[str] = frozenset()
    allow_run: bool = False
    allow_hosts: frozenset[str] = frozenset()


def wrong(message: str, advice: str = "") -> PydanticCustomError:
    """Build the error of one value: what is wrong, and what to do."""
    context = {"message": message, "advice": advice}
    return PydanticCustomError(WRONG, "{message}", context)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the right name that was probably meant, or None."""
    by_fold = {fold(right): right for right in names}
    found = get_close_matches(fold(name), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def fold(name: str) -> str:
    """Return the name as a hurried reader sees it: `Swipe-Left` is `swipe_left`."""
    return re.sub(r"[\s-]+", "_", name.strip()).casefold()


def advise(name: str, names: Iterable[str]) -> str:
    """Name the nearest right name, or all of them when none is near."""
    names = tuple(names)
    if near := nearest(name, names):
        return f"did you mean `{near}`?"
    return f"one of: {', '.join(names)}"


Parse = Callable[[str, Surroundings], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """How a value written as one word or text is read. Stands in `Annotated[type, Kind(…)]`."""

    what: str
    parse: Parse
    schema: Mapping[str, Any]

    def validate(self, value: object, info: ValidationInfo) -> Any:
        """Return the typed value, or raise the error of one value."""
        if value is BLANK:
            raise wrong(f"a value is missing here: {self.what}")
        if not isinstance(value, str):
            shape = "a list" if isinstance(value, tuple) else "a mapping"
            raise wrong(f"{self.what} is expected here, not {shape}")
        return self.parse(value, info.context or Surroundings())

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(self.schema)


@dataclass(frozen=True, slots=True)
class Short:
    """A mapping that may be written as the value of its main key alone."""

    key: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def spread(value: object) -> object:
            return {self.key: value} if isinstance(value, str) else value

        return core_schema.no_info_before_validator_function(spread, handler(source))

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        long = handler(core)
        return {"anyOf": [handler.resolve_ref_schema(long)["properties"][self.key], long]}


@dataclass(frozen=True, slots=True)
class OneOrMore:
    """A list that may be written as its only item. In a profile, an item is never a list."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def wrap(value: object) -> object:
            return value if isinstance(value, tuple) else (value,)

        return core_schema.no_info_before_validator_function(wrap, handler(source))

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        many = handler(core)
        return {"anyOf": [many["items"], many]}


# --- numbers and times --------------------------------------------------------------------------

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|min)")
_UNIT_US: Final = {"ms": 1_000, "s": 1_000_000, "min": 60_000_000}
_LONGEST_US: Final = 3_600_000_000
DURATION_PATTERN: Final = r"^\d+(\.\d+)? *(ms|s|min)$"
_DURATION_SCHEMA: Final = {
    "type": "string",
    "pattern": DURATION_PATTERN,
    "examples": ["400ms", "1.5s"],
}


def duration_us(text: str) -> int:
    """Read a time with its unit: `400ms`, `1.5s`, `2min`. Raises the error of one value."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        if re.fullmatch(r"\d+", text.strip()):
            raise wrong(f"`{text}` has no unit", f"write `{text}ms` or `{text}s`")
        raise wrong(f"`{text}` is not a time", "write it like `400ms`, `1.5s` or `2min`")
    time_us = round(float(found[1]) * _UNIT_US[found[2]])
    if time_us > _LONGEST_US:
        raise wrong(f"`{text}` is longer than an hour")
    return time_us


def duration_text(time_us: int) -> str:
    """Write a time as a person would: `400ms`, `1.5s`."""
    return f"{time_us / 1e6:g}s" if time_us >= _UNIT_US["s"] else f"{time_us / 1e3:g}ms"


def _positive_us(text: str, _: Surroundings) -> int:
    time_us = duration_us(text)
    if time_us == 0:
        raise wrong(f"`{text}` is no time at all", "write a time above zero, like `400ms`")
    return time_us


def _confidence(text: str, _: Surroundings) -> float:
    advice = "write a number from 0 to 1, like `0.85`"
    if not re.fullmatch(r"\d{1,4}(\.\d{1,9})?", text):
        raise wrong(f"`{text}` is not a confidence", advice)
    value = float(text)
    if value > 1:
        as_percent = f"did you mean `{value / 100:g}`?" if value <= 100 else advice
        raise wrong(f"the confidence `{text}` is above 1", as_percent)
    return value


def _count(text: str, _: Surroundings) -> int:
    if not re.fullmatch(r"\d{1,3}", text) or not 1 <= int(text) <= 100:
        raise wrong(f"`{text}` is not a whole number from 1 to 100")
    return int(text)


def number(what: str, least: float, most: float) -> Kind:
    """Return the kind of a number within these bounds, both of which it may be."""

    def parse(text: str, _: Surroundings) -> float:
        if not re.fullmatch(r"[-+]?\d{1,6}(\.\d{1,6})?", text):
            raise wrong(f"`{text}` is not {what}", f"write a number from {least:g} to {most:g}")
        if not least <= float(text) <= most:
            raise wrong(f"`{text}` is not within {least:g} and {most:g}")
        return float(text)

    return Kind(what, parse, {"type": "number", "minimum": least, "maximum": most})


def _yes(text: str, _: Surroundings) -> Literal[True]:
    if text != "true":
        raise wrong(f"only `true` can stand here, not `{text}`", "write `true`, or leave it out")
    return True


# --- names --------------------------------------------------------------------------------------


def choice(what: str, names: Iterable[str]) -> Kind:
    """Return the kind of a value that is one of a few names."""
    names = tuple(names)

    def parse(text: str, _: Surroundings) -> str:
        if text not in names:
            raise wrong(f"`{text}` is not {what}", advise(text, names))
        return text

    return Kind(what, parse, {"type": "string", "enum": list(names)})


def _gesture(text: str, around: Surroundings) -> str:
    if text not in around.gestures:
        raise wrong(f"unknown gesture `{text}`", advise(text, around.gestures))
    return text


def _version(text: str, _: Surroundings) -> int:
    if text != "1":
        raise wrong(
            f"version `{text}` is not known to this gesturectl", "write `version: 1`, or update"
        )
    return 1


def _text(text: str, _: Surroundings) -> str:
    if not text:
        raise wrong("the text is empty")
    return text


def _line(text: str, _: Surroundings) -> str:
    if not text.strip() or len(text) > 200 or "\n" in text:
        raise wrong("a text of one line, up to 200 characters, is expected")
    return text.strip()


_NAME = re.compile(r"[^\W\d]\w{0,39}")


def is_name(text: str) -> bool:
    """Whether a mode, zone or macro may be called so: a letter, then letters, digits and `_`."""
    return _NAME.fullmatch(text) is not None


def _mode(text: str, around: Surroundings) -> str:
    if text not in around.modes:
        raise wrong(f"unknown mode `{text}`", advise(text, around.modes))
    return text


def _mode_or_any(text: str, around: Surroundings) -> str:
    return text if text == "any" else _mode(text, around)


Duration = Annotated[int, Kind("a time like `400ms`", _positive_us, _DURATION_SCHEMA)]
Rest = Annotated[
    int, Kind("a time like `400ms`", lambda text, _: duration_us(text), _DURATION_SCHEMA)
]
Confidence = Annotated[
    float,
    Kind("a number from 0 to 1", _confidence, {"type": "number", "minimum": 0, "maximum": 1}),
]
Count = Annotated[
    int, Kind("a whole number", _count, {"type": "integer", "minimum": 1, "maximum": 100})
]
Yes = Annotated[Literal[True], Kind("`true`", _yes, {"const": True})]
Version = Annotated[int, Kind("`1`", _version, {"const": 1})]
Line = Annotated[
    str, Kind("a text of one line", _line, {"type": "string", "minLength": 1, "maxLength": 200})
]
AnyText = Annotated[
    str, Kind("a text", _text, {"type": ["string", "number", "boolean"], "minLength": 1})
]
GestureName = Annotated[
    str, Kind("the name of a gesture", _gesture, {"type": "string", "format": "gesture"})
]
Side = Annotated[SideName, choice("a side", get_args(SideName))]
Landmarks = Annotated[LandmarkName, choice("a kind of landmarks", get_args(LandmarkName))]
ModeName = Annotated[str, Kind("the name of a mode", _mode, {"type": "string", "minLength": 1})]
ModeOrAny = Annotated[
    str, Kind("the name of a mode", _mode_or_any, {"type": "string", "minLength": 1})
]
