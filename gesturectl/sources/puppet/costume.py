"""Give a figure its flesh and clothes: joints in, coloured capsules out.

In:  `kinematics.Figure`, moved to where the camera sees it.  Out: `render.Solids`.
Radii are those of an adult, in metres; colours come from a `Look`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gesturectl.kinematics import Figure
from gesturectl.sources.puppet.render import Solids

Array = NDArray[np.float64]
Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Skin:
    """Colours of one skin tone: the back of a hand, its palm, lips and nails."""

    back: Rgb
    palm: Rgb
    lips: Rgb
    nail: Rgb
    hair: Rgb


SKINS: Mapping[str, Skin] = MappingProxyType(
    {
        "pale": Skin(
            (238, 205, 184), (244, 208, 190), (204, 120, 114), (246, 214, 204), (150, 96, 52)
        ),
        "light": Skin(
            (224, 182, 152), (236, 190, 164), (190, 104, 98), (240, 200, 184), (84, 56, 38)
        ),
        "medium": Skin(
            (198, 150, 114), (218, 168, 136), (164, 88, 80), (224, 180, 156), (50, 36, 30)
        ),
        "brown": Skin(
            (150, 104, 74), (196, 146, 116), (128, 70, 64), (196, 150, 128), (34, 26, 24)
        ),
        "dark": Skin((102, 68, 50), (170, 122, 98), (108, 60, 58), (168, 126, 110), (26, 22, 22)),
    }
)
"""Tones spread over the Monk scale; palms are lighter than backs, the more the darker the skin."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the person looks."""

    skin: Skin
    shirt: Rgb = (44, 104, 128)
    trousers: Rgb = (58, 62, 78)
    shoes: Rgb = (70, 52, 44)


# Radii in metres of the joints of a hand, in MediaPipe's order.
_THICK_MM = (
    (20.0, 15.0, 12.0, 10.2, 8.2),  # wrist, thumb
    (11.5, 9.6, 8.4, 7.2),
    (11.8, 9.9, 8.7, 7.4),
    (11.2, 9.3, 8.2, 7.0),
    (10.5, 8.3, 7.3, 6.3),
)
_HAND_R = np.concatenate(_THICK_MM) * 1e-3
_FINGER_BONES = tuple((a, a + 1) for first in (1, 5, 9, 13, 17) for a in range(first, first + 3))


def _palm_side(hand: Array, side: float) -> tuple[Array, Array, Array]:
    """Return the hand's own axes (thumb side, fingers, out of the palm) in the camera's."""
    y = hand[9] - hand[0]
    y = y / np.linalg.norm(y)
    x = hand[5] - hand[17]
    x = x - (x @ y) * y
    x = x / np.linalg.norm(x)
    return x, y, side * np.cross(x, y)


class _Rack:
    """Collects capsules."""

    def __init__(self) -> None:
        self.ends: list[tuple[Array, Array]] = []
        self.radii: list[tuple[float, float]] = []
        self.colours: list[tuple[float, ...]] = []
        self.matt: list[bool] = []

    def add(
        self, a: Array, b: Array, r: tuple[float, float], colour: tuple[float, ...], matt: bool
    ) -> None:
        self.ends.append((a, b))
        self.radii.append(r)
        self.colours.append(colour)
        self.matt.append(matt)

    def solids(self) -> Solids:
        return Solids(
            np.array(self.ends), np.array(self.radii), np.array(self.colours), np.array(self.matt)
        )


def _mix(a: Rgb, b: Rgb, share: float) -> tuple[float, ...]:
    return tuple(p + (q - p) * share for p, q in zip(a, b, strict=True))


