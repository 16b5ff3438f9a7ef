"""What is known of a user's own gestures, and how like them a stretch of a stream is.

An ear listens to hands, to a body, or to both at once. A gesture of one hand is looked for in each
hand by itself, as if the other were not there: it may rest in view or not. One of two hands is
looked for in both together. So a stretch of time is looked at in up to three ways (`Way`), and over
the lengths that the gesture's own takes had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gesturectl import custom
from gesturectl.trimming import Kind
from gesturectl.types import Float32
from gesturectl.views import BEAT_STEPS, LEFT, RIGHT, STIRRING, Sums, normalised

Part = Literal["hand", "body"]
Way = tuple[int, ...]
"""Which hands count: the right, the left, both, or none (a body alone)."""

MAX_BEATS = 40  # the longest stretch: 4 s
# Movements of one's takes that are so alike, but for one in four, must not be less alike by more
# than so much. Of five Zs of a puppet they are so to 0.99, Zs of other puppets come to 0.97, and
# circles to 0.94. People mostly vary more: asked of all, it lost 6 of 100 of their gestures.
_EVEN, _LESS = 0.985, 0.05
ENTER_P, TYPICAL_P, EXIT_P = 0.9, 0.98, 0.7
"""What a score is told as: that of the threshold, that of the gesture's own takes; and the end."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of one gesture.

    `subjects` are the landmarks it needs and `hands` how many of them (0 for a body alone). Of its
    `samples` takes `recalled` would have been heard in a stream, each left out in its turn. In the
    user's own background of `background_us` it would have begun `false_in_background` times; at
    the threshold `enter`, from all background, `false_per_hour` beginnings are expected, and with
    95 % confidence a number in `false_interval`. `nearest` is the other gesture of one's own that
    its takes are most often taken for.
    """

    kind: Kind
    subjects: tuple[Part, ...]
    hands: int
    samples: int
    recalled: int
    false_in_background: int
    background_us: int
    false_per_hour: float
    false_interval: tuple[float, float]
    nearest: str | None
    enter: float


@dataclass(frozen=True, slots=True)
class Sought:
    """How one gesture is looked for.

    `lengths` are the stretches in beats; of their steps the hands must be seen in `hand_share`, the
    body in `body_share`. `enter` is the score at which it begins, `typical` that of its own takes.
    """

    kind: Kind
    hands: int
    lengths: tuple[int, ...]
    hand_share: float
    body_share: float
    enter: float
    typical: float


def stirring(embedded: Float32) -> Float32:
    """Return of embeddings (..., EMBEDDING_SIZE) what the hands' movement adds to them."""
    return embedded[..., STIRRING]


@dataclass(frozen=True, slots=True, eq=False)
class Gait:
    """How hands move in motions, whatever their shape and place.

    Shape and place make most of a likeness: whoever draws a Z with a finger, and then a circle, or
    only points, shows what is more like that Z than any Z of somebody else. So a motion of one hand
    whose takes all move alike is heard only where the movement alone is like theirs: `moves` (N, M)
    of length 1, and `least` (C,), how like the nearest must be; -1 asks nothing.
    """

    moves: Float32
    owner: NDArray[np.int64]
    least: Float32

    @classmethod
    def of(cls, sought: Sequence[Sought], takes: Float32, owner: NDArray[np.int64]) -> Gait:
        """Return it for embedded takes (N, EMBEDDING_SIZE)."""
        moves = normalised(stirring(takes))
        among = moves @ moves.T
        np.fill_diagonal(among, -1)
        least = np.full(len(sought), -1, np.float32)
        for c, one in enumerate(sought):
            mine = owner == c
            if one.kind == "motion" and one.hands == 1 and mine.sum() > 1:
                nearest = among[np.ix_(mine, mine)].max(1)
                if float(np.quantile(nearest, 0.25)) >= _EVEN:
                    least[c] = float(np.median(nearest)) - _LESS
        return cls(moves, owner, least)

    def like(self, told: Float32) -> Float32:
        """Return how like each gesture's takes movements (..., M) are: (..., C)."""
        like = custom.nearest(normalised(told) @ self.moves.T, self.owner, len(self.least))
        return like.astype(np.float32)

    def fits(self, told: Float32) -> NDArray[np.bool_]:
        """Tell of which gesture (..., C) movements (..., M) can be."""
        fits: NDArray[np.bool_] = self.like(told) >= self.least
        return fits


