"""Two arms that make strokes and do what people do besides, seen by a camera: `arm_stream`.

Places are in metres from the middle between the shoulders, as of a right arm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from gesturectl import kinematics as figures
from gesturectl.kinematics import FOREARM_M, SHOULDER_HALF_M, UPPER_ARM_M, Array, minimum_jerk, turn
from gesturectl.types import Float32, Int64
from training.synth.chance import Z, log_uniform, place_near, random_rotation
from training.synth.takes import (
    IGNORE,
    MOTIONS,
    NULL,
    RATE_HZ,
    SENSE,
    STROKES,
    Hand3d,
    Take,
    after_stroke,
    labels_by,
    labels_of,
    moments,
    ring_of,
    way_of,
)

SHOULDER_WIDTH_M = 2 * SHOULDER_HALF_M
SHOULDER = np.array([-SHOULDER_HALF_M, 0.0, 0.0])  # the right one, from the middle of both


def elbows(wrist: Array, pole: Array) -> tuple[Array, Array]:
    """Return elbows and reachable wrists (n, 3) of right arms that reach for `wrist` (n, 3)."""
    toward = wrist - SHOULDER
    distance = np.linalg.norm(toward, axis=1, keepdims=True)
    direction = toward / np.maximum(distance, 1e-6)
    reach = np.clip(distance, abs(UPPER_ARM_M - FOREARM_M) + 0.03, UPPER_ARM_M + FOREARM_M - 0.002)
    along = (UPPER_ARM_M**2 - FOREARM_M**2 + reach**2) / (2 * reach)
    height = np.sqrt(np.maximum(UPPER_ARM_M**2 - along**2, 0))
    side = pole - (pole * direction).sum(1, keepdims=True) * direction
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-6
    return SHOULDER + along * direction + height * side, SHOULDER + reach * direction


def _ready(rng: Generator) -> Array:
    """Return where a raised hand waits: beside the head or before the body, elbow bent."""
    if rng.random() < 0.5:
        return np.array([rng.uniform(-0.6, -0.35), rng.uniform(-0.3, 0.3), rng.uniform(-0.35, 0)])
    return np.array([rng.uniform(-0.35, 0.1), rng.uniform(-0.05, 0.35), rng.uniform(-0.45, -0.2)])


HANG = np.array([-0.235, 0.52, -0.05])


def _lowered(rng: Generator) -> Array:
    """Return where the hand (3,) of an arm that hangs is."""
    return HANG + rng.normal(0, 0.03, 3)


# What an arm makes strokes of, and how often: as often as they are hard to tell apart. No `push`.
_ARM_MOTIONS = [1 + i for i, name in enumerate(MOTIONS) if name != "push"]
_OFTEN = {"swipe_up": 2.0, "swipe_down": 2.0, "circle_cw": 2.0, "circle_ccw": 2.0}


def _arm_gesture(take: Take, which: int) -> None:
    rng, name = take.rng, MOTIONS[which - 1]
    if name in ("swipe_up", "swipe_down"):
        _arm_lift(take, which, down=name == "swipe_down")
    elif name in STROKES:
        _arm_swipe(take, which)
    else:
        take.go(rng.uniform(0.4, 1.0), _ready(rng), bow=rng.normal(0, 0.2), calm=False)
        if name in SENSE:
            _arm_circle(take, which)
        else:
            _arm_wave(take, which)
        after_stroke(take, which)
    if rng.random() < 0.7:
        take.go(rng.uniform(0.45, 1.2), _lowered(rng), bow=rng.normal(0, 0.2))


def _arm_swipe(take: Take, which: int) -> None:
    """Carry the raised hand across, from the side or to it."""
    rng = take.rng
    direction = way_of(which, rng, 13)
    length = rng.uniform(0.25, 0.9)
    middle = np.array([-0.25, rng.uniform(-0.2, 0.35), rng.uniform(-0.45, -0.2)])
    middle += rng.normal(0, 0.05, 3)
    start, quick = middle - direction * length / 2, rng.random() < 0.5
    take.go(rng.uniform(0.3, 0.9), start, bow=rng.normal(0, 0.2), calm=not quick)
    if rng.random() < 0.7:  # else in one go
        take.hold(rng.uniform(0.02, 0.5))
    target = middle + direction * length / 2
    seconds = float(np.linalg.norm(target - take.now.wrist)) / log_uniform(rng, 0.8, 2.8)
    take.go(seconds, target, bow=rng.normal(0, 0.2), label=labels_of(seconds, which, 0.85))
    if rng.random() < 0.4:  # drop the arm at once
        fall_s = rng.uniform(0.35, 0.9)
        label = labels_of(fall_s, which, 0.0)
        label[round(0.2 * RATE_HZ) :] = IGNORE
        label[round(0.3 * RATE_HZ) :] = NULL
        take.go(0, _lowered(rng), bow=rng.normal(0, 0.2), label=label)
    else:
        after_stroke(take, which)


def _arm_lift(take: Take, which: int, *, down: bool) -> None:
    """Lift the hanging arm and let it go: which of both is the stroke, the quicker one tells.

        up        down       raising a hand: nothing
          /\\         /|           ____
         /  \\      /  |         /    \\
        /    \\   /    |        /      \\
    """
    rng = take.rng
    low = HANG + rng.normal(0, 0.04, 3)
    if rng.random() < 0.3:  # from the waist, the elbow bent
        low = np.array([rng.uniform(-0.32, -0.1), rng.uniform(0.2, 0.5), rng.uniform(-0.4, 0)])
    top = np.array([rng.normal(-0.22, 0.08), rng.uniform(-0.5, -0.02), rng.uniform(-0.4, -0.05)])
    way_m = float(np.linalg.norm(top - low))
    quick_s = way_m / log_uniform(rng, 1.2, 2.8)
    bow = rng.normal(0, 0.15)
    take.go(rng.uniform(0.4, 1.0), low)
    take.hold(rng.uniform(0.02, 0.4))
    if rng.random() < 0.3:
        take.go(quick_s, top, bow=bow, calm=False)
        take.hold(rng.uniform(0.5, 1.5))
        take.go(quick_s * rng.uniform(0.7, 1.5), low, bow=rng.normal(0, 0.15), calm=False)
    elif down:
        bow = rng.normal(0, 0.15) if rng.random() < 0.4 else rng.uniform(0.1, 0.45)
        take.go(quick_s * rng.uniform(1.25, 2.5), top, bow=bow, calm=False)
        if rng.random() < 0.6:
            take.hold(rng.uniform(0.02, 0.3))
        take.go(0, low, bow=rng.normal(0, 0.12), label=labels_of(quick_s, which, 0.6))
        take.hold(0.15, which)
        take.hold(0.10, IGNORE)
    else:
        take.go(0, top, bow=bow, label=labels_of(quick_s, IGNORE, 0.8, hidden=0.8))
        if rng.random() < 0.7:
            take.hold(rng.uniform(0.02, 0.3), IGNORE)
        back_s = quick_s * rng.uniform(0.85, 1.7)
        label = labels_of(back_s, which, 0.04 / back_s, hidden=0.04 / back_s)
        label[round(0.3 * RATE_HZ) :] = IGNORE
        label[round(0.45 * RATE_HZ) :] = NULL
        take.go(0, low + rng.normal(0, 0.03, 3), bow=rng.normal(0, 0.15), label=label)
    take.hold(rng.uniform(0.05, 0.6))


def _arm_circle(take: Take, which: int) -> None:
    """Draw a circle, or what people take for one: squashed, tilted, drifting, never even."""
    rng = take.rng
    radius, squash = rng.uniform(0.10, 0.32), np.exp(rng.normal(0, 0.35))
    phase, rounds = rng.uniform(0, 2 * np.pi), rng.choice([1.0, 1.0, 1.2, 1.6, 2.0])
    hangs = rng.random() < 0.35
    if hangs:
        phase, radius = np.pi + rng.normal(0, 0.5), rng.uniform(0.13, 0.28)
        squash = rng.uniform(0.28, 0.5) / radius
    turned = 2 * np.pi * rounds * _uneven(rng, round(rounds * rng.uniform(0.65, 1.7) * RATE_HZ))
    ring = np.c_[ring_of(which, phase, turned, squash), 0 * turned]
    ring = ring @ turn(Z, rng.normal(0, 0.35)).T
    ring[:, 1] = np.clip(ring[:, 1], -2.0, 2.0) + rng.normal(0, 0.2) * turned / (2 * np.pi)
    centre = np.array([rng.uniform(-0.4, -0.05), rng.uniform(-0.2, 0.25), rng.uniform(-0.45, -0.2)])
    start = centre + radius * ring[0]
    if hangs:  # drawn from the hanging arm, or from beside the hip, and back
        out = np.array([-rng.uniform(0, 0.2), -rng.uniform(0, 0.25), 0.0])
        start = HANG + rng.normal(0, 0.04, 3) + out * (rng.random() < 0.6)
    take.go(rng.uniform(0.25, 0.8), start, bow=rng.normal(0, 0.15), calm=rng.random() < 0.5)
    label = labels_by(turned, which, 2 * np.pi * 0.9, 2 * np.pi * 0.6)
    take.carry(start + radius * (ring - ring[0]), label)


def _uneven(rng: Generator, n: int) -> Array:
    """Return (n,) from above 0 to 1, always growing, as fast and slow as people are."""
    u = np.linspace(0, 1, n + 1)
    pace = np.exp(rng.normal(0, 0.45, 7))
    done = np.cumsum(np.interp(u, np.linspace(0, 1, 7), pace))
    ease, done = rng.uniform(0, 1), (done - done[0]) / (done[-1] - done[0])
    eased: Array = (ease * minimum_jerk(done) + (1 - ease) * done)[1:]
    return eased


def _arm_wave(take: Take, which: int) -> None:
    """Raise the hand and swing it from side to side."""
    rng = take.rng
    cycles, rate = rng.uniform(2.0, 5.0), rng.uniform(1.1, 2.8)
    u = moments(round(cycles / rate * RATE_HZ))
    width = rng.uniform(0.06, 0.25)
    place = np.array([rng.uniform(-0.5, -0.1), rng.uniform(-0.5, 0.15), rng.uniform(-0.3, -0.05)])
    take.go(rng.uniform(0.3, 0.8), place)
    sway = width * np.sin(2 * np.pi * cycles * u) * minimum_jerk(u * 8)
    path = place + np.stack([sway, -0.2 * np.abs(sway), 0 * u], axis=1)
    take.carry(path, labels_by(u * cycles, which, 1.6, 0.8))


def _walk(take: Take) -> None:
    """Walk through the picture: the arms hang and swing, seen from any side."""
    rng = take.rng
    n = round(rng.uniform(1.5, 5.0) * RATE_HZ)
    swing = rng.uniform(0.05, 0.22) * np.sin(
        2 * np.pi * rng.uniform(0.7, 1.2) * np.arange(n) / RATE_HZ + rng.uniform(0, 6)
    )
    toward = rng.uniform(-np.pi, np.pi)
    way = np.array([np.cos(toward), 0.0, np.sin(toward)])
    path = HANG + swing[:, None] * way - np.array([0.0, 0.3, 0.0]) * (swing**2)[:, None]
    take.go(rng.uniform(0.4, 1.0), path[0])
    take.carry(path)


def _hang(take: Take) -> None:
    """Let the arm hang."""
    rng = take.rng
    take.go(rng.uniform(0.5, 1.2), _lowered(rng))
    take.hold(rng.uniform(0.3, 2.0))


def _touch(take: Take) -> None:
    """Go to the face, the chest or the hips, or before the body, and fiddle there."""
    rng = take.rng
    places = ([-0.05, -0.12, -0.12], [0.0, 0.2, -0.2], [-0.25, 0.4, -0.15], [0.15, 0.25, -0.2])
    place = np.array(places[rng.integers(4)]) + rng.normal(0, 0.05, 3)
    take.go(rng.uniform(0.4, 1.1), place, bow=rng.normal(0, 0.25))
    for _ in range(rng.integers(0, 8)):
        take.go(rng.uniform(0.08, 0.3), place + rng.normal(0, 0.015, 3))


def _arm_talk(take: Take) -> None:
    """Talk with the raised hand."""
    rng = take.rng
    place = _ready(rng)
    take.go(rng.uniform(0.4, 1.0), place, bow=rng.normal(0, 0.2))
    for _ in range(rng.integers(2, 9)):
        target = place + rng.normal(0, 0.07, 3)
        take.go(rng.uniform(0.16, 0.6), target, bow=rng.normal(0, 0.5))


def _raise(take: Take) -> None:
    """Raise the hand, stay, lower it: half of every gesture, and none."""
    rng = take.rng
    high = (_ready(rng), figures.STRAIGHT_UP.wrist, figures.STRAIGHT_OUT.wrist)
    place = high[rng.choice(3, p=[0.7, 0.15, 0.15])] + rng.normal(0, 0.03, 3)
    # A hand that hangs is raised as fast as people do; one that is up already would swipe.
    quick = take.hasty or float(np.linalg.norm(take.now.wrist - HANG)) < 0.2
    take.go(rng.uniform(0.4, 1.0), place, bow=rng.normal(0, 0.15), calm=not quick)
    take.hold(rng.uniform(0.2, 2.0))
    take.go(rng.uniform(0.35, 1.0), _lowered(rng), bow=rng.normal(0, 0.15))


def _arm_reach(take: Take) -> None:
    """Reach somewhere before the body, slowly."""
    rng = take.rng
    take.go(rng.uniform(0.9, 1.8), place_near(rng, np.array([-0.25, 0.1, -0.3]), 0.35))
    take.hold(rng.uniform(0.1, 1.0))


# What arms do besides, each up to this part of the time.
_ARM_BEHAVIOUR = (
    (0.08, _walk),
    (0.2, _hang),
    (0.5, _touch),
    (0.75, _arm_talk),
    (0.9, _raise),
    (1.0, _arm_reach),
)


@dataclass(frozen=True, slots=True, eq=False)
class ArmStream:
    """A right arm as `features.arm_signals` tells it: stamps (T,), signals (T, S), labels (T,)."""

    t_us: Int64
    signals: Float32
    label: Int64


def arm_stream(
    rng: Generator, seconds: float = 30.0, gestures: float = 0.5, *, hasty: bool = False
) -> ArmStream:
    """Return one person's right arm for a while, the left one doing its own; no `push`."""
    right = _arm_take(rng, seconds, gestures, hasty=hasty)
    left = _arm_take(rng, seconds, gestures * 0.5, hasty=hasty, other=True)
    n = min(right.samples, left.samples)
    label = np.concatenate(right.label)[:n]
    if rng.random() < 0.2:  # both arms together: up, out or at work, but no stroke of one
        left, label = right, np.zeros(n, np.int64)
    pole = np.array([-0.4, 0.7, 0.5]) + rng.normal(0, 0.25, 3)
    wrist, elbow = _joints(right, n, pole)
    bone = wrist - elbow
    index = wrist + 0.09 * bone / np.linalg.norm(bone, axis=1, keepdims=True)
    others = [figures.mirrored(joint) for joint in _joints(left, n, pole)]
    return _film_arms(np.stack([wrist, elbow, index, *others], axis=1), label, rng)


