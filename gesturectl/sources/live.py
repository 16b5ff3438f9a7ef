"""A source that watches a device which may go away: a webcam, a network camera.

In:  a `Device`, which gives pictures or says why not.   Out: `Live`, a source of frames.

A thread grabs every picture and keeps only the newest, so a slow reader sees the present and not a
queue. What ails the device is told apart (`problem`), and a device that is gone is opened again,
with growing pauses, for ever. All judgement is in pure functions over `Health`; the thread only
calls them.
"""

# C closed   O open   p another picture   s the same picture   d a dark picture
#
#   1) O--p--p--p            fine; an unread picture is replaced by the next
#   2) O--x  C--0.25 s--x  C--0.5 s--x …--5 s--x  C--5 s--O--p
#                            grab or open fails (x): pauses double up to 5 s until a picture comes
#   3) O--s--s--| 1 s        frozen: pictures are withheld, so that nothing stays held because of
#                            a hand that is not there any more; p ends it
#   4) O--s--s--| 1 s--| 5 s C--O--s--| 10 s C--O …
#                            frozen for long: opened anew, with doubling patience
#   5) O--d--d--| 1 s        black (a shutter, a dark room): shown all the same; light ends it
#   6) O--------| 1 s        grab does not return: no picture, by the clock of who asks
#   7) O--p--r  C--  --w O--p
#                            put to rest (r): closed within a picture's time, and nothing is wrong
#                            until it is woken (w)

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from gesturectl import pace
from gesturectl.errors import SourceError
from gesturectl.sources import EndOfSource
from gesturectl.sources.clock import MONOTONIC, Clock
from gesturectl.types import Frame

log = logging.getLogger(__name__)

Picture = NDArray[np.uint8]

NOTICE_US: Final = 1_000_000
FIRST_PAUSE_US: Final = 250_000
LONGEST_PAUSE_US: Final = 5_000_000
FIRST_PATIENCE_US: Final = 5_000_000
LONGEST_PATIENCE_US: Final = 300_000_000
RESTING_S: Final = 0.1

# Of 35 recordings with webcams and phones the darkest picture has a mean of 28 of 255, the flattest
# a spread (standard deviation) of 21; what a webcam sends behind its shutter is below 5 in both.
DARK_MEAN: Final = 12.0
DARK_SPREAD: Final = 6.0


class Unavailable(Exception):  # noqa: N818 (a state of a device, told to the user as a problem)
    """A device gives no pictures; the message says why and what to do.

    `may_pass` holds of what ends without the user's doing at the daemon, like another program
    using the camera: then also the first opening waits.
    """

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class Device(Protocol):
    """What a camera must do to be watched. Used by one thread at a time; may be opened again."""

    @property
    def name(self) -> str:
        """How the user knows it: ``camera 0 (HD Webcam)``."""
        ...

    def open(self) -> str:
        """Get hold of the device; return what was got: ``640×480 30 fps MJPG``.

        Raises:
            Unavailable: it is missing, busy, forbidden or unreachable.
        """
        ...

    def grab(self) -> int:
        """Wait for the next picture; return when it was captured, on the monotonic clock in µs.

        Raises:
            Unavailable: none came; the device must be opened again.
        """
        ...

    def retrieve(self) -> Picture | None:
        """Return the picture grabbed as RGB (H, W, 3), or None when it is damaged."""
        ...

    def release(self) -> None:
        """Let go of the device, also when it is not open."""
        ...


# --- judging ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a device. Each `_us` is the time of the last such thing."""

    is_open: bool = False
    fault: str | None = None  # why it is closed
    failures: int = 0  # in a row, since the last picture
    thaws: int = 0  # times it was opened anew since the picture last changed
    opened_us: int = 0
    picture_us: int = 0
    changed_us: int = 0  # a picture that differs from the one before, or is dark
    lit_us: int = 0  # a picture that is not dark


def opened(health: Health, t_us: int) -> Health:
    changed_us = health.changed_us if health.thaws else t_us
    return replace(
        health, is_open=True, opened_us=t_us, picture_us=t_us, changed_us=changed_us, lit_us=t_us
    )


