"""Real landmark models on real recordings: hands are seen, on the user's own sides, in silence."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from gesturectl.bundles import HAND, POSE, Store, default_folder
from gesturectl.errors import ModelError
from gesturectl.landmarks.mediapipe import MediaPipeLandmarker
from gesturectl.types import Frame, Needs, Observation
from tests.conftest import Bundles, require_program

pytestmark = pytest.mark.slow


def frames(clip: Path, first: int | None = None) -> Iterator[Frame]:
    """The pictures of a clip with the container's own time stamps."""
    video = cv2.VideoCapture(str(clip))
    count = 0
    while first is None or count < first:
        t_us = round(video.get(cv2.CAP_PROP_POS_MSEC) * 1000)
        ok, bgr = video.read()
        if not ok:
            break
        yield Frame(t_us, np.ascontiguousarray(bgr[:, :, ::-1]))
        count += 1
    video.release()


def watch(
    clip: Path, bundles: Bundles, needs: Needs, first: int | None = None
) -> list[Observation]:
    with MediaPipeLandmarker(needs, bundles.hand, bundles.pose) as landmarker:
        return [landmarker.detect(frame) for frame in frames(clip, first)]


def sides(seen: list[Observation]) -> Counter[str]:
    return Counter(hand.side for one in seen for hand in one.hands)


def test_the_bundles_in_use_are_those_of_the_recipe(bundles: Bundles) -> None:
    if bundles.hand.parent != default_folder():
        pytest.skip("this machine uses bundles of its own choice")
    found = [hashlib.sha256(p.read_bytes()).hexdigest() for p in (bundles.hand, bundles.pose)]
    assert found == [HAND.sha256, POSE.sha256]


def test_the_bundles_are_built_from_nothing_but_the_wheel_that_pip_fetches(
    tmp_path: Path, bundles: Bundles
) -> None:
    for variable in (HAND.variable, POSE.variable):
        if os.environ.get(variable):
            pytest.skip("this machine uses bundles of its own choice")
    try:
        made = Store(tmp_path / "models").install()
    except ModelError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    assert [path.read_bytes() for path in made] == [
        bundles.hand.read_bytes(),
        bundles.pose.read_bytes(),
    ]


def test_a_right_hand_is_right_in_a_picture_that_is_not_mirrored(
    shared_data: Path, bundles: Bundles
) -> None:
    # Lettering on the shirt reads the right way round; the hand is on the picture's left.
    seen = watch(shared_data / "clips/pinch_volume_1.mp4", bundles, Needs(1, 0), first=60)
    assert sides(seen) == {"right": 60}


def test_two_hands_have_two_sides_and_the_body_agrees_with_them(
    shared_data: Path, bundles: Bundles
) -> None:
    seen = watch(shared_data / "clips/two_hands_1.mp4", bundles, Needs(2, 1))
    both = [one for one in seen if len(one.hands) == 2]
    assert len(both) > 100
    for one in both:
        assert {hand.side for hand in one.hands} == {"left", "right"}
        (body,) = one.bodies
        for hand in one.hands:
            own, other = (15, 16) if hand.side == "left" else (16, 15)
            to_own, to_other = (
                np.linalg.norm(body.image[wrist, :2] - hand.image[0, :2]) for wrist in (own, other)
            )
            assert to_own < to_other


@pytest.mark.parametrize("clip", ["pose_fist_a1", "pose_fist_a2", "desk_hand_1"])
def test_a_flickering_label_does_not_swap_the_side(
    shared_data: Path, bundles: Bundles, clip: str
) -> None:
    seen = watch(shared_data / f"clips/{clip}.mp4", bundles, Needs(2, 0))
    assert sides(seen) == {"left": len(seen)}


