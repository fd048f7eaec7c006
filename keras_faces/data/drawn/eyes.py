"""The eyes and brows of a drawn face. Both sides are computed together: arrays begin with the left eye of the picture.

Each eye is drawn around a point of the face that is turned with the head; its curves are given beside that point and
squeezed as the surface turns away.
"""

from __future__ import annotations

import cv2
import numpy as np

from .paint import SHIFT, Window, between, blend, hsv, mix, shade
from .scene import Scene

_SIDES = np.float32([[-1.0], [1.0]])
_ACROSS = np.linspace(-1.0, 1.0, 11, dtype=np.float32)
_OUTWARD = _SIDES * _ACROSS  # -1 at the inner corner, +1 at the outer one
_ARCH = 1.0 - _ACROSS**2
_SQUARER = _ARCH**0.65  # a fuller arch than the parabola
_UPPER = _SQUARER * (1.0 + 0.12 * _OUTWARD)
_FOLD_RISE, _BAG_DROP, _PAINT_RISE = 0.030 + 0.012 * _ARCH, 0.040 + 0.020 * _ARCH, 0.012 + 0.070 * _SQUARER
_LASH_REACH = np.where(_OUTWARD >= 0.0, 0.5 + 0.5 * _OUTWARD, 0.0).astype(np.float32)
_HAS_LASH = _LASH_REACH > 0.0
_LID, _LOWER, _FOLD, _BAG, _PAINT, _LASHES = range(6)  # the curves of an eye
_ALONG = np.linspace(-0.160, 0.180, 15, dtype=np.float32)
_PLACE = (_ALONG + 0.160) / 0.34  # along a brow: 0 at the nose, 1 at the temple
_BEND = np.sin(np.pi * _PLACE**1.3)
_TAPER = np.minimum(1.0, 1.30 - _PLACE) * np.minimum(1.0, 0.55 + 4.0 * _PLACE)
_EDGES = np.float32([-0.95, 0.90, 0.85, -0.75])[:, None] * _TAPER  # a brow's top and bottom, roots and tips of hairs


