"""A user's own gestures, learned from a few takes so that a running camera can be listened to.

In: takes by gesture, and recordings of ordinary behaviour. Out: `Taught`, for `Listener`.

What a stretch of time shows is averaged as `views` describes it, and judged as single takes are
(`custom`): by ridge regression and by the nearest take. What a stream adds is all that happens
between two gestures. So each gesture is taught against

    the other gestures' takes, and gestures of the catalog, unless its own takes look like them
    its own takes, before and after the gesture
    stretches of ordinary behaviour, shipped and the user's own: first any, then the worst
    what the user called wrong

and its threshold is found on behaviour that the regression has not seen; what `ears.Gait` refuses
besides is not counted on. Recordings are cut into pieces; every other piece is
judged by what the rest has taught, and the other way round:

    score   --|------b---------|----------m-----|--
              ordinary         enter     own takes
      b  exceeded as often as may be: `FALSE_PER_HOUR`, shared by all gestures (`tails`)
      m  the median of the gesture's own takes, each left out in its turn

`enter` lies between them; where b is not below m, the gesture is not told from ordinary behaviour,
and what it promises says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gesturectl import background as shipped_background
from gesturectl import custom
from gesturectl.ears import Ear, Expected, Part, Sought, Taught, Way, ways_of
from gesturectl.errors import SampleError
from gesturectl.strips import Heard, Strip
from gesturectl.tails import Tail
from gesturectl.taughtfile import load, save
from gesturectl.trimming import Kind, only, trim_all
from gesturectl.types import Float32, Float64, Int64, Take
from gesturectl.views import BEAT_US, LEFT, RIGHT, SIDES, Beats, beats

__all__ = ["Expected", "Taught", "load", "refit", "save"]

Judge = tuple[Float32, Float32]
"""A regression: weights (EMBEDDING_SIZE, C) and bias (C,)."""

FALSE_PER_HOUR = 0.2
MAX_TAKES = 500  # of all gestures; learning from so many takes some 5 s (docs/performance.md)
MAX_BACKGROUND_US = 1_200_000_000  # of the user's own, the newest: 20 min take some 3 s

_POSE_BEATS = 4
# Lengths that are looked for; few of them, so that many gestures share them.
_MOTION_BEATS = (3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30)
_SHOWN = 0.5  # of its steps a gesture must show what most of its takes showed
_NONE_OF_IT = 0.3  # of a stretch, up to which it may overlap with a gesture and show none
_ALONG = 0.3  # of the movement of one hand, from which on the other takes part
_PIECE_US = 30_000_000
_STOPPED_US = 1_000_000

_ORDINARY_ROWS, _NAMED_ROWS, _WORST_ROWS = 320, 8, 120  # the worst are shared by all
_OWN_WORST_ROWS, _MISTAKEN = 150, 0.0
_ORDINARY_WEIGHT = 200.0  # that many takes of ordinary behaviour do all stretches of it weigh
_WRONG_WEIGHT = 3.0
_REST_WEIGHT = 1.0
_ALIKE = 0.85  # as like as a gesture's own takes are among themselves
_BETWEEN = 0.6  # from the background's level to that of a gesture's own takes
_LEAST_GAP, _LEAST_SPREAD = 0.15, 0.1
_AT_ONCE = 32  # takes that are left out in one matrix product


@dataclass(frozen=True, slots=True, eq=False)
class _Clip:
    """One take: its frames, which of them are the gesture, and which hand makes it."""

    take: Take
    start_us: int
    stop_us: int
    way: Way

    def window(self, told: Beats) -> tuple[int, int]:
        """Return the beats of the gesture, counted from the recording's first."""
        start = self.start_us // BEAT_US - told.first
        return start, max(self.stop_us // BEAT_US - told.first + 1, start + 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Gesture:
    """One gesture's takes and how it is to be looked for."""

    name: str
    kind: Kind
    parts: tuple[Part, ...]
    hands: int
    clips: tuple[_Clip, ...]
    hand_share: float
    body_share: float

    @property
    def lengths(self) -> tuple[int, ...]:
        """Stretches in beats: of a pose a short one, of a motion those of its takes."""
        if self.kind == "pose":
            return (_POSE_BEATS,)
        took = [(clip.stop_us - clip.start_us) / BEAT_US + 1 for clip in self.clips]
        nearest = (
            min(_MOTION_BEATS, key=lambda n: abs(n - np.quantile(took, q))) for q in (0.2, 0.8)
        )
        return tuple(sorted(set(nearest)))

    def sought(self, enter: float = np.inf, typical: float = np.inf) -> Sought:
        """Return how it is looked for."""
        return Sought(
            self.kind, self.hands, self.lengths, self.hand_share, self.body_share, enter, typical
        )


# --- the one call ---------------------------------------------------------------------------------


def refit(
    takes: Mapping[str, Sequence[Take]],
    background: Sequence[Take] = (),
    negatives: Sequence[Take] = (),
    parts: Mapping[str, str] = MappingProxyType({}),
) -> Taught:
    """Learn gestures from their takes, as they were recorded; see above.

    `background` are long recordings of the user's ordinary behaviour, `negatives` takes that were
    none of the gestures, and `parts` says for some gestures whether "hand", "body" or what the
    takes show ("auto") is to be looked at.

    Raises:
        SampleError: a take is damaged or shows nobody (says which), or there are none or too many.
        ModelError: the background that comes with the program is damaged.
    """
    custom.check_some(takes)
    if (n := sum(map(len, takes.values()))) > MAX_TAKES:
        raise SampleError(f"{n} takes are too many to learn from; keep {MAX_TAKES} of them")
    gestures = [_gesture(name, own, parts.get(name, "auto")) for name, own in takes.items()]
    for i, take in enumerate(negatives):
        _check(take, f"take {i + 1} of what was wrong")
    pieces = _pieces(background)
    own_us = sum(piece[-1].t_us - piece[0].t_us for piece in pieces)
    ears, expected = [], dict[str, Expected]()
    for group in dict.fromkeys(gesture.parts for gesture in gestures):
        ear, told = _Fit(group, gestures, pieces, negatives).fit(own_us)
        ears.append(ear)
        expected |= told
    ordered = {name: expected[name] for name in takes}
    return Taught(MappingProxyType(ordered), tuple(ears), own_us)


def _check(take: Take, whose: str, max_us: int = custom.MAX_TAKE_US) -> None:
    try:
        custom.check(take, max_us)
    except SampleError as error:
        raise SampleError(f"{whose}: {error}") from error


def _pieces(background: Sequence[Take]) -> list[Take]:
    """Cut recordings at stops and every 30 s; keep the newest of them."""
    pieces: list[Take] = []
    for number, recording in enumerate(background):
        start = 0
        for i in range(1, len(recording) + 1):
            ends = i == len(recording)
            if ends or (
                recording[i].t_us - recording[i - 1].t_us > _STOPPED_US
                or recording[i].t_us - recording[start].t_us > _PIECE_US
            ):
                piece = recording[start:i]
                start = i
                if len(piece) < 2 or piece[-1].t_us - piece[0].t_us < custom.MIN_TAKE_US:
                    continue
                _check(piece, f"recording {number + 1} of ordinary behaviour", _PIECE_US)
                pieces.append(piece)
    left_us = MAX_BACKGROUND_US
    kept: list[Take] = []
    for piece in reversed(pieces):
        left_us -= piece[-1].t_us - piece[0].t_us
        if left_us < 0:
            break
        kept.append(piece)
    return kept[::-1]


# --- what a gesture is ----------------------------------------------------------------------------


def _gesture(name: str, takes: Sequence[Take], part: str) -> _Gesture:
    for i, take in enumerate(takes):
        whose = f"take {i + 1} of {name!r}"
        _check(take, whose)
        hands, body = _shown(take)
        if not (hands.any() and part != "body") and not (body.any() and part != "hand"):
            looked_for = {"hand": "no hand", "body": "no body"}.get(part, "nobody")
            raise SampleError(f"{whose} shows {looked_for}; record it again")
    takes = [only(take, part) for take in takes]
    kind, ends = trim_all(takes)
    cut = [(take, first, last) for take, (first, last) in zip(takes, ends, strict=True)]
    # What is seen during the gesture; hands are lost in quick movements, bodies rarely.
    shares = []
    for take, first, last in cut:
        hands, body = _shown(take[first : last + 1])
        shares.append((hands.any(0).mean(), hands.all(0).mean(), body.mean()))
    any_hand, both_hands, body_share = np.median(np.array(shares), axis=0)
    with_body = body_share > 0.6
    with_hands = any_hand > (0.3 if with_body else 0.0)
    two = both_hands > 0.5 * any_hand and _move_together(cut, kind)
    told: tuple[tuple[Part, bool], ...] = (("hand", with_hands), ("body", with_body))
    parts = tuple(part for part, needed in told if needed)
    count = (2 if two else 1) if with_hands else 0
    clips = tuple(
        _Clip(take, take[first].t_us, take[last].t_us, _way(take[first : last + 1], count))
        for take, first, last in cut
    )
    share = both_hands if two else any_hand
    return _Gesture(
        name,
        kind,
        parts or ("hand",),
        count if parts else 1,
        clips,
        _SHOWN * float(share) if with_hands else 0.0,
        _SHOWN * float(body_share) if with_body else 0.0,
    )


def _shown(take: Take) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which frames show the right and left hand (2, T), and a body (T,)."""
    hands = [[any(h.side == side for h in o.hands) for o in take] for side in SIDES]
    return np.array(hands), np.array([bool(o.bodies) for o in take])


def _path(take: Take, side: str) -> float:
    """Return how far a hand goes, in fractions of the image."""
    at = [hand.image[[0, 5, 17, 8], :2] for o in take for hand in o.hands if hand.side == side]
    if len(at) < 2:
        return 0.0
    return float(np.ptp(np.stack(at), axis=0).max())


def _move_together(cut: Sequence[tuple[Take, int, int]], kind: Kind) -> bool:
    """Tell whether both hands make the gesture: in most takes both move, or both are held."""
    if kind == "pose":
        return True
    ratios = []
    for take, first, last in cut:
        paths = sorted(_path(take[first : last + 1], side) for side in SIDES)
        ratios.append(paths[0] / max(paths[1], 1e-6))
    return float(np.median(ratios)) > _ALONG


def _way(take: Take, hands: int) -> Way:
    """Return which hands make the gesture in this take: of two, the one that moves more."""
    if hands != 1:
        return (RIGHT, LEFT)[:hands]
    right, left = _shown(take)[0].mean(1)
    if min(right, left) < 0.5 * max(right, left):
        return (RIGHT,) if right > left else (LEFT,)
    return (RIGHT,) if _path(take, "right") >= _path(take, "left") else (LEFT,)


# --- one ear --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """A vector to learn from, that is no whole gesture, and how much it weighs.

    `half` is 0 or 1 of the background, 2 of anything else. `source` is the take that it is a part
    of, -1 of none, and `shown` how much of its gesture it shows, 0..1.
    """

    vector: Float32
    weight: float
    half: int = 2
    source: int = -1
    shown: float = 0.0


class _Fit:
    """All that is needed to teach the gestures of one ear."""

    def __init__(
        self,
        parts: tuple[Part, ...],
        gestures: Sequence[_Gesture],
        pieces: Sequence[Take],
        negatives: Sequence[Take],
    ) -> None:
        self.parts = parts
        self.mine = [gesture for gesture in gestures if gesture.parts == parts]
        self.names = tuple(gesture.name for gesture in self.mine)
        self.sought = tuple(gesture.sought() for gesture in self.mine)
        self.ways = ways_of(self.sought)
        self.lengths = tuple(sorted({n for one in self.sought for n in one.lengths}))
        self.share = FALSE_PER_HOUR / len(gestures)
        hands, body = "hand" in parts, "body" in parts
        look = partial(beats, hands=hands, body=body)
        self.told = [[look(clip.take) for clip in gesture.clips] for gesture in self.mine]
        self.owner = np.repeat(np.arange(len(self.mine)), [len(told) for told in self.told])
        self.takes = self._embedded_takes()
        self.rng: Generator = np.random.default_rng(1)
        self.strips = [Strip.unmarked(look(piece), own=True) for piece in pieces]
        background = shipped_background.shipped()
        scenes = shipped_background.scenes(background, hands=hands, body=body)
        self.strips += [Strip(scene.beats, scene.marks) for scene in scenes]
        self.rows: list[_Row] = []
        self._x = _with_ones(self.takes)
        self._gram = self._x @ self._x.T
        self._add_own_rest()
        self._add_second_hands()
        self._add_others(
            (clip, look(clip.take)) for g in gestures if g.parts != parts for clip in g.clips
        )
        self._add_wrong(look(take) for take in negatives)

    def _embedded_takes(self) -> Float32:
        rows = []
        for gesture, told in zip(self.mine, self.told, strict=True):
            for i, (clip, one) in enumerate(zip(gesture.clips, told, strict=True)):
                vector = one.window(*clip.window(one)).embedded(clip.way)
                if not vector.any():
                    raise SampleError(
                        f"take {i + 1} of {gesture.name!r} does not show what the others show; "
                        "record it again"
                    )
                rows.append(vector)
        return np.stack(rows)

    def _add_window(
        self,
        told: Beats,
        start: int,
        stop: int,
        weight: float,
        *,
        half: int = 2,
        source: int = -1,
        shown: float = 0.0,
        ways: Sequence[Way] | None = None,
    ) -> None:
        """Add what some beats show, by each of the ways in which it can be seen."""
        sums = told.window(max(start, 0), stop)
        for way in self.ways if ways is None else ways:
            if all(sums.seen[hand] for hand in way):
                self._add(_Row(sums.embedded(way), weight, half, source, shown))

    def _add(self, row: _Row) -> None:
        if row.vector.any():
            self.rows.append(row)

    def _add_others(self, clips: Iterable[tuple[_Clip, Beats]]) -> None:
        """A gesture that is told by other parts is none of these."""
        for clip, told in clips:
            self._add_window(told, *clip.window(told), 1.0)

    def _add_wrong(self, takes: Iterable[Beats]) -> None:
        """Whatever the user called wrong is none, from its beginning to its end."""
        for told in takes:
            for length in self.lengths:
                for end in range(length, len(told) + 1, 2):
                    self._add_window(told, end - length, end, _WRONG_WEIGHT)

    def _add_own_rest(self) -> None:
        """What a take shows before and after the gesture is none."""
        for i, (c, clip, one) in enumerate(self._clips()):
            length = self.mine[c].lengths[0]
            start, stop = clip.window(one)
            # Also the first beats, short of a whole stretch: there a take shows nothing but rest.
            for end in range(3, len(one) + 1, max(length // 3, 1)):
                overlap = min(end, stop) - max(end - length, start)
                if overlap <= _NONE_OF_IT * min(length, end):
                    self._add_window(one, end - length, end, _REST_WEIGHT, source=i)

    def _clips(self) -> Iterator[tuple[int, _Clip, Beats]]:
        """Yield whose take it is, the take, and its beats, in the order of `takes`."""
        for c, (gesture, told) in enumerate(zip(self.mine, self.told, strict=True)):
            for clip, one in zip(gesture.clips, told, strict=True):
                yield c, clip, one

    def _add_second_hands(self) -> None:
        """A gesture of one hand beside one at rest is no gesture of both."""
        if (RIGHT, LEFT) not in self.ways:
            return
        for i, (_, clip, one) in enumerate(self._clips()):
            start, stop = clip.window(one)
            if len(clip.way) != 1 or start < 2:
                continue
            (hand,) = clip.way
            sums, rest = one.window(start, stop), one.window(0, start)
            hands = sums.hands.copy()
            hands[1 - hand] = rest.hands[hand] * ((stop - start) / start)
            both = replace(sums, hands=hands).embedded((RIGHT, LEFT))
            self._add(_Row(both, 1.0, source=i, shown=1.0))

    def _heard(self, strip: Strip) -> Heard:
        return Heard(strip, self.takes, self.owner, self.sought, self.ways)

    def _add_own_worst(self, judge: Judge) -> None:
        """Add what of each take was most like another gesture, or like its own before its time."""
        found: list[tuple[float, int, int, int, int]] = []
        takes = [(c, clip.window(one), one) for c, clip, one in self._clips()]
        for i, (c, (start, stop), one) in enumerate(takes):
            scores = self._heard(Strip.unmarked(one)).scores(*judge)
            ends = np.arange(1, len(one) + 1)
            for other, sought in enumerate(self.sought):
                for length in sought.lengths:
                    mine = scores[:, other]
                    if other == c:
                        overlap = np.minimum(ends, stop) - np.maximum(ends - length, start)
                        mine = np.where(overlap <= _NONE_OF_IT * length, mine, -np.inf)
                    b = int(mine.argmax())
                    if mine[b] > _MISTAKEN:
                        found.append((float(mine[b]), i, other, b, length))
        for _, i, _, b, length in sorted(found, reverse=True)[:_OWN_WORST_ROWS]:
            _, (start, stop), one = takes[i]
            into = max(min(b + 1, stop) - max(b + 1 - length, start), 0)
            shown = min(into / min(length, stop - start), 1.0)
            self._add_window(one, b + 1 - length, b + 1, 1.0, source=i, shown=shown)

    # --- rows of the background

    def _add_background(self) -> None:
        """Add stretches of ordinary behaviour, and of gestures of the catalog."""
        ordinary, named = [], dict[int, list[tuple[int, int]]]()
        for s, strip in enumerate(self.strips):
            for b in range(self.lengths[0], len(strip)):
                mark = int(strip.marks[b])
                if mark == 0:
                    ordinary.append((s, b))
                else:
                    named.setdefault(mark, []).append((s, b))
        chosen = self._drawn(ordinary, _ORDINARY_ROWS)
        weight = min(_ORDINARY_WEIGHT / max(len(chosen), 1), 1.0)
        for s, b in chosen:
            self._add_stretch(s, b, weight)
        for places in named.values():
            drawn = self._drawn(places, _NAMED_ROWS)
            rows = [self.strips[s].window(b, int(self.rng.choice(self.lengths))) for s, b in drawn]
            vectors = [row.embedded(way) for row in rows for way in self.ways]
            if not self._alike(np.stack(vectors)):
                for s, b in drawn:
                    self._add_stretch(s, b, weight)

    def _drawn(self, places: list[tuple[int, int]], n: int) -> list[tuple[int, int]]:
        chosen = self.rng.permutation(len(places))[:n]
        return [places[i] for i in sorted(chosen.tolist())]

    def _add_stretch(self, s: int, b: int, weight: float) -> None:
        length = int(self.rng.choice(self.lengths))
        told = self.strips[s].beats
        self._add_window(told, b + 1 - length, b + 1, weight, half=s % 2)

    def _alike(self, vectors: Float32) -> bool:
        """Tell whether a gesture of the catalog looks like one of the user's own."""
        like = custom.nearest(vectors @ self.takes.T, self.owner, len(self.mine))
        among = self.takes @ self.takes.T
        np.fill_diagonal(among, -1)
        for c in range(len(self.mine)):
            own = among[np.ix_(self.owner == c, self.owner == c)].max(1)
            level = float(np.median(own)) if len(own) > 1 else 0.9
            if float(np.quantile(like[:, c], 0.75)) > _ALIKE * level:
                return True
        return False

    # --- regression

    def _grow(self) -> None:
        """Keep the rows (n, E + 1) and their inner products (n, n) up to date."""
        fresh = self.rows[len(self._x) - len(self.takes) :]
        if fresh:
            x = _with_ones(np.stack([row.vector for row in fresh]))
            across = self._x @ x.T
            self._gram = np.block([[self._gram, across], [across.T, x @ x.T]])
            self._x = np.concatenate([self._x, x])

    def _system(self, used: NDArray[np.bool_]) -> tuple[Int64, Float64, Float64]:
        """Return which rows (n,) are learned from, their goals (n, C) and their ridge (n,)."""
        self._grow()
        n = len(self.takes)
        (use,) = np.nonzero(used)
        rows = [self.rows[i] for i in use]
        weights = np.r_[np.ones(n), [row.weight for row in rows]]
        goal = np.full((n + len(use), len(self.mine)), -1.0)
        goal[np.arange(n), self.owner] = 1.0
        for i, row in enumerate(rows, start=n):
            if row.source >= 0:
                goal[i, self.owner[row.source]] = 2 * row.shown - 1
        return np.r_[np.arange(n), n + use], goal, custom.RIDGE / weights

    def _judge(self, half: int) -> Judge:
        """Learn without one half of the background."""
        rows, goal, ridge = self._system(np.array([row.half != half for row in self.rows], bool))
        gram = self._gram[np.ix_(rows, rows)].astype(np.float64) + np.diag(ridge)
        dual = np.zeros((len(self._x), len(self.mine)), np.float32)
        dual[rows] = np.linalg.solve(gram, goal)
        return self._primal(dual)

    def _sources(self) -> Int64:
        """Return which take each row (n,) is, or is a part of; -1 of none."""
        parts = np.array([row.source for row in self.rows], np.int64)
        return np.concatenate([np.arange(len(self.takes)), parts])

    def _primal(self, dual: Float32) -> Judge:
        primal = self._x.T @ dual
        return primal[:-1], primal[-1]

    def _scored(self, judges: Sequence[Judge]) -> list[Float32]:
        """Return the scores of each strip by the judge that does not know it."""
        return [heard.scores(*judges[s % 2]) for s, heard in enumerate(self.heard)]

    def _add_worst(self, scored: Sequence[Float32]) -> None:
        """Add the stretches that were most like each gesture, one a second at most."""
        for c, one in enumerate(self.sought):
            tops = []
            for s, (strip, scores) in enumerate(zip(self.strips, scored, strict=True)):
                ordinary = np.where(_clear(strip, max(one.lengths)), scores[:, c], -np.inf)
                for start in range(0, len(ordinary), 10):
                    b = start + int(ordinary[start : start + 10].argmax())
                    if np.isfinite(ordinary[b]):
                        tops.append((float(ordinary[b]), s, b))
            ways = ways_of([one])
            for _, s, b in sorted(tops, reverse=True)[: max(_WORST_ROWS // len(self.mine), 8)]:
                for length in one.lengths:
                    told = self.strips[s].beats
                    self._add_window(told, b + 1 - length, b + 1, 1.0, half=s % 2, ways=ways)

    def fit(self, own_us: int) -> tuple[Ear, dict[str, Expected]]:
        """Learn, and find the thresholds."""
        self._add_background()
        self.heard = [self._heard(strip) for strip in self.strips]
        judges = [self._judge(0), self._judge(1)]
        self._add_worst(self._scored(judges))
        self._add_own_worst(judges[0])
        scored = self._scored([self._judge(0), self._judge(1)])

        _, goal, ridge = self._system(np.ones(len(self.rows), bool))
        # Of the inverse only the columns of takes are needed, and of their parts.
        own = self._sources() >= 0
        asked = np.concatenate([goal, np.eye(len(own))[:, own]], axis=1)
        solved: Float64 = np.linalg.solve(self._gram.astype(np.float64) + np.diag(ridge), asked)
        dual, inverse = solved[:, : len(self.mine)], np.zeros(self._gram.shape)
        inverse[:, own] = solved[:, len(self.mine) :]
        weights, bias = self._primal(dual.astype(np.float32))
        peaks, rivals = self._own_peaks(inverse, dual, weights, bias)

        sought, expected = [], {}
        for c, gesture in enumerate(self.mine):
            tail, mine = self._tail(scored, c), peaks[self.owner == c]
            typical = self._typical(peaks, c)
            enter = _threshold(tail, mine, typical, self.share)
            sought.append(gesture.sought(enter, max(typical, enter + _LEAST_GAP)))
            rate, low, high = tail.rate(enter)
            wrong = [r for r, peak in zip(rivals[self.owner == c], mine, strict=True) if r != c]
            expected[gesture.name] = Expected(
                gesture.kind,
                gesture.parts,
                gesture.hands,
                len(gesture.clips),
                int(((mine >= enter) & (rivals[self.owner == c] == c)).sum()),
                self._false_in_own(scored, c, enter),
                own_us,
                rate,
                (low, high),
                self.names[int(np.bincount(wrong).argmax())] if wrong else None,
                enter,
            )
        ear = Ear(self.parts, self.names, tuple(sought), weights, bias, self.takes, self.owner)
        return ear, expected

    def _own_peaks(
        self, inverse: Float64, dual: Float64, weights: Float32, bias: Float32
    ) -> tuple[Float64, Int64]:
        """Return the highest score of each take's own gesture, by what the others teach, and
        which gesture was the likeliest then; -inf where a take is the only one.
        """
        n = len(self.takes)
        peaks, rivals = np.full(n, -np.inf), self.owner.copy()
        told = [one for own in self.told for one in own]
        again = np.bincount(self.owner)[self.owner] > 1
        for some in np.array_split(np.flatnonzero(again), -(-n // _AT_ONCE)):
            for i, (w, b) in zip(some.tolist(), self._lost(inverse, dual, some), strict=True):
                others = np.arange(n) != i
                known = (self.takes[others], self.owner[others], self.sought, self.ways)
                scores = Heard(Strip.unmarked(told[i]), *known).scores(weights - w, bias - b)
                best = int(scores[:, self.owner[i]].argmax())
                peaks[i] = scores[best, self.owner[i]]
                if np.isfinite(peaks[i]):
                    rivals[i] = int(scores[best].argmax())
        return peaks, rivals

    def _lost(self, inverse: Float64, dual: Float64, takes: Int64) -> list[Judge]:
        """Return what the regression loses without each of some takes, and without its parts."""
        if not len(takes):
            return []
        source, lost = self._sources(), []
        for i in takes:
            # Without the rows S the dual loses inverse[:, S] · inverse[S, S]⁻¹ · dual[S].
            (gone,) = np.nonzero(source == i)
            lost.append(inverse[:, gone] @ np.linalg.solve(inverse[np.ix_(gone, gone)], dual[gone]))
        weights, bias = self._primal(np.concatenate(lost, axis=1).astype(np.float32))
        return list(
            zip(np.split(weights, len(takes), axis=1), np.split(bias, len(takes)), strict=True)
        )

    def _typical(self, peaks: Float64, c: int) -> float:
        for known in (peaks[self.owner == c], peaks):
            if np.isfinite(known).any():
                return float(np.median(known[np.isfinite(known)]))
        # Single takes have nobody to be compared with: then ask as for a near repetition.
        return 0.6 * (1.0 + custom.NEARNESS)

    def _tail(self, scored: Sequence[Float32], c: int) -> Tail:
        seconds, beats_seen = [], 0
        for strip, scores in zip(self.strips, scored, strict=True):
            clear = _clear(strip, max(self.sought[c].lengths))
            ordinary = np.where(clear, scores[:, c], -np.inf).astype(np.float64)
            whole = len(ordinary) // 10 * 10
            if whole:
                seconds.append(ordinary[:whole].reshape(-1, 10).max(1))
                beats_seen += int(clear.sum())
        return Tail.of(seconds, beats_seen * BEAT_US / 3.6e9)

    def _false_in_own(self, scored: Sequence[Float32], c: int, enter: float) -> int:
        """Count beginnings in the user's own background, at most one a second."""
        count = 0
        for strip, scores in zip(self.strips, scored, strict=True):
            if strip.own:
                last = -10
                for b in np.flatnonzero(scores[:, c] >= enter).tolist():
                    count += b - last >= 10
                    last = b
        return count


def _with_ones(x: Float32) -> Float32:
    """Return rows with one more number, from which the bias is learned."""
    return np.concatenate([x, np.ones((len(x), 1), np.float32)], axis=1)


def _clear(strip: Strip, length: int) -> NDArray[np.bool_]:
    """Tell which stretches show no gesture of the catalog, neither now nor just before."""
    marked = np.convolve(strip.marks > 0, np.ones(length + 5))[: len(strip)] > 0
    ahead = np.r_[marked[3:], np.zeros(min(3, len(marked)), bool)][: len(marked)]
    clear: NDArray[np.bool_] = ~(marked | ahead)
    return clear


def _threshold(tail: Tail, own: Float64, typical: float, per_hour: float) -> float:
    """Return where a gesture begins; see the drawing above."""
    wanted = tail.score(per_hour)
    if not np.isfinite(wanted):
        return typical - _LEAST_GAP
    known = own[np.isfinite(own)]
    weakest = float(np.quantile(known, 0.2)) if len(known) > 1 else typical
    if wanted < weakest:
        spread = max(float(known.std()), _LEAST_SPREAD) if len(known) > 1 else _LEAST_SPREAD
        return max(wanted, min(wanted + _BETWEEN * (weakest - wanted), weakest - spread))
    # It is not told apart so well. Heard it must be, at least in half of the cases.
    return min(wanted, typical - _LEAST_GAP)
