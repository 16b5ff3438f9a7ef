"""Hands of a depth tracker in streams: described for a network, varied, and labelled.

A tracker gives every joint in metres, so that a hand is described more plainly than from a camera:
its shape in the palm's frame, how the palm is turned, and where palm and index finger have come
from. Everything is told in hand sizes. When a label begins is decided here, and it matters most: a
stroke is named only after most of it, for until then an O is a V; a pose is named sooner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.random import Generator
from numpy.typing import NDArray

from training import synth
from training.datasets import SFINGE3D_CLASSES, SFINGE3D_FRAME_US, HandStream, Segment

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

PALM, INDEX, MIDDLE, LITTLE = 0, 4, 8, 16
TIPS = np.array([3, 7, 11, 15, 19])
INDEX_TIP = 7
# From each finger's knuckle to its tip; the thumb has a joint less.
FINGERS = tuple(range(a, b + 1) for a, b in zip((1, 4, 8, 12, 16), TIPS.tolist(), strict=True))
_BONE_TO = np.array([joint for finger in FINGERS for joint in list(finger)[1:]])

CLASSES = ("", *SFINGE3D_CLASSES)
HELD = frozenset({"one", "two", "three", "four", "ok"})
IGNORE = synth.IGNORE

# Over how many frames the paths of palm and index finger are told, and changes of shape.
_PATHS, _CHANGES = (1, 2, 4, 8, 16), (4, 8)
_SECOND = 1_000_000 // SFINGE3D_FRAME_US
_NEAR = tuple((a, b) for i, a in enumerate(TIPS.tolist()) for b in TIPS.tolist()[:i])


# --- hand sizes ---------------------------------------------------------------------------------


def hand_sizes(joints: NDArray[np.floating]) -> F64:
    """Return the length in metres of all finger bones together, in each frame of (T, 20, 3)."""
    bones = np.asarray(joints[:, _BONE_TO] - joints[:, _BONE_TO - 1], np.float64)
    out: F64 = np.linalg.norm(bones, axis=-1).sum(-1)
    return out


def size_groups(sizes: Sequence[float], groups: int, least: int = 8) -> I64:
    """Return which of so many groups of similar hand sizes each belongs to, the smallest hands 0.

    The cuts are those with the least spread of log sizes within the groups (Fisher 1958), of all
    cuts that leave at least `least` in each.

    Raises:
        ValueError: there are too few for so many groups.
    """
    n = len(sizes)
    if groups < 1 or groups * least > n:
        raise ValueError(f"{n} hands do not make {groups} groups of at least {least}")
    order = np.argsort(sizes, kind="stable")
    logs = np.log(np.asarray(sizes, np.float64))[order]
    sums, squares = (np.concatenate([[0.0], np.cumsum(v)]) for v in (logs, logs * logs))

    def spread(a: int, b: int) -> float:
        return float(squares[b] - squares[a] - (sums[b] - sums[a]) ** 2 / (b - a))

    # best[j][b]: how the first b hands fall into j groups with the least spread, and that spread.
    best: list[dict[int, tuple[float, list[int]]]] = [{0: (0.0, [])}]
    for _ in range(groups):
        row = {}
        for b in range(least, n + 1):
            ways = [
                (cost + spread(a, b), [*cuts, b])
                for a, (cost, cuts) in best[-1].items()
                if a <= b - least
            ]
            if ways:
                row[b] = min(ways)
        best.append(row)
    cuts = best[-1][n][1]
    out = np.empty(n, np.int64)
    out[order] = np.searchsorted(cuts, np.arange(n), side="right")
    return out


# --- description --------------------------------------------------------------------------------


def _unit(v: F64) -> F64:
    out: F64 = v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-9)
    return out


def describe(joints: NDArray[np.floating]) -> F32:
    """Describe each frame of (T, 20, 3): float32 (T, 138), none by a later one.

    All is told in hand sizes, the running median of a second. 57 places in the palm's frame, 5
    finger stretches and 10 distances of tips, 6 of how the palm is turned; then the ways of palm
    and index tip over five spans, and the changes of shape over two.
    """
    sizes = hand_sizes(joints)
    past = sliding_window_view(np.pad(sizes, (_SECOND - 1, 0), "edge"), _SECOND)
    size = np.median(past, axis=1)[:, None]
    p = np.asarray(joints, np.float64)
    up = _unit(p[:, MIDDLE] - p[:, PALM])
    across = p[:, INDEX] - p[:, LITTLE]
    across = _unit(across - (across * up).sum(-1, keepdims=True) * up)
    axes = np.stack([across, up, np.cross(across, up)], axis=-1)
    places = ((p[:, 1:] - p[:, :1]) @ axes).reshape(len(p), -1) / size
    stretch = np.stack([_stretch(p[:, list(finger)]) for finger in FINGERS], axis=1)
    near = np.stack([np.linalg.norm(p[:, a] - p[:, b], axis=-1) for a, b in _NEAR], axis=1) / size
    shape = np.concatenate([2 * stretch, 4 * near], axis=1)
    told = [4 * places, shape, across, up]
    at = np.arange(len(p))
    for span in _PATHS:
        before = np.maximum(at - span, 0)
        told += [(p[:, i] - p[before, i]) / size * 3 / np.sqrt(span) for i in (PALM, INDEX_TIP)]
        if span in _CHANGES:
            told.append(shape - shape[before])
    return np.concatenate(told, axis=1).astype(np.float32)


def _stretch(finger: F64) -> F64:
    """Return 1 for a straight finger (T, joints, 3), less for a bent one."""
    bones = np.linalg.norm(np.diff(finger, axis=1), axis=-1).sum(-1)
    out: F64 = np.linalg.norm(finger[:, -1] - finger[:, 0], axis=-1) / (bones + 1e-9)
    return out


# --- labels and variation -----------------------------------------------------------------------

# The part of a segment after which its name is told, and before that a part that does not count.
TOLD = {name: 0.45 if name in HELD else 0.7 for name in SFINGE3D_CLASSES}
UNSURE = 0.15
# All labels come so many frames late: who hears 200 ms of what follows tells strokes apart better.
DELAY = 4
# Frames after the end that still bear the name, and frames after those that do not count.
LATE, FADING = 4, 6


def labels(steps: int, segments: Sequence[Segment]) -> I64:
    """Return the class of each of so many frames; `IGNORE` where it is open what it is."""
    out = np.zeros(steps, np.int64)
    spans = [
        (s.name, s.start_us // SFINGE3D_FRAME_US + DELAY, s.end_us // SFINGE3D_FRAME_US + DELAY)
        for s in segments
    ]
    for name, a, b in spans:
        out[round(a + (TOLD[name] - UNSURE) * (b - a)) : b + LATE + FADING] = IGNORE
    for name, a, b in spans:
        out[round(a + TOLD[name] * (b - a)) : b + LATE + 1] = CLASSES.index(name)
    return out


def varied(joints: NDArray[np.floating], label: I64, rng: Generator) -> tuple[F64, I64]:
    """Return the same movement as of another hand: (T, 20, 3) and labels, of another T.

    Fingers have other lengths and are held a little otherwise; hand and path are turned each by
    itself; the way is shorter or longer, the pace another and uneven, the places noisy. Of some,
    the beginning is cut off: a gesture may come as soon as the hand does.
    """
    p = np.asarray(joints, np.float64)
    if rng.random() < 0.5:
        first = int(np.argmax(label != 0)) if label.any() else 0
        cut = int(rng.integers(max(first - 8 - DELAY, 1)))
        p, label = p[cut:], label[cut:]
    palm = p[:, :1]
    hand = p - palm
    for finger, turn in zip(FINGERS, synth.random_rotation(rng, len(FINGERS), 5.0), strict=True):
        root = hand[:, finger[0]][:, None]
        hand[:, list(finger)] = (root + (hand[:, list(finger)] - root) @ turn.T) * np.exp(
            rng.normal(0, 0.04)
        )
    turn_hand, turn_path = synth.random_rotation(rng, 2, 7.0)
    moved = hand @ turn_hand.T + palm @ turn_path.T * np.exp(rng.normal(0, 0.2))
    frames = max(int(len(p) * np.exp(rng.normal(0, 0.15))), 8)
    knots = max(2, frames // 40)
    uneven = np.interp(np.linspace(0, 1, frames), np.linspace(0, 1, knots), rng.normal(0, 3, knots))
    t = np.maximum.accumulate(np.linspace(0, len(p) - 1, frames) + uneven)
    t = np.clip(t, 0, len(p) - 1)
    i = np.minimum(t.astype(np.int64), len(p) - 2)
    part = (t - i)[:, None, None]
    out = moved[i] * (1 - part) + moved[i + 1] * part
    out += rng.normal(0, rng.uniform(0, 0.002), out.shape)
    return out, label[np.round(t).astype(np.int64)]


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """What training takes of one stream: itself and its variations, described and labelled."""

    x: tuple[F32, ...]
    label: tuple[I64, ...]


def examples(stream: HandStream, variations: int, rng: Generator) -> Examples:
    """Return a stream and so many variations of it."""
    label = labels(len(stream), stream.segments)
    pairs = [(stream.joints.astype(np.float64), label)]
    pairs += [varied(stream.joints, label, rng) for _ in range(variations)]
    return Examples(tuple(describe(p) for p, _ in pairs), tuple(y for _, y in pairs))
