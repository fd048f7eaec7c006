"""Cut upright faces out of photographs: ``python -m data_prep.align photographs faces --size 128``.

For pictures taken in the wild. Each face is turned, scaled and shifted so that eyes, nose and mouth lie where CelebA
has them; then a network need not learn where a face is. A report beside the folder, ``faces.csv``, has one row for
each face that was found, and tells which was taken and why others were not. What to read next: ``align_faces.py``, how
one face is found and warped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from data_prep.align_faces import MARGINS, Detector, Face, choose, warp
from data_prep.align_report import FORMATS, SETTINGS, WHICH, Report, Settings
from data_prep.script import DONE, LOOK, run
from data_prep.sources import Source, sources, threaded
from keras_faces.data.folder import quiet_opencv
from keras_faces.data.pictures import PictureError, decode_bytes


def align_folder(
    source: str | Path,
    target: str | Path,
    settings: Settings = SETTINGS,
    *,
    find: Callable[[np.ndarray], list[Face]] | None = None,
    dry_run: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Cut the faces out of every picture of a folder or an archive.

    The target mirrors the source's tree. Each face is written beside and renamed, the report every half minute and at
    the end, so that after a stop, or a ``kill -9``, the same call goes on; pictures that have changed are done anew.

    Parameters
    ----------
    source : path
        Folder, nested or flat, or zip or tar archive.
    target : path
        Folder to make, or that an earlier call with the same settings made. The report is written to its name with
        ".csv" added.
    settings : Settings
        What is cut out.
    find : callable, optional
        Gives the faces of a uint8 RGB picture; by default `Detector`'s ``find``.
    dry_run : bool
        Look for faces, write nothing.
    progress : bool
        Show a bar.

    Returns
    -------
    DataFrame
        The report: one row for each face, or for a picture without; `taken` is the written file below the target, or
        "", `reason` then says why. `outside` is the share of the result that was mirrored in at the picture's border.

    Raises
    ------
    FileExistsError
        The target holds something that no earlier call made, or was made with other settings.
    ImportError
        The detector is missing (see `Detector`).
    ValueError, OSError
        The source is neither folder nor archive, an archive is damaged, the disk is full.
    """
    target = Path(target)
    count, files = sources(source)
    find = find or Detector(settings.min_face // 2).find  # to tell small faces from none
    done = Report(target, settings, dry_run)
    with (
        quiet_opencv(),
        done,
        closing(threaded(_read, (file for file in files if not done.has(file)), threads=2)) as read,
        tqdm(total=count, initial=done.kept, desc="Aligning", unit=" files", disable=not progress) as bar,
    ):
        for file, size, image in read:
            done.add(_align(file, size, image, find, settings, done))
            bar.update()
    return done.table()


def _read(file: Source) -> tuple[Source, int, np.ndarray | str]:
    """A file, its bytes, and its pixels or the reason why it has none."""
    size = 0
    try:
        data = file.read()
        size = len(data)
        return file, size, decode_bytes(data)
    except PictureError as error:
        return file, size, str(error)


def _align(file: Source, size: int, image: np.ndarray | str, find: Callable, settings: Settings, done: Report) -> list:
    """The report's rows for one picture, whose faces are written."""
    if isinstance(image, str):
        return [{"file": file.name, "bytes": size, "faces": 0, "reason": image}]
    faces = find(image)
    if not faces:
        return [{"file": file.name, "bytes": size, "faces": 0, "reason": "no face found"}]
    good = [face for face in faces if not _unfit(face, settings)]
    chosen = choose(good, settings.faces, image.shape[1], image.shape[0])
    rows = []
    for number, face in enumerate(faces, start=1):
        row = {"file": file.name, "bytes": size, "faces": len(faces), "score": round(face.score, 4)}
        row |= dict(zip(("left", "top", "width", "height"), (round(side, 1) for side in face.box), strict=True))
        if not any(face is one for one in chosen):
            other = {"largest": "not the largest", "center": "not the nearest to the centre"}.get(settings.faces, "")
            rows.append(row | {"reason": _unfit(face, settings) or other})
            continue
        pixels, outside = warp(image, face.landmarks, settings.size, settings.margin)
        row["outside"] = round(outside, 3)
        if outside > settings.max_outside:
            rows.append(row | {"reason": f"over {settings.max_outside:.0%} of the square lies outside the picture"})
            continue
        ending = f"_face{number}" if settings.faces == "all" else ""
        rows.append(row | {"taken": done.write(file.name, ending, pixels)})
    return rows


def _unfit(face: Face, settings: Settings) -> str:
    if face.size < settings.min_face:
        return f"{face.size:.0f} pixels, smaller than {settings.min_face}"
    if face.score < settings.min_score:
        return f"score {face.score:.2f}, below {settings.min_score:g}"
    return ""


def summary(table: pd.DataFrame) -> str:
    """A report in a few lines: how many pictures gave a face, and why the others did not."""
    taken = table["taken"] != ""
    files, without = table["file"].nunique(), table[~table["file"].isin(table.loc[taken, "file"])]
    lines = [f"{taken.sum():,} faces from {files - without['file'].nunique():,} of {files:,} files"]
    several = table.loc[table["faces"] > 1, "file"].nunique()
    if several:
        lines.append(f"{several:,} pictures show several faces")
    mirrored = (table.loc[taken, "outside"].astype(float) > 0.1).sum()
    if mirrored:
        lines.append(f"{mirrored:,} faces lie at the border: over a tenth of the result is mirrored in")
    for reason, count in without.drop_duplicates("file")["reason"].value_counts().head(8).items():
        advice = "; a tighter --margin (-0.2) may fit" if "outside the picture" in reason else ""
        lines.append(f"{count:,} without: {reason}{advice}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the script; returns its exit code, as in `data_prep.script`: 3 where a picture gave no face."""
    options = _options(arguments)
    settings = Settings(
        options.size,
        options.margin,
        options.faces,
        options.min_face,
        options.min_score,
        options.max_outside,
        options.format,
    )
    table = align_folder(options.source, options.target, settings, dry_run=options.dry_run, progress=not options.quiet)
    print(summary(table))
    if not options.dry_run:
        print(f"Faces in {options.target}, report in {options.target}.csv")
    pictures = table[~table["reason"].str.startswith("not a picture's extension")]
    return DONE if set(pictures["file"]) == set(pictures.loc[pictures["taken"] != "", "file"]) else LOOK


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.align", description="Cut upright faces out of photographs."
    )
    parser.add_argument("source", type=Path, help="folder of photographs, or a zip or tar archive")
    parser.add_argument("target", type=Path, help="folder for the faces; the report becomes TARGET.csv")
    default = SETTINGS
    parser.add_argument("--size", type=int, default=default.size, help="side in pixels (default: %(default)s)")
    parser.add_argument(
        "--margin",
        type=float,
        default=default.margin,
        metavar="SHARE",
        help=f"{MARGINS[0]} to {MARGINS[1]}: wider (0.2) or tighter (-0.2) than CelebA's face square (default: 0)",
    )
    parser.add_argument("--faces", choices=WHICH, default=default.faces, help="of several (default: %(default)s)")
    parser.add_argument(
        "--min-face", type=int, default=default.min_face, metavar="PIXELS", help="leave out smaller (default: 40)"
    )
    parser.add_argument("--min-score", type=float, default=default.min_score, help="of the detector (default: 0.9)")
    parser.add_argument(
        "--max-outside", type=float, default=default.max_outside, metavar="SHARE", help="mirrored in (default: 0.3)"
    )
    parser.add_argument("--format", choices=FORMATS, default=default.format, help="of the faces (default: jpg)")
    parser.add_argument("--dry-run", action="store_true", help="look for faces, write nothing")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    run(main)
