"""The features of a drawn face: eyes, nose, wrinkles, mouth and beard, painted into a scene.

Each feature is drawn around a point of the face that is turned with the head; its own outline is given beside that
point and squeezed as the surface turns away. Creases, nostrils and other small shadows of all features are collected in
one mask, softened once and blended once, which is fast.
"""

from __future__ import annotations

import cv2
import numpy as np

from .eyes import Eyes
from .paint import SHIFT, between, blend, both_sides, hsv, mirrored, mix, noise_tile, shade, smooth, tint
from .scene import Scene, surface

_WINGS = [(0.112, -0.080), (0.142, -0.040), (0.142, 0.005), (0.108, 0.026)]
_NOSTRIL = [(0.038, 0.014), (0.066, 0.008), (0.094, 0.018)]
_NOSE = both_sides(np.float32(_WINGS + _NOSTRIL))
_FOREHEAD = np.float32(
    [
        [(x, y + 0.12 * x * x) for x in np.linspace(-reach, reach, 9)]
        for reach, y in ((0.22, -0.55), (0.30, -0.46), (0.25, -0.38))
    ]
)
_CROWS_FEET = np.concatenate(
    [both_sides(np.float32([(0.49, -0.03 + 0.5 * rise), (0.56, -0.02 + rise)])) for rise in (-0.05, 0.0, 0.05)]
)
_ACROSS = np.linspace(-1.0, 1.0, 11, dtype=np.float32)
_ARCH = 1.0 - _ACROSS**2
_OPENING = _ARCH**0.7  # a fuller arch than the parabola
_NOTCH = 0.010 * np.exp(-((_ACROSS / 0.2) ** 2))
_BOW = _ARCH**0.8 - 0.24 * np.exp(-((_ACROSS / 0.16) ** 2))  # upper lip with its notch
_OUTER_TOP, _OUTER_BOTTOM, _TOP, _BOTTOM, _UPPER_END, _LOWER_START = range(6)  # the curves of a mouth: the lips,
_INNER_TOP, _INNER_BOTTOM, _TEETH, _SHINE, _LINE, _CREASE = range(6, 12)  # and what lies between them and below
_SHAPES = np.stack([np.ones_like(_ARCH), _ARCH, _OPENING, _NOTCH, _BOW])


def features(scene: Scene, face_mask: np.ndarray, hair_shadow: np.ndarray | None) -> None:
    """Paint everything onto the skin: lips, shadows, eyes, brows, beard; `face_mask` is 255 where the face is."""
    eyes = Eyes(scene)
    _nose(scene)
    _wrinkles(scene)
    eyes.creases()
    _mouth(scene)
    soft = scene.head.soften(scene.shadows[scene.face], 0.012)
    if hair_shadow is not None:
        soft = cv2.max(soft, hair_shadow)
    blend(scene.image[scene.face], shade(scene.skin, 0.26, 0.15, 0.13), soft)
    eyes.paint()
    _beard(scene, face_mask)


def _nose(scene: Scene) -> None:
    """Nostrils and the lines of the wings; the nose itself is relief."""
    x, y, squeeze = scene.head.spot(0.0, scene.nose_y, 0.10)
    lines = scene.head.pixels(_NOSE * np.float32([scene.identity.nose_width * squeeze, 1.0]) + np.float32([x, y]))
    scene.shadow(lines[:, : len(_WINGS)], 0.020, 0.34)
    scene.shadow(lines[:, len(_WINGS) :], 0.026, 0.80)


def _wrinkles(scene: Scene) -> None:
    """Lines of an older face: forehead, beside the eyes, from nose to mouth."""
    identity = scene.identity
    age = identity.age
    if age < 0.45:
        return
    mouth_y, nose_y = scene.mouth_y, scene.nose_y
    tilt = 0.04 * (identity.eye_tilt - 0.03)
    forehead = _FOREHEAD + np.float32([0.0, tilt]) * _FOREHEAD[..., :1]
    fold = both_sides(smooth([(0.15, nose_y - 0.04), (0.245, mouth_y - 0.12), (0.275, mouth_y + 0.03)], 3))
    for lines, width, share in ((forehead, 0.022, 0.22), (fold, 0.020, 0.38), (_CROWS_FEET, 0.020, 0.38)):
        scene.shadow(scene.head.project(lines, surface(lines)), width, share * age)


