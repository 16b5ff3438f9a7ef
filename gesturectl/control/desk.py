"""The frame loop's side of control: it takes tickets between frames, and says what happened.

    server thread    ask() ──▶ tickets ─┐                        ┌─▶ outbox ──▶ take()
    frame thread                        └─▶ between(loop) ──┬────┘      ▲
                                             note(step) ────┴───────────┘

Both queues are deques, whose appends take no lock, and both are bounded: of each client one ticket
waits at most, and what happens while the outbox is full is counted, not kept. A ticket is answered
after it took effect. At most `AT_ONCE` are taken between two frames, so that hundreds of clients
make each other wait, and never a frame.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple

from gesturectl import __version__, profile
from gesturectl.actions import Action
from gesturectl.control.glance import Glance, in_control
from gesturectl.control.wire import Json, Request
from gesturectl.daemon import LATENCY, STAGES, Loop, Meters, OnStep
from gesturectl.engine import Step
from gesturectl.errors import ControlError, GesturectlError, SinkError
from gesturectl.fields import advise
from gesturectl.jsonl import to_json
from gesturectl.rig import Rig
from gesturectl.rules import ACTIVE, BACK, SLEEP, Profile
from gesturectl.types import Began, Ended, Notice, Stages

AT_ONCE: Final = 4  # tickets between two frames: together some 0.1 ms
MAX_NEWS: Final = 1024  # steps and states that wait for the server thread
RECENT: Final = 32  # gestures and modes that are remembered
SHOWN: Final = 5  # of them in a status
READING_S: Final = 1.0  # between two readings of a profile, which takes longer than a frame
MAX_ACTION: Final = 4096  # letters; the longest text that an action types is shorter

Answer = Callable[[], Json]
"""What is answered; worked out by the server thread, from copies that the loop has made."""


class State(NamedTuple):
    """What followers are told of when it changes."""

    paused: bool
    locked: bool
    frames: bool
    problem: str | None
    profile: str | None
    mode: str
    advice: str | None = None
    away: str | None = None
    refused: str | None = None

    def to_json(self, t_us: int) -> Json:
        """Return it as the object of its line."""
        return {"t_us": t_us, "type": "state", **self._asdict()}


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request of one client, ready to be carried out. `modes` are those it was read for."""

    client: int
    request: Request
    actions: tuple[Action, ...] = ()
    modes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answered:
    """A ticket that took effect, or did not: then `answer` raises why."""

    ticket: Ticket
    answer: Answer


News = Answered | Step | Json


