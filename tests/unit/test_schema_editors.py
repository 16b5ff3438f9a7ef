"""What editors' YAML servers build on: a valid schema, whose every word they know and can show.

Completion comes from `properties`, `enum`, `const`, `examples` and `defaultSnippets`, hovering from
`description`, marks from the rest. These are the words of VS Code's JSON and YAML servers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from gesturectl.actions import ACTIONS
from gesturectl.catalog import Gesture
from gesturectl.fields import DURATION_PATTERN
from gesturectl.grammar import CUE_KEYS
from gesturectl.profile import json_schema, parse, shipped
from gesturectl.schema import SNIPPETS
from gesturectl.senses import CUES
from gesturectl.triggers import TRIGGERS

SCHEMA = json_schema()
DRAFTS = (
    jsonschema.Draft7Validator,
    jsonschema.Draft201909Validator,
    jsonschema.Draft202012Validator,
)

# What drafts 7 to 2020-12 read alike, and the two additions of VS Code's servers.
WORDS = """
$schema $ref $defs title description default examples type enum const anyOf allOf
pattern minLength maxLength minimum maximum exclusiveMinimum items minItems maxItems
properties required additionalProperties minProperties maxProperties
markdownDescription defaultSnippets
"""


def nodes(schema: dict[str, Any], place: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema within a schema, with its place."""
    yield place, schema
    for word, value in schema.items():
        if word in ("properties", "$defs"):
            for name, one in value.items():
                yield from nodes(one, f"{place}/{word}/{name}")
        elif word in ("anyOf", "allOf"):
            for number, one in enumerate(value):
                yield from nodes(one, f"{place}/{word}/{number}")
        elif word in ("items", "additionalProperties") and isinstance(value, dict):
            yield from nodes(value, f"{place}/{word}")


NODES = dict(nodes(SCHEMA))


def is_right(text: str) -> bool:
    """Whether editors would mark nothing, of whichever draft they are."""
    found = {bool(draft(SCHEMA).is_valid(yaml.safe_load(text))) for draft in DRAFTS}
    assert len(found) == 1, "the drafts read the schema in different ways"
    return found.pop()


def binding(text: str) -> str:
    return f"version: 1\nbindings:\n  - {text}\n"


# --- the schema itself ----------------------------------------------------------------------------


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.__name__)
def test_it_is_valid_by_the_schema_of_schemas(draft: Any) -> None:
    draft.check_schema(SCHEMA)


def test_it_has_no_word_that_some_server_does_not_know() -> None:
    assert {word for node in NODES.values() for word in node} <= set(WORDS.split())


def test_every_reference_leads_within_the_file() -> None:
    for place, node in NODES.items():
        assert "$ref" not in node or node["$ref"] in NODES, place


def test_every_key_explains_itself_where_one_hovers() -> None:
    bare = [
        f"{place}/{name}"
        for place, node in NODES.items()
        for name, one in node.get("properties", {}).items()
        if not one.get("description")
    ]
    assert bare == []


def test_code_is_set_as_code_where_one_hovers() -> None:
    for place, node in NODES.items():
        if "`" in node.get("description", ""):
            assert node.get("markdownDescription") == node["description"], place


def test_every_mapping_is_closed_or_says_what_its_names_hold() -> None:
    for place, node in NODES.items():
        if "properties" in node:
            rest = node["additionalProperties"]
            assert rest is False or isinstance(rest, dict), place


def test_every_value_has_a_type() -> None:
    says = {"type", "enum", "const", "anyOf", "$ref"}
    for place, node in NODES.items():
        if "/allOf/" not in place:
            assert says & node.keys(), place


def test_times_offer_examples() -> None:
    times = [node for node in NODES.values() if node.get("pattern") == DURATION_PATTERN]
    assert times
    for node in times:
        for example in node.get("examples", ()):
            assert re.search(DURATION_PATTERN, example)


@pytest.mark.parametrize(
    ("place", "some"),
    [
        ("#/$defs/Condition/properties/gesture", {"fist", "swipe_left", "squat"}),
        ("#/$defs/Binding/properties/side", {"left", "right", "either"}),
        ("#/$defs/Action/properties/media", {"play_pause", "mic_mute"}),
        ("#/$defs/Action/properties/button", {"left", "right", "middle"}),
        ("#/$defs/Action/properties/pointer", {"move", "scroll"}),
        ("#/$defs/Angle/properties/joint", {"left_knee", "shoulders_right"}),
        ("#/$defs/Axis/properties/of", {"roll", "vertical"}),
        ("#/$defs/Zone/properties/around", {"mouth", "left_shoulder"}),
        ("#/$defs/Reps/properties/form", {"good", "shallow"}),
        ("#/$defs/Settings/properties/by", {"index", "palm", "head"}),
    ],
)
def test_names_are_completed(place: str, some: set[str]) -> None:
    assert some <= set(NODES[place]["enum"])


def test_a_gesture_of_one_s_own_is_completed_too() -> None:
    own = json_schema([Gesture("draw_z", "motion", ("hand",), "a Z")])
    assert "draw_z" in json.dumps(own)


def test_nothing_stops_completion_where_a_key_is_being_written() -> None:
    # yaml-language-server counts the unwritten key: beside `properties`, `maxProperties: 1` would
    # have it offer nothing after `do:`.
    for place, node in NODES.items():
        assert not ("properties" in node and "maxProperties" in node), place


