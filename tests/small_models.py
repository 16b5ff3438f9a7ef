"""A model of two small networks with random weights, in the form in which models are shipped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from gesturectl.arrays import npz_bytes
from training.export import TrainedPart, write

Weights = dict[str, np.ndarray]


def perceptron(rng: np.random.Generator, sizes: tuple[int, ...]) -> Weights:
    """Weights of a perceptron of these layer sizes, as `model.json` names them."""
    weights: Weights = {}
    for i, shape in enumerate(pairwise(sizes)):
        weights[f"w{i}"] = rng.normal(size=shape).astype(np.float32)
        weights[f"b{i}"] = rng.normal(size=shape[1]).astype(np.float32)
    return weights


def convolution(
    rng: np.random.Generator, inputs: int, width: int, blocks: int, classes: int, *, views: int = 2
) -> Weights:
    """Weights of temporal convolutions side by side, as `model.json` names them."""
    shapes = {"in": (inputs, width), "out": (width, classes)}
    shapes |= {f"conv{i}": (3 * width, width) for i in range(blocks)}
    weights: Weights = {}
    for name, shape in shapes.items():
        scale = 1 / np.sqrt(shape[0])
        weights[f"{name}_w"] = (rng.normal(size=(views, *shape)) * scale).astype(np.float32)
        weights[f"{name}_b"] = rng.normal(size=(views, shape[1])).astype(np.float32)
    return weights


def part(kind: str, classes: tuple[str, ...], weights: Weights, inputs: int) -> TrainedPart:
    """A part with plain thresholds and a standardisation that is not the identity."""
    return TrainedPart(
        kind,
        classes,
        np.linspace(-1, 1, inputs, dtype=np.float32),
        np.linspace(0.5, 2, inputs, dtype=np.float32),
        weights,
        enter=0.6,
        exit=0.3,
        hold_us=30_000,
        refractory_us=700_000,
        smooth_us=0,
        own={classes[1]: {"enter": 0.8}},
    )


def parts() -> dict[str, TrainedPart]:
    """One part of each kind, always the same."""
    rng = np.random.default_rng(7)
    return {
        "shapes": part("mlp", ("null", "fist", "ok"), perceptron(rng, (6, 5, 3)), 6),
        "strokes": part("tcn", ("null", "wave"), convolution(rng, 4, 8, 3, 2), 4),
    }


def save(folder: Path) -> Path:
    """Write the model into a folder."""
    write(folder, "small", parts(), {"seed": 7}, "# A small model\n")
    return folder


def arrays_of(folder: Path) -> Weights:
    """Read the weights as they are."""
    with np.load(folder / "weights.npz", allow_pickle=False) as npz:
        return {name: npz[name] for name in npz.files}


def edit_card(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what the card says."""
    card = json.loads((folder / "model.json").read_text("utf-8"))
    change(card)
    (folder / "model.json").write_text(json.dumps(card), "utf-8")


def put_weights(folder: Path, raw: bytes) -> None:
    """Replace the weights, with a card that vouches for them: so would one who means harm."""
    (folder / "weights.npz").write_bytes(raw)
    edit_card(folder, lambda card: card.update(sha256=hashlib.sha256(raw).hexdigest()))


def put_arrays(folder: Path, arrays: Weights, *, announce: bool = True) -> None:
    """Replace the weights by these arrays, which the card announces or not."""
    put_weights(folder, npz_bytes(arrays))
    if announce:
        shapes = {name: {"shape": list(array.shape)} for name, array in arrays.items()}
        edit_card(folder, lambda card: card.update(arrays=shapes))
