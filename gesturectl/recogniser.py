"""Observations in, gesture events out: `classifier`, then a decoder for all that can be shown.

Poses are decided on for each hand and the body, strokes for each hand and each arm. A stroke that
both the hand's and the arm's landmarks show is one event: whichever sees it first silences the
other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from math import hypot
from pathlib import Path

import numpy as np

from gesturectl import decoder, features, model
from gesturectl.classifier import ARMS, HANDS, STROKES, Classifier, Moved, Mover, Seen
from gesturectl.decoder import MotionState, PoseState
from gesturectl.errors import ModelError
from gesturectl.types import (
    Began,
    Ended,
    Float32,
    Observation,
    Scores,
    Side,
    Subject,
)

SHIPPED = "shipped"
LOST_US = features.MAX_GAP_US

# A hand on its way shows no pose: above this many palm sizes a second poses do not begin. Poses
# of the recorded clips and photographs are shown below 1.5; strokes peak above 6.
STILL = 4.0
_STILL_FEATURE = STILL * 0.1 / 1.5  # as `features._motion` scales 100 ms of displacement

_STROKES_OF: dict[Subject, tuple[Mover, ...]] = {
    "left": (HANDS["left"],),
    "right": (HANDS["right"],),
    "body": (ARMS["right"], ARMS["left"]),
}

# A stroke is made with one hand. Where the other one moves along, at least half as far in the
# last quarter of a second, somebody stretches, shrugs or talks.
ALONG = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a subject seems to show right now, for displays: the likeliest gesture and its `p`."""

    subject: Subject
    gesture: str
    p: float
    enter: float
    active: bool


@dataclass(slots=True, eq=False)
class _Stroker:
    """A hand or an arm: its decoder's memory, when it was last seen, and how it moves now."""

    mover: Mover
    rules: decoder.Rules
    other: _Stroker = field(init=False)  # that of the other side
    state: MotionState = field(default_factory=MotionState)
    seen_us: int = -1
    moving: bool = False
    reach: float = 0.0

    def reset(self) -> None:
        state = self.state
        self.state = MotionState(quiet_until_us=state.quiet_until_us, echo=state.echo)
        self.seen_us = -1
        self.moving = False
        self.reach = 0.0


@dataclass(slots=True)
class _Poser:
    """A hand or the body: its decoder's memory, and when it was last seen."""

    state: PoseState = field(default_factory=PoseState)
    seen_us: int = -1


