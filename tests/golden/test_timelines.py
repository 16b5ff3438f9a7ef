"""Profile and gestures in, commands out, on a virtual clock.

A case is a text of three parts: a profile (without its first line), what is shown, and what must be
sent. `fist+` begins, `fist-` ends, `swipe_left` does both at once; a side and a confidence may
follow. `move up=0.5` says where the right hand is, `window app=mpv` what is in front and
`input keys=a` that the real keyboard was used. Between them a tick passes every 10 ms, up to the
last line; `lost` lets go of everything.

`UPDATE_GOLDEN=1 pytest tests/golden` writes what is sent now; read the difference before you
commit it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from gesturectl import bindings
from gesturectl.fields import duration_us
from gesturectl.profile import Profile, parse
from gesturectl.types import (
    Began,
    ButtonDown,
    ButtonUp,
    Command,
    Ended,
    Entered,
    GestureEvent,
    KeyDown,
    KeyUp,
    Moved,
    Point,
    Request,
    Run,
    Scroll,
    Subject,
    Text,
    Tick,
    UserInput,
    Window,
)

CASES = sorted((Path(__file__).parent / "timelines").glob("*.txt"))
TICK_US = 10_000
RULE = "\n---\n"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_these_gestures_send_these_commands(case: Path) -> None:
    text = case.read_text("utf-8")
    yaml, shown, expected = text.split(RULE)
    sent = "".join(f"{line}\n" for line in play(parse(f"version: 1\n{yaml}", case.name), shown))
    if os.environ.get("UPDATE_GOLDEN"):
        case.write_text(RULE.join((yaml, shown, sent)), "utf-8")
        expected = sent
    assert sent == expected


def play(profile: Profile, shown: str) -> Iterator[str]:
    """Yield a line for each command."""
    state, now_us = bindings.initial(profile), 0
    for line in shown.splitlines():
        time, _, words = line.partition(" ")
        at_us = duration_us(time)
        while now_us + TICK_US <= at_us:
            now_us += TICK_US
            state, commands = bindings.step(profile, state, Tick(now_us))
            yield from map(written, commands)
        if words.strip() == "lost":
            state, commands = bindings.release(profile, state, at_us)
            yield from map(written, commands)
            continue
        for event in events(at_us, words):
            state, commands = bindings.step(profile, state, event)
            yield from map(written, commands)


def events(t_us: int, words: str) -> Iterator[GestureEvent]:
    name, *more = words.split()
    values = dict(word.split("=", 1) for word in more[0].split(",")) if "=" in words else {}
    match name:
        case "end":
            return
        case "move":
            moved = Moved(t_us, "right", right=0.0, up=0.0, near=0.0, pinch=0.0, roll_deg=0.0)
            yield replace(moved, **{axis: float(value) for axis, value in values.items()})
            return
        case "window":
            yield Window(t_us, **values)
            return
        case "input":
            yield UserInput(t_us, frozenset(filter(None, values.get("keys", "").split("+"))))
            return
    side, confidence = (*more, *["right", "0.9"][len(more) :])[:2]
    subject, sure = cast("Subject", side), float(confidence)
    gesture = name.rstrip("+-")
    if not name.endswith("-"):
        yield Began(t_us, gesture, subject, sure)
    if not name.endswith("+"):
        yield Ended(t_us, gesture, subject, sure)


def written(command: Command | Request) -> str:
    match command:
        case KeyDown(key=name) | ButtonDown(button=name):
            what = f"down {name}"
        case KeyUp(key=name) | ButtonUp(button=name):
            what = f"up {name}"
        case Scroll(dx=dx, dy=dy):
            what = f"scroll {dx:+g} {dy:+g}"
        case Text(text=text):
            what = f"text {text}"
        case Run(argv=argv):
            what = f"run {' '.join(argv)}"
        case Entered(mode=mode):
            what = f"mode {mode}"
        case Point(what=use, side=side, on=on):
            what = f"pointer {use} {side} {'on' if on else 'off'}"
        case _:
            raise AssertionError(command)
    return f"{command.t_us / 1000:g}ms {what}"
