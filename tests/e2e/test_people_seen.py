"""Two people in one picture, through the real landmark models: one controls, the other does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from gesturectl import daemon, people
from gesturectl.engine import Step
from gesturectl.landmarks.mediapipe import MediaPipeLandmarker
from gesturectl.ledger import Ledger
from gesturectl.people import Crowd
from gesturectl.rig import Choice, open_rig
from gesturectl.sinks.memory import MemorySink
from gesturectl.types import Controls, Frame, KeyDown, Needs

pytestmark = pytest.mark.slow

PROFILE = """\
version: 1
control: {control}
modes: {{sleep: {{{asleep}wake: {{gesture: open_palm, hold_for: 600ms}}}}}}
bindings:
  - {{gesture: victory, do: {{key: v}}}}
  - {{gesture: thumb_up, do: {{hand_over: true}}}}
"""
LARGE = "?frame=webcam&size=0.8&x=-0.22"
SMALL = "?frame=webcam&size=0.7&x=0.22&skin=brown&seed=3"

Told = list[tuple[float, str]]


def told(source: str, folder: Path, control: str = "largest", *, asleep: bool = False) -> Told:
    """Run the daemon over a source; return what keys went down and who controlled, by seconds."""
    path = folder / "p.yaml"
    path.write_text(PROFILE.format(control=control, asleep="initial: true, " if asleep else ""))
    sink, happened = MemorySink(), Told()

    def note(t_us: int, step: Step, _: daemon.Meters) -> None:
        for one in (*step.requests, *step.commands):
            if isinstance(one, Controls):
                happened.append((t_us / 1e6, f"person {one.person}"))
            elif isinstance(one, KeyDown):
                happened.append((t_us / 1e6, one.key))

    with open_rig(Choice(source, str(path), sink), realtime=False) as rig:
        daemon.run(rig.source, rig.landmarker, rig.engine, sink, Ledger(), on_step=note)
    return happened


def words(happened: Told) -> list[str]:
    return [what for _, what in happened]


def test_the_other_s_gestures_do_nothing_until_control_is_handed_over(tmp_path: Path) -> None:
    large = f"victory,wait:4s,thumb_up,victory,wait:4s{LARGE}"
    small = f"wait:3s,victory,wait:6s,victory{SMALL}"
    happened = told(f"puppet:{large}+{small}", tmp_path)
    # People are numbered from the left as they see themselves: the large one is on the right.
    assert words(happened) == ["person 2", "v", "person 1", "v"]
    own_s, over_s, other_s = (at_s for at_s, _ in happened[1:])
    assert own_s < 3
    assert 8 < over_s < 10
    assert other_s > 13


def test_when_the_first_has_left_the_second_takes_over(tmp_path: Path) -> None:
    large = f"wait:2s{LARGE}&until=3"
    happened = told(f"puppet:{large}+wait:1s,victory,wait:4s,victory{SMALL}", tmp_path)
    assert words(happened) == ["person 2", "person 1", "v"]
    assert 5.9 < happened[1][0] < 6.5
    assert happened[2][0] > 9


def test_asleep_the_first_who_wakes_it_controls(tmp_path: Path) -> None:
    large = f"victory,wait:6s,open_palm:2s,victory{LARGE}"
    small = f"wait:2s,open_palm:2s,victory,wait:4s{SMALL}"
    happened = told(f"puppet:{large}+{small}", tmp_path, "first_armed", asleep=True)
    assert words(happened) == ["person 1", "v"]


def test_of_two_clips_side_by_side_no_hand_is_taken_for_the_other_s(shared_data: Path) -> None:
    crowd, ours, mixed = Crowd(), 0, 0
    with MediaPipeLandmarker(Needs(hands=4, bodies=2)) as landmarker:
        for frame in side_by_side(shared_data / "clips", "body_wave_1.mp4", "pinch_volume_1.mp4"):
            crowd, here = people.step(crowd, landmarker.detect(frame), 3_000_000)
            for one in here:
                halves = {bool(hand.image[0, 0] > 0.5) for hand in one.hands}
                if one.body is not None:
                    halves.add(bool(one.body.image[[11, 12], 0].mean() > 0.5))
                ours += len(one.hands)
                mixed += len(halves) > 1
    print(f"{ours} hands, {mixed} people with parts in both halves, {crowd.count} numbers")
    assert ours > 100
    assert mixed == 0


def side_by_side(folder: Path, *names: str) -> Iterator[Frame]:
    """Show two clips beside each other, as long as both last."""
    videos = [cv2.VideoCapture(str(folder / name)) for name in names]
    index = 0
    while True:
        halves = []
        for video in videos:
            read, bgr = video.read()
            if not read:
                return
            halves.append(cv2.resize(bgr, (640, 480)))
        rgb = np.ascontiguousarray(np.hstack(halves)[:, :, ::-1])
        yield Frame(index * 33_333, rgb)
        index += 1