@pytest.mark.parametrize(
    "clip", ["pose_victory_a2", "pose_point_up_a2", "pose_thumb_up_a2", "desk_hand_1"]
)
def test_a_lone_arm_is_no_body(shared_data: Path, bundles: Bundles, clip: str) -> None:
    seen = watch(shared_data / f"clips/{clip}.mp4", bundles, Needs(2, 1), first=80)
    assert [one.t_us for one in seen if one.bodies] == []


@pytest.mark.parametrize(
    "clip", ["body_squat_1", "body_wave_1", "neg_webcam_1", "gif5fps_push_pull", "mp_gesture_test"]
)
def test_people_are_bodies(shared_data: Path, bundles: Bundles, clip: str) -> None:
    seen = watch(shared_data / f"clips/{clip}.mp4", bundles, Needs(2, 1), first=100)
    assert sum(bool(one.bodies) for one in seen) >= 0.9 * len(seen)


def test_the_same_clip_gives_the_same_points_to_the_last_bit(
    shared_data: Path, bundles: Bundles
) -> None:
    clip = shared_data / "clips/pose_open_palm_a1.mp4"

    def numbers() -> list[bytes]:
        return [
            hand.image.tobytes() + (b"" if hand.world is None else hand.world.tobytes())
            for one in watch(clip, bundles, Needs(2, 1), first=40)
            for hand in one.hands
        ]

    assert numbers() == numbers()


PROGRAM = """
import sys
import numpy as np
from pathlib import Path
from gesturectl.landmarks.mediapipe import MediaPipeLandmarker
from gesturectl.types import Frame, Needs
with MediaPipeLandmarker(Needs(2, 1), Path(sys.argv[1]), Path(sys.argv[2])) as landmarker:
    for t_us in range(0, 600_000, 33_000):
        noise = np.random.default_rng(t_us).integers(0, 255, (240, 320, 3), np.uint8)
        landmarker.detect(Frame(t_us, noise))
"""


def test_a_whole_run_says_nothing_on_stderr(bundles: Bundles) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(bundles.hand), str(bundles.pose)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_a_bundle_that_mediapipe_refuses_is_a_clear_error(tmp_path: Path, bundles: Bundles) -> None:
    # The right shape, but the models inside are none: our own check cannot know that.
    broken = tmp_path / "broken.task"
    with zipfile.ZipFile(broken, "w") as archive:
        for member in HAND.members:
            archive.writestr(member.name, b"TFL3" * 100)
    with pytest.raises(ModelError, match=r"MediaPipe cannot start with .*broken\.task"):
        MediaPipeLandmarker(Needs(1, 0), hand_model=broken)


def test_a_program_started_later_has_its_network(bundles: Bundles, tmp_path: Path) -> None:
    # What silences MediaPipe is an environment variable; a browser must not inherit it.
    told = tmp_path / "told.txt"
    program = f"""{PROGRAM}
from gesturectl.sinks.programs import start
start(("sh", "-c", 'echo "proxy: $https_proxy" > "$0".part && mv "$0".part "$0"', {str(told)!r}))
"""
    environment = {name: value for name, value in os.environ.items() if name != "https_proxy"}
    run = [sys.executable, "-c", program, str(bundles.hand), str(bundles.pose)]
    subprocess.run(run, check=True, env=environment)
    deadline = time.monotonic() + 10
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert told.read_text() == "proxy: \n"


def test_nothing_is_sent_anywhere(bundles: Bundles, tmp_path: Path) -> None:
    """MediaPipe's own library would report its use to its maker when a task is closed."""
    require_program("strace")
    report = tmp_path / "calls.txt"
    run = subprocess.run(
        [
            *("strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(report)),
            *(sys.executable, "-c", PROGRAM, str(bundles.hand), str(bundles.pose)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in run.stderr.lower() or "operation not permitted" in run.stderr.lower():
        pytest.skip(f"this machine forbids tracing: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr
    elsewhere = re.findall(r".*sa_family=AF_INET6?.*", report.read_text())
    assert [call for call in elsewhere if '"127.0.0.1"' not in call] == []
