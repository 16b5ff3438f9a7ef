"""From a script to a person who moves: a stance at any time, and the truth about it.

    hanging ──approach──▶ raised ──hold or stroke──▶ raised ──return──▶ hanging ──pause──▶ …
                                   ╰── the Act ──╯

A plan is a row of segments that join without a jump, each a minimum-jerk movement from rest to
rest. Sway of the body and tremor of the hand lie over all of it. Everything follows from the
script alone: the same script and time give the same stance.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from gesturectl.catalog import catalog
from gesturectl.kinematics import (
    BODY_POSES,
    HAND_SHAPES,
    HANGING,
    MOTIONS,
    ON_DESK,
    PALM_OUT,
    Arm,
    Array,
    Motion,
    Stance,
    blend_rotation,
    facing,
    hand_facing,
    hand_shape,
    minimum_jerk,
    turn,
)
from gesturectl.sources.puppet.script import UNSHIPPED, Item, Script
from gesturectl.types import Side, Subject

STATION_M: Mapping[str, float] = MappingProxyType(
    {"closeup": 0.88, "webcam": 1.02, "arm": 1.90, "full": 3.25}
)
"""How far from the camera the person stands: a raised hand fills about a half, a third, an eighth
of the picture's height; at the last all of the body is in view, arms up included."""

AT_DESK_M = 1.4
HOLD_S = 1.3
APPROACH_S = 0.85
RETURN_S = 0.80
PAUSE_S = 0.45
WALK_M_S = 1.3
STEP_M = 0.55

_RAISED = Arm(
    np.array([-0.17, 0.13, -0.34]), np.array([-0.5, 1.0, 0.2]), PALM_OUT, HAND_SHAPES["rest"]
)
_PLACES: Mapping[str, tuple[Array, Array]] = MappingProxyType(
    {
        "thumb_up": (np.array([-0.20, 0.10, -0.34]), np.array([-0.8, 1.0, 0.2])),
        "thumb_down": (np.array([-0.20, 0.02, -0.34]), np.array([-1.0, 0.35, 0.2])),
        "call_me": (np.array([-0.20, 0.08, -0.34]), np.array([-0.8, 1.0, 0.2])),
        "swipe_left": (np.array([-0.07, 0.11, -0.34]), np.array([-0.6, 1.0, 0.2])),
        "swipe_right": (np.array([-0.07, 0.11, -0.34]), np.array([-0.6, 1.0, 0.2])),
        "swipe_up": (np.array([-0.18, 0.15, -0.34]), np.array([-0.5, 1.0, 0.2])),
        "swipe_down": (np.array([-0.18, 0.15, -0.34]), np.array([-0.5, 1.0, 0.2])),
        "push": (np.array([-0.18, 0.13, -0.27]), np.array([-0.6, 1.0, 0.2])),
        "wave": (np.array([-0.14, 0.08, -0.34]), np.array([-0.5, 1.0, 0.2])),
    }
)
"""Where the wrist is (or the middle of its stroke) and where the elbow points, as of a right arm;
other gestures are shown where `_RAISED` is."""

_ELBOW_M = np.array([0.0, 0.24, 0.0])
"""From the wrist of a raised hand to the point about which a wave or a swipe swings it."""

_ASIDE: Mapping[str, Arm] = MappingProxyType(
    {
        "scratch_head": Arm(
            np.array([-0.17, -0.20, -0.06]),
            np.array([-1.0, 0.1, -0.4]),
            facing((0.75, -0.65, 0.0), (0.55, 0.6, 0.6)),
            HAND_SHAPES["rest"],
        ),
        "reach": Arm(
            np.array([-0.40, 0.26, -0.34]),
            np.array([-0.4, 1.0, 0.5]),
            facing((-0.45, 0.15, -0.88), (0.2, 0.95, 0.1)),
            HAND_SHAPES["rest"],
        ),
        "drink": Arm(
            np.array([-0.10, -0.03, -0.24]),
            np.array([-0.8, 0.8, 0.0]),
            facing((0.75, -0.45, 0.10), (0.15, 0.1, 1.0)),
            HAND_SHAPES["rest"],
        ),
        "fidget": Arm(
            np.array([-0.05, 0.25, -0.28]),
            np.array([-0.9, 0.8, 0.2]),
            facing((0.85, -0.3, -0.35), (0.2, 0.6, 0.7)),
            HAND_SHAPES["rest"],
        ),
    }
)


