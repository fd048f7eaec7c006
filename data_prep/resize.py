"""Resize a folder or an archive of pictures, into a folder or a packed file.

    python -m data_prep.resize photographs faces.h5 --size 125
    python -m data_prep.resize img_align_celeba.zip small --size 64 --crop celeba --device auto
    python -m data_prep.resize photographs small --size 64 --box 20,40,128,128 --dry-run

All cores work, memory stays bounded however many pictures there are, and a run that was stopped, by Ctrl-C, a full
disk or a kill -9, goes on when the same command is given again. Broken pictures are left out and listed.

What to read next: ``decode.py`` (how a JPEG is decoded smaller), ``devices.py`` (where it is resized), ``pipeline.py``
(many at a time), ``journal.py`` (going on), ``resize_folder.py`` (files that mirror the source).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from data_prep.decode import Framing
from data_prep.devices import DEVICES
from data_prep.journal import PackedJournal
from data_prep.pictures_in import Picture, Source, open_source
from data_prep.pipeline import Report, Stopwatch, available_cores, choose_device, explain_full_disk, run_portions
from data_prep.resize_folder import TargetFiles, resize_to_folder
from data_prep.script import DONE, LOOK, run
from keras_faces.data.folder import person_folders
from keras_faces.data.packed import write_packed
from keras_faces.data.pictures import CROPS, PictureError

__all__ = ["Report", "main", "resize_to_folder", "resize_to_packed"]

_PACKED = (".h5", ".hdf5")
_SHOWN = 10  # broken pictures named


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
    source : path
        Folder, nested or flat, or archive.
    target : path
        Ends in .h5 or .hdf5.
    size, crop, box, reduced
        As in `data_prep.decode.Framing`. With size=None all pictures must have one size.
    device : str
        "cpu", "opencl", "cuda", "accelerator" or "auto", which takes the fastest.
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
    target, workers = Path(target), _workers(workers)
    framing = Framing(size, crop, box, reduced)
    _check_target(target)
    found = open_source(source, names)
    _check_any(found)
    journal = PackedJournal(target, _header(found, framing))
    try:
        report = Report(target, skipped=journal.seen - len(journal.broken), ignored=found.ignored, workers=workers)
        _check_room(target, found, framing, journal)
        _say_began(journal.began_anew, target, progress)
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


def _workers(workers: int | None) -> int:
    if workers is not None and workers < 1:
        raise ValueError(f"workers={workers}: give 1 or more")
    return workers or available_cores()


def _check_target(target: Path) -> None:
    if target.suffix.lower() not in _PACKED:
        raise ValueError(f"{target}: a packed file ends in .h5 or .hdf5")
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder; give the name of a file")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target.parent} is not a folder; make it first")


def _check_any(source: Source) -> None:
    if not source.pictures:
        seen = f"; files of other kinds: {len(source.ignored)}" if source.ignored else ""
        raise ValueError(f"{source.path} holds no pictures that were asked for{seen}")


def _header(source: Source, framing: Framing) -> dict:
    """What makes a journal fit: the settings, and every picture's name, size and time of change."""
    listed = hashlib.sha256()
    for picture in source.pictures:
        listed.update(json.dumps([picture.name, picture.size, picture.mtime_ns]).encode())
    settings = {**asdict(framing), "box": list(framing.box) if framing.box else None}
    return {"journal": 1, **settings, "pictures": listed.hexdigest()}


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


def _say_began(anew: bool, target: Path, progress: bool) -> None:
    if anew and progress:
        tqdm.write(f"{target}: the source or the settings have changed since the last run, so all begins anew")


def _fill(
    journal: PackedJournal, source: Source, framing: Framing, device: str, report: Report, progress: bool
) -> None:
    """Bring the pictures that are left into the journal."""
    left = source.pictures[journal.seen :]
    taken, report.measured = choose_device(device, source, left, framing, report.workers)
    report.device = taken.label
    watch = Stopwatch()
    with tqdm(
        total=len(source.pictures), initial=journal.seen, desc="Resizing", unit=" pictures", disable=not progress
    ) as bar:
        for portion in run_portions(source, left, framing, taken, _rgb, report.workers):
            broken = [(picture.name, str(made)) for picture, made in portion if isinstance(made, PictureError)]
            images = [made for _, made in portion if not isinstance(made, PictureError)]
            if framing.size is None:
                _check_shapes(journal, portion)
            journal.add(len(portion), images, broken)
            report.done += len(images)
            bar.update(len(portion))
    journal.sync()
    report.seconds = watch.seconds()


