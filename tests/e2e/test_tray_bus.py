"""The tray in its own process, on a private D-Bus, beside a loop with real control sockets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gesturectl.tray import icons
from gesturectl.tray.status import State
from tests.conftest import require_program
from tests.controlled import Running, running
from tests.e2e.bus import TIMEOUT_S, Icon, Watcher, environment, notification_service
from tests.e2e.xserver import wait_until
from tests.sessionbus import running_bus

Process = subprocess.Popen[str]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    require_program("dbus-daemon")
    with running_bus(tmp_path) as address:
        yield address


@pytest.fixture
def run(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A daemon in this process, which the companion will find."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    with running(short_folder / "gesturectl", {90: "+fist"}) as run:
        yield run


@contextmanager
def companion(bus: str) -> Iterator[Process]:
    """Start one for the daemon that runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gesturectl.companion", "tray"],
        env=environment(bus),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def registered(bus: str, watcher: Watcher) -> Icon:
    """Return the icon when it has come."""
    return Icon(bus, watcher.items.get(timeout=TIMEOUT_S))


@pytest.fixture
def icon(bus: str, run: Running) -> Iterator[Icon]:
    with Watcher(bus) as watcher, companion(bus):
        yield registered(bus, watcher)


def comes_to(condition: Callable[[], bool]) -> bool:
    return wait_until(condition, TIMEOUT_S)


def shows(icon: Icon, state: State) -> bool:
    """Whether all its pictures are those of a state."""
    pictures = list(map(list, icon.properties()["IconPixmap"]))
    return pictures == [[size, size, icons.argb(state, size)] for size in icons.SIZES_PX]


def test_the_icon_says_what_panels_and_screen_readers_want_to_know(icon: Icon) -> None:
    assert comes_to(lambda: shows(icon, State.active))
    said = icon.properties()
    assert (said["Id"], said["Title"], said["Status"]) == ("gesturectl", "gesturectl", "Active")
    assert list(said["ToolTip"]) == ["", [], "gesturectl: active · profile mine", ""]
    assert (said["Menu"], said["ItemIsMenu"]) == ("/MenuBar", False)


def test_a_click_on_pause_pauses_and_a_click_on_resume_resumes(icon: Icon, run: Running) -> None:
    assert comes_to(lambda: shows(icon, State.active))
    icon.click("Pause")
    assert comes_to(lambda: run.control.paused and shows(icon, State.paused))
    assert "Pause" not in icon.menu()
    icon.click("Resume")
    assert comes_to(lambda: not run.control.paused and shows(icon, State.active))


def test_a_click_on_the_icon_itself_pauses_and_resumes(icon: Icon, run: Running) -> None:
    assert comes_to(lambda: shows(icon, State.active))
    icon.activate()
    assert comes_to(lambda: run.control.paused and shows(icon, State.paused))
    icon.activate()
    assert comes_to(lambda: not run.control.paused and shows(icon, State.active))


def test_modes_are_chosen_and_the_chosen_one_is_marked(icon: Icon, run: Running) -> None:
    assert comes_to(lambda: "Mode/volume" in icon.menu())
    icon.click("Mode/sleep")
    assert comes_to(lambda: shows(icon, State.asleep))
    marked = {
        row: own["toggle-state"] for row, (_, own) in icon.menu().items() if row.startswith("Mode/")
    }
    assert marked == {"Mode/active": 0, "Mode/sleep": 1, "Mode/volume": 0}
    assert icon.properties()["ToolTip"][2] == "gesturectl: asleep · profile mine"


def test_profiles_of_the_user_and_shipped_ones_are_offered(icon: Icon) -> None:
    assert comes_to(lambda: {"Profile/mine", "Profile/media"} <= set(icon.menu()))


def test_recent_gestures_are_listed_as_they_are_called(icon: Icon) -> None:
    assert comes_to(lambda: "Recent gestures/fist (right)" in icon.menu())


def test_no_pictures_want_attention(icon: Icon, run: Running) -> None:
    run.source.problem = "camera 0 is in <use>"
    run.source.stalls.set()
    assert comes_to(lambda: shows(icon, State.camera_off))
    said = icon.properties()
    assert said["Status"] == "NeedsAttention"
    assert said["ToolTip"][2] == "gesturectl: camera off · camera 0 is in ‹use›"


