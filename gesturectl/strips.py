"""Score long recordings against many takes, at every beat, fast.

What the stretch of length L that ends at beat b adds up to is linear in its beats: so each beat is
multiplied with the takes once, and stretches of whatever length are differences of running sums.
Only the length of the vector is not linear; its square is a sum over all pairs of beats, and these
come from one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gesturectl import custom
from gesturectl.ears import Sought, Way, seen_enough
from gesturectl.types import Float32
from gesturectl.views import (
    ARMS_AT,
    HAND_SIZE,
    LEFT,
    RIGHT,
    SHARED_SIZE,
    WAVES,
    Beats,
    Sums,
)

Float64 = NDArray[np.float64]

_ROWS = 96  # beats whose pairs are multiplied at once


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """A regression and the takes it knows, as `custom.scores` has them."""

    weights: Float32
    bias: Float32
    takes: Float32
    owner: NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Strip:
    """A recording, summed up by beats. `marks` (B,) says which gesture it shows; mostly 0, none."""

    beats: Beats
    marks: NDArray[np.int64]
    own: bool = False
    _squares: dict[tuple[Way, tuple[int, ...]], Float64] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.beats)

    def window(self, end: int, length: int) -> Sums:
        """Return the sums of the stretch of `length` beats that ends with beat `end`."""
        return self.beats.window(max(end + 1 - length, 0), end + 1)

    def scores(
        self, judge: Judge, sought: Sequence[Sought], ways: Sequence[Way], lengths: tuple[int, ...]
    ) -> Float32:
        """Return the scores (B, C) of each beat: the best over ways and lengths; -inf if unseen."""
        columns = np.concatenate([judge.weights, judge.takes.T], axis=1)
        sums = self.beats.sums
        parts: list[Float64 | None] = []
        for i, rows in enumerate(_rows_of_hands()):
            shown = sums.seen[i].any()
            parts.append(_run_up(sums.hands[i] @ columns[rows]) if shown else None)
        body = _run_up(sums.body @ columns[ARMS_AT:]) if sums.seen[2].any() else None
        seen = _stretches(_run_up(sums.seen.T), lengths).transpose(2, 0, 1).astype(np.int64)
        best = np.full((len(self), len(sought)), -np.inf, np.float32)
        for way in ways:
            whole = [part for i in way if (part := parts[i]) is not None]
            whole += [body] if body is not None else []
            if not whole:
                continue
            size = np.sqrt(np.maximum(self._square(way, lengths), 1e-9))[..., None]
            told = (_stretches(sum(whole[1:], whole[0]), lengths) / size).astype(np.float32)
            c = len(judge.bias)
            every = told[..., :c] + judge.bias
            every += custom.NEARNESS * custom.nearest(told[..., c:], judge.owner, c)
            every[~seen_enough(sought, way, seen, lengths)] = -np.inf
            best = np.maximum(best, every.max(0))
        return best

    def _square(self, way: Way, lengths: tuple[int, ...]) -> Float64:
        """Return the squared length (L, B) of each stretch."""
        key = way, lengths
        if key not in self._squares:
            sums = self.beats.sums
            square = _pairs(sums.body, lengths) if sums.seen[2].any() else 0.0
            for i in way:
                square = square + _pairs(sums.hands[i], lengths)
            if len(way) > 1:
                right, left = (sums.hands[i, :, :SHARED_SIZE] for i in (RIGHT, LEFT))
                both = _pairs(right + left, lengths)
                square += both - _pairs(right, lengths) - _pairs(left, lengths)
            self._squares[key] = np.zeros((len(lengths), len(self))) + square
        return self._squares[key]


def _rows_of_hands() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    shared = np.arange(SHARED_SIZE)
    right = np.arange(HAND_SIZE)
    return right, np.r_[shared, np.arange(HAND_SIZE, HAND_SIZE + WAVES)]


def _run_up(values: NDArray[np.generic]) -> Float64:
    """Return running sums (B + 1, ...) that begin with 0."""
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


def _stretches(sums: Float64, lengths: tuple[int, ...]) -> Float64:
    """Return (L, B, ...): what the stretches that end with each beat add up to."""
    ends = np.arange(1, len(sums))
    return np.stack([sums[ends] - sums[np.maximum(ends - length, 0)] for length in lengths])


def _pairs(x: Float32, lengths: tuple[int, ...]) -> Float64:
    """Return (L, B): the squared length of the sum of the rows (B, S) of each stretch."""
    longest, n = max(lengths), len(x)
    out = np.zeros((len(lengths), n))
    for start in range(0, n, _ROWS):
        stop = min(start + _ROWS, n)
        begin = max(start - longest, 0)
        rows = x[begin:stop]
        table = np.zeros((len(rows) + 1, len(rows) + 1))
        table[1:, 1:] = np.cumsum(np.cumsum(rows @ rows.T, axis=0, dtype=np.float64), axis=1)
        end = np.arange(start, stop) + 1 - begin
        for i, length in enumerate(lengths):
            first = np.maximum(end - length, 0)
            out[i, start:stop] = (
                table[end, end] - table[first, end] - table[end, first] + table[first, first]
            )
    return out
