"""Learn gestures of a user's own from a few takes, and refuse what is none of them.

In: takes, each a list of Observations of about 0.5-3 s, embedded one by one, under the names of
their gestures, and takes of ordinary behaviour. Out: `Learned`, which scores a take for each
gesture and says from which score on to believe it. `taught` carries this over to streams.

The one idea: a take is told by what it shows *on average*. Each step of the grid is described by
several views (the hand's shape, where it is, where it goes, what the arms do), each view passes
through random Fourier features (Rahimi & Recht 2007), and these are averaged over time. The inner
product of two such averages compares all steps of one take with all steps of the other, whenever
they came: a take needs no exact beginning. On these vectors ridge regression has a closed form,
and so have its leave-one-out scores, from which the threshold comes:

    score   --|----b----------|----------m-----|--
              ordinary        enter      own takes
      b  the score that 1 in 100 of the ordinary takes exceed, each left out in its turn
      m  the median of the gestures' own takes, each left out in its turn
      enter lies halfway

Most views do not ask which hand it was: a left hand is mirrored and adds to the same average, for
people change hands between takes. With sides apart in all views, half of the users of the measure
`custom` came to 79 % balanced accuracy from one take of each gesture, and so to 98 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gesturectl import views
from gesturectl.errors import SampleError
from gesturectl.types import BODY_POINTS, HAND_POINTS, Float32, Float64, Int64, Take

MIN_TAKE_US, MAX_TAKE_US = 300_000, 10_000_000
MAX_RATE_HZ = 200  # no camera that gives pictures gives more
_MAX_COORDINATE = 100.0  # of the image's size; an estimator that loses a joint stays far below

# Ridge and nearness, like the views, were chosen on every second user of the measure `custom`.
MIN_BACKGROUND = 20  # fewer takes say nothing about one in a hundred
_EXCEEDED = 0.01
RIDGE = 0.3
NEARNESS = 2.0  # weight of the likeness to the nearest take, beside the regression

# --- learning -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """Gestures of one user's own. Immutable: a refit makes another one.

    `weights` (EMBEDDING_SIZE, C) and `bias` (C,) are the regression, `takes` (N, EMBEDDING_SIZE)
    the embedded samples and `owner` (N,) whose they are. A score from `enter` on is believed; it is
    infinite where there was too little ordinary behaviour to tell.
    """

    names: tuple[str, ...]
    weights: Float32
    bias: Float32
    takes: Float32
    owner: Int64
    enter: float

    def scores(self, embedded: Float32) -> Float32:
        """Return the scores (..., C) of embedded takes (..., EMBEDDING_SIZE)."""
        return scores(embedded, self.weights, self.bias, self.takes, self.owner)


def fit(samples: Mapping[str, Float32], background: Float32) -> Learned:
    """Learn from embedded takes: (takes, EMBEDDING_SIZE) a gesture, and ordinary behaviour.

    With fewer than `MIN_BACKGROUND` ordinary takes the scores are of use, but none is believed.

    Raises:
        SampleError: there is no gesture, or a gesture has no takes.
    """
    check_some(samples)
    names = tuple(samples)
    owner = np.repeat(np.arange(len(names)), [len(samples[name]) for name in names])
    takes = np.concatenate([samples[name] for name in names])
    n = len(takes) + len(background)
    x = np.concatenate([takes, background]).astype(np.float64)
    x = np.concatenate([x, np.ones((n, 1))], axis=1)  # the last column learns the bias
    goal = np.full((n, len(names)), -1.0)
    goal[np.arange(len(takes)), owner] = 1.0
    inverse = np.linalg.inv(x @ x.T + RIDGE * np.eye(n))
    dual = inverse @ goal
    # What the regression without take i says of take i: Rifkin & Lippert 2007, "Notes on
    # regularized least squares".
    left_out = goal - dual / np.diag(inverse)[:, None]
    like = x[:, :-1] @ takes.T.astype(np.float64)
    np.fill_diagonal(like, -1.0)
    left_out += NEARNESS * nearest(like, owner, len(names))

    own, ordinary = left_out[: len(takes)], left_out[len(takes) :]
    again = np.bincount(owner)[owner] > 1
    enter = _threshold(own[np.arange(len(takes)), owner][again], ordinary.max(1))
    primal = x.T @ dual
    return Learned(
        names,
        primal[:-1].astype(np.float32),
        primal[-1].astype(np.float32),
        takes.astype(np.float32),
        owner,
        enter,
    )


def scores(
    embedded: Float32,
    weights: Float32,
    bias: Float32,
    takes: Float32,
    owner: Int64,
) -> Float32:
    """Return the scores (..., C) of embedded takes: the regression, and the nearest take of each.

    `weights` (EMBEDDING_SIZE, C), `bias` (C,), `takes` (N, EMBEDDING_SIZE) and `owner` (N,) are
    those of `Learned`.
    """
    like = nearest(embedded @ takes.T, owner, len(bias))
    told: Float32 = (embedded @ weights + bias + NEARNESS * like).astype(np.float32)
    return told


def nearest(like: NDArray[np.floating], owner: Int64, n: int) -> Float64:
    """Return each gesture's greatest likeness (..., n) of those to all takes (..., N)."""
    greatest: Float64 = np.stack([like[..., owner == i].max(-1) for i in range(n)], axis=-1)
    return greatest


