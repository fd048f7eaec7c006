"""``keras-faces translate`` (pix2pix, cyclegan) and ``complete`` (pixelcnn, pixelrnn): pictures made of pictures."""

from __future__ import annotations

import argparse

from keras_faces.cli.options import (
    CROPS,
    add_command,
    add_picture,
    add_run,
    add_seed,
    add_truncation,
    given,
    out_png,
    out_png_or_folder,
    path,
    positive,
    write_picture,
)
from keras_faces.runs.folder import trained_run

PARTS = ("lower", "right", "upper", "left", "middle")  # of figures/complete.py


def register(commands) -> None:
    """Add both commands."""
    translate = add_command(commands, "translate", translate_pictures, "pictures made of pictures: pix2pix, cyclegan")
    add_run(translate, "a run folder of pix2pix or cyclegan")
    _add_pictures(translate)
    translate.add_argument("--to", metavar="X|Y", help="of cyclegan: the direction, or the name of that class (Y)")
    translate.add_argument(
        "--drawn", action="store_true", help="of pix2pix: the pictures are its input already, such as outlines"
    )
    translate.add_argument(
        "--out",
        type=path,
        help="a .png file with what they were made of, or a folder for single files (RUN/translations.png)",
    )

    complete = add_command(commands, "complete", complete_pictures, "half-hidden faces: pixelcnn, pixelrnn")
    add_run(complete, "a run folder of pixelcnn or pixelrnn")
    _add_pictures(complete)
    complete.add_argument("--hide", choices=PARTS, default="lower", help="which part of a face (lower)")
    complete.add_argument("--times", type=positive, default=4, help="completions of each (4)")
    add_seed(complete)
    add_truncation(complete)
    add_picture(complete, "completions")


def _add_pictures(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "pictures", nargs="+", type=given, metavar="PICTURE", help='a picture, a folder, a packed .h5, or "drawn"'
    )
    command.add_argument("--count", type=positive, default=8, help="how many of each that is not a single picture (8)")
    command.add_argument("--select", metavar="EXPRESSION", help='of a packed file or "drawn": only "!Eyeglasses"')
    command.add_argument("--crop", choices=CROPS, help="how pictures are cropped (as in the run)")


def _pictures(options: argparse.Namespace, config):
    """The pictures of a command line in the size of the run: uint8 (count, H, W, 3)."""
    from keras_faces.data import load_images

    crop = options.crop or config.crop
    return load_images(options.pictures, config.image_size, crop, options.count, options.select)


def translate_pictures(options: argparse.Namespace) -> None:
    """Write the translations."""
    from keras_faces.figures import translate

    out = out_png_or_folder(options, "translations")
    folder, config, model = trained_run(options.run)
    images = _pictures(options, config)
    rows = translate.rows(model, images, options.to, options.drawn)
    if out.suffix.lower() == ".png":
        write_picture(translate.figure(rows, title=str(folder.path)), out)
    else:
        for index, image in enumerate(rows[1][1]):
            write_picture(image, out / f"translation-{index:05d}.png")
    print(f"{len(images)} pictures, translated ({', '.join(name for name, _ in rows)}): {out}")


def complete_pictures(options: argparse.Namespace) -> None:
    """Write faces, what is shown of them, and their completions."""
    from keras_faces.figures import complete

    out = out_png(options, "completions")
    folder, config, model = trained_run(options.run)
    images = _pictures(options, config)
    hidden = complete.hidden_part(options.hide, config.image_size)
    completed = complete.completions(model, images, hidden, options.times, options.seed, options.truncation)
    write_picture(complete.figure(images, hidden, completed, title=str(folder.path)), out)
    print(f"{len(images)} faces, their {options.hide} part drawn {options.times} times: {out}")
