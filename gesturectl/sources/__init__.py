"""Where frames come from. `open_source` turns `kind:argument` into a `Source`.

`SOURCES` is the table of kinds; other packages add rows to it through the entry point group
`gesturectl.sources`, each entry point naming a `SourceSpec`. Nothing that needs a camera library
is imported before a source that needs it is opened.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar, cast, runtime_checkable

from gesturectl.errors import UsageError
from gesturectl.types import Frame, Observation

log = logging.getLogger(__name__)


class Source(Protocol):
    """A stream of frames, or of observations where the landmarks are known already (traces).

    A source is a context manager; leaving it frees the device. Time stamps never go back.
    """

    @property
    def description(self) -> str:
        """What this is, for a status line: ``camera 0 (HD Webcam) 640×480 30 fps MJPG``."""
        ...

    @property
    def problem(self) -> str | None:
        """What is wrong right now in plain words (missing, busy, black, frozen), or None."""
        ...

    def read(self, timeout_s: float) -> Frame | Observation | None:
        """Return the newest unread item, or None when none came within `timeout_s`.

        Raises:
            EndOfSource: the recording is over.
            SourceError: the source failed and cannot come back by itself.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class Resting(Protocol):
    """A source that can let go of its device for a while: a camera, whose light then goes off."""

    def rest(self, resting: bool) -> None:
        """Let go of the device, or get hold of it again. Meanwhile `read` gives None.

        Returns at once; asking again for what is so already does nothing.
        """
        ...


@runtime_checkable
class Paced(Protocol):
    """A source that can give fewer pictures, and saves work by it."""

    def pace(self, hz: float | None) -> None:
        """Give at most so many pictures a second from now on; None gives all that come."""
        ...


@runtime_checkable
class Foretelling(Protocol):
    """A source that may know what comes: a recording, of which no frame is dropped."""

    def foretell(self) -> Sequence[Observation]:
        """Return what the next reads give, where that is known; each is told once.

        Raises:
            SourceError: what `read` would raise now.
        """
        ...


class EndOfSource(Exception):  # noqa: N818 (not an error)
    """A recording has been read to its end. Not an error."""


Given_co = TypeVar("Given_co", bound=Frame | Observation, covariant=True)


class Giving(Protocol[Given_co]):
    """What gives frames, or observations, or either."""

    def read(self, timeout_s: float) -> Given_co | None: ...


def to_its_end(source: Giving[Given_co]) -> Iterator[Given_co]:
    """Yield all that a recording gives.

    Raises:
        SourceError: as `read` does.
    """
    while True:
        try:
            item = source.read(1.0)
        except EndOfSource:
            return
        if item is not None:
            yield item


