"""The sink `uinput`: the very requests and bytes that the kernel gets, and the layouts it heeds."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gesturectl.errors import SinkError
from gesturectl.sinks import evdev, uinputdevice
from gesturectl.sinks.uinput import UinputSink
from gesturectl.sinks.uinputdevice import ALLOW, RULE, RULE_FILE, Abilities, Device
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Command,
    KeyDown,
    KeyUp,
    MoveBy,
    MoveTo,
    Scroll,
    Text,
)
from tests.conftest import ROOT
from tests.e2e.xserver import wait_until
from tests.uinputs import FakeUinput, UsLayout

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="uinput is Linux's")

KEYBOARD, MOUSE, TABLET = 0, 1, 2
CTRL, SHIFT, A, B, RETURN = 29, 42, 30, 48, 28
LEFT = 0x110
CREATE, DESTROY, EVBIT, KEYBIT, RELBIT, ABSBIT = (
    *(0x5501, 0x5502, 0x40045564, 0x40045565, 0x40045566, 0x40045567),
)
DEV_SETUP, ABS_SETUP = 0x405C5503, 0x401C5504


@pytest.fixture
def kernel(tmp_path: Path) -> FakeUinput:
    return FakeUinput(tmp_path)


@pytest.fixture
def sink(kernel: FakeUinput) -> Iterator[UinputSink]:
    with UinputSink(layout=UsLayout(), system=kernel) as sink:
        yield sink


def send(sink: UinputSink, *commands: Command) -> None:
    for command in commands:
        sink.send(command)


# --- requests and bytes ---------------------------------------------------------------------------


def test_requests_are_those_of_the_kernel_s_header() -> None:
    names = ("CREATE", "DESTROY", "SETUP")
    assert [getattr(uinputdevice, f"UI_DEV_{name}") for name in names] == [
        *(CREATE, DESTROY, DEV_SETUP),
    ]
    names = ("EVBIT", "KEYBIT", "RELBIT", "ABSBIT")
    assert [getattr(uinputdevice, f"UI_SET_{name}") for name in names] == [
        *(EVBIT, KEYBIT, RELBIT, ABSBIT),
    ]
    assert uinputdevice.UI_ABS_SETUP == ABS_SETUP


HEADER = """
#include <stdio.h>
#include <linux/uinput.h>
#define SAY(name) printf(#name " %ld\\n", (long)(name));
int main(void) {
    SAY(UI_DEV_CREATE) SAY(UI_DEV_DESTROY) SAY(UI_DEV_SETUP) SAY(UI_ABS_SETUP) SAY(UI_SET_EVBIT)
    SAY(UI_SET_KEYBIT) SAY(UI_SET_RELBIT) SAY(UI_SET_ABSBIT) SAY(EV_SYN) SAY(EV_KEY) SAY(EV_REL)
    SAY(EV_ABS) SAY(SYN_REPORT) SAY(REL_X) SAY(REL_Y) SAY(REL_WHEEL) SAY(REL_HWHEEL) SAY(ABS_X)
    SAY(REL_WHEEL_HI_RES) SAY(REL_HWHEEL_HI_RES) SAY(ABS_Y) SAY(BUS_VIRTUAL)
    printf("EVENT %ld\\n", (long)sizeof(struct input_event));
    printf("SETUP %ld\\n", (long)sizeof(struct uinput_setup));
    printf("ABS_SETUP %ld\\n", (long)sizeof(struct uinput_abs_setup));
}
"""


def test_the_header_of_this_machine_agrees(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None or not Path("/usr/include/linux/uinput.h").exists():
        pytest.skip("no C compiler, or no <linux/uinput.h> (linux-libc-dev)")
    source = tmp_path / "say.c"
    source.write_text(HEADER)
    subprocess.run([compiler, source, "-o", tmp_path / "say"], check=True)
    out = subprocess.run([tmp_path / "say"], check=True, capture_output=True, text=True).stdout
    said = {name: int(number) for name, number in map(str.split, out.splitlines())}
    ours = {name: getattr(uinputdevice, name) for name in said}
    ours |= {name: ours[name].size for name in ("EVENT", "SETUP", "ABS_SETUP")}
    assert ours == said


def test_keys_and_buttons_have_the_kernel_s_numbers() -> None:
    header = Path("/usr/include/linux/input-event-codes.h")
    if not header.exists():
        pytest.skip("no <linux/input-event-codes.h> (linux-libc-dev)")
    numbers = {
        name: int(number, 0)
        for name, number in re.findall(
            r"#define ((?:KEY|BTN)_\w+)\s+(0x[0-9a-f]+|\d+)\b", header.read_text()
        )
    }
    named = {
        "ctrl": "LEFTCTRL", "shift": "LEFTSHIFT", "alt": "LEFTALT", "super": "LEFTMETA",
        "altgr": "RIGHTALT", "ctrl_r": "RIGHTCTRL", "shift_r": "RIGHTSHIFT", "alt_r": "RIGHTALT",
        "super_r": "RIGHTMETA", "Page_Up": "PAGEUP", "Page_Down": "PAGEDOWN", "Return": "ENTER",
        "Escape": "ESC", "KP_Enter": "KPENTER", "KP_Add": "KPPLUS", "KP_Subtract": "KPMINUS",
        "KP_Multiply": "KPASTERISK", "KP_Divide": "KPSLASH", "KP_Decimal": "KPDOT",
        "KP_Equal": "KPEQUAL", **{f"KP_{digit}": f"KP{digit}" for digit in range(10)},
        "play_pause": "PLAYPAUSE", "next": "NEXTSONG", "previous": "PREVIOUSSONG",
        "stop": "STOPCD", "fast_forward": "FASTFORWARD", "eject": "EJECTCD",
        "volume_up": "VOLUMEUP", "volume_down": "VOLUMEDOWN", "brightness_up": "BRIGHTNESSUP",
        "brightness_down": "BRIGHTNESSDOWN", "keyboard_light_up": "KBDILLUMUP",
        "keyboard_light_down": "KBDILLUMDOWN", "mic_mute": "MICMUTE", "Menu": "COMPOSE",
        "Print": "SYSRQ", "Scroll_Lock": "SCROLLLOCK", "Caps_Lock": "CAPSLOCK",
        "Num_Lock": "NUMLOCK", "browser_back": "BACK", "browser_forward": "FORWARD",
        "browser_refresh": "REFRESH", "browser_home": "HOMEPAGE", "calculator": "CALC",
        "lock_screen": "COFFEE",
    }  # fmt: skip
    for name, code in evdev.KEYCODES.items():
        assert numbers["KEY_" + named.get(name, name.upper())] == code, name
    assert {name: numbers[f"BTN_{name.upper()}"] for name in evdev.BUTTONS} == evdev.BUTTONS


def test_a_device_is_made_by_these_requests_and_no_others(kernel: FakeUinput) -> None:
    abilities = Abilities(keys=(30, LEFT), moves=(8,), places={0: (0, 65535)})
    device = Device("gesturectl test", 7, abilities, kernel)
    name = b"gesturectl test".ljust(80, b"\0")
    assert kernel.requests == [
        [
            *((EVBIT, 1), (KEYBIT, 30), (KEYBIT, LEFT)),
            *((EVBIT, 2), (RELBIT, 8), (EVBIT, 3), (ABSBIT, 0)),
            (ABS_SETUP, struct.pack("=HHiiiiii", 0, 0, 0, 0, 65535, 0, 0, 0)),
            (DEV_SETUP, struct.pack("=HHHH80sI", 6, 0x6763, 7, 1, name, 0)),
            (CREATE, 0),
        ]
    ]
    device.close()
    assert kernel.requests[0][-1] == (DESTROY, 0)
    assert kernel.closed == [0]


def test_three_devices_are_made_and_all_are_taken_away(kernel: FakeUinput) -> None:
    layout = UsLayout()
    with UinputSink(layout=layout, system=kernel):
        kinds = [{what for number, what in made if number == EVBIT} for made in kernel.requests]
        assert kinds == [{1}, {1, 2}, {1, 3}]
        able = {what for number, what in kernel.requests[KEYBOARD] if number == KEYBIT}
        assert able >= {*evdev.KEYCODES.values(), *range(1, 58)}
        assert 116 not in able  # Power: nobody shall be able to switch off by mistake
    assert kernel.closed == [TABLET, MOUSE, KEYBOARD]
    assert layout.closed


def test_each_key_has_a_report_of_its_own(sink: UinputSink, kernel: FakeUinput) -> None:
    send(sink, KeyDown(0, "ctrl"), KeyDown(0, "c"), KeyUp(0, "c"), KeyUp(0, "ctrl"))
    assert kernel.events(KEYBOARD) == [
        event
        for code, value in ((CTRL, 1), (46, 1), (46, 0), (CTRL, 0))
        for event in ((1, code, value), (0, 0, 0))
    ]


def test_movement_places_and_buttons(sink: UinputSink, kernel: FakeUinput) -> None:
    send(sink, MoveBy(0, 1.5, -2.0), MoveBy(0, 0.5, 0.0), MoveBy(0, 0.25, 0.0))
    send(sink, ButtonDown(0, "left"), ButtonUp(0, "left"))
    assert kernel.events(MOUSE) == [
        *((2, 0, 1), (2, 1, -2), (0, 0, 0)),
        *((2, 0, 1), (0, 0, 0)),  # the halves add up, the quarter waits
        *((1, LEFT, 1), (0, 0, 0), (1, LEFT, 0), (0, 0, 0)),
    ]
    sink.send(MoveTo(0, 0.5, 1.5))
    assert kernel.events(TABLET) == [(3, 0, 32768), (3, 1, 65535), (0, 0, 0)]


def test_the_wheel_turns_in_120ths_and_clicks_when_they_make_a_whole(
    sink: UinputSink, kernel: FakeUinput
) -> None:
    send(sink, Scroll(0, 0.0, 1.0), Scroll(0, 0.0, -0.5), Scroll(0, 0.0, -0.5), Scroll(0, 1.0, 0.0))
    assert kernel.events(MOUSE) == [
        *((2, 11, -120), (2, 8, -1), (0, 0, 0)),  # down is negative there
        *((2, 11, 60), (0, 0, 0)),
        *((2, 11, 60), (2, 8, 1), (0, 0, 0)),
        *((2, 12, 120), (2, 6, 1), (0, 0, 0)),
    ]


# --- characters -----------------------------------------------------------------------------------


def test_a_capital_holds_shift_for_as_long_as_it_is_down(
    sink: UinputSink, kernel: FakeUinput
) -> None:
    send(sink, KeyDown(0, "A"), KeyDown(0, "shift"), KeyUp(0, "A"))
    assert kernel.strokes() == [("press", SHIFT), ("press", A), ("release", A)]
    sink.send(KeyUp(0, "shift"))
    assert kernel.strokes()[3:] == [("release", SHIFT)]


def test_typing_lifts_what_is_held_and_puts_modifiers_down_again(
    sink: UinputSink, kernel: FakeUinput
) -> None:
    send(sink, KeyDown(0, "ctrl"), KeyDown(0, "a"), Text(0, "aB\n"), KeyUp(0, "a"))
    assert kernel.strokes() == [
        *(("press", CTRL), ("press", A), ("release", A), ("release", CTRL)),
        *(("press", A), ("release", A)),
        *(("press", SHIFT), ("press", B), ("release", B), ("release", SHIFT)),
        *(("press", RETURN), ("release", RETURN)),
        ("press", CTRL),
    ]


def test_a_text_with_a_character_that_no_key_types_is_refused_whole(
    sink: UinputSink, kernel: FakeUinput
) -> None:
    with pytest.raises(SinkError, match="no key for я"):
        sink.send(Text(0, "aя"))
    assert kernel.events(KEYBOARD) == []


def test_without_an_x_server_characters_are_refused_and_known_keys_are_not(
    kernel: FakeUinput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with UinputSink(system=kernel) as sink:
        problems = sink.check_keys(frozenset({"a", "F5", "Rigth"}))
    assert problems.keys() == {"a", "Rigth"}
    assert "depends on the keyboard layout" in problems["a"]
    assert "bind a key that every keyboard has" in problems["a"]


# --- not permitted --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (errno.EACCES, "/dev/uinput may not be written by you"),
        (errno.ENOENT, "/dev/uinput does not exist: the kernel's module uinput is not loaded"),
        (errno.EBUSY, r"/dev/uinput cannot be opened \(Device or resource busy\)"),
    ],
)
def test_what_hinders_is_said_with_the_two_commands(
    kernel: FakeUinput, code: int, why: str
) -> None:
    kernel.fails[0] = OSError(code, os.strerror(code))
    with pytest.raises(SinkError, match=why) as caught:
        UinputSink(system=kernel)
    assert str(caught.value).endswith(ALLOW)
    assert len(ALLOW.splitlines()) == 2


def test_devices_that_the_kernel_does_not_take_are_closed(kernel: FakeUinput) -> None:
    kernel.fails[ABS_SETUP] = OSError(errno.EINVAL, "Invalid argument")
    with pytest.raises(SinkError, match="does not take 'gesturectl pointer': Invalid argument"):
        UinputSink(system=kernel)
    assert sorted(kernel.closed) == [KEYBOARD, MOUSE, TABLET]


def test_it_works_where_the_device_may_be_written(tmp_path: Path) -> None:
    missing = tmp_path / "uinput"
    assert "does not exist" in (uinputdevice.works(str(missing)) or "")
    missing.touch()
    assert uinputdevice.works(str(missing)) is None


def test_the_rule_that_the_advice_writes_is_the_one_in_the_repository() -> None:
    file = ROOT / "packaging" / "udev" / Path(RULE_FILE).name
    rules = [line for line in file.read_text().splitlines() if line and line[0] != "#"]
    assert rules == [RULE]


# --- however it ends ------------------------------------------------------------------------------


def test_a_daemon_that_hangs_loses_what_it_holds(kernel: FakeUinput) -> None:
    with UinputSink(layout=UsLayout(), system=kernel, heartbeat_s=0.2) as sink:
        send(sink, KeyDown(0, "ctrl"), ButtonDown(0, "left"))
        sink.beat()
        assert wait_until(lambda: len(kernel.strokes()) == 2 and len(kernel.strokes(MOUSE)) == 2)
    assert kernel.strokes()[:2] == [("press", CTRL), ("release", CTRL)]
    assert kernel.strokes(MOUSE)[:2] == [("press", LEFT), ("release", LEFT)]


HOLD = """
import sys, time
from pathlib import Path
from gesturectl.sinks.uinput import UinputSink
from gesturectl.types import KeyDown
from tests.uinputs import FakeUinput, UsLayout
sink = UinputSink(layout=UsLayout(), system=FakeUinput(Path(sys.argv[1])))
sink.send(KeyDown(0, "ctrl"))
print("held", flush=True)
time.sleep(60)
"""


def test_a_killed_daemon_leaves_nothing_down(kernel: FakeUinput) -> None:
    command = [sys.executable, "-c", HOLD, str(kernel.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "held\n"
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        assert wait_until(lambda: kernel.strokes() == [("press", CTRL), ("release", CTRL)])


# --- the real device ------------------------------------------------------------------------------


def test_the_real_kernel_makes_the_devices_and_takes_them_away() -> None:
    if (problem := uinputdevice.works()) is not None:
        pytest.skip(problem.splitlines()[0])

    def named() -> set[str]:
        text = Path("/proc/bus/input/devices").read_text()
        return set(re.findall(r'N: Name="(gesturectl \w+)"', text))

    before = named()
    with UinputSink(layout=UsLayout()) as sink:
        made = {"gesturectl keyboard", "gesturectl mouse", "gesturectl pointer"}
        assert wait_until(lambda: named() - before == made)
        # What no program acts on: a modifier alone, and movement to and fro.
        send(
            sink, KeyDown(0, "shift"), KeyUp(0, "shift"), MoveBy(0, 1.0, 0.0), MoveBy(0, -1.0, 0.0)
        )
    assert wait_until(lambda: named() == before)
