"""What a display is told of a run: one flat row, a few times a second, and only when it changed.

    frame thread   note(step) ─▶ keeps it      row(loop) ─▶ None, or what is to be told now

Nothing here is done for a frame while nobody shows anything. What a binding does is said in words
that never hold what is typed, spoken or sent: a display is seen by everybody in the room.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gesturectl import bindings
from gesturectl.actions import Action
from gesturectl.control.wire import Json
from gesturectl.daemon import Loop
from gesturectl.engine import Step
from gesturectl.recogniser import Candidate
from gesturectl.rules import SLEEP, Profile
from gesturectl.types import MoveBy, MoveTo

EVERY_US: Final = 45_000  # two frames of a camera at 30 a second, one at 20
LIKELY: Final = 0.3  # below it nobody means the gesture
MAX_WORDS: Final = 60
MAX_KEYS: Final = 2  # more of them, one after the other, may be a word
SEVERAL: Final = "several keys"


def _quietly(words: str) -> Callable[[Any], str]:
    return lambda value: words


WORDS: Final[dict[str, Callable[[Any], str]]] = {
    "key": "+".join,
    "keys": _quietly(SEVERAL),
    "wait": _quietly(""),
    "text": _quietly("types a text"),
    "media": lambda value: str(value).replace("_", " "),
    "button": lambda value: f"{value} button",
    "click": lambda value: f"{value} click",
    "scroll": _quietly("scrolls"),
    "pointer": lambda value: f"pointer: {value}",
    "mode": lambda value: f"mode {value}",
    "profile": lambda value: f"profile {value}",
    "hand_over": _quietly("hands over"),
    "notify": _quietly("notifies"),
    "say": _quietly("speaks"),
    "run": _quietly("starts a program"),
    "webhook": _quietly("sends a message"),
    "osc": _quietly("sends a message"),
    "mqtt": _quietly("sends a message"),
}


def words(actions: tuple[Action, ...]) -> str:
    """Say what actions do, without what they type, say or send."""
    keys = [one for one in actions if one.name == "key"]
    if len(keys) > MAX_KEYS:
        actions = (Action("keys", ()), *(one for one in actions if one.name != "key"))
    said = dict.fromkeys(WORDS[one.name](one.value) for one in actions)
    text = ", ".join(word for word in said if word)
    return text if len(text) <= MAX_WORDS else text[: MAX_WORDS - 1] + "…"


class Glance:
    """Looks at a run for displays. It belongs to the thread of the frames."""

    def __init__(self) -> None:
        self._candidates: tuple[Candidate, ...] = ()
        self._at: tuple[float, float] | None = None
        self._acted: tuple[int, int] | None = None
        self._fired: Json | None = None
        self._number = 0
        self._told: Json = {}
        self._told_us = 0

    def note(self, step: Step) -> None:
        """Take a step: what it saw, and where it put the pointer."""
        self._candidates = step.candidates
        for command in reversed(step.commands):
            if isinstance(command, MoveTo):
                self._at = (command.x, command.y)
                break
            if isinstance(command, MoveBy):
                self._at = None
                break

    def changed(self, loop: Loop, state: Json, profile: Profile | None) -> Json | None:
        """Return what is to be told now, if anything. A changed state is told at once."""
        urgent = any(self._told.get(name) != value for name, value in state.items())
        if not urgent and abs(loop.t_us - self._told_us) < EVERY_US:
            return None
        row = self.row(loop, state, profile)
        if row == self._told:
            return None
        self._told, self._told_us = row, loop.t_us
        return {"t_us": loop.t_us, "type": "show", **row}

    def row(self, loop: Loop, state: Json, profile: Profile | None) -> Json:
        """Return all that is shown, without its time."""
        engine, t_us = loop.engine, loop.t_us
        return {
            **state,
            "asleep": engine.mode == SLEEP,
            "armed": None if profile is None else bindings.armed(profile, engine.state, t_us),
            "candidate": None if loop.idle else self._likeliest(),
            "progress": None if loop.idle else _farthest(loop),
            "fired": self._last(loop, profile),
            "held": list(loop.ledger.held),
            "pointer": None if loop.idle else self._pointing(loop),
            "control": in_control(loop),
        }

    def _likeliest(self) -> Json | None:
        best = max(self._candidates, key=lambda one: one.p, default=None)
        if best is None or best.p < LIKELY:
            return None
        return {
            "gesture": best.gesture,
            "side": best.subject,
            "p": round(float(best.p), 2),
            "enter": round(float(best.enter), 2),
            "active": bool(best.active),
        }

    def _last(self, loop: Loop, profile: Profile | None) -> Json | None:
        acted = loop.engine.state.acted
        if acted is not None and acted != self._acted and profile is not None:
            binding = profile.bindings[acted[0]]
            self._number += 1
            self._fired = {
                "number": self._number,
                "gesture": " → ".join(binding.gestures),
                "does": words(binding.all_actions),
            }
        self._acted = acted
        return self._fired

    def _pointing(self, loop: Loop) -> Json | None:
        shown = loop.engine.pointing(loop.t_us)
        if shown is None or shown.leader is None:
            return None
        at = None if self._at is None else [round(one, 4) for one in self._at]
        return {"dwell": round(shown.dwell, 2), "choice": shown.choice, "at": at}


def _farthest(loop: Loop) -> Json | None:
    best = max(loop.engine.progress(loop.t_us), key=lambda one: one[2], default=None)
    if best is None or best[2] <= 0:
        return None
    name, side, fraction = best
    return {"name": name, "side": side, "fraction": round(min(fraction, 1.0), 2)}


def in_control(loop: Loop) -> Json | None:
    """Return who controls, and where they are; None where one person is alone."""
    who = loop.in_control
    if who is None:
        return None
    return {"person": who.person, "box": who.box and list(who.box), "people": who.people}
