"""The icon by pystray, as on Windows and macOS: here it appears in Xfce's panel, by X11.

pystray's icon of X11 has no menu, so its rows are looked at in its own table of them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from gesturectl.tray.menu import Ask
from gesturectl.tray.status import State, Status
from tests.conftest import require_program
from tests.controlled import running
from tests.e2e.panels import XfceDesktop, xfce_desktop
from tests.e2e.test_tray_panel import comes_to_be_seen, seen
from tests.e2e.xserver import TIMEOUT_S, wait_until

pytestmark = pytest.mark.slow

# What `companion.main` does on these systems.
BESIDE = """\
import asyncio
from gesturectl.companion import accompany
from gesturectl.config import Config
from gesturectl.tray import systray
systray.around(lambda show: asyncio.run(accompany({"tray": show}, Config())))
"""


@pytest.fixture
def xfce(tmp_path: Path, short_folder: Path) -> Iterator[XfceDesktop]:
    pytest.importorskip("PIL")
    if find_spec("pystray") is None:  # importing it without a display raises
        pytest.skip("pystray is not installed: pip install gesturectl[tray]")
    require_program("Xvfb", "openbox", "xdotool", "dbus-daemon", "xfce4-panel")
    with xfce_desktop(tmp_path, short_folder) as desktop:
        yield desktop


def test_it_is_seen_follows_the_run_and_goes_with_it(
    xfce: XfceDesktop, short_folder: Path, tmp_path: Path
) -> None:
    env = xfce.env | {"PYSTRAY_BACKEND": "xorg"}
    with xfce.panel():
        with running(short_folder / "gesturectl") as run:
            process = subprocess.Popen([sys.executable, "-c", BESIDE], env=env)
            assert comes_to_be_seen(xfce, State.active, tmp_path / "active.png")
            run.control.paused = True
            assert comes_to_be_seen(xfce, State.paused, tmp_path / "paused.png")
            run.control.paused = False
            assert comes_to_be_seen(xfce, State.active, tmp_path / "resumed.png")
        assert wait_until(lambda: not seen(xfce, State.active, tmp_path / "gone.png"), TIMEOUT_S)
    # Only now: pystray's thread for X11 may sleep over its own end, which another thread read from
    # the connection, until the panel ends too.
    process.wait(TIMEOUT_S)


def test_its_menu_has_the_same_rows_and_they_ask_for_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("PIL")
    monkeypatch.setenv("PYSTRAY_BACKEND", "dummy")
    pystray = pytest.importorskip("pystray")
    from gesturectl.tray import systray

    panel = systray.Panel(pystray)
    asked: list[Ask] = []
    panel._act = asked.append
    panel._status = Status(State.active, "volume", ("active", "volume"), "media", ("media",))
    rows: dict[str, Any] = {str(item.text): item for item in panel.icon.menu.items}
    assert [text for text, item in rows.items() if item.default] == ["Pause"]
    assert not rows["gesturectl: active · profile media · mode volume"].enabled
    modes = {str(item.text): item for item in rows["Mode"].submenu.items}
    assert {text: item.checked for text, item in modes.items()} == {"active": False, "volume": True}
    modes["active"](panel.icon)
    rows["Pause"](panel.icon)
    rows["Quit"](panel.icon)
    assert asked == [Ask("mode", "active"), Ask("pause"), Ask("quit")]


def test_without_pystray_it_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from gesturectl.config import Config
    from gesturectl.errors import DesktopError
    from gesturectl.tray import systray

    monkeypatch.setitem(sys.modules, "pystray", None)
    given: list[Any] = []
    systray.around(given.append)
    (show,) = given
    with pytest.raises(DesktopError, match=r"pip install gesturectl\[tray\]"):
        asyncio.run(show(None, Config()))
