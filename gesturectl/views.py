"""What hands and arms do at one moment, as numbers that may be averaged over any stretch of time.

In: Observations. Out: vectors of random Fourier features (Rahimi & Recht 2007), one a grid step,
for the right hand, the left hand and the body. The inner product of two sums of such vectors
compares all steps of one stretch of time with all steps of the other, whenever they came.

The one idea: each step is described by several *views* (the hand's shape, where it is, where it
goes, what the arms do). Most views do not ask which hand it was: a left hand is mirrored and falls
into the same place. What the parts of a step add up to is an *embedding*:

    right hand   shared ------------ | side ------                shared  2400 numbers
    left hand    shared ------------ |            side ------     side     400 each
    body                                                     arms    1600
    embedding    shared | side right | side left | arms

Nothing here looks ahead. A step counts from the frame on that completes it: where a subject was
lost for a moment its steps are bridged, and come late. `Watcher` tells the parts of a stream frame
by frame, `beats` those of a whole recording; a test holds them equal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from math import prod
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gesturectl import features
from gesturectl.types import BODY_POINTS, HAND_POINTS, Float32, Hand, Observation, Side

Steps = NDArray[np.int64]

VIEWS_VERSION = 1  # of what is computed here; files of another version cannot be used

SIDES: tuple[Side, ...] = ("right", "left")
RIGHT, LEFT, BODY = range(3)  # parts of a step
BEAT_STEPS = 3  # streams are summed up by beats of 100 ms
BEAT_US = BEAT_STEPS * features.STEP_US

_MOVE_STEPS = (3, 8)  # 100 and 267 ms
_PALM = [0, 5, 9, 13, 17]
_TIPS = [4, 8, 12, 16, 20]
_PLACES = [0, 9, 8, 4]  # wrist, middle knuckle, tips of index finger and thumb
_NOSE, _SHOULDERS, _HIPS = 0, [11, 12], [23, 24]
_ARM_SIGNALS = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]
_WHOLE_MOVE = 2.0  # palm sizes in 267 ms, from which on a movement counts wholly
_WHOLE_STIR = 1.0  # the same for the fingertips, all together, as seen from the wrist
PALMS_PER_SHOULDERS = 4.0
_FAR = 4.0  # shoulder widths; what is farther is an error of tracking
_TINY = 1e-9
_GAP_STEPS = features.MAX_GAP_US // features.STEP_US

_PLACED_SIZE = features.HAND_SHAPE_SIZE + 2 * len(_PLACES)


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a step of a hand or an arm.

    `size` numbers describe it, `width` is the distance at which two steps begin to differ, and
    `weight` is its share of the inner product.
    """

    size: int
    width: float
    weight: float


# Widths and weights were chosen on every second user of the measure `custom`. None of them is
# critical: halving or doubling one moves accuracy by 0.4 points or less.
HAND_VIEWS: Mapping[str, View] = MappingProxyType(
    {
        "shape": View(features.HAND_SHAPE_SIZE, 1.5, 1.0),
        "points": View(3 * (HAND_POINTS - 1), 2.0, 1.0),
        "placed": View(_PLACED_SIZE, 1.0, 1.0),
        "place": View(2 * len(_PLACES), 0.35, 0.5),
        "move": View(2 * len(_MOVE_STEPS), 0.5, 2.0),
        "stir": View(2 * len(_TIPS) * len(_MOVE_STEPS), 0.5, 1.0),
        "side": View(_PLACED_SIZE, 1.0, 0.3),  # the last: it alone keeps left and right apart
    }
)
BODY_VIEWS: Mapping[str, View] = MappingProxyType(
    {
        "arm": View(len(_ARM_SIGNALS), 0.35, 0.3),
        "arm move": View(2 * len(_MOVE_STEPS), 0.5, 0.3),
        "arm side": View(len(_ARM_SIGNALS), 0.35, 0.2),  # the last, as above
    }
)
_SHAPE_WIDTH = 2.5  # of a shape, where it stands beside places in shoulder widths
WAVES = 400  # random features of a view

