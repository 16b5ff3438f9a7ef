"""Whether somebody is there: the screen locked or covered, the machine about to sleep.

    logind        system bus    LockedHint, Lock, Unlock: what the session's locker tells it
                                PrepareForSleep: the machine sleeps, and has woken
    screen saver  session bus   ActiveChanged, GetActive: that of each desktop

A thread of its own listens; whoever asks reads plain attributes. A bus that is not there, or goes
away, is tried again for ever, and what it said last counts until it says otherwise: a screen is not
unlocked by the death of who told of it.

While the machine is about to sleep, logind waits for us (a *delay inhibitor*) until `rested`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from gesturectl import sessionbus

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
TIMEOUT_S: Final = 3.0  # of one answer

BUS: Final = "org.freedesktop.DBus"
BUS_PATH: Final = "/org/freedesktop/DBus"
GET: Final = "org.freedesktop.DBus.Properties.Get"
LOGIND: Final = "org.freedesktop.login1"
LOGIND_PATH: Final = "/org/freedesktop/login1"
# Names are interfaces, too. KDE answers by the first, on its old path as well.
SAVERS: Final[dict[str, tuple[str, ...]]] = {
    "org.freedesktop.ScreenSaver": ("/org/freedesktop/ScreenSaver", "/ScreenSaver"),
    "org.gnome.ScreenSaver": ("/org/gnome/ScreenSaver",),
    "org.cinnamon.ScreenSaver": ("/org/cinnamon/ScreenSaver",),
    "org.mate.ScreenSaver": ("/org/mate/ScreenSaver",),
    "org.xfce.ScreenSaver": ("/org/xfce/ScreenSaver",),
}


class Session:
    """Watches the session of this user from `with` on, where D-Bus can be spoken.

    `wakes` counts how often the machine has woken. `told_by` are those who would tell of a lock:
    `logind`, and the screen savers that have answered.
    """

    def __init__(self) -> None:
        self.asleep = False
        self.wakes = 0
        self.told_by: frozenset[str] = frozenset()
        self._hinted = False  # logind says that the session is locked
        self._covers: frozenset[str] = frozenset()  # the screen savers that are on
        self._inhibitor: int | None = None
        self._settled = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self._errands: set[asyncio.Future[None]] = set()

    @property
    def locked(self) -> bool:
        """Whether the screen is locked, or covered by a screen saver."""
        return self._hinted or bool(self._covers)

    def settle(self, timeout_s: float) -> bool:
        """Wait until the first answers are there, or were not to be had; return whether so."""
        return self._settled.wait(timeout_s)

    def rested(self) -> None:
        """Say that nothing is held any more: the machine may sleep."""
        descriptor, self._inhibitor = self._inhibitor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        try:
            import dbus_fast  # noqa: F401 (whether it is there)
        except ImportError as error:
            log.info("a locked screen is not noticed: dbus-fast cannot be imported (%s)", error)
            self._settled.set()
            return self
        self._thread = threading.Thread(target=self._run, name="gesturectl-session", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._settled.wait(TIMEOUT_S)
        if self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._task.cancel)
        if self._thread is not None:
            self._thread.join(TIMEOUT_S)
        self.rested()

    # --- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._watch())
        except Exception:  # a bug here must not stop gestures, but has to be seen
            log.exception("locked screens are not noticed any more")
        finally:
            self._settled.set()

    async def _watch(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        first = [asyncio.Event(), asyncio.Event()]
        told = asyncio.ensure_future(self._tell_settled(first))
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(
                _for_ever("system", self._follow_logind, first[0]),
                _for_ever("session", self._follow_savers, first[1]),
            )
        told.cancel()

    async def _tell_settled(self, first: list[asyncio.Event]) -> None:
        for one in first:
            await one.wait()
        self._settled.set()

    def _errand(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside listening. The set keeps it from being collected halfway."""
        errand = asyncio.ensure_future(work)
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)

    # --- logind -------------------------------------------------------------------------------

    async def _follow_logind(self, bus: MessageBus) -> None:
        """Listen to logind on a bus that was just connected.

        On this bus others may speak, too: who is not logind is not believed.
        """
        owner = session = ""

        def hear(message: Message) -> None:
            nonlocal owner
            if message.sender == BUS and message.member == "NameOwnerChanged":
                name, _, new = message.body
                if name == LOGIND and new:
                    owner = new
                    self._errand(self._meet_logind(bus, session))
            if message.sender != owner:
                return
            match (message.interface, message.member, message.body):
                case (_, "PrepareForSleep", [bool(sleeps)]) if message.path == LOGIND_PATH:
                    self._slumber(bus, sleeps=sleeps)
                case (_, "Lock", []) if message.path == session:
                    self._hinted = True
                case (_, "Unlock", []) if message.path == session:
                    self._hinted = False
                case (_, "PropertiesChanged", [_, dict(changed), list(stale)]):
                    if message.path != session:
                        return
                    if "LockedHint" in changed:
                        self._hinted = bool(changed["LockedHint"].value)
                    elif "LockedHint" in stale:
                        self._errand(self._read_hint(bus, session))

        bus.add_message_handler(hear)
        await _listen(bus, sender=BUS, member="NameOwnerChanged", arg0=LOGIND)
        await _listen(bus, sender=LOGIND, path=LOGIND_PATH, member="PrepareForSleep")
        found = await _call(bus, BUS, BUS_PATH, f"{BUS}.GetNameOwner", LOGIND)
        if found is not None:
            owner = str(found.body[0])
        session = await _session_path(bus)
        if session:
            self.told_by |= {"logind"}
            await _listen(bus, sender=LOGIND, path=session)
        await self._meet_logind(bus, session)

    async def _meet_logind(self, bus: MessageBus, session: str) -> None:
        if session:
            await self._read_hint(bus, session)
        await self._inhibit(bus)

    async def _read_hint(self, bus: MessageBus, session: str) -> None:
        answer = await _call(bus, LOGIND, session, GET, f"{LOGIND}.Session", "LockedHint")
        if answer is not None:
            self._hinted = bool(answer.body[0].value)

    def _slumber(self, bus: MessageBus, *, sleeps: bool) -> None:
        self.asleep = sleeps
        if not sleeps:
            self.wakes += 1
            self._errand(self._inhibit(bus))

    async def _inhibit(self, bus: MessageBus) -> None:
        """Ask logind to wait for us before the machine sleeps; where it does not, it does not."""
        why = ("sleep", "gesturectl", "lets go of keys first", "delay")
        answer = await _call(bus, LOGIND, LOGIND_PATH, f"{LOGIND}.Manager.Inhibit", *why)
        if answer is not None and answer.unix_fds:
            self.rested()
            self._inhibitor = answer.unix_fds[0]

    # --- screen savers ------------------------------------------------------------------------

    async def _follow_savers(self, bus: MessageBus) -> None:
        """Listen to all screen savers on a bus that was just connected."""

        def hear(message: Message) -> None:
            match (message.interface, message.member, message.body):
                case (str(name), "ActiveChanged", [bool(covers)]) if name in SAVERS:
                    self._cover(message.sender, covers=covers)
                case (_, "NameOwnerChanged", [str(name), str(old), str(new)]):
                    if message.sender == BUS and name in SAVERS:
                        self._cover(old, covers=False)  # it cannot cover anything any more
                        if new:
                            self._errand(self._ask_saver(bus, name))

        bus.add_message_handler(hear)
        for name in SAVERS:
            await _listen(bus, interface=name, member="ActiveChanged")
            await _listen(bus, sender=BUS, member="NameOwnerChanged", arg0=name)
        answer = await _call(bus, BUS, BUS_PATH, f"{BUS}.ListNames")
        there = set() if answer is None else set(answer.body[0])
        self._covers = frozenset()  # names of a former bus
        for name in sorted(there & SAVERS.keys()):
            await self._ask_saver(bus, name)

    async def _ask_saver(self, bus: MessageBus, name: str) -> None:
        for path in SAVERS[name]:
            answer = await _call(bus, name, path, f"{name}.GetActive")
            if answer is not None and isinstance(answer.body[0], bool):
                self.told_by |= {name}
                self._cover(answer.sender, covers=answer.body[0])
                return

    def _cover(self, saver: str | None, *, covers: bool) -> None:
        if saver:
            self._covers = self._covers | {saver} if covers else self._covers - {saver}


