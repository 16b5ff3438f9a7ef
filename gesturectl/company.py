"""Keep a companion beside the daemon: start it, tell on what it says, start it again when it dies.

    started ─▶ runs ─── ends with code 0 ──▶ left alone      nothing can be shown here
                 │
                 └── dies ──▶ wait 1, 2, 4, 8 s ──▶ started; after one death more, a warning

Who lived for a minute is forgiven its former deaths. All of it happens in a thread that waits; the
loop of the daemon takes no part in it. The companion has a session of its own, so that a Ctrl-C in
the terminal reaches the daemon alone, which lets go of the keys and then ends the companion.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Final

from gesturectl.companion import FORGIVEN_S, LEVEL

log = logging.getLogger(__name__)

PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0)
END_S: Final = 2.0  # for an icon to be taken away


class Company:
    """Runs `argv` from `start` to `stop`."""

    def __init__(self, argv: Sequence[str], pauses_s: Sequence[float] = PAUSES_S) -> None:
        self._argv, self._pauses_s = tuple(argv), tuple(pauses_s)
        self._process: subprocess.Popen[str] | None = None
        self._last_words = ""  # that are not a line of its log: of a crash
        self._changing = Lock()  # between `stop` and the start of another process
        self._stopping = Event()
        self._thread = Thread(target=self._keep, name="company", daemon=True)

    def start(self) -> None:
        """Begin, and return at once."""
        self._thread.start()

    def stop(self) -> None:
        """End it, and wait for that; not for longer than `END_S`."""
        with self._changing:
            self._stopping.set()
            process = self._process
            if process is not None and process.poll() is None:
                process.terminate()
        self._thread.join(END_S)
        if self._thread.is_alive() and process is not None:
            process.kill()
            self._thread.join(END_S)

    def _keep(self) -> None:
        deaths = 0
        while True:
            began_s = time.monotonic()
            try:
                code = self._run_once()
            except OSError as error:
                log.warning("nothing is shown on the desktop: %s", error)
                return
            if self._stopping.is_set() or code == 0:
                return
            if time.monotonic() - began_s >= FORGIVEN_S:
                deaths = 0
            if deaths == len(self._pauses_s):
                log.warning(
                    "what shows gesturectl on the desktop ended %d times, at last with code %d%s: "
                    "from now on nothing is shown; gestures go on",
                    deaths + 1,
                    code,
                    f" ({self._last_words})" if self._last_words else "",
                )
                return
            pause_s = self._pauses_s[deaths]
            deaths += 1
            log.info("the companion ended with code %d; another comes in %g s", code, pause_s)
            if self._stopping.wait(pause_s):
                return

    def _run_once(self) -> int:
        """Start it, tell on its lines, and return its exit code."""
        with self._changing:
            if self._stopping.is_set():
                return 0
            process = self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
                env=dict(os.environ) | {LEVEL: str(log.getEffectiveLevel())},
            )
        with process:
            for line in process.stderr or ():
                self._tell_on(line.rstrip("\n"))
        return process.returncode

    def _tell_on(self, line: str) -> None:
        """Log a line of its log as our own; what else it says, for debugging alone."""
        level, _, text = line.partition(" ")
        if level.isdecimal() and text:
            log.log(int(level), "%s", text)
        elif line.strip():
            self._last_words = line.strip()
            log.debug("%s", line)


@contextmanager
def accompanied(faces: Sequence[str]) -> Iterator[None]:
    """Show these faces of the run that answers on the control socket, as long as this lasts."""
    if not faces:
        yield
        return
    company = Company((sys.executable, "-P", "-m", "gesturectl.companion", *faces))
    company.start()
    try:
        yield
    finally:
        company.stop()
