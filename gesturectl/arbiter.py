r"""Settle what happens when a shipped gesture and one of the user's own are seen at once.

In: what the recogniser and the listener heard in one frame. Out: what is told to the bindings. The
one rule: what the user has taught wins over what is shipped, on the same hand and at the same
time; where nothing of one's own is near, a shipped gesture is told at once, as if nothing had ever
been taught. A body is the same as either of its hands.

    near     ________/^^^^^^^\______________________     something of one's own may soon begin
    own                    O----------E
    shipped   B        B        B           B
              1        2        3           4
      1) nothing is near: told at once
      2) something is near: kept back, for `WAIT_US` or until nothing is near any more; if
         something of one's own begins meanwhile, never told
      3) while it is shown, and for `QUIET_US` after it has begun: never told
      4) told at once

An end is told if its beginning was, after it. What has been told is never taken back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gesturectl.types import Began, Ended, Subject

WAIT_US = 250_000  # a stroke is heard when half of it is done, a taught one when it is complete
QUIET_US = 500_000  # the return of a taught stroke is none of the shipped ones

Event = Began | Ended
Shown = tuple[str, Subject]


@dataclass(frozen=True, slots=True)
class State:
    """What is kept back, what was never told, and where something of one's own is shown.

    `kept` are beginnings with the time they came, and ends that wait behind them.
    """

    kept: tuple[tuple[int, Event], ...] = ()
    untold: frozenset[Shown] = frozenset()
    own: frozenset[Shown] = frozenset()
    quiet: tuple[tuple[Subject, int], ...] = ()


def same(a: Subject, b: Subject) -> bool:
    """Tell whether two subjects are one, or parts of one."""
    return a == b or "body" in (a, b)


def step(
    state: State, t_us: int, shipped: Iterable[Event], own: Iterable[Event], near: Iterable[Subject]
) -> tuple[State, tuple[Event, ...]]:
    """Take what one frame brought; return what is to be told, in order."""
    told: list[Event] = []
    kept, untold = list(state.kept), set(state.untold)
    shown, quiet = set(state.own), dict(state.quiet)
    near = tuple(near)
    for event in own:
        told.append(event)
        if isinstance(event, Began):
            shown.add((event.gesture, event.side))
            quiet[event.side] = t_us + QUIET_US
        else:
            shown.discard((event.gesture, event.side))
    quiet = {side: until for side, until in quiet.items() if until > t_us}
    taken = {side for _, side in shown} | quiet.keys()

    kept += [(t_us, event) for event in shipped]
    waiting: list[tuple[int, Event]] = []
    for since, event in kept:
        one = (event.gesture, event.side)
        behind = any((e.gesture, e.side) == one for _, e in waiting)
        if isinstance(event, Ended):
            if behind:
                waiting.append((since, event))
            elif one in untold:
                untold.discard(one)
            else:
                told.append(replace(event, t_us=t_us))
        elif any(same(event.side, side) for side in taken):
            untold.add(one)
        elif behind or (t_us - since < WAIT_US and any(same(event.side, side) for side in near)):
            waiting.append((since, event))
        else:
            told.append(replace(event, t_us=t_us))
    fresh = State(tuple(waiting), frozenset(untold), frozenset(shown), tuple(sorted(quiet.items())))
    return fresh, tuple(told)


def release(
    state: State, shipped: Iterable[Ended], own: Iterable[Ended]
) -> tuple[State, tuple[Ended, ...]]:
    """End all that was told; forget the rest."""
    kept = {(event.gesture, event.side) for _, event in state.kept}
    told = [e for e in shipped if (e.gesture, e.side) not in state.untold | kept]
    return State(), (*told, *own)
