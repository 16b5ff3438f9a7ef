"""Which window is in front, on a real X server: with a window manager, a poor one, and none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gesturectl.desktop.x11 import X11Desktop
from gesturectl.errors import DesktopError
from gesturectl.types import Window
from tests.conftest import require_program
from tests.e2e.process import finished, gesturectl
from tests.e2e.windows import Client
from tests.e2e.xserver import XServer, running_server, wait_until

pytestmark = pytest.mark.slow

US = Path(f"/proc/{os.getpid()}/exe").readlink().name if Path("/proc/self/exe").exists() else ""


class Watch:
    """A desktop that is polled as the daemon does; keeps what it said."""

    def __init__(self, desktop: X11Desktop) -> None:
        self.desktop = desktop
        self.said: list[Window] = []

    def now(self) -> list[tuple[str, str]]:
        """Poll once; return application and title of each window that was said to be in front."""
        said = [event for event in self.desktop.poll(0) if isinstance(event, Window)]
        self.said += said
        return [(window.app, window.title) for window in said]

    def waits_for(self, app: str, title: str) -> bool:
        """Poll until this window is said to be in front."""
        return wait_until(lambda: (app, title) in self.now())


@pytest.fixture
def watch(desktop: XServer) -> Iterator[Watch]:
    """A watch over the desktop of openbox."""
    with X11Desktop(desktop.display) as opened:
        yield Watch(opened)


@pytest.fixture
def client(desktop: XServer) -> Iterator[Client]:
    with Client(desktop) as client:
        yield client


@pytest.fixture
def bare() -> Iterator[XServer]:
    """A server without a window manager."""
    require_program("Xvfb")
    with running_server(window_manager=False) as server:
        yield server


def test_the_window_in_front_follows_the_window_manager(watch: Watch, client: Client) -> None:
    assert watch.now() == [("", "")]
    client.show("Impress", "talk.odp – Präsentation")
    assert watch.waits_for("Impress", "talk.odp – Präsentation")
    second = client.show("Mpv", "film")
    assert watch.waits_for("Mpv", "film")
    client.close(second)
    assert watch.waits_for("Impress", "talk.odp – Präsentation")


def test_a_new_title_is_said_by_the_very_next_poll(watch: Watch, client: Client) -> None:
    window = client.show("Impress", "slide 1")
    assert watch.waits_for("Impress", "slide 1")
    client.name(window, "slide 2")
    client.name(window, "slide 3")
    assert watch.now() == [("Impress", "slide 3")]
    assert watch.now() == []


def test_a_title_set_to_what_it_was_is_no_news(watch: Watch, client: Client) -> None:
    window = client.show("Impress", "slide 1")
    assert watch.waits_for("Impress", "slide 1")
    client.name(window, "slide 1")
    assert watch.now() == []


def test_the_last_window_that_closes_leaves_none_in_front(watch: Watch, client: Client) -> None:
    """openbox leaves _NET_ACTIVE_WINDOW on the window that is gone."""
    window = client.show("Impress", "talk")
    assert watch.waits_for("Impress", "talk")
    client.close(window)
    assert watch.waits_for("", "")


def test_the_program_is_named_unless_it_runs_elsewhere(watch: Watch, client: Client) -> None:
    client.show("Near", "here")
    assert watch.waits_for("Near", "here")
    assert watch.said[-1].executable == US
    client.show("Far", "there", machine="another-host")
    assert watch.waits_for("Far", "there")
    assert watch.said[-1].executable == ""


def test_titles_are_read_by_new_rules_and_by_old_ones(watch: Watch, client: Client) -> None:
    window = client.show("Old")
    client.write(window, "WM_NAME", "STRING", "müde".encode("latin-1"))
    assert watch.waits_for("Old", "müde")
    client.name(window, "ünter " * 2000)  # what is longer is cut, here within a character
    assert watch.waits_for("Old", ("ünter " * 2000).encode()[:4096].decode(errors="ignore"))


def test_all_windows_are_listed_and_the_one_in_front_is_marked(
    watch: Watch, client: Client
) -> None:
    client.show("One", "first")
    assert watch.waits_for("One", "first")
    client.show("Two", "second")
    assert watch.waits_for("Two", "second")
    assert [(of.app, of.title, of.executable, of.in_front) for of in watch.desktop.windows()] == [
        ("One", "first", US, False),
        ("Two", "second", US, True),
    ]


def test_list_windows_shows_what_match_can_name(
    watch: Watch, client: Client, desktop: XServer
) -> None:
    client.show("One", "first")
    client.show("Two", "second")
    assert watch.waits_for("Two", "second")
    with gesturectl("list", "windows", "--json", env=desktop.env) as process:
        code, out, err = finished(process)
    assert (code, err) == (0, "")
    assert json.loads(out) == [
        {"app": "Two", "title": "second", "executable": US, "in_front": True},
        {"app": "One", "title": "first", "executable": US, "in_front": False},
    ]
    with gesturectl("list", "windows", env=desktop.env) as process:
        code, out, err = finished(process)
    assert [line.split() for line in out.splitlines()] == [
        ["app", "title", "executable", "in_front"],
        ["Two", "second", US, "yes"],
        ["One", "first", US, "no"],
    ]


def test_list_windows_says_why_where_nobody_tells() -> None:
    env = {key: value for key, value in os.environ.items() if "DISPLAY" not in key}
    with gesturectl("list", "windows", env=env) as process:
        code, out, err = finished(process)
    assert (code, out) == (5, "")
    assert "DISPLAY is not set" in err


# --- without a window manager, or after one ------------------------------------------------------


def test_without_a_window_manager_the_focus_tells(bare: XServer) -> None:
    with X11Desktop(bare.display) as opened, Client(bare) as client:
        watch = Watch(opened)
        assert watch.now() == [("", "")]
        one, two = client.show("One", "first"), client.show("Two", "second")
        client.focus(one)
        assert watch.now() == [("One", "first")]
        client.focus(two)
        assert watch.now() == [("Two", "second")]
        client.name(two, "renamed")
        assert watch.now() == [("Two", "renamed")]
        assert [(of.app, of.in_front) for of in opened.windows()] == [("One", False), ("Two", True)]
        client.focus(0)
        assert watch.now() == [("", "")]


def test_a_window_manager_that_only_writes_the_active_window_is_believed(bare: XServer) -> None:
    with X11Desktop(bare.display) as opened, Client(bare) as client:
        watch = Watch(opened)
        one = client.show("One", "first")
        client.focus(client.show("Two", "second"))
        client.point_to(client.root, "_NET_ACTIVE_WINDOW", one)
        assert watch.now() == [("One", "first")]
        client.point_to(client.root, "_NET_ACTIVE_WINDOW", 0)
        assert watch.now() == [("", "")]


def test_what_a_dead_window_manager_wrote_is_not_believed(bare: XServer) -> None:
    with X11Desktop(bare.display) as opened, Client(bare) as client:
        watch = Watch(opened)
        one, two = client.show("One", "first"), client.show("Two", "second")
        client.focus(two)
        with Client(bare) as manager:
            check = manager.show()
            for window in (check, manager.root):
                manager.point_to(window, "_NET_SUPPORTING_WM_CHECK", check)
            manager.point_to(manager.root, "_NET_ACTIVE_WINDOW", one)
            assert watch.now() == [("One", "first")]
        assert watch.waits_for("Two", "second")


def test_a_window_that_is_gone_while_it_is_asked_about_is_nobody(bare: XServer) -> None:
    with X11Desktop(bare.display) as opened, Client(bare) as client:
        watch = Watch(opened)
        gone = client.show("Gone", "already")
        client.close(gone)
        client.point_to(client.root, "_NET_ACTIVE_WINDOW", gone)
        assert watch.now() == [("", "")]
        client.point_to(client.root, "_NET_ACTIVE_WINDOW", client.show("Next", "one"))
        assert watch.now() == [("Next", "one")]


def test_windows_may_come_and_go_as_fast_as_they_like(bare: XServer) -> None:
    with X11Desktop(bare.display) as opened, Client(bare) as client:
        for number in range(200):
            window = client.show("Many", str(number))
            client.point_to(client.root, "_NET_ACTIVE_WINDOW", window)
            if number % 3:
                opened.poll(number)
            client.close(window)
            opened.poll(number)
        last = client.show("Last", "one")
        client.point_to(client.root, "_NET_ACTIVE_WINDOW", last)
        assert Watch(opened).now() == [("Last", "one")]


def test_a_display_that_is_not_there_is_named() -> None:
    with pytest.raises(DesktopError, match="cannot connect to the X display :4321"):
        X11Desktop(":4321")


def test_a_display_that_goes_away_is_an_error_with_advice() -> None:
    require_program("Xvfb")
    with running_server(window_manager=False) as server:
        desktop = X11Desktop(server.display)
        desktop.poll(0)
    with desktop, pytest.raises(DesktopError, match=r"the X display :\d+ is gone"):
        desktop.poll(1)
