"""A user's own gestures in a running stream: how many are heard, and how much else.

The takes of the measure `custom` are cut to a second each; a stream is made of them again:

    own take | pause | stranger's take | pause | own take | …

In a pause the hands and the body go on from where one take ends to where the next begins. So the
listener is never told where a take starts, and everything that is not the user's gesture is
somebody's different one: behaviour as misleading as it gets. Only what is shipped is known of it;
a user's own background makes it better.

A beginning counts as right once, within the take or `GRACE_US` after it; any other within own
takes as `wrong`, all else as false. The hours are those of strangers' takes with their pauses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from rich.table import Table

from gesturectl import taught
from gesturectl.features import STEP_US
from gesturectl.listener import Listener
from gesturectl.types import Began, Body, Float32, Hand, Observation, Take
from training.datasets import Segment
from training.evaluate.metrics import Rate, match, rounded, wilson
from training.evaluate.outcome import table
from training.measured import per_hour, percent

SHOTS = 5
PAUSE_STEPS = 18  # 0.6 s
GRACE_US = 400_000
OWN_TAKES, STRANGERS = 8, 120  # of each gesture; in all


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One user: takes, and the name of the gesture that each shows (N,)."""

    name: str
    takes: Sequence[Take]
    label: NDArray[np.str_]

    def of(self, names: Sequence[str]) -> dict[str, list[Take]]:
        """Return the takes of some gestures."""
        return {
            name: [t for t, own in zip(self.takes, self.label, strict=True) if own == name]
            for name in names
        }


@dataclass(frozen=True, slots=True)
class Heard:
    """What one user's stream gave: own takes heard of all, and what else was heard.

    `false` is of strangers' takes, `wrong` counts beginnings within own ones, and `promised` is how
    many false ones an hour teaching foretold, of all gestures together.
    """

    right: int
    takes: int
    false: Rate
    wrong: int
    promised: float

    @property
    def recall(self) -> float:
        """The fraction of own takes that were heard."""
        return self.right / max(self.takes, 1)


def joined(takes: Sequence[tuple[str, Take]]) -> tuple[list[Observation], list[Segment]]:
    """Put takes one after another; return the stream, and where each named one is."""
    stream: list[Observation] = []
    segments = []
    t_us = 1_000_000
    for name, take in takes:
        if stream:
            last = stream[-1]
            for part in np.linspace(0, 1, PAUSE_STEPS + 2)[1:-1]:
                t_us += STEP_US
                stream.append(_between(last, take[0], float(part), t_us))
        start_us = t_us + STEP_US
        for o in take:
            t_us += STEP_US
            stream.append(replace(o, t_us=t_us))
        if name:
            segments.append(Segment(name, start_us, t_us))
    return stream, segments


def _between(a: Observation, b: Observation, part: float, t_us: int) -> Observation:
    smooth = np.float32(part)

    def mixed(old: Float32, new: Float32) -> Float32:
        return (old + smooth * (new - old)).astype(np.float32)

    before, after = ({hand.side: hand for hand in o.hands} for o in (a, b))
    hands = tuple(
        Hand(side, 1.0, mixed(hand.image, after[side].image))
        for side, hand in before.items()
        if side in after
    )
    bodies = (Body(mixed(a.bodies[0].image, b.bodies[0].image)),) if a.bodies and b.bodies else ()
    return Observation(t_us, hands, bodies, a.size_px)


def measure(
    person: Person,
    strangers: Mapping[str, Sequence[Take]],
    background: Sequence[Take],
    none: frozenset[str],
    rng: Generator,
) -> Heard | None:
    """Teach a person's gestures, five takes each, and play the other ones; None if too few."""
    own = person.of(sorted(set(person.label.tolist()) - none))
    if not own or min(map(len, own.values())) <= SHOTS:
        return None
    learned, played = {}, []
    for name, takes in own.items():
        order = rng.permutation(len(takes)).tolist()
        learned[name] = [takes[i] for i in order[:SHOTS]]
        played += [(name, takes[i]) for i in order[SHOTS : SHOTS + OWN_TAKES]]
    known = taught.refit(learned, background)
    others = [take for name, takes in strangers.items() if name not in own for take in takes]
    others += [take for takes in person.of(sorted(none)).values() for take in takes]
    chosen = [others[i] for i in rng.permutation(len(others))[:STRANGERS].tolist()]
    order = rng.permutation(len(played) + len(chosen)).tolist()
    every = [*played, *(("", take) for take in chosen)]
    stream, segments = joined([every[i] for i in order])
    listener = Listener(known)
    events = [e for o in stream for e in listener.step(o) if isinstance(e, Began)]
    matching = match(events, segments, GRACE_US)
    wrong = sum(any(s.holds(e.t_us, GRACE_US) for s in segments) for e in matching.false)
    hours = (stream[-1].t_us - stream[0].t_us) / 3.6e9 * len(chosen) / len(every)
    return Heard(
        right=len(matching.right),
        takes=len(segments),
        false=Rate(len(matching.false) - wrong, hours),
        wrong=wrong,
        promised=sum(one.false_per_hour for one in known.gestures.values()),
    )


def figures(heard: Mapping[str, Heard]) -> dict[str, Any]:
    """Return what all users' streams gave together, and each by itself."""
    every = list(heard.values())
    right, takes = sum(one.right for one in every), sum(one.takes for one in every)
    false = Rate(sum(one.false.count for one in every), sum(one.false.hours for one in every))
    return {
        "shots": SHOTS,
        "recall": round(right / max(takes, 1), 4),
        "recall_interval": wilson(right, takes).rounded(),
        "takes": takes,
        "wrong": sum(one.wrong for one in every),
        "false": false.count,
        "hours_of_strangers": round(false.hours, 4),
        "false_per_hour_of_strangers": rounded(false.per_hour, 2),
        "false_interval": false.interval.rounded(2) if false.hours else None,
        "users": {
            name: {
                "recall": round(one.recall, 4),
                "wrong": one.wrong,
                "false": one.false.count,
                "promised_false_per_hour": round(min(one.promised, 1e6), 4),
            }
            for name, one in heard.items()
        },
    }


def run(people: Sequence[Person], none: frozenset[str]) -> dict[str, Heard]:
    """Measure each user against all others; who has too few takes is left out."""
    heard = {}
    for i, person in enumerate(people):
        strangers: dict[str, list[Take]] = {}
        for other in people:
            if other is not person:
                for name, takes in other.of(sorted(set(other.label.tolist()))).items():
                    strangers.setdefault(name, []).extend(takes)
        one = measure(person, strangers, (), none, np.random.default_rng([7, i]))
        if one is not None:
            heard[person.name] = one
    return heard


def drawn(heard: Mapping[str, Heard]) -> Table:
    """Return the table that people read."""
    out = table(
        f"In a stream, from {SHOTS} takes and what is shipped; strangers gesture all the time",
        "user", "heard", "wrong in it", "false in strangers'", "an hour of them",
    )  # fmt: skip
    for name, one in heard.items():
        out.add_row(
            name, percent(one.recall, wilson(one.right, one.takes)), str(one.wrong),
            str(one.false.count), per_hour(one.false.per_hour, one.false.interval),
        )  # fmt: skip
    return out