class Desk:
    """Answers tickets for one run. `wake` is called when there is something in the outbox.

    While nobody has `followed`, nothing is put there but answers; `shown` says that a display wants
    to be told what it shows.
    """

    def __init__(self, rig: Rig, wake: Callable[[], None] = lambda: None) -> None:
        self.wake = wake
        self.followed = False
        self.shown = False
        self.lost = 0  # lines that found the outbox full, ever
        self.modes = _modes(rig.profile)
        self.state = State(False, False, False, None, None, ACTIVE)
        self._rig, self._known = rig, rig.profile
        self._tickets: deque[Ticket] = deque()
        self._outbox: deque[News] = deque()
        self._recent: deque[tuple[Began | Ended | Notice, Stages | None]] = deque(maxlen=RECENT)
        self._started_s = time.monotonic()
        self._read_s = -READING_S
        self._glance = Glance()

    # --- for the server thread ---

    def ask(self, client: int, request: Request, *, urgent: bool) -> None:
        """Put a request in the queue.

        Raises:
            ControlError: it is an action that cannot be done.
        """
        ticket = Ticket(client, request)
        if request.ask == "do":
            modes = self.modes
            ticket = Ticket(client, request, self._understood(str(request.value), modes), modes)
        (self._tickets.appendleft if urgent else self._tickets.append)(ticket)

    def take(self) -> News | None:
        """Return the oldest of what was answered and what happened."""
        try:
            return self._outbox.popleft()
        except IndexError:
            return None

    def dismiss(self) -> None:
        """Answer all that waits: the run is over."""

        def over() -> Json:
            raise ControlError("gesturectl is ending")

        while self._tickets:
            self._outbox.append(Answered(self._tickets.popleft(), over))

    # --- for the frame loop ---

    def between(self, loop: Loop) -> None:
        """Carry out what is asked for; tell of a state that has changed."""
        count = min(len(self._tickets), AT_ONCE)
        for _ in range(count):
            ticket = self._tickets.popleft()
            try:
                answer = HANDLERS[ticket.request.ask](self, loop, ticket)
            except SinkError as error:
                self._outbox.append(Answered(ticket, _raising(error)))
                raise  # nothing can be delivered any more
            except GesturectlError as error:
                answer = _raising(error)
            self._outbox.append(Answered(ticket, answer))
        rig = self._rig
        state = State(
            loop.control.paused,
            loop.control.locked,
            not loop.idle,
            loop.source.problem,
            rig.choice.profile,
            loop.engine.mode,
            loop.meters.advice,
            loop.control.away,
            loop.refused,
        )
        if rig.profile is not self._known:
            self._known, self.modes = rig.profile, _modes(rig.profile)
        if state != self.state:
            self.state = state
            if self.followed:
                self._tell(state.to_json(loop.t_us), 1)
                count += 1
        if self.shown:
            row = self._glance.changed(loop, state._asdict(), rig.profile)
            if row is not None:
                self._tell(row, 1)
                count += 1
        if count:
            self.wake()

    def noting(self, on_step: OnStep) -> OnStep:
        """Return what notes each step for followers, after it was shown."""

        def note(t_us: int, step: Step, meters: Meters) -> None:
            on_step(t_us, step, meters)
            if step.events or step.requests:
                self._recent.extend((one, step.stages) for one in (*step.events, *step.requests))
            if self.shown:
                self._glance.note(step)
            if self.followed and (step.events or step.commands or step.requests):
                lines = len(step.events) + len(step.commands) + len(step.requests)
                self._tell(step, lines)
                self.wake()

        return note

    def _tell(self, news: Step | Json, lines: int) -> None:
        if len(self._outbox) < MAX_NEWS:
            self._outbox.append(news)
        else:
            self.lost += lines

    # --- what can be asked ---

    def status(self, loop: Loop, ticket: Ticket) -> Answer:
        meters, control = loop.meters, loop.control
        rings = {name: tuple(meters.stages_ms.get(name, ())) for name in (*STAGES, LATENCY)}
        recent = [one for one, _ in self._recent if isinstance(one, Began)][-SHOWN:]
        t_us, flows = loop.t_us, not loop.idle and meters.frames > 0
        known: Json = {
            "version": __version__,
            "pid": os.getpid(),
            "uptime_s": round(time.monotonic() - self._started_s, 1),
            "source": loop.source.description,
            "problem": loop.source.problem,
            "profile": self._rig.choice.profile,
            "mode": loop.engine.mode,
            "modes": sorted(_modes(self._rig.profile)),
            "paused": control.paused,
            "locked": control.locked,
            "away": control.away,
            "advice": meters.advice,
            "control": in_control(loop),
            "frames": meters.frames,
            "frames_per_s": round(meters.rate_hz, 1) if flows else 0.0,
            "power": power(loop),
        }
        held, counts = list(loop.ledger.held), (meters.events, meters.commands)

        def answer() -> Json:
            return known | {
                "latency_ms": spread(rings[LATENCY]),
                "spent_ms": {name: spread(rings[name]) for name in STAGES},
                "held": held,
                "events": counts[0],
                "commands": counts[1],
                "recent": [
                    {
                        "gesture": one.gesture,
                        "side": one.side,
                        "seconds_ago": round((t_us - one.t_us) / 1e6, 1),
                    }
                    for one in recent
                ],
            }

        return answer

    def pause(self, loop: Loop, ticket: Ticket) -> Answer:
        loop.control.paused = True
        loop.rest()
        return _nothing_more

    def resume(self, loop: Loop, ticket: Ticket) -> Answer:
        loop.control.paused = False
        return (lambda: {"locked": True}) if loop.control.locked else _nothing_more

    def mode(self, loop: Loop, ticket: Ticket) -> Answer:
        name = str(ticket.request.value)
        known = {*_modes(self._rig.profile), BACK}
        if name not in known:
            of = f" in the profile {self._rig.choice.profile}" if self._rig.choice.profile else ""
            raise ControlError(f"there is no mode `{name}`{of}; {advise(name, sorted(known))}")
        step = loop.engine.enter(name, loop.t_us)
        loop.send(step)
        loop.tell(step)
        return _now_in(loop.engine.mode)

    def profile(self, loop: Loop, ticket: Ticket) -> Answer:
        self._reload(loop, str(ticket.request.value))
        return _nothing_more

    def reload(self, loop: Loop, ticket: Ticket) -> Answer:
        self._reload(loop, None)
        return _nothing_more

    def events(self, loop: Loop, ticket: Ticket) -> Answer:
        state, recent = self.state.to_json(loop.t_us), tuple(self._recent)
        if ticket.request.value:
            return lambda: {"state": state}
        return lambda: {"state": state, "events": [to_json(*one) for one in recent]}

    def show(self, loop: Loop, ticket: Ticket) -> Answer:
        state = self.state._asdict()
        row = {"t_us": loop.t_us, "type": "show"}
        row |= self._glance.row(loop, state, self._rig.profile)
        return lambda: {"show": row}

    def do(self, loop: Loop, ticket: Ticket) -> Answer:
        self._check_possible(loop, ticket)
        dropped = loop.engine.state.dropped
        step = loop.engine.perform(ticket.actions, loop.t_us)
        loop.send(step)
        loop.tell(step)
        if loop.engine.state.dropped > dropped:
            raise ControlError("too many actions at once: the profile's rate limit has dropped it")
        if loop.another is not None:
            name, loop.another = loop.another, None
            self._reload(loop, name)
        return _nothing_more

    def panic(self, loop: Loop, ticket: Ticket) -> Answer:
        loop.release()
        if SLEEP not in _modes(self._rig.profile):
            loop.control.paused = True
            loop.rest()
            return lambda: {"paused": True}
        step = loop.engine.enter(SLEEP, loop.t_us)
        loop.send(step)
        loop.tell(step)
        return _now_in(loop.engine.mode)

    def quit(self, loop: Loop, ticket: Ticket) -> Answer:
        loop.control.stop = True
        loop.rest()
        return _nothing_more

    # --- help ---

    def _reload(self, loop: Loop, name: str | None) -> None:
        now_s = time.monotonic()
        if now_s - self._read_s < READING_S:
            raise ControlError("a profile was read less than a second ago; ask again in a second")
        try:
            loop.reload(name)
        finally:
            self._read_s = time.monotonic()

    def _understood(self, text: str, modes: frozenset[str]) -> tuple[Action, ...]:
        if len(text) > MAX_ACTION:
            raise ControlError(f"an action of more than {MAX_ACTION} letters is not read")
        choice = self._rig.choice
        return profile.parse_actions(
            text,
            "the action",
            modes=modes,
            allow_run=choice.allow_run,
            allow_hosts=choice.allow_hosts,
        )

    def _check_possible(self, loop: Loop, ticket: Ticket) -> None:
        """Refuse what could not be done, or not now: nobody would be told of it later."""
        if self._rig.profile is None:
            raise ControlError("without a profile nothing is sent; give `run` a --profile")
        if loop.control.paused:
            raise ControlError("gesturectl is paused; `gesturectl ctl resume` first")
        if loop.control.locked:
            raise ControlError("the screen is locked: nothing is sent until it is unlocked")
        if ticket.modes != _modes(self._rig.profile):
            raise ControlError("the profile has just changed; ask again")
        if loop.idle and any(one.spec.lasts_us(one.value) for one in ticket.actions):
            raise ControlError("no pictures come, and without them no time passes: it cannot wait")
        names = frozenset(key for one in ticket.actions for key in one.spec.keys(one.value))
        kinds = frozenset(
            type(deed) for one in ticket.actions for deed in one.spec.press(one.value, 0)
        )
        wrong = {**loop.sink.check_keys(names), **loop.sink.check_kinds(kinds)}
        if wrong:
            raise ControlError("; ".join(f"{name}: {reason}" for name, reason in wrong.items()))


