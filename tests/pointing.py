"""A hand and a head before a camera, told in palm widths: for tests of the pointer.

Coordinates are (right, down) of the image's middle, as the user sees himself in a mirror.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gesturectl import pointer
from gesturectl.kinematics import PALM_OUT, PALM_WIDTH_M, hand_points, hand_shape
from gesturectl.ledger import Ledger
from gesturectl.pinching import TIPS, Finger
from gesturectl.pointer import Settings, State
from gesturectl.types import (
    Body,
    ButtonDown,
    ButtonUp,
    Command,
    Hand,
    MoveBy,
    MoveTo,
    Observation,
    Point,
    Scroll,
    Side,
    Subject,
)

PALM = 0.12  # heights of the image
SIZE_PX = (640, 480)
ASPECT = SIZE_PX[0] / SIZE_PX[1]
FRAME_US = 20_000
_OPEN = hand_points(hand_shape("rest")) @ PALM_OUT.T / PALM_WIDTH_M
_TOUCH_AT = np.array([0.3, -2.0, -0.3])


def hand(x: float = 0.0, y: float = 0.0, touch: Finger | None = None, side: Side = "right") -> Hand:
    """An open hand whose palm is at (x, y); `touch` is the finger that has the thumb on it."""
    points = _OPEN.copy()
    points[:, :2] -= points[[0, 5, 9, 13, 17], :2].mean(0)
    if touch is not None:
        points[4] = points[TIPS[touch]] = points[0] + _TOUCH_AT
    if side == "left":
        points[:, 0] *= -1
    points[:, 0] -= x
    points[:, 1] += y
    image = points * PALM
    image[:, [0, 2]] /= ASPECT
    image[:, :2] += 0.5
    return Hand(side, 1.0, image.astype(np.float32))


def head(x: float = 0.0, y: float = 0.0, shoulders: float = 0.3) -> Body:
    """A body whose nose is at (x, y), in heights of the image; `shoulders` is their width."""
    image = np.full((33, 4), 0.5)
    image[:, 3] = 1.0
    image[11, :2] = 0.5 + shoulders / 2 / ASPECT, 0.8
    image[12, :2] = 0.5 - shoulders / 2 / ASPECT, 0.8
    image[23:25, 1] = 0.9
    image[0, :2] = 0.5 - x / ASPECT, 0.5 + y
    return Body(image.astype(np.float32))


class Desk:
    """A pointer that is stepped, and a list of what came of it, in words.

    Moves are summed up between other commands: `["move 30 0", "down left", "up left"]`.
    """

    def __init__(self, settings: Settings | None = None, frame_us: int = FRAME_US) -> None:
        self.settings = settings or Settings()
        self.state = State()
        self.frame_us = frame_us
        self.t_us = 0
        self.commands: list[Command] = []
        self.ledger = Ledger()
        self._requests: list[Point] = []

    def ask(self, what: str, side: Subject = "right", *, on: bool = True) -> None:
        """Let a binding ask for something, from the next frame on."""
        self._requests.append(Point(self.t_us + self.frame_us, what, side, on))  # type: ignore[arg-type]

    def see(self, *hands: Hand, body: Body | None = None) -> tuple[Command, ...]:
        """Let one frame pass."""
        self.t_us += self.frame_us
        bodies = () if body is None else (body,)
        seen = Observation(self.t_us, hands, bodies, SIZE_PX)
        self.state, commands = pointer.step(self.settings, self.state, seen, tuple(self._requests))
        self._requests.clear()
        self.note(commands)
        return commands

    def note(self, commands: Iterable[Command]) -> None:
        """Keep what was sent."""
        for one in commands:
            self.ledger.note(one)
            self.commands.append(one)

    def hold(self, seconds: float, *at: float, touch: Finger | None = None) -> None:
        """Hold the right hand still."""
        for _ in range(round(seconds * 1e6 / self.frame_us)):
            self.see(hand(*at, touch=touch))

    def stroke(
        self,
        start: Sequence[float],
        end: Sequence[float],
        seconds: float = 0.4,
        touch: Finger | None = None,
    ) -> None:
        """Move the right hand evenly along a line."""
        count = round(seconds * 1e6 / self.frame_us)
        for share in np.arange(1, count + 1) / count:
            x, y = (float(a + share * (b - a)) for a, b in zip(start, end, strict=True))
            self.see(hand(x, y, touch=touch))

    def lose(self, seconds: float) -> None:
        """Show nobody."""
        for _ in range(round(seconds * 1e6 / self.frame_us)):
            self.see()

    def release(self) -> None:
        """What the daemon does on pause."""
        self.state, commands = pointer.release(self.state, self.t_us)
        self.note(commands)

    @property
    def place(self) -> tuple[float, float]:
        """Where a relative pointer is, in pixels from where it began."""
        moves = [one for one in self.commands if isinstance(one, MoveBy)]
        return sum(one.dx_px for one in moves), sum(one.dy_px for one in moves)

    @property
    def spot(self) -> tuple[float, float] | None:
        """Where an absolute pointer is, in fractions of the desktop."""
        moves = [one for one in self.commands if isinstance(one, MoveTo)]
        return (moves[-1].x, moves[-1].y) if moves else None

    @property
    def scrolled(self) -> tuple[float, float]:
        """How far it has scrolled, in wheel steps to the right and down."""
        turns = [one for one in self.commands if isinstance(one, Scroll)]
        return sum(one.dx for one in turns), sum(one.dy for one in turns)

    @property
    def clicks(self) -> list[str]:
        """The buttons that went down and up: `["down left", "up left"]`."""
        return [
            f"{'down' if isinstance(one, ButtonDown) else 'up'} {one.button}"
            for one in self.commands
            if isinstance(one, ButtonDown | ButtonUp)
        ]
