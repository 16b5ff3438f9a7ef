"""A user's own gestures, as the rest of the program meets them: what is listened for, and names.

Whatever is wrong with them, the shipped gestures work: a damaged model is said and left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from gesturectl import taughtfile
from gesturectl.catalog import Gesture
from gesturectl.ears import Expected, Taught
from gesturectl.errors import ModelError
from gesturectl.samples import Store
from gesturectl.types import Needs


@dataclass(frozen=True, slots=True)
class Own:
    """What one user has taught.

    `taught` is None where nothing is, or where it is damaged: `problem` then says what to do.
    `unlearned` are gestures with takes that have not been learned from yet.
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


def load(store: Store | None = None) -> Own:
    """Load what a user has taught."""
    store = store or Store.of_user()
    model, problem = None, None
    old = store.taught.with_name(f"{store.taught.name}.old")  # of a refit that was killed
    if store.taught.exists() or old.exists():
        try:
            model = taughtfile.load(store.taught)
        except ModelError as error:
            advice = "`gesturectl gestures --refit` makes it anew from the takes"
            problem = f"your own gestures are not heard: {error}; {advice}"
    learned = model.gestures if model else {}
    return Own(model, tuple(name for name in store.names() if name not in learned), problem)


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
