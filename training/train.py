"""Train the shipped model: `python -m training.train --data ../shared/data`.

Four networks, each from the data that it may be trained on and from synthesis:

    hand_pose    photographed hands, turned and disturbed, and synthetic ones
    body_pose    photographed bodies and synthetic ones
    hand_motion  synthetic hands (there are no recordings of hand strokes that may be shipped)
    arm_motion   recorded arm gestures and synthetic arms

One seed decides everything; the same checkout gives the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Container, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from rich.progress import Progress, TaskID

from gesturectl import features
from gesturectl.errors import GesturectlError
from gesturectl.features import STEP_US
from training import augment, datasets, nets, recorded, strokes, synth
from training.export import TrainedPart, write

SEED = 20_26
SHIPPED = Path(__file__).resolve().parents[1] / "gestures" / "models" / "shipped"
Report = Callable[[int, float], None]
Own = tuple[datasets.Recording, ...]  # a user's recordings; none in a shipped model
F32 = NDArray[np.float32]

ARM_COPIES, ARM_H = 8, 14  # of each recording, varied; and hours of synthetic arms beside them
QUIET_H = 20  # as much again for thresholds as for hard negatives
FALSE_PER_HOUR = 0.01  # of each stroke, by a hand as by an arm: together about 0.2

# No threshold is higher, whatever quiet hours ask: what cameras show of real strokes is less
# certain than synthesis is. Of 96 strokes that the puppet acted before the real landmark models, in
# twelve looks, speeds, sizes and places, all sideways swipes and waves passed 0.95; circles and
# strokes down nearly as many 0.88 as 0.75; strokes up are lost above 0.6, one after the other.
# Circles of an arm are often drawn by the way. Clockwise ones are plain where they are meant: of 35
# that were held out none was lost above 0.75, of 11 the other way two would have been.
MOST = 0.75
MOST_OF: dict[str, dict[str, float]] = {
    "hand": {
        **dict.fromkeys(("swipe_left", "swipe_right", "wave"), 0.95),
        **dict.fromkeys(("swipe_down", "circle_cw", "circle_ccw"), 0.88),
        "push": 0.92,
        "swipe_up": 0.62,
    },
    "arm": {"circle_cw": 0.85},
}

# What a swipe of an arm looks like may be the beginning of a circle: it is waited for. A lift is
# told by its return, which soon is over.
HOLD_US = {"hand": 33_000, "arm": 133_000}
REFRACTORY_US, SMOOTH_US = 700_000, 40_000
SETTINGS: dict[str, dict[str, dict[str, float]]] = {
    "hand": {
        "wave": {"refractory_us": 1_500_000},  # people go on after it was recognised: one wave
        "swipe_up": {"refractory_us": 1_000_000},  # what goes up comes down, within a second
        "swipe_down": {"refractory_us": 1_000_000},
    },
    "arm": {
        "wave": {"refractory_us": 1_500_000},
        "circle_cw": {"hold_us": 66_000},
        "circle_ccw": {"hold_us": 66_000},
        "swipe_up": {"hold_us": 0, "enter": 0.78},  # heard at a glance, so it must be plain
        "swipe_down": {"hold_us": 33_000, "enter": 0.75},  # so that a sinking arm is none
    },
}
ARM_MOTIONS = tuple(name for name in synth.MOTIONS if name != "push")


# --- single frames ------------------------------------------------------------------------------


def hand_pose_data(rng: Generator, data: Path, own: Own = ()) -> tuple[F32, NDArray[np.int64], F32]:
    """Return shapes (N, F), labels (N,) and weights (N,) for the poses of a hand."""
    photos = datasets.hand_photos(datasets.for_training("hand_poses", data))
    names = ("", *synth.POSES)
    label = np.array([names.index(name) for name in photos.gesture.tolist()])
    count = np.bincount(label, minlength=len(names))
    weight = np.where(label == 0, 1.0, 400 / np.maximum(count, 1)[label])
    rows: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = [
        (augment.photographed_hands(photos.points, photos.gesture, rng), label, weight)
        for _ in range(20)
    ]
    for _ in range(8):
        points, turned = augment.turned_thumbs(photos.points[photos.thumb], rng)
        told = turned != "?"
        known = np.array([names.index(name) for name in turned[told].tolist()])
        rows.append((points[told], known, np.ones(len(known))))
    for i, name in enumerate(synth.POSES):
        n = 8000 if name in ("ok", "pinch", "thumb_up", "thumb_down", "fist") else 3000
        rows.append((synth.pose_samples(rng, name, n), np.full(n, i + 1), np.ones(n)))
    n = 40_000
    rows.append((synth.no_pose_samples(rng, n), np.zeros(n, int), np.ones(n)))
    rows += [(points, y, np.ones(len(y))) for points, y in recorded.hand_poses(own, names, rng)]
    x = np.concatenate([features.hand_shapes(points.astype(np.float32)) for points, _, _ in rows])
    return x, *(np.concatenate([row[i] for row in rows]) for i in (1, 2))  # type: ignore[return-value]


def body_pose_data(rng: Generator, data: Path, own: Own = ()) -> tuple[F32, NDArray[np.int64], F32]:
    """Return shapes, labels and weights for the poses of a body."""
    points, gesture = datasets.body_photos(datasets.for_training("body_poses", data))
    known = gesture != "?"
    points, gesture = points[known], gesture[known]
    names = ("", *synth.BODY_POSES)
    label = np.array([names.index(name) for name in gesture.tolist()])
    rows = []
    for i in range(6):
        turned = points if i == 0 else augment.photographed_bodies(points, rng)
        turned = features.mirror_body(turned) if i % 2 else turned
        rows.append((turned, label))
    for i, name in enumerate([None, *synth.BODY_POSES]):
        n = 12_000 if name is None else 8_000
        rows.append((synth.body_samples(rng, name, n), np.full(n, i)))
    for recording in datasets.arm_recordings(datasets.for_training("pose_streams", data)):
        some = recording.points[:: max(1, len(recording.points) // 60)]
        rows.append((some, np.zeros(len(some), int)))
    rows += recorded.body_poses(own, ("", *synth.BODY_POSES), rng)
    x = np.concatenate([features.body_shapes(p.astype(np.float32)) for p, _ in rows])
    y = np.concatenate([label for _, label in rows])
    return x, y, np.ones(len(y), np.float32)


def fit_frames(
    rng: Generator,
    x: F32,
    label: NDArray[np.int64],
    weight: F32,
    hidden: tuple[int, ...],
    *,
    steps: int,
    report: Report,
) -> tuple[F32, F32, nets.Params]:
    """Fit a perceptron; return mean, scale and weights."""
    mean, scale = x.mean(0), x.std(0) + np.float32(0.05)
    x = (x - mean) / scale

    def batches() -> Iterator[Any]:
        while True:
            i = rng.integers(len(x), size=512)
            yield x[i], label[i], weight[i].astype(np.float32)

    params = nets.init_mlp(rng, (x.shape[1], *hidden, int(label.max()) + 1))
    params = nets.fit(nets.mlp, params, batches(), steps=steps, report=report)
    return mean, scale, params


# --- streams ------------------------------------------------------------------------------------

Sequence = tuple[F32, NDArray[np.int64]]


def grid(
    t_us: NDArray[np.int64], signals: F32, label: NDArray[np.int64], *, arm: bool
) -> list[Sequence]:
    """Turn one subject's recording into sequences of motion features and labels, cut at gaps."""
    steps, x = features.motion_batch(t_us, signals, arm=arm)
    at = np.clip(np.searchsorted(t_us, steps * STEP_US), 0, len(t_us) - 1)
    cuts = np.flatnonzero(np.diff(steps) > 1) + 1
    pairs = zip(np.split(x, cuts), np.split(label[at], cuts), strict=True)
    return [(part, named) for part, named in pairs if len(part) > 5]


