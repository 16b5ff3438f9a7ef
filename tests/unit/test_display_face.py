"""A face: what it puts on a screen, how often, and that it lives on without one."""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturectl import config
from gesturectl.config import Config, Display
from gesturectl.display import driving
from gesturectl.display.drawing import Picture
from gesturectl.display.driving import Driver
from gesturectl.display.face import PACE_US, RETRY_US, Face
from gesturectl.display.screens import Hot, open_screen
from gesturectl.display.seeing import FADE_US, GLOW_US, LINGER_US
from gesturectl.errors import DesktopError
from gesturectl.sinks.courier import Courier, Message, Way
from gesturectl.types import Notify, Play
from tests.shown import FIST, RESTING, SURE, SWIPE, row


@dataclass
class Paper:
    """A screen that keeps what is put on it. `knows` is whether it finds the pointer."""

    scale: float = 1.0
    knows: bool = True
    gone: bool = False
    anew: bool = False
    panels: list[Picture | None] = field(default_factory=list)
    rings: list[Picture | None] = field(default_factory=list)
    arranged: list[Display] = field(default_factory=list)
    closed: bool = False

    def fileno(self) -> int:
        return 0

    def read(self) -> bool:
        if self.gone:
            raise DesktopError("the desktop is gone")
        anew, self.anew = self.anew, False
        return anew

    def arrange(self, settings: Display) -> None:
        self.arranged.append(settings)

    def show(self, panel: Picture | None) -> None:
        self.panels.append(panel)

    def finds(self, at: tuple[float, float] | None) -> bool:
        return self.knows

    def point(self, ring: Picture | None, hot: Hot, at: tuple[float, float] | None) -> None:
        self.rings.append(ring)

    def close(self) -> None:
        self.closed = True


@dataclass
class Opener:
    """Opens papers, or says why not."""

    papers: list[Paper] = field(default_factory=lambda: [Paper()])
    asked: int = 0

    def __call__(self, settings: Display) -> Paper:
        self.asked += 1
        if not self.papers:
            raise DesktopError("no desktop is here")
        return self.papers.pop(0)


@pytest.fixture
def paper() -> Paper:
    return Paper()


def a_face(paper: Paper, **settings: Any) -> Face:
    return Face(Config(**settings), opener=Opener([paper]))


def test_nothing_is_opened_before_there_is_something_to_show(paper: Paper) -> None:
    opener = Opener([paper])
    faced = Face(Config(), opener=opener)
    assert faced.turn(0) is None
    assert faced.fileno() is None
    assert opener.asked == 0


def test_the_same_is_drawn_once(paper: Paper) -> None:
    faced = a_face(paper)
    for t_us in range(0, 10_000, 1000):
        faced.hear(row(candidate=FIST), t_us)
        faced.turn(t_us)
    assert len(paper.panels) == 1


def test_at_rest_it_asks_for_no_more_turns(paper: Paper) -> None:
    faced = a_face(paper)
    faced.hear(row(candidate=FIST), 0)
    faced.hear(row(fired=SWIPE), 1000)
    t_us: int | None = 1000
    turns = 0
    while t_us is not None:
        now_us, t_us = t_us, faced.turn(t_us)
        turns += 1
        assert t_us is None or t_us > now_us
    assert now_us <= 1000 + max(GLOW_US, LINGER_US + FADE_US) + 100_000
    assert turns < 40


def test_a_ring_is_shown_while_a_click_counts_down_and_then_taken_away(paper: Paper) -> None:
    faced = a_face(paper)
    for n, pointer in enumerate((None, RESTING, RESTING | {"dwell": 0.8}, None, None)):
        faced.hear(row(pointer=pointer), n * PACE_US)
        faced.turn(n * PACE_US)
    assert [one is None for one in paper.rings] == [True, False, False, True]


def test_where_the_pointer_is_not_found_the_panel_counts_down(paper: Paper) -> None:
    paper.knows = False
    faced = a_face(paper)
    faced.hear(row(pointer=RESTING), 0)
    faced.turn(0)
    faced.hear(row(pointer=RESTING | {"dwell": 0.9}), 1)
    assert faced.turn(1) == PACE_US
    assert len(paper.panels) == 1
    faced.turn(PACE_US)
    assert paper.rings == [None]
    first, second = paper.panels
    assert first is not None
    assert second is not None
    assert (first != second).any()


