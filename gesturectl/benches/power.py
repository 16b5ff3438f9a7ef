"""`gesturectl bench power`: what presets and budgets cost, and which gestures they let through.

One acted scene, played in real time as a webcam sends it: at 30 pictures a second, each a JPEG that
is decoded only if it is looked at. The same scene in turns by each preset, then with budgets of
processor time below what it takes without one. Seconds of the processor are those of all threads.
"""

from __future__ import annotations

import time
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from gesturectl import config, daemon
from gesturectl.catalog import catalog
from gesturectl.daemon import Control, Loop, Meters
from gesturectl.engine import Engine, Step
from gesturectl.ledger import Ledger
from gesturectl.lifecycle import in_turn
from gesturectl.power import PRESETS, Power
from gesturectl.recogniser import Recogniser
from gesturectl.rig import Choice, open_landmarker
from gesturectl.score import Acted, score
from gesturectl.sinks.unsent import Unsent
from gesturectl.sources import to_its_end
from gesturectl.sources.clock import MONOTONIC
from gesturectl.sources.live import Live, Picture, Unavailable
from gesturectl.sources.puppet import Puppet
from gesturectl.types import Began, Needs

SCRIPT: Final = (
    "fist,thumb_up,swipe_left,victory,swipe_right,open_palm,swipe_up,point_up,swipe_down,three,"
    "circle_cw,ok?frame=closeup&seed=5"
)
NEEDS: Final = Needs(hands=2, bodies=0)
STEP_US: Final = 33_333
BUDGETS: Final = (0.75, 0.5)  # of what `balanced` takes
QUALITY: Final = 90

Figures = dict[str, Any]


class _Film:
    """A `Device` that plays drawn pictures once, in real time."""

    name = "camera 0 (bench)"

    def __init__(self) -> None:
        puppet = Puppet(SCRIPT)
        self._pictures: list[NDArray[np.uint8]] = []
        for frame in to_its_end(puppet):
            bgr = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR)
            _, coded = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
            self._pictures.append(coded)
        self.truth = puppet.truth
        self.first_us = 0
        self.seconds = len(self._pictures) * STEP_US / 1e6
        self._at = -1

    @property
    def over(self) -> bool:
        """Whether it has been played."""
        return self._at >= len(self._pictures) - 1

    def rewind(self) -> None:
        """Be played once more; until then it stays at its end, however often it is opened."""
        self._at = -1

    def open(self) -> str:
        if self.over:
            raise Unavailable(f"{self.name} is at its end")
        self.first_us = MONOTONIC.now_us() + STEP_US
        return "640×480 30 fps MJPG"

    def grab(self) -> int:
        if self.over:
            raise Unavailable(f"{self.name} is at its end")
        self._at += 1
        due_us = self.first_us + self._at * STEP_US
        MONOTONIC.sleep_us(due_us - MONOTONIC.now_us())
        return due_us

    def retrieve(self) -> Picture | None:
        bgr = cv2.imdecode(self._pictures[self._at], cv2.IMREAD_COLOR)
        if bgr is None:
            return None
        rgb: Picture = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
        return rgb

    def release(self) -> None:
        """Nothing is held."""


def measure(choice: Choice) -> Figures:
    """Play the scene by each preset, and within each budget.

    Raises:
        GesturectlError: a model cannot be had.
    """
    film = _Film()
    figures: Figures = {preset: _played(choice, film, preset, None) for preset in PRESETS}
    whole = figures["balanced"]["cpu"]
    for part in BUDGETS:
        budget = round(part * whole, 3)
        figures[f"max_cpu {100 * budget:.0f} %"] = _played(choice, film, "balanced", budget)
    return {"seconds": film.seconds, "acted": len(film.truth), "runs": figures}


def _played(
    choice: Choice, film: _Film, preset: config.Power, max_cpu: float | None
) -> dict[str, Any]:
    heard: list[Began] = []
    control, power = Control(), Power(preset, max_cpu)

    def note(t_us: int, step: Step, meters: Meters) -> None:
        heard.extend(event for event in step.events if isinstance(event, Began))

    def until_over(loop: Loop) -> None:
        control.stop = film.over

    film.rewind()
    with open_landmarker(NEEDS, choice) as landmarker, Live(film) as source:
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        summary = daemon.run(
            source,
            landmarker,
            Engine(Recogniser.load()),
            Unsent(),
            Ledger(),
            control=control,
            between=in_turn(power.between, until_over),
            on_step=note,
        )
        spent_s = time.process_time() - began_cpu_s
        took_s = time.monotonic() - began_s
        acts = [
            Acted(act.gesture, act.start_us + film.first_us, act.end_us + film.first_us)
            for act in film.truth
        ]
    scores = score(acts, heard, catalog())
    return {
        "cpu": spent_s / took_s,
        "max_cpu": max_cpu,
        "kept": power.pace.kept,
        "frames_per_s": summary.frames / took_s,
        "recognised": sum(one.recognised for one in scores),
        "false": sum(one.false for one in scores),
    }


def show(figures: Figures, console: Console) -> None:
    """Print the figures as a table."""
    table = Table("", "of a core", "frames a second", "recognised", "false", box=None)
    for name, one in figures["runs"].items():
        table.add_row(
            name,
            f"{100 * one['cpu']:.1f} %",
            f"{one['frames_per_s']:.1f}",
            f"{one['recognised']} of {figures['acted']}",
            str(one["false"]),
        )
    console.print(table)
