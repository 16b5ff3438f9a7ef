"""What a profile is, once it is read: bindings in order, their modes, applications and bounds.

Values only. `profile` makes them from files, `bindings` plays them.

What is listened to depends on two things, the mode and the application in front. In both, what is
more special stands first: of a mode its own bindings, then those of the mode it inherits from; in
each of these the application's own, then those it inherits, then those for every application.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Field

from gesturectl import controller, pointer
from gesturectl.actions import Action
from gesturectl.catalog import Gesture, catalog
from gesturectl.fields import (
    Confidence,
    Kind,
    LandmarkName,
    OneOrMore,
    Rest,
    SideName,
    Surroundings,
    wrong,
)
from gesturectl.senses import Chord, Cue, Zones
from gesturectl.triggers import Trigger
from gesturectl.types import Needs, Subject, Window
from gesturectl.yamlnodes import Problem

ACTIVE: Final = "active"  # the mode of a binding that names none
SLEEP: Final = "sleep"  # in which nothing is heard but what is bound in it
BACK: Final = "back"  # in the place of a mode: the one before
ANY: Final = "any"  # in the place of a mode: all but sleep


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for every binding that does not say otherwise."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Defaults")

    confidence: Annotated[
        Confidence,
        Field(
            description="How sure the recogniser must be, beyond the threshold of its own model."
        ),
    ] = 0.0
    cooldown_us: Annotated[
        Rest,
        Field(alias="cooldown", description="How long a binding rests after it has acted."),
    ] = 400_000


@dataclass(frozen=True, slots=True)
class Safety:
    """Bounds that no binding can cross. Panic, which stands beside them, is a binding."""

    max_actions_per_second: int = 10
    takeback_us: int | None = None


# --- conditions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """A gesture or cue that must be shown at the same time, by this side."""

    name: str
    side: SideName = "either"

    def is_among(self, shown: Container[tuple[str, Subject]]) -> bool:
        """Whether it is one of those that are shown, each with the hand or body that shows it."""
        return any((self.name, side) in shown for side in _SIDES if self.side in ("either", side))


_SIDES: Final[tuple[Subject, ...]] = ("left", "right", "body")


@dataclass(frozen=True, slots=True)
class Clutch:
    """What arms the bindings that ask for it: while it is shown, and for `lasts_us` after."""

    shown: Shown
    lasts_us: int = 0


@dataclass(frozen=True, slots=True)
class TextRule:
    """A text to compare with: equal or contained, whatever the case, or `/a pattern/`."""

    text: str
    pattern: re.Pattern[str] | None = None

    def fits(self, text: str, *, whole: bool) -> bool:
        """Whether a text is meant; `whole` asks for all of it where this is no pattern."""
        if self.pattern is not None:
            return self.pattern.search(text[:MAX_TITLE]) is not None
        mine, theirs = self.text.casefold(), text.casefold()
        return mine == theirs if whole else mine in theirs


def _text_rule(text: str, _: Surroundings) -> TextRule:
    if not text or len(text) > MAX_TEXT_RULE:
        raise wrong(f"a text of up to {MAX_TEXT_RULE} characters is expected here")
    if len(text) < 2 or not (text.startswith("/") and text.endswith("/")):
        return TextRule(text)
    try:
        return TextRule(text, re.compile(text[1:-1], re.IGNORECASE))
    except re.error as error:
        where = f" at character {error.pos + 2}" if error.pos is not None else ""
        raise wrong(f"`{text}` is not a pattern: {error.msg}{where}", _PATTERN_ADVICE) from None


MAX_TITLE: Final = 500  # characters that a pattern looks at: titles are written by strangers
MAX_TEXT_RULE: Final = 200
_PATTERN_ADVICE: Final = "a `/…/` is a regular expression, in which `.`, `(` or `*` are `\\.` …"
Wanted = Annotated[
    TextRule,
    Kind("a text or a `/pattern/`", _text_rule, {"type": "string", "minLength": 1}),
]


@dataclass(frozen=True, slots=True)
class WindowRule:
    """What a window must be like; what is left out does not matter."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Window")

    app: Annotated[
        Wanted | None,
        Field(
            description="The name of the application (on X11 the class of the window), whatever "
            "its case."
        ),
    ] = None
    title: Annotated[
        Wanted | None, Field(description="A text that the title contains, whatever its case.")
    ] = None
    executable: Annotated[
        Wanted | None, Field(description="The file name of its program, without its folder.")
    ] = None

    def fits(self, window: Window) -> bool:
        """Whether all of it is so. A title may contain more than is asked for."""
        return (
            (self.app is None or self.app.fits(window.app, whole=True))
            and (self.title is None or self.title.fits(window.title, whole=False))
            and (self.executable is None or self.executable.fits(window.executable, whole=True))
        )


