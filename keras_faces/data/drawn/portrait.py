"""Paint a drawn face: backdrop, shoulders, neck, ears, skull, features, hair, from back to front.

See also ``scene.py`` (how the light makes the relief), ``features.py`` and ``hair.py``.
"""

from __future__ import annotations

import operator
from functools import lru_cache

import cv2
import numpy as np

from . import extras
from .factors import Appearance, Identity
from .features import features
from .hair import Hair
from .paint import FACE_FRAME, between, blend, both_sides, hsv, mirrored, mix, noise_tile, smooth, tint
from .scene import Scene, face_skin, to_bytes, tones

SMALLEST, LARGEST = 16, 512
_EAR = smooth([(-0.07, -0.8), (0.02, -1.0), (0.09, -0.75), (0.08, -0.1), (0.045, 0.6), (-0.01, 0.95), (-0.06, 0.7)], 3)
_EAR_FOLD = smooth([(0.0, -0.62), (0.042, -0.48), (0.036, -0.06), (0.015, 0.38)], 2)
_EAR_CURVES = both_sides(np.concatenate((_EAR, _EAR_FOLD)))
_PATCHES = np.linspace(-18.0, 18.0, 5, dtype=np.float32)
_DOWN, _ACROSS = np.linspace(0.0, 1.0, 25, dtype=np.float32), np.linspace(0.0, 1.0, 15, dtype=np.float32)


