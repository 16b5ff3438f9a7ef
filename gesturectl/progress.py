"""How far the one download is: the landmark models, at first need.

On a terminal a bar, elsewhere one line. On stderr, since stdout may be read by a program.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

SAYS = "Fetching the landmark models, once"


class DownloadBar:
    """A callable for `bundles`: `bar(done_bytes, all_bytes)`; shows nothing until it is called.

    A context manager, so that the terminal's cursor comes back however the download ends.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._said = False

    def __call__(self, done: int, total: int) -> None:
        if not self._console.is_terminal:
            if not self._said:
                self._console.print(f"{SAYS} ({total / 1e6:.0f} MB)…", highlight=False)
        elif self._progress is None and not self._said:
            self._progress = Progress(
                TextColumn(SAYS), BarColumn(), DownloadColumn(), console=self._console
            )
            self._task = self._progress.add_task(SAYS, total=total)
            self._progress.start()
        self._said = True
        if self._progress is not None:
            self._progress.update(self._task, completed=done)
            if done >= total:
                self._stop()

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()
