"""The shipped profiles of bodies, shown landmarks of bodies that move: from joints to commands."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gesturectl import profile
from gesturectl.engine import Engine
from gesturectl.kinematics import Array
from gesturectl.recogniser import Recogniser
from gesturectl.types import Body, Entered, KeyDown, KeyUp, MoveBy, Observation, Play, Say
from tests.acting import Performance
from tests.sensing import STANDING_M, bent, body, frame

RATE_HZ = 30
FORWARD = (0.0, 0.0, 1.0)  # the axis about which an arm is raised sideways and a head tilts
RIGHT_SHOULDER, RIGHT_ARM = 12, (14, 16, 18, 20, 22)
NOSE, HEAD = 0, range(1, 11)


class Stage:
    """Somebody before the camera, and a shipped profile that watches."""

    def __init__(self, name: str) -> None:
        self._engine = Engine(Recogniser.load(), profile.load(profile.shipped()[name]))
        self._t_us = 0
        self.told: list[str] = []

    def see(self, shown: Iterable[Body | None]) -> None:
        """Let a frame pass for each, with somebody in it or nobody."""
        for one in shown:
            seen = (one,) if one is not None else ()
            self.watch([frame(self._t_us + 1_000_000 // RATE_HZ, *seen)])

    def watch(self, observations: Iterable[Observation]) -> None:
        """Take what was seen; note what came of it, in words."""
        for observation in observations:
            self._t_us = observation.t_us
            step = self._engine.step(observation)
            for one in (*step.requests, *step.commands):
                match one:
                    case Entered(mode=mode):
                        self.told.append(f"mode {mode}")
                    case KeyDown(key=key):
                        self.told.append(f"down {key}")
                    case KeyUp(key=key):
                        self.told.append(f"up {key}")
                    case Say(text=text) | Play(sound=text):
                        self.told.append(f"say {text}")
                    case MoveBy():
                        if self.told[-1:] != ["moves"]:
                            self.told.append("moves")
                    case _:
                        raise AssertionError(one)

    def acts(self, script: str) -> None:
        """Watch a puppet script, seen as a body alone."""
        self.watch(Performance(script).at(RATE_HZ, hands=False, body=True))


def still(seconds: float, points: Array = STANDING_M) -> list[Body]:
    return [body(points)] * round(seconds * RATE_HZ)


def arm_raised(to_deg: float, hold_s: float) -> list[Body]:
    """Raise the right arm sideways in 1.5 s, keep it there, and lower it again."""
    up = list(np.linspace(0.0, to_deg, round(1.5 * RATE_HZ)))
    angles = [*up, *[to_deg] * round(hold_s * RATE_HZ), *reversed(up)]
    return [body(bent(RIGHT_SHOULDER, RIGHT_ARM, FORWARD, angle)) for angle in angles]


def head_tilted(right_deg: float, seconds: float) -> list[Body]:
    return still(seconds, bent(NOSE, HEAD, (0.0, 0.0, -1.0), right_deg))


def test_a_player_wakes_the_game_by_raised_arms_then_jumps_and_ducks() -> None:
    game = Stage("exergame")
    game.acts("arms_up:1.6s,wait:500ms,arms_up:800ms,squat:1.2s")
    assert game.told == ["mode active", "down space", "up space", "down Down", "up Down"]


def test_a_kiosk_shows_its_first_page_to_who_comes_and_when_nobody_is_left() -> None:
    kiosk = Stage("kiosk")
    kiosk.see([*still(1.0), *[None] * RATE_HZ])
    assert kiosk.told == [], "who only passes by is nobody"
    kiosk.see([*still(3.0), *[None] * 5 * RATE_HZ])
    home = ["down Home", "up Home"]
    assert kiosk.told == ["mode active", *home, "mode sleep", *home]


def test_an_exercise_is_counted_by_how_far_it_goes_and_how_long_it_is_held() -> None:
    rehab = Stage("rehab")
    rehab.acts("wave?by=arm")
    for to_deg, hold_s in ((95.0, 1.6), (95.0, 0.2), (70.0, 1.0)):
        rehab.see([*still(1.0), *arm_raised(to_deg, hold_s), *still(0.5)])
    assert rehab.told == [
        "mode active",
        "say Raise your right arm sideways",
        "say bell",
        "say Hold it for a second",
        "say A little higher",
    ]


def test_a_head_alone_wakes_points_and_stops() -> None:
    computer = Stage("accessibility-body")
    computer.see([*still(1.0), *head_tilted(24.0, 1.2), *still(1.0)])
    assert computer.told == [], "a head that tilts in talk wakes nothing"
    computer.see([*head_tilted(24.0, 2.0), *still(1.0)])
    assert computer.told == ["mode active", "say Awake"]
    computer.see([*head_tilted(32.0, 0.5), *still(0.5)])
    computer.see(body(right=0.5 + n / 300) for n in range(RATE_HZ))
    computer.see([*head_tilted(-26.0, 2.0), *still(1.0)])
    computer.see(body(right=0.5 + n / 300) for n in range(RATE_HZ))
    assert computer.told[2:] == ["moves", "mode sleep"]