Handler = Callable[[Desk, Loop, Ticket], Answer]

HANDLERS: Final[dict[str, Handler]] = {
    "status": Desk.status,
    "pause": Desk.pause,
    "resume": Desk.resume,
    "mode": Desk.mode,
    "profile": Desk.profile,
    "reload": Desk.reload,
    "events": Desk.events,
    "show": Desk.show,
    "do": Desk.do,
    "panic": Desk.panic,
    "quit": Desk.quit,
}


def spread(times_ms: tuple[float, ...]) -> Json | None:
    """Return median, 95th and 99th percentile, or None where nothing was measured."""
    if not times_ms:
        return None
    ordered = sorted(times_ms)
    last = len(ordered) - 1
    return {
        "median": round(median(ordered), 2),
        "p95": round(ordered[int(0.95 * last)], 2),
        "p99": round(ordered[int(0.99 * last)], 2),
    }


def power(loop: Loop) -> Json | None:
    """Return what the run may cost, and what it does; None for one that may cost all there is."""
    told = loop.spending
    if told is None:
        return None
    most, share = told.pace.hz, told.pace.share
    return {
        "preset": told.preset,
        "most_frames_per_s": None if most is None else round(most, 1),
        "cpu": None if share is None else round(share, 3),
        "max_cpu": told.max_cpu,
        "kept": told.pace.kept,
        "enough": told.pace.enough,
    }


def _modes(chosen: Profile | None) -> frozenset[str]:
    return frozenset({ACTIVE} if chosen is None else chosen.modes)


def _nothing_more() -> Json:
    return {}


def _now_in(mode: str) -> Answer:
    return lambda: {"mode": mode}


def _raising(error: GesturectlError) -> Answer:
    def answer() -> Json:
        raise error

    return answer
