"""The user's own settings: `config.yaml` in the configuration folder of the platform.

    source: camera:0
    profile: slides
    allow_run: false
    allow_hosts: [lamp.local]
    estimator: auto
    consent: true
    keep: {background: 90 days, wrong: 1 year, last_heard: 7 days, gestures: forever}
    camera: {release_when: [zoom, {title: /Meet/}]}

Everything in it is optional, and so is the file. It says what a command line leaves out, and it
alone can allow `run` actions, and messages to hosts beyond this machine: a profile, which may come
from a stranger, never can.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, cast

import platformdirs
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from gesturectl import hosts, yamlnodes
from gesturectl.errors import ConfigError
from gesturectl.fields import advise
from gesturectl.rules import WindowRule
from gesturectl.yamlnodes import Items, Mapping, Node, Place, Problem, Scalar

AUTO: Final = "auto"
ESTIMATORS: Final = (AUTO, "litert", "mediapipe")
"""What finds landmarks; `auto` is the first of the others that is installed."""


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days what is kept of somebody is kept; None is until it is deleted.

    The defaults: ordinary behaviour and mistakes make own gestures better, and people, rooms and
    chairs change; the last activation serves `gesturectl wrong`, which is said within minutes; a
    gesture that somebody taught must not vanish by itself.
    """

    background: int | None = 90
    wrong: int | None = 365
    last_heard: int | None = 7
    gestures: int | None = None


