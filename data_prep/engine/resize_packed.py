"""Resized pictures as one packed file, by way of a journal from which a stopped run continues."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from data_prep.engine.decode import Framing
from data_prep.engine.journal import PackedJournal
from data_prep.engine.pipeline import Report, explain_full_disk, resize_left, thread_count
from data_prep.engine.sources import Picture, Source, check_any, open_source
from keras_faces.data.folder import person_folders
from keras_faces.data.packed import write_packed
from keras_faces.data.pictures import PictureError

PACKED = (".h5", ".hdf5")


def resize_to_packed(
    source: str | Path,
    target: str | Path,
    size: int | None,
    *,
    crop: str = "auto",
    box: tuple[int, int, int, int] | None = None,
    device: str = "cpu",
    workers: int | None = None,
    labels: Callable[[list[str]], dict] | None = None,
    names: Collection[str] | None = None,
    reduced: bool = True,
    progress: bool = True,
) -> Report:
    """Resize the pictures of a folder or an archive into one packed file.

    Finished pictures go to a journal beside the target (as large as the file itself), from which the file is written at
    the end. An older file of that name is replaced when the new one is whole.

    Parameters
    ----------
    source : str or Path
        Folder, nested or flat, or archive.
    target : str or Path
        Ends in .h5 or .hdf5.
    size : int or None
        Height and width in pixels. None keeps the size, and all pictures must have one.
    crop, box, reduced
        As in `data_prep.engine.decode.Framing`.
    device : str
        "cpu", "opencl", "cuda" or "auto", which takes the fastest.
    workers : int, optional
        Threads; as many as there are cores, if None.
    labels : callable, optional
        Takes the names of the pictures in the file, in order, and gives a dict with any of attributes (DataFrame),
        identities, identity_names, partition for them. If None, the folders that pictures lie in are the identities, as
        in `keras_faces.data.load`.
    names : collection of str, optional
        Take only these pictures (POSIX paths below the source).
    progress : bool
        Show progress bars.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        Wrong settings, no readable picture, pictures of several sizes with size=None.
    OSError
        Source or target cannot be used, or the disk is full; what is finished stays in the journal.
    """
    target, workers = Path(target), thread_count(workers)
    framing = Framing(size, crop, box, reduced)
    check_target(target)
    found = open_source(source, names)
    check_any(found)
    journal = PackedJournal(target, _header(found, framing))
    try:
        report = Report(target, skipped=journal.seen - len(journal.broken), ignored=found.ignored, workers=workers)
        _check_room(target, found, framing, journal)
        if journal.restarted and progress:
            tqdm.write(f"{target}: the source or the settings have changed since the last run, so all starts over")
        _fill(journal, found, framing, device, report, progress)
        _write(journal, found, report, labels, progress)
    except OSError as error:
        _keep(journal)
        explain_full_disk(error, f"{journal.seen:,} pictures are finished and kept in {journal.folder}")
        raise
    except BaseException:
        _keep(journal)
        raise
    journal.remove()
    return report


def check_target(target: Path) -> None:
    """Raise a ValueError or an OSError where a packed file cannot be written to this path."""
    if target.suffix.lower() not in PACKED:
        raise ValueError(f"{target}: a packed file ends in .h5 or .hdf5")
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder; give the name of a file")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target.parent} is not a folder; make it first")


def _header(source: Source, framing: Framing) -> dict:
    """What makes a journal fit: the settings, and every picture's name, size and time of change."""
    files = hashlib.sha256()
    for picture in source.pictures:
        files.update(json.dumps([picture.name, picture.size, picture.mtime_ns]).encode())
    settings = {**asdict(framing), "box": list(framing.box) if framing.box else None}
    return {"journal": 1, **settings, "pictures": files.hexdigest()}


def _check_room(target: Path, source: Source, framing: Framing, journal: PackedJournal) -> None:
    if framing.size is None:
        return
    count, each = len(source.pictures), 3 * framing.size**2
    needed = (2 * count - journal.seen) * each  # the journal's rest, and the file that is written from it
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise OSError(
            f"{target.parent} has {free / 2**20:,.0f} MB free, and {count:,} pictures of {framing.size}×{framing.size} "
            f"need {needed / 2**20:,.0f} MB there while they are packed; make room or choose another disk"
        )


def _fill(
    journal: PackedJournal, source: Source, framing: Framing, device: str, report: Report, progress: bool
) -> None:
    """Bring the pictures that are left into the journal."""
    left = source.pictures[journal.seen :]
    for portion in resize_left(source, left, framing, device, _rgb, report, progress):
        broken = [(picture.name, str(made)) for picture, made in portion if isinstance(made, PictureError)]
        whole = [(picture, made) for picture, made in portion if not isinstance(made, PictureError)]
        if framing.size is None:
            _check_shapes(journal, whole)
        journal.add(len(portion), [image for _, image in whole], broken)
        report.done += len(whole)
    journal.sync()


def _rgb(picture: Picture, image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _check_shapes(journal: PackedJournal, portion: list[tuple[Picture, np.ndarray]]) -> None:
    shape = journal.shape
    for picture, image in portion:
        shape = shape or image.shape
        if image.shape != shape:
            journal.remove()
            raise ValueError(
                f"{picture.name} has {image.shape[1]}×{image.shape[0]} pixels and those before it "
                f"{shape[1]}×{shape[0]}; a packed file holds pictures of one size: give --size"
            )


def _write(
    journal: PackedJournal, source: Source, report: Report, labels: Callable[[list[str]], dict] | None, progress: bool
) -> None:
    """Write the packed file from the journal."""
    start = time.perf_counter()
    report.broken = source.broken + journal.broken
    if journal.shape is None:
        journal.remove()
        name, reason = report.broken[0]
        raise ValueError(f"{source.path}: none of {len(report.broken):,} pictures can be read; {name}: {reason}")
    unreadable = {name for name, _ in journal.broken}
    report.names = [picture.name for picture in source.pictures if picture.name not in unreadable]
    if labels is None:
        identities, identity_names = person_folders(report.names)
        found = {"identities": identities, "identity_names": identity_names}
    else:
        found = labels(report.names)
    write_packed(report.target, journal.images(), report.names, progress=progress, **found)
    report.seconds += time.perf_counter() - start


def _keep(journal: PackedJournal) -> None:
    """Bring what is finished to disk, as far as there is room."""
    if journal.seen == 0:
        journal.remove()
        return
    try:
        journal.sync()
    except (OSError, ValueError):
        pass  # the last portions are made again next time
    journal.close()
