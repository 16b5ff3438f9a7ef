"""Icons drawn from shapes: one form for each state, so that no colour is needed to tell them apart.

    active  an open hand      asleep  a moon          paused  two bars
    camera off  a camera struck out                   error   a triangle with a !

Coordinates are sixteenths of the icon, the pixels of the smallest one. A shape is the signed
distance to its edge, and a pixel is covered by half a pixel less that distance, at every size: so
edges are smooth and nothing is scaled. A dark rim keeps the forms clear on light panels as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, pi, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gesturectl.tray.status import State

Floats = NDArray[np.float64]
XY = tuple[float, float]
Colour = tuple[int, int, int]

SIZES_PX: Final = (16, 22, 24, 32, 48, 64, 96)  # those of panels, at scales 1 and 2
GRID: Final = 16.0
RIM: Final = 1.0  # sixteenths
DARK: Final[Colour] = (28, 30, 38)


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line with round ends through points; through one point it is a disc."""

    points: tuple[XY, ...]
    width: float


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon, its corners rounded by `radius` outwards."""

    points: tuple[XY, ...]
    radius: float = 0.0


Shape = Stroke | Area


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes in a colour on a dark rim, and dark shapes on top of them."""

    colour: Colour
    shapes: tuple[Shape, ...]
    marks: tuple[Shape, ...] = ()


def _moon() -> Area:
    """Return a crescent: three quarters of a circle, and back along another."""
    steps = 40

    def arc(centre: XY, radius: float, first: float, last: float) -> list[XY]:
        angles = (first + (last - first) * i / steps for i in range(steps + 1))
        return [(centre[0] + radius * cos(a), centre[1] + radius * sin(a)) for a in angles]

    # The circles meet where both are; the inner one is cut out of the outer one's upper right.
    outer, inner, apart = 6.0, 4.8, 3.8
    along = (apart**2 + outer**2 - inner**2) / (2 * apart)
    half = np.arccos(along / outer)
    inside = np.arccos((along - apart) / inner)
    tilt = -pi / 4
    hole = (7.5 + apart * cos(tilt), 8.5 + apart * sin(tilt))
    points = arc((7.5, 8.5), outer, tilt + half, tilt + 2 * pi - half)
    points += arc(hole, inner, tilt - inside, tilt - 2 * pi + inside)
    return Area(tuple(points))


DRAWINGS: Final[dict[State, Drawing]] = {
    State.active: Drawing(
        (87, 227, 137),
        (
            Area(((5.5, 9), (11, 9), (10.5, 13), (7, 13)), 1.5),
            Stroke(((5, 9), (4.5, 4.5)), 2.0),
            Stroke(((7, 9), (7, 2.5)), 2.0),
            Stroke(((9.2, 9), (9.5, 2.5)), 2.0),
            Stroke(((11.3, 9.5), (12, 4.5)), 2.0),
            Stroke(((5.5, 12), (2.2, 8.5)), 2.0),
        ),
    ),
    State.asleep: Drawing((153, 193, 241), (_moon(),)),
    State.paused: Drawing(
        (249, 240, 107),
        (Area(((3, 2), (6, 2), (6, 14), (3, 14))), Area(((10, 2), (13, 2), (13, 14), (10, 14)))),
    ),
    State.camera_off: Drawing(
        (222, 221, 218),
        (
            Area(((2.5, 5.5), (9.5, 5.5), (9.5, 11.5), (2.5, 11.5)), 1.0),
            Area(((11.5, 8), (14.5, 5.5), (14.5, 11.5), (11.5, 9.5))),
            Stroke(((2.5, 14), (13.5, 2.5)), 1.6),
        ),
        (Stroke(((3.6, 15.2), (14.6, 3.7)), 1.2),),
    ),
    State.error: Drawing(
        (255, 120, 92),
        (Area(((8, 2.5), (14, 13.5), (2, 13.5)), 1.0),),
        (Stroke(((8, 6), (8, 9.5)), 1.8), Stroke(((8, 12.2),), 1.9)),
    ),
}


@cache
def argb(state: State, size_px: int) -> bytes:
    """Return a picture as panels want it: 4 bytes a pixel, alpha first, not premultiplied."""
    return rgba(state, size_px)[:, :, [3, 0, 1, 2]].tobytes()


