"""Small files that are whole or not there, whatever ends the process or the power meanwhile.

    write   .NAME.PID.part   bytes, and they are on the disk   renamed to NAME, and that is, too

Who reads NAME meanwhile finds what was there before. A part that a killed process has left stays
until it is swept; its name tells whose it was, so that two processes never write into one.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)


def part_of(path: Path) -> Path:
    """Return what this process calls the file while it is not whole yet."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def write(path: Path, data: bytes, *, private: bool = True) -> None:
    """Put `data` into a file, in place of what was there; its folder is made if need be.

    The file, and a folder that is made, are for their owner only; unless `private` is False: then
    as the user's umask has it.

    Raises:
        OSError: it cannot be written; what was there before has stayed.
    """
    path.parent.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)
    part = part_of(path)
    part.unlink(missing_ok=True)  # of a process that had our number

    def made(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600 if private else 0o666)

    try:
        with open(part, "xb", opener=made) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # or after a power cut there is a whole name for half a file
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a renaming itself survive a power cut, where the system lets folders be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        log.debug("cannot sync %s", folder)
    finally:
        os.close(handle)