def test_when_the_desktop_is_gone_it_is_tried_again_and_nothing_is_raised(
    paper: Paper, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    after = Paper()
    opener = Opener([paper, after])
    faced = Face(Config(), opener=opener)
    faced.hear(row(), 0)
    faced.turn(0)
    paper.gone = True
    faced.turn(1)
    assert paper.closed
    faced.turn(2)
    assert len(after.panels) == 1
    assert "the desktop is gone" in caplog.text


@pytest.mark.parametrize(("show", "level"), [(None, "INFO"), (True, "WARNING")])
def test_without_a_desktop_it_says_so_once_and_loudly_where_it_was_asked_for(
    show: bool | None, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    opener = Opener([])
    faced = Face(Config(display=Display(show=show)), opener=opener)
    faced.hear(row(), 0)
    for t_us in range(0, 4 * RETRY_US, RETRY_US // 5):
        assert faced.turn(t_us) is not None
    assert opener.asked == 4
    assert [one.levelname for one in caplog.records] == [level]


def test_settings_are_taken_up_while_it_runs(paper: Paper) -> None:
    faced = a_face(paper)
    faced.hear(row(candidate=SURE), 0)
    faced.turn(0)
    faced.take_up(Config(display=Display(size=2.0)))
    faced.turn(1)
    assert paper.arranged == [Display(size=2.0)]
    small, large = paper.panels
    assert small is not None
    assert large is not None
    assert large.shape == (2 * small.shape[0], 2 * small.shape[1], 4)
    faced.take_up(Config(display=Display(show=False)))
    assert paper.closed
    faced.turn(2)
    assert len(paper.panels) == 2


def test_another_density_is_drawn_anew(paper: Paper) -> None:
    faced = a_face(paper)
    faced.hear(row(), 0)
    faced.turn(0)
    paper.scale, paper.anew = 2.0, True
    faced.turn(1)
    assert len(paper.panels) == 2


def test_what_is_no_row_of_a_display_is_passed_over(paper: Paper) -> None:
    faced = a_face(paper)
    for odd in ({"type": "state"}, {"type": "show"}, {}, {"type": "show", "paused": 1}):
        faced.hear(odd, 0)
    assert faced.turn(0) is None
    assert paper.panels == []


# --- sounds and notices -------------------------------------------------------------------------


def courier(sent: list[Message]) -> Courier:
    """A courier that keeps what would be played, and told on the desktop."""
    way = Way("kept", lambda hosts: sent.append, lambda: None)
    return Courier(ways={Play: way, Notify: way})


def test_sounds_are_off_unless_asked_for(paper: Paper) -> None:
    sent: list[Message] = []
    for asked in (False, True):
        faced = Face(Config(sounds=asked), opener=Opener([paper]), courier=courier(sent))
        faced.hear(row(), 0)
        faced.hear(row(fired=SWIPE), 1)
        faced.close()
        assert bool(sent) is asked
    (played,) = sent
    assert isinstance(played, Play)
    with wave.open(played.sound) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
    assert Path(played.sound).parent == Path(os.environ["XDG_RUNTIME_DIR"]) / "gesturectl"


def test_a_camera_that_stays_away_is_told_once_by_the_clock_alone(paper: Paper) -> None:
    sent: list[Message] = []
    faced = Face(Config(), opener=Opener([paper]), courier=courier(sent))
    faced.hear(row(frames=False, problem="it was unplugged"), 0)
    t_us: int | None = 0
    while t_us is not None:
        t_us = faced.turn(t_us)
    faced.close()
    assert [one.text for one in sent if isinstance(one, Notify)] == [
        "Gestures do nothing: it was unplugged"
    ]


# --- in a loop ----------------------------------------------------------------------------------


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(config, "folder", lambda: tmp_path)
    monkeypatch.setattr(driving, "LOOK_S", 0.02)
    yield tmp_path / "config.yaml"


def test_a_driver_turns_its_face_and_takes_up_what_was_saved(
    settings_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paper = Paper()
    ends = os.pipe()
    paper.fileno = lambda: ends[0]  # type: ignore[method-assign]

    async def story() -> None:
        driver = Driver(Config(), Opener([paper]))
        driver.hear(row(candidate=FIST))
        driver.hear(row(candidate=SURE))
        await _until(lambda: len(paper.panels) == 1)  # of two rows at once, one picture
        settings_file.write_text("display: {place: top}\n", "utf-8")
        await _until(lambda: paper.arranged == [Display(place="top")])
        settings_file.write_text("display: {place: nowhere}\n", "utf-8")
        await _until(lambda: "the settings stay as they were" in caplog.text)
        paper.anew = True
        count = len(paper.panels)
        os.write(ends[1], b"x")
        await _until(lambda: len(paper.panels) > count)
        driver.close()
        assert paper.closed

    asyncio.run(asyncio.wait_for(story(), 10))
    for end in ends:
        os.close(end)


async def _until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_without_any_desktop_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DesktopError, match="neither DISPLAY nor"):
        open_screen(Display())
    monkeypatch.setenv("WAYLAND_DISPLAY", "/nowhere/wayland-9")
    monkeypatch.setenv("DISPLAY", ":987")
    with pytest.raises(DesktopError, match=r"/nowhere/wayland-9.*:987"):
        open_screen(Display())


def test_pictures_are_of_bytes() -> None:
    paper = Paper()
    faced = a_face(paper, display=replace(Display(), motion="reduced"))
    faced.hear(row(), 0)
    faced.turn(0)
    (picture,) = paper.panels
    assert picture is not None
    assert picture.dtype == np.uint8
