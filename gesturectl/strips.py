"""Score long recordings against many takes, at every beat, fast.

What the stretch of length L that ends at beat b adds up to is linear in its beats: so each beat is
multiplied with the takes once, and stretches of whatever length are differences of running sums.
Only the length of the vector is not linear; its square is a sum over all pairs of beats, and these
come from one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gesturectl import custom
from gesturectl.ears import Sought, Way, seen_enough
from gesturectl.types import Float32
from gesturectl.views import (
    ARMS_AT,
    HAND_SIZE,
    SHARED_SIZE,
    WAVES,
    Beats,
    Sums,
)

Float64 = NDArray[np.float64]
Number = TypeVar("Number", np.float64, np.int64)

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

    def scores(self, judge: Judge, sought: Sequence[Sought], ways: Sequence[Way]) -> Float32:
        """Return the scores (B, C) of each beat: the best over ways and lengths; -inf if unseen."""
        columns = np.concatenate([judge.weights, judge.takes.T], axis=1)
        sums = self.beats.sums
        parts: list[Float64 | None] = []
        for i, rows in enumerate(_rows_of_hands()):
            shown = sums.seen[i].any()
            parts.append(_run_up(sums.hands[i] @ columns[rows]) if shown else None)
        body = _run_up(sums.body @ columns[ARMS_AT:]) if sums.seen[2].any() else None
        seen = _run_up(sums.seen.T).astype(np.int64)
        lengths = tuple(sorted({length for one in sought for length in one.lengths}))
        best = np.full((len(self), len(sought)), -np.inf, np.float32)
        for way in ways:
            whole = [part for i in way if (part := parts[i]) is not None]
            whole += [body] if body is not None else []
            if not whole:
                continue
            run_up = sum(whole[1:], whole[0])
            sizes = np.sqrt(np.maximum(self._square(way, lengths), 1e-9))
            for length, size in zip(lengths, sizes, strict=True):
                mine = [c for c, one in enumerate(sought) if length in one.lengths]
                enough = seen_enough(
                    [sought[c] for c in mine], way, _stretch(seen, length).T[:, None], (length,)
                )[0]
                if not enough.any():
                    continue
                told = _stretch(run_up, length) / size[:, None]
                for c, fits in zip(mine, enough.T, strict=True):
                    like = told[:, len(judge.bias) :][:, judge.owner == c].max(1)
                    score = told[:, c] + judge.bias[c] + custom.NEARNESS * like
                    best[fits, c] = np.maximum(best[fits, c], score[fits])
        return best

    def _square(self, way: Way, lengths: tuple[int, ...]) -> Float64:
        """Return the squared length (L, B) of each stretch."""
        key = way, lengths
        if key not in self._squares:
            sums = self.beats.sums
            square = np.zeros((len(lengths), len(self)))
            if sums.seen[2].any():
                square += _pairs(sums.body, lengths)
            if len(way) == 1:
                square += _pairs(sums.hands[way[0]], lengths)
            elif way:
                right, left = sums.hands
                square += _pairs(right[:, :SHARED_SIZE] + left[:, :SHARED_SIZE], lengths)
                square += _pairs(right[:, SHARED_SIZE:], lengths)
                square += _pairs(left[:, SHARED_SIZE:], lengths)
            self._squares[key] = square
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


def _stretch(sums: NDArray[Number], length: int) -> NDArray[Number]:
    """Return (B, ...): what the stretches of one length that end with each beat add up to."""
    start = np.maximum(np.arange(1, len(sums)) - length, 0)
    stretch: NDArray[Number] = sums[1:] - sums[start]
    return stretch


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
