"""Gestures of a user's own: teach them, show what is ordinary, say what was wrong, forget.

Every command ends the same way: the samples are read, a model is made of them, verified, and put in
the place of the one before, which stays until then. What is expected of it is said in the end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from gesturectl import lastheard, own
from gesturectl.daemon import Control
from gesturectl.errors import SampleError, UsageError
from gesturectl.ideal import Performance
from gesturectl.lesson import LIVE, RECORDED, Lesson, gather, resume, watched
from gesturectl.listener import Listener
from gesturectl.own import Learned, refit
from gesturectl.recogniser import Recogniser
from gesturectl.rig import EVERYTHING, Choice
from gesturectl.samples import PIECE_US, Plan, Store, check_name
from gesturectl.score import EARLY_US
from gesturectl.sources import is_live
from gesturectl.taught import Expected, Taught
from gesturectl.teachview import Screen, Status
from gesturectl.types import Began, Observation, Take

ACTED_FPS: Final = 15.0  # of shipped gestures that are held against a new one: as slow cameras give
OFTEN: Final = 0.5  # of a gesture's takes: a shipped gesture that fires in so many collides with it
WANTED: Final = 5


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of a user's gestures. `problems` says what is wrong with what is kept."""

    rows: tuple[Row, ...]
    background_s: float
    mistakes: int
    problems: tuple[str, ...]


def known(store: Store, *, refit_first: bool) -> Known:
    """Return all gestures there are.

    Raises:
        SampleError: they shall be learned anew, and cannot be.
    """
    if refit_first:
        learned = refit(store)
        model, problems = learned.taught, learned.samples.problems
    else:
        mine = own.load(store)
        model, problems = mine.taught, (mine.problem,) if mine.problem else ()
    background_s = model.background_us / 1e6 if model else 0.0
    return Known(tuple(rows(store, model)), background_s, len(store.wrong_files()), problems)


# --- what is expected ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One gesture, as it is listed. What is not known before it is learned is None."""

    gesture: str
    state: str
    takes: int
    wanted: int
    kind: str | None = None
    seen_by: tuple[str, ...] = ()
    hands: int | None = None
    recalled: int | None = None
    false_per_hour: float | None = None
    false_interval: tuple[float, float] | None = None
    false_in_background: int | None = None
    background_s: float | None = None
    nearest: str | None = None


def rows(store: Store, model: Taught | None) -> list[Row]:
    """Return every gesture there is, learned or not."""
    learned = model.gestures if model else {}
    out = [_row(name, expected, store) for name, expected in learned.items()]
    for name in store.names():
        if name not in learned:
            plan = store.plan(name) or Plan()
            state = "to be learned anew" if plan.learned else "not learned yet"
            out.append(Row(name, state, len(store.files(name)), plan.wanted))
    return out


def _row(name: str, expected: Expected, store: Store) -> Row:
    plan = store.plan(name)
    return Row(
        gesture=name,
        state="learned" if plan else "learned; its takes are gone",
        takes=expected.samples,
        wanted=plan.wanted if plan else expected.samples,
        kind=expected.kind,
        seen_by=expected.subjects,
        hands=expected.hands,
        recalled=expected.recalled,
        false_per_hour=expected.false_per_hour,
        false_interval=expected.false_interval,
        false_in_background=expected.false_in_background,
        background_s=expected.background_us / 1e6,
        nearest=expected.nearest,
    )


def as_json(row: Row) -> dict[str, Any]:
    """Return a row for programs; what has no bound is None, as JSON knows no infinity."""
    return {key: _bounded(value) for key, value in asdict(row).items()}


def _bounded(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_bounded(one) for one in value]
    return None if isinstance(value, float) and math.isinf(value) else value


