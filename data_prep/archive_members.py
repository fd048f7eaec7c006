"""What an archive holds, one member after another, each checked before anybody uses it.

An archive is a list of instructions that strangers wrote: "put this under ../../.ssh", "this is a link to /etc", "this
kilobyte becomes a terabyte". Nothing of the kind leaves this file. Sizes are counted on the bytes that really come out;
what the headers promise is not believed. What to read next: ``archives.py``, which reads and unpacks with it.

Sources: the formats' own texts (PKWARE APPNOTE for zip, POSIX pax for tar); Python's PEP 706 on unsafe tar members.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

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
_HEADER_LIMIT = 2**20  # a tar header that carries a long name; tarfile reads it into memory whole
_DAMAGE = (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError)
_ELSEWHERE = "if you trust it, unpack it with your system's own tool and give the folder"


@dataclass(frozen=True)
class Limits:
    """How far an archive may expand: its size times `ratio` (the first `free` bytes do not count) and `total` bytes.

    Photographs hardly compress, tables shrink ten times; a "zip bomb" expands a thousand times and more. `member`
    bounds what is read into memory at once. All in bytes, but for `ratio`.
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


def members(path: Path, limits: Limits) -> Iterator[Member]:
    """Give the regular files of an archive in its order; read each before asking for the next.

    What macOS adds of its own (``__MACOSX/``, ``._name``) is left out.

    Raises
    ------
    ValueError
        With archive, member and way out: an unsafe name, a link or a device, a password, too large an expansion, a
        damaged or cut archive, a kind that is not read here.
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
            if not _from_macos(member.name):
                yield Member(member.name, _Reader(member.file, path, at), member.position)


def safe_name(name: str) -> str:
    """Turn a member's name into a POSIX path that stays below the folder it is joined to, on every system.

    Parameters
    ----------
    name : str
        As the archive gives it. Backslashes count as slashes, as Windows takes them; "." and doubled slashes
        are dropped.

    Returns
    -------
    str
        At least one part, joined with "/"; none is empty, "." or "..".

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
                yield Member(name, _Counted(file, expansion), raw.tell())
            at[0] = f"what follows {info.filename}"


def _tar_members(raw: BinaryIO, kind: str, expansion: _Expansion, at: list[str]) -> Iterator[Member]:
    stream = _Counted(_OPENERS[kind](raw), expansion)
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
        while stream.read(2**20):  # to the end, where gzip, bzip2 and xz check their sums
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


class _Counted:
    """A file that is read, with what comes out counted."""

    def __init__(self, file: BinaryIO, expansion: _Expansion):
        self._file, self._expansion = file, expansion

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._expansion.add(len(data))
        return data


class _Reader:
    """A member that is read, with its name and the archive's given to every error."""

    def __init__(self, file: BinaryIO, path: Path, at: list[str]):
        self._file, self._path, self._at = file, path, at

    def read(self, size: int) -> bytes:
        with _named(self._path, self._at):
            return self._file.read(size)


def _kind(path: Path, raw: BinaryIO) -> str:
    """zip, gz, bz2, xz or tar, from the file's first bytes: names lie. `NotAnArchive` for anything else."""
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


def _from_macos(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith("._")


@contextmanager
def _named(path: Path, at: list[str]) -> Iterator[None]:
    """Give every error the archive's name and the member's."""
    try:
        yield
    except NotImplementedError as error:  # zipfile raises it for a compression that it does not know
        raise ValueError(f"{path}: {at[0]}: packed in a way that Python cannot read ({error}); {_ELSEWHERE}") from error
    except NotAnArchive:
        raise
    except _DAMAGE as error:
        raise ValueError(_damaged(path, at[0], error)) from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):
            raise
        raise ValueError(_damaged(path, at[0], error)) from error  # gzip and bz2 say so; or a seek before the beginning
    except (ValueError, RuntimeError) as error:
        where = "" if at[0] == "its beginning" else f" {at[0]!r}:"
        raise ValueError(f"{path}:{where} {error}; {_ELSEWHERE}") from error


def _damaged(path: Path, where: str, error: Exception) -> str:
    return f"{path}: damaged or cut short at {where} ({error or type(error).__name__}); fetch it again"