# --- D-Bus ----------------------------------------------------------------------------------------


async def _for_ever(
    kind: Literal["session", "system"],
    follow: Callable[[MessageBus], Awaitable[None]],
    first: asyncio.Event,
) -> None:
    """Keep a connection to a bus, and follow what is told there."""
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            async with sessionbus.connected(kind) as bus:
                await follow(bus)
                first.set()
                pause_s = FIRST_PAUSE_S
                await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
                log.info("the %s bus is gone; looking for it again", kind)
        except (OSError, EOFError) as why:
            if not first.is_set():
                log.info("no %s bus: %s", kind, why)
        first.set()
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _listen(bus: MessageBus, **rule: str) -> None:
    words = ",".join(f"{name}='{value}'" for name, value in {"type": "signal", **rule}.items())
    await _call(bus, BUS, BUS_PATH, f"{BUS}.AddMatch", words)


async def _call(bus: MessageBus, to: str, path: str, method: str, *body: str | int) -> Any:
    """Call a method without starting whoever would answer; return the answer, None without one.

    What it is given are texts, and numbers of users.
    """
    from dbus_fast import Message, MessageFlag, MessageType

    interface, _, member = method.rpartition(".")
    asked = Message(
        destination=to,
        path=path,
        interface=interface,
        member=member,
        signature="".join("u" if isinstance(one, int) else "s" for one in body),
        body=list(body),
        flags=MessageFlag.NO_AUTOSTART,
    )
    try:
        answer = await asyncio.wait_for(bus.call(asked), TIMEOUT_S)
    except (TimeoutError, OSError, EOFError):  # the last two: the bus is gone, as is seen elsewhere
        return None
    if answer is None or answer.message_type is MessageType.ERROR or not answer.body:
        return None
    return answer


async def _session_path(bus: MessageBus) -> str:
    """Return where logind tells of our session: the one of the user's display, for a service is
    part of none; else the one that the environment names. Empty where there is none."""
    if sys.platform == "win32":
        return ""
    manager = f"{LOGIND}.Manager"
    user = await _call(bus, LOGIND, LOGIND_PATH, f"{manager}.GetUser", os.getuid())
    if user is not None:
        display = await _call(bus, LOGIND, user.body[0], GET, f"{LOGIND}.User", "Display")
        if display is not None and display.body[0].value[0]:
            return str(display.body[0].value[1])
    named = os.environ.get("XDG_SESSION_ID", "")
    if not named:
        return ""
    found = await _call(bus, LOGIND, LOGIND_PATH, f"{manager}.GetSession", named)
    return "" if found is None else str(found.body[0])
