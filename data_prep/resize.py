"""Resize a folder or an archive of pictures, into a folder or a packed file.

    python -m data_prep.resize photographs faces.h5 --size 125
    python -m data_prep.resize img_align_celeba.zip small --size 64 --crop celeba --device auto
    python -m data_prep.resize photographs small --size 64 --box 20,40,128,128 --dry-run

All cores work, memory stays bounded however many pictures there are, and a run that was stopped, by Ctrl-C, a full
disk or a kill -9, continues when the same command is given again. Broken pictures are left out and listed.

See also: ``engine/pipeline.py`` (many pictures at a time), ``engine/decode.py`` (how a JPEG is decoded smaller).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from data_prep.engine.decode import Framing
from data_prep.engine.devices import DEVICES
from data_prep.engine.pipeline import broken_lines, run_summary
from data_prep.engine.resize_folder import TargetFiles, resize_to_folder
from data_prep.engine.resize_packed import PACKED, check_target, resize_to_packed
from data_prep.engine.script import DONE, LOOK, command_parser, run, whole_number
from data_prep.engine.sources import check_any, open_source
from keras_faces.data.pictures import CROPS


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code (see `data_prep.engine.script`)."""
    options = _parser().parse_args(arguments)
    framing = {"crop": options.crop, "box": options.box, "reduced": not options.full_decode}
    Framing(options.size, **framing)  # wrong settings end here
    target = Path(options.target)
    packed = target.suffix.lower() in PACKED
    if packed and (options.format or options.quality != 95):
        raise ValueError(f"--format and --quality are for folders; {target} is a packed file, which holds plain pixels")
    if options.dry_run:
        return _dry_run(options, target, packed)
    common = {**framing, "device": options.device, "workers": options.workers, "progress": not options.quiet}
    if packed:
        report = resize_to_packed(options.source, target, options.size, **common)
    else:
        report = resize_to_folder(
            options.source, target, options.size, quality=options.quality, extension=options.format, **common
        )
    print(run_summary(report))
    return LOOK if report.broken else DONE


def _dry_run(options: argparse.Namespace, target: Path, packed: bool) -> int:
    source = open_source(options.source)
    check_any(source)
    if packed:
        check_target(target)
    else:
        TargetFiles(source, target, options.format, options.quality).check()
    size = f"{options.size}×{options.size}" if options.size else "their own size"
    print(f"{source.path}: {len(source.pictures):,} pictures would go to {target} at {size}; nothing was written")
    if packed and options.size:
        bytes_ = len(source.pictures) * 3 * options.size**2
        print(f"  the file would have {bytes_ / 2**20:,.1f} MB, and as much again is needed while it is written")
    print(f"  files of other kinds, which are ignored: {len(source.ignored):,}")
    print("\n".join(broken_lines(source.broken) or ["  files that cannot be opened: 0"]))
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


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "resize", "Resize a folder or an archive of pictures. Give the same command again to continue after a stop."
    )
    add = parser.add_argument
    add("source", metavar="SRC", help="folder, nested or flat, or archive (.zip, .tar, .tar.gz, ...)")
    add("target", metavar="DST", help="folder for files that mirror SRC, or a packed file (.h5), replaced when whole")
    add("--size", type=_size, required=True, help="height and width in pixels: 125, 64, 32 or any other; or keep")
    add("--crop", choices=CROPS, default="auto", help="which square (default: auto)")
    add("--box", type=_box, metavar="X,Y,W,H", help="take this part of each picture, in its pixels")
    add("--device", choices=DEVICES, default="cpu", help="where to resize; auto measures (default: cpu)")
    add("--workers", type=whole_number(1), metavar="N", help="threads (default: all cores)")
    add("--quality", type=whole_number(1, 100), default=95, metavar="Q", help="of JPEG and WebP (default: 95)")
    add("--format", choices=("jpg", "png"), help="for all files of a folder (default: as they were)")
    add("--full-decode", action="store_true", help="decode every JPEG whole, however small it becomes")
    add("--dry-run", action="store_true", help="say what would be done, and write nothing")
    add("--quiet", action="store_true", help="no progress bars")
    return parser


if __name__ == "__main__":
    run(main)
