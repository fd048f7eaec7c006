"""From the bytes of a picture to the part of it that is wanted, decoded no larger than needed.

JPEG stores a picture as the frequencies of 8×8 blocks. A decoder that leaves out the high ones gives a half, a quarter
or an eighth of the size directly, in three quarters of the time (libjpeg's "scaled decoding"). How near that comes to
decoding everything and averaging areas was measured on the 2,329 photographs of LFW in 250×250:

    size    decoded as    mean PSNR    1 in 100 is below    least
    125     1/2           50.2 dB      44.5 dB              41.0 dB    the same to the eye (about 40 dB and more)
    64      1/2           46.0 dB      41.1 dB              36.9 dB    the same
    32      1/2           51.5 dB      47.4 dB              43.3 dB    the same
    100     1/2           41.1 dB      35.4 dB              31.4 dB    lines get softer, so it is decoded whole
    32      1/4           30.4 dB      26.2 dB              24.2 dB    250 is no multiple of 4, which shifts it: no

So a JPEG is decoded smaller only where the crop's edges fall on whole pixels of the small picture, and where that has
just the size wanted, or about twice that and more.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from keras_faces.data.pictures import _CELEBA_FRAMES, PictureError, _imdecode, check_crop, decode_bgr, is_cut_short

_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_ROOM = 1.9  # the small picture has the size wanted, or at least this many times it
_SHIFT = 1 / 16  # pixels of the result by which an edge of the crop may be off
_LARGE = 50_000_000  # pixels: such pictures are decoded one at a time
_large = threading.Lock()

Region = tuple[int, int, int, int]  # top, left, bottom, right


@dataclass(frozen=True)
class Framing:
    """Which part of a picture is wanted, and how large. ValueError for settings that make no sense."""

    size: int | None  # height and width of the result in pixels; None keeps the size
    crop: str = "auto"  # or "center", "celeba", "none", as in `to_square`; with size=None "auto" means "none"
    box: tuple[int, int, int, int] | None = None  # x, y, width, height in pixels after the EXIF rotation; no crop then
    reduced: bool = True  # decode JPEGs at a half, a quarter or an eighth where the result stays the same to the eye

    def __post_init__(self) -> None:
        check_crop(self.crop)
        if self.size is not None and not 1 <= self.size <= 16384:
            raise ValueError(f"size {self.size}: give pixels from 1 to 16384")
        if self.box is None:
            return
        if self.crop != "auto":
            raise ValueError(f"crop={self.crop!r} and a box: give one of the two")
        if len(self.box) != 4 or min(self.box[:2]) < 0 or min(self.box[2:]) < 1:
            raise ValueError(f"box {self.box}: give x, y (0 or more), width and height (1 or more)")

    def region(self, height: int, width: int) -> Region:
        """Top, left, bottom and right of the part wanted in a picture of this height and width, in pixels.

        Raises
        ------
        PictureError
            The box does not lie inside, or crop="celeba" and another shape.
        """
        if self.box is not None:
            x, y, wide, high = self.box
            if x + wide > width or y + high > height:
                raise PictureError(
                    f"{width}×{height} pixels (width×height), too small for the box {x},{y},{wide},{high}"
                )
            return y, x, y + high, x + wide
        if self.crop == "none" or (self.crop == "auto" and self.size is None):
            return 0, 0, height, width
        is_celeba = (height, width) in _CELEBA_FRAMES
        if self.crop == "celeba" and not is_celeba:
            raise PictureError(f"{width}×{height} pixels (width×height), no aligned CelebA frame (178×218 or 89×109)")
        side = min(height, width)
        top = height - side if is_celeba and self.crop != "center" else (height - side) // 2
        left = (width - side) // 2
        return top, left, top + side, left + side


def decode(data: bytes, framing: Framing) -> np.ndarray:
    """Decode the wanted part of a picture, perhaps at a reduced scale; resizing it is left to the caller.

    Parameters
    ----------
    data : bytes
        A whole file. Grey, CMYK, palette, 16 bits, opacity and EXIF rotation are seen to as in
        `keras_faces.data.pictures.decode`.
    framing : Framing
        What is wanted.

    Returns
    -------
    ndarray
        uint8 BGR (OpenCV's order), shape (height, width, 3).

    Raises
    ------
    PictureError
        An empty file, one that was cut short, no picture, or one without the part that is wanted.
    """
    if not data:
        raise PictureError("empty file (0 bytes)")
    if not data.endswith(b"\xff\xd9") and is_cut_short(data):  # most JPEGs end so, which saves the walk through them
        raise PictureError("cut short: the end of the picture is missing")
    size = jpeg_size(data)
    factor = reduction(*size, framing) if size else 1
    with _large if _pixels(data, size) > _LARGE * factor**2 else nullcontext():
        image, full = _reduced(data, size, factor) if factor > 1 else (None, None)
        if image is None:
            image, factor = decode_bgr(data), 1
            full = image.shape[:2]
    top, left, bottom, right = (round(edge / factor) for edge in framing.region(*full))
    return np.ascontiguousarray(image[top:bottom, left:right])


def _reduced(data: bytes, size: tuple[int, int], factor: int) -> tuple[np.ndarray | None, tuple[int, int]]:
    """The picture at 1/factor, and its full height and width as seen: the EXIF orientation may have swapped them."""
    image = _imdecode(np.frombuffer(data, np.uint8), _FLAGS[factor])
    for full in (size, size[::-1]):
        if image is not None and image.shape[:2] == tuple(-(-length // factor) for length in full):
            return image, full
    return None, size


@lru_cache(maxsize=1024)  # most pictures of a source have one size
def reduction(height: int, width: int, framing: Framing) -> int:
    """The factor 1, 2, 4 or 8 by which a JPEG of this height and width in pixels may be decoded smaller.

    An EXIF orientation, which is not known yet, may turn or mirror the picture, so the factor must suit both ways up
    and edges counted from either side.
    """
    if framing.size is None or not framing.reduced:
        return 1
    return min(_reduction(*shape, framing) for shape in {(height, width), (width, height)})


def _reduction(height: int, width: int, framing: Framing) -> int:
    try:
        top, left, bottom, right = framing.region(height, width)
    except PictureError:  # said when the picture turns out to lie this way
        return 8
    sides = ((height, top, bottom), (width, left, right))
    for factor in (8, 4, 2):
        if all(_fits(*side, factor, framing.size) for side in sides):
            return factor
    return 1


def _fits(length: int, start: int, stop: int, factor: int, size: int) -> bool:
    small = (stop - start) / factor
    if small != size and small < _ROOM * size:
        return False
    shift = max(abs(edge - round(edge / factor) * factor) for edge in (start, stop, length - start, length - stop))
    return shift <= _SHIFT * (stop - start) / size


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Height and width in a JPEG's frame header (ITU-T T.81, B.2.2), or None: no JPEG, or none is given there."""
    if not data.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
            return (height, width) if height and width else None
        elif marker == 0xDA:  # the pixels begin
            return None
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _pixels(data: bytes, size: tuple[int, int] | None) -> int:
    """How many pixels a picture has; for formats that seldom are large, a guess from the file's size."""
    if size:
        return size[0] * size[1]
    if data.startswith(b"\x89PNG"):
        return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")
    return len(data)
