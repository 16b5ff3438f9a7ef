"""Landmark sequences of people who do not exist, with known truth.

A hand or body is moved by minimum-jerk strokes between postures (`gesturectl.kinematics`), seen
by a pinhole camera of random place and lens, and disturbed the way MediaPipe disturbs: white and
slow noise, an unreliable z, lost frames, hands that leave the picture, 15 to 60 frames a second.
Gestures are one part; the larger part is what people do besides: reaching, typing, scratching,
drinking, talking with the hands, raising a hand and letting it sink.

Everything is drawn from the `numpy.random.Generator` that is passed in: same seed, same bytes.
Right hands only; the features mirror left ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gesturectl import features
from gesturectl import kinematics as figures
from gesturectl.catalog import catalog
from gesturectl.kinematics import (
    FACINGS,
    FOREARM_M,
    HAND_SHAPES,
    PALM_OUT,
    SHOULDER_HALF_M,
    UPPER_ARM_M,
    Array,
    hand_facing,
    hand_points,
    hand_shape,
    minimum_jerk,
    turn,
)
from gesturectl.types import Float32, Int64

RATE_HZ = 120  # of the simulation; cameras sample it
NULL, IGNORE = 0, -1

POSES = [g.name for g in catalog().values() if g.kind == "pose" and "hand" in g.seen_by]
MOTIONS = [g.name for g in catalog().values() if g.kind == "motion"]
BODY_POSES = [g.name for g in catalog().values() if g.seen_by == ("body",)]

# Where a stroke goes, in the unmirrored image: x grows toward the user's left, y downward.
STROKES = {"swipe_left": (1, 0), "swipe_right": (-1, 0), "swipe_up": (0, -1), "swipe_down": (0, 1)}


# --- rotations ----------------------------------------------------------------------------------

X, Y, Z = np.eye(3)  # of the camera; see `kinematics`


def random_rotation(rng: Generator, n: int, degrees: float | Array) -> Array:
    """Return (n, 3, 3) rotations about random axes by normally distributed angles."""
    return turn(rng.normal(size=(n, 3)), np.deg2rad(rng.normal(size=n) * degrees))


def frames_of(fingers: Array, palm: Array) -> Array:
    """Return hand rotations (n, 3, 3) from the directions of fingers and palm (n, 3)."""
    y = fingers / np.linalg.norm(fingers, axis=1, keepdims=True)
    z = palm - (palm * y).sum(1, keepdims=True) * y
    z /= np.linalg.norm(z, axis=1, keepdims=True) + 1e-9
    return np.stack([np.cross(y, z), y, z], axis=2)


# --- single hands, for poses --------------------------------------------------------------------


def _project(points: Array, rng: Generator) -> Array:
    """See hands (n, 21, 3) in metres from 0.3 to 2 m; return image points, wrist at z = 0."""
    n = len(points)
    distance = np.exp(rng.uniform(np.log(0.3), np.log(2.0), n))[:, None]
    place = rng.uniform(-0.35, 0.35, (n, 1, 2)) * distance[:, None]
    depth = distance + points[..., 2]
    xy = (points[..., :2] + place) / depth[..., None]
    z = (points[..., 2] - points[:, :1, 2]) / distance
    return np.concatenate([xy, z[..., None]], axis=2)


def disturb(points: Array, rng: Generator, amount: float = 1.0) -> Array:
    """Disturb image points (n, 21, 3) as an estimator does: joints, and the scale of z."""
    n = len(points)
    size = np.linalg.norm(points[:, 9] - points[:, 0], axis=1)[:, None, None]
    sigma = rng.uniform(0.005, 0.03, (n, 1, 1)) * amount
    noise = rng.normal(size=points.shape) * size * sigma * np.array([1, 1, 2.0])
    out: Array = points + noise
    out[..., 2] *= np.exp(rng.normal(0, 0.25 * amount, (n, 1)))
    return out


def hand_proportions(points: Array, rng: Generator) -> Array:
    """Give hands (n, 21, 3) their own bone lengths: each bone ±6 %, each finger ±5 %."""
    n = len(points)
    factor = np.exp(rng.normal(0, 0.06, (n, 21)))
    factor[:, 1:] *= np.repeat(np.exp(rng.normal(0, 0.05, (n, 5))), 4, axis=1)
    out = points.copy()
    for joint in range(1, 21):
        before = 0 if joint % 4 == 1 else joint - 1  # each finger begins at the wrist
        bone = points[:, joint] - points[:, before]
        out[:, joint] = out[:, before] + bone * factor[:, joint, None]
    return out


THUMB_BESIDE = np.array([10.0, 35.0, 10.0, 12.0, 8.0])  # straight along the side of a fist
TILT_DEG = {"fist": 45.0, "ok": 25.0, "pinch": 30.0, "thumb_up": 24.0, "thumb_down": 24.0}


def turned_about(rng: Generator, name: str, n: int) -> Array:
    """Return facings (n, 3, 3) of a pose, with the freedom that its meaning leaves.

    A thumb up is a thumb up from the palm's side, the back's and the front; a fist is one from
    anywhere. The other poses show their palm.
    """
    base = np.broadcast_to(hand_facing(name), (n, 3, 3))
    if name in ("thumb_up", "thumb_down"):
        return turn(Y, rng.uniform(-np.pi, np.pi, n)) @ base
    if name == "fist":
        free = turn(Y, rng.uniform(-np.pi, np.pi, n)) @ turn(Z, np.deg2rad(rng.normal(0, 60, n)))
        return np.where(rng.random((n, 1, 1)) < 0.6, free @ base, base)
    return base


def pose_samples(rng: Generator, name: str, n: int) -> Array:
    """Return (n, 21, 3) image points of right hands that show a pose of the catalog."""
    variants = [key for key in HAND_SHAPES if key.split("/")[0] == name] or [name]
    angles = np.stack([hand_shape(variants[i]) for i in rng.integers(len(variants), size=n)])
    angles = angles + rng.normal(0, 7, angles.shape)
    if name in ("fist", "thumb_up", "thumb_down", "call_me"):  # loosely closed is closed
        bent = angles[:, 5:] > 40
        angles[:, 5:] -= np.where(bent, rng.uniform(0, 25, (n, 1)), 0)
    if name == "fist":  # its thumb lies across the fingers or beside them
        beside = rng.uniform(0, 1, (n, 1)) * (rng.random((n, 1)) < 0.6)
        angles[:, :5] += beside * (THUMB_BESIDE - angles[:, :5])
    if name == "pinch":  # the fingers that do not pinch may do as they like, short of straight
        angles[:, 9:] += rng.uniform(-15, 30, (n, 1)) * (angles[:, 9:] > 20)
    rotation = random_rotation(rng, n, TILT_DEG.get(name, 17.0)) @ turned_about(rng, name, n)
    return _photographed(angles, rotation, rng)


def _photographed(angles: Array, rotation: Array, rng: Generator) -> Array:
    """See hands of these angles (n, 21), each with its own proportions: (n, 21, 3)."""
    points = hand_proportions(hand_points(angles), rng)
    return disturb(_project(points @ rotation.transpose(0, 2, 1), rng), rng)


_OPEN, _SHUT = np.array([4.0, 6, 4]), np.array([80.0, 95, 50])
_FINGERS = {  # index, middle, ring, little: straight fingers of every pose of the catalog
    (0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 1, 1), (1, 0, 0, 1), (0, 0, 0, 1)
}  # fmt: skip


def no_pose_samples(rng: Generator, n: int) -> Array:
    """Return (n, 21, 3) image points of right hands that show nothing of the catalog.

    A third are finger combinations outside it, a third are half-way shapes and relaxed hands,
    and a third are poses turned so far that they mean something else.
    """
    third = n // 3
    parts = (_other_fingers(rng, third), _halfway(rng, third), _turned_away(rng, n - 2 * third))
    angles, rotation = (np.concatenate(some) for some in zip(*parts, strict=True))
    return _photographed(angles + rng.normal(0, 6, angles.shape), rotation, rng)


def _other_fingers(rng: Generator, n: int) -> tuple[Array, Array]:
    """Return angles (n, 21) and rotations of hands with other fingers straight than in any pose."""
    combos = [c for c in np.ndindex(2, 2, 2, 2) if c not in _FINGERS]
    straight = np.array([combos[i] for i in rng.integers(len(combos), size=n)])
    angles = np.tile(HAND_SHAPES["fist"], (n, 1))
    angles[:, :5] = np.where(
        rng.random((n, 1)) < 0.5, HAND_SHAPES["fist"][:5], HAND_SHAPES["open_palm"][:5]
    )
    for finger in range(4):
        bends = np.where(straight[:, finger, None] == 1, _OPEN, _SHUT)
        angles[:, 6 + 4 * finger : 9 + 4 * finger] = bends
    return angles, random_rotation(rng, n, 20) @ PALM_OUT


def _halfway(rng: Generator, n: int) -> tuple[Array, Array]:
    """Return angles (n, 21) and rotations of hands at rest, and half-way between two poses."""
    # Between a fist and a thumb there is no line to draw: leave that to the photographs.
    shapes = [hand_shape(name) for name in POSES if name not in ("thumb_up", "thumb_down")]
    table = np.stack([*shapes, *[HAND_SHAPES["rest"]] * 8])
    a, b = (table[rng.integers(len(table), size=n)] for _ in range(2))
    half = a + rng.uniform(0.4, 0.6, (n, 1)) * (b - a)
    relaxed = HAND_SHAPES["rest"] + rng.normal(0, 9, (n, 21))
    rest = rng.random(n) < 0.6
    facings = np.stack(list(FACINGS.values()))[rng.integers(len(FACINGS), size=n)]
    alike = np.abs(a - b).mean(1) <= 14
    angles = np.where((rest | alike)[:, None], relaxed, half)
    return angles, random_rotation(rng, n, 35) @ facings


def _turned_away(rng: Generator, n: int) -> tuple[Array, Array]:
    """Return angles (n, 21) and rotations of hands in a pose, too far turned to show it."""
    names = np.array([p for p in POSES if p != "fist"])[rng.integers(len(POSES) - 1, size=n)]
    angles = np.stack([hand_shape(name) for name in names])
    base = np.stack([hand_facing(name) for name in names])
    axis = np.where(rng.random((n, 1)) < 0.25, Y, Z)
    sign = np.where(rng.random(n) < 0.5, -1, 1)
    away = turn(axis, sign * np.deg2rad(rng.uniform(75, 150, n)))
    # A thumb turned upside down is the other thumb gesture: keep those sideways.
    thumbs = np.isin(names, ["thumb_up", "thumb_down"])
    away[thumbs] = turn(Z, sign * np.deg2rad(rng.uniform(65, 115, n)))[thumbs]
    return angles, random_rotation(rng, n, 10) @ away @ base


# --- takes: a hand over time --------------------------------------------------------------------


class Hand3d(NamedTuple):
    """A hand, or many: wrist (..., 3) in metres, directions (..., 3), angles (..., 21)."""

    wrist: Array
    fingers: Array
    palm: Array
    angles: Array

    def at(self, i: int | Int64) -> Hand3d:
        """Return some of many."""
        return Hand3d(*(part[i] for part in self))


@dataclass(slots=True)
class Take:
    """A growing recording at `RATE_HZ`: one hand and one label a sample.

    `calm_m_s` bounds the mean speed of every move that is not a stroke, along the way it takes: a
    fast move of the hand is a stroke to whoever watches, whatever its owner meant. With `hasty`
    people it bounds that of the straight way alone: where they go out and back in one bow, they do
    what a stroke does, and mean nothing.
    """

    rng: Generator
    now: Hand3d
    calm_m_s: float
    hasty: bool = False
    moves: list[Hand3d] = field(default_factory=list)
    label: list[Int64] = field(default_factory=list)

    @property
    def samples(self) -> int:
        """How many there are."""
        return sum(map(len, self.label))

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / RATE_HZ

    @property
    def whole(self) -> Hand3d:
        """All moves as one."""
        return Hand3d(*(np.concatenate(parts) for parts in zip(*self.moves, strict=True)))

    def add(self, move: Hand3d, label: Int64 | int = NULL) -> None:
        """Append n samples and make their last the current state."""
        self.moves.append(move)
        self.label.append(np.broadcast_to(np.asarray(label, np.int64), (len(move.wrist),)))
        self.now = move.at(-1)

    def go(
        self,
        seconds: float,
        wrist: Array | None = None,
        facing: Array | None = None,
        angles: Array | None = None,
        *,
        bow: float = 0.0,
        label: Int64 | None = None,
        calm: bool = True,
    ) -> None:
        """Reach for a new state by minimum jerk, bowed sideways by a part of the way.

        With a `label` (n,) it is a stroke and takes just as long; without one it is calm, unless
        said otherwise.
        """
        old = self.now
        target = old.wrist if wrist is None else wrist
        way = target - old.wrist
        if label is None and calm:
            longer = 1.0 if self.hasty else bowed_length(bow)
            seconds = max(seconds, longer * float(np.linalg.norm(way[:2])) / self.calm_m_s)
        n = max(2, round(seconds * RATE_HZ)) if label is None else len(label)
        s = minimum_jerk(_times(n))[:, None]
        side = np.cross(way, Z) * bow
        y, z = (old.fingers, old.palm) if facing is None else (facing[:, 1], facing[:, 2])
        goal = old.angles if angles is None else angles
        move = Hand3d(
            old.wrist + s * way + 4 * s * (1 - s) * side,
            old.fingers + s * (y - old.fingers) + 1e-6,
            old.palm + s * (z - old.palm),
            old.angles + s * (goal - old.angles),
        )
        self.add(move, NULL if label is None else label)

    def carry(self, path: Array, label: Int64 | int = NULL) -> None:
        """Follow a path (n, 3) with the hand as it is."""
        still = (np.tile(part, (len(path), 1)) for part in self.now[1:])
        self.add(Hand3d(path, *still), label)

    def hold(self, seconds: float, label: int = NULL) -> None:
        """Stay, as still as people do."""
        marks = np.full(max(2, round(seconds * RATE_HZ)), label)
        self.go(seconds, self.now.wrist + self.rng.normal(0, 0.006, 3), label=marks)


def _times(n: int) -> Array:
    """Return n moments (n,) of a move that lasts from 0 to 1: without its start, with its end."""
    return np.linspace(0, 1, n + 1)[1:]


def bowed_length(bow: float) -> float:
    """Return how long a way is that is bowed sideways by this part of it, of a straight one's 1."""
    slope = 4 * abs(bow)  # at both ends of the parabola
    return (math.hypot(1, slope) + (math.asinh(slope) / slope if slope else 1.0)) / 2


