"""The parts of one run, chosen by name, opened in the right order and closed in reverse.

What fails without cost is tried first: the profile, its keys on this desktop, the gesture model,
the source; the landmark models, which may have to be fetched, come last.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gesturectl import bundles, profile
from gesturectl.engine import Engine
from gesturectl.errors import ProfileError
from gesturectl.landmarks import Landmarker
from gesturectl.ledger import Ledger
from gesturectl.recogniser import Recogniser
from gesturectl.rules import Profile
from gesturectl.sinks import Sink, open_sink
from gesturectl.sources import Source, known_sources, open_source
from gesturectl.types import Needs

EVERYTHING = Needs(hands=2, bodies=1)


@dataclass(frozen=True, slots=True)
class Choice:
    """What to open. Without a profile every gesture is listened for, and nothing is sent."""

    source: str
    profile: str | None
    sink: str | Sink
    allow_run: bool = False
    hand_model: Path | None = None
    pose_model: Path | None = None
    progress: bundles.Progress | None = None


@dataclass(slots=True)
class Rig:
    """Everything `daemon.run` joins, opened."""

    choice: Choice
    profile: Profile | None
    source: Source
    landmarker: Landmarker | None
    engine: Engine
    sink: Sink
    ledger: Ledger = field(default_factory=Ledger)
    _landmarks: ExitStack = field(default_factory=ExitStack)

    def reload(self) -> tuple[Landmarker | None, Engine]:
        """Read the profile anew and make what it needs; replace the old only when all is well.

        Raises:
            GesturectlError: the profile is not sound; nothing has changed.
        """
        fresh = _profile(self.choice, self.sink)
        engine = Engine(Recogniser.load(), fresh)
        if self.landmarker is not None and _needs(fresh) != _needs(self.profile):
            stack = ExitStack()
            landmarker = stack.enter_context(open_landmarker(_needs(fresh), self.choice))
            self.close_landmarker()
            self._landmarks, self.landmarker = stack, landmarker
        self.profile, self.engine = fresh, engine
        return self.landmarker, self.engine

    def close_landmarker(self) -> None:
        """Close the landmarker that is in use by now."""
        self._landmarks.close()


@contextmanager
def open_rig(choice: Choice, *, realtime: bool) -> Iterator[Rig]:
    """Open all that `choice` names. `realtime` paces recordings; see `open_source`.

    Raises:
        GesturectlError: of the first part that cannot be had, with what to do.
    """
    with ExitStack() as stack:
        sink = choice.sink if not isinstance(choice.sink, str) else open_sink(choice.sink)
        stack.enter_context(sink)
        chosen = _profile(choice, sink)
        engine = Engine(Recogniser.load(), chosen)
        source = stack.enter_context(open_source(choice.source, realtime=realtime))
        landmarks = ExitStack()
        landmarker = None
        if gives_frames(choice.source):
            landmarker = landmarks.enter_context(open_landmarker(_needs(chosen), choice))
        rig = Rig(choice, chosen, source, landmarker, engine, sink, _landmarks=landmarks)
        stack.callback(rig.close_landmarker)
        yield rig


def _profile(choice: Choice, sink: Sink) -> Profile | None:
    """Load the chosen profile and refuse keys that this desktop cannot send: now, not later.

    Raises:
        ProfileError: it has problems, or such keys: each is named with what to do.
    """
    if choice.profile is None:
        return None
    chosen = profile.load(choice.profile, allow_run=choice.allow_run)
    if wrong := sink.check_keys(chosen.keys):
        reasons = "\n".join(f"  {key}: {reason}" for key, reason in wrong.items())
        raise ProfileError(f"profile {choice.profile}: keys that cannot be sent here:\n{reasons}")
    return chosen


def _needs(chosen: Profile | None) -> Needs:
    return EVERYTHING if chosen is None else chosen.needs


def open_landmarker(needs: Needs, choice: Choice) -> Landmarker:
    """Return a landmarker for what `needs` asks, obtaining the models first where they are missing.

    Raises:
        ModelError: a model cannot be had, or is not one.
    """
    hand = bundles.hand_bundle(choice.progress, choice.hand_model) if needs.hands else None
    pose = bundles.pose_bundle(choice.progress, choice.pose_model) if needs.bodies else None
    from gesturectl.landmarks.mediapipe import MediaPipeLandmarker  # takes half a second

    return MediaPipeLandmarker(needs, hand, pose)


def gives_frames(spec: str) -> bool:
    """Whether a source gives pictures; traces give landmarks, and need no models."""
    kind = spec.partition(":")[0]
    file = spec.removesuffix(".part").removesuffix(".gz")
    return kind != "trace" and (kind in known_sources() or not file.endswith(".jsonl"))
