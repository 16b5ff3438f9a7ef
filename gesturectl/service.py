"""`gesturectl service`: start with the desktop session, by what the platform has for that.

What is written, and where, says `autostart`. Here the files come and go, and systemd is told. All
of it can be done twice. A service has nobody to ask, so consent is asked for before it is made.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from gesturectl import wholefile
from gesturectl.autostart import GRAPHICAL, MARK, NAME, WAYS, Way, is_ours
from gesturectl.errors import UsageError

UNIT: Final = f"{NAME}.service"
TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How one way stands: `file` is where ours lies, None where it does not. `enabled` is whether
    the next login starts it, `running` what systemd says of it, None where nobody knows."""

    way: str
    file: str | None
    enabled: bool
    running: str | None = None


def command() -> tuple[str, ...]:
    """Return the argument vector that starts the daemon of this very installation.

    The place of the interpreter is not resolved: of a virtual environment, it is a link.
    """
    folder = Path(sys.executable).parent
    for name in ("gesturectl", "gesturectl.exe"):
        if (folder / name).is_file():
            return (str(folder / name), "run", "--quiet")
    return (sys.executable, "-m", "gesturectl", "run", "--quiet")


def install(wanted: str | None, *, now: bool) -> list[str]:
    """Have the desktop start gesturectl at login; return what to tell of it.

    `wanted` names one of `WAYS`; without it, systemd where its user manager runs, else what the
    platform has. With `now` systemd starts it at once.

    Raises:
        UsageError: there is no such way here, or a file that is not ours lies in its place.
    """
    way = _chosen(wanted)
    if now and way.name != "systemd":
        raise UsageError("--now needs systemd; start it yourself with `gesturectl run`")
    for other in _ways():
        if other is not way and is_ours(other.path()):
            _remove(other)  # both would start it, and the second would complain
    version = _systemd_version() if way.name == "systemd" else 0
    path, text = way.path(), way.text(command(), version)
    changed = _write(path, text)
    says = [f"{path}: {'written' if changed else 'as it was'}"]
    if way.name == "systemd":
        _systemctl("daemon-reload")
        _systemctl("enable", UNIT)
        if now:
            try:
                _systemctl("restart" if changed else "start", UNIT)
            except UsageError as error:
                raise UsageError(
                    f"it is installed, but does not start ({str(error).splitlines()[0]}); "
                    f"`gesturectl run` says why, and so does `journalctl --user -u {NAME}`"
                ) from error
            says.append("started; `gesturectl service status` shows how it fares")
        else:
            says.append(f"starts at your next login; now: systemctl --user start {NAME}")
        if not _is("is-active", GRAPHICAL):
            says.append(
                f"this session has not told systemd that it is there: {GRAPHICAL} is not active. "
                "If that is so at every login (a bare sway or i3), take `--autostart xdg`, or have "
                "the session start that target; see docs/service.md"
            )
    else:
        says.append("starts at your next login")
    return says


def remove() -> list[str]:
    """Undo what `install` has done, in every way; return what to tell of it.

    Raises:
        UsageError: a file cannot be removed.
    """
    removed = [way for way in _ways() if is_ours(way.path())]
    for way in removed:
        _remove(way)
    return [f"{way.path()}: removed" for way in removed] or ["nothing was installed"]


def standings() -> list[Standing]:
    """Return how each way of this platform stands."""
    found: list[Standing] = []
    for way in _ways():
        path = way.path()
        file = str(path) if is_ours(path) else None
        if way.name != "systemd" or file is None:
            found.append(Standing(way.name, file, file is not None))
            continue
        shown = _ask("show", UNIT, "--property=ActiveState,SubState,StatusText,NRestarts")
        told = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        running = None
        if told.get("ActiveState"):
            running = f"{told['ActiveState']} ({told.get('SubState', '')})"
            if told.get("StatusText"):
                running += f": {told['StatusText']}"
            if told.get("NRestarts", "0") not in ("", "0"):
                running += f"; restarted {told['NRestarts']} times"
        found.append(Standing(way.name, file, _is("is-enabled", UNIT), running))
    return found


