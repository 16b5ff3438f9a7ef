"""What happens on the desktop: which window is in front, and whether real keys and mice are used.

`open_desktop` gives what suits the session; `DESKTOPS` is the table. Where nothing can tell, there
is `NoDesktop`: a desktop on which nothing ever happens, and which says why.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from gesturectl.errors import DesktopError
from gesturectl.types import UserInput, Window

if TYPE_CHECKING:
    from gesturectl.sinks.injected import Injected


LOST = (
    "which window is in front is not known any more; start gesturectl again when the desktop is "
    "back"
)
WAYLAND_INPUT = (
    "Wayland lets no program watch the keyboards and mice that others use: they do not pause "
    "gestures, and a panic key is heard only if the desktop itself binds it; use the panic gesture"
)

Texts = tuple[str, str, str]
"""Application, title and executable of a window."""


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """One window of the desktop, by what a profile's `match` can name. See `types.Window`."""

    app: str
    title: str
    executable: str
    in_front: bool


class Desktop(Protocol):
    """Watches one desktop. A context manager.

    `windows_problem` says why applications cannot be told apart here, `input_problem` why real
    keys and mice cannot be watched: for the user, with what to do. None where it works.
    """

    name: str
    windows_problem: str | None
    input_problem: str | None

    def poll(self, t_us: int) -> tuple[Window | UserInput, ...]:
        """Return what has happened since the last call, oldest first; never waits for anybody.

        The first call says which window is in front, even if none is, and later ones when that
        window or its texts change. A key that goes down or up is a `UserInput` of its own, so that
        a chord is seen whole however short it was; clicks and movement are one for each call.
        All carry `t_us`: the desktop has another clock than the camera.

        Raises:
            DesktopError: the desktop is gone. Close this one; there will be no more news.
        """
        ...

    def windows(self) -> tuple[OpenWindow, ...]:
        """Return all windows that an application has open, asking the desktop now.

        Raises:
            DesktopError: the desktop is gone.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class NoDesktop:
    """Stands in where nothing can be known; `problem` says why, and what to do."""

    name = "none"

    def __init__(self, problem: str) -> None:
        self.windows_problem: str | None = problem
        self.input_problem: str | None = problem
        self._told = False

    def poll(self, t_us: int) -> tuple[Window | UserInput, ...]:
        """Say once that no window is in front."""
        if self._told:
            return ()
        self._told = True
        return (Window(t_us),)

    def windows(self) -> tuple[OpenWindow, ...]:
        """Return nothing."""
        return ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None


def _open_sway(_injected: Injected | None) -> Desktop:
    from gesturectl.desktop.sway import SwayDesktop

    return SwayDesktop()


def _open_wlroots(_injected: Injected | None) -> Desktop:
    from gesturectl.desktop.wlroots import WlrootsDesktop

    return WlrootsDesktop()


def _open_x11(injected: Injected | None) -> Desktop:
    try:
        from gesturectl.desktop.x11 import X11Desktop
    except ImportError as error:
        raise DesktopError(
            f"the package xcffib cannot be imported ({error}); reinstall gesturectl"
        ) from error
    return X11Desktop(injected=injected)


DESKTOPS: dict[str, Callable[[Injected | None], Desktop]] = {
    "sway": _open_sway,  # by its own protocol
    "wlroots": _open_wlroots,  # others on Wayland that list windows: labwc, Wayfire, niri, river, …
    "x11": _open_x11,  # keyboards and mice as well
}
"""What opens each desktop. It is given what our own sink injects, or None where that is not known,
and raises DesktopError where the desktop cannot be watched."""


def open_desktop(injected: Injected | None = None) -> Desktop:
    """Open what suits the session: at worst a `NoDesktop`.

    `injected` is what the sink sends, so that the desktop does not take it for the user's.
    """
    if not sys.platform.startswith("linux"):
        return NoDesktop(
            f"gesturectl cannot tell applications apart on {sys.platform} yet: profiles with "
            "`match` are not used, and real keyboards and mice do not pause gestures"
        )
    # Under Wayland X11 sees only windows of XWayland, and would say that no other is in front.
    wayland = bool(os.environ.get("WAYLAND_DISPLAY"))
    problems: dict[str, str] = {}
    for name in ("sway", "wlroots") if wayland else ("x11",):
        try:
            return DESKTOPS[name](injected)
        except DesktopError as error:
            problems[name] = str(error)
    reasons = "; ".join(f"{of}: {problem}" for of, problem in problems.items())
    return NoDesktop(
        "profiles with `match` are not used, and real keyboards and mice do not pause gestures: "
        "this desktop does not say which window is in front "
        f"({reasons})"
    )
