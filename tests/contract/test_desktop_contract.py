"""One suite for every desktop: it says who is in front, repeats nothing, and ends clearly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import pytest

from gesturectl.desktop import DESKTOPS, Desktop, NoDesktop, OpenWindow
from gesturectl.types import UserInput, Window
from tests.conftest import require_program
from tests.e2e.wayland import running_sway
from tests.e2e.windows import Client
from tests.e2e.xserver import wait_until


@dataclass
class Watched:
    """A desktop, and how to show a window on it, if it can have any."""

    desktop: Desktop
    show: Callable[[str, str], AbstractContextManager[object]] | None


@contextmanager
def watched_none(_request: pytest.FixtureRequest) -> Iterator[Watched]:
    yield Watched(NoDesktop("there is none"), None)


@contextmanager
def watched_x11(request: pytest.FixtureRequest) -> Iterator[Watched]:
    server = request.getfixturevalue("desktop")

    @contextmanager
    def show(app: str, title: str) -> Iterator[None]:
        with Client(server) as client:
            client.show(app, title)
            yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", server.display)
        patch.delenv("WAYLAND_DISPLAY", raising=False)
        yield Watched(DESKTOPS["x11"](None), show)


@contextmanager
def watched_on_sway(name: str) -> Iterator[Watched]:
    require_program("sway", "swaymsg", "foot", "setpriv")
    with running_sway() as sway, pytest.MonkeyPatch.context() as patch:
        for variable in ("WAYLAND_DISPLAY", "SWAYSOCK", "XDG_RUNTIME_DIR"):
            patch.setenv(variable, sway.env[variable])
        yield Watched(DESKTOPS[name](None), sway.window)


WATCHED = {
    "none": watched_none,
    "x11": watched_x11,
    "sway": lambda _request: watched_on_sway("sway"),
    "wlroots": lambda _request: watched_on_sway("wlroots"),
}


@pytest.fixture(params=list(WATCHED))
def watched(request: pytest.FixtureRequest) -> Iterator[Watched]:
    with WATCHED[request.param](request) as watched:
        yield watched


def shown(watched: Watched, app: str, title: str) -> AbstractContextManager[object]:
    return nullcontext() if watched.show is None else watched.show(app, title)


def test_the_suite_covers_every_desktop() -> None:
    assert WATCHED.keys() == {"none", *DESKTOPS}


def test_it_is_called_what_the_table_calls_it(
    watched: Watched, request: pytest.FixtureRequest
) -> None:
    with watched.desktop as desktop:
        assert desktop.name == request.node.callspec.params["watched"]


def test_the_first_poll_says_who_is_in_front_and_the_second_nothing(watched: Watched) -> None:
    with watched.desktop as desktop:
        assert desktop.poll(33_333) == (Window(33_333),)
        assert desktop.poll(66_666) == ()


def test_a_window_that_comes_to_the_front_is_said_once(watched: Watched) -> None:
    with watched.desktop as desktop:
        desktop.poll(0)
        happened: list[Window | UserInput] = []

        def comes() -> bool:
            happened.extend(desktop.poll(7))
            return any(isinstance(of, Window) and of.title == "talk – ü" for of in happened)

        with shown(watched, "Impress", "talk – ü"):
            assert wait_until(comes, 5.0 if watched.show else 0.1) == bool(watched.show)
            assert all(of.t_us == 7 for of in happened)
            assert desktop.poll(8) == ()
            front = [of for of in desktop.windows() if of.in_front]
            assert [(of.app, of.title) for of in front] == (
                [("Impress", "talk – ü")] if watched.show else []
            )


def test_it_lists_nothing_where_nothing_is_open(watched: Watched) -> None:
    with watched.desktop as desktop:
        listed: tuple[OpenWindow, ...] = desktop.windows()
        assert listed == ()
