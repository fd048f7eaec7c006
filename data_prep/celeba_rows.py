"""The rows of CelebA's files: fast where they are good, line by line where one is not.

Pandas' C reader takes half a second for 200,000 rows of 40 values, but says little about a fault, and overlooks some.
So what it read is checked as a whole, and a file that fails is read again by plain Python, which names line and value.
Both ways must agree on what a good file is; a property test holds that. What to read next: ``celeba_files.py``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

LANDMARKS = tuple(
    f"{point}_{axis}" for point in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth") for axis in "xy"
)
BOX = ("x_1", "y_1", "width", "height")
LABELS = ("partition", "identity", "person", *LANDMARKS, *BOX)  # every other column is an attribute

INTEGER = re.compile(r"[+-]?[0-9]{1,18}")

_NAME, _EXTRA = "\0name", "\0extra"  # the first column, and one after the last that stays empty in a good file


@dataclass(frozen=True)
class Layout:
    """What a file holds: the columns after the name, the number of its first row's line, the count that it claims.

    A single column "number" is an identity or a partition, which its values decide.
    """

    path: Path
    columns: tuple[str, ...]
    first: int
    count: int | None = None
    comma: bool = False


def read_rows(layout: Layout, data: bytes) -> pd.DataFrame:
    """Read the rows of a file as a table indexed by name.

    Parameters
    ----------
    layout : Layout
        What `data` holds.
    data : bytes
        The whole file, UTF-8 without a byte-order mark.

    Raises
    ------
    ValueError
        The first fault of the file, with its line and value.
    """
    table = read_fast(layout, data)
    if table is None:
        table = read_line_by_line(layout, data)
    if layout.columns == ("number",):
        is_partition = table["number"].isin((0, 1, 2)).all()
        table.columns = ["partition" if is_partition else "identity"]
    kinds = {column: np.int8 for column in table.columns if column == "partition" or column not in LABELS}
    return table.astype(kinds).rename_axis("image_id")


def read_fast(layout: Layout, data: bytes) -> pd.DataFrame | None:
    """The rows by pandas' C reader; None if anything about them is not as it should be."""
    if layout.comma and b'"' in data:
        return None
    numbers = [column for column in layout.columns if column != "person"]
    columns = [_NAME, *layout.columns, _EXTRA]
    separator = {"sep": ",", "skipinitialspace": True} if layout.comma else {"sep": r"\s+"}
    try:
        table = pd.read_csv(
            io.BytesIO(data),
            header=None,
            names=columns,
            skiprows=layout.first - 1,
            dtype={column: str for column in columns if column not in numbers},
            na_filter=False,
            low_memory=False,
            quoting=csv.QUOTE_NONE,
            engine="c",
            **separator,
        )
    except ValueError:  # pandas' own errors among them
        return None
    texts = [table[column] for column in columns if column not in numbers]
    names, extra = texts[0], texts[-1]
    good = (
        len(table) > 0
        and isinstance(table.index, pd.RangeIndex)  # else the rows have more values than there are columns
        and all(table[column].dtype == np.int64 for column in numbers)
        and layout.count in (None, len(table))
        and (extra == "").all()
        and all((text.str.strip() == text).all() for text in texts)
        and (names != "").all()
        and names.is_unique
        and all(_allowed(column)[0](table[column].to_numpy()).all() for column in numbers)
    )
    return table.set_index(_NAME)[list(layout.columns)] if good else None


def read_line_by_line(layout: Layout, data: bytes) -> pd.DataFrame:
    """The rows by plain Python: the same table, or the first fault as a ValueError."""
    lines: dict[str, int] = {}
    rows = []
    readers = [_reader(column) for column in layout.columns]
    for number, (name, *texts) in _rows(layout, data):
        place = f"{layout.path}, line {number}"
        if not name:
            raise ValueError(f"{place}: the row has no picture's name; write it, or remove the line")
        if name in lines:
            raise ValueError(f"{place}: {name} was on line {lines[name]} already; remove one of the two")
        if len(texts) != len(layout.columns):
            raise ValueError(
                f"{place}: {name} has {_counted(len(texts), 'value')} and needs {len(layout.columns)}, "
                "one for each column of the header; copy the line from the original file, or download that again"
            )
        lines[name] = number
        try:
            rows.append([read(text) for read, text in zip(readers, texts, strict=True)])
        except ValueError as error:
            raise ValueError(f"{place}: {name} has {error}") from error
    if layout.count not in (None, len(rows)):
        raise ValueError(
            f"{layout.path}: its first line counts {_counted(layout.count, 'row')}, but there are {len(rows):,}; the "
            "file was cut short or rows were removed: download it again, or correct the count"
        )
    if not rows:
        raise ValueError(f"{layout.path} has no rows after its header; download the file again")
    return pd.DataFrame(rows, index=pd.Index(lines, dtype=str), columns=list(layout.columns))


def _rows(layout: Layout, data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Each row's line number and words, blank lines left out."""
    if not layout.comma:
        for number, line in enumerate(lines_of(data), start=1):
            if number >= layout.first and (words := re.findall(r"[^ \t]+", line)):
                yield number, words
        return
    text = "\n".join(list(lines_of(data))[layout.first - 1 :])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            words = [word.strip() for word in row]
            if len(words) == len(layout.columns) + 2 and not words[-1]:
                words.pop()  # a comma at the end of the line
            if len(words) > 1 or any(words):
                yield reader.line_num + layout.first - 1, words
    except csv.Error as error:
        raise ValueError(
            f"{layout.path}, line {reader.line_num + layout.first - 1}: {error}; check the quotes"
        ) from error


def lines_of(data: bytes) -> Iterator[str]:
    """The lines of a text, whichever of the three line ends it has (and no other: Python's own list is longer)."""
    for line in data.splitlines():
        yield line.decode("utf-8")


def _reader(column: str) -> Callable[[str], int | str]:
    """A function from a word of this column to its value."""
    if column == "person":
        return str
    is_allowed, words = _allowed(column)

    def read(text: str) -> int:
        if INTEGER.fullmatch(text) and is_allowed(value := int(text)):
            return value
        raise ValueError(f"{text!r} for {column}, which must be {words}")

    return read


def _allowed(column: str):
    """What a column of numbers may hold: a test, which takes an integer or an array of them, and the same in words."""
    if column == "partition":
        return lambda values: (values >= 0) & (values <= 2), "0 (training), 1 (validation) or 2 (test)"
    if column in ("identity", "number"):
        return lambda values: values >= 0, "a whole number from 0 on"
    if column in LABELS:
        return lambda values: values == values, "a whole number of pixels"
    return lambda values: (values == 1) | (values == -1), "-1 (no) or 1 (yes)"


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + ("" if count == 1 else "s")