def _rgb(picture: Picture, image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _check_shapes(journal: PackedJournal, portion: list) -> None:
    shape = journal.shape
    for picture, made in portion:
        if isinstance(made, PictureError):
            continue
        shape = shape or made.shape
        if made.shape != shape:
            journal.remove()
            raise ValueError(
                f"{picture.name} has {made.shape[1]}×{made.shape[0]} pixels and those before it {shape[1]}×{shape[0]}; "
                "a packed file holds pictures of one size: give --size"
            )


def _write(
    journal: PackedJournal, source: Source, report: Report, labels: Callable[[list[str]], dict] | None, progress: bool
) -> None:
    watch = Stopwatch()
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
    report.seconds += watch.seconds()


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


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns the exit code (see ``script.py``)."""
    options = _parser().parse_args(arguments)
    framing = {"crop": options.crop, "box": options.box, "reduced": not options.full_decode}
    Framing(options.size, **framing)
    target = Path(options.target)
    packed = target.suffix.lower() in _PACKED
    if packed and (options.format or options.quality != 95):
        raise ValueError(f"--format and --quality are for folders; {target} is a packed file, which holds plain pixels")
    if options.dry_run:
        return _dry_run(options, Framing(options.size, **framing), packed)
    common = {**framing, "device": options.device, "workers": options.workers, "progress": not options.quiet}
    if packed:
        report = resize_to_packed(options.source, target, options.size, **common)
    else:
        report = resize_to_folder(
            options.source, target, options.size, quality=options.quality, extension=options.format, **common
        )
    print(summary(report))
    return LOOK if report.broken else DONE


def summary(report: Report) -> str:
    """A run in a few lines: counts, speed, device, the first broken pictures."""
    lines = [
        f"{report.target}: {len(report.names):,} pictures; {report.done:,} done now, {report.skipped:,} were there "
        f"already, {len(report.broken):,} broken, {len(report.ignored):,} files of other kinds ignored",
    ]
    if report.done:
        threads = f"{report.workers} thread{'s' * (report.workers > 1)}"
        speed = f"{report.images_per_second:,.0f} pictures a second"
        lines.append(f"{report.seconds:.1f} s, {speed} on {report.device}, {threads}")
    for name, value in report.measured.items():
        lines.append(f"  {name}: " + (value if isinstance(value, str) else f"{value:,.0f} pictures resized a second"))
    lines += _named(report.broken)
    return "\n".join(lines)


def _named(broken: list[tuple[str, str]]) -> list[str]:
    lines = [f"  broken: {name}: {reason}" for name, reason in broken[:_SHOWN]]
    return lines + ([f"  and {len(broken) - _SHOWN:,} broken ones more"] if len(broken) > _SHOWN else [])


def _dry_run(options: argparse.Namespace, framing: Framing, packed: bool) -> int:
    source = open_source(options.source)
    _check_any(source)
    target = Path(options.target)
    if packed:
        _check_target(target)
    else:
        TargetFiles(source, target, options.format, options.quality).check()
    size = f"{framing.size}×{framing.size}" if framing.size else "their own size"
    print(f"{source.path}: {len(source.pictures):,} pictures would go to {target} at {size}; nothing was written")
    if packed and framing.size:
        bytes_ = len(source.pictures) * 3 * framing.size**2
        print(f"  the file would have {bytes_ / 2**20:,.1f} MB, and as much again is needed while it is written")
    print(f"  files of other kinds, which are ignored: {len(source.ignored):,}")
    print("\n".join(_named(source.broken) or ["  files that cannot be opened: 0"]))
    return LOOK if source.broken else DONE


def _size(text: str) -> int | None:
    if text == "keep":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 16384:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give pixels (125, 64, 32, ...) or keep")
    return int(text)


def _box(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no box; give X,Y,WIDTH,HEIGHT in pixels, such as 20,40,128,128")
    return tuple(map(int, parts))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 1 on")
    return int(text)


def _quality(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r}: give a quality from 1 to 100")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.resize",
        description="Resize a folder or an archive of pictures. Give the same command again to go on after a stop.",
        epilog="Exit codes: 0 done; 1 not done; 2 wrong usage; 3 done, but there were broken pictures; 130 Ctrl-C.",
    )
    parser.add_argument("source", metavar="SRC", help="folder, nested or flat, or archive (.zip, .tar, .tar.gz, ...)")
    parser.add_argument(
        "target", metavar="DST", help="folder for files that mirror SRC, or a packed file (.h5), replaced when whole"
    )
    parser.add_argument(
        "--size", type=_size, required=True, help="height and width in pixels: 125, 64, 32 or any other; or keep"
    )
    parser.add_argument("--crop", choices=CROPS, default="auto", help="which square (default: auto)")
    parser.add_argument("--box", type=_box, metavar="X,Y,W,H", help="take this part of each picture, in its pixels")
    parser.add_argument(
        "--device", choices=DEVICES, default="cpu", help="where to resize; auto measures (default: cpu)"
    )
    parser.add_argument("--workers", type=_positive, metavar="N", help="threads (default: all cores)")
    parser.add_argument("--quality", type=_quality, default=95, metavar="Q", help="of JPEG and WebP (default: 95)")
    parser.add_argument("--format", choices=("jpg", "png"), help="for all files of a folder (default: as they were)")
    parser.add_argument("--full-decode", action="store_true", help="decode every JPEG whole, however small it becomes")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    return parser


if __name__ == "__main__":
    run(main)
