"""`python -m gesturectl.companion FACE…`: shows a run on the desktop, from a process of its own.

    daemon ──── control socket ───▶ companion ──┬── tray        an icon and a menu in the panel
           ◀─── what is asked for ──            └── …           one row of `FACES` each

It is a client like `gesturectl ctl`, so nothing that a desktop does can delay a frame, and its
death is none of the daemon's business: `company` in the daemon starts it again. All faces share one
event loop and one connection. It ends when the daemon hangs up.
[Why](../docs/decisions/0016-a-companion-process.md)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gesturectl import config, sessionbus
from gesturectl.config import Config
from gesturectl.control.line import Line, Show, open_line
from gesturectl.errors import ControlError, GesturectlError

log = logging.getLogger(__name__)

LEVEL: Final = "GESTURECTL_COMPANION_LEVEL"
PAUSES_S: Final = (1.0, 4.0, 15.0)  # before a face that failed is tried again
FORGIVEN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class FaceSpec:
    """One row of `FACES`.

    `wanted` looks at the user's settings; `missing` returns None where the face can be shown in
    this session, else why not. Both are asked in the daemon, and must import nothing heavy.
    """

    says: str
    wanted: Callable[[Config], bool]
    missing: Callable[[], str | None]
    show: Show


async def _show_tray(line: Line, settings: Config) -> None:
    from gesturectl.tray.face import show

    await show(line, settings)


async def _show_display(line: Line, settings: Config) -> None:
    from gesturectl.display.driving import show

    await show(line, settings)


def _no_screen() -> str | None:
    if sys.platform != "linux":
        return "it is there for X11 and Wayland"
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    return "neither DISPLAY nor WAYLAND_DISPLAY is set"


def _no_bus() -> str | None:
    if sys.platform != "linux" or sessionbus.address() is not None:
        return None
    return sessionbus.NO_BUS


FACES: Final[dict[str, FaceSpec]] = {
    "tray": FaceSpec(
        "an icon in the panel, with a menu", lambda settings: settings.tray, _no_bus, _show_tray
    ),
    "display": FaceSpec(
        "a small panel over all windows",
        lambda settings: settings.display.show is not False or settings.sounds,
        _no_screen,
        _show_display,
    ),
}


def faces(settings: Config) -> tuple[str, ...]:
    """Return which faces are to be shown here, by their names; say which cannot be."""
    found = []
    for name, spec in FACES.items():
        if not spec.wanted(settings):
            continue
        problem = spec.missing()
        if problem is None:
            found.append(name)
        else:
            log.info("no %s: %s", name, problem)
    return tuple(found)


async def accompany(shows: Mapping[str, Show], settings: Config, where: Path | None = None) -> None:
    """Show faces until SIGTERM comes, or none of them can be shown any more.

    Raises:
        ControlError: there is no daemon to talk to, or it has hung up.
    """
    async with open_line(where) as line:
        attending = asyncio.create_task(line.attend())
        showing = asyncio.ensure_future(
            asyncio.gather(*(_kept(name, show, line, settings) for name, show in shows.items()))
        )
        both: set[asyncio.Future[Any]] = {attending, showing}
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # see `systray`
            loop.add_signal_handler(signal.SIGTERM, showing.cancel)
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if attending.done():
                attending.result()
                raise ControlError("the daemon has hung up")
        finally:
            for task in (showing, attending):
                task.cancel()
            await asyncio.gather(showing, attending, return_exceptions=True)


async def _kept(name: str, show: Show, line: Line, settings: Config) -> None:
    """Show one face; when it fails, a few times more. A long life is forgiven its failures."""
    failures = 0
    while True:
        began_s = time.monotonic()
        try:
            await show(line, settings)
            return
        except GesturectlError as error:
            problem = str(error)
        except Exception as error:
            log.exception("the %s has failed", name)
            problem = repr(error)
        if time.monotonic() - began_s >= FORGIVEN_S:
            failures = 0
        if failures == len(PAUSES_S):
            log.warning("no %s any more: %s", name, problem)
            return
        log.info("no %s for now: %s", name, problem)
        await asyncio.sleep(PAUSES_S[failures])
        failures += 1


class _Lines(logging.Formatter):
    """One record, one line, its level first: the daemon tells it on as its own."""

    def format(self, record: logging.LogRecord) -> str:
        text = " ⏎ ".join(super().format(record).splitlines())
        return f"{record.levelno} {text}"


def main(arguments: list[str]) -> int:
    """Show the named faces; return 0 when there is nothing more to do, see `company`."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines("%(message)s"))
    logging.basicConfig(handlers=[handler], level=int(os.environ.get(LEVEL, logging.INFO)))
    try:
        settings = config.load()
        shows = {name: FACES[name].show for name in arguments}
        if sys.platform in ("darwin", "win32") and "tray" in shows:
            from gesturectl.tray import systray

            # Their panels want the main thread.
            systray.around(lambda show: asyncio.run(accompany(shows | {"tray": show}, settings)))
        else:
            asyncio.run(accompany(shows, settings))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except GesturectlError as error:
        log.info("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
