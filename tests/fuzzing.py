"""Chance writes profiles in the whole language and plays events to them: nothing may be stuck.

    python tests/fuzzing.py --runs 1000000 --seed 7   the long run; CI plays a few thousand

What must hold, whatever is written and whatever happens: nothing raises; commands come at their
time; only what is up is pressed and only what is down let go; a release leaves nothing held; the
same events send the same commands; and no event is lost: a probe, a binding that always listens, is
answered, or kept back by the rate limit and counted.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from random import Random

from rich.progress import track

from gesturectl import actions, bindings
from gesturectl.bindings import MAX_LATER, State
from gesturectl.errors import ProfileError
from gesturectl.ledger import Ledger
from gesturectl.profile import Profile, parse
from gesturectl.types import (
    Began,
    Command,
    Ended,
    Entered,
    GestureEvent,
    Left,
    Moved,
    Point,
    Request,
    Text,
    Tick,
    UserInput,
    Window,
)

POSES = ("fist", "ok", "open_palm", "pinch")
MOTIONS = ("swipe_left", "swipe_up")
PROBE = "wave"
ANSWER = "probe"
SIDES = ("left", "right", "either")
MODES = ("active", "volume", "film", "sleep")
APPS = ("mpv", "firefox", "")
ACTIONS = (
    "{key: a}",
    "{key: ctrl+a}",
    "{key: ctrl+shift}",
    "{button: left}",
    "{media: mute}",
    "{pointer: move}",
    "{keys: [ctrl+a, 300ms, shift+b]}",
    "[{key: ctrl+a}, {wait: 50ms}, {key: ctrl}]",
    "[{button: left}, {key: a}, {key: a}]",
    "{text: hello}",
    "{click: double}",
    "{scroll: {down: 0.5}}",
    "{macro: twice}",
    "{mode: volume}",
    "{mode: back}",
    "{mode: sleep}",
    "{mode: active}",
    "[{key: shift}, {mode: film}]",
)
TRIGGERS = (
    "",
    "hold_for: 300ms, ",
    "while: true, ",
    "toggle: true, ",
    "double: 500ms, ",
    "release: true, ",
    "repeat: 100ms, ",
    "repeat: {every: 200ms, to: 50ms, over: 1s}, ",
)
CONDITIONS = (
    "armed: true, ",
    "require: {gesture: fist, side: left}, ",
    "require: {chord: ok}, ",
    "require: [{zone: here}, {gesture: ok}], ",
)
HEAD = """\
version: 1
macros: {twice: {do: [{key: x}, {key: x}]}}
zones: {here: {image: [0, 0, 0.5, 1]}}
clutch: {gesture: open_palm, side: left, lasts: 300ms}
"""


# --- profiles -------------------------------------------------------------------------------------


def profile_text(random: Random) -> str:
    """Write a profile of a few bindings that want the same few gestures and keys."""
    lines = [HEAD.rstrip()]
    rate, takeback = random.choice((1, 3, 100)), random.choice(("", "takeback: 1s, "))
    panic = random.choice(("", "panic: {keys: ctrl+alt+Pause, chord: fist, hold_for: 500ms}, "))
    lines.append(f"safety: {{{takeback}{panic}max_actions_per_second: {rate}}}")
    initial = random.choice(("", "initial: true, "))
    sleepy = random.choice(("{}", "{sleep_after: 2s}"))
    volume = random.choice(("{}", "{inherits: active}", "{once: true}", "{leave_after: 1s}"))
    film = random.choice(("{when: {only: {app: mpv}}}", "{inherits: volume, once: true}"))
    lines += [
        "modes:",
        f"  sleep: {{{initial}wake: {{gesture: pinch, hold_for: 200ms}}}}",
        f"  active: {sleepy}",
        f"  volume: {volume}",
        f"  film: {film}",
    ]
    if random.random() < 0.5:
        lines += ["profiles:", f"  - match: {{only: {{app: {random.choice(APPS[:2])}}}}}"]
        lines += ["    bindings:", *(f"    {binding(random)}" for _ in range(random.randint(1, 3)))]
    lines += [
        "bindings:",
        f"  - {{gesture: {PROBE}, mode: any, cooldown: 0ms, do: {{text: {ANSWER}}}}}",
    ]
    lines += [binding(random) for _ in range(random.randint(1, 6))]
    return "\n".join(lines)


def binding(random: Random) -> str:
    """Write one binding in a line."""
    trigger = random.choice(TRIGGERS)
    lasting = trigger not in ("", "double: 500ms, ", "toggle: true, ")
    names = POSES if lasting else POSES + MOTIONS
    kind = random.random()
    side = f"side: {random.choice(SIDES)}, "
    if kind < 0.1:
        cue, side = f"chord: {{left: {random.choice(POSES)}, right: {random.choice(POSES)}}}", ""
    elif kind < 0.2:
        cue = random.choice(("zone: here", "pressed: ctrl+alt"))
        side = "" if "pressed" in cue else side
    elif kind < 0.3:
        cue, trigger = f"gesture: [{random.choice(POSES)}, {random.choice(names)}]", ""
    else:
        cue = f"gesture: {random.choice(names)}"
    more = "".join(random.sample(CONDITIONS, random.choice((0, 0, 0, 1, 2))))
    more = more.replace("require: {chord: ok}, require", "require")
    mode = f"mode: {random.choice((*MODES, 'any'))}, " if random.random() < 0.5 else ""
    rest = f"confidence: {random.choice((0, 0.5, 0.9))}, cooldown: {random.choice((0, 200))}ms"
    if kind > 0.9:
        cue, trigger = f"gesture: {random.choice(POSES)}", "axis: {of: vertical, step: 0.5}, "
        does = f"more: {random.choice(ACTIONS)}, less: {{media: volume_down}}"
    else:
        does = f"do: {random.choice(ACTIONS)}"
    return f"  - {{{cue}, {trigger}{side}{more}{mode}{rest}, {does}}}"


def profile(random: Random) -> Profile:
    """Return a profile that is right: lines with problems are taken out."""
    lines = profile_text(random).splitlines()
    while True:
        try:
            return parse("\n".join(lines))
        except ProfileError as error:
            wrong = {problem.line - 1 for problem in error.problems}
            assert wrong, "a refusal without a place"
            kept = [line for number, line in enumerate(lines) if number not in wrong]
            assert len(kept) < len(lines)
            lines = _without_empty_lists(kept)


def _without_empty_lists(lines: list[str]) -> list[str]:
    """Take out what stands above bindings that are all gone."""
    text = "\n".join(lines)
    for app in APPS:
        empty = f"profiles:\n  - match: {{only: {{app: {app}}}}}\n    bindings:\nbindings:"
        text = text.replace(empty, "bindings:")
    return text.splitlines()


# --- events ---------------------------------------------------------------------------------------


def events(random: Random, count: int) -> list[GestureEvent]:
    """Return events in the order of time, with ends that never began and beginnings without end."""
    t_us, found = 0, list[GestureEvent]()
    names = (*POSES, *POSES, *MOTIONS, "zone:here")
    for _ in range(count):
        t_us += random.choice((0, 0, 33_333, 100_000, 400_000, 2_000_000))
        side = random.choice(("left", "right", "body"))
        sure = random.choice((0.3, 0.7, 1.0))
        match random.randrange(16):
            case 0 | 1 | 2 | 3 | 4:
                found.append(Began(t_us, random.choice(names), side, sure))
            case 5 | 6 | 7:
                found.append(Ended(t_us, random.choice(names), side, sure))
            case 8:
                up = random.uniform(-2, 2)
                hand = "left" if side == "left" else "right"
                found.append(Moved(t_us, hand, right=0, up=up, near=0, pinch=0.5, roll_deg=0))
            case 9:
                found.append(Window(t_us, app=random.choice(APPS)))
            case 10:
                keys = random.choice(((), ("ctrl",), ("ctrl", "alt"), ("ctrl", "alt", "Pause")))
                found.append(UserInput(t_us, frozenset(keys)))
            case 11:
                found += [Began(t_us, PROBE, "right", 1.0), Ended(t_us, PROBE, "right", 1.0)]
            case _:
                found.append(Tick(t_us))
    return found


# --- what must hold -------------------------------------------------------------------------------


@dataclass(slots=True)
class Desk:
    """What a desktop would see: nothing is pressed twice, nothing let go that is not down."""

    ledger: Ledger
    points: dict[str, str]

    def take(self, one: Command | Request) -> None:
        """Take one command."""
        if isinstance(one, Point):
            assert (one.what in self.points) != one.on, f"{one} while {self.points}"
            if one.on:
                self.points[one.what] = one.side
            else:
                assert self.points.pop(one.what) == one.side
        elif not isinstance(one, Entered | Left):
            assert self.ledger.note(one), f"{one} while {self.ledger.held}"  # type: ignore[arg-type]


def up_name(up: object) -> str:
    """Return what a release lets go of."""
    return str(getattr(up, "key", None) or getattr(up, "button", None) or getattr(up, "what", None))


def may_be_held(rules: Profile, state: State) -> set[str]:
    """Return what the machines that are away from rest may hold; nothing else may be held."""
    holding = {index for index, _ in state.playing if rules.bindings[index].trigger.spec.holds}
    return {
        up_name(up) for index in holding for up in actions.release(rules.bindings[index].actions, 0)
    }


def gives_way(rules: Profile, event: UserInput) -> bool:
    """Whether real input must have let go of everything."""
    panics = bool(rules.panic_keys) and rules.panic_keys <= event.keys
    return panics or rules.safety.takeback_us is not None


def play(rules: Profile, stream: list[GestureEvent]) -> tuple[State, list[Command | Request]]:
    """Play a stream and check on the way all that must hold."""
    state, sent = bindings.initial(rules), list[Command | Request]()
    desk = Desk(Ledger(), {})
    for event in stream:
        before = state
        state, commands = bindings.step(rules, state, event)
        for one in commands:
            assert one.t_us == event.t_us, f"{one} at {event.t_us}"
            desk.take(one)
        assert state.mode in rules.modes
        assert {up_name(up) for up in state.held} <= may_be_held(rules, state), "a stuck key"
        if isinstance(event, UserInput) and gives_way(rules, event) and not rules.pressed:
            assert not state.held
            assert not state.later
        assert len(state.later) <= MAX_LATER
        if isinstance(event, Began) and event.gesture == PROBE:
            deaf = before.mode == "sleep" or event.t_us < before.quiet_us
            answered = any(isinstance(one, Text) and one.text == ANSWER for one in commands)
            assert answered or deaf or state.dropped > before.dropped, "an event was lost"
        sent += commands
    return state, sent


def check(rules: Profile, stream: list[GestureEvent]) -> None:
    """Play a stream, let go of everything, and play it again.

    Raises:
        AssertionError: something that must hold does not.
    """
    state, sent = play(rules, stream)
    end_us = stream[-1].t_us if stream else 0
    fresh, ups = bindings.release(rules, state, end_us)
    desk = Desk(Ledger(), {})
    for one in (*sent, *ups):
        desk.take(one)
    assert desk.ledger.held == ()
    assert not desk.points
    assert not fresh.held
    assert not fresh.later
    assert play(rules, stream) == (state, sent), "the same events, other commands"


def main() -> int:
    """Play as many profiles as asked for; print what fails so that it can be played again."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    for number in track(range(chosen.seed, chosen.seed + chosen.runs), "Profiles and streams"):
        random = Random(number)
        try:
            check(profile(random), events(random, 60))
        except Exception:
            print(f"\nseed {number}:\n{profile_text(Random(number))}", file=sys.stderr)
            raise
    print(
        f"{chosen.runs} profiles and streams from seed {chosen.seed}: nothing stuck, nothing lost"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
