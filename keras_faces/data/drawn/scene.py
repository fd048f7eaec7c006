"""The scene of a drawn face: where things are, which colours they have, and how the light falls on the skin.

The light is computed on a small map of the head frame. The face is an ellipsoid with Gaussian hills and hollows (nose,
sockets, cheeks, lips, chin); its normals, n, meet the direction of the light, l, and Lambert's n . l becomes the tone,
which a ramp from shadow to highlight turns into skin.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from .factors import Appearance, Identity
from .paint import FACE_FRAME, FRAME, SHIFT, Colour, Head, Outlines, blend, hsv, mix, ramp, tint

_SKIN = (  # from very pale to very dark
    *((246, 216, 200), (243, 205, 182), (228, 180, 150), (202, 148, 115)),
    *((160, 110, 80), (112, 74, 54), (78, 50, 38)),
)
_HAIR = {
    "black": ((24, 20, 20), (46, 38, 36)),
    "brown": ((62, 40, 28), (124, 84, 56)),
    "blond": ((178, 136, 82), (226, 194, 138)),
    "red": ((120, 52, 24), (176, 86, 42)),
    "gray": ((128, 126, 126), (206, 204, 202)),
}
_IRIS = {
    "brown": (78, 48, 28),
    "blue": (86, 130, 176),
    "green": (92, 128, 84),
    "hazel": (124, 96, 52),
    "grey": (120, 134, 142),
}


class Scene:
    """One picture being painted.

    The canvas is `scale` times as large as the picture of `image_size` pixels.

    Attributes
    ----------
    size : int
        Side of the canvas in pixels.
    image : ndarray
        The canvas, uint8 (size, size, 3).
    head, body : Head
        Projections of the head, and of neck and shoulders, which follow the head's pose only in part.
    shadows : ndarray
        Small shadows of the features, uint8 (size, size), collected here to be softened and blended once.
    face : tuple of slice
        The window around the face, set when the face is painted.
    """

    def __init__(self, identity: Identity, appearance: Appearance, image_size: int, scale: int) -> None:
        self.identity, self.appearance, self.scale = identity, appearance, scale
        self.size = size = image_size * scale
        unit = 0.355 * size * appearance.zoom
        x, y = (0.5 + appearance.shift_x) * size, (0.485 + appearance.shift_y) * size
        self.head = Head(size, (x, y), unit, appearance.yaw, appearance.pitch, appearance.roll)
        lean = 0.25 * appearance.roll
        joint = x + 0.75 * unit * (math.sin(lean) - math.sin(appearance.roll)), y  # it stays where the head has it
        self.body = Head(size, joint, unit, 0.35 * appearance.yaw, 0.0, lean)
        self.cells = min(112, 6 + size // 4)  # side of the low-resolution maps
        light = appearance.light_x, appearance.light_y, 0.9
        length = (light[0] * light[0] + light[1] * light[1] + light[2] * light[2]) ** 0.5
        self.light = light[0] / length, light[1] / length, light[2] / length  # unit vector towards the light
        self.eye_x = 0.305 * identity.eye_spacing * identity.face_width  # landmarks, in units of the head
        self.nose_y = 0.33 * identity.nose_length
        self.mouth_y = 0.57 * identity.face_length + 0.03 * (identity.nose_length - 1.0)
        self._colours()
        self.image = np.empty((size, size, 3), np.uint8)
        self.shadows = np.zeros((size, size), np.uint8)
        self.face = slice(0, size), slice(0, size)

    def _colours(self) -> None:
        identity, appearance = self.identity, self.appearance
        warmth = appearance.light_warmth
        self.tint = (1.0 + 0.07 * warmth, 1.0, 1.0 - 0.10 * warmth)
        place = identity.melanin * (len(_SKIN) - 1.001)
        skin = mix(_SKIN[int(place)], _SKIN[int(place) + 1], place % 1.0)
        undertone = identity.undertone
        self.skin = self.lit((skin[0], skin[1] + 3.0 * undertone, skin[2] - 7.0 * undertone))
        dark, bright = _HAIR[identity.hair_colour]
        self.hair = self.lit(mix(dark, bright, identity.hair_shade))
        self.iris = self.lit(_IRIS[identity.eye_colour])
        self.skin_ramp = skin_ramp(self.skin)
        self.hair_ramp = hair_ramp(self.hair)

    def lit(self, colour: Colour) -> Colour:
        """A colour under the warmth of the scene's light."""
        red, green, blue = self.tint
        return min(255.0, colour[0] * red), min(255.0, colour[1] * green), min(255.0, colour[2] * blue)

    def fill(self, outlines: Outlines, colour: Colour) -> None:
        """Fill outlines of fixed-point pixels with one colour, antialiased, straight on the canvas."""
        cv2.fillPoly(self.image, outlines, colour, cv2.LINE_AA, SHIFT)

    def draw(self, lines: Outlines, width: float, colour: Colour) -> None:
        """Draw open lines of fixed-point pixels, `width` units of the head wide, straight on the canvas."""
        thick = max(1, round(width * self.head.unit))
        cv2.polylines(self.image, lines, False, colour, thick, cv2.LINE_AA, SHIFT)

    def shadow(self, lines: Outlines, width: float, share: float) -> None:
        """Add open lines of fixed-point pixels to the soft shadows; share 1 is the darkest."""
        thick = width * self.head.unit
        level = 255.0 * share * min(1.0, thick)
        cv2.polylines(self.shadows, lines, False, level, max(1, round(thick)), cv2.LINE_8, SHIFT)

    @property
    def accent(self) -> Colour:
        """The colour of hat and tie."""
        return self.lit(hsv(self.appearance.accent_hue, 0.45, 0.25 + 0.5 * self.appearance.clothes_colour))


