"""Tables of labels: which row belongs to which picture, rows by an expression, a summary, the CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from posixpath import splitext

import numpy as np
import pandas as pd

from data_prep.engine.celeba_files import attributes_of
from data_prep.engine.script import counted, listed
from keras_faces.data.expressions import select
from keras_faces.files import atomic_write


def rows_of(rows: Sequence[str], pictures: Sequence[str]) -> np.ndarray:
    """Find the row of each picture.

    A row belongs to a picture if they have the same path, or the same end of it (row 000001.jpg, picture
    img_align_celeba/000001.jpg), or the same but for the extension (000001.png). A picture takes the closest of these.
    Backslashes in a row count as slashes, and "./" at its beginning is left out.

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
    bare = {splitext(name)[0]: index for name, index in exact.items()}
    if len(bare) < len(exact):  # rows that differ in nothing but the extension: it must be right
        bare = {}
    depths = sorted({name.count("/") for name in exact}, reverse=True)
    return np.array([_row_of(picture, exact, bare, depths) for picture in pictures], np.int64)


def _row_of(picture: str, exact: dict[str, int], bare: dict[str, int], depths: list[int]) -> int:
    parts = picture.split("/")
    ends = [picture, *("/".join(parts[-depth - 1 :]) for depth in depths)]
    for end in ends:
        if end in exact:
            return exact[end]
    return next((bare[stem] for end in ends[1:] if (stem := splitext(end)[0]) in bare), -1)


def lacking_lines(lacking: dict[Path, list[str]]) -> list[str]:
    """A line for each file that lacks pictures which another has, as `read_tables` gives them."""
    return [
        f"{path} lacks {counted(len(names), 'picture')} that another file has, left out: {listed(names)}"
        for path, names in lacking.items()
    ]


def select_rows(table: pd.DataFrame, expression: str) -> pd.DataFrame:
    """The rows for which an expression over the attributes is true.

    Raises
    ------
    ValueError
        The expression is wrong (see `keras_faces.data.expressions.select`), or true for no row.
    """
    chosen = table[select(table, expression)]
    if chosen.empty:
        raise ValueError(f"none of the {counted(len(table), 'row')} is {expression!r}; choose fewer attributes")
    return chosen


def write_table(table: pd.DataFrame, path: str | Path) -> Path:
    """Write a table as CSV, which `read_file` reads; an older file stays until the new one is whole."""
    path = Path(path)
    with atomic_write(path) as beside:
        table.to_csv(beside, encoding="utf-8", lineterminator="\n", index_label="image_id")
    return path


def summary(table: pd.DataFrame) -> str:
    """What a table holds, in a few lines: pictures, people, partition, the shares of its attributes."""
    attributes = attributes_of(table)
    lines = [f"{counted(len(table), 'picture')}, {table.index[0]} to {table.index[-1]}"]
    for column in ("identity", "person"):
        if column in table:
            lines.append(counted(table[column].nunique(), "person", "people"))
            break
    if "partition" in table:
        parts = enumerate(("training", "validation", "test"))
        counts = ", ".join(f"{(table['partition'] == number).sum():,} {name}" for number, name in parts)
        lines.append(f"partition: {counts}")
    if len(attributes.columns):
        shares = ((attributes > 0).mean() * 100).sort_values(ascending=False)
        ends = [f"{name} {share:.1f} %" for name, share in shares.items()]
        shown = ends if len(ends) <= 6 else [*ends[:3], "...", *ends[-3:]]
        lines.append(f"{counted(len(ends), 'attribute')}: {', '.join(shown)}")
    for column, words in (("lefteye_x", "landmarks of eyes, nose and mouth"), ("x_1", "boxes around the faces")):
        if column in table:
            lines.append(words)
    return "\n".join(lines)
