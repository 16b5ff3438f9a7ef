"""Fit the networks that know strokes, and ask of each stroke as much as quiet hours make needed.

Two views of the same stream are fitted apart, and their scores averaged: one sees all, the other
only the path, not where the hand is or what its fingers do. They err in different places.

    sequences   ──► random cuts ──► two thirds of the steps
    quiet hours ──► the moments that fooled the network most ──► join the cuts of the last third
    more quiet hours ──► levels ──► thresholds

A *level* is the threshold at which the decoder would still fire at some moment. From the highest
levels of hours in which nobody means anything, thresholds follow for a rate of false activations,
also for rates too low to be seen in these hours: the tail is taken to fall exponentially in the
log odds, as peaks over a threshold do (Pickands 1975).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gesturectl import model
from gesturectl.features import STEP_US
from training import nets
from training.synth import IGNORE

F32 = NDArray[np.float32]
Labelled = tuple[F32, NDArray[np.int64]]  # motion features (G, M) and labels (G,), on the grid
Report = Callable[[int, float], None]

BATCH, CUT = 48, 160
WARM = 40  # a cut that begins in the middle lacks its past: its first steps do not count
HARD_MOST = 400
FIRST_SHARE = 2 / 3

# Features that the second view does not see, as `features._motion` orders them.
HAND_PLACES = tuple(range(10, 23))  # palm axes, their change, curls
ARM_PLACES = (8, 9, 10, 11, 14, 15)  # wrist, elbow and the other wrist from the shoulders


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Two views side by side: standardisation (M,), and weights with the view as first axis."""

    mean: F32
    scale: F32
    params: nets.Params

    def probabilities(self, x: F32) -> F32:
        """Return class probabilities (G, C) of a whole sequence of motion features (G, M)."""
        x = (x - self.mean) / self.scale
        views = range(len(self.params["in_b"]))
        each = [_forward({k: a[v] for k, a in self.params.items()}, x) for v in views]
        mean: F32 = np.mean(each, axis=0, dtype=np.float32)
        return mean


