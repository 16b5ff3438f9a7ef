"""The loop: four calls take a picture to a key press.

    source.read() → Frame → landmarker.detect() → Observation → engine.step() → Step → sink.send()

A source that knows the landmarks already (a trace) skips the second call.

What goes down comes up. The ledger notes every key and button that is held, and everything is
released when frames stop coming, on pause, on reload, when the source ends, on SIGINT and SIGTERM,
and when anything raises, whatever it is:

    frames   F F F F . . . . . . F F F         . none within `stall_s`
    release            ^ once per stall        afterwards the loop goes on as if just started

The frame is the only clock of all decisions. The wall clock is read here for one purpose, the
figures of `Meters`, which steer nothing: how long each stage took, and for a live source when each
frame had passed it (`Stages`).

    captured ─ read ─ landmarks ─ recognised ─ mapped ─ injected
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median
from types import FrameType

from gesturectl import pace
from gesturectl.advice import Advisor
from gesturectl.engine import Core, InControl, Step
from gesturectl.errors import GesturectlError, SinkError
from gesturectl.jsonl import COMMAND_NAMES, to_line
from gesturectl.landmarks import Landmarker
from gesturectl.ledger import Ledger
from gesturectl.pace import Spending
from gesturectl.sinks import Sink
from gesturectl.sources import EndOfSource, Foretelling, Paced, Resting, Source
from gesturectl.types import (
    Began,
    ButtonDown,
    Command,
    Ended,
    Frame,
    KeyDown,
    MoveBy,
    MoveTo,
    Mqtt,
    Notify,
    Observation,
    Osc,
    Run,
    Say,
    Stages,
    Text,
    UseProfile,
    UserInput,
    Webhook,
    Window,
)

log = logging.getLogger(__name__)

STALL_S = 0.5  # a camera in the dark still gives 5 frames a second; half a second is a stall
PRIVATE = (Text, Notify, Say, Webhook, Osc, Mqtt)  # what they say is logged for debugging alone
STAGES = Stages._fields[1:]  # in which time is spent; a picture that is captured begins it
WORK = STAGES[1:]  # those that keep us busy
LATENCY = "latency"  # all of it: captured to injected
RECENT = 256  # frames that the figures look back on: about ten seconds


@dataclass(slots=True)
class Control:
    """What the outside asks of the loop. Set by signals and other threads, read between frames.

    Plain attributes on purpose: assigning one is atomic, while setting a `threading.Event` inside
    a signal handler can wait for a lock that the interrupted code holds.
    """

    stop: bool = False
    paused: bool = False
    locked: bool = False  # nobody is there: the screen is locked, or the machine sleeps
    away: str | None = None  # who is to have the camera instead, in words
    reload: bool = False
    signal: int | None = None  # the signal that asked to stop

    @property
    def off(self) -> bool:
        """Whether no gesture may act, pictures are not looked at, and a camera is let go of."""
        return self.paused or self.locked or self.away is not None


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something takes: the middle and the tail, in milliseconds."""

    median_ms: float
    p99_ms: float


