"""Observations in, gesture events out: features, networks and decoder of every subject.

A subject is one hand or the body. Hands are scored twice, as a shape (pose) in every frame and
as a motion on the time grid; a body likewise, its two arms being motions. A stroke that both the
hand's and the arm's landmarks show is one event: whichever sees it first silences the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from importlib import resources
from math import hypot
from pathlib import Path

import numpy as np

from gesturectl import decoder, features, model
from gesturectl.decoder import MotionState, PoseState
from gesturectl.errors import ModelError
from gesturectl.features import Moment, Track
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

# How many features each part of a model reads.
INPUTS = {
    "hand_pose": features.HAND_SHAPE_SIZE,
    "body_pose": features.BODY_SHAPE_SIZE,
    "hand_motion": features.HAND_MOTION_SIZE,
    "arm_motion": features.ARM_MOTION_SIZE,
}

# A hand on its way shows no pose: above this many palm sizes a second poses do not begin. Poses
# of the recorded clips and photographs are shown below 1.5; strokes peak above 6.
STILL = 4.0
_STILL_FEATURE = STILL * 0.1 / 1.5  # as `features._motion` scales 100 ms of displacement

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
class _Mover:
    """A hand or an arm: its track, its lane through the networks, and its decoder's memory.

    `other` is that of the other side. `scored` are the grid steps that a frame completes: the
    time, the motion features and the scores of each.
    """

    side: Side
    arm: bool
    rules: decoder.Rules
    streams: model.TcnStreams
    lane: model.Lane
    other: _Mover = field(init=False)
    track: Track = field(default_factory=Track)
    scored: list[tuple[int, Float32, Float32]] = field(default_factory=list)
    state: MotionState = field(default_factory=MotionState)
    moving: bool = False
    reach: float = 0.0

    def reset(self) -> None:
        self.track.reset()
        self.streams.forget(self.lane)
        state = self.state
        self.state = MotionState(quiet_until_us=state.quiet_until_us, echo=state.echo)
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
        for name, part in trained.card.parts.items():
            if part.inputs != INPUTS.get(name, part.inputs):
                raise ModelError(
                    f"model {trained.card.name}: {name} reads {part.inputs} features, this program "
                    f"computes {INPUTS[name]}; train it again or install a newer model"
                )
        self._made_of = (trained, early)
        self._hand_pose = trained.mlp("hand_pose")
        self._body_pose = trained.mlp("body_pose")
        # A model of right hands knows a left one's strokes by their names in a mirror.
        names: dict[Side, frozenset[str]] = {
            "left": frozenset(map(features.mirrored, early)),
            "right": early,
        }
        hand = decoder.early(trained.rules("hand_pose"), early)
        body = decoder.early(trained.rules("body_pose"), early)
        self._rules: dict[Subject, decoder.Rules] = {"left": hand, "right": hand, "body": body}
        self._posers: dict[Subject, _Poser] = {s: _Poser() for s in ("left", "right", "body")}
        self._streams, movers = [], {}
        for together in _of_one_form(trained):
            streams = model.TcnStreams([trained.tcn(name) for name in together], rows=len(names))
            self._streams.append(streams)
            for net, name in enumerate(together):
                for row, (side, those) in enumerate(names.items()):
                    rules, arm = decoder.early(trained.rules(name), those), name == "arm_motion"
                    movers[side, arm] = _Mover(side, arm, rules, streams, (row, net))
        for (side, arm), mover in movers.items():
            mover.other = movers[features.other(side), arm]
        self._movers: dict[Subject, tuple[_Mover, ...]] = {
            "left": (movers["left", False],),
            "right": (movers["right", False],),
            "body": (movers["right", True], movers["left", True]),
        }
        self._all_movers = tuple(movers.values())
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
        poses = self._look(observation)
        events: list[Began | Ended] = []
        for subject, p in poses:
            for mover in self._movers[subject]:
                events += self._step_motion(mover, t)
            events += self._step_pose(subject, t, p)
        events += self._lose(t, absent=LOST_US)
        return tuple(events)

    def reset(self, t_us: int) -> tuple[Ended, ...]:
        """End everything that is shown and forget the past, as on pause or a stalled camera."""
        ended = tuple(self._lose(t_us, absent=None))
        self._candidates.clear()
        return ended

    def _look(self, observation: Observation) -> list[tuple[Subject, Float32]]:
        """Let the strokes of all who are seen go on; return the scores of their poses."""
        t, size_px = observation.t_us, observation.size_px
        hands = {hand.side: hand for hand in observation.hands}
        poses: list[tuple[Subject, Float32]] = []
        moved: list[tuple[_Mover, Float32]] = []
        if hands:
            points = features.hand_points(list(hands.values()), size_px)
            shapes, signals = features.hand_shapes_and_signals(points)
            poses += zip(hands, self._hand_pose.scores(shapes), strict=True)
            moved += zip((self._movers[side][0] for side in hands), signals, strict=True)
        if observation.bodies:
            points = features.body_points(observation.bodies[0].image, size_px)[None]
            shapes, arms = features.body_shapes_and_arms(points)
            poses += [("body", self._body_pose.scores(shapes)[0])]
            moved += zip(self._movers["body"], arms[:, 0], strict=True)
        self._follow(t, moved)
        return poses

    def _follow(self, t: int, moved: Iterable[tuple[_Mover, Float32]]) -> None:
        """Take one frame's signals, and score the grid steps that are complete by now."""
        due: dict[int, list[tuple[_Mover, Moment]]] = {}
        for mover, signal in moved:
            mover.scored.clear()
            if mover.track.lost_us(t) > LOST_US:
                mover.reset()
            for moment in mover.track.push(t, signal):
                due.setdefault(moment.step, []).append((mover, moment))
        for step in sorted(due):
            vectors: list[tuple[_Mover, Float32]] = []
            for arm in (False, True):
                some = [one for one in due[step] if one[0].arm is arm]
                if some:
                    rows = features.motions([moment for _, moment in some], arm=arm)
                    vectors += zip((mover for mover, _ in some), rows, strict=True)
            for streams in self._streams:
                mine = [one for one in vectors if one[0].streams is streams]
                if mine:
                    p = streams.scores(step, {mover.lane: vector for mover, vector in mine})
                    for mover, vector in mine:
                        scores = p[mover.lane][: len(mover.rules.names)]
                        mover.scored.append((step * features.STEP_US, vector, scores))

    def _step_motion(self, mover: _Mover, t: int) -> Iterable[Began | Ended]:
        rules = mover.rules
        for at_us, vector, heard in mover.scored:
            *swift, right, down = vector[2:6].tolist()  # over 100 ms, and over 267
            mover.reach = hypot(right, down)
            mover.moving = hypot(*swift) > _STILL_FEATURE
            along = mover.other.reach > ALONG * mover.reach
            scores = Scores(at_us, mover.side, _nothing(heard) if along else heard)
            mover.state, events = decoder.step_motion(rules, mover.state, scores)
            if events:
                self._silence_others(mover, rules.names[mover.state.fired])
            # Events bear the time of the frame that completes the step: times never go back.
            for event in events:
                yield replace(event, t_us=t, gesture=_named(event.gesture, mover.side))
        if mover.state.p is not None:
            self._show(mover.side, rules, mover.state.p, active=mover.state.fired, side=mover.side)

    def _silence_others(self, fired: _Mover, name: str) -> None:
        until = fired.state.quiet_until_us
        for mover in self._all_movers:
            if mover is fired:
                continue
            quiet, echo = max(until, mover.state.quiet_until_us), 0
            names = mover.rules.names
            if mover.side == fired.side and name in names:
                echo = names.index(name)
            mover.state = replace(mover.state, quiet_until_us=quiet, echo=echo)

    def _step_pose(self, subject: Subject, t: int, p: Float32) -> Iterable[Began | Ended]:
        poser, rules = self._posers[subject], self._rules[subject]
        poser.seen_us = t
        moving = subject != "body" and self._movers[subject][0].moving
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

    def _lose(self, t: int, *, absent: int | None) -> Iterable[Ended]:
        """Forget whoever has been absent for longer than this, or everybody."""
        for mover in self._all_movers:
            if absent is None or mover.track.lost_us(t) > absent:
                mover.reset()
        for subject, poser in self._posers.items():
            if poser.seen_us >= 0 and (absent is None or t - poser.seen_us > absent):
                rules = self._rules[subject]
                poser.state, events = decoder.lose_pose(rules, poser.state, t, subject)
                poser.seen_us = -1
                yield from (event for event in events if isinstance(event, Ended))


def _of_one_form(trained: model.Model) -> Iterable[list[str]]:
    """Return the networks of strokes that can run together: all, in a model that we train."""
    by_form: dict[tuple[int, ...], list[str]] = {}
    for name in ("hand_motion", "arm_motion"):
        by_form.setdefault(trained.tcn(name).form, []).append(name)
    return by_form.values()


def _nothing(p: Float32) -> Float32:
    nothing = np.zeros_like(p)
    nothing[0] = 1.0
    return nothing


def _named(gesture: str, side: Side) -> str:
    return features.mirrored(gesture) if side == "left" else gesture
