"""Short sounds for those who do not look: made here of a few sines, played by the desktop's player.

    fired    one short high tick          woke   two tones up      slept   two tones down
    trouble  two low tones                well   as `woke`

They are files, for that is what players take: written to the runtime folder at first need.
"""

from __future__ import annotations

import io
import wave
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from gesturectl import wholefile
from gesturectl.display.seeing import Happening

RATE_HZ: Final = 22_050
LOUD: Final = 0.25  # of what can be: it is to be heard, not to startle
FADE_S: Final = 0.006  # without it every tone begins and ends with a crack

# Frequencies in Hz, and seconds, one after the other.
TONES: Final[dict[Happening, tuple[tuple[float, float], ...]]] = {
    "fired": ((1319.0, 0.05),),
    "woke": ((659.0, 0.08), (988.0, 0.12)),
    "slept": ((988.0, 0.08), (659.0, 0.12)),
    "trouble": ((330.0, 0.14), (262.0, 0.22)),
    "well": ((659.0, 0.08), (988.0, 0.12)),
}


@cache
def wav(what: Happening) -> bytes:
    """Return a sound as a WAV file: one channel of 16 bits."""
    parts = []
    for frequency_hz, lasts_s in TONES[what]:
        t = np.arange(round(lasts_s * RATE_HZ)) / RATE_HZ
        edge = np.minimum(np.minimum(t, t[::-1]) / FADE_S, 1.0)
        tone = np.sin(2 * np.pi * frequency_hz * t) + 0.2 * np.sin(4 * np.pi * frequency_hz * t)
        parts.append(LOUD / 1.2 * edge * tone)
    samples = np.rint(np.concatenate(parts) * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(samples.tobytes())
    return file.getvalue()


def file(what: Happening, folder: Path) -> Path:
    """Return the file of a sound, written if it is not there.

    Raises:
        OSError: it cannot be written.
    """
    path = folder / f"sound-{what}.wav"
    if not path.exists():
        wholefile.write(path, wav(what))  # whole, also for another process that plays it now
    return path
