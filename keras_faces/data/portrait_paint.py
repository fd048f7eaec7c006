"""The painter's tools of the drawn faces: colours, noise, masks, blending and the projection of the head.

Everything is drawn on a canvas of uint8 RGB that is larger than the picture and is shrunk at the end (antialiasing).
Points are given in the **head frame**: x to the right, y down, z towards the viewer, the origin between the eyes' line
and the nose, the chin of an average head at y = 0.95 and its crown at y = -1.05.

Read next: ``portrait.py``, which paints with these tools.
"""

from __future__ import annotations

import colorsys
from functools import cache

import cv2
import numpy as np

SHIFT = 4  # OpenCV's fixed-point drawing: coordinates in sixteenths of a pixel
FRAME = 1.7  # low-resolution maps of the whole head and its hair cover x and y from -FRAME to FRAME
FACE_FRAME = 1.2  # and those of the face alone from -FACE_FRAME to FACE_FRAME
TILE = 256  # side of the noise tiles

Colour = tuple[float, float, float]


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


def smooth(knots: list[tuple[float, float]] | np.ndarray, per_span: int = 5) -> np.ndarray:
    """A smooth open curve through the knots (n, 2): float32 points ((n - 1) * per_span + 1, 2)."""
    knots = np.asarray(knots, np.float32)
    return _curve_basis(len(knots), per_span) @ knots


def mirrored(half: np.ndarray) -> np.ndarray:
    """A closed outline from its right half, given from top to bottom."""
    return np.concatenate([half, half[::-1] * np.float32([-1.0, 1.0])])


@cache
def noise_tile(kind: str) -> np.ndarray:
    """A seamless uint8 tile (TILE, TILE), mean 128: hairs run down it, "grain" is fine."""
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


def blend(image: np.ndarray, paint: np.ndarray | Colour, mask: np.ndarray) -> None:
    """Lay paint, a colour or uint8 (h, w, 3), over the image (h, w, 3) in place where the uint8 mask (h, w) is 255."""
    alpha = cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB)
    if isinstance(paint, tuple):
        over = cv2.multiply(alpha, (*paint, 0.0), scale=1.0 / 255.0)
    else:
        over = cv2.multiply(paint, alpha, scale=1.0 / 255.0)
    cv2.bitwise_not(alpha, dst=alpha)
    under = cv2.multiply(image, alpha, scale=1.0 / 255.0)
    image[...] = cv2.add(over, under)


def _inside(low: int, high: int, size: int) -> tuple[int, int]:
    """A range cut to 0 .. size, at least one long."""
    low = min(max(low, 0), size - 1)
    return low, max(low + 1, min(high, size))


