"""Files: written whole or not at all, locked against a second writer, read if they are plain; names made printable."""

from __future__ import annotations

import io
import os
import re
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from platform import node
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import h5py

# Control characters, what turns the direction of the text, ends of lines, and bytes that are no UTF-8
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: object) -> str:
    r"""Return a name as it can be shown on any terminal: what would move the cursor or colour the text is escaped.

    Letters of all languages stay. A line break becomes ``\n``, the escape character ``\x1b``, and a byte of a file name
    that is no UTF-8 ``\udcff``.
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(text))


def escape_missing_letters() -> None:
    """Let what is printed be escaped where the output's encoding lacks a letter, as a code page of Windows does."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def printable_lines(error: BaseException) -> str:
    """Return an error's message with each of its lines `printable`."""
    return "\n".join(map(printable, str(error).split("\n")))


def read_file(path: str | Path) -> bytes:
    """Read a plain file. A pipe, which may never end, and a device such as /dev/zero, which does not, are refused.

    Raises
    ------
    OSError
        It cannot be opened, or is no plain file; the message names it.
    """
    path = Path(path)
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(f"{printable(path)} is {'a folder' if path.is_dir() else 'a pipe or a device'}; give a file")
    return path.read_bytes()


def open_hdf5(path: str | Path) -> h5py.File:
    """Open an HDF5 file to read it, without a lock where there is none, as on many a network drive.

    The lock is not needed: no file is changed in place, see `atomic_write`.

    Raises
    ------
    OSError
        As `h5py.File`; or it is a pipe or a device.
    """
    import h5py

    if Path(path).exists() and not Path(path).is_file():
        raise OSError(f"{printable(path)} is no plain file")
    try:
        return h5py.File(path, "r")
    except OSError:
        return h5py.File(path, "r", locking=False)


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Write a file completely or not at all: ``with atomic_write(path) as part: part.write_text(...)``.

    The block writes to a temporary file in the same folder, which replaces ``path`` at the end. After any failure
    (a full disk, Ctrl-C, a power cut) an older ``path`` is unchanged. What a process that was killed has left beside it
    is removed.

    Parameters
    ----------
    path : str or Path
        The file to write. The temporary file has the same suffix.

    Yields
    ------
    Path
        The temporary file.
    """
    path = Path(path)
    host = f"{zlib.crc32(node().encode()):08x}"
    part = path.with_name(f".{path.stem}.{os.getpid()}-{host}.part{path.suffix}")
    _remove_left(os.path.abspath(path.parent), host)
    try:
        yield part
        with open(part, "rb+") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@lru_cache(maxsize=1024)  # once a folder: it may be long
def _remove_left(folder: str, host: str) -> None:
    """Remove the temporary files in a folder whose process, of this machine, has ended."""
    name = re.compile(rf"\..+\.(\d+)(?:-{host})?\.part(?:\.[^.]*)?", re.DOTALL)
    try:
        with os.scandir(folder) as entries:
            found = [(entry.path, name.fullmatch(entry.name)) for entry in entries]
        for path, match in found:
            if match and not _runs(int(match[1])):
                os.unlink(path)
    except OSError:
        pass  # the folder is not there, which the writer says; or it may not be listed


def _runs(process: int) -> bool:
    if os.name == "nt":
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, process)  # PROCESS_QUERY_LIMITED_INFORMATION
        return bool(handle and ctypes.windll.kernel32.CloseHandle(handle))
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # another user's
    return True


def lock(file: BinaryIO, path: str | Path) -> None:
    """Lock an open file against other processes until it is closed or this process ends.

    Parameters
    ----------
    file : file object
        Open for writing.
    path : str or Path
        Its name, for the error message.

    Raises
    ------
    ValueError
        Another process holds the lock.
    """
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(2**40)  # far behind the text, which stays readable
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        raise ValueError(f"{path}: another run writes to the same target; wait until it has ended") from error
    except OSError:
        pass  # a file system without locks


@contextmanager
def atomic_write_hdf5(path: str | Path) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """Write an HDF5 file completely or not at all: ``with atomic_write_hdf5(path) as (file, check): ...``.

    Parameters
    ----------
    path : str or Path
        The file to write.

    Yields
    ------
    file : h5py.File
        The open temporary file.
    check : callable
        Raises the OSError of an earlier failed write. A long writer calls it now and then, to stop early.
    """
    import h5py

    with atomic_write(path) as part, _Target(part, "w+b") as target:
        with h5py.File(target, "w", libver=("v110", "v110")) as file:  # v110 also checksums the file's own tables
            yield file, target.check
        target.check()


class _Target(io.FileIO):
    """The file that HDF5 writes to.

    HDF5 cannot close a file after a failed write, and crashes the interpreter at exit. Here a failed write is stored
    and later writes are dropped, so that HDF5 closes normally; `check` then raises the error.
    """

    _error: OSError | None = None

    def write(self, data) -> int:
        rest = memoryview(data).cast("B")
        try:
            while self._error is None and len(rest):
                rest = rest[super().write(rest) :]  # the system may take a part only
        except OSError as error:
            self._error = error
        return len(data)

    def truncate(self, size: int) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size

    def check(self) -> None:
        if self._error is not None:
            raise self._error
