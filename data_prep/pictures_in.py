"""Which pictures a folder, nested or flat, or an archive holds, and how their bytes are read.

They are listed once, at the start, so that everything after it knows how many there are, in which order, and whether
they are the same as last time. An archive need not be unpacked. What to read next: ``pipeline.py``, which reads them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from data_prep.archive_members import LIMITS, members
from data_prep.archives import is_archive, read_members
from keras_faces.data.folder import find_files
from keras_faces.data.pictures import EXTENSIONS, PictureError


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's POSIX path below the source; its size in bytes and time of change (in an archive, the archive's)."""

    name: str
    size: int
    mtime_ns: int


@dataclass
class Source:
    """The pictures of a folder, in the order of their paths.

    Attributes
    ----------
    path : Path
    pictures : list of Picture
    broken : list of (str, str)
        Files that cannot be opened, and why.
    ignored : list of str
        Files without a picture's extension.
    """

    path: Path
    pictures: list[Picture] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def read(self, wanted: list[Picture]) -> Iterator[tuple[Picture, bytes | None]]:
        """Give the wanted pictures, in order, with their bytes where these come one after another (an archive)."""
        yield from ((picture, None) for picture in wanted)

    def data(self, picture: Picture) -> bytes:
        """The bytes of one picture. Raises a PictureError where it cannot be opened."""
        try:
            with open(f"{self.path}/{picture.name}", "rb", buffering=0) as file:
                return file.readall()
        except OSError as error:
            raise PictureError(f"cannot be opened ({error.strerror or error})") from error


class _Archive(Source):
    """The pictures of an archive, in its order."""

    def read(self, wanted: list[Picture]) -> Iterator[tuple[Picture, bytes | None]]:
        left = {picture.name: picture for picture in wanted}
        with closing(read_members(self.path, suffixes=EXTENSIONS)) as found:
            for name, data in found:
                if name in left:
                    yield left.pop(name), data
                if not left:
                    return
        if left:
            raise ValueError(f"{self.path} has changed while it was read: {len(left)} pictures are gone; run it again")


def open_source(path: str | Path, names: Collection[str] | None = None) -> Source:
    """List the pictures of a folder or an archive.

    Parameters
    ----------
    path : path
        A folder, searched as by `keras_faces.data.load`, or an archive that `data_prep.archives` reads.
    names : collection of str, optional
        Take only these pictures (POSIX paths below the source); those that are not there are left out.

    Raises
    ------
    FileNotFoundError
        Nothing is there.
    ValueError
        Neither a folder nor an archive; an archive with damage, with unsafe or doubled names.
    """
    path = Path(path)
    if path.is_dir():
        source = _folder(path)
    elif is_archive(path):
        source = _archive(path)
    elif path.exists():
        raise ValueError(f"{path} is neither a folder nor an archive (.zip, .tar, .tar.gz, .tar.bz2, .tar.xz)")
    else:
        raise FileNotFoundError(f"{path} is not there; give a folder of pictures or an archive")
    if names is not None:
        wanted = set(names)
        source.pictures = [picture for picture in source.pictures if picture.name in wanted]
        source.broken = [(name, reason) for name, reason in source.broken if name in wanted]
        source.ignored = []
    return source


def _folder(path: Path) -> Source:
    source = Source(path)
    for file in find_files(path):
        if not file.reason:
            source.pictures.append(Picture(file.name, file.size, file.mtime_ns))
        elif file.reason.startswith("not a picture's extension"):
            source.ignored.append(file.name)
        else:
            source.broken.append((file.name, file.reason))
    return source


def _archive(path: Path) -> Source:
    now = path.stat()
    source = _Archive(path)
    seen = set()
    with closing(members(path, LIMITS)) as found:
        for name in (member.name for member in found):
            if PurePosixPath(name).suffix.lower() not in EXTENSIONS:
                source.ignored.append(name)
                continue
            if name in seen:
                raise ValueError(f"{path}: {name!r} is in it twice; pack the archive again without")
            seen.add(name)
            source.pictures.append(Picture(name, now.st_size, now.st_mtime_ns))
    return source
