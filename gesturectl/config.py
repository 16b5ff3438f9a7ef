"""The user's own settings: `config.yaml` in the configuration folder of the platform.

    source: camera:0
    profile: slides
    allow_run: false
    allow_hosts: [lamp.local]
    estimator: auto
    consent: true
    keep: {background: 90 days, wrong: 1 year, last_heard: 7 days, gestures: forever}
    camera: {release_when: [zoom, {title: /Meet/}]}
    tray: true
    display: {show: auto, place: bottom-right, size: 1.5, contrast: high, motion: reduced}
    sounds: false
    log: {level: info, keep: 2}
    power: auto
    max_cpu: 25%

Everything in it is optional, and so is the file. It says what a command line leaves out, and it
alone can allow `run` actions, and messages to hosts beyond this machine: a profile, which may come
from a stranger, never can.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Table
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Literal, get_args

import platformdirs
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from gesturectl import hosts, yamlnodes
from gesturectl.errors import ConfigError
from gesturectl.fields import advise
from gesturectl.rules import WindowRule
from gesturectl.yamlnodes import Mapping, Node, Place, Problem, Scalar

Reader = Callable[[str], object]
"""Reads a word; raises ValueError with what to say of it."""
Setting = Callable[[str, Node], object]
"""Reads the value of the setting of this name; raises `_Wrong` with all that is wrong with it."""

AUTO: Final = "auto"
ESTIMATORS: Final = (AUTO, "litert", "mediapipe")
"""What finds landmarks; `auto` is the first of the others that is installed."""
Power = Literal["auto", "battery", "balanced", "responsive"]
"""What a run may cost; `auto` goes by whether the machine runs on its battery. See `power`."""
Spot = Literal[
    "top-left", "top", "top-right", "left", "center", "right",
    "bottom-left", "bottom", "bottom-right",
]  # fmt: skip


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
class Display:
    """How the display on the screen looks, and where it is.

    `show` None is wherever the desktop can show it; True also says when it cannot. `screen` is the
    name of a monitor, or its number from 1; None the main one. `opacity` is of the panel behind the
    words, which themselves are never faint.
    """

    show: bool | None = None
    place: Spot = "bottom-right"
    screen: str | None = None
    size: float = 1.0
    contrast: Literal["normal", "high"] = "normal"
    motion: Literal["full", "reduced"] = "full"
    opacity: float = 0.9


@dataclass(frozen=True, slots=True)
class Log:
    """What `gesturectl run` notes in its log: from which level, and how many older files stay."""

    level: Literal["info", "warning", "error", "off"] = "info"
    keep: int = 2

    @property
    def numeric(self) -> int | None:
        """The level as `logging` counts; None is no log."""
        return {"info": 20, "warning": 30, "error": 40, "off": None}[self.level]


@dataclass(frozen=True, slots=True)
class Config:
    """Settings with their defaults. `sink` None is the platform's own.

    `allow_hosts` are names and addresses as `hosts.host` returns them. `consent` says what a person
    says when asked before a camera is opened (see `consent`). `max_cpu` is a part of one core.
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
    tray: bool = True
    display: Display = Display()
    sounds: bool = False
    log: Log = Log()
    power: Power = "auto"
    max_cpu: float | None = None


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


def _one_of(*words: str) -> Reader:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"`{text}` is none of {', '.join(f'`{word}`' for word in words)}")
        return text

    return read


def _between(least: float, most: float) -> Reader:
    def read(text: str) -> float:
        if not re.fullmatch(r"\d{1,2}(\.\d{1,3})?", text) or not least <= float(text) <= most:
            raise ValueError(f"`{text}` is no number from {least:g} to {most:g}")
        return float(text)

    return read


def _percent(text: str) -> float:
    found = re.fullmatch(r"(\d{1,3})\s?%", text)
    if found is None or not 5 <= int(found[1]) <= 100:
        raise ValueError(f"`{text}` is no part of a core from `5%` to `100%`")
    return int(found[1]) / 100


def _files(text: str) -> int:
    if not re.fullmatch("[1-9]", text):
        raise ValueError(f"`{text}` is no number of files from 1 to 9")
    return int(text)


def _shown(text: str) -> bool | None:
    if text not in ("auto", "true", "false"):
        raise ValueError(f"`{text}` is none of `auto`, `true`, `false`")
    return None if text == "auto" else text == "true"


