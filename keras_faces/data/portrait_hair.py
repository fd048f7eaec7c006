"""The hair of a drawn face: an outline for each cut, filled with strands that flow from the parting.

The strands are a seamless noise tile, stretched along one axis. For each pixel of the head two coordinates say how far
across and how far along a strand it lies; looking the tile up there makes the strands follow the head. Their brightness
is the light on a round volume, plus a band of gloss, plus the tile.

Read next: ``portrait_extras.py``.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from keras_faces.data.portrait_paint import TILE, blend, noise_tile, smooth, tint
from keras_faces.data.portrait_scene import Scene, axis, round_tone, to_bytes

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
_FALLING = ("long", "bob", "medium")  # cuts that show straight or wavy hair
_HANGING = (*_FALLING, "tied")  # cuts of long strands
_SCALE = 62.0  # pixels of the strand tile per unit of the head
_FLOW = {  # how fast strands turn downwards, and the height from which they fan out
    "long": (0.42, -1.12),
    "bob": (0.42, -1.12),
    "medium": (0.45, -1.12),
    "swept": (3.0, -2.2),
    "tied": (1.6, -2.2),
}


def _outer(scene: Scene) -> np.ndarray:
    """Right half of the outer outline, with this person's volume and width."""
    identity = scene.identity
    points = np.float32(_OUTER[identity.hair_cut])
    more = 0.10 * (identity.hair_volume - 1.0) * (0.35 if identity.hair_cut in ("buzz", "tied") else 1.0)
    points = points * np.float32([identity.face_width + more, 1.0]) + np.float32([0.0, -0.5 * more])
    curve = smooth(points, 6)
    wave = identity.hair_wave if identity.hair_cut in _FALLING else 0.0
    if identity.hair_cut == "curly":
        wave = 0.8
    if wave > 0.2:
        steps = np.arange(len(curve), dtype=np.float32)
        curve[:, 0] += 0.035 * wave * np.sin(1.7 * steps + 9.0 * identity.hair_shade) * np.minimum(1.0, steps / 8.0)
    return curve


def _inner(scene: Scene, side: int) -> np.ndarray:
    """The hairline of one side, from the end of the hair up to the middle, turned with the head."""
    identity, head = scene.identity, scene.head
    points = list(_INNER[identity.hair_cut])
    if identity.bangs:
        points = [point for point in points if point[1] > -0.30] + _BANGS
    points = np.float32(points)
    if identity.hair_cut in ("side", "medium", "bob", "long") and not identity.bangs:
        lean = side * identity.hair_parting  # the hair of the fuller side hangs into the forehead
        near = np.exp(-((points[:, 1] + 0.62) ** 2) / 0.05).astype(np.float32)
        points[:, 1] += 0.09 * lean * near
        points[:, 0] -= 0.05 * lean * near
    curve = smooth(points * np.float32([identity.face_width, 1.0]), 6)
    x, y = curve[:, 0], curve[:, 1]
    depth = 0.62 * np.sqrt(np.maximum(0.0, 1.0 - (x / 0.80) ** 2 - ((y - 0.1) / 1.30) ** 2))
    curve *= np.float32([side, 1.0])
    return head.turn(curve, depth)


@lru_cache(maxsize=8)
def _gloss(cells: int) -> np.ndarray:
    """The bright band around the top of the head."""
    x, y = axis(cells), axis(cells)[:, None]
    return np.exp(-(((y + 0.80 - 0.35 * x**2) / 0.12) ** 2)) * np.maximum(0.0, 1.0 - x**2)


