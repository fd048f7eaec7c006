"""What a drawn person wears: clothes, necktie, glasses, hat and earrings."""

from __future__ import annotations

import cv2
import numpy as np

from .factors import FALLING_CUTS
from .paint import SHIFT, Colour, between, blend, both_sides, hsv, mirrored, mix, noise_tile, ramp, shade, smooth, tint
from .scene import Scene, round_tone, to_bytes

_ANGLE = np.linspace(0.0, 2.0 * np.pi, 33, dtype=np.float32)
_COS, _SIN = np.cos(_ANGLE), np.sin(_ANGLE)
_SPAN = np.linspace(-1.0, 1.0, 15, dtype=np.float32)
_ROUND = 108.0 - 20.0 * _SPAN**2  # the shoulders turn away at both sides


def _ring(power: float) -> np.ndarray:
    """A superellipse (33, 2) of radius 1: power 2 is a circle, larger ones are squarer."""
    corners = np.abs(np.stack([_COS, _SIN], axis=1)) ** (2.0 / power)
    return (np.sign(np.stack([_COS, _SIN], axis=1)) * corners).astype(np.float32)


_LENSES = {"round": _ring(2.2), "square": _ring(4.5), "dark": _ring(3.0)}


_TIE = mirrored(np.float32([(0.0, 1.13), (0.085, 1.14), (0.060, 1.25), (0.13, 1.8)]))
_COLLARS = {  # in widths of the neck; the height of each point
    "crew": [(0.0, 1.17), (0.6, 1.13), (1.04, 0.98)],
    "vneck": [(0.0, 1.44), (0.55, 1.24), (1.08, 1.00)],
    "shirt": [(0.0, 1.32), (0.55, 1.18), (1.05, 0.96)],
    "suit": [(0.0, 1.17), (0.55, 1.12), (1.05, 0.96)],
}


def clothes(scene: Scene) -> None:
    """Paint shoulders, collar and necktie: flat colours first, then the light and the folds over all of them."""
    appearance, body, size = scene.appearance, scene.body, scene.size
    kind = appearance.clothes
    broad = 1.12 if scene.identity.male else 0.94
    slim = (0.40 if scene.identity.male else 0.32) * scene.identity.face_width
    colour = hsv(appearance.clothes_hue, appearance.clothes_colour, 0.10 + 0.78 * appearance.clothes_light)
    if kind == "suit":
        colour = hsv(0.62, 0.3 * appearance.clothes_colour, 0.10 + 0.28 * appearance.clothes_light)
    colour = scene.lit(colour)
    collar = [(slim * x, y) for x, y in _COLLARS[kind]]
    shoulder = [(0.66 * broad, 1.15), (1.02 * broad, 1.28), (1.28 * broad, 1.56), (1.36 * broad, 2.4)]
    cloth = body.project(mirrored(smooth(collar + shoulder, 4)))
    rows = slice(max(0, min(size - 2, int(body.rows[1][1] * 0.85 + body.rows[1][2]))), size)
    layer = np.empty_like(scene.image)
    cv2.rectangle(layer, (0, rows.start), (size, size), colour if kind != "suit" else scene.lit((226, 227, 232)), -1)
    if kind == "shirt":
        _shirt_collar(scene, layer, slim, colour)
    if kind == "suit":
        _lapels(scene, layer, slim, colour)
    blend(scene.image[rows], _folds(scene, layer[rows]), body.mask([cloth])[rows])


def _fill_both(scene: Scene, layer: np.ndarray, right: list | np.ndarray, colour: Colour) -> None:
    """Fill an outline (n, 2) of the right half of the body and its mirror image."""
    cv2.fillPoly(layer, scene.body.project(both_sides(np.float32(right))), colour, cv2.LINE_AA, SHIFT)


def _shirt_collar(scene: Scene, layer: np.ndarray, slim: float, colour: Colour) -> None:
    wing = np.float32([(0.80 * slim, 0.86), (1.16 * slim, 0.98), (0.42, 1.24), (0.06, 1.36)])
    _fill_both(scene, layer, wing + np.float32([0.02, 0.03]), mix(colour, (0, 0, 0), 0.42))
    _fill_both(scene, layer, wing, mix(colour, (255, 255, 255), 0.16))


