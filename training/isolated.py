"""Networks that name one whole gesture: which of G it is, and which of two ways it is shown.

    described (N, S, F) -> linear -> residual convolutions, halved in time twice -> mean and
    maximum over time -> G logits: which        P(which, way) = P(which) · P(way | which)
                      -> G × 2 logits: way

As each gesture is known from start to end, the convolutions look both ways. While training, every
layer is normalised over the batch (Ioffe & Szegedy 2015); afterwards that is folded into weights
and biases, so that what predicts is nothing but the arrays that are counted.

Several small networks, each with a view of its own, are averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import Generator

from gesturectl.types import Float32, Int64
from training.skeletons import Skeletons, as_shown, described, disturbed

Weights = dict[str, Any]
# Takes a layer's name and output, gives it normalised, or with its bias once that is folded.
Settle = Callable[[str, Any], Any]
Drop = Callable[[Any, float], Any]

WIDTH = 64
KERNEL = 3
# One block each: how far apart its taps are; time is halved before those marked.
BLOCKS = ((1, False), (2, False), (1, True), (2, False), (1, True), (2, False))
WAYS = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """How networks are trained; chosen on subjects held out of training."""

    epochs: int
    batch: int = 64
    rate: float = 3e-3
    decay: float = 0.02  # of matrices, each step, times the rate
    smoothing: float = 0.1  # of labels
    mixing: float = 0.3  # of pairs of gestures: mixup (Zhang et al. 2018), Beta(0.3, 0.3)
    which: float = 0.5  # how much more it matters which gesture it is than which way
    averaged: float = 0.998  # weights are averaged over about the last 500 steps


@dataclass(frozen=True, slots=True)
class Network:
    """One trained network: what it is told, and its arrays."""

    view: tuple[str, ...]
    weights: Weights

    @property
    def parameters(self) -> int:
        """Return how many numbers take part in its predictions."""
        return sum(array.size for array in self.weights.values())


# --- the network --------------------------------------------------------------------------------


def _initial(rng: Generator, inputs: int, gestures: int) -> Weights:
    def normal(rows: int, columns: int, gain: float = 1.0) -> Float32:
        return rng.normal(0, gain / np.sqrt(rows), (rows, columns)).astype(np.float32)

    weights: Weights = {"in_w": normal(inputs, WIDTH)}
    for i in range(len(BLOCKS)):
        weights[f"block{i}_w"] = normal(KERNEL * WIDTH, WIDTH)
    for name in ("in", *(f"block{i}" for i in range(len(BLOCKS)))):
        weights[f"{name}_scale"] = np.ones(WIDTH, np.float32)
        weights[f"{name}_b"] = np.zeros(WIDTH, np.float32)
    for name, outputs in (("which", gestures), ("way", WAYS * gestures)):
        weights[f"{name}_w"] = normal(2 * WIDTH, outputs, 0.5)
        weights[f"{name}_b"] = np.zeros(outputs, np.float32)
    return weights


def _forward(weights: Weights, x: Any, settle: Settle, drop: Drop) -> tuple[Any, Any]:
    """Return log P(which) (N, G) and log P(way | which) (N, G, 2)."""
    h = jax.nn.relu(settle("in", drop(x, 0.1) @ weights["in_w"]))
    for i, (apart, halved) in enumerate(BLOCKS):
        if halved:
            n, steps, width = h.shape
            h = h.reshape(n, steps // 2, 2, width).max(2)
        padded = jnp.pad(h, ((0, 0), (apart, apart), (0, 0)))
        taps = [padded[:, k * apart : k * apart + h.shape[1]] for k in range(KERNEL)]
        y = settle(f"block{i}", jnp.concatenate(taps, -1) @ weights[f"block{i}_w"])
        h = h + drop(jax.nn.relu(y), 0.1)
    pooled = drop(jnp.concatenate([h.mean(1), h.max(1)], -1)[:, None], 0.4)[:, 0]
    which = pooled @ weights["which_w"] + weights["which_b"]
    way = (pooled @ weights["way_w"] + weights["way_b"]).reshape(len(x), -1, WAYS)
    return jax.nn.log_softmax(which), jax.nn.log_softmax(way)


def _normalised(x: Any) -> tuple[Any, Any, Any]:
    """Return (N, S, C) with mean 0 and deviation 1, and the factor and shift that made it so."""
    mean, variance = x.mean((0, 1)), x.var((0, 1))
    factor = jax.lax.rsqrt(variance + 1e-3)
    return (x - mean) * factor, factor, -mean * factor


def _over_batch(weights: Weights) -> Settle:
    def settle(name: str, h: Any) -> Any:
        return _normalised(h)[0] * weights[f"{name}_scale"] + weights[f"{name}_b"]

    return settle


def _keep(x: Any, rate: float) -> Any:
    return x


def _dropping(key: Any) -> Drop:
    """Drop whole channels of a gesture (Tompson et al. 2015), each time others."""
    keys = iter(jax.random.split(key, len(BLOCKS) + 2))

    def drop(x: Any, rate: float) -> Any:
        kept = jax.random.bernoulli(next(keys), 1 - rate, (len(x), 1, x.shape[-1]))
        return jnp.where(kept, x / (1 - rate), 0)

    return drop


def _folded(weights: Weights, x: Any) -> Weights:
    """Fold the normalisation over this batch (N, S, F) into weights and biases."""
    x, factor, shift = _normalised(x)
    out: Weights = {}

    def settle(name: str, h: Any) -> Any:
        h, own_factor, own_shift = _normalised(h)
        scale, matrix = weights[f"{name}_scale"], weights[f"{name}_w"]
        out[f"{name}_w"] = matrix * own_factor * scale
        out[f"{name}_b"] = own_shift * scale + weights[f"{name}_b"]
        return h * scale + weights[f"{name}_b"]

    _forward(weights, x, settle, _keep)
    out["in_b"] = shift @ out["in_w"] + out["in_b"]
    out["in_w"] = factor[:, None] * out["in_w"]
    heads = {name: weights[name] for name in ("which_w", "which_b", "way_w", "way_b")}
    return {name: np.asarray(array, np.float32) for name, array in (out | heads).items()}


@jax.jit
def _predicted(weights: Weights, x: Any) -> tuple[Any, Any]:
    return _forward(weights, x, lambda name, h: h + weights[f"{name}_b"], _keep)


# --- training -----------------------------------------------------------------------------------


def fit(
    gestures: Skeletons,
    label: Int64,
    view: tuple[str, ...],
    seed: int,
    plan: Plan,
    *,
    advance: Callable[[], object] = lambda: None,
) -> Network:
    """Train one network on gestures whose `label` (N,) is WAYS · which + way.

    Every epoch shows each gesture once, disturbed anew; `advance` is called after it. AdamW with
    a cosine schedule. The same seed gives the same bytes.
    """
    rng = np.random.default_rng(seed)
    step = _step(view, plan, jax.random.key(seed))
    target = np.eye(label.max() // WAYS * WAYS + WAYS, dtype=np.float32)[label]
    batches = max(1, len(gestures) // plan.batch)
    steps = plan.epochs * batches
    inputs = described(*as_shown(gestures.those(np.arange(1))), view).shape[-1]
    weights = _initial(rng, inputs, target.shape[1] // WAYS)
    zeros = jax.tree.map(np.zeros_like, weights)
    state: State = (weights, zeros, zeros, weights)
    t = 0
    for _ in range(plan.epochs):
        order = rng.permutation(len(gestures))
        joints, lasted = disturbed(gestures.those(order), rng)
        share = rng.beta(plan.mixing, plan.mixing, len(order)).astype(np.float32)
        for k in range(batches):
            some = slice(k * plan.batch, (k + 1) * plan.batch)
            t += 1
            warm = min(1.0, t / (3 * batches))
            rate = plan.rate * warm * 0.5 * (1 + np.cos(np.pi * t / steps))
            batch = (joints[some], lasted[some], target[order[some]], share[some])
            state = step(state, t, rate, batch)
        advance()
    return Network(view, _folded(state[-1], described(*disturbed(gestures, rng), view)))


State = tuple[Weights, Weights, Weights, Weights]
"""Weights, the means of their gradient and of its square (Adam), and the weights' own mean."""


