"""What a display really shows, as pictures: uint8 (height, width, 3), red, green, blue."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gesturectl.display.drawing import HEIGHT, WIDTH
from tests.e2e.wayland import Sway
from tests.e2e.xserver import XServer

Rgb = NDArray[np.uint8]


def of_x11(server: XServer, file: Path) -> Rgb:
    """Return what the whole screen shows, and keep it in a file for whoever looks."""
    import xcffib
    import xcffib.xproto

    connection = xcffib.connect(server.display)
    try:
        screen = connection.get_setup().roots[0]
        root = connection.core.GetGeometry(screen.root).reply()
        size = (root.width, root.height)
        told = connection.core.GetImage(2, screen.root, 0, 0, *size, 0xFFFFFFFF).reply()
        raw = np.frombuffer(bytes(told.data.buf()), np.uint8)
    finally:
        connection.disconnect()
    picture = raw.reshape(root.height, root.width, 4)[:, :, [2, 1, 0]]
    Image.fromarray(picture).save(file)
    return picture


def shows_panel(picture: Rgb, at: tuple[int, int], scale: int = 1) -> bool:
    """Whether a busy panel's green is there, in the row of what acted last."""
    x, y = (scale * one for one in at)
    part = picture[y : y + scale * HEIGHT, x : x + scale * WIDTH].astype(int)
    green = (part[:, :, 1] > part[:, :, 0] + 40) & (part[:, :, 1] > part[:, :, 2] + 20)
    return bool(green.sum() > 0.1 * WIDTH * HEIGHT * scale**2)


def of_sway(sway: Sway, output: str, file: Path) -> Rgb:
    """Return what an output shows, in its own pixels."""
    shot = subprocess.run(
        ["grim", "-o", output, "-"], env=sway.env, check=True, capture_output=True
    )
    file.write_bytes(shot.stdout)
    return np.asarray(Image.open(io.BytesIO(shot.stdout)).convert("RGB"))
