"""The user's own takes on disk: landmarks only, each whole or absent, all in one folder.

    <data folder of the platform>/gesturectl/
        gestures/<name>/gesture.json          how it is to be taught: hand or body, how many takes
        gestures/<name>/take-001.jsonl.gz     one take each: a trace of a few seconds
        background/001.jsonl.gz               ordinary behaviour, a minute or less each
        wrong/001.jsonl.gz                    what was heard as a gesture and was none
        taught/                               the model made from all this (`taught`)

Whatever is read may be damaged or not ours: it is named with what to do, and left out; the rest is
used. Names are checked before they become paths.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, cast, get_args

import platformdirs

from gesturectl import strictjson, wholefile
from gesturectl.catalog import catalog
from gesturectl.errors import SampleError, TraceError, UsageError
from gesturectl.trace import TraceWriter, read_trace
from gesturectl.types import Observation, Take

Part = Literal["hand", "body", "auto"]

MAX_GESTURES: Final = 50
MAX_TAKES: Final = 100  # of one gesture; ten are plenty
MAX_WRONG: Final = 200
PIECE_US: Final = 60_000_000  # of background in one file: a killed recording loses no more
MAX_PIECES: Final = 20  # of background, the newest: 20 min, 18 MB; reading them takes 2 s

# A take is at most ten seconds, a piece of background a minute: no camera gives more frames.
_MAX_TAKE_FRAMES: Final = 2_000
_MAX_PIECE_FRAMES: Final = 12_000
_MAX_FILE_BYTES: Final = 64 << 20

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DEVICES = {"con", "prn", "aux", "nul", *(f"{d}{i}" for d in ("com", "lpt") for i in range(10))}


def check_name(name: str) -> str:
    """Return a name that a gesture of one's own may bear: like those of the catalog, but not one.

    Raises:
        UsageError: it may not; says what to write instead.
    """
    if name in catalog():
        raise UsageError(
            f"{name!r} is a shipped gesture, which is known without teaching; choose another name, "
            f"such as my_{name}"
        )
    if not _NAME.fullmatch(name) or name in _DEVICES:
        near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_").lstrip("0123456789_")[:40]
        usable = _NAME.fullmatch(near) and near not in _DEVICES and near not in catalog()
        hint = f"write {near}" if usable else "choose one like draw_z"
        raise UsageError(
            f"{name!r} cannot be the name of a gesture: up to 40 small letters, digits and _, the "
            f"first a letter; {hint}"
        )
    return name


@dataclass(frozen=True, slots=True)
class Plan:
    """How a gesture is taught: what is looked at, from how many takes, and whether it once was.

    Until it was `learned`, its takes are those of a lesson that was interrupted.
    """

    part: Part = "auto"
    wanted: int = 5
    learned: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one gesture: its plan, its takes and the file of each."""

    plan: Plan
    takes: tuple[Take, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Samples:
    """All that was read. `problems` names each file that was left out, with what to do."""

    gestures: Mapping[str, Kept]
    background: tuple[Take, ...]
    wrong: tuple[Take, ...]
    problems: tuple[str, ...]

    @property
    def background_us(self) -> int:
        """How long the ordinary behaviour is."""
        return sum(piece[-1].t_us - piece[0].t_us for piece in self.background)


@dataclass(frozen=True, slots=True)
class Store:
    """One user's folder. Nothing is created before something is kept."""

    root: Path

    @classmethod
    def of_user(cls) -> Store:
        """Return the store of whoever runs this program."""
        return cls(platformdirs.user_data_path("gesturectl"))

    @property
    def taught(self) -> Path:
        """Where the model made from the samples is."""
        return self.root / "taught"

    def names(self) -> tuple[str, ...]:
        """Return the gestures that have a folder, also if no take is in it yet."""
        return tuple(path.name for path in _listed(self.root / "gestures") if _is_own(path))

    # --- keeping --------------------------------------------------------------------------------

    def begin(self, name: str, plan: Plan) -> None:
        """Make the folder of a gesture, and note how it is to be taught.

        Raises:
            UsageError: the name cannot be used.
            SampleError: there are too many gestures, or the folder cannot be written.
        """
        folder = self._folder(name)
        if not folder.exists() and len(self.names()) >= MAX_GESTURES:
            raise SampleError(
                f"{MAX_GESTURES} gestures are all that can be kept; "
                "remove one with `gesturectl forget NAME`"
            )
        row = {"version": 1, "part": plan.part, "samples": plan.wanted, "learned": plan.learned}
        try:
            _make(folder)
            _sweep(folder)
            wholefile.write(folder / "gesture.json", f"{json.dumps(row)}\n".encode())
        except OSError as error:
            raise SampleError(f"{folder} cannot be written: {error.strerror}") from error

    def add_take(self, name: str, take: Take, source: str) -> Path:
        """Keep one take; return its file, which is whole or not there.

        Raises:
            SampleError: it cannot be kept: too many, or the folder cannot be written.
        """
        folder = self._folder(name)
        if len(self.files(name)) >= MAX_TAKES:
            raise SampleError(f"{name} has {MAX_TAKES} takes, all that can be kept")
        return _write(folder, "take-{:03d}.jsonl.gz", take, source, label=name)

    def files(self, name: str) -> tuple[Path, ...]:
        """Return the files of a gesture's takes, oldest first."""
        return tuple(_takes(self._folder(name), "take-"))

    def add_background(self, piece: Take, source: str) -> Path:
        """Keep a piece of ordinary behaviour, `PIECE_US` or shorter, in place of the oldest.

        Raises:
            SampleError: it cannot be written.
        """
        flat = [_without_world(observation) for observation in piece]
        path = _write(self.root / "background", "{:03d}.jsonl.gz", flat, source)
        for old in self.background_files()[:-MAX_PIECES]:
            old.unlink(missing_ok=True)
        return path

    def add_wrong(self, take: Take, gesture: str) -> Path:
        """Keep what was heard as `gesture` and was none.

        Raises:
            SampleError: there are too many already, or it cannot be written.
        """
        folder = self.root / "wrong"
        if len(_takes(folder)) >= MAX_WRONG:
            raise SampleError(
                f"{MAX_WRONG} mistakes are all that can be kept; something is wrong with the "
                "gestures themselves: teach them again, or choose others"
            )
        return _write(folder, "{:03d}.jsonl.gz", take, "gesturectl wrong", label=gesture)

    def wrong_files(self) -> tuple[Path, ...]:
        """Return the files of what was called wrong, oldest first."""
        return tuple(_takes(self.root / "wrong"))

    def background_files(self) -> tuple[Path, ...]:
        """Return the files of ordinary behaviour, oldest first."""
        return tuple(_takes(self.root / "background"))

    # --- removing -------------------------------------------------------------------------------

    def forget(self, name: str) -> int:
        """Remove a gesture: its takes, and what was wrongly heard as it. Return the takes removed.

        Raises:
            UsageError: there is no such gesture.
            SampleError: something cannot be removed.
        """
        if name not in self.names():
            known = ", ".join(self.names()) or "none"
            raise UsageError(f"there is no gesture of your own called {name!r}; known: {known}")
        for file in self.wrong_files():
            if _label(file) == name:
                file.unlink(missing_ok=True)
        return self._remove(self._folder(name))

    def forget_background(self) -> int:
        """Remove all ordinary behaviour; return the number of files."""
        return self._remove(self.root / "background")

    def forget_taught(self) -> None:
        """Remove the model made from the samples, and what a killed refit has left beside it."""
        for path in _listed(self.root):
            if path.name == self.taught.name or path.name.startswith(f"{self.taught.name}."):
                self._remove(path)

    def forget_all(self) -> None:
        """Remove everything of ours."""
        for name in self.names():
            self.forget(name)
        for folder in ("background", "wrong"):
            self._remove(self.root / folder)
        self.forget_taught()

    def _remove(self, folder: Path) -> int:
        """Remove the files of a folder, and the folder; return how many recordings there were."""
        count = len(_takes(folder, "take-")) + len(_takes(folder))
        try:
            # The file that makes a folder ours goes last: half a removal can be done again.
            for path in sorted(_listed(folder), key=lambda path: path.name == "gesture.json"):
                if path.is_file() or path.is_symlink():
                    path.unlink()
            if folder.is_dir() and not _listed(folder):
                folder.rmdir()
        except OSError as error:
            raise SampleError(f"{folder} cannot be removed: {error.strerror}") from error
        return count

    # --- reading --------------------------------------------------------------------------------

    def plan(self, name: str) -> Plan | None:
        """Return how a gesture is to be taught, or None where that was never said."""
        try:
            row = strictjson.loads((self._folder(name) / "gesture.json").read_bytes()[:4096])
            part, wanted, learned = row["part"], row["samples"], row["learned"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        sound = part in get_args(Part) and type(wanted) is int and 1 <= wanted <= MAX_TAKES
        return Plan(cast(Part, part), wanted, learned is True) if sound else None

    def takes(self, name: str) -> tuple[list[tuple[Path, Take]], list[str]]:
        """Return a gesture's sound takes with their files, and what is wrong with the others."""
        problems: list[str] = []
        read = [(f, _read(f, _MAX_TAKE_FRAMES, problems.append)) for f in self.files(name)]
        return [(file, take) for file, take in read if take is not None], problems

    def load(self) -> Samples:
        """Read everything; what is damaged is left out and named in `problems`."""
        problems: list[str] = []
        gestures = {}
        strange = (path for path in _listed(self.root / "gestures") if not _is_own(path))
        problems += [f"{path}: left out, as {_reason(path)}; move it away" for path in strange]
        for name in self.names():
            sound, wrong = self.takes(name)
            problems += wrong
            plan = self.plan(name) or Plan()
            gestures[name] = Kept(
                plan, tuple(take for _, take in sound), tuple(file for file, _ in sound)
            )
        return Samples(
            gestures,
            tuple(self._all(self.background_files(), _MAX_PIECE_FRAMES, problems.append)),
            tuple(self._all(self.wrong_files(), _MAX_TAKE_FRAMES, problems.append)),
            tuple(problems),
        )

    @staticmethod
    def _all(files: Iterable[Path], most: int, wrong: Callable[[str], None]) -> Iterator[Take]:
        for file in files:
            take = _read(file, most, wrong)
            if take is not None:
                yield take

    def _folder(self, name: str) -> Path:
        return self.root / "gestures" / check_name(name)


def _label(file: Path) -> str | None:
    """Return the label of a recording's first frame; None where it cannot be read."""
    try:
        return next((label for _, label in read_trace(file)), None)
    except (TraceError, OSError):
        return None


def _is_own(path: Path) -> bool:
    try:
        check_name(path.name)
    except UsageError:
        return False
    return path.is_dir() and not path.is_symlink()


def _reason(path: Path) -> str:
    try:
        check_name(path.name)
    except UsageError as error:
        return str(error)
    return "it is no folder of its own"


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # there is no such folder
        return []


def _takes(folder: Path, prefix: str = "") -> list[Path]:
    pattern = re.compile(rf"{prefix}\d{{3,6}}\.jsonl\.gz")
    found = [path for path in _listed(folder) if pattern.fullmatch(path.name)]
    return sorted(found, key=lambda path: len(path.name))  # 1000 comes after 999


def _make(folder: Path) -> None:
    """Landmarks describe a person: for their owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _sweep(folder: Path) -> None:
    """Remove halves that a killed program left behind: they are no takes."""
    for path in _listed(folder):
        if path.name.startswith(".") and path.name.endswith(".part"):
            path.unlink(missing_ok=True)


def _without_world(o: Observation) -> Observation:
    """Leave out the landmarks in metres, which nothing is learned from: half of what is read."""
    hands = tuple(replace(hand, world=None) for hand in o.hands)
    return replace(o, hands=hands, bodies=tuple(replace(body, world=None) for body in o.bodies))


def _write(folder: Path, pattern: str, take: Take, source: str, label: str | None = None) -> Path:
    if not take:
        raise SampleError("there is nothing to keep: no picture came")
    numbers = [int(re.findall(r"\d+", path.name)[0]) for path in _listed(folder)
               if re.fullmatch(r"(?:take-)?\d{3,6}\.jsonl\.gz", path.name)]  # fmt: skip
    path = folder / pattern.format(max(numbers, default=0) + 1)
    part = wholefile.part_of(path)
    try:
        _make(folder)
        with TraceWriter(path, take[0].size_px, source, part=part) as writer:
            for observation in take:
                writer.write(observation, label)
    except TraceError as error:
        raise SampleError(f"it cannot be kept: {error}") from error
    except OSError as error:
        raise SampleError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _read(file: Path, most: int, wrong: Callable[[str], None]) -> Take | None:
    """Return the observations of a file, or None, having said what is wrong with it."""
    advice = "left out; delete the file, or record another"
    try:
        if file.stat().st_size > _MAX_FILE_BYTES:
            wrong(f"{file}: larger than any recording of ours; {advice}")
            return None
        take: list[Observation] = []
        for observation, _ in read_trace(file):
            take.append(observation)
            if len(take) > most:
                wrong(f"{file}: more than {most} frames; {advice}")
                return None
    except (TraceError, OSError) as error:
        wrong(f"{error}; {advice}")
        return None
    if len(take) < 2:
        wrong(f"{file}: {len(take)} frames are no recording; {advice}")
        return None
    return tuple(take)
