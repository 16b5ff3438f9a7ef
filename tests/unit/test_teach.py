"""Teaching: what is kept, what is refused, what is learned, what is said, and what survives."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from gesturectl import lastheard, own, teach, told
from gesturectl.daemon import Control
from gesturectl.engine import Engine, Step
from gesturectl.errors import SampleError, TraceError, UsageError
from gesturectl.lastheard import Memory, Writer
from gesturectl.lesson import LIVE, Lesson, Offer
from gesturectl.listener import Listener
from gesturectl.recogniser import Recogniser
from gesturectl.samples import Plan, Store
from gesturectl.takes import Cutter
from gesturectl.trace import read_trace
from gesturectl.types import Began, Hand, Observation
from tests.acting import Performance
from tests.lessons import Heard, choice, taught, trace_of

FINGERS = ",".join(["little_finger"] * 5)


@pytest.fixture
def store() -> Store:
    return Store.of_user()  # a folder of this test alone, as all tests have


@pytest.fixture(scope="module")
def fingers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trace_of(FINGERS, tmp_path_factory.mktemp("traces") / "fingers.jsonl.gz")


@pytest.fixture(scope="module")
def zigzags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    script = ",".join(["zigzag"] * 5)
    return trace_of(script, tmp_path_factory.mktemp("traces") / "zigzags.jsonl.gz", labels=True)


# --- from recordings ----------------------------------------------------------------------------


def test_a_recording_with_rests_between_its_movements_teaches_a_gesture(
    store: Store, fingers: Path
) -> None:
    screen = Heard()
    report = taught(store, "little", fingers, screen)
    assert (report.learned, report.takes, report.refused) == (True, 5, ())
    assert report.row is not None
    assert (report.row.kind, report.row.seen_by, report.row.hands) == ("pose", ("hand",), 1)
    assert report.row.recalled == 5
    assert screen.lines[0].startswith("take 1: kept; ")
    assert store.plan("little") == Plan("hand", 5, learned=True)
    assert own.load(store).taught is not None


def test_labels_of_a_trace_delimit_the_takes(store: Store, zigzags: Path) -> None:
    report = taught(store, "zigzag", zigzags)
    assert (report.learned, report.takes) == (True, 5)
    assert report.row is not None
    assert report.row.kind == "motion"


def test_traces_can_be_one_take_each(store: Store, tmp_path: Path) -> None:
    files = [
        trace_of(f"little_finger?seed={seed}", tmp_path / f"{seed}.jsonl") for seed in range(3)
    ]
    report = teach.teach(
        choice("trace:" + str(files[0])), "little", Plan("hand"), store, Heard(), recordings=files
    )
    assert (report.learned, report.takes) == (True, 3)


def test_as_many_takes_are_taken_as_are_asked_for(store: Store, fingers: Path) -> None:
    assert taught(store, "little", fingers, samples=3).takes == 3
    assert len(store.files("little")) == 3


def test_a_recording_with_too_few_takes_keeps_them_and_the_next_goes_on(
    store: Store, fingers: Path, tmp_path: Path
) -> None:
    two = trace_of("little_finger,little_finger?seed=8", tmp_path / "two.jsonl")
    first = taught(store, "little", two, samples=4)
    assert (first.learned, first.takes) == (False, 2)
    assert own.load(store).taught is None
    screen = Heard()
    second = taught(store, "little", fingers, screen, samples=4)
    assert screen.lines[0] == "2 of 4 takes are kept from before"
    assert (second.learned, second.takes) == (True, 4)


def test_a_recording_taken_up_twice_does_not_count_twice(store: Store, fingers: Path) -> None:
    taught(store, "little", fingers)
    again = taught(store, "little", fingers)
    assert again.takes == 5
    assert all("number for number" in why for why in again.refused)


def test_a_gesture_that_has_its_takes_says_how_to_add_to_them(store: Store, fingers: Path) -> None:
    taught(store, "little", fingers, samples=3)
    screen = Heard()
    again = taught(store, "little", fingers, screen, samples=3)
    assert (again.learned, again.takes) == (True, 3)
    assert "`--samples 8` adds to them" in screen.lines[0]


def test_takes_of_the_hand_are_not_mixed_with_takes_of_the_body(
    store: Store, fingers: Path
) -> None:
    taught(store, "little", fingers, samples=3)
    with pytest.raises(UsageError, match="was taught with --hand"):
        teach.teach(choice(fingers), "little", Plan("body", 5), store, Heard())


def test_a_take_unlike_the_others_is_set_aside_and_another_is_asked_for(
    store: Store, tmp_path: Path
) -> None:
    script = "little_finger,circle_cw,little_finger,little_finger,little_finger"
    screen = Heard()
    report = taught(store, "little", trace_of(script, tmp_path / "odd.jsonl"), screen, samples=4)
    assert "take 2: set aside: it looks different from the other takes" in screen.lines
    assert (report.learned, report.takes) == (True, 4)
    assert len(store.files("little")) == 4


def test_nobody_in_a_recording_is_said(store: Store, tmp_path: Path) -> None:
    report = taught(store, "little", trace_of("wait:3s", tmp_path / "empty.jsonl"))
    assert (report.learned, report.takes) == (False, 0)


def test_a_damaged_recording_is_refused_before_anything_of_it_is_kept(
    store: Store, fingers: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(fingers.read_bytes()[:-2000])
    with pytest.raises(TraceError, match=r"cut\.jsonl\.gz:"):
        taught(store, "little", cut)
    assert store.files("little") == ()


# --- names and shipped gestures -----------------------------------------------------------------


def test_a_shipped_gesture_cannot_be_taught(store: Store, fingers: Path) -> None:
    with pytest.raises(UsageError, match="shipped gesture"):
        taught(store, "fist", fingers)
    assert not store.root.exists()


def test_a_gesture_that_looks_like_a_shipped_one_is_warned_of(store: Store, tmp_path: Path) -> None:
    script = ",".join(["victory"] * 3)
    report = taught(store, "mine", trace_of(script, tmp_path / "victory.jsonl"))
    assert report.collides == ("victory",)
    screen = Heard()
    told.say_report(report, screen)
    assert any("the shipped victory" in line and "3 of 3" in line for line in screen.lines)


def test_a_gesture_that_looks_like_another_of_one_s_own_is_warned_of(
    store: Store, fingers: Path, tmp_path: Path
) -> None:
    taught(store, "little", fingers)
    again = trace_of(",".join(["little_finger"] * 4) + "?seed=9", tmp_path / "again.jsonl")
    report = taught(store, "pinky", again)
    assert report.row is not None
    assert report.row.nearest == "little"
    screen = Heard()
    told.say_report(report, screen)
    assert any("collides     with your own little" in line for line in screen.lines)


def test_a_report_is_json_for_programs(store: Store, fingers: Path) -> None:
    row = json.loads(json.dumps(teach.report_json(taught(store, "little", fingers))))
    assert (row["gesture"], row["learned"], row["takes"]) == ("little", True, 5)
    assert row["expected"]["recalled"] == 5
    assert row["collides"] == {"shipped": {}, "taken": [], "own": None}


def test_what_has_no_bound_is_null_in_json() -> None:
    row = teach.Row("x", "learned", 1, 1, false_per_hour=math.inf, false_interval=(0.5, math.inf))
    said = teach.as_json(row)
    assert (said["false_per_hour"], said["false_interval"]) == (None, [0.5, None])


# --- interruptions ------------------------------------------------------------------------------


class Interrupting(Heard):
    """A screen before which somebody presses Ctrl-C once so many takes are kept."""

    def __init__(self, control: Control, after: int) -> None:
        super().__init__()
        self.control, self.after = control, after

    def say(self, line: str, tone: object = "plain") -> None:
        super().say(line)
        if sum("kept" in said for said in self.lines) == self.after:
            self.control.stop = True


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_lesson_interrupted_after_any_take_goes_on_from_there(
    store: Store, fingers: Path, after: int
) -> None:
    control = Control()
    screen = Interrupting(control, after)
    plan = Plan("hand", 5)
    report = teach.teach(choice(fingers), "little", plan, store, screen, control=control)
    assert (report.interrupted, report.learned, report.takes) == (True, False, after)
    assert len(store.files("little")) == after
    assert taught(store, "little", fingers).takes == 5


def test_a_gesture_half_taught_is_not_learned_along_with_another(
    store: Store, fingers: Path, zigzags: Path, tmp_path: Path
) -> None:
    half = trace_of("victory", tmp_path / "half.jsonl")
    assert not taught(store, "half", half, samples=2).learned
    taught(store, "little", fingers)
    mine = own.load(store)
    assert mine.taught is not None
    assert [*mine.taught.gestures] == ["little"]
    assert mine.unlearned == ("half",)


def test_a_model_that_cannot_be_written_leaves_the_one_before(
    store: Store, fingers: Path, zigzags: Path
) -> None:
    taught(store, "little", fingers)
    before = {path.name: path.read_bytes() for path in store.taught.iterdir()}
    blocker = store.root / "taught.new"
    blocker.write_text("in the way", "utf-8")
    with pytest.raises(SampleError, match="the one before stays"):
        taught(store, "zigzag", zigzags)
    assert {path.name: path.read_bytes() for path in store.taught.iterdir()} == before
    assert len(store.files("zigzag")) == 5
    blocker.unlink()
    assert taught(store, "zigzag", zigzags).learned


def test_a_damaged_take_is_named_and_the_others_teach(store: Store, fingers: Path) -> None:
    taught(store, "little", fingers)
    victim = store.files("little")[1]
    victim.write_bytes(b"nothing like a trace")
    learned = own.refit(store)
    assert learned.taught is not None
    assert learned.taught.gestures["little"].samples == 4
    assert str(victim) in learned.samples.problems[0]


# --- before a camera ----------------------------------------------------------------------------


def test_before_a_camera_it_is_said_what_to_do_and_when() -> None:
    screen = Heard()
    lesson = Lesson("little", Plan("hand", 5), Store.of_user(), screen, 5)
    cutter = Cutter("hand", LIVE)
    for observation in Performance("wait:4s,little_finger:1s").at(30):
        cutter.step(observation)
        screen.show(observation, lesson.status(cutter, observation))
    assert screen.prompts == [
        "take 1: get ready 3",
        "take 1: get ready 2",
        "take 1: get ready 1",
        "now: make the gesture, and come back to rest",
        "recording",
        "take 1: get ready 3",
    ]


# --- background ---------------------------------------------------------------------------------


def test_ordinary_behaviour_is_kept_in_pieces_and_what_it_cannot_promise_is_said(
    store: Store, fingers: Path, tmp_path: Path
) -> None:
    taught(store, "little", fingers)
    ordinary = trace_of(",".join(["drink", "fidget", "reach"] * 9), tmp_path / "day.jsonl.gz")
    screen = Heard()
    came = teach.background(choice(ordinary), 3600, store, screen)
    assert len(store.background_files()) == 2
    assert 60 < came.recorded_s < 120
    assert came.kept_s == pytest.approx(came.recorded_s, abs=0.2)
    assert 0 < came.somebody_s < came.recorded_s
    assert [row.gesture for row in came.rows] == ["little"]
    told.say_ordinary(came, screen)
    promise = screen.lines[-1]
    assert "15 hours" in promise
    assert json.dumps(teach.ordinary_json(came))


def test_background_ends_after_the_time_that_was_asked_for(store: Store, fingers: Path) -> None:
    came = teach.background(choice(fingers), 5.0, store, Heard())
    assert came.recorded_s == pytest.approx(5.0, abs=0.1)
    assert came.rows == ()


def test_a_mistake_in_the_background_is_counted_for_each_gesture(
    store: Store, fingers: Path
) -> None:
    taught(store, "little", fingers)
    came = teach.background(choice(fingers), 60, store, Heard())
    assert came.heard["little"] >= 4


# --- wrong --------------------------------------------------------------------------------------


def heard_live(path: Path, trace: Path, gesture: str) -> None:
    """Let a daemon's memory see a trace, up to the first beginning of a gesture."""
    mine = own.load()
    assert mine.taught is not None
    engine = Engine(Recogniser.load(), None, Listener(mine.taught))
    writer = Writer(path)
    memory = Memory(writer, mine.taught.gestures, {"little", "fist"})
    for observation, _ in read_trace(trace):
        step = engine.step(observation)
        memory.note(observation, step)
        if any(isinstance(event, Began) and event.gesture == gesture for event in step.events):
            break
    memory.finish()
    writer.close()