HAND_SIZE = WAVES * len(HAND_VIEWS)
SHARED_SIZE = HAND_SIZE - WAVES
BODY_SIZE = WAVES * (len(BODY_VIEWS) + 1)
EMBEDDING_SIZE = HAND_SIZE + WAVES + BODY_SIZE
ARMS_AT = EMBEDDING_SIZE - BODY_SIZE
_MOVE, _STIR = (list(HAND_VIEWS).index(name) for name in ("move", "stir"))  # side by side
STIRRING = slice(WAVES * _MOVE, WAVES * (_STIR + 1))
"""Of a hand, and of embeddings, what its movement adds, and that of its fingers."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What the parts of some steps add up to; leading axes (...) as one likes.

    `hands` is float32 (2, ..., HAND_SIZE), right and left, `body` (..., BODY_SIZE), and `seen`
    (3, ...) counts the steps that showed the right hand, the left hand and the body.
    """

    hands: Float32
    body: Float32
    seen: NDArray[np.int64]

    def embedded(self, hands: Sequence[int] = (RIGHT, LEFT)) -> Float32:
        """Return embeddings (..., EMBEDDING_SIZE) of length 1, of these hands and the body.

        They are 0 where nothing was seen.
        """
        whole = np.zeros((*self.body.shape[:-1], EMBEDDING_SIZE), np.float32)
        for i in hands:
            whole[..., :SHARED_SIZE] += self.hands[i, ..., :SHARED_SIZE]
            at = SHARED_SIZE + i * WAVES
            whole[..., at : at + WAVES] = self.hands[i, ..., SHARED_SIZE:]
        whole[..., ARMS_AT:] = self.body
        return normalised(whole)


def normalised(whole: Float32) -> Float32:
    """Return vectors (..., N) scaled to length 1; 0 stays 0."""
    length = np.sqrt(np.einsum("...i,...i->...", whole, whole))[..., None]
    scaled: Float32 = (whole / np.maximum(length, _TINY)).astype(np.float32)
    return scaled


# --- a step ---------------------------------------------------------------------------------------


@cache
def _waves(name: str) -> tuple[Float32, Float32, np.float32]:
    """Return frequencies (size, WAVES), phases (WAVES,) and amplitude, alike on every machine."""
    rng = np.random.default_rng([ord(letter) for letter in name])
    view = HAND_VIEWS.get(name) or BODY_VIEWS[name]
    waves = rng.normal(size=(view.size, WAVES)) / view.width
    phase = rng.uniform(0, 2 * np.pi, WAVES)
    return waves.astype(np.float32), phase.astype(np.float32), np.float32(np.sqrt(view.weight))


def _waved(name: str, steps: Float32, out: Float32) -> None:
    """Put the random features of steps (n, size) into `out` (n, WAVES)."""
    waves, phase, amplitude = _waves(name)
    np.matmul(steps, waves, out=out)
    out += phase
    np.cos(out, out=out)
    out *= amplitude


def _hand_parts(points: Float32, past: Sequence[Float32], places: Float32) -> Float32:
    """Return (n, HAND_SIZE) of hands (n, 21, 3), where they were (n, 13) and are (n, 8)."""
    _, size = features.palm_frame(points)
    shapes = features.hand_shapes(points)
    placed = np.concatenate([shapes / np.float32(_SHAPE_WIDTH), places], axis=1)
    fingers = (points[:, 1:] - points[:, :1]) / size[:, None, None]
    at = _hand_at(points)
    moves, emphasis = _moves(at[:, :3], [then[:, :3] for then in past])
    stirs, stirred = _stirs(at[:, 3:], [then[:, 3:] for then in past])
    told = {
        "shape": shapes,
        "points": fingers.reshape(len(points), -1),
        "placed": placed,
        "place": places,
        "move": moves,
        "stir": stirs,
        "side": placed,
    }
    parts = np.empty((len(points), HAND_SIZE), np.float32)
    counts = {"move": emphasis, "stir": stirred}
    for i, name in enumerate(HAND_VIEWS):
        part = parts[:, i * WAVES : (i + 1) * WAVES]
        _waved(name, told[name], part)
        if name in counts:
            part *= counts[name][:, None]
    return parts


