"""A terminal of the user's with one of our commands in it.

`open_with` finds one that can be shown in this session. Inside it runs this very module: it asks
for what the command needs, runs it, and waits for a key before the window closes, so that what was
said can be read. The gesturectl that runs is paused during a lesson, and resumed behind it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from threading import Thread
from typing import Final

from gesturectl.errors import GesturectlError

STARTS_S: Final = 1.0  # a terminal that cannot show itself has ended by then


@dataclass(frozen=True, slots=True)
class Task:
    """One command: what it asks for first, its arguments, and how one types it oneself."""

    typed: str
    arguments: tuple[str, ...]
    asks: str | None = None
    pauses: bool = False


TASKS: Final[dict[str, Task]] = {
    "teach": Task(
        "teach NAME", ("teach",), "Name of the gesture, like draw_z (a-z, 0-9 and _): ", pauses=True
    ),
    "privacy": Task("privacy show", ("privacy", "show")),
}


@dataclass(frozen=True, slots=True)
class Terminal:
    """One row: a program, what comes between it and a command, and by which of these variables it
    can show itself."""

    program: str
    before: tuple[str, ...]
    shown_by: tuple[str, ...] = ("DISPLAY", "WAYLAND_DISPLAY")


# First what the user or the distribution has chosen, then those of desktops, then the rest.
TERMINALS: Final = (
    Terminal("xdg-terminal-exec", ()),
    Terminal("x-terminal-emulator", ("-e",)),
    Terminal("ptyxis", ("--",)),
    Terminal("gnome-terminal", ("--",)),
    Terminal("konsole", ("-e",)),
    Terminal("xfce4-terminal", ("-x",)),
    Terminal("mate-terminal", ("-x",)),
    Terminal("lxterminal", ("-e",)),
    Terminal("kitty", ()),
    Terminal("alacritty", ("-e",)),
    Terminal("foot", (), ("WAYLAND_DISPLAY",)),
    Terminal("xterm", ("-e",), ("DISPLAY",)),
)


def open_with(what: str) -> bool:
    """Open a terminal for one of `TASKS`; return whether one came up."""
    command = (sys.executable, "-P", "-m", __spec__.name, what)
    if sys.platform == "win32":
        return _started(("cmd", "/c", "start", "gesturectl", *command))
    if sys.platform == "darwin":
        line = " ".join(f"'{word}'" for word in command)
        script = f'tell application "Terminal" to do script "{line}"'
        return _started(
            ("osascript", "-e", script, "-e", 'tell application "Terminal" to activate')
        )
    return any(
        _started((terminal.program, *terminal.before, *command))
        for terminal in TERMINALS
        if any(map(os.environ.get, terminal.shown_by)) and shutil.which(terminal.program)
    )


def _started(argv: tuple[str, ...]) -> bool:
    """Start a program of its own; return whether it stays, or has ended well."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        return process.wait(STARTS_S) == 0
    except subprocess.TimeoutExpired:
        # Somebody must wait for it, or it stays behind as a zombie.
        Thread(target=process.wait, name=f"wait for {argv[0]}", daemon=True).start()
        return True


def main(what: str) -> int:
    """Run a task inside a terminal."""
    task = TASKS[what]
    arguments = task.arguments
    try:
        if task.asks is not None:
            answer = input(task.asks).strip()
            if not answer:
                return 0
            arguments = (*arguments, answer)
        paused = task.pauses and _ask("pause")
        program = "import sys; from gesturectl.cli import main; main()"
        code = subprocess.run([sys.executable, "-P", "-c", program, *arguments], check=False)
        if paused:
            _ask("resume")
        input("\nPress Enter to close this window. ")
    except (KeyboardInterrupt, EOFError):
        return 130
    return code.returncode


def _ask(what: str) -> bool:
    """Ask the daemon, if one runs; return whether it has done it."""
    from gesturectl.ctl import Caller

    try:
        with Caller() as caller:
            if what == "pause" and caller.ask("status")["paused"]:
                return False  # by the user, who resumes it
            caller.ask(what)
    except GesturectlError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