def hand_motion_data(rng: Generator, hours: float, own: Own = ()) -> list[Sequence]:
    """Return synthetic hands in motion, and a user's own.

    Of calm people: what a stroke of a hand is, is learned from synthesis alone, and it must not
    teach that some of them mean nothing.
    """
    out: list[Sequence] = []
    for _ in range(round(hours * 120)):
        some = synth.signal_stream(rng, 30.0, rng.choice([0.0, 0.5, 0.7]), arm=False)
        if len(some[0]) > 2:
            out += grid(*some, arm=False)
    for t_us, signals, label in recorded.hand_strokes(own, ("", *synth.MOTIONS), rng):
        out += grid(t_us, signals, label, arm=False)
    return out


def arm_motion_data(
    rng: Generator, recordings: list[datasets.ArmRecording], copies: int, hours: float
) -> list[Sequence]:
    """Return recorded arms, also in augmented copies, and synthetic ones of hasty people.

    Recordings show what strokes are, so synthesis may teach to doubt: an arm's network that
    learned from calm people alone hears hasty ones six times as often.
    """
    out: list[Sequence] = []
    backward = [turned for one in recordings for turned in augment.circles_backward(one)]
    for recording in [*recordings, *backward]:
        for t_us, signals, label in augment.labelled_arms(recording, ("", *ARM_MOTIONS)):
            out += grid(t_us, signals, label, arm=True)
            for _ in range(copies):
                out += grid(*augment.recorded_arm(t_us, signals, label, rng), arm=True)
    for _ in range(round(hours * 120)):
        gestures = rng.choice([0.0, 0.5])
        out += grid(*synth.signal_stream(rng, 30.0, gestures, arm=True, hasty=True), arm=True)
    return out