def _step(view: tuple[str, ...], plan: Plan, key: Any) -> Callable[..., State]:
    """Return one step of AdamW: (state, t from 1, rate, batch) to the next state.

    A batch is joints (N, S, 22, 3), how long they lasted (N,), targets (N, G · WAYS), and how much
    of each gesture stays itself (N,) where it is mixed with another.
    """

    def loss(weights: Weights, key: Any, batch: tuple[Any, ...]) -> Any:
        joints, lasted, target, share = batch
        x = described(joints, lasted, view)
        x = share[:, None, None] * x + (1 - share[:, None, None]) * x[::-1]
        target = share[:, None] * target + (1 - share[:, None]) * target[::-1]
        x, _, _ = _normalised(x)
        which, way = _forward(weights, x, _over_batch(weights), _dropping(key))
        return _loss(which, way, target, plan)

    @jax.jit
    def step(state: State, t: Any, rate: Any, batch: Any) -> State:
        weights, m, v, average = state
        gradient = jax.grad(loss)(weights, jax.random.fold_in(key, t), batch)
        m = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, gradient)
        v = jax.tree.map(lambda a, g: 0.99 * a + 0.01 * g * g, v, gradient)
        unbiased = jnp.sqrt(1 - 0.99**t) / (1 - 0.9**t)
        weights = {
            name: w
            - rate * unbiased * m[name] / (jnp.sqrt(v[name]) + 1e-7)
            - rate * plan.decay * (w if w.ndim == 2 else 0)
            for name, w in weights.items()
        }
        kept = jnp.minimum(plan.averaged, t / (t + 10))
        average = jax.tree.map(lambda a, w: kept * a + (1 - kept) * w, average, weights)
        return weights, m, v, average

    return step


def _loss(which: Any, way: Any, target: Any, plan: Plan) -> Any:
    """Cross entropy of which and way together, and of which alone; labels are smoothed."""
    n, gestures, _ = way.shape

    def entropy(log_p: Any, wanted: Any) -> Any:
        wanted = (1 - plan.smoothing) * wanted + plan.smoothing / wanted.shape[1]
        return -(wanted * log_p).sum(-1).mean()

    both = (which[..., None] + way).reshape(n, -1)
    alone = target.reshape(n, gestures, WAYS).sum(-1)
    return entropy(both, target) + plan.which * entropy(which, alone)


# --- prediction ---------------------------------------------------------------------------------


def predicted(networks: Sequence[Network], gestures: Skeletons) -> tuple[Float32, Float32]:
    """Return P(which) (N, G) and P(which, way) (N, G, WAYS), the networks averaged."""
    joints, lasted = as_shown(gestures)
    told = [_predicted(one.weights, described(joints, lasted, one.view)) for one in networks]
    which, way = (np.mean([np.exp(one[i]) for one in told], axis=0) for i in range(2))
    return which, which[..., None] * way