def portrait(identity: Identity, appearance: Appearance, image_size: int = 64) -> np.ndarray:
    """Draw one face: the same pixels for the same arguments.

    Parameters
    ----------
    identity : Identity
        Who is shown.
    appearance : Appearance
        How.
    image_size : int
        Side S of the picture in pixels, 16 to 512.

    Returns
    -------
    ndarray of uint8, shape (S, S, 3)
        RGB.

    Raises
    ------
    ValueError
        `image_size` is out of range.
    """
    image_size = operator.index(image_size)
    if not SMALLEST <= image_size <= LARGEST:
        raise ValueError(f"image_size must lie between {SMALLEST} and {LARGEST}, got {image_size}")
    scale = max(2, -(-96 // image_size)) if image_size <= 256 else 1
    scene = Scene(identity, appearance, image_size, scale)
    _backdrop(scene)
    hair = Hair(scene)
    hair.behind()
    _neck(scene)
    extras.clothes(scene)
    _ears(scene)
    face_mask = _face(scene)
    features(scene, face_mask, hair.shadow(face_mask))
    hair.over()
    extras.earrings(scene)
    extras.hat(scene, face_mask)
    extras.glasses(scene)
    return _develop(scene, image_size)


def _backdrop(scene: Scene) -> None:
    """A blurred place or a studio wall: a few random patches of related colours, far out of focus."""
    appearance = scene.appearance
    tile = noise_tile("grain")
    row = int(appearance.texture * 199)
    patches = tile[row : row + 15, row : row + 5].reshape(3, 5, 5, 1).astype(np.float32) / 128.0 - 1.0
    base = np.float32(hsv(appearance.backdrop_hue, 0.58 * appearance.backdrop_colour, appearance.backdrop_light))
    other = np.float32(hsv(appearance.backdrop_hue + 0.12, 0.5 * appearance.backdrop_colour, 0.9))
    contrast = appearance.backdrop_contrast
    share = np.maximum(0.0, 0.8 * contrast * patches[1])
    falloff = _PATCHES * scene.light[0] - 0.6 * _PATCHES[:, None]
    low = base + (other - base) * share + (70.0 * contrast * patches[0] + falloff[..., None])
    small = np.minimum(np.maximum(low * np.float32(scene.tint), 4), 250).astype(np.uint8)
    smooth_ = cv2.resize(small, (scene.size // 6, scene.size // 6), interpolation=cv2.INTER_CUBIC)
    cv2.resize(smooth_, (scene.size, scene.size), dst=scene.image)


def _neck(scene: Scene) -> None:
    """Neck and the skin down to the collar, in the shadow of the chin."""
    body, identity = scene.body, scene.identity
    thick = (0.42 if identity.male else 0.335) * identity.face_width + 0.06 * identity.fullness
    half = [(thick, 0.35), (thick, 0.80), (thick * 1.04, 0.98), (thick + 0.16, 1.12), (0.62, 1.40), (0.62, 1.7)]
    outline = body.project(mirrored(smooth(half, 4)))
    window = body.window(outline)
    view, unit = scene.image[window], body.unit
    middle, top = body.rows[0][2], body.rows[1][2]
    x = (window[1].start - middle) / unit + (view.shape[1] / unit) * _ACROSS
    y = (window[0].start - top) / unit + (view.shape[0] / unit) * _DOWN
    across = np.minimum(np.maximum(x / (thick * 1.35), -0.98), 0.98)
    lambert = scene.light[0] * across + scene.light[2] * np.sqrt(1.0 - across * across) - 0.3 * scene.light[1]
    shade = 0.60 + 0.40 / (1.0 + np.exp((0.95 * identity.face_length + 0.16 - y) / 0.05))
    tendon = (np.abs(x) - 0.16) / 0.05
    tone = tones(lambert, scene.appearance) - 0.05 * np.exp(-tendon * tendon)
    skin = tint(to_bytes(tone * shade[:, None] - 0.03), scene.skin_ramp)
    blend(view, cv2.resize(skin, view.shape[1::-1]), body.mask([outline])[window])


def _ears(scene: Scene) -> None:
    """Both ears, each with its rim and hollow; the turned head hides one of them."""
    head, identity = scene.head, scene.identity
    tall, out = 0.20 * identity.ear_size, 0.695 * identity.face_width
    places = np.float32([[[-out, 0.04]], [[out, 0.04]]])
    curves = head.project(_EAR_CURVES * np.float32([1.0, tall]) + places, -0.06)
    for side, curve in zip((-1, 1), curves, strict=True):
        facing = 0.80 + 0.22 * side * scene.light[0] * scene.appearance.light_strength
        red, green, blue = scene.skin
        lit = (min(255.0, red * facing), green * facing * 0.90, blue * facing * 0.88)
        scene.fill([curve[: len(_EAR)]], lit)
        scene.draw([curve[len(_EAR) :]], 0.032, mix(lit, (0, 0, 0), 0.36))


@lru_cache(maxsize=1)
def _outline_depth() -> np.ndarray:
    """Depth of the outline's points: the chin lies in front of the ears."""
    depth = [0.0] * 6 + [0.02, 0.10, 0.24, 0.38, 0.44, 0.45]
    return smooth([(value, 0.0) for value in depth])[:, 0]


def _face(scene: Scene) -> np.ndarray:
    """Skull, cheeks and jaw filled with lit skin; returns the mask of the face, uint8 (size, size)."""
    identity, head = scene.identity, scene.head
    wide, long, full = identity.face_width, identity.face_length, identity.fullness
    drop = 0.07 * scene.appearance.mouth_open
    half = [
        (0.0, -1.05),
        (0.36 * wide, -0.98),
        (0.57 * wide, -0.77),
        (0.655 * wide, -0.48),
        (0.680 * wide, -0.15),
        (0.665 * wide, 0.14),
        ((0.625 + 0.03 * full) * wide, 0.36 * long),
        (0.535 * wide * (0.5 + 0.5 * identity.jaw) + 0.04 * full, 0.60 * long),
        (0.400 * wide * (0.4 + 0.6 * identity.jaw) + 0.04 * full, 0.78 * long + 0.6 * drop),
        (0.235 * wide * identity.chin**0.7 + 0.02 * full, 0.905 * long + drop),
        (0.105 * wide * identity.chin**0.7, 0.950 * long + drop),
        (0.0, 0.960 * long + drop),
    ]
    left, right = head.project(both_sides(smooth(half)), _outline_depth())
    outline = between(right, left)
    mask = head.mask([outline])
    window = scene.face = head.window(outline)
    skin = head.double(head.warp(face_skin(scene), window, FACE_FRAME), window)
    blend(scene.image[window], skin, mask[window])
    return mask


def _develop(scene: Scene, image_size: int) -> np.ndarray:
    """Shrink the canvas to the picture and add a photograph's fine grain."""
    image = cv2.resize(scene.image, (image_size, image_size), interpolation=cv2.INTER_AREA)
    corner = int(scene.appearance.texture * 97)
    grain = _grain()[corner : corner + image_size, corner : corner + image_size]
    return cv2.addWeighted(image, 1.0, grain, 0.025, -3.2)


@lru_cache(maxsize=1)
def _grain() -> np.ndarray:
    """Grey grain, large enough for the largest picture at any corner."""
    return cv2.cvtColor(np.tile(noise_tile("grain"), (3, 3)), cv2.COLOR_GRAY2RGB)
