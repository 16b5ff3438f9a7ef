"""One suite for every sink: what goes down comes up, once, and wrong keys are refused with advice.

Each sink is opened by name and watched from outside: the memory by its list, the printer by its
lines, x11 and pynput by a real client on a private X server, wlroots by one in a private sway,
portal by a portal of the tests' own, uinput by the very bytes that the kernel gets.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

import pytest

from gesturectl import keys
from gesturectl.errors import SinkError
from gesturectl.jsonl import to_line
from gesturectl.sinks import SINKS, Sink
from gesturectl.sinks.courier import WAYS, Courier, Message, Way
from gesturectl.sinks.evdev import BUTTONS
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Command,
    KeyDown,
    KeyUp,
    MoveBy,
    MoveTo,
    Mqtt,
    Notify,
    Osc,
    Play,
    Run,
    Say,
    Scroll,
    Text,
    Webhook,
)
from tests.conftest import require_program

Strokes = list[tuple[str, str]]

MESSAGES: tuple[Message, ...] = (
    Notify(12, "hello"),
    Say(13, "hello"),
    Play(14, "bell"),
    Webhook(15, "http://localhost:9/", "{}"),
    Osc(16, "localhost", 9, "/a", (1, 0.5, "on")),
    Mqtt(17, "localhost", 9, "a", "b"),
)
ALL_KINDS: tuple[Command, ...] = (
    KeyDown(1, "ctrl"),
    KeyDown(2, "Right"),
    KeyUp(3, "Right"),
    KeyUp(4, "ctrl"),
    ButtonDown(5, "left"),
    ButtonUp(6, "left"),
    MoveBy(7, 1.5, -2.0),
    MoveTo(8, 0.25, 0.75),
    Scroll(9, 0.5, -1.0),
    Text(10, "a B\n"),
    Run(11, ("true",)),
    *MESSAGES,
)


@dataclass
class Watched:
    """A sink, and how to see what it sent: presses and releases as ("press", "Right"), messages.

    Messages are complete once the sink is left.
    """

    sink: Sink
    strokes: Callable[[], Strokes]
    messages: Callable[[], list[object]]


def strokes_of(commands: list[Command]) -> Strokes:
    found: Strokes = []
    for command in commands:
        match command:
            case KeyDown(key=name) | ButtonDown(button=name):
                found.append(("press", name))
            case KeyUp(key=name) | ButtonUp(button=name):
                found.append(("release", name))
    return found


@contextmanager
def watched_memory(_request: pytest.FixtureRequest) -> Iterator[Watched]:
    from gesturectl.sinks.memory import MemorySink

    sink = MemorySink()
    yield Watched(
        sink,
        lambda: strokes_of(sink.sent),
        lambda: [one for one in sink.sent if type(one) in WAYS],
    )


@contextmanager
def watched_print(_request: pytest.FixtureRequest) -> Iterator[Watched]:
    from gesturectl.sinks.print import PrintSink

    stream = io.StringIO()

    def strokes() -> Strokes:
        found: Strokes = []
        for line in map(json.loads, stream.getvalue().splitlines()):
            thing, _, way = line["command"].partition("_")
            if way in ("down", "up"):
                found.append(("press" if way == "down" else "release", line[thing]))
        return found

    def messages() -> list[object]:
        lines = stream.getvalue().splitlines()
        return [message for message in MESSAGES if to_line(message) in lines]

    yield Watched(PrintSink(stream, as_json=True), strokes, messages)


@contextmanager
def watched_x11(request: pytest.FixtureRequest) -> Iterator[Watched]:
    from gesturectl.sinks.x11 import X11Sink

    kept: list[object] = []
    with _on_desktop(request) as strokes:
        yield Watched(X11Sink(courier=keeping(kept)), strokes, lambda: ordered(kept))


@contextmanager
def watched_wlroots(request: pytest.FixtureRequest) -> Iterator[Watched]:
    from gesturectl.sinks.wlroots import WlrootsSink
    from tests.e2e.wlclient import WaylandListener

    sway = request.getfixturevalue("sway")
    listener = WaylandListener(sway)
    kept: list[object] = []
    sink = WlrootsSink(sway.wayland, courier=keeping(kept))
    listener.wait_for_focus()
    names = {"Control_L": "ctrl", "Shift_L": "shift"}
    seen: Strokes = []

    def strokes() -> Strokes:
        seen.extend((what, names.get(name, name)) for what, name in listener.received())
        return [(what, name) for what, name in seen if what not in ("motion", "axis")]

    try:
        yield Watched(sink, strokes, lambda: ordered(kept))
    finally:
        listener.close()


@contextmanager
def watched_portal(request: pytest.FixtureRequest) -> Iterator[Watched]:
    from gesturectl.sinks.portal import PortalSink, stroke_of
    from tests.fakeportal import FakePortal
    from tests.sessionbus import running_bus

    require_program("dbus-daemon")
    known = ("ctrl", "shift", "Right", "F5", "F13", "я", "a", "space")
    names = {stroke_of(keys.lookup(name)): name for name in known}
    names |= {("PointerButton", code): name for name, code in BUTTONS.items()}
    mark = ("PointerMotion", (0.125, 0.125))
    kept: list[object] = []
    with (
        running_bus(request.getfixturevalue("short_folder")) as address,
        FakePortal(address) as portal,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        sink = PortalSink(courier=keeping(kept))

        def strokes() -> Strokes:
            if portal.sessions:  # still open: what comes after all that was sent has come
                before = portal.heard.count(mark)
                sink.send(MoveBy(0, *mark[1]))
                assert portal.wait_for(lambda: portal.heard.count(mark) > before)
            return [
                ("press" if value else "release", names.get((member, int(code)), str(code)))
                for member, (code, value) in portal.strokes()
            ]

        yield Watched(sink, strokes, lambda: ordered(kept))


@contextmanager
def watched_uinput(request: pytest.FixtureRequest) -> Iterator[Watched]:
    from gesturectl.sinks.uinput import UinputSink
    from tests.uinputs import CODES, FakeUinput

    kept: list[object] = []
    desktop = request.getfixturevalue("desktop")
    written: Strokes = []

    class Noting(FakeUinput):
        """Notes the order among devices, which their files do not tell."""

        def write(self, descriptor: int, data: bytes) -> None:
            super().write(descriptor, data)
            for _, _, kind, code, value in struct.iter_unpack("@llHHi", data):
                if kind == 1:
                    written.append(("press" if value else "release", CODES.get(code, str(code))))

    kernel = Noting(request.getfixturevalue("tmp_path"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", desktop.display)  # whose layout it is
        sink = UinputSink(system=kernel, courier=keeping(kept))
        yield Watched(sink, lambda: list(written), lambda: ordered(kept))


@contextmanager
def watched_pynput(request: pytest.FixtureRequest) -> Iterator[Watched]:
    if find_spec("pynput") is None:
        pytest.skip("pynput is not installed; `pip install gesturectl[pynput]`")
    with _on_desktop(request) as strokes:
        from gesturectl.sinks.pynput import PynputSink

        kept: list[object] = []
        yield Watched(PynputSink(keeping(kept)), strokes, lambda: ordered(kept))


def keeping(kept: list[object]) -> Courier:
    """A courier that delivers to a list, so that no test speaks aloud."""
    return Courier(
        ways={
            kind: Way(way.name, lambda hosts: kept.append, lambda: None)
            for kind, way in WAYS.items()
        }
    )


def ordered(kept: list[object]) -> list[object]:
    """Messages of different kinds do not wait for each other: put them in the order of ours."""
    return sorted(kept, key=list(MESSAGES).index)


@contextmanager
def _on_desktop(request: pytest.FixtureRequest) -> Iterator[Callable[[], Strokes]]:
    desktop = request.getfixturevalue("desktop")
    listener = request.getfixturevalue("listener")
    names = {"Control_L": "ctrl", "Shift_L": "shift"}
    seen: Strokes = []

    def strokes() -> Strokes:
        seen.extend((what, names.get(name, name)) for what, name in listener.received())
        return [(what, name) for what, name in seen if what != "motion"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", desktop.display)
        patch.delenv("WAYLAND_DISPLAY", raising=False)
        yield strokes


WATCHED = {
    "memory": watched_memory,
    "print": watched_print,
    "x11": watched_x11,
    "wlroots": watched_wlroots,
    "portal": watched_portal,
    "uinput": watched_uinput,
    "pynput": watched_pynput,
}


@pytest.fixture(params=list(WATCHED))
def watched(request: pytest.FixtureRequest) -> Iterator[Watched]:
    with WATCHED[request.param](request) as watched:
        yield watched


def test_every_sink_of_the_table_is_under_this_contract() -> None:
    assert WATCHED.keys() == SINKS.keys()


def test_every_kind_of_command_can_be_sent(watched: Watched) -> None:
    with watched.sink as sink:
        for command in ALL_KINDS:
            sink.send(command)
        sink.beat()
    assert watched.strokes()[:6] == [
        *[("press", "ctrl"), ("press", "Right"), ("release", "Right"), ("release", "ctrl")],
        *[("press", "left"), ("release", "left")],
    ]


def test_every_kind_of_message_goes_where_it_should(watched: Watched) -> None:
    with watched.sink as sink:
        for message in MESSAGES:
            sink.send(message)
    assert watched.messages() == list(MESSAGES)


def test_what_can_be_delivered_without_a_desktop_s_help_is_not_complained_about(
    watched: Watched,
) -> None:
    with watched.sink as sink:
        assert sink.check_kinds(frozenset({KeyDown, Webhook, Run})) == {}
        assert sink.check_kinds(frozenset()) == {}


def test_leaving_releases_what_is_held_newest_first(watched: Watched) -> None:
    with watched.sink as sink:
        sink.send(KeyDown(0, "ctrl"))
        sink.send(ButtonDown(0, "left"))
        sink.send(KeyDown(0, "F5"))
    assert watched.strokes() == [
        *[("press", "ctrl"), ("press", "left"), ("press", "F5")],
        *[("release", "F5"), ("release", "left"), ("release", "ctrl")],
    ]


def test_leaving_by_an_exception_releases_what_is_held(watched: Watched) -> None:
    with pytest.raises(ZeroDivisionError), watched.sink as sink:
        sink.send(KeyDown(0, "F5"))
        raise ZeroDivisionError
    assert watched.strokes() == [("press", "F5"), ("release", "F5")]


def test_a_second_press_and_a_second_release_are_not_sent(watched: Watched) -> None:
    with watched.sink as sink:
        for command in (KeyDown(0, "F5"), KeyDown(1, "F5"), KeyUp(2, "F5"), KeyUp(3, "F5")):
            sink.send(command)
        sink.send(ButtonUp(4, "left"))
    assert watched.strokes() == [("press", "F5"), ("release", "F5")]


def test_keys_that_can_be_sent_are_not_complained_about(watched: Watched) -> None:
    names = frozenset({"Right", "F5", "a", "A", "question", "ctrl", "Page_Down", "play_pause"})
    with watched.sink as sink:
        assert sink.check_keys(names) == {}


def test_an_unknown_key_is_complained_about_with_a_suggestion(watched: Watched) -> None:
    with watched.sink as sink:
        assert sink.check_keys(frozenset({"Rigth", "Right"})) == {
            "Rigth": "unknown key 'Rigth'; did you mean 'Right'?"
        }


def test_a_key_is_sent_or_refused_but_never_silently_lost(watched: Watched) -> None:
    """F13 and `я` are in no common layout: `check_keys` and `send` must agree about them."""
    with watched.sink as sink:
        for name in ("F13", "я"):
            if sink.check_keys(frozenset({name})):
                for _ in range(2):  # the second time as well
                    with pytest.raises(SinkError, match=name):
                        sink.send(KeyDown(0, name))
            else:
                sink.send(KeyDown(0, name))
                sink.send(KeyUp(0, name))
                assert ("press", name) in watched.strokes()
                assert ("release", name) in watched.strokes()
