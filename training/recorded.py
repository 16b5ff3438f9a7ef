"""What a user's own labelled recordings add to the training of each network.

In: `datasets.Recording`s. Out: rows and sequences in the form that `training.train` gathers, each
also in disturbed copies, as of other moments and cameras. A frame's label is believed only where
it can mean but one thing:

    label    ----------fist fist fist fist----------      of the only hand in view
    poses    0 0 0 ? ? 1    1    1    1    ? ? 0 0 0      ? left out: `DOUBT_US` about a change
    strokes  0 0 0 0 ? ?    ?    2    2 2  ? ? 0 0 0      of the hand that moved farther
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gesturectl import features
from gesturectl.catalog import catalog
from gesturectl.types import Float32, Int64
from training import augment, synth
from training.datasets import HandTrack, Recording, Segment

Rows = tuple[NDArray[Any], Int64]
Stream = tuple[Int64, Float32, Int64]

CARD_NAME = "your recordings"
COPIES = 20  # of each photographed pose there are as many
DOUBT_US = 300_000
EVERY_US = 100_000  # between frames of a pose that are different enough to count


def described(recordings: Sequence[Recording]) -> str:
    """Return what a model's card says of a user's recordings: how many, how long, of what."""
    minutes = sum(recording.seconds for recording in recordings) / 60
    shown = sorted({segment.name for recording in recordings for segment in recording.segments})
    count = "1 trace" if len(recordings) == 1 else f"{len(recordings)} traces"
    return f"{count}, {minutes:.1f} min, of {', '.join(shown) or 'no gesture'}"


def hand_poses(
    recordings: Sequence[Recording], names: Sequence[str], rng: Generator
) -> Iterator[Rows]:
    """Yield hands (N, 21, 3) and their classes (N,) in `names`, whose first is null ('')."""
    for track in (hand for recording in recordings for hand in recording.hands):
        which = _classes(track.t_us, track.label, names, track.alone)
        chosen = _spaced(track.t_us, which >= 0)
        points, label = track.points[chosen], which[chosen]
        if len(points):
            gesture = np.array(names)[label]
            for _ in range(COPIES):
                yield augment.photographed_hands(points, gesture, rng), label


def body_poses(
    recordings: Sequence[Recording], names: Sequence[str], rng: Generator
) -> Iterator[Rows]:
    """Yield bodies (N, 33, 4) and their classes (N,) in `names`, whose first is null ('')."""
    for arms in (recording.arms for recording in recordings):
        if arms is None:
            continue
        label = np.full(len(arms.t_us), "", object)
        for segment in arms.segments:
            label[segment.holds(arms.t_us)] = segment.name
        which = _classes(arms.t_us, label, names, np.ones(len(label), bool))
        chosen = _spaced(arms.t_us, which >= 0)
        if chosen.any():
            for _ in range(COPIES):
                yield augment.photographed_bodies(arms.points[chosen], rng), which[chosen]


def hand_strokes(
    recordings: Sequence[Recording], names: Sequence[str], rng: Generator
) -> Iterator[Stream]:
    """Yield stamps (T,), hand signals (T, S) and classes (T,) in `names`, whose first is null."""
    for recording in recordings:
        tracks = [(track, features.hand_signals(track.points)) for track in recording.hands]
        labels = [np.full(len(track.t_us), synth.NULL, np.int64) for track, _ in tracks]
        for segment in recording.segments:
            if catalog()[segment.name].kind != "motion" or not tracks:
                continue
            ways = [_way(track, signals, segment) for track, signals in tracks]
            mover = int(np.argmax(ways))
            track = tracks[mover][0]
            name = features.mirrored(segment.name) if track.side == "left" else segment.name
            if name in names:
                known = augment.late(segment)
                augment.mark(labels[mover], track.t_us, segment, known, list(names).index(name))
        for (track, signals), label in zip(tracks, labels, strict=True):
            if len(signals) > 1:
                yield track.t_us, signals, label
                for _ in range(COPIES // 2):
                    yield _another_hand(track, label, rng)


def _way(track: HandTrack, signals: Float32, segment: Segment) -> float:
    """Return how far a hand moves during a segment, in its own palms."""
    inside = segment.holds(track.t_us)
    if inside.sum() < 2:
        return -1.0
    place, size = signals[inside, :2], np.exp(signals[inside, 2])
    return float(np.linalg.norm(np.diff(place, axis=0), axis=1).sum() / size.mean())


def _another_hand(track: HandTrack, label: Int64, rng: Generator) -> Stream:
    """Return the same movement of another hand, at another pace, seen by another camera."""
    angle, pace = rng.normal(0, 0.09), np.exp(rng.normal(0, 0.15))
    c, s = np.cos(angle), np.sin(angle)
    points = track.points.astype(np.float64)
    points[..., :2] = points[..., :2] @ np.array([[c, s], [-s, c]])
    points = synth.disturb(points, rng, rng.uniform(0, 0.3))
    t_us = ((track.t_us - track.t_us[0]) * pace).astype(np.int64) + rng.integers(features.STEP_US)
    keep = np.r_[True, np.diff(t_us) > 0] & augment.kept(len(t_us), rng)
    return t_us[keep], features.hand_signals(points[keep].astype(np.float32)), label[keep]


def _classes(
    t_us: Int64, label: NDArray[Any], names: Sequence[str], sure: NDArray[np.bool_]
) -> Int64:
    """Return the class of each frame, -1 where it is of none or in doubt."""
    known = {name: i for i, name in enumerate(names)}
    which = np.array([known.get(str(name), -1) for name in label], np.int64)
    which[(which > 0) & ~sure] = -1
    for at in np.flatnonzero(label[1:] != label[:-1]):
        near = (t_us > t_us[at] - DOUBT_US) & (t_us < t_us[at + 1] + DOUBT_US)
        which[near & (which == 0)] = -1
    return which


def _spaced(t_us: Int64, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of the wanted frames to take so that no two are closer than `EVERY_US`."""
    chosen = np.zeros(len(t_us), bool)
    last = -EVERY_US
    for i in np.flatnonzero(wanted):
        if t_us[i] - last >= EVERY_US:
            chosen[i], last = True, int(t_us[i])
    return chosen
