"""The two networks of the shipped model, and one trainer for both.

A multilayer perceptron for single frames and a causal temporal convolution for streams, in JAX;
`gesturectl.model` runs the very same arithmetic in numpy. Adam with a cosine schedule, all
randomness from one seed: the same data and seed give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import Generator

Params = dict[str, Any]
KERNEL = 3


def init_mlp(rng: Generator, sizes: tuple[int, ...]) -> Params:
    """Return weights of a perceptron with these layer sizes (inputs, hidden…, classes)."""
    params: Params = {}
    for i, (a, b) in enumerate(pairwise(sizes)):
        params[f"w{i}"] = rng.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32)
        params[f"b{i}"] = np.zeros(b, np.float32)
    return params


def mlp(params: Params, x: Any) -> Any:
    """Return logits (…, C) of standardised inputs (…, F)."""
    layers = len(params) // 2
    for i in range(layers):
        x = x @ params[f"w{i}"] + params[f"b{i}"]
        if i < layers - 1:
            x = jax.nn.relu(x)
    return x


def init_tcn(rng: Generator, inputs: int, width: int, dilations: int, classes: int) -> Params:
    """Return weights of a causal residual convolution: one block for each dilation 1, 2, 4, …"""
    params: Params = {
        "in_w": rng.normal(0, np.sqrt(2 / inputs), (inputs, width)).astype(np.float32),
        "in_b": np.zeros(width, np.float32),
        "out_w": rng.normal(0, np.sqrt(1 / width), (width, classes)).astype(np.float32),
        "out_b": np.zeros(classes, np.float32),
    }
    for i in range(dilations):
        scale = np.sqrt(1 / (KERNEL * width))
        params[f"conv{i}_w"] = rng.normal(0, scale, (KERNEL * width, width)).astype(np.float32)
        params[f"conv{i}_b"] = np.zeros(width, np.float32)
    return params


def tcn(params: Params, x: Any) -> Any:
    """Return logits (B, T, C) of standardised inputs (B, T, F); step t sees no later step.

    Block i adds relu(conv(h)) to h, its three taps 2·2^i, 2^i and 0 steps back; before the start
    there are zeros.
    """
    h = jax.nn.relu(x @ params["in_w"] + params["in_b"])
    steps = h.shape[1]
    for i in range(sum(name.endswith("_w") and name.startswith("conv") for name in params)):
        d = 2**i
        padded = jnp.pad(h, ((0, 0), (2 * d, 0), (0, 0)))
        taps = [padded[:, k * d : k * d + steps] for k in range(KERNEL)]
        y = jnp.concatenate(taps, -1) @ params[f"conv{i}_w"] + params[f"conv{i}_b"]
        h = h + jax.nn.relu(y)
    return h @ params["out_w"] + params["out_b"]


def cross_entropy(logits: Any, label: Any, weight: Any, smoothing: float) -> Any:
    """Weighted mean cross entropy with label smoothing; labels below 0 do not count."""
    classes = logits.shape[-1]
    target = jax.nn.one_hot(label, classes) * (1 - smoothing) + smoothing / classes
    loss = -(target * jax.nn.log_softmax(logits)).sum(-1)
    counted = jnp.where(label >= 0, weight, 0.0)
    return (loss * counted).sum() / (counted.sum() + 1e-6)


def fit(
    net: Callable[[Params, Any], Any],
    params: Params,
    batches: Iterator[tuple[Any, Any, Any]],
    *,
    steps: int,
    rate: float = 2e-3,
    decay: float = 1e-4,
    smoothing: float = 0.02,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> Params:
    """Train `net` on (x, label, weight) batches with AdamW (Loshchilov & Hutter 2019)."""

    def loss(p: Params, x: Any, label: Any, weight: Any) -> Any:
        return cross_entropy(net(p, x), label, weight, smoothing)

    @jax.jit
    def step(weights: tuple[Params, Params, Params], t: Any, lr: Any, batch: Any) -> Any:
        p, m, v = weights
        value, grad = jax.value_and_grad(loss)(p, *batch)
        norm = jnp.sqrt(sum((g * g).sum() for g in jax.tree.leaves(grad)))
        grad = jax.tree.map(lambda g: g * jnp.minimum(1.0, 1.0 / (norm + 1e-6)), grad)
        m = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, grad)
        v = jax.tree.map(lambda a, g: 0.999 * a + 0.001 * g * g, v, grad)
        scale = jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        p = jax.tree.map(
            lambda w, a, b: w - lr * (scale * a / (jnp.sqrt(b) + 1e-8) + decay * w), p, m, v
        )
        return (p, m, v), value

    zeros = jax.tree.map(np.zeros_like, params)
    weights = (params, zeros, zeros)
    for i in range(steps):
        warm = min(1.0, (i + 1) / 100)
        lr = rate * warm * 0.5 * (1 + np.cos(np.pi * i / steps))
        weights, value = step(weights, float(i + 1), lr, next(batches))
        if i % 50 == 0 or i == steps - 1:
            report(i, float(value))
    return {name: np.asarray(w, np.float32) for name, w in weights[0].items()}
