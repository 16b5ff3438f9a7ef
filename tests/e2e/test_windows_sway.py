"""Which window is in front on Wayland: told by sway itself, and by the protocol of wlroots."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from gesturectl.desktop import Desktop, open_desktop
from gesturectl.desktop.sway import SwayDesktop
from gesturectl.desktop.wlroots import WlrootsDesktop
from gesturectl.errors import DesktopError
from gesturectl.types import Window
from tests.conftest import require_program
from tests.e2e.process import finished, gesturectl
from tests.e2e.wayland import Sway, running_sway
from tests.e2e.xserver import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def sway() -> Iterator[Sway]:
    require_program("sway", "swaymsg", "foot", "setpriv")
    with running_sway() as sway:
        yield sway


@pytest.fixture(params=["sway", "wlroots"])
def watch(sway: Sway, request: pytest.FixtureRequest) -> Iterator[Desktop]:
    """One sway, watched in either way."""
    if request.param == "sway":
        with SwayDesktop(sway.socket) as desktop:
            yield desktop
    else:
        with WlrootsDesktop(sway.wayland) as watched:
            yield watched


def said(watch: Desktop) -> list[tuple[str, str]]:
    return [(of.app, of.title) for of in watch.poll(0) if isinstance(of, Window)]


def says(watch: Desktop, app: str, title: str) -> bool:
    """Poll until this window is said to be in front."""
    return wait_until(lambda: (app, title) in said(watch))


def test_the_window_in_front_follows_the_desktop(sway: Sway, watch: Desktop) -> None:
    assert said(watch) == [("", "")]
    with sway.window("impress", "talk.odp – Präsentation"):
        assert says(watch, "impress", "talk.odp – Präsentation")
        with sway.window("mpv", "film"):
            assert says(watch, "mpv", "film")
            sway.tell("[app_id=impress] focus")
            assert says(watch, "impress", "talk.odp – Präsentation")
            sway.tell("[app_id=mpv] focus")
            assert says(watch, "mpv", "film")
        assert says(watch, "impress", "talk.odp – Präsentation")
    assert says(watch, "", "")
    assert said(watch) == []


def test_an_empty_workspace_has_nobody_in_front(sway: Sway, watch: Desktop) -> None:
    with sway.window("impress", "talk"):
        assert says(watch, "impress", "talk")
        sway.tell("workspace 2")
        assert says(watch, "", "")
        sway.tell("workspace 1")
        assert says(watch, "impress", "talk")


def test_a_window_without_the_focus_is_no_news(sway: Sway, watch: Desktop) -> None:
    with sway.window("one", "first"), sway.window("two", "second"):
        assert wait_until(lambda: len(watch.windows()) == 2)
        sway.tell("[app_id=two] focus")
        assert wait_until(lambda: [w.app for w in watch.windows() if w.in_front] == ["two"])
        said(watch)
        sway.tell("[app_id=one] move left")
        sway.tell("[app_id=two] focus")
        assert said(watch) == []


def test_all_windows_are_listed_and_the_one_in_front_is_marked(sway: Sway, watch: Desktop) -> None:
    with sway.window("one", "first"):
        assert says(watch, "one", "first")
        with sway.window("two", "second"):
            assert says(watch, "two", "second")
            listed = [(of.app, of.title, of.in_front) for of in watch.windows()]
            assert listed == [("one", "first", False), ("two", "second", True)]


def test_real_input_cannot_be_watched_and_that_is_said(watch: Desktop) -> None:
    assert watch.windows_problem is None
    assert "use the panic gesture" in (watch.input_problem or "")


def test_sway_names_the_program(sway: Sway) -> None:
    with SwayDesktop(sway.socket) as watch, sway.window("one", "first"):
        assert says(watch, "one", "first")
        assert [of.executable for of in watch.windows()] == ["foot"]


def test_a_window_that_was_there_first_is_known(sway: Sway, watch: Desktop) -> None:
    with sway.window("one", "first"):
        assert says(watch, "one", "first")
        for late in (SwayDesktop(sway.socket), WlrootsDesktop(sway.wayland)):
            with late:
                assert said(late) == [("one", "first")]


def test_sway_is_asked_before_the_others(sway: Sway, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WAYLAND_DISPLAY", "SWAYSOCK", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, sway.env[name])
    with open_desktop() as chosen:
        assert chosen.name == "sway"
    monkeypatch.delenv("SWAYSOCK")
    with open_desktop() as chosen:
        assert chosen.name == "wlroots"


def test_list_windows_works_there_too(sway: Sway, watch: Desktop) -> None:
    with sway.window("one", "first"):
        assert says(watch, "one", "first")
        with gesturectl("list", "windows", "--json", env=sway.env) as process:
            code, out, err = finished(process)
    assert (code, err) == (0, "")
    assert json.loads(out) == [
        {"app": "one", "title": "first", "executable": "foot", "in_front": True}
    ]


def test_a_desktop_that_ends_is_an_error_with_advice() -> None:
    require_program("sway", "swaymsg", "foot", "setpriv")
    with running_sway() as sway:
        both = (SwayDesktop(sway.socket), WlrootsDesktop(sway.wayland))
        for watch in both:
            watch.poll(0)
    for watch in both:
        with watch, pytest.raises(DesktopError, match=r"has ended: .*start gesturectl again"):
            watch.poll(1)
