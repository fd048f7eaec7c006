"""Pictures that a command is given: single files, folders, packed files, or drawn faces, as one array."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_faces import data
from keras_faces.data.pictures import EXTENSIONS, PictureError, decode, to_square


def given_pictures(
    sources: Sequence[str | Path], image_size: int, crop: str = "auto", count: int = 8, select: str | None = None
) -> np.ndarray:
    """Pictures as a run's photographs are read: uint8 (n, image_size, image_size, 3).

    Parameters
    ----------
    sources
        Each a picture file, a folder, a packed file or "drawn".
    crop
        See ``data.to_square``.
    count
        At most so many of each source that is no single file, the first ones.
    select
        Of packed files and drawn faces, only those of which it is true, such as "!Eyeglasses".

    Raises
    ------
    ValueError, FileNotFoundError
        For a source that does not exist or holds no picture, and for an expression that no face fulfils.
    """
    found = []
    for source in sources:
        path = Path(source).expanduser()
        if path.suffix.lower() in EXTENSIONS and not path.is_dir():
            found.append(_one(path, image_size, crop)[None])
        else:
            found.append(_some(str(source), image_size, crop, count, select))
    return np.concatenate(found)


def _one(path: Path, image_size: int, crop: str) -> np.ndarray:
    try:
        return to_square(decode(path), image_size, crop)
    except PictureError as error:
        raise ValueError(f"{path}: {error}. Give a photograph, a folder of them, or a packed file.") from error


def _some(source: str, image_size: int, crop: str, count: int, select: str | None) -> np.ndarray:
    if select is None:
        return data.load(source, image_size, count=count, crop=crop).images[:]
    wanted = max(1000, 20 * count) if source == "drawn" else None
    faces = data.load(source, image_size, count=wanted, crop=crop).select(select)
    return faces.images[np.arange(min(count, len(faces)))]
