"""CelebA's text files, and Kaggle's CSV forms of them, read into tables.

    list_attr_celeba.txt               count; 40 names; a row: 000001.jpg and 40 values, -1 or 1
    list_landmarks_align_celeba.txt    count; 10 names; a row: name, x and y of the eyes, the nose, the mouth's corners
    list_bbox_celeba.txt               count; image_id x_1 y_1 width height; rows alike
    identity_CelebA.txt                no header; a row: name and number of the person
    list_eval_partition.txt            no header; a row: name and 0 (training), 1 (validation) or 2 (test)
    *.csv                              a header image_id,...; any of these columns, and attributes of any name

What a file holds, its first lines tell. Its name is asked only where these cannot: a number for each picture may be the
person or the partition.

Source: Z. Liu, P. Luo, X. Wang, X. Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015. What to read next:
``celeba_rows.py`` (the rows), then ``celeba.py`` (the script).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from data_prep.celeba_rows import BOX, INTEGER, LABELS, LANDMARKS, Layout, lines_of, read_rows

_COUNT = 40  # attributes of CelebA
_ATTRIBUTE = re.compile(r"[^\W\d]|\d+_\w")  # a header's words begin like this, numbers and 000001.jpg do not
_FILES = (
    "the files that can be read are list_attr_celeba, identity_CelebA, list_eval_partition, list_landmarks_celeba, "
    "list_landmarks_align_celeba and list_bbox_celeba (.txt), and tables with commas (.csv)"
)
_AGAIN = "download the file again"


def read_file(path: str | Path) -> pd.DataFrame:
    """Read one file of the CelebA family.

    Parameters
    ----------
    path : path
        Windows line ends, blank lines and a byte-order mark do no harm.

    Returns
    -------
    DataFrame
        Indexed by the picture's name. Columns: int8 attributes of -1 and 1; int8 `partition` (0 training, 1 validation,
        2 test); int64 `identity`; int64 landmarks (`lefteye_x`, ...) and boxes (`x_1`, `y_1`, `width`, `height`) in
        pixels; texts in `person`.

    Raises
    ------
    ValueError
        With the file's name and, where there is one, the line and the value: a header or count is missing or disagrees
        with the rows, a row has too few or too many values, a value is none that its column can have, a name comes
        twice, the file is empty or not UTF-8.
    OSError
        The file cannot be opened.
    """
    path = Path(path)
    data = checked_text(path, path.read_bytes())
    return read_rows(recognise(path, data), data)


def read_tables(paths: Iterable[str | Path]) -> tuple[pd.DataFrame, dict[Path, list[str]]]:
    """Read several files into one table.

    Parameters
    ----------
    paths : iterable of path
        One file or more, each with other columns.

    Returns
    -------
    table : DataFrame
        The pictures that all files know, in the order of the first file; see `read_file` for the columns.
    lacking : dict
        For each file, the names that it lacks although another file has them; empty lists left out.

    Raises
    ------
    ValueError
        See `read_file`; or two files have the same column, or no name in common.
    """
    tables = {Path(path): read_file(path) for path in paths}
    if not tables:
        raise ValueError(f"no file was given; {_FILES}")
    homes: dict[str, Path] = {}
    for path, table in tables.items():
        for column in table.columns:
            if column in homes:
                raise ValueError(f"both {homes[column]} and {path} have the column {column!r}; give one of the two")
            homes[column] = path
    first, *others = tables.values()
    if all(table.index.equals(first.index) for table in others):
        return pd.concat(tables.values(), axis=1), {}
    shared = first.index
    known = first.index
    for table in others:
        shared = shared[shared.isin(table.index)]
        known = known.append(table.index[~table.index.isin(known)])
    if shared.empty:
        listed = ", ".join(f"{path} begins with {table.index[0]}" for path, table in tables.items())
        raise ValueError(f"no picture is named in every file: {listed}; give files of the same pictures")
    lacking = {path: known[~known.isin(table.index)].tolist() for path, table in tables.items()}
    joined = pd.concat([table.loc[shared] for table in tables.values()], axis=1)
    return joined, {path: names for path, names in lacking.items() if names}


def attributes_of(table: pd.DataFrame) -> pd.DataFrame:
    """The attribute columns of a table by `read_tables`: all but partition, identity, person, landmarks and box."""
    return table[[column for column in table.columns if column not in LABELS]]


def recognise(path: Path, data: bytes) -> Layout:
    """Tell from the first two lines what a file holds and where its rows begin.

    Raises
    ------
    ValueError
        The file is of none of the kinds, or its header or its count is missing.
    """
    lines = [(number, line) for number, line in zip(range(1, 1000), lines_of(data), strict=False) if line.strip()][:2]
    if not lines:
        raise ValueError(f"{path} is empty; {_AGAIN}")
    number, first = lines[0]
    if "," in first:
        return _csv_layout(path, number, first)
    words = first.split()
    if len(words) == 1 and INTEGER.fullmatch(words[0]):
        return _counted_layout(path, int(words[0]), lines[1:])
    if len(words) == 2 and INTEGER.fullmatch(words[1]):
        column = next((column for column in ("identity", "partition") if column in path.name.lower()), "number")
        return Layout(path, (column,), first=number)
    if len(words) > 2 and all(map(INTEGER.fullmatch, words[1:])):
        problem = "is a row; the count of the rows and the header with the columns' names are missing above it"
        raise ValueError(f"{path}, line {number}: {words[0]} {problem}; {_AGAIN}")
    if len(words) > 2 and all(map(_ATTRIBUTE.match, words)):
        raise ValueError(f"{path}, line {number}: a header, but the line with the count of rows above it is missing")
    shown = first if len(first) <= 60 else first[:60] + "..."
    semicolons = "; save it with commas instead of semicolons" if ";" in first else ""
    raise ValueError(f"{path}, line {number}: {shown!r} begins no file of CelebA's{semicolons}; {_FILES}")


def _csv_layout(path: Path, number: int, line: str) -> Layout:
    header = [name.strip() for name in next(csv.reader([line]))]
    columns = tuple(header[1:-1] if len(header) > 2 and not header[-1] else header[1:])
    if all(map(INTEGER.fullmatch, columns)):
        raise ValueError(
            f"{path}, line {number}: {header[0]} is a row; the header with the columns' names is missing above it, "
            "such as image_id,Smiling,Male"
        )
    _check_header(path, number, columns)
    return Layout(path, columns, first=number + 1, comma=True)


def _counted_layout(path: Path, count: int, lines: list[tuple[int, str]]) -> Layout:
    if not lines:
        raise ValueError(f"{path} ends after the count of its rows ({count}); {_AGAIN}")
    number, line = lines[0]
    columns = tuple(line.split())
    if len(columns) > 1 and all(map(INTEGER.fullmatch, columns[1:])):
        raise ValueError(
            f"{path}, line {number}: {columns[0]} is a row; the header with the columns' names is missing between the "
            f"count and the rows; {_AGAIN}"
        )
    columns = columns[1:] if columns[0] == "image_id" else columns
    _check_header(path, number, columns)
    if columns not in (LANDMARKS, BOX) and len(columns) != _COUNT:
        raise ValueError(
            f"{path}, line {number}: the header names {len(columns)} attributes and CelebA has {_COUNT}; {_AGAIN}, "
            "or put attributes of your own into a CSV file"
        )
    return Layout(path, columns, first=number + 1, count=count)


def _check_header(path: Path, number: int, columns: tuple[str, ...]) -> None:
    for place, column in enumerate(columns):
        if not column:
            raise ValueError(f"{path}, line {number}: column {place + 2} has no name; write one into the header")
        if column in columns[:place]:
            raise ValueError(f"{path}, line {number}: the header names {column!r} twice; remove or rename one")


def checked_text(path: Path, data: bytes) -> bytes:
    """The file's bytes without byte-order mark, sure to be UTF-8."""
    if not data:
        raise ValueError(f"{path} is empty (0 bytes); {_AGAIN}")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError(f"{path} is UTF-16, as some editors save 'Unicode'; save it as UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = f"line {_line_at(data, error.start)}: byte 0x{data[error.start]:02X}"
        raise ValueError(f"{path}, {at} is no UTF-8 text; save the file as UTF-8, or {_AGAIN}") from error
    if b"\0" in data:
        raise ValueError(f"{path}, line {_line_at(data, data.index(0))}: zero bytes; this is no text file; {_AGAIN}")
    return data


def _line_at(data: bytes, position: int) -> int:
    return len(data[:position].splitlines()) + (position > 0 and data[position - 1 : position] in (b"\n", b"\r")) or 1