def test_what_was_wrong_is_learned_and_can_be_taken_back(store: Store, fingers: Path) -> None:
    taught(store, "little", fingers)
    heard_live(lastheard.file(), fingers, "little")
    heard = teach.last_heard()
    assert heard.gesture == "little"
    assert heard.seen
    assert heard.seen[-1].t_us - heard.seen[0].t_us <= lastheard.KEPT_US
    corrected = teach.wrong(store, heard)
    assert (corrected.gesture, corrected.mistakes) == ("little", 1)
    with pytest.raises(UsageError, match="nothing was heard"):
        teach.last_heard()
    teach.undo_wrong(store)
    assert store.wrong_files() == ()
    with pytest.raises(UsageError, match="nothing was called wrong"):
        teach.undo_wrong(store)


def test_of_a_shipped_gesture_only_the_name_is_kept_and_advice_is_given(
    store: Store, fingers: Path, tmp_path: Path
) -> None:
    taught(store, "little", fingers)
    heard_live(lastheard.file(), trace_of("fist:1s", tmp_path / "fist.jsonl"), "fist")
    heard = teach.last_heard()
    assert (heard.gesture, heard.seen) == ("fist", ())
    advice = told.say_shipped_wrong("fist")
    assert "confidence:" in advice
    assert "hold_for" in advice
    assert "hold_for" not in told.say_shipped_wrong("swipe_left")