def _not_empty(rule: WindowRule) -> WindowRule:
    if rule == WindowRule():
        raise wrong("this says nothing about a window", "write `app`, `title` or `executable`")
    return rule


_Rules = Annotated[
    tuple[Annotated[WindowRule, AfterValidator(_not_empty)], ...], Field(max_length=64), OneOrMore()
]


@dataclass(frozen=True, slots=True)
class Match:
    """Windows that one of `only` fits, where there are any, and none of `excluded` does."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Match")

    only: Annotated[_Rules, Field(description="Windows that are meant: one of these fits.")] = ()
    excluded: Annotated[
        _Rules, Field(alias="not", description="Windows that are not meant, whatever else fits.")
    ] = ()

    def fits(self, window: Window) -> bool:
        """Whether this window is meant."""
        wanted = not self.only or any(rule.fits(window) for rule in self.only)
        return wanted and not any(rule.fits(window) for rule in self.excluded)


@dataclass(frozen=True, slots=True)
class Mode:
    """One mode. `after_us` without an action leads to `then`; `once` does after an action.

    With `when` it takes the place of `active` while such a window is in front.
    """

    name: str
    initial: bool = False
    inherits: str | None = None
    once: bool = False
    after_us: int | None = None
    then: str = BACK
    when: Match | None = None
    says: str = ""


@dataclass(frozen=True, slots=True)
class Application:
    """Bindings for some windows. `inherits` are indices of others, whose bindings follow."""

    name: str
    match: Match
    inherits: tuple[int, ...] = ()


# --- bindings -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Binding:
    """When these gestures are made by this side, in the way of this trigger, do these actions.

    `gestures` is one name, or the steps of a sequence; a derived cue's or a chord's name stands
    here as well. A beginning less sure than `confidence` is not heard, nor one without all that
    is in `require` being shown, nor one without the clutch where it is `armed`. `modes` None is
    every mode but sleep. `application` is an index, None for all windows. `early` asks not to wait
    until the gesture is certain. `line` is where it stands in its file, from 1.
    """

    gestures: tuple[str, ...]
    trigger: Trigger
    actions: tuple[Action, ...]
    side: SideName = "either"
    confidence: float = 0.0
    cooldown_us: int = 0
    early: bool = False
    line: int = 0
    more: tuple[Action, ...] = ()
    less: tuple[Action, ...] = ()
    modes: frozenset[str] | None = frozenset({ACTIVE})
    application: int | None = None
    require: tuple[Shown, ...] = ()
    armed: bool = False
    filename: str = ""

    def matches(self, side: Subject, confidence: float) -> bool:
        """Whether a beginning by this hand or body, with this confidence, is meant."""
        return self.side in ("either", side) and confidence >= self.confidence

    @property
    def all_actions(self) -> tuple[Action, ...]:
        """Everything it may do."""
        return (*self.actions, *self.more, *self.less)


@dataclass(frozen=True)
class Profile:
    """A whole profile. Bindings stand in the order of the file: the first that fits acts.

    `panic` is the index of the binding that lets go of everything, and is heard always;
    `control` says who controls of several people, None where one person is alone;
    `panic_keys` are real keys that do the same. `cues` are the derived cues that are listened to,
    `chords` those of both hands. `notices` are what is understood but should be written otherwise,
    `files` all that were read.
    """

    bindings: tuple[Binding, ...]
    name: str = ""
    says: str = ""
    defaults: Defaults = Defaults()
    safety: Safety = Safety()
    landmarks: frozenset[LandmarkName] | None = None
    known: Mapping[str, Gesture] = field(default_factory=catalog, repr=False, compare=False)
    modes: Mapping[str, Mode] = field(default_factory=lambda: {ACTIVE: Mode(ACTIVE, initial=True)})
    applications: tuple[Application, ...] = ()
    clutch: Clutch | None = None
    panic: int | None = None
    panic_keys: frozenset[str] = frozenset()
    cues: tuple[Cue, ...] = ()
    chords: tuple[Chord, ...] = ()
    zones: Zones = field(default_factory=dict)
    control: controller.Control | None = None
    pointer: pointer.Settings = field(default_factory=pointer.Settings)
    notices: tuple[Problem, ...] = field(default=(), repr=False, compare=False)
    files: tuple[Any, ...] = field(default=(), repr=False, compare=False)

    @cached_property
    def by_gesture(self) -> dict[str, tuple[int, ...]]:
        """For each gesture the indices of all its bindings, in order."""
        return _by_gesture(self.bindings, range(len(self.bindings)))

    @cached_property
    def _heard(self) -> dict[tuple[str, int | None], dict[str, tuple[int, ...]]]:
        return {}

    def heard(self, mode: str, application: int | None) -> dict[str, tuple[int, ...]]:
        """Return for each gesture the bindings that are listened to here, the more special first.

        Worked out once for each mode and application, when it is first asked for.
        """
        where = (mode, application)
        if where not in self._heard:
            self._heard[where] = _by_gesture(self.bindings, self.order(mode, application))
        return self._heard[where]

    def application_at(self, window: Window) -> int | None:
        """Return the application that a window is of, the first that fits; None for none."""
        rows = enumerate(self.applications)
        return next((index for index, row in rows if row.match.fits(window)), None)

    def prepare(self) -> None:
        """Work out what is listened to in every mode and application, so that no frame has to."""
        for mode, application in self.everywhere():
            self.heard(mode, application)

    def everywhere(self) -> Iterator[tuple[str, int | None]]:
        """Yield every mode, with none of the applications and with each."""
        return product(self.modes, (None, *range(len(self.applications))))

    def order(self, mode: str, application: int | None) -> tuple[int, ...]:
        """Return the bindings that are listened to here, in the order in which they are asked."""
        places: list[int | None] = []
        if application is not None:
            places += [application, *self.applications[application].inherits]
        places.append(None)
        layers: list[str | None] = [*self.lineage(mode), *((None,) if mode != SLEEP else ())]
        found: dict[int, None] = {} if self.panic is None else {self.panic: None}
        for layer in layers:
            for place in places:
                for index in self._at.get((layer, place), ()):
                    found[index] = None
        return tuple(found)

    @cached_property
    def _at(self) -> dict[tuple[str | None, int | None], list[int]]:
        """The bindings of each mode, None for all modes, and application, None for all windows."""
        found: dict[tuple[str | None, int | None], list[int]] = {}
        for index, binding in enumerate(self.bindings):
            for mode in (None,) if binding.modes is None else binding.modes:
                found.setdefault((mode, binding.application), []).append(index)
        return found

    def lineage(self, mode: str) -> Iterator[str]:
        """Yield a mode, the one it inherits from, and so on."""
        seen: set[str] = set()
        name: str | None = mode
        while name is not None and name not in seen:
            seen.add(name)
            yield name
            name = self.modes[name].inherits if name in self.modes else None

    @cached_property
    def initial(self) -> str:
        """The mode that counts at first."""
        return next((mode.name for mode in self.modes.values() if mode.initial), ACTIVE)

    @property
    def _conditions(self) -> list[Shown]:
        """What bindings ask to be shown, and the clutch."""
        asked = [one for binding in self.bindings for one in binding.require]
        return asked + ([self.clutch.shown] if self.clutch else [])

    @cached_property
    def watched(self) -> frozenset[str]:
        """The gestures of which it matters at any time whether they are shown."""
        parts = [part for chord in self.chords for part in (chord.left, chord.right)]
        return frozenset({*parts, *self.pressed, *(one.name for one in self._conditions)})

    @cached_property
    def chords_with(self) -> dict[tuple[Subject, str], tuple[Chord, ...]]:
        """For each hand and gesture the chords it is part of."""
        found: dict[tuple[Subject, str], list[Chord]] = {}
        for chord in self.chords:
            found.setdefault(("left", chord.left), []).append(chord)
            found.setdefault(("right", chord.right), []).append(chord)
        return {part: tuple(chords) for part, chords in found.items()}

    @cached_property
    def pressed(self) -> dict[str, frozenset[str]]:
        """The real keys that are listened to, by the names of their cues."""
        return {cue.name: frozenset(cue.value) for cue in self.cues if cue.key == "pressed"}

    @cached_property
    def follows(self) -> bool:
        """Whether the movement of hands matters."""
        return any(binding.trigger.spec.follows for binding in self.bindings)

    @property
    def gestures(self) -> frozenset[str]:
        """The gestures of hand and body that are listened to, for whatever they count."""
        named = {*self.by_gesture, *self.watched}
        counted = {name for cue in self.cues for name in cue.spec.gestures(cue.value)}
        return frozenset((named | counted) & self.known.keys())

    @property
    def early(self) -> frozenset[str]:
        """The gestures that are not waited for: all their bindings say so, and none else asks."""
        return frozenset(
            gesture
            for gesture, indices in self.by_gesture.items()
            if all(self.bindings[index].early for index in indices) and gesture not in self.watched
        )

    @cached_property
    def keys(self) -> frozenset[str]:
        """All keys it may send, by their canonical names."""
        return frozenset(
            key
            for binding in self.bindings
            for action in binding.all_actions
            for key in action.spec.keys(action.value)
        )

    @cached_property
    def needs(self) -> Needs:
        """Which landmarks must run, and for how many hands.

        A hand runs for what only a hand shows, or where a side is asked for, since a body does not
        tell sides. A body runs for what only a body shows; it then shows the motions too. For
        motions alone a hand is chosen, the cheaper of the two. One hand is enough until a binding
        names a side or wants both hands: then the other hand must not take its place. A gesture of
        the user's own asks for what it was taught with, a derived cue for what shows it.
        `landmarks` in the profile overrides all this.

        Where one of several people controls, both hands of each are looked for, lest another's take
        the place of his; and their bodies, by which it is told whose a hand is, unless `landmarks`
        does without.
        """
        one = self._needs_of_one
        if self.control is None:
            return one
        people = self.control.people
        bodies = people if one.bodies or self.landmarks is None else 0
        return Needs(2 * people if one.hands else 0, bodies)

    @cached_property
    def _needs_of_one(self) -> Needs:
        if self.landmarks is not None:
            hands = 2 if "both_hands" in self.landmarks else int("hand" in self.landmarks)
            return Needs(hands, int("body" in self.landmarks))
        sides = [one.side for one in self.bindings] + [one.side for one in self._conditions]
        sided = bool(self.chords) or any(side != "either" for side in sides)
        rows = [self.known[name] for name in self.gestures]
        asked = [row.needs for row in rows if row.needs is not None]
        asked += [cue.spec.needs(cue.value, self.zones) for cue in self.cues]
        if self.points:
            asked.append(pointer.needs(self.pointer))
        seen_by = {row.seen_by for row in rows if row.needs is None}
        bodies = max(int(("body",) in seen_by), *(needs.bodies for needs in asked), 0)
        hand = sided or self.follows or ("hand",) in seen_by or (bool(seen_by) and not bodies)
        hands = (2 if sided else 1) if hand else 0
        return Needs(max(hands, *(needs.hands for needs in asked), 0), bodies)

    @property
    def asks_for_windows(self) -> bool:
        """Whether it matters which window is in front."""
        return bool(self.applications) or any(mode.when for mode in self.modes.values())

    @property
    def asks_for_input(self) -> bool:
        """Whether the real keyboard and mouse matter."""
        return self.safety.takeback_us is not None or bool(self.panic_keys or self.pressed)

    @cached_property
    def points(self) -> bool:
        """Whether anything moves the pointer."""
        return any(
            action.name == "pointer" for binding in self.bindings for action in binding.all_actions
        )


def _by_gesture(
    bindings: tuple[Binding, ...], indices: Iterable[int]
) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for index in indices:
        for gesture in dict.fromkeys(bindings[index].gestures):
            found.setdefault(gesture, []).append(index)
    return {gesture: tuple(some) for gesture, some in found.items()}