def _lapels(scene: Scene, layer: np.ndarray, slim: float, colour: Colour) -> None:
    """Paint the necktie, and the jacket that leaves the shirt free."""
    if scene.appearance.necktie:
        cv2.fillPoly(layer, [scene.body.project(_TIE)], scene.accent, cv2.LINE_AA, SHIFT)
    jacket = [(0.04, 1.85), (0.27, 1.28), (1.12 * slim, 0.92), (3.0, 0.92), (3.0, 2.6), (0.04, 2.6)]
    edge = [(0.0, 1.80), (0.25, 1.26), (1.06 * slim, 0.94), (1.20 * slim, 1.0), (0.34, 1.34), (0.06, 1.9)]
    _fill_both(scene, layer, jacket, colour)
    _fill_both(scene, layer, edge, mix(colour, (255, 255, 255), 0.16))


def _folds(scene: Scene, layer: np.ndarray) -> np.ndarray:
    """Light and soft folds over flat cloth."""
    corner = int(100 * scene.appearance.texture)
    folds = noise_tile("clouds")[corner : corner + 48 : 4, corner : corner + 90 : 6]
    shade = 0.30 * folds + ((44.0 * scene.light[0]) * _SPAN + _ROUND)
    shade = cv2.resize(shade.astype(np.uint8), layer.shape[1::-1])
    return cv2.multiply(layer, cv2.cvtColor(shade, cv2.COLOR_GRAY2RGB), scale=1.0 / 140.0)


def glasses(scene: Scene) -> None:
    """Paint rims, bridge, temples and the shine of the lenses."""
    kind, head = scene.appearance.glasses, scene.head
    if kind == "none":
        return
    lenses, lines = [], []
    size = np.float32([0.205, 0.140 if kind == "square" else 0.165])
    for side in (-1, 1):
        x, y, squeeze = head.spot(side * 1.03 * scene.eye_x, -0.035, 0.12)
        lens = _LENSES[kind] * size * np.float32([min(squeeze + 0.08, 1.0), 1.0]) + np.float32([x, y])
        covered = scene.identity.hair_cut in (*FALLING_CUTS, "curly")
        ear = head.turn(np.float32([[side * (0.61 if covered else 0.68) * scene.identity.face_width, -0.09]]), 0.02)[0]
        lenses.append(lens)
        lines.append(np.stack([lens[0 if side > 0 else 16] - np.float32([0.0, 0.02]), ear]))
    lines.append(smooth([lenses[0][0], (lenses[0][0] + lenses[1][16]) / 2 - np.float32([0, 0.035]), lenses[1][16]], 4))
    lines = [head.pixels(line) for line in lines]
    lenses = head.pixels(np.stack(lenses))
    window = head.window(lenses.reshape(-1, 2))
    shine = (34.0, 30.0, 32.0) if kind == "dark" else (222.0, 230.0, 240.0)
    mask = cv2.convertScaleAbs(head.mask(lenses)[window], alpha=0.95 if kind == "dark" else 0.086)
    blend(scene.image[window], shine, mask)
    if kind == "dark":
        glint = 0.75 * lenses[:, 20:25] + 0.25 * lenses[:, 4:9]
        scene.draw(glint.astype(np.int32), 0.020, (92.0, 90.0, 96.0))
    rim = mix((24, 20, 20), hsv(scene.appearance.accent_hue, 0.5, 0.4), 0.35)
    scene.draw(lines, 0.022, rim)
    scene.draw(lenses, 0.026 if kind != "round" else 0.020, rim)


