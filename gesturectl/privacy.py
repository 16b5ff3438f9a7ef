"""`gesturectl privacy`: what is kept of somebody, shown, copied, removed. See `holdings`."""

from __future__ import annotations

import json
import logging
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from rich.table import Table
from rich.text import Text

from gesturectl import config, holdings, retention
from gesturectl.archive import entry, written
from gesturectl.errors import GesturectlError, UsageError
from gesturectl.holdings import PLACES, Item, Place
from gesturectl.inspect import page

log = logging.getLogger(__name__)

RECORDING: Final = ("teach", "background", "record", "wrong")  # commands that write landmarks
_HOMES: Final = ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "LOCALAPPDATA")
_MOST_UNPACKED_BYTES: Final = 64 << 20  # a minute of two hands and a body has 12 MB


# --- show -----------------------------------------------------------------------------------------


def days(place: Place, keep: config.Keep) -> str:
    """Say how long something is kept."""
    if place.limit is None:
        return place.until
    limit = getattr(keep, place.limit)
    return place.until if limit is None else f"{_counted(limit, 'day')}, or {place.until}"


def show(*, as_json: bool) -> None:
    """Remove what is too old, then list all that is left."""
    try:
        keep = config.load().keep
        retention.apply(keep)
    except GesturectlError as error:  # what is kept must be told whatever else is wrong
        log.warning("%s\nnothing that is too old was removed", error)
        keep = config.Keep()
    rows = [_row(place, keep) for place in PLACES]
    notes = _notes()
    if as_json:
        print(json.dumps({"kept": rows, "notes": notes}, indent=2, ensure_ascii=False))
        return
    table = Table.grid(padding=(0, 2))
    for row in rows:
        count = row["files"]
        size = f"{_counted(count, 'file')}, {_size(row['bytes'])}" if count else "none"
        said = Text(f"{row['what']}\n")
        said.append(f"{row['where']}\nkept {row['how_long']}; {row['why']}", style="dim")
        name = Text(row["name"], style="bold" if count else "")
        table.add_row(name, size, said)
    page().print(table)
    for note in notes:
        page().print(Text(note))


def _row(place: Place, keep: config.Keep) -> dict[str, Any]:
    found = [item for item in holdings.items(place) if item.kind != "folder"]
    return {
        "name": place.name,
        "what": place.what,
        "where": str(holdings.FOLDERS[place.folder]() / place.entries[0]),
        "personal": place.personal,
        "files": len(found),
        "bytes": sum(item.size_bytes for item in found),
        "how_long": days(place, keep),
        "why": place.why,
        "paths": [str(item.path) for item in found],
    }


def _notes() -> list[str]:
    """Return what a reader must know beside the table."""
    notes = [
        f"{folder} is a link: what is in it is neither listed nor removed"
        for folder in holdings.linked_folders()
    ]
    notes += [
        f"{item.path} is a link: what it leads to is neither listed nor removed"
        for place in PLACES
        for item in holdings.items(place)
        if item.kind == "link"
    ]
    strange = [str(item.path) for item in holdings.strangers() if item.kind != "folder"]
    if strange:
        notes.append(f"not written by this gesturectl, and left: {', '.join(strange)}")
    return notes


# --- export ---------------------------------------------------------------------------------------


def export(archive: Path) -> int:
    """Copy all that is kept of somebody, and their settings, into one zip of readable files.

    Recordings are unpacked to JSON lines. Links are left out. Returns the number of files.

    Raises:
        UsageError: the archive exists, or is no NAME.zip.
        GesturectlError: it cannot be written.
    """
    if archive.suffix != ".zip":
        raise UsageError(f"{archive}: an archive is named NAME.zip")
    kept, left_out = 0, []
    with written(archive) as z:  # it tells how somebody moves
        for name, item in _exported():
            try:
                raw = item.path.read_bytes()
            except OSError as error:
                left_out.append(f"{item.path}: {error.strerror}")
                continue
            named, raw = _readable(name, raw)
            z.writestr(entry(named, item.at_s), raw)
            kept += 1
        z.writestr("README.txt", _readme(left_out))
    for problem in left_out:
        log.warning("left out: %s", problem)
    return kept


def _exported() -> Iterator[tuple[str, Item]]:
    """Return every file that is somebody's, with its name in the archive."""
    for place in PLACES:
        if place.folder in ("cache", "runtime", *holdings.NOT_OURS_ALONE):  # same for everybody
            continue
        root = holdings.FOLDERS[place.folder]()
        for number, item in enumerate(holdings.items(place)):
            if item.kind != "file":
                continue
            if item.path.is_relative_to(root):
                yield f"{place.name}/{item.path.relative_to(root).as_posix()}", item
            else:  # a recording somewhere: two of them may have one name
                yield f"{place.name}/{number:03d}-{item.path.name}", item


def _readable(name: str, raw: bytes) -> tuple[str, bytes]:
    """Return a recording unpacked, and anything else, or a damaged one, as it is."""
    if not name.endswith(".gz"):
        return name, raw
    try:
        unpacking = zlib.decompressobj(31)
        text = unpacking.decompress(raw, _MOST_UNPACKED_BYTES)
    except zlib.error:
        return name, raw
    return (name.removesuffix(".gz"), text) if unpacking.eof else (name, raw)


