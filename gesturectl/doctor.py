"""`gesturectl doctor`: look at everything a gesture passes on its way, and advise.

Each examination is a function that returns findings; none changes anything. *Essential* is what
no run works without: the packages, the gesture model. A missing camera or display is not, since
recordings, the puppet and the print sink work without.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Literal

from rich.table import Table
from rich.text import Text

from gesturectl import __version__, bundles, config
from gesturectl.desktop import open_desktop
from gesturectl.desktop.session import Session
from gesturectl.errors import GesturectlError
from gesturectl.inspect import page
from gesturectl.sinks import default_sink, shortfall

Verdict = Literal["ok", "warn", "fail"]
ANSWER_S = 3.0  # of D-Bus; it answers within milliseconds, or there is nobody
STYLES: dict[Verdict, str] = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` says what to do where not all is well."""

    what: str
    verdict: Verdict
    found: str
    advice: str = ""


def _versions() -> Iterator[Finding]:
    yield Finding(
        "gesturectl",
        "ok",
        f"{__version__} on Python {platform.python_version()}, {platform.platform()}",
    )
    for package in ("mediapipe", "numpy", "opencv-contrib-python", "pydantic"):
        try:
            yield Finding(package, "ok", metadata.version(package))
        except metadata.PackageNotFoundError:
            yield Finding(package, "fail", "not installed", "install gesturectl again with pip")
    try:
        metadata.version("opencv-python")
    except metadata.PackageNotFoundError:
        return
    yield Finding(
        "opencv-python",
        "warn",
        "installed over opencv-contrib-python: two copies of the module cv2",
        "pip uninstall opencv-python; pip install --force-reinstall opencv-contrib-python",
    )


def _configuration() -> Iterator[Finding]:
    path = config.folder() / "config.yaml"
    try:
        settings = config.load()
    except GesturectlError as error:
        yield Finding("configuration", "fail", str(error), "mend the file, or move it away")
        return
    found = f"{path}" if path.exists() else f"defaults (there is no {path})"
    if settings.allow_run:
        found += "; profiles may start programs (allow_run)"
    if settings.allow_hosts:
        named = ", ".join(sorted(settings.allow_hosts))
        found += f"; profiles may send messages to {named} (allow_hosts)"
    yield Finding("configuration", "ok", found)


def _landmark_models() -> Iterator[Finding]:
    for one in bundles.status():
        advice = "" if one.usable else "gesturectl models install"
        yield Finding(
            f"{one.name} model",
            "ok" if one.usable else "warn",
            f"{one.state}: {one.path}" if one.usable else f"{one.path}: {one.detail}",
            f"{advice} (or wait: it happens at first need)" if advice else "",
        )


def _gesture_model() -> Iterator[Finding]:
    from gesturectl.recogniser import Recogniser

    try:
        Recogniser.load()
    except GesturectlError as error:
        yield Finding("gesture model", "fail", str(error), "install gesturectl again")
    else:
        yield Finding("gesture model", "ok", "shipped, verified")


def _own_gestures() -> Iterator[Finding]:
    from gesturectl import own

    mine = own.load()
    if mine.problem is not None:
        said, _, advice = mine.problem.rpartition("; ")
        yield Finding("own gestures", "warn", said, advice)
    elif mine.taught is not None:
        minutes = mine.taught.background_us / 60e6
        found = f"{', '.join(mine.taught.gestures)}; from {minutes:.0f} min of your own behaviour"
        advice = "" if minutes >= 5 else "gesturectl background: mistakes become rarer"
        yield Finding("own gestures", "ok", found, advice)
    for name in mine.unlearned if mine.problem is None else ():
        yield Finding(
            "own gestures", "warn", f"{name} is not learned yet", f"gesturectl teach {name}"
        )


def _desktop() -> Iterator[Finding]:
    """Which window is in front, and real keys: what profiles of applications and takeback need."""
    with open_desktop() as desktop:
        for name, problem in (
            ("windows", desktop.windows_problem),
            ("real keys", desktop.input_problem),
        ):
            if problem is None:
                yield Finding(name, "ok", f"told by {desktop.name}")
            else:
                advice = "needed by profiles with `match`, `takeback` or real keys: try X11 or sway"
                yield Finding(name, "warn", problem, advice)


