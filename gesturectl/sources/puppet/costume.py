"""Give a figure its flesh and clothes: joints in, coloured capsules out.

In:  `kinematics.Figure`, moved to where the camera sees it.  Out: `render.Solids`.
Tables below say which joint carries what; radii are an adult's.
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
    """Colours of one skin tone; palms are lighter than backs, the more the darker the skin."""

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
        "dark": Skin((102, 68, 50), (170, 122, 98), (124, 66, 64), (168, 126, 110), (26, 22, 22)),
    }
)
"""Five tones spread over the Monk scale."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the person looks."""

    skin: Skin
    shirt: Rgb = (44, 104, 128)
    trousers: Rgb = (58, 62, 78)
    shoes: Rgb = (70, 52, 44)


# --- hands --------------------------------------------------------------------------------------

_JOINT_MM = np.concatenate(
    [
        (20.0, 15.0, 12.0, 10.2, 8.2),  # wrist, thumb
        (11.5, 9.6, 8.4, 7.2),
        (11.8, 9.9, 8.7, 7.4),
        (11.2, 9.3, 8.2, 7.0),
        (10.5, 8.3, 7.3, 6.3),
    ]
)
_FIRST = np.array([a for root in (1, 5, 9, 13, 17) for a in range(root, root + 3)])
_TIPS = np.array([2, 5, 8, 11, 14])  # which of these bones are the last of their finger

# The flesh of the palm, in millimetres on the hand's own axes (toward the thumb, the fingers, out
# of the palm): both ends, then both radii.
_PALM_MM = np.array(
    [
        (11, 8, 2, 4, 24, 4, 17, 16),  # carpus
        (-11, 8, 2, -8, 24, 4, 17, 16),
        (14, 18, 9, 30, 52, 17, 15.5, 12.5),  # ball of the thumb
        (-17, 20, 7, -31, 60, 7, 14.5, 12),  # heel of the hand
        (24, 82, 7, -2, 82, 5, 11, 11),  # pads under the fingers
        (-2, 82, 5, -33, 66, 8, 11, 11),
        (14, 66, 4, -22, 58, 6, 11.5, 11.5),  # hollow of the hand
        (12, 46, 4, -17, 42, 6, 12.5, 12.5),
        (9, 28, 4, -12, 26, 5, 13.5, 13.5),
        (8, 20, -1, 13, 86, 0, 12.5, 10.5),  # between the bones of the back
        (0, 20, -1, -10, 84, -1, 12.5, 10.5),
        (-8, 20, 0, -29, 75, 2, 13, 10.5),
    ],
    dtype=np.float64,
)
# What is hidden when the palm (-1) or the back (1) is turned away from the camera.
_PALM_FACES = np.array([0, 0, 0, 0, -1, -1, -1, -1, -1, 1, 1, 1])
# The lines of the palm lie just on its surface: heart, head, life.
_CREASES_MM = np.array(
    [
        (-38, 65, 17.2, -16, 71, 15.5),
        (-16, 71, 15.5, 8, 80, 15.2),
        (28, 71, 16.5, 2, 59, 15.4),
        (2, 59, 15.4, -28, 46, 17.2),
        (27, 69, 17.0, 10, 48, 17.4),
        (10, 48, 17.4, 4, 22, 18.6),
    ],
    dtype=np.float64,
)
_KNUCKLES = np.array([5, 9, 13, 17])
_CARPALS_MM = np.array([(11, 16, 3), (3, 14, 1), (-6, 14, 2), (-13, 16, 5)], dtype=np.float64)