def _log_uniform(rng: Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _facing(rng: Generator, base: Array, degrees: float) -> Array:
    facing: Array = random_rotation(rng, 1, degrees)[0] @ base
    return facing


# Shapes of a hand as it is carried about, and as it makes strokes; more often, more often named.
_CARRIED = ("open_palm", "rest", "rest", "point_up", "four", "three", "victory", "fist")
_STROKING = ("open_palm", "open_palm", "open_palm", "rest", "point_up", "four")


def _loose_shape(rng: Generator, names: Sequence[str] = _CARRIED) -> Array:
    """Return the angles (21,) of one of these shapes, loosely held."""
    return HAND_SHAPES[names[int(rng.integers(len(names)))]] + rng.normal(0, 8, 21)


def _open_hand(rng: Generator) -> Array:
    """Return the angles (21,) of an open hand, loosely held."""
    return HAND_SHAPES["open_palm"] + rng.normal(0, 8, 21)


def _told(seconds: float, which: int, told: float, hidden: float = 0.0) -> Int64:
    """Return labels of a move: nothing until `hidden` of it, not judged until `told`, then named.

    At its beginning nobody could tell a stroke.
    """
    label = np.full(max(2, round(seconds * RATE_HZ)), which)
    label[: round(told * len(label))] = IGNORE
    label[: round(hidden * len(label))] = NULL
    return label


def _told_by(done: Array, which: int, told: float, hidden: float) -> Int64:
    """Return labels (n,) as `_told` does, of what is `done` (n,) of a circle or a wave."""
    return np.where(done < hidden, NULL, np.where(done < told, IGNORE, which))


def _after(take: Take, which: int) -> None:
    """The moment after a stroke still counts as it; then the hand stays, returns or sinks."""
    rng = take.rng
    take.hold(0.20, which)
    take.hold(0.10, IGNORE)
    if rng.random() < 0.6:
        take.hold(rng.uniform(0.05, 0.6))


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
    below, facing = take.now.wrist + way, _facing(rng, FACINGS["hanging"], 20)
    take.go(rng.uniform(0.35, 1.2), below, facing, calm=False)
    take.hold(rng.uniform(0.2, 1.5))


def _way_of(which: int, rng: Generator, degrees: float) -> Array:
    """Return the direction (3,) of a straight stroke, as nearly as people keep to it."""
    return turn(Z, np.deg2rad(rng.normal(0, degrees))) @ [*STROKES[MOTIONS[which - 1]], 0.0]


def _swipe(take: Take, which: int) -> None:
    """Go where the stroke begins, pause, swipe; then perhaps back, or down and around."""
    rng = take.rng
    direction = _way_of(which, rng, 9)
    length = _log_uniform(rng, 0.13, 0.65)
    home = take.now.wrist
    facing = _facing(rng, PALM_OUT, 18)
    shape = _loose_shape(rng, _STROKING)
    start = home - direction * length * rng.uniform(0.2, 0.8)
    _approach(take, start, facing, shape)
    take.hold(rng.uniform(0.0, 0.4) + 0.02)
    seconds = length / max(_log_uniform(rng, 0.42, 2.2), length / 0.75)
    lean = turn(Z, np.deg2rad(rng.normal(8, 12)) * direction[0])
    take.go(
        seconds, start + direction * length, lean @ facing,
        bow=rng.normal(0, 0.10), label=_told(seconds, which, 0.45),
    )  # fmt: skip
    _after(take, which)
    slow = rng.uniform(0.5, 1.3)
    if rng.random() < 0.35:  # the same way back, slowly
        take.go(slow, start, facing)
    elif rng.random() < 0.5:  # down and around
        take.go(
            slow, home + np.array([0, rng.uniform(0.05, 0.25), 0]), facing, bow=rng.normal(0, 0.4)
        )


# Clockwise for the user is counter-clockwise in the unmirrored image.
_SENSE = {"circle_cw": -1.0, "circle_ccw": 1.0}


def _ring(which: int, phase: float, turned: Array, squash: float) -> Array:
    """Return the ring (n, 2) of radius 1 that is drawn from `phase` on, `turned` (n,) by then."""
    angle = phase + turned
    sense = _SENSE[MOTIONS[which - 1]]
    return np.stack([sense * np.sin(angle), -squash * np.cos(angle)], axis=1)


def _circle(take: Take, which: int) -> None:
    """Go where the circle begins, and draw it once or more often, with a finger or the hand."""
    rng = take.rng
    radius = rng.uniform(0.045, 0.18)
    squash = rng.uniform(0.6, 1.3)
    phase = rng.uniform(0, 2 * np.pi)
    rounds = rng.choice([1.0, 1.1, 1.5, 2.0], p=[0.5, 0.2, 0.15, 0.15])
    u = _times(round(rounds * rng.uniform(0.55, 1.6) * RATE_HZ))
    ease = rng.uniform(0, 1)
    turned = 2 * np.pi * rounds * (ease * minimum_jerk(u) + (1 - ease) * u)
    tilt = rng.normal(0, 0.3)
    ring = np.c_[_ring(which, phase, turned, squash), tilt * np.sin(turned)]
    begin = np.append(_ring(which, phase, np.zeros(1), squash), 0.0)
    centre = take.now.wrist + rng.normal(0, 0.04, 3)
    shape = HAND_SHAPES["point_up" if rng.random() < 0.5 else "open_palm"] + rng.normal(0, 8, 21)
    facing = _facing(rng, PALM_OUT, 20)
    _approach(take, centre + radius * begin, facing, shape)
    take.hold(rng.uniform(0, 0.3) + 0.02)
    label = _told_by(turned, which, 2 * np.pi * 0.8, 2 * np.pi * 0.35)
    take.carry(centre + radius * ring, label)
    _after(take, which)


def _wave(take: Take, which: int, *, amplitude: tuple[float, float] = (14, 40)) -> None:
    """Swing an open hand about the elbow; `which` may be NULL for what only looks like it."""
    rng = take.rng
    cycles = rng.uniform(2.0, 5.0)
    rate = rng.uniform(1.4, 3.4)
    u = _times(round(cycles / rate * RATE_HZ))
    swing = np.deg2rad(rng.uniform(*amplitude)) * np.minimum(1, 6 * u * (1 - u) + 0.3)
    swing = swing * np.sin(2 * np.pi * cycles * u) * minimum_jerk(u * 8)
    facing = _facing(rng, PALM_OUT, 15)
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
    take.add(move, NULL if which == NULL else _told_by(u * cycles, which, 1.6, 0.8))
    take.hold(0.2, IGNORE)


def _push(take: Take, which: int) -> None:
    """Push an open hand toward the camera, and take it back."""
    rng = take.rng
    _approach(take, take.now.wrist, _facing(rng, PALM_OUT, 12), _open_hand(rng))
    take.hold(rng.uniform(0.02, 0.5))
    home = take.now.wrist
    seconds = rng.uniform(0.22, 0.6)
    near = -home[2] * rng.uniform(0.2, 0.45)
    way = np.array([rng.normal(0, 0.05), rng.normal(0, 0.04), near])
    take.go(seconds, home + way, label=_told(seconds, which, 0.55))
    _after(take, which)
    take.go(rng.uniform(0.3, 0.9), home)


_GESTURES: Mapping[str, Callable[[Take, int], None]] = {
    **dict.fromkeys(STROKES, _swipe),
    **dict.fromkeys(_SENSE, _circle),
    "wave": _wave,
    "push": _push,
}


# --- ordinary behaviour -------------------------------------------------------------------------


def _box(rng: Generator, near: Array, size: float) -> Array:
    place: Array = near + rng.uniform(-1, 1, 3) * np.array([size, size, size * 0.4])
    return place


def _reach(take: Take, home: Array) -> None:
    """Reach somewhere, unhurried or curved; a fast straight reach is a swipe to anyone."""
    rng = take.rng
    target = _box(rng, home, 0.25)
    length = float(np.linalg.norm(target - take.now.wrist))
    seconds = length / rng.uniform(0.12, 0.50) + 0.15
    facings = list(FACINGS.values())
    facing = _facing(rng, facings[rng.integers(len(facings))], 25)
    take.go(seconds, target, facing, _loose_shape(rng), bow=rng.normal(0, 0.25))
    take.hold(rng.uniform(0.05, 0.8))


def _talk(take: Take, home: Array) -> None:
    """Talk with the hands: many small curved moves, some quick, never far."""
    rng = take.rng
    for _ in range(rng.integers(3, 10)):
        target = _box(rng, home, 0.09)
        facing = _facing(rng, PALM_OUT if rng.random() < 0.3 else FACINGS["thumb_up"], 40)
        seconds = rng.uniform(0.14, 0.6)
        take.go(seconds, target, facing, _loose_shape(rng), bow=rng.normal(0, 0.5))


def _scratch(take: Take, home: Array) -> None:
    """Go to the face, rub a few times, come back."""
    rng = take.rng
    face = home + np.array([rng.normal(0.1, 0.1), -rng.uniform(0.05, 0.25), 0.05])
    take.go(rng.uniform(0.35, 0.9), face, _facing(rng, -PALM_OUT @ np.diag([1, -1, 1]), 40),
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
    take.go(rng.uniform(0.5, 1.0), low, _facing(rng, FACINGS["thumb_up"], 15), grip)
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
    take.go(rng.uniform(0.25, 0.7), _box(rng, home, 0.08), _facing(rng, hand_facing(name), 12),
            hand_shape(name) + rng.normal(0, 6, 21), bow=rng.normal(0, 0.2))  # fmt: skip
    take.hold(rng.uniform(0.4, 2.0))


def _slow_line(take: Take, home: Array) -> None:
    """Point along something or follow it with the hand: straight, but slow."""
    rng = take.rng
    a, b = _box(rng, home, 0.2), _box(rng, home, 0.2)
    take.go(rng.uniform(0.5, 1.0), a, _facing(rng, PALM_OUT, 20), _loose_shape(rng))
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
    raised = _box(rng, home, 0.05)
    facing = _facing(rng, PALM_OUT, 25)
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
    distance = _log_uniform(rng, 0.35, 1.8)
    home = np.array([rng.normal(0, 0.15), rng.normal(0, 0.1), 1.0]) * distance
    facing = _facing(rng, PALM_OUT, 25)
    start = Hand3d(home, facing[:, 1], facing[:, 2], HAND_SHAPES["rest"])
    take = Take(rng, start, 0.33, hasty)
    _sink_and_rise(take, home)
    while take.seconds < seconds:
        if rng.random() < gestures:
            which = 1 + int(rng.integers(len(MOTIONS)))
            _GESTURES[MOTIONS[which - 1]](take, which)
            if rng.random() < 0.5:
                take.go(rng.uniform(0.4, 1.2), _box(rng, home, 0.08))
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


# --- arms ---------------------------------------------------------------------------------------

SHOULDER_WIDTH_M = 2 * SHOULDER_HALF_M
_SHOULDER = np.array([-SHOULDER_HALF_M, 0.0, 0.0])  # the right one, from the middle of both


def elbows(wrist: Array, pole: Array) -> tuple[Array, Array]:
    """Return elbows and reachable wrists (n, 3) of right arms that reach for `wrist` (n, 3)."""
    toward = wrist - _SHOULDER
    distance = np.linalg.norm(toward, axis=1, keepdims=True)
    direction = toward / np.maximum(distance, 1e-6)
    reach = np.clip(distance, abs(UPPER_ARM_M - FOREARM_M) + 0.03, UPPER_ARM_M + FOREARM_M - 0.002)
    along = (UPPER_ARM_M**2 - FOREARM_M**2 + reach**2) / (2 * reach)
    height = np.sqrt(np.maximum(UPPER_ARM_M**2 - along**2, 0))
    side = pole - (pole * direction).sum(1, keepdims=True) * direction
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-6
    return _SHOULDER + along * direction + height * side, _SHOULDER + reach * direction


def _ready(rng: Generator) -> Array:
    """Return where a raised hand waits: beside the head or before the body, elbow bent."""
    if rng.random() < 0.5:
        return np.array([rng.uniform(-0.6, -0.35), rng.uniform(-0.3, 0.3), rng.uniform(-0.35, 0)])
    return np.array([rng.uniform(-0.35, 0.1), rng.uniform(-0.05, 0.35), rng.uniform(-0.45, -0.2)])


_HANG = np.array([-0.235, 0.52, -0.05])


def _lowered(rng: Generator) -> Array:
    """Return where the hand (3,) of an arm that hangs is."""
    return _HANG + rng.normal(0, 0.03, 3)


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
        if name in _SENSE:
            _arm_circle(take, which)
        else:
            _arm_wave(take, which)
        _after(take, which)
    if rng.random() < 0.7:
        take.go(rng.uniform(0.45, 1.2), _lowered(rng), bow=rng.normal(0, 0.2))


def _arm_swipe(take: Take, which: int) -> None:
    """Carry the raised hand across, from the side or to it."""
    rng = take.rng
    direction = _way_of(which, rng, 13)
    length = rng.uniform(0.25, 0.9)
    middle = np.array([-0.25, rng.uniform(-0.2, 0.35), rng.uniform(-0.45, -0.2)])
    middle += rng.normal(0, 0.05, 3)
    start, quick = middle - direction * length / 2, rng.random() < 0.5
    take.go(rng.uniform(0.3, 0.9), start, bow=rng.normal(0, 0.2), calm=not quick)
    if rng.random() < 0.7:  # else in one go
        take.hold(rng.uniform(0.02, 0.5))
    target = middle + direction * length / 2
    seconds = float(np.linalg.norm(target - take.now.wrist)) / _log_uniform(rng, 0.8, 2.8)
    take.go(seconds, target, bow=rng.normal(0, 0.2), label=_told(seconds, which, 0.85))
    if rng.random() < 0.4:  # drop the arm at once
        fall_s = rng.uniform(0.35, 0.9)
        label = _told(fall_s, which, 0.0)
        label[round(0.2 * RATE_HZ) :] = IGNORE
        label[round(0.3 * RATE_HZ) :] = NULL
        take.go(0, _lowered(rng), bow=rng.normal(0, 0.2), label=label)
    else:
        _after(take, which)


def _arm_lift(take: Take, which: int, *, down: bool) -> None:
    """Lift the hanging arm and let it go: which of both is the stroke, the quicker one tells.

        up        down       raising a hand: nothing
          /\\         /|           ____
         /  \\      /  |         /    \\
        /    \\   /    |        /      \\
    """
    rng = take.rng
    low = _HANG + rng.normal(0, 0.04, 3)
    if rng.random() < 0.3:  # from the waist, the elbow bent
        low = np.array([rng.uniform(-0.32, -0.1), rng.uniform(0.2, 0.5), rng.uniform(-0.4, 0)])
    top = np.array([rng.normal(-0.22, 0.08), rng.uniform(-0.5, -0.02), rng.uniform(-0.4, -0.05)])
    way_m = float(np.linalg.norm(top - low))
    quick_s = way_m / _log_uniform(rng, 1.2, 2.8)
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
        take.go(0, low, bow=rng.normal(0, 0.12), label=_told(quick_s, which, 0.6))
        take.hold(0.15, which)
        take.hold(0.10, IGNORE)
    else:
        take.go(0, top, bow=bow, label=_told(quick_s, IGNORE, 0.8, hidden=0.8))
        if rng.random() < 0.7:
            take.hold(rng.uniform(0.02, 0.3), IGNORE)
        back_s = quick_s * rng.uniform(0.85, 1.7)
        label = _told(back_s, which, 0.04 / back_s, hidden=0.04 / back_s)
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
    ring = np.c_[_ring(which, phase, turned, squash), 0 * turned]
    ring = ring @ turn(Z, rng.normal(0, 0.35)).T
    ring[:, 1] = np.clip(ring[:, 1], -2.0, 2.0) + rng.normal(0, 0.2) * turned / (2 * np.pi)
    centre = np.array([rng.uniform(-0.4, -0.05), rng.uniform(-0.2, 0.25), rng.uniform(-0.45, -0.2)])
    start = centre + radius * ring[0]
    if hangs:  # drawn from the hanging arm, or from beside the hip, and back
        out = np.array([-rng.uniform(0, 0.2), -rng.uniform(0, 0.25), 0.0])
        start = _HANG + rng.normal(0, 0.04, 3) + out * (rng.random() < 0.6)
    take.go(rng.uniform(0.25, 0.8), start, bow=rng.normal(0, 0.15), calm=rng.random() < 0.5)
    label = _told_by(turned, which, 2 * np.pi * 0.9, 2 * np.pi * 0.6)
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
    u = _times(round(cycles / rate * RATE_HZ))
    width = rng.uniform(0.06, 0.25)
    place = np.array([rng.uniform(-0.5, -0.1), rng.uniform(-0.5, 0.15), rng.uniform(-0.3, -0.05)])
    take.go(rng.uniform(0.3, 0.8), place)
    sway = width * np.sin(2 * np.pi * cycles * u) * minimum_jerk(u * 8)
    path = place + np.stack([sway, -0.2 * np.abs(sway), 0 * u], axis=1)
    take.carry(path, _told_by(u * cycles, which, 1.6, 0.8))


def _walk(take: Take) -> None:
    """Walk through the picture: the arms hang and swing, seen from any side."""
    rng = take.rng
    n = round(rng.uniform(1.5, 5.0) * RATE_HZ)
    swing = rng.uniform(0.05, 0.22) * np.sin(
        2 * np.pi * rng.uniform(0.7, 1.2) * np.arange(n) / RATE_HZ + rng.uniform(0, 6)
    )
    toward = rng.uniform(-np.pi, np.pi)
    way = np.array([np.cos(toward), 0.0, np.sin(toward)])
    path = _HANG + swing[:, None] * way - np.array([0.0, 0.3, 0.0]) * (swing**2)[:, None]
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
    quick = take.hasty or float(np.linalg.norm(take.now.wrist - _HANG)) < 0.2
    take.go(rng.uniform(0.4, 1.0), place, bow=rng.normal(0, 0.15), calm=not quick)
    take.hold(rng.uniform(0.2, 2.0))
    take.go(rng.uniform(0.35, 1.0), _lowered(rng), bow=rng.normal(0, 0.15))


def _arm_reach(take: Take) -> None:
    """Reach somewhere before the body, slowly."""
    rng = take.rng
    take.go(rng.uniform(0.9, 1.8), _box(rng, np.array([-0.25, 0.1, -0.3]), 0.35))
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
    start = Hand3d(_HANG.copy(), np.array([0.0, 1.0, 0.0]), np.ones(3), np.zeros(21))
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


def signal_stream(
    rng: Generator, seconds: float, gestures: float, *, arm: bool, hasty: bool = False
) -> tuple[Int64, Float32, Int64]:
    """Return the stamps (T,), signals (T, S) and labels (T,) of one person's arm, or hand."""
    if arm:
        arms = arm_stream(rng, seconds, gestures, hasty=hasty)
        return arms.t_us, arms.signals, arms.label
    hand = hand_stream(rng, seconds, gestures, hasty=hasty)
    return hand.t_us, features.hand_signals(hand.points), hand.label


# --- whole bodies, for poses --------------------------------------------------------------------


def body_samples(rng: Generator, name: str | None, n: int) -> Float32:
    """Return (n, 33, 4) image points of bodies that show a pose, or None of them."""
    return np.stack([_body(rng, name) for _ in range(n)]).astype(np.float32)


def _body(rng: Generator, name: str | None) -> Array:
    shown = name
    if name is None and rng.random() < 0.3:  # one arm of a pose is no pose
        shown = "arms_up" if rng.random() < 0.5 else "t_pose"
    single = rng.integers(2)
    # Both arms half out, below or above the horizontal: on the way to a pose, and none.
    slope = np.deg2rad(rng.uniform(25, 65)) * rng.choice([-1, 1]) if rng.random() < 0.2 else None
    arms = []
    for side in range(2):
        raised = shown in ("arms_up", "t_pose") and (name is not None or side == single)
        straight = figures.BODY_POSES[shown][0] if shown and raised else None
        wrist = _body_wrist(rng, name, straight, slope)
        pole = figures.HANGING.pole + rng.normal(0, 0.2, 3)
        if straight is not None:
            pole = straight.pole + rng.normal(0, 0.2, 3)
        arms.append(figures.Arm(wrist, pole, PALM_OUT, HAND_SHAPES["rest"]))
    drop = rng.uniform(0.30, 0.50) if name == "squat" else rng.choice([0, rng.uniform(0, 0.12)])
    lean = rng.uniform(0.2, 0.8) if name == "squat" else rng.normal(0, 0.08)
    stance = figures.Stance(np.zeros(2), arms[0], arms[1], drop, lean)
    return _film_body(figures.figure(stance).body, rng, whole=name == "squat")


def _body_wrist(
    rng: Generator, name: str | None, straight: figures.Arm | None, slope: float | None
) -> Array:
    """Return where a wrist is (3,): of a `straight` arm, on the way there, or elsewhere."""
    if straight is not None:
        reach = straight.wrist + rng.normal(0, 0.07, 3) - _SHOULDER
        wrist: Array = _SHOULDER + reach * rng.uniform(0.82, 1.05)
    elif name is None and slope is not None:
        reach = np.array([-np.cos(slope), np.sin(slope), rng.uniform(-0.3, 0)])
        wrist = _SHOULDER + reach * rng.uniform(0.42, 0.55)
    elif name == "squat" or rng.random() < 0.5:
        wrist = (_HANG, figures.STRAIGHT_AHEAD.wrist)[rng.integers(2)] + rng.normal(0, 0.08, 3)
    else:  # anywhere but up or out
        wrist = np.array([rng.uniform(-0.45, 0.2), rng.uniform(-0.2, 0.55), rng.uniform(-0.4, 0)])
    return wrist


def _film_body(points: Array, rng: Generator, *, whole: bool) -> Array:
    """See a body (33, 3) in metres as a camera and an estimator do: (33, 4).

    Unless it is to be seen as a `whole`, the picture often ends at the waist or the thighs.
    """
    points = points @ random_rotation(rng, 1, 9)[0].T
    points = points @ turn(Y, np.deg2rad(rng.normal(0, 18))).T
    depth = rng.uniform(1.5, 4.0)
    flat = points[:, :2] / (1 + points[:, 2:] / depth) / depth
    size = np.linalg.norm(flat[11] - flat[12])
    flat = flat + rng.normal(0, rng.uniform(0.01, 0.05), flat.shape) * size
    visible = np.clip(rng.normal(0.95, 0.06, 33), 0, 1)
    if not whole and rng.random() < 0.55:
        edge = flat[[23, 25][rng.integers(2)], 1] + rng.normal(0, 0.02)
        hidden = flat[:, 1] > edge
        visible[hidden] *= rng.uniform(0, 0.4)
        flat[hidden] += rng.normal(0, 0.5, (int(hidden.sum()), 2)) * size
    return np.concatenate([flat, points[:, 2:] / depth, visible[:, None]], axis=1)
