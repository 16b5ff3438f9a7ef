"""Real panels for tests: xfce4-panel on X11, with nothing in it but icons."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.bus import WATCHER
from tests.e2e.xserver import XServer, running_server, wait_until
from tests.sessionbus import running_bus

STARTS_S = 30.0  # it starts a settings service and a process for its plugin
SIZE_PX = 32
# One panel at the top left, with one plugin.
SETTINGS = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="{SIZE_PX}"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
      <property name="known-items" type="array"><value type="string" value="gesturectl"/></property>
    </property>
  </property>
</channel>
"""


@dataclass(frozen=True)
class XfceDesktop:
    """A screen with a session's bus. `env` is an environment for programs in it."""

    server: XServer
    address: str
    env: dict[str, str]

    @contextmanager
    def panel(self) -> Iterator[subprocess.Popen[bytes]]:
        """Show the panel until the context ends."""
        process = subprocess.Popen(
            ["xfce4-panel", "--disable-wm-check"],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            assert wait_until(self._shows_icons, STARTS_S), "xfce4-panel does not come up"
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STARTS_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert wait_until(lambda: not self._shows_icons(), STARTS_S)

    def _shows_icons(self) -> bool:
        from dbus_fast import Message

        from tests.e2e.bus import ask

        call = Message(
            destination="org.freedesktop.DBus",
            path="/org/freedesktop/DBus",
            interface="org.freedesktop.DBus",
            member="NameHasOwner",
            signature="s",
            body=[WATCHER],
        )
        return bool(ask(self.address, call)[0])


@contextmanager
def xfce_desktop(folder: Path, runtime: Path) -> Iterator[XfceDesktop]:
    """Run an X server and a bus, on which a panel finds its settings."""
    settings = folder / "config" / "xfce4" / "xfconf" / "xfce-perchannel-xml"
    settings.mkdir(parents=True)
    (settings / "xfce4-panel.xml").write_text(SETTINGS, "utf-8")
    with running_server() as server:
        env = server.env | {
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_RUNTIME_DIR": str(runtime),
            "NO_AT_BRIDGE": "1",
            "GTK_A11Y": "none",
        }
        env.pop("DBUS_SESSION_BUS_ADDRESS", None)
        with running_bus(folder, env=env, services=True) as address:
            yield XfceDesktop(server, address, env | {"DBUS_SESSION_BUS_ADDRESS": address})


def alive(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
