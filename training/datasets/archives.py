"""Read the arrays of a data set without believing the file: a damaged one is named, never a crash.

`numpy.load` allocates what a header claims, and pickles are programs. Here each header must have
the one form that numpy writes, each array the kind and shape that is asked for, and floats must be
finite; no more is unpacked than a header announces, and no more announced than `MAX_BYTES`.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesturectl.errors import SourceError

Array = NDArray[Any]
Form = tuple[str, tuple[int | str, ...]]
"""Kinds of numpy that will do (`f`, `iu`, `U`, `b`), and a shape.

Where the shape has a letter, any length will do but 0, the same wherever that letter stands.
"""

MAX_BYTES = 1 << 28  # of one array; the largest in our data folder takes 43 MB
MAX_ENTRIES = 1_000

_HEADER = re.compile(
    r"\{'descr': '([<|>](?:b1|[iu][1248]|f[248]|U\d{1,3}))', 'fortran_order': (True|False), "
    r"'shape': \(([\d, ]{0,99})\), \} *\n"
)


def read(path: Path, forms: Mapping[str, Form]) -> dict[str, Array]:
    """Read these arrays of an `.npz`; others that it holds are left alone.

    Raises:
        SourceError: the file cannot be read, is damaged, or an array is missing or of another form.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > MAX_ENTRIES:
                raise SourceError(f"{path}: {len(archive.infolist())} arrays are too many")
            arrays = {name: _read(archive, path, name, forms[name][0]) for name in forms}
    # What zipfile and zlib raise on damage; RuntimeError is an entry that wants a password.
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise unreadable(path, error) from error
    lengths: dict[str, int] = {}
    for name, (_, wanted) in forms.items():
        shape = arrays[name].shape
        fits = len(shape) == len(wanted)
        for found, length in zip(shape, wanted, strict=False):
            known = lengths.setdefault(length, found) if isinstance(length, str) else length
            fits = fits and found == known > 0
        if not fits:
            expected = ", ".join(str(lengths.get(str(n), n)) for n in wanted)
            raise SourceError(f"{path}: {name} has the shape {shape}, expected ({expected})")
    return arrays


def unreadable(path: Path, error: Exception) -> SourceError:
    """Return what to tell of a file that could not be read."""
    reason = getattr(error, "strerror", None) or str(error)
    return SourceError(f"{path} cannot be read: {reason:.200}; get the file again")


def _read(archive: zipfile.ZipFile, path: Path, name: str, kinds: str) -> Array:
    try:
        entry = archive.open(f"{name}.npy")
    except KeyError:
        raise SourceError(f"{path} does not hold {name}; is it another file?") from None
    with entry:
        magic, length = entry.read(8), int.from_bytes(entry.read(2), "little")
        found = _HEADER.fullmatch(entry.read(length).decode("latin-1"))
        if magic != b"\x93NUMPY\x01\x00" or found is None:
            raise SourceError(f"{path}: {name} is no plain array")
        kind, order, sizes = found.groups()
        dtype = np.dtype(kind)
        shape = tuple(int(n) for n in sizes.split(",") if n.strip())
        size = dtype.itemsize * prod(shape)
        if dtype.kind not in kinds:
            raise SourceError(f"{path}: {name} holds {dtype} instead of the kind {kinds}")
        if size > MAX_BYTES:
            raise SourceError(f"{path}: {name} takes {size} bytes; {MAX_BYTES} are the limit")
        content = entry.read(size)
        if len(content) != size or entry.read(1):
            raise SourceError(f"{path}: {name} does not hold the values of its shape {shape}")
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if order == "True" else "C")
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise SourceError(f"{path}: {name} holds values that are not finite")
    return array.copy()


def size_px(path: Path, size: Array) -> tuple[int, int]:
    """Return a picture's size (2,) as integers.

    Raises:
        SourceError: it is none.
    """
    width, height = (int(n) for n in size)
    if not (0 < width < 1 << 16 and 0 < height < 1 << 16):
        raise SourceError(f"{path}: {width}×{height} is not the size of a picture")
    return width, height