def _body_parts(arms: Float32, moves: Float32, emphasis: Float32) -> Float32:
    """Return (n, BODY_SIZE) of both arms (2, n, 10), their ways (2, n, 4) and emphasis (2, n)."""
    parts = np.zeros((arms.shape[1], BODY_SIZE), np.float32)
    part = np.empty((arms.shape[1], WAVES), np.float32)
    for i in range(2):
        _waved("arm", arms[i], part)
        parts[:, :WAVES] += part
        _waved("arm move", moves[i], part)
        part *= emphasis[i][:, None]
        parts[:, WAVES : 2 * WAVES] += part
        at = (2 + i) * WAVES
        _waved("arm side", arms[i], parts[:, at : at + WAVES])
    return parts


def _moves(at: Float32, past: Sequence[Float32]) -> tuple[Float32, Float32]:
    """Return where something goes (n, 4), and how much that counts (n,).

    In: places (n, 3), x, y and the logarithm of the unit of length, now and `_MOVE_STEPS` ago.
    The ways are shrunk into the unit circle: which way matters more than how far, as strokes
    differ in size. In rest they count nothing.
    """
    unit = np.exp((at[:, 2:] + past[0][:, 2:] + past[1][:, 2:]) / 3)
    ways = [(at[:, :2] - then[:, :2]) / unit for then in past]
    lengths = [np.sqrt((way * way).sum(1, keepdims=True)) for way in ways]
    shrunk = [way / (1 + length) for way, length in zip(ways, lengths, strict=True)]
    emphasis = np.minimum(lengths[-1][:, 0] / _WHOLE_MOVE, 1)
    return np.concatenate(shrunk, axis=1).astype(np.float32), emphasis.astype(np.float32)


def _stirs(tips: Float32, past: Sequence[Float32]) -> tuple[Float32, Float32]:
    """Return how fingertips (n, 10) move about the wrist (n, 20), and how much that counts (n,)."""
    ways = [tips - then for then in past]
    length = np.sqrt((ways[-1] * ways[-1]).sum(1, keepdims=True))
    shrunk = [way / (1 + length) for way in ways]
    emphasis = np.minimum(length[:, 0] / _WHOLE_STIR, 1)
    return np.concatenate(shrunk, axis=1).astype(np.float32), emphasis.astype(np.float32)


