"""Write the reference of the profile language from the tables that the parser reads.

    python -m gesturectl.reference            writes docs/profile.md and docs/profile.schema.json
    python -m gesturectl.reference --check    says whether they are up to date (exit code 1 if not)

Whatever is in TRIGGERS, ACTIONS, KEYS or the catalog is in the page, and nothing else is.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from string import Template
from typing import Any, Final

from gesturectl import controller, dwell, keys, presence, reps, zones
from gesturectl.actions import ACTIONS
from gesturectl.catalog import catalog
from gesturectl.errors import ProfileError
from gesturectl.fields import duration_text
from gesturectl.joints import JOINTS
from gesturectl.places import LOST_US
from gesturectl.profile import json_schema, parse, shipped
from gesturectl.senses import CUES, Chord
from gesturectl.triggers import TRIGGERS
from gesturectl.yamlnodes import LIMITS

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"

_PAGE: Final = Template("""\
# Profiles

<!-- Written by `python -m gesturectl.reference` from the tables in the code. -->

A profile says which gesture does what. It is a YAML file; `gesturectl check FILE` says everything
that is wrong with it at once, and `gesturectl run --profile FILE` plays it. This is the shipped
profile for presenting:

```yaml
$example
```

Shipped are $shipped. A profile of your own is found by its name when it lies in the folder
`profiles` of gesturectl's configuration (`~/.config/gesturectl/profiles/NAME.yaml` on Linux),
and there it may also replace a shipped one of the same name.

Words mean what they say: `on`, `no` and `1:30` are texts, not truth values or numbers. Times
carry their unit: `400ms`, `1.5s`, `2min`. A key that stands twice or that gesturectl does not know
is an error. Directions and sides are your own: `swipe_left` moves toward your left, whatever the
camera mirrors.

The [cookbook](cookbook.md) begins at the other end: twenty needs, and a profile for each.

Editors complete and explain all this, in braces from the first letter on, and mark what is wrong.
They do so by the schema that `gesturectl schema` prints, which is
also `profile.schema.json` beside this page. For VS Code's YAML extension, begin the file with
`# yaml-language-server: $$schema=profile.schema.json`.

## The file

$file

### `defaults`

$defaults

### `safety`

$safety

`panic` is written like a binding without `do`, with `keys` of the real keyboard beside it or alone.

### `modes`

$modes

A binding is heard in the mode that it names, `active` if it names none. A mode that inherits hears
its own bindings first, then those of the other. In `sleep` nothing is heard but what names `sleep`,
its `wake`, and panic. What bindings of the old mode hold is let go when the mode changes.

### `zones`

$zones

### `control`

$control

Once somebody controls they do so until they are out of sight for `gone`, or hand it over with the
action `hand_over`. While the profile sleeps anybody in view may wake it, and whoever does controls
from then on. Of everybody else no gesture is heard. Nobody is recognised: people are told apart by
where they are. [More about it](people.md)

A and B come, A goes: who controls$drawn_control

### `clutch`

$clutch

### `pointer`

$pointer

### `macros`

$macros

### `profiles`: applications

$applications

The windows of `match` are told by:

$match

$window

A text of `app` or `executable` is the whole name, one of `title` a part of it, whatever the case;
`/…/` is a regular expression. `gesturectl list windows` shows what your windows are called.

### `imports`

An imported file lies beside the one that imports it or below, or is a shipped profile
(`shipped/media`). What stands first counts: a file's own bindings before imported ones, its own
modes, zones, macros and settings instead of imported ones of the same name. `landmarks` and the
name are those of the importing file. Nothing that is imported can start programs.

## A binding

$binding

A binding has one of `gesture` and the cues of the next section, and at most one trigger.

Of the bindings that fit a gesture and act at the same moment, the first in the file acts; one that
could never act is an error. What a binding holds down is let go when the gesture ends, when the
hand is lost, when its mode or application is left, and when gesturectl pauses, reloads or ends.

## Cues: what else begins and ends

They go with every trigger, as poses do: a `zone` that is held is a dwell button, with `release` it
acts when it is left, with `while` it is a key.

$cues

### Joints

Angles are in degrees, 180 when straight or 0 at rest as each says.

$joints

## Triggers: when it acts

