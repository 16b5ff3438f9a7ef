"""Make one recording into several that could as well have happened.

Photographs are turned in space and given other proportions; recorded arms are scaled, turned,
stretched in time, disturbed, and lose frames. Labels stay true.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gesturectl import features
from training import synth
from training.datasets import ArmRecording, Segment

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]

# Of a marked segment, the first part shows nothing yet; what follows its end still belongs to it.
EARLY, LATE_US, TAIL_US = 0.65, 150_000, 300_000

# A lift that ends at the shoulders (0, in shoulder widths, downward) is how every gesture begins.
# Some recorded people call it swipe_up; a model that learns it fires whenever a hand is raised.
LIFTED = -0.2


def photographed_hands(points: F32, gesture: NDArray[Any], rng: Generator) -> NDArray[np.float64]:
    """Turn and disturb hands (N, 21, 3); a few are mirrored, as when the side is misjudged."""
    n = len(points)
    degrees = np.where(gesture == "fist", 35.0, 14.0)
    turned = (points - points[:, :1]) @ synth.random_rotation(rng, n, degrees).transpose(0, 2, 1)
    turned = synth.hand_proportions(turned, rng)
    turned[rng.random(n) < 0.06, :, 0] *= -1
    return synth.disturb(turned, rng, 0.6)


def turned_thumbs(points: F32, rng: Generator) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Turn fists with a thumb out (N, 21, 3) any way; name them by where the thumb then points.

    Within 38° of upright it is thumb_up or thumb_down, beyond 55° nothing (''), between '?'.
    """
    n = len(points)
    turned = (points - points[:, :1]) @ synth.random_rotation(rng, n, 14.0).transpose(0, 2, 1)
    turned[rng.random(n) < 0.5, :, 0] *= -1  # seen from the back, it is the other hand's
    angle = rng.uniform(-np.pi, np.pi, n)
    axis = np.tile([0.0, 0.0, 1.0], (n, 1))
    turned = turned @ synth.axis_rotation(axis, angle).transpose(0, 2, 1)
    thumb = turned[:, 4] - turned[:, 2]
    upright = np.degrees(np.arctan2(np.linalg.norm(thumb[:, [0, 2]], axis=1), np.abs(thumb[:, 1])))
    name = np.where(thumb[:, 1] < 0, "thumb_up", "thumb_down")
    name = np.where(upright > 55, "", np.where(upright > 38, "?", name))
    return synth.disturb(synth.hand_proportions(turned, rng), rng, 0.6), name


def photographed_bodies(points: F32, rng: Generator) -> F32:
    """Lean and disturb bodies (N, 33, 4) a little."""
    n = len(points)
    out = points.copy()
    middle = (points[:, 11:12, :3] + points[:, 12:13, :3]) / 2
    size = np.linalg.norm(points[:, 11, :2] - points[:, 12, :2], axis=1)[:, None, None]
    turned = (points[..., :3] - middle) @ synth.random_rotation(rng, n, 8).transpose(0, 2, 1)
    out[..., :3] = turned + rng.normal(size=turned.shape) * size * 0.03
    return out


def labelled_arms(recording: ArmRecording, classes: tuple[str, ...]) -> list[tuple[I64, F32, I64]]:
    """Return both arms as right ones: stamps, signals, labels. The label is the moving arm's."""
    arms = [recording.points, features.mirror_body(recording.points)]
    signals = [features.arm_signals(points) for points in arms]
    labels = [np.zeros(len(recording.t_us), np.int64) for _ in arms]
    for segment in recording.segments:
        a, b = np.searchsorted(recording.t_us, [segment.start_us, segment.end_us])
        paths = [np.abs(np.diff(s[a : b + 1, :2], axis=0)).sum() for s in signals]
        which = int(np.argmax(paths))
        name = segment.name if which == 0 else features.mirrored(segment.name)
        if name in classes:
            lifted = signals[which][a : b + 1, 1].min() < LIFTED
            told = lifted or name not in ("swipe_up", "swipe_down")
            shown = classes.index(name) if told else synth.IGNORE
            mark(labels[which], recording.t_us, segment, shown)
    return [(recording.t_us, s, y) for s, y in zip(signals, labels, strict=True)]


def mark(label: I64, t_us: I64, segment: Segment, which: int) -> None:
    """Mark a segment's later part and a little after it as this class; do not judge its rest."""
    start, end = segment.start_us, segment.end_us
    since = start + EARLY * (end - start)
    label[(t_us >= start) & (t_us <= end + TAIL_US)] = synth.IGNORE
    label[(t_us >= since) & (t_us <= end + LATE_US)] = which


def recorded_arm(t_us: I64, signals: F32, label: I64, rng: Generator) -> tuple[I64, F32, I64]:
    """Return the same movement as of another person, camera and moment."""
    out = signals.astype(np.float64)
    scale, angle = np.exp(rng.normal(0, 0.12)), rng.normal(0, 0.09)
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    shift = rng.normal(0, 0.06, 2)
    for x in (0, 3, 5, 7, 9):
        place = out[:, x : x + 2] @ np.array([[c, s], [-s, c]])
        out[:, x : x + 2] = place + shift + rng.normal(0, 0.02, 2)
    places = [0, 1, *range(3, 11)]
    out[:, places] += rng.normal(0, rng.uniform(0, 0.02), (len(out), len(places)))
    if rng.random() < 0.3:  # the other arm is somewhere else
        out[:, 7:11] += rng.normal(0, 0.15, 4)
    pace = np.exp(rng.normal(0, 0.15))
    times = ((t_us - t_us[0]) * pace).astype(np.int64) + rng.integers(features.STEP_US)
    keep = np.ones(len(times), bool)
    if rng.random() < 0.4:
        keep = rng.random(len(times)) > rng.uniform(0, 0.4)
        keep[0] = True
    return times[keep], out[keep].astype(np.float32), label[keep]
