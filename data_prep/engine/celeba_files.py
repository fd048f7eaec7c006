"""CelebA's text files, and Kaggle's CSV forms of them, read into tables.

    list_attr_celeba.txt               count; 40 names; a row: 000001.jpg and 40 values, -1 or 1
    list_landmarks_align_celeba.txt    count; 10 names; a row: name, x and y of the eyes, the nose, the mouth's corners
    list_bbox_celeba.txt               count; image_id x_1 y_1 width height; rows alike
    identity_CelebA.txt                no header; a row: name and number of the person
    list_eval_partition.txt            no header; a row: name and 0 (training), 1 (validation) or 2 (test)
    *.csv                              a header image_id,...; any of these columns, and attributes of any name

The first lines tell what a file holds. Its name is used only where they cannot: a number for each picture may be the
person or the partition.

Rows are read twice only where something is wrong. Pandas' C reader takes half a second for 200,000 rows of 40 values,
but overlooks some faults and says little about others. So what it read is checked as a whole, and a file that fails is
read again by plain Python, which names line and value. A property test holds that both agree.

Source: Z. Liu, P. Luo, X. Wang, X. Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.engine.script import counted
from keras_faces.data.tables import AGAIN, checked_text
from keras_faces.files import read_file as read_plain

LANDMARKS = tuple(
    f"{point}_{axis}" for point in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth") for axis in "xy"
)
BOX = ("x_1", "y_1", "width", "height")
LABELS = ("partition", "identity", "person", *LANDMARKS, *BOX)  # every other column is an attribute

_COUNT = 40  # attributes of CelebA
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_ATTRIBUTE = re.compile(r"[^\W\d]|\d+_\w")  # a header's words begin like this, numbers and 000001.jpg do not
_FILES = (
    "the files that can be read are list_attr_celeba, identity_CelebA, list_eval_partition, list_landmarks_celeba, "
    "list_landmarks_align_celeba and list_bbox_celeba (.txt), and tables with commas (.csv)"
)
_NAME, _EXTRA = "\0name", "\0extra"  # the first column, and one after the last that stays empty in a good file


@dataclass(frozen=True)
class Layout:
    """What a file holds: the columns after the name, the line number of its first row, the count that it claims.

    A single column "number" is an identity or a partition, which its values decide.
    """

    path: Path
    columns: tuple[str, ...]
    first: int
    count: int | None = None
    comma: bool = False


def read_file(path: str | Path) -> pd.DataFrame:
    """Read one file of the CelebA family.

    Parameters
    ----------
    path : str or Path
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
        with the rows, a row has too few or too many values, a value that its column cannot have, a name that comes
        twice, the file is empty or not UTF-8.
    OSError
        The file cannot be opened.
    """
    path = Path(path)
    data = checked_text(path, read_plain(path))
    layout = recognise(path, data)
    table = read_fast(layout, data)
    if table is None:
        table = read_line_by_line(layout, data)
    if layout.columns == ("number",):
        table.columns = ["partition" if table["number"].isin((0, 1, 2)).all() else "identity"]
    small = {column: np.int8 for column in table.columns if column == "partition" or column not in LABELS}
    return table.astype(small).rename_axis("image_id")


def read_tables(paths: Iterable[str | Path]) -> tuple[pd.DataFrame, dict[Path, list[str]]]:
    """Read several files into one table.

    Parameters
    ----------
    paths : iterable of str or Path
        One file or more, each with other columns.

    Returns
    -------
    table : DataFrame
        The pictures that all files know, in the order of the first file; see `read_file` for the columns.
    lacking : dict of Path to list of str
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
    shared = known = first.index
    for table in others:
        if not table.index.equals(first.index):
            shared = shared[shared.isin(table.index)]
            known = known.append(table.index[~table.index.isin(known)])
    if shared.empty:
        starts = ", ".join(f"{path} begins with {table.index[0]}" for path, table in tables.items())
        raise ValueError(f"no picture is named in every file: {starts}; give files of the same pictures")
    lacking = {path: known[~known.isin(table.index)].tolist() for path, table in tables.items()}
    joined = pd.concat([table.loc[shared] for table in tables.values()], axis=1)
    return joined, {path: names for path, names in lacking.items() if names}


def attributes_of(table: pd.DataFrame) -> pd.DataFrame:
    """The attribute columns of a table: all but partition, identity, person, landmarks and box."""
    return table[[column for column in table.columns if column not in LABELS]]


def _lines(data: bytes) -> Iterator[str]:
    """The lines of a text, whichever of the three line ends it has (and no other: Python's own list is longer)."""
    for line in data.splitlines():
        yield line.decode("utf-8")