def failed(health: Health, why: str) -> Health:
    return replace(health, is_open=False, fault=why, failures=health.failures + 1)


def pictured(health: Health, t_us: int, *, dark: bool, same: bool) -> Health:
    changed = dark or not same
    return replace(
        health,
        fault=None,
        failures=0,
        thaws=0 if changed else health.thaws,
        picture_us=t_us,
        changed_us=t_us if changed else health.changed_us,
        lit_us=health.lit_us if dark else t_us,
    )


def thawed(health: Health) -> Health:
    """The device was closed because it is frozen; it is opened at once."""
    return replace(health, is_open=False, thaws=health.thaws + 1)


def woken(t_us: int) -> Health:
    """The device is to be opened again after a rest; what was before tells nothing."""
    return Health(opened_us=t_us, picture_us=t_us, changed_us=t_us, lit_us=t_us)


def closed(health: Health, t_us: int) -> Health:
    """The device was closed for no fault of its own; it is opened at once."""
    return replace(health, is_open=False, failures=0, thaws=0, picture_us=t_us, changed_us=t_us)


def is_frozen(health: Health) -> bool:
    return health.picture_us - health.changed_us > NOTICE_US


def is_stuck(health: Health, now_us: int) -> bool:
    """Whether the device is open and has shown nothing new for so long that it is opened anew."""
    patience_us = min(FIRST_PATIENCE_US << min(health.thaws, 16), LONGEST_PATIENCE_US)
    return health.is_open and now_us - max(health.changed_us, health.opened_us) > patience_us


def pause_us(health: Health) -> int:
    """How long to wait before a closed device is tried again."""
    if health.failures == 0:
        return 0
    return min(FIRST_PAUSE_US << min(health.failures - 1, 16), LONGEST_PAUSE_US)


def problem(health: Health, name: str, now_us: int) -> str | None:
    """Say what is wrong with a device at this time, or None."""
    if health.fault is not None:  # also when it is open again, until a picture has come
        return health.fault
    if health.picture_us - health.lit_us > NOTICE_US:
        return f"{name} is black: open its shutter, or switch on a light"
    if is_frozen(health):
        return f"{name} is frozen: it sends the same picture again and again; replug or restart it"
    if now_us - health.picture_us > NOTICE_US:
        return f"{name} is frozen: it has sent no picture for more than a second"
    return None


def is_dark(rgb: Picture) -> bool:
    """Whether there is nothing to be seen: dark all over. Looks at every 16th row and column."""
    sample = rgb[::16, ::16]
    return bool(sample.mean() < DARK_MEAN and sample.std() < DARK_SPREAD)


def is_same(one: Picture | None, other: Picture) -> bool:
    """Whether two pictures are equal to the last bit. A live sensor's noise sees to it that not."""
    if one is None or one.shape != other.shape:
        return False
    return np.array_equal(one[::16, ::16], other[::16, ::16]) and np.array_equal(one, other)


# --- watching -----------------------------------------------------------------------------------


