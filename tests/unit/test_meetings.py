"""The camera goes to a meeting while its window is open, and comes back after it."""

from __future__ import annotations

from gesturectl import config
from gesturectl.desktop import OpenWindow
from gesturectl.meetings import Meetings

RULES = config.parse(
    "camera: {release_when: [zoom, {title: /^meet/}]}", "config.yaml"
).camera.release_when
ZOOM = OpenWindow("Zoom", "Zoom Meeting", "zoom", in_front=False)
MEET = OpenWindow("firefox", "Meet: Monday", "firefox", in_front=True)
OTHER = OpenWindow("firefox", "News", "firefox", in_front=True)


def away(*looks: tuple[float, tuple[OpenWindow, ...]]) -> list[str | None]:
    meetings = Meetings(RULES)
    return [meetings.look(lambda w=windows: w, round(t * 1e6)) for t, windows in looks]  # type: ignore[misc]


def test_while_the_window_is_open_in_front_or_not_the_camera_is_away() -> None:
    assert away((0, (OTHER,)), (2, (OTHER, ZOOM)), (4, (ZOOM,))) == [
        None,
        "Zoom has the camera",
        "Zoom has the camera",
    ]


def test_a_title_will_do() -> None:
    assert away((0, (MEET,))) == ["firefox has the camera"]


def test_it_comes_back_three_seconds_after_the_window_was_last_seen() -> None:
    told = away((0, (ZOOM,)), (2, ()), (4, ()), (6, ()))
    assert told == ["Zoom has the camera", "Zoom has the camera", None, None]


def test_it_is_looked_every_two_seconds() -> None:
    assert away((0, ()), (1, (ZOOM,)), (2, (ZOOM,))) == [None, None, "Zoom has the camera"]


def test_without_rules_nobody_looks() -> None:
    def windows() -> tuple[OpenWindow, ...]:
        raise AssertionError

    assert Meetings(()).look(windows, 5) is None
