"""One picture, from the bytes of a file to a square uint8 RGB array.

OpenCV decodes. Added here: JPEG and PNG files that were cut short are found (a JPEG decoder fills the missing part with
grey and reports nothing), transparent pictures are laid on white, and frames are cropped to a square and resized.
See also ``folder.py``, which does this for all files of a folder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from keras_faces.data.quiet import quiet_opencv
from keras_faces.files import read_file

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".gif")
HEAD_BYTES = 32  # of a file's beginning, which tell what it is
CROPS = ("auto", "center", "celeba", "none")

_CELEBA_FRAMES = ((218, 178), (109, 89))  # height and width as distributed, and at half size
_FORMATS = re.compile(  # how the files begin that OpenCV reads
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8|RIFF....WEBP|II\*\0|MM\0\*|P[1-6][ \t\r\n]+[0-9#]|....ftyp.*avi[fs]"
    rb"|BM............[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",
    re.DOTALL,
)
_HEIC = re.compile(rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL)
_EXPORT = "export it as JPEG"
_RAW = (".dng", ".nef", ".arw", ".cr2", ".cr3", ".orf", ".rw2", ".pef", ".srw", ".raf")  # TIFF files in disguise
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # neither a stuffed FF, nor a fill byte, nor a restart marker


class PictureError(ValueError):
    """A file that cannot be read as a picture; the message is the reason, without the file's name."""


def is_picture(name: str, head: bytes) -> bool:
    """Tell whether a file is to be taken for a picture: its first bytes decide, or it has a picture's ending.

    Parameters
    ----------
    name : str
        The file's name; with one of `EXTENSIONS` the bytes are not needed: decoding will tell.
    head : bytes
        The first `HEAD_BYTES` of the file, or all of it.

    Returns
    -------
    bool
        False for a file that is something else.

    Raises
    ------
    PictureError
        It is a picture of a kind that is not read here; the message tells the way out.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending in EXTENSIONS:
        return True
    if ending in _RAW:
        raise PictureError(f"a camera's raw file, which is not read here; {_EXPORT}")
    _refuse_heic(head)
    return _FORMATS.match(head) is not None


def _refuse_heic(head: bytes) -> None:
    if _HEIC.match(head) and b"avif" not in head:
        raise PictureError(
            f"a HEIC photograph, as iPhones take them, which is not read here; {_EXPORT} (for new ones, set on the "
            "phone: Settings, Camera, Formats, Most Compatible)"
        )


def _is_picture_file(path: Path) -> bool:
    """`is_picture` for a path, where there need not be anything."""
    named = path.suffix.lower() in EXTENSIONS
    return named or (path.is_file() and is_picture(path.name, read_head(path)))


def read_head(path: Path) -> bytes:
    """Read a file's first `HEAD_BYTES`."""
    with open(path, "rb", buffering=0) as file:
        return file.read(HEAD_BYTES)


def load_images(
    sources: Sequence[str | Path], image_size: int, crop: str = "auto", count: int = 8, select: str | None = None
) -> np.ndarray:
    """Load images from single files, folders, packed files or drawn faces, as one array.

    Parameters
    ----------
    sources : sequence of str or Path
        Each a picture file, a folder, a packed file or "drawn".
    image_size : int
        Side of the images in pixels.
    crop : str
        As in `to_square`.
    count : int
        The most images taken from each source that is not a single file, the first ones.
    select : str, optional
        An expression such as "!Eyeglasses": only the packed or drawn faces for which it is true.

    Returns
    -------
    ndarray of uint8, shape (n, image_size, image_size, 3)
        RGB.

    Raises
    ------
    FileNotFoundError
        A source does not exist.
    ValueError
        A source holds no picture, or `select` is wrong or true of no face.
    """
    from keras_faces.data.faces import load  # faces.py imports this file

    found = []
    for source in sources:
        path = Path(source).expanduser()
        try:
            if not path.is_dir() and _is_picture_file(path):
                with quiet_opencv():
                    found.append(to_square(decode(path), image_size, crop)[None])
                continue
        except PictureError as error:
            raise ValueError(f"{path}: {error}. Give a photograph, a folder of them, or a packed file.") from error
        if select is None:
            found.append(load(str(source), image_size, count=count, crop=crop).images[:])
        else:
            searched = max(1000, 20 * count) if source == "drawn" else None
            faces = load(str(source), image_size, count=searched, crop=crop).select(select)
            found.append(faces.images[np.arange(min(count, len(faces)))])
    return np.concatenate(found)


def decode(path: Path) -> np.ndarray:
    """Read one picture as RGB.

    Grey pictures get three equal channels, CMYK and palettes become RGB, 16 bits become 8, the EXIF orientation is
    applied, of an animation the first frame is taken. Transparent PNG, WebP and GIF pictures are laid on white; an
    opacity in other formats is dropped.

    Parameters
    ----------
    path : Path
        It is decoded from memory, so that any Unicode path works on Windows.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        RGB.

    Raises
    ------
    PictureError
        The file cannot be opened, is empty, cut short, or not a picture that OpenCV knows.
    """
    try:
        data = read_file(path)
    except OSError as error:
        raise PictureError(f"cannot be opened ({error.strerror or error})") from error
    return decode_bytes(data)


