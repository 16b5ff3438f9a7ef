"""The pictures themselves: the panel, and the ring about the pointer.

    ┌─────────────────────────────┐
    │ fist            right hand ◔│   what seems to be shown, and how far a hold has come
    │ ▬▬▬▬▬▬▬▬▬▬▬▬▬▬│▬▬───        │   how sure, and from where on it counts
    │ ▸ swipe left → Right        │   what acted last; it glows
    │ ✋ Active             armed │   the mode, by a form and a word: all that stays when it closes
    └─────────────────────────────┘

Nothing is told by colour alone. Lengths in `drawing` are those at size 1 on a screen of scale 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gesturectl.config import Display
from gesturectl.display import words
from gesturectl.display.canvas import Canvas, Colour, Floats
from gesturectl.display.seeing import Candidate, Fired, Rest, View
from gesturectl.display.spots import sides
from gesturectl.tray import icons
from gesturectl.tray.status import State as Mood

Picture = NDArray[np.uint8]
"""uint8 (height, width, 4): red, green, blue, all times alpha, alpha."""

WIDTH: Final = 288
FOOT: Final = 44  # the row of the mode
HEIGHT: Final = 128
PAD: Final = 14
ICON: Final = 24
HOLD: Final = 40  # the ring of a hold, across
RING: Final = 76  # the ring about the pointer, across
WORD: Final = 22  # below it, what a click will do
ARMED: Final = {None: 0, False: 26, True: 26 + 46}  # how wide what says so is
BUTTONS: Final = {"double": "double click", "right": "right click", "drag": "drag"}


class Paints(NamedTuple):
    """Colours: of the panel and its edge, of words and lesser words, of bars and what is sure."""

    panel: Colour
    edge: Colour
    edge_alpha: float
    edge_width: float
    ink: Colour
    faint: Colour
    track: Colour
    likely: Colour
    sure: Colour


PAINTS: Final[dict[Literal["normal", "high"], Paints]] = {
    "normal": Paints(
        (24, 26, 33), (255, 255, 255), 0.16, 1.0, (246, 245, 244), (176, 178, 188),
        (70, 73, 84), (249, 240, 107), (87, 227, 137),
    ),
    "high": Paints(
        (0, 0, 0), (255, 255, 255), 1.0, 2.0, (255, 255, 255), (255, 255, 255),
        (90, 90, 90), (255, 255, 255), (255, 255, 0),
    ),
}  # fmt: skip


DEFAULT: Final = Display()


@dataclass(frozen=True, slots=True)
class Look:
    """How things are drawn: the user's settings, and the pixels of a length of 1."""

    settings: Display = DEFAULT
    scale: float = 1.0

    @property
    def unit(self) -> float:
        """How many pixels a length of 1 at size 1 has."""
        return self.settings.size * self.scale

    @property
    def paints(self) -> Paints:
        """The colours."""
        return PAINTS[self.settings.contrast]

    @property
    def opacity(self) -> float:
        """Of the panel; in high contrast nothing shines through."""
        return 1.0 if self.settings.contrast == "high" else self.settings.opacity

    def px(self, length: float) -> int:
        """Return a length in pixels."""
        return round(length * self.unit)


def panel(look: Look, view: View) -> Picture:
    """Draw the panel; a countdown that is in the view is one that no ring at the pointer can show.

    The picture has the size of the open panel, always; a closed one leaves the rest transparent.
    """
    u, told = look.unit, view.told
    canvas = Canvas(look.px(WIDTH), look.px(HEIGHT))
    if view.opened > 0:
        canvas.pixels[:] = _box(look, 0, 0, WIDTH, HEIGHT)
        _rows(canvas, look, view)
        canvas.fade(view.opened)
    across, down = sides(look.settings.place)
    top = 0.0 if down < 0 else HEIGHT - FOOT
    wide = _foot_width(look, view)
    left = (0.0, (WIDTH - wide) / 2, WIDTH - wide)[across + 1]  # as when closed: it never jumps
    if view.opened < 1:
        canvas.put(_box(look, left, top, left + wide, top + FOOT), (0, 0), 1 - view.opened)
    x, middle = left + PAD, (top + FOOT / 2) * u
    icon = _icon(told.mood, look.px(ICON))
    canvas.put(icon, (x * u, middle - icon.shape[0] / 2))
    x += ICON + 10
    crowd, crowd_wide = _crowd(look, told.people)
    # What fits exactly is not to be cut by the rounding of its place: a pixel more.
    room = (left + wide - PAD - x - ARMED[told.armed] - crowd_wide) * u + 1
    baseline = middle + 5.5 * u
    x += canvas.text(told.title, (x * u, baseline), 16 * u, look.paints.ink, most=room) / u
    if told.armed is not None:
        _armed(canvas, look, x + 14, middle / u, armed=told.armed)
    if crowd:
        at = ((left + wide - PAD - crowd_wide + 14) * u, middle + 4.5 * u)
        canvas.text(crowd, at, 13 * u, look.paints.faint)
    return canvas.done()


