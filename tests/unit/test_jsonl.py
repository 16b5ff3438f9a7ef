"""Events and commands as lines: the format of the command line."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from gesturectl.jsonl import COMMAND_NAMES, to_line
from gesturectl.types import (
    Began,
    ButtonDown,
    Command,
    Controls,
    Ended,
    HandOver,
    KeyDown,
    MoveBy,
    Run,
    Scroll,
    Stages,
    Text,
)


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (Controls(812_000, 2), '{"t_us": 812000, "type": "control", "person": 2}'),
        (Controls(812_000, None), '{"t_us": 812000, "type": "control", "person": null}'),
        (HandOver(812_000), '{"t_us": 812000, "type": "hand_over"}'),
        (
            Began(812_000, "thumb_up", "right", 0.96789),
            '{"t_us": 812000, "type": "gesture", "phase": "began", "gesture": "thumb_up", '
            '"side": "right", "confidence": 0.968}',
        ),
        (
            Ended(9, "squat", "body", 0.1),
            '{"t_us": 9, "type": "gesture", "phase": "ended", "gesture": "squat", '
            '"side": "body", "confidence": 0.1}',
        ),
        (
            KeyDown(1, "Right"),
            '{"t_us": 1, "type": "command", "command": "key_down", "key": "Right"}',
        ),
        (
            ButtonDown(1, "left"),
            '{"t_us": 1, "type": "command", "command": "button_down", "button": "left"}',
        ),
        (
            MoveBy(1, 1 / 3, -2.0),
            '{"t_us": 1, "type": "command", "command": "move_by", "dx_px": 0.3333, "dy_px": -2.0}',
        ),
        (
            Scroll(1, 0.0, 3.0),
            '{"t_us": 1, "type": "command", "command": "scroll", "dx": 0.0, "dy": 3.0}',
        ),
        (
            Text(1, "Grüße"),
            r'{"t_us": 1, "type": "command", "command": "text", "text": "Gr\u00fc\u00dfe"}',
        ),
        (
            Run(1, ("notify-send", "hi there")),
            '{"t_us": 1, "type": "command", "command": "run", "argv": ["notify-send", "hi there"]}',
        ),
    ],
)
def test_each_has_its_line(item: Began | Ended | Command, line: str) -> None:
    assert to_line(item) == line
    assert json.loads(line)["t_us"] == item.t_us


def test_of_a_live_source_a_line_tells_when_its_frame_had_passed_each_stage() -> None:
    line = to_line(Scroll(1, 0.0, 3.0), Stages(0, 310, 6_630, 7_140, 7_200, 7_390))
    assert line == (
        '{"t_us": 1, "type": "command", "command": "scroll", "dx": 0.0, "dy": 3.0, "stages_us": '
        '{"captured": 0, "read": 310, "landmarks": 6630, "recognised": 7140, "mapped": 7200, '
        '"injected": 7390}}'
    )


def test_every_command_has_a_name() -> None:
    assert set(COMMAND_NAMES) == set(get_args(Command))
