"""The painter's tools of the drawn faces: colours, noise, masks, blending and the projection of the head.

Everything is drawn on a canvas of uint8 RGB that is larger than the picture and is shrunk at the end (antialiasing).
Points are given in the **head frame**: x to the right, y down, z towards the viewer, the origin between the eyes' line
and the nose, the chin of an average head at y = 0.95 and its crown at y = -1.05.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

SHIFT = 4  # OpenCV's fixed-point drawing: coordinates in sixteenths of a pixel
FRAME = 1.7  # low-resolution maps of the whole head and its hair cover x and y from -FRAME to FRAME
FACE_FRAME = 1.1  # and those of the face alone from -FACE_FRAME to FACE_FRAME
TILE = 256  # side of the noise tiles

FLIP = np.float32([-1.0, 1.0])  # mirrors points left to right
_LEFT_AND_RIGHT = np.float32([[[-1.0, 1.0]], [[1.0, 1.0]]])

Colour = tuple[float, float, float]
Window = tuple[slice, slice]  # rows and columns of the canvas
Outlines = Sequence[np.ndarray] | np.ndarray  # int32 outlines or lines, a list of (n, 2) or one array (outlines, n, 2)


@cache
def _curve_basis(knots: int, per_span: int) -> np.ndarray:
    """Matrix (points, knots) of a Catmull-Rom spline through its knots, the end knots doubled."""
    time = np.arange(per_span, dtype=np.float32) / per_span
    weights = 0.5 * np.stack(
        [
            -time + 2 * time**2 - time**3,
            2 - 5 * time**2 + 3 * time**3,
            time + 4 * time**2 - 3 * time**3,
            -(time**2) + time**3,
        ],
        axis=1,
    )
    basis = np.zeros(((knots - 1) * per_span + 1, knots), np.float32)
    for span in range(knots - 1):
        rows = slice(span * per_span, (span + 1) * per_span)
        for tap in range(4):
            basis[rows, min(max(span + tap - 1, 0), knots - 1)] += weights[:, tap]
    basis[-1, -1] = 1.0
    return basis


def smooth(knots: Sequence[tuple[float, float]] | np.ndarray, per_span: int = 5) -> np.ndarray:
    """A smooth open curve through the knots (..., n, 2): float32 points (..., (n - 1) * per_span + 1, 2)."""
    knots = np.asarray(knots, np.float32)
    return _curve_basis(knots.shape[-2], per_span) @ knots


def mirrored(half: np.ndarray) -> np.ndarray:
    """A closed outline from its right half, given from top to bottom."""
    return np.concatenate((half, half[::-1] * FLIP))


def both_sides(right: np.ndarray) -> np.ndarray:
    """A curve (n, 2) of the right half and its mirror image: float32 (2, n, 2), the left one first."""
    return right * _LEFT_AND_RIGHT


def between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Closed outlines (..., 2n, 2) between two curves (..., n, 2) that run the same way."""
    return np.concatenate((first, second[..., ::-1, :]), axis=-2)


@cache
def noise_tile(kind: str, halvings: int = 0) -> np.ndarray:
    """A seamless uint8 tile, mean 128: hairs run down it, "grain" is fine. Its side is TILE, halved a few times."""
    if halvings:
        side = TILE >> halvings
        return cv2.resize(noise_tile(kind), (side, side), interpolation=cv2.INTER_AREA)
    random = np.random.Generator(np.random.PCG64(20))
    octaves = {
        "strands": [(0.8, 30.0, 1.0), (2.2, 45.0, 1.0), (6.0, 60.0, 0.8)],
        "beard": [(0.7, 2.5, 1.0), (1.4, 5.0, 0.8), (5.0, 6.0, 0.5)],
        "short": [(0.8, 6.0, 1.0), (2.0, 9.0, 1.0), (5.0, 14.0, 0.8)],
        "curls": [(2.0, 2.0, 0.5), (4.5, 4.5, 1.0)],
        "clouds": [(12.0, 12.0, 1.0), (24.0, 24.0, 1.0)],
        "grain": [(0.7, 0.7, 1.0), (1.6, 1.6, 0.6)],
    }[kind]
    total = np.zeros((TILE, TILE))
    frequency = np.fft.fftfreq(TILE) * 2.0 * np.pi
    for across, along, weight in octaves:
        filter_ = np.exp(-0.5 * ((frequency[None, :] * across) ** 2 + (frequency[:, None] * along) ** 2))
        layer = np.fft.ifft2(np.fft.fft2(random.standard_normal((TILE, TILE))) * filter_).real
        total += weight * layer / layer.std()
    return np.clip(128.0 + 48.0 * total / total.std(), 0, 255).astype(np.uint8)


