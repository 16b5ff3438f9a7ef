"""A D-Bus of the test's own, as a desktop session or a system has one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_bus(
    folder: Path,
    name: str = "bus",
    *,
    env: Mapping[str, str] | None = None,
    services: bool = False,
) -> Iterator[str]:
    """Run a bus whose files lie in a folder; gives its address.

    There is no service on it; with `services` it starts those that are installed, in `env`.
    """
    configuration = folder / f"{name}.conf"
    configuration.write_text(
        "<busconfig><type>session</type>"
        f"<listen>unix:path={folder / name}</listen><auth>EXTERNAL</auth>"
        f"{'<standard_session_servicedirs/>' if services else ''}"
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/>'
        '<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>'
    )
    command = ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env
    ) as daemon:
        assert daemon.stdout is not None
        address = daemon.stdout.readline().strip()
        try:
            yield address
        finally:
            daemon.terminate()
