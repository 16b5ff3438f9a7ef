"""A zip for its owner alone: whole under its name, or not there; it takes no other file's place."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gesturectl.errors import GesturectlError, UsageError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can tell


def refuse_to_replace(archive: Path) -> None:
    """Refuse a name that is taken.

    Raises:
        UsageError: there is such a file, or a link.
    """
    if archive.exists() or archive.is_symlink():
        raise UsageError(f"{archive} exists; give another name, or move it away")


@contextmanager
def written(archive: Path) -> Iterator[zipfile.ZipFile]:
    """Write an archive, which is there when the block ends well.

    Raises:
        UsageError: there is such a file.
        GesturectlError: it cannot be written.
    """
    refuse_to_replace(archive)
    part = archive.with_name(f"{archive.name}.part")
    try:
        part.unlink(missing_ok=True)  # half of one that was killed
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as z:
            yield z
        part.replace(archive)
    except OSError as error:
        raise GesturectlError(f"{archive} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def entry(name: str, at_s: float | None = None) -> zipfile.ZipInfo:
    """Return the head of a file in an archive, for its owner only.

    `at_s` is when it was written, in seconds; without it, it tells no time.
    """
    at = EPOCH if at_s is None else max(EPOCH, time.gmtime(at_s)[:6])
    head = zipfile.ZipInfo(name, at)
    head.compress_type = zipfile.ZIP_DEFLATED
    head.external_attr = 0o600 << 16
    return head
