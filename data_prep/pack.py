"""Pictures and their labels as one packed file, which `keras_faces.data.load` reads.

    python -m data_prep.pack img_align_celeba celeba.h5 --size 64 --celeba list_attr_celeba.txt identity_CelebA.txt
    python -m data_prep.pack lfw_funneled lfw.h5 --size 125
    python -m data_prep.pack photographs faces.h5 --size 64 --table table.csv --select "Smiling and not Eyeglasses"
    python -m data_prep.pack --verify celeba.h5

The pictures are resized as by ``resize.py``: all cores, memory bounded, and a run that was stopped continues when the
same command is given again. Labels come from tables, persons also from folders. At the end the file is read back and
compared with its checksums. See also: ``keras_faces/data/packed.py`` (the format).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data_prep.engine.celeba_files import attributes_of, read_tables
from data_prep.engine.devices import DEVICES
from data_prep.engine.labels import lacking_lines, summary
from data_prep.engine.pipeline import Report, run_summary
from data_prep.engine.resize_packed import PACKED, resize_to_packed
from data_prep.engine.script import DONE, LOOK, command_parser, counted, listed, run, whole_number
from data_prep.engine.sources import open_source
from keras_faces.data.expressions import select
from keras_faces.data.folder import person_folders
from keras_faces.data.packed_verify import verify_packed
from keras_faces.data.pictures import CROPS
from keras_faces.data.tables import rows_of


@dataclass
class Plan:
    """Which pictures are packed, with which rows of the table."""

    names: list[str]  # the pictures to pack, POSIX paths below the source
    table: pd.DataFrame | None  # one row for each of them, in their order; None without a table
    no_row: list[str]  # pictures that the table does not know: left out
    no_picture: list[str]  # rows that have no picture: left out
    deselected: int = 0  # pictures left out because the expression is false for them


def plan(source: str | Path, table: pd.DataFrame | None = None, expression: str | None = None) -> Plan:
    """Bring pictures and rows together.

    Parameters
    ----------
    source : str or Path
        Folder, nested or flat, or archive.
    table : DataFrame, optional
        By `data_prep.engine.celeba_files.read_tables`.
    expression : str, optional
        Pack only the pictures for whose row it is true; see `keras_faces.data.expressions.select`.

    Returns
    -------
    Plan

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
    kept = [names[index] for index in taken]
    return Plan(
        kept,
        table.iloc[rows[taken]].set_axis(kept),
        [names[index] for index in np.flatnonzero(~has_row)],
        table.index.delete(rows[has_row]).tolist(),
        deselected=int(has_row.sum()) - len(taken),
    )


