"""What one file is: size, format, colours, fingerprint, or why it cannot be read; and a sheet of sample pictures.

Pillow reads the header, OpenCV decodes as `keras_faces.data.load` will.
"""

from __future__ import annotations

import hashlib
import io
import random
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_prep.engine.duplicates import fingerprint
from data_prep.engine.sources import Source
from keras_faces.data.pictures import PictureError, decode_bytes, to_square
from keras_faces.figures.fonts import caption

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

THUMB = 96  # pixels: side of a picture on the sheet
_CAPTION, _GAP, _COLUMNS = 14, 6, 12


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What was found out about a file."""

    name: str
    reason: str = ""  # why it is no picture, or ""
    bytes: int = 0
    width: int = 0  # pixels, as shown (EXIF's turn done)
    height: int = 0
    format: str = ""  # "JPEG", "PNG", ...
    kinds: tuple[str, ...] = ()  # "RGB", "grey", "CMYK", "16 bit", "transparent", "animated", "turned by EXIF"
    digest: bytes = b""  # BLAKE2b of the file's bytes
    fingerprint: np.ndarray | None = field(default=None, repr=False)  # see `duplicates.fingerprint`


def inspect(name: str, data: bytes) -> FileInfo:
    """Decode the bytes of a file and say what it is; never raises for a broken one."""
    format_, kinds, pixels = header(data)
    try:
        if pixels > _LARGE:
            with _one_large:
                image = decode_bytes(data)
        else:
            image = decode_bytes(data)
    except PictureError as error:
        return FileInfo(name, str(error), len(data))
    height, width = image.shape[:2]
    digest = hashlib.blake2b(data, digest_size=16).digest()
    return FileInfo(name, "", len(data), width, height, format_, kinds, digest, fingerprint(image))


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
            if data.startswith(b"\x89PNG") and data[24] == 16:  # its header's bit depth
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


@contextmanager
def headers_of_any_size() -> Iterator[None]:
    """Let Pillow open pictures of any size: only their headers are read, so nothing can be blown up."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def sample_images(source: Source, names: list[str], count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Read a random sample of pictures, small.

    Parameters
    ----------
    source : Source
    names : list of str
        The pictures to choose from.
    count : int
        How many, at most.
    seed : int
        The same seed chooses the same pictures.

    Returns
    -------
    dict of str to ndarray of uint8, shape (THUMB, THUMB, 3)
        By name, in the source's order.
    """
    chosen = set(random.Random(seed).sample(names, min(count, len(names))))
    images = {}
    for picture, data in source.read([picture for picture in source.pictures if picture.name in chosen]):
        images[picture.name] = to_square(decode_bytes(source.data(picture, data)), THUMB, "center")
    return images


def draw_sheet(images: dict[str, np.ndarray]) -> Image.Image:
    """Draw small pictures (see `sample_images`) in rows, each above the end of its name."""
    columns = min(_COLUMNS, len(images))
    rows = -(-len(images) // columns)
    wide, high = THUMB + _GAP, THUMB + _CAPTION + _GAP
    sheet = Image.new("RGB", (columns * wide + _GAP, rows * high + _GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for place, (name, image) in enumerate(images.items()):
        x, y = _GAP + place % columns * wide, _GAP + place // columns * high
        sheet.paste(Image.fromarray(image), (x, y))
        text, file = caption(name)
        font = ImageFont.truetype(file, size=10)
        while draw.textlength(text, font=font) > THUMB:
            text = text[1:]
        draw.text((x, y + THUMB), text, fill="black", font=font)
    return sheet
