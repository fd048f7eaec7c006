"""The features of a drawn face: eyes, brows, nose, mouth and beard, painted into a scene.

Each feature is drawn around a point of the face that is turned with the head; its own outline is given beside that
point and squeezed as the surface turns away. Creases, nostrils and other small shadows of all features are collected in
one mask, softened once and blended once, which keeps a face cheap.

Read next: ``portrait_hair.py``.
"""

from __future__ import annotations

import cv2
import numpy as np

from keras_faces.data.portrait_paint import SHIFT, blend, hsv, mirrored, mix, noise_tile, smooth, tint
from keras_faces.data.portrait_scene import Scene, surface

_ACROSS = np.linspace(-1.0, 1.0, 11, dtype=np.float32)
_ARCH = 1.0 - _ACROSS**2
_SQUARER = _ARCH**0.65  # fuller arches than the parabola
_OPENING = _ARCH**0.7
_BOW = _ARCH**0.8 - 0.24 * np.exp(-((_ACROSS / 0.16) ** 2))  # upper lip with its notch
_NOTCH = 0.010 * np.exp(-((_ACROSS / 0.2) ** 2))
_BROW_ALONG = np.linspace(-0.160, 0.180, 15, dtype=np.float32)
_BROW_PLACE = (_BROW_ALONG + 0.160) / 0.34  # 0 at the nose, 1 at the temple
_BROW_BEND = np.sin(np.pi * _BROW_PLACE**1.3)
_BROW_TAPER = np.minimum(1.0, 1.30 - _BROW_PLACE) * np.minimum(1.0, 0.55 + 4.0 * _BROW_PLACE)
_LASH_REACH = np.linspace(0.5, 1.0, 6, dtype=np.float32)[:, None]


