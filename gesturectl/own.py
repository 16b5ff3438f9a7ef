"""A user's own gestures, as the rest of the program meets them: what is listened for, and names.

    samples on disk → refit → model on disk → load → listener, names in profiles

The model is made from the samples and can be made again: one that is damaged, or that an older
program has written, costs nothing but a refit. Whatever is wrong, the shipped gestures work.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from gesturectl import taught, taughtfile
from gesturectl.catalog import Gesture
from gesturectl.ears import Expected, Taught
from gesturectl.errors import ModelError, SampleError
from gesturectl.samples import Samples, Store
from gesturectl.types import Needs

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Own:
    """What one user has taught.

    `taught` is None where nothing is, or where it is damaged: `problem` then says what to do.
    `unlearned` are gestures with takes that are not in the model.
    """

    taught: Taught | None
    unlearned: tuple[str, ...]
    problem: str | None

    @property
    def gestures(self) -> tuple[Gesture, ...]:
        """All of them as rows like those of the catalog, for profiles and lists."""
        learned = self.taught.gestures if self.taught else {}
        rows = [_row(name, expected) for name, expected in learned.items()]
        return (*rows, *(_unlearned(name) for name in self.unlearned))


def load(store: Store | None = None, *, mend: bool = False) -> Own:
    """Load what a user has taught.

    With `mend`, a model that is damaged, or of another version of this program, is made anew from
    the takes.
    """
    store = store or Store.of_user()
    model, problem = None, None
    old = store.taught.with_name(f"{store.taught.name}.old")  # of a refit that was killed
    if store.taught.exists() or old.exists():
        try:
            model = taughtfile.load(store.taught)
        except ModelError as error:
            problem = f"your own gestures are not heard: {error}"
    if problem is not None and mend:
        try:
            model, problem = refit(store).taught, None
            log.warning("your own gestures were learned anew: their model was damaged, or old")
        except SampleError as error:
            problem = f"{problem}; nor can they be learned anew: {error}"
    elif problem is not None:
        problem += "; `gesturectl gestures --refit` makes it anew from the takes"
    learned = model.gestures if model else {}
    return Own(model, tuple(name for name in store.names() if name not in learned), problem)


@dataclass(frozen=True, slots=True)
class Learned:
    """What a refit came to. `taught` is None when there is nothing to learn from any more."""

    taught: Taught | None
    samples: Samples
    took_s: float


def refit(store: Store, also: str | None = None) -> Learned:
    """Learn anew from all samples, and put the new model in the place of the old one.

    Gestures count that were learned before, and the one named by `also`.

    Raises:
        SampleError: the samples cannot be learned from, or the model not written; the one before
            stays.
    """
    start = time.perf_counter()
    samples = store.load()
    ready = {
        name: kept
        for name, kept in samples.gestures.items()
        if kept.takes and (kept.plan.learned or name == also)
    }
    if not ready:
        store.forget_taught()
        return Learned(None, samples, time.perf_counter() - start)
    model = taught.refit(
        {name: kept.takes for name, kept in ready.items()},
        background=samples.background,
        negatives=samples.wrong,
        parts={name: kept.plan.part for name, kept in ready.items()},
    )
    try:
        taughtfile.save(model, store.taught)  # reads it back before it takes the old one's place
    except ModelError as error:
        raise SampleError(f"the new model cannot be kept: {error}; the one before stays") from error
    return Learned(model, samples, time.perf_counter() - start)


def stamp(store: Store) -> tuple[int, int] | None:
    """Return what changes when a model has been made anew, or None where there is none."""
    try:
        found = (store.taught / taughtfile.CARD).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _row(name: str, expected: Expected) -> Gesture:
    return Gesture(
        name,
        expected.kind,
        expected.subjects,
        f"your own, from {expected.samples} takes",
        Needs(expected.hands, int("body" in expected.subjects)),
    )


def _unlearned(name: str) -> Gesture:
    # Nobody can tell its kind yet: as a pose, it may stand at every trigger.
    says = f"your own, not learned yet: gesturectl teach {name}"
    return Gesture(name, "pose", ("hand",), says, Needs(1, 0))
