"""A person who acts for the recogniser alone: puppet scripts as landmarks, without a picture.

In:  a script of the puppet's language.  Out: what an ideal estimator sees of it through an ideal
lens, at any rate of frames: of hands, of the body or of both.

A gesture that was just taught is held against the shipped ones by it, in a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from gesturectl.kinematics import Array, Figure, figure
from gesturectl.sources.puppet import FOCAL, LENS_HEIGHT_M
from gesturectl.sources.puppet.scene import Act, Plan, plan
from gesturectl.sources.puppet.script import parse
from gesturectl.types import Body, Hand, Observation, Side

SIZE_PX = (640, 480)
ASPECT = SIZE_PX[0] / SIZE_PX[1]


def seen(points: Array) -> Array:
    """Project points (N, 3) in metres: fractions of the picture, z as MediaPipe scales it."""
    depth = np.maximum(points[:, 2:], 0.05)
    x = 0.5 + FOCAL * points[:, :1] / depth
    y = 0.5 + FOCAL * ASPECT * (points[:, 1:2] + LENS_HEIGHT_M) / depth
    z = FOCAL * (points[:, 2:] - points[0, 2]) / depth[0]
    return np.concatenate([x, y, z], axis=1)


def visible(image: Array) -> NDArray[np.bool_]:
    """Which of these points, as `seen`, are in the picture: bool (N,)."""
    return np.asarray(((image[:, :2] > 0.0) & (image[:, :2] < 1.0)).all(axis=1))


def inside(image: Array) -> bool:
    """Whether an estimator would find this hand: nearly all of it is in the picture."""
    return bool(visible(image).mean() > 0.9)


def hand_of(side: Side, points: Array) -> Hand | None:
    """Return a hand as seen, or None where it is not."""
    image = seen(points)
    return Hand(side, 0.97, image.astype(np.float32)) if inside(image) else None


def body_of(points: Array) -> Body:
    """Return a body as seen; what is outside the picture is told, but hardly visible."""
    image = seen(points)
    sure = np.where(visible(image), 0.98, 0.05)
    return Body(np.concatenate([image, sure[:, None]], 1).astype(np.float32))


def observed(person: Figure, t_us: int, *, hands: bool = True, body: bool = False) -> Observation:
    """Return what is seen of a person at one time."""
    found = (hand_of("right", person.right), hand_of("left", person.left)) if hands else ()
    return Observation(
        t_us,
        tuple(hand for hand in found if hand is not None),
        (body_of(person.body),) if body else (),
        SIZE_PX,
    )


class Performance:
    """A script, ready to be watched at any rate, again and again."""

    def __init__(self, script: str) -> None:
        self.plan: Plan = plan(parse(script))
        self._figures: dict[int, Figure] = {}

    @property
    def acts(self) -> tuple[Act, ...]:
        """What is really acted, and when."""
        return self.plan.acts

    def watch(
        self, stamps_us: Iterable[int], *, hands: bool = True, body: bool = False
    ) -> Iterator[Observation]:
        """Yield what is seen at these times."""
        for t_us in stamps_us:
            if t_us not in self._figures:
                self._figures[t_us] = figure(self.plan.stance(t_us))
            yield observed(self._figures[t_us], t_us, hands=hands, body=body)

    def at(self, fps: float, *, hands: bool = True, body: bool = False) -> list[Observation]:
        """Return what a camera of this rate sees."""
        count = int(self.plan.duration_us * fps / 1e6) + 1
        return list(
            self.watch((round(i * 1e6 / fps) for i in range(count)), hands=hands, body=body)
        )
