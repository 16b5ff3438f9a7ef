"""What goes on around a run: the session is locked, the machine sleeps, systemd watches.

    session   unlocked      locked           unlocked   sleeps   wakes
    loop      ─────────────▶ rest ··········▶ ─────────▶ rest ···▶ the source anew, then on

Let in between two frames like everybody else (see `daemon.Between`), so that nothing here needs a
lock, and so that what the watchdog hears is the frame loop itself: if that hangs, it hears nothing.
A lock and a pause are two things: unlocking does not end a pause that somebody has asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from gesturectl.daemon import Between, Loop, Reload
from gesturectl.desktop.session import Session
from gesturectl.engine import Core
from gesturectl.landmarks import Landmarker
from gesturectl.systemd import Manager, manager

log = logging.getLogger(__name__)

# Answers come within some milliseconds, and long before cameras and models are open. Where no bus
# answers at all, gestures must work as well.
SETTLE_S = 3.0


class Life:
    """Looks after one run."""

    def __init__(self, session: Session, told: Manager) -> None:
        self._session = session
        self._told = told
        self._wakes = session.wakes
        self._ready = False

    def between(self, loop: Loop) -> None:
        """Heed the session; tell systemd."""
        self._heed(loop)
        if not self._ready:
            self._ready = True
            self._told.ready()
        self._told.alive()
        self._told.status(status(loop))

    def reloading(self, reload: Reload) -> Reload:
        """Return what reads the profile anew, and tells systemd so."""

        def read(name: str | None) -> tuple[Landmarker | None, Core]:
            self._told.reloading()
            try:
                return reload(name)
            finally:
                self._told.ready()

        return read

    def _heed(self, loop: Loop) -> None:
        session, control = self._session, loop.control
        away = session.locked or session.asleep
        if away and not control.locked:
            control.locked = True
            log.warning("%s: no gesture acts", _why(session))
            loop.rest()
        if session.asleep:
            session.rested()  # everything is let go by now
        if session.wakes != self._wakes:
            self._wakes = session.wakes
            # What was seen before the machine slept is of no use, and few cameras survive it.
            renew = getattr(loop.source, "renew", None)
            if renew is not None:
                renew()
        if control.locked and not away:
            control.locked = False
            log.warning(
                "somebody is there again: %s",
                "still paused" if control.paused else "gestures act",
            )


def status(loop: Loop) -> str:
    """Say in one line what the daemon does."""
    control = loop.control
    if control.locked:
        return "the screen is locked, no gesture acts"
    if control.paused:
        return "paused"
    if (problem := loop.source.problem) is not None:  # a camera's thread may end it meanwhile
        return problem
    if loop.idle or not loop.meters.frames:
        return "waiting for pictures"
    return f"watching, mode {loop.engine.mode}"


@contextmanager
def looked_after() -> Iterator[Life]:
    """Look after the run inside the context."""
    told = manager()
    with Session() as session:
        session.settle(SETTLE_S)
        try:
            yield Life(session, told)
        finally:
            told.stopping()


def in_turn(*guests: Between | None) -> Between:
    """Return what lets several in, one after the other."""
    present = [guest for guest in guests if guest is not None]

    def between(loop: Loop) -> None:
        for guest in present:
            guest(loop)

    return between


def _why(session: Session) -> str:
    return "the screen is locked" if session.locked else "the machine sleeps"
