"""Read a profile: YAML text → `Profile`, or every problem at once.

    bytes → nodes with places (yamlnodes) → typed values (grammar, by pydantic) → Profile (rules)

A value that is wrong does not hide the next: each binding is validated by itself, and where a
field of it is wrong the others are still read, so that also what does not fit *together* (a swipe
that shall be held, two bindings of one gesture) is said in the same pass. A profile is read whole
or not at all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from os import PathLike
from pathlib import Path
from typing import Any, Final

import platformdirs
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gesturectl import yamlnodes
from gesturectl.actions import ACTIONS, Action
from gesturectl.catalog import Gesture, catalog
from gesturectl.errors import ProfileError
from gesturectl.fields import WRONG, LandmarkName, SideName, Surroundings, advise, nearest
from gesturectl.grammar import binding_model, document_model, json_schema, keys_at
from gesturectl.rules import Binding, Defaults, Profile, Safety
from gesturectl.triggers import TRIGGERS, HoldFor, Sequence, Tap, Trigger
from gesturectl.yamlnodes import LIMITS, Items, Mapping, Node, Place, Problem, SourceText

__all__ = [
    "Binding",
    "Defaults",
    "Problem",
    "Profile",
    "Safety",
    "available",
    "json_schema",
    "load",
    "parse",
    "shipped",
]

SEQUENCE_WITHIN_US: Final = 1_000_000  # where `within` is left out; two poses take about 0.6 s
MAX_SHOWN: Final = 100  # problems in the text of the error; `problems` holds all

_MINIMAL: Final = """\
write at least
version: 1
bindings:
  - {gesture: swipe_left, do: {key: Right}}"""
_NEEDS: Final = {
    "gesture": "say which gesture sets it off: `gesture: thumb_up`",
    "do": "say what it does: `do: {key: Right}`",
    "version": "write `version: 1` at the top",
    "bindings": _MINIMAL,
}

# --- finding profiles ---------------------------------------------------------------------------


def shipped() -> dict[str, Traversable]:
    """Return the profiles that come with gesturectl, by name."""
    folder = resources.files("gesturectl.gestures").joinpath("profiles")
    found = {Path(file.name).stem: file for file in folder.iterdir() if _is_profile(file.name)}
    return dict(sorted(found.items()))


def available() -> dict[str, Traversable]:
    """Return all profiles that can be named: the user's own stand before the shipped ones."""
    folder = platformdirs.user_config_path("gesturectl") / "profiles"
    try:
        own = {file.stem: file for file in folder.iterdir() if _is_profile(file.name)}
    except OSError:  # there is no such folder, or none that can be read
        own = {}
    return {**shipped(), **own}


def _is_profile(filename: str) -> bool:
    return filename.endswith((".yaml", ".yml")) and not filename.startswith(".")


def load(
    name: str | PathLike[str] | Traversable,
    *,
    extra: Iterable[Gesture] = (),
    allow_run: bool = False,
) -> Profile:
    """Read a profile by its file, or by its name (`slides`): the user's own, then a shipped one.

    Raises:
        ProfileError: there is none, it cannot be read, or something in it is wrong.
    """
    path = _found(name)
    try:
        with path.open("rb") as file:
            data = file.read(LIMITS.size_bytes + 1)
    except FileNotFoundError:
        raise ProfileError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file system can have
        reason = error.strerror if isinstance(error, OSError) else error
        raise ProfileError(f"{path} cannot be read: {reason}") from error
    return parse(data, str(path), extra=extra, allow_run=allow_run)


def _found(name: str | PathLike[str] | Traversable) -> Traversable:
    if isinstance(name, str) and Path(name).name == name and not _is_profile(name):
        profiles = available()
        if name in profiles:
            return profiles[name]
        if not Path(name).exists():
            near = nearest(name, profiles)
            hint = f"did you mean {near}?" if near else f"there are: {', '.join(profiles)}"
            raise ProfileError(f"there is no profile {name!r}; {hint} Or give a file, *.yaml")
    if isinstance(name, str | PathLike):
        return Path(name).expanduser()
    return name


# --- reading ------------------------------------------------------------------------------------


