"""Listen for a user's own gestures in a stream of observations.

What each frame shows is summed up by beats of 100 ms (`views`). When a beat is over, the stretches
that end with it are scored by every ear (`ears`), and the scores go through the same two machines
as those of the shipped gestures (`decoder`): poses begin and end, motions do both at once.

    frames   | | | | | | | | | | | | |
    beats    |-----|-----|-----|-----|
                    [--- stretch ----]      of the lengths that the gesture's own takes had
                                      ^ scored when the first frame of the next beat arrives

Each hand has machines of its own, and so have both hands together and the body. Of a gesture made
with both hands the event's side is the one that moved more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gesturectl import decoder
from gesturectl.decoder import MotionState, PoseState, Rules
from gesturectl.ears import ENTER_P, EXIT_P, Ear, Taught, Way, confidence, ways_of
from gesturectl.recogniser import LOST_US, Candidate
from gesturectl.types import Began, Ended, Float32, Observation, Scores, Side, Subject
from gesturectl.views import BEAT_US, BODY_SIZE, HAND_SIZE, SIDES, Sums, Watcher

POSE_HOLD_US = BEAT_US
MOTION_HOLD_US = 0
# A stretch of seconds forgets slowly, and somebody at rest shows half of what was struck: a motion
# may be heard again as soon as it is a little less like itself, if the refractory time is over.
MOTION_EXIT_P = 0.86
REFRACTORY_US = 800_000  # a stroke has a return; at least as long as it is in view itself
_BELOW_P = 0.9 * EXIT_P
NEAR_P = 0.5  # what comes so far may soon begin


class Listener:
    """All own gestures of one user. Feed observations whose times grow."""

    def __init__(self, taught: Taught) -> None:
        self.gestures = frozenset(taught.gestures)
        self._ears = [_Listening(ear) for ear in taught.ears]
        self._t_us = -1

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What each subject in view seems to show."""
        best: dict[Subject, Candidate] = {}
        for ear in self._ears:
            for one in ear.candidates():
                old = best.get(one.subject)
                if old is None or (one.active, one.p) > (old.active, old.p):
                    best[one.subject] = one
        return tuple(best.values())

    @property
    def near(self) -> frozenset[Subject]:
        """The subjects that may be about to begin a gesture."""
        return frozenset(one.subject for one in self.candidates if one.p >= NEAR_P)

    def step(self, observation: Observation) -> tuple[Began | Ended, ...]:
        """Take what one frame shows; return the gestures that begin and end with it.

        Raises:
            ValueError: time did not grow since the last observation.
        """
        t = observation.t_us
        if t <= self._t_us:
            raise ValueError(f"observations must grow in time: {t} µs after {self._t_us} µs")
        self._t_us = t
        return tuple(event for ear in self._ears for event in ear.step(observation))

    def reset(self, t_us: int) -> tuple[Ended, ...]:
        """End everything that is shown and forget the past, as on pause or a stalled camera."""
        return tuple(event for ear in self._ears for event in ear.reset(t_us))


@dataclass(slots=True)
class _Machine:
    """The decoders of one way to look: what is held, what is struck, and what was last seen."""

    way: Way
    pose: PoseState = field(default_factory=PoseState)
    motion: MotionState = field(default_factory=MotionState)
    p: Float32 | None = None
    side: Subject = "body"
    held_by: Subject = "body"  # of the pose that has begun