In the drawings time runs to the right: `B` the gesture begins, `E` it ends or the hand is lost, `|`
the time asked for has passed, `^` the binding acts.

$triggers

## Actions: what it does

$actions

A list of actions is done in turn, each let go before the next begins. With `while`, all are pressed
in turn and let go in reverse.

## Gestures

A pose is held: it begins and ends. A motion is a stroke, over as soon as it is seen.

$gestures

## Keys

$keys

## When something is wrong

Everything is said at once, each with its place and what to do, and nothing of the file is used:

```yaml
$wrong
```

```text
$refusal
```

A file may have up to $size_kib KiB and $nodes values, aliases written out, nested $depth deep.
""")

_WRONG: Final = """\
version: 1
bindings:
  - {gesture: swipe_lft, do: {key: Right}}
  - {gesture: swipe_right, hold_for: 400, do: {key: Left}}
"""


def pages() -> dict[Path, str]:
    """Return the generated files and what they should hold."""
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    return {DOCS / "profile.md": markdown(), DOCS / "profile.schema.json": schema}


def markdown() -> str:
    """Return the reference page."""
    schema = json_schema()
    defs = schema["$defs"]
    slides = shipped()["slides"].read_text("utf-8")
    return _PAGE.substitute(
        example=slides[slides.index("version:") :].rstrip(),
        shipped=", ".join(f"`{name}`" for name in shipped()),
        file=_keys_table(schema),
        defaults=_keys_table(defs["Defaults"]),
        safety=_keys_table(defs["Safety"]),
        modes=_keys_table(defs["Mode"]),
        zones=_keys_table(defs["Zone"]),
        control=_keys_table(defs["Control"]),
        drawn_control=_drawn(controller.step),
        clutch=_keys_table(defs["Clutch"], skip=CUES),
        pointer=_keys_table(defs["Settings"]),
        macros=_keys_table(defs["Macro"]),
        applications=_keys_table(defs["Application"]),
        joints=_table(
            ("joint", "of", "angle"),
            ((f"`{name}`", joint.of, joint.says) for name, joint in JOINTS.items()),
        ),
        match=_keys_table(defs["Match"]),
        window=_keys_table(defs["WindowRule"]),
        binding=_keys_table(
            defs["Binding"], skip={*(spec.key for spec in TRIGGERS.values()), *CUES}
        ),
        cues="\n\n".join(
            f"### {name}\n\n{spec.says}\n\n```yaml\n- {spec.example}\n```"
            f"{_drawn(_MACHINES.get(name, spec.step))}{_parts(defs, name)}"
            for name, spec in CUES.items()
        ),
        triggers="\n\n".join(
            f"### {name}\n\n{spec.says}\n\n"
            f"```yaml\n- {spec.example}\n```{_drawn(spec.step)}"
            f"{_parts(defs, name)}"
            for name, spec in TRIGGERS.items()
        ),
        actions=_table(
            ("action", "what it does", "example"),
            ((f"`{name}`", spec.says, f"`{spec.example}`") for name, spec in ACTIONS.items()),
        ),
        gestures=_table(
            ("gesture", "kind", "seen by", "how"),
            (
                (f"`{row.name}`", row.kind, " or ".join(row.seen_by), row.says)
                for row in catalog().values()
            ),
        ),
        keys=keys.reference().rstrip(),
        wrong=_WRONG.rstrip(),
        refusal=_refusal(),
        size_kib=LIMITS.size_bytes // 1024,
        nodes=LIMITS.nodes,
        depth=LIMITS.depth,
    )


def _drawn(machine: Any) -> str:
    """Return the drawing in a machine's docstring, which follows its first line."""
    _, _, drawing = ((machine and inspect.getdoc(machine)) or "").partition("\n\n")
    for name, time_us in _TIMES.items():
        drawing = drawing.replace(name, duration_text(time_us))
    return f"\n\n```text\n{inspect.cleandoc(drawing)}\n```" if drawing else ""


def _parts(defs: dict[str, Any], name: str) -> str:
    """Describe the keys of a cue's or trigger's value, where it can be a mapping."""
    schema = None if name in _ABOVE else defs.get(name.capitalize())
    inner = [defs[part] for part in _INNER.get(name, ())]
    tables = [_keys_table(one) for one in ([schema] if schema else []) + inner]
    return "".join(f"\n\n{table}" for table in tables)


