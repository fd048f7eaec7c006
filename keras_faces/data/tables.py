"""Tables of labels: their text, and which row belongs to which picture; for ``labels.py`` and ``data_prep``."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from posixpath import splitext

import numpy as np
import pandas as pd

from keras_faces.files import printable, read_file

AGAIN = "download the file again"


def rows_of(rows: Sequence[str], pictures: Sequence[str]) -> np.ndarray:
    """Find the row of each picture.

    A row belongs to a picture if they have the same path, or the same end of it (row 000001.jpg, picture
    img_align_celeba/000001.jpg; or a row with a whole path, /home/ann/000001.jpg, and picture 000001.jpg), or the same
    but for the extension (000001.png, 000001.JPG). A picture takes the closest of these. Backslashes in a row count as
    slashes, and "./" at its beginning is left out.

    Parameters
    ----------
    rows, pictures : sequence of str
        Names of a table's rows; paths of pictures, with forward slashes.

    Returns
    -------
    ndarray of int64, shape (len(pictures),)
        The index of the row, or −1 where there is none.
    """
    exact = {name.replace("\\", "/").removeprefix("./"): index for index, name in enumerate(rows)}
    ends = _ends(exact, {name.count("/") for name in pictures})
    bare = _bare(exact)
    bare_ends = _bare(ends)
    depths = sorted({name.count("/") for name in exact}, reverse=True)
    return np.array([_row_of(picture, exact, ends, bare, bare_ends, depths) for picture in pictures], np.int64)


def _ends(exact: dict[str, int], depths: set[int]) -> dict[str, int]:
    """The ends, as deep as pictures lie, of rows with whole paths; without those that two rows share."""
    found: dict[str, int] = {}
    shared = set()
    for name, index in exact.items():
        parts = name.split("/") if re.match(r"/|[A-Za-z]:/", name) else []
        for depth in depths:
            if depth + 1 < len(parts):
                end = "/".join(parts[-depth - 1 :])
                if found.setdefault(end, index) != index:
                    shared.add(end)
    return {end: index for end, index in found.items() if end not in shared}


def _bare(names: dict[str, int]) -> dict[str, int]:
    """The same without extensions; none if that makes two alike, so that the extension must be right."""
    bare = {splitext(name)[0]: index for name, index in names.items()}
    return bare if len(bare) == len(names) else {}


def _row_of(picture: str, exact: dict, ends: dict, bare: dict, bare_ends: dict, depths: list[int]) -> int:
    parts = picture.split("/")
    tails = [picture, *("/".join(parts[-depth - 1 :]) for depth in depths)]
    stems = [splitext(tail)[0] for tail in tails]
    choices = (*((exact, tail) for tail in tails), (ends, picture), *((bare, stem) for stem in stems))
    return next((names[name] for names, name in choices if name in names), bare_ends.get(stems[0], -1))


def checked_text(path: Path, data: bytes) -> bytes:
    """Return a file's bytes without byte-order mark, sure to be UTF-8. ValueError with file and line for any other."""
    if not data:
        raise ValueError(f"{path} is empty (0 bytes); {AGAIN}")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError(f"{path} is UTF-16, as some editors save 'Unicode'; save it as UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = f"line {_line_at(data, error.start)}: byte 0x{data[error.start]:02X}"
        way_out = 'save the file as UTF-8 (in Excel "CSV UTF-8")'
        raise ValueError(f"{path}, {at} is no UTF-8 text; {way_out}, or {AGAIN}") from error
    if b"\0" in data:
        raise ValueError(f"{path}, line {_line_at(data, data.index(0))}: zero bytes; this is no text file; {AGAIN}")
    return data


def _line_at(data: bytes, position: int) -> int:
    return len(data[:position].splitlines()) + (position > 0 and data[position - 1 : position] in (b"\n", b"\r")) or 1


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a table of values of any kind, indexed by its first column, the names of the pictures.

    Parameters
    ----------
    path : str or Path
        UTF-8, with a header and commas. Any line ends, blank lines and a byte-order mark do no harm.

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        With file and line: another encoding, no header, semicolons or tabs, quotes that do not end, a row with more
        values than the header has columns, a name that comes twice.
    OSError
        The file cannot be opened.
    """
    path = Path(path)
    text = checked_text(path, read_file(path)).decode("utf-8")
    lines: dict[str, int] = {}
    header = None
    reader = csv.reader(io.StringIO("\n".join(text.splitlines()) + "\n", newline=""), strict=True)
    first = 1  # line of the row that is being read, which may go over several
    try:
        for row in reader:
            place = f"{path}, line {first}"
            first = reader.line_num + 1
            if not any(row):
                continue
            if header is None:
                header = row
                _check_commas(place, row)
            elif len(row) > len(header):
                raise ValueError(
                    f"{place}: {printable(row[0])!r} has {len(row) - 1} values and the header names {len(header) - 1}; "
                    "put a value with a comma in quotes"
                )
            elif row[0] in lines:
                raise ValueError(
                    f"{place}: there is more than one row for {printable(row[0])!r}, the first on line "
                    f"{lines[row[0]]}; remove one"
                )
            else:
                lines[row[0]] = reader.line_num
    except csv.Error as error:
        raise ValueError(f"{path}, line {first}: {error}; check the quotes from there on") from error
    if not lines:
        raise ValueError(f"{path} has no row below its header; {AGAIN}")
    return pd.read_csv(io.StringIO(text), index_col=0, converters={0: str})  # 000001 is a name, not the number 1


def _check_commas(place: str, header: list[str]) -> None:
    if len(header) > 1:
        return
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if sign in header[0]:
            raise ValueError(f"{place}: {name} separate its columns; save it with commas instead of {name}")
    raise ValueError(f"{place}: the header {printable(header[0][:60])!r} has one column; write image_id,NAME there")
