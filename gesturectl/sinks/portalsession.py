"""A session of the RemoteDesktop portal, kept alive in a thread of its own.

    open ─► CreateSession ─► SelectDevices ─► Start (the user agrees) ─► live ─┐
             ▲                                                                │ Closed, portal gone,
             └── 1 s, 2 s, … 60 s: with the token that Start gave ◄───────────┘ no answer
                 denied: nobody is asked again in this run

`post` puts calls down and returns; they go out in order, each when the one before was taken. Each
names the session it was meant for: what was meant for one that has ended is dropped, never sent to
the next, as the desktop has let go of all that was held. The token lets a later session, and the
next run, start without a dialog; each counts once.

The portal ends the sessions of a program that leaves the bus, and the desktop lets go of what they
held: so it is after SIGKILL. While the daemon hangs, this thread lets go, as a guardian would; a
process that is stopped as a whole (SIGSTOP) keeps what it holds.

Source: org.freedesktop.portal.RemoteDesktop, version 2, .Request and .Session, as documented with
xdg-desktop-portal.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gesturectl import lastheard, sessionbus, wholefile
from gesturectl.errors import SinkError

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

log = logging.getLogger(__name__)

SERVICE: Final = "org.freedesktop.portal.Desktop"
PATH: Final = "/org/freedesktop/portal/desktop"
REMOTE: Final = "org.freedesktop.portal.RemoteDesktop"
REQUEST: Final = "org.freedesktop.portal.Request"
SESSION: Final = "org.freedesktop.portal.Session"
BUS: Final = "org.freedesktop.DBus"
PROPERTIES: Final = "org.freedesktop.DBus.Properties"

KEYBOARD, POINTER = 1, 2  # kinds of devices
UNTIL_REVOKED: Final = 2  # how long the permission lasts
AGREED, CANCELLED = 0, 1  # what a request was answered

ANSWER_S: Final = 10.0  # a portal that is only just started
CONSENT_S: Final = 180.0  # to read a dialog, and to reach its button without hands
TAKEN_S: Final = 2.0  # a portal that takes no key for so long hangs
CLOSE_S: Final = 3.0
BACK_OFF_S: Final = (1.0, 60.0)  # the first wait, and the longest
ROOM: Final = 1000  # commands that wait

NO_PORTAL: Final = (
    "no desktop portal runs here; install xdg-desktop-portal with the part for your desktop "
    "(xdg-desktop-portal-gnome, xdg-desktop-portal-kde) and log in again"
)
NO_REMOTE: Final = (
    "the portal of this desktop has no RemoteDesktop, so it lets no program send keys; GNOME and "
    "KDE have it"
)
NO_DEVICES: Final = "the portal of this desktop offers neither keyboard nor mouse to programs"
DENIED: Final = (
    "the desktop was not allowed to let gesturectl use keyboard and mouse; start gesturectl again "
    "and agree in the dialog, or print commands instead of sending them: --sink print"
)
UNANSWERED: Final = (
    f"nobody agreed within {CONSENT_S:.0f} s in the desktop's dialog to let gesturectl use "
    "keyboard and mouse; start gesturectl again and agree"
)


class Call(NamedTuple):
    """One Notify call: its name without `Notify`, the signature and values of its arguments."""

    member: str
    signature: str
    body: tuple[int | float, ...]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what, in seconds; see the constants above."""

    consent_s: float = CONSENT_S
    taken_s: float = TAKEN_S
    back_off_s: tuple[float, float] = BACK_OFF_S


class _Lost(Exception):  # noqa: N818 (what happened, and no error of ours)
    """There is no session any more, or not yet; another try may help."""


class _Denied(Exception):  # noqa: N818
    """Somebody has said no."""