def test_nothing_is_kept_of_whoever_listens_to_no_gesture_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "state" / "last.jsonl.gz"
    writer = Writer(path)
    memory = Memory(writer, {"little"}, {"fist", "swipe_left"})
    note(memory, 0, "fist")
    writer.close()
    assert not path.exists()


def note(memory: Memory, t_us: int, gesture: str) -> None:
    """Let a gesture begin, with nobody to be seen."""
    step = Step((Began(t_us, gesture, "right", 0.9),), (), ())
    memory.note(Observation(t_us, (), (), (640, 480)), step)


def test_the_three_seconds_before_and_the_second_after_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "state" / "last.jsonl.gz"
    writer = Writer(path)
    memory = Memory(writer, {"little"}, {"little"})
    for frame in range(0, 300):
        t_us = frame * 33_333
        events = (Began(t_us, "little", "right", 0.9),) if frame == 150 else ()
        hand = Hand("right", 0.9, np.full((21, 3), 0.5, np.float32))
        memory.note(Observation(t_us, (hand,), (), (640, 480)), Step(events, (), ()))
        if frame == 150 + 29:
            assert not path.exists()
    writer.close()
    heard = lastheard.read(path)
    assert heard is not None
    began_us = 150 * 33_333
    assert heard.seen[0].t_us == pytest.approx(began_us - lastheard.KEPT_US, abs=34_000)
    assert heard.seen[-1].t_us == pytest.approx(began_us + lastheard.AFTER_US, abs=34_000)


