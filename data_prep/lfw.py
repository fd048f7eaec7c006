"""Person folders, such as LFW's, as a table of the kind that ``celeba.py`` makes.

    python -m data_prep.lfw lfw_funneled --out lfw.csv
    python -m data_prep.lfw lfw_funneled --people peopleDevTrain.txt peopleDevTest.txt --out lfw.csv

Columns: the person's name, their number (in alphabetical order) and, with LFW's lists of people, the partition. The
same works for photographs of your own with a folder a person; add columns of attributes to the CSV file as you like.

Source: G. Huang, M. Ramesh, T. Berg, E. Learned-Miller, "Labeled Faces in the Wild", University of Massachusetts
technical report 07-49, 2007, and its README. See also: ``pack.py``, which takes the table.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from data_prep.engine.labels import summary, write_table
from data_prep.engine.script import DONE, LOOK, check_parent, command_parser, counted, listed, run
from data_prep.engine.sources import open_source
from keras_faces.data.tables import checked_text
from keras_faces.files import read_file

_LISTS = "give peopleDevTrain.txt or peopleDevTest.txt"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code (see `data_prep.engine.script`)."""
    options = _parser().parse_args(arguments)
    check_parent(options.out)
    table = person_table([picture.name for picture in open_source(options.source).pictures])
    differing = []
    if options.people:
        table, differing = with_partition(table, options.people)
    print(summary(table))
    if differing:
        print(f"{counted(len(differing), 'person has', 'people have')} another number of pictures than the lists say:")
        print(f"  {listed(differing)}")
    print(f"{'would write' if options.dry_run else 'writing'} {counted(len(table), 'row')} to {options.out}")
    if not options.dry_run:
        write_table(table, options.out)
    return LOOK if differing else DONE


def person_table(names: Sequence[str]) -> pd.DataFrame:
    """Persons of pictures, from the folder that each lies in.

    Parameters
    ----------
    names : sequence of str
        Paths with forward slashes, such as Aaron_Eckhart/Aaron_Eckhart_0001.jpg.

    Returns
    -------
    DataFrame
        Indexed by name; `person`, the name of the picture's folder, and int64 `identity`, its number in their
        alphabetical order.

    Raises
    ------
    ValueError
        There are no pictures, or one lies in no folder.
    """
    if not names:
        raise ValueError("there are no pictures, so there is no table to make")
    people = [PurePosixPath(name).parent.name for name in names]
    if "" in people:
        raise ValueError(f"{names[people.index('')]} lies in no person's folder; make a folder for each person")
    known, ids = np.unique(np.array(people, dtype=object), return_inverse=True)
    return pd.DataFrame({"person": known[ids], "identity": ids.astype(np.int64)}, pd.Index(names, name="image_id"))


def with_partition(table: pd.DataFrame, lists: Iterable[str | Path]) -> tuple[pd.DataFrame, list[str]]:
    """Add LFW's development partition, and keep the people of it.

    Parameters
    ----------
    table : DataFrame
        By `person_table`.
    lists : iterable of str or Path
        peopleDevTrain.txt (becomes partition 0) or peopleDevTest.txt (2), or both; told apart by "train" and "test" in
        their names.

    Returns
    -------
    table : DataFrame
        The rows of these people, with an int8 column `partition`.
    differing : list of str
        People who have another number of pictures in the table than the lists say, with both numbers.

    Raises
    ------
    ValueError
        A list's name says neither training nor test, a person stands in two lists, or no person is in the table.
    """
    partition: dict[str, int] = {}
    expected: dict[str, int] = {}
    for path in map(Path, lists):
        parts = [number for number, word in ((0, "train"), (2, "test")) if word in path.name.lower()]
        if len(parts) != 1:
            raise ValueError(f"{path}: give peopleDevTrain.txt or peopleDevTest.txt; the name tells training from test")
        for person, count in read_people(path).items():
            if person in partition:
                raise ValueError(f"{path}: {person} is in another list, too; give lists of different people")
            partition[person], expected[person] = parts[0], count
    kept = table[table["person"].isin(list(partition))]
    if kept.empty:
        raise ValueError(
            f"none of the lists' people has pictures here; the folders begin with {table['person'].iloc[0]}"
        )
    there = kept["person"].value_counts()
    differing = [
        f"{person} ({there.get(person, 0)} for {count})"
        for person, count in expected.items()
        if there.get(person, 0) != count
    ]
    return kept.assign(partition=kept["person"].map(partition).astype(np.int8)), differing


def read_people(path: str | Path) -> dict[str, int]:
    """Read one of LFW's lists: a count of people, then a row for each: name, tab, number of pictures.

    Raises
    ------
    ValueError
        With the line: no count, a row of another form, a name that comes twice, fewer or more rows than counted; or
        the file is LFW's list of pairs.
    """
    path = Path(path)
    lines = checked_text(path, read_file(path)).decode("utf-8").splitlines()
    if not lines[0].strip().isdecimal():
        pairs = "this is a list of pairs of pictures; " if re.fullmatch(r"\d+\s+\d+", lines[0].strip()) else ""
        raise ValueError(f"{path}, line 1: {lines[0]!r} is no count of people; {pairs}{_LISTS}")
    people: dict[str, int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        person, _, count = line.strip().rpartition("\t")
        if "\t" in person:
            raise ValueError(f"{path}, line {number}: {line!r}: this is a list of pairs of pictures; {_LISTS}")
        if not person or not count.isdecimal():
            raise ValueError(f"{path}, line {number}: {line!r} is not a name, a tab and a number of pictures; {_LISTS}")
        if person in people:
            raise ValueError(f"{path}, line {number}: {person} was there before; remove one of the two")
        people[person] = int(count)
    if len(people) != int(lines[0]):
        raise ValueError(
            f"{path}: its first line counts {int(lines[0]):,} people, but there are {len(people):,}; the file was cut "
            "short or has other parts; download it again"
        )
    return people


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("lfw", "Make a table of person folders: name, person, number and, for LFW, the partition.")
    add = parser.add_argument
    add("source", type=Path, metavar="SRC", help="folder or archive with a folder for each person")
    add("--out", type=Path, required=True, metavar="TABLE.csv", help="write the table here")
    add(
        "--people",
        type=Path,
        nargs="+",
        default=[],
        metavar="LIST",
        help="peopleDevTrain.txt (training), peopleDevTest.txt (test): only the people named there",
    )
    add("--dry-run", action="store_true", help="say what would be written, and write nothing")
    return parser


if __name__ == "__main__":
    run(main)