def recognise(path: Path, data: bytes) -> Layout:
    """Tell from the first two lines what a file holds and where its rows begin.

    Raises
    ------
    ValueError
        The file is of none of the kinds, or its header or its count is missing.
    """
    lines = [(number, line) for number, line in zip(range(1, 1000), _lines(data), strict=False) if line.strip()][:2]
    if not lines:
        raise ValueError(f"{path} is empty; {AGAIN}")
    number, first = lines[0]
    if "," in first:
        return _csv_layout(path, number, first)
    words = first.split()
    if len(words) == 1 and _INTEGER.fullmatch(words[0]):
        return _counted_layout(path, int(words[0]), lines[1:])
    if len(words) == 2 and _INTEGER.fullmatch(words[1]):
        column = next((column for column in ("identity", "partition") if column in path.name.lower()), "number")
        return Layout(path, (column,), first=number)
    if len(words) > 2 and all(map(_INTEGER.fullmatch, words[1:])):
        problem = "is a row; the count of the rows and the header with the columns' names are missing above it"
        raise ValueError(f"{path}, line {number}: {words[0]} {problem}; {AGAIN}")
    if len(words) > 2 and all(map(_ATTRIBUTE.match, words)):
        raise ValueError(
            f"{path}, line {number}: a header, but the line with the count of rows above it is missing; {AGAIN}"
        )
    shown = first if len(first) <= 60 else first[:60] + "..."
    semicolons = "; save it with commas instead of semicolons" if ";" in first else ""
    raise ValueError(f"{path}, line {number}: {shown!r} begins no file of CelebA's{semicolons}; {_FILES}")


def _csv_layout(path: Path, number: int, line: str) -> Layout:
    header = [name.strip() for name in next(csv.reader([line]))]
    columns = tuple(header[1:-1] if len(header) > 2 and not header[-1] else header[1:])
    if all(map(_INTEGER.fullmatch, columns)):
        raise ValueError(
            f"{path}, line {number}: {header[0]} is a row; the header with the columns' names is missing above it, "
            "such as image_id,Smiling,Male"
        )
    _check_header(path, number, columns)
    return Layout(path, columns, first=number + 1, comma=True)


def _counted_layout(path: Path, count: int, lines: list[tuple[int, str]]) -> Layout:
    if not lines:
        raise ValueError(f"{path} ends after the count of its rows ({count}); {AGAIN}")
    number, line = lines[0]
    columns = tuple(line.split())
    if len(columns) > 1 and all(map(_INTEGER.fullmatch, columns[1:])):
        raise ValueError(
            f"{path}, line {number}: {columns[0]} is a row; the header with the columns' names is missing between the "
            f"count and the rows; {AGAIN}"
        )
    columns = columns[1:] if columns[0] == "image_id" else columns
    _check_header(path, number, columns)
    if columns not in (LANDMARKS, BOX) and len(columns) != _COUNT:
        raise ValueError(
            f"{path}, line {number}: the header names {len(columns)} attributes and CelebA has {_COUNT}; {AGAIN}, "
            "or put attributes of your own into a CSV file"
        )
    return Layout(path, columns, first=number + 1, count=count)


def _check_header(path: Path, number: int, columns: tuple[str, ...]) -> None:
    for place, column in enumerate(columns):
        if not column:
            raise ValueError(f"{path}, line {number}: column {place + 2} has no name; write one into the header")
        if column in columns[:place]:
            raise ValueError(f"{path}, line {number}: the header names {column!r} twice; remove or rename one")


def read_fast(layout: Layout, data: bytes) -> pd.DataFrame | None:
    """The rows by pandas' C reader, indexed by name; None if anything about them is not as it should be."""
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
    """The rows by plain Python: the same table, or the first fault as a ValueError with its line and value."""
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
                f"{place}: {name} has {counted(len(texts), 'value')} and needs {len(layout.columns)}, "
                "one for each column of the header; copy the line from the original file, or download that again"
            )
        lines[name] = number
        try:
            rows.append([read(text) for read, text in zip(readers, texts, strict=True)])
        except ValueError as error:
            raise ValueError(f"{place}: {name} has {error}; correct it") from error
    if layout.count not in (None, len(rows)):
        raise ValueError(
            f"{layout.path}: its first line counts {counted(layout.count, 'row')}, but there are {len(rows):,}; the "
            "file was cut short or rows were removed: download it again, or correct the count"
        )
    if not rows:
        raise ValueError(f"{layout.path} has no rows after its header; {AGAIN}")
    return pd.DataFrame(rows, index=pd.Index(lines, dtype=str), columns=list(layout.columns))


def _rows(layout: Layout, data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Each row's line number and words, blank lines left out."""
    if not layout.comma:
        for number, line in enumerate(_lines(data), start=1):
            if number >= layout.first and (words := re.findall(r"[^ \t]+", line)):
                yield number, words
        return
    text = "\n".join(list(_lines(data))[layout.first - 1 :])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            words = [word.strip() for word in row]
            if len(words) == len(layout.columns) + 2 and not words[-1]:
                words.pop()  # a comma at the end of the line
            if len(words) > 1 or any(words):
                yield reader.line_num + layout.first - 1, words
    except csv.Error as error:
        line = reader.line_num + layout.first - 1
        raise ValueError(f"{layout.path}, line {line}: {error}; check the quotes") from error


def _reader(column: str) -> Callable[[str], int | str]:
    """A function from a word of this column to its value."""
    if column == "person":
        return str
    is_allowed, words = _allowed(column)

    def read(text: str) -> int:
        if _INTEGER.fullmatch(text) and is_allowed(value := int(text)):
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
