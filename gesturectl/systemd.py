"""Tell the service manager how the daemon fares: ready, alive, reloading, stopping, and one line.

One datagram for each message, to the socket that systemd names in the environment. Where it names
none, nothing is said. The protocol: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Final

log = logging.getLogger(__name__)

PARTS: Final = 4  # of the watchdog's time; systemd advises to speak twice in it
RELOAD_S: Final = 600  # a profile may want a landmark model that has to be obtained first


@dataclass(slots=True)
class Manager:
    """Who started us. `address` is None where nobody wants to hear, `watchdog_s` where no watchdog
    waits. `now_s` is a monotonic clock.
    """

    address: str | None = None
    watchdog_s: float | None = None
    now_s: Callable[[], float] = time.monotonic
    _status: str = ""
    _alive_s: float = -1.0

    def ready(self) -> None:
        """Say that gestures are watched for; also after `reloading`."""
        self._say("READY=1" + self._patience(self.watchdog_s))

    def reloading(self) -> None:
        """Say that the profile is read anew, until `ready`. The watchdog is patient meanwhile."""
        if self.address is None or sys.platform == "win32":
            return
        now_us = int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6)
        self._say(f"RELOADING=1\nMONOTONIC_USEC={now_us}" + self._patience(RELOAD_S))

    def stopping(self) -> None:
        """Say that the daemon ends by itself."""
        self._say("STOPPING=1")

    def status(self, line: str) -> None:
        """Show a line in `systemctl status`; costs nothing while it stays the same."""
        if line != self._status:
            self._status = line
            self._say("STATUS=" + " ".join(line.split()))

    def alive(self) -> None:
        """Say that the frame loop goes round; as often as the watchdog needs it, and no more."""
        if self.watchdog_s is None:
            return
        now_s = self.now_s()
        if self._alive_s < 0 or now_s - self._alive_s >= self.watchdog_s / PARTS:
            self._alive_s = now_s
            self._say("WATCHDOG=1")

    def _patience(self, seconds: float | None) -> str:
        if self.watchdog_s is None or seconds is None:
            return ""
        return f"\nWATCHDOG_USEC={round(seconds * 1e6)}"

    def _say(self, message: str) -> None:
        if self.address is None or sys.platform == "win32":
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)  # a manager that does not read never delays a frame
                line.sendto(message.encode(), _place(self.address))
        except OSError as error:
            log.info("systemd does not hear us: %s", error)


def manager(environment: MutableMapping[str, str] | None = None) -> Manager:
    """Return who started us, and take its address out of the environment: no program that a
    gesture starts speaks for us."""
    env = os.environ if environment is None else environment
    address, pid = env.pop("NOTIFY_SOCKET", ""), env.pop("WATCHDOG_PID", "")
    patience_us = env.pop("WATCHDOG_USEC", "")
    if not address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return Manager()
    watched = patience_us.isdecimal() and int(patience_us) > 0 and pid in ("", str(os.getpid()))
    return Manager(address, int(patience_us) / 1e6 if watched else None)


def _place(address: str) -> str:
    """Return the address of a socket; one without a file begins with a zero byte."""
    return "\0" + address[1:] if address.startswith("@") else address
