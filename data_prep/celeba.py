"""CelebA's label files as one table.

    python -m data_prep.celeba list_attr_celeba.txt identity_CelebA.txt list_eval_partition.txt --out celeba.csv
    python -m data_prep.celeba list_attr_celeba.txt --select "Smiling and not Eyeglasses" --out smiling.csv
    python -m data_prep.celeba celeba.csv --images img_align_celeba --plots plots

What to read next: ``celeba_files.py`` (the files), ``keras_faces/data/expressions.py`` (the expressions).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from data_prep.celeba_files import attributes_of, read_tables
from data_prep.labels import counted, listed, rows_of
from data_prep.pictures_in import open_source
from data_prep.script import DONE, LOOK, run
from keras_faces.data.expressions import select
from keras_faces.files import replacing


def main(arguments: list[str] | None = None) -> int:
    """Run the script; returns its exit code."""
    options = parser().parse_args(arguments)
    _check_places(options)
    table, lacking = read_tables(options.files)
    for path, names in lacking.items():
        print(f"{path} lacks {counted(len(names), 'picture')} that another file has, left out: {listed(names)}")
    needs_look = bool(lacking)
    if options.images is not None:
        needs_look |= _compare(table, options.images)
    if options.select is not None:
        table = select_rows(table, options.select)
    print(summary(table))
    if options.out is not None:
        _say(options, f"{counted(len(table), 'row')} to {options.out}")
        if not options.dry_run:
            write_table(table, options.out)
    if options.plots is not None:
        _say(options, f"{options.plots}/frequencies.png and {options.plots}/correlations.png")
        if not options.dry_run:
            draw(table, options.plots)
    return LOOK if needs_look else DONE


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m data_prep.celeba",
        description="Read CelebA's label files, or Kaggle's CSV forms of them, into one table.",
        epilog="Exit codes: 0 done, 1 could not be done, 2 wrong usage, 3 done, but names do not agree.",
    )
    top.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="label files of the same pictures, .txt or .csv"
    )
    top.add_argument("--out", type=Path, metavar="TABLE.csv", help="write the table here, one row a picture")
    top.add_argument("--select", metavar="EXPR", help='keep these rows only: "Smiling and not Eyeglasses"')
    top.add_argument(
        "--images", type=Path, metavar="SRC", help="folder or archive: which rows and pictures lack each other"
    )
    top.add_argument("--plots", type=Path, metavar="FOLDER", help="draw frequencies.png and correlations.png there")
    top.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")
    return top


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
    with replacing(path) as beside:
        table.to_csv(beside, encoding="utf-8", lineterminator="\n", index_label="image_id")
    return path


def draw(table: pd.DataFrame, folder: str | Path) -> list[Path]:
    """Draw the attributes' frequencies and correlations as PNG files into a folder, which is made if need be.

    Raises
    ------
    ValueError
        The table has no attributes.
    """
    from data_prep.celeba_plots import correlations, frequencies
    from keras_faces.plots import save

    attributes = attributes_of(table)
    if attributes.empty:
        raise ValueError("there are no attributes to draw; give list_attr_celeba.txt too")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    title = counted(len(table), "face")
    save(frequencies(attributes, title), folder / "frequencies.png")
    save(correlations(attributes, title), folder / "correlations.png")
    return [folder / "frequencies.png", folder / "correlations.png"]


def summary(table: pd.DataFrame) -> str:
    """What a table holds, in a few lines."""
    attributes = attributes_of(table)
    lines = [f"{counted(len(table), 'picture')}, {table.index[0]} to {table.index[-1]}"]
    if "identity" in table:
        lines.append(counted(table["identity"].nunique(), "person", "people"))
    elif "person" in table:
        lines.append(counted(table["person"].nunique(), "person", "people"))
    if "partition" in table:
        parts = enumerate(("training", "validation", "test"))
        lines.append(
            "partition: " + ", ".join(f"{(table['partition'] == number).sum():,} {name}" for number, name in parts)
        )
    if len(attributes.columns):
        shares = ((attributes > 0).mean() * 100).sort_values(ascending=False)
        ends = [f"{name} {share:.1f} %" for name, share in shares.items()]
        shown = ends if len(ends) <= 6 else [*ends[:3], "...", *ends[-3:]]
        lines.append(f"{counted(len(ends), 'attribute')}: {', '.join(shown)}")
    for column, words in (("lefteye_x", "landmarks of eyes, nose and mouth"), ("x_1", "boxes around the faces")):
        if column in table:
            lines.append(words)
    return "\n".join(lines)


def _compare(table: pd.DataFrame, folder: Path) -> bool:
    """Say which rows have no picture and which pictures no row; whether there are any."""
    pictures = [picture.name for picture in open_source(folder).pictures]
    rows = rows_of(table.index, pictures)
    no_picture = table.index.delete(rows[rows >= 0])
    no_row = [picture for picture, row in zip(pictures, rows, strict=True) if row < 0]
    print(f"{folder}: {counted(len(pictures), 'picture')}, {(rows >= 0).sum():,} with a row")
    if len(no_picture):
        print(f"{counted(len(no_picture), 'row')} without a picture: {listed(no_picture)}")
    if no_row:
        print(f"{counted(len(no_row), 'picture')} without a row: {listed(no_row)}")
    return bool(len(no_picture) or no_row)


def _check_places(options: argparse.Namespace) -> None:
    """Before any work: a folder that must be there."""
    if options.out is not None and not options.out.parent.is_dir():
        raise ValueError(f"--out {options.out}: the folder {options.out.parent} does not exist; make it first")


def _say(options: argparse.Namespace, what: str) -> None:
    print(f"{'would write' if options.dry_run else 'writing'} {what}")


if __name__ == "__main__":
    run(main)
