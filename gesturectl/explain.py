"""Why a gesture does what it does here: which binding acts, and why each of the others does not.

In:  a profile, a gesture, the mode, the window in front and what else is shown.
Out: a verdict for each binding of the gesture, those that act first.

The verdicts are those of `bindings`, in the order in which it asks; a test plays both.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Final

from gesturectl.bindings import NO_WINDOW
from gesturectl.rules import ACTIVE, SLEEP, Binding, Match, Profile, Shown, TextRule, WindowRule
from gesturectl.types import Subject, Window

SURE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Moment:
    """When a gesture is shown, by whom, and what else is so at that time."""

    gesture: str
    side: Subject = "right"
    confidence: float = SURE
    mode: str = ACTIVE
    window: Window = NO_WINDOW
    shown: frozenset[tuple[str, Subject]] = frozenset()
    armed: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a binding acts, and why or why not, in words."""

    binding: Binding
    acts: bool
    why: str


def explain(profile: Profile, moment: Moment) -> Iterator[Verdict]:
    """Yield a verdict for each binding of the gesture: first what acts, then the others."""
    application = profile.application_at(moment.window)
    heard = profile.heard(moment.mode, application).get(moment.gesture, ())
    acting: list[Verdict] = []
    taken: dict[Hashable, Binding] = {}
    reasons: dict[int, str] = {}
    for index in heard:
        binding = profile.bindings[index]
        if why := _unheard(profile, binding, moment):
            reasons[index] = why
        elif (first := taken.get(binding.trigger.moment)) is not None:
            reasons[index] = f"line {first.line} acts at the same moment, and comes before it"
        else:
            if not binding.trigger.spec.gathers:
                taken[binding.trigger.moment] = binding
            acting.append(Verdict(binding, acts=True, why=_how(binding)))
    yield from acting
    for index in profile.by_gesture.get(moment.gesture, ()):
        binding = profile.bindings[index]
        if index in reasons:
            yield Verdict(binding, acts=False, why=reasons[index])
        elif index not in heard:
            yield Verdict(binding, acts=False, why=_elsewhere(profile, binding, moment))


def _how(binding: Binding) -> str:
    if binding.trigger.spec.gathers:
        return f"acts after {', '.join(binding.gestures[:-1])}"
    return f"acts ({binding.trigger.name})"


def _unheard(profile: Profile, binding: Binding, moment: Moment) -> str:
    """Say what of the moment itself does not fit, or nothing."""
    if binding.side not in ("either", moment.side):
        return f"it listens to the {binding.side} hand"
    if moment.confidence < binding.confidence:
        return f"it asks for a confidence of {binding.confidence:g}"
    for one in binding.require:
        if not one.is_among(moment.shown):
            return f"it asks for {_said(one)} at the same time"
    clutch = profile.clutch
    if binding.armed and not moment.armed and not (clutch and clutch.shown.is_among(moment.shown)):
        return f"it asks for the clutch, {_said(clutch.shown) if clutch else 'and there is none'}"
    return ""


def _elsewhere(profile: Profile, binding: Binding, moment: Moment) -> str:
    """Say of which application or mode it is."""
    if binding.application is not None:
        row = profile.applications[binding.application]
        if not row.match.fits(moment.window):
            return f"it is for {row.name}: windows with {match_text(row.match)}"
        return "another of `profiles` fits this window, and comes before its own"
    if binding.modes is None:
        return f"nothing but what wakes is heard in {SLEEP}"
    modes = ", ".join(sorted(binding.modes))
    return f"it is heard in the mode {modes}, and this is {moment.mode}"


def _said(asked: Shown) -> str:
    return asked.name if asked.side == "either" else f"{asked.name} by the {asked.side} hand"


def match_text(match: Match) -> str:
    """Say in words which windows are meant."""
    only = " or ".join(map(_rule_text, match.only))
    excluded = " or ".join(map(_rule_text, match.excluded))
    return " but not ".join(filter(None, (only or "any name", excluded)))


def _rule_text(rule: WindowRule) -> str:
    parts: tuple[tuple[str, TextRule | None], ...] = (
        ("app", rule.app),
        ("title", rule.title),
        ("executable", rule.executable),
    )
    return " and ".join(f"{name} {one.text}" for name, one in parts if one is not None)
