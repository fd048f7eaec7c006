"""Cut upright faces out of photographs: ``python -m data_prep.align photographs faces --size 128``.

For pictures taken in the wild. Each face is turned, scaled and shifted so that eyes, nose and mouth lie where CelebA
has them; then a network need not learn where a face is. A report beside the folder, ``faces.csv``, has one row for
each face that was found, and tells which was taken and why others were not.

See also: ``engine/align_faces.py`` (how one face is found and warped), ``engine/align_report.py`` (the report).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from data_prep.engine.align_faces import MARGINS, Detector, Face, choose, warp
from data_prep.engine.align_report import FORMATS, SETTINGS, WHICH, Report, Settings
from data_prep.engine.pipeline import threaded
from data_prep.engine.script import DONE, LOOK, command_parser, run
from data_prep.engine.sources import Picture, Source, open_source
from keras_faces.data.folder import OTHER_KIND
from keras_faces.data.pictures import PictureError, decode_bytes
from keras_faces.data.quiet import quiet_opencv


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
    the end, so that after a stop, or a ``kill -9``, the same call continues; pictures that have changed are done again.

    Parameters
    ----------
    source : str or Path
        Folder, nested or flat, or zip or tar archive.
    target : str or Path
        Folder to make, or that an earlier call with the same settings made. The report is written to its name with
        ".csv" added.
    settings : Settings
        What is cut out.
    find : callable, optional
        Gives the faces of a uint8 RGB image; by default `Detector`'s ``find``.
    dry_run : bool
        Look for faces, write nothing.
    progress : bool
        Show a bar.

    Returns
    -------
    DataFrame
        The report: one row for each face, or for a picture without; `taken` is the written file below the target, or
        "", `reason` then says why. `outside` is the share of the result, 0 to 1, that was mirrored in at the border.

    Raises
    ------
    FileExistsError
        The target holds something that no earlier call made, or was made with other settings.
    ImportError
        The detector is missing (see `Detector`).
    ValueError, OSError
        The source is neither folder nor archive, an archive is damaged, the disk is full.
    """
    found = open_source(source)
    find = find or Detector(settings.min_face // 2).find  # to tell small faces from none
    done = Report(Path(target), settings, dry_run)

    def decoded(item: tuple[Picture, bytes | None]) -> tuple[str, int, np.ndarray | str]:
        """A picture's name, its bytes, and its pixels or the reason why it has none."""
        picture, data = item
        size = 0
        try:
            data = found.data(picture, data)
            size = len(data)
            return picture.name, size, decode_bytes(data)
        except PictureError as error:
            return picture.name, size, str(error)

    total = len(found.pictures) + len(found.broken) + len(found.ignored)
    with (
        quiet_opencv(),
        done,
        closing(threaded(decoded, _left(found, done), threads=2)) as images,
        tqdm(total=total, initial=done.kept, desc="Aligning", unit=" files", disable=not progress) as bar,
    ):
        for name, size, image in images:
            if isinstance(image, str):
                done.add([{"file": name, "bytes": size, "faces": 0, "reason": image}])
            else:
                done.add(_align(name, size, image, find(image), settings, done))
            bar.update()
        for name, reason in (*found.broken, *found.others()):
            if not done.has(name, 0):
                done.add([{"file": name, "bytes": 0, "faces": 0, "reason": reason}])
                bar.update()
    return done.table()


def _left(source: Source, done: Report) -> Iterator[tuple[Picture, bytes | None]]:
    """The pictures that no earlier call did, as `Source.read` gives them."""
    with closing(source.read(source.pictures)) as found:
        for picture, data in found:
            if not done.has(picture.name, picture.size if data is None else len(data)):
                yield picture, data


def _align(name: str, size: int, image: np.ndarray, faces: list[Face], settings: Settings, done: Report) -> list[dict]:
    """The report's rows for one picture, whose faces are written."""
    if not faces:
        return [{"file": name, "bytes": size, "faces": 0, "reason": "no face found"}]
    good = [face for face in faces if not _unfit(face, settings)]
    chosen = choose(good, settings.faces, image.shape[1], image.shape[0])
    rows = []
    for number, face in enumerate(faces, start=1):
        row = {"file": name, "bytes": size, "faces": len(faces), "score": round(face.score, 4)}
        row |= dict(zip(("left", "top", "width", "height"), (round(side, 1) for side in face.box), strict=True))
        rows.append(row)
        if not any(face is one for one in chosen):
            other = {"largest": "not the largest", "center": "not the nearest to the centre"}.get(settings.faces, "")
            row["reason"] = _unfit(face, settings) or other
            continue
        pixels, outside = warp(image, face.landmarks, settings.size, settings.margin)
        row["outside"] = round(outside, 3)
        if outside > settings.max_outside:
            row["reason"] = f"over {settings.max_outside:.0%} of the square lies outside the picture"
        else:
            row["taken"] = done.write(name, f"_face{number}" if settings.faces == "all" else "", pixels)
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
    """Run the command; returns its exit code (see `data_prep.engine.script`): 3 where a picture gave no face."""
    options = _parser().parse_args(arguments)
    settings = Settings(**{name: getattr(options, name) for name in Settings.__dataclass_fields__})
    table = align_folder(options.source, options.target, settings, dry_run=options.dry_run, progress=not options.quiet)
    print(summary(table))
    if not options.dry_run:
        print(f"Faces in {options.target}, report in {options.target}.csv")
    pictures = table[~table["reason"].str.startswith(OTHER_KIND)]
    return DONE if set(pictures["file"]) == set(pictures.loc[pictures["taken"] != "", "file"]) else LOOK


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("align", "Cut upright faces out of photographs.")
    add, default = parser.add_argument, SETTINGS
    margins = f"{MARGINS[0]} to {MARGINS[1]}: wider (0.2) or tighter (-0.2) than CelebA's face square (default: 0)"
    add("source", type=Path, help="folder of photographs, or a zip or tar archive")
    add("target", type=Path, help="folder for the faces; the report becomes TARGET.csv")
    add("--size", type=int, default=default.size, help="side in pixels (default: %(default)s)")
    add("--margin", type=float, default=default.margin, metavar="SHARE", help=margins)
    add("--faces", choices=WHICH, default=default.faces, help="of several (default: %(default)s)")
    add("--min-face", type=int, default=default.min_face, metavar="PIXELS", help="leave out smaller (default: 40)")
    add("--min-score", type=float, default=default.min_score, help="of the detector (default: 0.9)")
    add("--max-outside", type=float, default=default.max_outside, metavar="SHARE", help="mirrored in (default: 0.3)")
    add("--format", choices=FORMATS, default=default.format, help="of the faces (default: jpg)")
    add("--dry-run", action="store_true", help="look for faces, write nothing")
    add("--quiet", action="store_true", help="no progress bar")
    return parser


if __name__ == "__main__":
    run(main)
