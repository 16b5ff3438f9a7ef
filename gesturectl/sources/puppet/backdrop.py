"""What is behind and around the person: backgrounds, lights, and the noise of a sensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from gesturectl.sources.puppet.render import Image, Light


def _toward(x: float, y: float, z: float) -> tuple[float, float, float]:
    length = (x * x + y * y + z * z) ** 0.5
    return x / length, y / length, z / length


LIGHTS: Mapping[str, Light] = MappingProxyType(
    {
        "bright": Light(_toward(-0.30, -0.50, -0.80), 0.58, 0.52),
        "side": Light(_toward(-0.75, -0.35, -0.55), 0.66, 0.42),
        "dim": Light(_toward(-0.30, -0.70, -0.60), 0.30, 0.24),
        "warm": Light(_toward(0.40, -0.65, -0.60), 0.60, 0.46, (1.04, 0.95, 0.82)),
    }
)
"""`direction` points toward the light: from the left and above, in front of the person."""


def paint(name: str, size_px: tuple[int, int], seed: int, light: str) -> Image:
    """Return the background `name`, uint8 (H, W, 3), as this light shows it, out of focus."""
    width, height = size_px
    rng = np.random.default_rng(seed)
    canvas = np.empty((480, 640, 3), np.uint8)
    _BACKGROUNDS[name](canvas, rng)
    canvas = cv2.GaussianBlur(canvas, (0, 0), 3.0)
    lit = LIGHTS[light]
    level = (lit.key * 0.75 + lit.ambient) / (0.60 * 0.75 + 0.50)
    shaded = canvas * (np.asarray(lit.tint) * level)
    sized = cv2.resize(shaded, (width, height), interpolation=cv2.INTER_AREA)
    background: Image = np.clip(sized, 0, 255).astype(np.uint8)
    return background


def _plain(canvas: Image, rng: np.random.Generator) -> None:
    canvas[:] = (188, 192, 190)


def _gradient(canvas: Image, rng: np.random.Generator) -> None:
    top, bottom = np.array([206.0, 214.0, 216.0]), np.array([142.0, 150.0, 158.0])
    share = np.linspace(0.0, 1.0, canvas.shape[0])[:, None, None]
    canvas[:] = (top + (bottom - top) * share).astype(np.uint8)


def _room(canvas: Image, rng: np.random.Generator) -> None:
    share = np.linspace(0.0, 1.0, 480)[:, None, None]
    canvas[:] = (np.array([216.0, 213.0, 204.0]) - 26.0 * share).astype(np.uint8)
    cv2.rectangle(canvas, (0, 408), (640, 480), (164, 138, 112), -1)  # floor
    cv2.rectangle(canvas, (0, 402), (640, 409), (232, 230, 224), -1)  # skirting
    cv2.rectangle(canvas, (30, 40), (176, 232), (244, 244, 240), -1)  # window
    for x0, y0 in ((38, 48), (107, 48), (38, 140), (107, 140)):
        cv2.rectangle(canvas, (x0, y0), (x0 + 61, y0 + 84), (196, 220, 236), -1)
    cv2.rectangle(canvas, (478, 74), (618, 86), (142, 104, 74), -1)  # shelves with books
    cv2.rectangle(canvas, (478, 178), (618, 190), (142, 104, 74), -1)
    for base in (74, 178):
        x = 484
        while x < 596:
            wide, high = int(rng.integers(8, 17)), int(rng.integers(38, 62))
            colour = tuple(int(v) for v in rng.integers(70, 190, 3))
            cv2.rectangle(canvas, (x, base - high), (x + wide, base - 1), colour, -1)
            x += wide + 2
    cv2.rectangle(canvas, (548, 356), (600, 412), (188, 112, 78), -1)  # a plant in its pot
    for angle in range(-70, 71, 20):
        end = (574 + int(64 * np.sin(np.deg2rad(angle))), 352 - int(74 * np.cos(np.deg2rad(angle))))
        cv2.line(canvas, (574, 356), end, (82, 134, 84), 13)


def _clutter(canvas: Image, rng: np.random.Generator) -> None:
    _room(canvas, rng)
    for _ in range(46):
        x, y = int(rng.integers(0, 640)), int(rng.integers(0, 480))
        w, h = int(rng.integers(14, 90)), int(rng.integers(14, 90))
        colour = tuple(int(v) for v in rng.integers(40, 225, 3))
        if rng.random() < 0.5:
            cv2.rectangle(canvas, (x, y), (x + w, y + h), colour, -1)
        else:
            cv2.ellipse(
                canvas, (x, y), (w // 2, h // 2), float(rng.integers(180)), 0, 360, colour, -1
            )


_BACKGROUNDS: Mapping[str, Callable[[Image, np.random.Generator], None]] = MappingProxyType(
    {"plain": _plain, "gradient": _gradient, "room": _room, "clutter": _clutter}
)


class Noise:
    """Sensor noise: one large field drawn once, a window of it chosen anew for every frame."""

    _MARGIN = 96

    def __init__(self, size_px: tuple[int, int], deviation: float, seed: int) -> None:
        self._size = size_px
        self._seed = seed
        self._field: NDArray[np.int8] | None = None
        if deviation > 0:
            width, height = size_px
            rng = np.random.default_rng(seed)
            shape = (height + self._MARGIN, width + self._MARGIN, 3)
            drawn = rng.standard_normal(shape, dtype=np.float32) * np.float32(deviation)
            self._field = np.clip(np.rint(drawn), -127, 127).astype(np.int8)

    def over(self, picture: Image, index: int) -> Image:
        """Return the picture with the noise of frame `index`."""
        if self._field is None:
            return picture
        width, height = self._size
        x, y = np.random.default_rng((self._seed, index)).integers(0, self._MARGIN, 2)
        window = self._field[y : y + height, x : x + width]
        noisy: Image = cv2.add(picture, window, dtype=cv2.CV_8U)
        return noisy
