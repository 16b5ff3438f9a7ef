"""The JSON Schema of a profile for editors, which complete, explain and mark by it as one types.

In:  the models of `grammar`, the gestures known here.  Out: a schema of draft 2020-12.

Editors differ in the drafts they know, so it keeps to what drafts 7 to 2020-12 read alike. Two
words beyond them are those of Microsoft's JSON and YAML servers, and others pass over them:
`markdownDescription`, for names set as code where one hovers, and `defaultSnippets`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gesturectl.catalog import Gesture, catalog
from gesturectl.fields import DURATION_PATTERN, duration_text
from gesturectl.grammar import MAX_ACTIONS, document_model

Schema = dict[str, Any]

# Offered where a value cannot be told in full, under the name of the model and of its key.
EXAMPLES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("Action", "key"): ("Right", "space", "ctrl+c", "alt+F4"),
    ("Action", "keys"): ("ctrl+c 200ms ctrl+v",),
    ("Action", "mode"): ("active", "sleep", "back"),
    ("Binding", "mode"): ("active", "sleep", "any"),
    ("Mode", "inherits"): ("active",),
    ("Panic", "keys"): ("ctrl+alt+Pause",),
    ("WindowRule", "app"): ("firefox", "/^chrom/"),
    ("WindowRule", "title"): ("YouTube", r"/\.pdf/"),
}

# Whole bindings to begin with. In a body, `${1:fist}` is where the cursor goes first.
SNIPPETS: Final[tuple[tuple[str, Schema], ...]] = (
    (
        "a gesture that presses a key",
        {"gesture": "${1:thumb_up}", "do": {"key": "${2:space}"}},
    ),
    (
        "a gesture held for a time",
        {"gesture": "${1:fist}", "hold_for": "${2:800ms}", "do": {"key": "${3:Escape}"}},
    ),
    (
        "a gesture that holds a button as long as it is shown",
        {"gesture": "${1:pinch}", "while": True, "do": {"button": "${2:left}"}},
    ),
    (
        "a dial for the volume",
        {
            "gesture": "${1:pinch}",
            "axis": "${2:roll}",
            "more": {"media": "volume_up"},
            "less": {"media": "volume_down"},
        },
    ),
)

PARAMETER: Final[Schema] = {"type": "string", "pattern": r"\$"}  # `$what` in a macro


def json_schema(extra: Iterable[Gesture] = ()) -> Schema:
    """Return the JSON Schema of a profile, for editors.

    `extra` are the user's own gestures, beyond the catalog.
    """
    names = [*catalog(), *(gesture.name for gesture in extra)]
    schema = document_model().model_json_schema()
    whole = _tidy({key: value for key, value in schema.items() if key != "title"}, names)
    defs = whole["$defs"]
    for (model, key), examples in EXAMPLES.items():
        defs[model]["properties"][key]["examples"] = list(examples)
    for model in (whole, defs["Application"]):  # at the list: within a binding they would hinder
        model["properties"]["bindings"]["defaultSnippets"] = [
            {"label": label, "description": f"Begin with {label}.", "body": body}
            for label, body in SNIPPETS
        ]
    _let_macros_have_parameters(defs)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gesturectl profile",
        "description": "Which gesture does what.",
        **whole,
    }


# --- what only pydantic needs ---------------------------------------------------------------------


def _tidy(schema: Any, gestures: list[str]) -> Any:
    """Drop titles, and the null that stands for a key left out; name the gestures."""
    if isinstance(schema, list):
        return [_tidy(one, gestures) for one in schema]
    if not isinstance(schema, dict):
        return schema
    tidy: Schema = {}
    for key, value in schema.items():
        match key:
            case "properties":
                tidy[key] = {name: _tidy(one, gestures) for name, one in value.items()}
            case "anyOf":
                options = [_tidy(one, gestures) for one in value if one != {"type": "null"}]
                if len(options) == 1:
                    tidy = {**options[0], **tidy}
                else:
                    tidy[key] = options
            case "title":
                pass
            case "format" if value == "gesture":
                tidy["enum"] = gestures
            case "prefixItems" if all(one == value[0] for one in value):
                tidy["items"] = _tidy(value[0], gestures)  # draft 7 has another word for it
            case "default" if value is None:
                pass
            case "default" if schema.get("pattern") == DURATION_PATTERN:
                tidy[key] = duration_text(value)
            case _:
                tidy[key] = _tidy(value, gestures)
    says = tidy.get("description")
    if isinstance(says, str) and "`" in says:
        tidy["markdownDescription"] = says
    return tidy


# --- macros ---------------------------------------------------------------------------------------


def _let_macros_have_parameters(defs: dict[str, Schema]) -> None:
    """Let the actions of a macro be actions whose values may hold `$what`."""
    action = defs["Action"]
    rows = {name: row for name, row in action["properties"].items() if name != "macro"}
    defs["MacroAction"] = {
        **action,
        "properties": {name: _or_parameter(row, defs) for name, row in rows.items()},
    }
    one = {"$ref": "#/$defs/MacroAction"}
    defs["Macro"]["properties"]["do"]["anyOf"] = [
        one,
        {"type": "array", "items": one, "minItems": 1, "maxItems": MAX_ACTIONS},
    ]


def _or_parameter(schema: Schema, defs: Mapping[str, Schema]) -> Schema:
    """Return what a schema takes, or a text with a parameter wherever it takes one value."""
    schema = {**defs.get(schema.get("$ref", "").rpartition("/")[2], {}), **schema}
    schema.pop("$ref", None)
    options = [_or_parameter(one, defs) for one in schema.get("anyOf", ())]
    if options:
        return {**schema, "anyOf": options}
    if "properties" in schema:
        rows = {name: _or_parameter(one, defs) for name, one in schema["properties"].items()}
        return {**schema, "properties": rows}
    if "items" in schema:
        return {**schema, "items": _or_parameter(schema["items"], defs)}
    words = ("description", "markdownDescription", "examples", "default")
    kept = {word: schema.pop(word) for word in words if word in schema}
    return {**kept, "anyOf": [schema, PARAMETER]}