class _Wrong(Exception):  # noqa: N818 — says what is wrong, and where
    """A setting is wrong; carries every place and what to say of it."""

    def __init__(self, *found: tuple[Place, str]) -> None:
        self.found = found


def _word(read: Reader) -> Setting:
    def read_node(name: str, node: Node) -> object:
        if not isinstance(node, Scalar) or node.blank:
            raise _Wrong((node.place, f"`{name}` wants one word or text"))
        try:
            return read(node.text)
        except ValueError as error:
            raise _Wrong((node.place, str(error))) from None

    return read_node


def _words(read: Reader) -> Setting:
    """Read one word, or a list of them."""
    read_one = _word(read)

    def read_node(name: str, node: Node) -> frozenset[object]:
        values: set[object] = set()
        found: list[tuple[Place, str]] = []
        for item in yamlnodes.listed(node):
            try:
                values.add(read_one(name, item))
            except _Wrong as wrong:
                found += wrong.found
        if found:
            raise _Wrong(*found)
        return frozenset(values)

    return read_node


def _group(
    make: Callable[..., object], readers: Table[str, Reader], *, example: str, unknown: str
) -> Setting:
    """Read a setting that holds others. `example` and `unknown` are said where it is wrong."""

    def read_node(group: str, node: Node) -> object:
        if not isinstance(node, Mapping):
            raise _Wrong((node.place, f"`{group}` wants lines like `{example}`"))
        values: dict[str, object] = {}
        found: list[tuple[Place, str]] = []
        for name, (key, value) in node.entries.items():
            if name not in readers:
                known = ", ".join(f"`{one}`" for one in readers)
                found.append((key.place, f"{unknown} `{name}`; there are {known}"))
                continue
            try:
                values[name] = _word(readers[name])(group, value)
            except _Wrong as wrong:
                found += wrong.found
        if found:
            raise _Wrong(*found)
        return make(**values)

    return read_node


def _camera(name: str, node: Node) -> Camera:
    if not isinstance(node, Mapping) or not node.entries:
        raise _Wrong((node.place, f"`{name}` wants `release_when: [zoom]`"))
    rules: list[WindowRule] = []
    found: list[tuple[Place, str]] = []
    for when, (key, value) in node.entries.items():
        if when != "release_when":
            found.append((key.place, f"`{name}` knows `release_when`, not `{when}`"))
            continue
        for item in yamlnodes.listed(value):
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


SETTINGS: dict[str, Setting] = {
    "source": _word(str),
    "profile": _word(str),
    "sink": _word(str),
    "allow_run": _word(_yes_or_no),
    "allow_hosts": _words(hosts.host),
    "hand_model": _word(_file),
    "pose_model": _word(_file),
    "estimator": _word(_estimator),
    "consent": _word(_yes_or_no),
    "camera": _camera,
    "tray": _word(_yes_or_no),
    "power": _word(_one_of(*get_args(Power))),
    "max_cpu": _word(_percent),
    "sounds": _word(_yes_or_no),
    "keep": _group(
        Keep,
        {limit.name: _days for limit in fields(Keep)},
        example="background: 90 days",
        unknown="nothing that is kept is called",
    ),
    "display": _group(
        Display,
        {
            "show": _shown,
            "place": _one_of(*get_args(Spot)),
            "screen": str,
            "size": _between(0.5, 3),
            "contrast": _one_of("normal", "high"),
            "motion": _one_of("full", "reduced"),
            "opacity": _between(0.2, 1),
        },
        example="place: top-left",
        unknown="nothing of a display is called",
    ),
    "log": _group(
        Log,
        {"level": _one_of("info", "warning", "error", "off"), "keep": _files},
        example="level: warning",
        unknown="nothing of the log is called",
    ),
}


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
            if name not in SETTINGS:
                problems.append(
                    source.problem(key.place, f"unknown setting `{name}`", advise(name, SETTINGS))
                )
                continue
            try:
                settings[name] = SETTINGS[name](name, value)
            except _Wrong as wrong:
                problems += [source.problem(place, message) for place, message in wrong.found]
    elif node is not None and not (isinstance(node, Scalar) and node.blank):
        problems.append(source.problem(node.place, "settings are lines like `source: camera:0`"))
    if problems:
        raise ConfigError(_listed(problems), tuple(problems))
    return Config(**settings)  # type: ignore[arg-type]  # each value is of its reader's type


def _listed(problems: list[Problem]) -> str:
    return "\n".join(str(problem) for problem in sorted(problems))
