"""The program behind a window."""

from __future__ import annotations

from pathlib import Path

DELETED = " (deleted)"  # the kernel's mark of a program that was replaced while it runs


def executable_of(pid: int) -> str:
    """Return the file name of the program that a process runs, or "" where we may not know."""
    if pid <= 0:
        return ""
    try:
        return Path(f"/proc/{pid}/exe").readlink().name.removesuffix(DELETED)
    except OSError:  # it has ended, or belongs to somebody else
        return ""
