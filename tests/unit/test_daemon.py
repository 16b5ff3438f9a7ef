"""The loop: whatever happens to it, what went down comes up."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import count

import numpy as np
import pytest

from gesturectl import daemon, profile
from gesturectl.daemon import Control, Meters, Summary, deliver
from gesturectl.engine import Engine, Step
from gesturectl.errors import ProfileError, SinkError, SourceError
from gesturectl.ledger import Ledger
from gesturectl.recogniser import Recogniser
from gesturectl.sinks.memory import MemorySink
from gesturectl.sources import Source
from gesturectl.sources.recording import Recording
from gesturectl.types import (
    Command,
    Ended,
    Frame,
    KeyDown,
    KeyUp,
    Notify,
    Observation,
    Run,
    Stages,
)
from tests.acting import Performance
from tests.fakes import (
    STEP_US,
    EmptyLandmarker,
    FailingSink,
    Happening,
    ListSource,
    ScriptedRecogniser,
    frame,
    frames,
)

HOLDING = """\
version: 1
bindings:
  - {gesture: fist, while: true, do: {key: space}}
  - {gesture: victory, while: true, do: {key: a}}
  - {gesture: swipe_left, do: {key: Right}}
"""

Script = dict[int, str | Exception]


def an_engine(script: Script, text: str = HOLDING) -> Engine:
    return Engine(ScriptedRecogniser(script), profile.parse(text, "test.yaml"))  # type: ignore[arg-type]


def run(
    happenings: list[Happening],
    script: Script,
    sink: MemorySink | None = None,
    ledger: Ledger | None = None,
    text: str = HOLDING,
    **options: object,
) -> tuple[MemorySink, Summary]:
    sink = sink or MemorySink()
    summary = daemon.run(
        ListSource(happenings),
        None,
        an_engine(script, text),
        sink,
        ledger or Ledger(),
        **options,  # type: ignore[arg-type]
    )
    return sink, summary


def at(index: int) -> int:
    return index * STEP_US


def test_a_stroke_taps_its_key() -> None:
    sink, summary = run([*frames(4)], {2: "+swipe_left -swipe_left"})
    assert sink.sent == [KeyDown(at(2), "Right"), KeyUp(at(2), "Right")]
    assert (summary.frames, summary.events, summary.commands) == (4, 2, 2)
    assert summary.reason == "end of source"


def test_a_held_key_is_down_while_the_gesture_lasts() -> None:
    sink, _ = run([*frames(9)], {2: "+fist", 6: "-fist"})
    assert sink.sent == [KeyDown(at(2), "space"), KeyUp(at(6), "space")]


def test_the_end_of_the_source_releases() -> None:
    sink, _ = run([*frames(4)], {2: "+fist"})
    assert sink.sent == [KeyDown(at(2), "space"), KeyUp(at(3), "space")]


def test_a_stall_releases_once_and_the_loop_goes_on() -> None:
    happenings = [*frames(3), None, None, None, *frames(4, start=90)]
    sink, summary = run(happenings, {2: "+fist", 92: "+fist", 93: "-fist"})
    assert sink.sent == [
        KeyDown(at(2), "space"),
        KeyUp(at(2), "space"),
        KeyDown(at(92), "space"),
        KeyUp(at(93), "space"),
    ]
    assert summary.commands == 4


def test_a_source_that_gives_nothing_holds_nothing() -> None:
    sink, summary = run([None, None], {})
    assert (sink.sent, summary.frames) == ([], 0)


def test_a_pause_releases_and_what_is_shown_meanwhile_is_not_looked_at() -> None:
    control = Control()

    def pause() -> None:
        control.paused = True

    def resume() -> None:
        control.paused = False

    happenings = [*frames(3), pause, *frames(3, start=3), resume, *frames(3, start=6)]
    script: Script = {2: "+fist", 4: "+swipe_left -swipe_left", 7: "+swipe_left -swipe_left"}
    sink, summary = run(happenings, script, control=control)
    assert sink.sent == [
        KeyDown(at(2), "space"),
        KeyUp(at(2), "space"),
        KeyDown(at(7), "Right"),
        KeyUp(at(7), "Right"),
    ]
    assert summary.frames == 6


def test_a_replay_that_looks_ahead_does_what_one_does_that_cannot() -> None:
    frames_seen = tuple(Performance("fist").at(30))

    def pausing(control: Control) -> Callable[[daemon.Loop], None]:
        """Pause for some frames while the fist is shown, in the midst of what is foreseen."""
        beats = count()

        def between(loop: daemon.Loop) -> None:
            control.paused = 45 <= next(beats) < 50

        return between

    def commands_of(source: Source) -> list[Command]:
        control, sink = Control(), MemorySink()
        engine = Engine(Recogniser.load(), profile.parse(HOLDING, "test.yaml"))
        daemon.run(source, None, engine, sink, Ledger(), control=control, between=pausing(control))
        return sink.sent

    foretelling = Recording((frame for frame in frames_seen), "test", realtime=False)
    commands = commands_of(foretelling)
    assert [type(command) for command in commands] == [KeyDown, KeyUp] * 2
    assert commands == commands_of(ListSource(frames_seen))


def test_a_request_to_stop_is_heard_between_frames_and_releases() -> None:
    control = Control()

    def stop() -> None:
        control.stop = True

    sink, summary = run([*frames(3), stop, *frames(9, start=3)], {1: "+fist"}, control=control)
    assert sink.sent == [KeyDown(at(1), "space"), KeyUp(at(3), "space")]
    assert (summary.frames, summary.reason) == (4, "stopped")


def test_a_bug_in_the_recogniser_crashes_after_the_keys_are_up() -> None:
    sink = MemorySink()
    with pytest.raises(ZeroDivisionError):
        run([*frames(5)], {1: "+fist", 3: ZeroDivisionError()}, sink)
    assert sink.sent == [KeyDown(at(1), "space"), KeyUp(at(3), "space")]


def test_a_bug_in_the_engine_s_own_release_does_not_keep_keys_down() -> None:
    class Stubborn(ScriptedRecogniser):
        def reset(self, t_us: int) -> tuple[Ended, ...]:
            raise ZeroDivisionError

    sink = MemorySink()
    engine = Engine(Stubborn({1: "+fist"}), profile.parse(HOLDING, "test.yaml"))  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        daemon.run(ListSource(frames(3)), None, engine, sink, Ledger())
    assert sink.sent == [KeyDown(at(1), "space"), KeyUp(at(2), "space")]


def test_a_camera_that_fails_for_good_releases() -> None:
    sink = MemorySink()
    with pytest.raises(SourceError, match="unplugged"):
        run([*frames(3), SourceError("unplugged")], {1: "+fist"}, sink)
    assert sink.sent[-1] == KeyUp(at(2), "space")


def test_ctrl_c_in_the_middle_of_anything_releases() -> None:
    sink = MemorySink()
    with pytest.raises(KeyboardInterrupt):
        run([*frames(3), KeyboardInterrupt()], {1: "+fist"}, sink)
    assert sink.sent[-1] == KeyUp(at(2), "space")


def test_a_press_that_fails_ends_the_run_and_the_others_are_released() -> None:
    sink = FailingSink(lambda command: command == KeyDown(at(2), "a"))
    ledger = Ledger()
    with pytest.raises(SinkError, match="refuses"):
        run([*frames(5)], {1: "+fist", 2: "+victory"}, sink, ledger)
    assert KeyUp(at(2), "space") in sink.sent
    assert ledger.held == ()


def test_a_release_that_fails_does_not_keep_the_others_down() -> None:
    sink = FailingSink(lambda command: isinstance(command, KeyUp) and command.key == "a")
    with pytest.raises(SinkError, match="'a'"):
        run([*frames(4)], {1: "+fist", 2: "+victory"}, sink)
    assert KeyUp(at(3), "space") in sink.sent


def test_a_reload_lets_go_with_the_old_profile_and_goes_on_with_the_new() -> None:
    control = Control()

    def ask() -> None:
        control.reload = True

    def reload(name: str | None) -> tuple[None, Engine]:
        return None, an_engine({5: "+fist -fist"}, HOLDING.replace("space", "b"))

    sink, _ = run(
        [*frames(3), ask, *frames(4, start=3)], {1: "+fist"}, control=control, reload=reload
    )
    assert sink.sent == [
        KeyDown(at(1), "space"),
        KeyUp(at(3), "space"),
        KeyDown(at(5), "b"),
        KeyUp(at(5), "b"),
    ]


def test_a_reload_that_fails_leaves_everything_as_it_is_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    control = Control()

    def ask() -> None:
        control.reload = True

    def reload(name: str | None) -> tuple[None, Engine]:
        raise ProfileError("test.yaml:3:14: unknown gesture")

    sink, _ = run(
        [*frames(3), ask, *frames(4, start=3)],
        {1: "+fist", 5: "-fist"},
        control=control,
        reload=reload,
    )
    told = Notify(at(3), "The old profile stays: test.yaml:3:14: unknown gesture")
    assert sink.sent == [KeyDown(at(1), "space"), told, KeyUp(at(5), "space")]
    assert "the old profile stays: test.yaml:3:14" in caplog.text


def test_a_program_that_is_not_there_does_not_end_gestures_for_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class NoPrograms(MemorySink):
        def send(self, command: Command) -> None:
            if isinstance(command, Run):
                raise SinkError("run: no program 'nowhere' on the PATH")
            super().send(command)

    sink = NoPrograms()
    deliver((Run(0, ("nowhere",)), KeyDown(0, "a"), KeyUp(0, "a")), sink, Ledger())
    assert sink.sent == [KeyDown(0, "a"), KeyUp(0, "a")]
    assert "no program 'nowhere'" in caplog.text


def test_what_is_typed_or_said_is_never_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = (
        "version: 1\nbindings:\n  - {gesture: ok, do: [{text: hush}, {say: hush}, {notify: hush}]}"
    )
    with caplog.at_level("DEBUG"):
        run(frames(3), {1: "+ok"}, text=text)
    assert {"text", "say", "notify"} <= set(caplog.messages)
    assert "hush" not in caplog.text


def test_pictures_go_through_the_landmarker_and_observations_do_not() -> None:
    landmarker = EmptyLandmarker()
    items: list[Happening] = [frame(at(0)), *frames(1, start=1), frame(at(2))]
    daemon.run(ListSource(items), landmarker, an_engine({}), MemorySink(), Ledger())
    assert landmarker.shown == [at(0), at(2)]


def test_whoever_watches_sees_every_step_and_every_release() -> None:
    told: list[tuple[int, tuple[str, ...]]] = []

    def watch(t_us: int, step: Step, meters: Meters) -> None:
        told.append((t_us, tuple(type(item).__name__ for item in (*step.events, *step.commands))))

    run([*frames(2), None], {1: "+fist"}, on_step=watch)
    assert told == [
        (at(0), ()),
        (at(1), ("Began", "KeyDown")),
        (at(1), ("Ended", "KeyUp")),
        (at(1), ()),
    ]


def test_a_signal_asks_to_stop_and_is_remembered() -> None:
    control = Control()
    with daemon.signals(control):
        os.kill(os.getpid(), signal.SIGTERM)
    assert (control.stop, control.signal) == (True, signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP on Windows")
def test_a_hang_up_asks_to_reload_and_not_to_stop() -> None:
    control = Control()
    with daemon.signals(control):
        os.kill(os.getpid(), signal.SIGHUP)
    assert (control.reload, control.stop) == (True, False)


def test_the_rate_is_that_of_the_frames_own_stamps() -> None:
    _, summary = run([*frames(31)], {})
    assert summary.rate_hz == pytest.approx(30, rel=1e-3)
    assert set(summary.stages) == {"recognised", "mapped", "injected"}


def test_the_rate_is_told_anew_after_frames_had_stopped() -> None:
    _, summary = run([*frames(31), None, *frames(31, start=2000)], {})
    assert summary.rate_hz == pytest.approx(30, rel=1e-3)


def test_latency_is_told_by_the_clock_that_stamps_frames() -> None:
    _, summary = run([*frames(1)], {}, clock_us=lambda: 40_000)
    assert summary.stages["latency"].median_ms == 40.0


def test_every_step_of_a_live_source_tells_when_its_frame_had_passed_each_stage() -> None:
    told: list[Stages | None] = []
    ticking = count(at(1) + 5_000, 1_000)  # a millisecond passes whenever it is looked at

    def watch(t_us: int, step: Step, meters: Meters) -> None:
        told.append(step.stages)

    pictures = [Frame(at(1), np.zeros((2, 2, 3), np.uint8))]
    summary = daemon.run(
        ListSource(pictures), EmptyLandmarker(), an_engine({1: "+fist"}), MemorySink(), Ledger(),
        clock_us=lambda: next(ticking), on_step=watch,
    )  # fmt: skip
    of_the_frame, of_the_release_at_the_end = told
    assert of_the_frame == Stages(0, 5_000, 6_000, 7_000, 8_000, 9_000)
    assert of_the_release_at_the_end is None
    spent = {stage: spread.median_ms for stage, spread in summary.stages.items()}
    assert spent == {
        "read": 5.0, "landmarks": 1.0, "recognised": 1.0, "mapped": 1.0, "injected": 1.0,
        "latency": 9.0,
    }  # fmt: skip


def test_what_no_stage_had_to_do_is_passed_at_once() -> None:
    told: list[Stages | None] = []
    run(
        [*frames(1)], {}, clock_us=lambda: 7, on_step=lambda t_us, step, _: told.append(step.stages)
    )
    assert told[0] == Stages(0, 7, 7, 7, 7, 7)


def test_without_a_clock_no_step_tells_what_passed_on_the_wall() -> None:
    told: list[Stages | None] = []
    run([*frames(3)], {1: "+fist"}, on_step=lambda t_us, step, _: told.append(step.stages))
    assert told == [None] * 4


def test_a_problem_of_the_camera_is_told_once_and_its_end_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = ListSource([])

    def ail(problem: str | None) -> Happening:
        return lambda: setattr(source, "problem", problem)

    happenings = [*frames(2), ail("unplugged"), None, None, ail(None), *frames(2, start=9)]
    source.add(happenings)
    daemon.run(source, None, an_engine({}), MemorySink(), Ledger())
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "unplugged",
        "pictures again",
    ]


def test_the_end_of_a_problem_is_told_after_the_problem(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks = count()
    flickers = property(lambda source: "frozen" if next(looks) == 0 else None)
    monkeypatch.setattr(ListSource, "problem", flickers)
    run([*frames(3)], {})
    assert caplog.messages == ["frozen", "pictures again"]


def test_each_frame_is_remembered_after_its_commands_were_sent() -> None:
    sink = MemorySink()
    noted: list[tuple[int, int]] = []

    def remember(observation: Observation, step: Step) -> None:
        noted.append((observation.t_us, len(sink.sent)))

    run([*frames(3)], {1: "+swipe_left -swipe_left"}, sink, remember=remember)
    assert noted == [(0, 0), (STEP_US, 2), (2 * STEP_US, 2)]


class Camera(ListSource):
    """A list that notes when it was put to rest, and after how many items."""

    def __init__(self, happenings: list[Happening]) -> None:
        super().__init__(happenings)
        self.rests: list[bool] = []

    def rest(self, resting: bool) -> None:
        if resting != (self.rests[-1] if self.rests else False):
            self.rests.append(resting)


def test_a_camera_rests_while_paused_and_while_somebody_else_is_to_have_it() -> None:
    control = Control()

    def ask(**change: object) -> Callable[[], None]:
        return lambda: [setattr(control, name, value) for name, value in change.items()] and None

    happenings: list[Happening] = [
        *frames(2),
        ask(paused=True), None, ask(away="Zoom has the camera"), None, ask(paused=False), None,
        ask(away=None), *frames(3, start=2),
    ]  # fmt: skip
    camera, sink = Camera(happenings), MemorySink()
    engine = an_engine({1: "+fist", 3: "+swipe_left -swipe_left"})
    daemon.run(camera, None, engine, sink, Ledger(), control=control)
    assert camera.rests == [True, False]
    assert sink.sent == [
        KeyDown(at(1), "space"),
        KeyUp(at(1), "space"),
        KeyDown(at(3), "Right"),
        KeyUp(at(3), "Right"),
    ]
