"""The D-Bus of this session: where it is, and a connection to it; to that of the system as well."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

TIMEOUT_S: Final = 3.0  # of connecting, and of answers that come at once
LEAVE_S: Final = 1.0
NO_BUS: Final = (
    "this session has no D-Bus, or it does not let us in; start gesturectl inside the desktop "
    "session (DBUS_SESSION_BUS_ADDRESS says where it is)"
)
ENDED: Final = "the session's D-Bus has ended"


class NoBus(OSError):  # noqa: N818 (not there is what it is)
    """There is no bus, or it does not let us in; the message says what to do."""


def address() -> str | None:
    """Return the address of the session's bus, None where it has none.

    Where nobody has named it, it is where systemd puts it: dbus-fast does not look there.
    """
    named = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    if named:
        return named
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and (Path(runtime) / "bus").is_socket():
        return f"unix:path={Path(runtime) / 'bus'}"
    return None


@contextlib.asynccontextmanager
async def connected(kind: Literal["session", "system"] = "session") -> AsyncIterator[MessageBus]:
    """Be on a bus as long as this lasts.

    Raises:
        NoBus: there is none, or it does not let us in.
    """
    try:
        from dbus_fast import BusType, DBusError, InvalidAddressError
        from dbus_fast.aio import MessageBus
        from dbus_fast.errors import AuthError
    except ImportError as error:
        raise NoBus(f"the package dbus-fast cannot be imported ({error})") from error
    async with contextlib.AsyncExitStack() as stack:
        try:
            where = address() if kind == "session" else None
            bus = MessageBus(where, BusType[kind.upper()], negotiate_unix_fd=True)
            stack.push_async_callback(_leave, bus)
            await asyncio.wait_for(bus.connect(), TIMEOUT_S)
        except (OSError, InvalidAddressError, AuthError, DBusError, EOFError) as error:
            raise NoBus(NO_BUS if kind == "session" else str(error)) from error
        yield bus


async def _leave(bus: MessageBus) -> None:
    """Disconnect, and wait for that, however it ended."""
    bus.disconnect()
    if bus.unique_name is not None:  # it was connected
        ending = asyncio.gather(bus.wait_for_disconnect(), return_exceptions=True)  # type: ignore[no-untyped-call]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending, LEAVE_S)
