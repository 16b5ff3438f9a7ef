"""Arrays in files that nobody vouches for: named, of known type and shape, finite, or refused.

An archive is an `.npz`, read without pickle and without `numpy.load`: that believes a header, and
allocates whatever it claims before it reads. Here each header is compared with the one expected,
and only so much is unpacked as is needed.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesturectl.errors import ModelError

MAX_DIRECTORY_BYTES = 64 * 1024  # about 800 entries; zipfile makes ten times as much of it

Array = NDArray[Any]
Form = tuple[str, tuple[int, ...]]
"""A type, as numpy writes it (`<f4`), and a shape."""


def read_bytes(file: Traversable | Path, limit: int) -> bytes:
    """Read a file of at most `limit` bytes.

    Raises:
        ModelError: it cannot be read, or is larger.
    """
    if isinstance(file, Path) and (file.is_fifo() or file.is_char_device()):
        raise ModelError(f"{file} is a pipe or a device; a model is a folder of files")
    try:
        with file.open("rb") as f:
            raw: bytes = f.read(limit + 1)
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror or error}") from error
    if len(raw) > limit:
        raise ModelError(f"{file} is larger than {limit // 1024} KiB; a model is not that large")
    return raw


def read_npz(raw: bytes, forms: Mapping[str, Form], limit: int, where: str) -> dict[str, Array]:
    """Unpack an archive that must hold just these arrays, at most `limit` bytes of them.

    Raises:
        ModelError: it holds others, or is damaged; the message begins with `where`.
    """
    total = sum(np.dtype(kind).itemsize * prod(shape) for kind, shape in forms.values())
    if total > limit:
        raise ModelError(f"{where}: the card announces {total} bytes of weights, too many")
    _check_directory(raw, where)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sorted(archive.namelist()) != sorted(f"{name}.npy" for name in forms):
                raise ModelError(f"{where} does not hold the arrays that its card names")
            return {name: _read(archive, name, form, where) for name, form in forms.items()}
    # What zipfile and zlib raise on damage; RuntimeError is an entry that wants a password.
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"{where} is damaged: {error!s:.200}") from error


def _check_directory(raw: bytes, where: str) -> None:
    """Refuse an archive whose directory alone would take long and fill the memory.

    zipfile makes an object of every entry before it can be asked how many there are: of a file
    of 16 MB as many as 350,000. An archive of ours ends with the plain end record, without a
    comment; that of very large ones (zip64), which zipfile would believe instead, is not needed.
    """
    end = raw[-22:]
    if end[:4] != b"PK\x05\x06" or raw[-42:-38] == b"PK\x06\x07":
        raise ModelError(f"{where} is damaged: it does not end as an archive of arrays does")
    if int.from_bytes(end[12:16], "little") > MAX_DIRECTORY_BYTES:
        raise ModelError(f"{where} holds more entries than any model has arrays")


def _read(archive: zipfile.ZipFile, name: str, form: Form, where: str) -> Array:
    kind, shape = form
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ModelError(f"{where}: {name} is compressed in a way that models are not")
    size = np.dtype(kind).itemsize * prod(shape)
    with archive.open(info) as entry:
        magic, length = entry.read(8), int.from_bytes(entry.read(2), "little")
        header = entry.read(length).decode("latin-1").strip()
        content = entry.read(size)
        more = entry.read(1)
    expected = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    if magic != b"\x93NUMPY\x01\x00" or header != expected:
        raise ModelError(f"{where}: {name} is {header!r:.99}, expected {expected}")
    if len(content) != size or more:
        raise ModelError(f"{where}: {name} does not hold {size} bytes of values")
    array = np.frombuffer(content, kind).reshape(shape).copy()
    if not np.isfinite(array).all():
        raise ModelError(f"{where}: {name} holds values that are not finite")
    return array


def npz_bytes(arrays: Mapping[str, Array]) -> bytes:
    """Return an .npz archive whose bytes depend on the arrays alone."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entry.getvalue())
    return out.getvalue()
