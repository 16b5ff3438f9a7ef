"""Make one recording into several that could as well have happened.

Photographs are turned in space and given other proportions; recorded arms are scaled, turned,
stretched in time, disturbed, and lose frames. Labels stay true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gesturectl import features
from gesturectl.kinematics import turn
from gesturectl.types import Float32, Float64, Int64
from training import synth
from training.datasets import ArmRecording, Segment

# Of a marked segment, the first part shows nothing yet; what follows its end still belongs to it.
EARLY, LATE_US, TAIL_US = 0.75, 200_000, 300_000
# The first half of a circle goes where a swipe goes, and is none.
BEGUN = 0.5

# An arm is at its top within 0.35 shoulder widths of it. Recorded people who lift it as a stroke
# stay there for 0.3 to 0.6 s, others, who point or show something, for 0.7 s and longer.
TOP, REST_US = 0.35, 650_000

OTHER_WAY = {"circle_cw": "circle_ccw", "circle_ccw": "circle_cw"}


def photographed_hands(points: Float32, gesture: NDArray[Any], rng: Generator) -> Float64:
    """Turn and disturb hands (N, 21, 3); a few are mirrored, as when the side is misjudged."""
    n = len(points)
    degrees = np.where(gesture == "fist", 35.0, 14.0)
    turned = (points - points[:, :1]) @ synth.random_rotation(rng, n, degrees).transpose(0, 2, 1)
    turned = synth.hand_proportions(turned, rng)
    turned[rng.random(n) < 0.06, :, 0] *= -1
    return synth.disturb(turned, rng, 0.6)


def turned_thumbs(points: Float32, rng: Generator) -> tuple[Float64, NDArray[Any]]:
    """Turn fists with a thumb out (N, 21, 3) any way; name them by where the thumb then points.

    Within 38° of upright it is thumb_up or thumb_down, beyond 55° nothing (''), between '?'.
    """
    n = len(points)
    turned = (points - points[:, :1]) @ synth.random_rotation(rng, n, 14.0).transpose(0, 2, 1)
    turned[rng.random(n) < 0.5, :, 0] *= -1  # seen from the back, it is the other hand's
    turned = turned @ turn(synth.Z, rng.uniform(-np.pi, np.pi, n)).transpose(0, 2, 1)
    thumb = turned[:, 4] - turned[:, 2]
    upright = np.degrees(np.arctan2(np.linalg.norm(thumb[:, [0, 2]], axis=1), np.abs(thumb[:, 1])))
    name = np.where(thumb[:, 1] < 0, "thumb_up", "thumb_down")
    name = np.where(upright > 55, "", np.where(upright > 38, "?", name))
    return synth.disturb(synth.hand_proportions(turned, rng), rng, 0.6), name


def photographed_bodies(points: Float32, rng: Generator) -> Float32:
    """Lean and disturb bodies (N, 33, 4) a little."""
    n = len(points)
    out = points.copy()
    middle = (points[:, 11:12, :3] + points[:, 12:13, :3]) / 2
    size = np.linalg.norm(points[:, 11, :2] - points[:, 12, :2], axis=1)[:, None, None]
    turned = (points[..., :3] - middle) @ synth.random_rotation(rng, n, 8).transpose(0, 2, 1)
    out[..., :3] = turned + rng.normal(size=turned.shape) * size * 0.03
    return out


def circles_backward(recording: ArmRecording) -> list[ArmRecording]:
    """Return each circle of a recording played backward: it goes round the other way.

    So do the ways to it and from it, as far as no other gesture is on them. Of circles people
    recorded three times as many one way as the other.
    """
    t_us, segments = recording.t_us, recording.segments
    out = []
    for i, segment in enumerate(segments):
        since = segments[i - 1].end_us + TAIL_US if i else int(t_us[0])
        until = segments[i + 1].start_us if i + 1 < len(segments) else int(t_us[-1]) + 1
        if segment.name in OTHER_WAY and since <= segment.start_us:
            a, b = np.searchsorted(t_us, [since, until])
            end_us = int(t_us[b - 1])
            start, end = end_us - segment.end_us, end_us - segment.start_us
            out.append(
                replace(
                    recording,
                    t_us=end_us - t_us[a:b][::-1],
                    image=recording.image[a:b][::-1],
                    segments=(Segment(OTHER_WAY[segment.name], start, end),),
                    idle=recording.idle[a:b][::-1],
                )
            )
    return out


def labelled_arms(
    recording: ArmRecording, classes: tuple[str, ...]
) -> list[tuple[Int64, Float32, Int64]]:
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
            when = KNOWN.get(segment.name)
            known = when(recording, segment, signals[which]) if when else late(segment)
            mark(labels[which], recording.t_us, segment, known, classes.index(name))
    return [(recording.t_us, s, y) for s, y in zip(signals, labels, strict=True)]


Span = tuple[int, int] | None


def mark(label: Int64, t_us: Int64, segment: Segment, known: Span, which: int) -> None:
    """Mark a segment as this class while it is `known` for one; do not judge its rest."""
    label[segment.holds(t_us, TAIL_US)] = synth.IGNORE
    if segment.name in OTHER_WAY:
        half_us = segment.start_us + BEGUN * (segment.end_us - segment.start_us)
        label[segment.holds(t_us) & (t_us < half_us)] = synth.NULL
    if known is not None:
        label[(t_us >= known[0]) & (t_us <= known[1])] = which


def late(segment: Segment) -> Span:
    """Return the last part of a segment and a little after it."""
    since = segment.start_us + EARLY * (segment.end_us - segment.start_us)
    return round(since), segment.end_us + LATE_US


def _sideways(recording: ArmRecording, segment: Segment, signal: Float32) -> Span:
    """Return when a stroke sideways is known for one: it must have slowed down.

    Before, it may still become a circle. People mark anything from the stroke to the whole way.
    """
    t_us, x = recording.t_us, signal[:, 0]
    a, b = np.searchsorted(t_us, [segment.start_us, segment.end_us + 150_000])
    speed = np.abs(x[a:b] - x[np.searchsorted(t_us, t_us[a:b] - 100_000)])
    peak = int(speed.argmax())
    slow = np.flatnonzero(speed[peak:] < 0.5 * speed[peak])
    latest = segment.end_us + 100_000
    over = min(int(t_us[a + peak + slow[0]]), latest) if len(slow) else latest
    return over, over + 250_000


def _lift(recording: ArmRecording, segment: Segment, signal: Float32) -> Span:
    """Return when a lift is known for a stroke: as soon as it has not stayed at its top."""
    y = signal[:, 1]
    top, rested = _top(recording, segment, y)
    if rested:
        return None  # a raised hand, to whoever does not read minds
    falls = int(recording.t_us[top + int(np.argmax(y[top:] > y[top] + 0.05))])
    return falls - 70_000, falls + 170_000


def _drop(recording: ArmRecording, segment: Segment, signal: Float32) -> Span:
    """Return when a drop is known for a stroke; one after a rest or a lift is its return."""
    _, rested = _top(recording, segment, signal[:, 1])
    lifted = any(
        other.name == "swipe_up" and 0 <= segment.start_us - other.end_us < 1_000_000
        for other in recording.segments
    )
    since = segment.start_us + 0.6 * (segment.end_us - segment.start_us)
    return None if rested or lifted else (round(since), segment.end_us + LATE_US)


def _top(recording: ArmRecording, segment: Segment, y: Float32) -> tuple[int, bool]:
    """Return the frame in which the arm is highest, and whether it rests there."""
    t_us = recording.t_us
    a, b = np.searchsorted(t_us, [segment.start_us - 200_000, segment.end_us + 200_000])
    top = a + int(np.argmin(y[a:b]))
    low = y >= y[top] + TOP
    before, after = np.flatnonzero(low[:top]), np.flatnonzero(low[top:])
    first = int(before[-1]) if len(before) else 0
    last = top + int(after[0]) if len(after) else len(y) - 1
    return top, bool(t_us[last] - t_us[first] >= REST_US)


KNOWN: Mapping[str, Callable[[ArmRecording, Segment, Float32], Span]] = {
    "swipe_left": _sideways,
    "swipe_right": _sideways,
    "swipe_up": _lift,
    "swipe_down": _drop,
}


def recorded_arm(
    t_us: Int64, signals: Float32, label: Int64, rng: Generator
) -> tuple[Int64, Float32, Int64]:
    """Return the same movement as of another person, camera and moment."""
    out = signals.astype(np.float64)
    scale, angle = np.exp(rng.normal(0, 0.15)), rng.normal(0, 0.1)
    tall, shear = np.exp(rng.normal(0, 0.12)), rng.normal(0, 0.12)
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    turned = np.array([[c, s], [-s, c]]) @ np.array([[1, shear], [0, tall]]).T
    shift = rng.normal(0, 0.06, 2)
    for x in (0, 3, 5, 7, 9):  # of wrist, elbow, index finger, the other wrist and elbow
        place = out[:, x : x + 2] @ turned
        out[:, x : x + 2] = place + shift + rng.normal(0, 0.02, 2)
    places = [0, 1, *range(3, 11)]
    out[:, places] += rng.normal(0, rng.uniform(0, 0.02), (len(out), len(places)))
    if rng.random() < 0.3:  # the other arm is somewhere else
        out[:, 7:11] += rng.normal(0, 0.15, 4)
    seconds = (t_us - t_us[0]) / 1e6
    knots = np.arange(0, seconds[-1] + 2, 0.7)
    pace = np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.12, len(knots)))
    passed = np.interp(seconds, knots, np.cumsum(pace) * 0.7)
    times = ((passed - passed[0]) * 1e6).astype(np.int64) + rng.integers(features.STEP_US)
    keep = kept(len(times), rng)
    return times[keep], out[keep].astype(np.float32), label[keep]


def kept(n: int, rng: Generator) -> NDArray[np.bool_]:
    """Return which of n frames are not lost: most often all, else 60 % or more; never the first."""
    keep = np.ones(n, bool)
    if rng.random() < 0.4:
        keep = rng.random(n) > rng.uniform(0, 0.4)
        keep[0] = True
    return keep
