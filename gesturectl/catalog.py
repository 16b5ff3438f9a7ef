"""The catalog: every gesture the shipped models know, read once from `gestures/catalog.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import yaml

from gesturectl.types import Needs

Kind = Literal["pose", "motion"]
SeenBy = Literal["hand", "body"]


@dataclass(frozen=True, slots=True)
class Gesture:
    """One row: a pose is held, a motion is a stroke; `seen_by` names the landmarks that show it.

    Any of them will do, unless `needs` says what must be looked for all at once: so it is for
    gestures of a user's own, which are told by all that their takes have shown.
    """

    name: str
    kind: Kind
    seen_by: tuple[SeenBy, ...]
    says: str
    needs: Needs | None = None


@cache
def catalog() -> dict[str, Gesture]:
    """Return all shipped gestures by name, in the order of the file."""
    text = resources.files("gesturectl.gestures").joinpath("catalog.yaml").read_text("utf-8")
    return {
        row["name"]: Gesture(row["name"], row["kind"], tuple(row["seen_by"]), row["says"])
        for row in yaml.safe_load(text)
    }
