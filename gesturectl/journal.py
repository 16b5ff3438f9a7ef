"""The log of `gesturectl run`: a few small files of JSON Lines, one line for each change of state.

    {"at": "2026-03-01T08:00:00.000Z", "level": "info", "module": "daemon", "message": "mode",
     "fields": {"from": "active", "to": "sleep"}}

No text of the user's can be in it, because none is ever handed to it: what changed is compared
between frames and told in words of ours, and of the warnings of other modules only the template is
kept, whose gaps are filled with numbers and the names of exceptions. What a profile types, says or
sends, titles of windows and names of files would all stand in the gaps.

    run   start ─── changes ─── stop        log.jsonl → log.jsonl.1 → … → log.jsonl.`keep` → gone

It is kept by the one daemon of a user. Lines are made in its loop, only when something has changed,
and written beside it: a disk that is full or hangs, or a folder that is gone, loses lines and stops
nothing (see `logfile`). Where the process is left at once, and where a thread dies of a bug, they
are on disk before.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from gesturectl import __version__, lastheard, logfile
from gesturectl.anonymise import Scrubber, source_kind, source_words
from gesturectl.config import Log
from gesturectl.daemon import Loop, Summary
from gesturectl.engine import Core
from gesturectl.errors import GesturectlError, SourceError
from gesturectl.logfile import LogFile
from gesturectl.profile import shipped
from gesturectl.rig import Choice, Rig

log = logging.getLogger(__name__)

KNOWN_MODES: Final = ("active", "sleep")
PACKAGES: Final = ("mediapipe", "ai-edge-litert", "opencv-contrib-python", "numpy")
# What these say of a change is told by `Watching` already, or cannot be written.
TOLD_ALREADY: Final = tuple(
    f"gesturectl.{name}" for name in ("daemon", "lifecycle", "meetings", "logfile")
)
OUR_LOGGERS: Final = "gesturectl"
AT_ONCE_S: Final = 0.2  # how long somebody waits who has asked twice to stop


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
    advice: str | None


@dataclass(slots=True)
class Journal:
    """Has the lines of one run written, from whichever thread they come."""

    _out: LogFile
    _level: int
    _choice: Choice
    _told: BaseException | None = None

    def note(self, level: int, module: str, message: str, **fields: Any) -> None:
        """Have one line written, if lines of this level are wanted. Waits for nothing."""
        if level >= self._level:
            self._out.put(lambda: _line(level, module, message, fields))

    def started(self) -> None:
        """Tell what is to run, in kinds: names of files and addresses stay out."""
        choice = self._choice
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
        """Tell what ended the run: where, and of what kind.

        Its words may quote the user's. A source's are sentences of ours around its name.
        """
        if error is self._told:
            return
        self._told = error
        kind = type(error).__name__
        if isinstance(error, GesturectlError):
            why = {"why": self.scrub().text(str(error))} if type(error) is SourceError else {}
            self.note(logging.ERROR, "watch", "failed", error=kind, code=error.exit_code, **why)
        elif isinstance(error, Exception):
            self.bug("watch", error)
        else:
            # Ctrl-C while it starts, or a second one while it ends.
            self.note(logging.INFO, "watch", "stop", reason="interrupted")

    def bug(self, module: str, error: BaseException) -> None:
        """Tell where a bug is."""
        kind, where = type(error).__name__, list(_places(error.__traceback__))
        self.note(logging.CRITICAL, module, "bug", error=kind, where=where)

    def flush(self, timeout_s: float = logfile.CLOSE_S) -> None:
        """Wait until all lines so far are written, or lost."""
        self._out.flush(timeout_s)

    def watching(self, rig: Rig) -> Watching:
        """Return what looks for changes between two frames."""
        return Watching(self, rig, self.scrub())

    def scrub(self) -> Scrubber:
        """Return what takes the source's name out of sentences about it."""
        return Scrubber(source_words(self._choice.source))


@dataclass(slots=True)
class Watching:
    """Compares what the loop is with what it was, and notes each difference."""

    _journal: Journal
    _rig: Rig
    _scrub: Scrubber
    _before: _State | None = None
    _engine: Core | None = None
    _modes: dict[str, str] = field(default_factory=dict)

    def between(self, loop: Loop) -> None:
        """Note what has changed since the last frame."""
        control = loop.control
        now = _State(
            control.paused, control.locked, control.away is not None, loop.source.problem,
            loop.idle, loop.engine.mode, self._rig.choice.profile, loop.refused is not None,
            loop.meters.advice,
        )  # fmt: skip
        before, self._before = self._before, now
        known, self._engine = self._engine, loop.engine
        if before is None:
            return
        if loop.engine is not known and now.profile == before.profile:
            self._journal.note(logging.INFO, "daemon", "reloaded")
        if now == before:
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
            if value in KNOWN_MODES:
                return value
            return self._modes.setdefault(value, f"own-{len(self._modes) + 1}")
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


def _line(level: int, module: str, message: str, fields: dict[str, Any]) -> str:
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    row = {
        "at": at.replace("+00:00", "Z"),
        "level": logging.getLevelName(level).lower(),
        "module": module,
        "message": message,
        "fields": fields,
    }
    return json.dumps(row, ensure_ascii=False)


def _lost(count: int) -> str:
    return _line(logging.WARNING, "journal", "lost", {"lines": count})


@contextmanager
def opened(settings: Log, choice: Choice) -> Iterator[Journal | None]:
    """Open the log for one run, and note what begins and what ends it.

    None where it is off, or cannot be had.

    Where it is off, nothing stays of an earlier one.
    """
    level = settings.numeric
    path = file()
    try:
        if level is None:
            logfile.remove(path)
        out = None if level is None else LogFile(path, settings.keep, _lost)
    except OSError as error:
        log.warning("%s: %s; %s", path, error.strerror, "no log is kept" if level else "it stays")
        out = None
    if out is None or level is None:
        yield None
        return
    journal = Journal(out, level, choice)
    journal.started()
    others = _Others(journal, max(level, logging.WARNING))
    ours = logging.getLogger(OUR_LOGGERS)
    ours.addHandler(others)
    try:
        with _threads_too(journal):
            yield journal
    except BaseException as error:
        journal.failed(error)
        raise
    finally:
        ours.removeHandler(others)
        out.close()


@contextmanager
def _threads_too(journal: Journal) -> Iterator[None]:
    """Note of what bug a thread died, beside whatever else is done about it."""
    before = threading.excepthook

    def died(told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None:
            journal.bug("thread", told.exc_value)
            journal.flush()
        before(told)

    threading.excepthook = died
    try:
        yield
    finally:
        threading.excepthook = before


@contextmanager
def on_disk(journal: Journal | None) -> Iterator[None]:
    """Have on disk what ends a run, before the process may be left at once (`daemon.signals`)."""
    try:
        yield
    except BaseException as error:
        if journal is not None:
            journal.failed(error)
            journal.flush(AT_ONCE_S)
        raise
