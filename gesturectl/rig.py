"""The parts of one run, chosen by name, opened in the right order and closed in reverse.

What fails without cost is tried first: the profile, its keys on this desktop, the gesture models,
the source; the landmark models, which may have to be fetched, come last.

Gestures of the user's own are listened for where the profile binds one of them, or where there is
no profile. If their model is damaged, that is said, and the shipped gestures work all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from gesturectl import actions, bundles, config, garbage, lastheard, own, profile
from gesturectl.config import AUTO
from gesturectl.desktop import Desktop, OpenWindow, open_desktop
from gesturectl.engine import Core, Engine, Step
from gesturectl.errors import DesktopError, ModelError, ProfileError
from gesturectl.floor import Floor
from gesturectl.landmarks import Landmarker, has_litert
from gesturectl.ledger import Ledger
from gesturectl.listener import Listener
from gesturectl.own import Own
from gesturectl.recogniser import Recogniser
from gesturectl.rules import Profile, WindowRule
from gesturectl.samples import Store
from gesturectl.sinks import Sink, open_sink
from gesturectl.sources import Source, gives_frames, open_source
from gesturectl.types import Needs, Observation, UserInput, Window

log = logging.getLogger(__name__)

EVERYTHING = Needs(hands=2, bodies=1)


@dataclass(frozen=True, slots=True)
class Choice:
    """What to open. Without a profile every gesture is listened for, and nothing is sent.

    With `own` those that the user has taught are, too. `remembers` keeps the last activation for
    `gesturectl wrong`; see `lastheard`. `desktop` looks which window is in front, and whether real
    keys are used, where the profile asks for that. While a window is open that one of
    `release_when` fits, another program is to have the camera. `power` and `max_cpu` say what the
    run may cost; see `power`.
    """

    source: str
    profile: str | None
    sink: str | Sink
    allow_run: bool = False
    allow_hosts: frozenset[str] = frozenset()
    desktop: bool = False
    own: bool = True
    remembers: bool = False
    hand_model: Path | None = None
    pose_model: Path | None = None
    estimator: str = AUTO
    progress: bundles.Progress | None = None
    release_when: tuple[WindowRule, ...] = ()
    power: config.Power = "auto"
    max_cpu: float | None = None


@dataclass(slots=True)
class Rig:
    """Everything `daemon.run` joins, opened."""

    choice: Choice
    profile: Profile | None
    source: Source
    landmarker: Landmarker | None
    engine: Core
    sink: Sink
    memory: lastheard.Memory | None = None
    desktop: Desktop | None = None
    ledger: Ledger = field(default_factory=Ledger)
    _landmarks: ExitStack = field(default_factory=ExitStack)
    _desktop: ExitStack = field(default_factory=ExitStack)
    _lost: bool = False  # the desktop, and the engine is not told yet
    _writer: lastheard.Writer = field(default_factory=lambda: lastheard.Writer(lastheard.file()))

    def reload(self, name: str | None = None) -> tuple[Landmarker | None, Core]:
        """Read the profile and the user's own gestures anew, and make what they need.

        With `name`, another profile takes its place. Replaces the old only when all is well.

        Raises:
            GesturectlError: the profile or the own gestures are not sound; nothing has changed.
        """
        mine = _own(self.choice, mend=False)  # learning anew takes seconds, while keys are held
        if mine.problem is not None:
            raise ModelError(mine.problem)
        choice = self.choice if name is None else replace(self.choice, profile=name)
        fresh = _profile(choice, self.sink, mine)
        engine = _engine(fresh, mine)
        if self.landmarker is not None and _needs(fresh) != _needs(self.profile):
            stack = ExitStack()
            landmarker = stack.enter_context(open_landmarker(_needs(fresh), self.choice))
            self.close_landmarker()
            garbage.give_back()
            self._landmarks, self.landmarker = stack, landmarker
        self.watch_desktop(fresh)
        self.choice, self.profile, self.engine = choice, fresh, engine
        if self.memory is not None:
            self.memory.finish()
        self.memory = _memory(self.choice, mine, fresh, self._writer)
        return self.landmarker, self.engine

    def remember(self, observation: Observation, step: Step) -> None:
        """Note what was seen and what came of it, where an activation is to be remembered."""
        if self.memory is not None:
            seen = observation if step.control is None else step.control.observation
            self.memory.note(seen, step)

    def forget_past(self) -> None:
        """Let what is being written be written, and drop the rest."""
        if self.memory is not None:
            self.memory.finish()
        self._writer.close()

    def watch_desktop(self, chosen: Profile | None) -> None:
        """Watch the desktop where a profile asks for it; say what it asks for in vain."""
        panic_on = getattr(self.sink, "panic_on", None)
        if panic_on is not None:  # the panic keys, by a process that does not hang when we do
            panic_on(chosen.panic_keys if chosen is not None else frozenset())
        windows = bool(self.choice.release_when)
        windows |= chosen is not None and chosen.asks_for_windows
        keys = chosen is not None and chosen.asks_for_input
        if not self.choice.desktop or not (windows or keys):
            return
        if self.desktop is None:
            self.desktop = self._desktop.enter_context(
                open_desktop(injected=getattr(self.sink, "injected", None))
            )
        problem = self.desktop.windows_problem if windows else None
        problem = problem or (self.desktop.input_problem if keys else None)
        if problem is not None:
            log.warning("%s", problem)

    def outside(self, t_us: int) -> tuple[Window | UserInput, ...]:
        """Return what has happened on the desktop since the last call."""
        if self.desktop is not None:
            try:
                return self.desktop.poll(t_us)
            except DesktopError as error:
                self._lose_desktop(error)
        lost, self._lost = self._lost, False
        return (Window(t_us),) if lost else ()

    def windows(self) -> tuple[OpenWindow, ...]:
        """Return all windows that are open; none where nobody can tell."""
        if self.desktop is not None:
            try:
                return self.desktop.windows()
            except DesktopError as error:
                self._lose_desktop(error)
        return ()

    def _lose_desktop(self, error: DesktopError) -> None:
        log.warning("%s; from now on no window is in front", error)
        self.close_desktop()
        self.desktop, self._lost = None, True

    def close_desktop(self) -> None:
        """Look no more."""
        self._desktop.close()

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
        sink = choice.sink
        if isinstance(sink, str):
            sink = open_sink(sink, choice.allow_hosts)
        stack.enter_context(sink)
        mine = _own(choice, mend=True)
        if mine.problem is not None:
            log.warning("%s", mine.problem)
        chosen = _profile(choice, sink, mine)
        engine = _engine(chosen, mine)
        source = stack.enter_context(open_source(choice.source, realtime=realtime))
        landmarks = ExitStack()
        landmarker = None
        if gives_frames(choice.source):
            landmarker = landmarks.enter_context(open_landmarker(_needs(chosen), choice))
        rig = Rig(choice, chosen, source, landmarker, engine, sink, _landmarks=landmarks)
        stack.callback(rig.close_desktop)
        stack.callback(rig.close_landmarker)
        stack.callback(rig.forget_past)
        rig.memory = _memory(choice, mine, chosen, rig._writer)
        rig.watch_desktop(chosen)
        yield rig


def _own(choice: Choice, *, mend: bool) -> Own:
    return own.load(mend=mend) if choice.own else Own(None, (), None)


def _listener(mine: Own, chosen: Profile | None) -> Listener | None:
    """Return what listens for own gestures, or None where nobody would act on them."""
    if mine.taught is None:
        return None
    if chosen is not None and chosen.gestures.isdisjoint(mine.taught.gestures):
        return None
    return Listener(mine.taught)


def _memory(
    choice: Choice, mine: Own, chosen: Profile | None, writer: lastheard.Writer
) -> lastheard.Memory | None:
    if not choice.remembers or mine.taught is None or chosen is None:
        return None
    store = Store.of_user()
    return lastheard.Memory(
        writer, mine.taught.gestures, chosen.gestures, lambda: bool(own.stamp(store))
    )


def _profile(choice: Choice, sink: Sink, mine: Own) -> Profile | None:
    """Load the chosen profile and refuse keys that this desktop cannot send: now, not later.

    Messages that it cannot deliver are warned of: without a voice the rest still works.

    Raises:
        ProfileError: it has problems, or such keys: each is named with what to do.
    """
    if choice.profile is None:
        return None
    chosen = profile.load(
        choice.profile,
        extra=mine.gestures,
        allow_run=choice.allow_run,
        allow_hosts=choice.allow_hosts,
    )
    for notice in chosen.notices:
        log.warning("%s", notice)
    for name in sorted(chosen.gestures & set(mine.unlearned)) if mine.problem is None else ():
        log.warning("%s is not learned yet and not heard: gesturectl teach %s", name, name)
    if wrong := sink.check_keys(chosen.keys):
        reasons = "\n".join(f"  {key}: {reason}" for key, reason in wrong.items())
        raise ProfileError(f"profile {choice.profile}: keys that cannot be sent here:\n{reasons}")
    used = actions.kinds(act for binding in chosen.bindings for act in binding.all_actions)
    for name, reason in sink.check_kinds(used).items():
        log.warning("profile %s: `%s` does nothing here: %s", choice.profile, name, reason)
    return chosen


def _recogniser(chosen: Profile | None) -> Recogniser:
    return Recogniser.load(early=frozenset() if chosen is None else chosen.early)


def _engine(chosen: Profile | None, mine: Own) -> Core:
    """Return what plays a profile: for one person, or for one of several."""
    recogniser = _recogniser(chosen)
    if chosen is None or chosen.control is None:
        return Engine(recogniser, chosen, _listener(mine, chosen))
    return Floor(
        lambda: Engine(recogniser.fresh(), chosen, _listener(mine, chosen)),
        chosen.control,
        chosen.zones,
    )


def _needs(chosen: Profile | None) -> Needs:
    return EVERYTHING if chosen is None else chosen.needs


def open_landmarker(needs: Needs, choice: Choice) -> Landmarker:
    """Return a landmarker for what `needs` asks, obtaining the models first where they are missing.

    Raises:
        ModelError: a model cannot be had, or is not one.
    """
    hand = bundles.hand_bundle(choice.progress, choice.hand_model) if needs.hands else None
    pose = bundles.pose_bundle(choice.progress, choice.pose_model) if needs.bodies else None
    # Only what is used is imported: MediaPipe takes half a second and 100 MB.
    if choice.estimator == "litert" or (choice.estimator == AUTO and has_litert()):
        from gesturectl.landmarks.litert import LiteRTLandmarker

        try:
            return LiteRTLandmarker(needs, hand, pose)
        except ModelError as error:
            if choice.estimator != AUTO:
                raise
            # A bundle of the user's own may hold networks that only MediaPipe's graphs know.
            log.warning("%s; MediaPipe is tried instead", error)
    from gesturectl.landmarks.mediapipe import MediaPipeLandmarker

    return MediaPipeLandmarker(needs, hand, pose)
