"""One thread that reads and writes for all clients, so that the frame loop never meets one.

    poll ─┬─ door:    let in, if it is the user's own process; greet
          ├─ client:  read at most 4 KiB, cut into lines
          └─ bell:    the desk has answered, or something happened
    then  ── take one line of each client that has one; pass on answers and news; poll again

Of a client, one request is under way at a time: until it is answered nothing more of it is read,
and its flood waits in the kernel. What a follower does not fetch is kept up to `MAX_OUT_BYTES`;
what comes then is dropped and counted, and the count is told when there is room again:

    {"type": "dropped", "lines": 17}

This thread shares Python's lock with the frame loop. So a round handles a few lines only, and when
more of them come it rests in between: see `_rest`, and `gesturectl bench control`.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Final

from gesturectl import __version__
from gesturectl.control import wire
from gesturectl.control.desk import Answered, Desk
from gesturectl.control.transport import GONE, IN, OUT, Claim, Door, Line, Stranger
from gesturectl.control.wire import Json, Lines, Refused, Request
from gesturectl.engine import Step
from gesturectl.errors import GesturectlError
from gesturectl.jsonl import to_line
from gesturectl.rig import Rig

log = logging.getLogger(__name__)

MAX_CLIENTS: Final = 256
NO_FILE_LEFT: Final = (errno.EMFILE, errno.ENFILE)
MAX_OUT_BYTES: Final = 262_144  # for one client: some 2000 events
READ_BYTES: Final = 4096
ROUND: Final = 16  # lines and newcomers of one round, and of one window without a rest
WINDOW_S: Final = 0.02
REST_S: Final = 0.002
GOODBYE_S: Final = 0.5  # for the last answers to be fetched


@dataclass(slots=True, eq=False)
class _Client:
    """One connection. `asking` while a request is under way; `ended` when it says nothing more;
    `gone` when it hears nothing more, either; `leaving` when it is closed after the last byte."""

    number: int
    line: Line
    heard_s: float
    lines: Lines = field(default_factory=Lines)
    out: bytearray = field(default_factory=bytearray)
    asking: Request | None = None
    following: bool = False
    showing: bool = False
    newest: bytes = b""  # what it shows next: of what it did not fetch, the last
    ended: bool = False
    gone: bool = False
    leaving: bool = False
    dropped: int = 0
    mask: int = -1

    @property
    def wanted(self) -> int:
        """What to poll for."""
        room = len(self.out) < MAX_OUT_BYTES and not self.lines
        hears = room and not (self.asking or self.ended or self.leaving)
        return (IN if hears else 0) | (OUT if self.out else 0)

    @property
    def done(self) -> bool:
        """Whether nothing can come of it any more."""
        if self.asking or (self.lines and not self.leaving):
            return False
        if self.gone:
            return True
        stays = self.following or self.showing
        return not self.out and (self.leaving or (self.ended and not stays))


class Server:
    """Answers the clients of one run, in a thread of its own, from `start` to `stop`."""

    def __init__(self, door: Door, desk: Desk) -> None:
        self._door = door
        self._desk = desk
        self._clients: dict[int, _Client] = {}  # by the number of their line
        self._by_number: dict[int, _Client] = {}
        self._next = 0
        self._lost = 0
        self._handled, self._since_s = 0, 0.0
        self._strangers = 0
        self._stopping = False
        self._woken = False
        desk.wake = self.wake
        self._thread = Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Give the last answers, hang up, and wait until that is done."""
        self._stopping = True
        self._woken = False
        self.wake()
        self._thread.join()
        self._desk.wake = lambda: None

    def wake(self) -> None:
        """Say that the desk has something. For any thread; costs nothing while it is known."""
        if not self._woken:
            self._woken = True
            self._door.ring()

    # --- rounds ---

    def _run(self) -> None:
        while not self._stopping:
            busy = any(client.lines and not client.asking for client in self._clients.values())
            self._hear(self._door.poll(0 if busy else None))
            self._pass_on()
            self._advance()
            self._rest()
        self._finish()

    def _rest(self) -> None:
        """Leave Python's lock to the frame loop for a while, when clients ask for more than a bit.

        A thread that gives the lock up only for a system call has it back before another wakes,
        which then waits for the interpreter's switch interval: 5 ms.
        """
        now_s = time.monotonic()
        if now_s - self._since_s > WINDOW_S:
            self._since_s, self._handled = now_s, 0
        elif self._handled >= ROUND:
            time.sleep(REST_S)
            self._since_s, self._handled = time.monotonic(), 0

    def _hear(self, happened: list[tuple[int, int]]) -> None:
        """Read what has come."""
        for number, mask in happened:
            if number == self._door.bell:
                self._door.hush()
                self._woken = False  # before the desk is looked at: what comes then wakes again
            elif number == self._door.number:
                self._let_in()
            elif client := self._clients.get(number):
                self._meet(client, mask)

    def _meet(self, client: _Client, mask: int) -> None:
        if mask & OUT:
            self._write(client)
        if mask & (IN | GONE) and not client.ended:
            self._read(client, wire.MAX_LINE_BYTES if mask & GONE else READ_BYTES)
        if mask & GONE:
            # What it has asked for is done all the same: `echo … | nc` may be gone by then.
            client.gone = client.ended = True
            client.out.clear()
        self._settle(client)

    def _read(self, client: _Client, most: int) -> None:
        self._handled += 1
        try:
            data = client.line.recv(most)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        client.lines.add(data)
        client.ended = not data
        client.heard_s = time.monotonic()

    def _advance(self) -> None:
        """Take a line of each client that has one, up to `ROUND`."""
        waiting = [one for one in self._clients.values() if one.lines and not one.asking]
        for client in waiting[:ROUND]:
            # At the end of the queue, so that the next round begins with another one.
            self._clients[client.line.fileno()] = self._clients.pop(client.line.fileno())
            self._handled += 1
            self._take(client)
            self._settle(client)

    def _take(self, client: _Client) -> None:
        try:
            line = client.lines.take()
        except ValueError as error:
            client.lines.clear()
            client.leaving = True
            self._answer(client, None, _refusal(str(error)))
            return
        if line is None or not line.strip():
            return
        try:
            request = wire.request(line)
            spec = wire.ASKS[request.ask]
            if request.ask == "hello":
                self._answer(client, request.id, _greeting(request))
                return
            if request.ask == "events" and request.value:
                self._desk.followed = True  # from before the answer: nothing may be missed
            if request.ask == "show" and request.value:
                self._desk.shown = True
            client.asking = request
            self._desk.ask(client.number, request, urgent=spec.urgent)
        except Refused as refused:
            self._answer(client, refused.id, _refusal(str(refused)))
        except GesturectlError as error:
            client.asking = None
            self._answer(client, request.id, _refusal(str(error)))

    # --- answers and news ---

    def _pass_on(self) -> None:
        lost = self._desk.lost
        while (news := self._desk.take()) is not None:
            if isinstance(news, Answered):
                self._deliver(news)
            elif isinstance(news, dict) and news["type"] == "show":
                self._show(wire.encode(news))
            else:
                self._spread(_lines_of(news))
        if lost > self._lost:
            for client in self._following():
                client.dropped += lost - self._lost
            self._lost = lost
        for client in list(self._clients.values()):
            if (client.out or client.dropped or client.newest) and not client.mask & OUT:
                self._write(client)
                self._settle(client)

    def _deliver(self, answered: Answered) -> None:
        client = self._by_number.get(answered.ticket.client)
        if client is None:
            return
        request, client.asking = answered.ticket.request, None
        try:
            told: Json = {"ok": True, **answered.answer()}
        except GesturectlError as error:
            told = _refusal(str(error))
        follows = bool(request.value) and bool(told["ok"])
        if request.ask == "events":
            client.following = follows
            self._see_who_follows()
        elif request.ask == "show":
            client.showing, client.newest = follows, b""
            self._see_who_follows()
        self._answer(client, request.id, told)
        self._settle(client)

    def _spread(self, lines: bytes) -> None:
        count = lines.count(b"\n")
        for client in self._following():
            if client.dropped or len(client.out) + len(lines) > MAX_OUT_BYTES:
                client.dropped += count
            else:
                client.out += lines

    def _show(self, line: bytes) -> None:
        for client in self._clients.values():
            if client.showing:
                client.newest = line

    def _answer(self, client: _Client, number: wire.Id, told: Json) -> None:
        client.out += wire.encode({"type": "answer", "id": number, **told})
        self._write(client)

    def _write(self, client: _Client) -> None:
        if client.gone:
            client.out.clear()
            client.dropped = 0
            client.newest = b""
            return
        try:
            if client.out:
                del client.out[: client.line.send(client.out)]
            if not client.out and client.newest:
                client.out += client.newest
                client.newest = b""
                del client.out[: client.line.send(client.out)]
        except BlockingIOError:
            pass
        except OSError:  # it went away: poll says so, and what it asked for is still to be read
            client.out.clear()
        if client.dropped and len(client.out) < MAX_OUT_BYTES // 2:
            client.out += wire.encode({"type": "dropped", "lines": client.dropped})
            client.dropped = 0

    def _following(self) -> list[_Client]:
        return [client for client in self._clients.values() if client.following]

    def _see_who_follows(self) -> None:
        """Let the desk collect news only for whoever follows them, or has asked to."""
        clients = self._clients.values()
        if self._desk.followed:
            self._desk.followed = any(one.following or _asks(one, "events") for one in clients)
        if self._desk.shown:
            self._desk.shown = any(one.showing or _asks(one, "show") for one in clients)

    # --- coming and going ---

    def _let_in(self) -> None:
        for _ in range(ROUND):
            self._handled += 1
            try:
                line = self._door.accept()
            except BlockingIOError:
                return
            except Stranger:
                self._strangers += 1
                if self._strangers == 1:
                    log.warning("another user tried to control gesturectl, and was sent away")
                continue
            except OSError as error:
                log.warning("a control connection could not be taken: %s", error)
                if error.errno in NO_FILE_LEFT and self._clients:
                    self._make_room()
                    continue
                return
            if len(self._clients) >= MAX_CLIENTS:
                self._make_room()
            self._next += 1
            client = _Client(self._next, line, time.monotonic())
            self._clients[line.fileno()] = self._by_number[client.number] = client
            client.out += wire.encode(_hello())
            self._write(client)
            self._settle(client)

    def _make_room(self) -> None:
        """Hang up on who was silent longest: a panic must get in, whoever fills the house."""
        quiet = min(
            self._clients.values(),
            key=lambda one: (one.following or one.showing, bool(one.asking), one.heard_s),
        )
        self._hang_up(quiet)

    def _settle(self, client: _Client) -> None:
        """Poll for what is of interest now; hang up where nothing is."""
        if client.number not in self._by_number:
            return
        if client.done:
            self._hang_up(client)
            return
        # A line that hung up says so for ever; nothing is asked of it any more.
        mask = -1 if client.gone else client.wanted
        if mask == client.mask:
            return
        if mask < 0:
            self._door.unregister(client.line.fileno())
        elif client.mask < 0:
            self._door.register(client.line.fileno(), mask)
        else:
            self._door.modify(client.line.fileno(), mask)
        client.mask = mask

    def _hang_up(self, client: _Client) -> None:
        del self._clients[client.line.fileno()], self._by_number[client.number]
        if client.mask >= 0:
            self._door.unregister(client.line.fileno())
        client.line.close()
        self._see_who_follows()

    def _finish(self) -> None:
        """Answer what waits, give a moment for the answers to be fetched, and hang up."""
        self._desk.dismiss()
        self._pass_on()
        until_s = time.monotonic() + GOODBYE_S
        while time.monotonic() < until_s and any(one.out for one in self._clients.values()):
            for number, mask in self._door.poll(50):
                if mask & OUT and (client := self._clients.get(number)):
                    self._write(client)
        for client in list(self._clients.values()):
            self._hang_up(client)