class Live:
    """A source of the newest frames of a device.

    The device is opened at once, so that what the user can mend is said at once; the thread runs
    inside the `with` block.

    Raises:
        SourceError: the device cannot be opened, for a reason that will not pass by itself.
    """

    def __init__(self, device: Device, clock: Clock = MONOTONIC) -> None:
        self._device = device
        self._clock = clock
        self._details = ""
        self._health = Health()
        self._previous: Picture | None = None
        self._last_us = -1
        self._newest: Frame | None = None
        self._fresh = threading.Condition()
        self._stop = threading.Event()
        self._nudge = threading.Event()
        self._resting = False  # what is asked for, by who reads
        self._rested = False  # what is so, by who watches
        self._renewed = False
        self._most_hz: float | None = None
        self._next_us = 0
        self._crash: BaseException | None = None
        self._thread: threading.Thread | None = None
        try:
            self._open()
        except Unavailable as why:
            self._device.release()
            if not why.may_pass:
                raise SourceError(str(why)) from why
            self._health = failed(self._health, str(why))

    @property
    def description(self) -> str:
        return f"{self._device.name} {self._details}".rstrip()

    @property
    def problem(self) -> str | None:
        if self._resting or self._rested:
            return None
        return problem(self._health, self._device.name, self._clock.now_us())

    def read(self, timeout_s: float) -> Frame | None:
        """Return the newest frame not read yet, or None when none came within `timeout_s`.

        At rest it waits for `RESTING_S` at most, for who reads may wake it.
        """
        with self._fresh:
            timeout_s = min(timeout_s, RESTING_S) if self._resting else timeout_s
            self._fresh.wait_for(self._has_news, timeout_s)
            if self._crash is not None:
                raise self._crash
            if self._stop.is_set():
                raise EndOfSource
            frame, self._newest = self._newest, None
            return frame

    def rest(self, resting: bool) -> None:
        """Let go of the device, so that its light goes off, or get hold of it again."""
        if resting == self._resting:
            return
        with self._fresh:
            self._resting = resting
            self._newest = None
        self._nudge.set()

    def pace(self, hz: float | None) -> None:
        """Decode and give at most so many pictures a second; the others are only let pass."""
        self._most_hz = hz

    def renew(self) -> None:
        """Forget what was not read yet and open the device anew: the machine has slept.

        The next picture is one that was taken since. For any thread.
        """
        with self._fresh:
            self._renewed, self._newest = True, None

    def turn(self) -> int:
        """Do one step of watching; return how many microseconds to wait before the next.

        This is what the thread repeats; a test may call it instead of entering the source.
        """
        if self._resting:
            self._device.release()
            self._rested, self._previous = True, None
            return LONGEST_PAUSE_US
        if self._rested:
            self._health, self._rested = woken(self._clock.now_us()), False
        before = self._health
        if self._renewed:
            self._renewed = False
            self._device.release()
            self._health = closed(self._health, self._clock.now_us())
        try:
            if self._health.is_open:
                self._grab()
            else:
                self._open()
        except Unavailable as why:
            self._device.release()
            self._health = failed(self._health, str(why))
        if is_stuck(self._health, self._clock.now_us()):
            self._device.release()
            self._health = thawed(self._health)
        if self._health.fault != before.fault:
            log.warning("%s", self._health.fault or f"{self._device.name} sends pictures again")
        return 0 if self._health.is_open else pause_us(self._health)

    def _open(self) -> None:
        self._details = self._device.open()
        self._health = opened(self._health, self._clock.now_us())

    def _grab(self) -> None:
        t_us = max(self._device.grab(), self._last_us + 1)
        wanted, self._next_us = pace.due(self._next_us, t_us, self._most_hz)
        if not wanted:
            return
        rgb = self._device.retrieve()
        if rgb is None:
            return
        same = is_same(self._previous, rgb)
        self._health = pictured(self._health, t_us, dark=is_dark(rgb), same=same)
        self._previous, self._last_us = rgb, t_us
        if is_frozen(self._health):
            return
        with self._fresh:
            gone = self._resting or self._renewed  # then it is of before, perhaps
            self._newest = None if gone else Frame(t_us, rgb)
            self._fresh.notify_all()

    def _watch(self) -> None:
        try:
            while not self._stop.is_set():
                self._nudge.wait(self.turn() / 1e6)
                self._nudge.clear()
        except BaseException as crash:  # noqa: BLE001 (a bug must crash the reader, not this thread)
            with self._fresh:
                self._crash = crash
                self._fresh.notify_all()
        finally:
            self._device.release()

    def _has_news(self) -> bool:
        return self._newest is not None or self._crash is not None or self._stop.is_set()

    def __enter__(self) -> Self:
        # A daemon thread: a driver that hangs in `grab` must not keep the program from ending.
        self._thread = threading.Thread(target=self._watch, name="gesturectl-camera", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._nudge.set()
        with self._fresh:
            self._fresh.notify_all()
        if self._thread is None:
            self._device.release()
        else:
            self._thread.join(timeout=1.0)  # the thread itself lets go of the device