def fit_streams(
    rng: Generator,
    sequences: list[Sequence],
    classes: int,
    *,
    steps: int,
    width: int,
    report: Report,
    null_weight: float = 1.0,
) -> tuple[F32, F32, nets.Params]:
    """Fit one temporal convolution on random cuts; return mean, scale and weights."""
    mean, scale = strokes.standard(sequences)
    seen = [((x - mean) / scale, label) for x, label in sequences]
    params = nets.init_tcn(rng, len(mean), width, 5, classes)
    batches = strokes.Cuts(rng, seen, null_weight).batches()
    return mean, scale, nets.fit(nets.tcn, params, batches, steps=steps, report=report)


def hand_pose(rng: Generator, data: Path, report: Report, steps: int, own: Own = ()) -> TrainedPart:
    """Train the part that knows the poses of a hand."""
    fitted = fit_frames(rng, *hand_pose_data(rng, data, own), (64, 48), steps=steps, report=report)
    return TrainedPart(
        "mlp", ("null", *synth.POSES), *fitted,
        enter=0.6, exit=0.35, hold_us=120_000, refractory_us=0, smooth_us=80_000,
        own={"pinch": {"enter": 0.75}},  # a hand on its way to a fist passes it
    )  # fmt: skip


def body_pose(rng: Generator, data: Path, report: Report, steps: int, own: Own = ()) -> TrainedPart:
    """Train the part that knows the poses of a body."""
    fitted = fit_frames(rng, *body_pose_data(rng, data, own), (32,), steps=steps, report=report)
    return TrainedPart(
        "mlp", ("null", *synth.BODY_POSES), *fitted,
        enter=0.7, exit=0.4, hold_us=150_000, refractory_us=0, smooth_us=120_000,
    )  # fmt: skip


@cache
def quiet_hours(kind: str, hours: int, seed: int) -> list[Sequence]:
    """Return so many hours of hasty people, their hands or arms, who mean no stroke."""
    rng = np.random.default_rng((SEED, seed))
    out: list[Sequence] = []
    for _ in range(hours * 120):
        some = synth.signal_stream(rng, 30.0, 0.0, arm=kind == "arm", hasty=True)
        if len(some[0]) > 2:
            out += grid(*some, arm=kind == "arm")
    return out


def motion_part(kind: str, classes: tuple[str, ...], fitted: strokes.Fitted) -> TrainedPart:
    """Return a part that knows strokes, its thresholds set by quiet hours."""
    settings = [SETTINGS[kind].get(name, {}) for name in classes]
    hold_us = [int(own.get("hold_us", HOLD_US[kind])) for own in settings]
    quiet = quiet_hours(kind, QUIET_H, 1)
    hours = sum(len(x) for x, _ in quiet) * STEP_US / 3.6e9
    p = [fitted.probabilities(x) for x, _ in quiet]
    levels = strokes.levels(p, hold_us, SMOOTH_US, REFRACTORY_US)
    most = [MOST_OF[kind].get(name, MOST) for name in classes[1:]]
    enter = strokes.thresholds(levels, hours, FALSE_PER_HOUR, most)
    rows = zip(classes[1:], enter, settings[1:], strict=True)
    own = {name: {"enter": enough, **chosen} for name, enough, chosen in rows}
    return TrainedPart(
        "tcn", classes, fitted.mean, fitted.scale, fitted.params,
        enter=MOST, exit=0.3, hold_us=HOLD_US[kind], refractory_us=REFRACTORY_US,
        smooth_us=SMOOTH_US, own=own,
    )  # fmt: skip


