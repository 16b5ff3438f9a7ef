"""Understand a profile's files: nodes with places → `Profile`, with every problem noted on the way.

A value that is wrong does not hide the next: each binding is validated by itself, and where a
field of it is wrong the others are still read, so that also what does not fit *together* (a swipe
that shall be held, two bindings of one gesture) is said in the same pass.

    names    of modes, zones, macros and applications in all files, so that any can refer to any
    heads    what stands beside the bindings; of what can stand once, the first file's counts
    bindings in the order in which they are heard
    together which can never act, which taps must wait (rivals)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gesturectl import chords, grammar, macros, rivals, yamlnodes
from gesturectl.actions import ACTIONS, Action
from gesturectl.controller import FIRST_ARMED
from gesturectl.fields import WRONG, LandmarkName, SideName, Surroundings, advise, is_name
from gesturectl.grammar import AXIS_KEYS, CHORD, CUE_KEYS, GESTURE, keys_at
from gesturectl.imports import MINIMAL, SourceFile
from gesturectl.pointing import Settings
from gesturectl.rules import (
    ACTIVE,
    ANY,
    BACK,
    SLEEP,
    Application,
    Binding,
    Clutch,
    Defaults,
    Match,
    Mode,
    Profile,
    Safety,
    Shown,
)
from gesturectl.senses import Chord, Cue
from gesturectl.triggers import TRIGGERS, Trigger
from gesturectl.yamlnodes import Items, Mapping, Node, Place, Problem

SEQUENCE_WITHIN_US: Final = 1_000_000  # where `within` is left out; two poses take about 0.6 s

_NEEDS: Final = {
    "gesture": "say which gesture sets it off: `gesture: thumb_up`",
    "do": "say what it does: `do: {key: Right}`",
    "version": "write `version: 1` at the top",
    "bindings": MINIMAL,
}
_APPLICATION_NEEDS: Final = {
    "match": "say in which windows: `match: {only: {app: firefox}}`",
    "bindings": "write `bindings: [{gesture: swipe_left, do: {key: Right}}]`",
}
_RESERVED: Final = (ANY, BACK)
_TRIGGER_OF: Final = {spec.key: name for name, spec in TRIGGERS.items()}  # by its key in a binding


def understand(
    files: Iterable[SourceFile], around: Surroundings, name: str
) -> tuple[Profile | None, list[Problem]]:
    """Read all files of one profile; return it, None when its own file is not readable."""
    files = tuple(file for file in files if file.node is not None)
    reading = _Reading(files, around)
    profile = reading.profile(name) if files and not files[0].imported else None
    return profile, reading.problems


def understand_actions(
    file: SourceFile, node: Node, around: Surroundings
) -> tuple[tuple[Action, ...], list[Problem]]:
    """Read one action, or a list of them, that stands alone; each happens at once."""
    reading = _Reading((file,), around)
    reading.file = file
    for item in yamlnodes.listed(node):
        if not isinstance(item, Mapping):
            reading.wrong(item.place, "this is no action", "write it like `{key: Right}`")
    return reading.actions(node, Trigger("tap", TRIGGERS["tap"].build(True, ()))), reading.problems


@dataclass(frozen=True, slots=True)
class _Macro:
    file: SourceFile
    parameters: tuple[str, ...]
    do: Node


@dataclass(frozen=True, slots=True)
class _Here:
    """What holds for the bindings of one place in one file."""

    defaults: Defaults
    landmarks: frozenset[LandmarkName] | None
    application: int | None = None


@dataclass(frozen=True, slots=True)
class _Heard:
    """What sets a binding off, understood: event names, what they are, by whom."""

    names: tuple[str, ...]
    lasts: bool
    hands: bool  # whether a hand shows it, and so has a side
    bodies: bool


@dataclass(slots=True)
class _Reading:
    """One pass over all files: notes what is wrong while it builds what is right."""

    files: tuple[SourceFile, ...]
    around: Surroundings
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)
    file: SourceFile = field(init=False)
    cues: dict[str, Cue] = field(default_factory=dict)
    chords: dict[str, Chord] = field(default_factory=dict)
    zones: dict[str, Any] = field(default_factory=dict)
    macros: dict[str, _Macro] = field(default_factory=dict)
    applications: list[str] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    places: list[tuple[SourceFile, Place]] = field(default_factory=list)
    next_application: int = 0

    def wrong(self, place: Place, message: str, advice: str = "") -> None:
        self.problems.append(self.file.source.problem(place, message, advice))

    def each(self) -> Iterator[Mapping]:
        """Go through the files, the profile's own first."""
        for file in self.files:
            self.file = file
            yield file.keys

    def profile(self, name: str) -> Profile | None:
        self.gather_names()
        heads = [self.head(node) for node in self.each()]
        own, first = heads[0], _first_of(heads)
        modes = self.modes(heads)
        self.zones = _merged(heads, "zones")
        applications: list[Application] = []
        for node, head in zip(self.each(), heads, strict=True):
            applications += self.read_applications(node, head)
        for node, head in zip(self.each(), heads, strict=True):
            for item in _items(node, "bindings"):
                self.add(item, self.binding(item, head.here))
        panic = self.safety_and_waking(heads, modes)
        clutch = self.clutch(heads)
        safety = first.get("safety")
        profile = Profile(
            bindings=tuple(self.bindings),
            name=own.values["name"] or name,
            says=own.values["says"] or "",
            defaults=own.here.defaults,
            safety=Safety(safety.max_actions_per_second, safety.takeback) if safety else Safety(),
            landmarks=own.here.landmarks,
            known=self.around.gestures,
            modes=modes,
            applications=tuple(applications),
            clutch=clutch,
            panic=panic,
            panic_keys=frozenset(_panic_keys(safety)),
            cues=tuple(self.cues.values()),
            chords=tuple(self.chords.values()),
            zones=self.zones,
            notices=tuple(self.notices),
            pointer=first.get("pointer") or Settings(),
            control=first.get("control"),
        )
        self.check_control(profile, heads)
        profile = replace(profile, notices=tuple(self.notices))
        self.check_reach(profile)
        return replace(profile, bindings=tuple(rivals.with_waiting_taps(profile)))

    # --- names and heads ---

    def gather_names(self) -> None:
        """Learn what all files call their modes, zones, macros and applications."""
        named: dict[str, set[str]] = {"modes": set(), "zones": set()}
        for node in self.each():
            for key, names in named.items():
                for name, _ in self.entries(node, key):
                    names.add(name)
            for name, one in self.entries(node, "macros"):
                if isinstance(one, Mapping) and "do" not in one.entries:
                    self.wrong(one.place, f"the macro `{name}` has no `do`", _NEEDS["do"])
                elif isinstance(one, Mapping):
                    self.macros.setdefault(name, self.macro(one))
            for item in _items(node, "profiles"):
                title = item.value("name") if isinstance(item, Mapping) else None
                self.applications.append(_text(title) if title else "")
        self.around = replace(
            self.around,
            modes=frozenset({ACTIVE, SLEEP, *named["modes"]}),
            zones=frozenset(named["zones"]),
            macros=frozenset(self.macros),
        )

    def entries(self, node: Mapping, key: str) -> Iterator[tuple[str, Node]]:
        """Yield what is defined under a key, by name; note names that cannot be."""
        table = node.value(key)
        if not isinstance(table, Mapping):
            return
        for name, (scalar, one) in table.entries.items():
            if not is_name(name) or name in _RESERVED:
                advice = "a name begins with a letter, and has letters, digits and `_`"
                reserved = name in _RESERVED
                message = (
                    f"`{name}` has a meaning of its own" if reserved else f"`{name}` is no name"
                )
                self.wrong(scalar.place, message, "choose another" if reserved else advice)
            yield name, one

    def macro(self, node: Mapping) -> _Macro:
        do = node.entries["do"][1]
        names = tuple(_text(item) for item in _items(node, "with"))
        for item in _items(node, "with"):
            if _text(item) == "name":
                advice = "`name` says which macro is meant; call the parameter otherwise"
                self.wrong(item.place, "a parameter cannot be called `name`", advice)
        for name, scalar in macros.parameters(do):
            if name not in names:
                advice = advise(name, names) if names else f"write `with: [{name}]`"
                self.wrong(scalar.place, f"this macro has no parameter `{name}`", advice)
        return _Macro(self.file, names, do)

    def head(self, node: Mapping) -> _Head:
        """Read what stands beside the bindings."""
        if "version" not in node.entries:
            self.wrong(Place(0, 0), "the key `version` is missing", _NEEDS["version"])
        if not self.file.imported and "bindings" not in node.entries and not _plays(node):
            self.wrong(Place(0, 0), "the key `bindings` is missing", _NEEDS["bindings"])
        skip = {key for key in ("bindings", "profiles") if _items(node, key)}
        if _all_mappings(node, "modes"):
            skip.add("modes")
        values = self.validated(grammar.document_model(), node, skip)
        if "modes" in skip:  # each by itself, so that one that is wrong does not hide the others
            values["modes"] = {
                name: self.validated(grammar.mode_model(), one)
                for name, one in _table(node, "modes")
            }
        landmarks = frozenset(values["landmarks"]) if values["landmarks"] else None
        if self.file.imported:
            landmarks = None
        here = _Here(values["defaults"] or Defaults(), landmarks)
        return _Head(self.file, node, values, here)

    def modes(self, heads: list[_Head]) -> dict[str, Mode]:
        """Return all modes; of one that several files define, the first counts."""
        modes = {ACTIVE: Mode(ACTIVE)}
        initial: list[str] = []
        for name, value in _merged(heads, "modes").items():
            if value["initial"]:
                initial.append(name)
            sleeps, leaves = value["sleep_after"], value["leave_after"]
            after_us = min((one for one in (sleeps, leaves) if one), default=None)
            modes[name] = Mode(
                name=name,
                initial=value["initial"] is True and len(initial) == 1,
                inherits=value["inherits"],
                once=bool(value["once"]),
                after_us=after_us,
                then=SLEEP if sleeps is not None and sleeps == after_us else BACK,
                when=value["when"],
                says=value["says"] or "",
            )
        for head in heads:
            self.file = head.file
            for name, node in _table(head.node, "modes"):
                self.check_mode(name, node, modes, initial)
        if any(mode.then == SLEEP for mode in modes.values()) or _names_sleep(heads):
            modes.setdefault(SLEEP, Mode(SLEEP))
        return modes

    def check_mode(
        self, name: str, node: Mapping, modes: dict[str, Mode], initial: list[str]
    ) -> None:
        def place(key: str) -> Place:
            return yamlnodes.locate(node, (key,), key=True)

        if "initial" in node.entries and name in initial[1:]:
            message = f"`{initial[0]}` is initial, too"
            self.wrong(place("initial"), message, "a profile starts in one mode")
        if {"leave_after", "sleep_after"} <= node.entries.keys():
            self.wrong(place("sleep_after"), "a mode is left in one way", "leave one of them out")
        if name == SLEEP:
            for key in ("inherits", "when", "sleep_after", "leave_after", "once"):
                if key in node.entries:
                    self.wrong(place(key), f"`sleep` cannot have `{key}`", "only `wake` leads out")
        if name == ACTIVE:
            for key in ("when", "once", "leave_after"):
                if key in node.entries:
                    advice = "give it to a mode of your own"
                    self.wrong(place(key), f"`active` cannot have `{key}`", advice)
        seen, at = [name], modes[name].inherits if name in modes else None
        while at is not None and at in modes and at not in seen:
            seen.append(at)
            at = modes[at].inherits
        if at == name:
            message = f"`{name}` inherits from itself: {' ← '.join([*seen, name])}"
            self.wrong(place("inherits"), message)

    def safety_and_waking(self, heads: list[_Head], modes: dict[str, Mode]) -> int | None:
        """Read what wakes and what panics, which are bindings too; return the place of panic."""
        for head in heads:
            self.file = head.file
            for name, mode in _table(head.node, "modes"):
                if (node := mode.value("wake")) is not None:
                    wakes = (Action("mode", ACTIVE),)
                    made = self.binding(node, head.here, grammar.wake_model(), wakes)
                    self.add(node, made and replace(made, modes=frozenset({name})))
        panic: int | None = None
        for head in heads:
            self.file = head.file
            table = head.node.value("safety")
            if not isinstance(table, Mapping) or "panic" not in table.entries:
                continue
            key, node = table.entries["panic"]
            if isinstance(node, Mapping) and not set(CUE_KEYS).isdisjoint(node.entries):
                made = self.binding(node, head.here, grammar.panic_model(), ())
                if made is not None and panic is None:
                    panic = len(self.bindings)
                    self.add(node, replace(made, modes=None))
            modes.setdefault(SLEEP, Mode(SLEEP))
            self.check_wakes(key.place, "panic goes to sleep, and nothing wakes from it")
        if panic is None and SLEEP in modes:
            file, place = self.place_of_sleep(heads)
            self.file = file
            self.check_wakes(place, "nothing wakes from `sleep`")
        return panic

    def place_of_sleep(self, heads: list[_Head]) -> tuple[SourceFile, Place]:
        for head in heads:
            for name, _ in _table(head.node, "modes"):
                if name == SLEEP:
                    return head.file, yamlnodes.locate(head.node, ("modes", SLEEP), key=True)
        return heads[0].file, yamlnodes.locate(heads[0].node, ("modes",), key=True)

    def check_wakes(self, place: Place, message: str) -> None:
        def wakes(binding: Binding) -> bool:
            leads = any(act.name == "mode" and act.value != SLEEP for act in binding.actions)
            return binding.modes is not None and SLEEP in binding.modes and leads

        # A wake that is wrong is told for itself.
        tables = (_table(file.keys, "modes") for file in self.files)
        told = any(
            "wake" in mode.entries for table in tables for name, mode in table if name == SLEEP
        )
        if not told and not any(map(wakes, self.bindings)):
            advice = "write `modes: {sleep: {wake: {gesture: open_palm, hold_for: 800ms}}}`"
            self.wrong(place, message, advice)

    def clutch(self, heads: list[_Head]) -> Clutch | None:
        """Return the first clutch; note bindings that ask for one in vain."""
        for head in heads:
            self.file = head.file
            node, value = head.node.value("clutch"), head.values["clutch"]
            if node is not None and value is not None:
                shown = self.condition(node, value)
                return Clutch(shown, value.lasts or 0) if shown is not None else None
        for binding, (file, place) in zip(self.bindings, self.places, strict=True):
            if binding.armed and not any("clutch" in head.node.entries for head in heads):
                self.file = file
                advice = "write `clutch: {gesture: open_palm, side: left, lasts: 2s}` at the top"
                self.wrong(place, "this is `armed`, and there is no clutch", advice)
        return None

    def check_control(self, profile: Profile, heads: list[_Head]) -> None:
        """Note what of `control` cannot be; give notice of what hands it over in vain."""
        for head in heads:
            self.file = head.file
            settings = head.values["control"]
            if settings is None:
                continue
            if settings.by == FIRST_ARMED and SLEEP not in profile.modes:
                place = yamlnodes.locate(head.node, ("control",))
                advice = "write `modes: {sleep: {wake: {gesture: open_palm, hold_for: 800ms}}}`"
                self.wrong(place, "nobody can be the first to wake this profile", advice)
            zone = profile.zones.get(settings.zone or "")
            if zone is not None and zone.image is None:
                place = yamlnodes.locate(head.node, ("control", "zone"))
                advice = "give it an `image: [0.2, 0, 0.8, 1]`"
                self.wrong(place, f"`{settings.zone}` is no zone of the picture", advice)
        if profile.control is not None:
            return
        for binding, (file, place) in zip(self.bindings, self.places, strict=True):
            if any(action.name == "hand_over" for action in binding.all_actions):
                message = "this hands over control, and one person is alone here"
                advice = "write `control: largest` at the top"
                self.notices.append(file.source.problem(place, message, advice))

    def read_applications(self, node: Mapping, head: _Head) -> Iterator[Application]:
        """Read `profiles`, with their bindings."""
        for item in _items(node, "profiles"):
            index = self.next_application
            self.next_application += 1
            if not isinstance(item, Mapping):
                advice = "write it like `- {match: {only: {app: mpv}}, bindings: […]}`"
                self.wrong(item.place, "a profile of an application is a mapping", advice)
                continue
            for key, advice in _APPLICATION_NEEDS.items():
                if key not in item.entries:
                    self.wrong(item.place, f"the key `{key}` is missing here", advice)
            skip = {"bindings"} if _items(item, "bindings") else set()
            values = self.validated(grammar.application_model(), item, skip)
            inherits = []
            for parent, place in _texts(item, "inherit"):
                if parent not in self.applications:
                    known = advise(parent, filter(None, self.applications))
                    self.wrong(place, f"there is no profile `{parent}` here", known)
                elif (other := self.applications.index(parent)) != index:
                    inherits.append(other)
            here = replace(head.here, application=index)
            for one in _items(item, "bindings"):
                self.add(one, self.binding(one, here))
            if values["match"] is not None:
                name = values["name"] or f"profile {index + 1}"
                yield Application(name, values["match"], tuple(inherits))
            else:
                yield Application("", Match())

    # --- pydantic's part ---

    def validated(
        self, model: type[BaseModel], node: Mapping, skip: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Return the values that are right, by key; note what is wrong with the others."""
        around = replace(self.around, allow_run=False) if self.file.imported else self.around
        data = {
            name: yamlnodes.plain(value)
            for name, (_, value) in node.entries.items()
            if name not in skip
        }
        try:
            return dict(iter(model.model_validate(data, context=around)))
        except ValidationError as error:
            errors = _true_errors(error)
        self.problems += [self.translated(one, model, node) for one in errors]
        bad = {one["loc"][0] for one in errors}
        right = {name: value for name, value in data.items() if name not in bad}
        return dict(iter(model.model_validate(right, context=around)))

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
                if model is grammar.binding_model() and len(path) == 1 and name in ACTIONS:
                    advice = f"an action stands under `do`: `do: {{{name}: …}}`"
            case _ if error["input"] is yamlnodes.BLANK:
                message, advice = "a value is missing here", _NEEDS.get(name, "")
            case "missing" | "missing_argument":
                message = f"the key `{name}` is missing here"
            case "tuple_type":
                message = "a list is expected here"
                advice = "begin each item with `- `, or write `[…, …]`"
            case "dataclass_type" | "model_type" | "model_attributes_type" | "dict_type":
                message = "a mapping is expected here"
                known = ", ".join(keys_at(model, path))
                advice = f"write `{{key: value}}`; the keys are: {known}" if known else ""
            case "too_short" | "too_long":
                least, most = context.get("min_length"), context.get("max_length")
                bound = f"{least} are needed" if least is not None else f"{most} are allowed"
                count = context["actual_length"]
                message = f"this list has {count} items; {bound}" if count else "this list is empty"
        return self.file.source.problem(place, message, advice)

    # --- one binding ---

    def add(self, node: Node, binding: Binding | None) -> None:
        if binding is not None:
            self.bindings.append(binding)
            self.places.append((self.file, node.place))

    def binding(
        self,
        node: Node,
        here: _Here,
        model: type[BaseModel] | None = None,
        fixed: tuple[Action, ...] | None = None,
    ) -> Binding | None:
        """Read one binding; None when it is not usable, with the reasons noted.

        `model` is another one for what wakes and what panics, `fixed` what these do, which is not
        written.
        """
        if not isinstance(node, Mapping):
            advice = "write it like `- {gesture: swipe_left, do: {key: Right}}`"
            self.wrong(node.place, "a binding is a mapping of keys and values", advice)
            return None
        noted = len(self.problems)
        right = self.validated(model or grammar.binding_model(), node, skip=_lists_of_actions(node))
        heard = self.heard(node, right)
        side: SideName = right["side"] or "either"
        trigger = self.trigger(node, right, heard)
        done = {"do": fixed} if fixed is not None else self.all_actions(node, trigger)
        require = self.conditions(node, right.get("require") or ())
        if heard is not None:
            self.check_seen(node, heard, right, side, here.landmarks)
        if trigger is None or heard is None or len(self.problems) > noted:
            return None
        confidence, cooldown_us = right["confidence"], right.get("cooldown")
        modes = right.get("mode") or (ACTIVE,)
        return Binding(
            gestures=heard.names,
            trigger=trigger,
            actions=done.get("do", ()),
            more=done.get("more", ()),
            less=done.get("less", ()),
            side=side,
            confidence=here.defaults.confidence if confidence is None else confidence,
            cooldown_us=here.defaults.cooldown_us if cooldown_us is None else cooldown_us,
            early=bool(right.get("early")),
            line=node.place.line + 1,
            modes=None if ANY in modes else frozenset(modes),
            application=here.application,
            require=require,
            armed=bool(right.get("armed")),
            filename=self.file.source.filename,
        )

    def heard(self, node: Mapping, right: dict[str, Any]) -> _Heard | None:
        """Return what is listened to: a gesture, several in turn, a chord or a derived cue."""
        asked = [key for key in node.entries if key in CUE_KEYS]
        if not asked:
            self.wrong(node.place, "this binding has no `gesture`", _NEEDS["gesture"])
            return None
        for key in asked[1:]:
            message = f"`{key}` stands beside `{asked[0]}`, but a binding listens to one thing"
            self.wrong(node.entries[key][0].place, message, f"write `require: {{{key}: …}}`")
        value = right[asked[0]]
        if value is None:
            return None
        return self.cue(asked[0], value)

    def cue(self, key: str, value: Any) -> _Heard | None:
        """Name a cue, and note that somebody listens to it; None where its zone is wrong."""
        if key == GESTURE:
            names = value if isinstance(value, tuple) else (value,)
            rows = [self.around.gestures[name] for name in names]
            return _Heard(
                names,
                lasts=all(row.kind == "pose" for row in rows),
                hands=any("hand" in row.seen_by for row in rows),
                bodies=False,
            )
        if key == CHORD:
            self.chords[value.name] = value
            return _Heard((value.name,), lasts=True, hands=False, bodies=False)
        if key == "zone" and value not in self.zones:
            return None
        cue = Cue(key, value)
        self.cues[cue.name] = cue
        subjects = cue.spec.subjects(value, self.zones)
        return _Heard((cue.name,), cue.spec.lasts, "left" in subjects, "body" in subjects)

    def conditions(self, node: Mapping, values: tuple[BaseModel, ...]) -> tuple[Shown, ...]:
        """Return what must be shown as well."""
        written = node.value("require")
        if written is None:
            return ()
        pairs = zip(yamlnodes.listed(written), values, strict=False)
        shown = [self.condition(one, value) for one, value in pairs]
        return tuple(one for one in shown if one is not None)

    def condition(self, node: Node, value: BaseModel) -> Shown | None:
        """Return one thing that must be shown."""
        asked = [key for key in CUE_KEYS if getattr(value, key) is not None]
        if len(asked) != 1:
            place, several = node.place, ", ".join(f"`{key}`" for key in asked)
            message = f"this asks for {several} at once" if asked else "this asks for nothing"
            self.wrong(place, message, "write one, like `{gesture: fist, side: left}`")
            return None
        heard = self.cue(asked[0], getattr(value, asked[0]))
        if heard is None:
            return None
        side: SideName = cast("Any", value).side or "either"
        if not heard.lasts:
            message = f"`{heard.names[0]}` is over once it is seen"
            self.wrong(node.place, message, "choose what can be shown for a while, like a pose")
            return None
        if not self.has_side(node, heard, side):
            return None
        return Shown(heard.names[0], side)

    def has_side(self, node: Node, heard: _Heard, side: SideName) -> bool:
        """Whether a cue can be of that side; note it where it cannot."""
        if side == "either" or heard.hands:
            return True
        message = f"`{heard.names[0]}` has no `{side}`"
        self.wrong(yamlnodes.locate(node, ("side",)), message, "leave `side` out")
        return False

    def trigger(self, node: Mapping, right: dict[str, Any], heard: _Heard | None) -> Trigger | None:
        """Return when the binding acts, or None when that is wrong, with the reasons noted."""
        asked = [key for key in node.entries if key in _TRIGGER_OF]
        for key in asked[1:]:
            message = f"`{key}` stands beside `{asked[0]}`, but a binding acts in one way only"
            self.wrong(node.entries[key][0].place, message, "make two bindings of it")
        written = node.value(GESTURE)
        several = isinstance(written, Items) and len(written.items) > 1
        name = _TRIGGER_OF[asked[0]] if asked else "sequence" if several else "tap"
        spec = TRIGGERS[name]
        place = node.entries[asked[0]][0].place if asked else node.place
        if several and name != "sequence":
            advice = "a sequence acts when the last of its gestures begins: leave it out"
            self.wrong(place, f"`{spec.key}` cannot be asked of a sequence", advice)
        elif written is not None and not several and name == "sequence":
            advice = "write `gesture: [first, second]`, or leave `within` out"
            self.wrong(place, "`within` asks for a list of gestures", advice)
        if heard is not None and not several and not spec.motions and not heard.lasts:
            message = (
                f"`{spec.key}` cannot be: `{heard.names[0]}` is a motion, over once it is seen"
            )
            self.wrong(place, message, f"leave `{spec.key}` out, or choose a pose")
        if heard is not None and spec.follows and not heard.hands:
            message = f"`{spec.key}` follows a hand, and no hand shows `{heard.names[0]}`"
            self.wrong(place, message, "choose a pose of the hand")
        value = right[spec.key]
        if value is None and spec.key in node.entries:
            return None
        if value is None and name == "sequence":
            value = SEQUENCE_WITHIN_US
        return Trigger(name, spec.build(value, heard.names if heard else ()))

    # --- actions ---

    def all_actions(self, node: Mapping, trigger: Trigger | None) -> dict[str, tuple[Action, ...]]:
        """Return what the binding does, by key; note what is missing and what is too much."""
        follows = any(spec.follows for spec in TRIGGERS.values() if spec.key in node.entries)
        misplaced = not ACTIONS.keys().isdisjoint(node.entries)
        if follows and not set(AXIS_KEYS) & node.entries.keys():
            advice = "write `more: {media: volume_up}, less: {media: volume_down}`"
            self.wrong(node.place, "this binding has neither `more` nor `less`", advice)
        elif not follows and "do" not in node.entries and not misplaced:
            self.wrong(node.place, "this binding has no `do`", _NEEDS["do"])
        for key in AXIS_KEYS if not follows else ("do",):
            if key in node.entries:
                if follows:
                    message, advice = "an `axis` has steps", "write `more` and `less` for `do`"
                else:
                    message = f"`{key}` belongs to an `axis`"
                    advice = "write `do`, or `axis: vertical` beside it"
                self.wrong(node.entries[key][0].place, message, advice)
        return {
            key: self.actions(node.entries[key][1], trigger)
            for key in ("do", *AXIS_KEYS)
            if key in node.entries
        }

    def actions(self, do: Node, trigger: Trigger | None) -> tuple[Action, ...]:
        """Return actions in turn; note one that cannot be, or cannot be held."""
        found: list[Action] = []
        for item in yamlnodes.listed(do):
            if not isinstance(item, Mapping):
                continue
            one = self.modern(item)
            named = [name for name in one.entries if name in ACTIONS or name == "macro"]
            if not one.entries:
                self.wrong(one.place, "this action says nothing", f"one of: {', '.join(ACTIONS)}")
            if len(named) > 1:
                parts = ", ".join(f"{{{name}: …}}" for name in named)
                message = f"this action says {len(named)} things at once"
                self.wrong(one.place, message, f"make a list of them: `do: [{parts}]`")
            if (called := one.value("macro")) is not None:
                found += self.played(called, trigger)
                continue
            values = self.validated(grammar.action_model(), one)
            actions = [Action(name, values[name]) for name in named if values[name] is not None]
            if trigger is not None:
                for action in actions:
                    self.check_held(one, action, trigger)
            found += actions
        return tuple(found)

    def modern(self, node: Mapping) -> Mapping:
        """Return an action as it is written now; note what should be written otherwise.

        `keys` once pressed its keys together, as `key` does.
        """
        keys = node.entries.get("keys")
        if keys is None or not isinstance(keys[1], Items):
            return node
        names = [_text(item) for item in keys[1].items]
        if len(names) < 2 or not chords.are_together(names):
            return node
        together = "+".join(names)
        message = "`keys` are pressed one after the other now; this is understood as before"
        self.notices.append(
            self.file.source.problem(keys[0].place, message, f"write `key: {together}`")
        )
        scalar = yamlnodes.Scalar(together, blank=False, place=keys[1].place)
        return replace(node, entries={"key": (replace(keys[0], text="key"), scalar)})

    def check_held(self, node: Mapping, action: Action, trigger: Trigger) -> None:
        """Note an action that cannot be held where it shall be, or must be where it is not."""
        place, key = node.entries[action.name][0].place, trigger.spec.key
        if trigger.spec.holds and not action.can_be_held:
            message = f"`{action.name}` cannot be held down, as `{key}` asks"
            self.wrong(place, message, f"leave `{key}` out")
        elif action.spec.only_held and not trigger.spec.holds:
            message = f"`{action.name}` lasts as long as it is held, and `{key}` is over at once"
            self.wrong(place, message, "write `while: true` or `toggle: true` in its place")

    def played(self, node: Node, trigger: Trigger | None) -> tuple[Action, ...]:
        """Return the actions of a macro with the values that are given to it here."""
        given: dict[str, tuple[Place, Node]] = {}
        if isinstance(node, Mapping):
            given = {name: (key.place, value) for name, (key, value) in node.entries.items()}
            called = given.pop("name", (node.place, node))[1]
        else:
            called = node
        name = _text(called)
        macro = self.macros.get(name)
        if macro is None:
            known = advise(name, self.macros) if self.macros else "define it under `macros`"
            self.wrong(
                called.place, f"there is no macro `{name}`" if name else "a macro has a name", known
            )
            return ()
        values: dict[str, str] = {}
        for parameter in macro.parameters:
            if parameter not in given:
                advice = f"write `{{name: {name}, {parameter}: …}}`"
                self.wrong(node.place, f"the macro `{name}` needs `{parameter}`", advice)
        for key, (place, value) in given.items():
            if key not in macro.parameters:
                known = advise(key, macro.parameters) if macro.parameters else ""
                self.wrong(place, f"the macro `{name}` has no parameter `{key}`", known)
            elif isinstance(value, yamlnodes.Scalar) and not value.blank:
                values[key] = value.text
            else:
                self.wrong(value.place, f"one word or text is expected for `{key}`")
        if values.keys() != set(macro.parameters):
            return ()
        body = macros.filled(macro.do, values)
        if _calls_macro(body):
            self.wrong(called.place, f"`{name}` plays another macro", "macros cannot play macros")
            return ()
        caller, self.file = (
            self.file,
            replace(macro.file, imported=self.file.imported or macro.file.imported),
        )
        try:
            return self.actions(body, trigger)
        finally:
            self.file = caller

    # --- what sees it ---

    def check_seen(
        self,
        node: Mapping,
        heard: _Heard,
        right: dict[str, Any],
        side: SideName,
        landmarks: frozenset[LandmarkName] | None,
    ) -> None:
        """Note what nothing sees: that side, one hand alone, what is looked for."""
        looked_for = {"body" if name == "body" else "hand" for name in landmarks or ()}
        if GESTURE not in node.entries:
            place = yamlnodes.locate(node, (next(key for key in node.entries if key in CUE_KEYS),))
            self.has_side(node, heard, side)
            if (
                landmarks is not None
                and heard.bodies
                and not heard.hands
                and "body" not in looked_for
            ):
                message = f"`{heard.names[0]}` is seen by the body, which is not looked for"
                self.wrong(place, message, "add `body` to `landmarks`, or leave `landmarks` out")
            if landmarks is not None and CHORD in node.entries and "both_hands" not in landmarks:
                message = "a chord is made by both hands, and they are not looked for"
                self.wrong(place, message, "write `both_hands` in `landmarks`, or leave it out")
            return
        rows = [self.around.gestures[name] for name in right[GESTURE] or ()]
        place = yamlnodes.locate(node, (GESTURE,))
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

    def check_reach(self, profile: Profile) -> None:
        """Note every binding that can never act because an earlier one always does instead."""
        for later, first in rivals.hidden(profile):
            self.file, place = self.places[later]
            rival = self.bindings[first]
            line = f"line {rival.line}"
            if rival.filename != self.file.source.filename:
                line += f" of {rival.filename}"
            message = f"this never acts: {line} always acts in its place"
            advice = "put the more special one first, or remove one of them"
            self.wrong(place, message, advice)


@dataclass(frozen=True, slots=True)
class _Head:
    """What one file says beside its bindings."""

    file: SourceFile
    node: Mapping
    values: dict[str, Any]
    here: _Here


# --- small readings -------------------------------------------------------------------------------


def _items(node: Mapping, key: str) -> tuple[Node, ...]:
    """Return the items of a list under a key, also where one stands for the list of it."""
    value = node.value(key)
    if value is None:
        return ()
    if key in ("bindings", "profiles") and not isinstance(value, Items):
        return ()
    return yamlnodes.listed(value)


def _lists_of_actions(node: Mapping) -> set[str]:
    """Return the keys whose actions are read one by one, since each of them is a mapping."""
    written = ((key, node.entries[key][1]) for key in ("do", *AXIS_KEYS) if key in node.entries)
    return {
        key
        for key, do in written
        if isinstance(do, Mapping)
        or (
            isinstance(do, Items)
            and 0 < len(do.items) <= grammar.MAX_ACTIONS
            and all(isinstance(one, Mapping) for one in do.items)
        )
    }


def _texts(node: Mapping, key: str) -> Iterator[tuple[str, Place]]:
    for item in _items(node, key):
        if text := _text(item):
            yield text, item.place


def _text(node: Node) -> str:
    return node.text if isinstance(node, yamlnodes.Scalar) and not node.blank else ""


def _table(node: Mapping, key: str) -> Iterator[tuple[str, Mapping]]:
    """Yield the mappings of a mapping under a key, by name."""
    table = node.value(key)
    if isinstance(table, Mapping):
        for name, (_, one) in table.entries.items():
            if isinstance(one, Mapping):
                yield name, one


def _all_mappings(node: Mapping, key: str) -> bool:
    table = node.value(key)
    return isinstance(table, Mapping) and all(
        isinstance(one, Mapping) for _, one in table.entries.values()
    )


def _plays(node: Mapping) -> bool:
    return "imports" in node.entries or "profiles" in node.entries


def _first_of(heads: list[_Head]) -> dict[str, Any]:
    """Return for each key what the first file says that says anything."""
    found: dict[str, Any] = {}
    for head in heads:
        for key, value in head.values.items():
            if value is not None:
                found.setdefault(key, value)
    return found


def _merged(heads: list[_Head], key: str) -> dict[str, Any]:
    """Return what all files define under a key; of equal names the first file's counts."""
    found: dict[str, Any] = {}
    for head in heads:
        for name, value in (head.values[key] or {}).items():
            found.setdefault(name, value)
    return found


def _names_sleep(heads: list[_Head]) -> bool:
    return any(name == SLEEP for head in heads for name in head.values["modes"] or {})


def _panic_keys(safety: Any) -> tuple[str, ...]:
    panic = safety.panic if safety is not None else None
    return panic.keys if panic is not None and panic.keys is not None else ()


def _calls_macro(body: Node) -> bool:
    items = yamlnodes.listed(body)
    return any(isinstance(one, Mapping) and "macro" in one.entries for one in items)


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
