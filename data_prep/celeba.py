"""CelebA's label files as one table.

    python -m data_prep.celeba list_attr_celeba.txt identity_CelebA.txt list_eval_partition.txt --out celeba.csv
    python -m data_prep.celeba list_attr_celeba.txt --select "Smiling and not Eyeglasses" --out smiling.csv
    python -m data_prep.celeba celeba.csv --images img_align_celeba --plots plots

See also: ``engine/celeba_files.py`` (the files), ``keras_faces/data/expressions.py`` (the expressions).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from data_prep.engine.celeba_files import read_tables
from data_prep.engine.celeba_plots import draw
from data_prep.engine.labels import lacking_lines, select_rows, summary, write_table
from data_prep.engine.script import DONE, LOOK, check_parent, command_parser, counted, listed, run
from data_prep.engine.sources import open_source
from keras_faces.data.tables import rows_of


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code (see `data_prep.engine.script`)."""
    options = _parser().parse_args(arguments)
    if options.out is not None:
        check_parent(options.out)
    table, lacking = read_tables(options.files)
    for line in lacking_lines(lacking):
        print(line)
    needs_look = bool(lacking)
    if options.images is not None:
        needs_look |= _compare(table, options.images)
    if options.select is not None:
        table = select_rows(table, options.select)
    print(summary(table))
    writing = "would write" if options.dry_run else "writing"
    if options.out is not None:
        print(f"{writing} {counted(len(table), 'row')} to {options.out}")
        if not options.dry_run:
            write_table(table, options.out)
    if options.plots is not None:
        print(f"{writing} {options.plots}/frequencies.png and {options.plots}/correlations.png")
        if not options.dry_run:
            draw(table, options.plots)
    return LOOK if needs_look else DONE


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


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("celeba", "Read CelebA's label files, or Kaggle's CSV forms of them, into one table.")
    add = parser.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="label files of the same pictures, .txt or .csv")
    add("--out", type=Path, metavar="TABLE.csv", help="write the table here, one row a picture")
    add("--select", metavar="EXPR", help='keep these rows only: "Smiling and not Eyeglasses"')
    add("--images", type=Path, metavar="SRC", help="folder or archive: which rows and pictures lack each other")
    add("--plots", type=Path, metavar="FOLDER", help="draw frequencies.png and correlations.png there")
    add("--dry-run", action="store_true", help="say what would be written, and write nothing")
    return parser


if __name__ == "__main__":
    run(main)
