"""`gesturectl doctor --bundle`: one archive for a bug report, in which nobody is named.

    findings.json  versions.json  status.json  config.json  profile.json  log/*.jsonl  README.txt
    last-heard.jsonl.gz  recording.jsonl.gz      only where they were asked for, or agreed to

Every part is made anew from what it tells; no file of the user's is copied. Settings and profiles
pass through `anonymise.Anonymiser`, and all sentences through a `Scrubber` that knows the user's
name, folders, machine, own gestures, and each word that was taken out of the settings.
"""

from __future__ import annotations

import getpass
import json
import logging
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from gesturectl import config, holdings, journal, lastheard, logfile, profile
from gesturectl.anonymise import Anonymiser, Scrubber, shown, source_words
from gesturectl.archive import entry, written
from gesturectl.catalog import catalog
from gesturectl.ctl import Caller
from gesturectl.doctor import Finding
from gesturectl.errors import ControlError, GesturectlError, TraceError
from gesturectl.samples import Store
from gesturectl.sinks import SINKS
from gesturectl.trace import Label, TraceWriter, read_trace
from gesturectl.types import Observation
from gesturectl.yamlnodes import LIMITS

log = logging.getLogger(__name__)

# What these find quotes files of the user's, or names of programs and gestures: the verdict says
# enough, and the parts beside it tell the rest.
VERDICT_ONLY: Final = ("configuration", "own gestures", "virtual camera")
LAST_HEARD: Final = "last-heard.jsonl.gz"
RECORDING: Final = "recording.jsonl.gz"
FIGURES: Final = (
    "version", "uptime_s", "paused", "locked", "frames", "frames_per_s", "latency_ms",
    "spent_ms", "events", "commands",
)  # fmt: skip
MOST_FRAMES: Final = 18_000  # of a recording: ten minutes of 30 a second


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the archive, and what it is in words."""

    name: str
    says: str
    data: bytes


def question() -> str | None:
    """Return how to ask for the landmarks that could be added; None where there are none."""
    try:
        heard = lastheard.read()
    except TraceError:
        heard = None
    found = ["of the seconds around your last gesture"] if heard and heard.seen else []
    if (recording := _last_recording()) is not None:
        found.append(f"of your last recording, {recording}")
    if not found:
        return None
    return f"Add joints of hands and body too, {' and '.join(found)}? They show how somebody moves."


def parts(findings: Iterable[Finding], *, landmarks: bool) -> list[Part]:
    """Return all that the archive will hold.

    Raises:
        TraceError: landmarks are wanted, and damaged.
    """
    anonymiser = Anonymiser(_known_words())
    settings = _settings(anonymiser)
    chosen = _profile(anonymiser)
    scrub = Scrubber(_person(), anonymiser.taken, keep=filter(None, journal.versions().values()))
    made = [
        _json("findings.json", "what `gesturectl doctor` finds", _findings(findings, scrub)),
        _json("versions.json", "versions, platform and kind of desktop", _versions()),
        _json("status.json", "figures of the gesturectl that runs, if one does", _status(scrub)),
        _json("config.json", "your settings, every word of your own replaced", settings),
        _json("profile.json", "your profile, every word of your own replaced", chosen),
        *_log(scrub),
    ]
    if landmarks:
        made += _landmarks(anonymiser)
    return [*made, Part("README.txt", "this list", readme(made).encode())]


def readme(made: Iterable[Part]) -> str:
    """Return what is inside, and what is not."""
    made = list(made)
    lines = [
        "A report of gesturectl, made by `gesturectl doctor --bundle`.",
        "",
        *(f"{part.name}  {part.says}" for part in made),
        "",
        "Words of your own in settings and profiles are replaced by word-1, word-2 and so on. Your",
        "name, folders, machine and addresses are left out. There is no picture and no text.",
    ]
    if not any(part.name in (LAST_HEARD, RECORDING) for part in made):
        lines.append("There are no landmarks.")
    return "\n".join([*lines, "Look through it before you send it.", ""])


def write(archive: Path, made: Iterable[Part]) -> None:
    """Write the archive, for its owner only.

    Raises:
        UsageError: there is such a file.
        GesturectlError: it cannot be written.
    """
    with written(archive) as z:
        for one in made:
            z.writestr(entry(one.name), one.data)  # no time of day: it would tell of habits


# --- who must not be named ------------------------------------------------------------------------


def _person() -> list[str]:
    """Return words that tell of this user and machine, the longest of each kind first."""
    words = [str(Path.home()), platform.node(), platform.node().partition(".")[0]]
    try:
        words += [getpass.getuser(), *_full_name()]
    except (OSError, KeyError):  # a user that no table knows
        log.debug("this user has no name")
    store = Store.of_user()
    words += [path.name for path in _within(store.root / "gestures")]
    try:
        words += source_words(config.load().source)
    except GesturectlError:
        log.debug("no settings that could name a source")
    return [word for word in words if word]


def _full_name() -> list[str]:
    if sys.platform == "win32":  # it has no such list of users
        return []
    import pwd

    told = pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0]
    return re.findall(r"\w{3,}", told)


def _within(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _known_words() -> frozenset[str]:
    """Return the words that settings know, and names that come with gesturectl."""
    groups = [value for value in _values(config.Config()) if is_dataclass(value)]
    names = profile.shipped()
    return frozenset(
        (*config.SETTINGS, *config.ESTIMATORS, *SINKS,
         *(row.name for group in groups for row in fields(group)),
         *(word for group in groups for word in _choices(group)),
         *names, *(f"shipped/{name}" for name in names))
    )  # fmt: skip


def _values(settings: config.Config) -> list[Any]:
    return [getattr(settings, row.name) for row in fields(settings)]


def _choices(group: Any) -> Iterator[str]:
    """Yield the words of which one is to be chosen in a group of settings."""
    for kind in get_type_hints(type(group)).values():
        if get_origin(kind) is Literal:
            yield from get_args(kind)


# --- the parts ------------------------------------------------------------------------------------


def _json(name: str, says: str, value: object) -> Part:
    return Part(name, says, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def _findings(findings: Iterable[Finding], scrub: Scrubber) -> list[dict[str, Any]]:
    told = []
    for finding in findings:
        row = asdict(finding)
        if finding.what in VERDICT_ONLY:
            row |= {"found": "", "advice": ""}
        told.append(scrub.value(row))
    return told


def _versions() -> dict[str, object]:
    desktop = os.environ.get("XDG_CURRENT_DESKTOP", "")
    return {
        **journal.versions(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "session": os.environ.get("XDG_SESSION_TYPE", ""),
        "desktop": desktop if re.fullmatch(r"[A-Za-z:-]{1,40}", desktop) else "other",
    }


def _status(scrub: Scrubber) -> dict[str, Any]:
    try:
        with Caller() as caller:
            told = caller.ask("status")
    except ControlError:
        return {"running": False}
    figures: dict[str, Any] = {name: told[name] for name in FIGURES if name in told}
    problem = told.get("problem")
    return {
        "running": True,
        **figures,
        "problem": scrub.text(problem) if problem else None,
        "profile": journal.profile_name(told.get("profile")),
        "held": len(told.get("held", ())),
    }


def _settings(anonymiser: Anonymiser) -> object:
    try:
        data = (config.folder() / "config.yaml").read_bytes()[: LIMITS.size_bytes + 1]
    except FileNotFoundError:
        return {}
    except OSError as error:
        return f"cannot be read: {type(error).__name__}"
    return shown(data, "config.yaml", anonymiser)


def _profile(anonymiser: Anonymiser) -> object:
    """Return the profile that the settings choose; of a shipped one the name says all."""
    try:
        name = config.load().profile
    except GesturectlError:
        return "not known: the settings have problems"
    found = profile.available().get(name)
    path = Path(name).expanduser() if found is None else found
    if not isinstance(path, Path) or path == profile.shipped().get(name):
        return {"shipped": name}
    try:
        with path.open("rb") as file:
            data = file.read(LIMITS.size_bytes + 1)
    except OSError as error:
        return f"cannot be read: {type(error).__name__}"
    return shown(data, "profile.yaml", anonymiser)


def _log(scrub: Scrubber) -> list[Part]:
    made = []
    for path in logfile.all_of(journal.file()):
        try:
            lines = path.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        says = "changes of state while gesturectl ran"
        made.append(Part(f"log/{path.name}", says, _rows(lines, scrub)))
    return made


def _rows(lines: Iterable[str], scrub: Scrubber) -> bytes:
    told = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue  # half a line of a full disk
        if isinstance(row, dict):
            told.append(json.dumps(scrub.value(row), ensure_ascii=False) + "\n")
    return "".join(told).encode()


def _last_recording() -> Path | None:
    """Return the newest recording that was made and is whole."""
    whole = [path for path in holdings.recordings() if path.suffix != ".part"]
    return max(whole, key=lambda path: path.stat().st_mtime, default=None)


def _landmarks(anonymiser: Anonymiser) -> list[Part]:
    """Return the last activation and the last recording, as far as there are any."""
    made = []
    heard = lastheard.read()
    if heard is not None and heard.seen:
        says = "the last activation: landmarks of some seconds"
        frames = ((observation, heard.gesture) for observation in heard.seen)
        made.append(_trace(LAST_HEARD, says, heard.seen[0].size_px, frames, anonymiser))
    if (path := _last_recording()) is not None:
        says = f"your last recording: landmarks, the first {MOST_FRAMES} frames of it at most"
        trace = read_trace(path)
        first = islice(trace, MOST_FRAMES)
        made.append(_trace(RECORDING, says, trace.size_px, first, anonymiser))
    return made


def _trace(
    name: str,
    says: str,
    size_px: tuple[int, int],
    frames: Iterable[tuple[Observation, Label]],
    anonymiser: Anonymiser,
) -> Part:
    """Return a trace that names no source and no gesture of the user's own."""
    known = anonymiser.known | set(catalog())
    with tempfile.TemporaryDirectory(prefix=".report-", dir=lastheard.file().parent) as folder:
        path = Path(folder) / name
        with TraceWriter(path, size_px, "a report") as writer:
            for observation, label in frames:
                shown_as = label if label in known or not label else anonymiser.placeholder(label)
                writer.write(observation, shown_as)
        return Part(name, says, path.read_bytes())
