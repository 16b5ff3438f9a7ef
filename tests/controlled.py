"""A loop that can be controlled, in this process: frames as they are written down, real clients."""

from __future__ import annotations

import json
import socket
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

from gesturectl import daemon, profile
from gesturectl.control import pipes, sockets
from gesturectl.control.desk import Answered, Desk
from gesturectl.control.server import answering
from gesturectl.control.transport import Call, Claim
from gesturectl.control.wire import Lines, Request, Value
from gesturectl.daemon import Control, Reload, Summary
from gesturectl.engine import Engine, Step
from gesturectl.ledger import Ledger
from gesturectl.rig import Choice, Rig
from gesturectl.sinks.memory import MemorySink
from gesturectl.types import Command, Observation
from tests.fakes import Happening, ListSource, ScriptedRecogniser, seen
from tests.pipekernel import StandIn

TIMEOUT_S = 10.0  # of a loaded machine
FRAME_S = 0.002
STEP_US = 33_333

PROFILE = """\
version: 1
modes:
  volume: {}
  sleep: {wake: {gesture: open_palm, hold_for: 800ms}}
bindings:
  - {gesture: fist, while: true, do: {key: space}}
  - {gesture: swipe_left, do: {key: Right}}
"""
SLEEPLESS = "version: 1\nbindings:\n  - {gesture: fist, while: true, do: {key: space}}\n"


def a_rig(
    source: object, script: Mapping[int, str | Exception] | None = None, text: str = PROFILE
) -> Rig:
    """The parts of a run that hears what the script says."""
    chosen = profile.parse(text, "p.yaml")
    engine = Engine(ScriptedRecogniser(script or {}), chosen)  # type: ignore[arg-type]
    choice = Choice("list", "mine", "memory")
    return Rig(choice, chosen, source, None, engine, MemorySink(), ledger=Ledger())  # type: ignore[arg-type]


def sent(rig: Rig) -> list[Command]:
    """What the desktop has seen."""
    assert isinstance(rig.sink, MemorySink)
    return rig.sink.sent


class Counter:
    """Asks a desk in the same thread, and keeps what it says."""

    def __init__(self, rig: Rig) -> None:
        self.desk = Desk(rig)
        self.heard: list[Any] = []

    def ask(self, ask: str, value: Value = None) -> Callable[[], None]:
        """Return what puts a request on the desk, to stand among the frames of a source."""
        return lambda: self.desk.ask(1, Request(ask, value), urgent=False)

    @property
    def answers(self) -> list[dict[str, Any] | str]:
        """All answers so far: their values, or the words of their refusal."""
        self.heard += iter(self.desk.take, None)
        answers: list[dict[str, Any] | str] = []
        for one in self.heard:
            if isinstance(one, Answered):
                try:
                    answers.append(one.answer())
                except Exception as error:  # noqa: BLE001 (whatever is told)
                    answers.append(str(error))
        return answers

    @property
    def news(self) -> list[Step | dict[str, object]]:
        """What followers would be told so far."""
        self.heard += iter(self.desk.take, None)
        return [one for one in self.heard if not isinstance(one, Answered)]


def run(
    rig: Rig,
    counter: Counter,
    happenings: Iterable[Happening],
    *,
    control: Control | None = None,
    reload: Reload | None = None,
    clock_us: Callable[[], int] | None = None,
) -> Summary:
    """Run a loop over what is written down, with a desk."""
    source = rig.source
    assert isinstance(source, ListSource)
    source.add(happenings)
    return daemon.run(
        source,
        None,
        rig.engine,
        rig.sink,
        rig.ledger,
        control=control,
        reload=reload,
        between=counter.desk.between,
        on_step=counter.desk.noting(lambda t_us, step, meters: None),
        clock_us=clock_us,
    )


