"""Two people before one camera: what one does counts, what the other does is nothing."""

from __future__ import annotations

from functools import cache

from gesturectl.engine import Engine, Step
from gesturectl.floor import Floor
from gesturectl.profile import parse
from gesturectl.recogniser import Recogniser
from gesturectl.types import Command, Controls, Entered, KeyDown, Observation
from tests.acting import Performance
from tests.company import at, together

BINDINGS = """
bindings:
  - {gesture: fist, do: {key: space}}
  - {gesture: victory, while: true, do: {key: a}}
  - {gesture: thumb_up, do: {hand_over: true}}
"""
LARGEST = "version: 1\ncontrol: largest\n" + BINDINGS
SLEEPING = "modes: {sleep: {initial: true, wake: {gesture: open_palm, hold_for: 600ms}}}\n"


@cache
def film(script: str, right: float, size: float) -> list[Observation]:
    return at(Performance(script + "?frame=webcam").at(30, body=True), right, size)


def left(script: str, size: float = 0.6) -> list[Observation]:
    return film(script, 0.25, size)


def right(script: str, size: float = 0.55) -> list[Observation]:
    return film(script, 0.75, size)


def floor(text: str) -> Floor:
    chosen = parse(text, "p.yaml")
    assert chosen.control is not None
    recogniser = Recogniser.load()
    return Floor(lambda: Engine(recogniser.fresh(), chosen), chosen.control, chosen.zones)


def play(one: Floor, *films: list[Observation]) -> list[Step]:
    return [one.step(seen) for seen in together(*films)]


def commands(steps: list[Step]) -> list[Command]:
    return [command for step in steps for command in step.commands]


def pressed(steps: list[Step]) -> list[str]:
    return [command.key for command in commands(steps) if isinstance(command, KeyDown)]


def who(steps: list[Step]) -> list[int | None]:
    """Who controls, in turn."""
    told = [one for step in steps for one in step.requests if isinstance(one, Controls)]
    return [one.person for one in told]


def test_the_largest_controls_and_the_other_s_gestures_are_nothing() -> None:
    steps = play(floor(LARGEST), left("wait:1s,fist,wait:4s"), right("wait:4s,fist,fist"))
    assert who(steps) == [1]
    assert pressed(steps) == ["space"]
    alone = play(floor(LARGEST), left("wait:4s,wait:4s"), right("wait:1s,fist,victory,fist"))
    assert (who(alone), commands(alone)) == ([1], [])
    assert not any(step.events or step.candidates for step in alone[30:] if not step.control)


def test_however_many_are_heard_each_frame_is_marked_as_recognised_once() -> None:
    asleep, marks = floor(LARGEST + SLEEPING), list[int]()
    films = list(together(left("wait:1s,fist"), right("wait:1s,fist")))
    for seen in films:
        asleep.step(seen, (), lambda: marks.append(seen.t_us))  # noqa: B023
    assert marks == [seen.t_us for seen in films]


def test_it_tells_who_controls_and_where() -> None:
    last = play(floor(LARGEST), left("wait:3s"), right("wait:3s"))[-1].control
    assert last is not None
    assert (last.person, last.people) == (1, 2)
    assert last.box is not None
    assert last.box[2] < 0.5
    assert len(last.observation.bodies) == 1


def test_once_the_first_is_gone_the_second_takes_over() -> None:
    steps = play(floor(LARGEST), left("wait:2s"), right("wait:7s,fist"))
    assert (who(steps), pressed(steps)) == ([1, 2], ["space"])


def test_what_is_held_is_let_go_when_who_holds_it_is_gone() -> None:
    one = floor(LARGEST)
    story = list(together(left("victory:6s")[:90], right("wait:12s")))
    steps = [one.step(seen) for seen in story]
    assert [type(command).__name__ for command in commands(steps)] == ["KeyDown", "KeyUp"]


def test_a_gesture_hands_over() -> None:
    steps = play(floor(LARGEST), left("thumb_up,fist,wait:4s"), right("wait:6s,fist"))
    assert who(steps) == [1, 2]
    assert pressed(steps) == ["space"]
    assert [cmd.t_us > 6_000_000 for cmd in commands(steps)] == [True, True]


def test_alone_one_hands_over_to_nobody() -> None:
    steps = play(floor(LARGEST), left("thumb_up,fist"))
    assert (who(steps), pressed(steps)) == ([1], ["space"])


def test_asleep_whoever_wakes_it_controls() -> None:
    text = "version: 1\ncontrol: largest\n" + SLEEPING + BINDINGS
    steps = play(floor(text), left("wait:9s"), right("open_palm:2s,fist,wait:1s"))
    assert (who(steps), pressed(steps)) == ([1, 2], ["space"])
    modes = [one.mode for step in steps for one in step.requests if isinstance(one, Entered)]
    assert modes == ["active"]


def test_asleep_nothing_but_waking_is_heard_of_the_others() -> None:
    text = "version: 1\ncontrol: largest\n" + SLEEPING + BINDINGS
    text += "  - {gesture: fist, mode: sleep, do: {key: b}}\n"
    steps = play(floor(text), left("wait:8s"), right("fist,victory,fist"))
    assert (who(steps), commands(steps)) == ([1], [])


FIRST = "version: 1\ncontrol: first_armed\n" + SLEEPING + BINDINGS


def test_the_first_armed_controls_and_nobody_before() -> None:
    steps = play(floor(FIRST), left("wait:1s,fist,wait:6s"), right("wait:2s,open_palm:2s,fist"))
    assert (who(steps), pressed(steps)) == ([2], ["space"])


def test_when_the_first_armed_is_gone_it_sleeps_until_another_wakes_it() -> None:
    second = "wait:9s,fist,open_palm:2s,fist"
    steps = play(floor(FIRST), left("open_palm:2s,fist"), right(second))
    assert who(steps) == [1, None, 2]
    assert pressed(steps) == ["space", "space"]
    modes = [one.mode for step in steps for one in step.requests if isinstance(one, Entered)]
    assert modes == ["active", "sleep", "active"]


def test_awake_nobody_else_can_wake_it() -> None:
    steps = play(floor(FIRST), left("open_palm:2s,fist,wait:6s"), right("wait:4s,open_palm:3s"))
    assert who(steps) == [1]


def test_only_the_seat_controls() -> None:
    text = "version: 1\nzones: {seat: {image: [0.5, 0, 1, 1]}}\ncontrol: {zone: seat}\n" + BINDINGS
    steps = play(floor(text), left("wait:1s,fist,wait:5s"), right("wait:4s,fist"))
    assert (who(steps), pressed(steps)) == ([2], ["space"])


def test_a_reload_keeps_who_controls() -> None:
    story = list(together(left("wait:3s"), right("wait:6s,fist", 0.8)))
    before, after = floor(LARGEST), floor(LARGEST)
    steps = [before.step(seen) for seen in story[:60]]
    after.take_over(before)
    steps += [after.step(seen) for seen in story[60:75]]
    assert who(steps) == [2]
    control = steps[-1].control
    assert control is not None
    assert control.person == 2