def _zigzag(u: ArrayLike) -> Array:
    """Three strokes of a Z, each from rest to rest: sideways, back and down, sideways again."""
    corners = np.array([[1.0, -0.7, 0.0], [-1.0, -0.7, 0.0], [1.0, 0.7, 0.0], [-1.0, 0.7, 0.0]])
    s = np.clip(np.asarray(u, dtype=np.float64), 0.0, 1.0) * 3.0
    leg = np.minimum(s.astype(int), 2)
    done = minimum_jerk(s - leg)[..., None]
    offset: Array = corners[leg] * (1.0 - done) + corners[leg + 1] * done
    return offset


def _unswung(u: ArrayLike) -> Array:
    return np.zeros(np.shape(u))


_UNSHIPPED_MOTIONS: Mapping[str, Motion] = MappingProxyType(
    {"zigzag": Motion(_zigzag, _unswung, 0.05, 0.17, 1.3, "point_up")}
)
_UNSHIPPED_SHAPES: Mapping[str, Array] = MappingProxyType(
    {"little_finger": np.concatenate([HAND_SHAPES["fist"][:17], HAND_SHAPES["call_me"][17:]])}
)
"""What `UNSHIPPED` names: the gestures a user might teach, as `MOTIONS` and `HAND_SHAPES` tell the
shipped ones."""


@dataclass(frozen=True, slots=True)
class Act:
    """One gesture as acted: from `start_us` to `end_us` a pose is held, or a stroke is made."""

    gesture: str
    side: Subject
    start_us: int
    end_us: int


