"""Who is there: the hands and bodies of a frame, put together to people over time.

In:  Observations, with the hands and bodies of everybody in view.  Out: the people of each frame.

A hand is of the body whose wrist it is at. Without bodies a hand goes with one of the other side,
of its size, within reach; so two right hands are two people. A person keeps a number while their
trunk, or a hand, goes on from where it was, also through a gap. That is all there is to it: places
and sizes, forgotten once somebody is gone. Nobody is recognised, and no face is looked at; whoever
sits down where another has just left is the same to us.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import hypot
from typing import Final, TypeVar

from gesturectl.features import WRIST
from gesturectl.places import VISIBLE, Place, Seen
from gesturectl.types import Body, Hand, Observation, Side

# All lengths are in shoulder widths of the person. How far the hand model's wrist is from the pose
# model's was measured on four clips of people at a webcam: medians of 0.04 to 0.21, at most 0.32.
AT_WRIST: Final = 0.5
PALMS: Final = 4.0  # palms in a shoulder width; see `landmarks.plausible`
REACH: Final = 0.6  # between two frames; a hand that strikes needs more than a trunk
HAND_REACH: Final = 1.0
WALKS: Final = 2.5  # in a second: a person passes the width of a webcam's picture in about two
FARTHEST: Final = 1.5  # after any gap: a place is all that tells somebody from somebody else
ARM: Final = 2.0  # how far one hand is from the other, or from the middle, without bodies
HAND_KEEP_US: Final = 300_000  # a hand whose body is known comes back at its wrist
LIKE: Final = 0.6  # of two sizes that may be the same, the smaller by the larger
SAME_BODY: Final = 0.4  # two bodies nearer to each other are one that was found twice

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person in one frame.

    `place` is the middle of the shoulders, or of the hands, and `unit` the shoulder width, in
    heights of the image, as the user sees himself in a mirror (see `places`). `box` is what is seen
    of them, left, top, right and bottom as fractions of the mirrored image. Since `since_us` they
    are there. `body` may be missing in a frame of somebody whose body is known.
    """

    number: int
    place: Place
    unit: float
    box: Box
    since_us: int
    hands: tuple[Hand, ...]
    body: Body | None
    body_known: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """What is remembered of a person: where the trunk was and the hands were, and when.

    `chest` is None while no body was seen. `hands` are (place, width of the palm in shoulder
    widths of this person, time) by side.
    """

    number: int
    chest: Place | None
    unit: float
    hands: Mapping[Side, tuple[Place, float, int]]
    since_us: int
    chest_us: int
    seen_us: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody who is there, or was a moment ago; `count` people have been numbered so far."""

    tracks: tuple[Track, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Trunk:
    body: Body
    chest: Place
    unit: float
    wrists: Mapping[Side, Place]


@dataclass(frozen=True, slots=True, eq=False)
class _Palm:
    hand: Hand
    place: Place
    wrist: Place
    unit: float  # the shoulder width of whom such a palm belongs to


@dataclass(slots=True, eq=False)
class _Group:
    """What of a frame is one person's; `trunk` and `palms` are indices."""

    track: Track | None
    trunk: int | None = None
    palms: dict[int, Side | None] = field(default_factory=dict)  # the side the body gives it


def step(crowd: Crowd, observation: Observation, keep_us: int) -> tuple[Crowd, tuple[Person, ...]]:
    """Return who is remembered after this frame, for `keep_us`, and who is in it, by number.

    # A, a   body and hand of one person       1, 2   the number given
    #   1)  A a  A a  .  .  A a     1 1 . . 1     a gap shorter than `keep_us`
    #   2)  a    a    A a           1 1 1         a body comes to the hand at its wrist
    #   3)  A a  a    A             1 1 1         either goes on alone
    #   4)  A a  |keep_us|  A a     1 . 2         somebody new, for all that we know
    #   5)  r    r r'               1 1,2         two right hands, without bodies
    """
    t = observation.t_us
    tracks = tuple(one for one in crowd.tracks if t - one.seen_us <= keep_us)
    trunks, palms = tuple(_trunks(observation)), tuple(_palms(observation))
    arms = _nearest(_at_wrists(palms, trunks))
    goes_on = _nearest(_hands_go_on(palms, tracks, t))
    known = _nearest(_bodies_go_on(trunks, tracks, arms, goes_on, t))

    groups: list[_Group] = []
    of_track: dict[int, _Group] = {}
    for index in range(len(trunks)):
        group = _Group(tracks[known[index]] if index in known else None, index)
        group.palms = {p: side for p, (j, side) in arms.items() if j == index}
        groups.append(group)
        if group.track is not None:
            of_track[group.track.number] = group
    loose = [index for index in range(len(palms)) if index not in arms]
    for index in [one for one in loose if one in goes_on]:
        track = tracks[goes_on[index][0]]
        group = of_track.setdefault(track.number, _Group(track))
        if group not in groups:
            groups.append(group)
        if len(group.palms) < 2:
            group.palms[index] = None
            loose.remove(index)
    _join(groups, [one for one in tracks if one.number not in of_track], palms, loose)

    numbered = sorted(
        (one for one in groups if one.track is None), key=lambda one: _middle(one, trunks, palms)
    )
    numbers = {id(group): crowd.count + 1 + index for index, group in enumerate(numbered)}
    people, now = [], []
    for group in groups:
        number = numbers.get(id(group)) or (group.track.number if group.track else 0)
        person, track = _person(number, group, trunks, palms, observation)
        people.append(person)
        now.append(track)
    seen = {one.number for one in now}
    rest = [one for one in tracks if one.number not in seen]
    after = Crowd(
        tuple(sorted([*now, *rest], key=lambda one: one.number)), crowd.count + len(numbered)
    )
    return after, tuple(sorted(people, key=lambda one: one.number))


