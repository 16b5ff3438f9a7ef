"""A lesson: takes of one gesture from any source, kept as they come, each accepted or refused.

    source → observations → takes (`takes`) → good enough? → kept (`samples`)

From a camera there is a countdown before each take, and whoever teaches hears what to do now. A
recording or the puppet plays at its own pace: what rests between two movements delimits the takes,
or the labels of a trace do. What is kept is kept at once, so a lesson that is interrupted goes on
where it stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from gesturectl import custom, takes
from gesturectl.daemon import STALL_S, Control
from gesturectl.errors import SampleError
from gesturectl.rig import Choice, open_landmarker
from gesturectl.samples import MAX_TAKES, Part, Plan, Store
from gesturectl.sources import EndOfSource, Source, gives_frames, open_source
from gesturectl.takes import Cutter, Phase, Timing
from gesturectl.teachview import Screen, Status
from gesturectl.trace import read_trace
from gesturectl.trimming import only, trim
from gesturectl.types import Needs, Observation, Take

log = logging.getLogger(__name__)

LIVE: Final = Timing(countdown_us=3_000_000, wait_us=8_000_000)
RECORDED: Final = Timing()
MOST_REFUSED: Final = 10  # in a row: then something is wrong that another try does not mend

NEEDS: Final[dict[Part, Needs]] = {"hand": Needs(2, 0), "body": Needs(0, 1), "auto": Needs(2, 1)}


@dataclass(frozen=True, slots=True)
class Offer:
    """A take that somebody made, and why it is none, where cutting it told already."""

    take: Take
    refused: str | None
    source: str


@dataclass(slots=True)
class Lesson:
    """One lesson under way. `wanted` is None where a recording decides how many there are."""

    name: str
    plan: Plan
    store: Store
    screen: Screen
    wanted: int | None
    control: Control = field(default_factory=Control)
    kept: list[tuple[Path, Take]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _in_a_row: int = 0  # refused, since the last one that was kept
    _set_aside: int = 0

    @property
    def complete(self) -> bool:
        """Whether there are as many takes as are wanted."""
        return self.wanted is not None and len(self.kept) >= self.wanted

    def hear(self, offer: Offer) -> None:
        """Keep an offered take or refuse it, and say so.

        Raises:
            SampleError: it cannot be written, or too many were refused in a row.
        """
        number = len(self.kept) + 1
        quality = takes.judge(offer.take, self.plan.part)
        if why := offer.refused or quality.problem or self._known(offer.take):
            self._refuse(number, why)
            return
        file = self.store.add_take(self.name, offer.take, offer.source)
        self.kept.append((file, offer.take))
        self._in_a_row = 0
        shown = ", ".join(
            f"{who if who == 'body' else f'{who} hand'} seen in {100 * share:.0f} %"
            for who, share in quality.seen.items()
            if share > takes.LEAST_SEEN
        )
        self.screen.say(f"take {number}: kept; {quality.duration_us / 1e6:.1f} s, {shown}", "good")
        self._set_odd_one_aside()

    def _refuse(self, number: int, why: str) -> None:
        self.refused.append(why)
        self._in_a_row += 1
        self.screen.say(f"take {number}: refused: {why}", "bad")
        if self._in_a_row >= MOST_REFUSED and self.wanted is not None:
            raise SampleError(
                f"{MOST_REFUSED} takes in a row were refused, the last because: {why}; the "
                f"{len(self.kept)} good ones are kept"
            )

    def _known(self, take: Take) -> str | None:
        for number, (_, kept) in enumerate(self.kept, 1):
            if _same(take, kept):
                return f"it is take {number} once more, number for number"
        return None

    def _set_odd_one_aside(self) -> None:
        # Who means it so, and makes each take another way, shall get to the end all the same.
        if self._set_aside >= max(2, (self.wanted or len(self.kept)) // 2):
            return
        odd = takes.odd_one(embedded([take for _, take in self.kept], self.plan.part))
        if odd is None:
            return
        file, _ = self.kept.pop(odd)
        file.unlink(missing_ok=True)
        self._set_aside += 1
        why = "it looks different from the other takes"
        self.refused.append(why)
        self.screen.say(f"take {odd + 1}: set aside: {why}", "bad")

    def status(self, cutter: Cutter, observation: Observation) -> Status:
        """Say what to do now."""
        done, wanted = len(self.kept), self.wanted
        state, timing = cutter.state, cutter.timing
        since_us = 0 if state.since_us is None else observation.t_us - state.since_us
        if is_paced(timing):
            match state.phase:
                case Phase.COUNTDOWN if since_us < timing.countdown_us:
                    left_s = -(-(timing.countdown_us - since_us) // 1_000_000)
                    prompt = f"take {done + 1}: get ready"
                    return Status(prompt, "wait", left_s, done, wanted)
                case Phase.COUNTDOWN:
                    return Status("hold still", "wait", None, done, wanted)
                case Phase.WAITING:
                    prompt = "now: make the gesture, and come back to rest"
                    return Status(prompt, "go", None, done, wanted)
                case Phase.RETURNING:
                    return Status("come back to rest", "wait", None, done, wanted)
        prompt = "recording" if state.phase is Phase.ACTING else "looking for the next take"
        return Status(prompt, "plain", None, done, wanted)


def is_paced(timing: Timing) -> bool:
    """Whether somebody is asked to wait and to go on."""
    return timing.wait_us is not None


def gather(lesson: Lesson, choice: Choice, recordings: Sequence[Path], timing: Timing) -> None:
    """Hear takes until there are enough, the source ends, or somebody stops.

    Raises:
        GesturectlError: a part cannot be had, a recording is damaged, or nothing can be kept.
    """
    lesson.store.begin(lesson.name, lesson.plan)
    offers = (
        _whole(recordings) if recordings
        else _from_labels(lesson, choice.source) or _from_stream(lesson, choice, timing)
    )  # fmt: skip
    for offer in offers:
        lesson.hear(offer)
        if lesson.complete or lesson.control.stop or len(lesson.kept) >= MAX_TAKES:
            break


def resume(lesson: Lesson) -> None:
    """Take up what an earlier lesson has kept, and say so; what is damaged is said and left out."""
    lesson.kept, problems = lesson.store.takes(lesson.name)
    for problem in problems:
        lesson.screen.say(problem, "bad")
    if lesson.kept and not lesson.complete:
        of = f" of {lesson.wanted}" if lesson.wanted else ""
        lesson.screen.say(f"{len(lesson.kept)}{of} takes are kept from before")


def embedded(kept: Sequence[Take], part: Part) -> np.ndarray:
    """Return what each take shows on average: float32 (N, EMBEDDING_SIZE), 0 where that is nothing.

    Only what moves or is held counts, and only the landmarks that `part` looks at.
    """
    rows = []
    for take in kept:
        first, last = trim(take)
        seen = only(take[first : last + 1], part)
        try:
            rows.append(custom.embed(seen))
        except SampleError:  # so short that it is judged elsewhere
            rows.append(custom.embed(only(take, part)))
    return np.array(rows, np.float32).reshape(len(rows), -1)


def _whole(recordings: Sequence[Path]) -> Iterator[Offer]:
    for path in recordings:
        trace = read_trace(path)
        take: list[Observation] = []
        for observation, _ in trace:
            take.append(observation)
            if take[-1].t_us - take[0].t_us > custom.MAX_TAKE_US:
                yield Offer(take, _too_long(), trace.source)
                break
        else:
            yield Offer(take, None, trace.source)


def _too_long() -> str:
    return f"longer than {custom.MAX_TAKE_US / 1e6:.0f} s"


def _from_labels(lesson: Lesson, source: str) -> Iterator[Offer] | None:
    """Return the takes that a trace's labels delimit; None for what has no labels."""
    if gives_frames(source):
        return None
    path = Path(source.removeprefix("trace:")).expanduser()
    trace = read_trace(path)
    found = takes.labelled(trace, lesson.name)
    if not found:
        return None

    def offers() -> Iterator[Offer]:
        for take in found:
            long = take[-1].t_us - take[0].t_us > custom.MAX_TAKE_US
            yield Offer(take, _too_long() if long else None, trace.source)

    return offers()