def _arm_take(
    rng: Generator, seconds: float, gestures: float, *, hasty: bool, other: bool = False
) -> Take:
    """Return what one arm does; the `other` one often hangs, if the first makes gestures at all."""
    often = np.array([_OFTEN.get(MOTIONS[which - 1], 1.0) for which in _ARM_MOTIONS])
    start = Hand3d(HANG.copy(), np.array([0.0, 1.0, 0.0]), np.ones(3), np.zeros(21))
    take = Take(rng, start, 0.70, hasty)
    take.hold(0.3)
    quiet = other and gestures > 0 and rng.random() < 0.6
    while take.seconds < seconds:
        if quiet:
            take.hold(1.0)
        elif rng.random() < gestures:
            _arm_gesture(take, int(rng.choice(_ARM_MOTIONS, p=often / often.sum())))
        else:
            kind = rng.random()
            next(act for until, act in _ARM_BEHAVIOUR if kind < until)(take)
    return take


def _joints(take: Take, n: int, pole: Array) -> tuple[Array, Array]:
    """Return the wrists and elbows (n, 3) of an arm in its first n samples."""
    elbow, wrist = elbows(take.whole.wrist[:n], np.tile(pole, (n, 1)))
    return wrist, elbow


def _film_arms(joints: Array, label: Int64, rng: Generator) -> ArmStream:
    """See joints (N, 5, 3) of both arms as a camera and an estimator do, in shoulder widths."""
    fps = rng.uniform(14, 40)
    times = np.arange(0, len(joints) / RATE_HZ - 0.01, 1 / fps)
    at = np.minimum((times * RATE_HZ).astype(int), len(joints) - 1)
    seen = joints[at] @ random_rotation(rng, 1, 10)[0].T
    depth = rng.uniform(1.0, 4.0)
    flat = seen[..., :2] / (1 + seen[..., 2:] / depth)
    unit = SHOULDER_WIDTH_M * rng.uniform(0.88, 1.12)
    far = rng.random() < 0.25  # small and badly seen: joints jump
    sigma = rng.uniform(0.03, 0.10) if far else rng.uniform(0.005, 0.03)
    flat = flat / unit + rng.normal(0, sigma, flat.shape)
    if far:
        for i in np.flatnonzero(rng.random(len(at)) < 0.02):
            flat[i : i + rng.integers(1, 6)] += rng.normal(0, 0.35, (1, *flat.shape[1:]))
    drift = np.cumsum(rng.normal(0, 0.003, (len(at), 1, 2)), axis=0)
    flat = flat + drift - np.linspace(0, 1, len(at))[:, None, None] * drift[-1]
    visible = np.clip(rng.normal(0.9, 0.08, (len(at), 2)), 0, 1)
    parts = [flat[:, 0], np.zeros((len(at), 1)), flat[:, 1:].reshape(len(at), -1), visible]
    signals = np.concatenate(parts, axis=1).astype(np.float32)
    return ArmStream((times * 1e6).astype(np.int64), signals, label[at])
