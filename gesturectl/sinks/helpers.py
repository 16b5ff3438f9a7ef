"""Let a program of the system do something small, wait for it, and say why it could not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from gesturectl.errors import SinkError


def run(argv: Sequence[str], text: str = "", *, timeout_s: float, private: str = "") -> None:
    """Run a program to its end, with `text` as its standard input.

    What it complains of is told, unless it quotes what is `private`.

    Raises:
        SinkError: it is missing, fails, or takes longer than it may, and is ended then.
    """
    try:
        done = subprocess.run(
            argv,
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=timeout_s,
            start_new_session=True,  # Ctrl-C is for us, not for it
            env=dict(os.environ),  # not C's own, in which MediaPipe's network is blocked
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SinkError(f"{argv[0]} did not end within {timeout_s:g} s, and was ended") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL character in an argument
        raise SinkError(f"{argv[0]} cannot be started: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        quotes = bool(private) and private in said
        reason = said.splitlines()[-1] if said and not quotes else f"exit {done.returncode}"
        raise SinkError(f"{argv[0]} failed: {reason}")


def powershell(script: str) -> tuple[str, ...]:
    """Return the argument vector that runs a script of ours in Windows PowerShell."""
    return ("powershell", "-NoProfile", "-NonInteractive", "-Command", script)
