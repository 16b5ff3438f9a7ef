"""Cut a stream into takes of a gesture, and say of each whether it can be learned from.

In: observations, one after another.  Out: takes, each with what was seen in it, or why it is
refused. No clock and no key press: whoever teaches holds still, makes the gesture, and comes back.

Home is where somebody is before a gesture: a posture held still, or out of the picture.

    # r counted down, and still   m leaves home   h home again   s still elsewhere   t too long
    # w nothing came
    #   1) COUNTDOWN--r  WAITING--m  ACTING--h|                  a take, back to COUNTDOWN
    #   2) …        --r  WAITING--m  ACTING--s|  RETURNING--h|   a take that ends elsewhere: a pose
    #   3) …        --r  WAITING--m  ACTING--t|  RETURNING--h|   refused: it took too long
    #   4) …        --r  WAITING-------------w|                  refused: nothing moved, or nobody
    #   5) …        --r  WAITING--m  ACTING--h   within a blink: nothing, still WAITING
    # RETURNING ends also where somebody stays still elsewhere: there is home from then on.

A trace whose frames are labelled needs none of this: each stretch of one label is a take.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import groupby
from typing import Final

import numpy as np

from gesturectl import features
from gesturectl.errors import SampleError
from gesturectl.samples import Part
from gesturectl.types import Body, Float32, Hand, Observation, Subject, Take

# Movement over 267 ms, in palm sizes for a hand and halves of the shoulders' width for a body. The
# landmarks of a hand held still wander by 0.05 to 0.2 (real clips through MediaPipe; the puppet's
# by 0.05 to 0.17), strokes and an arm on its way reach 1 to 5; the tip of a finger that bends by a
# third of its length moves by 0.35.
MOVES: Final = 0.30
STILL: Final = 0.25
AWAY: Final = 0.4  # from home, in the same units
_SPAN_US: Final = 267_000
_HALVES: Final = 2.0

BLINK_US: Final = 250_000  # a shorter appearance is an error of the estimator
STEADY_US: Final = 300_000  # so long still, and we know where home is
MARGIN_US: Final = 200_000  # kept before a movement was noticed
_VISIBLE: Final = 0.5

_HAND_POINTS = [0, 4, 8, 9, 12, 16, 20]  # wrist, tips, the middle knuckle
_BODY_POINTS = [13, 14, 15, 16, 25, 26]  # elbows, wrists, knees
_SHOULDERS, _HIPS = (11, 12), (23, 24)

# Of somebody seen from head to foot the hanging hands are found now and then: with `auto` a hand
# counts beside a body from this palm size on, in heights of the picture. It is 0.12 before a
# laptop, 0.03 where all of the body is in view.
_NEAR_PALM: Final = 0.045


# --- what of an observation moves ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a hand or body is: `points` (K, 2) in its own unit, NaN where they are not seen."""

    t_us: int
    points: Float32


Places = Mapping[Subject, Place]


def places(observation: Observation, part: Part) -> dict[Subject, Place]:
    """Return where each subject is that counts for `part`."""
    found: dict[Subject, Place] = {}
    if part != "body":
        for hand in observation.hands:
            points = features.hand_points([hand], observation.size_px)
            _, size = features.palm_frame(points)
            if part == "auto" and observation.bodies and size[0] < _NEAR_PALM:
                continue
            own = points[0, _HAND_POINTS, :2] / size[0]
            found.setdefault(hand.side, Place(observation.t_us, own))
    if part != "hand" and observation.bodies:
        found["body"] = _place_of_body(observation.bodies[0], observation)
    return found


def _place_of_body(body: Body, observation: Observation) -> Place:
    points = features.body_points(body.image, observation.size_px)
    left, right = (points[i, :2] for i in _SHOULDERS)
    torso = np.linalg.norm((left + right - points[_HIPS[0], :2] - points[_HIPS[1], :2]) / 2)
    unit = max(float(np.linalg.norm(left - right)), 0.6 * float(torso), 1e-6) / _HALVES
    own = points[_BODY_POINTS, :2] / unit
    own[points[_BODY_POINTS, 3] < _VISIBLE] = np.nan
    return Place(observation.t_us, own.astype(np.float32))


def distance(here: Place, there: Place) -> float:
    """Return how far the point that moved most is from where it was; 0 where none is in both."""
    moved = np.linalg.norm(here.points - there.points, axis=1)
    return float(np.nanmax(moved)) if np.isfinite(moved).any() else 0.0


