"""From a photograph to upright faces: find five landmarks, then turn, scale and shift them to fixed places.

The detector is MTCNN: three small networks that look at the picture at every scale, keep what may be a face, and give
its eyes, nose and mouth. Its package `mtcnn` (MIT licence) carries the weights, 2 MB, so nothing is downloaded; it runs
on TensorFlow, which is loaded only when a `Detector` is made. OpenCV's own detector (YuNet) is quicker, but needs a
file of weights that OpenCV's package does not carry.

Sources: K. Zhang, Z. Zhang, Z. Li, Y. Qiao, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks", IEEE Signal Processing Letters 23(10), 2016; S. Umeyama, "Least-Squares Estimation of Transformation
Parameters Between Two Point Patterns", IEEE TPAMI 13(4), 1991.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import cv2
import numpy as np

# Where MTCNN finds the landmarks of CelebA's aligned faces, on average (445 of them; they vary by 1.5 pixels, the nose
# by 5): in the face square of the 178×218 frame, as a share of its side, made symmetric. So that what is aligned here
# looks like CelebA, with hair and chin.
CELEBA_LANDMARKS = np.array(
    [
        (0.3916, 0.4045),  # the eye on the picture's left
        (0.6084, 0.4045),
        (0.5000, 0.5376),  # nose
        (0.4025, 0.6337),  # the corner of the mouth on the picture's left
        (0.5975, 0.6337),
    ]
)
MARGINS = (-0.3, 1.0)
_SMALLEST = 20  # pixels: the smallest face that the networks were trained on
_LONGEST = 3000  # pixels: a longer picture is looked at smaller
_BORDER = 0.25  # of the longer side, put around a picture where no face was found: tight crops need it
_SUPERSAMPLING = 32  # a face is shrunk by averaging up to so much; beyond, by bilinear interpolation too


@dataclass(frozen=True)
class Face:
    """A face in a picture, in pixels of that picture."""

    box: tuple[float, float, float, float]  # left, top, width, height
    landmarks: np.ndarray  # float64 (5, 2), x and y: eyes, nose, corners of the mouth; the picture's left first
    score: float  # 0 to 1, how sure the detector is

    @property
    def size(self) -> float:
        """The longer side of the box in pixels."""
        return max(self.box[2:])

    def distance(self, x: float, y: float) -> float:
        """From the box's centre to a point, in pixels."""
        left, top, width, height = self.box
        return float(np.hypot(left + width / 2 - x, top + height / 2 - y))


class Detector:
    """MTCNN, loaded once.

    Parameters
    ----------
    min_face : int
        Smaller faces, in pixels, are not looked for, which saves time in large pictures; at least 20.

    Raises
    ------
    ImportError
        `mtcnn` or TensorFlow is missing, or Keras runs on another backend in this process.
    """

    def __init__(self, min_face: int = 40):
        self._mtcnn = _load_mtcnn()
        self.min_face = max(_SMALLEST, min_face)

    def find(self, image: np.ndarray) -> list[Face]:
        """Find all faces in a picture, the largest first.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            RGB.

        Returns
        -------
        list of Face
        """
        longest = max(image.shape[:2])
        scale = min(1.0, _SMALLEST / self.min_face, _LONGEST / longest)
        small = image if scale == 1 else _shrink(image, scale)
        faces = self._find(small, scale, 0)
        if not faces:
            border = int(_BORDER * max(small.shape[:2]))
            framed = cv2.copyMakeBorder(small, *4 * (border,), cv2.BORDER_CONSTANT, value=(127, 127, 127))
            faces = self._find(framed, scale, border)
        return sorted((face for face in faces if face.size >= self.min_face), key=lambda face: -face.size)

    def _find(self, image: np.ndarray, scale: float, border: int) -> list[Face]:
        smallest = max(_SMALLEST, int(self.min_face * scale))
        rows = self._mtcnn.detect_faces(image, min_face_size=smallest, fit_to_image=False, output_type="numpy")
        faces = []
        for row in rows:  # number of the picture, box, score, five x, five y
            corner = (row[1:3] - border) / scale
            box = (*corner.tolist(), *(row[3:5] / scale).tolist())
            landmarks = (np.stack([row[6:11], row[11:16]], axis=1) - border + 0.5) / scale - 0.5
            faces.append(Face(box, landmarks, float(row[5])))
        return faces


