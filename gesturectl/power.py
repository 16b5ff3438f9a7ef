"""Presets of what a run may cost, the power that the machine has, and a budget that is kept.

    battery      at most 15 pictures a second
    balanced     every picture, searches when something moves (see `landmarks.attention`)
    responsive   every picture, and searches in each of them: a hand is found a little earlier

`auto` is `battery` while a laptop runs on its battery, and `balanced` otherwise. What is decided
is told to the loop between two frames (`daemon.Between`), and all clocks are read here.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gesturectl import config, pace
from gesturectl.daemon import Loop
from gesturectl.landmarks import Searching
from gesturectl.pace import ENOUGH_HZ, LEAST_HZ, Limits, Pace, Spending

log = logging.getLogger(__name__)

Preset = Literal["battery", "balanced", "responsive"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a preset allows: how many pictures a second, and a search in each of them."""

    most_hz: float | None = None
    always: bool = False


PRESETS: Final[Mapping[Preset, Allowed]] = {
    "battery": Allowed(most_hz=15.0),
    "balanced": Allowed(),
    "responsive": Allowed(always=True),
}

LOOK_S: Final = 1.0
PLENTY_HZ: Final = 20.0  # well above `ENOUGH_HZ`: until then it is not said again
POWER_S: Final = 10.0  # an adapter's state comes from the firmware, which may take milliseconds
SUPPLIES: Final = Path("/sys/class/power_supply")


def on_battery(folder: Path = SUPPLIES) -> bool | None:
    """Whether this machine runs on its battery; None where that is not known.

    On Linux by its table of supplies (Documentation/ABI/testing/sysfs-class-power): it does not
    while something is plugged in, or a battery charges; it does where one is drained, or all that
    could be plugged in is out. What belongs to mice, headsets and tablets (scope `Device`) does not
    count; psutil, which tells it elsewhere, would take it for the machine's own.
    """
    if sys.platform != "linux":
        import psutil

        battery = psutil.sensors_battery()
        return (
            None if battery is None or battery.power_plugged is None else not battery.power_plugged
        )
    adapters: set[bool] = set()
    batteries: set[str] = set()
    for supply in sorted(folder.glob("*")):
        if _read(supply / "scope") == "Device":
            continue
        kind = _read(supply / "type")
        if kind in ("Mains", "USB", "Wireless") and (online := _read(supply / "online")):
            adapters.add(online != "0")
        elif kind == "Battery" and _read(supply / "present") != "0":  # no empty bay
            batteries.add(_read(supply / "status"))
    if not batteries:
        return False if adapters else None
    if True in adapters:
        return False
    if "Discharging" in batteries:
        return True
    if "Charging" in batteries:  # by a plug that is not in the table
        return False
    # An adapter is told to be out at once, its battery may be called `Full` some seconds longer.
    # Where no adapter is listed, only the battery's own word is left.
    if adapters:
        return True
    return False if batteries <= {"Full", "Not charging"} else None


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):  # unplugged meanwhile, or has no such thing
        return ""


class Power:
    """Looks after what one run costs. Let it in between two frames."""

    def __init__(
        self,
        wanted: config.Power = "auto",
        max_cpu: float | None = None,
        *,
        battery: Callable[[], bool | None] = on_battery,
        wall_s: Callable[[], float] = time.monotonic,
        cpu_s: Callable[[], float] = time.process_time,
    ) -> None:
        self.max_cpu = max_cpu
        self.preset: Preset = "balanced"
        self.pace = Pace()
        self._wanted = wanted
        self._battery, self._wall_s, self._cpu_s = battery, wall_s, cpu_s
        self._powered_s = self._looked_s = float("-inf")
        self._spent_s, self._frames = 0.0, 0
        self._told: Preset | None = None
        self._scarce = False  # told that strokes are missed, and not yet better

    def between(self, loop: Loop) -> None:
        """Once a second: look what was spent, and say how much may be."""
        now_s = self._wall_s()
        since_s = now_s - self._looked_s
        if since_s < LOOK_S:
            return
        if self._wanted != "auto":
            self.preset = self._wanted
        elif now_s - self._powered_s >= POWER_S:
            self._powered_s = now_s
            self.preset = "battery" if self._battery() else "balanced"
        allowed = PRESETS[self.preset]
        limits = Limits(allowed.most_hz, self.max_cpu)
        spent_s, frames = self._cpu_s(), loop.meters.frames
        if self._told is None:  # what the start has cost is not what a picture costs
            self.pace = Pace(limits.most_hz)
        else:
            worked = spent_s - self._spent_s, frames - self._frames
            self.pace = pace.step(self.pace, limits, since_s, *worked)
        self._looked_s, self._spent_s, self._frames = now_s, spent_s, frames
        loop.spending = Spending(self.preset, self.max_cpu, self.pace)
        if isinstance(loop.landmarker, Searching):
            loop.landmarker.always = allowed.always
        self._tell()

    def _tell(self) -> None:
        if self._told != self.preset:
            self._told = self.preset
            log.info("power: %s", self.preset)
        hz = self.pace.hz
        if not self.pace.enough and not self._scarce:
            self._scarce = True
            allowed = 100 * (self.max_cpu or 0)
            if self.pace.kept:
                log.warning(
                    "max_cpu: with %.0f %% of a core %.0f pictures a second can be looked at; "
                    "below %.0f quick strokes are missed",
                    allowed,
                    hz,
                    ENOUGH_HZ,
                )
            else:
                log.warning(
                    "max_cpu: %.0f %% of a core is too little to keep to: %.0f pictures a second "
                    "are looked at all the same, for below that no stroke is followed; allow more",
                    allowed,
                    LEAST_HZ,
                )
        elif hz is None or hz >= PLENTY_HZ:
            self._scarce = False
