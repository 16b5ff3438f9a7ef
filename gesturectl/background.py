"""Ordinary behaviour that comes with the program, so that five takes teach a gesture.

A folder of two files, made by `python -m training.background`: `background.json` says what is in
it and whose, `background.npz` holds landmarks of hands and of bodies at 10 frames a second, a
frame's points as small whole numbers around the wrist or between the shoulders. Most of it is no
gesture; what is, is marked with its name in the catalog.

The two kinds were recorded apart. Where both are needed at once, hands are put to the wrists of the
bodies: `Scene` has either or both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gesturectl import cards, features
from gesturectl.arrays import Form, npz_bytes, read_bytes, read_npz
from gesturectl.cards import Strict
from gesturectl.errors import ModelError
from gesturectl.types import BODY_POINTS, HAND_POINTS, Float32
from gesturectl.views import BEAT_STEPS, Beats, Seen, sum_up

FORMAT = "gesturectl-background"
VERSION = 1
MAX_JSON_BYTES = 64 * 1024
MAX_BYTES = 4 * 1024 * 1024
FRAME_STEPS = BEAT_STEPS  # 100 ms: less than the longest gap that is bridged

_PLACE = 4096.0  # steps of an image height, for places and sizes
_HAND = 50.0  # steps of a palm size: a joint of the photographs is less certain than one
_BODY = 200.0  # steps of a shoulder width
_BODY_POINTS = [0, 11, 12, 13, 14, 15, 16, 19, 20, 23, 24]  # what the views look at
_PIECE_STEPS = 30 * 30  # a scene is cut into pieces of 30 s
_PALM_SHOULDERS = 0.21  # size of a palm in shoulder widths: 8.3 cm of 39 cm

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Filmed:
    """Hands or bodies at 10 frames a second: steps (T,), points (T, P, D), marks (T,).

    Right hands as `features.hand_points` has them, or bodies as `features.body_points` has them.
    A mark of 0 is ordinary behaviour, others are 1 + the index of a name.
    """

    steps: Ints
    points: Float32
    marks: Ints

    def cut(self) -> list[Filmed]:
        """Return pieces of at most 30 s, without long gaps between them."""
        fresh = np.diff(self.steps, prepend=-(10**9)) > _PIECE_STEPS // 10
        pieces, start = [], 0
        for i in range(1, len(self.steps) + 1):
            ended = i == len(self.steps) or fresh[i]
            if ended or self.steps[i] - self.steps[start] >= _PIECE_STEPS:
                part = slice(start, i)
                pieces.append(Filmed(self.steps[part], self.points[part], self.marks[part]))
                start = i
        return pieces


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """All that is shipped: hands, bodies, and the names that marks stand for."""

    names: tuple[str, ...]
    hands: Filmed
    bodies: Filmed


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A piece of background, summed up: its beats, and which gesture each shows (B,), mostly 0."""

    beats: Beats
    marks: Ints


# --- scenes ---------------------------------------------------------------------------------------


def scenes(shipped: Background, *, hands: bool, body: bool) -> list[Scene]:
    """Sum up the background of an ear that listens to hands, to bodies or to both."""
    if hands and body:
        # Every third body: hands take four times as long as arms.
        pieces = shipped.bodies.cut()[::3]
        return [_dressed(piece, shipped.hands, i) for i, piece in enumerate(pieces)]
    if hands:
        none, nobody = _nobody(BODY_POINTS, 4), _nobody(HAND_POINTS, 3)
        # In every fourth scene the left hand does something as well.
        return [
            _scene(
                piece,
                (_on_grid(piece), _elsewhere(piece, shipped.hands, i) if i % 4 == 3 else nobody),
                none,
            )
            for i, piece in enumerate(shipped.hands.cut())
        ]
    none = _nobody(HAND_POINTS, 3)
    return [_scene(piece, (none, none), _on_grid(piece)) for piece in shipped.bodies.cut()]