@dataclass(frozen=True, eq=False)
class Ear:
    """Gestures that are told by the same parts: a regression, and the nearest take.

    `weights` (EMBEDDING_SIZE, C), `bias` (C,), `takes` (N, EMBEDDING_SIZE), all float32, and
    `owner` (N,) int64, whose gesture each take is, as in `custom.Learned`.
    """

    parts: tuple[Part, ...]
    names: tuple[str, ...]
    sought: tuple[Sought, ...]
    weights: Float32
    bias: Float32
    takes: Float32
    owner: NDArray[np.int64]

    @property
    def lengths(self) -> tuple[int, ...]:
        """All stretches in beats that some gesture is looked for in, from short to long."""
        return tuple(sorted({length for one in self.sought for length in one.lengths}))

    @cached_property
    def gait(self) -> Gait:
        """How a stretch must move to be one of these gestures."""
        return Gait.of(self.sought, self.takes, self.owner)

    def scores(self, embedded: Float32) -> Float32:
        """Return the scores (..., C) of embeddings (..., EMBEDDING_SIZE)."""
        return custom.scores(embedded, self.weights, self.bias, self.takes, self.owner)

    def heard(self, way: Way, told: Sums, lengths: Sequence[int]) -> Float32:
        """Return the scores (C,) of one moment: the best over the stretches that end there.

        `told` sums up each of `lengths` (L,). A gesture that is not looked for in this way, or
        whose parts are not seen enough, gets -inf.
        """
        embedded = told.embedded(way)
        every = self.scores(embedded)
        every[~seen_enough(self.sought, way, told.seen, lengths)] = -np.inf
        every[~self.gait.fits(stirring(embedded))] = -np.inf
        best: Float32 = every.max(0)
        return best


def ways_of(sought: Sequence[Sought]) -> tuple[Way, ...]:
    """Return the ways in which these gestures are looked for."""
    wanted = {one.hands for one in sought}
    ways: list[Way] = []
    if 1 in wanted:
        ways += [(RIGHT,), (LEFT,)]
    if 2 in wanted:
        ways.append((RIGHT, LEFT))
    if 0 in wanted:
        ways.append(())
    return tuple(ways)


def seen_enough(
    sought: Sequence[Sought], way: Way, seen: NDArray[np.int64], lengths: Sequence[int]
) -> NDArray[np.bool_]:
    """Tell where each gesture can be heard at all: (L, ..., C), from steps `seen` (3, L, ...)."""
    steps = np.array(lengths).reshape(-1, *[1] * (seen.ndim - 2)) * BEAT_STEPS
    shown = np.full(seen.shape[1:], np.inf)
    for hand in way:
        shown = np.minimum(shown, seen[hand] / steps)
    body = seen[2] / steps
    enough = np.zeros((*seen.shape[1:], len(sought)), bool)
    for c, one in enumerate(sought):
        if one.hands != len(way):
            continue
        fits = np.isin(lengths, one.lengths).reshape(-1, *[1] * (seen.ndim - 2))
        enough[..., c] = fits & (shown >= one.hand_share) & (body >= one.body_share)
    return enough


def confidence(sought: Sequence[Sought], scores: Float32) -> Float32:
    """Return scores (..., C) as figures in 0..1: `ENTER_P` at the threshold, `TYPICAL_P` at home.

    In between and beyond, equal steps of the score are equal steps of the odds' logarithm.
    """
    enter = np.array([one.enter for one in sought], np.float32)
    typical = np.array([one.typical for one in sought], np.float32)
    a, b = (np.log(p / (1 - p)) for p in (ENTER_P, TYPICAL_P))
    steepness = (b - a) / np.maximum(typical - enter, 0.1)
    with np.errstate(over="ignore"):
        p: Float32 = (1 / (1 + np.exp(-(a + (scores - enter) * steepness)))).astype(np.float32)
    return p


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """One user's own gestures, ready to be listened for. Immutable: a refit makes another one."""

    gestures: Mapping[str, Expected]
    ears: tuple[Ear, ...]
    background_us: int
