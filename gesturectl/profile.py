"""Read a profile: YAML text → `Profile`, or every problem at once.

    bytes → nodes with places (yamlnodes), of all files (imports) → typed values (grammar, by
    pydantic) → what they mean together (reading) → Profile (rules)

A profile is read whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib import resources
from importlib.resources.abc import Traversable
from os import PathLike
from pathlib import Path
from typing import Final

import platformdirs

from gesturectl import yamlnodes
from gesturectl.actions import Action
from gesturectl.catalog import Gesture, catalog
from gesturectl.errors import ProfileError
from gesturectl.fields import Surroundings, nearest
from gesturectl.imports import SourceFile, gather
from gesturectl.reading import understand, understand_actions
from gesturectl.rules import Binding, Defaults, Profile, Safety
from gesturectl.schema import json_schema
from gesturectl.yamlnodes import LIMITS, Problem

__all__ = [
    "Binding",
    "Defaults",
    "Problem",
    "Profile",
    "Safety",
    "available",
    "json_schema",
    "load",
    "parse",
    "parse_actions",
    "shipped",
]

MAX_SHOWN: Final = 100  # problems in the text of the error; `problems` holds all

# --- finding profiles ---------------------------------------------------------------------------


def shipped() -> dict[str, Traversable]:
    """Return the profiles that come with gesturectl, by name."""
    folder = resources.files("gesturectl.gestures").joinpath("profiles")
    found = {Path(file.name).stem: file for file in folder.iterdir() if _is_profile(file.name)}
    return dict(sorted(found.items()))


def available() -> dict[str, Traversable]:
    """Return all profiles that can be named: the user's own stand before the shipped ones."""
    folder = platformdirs.user_config_path("gesturectl") / "profiles"
    try:
        own = {file.stem: file for file in folder.iterdir() if _is_profile(file.name)}
    except OSError:  # there is no such folder, or none that can be read
        own = {}
    return {**shipped(), **own}


def _is_profile(filename: str) -> bool:
    return filename.endswith((".yaml", ".yml")) and not filename.startswith(".")


def load(
    name: str | PathLike[str] | Traversable,
    *,
    extra: Iterable[Gesture] = (),
    allow_run: bool = False,
    allow_hosts: frozenset[str] = frozenset(),
) -> Profile:
    """Read a profile by its file, or by its name (`slides`): the user's own, then a shipped one.

    Raises:
        ProfileError: there is none, it cannot be read, or something in it is wrong.
    """
    path = _found(name)
    try:
        with path.open("rb") as file:
            data = file.read(LIMITS.size_bytes + 1)
    except FileNotFoundError:
        raise ProfileError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file system can have
        reason = error.strerror if isinstance(error, OSError) else error
        raise ProfileError(f"{path} cannot be read: {reason}") from error
    return parse(
        data,
        str(path),
        extra=extra,
        allow_run=allow_run,
        allow_hosts=allow_hosts,
        path=path,
        folder=path.parent if isinstance(path, Path) else None,
    )


def _found(name: str | PathLike[str] | Traversable) -> Traversable:
    if isinstance(name, str) and Path(name).name == name and not _is_profile(name):
        profiles = available()
        if name in profiles:
            return profiles[name]
        if not Path(name).exists():
            near = nearest(name, profiles)
            hint = f"did you mean {near}?" if near else f"there are: {', '.join(profiles)}"
            raise ProfileError(f"there is no profile {name!r}; {hint} Or give a file, *.yaml")
    if isinstance(name, str | PathLike):
        return Path(name).expanduser()
    return name


# --- reading ------------------------------------------------------------------------------------


def parse(
    text: str | bytes,
    filename: str = "profile.yaml",
    *,
    extra: Iterable[Gesture] = (),
    allow_run: bool = False,
    allow_hosts: frozenset[str] = frozenset(),
    path: Traversable | None = None,
    folder: Traversable | None = None,
) -> Profile:
    """Read the text of a profile. `extra` are gestures known beyond the catalog.

    `path` is where it lies, if it is a file, and `folder` where the files lie that it imports.

    Raises:
        ProfileError: something is wrong; `problems` holds all that is, in the files' order.
    """
    known = {**catalog(), **{gesture.name: gesture for gesture in extra}}
    around = Surroundings(known, allow_run=allow_run, allow_hosts=allow_hosts)
    gathered = gather(text, filename, path, folder, shipped)
    profile, problems = understand(gathered.files, around, Path(filename).stem)
    problems += gathered.problems
    if problems or profile is None:
        raise _refusal(filename, problems)
    return replace(profile, files=gathered.paths)


def parse_actions(
    text: str,
    filename: str,
    *,
    modes: Iterable[str] = (),
    allow_run: bool = False,
    allow_hosts: frozenset[str] = frozenset(),
) -> tuple[Action, ...]:
    """Read what stands behind `do:` in a profile that has these modes, and no macros.

    Raises:
        ProfileError: something is wrong; `problems` holds all that is.
    """
    source, node, problems = yamlnodes.read(text, filename)
    around = Surroundings(
        catalog(), modes=frozenset(modes), allow_run=allow_run, allow_hosts=allow_hosts
    )
    done: tuple[Action, ...] = ()
    if node is not None:
        file = SourceFile(source, None, imported=False)
        done, found = understand_actions(file, node, around)
        problems += found
    if not problems and not done:
        whole = yamlnodes.Place(0, 0)
        problems.append(source.problem(whole, "no action stands here", "write `{key: Right}`"))
    if problems:
        raise _refusal(filename, problems)
    return done


def _refusal(filename: str, problems: list[Problem]) -> ProfileError:
    def place(problem: Problem) -> tuple[bool, str, Problem]:
        return (problem.filename != filename, problem.filename, problem)

    ordered = tuple(sorted(set(problems), key=place))
    count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    parts = [str(problem) for problem in ordered[:MAX_SHOWN]]
    if len(ordered) > MAX_SHOWN:
        parts.append(f"… and {len(ordered) - MAX_SHOWN} more")
    parts.append(f"{count} in {filename}; nothing of it is used")
    return ProfileError("\n\n".join(parts), ordered)
