"""Public benchmarks of hand skeletons, for measuring only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesturectl import strictjson
from gesturectl.errors import SourceError
from gesturectl.types import Float32, Int64
from training.datasets import archives
from training.datasets.arms import Segment


@dataclass(frozen=True, slots=True, eq=False)
class HandSequences:
    """N recorded hands that show one gesture each, cut from its start to its end.

    `joints` has N arrays (T, 22, 3) in metres, in the camera's frame: wrist, palm, then four
    joints of each finger from the thumb on. `gesture` (N,) counts from 0; `whole_hand` (N,) tells
    whether it was shown with the whole hand or with one finger; `subject` (N,) is who showed it.
    """

    joints: tuple[Float32, ...]
    gesture: Int64
    whole_hand: NDArray[np.bool_]
    subject: Int64

    def __len__(self) -> int:
        return len(self.joints)

    def those(self, chosen: NDArray[np.bool_]) -> HandSequences:
        """Return the sequences that are marked in `chosen` (N,)."""
        joints = tuple(one for one, wanted in zip(self.joints, chosen, strict=True) if wanted)
        return HandSequences(
            joints, self.gesture[chosen], self.whole_hand[chosen], self.subject[chosen]
        )


def ragged(path: Path, values: archives.Array, offset: archives.Array) -> list[archives.Array]:
    """Cut values (V, …) into sequences: the i-th is `[offset[i]:offset[i + 1]]`.

    Raises:
        SourceError: the offsets (N + 1,) are not those of such sequences.
    """
    at = offset.astype(np.int64)
    if at[0] != 0 or at[-1] != len(values) or (np.diff(at) <= 0).any():
        raise SourceError(f"{path}: its offsets do not cut its {len(values)} frames")
    return np.split(values, at[1:-1])


_SHREC17: dict[str, archives.Form] = {
    "joints_m": ("f", ("t", 22, 3)),
    "offset": ("iu", ("offsets",)),
    "meta": ("iu", ("n", "columns")),
    "meta_cols": ("U", ("columns",)),
    "split": ("U", ("n",)),
}


def shrec17(path: Path) -> tuple[HandSequences, HandSequences]:
    """Read SHREC'17; return its official training and test split, which share no subject.

    Raises:
        SourceError: the file is damaged.
    """
    d = archives.read(path, _SHREC17)
    joints = tuple(ragged(path, d["joints_m"].astype(np.float32), d["offset"]))
    column = dict(zip(d["meta_cols"].tolist(), d["meta"].T, strict=True))
    if len(joints) != len(d["split"]) or not {"gesture", "finger", "subject"} <= set(column):
        raise SourceError(f"{path}: its table does not describe its {len(joints)} sequences")
    every = HandSequences(
        joints, column["gesture"] - 1, column["finger"] == 2, column["subject"].astype(np.int64)
    )
    return every.those(d["split"] == "train"), every.those(d["split"] == "test")


# As the set numbers them from 1: five that are held, four that move the fingers, four that are
# strokes. Their own names, as they are not those of the catalog.
SFINGE3D_CLASSES = (
    "one", "two", "three", "four", "ok", "pinch", "grab", "expand", "tap",
    "swipe_left", "swipe_right", "swipe_v", "swipe_o",
)  # fmt: skip
SFINGE3D_FRAME_US = 50_000

_SFINGE3D: dict[str, archives.Form] = {
    "stream_frames": ("f", ("t", 140)),
    "stream_offset": ("iu", ("offsets",)),
    "stream_id": ("iu", ("n",)),
}
_MAX_TRUTH_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class HandStream:
    """A recorded hand that goes on moving, and the gestures that were annotated in it.

    `joints` (T, 20, 3) in metres, one every 50 ms: palm, thumb (3), then four of each finger from
    the knuckle on. Nobody tells whose hand it is.
    """

    name: str
    joints: Float32
    segments: tuple[Segment, ...]

    def __len__(self) -> int:
        return len(self.joints)


def sfinge3d(folder: Path) -> list[HandStream]:
    """Read the continuous streams of SFINGE3D, in the order of the file.

    The orientation of each joint, which is there too, says nothing that the places do not.

    Raises:
        SourceError: a file is damaged, or the annotation is not that of these streams.
    """
    path, truth = folder / "sfinge3d.npz", folder / "sequencesGT.json"
    d = archives.read(path, _SFINGE3D)
    frames = ragged(path, d["stream_frames"].astype(np.float32), d["stream_offset"])
    if len(frames) != len(d["stream_id"]):
        raise SourceError(f"{path}: {len(frames)} streams have {len(d['stream_id'])} names")
    try:
        with truth.open("rb") as file:
            annotated = strictjson.loads(file.read(_MAX_TRUTH_BYTES))
    except (OSError, ValueError) as error:
        raise archives.unreadable(truth, error) from error
    names = [str(n) for n in d["stream_id"].tolist()]
    if not isinstance(annotated, dict) or set(annotated) != set(names):
        raise SourceError(f"{truth} does not annotate the streams of {path.name}")
    return [
        HandStream(name, one.reshape(-1, 20, 7)[:, :, :3], _segments(truth, name, annotated[name]))
        for name, one in zip(names, frames, strict=True)
    ]


def _segments(truth: Path, name: str, rows: Any) -> tuple[Segment, ...]:
    """Read `[[class, first frame, last frame], …]` of one stream.

    Some of the last frames lie a few frames behind the stream's end; they are left as they are.
    """
    out = []
    for row in rows if isinstance(rows, list) else [rows]:
        match row:
            case [int(number), int(first), int(last)] if (
                1 <= number <= len(SFINGE3D_CLASSES) and 0 <= first < last < 1 << 31
            ):
                times_us = first * SFINGE3D_FRAME_US, last * SFINGE3D_FRAME_US
                out.append(Segment(SFINGE3D_CLASSES[number - 1], *times_us))
            case _:
                raise SourceError(f"{truth}: stream {name} has {row!r:.60} for [class, from, to]")
    return tuple(out)
