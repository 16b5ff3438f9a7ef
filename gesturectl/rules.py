"""What a profile is, once it is read: bindings in order, with their defaults and bounds.

Values only. `profile` makes them from a file, `bindings` plays them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from pydantic import ConfigDict, Field

from gesturectl.actions import Action
from gesturectl.catalog import Gesture, catalog
from gesturectl.fields import Confidence, Count, LandmarkName, Rest, SideName
from gesturectl.triggers import Trigger
from gesturectl.types import Needs, Subject


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for every binding that does not say otherwise."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Defaults")

    confidence: Annotated[
        Confidence,
        Field(
            description="How sure the recogniser must be, beyond the threshold of its own model."
        ),
    ] = 0.0
    cooldown_us: Annotated[
        Rest,
        Field(alias="cooldown", description="How long a binding rests after it has acted."),
    ] = 400_000


@dataclass(frozen=True, slots=True)
class Safety:
    """Bounds that no binding can cross."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Safety")

    max_actions_per_second: Annotated[
        Count,
        Field(
            description="How often all bindings together may act within one second. What is "
            "beyond is dropped; what is held is always let go."
        ),
    ] = 10


@dataclass(frozen=True, slots=True)
class Binding:
    """When these gestures are made by this side, in the way of this trigger, do these actions.

    `gestures` is one name, or the steps of a sequence. A beginning less sure than `confidence`
    is not heard. `early` asks not to wait until the gesture is certain. `line` is where it stands
    in its file, from 1.
    """

    gestures: tuple[str, ...]
    trigger: Trigger
    actions: tuple[Action, ...]
    side: SideName = "either"
    confidence: float = 0.0
    cooldown_us: int = 0
    early: bool = False
    line: int = 0

    def matches(self, side: Subject, confidence: float) -> bool:
        """Whether a beginning by this hand or body, with this confidence, is meant."""
        return self.side in ("either", side) and confidence >= self.confidence


@dataclass(frozen=True)
class Profile:
    """A whole profile. Bindings stand in the order of the file: the first that fits acts."""

    bindings: tuple[Binding, ...]
    name: str = ""
    says: str = ""
    defaults: Defaults = Defaults()
    safety: Safety = Safety()
    landmarks: frozenset[LandmarkName] | None = None
    known: Mapping[str, Gesture] = field(default_factory=catalog, repr=False, compare=False)

    @cached_property
    def by_gesture(self) -> dict[str, tuple[int, ...]]:
        """For each gesture the indices of its bindings, in order."""
        found: dict[str, list[int]] = {}
        for index, binding in enumerate(self.bindings):
            for gesture in dict.fromkeys(binding.gestures):
                found.setdefault(gesture, []).append(index)
        return {gesture: tuple(indices) for gesture, indices in found.items()}

    @property
    def gestures(self) -> frozenset[str]:
        """The gestures that are listened to."""
        return frozenset(self.by_gesture)

    @property
    def early(self) -> frozenset[str]:
        """The gestures that are not waited for: all their bindings say so."""
        return frozenset(
            gesture
            for gesture, indices in self.by_gesture.items()
            if all(self.bindings[index].early for index in indices)
        )

    @cached_property
    def keys(self) -> frozenset[str]:
        """All keys it may send, by their canonical names."""
        return frozenset(
            key
            for binding in self.bindings
            for action in binding.actions
            for key in action.spec.keys(action.value)
        )

    @cached_property
    def needs(self) -> Needs:
        """Which landmarks must run, and for how many hands.

        A hand runs for what only a hand shows, or where a side is asked for, since a body does not
        tell sides. A body runs for what only a body shows; it then shows the motions too. For
        motions alone a hand is chosen, the cheaper of the two. One hand is enough until a binding
        names a side: then the other hand must not take its place. A gesture of the user's own asks
        for what it was taught with. `landmarks` in the profile overrides all this.
        """
        if self.landmarks is not None:
            hands = 2 if "both_hands" in self.landmarks else int("hand" in self.landmarks)
            return Needs(hands, int("body" in self.landmarks))
        sided = any(binding.side != "either" for binding in self.bindings)
        rows = [self.known[name] for name in self.gestures]
        own = [row.needs for row in rows if row.needs is not None]
        seen_by = {row.seen_by for row in rows if row.needs is None}
        bodies = max(int(("body",) in seen_by), *(needs.bodies for needs in own), 0)
        hand = sided or ("hand",) in seen_by or (bool(seen_by) and not bodies)
        hands = (2 if sided else 1) if hand else 0
        return Needs(max(hands, *(needs.hands for needs in own), 0), bodies)
