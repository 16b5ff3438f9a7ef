"""Deliver messages beside the frames: notifications, speech, sounds, webhooks, OSC, MQTT.

    send ──► the last 8 of a kind ──► a thread of the kind ──► desktop, program, host

None of them may hold up a frame, so `send` only puts a message down. Each kind has a line and a
thread of its own, made with its first message: a broker that does not answer silences no voice.
Where more comes in than goes out the oldest is dropped, as nobody wants to hear it any more. What
cannot be delivered is told once and harms nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gesturectl.errors import SinkError
from gesturectl.sinks import network, notices, voices
from gesturectl.types import Mqtt, Notify, Osc, Play, Say, Webhook

log = logging.getLogger(__name__)

Message = Notify | Say | Play | Webhook | Osc | Mqtt
"""The commands that sinks do not carry out themselves; types see to it that all others are."""
Deliver = Callable[[Any], None]

ROOM: Final = 8  # messages of one kind that wait
PATIENCE_S: Final = 1.0  # for what is under way when we close


@dataclass(frozen=True, slots=True)
class Way:
    """How one kind of message is delivered.

    `open` is told which hosts beyond this machine may be talked to; it gives a function that
    delivers a message, and may take its time, or raises SinkError. `missing` returns None where
    it can be delivered here, else the reason and what to do.
    """

    name: str
    open: Callable[[Collection[str]], Deliver]
    missing: Callable[[], str | None]


WAYS: Final[dict[type[Message], Way]] = {
    Notify: Way("notify", lambda hosts: notices.notifier(), notices.missing),
    Say: Way("say", lambda hosts: voices.speak, voices.speech_missing),
    Play: Way("say: {sound: …}", lambda hosts: voices.play, voices.sound_missing),
    Webhook: Way("webhook", network.poster, lambda: None),
    Osc: Way("osc", network.osc_sender, network.osc_missing),
    Mqtt: Way("mqtt", network.publisher, network.mqtt_missing),
}


def check(kinds: Iterable[type[object]]) -> dict[str, str]:
    """Return those kinds of messages that cannot be delivered here, each with the reason."""
    asked = set(kinds)
    reasons = {way.name: way.missing() for kind, way in WAYS.items() if kind in asked}
    return {name: reason for name, reason in reasons.items() if reason is not None}


class Courier:
    """Takes messages from the thread of the frames, and delivers them in threads of its own."""

    def __init__(
        self,
        allow_hosts: Collection[str] = frozenset(),
        ways: Mapping[type[Message], Way] = WAYS,
    ) -> None:
        self._allow_hosts = allow_hosts
        self._ways = ways
        self._lines: dict[type[Message], _Line] = {}

    def send(self, message: Message) -> None:
        """Put a message down to be delivered soon. Never waits, never fails."""
        kind = type(message)
        line = self._lines.get(kind)
        if line is None:
            way = self._ways[kind]
            line = self._lines[kind] = _Line(way.name, way.open(self._allow_hosts))
        line.put(message)

    def close(self, patience_s: float = PATIENCE_S) -> None:
        """Wait a little for what is under way, all kinds at once; leave the rest."""
        until_s = time.monotonic() + patience_s
        for line in self._lines.values():
            line.end()
        for line in self._lines.values():
            line.join(until_s)
        self._lines.clear()


class _Line:
    """The messages of one kind, and the thread that delivers them."""

    def __init__(self, name: str, deliver: Deliver) -> None:
        self._name = name
        self._deliver = deliver
        self._waiting: deque[Message] = deque()
        self._news = threading.Condition()
        self._ended = False
        self._dropped = 0
        self._told: set[str] = set()
        self._thread = threading.Thread(target=self._run, name=f"deliver {name}", daemon=True)
        self._thread.start()

    def put(self, message: Message) -> None:
        with self._news:
            if len(self._waiting) == ROOM:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(message)
            self._news.notify()
        if self._dropped == 1:
            self._tell("more than can be delivered; the oldest are dropped")

    def end(self) -> None:
        with self._news:
            self._ended = True
            self._news.notify()

    def join(self, until_s: float) -> None:
        self._thread.join(max(0.0, until_s - time.monotonic()))
        with self._news:
            left = len(self._waiting)
            self._waiting.clear()
        if self._dropped or left:
            log.info("%s: %d messages were dropped", self._name, self._dropped + left)

    def _next(self) -> Message | None:
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._ended)
            return self._waiting.popleft() if self._waiting else None

    def _run(self) -> None:
        while (message := self._next()) is not None:
            try:
                self._deliver(message)
            except SinkError as error:
                self._tell(str(error))
            except Exception as error:  # of a library; its next message may go through
                self._tell(f"not delivered: {type(error).__name__}; run with -vv to see where")
                log.debug("%s", self._name, exc_info=True)

    def _tell(self, problem: str) -> None:
        """Warn of each problem once, and never of what the message says."""
        if problem not in self._told:
            self._told.add(problem)
            log.warning("%s: %s", self._name, problem)
