"""`gesturectl bench frame` and `idle`: what a frame costs, beside bare MediaPipe on the same one.

`frame` plays frames to the daemon's path (landmarks, engine, commands) and to the loop that
        MediaPipe's documentation shows, in turns in one process. Whatever else the machine does
        slows both, so the ratio of the medians stays true where the times do not.
`idle`  an empty room, with a camera's noise: seconds of the processor, of all threads. And how many
        frames after a hand has come in it is found, by us and by a search of every frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from gesturectl import bundles
from gesturectl.engine import Engine
from gesturectl.errors import GesturectlError
from gesturectl.landmarks.quiet import without_chatter
from gesturectl.profile import load
from gesturectl.recogniser import Recogniser
from gesturectl.rig import Choice, open_landmarker
from gesturectl.sinks.unsent import Unsent
from gesturectl.sources import open_source, to_its_end
from gesturectl.sources.puppet import Puppet
from gesturectl.sources.puppet.backdrop import paint
from gesturectl.types import Frame, Needs, Observation

PROFILE: Final = "slides"
FRAMES: Final = 300
WARM_UP: Final = 20
IDLE_FRAMES: Final = 450
STEP_US: Final = 33_333
SIZE_PX: Final = (640, 480)
NOISE: Final = 3.0  # of a pixel, in grey levels: a webcam in a lit room
ENTRIES: Final = 6

Figures = dict[str, Any]
Look = Callable[[Frame], Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is measured: what is looked for, and in which frames."""

    says: str
    needs: Needs
    source: str


CLOSE: Final = "puppet:open_palm:4s,fist:3s,victory:4s?frame=closeup&seed=5"
SCENES: Final = {
    "one_hand": Scene("one hand in view, one looked for", Needs(1, 0), CLOSE),
    "two_hands": Scene("one hand in view, two looked for", Needs(2, 0), CLOSE),
    "hands_and_body": Scene("two hands and a body", Needs(2, 1), "puppet:all?by=arm"),
}


def measure_frames(choice: Choice, source: str | None = None) -> Figures:
    """Time every scene, on frames of its own or on those of `source`.

    Raises:
        GesturectlError: a model or the source cannot be had, or it gives too few frames.
    """
    return {
        name: _compared(choice, scene, source or scene.source) for name, scene in SCENES.items()
    }


def measure_idle(choice: Choice) -> Figures:
    """Compare what an empty room costs, and how soon a hand that comes in is found.

    Raises:
        GesturectlError: a model cannot be had.
    """
    needs = Needs(2, 0)
    engine = Engine(Recogniser.load(), load(PROFILE))
    with open_landmarker(needs, choice) as landmarker:
        ours_s = _spent_s(lambda frame: engine.step(landmarker.detect(frame)))
    with bare_loop(choice, needs) as bare:
        bare_s = _spent_s(bare)
    delays = [_entry(choice, seed) for seed in range(ENTRIES)]
    return {
        "on": f"an empty room, {IDLE_FRAMES - WARM_UP} frames of 640×480",
        "gesturectl_cpu_s": ours_s,
        "bare_mediapipe_cpu_s": bare_s,
        "ratio": ours_s / bare_s,
        "entries": len(delays),
        "noticed_after_frames": [ours for ours, _ in delays],
        "bare_mediapipe_after_frames": [bare for _, bare in delays],
        "later_than_bare_ms": max((ours - bare) * STEP_US / 1e3 for ours, bare in delays),
    }


def _spent_s(look: Look) -> float:
    """Return the processor's seconds, of all threads, that an empty room takes after a warm-up."""
    began_s = 0.0
    for number, frame in enumerate(_empty_room()):
        if number == WARM_UP:
            began_s = time.process_time()
        look(frame)
    return time.process_time() - began_s


def _compared(choice: Choice, scene: Scene, source: str) -> Figures:
    engine, sink = Engine(Recogniser.load(), load(PROFILE)), Unsent()
    ours_ms: list[float] = []
    bare_ms: list[float] = []
    with open_landmarker(scene.needs, choice) as landmarker, bare_loop(choice, scene.needs) as bare:

        def ours(frame: Frame) -> None:
            for command in engine.step(landmarker.detect(frame)).commands:
                sink.send(command)

        for number, frame in enumerate(_frames(source)):
            pairs: list[tuple[Look, list[float]]] = [(ours, ours_ms), (bare, bare_ms)]
            # Who goes first finds colder caches: take turns.
            for run, times_ms in pairs if number % 2 else pairs[::-1]:
                began_ns = time.perf_counter_ns()
                run(frame)
                times_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
    if len(ours_ms) <= WARM_UP:
        raise GesturectlError(f"{source}: {len(ours_ms)} frames are too few to measure")
    (ours_50, ours_95), (bare_50, bare_95) = (
        (float(one) for one in np.percentile(times_ms[WARM_UP:], (50, 95)))
        for times_ms in (ours_ms, bare_ms)
    )
    return {
        "on": source,
        "frames": len(ours_ms) - WARM_UP,
        "gesturectl_median_ms": ours_50,
        "gesturectl_p95_ms": ours_95,
        "bare_mediapipe_median_ms": bare_50,
        "bare_mediapipe_p95_ms": bare_95,
        "ratio_of_medians": ours_50 / bare_50,
        "ratio_of_p95": ours_95 / bare_95,
    }


