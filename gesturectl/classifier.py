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
from typing import NamedTuple

import numpy as np

from gesturectl import features, model
from gesturectl.errors import ModelError
from gesturectl.features import Moment, Track
from gesturectl.types import SIDES, Float32, Observation, Side, Subject

# How many features each part of a model reads.
INPUTS = {
    "hand_pose": features.HAND_SHAPE_SIZE,
    "body_pose": features.BODY_SHAPE_SIZE,
    "hand_motion": features.HAND_MOTION_SIZE,
    "arm_motion": features.ARM_MOTION_SIZE,
}


class Mover(NamedTuple):
    """What makes strokes: a hand, or an arm."""

    side: Side
    arm: bool


HANDS = {side: Mover(side, arm=False) for side in SIDES}
ARMS = {side: Mover(side, arm=True) for side in SIDES}
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


_Pair = tuple[Observation, Seen]


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
            streams = model.TcnStreams([trained.tcn(name) for name in together], len(SIDES))
            for net, name in enumerate(together):
                movers, classes = STROKES[name], len(trained.card.parts[name].classes)
                for row, side in enumerate(SIDES):
                    self._ways[movers[side]] = _Way(streams, (row, net), classes)
        self._tracks = {mover: Track() for mover in self._ways}

    def forget(self) -> None:
        """Let there be nothing before the next frame."""
        for track in self._tracks.values():
            track.reset()

    def look(self, observations: Sequence[Observation]) -> list[Seen]:
        """Return what the next frames show, of which the times must grow."""
        pairs = [(frame, Seen([], {})) for frame in observations]
        for size_px, alike in groupby(pairs, lambda pair: pair[0].size_px):
            some = list(alike)
            self._score(self._hands(some, size_px), self._bodies(some, size_px))
        return [seen for _, seen in pairs]

    def _hands(self, pairs: Iterable[_Pair], size_px: tuple[int, int]) -> list[_Due]:
        """Score the poses of hands; return the grid steps that frames complete of them."""
        shown = [
            (frame.t_us, hand, seen)
            for frame, seen in pairs
            for hand in {hand.side: hand for hand in frame.hands}.values()
        ]
        due: list[_Due] = []
        if shown:
            points = features.hand_points([hand for _, hand, _ in shown], size_px)
            shapes, signals = features.hand_shapes_and_signals(points)
            scores = self._hand_pose.scores(shapes)
            for (t_us, hand, seen), p, signal in zip(shown, scores, signals, strict=True):
                seen.poses.append((hand.side, p))
                due += self._follow(HANDS[hand.side], t_us, signal, seen)
        return due

    def _bodies(self, pairs: Iterable[_Pair], size_px: tuple[int, int]) -> list[_Due]:
        """Score the poses of bodies; return the grid steps that frames complete of their arms."""
        shown = [(frame.t_us, frame.bodies[0], seen) for frame, seen in pairs if frame.bodies]
        due: list[_Due] = []
        if shown:
            points = features.body_points(np.array([body.image for _, body, _ in shown]), size_px)
            shapes, (right, left) = features.body_shapes_and_arms(points)
            scores = self._body_pose.scores(shapes)
            for n, (t_us, _, seen) in enumerate(shown):
                seen.poses.append(("body", scores[n]))
                due += self._follow(ARMS["right"], t_us, right[n], seen)
                due += self._follow(ARMS["left"], t_us, left[n], seen)
        return due

    def _follow(self, mover: Mover, t_us: int, signal: Float32, seen: Seen) -> list[_Due]:
        """Return the grid steps that one frame completes of a mover."""
        scored = seen.moved[mover] = []
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
