"""The shipped profile `media` plays a real mpv, which tells by its own socket how it fares."""

from __future__ import annotations

import json
import socket
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import require_program
from tests.e2e.films import acted
from tests.e2e.process import START_S, finished, gesturectl
from tests.e2e.xserver import XServer, wait_until

pytestmark = pytest.mark.slow

LENGTH_S, RATE_HZ = 120, 8000
ASLEEP = "thumb_up:600ms,fist:1.2s"
AWAKE = "open_palm:1.3s,thumb_up:400ms,fist:1.2s,victory:1.2s,circle_cw,open_palm:1s"


class Player:
    """mpv with two minutes of silence, paused at the start, in a window of its own."""

    def __init__(self, desktop: XServer, folder: Path) -> None:
        sound, self._socket = folder / "silence.wav", folder / "mpv"
        with wave.open(str(sound), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(1)
            file.setframerate(RATE_HZ)
            file.writeframes(bytes([128]) * LENGTH_S * RATE_HZ)
        self._desktop = desktop
        self._process = subprocess.Popen(
            [
                *("mpv", "--no-config", "--vo=x11", "--ao=null", "--force-window=immediate"),
                *("--pause", "--no-resume-playback", f"--input-ipc-server={self._socket}"),
                str(sound),
            ],
            env=desktop.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def is_in_front(self) -> bool:
        """Whether its window has the focus."""
        told = subprocess.run(
            ["xdotool", "getactivewindow", "getwindowname"],
            env=self._desktop.env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return told.stdout.strip().endswith("mpv") and self.tells("time-pos") is not None

    def tells(self, name: str) -> Any:
        """Return a property of the player, or None while it has none."""
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self._socket))
            except OSError:
                return None
            connection.sendall(json.dumps({"command": ["get_property", name]}).encode() + b"\n")
            for line in connection.makefile(encoding="utf-8"):
                if "event" not in (answer := json.loads(line)):
                    return answer.get("data")
        return None

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture
def player(desktop: XServer, tmp_path: Path) -> Iterator[Player]:
    require_program("mpv", "xdotool")
    player = Player(desktop, tmp_path)
    try:
        assert wait_until(player.is_in_front, 30.0), "mpv does not come up"
        yield player
    finally:
        player.close()


def show(desktop: XServer, film: str) -> None:
    """Let the daemon play the shipped profile to its end."""
    arguments = ("run", "--source", film, "--profile", "media", "--sink", "x11")
    with gesturectl(*arguments, env=desktop.env) as process:
        code, _, said = finished(process, START_S)
    assert code == 0, said


def told(player: Player) -> dict[str, Any]:
    names = ("pause", "volume", "mute", "fullscreen", "time-pos")
    return {name: player.tells(name) for name in names}


def test_a_film_in_front_is_played_by_hand(
    desktop: XServer, player: Player, tmp_path: Path
) -> None:
    """The palm wakes; louder, muted, the whole screen, five seconds on, and go."""
    before = told(player)
    assert before == {
        "pause": True, "volume": 100.0, "mute": False, "fullscreen": False, "time-pos": 0.0
    }  # fmt: skip
    show(desktop, acted(tmp_path / "asleep.jsonl", ASLEEP))
    assert told(player) == before
    show(desktop, acted(tmp_path / "awake.jsonl", AWAKE))
    assert wait_until(lambda: player.tells("pause") is False)
    after = told(player)
    assert after["volume"] > 100.0
    assert after["mute"] is True
    assert after["fullscreen"] is True
    assert after["time-pos"] >= 5.0
