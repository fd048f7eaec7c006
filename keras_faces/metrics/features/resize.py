"""The one resize of both sides of a score.

A resize without antialiasing, or rounding on one side only, moves an FID by several points (Parmar et al. 2022, "On
Aliased Resizing and Surprising Subtleties in GAN Evaluation"). So both sides go through one function, nothing is
rounded after it, and its name is part of every score.
"""

from __future__ import annotations

import cv2
import numpy as np


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Resize images (N, H, W, 3) in 0..255 to float32 (N, size, size, 3) in 0..255.

    A side that shrinks is averaged over areas (INTER_AREA, antialiased); a side that grows is bicubic, clipped to
    0..255. A frame that is not square is squeezed.
    """
    count, height, width, _ = images.shape
    smaller = (min(width, size), min(height, size))  # OpenCV's order: width, height
    found = np.empty((count, size, size, 3), "float32")
    for index, image in enumerate(images):
        image = image.astype("float32")
        if smaller != (width, height):
            image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
        if smaller != (size, size):
            image = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC)
        found[index] = image
    return np.clip(found, 0, 255, out=found)


def resize_name(size: int) -> str:
    """The resize in words, for scores."""
    return f"to {size}×{size}, OpenCV INTER_AREA where it shrinks and INTER_CUBIC where it grows, not rounded"


def cropped(images: np.ndarray, box: tuple[float, float, float, float] | None) -> np.ndarray:
    """The part of images (N, H, W, 3) in a box of shares (top, bottom, left, right), at least one pixel per side."""
    if box is None:
        return images
    rows, columns = places(box, *images.shape[1:3])
    return images[:, rows, columns]


def places(box: tuple[float, float, float, float], height: int, width: int) -> tuple[slice, slice]:
    """The rows and columns of a box in an image of ``height`` × ``width`` pixels."""
    return _pixels(box[0], box[1], height), _pixels(box[2], box[3], width)


def _pixels(first: float, last: float, length: int) -> slice:
    start = min(round(first * length), length - 1)
    return slice(start, max(start + 1, round(last * length)))