def _frames(spec: str) -> Iterator[Frame]:
    with open_source(spec, realtime=False) as source:
        for item in islice(to_its_end(source), WARM_UP + FRAMES):
            if isinstance(item, Observation):
                raise GesturectlError(f"{spec} has no pictures; give a video or the puppet")
            yield item


def _empty_room() -> Iterator[Frame]:
    room = paint("room", SIZE_PX, 1, "bright").astype(np.float32)
    rng = np.random.default_rng(1)
    films = [
        (room + rng.normal(0, NOISE, room.shape)).clip(0, 255).astype(np.uint8) for _ in range(30)
    ]
    for number in range(IDLE_FRAMES):
        yield Frame(number * STEP_US, films[number % len(films)])


def _entry(choice: Choice, seed: int) -> tuple[int, int]:
    """Return how many frames after a hand is shown whole we find it, and bare MediaPipe does."""
    puppet = Puppet(f"wait:2s,open_palm:2s?frame=closeup&seed={seed}")
    needs = Needs(2, 0)
    with open_landmarker(needs, choice) as landmarker, bare_loop(choice, needs) as bare:
        looks: list[Callable[[Frame], bool]] = [
            lambda frame: bool(landmarker.detect(frame).hands),
            lambda frame: bool(bare(frame)),
        ]
        shown: int | None = None
        found: list[int | None] = [None, None]
        for number, frame in enumerate(islice(to_its_end(puppet), puppet.frames)):
            if shown is None and puppet.look(number).right is not None:
                shown = number
            for who, look in enumerate(looks):
                if look(frame) and found[who] is None:
                    found[who] = number
            if shown is not None and None not in found:
                break
    if shown is None or found[0] is None or found[1] is None:
        raise GesturectlError("the puppet's hand was not found: the bench is at fault")
    return found[0] - shown, found[1] - shown


@contextmanager
def bare_loop(choice: Choice, needs: Needs) -> Iterator[Look]:
    """Give what a short script around MediaPipe does with a frame, as its documentation shows.

    It gives the hands that it has found.
    """
    import mediapipe as mp

    vision, options = mp.tasks.vision, mp.tasks.BaseOptions
    video = vision.RunningMode.VIDEO
    tasks = []
    with ExitStack() as stack:
        with without_chatter():
            if needs.hands:
                bundle = bundles.hand_bundle(choice.progress, choice.hand_model)
                hands = vision.HandLandmarkerOptions(
                    base_options=options(model_asset_path=str(bundle)),
                    running_mode=video,
                    num_hands=needs.hands,
                )
                tasks.append(stack.enter_context(vision.HandLandmarker.create_from_options(hands)))
            if needs.bodies:
                bundle = bundles.pose_bundle(choice.progress, choice.pose_model)
                bodies = vision.PoseLandmarkerOptions(
                    base_options=options(model_asset_path=str(bundle)),
                    running_mode=video,
                    num_poses=needs.bodies,
                )
                tasks.append(stack.enter_context(vision.PoseLandmarker.create_from_options(bodies)))

            def detect(frame: Frame) -> Any:
                image = mp.Image(mp.ImageFormat.SRGB, frame.rgb)
                found = [task.detect_for_video(image, frame.t_us // 1000 + 1) for task in tasks]
                return found[0].hand_landmarks if needs.hands else found[0].pose_landmarks

            detect(Frame(-1000, np.zeros((64, 64, 3), np.uint8)))
        yield detect


def show_frames(figures: Figures, console: Console) -> None:
    """Print a row for each scene."""
    table = Table("a frame", "gesturectl", "p95", "bare", "p95", "ratio", "of p95", box=None)
    for name, one in figures.items():
        table.add_row(
            SCENES[name].says,
            f"{one['gesturectl_median_ms']:.2f} ms",
            f"{one['gesturectl_p95_ms']:.2f}",
            f"{one['bare_mediapipe_median_ms']:.2f} ms",
            f"{one['bare_mediapipe_p95_ms']:.2f}",
            f"{one['ratio_of_medians']:.2f}",
            f"{one['ratio_of_p95']:.2f}",
        )
    console.print(table)


def show_idle(figures: Figures, console: Console) -> None:
    """Print what an empty room costs, and how soon a hand is found."""
    console.print(
        f"nobody in view: {figures['gesturectl_cpu_s']:.3f} s of the processor, bare MediaPipe "
        f"{figures['bare_mediapipe_cpu_s']:.3f} s: {figures['ratio']:.3f} of it\n"
        f"a hand that comes in is found {figures['noticed_after_frames']} frames after it is shown "
        f"whole, by bare MediaPipe {figures['bare_mediapipe_after_frames']}",
        highlight=False,
    )
