"""Words as coverage of pixels, in the font that Pillow carries, or one of the system's.

Names of gestures are the user's own, in any script. What our font lacks, fontconfig is asked for,
once for each set of characters; where it has nothing either, the font's empty box stands.
"""

from __future__ import annotations

import subprocess
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

ASK_S: Final = 2.0
NO_CHARACTER: Final = "\uffff"
MAX_LETTERS: Final = 200  # nobody reads more in a panel

Font = ImageFont.FreeTypeFont


class Written(NamedTuple):
    """One line: uint8 (height, width) of coverage, and how many rows are above its baseline."""

    mask: NDArray[np.uint8]
    above: int


@lru_cache(256)
def write(text: str, size_px: int, most_px: int | None = None) -> Written:
    """Write a line, no wider than `most_px`."""
    text = " ".join(text[:MAX_LETTERS].split())
    font = _font(text, size_px)
    if most_px is not None and font.getlength(text) > most_px:
        while text and font.getlength(f"{text}…") > most_px:
            text = text[:-1]
        text = f"{text.rstrip()}…" if most_px > font.getlength("…") else ""
    above, below = font.getmetrics()
    width = max(1, int(font.getlength(text) + 0.999))
    if most_px is not None:
        width = max(1, min(width, most_px))
    image = Image.new("L", (width, above + below))
    ImageDraw.Draw(image).text((0, above), text, fill=255, font=font, anchor="ls")
    return Written(np.asarray(image), above)


def width(text: str, size_px: int) -> int:
    """Return how wide a line is."""
    return int(write(text, size_px).mask.shape[1])


@lru_cache(64)
def _font(text: str, size_px: int) -> Font:
    ours = _ours(size_px)
    lacking = "".join(sorted({one for one in text if not one.isspace() and _lacks(one)}))
    if not lacking:
        return ours
    found = _file_with(lacking)
    if found is None:
        return ours
    try:
        return ImageFont.truetype(found[0], size_px, found[1])
    except OSError:  # of pictures in fixed sizes, as emoji are
        return ours


@lru_cache(16)
def _ours(size_px: int) -> Font:
    font = ImageFont.load_default(size_px)
    if not isinstance(font, Font):
        raise ImportError("this Pillow was built without FreeType; install its wheel from PyPI")
    return font


@lru_cache(1024)
def _lacks(character: str) -> bool:
    font = _ours(16)
    mine, none = font.getmask(character), font.getmask(NO_CHARACTER)
    return mine.size == none.size and bytes(mine) == bytes(none)


@lru_cache(64)
def _file_with(characters: str) -> tuple[str, int] | None:
    """Return the file of a font that has these characters, and its number in that file."""
    wanted = " ".join(f"{ord(one):x}" for one in characters[:16])
    asked = ["fc-match", "--format=%{file}\n%{index}", f"sans-serif:charset={wanted}"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=ASK_S, check=True)
        path, index = told.stdout.split("\n")
        return path, int(index)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
