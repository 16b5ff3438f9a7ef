"""`gesturectl bench companion`: what the process beside the daemon costs.

A companion with the tray talks to a loop of this bench, once while nothing happens and once while
30 times a second the pointer moves, and once a second a gesture acts. Its memory and processor time
are read from the operating system. It shows an icon on the session's D-Bus, if there is a panel.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from gesturectl import sessionbus
from gesturectl.benches.control import BUSY, desk_in, turning
from gesturectl.companion import FACES, LEVEL
from gesturectl.control.desk import Desk
from gesturectl.daemon import Meters
from gesturectl.engine import Step
from gesturectl.errors import DesktopError
from gesturectl.types import MoveBy

WATCH_S: Final = 10.0
STARTS_S: Final = 30.0
RATE_HZ: Final = 30
MOVING: Final = Step((), (MoveBy(0, 1.0, 1.0),), ())

Figures = dict[str, float]


def measure() -> Figures:
    """Measure memory, and processor time idle and while much happens; takes 20 seconds.

    Raises:
        DesktopError: this session has nothing on which the tray could be shown.
    """
    problem = FACES["tray"].missing()
    if problem is not None:
        raise DesktopError(
            f"the companion cannot be measured: {problem}; try `dbus-run-session gesturectl bench`"
        )
    with tempfile.TemporaryDirectory(prefix="gc-") as name:
        folder = Path(name) / "gesturectl"
        with desk_in(folder) as (desk, loop), turning(desk, loop) as stop:
            began_s = time.monotonic()
            with _companion(Path(name)) as process:
                while not desk.followed:
                    if time.monotonic() - began_s > STARTS_S or not process.is_running():
                        raise DesktopError("the companion does not start")
                    time.sleep(0.005)
                starts_s = time.monotonic() - began_s
                time.sleep(2.0)  # until it is in the panel, and has drawn
                idle = _percent(process, lambda: time.sleep(WATCH_S))
                stop()
                followed = _percent(process, lambda: _happen(desk))
                memory = process.memory_full_info()
                return {
                    "starts_s": starts_s,
                    "resident_mib": memory.rss / 2**20,
                    "own_mib": memory.uss / 2**20,
                    "idle_cpu_percent": idle,
                    "followed_cpu_percent": followed,
                }


def show(figures: Figures, console: Console) -> None:
    """Print the figures as a table."""
    table = Table("companion", "", box=None)
    for what, value in figures.items():
        table.add_row(what, f"{value:.3g}")
    console.print(table)


def _percent(process: psutil.Process, meanwhile: Any) -> float:
    """Return how much of one core a process takes during something."""

    def spent_s() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    before_s, began_s = spent_s(), time.monotonic()
    meanwhile()
    return 100 * (spent_s() - before_s) / (time.monotonic() - began_s)


def _happen(desk: Desk) -> None:
    note, meters = desk.noting(lambda t_us, step, meters: None), Meters()
    began_s = time.monotonic()
    for index in range(round(WATCH_S * RATE_HZ)):
        time.sleep(max(0.0, began_s + index / RATE_HZ - time.monotonic()))
        note(0, MOVING if index % RATE_HZ else BUSY, meters)


@contextmanager
def _companion(runtime: Path) -> Iterator[psutil.Process]:
    env = dict(os.environ) | {"XDG_RUNTIME_DIR": str(runtime), LEVEL: str(logging.WARNING)}
    if (bus := sessionbus.address()) is not None:  # it may be in the folder that we replace
        env["DBUS_SESSION_BUS_ADDRESS"] = bus
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "gesturectl.companion", "tray"], env=env
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()
