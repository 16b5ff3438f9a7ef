"""Play a profile: events → commands. All that rival bindings settle is settled here.

In:  Began, Ended, Moved, Window, UserInput and Tick, in the order of time.
Out: commands and requests, and the state for the next event.

Who is heard:  Of the bindings that fit a beginning and act at the same moment, the first in the
               order of mode, application and file. It is heard to its end, by the hand or body
               that began it. Both hands together are heard as a chord, and then not alone.
Who may act:   A binding rests for its cooldown after it has acted, and all together act at most
               `max_actions_per_second` times in any second. What is dropped is counted. While
               somebody uses the real keyboard or mouse nothing new is heard. Panic always is.
What is held:  Presses are counted, so that two bindings may hold one key: it goes down with the
               first and up with the last. What is held is let go without asking cooldown or rate,
               also when its binding is left behind:

    mode         active |--------- volume --------| active
    while: shift  B^   ^ let go: `volume` does not hear it
    while: mode        B^ enters                 E^ goes back; what holds a mode is kept in it
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gesturectl import actions, triggers
from gesturectl.actions import Action
from gesturectl.rules import ACTIVE, BACK, SLEEP, Binding, Profile
from gesturectl.senses import Chord
from gesturectl.triggers import Output, Outputs
from gesturectl.types import (
    Began,
    ButtonDown,
    ButtonUp,
    Command,
    Ended,
    Entered,
    GestureEvent,
    KeyDown,
    KeyUp,
    Left,
    Moved,
    Point,
    Request,
    Subject,
    Tick,
    UserInput,
    Window,
)

SECOND_US: Final = 1_000_000
MAX_LATER: Final = 256  # commands that wait for their time; ten sequences of keys
MAX_BACK: Final = 8  # modes that can be gone back to

NO_WINDOW: Final = Window(0)

Live = tuple[int, Subject]  # the index of a binding, and the hand or body it listens to
Up = KeyUp | ButtonUp | Point  # what lets go of one thing that is held
Sent = Command | Request


@dataclass(frozen=True, slots=True)
class Playing:
    """A machine away from rest. `muted` while what it started was not allowed."""

    machine: Any
    muted: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What the past means for the next event. Nothing in it is ever changed in place.

    `acted_us` is when each binding last acted, `recent_us` the actions of the last second, `held`
    one entry for each press not yet let go (time 0), `later` what waits for its time, `dropped`
    how many actions the rate limit has kept back so far.

    `mode` counts now, `before` are those to go back to. `application` is that of the window in
    front. `shown` holds the gestures that conditions ask about, `chords` those begun. The clutch
    counts until `armed_us`, nothing is heard before `quiet_us`, and `active_us` is when something
    was last done in this mode. `acted` is the binding that acted last, and when, for displays.
    """

    playing: Mapping[Live, Playing] = field(default_factory=dict)
    acted_us: Mapping[int, int] = field(default_factory=dict)
    recent_us: tuple[int, ...] = ()
    held: tuple[Up, ...] = ()
    later: tuple[Sent, ...] = ()
    dropped: int = 0
    mode: str = ACTIVE
    before: tuple[str, ...] = ()
    application: int | None = None
    window: Window = NO_WINDOW
    shown: Mapping[tuple[str, Subject], float] = field(default_factory=dict)
    chords: frozenset[str] = frozenset()
    armed_us: int = -1
    quiet_us: int = -1
    active_us: int = -1
    acted: tuple[int, int] | None = None


Step = tuple[State, tuple[Sent, ...]]


def initial(profile: Profile) -> State:
    """Return the state in which nothing is shown and nothing is held."""
    return State(mode=profile.initial, application=profile.application_at(NO_WINDOW))


def carried(profile: Profile, before: State) -> State:
    """Return the state in which a profile takes another one's place: the same mode, if it has it,
    and the same window in front."""
    fresh = initial(profile)
    return replace(
        fresh,
        mode=before.mode if before.mode in profile.modes else fresh.mode,
        window=before.window,
        application=profile.application_at(before.window),
        quiet_us=before.quiet_us,
    )


def step(profile: Profile, state: State, event: GestureEvent) -> Step:
    """Advance by one event."""
    if _is_nothing(profile, state, event):
        return state, ()
    turn = _Turn(profile, state, event)
    match event:
        case Began():
            turn.began(event)
        case Ended():
            turn.ended(event)
        case Moved():
            turn.hear_all(live for live in state.playing if _follows(profile, live, event))
        case Window():
            turn.look_at(event)
        case UserInput():
            turn.give_way(event)
        case Tick():
            turn.hear_all(state.playing)
            turn.send_what_is_due()
            turn.see_how_long()
    return turn.done()


