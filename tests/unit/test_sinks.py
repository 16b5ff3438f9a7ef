"""The table of sinks, the printer's lines, and the small parts that sinks share."""

from __future__ import annotations

import io
import sys
from importlib import metadata

import pytest

from gesturectl import keys, sinks
from gesturectl.errors import SinkError, UsageError
from gesturectl.sinks import programs
from gesturectl.sinks.carry import Carry
from gesturectl.sinks.keysyms import character_keysyms
from gesturectl.sinks.memory import MemorySink
from gesturectl.sinks.print import PrintSink
from gesturectl.types import (
    ButtonDown,
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


def test_sinks_are_opened_by_name() -> None:
    assert isinstance(sinks.open_sink("memory"), MemorySink)
    assert isinstance(sinks.open_sink("print"), PrintSink)


def test_an_unknown_sink_names_those_that_exist() -> None:
    with pytest.raises(
        UsageError,
        match=r"unknown sink 'x12'; there are: x11, wlroots, portal, uinput, pynput, print, memory",
    ):
        sinks.open_sink("x12")


def test_a_sink_of_another_platform_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    with pytest.raises(SinkError, match=r"sink x11 is for linux, and this is plan9"):
        sinks.open_sink("x11")


def test_printing_and_keeping_always_work() -> None:
    assert sinks.SINKS["print"].works() is None
    assert sinks.SINKS["memory"].works() is None


def test_the_printer_prints_json_lines_unless_on_a_terminal() -> None:
    stream = io.StringIO()
    with PrintSink(stream) as sink:
        sink.send(KeyDown(33333, "Right"))
    assert stream.getvalue() == (
        '{"t_us": 33333, "type": "command", "command": "key_down", "key": "Right"}\n'
        '{"t_us": 33333, "type": "command", "command": "key_up", "key": "Right"}\n'
    )


def test_the_printer_speaks_plainly_to_people() -> None:
    commands: tuple[Command, ...] = (
        *(KeyDown(0, "Right"), KeyUp(1_500_000, "Right"), ButtonDown(2_000_000, "left")),
        *(MoveBy(0, 1.5, -2.0), MoveTo(0, 0.25, 1.0), Scroll(0, 0.0, 1.0), Text(0, "Grüße")),
        Run(0, ("notify-send", "two words")),
        *(
            Notify(0, "awake"),
            Say(0, "Grüße"),
            Play(0, "bell"),
            Webhook(0, "http://localhost", "{}"),
        ),
        *(Osc(0, "::1", 9000, "/a", (1, 0.5, "on")), Mqtt(0, "localhost", 1883, "a/b", "on")),
    )
    stream = io.StringIO()
    sink = PrintSink(stream, as_json=False)
    for command in commands:
        sink.send(command)
    assert stream.getvalue().splitlines() == [
        "    0.000 s  press    Right",
        "    1.500 s  release  Right",
        "    2.000 s  press    left",
        "    0.000 s  move     by +1.5, -2.0 px",
        "    0.000 s  move     to 25.0%, 100.0% of the desktop",
        "    0.000 s  scroll   right +0, down +1",
        "    0.000 s  type     'Grüße'",
        "    0.000 s  run      notify-send 'two words'",
        "    0.000 s  notify   'awake'",
        "    0.000 s  say      'Grüße'",
        "    0.000 s  play     'bell'",
        "    0.000 s  post     http://localhost {}",
        "    0.000 s  osc      [::1]:9000 /a 1 0.5 'on'",
        "    0.000 s  publish  localhost:1883 a/b 'on'",
    ]


def test_a_printer_whose_reader_has_gone_is_a_sink_error() -> None:
    stream = io.StringIO()
    sink = PrintSink(stream, as_json=True)
    stream.close()
    with pytest.raises(SinkError, match="cannot print commands"):
        sink.send(KeyDown(0, "Right"))


def test_fractions_add_up_and_turn_back() -> None:
    carry = Carry()
    assert [carry.whole(0.5) for _ in range(5)] == [0, 1, 0, 1, 0]
    assert [carry.whole(-0.75) for _ in range(4)] == [0, -1, 0, -1]


def test_starting_nothing_is_refused() -> None:
    with pytest.raises(SinkError, match="give at least one argument"):
        programs.start(())


def test_characters_are_known_under_their_old_keysyms_too() -> None:
    assert character_keysyms("a") == (0x61, 0x1000061)
    assert character_keysyms("я") == (0x100044F, 0x6D1)
    assert character_keysyms("€") == (0x10020AC, 0x20AC)
    assert character_keysyms("你") == (0x1004F60,)


@pytest.mark.skipif(sys.platform != "linux", reason="xcffib, which knows X11's names, is for Linux")
def test_keysyms_of_the_table_agree_with_the_headers_of_x11() -> None:
    import xcffib.keysymdef
    import xcffib.xf86keysym

    named = {name.removeprefix("XK_"): keysym for name, keysym in vars(xcffib.keysymdef).items()}
    named |= {
        name.replace("XF86XK_", "XF86"): keysym for name, keysym in vars(xcffib.xf86keysym).items()
    }
    for key in keys.KEYS.values():
        # `caret` is X11's name of another sign, so one spelling must agree, not all.
        assert key.keysym in {named.get(spelling) for spelling in (key.name, *key.aliases)}, key


def test_an_installed_package_adds_a_sink_and_a_broken_one_harms_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    group = sinks.ENTRY_POINTS
    installed = [
        metadata.EntryPoint("loopback", "tests.unit.test_sinks:LOOPBACK", group),
        metadata.EntryPoint("broken", "no.such.module:SPEC", group),
        metadata.EntryPoint("print", "tests.unit.test_sinks:LOOPBACK", group),
    ]
    monkeypatch.setattr(metadata, "entry_points", lambda group: installed)
    assert list(sinks.all_sinks()) == [*sinks.SINKS, "loopback"]
    assert isinstance(sinks.open_sink("loopback"), MemorySink)
    assert isinstance(sinks.open_sink("print"), PrintSink)
    assert "sink broken from no.such.module:SPEC does not load" in caplog.text


LOOPBACK = sinks.SinkSpec(
    "loopback", "for the test above", lambda hosts: MemorySink(), lambda: None
)


# --- which sink it is -----------------------------------------------------------------------------

FIRST = {"wlroots": "it has no keyboards", "portal": "no RemoteDesktop", "uinput": "not permitted",
         "x11": "DISPLAY is not set"}  # fmt: skip


def only(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let these sinks work, and no others."""
    for name, problem in FIRST.items():
        says = None if name in names else problem
        spec = sinks.SinkSpec(name, "", lambda hosts: MemorySink(), lambda says=says: says)  # type: ignore[misc]
        monkeypatch.setitem(sinks.SINKS, name, spec)


@pytest.mark.skipif(sys.platform != "linux", reason="the choice is among sinks of Linux")
@pytest.mark.parametrize(
    ("wayland", "working", "chosen"),
    [
        (True, ("wlroots", "portal", "uinput", "x11"), "wlroots"),
        (True, ("portal", "uinput", "x11"), "portal"),
        (True, ("uinput", "x11"), "uinput"),
        (True, ("x11",), "x11"),
        (False, ("wlroots", "portal", "uinput", "x11"), "x11"),
    ],
)
def test_each_desktop_has_its_sink(
    monkeypatch: pytest.MonkeyPatch, wayland: bool, working: tuple[str, ...], chosen: str
) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0" if wayland else "")
    only(monkeypatch, *working)
    assert sinks.default_sink() == chosen


@pytest.mark.skipif(sys.platform != "linux", reason="the choice is among sinks of Linux")
def test_where_none_works_each_says_why_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    only(monkeypatch)
    with pytest.raises(SinkError) as caught:
        sinks.default_sink()
    assert str(caught.value).splitlines() == [
        "no keys can be sent in this session:",
        "wlroots: it has no keyboards",
        "portal: no RemoteDesktop",
        "uinput: not permitted",
        "x11: DISPLAY is not set",
        "Or print commands instead of sending them: --sink print",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="the choice is among sinks of Linux")
def test_what_a_sink_cannot_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    only(monkeypatch, "portal", "x11")
    assert "follows a hand by movements" in (sinks.shortfall("portal") or "")
    assert "by keys of your keyboard layout" in (sinks.shortfall("uinput") or "")
    assert "use --sink portal, which reaches all" in (sinks.shortfall("x11") or "")
    only(monkeypatch, "x11")
    assert "portal: no RemoteDesktop\nuinput: not permitted" in (sinks.shortfall("x11") or "")
    assert sinks.shortfall("wlroots") is None
    monkeypatch.delenv("WAYLAND_DISPLAY")
    assert sinks.shortfall("x11") is None