def _mouth_curves(scene: Scene) -> np.ndarray:
    """All curves of the mouth, from corner to corner, in pixels: int32 (12, 11, 2)."""
    smile, gap = scene.appearance.smile, 0.105 * scene.appearance.mouth_open
    x, y, squeeze = scene.head.spot(0.0, scene.mouth_y, 0.03)
    half = 0.225 * scene.identity.mouth_width * (1.0 + 0.20 * smile)
    plump = scene.identity.lip_fullness * (1.0 - 0.20 * max(0.0, smile))
    upper, lower = 0.048 * plump, 0.064 * plump
    middle, bend, up, down = y - 0.062 * smile, 0.080 * smile, -0.20 * gap, 0.80 * gap
    heights = [  # each curve as a sum of the shapes: 1, arch, opening, notch, bow
        (middle - 0.006, bend + up, 0.0, 0.0, -upper),
        (middle + 0.006, bend + down, lower, 0.0, 0.0),
        (middle, bend + up, 0.0, 0.0, -upper),
        (middle, bend + down, lower, 0.0, 0.0),
        (middle + 0.004, bend, up, 1.0, 0.0),
        (middle - 0.004, bend, down, 0.0, 0.0),
        (middle, bend, up, 1.0, 0.0),
        (middle, bend, down, 0.0, 0.0),
        (middle, bend, up, 1.0, 0.0),
        (middle + 0.45 * lower, bend, down, 0.0, 0.0),
        (middle, bend, 0.0, 0.0, 0.0),
        (middle + 0.022, bend + down, lower, 0.0, 0.0),
    ]
    curves = np.empty((12, 11, 2), np.float32)
    curves[..., 0] = x + (half * squeeze) * _ACROSS + (0.03 * scene.head.sin_yaw) * _ARCH
    curves[_SHINE, :, 0] += 0.02 * scene.light[0]
    curves[..., 1] = np.float32(heights) @ _SHAPES
    room = curves[_INNER_BOTTOM, :, 1] - curves[_INNER_TOP, :, 1]
    curves[_TEETH, :, 1] += np.minimum(0.055 + 0.02 * smile, 0.90 * room)
    return scene.head.pixels(curves)


def _mouth(scene: Scene) -> None:
    """Lips; teeth and the dark of the mouth where it is open."""
    curves = _mouth_curves(scene)
    lip = _lip_colour(scene)
    soft = mix(lip, scene.skin, 0.0 if scene.appearance.lipstick else 0.35)
    scene.fill([between(curves[_OUTER_TOP], curves[_OUTER_BOTTOM])], soft)
    scene.fill([between(curves[_LOWER_START], curves[_BOTTOM])], lip)
    scene.fill([between(curves[_TOP], curves[_UPPER_END])], shade(lip, 0.80, 0.73, 0.74))
    scene.draw([curves[_SHINE, 3:8]], 0.026, mix(lip, (255, 236, 230), 0.16))
    scene.draw([curves[_SHINE, 4:7]], 0.016, mix(lip, (255, 236, 230), 0.36))
    if scene.appearance.mouth_open > 0.1:
        _open_mouth(scene, curves)
    else:
        scene.shadow([curves[_INNER_TOP]], 0.022, 0.85)
    scene.shadow([curves[_CREASE, 2:9]], 0.024, 0.30)
    scene.shadow([curves[_LINE, :2], curves[_LINE, -2:]], 0.026, 0.60)


def _open_mouth(scene: Scene, curves: np.ndarray) -> None:
    dark = mix(shade(scene.skin, 0.24, 0.11, 0.11), (38, 10, 12), 0.6)
    scene.fill([between(curves[_INNER_TOP], curves[_INNER_BOTTOM])], dark)
    bright = 0.76 + 0.15 * scene.appearance.light_strength
    white = scene.lit((238 * bright, 230 * bright, 218 * bright))
    scene.fill([between(curves[_INNER_TOP, 1:10], curves[_TEETH, 1:10])], mix(white, dark, 0.35))
    scene.fill([between(curves[_INNER_TOP, 3:8], curves[_TEETH, 3:8])], white)
    scene.shadow([curves[_INNER_TOP]], 0.020, 0.62)