def _is_nothing(profile: Profile, state: State, event: GestureEvent) -> bool:
    """Whether an event surely changes nothing: most frames bring nothing but such."""
    match event:
        case Began() | Ended():
            name = event.gesture
            return name not in profile.by_gesture and name not in profile.watched
        case Moved():
            return not any(_follows(profile, live, event) for live in state.playing)
        case Tick():
            waits = state.playing or state.later
            return not waits and profile.modes[state.mode].after_us is None
        case Window() | UserInput():
            return False


def _follows(profile: Profile, live: Live, event: Moved) -> bool:
    index, subject = live
    return subject == event.side and profile.bindings[index].trigger.spec.follows


def release(profile: Profile, state: State, t_us: int) -> Step:
    """Let go of all that is held, newest first, and begin anew: on pause, reload, loss and exit.

    The mode stays, for it is the user's; and so does the window in front.
    """
    fresh = State(
        mode=state.mode,
        before=state.before,
        application=state.application,
        window=state.window,
        quiet_us=state.quiet_us,
    )
    return fresh, _releases(state.held, t_us)


def _releases(held: Sequence[Up], t_us: int) -> tuple[Up, ...]:
    """Return what lets go of all that is held: of each thing once, the newest first."""
    return tuple(replace(up, t_us=t_us) for up in dict.fromkeys(reversed(held)))


def enter(profile: Profile, state: State, mode: str, t_us: int) -> Step:
    """Go to a mode that somebody asks for without a gesture, as an action would."""
    turn = _Turn(profile, state, Tick(t_us))
    turn.enter(mode)
    return turn.done()


def perform(profile: Profile, state: State, done: tuple[Action, ...], t_us: int) -> Step:
    """Do, once, what somebody asks for without a gesture.

    It counts like what a gesture does: for what is held, for the mode, and for the rate limit,
    which drops it where there is no room.
    """
    turn = _Turn(profile, state, Tick(t_us))
    if turn.has_room():
        turn.active_us = t_us
        turn.send(actions.tap(done, t_us))
    return turn.done()


