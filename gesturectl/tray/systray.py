"""The icon where there is no StatusNotifierItem: by pystray, on Windows and macOS.

    main thread    panel of the system ◀── icon, menu ─┐   ┌─▶ clicks
    other thread   the companion's event loop ─────────┴───┘

Both systems want the main thread for what they draw, so `around` gives it to them and runs the
companion in another. On macOS even a changed icon has to be set from there.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from gesturectl.config import Config
from gesturectl.control.line import Line, Show
from gesturectl.errors import DesktopError
from gesturectl.tray import icons
from gesturectl.tray.face import Tray
from gesturectl.tray.menu import Ask, Kind, Row, rows
from gesturectl.tray.status import State, Status

SIZE_PX: Final = 64  # scaled by the system
MAX_TITLE: Final = 127  # characters; Windows takes no more


def around(run: Callable[[Show], None]) -> None:
    """Run the companion beside an icon; `run` is given what shows the tray."""
    try:
        import pystray

        panel = Panel(pystray)
    except Exception as error:  # noqa: BLE001 (what pystray raises depends on the system)
        reason = f"pystray cannot show it ({error}); `pip install gesturectl[tray]` brings it"

        async def cannot(line: Line, settings: Config) -> None:
            raise DesktopError(reason)

        run(cannot)
        return
    panel.run(run)


class Panel:
    """The icon and its menu."""

    def __init__(self, pystray: Any) -> None:
        self._pystray = pystray
        self._status = Status(State.camera_off)
        self._act: Callable[[Ask], None] = lambda ask: None
        self._image: State | None = None
        self.icon = pystray.Icon(
            "gesturectl", _picture(State.camera_off), "gesturectl", pystray.Menu(self._items)
        )

    def run(self, run: Callable[[Show], None]) -> None:
        """Show the icon from this thread, the main one, while `run` goes on in another."""
        failed: list[BaseException] = []

        def beside(icon: Any) -> None:
            try:
                icon.visible = True
                run(self.face)
            except BaseException as error:  # noqa: BLE001 (raised again, in the main thread)
                failed.append(error)
            finally:
                _on_main_thread(icon.stop)

        self.icon.run(setup=beside)
        for error in failed:
            raise error

    async def face(self, line: Line, settings: Config) -> None:
        """Show a run, as `FACES` ask for it."""
        tray, loop = Tray(line), asyncio.get_running_loop()

        def act(ask: Ask) -> None:
            loop.call_soon_threadsafe(tray.act, ask)

        self._act = act
        async with tray.following():
            await tray.show_on(self)

    def show(self, status: Status) -> None:
        """Show another status. Panels here ask for no menu before they show it: all is sent now."""
        _on_main_thread(partial(self._show, status))

    def _show(self, status: Status) -> None:
        self._status = status
        if status.state is not self._image:
            self._image = status.state
            self.icon.icon = _picture(status.state)
        self.icon.title = status.words[:MAX_TITLE]
        self.icon.update_menu()

    def _items(self) -> Iterator[Any]:
        return map(self._item, rows(self._status))

    def _item(self, row: Row) -> Any:
        if row.kind is Kind.separator:
            return self._pystray.Menu.SEPARATOR
        if row.rows:
            does: Any = self._pystray.Menu(*map(self._item, row.rows))
        else:
            does = self._clicking(row.ask)
        label = row.label.replace("&", "&&") if sys.platform == "win32" else row.label
        radio = row.kind is Kind.radio
        return self._pystray.MenuItem(
            label,
            does,
            checked=(lambda item: row.chosen) if radio else None,
            radio=radio,
            default=row.key == "toggle",
            enabled=row.enabled,
        )

    def _clicking(self, ask: Ask | None) -> Callable[[Any, Any], None]:
        def clicked(icon: Any, item: Any) -> None:
            if ask is not None:
                self._act(ask)

        return clicked


def _picture(state: State) -> Any:
    from PIL import Image

    return Image.fromarray(icons.rgba(state, SIZE_PX))


def _on_main_thread(do: Callable[[], None]) -> None:
    if sys.platform != "darwin":
        do()
        return
    from PyObjCTools import AppHelper

    AppHelper.callAfter(do)