def _readme(left_out: Iterable[str]) -> str:
    lines = [
        "What gesturectl keeps of you.",
        "",
        "Recordings (.jsonl) are lines of JSON: a header, then one line a frame with the joints of",
        "hands and body as fractions of the picture. They hold no picture and no sound.",
        "taught/*.npz are arrays, as numpy reads them.",
        "",
    ]
    lines += [f"{place.name}/  {place.what}; {place.why}" for place in PLACES]
    lines += [f"left out: {problem}" for problem in left_out]
    return "\n".join(lines) + "\n"


# --- delete ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deleted:
    """What came of a deletion: how many files are gone, and what is not, each with its reason."""

    files: int
    left: tuple[str, ...]
    notes: tuple[str, ...]


def to_delete() -> list[Item]:
    """Return everything that tells of a person."""
    return [item for place in PLACES if place.personal for item in holdings.items(place)]


def listed(found: list[Item]) -> str:
    """Say what would be removed, in a few words, and every recording that lies elsewhere."""
    ours = [folder() for folder in holdings.FOLDERS.values()]
    files = [item for item in found if item.kind != "folder"]
    away = [
        str(item.path)
        for item in files
        if not any(item.path.is_relative_to(folder) for folder in ours)
    ]
    says = f"{_counted(len(files), 'file')}, {_size(sum(item.size_bytes for item in files))}"
    return f"{says}, {', '.join(away)} among them" if away else says


def refuse_while_recording() -> None:
    """Refuse to delete what another program is writing.

    Raises:
        UsageError: it names the program.
    """
    for pid, command in running():
        if command in RECORDING:
            raise UsageError(
                f"`gesturectl {command}` is running (process {pid}) and would write again; "
                "end it first"
            )


def delete(*, as_json: bool = False) -> int:
    """Remove everything that tells of a person, look again, say what came of it.

    Returns the exit code: 0 when nothing is left.
    """
    done = remove()
    watching = [pid for pid, command in running() if command == "run"]
    if as_json:
        print(json.dumps({**asdict(done), "running": watching}, indent=2, ensure_ascii=False))
    else:
        ending = "" if done.left else "; nothing that tells of you is left"
        print(f"{_counted(done.files, 'file')} removed{ending}")
        for says in (*done.left, *done.notes):
            print(says)
        for pid in watching:
            print(
                f"gesturectl is running (process {pid}): it goes on watching until you stop it, "
                "and still knows your gestures, but writes nothing of them any more, and no log"
            )
    return 1 if done.left else 0


def remove() -> Deleted:
    """Remove everything that tells of a person, and look again."""
    count, reasons, led = 0, dict[Path, str](), list[str]()
    for place in PLACES:
        for item in holdings.items(place) if place.personal else ():
            try:
                if item.kind == "folder":
                    item.path.rmdir()
                    continue
                if item.kind == "link":
                    led.append(f"{item.path} led to {_target(item.path)}, which was not touched")
                item.path.unlink()
                count += 1
            except FileNotFoundError:
                pass  # somebody else was quicker
            except OSError as error:
                reasons[item.path] = error.strerror or str(error)
    left = [
        f"{item.path} is left: {reasons.get(item.path, 'it was written meanwhile')}"
        for item in to_delete()
    ]
    left += [
        f"{folder} is a link, which is not followed: remove what is in it yourself"
        for folder in holdings.linked_folders()
    ]
    notes = [*led, *_own_words()]
    for name in ("data", "state"):
        with suppress(OSError):  # something of somebody else's is in it, or it is none
            holdings.FOLDERS[name]().rmdir()
    strange = [str(item.path) for item in holdings.strangers() if item.kind != "folder"]
    if strange:
        notes.append(f"not written by this gesturectl, and left: {', '.join(strange)}")
    return Deleted(count, tuple(left), tuple(notes))


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return "an unknown place"


def _own_words() -> list[str]:
    try:
        consents = config.load().consent
    except GesturectlError:
        consents = False
    file = config.folder() / "config.yaml"
    return [f"{file} still says `consent: true`; it is yours to change"] if consents else []


# --- who runs -------------------------------------------------------------------------------------


def running() -> list[tuple[int, str]]:
    """Return the other gesturectl processes that keep what we keep, each with its command."""
    found = []
    us = psutil.Process()
    family = {us.pid, *(parent.pid for parent in us.parents())}
    for process in psutil.process_iter(["pid", "username", "cmdline"]):
        told = process.info
        if told["pid"] in family or told["username"] != us.username():
            continue
        command = _command(told["cmdline"] or [])
        if command is not None and _keeps_where_we_do(process):
            found.append((int(told["pid"]), command))
    return found


def _keeps_where_we_do(process: psutil.Process) -> bool:
    """Whether a process has our folders; if that cannot be told, it is taken to."""
    try:
        theirs = process.environ()
    except (psutil.Error, OSError):
        return bool(process.is_running())
    return all(theirs.get(name) == os.environ.get(name) for name in _HOMES)


def _command(words: list[str]) -> str | None:
    """Return which command of gesturectl a command line starts, or None."""
    for at, word in enumerate(words[:6]):
        name = Path(word).name.removesuffix(".exe")
        if name == "gesturectl" or "gesturectl.cli import main" in word:
            return next((word for word in words[at + 1 :] if not word.startswith("-")), None)
    return None


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _size(count: int) -> str:
    for unit, size in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
