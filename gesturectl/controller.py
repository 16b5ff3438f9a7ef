"""Who controls: one of the people in view, until they are gone or hand it over.

In:  the people of each frame, the wish to hand over, who has just woken the profile.
Out: the person who controls, or nobody. Everybody else is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, get_args

from pydantic import ConfigDict, Field

from gesturectl.fields import Duration, Kind, Short, Surroundings, choice, wrong
from gesturectl.people import Person
from gesturectl.presence import ARRIVES_US
from gesturectl.zones import LOOSER, Zone, ZoneName, in_picture

By = Literal["largest", "centre", "first_armed"]
FIRST_ARMED: Final = "first_armed"
MOST_PEOPLE: Final = 4


def _people(text: str, _: Surroundings) -> int:
    if text not in {str(count) for count in range(2, MOST_PEOPLE + 1)}:
        raise wrong(
            f"`{text}` is not a number of people from 2 to {MOST_PEOPLE}",
            "leave `control` out where one person is alone",
        )
    return int(text)


@dataclass(frozen=True, slots=True)
class Control:
    """Who controls where several people are in view."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Control")

    by: Annotated[
        Annotated[By, choice("a way to choose who controls", get_args(By))],
        Field(
            description="Who controls while nobody does: who is `largest`, which is nearest to "
            "the camera; who is nearest to the `centre` of the picture; or nobody until somebody "
            "wakes the profile, `first_armed`."
        ),
    ] = "largest"
    zone: Annotated[
        ZoneName | None,
        Field(
            description="A zone of the picture: only whose shoulders' middle is in it may control, "
            "and who leaves it is gone."
        ),
    ] = None
    gone_us: Annotated[
        Duration,
        Field(alias="gone", description="How long somebody in control may be out of sight."),
    ] = 3_000_000
    people: Annotated[
        Annotated[
            int,
            Kind(
                "a number of people",
                _people,
                {"type": "integer", "minimum": 2, "maximum": MOST_PEOPLE},
            ),
        ],
        Field(description="How many people are looked for; each costs time in every frame."),
    ] = 2


ControlKind = Annotated[Control, Short("by")]
"""The value of `control`: its settings, or one word for `by`."""


@dataclass(frozen=True, slots=True)
class State:
    """Who controls, by number, and when they were last seen."""

    person: int | None = None
    seen_us: int = 0


def may(settings: Control, zone: Zone | None, state: State, person: Person, aspect: float) -> bool:
    """Whether a person is where somebody must be who controls."""
    if settings.zone is None or zone is None or zone.image is None:
        return True
    looser = LOOSER if person.number == state.person else 1.0
    return in_picture(zone.image, person.place, aspect, looser)


def step(
    settings: Control, state: State, here: tuple[Person, ...], t_us: int, aspect: float
) -> State:
    r"""Return who controls after a frame that shows these people, who all `may`.

    A here     _/^^^^^^^^^^\_/^^^^\__________________
    B here     ___/^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    controls   __. A A A A A A A A A A A . B B B B B
                1 2         3      4    5 6

    1) who has just come is not chosen   2) A is there for ARRIVES_US: chosen, where `by` chooses
    3) a short absence changes nothing   4) A goes   5) and is gone   6) of the others B is chosen
    """
    if any(one.number == state.person for one in here):
        return State(state.person, t_us)
    if state.person is not None and t_us - state.seen_us < settings.gone_us:
        return state
    return State(_chosen(settings, here, t_us, aspect), t_us)


def hand_over(
    settings: Control, state: State, here: tuple[Person, ...], t_us: int, aspect: float
) -> State:
    """Return who controls once the one who does wants it no more: another, or as before.

    Of the others `by` chooses; with `first_armed` nobody controls until somebody wakes the profile.
    """
    others = tuple(one for one in here if one.number != state.person)
    if settings.by == FIRST_ARMED:
        return State(None, t_us)
    person = _chosen(settings, others, t_us, aspect)
    return state if person is None else State(person, t_us)


def _chosen(settings: Control, people: tuple[Person, ...], t_us: int, aspect: float) -> int | None:
    there = [one for one in people if t_us - one.since_us >= ARRIVES_US]
    if not there or settings.by == FIRST_ARMED:
        return None
    there = [one for one in there if one.body_known] or there  # a lone hand may be a mistake
    if settings.by == "centre":
        return min(there, key=lambda one: (abs(one.place[0] - aspect / 2), one.number)).number
    return max(there, key=lambda one: (one.unit, -one.number)).number
