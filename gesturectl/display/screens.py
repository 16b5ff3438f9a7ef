"""Where pictures are put: the first way that this desktop offers.

Wayland with layers     `layers`     sway, labwc, Wayfire, river, niri, Hyprland, KDE
X11, or XWayland        `x11`        X11 sessions; GNOME's Wayland, which has no layers
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, Protocol

from gesturectl import wayland
from gesturectl.config import Display
from gesturectl.display.drawing import Picture
from gesturectl.errors import DesktopError

Hot = tuple[int, int]
"""The place in a ring's picture that is to be at the pointer."""


class Screen(Protocol):
    """A panel and a ring on a desktop. They take no clicks and no keys.

    Every method raises DesktopError when the desktop is gone.
    """

    @property
    def scale(self) -> float:
        """How many pixels of the panel's monitor a length of 1 has."""
        ...

    def fileno(self) -> int:
        """Return what is readable when the desktop has something to say."""
        ...

    def read(self) -> bool:
        """Take in what the desktop says; return whether all must be drawn anew."""
        ...

    def arrange(self, settings: Display) -> None:
        """Take other settings: all is drawn anew after this."""
        ...

    def show(self, panel: Picture | None) -> None:
        """Show this panel, or none."""
        ...

    def finds(self, at: tuple[float, float] | None) -> bool:
        """Say whether a ring can be put where the pointer is, given what the daemon knows."""
        ...

    def point(self, ring: Picture | None, hot: Hot, at: tuple[float, float] | None) -> None:
        """Show this ring about the pointer, or none. `at` are fractions of the whole desktop."""
        ...

    def close(self) -> None:
        """Take all of it off the screen."""
        ...


def _layers(settings: Display) -> Screen:
    from gesturectl.display.layers import LayerScreen

    return LayerScreen(settings)


def _x11(settings: Display) -> Screen:
    from gesturectl.display.x11 import X11Screen

    return X11Screen(settings)


WAYS: Final[tuple[tuple[Callable[[], str], Callable[[Display], Screen]], ...]] = (
    (wayland.display_path, _layers),
    (lambda: os.environ.get("DISPLAY", ""), _x11),
)


def open_screen(settings: Display) -> Screen:
    """Return the first screen that can be had.

    Raises:
        DesktopError: there is none; says why of each way.
    """
    reasons: list[str] = []
    for named, make in WAYS:
        if not named():
            continue
        try:
            return make(settings)
        except DesktopError as error:
            reasons.append(str(error))
    raise DesktopError(
        "; ".join(reasons)
        or "no desktop is here to show anything on (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    )
