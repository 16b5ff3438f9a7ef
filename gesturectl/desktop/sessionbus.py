"""Where the D-Bus of this session is, for those who look whether it has one."""

from __future__ import annotations

import os
from pathlib import Path


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
