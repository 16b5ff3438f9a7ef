"""Where the parts of hands and bodies are in one frame, in plain numbers.

In:  an Observation.  Out: points, unpacked once and only when somebody asks.

Senses ask for a few points of many kinds; numpy costs more to call than they cost to compute.
Places are told as the user sees himself in a mirror: (right, down) in heights of the image, so that
lengths are true whatever the picture's format. Solid points are in three dimensions, in metres
where the estimator gives them and in heights of the image otherwise, on the camera's own axes: x to
the right of the unmirrored image (the user's left), y down, z away from the camera.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot
from types import MappingProxyType
from typing import Final, Literal

from gesturectl.features import INDEX_MCP, MAX_GAP_US, PINKY_MCP, WRIST
from gesturectl.types import Body, Hand, Observation, Side, Subject

LOST_US: Final = MAX_GAP_US  # what is out of sight no longer than this has not gone
VISIBLE: Final = 0.5  # above it the pose model takes a point to be in the picture

Change = Literal["begins", "ends"]
Changes = tuple[Change, ...]
BEGINS: Final[Changes] = ("begins",)
ENDS: Final[Changes] = ("ends",)

Point = list[float]
Place = tuple[float, float]

HandPart = Literal["palm", "index_tip"]
HAND_PARTS: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {"palm": (0, 5, 9, 13, 17), "index_tip": (8,)}
)
"""The points of a hand whose middle is the part, in MediaPipe's order."""

BodyPart = Literal[
    "head",
    "nose",
    "mouth",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "chest",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "hips",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
]
BODY_PARTS: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        "head": (7, 8),
        "nose": (0,),
        "mouth": (9, 10),
        "left_eye": (2,),
        "right_eye": (5,),
        "left_ear": (7,),
        "right_ear": (8,),
        "chest": (11, 12),
        "left_shoulder": (11,),
        "right_shoulder": (12,),
        "left_elbow": (13,),
        "right_elbow": (14,),
        "left_wrist": (15,),
        "right_wrist": (16,),
        "hips": (23, 24),
        "left_hip": (23,),
        "right_hip": (24,),
        "left_knee": (25,),
        "right_knee": (26,),
        "left_ankle": (27,),
        "right_ankle": (28,),
    }
)
"""The points of a body whose middle is the part, in MediaPipe's order; `chest` is its top."""

# A palm's size, the mean of three of its sides, keeps when the hand turns about any one axis; its
# width, from the index knuckle to the little finger's, does not. Of hands held up in the
# photographs that the models are trained on the width is 0.79 of the size (median; world landmarks;
# 0.83 in the image), of the puppet's 0.81.
WIDTH_OF_SIZE: Final = 0.8


class Seen:
    """What one frame shows: `t_us`, which `sides` have a hand, and the places of parts."""

    __slots__ = ("_body", "_flat", "_hands", "_places", "_solid", "_unit", "aspect", "t_us")

    def __init__(self, observation: Observation) -> None:
        width, height = observation.size_px
        self.t_us = observation.t_us
        self.aspect = width / height
        self._hands: dict[Side, Hand] = {hand.side: hand for hand in observation.hands}
        self._body: Body | None = observation.bodies[0] if observation.bodies else None
        self._flat: dict[Subject, list[Point]] = {}
        self._solid: dict[Subject, list[Point]] = {}
        self._places: dict[tuple[Subject, str], Place | None] = {}
        self._unit: float | None = -1.0  # not yet known

    def shows(self, subject: Subject) -> bool:
        """Whether this hand, or a body, is in the frame."""
        return self._of(subject) is not None

    @property
    def somebody(self) -> bool:
        """Whether there is a body, or at least a hand."""
        return self._body is not None or bool(self._hands)

    def flat(self, subject: Subject) -> list[Point] | None:
        """Return the points as fractions of the image: x, y, z and, of a body, visibility."""
        points = self._flat.get(subject)
        if points is None and (shown := self._of(subject)) is not None:
            points = self._flat[subject] = shown.image.tolist()
        return points

    def in_metres(self, subject: Subject) -> bool:
        """Whether the estimator gives this hand or body in metres."""
        shown = self._of(subject)
        return shown is not None and shown.world is not None

    def solid(self, subject: Subject) -> list[Point] | None:
        """Return the points in three dimensions: in metres, or without metres as pictured."""
        points = self._solid.get(subject)
        if points is None and (shown := self._of(subject)) is not None:
            points = self.pictured(subject) if shown.world is None else shown.world.tolist()
            self._solid[subject] = points or []
        return points

    def pictured(self, subject: Subject) -> list[Point] | None:
        """Return the points of the image in heights of it; a body is flat there.

        The depths that pose models give beside the image are far too large: with them a straight
        knee reads 130 degrees, without them 178.
        """
        flat = self.flat(subject)
        if flat is None:
            return None
        aspect, depth = self.aspect, 0.0 if subject == "body" else self.aspect
        return [[one[0] * aspect, one[1], one[2] * depth] for one in flat]

    def visible(self, indices: tuple[int, ...]) -> bool:
        """Whether all these points of the body are in sight."""
        flat = self.flat("body")
        return flat is not None and all(flat[index][3] >= VISIBLE for index in indices)

    def hand_part(self, side: Side, part: str) -> Place | None:
        """Return where a part of this hand is, or None when there is no such hand."""
        key = (side, part)
        if key not in self._places:
            self._places[key] = self._middle(self.flat(side), HAND_PARTS[part])
        return self._places[key]

    def body_part(self, part: str) -> Place | None:
        """Return where a part of the body is, or None when it is not in sight."""
        key: tuple[Subject, str] = ("body", part)
        if key not in self._places:
            indices = BODY_PARTS[part]
            shown = self.flat("body") if self.visible(indices) else None
            self._places[key] = self._middle(shown, indices)
        return self._places[key]

    def shoulder_width(self) -> float | None:
        """Return the body's unit of length in heights of the image, or None.

        It is the width of the shoulders, or 0.6 of the trunk's length where that is more and the
        hips are in sight: a person turned sideways keeps it.
        """
        if self._unit == -1.0:
            self._unit = self._shoulder_width()
        return self._unit

    def _shoulder_width(self) -> float | None:
        left, right = self.body_part("left_shoulder"), self.body_part("right_shoulder")
        if left is None or right is None:
            return None
        width = hypot(left[0] - right[0], left[1] - right[1])
        if (hips := self.body_part("hips")) is not None:
            middle = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
            width = max(width, 0.6 * hypot(hips[0] - middle[0], hips[1] - middle[1]))
        return width or None

    def palm_width(self, side: Side) -> float | None:
        """Return how wide this hand's palm is in this frame, in heights of the image, or None."""
        points = self.flat(side)
        if points is None:
            return None
        corners = (points[WRIST], points[INDEX_MCP], points[PINKY_MCP])
        around = sum(
            hypot((a[0] - b[0]) * self.aspect, a[1] - b[1], (a[2] - b[2]) * self.aspect)
            for a, b in zip(corners, (*corners[1:], corners[0]), strict=True)
        )
        return WIDTH_OF_SIZE * around / 3 or None

    def _of(self, subject: Subject) -> Hand | Body | None:
        return self._body if subject == "body" else self._hands.get(subject)

    def _middle(self, points: list[Point] | None, indices: tuple[int, ...]) -> Place | None:
        if points is None:
            return None
        count = len(indices)
        x = sum([points[index][0] for index in indices]) / count
        y = sum([points[index][1] for index in indices]) / count
        return (1 - x) * self.aspect, y