class Recogniser:
    """All subjects of one controlling person. Feed observations whose times grow.

    Gestures in `early` begin as soon as they are likely, see `decoder.early`.

    Raises:
        ModelError: the model lacks a part, or one of them does not fit our features.
    """

    def __init__(self, trained: model.Model, early: frozenset[str] = frozenset()) -> None:
        self._classifier = Classifier(trained)
        self._foreseen: deque[tuple[Observation, Seen]] = deque()
        self._made_of = (trained, early)
        # A model of right hands knows a left one's strokes by their names in a mirror.
        names: dict[Side, frozenset[str]] = {
            "left": frozenset(map(features.mirrored, early)),
            "right": early,
        }
        hand = decoder.early(trained.rules("hand_pose"), early)
        body = decoder.early(trained.rules("body_pose"), early)
        self._rules: dict[Subject, decoder.Rules] = {"left": hand, "right": hand, "body": body}
        self._posers: dict[Subject, _Poser] = {s: _Poser() for s in ("left", "right", "body")}
        self._strokers: dict[Mover, _Stroker] = {}
        for part, movers in STROKES.items():
            for side, mover in movers.items():
                rules = decoder.early(trained.rules(part), names[side])
                self._strokers[mover] = _Stroker(mover, rules)
            for side, mover in movers.items():
                other = movers[features.other(side)]
                self._strokers[mover].other = self._strokers[other]
        self._t_us = -1
        self._candidates: dict[Subject, Candidate] = {}
        self.gestures = frozenset(
            name for part in trained.card.parts.values() for name in part.classes[1:]
        )

    @classmethod
    def load(cls, name: str = SHIPPED, early: frozenset[str] = frozenset()) -> Recogniser:
        """Load a shipped model by name, or one from a folder by path.

        Raises:
            ModelError: there is no such model, or it is damaged.
        """
        folder = resources.files("gesturectl.gestures").joinpath("models", name)
        if "/" in name or not folder.is_dir():
            folder = Path(name)
            if not folder.is_dir():
                raise ModelError(f"there is no model {name!r}: neither a shipped one nor a folder")
        return cls(model.load(folder), early)

    def fresh(self) -> Recogniser:
        """Return another one of the same model, for another person."""
        return Recogniser(*self._made_of)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What each subject in view seems to show."""
        return tuple(self._candidates.values())

    def step(self, observation: Observation) -> tuple[Began | Ended, ...]:
        """Take what one frame shows; return the gestures that begin and end with it.

        Raises:
            ValueError: time did not grow since the last observation.
        """
        t = observation.t_us
        if t <= self._t_us:
            raise ValueError(f"observations must grow in time: {t} µs after {self._t_us} µs")
        self._t_us = t
        self._candidates.clear()
        seen = self._seen(observation)
        events: list[Began | Ended] = []
        for subject, p in seen.poses:
            for mover in _STROKES_OF[subject]:
                events += self._step_motion(self._strokers[mover], t, seen.moved[mover])
            events += self._step_pose(subject, t, p)
        events += self._lose(t, LOST_US)
        return tuple(events)

    def foresee(self, observations: Sequence[Observation]) -> None:
        """Look at the next frames all at once, which takes a fraction of the time.

        They are to be given to `step` one by one, these very ones, as far as no `reset` comes
        between. Nothing that it returns is different.
        """
        self._foreseen.extend(zip(observations, self._classifier.look(observations), strict=True))

    def _seen(self, observation: Observation) -> Seen:
        if not self._foreseen:
            return self._classifier.look((observation,))[0]
        foreseen, seen = self._foreseen.popleft()
        if foreseen is not observation:
            raise ValueError(f"another frame was foreseen than that of {observation.t_us} µs")
        return seen

    def reset(self, t_us: int) -> tuple[Ended, ...]:
        """End everything that is shown and forget the past, as on pause or a stalled camera."""
        ended = tuple(self._lose(t_us, None))
        self._classifier.forget()
        self._foreseen.clear()
        self._candidates.clear()
        return ended

    def _step_motion(
        self, stroker: _Stroker, t: int, moved: Iterable[Moved]
    ) -> Iterable[Began | Ended]:
        if _gone(stroker, t, LOST_US):
            stroker.reset()
        stroker.seen_us = t
        rules, side = stroker.rules, stroker.mover.side
        for at_us, vector, heard in moved:
            *swift, right, down = vector[2:6].tolist()  # over 100 ms, and over 267
            stroker.reach = hypot(right, down)
            stroker.moving = hypot(*swift) > _STILL_FEATURE
            along = stroker.other.reach > ALONG * stroker.reach
            scores = Scores(at_us, side, _nothing(heard) if along else heard)
            stroker.state, events = decoder.step_motion(rules, stroker.state, scores)
            if events:
                self._silence_others(stroker, rules.names[stroker.state.fired])
            # Events bear the time of the frame that completes the step: times never go back.
            for event in events:
                yield replace(event, t_us=t, gesture=_named(event.gesture, side))
        if stroker.state.p is not None:
            self._show(side, rules, stroker.state.p, active=stroker.state.fired, side=side)

    def _silence_others(self, fired: _Stroker, name: str) -> None:
        until = fired.state.quiet_until_us
        for one in self._strokers.values():
            if one is fired:
                continue
            quiet, echo = max(until, one.state.quiet_until_us), 0
            names = one.rules.names
            if one.mover.side == fired.mover.side and name in names:
                echo = names.index(name)
            one.state = replace(one.state, quiet_until_us=quiet, echo=echo)

    def _step_pose(self, subject: Subject, t: int, p: Float32) -> Iterable[Began | Ended]:
        poser, rules = self._posers[subject], self._rules[subject]
        poser.seen_us = t
        moving = subject != "body" and self._strokers[HANDS[subject]].moving
        if moving and not poser.state.active:
            p = _nothing(p)
        poser.state, events = decoder.step_pose(rules, poser.state, Scores(t, subject, p))
        if poser.state.p is not None:
            self._show(subject, rules, poser.state.p, active=poser.state.active)
        return events

    def _show(
        self,
        subject: Subject,
        rules: decoder.Rules,
        p: Float32,
        *,
        active: int,
        side: Side | None = None,
    ) -> None:
        best = active or int(p[1:].argmax()) + 1
        likely = float(p[best])
        old = self._candidates.get(subject)
        if old is None or likely > old.p or active:
            name = rules.names[best]
            gesture = _named(name, side) if side else name
            enter = float(rules.enter[best])
            self._candidates[subject] = Candidate(subject, gesture, likely, enter, bool(active))

    def _lose(self, t: int, longest_us: int | None) -> Iterable[Ended]:
        """Forget whoever has been absent for longer than this, or everybody."""
        for stroker in self._strokers.values():
            if _gone(stroker, t, longest_us):
                stroker.reset()
        for subject, poser in self._posers.items():
            if _gone(poser, t, longest_us):
                rules = self._rules[subject]
                poser.state, events = decoder.lose_pose(rules, poser.state, t, subject)
                poser.seen_us = -1
                yield from (event for event in events if isinstance(event, Ended))


def _gone(one: _Stroker | _Poser, t: int, longest_us: int | None) -> bool:
    """Whether somebody who was seen has been absent for longer than this, if that matters."""
    return one.seen_us >= 0 and (longest_us is None or t - one.seen_us > longest_us)


def _nothing(p: Float32) -> Float32:
    nothing = np.zeros_like(p)
    nothing[0] = 1.0
    return nothing


def _named(gesture: str, side: Side) -> str:
    return features.mirrored(gesture) if side == "left" else gesture