def hat(scene: Scene, face_mask: np.ndarray) -> None:
    """Paint a knitted beanie or a hat with a brim, with its shadow on the forehead."""
    kind, head = scene.appearance.hat, scene.head
    if kind == "none":
        return
    wide = scene.identity.face_width
    if kind == "beanie":
        crown = [(0.0, -1.27), (0.30, -1.23), (0.56, -1.05), (0.71, -0.78), (0.76, -0.42)]
    else:
        crown = [(0.0, -1.27), (0.26, -1.30), (0.50, -1.22), (0.63, -0.90), (0.70, -0.48)]
    crown = smooth(np.float32(crown) * np.float32([wide, 1.0]), 5)
    reach = crown[-1, 0]
    edge = np.linspace(reach, -reach, 17, dtype=np.float32)
    bulge = 1.0 - (edge / reach) ** 2
    front = np.stack([edge, crown[-1, 1] + 0.03 * bulge], axis=1)
    rim = head.turn(front, 0.55 * np.sqrt(bulge))
    band = head.pixels(between(rim, rim - np.float32([0.0, 0.17 if kind == "beanie" else 0.12])))
    left, right = head.project(both_sides(crown))
    solid = head.mask([np.concatenate((left[::-1], right, head.pixels(rim)))])
    cloth = scene.accent
    table = ramp((0.0, 0.6, 1.0), [mix((0, 0, 0), cloth, 0.25), cloth, mix(cloth, (255, 255, 255), 0.35)])
    light = to_bytes(round_tone(scene, 1.0, -0.35) - 0.05)
    corner = int(100 * scene.appearance.texture)
    knit = noise_tile("strands")[corner : corner + 120, corner : corner + 120]
    knit = cv2.resize(knit, (scene.size, scene.size))
    everywhere = slice(0, scene.size), slice(0, scene.size)
    light = head.double(head.warp(light, everywhere, stretch=0.95 * wide), everywhere)
    tone = cv2.addWeighted(light, 1.0, knit, 0.22 if kind == "beanie" else 0.08, -14.0)
    brim = None
    if kind == "brim":
        flat = np.stack([1.16 * wide * _COS, -0.50 + 0.13 * _SIN - 0.05 * _COS**2], axis=1)
        brim = head.mask([head.project(flat, 0.25 + 0.35 * _SIN)])
    shadow = np.roll(solid if brim is None else brim, int(0.10 * head.unit), axis=0)
    shadow = cv2.min(head.soften(shadow, 0.035), face_mask)
    blend(scene.image, shade(scene.skin, 0.30, 0.20, 0.18), cv2.convertScaleAbs(shadow, alpha=0.6))
    if brim is not None:
        blend(scene.image, tint(cv2.subtract(tone, 34), table), brim)
    blend(scene.image, tint(tone, table), solid)
    stripe = tint(cv2.add(tone, 20), table) if kind == "beanie" else mix((0, 0, 0), scene.accent, 0.35)
    blend(scene.image, stripe, cv2.min(head.soft_mask([band], 0.004, everywhere), solid))


def earrings(scene: Scene) -> None:
    """Paint an earring below each ear lobe."""
    if not scene.appearance.earrings:
        return
    head = scene.head
    gold = scene.lit((222, 178, 92) if scene.appearance.accent_hue < 0.5 else (210, 212, 220))
    fixed = head.unit * (1 << SHIFT)
    places = [(0.0, 0.036), (0.11, 0.050)] if scene.appearance.clothes_light > 0.5 else [(0.0, 0.036)]
    for side in (-1, 1):
        if side * head.sin_yaw > 0.20:
            continue  # the turned head hides this ear
        x, y = head.turn(np.float32([[side * 0.69 * scene.identity.face_width, 0.26]]), -0.12)[0].tolist()
        for drop, radius in places:
            centre, spark = head.pixels(np.float32([[x, y + drop], [x - 0.012, y + drop - 0.014]])).tolist()
            for middle, reach, colour in (
                (centre, radius + 0.01, shade(gold, 0.5, 0.45, 0.4)),
                (centre, 0.8 * radius, gold),
                (spark, 0.4 * radius, (255.0, 252.0, 240.0)),
            ):
                cv2.circle(scene.image, middle, int(reach * fixed), colour, -1, cv2.LINE_AA, SHIFT)