def skin_ramp(skin: Colour) -> np.ndarray:
    """Tones of skin: shadows redder, highlights paler."""
    red, green, blue = skin
    return ramp(
        (0.0, 0.30, 0.66, 0.88, 1.0),
        [
            (0.16 * red, 0.10 * green, 0.09 * blue),
            (0.52 * red, 0.43 * green, 0.40 * blue),
            skin,
            mix(skin, (255, 246, 236), 0.30),
            mix(skin, (255, 252, 246), 0.66),
        ],
    )


def hair_ramp(hair: Colour) -> np.ndarray:
    """Tones of hair: nearly black in the depth, glossy at the top."""
    gloss = mix(hair, (255, 240, 220), 0.19 + 0.0010 * sum(hair) / 3.0)
    return ramp((0.0, 0.28, 0.60, 1.0), [mix((0, 0, 0), hair, 0.14), mix((0, 0, 0), hair, 0.5), hair, gloss])


@lru_cache(maxsize=8)
def axis(cells: int, frame: float = FRAME) -> np.ndarray:
    """Head-frame coordinates of a low-resolution map's rows or columns: float32 (cells,)."""
    return np.linspace(-frame, frame, cells, dtype=np.float32)


_OTHER_SIDE = np.float32([-1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])


def _hills(scene: Scene) -> np.ndarray:
    """Hills of the face: rows of x, y, width x, width y, height, extra tone, redness (before the head is turned)."""
    identity, appearance = scene.identity, scene.appearance
    eye, nose, mouth = scene.eye_x, scene.nose_y, scene.mouth_y
    wing = 0.105 * identity.nose_width
    smile = max(0.0, appearance.smile)
    age, full = identity.age, identity.fullness
    blush = appearance.blush
    bone = 1.0 if identity.male else 0.45
    chin = 0.86 * identity.face_length
    cheek_y = 0.24 - 0.04 * smile
    middle = [
        (0.0, 0.02, 0.050, 0.19, 0.075, 0.02, 0.0),  # bridge
        (0.0, nose - 0.07, 0.070 * identity.nose_width, 0.070, 0.115, 0.04, 0.16),  # tip
        (0.0, nose + 0.065, 0.11 * identity.nose_width, 0.030, 0.0, -0.17, 0.0),  # shadow under the nose
        (0.0, mouth - 0.11, 0.022, 0.045, -0.016, -0.02, 0.0),  # philtrum
        (0.0, mouth, 0.20, 0.09, 0.045, 0.0, 0.0),  # teeth behind the lips
        (0.0, mouth + 0.165, 0.12, 0.035, -0.035, -0.10, 0.0),  # hollow under the lower lip
        (0.0, chin, 0.13, 0.085, 0.065, 0.03, 0.05),
        (0.0, -0.50, 0.32, 0.20, 0.04, 0.03, 0.0),  # forehead
        (0.0, -0.22, 0.05, 0.05, -0.012, -0.03 * age, 0.0),  # between the brows
    ]
    sides = [
        (eye, -0.235, 0.17, 0.055, 0.045 * bone, 0.02, 0.0),  # brow bone
        (eye, -0.075, 0.14, 0.075, -0.058, -0.10, 0.03),  # socket
        (0.125, -0.09, 0.045, 0.065, -0.050, -0.12, 0.0),  # inner socket
        (eye, -0.05, 0.080, 0.045, 0.022, 0.02, 0.0),  # lid over the eyeball
        (eye, 0.085, 0.11, 0.022, -0.006 - 0.014 * age, -0.03 - 0.07 * age, 0.02),  # under the eye
        (wing, nose - 0.02, 0.045, 0.050, 0.045, 0.0, 0.08),  # wing of the nose
        (wing + 0.065, nose, 0.030, 0.050, -0.020, -0.06, 0.04),
        (0.36, cheek_y, 0.16, 0.13, 0.050 + 0.025 * smile + 0.03 * full, 0.03, 0.12 + 0.42 * blush),  # cheek
        (0.27, mouth - 0.14, 0.035, 0.11, -0.010 - 0.022 * smile - 0.02 * age, -0.05 * smile - 0.07 * age, 0.0),
        (0.29, mouth - 0.01, 0.040, 0.050, -0.012 - 0.012 * smile, -0.06, 0.0),  # corner of the mouth
        (0.47, 0.45, 0.10, 0.15, -0.035 * (1.0 - full), -0.05 * (1.0 - full), 0.0),  # hollow cheek
        (0.40, 0.60, 0.14, 0.12, 0.05 * full, 0.0, 0.0),  # chubby jowl
        (0.58, -0.32, 0.09, 0.18, -0.035, -0.03, 0.0),  # temple
    ]
    rows = np.array(middle + sides, np.float32)
    return np.concatenate((rows, rows[len(middle) :] * _OTHER_SIDE))


