"""Zip and tar archives: read without unpacking, or unpacked whole.

An archive is a list of instructions that strangers wrote: "put this under ../../.ssh", "this is a link to /etc", "this
kilobyte becomes a terabyte". Every member is checked before anything uses it, and sizes are counted on the bytes that
really come out, not on what the headers promise.

Sources: PKWARE APPNOTE (zip), POSIX pax (tar), Python's PEP 706 on unsafe tar members.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Container, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_OTHERS = (".7z", ".rar")  # known as archives, so that reading them can say what to do
_MAGIC = {  # the first bytes of a file, and what they mean
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # with no member
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
}
_OPENERS = {"tar": lambda raw: raw, "gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
_CHUNK = 2**20
_HEADER_LIMIT = 2**20  # a tar header that carries a long name; tarfile reads it into memory whole
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError)
_ELSEWHERE = "if you trust it, unpack it with your system's own tool and give the folder"


@dataclass(frozen=True)
class Limits:
    """How far an archive may expand, in bytes: to `total`, and to `free` plus its own size times `ratio`.

    Photographs hardly compress, tables shrink ten times; a "zip bomb" expands a thousand times and more. `member`
    bounds what is read into memory at once.
    """

    total: int = 2**38
    ratio: float = 200
    free: int = 2**26
    member: int = 2**30


LIMITS = Limits()


class NotAnArchive(ValueError):
    """A file that is none of the archives that are read here; the message names it and the way out."""


@dataclass(frozen=True)
class Member:
    """A regular file in an archive: its safe name, ``file.read(size)``, and how far the archive was read so far."""

    name: str
    file: BinaryIO
    position: int


def is_archive(path: str | Path) -> bool:
    """Whether a path is a file with an archive's ending."""
    path = Path(path)
    return path.name.lower().endswith(ENDINGS + _OTHERS) and path.is_file()


def members(path: str | Path, limits: Limits = LIMITS) -> Iterator[Member]:
    """Give the regular files of an archive as `Member`, in its order; read each before asking for the next.

    What macOS adds of its own (``__MACOSX/``, ``._name``) is left out.

    Parameters
    ----------
    path : str or Path
        A .zip, .tar, .tar.gz (.tgz), .tar.bz2 or .tar.xz file; its first bytes decide, not its name.
    limits : Limits
        How far it may expand.

    Raises
    ------
    ValueError
        Naming archive, member and way out: a path that is absolute or holds "..", a link, a device, a password, too
        large an expansion, damage, a kind that is not read here.
    OSError
        The archive cannot be opened or read.
    """
    path = Path(path)
    at = ["its beginning"]  # the member that is being read, for the message
    with open(path, "rb") as raw, _named(path, at):
        kind = _kind(path, raw)
        expansion = _Expansion(limits, path.stat().st_size)
        found = _zip_members(raw, expansion, at) if kind == "zip" else _tar_members(raw, kind, expansion, at)
        for member in found:
            if not (member.name.startswith("__MACOSX/") or member.name.rpartition("/")[2].startswith("._")):
                yield Member(member.name, _NamedReader(member.file, path, at), member.position)


def read_members(
    path: str | Path, *, wanted: Container[str] | None = None, limits: Limits = LIMITS
) -> Iterator[tuple[str, bytes]]:
    """Read the regular files of an archive one after another, each into memory.

    Parameters
    ----------
    path, limits
        As in `members`, which also lists the errors.
    wanted : container of str, optional
        Give only the files of these names.

    Yields
    ------
    name : str
        POSIX path relative to the archive, safe to join to a folder.
    data : bytes
    """
    with closing(members(path, limits)) as found:
        for member in found:
            if wanted is None or member.name in wanted:
                yield member.name, b"".join(_chunks(member, path, limits.member))


def _chunks(member: Member, path: str | Path, most: int | None = None) -> Iterator[bytes]:
    size = 0
    while part := member.file.read(_CHUNK):
        size += len(part)
        if most is not None and size > most:
            message = f"{path}: {member.name!r}: larger than {most:,} bytes, which no photograph is"
            raise ValueError(f"{message}; unpack the archive and give the folder")
        yield part