def parse(
    text: str | bytes,
    filename: str = "profile.yaml",
    *,
    extra: Iterable[Gesture] = (),
    allow_run: bool = False,
) -> Profile:
    """Read the text of a profile. `extra` are gestures known beyond the catalog.

    Raises:
        ProfileError: something is wrong; `problems` holds all that is, in the file's order.
    """
    known = {**catalog(), **{gesture.name: gesture for gesture in extra}}
    source, node, problems = yamlnodes.read(text, filename)
    profile = None
    if node is not None:
        reading = _Reading(source, Surroundings(known, allow_run=allow_run), problems)
        profile = reading.profile(node, Path(filename).stem)
    elif not problems:
        problems.append(source.problem(Place(0, 0), "this file is empty", _MINIMAL))
    if problems or profile is None:
        raise _refusal(filename, problems)
    return profile


def _refusal(filename: str, problems: list[Problem]) -> ProfileError:
    ordered = tuple(sorted(set(problems)))
    count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    parts = [str(problem) for problem in ordered[:MAX_SHOWN]]
    if len(ordered) > MAX_SHOWN:
        parts.append(f"… and {len(ordered) - MAX_SHOWN} more")
    parts.append(f"{count} in {filename}; nothing of it is used")
    return ProfileError("\n\n".join(parts), ordered)


