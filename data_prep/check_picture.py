"""What one file is: size, format, colours, fingerprint, or why it cannot be read.

Pillow reads the header, OpenCV decodes as `keras_faces.data.load` will. What to read next: ``check.py``.
"""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from data_prep.duplicates import fingerprint
from data_prep.sources import Source
from keras_faces.data.pictures import PictureError, decode_bytes, to_square

_COLOURS = {
    "L": "grey",
    "LA": "grey",
    "1": "black and white",
    "P": "palette",
    "CMYK": "CMYK",
    "RGB": "RGB",
    "RGBA": "RGB",
}
_ORIENTATION = 0x0112  # EXIF's tag; 1 is upright
_LARGE = 50_000_000  # pixels: pictures of more are decoded one at a time, since one takes gigabytes
_one_large = threading.Lock()


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found out about a file; `reason` tells why it is no picture, or is "".

    width and height in pixels, as they are shown (EXIF's turn done); kinds such as "RGB", "grey", "CMYK", "16 bit",
    "transparent", "animated", "turned by EXIF"; digest of the bytes; fingerprint uint64, shape (2,); small uint8,
    shape (thumb, thumb, 3).
    """

    name: str
    is_picture: bool
    reason: str = ""
    bytes: int = 0
    width: int = 0
    height: int = 0
    format: str = ""
    kinds: tuple[str, ...] = ()
    digest: bytes = b""
    print: np.ndarray | None = field(default=None, repr=False)
    small: np.ndarray | None = field(default=None, repr=False)


def look_at(file: Source, thumb: int = 0) -> Looked:
    """Read and decode a file.

    Parameters
    ----------
    file : Source
        Of a folder or an archive.
    thumb : int
        Side of the small picture in pixels; 0 makes none.
    """
    size = 0
    try:
        data = file.read()
        size = len(data)
        kind, kinds, pixels = header(data)
        if pixels > _LARGE:
            with _one_large:
                image = decode_bytes(data)
        else:
            image = decode_bytes(data)
    except PictureError as error:
        return Looked(file.name, file.is_picture, str(error), size)
    return Looked(
        file.name,
        True,
        bytes=size,
        width=image.shape[1],
        height=image.shape[0],
        format=kind,
        kinds=kinds,
        digest=hashlib.blake2b(data, digest_size=16).digest(),
        print=fingerprint(image),
        small=to_square(image, thumb, "center") if thumb else None,
    )


def header(data: bytes) -> tuple[str, tuple[str, ...], int]:
    """What Pillow reads from a file's beginning, without decoding it.

    Returns
    -------
    format : str
        "JPEG", "PNG", ..., or "unknown".
    kinds : tuple of str
        Colours and peculiarities, sorted.
    pixels : int
        Width times height; 0 if unknown.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as picture:
            kinds = {_COLOURS.get(picture.mode, picture.mode)}
            if picture.mode.startswith("I"):
                kinds = {"grey", "16 bit"}
            if _png_depth(data) == 16:
                kinds.add("16 bit")
            if picture.mode in ("LA", "RGBA") or "transparency" in picture.info:
                kinds.add("transparent")
            if getattr(picture, "n_frames", 1) > 1:
                kinds.add("animated")
            if picture.format != "PNG" or "exif" in picture.info:  # for a PNG without, Pillow would decode it all
                if picture.getexif().get(_ORIENTATION, 1) != 1:
                    kinds.add("turned by EXIF")
            return picture.format, tuple(sorted(kinds)), picture.width * picture.height
    except Exception:  # noqa: BLE001 - Pillow's plugins raise all kinds for broken files; decoding gives the reason
        return "unknown", (), 0


def _png_depth(data: bytes) -> int:
    return data[24] if data.startswith(b"\x89PNG") and len(data) > 24 else 8


@contextmanager
def headers_of_any_size() -> Iterator[None]:
    """Let Pillow open pictures of any size: only their headers are read, so nothing can be blown up."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
