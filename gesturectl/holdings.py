"""Everything that gesturectl ever writes: one table, read by `gesturectl privacy`, by what removes
old things at the start of a run, and by the data sheet in `docs/privacy.md`.

Whoever adds a file adds its row; a test compares the table with the modules that ask for a folder
of the user's. Entries are names in a folder, and whatever lies in a folder of ours is ours.

Links are listed and never followed: what they lead to was not put there by gesturectl.
"""

from __future__ import annotations

import json
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal

from gesturectl import autostart, bundles, config, lastheard
from gesturectl.control import place as control
from gesturectl.control import transport
from gesturectl.errors import SourceError
from gesturectl.samples import Store
from gesturectl.trace import FORMAT

_BEGINNING: Final = f'{{"format":"{FORMAT}"'.encode()
Kind = Literal["file", "link", "folder"]
Folder = Literal["configuration", "data", "state", "cache", "runtime", "units", "autostart"]

FOLDERS: Final[dict[Folder, Callable[[], Path]]] = {
    "configuration": config.folder,
    "data": lambda: Store.of_user().root,
    "state": lambda: lastheard.file().parent,
    "cache": lambda: bundles.default_folder().parent,
    "runtime": control.folder,
    "units": autostart.units,
    "autostart": autostart.entries,
}
NOT_OURS_ALONE: Final[tuple[Folder, ...]] = ("units", "autostart")


@dataclass(frozen=True, slots=True)
class Place:
    """One row: what is kept, in which entries of which folder, how long and why.

    `personal` is what tells of a person, and what `privacy delete` removes. `limit` names the line
    of `keep` in config.yaml that says when it becomes too old; `until` says what else ends it.
    """

    name: str
    what: str
    folder: Folder
    entries: tuple[str, ...]
    until: str
    why: str
    personal: bool = True
    limit: Literal["background", "wrong", "last_heard", "gestures"] | None = None