@dataclass(frozen=True, slots=True)
class Sight:
    """One frame, as cutting sees it. `speed` is the movement over 267 ms; see `MOVES`."""

    t_us: int
    places: Places
    speed: float


class Watch:
    """Turns observations into sights: remembers a third of a second."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._past: deque[tuple[int, dict[Subject, Place]]] = deque()

    def look(self, observation: Observation) -> Sight:
        """Take one observation; return what moves in it."""
        now = places(observation, self.part)
        t = observation.t_us
        while len(self._past) > 1 and self._past[1][0] <= t - _SPAN_US:
            self._past.popleft()
        speed = 0.0
        for subject, place in now.items():
            # The oldest within the span, as a hand that has just appeared has no longer past.
            before = next((old[subject] for _, old in self._past if subject in old), None)
            if before is not None:
                speed = max(speed, distance(place, before))
        self._past.append((t, now))
        return Sight(t, now, speed)


# --- cutting ------------------------------------------------------------------------------------


class Phase(Enum):
    """Where in the drawing above we are."""

    COUNTDOWN = "countdown"
    WAITING = "waiting"
    ACTING = "acting"
    RETURNING = "returning"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take. `countdown_us` 0 and `wait_us` None suit recordings."""

    countdown_us: int = 0
    wait_us: int | None = None
    back_us: int = 350_000  # home so long ends a take
    held_us: int = 1_600_000  # still so long elsewhere ends it too: a pose is held
    longest_us: int = 8_000_000
    settle_us: int = 5_000_000  # still so long elsewhere after a take makes it home


@dataclass(frozen=True, slots=True)
class State:
    """What the past means for the next sight. `home` is empty where nobody is at home."""

    phase: Phase = Phase.COUNTDOWN
    since_us: int | None = None
    home: Places = field(default_factory=dict)
    still_us: int | None = None  # since when nothing moves
    back_us: int | None = None  # since when everybody is home
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """A take lies between these times; `refused` says why it is none, where that is clear."""

    first_us: int
    last_us: int
    refused: str | None = None


def step(timing: Timing, state: State, sight: Sight) -> tuple[State, Cut | None]:
    """Advance by one sight."""
    t = sight.t_us
    since = t if state.since_us is None else state.since_us
    still = None if sight.speed > STILL else t if state.still_us is None else state.still_us
    at_home = _at_home(state.home, sight)
    back = None if not at_home else t if state.back_us is None else state.back_us
    state = replace(state, since_us=since, still_us=still, back_us=back)
    match state.phase:
        case Phase.COUNTDOWN if t - since >= timing.countdown_us:
            steady = still is not None and (not sight.places or t - still >= STEADY_US)
            return (_wait(sight), None) if steady else (state, None)
        case Phase.WAITING:
            return _step_waiting(timing, state, sight)
        case Phase.ACTING:
            return _step_acting(timing, state, sight)
        case Phase.RETURNING if back is not None and t - back >= timing.back_us:
            return State(since_us=t, still_us=still), None
        case Phase.RETURNING if still is not None and t - still >= timing.settle_us:
            return State(since_us=t, still_us=still), None
    return state, None


def finish(state: State, t_us: int) -> Cut | None:
    """Return the take that the end of the recording cuts off, if one was under way."""
    if state.phase is not Phase.ACTING or state.since_us is None:
        return None
    return Cut(state.since_us - MARGIN_US, t_us)


def _wait(sight: Sight) -> State:
    return State(Phase.WAITING, sight.t_us, sight.places, seen=bool(sight.places))


def _step_waiting(timing: Timing, state: State, sight: Sight) -> tuple[State, Cut | None]:
    t, since = sight.t_us, state.since_us or 0
    state = replace(state, seen=state.seen or bool(sight.places))
    if not _at_home(state.home, sight) or sight.speed > MOVES:
        return replace(state, phase=Phase.ACTING, since_us=t, still_us=None, back_us=None), None
    if timing.wait_us is not None and t - since >= timing.wait_us:
        why = "nothing moved" if state.seen else "nobody was seen"
        return State(since_us=t), Cut(since, t, why)
    if sight.speed <= STILL:  # home follows whoever drifts
        state = replace(state, home=sight.places)
    return state, None


def _step_acting(timing: Timing, state: State, sight: Sight) -> tuple[State, Cut | None]:
    t, since = sight.t_us, state.since_us or 0
    first = since - MARGIN_US
    if state.back_us is not None and t - state.back_us >= timing.back_us:
        if state.back_us - since < BLINK_US:
            return _wait(sight), None
        return State(since_us=t, still_us=state.still_us), Cut(first, state.back_us + MARGIN_US)
    after = replace(state, phase=Phase.RETURNING, since_us=t, still_us=None, back_us=None)
    if sight.places and state.still_us is not None and t - state.still_us >= timing.held_us:
        return after, Cut(first, t)
    if t - since > timing.longest_us:
        why = f"it took longer than {timing.longest_us / 1e6:.0f} s"
        return after, Cut(first, t, why)
    return state, None