def admit(profile: Profile, state: State, t_us: int) -> tuple[State, bool]:
    """Ask the rate limit for one action that is no binding's: a click of the pointer."""
    turn = _Turn(profile, state, Tick(t_us))
    room = turn.has_room()
    return turn.done()[0], room


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a hold or a sequence has come, 0..1, for the display."""

    binding: Binding
    side: Subject
    fraction: float


def progress(profile: Profile, state: State, t_us: int) -> Iterator[Progress]:
    """Say what is under way."""
    for (index, side), playing in state.playing.items():
        binding = profile.bindings[index]
        trigger = binding.trigger
        fraction = trigger.spec.progress(trigger.config, playing.machine, t_us)
        if fraction is not None:
            yield Progress(binding, side, fraction)


def armed(profile: Profile, state: State, t_us: int) -> bool | None:
    """Say whether the clutch is closed, for the display; None where there is none."""
    if profile.clutch is None:
        return None
    return profile.clutch.shown.is_among(state.shown) or t_us <= state.armed_us


# --- one turn -----------------------------------------------------------------------------------


class _Turn:
    """One event: works on a copy of the state, collects what is sent."""

    def __init__(self, profile: Profile, state: State, event: GestureEvent) -> None:
        self.profile = profile
        self.event = event
        self.t_us = event.t_us
        self.playing = dict(state.playing)
        self.acted_us = state.acted_us
        self.recent_us = state.recent_us
        self.held = list(state.held)
        self.later = list(state.later)
        self.dropped = state.dropped
        self.mode = state.mode
        self.before = state.before
        self.application = state.application
        self.window = state.window
        self.shown = state.shown
        self.chords = state.chords
        self.armed_us = state.armed_us
        self.quiet_us = state.quiet_us
        self.active_us = state.active_us
        self.acted = state.acted
        self.sent: list[Sent] = []

    def done(self) -> Step:
        state = State(
            self.playing,
            self.acted_us,
            self.recent_us,
            tuple(self.held),
            tuple(self.later),
            self.dropped,
            self.mode,
            self.before,
            self.application,
            self.window,
            self.shown,
            self.chords,
            self.armed_us,
            self.quiet_us,
            self.active_us,
            self.acted,
        )
        return state, tuple(self.sent)

    # --- what is shown ---

    def began(self, event: Began) -> None:
        """Note what is shown; hear it, or the chord that it completes."""
        part = (event.gesture, event.side)
        if event.gesture in self.profile.watched:
            self.shown = {**self.shown, part: event.confidence}
        completed = False
        for chord in self.profile.chords_with.get((event.side, event.gesture), ()):
            completed |= self.completes(chord, event)
        if not completed:
            self.hear_beginning(event)

    def completes(self, chord: Chord, event: Began) -> bool:
        """Begin a chord if the other hand shows its part, and somebody listens to it."""
        parts: tuple[tuple[str, Subject], ...] = ((chord.left, "left"), (chord.right, "right"))
        if not all(part in self.shown for part in parts):
            return False
        sure = min(self.shown[part] for part in parts)
        began = Began(event.t_us, chord.name, "body", sure)
        self.shown = {**self.shown, (chord.name, "body"): sure}
        self.chords = self.chords | {chord.name}
        if not self.fitting(began):
            return False
        for index, subject in list(self.playing):
            gestures = self.profile.bindings[index].gestures
            if any(subject == side and name in gestures for name, side in parts):
                self.drop((index, subject))
        self.hear_beginning(began)
        return True

    def ended(self, event: Ended) -> None:
        """Note that it is no longer shown, with the chords it was part of; let it be heard."""
        name, side = event.gesture, event.side
        self.forget_shown(name, side)
        for chord in self.profile.chords_with.get((side, name), ()):
            if chord.name in self.chords:
                self.chords = self.chords - {chord.name}
                self.forget_shown(chord.name, "body")
                self.hear_end(Ended(event.t_us, chord.name, "body", event.confidence))
        self.hear_end(event)

    def forget_shown(self, name: str, side: Subject) -> None:
        if (name, side) not in self.shown:
            return
        clutch = self.profile.clutch
        if clutch is not None and clutch.shown.is_among(self.shown):
            self.armed_us = max(self.armed_us, self.t_us + clutch.lasts_us)
        self.shown = {part: sure for part, sure in self.shown.items() if part != (name, side)}

    @property
    def armed(self) -> bool:
        clutch = self.profile.clutch
        return clutch is not None and (
            clutch.shown.is_among(self.shown) or self.t_us <= self.armed_us
        )

    # --- who is heard ---

    def fitting(self, event: Began) -> list[int]:
        """Return the bindings that may hear a beginning, the first of them first."""
        heard = self.profile.heard(self.mode, self.application).get(event.gesture, ())
        found = []
        for index in heard:
            binding = self.profile.bindings[index]
            if (
                binding.matches(event.side, event.confidence)
                and (self.t_us >= self.quiet_us or self.outranks_input(index))
                and all(one.is_among(self.shown) for one in binding.require)
                and (self.armed or not binding.armed)
            ):
                found.append(index)
        return found

    def hear_beginning(self, event: Began) -> None:
        """Give each moment to the first that fits; what gathers several hears every one."""
        taken: set[Hashable] = set()
        where = (self.mode, self.application)
        self.event = event
        for index in self.fitting(event):
            trigger = self.profile.bindings[index].trigger
            live = self.live(index, event.side)
            late = trigger.moment in taken
            if late and not trigger.spec.gathers:
                continue
            outputs = self.hear(live)
            if outputs or not trigger.spec.gathers:
                taken.add(trigger.moment)
            self.do(live, () if late else outputs)
            if (self.mode, self.application) != where:
                break  # what comes next in the old mode is not of the new one

    def hear_end(self, event: Ended) -> None:
        self.event = event
        indices = self.profile.by_gesture.get(event.gesture, ())
        self.hear_all([self.live(index, event.side) for index in indices])

    def hear_all(self, lives: Iterable[Live]) -> None:
        for live in list(lives):
            if live in self.playing:  # it may have been left behind by the one before it
                self.do(live, self.hear(live))

    def live(self, index: int, side: Subject) -> Live:
        shared = self.profile.bindings[index].trigger.spec.shared
        return (index, "body" if shared else side)

    def hear(self, live: Live) -> Outputs:
        """Move one machine by the event; return what it asks for."""
        before = self.playing.get(live, _RESTING)
        trigger = self.profile.bindings[live[0]].trigger
        machine, outputs = triggers.step(trigger, before.machine, self.event)
        if machine is not before.machine:
            self.playing[live] = Playing(machine, before.muted)
        return outputs

    # --- who may act ---

    def do(self, live: Live, outputs: Outputs) -> None:
        """Do what a machine asks for, as far as that is allowed; forget it when it rests."""
        index, subject = live
        binding = self.profile.bindings[index]
        playing = self.playing.get(live, _RESTING)
        if playing.machine is None:
            self.playing.pop(live, None)
        if outputs and index == self.profile.panic:
            self.panic()
            return
        muted = playing.muted
        for output in outputs:
            if output in ("tap", "press"):
                muted = self.cools_down(index, binding) or not self.has_room()
            elif output == "again" and not muted and not self.has_room():
                continue
            if not muted:
                self.note_action(index, binding)
                mode = self.mode
                self.send(_commands(binding, output, self.t_us), subject)
                if output != "press" and self.mode == mode and self.profile.modes[mode].once:
                    self.enter(BACK)
        if live in self.playing and muted is not playing.muted:
            self.playing[live] = replace(self.playing[live], muted=muted)

    def note_action(self, index: int, binding: Binding) -> None:
        self.active_us = self.t_us
        self.acted = (index, self.t_us)
        if binding.cooldown_us:
            self.acted_us = {
                **{
                    other: t_us
                    for other, t_us in self.acted_us.items()
                    if self.t_us - t_us < self.profile.bindings[other].cooldown_us
                },
                index: self.t_us,
            }

    def cools_down(self, index: int, binding: Binding) -> bool:
        acted_us = self.acted_us.get(index)
        return acted_us is not None and self.t_us - acted_us < binding.cooldown_us

    def has_room(self) -> bool:
        """Whether the rate limit lets one more action pass; notes it, or that it was dropped."""
        recent_us = tuple(one for one in self.recent_us if self.t_us - one < SECOND_US)
        room = len(recent_us) < self.profile.safety.max_actions_per_second
        self.recent_us = (*recent_us, self.t_us) if room else recent_us
        self.dropped += not room
        return room

    # --- modes, windows, real input ---

    def enter(self, name: str) -> None:
        """Go to a mode; what is not heard in it is left behind."""
        self.active_us = self.t_us
        if name == BACK:
            name = self.before[-1] if self.before else ACTIVE
            self.before = self.before[:-1]
        elif name in (SLEEP, ACTIVE):
            self.before = ()
        elif self.mode not in (name, SLEEP):
            self.before = (*self.before, self.mode)[-MAX_BACK:]
        self.settle(name)

    def settle(self, name: str) -> None:
        """Let a mode count, or, in the place of `active`, the one of the window in front."""
        if name == ACTIVE:
            name = self.mode_of_window() or ACTIVE
        if name == self.mode:
            return
        self.mode = name
        self.active_us = self.t_us
        self.sent.append(Entered(self.t_us, name))
        self.leave_behind()

    def mode_of_window(self) -> str | None:
        modes = self.profile.modes.values()
        fitting = (one.name for one in modes if one.when and one.when.fits(self.window))
        return next(fitting, None)

    def look_at(self, window: Window) -> None:
        """Take another window, or its new title, for the one in front."""
        self.window = window
        application = self.profile.application_at(window)
        if application != self.application:
            self.application = application
            self.leave_behind()
        if self.mode == ACTIVE or self.profile.modes[self.mode].when:
            self.settle(ACTIVE)

    def leave_behind(self) -> None:
        """Drop what is not heard any more, but for what holds the mode that counts."""
        heard = self.profile.heard(self.mode, self.application).values()
        here = {index for indices in heard for index in indices}
        for live in list(self.playing):
            if live[0] not in here and not self.holds_mode(live):
                self.drop(live)

    def holds_mode(self, live: Live) -> bool:
        binding = self.profile.bindings[live[0]]
        return binding.trigger.spec.holds and any(
            action.name == "mode" and action.value == self.mode for action in binding.actions
        )

    def give_way(self, event: UserInput) -> None:
        """The real keyboard and mouse come first."""
        keys = self.profile.panic_keys
        if keys and keys <= event.keys:
            self.panic()
        elif self.profile.safety.takeback_us is not None:
            self.quiet_us = self.t_us + self.profile.safety.takeback_us
            self.later.clear()
            for live in list(self.playing):
                if not self.outranks_input(live[0]):
                    self.drop(live)
        for name, chord in self.profile.pressed.items():
            down = (name, "body") in self.shown
            if chord <= event.keys and not down:
                self.began(Began(self.t_us, name, "body", 1.0))
            elif down and not chord <= event.keys:
                self.ended(Ended(self.t_us, name, "body", 1.0))

    def outranks_input(self, index: int) -> bool:
        """Whether a binding is heard while real input pauses all others: panic, and real keys."""
        name = self.profile.bindings[index].gestures[0]
        return index == self.profile.panic or name in self.profile.pressed

    def panic(self) -> None:
        """Let go of everything, forget what is under way, and sleep."""
        self.playing.clear()
        self.let_go_of_all()
        self.armed_us = -1
        self.enter(SLEEP)

    def see_how_long(self) -> None:
        """Leave a mode in which nothing has been done for its time."""
        mode = self.profile.modes[self.mode]
        if mode.after_us is None:
            return
        if self.active_us < 0 or self.held:
            self.active_us = self.t_us
        elif self.t_us - self.active_us >= mode.after_us:
            self.enter(mode.then)

    # --- what is held ---

    def drop(self, live: Live) -> None:
        """Forget a machine, and let go of what it holds.

        One that held a mode leaves it, which may drop others before their turn has come.
        """
        playing = self.playing.pop(live, None)
        if playing is None:
            return
        binding = self.profile.bindings[live[0]]
        if binding.trigger.spec.holds and not playing.muted:
            self.send(_commands(binding, "release", self.t_us), live[1])

    def let_go_of_all(self) -> None:
        """Let go of all that is held, newest first, and of what waits for its time."""
        self.later.clear()
        self.sent += _releases(self.held, self.t_us)
        self.held.clear()

    def send_what_is_due(self) -> None:
        due = [one for one in self.later if one.t_us <= self.t_us]
        self.later = [one for one in self.later if one.t_us > self.t_us]
        self.send(replace(one, t_us=self.t_us) for one in due)

    def send(self, commands: Iterable[Sent], subject: Subject = "body") -> None:
        """Send what is due, all but presses of what is down already and releases of what another
        still holds; keep what comes later, or nothing at all where that is too much."""
        commands = tuple(commands)
        later = [command for command in commands if command.t_us > self.t_us]
        if later and len(self.later) + len(later) > MAX_LATER:
            self.dropped += 1
            return
        self.later = sorted([*self.later, *later], key=lambda one: one.t_us)
        for command in commands:
            if command.t_us <= self.t_us:
                meant = self.meant(command, subject)
                if self.counts(meant):
                    self.sent.append(meant)

    def meant(self, command: Sent, subject: Subject) -> Sent:
        """Say whose hand it is that points, which an action cannot know: the first one's."""
        if not isinstance(command, Point) or command.side != "body":
            return command
        held = (up for up in self.held if isinstance(up, Point) and up.what == command.what)
        if (up := next(held, None)) is not None:
            return replace(command, side=up.side)
        return replace(command, side=getattr(self.event, "side", subject))

    def counts(self, command: Sent) -> bool:
        """Note what a command means for what is held, and for the mode; whether it is sent."""
        match command:
            case KeyDown(key=key):
                return self.press(KeyUp(0, key))
            case ButtonDown(button=button):
                return self.press(ButtonUp(0, button))
            case Point(on=True):
                return self.press(replace(command, t_us=0, on=False))
            case KeyUp() | ButtonUp() | Point():
                return self.let_go(replace(command, t_us=0))
            case Entered(mode=mode):
                self.enter(mode)
                return False
            case Left(mode=mode):
                if mode == self.mode:
                    self.enter(BACK)
                return False
            case _:
                return True

    def press(self, up: Up) -> bool:
        """Count a press; return whether it is the first."""
        self.held.append(up)
        return self.held.count(up) == 1

    def let_go(self, up: Up) -> bool:
        """Count a release; return whether nothing holds it any more."""
        if up not in self.held:  # all was let go in the meantime
            return False
        newest = len(self.held) - 1 - self.held[::-1].index(up)
        del self.held[newest]
        return up not in self.held


_RESTING: Final = Playing(None)


def _commands(binding: Binding, output: Output, t_us: int) -> tuple[Sent, ...]:
    match output:
        case "press":
            return actions.press(binding.actions, t_us)
        case "release":
            return actions.release(binding.actions, t_us)
        case "tap" | "again":
            return actions.tap(binding.actions, t_us)
        case "more":
            return actions.tap(binding.more, t_us)
        case "less":
            return actions.tap(binding.less, t_us)