@dataclass(frozen=True, slots=True)
class Camera:
    """When another program is to have the camera: while a window is open that one of these fits."""

    release_when: tuple[WindowRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """Settings with their defaults. `sink` None is the platform's own.

    `allow_hosts` are names and addresses as `hosts.host` returns them. `consent` says what a person
    says when asked before a camera is opened (see `consent`).
    """

    source: str = "camera:0"
    profile: str = "slides"
    sink: str | None = None
    allow_run: bool = False
    allow_hosts: frozenset[str] = frozenset()
    hand_model: Path | None = None
    pose_model: Path | None = None
    estimator: str = AUTO
    consent: bool = False
    keep: Keep = Keep()
    camera: Camera = Camera()


def _yes_or_no(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"`{text}` is neither `true` nor `false`")
    return text == "true"


def _days(text: str) -> int | None:
    if text == "forever":
        return None
    found = re.fullmatch(r"(\d{1,4}) (day|week|year)s?", text)
    if found is None:
        raise ValueError(f"`{text}` is no time; write one like `90 days`, `1 year` or `forever`")
    return int(found[1]) * {"day": 1, "week": 7, "year": 365}[found[2]]


def _estimator(text: str) -> str:
    if text not in ESTIMATORS:
        raise ValueError(f"there is no estimator `{text}`; {advise(text, ESTIMATORS)}")
    return text


def _file(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


READERS: dict[str, Callable[[str], object]] = {
    "source": str,
    "profile": str,
    "sink": str,
    "allow_run": _yes_or_no,
    "allow_hosts": hosts.host,
    "hand_model": _file,
    "pose_model": _file,
    "estimator": _estimator,
    "consent": _yes_or_no,
    "keep": _days,
    "camera": str,
}
SETS: frozenset[str] = frozenset({"allow_hosts"})  # may be written as a list


def folder() -> Path:
    """Return the folder of the user's settings; `profiles/` in it holds the user's profiles."""
    return platformdirs.user_config_path("gesturectl")


def load() -> Config:
    """Read the user's settings; a file that is not there is an empty one.

    Raises:
        ConfigError: the file cannot be read, or has problems: all of them.
    """
    path = folder() / "config.yaml"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    return parse(data, str(path))


def parse(data: bytes | str, filename: str) -> Config:
    """Turn the text of a settings file into settings.

    Raises:
        ConfigError: with every problem at once, each with its line, column and advice.
    """
    source, node, problems = yamlnodes.read(data, filename)
    settings: dict[str, object] = {}
    if isinstance(node, Mapping):
        for name, (key, value) in node.entries.items():
            if name not in READERS:
                problems.append(
                    source.problem(key.place, f"unknown setting `{name}`", advise(name, READERS))
                )
                continue
            try:
                settings[name] = _read(name, value)
            except _Wrong as wrong:
                problems += [source.problem(place, message) for place, message in wrong.found]
    elif node is not None and not (isinstance(node, Scalar) and node.blank):
        problems.append(source.problem(node.place, "settings are lines like `source: camera:0`"))
    if problems:
        raise ConfigError(_listed(problems), tuple(problems))
    return Config(**settings)  # type: ignore[arg-type]  # each value is of its reader's type


class _Wrong(Exception):  # noqa: N818 — says what is wrong, and where
    """A setting is wrong; carries every place and what to say of it."""

    def __init__(self, *found: tuple[Place, str]) -> None:
        self.found = found


def _read(name: str, node: Node) -> object:
    """Return the value of one setting, or raise all that is wrong with it."""
    if name == "keep":
        return _keep(node)
    if name == "camera":
        return _camera(node)
    if name not in SETS:
        return _word(name, node)
    values: set[object] = set()
    found: list[tuple[Place, str]] = []
    for item in node.items if isinstance(node, Items) else (node,):
        try:
            values.add(_word(name, item))
        except _Wrong as wrong:
            found += wrong.found
    if found:
        raise _Wrong(*found)
    return frozenset(values)


def _keep(node: Node) -> Keep:
    limits = tuple(field.name for field in fields(Keep))
    if not isinstance(node, Mapping):
        raise _Wrong((node.place, "`keep` wants lines like `background: 90 days`"))
    days: dict[str, int | None] = {}
    found: list[tuple[Place, str]] = []
    for name, (key, value) in node.entries.items():
        if name not in limits:
            known = ", ".join(f"`{limit}`" for limit in limits)
            found.append((key.place, f"nothing that is kept is called `{name}`; there are {known}"))
            continue
        try:
            days[name] = cast("int | None", _word("keep", value))
        except _Wrong as wrong:
            found += wrong.found
    if found:
        raise _Wrong(*found)
    return Keep(**days)


def _camera(node: Node) -> Camera:
    if not isinstance(node, Mapping) or not node.entries:
        raise _Wrong((node.place, "`camera` wants `release_when: [zoom]`"))
    rules: list[WindowRule] = []
    found: list[tuple[Place, str]] = []
    for name, (key, value) in node.entries.items():
        if name != "release_when":
            found.append((key.place, f"`camera` knows `release_when`, not `{name}`"))
            continue
        for item in value.items if isinstance(value, Items) else (value,):
            try:
                rules.append(_window(item))
            except _Wrong as wrong:
                found += wrong.found
    if found:
        raise _Wrong(*found)
    return Camera(tuple(rules))


def _window(node: Node) -> WindowRule:
    """Read a window as `match` of a profile has it; a word alone is the name of an application."""
    told = {"app": yamlnodes.plain(node)} if isinstance(node, Scalar) else yamlnodes.plain(node)
    try:
        rule: WindowRule = _WINDOW.validate_python(told)
    except ValidationError as error:
        raise _Wrong(*(_problem(node, one) for one in error.errors())) from None
    if rule == WindowRule():
        raise _Wrong((node.place, "this says nothing about a window: write `zoom` or `title: …`"))
    return rule


def _problem(node: Node, error: ErrorDetails) -> tuple[Place, str]:
    path = error["loc"]
    if error["type"] == "unexpected_keyword_argument":
        known = "windows have `app`, `title` and `executable`"
        return yamlnodes.locate(node, path, key=True), f"{known}, not `{path[-1]}`"
    place = yamlnodes.locate(node, path)
    return place, str(error.get("ctx", {}).get("message", error["msg"]))


_WINDOW: TypeAdapter[WindowRule] = TypeAdapter(WindowRule)


def _word(name: str, node: Node) -> object:
    if not isinstance(node, Scalar) or node.blank:
        raise _Wrong((node.place, f"`{name}` wants one word or text"))
    try:
        return READERS[name](node.text)
    except ValueError as error:
        raise _Wrong((node.place, str(error))) from None


def _listed(problems: list[Problem]) -> str:
    return "\n".join(str(problem) for problem in sorted(problems))