def labels_of(table: pd.DataFrame) -> dict:
    """The labels that `keras_faces.data.write_packed` takes, from the rows of the pictures in their order.

    Attributes are all columns that are no label of another kind. Persons are numbered in alphabetical order where the
    table has their names, and keep their numbers where it has only these; without either, the folders that the pictures
    lie in are the persons.
    """
    attributes = attributes_of(table)
    if "person" in table:
        people, ids = np.unique(table["person"].to_numpy(object), return_inverse=True)
        identities, identity_names = ids, people.tolist()
    elif "identity" in table:
        identities, identity_names = table["identity"].to_numpy(), None
    else:
        identities, identity_names = person_folders(table.index.tolist())
    return {
        "attributes": None if attributes.columns.empty else attributes,
        "identities": identities,
        "identity_names": identity_names,
        "partition": table["partition"].to_numpy() if "partition" in table else None,
    }


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
        As in `data_prep.engine.resize_packed.resize_to_packed`.

    Returns
    -------
    Report

    Raises
    ------
    ValueError, OSError
        As in `resize_to_packed`; or the file is not whole when it is read back.
    """
    options = {"crop": crop, "device": device, "workers": workers, "progress": progress}
    if planned.table is not None:
        options |= {"names": planned.names, "labels": lambda names: labels_of(planned.table.loc[names])}
    report = resize_to_packed(source, target, size, **options)
    if problems := verify_packed(report.target, progress=progress):
        raise ValueError("\n".join([f"{report.target} was written, but does not read back:", *problems]))
    return report


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code (see `data_prep.engine.script`)."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.verify is not None:
        if options.source is not None:
            parser.error("--verify FILE.h5 stands alone")
        problems = verify_packed(options.verify)
        print("\n".join(problems) or f"{options.verify} is whole: every dataset is as it was written")
        return LOOK if problems else DONE
    if options.target is None:
        parser.error("give SRC and OUT.h5, or --verify FILE.h5")
    return _pack(options)


def _pack(options: argparse.Namespace) -> int:
    target = options.target
    if target.suffix.lower() not in PACKED or not target.parent.is_dir():
        raise ValueError(f"{target}: a packed file ends in .h5 and lies in a folder that exists")
    table, lacking = None, {}
    if options.table is not None or options.celeba:
        table, lacking = read_tables([*filter(None, [options.table]), *options.celeba])
    planned = plan(options.source, table, options.select)
    for line in lacking_lines(lacking):
        print(line)
    if planned.no_row:
        print(f"{counted(len(planned.no_row), 'picture')} without a row, left out: {listed(planned.no_row)}")
    if planned.no_picture:
        print(f"{counted(len(planned.no_picture), 'row')} without a picture, left out: {listed(planned.no_picture)}")
    if planned.deselected:
        print(f"{counted(planned.deselected, 'picture')} left out by {options.select!r}")
    needs_look = bool(lacking or planned.no_row or planned.no_picture)
    if options.dry_run:
        size = f"{options.size}×{options.size}" if options.size else "their own size"
        print(f"would pack {counted(len(planned.names), 'picture')} at {size} into {target}")
        print(_known(planned.names, planned.table))
        return LOOK if needs_look else DONE
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
    print(run_summary(report))
    print(_known(report.names, planned.table))
    print(f"{target}: {target.stat().st_size / 2**20:,.1f} MB, read back and whole")
    return LOOK if needs_look or report.broken else DONE


def _known(names: list[str], table: pd.DataFrame | None) -> str:
    """What is known of the pictures of these names."""
    if table is not None:
        return summary(table.loc[names])
    identities, people = person_folders(names)
    return "no labels" if identities is None else f"{counted(len(people), 'person', 'people')}, from the folders"


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "pack",
        "Pack pictures with their labels into one file. Give the same command again to continue after a stop.",
        usage="%(prog)s [-h] SRC OUT.h5 [options]\n       %(prog)s [-h] --verify FILE.h5",
    )
    add, size = parser.add_argument, whole_number(1, 16384)
    add("source", nargs="?", type=Path, metavar="SRC", help="folder, nested or flat, or archive")
    add("target", nargs="?", type=Path, metavar="OUT.h5", help="the packed file, replaced when whole")
    add("--size", type=size, metavar="N", help="height and width in pixels (default: as they are)")
    add("--crop", choices=CROPS, default="auto", help="which square (default: auto)")
    add("--table", type=Path, metavar="TABLE.csv", help="labels, as by data_prep.celeba or data_prep.lfw")
    add("--celeba", type=Path, nargs="+", default=[], metavar="FILE", help="labels: CelebA's own files")
    add("--select", metavar="EXPR", help='only these pictures: "Smiling and not Eyeglasses"')
    add("--device", choices=DEVICES, default="cpu", help="where to resize; auto measures (default: cpu)")
    add("--workers", type=whole_number(1), metavar="N", help="threads (default: all cores)")
    add("--dry-run", action="store_true", help="say what would be packed, and write nothing")
    add("--quiet", action="store_true", help="no progress bars")
    add("--verify", type=Path, metavar="FILE.h5", help="read a packed file and compare its checksums")
    return parser


if __name__ == "__main__":
    run(main)
