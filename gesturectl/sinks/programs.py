"""Start programs that outlive us: the same for every sink that runs anything.

Of a service they would be a part, ended with it and as restricted as it is. There systemd starts
them, each as a unit of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from typing import Final

from gesturectl.errors import SinkError

STARTS_APART: Final = "GESTURECTL_STARTS_APART"  # set by our unit; see `autostart`
_APART: Final = ("systemd-run", "--user", "--quiet", "--collect", "--same-dir", "--")


def start(argv: tuple[str, ...]) -> None:
    """Start a program by its argument vector, detached: own session, no terminal, no zombie.

    Raises:
        SinkError: there is no such program, or it may not be started.
    """
    if not argv:
        raise SinkError("run: there is no program to start; give at least one argument")
    if STARTS_APART in os.environ and shutil.which(argv[0]) is not None:
        argv = (*_APART, *argv)
    detached = 0
    if sys.platform == "win32":
        detached = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=detached,
            env=dict(os.environ),  # not C's own, in which MediaPipe's network is blocked
        )
    except FileNotFoundError as error:
        raise SinkError(
            f"run: no program {argv[0]!r} on the PATH; install it or give its full path"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL character in an argument
        raise SinkError(f"run: cannot start {argv[0]!r}: {error}") from error
    # Somebody must wait for it, or it stays behind as a zombie for as long as we live.
    threading.Thread(target=process.wait, name=f"wait for {argv[0]}", daemon=True).start()
