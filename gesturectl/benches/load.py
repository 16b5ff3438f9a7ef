"""`gesturectl bench load`: how old what is sent becomes when every core is busy with other things.

The parts of a real run, at 30 pictures a second: a camera's thread that decodes what it grabs and
keeps the newest, the landmark networks, the engine, keys to an X server of this bench (Xvfb). They
run alone, beside one busy process for each core, and in a crowd of them, where pictures have to be
dropped. They are of a puppet, so it is known what was acted.

    pictures  1 2 3 4 5 6 7 8      due whether anybody is ready or not
    looked at 1 · 3 4 · · 7 8      newest wins: what came meanwhile (·) is dropped, never queued
    age       ├─┤                  of a picture when its commands are sent, in times of a frame
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import cv2
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from gesturectl import daemon
from gesturectl.benches.latency import listening, server, spread, wait_for
from gesturectl.catalog import catalog
from gesturectl.daemon import Control, Meters
from gesturectl.engine import Engine, Step
from gesturectl.errors import GesturectlError
from gesturectl.ledger import Ledger
from gesturectl.profile import parse
from gesturectl.recogniser import Recogniser
from gesturectl.rig import Choice, open_landmarker
from gesturectl.rules import Profile
from gesturectl.score import Acted, score
from gesturectl.sinks.x11 import X11Sink
from gesturectl.sources.clock import MONOTONIC, Clock
from gesturectl.sources.live import Live, Picture
from gesturectl.sources.puppet import Act, Puppet
from gesturectl.types import Began, Ended, KeyDown

SCRIPT: Final = "fist:1s,swipe_left,thumb_up:1s?frame=closeup&seed=5"
PROFILE: Final = """\
version: 1
bindings:
  - {gesture: fist, do: {key: a}}
  - {gesture: swipe_left, do: {key: b}}
  - {gesture: thumb_up, do: {key: c}}
"""
RUNS: Final = {"alone": 0, "beside": 1, "crowded": 4}  # busy processes for each core
ROUNDS: Final = 3  # of the script: half a minute
STEP_US: Final = 33_333
WARM_UP: Final = 15  # frames: networks that run for the first time, a new process in the scheduler
MOST_FRAMES: Final = 3.0  # of age, wanted
BUSY: Final = """
import os
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""

Figures = dict[str, Any]


def measure(choice: Choice) -> Figures:
    """Play the script in each of `RUNS`; return ages, in times of a frame, and what was heard.

    Raises:
        GesturectlError: there is no Xvfb, or a model cannot be had.
    """
    puppet, profile = Puppet(SCRIPT), parse(PROFILE)
    pictures = [_as_sent(puppet.picture(index)) for index in range(puppet.frames)]
    cores, figures = psutil.cpu_count() or 1, Figures()
    for name, each in RUNS.items():
        with _busy(each * cores):
            run = _run(pictures, puppet.truth, profile, choice)
        figures[name] = {"busy_processes": each * cores, **run}
    alone, beside = figures["alone"], figures["beside"]
    lost = max(0, beside["gestures_lost"] - alone["gestures_lost"])
    return {**figures, "lost_beyond_alone": lost}