def fit_views(
    rng: Generator,
    sequences: Sequence[Labelled],
    classes: int,
    *,
    hidden: tuple[int, ...],
    steps: int,
    width: int,
    null_weight: float,
    report: Report,
    quiet: Sequence[Labelled] = (),
    hard_share: float = 0,
) -> Fitted:
    """Fit the view of everything and the view that does not see the features `hidden`.

    `hard_share` of the cuts in the last third of the steps are the moments of `quiet` hours that
    fool the network most.
    """
    mean, scale = standard(sequences)
    views = []
    for number, blind in enumerate(((), hidden)):

        def seen(x: F32, blind: tuple[int, ...] = blind) -> F32:
            x = (x - mean) / scale
            x[:, list(blind)] = 0
            return x

        def told(step: int, loss: float, passed: int = number * steps) -> None:
            report((passed + step) // 2, loss)

        first = round(FIRST_SHARE * steps)

        def told_later(step: int, loss: float, passed: int = number * steps + first) -> None:
            report((passed + step) // 2, loss)

        cuts = Cuts(rng, [(seen(x), label) for x, label in sequences], null_weight)
        params = nets.init_tcn(rng, len(mean), width, 5, classes)
        params = nets.fit(nets.tcn, params, cuts.batches(), steps=first, report=told)
        if hard_share:
            cuts.hard_rows = round(hard_share * BATCH)
            cuts.hard = hardest(params, ((seen(x), label) for x, label in quiet))
        params = nets.fit(
            nets.tcn, params, cuts.batches(), steps=steps - first, rate=1e-3, report=told_later
        )
        entry = params["in_w"].copy()
        entry[list(blind)] = 0
        views.append({**params, "in_w": entry})
    return Fitted(mean, scale, {name: np.stack([v[name] for v in views]) for name in views[0]})


def standard(sequences: Sequence[Labelled]) -> tuple[F32, F32]:
    """Return mean and scale (M,) of the features of these sequences."""
    every = np.concatenate([x for x, _ in sequences])
    return every.mean(0), every.std(0) + np.float32(0.05)


@dataclass(slots=True)
class Cuts:
    """Random cuts of sequences; `hard_rows` of each batch from `hard`, ending soon after it."""

    rng: Generator
    sequences: Sequence[Labelled]
    null_weight: float
    hard: Sequence[tuple[F32, NDArray[np.int64], int]] = ()
    hard_rows: int = 0

    def batches(self) -> Iterator[tuple[F32, NDArray[np.int32], F32]]:
        """Yield x (BATCH, CUT, M), labels and weights (BATCH, CUT), for ever."""
        lengths = np.array([len(x) for x, _ in self.sequences])
        share = lengths / lengths.sum()
        while True:
            x = np.zeros((BATCH, CUT, self.sequences[0][0].shape[1]), np.float32)
            label = np.full((BATCH, CUT), IGNORE, np.int32)
            hard = self.hard_rows if self.hard else 0
            for row, i in enumerate(self.rng.choice(len(lengths), BATCH, p=share)):
                from_x, from_label = self.sequences[i]
                low, high = -CUT // 4, max(lengths[i] - CUT // 2, 1)
                if row < hard:
                    from_x, from_label, at = self.hard[int(self.rng.integers(len(self.hard)))]
                    low, high = at - CUT + 10, at - WARM - 10
                start = max(0, int(self.rng.integers(low, high)))
                part = from_x[start : start + CUT]
                x[row, : len(part)] = part
                label[row, : len(part)] = from_label[start : start + CUT]
                if start:
                    label[row, :WARM] = IGNORE
            yield x, label, np.where(label == 0, self.null_weight, 1.0).astype(np.float32)


def hardest(
    params: nets.Params, quiet: Iterator[Labelled]
) -> list[tuple[F32, NDArray[np.int64], int]]:
    """Return the moments of quiet sequences (x, label, step) that look most like a gesture."""
    found = []
    for x, label in quiet:
        likely = np.where(label == 0, 1 - _forward(params, x)[:, 0], 0)
        while likely.max() > 0.1:
            at = int(likely.argmax())
            found.append((float(likely[at]), x, label, at))
            likely[max(0, at - 60) : at + 60] = 0
    found.sort(key=lambda row: -row[0])
    return [(x, label, at) for _, x, label, at in found[:HARD_MOST]]


def _forward(params: nets.Params, x: F32) -> F32:
    """Return what `nets.tcn` says of one sequence (G, M), as probabilities (G, C), in numpy.

    JAX would compile it anew for every length.
    """
    h = np.maximum(x @ params["in_w"] + params["in_b"], 0)
    for i in range(sum(name.startswith("conv") and name.endswith("_w") for name in params)):
        d = 2**i
        padded = np.concatenate([np.zeros((2 * d, h.shape[1]), np.float32), h])
        taps = [padded[k * d : k * d + len(h)] for k in range(nets.KERNEL)]
        h = h + np.maximum(
            np.concatenate(taps, axis=1) @ params[f"conv{i}_w"] + params[f"conv{i}_b"], 0
        )
    return model.softmax(h @ params["out_w"] + params["out_b"])


# --- thresholds ---------------------------------------------------------------------------------

LEAST = 0.55  # not below: no other class is then likelier
TAIL = 20  # levels of a class, from which the fall of the tail is estimated
ABOVE_SEEN = 0.01


def levels(
    p: Sequence[F32], hold_us: Sequence[int], smooth_us: int, apart_us: int
) -> list[NDArray[np.float32]]:
    """Return for each class but null the levels of the moments of quiet sequences, highest first.

    In: probabilities (G, C) a sequence; `hold_us` (C,) and `smooth_us` as in `decoder.Rules`. A
    class has no two moments within `apart_us`: after an activation it is not heard.
    """
    length, classes = max(map(len, p)), p[0].shape[1]
    padded = np.zeros((length, len(p), classes), np.float32)
    for i, one in enumerate(p):
        padded[: len(one), i] = one
    keep = np.float32(np.exp(-STEP_US / smooth_us)) if smooth_us else np.float32(0)
    now = np.eye(1, classes, dtype=np.float32)
    for row in padded:
        row[:] = now = keep * now + (1 - keep) * row
    best = padded[..., 1:].argmax(-1) + 1
    likely = np.take_along_axis(padded, best[..., None], -1)[..., 0]
    best[likely < padded[..., 0]] = 0
    found, block = [], max(1, apart_us // STEP_US)
    for c in range(1, classes):
        level = np.where(best == c, likely, 0)
        held = level.copy()
        steps = -(-int(hold_us[c]) // STEP_US)
        held[:steps] = 0
        for lag in range(1, steps + 1):
            held[lag:] = np.minimum(held[lag:], level[:-lag])
        whole = held[: len(held) // block * block].reshape(-1, block, len(p)).max(1)
        found.append(np.sort(whole[whole > 0])[::-1])
    return found


def thresholds(
    found: Sequence[NDArray[np.float32]], hours: float, per_hour: float, most: Sequence[float]
) -> list[float]:
    """Return thresholds that leave each class `per_hour` activations, of `levels` of some hours.

    None is above `most` of its class. How fast the tail falls is told by the highest levels of all
    classes together; a class of which these hours have shown one moment or two tells too little by
    itself.
    """
    allowed = int(hours * per_hour)
    counted = [level[level > LEAST] for level in found]
    if allowed:  # these hours show it
        asked = [float(level[allowed]) if len(level) > allowed else LEAST for level in counted]
        return [_within(p + ABOVE_SEEN, cap) for p, cap in zip(asked, most, strict=True)]
    bases = [_log_odds(float(level[TAIL]) if len(level) > TAIL else LEAST) for level in counted]
    peaks = [_log_odds(level[:TAIL]) - base for level, base in zip(counted, bases, strict=True)]
    fall = float(np.concatenate(peaks).mean()) if any(map(len, peaks)) else 0.0
    out = []
    for level, peak, base, cap in zip(counted, peaks, bases, most, strict=True):
        rare = base + fall * np.log(max(len(peak), 1) / (hours * per_hour))
        seen = float(level[0]) + ABOVE_SEEN if len(level) else LEAST
        out.append(_within(max(1 / (1 + np.exp(-rare)), seen), cap) if len(level) else LEAST)
    return out


def _within(p: float, most: float) -> float:
    return round(float(np.clip(p, LEAST, most)), 3)


def _log_odds(p: Any) -> Any:
    p = np.minimum(np.asarray(p, np.float64), 1 - 1e-6)
    return np.log(p) - np.log1p(-p)