# --- with clients -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Transport:
    """What `sockets` and `pipes` both give."""

    claim: Callable[[Path], AbstractContextManager[Claim]]
    connect: Callable[..., Call]
    streams: Callable[..., Awaitable[tuple[StreamReader, StreamWriter]]]
    holds: Callable[[int, Path], bool]
    halves: bool  # whether a client can say no more, and still hear


SOCKETS = Transport(sockets.claim, sockets.connect, sockets.streams, sockets.holds, halves=True)


def pipes_in(folder: Path) -> Transport:
    """Named pipes, over what stands in for Windows."""
    kernel = partial(StandIn, folder)
    return Transport(
        partial(pipes.claim, kernel=kernel),
        partial(pipes.connect, kernel=kernel),
        partial(pipes.streams, kernel=kernel),
        partial(pipes.holds, kernel=kernel),
        halves=False,
    )


class SteadySource:
    """Nobody to be seen, in a frame every few milliseconds, until it is closed or told to stall."""

    description = "a steady source"
    problem: str | None = None

    def __init__(self) -> None:
        self.frames = 0
        self.stalls = Event()

    def read(self, timeout_s: float) -> Observation | None:
        time.sleep(FRAME_S)
        if self.stalls.is_set():
            return None
        self.frames += 1
        return seen(self.frames * STEP_US)

    def __enter__(self) -> SteadySource:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


class Running:
    """A daemon in a thread of this process."""

    def __init__(self, rig: Rig, folder: Path, desk: Desk, by: Transport) -> None:
        self.rig, self.folder, self.desk, self.by = rig, folder, desk, by
        self.control = Control()
        self.thread = Thread(target=self._run)

    def _run(self) -> None:
        daemon.run(
            self.rig.source,
            None,
            self.rig.engine,
            self.rig.sink,
            self.rig.ledger,
            control=self.control,
            between=self.desk.between,
            on_step=self.desk.noting(lambda t_us, step, meters: None),
        )

    @property
    def source(self) -> SteadySource:
        assert isinstance(self.rig.source, SteadySource)
        return self.rig.source

    def talk(self) -> Talk:
        """Connect, and hear the greeting."""
        return Talk(self.folder, by=self.by)


@contextmanager
def running(
    folder: Path,
    script: Mapping[int, str | Exception] | None = None,
    text: str = PROFILE,
    by: Transport = SOCKETS,
) -> Iterator[Running]:
    """Run a daemon whose place is a folder, until the context ends."""
    rig = a_rig(SteadySource(), script, text)
    with by.claim(folder) as claim, answering(claim, rig) as desk:
        run = Running(rig, folder, desk, by)
        run.thread.start()
        try:
            yield run
        finally:
            run.control.stop = True
            run.thread.join(TIMEOUT_S)
            assert not run.thread.is_alive()


class Talk:
    """A client that says exactly what it is told to."""

    def __init__(self, folder: Path, *, greeted: bool = True, by: Transport = SOCKETS) -> None:
        self.line = by.connect(folder, timeout_s=TIMEOUT_S)
        self._lines = Lines(1 << 20)
        self.hello = self.hear() if greeted else {}

    def say(self, *rows: object) -> None:
        """Send rows as lines."""
        self.line.sendall(b"".join(json.dumps(row).encode() + b"\n" for row in rows))

    def hear(self) -> dict[str, Any]:
        """Return the next row; empty when the daemon hung up."""
        while (line := self._lines.take()) is None:
            try:
                data = self.line.recv(65_536)
            except ConnectionResetError:
                return {}
            if not data:
                return {}
            self._lines.add(data)
        row: dict[str, Any] = json.loads(line)
        return row

    def ask(self, **row: object) -> dict[str, Any]:
        """Say one row, and return what is answered to it, passing over news."""
        self.say(row)
        while (heard := self.hear()) and heard["type"] != "answer":
            pass
        return heard

    def say_no_more(self) -> None:
        """Close the half through which we speak."""
        assert isinstance(self.line, socket.socket), "only sockets have halves"
        self.line.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.line.close()

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
