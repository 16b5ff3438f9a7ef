"""Find hands and bodies with MediaPipe's networks, run one by one by LiteRT.

In:  Frame, time stamps growing.  Out: Observation, sides being the user's own.

MediaPipe's own graphs search for palms in every frame in which fewer hands are followed than were
asked for. Here each network is run when it is needed: who is followed is looked at in every
frame, and others are searched for when `attention` says so. A bare run of the networks also spares
what MediaPipe does around them: see docs/performance.md for both, side by side.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gesturectl.bundles import hand_bundle, pose_bundle
from gesturectl.errors import ModelError
from gesturectl.landmarks import attention, checked, has_litert
from gesturectl.landmarks.beside import Beside, Meanwhile
from gesturectl.landmarks.bodies import Bodies
from gesturectl.landmarks.hands import Hands
from gesturectl.landmarks.plausible import is_person
from gesturectl.landmarks.regions import Pixels, Region
from gesturectl.landmarks.sides import Track, settle
from gesturectl.types import Body, Frame, Hand, Needs, Observation


class LiteRTLandmarker:
    """A `Landmarker`. Close it, or use it as a context manager.

    Args:
        needs: how many hands and bodies to look for; with none of either, no model is loaded.
        hand_model: a hand bundle to use instead of the user's own (see `bundles`).
        pose_model: likewise for bodies.
        always: search every frame in which somebody may be missing, as MediaPipe does. It may be
            changed at any time.

    Raises:
        ModelError: a bundle cannot be had or is refused, or LiteRT is not there.
    """

    def __init__(
        self,
        needs: Needs,
        hand_model: Path | None = None,
        pose_model: Path | None = None,
        *,
        always: bool = False,
    ) -> None:
        if not has_litert():
            raise ModelError("LiteRT is not installed: pip install ai-edge-litert")
        self.needs = needs
        self.always = always
        self._closed = False
        self._hands: Hands | None = None
        self._bodies: Bodies | None = None
        # LiteRT runs without Python's lock: two networks on two cores.
        self._palms_beside, self._bodies_beside = Beside("palms"), Beside("bodies")
        if needs.hands:
            bundle = hand_bundle(given=hand_model)
            self._hands = Hands(bundle, needs.hands, self._palms_beside)
        if needs.bodies:
            self._bodies = Bodies(pose_bundle(given=pose_model), needs.bodies)
        self._tracks: tuple[Track, ...] = ()
        self._for_hands, self._for_bodies = attention.State(), attention.State()
        self._then: NDArray[np.float32] | None = None

    def detect(self, frame: Frame) -> Observation:
        """Return what is in the frame; an empty Observation when nobody is.

        Raises:
            ValueError: the picture is not uint8 (H, W, 3), or the landmarker is closed.
        """
        if self._closed:
            raise ValueError("this landmarker is closed")
        size_px = checked(frame)
        rgb: Pixels = np.ascontiguousarray(frame.rgb)
        for_hands, for_bodies = self._due(rgb, frame.t_us)
        found: list[Hand] = []
        bodies: list[Body] = []
        beside: Meanwhile[list[Body]] | None = None
        if self._bodies is not None and (for_bodies or self._bodies.following):
            look = partial(self._bodies.look, rgb, frame.t_us, search=for_bodies)
            if for_hands or self._followed:
                beside = self._bodies_beside.submit(look)
            else:
                bodies = look()
        if self._hands is not None:
            found = self._hands.look(rgb, search=for_hands)
        if beside is not None:
            bodies = beside.result()
        most = max(2, self.needs.hands)
        self._tracks, hands = settle(self._tracks, found, frame.t_us, size_px, most)
        people = tuple(body for body in bodies if is_person(body, hands, size_px))
        return Observation(frame.t_us, hands, people, size_px)

    @property
    def _followed(self) -> tuple[Region, ...]:
        """Where hands are."""
        return () if self._hands is None else self._hands.regions

    def _due(self, rgb: Pixels, t_us: int) -> tuple[bool, bool]:
        """Return whether to search for hands, and for bodies."""
        hand = self._hands is not None and self._hands.missing
        body = self._bodies is not None and self._bodies.missing
        if self.always:
            return hand, body
        moved = False
        if hand or body:
            now = attention.glance(rgb)
            moved = attention.changed(now, self._then, self._followed)
        following = 0 if self._bodies is None else self._bodies.following
        self._for_hands, for_hands = attention.due(
            self._for_hands, t_us, len(self._followed), missing=hand, moved=moved
        )
        self._for_bodies, for_bodies = attention.due(
            self._for_bodies, t_us, following, missing=body, moved=moved
        )
        if for_hands or for_bodies:
            self._then = now
        return for_hands, for_bodies

    def close(self) -> None:
        """Free the models. Closing twice does nothing."""
        self._closed = True
        self._palms_beside.close()
        self._bodies_beside.close()
        self._hands = self._bodies = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
