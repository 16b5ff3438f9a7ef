"""The log of `gesturectl run`: a few small files of JSON Lines, one line for each change of state.

    {"at": "2026-03-01T08:00:00.000Z", "level": "info", "module": "daemon", "message": "mode",
     "fields": {"from": "active", "to": "sleep"}}

No text of the user's can be in it, because none is ever handed to it: what changed is compared
between frames and told in words of ours, and of the warnings of other modules only the template is
kept, whose gaps are filled with numbers and the names of exceptions. What a profile types, says or
sends, titles of windows and names of files would all stand in the gaps.

    run   start ─── changes ─── stop        log.jsonl → log.jsonl.1 → … → log.jsonl.`keep` → gone

It is written by the one daemon of a user, in its loop and only when something has changed. A disk
that is full, or a folder that is gone, loses lines and stops nothing.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from gesturectl import __version__, lastheard
from gesturectl.anonymise import Scrubber, source_kind, source_words
from gesturectl.config import Log
from gesturectl.daemon import Loop, Summary
from gesturectl.errors import GesturectlError
from gesturectl.profile import shipped
from gesturectl.rig import Rig

MAX_BYTES: Final = 256 * 1024  # about 1,500 changes
KNOWN_MODES: Final = ("active", "sleep")
PACKAGES: Final = ("mediapipe", "ai-edge-litert", "opencv-contrib-python", "numpy")
# What these say of a change is told by `Watching` already.
TOLD_ALREADY: Final = ("gesturectl.daemon", "gesturectl.lifecycle", "gesturectl.meetings")
OUR_LOGGERS: Final = "gesturectl"


def file() -> Path:
    """Return where the newest lines are."""
    return lastheard.file().with_name("log.jsonl")


def versions() -> dict[str, str | None]:
    """Return the versions of what recognises gestures; None is not installed."""
    found: dict[str, str | None] = {
        "gesturectl": __version__,
        "python": platform.python_version(),
    }
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


class _Rotating(RotatingFileHandler):
    """Files for their owner only, through no link; lines that cannot be written are dropped."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", opener=_private)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Lose the line: gestures go on, and stderr has told what matters."""


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


@dataclass(frozen=True, slots=True)
class _State:
    """What a line is written for when it changes; each is plain, and cheap to compare."""

    paused: bool
    locked: bool
    away: bool
    problem: str | None
    resting: bool
    mode: str
    profile: str | None
    refused: bool


@dataclass(slots=True)
class Journal:
    """Writes the lines of one run."""

    _out: logging.Handler
    _level: int

    def note(self, level: int, module: str, message: str, **fields: Any) -> None:
        """Write one line, if lines of this level are wanted."""
        if level < self._level:
            return
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        row = {
            "at": at.replace("+00:00", "Z"),
            "level": logging.getLevelName(level).lower(),
            "module": module,
            "message": message,
            "fields": fields,
        }
        line = json.dumps(row, ensure_ascii=False)
        self._out.handle(logging.LogRecord("journal", level, "", 0, line, None, None))

    def started(self, rig: Rig) -> None:
        """Tell what runs, in kinds: names of files and addresses stay out."""
        choice = rig.choice
        self.note(
            logging.INFO, "watch", "start",
            versions=versions(),
            platform=f"{platform.system()} {platform.release()} {platform.machine()}",
            session=os.environ.get("XDG_SESSION_TYPE", ""),
            source=source_kind(choice.source),
            sink=choice.sink if isinstance(choice.sink, str) else "print",
            profile=profile_name(choice.profile),
        )  # fmt: skip

    def stopped(self, summary: Summary) -> None:
        """Tell how it ended."""
        self.note(
            logging.INFO, "watch", "stop",
            reason=summary.reason, signal=summary.signal, frames=summary.frames,
            frames_per_s=round(summary.rate_hz, 1),
        )  # fmt: skip

    def failed(self, error: BaseException) -> None:
        """Tell what ended the run: where, and of what kind. Its words may quote the user's."""
        if isinstance(error, GesturectlError):
            kind = type(error).__name__
            self.note(logging.ERROR, "watch", "failed", error=kind, code=error.exit_code)
        elif isinstance(error, Exception):
            where = list(_places(error.__traceback__))
            self.note(logging.CRITICAL, "watch", "bug", error=type(error).__name__, where=where)

    def watching(self, rig: Rig) -> Watching:
        """Return what looks for changes between two frames."""
        return Watching(self, rig, Scrubber(source_words(rig.choice.source)))