def rgba(state: State, size_px: int) -> NDArray[np.uint8]:
    """Return a picture, uint8 (size_px, size_px, 4): red, green, blue, alpha."""
    drawing = DRAWINGS[state]
    layers = (
        (drawing.shapes, RIM, DARK),
        (drawing.shapes, 0.0, drawing.colour),
        (drawing.marks, 0.0, DARK),
    )
    colour = np.zeros((size_px, size_px, 3))
    alpha = np.zeros((size_px, size_px, 1))
    for shapes, wider, paint in layers:
        for shape in shapes:
            covered = _covered(shape, wider, size_px)[:, :, None]
            below = alpha * (1 - covered)
            alpha = covered + below
            mixed = covered * np.array(paint, float) + below * colour
            colour = np.divide(mixed, alpha, out=np.zeros_like(mixed), where=alpha > 0)
    picture: NDArray[np.uint8] = np.rint(np.dstack([colour, alpha * 255])).astype(np.uint8)
    return picture


def svg(state: State) -> str:
    """Return the same drawing as SVG, as it stands in `docs/icons`."""
    drawing = DRAWINGS[state]
    lines = [
        *(_element(shape, DARK, RIM) for shape in drawing.shapes),
        *(_element(shape, drawing.colour, 0.0) for shape in drawing.shapes),
        *(_element(shape, DARK, 0.0) for shape in drawing.marks),
    ]
    body = "\n".join(f"  {line}" for line in lines)
    head = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {GRID:g} {GRID:g}"'
    return f'<svg {head} width="24" height="24">\n{body}\n</svg>\n'


def _covered(shape: Shape, wider: float, size_px: int) -> Floats:
    """Return how much of each pixel a shape covers, 0..1, (size_px, size_px)."""
    scale = size_px / GRID
    at = (np.arange(size_px) + 0.5) / scale
    place = np.stack(np.meshgrid(at, at), axis=-1)  # (size, size, 2): x, y in sixteenths
    if isinstance(shape, Stroke):
        away = _to_line(place, shape.points) - shape.width / 2
    else:
        away = _to_line(place, (*shape.points, shape.points[0]))
        away = np.where(_inside(place, shape.points), -away, away) - shape.radius
    return np.clip(0.5 - (away - wider) * scale, 0.0, 1.0)


def _to_line(place: Floats, points: Sequence[XY]) -> Floats:
    """Return the distance to the nearest of the segments between points."""
    nearest = np.full(place.shape[:2], np.inf)
    for first, second in zip(points, points[1:] or points, strict=False):
        start, along = np.array(first), np.subtract(second, first)
        length = float(along @ along)
        share = np.clip((place - start) @ along / length, 0.0, 1.0) if length else 0.0
        gap = place - start - np.multiply.outer(share, along)
        nearest = np.minimum(nearest, np.hypot(gap[..., 0], gap[..., 1]))
    return nearest


def _inside(place: Floats, points: Sequence[XY]) -> NDArray[np.bool_]:
    """Return where a ray to the right crosses the polygon an odd number of times."""
    x, y = place[..., 0], place[..., 1]
    odd = np.zeros(x.shape, bool)
    for (x1, y1), (x2, y2) in zip(points, (*points[1:], points[0]), strict=True):
        if y1 != y2:
            odd ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return odd


def _element(shape: Shape, colour: Colour, wider: float) -> str:
    paint = "#{:02x}{:02x}{:02x}".format(*colour)
    points = " ".join(f"{x:.4g},{y:.4g}" for x, y in shape.points)
    if isinstance(shape, Stroke) and len(shape.points) == 1:
        ((x, y),) = shape.points
        return f'<circle cx="{x:g}" cy="{y:g}" r="{shape.width / 2 + wider:g}" fill="{paint}"/>'
    if isinstance(shape, Stroke):
        return (
            f'<polyline points="{points}" fill="none" stroke="{paint}" '
            f'stroke-width="{shape.width + 2 * wider:g}" stroke-linecap="round" '
            'stroke-linejoin="round"/>'
        )
    edge = 2 * (shape.radius + wider)
    return (
        f'<polygon points="{points}" fill="{paint}" stroke="{paint}" '
        f'stroke-width="{edge:g}" stroke-linejoin="round"/>'
    )
