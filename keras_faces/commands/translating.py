"""``keras-faces translate``: pictures made of pictures, by pix2pix or cyclegan."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.commands.options import CROPS, positive, trained_run


def add(commands) -> None:
    """Add the command."""
    command = commands.add_parser("translate", help="pictures made of pictures: pix2pix, cyclegan", allow_abbrev=False)
    command.add_argument("run", type=Path, metavar="RUN", help="a run folder of pix2pix or cyclegan")
    add_pictures(command)
    command.add_argument("--to", metavar="X|Y", help="of cyclegan: which way to go, or the name of that class (Y)")
    command.add_argument(
        "--drawn", action="store_true", help="of pix2pix: the pictures are its input already, such as outlines"
    )
    command.add_argument(
        "--out",
        type=Path,
        help="a .png file with what they were made of, or a folder for single files (RUN/translations.png)",
    )
    command.set_defaults(command=translate_pictures)


def add_pictures(command: argparse.ArgumentParser) -> None:
    """Which pictures, and how they are read."""
    command.add_argument("pictures", nargs="+", metavar="PICTURE", help='a picture, a folder, a packed .h5, or "drawn"')
    command.add_argument("--count", type=positive, default=8, help="how many of each that is no single picture (8)")
    command.add_argument(
        "--select", metavar="EXPRESSION", help='of a packed file or "drawn": only such as "!Eyeglasses"'
    )
    command.add_argument("--crop", choices=CROPS, help="of pictures (that of the run)")


def asked_pictures(options: argparse.Namespace, config):
    """The pictures that a command line asks for, in the size of the run: uint8 (count, H, W, 3)."""
    from keras_faces.given_pictures import given_pictures

    crop = options.crop or config.crop
    return given_pictures(options.pictures, config.image_size, crop, options.count, options.select)


def translate_pictures(options: argparse.Namespace) -> None:
    """Write the translations."""
    from keras_faces import plots, translate

    folder, config, model = trained_run(options.run)
    images = asked_pictures(options, config)
    rows = translate.rows(model, images, options.to, options.drawn)
    out = options.out or folder.path / "translations.png"
    if out.suffix.lower() == ".png":
        out.parent.mkdir(parents=True, exist_ok=True)
        plots.save(translate.figure(rows, title=str(folder.path)), out)
    else:
        out.mkdir(parents=True, exist_ok=True)
        for index, image in enumerate(rows[1][1]):
            plots.save_picture(image, out / f"translation-{index:05d}.png")
    print(f"{len(images)} pictures, translated ({', '.join(name for name, _ in rows)}): {out}")