def test_of_two_activations_in_a_row_the_later_is_the_last(tmp_path: Path) -> None:
    path = tmp_path / "state" / "last.jsonl.gz"
    writer = Writer(path)
    memory = Memory(writer, {"little"}, {"little", "fist"})
    for frame, gesture in enumerate(("little", "fist")):
        note(memory, frame, gesture)
    writer.close()
    heard = lastheard.read(path)
    assert heard is not None
    assert (heard.gesture, heard.seen) == ("fist", ())


def test_while_a_disk_hangs_no_frame_waits_and_the_newest_is_kept(tmp_path: Path) -> None:
    path, writer = tmp_path / "last.jsonl.gz", Writer(tmp_path / "last.jsonl.gz")
    hangs, asked = Event(), list[bool]()

    def wanted() -> bool:
        asked.append(hangs.wait(60))
        return True

    memory = Memory(writer, {"little"}, {"little", "fist", "victory"}, wanted)
    for second, gesture in enumerate(("fist", "victory", "fist", "victory")):
        note(memory, second * 1_000_000, gesture)  # returns, or this test would end here
    assert not path.exists()
    hangs.set()
    writer.close(60)
    heard = lastheard.read(path)
    assert heard is not None
    assert heard.gesture == "victory"
    assert len(asked) <= 4  # before and after each: that which hung and the newest


def test_a_disk_that_goes_on_hanging_does_not_keep_a_run_from_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer, hangs = Writer(tmp_path / "last.jsonl.gz"), Event()
    memory = Memory(writer, {"little"}, {"little", "fist"}, lambda: hangs.wait(60))
    note(memory, 0, "fist")
    writer.close(0.01)
    assert "its disk hangs" in caplog.text
    note(memory, 1_000_000, "fist")  # too late
    hangs.set()
    writer.close(60)
    assert {one.name for one in tmp_path.iterdir()} == {"last.jsonl.gz"}


def test_a_profile_read_anew_takes_nothing_from_the_one_before(tmp_path: Path) -> None:
    path, writer = tmp_path / "last.jsonl.gz", Writer(tmp_path / "last.jsonl.gz")
    before = Memory(writer, {"little"}, {"little"})
    note(before, 0, "little")
    before.finish()
    note(Memory(writer, {"little"}, {"little", "fist"}), 1, "fist")
    writer.close()
    heard = lastheard.read(path)
    assert heard is not None
    assert heard.gesture == "fist"