def decode_bytes(data: bytes) -> np.ndarray:
    """Decode the bytes of a picture file, as `decode` does: uint8 RGB, shape (height, width, 3)."""
    if not data:
        raise PictureError("empty file (0 bytes)")
    if is_cut_short(data):
        raise PictureError("cut short: the end of the picture is missing")
    return cv2.cvtColor(decode_bgr(data), cv2.COLOR_BGR2RGB)


def decode_bgr(data: bytes) -> np.ndarray:
    """Decode bytes that are known to be whole, in OpenCV's order: uint8 BGR, shape (height, width, 3)."""
    array = np.frombuffer(data, np.uint8)
    bgr = _imdecode(array, cv2.IMREAD_COLOR)
    if bgr is None:
        _refuse_heic(data[:HEAD_BYTES])
        raise PictureError("not a picture that OpenCV can read")
    if _may_be_transparent(data[:26]):
        bgr = _on_white(bgr, _imdecode(array, cv2.IMREAD_UNCHANGED))
    return bgr


def _imdecode(data: np.ndarray, flag: int) -> np.ndarray | None:
    try:
        return cv2.imdecode(data, flag)
    except cv2.error:  # OpenCV raises for some broken files and returns None for others
        return None


def _may_be_transparent(head: bytes) -> bool:
    """From the first 26 bytes; only for formats where OpenCV's fourth channel is sure to be the opacity."""
    if head.startswith(b"\x89PNG"):
        return head[25] in (3, 4, 6)  # palette, grey with opacity, RGB with opacity
    return head.startswith(b"GIF8") or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def _on_white(bgr: np.ndarray, raw: np.ndarray | None) -> np.ndarray:
    """Lay a picture on white if `raw` has an alpha channel (its fourth); return any other unchanged."""
    if raw is None or raw.ndim != 3 or raw.shape[2] != 4 or raw.shape[:2] != bgr.shape[:2]:
        return bgr
    opacity = raw[:, :, 3:].astype(np.float32) / np.iinfo(raw.dtype).max
    if opacity.min() == 1:
        return bgr
    return np.rint(bgr * opacity + 255 * (1 - opacity)).astype(np.uint8)


def is_cut_short(data: bytes) -> bool:
    """Return whether the end of a JPEG or PNG file is missing; False for other formats, which OpenCV checks itself."""
    if data.startswith(b"\xff\xd8"):
        return not _jpeg_has_end(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return not _png_has_end(data)
    return False


def _jpeg_has_end(data: bytes) -> bool:
    """Walk over the segments to the end-of-image marker FFD9; the marker of a thumbnail does not count."""
    at = 2
    while (found := _JPEG_MARKER.search(data, at)) is not None:
        marker = data[found.end() - 1]
        if marker == 0xD9:
            return True
        at = found.end()
        if marker != 0x01:  # every other marker here is followed by its segment's length
            at += int.from_bytes(data[at : at + 2], "big")
    return False


def _png_has_end(data: bytes) -> bool:
    """Walk over the chunks to IEND."""
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + length
    return False


def check_crop(crop: str) -> None:
    """Raise a ValueError that lists the choices if `crop` is none of them."""
    if crop not in CROPS:
        raise ValueError(f"crop={crop!r} is unknown; choose one of {', '.join(map(repr, CROPS))}")


def to_square(image: np.ndarray, size: int, crop: str = "auto") -> np.ndarray:
    """Crop a picture to a square and resize it.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        One picture.
    size : int
        Side of the result in pixels.
    crop : str
        - "center": the largest square in the middle.
        - "celeba": the face in an aligned CelebA frame, which is the 89×89 square from row 20 of the frame at half size
          (89 wide, 109 high), or twice that of the frame as distributed (178 wide, 218 high).
        - "auto": "celeba" for frames of exactly these two shapes, "center" for all others.
        - "none": no crop, the frame is squeezed to a square.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)
        Shrinking averages areas (INTER_AREA); enlarging is bicubic.

    Raises
    ------
    ValueError
        An unknown `crop`, or crop="celeba" and a frame of another shape.
    """
    check_crop(crop)
    height, width = image.shape[:2]
    is_celeba = (height, width) in _CELEBA_FRAMES
    if crop == "celeba" and not is_celeba:
        raise ValueError(
            f'crop="celeba" needs an aligned CelebA frame of 178×218 or 89×109 pixels (width×height), '
            f'not {width}×{height}; use crop="auto" or crop="center"'
        )
    if is_celeba and crop in ("auto", "celeba"):
        image = image[height - width :]  # rows 20 to 108 of the half-size frame
    elif crop in ("auto", "center"):
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        image = image[top : top + side, left : left + side]
    smaller = (min(image.shape[1], size), min(image.shape[0], size))  # OpenCV's order: width, height
    if smaller != (image.shape[1], image.shape[0]):
        image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    if smaller != (size, size):
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(image)


def single_step(image: np.ndarray, size: int) -> int | None:
    """Return the interpolation with which one `cv2.resize` equals ``to_square(image, size, "none")``.

    None means that there is nothing to do, or that one side shrinks and the other grows: the second step would double
    the grey level by which a device may be off after the first.
    """
    shrinks, grows = max(image.shape[:2]) > size, min(image.shape[:2]) < size
    if shrinks == grows:
        return None
    return cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