# --- teach --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    """What a lesson came to.

    `shipped` counts in how many takes each shipped gesture fires, `taken` are the shipped gestures
    in which the new one is heard when somebody makes them.
    """

    gesture: str
    takes: int
    refused: tuple[str, ...]
    learned: bool
    shipped: dict[str, int] = field(default_factory=dict)
    taken: tuple[str, ...] = ()
    row: Row | None = None
    problems: tuple[str, ...] = ()
    refit_s: float = 0.0
    interrupted: bool = False

    @property
    def collides(self) -> tuple[str, ...]:
        """The shipped gestures that fire in so many of the takes that they matter."""
        return tuple(name for name, n in self.shipped.items() if n >= OFTEN * self.takes)


def teach(
    choice: Choice,
    name: str,
    plan: Plan,
    store: Store,
    screen: Screen,
    *,
    control: Control | None = None,
    recordings: Sequence[Path] = (),
    samples: int | None = None,
) -> Report:
    """Gather the takes of a gesture, learn it, and say what is expected of it.

    `samples` None means as many as `plan` wants from a camera, and all that a recording holds.

    Raises:
        GesturectlError: a part cannot be had, or the takes cannot be learned from. What was kept
            stays, and so does the model before.
    """
    check_name(name)
    recorded = bool(recordings) or not is_live(choice.source)
    wanted = samples if samples is not None else None if recorded else plan.wanted
    lesson = Lesson(name, plan, store, screen, wanted, control or Control())
    resume(lesson)
    before = store.plan(name)
    if lesson.kept and before is not None and before.part != plan.part:
        raise UsageError(
            f"{name} was taught with --{before.part}, and its takes show nothing else; go on so, "
            f"or begin anew with `gesturectl forget {name}`"
        )
    if lesson.complete:
        count = len(lesson.kept)
        screen.say(
            f"{name} has {count} takes already: `--samples {count + 5}` adds to them, "
            f"`gesturectl forget {name}` begins anew"
        )
    else:
        gather(lesson, choice, recordings, RECORDED if recorded else LIVE)
    count, refused = len(lesson.kept), tuple(lesson.refused)
    short = lesson.wanted is not None and count < lesson.wanted
    if lesson.control.stop or short or not count:
        return Report(name, count, refused, learned=False, interrupted=lesson.control.stop)
    screen.say("learning …")
    learned = refit(store, also=name)
    store.begin(name, replace(plan, wanted=lesson.wanted or count, learned=True))
    kept = [take for _, take in lesson.kept]
    return Report(
        name,
        count,
        refused,
        learned=True,
        shipped=fires(kept),
        taken=heard_in(learned.taught, name) if learned.taught else (),
        row=_rows_by_name(store, learned.taught)[name],
        problems=learned.samples.problems,
        refit_s=learned.took_s,
    )


def heard_in(known: Taught, name: str) -> tuple[str, ...]:
    """Return the shipped gestures in which an own one is heard: an ideal person makes them all."""
    person = Performance("all")
    listener = Listener(known)
    began_us = [
        event.t_us
        for observation in person.at(ACTED_FPS, body=True)
        for event in listener.step(observation)
        if isinstance(event, Began) and event.gesture == name
    ]
    return tuple(
        act.gesture
        for act in person.acts
        if any(act.start_us - EARLY_US <= t_us <= act.end_us + EARLY_US for t_us in began_us)
    )


def fires(kept: Sequence[Take]) -> dict[str, int]:
    """Return in how many of these takes each shipped gesture begins, the most frequent first."""
    counts: Counter[str] = Counter()
    recogniser = Recogniser.load()
    t_us = 0
    for take in kept:
        recogniser.reset(t_us)
        # One after another: a recogniser's time only grows.
        shift = t_us + 1_000_000 - take[0].t_us
        heard: set[str] = set()
        for observation in take:
            t_us = observation.t_us + shift
            heard |= _begun(recogniser.step(replace(observation, t_us=t_us)))
        counts.update(heard)
    return dict(counts.most_common())


def _begun(events: Sequence[object]) -> set[str]:
    return {event.gesture for event in events if isinstance(event, Began)}


def report_json(report: Report) -> dict[str, Any]:
    """Return a report for programs."""
    row = None if report.row is None else as_json(report.row)
    return {
        "gesture": report.gesture,
        "learned": report.learned,
        "takes": report.takes,
        "refused": list(report.refused),
        "expected": row,
        "collides": {
            "shipped": {name: report.shipped[name] for name in report.collides},
            "taken": list(report.taken),
            "own": None if report.row is None else report.row.nearest,
        },
        "problems": list(report.problems),
        "refit_s": round(report.refit_s, 2),
    }


# --- background ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ordinary:
    """What recording ordinary behaviour came to.

    `heard` counts what was recognised in it, by mistake as nobody made a gesture: shipped ones, and
    own ones as they were before the refit.
    """

    recorded_s: float
    somebody_s: float
    kept_s: float
    heard: dict[str, int]
    rows: tuple[Row, ...]
    problems: tuple[str, ...]
    refit_s: float


def background(
    choice: Choice, seconds: float, store: Store, screen: Screen, control: Control | None = None
) -> Ordinary:
    """Record ordinary behaviour for so long, or until the source ends, and learn anew.

    Raises:
        GesturectlError: a part cannot be had, nothing came, or nothing can be kept.
    """
    recorder = _Recorder(choice, store, own.load(store).taught)
    control = control or Control()
    prompt = "do what you always do, and make no gesture"
    try:
        for observation, source in watched(choice, EVERYTHING, control):
            recorder.note(observation, source.description)
            status = Status(
                prompt, "go", None, recorder.recorded_us / 1e6, seconds, in_seconds=True
            )
            screen.show(observation, status)
            if recorder.recorded_us >= seconds * 1e6:
                break
    finally:
        recorder.flush()
    if not recorder.recorded_us:
        raise SampleError("nothing was recorded: no picture came")
    screen.say("learning …")
    learned = refit(store)
    return Ordinary(
        recorder.recorded_us / 1e6,
        recorder.somebody_us / 1e6,
        learned.samples.background_us / 1e6,
        dict(recorder.heard.most_common()),
        tuple(rows(store, learned.taught)),
        learned.samples.problems,
        learned.took_s,
    )


def ordinary_json(ordinary: Ordinary) -> dict[str, Any]:
    """Return what was recorded for programs."""
    return {
        "recorded_s": round(ordinary.recorded_s, 1),
        "somebody_s": round(ordinary.somebody_s, 1),
        "kept_s": round(ordinary.kept_s, 1),
        "heard": ordinary.heard,
        "gestures": [as_json(row) for row in ordinary.rows],
        "problems": list(ordinary.problems),
        "refit_s": round(ordinary.refit_s, 2),
    }


class _Recorder:
    """Keeps what comes in pieces, so that a killed recording loses a minute at most."""

    def __init__(self, choice: Choice, store: Store, model: Taught | None) -> None:
        self.recorded_us = 0
        self.somebody_us = 0
        self.heard: Counter[str] = Counter()
        self._store = store
        self._source = choice.source
        self._recogniser = Recogniser.load()
        self._listener = Listener(model) if model else None
        self._piece: list[Observation] = []
        self._last_us: int | None = None

    def note(self, observation: Observation, source: str) -> None:
        """Take one frame."""
        self._source = source
        if self._last_us is not None:
            # A camera that was away shows nothing: its gap is not behaviour.
            passed = min(observation.t_us - self._last_us, 500_000)
            self.recorded_us += passed
            if observation.hands or observation.bodies:
                self.somebody_us += passed
        self._last_us = observation.t_us
        events = list(self._recogniser.step(observation))
        if self._listener is not None:
            events += self._listener.step(observation)
        self.heard.update(event.gesture for event in events if isinstance(event, Began))
        piece = self._piece
        if piece and (
            piece[-1].size_px != observation.size_px or observation.t_us - piece[0].t_us > PIECE_US
        ):
            self.flush()
        self._piece.append(observation)

    def flush(self) -> None:
        """Keep what there is by now."""
        piece, self._piece = self._piece, []
        if len(piece) >= 2:
            self._store.add_background(piece, self._source)


# --- wrong --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Corrected:
    """What came of a mistake: the gesture's expectations before and after."""

    gesture: str
    mistakes: int
    before: Row | None
    after: Row | None
    refit_s: float


