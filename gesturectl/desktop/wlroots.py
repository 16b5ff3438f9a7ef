"""Windows of Wayland desktops that list them: the protocol wlr-foreign-toplevel-management.

Spoken by wlroots desktops (labwc, Wayfire, river, sway) and others (niri, Hyprland):

    we     registry, bind manager
    they   toplevel #n   app_id   title   state [activated]   done    … title   done   … closed

It tells no processes: `executable` is empty, and `app` is the way to name a program.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from gesturectl.desktop import LOST, WAYLAND_INPUT, OpenWindow
from gesturectl.errors import DesktopError
from gesturectl.types import UserInput, Window
from gesturectl.wayland import Client, Message, display_path, read_string

# Source: wlr-foreign-toplevel-management-unstable-v1.xml; requests and events are numbered in the
# order of that file.
HANDLE_DESTROY = 7
MANAGER_TOPLEVEL, MANAGER_FINISHED = 0, 1
TITLE, APP_ID, STATE, DONE, CLOSED = 0, 1, 4, 5, 6
ACTIVATED = 2
MANAGER_INTERFACE = "zwlr_foreign_toplevel_manager_v1"


@dataclass(frozen=True, slots=True)
class Toplevel:
    """What is known of one window."""

    app: str = ""
    title: str = ""
    active: bool = False


class WlrootsDesktop:
    """Watches the Wayland desktop at `path`, by default that of the environment.

    Raises:
        DesktopError: none is there, or it does not list its windows.
    """

    name = "wlroots"
    windows_problem: str | None = None
    input_problem: str | None = WAYLAND_INPUT

    def __init__(self, path: str | None = None) -> None:
        self._coming: dict[int, Toplevel] = {}  # told, but not yet done
        self._known: dict[int, Toplevel] = {}
        self._front = 0
        self._told: tuple[str, str] | None = None
        self._manager = 0
        self._client = Client(path or display_path(), self._take_in, DesktopError, LOST)
        try:
            self._client.read_globals()
            offered = self._client.globals.get(MANAGER_INTERFACE)
            if offered is None:
                raise DesktopError(
                    "this Wayland desktop does not tell other programs which window is in front "
                    f"(it has no {MANAGER_INTERFACE})"
                )
            self._manager = self._client.bind(offered, 1)
            self._client.round_trip()
        except DesktopError:
            self._client.close()
            raise

    def poll(self, t_us: int) -> tuple[Window | UserInput, ...]:
        """Return what has happened since the last call. See `Desktop.poll`.

        Raises:
            DesktopError: the desktop is gone.
        """
        self._client.read_events()
        front = self._known.get(self._front, Toplevel())
        texts = (front.app, front.title)
        if texts == self._told:
            return ()
        self._told = texts
        return (Window(t_us, *texts),)

    def windows(self) -> tuple[OpenWindow, ...]:
        """Return all windows, oldest first.

        Raises:
            DesktopError: the desktop is gone.
        """
        self._client.round_trip()
        return tuple(
            OpenWindow(window.app, window.title, "", number == self._front)
            for number, window in self._known.items()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def _take_in(self, told: Message) -> None:
        of, event, body = told
        if of == self._manager and event == MANAGER_TOPLEVEL:
            (number,) = struct.unpack_from("=I", body)
            self._coming[number] = Toplevel()
        elif of == self._manager and event == MANAGER_FINISHED:
            raise DesktopError("the Wayland desktop tells no more which window is in front")
        elif of in self._coming:
            self._change(of, event, body)

    def _change(self, number: int, event: int, body: bytes) -> None:
        window = self._coming[number]
        if event == TITLE:
            self._coming[number] = replace(window, title=read_string(body, 0))
        elif event == APP_ID:
            self._coming[number] = replace(window, app=read_string(body, 0))
        elif event == STATE:
            count = struct.unpack_from("=I", body)[0] // 4
            states = struct.unpack_from(f"={count}I", body, 4)
            self._coming[number] = replace(window, active=ACTIVATED in states)
        elif event == DONE:
            self._known[number] = window
            if window.active:
                self._front = number
            elif self._front == number:
                self._front = 0
        elif event == CLOSED:
            del self._coming[number]
            self._known.pop(number, None)
            if self._front == number:
                self._front = 0
            self._client.send(number, HANDLE_DESTROY)
