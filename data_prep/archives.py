"""Zip and tar archives: read without unpacking, or unpack whole.

``read_members`` gives the files one after another and needs no disk; ``unpack`` makes a folder that is there whole or
not at all. What an archive may not do (leave its folder, bring links, expand without end) is refused in
``archive_members.py``; read that next.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from data_prep.archive_members import LIMITS, Limits, Member, members

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_OTHERS = (".7z", ".rar")  # known as archives, so that reading them can say what to do
_CHUNK = 2**20


def is_archive(path: str | Path) -> bool:
    """Whether a path is a file that calls itself an archive (by its ending; reading it tells if that is true)."""
    path = Path(path)
    return path.name.lower().endswith(ENDINGS + _OTHERS) and path.is_file()


def read_members(
    path: str | Path, *, suffixes: Sequence[str] | None = None, limits: Limits = LIMITS
) -> Iterator[tuple[str, bytes]]:
    """Read the regular files of an archive one after another, each into memory.

    Parameters
    ----------
    path : path
        A .zip, .tar, .tar.gz (.tgz), .tar.bz2 or .tar.xz file.
    suffixes : sequence of str, optional
        Give only files whose names end so, in whatever case: ``(".jpg", ".png")``.
    limits : Limits
        How far it may expand.

    Yields
    ------
    name : str
        POSIX path relative to the archive, safe to join to a folder.
    data : bytes

    Raises
    ------
    ValueError
        Naming archive, member and way out: a path that is absolute or holds "..", a link, a device, a password, too
        large an expansion, damage, no archive that is known here.
    OSError
        The archive cannot be opened.
    """
    endings = None if suffixes is None else tuple(suffix.lower() for suffix in suffixes)
    with closing(members(path, limits)) as found:
        for member in found:
            if endings is None or member.name.lower().endswith(endings):
                yield member.name, _whole(member, Path(path), limits)


def _whole(member: Member, path: Path, limits: Limits) -> bytes:
    parts, size = [], 0
    while part := member.file.read(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > limits.member:
            message = f"{path}: {member.name!r}: larger than {limits.member:,} bytes, which no photograph is"
            raise ValueError(f"{message}; unpack the archive and give the folder")
    return b"".join(parts)


def unpack(
    path: str | Path,
    folder: str | Path,
    *,
    drop_top: bool = False,
    progress: bool = True,
    limits: Limits = LIMITS,
) -> list[Path]:
    """Unpack an archive to a new folder, which appears when all is there.

    Everything is written to ``.NAME.part`` beside it, which takes the folder's name at the end. Whatever goes wrong,
    that folder is removed; what a ``kill -9`` left of it is removed by the next call.

    Parameters
    ----------
    path : path
        The archive.
    folder : path
        The folder to make; it may exist if it is empty.
    drop_top : bool
        Where all members lie in one folder, leave that folder's own name out.
    progress : bool
        Show a bar.
    limits : Limits
        How far it may expand.

    Returns
    -------
    list of Path
        The files, in the archive's order.

    Raises
    ------
    ValueError
        As `read_members`; also two members with one name.
    FileExistsError
        The folder is there already and holds something.
    OSError
        The disk is full, or the folder cannot be written to; nothing is left behind.
    """
    path, folder = Path(path), Path(folder)
    check_new(folder)
    beside = folder.with_name(f".{folder.name}.part")
    try:
        _remove(beside)
        beside.mkdir(parents=True)
        names = _write_all(path, beside, progress, limits)
        top = _only_folder(names) if drop_top else ""
        if hasattr(os, "sync"):
            os.sync()  # a power cut after the renaming must not leave empty files
        if folder.exists():
            folder.rmdir()
        os.replace(beside / top, folder)
    except OSError as error:
        raise _not_written(path, folder, error) from error
    finally:
        _remove(beside)
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
            _write(member, path, beside)
            names.append(member.name)
            bar.update(min(member.position, size) - bar.n)
        bar.update(size - bar.n)
    return names


def _write(member: Member, path: Path, beside: Path) -> None:
    target = beside / member.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = open(target, "xb")
    except (FileExistsError, NotADirectoryError) as error:
        message = f"{path}: {member.name!r}: two members go by this name (small and capital letters may be one here); "
        raise ValueError(message + "pack it again without") from error
    with file:
        while part := member.file.read(_CHUNK):
            file.write(part)


def _only_folder(names: list[str]) -> str:
    """The folder, with its slash, that all names lie in, or ""."""
    tops = {name.partition("/")[0] for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _not_written(path: Path, folder: Path, error: OSError) -> OSError:
    way_out = "free some space" if error.errno == errno.ENOSPC else "see that it can be read and written"
    where = f" at {error.filename}" if error.filename else ""
    reason = f"{error.strerror or error}{where}"
    explained = type(error)(f"{path} could not be unpacked to {folder} ({reason}); {way_out}; nothing was left there")
    explained.errno = error.errno
    return explained
