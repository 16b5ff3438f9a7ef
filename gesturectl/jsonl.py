"""Events and commands as JSON Lines: one object a line, for programs that read what we print.

    {"t_us": 812000, "type": "gesture", "phase": "began", "gesture": "fist", "side": "right", …}
    {"t_us": 812000, "type": "command", "command": "key_down", "key": "Right"}
    {"t_us": 812000, "type": "mode", "mode": "volume"}

Of a live source, a line also tells when the frame that brought it had passed each stage:

    {…, "stages_us": {"captured": 0, "read": 310, "landmarks": 6630, "recognised": 7140, …}}

The same input prints the same bytes: fields come in the order of the types, numbers are rounded,
and everything outside ASCII is escaped. A `Tick` says nothing to a reader and has no line.
"""

from __future__ import annotations

import json
from dataclasses import fields

from gesturectl.types import (
    Began,
    ButtonDown,
    ButtonUp,
    Command,
    Controls,
    Ended,
    Entered,
    HandOver,
    KeyDown,
    KeyUp,
    MoveBy,
    MoveTo,
    Mqtt,
    Notice,
    Notify,
    Osc,
    Play,
    Run,
    Say,
    Scroll,
    Stages,
    Text,
    UseProfile,
    Webhook,
)

Json = dict[str, object]

COMMAND_NAMES: dict[type[Command], str] = {
    KeyDown: "key_down",
    KeyUp: "key_up",
    ButtonDown: "button_down",
    ButtonUp: "button_up",
    MoveBy: "move_by",
    MoveTo: "move_to",
    Scroll: "scroll",
    Text: "text",
    Run: "run",
    Notify: "notify",
    Say: "say",
    Play: "play",
    Webhook: "webhook",
    Osc: "osc",
    Mqtt: "mqtt",
}

DECIMALS = 3  # of a confidence: finer digits differ between processors and mean nothing
MOVE_DECIMALS = 4


Item = Began | Ended | Command | Notice


def to_json(item: Item, stages: Stages | None = None) -> Json:
    """Return one event, command, or change of mode, profile or person as the object of its line.

    `stages` are those of the frame that brought it, where they are known.
    """
    told = _told(item)
    if stages is not None:
        told["stages_us"] = stages._asdict()
    return told


def _told(item: Item) -> Json:
    if isinstance(item, Entered):
        return {"t_us": item.t_us, "type": "mode", "mode": item.mode}
    if isinstance(item, UseProfile):
        return {"t_us": item.t_us, "type": "profile", "profile": item.name}
    if isinstance(item, Controls):
        return {"t_us": item.t_us, "type": "control", "person": item.person}
    if isinstance(item, HandOver):
        return {"t_us": item.t_us, "type": "hand_over"}
    if isinstance(item, Began | Ended):
        return {
            "t_us": item.t_us,
            "type": "gesture",
            "phase": "began" if isinstance(item, Began) else "ended",
            "gesture": item.gesture,
            "side": item.side,
            "confidence": round(float(item.confidence), DECIMALS),
        }
    detail = {field.name: _plain(getattr(item, field.name)) for field in fields(item)}
    t_us = detail.pop("t_us")
    return {"t_us": t_us, "type": "command", "command": COMMAND_NAMES[type(item)], **detail}


def to_line(item: Item, stages: Stages | None = None) -> str:
    """Return one of them as a line, without its newline."""
    return json.dumps(to_json(item, stages))


def _plain(value: object) -> object:
    if isinstance(value, float):
        return round(value, MOVE_DECIMALS)
    if isinstance(value, tuple):
        return list(value)
    return value