PLACES: Final[tuple[Place, ...]] = (
    Place(
        "settings", "your settings: source, profile, hosts, consent",
        "configuration", ("config.yaml",),
        "until you remove it; gesturectl never writes it", "to run as you like it", personal=False,
    ),
    Place(
        "profiles", "your profiles",
        "configuration", ("profiles",),
        "until you remove them; gesturectl never writes them", "to say which gesture does what",
        personal=False,
    ),
    Place(
        "models", "landmark models, the same for everybody",
        "cache", ("models",),
        "until you remove the folder; obtained again at need", "to find hands and bodies",
        personal=False,
    ),
    Place(
        "fonts", "a list of the system's fonts, made by a library of MediaPipe's",
        "cache", ("matplotlib",),
        "until you remove the folder; made again at need", "MediaPipe does not load without",
        personal=False,
    ),
    Place(
        "control", "the socket of the gesturectl that runs, and a lock with its process number",
        "runtime", (transport.SOCKET, transport.LOCK),
        "until you log out", "for `gesturectl ctl`, and to be one only",
        personal=False,
    ),
    Place(
        "service", "a unit by which systemd starts gesturectl at login",
        "units", (f"{autostart.NAME}.service", f".{autostart.NAME}.service.*.part"),
        "until `gesturectl service remove`", "to start with your desktop", personal=False,
    ),
    Place(
        "autostart", "an entry by which your desktop starts gesturectl at login",
        "autostart", (f"{autostart.NAME}.desktop", f".{autostart.NAME}.desktop.*.part"),
        "until `gesturectl service remove`", "to start with your desktop", personal=False,
    ),
    Place(
        "sounds", "the short sounds of the display, made by gesturectl",
        "runtime", ("sound-*.wav", ".sound-*.wav.*.part"),
        "until you log out", "for the desktop's player, which takes files; with `sounds: true`",
        personal=False,
    ),
    # Gestures first: a daemon that runs writes no last activation once `taught` is gone.
    Place(
        "taught", "the model made of your takes, which are in it as numbers",
        "data", ("taught", "taught.new", "taught.old"),
        "until you forget your gestures, or it is learned anew", "to hear your own gestures",
    ),
    Place(
        "gestures", "takes of gestures you taught: landmarks, and the name you chose",
        "data", ("gestures",),
        "until you forget the gesture", "to learn your gestures, and again after an update",
        limit="gestures",
    ),
    Place(
        "background", "your ordinary behaviour: landmarks, the newest 20 minutes",
        "data", ("background",),
        "until newer minutes take its place", "to not take it for one of your gestures",
        limit="background",
    ),
    Place(
        "wrong", "what you called wrong: landmarks of some seconds each",
        "data", ("wrong",),
        "until you forget the gesture", "to not make the same mistake again",
        limit="wrong",
    ),
    Place(
        "last_heard", "the last gesture acted on, and of your own the seconds around it: landmarks",
        "state", ("last-heard.jsonl.gz", ".last-heard.jsonl.gz.part", ".report-*"),
        "until the next gesture, or `gesturectl wrong`", "for `gesturectl wrong`",
        limit="last_heard",
    ),
    Place(
        "recordings", "recordings made by `gesturectl record`, where you put them: landmarks",
        "state", ("recordings.jsonl", ".recordings.jsonl.*.part"),
        "until you delete them; the list of their places too", "for bug reports, tests, training",
    ),
    Place(
        "log", "when gesturectl ran, and its changes of state: no names, texts or landmarks",
        "state", ("log.jsonl", "log.jsonl.[1-9]"),
        "until newer lines take its place: 256 KB and two older files, or as many as "
        "`log` says; `log: {level: off}` keeps none",
        "to find out what went wrong",
    ),
    Place(
        "consent", "the days on which you agreed",
        "state", ("consent.json", ".consent.json.*.part"),
        "until you delete it", "to ask once only",
    ),
    Place(
        "portal", "the permission that you gave the desktop's portal: a number of the portal's",
        "state", ("portal-token", ".portal-token.*.part"),
        "until the next start changes it, or you delete it; the desktop's settings revoke it",
        "to use keyboard and mouse without asking each time",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on disk. `size_bytes` of a link or a folder is 0, `at_s` is when it was written."""

    path: Path
    kind: Kind
    size_bytes: int
    at_s: float


def items(place: Place) -> list[Item]:
    """Return all there is of a place, what is in a folder before the folder itself."""
    folder = FOLDERS[place.folder]()
    found = [
        item
        for path in _listed(folder)
        if any(fnmatchcase(path.name, entry) for entry in place.entries)
        for item in _within(path)
    ]
    if place.name == "recordings":
        return [item for path in recordings() for item in _within(path)] + found
    return found


def strangers() -> list[Item]:
    """Return what lies in the folders for data and state, and is not in the table."""
    known = [(place.folder, entry) for place in PLACES for entry in place.entries]
    folders = {FOLDERS[name]() for name in FOLDERS}
    return [
        item
        for folder in sorted({FOLDERS["data"](), FOLDERS["state"]()})
        for path in _listed(folder)
        if path not in folders
        and not any(
            FOLDERS[name]() == folder and fnmatchcase(path.name, entry) for name, entry in known
        )
        for item in _within(path)
    ]


def linked_folders() -> list[Path]:
    """Return our folders that are links: nothing in them is listed, or removed."""
    ours = {FOLDERS[name]() for name in FOLDERS if name not in NOT_OURS_ALONE}
    return sorted(folder for folder in ours if folder.is_symlink())


def _listed(folder: Path) -> list[Path]:
    if folder.is_symlink():
        return []
    try:
        return sorted(folder.iterdir())
    except PermissionError:
        return _opened(folder)
    except OSError:  # there is no such folder
        return []


def _opened(folder: Path) -> list[Path]:
    """Return what is in a folder of ours that forbids looking, after allowing it."""
    try:
        folder.chmod(stat.S_IRWXU)
        return sorted(folder.iterdir())
    except OSError:  # somebody else's: it is listed itself, and what cannot be removed is told
        return []


def _within(path: Path) -> Iterator[Item]:
    try:
        found = path.lstat()
    except OSError:
        return
    if stat.S_ISLNK(found.st_mode):
        yield Item(path, "link", 0, found.st_mtime)
    elif stat.S_ISDIR(found.st_mode):
        for inner in _listed(path):
            yield from _within(inner)
        yield Item(path, "folder", 0, found.st_mtime)
    else:
        yield Item(path, "file", found.st_size, found.st_mtime)


# --- recordings -----------------------------------------------------------------------------------


def _list_of_recordings() -> Path:
    return lastheard.file().with_name("recordings.jsonl")


def note_recording(path: Path, source: str) -> None:
    """Note where a recording of people is about to be written, so that it can be found again.

    Raises:
        SourceError: it cannot be noted.
    """
    if source.partition(":")[0] == "puppet":
        return  # of nobody
    noted = _list_of_recordings()
    line = json.dumps(str(Path(os.path.abspath(path)))) + "\n"  # noqa: PTH100 (follows no link)
    try:
        noted.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(noted, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as file:
            file.write(line)
    except OSError as error:
        raise SourceError(
            f"{noted} cannot be written, in which the place of a recording is noted: "
            f"{error.strerror}; mend its folder"
        ) from error


def recordings() -> list[Path]:
    """Return the recordings that were noted and still are there, halves of them too.

    A name that is a link by now, or something else than a trace of ours, is left out.
    """
    try:
        lines = _list_of_recordings().read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    found: dict[Path, None] = {}
    for line in lines:
        try:
            name = json.loads(line)
        except ValueError:
            continue  # half a line
        if isinstance(name, str) and "\0" not in name and Path(name).is_absolute():
            whole = Path(name)
            found |= dict.fromkeys((whole, whole.with_name(f"{whole.name}.part")))
    return [path for path in found if _is_trace(path)]


def _is_trace(path: Path) -> bool:
    """Whether a file is named and begins as a trace does: no other is ever removed."""
    name = path.name.removesuffix(".part")
    if path.is_symlink() or not path.is_file() or not name.endswith((".jsonl", ".jsonl.gz")):
        return False
    try:
        with path.open("rb") as file:
            start = file.read(4096)
        if name.endswith(".gz"):
            start = zlib.decompressobj(31).decompress(start, 64)
    except (OSError, zlib.error):
        return False
    return start.startswith(_BEGINNING) or (not start and path.suffix == ".part")


# --- connections ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connection:
    """One way in which a running gesturectl talks to something outside itself.

    `beyond` is whether it can leave this machine, and then only where the user has said so.
    """

    to: str
    when: str
    why: str
    beyond: bool = False


CONNECTIONS: Final[tuple[Connection, ...]] = (
    Connection(
        "the display: X server, or sway's and Wayland's socket",
        "where the sink or the profile needs it, and for the display on the screen",
        "to send keys, to know which window is in front, to show what is seen",
    ),
    Connection(
        "your own programs, by a socket in the runtime folder, or a named pipe on Windows",
        "while gesturectl runs",
        "to be asked and told by `gesturectl ctl`",
    ),
    Connection(
        "the session's D-Bus",
        "at `notify`, `say` with a speech service, and while the sink is `portal`",
        "notifications; to send keys where the desktop's portal does",
    ),
    Connection(
        "the session's D-Bus, and the system's", "while gesturectl runs on Linux",
        "to hear from screen savers and logind that the screen is locked or the machine sleeps",
    ),
    Connection(
        "systemd, by the socket that it names", "while it is a service of systemd",
        "to say that it is ready, alive, or ends, and one line of how it fares",
    ),
    Connection(
        "the session's D-Bus, and gesturectl's own socket", "while the tray is shown",
        "an icon and a menu in the panel, by a process beside the daemon",
    ),
    Connection(
        "nobody: two sockets that are never connected", "when MediaPipe starts and stops",
        "its library looks whether this machine has IPv4 and IPv6",
    ),
    Connection(
        "this machine, and hosts in `allow_hosts`", "at `webhook`, `osc`, `mqtt` of your profile",
        "what you bound to a gesture", beyond=True,
    ),
    Connection(
        "the camera you name", "while a source is `http:`, `https:`, `rtsp:` or `rtsps:`",
        "to see you", beyond=True,
    ),
    Connection(
        "pip's package index", "once, where the landmark models are missing",
        "to obtain them, verified by hash", beyond=True,
    ),
)  # fmt: skip
