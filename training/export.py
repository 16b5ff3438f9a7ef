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
from numpy.typing import NDArray

from gesturectl import model
from gesturectl.arrays import npz_bytes
from gesturectl.features import FEATURES_VERSION
from training import measured


@dataclass(frozen=True, slots=True, eq=False)
class TrainedPart:
    """One network, its standardisation and its thresholds, class 0 being null."""

    kind: str
    classes: tuple[str, ...]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    params: dict[str, NDArray[np.float32]]
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
    arrays: dict[str, NDArray[np.float32]] = {}
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
    weights: dict[str, int] = {}
    for key, spec in content["arrays"].items():
        part = key.split("/")[0]
        weights[part] = weights.get(part, 0) + math.prod(spec["shape"])
    lines = [
        f"# The model `{content['name']}`",
        "",
        "Small networks over hand and body landmarks, run in numpy. Made by",
        f"`python -m training.train` from seed {content['training'].get('seed')}; measured by",
        "`python -m training.evaluate`.",
        "",
        "## Trained on",
        "",
        "| set | licence | what |",
        "|---|---|---|",
        *(
            f"| {name} | {used['licence']} | {used['what']} |"
            for name, used in content["training"].get("data", {}).items()
        ),
        "",
        "All of it is landmarks; no picture is in it, nor any of the sets that are for measuring.",
        "No recording of a user is in it."
        if "your recordings" not in content["training"].get("data", {})
        else "Your recordings are in it: who has it may tell that you made them.",
        "",
        "## Networks and thresholds",
        "",
        "A gesture begins when its smoothed probability stays above *enter*, and above that of no",
        "gesture, for *hold*; a pose ends below *exit*; after a stroke its hand is not heard for",
        "*quiet*.",
    ]
    for name, part in content["parts"].items():
        lines += [
            "",
            f"### {name}: {part['kind']}, {weights[name]:,} weights, smoothed over "
            f"{part['smooth_us'] // 1000} ms",
            "",
            "| gesture | enter | exit | hold | quiet |",
            "|---|---|---|---|---|",
        ]
        columns = (part[key] for key in ("classes", "enter", "exit", "hold_us", "refractory_us"))
        for gesture, enter, leave, hold, quiet in list(zip(*columns, strict=True))[1:]:
            times = f"{hold // 1000} ms | {quiet // 1000} ms"
            lines.append(f"| {gesture} | {enter} | {leave} | {times} |")
    lines += [
        "",
        *measured.card(measured.read() if published is None else published, content["sha256"]),
        "## Limits",
        "",
        "- The photographs show two or three people, the recorded arms five groups of people.",
        "- Strokes of a hand are learned from synthesis alone. Below about 15 frames a second, and",
        "  where motion blur loses the hand for longer than 150 ms, a fast stroke is missed.",
        "- Where only the arm is seen and no hand, strokes up, down and outward are often missed.",
        "- Somebody seated in full view shows bent knees, which may be read as `squat`.",
        "- Not a medical device.",
        "",
    ]
    return "\n".join(lines)
