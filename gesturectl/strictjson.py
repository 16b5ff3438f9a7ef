"""Read JSON that a stranger may have written: one meaning, or a `ValueError`.

The standard library takes NaN for a number, lets the last of two equal keys win in silence, and
answers depth with `RecursionError`. Whatever is wrong here is a `ValueError` of one short line.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn


def loads(raw: bytes) -> Any:
    """Parse UTF-8 JSON.

    Raises:
        ValueError: encoding, syntax, depth, digits without end, NaN, infinity, a key twice.
    """
    try:
        text = raw.decode("utf-8")
        return json.loads(text, parse_constant=_no_constants, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def brief(value: object) -> str:
    """Say a parsed value of whatever kind and size in a few characters that can be printed."""
    if isinstance(value, list | dict):  # deep ones could not even be written
        return "a list" if isinstance(value, list) else "an object"
    return f"{value!r:.40}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for key, value in pairs:
        if key in row:
            raise ValueError(f"the key {key[:40]!r} is there twice")
        row[key] = value
    return row


def _no_constants(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
