"""Files that are whole or not there (write beside, then rename), and a lock against writing the same one twice."""

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
def replacing(path: str | Path) -> Iterator[Path]:
    """``with replacing(path) as beside:`` write to ``beside``; it takes the place of ``path`` if all went well.

    Whatever goes wrong inside (a full disk, Ctrl-C), what was begun is removed and an older ``path`` stays as it was.
    Even a ``kill -9`` or a power cut leaves either the old file or the new one, never a part of one.
    """
    path = Path(path)
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield beside
        with open(beside, "rb+") as written:
            os.fsync(written.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def lock(file: BinaryIO, path: str | Path) -> None:
    """Keep other processes out as long as ``file``, open for writing, stays open, however this process ends.

    Raises
    ------
    ValueError
        Another process holds it.
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
def replacing_hdf5(path: str | Path) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """``with replacing_hdf5(path) as (file, check):`` the same for an HDF5 file.

    A write that fails is remembered and raised at the end; a long writer calls ``check()`` to learn of it sooner.
    """
    import h5py

    with replacing(path) as beside, _Target(beside, "w+b") as target:
        with h5py.File(target, "w", libver=("v110", "v110")) as file:  # checksums its own tables as well
            yield file, target.check
        target.check()


class _Target(io.FileIO):
    """The file that HDF5 writes to, by way of Python.

    HDF5 cannot close a file once a write has failed, and takes the interpreter down with it at the end. Here a failed
    write is remembered, and whatever follows is dropped, so that HDF5 closes in peace; `check` then raises the error.
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
