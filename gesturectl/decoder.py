r"""Turn class probabilities into gesture starts and ends.

In: `Scores`, one per subject per frame or grid step. Out: `Began`, `Ended`. Two machines, one for
what is held and one for what is struck; both look only at the time stamps they are given.

Poses, one at a time per subject. The probability is smoothed over `smooth_us`:

    # enter ------------------------.--------------------.----------------
    # p            ___/^^^^^^^^^^^^^|^^^^^^^^\___        |
    # exit  ------/-----------------|------------\-------|----------------
    #             1 candidate       2 Began           3 Ended
    #   1) p > enter and p is the largest: remember since when
    #   2) still so after hold_us: Began
    #   3) p < exit, or another pose has begun, or the subject is lost: Ended

Motions, strokes that begin and end at once:

    # p     ____/^^\______/^^\____/^^\___
    #           |  |      |       |
    #           1  quiet  2       3
    #   1) p > enter for hold_us: Began and Ended
    #   2) within refractory_us of any other motion of the subject: nothing; a stroke has a return
    #   3) after it, once p has been below exit: Began and Ended again
    #
    # What another machine has heard is quiet here too, and its echo within that time, the same
    # class, counts as heard: it fires once p has been below exit, as in 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, isnan

import numpy as np

from gesturectl.types import Began, Ended, Float32, Scores


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Classes and thresholds of one decoder; they travel with the model's weights.

    `names` (C,) with the null class first; `enter` and `exit` float32 (C,), the null's unused.
    `hold_us` and `refractory_us` are int64 (C,), `smooth_us` the time constant of the smoothing.
    """

    names: tuple[str, ...]
    enter: Float32
    exit: Float32
    hold_us: np.ndarray
    refractory_us: np.ndarray
    smooth_us: int


EARLY_ENTER = 0.5  # likelier than all else together


def early(rules: Rules, names: frozenset[str]) -> Rules:
    """Return rules by which these classes begin as soon as they are likely, and not when certain.

    For what does no harm when it comes by mistake. They wait for nothing, and their threshold is
    `EARLY_ENTER`, or their own where that is lower.
    """
    which = np.array([name in names for name in rules.names])
    lower = np.maximum(np.minimum(rules.enter, EARLY_ENTER), rules.exit)
    return replace(
        rules,
        enter=np.where(which, lower, rules.enter).astype(np.float32),
        hold_us=np.where(which, 0, rules.hold_us),
    )


Events = tuple[Began | Ended, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PoseState:
    """What the machine for poses remembers of one subject."""

    t_us: int = -1
    p: Float32 | None = None
    candidate: int = 0
    since_us: int = 0
    active: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class MotionState:
    """What the machine for motions remembers of one subject.

    `fired` is the class that must fall below its exit before it is heard again, `echo` the class
    that another machine has heard of this subject: the reason of the quiet.
    """

    t_us: int = -1
    p: Float32 | None = None
    candidate: int = 0
    since_us: int = 0
    fired: int = 0
    quiet_until_us: int = -1
    echo: int = 0


def _smoothed(rules: Rules, state: PoseState | MotionState, scores: Scores) -> Float32:
    if state.p is None:
        # A newcomer starts from the null class, so that one odd frame fires nothing.
        old = np.zeros_like(scores.p)
        old[0] = 1.0
        since = 33_333
    else:
        old, since = state.p, max(scores.t_us - state.t_us, 0)
    if isnan(scores.p[0]):  # points beyond all measure: one such frame must not stay for ever
        return old
    if rules.smooth_us == 0:
        return scores.p
    keep = np.float32(exp(-since / rules.smooth_us))
    smoothed: Float32 = keep * old + (1 - keep) * scores.p
    return smoothed


def _candidate(rules: Rules, p: Float32, old: int, since_us: int, t_us: int) -> tuple[int, int]:
    """Return the class above its threshold, or 0, and since when it has been."""
    best = int(p[1:].argmax()) + 1
    if p[best] < rules.enter[best] or p[best] < p[0]:
        return 0, t_us
    return best, since_us if best == old else t_us


def step_pose(rules: Rules, state: PoseState, scores: Scores) -> tuple[PoseState, Events]:
    """Take one frame's probabilities of one subject."""
    t, side = scores.t_us, scores.subject
    p = _smoothed(rules, state, scores)
    best, since = _candidate(rules, p, state.candidate, state.since_us, t)
    events: list[Began | Ended] = []
    active = state.active
    begins = best not in (0, active) and t - since >= rules.hold_us[best]
    if active and (begins or p[active] < rules.exit[active]):
        events.append(Ended(t, rules.names[active], side, float(p[active])))
        active = 0
    if begins:
        events.append(Began(t, rules.names[best], side, float(p[best])))
        active = best
    return PoseState(t, p, best, since, active), tuple(events)


def step_motion(rules: Rules, state: MotionState, scores: Scores) -> tuple[MotionState, Events]:
    """Take one grid step's probabilities of one subject."""
    t, side = scores.t_us, scores.subject
    p = _smoothed(rules, state, scores)
    fired = state.fired
    if fired and p[fired] < rules.exit[fired]:
        fired = 0
    best, since = _candidate(rules, p, state.candidate, state.since_us, t)
    state = MotionState(t, p, best, since, fired, state.quiet_until_us, state.echo)
    if best in (0, fired) or t - since < rules.hold_us[best]:
        return state, ()
    if t < state.quiet_until_us:
        return (replace(state, fired=best) if best == state.echo else state), ()
    name, confidence = rules.names[best], float(p[best])
    events = (Began(t, name, side, confidence), Ended(t, name, side, confidence))
    quiet = t + int(rules.refractory_us[best])
    return replace(state, fired=best, quiet_until_us=quiet, echo=0), events


def lose_pose(rules: Rules, state: PoseState, t_us: int, subject: str) -> tuple[PoseState, Events]:
    """The subject is gone: end what it showed and forget it."""
    if not state.active or state.p is None:
        return PoseState(), ()
    name, p = rules.names[state.active], float(state.p[state.active])
    return PoseState(), (Ended(t_us, name, subject, p),)  # type: ignore[arg-type]