def hand_motion(
    rng: Generator, data: Path, report: Report, steps: int, own: Own = ()
) -> TrainedPart:
    """Train the part that knows the strokes of a hand."""
    fitted = strokes.fit_views(
        rng, hand_motion_data(rng, 20, own), 1 + len(synth.MOTIONS),
        hidden=strokes.HAND_PLACES, steps=steps, width=48, null_weight=0.3, report=report,
    )  # fmt: skip
    return motion_part("hand", ("null", *synth.MOTIONS), fitted)


def arm_motion(
    rng: Generator, data: Path, report: Report, steps: int, own: Own = ()
) -> TrainedPart:
    """Train the part that knows the strokes of an arm."""
    recordings = datasets.arm_recordings(datasets.for_training("pose_streams", data))
    recordings += [recording.arms for recording in own if recording.arms is not None]
    return fit_arm_motion(rng, recordings, report, steps)


def fit_arm_motion(
    rng: Generator, recordings: list[datasets.ArmRecording], report: Report, steps: int
) -> TrainedPart:
    """Train on these recordings: all of them, or those that a measurement does not hold out."""
    fitted = strokes.fit_views(
        rng, arm_motion_data(rng, recordings, ARM_COPIES, ARM_H), 1 + len(ARM_MOTIONS),
        hidden=strokes.ARM_PLACES, quiet=quiet_hours("arm", QUIET_H, 0), hard_share=0.1,
        steps=steps, width=48, null_weight=0.5, report=report,
    )  # fmt: skip
    return motion_part("arm", ("null", *ARM_MOTIONS), fitted)


PARTS = {f.__name__: f for f in (hand_pose, body_pose, hand_motion, arm_motion)}
STEPS = {"hand_pose": 5000, "body_pose": 2500, "hand_motion": 3500, "arm_motion": 2400}

# --- all of it ----------------------------------------------------------------------------------


def train(
    data: Path, progress: Progress, only: Container[str] = PARTS, own: Own = ()
) -> dict[str, TrainedPart]:
    """Train the four parts, or only some; each has a seed of its own."""

    def reporter(what: str, steps: int) -> Report:
        task: TaskID = progress.add_task(what, total=steps)
        return lambda step, loss: progress.update(
            task, completed=step + 1, description=f"{what} (loss {loss:.3f})"
        )

    parts: dict[str, TrainedPart] = {}
    for i, (name, one) in enumerate(PARTS.items()):
        if name in only:
            rng = np.random.default_rng(SEED + i)
            parts[name] = one(rng, data, reporter(name, STEPS[name]), STEPS[name], own)
    return parts


def main(argv: list[str] | None = None) -> int:
    """Train and write the shipped model, or one that knows a user's own recordings too."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--out", type=Path, help="folder of the model (default: the shipped one)")
    parser.add_argument(
        "--recordings", type=Path, metavar="DIR",
        help="learn from these labelled traces as well; asks for --out",
    )  # fmt: skip
    options = parser.parse_args(argv)
    if options.recordings and not options.out:
        parser.error("--recordings makes a model of your own: say where to write it with --out")
    try:
        own = tuple(datasets.recordings(options.recordings)) if options.recordings else ()
        with Progress() as progress:
            parts = train(options.data, progress, own=own)
    except GesturectlError as error:
        parser.exit(error.exit_code, f"error: {error}\n")
    used = {
        name: {"licence": s.licence, "what": s.what}
        for name, s in datasets.SETS.items()
        if name in ("hand_poses", "body_poses", "pose_streams")
    }
    used["synthetic"] = {"licence": "Apache-2.0", "what": "training/synth"}
    if own:
        used[recorded.CARD_NAME] = {"licence": "your own", "what": recorded.described(own)}
    name = "own" if own else "shipped"
    write(options.out or SHIPPED, name, parts, {"seed": SEED, "data": used})
    return 0


if __name__ == "__main__":
    sys.exit(main())
