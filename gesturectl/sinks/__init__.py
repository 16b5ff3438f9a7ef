"""Where commands go. `open_sink` turns a name into a `Sink`; `SINKS` is the table of names.

An installed package adds a sink by an entry point of the group `gesturectl.sinks` that loads a
`SinkSpec`; built-in names cannot be replaced.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from types import TracebackType
from typing import Protocol, Self

from gesturectl.errors import SinkError, UsageError
from gesturectl.types import Command

log = logging.getLogger(__name__)

ENTRY_POINTS = "gesturectl.sinks"


class Sink(Protocol):
    """Delivers commands. A context manager; leaving it leaves nothing held."""

    def send(self, command: Command) -> None:
        """Deliver one command.

        Pressing what is held, and releasing what is not, does nothing.

        Raises:
            SinkError: the display is gone or the command cannot be expressed here.
        """
        ...

    def beat(self) -> None:
        """Say that the daemon lives, once a frame or so.

        From the first beat on, a sink with a guardian lets go of everything held when beats and
        commands stop coming: the daemon hangs. Others do nothing.

        Raises:
            SinkError: the display is gone.
        """
        ...

    def check_keys(self, names: frozenset[str]) -> dict[str, str]:
        """Return the keys that cannot be sent here, each with the reason and what to do."""
        ...

    def check_kinds(self, kinds: frozenset[type[object]]) -> dict[str, str]:
        """Return the kinds of commands that cannot be delivered here, each with the reason.

        Kinds are the types of commands; they are returned by the names of their actions.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """One row of `SINKS`.

    `platforms` are values of `sys.platform`, empty for all. `works` returns None where the sink
    can be opened now, else the reason and what to do; it is quick and presses nothing. `open` is
    told which hosts beyond this machine messages may go to.
    """

    name: str
    help: str
    open: Callable[[frozenset[str]], Sink]
    works: Callable[[], str | None]
    platforms: tuple[str, ...] = ()

    @property
    def elsewhere(self) -> str | None:
        """That this is no platform for the sink; None where it is one."""
        if not self.platforms or sys.platform in self.platforms:
            return None
        return f"sink {self.name} is for {', '.join(self.platforms)}, and this is {sys.platform}"

    @property
    def problem(self) -> str | None:
        """Why the sink cannot be opened now, and what to do; None where it can.

        Elsewhere it is not asked: its modules rest on what only its platforms have.
        """
        return self.elsewhere or self.works()


def _open_x11(allow_hosts: frozenset[str]) -> Sink:
    from gesturectl.sinks.courier import Courier
    from gesturectl.sinks.x11 import X11Sink

    return X11Sink(courier=Courier(allow_hosts))


def _x11_works() -> str | None:
    try:
        from gesturectl.sinks import x11
    except ImportError as error:
        return f"the package xcffib cannot be imported ({error}); reinstall gesturectl"
    return x11.works()


def _open_wlroots(allow_hosts: frozenset[str]) -> Sink:
    from gesturectl.sinks.courier import Courier
    from gesturectl.sinks.wlroots import WlrootsSink

    return WlrootsSink(courier=Courier(allow_hosts))


def _wlroots_works() -> str | None:
    from gesturectl.sinks import wlroots

    return wlroots.works()


def _open_portal(allow_hosts: frozenset[str]) -> Sink:
    from gesturectl.sinks.courier import Courier
    from gesturectl.sinks.portal import PortalSink

    return PortalSink(courier=Courier(allow_hosts))


def _portal_works() -> str | None:
    from gesturectl.sinks import portalsession

    return portalsession.works()


def _open_uinput(allow_hosts: frozenset[str]) -> Sink:
    from gesturectl.sinks.courier import Courier
    from gesturectl.sinks.uinput import UinputSink

    return UinputSink(courier=Courier(allow_hosts))


def _uinput_works() -> str | None:
    from gesturectl.sinks import uinputdevice

    return uinputdevice.works()


def _open_pynput(allow_hosts: frozenset[str]) -> Sink:
    from gesturectl.sinks.courier import Courier
    from gesturectl.sinks.pynput import PynputSink

    return PynputSink(Courier(allow_hosts))


def _pynput_works() -> str | None:
    from gesturectl.sinks import pynput

    return pynput.works()


def _open_print(allow_hosts: frozenset[str]) -> Sink:
    from gesturectl.sinks.print import PrintSink

    return PrintSink()