@cache
def _ramp_basis(stops: tuple[float, ...]) -> np.ndarray:
    """Matrix (256, stops) of linear interpolation between the stops."""
    tone = np.linspace(0.0, 1.0, 256)
    return np.stack([np.interp(tone, stops, row) for row in np.eye(len(stops))], axis=1).astype(np.float32)


def ramp(stops: tuple[float, ...], colours: list[Colour] | np.ndarray) -> np.ndarray:
    """A table (256, 1, 3) from tone to RGB: the colours (0-255) at the stops (0-1), linear in between."""
    return (_ramp_basis(stops) @ np.array(colours, np.float32)).astype(np.uint8)[:, None, :]


def tint(tone: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Colour a uint8 tone map (h, w) by a ramp: uint8 (h, w, 3)."""
    return cv2.applyColorMap(tone, table)


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """RGB in 0-255 from hue (any number, 1 = once around), saturation and value in 0-1."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return 255.0 * red, 255.0 * green, 255.0 * blue


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The first colour with a share (0-1) of the second."""
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
        first[2] + (second[2] - first[2]) * share,
    )


def shade(colour: Colour, red: float, green: float, blue: float) -> Colour:
    """A colour with each channel multiplied by a factor."""
    return colour[0] * red, colour[1] * green, colour[2] * blue


def blend(image: np.ndarray, paint: np.ndarray | Colour, mask: np.ndarray) -> None:
    """Lay paint, a colour or uint8 (h, w, 3), over the image (h, w, 3) in place where the uint8 mask (h, w) is 255."""
    if isinstance(paint, tuple):  # OpenCV fills a picture many times faster than NumPy does
        paint = cv2.rectangle(np.empty((*mask.shape, 3), np.uint8), (0, 0), mask.shape[::-1], paint, cv2.FILLED)
    alpha = cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB)
    over = cv2.multiply(paint, alpha, scale=1.0 / 255.0)
    cv2.bitwise_not(alpha, dst=alpha)
    under = cv2.multiply(image, alpha, dst=alpha, scale=1.0 / 255.0)
    cv2.add(over, under, dst=image)


def _inside(low: int, high: int, size: int) -> tuple[int, int]:
    """A range cut to 0 .. size, at least one long, that starts at an even number."""
    low = min(max(low, 0), size - 1)
    return low & ~1, max(low + 1, min(high, size))


def _solid(points: np.ndarray, depth: np.ndarray | float) -> np.ndarray:
    """Points (..., 2) and their depth as x, y, z: float32 (..., 3)."""
    solid = np.empty((*points.shape[:-1], 3), np.float32)
    solid[..., :2] = points
    solid[..., 2] = depth
    return solid


def _transform(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (n, k) or (lines, n, k) by an affine matrix (2, k + 1), as int32."""
    if points.ndim == 2:
        return cv2.transform(points[None], matrix)[0].astype(np.int32)
    return cv2.transform(points, matrix).astype(np.int32)


class Head:
    """Where the head is on the canvas: projects points of the head frame to pixels.

    `turn` (or `spot`) applies yaw and pitch, `pixels` roll, scale and place, `project` both. A call costs more than the
    sums in it, so a feature projects all its curves at once.

    `size` is the side of the canvas, `centre` the origin of the head frame and `unit` its unit, all in pixels; `yaw`,
    `pitch` and `roll` are in radians.
    """

    def __init__(
        self, size: int, centre: tuple[float, float], unit: float, yaw: float, pitch: float, roll: float
    ) -> None:
        self.size, self.unit = size, unit
        self.sin_yaw, self.cos_yaw, self.sin_pitch = math.sin(yaw), math.cos(yaw), math.sin(pitch)
        cos, sin = unit * math.cos(roll), unit * math.sin(roll)
        self.rows = (cos, -sin, centre[0]), (sin, cos, centre[1])
        self._flat = np.float32(self.rows) * (1 << SHIFT)
        self._turn = np.float32(
            [
                (self.cos_yaw, 0.0, self.sin_yaw, -0.15 * self.sin_yaw),
                (0.0, 1.0, -self.sin_pitch, 0.30 * self.sin_pitch),
                (0.0, 0.0, 0.0, 1.0),
            ]
        )
        self._solid = self._flat.dot(self._turn)

    def spot(self, x: float, y: float, rise: float = 0.0) -> tuple[float, float, float]:
        """Turn a point of the face, `rise` above its surface: x and y after yaw and pitch, and the squeeze of x."""
        depth = 0.80 * max(0.0, 1.0 - (x / 0.86) ** 2 - ((y - 0.1) / 1.30) ** 2) ** 0.5  # above the plane of the ears
        z = depth + rise
        slope = -0.865 * x / max(z - rise, 0.25)
        squeeze = min(max(self.cos_yaw + slope * self.sin_yaw, 0.35), 1.25)
        return x * self.cos_yaw + (z - 0.15) * self.sin_yaw, y - (z - 0.30) * self.sin_pitch, squeeze

    def turn(self, points: np.ndarray, depth: np.ndarray | float = 0.0) -> np.ndarray:
        """Turn points (n, 2) of the head frame that lie at the given depth: float32 (n, 2)."""
        return cv2.transform(_solid(points, depth)[None], self._turn[:2])[0]

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Turned points, float32 (n, 2) or (lines, n, 2), to canvas coordinates in OpenCV's fixed point: int32."""
        return _transform(points, self._flat)

    def project(self, points: np.ndarray, depth: np.ndarray | float = 0.0) -> np.ndarray:
        """Points (n, 2) or (lines, n, 2) of the head frame at the given depth to canvas coordinates, like `pixels`."""
        return _transform(_solid(points, depth), self._solid)

    def window(self, pixels: np.ndarray, margin: float = 0.0) -> Window:
        """The part of the canvas around fixed-point pixels (n, 2) and a margin in units of the head, at least 1 x 1.

        It starts at even pixels, so that maps of half the canvas's resolution meet the pixels of the picture.
        """
        left, top, wide, tall = cv2.boundingRect(pixels)
        more = round(margin * self.unit) + 1
        left, right = _inside((left >> SHIFT) - more, ((left + wide) >> SHIFT) + more + 1, self.size)
        top, bottom = _inside((top >> SHIFT) - more, ((top + tall) >> SHIFT) + more + 1, self.size)
        return slice(top, bottom), slice(left, right)

    def mask(self, outlines: Outlines, line: int = cv2.LINE_AA) -> np.ndarray:
        """Fill outlines of fixed-point pixels: uint8 (size, size)."""
        return cv2.fillPoly(np.zeros((self.size, self.size), np.uint8), outlines, 255, line, SHIFT)

    def soft_mask(self, outlines: Outlines, softness: float, window: Window) -> np.ndarray:
        """Fill outlines and blur them by `softness` units of the head, seen in a window: uint8."""
        return self.soften(self.mask(outlines, cv2.LINE_8)[window], softness)

    def soften(self, mask: np.ndarray, softness: float) -> np.ndarray:
        """Blur a mask by `softness` units of the head."""
        side = 2 * max(1, round(softness * self.unit)) + 1
        return cv2.blur(mask, (side, side))

    def warp(self, low: np.ndarray, window: Window, frame: float = FRAME, stretch: float = 1.0) -> np.ndarray:
        """Bring a smooth map of the head frame (n, n) onto a window of the canvas, turned by roll, scaled and shifted.

        The result has half the canvas's resolution: `double` it at the end, which looks the same and costs a third.
        """
        rows, columns = window
        wide, tall = (columns.stop - columns.start + 1) // 2, (rows.stop - rows.start + 1) // 2
        step = frame / (low.shape[0] - 1)
        (a, b, c), (d, e, f) = self.rows
        a, d = stretch * a, stretch * d
        move_x, move_y = c - columns.start - frame * (a + b), f - rows.start - frame * (d + e)
        matrix = np.float32([(a * step, b * step, 0.5 * move_x), (d * step, e * step, 0.5 * move_y)])
        return cv2.warpAffine(low, matrix, (wide, tall), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    @staticmethod
    def double(half: np.ndarray, window: Window, interpolation: int = cv2.INTER_LINEAR) -> np.ndarray:
        """Bring a picture of half the canvas's resolution to all pixels of its window."""
        rows, columns = window
        double = cv2.resize(half, (2 * half.shape[1], 2 * half.shape[0]), interpolation=interpolation)
        return double[: rows.stop - rows.start, : columns.stop - columns.start]