def surface(points: np.ndarray) -> np.ndarray:
    """Depth of points (..., 2 or more) of the face that begin with x and y, as in `Head.spot`."""
    x, y = points[..., 0] / 0.86, (points[..., 1] - 0.1) / 1.30
    return 0.80 * np.sqrt(np.maximum(0.0, 1.0 - x * x - y * y))


def _relief(scene: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The turned hills on the map: their slopes along x and y, extra tone and redness, each float32 (cells, cells)."""
    hills, cells = _hills(scene), scene.cells
    centre = scene.head.turn(hills[:, :2], surface(hills) + 0.5 * hills[:, 4])
    sharp = 1.0 / hills[:, 2:4, None]
    away = (axis(cells, FACE_FRAME) - centre[..., None]) * sharp  # (hills, 2, cells): along x, along y
    bell = np.exp(-0.5 * away * away)
    away *= bell
    away *= -hills[:, 4, None, None] * sharp  # now the slope of rise * bell
    # A hill is the product of a bell down the rows and one across the columns.
    down, across = bell[:, 1].T, np.empty((len(hills), 3, cells), np.float32)
    across[:, 0] = away[:, 0]
    across[:, 1:] = bell[:, :1] * hills[:, 5:7, None]
    sums = down @ across.reshape(len(hills), -1)
    slope_y = away[:, 1].T @ bell[:, 0]
    return sums[:, :cells], slope_y, sums[:, cells : 2 * cells], sums[:, 2 * cells :]


def face_skin(scene: Scene) -> np.ndarray:
    """The skin of the turned face in the light: uint8 (cells, cells, 3) over FACE_FRAME."""
    slope_x, slope_y, extra, red = _relief(scene)
    line = axis(scene.cells, FACE_FRAME)
    round_x = (line - 0.25 * scene.head.sin_yaw) / (0.80 * scene.identity.face_width)
    round_y = ((line + 0.10) / 1.30)[:, None]
    square_z = np.maximum(0.06, (1.0 - round_y * round_y) - round_x * round_x)
    normal_x, normal_y = round_x - slope_x, round_y - slope_y
    light_x, light_y, light_z = scene.light
    lambert = light_x * normal_x + light_y * normal_y + light_z * np.sqrt(square_z)
    lambert /= np.sqrt(normal_x * normal_x + normal_y * normal_y + square_z)
    skin = tint(to_bytes(tones(lambert, scene.appearance) + extra), scene.skin_ramp)
    flush = scene.lit((205, 62, 58) if scene.identity.melanin < 0.5 else (120, 40, 34))
    blend(skin, flush, to_bytes(np.minimum(red, 0.6)))
    return skin


def tones(lambert: np.ndarray, appearance: Appearance) -> np.ndarray:
    """From n . l (-1 to 1) to a tone around 0.66: wrapped, so that the far side is dark and not black."""
    strength = appearance.light_strength
    slope = (0.12 + 0.60 * strength) / 1.35
    return np.maximum(-0.35, lambert) * slope + (0.66 - 0.48 * strength + 0.35 * slope)


def to_bytes(tone: np.ndarray) -> np.ndarray:
    """A map in 0-1 as uint8, clipped."""
    return cv2.addWeighted(tone, 255.0, tone, 0.0, 0.0, dtype=cv2.CV_8U)


@lru_cache(maxsize=8)
def _normals(cells: int, radius_y: float, centre_y: float) -> np.ndarray:
    """Unit normals of an ellipsoid whose half-width is 1, over FRAME: float32 (3, cells, cells)."""
    line = axis(cells)
    x, y = np.broadcast_arrays(line, ((line - centre_y) / radius_y)[:, None])
    square = x * x + y * y
    return np.stack([x, y, np.sqrt(np.maximum(0.04, 1.0 - square))]) / np.sqrt(np.maximum(1.0, square + 0.04))


def round_tone(scene: Scene, radius_y: float, centre_y: float) -> np.ndarray:
    """Tone of an ellipsoid in the light, for hair and hats: float32 (cells, cells), x in units of its half-width."""
    light_x, light_y, light_z = scene.light
    x, y, z = _normals(scene.cells, radius_y, centre_y)
    return tones(light_x * x + light_y * y + light_z * z, scene.appearance)
