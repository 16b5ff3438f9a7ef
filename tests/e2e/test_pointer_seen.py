"""The real landmark models see the puppet's pinches as clicks, and its other gestures as none."""

from __future__ import annotations

import pytest

from gesturectl import pointer
from gesturectl.landmarks.mediapipe import MediaPipeLandmarker
from gesturectl.pointer import Settings, State
from gesturectl.sources.puppet import Puppet
from gesturectl.types import ButtonDown, ButtonUp, Command, Frame, Needs, Point, Scroll

pytestmark = pytest.mark.slow


def played(script: str) -> tuple[Puppet, list[Command]]:
    """Let the puppet act with the clutch closed; return all that came of it."""
    puppet, settings, state = Puppet(script), Settings(), State()
    commands: list[Command] = []
    with MediaPipeLandmarker(pointer.needs(settings)) as landmarker:
        for index in range(puppet.frames):
            frame = Frame(puppet.time_us(index), puppet.picture(index))
            asks = (Point(frame.t_us, "move", "right", on=True),)
            state, out = pointer.step(settings, state, landmarker.detect(frame), asks)
            commands += out
    assert pointer.needs(settings) == Needs(1, 0)
    return puppet, commands


@pytest.mark.parametrize("gesture", ["ok", "pinch"])
def test_fingertips_that_touch_click_while_they_do(gesture: str) -> None:
    puppet, commands = played(gesture)
    (act,) = puppet.truth
    downs = [one for one in commands if isinstance(one, ButtonDown)]
    ups = [one for one in commands if isinstance(one, ButtonUp)]
    assert [one.button for one in downs] == ["left"]
    assert [one.button for one in ups] == ["left"]
    assert act.start_us - 300_000 <= downs[0].t_us <= act.start_us + 500_000
    assert ups[0].t_us >= act.end_us - 500_000


@pytest.mark.parametrize("gesture", ["point_up", "victory", "open_palm", "thumb_up"])
def test_other_gestures_press_nothing_and_scroll_nothing(gesture: str) -> None:
    _, commands = played(gesture)
    assert not [one for one in commands if isinstance(one, ButtonDown | Scroll)]
