"""Whatever stands under `do`: all that goes down comes up, in time, and nothing is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gesturectl import hosts
from gesturectl.actions import Action, press, release, tap
from gesturectl.types import ButtonDown, ButtonUp, KeyDown, KeyUp, Text

NAMES = st.sampled_from(["a", "b", "ctrl", "shift", "Right", "F5"])
CHORDS = st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple)
PAUSES = st.integers(1, 2_000_000)
STEPS = st.lists(CHORDS | PAUSES, min_size=1, max_size=6).filter(
    lambda steps: any(isinstance(one, tuple) for one in steps)
)


def an_action(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Action]:
    return values.map(lambda value: Action(name, value))


ACTIONS = st.one_of(
    an_action("key", CHORDS),
    an_action("keys", STEPS.map(tuple)),
    an_action("wait", PAUSES),
    an_action("text", st.just("hello")),
    an_action("button", st.sampled_from(["left", "right"])),
    an_action("click", st.sampled_from(["left", "double"])),
)
LISTS = st.lists(ACTIONS, max_size=6).map(tuple)
TIMES_US = st.integers(0, 10**12)


def still_down(done: tuple[object, ...]) -> list[str]:
    held: list[str] = []
    for one in done:
        match one:
            case KeyDown(key=thing) | ButtonDown(button=thing):
                held.append(thing)
            case KeyUp(key=thing) | ButtonUp(button=thing):
                held.remove(thing)
    return held


@given(LISTS, TIMES_US)
def test_a_tap_leaves_nothing_down_and_never_goes_back_in_time(
    actions: tuple[Action, ...], t_us: int
) -> None:
    done = tap(actions, t_us)
    assert still_down(done) == []
    times = [t_us, *(one.t_us for one in done)]
    assert times == sorted(times)


@given(LISTS, TIMES_US)
def test_an_action_comes_as_late_as_all_before_it_last(
    actions: tuple[Action, ...], t_us: int
) -> None:
    lasts_us = sum(act.spec.lasts_us(act.value) for act in actions)
    done = tap((*actions, Action("text", "last")), t_us)
    assert done[-1] == Text(t_us + lasts_us, "last")


@given(LISTS, TIMES_US, PAUSES)
def test_what_is_held_is_pressed_at_once_and_let_go_at_once(
    actions: tuple[Action, ...], t_us: int, later_us: int
) -> None:
    holdable = tuple(act for act in actions if act.can_be_held)
    down, up = press(holdable, t_us), release(holdable, t_us + later_us)
    assert still_down((*down, *up)) == []
    assert {one.t_us for one in down} <= {t_us}
    assert {one.t_us for one in up} <= {t_us + later_us}


@given(st.text(max_size=40))
def test_any_text_is_an_endpoint_or_refused_in_words(text: str) -> None:
    for read in (hosts.endpoint, hosts.web_endpoint, hosts.host):
        try:
            read(text)
        except ValueError as error:
            assert "`" in str(error) or "profile" in str(error)


@given(st.ip_addresses())
def test_only_loopback_addresses_are_this_machine(address: Any) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    assert hosts.is_allowed(str(address), ()) is bool((mapped or address).is_loopback)
    assert hosts.is_allowed(hosts.host(str(address)), {hosts.host(str(address))})
