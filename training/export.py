"""Write a trained model the way `gesturectl.model` reads it: two files and a card for people.

The same parameters give the same bytes: JSON keys are in order and the archive's entries bear a
fixed date.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gesturectl import model
from gesturectl.arrays import npz_bytes
from gesturectl.features import FEATURES_VERSION
from gesturectl.types import Float32
from training import measured


@dataclass(frozen=True, slots=True, eq=False)
class TrainedPart:
    """One network, its standardisation and its thresholds, class 0 being null."""

    kind: str
    classes: tuple[str, ...]
    mean: Float32
    scale: Float32
    params: dict[str, Float32]
    enter: float
    exit: float
    hold_us: int
    refractory_us: int
    smooth_us: int
    own: dict[str, dict[str, float]] = field(default_factory=dict)

    def card(self) -> dict[str, Any]:
        """Return this part as `model.json` tells it; `own` overrides the thresholds of a class."""

        def column(name: str) -> list[Any]:
            return [self.own.get(c, {}).get(name, getattr(self, name)) for c in self.classes]

        return {
            "kind": self.kind,
            "inputs": int(self.mean.size),
            "classes": list(self.classes),
            **{key: column(key) for key in ("enter", "exit", "hold_us", "refractory_us")},
            "smooth_us": self.smooth_us,
        }


def write(
    folder: Path,
    name: str,
    parts: dict[str, TrainedPart],
    training: dict[str, Any],
    card: str = "",
) -> None:
    """Write model.json, weights.npz and CARD.md, and read them back as the daemon would.

    Without a text for the card, it tells what `model.json` tells.

    Raises:
        ModelError: what was written cannot be loaded; then it is not to be shipped.
    """
    arrays: dict[str, Float32] = {}
    for part_name, part in parts.items():
        own = {"mean": part.mean, "scale": part.scale, **part.params}
        arrays |= {f"{part_name}/{key}": np.asarray(a, np.float32) for key, a in own.items()}
    raw = npz_bytes(arrays)
    content = {
        "format": model.FORMAT,
        "version": model.VERSION,
        "name": name,
        "features_version": FEATURES_VERSION,
        "parts": {key: part.card() for key, part in parts.items()},
        "sha256": hashlib.sha256(raw).hexdigest(),
        "arrays": {key: {"shape": list(a.shape)} for key, a in arrays.items()},
        "training": training,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.npz").write_bytes(raw)
    (folder / "model.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (folder / "CARD.md").write_text(card or card_of(content), "utf-8")
    model.load(folder)


def card_of(
    content: dict[str, Any], published: Mapping[str, measured.Published] | None = None
) -> str:
    """Return the card that tells people what `model.json` (its content) tells programs.

    What was measured of this very model is told too, if anything is `published` (by default what
    lies in docs/measured): so a model that is made again gets the same card again.
    """
    data = content["training"].get("data", {})
    rows = [(name, used["licence"], used["what"]) for name, used in data.items()]
    own = "Your recordings are in it: who has it may tell that you made them."
    figures = measured.card(measured.read() if published is None else published, content["sha256"])
    return f"""# The model `{content["name"]}`

Small networks over hand and body landmarks, run in numpy. Made by
`python -m training.train` from seed {content["training"].get("seed")}; measured by
`python -m training.evaluate`.

## Trained on

{_lines(measured.rows("set|licence|what", rows))}

All of it is landmarks; no picture is in it, nor any of the sets that are for measuring.
{own if "your recordings" in data else "No recording of a user is in it."}

## Networks and thresholds

A gesture begins when its smoothed probability stays above *enter*, and above that of no
gesture, for *hold*; a pose ends below *exit*; after a stroke its hand is not heard for
*quiet*.

{_lines(_network(content, name) for name in content["parts"])}
{_lines([*figures, "## Limits"])}

- The photographs show two or three people, the recorded arms five groups of people.
- Strokes of a hand are learned from synthesis alone. Below about 15 frames a second, and
  where motion blur loses the hand for longer than 150 ms, a fast stroke is missed.
- Where only the arm is seen and no hand, strokes up, down and outward are often missed.
- Somebody seated in full view shows bent knees, which may be read as `squat`.
- Not a medical device.
"""


_lines = "\n".join


def _network(content: Mapping[str, Any], name: str) -> str:
    """Tell the size of a network, and the thresholds of each of its gestures."""
    part, arrays = content["parts"][name], content["arrays"]
    weights = sum(math.prod(arrays[key]["shape"]) for key in arrays if key.startswith(f"{name}/"))
    columns = (part[key] for key in ("classes", "enter", "exit", "hold_us", "refractory_us"))
    rows = [
        (gesture, enter, leave, f"{hold // 1000} ms", f"{quiet // 1000} ms")
        for gesture, enter, leave, hold, quiet in list(zip(*columns, strict=True))[1:]
    ]
    smooth_ms = part["smooth_us"] // 1000
    return f"""### {name}: {part["kind"]}, {weights:,} weights, smoothed over {smooth_ms} ms

{_lines(measured.rows("gesture|enter|exit|hold|quiet", rows))}
"""
