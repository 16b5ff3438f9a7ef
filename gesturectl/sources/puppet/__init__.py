"""A camera without a camera: a rendered person who acts gestures, with known truth.

    puppet:all        puppet:swipe_left,open_palm:1.5s,wait:1s,thumb_up?speed=1.5&skin=dark
    puppet:fist?x=-0.2&size=0.7+thumb_up?x=0.2&size=0.7

The real landmark models see this figure as they see people, so it is the demo on a machine
without a camera and the ground truth of end-to-end tests. See `script` for the language, `scene`
for how a person moves, `costume` and `render` for how it looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from gesturectl.kinematics import Figure, figure
from gesturectl.sources import EndOfSource
from gesturectl.sources.clock import MONOTONIC, Clock
from gesturectl.sources.puppet import backdrop
from gesturectl.sources.puppet.costume import SKINS, Look, dress
from gesturectl.sources.puppet.render import Lens, Renderer
from gesturectl.sources.puppet.scene import Act, plan
from gesturectl.sources.puppet.script import Script, parse
from gesturectl.types import Frame, Side

__all__ = ["Act", "Puppet", "Script", "Truth", "parse"]

LENS_HEIGHT_M = 1.34
FOCAL = 0.866
"""Focal length in widths of the picture: a field of view of 60°, as webcams have."""

SHOWN_FROM = 0.10
"""A hand counts as shown when its palm, wrist to knuckles, is at least so long in heights of the
picture: 48 px of 480. Below about half of that the palm detector, which sees 192×192, is blind."""


SHOWN_FLESH = 0.35
"""How far inside the picture all its points must be, in lengths of the palm: about the flesh and a
finger's breadth beyond it."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is really in a frame, as fractions of the image.

    `right` and `left` are (21, 2), or None while that hand is not shown: out of the picture in
    whole or in part, or too far away. `body` is (33, 2).
    """

    t_us: int
    right: NDArray[np.float64] | None
    left: NDArray[np.float64] | None
    body: NDArray[np.float64]


def open_puppet(argument: str, *, realtime: bool) -> Puppet:
    """Open `puppet:SCRIPT`; parameters alone, `?skin=dark`, mean the script `all`.

    Raises:
        SourceError: the script has a bad word.
    """
    return Puppet(argument, realtime=realtime)


class Puppet:
    """A `Source` of rendered frames.

    With `realtime`, the frame for *now* is rendered and late ones are skipped; each is stamped with
    the time at which it was due on the clock, as a camera's are, and `offset_us` leads from the
    script's time, in which `truth` is told, to the clock's. Otherwise every frame comes at once
    and `offset_us` is 0.

    Raises:
        SourceError: the script has a bad word.
    """

    problem: str | None = None

    def __init__(
        self,
        script: str | Script,
        *,
        realtime: bool = False,
        clock: Clock = MONOTONIC,
    ) -> None:
        self.script = parse(script) if isinstance(script, str) else script
        self._plan = plan(self.script)
        self._realtime = realtime
        self._clock = clock
        self.offset_us = 0
        self._next = 0
        s = self.script
        width, height = s.image
        centre = (width * (0.5 + s.x), height * (0.5 + s.y))
        self._lens = Lens(s.image, FOCAL * max(width, height * 4 / 3), centre)
        self._look = Look(SKINS[s.skin])
        self._renderer = Renderer(
            self._lens,
            backdrop.paint(s.background, s.image, s.seed, s.light),
            backdrop.LIGHTS[s.light],
            s.seed,
        )
        self._noise = backdrop.Noise(s.image, s.noise, s.seed)
        self.beside = tuple(Puppet(other) for other in s.beside)

    @property
    def description(self) -> str:
        """What this is, for a status line."""
        width, height = self.script.image
        return f"puppet {self.script.text} {width}×{height} {self.script.fps} fps"

    @property
    def truth(self) -> tuple[Act, ...]:
        """Every gesture acted in one run of the script, in order, without overlap."""
        return self._plan.acts

    @property
    def frames(self) -> int:
        """Number of frames in one run of the script, and of those of others in the picture."""
        own = self._plan.duration_us * self.script.fps // 1_000_000 + 1
        return max((own, *(other.frames for other in self.beside)))

    def time_us(self, index: int) -> int:
        """Return the stamp of frame `index`, exact to the microsecond below."""
        return index * 1_000_000 // self.script.fps

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, or with `realtime` the newest, waiting for it if need be.

        Raises:
            EndOfSource: the script has been acted to its end.
        """
        index = self._next
        if self._realtime:
            due = self._due(round(timeout_s * 1e6))
            if due is None:
                return None
            index = due
        if index >= self.frames and not self.script.loop:
            raise EndOfSource
        self._next = index + 1
        return Frame(self.time_us(index) + self.offset_us, self.picture(index))

    def _due(self, timeout_us: int) -> int | None:
        """Return the newest frame that is due, after waiting for one, or None after the timeout."""
        now_us = self._clock.now_us()
        if self._next == 0:
            self.offset_us = now_us
        wait_us = self.offset_us + self.time_us(self._next) - now_us
        if wait_us > 0:
            self._clock.sleep_us(min(wait_us, timeout_us))
            if wait_us > timeout_us:
                return None
            now_us = self._clock.now_us()
        newest = (now_us - self.offset_us) * self.script.fps // 1_000_000
        if not self.script.loop:
            newest = min(newest, self.frames - 1)
        return max(self._next, newest)

    def picture(self, index: int) -> NDArray[np.uint8]:
        """Render frame `index`: uint8 (H, W, 3), the same bytes every time."""
        t_us = self.time_us(index % self.frames)
        picture = self._renderer.empty()
        for one in (*self.beside, self):
            picture = one._draw(t_us, picture)
        cv2.GaussianBlur(picture, (3, 3), 0.7, dst=picture)
        return self._noise.over(picture, index)

    def _draw(self, t_us: int, over: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Draw this person, while there, before what is there already."""
        if not self.script.since <= t_us / 1e6 < self.script.until:
            return over
        figure_ = self._figure(t_us)
        hands_px = [self._lens.project(hand) for hand in (figure_.right, figure_.left)]
        return self._renderer.draw(dress(figure_, self._look), hands_px, over)

    def look(self, index: int) -> Truth:
        """Return what is really in frame `index`, of the first person; see `beside`."""
        t_us = self.time_us(index % self.frames)
        seen = self._figure(t_us)
        size = np.asarray(self.script.image, dtype=np.float64)

        def shown(hand: NDArray[np.float64]) -> NDArray[np.float64] | None:
            points = self._lens.project(hand) / size
            length = float(np.linalg.norm(hand[9] - hand[0])) * self._lens.focal_px / hand[0, 2]
            flesh = SHOWN_FLESH * length / size
            inside = bool((points >= flesh).all() and (points <= 1.0 - flesh).all())
            return points if inside and length >= SHOWN_FROM * size[1] else None

        return Truth(
            t_us, shown(seen.right), shown(seen.left), self._lens.project(seen.body) / size
        )

    def _figure(self, t_us: int) -> Figure:
        seen = figure(self._plan.stance(t_us))
        lift = np.array([0.0, LENS_HEIGHT_M, 0.0])
        return Figure(seen.body + lift, seen.right + lift, seen.left + lift)

    def shown(self, index: int) -> tuple[Side, ...]:
        """Return the sides whose hands are shown in frame `index`."""
        truth = self.look(index)
        sides: tuple[Side, ...] = ("right",) if truth.right is not None else ()
        return (*sides, "left") if truth.left is not None else sides

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None
