"""Load action models, refuse damaged ones, and run them in numpy.

A model is a folder of two files: `model.json` says what the weights are (classes, thresholds,
shapes, SHA-256, data and licences), `weights.npz` holds them and is read without pickle. Nothing
is computed before every array has the announced name, dtype, shape and finite values.

Two kinds of network, both small enough for a matrix product or eight per frame:
`Mlp` scores single vectors, `Tcn` scores a stream one step at a time in constant work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
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
Lane = tuple[int, int]
"""A subject's way through a network, of those that run together: its row, and the network."""

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
        # One product for each vector: its scores are the same bits whatever is beside it.
        x = x[:, None]
        for weight, bias in self.layers[:-1]:
            x = np.maximum(x @ weight + bias, 0)
        weight, bias = self.layers[-1]
        return softmax(x @ weight + bias)[:, 0]


@dataclass(frozen=True, slots=True, eq=False)
class Tcn:
    """Causal residual convolutions over time, `views` of them side by side, whose scores are
    averaged; block i reaches 2·2^i steps back. Weights (V, rows, columns), biases (V, 1, columns).
    """

    entry: tuple[Float32, Float32]
    blocks: tuple[tuple[Float32, Float32], ...]
    head: tuple[Float32, Float32]

    @property
    def form(self) -> tuple[int, int, int]:
        """Views, columns and blocks; networks of one form can run together."""
        views, _, width = self.entry[1].shape
        return views, width, len(self.blocks)

    def stream(self) -> TcnStream:
        """Return a fresh stream of one subject, before which there was nothing."""
        return TcnStream(TcnStreams([self], 1))


class TcnStreams:
    """Ways of several subjects through networks of one form, in the same products.

    A product of eight small vectors with eight matrices costs little more than of one: two hands
    and two arms take 1.4 times as long as one hand. Each row of each network is a lane with a
    memory of its own, and its scores are the same bits whatever is in the others.

    Lanes are stepped on one grid: the step's number says where in the memory of a block it is kept.

    Raises:
        ValueError: the networks have different forms.
    """

    def __init__(self, nets: Sequence[Tcn], rows: int) -> None:
        if len({net.form for net in nets}) != 1:
            raise ValueError("networks of different forms cannot run together")
        views, width, blocks = nets[0].form
        self._entry = _beside([net.entry for net in nets], rows)
        self._x = np.zeros((rows, len(nets), self._entry[0].shape[-2]), np.float32)
        layers = zip(*(net.blocks for net in nets), strict=True)
        self._blocks = [_beside(layer, rows) for layer in layers]
        # What fewer classes leave free is never likely.
        self._head = _beside([net.head for net in nets], rows, free=-np.inf)
        self._h = np.zeros((rows, len(nets), views, 1, width), np.float32)
        self._out = np.zeros_like(self._h)
        self._taps = np.zeros((rows, len(nets), views, 1, KERNEL * width), np.float32)
        # The same numbers with all lanes one under the other, which is quicker to copy.
        self._flat = self._h.reshape(-1, width)
        taps = self._taps.reshape(-1, KERNEL, width)
        self._three = tuple(taps[:, i] for i in range(KERNEL))
        self._memory = [np.zeros((2 << i, *self._flat.shape), np.float32) for i in range(blocks)]
        self._lanes = np.arange(len(self._flat)).reshape(rows, len(nets), views)

    def forget(self, lane: Lane) -> None:
        """Let there be nothing before the next step of a lane."""
        for memory in self._memory:
            memory[:, self._lanes[lane]] = 0

    def scores(self, step: int, vectors: Mapping[Lane, Float32]) -> Float32:
        """Return class probabilities (rows, nets, C) after one more step of some lanes.

        For each lane it must be the one after its last. What is returned for the others means
        nothing, and classes that a network lacks have 0.
        """
        x = self._x
        for lane, vector in vectors.items():
            x[lane][: len(vector)] = vector
        h, out, flat, (oldest, old, new) = self._h, self._out, self._flat, self._three
        weight, bias = self._entry
        np.matmul(x[:, :, None, None], weight, out=h)
        np.add(h, bias, out=h)
        np.maximum(h, 0, out=h)
        kept = None
        if len(vectors) < x.shape[0] * x.shape[1]:
            kept = np.concatenate([self._lanes[lane] for lane in vectors])
        for (weight, bias), memory in zip(self._blocks, self._memory, strict=True):
            reach = len(memory)
            at = step % reach
            oldest[:] = memory[at]
            old[:] = memory[at - reach // 2]
            new[:] = flat
            if kept is None:
                memory[at] = flat
            else:
                memory[at, kept] = flat[kept]
            np.matmul(self._taps, weight, out=out)
            np.add(out, bias, out=out)
            np.maximum(out, 0, out=out)
            np.add(h, out, out=h)
        weight, bias = self._head
        p = softmax(np.matmul(h, weight) + bias)
        mean: Float32 = np.add.reduce(p, axis=2)[:, :, 0] / np.float32(p.shape[2])
        return mean


def _beside(
    layers: Sequence[tuple[Float32, Float32]], rows: int, free: float = 0.0
) -> tuple[Float32, Float32]:
    """Put one layer of several networks side by side, filled up where one is smaller.

    In: weights (V, R, C) and biases (V, 1, C). Out: (N, V, R, C), and biases for each row, which
    need not be spread then: (rows, N, V, 1, C), `free` where a network has no such column.
    """
    r, c = (max(weight.shape[k] for weight, _ in layers) for k in (1, 2))
    views = layers[0][0].shape[0]
    weights = np.zeros((len(layers), views, r, c), np.float32)
    biases = np.full((rows, len(layers), views, 1, c), free, np.float32)
    for n, (weight, bias) in enumerate(layers):
        weights[n, :, : weight.shape[1], : weight.shape[2]] = weight
        biases[:, n, :, :, : bias.shape[2]] = bias
    return weights, biases


class TcnStream:
    """One subject's way through a `Tcn`."""

    def __init__(self, lanes: TcnStreams) -> None:
        self._lanes = lanes
        self._step = 0

    def reset(self) -> None:
        """Forget the past."""
        self._lanes.forget((0, 0))

    def scores(self, x: Float32) -> Float32:
        """Return class probabilities (C,) after the next step's vector (F,)."""
        self._step += 1
        scores: Float32 = self._lanes.scores(self._step, {(0, 0): x})[0, 0]
        return scores


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
        net = Mlp((_fold(layers[0], mean, scale, where), *layers[1:]))
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
        net = Tcn(_fold(entry, mean, scale, where), blocks, head)
    if own:
        raise ModelError(f"{where}: {name} has arrays nobody needs: {', '.join(sorted(own))}")
    return net


def _fold(
    layer: tuple[Float32, Float32], mean: Float32, scale: Float32, where: str
) -> tuple[Float32, Float32]:
    """Fold (x - mean) / scale into the layer that follows it."""
    weight, bias = layer
    if not (scale > 0).all():
        raise ModelError(f"{where}: a scale in the weights is not positive; the model is damaged")
    with np.errstate(over="ignore", invalid="ignore"):
        weight = weight / scale[:, None]  # of a perceptron (F, W), of views (V, F, W)
        bias = bias - (mean[None] @ weight).reshape(bias.shape)
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise ModelError(
            f"{where}: a scale in the weights is next to nothing; the model is damaged"
        )
    return weight, bias
