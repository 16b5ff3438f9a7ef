"""What a run may cost: by preset, by the power the machine has, and within a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturectl import config, daemon
from gesturectl.control.desk import power as told
from gesturectl.daemon import Control, Loop
from gesturectl.engine import Engine
from gesturectl.errors import ConfigError
from gesturectl.ledger import Ledger
from gesturectl.power import Power, on_battery
from gesturectl.recogniser import Recogniser
from gesturectl.sinks.memory import MemorySink
from gesturectl.sources.clock import ManualClock
from gesturectl.sources.live import Live
from gesturectl.sources.memory import MemoryDevice
from gesturectl.types import Frame, Observation

PICTURE = np.full((48, 64, 3), 90, np.uint8)


# --- the power that the machine has ---------------------------------------------------------------


def supplies(folder: Path, **told: dict[str, str]) -> Path:
    for name, files in told.items():
        (folder / name).mkdir(parents=True)
        for file, text in files.items():
            (folder / name / file).write_text(f"{text}\n")
    return folder


BATTERY = {"type": "Battery", "status": "Discharging"}


@pytest.mark.parametrize(
    ("adapter", "on"), [({"online": "0"}, True), ({"online": "1"}, False)], ids=["out", "in"]
)
def test_a_laptop_is_on_battery_while_its_adapter_is_out(
    adapter: dict[str, str], on: bool, tmp_path: Path
) -> None:
    assert on_battery(supplies(tmp_path, AC={"type": "Mains", **adapter}, BAT0=BATTERY)) is on


def test_one_of_two_plugs_is_enough(tmp_path: Path) -> None:
    out, usb = {"type": "Mains", "online": "0"}, {"type": "USB", "online": "1"}
    assert on_battery(supplies(tmp_path, AC=out, BAT0=BATTERY, ucsi=usb)) is False


@pytest.mark.parametrize(
    ("status", "on"),
    [
        ("Discharging", True),
        ("Charging", False),
        ("Full", False),
        ("Not charging", False),
        ("Unknown", None),
        ("", None),
    ],
)
def test_without_any_adapter_the_battery_says_it(
    status: str, on: bool | None, tmp_path: Path
) -> None:
    assert on_battery(supplies(tmp_path, BAT0={"type": "Battery", "status": status})) is on


@pytest.mark.parametrize(
    ("one", "other", "on"),
    [
        ("Discharging", "Full", True),  # the first of two is drained first
        ("Charging", "Not charging", False),
        ("Full", "Unknown", None),
    ],
)
def test_of_two_batteries_the_one_that_is_drained_counts(
    one: str, other: str, on: bool | None, tmp_path: Path
) -> None:
    both = {
        name: {"type": "Battery", "status": status}
        for name, status in (("BAT0", one), ("BAT1", other))
    }
    assert on_battery(supplies(tmp_path, **both)) is on


def test_an_adapter_that_is_out_counts_before_its_battery_has_noticed(tmp_path: Path) -> None:
    out, full = {"type": "Mains", "online": "0"}, {"type": "Battery", "status": "Full"}
    assert on_battery(supplies(tmp_path, AC=out, BAT0=full)) is True


def test_a_battery_charged_by_a_plug_that_is_not_listed_is_not_drained(tmp_path: Path) -> None:
    out, charged = {"type": "Mains", "online": "0"}, {"type": "Battery", "status": "Charging"}
    assert on_battery(supplies(tmp_path, AC=out, BAT0=charged)) is False


def test_an_empty_bay_is_no_battery(tmp_path: Path) -> None:
    bay = {"type": "Battery", "present": "0", "status": "Unknown"}
    full = {"type": "Battery", "present": "1", "status": "Full"}
    assert on_battery(supplies(tmp_path, BAT0=full, BAT1=bay)) is False


MOUSE = {"type": "Battery", "scope": "Device", "status": "Discharging"}
TABLET = {"type": "Mains", "scope": "Device", "online": "1"}


def test_what_mice_and_tablets_have_does_not_count(tmp_path: Path) -> None:
    theirs = supplies(tmp_path / "desk", hidpp_battery_0=MOUSE, wacom_ac_0=TABLET)
    assert on_battery(theirs) is None
    beside = supplies(tmp_path / "lap", BAT0=BATTERY, hidpp_battery_0=MOUSE, wacom_ac_0=TABLET)
    assert on_battery(beside) is True
    plugged = {"type": "Battery", "scope": "System", "status": "Full"}
    assert on_battery(supplies(tmp_path / "full", BAT0=plugged, hidpp_battery_0=MOUSE)) is False


def test_a_machine_that_tells_nothing_is_not_known(tmp_path: Path) -> None:
    assert on_battery(tmp_path / "nowhere") is None


# --- presets --------------------------------------------------------------------------------------


@dataclass
class Room:
    """A landmarker that sees nobody, and can be told to search."""

    always: bool = False
    shown: list[int] = field(default_factory=list)

    def detect(self, frame: Frame) -> Observation:
        self.shown.append(frame.t_us)
        return Observation(frame.t_us, (), (), (64, 48))

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *exc: object) -> None: ...


class Watched(MemoryDevice):
    """Counts the pictures that were decoded."""

    decoded = 0

    def retrieve(self) -> Any:
        self.decoded += 1
        picture = super().retrieve()
        assert picture is not None
        return picture + np.uint8(self.decoded % 7)  # a live sensor's noise


def run(
    frames: int, make: Callable[[ManualClock], Power], room: Room | None = None
) -> tuple[Room, Watched, Loop, Power]:
    """Play pictures of a live camera at 30 a second."""
    clock, room, seen = ManualClock(), room or Room(), list[Loop]()
    device = Watched(clock, [[PICTURE] * frames])
    source, control, power = Live(device, clock), Control(), make(clock)

    class Stepped:
        """Turns the camera by hand, so that no thread is needed."""

        description, problem = "a camera", None
        pace = source.pace

        def read(self, timeout_s: float) -> Frame | None:
            source.turn()
            if not source._health.is_open:
                control.stop = True
                return None
            return source.read(0) if source._has_news() else None

    def between(loop: Loop) -> None:
        seen[:] = [loop]
        power.between(loop)

    daemon.run(
        Stepped(),  # type: ignore[arg-type]
        room,
        Engine(Recogniser.load()),
        MemorySink(),
        Ledger(),
        control=control,
        between=between,
    )
    return room, device, seen[0], power


def by(wanted: config.Power, **more: Any) -> Callable[[ManualClock], Power]:
    return lambda clock: Power(wanted, wall_s=lambda: clock.now_us() / 1e6, **more)


def test_on_battery_half_the_pictures_are_neither_decoded_nor_looked_at() -> None:
    room, device, loop, _ = run(300, by("auto", battery=lambda: True))
    assert len(room.shown) == pytest.approx(150, abs=3)
    assert device.decoded == pytest.approx(150, abs=3)
    assert loop.most_hz == 15
    assert told(loop) == {
        "preset": "battery", "most_frames_per_s": 15.0, "cpu": pytest.approx(0, abs=1),
        "max_cpu": None, "kept": True, "enough": True,
    }  # fmt: skip


@pytest.mark.parametrize("battery", [False, None])
def test_plugged_in_or_unknown_every_picture_counts(battery: bool | None) -> None:
    room, device, loop, power = run(90, by("auto", battery=lambda: battery))
    assert power.preset == "balanced"
    assert len(room.shown) == device.decoded == 90
    assert loop.most_hz is None
    assert not room.always


def test_the_plug_is_pulled_while_it_runs(caplog: pytest.LogCaptureFixture) -> None:
    plug = iter([False, True])
    with caplog.at_level("INFO"):
        room, _, _, power = run(900, by("auto", battery=lambda: next(plug, True)))
    assert power.preset == "battery"
    assert len(room.shown) == pytest.approx(10 * 30 + 20 * 15, abs=20)
    assert [text for text in caplog.messages if "power" in text] == [
        "power: balanced",
        "power: battery",
    ]


def test_responsive_searches_in_every_picture() -> None:
    room, _, _, _ = run(40, by("responsive"))
    assert room.always


# --- a budget -------------------------------------------------------------------------------------


def test_a_budget_is_kept_and_what_it_costs_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each picture takes 20 ms of the processor; a quarter of a core pays for 12.5 a second."""
    room = Room()
    spent = by("balanced", max_cpu=0.25, cpu_s=lambda: 0.02 * len(room.shown))
    _, _, loop, power = run(900, spent, room)
    late = [t_us for t_us in room.shown if t_us > room.shown[0] + 10_000_000]
    assert len(late) == pytest.approx(250, abs=12)
    assert power.pace.kept
    assert loop.most_hz == pytest.approx(12.5, abs=1)
    said = [text for text in caplog.messages if "max_cpu" in text]
    assert said == [
        "max_cpu: with 25 % of a core 12 pictures a second can be looked at; below 15 quick "
        "strokes are missed"
    ]


