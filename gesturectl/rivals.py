"""What bindings of one gesture are to each other: which never acts, which tap has to wait.

In:  a profile, all of it read.  Out: the bindings that another always acts in place of; and all
bindings again, where a tap waits as long as a hold, a double or a chord may still be meant.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Final

from gesturectl.rules import Binding, Profile
from gesturectl.triggers import Double, HoldFor, Sequence, Tap, Trigger

# How long a tap waits for the other hand; two hands are 0.1 s apart.
CHORD_WAITS_US: Final = 200_000


def hidden(profile: Profile) -> Iterator[tuple[int, int]]:
    """Yield each binding that can never act, and the first that always acts in its place."""
    orders = [{index: rank for rank, index in enumerate(order)} for order in _orders(profile)]
    rivals: dict[tuple[str, Hashable], list[int]] = {}
    for index, binding in enumerate(profile.bindings):
        rivals.setdefault((binding.gestures[-1], binding.trigger.moment), []).append(index)
    for group in rivals.values():
        for later in group:
            where = [order for order in orders if later in order]
            first = next(
                (
                    one
                    for one in group
                    if one != later
                    and where
                    and all(one in order and order[one] < order[later] for order in where)
                    and _hides(profile.bindings[one], profile.bindings[later])
                ),
                None,
            )
            if first is not None:
                yield later, first


def _orders(profile: Profile) -> Iterator[tuple[int, ...]]:
    """Yield the bindings that are heard, in their order, in every mode and application."""
    for mode, application in profile.everywhere():
        yield profile.order(mode, application)


def _hides(first: Binding, later: Binding) -> bool:
    """Whether `first` acts whenever `later`, which acts at the same moment, would."""
    if first.side not in ("either", later.side) or first.confidence > later.confidence:
        return False
    if not set(first.require) <= set(later.require) or (first.armed and not later.armed):
        return False
    if not isinstance(first.trigger.config, Sequence):
        return True
    if not isinstance(later.trigger.config, Sequence):
        return False
    same_end = later.gestures[-len(first.gestures) :] == first.gestures
    return same_end and first.trigger.config.within_us >= later.trigger.config.within_us


def with_waiting_taps(profile: Profile) -> Iterator[Binding]:
    """Let a tap wait until it is clear that no hold, double or chord of its gesture is meant."""
    orders = [frozenset(order) for order in _orders(profile)]
    rivals: dict[str, list[int]] = {}
    for index, binding in enumerate(profile.bindings):
        if isinstance(binding.trigger.config, HoldFor | Double):
            rivals.setdefault(binding.gestures[0], []).append(index)
    bound = {name for binding in profile.bindings for name in binding.gestures}
    chords = {
        part
        for part, some in profile.chords_with.items()
        if any(chord.name in bound for chord in some)
    }
    for index, binding in enumerate(profile.bindings):
        if not isinstance(binding.trigger.config, Tap):
            yield binding
            continue
        name = binding.gestures[0]
        meant = [
            profile.bindings[other].trigger.config
            for other in rivals.get(name, ())
            if _same_side(binding, profile.bindings[other])
            and any(index in order and other in order for order in orders)
        ]
        before_us = [one.hold_us for one in meant if isinstance(one, HoldFor)]
        alone_us = [one.within_us for one in meant if isinstance(one, Double)]
        if any(name == part and binding.side in ("either", side) for side, part in chords):
            alone_us.append(CHORD_WAITS_US)
        tap = Tap(min(before_us, default=None), max(alone_us, default=None))
        yield replace(binding, trigger=Trigger("tap", tap)) if tap != Tap() else binding


def _same_side(one: Binding, other: Binding) -> bool:
    return one.side == other.side or "either" in (one.side, other.side)