class Head:
    """Where the head is on the canvas: projects points of the head frame to pixels.

    Parameters
    ----------
    size : int
        Side of the canvas in pixels.
    centre : tuple of float
        Where the head frame's origin lies, in pixels.
    unit : float
        Pixels per unit of the head frame.
    yaw, pitch, roll : float
        Pose in radians.
    """

    def __init__(
        self, size: int, centre: tuple[float, float], unit: float, yaw: float, pitch: float, roll: float
    ) -> None:
        self.size, self.unit = size, unit
        self.sin_yaw, self.cos_yaw, self.sin_pitch = np.sin(yaw).item(), np.cos(yaw).item(), np.sin(pitch).item()
        cos, sin = unit * np.cos(roll).item(), unit * np.sin(roll).item()
        self.matrix = np.float32([[cos, -sin, centre[0]], [sin, cos, centre[1]]])
        self.rows = self.matrix.tolist()
        self._turn = np.ascontiguousarray(self.matrix[:, :2].T) * (1 << SHIFT)
        self._move = self.matrix[:, 2] * (1 << SHIFT)

    @staticmethod
    def depth(x: float, y: float) -> float:
        """Height z of the face's surface above the plane through the ears."""
        return 0.80 * max(0.0, 1.0 - (x / 0.86) ** 2 - ((y - 0.1) / 1.30) ** 2) ** 0.5

    def spot(self, x: float, y: float, rise: float = 0.0) -> tuple[float, float, float]:
        """Turn a point of the face, `rise` above its surface: x and y after yaw and pitch, and the squeeze of x."""
        z = self.depth(x, y) + rise
        slope = -0.865 * x / max(z - rise, 0.25)
        squeeze = min(max(self.cos_yaw + slope * self.sin_yaw, 0.35), 1.25)
        return x * self.cos_yaw + (z - 0.15) * self.sin_yaw, y - (z - 0.30) * self.sin_pitch, squeeze

    def turn(self, points: np.ndarray, depth: np.ndarray | float = 0.0) -> np.ndarray:
        """Turn points (n, 2) of the head frame that lie at the given depth."""
        turned = np.empty_like(points)
        turned[:, 0] = points[:, 0] * self.cos_yaw + (depth - 0.15) * self.sin_yaw
        turned[:, 1] = points[:, 1] - (depth - 0.30) * self.sin_pitch
        return turned

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Turned points (n, 2) to canvas coordinates in OpenCV's fixed point."""
        return (np.dot(points, self._turn) + self._move).astype(np.int32)

    def lines(self, lines: list[np.ndarray] | np.ndarray) -> list[np.ndarray]:
        """Lines of turned points, a list of (n, 2) or an array (lines, n, 2), to canvas coordinates."""
        if isinstance(lines, np.ndarray):
            return list(self.pixels(lines))
        return [self.pixels(line) for line in lines]

    def box(self, softness: float) -> tuple[int, int]:
        """Side of the blurring box for a softness in units of the head."""
        side = 2 * max(1, round(softness * self.unit)) + 1
        return side, side

    def patch_around(self, points: np.ndarray, margin: float = 0.0) -> Patch:
        """The window of the canvas around turned points: what lies outside need not be painted."""
        left, top, wide, tall = cv2.boundingRect(self.pixels(points))
        more = round(margin * self.unit) + 1
        left, right = _inside((left >> SHIFT) - more, ((left + wide) >> SHIFT) + more + 1, self.size)
        top, bottom = _inside((top >> SHIFT) - more, ((top + tall) >> SHIFT) + more + 1, self.size)
        return Patch(self, left, top, right, bottom)

    def mask(self, points: np.ndarray, softness: float = 0.0) -> np.ndarray:
        """Fill an outline of turned points: uint8 (size, size); softness in units of the head."""
        mask = np.zeros((self.size, self.size), np.uint8)
        cv2.fillPoly(mask, [self.pixels(points)], 255, cv2.LINE_8 if softness else cv2.LINE_AA, SHIFT)
        return self.soften(mask, softness) if softness else mask

    def soften(self, mask: np.ndarray, softness: float) -> np.ndarray:
        """Blur a mask by `softness` units of the head."""
        return cv2.blur(mask, self.box(softness))

    def patch(self, x: float, y: float, reach_x: float, reach_y: float) -> Patch | None:
        """A window of the canvas around the turned point (x, y); None if it lies outside."""
        (a, b, c), (d, e, f) = self.rows
        centre_x, centre_y = a * x + b * y + c, d * x + e * y + f
        reach_x, reach_y = reach_x * self.unit, reach_y * self.unit
        left, right = max(0, int(centre_x - reach_x)), min(self.size, int(centre_x + reach_x) + 2)
        top, bottom = max(0, int(centre_y - reach_y)), min(self.size, int(centre_y + reach_y) + 2)
        return Patch(self, left, top, right, bottom) if right > left and bottom > top else None

    def warp(self, low: np.ndarray, frame: float = FRAME) -> np.ndarray:
        """Bring a smooth map of the head frame (n, n) onto the canvas, turned by roll, scaled and shifted.

        It is turned at half the canvas's size and then doubled, which looks the same and costs a third.
        """
        step, half = frame / (low.shape[0] - 1), self.size // 2
        (a, b, c), (d, e, f) = self.rows
        move = 0.5 * (c - frame * (a + b)), 0.5 * (f - frame * (d + e))
        matrix = np.float32([[a * step, b * step, move[0]], [d * step, e * step, move[1]]])
        turned = cv2.warpAffine(low, matrix, (half, half), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return cv2.resize(turned, (self.size, self.size))


class Patch:
    """A window of the canvas: small features are drawn and blended there, which is cheaper than on all of it."""

    def __init__(self, head: Head, left: int, top: int, right: int, bottom: int) -> None:
        self.head = head
        self.window = (slice(top, bottom), slice(left, right))
        self.shape = (bottom - top, right - left)
        self._corner = np.int32([left << SHIFT, top << SHIFT])

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Turned points (n, 2) to this window's fixed-point coordinates."""
        return self.head.pixels(points) - self._corner

    def mask(self, points: np.ndarray, line: int = cv2.LINE_AA) -> np.ndarray:
        """Fill an outline of turned points: uint8 of the window's shape."""
        mask = np.zeros(self.shape, np.uint8)
        cv2.fillPoly(mask, [self.pixels(points)], 255, line, SHIFT)
        return mask
