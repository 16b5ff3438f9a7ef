"""Score long recordings against many takes, at every beat, fast.

What the stretch of length L that ends at beat b adds up to is linear in its beats: so each beat is
multiplied with the takes once, and stretches of whatever length are differences of running sums.
Only the length of the vector is not linear; its square is a sum over all pairs of beats, and these
come from one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gesturectl import custom
from gesturectl.ears import Sought, Way, seen_enough
from gesturectl.types import Float32
from gesturectl.views import (
    ARMS_AT,
    BODY,
    SHARED_SIZE,
    WAVES,
    Beats,
    Sums,
)

Float64 = NDArray[np.float64]
Number = TypeVar("Number", np.float64, np.int64)

_ROWS = 96  # beats whose pairs are multiplied at once


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """A recording, summed up by beats. `marks` (B,) says which gesture it shows; mostly 0, none."""

    beats: Beats
    marks: NDArray[np.int64]
    own: bool = False

    @classmethod
    def unmarked(cls, beats: Beats, *, own: bool = False) -> Strip:
        """Return a strip that shows no gesture by name."""
        return cls(beats, np.zeros(len(beats), np.int64), own)

    def __len__(self) -> int:
        return len(self.beats)

    def window(self, end: int, length: int) -> Sums:
        """Return the sums of the stretch of `length` beats that ends with beat `end`."""
        return self.beats.window(max(end + 1 - length, 0), end + 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Stretches:
    """The stretches of one way and length, one a beat, and the gestures looked for in them.

    `enough` (B, G) tells where each of the gestures `mine` (G,) is seen enough, `size` (B,) how
    long the vectors are, and `nearness` (B, G) how like each gesture's nearest take they are.
    """

    way: Way
    length: int
    mine: list[int]
    enough: NDArray[np.bool_]
    size: Float64
    nearness: Float64


class Heard:
    """A strip beside takes: what does not change as a regression learns is computed once."""

    def __init__(
        self,
        strip: Strip,
        takes: Float32,
        owner: NDArray[np.int64],
        sought: Sequence[Sought],
        ways: Sequence[Way],
    ) -> None:
        self._sums = strip.beats.sums
        self._shape = len(strip), len(sought)
        self._stretches: list[_Stretches] = []
        likeness = self._run_up(takes.T)
        seen = _run_up(self._sums.seen.T).astype(np.int64)
        lengths = tuple(sorted({length for one in sought for length in one.lengths}))
        for way in ways:
            told = _summed(likeness, way)
            if told is None:
                continue
            sizes = np.sqrt(np.maximum(self._square(way, lengths), 1e-9))
            for length, size in zip(lengths, sizes, strict=True):
                mine = [c for c, one in enumerate(sought) if length in one.lengths]
                enough = seen_enough(
                    [sought[c] for c in mine], way, _stretch(seen, length).T[:, None], (length,)
                )[0]
                if enough.any():
                    like = _stretch(told, length) / size[:, None]
                    nearest = np.stack([like[:, owner == c].max(1) for c in mine], axis=1)
                    nearness = custom.NEARNESS * nearest
                    self._stretches.append(_Stretches(way, length, mine, enough, size, nearness))

    def scores(self, weights: Float32, bias: Float32) -> Float32:
        """Return the scores (B, C) of each beat: the best over ways and lengths; -inf if unseen.

        `weights` (EMBEDDING_SIZE, C) and `bias` (C,) are those of a regression.
        """
        best = np.full(self._shape, -np.inf, np.float32)
        parts = self._run_up(weights)
        for one in self._stretches:
            told = _summed(parts, one.way)
            if told is not None:
                like = _stretch(told, one.length)[:, one.mine] / one.size[:, None]
                score = np.where(one.enough, like + bias[one.mine] + one.nearness, -np.inf)
                best[:, one.mine] = np.maximum(best[:, one.mine], score)
        return best

    def _run_up(self, columns: Float32) -> list[Float64 | None]:
        """Return running sums (B + 1, n) of right hand, left hand and body times `columns`."""
        sums = self._sums
        parts: list[Float64 | None] = []
        for i, hand in enumerate(sums.hands):
            if not sums.seen[i].any():
                parts.append(None)
                continue
            side = slice(SHARED_SIZE + i * WAVES, SHARED_SIZE + (i + 1) * WAVES)
            shared = hand[:, :SHARED_SIZE] @ columns[:SHARED_SIZE]
            parts.append(_run_up(shared + hand[:, SHARED_SIZE:] @ columns[side]))
        return [*parts, _run_up(sums.body @ columns[ARMS_AT:]) if sums.seen[BODY].any() else None]

    def _square(self, way: Way, lengths: tuple[int, ...]) -> Float64:
        """Return the squared length (L, B) of each stretch."""
        sums = self._sums
        square = np.zeros((len(lengths), self._shape[0]))
        if sums.seen[BODY].any():
            square += _pairs(sums.body, lengths)
        if len(way) == 1:
            square += _pairs(sums.hands[way[0]], lengths)
        elif way:
            right, left = sums.hands
            square += _pairs(right[:, :SHARED_SIZE] + left[:, :SHARED_SIZE], lengths)
            square += _pairs(right[:, SHARED_SIZE:], lengths)
            square += _pairs(left[:, SHARED_SIZE:], lengths)
        return square


def _summed(parts: Sequence[Float64 | None], way: Way) -> Float64 | None:
    """Return what the hands of a way and the body add up to; None where nobody is seen."""
    whole = [part for i in (*way, BODY) if (part := parts[i]) is not None]
    return sum(whole[1:], whole[0]) if whole else None


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
