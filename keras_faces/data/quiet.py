"""What OpenCV and its decoders say about a picture, kept off the terminal: no line of theirs names the file."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import cv2

# Lines by libpng, libjpeg, libtiff and libwebp about a picture that is decoded in spite of them
_SAID = re.compile(
    rb"libpng (warning|error)|Corrupt JPEG|Premature end of|Invalid (SOS|JPEG|component)|Unknown Adobe|Warning: unknown"
    rb"|Unsupported marker|Inconsistent progression|TIFF\w*: "
)
_lock = threading.RLock()
_inside: list[_Ear] = []  # the one that listens, once for each block that is open


@contextmanager
def quiet_opencv() -> Iterator[Callable[[], int]]:
    """Silence OpenCV and its decoders inside a ``with`` block, whichever thread decodes.

    libpng and libjpeg write to the process's standard error itself. In the block that goes to a file; lines by others
    in it follow when the last block ends. Python's own messages and progress bars are shown as ever.

    Yields
    ------
    callable
        Returns how many bytes were said so far; more after a decoding than before: something is wrong with the picture,
        or with one that another thread decoded at the time.
    """
    with _lock:
        _inside.append(_inside[0] if _inside else _Ear())
        ear = _inside[0]
    try:
        yield ear.length
    finally:
        with _lock:
            _inside.pop()
            if not _inside:
                ear.close()


def said_about(decode: Callable[[], object]) -> str:
    """Decode one picture, while no other is decoded, and return what is said about it: one line, or "" for nothing.

    Call it inside of `quiet_opencv`.
    """
    ear = _inside[0]
    start = ear.length()
    decode()
    lines = [line for line in ear.text(start).splitlines() if _SAID.search(line)]
    return lines[0].decode("utf-8", "replace").strip() if lines else ""


class _Ear:
    """Standard error goes to a file, until `close`."""

    def __init__(self):
        log = getattr(cv2.utils, "logging", cv2)  # these functions moved with OpenCV 5
        self._set_level, self._level = log.setLogLevel, log.getLogLevel()
        self._set_level(0)
        self.terminal = self._shown = None
        file, self._name = tempfile.mkstemp(prefix="keras-faces-")
        self._reader = open(self._name, "rb", buffering=0)  # noqa: SIM115 - until `close`
        try:
            self.terminal = os.dup(2)
            if sys.stderr is not None and sys.stderr.fileno() == 2:
                sys.stderr.flush()
                self._shown = sys.stderr = _Shown(self, sys.stderr)
        except (AttributeError, OSError, ValueError):
            pass  # no standard error, or something else than a file, as in a notebook
        if self.terminal is not None:
            os.dup2(file, 2)
        os.close(file)
        if os.name != "nt":  # there, an open file keeps its name
            os.unlink(self._name)

    def length(self) -> int:
        return os.fstat(self._reader.fileno()).st_size

    def text(self, start: int = 0) -> bytes:
        self._reader.seek(start)
        return self._reader.read()

    def close(self) -> None:
        self._set_level(self._level)
        if self.terminal is not None:
            os.dup2(self.terminal, 2)
            terminal, self.terminal = self.terminal, None
            os.close(terminal)
            for line in self.text().splitlines(keepends=True):
                if not _SAID.search(line):
                    os.write(2, line)
        if self._shown is not None and sys.stderr is self._shown:
            sys.stderr = self._shown.original
        self._reader.close()
        if os.name == "nt":
            os.unlink(self._name)


class _Shown:
    """Python's standard error while that of the process goes elsewhere; after that, the same as before."""

    def __init__(self, ear: _Ear, original: TextIO):
        self._ear, self.original = ear, original

    def write(self, text: str) -> int:
        with _lock:
            if self._ear.terminal is None:
                return self.original.write(text)
            data = text.encode(self.original.encoding, self.original.errors)
            while data:
                data = data[os.write(self._ear.terminal, data) :]
        return len(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self.original, name)