Movement = Callable[[float], Stance]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All movements of a script: segment i runs from `starts_s[i]` to `starts_s[i + 1]`."""

    starts_s: tuple[float, ...]
    segments: tuple[Movement, ...]
    acts: tuple[Act, ...]
    seed: int

    @property
    def duration_us(self) -> int:
        return round(self.starts_s[-1] * 1e6)

    def stance(self, t_us: int) -> Stance:
        """Return where the person is; before the beginning and after the end it stands still."""
        t_s = min(max(t_us / 1e6, 0.0), self.starts_s[-1])
        i = min(bisect_right(self.starts_s, t_s) - 1, len(self.segments) - 1)
        length = self.starts_s[i + 1] - self.starts_s[i]
        return _alive(self.segments[i]((t_s - self.starts_s[i]) / length), t_us / 1e6, self.seed)


class _Planner:
    """Writes down one movement after another, always from where the last one ended."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.rng = np.random.default_rng(script.seed)
        self.t_s = 0.0
        self.starts_s = [0.0]
        self.segments: list[Movement] = []
        self.acts: list[Act] = []
        distance_m = self._station(script.items[0])
        at_rest = self._at_rest(distance_m)
        self.now = Stance(np.array([0.0, distance_m]), at_rest, at_rest)

    def plan(self) -> Plan:
        self._still(PAUSE_S)
        for index, item in enumerate(self.script.items):
            if index and self.script.items[index - 1].name != "wait" and item.name != "wait":
                self._still(self._eased(PAUSE_S))
            self._walk(self._station(item))
            self._act(item)
            for _ in range(self.script.distractors):
                self._still(self._eased(0.3))
                self._aside(str(self.rng.choice(list(_ASIDE))), item.side, None)
        self._still(PAUSE_S)
        return Plan(tuple(self.starts_s), tuple(self.segments), tuple(self.acts), self.script.seed)

    # --- what is acted

    def _act(self, item: Item) -> None:
        side: Side = item.side or self.script.side
        if item.name == "wait":
            self._still(item.time_s or 1.0)
        elif item.name in _ASIDE:
            self._aside(item.name, side, item.time_s)
        elif item.name in BODY_POSES:
            self._body_pose(item)
        elif item.name in MOTIONS or item.name in _UNSHIPPED_MOTIONS:
            self._motion(item, side)
        else:
            self._hand_pose(item, side)

    def _hand_pose(self, item: Item, side: Side) -> None:
        wrist, pole = self._place(item.name)
        own = _UNSHIPPED_SHAPES.get(item.name)
        shape = hand_shape(item.shape) if own is None else own
        raised = Arm(wrist, pole, hand_facing(item.name), shape)
        self._move(self._with(side, raised), self._eased(APPROACH_S), bow=0.03, side=side)
        start_s = self.t_s
        self._still(item.time_s or HOLD_S)
        if item.name != "rest":
            self._note(item.name, side, start_s)
        self._lower(side)

    def _motion(self, item: Item, side: Side) -> None:
        motion = MOTIONS.get(item.name) or _UNSHIPPED_MOTIONS[item.name]
        wrist, pole = self._place(item.name)
        middle = Arm(wrist, pole, PALM_OUT, HAND_SHAPES[motion.shape])
        by_arm = self.script.by == "arm"
        size = (motion.arm_size_m if by_arm else motion.size_m) * self.script.reach
        duration = item.time_s or motion.duration_s * (1.6 if by_arm else 1.0) / self.script.speed
        sign = -1.0 if side == "left" else 1.0

        def at(u: float) -> Stance:
            return self_with(_stroke(middle, motion, u, size, sign))

        base = self.now

        def self_with(arm: Arm) -> Stance:
            return replace(base, right=arm) if side == "right" else replace(base, left=arm)

        self._move(at(0.0), self._eased(APPROACH_S), bow=0.03, side=side)
        self._still(self._eased(0.12))
        start_s = self.t_s
        self._add(duration, at)
        self._note(item.name, side, start_s)
        self._still(self._eased(0.12))
        self._lower(side)

    def _body_pose(self, item: Item) -> None:
        arm, drop_m, lean_rad = BODY_POSES[item.name]
        up = replace(self.now, right=arm, left=arm, drop_m=drop_m, lean_rad=lean_rad)
        self._move(up, self._eased(0.9))
        start_s = self.t_s
        self._still(item.time_s or HOLD_S)
        self._note(item.name, "body", start_s)
        at_rest = self._at_rest(float(self.now.feet[1]))
        down = replace(self.now, right=at_rest, left=at_rest, drop_m=0.0, lean_rad=0.0)
        self._move(down, self._eased(0.9))

    def _aside(self, name: str, side: Side | None, time_s: float | None) -> None:
        """A movement that means nothing: there, a little to and fro, and back."""
        own = side or self.script.side
        there = _ASIDE[name]
        jitter = self.rng.normal(0.0, 0.015, 3)
        there = replace(there, wrist=there.wrist + jitter)
        self._move(self._with(own, there), self._eased(APPROACH_S), bow=0.04, side=own)
        nearby = replace(there, wrist=there.wrist + self.rng.normal(0.0, 0.02, 3))
        each = (time_s or 0.9) / 3.0
        for arm in (nearby, there, nearby):
            self._move(self._with(own, arm), each, side=own)
        self._lower(own)

    # --- how it is written down

    def _add(self, duration_s: float, movement: Movement) -> None:
        self.segments.append(movement)
        self.t_s += duration_s
        self.starts_s.append(self.t_s)
        self.now = movement(1.0)

    def _note(self, gesture: str, side: Subject, start_s: float) -> None:
        self.acts.append(Act(gesture, side, round(start_s * 1e6), round(self.t_s * 1e6)))

    def _still(self, duration_s: float) -> None:
        stance = self.now
        self._add(duration_s, lambda u: stance)

    def _move(
        self, to: Stance, duration_s: float, bow: float = 0.0, side: Side | None = None
    ) -> None:
        start = self.now
        self._add(duration_s, lambda u: _between(start, to, u, bow))

    def _lower(self, side: Side) -> None:
        at_rest = self._at_rest(float(self.now.feet[1]))
        self._move(self._with(side, at_rest), self._eased(RETURN_S), bow=-0.03, side=side)

    def _at_rest(self, distance_m: float) -> Arm:
        """Hands lie on a desk below the picture when the person is near, and hang when far."""
        return ON_DESK if distance_m * self.script.size < AT_DESK_M else HANGING

    def _walk(self, distance_m: float) -> None:
        start = float(self.now.feet[1])
        length = abs(distance_m - start)
        if length < 0.02:
            return
        if self.now.right is not HANGING:
            self._move(replace(self.now, right=HANGING, left=HANGING), self._eased(0.5))
        base = self.now
        steps = max(round(length / STEP_M), 1)

        def at(u: float) -> Stance:
            progress = float(minimum_jerk(u))
            feet = np.array([base.feet[0], start + (distance_m - start) * progress])
            return replace(base, feet=feet, drop_m=0.018 * float(np.sin(np.pi * steps * u)) ** 2)

        self._add(max(length / WALK_M_S, 0.6) / self.script.speed**0.5, at)
        at_rest = self._at_rest(distance_m)
        self._move(replace(self.now, right=at_rest, left=at_rest), self._eased(0.4))

    def _with(self, side: Side, arm: Arm) -> Stance:
        return replace(self.now, right=arm) if side == "right" else replace(self.now, left=arm)

    def _eased(self, seconds: float) -> float:
        return float(seconds / self.script.speed**0.5)

    def _place(self, name: str) -> tuple[Array, Array]:
        return _PLACES.get(name, (_RAISED.wrist, _RAISED.pole))

    def _station(self, item: Item) -> float:
        frame = self.script.frame
        if frame == "auto":
            spec = catalog().get(item.name)
            if item.name in BODY_POSES:
                frame = "full"
            elif spec is None and item.name not in UNSHIPPED and hasattr(self, "now"):
                return float(self.now.feet[1])
            elif self.script.by == "arm" and item.name in MOTIONS:
                frame = "arm"
            else:
                frame = "webcam"
        return STATION_M[frame] / self.script.size


