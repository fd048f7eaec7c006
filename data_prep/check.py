"""What is in this folder or archive: ``python -m data_prep.check photographs --sheet sheet.png``.

Sizes, colours, people, pictures that are there twice or nearly, files that cannot be read and why. Nothing is changed.
The exit code is 3 where a picture is broken, so that a script can stop there. What to read next: ``check_picture.py``
(one file), ``duplicates.py`` (the search).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data_prep.check_picture import Looked, headers_of_any_size, look_at
from data_prep.check_sheet import THUMB, Sample, draw_sheet
from data_prep.duplicates import equal_groups, near_groups
from data_prep.script import DONE, LOOK, run
from data_prep.sources import sources, threaded
from keras_faces.data.folder import person_folders, quiet_opencv
from keras_faces.files import replacing

_SHOWN = 5  # examples of each kind on the screen; --json has all


@dataclass(frozen=True)
class Check:
    """What was found: the pictures, the broken ones, other files, and names of those that are there more than once.

    equal : groups of files with the same bytes. near : groups that look alike, one file of each equal group in them.
    """

    pictures: list[Looked]
    broken: list[Looked]
    others: list[Looked]
    equal: list[list[str]]
    near: list[list[str]]

    @property
    def people(self) -> Counter | None:
        """How many pictures each person folder holds; None where pictures do not lie in person folders."""
        identities, names = person_folders([picture.name for picture in self.pictures])
        return None if names is None else Counter(names[number] for number in identities.tolist())

    def as_dict(self) -> dict:
        """All of it for a JSON file."""
        return {
            "pictures": len(self.pictures),
            "bytes": sum(picture.bytes for picture in self.pictures),
            "sizes": {f"{width}x{height}": count for (width, height), count in self.sizes.most_common()},
            "formats": dict(Counter(picture.format for picture in self.pictures).most_common()),
            "kinds": dict(self.kinds.most_common()),
            "people": None if self.people is None else dict(self.people.most_common()),
            "broken": {file.name: file.reason for file in self.broken},
            "other files": {file.name: file.reason for file in self.others},
            "equal": self.equal,
            "near": self.near,
        }

    @property
    def sizes(self) -> Counter:
        """How many pictures have each (width, height)."""
        return Counter((picture.width, picture.height) for picture in self.pictures)

    @property
    def kinds(self) -> Counter:
        """How many pictures are RGB, grey, CMYK, 16 bit, transparent, animated, turned by EXIF."""
        return Counter(kind for picture in self.pictures for kind in picture.kinds)


def check(place: str | Path, *, see: Callable[[int, Looked], None] | None = None, progress: bool = True) -> Check:
    """Decode everything in a folder or an archive once, and compare all with all.

    Parameters
    ----------
    place : path
        Folder, nested or flat, or zip or tar archive.
    see : callable, optional
        Is given each picture's number and what was found out, with a small picture.
    progress : bool
        Show a bar.

    Raises
    ------
    NotADirectoryError
        The place is neither.
    ValueError
        The archive is unsafe or damaged.
    """
    count, files = sources(place)
    look = partial(look_at, thumb=THUMB if see else 0)
    pictures, rest = [], []
    with (
        quiet_opencv(),
        headers_of_any_size(),
        closing(threaded(look, files)) as looked,
        tqdm(total=count, desc="Looking", unit=" files", delay=1, disable=not progress) as bar,
    ):
        for file in looked:
            if not file.reason:
                if see:
                    see(len(pictures), file)
                file = replace(file, small=None)
            (rest if file.reason else pictures).append(file)
            bar.update()
    broken = [file for file in rest if file.is_picture or "folder cannot be opened" in file.reason]
    others = [file for file in rest if file not in broken]
    equal, near = _duplicates(pictures)
    return Check(pictures, broken, others, equal, near)


def _duplicates(pictures: list[Looked]) -> tuple[list[list[str]], list[list[str]]]:
    equal = equal_groups([picture.digest for picture in pictures])
    again = {number for group in equal for number in group[1:]}
    rest = [number for number in range(len(pictures)) if number not in again]
    prints = np.array([pictures[number].print for number in rest], np.uint64).reshape(-1, 2)
    near = [[rest[at] for at in group] for group in near_groups(prints)]
    return _names(pictures, equal), _names(pictures, near)


def _names(pictures: list[Looked], groups: list[list[int]]) -> list[list[str]]:
    return [[pictures[number].name for number in group] for group in groups]


def summary(found: Check) -> str:
    """The findings on a screen."""
    megabytes = sum(picture.bytes for picture in found.pictures) / 1e6
    lines = [f"{len(found.pictures):,} pictures, {megabytes:,.1f} MB"]
    if found.pictures:
        sizes = [f"{width}×{height} ({count:,})" for (width, height), count in found.sizes.most_common(_SHOWN)]
        more = len(found.sizes) - len(sizes)
        lines.append(f"sizes    {', '.join(sizes)}{f' and {more:,} more' if more else ''}")
        lines.append(f"         {_range(found, 'width')} wide, {_range(found, 'height')} high")
        lines.append("formats  " + _counted(Counter(picture.format for picture in found.pictures)))
        lines.append("kinds    " + _counted(found.kinds))
    if found.people is not None:
        counts = sorted(found.people.values())
        most, many = found.people.most_common(1)[0]
        middle = counts[len(counts) // 2]
        lines.append(f"people   {len(counts):,}; pictures each: {counts[0]:,} to {many:,} ({most}), median {middle:,}")
    lines += _examples("same bytes", [", ".join(group) for group in found.equal])
    lines += _examples("nearly the same", [", ".join(group) for group in found.near])
    lines += _examples("BROKEN", [f"{file.name}: {file.reason}" for file in found.broken])
    lines += _examples("other files", [f"{file.name}: {file.reason}" for file in found.others])
    return "\n".join(lines)


def _range(found: Check, side: str) -> str:
    values = [getattr(picture, side) for picture in found.pictures]
    return f"{min(values):,} to {max(values):,}"


def _counted(counter: Counter) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in counter.most_common())


def _examples(what: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  and {len(lines) - _SHOWN:,} more"] if len(lines) > _SHOWN else []
    return [f"{what}: {len(lines):,}", *(f"  {line}" for line in lines[:_SHOWN]), *more]


def main(arguments: list[str] | None = None) -> int:
    """Run the script; returns its exit code, as in `data_prep.script`: 3 where something is broken."""
    options = _options(arguments)
    sample = Sample(options.count) if options.sheet else None
    found = check(options.source, see=sample.see if sample else None, progress=not options.quiet)
    print(summary(found))
    if options.json:
        with replacing(options.json) as beside:
            beside.write_text(json.dumps(found.as_dict(), indent=1, ensure_ascii=False), encoding="utf-8")
    if sample and found.pictures:
        with replacing(options.sheet) as beside:
            draw_sheet(sample.chosen()).save(beside, format="PNG")
        print(f"Contact sheet: {options.sheet}")
    return LOOK if found.broken or not found.pictures else DONE


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m data_prep.check", description="What is in a folder or archive of photographs."
    )
    parser.add_argument("source", type=Path, help="folder, or zip or tar archive")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="draw a sample of the pictures")
    parser.add_argument("--count", type=int, default=96, help="pictures on the sheet (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all findings")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_args(arguments)
    if options.count < 1:
        parser.error("--count is less than 1")
    return options


if __name__ == "__main__":
    run(main)
