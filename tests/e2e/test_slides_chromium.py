"""The main job: slides in a real browser go forward and back by swipes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require_program
from tests.e2e.process import START_S, finished, gesturectl
from tests.e2e.xserver import XServer, wait_until

pytestmark = pytest.mark.slow

DECK = Path(__file__).with_name("deck.html")


class Slides:
    """A browser in kiosk mode that shows the deck; tells the slide by the window's title."""

    def __init__(self, desktop: XServer, folder: Path) -> None:
        self._desktop = desktop
        self._process = subprocess.Popen(
            [
                *("chromium", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--disable-background-networking", "--disable-component-update"),
                *("--disable-sync", "--password-store=basic", "--kiosk"),
                *(f"--user-data-dir={folder}", f"--app={DECK.as_uri()}"),
            ],
            env=desktop.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def number(self) -> int | None:
        """Return the slide that the focused window shows, None while there is none."""
        title = subprocess.run(
            ["xdotool", "getactivewindow", "getwindowname"],
            env=self._desktop.env,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        found = re.search(r"slide (\d+) of", title)
        return int(found[1]) if found else None

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def slides(desktop: XServer, tmp_path: Path) -> Iterator[Slides]:
    require_program("chromium", "xdotool")
    slides = Slides(desktop, tmp_path / "chromium")
    try:
        assert wait_until(lambda: slides.number() == 1, 60.0), "Chromium does not come up"
        yield slides
    finally:
        slides.close()
        shutil.rmtree(tmp_path / "chromium", ignore_errors=True)


def swipe(desktop: XServer, *gestures: str) -> None:
    """Run the daemon with the shipped profile on a puppet that wakes it and acts these gestures."""
    source = f"puppet:open_palm:1.5s,{','.join(gestures)},wait:500ms"
    arguments = ("run", "--source", source, "--profile", "slides", "--sink", "x11")
    with gesturectl(*arguments, env=dict(os.environ) | desktop.env) as process:
        code, _, said = finished(process, START_S)
    assert code == 0, said


def test_slides_go_forward_and_back_by_swipes(desktop: XServer, slides: Slides) -> None:
    swipe(desktop, "swipe_left", "swipe_left")
    assert wait_until(lambda: slides.number() == 3), slides.number()
    swipe(desktop, "swipe_right")
    assert wait_until(lambda: slides.number() == 2), slides.number()


def test_a_swipe_at_a_sleeping_profile_turns_no_slide(desktop: XServer, slides: Slides) -> None:
    source = "puppet:swipe_left,swipe_left,wait:500ms"
    arguments = ("run", "--source", source, "--profile", "slides", "--sink", "x11")
    with gesturectl(*arguments, env=dict(os.environ) | desktop.env) as process:
        code, _, said = finished(process, START_S)
    assert code == 0, said
    assert slides.number() == 1