def _threshold(own: Float64, ordinary: Float64) -> float:
    """Return where to accept; see the drawing above."""
    if len(ordinary) < MIN_BACKGROUND:
        return float("inf")
    low = float(np.quantile(ordinary, 1 - _EXCEEDED))
    # Single takes have nobody to be compared with: then ask as for an exact repetition.
    high = float(np.median(own)) if len(own) else 1.0 + NEARNESS
    # Below their own background the samples say nothing: then the background alone decides.
    return low + max(high - low, 0.0) / 2


# --- from a take to one vector ------------------------------------------------------------------


def embed(take: Take) -> Float32:
    """Return a take as a vector float32 (EMBEDDING_SIZE,) of length 1, or 0 if nobody was seen.

    Raises:
        SampleError: the take is too short or too long, its times do not grow, or its landmarks are
            damaged.
    """
    check(take)
    told = views.beats(take)
    return told.window(0, len(told)).embedded()


def check_some(samples: Mapping[str, Sized]) -> None:
    """Refuse to learn from nothing.

    Raises:
        SampleError: there is no gesture, or a gesture has no takes.
    """
    if not samples or not all(map(len, samples.values())):
        empty = ", ".join(name for name, takes in samples.items() if not len(takes))
        raise SampleError(f"no takes of {empty or 'any gesture'}; record some")


def check(take: Take, max_us: int = MAX_TAKE_US) -> None:
    """Refuse what cannot be a take of 0.3 s to `max_us`.

    Raises:
        SampleError: its times do not grow, it is too short or too long, or its landmarks are not
            numbers near the image.
    """
    most = max_us * MAX_RATE_HZ // 1_000_000
    if len(take) < 2 or len(take) > most:
        raise SampleError(
            f"a take of {len(take)} frames: it must have 2 to {most}; record it again"
        )
    times = np.array([o.t_us for o in take], np.int64)
    if (np.diff(times) <= 0).any():
        raise SampleError("times of a take do not grow; record it again")
    duration = int(times[-1] - times[0])
    if not MIN_TAKE_US <= duration <= max_us:
        raise SampleError(
            f"a take lasts {duration / 1e6:.1f} s: it must last {MIN_TAKE_US / 1e6:g} to "
            f"{max_us / 1e6:g} s; record it again"
        )
    for o in take:
        if min(o.size_px) < 1:
            raise SampleError(f"the frame at {o.t_us} µs has the size {o.size_px}")
    _check_points([(o.t_us, hand.image) for o in take for hand in o.hands], (HAND_POINTS, 3))
    _check_points([(o.t_us, body.image) for o in take for body in o.bodies], (BODY_POINTS, 4))


def _check_points(landmarks: Sequence[tuple[int, Float32]], shape: tuple[int, int]) -> None:
    for t_us, points in landmarks:
        if points.shape != shape:
            raise SampleError(
                f"landmarks at {t_us} µs have the shape {points.shape} instead of {shape}"
            )
    if not landmarks:
        return
    # Not `any(abs > limit)`: a NaN is larger than nothing.
    near = (np.abs(np.stack([points for _, points in landmarks])) <= _MAX_COORDINATE).all((1, 2))
    if not near.all():
        t_us = landmarks[int(near.argmin())][0]
        raise SampleError(f"landmarks at {t_us} µs are not numbers near the image")
