"""Observations in, class probabilities out: features and networks of every subject.

A subject is one hand or the body. Hands are scored twice, as a shape (pose) in every frame and
as a motion on the time grid; a body likewise, its two arms being motions.

What is scored depends on what was seen before, and on nothing that was made of it. So the frames
of a recording can be scored many in one go, long before they are decided on, with the same bits
as one by one: most of a frame's time is that of calling numpy, not of its arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from gesturectl import features, model
from gesturectl.errors import ModelError
from gesturectl.features import Moment, Track
from gesturectl.types import Float32, Observation, Side, Subject

# How many features each part of a model reads.
INPUTS = {
    "hand_pose": features.HAND_SHAPE_SIZE,
    "body_pose": features.BODY_SHAPE_SIZE,
    "hand_motion": features.HAND_MOTION_SIZE,
    "arm_motion": features.ARM_MOTION_SIZE,
}
_SIDES: tuple[Side, Side] = ("left", "right")


class Mover(NamedTuple):
    """What makes strokes: a hand, or an arm."""

    side: Side
    arm: bool


HANDS = {side: Mover(side, arm=False) for side in _SIDES}
ARMS = {side: Mover(side, arm=True) for side in _SIDES}
STROKES = {"hand_motion": HANDS, "arm_motion": ARMS}


class Moved(NamedTuple):
    """One grid step of a mover: its time, the motion features, and class probabilities (C,)."""

    at_us: int
    vector: Float32
    p: Float32


class Seen(NamedTuple):
    """What one frame shows: class probabilities (C,) of poses, and the grid steps it completes.

    `moved` names all movers in view, also those of which no step is complete.
    """

    poses: list[tuple[Subject, Float32]]
    moved: dict[Mover, list[Moved]]


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """A mover's way through the networks: those it runs in, its lane, and how many classes."""

    streams: model.TcnStreams
    lane: model.Lane
    classes: int


class _Due(NamedTuple):
    """A grid step that waits for its scores, and where these belong."""

    mover: Mover
    moment: Moment
    scored: list[Moved]


class Classifier:
    """The networks, and what they remember, of one controlling person.

    Raises:
        ModelError: the model lacks a part, or one of them does not fit our features.
    """

    def __init__(self, trained: model.Model) -> None:
        for name, part in trained.card.parts.items():
            if part.inputs != INPUTS.get(name, part.inputs):
                raise ModelError(
                    f"model {trained.card.name}: {name} reads {part.inputs} features, this program "
                    f"computes {INPUTS[name]}; train it again or install a newer model"
                )
        self._hand_pose = trained.mlp("hand_pose")
        self._body_pose = trained.mlp("body_pose")
        self._ways: dict[Mover, _Way] = {}
        for together in _of_one_form(trained):
            streams = model.TcnStreams([trained.tcn(name) for name in together], len(_SIDES))
            for net, name in enumerate(together):
                movers, classes = STROKES[name], len(trained.card.parts[name].classes)
                for row, side in enumerate(_SIDES):
                    self._ways[movers[side]] = _Way(streams, (row, net), classes)
        self._tracks = {mover: Track() for mover in self._ways}

    def forget(self) -> None:
        """Let there be nothing before the next frame."""
        for track in self._tracks.values():
            track.reset()

    def look(self, observations: Sequence[Observation]) -> list[Seen]:
        """Return what the next frames show, of which the times must grow."""
        seen: list[Seen] = []
        for size_px, alike in groupby(observations, attrgetter("size_px")):
            seen += self._look(list(alike), size_px)
        return seen

    def _look(self, frames: Sequence[Observation], size_px: tuple[int, int]) -> list[Seen]:
        seen = [Seen([], {}) for _ in frames]
        hands = [
            (frame.t_us, hand, shown)
            for frame, shown in zip(frames, seen, strict=True)
            for hand in {hand.side: hand for hand in frame.hands}.values()
        ]
        of_hands: list[_Due] = []
        if hands:
            points = features.hand_points([hand for _, hand, _ in hands], size_px)
            shapes, signals = features.hand_shapes_and_signals(points)
            scores = self._hand_pose.scores(shapes)
            for (t_us, hand, shown), p, signal in zip(hands, scores, signals, strict=True):
                shown.poses.append((hand.side, p))
                of_hands += self._follow(HANDS[hand.side], t_us, signal, shown)
        bodies = [
            (frame.t_us, frame.bodies[0], shown)
            for frame, shown in zip(frames, seen, strict=True)
            if frame.bodies
        ]
        of_arms: list[_Due] = []
        if bodies:
            points = features.body_points(np.array([body.image for _, body, _ in bodies]), size_px)
            shapes, (right, left) = features.body_shapes_and_arms(points)
            scores = self._body_pose.scores(shapes)
            for n, (t_us, _, shown) in enumerate(bodies):
                shown.poses.append(("body", scores[n]))
                of_arms += self._follow(ARMS["right"], t_us, right[n], shown)
                of_arms += self._follow(ARMS["left"], t_us, left[n], shown)
        self._score(of_hands, of_arms)
        return seen

    def _follow(self, mover: Mover, t_us: int, signal: Float32, shown: Seen) -> list[_Due]:
        """Return the grid steps that one frame completes of a mover."""
        scored = shown.moved[mover] = []
        return [_Due(mover, moment, scored) for moment in self._tracks[mover].push(t_us, signal)]

    def _score(self, of_hands: Sequence[_Due], of_arms: Sequence[_Due]) -> None:
        """Score grid steps; movers that are at the same one run together."""
        by_step: dict[int, dict[model.TcnStreams, list[tuple[_Due, _Way, Float32]]]] = {}
        for due, arm in ((of_hands, False), (of_arms, True)):
            if due:
                vectors = features.motions([one.moment for one in due], arm=arm)
                for one, vector in zip(due, vectors, strict=True):
                    way = self._ways[one.mover]
                    together = by_step.setdefault(one.moment.step, {})
                    together.setdefault(way.streams, []).append((one, way, vector))
        for step in sorted(by_step):
            for streams, some in by_step[step].items():
                for one, way, _ in some:
                    if one.moment.age == 0:
                        streams.forget(way.lane)
                scores = streams.scores(step, {way.lane: vector for _, way, vector in some})
                for one, way, vector in some:
                    p = scores[way.lane][: way.classes]
                    one.scored.append(Moved(step * features.STEP_US, vector, p))


def _of_one_form(trained: model.Model) -> Iterable[list[str]]:
    """Return the networks of strokes that can run together: all, in a model that we train."""
    by_form: dict[tuple[int, ...], list[str]] = {}
    for name in STROKES:
        by_form.setdefault(trained.tcn(name).form, []).append(name)
    return by_form.values()
