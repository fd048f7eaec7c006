"""Where a command may write: never over a file that it did not make, nor over one that it reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

SOFTWARE = "keras_faces"  # in the pictures that commands write, under PNG's own keyword
_HEAD = 4096  # bytes of a PNG within which its keywords stand


def png_note() -> Any:
    """Return the note by which :func:`made_here` knows a picture, for ``pnginfo`` of Pillow's ``save``."""
    from PIL.PngImagePlugin import PngInfo

    note = PngInfo()
    note.add_text("Software", SOFTWARE)
    return note


def made_here(file: Path) -> bool:
    """Return whether a file is a picture that a command of this package has written."""
    try:
        with open(file, "rb") as opened:
            head = opened.read(_HEAD)
    except OSError:
        return False
    return head.startswith(b"\x89PNG") and f"Software\0{SOFTWARE}".encode() in head


def check_out(out: Path, *beside: Path, reads: Iterable[Path] = (), what: str = "--out") -> Path:
    """Return the file to write, if it may be written.

    Parameters
    ----------
    out : Path
        The file.
    *beside : Path
        Files that are written with it.
    reads : iterable of Path
        Files that the command reads.
    what : str
        The option that names it, for the error message.

    Raises
    ------
    ValueError
        One of the files is there already, and is no picture that a command made; or the command reads it.
    """
    sources = [file for file in reads if file.is_file()]
    for file in (out, *beside):
        if file.is_dir():
            raise ValueError(f"{what} {out}: {file} is a folder; choose another name.")
        if file.exists() and any(file.samefile(source) for source in sources):
            raise ValueError(f"{what} {out}: {file} is read by this command, and would be lost; choose another name.")
    if out.exists():
        if not made_here(out):
            raise ValueError(f"{what} {out}: this file is there already, and would be lost; choose another name.")
    elif there := [file for file in beside if file.exists()]:
        raise ValueError(f"{what} {out}: {there[0]}, which is written with it, is there already; choose another name.")
    return out


def check_out_folder(out: Path) -> Path:
    """Return the folder for single pictures, if it is new or holds nothing but pictures of commands.

    Raises
    ------
    ValueError
        It is a file, or holds other files.
    """
    if out.is_dir():
        if other := next((file for file in sorted(out.iterdir()) if not made_here(file)), None):
            raise ValueError(f"--out {out}: this folder holds other files, such as {other.name}; choose a new folder.")
    elif out.exists():
        raise ValueError(f"--out {out} is a file; choose a new folder, or the name of a .png file.")
    return out
