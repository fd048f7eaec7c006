"""What is in this folder or archive: ``python -m data_prep.check photographs --sheet sheet.png``.

Sizes, colours, people, pictures that are there twice or nearly, files that cannot be read and why. Nothing is changed.
The exit code is 3 where a picture is broken, so that a script can stop there.

See also: ``engine/check_picture.py`` (one file), ``engine/duplicates.py`` (the search).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data_prep.engine.check_picture import FileInfo, draw_sheet, headers_of_any_size, inspect, sample_images
from data_prep.engine.duplicates import equal_groups, near_groups
from data_prep.engine.pipeline import threaded
from data_prep.engine.script import DONE, LOOK, command_parser, run, whole_number
from data_prep.engine.sources import Picture, Source, open_source
from keras_faces.data.folder import person_folders
from keras_faces.data.pictures import PictureError, decode_bytes
from keras_faces.data.quiet import quiet_opencv, said_about
from keras_faces.files import atomic_write, printable
from keras_faces.outputs import check_out, png_note

_SHOWN = 5  # examples of each kind on the screen; --json has all


@dataclass(frozen=True)
class Check:
    """What was found."""

    source: Source
    pictures: list[FileInfo]  # those that can be read
    broken: dict[str, str]  # by name, why a picture cannot be read
    faults: dict[str, str]  # by name, what the decoder says about a picture that can be read in spite of it
    others: dict[str, str]  # by name, why another file is no picture
    equal: list[list[str]]  # groups of files with the same bytes
    near: list[list[str]]  # groups that look alike, one file of each equal group in them

    @property
    def people(self) -> Counter | None:
        """How many pictures each person folder holds; None where pictures do not lie in person folders."""
        identities, names = person_folders([picture.name for picture in self.pictures])
        return None if names is None else Counter(names[identity] for identity in identities.tolist())

    @property
    def sizes(self) -> Counter:
        """How many pictures have each (width, height)."""
        return Counter((picture.width, picture.height) for picture in self.pictures)

    @property
    def formats(self) -> Counter:
        """How many pictures are JPEG, PNG, ..."""
        return Counter(picture.format for picture in self.pictures)

    @property
    def kinds(self) -> Counter:
        """How many pictures are RGB, grey, CMYK, 16 bit, transparent, animated, turned by EXIF."""
        return Counter(kind for picture in self.pictures for kind in picture.kinds)

    def as_dict(self) -> dict:
        """All of it for a JSON file."""
        return {
            "pictures": len(self.pictures),
            "bytes": sum(picture.bytes for picture in self.pictures),
            "sizes": {f"{width}x{height}": count for (width, height), count in self.sizes.most_common()},
            "formats": dict(self.formats.most_common()),
            "kinds": dict(self.kinds.most_common()),
            "people": None if self.people is None else dict(self.people.most_common()),
            "broken": self.broken,
            "small faults": self.faults,
            "other files": self.others,
            "equal": self.equal,
            "near": self.near,
        }


def check(place: str | Path, *, progress: bool = True) -> Check:
    """Decode everything in a folder or an archive once, and look for doubles.

    Parameters
    ----------
    place : str or Path
        Folder, nested or flat, or zip or tar archive.
    progress : bool
        Show a bar.

    Returns
    -------
    Check

    Raises
    ------
    FileNotFoundError
        Nothing is there.
    ValueError
        The place is neither, or the archive is unsafe or damaged.
    """
    source = open_source(place)

    def look(item: tuple[Picture, bytes | None]) -> FileInfo:
        picture, data = item
        before = said()
        try:
            found = inspect(picture.name, source.data(picture, data))
        except PictureError as error:
            return FileInfo(picture.name, str(error))
        if said() > before and not found.reason:  # by the decoder of this one, or of another at the same time
            suspects.add(picture.name)
        return found

    suspects: set[str] = set()

    with (
        quiet_opencv() as said,
        headers_of_any_size(),
        closing(source.read(source.pictures)) as items,
        closing(threaded(look, items)) as looked,
    ):
        total = len(source.pictures)
        files = list(tqdm(looked, total=total, desc="Looking", unit=" files", delay=1, disable=not progress))
        faults = dict(_faults(source, [picture for picture in source.pictures if picture.name in suspects]))
    pictures = [file for file in files if not file.reason]
    broken = dict(source.broken) | {file.name: file.reason for file in files if file.reason}
    return Check(source, pictures, broken, faults, dict(source.others()), *_doubles(pictures))


def _faults(source: Source, suspects: list[Picture]) -> Iterator[tuple[str, str]]:
    """Decode some pictures again, one at a time; give the names of those about which something is said, and what."""
    with closing(source.read(suspects)) as items:
        for picture, data in items:
            data = source.data(picture, data)
            if said := said_about(lambda data=data: decode_bytes(data)):
                yield picture.name, said


def _doubles(pictures: list[FileInfo]) -> tuple[list[list[str]], list[list[str]]]:
    """Names of pictures with the same bytes, and of pictures that look alike."""
    names = [picture.name for picture in pictures]
    equal = equal_groups([picture.digest for picture in pictures])
    again = {index for group in equal for index in group[1:]}
    rest = [index for index in range(len(pictures)) if index not in again]
    prints = np.array([pictures[index].fingerprint for index in rest], np.uint64).reshape(-1, 2)
    near = near_groups(prints)
    return [[names[i] for i in group] for group in equal], [[names[rest[i]] for i in group] for group in near]


def summary(found: Check) -> str:
    """The findings on a screen."""
    megabytes = sum(picture.bytes for picture in found.pictures) / 1e6
    lines = [f"{len(found.pictures):,} pictures, {megabytes:,.1f} MB"]
    if found.pictures:
        sizes = [f"{width}×{height} ({count:,})" for (width, height), count in found.sizes.most_common(_SHOWN)]
        more = len(found.sizes) - len(sizes)
        lines.append(f"sizes    {', '.join(sizes)}{f' and {more:,} more' if more else ''}")
        widths, heights = zip(*found.sizes, strict=True)
        lines.append(f"         {min(widths):,} to {max(widths):,} wide, {min(heights):,} to {max(heights):,} high")
        for title, counter in (("formats", found.formats), ("kinds", found.kinds)):
            counts = ", ".join(f"{name} ({count:,})" for name, count in counter.most_common())
            lines.append(f"{title:9}{counts}")
    if found.people is not None:
        counts = sorted(found.people.values())
        most, many = found.people.most_common(1)[0]
        middle = counts[len(counts) // 2]
        lines.append(
            f"people   {len(counts):,}; pictures each: {counts[0]:,} to {many:,} ({printable(most)}), median {middle:,}"
        )
    lines += _examples("same bytes", [", ".join(group) for group in found.equal])
    lines += _examples("nearly the same", [", ".join(group) for group in found.near])
    lines += _examples("BROKEN", [f"{name}: {reason}" for name, reason in found.broken.items()])
    lines += _examples("small faults", [f"{name}: {said}" for name, said in found.faults.items()])
    lines += _examples("other files", [f"{name}: {reason}" for name, reason in found.others.items()])
    return "\n".join(lines)


def _examples(what: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  and {len(lines) - _SHOWN:,} more"] if len(lines) > _SHOWN else []
    return [f"{what}: {len(lines):,}", *(f"  {printable(line)}" for line in lines[:_SHOWN]), *more]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code (see `data_prep.engine.script`): 3 where something is broken."""
    options = _parser().parse_args(arguments)
    if options.sheet:
        check_out(options.sheet, what="--sheet")
    found = check(options.source, progress=not options.quiet)
    print(summary(found))
    if options.json:
        with atomic_write(options.json) as beside:
            text = json.dumps(found.as_dict(), indent=1, ensure_ascii=False)
            beside.write_text(text, encoding="utf-8", errors="backslashreplace")  # a name may be no Unicode
    if options.sheet and found.pictures:
        with atomic_write(options.sheet) as beside, quiet_opencv():
            names = [picture.name for picture in found.pictures]
            draw_sheet(sample_images(found.source, names, options.count)).save(beside, format="PNG", pnginfo=png_note())
        print(f"Contact sheet: {options.sheet}")
    return LOOK if found.broken or not found.pictures else DONE


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("check", "What is in a folder or archive of photographs.")
    add = parser.add_argument
    add("source", type=Path, help="folder, or zip or tar archive")
    add("--sheet", type=Path, metavar="FILE.png", help="draw a sample of the pictures")
    add("--count", type=whole_number(1), default=96, help="pictures on the sheet (default: %(default)s)")
    add("--json", type=Path, metavar="FILE", help="write all findings")
    add("--quiet", action="store_true", help="no progress bar")
    return parser


if __name__ == "__main__":
    run(main)
