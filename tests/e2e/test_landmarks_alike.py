"""LiteRT finds what MediaPipe finds: the same networks, run by us, on the same pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from itertools import islice

import numpy as np
import pytest

from gesturectl.landmarks.beside import Beside, Found, Meanwhile
from gesturectl.landmarks.hands import Hands
from gesturectl.landmarks.litert import LiteRTLandmarker
from gesturectl.landmarks.mediapipe import MediaPipeLandmarker
from gesturectl.sources import to_its_end
from gesturectl.sources.puppet import Puppet
from gesturectl.types import Frame, Needs, Observation
from tests.conftest import Bundles

pytestmark = pytest.mark.slow

CLOSE = "open_palm:1s,fist:1s,victory:1s,thumb_up:1s?frame=closeup"
BODY = "t_pose:2s,arms_up:2s"


def acted(script: str, most: int = 120) -> Iterator[Frame]:
    return islice(to_its_end(Puppet(script)), most)


def both(script: str, needs: Needs, bundles: Bundles) -> list[tuple[Observation, Observation]]:
    with (
        LiteRTLandmarker(needs, bundles.hand, bundles.pose, always=True) as ours,
        MediaPipeLandmarker(needs, bundles.hand, bundles.pose) as theirs,
    ):
        return [(ours.detect(frame), theirs.detect(frame)) for frame in acted(script)]


def test_hands_are_seen_in_the_same_frames_at_the_same_places(bundles: Bundles) -> None:
    seen = both(CLOSE, Needs(1, 0), bundles)
    alike = [len(ours.hands) == len(theirs.hands) for ours, theirs in seen]
    assert np.mean(alike) > 0.97
    pairs = [(a.hands[0], b.hands[0]) for a, b in seen if a.hands and b.hands]
    assert len(pairs) > 50
    assert np.mean([a.side == b.side for a, b in pairs]) > 0.97
    size_px = np.array(seen[0][0].size_px)
    off_px = [np.abs((a.image - b.image)[:, :2] * size_px).mean() for a, b in pairs]
    assert np.median(off_px) < 0.5
    metres = [np.abs(a.world - b.world).mean() for a, b in pairs if a.world is not None]
    assert np.median(metres) < 0.001


def test_bodies_are_seen_in_the_same_frames_at_the_same_places(bundles: Bundles) -> None:
    seen = both(BODY, Needs(0, 1), bundles)
    assert np.mean([len(a.bodies) == len(b.bodies) for a, b in seen]) > 0.95
    pairs = [(a.bodies[0].image, b.bodies[0].image) for a, b in seen if a.bodies and b.bodies]
    assert len(pairs) > 60
    size_px = np.array(seen[0][0].size_px)
    off_px = []
    for ours, theirs in pairs:
        visible = theirs[:, 3] > 0.5
        off_px.append(np.abs((ours - theirs)[visible, :2] * size_px).mean())
    assert np.median(off_px) < 3.0


def test_a_hand_that_comes_in_is_found_as_soon_as_by_a_search_of_every_frame(
    bundles: Bundles,
) -> None:
    script = "wait:1.5s,open_palm:1.5s?frame=closeup"
    first = []
    for always in (False, True):
        with LiteRTLandmarker(Needs(2, 0), bundles.hand, always=always) as landmarker:
            seen = (bool(landmarker.detect(frame).hands) for frame in acted(script))
            first.append(next(number for number, found in enumerate(seen) if found))
    assert first[0] - first[1] <= 4  # 133 ms


def test_an_empty_room_is_hardly_looked_at(bundles: Bundles) -> None:
    rng = np.random.default_rng(4)
    room = rng.normal(100, 3, (30, 480, 640, 3)).clip(0, 255).astype(np.uint8)
    with LiteRTLandmarker(Needs(2, 0), bundles.hand) as landmarker:
        assert landmarker._hands is not None
        searched = []
        for number, rgb in enumerate(islice(np.concatenate([room] * 4), 120)):
            before = landmarker._for_hands.searched_us
            landmarker.detect(Frame(number * 33_333, rgb))
            searched.append(landmarker._for_hands.searched_us != before)
    assert sum(searched[30:]) <= 3  # in three seconds, once the room is known


class _AtOnce(Beside):
    """Runs what it is given before it returns."""

    def submit(self, work: Callable[[], Found]) -> Meanwhile[Found]:
        done: Future[Found] = Future()
        done.set_result(work())
        return Meanwhile(done, threading.get_native_id())


def test_what_is_found_while_others_are_followed_is_found_by_one_network_after_the_other_too(
    bundles: Bundles,
) -> None:
    with closing(Beside("palms")) as beside, closing(_AtOnce("none")) as at_once:
        together, in_turn = (Hands(bundles.hand, 2, one) for one in (beside, at_once))
        followed = []
        for number, frame in enumerate(acted("swipe_left?by=arm", 60)):
            rgb = frame.rgb.copy()
            if number < 30:  # one hand is covered at first
                rgb[:, : rgb.shape[1] // 2] = 0
            followed.append(len(together.regions))
            found = [hand.image for hand in together.look(rgb, search=True)]
            again = [hand.image for hand in in_turn.look(rgb, search=True)]
            assert np.array_equal(found, again)
        assert followed[29:32] == [1, 1, 2]