class Portal:
    """The thread and its session. `open` waits for the first one.

    `live` is the number of the session that takes calls, 0 while there is none. `devices` is what
    the user allows it: KEYBOARD, POINTER or both. All but `open` return at once.
    """

    def __init__(
        self, token: Path | None, heartbeat_s: float, patience: Patience | None = None
    ) -> None:
        self._token = token
        self._heartbeat_s = heartbeat_s
        self._patience = patience or Patience()
        self.live = 0
        self.devices = 0
        self._sessions = 0
        self._waiting: deque[tuple[int, list[Call]]] = deque()
        self._dropped = 0
        self._flooded = False
        self._down: dict[tuple[str, int], Call] = {}  # what lets go of each thing that is held
        self._heard_s: float | None = None  # when a daemon that beats was last heard
        self._ending = False
        self._opened = threading.Event()
        self._failure: SinkError | None = None
        self._loop = asyncio.new_event_loop()
        self._news = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="portal", daemon=True)
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Start the session, which may have the desktop ask the user.

        Raises:
            SinkError: there is no such portal, or the user does not agree; says what to do.
        """
        self._thread.start()
        try:
            self._opened.wait()
        except BaseException:  # Ctrl-C, while the dialog waits
            self.close()
            raise
        if self._failure is not None:
            self._thread.join(CLOSE_S)
            raise self._failure

    def post(self, session: int, calls: list[Call]) -> None:
        """Put calls down, to be sent in the session that was live when they were made."""
        if len(self._waiting) < ROOM:
            self._waiting.append((session, calls))
        else:  # a release may be among what is dropped, so that the session must end
            self._flooded = True
            self._dropped += 1
        self._tell(self._news.set)

    def drop(self) -> None:
        """Count a command that came while there is no session."""
        self._dropped += 1

    def beat(self) -> None:
        """Say that the daemon lives: after silence the thread lets go of what is held."""
        first = self._heard_s is None
        self._heard_s = time.monotonic()
        if first:  # the thread may wait without an end, as there was no silence to measure
            self._tell(self._news.set)

    def close(self) -> None:
        """Send what waits, end the session and the thread."""
        self._ending = True
        self._tell(self._end)
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def _tell(self, what: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(what)

    def _end(self) -> None:
        self._news.set()
        if not self.live and self._task is not None:  # nothing to let go, and a dialog may wait
            self._task.cancel()

    # --- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        self._task = self._loop.create_task(self._serve())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            self._failure = SinkError("ended before the desktop had agreed")
        except Exception:  # a bug: the bus is left by now, and the desktop has let go
            log.exception("the portal's thread has ended: what gestures do is dropped")
            self._failure = SinkError("the sink portal has a bug; please report what is above")
        finally:
            self.live = 0
            self._loop.close()
            self._opened.set()

    async def _serve(self) -> None:
        first, longest = self._patience.back_off_s
        wait_s = first
        while not self._ending:
            since_s = time.monotonic()
            try:
                async with sessionbus.connected() as bus:
                    link = _Link(bus, self._news)
                    watching = asyncio.create_task(link.watch_bus())
                    try:
                        handle = await self._start(link)
                        since_s = time.monotonic()
                        await self._pump(link, handle)
                    finally:
                        watching.cancel()
                    return
            except _Denied:
                self._fail(DENIED)
                return
            except (_Lost, SinkError, sessionbus.NoBus) as error:
                if not self._opened.is_set():
                    self._fail(str(error))
                    return
                if self.live:
                    log.warning(
                        "%s: what gestures do is dropped until it is back, and nothing is held",
                        error,
                    )
                else:
                    log.debug("no session yet: %s", error)
            finally:
                lived = self.live != 0 and time.monotonic() - since_s > longest
                self.live = 0
                self._down.clear()
            if lived:  # else it may be ended as soon as it begins, time and again
                wait_s = first
            await self._rest(wait_s)
            wait_s = min(2 * wait_s, longest)

    def _fail(self, reason: str) -> None:
        if self._opened.is_set():
            log.error("%s; until then what gestures do is dropped", reason)
        else:
            self._failure = SinkError(reason)

    async def _rest(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while not self._ending and (left_s := until_s - time.monotonic()) > 0:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left_s)

    async def _start(self, link: _Link) -> str:
        """Have a session started; return its handle."""
        from dbus_fast import Variant

        offered = await _offered(link)
        if not offered & (KEYBOARD | POINTER):
            raise SinkError(NO_DEVICES)
        name = f"gesturectl_{secrets.token_hex(8)}"
        created = await link.ask(
            "CreateSession", "", [], {"session_handle_token": Variant("s", name)}, ANSWER_S
        )
        handle = str(created["session_handle"].value)
        link.watch(handle)
        options = {
            "types": Variant("u", offered & (KEYBOARD | POINTER)),
            "persist_mode": Variant("u", UNTIL_REVOKED),
        }
        token = read_token(self._token)
        if token is None:
            if not self._opened.is_set():
                log.warning(
                    "the desktop asks whether gesturectl may use keyboard and mouse: agree there"
                )
            await link.ask("SelectDevices", "o", [handle], options, ANSWER_S)
        else:
            restoring = options | {"restore_token": Variant("s", token)}
            try:
                await link.ask("SelectDevices", "o", [handle], restoring, ANSWER_S)
            except _Refused as error:  # a token that is none: the portal looks before it acts
                log.debug("the kept token is refused: %s", error)
                await link.ask("SelectDevices", "o", [handle], options, ANSWER_S)
        started = await link.ask("Start", "os", [handle, ""], {}, self._patience.consent_s)
        granted = int(started["devices"].value) if "devices" in started else 0
        self.devices = granted & (KEYBOARD | POINTER)
        if not self.devices:
            raise _Denied
        fresh = started["restore_token"].value if "restore_token" in started else None
        if self.devices == offered & (KEYBOARD | POINTER):
            self._keep(fresh)
        else:
            self._keep(None)  # so that the next run asks for the other one again
            only = "the keyboard" if self.devices == KEYBOARD else "the mouse"
            log.warning(
                "the desktop lets gesturectl use %s only; start it again and allow both in the "
                "dialog if you want more",
                only,
            )
        self._sessions += 1
        self._waiting.clear()  # nothing waits for a session that is not yet
        self._flooded = False
        if self._opened.is_set():
            log.info(
                "the desktop takes keys and mouse again; %d commands were dropped", self._dropped
            )
        self._dropped = 0
        self.live = self._sessions
        self._opened.set()
        return handle

    def _keep(self, token: str | None) -> None:
        if self._token is None:
            return
        try:
            keep_token(self._token, token)
        except OSError as error:
            log.warning(
                "%s cannot be written (%s), so the desktop will ask again next time; mend its "
                "folder",
                *(self._token, error.strerror),
            )

    async def _pump(self, link: _Link, handle: str) -> None:
        """Send what is posted until the end."""
        while True:
            self._news.clear()  # before looking: news that comes while we are busy is not lost
            link.check()
            while self._waiting:
                if self._flooded:
                    raise _Lost("the desktop's portal takes keys too slowly")
                session, calls = self._waiting.popleft()
                if session == self.live:
                    await self._deliver(link, handle, calls)
            if self._ending:
                await link.end(handle)
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), self._silence_left_s())
            if self._silence_left_s() == 0:
                log.warning("gesturectl hangs: what it holds is let go")
                await self._deliver(link, handle, list(self._down.values())[::-1])

    def _silence_left_s(self) -> float | None:
        """Return how long a daemon that holds something may be silent yet; None: for ever."""
        if self._heard_s is None or not self._down:
            return None
        return max(0.0, self._heard_s + self._heartbeat_s - time.monotonic())

    async def _deliver(self, link: _Link, handle: str, calls: list[Call]) -> None:
        for call in calls:
            self._note(call)
            await link.notify(handle, call, self._patience.taken_s)

    def _note(self, call: Call) -> None:
        """Note what is held: of keys and buttons the last value says whether it goes down."""
        if call.member not in ("KeyboardKeycode", "KeyboardKeysym", "PointerButton"):
            return
        code = int(call.body[0])
        if call.body[1]:
            self._down[call.member, code] = call._replace(body=(code, 0))
        else:
            self._down.pop((call.member, code), None)


class _Refused(_Lost):
    """The portal answered a call by an error."""


class _Link:
    """The portal at the other end of a bus: calls, their replies, and what it says unasked."""

    def __init__(self, bus: MessageBus, news: asyncio.Event) -> None:
        self._bus = bus
        self._news = news
        self._portal = ""  # its unique name, from its first reply
        self._session = ""
        self._ended: str | None = None
        self._told: set[str] = set()
        self._answers: dict[str, asyncio.Future[tuple[int, dict[str, Any]]]] = {}
        bus.add_message_handler(self._hear)

    def watch(self, session: str) -> None:
        """From now on hear when this session ends."""
        self._session = session

    def check(self) -> None:
        """Raise _Lost where the session, the portal or the bus has ended."""
        if self._ended is None and not self._bus.connected:
            self._ended = sessionbus.ENDED
        if self._ended is not None:
            raise _Lost(self._ended)

    async def watch_bus(self) -> None:
        """Wait for the end of the bus, and say so."""
        with contextlib.suppress(Exception):  # how it ended is all the same
            await asyncio.shield(self._bus.wait_for_disconnect())  # type: ignore[no-untyped-call]
        self._lose(sessionbus.ENDED)

    async def listen(self) -> None:
        """Ask the bus for what the portal says, and for its end."""
        for rule in (
            f"type='signal',sender='{SERVICE}',interface='{REQUEST}',member='Response'",
            f"type='signal',sender='{SERVICE}',interface='{SESSION}',member='Closed'",
            f"type='signal',sender='{BUS}',member='NameOwnerChanged',arg0='{SERVICE}'",
        ):
            await self.call(_message(BUS, "AddMatch", "s", [rule]), sessionbus.TIMEOUT_S)

    async def call(self, message: Message, patience_s: float) -> list[Any]:
        """Call a method and return what it returns.

        Raises:
            _Refused: it answers by an error.
            _Lost: it does not answer.
        """
        from dbus_fast import MessageType

        self.check()
        try:
            reply = await asyncio.wait_for(self._bus.call(message), patience_s)
        except TimeoutError as error:
            raise _Lost(f"the desktop's portal does not answer within {patience_s:g} s") from error
        except (OSError, EOFError) as error:
            raise _Lost(sessionbus.ENDED) from error
        if message.destination == SERVICE and not self._portal and reply.sender:
            self._portal = reply.sender
        if reply.message_type is MessageType.ERROR:
            raise _Refused(f"{reply.error_name}")
        return list(reply.body)

    async def ask(
        self,
        member: str,
        signature: str,
        body: list[Any],
        options: dict[str, Any],
        patience_s: float,
    ) -> dict[str, Any]:
        """Make a request of the portal, and return what it is answered in the end.

        Raises:
            _Denied: the user has said no.
            _Lost: it failed in another way.
        """
        from dbus_fast import Variant

        token = f"gesturectl_{secrets.token_hex(8)}"
        sender = (self._bus.unique_name or "").removeprefix(":").replace(".", "_")
        path = f"{PATH}/request/{sender}/{token}"
        answer = asyncio.get_running_loop().create_future()
        self._answers[path] = answer  # before the call: the answer may come before its reply
        try:
            told = options | {"handle_token": Variant("s", token)}
            (handle,) = await self.call(
                _message(REMOTE, member, signature + "a{sv}", [*body, told]), ANSWER_S
            )
            self._answers[handle] = answer  # portals before 0.9 chose another
            code, results = await asyncio.wait_for(answer, patience_s)
        except TimeoutError as error:
            raise _Lost(
                UNANSWERED
                if member == "Start"
                else f"the desktop's portal does nothing at {member}"
            ) from error
        finally:
            self._answers.clear()
        if code == CANCELLED:
            raise _Denied
        if code != AGREED:
            raise _Lost(f"the desktop's portal gave up at {member}; is the screen locked?")
        answered: dict[str, Any] = results
        return answered

    async def notify(self, session: str, call: Call, patience_s: float) -> None:
        """Make a call, and wait until the portal has passed it on.

        It takes every call in a thread of its own: of two at a time the second may come first, and
        a key go up before it goes down. Seen with xdg-desktop-portal 1.16.
        """
        body: list[Any] = [session, {}, *call.body]
        signature = f"oa{{sv}}{call.signature}"
        try:
            await self.call(_message(REMOTE, f"Notify{call.member}", signature, body), patience_s)
        except _Refused as error:
            self.check()
            self._refused(str(error))

    async def end(self, session: str) -> None:
        """Close the session: the desktop lets go of what it holds."""
        with contextlib.suppress(_Lost):
            await self.call(_message(SESSION, "Close", "", [], path=session), sessionbus.TIMEOUT_S)

    def _hear(self, message: Message) -> None:
        from dbus_fast import MessageType

        if message.message_type is not MessageType.SIGNAL:
            if message.message_type is MessageType.ERROR and message.sender == self._portal:
                log.debug("the portal refuses: %s", message.error_name)
            return
        if message.sender == BUS and message.member == "NameOwnerChanged":
            if message.body[0] == SERVICE and message.body[1] == self._portal != "":
                self._lose("the desktop's portal has ended")
        elif message.sender != self._portal:
            return  # anybody on the bus may say so
        elif message.interface == REQUEST and message.member == "Response":
            answer = self._answers.get(message.path or "")
            if answer is not None and not answer.done():
                answer.set_result((int(message.body[0]), message.body[1]))
        elif message.interface == SESSION and message.path == self._session:
            self._lose(
                "the desktop has ended gesturectl's use of keyboard and mouse (the screen is "
                "locked, or somebody stopped it)"
            )

    def _lose(self, reason: str) -> None:
        self._ended = self._ended or reason
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(_Lost(reason))
        self._news.set()

    def _refused(self, problem: str) -> None:
        if problem not in self._told:
            self._told.add(problem)
            log.warning("the desktop's portal refuses keys or mouse: %s", problem)


def _message(
    interface: str, member: str, signature: str, body: list[Any], path: str = PATH
) -> Message:
    """Return a call of the portal, or of the bus itself."""
    from dbus_fast import Message

    to_bus = interface == BUS
    return Message(
        destination=BUS if to_bus else SERVICE,
        path="/org/freedesktop/DBus" if to_bus else path,
        interface=interface,
        member=member,
        signature=signature,
        body=body,
    )


async def _offered(link: _Link) -> int:
    """Return which kinds of devices the portal lends, and hear from now on what it says.

    Raises:
        SinkError: there is no portal, or it has no RemoteDesktop.
    """
    await link.listen()
    try:
        asked = [REMOTE, "AvailableDeviceTypes"]
        (offered,) = await link.call(_message(PROPERTIES, "Get", "ss", asked), ANSWER_S)
    except _Refused as error:
        unknown = ("ServiceUnknown", "NameHasNoOwner", "Spawn")
        missing = any(word in str(error) for word in unknown)
        raise SinkError(NO_PORTAL if missing else NO_REMOTE) from error
    return int(offered.value)


def works() -> str | None:
    """Return None where a portal lends keyboard or mouse, else the reason and what to do."""

    async def look() -> None:
        async with sessionbus.connected() as bus:
            if not await _offered(_Link(bus, asyncio.Event())) & (KEYBOARD | POINTER):
                raise SinkError(NO_DEVICES)

    try:
        asyncio.run(look())
    except (SinkError, _Lost, sessionbus.NoBus) as error:
        return str(error)
    return None


# --- the token ------------------------------------------------------------------------------------


def token_file() -> Path:
    """Return where the desktop's permission to start without a dialog is kept."""
    return lastheard.file().with_name("portal-token")


def read_token(path: Path | None) -> str | None:
    """Return the kept token, or None where there is none that could be one."""
    if path is None:
        return None
    try:
        token = path.read_bytes()[:200].decode("ascii").strip()
    except (OSError, ValueError):
        return None
    return token if token.isprintable() and token else None


def keep_token(path: Path, token: str | None) -> None:
    """Keep a token for its user alone, in place of the one before; None removes it.

    Raises:
        OSError: it cannot be written.
    """
    if not token:
        path.unlink(missing_ok=True)
        return
    wholefile.write(path, f"{token}\n".encode("ascii"))