def _curve(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    points = np.empty((len(x), 2), np.float32)
    points[:, 0] = x
    points[:, 1] = y
    return points


def _loop(x: np.ndarray, above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Closed outline between two curves over the same x."""
    count = len(x)
    points = np.empty((2 * count, 2), np.float32)
    points[:count, 0], points[:count, 1] = x, above
    points[count:, 0], points[count:, 1] = x[::-1], below[::-1]
    return points


class Face:
    """Paints the features of one scene, in this order: lips, shadows, eyes, brows, beard."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.shadows = np.zeros((scene.size, scene.size), np.uint8)

    def paint(self, face_mask: np.ndarray) -> None:
        """Paint everything onto the skin; `face_mask` is 255 where the face is."""
        self._nose()
        self._wrinkles()
        eyes = [self._eye_place(side) for side in (-1, 1)]
        self._mouth()
        window = self.scene.face.window
        soft = cv2.blur(self.shadows[window], self.scene.head.box(0.012))
        blend(self.scene.image[window], self.scene.shade(self.scene.skin, 0.26, 0.15, 0.13), soft)
        for side, place in zip((-1, 1), eyes, strict=True):
            self._eye(side, *place)
            self._brow(side)
        self._beard(face_mask)

    def _shadow(self, lines: list[np.ndarray] | np.ndarray, width: float, share: float) -> None:
        """Add lines to the soft shadows; share 1 is the darkest."""
        head = self.scene.head
        thick = width * head.unit
        level = 255.0 * share * min(1.0, thick)
        cv2.polylines(self.shadows, head.lines(lines), False, level, max(1, round(thick)), cv2.LINE_8, SHIFT)

    def _eye_place(self, side: int) -> tuple[float, float, float, np.ndarray, np.ndarray, np.ndarray]:
        """Where an eye is: x, y, squeeze, and its lids as x and upper and lower y; adds the creases around it."""
        scene = self.scene
        identity, appearance = scene.identity, scene.appearance
        x, y, squeeze = scene.head.spot(side * scene.eye_x, -0.055)
        half = 0.140 * identity.eye_size
        opening = identity.eye_opening * appearance.eyes_open * (1.0 - 0.25 * max(0.0, appearance.smile))
        opening = max(0.42, opening) * identity.eye_size
        outward = _ACROSS * side  # -1 at the inner corner, +1 at the outer one
        across = x + half * squeeze * _ACROSS
        base = y - half * identity.eye_tilt * outward
        upper = base - 0.079 * opening * _SQUARER * (1.0 + 0.12 * outward)
        lower = base + 0.043 * opening * _ARCH
        self._shadow([_curve(across, upper - 0.030 - 0.012 * _ARCH)], 0.022, 0.40)
        self._shadow([_curve(across, lower + 0.040 + 0.020 * _ARCH)], 0.022, 0.08 + 0.25 * identity.age)
        return x, y, squeeze, across, upper, lower

    def _eye(
        self, side: int, x: float, y: float, squeeze: float, across: np.ndarray, upper: np.ndarray, lower: np.ndarray
    ) -> None:
        """Lid colour, eyeball cut by the lids, lash lines."""
        scene, head = self.scene, self.scene.head
        identity, appearance = scene.identity, scene.appearance
        half = 0.140 * identity.eye_size * squeeze
        patch = head.patch(x, y, 1.6 * half, 0.20)
        if patch is None:
            return
        view = scene.image[patch.window]
        if appearance.makeup:
            shadow = _loop(across, upper - 0.070 * _SQUARER - 0.012, upper)
            colour = mix(scene.shade(scene.skin, 0.40, 0.33, 0.34), hsv(appearance.accent_hue, 0.4, 0.35), 0.35)
            mask = cv2.blur(patch.mask(shadow), head.box(0.025))
            blend(view, colour, cv2.convertScaleAbs(mask, alpha=0.75 * appearance.makeup))
        lid = _curve(across, upper)
        blend(view, self._eyeball(patch, lid, x, y, squeeze), patch.mask(_loop(across, upper, lower)))

        lash = mix(scene.shade(scene.hair, 0.35, 0.3, 0.3), (22, 15, 14), 0.6)
        rim = scene.shade(scene.skin, 0.60, 0.44, 0.41)
        female = 0.0 if identity.male else 0.45 + 0.55 * appearance.makeup
        scene.draw([_curve(across, lower)], 0.012, rim if not appearance.makeup else mix(rim, lash, 0.5))
        scene.draw([lid], 0.020 + 0.016 * female, lash if female else mix(lash, scene.skin, 0.25))
        if female:
            roots = (lid if side > 0 else lid[::-1])[5:]
            reach = np.float32([0.16 * side, -0.30]) * (half * female) * _LASH_REACH
            scene.draw(np.stack([roots, roots + reach], axis=1), 0.014, mix(lash, scene.skin, 0.15))

    def _eyeball(self, patch, lid: np.ndarray, x: float, y: float, squeeze: float) -> np.ndarray:
        """White, iris, pupil, catch-light and the lid's shadow, as a picture of the patch that the lids cut later."""
        scene, appearance = self.scene, self.scene.appearance
        bright = 0.70 + 0.18 * appearance.light_strength
        ball = np.empty((*patch.shape, 3), np.uint8)
        ball[...] = mix(scene.lit((236 * bright, 230 * bright, 226 * bright)), scene.skin, 0.22)
        radius = 0.066 * scene.identity.eye_size
        fixed = scene.head.unit * (1 << SHIFT)
        middle = (x + 0.030 * appearance.gaze_x * squeeze, y - 0.012 + 0.012 * appearance.gaze_y)
        glint = (middle[0] + 0.022 * scene.light[0] - 0.004, middle[1] - 0.020)
        disc, spark = patch.pixels(np.float32([middle, glint])).tolist()
        layers = ((1.0, 0.42, scene.iris), (0.80, 1.0, scene.iris), (0.46, 1.0, (10.0, 8.0, 8.0)))
        for share, light, colour in layers:
            reach = radius * share * fixed
            colour = scene.shade(colour, light, light, light)
            cv2.ellipse(ball, disc, (int(reach * squeeze), int(reach)), 0, 0, 360, colour, -1, cv2.LINE_AA, SHIFT)
        shade = scene.shade(scene.skin, 0.24, 0.18, 0.18)
        thick = max(1, round(0.045 * scene.head.unit))
        cv2.polylines(ball, [patch.pixels(lid)], False, shade, thick, cv2.LINE_AA, SHIFT)
        cv2.circle(ball, spark, int(0.017 * fixed), (250.0, 250.0, 250.0), -1, cv2.LINE_AA, SHIFT)
        return ball

    def _brow(self, side: int) -> None:
        """One brow: a soft body and short hairs that lie along it."""
        scene = self.scene
        identity, appearance = scene.identity, scene.appearance
        lift = 0.035 * appearance.brow_raise - (0.012 if appearance.smile < -0.1 else 0.0)
        x, y, squeeze = scene.head.spot(side * (scene.eye_x + 0.005), -0.155 - 0.085 * identity.brow_gap - lift, 0.03)
        ridge = y - (0.030 + 0.050 * identity.brow_arch) * _BROW_BEND + 0.030 * _BROW_PLACE - 0.012
        thick = 0.031 * identity.brow_thickness * _BROW_TAPER
        across = x + side * squeeze * _BROW_ALONG
        hair = scene.hair if identity.hair_colour != "blond" else scene.shade(scene.hair, 0.62, 0.58, 0.52)
        colour = mix(scene.shade(hair, 0.60, 0.56, 0.54), scene.skin, 0.10)
        scene.fill(_loop(across, ridge - 0.95 * thick, ridge + 0.90 * thick), mix(colour, scene.skin, 0.42))
        hairs = np.empty((13, 2, 2), np.float32)
        hairs[:, 0, 0], hairs[:, 0, 1] = across[:13], (ridge + 0.85 * thick)[:13]
        hairs[:, 1, 0], hairs[:, 1, 1] = across[2:] - 0.2 * side * 0.024, (ridge - 0.75 * thick)[2:]
        scene.draw(hairs, 0.012, colour)

    def _nose(self) -> None:
        """Nostrils and the lines of the wings; the nose itself is relief."""
        scene = self.scene
        wide = scene.identity.nose_width
        x, y, squeeze = scene.head.spot(0.0, scene.nose_y, 0.10)
        wings = np.float32([(0.112, -0.080), (0.142, -0.040), (0.142, 0.005), (0.108, 0.026)])
        holes = np.float32([(0.038, 0.014), (0.066, 0.008), (0.094, 0.018)])
        for shape, width, share in ((wings, 0.020, 0.34), (holes, 0.026, 0.80)):
            scaled = shape * np.float32([wide * squeeze, 1.0])
            both = np.stack([scaled, scaled * np.float32([-1.0, 1.0])]) + np.float32([x, y])
            self._shadow(both, width, share)

    def _wrinkles(self) -> None:
        """Lines of an older face: forehead, beside the eyes, from nose to mouth."""
        identity = self.scene.identity
        age = identity.age
        if age < 0.45:
            return
        head, mouth_y, nose_y = self.scene.head, self.scene.mouth_y, self.scene.nose_y
        tilt = 0.04 * (identity.eye_tilt - 0.03)
        forehead = [
            smooth([head.spot(x, y + 0.12 * x * x + tilt * x)[:2] for x in (-reach, -0.1, 0.1, reach)], 3)
            for reach, y in ((0.22, -0.55), (0.30, -0.46 - 0.1 * tilt), (0.25, -0.38))
        ]
        self._shadow(forehead, 0.022, 0.22 * age)
        lines = []
        for side in (-1, 1):
            lines.append([(side * 0.15, nose_y - 0.04), (side * 0.245, mouth_y - 0.12), (side * 0.275, mouth_y + 0.03)])
            for rise in (-0.05, 0.0, 0.05):
                lines.append([(side * 0.49, -0.03 + 0.5 * rise), (side * 0.56, -0.02 + rise)])
        turned = [smooth([head.spot(*point)[:2] for point in line], 3) for line in lines]
        self._shadow(turned, 0.020, 0.38 * age)

    def _mouth(self) -> None:
        """Lips; teeth and the dark of the mouth where it is open."""
        scene = self.scene
        identity, appearance = scene.identity, scene.appearance
        smile, gap = appearance.smile, 0.105 * appearance.mouth_open
        x, y, squeeze = scene.head.spot(0.0, scene.mouth_y, 0.03)
        half = 0.225 * identity.mouth_width * (1.0 + 0.20 * smile)
        thin = 1.0 - 0.20 * max(0.0, smile)
        across = x + half * squeeze * _ACROSS + 0.03 * scene.head.sin_yaw * _ARCH
        bend = y - 0.062 * smile + (0.080 * smile) * _ARCH
        inner_top = bend - 0.20 * gap * _OPENING + _NOTCH
        inner_low = bend + 0.80 * gap * _OPENING
        top = bend - 0.20 * gap * _ARCH - 0.048 * identity.lip_fullness * thin * _BOW
        lower_height = 0.064 * identity.lip_fullness * thin
        bottom = bend + 0.80 * gap * _ARCH + lower_height * _OPENING

        lip = _lip_colour(scene)
        soft = mix(lip, scene.skin, 0.0 if appearance.lipstick else 0.35)
        scene.fill(_loop(across, top - 0.006, bottom + 0.006), soft)
        scene.fill(_loop(across, inner_low - 0.004, bottom), lip)
        scene.fill(_loop(across, top, inner_top + 0.004), scene.shade(lip, 0.80, 0.73, 0.74))
        shine = _curve(across + 0.02 * scene.light[0], inner_low + 0.45 * lower_height)
        scene.draw([shine[3:8]], 0.026, mix(lip, (255, 236, 230), 0.16))
        scene.draw([shine[4:7]], 0.016, mix(lip, (255, 236, 230), 0.36))
        if gap > 0.01:
            self._open_mouth(across, inner_top, inner_low)
        else:
            self._shadow([_curve(across, inner_top)], 0.022, 0.85)
        self._shadow([_curve(across, bottom + 0.022)[2:9]], 0.024, 0.30)
        corners = _curve(across, bend)
        self._shadow(np.stack([corners[:2], corners[-2:]]), 0.026, 0.60)

    def _open_mouth(self, across: np.ndarray, inner_top: np.ndarray, inner_low: np.ndarray) -> None:
        scene = self.scene
        dark = mix(scene.shade(scene.skin, 0.24, 0.11, 0.11), (38, 10, 12), 0.6)
        scene.fill(_loop(across, inner_top, inner_low), dark)
        row = slice(1, 10)
        length = 0.055 + 0.02 * scene.appearance.smile
        teeth_low = inner_top + np.minimum(length, 0.90 * (inner_low - inner_top))
        bright = 0.76 + 0.15 * scene.appearance.light_strength
        white = scene.lit((238 * bright, 230 * bright, 218 * bright))
        scene.fill(_loop(across[row], inner_top[row], teeth_low[row]), mix(white, dark, 0.35))
        row = slice(3, 8)
        scene.fill(_loop(across[row], inner_top[row], teeth_low[row]), white)
        self._shadow([_curve(across, inner_top)], 0.020, 0.62)

    def _beard(self, face_mask: np.ndarray) -> None:
        """Stubble, mustache, goatee or full beard; and sideburns."""
        scene, head, appearance = self.scene, self.scene.head, self.scene.appearance
        outlines = _beard_outlines(scene)
        if not outlines:
            return
        mask = np.zeros((scene.size, scene.size), np.uint8)
        for outline in outlines:
            pixels = head.pixels(head.turn(outline, surface(outline)))
            cv2.fillPoly(mask, [pixels], 255, cv2.LINE_8, SHIFT)
        stubble = appearance.beard == "stubble"
        box = head.box(0.060 if stubble else 0.030)
        mask = cv2.blur(cv2.blur(mask, box), box)
        row = int(appearance.texture * 120)
        cells = round(2.0 * head.size / head.unit * 24.0)  # hairs are as fine on a large canvas as on a small one
        tile = cv2.resize(noise_tile("beard")[row : row + cells, row : row + cells], (scene.size, scene.size))
        near = cv2.convertScaleAbs(cv2.blur(face_mask, head.box(0.06)), alpha=1.6)  # beards end soon after the face
        mask = cv2.min(cv2.addWeighted(mask, 1.25, tile, 0.7, -128.0), cv2.min(cv2.add(mask, mask), near))
        if stubble:
            mask = cv2.min(cv2.convertScaleAbs(mask, alpha=0.42), face_mask)
            blend(scene.image, mix(scene.shade(scene.hair, 0.6, 0.6, 0.6), scene.skin, 0.15), mask)
            return
        light = tint(cv2.convertScaleAbs(tile, alpha=0.50, beta=26), scene.hair_ramp)
        blend(scene.image, light, cv2.convertScaleAbs(mask, alpha=0.92))


def _lip_colour(scene: Scene) -> tuple[float, float, float]:
    natural = mix(scene.shade(scene.skin, 0.86, 0.60, 0.60), scene.lit((176, 74, 78)), 0.30)
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
