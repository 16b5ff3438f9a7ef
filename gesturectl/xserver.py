"""A connection to an X server: how it begins, and what a user is told when it goes wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import xcffib

from gesturectl.errors import GesturectlError


def connect(
    name: str,
    problem: type[GesturectlError],
    extensions: tuple[str, ...] = (),
    kind: type[Any] = xcffib.Connection,
) -> Any:
    """Connect to the display `name`, whose server must have these extensions.

    Raises `problem` where there is none, or it does not let us in.
    """
    if not name:
        raise problem(
            "DISPLAY is not set: this is a Wayland session without XWayland, which X11 cannot reach"
            if os.environ.get("WAYLAND_DISPLAY")
            else "DISPLAY is not set: no X11 desktop here; start gesturectl inside the desktop "
            "session, or set DISPLAY (usually :0)"
        )
    try:
        connection = kind(name)
        lacking = [extension for extension in extensions if not has(connection, extension)]
    except (xcffib.XcffibException, UnicodeEncodeError) as error:
        raise problem(
            f"cannot connect to the X display {name}: no server there, or it does not let this "
            "user in; start gesturectl as the user of the desktop (not by sudo), and check "
            "DISPLAY and XAUTHORITY with `xdpyinfo`"
        ) from error
    for extension in lacking:
        connection.disconnect()
        raise problem(
            f"the X server of {name} has no {extension} extension; take "
            f"`-extension {extension}` out of the options that start it"
        )
    return connection


def has(connection: Any, extension: str) -> bool:
    """Whether the server has an extension."""
    return bool(connection.core.QueryExtension(len(extension), extension).reply().present)


def atoms(connection: Any, *names: str) -> Iterator[int]:
    """Yield the atoms of names, asked for together."""
    asked = [connection.core.InternAtom(False, len(name), name) for name in names]
    return (cookie.reply().atom for cookie in asked)


@contextmanager
def speaking(name: str, problem: type[GesturectlError], loss: str) -> Iterator[None]:
    """Turn what xcffib raises into what a user can act on: `loss` is what the end means."""
    try:
        yield
    except xcffib.ConnectionException as error:
        raise problem(f"the X display {name} is gone: {loss}") from error
    except xcffib.XcffibException as error:
        raise problem(
            f"the X server of {name} refused a request ({type(error).__name__})"
        ) from error


def in_bytes(values: Any) -> bytes:
    """Return bytes that xcffib gives as numbers or as one-character strings, by its version."""
    return bytes(ord(value) if isinstance(value, str | bytes) else value for value in values)
