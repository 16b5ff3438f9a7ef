"""A person who points and pinches before a camera, simulated: for `gesturectl bench pointer`.

`SeenHand` is the hand: a place and a pinch become the landmarks that a camera would give, with the
jitter of real ones. `tap_targets` is the person: looks, plans, reaches, corrects, pinches.

The person is the stochastic optimized-submovement model of Meyer, Abrams, Kornblum, Wright & Smith
1988 (Psychological Review 95(3), 340-370): one reach and as many corrections as it takes, each of
which ends the farther from where it was meant to the faster it is, and lasts by the square root of
distance over width. Each is a minimum-jerk stroke (Flash & Hogan 1985), planned on what was seen
`SEEING_US` ago, on a screen that shows what the camera saw `SCREEN_US` before. The person has used
the pointer long enough to know how far it goes for a stroke.

It ranks pointers that one person might use; it does not foretell how fast anybody will be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, hypot, pi
from typing import Final

import numpy as np
from numpy.random import Generator

from gesturectl import pointer, pointing
from gesturectl.kinematics import (
    PALM_OUT,
    PALM_WIDTH_M,
    Array,
    hand_points,
    hand_shape,
    minimum_jerk,
    place_hand,
)
from gesturectl.pointer import Settings, State
from gesturectl.types import ButtonDown, Command, Hand, MoveBy, Observation, Point, Side

FRAME_US: Final = 33_333
SIZE_PX: Final = (640, 480)
PALM: Final = 0.12  # heights of the image: a hand 0.7 m from a webcam

# Jitter of landmarks of hands held still, in palm widths (root mean square over both axes, less a
# parabola over half a second): medians of 27 recordings of people at 30 frames a second, palms of
# 46 to 153 pixels. Fingertip 0.009, knuckle 0.0065, middle of the palm 0.0045; neighbouring frames
# correlate by 0.2. The palm's would be 0.003 if its points were independent: part is common.
JITTER_ALL: Final = 0.0038
JITTER_JOINT: Final = 0.0053
JITTER_TIP: Final = 0.0081
JITTER_S: Final = 0.0207
_TIPS: Final = [4, 8, 12, 16, 20]

# A raised hand wanders, slowly: about 3 mm within a second.
WANDER: Final = 0.05
WANDER_S: Final = 1.0
# And it moves when its fingers close, in a direction of its own: about 1 cm.
RECOIL: Final = 0.15

SEEING_US: Final = 100_000
SCREEN_US: Final = 60_000
# Endpoint scatter along a stroke is so many seconds times its speed; across it, half of that.
SCATTER_S: Final = 0.035
LEAST_S: Final = 0.2
ROOT_S: Final = 0.1
# A forearm on its elbow takes the hand about 18 cm to each side. Who wants to go farther opens the
# clutch, goes back and closes it again, as one lifts a mouse.
RANGE: Final = 2.0
CLUTCH_US: Final = 200_000
PINCH_US: Final = 150_000
HOLD_US: Final = 80_000
PATIENCE_US: Final = 8_000_000


def _pinch_shapes(steps: int = 32) -> Array:
    """Return hands (steps + 1, 21, 2) from open to pinched, in palm widths around the wrist."""
    loose, closed = hand_shape("rest"), hand_shape("ok")
    share = np.linspace(0.0, 1.0, steps + 1)[:, None]
    points = place_hand(hand_points(loose + share * (closed - loose)), PALM_OUT, np.zeros(3))
    shapes: Array = points / PALM_WIDTH_M
    return shapes


class SeenHand:
    """Landmarks of a right hand with jitter. Coordinates are palm widths, right and down."""

    def __init__(self, rng: Generator, *, jitter: float = 1.0) -> None:
        self._rng = rng
        self._jitter = jitter
        self._shapes = _pinch_shapes()
        self._all = np.zeros(2)
        self._each = np.zeros((21, 2))
        self._spread = np.full((21, 1), JITTER_JOINT)
        self._spread[_TIPS] = JITTER_TIP
        self._then_us: int | None = None

    def observe(self, t_us: int, x: float, y: float, pinch: float = 0.0) -> Observation:
        """Return a frame with the hand at (x, y) of the image's middle; `pinch` 0 open, 1 closed.

        Times must grow.
        """
        self._shake(t_us)
        shape = self._shapes[round(pinch * (len(self._shapes) - 1))]
        points = shape.copy()
        # The user's right is the left of an image that is not mirrored.
        points[:, 0] -= x
        points[:, 1] += y
        points[:, :2] += self._jitter * (self._all + self._each)
        image = points * PALM
        aspect = SIZE_PX[0] / SIZE_PX[1]
        image[:, [0, 2]] /= aspect
        image[:, :2] += 0.5
        hand = Hand("right", 1.0, image.astype(np.float32))
        return Observation(t_us, (hand,), (), SIZE_PX)

    def _shake(self, t_us: int) -> None:
        keep = 0.0 if self._then_us is None else exp((self._then_us - t_us) / 1e6 / JITTER_S)
        self._then_us = t_us
        new = (1 - keep * keep) ** 0.5 / 2**0.5  # both axes together have the measured size
        self._all = keep * self._all + new * JITTER_ALL * self._rng.normal(size=2)
        self._each = keep * self._each + new * self._spread * self._rng.normal(size=(21, 2))


# --- one pointer, driven --------------------------------------------------------------------------


@dataclass(slots=True)
class Driven:
    """A pointer of these settings, and where it has been: (time, x, y) in pixels, a frame each.

    It moves while `clutch` is closed.
    """

    settings: Settings
    side: Side = "right"
    state: State = field(default_factory=State)
    path: list[tuple[int, float, float]] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    clutch: bool = True

    def step(self, observation: Observation) -> tuple[Command, ...]:
        """Give it a frame."""
        asks = (Point(observation.t_us, "move", self.side, on=self.clutch),)
        self.state, commands = pointer.step(self.settings, self.state, observation, asks)
        for one in commands:
            if isinstance(one, MoveBy):
                self.x += one.dx_px
                self.y += one.dy_px
        self.path.append((observation.t_us, self.x, self.y))
        return commands

    def at(self, t_us: int) -> tuple[float, float]:
        """Return where it was in the last frame before this time."""
        for then_us, x, y in reversed(self.path):
            if then_us <= t_us:
                return x, y
        return (self.path[0][1], self.path[0][2]) if self.path else (0.0, 0.0)


_U: Final = np.linspace(0.0, 1.0, 41)
_PACE: Final = np.diff(minimum_jerk(_U))


def way_px(settings: Settings, distance: float, lasts_s: float) -> float:
    """Return how far the pointer goes for a stroke of so many palm widths."""
    speeds = distance * _PACE / (lasts_s / len(_PACE))
    gains = [pointing.gain(settings, float(speed)) for speed in speeds]
    return float(np.dot(gains, distance * _PACE))


def stroke_for(settings: Settings, wanted_px: float, lasts_s: float) -> float:
    """Return how many palm widths a stroke must have for the pointer to go so far."""
    low, high = 0.0, wanted_px / max(min(settings.slow_gain, settings.fast_gain), 1.0)
    for _ in range(24):
        middle = (low + high) / 2
        if way_px(settings, middle, lasts_s) < wanted_px:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# --- the person -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tap:
    """One target: how long it took, and where the click landed, in pixels.

    `along` and `across` are from the target's middle, along the way from the last target; `way` is
    the distance from where the last click landed to this target.
    """

    took_s: float
    along_px: float
    across_px: float
    way_px: float

    def hit(self, width_px: float) -> bool:
        """Whether it landed in a round target of this width."""
        return hypot(self.along_px, self.across_px) <= width_px / 2


@dataclass(slots=True)
class _Person:
    """Where the hand is going. All times in µs, places in palm widths."""

    rng: Generator
    pointer: Driven
    hand: SeenHand
    t_us: int = 0
    x: float = 0.0
    y: float = 0.0
    wander: Array = field(default_factory=lambda: np.zeros(2))

    def frame(self, x: float, y: float, pinch: float = 0.0) -> tuple[Command, ...]:
        """Let a frame pass, with the hand meant to be here."""
        keep = exp(-FRAME_US / 1e6 / WANDER_S)
        new = WANDER * (1 - keep * keep) ** 0.5 / 2**0.5
        self.wander = keep * self.wander + new * self.rng.normal(size=2)
        self.t_us += FRAME_US
        seen = self.hand.observe(self.t_us, x + self.wander[0], y + self.wander[1], pinch)
        return self.pointer.step(seen)

    def rest(self, lasts_us: int) -> None:
        """Hold still."""
        for _ in range(max(round(lasts_us / FRAME_US), 1)):
            self.frame(self.x, self.y)

    def go(self, x: float, y: float, lasts_s: float) -> None:
        """Take the hand there in one stroke."""
        frames = max(round(lasts_s * 1e6 / FRAME_US), 1)
        dx, dy = x - self.x, y - self.y
        for share in minimum_jerk(np.arange(1, frames + 1) / frames):
            self.frame(self.x + share * dx, self.y + share * dy)
        self.x, self.y = x, y

    def reach(self, dx_px: float, dy_px: float, width_px: float) -> None:
        """Make one stroke that shall move the pointer by so much, or as far as the hand goes."""
        far = hypot(dx_px, dy_px)
        lasts_s = LEAST_S + ROOT_S * (far / width_px) ** 0.5
        size = stroke_for(self.pointer.settings, far, lasts_s)
        ux, uy = dx_px / far, dy_px / far
        if max(abs(self.x + size * ux), abs(self.y + size * uy)) > RANGE:
            self.reposition(-size / 2 * ux, -size / 2 * uy)
            size = min(size, 2 * RANGE)
        scatter = SCATTER_S * size / lasts_s
        along = size + scatter * self.rng.normal()
        across = scatter / 2 * self.rng.normal()
        self.go(self.x + along * ux - across * uy, self.y + along * uy + across * ux, lasts_s)

    def reposition(self, x: float, y: float) -> None:
        """Open the clutch, bring the hand there, as far as it goes, and close the clutch."""
        x, y = (min(max(one, -RANGE), RANGE) for one in (x, y))
        self.pointer.clutch = False
        self.rest(CLUTCH_US)
        self.go(x, y, LEAST_S + ROOT_S * hypot(x - self.x, y - self.y))
        self.pointer.clutch = True
        self.rest(CLUTCH_US)

    def pinch(self) -> tuple[int, float, float] | None:
        """Close, hold and open; return when and where the button went down."""
        turned = self.rng.uniform(0, 2 * pi)
        rx, ry = RECOIL * np.cos(turned), RECOIL * np.sin(turned)
        closing = minimum_jerk(np.arange(1, 6) / (PINCH_US / FRAME_US))
        hold = np.ones(max(round(HOLD_US / FRAME_US), 1))
        down = None
        for share in (*closing, *hold, *(1.0 - closing)):
            commands = self.frame(self.x + share * rx, self.y + share * ry, float(share))
            if down is None and any(isinstance(one, ButtonDown) for one in commands):
                down = (self.t_us, self.pointer.x, self.pointer.y)
        return down


def tap_targets(
    settings: Settings,
    rng: Generator,
    distance_px: float,
    width_px: float,
    count: int = 13,
) -> list[Tap]:
    """Tap the targets of a ring, each time the one across: ISO 9241-411, multi-directional tapping.

    Returns a tap for each target but the first, from click to click.
    """
    person = _Person(rng, Driven(settings), SeenHand(rng))
    person.rest(500_000)
    ring = [2 * pi * (i * (count // 2 + 1) % count) / count for i in range(count)]
    radius = distance_px / 2
    targets = [(radius * np.cos(angle), radius * np.sin(angle)) for angle in ring]
    taps: list[Tap] = []
    last: tuple[int, float, float] | None = None
    for number, (x, y) in enumerate(targets):
        down = _select(person, float(x), float(y), width_px)
        if last is not None:
            fx, fy = targets[number - 1]
            ux, uy = (x - fx) / distance_px, (y - fy) / distance_px
            ex, ey = down[1] - x, down[2] - y
            way = hypot(x - last[1], y - last[2])
            took_s = (down[0] - last[0]) / 1e6
            taps.append(Tap(took_s, ex * ux + ey * uy, ey * ux - ex * uy, way))
        last = down
    return taps


def _select(person: _Person, x: float, y: float, width_px: float) -> tuple[int, float, float]:
    """Reach for a target, correct until it looks right, pinch; return when and where it clicked."""
    give_up_us = person.t_us + PATIENCE_US
    while True:
        person.rest(SEEING_US + SCREEN_US)
        sx, sy = person.pointer.at(person.t_us - SEEING_US - SCREEN_US + FRAME_US)
        off = hypot(x - sx, y - sy)
        if off > 0.4 * width_px and person.t_us < give_up_us:
            person.reach(x - sx, y - sy, width_px)
            continue
        if (down := person.pinch()) is not None:
            return down
        if person.t_us > give_up_us + PATIENCE_US:
            return person.t_us, person.pointer.x, person.pointer.y
