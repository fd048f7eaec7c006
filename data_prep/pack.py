"""Pictures and what is known of them, as one packed file, which `keras_faces.data.load` reads.

    python -m data_prep.pack img_align_celeba celeba.h5 --size 64 --celeba list_attr_celeba.txt identity_CelebA.txt
    python -m data_prep.pack lfw_funneled lfw.h5 --size 125
    python -m data_prep.pack photographs faces.h5 --size 64 --table table.csv --select "Smiling and not Eyeglasses"
    python -m data_prep.pack --verify celeba.h5

The pictures go the way of ``resize.py``: all cores, memory bounded, and a run that was stopped goes on when the same
command is given again. Labels come from tables, persons also from folders. At the end the file is read back and
compared with its checksums. What to read next: ``resize.py``, ``keras_faces/data/packed.py`` (the format).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep import resize
from data_prep.celeba import summary
from data_prep.celeba_files import attributes_of, read_tables
from data_prep.devices import DEVICES
from data_prep.labels import counted, listed, rows_of
from data_prep.pictures_in import open_source
from data_prep.pipeline import Report
from data_prep.script import DONE, LOOK, run
from keras_faces.data.expressions import select
from keras_faces.data.folder import person_folders
from keras_faces.data.packed_verify import verify_packed
from keras_faces.data.pictures import CROPS


@dataclass
class Plan:
    """Which pictures are packed, with which rows of the table.

    Attributes
    ----------
    names : list of str
        The pictures to pack, POSIX paths below the source.
    table : DataFrame or None
        One row for each of them, in their order; None without a table.
    no_row, no_picture : list of str
        Pictures that the table does not know, and rows that have no picture; both are left out.
    deselected : int
        Pictures left out because the expression is false for them.
    """

    names: list[str]
    table: pd.DataFrame | None
    no_row: list[str]
    no_picture: list[str]
    deselected: int = 0


def plan(source: str | Path, table: pd.DataFrame | None = None, expression: str | None = None) -> Plan:
    """Bring pictures and rows together.

    Parameters
    ----------
    source : path
        Folder, nested or flat, or archive.
    table : DataFrame, optional
        By `data_prep.celeba_files.read_tables`.
    expression : str, optional
        Pack only the pictures for whose row it is true; see `keras_faces.data.expressions.select`.

    Raises
    ------
    ValueError
        No picture has a row, the expression is wrong or true for no picture, or there is one and no table.
    """
    names = [picture.name for picture in open_source(source).pictures]
    if table is None:
        if expression is not None:
            raise ValueError("an expression needs attributes: give a table (--table or --celeba) as well")
        return Plan(names, None, [], [])
    chosen = np.ones(len(table), bool) if expression is None else select(table, expression)
    rows = rows_of(table.index, names)
    has_row = rows >= 0
    if not has_row.any():
        raise ValueError(
            f"no picture of {source} is in the table: the pictures are {listed(names, 2) or 'none'}; the rows are "
            f"{listed(table.index, 2)}"
        )
    taken = np.flatnonzero(has_row & chosen[rows])
    if not len(taken):
        raise ValueError(
            f"{expression!r} is true for none of the {counted(int(has_row.sum()), 'picture')}; choose less"
        )
    return Plan(
        [names[number] for number in taken],
        table.iloc[rows[taken]].set_axis([names[number] for number in taken]),
        [names[number] for number in np.flatnonzero(~has_row)],
        table.index.delete(rows[has_row]).tolist(),
        deselected=int(has_row.sum()) - len(taken),
    )


def labels_of(table: pd.DataFrame) -> dict:
    """What `keras_faces.data.write_packed` takes, from the rows of the pictures in their order.

    Attributes are all columns that are no label of another kind. Persons are numbered in alphabetical order where the
    table has their names, and keep their numbers where it has only these; without either, the folders that the pictures
    lie in are the persons.
    """
    attributes = attributes_of(table)
    labels: dict = {"attributes": None if attributes.columns.empty else attributes}
    if "person" in table:
        people, numbers = np.unique(table["person"].to_numpy(object), return_inverse=True)
        labels.update(identities=numbers, identity_names=people.tolist())
    elif "identity" in table:
        labels.update(identities=table["identity"].to_numpy(), identity_names=None)
    else:
        identities, identity_names = person_folders(table.index.tolist())
        labels.update(identities=identities, identity_names=identity_names)
    labels["partition"] = table["partition"].to_numpy() if "partition" in table else None
    return labels


def pack(
    planned: Plan,
    source: str | Path,
    target: str | Path,
    size: int | None = None,
    *,
    crop: str = "auto",
    device: str = "cpu",
    workers: int | None = None,
    progress: bool = True,
) -> Report:
    """Pack the pictures of a plan and verify the file.

    Parameters
    ----------
    planned : Plan
        By `plan`, of the same source.
    source, target, size, crop, device, workers, progress
        As in `data_prep.resize.resize_to_packed`.

    Raises
    ------
    ValueError, OSError
        See `data_prep.resize.resize_to_packed`; or the file is not whole when it is read back.
    """
    labels = None if planned.table is None else lambda names: labels_of(planned.table.loc[names])
    report = resize.resize_to_packed(
        source,
        target,
        size,
        crop=crop,
        device=device,
        workers=workers,
        labels=labels,
        names=None if planned.table is None else planned.names,
        progress=progress,
    )
    if problems := verify_packed(report.target, progress=progress):
        raise ValueError("\n".join([f"{report.target} was written, but does not read back:", *problems]))
    return report


def main(arguments: list[str] | None = None) -> int:
    """Run the script; returns its exit code."""
    top = parser()
    options = top.parse_args(arguments)
    if options.verify is not None:
        if options.source is not None:
            top.error("--verify FILE.h5 stands alone")
        return _verify(options.verify)
    if options.target is None:
        top.error("give SRC and OUT.h5, or --verify FILE.h5")
    return _pack(options)


def _pack(options: argparse.Namespace) -> int:
    target = Path(options.target)
    if target.suffix.lower() not in (".h5", ".hdf5") or not target.parent.is_dir():
        raise ValueError(f"{target}: a packed file ends in .h5 and lies in a folder that exists")
    table, lacking = None, {}
    if options.table is not None or options.celeba:
        table, lacking = read_tables([*filter(None, [options.table]), *options.celeba])
    planned = plan(options.source, table, options.select)
    for path, names in lacking.items():
        print(f"{path} lacks {counted(len(names), 'picture')} that another file has, left out: {listed(names)}")
    if planned.no_row:
        print(f"{counted(len(planned.no_row), 'picture')} without a row, left out: {listed(planned.no_row)}")
    if planned.no_picture:
        print(f"{counted(len(planned.no_picture), 'row')} without a picture, left out: {listed(planned.no_picture)}")
    if planned.deselected:
        print(f"{counted(planned.deselected, 'picture')} left out by {options.select!r}")
    needs_look, names = bool(lacking or planned.no_row or planned.no_picture), planned.names
    if options.dry_run:
        size = f"{options.size}×{options.size}" if options.size else "their own size"
        print(f"would pack {counted(len(planned.names), 'picture')} at {size} into {target}")
    else:
        report = pack(
            planned,
            options.source,
            target,
            options.size,
            crop=options.crop,
            device=options.device,
            workers=options.workers,
            progress=not options.quiet,
        )
        print(resize.summary(report))
        needs_look, names = needs_look or bool(report.broken), report.names
    print(_known(names, planned.table))
    if not options.dry_run:
        print(f"{target}: {target.stat().st_size / 2**20:,.1f} MB, read back and whole")
    return LOOK if needs_look else DONE


def _known(names: list[str], table: pd.DataFrame | None) -> str:
    """What is known of the pictures of these names."""
    if table is not None:
        return summary(table.loc[names])
    identities, people = person_folders(names)
    return "no labels" if identities is None else f"{counted(len(people), 'person', 'people')}, from the folders"


def _verify(path: Path) -> int:
    problems = verify_packed(path)
    print("\n".join(problems) if problems else f"{path} is whole: every dataset is as it was written")
    return LOOK if problems else DONE


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m data_prep.pack",
        usage="%(prog)s [-h] SRC OUT.h5 [options]\n       %(prog)s [-h] --verify FILE.h5",
        description="Pack pictures with their labels into one file. Give the same command again to go on after a stop.",
        epilog="Exit codes: 0 done; 1 could not be done; 2 wrong usage; 3 done, but pictures and rows do not agree, or "
        "pictures are broken, or --verify found damage; 130 Ctrl-C.",
    )
    top.add_argument("source", nargs="?", type=Path, metavar="SRC", help="folder, nested or flat, or archive")
    top.add_argument("target", nargs="?", type=Path, metavar="OUT.h5", help="the packed file, replaced when whole")
    top.add_argument("--size", type=_size, metavar="N", help="height and width in pixels (default: as they are)")
    top.add_argument("--crop", choices=CROPS, default="auto", help="which square (default: auto)")
    top.add_argument("--table", type=Path, metavar="TABLE.csv", help="labels, as by data_prep.celeba or data_prep.lfw")
    top.add_argument("--celeba", type=Path, nargs="+", default=[], metavar="FILE", help="labels: CelebA's own files")
    top.add_argument("--select", metavar="EXPR", help='only these pictures: "Smiling and not Eyeglasses"')
    top.add_argument("--device", choices=DEVICES, default="cpu", help="where to resize; auto measures (default: cpu)")
    top.add_argument("--workers", type=_size, metavar="N", help="threads (default: all cores)")
    top.add_argument("--dry-run", action="store_true", help="say what would be packed, and write nothing")
    top.add_argument("--quiet", action="store_true", help="no progress bars")
    top.add_argument("--verify", type=Path, metavar="FILE.h5", help="read a packed file and compare its checksums")
    return top


def _size(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 16384:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 1 to 16384")
    return int(text)


if __name__ == "__main__":
    run(main)
