"""Taught gestures on disk: `taught.json` says what is known and expected, `taught.npz` knows it.

    save    write a new folder beside the old one → read it back → swap → drop the old one
    load    check the card, the hash, then names, types, shapes and values of all arrays

A folder that cannot be read back is never put in place: whatever happens, a whole one stays there.
Of a save that was killed between the two renames of the swap, `load` finds what it had put aside.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from math import inf, isinf
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from gesturectl import cards
from gesturectl.arrays import Form, npz_bytes, read_bytes, read_npz
from gesturectl.cards import Strict
from gesturectl.ears import MAX_BEATS, Ear, Expected, Sought, Taught
from gesturectl.errors import ModelError
from gesturectl.features import FEATURES_VERSION
from gesturectl.strictjson import brief
from gesturectl.views import EMBEDDING_SIZE, VIEWS_VERSION

FORMAT = "gesturectl-taught"
VERSION = 1
MAX_JSON_BYTES = 256 * 1024
MAX_BYTES = 64 * 1024 * 1024
CARD, ARRAYS = "taught.json", "taught.npz"

Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
Part = Literal["hand", "body"]
Kind = Literal["pose", "motion"]
Count = Annotated[int, Field(ge=0, le=10**6)]
Micros = Annotated[int, Field(ge=0, le=10**13)]
Share = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)] | None  # None: without bound


class _Expected(Strict):
    kind: Kind
    subjects: Annotated[list[Part], Field(min_length=1, max_length=2)]
    hands: Annotated[int, Field(ge=0, le=2)]
    samples: Count
    recalled: Count
    false_in_background: Count
    background_us: Micros
    false_per_hour: Rate
    false_interval: Annotated[list[Rate], Field(min_length=2, max_length=2)]
    nearest: Name | None
    enter: Score


class _Sought(Strict):
    kind: Kind
    hands: Annotated[int, Field(ge=0, le=2)]
    lengths: Annotated[
        list[Annotated[int, Field(ge=1, le=MAX_BEATS)]], Field(min_length=1, max_length=4)
    ]
    hand_share: Share
    body_share: Share
    enter: Score
    typical: Score


class _Ear(Strict):
    parts: Annotated[list[Part], Field(min_length=1, max_length=2)]
    names: Annotated[list[Name], Field(min_length=1, max_length=100)]
    sought: Annotated[list[_Sought], Field(min_length=1, max_length=100)]
    owner: Annotated[list[Count], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _fits(self) -> _Ear:
        if len(self.sought) != len(self.names) or len(set(self.names)) != len(self.names):
            raise ValueError("names and sought must be those of the same gestures, each once")
        if set(self.owner) != set(range(len(self.names))):
            raise ValueError("owner must name a gesture for each take, and each gesture")
        return self


class _Card(Strict):
    format: Literal["gesturectl-taught"]
    version: Literal[1]
    views_version: int
    features_version: int
    background_us: Micros
    gestures: Annotated[dict[Name, _Expected], Field(min_length=1, max_length=100)]
    ears: Annotated[list[_Ear], Field(min_length=1, max_length=3)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @model_validator(mode="after")
    def _fits(self) -> _Card:
        heard = [name for ear in self.ears for name in ear.names]
        if sorted(heard) != sorted(self.gestures):
            raise ValueError("each gesture must have one ear")
        return self


# --- writing --------------------------------------------------------------------------------------


def save(taught: Taught, folder: Path) -> None:
    """Put taught gestures into a folder, in place of those that were there.

    Raises:
        ModelError: they cannot be written, or not read back; what was there has stayed.
    """
    fresh, old = _beside(folder, "new"), _beside(folder, "old")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        raw = npz_bytes(_arrays(taught.ears))
        (fresh / ARRAYS).write_bytes(raw)
        card = json.dumps(_card(taught, raw), indent=1, allow_nan=False) + "\n"
        (fresh / CARD).write_text(card, "utf-8")
        _read(fresh)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        if not folder.exists() and old.exists():
            old.rename(folder)
        raise ModelError(f"{folder}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f"{folder.name}.{what}")


def _card(taught: Taught, raw: bytes) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "views_version": VIEWS_VERSION,
        "features_version": FEATURES_VERSION,
        "background_us": taught.background_us,
        "gestures": {name: _plain(asdict(one)) for name, one in taught.gestures.items()},
        "ears": [
            {
                "parts": list(ear.parts),
                "names": list(ear.names),
                "sought": [_plain(asdict(one)) for one in ear.sought],
                "owner": ear.owner.tolist(),
            }
            for ear in taught.ears
        ],
        "sha256": hashlib.sha256(raw).hexdigest(),
    }


def _plain(value: Any) -> Any:
    """Turn a value into one that JSON knows; what has no bound becomes null."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and isinf(value) else value