def _beard(scene: Scene, face_mask: np.ndarray) -> None:
    """Stubble, mustache, goatee or full beard; and sideburns."""
    head, appearance = scene.head, scene.appearance
    outlines = _beard_outlines(scene)
    if not outlines:
        return
    outlines = [head.project(outline, surface(outline)) for outline in outlines]
    stubble = appearance.beard == "stubble"
    softness = 0.060 if stubble else 0.030
    window = head.window(np.concatenate(outlines), 3.0 * softness)
    mask = np.zeros_like(face_mask)
    for outline in outlines:  # one by one: where two overlap there is hair, too
        cv2.fillPoly(mask, [outline], 255, cv2.LINE_8, SHIFT)
    mask = head.soften(head.soften(mask[window], softness), softness)
    row = int(appearance.texture * 120)
    hairs = 24.0 * 2.0 / head.unit  # cells of the tile per pixel: as fine on a large canvas as on a small one
    tall, wide = (round(hairs * side) for side in mask.shape)
    tile = cv2.resize(noise_tile("beard")[row : row + tall, row : row + wide], mask.shape[::-1])
    face = face_mask[window]
    near = cv2.convertScaleAbs(head.soften(face, 0.06), alpha=1.6)  # beards end soon after the face
    mask = cv2.min(cv2.addWeighted(mask, 1.25, tile, 0.7, -128.0), cv2.min(cv2.add(mask, mask), near))
    if stubble:
        mask = cv2.min(cv2.convertScaleAbs(mask, alpha=0.42), face)
        blend(scene.image[window], mix(shade(scene.hair, 0.6, 0.6, 0.6), scene.skin, 0.15), mask)
        return
    light = tint(cv2.convertScaleAbs(tile, alpha=0.50, beta=26), scene.hair_ramp)
    blend(scene.image[window], light, cv2.convertScaleAbs(mask, alpha=0.92))


def _lip_colour(scene: Scene) -> tuple[float, float, float]:
    natural = mix(shade(scene.skin, 0.86, 0.60, 0.60), scene.lit((176, 74, 78)), 0.30)
    if not scene.appearance.lipstick:
        return natural
    hue = 0.93 + 0.10 * scene.appearance.accent_hue
    stick = scene.lit(hsv(hue, 0.80, 0.50 + 0.30 * (scene.appearance.accent_hue * 7.0 % 1.0)))
    return mix(natural, stick, 0.85 * scene.appearance.lipstick)


def _beard_outlines(scene: Scene) -> list[np.ndarray]:
    """Closed outlines of the beard and the sideburns, not yet turned."""
    kind, y = scene.appearance.beard, scene.mouth_y
    wide, long = scene.identity.face_width, scene.identity.face_length
    mustache = [(0.0, y - 0.135), (0.09, y - 0.125), (0.20, y - 0.045), (0.255, y + 0.03)]
    mustache += [(0.20, y - 0.01), (0.10, y - 0.05), (0.0, y - 0.045)]
    goatee = [(0.0, y + 0.11), (0.10, y + 0.13), (0.24, y - 0.02), (0.275, y + 0.08)]
    goatee += [(0.20, 0.84 * long), (0.10, 0.97 * long), (0.0, 0.99 * long)]
    full = [(0.0, y + 0.12), (0.12, y + 0.14), (0.24, y), (0.36, y - 0.10), (0.52 * wide, 0.24), (0.61 * wide, -0.02)]
    full += [(0.68 * wide, -0.04), (0.675 * wide, 0.25), (0.55 * scene.identity.jaw * wide, 0.64 * long)]
    full += [(0.37 * wide, 0.88 * long), (0.17, 1.00 * long), (0.0, 1.02 * long)]
    shapes = {
        "none": [],
        "mustache": [mustache],
        "goatee": [mustache, goatee],
        "full": [mustache, full],
        "stubble": [mustache, full],
    }[kind]
    outlines = [mirrored(smooth(shape, 3)) for shape in shapes]
    if scene.appearance.sideburns:
        strip = np.float32([(0.60, -0.35), (0.70, -0.35), (0.685, 0.28), (0.55, 0.30), (0.57, 0.0)])
        outlines += [strip * np.float32([wide, 1.0]), strip * np.float32([-wide, 1.0])]
    return outlines
