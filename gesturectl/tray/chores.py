"""What the menu does beside the run: it opens a folder, or a terminal in which a command runs.

Nothing here opens a window that has to be answered before gestures go on. Each may wait for the
desktop, and is called from a thread.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from gesturectl import __version__, config
from gesturectl.errors import SinkError
from gesturectl.sinks.notices import notifier
from gesturectl.tray import terminal
from gesturectl.types import Notify

log = logging.getLogger(__name__)

ABOUT: Final = f"gesturectl {__version__}: keyboard and mouse by gestures seen through a webcam"
OPENERS: Final = {"linux": "xdg-open", "darwin": "open", "win32": "explorer"}


def tell(text: str) -> None:
    """Show a notification; where none can be shown, the log has it."""
    try:
        notifier()(Notify(0, text))
    except SinkError as error:
        log.warning("%s (%s)", text, error)


def open_folder() -> None:
    """Show the folder of the user's settings, made if it is not there, in a file manager."""
    folder = config.folder()
    try:
        (folder / "profiles").mkdir(parents=True, exist_ok=True)
        # In a session of its own: the end of gesturectl must not close the file manager.
        code = subprocess.run(
            [OPENERS.get(sys.platform, "xdg-open"), str(folder)],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
    except OSError as error:
        log.info("the folder %s cannot be opened: %s", folder, error)
        code = 1
    if code and sys.platform != "win32":  # explorer ends with 1 when all is well
        tell(f"The configuration is in {folder}")


def _in_terminal(what: str) -> Callable[[], None]:
    def do() -> None:
        if not terminal.open_with(what):
            tell(f"Type in a terminal: gesturectl {terminal.TASKS[what].typed}")

    return do


CHORES: Final[dict[str, Callable[[], None]]] = {
    "teach": _in_terminal("teach"),
    "privacy": _in_terminal("privacy"),
    "folder": open_folder,
    "about": lambda: tell(ABOUT),
}
