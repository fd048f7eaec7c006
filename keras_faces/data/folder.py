"""A folder of photographs as one array of faces.

Every file is decoded once at the start, by as many threads as the machine has cores, to find out which can be read;
what fits in the memory bound is kept, the rest is decoded again on demand. See also ``pictures.py`` (one file).
"""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm import tqdm

from keras_faces.data.memory import KeptImages, allocate
from keras_faces.data.pictures import EXTENSIONS, PictureError, check_crop, decode, is_picture, read_head, to_square
from keras_faces.data.quiet import quiet_opencv
from keras_faces.files import printable

OTHER_KIND = "not a picture"  # how the reason begins that a file of another kind has
_IGNORED = ("thumbs.db", "desktop.ini")
_CHUNK = 256  # files that are decoded, and in memory, at a time while a folder is read


@dataclass(frozen=True)
class _File:
    """A file as it was at load: path below the folder, bytes, time of change, and why it is no picture (or "")."""

    name: str
    size: int = 0
    mtime_ns: int = 0
    reason: str = ""


def read_folder(
    folder: str | Path,
    image_size: int,
    *,
    count: int | None = None,
    crop: str = "auto",
    strict: bool = False,
    memory_mb: float = 1024,
    progress: bool = True,
) -> dict:
    """Decode every photograph below a folder, nested or flat, in the order of the paths.

    Parameters
    ----------
    folder : str or Path
        Searched with all its subfolders; links are followed, each real folder is visited once. Files whose names start
        with a dot, Thumbs.db and desktop.ini are ignored.
    image_size, count, crop, strict, memory_mb, progress
        As in `keras_faces.data.load`.

    Returns
    -------
    dict
        Arguments of `keras_faces.data.Faces`: images, names, identities, identity_names, skipped; and sizes.

    Raises
    ------
    ValueError
        No picture can be read; a frame of the wrong shape for crop="celeba"; with strict=True the first file that is
        not a readable picture.
    """
    check_crop(crop)
    photographs = _Photographs(Path(folder), image_size, crop)
    found = find_files(photographs.folder)
    most = len(found) if count is None else min(count, len(found))
    pixels = allocate((most, image_size, image_size, 3), memory_mb)
    skipped = photographs.load(found, pixels, most, strict, progress)
    if not photographs.files:
        raise ValueError(_nothing_found(photographs.folder, skipped))
    names = [file.name for file in photographs.files]
    identities, identity_names = person_folders(names)
    shape = (len(names), image_size, image_size, 3)
    return {
        "images": KeptImages(photographs.read, shape, kept=pixels[: len(names)]),
        "names": names,
        "identities": identities,
        "identity_names": identity_names,
        "skipped": skipped,
        "sizes": [file.size for file in photographs.files],
    }