def _from_stream(lesson: Lesson, choice: Choice, timing: Timing) -> Iterator[Offer]:
    cutter = Cutter(lesson.plan.part, timing)
    for observation, source in watched(choice, NEEDS[lesson.plan.part], lesson.control):
        taken = cutter.step(observation)
        lesson.screen.show(observation, lesson.status(cutter, observation))
        if taken:
            yield Offer(*taken, source.description)
    if not lesson.control.stop and (taken := cutter.finish()):
        yield Offer(*taken, choice.source)


def watched(choice: Choice, needs: Needs, control: Control) -> Iterator[tuple[Observation, Source]]:
    """Yield what a source shows until it ends or somebody stops, with the source.

    Recordings come as fast as they are read, every frame of them.

    Raises:
        GesturectlError: source or landmark models cannot be had, or fail.
    """
    with ExitStack() as stack:
        source = stack.enter_context(open_source(choice.source, realtime=False))
        landmarker = None
        if gives_frames(choice.source):
            landmarker = stack.enter_context(open_landmarker(needs, choice))
        problem: str | None = None
        while not control.stop:
            try:
                item = source.read(STALL_S)
            except EndOfSource:
                return
            if (ails := source.problem) != problem:
                problem = ails
                log.warning("%s", problem or "pictures again")
            if item is None:
                continue
            if isinstance(item, Observation):
                yield item, source
            elif landmarker is not None:
                yield landmarker.detect(item), source


def _same(take: Take, other: Take) -> bool:
    """Whether two takes are the same recording: a file taken up twice."""
    if len(take) != len(other):
        return False
    for a, b in zip(take, other, strict=True):
        if len(a.hands) != len(b.hands) or len(a.bodies) != len(b.bodies):
            return False
        here = [hand.image for hand in a.hands] + [body.image for body in a.bodies]
        there = [hand.image for hand in b.hands] + [body.image for body in b.bodies]
        if not all(np.allclose(x, y, atol=2e-5) for x, y in zip(here, there, strict=True)):
            return False
    return True
