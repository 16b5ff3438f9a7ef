"""The daemon as users start it: a process of its own, with options and a display."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

STOP_S = 20.0  # closing landmark models takes a moment on a loaded machine
START_S = 60.0  # loading them takes seconds, the first time more

COMMAND = (sys.executable, "-c", "from gesturectl.cli import main; main()")


@contextmanager
def gesturectl(
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    command: Sequence[str] = COMMAND,
) -> Iterator[subprocess.Popen[str]]:
    """Start `gesturectl ARGUMENTS…`; kill it on leaving if it still runs."""
    process = subprocess.Popen(
        [*command, *map(str, arguments)],
        env=dict(env or os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finished(process: subprocess.Popen[str], timeout_s: float = STOP_S) -> tuple[int, str, str]:
    """Wait for the end of a process; return exit code, stdout, stderr."""
    out, err = process.communicate(timeout=timeout_s)
    return process.returncode, out, err
