"""A hand over time, sample by sample, and what each sample is labelled.

In: moves by minimum jerk, one after another.  Out: `Take`, from which hands and arms are filmed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from gesturectl.catalog import catalog
from gesturectl.kinematics import Array, minimum_jerk, turn
from gesturectl.types import Int64
from training.synth.chance import Z

NULL, IGNORE = 0, -1  # labels of nothing, and of what is not judged; others are 1 + the motion
RATE_HZ = 120  # of the simulation; cameras sample it
MOTIONS = [g.name for g in catalog().values() if g.kind == "motion"]
# Where a stroke goes, in the unmirrored image: x grows toward the user's left, y downward.
STROKES = {"swipe_left": (1, 0), "swipe_right": (-1, 0), "swipe_up": (0, -1), "swipe_down": (0, 1)}


class Hand3d(NamedTuple):
    """A hand, or many: wrist (..., 3) in metres, directions (..., 3), angles (..., 21)."""

    wrist: Array
    fingers: Array
    palm: Array
    angles: Array

    def at(self, i: int | Int64) -> Hand3d:
        """Return some of many."""
        return Hand3d(*(part[i] for part in self))


@dataclass(slots=True)
class Take:
    """A growing recording at `RATE_HZ`: one hand and one label a sample.

    `calm_m_s` bounds the mean speed of every move that is not a stroke, along the way it takes: a
    fast move of the hand is a stroke to whoever watches, whatever its owner meant. With `hasty`
    people it bounds that of the straight way alone: where they go out and back in one bow, they do
    what a stroke does, and mean nothing.
    """

    rng: Generator
    now: Hand3d
    calm_m_s: float
    hasty: bool = False
    moves: list[Hand3d] = field(default_factory=list)
    label: list[Int64] = field(default_factory=list)

    @property
    def samples(self) -> int:
        """How many there are."""
        return sum(map(len, self.label))

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / RATE_HZ

    @property
    def whole(self) -> Hand3d:
        """All moves as one."""
        return Hand3d(*(np.concatenate(parts) for parts in zip(*self.moves, strict=True)))

    def add(self, move: Hand3d, label: Int64 | int = NULL) -> None:
        """Append n samples and make their last the current state."""
        self.moves.append(move)
        self.label.append(np.broadcast_to(np.asarray(label, np.int64), (len(move.wrist),)))
        self.now = move.at(-1)

    def go(
        self,
        seconds: float,
        wrist: Array | None = None,
        facing: Array | None = None,
        angles: Array | None = None,
        *,
        bow: float = 0.0,
        label: Int64 | None = None,
        calm: bool = True,
    ) -> None:
        """Reach for a new state by minimum jerk, bowed sideways by a part of the way.

        With a `label` (n,) it is a stroke and takes just as long; without one it is calm, unless
        said otherwise.
        """
        old = self.now
        target = old.wrist if wrist is None else wrist
        way = target - old.wrist
        if label is None and calm:
            longer = 1.0 if self.hasty else bowed_length(bow)
            seconds = max(seconds, longer * float(np.linalg.norm(way[:2])) / self.calm_m_s)
        n = max(2, round(seconds * RATE_HZ)) if label is None else len(label)
        s = minimum_jerk(moments(n))[:, None]
        side = np.cross(way, Z) * bow
        y, z = (old.fingers, old.palm) if facing is None else (facing[:, 1], facing[:, 2])
        goal = old.angles if angles is None else angles
        move = Hand3d(
            old.wrist + s * way + 4 * s * (1 - s) * side,
            old.fingers + s * (y - old.fingers) + 1e-6,
            old.palm + s * (z - old.palm),
            old.angles + s * (goal - old.angles),
        )
        self.add(move, NULL if label is None else label)

    def carry(self, path: Array, label: Int64 | int = NULL) -> None:
        """Follow a path (n, 3) with the hand as it is."""
        still = (np.tile(part, (len(path), 1)) for part in self.now[1:])
        self.add(Hand3d(path, *still), label)

    def hold(self, seconds: float, label: int = NULL) -> None:
        """Stay, as still as people do."""
        marks = np.full(max(2, round(seconds * RATE_HZ)), label)
        self.go(seconds, self.now.wrist + self.rng.normal(0, 0.006, 3), label=marks)


def moments(n: int) -> Array:
    """Return n moments (n,) of a move that lasts from 0 to 1: without its start, with its end."""
    return np.linspace(0, 1, n + 1)[1:]


def bowed_length(bow: float) -> float:
    """Return how long a way is that is bowed sideways by this part of it, of a straight one's 1."""
    slope = 4 * abs(bow)  # at both ends of the parabola
    return (math.hypot(1, slope) + (math.asinh(slope) / slope if slope else 1.0)) / 2


def labels_of(seconds: float, which: int, told: float, hidden: float = 0.0) -> Int64:
    """Return labels of a move: nothing until `hidden` of it, not judged until `told`, then named.

    At its beginning nobody could tell a stroke.
    """
    label = np.full(max(2, round(seconds * RATE_HZ)), which)
    label[: round(told * len(label))] = IGNORE
    label[: round(hidden * len(label))] = NULL
    return label


def labels_by(done: Array, which: int, told: float, hidden: float) -> Int64:
    """Return labels (n,) as `labels_of` does, of what is `done` (n,) of a circle or a wave."""
    return np.where(done < hidden, NULL, np.where(done < told, IGNORE, which))


def after_stroke(take: Take, which: int) -> None:
    """The moment after a stroke still counts as it; then the hand stays, returns or sinks."""
    rng = take.rng
    take.hold(0.20, which)
    take.hold(0.10, IGNORE)
    if rng.random() < 0.6:
        take.hold(rng.uniform(0.05, 0.6))


def way_of(which: int, rng: Generator, degrees: float) -> Array:
    """Return the direction (3,) of a straight stroke, as nearly as people keep to it."""
    return turn(Z, np.deg2rad(rng.normal(0, degrees))) @ [*STROKES[MOTIONS[which - 1]], 0.0]


# Clockwise for the user is counter-clockwise in the unmirrored image.
SENSE = {"circle_cw": -1.0, "circle_ccw": 1.0}


def ring_of(which: int, phase: float, turned: Array, squash: float) -> Array:
    """Return the ring (n, 2) of radius 1 that is drawn from `phase` on, `turned` (n,) by then."""
    angle = phase + turned
    sense = SENSE[MOTIONS[which - 1]]
    return np.stack([sense * np.sin(angle), -squash * np.cos(angle)], axis=1)