@contextmanager
def answering(claim: Claim, rig: Rig) -> Iterator[Desk]:
    """Answer clients for as long as the context lasts; gives the desk that the loop asks."""
    desk = Desk(rig)
    server = Server(claim.door, desk)
    server.start()
    log.info("controlled through %s", claim.address)
    try:
        yield desk
    finally:
        server.stop()


def _asks(client: _Client, what: str) -> bool:
    """Whether a client has asked to follow this, and waits for the answer."""
    asked = client.asking
    return asked is not None and asked.ask == what and bool(asked.value)


def _hello() -> Json:
    return {
        "type": "hello",
        "protocol": wire.PROTOCOL,
        "gesturectl": __version__,
        "pid": os.getpid(),
    }


def _greeting(request: Request) -> Json:
    if request.value not in (None, wire.PROTOCOL):
        return _refusal(f"protocol {request.value} is not spoken here; {wire.PROTOCOL} is")
    return {"ok": True, "protocol": wire.PROTOCOL, "gesturectl": __version__, "pid": os.getpid()}


def _refusal(message: str) -> Json:
    return {"ok": False, "error": message}


def _lines_of(news: Step | Json) -> bytes:
    if isinstance(news, dict):
        return wire.encode(news)
    items = (*news.events, *news.commands, *news.requests)
    return "".join(f"{to_line(item, news.stages)}\n" for item in items).encode()