def _hand_at(points: Float32) -> Float32:
    """Return where hands (n, 21, 3) are: (n, 13), as `_moves` and `_stirs` take it."""
    _, size = features.palm_frame(points)
    centre = points[:, _PALM, :2].mean(1)
    tips = (points[:, _TIPS, :2] - points[:, :1, :2]) / size[:, None, None]
    parts = [centre, np.log(size)[:, None], tips.reshape(len(points), -1)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _arms(bodies: Float32) -> tuple[Float32, Float32]:
    """Return what both arms of bodies (n, 33, 4) do (2, n, 10), and where they are (2, n, 3)."""
    both = np.concatenate([bodies, features.mirror_body(bodies)])
    signals = features.arm_signals(both).reshape(2, len(bodies), -1)
    at = signals[..., :3] * np.array([PALMS_PER_SHOULDERS, PALMS_PER_SHOULDERS, 0], np.float32)
    return signals[..., _ARM_SIGNALS], at


def _frames_of(bodies: Float32) -> Float32:
    """Return (n, 3): where the nose is, and the shoulder width, of bodies (n, 33, 4)."""
    shoulders, hips = bodies[:, _SHOULDERS, :2], bodies[:, _HIPS, :2]
    width = np.linalg.norm(shoulders[:, 0] - shoulders[:, 1], axis=1)
    torso = np.linalg.norm(shoulders.mean(1) - hips.mean(1), axis=1)
    unit = np.maximum(width, 0.6 * torso) + _TINY
    return np.concatenate([bodies[:, _NOSE, :2], unit[:, None]], axis=1).astype(np.float32)


def _places(points: Float32, frames: Float32, known: NDArray[np.bool_]) -> Float32:
    """Return where hands (n, 21, 3) are, from the nose, in shoulder widths: (n, 8); 0 if unknown.

    `frames` (n, 3) are those of the bodies, mirrored as the hands are.
    """
    away = (points[:, _PLACES, :2] - frames[:, None, :2]) / frames[:, 2, None, None]
    places = np.clip(away, -_FAR, _FAR).reshape(len(points), -1)
    return np.where(known[:, None], places, 0).astype(np.float32)


_MIRROR = np.array([-1, 1, 1], np.float32)


# --- a recording ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """A recording summed up by beats: the first is number `first`, of `BEAT_US` each."""

    first: int
    sums: Sums

    def __len__(self) -> int:
        return len(self.sums.body)

    def window(self, start: int, stop: int) -> Sums:
        """Return the sums of some beats, counted from the first."""
        sums = self.sums
        return Sums(
            sums.hands[:, start:stop].sum(1),
            sums.body[start:stop].sum(0),
            sums.seen[:, start:stop].sum(1),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A subject on the grid: steps (G,), points (G, P, D), and when each was complete, in µs."""

    steps: Steps
    points: Float32
    done_us: Steps

    @classmethod
    def of(cls, t_us: NDArray[np.int64], points: Float32) -> Seen:
        """Resample frames that show the subject: stamps (T,), points (T, P, D).

        The points are those of `features.hand_points` or `features.body_points`.
        """
        shape = points.shape[1:]
        steps, points = features.resample(t_us, points.reshape(len(t_us), prod(shape)))
        done = t_us[np.searchsorted(t_us, steps * features.STEP_US)] if len(steps) else steps
        return cls(steps, points.reshape(-1, *shape), done)

    def earlier(self, lag: int) -> Steps:
        """Return, for each step, which one was `lag` before it, or the first since a gap."""
        index = np.arange(len(self.steps))
        starts = np.r_[True, np.diff(self.steps) > 1][: len(index)]
        first = np.maximum.accumulate(np.where(starts, index, 0))
        return np.maximum(index - lag, first)


def beats(take: Iterable[Observation], *, hands: bool = True, body: bool = True) -> Beats:
    """Sum a recording up by beats, looking at hands, body, or both; times must grow."""
    frames = list(take)
    right, left = (_seen_hand(frames if hands else [], side) for side in SIDES)
    bodies = _seen_body(frames if body else [])
    first_us, last_us = (frames[0].t_us, frames[-1].t_us) if frames else (0, 0)
    return sum_up((right, left), bodies, first_us // BEAT_US, last_us // BEAT_US)


def _hand(o: Observation, side: Side) -> Hand | None:
    return next((hand for hand in o.hands if hand.side == side), None)


def _seen_hand(frames: Sequence[Observation], side: Side) -> Seen:
    seen = [(o, hand) for o in frames if (hand := _hand(o, side))]
    points = [np.zeros((0, HAND_POINTS, 3), np.float32)]
    for size_px, some in groupby(seen, key=lambda one: one[0].size_px):
        points.append(features.hand_points([hand for _, hand in some], size_px))
    return Seen.of(np.array([o.t_us for o, _ in seen], np.int64), np.concatenate(points))


def _seen_body(frames: Sequence[Observation]) -> Seen:
    seen = [o for o in frames if o.bodies]
    points = [np.zeros((0, BODY_POINTS, 4), np.float32)]
    for size_px, some in groupby(seen, key=lambda o: o.size_px):
        points.append(features.body_points(np.stack([o.bodies[0].image for o in some]), size_px))
    return Seen.of(np.array([o.t_us for o in seen], np.int64), np.concatenate(points))


def sum_up(hands: tuple[Seen, Seen], body: Seen, first: int, last: int) -> Beats:
    """Sum subjects on the grid up by the beats `first` to `last`; nothing may come later."""
    n = last - first + 1
    sums = Sums(
        np.zeros((2, n, HAND_SIZE), np.float32),
        np.zeros((n, BODY_SIZE), np.float32),
        np.zeros((3, n), np.int64),
    )
    frames = _frames_of(body.points)
    for i, hand in enumerate(hands):
        if not len(hand.steps):
            continue
        at = _hand_at(hand.points)
        past = [at[hand.earlier(lag)] for lag in _MOVE_STEPS]
        newest, known = _bodies_then(hand, body)
        seen = frames[newest] if len(frames) else np.ones((len(newest), 3), np.float32)
        places = _places(hand.points, seen * _MIRROR if i else seen, known)
        for rows, beat in _by_chunks(hand, first):
            parts = _hand_parts(hand.points[rows], [then[rows] for then in past], places[rows])
            _add(sums.hands[i], sums.seen[i], beat, parts)
    if len(body.steps):
        arms, at = _arms(body.points)
        told = [_moves(a, [a[body.earlier(lag)] for lag in _MOVE_STEPS]) for a in at]
        moves, emphasis = (np.stack(both) for both in zip(*told, strict=True))
        for rows, beat in _by_chunks(body, first):
            parts = _body_parts(arms[:, rows], moves[:, rows], emphasis[:, rows])
            _add(sums.body, sums.seen[BODY], beat, parts)
    return Beats(first, sums)


def _bodies_then(hand: Seen, body: Seen) -> tuple[Steps, NDArray[np.bool_]]:
    """Return, for each step of a hand, the body's last step known then, and whether it is near."""
    newest = np.minimum(
        np.searchsorted(body.steps, hand.steps, side="right"),
        np.searchsorted(body.done_us, hand.done_us, side="right"),
    )
    newest = np.maximum(newest - 1, 0)
    if not len(body.steps):
        return newest, np.zeros(len(newest), bool)
    ago = hand.steps - body.steps[newest]
    late = body.done_us[newest] > hand.done_us
    return newest, (ago >= 0) & (ago <= _GAP_STEPS) & ~late


_CHUNK = 2048


def _by_chunks(seen: Seen, first: int) -> Iterable[tuple[slice, Steps]]:
    beat = seen.done_us // BEAT_US - first
    for at in range(0, len(beat), _CHUNK):
        rows = slice(at, at + _CHUNK)
        yield rows, beat[rows]


def _add(sums: Float32, seen: Steps, beat: Steps, parts: Float32) -> None:
    """Add parts (n, S) to the sums (B, S) of their beats (n,), which do not fall."""
    starts = np.flatnonzero(np.r_[True, beat[1:] != beat[:-1]])
    lengths = np.diff(np.r_[starts, len(beat)])
    seen[beat[starts]] += lengths
    # Few steps make a beat: this is fifteen times as fast as `np.add.reduceat`.
    for i in range(int(lengths.max())):
        longer = starts[lengths > i]
        sums[beat[longer]] += parts[longer + i]


# --- a stream -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Follower:
    """One subject on the grid, frame by frame."""

    last: tuple[int, Float32] | None = None
    past: deque[Float32] = field(default_factory=lambda: deque(maxlen=_MOVE_STEPS[-1] + 1))

    def push(self, t_us: int, points: Float32) -> list[tuple[int, Float32]]:
        """Take what a frame shows; return the steps that it completes, with their points."""
        if self.last is not None and t_us - self.last[0] > features.MAX_GAP_US:
            self.last = None
            self.past.clear()
        done: list[tuple[int, Float32]] = []
        if self.last is None:
            if t_us % features.STEP_US == 0:
                done = [(t_us // features.STEP_US, points)]
        else:
            then, old = self.last
            for step in range(then // features.STEP_US + 1, t_us // features.STEP_US + 1):
                part = np.float32((step * features.STEP_US - then) / (t_us - then))
                done.append((step, old + part * (points - old)))
        self.last = (t_us, points)
        return done

    def follow(self, at: Float32) -> list[Float32]:
        """Remember where the subject is (3,); return where it was `_MOVE_STEPS` ago."""
        self.past.append(at)
        newest = len(self.past) - 1
        return [self.past[max(newest - lag, 0)] for lag in _MOVE_STEPS]


class Watcher:
    """The parts of a stream, frame by frame. Feed observations whose times grow."""

    def __init__(self, *, hands: bool = True, body: bool = True) -> None:
        self._hands, self._body = hands, body
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._followers = tuple(_Follower() for _ in SIDES)
        self._body_follower = _Follower()
        self._arm_followers = tuple(_Follower() for _ in SIDES)
        self._frames: deque[tuple[int, Float32]] = deque(maxlen=4 * _GAP_STEPS)

    def step(self, observation: Observation) -> Sums | None:
        """Return what this frame adds to the sums of its beat, or None where it is nothing."""
        t = observation.t_us
        body = self._step_body(observation, t) if self._body and observation.bodies else None
        hands = self._step_hands(observation, t) if self._hands and observation.hands else None
        if body is None and hands is None:
            return None
        seen = np.zeros(3, np.int64)
        sums = Sums(np.zeros((2, HAND_SIZE), np.float32), np.zeros(BODY_SIZE, np.float32), seen)
        if body is not None:
            body.sum(0, out=sums.body)
            seen[BODY] = len(body)
        if hands is not None:
            parts, sides = hands
            for part, side in zip(parts, sides, strict=True):
                sums.hands[side] += part
                seen[side] += 1
        return sums

    def _step_body(self, o: Observation, t: int) -> Float32 | None:
        points = features.body_points(o.bodies[0].image, o.size_px)
        if (last := self._body_follower.last) and t - last[0] > features.MAX_GAP_US:
            for follower in self._arm_followers:
                follower.past.clear()
        done = self._body_follower.push(t, points)
        if not done:
            return None
        bodies = np.stack([points for _, points in done])
        frames = _frames_of(bodies)
        for (step, _), frame in zip(done, frames, strict=True):
            self._frames.append((step, frame))
        arms, at = _arms(bodies)
        rows = [
            follower.follow(place)
            for follower, places in zip(self._arm_followers, at, strict=True)
            for place in places
        ]
        past = [np.stack(places) for places in zip(*rows, strict=True)]
        moves, emphasis = _moves(at.reshape(-1, 3), past)
        return _body_parts(arms, moves.reshape(2, len(done), -1), emphasis.reshape(2, len(done)))

    def _step_hands(self, o: Observation, t: int) -> tuple[Float32, list[int]] | None:
        done: list[tuple[int, int, Float32]] = []
        for i, side in enumerate(SIDES):
            if one := _hand(o, side):
                points = features.hand_points([one], o.size_px)[0]
                done += [(i, step, p) for step, p in self._followers[i].push(t, points)]
        if not done:
            return None
        points = np.stack([p for _, _, p in done])
        at = _hand_at(points)
        rows = [self._followers[i].follow(a) for (i, _, _), a in zip(done, at, strict=True)]
        past = [np.stack(places) for places in zip(*rows, strict=True)]
        frames = np.ones((len(done), 3), np.float32)
        known = np.zeros(len(done), bool)
        for row, (i, step, _) in enumerate(done):
            found = self._frame_at(step)
            if found is not None:
                frames[row], known[row] = found * _MIRROR if i else found, True
        places = _places(points, frames, known)
        return _hand_parts(points, past, places), [i for i, _, _ in done]

    def _frame_at(self, step: int) -> Float32 | None:
        for then, frame in reversed(self._frames):
            if then <= step:
                return frame if step - then <= _GAP_STEPS else None
        return None