def last_heard() -> lastheard.Heard:
    """Return what the daemon last acted on.

    Raises:
        UsageError: there is nothing.
    """
    heard = lastheard.read()
    if heard is None:
        raise UsageError(
            "nothing was heard yet: a running gesturectl keeps the last gesture it acted on, while "
            "its profile listens to gestures of your own"
        )
    return heard


def wrong(store: Store, heard: lastheard.Heard) -> Corrected:
    """Take note that the last activation of an own gesture was none, and learn anew.

    Raises:
        SampleError: it cannot be kept or learned from; then nothing has changed.
    """
    before = _rows_by_name(store, own.load(store).taught).get(heard.gesture)
    file = store.add_wrong(heard.seen, heard.gesture)
    try:
        learned = refit(store)
    except SampleError:
        file.unlink(missing_ok=True)
        raise
    lastheard.remove(heard)  # said once, it counts once
    after = _rows_by_name(store, learned.taught).get(heard.gesture)
    return Corrected(heard.gesture, len(store.wrong_files()), before, after, learned.took_s)


def undo_wrong(store: Store) -> Learned:
    """Take the last mistake back, and learn anew.

    Raises:
        UsageError: there is none.
    """
    files = store.wrong_files()
    if not files:
        raise UsageError("nothing was called wrong yet")
    files[-1].unlink(missing_ok=True)
    return refit(store)


def _rows_by_name(store: Store, model: Taught | None) -> dict[str, Row]:
    return {row.gesture: row for row in rows(store, model)}


def corrected_json(corrected: Corrected) -> dict[str, Any]:
    """Return what a correction has changed for programs."""
    return {
        "gesture": corrected.gesture,
        "own": True,
        "mistakes": corrected.mistakes,
        "before": None if corrected.before is None else as_json(corrected.before),
        "after": None if corrected.after is None else as_json(corrected.after),
        "refit_s": round(corrected.refit_s, 2),
    }


# --- forget -------------------------------------------------------------------------------------


def forget(store: Store, name: str) -> int:
    """Remove a gesture with all that was kept of it, and learn the others anew.

    Raises:
        UsageError: there is no such gesture.
        SampleError: it cannot be removed.
    """
    count = store.forget(name)
    lastheard.remove()
    refit(store)
    return count


def forget_background(store: Store) -> int:
    """Remove all ordinary behaviour, and learn anew without it."""
    count = store.forget_background()
    refit(store)
    return count


def forget_all(store: Store) -> None:
    """Remove everything that was ever kept of a user's own gestures."""
    store.forget_all()
    lastheard.remove()
