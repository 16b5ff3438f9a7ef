"""Play a profile without a camera: a line of gestures and pauses in, commands with their times out.

    swipe_left t:200 open_palm+ t:900 open_palm-

    name     the gesture begins and ends at once       left:name   by the left hand; also right:
    name+    it begins and lasts                       name@0.7    with this confidence
    name-    it ends                                   t:200       time passes, in ms; t:1.5s
    app:mpv  this application comes to the front       title:…     and this title; executable:…
    key:ctrl+c  real keys are pressed and let go       mouse       the real mouse is used
    keys:ctrl   these real keys are down from now on   keys:       none are
    move:up=0.5,right=1   the right hand moves so far; left:move:… the left one
    lost     the camera sees nothing more: everything is let go

Between the words frames pass, 30 a second, as the daemon would see them. The same text gives the
same commands every time: golden tests, bug reports and the examples of the documentation are
written in it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast, get_args

from pydantic_core import PydanticCustomError

from gesturectl import bindings, keys
from gesturectl.errors import UsageError
from gesturectl.fields import advise, duration_us
from gesturectl.rules import Profile
from gesturectl.senses import CUES
from gesturectl.types import (
    Began,
    Command,
    Ended,
    GestureEvent,
    Moved,
    Request,
    Side,
    Subject,
    Tick,
    UserInput,
    Window,
)

FRAME_US: Final = 33_333
SURE: Final = 0.95  # of a gesture that does not say
LONGEST_US: Final = 60_000_000  # how long a sequence of keys may go on after the last word
_FIELDS: Final = {
    "horizontal": "right",
    "right": "right",
    "vertical": "up",
    "up": "up",
    "depth": "near",
    "near": "near",
    "pinch": "pinch",
    "roll": "roll_deg",
}


def simulate(profile: Profile, script: str) -> Iterator[Command | Request]:
    """Yield what the script makes a profile do, in the order of time.

    Raises:
        UsageError: a word of the script means nothing here; says which and what could be meant.
    """
    try:
        words = shlex.split(script)
    except ValueError as error:
        raise UsageError(f"the script cannot be read: {error}") from error
    acting = _Acting(profile)
    for number, word in enumerate(words, 1):
        try:
            yield from acting.play(word)
        except _Meaningless as error:
            raise UsageError(f"word {number} of the script, {word!r}: {error}") from error
    yield from acting.finish()


class _Meaningless(Exception):  # noqa: N818 — says why a word means nothing
    pass


@dataclass(slots=True)
class _Acting:
    """Somebody before the camera, and the state of the bindings."""

    profile: Profile
    t_us: int = 0
    state: bindings.State = field(init=False)
    hands: dict[Side, Moved] = field(default_factory=dict)
    window: Window = Window(0)  # noqa: RUF009 — frozen

    def __post_init__(self) -> None:
        self.state = bindings.initial(self.profile)

    def play(self, word: str) -> Iterator[Command | Request]:
        """Play one word."""
        side, rest = self.side(word)
        kind, colon, value = rest.partition(":")
        match kind:
            case "t" if colon:
                yield from self.wait(_time_us(value))
            case "app" | "title" | "executable" if colon:
                self.window = replace(self.window, t_us=self.t_us, **cast("Any", {kind: value}))
                yield from self.step(self.window)
            case "key" if colon:
                yield from self.step(UserInput(self.t_us, _keys(value)))
                yield from self.step(UserInput(self.t_us))
            case "keys" if colon:
                yield from self.step(UserInput(self.t_us, _keys(value)))
            case "mouse":
                yield from self.step(UserInput(self.t_us))
            case "move" if colon:
                yield from self.move(side or "right", value)
            case "lost":
                self.state, sent = bindings.release(self.profile, self.state, self.t_us)
                yield from sent
            case _:
                yield from self.show(side, rest)

    def side(self, word: str) -> tuple[Side | None, str]:
        for side in get_args(Side):
            if word.startswith(f"{side}:"):
                return side, word.removeprefix(f"{side}:")
        return None, word

    def show(self, side: Side | None, word: str) -> Iterator[Command | Request]:
        """Begin a gesture, end it, or both."""
        text, _, sure = word.partition("@")
        name = text.rstrip("+-") if text[:-1].rstrip("+-") == text[:-1] else text
        phase = text.removeprefix(name)
        confidence = _confidence(sure) if sure else SURE
        subject = self.subject(name, side)
        if phase != "-":
            yield from self.step(Began(self.t_us, name, subject, confidence))
        if phase != "+":
            yield from self.step(Ended(self.t_us, name, subject, confidence))

    def subject(self, name: str, side: Side | None) -> Subject:
        """Return who shows it; a hand is the right one where nothing is said."""
        cue = next((cue for cue in self.profile.cues if cue.name == name), None)
        if cue is not None:
            by = CUES[cue.key].subjects(cue.value, self.profile.zones)
            return side or ("right" if "right" in by else "body")
        row = self.profile.known.get(name)
        if row is None:
            names = [*self.profile.known, *(cue.name for cue in self.profile.cues)]
            raise _Meaningless(f"there is no such gesture; {advise(name, names)}")
        if "hand" in row.seen_by:
            return side or "right"
        if side is not None:
            raise _Meaningless(f"`{name}` is made by the whole body, which has no sides")
        return "body"

    def move(self, side: Side, text: str) -> Iterator[Command | Request]:
        """Move a hand from where it is, in one frame."""
        before = self.hands.get(side) or Moved(
            self.t_us, side, right=0.0, up=0.0, near=0.0, pinch=0.0, roll_deg=0.0
        )
        if side not in self.hands:
            yield from self.step(before)
        moved: dict[str, float] = {}
        for part in text.split(","):
            axis, _, value = part.partition("=")
            if axis not in _FIELDS:
                raise _Meaningless(f"no axis is called `{axis}`; {advise(axis, _FIELDS)}")
            try:
                moved[_FIELDS[axis]] = getattr(before, _FIELDS[axis]) + float(value)
            except ValueError:
                raise _Meaningless("write how far, like `move:up=0.5`") from None
        self.hands[side] = replace(before, t_us=self.t_us, **cast("Any", moved))
        yield from self.step(self.hands[side])

    def wait(self, us: int) -> Iterator[Command | Request]:
        """Let frames pass."""
        until_us = self.t_us + us
        while self.t_us < until_us:
            self.t_us = min(self.t_us + FRAME_US, until_us)
            for hand in self.hands.values():
                yield from self.step(replace(hand, t_us=self.t_us))
            yield from self.step(Tick(self.t_us))

    def finish(self) -> Iterator[Command | Request]:
        """Let what waits for its time happen."""
        until_us = self.t_us + LONGEST_US
        yield from self.step(Tick(self.t_us))
        while self.state.later and self.t_us < until_us:
            yield from self.wait(FRAME_US)

    def step(self, event: GestureEvent) -> Iterator[Command | Request]:
        self.state, sent = bindings.step(self.profile, self.state, event)
        yield from sent


def _time_us(text: str) -> int:
    try:
        return duration_us(f"{text}ms" if text.isdecimal() else text)
    except PydanticCustomError as error:
        raise _Meaningless(f"{error}; write `t:200` or `t:1.5s`") from error


def _confidence(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise _Meaningless(f"`{text}` is no confidence; write a number from 0 to 1")
    return value


def _keys(text: str) -> frozenset[str]:
    try:
        return frozenset(keys.canonical(name) for name in text.split("+") if text)
    except keys.UnknownKey as error:
        hint = f"; did you mean `{error.suggestion}`?" if error.suggestion else ""
        raise _Meaningless(f"no key is called `{error.name}`{hint}") from error