@dataclass(slots=True)
class _Reading:
    """One pass over a file: notes what is wrong while it builds what is right."""

    source: SourceText
    around: Surroundings
    problems: list[Problem]

    def wrong(self, place: Place, message: str, advice: str = "") -> None:
        self.problems.append(self.source.problem(place, message, advice))

    def profile(self, node: Node, name: str) -> Profile | None:
        if not isinstance(node, Mapping):
            self.wrong(node.place, "a profile is a mapping of keys and values", _MINIMAL)
            return None
        for key in ("version", "bindings"):
            if key not in node.entries:
                self.wrong(Place(0, 0), f"the key `{key}` is missing", _NEEDS[key])
        listed = node.entries["bindings"][1] if "bindings" in node.entries else None
        items = listed.items if isinstance(listed, Items) else ()
        # Bindings are read one by one below; pydantic sees the key only when it is no list.
        head = self.validated(document_model(), node, skip="bindings" if items else "")
        defaults = head["defaults"] or Defaults()
        landmarks = frozenset(head["landmarks"]) if head["landmarks"] else None
        read = [self.binding(item, defaults, landmarks) for item in items]
        bindings = [binding for binding in read if binding is not None]
        places = [item.place for item, binding in zip(items, read, strict=True) if binding]
        self.check_reach(bindings, places)
        return Profile(
            bindings=tuple(_with_waiting_taps(bindings)),
            name=head["name"] or name,
            says=head["says"] or "",
            defaults=defaults,
            safety=head["safety"] or Safety(),
            landmarks=landmarks,
            known=self.around.gestures,
        )

    def validated(self, model: type[BaseModel], node: Mapping, skip: str = "") -> dict[str, Any]:
        """Return the values that are right, by key; note what is wrong with the others."""
        data = {
            name: yamlnodes.plain(value)
            for name, (_, value) in node.entries.items()
            if name != skip
        }
        try:
            return dict(model.model_validate(data, context=self.around))
        except ValidationError as error:
            errors = _true_errors(error)
        self.problems += [self.translated(one, model, node) for one in errors]
        bad = {one["loc"][0] for one in errors}
        right = {name: value for name, value in data.items() if name not in bad}
        return dict(model.model_validate(right, context=self.around))

    def translated(self, error: ErrorDetails, model: type[BaseModel], node: Node) -> Problem:
        """Say an error of pydantic in our words, at its place in the file."""
        path, context = error["loc"], error.get("ctx", {})
        place = yamlnodes.locate(node, path)
        name = next((step for step in reversed(path) if isinstance(step, str)), "")
        message, advice = error["msg"], ""
        match error["type"]:
            case kind if kind == WRONG:
                message, advice = context["message"], context["advice"]
            case "extra_forbidden" | "unexpected_keyword_argument":
                place = yamlnodes.locate(node, path, key=True)
                message = f"unknown key `{name}`"
                advice = advise(name, keys_at(model, path[:-1]))
                if model is binding_model() and len(path) == 1 and name in ACTIONS:
                    advice = f"an action stands under `do`: `do: {{{name}: …}}`"
            case _ if error["input"] is yamlnodes.BLANK:
                message, advice = "a value is missing here", _NEEDS.get(name, "")
            case "missing":
                message = f"the key `{name}` is missing here"
            case "tuple_type":
                message = "a list is expected here"
                advice = "begin each item with `- `, or write `[…, …]`"
            case "dataclass_type" | "model_type" | "model_attributes_type":
                message = "a mapping is expected here"
                advice = f"write `{{key: value}}`; the keys are: {_names(keys_at(model, path))}"
            case "too_short" | "too_long":
                least, most = context.get("min_length"), context.get("max_length")
                bound = f"{least} are needed" if least is not None else f"{most} are allowed"
                count = context["actual_length"]
                message = f"this list has {count} items; {bound}" if count else "this list is empty"
        return self.source.problem(place, message, advice)

    # --- one binding ---

    def binding(
        self, node: Node, defaults: Defaults, landmarks: frozenset[LandmarkName] | None
    ) -> Binding | None:
        """Read one binding; None when it is not usable, with the reasons noted."""
        if not isinstance(node, Mapping):
            advice = "write it like `- {gesture: swipe_left, do: {key: Right}}`"
            self.wrong(node.place, "a binding is a mapping of keys and values", advice)
            return None
        noted = len(self.problems)
        right = self.validated(binding_model(), node)
        misplaced = not ACTIONS.keys().isdisjoint(node.entries)
        for key in ("gesture", "do"):
            if key not in node.entries and not (key == "do" and misplaced):
                self.wrong(node.place, f"this binding has no `{key}`", _NEEDS[key])
        gestures: tuple[str, ...] = right["gesture"] or ()
        side: SideName = right["side"] or "either"
        trigger = self.trigger(node, right, gestures)
        actions = self.actions(node, right["do"] or (), trigger)
        self.check_seen(node, gestures, side, landmarks)
        if trigger is None or len(self.problems) > noted:
            return None
        confidence, cooldown_us = right["confidence"], right["cooldown"]
        return Binding(
            gestures=gestures,
            trigger=trigger,
            actions=actions,
            side=side,
            confidence=defaults.confidence if confidence is None else confidence,
            cooldown_us=defaults.cooldown_us if cooldown_us is None else cooldown_us,
            early=bool(right["early"]),
            line=node.place.line + 1,
        )

    def trigger(
        self, node: Mapping, right: dict[str, Any], gestures: tuple[str, ...]
    ) -> Trigger | None:
        """Return when the binding acts, or None when that is wrong, with the reasons noted."""
        by_key = {spec.key: name for name, spec in TRIGGERS.items()}
        asked = [key for key in node.entries if key in by_key]
        for key in asked[1:]:
            message = f"`{key}` stands beside `{asked[0]}`, but a binding acts in one way only"
            self.wrong(node.entries[key][0].place, message, "make two bindings of it")
        written = node.entries["gesture"][1] if "gesture" in node.entries else None
        several = isinstance(written, Items) and len(written.items) > 1
        name = by_key[asked[0]] if asked else "sequence" if several else "tap"
        spec = TRIGGERS[name]
        place = node.entries[asked[0]][0].place if asked else node.place
        if several and name != "sequence":
            advice = "a sequence acts when the last of its gestures begins: leave it out"
            self.wrong(place, f"`{spec.key}` cannot be asked of a sequence", advice)
        elif written is not None and not several and name == "sequence":
            advice = "write `gesture: [first, second]`, or leave `within` out"
            self.wrong(place, "`within` asks for a list of gestures", advice)
        for gesture in gestures:
            if self.around.gestures[gesture].kind == "motion" and not spec.motions and not several:
                message = f"`{spec.key}` cannot be: `{gesture}` is a motion, over once it is seen"
                self.wrong(place, message, f"leave `{spec.key}` out, or choose a pose")
        value = right[spec.key]
        if value is None and spec.key in node.entries:
            return None
        if value is None and name == "sequence":
            value = SEQUENCE_WITHIN_US
        return Trigger(name, spec.build(value, gestures))

    def actions(
        self, node: Mapping, models: tuple[BaseModel, ...], trigger: Trigger | None
    ) -> tuple[Action, ...]:
        """Return what the binding does; note an action that cannot be, or cannot be held."""
        do = node.entries["do"][1] if "do" in node.entries else None
        for one in do.items if isinstance(do, Items) else (do,):
            if not isinstance(one, Mapping):
                continue
            named = [name for name in one.entries if name in ACTIONS]
            if not one.entries:
                self.wrong(one.place, "this action says nothing", f"one of: {_names(ACTIONS)}")
            if len(named) > 1:
                parts = ", ".join(f"{{{name}: …}}" for name in named)
                message = f"this action says {len(named)} things at once"
                self.wrong(one.place, message, f"make a list of them: `do: [{parts}]`")
            if trigger is not None and trigger.spec.holds:
                for name in named:
                    if ACTIONS[name].release is None:
                        place = one.entries[name][0].place
                        message = f"`{name}` cannot be held down, as `{trigger.spec.key}` asks"
                        self.wrong(place, message, f"leave `{trigger.spec.key}` out")
        return tuple(
            Action(name, value) for model in models for name, value in model if value is not None
        )

    def check_seen(
        self,
        node: Mapping,
        gestures: tuple[str, ...],
        side: SideName,
        landmarks: frozenset[LandmarkName] | None,
    ) -> None:
        """Note gestures that nothing sees: that side, one hand alone, what is looked for."""
        looked_for = {"body" if name == "body" else "hand" for name in landmarks or ()}
        rows = [self.around.gestures[name] for name in gestures]
        place = yamlnodes.locate(node, ("gesture",))
        for row in rows:
            if side != "either" and row.seen_by == ("body",):
                message = f"`{row.name}` is made by the whole body, which has no `{side}`"
                self.wrong(yamlnodes.locate(node, ("side",)), message, "leave `side` out")
            missing = [name for name in row.seen_by if name not in looked_for]
            enough = not missing if row.needs else len(missing) < len(row.seen_by)
            if (
                row.needs
                and row.needs.hands == 2
                and "both_hands" not in (landmarks or ["both_hands"])
            ):
                message = f"`{row.name}` is made by both hands, and one is looked for"
                self.wrong(place, message, "write `both_hands` in `landmarks`, or leave it out")
            elif landmarks is not None and not enough:
                message = f"`{row.name}` is seen by the {missing[0]}, which is not looked for"
                advice = f"add `{missing[0]}` to `landmarks`, or leave `landmarks` out"
                self.wrong(place, message, advice)
        if rows and not set.intersection(*(set(row.seen_by) for row in rows)):
            advice = "a sequence is made by one hand, or by the body"
            self.wrong(place, "some of these are made by a hand, others by the body", advice)

    # --- bindings among each other ---

    def check_reach(self, bindings: list[Binding], places: list[Place]) -> None:
        """Note every binding that can never act because an earlier one always does instead."""
        earlier: dict[tuple[str, Hashable], list[Binding]] = {}
        for binding, place in zip(bindings, places, strict=True):
            rivals = earlier.setdefault((binding.gestures[-1], binding.trigger.moment), [])
            first = next((rival for rival in rivals if _hides(rival, binding)), None)
            if first is None:
                rivals.append(binding)
                continue
            message = f"this never acts: line {first.line} always acts in its place"
            advice = "put the more special one first, or remove one of them"
            self.wrong(place, message, advice)


