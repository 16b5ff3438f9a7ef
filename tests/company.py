"""Several people in one picture: films of one person each, made smaller and put side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from gesturectl.types import Body, Float32, Hand, Observation

Film = Sequence[Observation]


def at(film: Iterable[Observation], right: float, size: float = 0.6) -> list[Observation]:
    """Put the person of a film here in the mirror, `size` times as large about the middle."""

    def placed(points: Float32) -> Float32:
        moved = points.copy()
        moved[:, :3] *= size
        moved[:, :2] += (1 - right - 0.5 * size, 0.5 - 0.5 * size)
        return moved

    def hand(one: Hand) -> Hand:
        return replace(one, image=placed(one.image))

    def body(one: Body) -> Body:
        return replace(one, image=placed(one.image))

    return [
        replace(seen, hands=tuple(map(hand, seen.hands)), bodies=tuple(map(body, seen.bodies)))
        for seen in film
    ]


def together(*films: Film, start_us: int = 0, step_us: int = 33_333) -> Iterator[Observation]:
    """Show films at once, whoever's ends first being gone; the later ones' hands come first."""
    for index, frame in enumerate(zip_longest(*films)):
        here = [one for one in frame if one is not None]
        yield Observation(
            start_us + index * step_us,
            tuple(hand for one in reversed(here) for hand in one.hands),
            tuple(body for one in reversed(here) for body in one.bodies),
            here[0].size_px,
        )


def nobody(count: int, size_px: tuple[int, int] = (640, 480)) -> Film:
    """A film of an empty place."""
    return [Observation(0, (), (), size_px)] * count
