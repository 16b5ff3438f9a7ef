"""`gesturectl bench`: what a frame and a profile cost here, and how exact the pointer is.

`step`   the engine alone, on two hands and a body in every frame: median and 99th percentile.
`frame`  all that a frame costs, picture to commands, against a bare MediaPipe loop on the same
         frames. Both run in turns in one process, so whatever else the machine does slows both,
         and the ratio of the medians stays true where the times do not.
`pointer` how steady, late and exact the pointer is: see `benchpointer`.
`profile` what a profile of 500 bindings costs: see `benchprofile`.
`control` what sockets cost the frames, and what they carry: see `benchcontrol`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from gesturectl import benchcontrol, benchpointer, benchprofile, bundles
from gesturectl.engine import Engine
from gesturectl.errors import GesturectlError
from gesturectl.landmarks import AUTO
from gesturectl.profile import load
from gesturectl.recogniser import Recogniser
from gesturectl.rig import EVERYTHING, Choice, open_landmarker
from gesturectl.sinks.unsent import Unsent
from gesturectl.sources import EndOfSource, open_source
from gesturectl.sources.puppet import Puppet, Truth
from gesturectl.trace import read_trace
from gesturectl.types import Body, Float32, Frame, Hand, Observation

STEP_FRAMES = 3000
STEP_WARM_UP = 100
FRAME_FRAMES = 300
FRAME_WARM_UP = 20
SOURCE = "puppet:all?by=arm"
PROFILE = "slides"

Figures = dict[str, float | int | str]


def bench(
    name: str,
    *,
    source: str | None = None,
    trace: Path | None = None,
    as_json: bool,
    hand_model: Path | None = None,
    estimator: str = AUTO,
    pose_model: Path | None = None,
    progress: bundles.Progress | None = None,
) -> None:
    """Measure `step`, `frame`, `pointer`, `profile`, `control` or `all`, and print tables or JSON.

    Raises:
        GesturectlError: a model, the source or the trace cannot be had.
    """
    choice = Choice(
        source=source or SOURCE,
        profile=PROFILE,
        sink="memory",
        hand_model=hand_model,
        estimator=estimator,
        pose_model=pose_model,
        progress=progress,
    )
    results: dict[str, Figures] = {}
    if name in ("step", "all"):
        results["step"] = bench_step(trace)
    if name in ("frame", "all"):
        results["frame"] = bench_frame(choice)
    pointers = benchpointer.measure(trace) if name in ("pointer", "all") else None
    profiles = benchprofile.measure() if name in ("profile", "all") else None
    sockets = benchcontrol.measure() if name in ("control", "all") else None
    if as_json:
        more = {"pointer": pointers, "profile": profiles, "control": sockets}
        print(json.dumps(results | {key: one for key, one in more.items() if one}, indent=2))
        return
    for title, figures in results.items():
        table = Table(title, "", box=None)
        for what, value in figures.items():
            table.add_row(what, f"{value:.4g}" if isinstance(value, float) else str(value))
        Console().print(table)
    if pointers:
        benchpointer.show(pointers, Console())
    if profiles:
        benchprofile.show(profiles, Console())
    if sockets:
        benchcontrol.show(sockets, Console())


# --- step ---------------------------------------------------------------------------------------


def bench_step(trace: Path | None = None) -> Figures:
    """Time `engine.step` on a trace, or on the puppet's true landmarks: two hands and a body.

    Raises:
        TraceError: the trace is damaged.
        GesturectlError: it has too few frames to measure anything.
    """
    observations = (item for item, _ in read_trace(trace)) if trace else two_hands_and_a_body()
    engine = Engine(Recogniser.load(), load(PROFILE))
    times_us: list[float] = []
    for observation in islice(observations, STEP_WARM_UP + STEP_FRAMES):
        began_ns = time.perf_counter_ns()
        engine.step(observation)
        times_us.append((time.perf_counter_ns() - began_ns) / 1e3)
    measured = times_us[STEP_WARM_UP:]
    if not measured:
        raise GesturectlError(f"{trace}: {len(times_us)} frames are too few; give a longer trace")
    return {
        "on": str(trace) if trace else "two hands and a body, by the puppet's true landmarks",
        "frames": len(measured),
        "median_us": median(measured),
        "p99_us": float(np.percentile(measured, 99)),
    }


def two_hands_and_a_body() -> Iterator[Observation]:
    """Yield for ever what a perfect landmarker would see of the puppet acting every gesture.

    The second hand is the first one, mirrored, whether or not it is really in the picture.
    """
    puppet = Puppet(SOURCE.removeprefix("puppet:"))
    start_us = 0
    while True:
        for index in range(puppet.frames):
            t_us = start_us + puppet.time_us(index)
            truth = puppet.look(index)
            if truth.right is None:
                continue
            hands = (_hand(truth.right), _mirrored(_hand(truth.right)))
            yield Observation(t_us, hands, (_body(truth),), puppet.script.image)
        start_us += puppet.time_us(puppet.frames)


def _hand(points: np.ndarray) -> Hand:
    return Hand("right", 1.0, _with_columns(points, 0.0))


def _mirrored(hand: Hand) -> Hand:
    image = hand.image.copy()
    image[:, 0] = 1.0 - image[:, 0]
    return Hand("left", hand.score, image)


def _body(truth: Truth) -> Body:
    return Body(_with_columns(truth.body, 0.0, 1.0))


def _with_columns(points: np.ndarray, *values: float) -> Float32:
    more = [np.full(len(points), value) for value in values]
    return np.column_stack([points, *more]).astype(np.float32)


# --- frame --------------------------------------------------------------------------------------


def bench_frame(choice: Choice) -> Figures:
    """Time all that the daemon does with a frame, in turns with a bare MediaPipe loop on it.

    Both look for two hands and a body, each with landmarkers of its own.

    Raises:
        GesturectlError: a model or the source cannot be had.
    """
    engine = Engine(Recogniser.load(), load(PROFILE))
    sink = Unsent()
    ours_us: list[float] = []
    bare_us: list[float] = []
    with open_landmarker(EVERYTHING, choice) as landmarker, _bare_loop(choice) as bare:

        def ours(frame: Frame) -> None:
            for command in engine.step(landmarker.detect(frame)).commands:
                sink.send(command)

        for number, frame in enumerate(_frames(choice.source)):
            pairs: list[tuple[Callable[[Frame], None], list[float]]] = [
                (ours, ours_us),
                (bare, bare_us),
            ]
            # Who goes first finds colder caches: take turns.
            for run, times_us in pairs if number % 2 else pairs[::-1]:
                began_ns = time.perf_counter_ns()
                run(frame)
                times_us.append((time.perf_counter_ns() - began_ns) / 1e3)
    if len(ours_us) <= FRAME_WARM_UP:
        raise GesturectlError(f"{choice.source}: {len(ours_us)} frames are too few to measure")
    ours_ms = median(ours_us[FRAME_WARM_UP:]) / 1e3
    bare_ms = median(bare_us[FRAME_WARM_UP:]) / 1e3
    return {
        "on": choice.source,
        "frames": len(ours_us) - FRAME_WARM_UP,
        "gesturectl_median_ms": ours_ms,
        "bare_mediapipe_median_ms": bare_ms,
        "ratio_of_medians": ours_ms / bare_ms,
    }


def _frames(spec: str) -> Iterator[Frame]:
    with open_source(spec, realtime=False) as source:
        given = 0
        while given < FRAME_WARM_UP + FRAME_FRAMES:
            try:
                item = source.read(1.0)
            except EndOfSource:
                return
            if isinstance(item, Observation):
                raise GesturectlError(f"{spec} has no pictures; give a video or the puppet")
            if item is not None:
                given += 1
                yield item


@contextmanager
def _bare_loop(choice: Choice) -> Iterator[Callable[[Frame], None]]:
    """Give what a short script around MediaPipe does with a frame, as its documentation shows."""
    import mediapipe as mp

    from gesturectl.landmarks.quiet import without_chatter

    vision, options = mp.tasks.vision, mp.tasks.BaseOptions
    video = vision.RunningMode.VIDEO
    hand = bundles.hand_bundle(choice.progress, choice.hand_model)
    pose = bundles.pose_bundle(choice.progress, choice.pose_model)
    hand_options = vision.HandLandmarkerOptions(
        base_options=options(model_asset_path=str(hand)), running_mode=video, num_hands=2
    )
    pose_options = vision.PoseLandmarkerOptions(
        base_options=options(model_asset_path=str(pose)), running_mode=video
    )

    def detect(frame: Frame) -> None:
        image = mp.Image(mp.ImageFormat.SRGB, frame.rgb)
        hands.detect_for_video(image, frame.t_us // 1000 + 1)
        bodies.detect_for_video(image, frame.t_us // 1000 + 1)

    with ExitStack() as stack:
        with without_chatter():
            hands = stack.enter_context(vision.HandLandmarker.create_from_options(hand_options))
            bodies = stack.enter_context(vision.PoseLandmarker.create_from_options(pose_options))
            detect(Frame(-1000, np.zeros((64, 64, 3), np.uint8)))
        yield detect
