"""Small stand-ins at the edges of the system: what the world does, written down as a list.

They replace a camera, an estimator, a trained model, a broken display; never our own logic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Self

import numpy as np

from gesturectl.errors import SinkError
from gesturectl.recogniser import Candidate
from gesturectl.sinks.memory import MemorySink
from gesturectl.sources import EndOfSource
from gesturectl.types import Began, Command, Ended, Frame, Observation, Subject

STEP_US = 33_333


def seen(t_us: int) -> Observation:
    """Nobody, at this time."""
    return Observation(t_us, (), (), (640, 480))


def frame(t_us: int) -> Frame:
    """A small black picture."""
    return Frame(t_us, np.zeros((4, 4, 3), np.uint8))


def frames(count: int, start: int = 0) -> list[Observation]:
    """Observations 0, 1, 2 … of 30 a second."""
    return [seen((start + index) * STEP_US) for index in range(count)]


Happening = Observation | Frame | None | Callable[[], None] | BaseException


class ListSource:
    """Gives what is written down: items, None for a timeout, calls to make, errors to raise."""

    description = "a list"
    problem: str | None = None

    def __init__(self, happenings: Iterable[Happening]) -> None:
        self._happenings = deque(happenings)
        self.closed = False

    def add(self, happenings: Iterable[Happening]) -> None:
        """Write down more."""
        self._happenings += happenings

    def read(self, timeout_s: float) -> Frame | Observation | None:
        while self._happenings:
            happening = self._happenings.popleft()
            if isinstance(happening, BaseException):
                raise happening
            if callable(happening):
                happening()
            else:
                return happening
        raise EndOfSource

    def __enter__(self) -> ListSource:
        return self

    def __exit__(self, *exc: object) -> None:
        self.closed = True


class EmptyLandmarker:
    """Sees nobody in any picture, and remembers which pictures it was shown."""

    def __init__(self) -> None:
        self.shown: list[int] = []

    def detect(self, frame: Frame) -> Observation:
        self.shown.append(frame.t_us)
        return seen(frame.t_us)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


class ScriptedRecogniser:
    """Recognises what it is told: gestures by the number of the frame (30 a second) they begin at.

    `script` maps a frame to words: `+fist` begins, `-fist` ends, an exception is raised.
    """

    candidates: tuple[Candidate, ...] = ()

    def __init__(self, script: Mapping[int, str | Exception], side: Subject = "right") -> None:
        self._script = script
        self._side = side
        self._shown: dict[str, None] = {}

    def step(self, observation: Observation) -> tuple[Began | Ended, ...]:
        words = self._script.get(round(observation.t_us / STEP_US), "")
        if isinstance(words, Exception):
            raise words
        return tuple(self._event(word, observation.t_us) for word in words.split())

    def reset(self, t_us: int) -> tuple[Ended, ...]:
        ended = tuple(Ended(t_us, name, self._side, 0.0) for name in self._shown)
        self._shown.clear()
        return ended

    def _event(self, word: str, t_us: int) -> Began | Ended:
        name = word[1:]
        if word[0] == "+":
            self._shown[name] = None
            return Began(t_us, name, self._side, 0.97)
        self._shown.pop(name, None)
        return Ended(t_us, name, self._side, 0.1)


class FailingSink(MemorySink):
    """A memory sink that refuses the commands of which `refuses` holds."""

    def __init__(self, refuses: Callable[[Command], bool]) -> None:
        super().__init__()
        self._refuses = refuses

    def send(self, command: Command) -> None:
        if self._refuses(command):
            raise SinkError(f"the display refuses {command}")
        super().send(command)
