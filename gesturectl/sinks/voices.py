"""Speak a text, play a sound: by the programs that the desktop has for it.

One thing after the other: the next text waits until this one is spoken.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gesturectl.errors import SinkError
from gesturectl.sinks import helpers
from gesturectl.types import Play, Say

TIMEOUT_S: Final = 30.0  # 200 characters, slowly spoken, take 20 s


@dataclass(frozen=True, slots=True)
class Program:
    """One that speaks or plays. `argv` is given the text or the file.

    With `reads` the text is its standard input instead. `suffixes` are of the files it can play,
    empty for all.
    """

    argv: Callable[[str], tuple[str, ...]]
    reads: bool = False
    suffixes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The program itself."""
        return self.argv("")[0]


_SAPI: Final = """\
[Console]::InputEncoding = [Text.Encoding]::UTF8
Add-Type -AssemblyName System.Speech
(New-Object System.Speech.Synthesis.SpeechSynthesizer).Speak([Console]::In.ReadToEnd())
"""
SPEAKERS: Final[dict[str, tuple[Program, ...]]] = {
    "linux": (
        # `--wait` so that one text follows the other; speech-dispatcher would cut the first off.
        Program(lambda text: ("spd-say", "--wait", "--", text)),
        Program(lambda text: ("espeak-ng", "--stdin"), reads=True),
        Program(lambda text: ("espeak", "--stdin"), reads=True),
    ),
    "darwin": (Program(lambda text: ("say", "-f", "-"), reads=True),),
    "win32": (Program(lambda text: helpers.powershell(_SAPI), reads=True),),
}
PLAYERS: Final[dict[str, tuple[Program, ...]]] = {
    "linux": (
        Program(lambda file: ("pw-play", file)),
        Program(lambda file: ("paplay", file)),
        Program(lambda file: ("canberra-gtk-play", f"--file={file}")),
        Program(lambda file: ("aplay", "--quiet", "--", file), suffixes=(".wav",)),
    ),
    "darwin": (Program(lambda file: ("afplay", file)),),
}
NO_SPEECH: Final = "no program here speaks; install speech-dispatcher (spd-say) or espeak-ng"
NO_SOUND: Final = (
    "no program here plays sounds; install pipewire-bin (pw-play), pulseaudio-utils (paplay) or "
    "alsa-utils (aplay, which plays .wav alone)"
)


def speak(message: Say) -> None:
    """Speak a text, to its end.

    Raises:
        SinkError: nothing here speaks, or all that does fails.
    """
    _by_one_of(_installed(SPEAKERS), message.text, NO_SPEECH, private=message.text)


def play(message: Play) -> None:
    """Play a sound, to its end.

    Raises:
        SinkError: there is no such sound, nothing here plays it, or all that does fails.
    """
    if sys.platform == "win32":
        _play_on_windows(message.sound)
        return
    path = str(sound_file(message.sound))
    fitting = [
        program
        for program in _installed(PLAYERS)
        if not program.suffixes or path.lower().endswith(program.suffixes)
    ]
    _by_one_of(fitting, path, NO_SOUND)


def speech_missing() -> str | None:
    """Return None where texts can be spoken, else the reason and what to do."""
    return None if any(_installed(SPEAKERS)) else NO_SPEECH


def sound_missing() -> str | None:
    """Return None where sounds can be played, else the reason and what to do."""
    return None if sys.platform == "win32" or any(_installed(PLAYERS)) else NO_SOUND


def _installed(programs: dict[str, tuple[Program, ...]]) -> Iterator[Program]:
    for program in programs.get(sys.platform, programs["linux"]):
        if shutil.which(program.name) is not None:
            yield program


def _by_one_of(programs: Iterable[Program], given: str, nobody: str, private: str = "") -> None:
    """Try them in order: what is installed may still lack its server or its voice."""
    problems: list[str] = []
    for program in programs:
        text = given if program.reads else ""
        try:
            helpers.run(program.argv(given), text, timeout_s=TIMEOUT_S, private=private)
        except SinkError as error:
            problems.append(str(error))
        else:
            return
    raise SinkError("; ".join(problems) or nobody)


# --- sounds -------------------------------------------------------------------------------------


def sound_file(sound: str) -> Path:
    """Return the file of a sound that is given by its path, or by its name among the desktop's.

    Raises:
        SinkError: there is none.
    """
    if not re.fullmatch(r"\w[\w-]*", sound):
        path = Path(sound).expanduser()
        if path.is_file():  # a pipe or a device could make the player wait, or worse
            return path
        raise SinkError(f"there is no sound file {sound}")
    for place in _places(sound):
        if place.is_file():
            return place
    raise SinkError(
        f"this desktop has no sound called {sound}; give the path of a file, or install "
        "sound-theme-freedesktop"
    )


def _places(name: str) -> Iterator[Path]:
    """Where a sound of the desktop may lie, by the Sound Theme Specification of freedesktop."""
    if sys.platform == "darwin":
        yield Path(f"/System/Library/Sounds/{name}.aiff")
        return
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    system = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    for folder in (home, *system.split(":")):
        sounds = Path(folder).expanduser() / "sounds"
        for theme in (sounds / "freedesktop", *sorted(sounds.glob("*"))):
            yield from (theme / "stereo" / f"{name}{end}" for end in (".oga", ".ogg", ".wav"))


def _play_on_windows(sound: str) -> None:
    if sys.platform == "win32":  # said again for the type checker
        import winsound

        named = re.fullmatch(r"\w[\w-]*", sound) is not None
        what = sound if named else str(sound_file(sound))
        how = winsound.SND_ALIAS if named else winsound.SND_FILENAME
        try:
            winsound.PlaySound(what, how | winsound.SND_NODEFAULT)
        except RuntimeError as error:
            raise SinkError(f"Windows cannot play {sound}: it wants a .wav file") from error
