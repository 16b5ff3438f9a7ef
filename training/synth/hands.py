"""A hand that makes strokes and does what people do besides, seen by a camera: `hand_stream`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gesturectl.kinematics import (
    FACINGS,
    FOREARM_M,
    HAND_SHAPES,
    PALM_OUT,
    Array,
    hand_facing,
    hand_points,
    hand_shape,
    minimum_jerk,
    turn,
)
from gesturectl.types import Float32, Int64
from training.synth.chance import X, Y, Z, facing_near, hand_proportions, log_uniform, place_near
from training.synth.poses import POSES
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


def frames_of(fingers: Array, palm: Array) -> Array:
    """Return hand rotations (n, 3, 3) from the directions of fingers and palm (n, 3)."""
    y = fingers / np.linalg.norm(fingers, axis=1, keepdims=True)
    z = palm - (palm * y).sum(1, keepdims=True) * y
    z /= np.linalg.norm(z, axis=1, keepdims=True) + 1e-9
    return np.stack([np.cross(y, z), y, z], axis=2)


# Shapes of a hand as it is carried about, and as it makes strokes; more often, more often named.
_CARRIED = ("open_palm", "rest", "rest", "point_up", "four", "three", "victory", "fist")
_STROKING = ("open_palm", "open_palm", "open_palm", "rest", "point_up", "four")


def _loose_shape(rng: Generator, names: Sequence[str] = _CARRIED) -> Array:
    """Return the angles (21,) of one of these shapes, loosely held."""
    return HAND_SHAPES[names[int(rng.integers(len(names)))]] + rng.normal(0, 8, 21)


def _open_hand(rng: Generator) -> Array:
    """Return the angles (21,) of an open hand, loosely held."""
    return HAND_SHAPES["open_palm"] + rng.normal(0, 8, 21)


def _approach(take: Take, start: Array, facing: Array, shape: Array) -> None:
    """Go to where a stroke begins, from where the hand is or straight from below the picture."""
    rng = take.rng
    if rng.random() < 0.4:
        _sink(take)
        take.go(rng.uniform(0.4, 1.0), start, facing, shape, bow=rng.normal(0, 0.15), calm=False)
        take.hold(rng.uniform(0.08, 0.5))
    else:
        take.go(rng.uniform(0.3, 0.9), start, facing, shape, bow=rng.normal(0, 0.15))


def _sink(take: Take) -> None:
    """Let the hand sink out of the picture, as fast as people do, and rest there."""
    rng = take.rng
    way = np.array([rng.normal(0, 0.1), take.now.wrist[2] * 0.75, 0.0])
    below, facing = take.now.wrist + way, facing_near(rng, FACINGS["hanging"], 20)
    take.go(rng.uniform(0.35, 1.2), below, facing, calm=False)
    take.hold(rng.uniform(0.2, 1.5))


def _swipe(take: Take, which: int) -> None:
    """Go where the stroke begins, pause, swipe; then perhaps back, or down and around."""
    rng = take.rng
    direction = way_of(which, rng, 9)
    length = log_uniform(rng, 0.13, 0.65)
    home = take.now.wrist
    facing = facing_near(rng, PALM_OUT, 18)
    shape = _loose_shape(rng, _STROKING)
    start = home - direction * length * rng.uniform(0.2, 0.8)
    _approach(take, start, facing, shape)
    take.hold(rng.uniform(0.0, 0.4) + 0.02)
    seconds = length / max(log_uniform(rng, 0.42, 2.2), length / 0.75)
    lean = turn(Z, np.deg2rad(rng.normal(8, 12)) * direction[0])
    take.go(
        seconds, start + direction * length, lean @ facing,
        bow=rng.normal(0, 0.10), label=labels_of(seconds, which, 0.45),
    )  # fmt: skip
    after_stroke(take, which)
    slow = rng.uniform(0.5, 1.3)
    if rng.random() < 0.35:  # the same way back, slowly
        take.go(slow, start, facing)
    elif rng.random() < 0.5:  # down and around
        take.go(
            slow, home + np.array([0, rng.uniform(0.05, 0.25), 0]), facing, bow=rng.normal(0, 0.4)
        )


def _circle(take: Take, which: int) -> None:
    """Go where the circle begins, and draw it once or more often, with a finger or the hand."""
    rng = take.rng
    radius = rng.uniform(0.045, 0.18)
    squash = rng.uniform(0.6, 1.3)
    phase = rng.uniform(0, 2 * np.pi)
    rounds = rng.choice([1.0, 1.1, 1.5, 2.0], p=[0.5, 0.2, 0.15, 0.15])
    u = moments(round(rounds * rng.uniform(0.55, 1.6) * RATE_HZ))
    ease = rng.uniform(0, 1)
    turned = 2 * np.pi * rounds * (ease * minimum_jerk(u) + (1 - ease) * u)
    tilt = rng.normal(0, 0.3)
    ring = np.c_[ring_of(which, phase, turned, squash), tilt * np.sin(turned)]
    begin = np.append(ring_of(which, phase, np.zeros(1), squash), 0.0)
    centre = take.now.wrist + rng.normal(0, 0.04, 3)
    shape = HAND_SHAPES["point_up" if rng.random() < 0.5 else "open_palm"] + rng.normal(0, 8, 21)
    facing = facing_near(rng, PALM_OUT, 20)
    _approach(take, centre + radius * begin, facing, shape)
    take.hold(rng.uniform(0, 0.3) + 0.02)
    label = labels_by(turned, which, 2 * np.pi * 0.8, 2 * np.pi * 0.35)
    take.carry(centre + radius * ring, label)
    after_stroke(take, which)


def _wave(take: Take, which: int, *, amplitude: tuple[float, float] = (14, 40)) -> None:
    """Swing an open hand about the elbow; `which` may be NULL for what only looks like it."""
    rng = take.rng
    cycles = rng.uniform(2.0, 5.0)
    rate = rng.uniform(1.4, 3.4)
    u = moments(round(cycles / rate * RATE_HZ))
    swing = np.deg2rad(rng.uniform(*amplitude)) * np.minimum(1, 6 * u * (1 - u) + 0.3)
    swing = swing * np.sin(2 * np.pi * cycles * u) * minimum_jerk(u * 8)
    facing = facing_near(rng, PALM_OUT, 15)
    _approach(take, take.now.wrist, facing, _open_hand(rng))
    now = take.now
    elbow = now.wrist + np.array([0.0, rng.uniform(0.12, 0.26), 0.02])
    swung = turn(Z, swing)
    move = Hand3d(
        elbow + np.einsum("nij,j->ni", swung, now.wrist - elbow),
        swung @ now.fingers,
        swung @ now.palm,
        np.tile(now.angles, (len(u), 1)),
    )
    take.add(move, NULL if which == NULL else labels_by(u * cycles, which, 1.6, 0.8))
    take.hold(0.2, IGNORE)


def _push(take: Take, which: int) -> None:
    """Push an open hand toward the camera, and take it back."""
    rng = take.rng
    _approach(take, take.now.wrist, facing_near(rng, PALM_OUT, 12), _open_hand(rng))
    take.hold(rng.uniform(0.02, 0.5))
    home = take.now.wrist
    seconds = rng.uniform(0.22, 0.6)
    near = -home[2] * rng.uniform(0.2, 0.45)
    way = np.array([rng.normal(0, 0.05), rng.normal(0, 0.04), near])
    take.go(seconds, home + way, label=labels_of(seconds, which, 0.55))
    after_stroke(take, which)
    take.go(rng.uniform(0.3, 0.9), home)


_GESTURES: Mapping[str, Callable[[Take, int], None]] = {
    **dict.fromkeys(STROKES, _swipe),
    **dict.fromkeys(SENSE, _circle),
    "wave": _wave,
    "push": _push,
}


def _reach(take: Take, home: Array) -> None:
    """Reach somewhere, unhurried or curved; a fast straight reach is a swipe to anyone."""
    rng = take.rng
    target = place_near(rng, home, 0.25)
    length = float(np.linalg.norm(target - take.now.wrist))
    seconds = length / rng.uniform(0.12, 0.50) + 0.15
    facings = list(FACINGS.values())
    facing = facing_near(rng, facings[rng.integers(len(facings))], 25)
    take.go(seconds, target, facing, _loose_shape(rng), bow=rng.normal(0, 0.25))
    take.hold(rng.uniform(0.05, 0.8))


def _talk(take: Take, home: Array) -> None:
    """Talk with the hands: many small curved moves, some quick, never far."""
    rng = take.rng
    for _ in range(rng.integers(3, 10)):
        target = place_near(rng, home, 0.09)
        facing = facing_near(rng, PALM_OUT if rng.random() < 0.3 else FACINGS["thumb_up"], 40)
        seconds = rng.uniform(0.14, 0.6)
        take.go(seconds, target, facing, _loose_shape(rng), bow=rng.normal(0, 0.5))


def _scratch(take: Take, home: Array) -> None:
    """Go to the face, rub a few times, come back."""
    rng = take.rng
    face = home + np.array([rng.normal(0.1, 0.1), -rng.uniform(0.05, 0.25), 0.05])
    take.go(rng.uniform(0.35, 0.9), face, facing_near(rng, -PALM_OUT @ np.diag([1, -1, 1]), 40),
            _loose_shape(rng), bow=rng.normal(0, 0.3))  # fmt: skip
    across = rng.normal(size=3)
    across *= rng.uniform(0.008, 0.03) / np.linalg.norm(across)
    for i in range(rng.integers(3, 12)):
        take.go(rng.uniform(0.07, 0.2), face + across * (1 if i % 2 else -1))
    take.go(rng.uniform(0.35, 0.9), home, bow=rng.normal(0, 0.3))


def _drink(take: Take, home: Array) -> None:
    """Grasp low, lift to the mouth, stay, put down."""
    rng = take.rng
    grip = HAND_SHAPES["fist"] - np.r_[np.zeros(5), np.tile([0, 30, 40, 20], 4)]
    low = home + np.array([0.05, 0.2, 0.0])
    take.go(rng.uniform(0.5, 1.0), low, facing_near(rng, FACINGS["thumb_up"], 15), grip)
    take.go(rng.uniform(0.6, 1.2), home + np.array([0.1, -0.15, 0.05]), bow=rng.normal(0, 0.15))
    take.hold(rng.uniform(0.5, 2.0))
    take.go(rng.uniform(0.6, 1.2), low, bow=rng.normal(0, 0.15))
    take.go(rng.uniform(0.4, 0.9), home, None, _loose_shape(rng))


def _type(take: Take, home: Array) -> None:
    """Type or fiddle: the place stays, the fingers move fast."""
    rng = take.rng
    for _ in range(rng.integers(6, 25)):
        take.go(rng.uniform(0.06, 0.22), home + rng.normal(0, 0.012, 3), None,
                HAND_SHAPES["rest"] + rng.normal(0, 16, 21))  # fmt: skip


def _pose(take: Take, home: Array) -> None:
    """Show a pose of the catalog and hold it: to a model of motion that is nothing."""
    rng = take.rng
    name = POSES[rng.integers(len(POSES))]
    seconds, place = rng.uniform(0.25, 0.7), place_near(rng, home, 0.08)
    facing = facing_near(rng, hand_facing(name), 12)
    shape = hand_shape(name) + rng.normal(0, 6, 21)
    take.go(seconds, place, facing, shape, bow=rng.normal(0, 0.2))
    take.hold(rng.uniform(0.4, 2.0))


def _slow_line(take: Take, home: Array) -> None:
    """Point along something or follow it with the hand: straight, but slow."""
    rng = take.rng
    a, b = place_near(rng, home, 0.2), place_near(rng, home, 0.2)
    take.go(rng.uniform(0.5, 1.0), a, facing_near(rng, PALM_OUT, 20), _loose_shape(rng))
    take.go(float(np.linalg.norm(b - a)) / rng.uniform(0.08, 0.35) + 0.2, b)


def _shake(take: Take, home: Array) -> None:
    """One small flick to and fro: less than a wave."""
    _wave(take, NULL, amplitude=(2, 7))


def _lean(take: Take, home: Array) -> None:
    """Lean toward the camera and back, slowly: the hand grows, but nobody pushed."""
    rng = take.rng
    near = home + np.array([0, 0, -home[2] * rng.uniform(0.1, 0.4)])
    take.go(rng.uniform(0.9, 2.0), near)
    take.go(rng.uniform(0.9, 2.0), home)


BEHAVIOUR = (
    *(_reach, _reach, _talk, _talk, _scratch, _drink, _type, _pose, _pose, _slow_line),
    *(_shake, _lean),
)


POSELESS = tuple(act for act in BEHAVIOUR if act is not _pose)
"""Where a held pose is a gesture, to wait with one is not ordinary."""


def _sink_and_rise(take: Take, home: Array) -> None:
    """Let the hand sink out of the picture and raise it again, as fast as people do."""
    rng = take.rng
    _sink(take)
    raised = place_near(rng, home, 0.05)
    facing = facing_near(rng, PALM_OUT, 25)
    bow = rng.normal(0, 0.15)
    take.go(rng.uniform(0.4, 1.2), raised, facing, _loose_shape(rng), bow=bow, calm=False)
    take.hold(rng.uniform(0.08, 0.6))


@dataclass(frozen=True, slots=True, eq=False)
class HandStream:
    """A hand as a camera and an estimator tell it: stamps (T,), points (T, 21, 3), labels (T,)."""

    t_us: Int64
    points: Float32
    label: Int64


def hand_stream(
    rng: Generator,
    seconds: float = 30.0,
    gestures: float = 0.5,
    behaviour: Sequence[Callable[[Take, Array], None]] = BEHAVIOUR,
    *,
    hasty: bool = False,
) -> HandStream:
    """Return one person's hand for a while; `gestures` is the share of acts that are gestures.

    The other acts are drawn from `behaviour`; `hasty` as in `Take`.

    Labels are NULL, IGNORE (nobody could tell yet, or any more) or 1 + the index in `MOTIONS`.
    """
    distance = log_uniform(rng, 0.35, 1.8)
    home = np.array([rng.normal(0, 0.15), rng.normal(0, 0.1), 1.0]) * distance
    facing = facing_near(rng, PALM_OUT, 25)
    start = Hand3d(home, facing[:, 1], facing[:, 2], HAND_SHAPES["rest"])
    take = Take(rng, start, 0.33, hasty)
    _sink_and_rise(take, home)
    while take.seconds < seconds:
        if rng.random() < gestures:
            which = 1 + int(rng.integers(len(MOTIONS)))
            _GESTURES[MOTIONS[which - 1]](take, which)
            if rng.random() < 0.5:
                take.go(rng.uniform(0.4, 1.2), place_near(rng, home, 0.08))
        else:
            behaviour[int(rng.integers(len(behaviour)))](take, home)
        if rng.random() < 0.35:
            _sink_and_rise(take, home)
    return _film(take, rng)


def _film(take: Take, rng: Generator) -> HandStream:
    """Sample a take as a camera does, project it and disturb it as an estimator does."""
    whole, label = take.whole, np.concatenate(take.label)
    fps = rng.uniform(12, 62)
    times = np.arange(0, take.samples / RATE_HZ - 0.01, 1 / fps)
    times = times + rng.uniform(0, 0.15 / fps, len(times))
    at = np.minimum((times * RATE_HZ).astype(int), take.samples - 1)
    world = _placed(whole.at(at), np.median(whole.wrist, axis=0), rng)
    image, seen = _estimated(_in_image(world, rng.uniform(0.8, 1.25)), fps, rng)
    t_us = (times * 1e6).astype(np.int64)
    return HandStream(t_us[seen], image[seen].astype(np.float32), label[at][seen])


def _placed(hand: Hand3d, middle: Array, rng: Generator) -> Array:
    """Return where the points (n, 21, 3) of a moving hand are, before the camera, in metres."""
    n = len(hand.wrist)
    tremor = rng.uniform(0.0005, 0.003) * np.cumsum(rng.normal(0, 0.3, (n, 3)), axis=0)
    tremor -= np.linspace(0, 1, n)[:, None] * tremor[-1]
    points = hand_points(hand.angles, scale=rng.uniform(0.85, 1.15))
    points = hand_proportions(points[:1], rng) - points[:1] + points
    # The forearm turns about the elbow, and the hand with it: it leans to where it goes.
    away = (hand.wrist - middle) / FOREARM_M
    lean, yaw = rng.uniform(0, 1.1) * away[:, 0], rng.uniform(-0.8, 0.8) * away[:, 0]
    pitch = rng.uniform(-0.5, 0.5) * away[:, 1]
    rotation = frames_of(hand.fingers, hand.palm)
    for axis, angle in ((Z, lean), (Y, yaw), (X, pitch)):
        rotation = turn(axis, np.clip(angle, -0.9, 0.9)) @ rotation
    wrist = hand.wrist + np.clip(tremor, -0.02, 0.02)
    return points @ rotation.transpose(0, 2, 1) + wrist[:, None]


def _in_image(world: Array, lens: float) -> Array:
    """See points (n, 21, 3) before the camera; return them in image heights, the wrist at z = 0."""
    depth = np.maximum(world[..., 2], 0.12)
    image = np.empty_like(world)
    image[..., :2] = lens * world[..., :2] / depth[..., None]
    image[..., 2] = lens * (world[..., 2] - world[:, :1, 2]) / depth[:, :1]
    return image


def _estimated(image: Array, fps: float, rng: Generator) -> tuple[Array, NDArray[np.bool_]]:
    """Return points (n, 21, 3) as an estimator tells them, and in which frames (n,) it does."""
    n = len(image)
    size = np.linalg.norm(image[:, 9, :2] - image[:, 0, :2], axis=1) + 0.02
    speed = np.r_[0, np.linalg.norm(np.diff(image[:, 9, :2], axis=0), axis=1)] * fps / size
    sigma = rng.uniform(0.003, 0.015) * (1 + np.minimum(speed, 20) / 10)
    noise = rng.normal(size=image.shape) * (size * sigma)[:, None, None] * [1, 1, 2.5]
    shared = rng.normal(size=(n, 1, 3)) * (size * sigma)[:, None, None]
    image = image + noise + shared
    image[..., 2] *= np.exp(rng.normal(0, 0.2))
    aspect = rng.choice([4 / 3, 16 / 9, 3 / 4])
    inside = (np.abs(image[..., 0]) < aspect / 2 + 0.02) & (np.abs(image[..., 1]) < 0.52)
    seen = inside.mean(1) > 0.55
    # Fast and blurred hands are lost more often, and a loss lasts a few frames.
    lose = rng.random(n) < 0.002 + 0.10 * rng.random() * np.minimum(speed, 30) / 30
    for i in np.flatnonzero(lose):
        seen[i : i + rng.integers(1, 4)] = False
    for i in np.flatnonzero(rng.random(n) < rng.choice([0.0, 0.0, 0.1])):  # a picture shown twice
        image[i] = image[i - 1]
    return image, seen
