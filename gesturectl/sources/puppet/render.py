"""Draw shaded capsules with a depth buffer, fast enough to share a small machine with a landmarker.

In:  capsules (two balls and what is between them) in camera metres, each of one colour.
Out: a picture, uint8 (H, W, 3).

Each capsule is solved per pixel inside its own bounding box only, into buffers of depth, normal
and capsule number; light is computed once, for all of them, from the buffers. Edges are smoothed
by the blur that a lens has anyway. Nothing is supersampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Image = NDArray[np.uint8]

FAR_M = 100.0


@dataclass(frozen=True, slots=True)
class Lens:
    """A pinhole camera: focal length and centre in pixels, size (width, height)."""

    size_px: tuple[int, int]
    focal_px: float
    centre_px: tuple[float, float]

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return pixels (..., 2) of points (..., 3) in metres; depth must be positive."""
        z = np.maximum(points[..., 2:], 0.05)
        pixels: NDArray[np.float64] = points[..., :2] * (self.focal_px / z) + self.centre_px
        return pixels


@dataclass(frozen=True, slots=True, eq=False)
class Solids:
    """N ≤ 255 capsules: `ends` (N, 2, 3) and `radii` (N, 2) in metres, `colours` (N, 3) RGB 0..255.

    `matt` (N,) is 0 for skin, which gets a texture and a soft sheen, and 1 for cloth.
    """

    ends: NDArray[np.float64]
    radii: NDArray[np.float64]
    colours: NDArray[np.float64]
    matt: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Light:
    """Where light comes from (unit vector toward it, camera axes) and how much, 1 is full white."""

    direction: tuple[float, float, float]
    key: float
    ambient: float
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