def _locks() -> Iterator[Finding]:
    """Who tells that the screen is locked. swaylock itself tells nobody."""
    with Session() as session:
        session.settle(ANSWER_S)
        told_by = sorted(session.told_by)
    if told_by and not os.environ.get("SWAYSOCK"):
        yield Finding("screen lock", "ok", f"told by {', '.join(told_by)}")
        return
    found = "sway's own lockers do not tell" if told_by else "nobody tells when it is locked"
    yield Finding(
        "screen lock", "warn", found,
        "gestures go on while it is locked, unless docs/service.md is followed; or pause first",
    )  # fmt: skip


def _cameras() -> Iterator[Finding]:
    from gesturectl.sources.camera import list_cameras, trouble

    found = list_cameras()
    if not found:
        yield Finding(
            "camera",
            "warn",
            "none found",
            "plug one in, or try `gesturectl demo`, or give --source a video or a network camera",
        )
    for camera in found:
        said, _, advice = (trouble(camera) or "").partition("; ")
        if said:
            yield Finding("camera", "warn", said, advice)
        else:
            yield Finding("camera", "ok", f"{camera.label}, {camera.path}")


def _virtual_cameras() -> Iterator[Finding]:
    """A camera that two programs can look through at once; see docs/camera.md."""
    from gesturectl.sources.camera import users_of, virtual_cameras

    if not sys.platform.startswith("linux"):
        return
    found = virtual_cameras()
    if found is None:
        said = "none: gesturectl and meetings take turns with the camera"
        yield Finding("virtual camera", "ok", said)
    elif not found:
        yield Finding(
            "virtual camera",
            "warn",
            "the module v4l2loopback is loaded and has no device",
            "sudo modprobe -r v4l2loopback; sudo modprobe v4l2loopback exclusive_caps=1",
        )
    for camera in found or ():
        users = users_of(camera.path)
        if users:
            yield Finding("virtual camera", "ok", f"{camera}, open in {', '.join(users)}")
        else:
            yield Finding(
                "virtual camera",
                "warn",
                f"{camera} is fed by no program of yours",
                f"ffmpeg -f v4l2 -i /dev/video0 -codec copy -f v4l2 {camera.path}",
            )


def _permissions() -> Iterator[Finding]:
    """Where landmark models are kept, a user must be able to write."""
    folder = bundles.default_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(there, os.W_OK):
        yield Finding("permission", "ok", f"{folder} can be written")
    else:
        yield Finding(
            "permission", "warn", f"{there} cannot be written: models cannot be kept",
            "mend its owner, or set XDG_CACHE_HOME",
        )  # fmt: skip


def _display() -> Iterator[Finding]:
    session = os.environ.get("XDG_SESSION_TYPE", "")
    names = [name for name in ("DISPLAY", "WAYLAND_DISPLAY") if os.environ.get(name)]
    where = ", ".join(f"{name}={os.environ[name]}" for name in names)
    if sys.platform in ("win32", "darwin"):
        yield Finding("display", "ok", platform.system())
    elif not names:
        yield Finding(
            "display", "warn", "none: neither DISPLAY nor WAYLAND_DISPLAY is set",
            "start from inside a desktop session, or use --sink print",
        )  # fmt: skip
    else:
        kind = "wayland" if "WAYLAND_DISPLAY" in names else session or "x11"
        yield Finding("display", "ok", f"{kind} ({where})")


def _sinks() -> Iterator[Finding]:
    try:
        name = default_sink()
    except GesturectlError as error:
        said, _, reasons = str(error).partition(":\n")
        found, advice = (said, reasons) if reasons else ("no keys can be sent", said)
        yield Finding("sink", "warn", found, advice)
        return
    reach = shortfall(name)
    if reach is None:
        yield Finding("sink", "ok", f"{name} works: keys, text and mouse reach every window")
    else:
        yield Finding("sink", "warn", f"{name} works in part", reach)


EXAMINATIONS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _versions,
    _configuration,
    _landmark_models,
    _gesture_model,
    _own_gestures,
    _cameras,
    _virtual_cameras,
    _permissions,
    _display,
    _sinks,
    _desktop,
    _locks,
)


def examine() -> list[Finding]:
    """Return everything found, in the order of a gesture's way."""
    return [finding for examination in EXAMINATIONS for finding in examination()]


def doctor(*, as_json: bool) -> int:
    """Print the findings; return 1 when something essential fails, else 0."""
    findings = examine()
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        table = Table.grid(padding=(0, 2))
        for finding in findings:
            said = Text(finding.found)
            if finding.advice:
                said.append(f"\n→ {finding.advice}", style="italic")
            table.add_row(Text(finding.verdict, style=STYLES[finding.verdict]), finding.what, said)
        page().print(table)
    return 1 if any(finding.verdict == "fail" for finding in findings) else 0