@dataclass(slots=True)
class Watching:
    """Compares what the loop is with what it was, and notes each difference."""

    _journal: Journal
    _rig: Rig
    _scrub: Scrubber
    _before: _State | None = None
    _modes: dict[str, str] = field(default_factory=dict)

    def between(self, loop: Loop) -> None:
        """Note what has changed since the last frame."""
        control = loop.control
        now = _State(
            control.paused, control.locked, control.away is not None, loop.source.problem,
            loop.idle, loop.engine.mode, self._rig.choice.profile, loop.refused is not None,
        )  # fmt: skip
        before, self._before = self._before, now
        if before is None or now == before:
            return
        for name in _State.__slots__:
            old, new = getattr(before, name), getattr(now, name)
            if old != new:
                level = logging.WARNING if name in ("problem", "refused") else logging.INFO
                fields = {"from": self._told(name, old), "to": self._told(name, new)}
                self._journal.note(level, "daemon", name, **fields)

    def _told(self, name: str, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if name == "profile":
            return profile_name(value)
        if name == "mode":
            own = self._modes.setdefault(value, f"own-{len(self._modes) + 1}")
            return value if value in KNOWN_MODES else own
        return self._scrub.text(value)


def profile_name(name: str | None) -> str | None:
    """Return the name of a shipped profile; one of the user's own is called `own`."""
    return name if name is None or name in shipped() else "own"


def _places(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        code, line = trace.tb_frame.f_code, trace.tb_lineno
        yield f"{trace.tb_frame.f_globals.get('__name__', '?')}:{line} {code.co_name}"
        trace = trace.tb_next


class _Others(logging.Handler):
    """Takes the warnings of all modules of ours, and writes their templates."""

    def __init__(self, journal: Journal, level: int) -> None:
        super().__init__(level)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        if record.name in TOLD_ALREADY:
            return
        module = record.name.removeprefix(f"{OUR_LOGGERS}.")
        fields: dict[str, Any] = {"line": record.lineno}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = type(record.exc_info[1]).__name__
            fields["where"] = list(_places(record.exc_info[2]))
        self._journal.note(record.levelno, module, template(record), **fields)


def template(record: logging.LogRecord) -> str:
    """Return what a module says without what it says it of."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    told = tuple(_harmless(one) for one in arguments)
    try:
        return str(record.msg) % told if told else str(record.msg)
    except (TypeError, ValueError):  # a template that wants what we withhold
        return str(record.msg)


def _harmless(value: object) -> object:
    if isinstance(value, int | float):
        return value
    return type(value).__name__ if isinstance(value, BaseException) else "…"


@contextmanager
def opened(settings: Log) -> Iterator[Journal | None]:
    """Open the log for one run, and note what ends it; None where it is off, or cannot be had."""
    level = settings.numeric
    if level is None:
        yield None
        return
    path = file()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        out = _Rotating(path, maxBytes=MAX_BYTES, backupCount=settings.keep, encoding="utf-8")
    except OSError as error:
        print(f"no log is kept: {path}: {error.strerror}", file=sys.stderr)
        yield None
        return
    journal = Journal(out, level)
    others = _Others(journal, max(level, logging.WARNING))
    ours = logging.getLogger(OUR_LOGGERS)
    ours.addHandler(others)
    try:
        yield journal
    except BaseException as error:
        journal.failed(error)
        raise
    finally:
        ours.removeHandler(others)
        out.close()