@dataclass(slots=True)
class Meters:
    """Figures of the last frames, in rings of fixed size.

    `clock_us` is the clock that stamps the frames, where they are live.
    """

    clock_us: Callable[[], int] | None = None
    frames: int = 0
    events: int = 0
    commands: int = 0
    stamps_us: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))
    stages_ms: dict[str, deque[float]] = field(default_factory=dict)
    advice: str | None = None  # what would let the camera see better
    _passed_us: dict[str, int] = field(default_factory=dict)  # when this frame passed each stage
    _since_us: int = 0  # when it passed the last

    def note(self, stage: str, elapsed_ms: float) -> None:
        """Add one duration of a stage."""
        self.stages_ms.setdefault(stage, deque(maxlen=RECENT)).append(elapsed_ms)

    def begin(self, t_us: int) -> None:
        """Take the time at which a frame was read; it was captured at `t_us`."""
        self._passed_us.clear()
        if self.clock_us is None:
            self._since_us = _elapsed_us()
        else:
            self._since_us = t_us
            self.lap("read")

    def lap(self, stage: str) -> None:
        """A frame has passed a stage: add how long that took."""
        now_us = _elapsed_us() if self.clock_us is None else self.clock_us()
        self.note(stage, (now_us - self._since_us) / 1e3)
        self._since_us = self._passed_us[stage] = now_us

    def passed(self, t_us: int) -> Stages | None:
        """Return when the frame captured at `t_us` had passed each stage; None without a clock."""
        if self.clock_us is None:
            return None
        self.note(LATENCY, (self._since_us - t_us) / 1e3)
        known, last_us = self._passed_us, t_us
        times = [last_us := known.get(stage, last_us) for stage in STAGES]
        return Stages(0, *(at_us - t_us for at_us in times))

    @property
    def rate_hz(self) -> float:
        """Frames per second by the frames' own stamps, since they come without a pause."""
        if len(self.stamps_us) < 2 or self.stamps_us[-1] == self.stamps_us[0]:
            return 0.0
        return (len(self.stamps_us) - 1) * 1e6 / (self.stamps_us[-1] - self.stamps_us[0])

    def busy_ms(self) -> float:
        """How long a frame keeps us busy, the median of its stages together."""
        return sum(median(self.stages_ms.get(stage, (0.0,))) for stage in WORK)

    def spread(self) -> dict[str, Spread]:
        """Return median and 99th percentile of every stage."""
        return {
            stage: Spread(median(ring), sorted(ring)[int(0.99 * (len(ring) - 1))])
            for stage, ring in self.stages_ms.items()
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did and why it ended. `signal` is the one that ended it, if one did."""

    frames: int
    events: int
    commands: int
    rate_hz: float
    stages: dict[str, Spread]
    reason: str
    signal: int | None = None


@dataclass(slots=True)
class Loop:
    """What runs, for whoever is let in between two frames: to look at it, and to change it.

    It belongs to the loop's own thread. `t_us` is the time of the last frame. While `idle`, stalled
    or paused, everything is released and stays so until the next frame. `another` is the profile
    that a binding asks for. `refused` says why the profile was not read anew, until it is.
    `reading` reads profiles, `watcher` is told of every step. `in_control` says who controls, where
    several people may. `spending` says what the run may cost; it is given by who lets it cost less.
    """

    source: Source
    landmarker: Landmarker | None
    engine: Core
    sink: Sink
    ledger: Ledger
    control: Control
    meters: Meters = field(default_factory=Meters)
    reading: Reload | None = None
    watcher: OnStep | None = None
    t_us: int = 0
    idle: bool = False
    another: str | None = None
    in_control: InControl | None = None
    refused: str | None = None
    spending: Spending | None = None

    @property
    def most_hz(self) -> float | None:
        """How many pictures a second are looked at, at most; None is all that come."""
        return None if self.spending is None else self.spending.pace.hz

    def send(self, step: Step) -> None:
        """Deliver what a step commands, and take note of what it asks for."""
        deliver(step.commands, self.sink, self.ledger)
        for request in step.requests:
            if isinstance(request, UseProfile):
                self.another = request.name

    def tell(self, step: Step) -> None:
        """Count, log and show what happened."""
        _report(step, self.t_us, self.meters, self.watcher)

    def release(self) -> None:
        """Let go of everything.

        Raises:
            SinkError: something could not be let go, after all the rest was tried.
        """
        self.tell(let_go(self.engine, self.sink, self.ledger, self.t_us))

    def rest(self) -> None:
        """Let go of everything, once, until there are frames to go on with."""
        if not self.idle:
            self.idle = True
            control = self.control
            why = "locked" if control.locked else "paused" if control.paused else control.away
            why = why or "no frame"
            log.info("%s: released", why)
            self.release()

    def hear(self, news: tuple[Window | UserInput, ...]) -> None:
        """Take in what happened on the desktop while everything rests."""
        step = self.engine.hear(news)
        if step.commands or step.requests:
            self.send(step)
            self.tell(step)

    def reload(self, name: str | None = None) -> None:
        """Go on with the profile as it is on disk, or with another one by its name.

        Raises:
            GesturectlError: that profile is not sound; nothing has changed.
        """
        if self.reading is None:
            raise GesturectlError("this run cannot read profiles anew")
        landmarker, engine = self.reading(name)
        self.refused = None
        log.warning("reloaded" if name is None else f"now the profile {name}")
        self.release()
        engine.take_over(self.engine)
        self.landmarker, self.engine = landmarker, engine


Between = Callable[[Loop], None]
"""Let in between two frames, and at least every `stall_s` while there are none."""
Outside = Callable[[int], tuple[Window | UserInput, ...]]
"""Told the time of a frame; says which window is in front, and whether real keys were used."""
OnStep = Callable[[int, Step, Meters], None]
"""Told of every step and every release: its time in microseconds, itself, the figures so far."""
Remember = Callable[[Observation, Step], None]
"""Told of every frame, after its commands were sent: what was seen, what came of it."""
Handler = Callable[[int, FrameType | None], None]
Reload = Callable[[str | None], tuple[Landmarker | None, Core]]
"""Reads the profile anew, or another one by its name, and makes what it needs."""


def run(
    source: Source,
    landmarker: Landmarker | None,
    engine: Core,
    sink: Sink,
    ledger: Ledger,
    *,
    control: Control | None = None,
    reload: Reload | None = None,
    outside: Outside | None = None,
    between: Between | None = None,
    on_step: OnStep | None = None,
    remember: Remember | None = None,
    clock_us: Callable[[], int] | None = None,
    stall_s: float = STALL_S,
) -> Summary:
    """Take frames to commands until the source ends or `control.stop` is set.

    `landmarker` may be None for a source of observations. `reload` is called when `control.reload`
    is set and when a binding asks for another profile; it returns what replaces landmarker and
    engine, or raises and leaves them as they are.
    `outside` tells what has happened on the desktop since the last frame. `between` answers what
    others ask of the daemon.
    `clock_us` is the clock that stamps the frames of a live source; with it each step tells when
    its frame had passed which stage, from the capture of a picture to the commands sent for it.

    Raises:
        SourceError: the source failed for good.
        SinkError: commands cannot be delivered any more.
    """
    control = control or Control()
    meters = Meters(clock_us)
    loop = Loop(source, landmarker, engine, sink, ledger, control, meters, reload, on_step)
    reason = "stopped"
    problem: str | None = None
    advisor = Advisor()
    resting = source if isinstance(source, Resting) else None
    recognised = partial(meters.lap, "recognised")
    paced = source if isinstance(source, Paced) else None
    foretelling = source if isinstance(source, Foretelling) else None
    next_us = 0
    try:
        while True:
            sink.beat()
            if between is not None:
                between(loop)
            if control.stop:
                break
            if reload is not None and (control.reload or loop.another is not None):
                control.reload = False
                name, loop.another = loop.another, None
                _reload_or_say(loop, name)
            if resting is not None:
                resting.rest(control.off)
            if paced is not None:
                paced.pace(loop.most_hz)
            try:
                item = source.read(stall_s)
            except EndOfSource:
                reason = "end of source"
                break
            if (ails := source.problem) != problem:
                problem = ails
                log.warning("%s", problem or "pictures again")
            if item is None or control.off:
                meters.advice = None
                loop.rest()
                if outside is not None:
                    loop.hear(outside(loop.t_us))
                continue
            if loop.idle:
                loop.idle = False
                meters.stamps_us.clear()  # a rate across the pause would be that of a dark room
                log.info("frames again")

            wanted, next_us = pace.due(next_us, item.t_us, None if paced else loop.most_hz)
            if not wanted:
                continue
            t_us = loop.t_us = item.t_us
            meters.begin(t_us)
            if isinstance(item, Observation):
                observation = item
            else:
                if loop.landmarker is None:
                    raise TypeError("a source of frames needs a landmarker")
                observation = loop.landmarker.detect(item)
                meters.lap("landmarks")
            news = outside(t_us) if outside is not None else ()
            step = loop.engine.step(observation, news, recognised)
            loop.in_control = step.control
            meters.lap("mapped")
            loop.send(step)
            meters.lap("injected")
            step = replace(step, stages=meters.passed(t_us))

            if remember is not None:
                remember(observation, step)
            if isinstance(item, Frame):
                seen = step.control.observation if step.control else observation
                # Of a rate that we chose ourselves nothing can be told about the light.
                rate_hz = meters.rate_hz if loop.most_hz is None else 0.0
                advice = advisor.look(item, seen, rate_hz, meters.busy_ms)
                if advice != meters.advice:
                    meters.advice = advice
                    log.info("%s", advice or "the camera sees well again")
            meters.frames += 1
            meters.stamps_us.append(t_us)
            loop.tell(step)
            # A run that spends less may leave out any frame; else this recording's come as told.
            if foretelling is not None and loop.spending is None:
                coming = foretelling.foretell()
                if coming:
                    loop.engine.foresee(coming)
    finally:
        released = let_go(loop.engine, sink, ledger, loop.t_us)
    loop.tell(released)
    return Summary(
        frames=meters.frames,
        events=meters.events,
        commands=meters.commands,
        rate_hz=meters.rate_hz,
        stages=meters.spread(),
        reason=reason,
        signal=control.signal,
    )


def _elapsed_us() -> int:
    return time.perf_counter_ns() // 1000


def deliver(commands: Iterable[Command], sink: Sink, ledger: Ledger) -> None:
    """Send commands in order, so that the ledger is right wherever a send may fail.

    A press is noted before it is sent, a release after: of a command that failed halfway, the
    ledger holds what may be down. Releasing once too often is harmless.
    """
    for command in commands:
        if isinstance(command, KeyDown | ButtonDown):
            ledger.note(command)
            sink.send(command)
        elif isinstance(command, Run):
            _start(command, sink)
        else:
            sink.send(command)
            ledger.note(command)


def _start(command: Run, sink: Sink) -> None:
    """Start a program. One that is missing must not end gestures for all others."""
    try:
        sink.send(command)
    except SinkError as error:
        log.warning("%s", error)


def let_go(engine: Core, sink: Sink, ledger: Ledger, t_us: int) -> Step:
    """Release everything, and go on releasing when some of it cannot be delivered.

    Returns what ended and what was let go.

    Raises:
        SinkError: the first failure, after all the rest has been tried.
    """
    failure: SinkError | None = None
    step = Step((), (), ())
    try:
        step = engine.release(t_us)
        deliver(step.commands, sink, ledger)
    except SinkError as error:
        failure = error
    finally:
        # The ledger knows what is down, even if a bug above does not let the engine say it.
        rest = ledger.release(t_us)
        for command in rest:
            try:
                sink.send(command)
            except SinkError as error:
                failure = failure or error
    if failure is not None:
        raise failure
    return replace(step, commands=(*step.commands, *rest))


@contextmanager
def signals(control: Control) -> Iterator[None]:
    """Turn signals into requests, for as long as the loop runs.

    SIGINT and SIGTERM ask to stop; a second one leaves at once, after the keys are up. SIGHUP asks
    to reload, unless it came because our terminal was closed: that asks to stop.
    """
    started_on_terminal = _has_terminal()

    def stop(number: int, frame: FrameType | None) -> None:
        if control.stop:
            raise _AtOnce(number)
        control.signal = number
        control.stop = True

    def hang_up(number: int, frame: FrameType | None) -> None:
        if started_on_terminal and not _has_terminal():
            stop(number, frame)
        else:
            control.reload = True

    handlers: dict[int, Handler] = {signal.SIGINT: stop, signal.SIGTERM: stop}
    if hasattr(signal, "SIGHUP"):  # not on Windows
        handlers[signal.SIGHUP] = hang_up
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    except _AtOnce as hurry:
        # `run` has released on its way out; closing the camera and the models may be what hangs.
        os._exit(128 + hurry.number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _AtOnce(BaseException):
    """A second request to stop. Not an Exception: nothing on the way may swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _has_terminal() -> bool:
    if sys.platform == "win32":  # it has no such groups
        return False
    try:
        return os.tcgetpgrp(0) > 0
    except OSError:  # a file, a pipe, a terminal that went away
        return False


def _reload_or_say(loop: Loop, name: str | None) -> None:
    """Reload, or say why not and go on as before.

    Who saved a file is looking at an editor, not at our log: that is told on the desktop, too.
    """
    try:
        loop.reload(name)
    except SinkError:
        raise  # nothing can be delivered any more: no profile would help
    except GesturectlError as error:
        log.warning("not reloaded, the old profile stays: %s", error)
        *_, last = str(error).splitlines()
        loop.refused = f"the old profile stays: {last}"
        _tell(loop.sink, Notify(loop.t_us, f"The old profile stays: {last}"))


def _tell(sink: Sink, command: Notify) -> None:
    try:
        sink.send(command)
    except SinkError as error:  # it could not be shown; it is in the log
        log.info("%s", error)


def _report(step: Step, t_us: int, meters: Meters, on_step: OnStep | None) -> None:
    """Count and log what happened, then tell whoever wants to show it."""
    events = [event for event in step.events if isinstance(event, Began | Ended)]
    meters.events += len(events)
    meters.commands += len(step.commands)
    if log.isEnabledFor(logging.INFO):
        for item in (*events, *step.commands, *step.requests):
            if isinstance(item, PRIVATE):
                log.info("%s", COMMAND_NAMES[type(item)])
            elif not isinstance(item, MoveBy | MoveTo):  # the pointer moves in every frame
                log.info("%s", to_line(item))
    if on_step is not None:
        on_step(t_us, step, meters)