def ring(look: Look, rest: Rest) -> Picture:
    """Draw the countdown of a click; its middle, where the pointer is, stays free."""
    u, paints = look.unit, look.paints
    canvas = Canvas(look.px(RING), look.px(RING + WORD))
    centre, radius = (RING / 2 * u, RING / 2 * u), 28 * u
    dark = 1.0 if look.settings.contrast == "high" else 0.55
    canvas.arc(centre, radius, 11 * u, paints.panel, dark)
    canvas.arc(centre, radius, 5 * u, paints.likely, share=rest.share)
    word = BUTTONS.get(rest.choice)
    if word is not None:
        size = 12 * u
        wide = min(_text_width(word, size), canvas.width - round(8 * u))
        left = (canvas.width - wide) / 2
        box = (left - 6 * u, RING * u, left + wide + 6 * u, (RING + 18) * u)
        canvas.rounded(box, 6 * u, paints.panel, max(look.opacity, 0.8))
        canvas.text(word, (left, (RING + 13.5) * u), size, paints.ink, most=wide)
    return canvas.done()


def hot_spot(look: Look) -> tuple[int, int]:
    """Return where in the ring's picture the pointer is."""
    return look.px(RING / 2), look.px(RING / 2)


def _rows(canvas: Canvas, look: Look, view: View) -> None:
    """Draw all but the mode."""
    u, told, paints = look.unit, view.told, look.paints
    _, down = sides(look.settings.place)
    top = FOOT - 8.0 if down < 0 else 0.0
    wide, rest = WIDTH - 2 * PAD, told.rest
    share = rest.share if rest else told.hold.share if told.hold else None
    if share is not None:
        wide -= HOLD + 10
        _hold(canvas, look, share, (WIDTH - PAD - HOLD / 2, top + 32))
    if told.problem is not None:
        _problem(canvas, look, told.problem, top)
        return
    seen = told.candidate
    name, side = (seen.name, seen.side) if seen else ("", "")
    if rest is not None:
        name, side = BUTTONS.get(rest.choice, "click"), ""
    elif told.hold is not None:
        name, side = told.hold.name, told.hold.side
    elif seen is None and told.held:
        name = "holding " + " + ".join(told.held)
    side_px = _text_width(side, 12 * u) if side else 0
    canvas.text(
        name, (PAD * u, (top + 27) * u), 16 * u, paints.ink, most=wide * u - side_px - 8 * u
    )
    if side:
        right = (PAD + wide) * u
        canvas.text(side, (right - side_px, (top + 27) * u), 12 * u, paints.faint)
    if seen is not None:
        _bar(canvas, look, (PAD, top + 38, PAD + wide, top + 46), seen)
    if told.fired is not None:
        _fired(canvas, look, told.fired, view.glow, top)


def _hold(canvas: Canvas, look: Look, share: float, middle: tuple[float, float]) -> None:
    u, paints = look.unit, look.paints
    at, radius = (middle[0] * u, middle[1] * u), (HOLD / 2 - 4) * u
    canvas.arc(at, radius, 6 * u, paints.track)
    canvas.arc(at, radius, 6 * u, paints.sure, share=share)


def _bar(
    canvas: Canvas, look: Look, box: tuple[float, float, float, float], seen: Candidate
) -> None:
    """Draw how sure it is. What counts has a light edge; where it begins to count is a notch."""
    u, paints = look.unit, look.paints
    left, top, right, bottom = (one * u for one in box)
    radius = (bottom - top) / 2
    canvas.rounded((left, top, right, bottom), radius, paints.track)
    until = left + max(seen.p * (right - left), bottom - top)
    canvas.rounded(
        (left, top, until, bottom), radius, paints.sure if seen.active else paints.likely
    )
    notch = left + seen.enter * (right - left)
    canvas.line(((notch, top - 3 * u), (notch, bottom + 3 * u)), 2 * u, paints.ink)
    if seen.active:
        box_px = (left - 2.5 * u, top - 2.5 * u, right + 2.5 * u, bottom + 2.5 * u)
        canvas.frame(box_px, radius + 2.5 * u, 1.5 * u, paints.ink)


