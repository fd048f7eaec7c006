"""Tables of labels: rows by an expression, a summary, the CSV file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from data_prep.engine.celeba_files import attributes_of
from data_prep.engine.script import counted, listed
from keras_faces.data.expressions import select
from keras_faces.files import atomic_write, printable


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
    lines = [f"{counted(len(table), 'picture')}, {printable(table.index[0])} to {printable(table.index[-1])}"]
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
        ends = [f"{printable(name)} {share:.1f} %" for name, share in shares.items()]
        shown = ends if len(ends) <= 6 else [*ends[:3], "...", *ends[-3:]]
        lines.append(f"{counted(len(ends), 'attribute')}: {', '.join(shown)}")
    for column, words in (("lefteye_x", "landmarks of eyes, nose and mouth"), ("x_1", "boxes around the faces")):
        if column in table:
            lines.append(words)
    return "\n".join(lines)
