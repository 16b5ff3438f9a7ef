"""Training decides everything by its seed, and runs the very networks that the daemon runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jax", reason="training needs JAX: pip install .[train]")

from gesturectl import features, model
from training import nets, strokes, synth, train
from training.export import TrainedPart, write

CLASSES = ("null", *synth.MOTIONS)


def quiet(step: int, loss: float) -> None:
    """Report nothing."""


def sequences(seed: int) -> list[strokes.Labelled]:
    """Some seconds of synthetic hands."""
    rng = np.random.default_rng(seed)
    out: list[strokes.Labelled] = []
    for _ in range(2):
        stream = synth.hand_stream(rng, 20.0, 0.6)
        signals = features.hand_signals(stream.points)
        out += train.grid(stream.t_us, signals, stream.label, arm=False)
    return out


def fitted(seed: int, steps: int) -> strokes.Fitted:
    """Two small views fitted on them."""
    return strokes.fit_views(
        np.random.default_rng(seed), sequences(seed), len(CLASSES),
        hidden=strokes.HAND_PLACES, quiet=sequences(seed + 1), hard_share=0.1, steps=steps, width=8,
        null_weight=1.0, report=quiet,
    )  # fmt: skip


def stroke_part(seed: int, steps: int) -> TrainedPart:
    """Return them as a part of a model."""
    views = fitted(seed, steps)
    return TrainedPart(
        "tcn", CLASSES, views.mean, views.scale, views.params,
        enter=0.7, exit=0.3, hold_us=0, refractory_us=0, smooth_us=0,
    )  # fmt: skip


def shapes(seed: int, steps: int) -> TrainedPart:
    """Fit a small part on a few synthetic poses."""
    rng = np.random.default_rng(seed)
    names = ("fist", "open_palm")
    points = [synth.pose_samples(rng, name, 60) for name in names]
    x = features.hand_shapes(np.concatenate(points).astype(np.float32))
    label = np.repeat([1, 2], 60)
    weight = np.ones(len(x), np.float32)
    fitted = train.fit_frames(rng, x, label, weight, (8,), steps=steps, report=quiet)
    return TrainedPart(
        "mlp", ("null", *names), *fitted,
        enter=0.7, exit=0.3, hold_us=0, refractory_us=0, smooth_us=0,
    )  # fmt: skip


def test_the_same_seed_trains_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        made = {"strokes": stroke_part(5, steps=3), "shapes": shapes(5, steps=3)}
        write(tmp_path / name, "small", made, {"seed": 5}, "")
    for file in ("model.json", "weights.npz"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_another_seed_trains_others() -> None:
    assert shapes(5, steps=2).params["w0"].tobytes() != shapes(6, steps=2).params["w0"].tobytes()


def test_training_learns_what_it_is_shown(tmp_path: Path) -> None:
    write(tmp_path, "small", {"shapes": shapes(1, steps=150)}, {}, "")
    net = model.load(tmp_path).mlp("shapes")
    rng = np.random.default_rng(99)
    for which, name in enumerate(("fist", "open_palm"), start=1):
        x = features.hand_shapes(synth.pose_samples(rng, name, 50).astype(np.float32))
        assert (net.scores(x).argmax(1) == which).mean() > 0.9


def test_what_was_trained_streams_as_it_was_trained(tmp_path: Path) -> None:
    part = stroke_part(3, steps=6)
    write(tmp_path, "small", {"strokes": part}, {}, "")
    x = np.random.default_rng(0).normal(size=(70, features.HAND_MOTION_SIZE)).astype(np.float32)
    seen = [(x - part.mean) / part.scale for _ in range(2)]
    seen[1][:, list(strokes.HAND_PLACES)] = 0
    views = [{name: a[v] for name, a in part.params.items()} for v in range(2)]
    logits = [np.asarray(nets.tcn(view, y[None]))[0] for view, y in zip(views, seen, strict=True)]
    expected = np.mean([model.softmax(each) for each in logits], axis=0)
    stream = model.load(tmp_path).tcn("strokes").stream()
    assert np.stack([stream.scores(row) for row in x]) == pytest.approx(expected, abs=2e-3)
    assert fitted(3, steps=6).probabilities(x) == pytest.approx(expected, abs=2e-3)


def test_frames_that_must_not_count_do_not_count() -> None:
    logits = np.array([[[9.0, 0.0], [0.0, 9.0]]], np.float32)
    weight = np.ones((1, 2), np.float32)
    both, one = (
        float(nets.cross_entropy(logits, np.array([label]), weight, 0.0))
        for label in ([0, 0], [0, synth.IGNORE])
    )
    assert one < 0.01 < both