def _fired(canvas: Canvas, look: Look, fired: Fired, glow: float, top: float) -> None:
    """Write what acted last, behind a tip; while it is new, in a frame."""
    u, paints = look.unit, look.paints
    if glow > 0:
        box = ((PAD - 8) * u, (top + 56) * u, (WIDTH - PAD + 8) * u, (top + 82) * u)
        canvas.rounded(box, 8 * u, paints.sure, 0.34 * glow)
        if glow > 0.5:
            canvas.frame(box, 8 * u, 1.5 * u, paints.sure)
    ink, middle, size = paints.ink if glow > 0 else paints.faint, top + 69, 13.5 * u
    tip = ((PAD + 1, middle - 5), (PAD + 7, middle), (PAD + 1, middle + 5))
    canvas.line(tuple((x * u, y * u) for x, y in tip), 2.4 * u, paints.sure)
    x, end = PAD + 15.0, WIDTH - PAD
    room = (end - x) * (0.6 if fired.does else 1)
    x += canvas.text(fired.name, (x * u, (middle + 4.5) * u), size, ink, most=room * u) / u
    if fired.does:
        arrow = ((x + 7, middle), (x + 19, middle)), ((x + 15, middle - 4), (x + 19, middle),
                                                      (x + 15, middle + 4))  # fmt: skip
        for points in arrow:
            canvas.line(tuple((px * u, py * u) for px, py in points), 1.5 * u, ink)
        at = ((x + 26) * u, (middle + 4.5) * u)
        canvas.text(fired.does, at, size, ink, most=(end - x - 26) * u)


def _problem(canvas: Canvas, look: Look, problem: str, top: float) -> None:
    """Write what is wrong, in up to three lines."""
    u = look.unit
    for row, line in enumerate(_broken(problem, round(13 * u), round((WIDTH - 2 * PAD) * u), 3)):
        at = (PAD * u, (top + 26 + 20 * row) * u)
        canvas.text(line, at, 13 * u, look.paints.ink, most=(WIDTH - 2 * PAD) * u)


@lru_cache(16)
def _broken(text: str, size_px: int, most_px: int, rows: int) -> tuple[str, ...]:
    """Break a text between words; what does not fit into the rows stays in the last, to be cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(lines) < rows and words.width(longer, size_px) > most_px:
            lines.append(word)
        else:
            lines[-1] = longer
    return tuple(lines)


def _armed(canvas: Canvas, look: Look, x: float, middle: float, *, armed: bool) -> None:
    """A clutch that is closed is a full disc with a word, an open one an empty ring."""
    u, paints = look.unit, look.paints
    canvas.arc(((x + 6) * u, middle * u), 5 * u, 2 * u, paints.ink)
    if armed:
        canvas.arc(((x + 6) * u, middle * u), 1.5 * u, 3 * u, paints.sure)
        canvas.text("armed", ((x + 18) * u, (middle + 4.5) * u), 13 * u, paints.ink)


def _foot_width(look: Look, view: View) -> float:
    title_wide = _text_width(view.told.title, 16 * look.unit) / look.unit
    _, crowd_wide = _crowd(look, view.told.people)
    return min(PAD + ICON + 10 + title_wide + ARMED[view.told.armed] + crowd_wide + PAD, WIDTH)


def _crowd(look: Look, people: int) -> tuple[str, float]:
    """Say that one of several people controls; return how wide that is, with its distance."""
    if people < 2:
        return "", 0.0
    text = f"1 of {people}"
    return text, 14 + _text_width(text, 13 * look.unit) / look.unit


def _text_width(text: str, size: float) -> int:
    """Return how wide a text will be, in pixels."""
    return words.width(text, max(1, round(size)))


@lru_cache(8)
def _box(look: Look, left: float, top: float, right: float, bottom: float) -> Floats:
    """Return the pixels of an empty panel, as large as the whole picture."""
    u, paints = look.unit, look.paints
    canvas = Canvas(look.px(WIDTH), look.px(HEIGHT))
    box = (left * u, top * u, ceil(right * u), ceil(bottom * u))
    box = (box[0], box[1], min(box[2], canvas.width), min(box[3], canvas.height))
    canvas.rounded(box, 12 * u, paints.panel, look.opacity)
    canvas.frame(box, 12 * u, paints.edge_width * u, paints.edge, paints.edge_alpha)
    return canvas.pixels


@lru_cache(8)
def _icon(mood: Mood, size_px: int) -> Floats:
    """Return the pixels of a mode's form."""
    pixels = icons.rgba(mood, size_px).astype(np.float32) / np.float32(255)
    pixels[:, :, :3] *= pixels[:, :, 3:]
    return pixels
