"""Find hands and bodies with MediaPipe Tasks: the only module that imports it.

In:  Frame, time stamps growing.  Out: Observation, sides being the user's own.

MediaPipe runs in its VIDEO mode: it looks for palms and people only until it tracks them, so each
frame costs what `needs` asks for and no more. Around it this module keeps the house rules: stamps
in microseconds, plain arrays, no chatter on stderr, nothing sent anywhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from gesturectl.bundles import default_folder, hand_bundle, pose_bundle
from gesturectl.errors import ModelError
from gesturectl.landmarks import checked
from gesturectl.landmarks.plausible import is_person
from gesturectl.landmarks.quiet import without_chatter
from gesturectl.landmarks.sides import Track, settle
from gesturectl.types import Body, Float32, Frame, Hand, Needs, Observation, Side

# MediaPipe labels the person's own hand when the picture is not mirrored. Seen on the clip
# `pinch_volume_1`, where lettering on the shirt reads the right way round: the hand on the left of
# the picture, the user's right one, is "Right" in 366 of 366 frames, and the pose model's right
# wrist lies at it. On `two_hands_1`, likewise, hands and wrists agree in 206 of 206.
_SIDES: dict[str, Side] = {"Left": "left", "Right": "right"}

_WARM_UP_PX = (64, 64)


class MediaPipeLandmarker:
    """A `Landmarker`. Close it, or use it as a context manager: else the exit is noisy.

    Args:
        needs: how many hands and bodies to look for; with none of either, no model is loaded.
        hand_model: a hand bundle to use instead of the user's own (see `bundles`).
        pose_model: likewise for bodies.

    Raises:
        ModelError: a bundle cannot be had or is refused, or MediaPipe itself cannot be loaded.
    """

    def __init__(
        self, needs: Needs, hand_model: Path | None = None, pose_model: Path | None = None
    ) -> None:
        self.needs = needs
        self._tracks: tuple[Track, ...] = ()
        self._last_ms = -1
        self._hands: Any = None
        self._bodies: Any = None
        self._closed = False
        if needs.hands == 0 and needs.bodies == 0:
            return
        hand_path = hand_bundle(given=hand_model) if needs.hands else None
        pose_path = pose_bundle(given=pose_model) if needs.bodies else None
        self._mp = mp = _mediapipe()
        vision = mp.tasks.vision
        try:
            with without_chatter():
                if hand_path is not None:
                    options = vision.HandLandmarkerOptions(
                        base_options=_base(mp, hand_path),
                        running_mode=vision.RunningMode.VIDEO,
                        num_hands=needs.hands,
                    )
                    self._hands = vision.HandLandmarker.create_from_options(options)
                if pose_path is not None:
                    options = vision.PoseLandmarkerOptions(
                        base_options=_base(mp, pose_path),
                        running_mode=vision.RunningMode.VIDEO,
                        num_poses=needs.bodies,
                    )
                    self._bodies = vision.PoseLandmarker.create_from_options(options)
                # The first frame is slow and makes MediaPipe talk: let it be a black one.
                self.detect(Frame(0, np.zeros((*_WARM_UP_PX, 3), np.uint8)))
        except (ValueError, RuntimeError, OSError) as error:
            self.close()
            used = " and ".join(str(path) for path in (hand_path, pose_path) if path)
            raise ModelError(
                f"MediaPipe cannot start with {used}: {str(error).strip()}; "
                "try `gesturectl models verify`"
            ) from error

    def detect(self, frame: Frame) -> Observation:
        """Return what is in the frame; an empty Observation when nobody is.

        Raises:
            ValueError: the picture is not uint8 (H, W, 3), or the landmarker is closed.
        """
        if self._closed:
            raise ValueError("this landmarker is closed")
        size_px = checked(frame)
        if self._hands is None and self._bodies is None:
            return Observation(frame.t_us, (), (), size_px)

        # MediaPipe reads the memory as it lies, whatever the strides say, and copies it once.
        image = self._mp.Image(self._mp.ImageFormat.SRGB, np.ascontiguousarray(frame.rgb))
        # It wants whole milliseconds that grow; two frames within one must grow all the same.
        self._last_ms = max(frame.t_us // 1000, self._last_ms + 1)
        hands: tuple[Hand, ...] = ()
        bodies: tuple[Body, ...] = ()
        if self._hands is not None:
            found = self._hands.detect_for_video(image, self._last_ms)
            most = max(2, self.needs.hands)
            self._tracks, hands = settle(self._tracks, _hands_of(found), frame.t_us, size_px, most)
        if self._bodies is not None:
            found = self._bodies.detect_for_video(image, self._last_ms)
            bodies = tuple(b for b in _bodies_of(found) if is_person(b, hands, size_px))
        return Observation(frame.t_us, hands, bodies, size_px)

    def close(self) -> None:
        """Free the models. Closing twice does nothing."""
        self._closed = True
        for task in (self._hands, self._bodies):
            if task is not None:
                # A graph that failed says so once more when it is closed.
                with contextlib.suppress(ValueError, RuntimeError):
                    task.close()
        self._hands = self._bodies = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _hands_of(found: Any) -> list[Hand]:
    return [
        Hand(
            _SIDES[labels[0].category_name],
            float(labels[0].score),
            _points(image, lambda p: (p.x, p.y, p.z)),
            _points(world, lambda p: (p.x, p.y, p.z)),
        )
        for labels, image, world in zip(
            found.handedness, found.hand_landmarks, found.hand_world_landmarks, strict=True
        )
    ]


def _bodies_of(found: Any) -> list[Body]:
    return [
        Body(
            _points(image, lambda p: (p.x, p.y, p.z, p.visibility)),
            _points(world, lambda p: (p.x, p.y, p.z)),
        )
        for image, world in zip(found.pose_landmarks, found.pose_world_landmarks, strict=True)
    ]


def _points(landmarks: Sequence[Any], read: Callable[[Any], tuple[float, ...]]) -> Float32:
    return np.array([read(point) for point in landmarks], np.float32)


def _base(mp: Any, path: Path) -> Any:
    options = mp.tasks.BaseOptions
    return options(model_asset_path=str(path), delegate=options.Delegate.CPU)


def _mediapipe() -> Any:
    _send_no_metrics()
    try:
        with _quiet_imports():
            import mediapipe
    except OSError as error:  # a shared library of the system that it needs
        raise ModelError(
            f"MediaPipe cannot be loaded: {error}; on Debian and Ubuntu: "
            "apt install libegl1 libgles2 libgl1 libglib2.0-0"
        ) from error
    return mediapipe


@contextlib.contextmanager
def _quiet_imports() -> Iterator[None]:
    """Keep what MediaPipe imports for others' needs from writing where we do not.

    For sound it imports sounddevice, which looks for its library by running a compiler with
    temporary files; MediaPipe does without it. For drawings it imports matplotlib, which keeps a
    list of the system's fonts: in our cache then, not in folders of its own. Both seen with strace.
    """
    name, missing = "MPLCONFIGDIR", object()
    folder = default_folder().with_name("matplotlib")
    before = os.environ.get(name)
    sound = sys.modules.get("sounddevice", missing)
    os.environ.setdefault(name, str(folder))
    if sound is missing:
        sys.modules["sounddevice"] = None  # type: ignore[assignment]  # Python's way to say: none
    try:
        with contextlib.suppress(OSError):  # else matplotlib says that it takes a temporary one
            folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        if sound is missing:
            sys.modules.pop("sounddevice", None)


def _send_no_metrics() -> None:
    """Keep MediaPipe from calling home.

    From 1.0 on its library sends metrics of its use to its maker when a task is closed, and offers
    no switch (its README, "Privacy Notice"; google-ai-edge/mediapipe issue 6291). gesturectl
    promises that nothing leaves the machine. The library sends through libcurl, which reads its
    proxy from the environment and gives up before opening a socket when it knows no such kind
    (seen with strace). Only the C environment is changed, not `os.environ`: Python code in this
    process, and programs started with `env=os.environ`, do not notice.
    """
    name, nowhere = "https_proxy", "nowhere://"
    if sys.platform == "win32":
        ctypes.windll.kernel32.SetEnvironmentVariableW(name, nowhere)
    else:
        ctypes.CDLL(None).setenv(name.encode(), nowhere.encode(), 1)