def choose(faces: list[Face], which: str, width: int, height: int) -> list[Face]:
    """Take "all" faces of a picture, the "largest", or the nearest to the "center", as LFW does.

    Parameters
    ----------
    faces : list of Face
        The largest first.
    which : str
        "all", "largest" or "center".
    width, height : int
        Of the picture in pixels.

    Returns
    -------
    list of Face
    """
    if which == "center" and faces:
        return [min(faces, key=lambda face: face.distance(width / 2, height / 2))]
    return faces if which == "all" else faces[:1]


def canonical(size: int, margin: float = 0.0) -> np.ndarray:
    """Where the landmarks lie in an aligned square picture.

    Parameters
    ----------
    size : int
        The picture's side in pixels.
    margin : float
        By how much of its side the square of CelebA is widened on each side, -0.3 to 1: 0 shows hair and chin, -0.2
        eyes to mouth.

    Returns
    -------
    ndarray of float64, shape (5, 2)
        x and y in pixels; a pixel's centre has whole numbers.

    Raises
    ------
    ValueError
        The margin is outside these bounds.
    """
    if not MARGINS[0] <= margin <= MARGINS[1]:
        raise ValueError(
            f"margin={margin:g} is not between {MARGINS[0]} (eyes to mouth) and {MARGINS[1]} (a third face)"
        )
    share = 0.5 + (CELEBA_LANDMARKS - 0.5) / (1 + 2 * margin)
    return share * size - 0.5


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The rotation, scaling and shift that bring points nearest to others, in the sense of least squares.

    Umeyama's solution for the plane, without mirroring. With points as complex numbers z and w about their means,
    w = a z, and a = Σ z̄ w / Σ z̄ z; its length is the scale, its angle the rotation.

    Parameters
    ----------
    source, target : ndarray of float, shape (N, 2)
        N ≥ 2, not all source points alike.

    Returns
    -------
    ndarray of float64, shape (2, 3)
        As `cv2.warpAffine` takes it.
    """
    z, w = source @ (1, 1j), target @ (1, 1j)
    a = np.vdot(z - z.mean(), w - w.mean()) / np.vdot(z - z.mean(), z - z.mean())
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def warp(image: np.ndarray, landmarks: np.ndarray, size: int, margin: float = 0.0) -> tuple[np.ndarray, float]:
    """Cut a face out, upright and scaled, so that its landmarks lie where `canonical` has them.

    Shrinking averages areas: the face is cut out at about its own scale and then shrunk by a whole number. Enlarging is
    bicubic. What lies outside the picture is filled with its mirror image.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
    landmarks : ndarray of float, shape (5, 2)
        As in `Face`.
    size, margin
        As in `canonical`.

    Returns
    -------
    face : ndarray of uint8, shape (size, size, 3)
    outside : float
        The share of its area, 0 to 1, that lies outside the picture.
    """
    scale = np.hypot(*similarity(landmarks, canonical(size, margin))[:, 0])
    times = int(np.clip(np.ceil(1 / scale), 1, _SUPERSAMPLING))
    matrix = similarity(landmarks, canonical(size * times, margin))
    side = (size * times, size * times)
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    face = cv2.warpAffine(image, matrix, side, flags=how, borderMode=cv2.BORDER_REFLECT_101)
    if times > 1:
        face = cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)
    return face, _outside(matrix, image.shape[1], image.shape[0], side[0])


def _outside(matrix: np.ndarray, width: int, height: int, side: int) -> float:
    """The share of a square of `side` pixels that a picture of this width and height, warped, does not cover."""
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) - 0.5
    frame = corners @ matrix[:, :2].T + matrix[:, 2] + 0.5
    square = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32)
    area, _ = cv2.intersectConvexConvex(frame.astype(np.float32), square)
    return float(np.clip(1 - area / side**2, 0, 1))


def _shrink(image: np.ndarray, scale: float) -> np.ndarray:
    width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _load_mtcnn():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"  # mtcnn is written for it
    try:
        from mtcnn import MTCNN
    except ImportError as error:
        raise ImportError(
            f"faces are found by mtcnn on TensorFlow, and {error.name or error} is not here: pip install mtcnn "
            "tensorflow (or the extra: pip install -e '.[align]')"
        ) from error
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ImportError(
            f"mtcnn needs Keras on TensorFlow, and in this process it runs on {keras.backend.backend()}; "
            "run python -m data_prep.align on its own, which takes care of that"
        )
    return MTCNN()
