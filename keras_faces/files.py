"""Atomic file writes (write beside, then rename), and a lock against two writers of one target."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import h5py


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Write a file completely or not at all: ``with atomic_write(path) as part: part.write_text(...)``.

    The block writes to a temporary file in the same folder, which replaces ``path`` at the end. After any failure
    (a full disk, Ctrl-C, a power cut) an older ``path`` is unchanged.

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
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        with open(part, "rb+") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


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
