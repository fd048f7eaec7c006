"""What was done so far, on disk, so that a run that was killed continues where it stopped.

A journal is a folder or file beside the target. It begins with what the run was to do: another size, crop or source
makes a new one. Then come the pictures, a portion at a time: first their pixels are on the disk, then a line says so.
A line that was cut short, or pixels that no line names, do not count.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np

from keras_faces.files import lock

_SYNC_BYTES = 2**26  # of pixels between two lines


class _Lines:
    """A file of JSON lines, of which the first is a header; every whole line counts, the rest is cut off."""

    def __init__(self, path: Path, header: dict):
        self.found, self._ends = [], []
        existed = path.exists()
        self._file = open(path, "a+b")
        try:
            lock(self._file, path)
            self._read(header)
        except BaseException:
            self._file.close()
            raise
        self.restarted = existed and self.is_new

    def _read(self, header: dict) -> None:
        end = 0
        self._file.seek(0)
        for number, line in enumerate(self._file):
            value = _whole(line)
            if value is None or (number == 0 and value != header):
                break
            end += len(line)
            self._ends.append(end)
            if number:
                self.found.append(value)
        self.is_new = end == 0
        self._file.truncate(end)
        if self.is_new:
            self.add([header])

    def keep(self, count: int) -> None:
        """Cut off all values found but the first `count`."""
        if count < len(self.found):
            self._file.truncate(self._ends[count])  # the header has the first of these ends
            del self.found[count:]

    def add(self, values: list) -> None:
        """Write values, a line each, through to the disk."""
        text = "".join(json.dumps(value) + "\n" for value in values)
        self._file.write(text.encode("ascii"))
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file, which also frees its lock."""
        self._file.close()


def _whole(line: bytes):
    try:
        return json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None


class PackedJournal:
    """The finished pictures of a packed file, as raw pixels, in the folder ``.NAME.journal`` beside it.

    Parameters
    ----------
    target : Path
        The packed file to be.
    header : dict
        What the run is to do, for JSON; a journal with another one is thrown away (`restarted`).

    Raises
    ------
    ValueError
        Another run writes to the same target.
    """

    broken: list[tuple[str, str]]  # the pictures so far that could not be read, and why
    shape: tuple[int, int, int] | None  # height, width and 3, once there is a picture

    def __init__(self, target: Path, header: dict):
        self.folder = target.with_name(f".{target.name}.journal")
        self.folder.mkdir(exist_ok=True)
        self._lines = _Lines(self.folder / "index.jsonl", header)
        self.restarted = self._lines.restarted
        self._pixels = open(self.folder / "pixels.raw", "a+b", buffering=0)
        self._resume()

    def _resume(self) -> None:
        seen, end, self.broken, self.shape = 0, 0, [], None
        there = os.fstat(self._pixels.fileno()).st_size
        self._lines.keep(sum(line["bytes"] <= there for line in self._lines.found))  # pixels may be lost: made again
        for line in self._lines.found:
            seen, end = line["seen"], line["bytes"]
            self.broken += [tuple(pair) for pair in line["broken"]]
            self.shape = tuple(line["shape"]) if line["shape"] else None
        self._pixels.truncate(end)
        self._state = self._synced = (seen, end, len(self.broken))

    @property
    def seen(self) -> int:
        """How many of the source's pictures were dealt with, from the first on."""
        return self._state[0]

    def add(self, seen: int, images: list[np.ndarray], broken: list[tuple[str, str]]) -> None:
        """Take a portion.

        Parameters
        ----------
        seen : int
            How many of the source's pictures it covers.
        images : list of ndarray of uint8, shape (height, width, 3)
            Their pixels, RGB.
        broken : list of (str, str)
            Those that could not be read, and why.
        """
        before, end, _ = self._state
        for image in images:
            self.shape = self.shape or image.shape
            rest = memoryview(image).cast("B")
            while len(rest):
                rest = rest[self._pixels.write(rest) :]  # the system may take a part only
            end += image.nbytes
        self.broken += broken
        self._state = (before + seen, end, len(self.broken))  # at once: a portion that failed half-way never was
        if end - self._synced[1] >= _SYNC_BYTES:
            self.sync()

    def sync(self) -> None:
        """Make what was taken last: pixels first, then the line that tells of them."""
        seen, end, broken = self._state
        os.fsync(self._pixels.fileno())
        new = self.broken[self._synced[2] : broken]
        self._lines.add([{"seen": seen, "bytes": end, "shape": self.shape, "broken": new}])
        self._synced = self._state

    def images(self) -> RawImages:
        """All finished pictures."""
        return RawImages(self.folder / "pixels.raw", (self._state[1] // int(np.prod(self.shape)), *self.shape))

    def close(self) -> None:
        """Close both files."""
        self._pixels.close()
        self._lines.close()

    def remove(self) -> None:
        """Remove the journal, the index first: without it, pixels that a kill leaves behind do not count."""
        self.close()
        (self.folder / "index.jsonl").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


class RawImages:
    """Raw pixels in a file as an array to be sliced. Read plainly: a memory map of gigabytes would count as memory."""

    dtype = np.dtype(np.uint8)

    def __init__(self, path: Path, shape: tuple[int, ...]):
        self.path, self.shape = path, shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: slice) -> np.ndarray:
        first, last, _ = key.indices(len(self))
        each = int(np.prod(self.shape[1:]))
        pixels = np.fromfile(self.path, np.uint8, (last - first) * each, offset=first * each)
        return pixels.reshape(-1, *self.shape[1:])


class FolderJournal:
    """Which pictures of a target folder are done: name, the source's bytes and time of change, bytes written.

    It stays in the folder, as ``.resize.jsonl``: a later run does only what is new or has changed.

    Parameters
    ----------
    folder : Path
        The target, which exists.
    header : dict
        What the run is to do, for JSON; a journal with another one is thrown away (`restarted`).
    """

    def __init__(self, folder: Path, header: dict):
        self._lines = _Lines(self.path(folder), header)
        self.restarted = self._lines.restarted
        self._done = {name: tuple(rest) for line in self._lines.found for name, *rest in line}

    @staticmethod
    def path(folder: Path) -> Path:
        """Where the journal of a folder lies."""
        return folder / ".resize.jsonl"

    def has(self, name: str, size: int, mtime_ns: int, target: Path) -> bool:
        """Whether this very picture is done and its file still has the length that was written."""
        done = self._done.get(name)
        if done is None or done[:2] != (size, mtime_ns):
            return False
        try:
            return target.stat().st_size == done[2]
        except OSError:
            return False

    def add(self, done: list[tuple[str, int, int, int]]) -> None:
        """Note pictures as done: name, bytes and time of change of the source, bytes written."""
        if done:
            self._lines.add([done])

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
