"""Real people before the real landmark models: their squats are counted, their presence is felt."""

from __future__ import annotations

from pathlib import Path

import pytest

from gesturectl.landmarks.mediapipe import MediaPipeLandmarker
from gesturectl.presence import Presence
from gesturectl.reps import Reps, Swing
from gesturectl.senses import Cue, Senses
from gesturectl.types import Began, Needs
from tests.conftest import Bundles
from tests.e2e.test_landmarks_real import frames

pytestmark = pytest.mark.slow

SQUATS = Cue("reps", Reps(angle=Swing("left_knee", 150.0, 100.0)))
SOMEBODY = Cue("presence", Presence())


def test_squats_of_a_recorded_person_are_counted(shared_data: Path, bundles: Bundles) -> None:
    senses = Senses([SQUATS, SOMEBODY])
    begun: list[str] = []
    with MediaPipeLandmarker(Needs(0, 1), pose_model=bundles.pose) as landmarker:
        for frame in frames(shared_data / "clips" / "body_squat_1.mp4"):
            events = senses.step(landmarker.detect(frame))
            begun += [event.gesture for event in events if isinstance(event, Began)]
    # Of four squats the first is under way before the pose model finds the person.
    assert begun.count(SQUATS.name) in (3, 4)
    assert begun.count(SOMEBODY.name) == 1
