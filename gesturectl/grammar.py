"""What a profile may say: the pydantic models of the file, built from the tables.

The rows of CUES, TRIGGERS and ACTIONS are the keys of a binding and of an action; a new row is a
new word of the language, known to the parser, to its hints, to editors and to the reference page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from types import GenericAlias
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    WithJsonSchema,
    create_model,
)

from gesturectl.actions import ACTIONS, ActionSpec
from gesturectl.chords import ChordText
from gesturectl.controller import ControlKind
from gesturectl.fields import (
    AnyText,
    Confidence,
    Count,
    Duration,
    GestureName,
    Landmarks,
    Line,
    ModeName,
    ModeOrAny,
    OneOrMore,
    Rest,
    Side,
    Version,
    Yes,
)
from gesturectl.pointing import Settings as PointerSettings
from gesturectl.rules import Defaults, Match
from gesturectl.senses import CUES, CueSpec
from gesturectl.triggers import TRIGGERS, TriggerSpec
from gesturectl.zones import ZoneKind

Fields = dict[str, Any]  # name → (type, pydantic's Field), as create_model takes them

MAX_SEQUENCE: Final = 8
MAX_ACTIONS: Final = 32
MAX_CONDITIONS: Final = 8
MAX_NAMES: Final = 200  # modes, zones or macros of a file

GESTURE: Final = "gesture"
CHORD: Final = "chord"
CUE_KEYS: Final = (GESTURE, *CUES)  # of these a binding has one
AXIS_KEYS: Final = ("more", "less")


def _maybe(kind: Any, says: str) -> tuple[Any, Any]:
    """A key that may be left out. What is required is checked by the reader, whose words are
    better, and so that a missing key does not hide what else is wrong."""
    return kind | None, Field(None, description=says)


# --- cues -----------------------------------------------------------------------------------------


def _cue_rows() -> Fields:
    return {
        **{key: _maybe(spec.kind, _described(spec)) for key, spec in CUES.items()},
        "side": _maybe(Side, "Which hand, the user's own. Default: `either`; a body has no sides."),
    }


_ONE_GESTURE = _maybe(GestureName, "The gesture that must be shown.")


@cache
def condition_model() -> type[BaseModel]:
    """Something that must be shown: a gesture, a chord or a derived cue."""
    rows: Fields = {GESTURE: _ONE_GESTURE, **_cue_rows()}
    return create_model("Condition", __config__=_config(), **rows)


@cache
def clutch_model() -> type[BaseModel]:
    """What arms the bindings that ask for it."""
    rows: Fields = {
        GESTURE: _ONE_GESTURE,
        **_cue_rows(),
        "lasts": _maybe(
            Rest, "How long it counts after it is no longer shown. Default: not at all."
        ),
    }
    return create_model("Clutch", __config__=_config(), **rows)


def _trigger_rows() -> Fields:
    return {spec.key: _maybe(spec.kind, _described(spec)) for spec in TRIGGERS.values()}


def _hearing_rows() -> Fields:
    """What sets something off: a cue, a trigger, how sure it must be."""
    return {
        GESTURE: _maybe(
            Annotated[
                tuple[GestureName, ...], Field(min_length=1, max_length=MAX_SEQUENCE), OneOrMore()
            ],
            "The gesture that sets this off; a list is a sequence.",
        ),
        **_cue_rows(),
        **_trigger_rows(),
        "confidence": _maybe(Confidence, "Beginnings less sure than this are not heard."),
    }


def _require_row() -> Fields:
    return {
        "require": _maybe(
            _condition_list(),
            "What else must be shown at that moment: a gesture, chord, zone or angle, or a list "
            "of them.",
        )
    }


@cache
def wake_model() -> type[BaseModel]:
    """What leads out of a mode into `active`."""
    return create_model("Wake", __config__=_config(), **_hearing_rows(), **_require_row())


@cache
def panic_model() -> type[BaseModel]:
    """What lets go of everything."""
    rows = {
        "keys": _maybe(ChordText, "Keys of a real keyboard that do it, pressed together."),
        **_hearing_rows(),
    }
    return create_model("Panic", __config__=_config(), **rows)


# --- actions and bindings -------------------------------------------------------------------------


_CALL: Final = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "description": "The macro's name, and a value for each of its parameters.",
                    "properties": {
                        "name": {
                            "type": "string",
                            "minLength": 1,
                            "description": "Which macro is meant.",
                        }
                    },
                    "required": ["name"],
                    "additionalProperties": {"type": ["string", "number", "boolean"]},
                },
            ]
        }
    ),
]


@cache
def action_model() -> type[BaseModel]:
    """An action: a mapping with one key, the name of a row of ACTIONS."""
    rows: Fields = {name: _maybe(spec.kind, _described(spec)) for name, spec in ACTIONS.items()}
    rows["macro"] = _maybe(
        _CALL,
        "Does what a macro of `macros` says: its name, or `{name: …}` with a value for each of its "
        "parameters. For example `{macro: {name: search, what: cats}}`.",
    )
    return create_model(
        "Action", __config__=_config(minProperties=1, allOf=[{"maxProperties": 1}]), **rows
    )


def _action_list() -> Any:
    return Annotated[
        GenericAlias(tuple, (action_model(), ...)),
        Field(min_length=1, max_length=MAX_ACTIONS),
        OneOrMore(),
    ]


def _condition_list() -> Any:
    return Annotated[
        GenericAlias(tuple, (condition_model(), ...)),
        Field(min_length=1, max_length=MAX_CONDITIONS),
        OneOrMore(),
    ]


@cache
def binding_model() -> type[BaseModel]:
    """A binding: its cue, when it acts, by the rows of TRIGGERS, and what it does."""
    rows: Fields = {
        **_hearing_rows(),
        "cooldown": _maybe(Rest, "How long this binding rests after it has acted."),
        "early": _maybe(
            Yes,
            "Act as soon as the gesture is likely, without waiting until it is certain: for what "
            "does no harm when it comes by mistake. It counts where all bindings of the gesture "
            "say so.",
        ),
        **_require_row(),
        "armed": _maybe(Yes, "Act only with the clutch, for what could do harm."),
        "mode": _maybe(
            Annotated[tuple[ModeOrAny, ...], Field(min_length=1), OneOrMore()],
            "The mode in which it is heard, or a list of them; `any` is all but sleep. Default: "
            "`active`.",
        ),
        "do": _maybe(_action_list(), "What is done: one action, or a list of them, done in turn."),
        "more": _maybe(_action_list(), "What each step of an `axis` toward more does."),
        "less": _maybe(_action_list(), "What each step of an `axis` toward less does."),
    }
    return create_model("Binding", __config__=_config(), **rows)


# --- the file -------------------------------------------------------------------------------------


@cache
def mode_model() -> type[BaseModel]:
    """A mode of `modes`."""
    rows: Fields = {
        "says": _maybe(Line, "What it is for, in one line."),
        "initial": _maybe(Yes, "The profile starts in this mode. Default: `active`."),
        "inherits": _maybe(ModeName, "Another mode, whose bindings are heard here after its own."),
        "wake": _maybe(wake_model(), "What leads from here to `active`, written like a binding."),
        "when": _maybe(Match, "Windows in front of which this mode takes the place of `active`."),
        "once": _maybe(
            Yes, "Go back to the mode before as soon as something was done in this one."
        ),
        "leave_after": _maybe(
            Duration, "Go back to the mode before when nothing was done so long."
        ),
        "sleep_after": _maybe(Duration, "Go to sleep when nothing was done for so long."),
    }
    return create_model("Mode", __config__=_config(), **rows)


@cache
def safety_model() -> type[BaseModel]:
    """Bounds that no binding can cross."""
    rows: Fields = {
        "max_actions_per_second": (
            Count,
            Field(
                10,
                description="How often all bindings together may act within one second. What is "
                "beyond is dropped; what is held is always let go.",
            ),
        ),
        "takeback": _maybe(
            Duration,
            "How long gestures rest after you have used the real keyboard or mouse. What is held "
            "is let go at once.",
        ),
        "panic": _maybe(
            panic_model(),
            "What lets go of everything and goes to sleep, in every mode: keys of the real "
            "keyboard, a gesture, or both. Write how to `wake` in the mode `sleep`.",
        ),
    }
    return create_model("Safety", __config__=_config(), **rows)


@cache
def macro_model() -> type[BaseModel]:
    """A macro of `macros`. Its actions are read where it is used, with the values given there."""
    rows: Fields = {
        "with": (
            Annotated[tuple[AnyText, ...], OneOrMore()] | None,
            Field(None, description="Its parameters: names that stand as `$name` in its actions."),
        ),
        "do": _maybe(Any, "What it does: one action, or a list of them."),
    }
    return create_model("Macro", __config__=_config(required=["do"]), **rows)


@cache
def application_model() -> type[BaseModel]:
    """Bindings for some windows only."""
    rows: Fields = {
        "name": _maybe(Line, "Its name, to inherit from it and for displays."),
        "match": _maybe(
            Match, "The windows that are meant; the first of `profiles` that fits counts."
        ),
        "inherit": _maybe(
            Annotated[tuple[AnyText, ...], OneOrMore()],
            "Names of other `profiles`, whose bindings follow its own. Those of the file follow "
            "always.",
        ),
        "bindings": _maybe(_binding_list(), "What to do at which gesture in these windows."),
    }
    return create_model("Application", __config__=_config(required=["match", "bindings"]), **rows)


def _binding_list() -> Any:
    return Annotated[GenericAlias(tuple, (binding_model(), ...)), Field(min_length=1)]


def _named(model: Any) -> Any:
    return Annotated[GenericAlias(dict, (str, model)), Field(max_length=MAX_NAMES)]


@cache
def document_model() -> type[BaseModel]:
    """The whole file."""
    rows: Fields = {
        "version": _maybe(Version, "The version of this language: 1."),
        "name": _maybe(Line, "Its name; that of the file if left out."),
        "says": _maybe(Line, "What it is for, in one line."),
        "imports": _maybe(
            Annotated[tuple[AnyText, ...], Field(min_length=1), OneOrMore()],
            "Other profiles whose bindings follow this one's, with their modes, zones and macros: "
            "`shipped/media`, or files beside this one. They may not start programs.",
        ),
        "landmarks": _maybe(
            Annotated[tuple[Landmarks, ...], Field(min_length=1), OneOrMore()],
            "What is looked for in the picture. If left out, what the gestures need.",
        ),
        "defaults": _maybe(Defaults, "What holds for every binding that does not say otherwise."),
        "safety": _maybe(safety_model(), "Bounds that no binding can cross."),
        "clutch": _maybe(
            clutch_model(),
            "What must be shown, or was shown lately, for bindings that are `armed` to act.",
        ),
        "modes": _maybe(
            _named(mode_model()),
            "Ways of working, by name. `active` and `sleep` are known without it.",
        ),
        "zones": _maybe(_named(ZoneKind), "Regions of the picture or about the body, by name."),
        "control": _maybe(
            ControlKind,
            "Who controls where several people are in view, until they are gone or hand it over. "
            "All others are ignored. If left out, one person is expected.",
        ),
        "macros": _maybe(_named(macro_model()), "Actions that have a name, and parameters."),
        "pointer": _maybe(PointerSettings, "How a hand or the head moves the pointer."),
        "profiles": _maybe(
            Annotated[GenericAlias(tuple, (application_model(), ...)), Field(min_length=1)],
            "Bindings for some applications only. The first whose `match` fits the window in front "
            "counts, before the `bindings` below.",
        ),
        "bindings": _maybe(
            _binding_list(),
            "What to do at which gesture. Of two that fit at the same moment, the first acts.",
        ),
    }
    return create_model("Profile", __config__=_config(required=["version"]), **rows)


def _config(**schema: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra=schema)


def _described(spec: ActionSpec | TriggerSpec | CueSpec) -> str:
    return f"{spec.says} For example `{spec.example}`."


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
            one.get("items")
            if isinstance(step, int)
            else one.get("properties", {}).get(step) or one.get("additionalProperties")
            for one in here
        )
        here = [one for found in inner if found for one in options(found)]
    return tuple(dict.fromkeys(name for one in here for name in one.get("properties", ())))
