"""`check`, `list` and `models`: say what is there and what is wrong, for people or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from importlib.resources.abc import Traversable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gesturectl import bundles, config, keys, own, profile
from gesturectl.catalog import catalog
from gesturectl.desktop import open_desktop
from gesturectl.errors import DesktopError, GesturectlError, ProfileError
from gesturectl.rules import Profile
from gesturectl.sinks import all_sinks
from gesturectl.yamlnodes import Problem

Row = dict[str, object]

PAGE_WIDTH = 240


def check(names: list[str], *, as_json: bool) -> int:
    """Read every profile; print what each is, or all its problems. Return the exit code."""
    load = _loader()
    rows = [_checked(name, load) for name in names]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for row in rows:
            print(row["says"])
    return 0 if all(row["ok"] for row in rows) else ProfileError.exit_code


def _loader() -> Callable[[str | Traversable], Profile]:
    """Return what reads profiles as `run` does: with the user's own gestures and settings."""
    settings = config.load()
    return partial(
        profile.load,
        extra=own.load().gestures,
        allow_run=settings.allow_run,
        allow_hosts=settings.allow_hosts,
    )


def _checked(name: str, load: Callable[[str | Traversable], Profile]) -> Row:
    try:
        chosen = load(name)
    except ProfileError as error:
        problems = [asdict(problem) for problem in error.problems if isinstance(problem, Problem)]
        return {"file": name, "ok": False, "problems": problems, "says": str(error)}
    except GesturectlError as error:
        return {"file": name, "ok": False, "problems": [], "says": str(error)}
    said = "\n\n".join((f"{name}: {describe(chosen)}", *map(str, chosen.notices)))
    notices = [asdict(notice) for notice in chosen.notices]
    return {"file": name, "ok": True, "problems": [], "notices": notices, "says": said}


def describe(chosen: Profile) -> str:
    """Return a profile in one line."""
    needs = ["one hand", "both hands"][chosen.needs.hands - 1] if chosen.needs.hands else ""
    needs = " and ".join(filter(None, [needs, "a body" if chosen.needs.bodies else ""]))
    count = len(chosen.bindings)
    return (
        f"ok, {count} binding{'s' if count != 1 else ''}, looks for {needs or 'nothing'}, "
        f"listens for {', '.join(sorted(chosen.gestures)) or 'nothing'}"
    )


def _gestures() -> list[Row]:
    return [
        {"name": row.name, "kind": row.kind, "seen_by": list(row.seen_by), "says": row.says}
        for row in (*catalog().values(), *own.load().gestures)
    ]


def _keys() -> list[Row]:
    return [
        {"name": key.name, "aliases": list(key.aliases), "group": keys.GROUPS[key.group]}
        for key in keys.KEYS.values()
    ]


def _cameras() -> list[Row]:
    from gesturectl.sources.camera import list_cameras

    return [asdict(camera) for camera in list_cameras()]


def _profiles() -> list[Row]:
    rows: list[Row] = []
    load = _loader()
    for name, path in profile.available().items():
        try:
            chosen = load(path)
        except ProfileError as error:
            rows.append({"name": name, "path": str(path), "gestures": [], "says": str(error)})
        else:
            listens = sorted(chosen.gestures)
            rows.append({"name": name, "path": str(path), "gestures": listens, "says": chosen.says})
    return rows


def _sinks() -> list[Row]:
    return [
        {"name": spec.name, "usable": (problem := spec.problem) is None,
         "says": spec.help if problem is None else problem}
        for spec in all_sinks().values()
    ]  # fmt: skip


def _windows() -> list[Row]:
    """Return the open windows by what `match` can name, the one in front first.

    Raises:
        DesktopError: this desktop does not tell; says why.
    """
    with open_desktop() as desktop:
        if desktop.windows_problem is not None:
            raise DesktopError(desktop.windows_problem)
        found = sorted(desktop.windows(), key=lambda window: not window.in_front)
    return [asdict(window) for window in found]


LISTS: Mapping[str, Callable[[], list[Row]]] = {
    "gestures": _gestures,
    "keys": _keys,
    "cameras": _cameras,
    "profiles": _profiles,
    "sinks": _sinks,
    "windows": _windows,
}


def list_of(what: str, *, as_json: bool) -> None:
    """Print one of `LISTS`."""
    rows = LISTS[what]()
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not rows:
        print(f"there are no {what}")
    else:
        print_table(rows)


def print_table(rows: list[Row]) -> None:
    """Print rows of the same columns as a table."""
    table = Table(*rows[0], box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    table.columns[0].no_wrap = True
    page().print(table)


def page() -> Console:
    """Return a console on stdout, wide enough for every line where no terminal bounds it."""
    return Console() if sys.stdout.isatty() else Console(width=PAGE_WIDTH)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def models(do: str, *, as_json: bool, progress: bundles.Progress) -> None:
    """Say how the landmark models stand, obtain them, or insist that they are sound.

    Raises:
        ModelError: they cannot be obtained; `verify`: they are not all sound.
    """
    if do == "install":
        bundles.install(progress)
    found = bundles.verify() if do == "verify" else bundles.status()
    rows: list[Row] = [
        {"name": one.name, "state": one.state, "detail": one.detail, "path": str(one.path)}
        for one in found
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        print_table(rows)