class _Listening:
    """One ear at work: the past few seconds by beats, and its machines."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self._watcher = Watcher(hands="hand" in ear.parts, body="body" in ear.parts)
        self._lengths = ear.lengths
        self._size = max(self._lengths)
        self._poses = np.array([one.kind == "pose" for one in ear.sought])
        self._pose_rules = _rules(ear, "pose", EXIT_P, POSE_HOLD_US)
        self._motion_rules = _rules(ear, "motion", MOTION_EXIT_P, MOTION_HOLD_US)
        self._machines = [_Machine(way) for way in ways_of(ear.sought)]
        self._forget()

    def _forget(self) -> None:
        # Twice as many beats as are looked at: the last ones are always in one piece.
        n = 2 * self._size
        self._hands = np.zeros((2, n, HAND_SIZE), np.float32)
        self._body = np.zeros((n, BODY_SIZE), np.float32)
        self._seen = np.zeros((3, n), np.int64)
        self._way = np.zeros((2, n))
        self._last_at: dict[Side, NDArray[np.float32]] = {}
        self._seen_us = {"right": -1, "left": -1, "body": -1}
        self._beat = -1
        self._at = self._size
        self._watcher.reset()

    def step(self, observation: Observation) -> Iterable[Began | Ended]:
        t = observation.t_us
        beat = t // BEAT_US
        if self._beat < 0:
            self._beat = beat
        if beat - self._beat > self._size:  # nothing that was seen before is of use
            yield from self._lose(t)
            self._forget()
            self._beat = beat
        while self._beat < beat:
            yield from self._close(t)
            self._beat += 1
        told = self._watcher.step(observation)
        if told is not None:
            self._hands[:, self._at] += told.hands
            self._body[self._at] += told.body
            self._seen[:, self._at] += told.seen
        self._note(observation)
        yield from self._lose(t)

    def _note(self, observation: Observation) -> None:
        """Remember who was seen, and how far each hand went in this beat."""
        for hand in observation.hands:
            self._seen_us[hand.side] = observation.t_us
            at = hand.image[9, :2]
            if (old := self._last_at.get(hand.side)) is not None:
                self._way[SIDES.index(hand.side), self._at] += float(np.abs(at - old).max())
            self._last_at[hand.side] = at
        if observation.bodies:
            self._seen_us["body"] = observation.t_us

    def _close(self, t: int) -> Iterable[Began | Ended]:
        """End a beat: score what ends with it, and make room for the next."""
        for machine in self._machines:
            scores = self._scores(machine.way)
            machine.side = self._side(machine.way)
            machine.p = None if scores is None else confidence(self._ear.sought, scores)
        for machine in self._machines:
            if machine.p is None:
                yield from self._end(machine, t)
            else:
                yield from self._decide(machine, machine.p, t)
        self._at += 1
        if self._at == 2 * self._size:
            n = self._size
            for ring in (self._hands, self._seen, self._way):
                ring[:, :n] = ring[:, n:]
            self._body[:n] = self._body[n:]
            self._at = n
        self._hands[:, self._at], self._body[self._at] = 0, 0
        self._seen[:, self._at], self._way[:, self._at] = 0, 0

    def _scores(self, way: Way) -> Float32 | None:
        """Return the scores (C,) of what ends with this beat; None if nobody is there to judge."""
        stop = self._at + 1
        starts = [stop - length for length in self._lengths]
        if any(not self._seen[hand, starts[-1] : stop].any() for hand in way):
            return None
        hands = np.stack([self._hands[:, start:stop].sum(1) for start in starts], axis=1)
        body = np.stack([self._body[start:stop].sum(0) for start in starts])
        seen = np.stack([self._seen[:, start:stop].sum(1) for start in starts], axis=1)
        scores = self._ear.heard(way, Sums(hands, body, seen), self._lengths)
        return scores if np.isfinite(scores).any() else None

    def _side(self, way: Way) -> Subject:
        if len(way) == 1:
            return SIDES[way[0]]
        if not way:
            return "body"
        window = slice(self._at + 1 - self._lengths[0], self._at + 1)
        right, left = self._way[:, window].sum(1)
        return "left" if left > right else "right"

    def _decide(self, machine: _Machine, p: Float32, t: int) -> Iterable[Began | Ended]:
        best = int(p.argmax())
        held, struck = np.where(self._poses, p, 0), np.where(self._poses, 0, p)
        # Whichever is likelier, pose or motion, keeps the other from beginning.
        if self._poses[best]:
            struck = np.minimum(struck, _BELOW_P)
        elif not machine.pose.active:
            held = np.minimum(held, _BELOW_P)
        if self._pose_rules is not None:
            if not machine.pose.active:
                machine.held_by = machine.side
            scores = Scores(t, machine.held_by, _with_null(held[self._poses]))
            machine.pose, events = decoder.step_pose(self._pose_rules, machine.pose, scores)
            yield from events
        if self._motion_rules is not None:
            scores = Scores(t, machine.side, _with_null(struck[~self._poses]))
            machine.motion, events = decoder.step_motion(self._motion_rules, machine.motion, scores)
            if events:
                self._silence_others(machine)
            yield from events

    def _silence_others(self, fired: _Machine) -> None:
        """What one hand has made, the other hand or the arms have not made as well."""
        for machine in self._machines:
            if machine is not fired:
                quiet = max(fired.motion.quiet_until_us, machine.motion.quiet_until_us)
                echo = fired.motion.fired
                machine.motion = replace(machine.motion, quiet_until_us=quiet, echo=echo)

    def _end(self, machine: _Machine, t: int) -> Iterable[Ended]:
        if self._pose_rules is not None:
            rules, held_by = self._pose_rules, machine.held_by
            machine.pose, events = decoder.lose_pose(rules, machine.pose, t, held_by)
            yield from (event for event in events if isinstance(event, Ended))
        quiet, echo = machine.motion.quiet_until_us, machine.motion.echo
        machine.motion = MotionState(quiet_until_us=quiet, echo=echo)

    def _lose(self, t: int) -> Iterable[Ended]:
        """End what is held by somebody who is gone."""
        for machine in self._machines:
            hands: list[Subject] = [SIDES[hand] for hand in machine.way]
            if any(t - self._seen_us[subject] > LOST_US for subject in hands or ["body"]):
                machine.p = None
                yield from self._end(machine, t)

    def reset(self, t_us: int) -> Iterable[Ended]:
        for machine in self._machines:
            machine.p = None
            yield from self._end(machine, t_us)
        self._forget()

    def candidates(self) -> Iterable[Candidate]:
        for machine in self._machines:
            if machine.p is None:
                continue
            active = machine.pose.active
            held = np.flatnonzero(self._poses)
            best = int(held[active - 1]) if active else int(machine.p.argmax())
            yield Candidate(
                machine.side,
                self._ear.names[best],
                float(machine.p[best]),
                ENTER_P,
                bool(active),
            )


def _with_null(p: Float32) -> Float32:
    """Put a null class before (C,) figures that know of none."""
    with_null: Float32 = np.concatenate([[1 - p.max(initial=0)], p]).astype(np.float32)
    return with_null


def _rules(ear: Ear, kind: str, exit_p: float, hold_us: int) -> Rules | None:
    """Return the rules for an ear's gestures of one kind, None where it knows none."""
    names = tuple(n for n, one in zip(ear.names, ear.sought, strict=True) if one.kind == kind)
    if not names:
        return None
    n = len(names) + 1
    longest = max(max(one.lengths) for one in ear.sought)
    return Rules(
        names=("", *names),
        enter=np.full(n, ENTER_P, np.float32),
        exit=np.full(n, exit_p, np.float32),
        hold_us=np.full(n, hold_us, np.int64),
        refractory_us=np.full(n, max(REFRACTORY_US, longest * 5 // 4 * BEAT_US), np.int64),
        smooth_us=0,
    )