class _Photographs:
    """The readable files of a folder: `load` finds them, `read` decodes some of them again."""

    def __init__(self, folder: Path, image_size: int, crop: str):
        self.folder, self.image_size, self.crop = folder, image_size, crop
        self.files: list[_File] = []

    def load(
        self, found: list[_File], pixels: np.ndarray, most: int, strict: bool, progress: bool
    ) -> list[tuple[str, str]]:
        """Decode until `most` pictures were read, keep the first in `pixels`, and return what was skipped and why."""
        skipped = []
        with closing(self._decode_all(found, progress)) as results:
            for file, result in results:
                if isinstance(result, str):
                    if strict:
                        raise ValueError(f"{self.folder / file.name}: {result} (an error because of strict=True)")
                    skipped.append((file.name, result))
                    continue
                if len(self.files) < len(pixels):
                    pixels[len(self.files)] = result
                self.files.append(file)
                if len(self.files) == most:
                    break
        return skipped

    def _decode_all(self, found: list[_File], progress: bool) -> Iterator[tuple[_File, np.ndarray | str]]:
        """Give each file with its pixels, or with the reason why it is no picture, in order."""
        with (
            quiet_opencv(),
            ThreadPoolExecutor(os.cpu_count()) as pool,
            tqdm(total=len(found), desc="Reading faces", unit=" files", delay=1, disable=not progress) as bar,
        ):
            for first in range(0, len(found), _CHUNK):
                chunk = found[first : first + _CHUNK]
                for file, result in zip(chunk, pool.map(self._decode_or_reason, chunk), strict=True):
                    bar.update()
                    yield file, result

    def _decode_or_reason(self, file: _File) -> np.ndarray | str:
        try:
            return file.reason or self._decode(file)
        except PictureError as error:
            return str(error)

    def _decode(self, file: _File) -> np.ndarray:
        image = decode(self.folder / file.name)
        try:
            return to_square(image, self.image_size, self.crop)
        except ValueError as error:
            raise ValueError(f"{self.folder / file.name}: {error}") from error

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Decode the files of these indices again: uint8, shape (n, image_size, image_size, 3)."""
        files = [self.files[index] for index in indices]
        with quiet_opencv(), ThreadPoolExecutor(min(len(files), os.cpu_count() or 1)) as pool:
            return np.stack(list(pool.map(self._decode_again, files)))

    def _decode_again(self, file: _File) -> np.ndarray:
        path = self.folder / file.name
        try:
            now = path.stat()
        except OSError as error:
            message = f"{path} was there when the folder was loaded and cannot be found now; put it back or load again"
            raise FileNotFoundError(message) from error
        if (now.st_size, now.st_mtime_ns) != (file.size, file.mtime_ns):
            raise ValueError(f"{path} has changed since the folder was loaded; load the folder again")
        try:
            return self._decode(file)
        except PictureError as error:
            raise ValueError(f"{path}: {error}, although it could be read when the folder was loaded") from error


def find_files(folder: Path) -> list[_File]:
    """List all files below a folder, sorted by path; those that cannot be pictures carry the reason."""
    found: list[_File] = []
    visited: set[str] = set()

    def cannot_open(error: OSError) -> None:
        name = Path(error.filename).relative_to(folder).as_posix()
        found.append(_File(name, reason=f"folder cannot be opened ({error.strerror})"))

    for place, subfolders, files in os.walk(folder, onerror=cannot_open, followlinks=True):
        real = os.path.realpath(place)
        if real in visited:  # a link to a folder above it, or to one that was met before
            subfolders.clear()
            continue
        visited.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in files:
            if not name.startswith(".") and name.lower() not in _IGNORED:
                found.append(_inspect(folder, Path(place, name)))
    return sorted(found, key=lambda file: file.name)


def _inspect(folder: Path, path: Path) -> _File:
    name = path.relative_to(folder).as_posix()
    try:
        now = path.stat()
        if not stat.S_ISREG(now.st_mode):  # a pipe would wait for ever
            return _File(name, reason="a pipe or a device, not a regular file")
        if not is_picture(name, b"" if path.suffix.lower() in EXTENSIONS else read_head(path)):
            return _File(name, reason=f"{OTHER_KIND} ({path.suffix or 'no ending'})")
    except OSError as error:
        return _File(name, reason=f"cannot be opened ({error.strerror})")
    except PictureError as error:
        return _File(name, reason=str(error))
    return _File(name, now.st_size, now.st_mtime_ns)


def person_folders(names: list[str]) -> tuple[np.ndarray | None, list[str] | None]:
    """Read identities from the folders of the pictures.

    Parameters
    ----------
    names : list of str
        Relative paths with forward slashes.

    Returns
    -------
    identities : ndarray of int64, shape (N,), or None
        Index of each picture's folder in the sorted list of folders. None unless every picture lies in a subfolder and
        there are two or more of these.
    identity_names : list of str or None
        The sorted folders.
    """
    folders = [PurePosixPath(name).parent.as_posix() for name in names]
    identity_names = sorted(set(folders))
    if len(identity_names) < 2 or "." in identity_names:
        return None, None
    return np.searchsorted(identity_names, folders).astype(np.int64), identity_names


def _nothing_found(folder: Path, skipped: list[tuple[str, str]]) -> str:
    kinds = " ".join(EXTENSIONS)
    if not skipped:
        return f"{folder} holds no files; give a folder of photographs ({kinds}), or source='drawn'"
    example = f"the first is {printable(skipped[0][0])}: {skipped[0][1]}"
    return f"{folder} holds no readable photograph ({kinds}): files seen: {len(skipped)}, {example}"
