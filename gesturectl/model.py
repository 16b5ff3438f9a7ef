"""Load action models, refuse damaged ones, and run them in numpy.

A model is a folder of two files: `model.json` says what the weights are (classes, thresholds,
shapes, SHA-256, data and licences), `weights.npz` holds them and is read without pickle. Nothing
is computed before every array has the announced name, dtype, shape and finite values.

Two kinds of network, both small enough for a matrix product or eight per frame:
`Mlp` scores single vectors, `Tcn` scores a stream one step at a time in constant work.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from gesturectl import cards
from gesturectl.arrays import read_bytes, read_npz
from gesturectl.cards import Strict
from gesturectl.decoder import Rules
from gesturectl.errors import ModelError
from gesturectl.features import FEATURES_VERSION
from gesturectl.strictjson import brief
from gesturectl.types import Float32

FORMAT = "gesturectl-model"
VERSION = 1
MAX_JSON_BYTES = 256 * 1024
MAX_WEIGHTS_BYTES = 16 * 1024 * 1024
KERNEL = 3  # taps of every temporal convolution
MAX_VIEWS = 4  # convolutions side by side

Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
ArrayName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}/[a-z0-9_]{1,64}$")]
Unit = Annotated[float, Field(ge=0, le=1)]
Micros = Annotated[int, Field(ge=0, le=60_000_000)]


class Part(Strict):
    """One network of a model: what it reads, what it knows and when it is believed."""

    kind: Literal["mlp", "tcn"]
    inputs: Annotated[int, Field(ge=1, le=4096)]
    classes: Annotated[list[Name], Field(min_length=2, max_length=256)]
    enter: list[Unit]
    exit: list[Unit]
    hold_us: list[Micros]
    refractory_us: list[Micros]
    smooth_us: Micros

    @model_validator(mode="after")
    def _per_class(self) -> Part:
        for name in ("enter", "exit", "hold_us", "refractory_us"):
            if len(getattr(self, name)) != len(self.classes):
                raise ValueError(f"{name} must have one value for each of the classes")
        if any(leave > enter for leave, enter in zip(self.exit, self.enter, strict=True)):
            raise ValueError("exit must not be above enter, or a gesture would flicker")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes must not have the same name twice")
        return self

    @cached_property
    def rules(self) -> Rules:
        """The thresholds as the decoder takes them."""
        return Rules(
            names=tuple(self.classes),
            enter=np.array(self.enter, np.float32),
            exit=np.array(self.exit, np.float32),
            hold_us=np.array(self.hold_us, np.int64),
            refractory_us=np.array(self.refractory_us, np.int64),
            smooth_us=self.smooth_us,
        )


class ArraySpec(Strict):
    """Shape of one array of `weights.npz`; all are float32."""

    shape: Annotated[list[Annotated[int, Field(ge=1, le=65536)]], Field(max_length=3)]


class Card(Strict):
    """`model.json`."""

    format: Literal["gesturectl-model"]
    version: Literal[1]
    name: Name
    features_version: int
    parts: Annotated[dict[Name, Part], Field(max_length=32)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    arrays: Annotated[dict[ArrayName, ArraySpec], Field(max_length=512)]
    training: dict[str, object]


def softmax(logits: Float32) -> Float32:
    """Return probabilities along the last axis."""
    e = np.exp(logits - logits.max(-1, keepdims=True))
    out: Float32 = e / e.sum(-1, keepdims=True)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Mlp:
    """A perceptron with ReLU between its layers; the standardisation is folded into the first."""

    layers: tuple[tuple[Float32, Float32], ...]

    def scores(self, x: Float32) -> Float32:
        """Return class probabilities (N, C) of vectors (N, F)."""
        for weight, bias in self.layers[:-1]:
            x = np.maximum(x @ weight + bias, 0)
        weight, bias = self.layers[-1]
        return softmax(x @ weight + bias)


@dataclass(frozen=True, slots=True, eq=False)
class Tcn:
    """Causal residual convolutions over time, `views` of them side by side, whose scores are
    averaged; block i reaches 2·2^i steps back. Weights (V, rows, columns), biases (V, 1, columns).
    """

    entry: tuple[Float32, Float32]
    blocks: tuple[tuple[Float32, Float32], ...]
    head: tuple[Float32, Float32]

    def stream(self) -> TcnStream:
        """Return a fresh stream, before which there was nothing."""
        return TcnStream(self)


class TcnStream:
    """One subject's way through a `Tcn`: each block keeps what it will reach for."""

    __slots__ = ("_memory", "_net", "_out", "_step", "_taps", "_three")

    def __init__(self, net: Tcn) -> None:
        self._net = net
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        views, _, width = self._net.entry[1].shape
        self._step = 0
        self._memory = [
            np.zeros((2 << i, views, width), np.float32) for i in range(len(self._net.blocks))
        ]
        self._taps = np.zeros((views, 1, KERNEL * width), np.float32)
        self._three = self._taps.reshape(views, KERNEL, width).transpose(1, 0, 2)
        self._out = np.zeros((views, 1, width), np.float32)

    def scores(self, x: Float32) -> Float32:
        """Return class probabilities (C,) after the next step's vector (F,)."""
        weight, bias = self._net.entry
        h = np.maximum(x @ weight + bias[:, 0], 0)
        (oldest, old, new), out, step = self._three, self._out, self._step
        for i, (weight, bias) in enumerate(self._net.blocks):
            memory, d = self._memory[i], 1 << i
            at = step % (2 * d)
            oldest[:] = memory[at]  # 2d steps back
            old[:] = memory[at - d]  # d steps back
            new[:] = memory[at] = h
            np.matmul(self._taps, weight, out=out)
            out += bias
            np.maximum(out, 0, out=out)
            h += out[:, 0]
        self._step = step + 1
        weight, bias = self._net.head
        p: Float32 = softmax(h[:, None] @ weight + bias).mean((0, 1))
        return p


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A verified model: its card and its networks by part."""

    card: Card
    nets: dict[str, Mlp | Tcn]

    def mlp(self, part: str) -> Mlp:
        """Return a part that scores single vectors.

        Raises:
            ModelError: this model has no such part.
        """
        net = self.nets.get(part)
        if not isinstance(net, Mlp):
            raise ModelError(f"model {self.card.name} has no part {part!r} of kind mlp")
        return net

    def tcn(self, part: str) -> Tcn:
        """Return a part that scores streams.

        Raises:
            ModelError: this model has no such part.
        """
        net = self.nets.get(part)
        if not isinstance(net, Tcn):
            raise ModelError(f"model {self.card.name} has no part {part!r} of kind tcn")
        return net

    def rules(self, part: str) -> Rules:
        """Return the thresholds of a part."""
        return self.card.parts[part].rules


def load(folder: Traversable | Path) -> Model:
    """Read and verify a model.

    Raises:
        ModelError: a file is missing, damaged, too large, of another version, or does not hold
            what its card says.
    """
    card_file, weights_file = folder.joinpath("model.json"), folder.joinpath("weights.npz")
    card = _read_card(read_bytes(card_file, MAX_JSON_BYTES), str(card_file))
    raw = read_bytes(weights_file, MAX_WEIGHTS_BYTES)
    if hashlib.sha256(raw).hexdigest() != card.sha256:
        raise ModelError(
            f"{weights_file} is not the file that model.json describes (its SHA-256 differs); "
            "install the model again"
        )
    forms = {name: ("<f4", tuple(spec.shape)) for name, spec in card.arrays.items()}
    arrays = read_npz(raw, forms, MAX_WEIGHTS_BYTES, str(weights_file))
    strays = [name for name in arrays if name.split("/")[0] not in card.parts]
    if strays:
        raise ModelError(f"{card_file}: no part has the arrays {', '.join(sorted(strays))}")
    nets = {name: _net(name, part, arrays, str(card_file)) for name, part in card.parts.items()}
    return Model(card, nets)


def _read_card(raw: bytes, where: str) -> Card:
    content = cards.parsed(raw, FORMAT, where, "a gesturectl model")
    if content.get("version") != VERSION:
        raise ModelError(
            f"{where} has version {brief(content.get('version'))}, this program reads {VERSION}"
        )
    if content.get("features_version") != FEATURES_VERSION:
        raise ModelError(
            f"{where} was trained on features version {brief(content.get('features_version'))}, "
            f"this program computes {FEATURES_VERSION}; train it again or install a newer model"
        )
    return cards.validated(Card, content, where)


def _net(name: str, part: Part, arrays: dict[str, Float32], where: str) -> Mlp | Tcn:
    """Assemble one network; every shape must fit its neighbours."""
    own = {key.split("/", 1)[1]: a for key, a in arrays.items() if key.startswith(f"{name}/")}

    def take(key: str, *shape: int | None) -> Float32:
        """Return an array of this shape; None stands for any length."""
        array = own.pop(key, None)
        if array is None:
            raise ModelError(f"{where}: {name}/{key} is missing")
        fits = (n in (None, found) for n, found in zip(shape, array.shape, strict=False))
        if array.ndim != len(shape) or not all(fits):
            expected = f"({', '.join('any' if n is None else str(n) for n in shape)})"
            raise ModelError(f"{where}: {name}/{key} has shape {array.shape}, expected {expected}")
        return array

    def dense(weight: str, bias: str, rows: int) -> tuple[Float32, Float32]:
        b = take(bias, None)
        return take(weight, rows, b.size), b

    kind, classes = part.kind, len(part.classes)
    mean, scale = take("mean", part.inputs), take("scale", part.inputs)
    if kind == "mlp":
        count = sum(key.startswith("w") for key in own)
        layers, rows = [], part.inputs
        for i in range(count):
            layers.append(dense(f"w{i}", f"b{i}", rows))
            rows = layers[-1][1].size
        net: Mlp | Tcn
        if not layers or rows != classes:
            raise ModelError(f"{where}: {name} gives {rows} scores for {classes} classes")
        net = Mlp((_fold(layers[0], mean, scale), *layers[1:]))
    else:
        bias = take("in_b", None, None)
        views, width = bias.shape
        if views > MAX_VIEWS:
            raise ModelError(f"{where}: {name} has {views} views; {MAX_VIEWS} are the limit")

        def beside(weight: str, bias: Float32, rows: int) -> tuple[Float32, Float32]:
            return take(weight, views, rows, bias.shape[1]), bias[:, None]

        entry = beside("in_w", bias, part.inputs)
        count = sum(key.startswith("conv") and key.endswith("_w") for key in own)
        if count > 12:
            raise ModelError(f"{where}: {name} has {count} blocks; 12 are the limit")
        convs = (f"conv{i}" for i in range(count))
        blocks = tuple(
            beside(f"{conv}_w", take(f"{conv}_b", views, width), KERNEL * width) for conv in convs
        )
        head = beside("out_w", take("out_b", views, classes), width)
        net = Tcn(_fold(entry, mean, scale), blocks, head)
    if own:
        raise ModelError(f"{where}: {name} has arrays nobody needs: {', '.join(sorted(own))}")
    return net


def _fold(layer: tuple[Float32, Float32], mean: Float32, scale: Float32) -> tuple[Float32, Float32]:
    """Fold (x - mean) / scale into the layer that follows it."""
    weight, bias = layer
    if not (scale > 0).all():
        raise ModelError("a scale in the weights is not positive; the model is damaged")
    with np.errstate(over="ignore", invalid="ignore"):
        weight = weight / scale[:, None]  # of a perceptron (F, W), of views (V, F, W)
        bias = bias - (mean[None] @ weight).reshape(bias.shape)
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise ModelError("a scale in the weights is next to nothing; the model is damaged")
    return weight, bias