def _hand(rack: _Rack, hand: Array, elbow: Array, side: float, skin: Skin) -> None:
    x, y, z = _palm_side(hand, side)
    size = float(np.linalg.norm(hand[9] - hand[0])) / 0.0935
    r = _HAND_R * size
    mm = 1e-3 * size

    def at(dx: float, dy: float, dz: float) -> Array:
        point: Array = hand[0] + (dx * x + dy * y + dz * z) * mm
        return point

    def tone(outward: Array) -> tuple[float, ...]:
        """Colour of the side that the camera sees of what has its palm side toward `outward`."""
        share = float(np.clip(0.5 - outward[2] * 1.2, 0.0, 1.0))
        return _mix(skin.back, skin.palm, share)

    palm = tone(z)
    for a, b in _FINGER_BONES:
        bone = hand[b] - hand[a]
        length = float(np.linalg.norm(bone))
        bone = bone / length
        thumb = b <= 4
        across = z if thumb else x
        outward = np.cross(across, bone) * (side if not thumb else 1.0)
        if thumb:
            outward = z - (z @ bone) * bone
        last = b in (4, 8, 12, 16, 20)
        end = hand[b] - bone * r[b] * 0.55 if last else hand[b]
        rb = r[b] * 1.06 if last else r[b]
        rack.add(hand[a], end, (r[a], rb), tone(outward), False)
        if last and outward[2] > -0.3:  # a nail lies on the back of the last bone
            nail = -outward / max(float(np.linalg.norm(outward)), 1e-9)
            on = nail * (rb * 0.62)
            tip = hand[b] - bone * rb * 0.35
            rack.add(tip - bone * 5.5 * mm + on, tip + on, (rb * 0.62,) * 2, skin.nail, False)
    for knuckle, (dx, dy, dz) in (
        (5, (11, 14, 4)),
        (9, (2, 12, 2)),
        (13, (-6, 12, 3)),
        (17, (-13, 14, 6)),
    ):
        rack.add(at(dx, dy, dz), hand[knuckle], (14.5 * mm, r[knuckle] * 1.04), palm, False)
    rack.add(at(13, 16, 9), hand[2], (16.5 * mm, 12.5 * mm), palm, False)  # ball of the thumb
    rack.add(at(-16, 20, 10), at(-30, 55, 9), (14 * mm, 13 * mm), palm, False)  # heel of the hand
    rack.add(
        0.4 * hand[2] + 0.6 * hand[1], 0.3 * hand[1] + 0.7 * hand[5], (11 * mm, 9 * mm), palm, False
    )
    for a, b in ((5, 9), (9, 13), (13, 17)):  # webs between the fingers
        pa = hand[a] + 0.16 * (hand[a + 1] - hand[a])
        pb = hand[b] + 0.16 * (hand[b + 1] - hand[b])
        rack.add(pa, pb, (10 * mm, 9.6 * mm), palm, False)
    wrist = at(0, -4, 0)
    middle = elbow + 0.45 * (wrist - elbow)
    rack.add(middle, wrist, (38 * mm, 25.5 * mm), tone(z), False)
    rack.add(wrist, at(0, 14, 2), (25 * mm, 19 * mm), palm, False)
    rack.add(elbow, middle, (43 * mm, 40 * mm), tone(z), False)


def dress(figure: Figure, look: Look) -> Solids:
    """Return the capsules of a whole person."""
    rack = _Rack()
    body = figure.body
    skin, shirt = look.skin, look.shirt
    for side, hand, shift in ((1.0, figure.left, 0), (-1.0, figure.right, 1)):
        shoulder, elbow = body[11 + shift], body[13 + shift]
        _hand(rack, hand, elbow, -side, skin)
        sleeve = shoulder + 0.62 * (elbow - shoulder)
        rack.add(shoulder, sleeve, (0.066, 0.060), shirt, True)
        rack.add(sleeve, elbow, (0.050, 0.044), skin.back, False)
    _trunk(rack, body, look)
    _head(rack, body, skin)
    _legs(rack, body, look)
    return rack.solids()


