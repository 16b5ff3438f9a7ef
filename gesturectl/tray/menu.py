"""From a status to the rows of a menu, and from a clicked row to what it asks for. Pure data.

A row keeps its `key` for as long as it means the same, so that panels which remember rows by a
number can be given a steady one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from gesturectl.tray.status import State, Status

MAX_CHOICES: Final = 40  # rows of one submenu; nobody reads further
MAX_LABEL: Final = 80  # characters


class Ask(NamedTuple):
    """What a row asks for: a verb, and a mode's or profile's name where it needs one.

    The verb is one that the daemon is asked (`wire.ASKS`), or one of `chores.CHORES`.
    """

    verb: str
    value: str = ""


class Kind(Enum):
    """How a row looks and works."""

    plain = "plain"
    radio = "radio"
    separator = "separator"


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Without `ask` it does nothing; with `rows` it opens them."""

    key: str
    label: str = ""
    kind: Kind = Kind.plain
    ask: Ask | None = None
    enabled: bool = True
    chosen: bool = False
    rows: tuple[Row, ...] = ()


def rows(status: Status) -> tuple[Row, ...]:
    """Return the menu for a status."""
    toggle = toggled(status)
    return (
        Row("state", _short(status.words), enabled=False),
        Row("toggle", toggle.verb.capitalize(), ask=toggle),
        Row("rule/1", kind=Kind.separator),
        _choices("mode", "Mode", status.mode, status.modes),
        _choices("profile", "Profile", status.profile, status.profiles),
        _recent(status.recent),
        Row("reload", "Read the profile anew", ask=Ask("reload")),
        Row("rule/2", kind=Kind.separator),
        Row("teach", "Teach a gesture…", ask=Ask("teach")),
        Row("folder", "Open configuration folder", ask=Ask("folder")),
        Row("privacy", "Privacy…", ask=Ask("privacy")),
        Row("about", "About gesturectl", ask=Ask("about")),
        Row("rule/3", kind=Kind.separator),
        Row("quit", "Quit", ask=Ask("quit")),
    )


def toggled(status: Status) -> Ask:
    """Return what a click on the icon itself asks for."""
    return Ask("resume" if status.state is State.paused else "pause")


def every(menu: tuple[Row, ...]) -> Iterator[Row]:
    """Yield all rows, those of submenus after the one that opens them."""
    for row in menu:
        yield row
        yield from every(row.rows)


def _choices(verb: str, label: str, current: str | None, names: tuple[str, ...]) -> Row:
    """Return a submenu of which one row counts; what counts is there, even if it is not listed."""
    listed = tuple(dict.fromkeys(names))[:MAX_CHOICES]
    if current is not None and current not in listed:
        listed = (current, *listed[: MAX_CHOICES - 1])
    offered = tuple(
        Row(
            f"{verb}/{name}",
            _short(name),
            Kind.radio,
            Ask(verb, name),
            chosen=name == current,
        )
        for name in listed
    )
    return Row(verb, label, enabled=bool(offered), rows=offered)


def _recent(names: tuple[str, ...]) -> Row:
    shown = tuple(
        Row(f"recent/{place}", _short(name), enabled=False) for place, name in enumerate(names)
    )
    return Row("recent", "Recent gestures", enabled=bool(shown), rows=shown)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_LABEL else line[: MAX_LABEL - 1] + "…"
