"""What would let the camera see better: more light, nearer, farther; one thing at a time.

In:  once a second, how bright a picture is, how fast they come, how large who is seen appears.
Out: a line of advice, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from gesturectl.places import Seen
from gesturectl.types import Frame, Observation

Kind = Literal["dark", "far", "near"]

LOOK_US: Final = 1_000_000
BEGINS: Final = 3  # looks in a row; people walk about, and clouds pass
ENDS: Final = 2
EASIER: Final = 1.15  # by how much a bound must be left behind for advice to end

# In the dark a camera exposes for so long that it sends fewer pictures: below this rate strokes
# have too few of them. Of 35 recordings with webcams and phones the darkest has a mean of 28 of
# 255, and hands are found in it; so a picture that is dim is no matter where it is not slow, too.
SLOW_HZ: Final = 15.0
DIM: Final = 90.0
DARK: Final = 20.0
# Of the puppet a palm 0.039 wide is found in 65 of 66 frames, one of 0.029 in none. Close up its
# raised hand fills half the picture's height with a palm of 0.14; at 0.24 it fills nearly all.
FAR_PALM: Final = 0.035
NEAR_PALM: Final = 0.24
FAR_SHOULDERS: Final = 0.10
NEAR_SHOULDERS: Final = 0.95


@dataclass(frozen=True, slots=True)
class Sight:
    """One look. `brightness` is a mean of 0..255; sizes are in heights of the image, or None.

    `waits` tells whether we wait for pictures, rather than pictures for us.
    """

    brightness: float
    rate_hz: float
    waits: bool
    palm: float | None = None
    shoulders: float | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is advised, what may be next, and for how many looks that has been so."""

    kind: Kind | None = None
    next: Kind | None = None
    count: int = 0


def step(state: State, sight: Sight) -> State:
    """Return what is advised after one more look.

    # d dark   f far   . fine        looks, one a second
    #   1) d d D . .|             begun by BEGINS in a row, ended by ENDS that are fine
    #   2) d d . d d .            nothing
    #   3) d d D f d f d          never two at once: dark until it is over
    """
    found = kind(sight, state.kind)
    if found == state.kind:
        return State(state.kind)
    count = state.count + 1 if found == state.next else 1
    if state.kind is not None:
        # Whatever else is found, the first has ended: then the next has its turn.
        over = state.count + 1
        return State(None, found, over) if over >= ENDS else State(state.kind, found, over)
    return State(found) if count >= BEGINS else State(None, found, count)


def kind(sight: Sight, now: Kind | None = None) -> Kind | None:
    """Say what is wrong with one look, the most important first; what is so now, more readily."""

    def bound(value: float, of: Kind) -> float:
        return value * EASIER if now == of else value

    slow = sight.waits and 0 < sight.rate_hz < bound(SLOW_HZ, "dark")
    dim = sight.brightness < bound(DIM, "dark")
    if sight.brightness < bound(DARK, "dark") or (slow and dim):
        return "dark"
    size, far, near = sight.palm, FAR_PALM, NEAR_PALM
    if size is None:
        size, far, near = sight.shoulders, FAR_SHOULDERS, NEAR_SHOULDERS
    if size is None:
        return None
    if size < bound(far, "far"):
        return "far"
    return "near" if bound(size, "near") > near else None


def say(kind: Kind, sight: Sight) -> str:
    """Return a line of advice."""
    if kind == "dark":
        slow = f": {sight.rate_hz:.0f} fps" if sight.rate_hz < SLOW_HZ else ""
        return f"too dark{slow}; more light"
    return "too far away; move closer" if kind == "far" else "too near; move back"


class Advisor:
    """Looks once a second, by the frames' own time."""

    def __init__(self) -> None:
        self._state = State()
        self._said: str | None = None
        self._next_us = 0

    def look(
        self,
        frame: Frame,
        seen: Observation,
        rate_hz: float,
        busy_ms: Callable[[], float],
    ) -> str | None:
        """Return what is advised at this frame, of which this is seen."""
        if frame.t_us < self._next_us <= frame.t_us + LOOK_US:
            return self._said
        self._next_us = frame.t_us + LOOK_US
        sight = look(frame, seen, rate_hz, busy_ms())
        before, self._state = self._state, step(self._state, sight)
        if self._state.kind != before.kind:
            self._said = self._state.kind and say(self._state.kind, sight)
        return self._said


def look(frame: Frame, seen: Observation, rate_hz: float, busy_ms: float) -> Sight:
    """Measure one frame, at every 16th row and column."""
    places = Seen(seen)
    palms = [places.palm_width(hand.side) for hand in seen.hands]
    return Sight(
        float(frame.rgb[::16, ::16].mean()),
        rate_hz,
        waits=rate_hz * busy_ms < 700,
        palm=max((one for one in palms if one is not None), default=None),
        shoulders=places.shoulder_width() if seen.bodies else None,
    )
