"""The pictures of a folder, nested or flat, or of an archive: first their names, then their bytes.

They are listed once, at the start, so that a command knows how many there are, in which order, and whether they are
the same as last time. An archive need not be unpacked. See also: ``archives.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from data_prep.engine.archives import LIMITS, is_archive, members, read_members
from keras_faces.data.folder import OTHER_KIND, find_files
from keras_faces.data.pictures import EXTENSIONS, HEAD_BYTES, PictureError, is_picture


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's POSIX path below the source; its size in bytes and time of change (in an archive, the archive's)."""

    name: str
    size: int
    mtime_ns: int


@dataclass
class Source:
    """The pictures of a folder, in the order of their paths."""

    path: Path
    pictures: list[Picture] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)  # names of files that cannot be opened, and why
    ignored: list[str] = field(default_factory=list)  # files of other kinds than pictures

    def read(self, wanted: list[Picture]) -> Iterator[tuple[Picture, bytes | None]]:
        """Give the wanted pictures, in order, with their bytes where these come one after another (an archive)."""
        yield from ((picture, None) for picture in wanted)

    def data(self, picture: Picture, data: bytes | None = None) -> bytes:
        """The bytes of one picture: `data` if `read` gave it, else read now.

        Raises
        ------
        PictureError
            The file cannot be opened.
        """
        if data is not None:
            return data
        try:
            with open(f"{self.path}/{picture.name}", "rb", buffering=0) as file:
                return file.readall()
        except OSError as error:
            raise PictureError(f"cannot be opened ({error.strerror or error})") from error

    def others(self) -> list[tuple[str, str]]:
        """The ignored files with the reason why each is no picture."""
        return [(name, f"{OTHER_KIND} ({PurePosixPath(name).suffix or 'no ending'})") for name in self.ignored]


class _Archive(Source):
    """The pictures of an archive, in its order."""

    def read(self, wanted: list[Picture]) -> Iterator[tuple[Picture, bytes | None]]:
        left = {picture.name: picture for picture in wanted}
        with closing(read_members(self.path, wanted=left.keys())) as found:
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
    path : str or Path
        A folder, searched as by `keras_faces.data.load`, or a zip or tar archive.
    names : collection of str, optional
        Take only these pictures (POSIX paths below the source); those that are not there are left out.

    Returns
    -------
    Source

    Raises
    ------
    FileNotFoundError
        Nothing is there.
    ValueError
        Neither a folder nor an archive; an archive that is damaged, or has unsafe or doubled names.
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


def check_any(source: Source) -> None:
    """Raise a ValueError where a source has no picture."""
    if not source.pictures:
        seen = f"; files of other kinds: {len(source.ignored)}" if source.ignored else ""
        raise ValueError(f"{source.path} holds no pictures that were asked for{seen}")


def _folder(path: Path) -> Source:
    source = Source(path)
    for file in find_files(path):
        if not file.reason:
            source.pictures.append(Picture(file.name, file.size, file.mtime_ns))
        elif file.reason.startswith(OTHER_KIND):
            source.ignored.append(file.name)
        else:
            source.broken.append((file.name, file.reason))
    return source


def _archive(path: Path) -> Source:
    now = path.stat()
    source, seen = _Archive(path), set()
    with closing(members(path, LIMITS)) as found:
        for member in found:
            name = member.name
            has_ending = PurePosixPath(name).suffix.lower() in EXTENSIONS
            try:
                if not is_picture(name, b"" if has_ending else member.file.read(HEAD_BYTES)):
                    source.ignored.append(name)
                    continue
            except PictureError as error:
                source.broken.append((name, str(error)))
                continue
            if name in seen:
                raise ValueError(f"{path}: {name!r} is in it twice; pack the archive again without")
            seen.add(name)
            source.pictures.append(Picture(name, now.st_size, now.st_mtime_ns))
    return source
