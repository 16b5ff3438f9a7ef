"""What of raw input is the user's doing: the keys that are down, and movement that is meant.

Pure. In: presses, releases and motion of devices, by the desktop's clock in milliseconds. Out:
whether that was *use*. A desk that is bumped, a sensor that trembles on a glossy table, is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

# A hand that takes the mouse moves it by hundreds of pixels; an idle optical mouse trembles by one
# or two, back and forth. Between them there is much room.
MEANT_PX = 15.0
WITHIN_MS = 500
CLOCK_MS = 1 << 32  # the X server's clock starts anew after 49 days


@dataclass(frozen=True, slots=True)
class Travel:
    """How far a device has moved since `since_ms`, there and back taken together."""

    since_ms: int = 0
    x_px: float = 0.0
    y_px: float = 0.0


def travelled(travel: Travel, time_ms: int, dx_px: float, dy_px: float) -> tuple[Travel, bool]:
    """Return the travel after a motion, and whether it was meant.

    # . trembling   → movement   U use   | WITHIN_MS passed, the sum starts anew
    #   1) . . . | . . . | . .     nothing: what trembles comes back, and never adds up
    #   2) . . → → U → → U         one U for every MEANT_PX
    """
    if (time_ms - travel.since_ms) % CLOCK_MS > WITHIN_MS:
        travel = Travel(time_ms)
    x_px, y_px = travel.x_px + dx_px, travel.y_px + dy_px
    if math.hypot(x_px, y_px) >= MEANT_PX:
        return Travel(time_ms), True
    return Travel(travel.since_ms, x_px, y_px), False


@dataclass(slots=True)
class Hands:
    """What the user's hands do on all devices together; keys are (device, keycode)."""

    down: set[tuple[int, int]] = field(default_factory=set)
    travels: dict[int, Travel] = field(default_factory=dict)

    def press(self, device: int, keycode: int) -> None:
        """A key went down."""
        self.down.add((device, keycode))

    def release(self, device: int, keycode: int) -> bool:
        """A key came up; return whether it was known to be down."""
        known = (device, keycode) in self.down
        self.down.discard((device, keycode))
        return known

    def move(self, device: int, time_ms: int, dx_px: float, dy_px: float) -> bool:
        """A device moved; return whether that was meant."""
        travel = self.travels.get(device, Travel())
        self.travels[device], meant = travelled(travel, time_ms, dx_px, dy_px)
        return meant

    def keep(self, devices: Iterable[int]) -> bool:
        """Forget devices that were unplugged; return whether one of them held a key."""
        present = set(devices)
        held = {key for key in self.down if key[0] not in present}
        self.down -= held
        self.travels = {device: t for device, t in self.travels.items() if device in present}
        return bool(held)
