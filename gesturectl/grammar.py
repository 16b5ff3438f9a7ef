"""What a profile may say: the pydantic models of the file, built from the tables, and its schema.

The rows of TRIGGERS and ACTIONS are the keys of a binding and of an action; a new row is a new
word of the language, known to the parser, to its hints, to editors and to the reference page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from types import GenericAlias
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from gesturectl.actions import ACTIONS, ActionSpec
from gesturectl.catalog import Gesture, catalog
from gesturectl.fields import (
    DURATION_PATTERN,
    Confidence,
    GestureName,
    Landmarks,
    Line,
    OneOrMore,
    Rest,
    Side,
    Version,
    Yes,
    duration_text,
)
from gesturectl.rules import Defaults, Safety
from gesturectl.triggers import TRIGGERS, TriggerSpec

Fields = dict[str, Any]  # name → (type, pydantic's Field), as create_model takes them

MAX_SEQUENCE: Final = 8
MAX_ACTIONS: Final = 32


def _maybe(kind: Any, says: str) -> tuple[Any, Any]:
    """A key that may be left out. What is required is checked by the reader, whose words are
    better, and so that a missing key does not hide what else is wrong."""
    return kind | None, Field(None, description=says)


@cache
def _action_model() -> type[BaseModel]:
    """An action: a mapping with one key, the name of a row of ACTIONS."""
    rows: Fields = {name: _maybe(spec.kind, _described(spec)) for name, spec in ACTIONS.items()}
    return create_model("Action", __config__=_config(minProperties=1, maxProperties=1), **rows)


@cache
def binding_model() -> type[BaseModel]:
    """A binding: its gesture, when it acts, by the rows of TRIGGERS, and what it does."""
    rows: Fields = {
        "gesture": _maybe(
            Annotated[
                tuple[GestureName, ...], Field(min_length=1, max_length=MAX_SEQUENCE), OneOrMore()
            ],
            "The gesture that sets this off; a list is a sequence.",
        ),
        "side": _maybe(Side, "Which hand, the user's own. Default: `either`; a body has no sides."),
        **{spec.key: _maybe(spec.kind, _described(spec)) for spec in TRIGGERS.values()},
        "confidence": _maybe(Confidence, "Beginnings less sure than this are not heard."),
        "cooldown": _maybe(Rest, "How long this binding rests after it has acted."),
        "early": _maybe(
            Yes,
            "Act as soon as the gesture is likely, without waiting until it is certain: for what "
            "does no harm when it comes by mistake. It counts where all bindings of the gesture "
            "say so.",
        ),
        "do": _maybe(
            Annotated[
                GenericAlias(tuple, (_action_model(), ...)),
                Field(min_length=1, max_length=MAX_ACTIONS),
                OneOrMore(),
            ],
            "What is done: one action, or a list of them, done in turn.",
        ),
    }
    return create_model("Binding", __config__=_config(required=["gesture", "do"]), **rows)


@cache
def document_model() -> type[BaseModel]:
    """The whole file."""
    rows: Fields = {
        "version": _maybe(Version, "The version of this language: 1."),
        "name": _maybe(Line, "Its name; that of the file if left out."),
        "says": _maybe(Line, "What it is for, in one line."),
        "landmarks": _maybe(
            Annotated[tuple[Landmarks, ...], Field(min_length=1), OneOrMore()],
            "What is looked for in the picture. If left out, what the gestures need.",
        ),
        "defaults": _maybe(Defaults, "What holds for every binding that does not say otherwise."),
        "safety": _maybe(Safety, "Bounds that no binding can cross."),
        "bindings": _maybe(
            Annotated[GenericAlias(tuple, (binding_model(), ...)), Field(min_length=1)],
            "What to do at which gesture. Of two that fit at the same moment, the first acts.",
        ),
    }
    return create_model("Profile", __config__=_config(required=["version", "bindings"]), **rows)


def _config(**schema: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra=schema)


def _described(spec: ActionSpec | TriggerSpec) -> str:
    return f"{spec.says} For example `{spec.example}`."


def json_schema(extra: Iterable[Gesture] = ()) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a profile, for editors.

    `extra` are the user's own gestures, beyond the catalog.
    """
    schema = document_model().model_json_schema()
    names = [*catalog(), *(gesture.name for gesture in extra)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gesturectl profile",
        "description": "Which gesture does what.",
        **_tidy({key: value for key, value in schema.items() if key != "title"}, names),
    }


def _tidy(schema: Any, gestures: list[str]) -> Any:
    """Drop what only pydantic needs: titles, and the null that stands for a key left out."""
    if isinstance(schema, list):
        return [_tidy(one, gestures) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "gesture":
        schema = {key: value for key, value in schema.items() if key != "format"}
        return {**schema, "enum": gestures}
    tidy: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            tidy[key] = {name: _tidy(one, gestures) for name, one in value.items()}
        elif key == "anyOf":
            options = [_tidy(one, gestures) for one in value if one != {"type": "null"}]
            if len(options) == 1:
                tidy = {**options[0], **tidy}
            else:
                tidy[key] = options
        elif key == "title" or (key == "default" and value is None):
            continue
        elif key == "default" and schema.get("pattern") == DURATION_PATTERN:
            tidy[key] = duration_text(value)
        else:
            tidy[key] = _tidy(value, gestures)
    return tidy


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def keys_at(model: type[BaseModel], path: Iterable[str | int]) -> tuple[str, ...]:
    """Return the keys that may stand where a path of keys and indices leads."""
    schema = _schema(model)

    def options(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if "$ref" in one:
            yield from options(schema["$defs"][one["$ref"].rpartition("/")[2]])
        for other in one.get("anyOf", ()):
            yield from options(other)
        yield one

    here = list(options(schema))
    for step in path:
        inner = (
            one.get("items") if isinstance(step, int) else one.get("properties", {}).get(step)
            for one in here
        )
        here = [one for found in inner if found for one in options(found)]
    return tuple(dict.fromkeys(name for one in here for name in one.get("properties", ())))