class Eyes:
    """Both eyes of one scene: where they are, the creases around them, and their paint."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.lashes = 0.0 if scene.identity.male else 0.45 + 0.55 * scene.appearance.makeup
        self.spots = np.float32([scene.head.spot(side * scene.eye_x, -0.055) for side in (-1, 1)])
        curves = self._curves()
        self.pixels = scene.head.pixels(curves.reshape(-1, 11, 2)).reshape(curves.shape)

    def _curves(self) -> np.ndarray:
        """Lids, the folds above and below them, upper edge of the make-up, tips of lashes: float32 (2, 6, 11, 2)."""
        identity, appearance = self.scene.identity, self.scene.appearance
        x, y, squeeze = self.spots.T[..., None]
        half = 0.140 * identity.eye_size
        opening = identity.eye_opening * appearance.eyes_open * (1.0 - 0.25 * max(0.0, appearance.smile))
        opening = max(0.42, opening) * identity.eye_size
        base = y - (half * identity.eye_tilt) * _OUTWARD
        upper = base - (0.079 * opening) * _UPPER
        lower = base + (0.043 * opening) * _ARCH
        lash = (half * self.lashes) * squeeze * _LASH_REACH
        curves = np.empty((2, 6, 11, 2), np.float32)
        curves[..., 0] = (x + half * squeeze * _ACROSS)[:, None]
        curves[:, _LASHES, :, 0] += 0.16 * _SIDES * lash
        curves[:, _LID, :, 1] = upper
        curves[:, _LOWER, :, 1] = lower
        curves[:, _FOLD, :, 1] = upper - _FOLD_RISE
        curves[:, _BAG, :, 1] = lower + _BAG_DROP
        curves[:, _PAINT, :, 1] = upper - _PAINT_RISE
        curves[:, _LASHES, :, 1] = upper - 0.30 * lash
        return curves

    def creases(self) -> None:
        """Add the folds above and below the eyes to the soft shadows."""
        self.scene.shadow(self.pixels[:, _FOLD], 0.022, 0.40)
        self.scene.shadow(self.pixels[:, _BAG], 0.022, 0.08 + 0.25 * self.scene.identity.age)

    def paint(self) -> None:
        """Paint make-up, eyeballs cut by the lids, lash lines and brows."""
        scene, makeup = self.scene, self.scene.appearance.makeup
        window = scene.head.window(self.pixels.reshape(-1, 2), 0.03)
        view = scene.image[window]
        if makeup:
            colour = hsv(scene.appearance.accent_hue, 0.4, 0.35)
            colour = mix(shade(scene.skin, 0.40, 0.33, 0.34), colour, 0.35)
            painted = between(self.pixels[:, _PAINT], self.pixels[:, _LID])
            mask = scene.head.soften(scene.head.mask(painted)[window], 0.025)
            blend(view, colour, cv2.convertScaleAbs(mask, alpha=0.75 * makeup))
        opening = scene.head.mask(between(self.pixels[:, _LID], self.pixels[:, _LOWER]))
        blend(view, self._eyeballs(window)[window], opening[window])
        self._lash_lines()
        self._brows()

    def _lash_lines(self) -> None:
        scene, makeup = self.scene, self.scene.appearance.makeup
        lash = mix(shade(scene.hair, 0.35, 0.3, 0.3), (22, 15, 14), 0.6)
        rim = shade(scene.skin, 0.60, 0.44, 0.41)
        scene.draw(self.pixels[:, _LOWER], 0.012, mix(rim, lash, 0.5) if makeup else rim)
        width = 0.020 + 0.016 * self.lashes
        scene.draw(self.pixels[:, _LID], width, lash if self.lashes else mix(lash, scene.skin, 0.25))
        if self.lashes:
            roots_and_tips = self.pixels[:, [_LID, _LASHES]].swapaxes(1, 2)[_HAS_LASH]
            scene.draw(roots_and_tips, 0.014, mix(lash, scene.skin, 0.15))

    def _eyeballs(self, window: Window) -> np.ndarray:
        """White, iris, pupil, catch-light and the lid's shadow, as a picture in the window that the lids cut later."""
        scene, appearance = self.scene, self.scene.appearance
        bright = 0.70 + 0.18 * appearance.light_strength
        white = scene.lit((236 * bright, 230 * bright, 226 * bright))
        balls = np.empty_like(scene.image)
        rows, columns = window
        corners = (columns.start, rows.start), (columns.stop, rows.stop)
        cv2.rectangle(balls, *corners, mix(white, scene.skin, 0.22), cv2.FILLED)
        fixed = scene.head.unit * (1 << SHIFT)
        radius = 0.066 * scene.identity.eye_size * fixed
        middles, glints = self._pupils()
        for share, light, colour in ((1.0, 0.42, scene.iris), (0.80, 1.0, scene.iris), (0.46, 1.0, (10.0, 8.0, 8.0))):
            colour = shade(colour, light, light, light)
            for middle, squeeze in zip(middles, self.spots[:, 2].tolist(), strict=True):
                axes = int(radius * share * squeeze), int(radius * share)
                cv2.ellipse(balls, middle, axes, 0, 0, 360, colour, -1, cv2.LINE_AA, SHIFT)
        lids = self.pixels[:, _LID]
        below = lids + np.int32([0, 0.0225 * fixed])
        cv2.fillPoly(balls, between(lids, below), shade(scene.skin, 0.24, 0.18, 0.18), cv2.LINE_AA, SHIFT)
        for glint in glints:
            cv2.circle(balls, glint, int(0.017 * fixed), (250.0, 250.0, 250.0), -1, cv2.LINE_AA, SHIFT)
        return balls

    def _pupils(self) -> tuple[list[list[int]], list[list[int]]]:
        """Pixels of both pupils and of both catch-lights."""
        gaze_x, gaze_y = self.scene.appearance.gaze_x, self.scene.appearance.gaze_y
        points = np.empty((2, 2, 2), np.float32)
        points[:] = self.spots[:, :2]
        points[..., 0] += 0.030 * gaze_x * self.spots[:, 2]
        points[..., 1] += 0.012 * gaze_y - 0.012
        points[1] += np.float32([0.022 * self.scene.light[0] - 0.004, -0.020])
        return tuple(self.scene.head.pixels(points).tolist())

    def _brows(self) -> None:
        """Both brows: a soft body and short hairs that lie along it."""
        scene, head = self.scene, self.scene.head
        identity, appearance = scene.identity, scene.appearance
        lift = 0.035 * appearance.brow_raise - (0.012 if appearance.smile < -0.1 else 0.0)
        height = -0.155 - 0.085 * identity.brow_gap - lift
        spots = np.float32([head.spot(side * (scene.eye_x + 0.005), height, 0.03) for side in (-1, 1)])
        x, y, squeeze = spots.T[..., None]
        ridge = y + (0.030 * _PLACE - (0.030 + 0.050 * identity.brow_arch) * _BEND - 0.012)
        curves = np.empty((2, 4, 15, 2), np.float32)
        curves[..., 0] = (x + _SIDES * squeeze * _ALONG)[:, None]
        curves[:, 3, :, 0] -= 0.0048 * _SIDES
        curves[..., 1] = ridge[:, None] + (0.031 * identity.brow_thickness) * _EDGES
        pixels = head.pixels(curves.reshape(-1, 15, 2)).reshape(curves.shape)
        hair = scene.hair if identity.hair_colour != "blond" else shade(scene.hair, 0.62, 0.58, 0.52)
        colour = mix(shade(hair, 0.60, 0.56, 0.54), scene.skin, 0.10)
        scene.fill(between(pixels[:, 0], pixels[:, 1]), mix(colour, scene.skin, 0.42))
        hairs = np.empty((2, 13, 2, 2), np.int32)  # sides, hairs, root and tip, x and y
        hairs[:, :, 0], hairs[:, :, 1] = pixels[:, 2, :13], pixels[:, 3, 2:]
        scene.draw(hairs.reshape(-1, 2, 2), 0.012, colour)
