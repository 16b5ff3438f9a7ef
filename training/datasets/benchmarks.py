"""Public benchmarks of hand skeletons, for measuring only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gesturectl.errors import SourceError
from training.datasets import archives


@dataclass(frozen=True, slots=True, eq=False)
class HandSequences:
    """N recorded hands that show one gesture each, cut from its start to its end.

    `joints` has N arrays (T, 22, 3) in metres, in the camera's frame: wrist, palm, then four
    joints of each finger from the thumb on. `gesture` (N,) counts from 0; `whole_hand` (N,) tells
    whether it was shown with the whole hand or with one finger; `subject` (N,) is who showed it.
    """

    joints: tuple[NDArray[np.float32], ...]
    gesture: NDArray[np.int64]
    whole_hand: NDArray[np.bool_]
    subject: NDArray[np.int64]

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