def _at_home(home: Places, sight: Sight) -> bool:
    """Whether everybody is where they were, still, and nobody else is there."""
    if sight.places.keys() != home.keys():
        return False
    near = all(distance(sight.places[who], home[who]) <= AWAY for who in home)
    return near and sight.speed <= MOVES


class Cutter:
    """Steps through observations; yields takes and keeps no more than one of them."""

    def __init__(self, part: Part, timing: Timing) -> None:
        self.part, self.timing = part, timing
        self.state = State()
        self.sight = Sight(0, {}, 0.0)
        self._watch = Watch(part)
        self._kept: deque[Observation] = deque()

    def step(self, observation: Observation) -> tuple[Take, str | None] | None:
        """Take one observation; return a take that ends with it, and why it is refused if so."""
        self.sight = self._watch.look(observation)
        self.state, cut = step(self.timing, self.state, self.sight)
        self._kept.append(observation)
        taken = self._taken(cut) if cut else None
        if self.state.phase is not Phase.ACTING:
            while self._kept and self._kept[0].t_us < observation.t_us - MARGIN_US:
                self._kept.popleft()
        return taken

    def finish(self) -> tuple[Take, str | None] | None:
        """Return the take that the recording's end cuts off, if one was under way."""
        cut = finish(self.state, self._kept[-1].t_us) if self._kept else None
        self.state = State()
        return self._taken(cut) if cut else None

    def _taken(self, cut: Cut) -> tuple[Take, str | None]:
        kept = [o for o in self._kept if cut.first_us <= o.t_us <= cut.last_us]
        return kept, cut.refused


def labelled(
    frames: Iterable[tuple[Observation, str | None]], name: str
) -> list[tuple[Observation, ...]]:
    """Return the takes that labels delimit: of `name`, or of whatever single label there is.

    Nothing where no frame is labelled. `frames` is gone through twice.

    Raises:
        SampleError: there are several labels, and none of them is `name`.
    """
    labels = sorted({label for _, label in frames if label is not None})
    if not labels:
        return []
    if name not in labels and len(labels) > 1:
        raise SampleError(
            f"its labels are {', '.join(labels)}, and none of them is {name!r}; "
            "teach under one of these names, or record again without labels"
        )
    wanted = name if name in labels else labels[0]
    runs = groupby(frames, key=lambda frame: frame[1] == wanted)
    return [tuple(observation for observation, _ in run) for mine, run in runs if mine]


# --- what a take is worth -----------------------------------------------------------------------

SHORTEST_US: Final = 300_000  # as `custom` asks
LEAST_RATE_HZ: Final = 10.0  # MediaPipe loses a stroke between frames farther apart
LEAST_SEEN: Final = 0.6
HARDLY: Final = 5  # frames
PASSING: Final = 0.2  # of the frames of whoever is seen most: whoever is seen less does not act
MOST_OUTSIDE: Final = 0.25
SHOWN_US: Final = 350_000  # a pose must be still for so long to be clear


@dataclass(frozen=True, slots=True)
class Quality:
    """What is known of a take. `problem` says why it cannot be learned from, or is None.

    `seen` is the part of the frames, from the first to the last one that shows it, in which each
    subject was found; whoever was there only in passing is left out.
    """

    duration_us: int
    rate_hz: float
    seen: Mapping[Subject, float]
    problem: str | None


def judge(take: Take, part: Part) -> Quality:
    """Look at one take by itself."""
    stamps = [o.t_us for o in take]
    duration = stamps[-1] - stamps[0] if take else 0
    rate = (len(take) - 1) * 1e6 / duration if duration else 0.0
    sights = _sights(take, part)
    counts = _counts(sights)
    enough = PASSING * max(counts.values(), default=0)
    seen = {who: _seen(sights, who) for who, count in counts.items() if count > enough}
    if not seen:
        wanted = "no hand" if part == "hand" else "nobody"
        problem: str | None = f"{wanted} was seen: is there light, and are you in the picture?"
    elif duration < SHORTEST_US:
        problem = f"too short: {duration / 1e6:.1f} s"
    elif rate < LEAST_RATE_HZ:
        problem = f"only {rate:.0f} pictures a second came: give it more light"
    else:
        problem = _problem(take, sights, seen, counts)
    return Quality(duration, rate, seen, problem)


