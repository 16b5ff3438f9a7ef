"""What every `Landmarker` keeps, whatever finds the points."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from gesturectl.landmarks import Landmarker
from gesturectl.landmarks.litert import LiteRTLandmarker
from gesturectl.landmarks.mediapipe import MediaPipeLandmarker
from gesturectl.types import Frame, Needs, Observation
from tests.conftest import Bundles

pytestmark = pytest.mark.slow

Make = Callable[[Needs], Landmarker]


@pytest.fixture(params=["litert", "mediapipe"])
def make(request: pytest.FixtureRequest, bundles: Bundles) -> Make:
    """Every implementation in turn; a new one is a new line here."""
    return {
        "litert": lambda needs: LiteRTLandmarker(needs, bundles.hand, bundles.pose),
        "mediapipe": lambda needs: MediaPipeLandmarker(needs, bundles.hand, bundles.pose),
    }[request.param]


@pytest.fixture
def landmarker(make: Make) -> Iterator[Landmarker]:
    with make(Needs(hands=2, bodies=1)) as opened:
        yield opened


def empty_room(t_us: int, size_px: tuple[int, int] = (320, 240)) -> Frame:
    width, height = size_px
    return Frame(t_us, np.full((height, width, 3), 90, np.uint8))


def test_an_empty_room_is_an_empty_observation(landmarker: Landmarker) -> None:
    seen = landmarker.detect(empty_room(5_000_000))
    assert isinstance(seen, Observation)
    assert (seen.t_us, seen.hands, seen.bodies) == (5_000_000, (), ())
    assert seen.size_px == (320, 240)


def test_stamps_come_back_as_they_were_even_within_one_millisecond(landmarker: Landmarker) -> None:
    stamps = [0, 1, 400, 999, 1_000, 1_001, 40_000, 40_000, 86_400_000_000]
    assert [landmarker.detect(empty_room(t_us)).t_us for t_us in stamps] == stamps


def test_the_picture_may_change_its_size(landmarker: Landmarker) -> None:
    sizes = [(320, 240), (640, 480), (33, 57), (320, 240)]
    seen = [landmarker.detect(empty_room(i * 33_000, size)) for i, size in enumerate(sizes)]
    assert [one.size_px for one in seen] == sizes


def test_a_view_of_other_memory_is_as_good_as_a_picture(landmarker: Landmarker) -> None:
    large = np.full((480, 640, 3), 90, np.uint8)
    for i, view in enumerate((large[::2, ::2], large[:, :, ::-1], np.asfortranarray(large))):
        assert landmarker.detect(Frame(i * 33_000, view)).hands == ()


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((48, 64), np.uint8),
        np.zeros((48, 64, 4), np.uint8),
        np.zeros((48, 64, 3), np.float32),
        np.zeros((0, 64, 3), np.uint8),
    ],
    ids=["grey", "RGBA", "floats", "nothing"],
)
def test_what_is_no_rgb_picture_is_refused(landmarker: Landmarker, rgb: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a frame is uint8"):
        landmarker.detect(Frame(0, rgb))


@pytest.mark.parametrize("needs", [Needs(0, 0), Needs(1, 0), Needs(0, 1), Needs(2, 0)])
def test_only_what_is_needed_is_looked_for(make: Make, needs: Needs) -> None:
    with make(needs) as landmarker:
        assert landmarker.detect(empty_room(0)).hands == ()


def test_closing_twice_is_closing_once(make: Make) -> None:
    landmarker = make(Needs(hands=1, bodies=0))
    for _ in range(2):
        landmarker.__exit__(None, None, None)
    with pytest.raises(ValueError, match="closed"):
        landmarker.detect(empty_room(0))
