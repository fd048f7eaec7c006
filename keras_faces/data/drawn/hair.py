"""The hair of a drawn face: an outline for each cut, filled with strands that flow from the parting.

The strands are a seamless noise tile, stretched along one axis. For each pixel of the head two coordinates say how far
across and how far along a strand it lies; looking the tile up there makes the strands follow the head. Their brightness
is the light on a round volume, plus a band of gloss, plus the tile.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache

import cv2
import numpy as np

from .factors import FALLING_CUTS
from .paint import SHIFT, TILE, Window, between, blend, both_sides, noise_tile, smooth, tint
from .scene import Scene, axis, round_tone, to_bytes

# Right halves. OUTER runs from the top of the head to the end of the hair; INNER (the hairline) from there back up.
_OUTER = {
    "short": [(0.0, -1.13), (0.34, -1.07), (0.60, -0.86), (0.72, -0.52), (0.72, -0.20), (0.69, 0.02)],
    "side": [(0.0, -1.17), (0.36, -1.12), (0.63, -0.89), (0.74, -0.52), (0.73, -0.20), (0.69, 0.04)],
    "swept": [(0.0, -1.24), (0.33, -1.18), (0.60, -0.94), (0.72, -0.54), (0.71, -0.20), (0.68, 0.02)],
    "buzz": [(0.0, -1.075), (0.33, -1.01), (0.58, -0.80), (0.685, -0.48), (0.69, -0.20), (0.675, -0.02)],
    "receding": [(0.0, -1.09), (0.34, -1.03), (0.60, -0.83), (0.72, -0.50), (0.73, -0.18), (0.69, 0.06)],
    "curly": [(0.0, -1.26), (0.42, -1.20), (0.76, -0.95), (0.90, -0.56), (0.90, -0.15), (0.80, 0.16)],
    "medium": [(0.0, -1.15), (0.37, -1.09), (0.66, -0.86), (0.78, -0.46), (0.82, 0.00), (0.78, 0.42), (0.66, 0.60)],
    "bob": [(0.0, -1.16), (0.38, -1.10), (0.68, -0.86), (0.81, -0.44), (0.87, 0.06), (0.88, 0.52), (0.70, 0.80)],
    "long": [(0.0, -1.15), (0.37, -1.09), (0.67, -0.85), (0.80, -0.42), (0.88, 0.10), (0.94, 0.70), (1.0, 1.7)],
    "tied": [(0.0, -1.11), (0.34, -1.05), (0.60, -0.85), (0.71, -0.52), (0.71, -0.22), (0.67, -0.02)],
}
_OUTER = {cut: np.float32(knots) for cut, knots in _OUTER.items()}
_SIDES = [(0.655, -0.02), (0.635, -0.22), (0.610, -0.42)]
_INNER = {
    "short": [*_SIDES, (0.45, -0.64), (0.20, -0.70), (0.0, -0.70)],
    "side": [*_SIDES, (0.47, -0.66), (0.22, -0.72), (0.0, -0.70)],
    "swept": [*_SIDES, (0.47, -0.68), (0.22, -0.75), (0.0, -0.77)],
    "buzz": [*_SIDES, (0.46, -0.68), (0.20, -0.74), (0.0, -0.74)],
    "receding": [(0.655, 0.02), (0.640, -0.22), (0.620, -0.50), (0.46, -0.84), (0.18, -0.86), (0.0, -0.80)],
    "curly": [(0.64, 0.10), (0.615, -0.20), (0.58, -0.46), (0.42, -0.64), (0.20, -0.70), (0.0, -0.70)],
    "medium": [(0.60, 0.52), (0.60, 0.10), (0.575, -0.38), (0.40, -0.66), (0.16, -0.76), (0.0, -0.80)],
    "bob": [(0.58, 0.74), (0.60, 0.30), (0.585, -0.36), (0.40, -0.66), (0.16, -0.77), (0.0, -0.82)],
    "long": [(0.66, 1.7), (0.62, 0.70), (0.605, 0.10), (0.580, -0.38), (0.40, -0.66), (0.16, -0.77), (0.0, -0.83)],
    "tied": [(0.650, -0.08), (0.630, -0.24), (0.600, -0.44), (0.44, -0.68), (0.20, -0.77), (0.0, -0.79)],
}
_BANGS = [(0.56, -0.30), (0.44, -0.34), (0.22, -0.36), (0.0, -0.37)]
_HANGING = (*FALLING_CUTS, "tied")  # cuts of long strands
_SCALE = 62.0  # pixels of the whole strand tile per unit of the head
_FLOW = {  # how fast strands turn downwards, and the height from which they fan out
    "long": (0.42, -1.12),
    "bob": (0.42, -1.12),
    "medium": (0.45, -1.12),
    "swept": (3.0, -2.2),
    "tied": (1.6, -2.2),
}


def _outer(scene: Scene) -> np.ndarray:
    """The outer outline, from the left end of the hair over the top to the right one, in pixels."""
    identity, head = scene.identity, scene.head
    more = 0.10 * (identity.hair_volume - 1.0) * (0.35 if identity.hair_cut in ("buzz", "tied") else 1.0)
    points = _OUTER[identity.hair_cut] * np.float32([identity.face_width + more, 1.0]) - np.float32([0.0, 0.5 * more])
    curve = smooth(points, 6)
    wave = 0.8 if identity.hair_cut == "curly" else identity.hair_wave if identity.hair_cut in FALLING_CUTS else 0.0
    if wave > 0.2:
        steps = np.arange(len(curve), dtype=np.float32)
        curve[:, 0] += 0.035 * wave * np.sin(1.7 * steps + 9.0 * identity.hair_shade) * np.minimum(1.0, steps / 8.0)
    left, right = head.project(both_sides(curve))
    return np.concatenate((left[::-1], right))


@cache
def _hairline(cut: str, bangs: bool) -> tuple[np.ndarray, np.ndarray]:
    """Both sides of a hairline, left first, and how far each point can hang into the forehead."""
    points = _INNER[cut]
    if bangs:
        points = [point for point in points if point[1] > -0.30] + _BANGS
    points = both_sides(np.float32(points))
    hangs = cut in ("side", "medium", "bob", "long") and not bangs
    near = np.exp(-((points[..., 1] + 0.62) ** 2) / 0.05) if hangs else np.zeros(points.shape[:2], np.float32)
    return points, near[..., None] * np.float32([[[-0.05, -0.09]], [[-0.05, 0.09]]])


def _inner(scene: Scene) -> np.ndarray:
    """The hairline, from the right end of the hair up to the middle and down to the left one, in pixels."""
    identity, head = scene.identity, scene.head
    points, hang = _hairline(identity.hair_cut, identity.bangs)
    # The hair of the fuller side hangs into the forehead.
    curves = smooth((points + identity.hair_parting * hang) * np.float32([identity.face_width, 1.0]), 6)
    x, y = curves[..., 0] / 0.80, (curves[..., 1] - 0.1) / 1.30
    depth = 0.62 * np.sqrt(np.maximum(0.0, 1.0 - x * x - y * y))
    left, right = head.project(curves, depth)
    return between(right, left)


@lru_cache(maxsize=8)
def _gloss(cells: int) -> np.ndarray:
    """The bright band around the top of the head."""
    x, y = axis(cells), axis(cells)[:, None]
    return np.exp(-(((y + 0.80 - 0.35 * x**2) / 0.12) ** 2)) * np.maximum(0.0, 1.0 - x**2)


def _strands(scene: Scene, window: Window) -> np.ndarray:
    """The strand tile laid over the head, seen in a window at half the canvas's resolution: uint8, mean 128."""
    identity = scene.identity
    cut, x = identity.hair_cut, axis(scene.cells)
    y = x[:, None]
    offset = TILE * scene.appearance.texture
    places = np.empty((scene.cells, scene.cells, 2), np.float32)
    places[..., 1] = _SCALE * y + 2.0 * offset
    if cut == "curly":
        kind = "curls"
        places[..., 0] = 1.6 * _SCALE * x + offset
        places[..., 1] *= 1.6
    else:
        kind = "strands" if cut in _HANGING else "short"
        spread, top = _FLOW.get(cut, (0.8, -1.12))
        fan = np.maximum(0.1, 1.0 - np.exp((top - 0.22 - np.maximum(y, top)) / spread))
        part = 0.42 * identity.hair_parting + 0.3 * scene.head.sin_yaw
        places[..., 0] = (x - part) * (_SCALE / fan) + offset
        wave = 0.11 * identity.hair_wave * (1.0 if cut in FALLING_CUTS else 0.4)
        if wave > 0.01:
            places[..., 0] += (wave * _SCALE) * np.sin(6.5 * y + (2.5 + 2.5 * identity.hair_shade) * x)
    step = 2.0 * _SCALE / scene.head.unit  # pixels of the tile per pixel of the result, which can show no finer hair
    halvings = max(0, math.ceil(math.log2(step)))
    places = scene.head.warp(places * 0.5**halvings, window)
    return cv2.remap(noise_tile(kind, halvings), places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def _tone(scene: Scene, texture: np.ndarray, window: Window) -> np.ndarray:
    """Brightness of the hair in a window, at half the canvas's resolution: volume, gloss and strands, uint8."""
    volume = round_tone(scene, 1.35, 0.05)
    volume += (0.20 * scene.appearance.light_strength) * _gloss(scene.cells)
    light = scene.head.warp(to_bytes(volume), window, stretch=0.98 * scene.identity.face_width)
    contrast = 0.42
    return cv2.addWeighted(light, 1.0, texture, contrast, -128.0 * contrast - 27.0)


class Hair:
    """The hair of one scene, painted in two parts: behind neck and ears, and over the skull."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.cut = scene, scene.identity.hair_cut
        if self.cut == "bald":
            return
        self.outer = _outer(scene)
        self.outline = np.concatenate((self.outer, _inner(scene)))
        self.window = scene.head.window(self.outer, 0.10)
        texture = _strands(scene, self.window)
        colour = tint(_tone(scene, texture, self.window), scene.hair_ramp)
        crisp = cv2.INTER_NEAREST if scene.scale > 1 else cv2.INTER_LINEAR  # single strands of the shrunk picture
        self.texture = scene.head.double(texture, self.window, crisp)
        self.colour = scene.head.double(colour, self.window, crisp)

    def _ragged(self, outline: np.ndarray, softness: float, amount: float) -> np.ndarray:
        """Fill an outline, with single strands sticking out of its edge and skin showing between them."""
        soft = self.scene.head.soft_mask([outline], softness, self.window)
        ragged = cv2.addWeighted(soft, 2.0, self.texture, amount, -128.0 - 128.0 * amount)
        return cv2.min(ragged, cv2.add(soft, soft))

    def behind(self) -> None:
        """Paint what hangs behind the neck, in the shade."""
        if self.cut in (*FALLING_CUTS, "curly"):
            shaded = cv2.convertScaleAbs(self.colour, alpha=0.52)
            blend(self.scene.image[self.window], shaded, self._ragged(self.outer, 0.035, 0.7))

    def over(self) -> None:
        """Paint the hair over the skull."""
        if self.cut == "bald":
            return
        scene, view = self.scene, self.scene.image[self.window]
        if self.cut == "buzz":
            mask = scene.head.soft_mask([self.outline], 0.028, self.window)
            blend(view, self.colour, cv2.convertScaleAbs(mask, alpha=0.72))
            return
        softness = 0.055 if self.cut == "curly" else 0.032
        blend(view, self.colour, self._ragged(self.outline, softness, 1.0 if self.cut in _HANGING else 1.5))

    def shadow(self, face_mask: np.ndarray) -> np.ndarray | None:
        """Where the hair darkens the skin along the hairline, away from the light: uint8 over the scene's face."""
        if self.cut in ("bald", "buzz"):
            return None
        scene, window = self.scene, self.scene.face
        fixed = 0.05 * scene.head.unit * (1 << SHIFT)
        move = np.int32([-fixed * scene.light[0], fixed * (0.6 - scene.light[1])])
        shadow = scene.head.soft_mask([self.outline + move], 0.07, window)
        strength = 0.34 + 0.25 * scene.appearance.light_strength
        return cv2.min(cv2.convertScaleAbs(shadow, alpha=strength), face_mask[window])