def unpack(
    path: str | Path, folder: str | Path, *, drop_top: bool = False, progress: bool = True, limits: Limits = LIMITS
) -> list[Path]:
    """Unpack an archive to a new folder, which appears when all is there.

    Everything is written to ``.NAME.part`` beside it, which takes the folder's name at the end. Whatever goes wrong,
    that folder is removed; what a ``kill -9`` left of it is removed by the next call.

    Parameters
    ----------
    path, limits
        As in `members`, which also lists the errors.
    folder : str or Path
        The folder to make; it may exist if it is empty.
    drop_top : bool
        Where all members lie in one folder, leave that folder's own name out.
    progress : bool
        Show a bar.

    Returns
    -------
    list of Path
        The files, in the archive's order.

    Raises
    ------
    ValueError
        Also where two members have one name.
    FileExistsError
        The folder is there already and holds something.
    OSError
        The disk is full, or the folder cannot be written to; nothing is left behind.
    """
    path, folder = Path(path), Path(folder)
    check_new(folder)
    beside = folder.with_name(f".{folder.name}.part")
    try:
        if beside.exists():
            shutil.rmtree(beside)
        beside.mkdir(parents=True)
        names = _write_all(path, beside, progress, limits)
        tops = {name.partition("/")[0] for name in names}
        top = f"{tops.pop()}/" if drop_top and len(tops) == 1 and all("/" in name for name in names) else ""
        if hasattr(os, "sync"):
            os.sync()  # a power cut after the renaming must not leave empty files
        if folder.exists():
            folder.rmdir()
        os.replace(beside / top, folder)
    except OSError as error:
        raise _not_written(path, folder, error) from error
    finally:
        if beside.exists():
            shutil.rmtree(beside)
    return [folder / name[len(top) :] for name in names]


def check_new(folder: Path) -> None:
    """Raise a FileExistsError where a folder that is to be made is there already and holds something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there already; remove it, or choose another name")


def _write_all(path: Path, beside: Path, progress: bool, limits: Limits) -> list[str]:
    names = []
    size = path.stat().st_size
    with (
        tqdm(total=size, desc=f"Unpacking {path.name}", unit="B", unit_scale=True, disable=not progress) as bar,
        closing(members(path, limits)) as found,
    ):
        for member in found:
            target = beside / member.name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                file = open(target, "xb")
            except (FileExistsError, NotADirectoryError) as error:
                raise ValueError(
                    f"{path}: {member.name!r}: two members go by this name (small and capital letters may be one "
                    "here); pack it again without"
                ) from error
            with file:
                file.writelines(_chunks(member, path))
            names.append(member.name)
            bar.update(min(member.position, size) - bar.n)
        bar.update(size - bar.n)
    return names


def _not_written(path: Path, folder: Path, error: OSError) -> OSError:
    way_out = "free some space" if error.errno == errno.ENOSPC else "see that it can be read and written"
    reason = f"{error.strerror or error}{f' at {error.filename}' if error.filename else ''}"
    explained = type(error)(f"{path} could not be unpacked to {folder} ({reason}); {way_out}; nothing was left there")
    explained.errno = error.errno
    return explained


def safe_name(name: str) -> str:
    """Turn a member's name into a POSIX path that stays below the folder it is joined to, on every system.

    Backslashes count as slashes, as Windows takes them; "." and doubled slashes are dropped. So no part of the result,
    joined with "/", is empty, "." or "..".

    Raises
    ------
    ValueError
        With the reason: an absolute path, a drive, "..", control characters, not Unicode, or no name at all.
    """
    if re.search(r"[\x00-\x1f\x7f]", name):
        raise ValueError("its name holds control characters")
    if re.search(r"[\ud800-\udfff]", name):
        raise ValueError("its name is not valid UTF-8")
    name = name.replace("\\", "/")
    if name.startswith("/"):
        raise ValueError("its name is an absolute path")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts:
        raise ValueError("it has no name")
    if any(part.rstrip(" .") == "" for part in parts):  # ".." and, for Windows, ".. " and "..."
        raise ValueError("its name leads out of the folder ('..')")
    if any(":" in part for part in parts):
        raise ValueError("its name holds a colon, which means a drive or a hidden stream on Windows")
    return "/".join(parts)


def _kind(path: Path, raw: BinaryIO) -> str:
    """zip, gz, bz2, xz or tar, from the file's first bytes. `NotAnArchive` for anything else."""
    head = raw.read(512)
    is_zip = zipfile.is_zipfile(raw)  # a zip may begin with a program that unpacks it
    raw.seek(0)
    if not head:
        raise NotAnArchive(f"{path}: empty file (0 bytes); fetch it again")
    kind = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    if kind in ("7z", "rar"):
        raise NotAnArchive(f"{path}: {kind} archives are not read here; unpack it with 7-Zip and give the folder")
    if kind == "zip" and not is_zip:
        raise zipfile.BadZipFile("the table of contents at its end is missing")
    if kind is not None:
        return kind
    if head.lstrip()[:1] == b"<":
        raise NotAnArchive(f"{path}: a web page, no archive; open it in a browser: it tells what the server wanted")
    if head[257:262] == b"ustar":
        return "tar"
    if is_zip:
        return "zip"
    raise NotAnArchive(f"{path}: not a zip or tar archive, whatever its name says; give an archive or a folder")