def test_a_budget_below_all_use_is_not_kept_and_that_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A twentieth of a core would pay for two pictures a second, of which no stroke is heard."""
    room = Room()
    spent = by("balanced", max_cpu=0.05, cpu_s=lambda: 0.02 * len(room.shown))
    _, _, loop, power = run(900, spent, room)
    late = [t_us for t_us in room.shown if t_us > room.shown[0] + 10_000_000]
    assert len(late) == pytest.approx(10 * 20, abs=12)
    assert not power.pace.kept
    assert told(loop) == {
        "preset": "balanced", "most_frames_per_s": 10.0, "cpu": pytest.approx(0.2, abs=0.02),
        "max_cpu": 0.05, "kept": False, "enough": False,
    }  # fmt: skip
    said = [text for text in caplog.messages if "max_cpu" in text]
    assert said == [
        "max_cpu: 5 % of a core is too little to keep to: 10 pictures a second are looked at all "
        "the same, for below that no stroke is followed; allow more"
    ]


# --- settings -------------------------------------------------------------------------------------


def test_settings_name_the_preset_and_the_budget() -> None:
    read = config.parse("power: battery\nmax_cpu: 25%\n", "config.yaml")
    assert (read.power, read.max_cpu) == ("battery", 0.25)
    assert config.parse("", "config.yaml").power == "auto"


@pytest.mark.parametrize("text", ["max_cpu: 25", "max_cpu: 2%", "max_cpu: 300%", "power: eco"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no part of a core|is none of"):
        config.parse(text, "config.yaml")