def _sights(take: Take, part: Part) -> list[Sight]:
    watch = Watch(part)
    return [watch.look(observation) for observation in take]


def _counts(sights: list[Sight]) -> dict[Subject, int]:
    """Return in how many frames each subject that is there at all was seen."""
    return Counter(who for sight in sights for who in sight.places)


def _seen(sights: list[Sight], who: Subject) -> float:
    shown = np.flatnonzero([who in sight.places for sight in sights])
    return len(shown) / float(shown[-1] - shown[0] + 1) if len(shown) else 0.0


def _problem(
    take: Take,
    sights: list[Sight],
    seen: Mapping[Subject, float],
    counts: Mapping[Subject, int],
) -> str | None:
    hands: dict[Subject, float] = {who: share for who, share in seen.items() if who != "body"}
    acting = max(hands or seen, key=lambda who: counts[who])
    if counts[acting] < HARDLY and "body" in seen:
        acting = "body"
    if counts[acting] < HARDLY:
        return "your hand was hardly seen: give it more light, or come nearer"
    if seen[acting] < LEAST_SEEN:
        return (
            f"{_whose(acting)} was seen in only {100 * seen[acting]:.0f} % of the frames: "
            "more light, nearer to the camera, or slower"
        )
    if side := _outside(take, acting):
        return f"{_whose(acting)} leaves the picture {side}: step back, or make it smaller"
    if not _shows_something(sights):
        return "nothing moved, and no pose was held still"
    return None


def _whose(who: Subject) -> str:
    return "your body" if who == "body" else f"your {who} hand"


def _outside(take: Take, who: Subject) -> str | None:
    """Say on which side a hand is beyond the picture's edge, between coming in and going out."""
    shown = [hand for o in take for hand in o.hands if hand.side == who]
    beyond = [_beyond(hand) for hand in shown]
    inside = [i for i, side in enumerate(beyond) if side is None]
    # Coming in and going out are no fault, where there is something between them.
    if 2 * len(inside) > len(beyond):
        beyond = beyond[inside[0] : inside[-1] + 1]
    gone = Counter(side for side in beyond if side is not None)
    return gone.most_common(1)[0][0] if gone.total() > MOST_OUTSIDE * len(beyond) else None


def _beyond(hand: Hand) -> str | None:
    """Say where a hand is cut off: at least five points lie outside."""
    x, y = hand.image[:, 0], hand.image[:, 1]
    # The picture is not mirrored: its left is on the user's right.
    counts = {
        "on your right": int((x < 0).sum()),
        "on your left": int((x > 1).sum()),
        "at the top": int((y < 0).sum()),
        "at the bottom": int((y > 1).sum()),
    }
    side = max(counts, key=lambda name: counts[name])
    return side if counts[side] >= 5 else None


def _shows_something(sights: list[Sight]) -> bool:
    if any(sight.speed > MOVES for sight in sights):
        return True
    shown = [sight for sight in sights if sight.places]
    return shown[-1].t_us - shown[0].t_us >= SHOWN_US


# Likenesses are inner products of `custom.embed`. Of real takes (the measure `custom`, 3 and 5 of a
# gesture; chosen on every second user, here of the others) 12 % of good sets have one set aside by
# this, and of those with another gesture among them that one is found in 81 %. At 0.55: 17 and 88.
UNLIKE: Final = 0.4


def odd_one(embedded: Float32) -> int | None:
    """Return which of three or more takes (N, EMBEDDING_SIZE) is unlike the others, or None.

    A take is odd when its likeness to the others is less than `UNLIKE` times what the others have
    among themselves, by medians: one odd take among three is found as well as one among ten.
    """
    n = len(embedded)
    if n < 3:
        return None
    like = embedded @ embedded.T
    worst, ratio = None, UNLIKE
    for i in range(n):
        others = [j for j in range(n) if j != i]
        among = [like[a, b] for k, a in enumerate(others) for b in others[k + 1 :]]
        own, usual = float(np.median(like[i, others])), float(np.median(among))
        if usual > 0 and own / usual < ratio:
            worst, ratio = i, own / usual
    return worst


def cut_all(observations: Iterable[Observation], part: Part) -> Iterator[tuple[Take, str | None]]:
    """Yield all takes of a recording that rests between movements delimit."""
    cutter = Cutter(part, Timing())
    for observation in observations:
        if taken := cutter.step(observation):
            yield taken
    if taken := cutter.finish():
        yield taken
