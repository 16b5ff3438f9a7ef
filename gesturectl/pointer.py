r"""Turn a hand, or a head, into a mouse.

In:  settings, what a frame shows, what bindings ask for in it (`Point`).
Out: MoveBy or MoveTo, ButtonDown, ButtonUp, Scroll, and the state for the next frame.

The pointer moves only while a binding asks for it: that is its clutch, as lifting a mouse is. One
hand is enough for everything, and so is a head: where nobody can pinch, resting clicks.

    asked     __/^^^^^^^^^^^^^^^^^^^\_____      1) the clutch is closed: the pointer follows
    gap       ^^^^^^^^\______/^^^^\_______      2) fingers come near: it stands still
                  :   :  :   :    :             3) closed: it goes back to where it was `rewind`
    follows   __/^^^^\_______/^^^^\_______         before 2, and the button goes down there
    button    ___________/^^^\____/^^^^^^^      4) open: the button goes up; it stands a moment more
               1     2   3   4     5  6  7      5) a second click soon lands on the first
                                                6) the clutch may open: a held pinch moves on
                                                7) the hand is lost: the button goes up

Times are those of the frames. A hand lost for `LOST_US` or less is waited for; what comes back
after that begins where the pointer is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import exp, hypot
from typing import Final

from gesturectl import aiming, clicking, dwelling, pinching
from gesturectl.aiming import FASTEST, Aim, Track
from gesturectl.clicking import Buttons
from gesturectl.dwelling import Choice, Dwell
from gesturectl.pinching import Finger, Pinch
from gesturectl.places import LOST_US, Place, Seen
from gesturectl.pointing import Settings, gain
from gesturectl.types import (
    Button,
    Command,
    MoveBy,
    MoveTo,
    Needs,
    Observation,
    Point,
    Pointing,
    Scroll,
    Subject,
)

__all__ = ["Settings", "Shown", "State", "needs", "release", "shown", "step"]

# A gesture that closes the clutch ends where the fingers begin to pinch: a pinch is still heard.
LINGER_US: Final = 500_000
# Fingers that come near hold the pointer still so long: who points with them so goes on then.
NEARING_US: Final = 300_000
# Opening fingers pull the hand as closing ones do.
SETTLE_US: Final = 120_000
# What a rewind may bridge. Closing fingers pull a pointing fingertip as far as that: with 100 px
# 19 % of its simulated clicks miss, with 200 none. A click made in full flight is not aimed.
FARTHEST_PX: Final = 200.0
# Two clicks aimed nearer to each other than this, soon enough, are meant for one place.
SAME_PX: Final = 60.0
# Where only fractions of the desktop are known, distances are those on a monitor of this size.
MONITOR_PX: Final = (1920.0, 1080.0)
# In `absolute` the pointer may be away from its hand's place (after precise steps, a pinch, a lost
# hand). It does not jump there; it drifts there while the hand moves, by 63 % in so many pixels.
DRIFT_PX: Final = 250.0


@dataclass(frozen=True, slots=True)
class State:
    """What the past means for the next frame.

    `asked` are the requests that hold, in the order of their time. `leader` is who points, last
    asked to at `asked_us`. `at` is where the pointer is: pixels from where it was first moved, or
    on a monitor of `MONITOR_PX` in `absolute`, where `target` is the place its hand stands for.
    `trail` tells where it has lately been. `strayed` is how far, in palm widths, a closed pinch has
    moved before it `drags`. `pressed` is when and where the last button went down.
    """

    asked: tuple[tuple[Pointing, Subject], ...] = ()
    leader: Subject | None = None
    asked_us: int = 0
    seen_us: int = 0
    track: Track | None = None
    seen: Place | None = None
    at: Place | None = None
    target: Place | None = None
    trail: tuple[tuple[int, Place], ...] = ()
    pinch: Pinch = field(default_factory=Pinch)
    strayed: Place = (0.0, 0.0)
    drags: bool = False
    opened_us: int | None = None
    pressed: tuple[int, Place, Button] | None = None
    buttons: Buttons = field(default_factory=Buttons)
    dwell: Dwell = field(default_factory=Dwell)


Step = tuple[State, tuple[Command, ...]]


def step(
    settings: Settings, state: State, observation: Observation, requests: Iterable[Point] = ()
) -> Step:
    """Take one frame, and what bindings ask for in it."""
    turn = _Turn(settings, state, observation.t_us)
    for request in requests:
        turn.hear(request)
    turn.lead()
    if turn.state.leader is not None:
        fingers = turn.fingers
        aim = aiming.look(settings, turn.state.leader, Seen(observation), fingers)
        if aim is None:
            turn.miss()
        else:
            turn.take(aim)
    return turn.done()


def release(state: State, t_us: int) -> Step:
    """Let go of everything and forget everything: on pause, reload, a stalled camera and exit."""
    _, ups = clicking.let_go(state.buttons, t_us)
    return State(), ups


def needs(settings: Settings) -> Needs:
    """Return which landmarks pointing takes."""
    head = settings.by == "head"
    shoulder = settings.reach == "absolute" and settings.around == "shoulder"
    return Needs(hands=0 if head else 1, bodies=int(head or shoulder))


@dataclass(frozen=True, slots=True)
class Shown:
    """What a display can show of the pointer.

    `place` is (right, down) of the hand or head in fractions of the mirrored image, None where it
    is not seen. `held` is the button that is down. `dwell` is how far a countdown has come, 0..1,
    and `choice` what the next click does.
    """

    leader: Subject | None
    place: Place | None
    precise: bool
    scrolls: bool
    held: Button | None
    dwell: float
    choice: Choice


def shown(settings: Settings, state: State, t_us: int) -> Shown:
    """Return what to show."""
    whats = {what for what, _ in state.asked}
    return Shown(
        leader=state.leader,
        place=state.seen,
        precise="precise" in whats,
        scrolls="scroll" in whats or state.pinch.closed == settings.scroll,
        held=state.buttons.held,
        dwell=dwelling.progress(
            state.dwell, t_us, after_us=settings.dwell_us, chooses=settings.dwell_choose
        ),
        choice=state.buttons.choice,
    )


class _Turn:
    """One frame: works on a copy of the state, collects what is sent."""

    def __init__(self, settings: Settings, state: State, t_us: int) -> None:
        self.settings = settings
        self.state = state
        self.t_us = t_us
        self._commands: list[Command] = []

    def done(self) -> Step:
        return self.state, tuple(self._commands)

    def _be(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]

    def _press(self, step: clicking.Step) -> None:
        buttons, commands = step
        self._be(buttons=buttons)
        self._commands += commands

    # --- who points -----------------------------------------------------------------------------

    def hear(self, request: Point) -> None:
        """Take note of what a binding asks for."""
        one = (request.what, request.side)
        if request.what == "choose":
            if request.on:
                self._choose()
            return
        others = tuple(other for other in self.state.asked if other != one)
        self._be(asked=(*others, one) if request.on else others)

    def lead(self) -> None:
        """Settle who points: who scrolls before who moves, and of equals the last to be asked."""
        state = self.state
        wanted: Subject | None = None
        for what in ("scroll", "move", "precise"):
            askers = [side for asked, side in state.asked if asked == what]
            if askers:
                wanted = "body" if self.settings.by == "head" else askers[-1]
                break
        if wanted is None:
            busy = state.buttons.held is not None or state.pinch.closed is not None
            if busy or self.t_us - state.asked_us <= LINGER_US:
                return
        else:
            self._be(asked_us=self.t_us)
        if wanted != state.leader:
            self._forget()
            self._be(leader=wanted, seen_us=self.t_us)

    def _asks(self, what: Pointing) -> bool:
        return any(asked == what for asked, _ in self.state.asked)

    @property
    def fingers(self) -> frozenset[Finger]:
        """The fingers whose touch means something now."""
        settings = self.settings
        if not settings.pinch or settings.by == "head":
            return frozenset()
        return frozenset((settings.click, settings.right_click, settings.scroll))

    # --- seen or not ----------------------------------------------------------------------------

    def miss(self) -> None:
        """Nobody points in this frame: wait a moment, then let go."""
        self._be(seen=None)
        if self.t_us - self.state.seen_us > LOST_US:
            self._forget()

    def _forget(self) -> None:
        """Let go, and begin anew where the pointer is."""
        self._press(clicking.let_go(self.state.buttons, self.t_us))
        self._be(
            track=None,
            seen=None,
            target=None,
            trail=(),
            pinch=Pinch(),
            drags=False,
            opened_us=None,
            pressed=None,
            dwell=Dwell(),
        )

    def take(self, aim: Aim) -> None:
        """Somebody points: move, click, scroll."""
        if self.t_us - self.state.seen_us > LOST_US:
            self._forget()
        before, then_us = self.state.track, self.state.seen_us
        track = aiming.follow(self.settings, before, self.t_us, aim)
        self._be(track=track, seen_us=self.t_us, seen=aim.seen)
        dt_s = (self.t_us - then_us) / 1e6
        moved = (0.0, 0.0)
        if before is not None:
            at, was_at = track.smooth, before.smooth
            moved = (at.x - was_at.x, at.y - was_at.y)
        way = hypot(*moved)
        if way > FASTEST * dt_s:
            moved = (0.0, 0.0) if dt_s <= 0 else _times(moved, FASTEST * dt_s / way)
            way = hypot(*moved)

        was = self.state.pinch
        self._pinch(aim)
        if self._scrolls():
            self._scroll(moved)
        else:
            speed = way / dt_s if dt_s > 0 else 0.0
            self._move(moved, speed, aiming.in_box(aim, track))
        if was.closed is None and self.state.pinch.closed is not None:
            self._close()
        self._remember()
        self._rest()

    # --- pinches --------------------------------------------------------------------------------

    def _pinch(self, aim: Aim) -> None:
        """See fingers close and open; what opens lets go."""
        settings, state = self.settings, self.state
        pinch = pinching.step(
            state.pinch, self.t_us, aim.gaps, close_at=settings.close, open_at=settings.open
        )
        self._be(pinch=pinch)
        if state.pinch.closed is None or pinch.closed is not None:
            return
        if state.pinch.closed != settings.scroll:
            locks = settings.drag_lock and state.drags
            self._press(clicking.opened(state.buttons, self.t_us, locks=locks))
        self._be(drags=False, strayed=(0.0, 0.0), opened_us=self.t_us, trail=())

    def _close(self) -> None:
        """A finger has closed: go back to where the user aimed, and press."""
        settings, state = self.settings, self.state
        self._be(drags=False, strayed=(0.0, 0.0))
        finger = state.pinch.closed
        if finger == settings.scroll or self._asks("scroll"):
            return
        button: Button = "right" if finger == settings.right_click else "left"
        near_us = state.pinch.near_us
        if near_us is None or self.t_us - near_us > NEARING_US:
            near_us = self.t_us
        here = state.at or (0.0, 0.0)
        there = self._was_at(near_us - settings.rewind_us)
        if state.pressed is not None and state.buttons.held is None:
            last_us, last, last_button = state.pressed
            soon = near_us - last_us <= settings.double_us and button == last_button
            if soon and hypot(*_minus(there, last)) <= SAME_PX:
                there = last
        back = _minus(there, here)
        far = max(hypot(*back) / FARTHEST_PX, 1.0)
        there = _plus(here, back, 1.0 / far)
        if state.at is not None:
            self._go(there)
        self._be(pressed=(self.t_us, there, button))
        self._press(clicking.pinched(self.state.buttons, self.t_us, button))

    def _was_at(self, t_us: int) -> Place:
        """Return where the pointer was at this time, between frames by proportion."""
        trail = self.state.trail
        if not trail:
            return self.state.at or (0.0, 0.0)
        later_us, later = trail[-1]
        for then_us, there in reversed(trail):
            if then_us <= t_us:
                if later_us == then_us:
                    return there
                part = min((t_us - then_us) / (later_us - then_us), 1.0)
                return _plus(there, _minus(later, there), part)
            later_us, later = then_us, there
        return later

    def _remember(self) -> None:
        """Keep where the pointer has been for as long as a rewind may ask, and one frame more."""
        at, trail = self.state.at, self.state.trail
        if at is None:
            return
        since_us = self.t_us - self.settings.rewind_us - NEARING_US
        kept = [i for i, (t_us, _) in enumerate(trail) if t_us > since_us]
        first = max(kept[0] - 1, 0) if kept else len(trail)
        self._be(trail=(*trail[first:], (self.t_us, at)))

    # --- movement -------------------------------------------------------------------------------

    def _free(self, moved: Place) -> bool:
        """Whether the pointer may follow now."""
        state = self.state
        if state.pinch.closed is not None:
            strayed = _plus(state.strayed, moved)
            drags = state.drags or hypot(*strayed) > self.settings.slop
            self._be(strayed=strayed, drags=drags)
            return state.drags
        near_us, opened_us = state.pinch.near_us, state.opened_us
        if near_us is not None and state.pinch.armed and self.t_us - near_us <= NEARING_US:
            return False
        if opened_us is not None and self.t_us - opened_us < SETTLE_US:
            return False
        return self._asks("move") or self._asks("precise")

    def _finer(self) -> float:
        return 1.0 / self.settings.precise if self._asks("precise") else 1.0

    def _move(self, moved: Place, speed: float, in_box: Place) -> None:
        free, fine = self._free(moved), self._finer()
        if self.settings.reach == "relative":
            if free:
                here = self.state.at or (0.0, 0.0)
                self._go(_plus(here, moved, gain(self.settings, speed) * fine))
            return
        at, last, target = self.state.at, self.state.target, _on_monitor(in_box)
        self._be(target=target)
        if free and at is None:
            self._go(target)
        elif free and at is not None and last is not None:
            by = _minus(target, last)
            drift = 0.0 if self._asks("precise") else 1.0 - exp(-hypot(*by) / DRIFT_PX)
            self._go(_plus(_plus(at, by, fine), _minus(last, at), drift))

    def _go(self, to: Place) -> None:
        """Move the pointer to this place, in the coordinates of `State.at`."""
        at = self.state.at
        if self.settings.reach == "relative":
            here = at or (0.0, 0.0)
            if to != here:
                self._commands.append(MoveBy(self.t_us, to[0] - here[0], to[1] - here[1]))
        else:
            to = (min(max(to[0], 0.0), MONITOR_PX[0]), min(max(to[1], 0.0), MONITOR_PX[1]))
            if to != at:
                left, top, right, bottom = self.settings.monitor
                x = left + to[0] / MONITOR_PX[0] * (right - left)
                y = top + to[1] / MONITOR_PX[1] * (bottom - top)
                self._commands.append(MoveTo(self.t_us, min(x, 1.0), min(y, 1.0)))
        self._be(at=to)

    # --- scrolling ------------------------------------------------------------------------------

    def _scrolls(self) -> bool:
        return self._asks("scroll") or self.state.pinch.closed == self.settings.scroll

    def _scroll(self, moved: Place) -> None:
        if not self._asks("scroll") and not self._free(moved):
            return
        # A hand that means one direction never keeps to it quite.
        dx, dy = moved
        if abs(dx) < abs(dy) / 2:
            dx = 0.0
        elif abs(dy) < abs(dx) / 2:
            dy = 0.0
        sign = -1.0 if self.settings.scroll_follows == "content" else 1.0
        steps = sign * self.settings.scroll_speed * self._finer()
        if dx or dy:
            self._commands.append(Scroll(self.t_us, steps * dx, steps * dy))

    # --- resting --------------------------------------------------------------------------------

    def _rest(self) -> None:
        """Count how long the pointer has been where it is."""
        settings, state = self.settings, self.state
        if not settings.dwell_us:
            return
        follows = self._asks("move") or self._asks("precise")
        if state.at is None or state.pinch.closed is not None or self._scrolls() or not follows:
            self._be(dwell=Dwell())
            return
        dwell, deed = dwelling.step(
            state.dwell,
            self.t_us,
            *state.at,
            after_us=settings.dwell_us,
            radius=settings.dwell_radius_px,
            chooses=settings.dwell_choose,
        )
        self._be(dwell=dwell)
        if deed == "click":
            self._press(clicking.rested(state.buttons, self.t_us))
        elif deed == "choose":
            self._choose()

    def _choose(self) -> None:
        buttons = self.state.buttons
        self._be(buttons=replace(buttons, choice=dwelling.next_choice(buttons.choice)))


def _times(v: Place, factor: float) -> Place:
    return v[0] * factor, v[1] * factor


def _minus(a: Place, b: Place) -> Place:
    return a[0] - b[0], a[1] - b[1]


def _plus(a: Place, b: Place, factor: float = 1.0) -> Place:
    return a[0] + factor * b[0], a[1] + factor * b[1]


def _on_monitor(place: Place) -> Place:
    """Return fractions of the box as a place on the monitor; beyond its edges is at them."""
    x, y = (min(max(one, 0.0), 1.0) for one in place)
    return x * MONITOR_PX[0], y * MONITOR_PX[1]