def service(do: str, wanted: str | None, *, now: bool, as_json: bool) -> int:
    """Carry out one word of the command line; return the exit code.

    Raises:
        UsageError: it cannot be done; says what to do.
    """
    if do != "status":
        for line in install(wanted, now=now) if do == "install" else remove():
            print(line)
        return 0
    found = standings()
    if as_json:
        print(json.dumps([asdict(one) for one in found], indent=2, ensure_ascii=False))
    for one in () if as_json else found:
        if one.file is None:
            print(f"{one.way}: not installed")
        else:
            enabled = "starts at login" if one.enabled else "does not start at login (disabled)"
            print(f"{one.way}: {one.file}; {enabled}{f'; {one.running}' if one.running else ''}")
    return 0 if any(one.file for one in found) else 1


def _ways() -> Iterator[Way]:
    return (way for way in WAYS.values() if sys.platform.startswith(way.platforms))


def _chosen(wanted: str | None) -> Way:
    here = {way.name: way for way in _ways()}
    if not here:
        raise UsageError(f"on {sys.platform} gesturectl knows of no way to start at login")
    if wanted is not None and wanted not in here:
        raise UsageError(f"--autostart {wanted} is not for {sys.platform}; take {', '.join(here)}")
    if "systemd" not in here:
        return here[wanted or next(iter(here))]
    manager = _has_manager()
    if wanted == "systemd" and not manager:
        raise UsageError("no user manager of systemd runs here; take `--autostart xdg`")
    return here[wanted or ("systemd" if manager else "xdg")]


def _write(path: Path, text: str) -> bool:
    """Write a file whole; return whether it has changed.

    Raises:
        UsageError: something that is not ours lies there, or it cannot be written.
    """
    ours = is_ours(path)
    if ours is False:
        raise UsageError(
            f"{path} is there, and was not made by gesturectl (it lacks the words: {MARK}): "
            "move it away, or keep it and do without this"
        )
    data = text.encode()
    try:
        if ours and path.read_bytes() == data:
            return False
        wholefile.write(path, data, private=False)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return True


def _remove(way: Way) -> None:
    path = way.path()
    if way.name == "systemd" and _has_manager():
        _systemctl("disable", "--now", UNIT)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be removed: {error.strerror}") from error
    if way.name == "systemd":
        # Without a manager nobody took away what `enable` had made.
        wants = path.parent / f"{GRAPHICAL}.wants" / UNIT
        if wants.is_symlink():
            wants.unlink()
        if _has_manager():
            _systemctl("daemon-reload")


# --- systemd --------------------------------------------------------------------------------------


def _has_manager() -> bool:
    """Whether a user manager answers; it may be `degraded`, which says that some unit failed."""
    if shutil.which("systemctl") is None:
        return False
    return _ask("show", "--property=Version").startswith("Version=")


def _systemd_version() -> int:
    found = re.match(r"Version=(\d+)", _ask("show", "--property=Version"))
    return int(found[1]) if found else 0


def _systemctl(*words: str) -> None:
    """Have the user manager do something.

    Raises:
        UsageError: it does not.
    """
    done = _run(*words)
    if done is None or done.returncode:
        reason = done.stderr.strip() if done is not None else "it does not answer"
        raise UsageError(f"systemctl --user {' '.join(words)}: {reason}")


def _ask(*words: str) -> str:
    """Return what the user manager answers, nothing where it does not."""
    done = _run(*words)
    return done.stdout if done is not None and not done.returncode else ""


def _is(*words: str) -> bool:
    done = _run("--quiet", *words)
    return done is not None and done.returncode == 0


def _run(*words: str) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            ["systemctl", "--user", "--no-pager", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