class Opener(Protocol):
    """Opens one kind of source; raises SourceError when it cannot be opened."""

    def __call__(self, argument: str, *, realtime: bool) -> Source: ...


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One row of `SOURCES`: how a kind is written, what it is, and what opens it.

    `default` is the argument meant when only the kind is given. A kind of which `is_url` holds is
    the scheme of a URL, and its opener gets the whole of it. What is `live` shows people as they
    are now. What has `landmarks` gives Observations and needs no landmarker.
    """

    usage: str
    says: str
    open: Opener
    default: str | None = None
    is_url: bool = False
    live: bool = True
    landmarks: bool = False


def _opener(module: str, function: str) -> Opener:
    """Return an opener that imports its module when it is first called."""

    def open_it(argument: str, *, realtime: bool) -> Source:
        opener = cast(Opener, getattr(import_module(module), function))
        return opener(argument, realtime=realtime)

    return open_it


_URL = _opener("gesturectl.sources.network", "open_url")

SOURCES: Final[Mapping[str, SourceSpec]] = {
    "camera": SourceSpec(
        "camera:N|NAME|PATH",
        "a webcam: its number, a part of its name, or its device file",
        _opener("gesturectl.sources.camera", "open_camera"),
        default="",
    ),
    "http": SourceSpec(
        "http://HOST/PATH", "a network camera or phone that sends MJPEG", _URL, is_url=True
    ),
    "https": SourceSpec("https://HOST/PATH", "the same, encrypted", _URL, is_url=True),
    "puppet": SourceSpec(
        "puppet:SCRIPT|all",
        "a drawn person who acts gestures, or several: SCRIPT+SCRIPT; needs no camera",
        _opener("gesturectl.sources.puppet", "open_puppet"),
        default="all",
        live=False,
    ),
    "rtsp": SourceSpec("rtsp://HOST/PATH", "a network camera that speaks RTSP", _URL, is_url=True),
    "rtsps": SourceSpec("rtsps://HOST/PATH", "the same, encrypted", _URL, is_url=True),
    "trace": SourceSpec(
        "trace:FILE",
        "landmarks recorded by `gesturectl record` (.jsonl, .jsonl.gz)",
        _opener("gesturectl.sources.trace", "open_trace"),
        live=False,
        landmarks=True,
    ),
    "video": SourceSpec(
        "video:FILE", "a video file", _opener("gesturectl.sources.video", "open_video"), live=False
    ),
}


def open_source(spec: str, *, realtime: bool) -> Source:
    """Open a source named `kind:argument`; the path of a file that exists will do as well.

    With `realtime`, recordings and the puppet are paced by the monotonic clock and stamped on it,
    and late frames are dropped. Without, every frame comes as fast as it is read, with the stamps
    of the recording, the same in every run. Cameras are always live.

    Raises:
        UsageError: there is no such kind of source, or its argument is missing.
        SourceError: it cannot be opened.
    """
    kind, _, argument = spec.partition(":")
    known = known_sources()
    row = known.get(kind)
    if row is None:
        kind, argument = _kind_of_file(spec), spec
        row = known[kind]
    elif row.is_url:
        argument = spec
    elif not argument:
        if row.default is None:
            raise UsageError(f"source {spec!r} names no file; write {row.usage}")
        argument = row.default
    return row.open(argument, realtime=realtime)


@cache
def known_sources() -> dict[str, SourceSpec]:
    """Return `SOURCES` and what installed packages add to it, by kind."""
    known = dict(SOURCES)
    for entry_point in entry_points(group="gesturectl.sources"):
        try:
            known.setdefault(entry_point.name, cast(SourceSpec, entry_point.load()))
        except Exception as error:  # noqa: BLE001 (a stranger's package must not stop the camera)
            log.warning("source %r cannot be loaded: %s", entry_point.name, error)
    return known


def is_live(spec: str) -> bool:
    """Whether a source shows people as they are now: any camera, but no recording and no puppet."""
    row = known_sources().get(spec.partition(":")[0])
    return _is_device(spec) if row is None else row.live


def gives_frames(spec: str) -> bool:
    """Whether a source gives pictures; one of landmarks needs no models to find them."""
    row = known_sources().get(spec.partition(":")[0])
    return not _is_trace(spec) if row is None else not row.landmarks


def _is_device(spec: str) -> bool:
    return spec.isdecimal() or Path(spec).expanduser().is_char_device()


def _is_trace(path: str) -> bool:
    name = path.removesuffix(".part")  # an interrupted recording
    return name.endswith((".jsonl", ".jsonl.gz"))


def _kind_of_file(spec: str) -> str:
    """Return the kind of source that a bare path or number means.

    Raises:
        UsageError: there is no such file, so `spec` is a kind misspelt, or a path.
    """
    if _is_device(spec):
        return "camera"
    if Path(spec).expanduser().is_file():
        return "trace" if _is_trace(spec) else "video"
    known = known_sources()
    near = difflib.get_close_matches(spec.partition(":")[0].lower(), known, n=1)
    hint = f"did you mean {known[near[0]].usage}?" if near else "write one of: "
    if not near:
        hint += ", ".join(row.usage for row in known.values())
    raise UsageError(f"there is no source and no file {spec!r}; {hint}")