def _arrays(ears: tuple[Ear, ...]) -> dict[str, NDArray[np.float32]]:
    arrays: dict[str, NDArray[np.float32]] = {}
    for i, ear in enumerate(ears):
        arrays |= {f"{i}_weights": ear.weights, f"{i}_bias": ear.bias, f"{i}_takes": ear.takes}
    return {name: array.astype("<f4") for name, array in arrays.items()}


# --- reading --------------------------------------------------------------------------------------


def load(folder: Path) -> Taught:
    """Read and verify taught gestures.

    Raises:
        ModelError: a file is missing, damaged, too large, of another version, or does not hold
            what its card says.
    """
    old = _beside(folder, "old")
    return _read(old if not folder.exists() and old.exists() else folder)


def _read(folder: Path) -> Taught:
    card = _read_card(read_bytes(folder / CARD, MAX_JSON_BYTES), str(folder / CARD))
    raw = read_bytes(folder / ARRAYS, MAX_BYTES)
    if hashlib.sha256(raw).hexdigest() != card.sha256:
        raise ModelError(
            f"{folder / ARRAYS} is not the file that {CARD} describes (its SHA-256 differs); "
            "teach anew: the takes are kept"
        )
    forms: dict[str, Form] = {}
    for i, ear in enumerate(card.ears):
        c, n = len(ear.names), len(ear.owner)
        forms[f"{i}_weights"] = "<f4", (EMBEDDING_SIZE, c)
        forms[f"{i}_bias"] = "<f4", (c,)
        forms[f"{i}_takes"] = "<f4", (n, EMBEDDING_SIZE)
    arrays = read_npz(raw, forms, MAX_BYTES, str(folder / ARRAYS))
    if any(np.abs(array).max() > 1e6 for array in arrays.values()):
        raise ModelError(f"{folder / ARRAYS} holds values beyond all measure")
    ears = tuple(
        Ear(
            tuple(ear.parts),
            tuple(ear.names),
            tuple(Sought(**_tupled(one.model_dump())) for one in ear.sought),
            arrays[f"{i}_weights"],
            arrays[f"{i}_bias"],
            arrays[f"{i}_takes"],
            np.array(ear.owner, np.int64),
        )
        for i, ear in enumerate(card.ears)
    )
    gestures = {name: Expected(**_tupled(one.model_dump())) for name, one in card.gestures.items()}
    return Taught(MappingProxyType(gestures), ears, card.background_us)


def _tupled(values: dict[str, Any]) -> dict[str, Any]:
    """Return fields as the dataclasses have them: tuples, and infinity where JSON has null."""
    fields = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    if "false_per_hour" in fields:
        rate, interval = fields["false_per_hour"], fields["false_interval"]
        fields["false_per_hour"] = inf if rate is None else rate
        fields["false_interval"] = tuple(inf if bound is None else bound for bound in interval)
    return fields


def _read_card(raw: bytes, where: str) -> _Card:
    content = cards.parsed(raw, FORMAT, where, "a file of taught gestures")
    for key, known in (
        ("version", VERSION),
        ("views_version", VIEWS_VERSION),
        ("features_version", FEATURES_VERSION),
    ):
        if content.get(key) != known:
            raise ModelError(
                f"{where} has {key} {brief(content.get(key))}, this program has {known}; "
                "teach anew: the takes are kept"
            )
    return cards.validated(_Card, content, where)