def plan(script: Script) -> Plan:
    """Return all movements and all acts of a script."""
    return _Planner(script).plan()


def _stroke(middle: Arm, motion: Motion, u: float, size_m: float, sign: float) -> Arm:
    """Return the arm in mid-stroke. The path is the user's own, so a left arm's is mirrored."""
    swung = turn((0.0, 0.0, 1.0), sign * float(motion.swing(u)))
    offset = motion.path(u) * size_m * np.array([sign, 1.0, 1.0])
    about = _ELBOW_M - swung @ _ELBOW_M
    return replace(middle, wrist=middle.wrist + offset + about, rotation=swung @ middle.rotation)


def _between(a: Stance, b: Stance, u: float, bow: float) -> Stance:
    s = float(minimum_jerk(u))
    return Stance(
        a.feet + (b.feet - a.feet) * s,
        _between_arms(a.right, b.right, u, s, bow),
        _between_arms(a.left, b.left, u, s, bow),
        a.drop_m + (b.drop_m - a.drop_m) * s,
        a.lean_rad + (b.lean_rad - a.lean_rad) * s,
    )


def _between_arms(a: Arm, b: Arm, u: float, s: float, bow: float) -> Arm:
    """Return the arm on its way, blended in joint space; u is the time, s the progress."""
    if a is b:
        return a
    shaping = turning = s
    # A hand turns and takes its shape early on its way up, and gives them up late on its way down.
    if b in (HANGING, ON_DESK):
        shaping = float(minimum_jerk((u - 0.4) / 0.6))
        turning = float(minimum_jerk((u - 0.45) / 0.55))
    elif a in (HANGING, ON_DESK):
        shaping = float(minimum_jerk(u / 0.55))
        turning = float(minimum_jerk(u / 0.50))
    curve = np.array([-1.0, 0.0, -0.6]) * (bow * 4.0 * s * (1.0 - s))
    return Arm(
        a.wrist + (b.wrist - a.wrist) * s + curve,
        a.pole + (b.pole - a.pole) * s,
        blend_rotation(a.rotation, b.rotation, turning),
        a.angles_deg + (b.angles_deg - a.angles_deg) * shaping,
    )


def _alive(stance: Stance, t_s: float, seed: int) -> Stance:
    """Lay postural sway (below 1 Hz) and physiological tremor (near 9 Hz) over a stance."""
    phase = np.random.default_rng(seed).uniform(0.0, 2.0 * np.pi, 64)

    def drift(first: int, count: int, rates_hz: tuple[float, ...]) -> Array:
        index = first + np.arange(count)
        value = np.zeros(count)
        for k, rate in enumerate(rates_hz):
            value += np.sin(2.0 * np.pi * rate * t_s * (1.0 + 0.03 * index) + phase[index + 7 * k])
        return value / len(rates_hz)

    def arm(own: Arm, first: int) -> Arm:
        wrist = 0.004 * drift(first, 3, (0.31, 0.73)) + 0.0003 * drift(first + 3, 3, (8.7,))
        tilt = 0.03 * drift(first + 6, 3, (0.23, 0.57))
        angles = 1.5 * drift(first + 9, 21, (0.37, 0.83))
        size = float(np.linalg.norm(tilt))
        rotation = turn(tilt, size) @ own.rotation if size > 1e-9 else own.rotation
        return Arm(own.wrist + wrist, own.pole, rotation, own.angles_deg + angles)

    feet = stance.feet + 0.005 * drift(0, 2, (0.19, 0.43))
    lean = stance.lean_rad + 0.008 * float(drift(2, 1, (0.27, 0.61))[0])
    return Stance(feet, arm(stance.right, 3), arm(stance.left, 20), stance.drop_m, lean)