def test_the_menu_answers_all_that_panels_ask(icon: Icon) -> None:
    assert comes_to(lambda: "Mode/volume" in icon.menu())
    number, own = icon.menu()["Pause"]

    def menu(member: str, signature: str, *body: Any) -> list[Any]:
        return icon.call("/MenuBar", "com.canonical.dbusmenu", member, signature, *body)

    assert menu("AboutToShow", "i", 0) == [False]
    assert menu("AboutToShowGroup", "ai", [0, 12345]) == [[], [12345]]
    assert menu("GetProperty", "is", number, "label")[0].value == own["label"]
    ((group,),) = menu("GetGroupProperties", "aias", [number], ["label"])
    assert (group[0], list(group[1])) == (number, ["label"])
    with pytest.raises(AssertionError, match="no row 12345"):
        menu("GetProperty", "is", 12345, "label")
    with pytest.raises(AssertionError, match="has no weather"):
        menu("GetProperty", "is", number, "weather")
    (errors,) = menu("EventGroup", "a(isvu)", [])
    assert errors == []
    _revision, (_, _, flat) = menu("GetLayout", "iias", 0, 1, [])
    assert all(child.value[2] == [] for child in flat)


def test_words_that_change_do_not_close_an_open_menu(bus: str, run: Running) -> None:
    with Watcher(bus) as watcher, companion(bus):
        icon = registered(bus, watcher)
        assert comes_to(lambda: "Recent gestures/fist (right)" in icon.menu())
        while not watcher.signals.empty():
            watcher.signals.get()
        icon.activate()
        assert comes_to(lambda: shows(icon, State.paused))
        assert comes_to(lambda: "ItemsPropertiesUpdated" in list(watcher.signals.queue))
        assert "LayoutUpdated" not in list(watcher.signals.queue)


def test_quit_ends_the_daemon_and_that_ends_the_companion(
    bus: str, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    with ExitStack() as ending, Watcher(bus) as watcher:
        run = ending.enter_context(running(short_folder / "gesturectl"))
        with companion(bus) as process:
            registered(bus, watcher).click("Quit")
            run.thread.join(TIMEOUT_S)
            assert not run.thread.is_alive()
            ending.close()
            assert process.wait(TIMEOUT_S) == 6  # the daemon has hung up


def test_it_is_asked_to_end_and_ends_well(bus: str, run: Running) -> None:
    with Watcher(bus) as watcher, companion(bus) as process:
        registered(bus, watcher)
        process.terminate()
        assert process.wait(TIMEOUT_S) == 0


def test_a_panel_that_starts_anew_gets_the_icon_again(bus: str, run: Running) -> None:
    with companion(bus):
        with Watcher(bus) as first:
            name = registered(bus, first).name
        for _ in range(3):
            with Watcher(bus) as another:
                assert another.items.get(timeout=TIMEOUT_S) == name


def test_without_a_panel_one_line_says_so_and_the_icon_waits(bus: str, run: Running) -> None:
    with companion(bus) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("20 no panel of this desktop shows icons")
        with Watcher(bus) as watcher:
            icon = registered(bus, watcher)
            assert comes_to(lambda: shows(icon, State.active))
        process.terminate()
        assert process.communicate(timeout=TIMEOUT_S)[1] == "20 the tray is in the panel\n"


def test_a_bus_that_ends_takes_the_icon_along_and_nothing_else(
    tmp_path: Path, run: Running
) -> None:
    with ExitStack() as bus_of_session:
        address = bus_of_session.enter_context(running_bus(tmp_path))
        with companion(address) as process:
            assert process.stderr is not None
            assert "no panel" in process.stderr.readline()
            bus_of_session.close()
            assert "no tray for now: the session's D-Bus has ended" in process.stderr.readline()
            frames = run.source.frames
            assert comes_to(lambda: run.source.frames > frames)
            assert process.poll() is None


def test_what_the_daemon_refuses_is_told_by_a_notification(bus: str, run: Running) -> None:
    with notification_service(bus) as shown, Watcher(bus) as watcher, companion(bus):
        registered(bus, watcher).click("Read the profile anew")
        assert shown.get(timeout=TIMEOUT_S)["summary"] == "this run cannot read profiles anew"