def _zip_members(raw: BinaryIO, expansion: _Expansion, at: list[str]) -> Iterator[Member]:
    with zipfile.ZipFile(raw) as archive:
        for info in archive.infolist():
            at[0] = info.filename
            name = safe_name(info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)  # Unix's file type, or 0
            if info.is_dir() or (info.filename.endswith("\\") and info.file_size == 0):
                continue
            if kind not in (0, stat.S_IFREG):
                raise ValueError("it is a link or a device, not a file")
            if info.flag_bits & 1:
                raise ValueError("it is locked with a password")
            with archive.open(info) as file:
                yield Member(name, _CountedReader(file, expansion), raw.tell())
            at[0] = f"what follows {info.filename}"


def _tar_members(raw: BinaryIO, kind: str, expansion: _Expansion, at: list[str]) -> Iterator[Member]:
    stream = _CountedReader(_OPENERS[kind](raw), expansion)
    with tarfile.open(fileobj=stream, mode="r|", bufsize=2**16, tarinfo=_TarMember) as archive:
        while (info := archive.next()) is not None:
            archive.members.clear()  # tarfile would keep them all
            at[0] = info.name
            if info.isdir():
                continue
            name = safe_name(info.name)
            if not info.isreg() or info.issparse():
                raise ValueError("it is a link, a device or a sparse file, not a plain file")
            yield Member(name, archive.extractfile(info), raw.tell())
            at[0] = f"what follows {info.name}"
        while stream.read(_CHUNK):  # to the end, where gzip, bzip2 and xz check their sums
            pass


class _TarMember(tarfile.TarInfo):
    """A tar header. tarfile takes a missing or broken header for the archive's end; here only its end mark is one."""

    @classmethod
    def frombuf(cls, buf: bytes, encoding: str, errors: str) -> _TarMember:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError("its end mark is missing" if not buf else str(error)) from error
        if not (header.isreg() or header.isdir()) and header.size > _HEADER_LIMIT:
            raise tarfile.ReadError(f"a header of {header.size:,} bytes")
        return header


class _Expansion:
    """Counts the bytes that come out of an archive."""

    def __init__(self, limits: Limits, size: int):
        self.limits, self.size, self.bytes = limits, size, 0

    def add(self, count: int) -> None:
        self.bytes += count
        if self.bytes > self.limits.total:
            raise ValueError(f"the archive expands to more than {self.limits.total:,} bytes")
        if self.bytes > self.limits.free + self.limits.ratio * self.size:
            raise ValueError(f"the archive expands to more than {self.limits.ratio:g} times its {self.size:,} bytes")


class _CountedReader:
    """A file that is read, with what comes out counted."""

    def __init__(self, file: BinaryIO, expansion: _Expansion):
        self._file, self._expansion = file, expansion

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._expansion.add(len(data))
        return data


class _NamedReader:
    """A member that is read, with its name and the archive's given to every error."""

    def __init__(self, file: BinaryIO, path: Path, at: list[str]):
        self._file, self._path, self._at = file, path, at

    def read(self, size: int) -> bytes:
        with _named(self._path, self._at):
            return self._file.read(size)


@contextmanager
def _named(path: Path, at: list[str]) -> Iterator[None]:
    """Give every error the archive's name and the member's."""
    try:
        yield
    except NotAnArchive:
        raise
    except NotImplementedError as error:  # zipfile raises it for a compression that it does not know
        raise ValueError(f"{path}: {at[0]}: packed in a way that Python cannot read ({error}); {_ELSEWHERE}") from error
    except (*_DAMAGE, OSError) as error:  # gzip and bz2 raise a plain OSError; a seek before the beginning gives EINVAL
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        reason = str(error) or type(error).__name__
        raise ValueError(f"{path}: damaged or cut short at {at[0]} ({reason}); fetch it again") from error
    except (ValueError, RuntimeError) as error:
        where = "" if at[0] == "its beginning" else f" {at[0]!r}:"
        raise ValueError(f"{path}:{where} {error}; {_ELSEWHERE}") from error