def only(observation: Observation, person: Person | None) -> Observation:
    """Return what a frame shows of one person, of nobody else."""
    if person is None:
        return replace(observation, hands=(), bodies=())
    bodies = () if person.body is None else (person.body,)
    return replace(observation, hands=person.hands, bodies=bodies)


# --- one frame ------------------------------------------------------------------------------------


def _trunks(observation: Observation) -> Iterator[_Trunk]:
    """Yield each body whose shoulders are in sight, once."""
    found: list[_Trunk] = []
    for body in observation.bodies:
        seen = Seen(replace(observation, hands=(), bodies=(body,)))
        chest, unit = seen.body_part("chest"), seen.shoulder_width()
        if chest is None or unit is None:
            continue
        if any(_apart(chest, other.chest) < SAME_BODY * other.unit for other in found):
            continue
        # Wrists out of sight are guessed well enough to tell whose hand it is.
        points = body.image[[15, 16], :2].tolist()
        left, right = (((1 - x) * seen.aspect, y) for x, y in points)
        found.append(_Trunk(body, chest, unit, {"left": left, "right": right}))
    yield from found


def _palms(observation: Observation) -> Iterator[_Palm]:
    for hand in observation.hands:
        seen = Seen(replace(observation, hands=(hand,), bodies=()))
        place, width = seen.hand_part(hand.side, "palm"), seen.palm_width(hand.side)
        if place is None or width is None:
            continue
        x, y = hand.image[WRIST, :2].tolist()
        yield _Palm(hand, place, ((1 - x) * seen.aspect, y), PALMS * width)


def _person(
    number: int,
    group: _Group,
    trunks: tuple[_Trunk, ...],
    palms: tuple[_Palm, ...],
    observation: Observation,
) -> tuple[Person, Track]:
    t, before = observation.t_us, group.track
    trunk = None if group.trunk is None else trunks[group.trunk]
    shown = [palms[index] for index in group.palms]
    hands = _two_sides(shown, list(group.palms.values()))
    chest = trunk.chest if trunk else before.chest if before else None
    if trunk is not None:
        unit = trunk.unit
    elif before is not None and before.chest is not None:
        unit = before.unit
    else:
        unit = sum(palm.unit for palm in shown) / len(shown)
    places = {
        hand.side: (palm.place, palm.unit / unit, t)
        for hand, palm in zip(hands, shown, strict=True)
    }
    track = Track(
        number,
        chest,
        unit,
        {**(before.hands if before else {}), **places},
        before.since_us if before else t,
        t if trunk else before.chest_us if before else t,
        t,
    )
    place = chest or _mean([palm.place for palm in shown])
    box = _box(shown, trunk, observation)
    body = trunk.body if trunk else None
    known = chest is not None
    return Person(number, place, unit, box, track.since_us, hands, body, known), track


def _two_sides(palms: list[_Palm], given: list[Side | None]) -> tuple[Hand, ...]:
    """Return a person's hands with two different sides: as the body says, or as they are placed."""
    if len(palms) < 2 or palms[0].hand.side != palms[1].hand.side:
        return tuple(palm.hand for palm in palms)
    first: Side = "left" if palms[0].place[0] < palms[1].place[0] else "right"
    if given[0] is not None and given[0] != given[1]:
        first = given[0]
    sides: tuple[Side, Side] = (first, "left" if first == "right" else "right")
    return tuple(
        palm.hand
        if palm.hand.side == side
        else replace(palm.hand, side=side, score=max(0.0, 1.0 - palm.hand.score))
        for palm, side in zip(palms, sides, strict=True)
    )


def _box(palms: list[_Palm], trunk: _Trunk | None, observation: Observation) -> Box:
    x: list[float] = []
    y: list[float] = []
    for palm in palms:
        x += palm.hand.image[:, 0].tolist()
        y += palm.hand.image[:, 1].tolist()
    if trunk is not None:
        points = trunk.body.image
        points = points[points[:, 3] >= VISIBLE]
        x += points[:, 0].tolist()
        y += points[:, 1].tolist()
    left, right = (min(max(1 - one, 0.0), 1.0) for one in (max(x), min(x)))
    top, bottom = (min(max(one, 0.0), 1.0) for one in (min(y), max(y)))
    return round(left, 3), round(top, 3), round(right, 3), round(bottom, 3)