def _cross(a: Array, b: Array) -> Array:
    """`numpy.cross` of (..., 3) arrays without its overhead, which is most of it here."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def _unit(v: Array) -> Array:
    unit: Array = v / np.sqrt((v * v).sum(axis=-1, keepdims=True) + 1e-18)
    return unit


class _Rack:
    """Collects capsules; `add` takes ends (N, 2, 3), radii (N, 2), one or N colours."""

    def __init__(self) -> None:
        self.ends: list[Array] = []
        self.radii: list[Array] = []
        self.widths: list[Array] = []
        self.colours: list[Array] = []

    def add(self, ends: Array, radii: Array, colour: Array | Rgb, width: float = 0.0) -> None:
        n = len(ends)
        self.ends.append(ends)
        self.radii.append(radii)
        self.widths.append(np.full(n, width))
        self.colours.append(np.broadcast_to(np.asarray(colour, dtype=np.float64), (n, 3)))

    def one(self, a: Array, b: Array, radii: tuple[float, float], colour: Array | Rgb) -> None:
        self.add(np.array([[a, b]]), np.array([radii]), colour)

    def slab(self, a: Array, b: Array, radii: tuple[float, float], width: float, c: Rgb) -> None:
        self.add(np.array([[a, b]]), np.array([radii]), c, width)

    def solids(self) -> Solids:
        return Solids(
            np.concatenate(self.ends),
            np.concatenate(self.radii),
            np.concatenate(self.widths),
            np.concatenate(self.colours),
        )


def _hand(rack: _Rack, hand: Array, elbow: Array, side: float, skin: Skin) -> None:
    """Put on one hand and its forearm; `side` is 1 for a right one, -1 for a left one."""
    y = _unit(hand[9] - hand[0])
    across = hand[5] - hand[17]
    x = _unit(across - (across @ y) * y)
    z = side * _cross(x, y)
    size = float(np.sqrt(((hand[9] - hand[0]) ** 2).sum())) / 0.0935
    mm = 1e-3 * size
    own = np.stack([x, y, z]) * mm  # millimetres of the hand's own axes to camera metres
    back, palm = np.array(skin.back), np.array(skin.palm)

    def tone(outward_z: Array) -> Array:
        """Colour (N, 3) as seen of what has its palm side toward this z, the camera being at -z."""
        share = np.clip(0.5 - 1.2 * outward_z, 0.0, 1.0)[:, None]
        toned: Array = back + (palm - back) * share
        return toned

    bone = _unit(hand[_FIRST + 1] - hand[_FIRST])
    outward = side * _cross(np.broadcast_to(x, bone.shape), bone)
    pad = 0.6 * z - 0.8 * x  # the thumb's ball faces the fingers
    outward[:3] = pad - (bone[:3] @ pad)[:, None] * bone[:3]
    outward = _unit(outward)
    r = _JOINT_MM * mm
    radii = np.stack([r[_FIRST], r[_FIRST + 1]], axis=1)
    ends = np.stack([hand[_FIRST], hand[_FIRST + 1]], axis=1)
    ends[_TIPS, 1] -= bone[_TIPS] * (0.55 * radii[_TIPS, 1:])
    radii[_TIPS, 1] *= 1.05
    rack.add(ends, radii, tone(outward[:, 2]))

    seen = _TIPS[outward[_TIPS, 2] > -0.2]  # nails, on the back of the last bones
    if len(seen):
        flat = radii[seen, 1]
        on = ends[seen, 1] - outward[seen] * (0.60 * flat)[:, None]
        nails = np.stack([on - bone[seen] * 4.5 * mm, on + bone[seen] * (0.2 * flat)[:, None]], 1)
        rack.add(nails, np.stack([flat, flat], 1) * 0.64, skin.nail)

    visible = _PALM_MM[_PALM_FACES * z[2] > -0.3]
    flesh = hand[0] + visible[:, :6].reshape(-1, 2, 3) @ own
    rays = np.stack([hand[0] + _CARPALS_MM @ own, hand[_KNUCKLES]], axis=1)
    web = hand[_KNUCKLES] + 0.17 * (hand[_KNUCKLES + 1] - hand[_KNUCKLES])
    webs = np.stack([web[:3], web[1:]], axis=1)
    thenar = np.array([[0.4 * hand[2] + 0.6 * hand[1], 0.3 * hand[1] + 0.7 * hand[5]]])
    parts = (
        (flesh, visible[:, 6:]),
        (rays, np.stack([np.full(4, 14.0), _JOINT_MM[_KNUCKLES] * 1.03], axis=1)),
        (webs, np.full((3, 2), 9.8)),
        (thenar, np.array([[11.0, 9.0]])),
    )
    colour = tone(z[2:3])[0]
    for capsules, radii_mm in parts:
        rack.add(capsules, radii_mm * mm, colour)
    if z[2] < 0.0:
        creases = hand[0] + _CREASES_MM.reshape(-1, 2, 3) @ own
        rack.add(creases, np.full((len(creases), 2), 1.3 * mm), colour * 0.80 + np.array([8, 0, 0]))

    wrist = hand[0] - 6.0 * own[1]
    middle = elbow + 0.45 * (wrist - elbow)
    arm = np.array([[elbow, middle], [middle, wrist], [wrist, hand[0] + 14.0 * own[1]]])
    arm_mm = np.array([(43.0, 40.0), (39.0, 24.0), (23.5, 18.0)])
    rack.add(arm, arm_mm * mm, np.stack([back, 0.5 * (back + colour), colour]))


# --- the rest of the body -----------------------------------------------------------------------

# Capsules of the head: ends in millimetres right, up and before the middle between the ears, radii,
# and what colour of the skin. Those told of one side only are mirrored to the other.
_HEAD: tuple[tuple[float, float, float, float, float, float, float, float, str], ...] = (
    (0, 32, 8, 0, -28, 24, 88, 70, "face"),
    (0, -28, 26, 0, -58, 36, 62, 42, "face"),
    (0, 16, 92, 0, -13, 104, 8.5, 12.5, "nose"),
    (0, 66, -2, 0, 30, -24, 88, 90, "hair"),
    (-30, 84, 40, 34, 90, 36, 34, 36, "hair"),
    (-17, -48, 91, 17, -48, 91, 5.2, 5.2, "lips"),
)
_HEAD_SIDES: tuple[tuple[float, float, float, float, float, float, float, float, str], ...] = (
    (36, -6, 40, 30, -34, 42, 40, 34, "face"),
    (80, 6, 0, 78, -20, 4, 16, 12, "ear"),
    (24, 22, 86, 38, 22, 81, 9.5, 8.5, "white"),
    (31, 22, 91, 31, 21, 91, 6.8, 6.8, "iris"),
    (32, 23.5, 97, 32, 23, 97, 1.8, 1.8, "white"),
    (17, 40, 97, 46, 41, 84, 4.4, 3.4, "hair"),
    (74, 20, -2, 72, 62, -8, 22, 30, "hair"),
    (17, -48, 91, 28, -41, 84, 4.8, 3.4, "lips"),
)
_ROWS = (*_HEAD, *_HEAD_SIDES, *((-r[0], r[1], r[2], -r[3], *r[4:]) for r in _HEAD_SIDES))
_HEAD_ENDS = np.array([row[:6] for row in _ROWS]).reshape(-1, 2, 3) * 1e-3
_HEAD_RADII = np.array([row[6:8] for row in _ROWS]) * 1e-3
_HEAD_COLOURS = tuple(row[8] for row in _ROWS)


def dress(figure: Figure, look: Look) -> Solids:
    """Return the capsules of a whole person."""
    rack = _Rack()
    body = figure.body
    for side, hand, shift in ((-1.0, figure.left, 0), (1.0, figure.right, 1)):
        shoulder, elbow = body[11 + shift], body[13 + shift]
        _hand(rack, hand, elbow, side, look.skin)
        sleeve = shoulder + 0.62 * (elbow - shoulder)
        rack.one(shoulder, sleeve, (0.064, 0.060), look.shirt)
        rack.one(sleeve, elbow, (0.050, 0.044), look.skin.back)
    _trunk(rack, body, look)
    _head(rack, body, look.skin)
    _legs(rack, body, look)
    return rack.solids()


def _trunk(rack: _Rack, body: Array, look: Look) -> None:
    chest, hips = (body[11] + body[12]) / 2, (body[23] + body[24]) / 2
    down = _unit(hips - chest)
    across = _unit(body[11] - body[12])
    rack.slab(chest + down * 0.07, hips - down * 0.10, (0.112, 0.092), 0.088, look.shirt)
    rack.slab(hips - down * 0.10, hips + down * 0.02, (0.092, 0.096), 0.088, look.shirt)
    rack.slab(hips + down * 0.03, hips + down * 0.06, (0.092, 0.092), 0.086, look.trousers)
    for share in (-1.0, 1.0):
        shoulder = chest + across * (0.150 * share) + down * 0.005
        rack.one(chest - down * 0.055 + across * 0.02 * share, shoulder, (0.056, 0.066), look.shirt)
    neck = chest - down * 0.03
    rack.one(neck + np.array([0, 0.02, -0.02]), neck - down * 0.09, (0.055, 0.052), look.skin.back)


def _head(rack: _Rack, body: Array, skin: Skin) -> None:
    nose, left, right = body[0], body[7], body[8]
    centre = (left + right) / 2
    across = _unit(left - right)
    # The nose is 14 mm below the line of the ears and 105 mm before it.
    ahead = nose - centre
    ahead = _unit(ahead - (ahead @ across) * across)
    over = _cross(ahead, across)
    tip = np.arctan2(0.014, 0.105)
    front, up = ahead * np.cos(tip) + over * np.sin(tip), over * np.cos(tip) - ahead * np.sin(tip)
    face, lips = np.array(skin.back, dtype=np.float64), np.array(skin.lips, dtype=np.float64)
    colours = {
        "face": face,
        "nose": face + 0.14 * (lips - face),
        "ear": face + 0.30 * (lips - face),
        "lips": lips,
        "hair": np.array(skin.hair, dtype=np.float64),
        "white": np.array((246.0, 245.0, 242.0)),
        "iris": np.array((62.0, 44.0, 34.0)),
    }
    ends = centre + _HEAD_ENDS @ np.stack([across, up, front])
    rack.add(ends, _HEAD_RADII, np.stack([colours[name] for name in _HEAD_COLOURS]))


def _legs(rack: _Rack, body: Array, look: Look) -> None:
    for shift in (0, 1):
        hip, knee, ankle = body[23 + shift], body[25 + shift], body[27 + shift]
        rack.one(hip + np.array([0.0, 0.02, 0.0]), knee, (0.092, 0.064), look.trousers)
        rack.one(knee, ankle, (0.064, 0.046), look.trousers)
        heel = body[29 + shift] + np.array([0.0, -0.035, -0.03])
        rack.one(heel, body[31 + shift] + np.array([0.0, -0.02, 0.0]), (0.042, 0.036), look.shoes)