# Constants that drawings name: a reader of profiles wants their values.
_TIMES: Final = {
    "ARRIVES_US": presence.ARRIVES_US,
    "LOST_US": LOST_US,
    "STAY_US": zones.STAY_US,
    "BRIDGED_US": reps.BRIDGED_US,
}
# Cues whose cases are drawn elsewhere than at the step of their row.
_MACHINES: Final = {
    "zone": zones.step_visit,
    "reps": reps.step_angle,
    "presence": presence.step,
    "dwell": dwell.step,
    "chord": Chord,
    "pressed": None,
}
_INNER: Final = {"reps": ("Swing", "Limit")}
_ABOVE: Final = ("zone",)  # whose keys have a section of their own


def _refusal() -> str:
    try:
        parse(_WRONG, "wrong.yaml")
    except ProfileError as error:
        return str(error)
    raise AssertionError("the example of a wrong profile is right")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in rows:
        cells = (cell.replace("|", r"\|") for cell in row)  # a bar would end the cell
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _keys_table(schema: dict[str, Any], skip: Iterable[str] = ()) -> str:
    """Describe the keys of a mapping by its schema."""
    needed = schema.get("required", ())
    rows = []
    for name, one in schema["properties"].items():
        if name not in skip:
            default = f" Default: `{_plain(one['default'])}`." if "default" in one else ""
            key = f"`{name}` (needed)" if name in needed else f"`{name}`"
            rows.append((key, _value(one), one["description"] + default))
    return _table(("key", "value", "meaning"), rows)


def _plain(value: object) -> object:
    """Return a default as one would write it in YAML."""
    return json.dumps(value) if isinstance(value, bool) else value


_SECTIONS: Final = {
    "Action": "[action](#actions-what-it-does)",
    "Application": "[mapping](#profiles-applications)",
    "Binding": "[binding](#a-binding)",
    "Clutch": "[mapping](#clutch)",
    "Control": "[mapping](#control)",
    "Condition": "[cue](#cues-what-else-begins-and-ends)",
    "Defaults": "[mapping](#defaults)",
    "Macro": "[macro](#macros)",
    "MacroAction": "[action](#actions-what-it-does)",
    "Match": "[match](#profiles-applications)",
    "Mode": "[mode](#modes)",
    "Panic": "like a [binding](#a-binding)",
    "Safety": "[mapping](#safety)",
    "Settings": "[mapping](#pointer)",
    "Wake": "like a [binding](#a-binding)",
    "WindowRule": "[window](#profiles-applications)",
    "Zone": "[zone](#zones)",
}


def _value(schema: dict[str, Any]) -> str:
    """Say in words what may stand there."""
    match schema:
        case {"const": value}:
            return f"`{json.dumps(value)}`"
        case {"anyOf": [one, {"type": "array"}]}:
            return f"{_value(one)}, or a list"
        case {"anyOf": [*some]}:
            return ", or ".join(dict.fromkeys(map(_value, some)))
        case {"enum": names} if len(names) <= 6:
            return ", ".join(f"`{name}`" for name in names)
        case {"enum": _} | {"format": "gesture"}:
            return "name"
        case {"$ref": ref}:
            return _SECTIONS.get(ref.rpartition("/")[2], "mapping")
        case {"additionalProperties": one} if one:
            return f"{_value(one)} for each name"
        case {"properties": _}:
            return "mapping"
        case {"pattern": _}:
            return "time"
        case {"type": "array", "items": items}:
            return f"list of {_value(items)}"
        case {"type": "integer" | "number", "minimum": least, "maximum": most}:
            return f"{least:g}–{most:g}"
        case {"type": "number"}:
            return "number"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case _:
            return "text"


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check only say which are out of date."""
    stale = {
        path: text
        for path, text in pages().items()
        if not path.exists() or path.read_text("utf-8") != text
    }
    for path, text in stale.items():
        if "--check" in arguments:
            print(f"docs/{path.name} is out of date; run: python -m gesturectl.reference")
        else:
            path.write_text(text, "utf-8")
            print(f"wrote docs/{path.name}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
