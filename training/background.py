"""Make the background of ordinary behaviour that comes with the program.

    python -m training.background --data DIR

The same recordings, packages and seed give the same bytes. Bodies are recorded people who steer
slides between long stretches of nothing, and synthetic arms; hands are synthetic (no recording of
hands that may be shipped shows ordinary behaviour) and photographed. What shows a gesture of the
catalog is marked with its name: it teaches what to refuse, but not how often nothing happens.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.random import Generator
from rich.progress import track

from gesturectl import features
from gesturectl.background import FORMAT, FRAME_STEPS, VERSION, Background, Filmed, archive, load
from gesturectl.catalog import catalog
from gesturectl.types import Float32, Int64
from training import datasets, synth
from training.evaluate.false_activations import body_of

SEED = 20_26
HAND_STREAMS, HAND_GESTURES, ARM_STREAMS = 26, 8, 12
STREAM_S = 30.0
PHOTOS = 240
SHIPPED = Path(__file__).resolve().parents[1] / "gestures" / "background"
OTHER = "other"  # a gesture that is not in the catalog
GAP_STEPS = 150  # between recordings


class Reel:
    """Recordings one after another, on the grid of `FRAME_STEPS`."""

    def __init__(self) -> None:
        self.pieces: list[Filmed] = []
        self._next = 0

    def add(self, t_us: Int64, points: Float32, marks: Int64, gap: int) -> None:
        """Append a recording: stamps (T,), points (T, P, D), marks (T,)."""
        steps, values = features.resample(t_us, points.reshape(len(points), -1))
        keep = steps % FRAME_STEPS == 0
        steps, values = steps[keep], values[keep].reshape(-1, *points.shape[1:])
        at = np.clip(np.searchsorted(t_us, steps * features.STEP_US), 0, len(t_us) - 1)
        if len(steps):
            begin = self._next - steps[0]
            self.pieces.append(Filmed(steps + begin, values, marks[at]))
            self._next = int(steps[-1] + begin) + gap // FRAME_STEPS * FRAME_STEPS

    def filmed(self) -> Filmed:
        """Return all of it."""
        return Filmed(
            np.concatenate([piece.steps for piece in self.pieces]),
            np.concatenate([piece.points for piece in self.pieces]),
            np.concatenate([piece.marks for piece in self.pieces]),
        )


def hands(rng: Generator, data: Path, names: list[str]) -> Filmed:
    """Synthetic hands that do nothing in particular, some that make strokes, and photographs."""
    reel = Reel()
    strokes = np.array([0, *(1 + names.index(name) for name in synth.MOTIONS)])
    for i in track(range(HAND_STREAMS + HAND_GESTURES), description="hands"):
        gestures = 0.0 if i < HAND_STREAMS else 0.8
        stream = synth.hand_stream(rng, STREAM_S, gestures, synth.POSELESS, hasty=True)
        marks = strokes[np.maximum(stream.label, 0)]
        marks[stream.label == synth.IGNORE] = 1 + names.index(OTHER)
        reel.add(stream.t_us, stream.points, marks, GAP_STEPS)
    photos = datasets.hand_photos(datasets.for_training("hand_poses", data))
    chosen = rng.permutation(len(photos.gesture))
    nothing = [i for i in chosen if photos.gesture[i] == ""][: PHOTOS // 2]
    poses = [i for i in chosen if photos.gesture[i] in names][: PHOTOS // 2]
    held_us = np.arange(7) * 100_000
    for i in (*nothing, *poses):  # each is held for a moment
        mark = 1 + names.index(str(photos.gesture[i])) if photos.gesture[i] else 0
        still = np.tile(photos.points[i], (len(held_us), 1, 1))
        reel.add(held_us, still, np.full(len(held_us), mark), 3 * FRAME_STEPS)
    return reel.filmed()


def bodies(rng: Generator, data: Path, names: list[str]) -> Filmed:
    """Recorded people, and synthetic arms that make no stroke."""
    reel = Reel()
    for recording in datasets.arm_recordings(datasets.for_training("pose_streams", data)):
        marks = np.zeros(len(recording.t_us), np.int64)
        for segment in recording.segments:
            known = segment.name if segment.name in names else OTHER
            marks[segment.holds(recording.t_us)] = 1 + names.index(known)
        reel.add(recording.t_us, recording.points, marks, GAP_STEPS)
    for _ in track(range(ARM_STREAMS), description="arms"):
        arm = synth.arm_stream(rng, STREAM_S, gestures=0.0, hasty=True)
        reel.add(arm.t_us, body_of(arm.signals), np.zeros(len(arm.t_us), np.int64), GAP_STEPS)
    return reel.filmed()


def make(data: Path, out: Path) -> None:
    """Write `background.json` and `background.npz`, and read them back."""
    names = [*catalog(), OTHER]
    made = Background(
        tuple(names),
        hands(np.random.default_rng([SEED, 1]), data, names),
        bodies(np.random.default_rng([SEED, 2]), data, names),
    )
    raw = archive(made)
    card = {
        "format": FORMAT,
        "version": VERSION,
        "names": names,
        "hands": len(made.hands.steps),
        "bodies": len(made.bodies.steps),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "data": {
            "made by": "python -m training.background",
            "seed": SEED,
            "sets": {
                name: {"licence": datasets.SETS[name].licence, "what": datasets.SETS[name].what}
                for name in ("hand_poses", "pose_streams")
            },
            "synthetic": f"{HAND_STREAMS + HAND_GESTURES} hands and {ARM_STREAMS} pairs of arms, "
            f"{STREAM_S:g} s each",
        },
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "background.npz").write_bytes(raw)
    (out / "background.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    load(out)


def main() -> None:
    """Run the one command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.background",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    make(options.data, options.out)


if __name__ == "__main__":
    main()