def _open_memory(allow_hosts: frozenset[str]) -> Sink:
    from gesturectl.sinks.memory import MemorySink

    return MemorySink()


def _always_works() -> None:
    return None


SINKS: dict[str, SinkSpec] = {
    spec.name: spec
    for spec in (
        SinkSpec(
            "x11",
            "keyboard and mouse of an X11 desktop, in any layout",
            _open_x11,
            _x11_works,
            ("linux",),
        ),
        SinkSpec(
            "wlroots",
            "keyboard and mouse of sway, labwc, niri, Hyprland and others of their kind on Wayland",
            _open_wlroots,
            _wlroots_works,
            ("linux",),
        ),
        SinkSpec(
            "portal",
            "keyboard and mouse of GNOME, KDE and others on Wayland, once you agree in a dialog",
            _open_portal,
            _portal_works,
            ("linux",),
        ),
        SinkSpec(
            "uinput",
            "keyboard and mouse in the kernel, where you have allowed it, on any desktop",
            _open_uinput,
            _uinput_works,
            ("linux",),
        ),
        SinkSpec(
            "pynput",
            "keyboard and mouse of Windows and macOS (and of X11, with limits)",
            _open_pynput,
            _pynput_works,
        ),
        SinkSpec("print", "print commands instead of sending them", _open_print, _always_works),
        SinkSpec("memory", "keep commands in a list, for tests", _open_memory, _always_works),
    )
}


def all_sinks() -> dict[str, SinkSpec]:
    """Return the built-in sinks and those of installed packages; broken ones are only logged."""
    found = dict(SINKS)
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        if entry.name in found:
            continue
        try:
            found[entry.name] = entry.load()
        except Exception:  # third-party code: it must not take the others down
            log.warning("sink %s from %s does not load", entry.name, entry.value, exc_info=True)
    return found


def open_sink(name: str, allow_hosts: frozenset[str] = frozenset()) -> Sink:
    """Open a sink by its name in the table. `allow_hosts` is what the user's settings allow.

    Raises:
        UsageError: there is no such sink.
        SinkError: it cannot be opened here and now; says what to do.
    """
    spec = SINKS.get(name) or all_sinks().get(name)
    if spec is None:
        raise UsageError(f"unknown sink {name!r}; there are: {', '.join(all_sinks())}")
    if spec.elsewhere is not None:
        raise SinkError(spec.elsewhere)
    return spec.open(allow_hosts)


# What suits a Wayland session, the best first. x11 reaches only programs in XWayland.
ON_WAYLAND = ("wlroots", "portal", "uinput", "x11")


def default_sink() -> str:
    """Return the name of the sink that suits this platform and session; `shortfall` says how well.

    Raises:
        SinkError: none works; says why not, of each that could, and what to do instead.
    """
    candidates: tuple[str, ...] = ("pynput",)
    if sys.platform.startswith("linux"):
        candidates = ON_WAYLAND if os.environ.get("WAYLAND_DISPLAY") else ("x11",)
    problems: dict[str, str] = {}
    for name in candidates:
        problem = SINKS[name].problem
        if problem is None:
            return name
        problems[name] = problem
    if len(problems) == 1:
        raise SinkError(f"{problem}; or print commands instead of sending them: --sink print")
    raise SinkError(
        f"no keys can be sent in this session:{_listed(problems)}\n"
        "Or print commands instead of sending them: --sink print"
    )


def _listed(problems: dict[str, str]) -> str:
    return "".join(f"\n{name}: {problem}" for name, problem in problems.items())


def shortfall(name: str) -> str | None:
    """Return what a sink cannot do in this session though it works, and what to do; or None.

    Under Wayland X11 sees only the programs that run in XWayland, the portal knows no places, and
    whoever writes to the kernel must be told the layout.
    """
    if name == "portal":
        from gesturectl.sinks.portal import FOLLOWED

        return FOLLOWED
    if name == "uinput":
        return (
            "keys and mouse reach every window, characters only by keys of your keyboard layout, "
            "as XWayland tells it: text in another script is refused"
        )
    if name != "x11" or not os.environ.get("WAYLAND_DISPLAY"):
        return None
    problems: dict[str, str] = {}
    for better in ON_WAYLAND[:-1]:
        problem = SINKS[better].problem
        if problem is None:
            return (
                "keys reach only programs that run in XWayland: this is a Wayland session; use "
                f"--sink {better}, which reaches all"
            )
        problems[better] = problem
    return f"keys reach only programs that run in XWayland, not all windows:{_listed(problems)}"
