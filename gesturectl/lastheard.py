"""What the daemon last acted on, kept for `gesturectl wrong`: one small trace, only where it helps.

What is kept, and where: while a profile listens to a gesture that the user has taught, the last
three seconds of landmarks in memory; when such a gesture begins, these and the second after it in
one file in the state folder of the platform, in place of the one before. When a shipped gesture
that is listened to begins, the file holds its name and no landmarks. Nothing is kept of whoever has
taught nothing; `gesturectl forget`, `wrong` and `privacy delete` remove the file, and a daemon that
knows the gestures of somebody who has deleted them meanwhile writes it no more.

    landmarks   --|=============B====|------     B  an own gesture begins
                  KEPT_US before     AFTER_US: written here, or sooner when the run ends

A thread writes, and whoever hands something over never waits for it: while a disk hangs only the
newest waits, which would take the place of the others anyway. At the end of a run it is waited for.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import Final, NamedTuple

import platformdirs

from gesturectl.engine import Step
from gesturectl.errors import GesturectlError, TraceError
from gesturectl.logfile import CLOSE_S
from gesturectl.trace import TraceWriter, read_trace
from gesturectl.types import Began, Observation

log = logging.getLogger(__name__)

KEPT_US: Final = 3_000_000
# Without it, the same mistake was made again a second later, by what the hand did next (a stroke
# taken for a drawn Z, replayed after `wrong`); with it, in three of three cases it was not.
AFTER_US: Final = 1_000_000
_MAX_FRAMES: Final = 1_000


def file() -> Path:
    """Return where the last activation is kept."""
    return platformdirs.user_state_path("gesturectl") / "last-heard.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Heard:
    """An activation: the gesture, what was seen around it (empty for shipped ones), and when.

    `at_s` is the wall clock's time in seconds, as files have it.
    """

    gesture: str
    seen: tuple[Observation, ...]
    at_s: float


class _Handed(NamedTuple):
    """What is to be written: an activation, what was seen around it, and whether to keep any."""

    gesture: str
    frames: tuple[Observation, ...]
    wanted: Callable[[], bool]


class Writer:
    """Writes the file of one run, by a thread of its own that lives while there is work."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()  # never held while something is written
        self._next: _Handed | None = None
        self._thread: Thread | None = None
        self._ended = False

    def put(
        self, gesture: str, frames: tuple[Observation, ...], wanted: Callable[[], bool]
    ) -> None:
        """Have this written in place of all before it. Never waits for the disk."""
        with self._lock:
            if self._ended:
                return
            self._next = _Handed(gesture, frames, wanted)
            if self._thread is None:
                self._thread = Thread(target=self._write_all, name="last heard", daemon=True)
                self._thread.start()

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Wait until all is on disk; give it up where that hangs."""
        with self._lock:
            self._ended, thread = True, self._thread
        if thread is None:
            return
        thread.join(timeout_s)
        if thread.is_alive():
            log.warning("the last gesture is not kept for `gesturectl wrong`: its disk hangs")

    def _write_all(self) -> None:
        while True:
            with self._lock:
                handed, self._next = self._next, None
                if handed is None:
                    self._thread = None
                    return
            _write(self._path, *handed)


class Memory:
    """Notes every observation, and has written down what was seen around an activation.

    `own` are the gestures that the user has taught, `listened` those that the profile acts on.
    `wanted` says whether they still are on disk.
    """

    def __init__(
        self,
        writer: Writer,
        own: Collection[str],
        listened: Collection[str],
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._writer = writer
        self._wanted = wanted
        self._listened = frozenset(listened)
        self._own = frozenset(own) & self._listened
        self._past: deque[Observation] = deque()
        self._begun: Began | None = None  # an own gesture whose second has not passed

    def note(self, observation: Observation, step: Step) -> None:
        """Take one frame and what came of it. What goes wrong is logged, never raised."""
        if not self._own:
            return
        past = self._past
        if past and past[-1].size_px != observation.size_px:
            self.finish()
            past.clear()  # a trace has one size
        past.append(observation)
        for event in step.events:
            if isinstance(event, Began) and event.gesture in self._listened:
                known = event.gesture in self._own
                self._begun = event if known else None
                if not known:
                    self._writer.put(event.gesture, (_nobody(observation),), self._wanted)
        if self._begun is not None and observation.t_us - self._begun.t_us >= AFTER_US:
            self.finish()
        last_us = observation.t_us if self._begun is None else self._begun.t_us
        while past[0].t_us < last_us - KEPT_US:
            past.popleft()

    def finish(self) -> None:
        """Hand over what has begun, without the rest of the second after it."""
        if self._begun is not None:
            # The key press is out already. To compress 120 frames takes 50 ms, longer than a frame.
            self._writer.put(self._begun.gesture, tuple(self._past), self._wanted)
            self._begun = None


def _nobody(observation: Observation) -> Observation:
    return Observation(observation.t_us, (), (), observation.size_px)


def _write(
    path: Path, gesture: str, frames: tuple[Observation, ...], wanted: Callable[[], bool]
) -> None:
    if not wanted():
        return
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with TraceWriter(path, frames[0].size_px, "gesturectl run", part=part) as writer:
            for observation in frames:
                writer.write(observation, gesture)
        # `privacy delete` removes the gestures first and this file after them: whichever of the two
        # came in between, nothing stays.
        if not wanted():
            path.unlink(missing_ok=True)
    except (GesturectlError, OSError) as error:
        log.warning("what was last heard cannot be kept for `gesturectl wrong`: %s", error)


def read(path: Path | None = None) -> Heard | None:
    """Return the last activation, or None where there is none.

    Raises:
        TraceError: the file is damaged; it is removed by the next activation, or by hand.
    """
    path = path or file()
    frames: list[Observation] = []
    gesture = None
    try:
        at_s = path.stat().st_mtime
        for observation, label in read_trace(path):
            gesture = gesture or label
            frames.append(observation)
            if len(frames) > _MAX_FRAMES:
                raise TraceError(f"{path}: too long to be ours; delete it")
    except FileNotFoundError:
        return None
    if gesture is None:
        raise TraceError(f"{path}: it names no gesture; delete it")
    seen = tuple(frames) if any(o.hands or o.bodies for o in frames) else ()
    return Heard(gesture, seen, at_s)


def remove(heard: Heard | None = None) -> None:
    """Remove what was kept; with `heard` only where that is still the last activation."""
    path = file()
    try:
        if heard is None or path.stat().st_mtime == heard.at_s:
            path.unlink()
    except FileNotFoundError:
        pass