def test_what_was_heard_while_a_mistake_was_told_stays(store: Store, fingers: Path) -> None:
    taught(store, "little", fingers)
    heard_live(lastheard.file(), fingers, "little")
    told_of = teach.last_heard()
    os.utime(lastheard.file(), (1, 1))  # another one, heard meanwhile
    teach.wrong(store, told_of)
    assert teach.last_heard().gesture == "little"


def test_a_damaged_memory_says_what_to_do() -> None:
    lastheard.file().parent.mkdir(parents=True)
    lastheard.file().write_bytes(b"not a trace")
    with pytest.raises(TraceError, match="last-heard"):
        teach.last_heard()


# --- forget, list -------------------------------------------------------------------------------


def test_forgetting_one_gesture_keeps_the_others(
    store: Store, fingers: Path, zigzags: Path
) -> None:
    taught(store, "little", fingers)
    taught(store, "zigzag", zigzags)
    heard_live(lastheard.file(), fingers, "little")
    assert teach.forget(store, "zigzag") == 5
    mine = own.load(store)
    assert mine.taught is not None
    assert [*mine.taught.gestures] == ["little"]
    assert not lastheard.file().exists()
    teach.forget(store, "little")
    assert own.load(store) == own.Own(None, (), None)


def test_nothing_is_left_after_all_was_forgotten(store: Store, fingers: Path) -> None:
    taught(store, "little", fingers)
    teach.background(choice(fingers), 5.0, store, Heard())
    heard_live(lastheard.file(), fingers, "little")
    teach.forget_all(store)
    assert not [path for path in store.root.rglob("*") if path.is_file()]
    assert not lastheard.file().exists()


def test_gestures_are_listed_learned_or_not(store: Store, fingers: Path, tmp_path: Path) -> None:
    taught(store, "little", fingers)
    taught(store, "half", trace_of("victory", tmp_path / "half.jsonl"), samples=3)
    known = teach.known(store, refit_first=False)
    assert (known.problems, known.mistakes) == ((), 0)
    assert [(row.gesture, row.state, row.takes) for row in known.rows] == [
        ("little", "learned", 5),
        ("half", "not learned yet", 1),
    ]


def test_a_damaged_model_is_said_and_made_anew_from_the_takes(store: Store, fingers: Path) -> None:
    taught(store, "little", fingers)
    (store.taught / "taught.npz").write_bytes(b"damage")
    mine = own.load(store)
    assert mine.taught is None
    assert mine.problem is not None
    assert "gesturectl gestures --refit" in mine.problem
    assert mine.unlearned == ("little",)
    known = teach.known(store, refit_first=False)
    assert ([row.state for row in known.rows], known.problems) == (
        ["to be learned anew"], (mine.problem,),
    )  # fmt: skip
    known = teach.known(store, refit_first=True)
    assert ([row.state for row in known.rows], known.problems) == (["learned"], ())
    assert own.load(store).problem is None


def test_whoever_listens_gets_a_damaged_model_mended(
    store: Store, fingers: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taught(store, "little", fingers)
    (store.taught / "taught.json").write_text("{}", "utf-8")
    mine = own.load(store, mend=True)
    assert mine.taught is not None
    assert (mine.problem, mine.unlearned) == (None, ())
    assert "learned anew" in caplog.text
    assert own.load(store).problem is None


def test_a_model_that_cannot_be_mended_is_said_with_both_reasons(
    store: Store, fingers: Path
) -> None:
    taught(store, "little", fingers)
    (store.taught / "taught.json").write_text("{}", "utf-8")
    (store.root / "taught.new").write_text("in the way", "utf-8")
    problem = own.load(store, mend=True).problem
    assert problem is not None
    assert "taught.json" in problem
    assert "nor can they be learned anew" in problem


def test_too_many_refusals_in_a_row_end_a_lesson_that_would_never_end(store: Store) -> None:
    lesson = Lesson("little", Plan("hand", 5), store, Heard(), 5)
    nobody = [Observation(i * 33_333, (), (), (640, 480)) for i in range(30)]
    with pytest.raises(SampleError, match="10 takes in a row were refused"):
        for shift in range(10):
            take = [replace(o, t_us=o.t_us + shift) for o in nobody]
            lesson.hear(Offer(take, None, "a test"))
