r"""From what the daemon tells, and the time that passes, to what is seen.

In:  rows of `show` (docs/control.md), a time.  Out: a `View`, and when it changes by itself.

    told      ____/^^candidate^^\____________________
    opened    ____/^^^^^^^^^^^^^^^^^^^^^^^^^^^^\____     1) something is seen: the panel opens
    fired     ____________^_________________________     2) a binding acts: its words glow
    glow      ____________/^^^\_____________________     3) nothing for LINGER_US: it closes to the
                  1       2                     3           mode alone

With reduced motion nothing fades: what would glow is lit for as long, and then not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from gesturectl.rules import ACTIVE
from gesturectl.tray.status import State as Mood
from gesturectl.tray.status import state_of

GLOW_US: Final = 1_000_000
LINGER_US: Final = 2_500_000
FADE_US: Final = 250_000
STEPS: Final = 5  # pictures of a fade
NEAR: Final = 0.08  # of a countdown: below it the pointer has only just come to rest

Motion = Literal["full", "reduced"]
Happening = Literal["fired", "woke", "slept", "trouble", "well"]
TITLES: Final = {
    Mood.active: "Active",
    Mood.paused: "Paused",
    Mood.camera_off: "No picture",
    Mood.asleep: "Asleep",
    Mood.error: "Error",
}
SIDES: Final = {"left": "left hand", "right": "right hand", "body": "body"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """What seems to be shown, by whom, how surely, and from where on it counts."""

    name: str
    side: str
    p: float
    enter: float
    active: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """What is under way, 0..1."""

    name: str
    side: str
    share: float


@dataclass(frozen=True, slots=True)
class Fired:
    """What acted last. `number` grows with each."""

    number: int
    name: str
    does: str


@dataclass(frozen=True, slots=True)
class Rest:
    """A click by resting that counts down. `at` is its place in fractions of the whole desktop."""

    share: float
    choice: str
    at: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Told:
    """One row, read. `people` are those in view where one of several controls, else 0."""

    mood: Mood
    title: str
    problem: str | None = None
    armed: bool | None = None
    candidate: Candidate | None = None
    hold: Hold | None = None
    fired: Fired | None = None
    held: tuple[str, ...] = ()
    rest: Rest | None = None
    people: int = 0

    @property
    def moves(self) -> bool:
        """Whether there is more to see than the mode."""
        return bool(self.candidate or self.hold or self.held or self.problem or self.rest)


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn. `opened` and `glow` are 0..1."""

    told: Told
    opened: float = 0.0
    glow: float = 0.0


@dataclass(frozen=True, slots=True)
class State:
    """What the past means: the last row, when there was something to see, and to glow."""

    told: Told | None = None
    moved_us: int | None = None
    fired_us: int | None = None


def read(row: Mapping[str, Any]) -> Told:
    """Read a row of `show`; what it lacks, as an older daemon's may, is nothing.

    Raises:
        ValueError: it is no such row.
    """
    try:
        locked, problem = bool(row.get("locked")), row.get("problem")
        paused = bool(row["paused"]) or locked
        mood = state_of(
            paused=paused,
            pictures=bool(row["frames"]) and problem is None,
            problem=None,
            asleep=bool(row.get("asleep")),
        )
        # Who sleeps is shown what wakes, and not what is seen besides.
        seen = row.get("candidate") if mood is Mood.active else None
        hold, fired, rest = row.get("progress"), row.get("fired"), row.get("pointer")
        return Told(
            mood,
            "Locked" if locked else _title(mood, str(row["mode"])),
            None if paused or problem is None else str(problem),
            row.get("armed"),
            seen and Candidate(
                _spoken(seen["gesture"]), SIDES.get(seen["side"], ""),
                _share(seen["p"]), _share(seen["enter"]), bool(seen["active"]),
            ),
            hold and Hold(
                _spoken(hold["name"]), SIDES.get(hold["side"], ""), _share(hold["fraction"])
            ),
            fired and Fired(int(fired["number"]), _spoken(fired["gesture"]), str(fired["does"])),
            tuple(str(name) for name in row.get("held", ())),
            _rest(rest),
            int((row.get("control") or {}).get("people", 0)),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a row of `show`: {error}") from error


def hear(state: State, told: Told, t_us: int) -> tuple[State, tuple[Happening, ...]]:
    """Take what was told; return what has happened by it. Of the first row nothing has."""
    before = state.told
    happened: list[Happening] = []
    fires = told.fired is not None and before is not None and told.fired != before.fired
    if before is not None:
        if fires:
            happened.append("fired")
        if before.mood is not told.mood:
            if told.mood is Mood.asleep:
                happened.append("slept")
            elif before.mood is Mood.asleep and told.mood is Mood.active:
                happened.append("woke")
        if (told.problem is None) is not (before.problem is None):
            happened.append("well" if told.problem is None else "trouble")
    moves = told.moves or fires or before is None or before.mood is not told.mood
    return (
        replace(
            state,
            told=told,
            moved_us=t_us if moves else state.moved_us,
            fired_us=t_us if fires else state.fired_us,
        ),
        tuple(happened),
    )


def see(motion: Motion, state: State, t_us: int) -> tuple[View | None, int | None]:
    """Return what is seen now, and when that changes without a word; None is never."""
    if state.told is None:
        return None, None
    glow, glow_us = _fading(motion, state.fired_us, t_us, 0, GLOW_US)
    if state.told.moves:
        return View(state.told, 1.0, glow), glow_us
    opened, open_us = _fading(motion, state.moved_us, t_us, LINGER_US, FADE_US)
    soonest = min((one for one in (glow_us, open_us) if one is not None), default=None)
    return View(state.told, opened, glow), soonest


def _fading(
    motion: Motion, since_us: int | None, t_us: int, stays_us: int, fades_us: int
) -> tuple[float, int | None]:
    """Return how much is left of what was lit, and when that changes.

    1 for `stays_us`, then less and less for `fades_us`; in reduced motion 1 all along.
    """
    if since_us is None or t_us >= since_us + stays_us + fades_us:
        return 0.0, None
    if motion == "reduced":
        return 1.0, since_us + stays_us + fades_us
    begins_us = since_us + stays_us
    if t_us < begins_us:
        return 1.0, begins_us
    # In steps, so that whoever asks in between is told the same, and has nothing to draw.
    step = (t_us - begins_us) * STEPS // fades_us
    return 1.0 - step / STEPS, begins_us + -(-(step + 1) * fades_us // STEPS)


def _title(mood: Mood, mode: str) -> str:
    """Say the mode by its name where it is one of the profile's own."""
    return _spoken(mode) if mood is Mood.active and mode != ACTIVE else TITLES[mood]


def _rest(row: Mapping[str, Any] | None) -> Rest | None:
    if not row or _share(row["dwell"]) < NEAR:
        return None
    at = row.get("at")
    place = None if at is None else (_share(at[0]), _share(at[1]))
    return Rest(_share(row["dwell"]), str(row["choice"]), place)


def _share(value: Any) -> float:
    return min(max(float(value), 0.0), 1.0)


def _spoken(name: str) -> str:
    return name.replace("_", " ")