def _strands(scene: Scene, window: tuple[slice, slice]) -> np.ndarray:
    """The strand tile laid over the head, seen in a window: uint8, mean 128."""
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
        fan = np.maximum(0.1, 1.0 - np.exp((top - 0.12 - np.maximum(y, top)) / spread))
        part = 0.42 * identity.hair_parting + 0.3 * scene.head.sin_yaw
        places[..., 0] = (x - part) * (_SCALE / fan) + offset
        wave = 0.11 * identity.hair_wave * (1.0 if cut in _FALLING else 0.4)
        if wave > 0.01:
            places[..., 0] += (wave * _SCALE) * np.sin(6.5 * y + (2.5 + 2.5 * identity.hair_shade) * x)
    places = scene.head.warp(places)[window]
    return cv2.remap(noise_tile(kind), places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def _tone(scene: Scene, texture: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
    """Brightness of the hair in a window: volume, gloss and strands, uint8."""
    volume = round_tone(scene, 0.98 * scene.identity.face_width, 1.35, 0.05) - 0.06
    volume += (0.20 * scene.appearance.light_strength) * _gloss(scene.cells)
    light = scene.head.warp(to_bytes(volume))[window]
    contrast = 0.42
    return cv2.addWeighted(light, 1.0, texture, contrast, -128.0 * contrast - 12.0)


class Hair:
    """The hair of one scene, painted in two parts: behind neck and ears, and over the skull.

    Parameters
    ----------
    scene : Scene
        The scene to paint into.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene, self.cut = scene, scene.identity.hair_cut
        if self.cut == "bald":
            return
        right = _outer(scene)
        head = scene.head
        self.outline = np.concatenate([head.turn(right * np.float32([-1.0, 1.0]))[::-1], head.turn(right)])
        self.patch = head.patch_around(self.outline, 0.10)
        self.texture = _strands(scene, self.patch.window)
        self.colour = tint(_tone(scene, self.texture, self.patch.window), scene.hair_ramp)

    def _ragged(self, outline: np.ndarray, softness: float, amount: float) -> np.ndarray:
        """Fill an outline, with single strands sticking out of its edge and skin showing between them."""
        soft = self.scene.head.soften(self.patch.mask(outline, cv2.LINE_8), softness)
        ragged = cv2.addWeighted(soft, 2.0, self.texture, amount, -128.0 - 128.0 * amount)
        return cv2.min(ragged, cv2.add(soft, soft))

    def behind(self) -> None:
        """Paint what hangs behind the neck, in the shade."""
        if self.cut in (*_FALLING, "curly"):
            shaded = cv2.convertScaleAbs(self.colour, alpha=0.52)
            blend(self.scene.image[self.patch.window], shaded, self._ragged(self.outline, 0.035, 0.7))

    def over(self, face_mask: np.ndarray) -> None:
        """Paint the hair over the skull, with its shadow on the skin."""
        if self.cut == "bald":
            return
        scene, view = self.scene, self.scene.image[self.patch.window]
        outline = np.concatenate([self.outline, _inner(scene, 1), _inner(scene, -1)[::-1]])
        if self.cut == "buzz":
            mask = scene.head.soften(self.patch.mask(outline, cv2.LINE_8), 0.028)
            blend(view, self.colour, cv2.convertScaleAbs(mask, alpha=0.72))
            return
        self._shadow(outline, face_mask)
        softness = 0.055 if self.cut == "curly" else 0.032
        blend(view, self.colour, self._ragged(outline, softness, 1.0 if self.cut in _HANGING else 1.5))

    def _shadow(self, outline: np.ndarray, face_mask: np.ndarray) -> None:
        """Darken the skin along the hairline, away from the light."""
        scene = self.scene
        move = np.float32([-0.05 * scene.light[0], 0.05 * (0.6 - scene.light[1])])
        window = scene.face.window
        shadow = scene.head.soften(scene.face.mask(outline + move, cv2.LINE_8), 0.07)
        strength = 0.36 + 0.26 * scene.appearance.light_strength
        shadow = cv2.min(cv2.convertScaleAbs(shadow, alpha=strength), face_mask[window])
        blend(scene.image[window], scene.shade(scene.skin, 0.30, 0.20, 0.18), shadow)