def _true_errors(error: ValidationError) -> list[ErrorDetails]:
    """Return what pydantic says, but for lists it calls short because their items are wrong."""
    errors = error.errors(include_url=False)
    paths = [one["loc"] for one in errors]
    return [
        one
        for one in errors
        if one["type"] != "too_short"
        or not any(path != one["loc"] and path[: len(one["loc"])] == one["loc"] for path in paths)
    ]


def _hides(first: Binding, later: Binding) -> bool:
    """Whether `first` acts whenever `later`, which acts at the same moment, would."""
    if first.side not in ("either", later.side) or first.confidence > later.confidence:
        return False
    if not isinstance(first.trigger.config, Sequence):
        return True
    if not isinstance(later.trigger.config, Sequence):
        return False
    same_end = later.gestures[-len(first.gestures) :] == first.gestures
    return same_end and first.trigger.config.within_us >= later.trigger.config.within_us


def _with_waiting_taps(bindings: list[Binding]) -> Iterable[Binding]:
    """Let a tap whose gesture can also be held wait until it is clear which of them is meant."""
    holds = [one for one in bindings if isinstance(one.trigger.config, HoldFor)]
    for binding in bindings:
        times_us = [
            hold.trigger.config.hold_us
            for hold in holds
            if hold.gestures == binding.gestures
            and (hold.side == binding.side or "either" in (hold.side, binding.side))
        ]
        if times_us and isinstance(binding.trigger.config, Tap):
            yield replace(binding, trigger=Trigger("tap", Tap(before_us=min(times_us))))
        else:
            yield binding


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)
