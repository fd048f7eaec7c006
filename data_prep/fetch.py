"""Get the photographs: ``python -m data_prep.fetch lfw --out lfw`` or ``... celeba --downloads FOLDER --out celeba``.

LFW is downloaded; CelebA is checked and unpacked after you downloaded it (without --downloads it says where and
under which terms). Either folder can be given to ``keras-faces train --data``, ``data_prep.check`` and
``data_prep.resize``. See also: ``engine/fetch_lfw.py``, ``engine/fetch_celeba.py``.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from data_prep.engine.fetch_celeba import COUNT, FILES, KAGGLE, WHERE_AND_TERMS, collect, verify
from data_prep.engine.fetch_lfw import SOURCES, download_folder, fetch_lfw
from data_prep.engine.script import DONE, FAILED, LOOK, command_parser, run


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code (see `data_prep.engine.script`)."""
    options = _options(arguments)
    return _lfw(options) if options.what == "lfw" else _celeba(options)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_parser("fetch", "Get photographs of faces.")
    kinds = parser.add_subparsers(dest="what", required=True, metavar="lfw|celeba")
    lfw = kinds.add_parser("lfw", help="Labeled Faces in the Wild, by scikit-learn's downloader")
    lfw.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="new folder for the person folders")
    lfw.add_argument("--kind", choices=SOURCES, default="funneled", help="default: %(default)s")
    lfw.add_argument(
        "--downloads", type=Path, metavar="FOLDER", help="keep the archive here, not in scikit-learn's folder"
    )
    lfw.add_argument("--url", help="fetch the archive from another server; its sum must be the same")
    celeba = kinds.add_parser("celeba", help="check and unpack CelebA's files, which you download yourself")
    celeba.add_argument("--downloads", type=Path, metavar="FOLDER", help="where you put them; without: how to get them")
    celeba.add_argument("--out", type=Path, metavar="FOLDER", help="folder for pictures and tables")
    celeba.add_argument("--unverified", action="store_true", help="take files whose sums are unknown or differ, too")
    for kind in (lfw, celeba):
        kind.add_argument("--dry-run", action="store_true", help="write nothing")
        kind.add_argument("--quiet", action="store_true", help="no progress bars")
    options = parser.parse_args(arguments)
    if options.what == "celeba" and options.downloads and not (options.out or options.dry_run):
        celeba.error("--out is missing: the folder for pictures and tables")
    return options


def _lfw(options: argparse.Namespace) -> int:
    source = SOURCES[options.kind]
    if options.url:
        source = replace(source, url=options.url)
    kept = download_folder(options.downloads) / source.file
    if options.dry_run:
        print(f"{source.holds}\nfrom       {source.url}\nSHA-256    {source.sha256}")
        print(f"kept as    {kept}{' (is there)' if kept.exists() else ''}\nunpacked to {options.out}")
        return DONE
    files = fetch_lfw(options.out, source=source, downloads=options.downloads, progress=not options.quiet)
    pictures = [file for file in files if file.suffix == ".jpg"]
    people = len({file.parent for file in pictures})
    print(f"{options.out}: {len(pictures):,} photographs of {people:,} people. The archive stays in {kept}.")
    return DONE


def _celeba(options: argparse.Namespace) -> int:
    if options.downloads is None:
        print(WHERE_AND_TERMS)
        return DONE
    found = verify(options.downloads, files=FILES, progress=not options.quiet)
    print(*found, sep="\n")
    doubtful = [one for one in found if one.problem]
    again = ", ".join(one.file.name for one in doubtful if one.file not in KAGGLE)
    if again and not options.unverified:
        print(f"\nNothing was written. Download again: {again}; or take the files as they are with --unverified.")
        return FAILED
    used = found if options.unverified else [one for one in found if one.whole]
    if options.dry_run:
        return LOOK if doubtful else DONE
    pictures = collect(used, options.out, progress=not options.quiet)
    count = sum(1 for _ in pictures.rglob("*.jpg"))
    print(f"{pictures}: {count:,} photographs{'' if count == COUNT else f' of the {COUNT:,} that CelebA has'}.")
    no_attributes = not any(one.path for one in used if one.file.name.startswith("list_attr"))
    return LOOK if doubtful or no_attributes or count != COUNT else DONE


if __name__ == "__main__":
    run(main)