def _trunk(rack: _Rack, body: Array, look: Look) -> None:
    chest, hips = (body[11] + body[12]) / 2, (body[23] + body[24]) / 2
    down = (hips - chest) / np.linalg.norm(hips - chest)
    across = np.array([1.0, 0.0, 0.0])
    shirt = look.shirt
    rack.add(body[11] + 0.01 * down, body[12] + 0.01 * down, (0.068, 0.068), shirt, True)
    for share in (-1.0, 1.0):
        top = chest + down * 0.10 + across * share * 0.085
        waist = hips - down * 0.10 + across * share * 0.062
        rack.add(top, waist, (0.112, 0.100), shirt, True)
        rack.add(waist, hips + across * share * 0.075, (0.100, 0.105), shirt, True)
        rack.add(
            chest - down * 0.062,
            chest + down * 0.01 + across * share * 0.13,
            (0.052, 0.062),
            shirt,
            True,
        )
    rack.add(
        hips + down * 0.04 - across * 0.07,
        hips + down * 0.04 + across * 0.07,
        (0.1, 0.1),
        look.trousers,
        True,
    )
    neck = chest - down * 0.03
    rack.add(
        neck + np.array([0, 0.01, -0.015]),
        neck - down * 0.09,
        (0.056, 0.053),
        look.skin.back,
        False,
    )


def _head(rack: _Rack, body: Array, skin: Skin) -> None:
    nose, ear_l, ear_r = body[0], body[7], body[8]
    centre = (ear_l + ear_r) / 2
    across = (ear_l - ear_r) / np.linalg.norm(ear_l - ear_r)
    front = nose - centre - ((nose - centre) @ across) * across
    front = front / np.linalg.norm(front)
    # the nose is 14 mm below the ears and 105 mm before them
    front = np.array([0.0, front[1] - 0.13, front[2]])
    front = front / np.linalg.norm(front)
    up = np.cross(across, front)
    if up[1] > 0:
        up = -up

    def at(dx: float, dy: float, dz: float) -> Array:
        """A point right, up and before the middle between the ears, in millimetres."""
        point: Array = centre + (dx * across + dy * up + dz * front) * 1e-3
        return point

    face = skin.back
    shade = _mix(face, skin.lips, 0.35)
    rack.add(at(0, 32, 8), at(0, -28, 24), (0.088, 0.070), face, False)
    rack.add(at(0, -28, 26), at(0, -56, 36), (0.062, 0.044), face, False)
    for side in (-1.0, 1.0):
        rack.add(at(side * 36, -6, 40), at(side * 30, -34, 42), (0.040, 0.034), face, False)
        rack.add(at(side * 80, 6, 0), at(side * 78, -20, 4), (0.016, 0.012), shade, False)
        rack.add(
            at(side * 24, 22, 85), at(side * 38, 22, 80), (0.0095, 0.0085), (244, 243, 240), False
        )
        rack.add(
            at(side * 31, 22, 90), at(side * 31, 21.5, 90), (0.0068, 0.0068), (58, 42, 34), False
        )
        rack.add(at(side * 18, 39, 92), at(side * 46, 40, 80), (0.0042, 0.0034), skin.hair, True)
        rack.add(at(side * 74, 20, -2), at(side * 72, 62, -8), (0.022, 0.030), skin.hair, True)
        rack.add(at(side * 16, -47, 86), at(side * 25, -41, 80), (0.0046, 0.0034), skin.lips, False)
    rack.add(at(-16, -47, 86), at(16, -47, 86), (0.0052, 0.0052), skin.lips, False)
    rack.add(at(0, 16, 92), at(0, -13, 104), (0.0085, 0.0125), _mix(face, skin.lips, 0.12), False)
    rack.add(at(0, 66, -2), at(0, 30, -24), (0.088, 0.090), skin.hair, True)
    rack.add(at(-30, 84, 40), at(34, 90, 36), (0.034, 0.036), skin.hair, True)


def _legs(rack: _Rack, body: Array, look: Look) -> None:
    for shift in (0, 1):
        hip, knee, ankle = body[23 + shift], body[25 + shift], body[27 + shift]
        rack.add(hip + np.array([0, 0.02, 0]), knee, (0.092, 0.064), look.trousers, True)
        rack.add(knee, ankle, (0.064, 0.046), look.trousers, True)
        heel, toe = body[29 + shift], body[31 + shift]
        rack.add(
            heel + np.array([0, -0.035, -0.03]),
            toe + np.array([0, -0.02, 0]),
            (0.042, 0.036),
            look.shoes,
            True,
        )