def _scene(piece: Filmed, hands: tuple[Seen, Seen], body: Seen) -> Scene:
    first, last = (int(step) // BEAT_STEPS for step in piece.steps[[0, -1]])
    marks = np.zeros(last - first + 1, np.int64)
    np.maximum.at(marks, piece.steps // BEAT_STEPS - first, piece.marks)
    return Scene(sum_up(hands, body, first, last), marks)


def _on_grid(piece: Filmed) -> Seen:
    return Seen.of(piece.steps * features.STEP_US, piece.points)


def _nobody(points: int, numbers: int) -> Seen:
    return Seen.of(np.zeros(0, np.int64), np.zeros((0, points, numbers), np.float32))


def _elsewhere(piece: Filmed, hands: Filmed, which: int) -> Seen:
    """Return what a hand does at the times of `piece`, from somewhere else in the recordings."""
    n = len(piece.steps)
    start = (which * 2_654_435) % max(len(hands.points) - n, 1)
    return Seen.of(piece.steps * features.STEP_US, hands.points[start : start + n])


def _dressed(piece: Filmed, hands: Filmed, which: int) -> Scene:
    """Put a hand to each wrist of a body, from somewhere in the recordings of hands."""
    n = len(piece.steps)
    seen = []
    for i, body in enumerate((piece.points, features.mirror_body(piece.points))):
        start = (which * 2_654_435 + i * 97_003) % max(len(hands.points) - n, 1)
        shape = hands.points[(start + np.arange(n)) % len(hands.points)]
        _, size = features.palm_frame(shape)
        shoulders = body[:, 11, :2] - body[:, 12, :2]
        palm = _PALM_SHOULDERS * np.sqrt((shoulders**2).sum(1))
        placed = (shape - shape[:, :1]) * (palm / size)[:, None, None]
        placed[..., :2] += body[:, None, 16, :2]
        seen.append(Seen.of(piece.steps * features.STEP_US, placed.astype(np.float32)))
    return _scene(piece, (seen[0], seen[1]), _on_grid(piece))


# --- files ----------------------------------------------------------------------------------------


class _Card(Strict):
    format: Literal["gesturectl-background"]
    version: Literal[1]
    names: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)]
    hands: Annotated[int, Field(ge=0, le=100_000)]
    bodies: Annotated[int, Field(ge=0, le=100_000)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    data: dict[str, object]


@cache
def shipped() -> Background:
    """Return the background that comes with the program.

    Raises:
        ModelError: its files are missing or damaged.
    """
    return load(resources.files("gesturectl.gestures").joinpath("background"))


def load(folder: Traversable | Path) -> Background:
    """Read and verify a background.

    Raises:
        ModelError: a file is missing, damaged, too large, or of another version.
    """
    card_file, data_file = folder.joinpath("background.json"), folder.joinpath("background.npz")
    where = str(card_file)
    content = cards.parsed(read_bytes(card_file, MAX_JSON_BYTES), FORMAT, where, "a background")
    card = cards.validated(_Card, content, where)
    raw = read_bytes(data_file, MAX_BYTES)
    if hashlib.sha256(raw).hexdigest() != card.sha256:
        raise ModelError(f"{data_file} is not the file that background.json describes")
    counts = {"hand": (card.hands, 3 * (HAND_POINTS - 1)), "body": (card.bodies, _BODY_NUMBERS)}
    forms: dict[str, Form] = {}
    for name, (n, numbers) in counts.items():
        kind = "|i1" if name == "hand" else "<i2"
        forms |= {
            f"{name}_steps": ("<i4", (n,)),
            f"{name}_place": ("<i2", (n, 3)),
            f"{name}_points": (kind, (n, numbers)),
            f"{name}_marks": ("|u1", (n,)),
        }
    arrays = read_npz(raw, forms, 4 * MAX_BYTES, str(data_file))
    for name in counts:
        steps = np.cumsum(arrays[f"{name}_steps"], dtype=np.int64)
        if (np.diff(steps) <= 0).any() or (len(steps) and steps[0] < 0):
            raise ModelError(f"{data_file}: {name}_steps do not grow")
        if (arrays[f"{name}_marks"] > len(card.names)).any():
            raise ModelError(f"{data_file}: {name}_marks stand for no name")
    return Background(tuple(card.names), _unpacked(arrays, "hand"), _unpacked(arrays, "body"))


_BODY_NUMBERS = 2 * len(_BODY_POINTS)


def pack(background: Background) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of `background.npz`: differences from frame to frame, as they are small."""
    hands, bodies = background.hands, background.bodies
    _, size = features.palm_frame(hands.points)
    at = hands.points[:, 0, :2]
    around = (hands.points[:, 1:] - hands.points[:, :1]) / size[:, None, None]
    arrays: dict[str, NDArray[np.generic]] = {}
    place = np.concatenate([at, size[:, None]], axis=1)
    arrays |= _packed("hand", hands, place, np.clip(around, -2.5, 2.5) * _HAND, "|i1")
    shoulders = bodies.points[:, [11, 12], :2]
    middle = shoulders.mean(1)
    width = np.linalg.norm(shoulders[:, 0] - shoulders[:, 1], axis=1) + 1e-3
    limbs = (bodies.points[:, _BODY_POINTS, :2] - middle[:, None]) / width[:, None, None]
    place = np.concatenate([middle, width[:, None]], axis=1)
    arrays |= _packed("body", bodies, place, np.clip(limbs, -20, 20) * _BODY, "<i2")
    return arrays


def _packed(
    name: str, filmed: Filmed, at: Float32, points: Float32, kind: str
) -> dict[str, NDArray[np.generic]]:
    place = np.round(at * _PLACE).astype(np.int64)
    flat = np.round(points.reshape(len(points), -1)).astype(np.int64)
    return {
        f"{name}_steps": np.diff(filmed.steps, prepend=0).astype("<i4"),
        # Whatever overflows comes back by overflowing again when it is added up.
        f"{name}_place": np.diff(place, axis=0, prepend=0).astype("<i2"),
        f"{name}_points": np.diff(flat, axis=0, prepend=0).astype(kind),
        f"{name}_marks": filmed.marks.astype("|u1"),
    }


def _unpacked(arrays: dict[str, NDArray[np.generic]], name: str) -> Filmed:
    def added_up(key: str) -> Float32:
        differences = arrays[f"{name}_{key}"]
        return np.cumsum(differences, axis=0, dtype=differences.dtype).astype(np.float32)

    place, flat = added_up("place") / _PLACE, added_up("points")
    at, size = place[:, None, :2], np.maximum(place[:, 2], 1 / _PLACE)[:, None, None]
    if name == "hand":
        points = np.zeros((len(flat), HAND_POINTS, 3), np.float32)
        points[:, 1:] = flat.reshape(len(flat), -1, 3) / _HAND * size
        points[..., :2] += at
    else:
        points = np.zeros((len(flat), BODY_POINTS, 4), np.float32)
        points[:, _BODY_POINTS, :2] = flat.reshape(len(flat), -1, 2) / _BODY * size + at
        points[:, _BODY_POINTS, 3] = 1.0
    steps = np.cumsum(arrays[f"{name}_steps"].astype(np.int64))
    return Filmed(steps, points, arrays[f"{name}_marks"].astype(np.int64))


def archive(background: Background) -> bytes:
    """Return the bytes of `background.npz`."""
    return npz_bytes(pack(background))