class Renderer:
    """Draws frames of one size over one background, reusing its buffers."""

    def __init__(self, lens: Lens, background: Image, light: Light, seed: int) -> None:
        width, height = lens.size_px
        self.lens = lens
        self._background = background
        self._light = light
        self._depth = np.empty((height, width), np.float32)
        self._nx = np.empty((height, width), np.float32)
        self._ny = np.empty((height, width), np.float32)
        self._number = np.empty((height, width), np.uint8)
        rng = np.random.default_rng(seed)
        grain = cv2.GaussianBlur(rng.normal(0.0, 1.0, (256, 256)).astype(np.float32), (0, 0), 2.2)
        self._skin = (grain / grain.std()).astype(np.float32)

    def draw(self, solids: Solids, anchor: NDArray[np.float64] | None = None) -> Image:
        """Return a new picture of the solids.

        `anchor` (2, 2) are the pixels of two points that carry the skin texture, so that it moves
        with the hand: the wrist and the middle knuckle.
        """
        picture = self._background.copy()
        box = self._fill(solids)
        if box is None:
            return picture
        x0, y0, x1, y1 = box
        window = np.s_[y0:y1, x0:x1]
        shade = self._shade(window, anchor, (x0, y0))
        number = self._number[window]
        table = np.zeros((256, 1, 3), np.uint8)
        table[1 : len(solids.colours) + 1, 0] = np.clip(solids.colours, 0, 255)
        albedo = cv2.LUT(cv2.merge([number, number, number]), table)
        lit = cv2.multiply(albedo, shade, dtype=cv2.CV_8U)
        cv2.copyTo(lit, number, picture[window])
        return picture

    def _fill(self, solids: Solids) -> tuple[int, int, int, int] | None:
        """Fill the buffers; return the box (x0, y0, x1, y1) that holds all solids, or None."""
        width, height = self.lens.size_px
        focal = self.lens.focal_px
        z = np.maximum(solids.ends[..., 2], 0.05)
        px = self.lens.project(solids.ends)
        radius_px = solids.radii * focal / z
        low = np.floor((px - radius_px[..., None]).min(axis=1)).astype(int)
        high = np.ceil((px + radius_px[..., None]).max(axis=1)).astype(int) + 1
        low = np.maximum(low, 0)
        high = np.minimum(high, (width, height))
        seen = np.flatnonzero((high > low).all(axis=1) & (solids.ends[..., 2].min(axis=1) > 0.08))
        if not len(seen):
            return None
        x0, y0 = (int(v) for v in low[seen].min(axis=0))
        x1, y1 = (int(v) for v in high[seen].max(axis=0))
        self._depth[y0:y1, x0:x1] = FAR_M
        self._number[y0:y1, x0:x1] = 0
        # Near ones first: what lies behind them then fails the depth test and is not written.
        for i in seen[np.argsort(z[seen].mean(axis=1))]:
            self._capsule(
                int(i) + 1, px[i], z[i], radius_px[i], (*low[i].tolist(), *high[i].tolist())
            )
        return x0, y0, x1, y1

    def _capsule(
        self,
        number: int,
        px: NDArray[np.float64],
        z: NDArray[np.float64],
        radius_px: NDArray[np.float64],
        box: tuple[int, int, int, int],
    ) -> None:
        """Write one capsule where it is nearer than what is there.

        Orthographic within the capsule: for a pixel at `along` the axis and `off` it, the surface
        nearest to the eye belongs to the ball at `s`, which lies further toward the nearer end the
        more the axis is foreshortened.
        """
        x0, y0, x1, y1 = box
        delta = px[1] - px[0]
        length = float(np.hypot(*delta))
        if length < 1e-3:
            delta, length = np.array([1e-3, 0.0]), 1e-3
        ux, uy = (np.float32(v) for v in delta / length)
        scale = float(z.mean()) / self.lens.focal_px  # metres of a pixel
        rise = float(z[0] - z[1]) / scale  # toward the eye, in pixels
        sine = np.float32(rise / np.hypot(rise, length))
        x = np.arange(x0, x1, dtype=np.float32) - np.float32(px[0, 0])
        y = np.arange(y0, y1, dtype=np.float32)[:, None] - np.float32(px[0, 1])
        along = ux * x + uy * y
        off = ux * y - uy * x
        off2 = off * off
        middle = np.float32(radius_px.mean() ** 2)
        s = middle - off2
        np.maximum(s, 0, out=s)
        np.sqrt(s, out=s)
        s *= sine
        s += along
        np.clip(s, 0, np.float32(length), out=s)
        radius = s * np.float32((radius_px[1] - radius_px[0]) / length)
        radius += np.float32(radius_px[0])
        back = along - s
        h = radius * radius
        h -= off2
        h -= back * back
        inside = h > 0
        np.maximum(h, 0, out=h)
        np.sqrt(h, out=h)
        depth = s * np.float32((z[1] - z[0]) / length)
        depth += np.float32(z[0])
        h *= np.float32(scale)
        depth -= h
        window = np.s_[y0:y1, x0:x1]
        inside &= depth < self._depth[window]
        mask = inside.view(np.uint8)
        cv2.copyTo(depth, mask, self._depth[window])
        np.divide(1, radius, out=radius)
        nx = back * ux
        nx -= off * uy
        nx *= radius
        ny = back * uy
        ny += off * ux
        ny *= radius
        cv2.copyTo(nx, mask, self._nx[window])
        cv2.copyTo(ny, mask, self._ny[window])
        self._number[window][inside] = number

    def _shade(
        self,
        window: tuple[slice, slice],
        anchor: NDArray[np.float64] | None,
        origin: tuple[int, int],
    ) -> Float32:
        """Return the light (h, w, 3) on each pixel, 1 leaving its colour as it is."""
        light = self._light
        depth = self._depth[window]
        nx, ny = cv2.blur(self._nx[window], (3, 3)), cv2.blur(self._ny[window], (3, 3))
        nz = 1 - nx * nx - ny * ny
        np.maximum(nz, 0.0, out=nz)
        np.sqrt(nz, out=nz)
        lx, ly, lz = light.direction
        lambert = nx * np.float32(lx)
        lambert += ny * np.float32(ly)
        lambert -= nz * np.float32(lz)
        np.maximum(lambert, 0.0, out=lambert)
        lambert *= np.float32(light.key)
        lambert += np.float32(light.ambient)
        lambert *= self._openness(depth)
        if anchor is not None:
            lambert *= self._texture(anchor, origin, (depth.shape[1], depth.shape[0]))
        shade: Float32 = cv2.merge([lambert * np.float32(t) for t in light.tint])
        return shade

    @staticmethod
    def _openness(depth: Float32) -> Float32:
        """Return how open to the light each pixel is, by unsharp masking of the depth buffer.

        A point deeper than its surroundings is in their shade: Luft, Colditz & Deussen 2006,
        "Image enhancement by unsharp masking the depth buffer".
        """
        height, width = depth.shape
        small = cv2.resize(
            np.minimum(depth, 6.0),
            (max(width // 4, 1), max(height // 4, 1)),
            interpolation=cv2.INTER_AREA,
        )
        around = cv2.resize(cv2.blur(small, (9, 9)), (width, height))
        openness: Float32 = (around - depth) * np.float32(3.0)
        openness += np.float32(1.0)
        np.clip(openness, 0.62, 1.0, out=openness)
        return openness

    def _texture(
        self, anchor: NDArray[np.float64], origin: tuple[int, int], size: tuple[int, int]
    ) -> Float32:
        """Return skin grain (h, w) about 1 that turns and grows with the two anchor points."""
        (ax, ay), (bx, by) = anchor - np.asarray(origin)
        ux, uy = (bx - ax) / 90.0, (by - ay) / 90.0
        matrix = np.array([[ux, -uy, ax - 128 * ux + 128 * uy], [uy, ux, ay - 128 * uy - 128 * ux]])
        grain: Float32 = cv2.warpAffine(self._skin, matrix, size, borderMode=cv2.BORDER_WRAP)
        grain *= np.float32(0.025)
        grain += np.float32(1.0)
        return grain