# --- who is who -----------------------------------------------------------------------------------

_A = TypeVar("_A", bound=Hashable)
_B = TypeVar("_B", bound=Hashable)


def _nearest(pairs: Iterable[tuple[float, _A, _B]]) -> dict[_A, _B]:
    """Pair off what is nearest to each other; each is used once."""
    found: dict[_A, _B] = {}
    used: set[_B] = set()
    for _, one, other in sorted(pairs, key=lambda pair: pair[0]):
        if one not in found and other not in used:
            found[one] = other
            used.add(other)
    return found


def _at_wrists(
    palms: tuple[_Palm, ...], trunks: tuple[_Trunk, ...]
) -> Iterator[tuple[float, int, tuple[int, Side]]]:
    for i, palm in enumerate(palms):
        for j, trunk in enumerate(trunks):
            for side, wrist in trunk.wrists.items():
                away = _apart(palm.wrist, wrist) / trunk.unit
                if away <= AT_WRIST:
                    yield away, i, (j, side)


def _hands_go_on(
    palms: tuple[_Palm, ...], tracks: tuple[Track, ...], t: int
) -> Iterator[tuple[float, int, tuple[int, Side]]]:
    for i, palm in enumerate(palms):
        for k, track in enumerate(tracks):
            for side, (place, palm_units, at_us) in track.hands.items():
                if track.chest is not None and t - at_us > HAND_KEEP_US:
                    continue
                unit = palm_units * track.unit
                away = _apart(palm.place, place) / unit
                if away <= _reach(HAND_REACH, t - at_us) and _alike(palm.unit, unit):
                    # Of two hands that are as near, the one of the same side goes on.
                    yield away + (0.25 if side != palm.hand.side else 0.0), i, (k, side)


def _bodies_go_on(
    trunks: tuple[_Trunk, ...],
    tracks: tuple[Track, ...],
    arms: Mapping[int, tuple[int, Side]],
    goes_on: Mapping[int, tuple[int, Side]],
    t: int,
) -> Iterator[tuple[float, int, int]]:
    for j, trunk in enumerate(trunks):
        hands_of = {goes_on[p][0] for p, (at, _) in arms.items() if at == j and p in goes_on}
        for k, track in enumerate(tracks):
            if track.chest is None:
                if k in hands_of:
                    yield FARTHEST, j, k
                continue
            away = _apart(trunk.chest, track.chest) / track.unit
            if away <= _reach(REACH, t - track.chest_us) and _alike(trunk.unit, track.unit):
                yield away, j, k


def _join(
    groups: list[_Group], away: list[Track], palms: tuple[_Palm, ...], loose: list[int]
) -> None:
    """Give hands that are new to people without a body who lack this side, else to new people.

    Whose body is known has hands at its wrists, and no others.
    """
    for index in sorted(loose, key=lambda one: palms[one].place):
        palm = palms[index]
        best: tuple[float, _Group | Track] | None = None
        for group in groups:
            places = [palms[other] for other in group.palms]
            if group.trunk is not None or (group.track and group.track.chest) or len(places) != 1:
                continue
            fits = _may_pair(palm, places[0].place, places[0].unit, places[0].hand.side)
            if fits is not None and (best is None or fits < best[0]):
                best = fits, group
        for track in away:
            if track.chest is not None:
                continue
            for side, (place, palm_units, _) in track.hands.items():
                fits = _may_pair(palm, place, palm_units * track.unit, side)
                if fits is not None and (best is None or fits < best[0]):
                    best = fits, track
        if best is None:
            groups.append(_Group(None, palms={index: None}))
        elif isinstance(best[1], Track):
            away.remove(best[1])
            groups.append(_Group(best[1], palms={index: None}))
        else:
            best[1].palms[index] = None


def _may_pair(palm: _Palm, place: Place, unit: float, side: Side) -> float | None:
    """Return how far a hand is from another of the same person, None where it cannot be so.

    Hands are seldom crossed: the left one is on the left.
    """
    crossed = (palm.place[0] < place[0]) != (palm.hand.side == "left")
    away = _apart(palm.place, place) / unit
    fits = palm.hand.side != side and not crossed and away <= ARM and _alike(palm.unit, unit)
    return away if fits else None


def _middle(group: _Group, trunks: tuple[_Trunk, ...], palms: tuple[_Palm, ...]) -> Place:
    if group.trunk is not None:
        return trunks[group.trunk].chest
    return _mean([palms[index].place for index in group.palms])


def _reach(between_frames: float, gap_us: int) -> float:
    return min(between_frames + WALKS * gap_us / 1e6, max(FARTHEST, between_frames))


def _alike(one: float, other: float) -> bool:
    return min(one, other) >= LIKE * max(one, other)


def _apart(one: Place, other: Place) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])


def _mean(places: list[Place]) -> Place:
    return sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places)
