"""The pictures of a folder or an archive, one after another, decoded by all cores with few in memory at a time.

What to read next: ``keras_faces/data/folder.py`` (how a folder is searched), ``archives.py``,
``keras_faces/data/pictures.py`` (how one picture is decoded).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from data_prep.archives import is_archive, read_members
from keras_faces.data.folder import find_files
from keras_faces.data.pictures import EXTENSIONS, PictureError

_T, _R = TypeVar("_T"), TypeVar("_R")


@dataclass(frozen=True)
class Source:
    """A file of the folder or archive: its POSIX path below it, and its bytes or the place where they are.

    `reason` tells why it cannot be a picture, or is "".
    """

    name: str
    data: bytes | Path
    reason: str = ""

    def read(self) -> bytes:
        """The file's bytes. PictureError if they cannot be had."""
        if self.reason:
            raise PictureError(self.reason)
        if isinstance(self.data, bytes):
            return self.data
        try:
            return self.data.read_bytes()
        except OSError as error:
            raise PictureError(f"cannot be opened ({error.strerror or error})") from error

    @property
    def is_picture(self) -> bool:
        """Whether its ending is a picture's."""
        return PurePosixPath(self.name).suffix.lower() in EXTENSIONS


def sources(place: str | Path) -> tuple[int | None, Iterator[Source]]:
    """Look for files in a folder and all below it, or in an archive.

    Parameters
    ----------
    place : path
        A folder (hidden files, Thumbs.db and desktop.ini are ignored; the files come sorted by path), or a zip or tar
        archive (in its order).

    Returns
    -------
    count : int or None
        How many files there are; None for an archive, which tells at its end.
    files : iterator of Source

    Raises
    ------
    NotADirectoryError
        The place is neither.
    ValueError
        While the files are read: the archive is unsafe or damaged.
    """
    place = Path(place)
    if is_archive(place):
        return None, (_member(name, data) for name, data in read_members(place))
    if not place.is_dir():
        raise NotADirectoryError(f"{place} is neither a folder of photographs nor a zip or tar archive of them")
    found = find_files(place)
    return len(found), (Source(file.name, place / file.name, file.reason) for file in found)


def _member(name: str, data: bytes) -> Source:
    ending = PurePosixPath(name).suffix
    known = ending.lower() in EXTENSIONS
    return Source(name, data, "" if known else f"not a picture's extension ({ending or 'none'})")


def threaded(
    function: Callable[[_T], _R], items: Iterator[_T], *, threads: int | None = None, ahead: int = 4
) -> Iterator[_R]:
    """``map`` by several threads, in order, with few items under way: memory stays bounded.

    Parameters
    ----------
    function : callable
        What is done with each item; OpenCV and NumPy let other threads run meanwhile.
    items : iterator
        Taken from one at a time, by the caller's thread.
    threads : int, optional
        By default one for each core.
    ahead : int
        How many items a thread may be under way, waiting ones and results not yet taken included.
    """
    threads = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        under_way: deque = deque()
        try:
            for item in items:
                under_way.append(pool.submit(function, item))
                if len(under_way) >= ahead * threads:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()