class Camera:
    """A `live.Device`: pictures fall due at their times, and those that nobody grabs are lost.

    `clock` is the one that they are stamped on, with the time at which they were due.
    """

    name = "the bench's camera"

    def __init__(self, pictures: Sequence[bytes], clock: Clock = MONOTONIC) -> None:
        self._pictures = pictures
        self._clock = clock
        self._grabbed = -1
        self.started_us = 0

    def open(self) -> str:
        """Begin to send."""
        self.started_us = self._clock.now_us()
        return f"{1e6 / STEP_US:.0f} fps JPEG"

    def grab(self) -> int:
        """Wait for the next picture, or take the newest of those that are due."""
        since_us = self._clock.now_us() - self.started_us
        self._grabbed = max(self._grabbed + 1, since_us // STEP_US)
        due_us = self.started_us + self._grabbed * STEP_US
        self._clock.sleep_us(due_us - self._clock.now_us())
        return due_us

    def retrieve(self) -> Picture | None:
        """Decode it, as pictures of webcams must be."""
        sent = self._pictures[self._grabbed % len(self._pictures)]
        bgr = cv2.imdecode(np.frombuffer(sent, np.uint8), cv2.IMREAD_COLOR)
        return None if bgr is None else np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def release(self) -> None:
        """There is nothing to let go of."""


def _run(
    pictures: Sequence[bytes], acts: Sequence[Act], profile: Profile, choice: Choice
) -> Figures:
    wanted = ROUNDS * len(pictures)
    camera, control = Camera(pictures), Control()
    bound = {name for binding in profile.bindings for name in binding.gestures}
    read, sent = list[int](), list[int]()
    heard, keys = list[Began | Ended](), list[KeyDown]()

    def note(t_us: int, step: Step, meters: Meters) -> None:
        if step.stages is not None:
            read.append(step.stages.read)
            sent.append(step.stages.injected)
        heard.extend(one for one in step.events if one.gesture in bound)
        keys.extend(one for one in step.commands if isinstance(one, KeyDown))
        control.stop = t_us >= camera.started_us + wanted * STEP_US

    with (
        open_landmarker(profile.needs, choice) as landmarker,
        server() as display,
        listening(display) as received_us,
        X11Sink(display) as sink,
        Live(camera) as source,
    ):
        summary = daemon.run(
            source,
            landmarker,
            Engine(Recogniser.load(), profile),
            sink,
            Ledger(),
            control=control,
            on_step=note,
            clock_us=MONOTONIC.now_us,
        )
        wait_for(received_us, len(keys))
    if len(sent) <= WARM_UP:
        raise GesturectlError(f"{len(sent)} frames were looked at: nothing to measure")
    round_us = len(pictures) * STEP_US
    acted = [
        Acted(act.gesture, act.start_us + begun_us, act.end_us + begun_us)
        for begun_us in range(camera.started_us, camera.started_us + ROUNDS * round_us, round_us)
        for act in acts
    ]
    scores = score(acted, [one for one in heard if isinstance(one, Began)], catalog())
    return {
        "pictures": wanted,
        "frames": summary.frames,
        "dropped": max(0, wanted - summary.frames),
        "age_when_read_frames": _in_frames(read),
        "age_when_sent_frames": _in_frames(sent),
        "gestures_acted": sum(one.acted for one in scores),
        "gestures_lost": sum(one.missed for one in scores),
        "gestures_false": sum(one.false for one in scores),
        "events_twice": twice(heard),
        "keys_sent": len(keys),
        "keys_received": len(received_us),
    }


def twice(events: Sequence[Began | Ended]) -> int:
    """Count the events that had been told already: begun while begun, ended while ended."""
    begun, again = set[tuple[str, str]](), 0
    for event in events:
        key = (event.gesture, event.side)
        if isinstance(event, Began) == (key in begun):
            again += 1
        (begun.add if isinstance(event, Began) else begun.discard)(key)
    return again


def _as_sent(rgb: Picture) -> bytes:
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    if not done:
        raise GesturectlError("this OpenCV was built without JPEG; install its wheel from PyPI")
    return encoded.tobytes()


@contextmanager
def _busy(count: int) -> Iterator[None]:
    """Keep so many cores busy with processes like any other; they end with this one."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for one in busy:
            one.kill()
            one.wait()


def _in_frames(ages_us: Sequence[int]) -> dict[str, float]:
    frames = [age_us / STEP_US for age_us in ages_us[WARM_UP:]]
    return {**spread(frames), "max": max(frames)}


def show(figures: Figures, console: Console) -> None:
    """Print the runs beside each other."""
    runs = [figures[name] for name in RUNS]
    table = Table("", *(f"beside {one['busy_processes']} busy processes" for one in runs), box=None)
    for name in ("read", "sent"):
        for part in ("p50", "p95", "p99", "max"):
            ages = [one[f"age_when_{name}_frames"][part] for one in runs]
            told = (f"{age:.2f} frames, {age * STEP_US / 1e3:.0f} ms" for age in ages)
            table.add_row(f"age when {name}, {part}", *told)
    for name, (key, whole) in COUNTS.items():
        table.add_row(name, *(f"{one[key]} of {one[whole]}" for one in runs))
    table.add_row("events told twice", *(str(one["events_twice"]) for one in runs))
    console.print(table)


COUNTS: Final = {
    "pictures dropped": ("dropped", "pictures"),
    "gestures lost": ("gestures_lost", "gestures_acted"),
    "gestures nobody made": ("gestures_false", "gestures_acted"),
    "keys received": ("keys_received", "keys_sent"),
}
