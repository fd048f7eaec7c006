"""Resized pictures as files that mirror the source's folders.

Each file is written beside its place and renamed, so that none is ever there in part.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from tqdm import tqdm

from data_prep.engine.decode import Framing
from data_prep.engine.journal import FolderJournal
from data_prep.engine.pipeline import Report, explain_full_disk, resize_left, thread_count
from data_prep.engine.sources import Picture, Source, check_any, open_source
from keras_faces.data.pictures import EXTENSIONS, PictureError

# 256 colours are too few for a resized photograph; OpenCV does not know the other two names of JPEG
_OTHER_FORMAT = {".gif": ".png", ".jfif": ".jpg", ".jpe": ".jpg"}


@dataclass(frozen=True)
class TargetFiles:
    """Where each picture of a source goes, and how it is written there."""

    source: Source
    folder: Path  # need not exist
    extension: str | None  # "jpg" or "png" for all; None keeps each picture's own (GIF becomes PNG)
    quality: int  # of JPEG and WebP, 1 to 100

    def __post_init__(self) -> None:
        if self.extension not in (None, "jpg", "png"):
            raise ValueError(f"format {self.extension!r}: give jpg or png, or none to keep each picture's own")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality {self.quality}: give 1 to 100")

    def path(self, picture: Picture) -> Path:
        """Where a picture goes."""
        name = PurePosixPath(picture.name)
        if (ending := name.suffix.lower()) not in (*EXTENSIONS, *_OTHER_FORMAT):  # the bytes told that it is a picture
            return self.folder / f"{name}.{self.extension or 'png'}"
        suffix = f".{self.extension}" if self.extension else _OTHER_FORMAT.get(ending)
        return self.folder / (name.with_suffix(suffix) if suffix else name)

    def check(self) -> None:
        """Refuse to let pictures take each other's place, or that of files that no earlier run made.

        Raises
        ------
        ValueError
            Two names become one, if only where small and capital letters are the same; the folder lies in the source.
        FileExistsError
            The folder holds such a file.
        """
        source, folder = self.source.path.resolve(), self.folder.resolve()
        if source.is_dir() and (folder == source or source in folder.parents):
            raise ValueError(f"{self.folder} lies in {self.source.path}, and would be read next time; choose another")
        if self.folder.exists() and not self.folder.is_dir():
            raise FileExistsError(f"{self.folder} is a file; give a folder, or a name that ends in .h5")
        is_ours = FolderJournal.path(self.folder).exists()
        taken: dict[str, str] = {}
        for picture in self.source.pictures:
            path = self.path(picture)
            other = taken.setdefault(path.as_posix().casefold(), picture.name)
            if other != picture.name:
                raise ValueError(
                    f"{self.source.path}: {other} and {picture.name} would both become {path.name} (on some systems, "
                    "small and capital letters are one); rename one of them"
                )
            if not is_ours and path.exists():
                raise FileExistsError(f"{path} is there already, and not from an earlier run; choose an empty folder")

    def write(self, picture: Picture, image: np.ndarray) -> int:
        """Encode a picture (uint8 BGR) and write it; return the bytes. PictureError if its format cannot hold it."""
        path = self.path(picture)
        data = self._encode(path.suffix.lower(), image)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        try:
            beside.write_bytes(data)
            os.replace(beside, path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        return len(data)

    def _encode(self, suffix: str, image: np.ndarray) -> np.ndarray:
        if suffix == ".pgm":
            grey = image[:, :, 0]
            if (image == grey[:, :, None]).all():
                image = np.ascontiguousarray(grey)
            else:
                suffix = ".ppm"  # a colour picture under a grey one's name
        parameters = [cv2.IMWRITE_JPEG_QUALITY, self.quality, cv2.IMWRITE_WEBP_QUALITY, self.quality]
        used = {".jpg": parameters[:2], ".jpeg": parameters[:2], ".webp": parameters[2:]}.get(suffix, [])
        try:
            written, data = cv2.imencode(suffix, image, used)
        except cv2.error:
            written = False
        if not written:
            raise PictureError(f"cannot be written as {suffix} in {image.shape[1]}×{image.shape[0]} pixels")
        return data


def resize_to_folder(
    source: str | Path,
    target: str | Path,
    size: int | None,
    *,
    crop: str = "auto",
    box: tuple[int, int, int, int] | None = None,
    device: str = "cpu",
    workers: int | None = None,
    reduced: bool = True,
    quality: int = 95,
    extension: str | None = None,
    progress: bool = True,
) -> Report:
    """Resize the pictures of a folder or an archive into a folder that mirrors it.

    The list of what is done stays in the target as ``.resize.jsonl``: a later run makes what is new or has changed, or
    everything if the settings are others.

    Parameters
    ----------
    source, size, crop, box, device, workers, reduced, progress
        As in `data_prep.engine.resize_packed.resize_to_packed`.
    target : str or Path
        A folder; it is made where it does not exist.
    quality : int
        Of JPEG and WebP, 1 to 100.
    extension : str, optional
        "jpg" or "png" for all files; otherwise each keeps its format, but for GIF, which becomes PNG. Metadata are
        dropped; the EXIF rotation is applied.

    Returns
    -------
    Report

    Raises
    ------
    ValueError, FileExistsError
        Wrong settings, no readable picture, names that would collide, files in the target that no earlier run made.
    OSError
        Source or target cannot be used, or the disk is full; what is finished stays.
    """
    target, framing, workers = Path(target), Framing(size, crop, box, reduced), thread_count(workers)
    found = open_source(source)
    check_any(found)
    files = TargetFiles(found, target, extension, quality)
    files.check()
    target.mkdir(parents=True, exist_ok=True)
    journal = FolderJournal(target, _header(framing, files))
    report = Report(target, broken=list(found.broken), ignored=found.ignored, workers=workers)
    try:
        if journal.restarted and progress:
            tqdm.write(f"{target}: the settings have changed since the last run, so all pictures are made again")
        _fill(journal, files, framing, device, report, progress)
    except OSError as error:
        explain_full_disk(error, f"{report.done + report.skipped:,} pictures are finished and stay in {target}")
        raise
    finally:
        journal.close()
    if not report.names:
        name, reason = report.broken[0]
        raise ValueError(f"{found.path}: none of {len(report.broken):,} pictures can be read; {name}: {reason}")
    return report


def _header(framing: Framing, files: TargetFiles) -> dict:
    """What makes a journal fit."""
    box = list(framing.box) if framing.box else None
    return {"journal": 1, **asdict(framing), "box": box, "quality": files.quality, "extension": files.extension}


def _fill(
    journal: FolderJournal, files: TargetFiles, framing: Framing, device: str, report: Report, progress: bool
) -> None:
    """Write the files that are not there yet."""
    source = files.source
    there = {p.name for p in source.pictures if journal.has(p.name, p.size, p.mtime_ns, files.path(p))}
    left = [picture for picture in source.pictures if picture.name not in there]
    report.skipped = len(there)
    for portion in resize_left(source, left, framing, device, files.write, report, progress):
        done = [(picture, made) for picture, made in portion if not isinstance(made, PictureError)]
        journal.add([(picture.name, picture.size, picture.mtime_ns, written) for picture, written in done])
        there.update(picture.name for picture, _ in done)
        report.broken += [(picture.name, str(made)) for picture, made in portion if isinstance(made, PictureError)]
        report.done += len(done)
    report.names = [picture.name for picture in source.pictures if picture.name in there]