@pytest.mark.parametrize(("label", "body"), SNIPPETS, ids=[label for label, _ in SNIPPETS])
def test_a_snippet_is_a_binding_as_it_stands(label: str, body: dict[str, Any]) -> None:
    text = re.sub(r"\$\{\d+:([^}]*)\}", r"\1", json.dumps([body]))
    assert parse(f"version: 1\nbindings: {text}").bindings, label
    assert is_right(f"version: 1\nbindings: {text}")


# --- what it takes --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped())
def test_shipped_profiles_are_right(name: str) -> None:
    assert is_right(shipped()[name].read_text("utf-8"))


@pytest.mark.parametrize(
    "example",
    [
        *(spec.example for spec in CUES.values()),
        *(spec.example for spec in TRIGGERS.values()),
        *(f"{{gesture: pinch, do: {spec.example}}}" for spec in ACTIONS.values()),
        *(f"{{gesture: pinch, do: [{spec.example}]}}" for spec in ACTIONS.values()),
    ],
)
def test_the_example_of_every_cue_trigger_and_action_is_right(example: str) -> None:
    assert is_right(binding(example))


@pytest.mark.parametrize("spec", ACTIONS.values(), ids=ACTIONS)
def test_every_action_may_stand_in_a_macro(spec: Any) -> None:
    assert is_right(f"version: 1\nmacros: {{m: {{do: {spec.example}}}}}")


@pytest.mark.parametrize(
    "do",
    [
        "{text: Dear $who}",
        "[{key: $what}, {wait: $what}]",
        "{scroll: {down: $what}}",
        "{media: $what}",
        "{osc: {to: $what, address: /x, arguments: [$what, 1]}}",
    ],
)
def test_a_macro_may_have_parameters_anywhere(do: str) -> None:
    assert is_right(f"version: 1\nmacros: {{m: {{with: [what, who], do: {do}}}}}")


@pytest.mark.parametrize("key", CUE_KEYS)
def test_every_cue_may_be_required_arm_and_wake(key: str) -> None:
    example = CUES[key].example if key in CUES else "{gesture: fist}"
    cue = json.dumps({key: yaml.safe_load(example)[key]})
    assert is_right(binding(f"{{gesture: fist, require: {cue}, do: {{key: a}}}}"))
    assert is_right(f"version: 1\nclutch: {cue}\nmodes: {{sleep: {{wake: {cue}}}}}")


# --- what it marks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        "bindings: []",
        "version: 2",
        "version: 1\nnmae: x",
        "version: 1\nbindings: {gesture: fist}",
        "version: 1\nmodes: {sleep: {wakes: {gesture: fist}}}",
        "version: 1\nmodes: {film: {leave_after: 5}}",
        "version: 1\nzones: {a: {image: [0, 0, 2, 1]}}",
        "version: 1\nzones: {a: {image: [0, 0, 1]}}",
        "version: 1\nzones: {a: {around: moth}}",
        "version: 1\nsafety: {max_actions_per_second: 0}",
        "version: 1\npointer: {by: foot}",
        "version: 1\npointer: {box: [0, 0, 1]}",
        "version: 1\nmacros: {a: {with: [x]}}",
        "version: 1\nmacros: {a: {do: {kye: a}}}",
        "version: 1\nmacros: {a: {do: {media: louder}}}",
        "version: 1\nmacros: {a: {do: {key: a, text: b}}}",
        "version: 1\nprofiles: [{bindings: [{gesture: fist, do: {key: a}}]}]",
        "version: 1\nprofiles: [{match: {only: {ap: mpv}}, bindings: [{gesture: fist}]}]",
    ],
)
def test_mistakes_in_the_file_are_marked(wrong: str) -> None:
    assert not is_right(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "{gesture: fits, do: {key: a}}",
        "{gesture: fist, side: lefft, do: {key: a}}",
        "{gesture: fist, hold_fro: 1s, do: {key: a}}",
        "{gesture: fist, hold_for: 400, do: {key: a}}",
        "{gesture: fist, while: false, do: {key: a}}",
        "{gesture: fist, confidence: 85, do: {key: a}}",
        "{gesture: fist, do: {}}",
        "{gesture: fist, do: []}",
        "{gesture: fist, do: {key: a, text: b}}",
        "{gesture: fist, do: {kye: a}}",
        "{gesture: fist, do: {media: louder}}",
        "{gesture: fist, do: {scroll: {donw: 1}}}",
        "{gesture: fist, do: {macro: {what: cats}}}",
        "{gesture: fist, do: {run: notify-send}}",
        "{gesture: pinch, axis: {of: rol}, more: {key: a}}",
        "{angle: {joint: left_kne, below: 90}, do: {key: a}}",
        "{angle: {below: 90}, do: {key: a}}",
        "{reps: {angle: {joint: left_knee, from: 160}}, do: {key: a}}",
        "{chord: {left: fist}, do: {key: a}}",
        "{gesture: fist, require: {gestur: ok}, do: {key: a}}",
    ],
)
def test_mistakes_in_a_binding_are_marked(wrong: str) -> None:
    assert not is_right(binding(wrong))
