"""``keras-faces inpaint``, ``retrieve``, ``relabel`` and ``augment``: uses of codes and labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.cli.encoding import ENCODER, encoder_run, photographs
from keras_faces.cli.options import (
    add_command,
    add_picture,
    add_run,
    add_seed,
    given,
    natural,
    out_png,
    path,
    positive,
    write_picture,
)
from keras_faces.outputs import check_out
from keras_faces.runs.folder import trained_run


def register(commands) -> None:
    """Add the four commands."""
    inpaint = add_command(commands, "inpaint", inpaint_pictures, "fill a hole in photographs, by their codes")
    _add_pictures(inpaint, "photographs to damage and repair (some of the run's own)")
    where = inpaint.add_mutually_exclusive_group()
    where.add_argument("--mask", type=path, metavar="FILE", help="a picture that is white in the hole, black elsewhere")
    where.add_argument(
        "--hole", type=place, metavar="TOP,LEFT,HEIGHT,WIDTH", help="in pixels of the run's size (50/128 in the middle)"
    )
    inpaint.add_argument("--rounds", type=positive, default=1, help="how often the repaired picture is read again (1)")
    inpaint.add_argument(
        "--z-steps", type=natural, default=0, help="steps that fit z to the visible pixels (0, as the source)"
    )
    add_picture(inpaint, "inpainting")

    retrieve = add_command(commands, "retrieve", retrieve_pictures, "photographs of the same pose and expression, by z")
    _add_pictures(retrieve, "what to look for (some of the run's own photographs)")
    retrieve.add_argument("-k", type=positive, default=8, help="how many photographs of each (8)")
    add_picture(retrieve, "retrieval")

    relabel = add_command(commands, "relabel", relabel_pictures, "photographs' codes under other labels")
    _add_pictures(relabel, "whose codes (some of the run's own photographs)")
    relabel.add_argument("--as", dest="wanted", action="append", help="a label to make; may be given again (all)")
    add_picture(relabel, "relabelled")

    augment = add_command(commands, "augment", augment_run, "new faces of known and interpolated labels, packed")
    add_run(augment, "a run folder of a conditional system")
    augment.add_argument("--per-label", type=natural, default=200, help="faces of each known label (200)")
    augment.add_argument("--interpolated", type=natural, default=0, metavar="M", help="how many new labels (0)")
    augment.add_argument("--per-new", type=positive, help="faces of each new label (as many as of the known ones)")
    add_seed(augment, "of noise and new labels")
    augment.add_argument("--out", type=path, required=True, help="the .h5 file; its labels are --labels identity")


def _add_pictures(command: argparse.ArgumentParser, what: str) -> None:
    add_run(command, ENCODER)
    command.add_argument("pictures", type=path, nargs="*", metavar="PICTURE", help=what)
    command.add_argument("--label", help="of the pictures, for a system that reads labels (cvae-gan: what C says)")
    command.add_argument(
        "--data", type=given, help="where the photographs of the run are now, or others (where they were)"
    )
    command.add_argument("--count", type=positive, default=8, help="how many of the data, if no picture is given (8)")
    add_seed(command, "which of them")


def place(text: str) -> tuple[int, int, int, int]:
    """Read four numbers with commas between."""
    try:
        top, left, height, width = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be TOP,LEFT,HEIGHT,WIDTH, such as 39,39,50,50") from None
    return top, left, height, width


# ------------------------------------------------------------------------------------------------- the commands


def inpaint_pictures(options: argparse.Namespace) -> None:
    """Damage photographs, repair them, and write the picture."""
    from keras_faces.applications import inpaint

    out = out_png(options, "inpainting")
    config, model = encoder_run(options.run)
    mask = inpaint.hole(config.image_size, options.hole)
    if options.mask is not None:
        mask = read_mask(options.mask, config.image_size)
    images, labels, which = _asked(options, config)
    found = inpaint.inpaint(model, images, mask, labels, options.rounds, options.z_steps)
    write_picture(inpaint.figure_of(found, title=str(options.run)), out)
    repaired, damaged = found.psnr()
    print(f"{len(images)} photographs ({which}), {mask.mean():.0%} of each damaged and repaired: {out}")
    print(f"  in the hole: {repaired:.1f} dB PSNR; the mean colour that was put there before has {damaged:.1f} dB")


def retrieve_pictures(options: argparse.Namespace) -> None:
    """Find the nearest photographs of pictures, and write the picture."""
    from keras_faces.applications import retrieve

    out = out_png(options, "retrieval")
    config, model = encoder_run(options.run)
    images, labels, which = _asked(options, config)
    faces = _gallery(options, config, model)
    indices, distances = retrieve.retrieve(model, images, faces, options.k, labels)
    title = f"{options.run}: (b) nearest in z of {len(faces):,} photographs, with their distance"
    write_picture(retrieve.figure_of(images, faces, indices, distances, title), out)
    print(f"{len(images)} pictures ({which}) looked up in {faces.source}:")
    for picture, row in enumerate(indices, start=1):
        print(f"  {picture}: {', '.join(faces.names[index] for index in row)}")
    print(f"the picture: {out}")


def relabel_pictures(options: argparse.Namespace) -> None:
    """Write photographs and their codes under other labels."""
    from keras_faces.applications import relabel
    from keras_faces.figures import label_grids

    out = out_png(options, "relabelled")
    config, model = encoder_run(options.run)
    images, labels, which = _asked(options, config)
    wanted = options.wanted or (label_grids.labels_to_show(model) if hasattr(model, "label_vectors") else [])
    made = relabel.relabelled(model, images, wanted, labels)
    write_picture(relabel.figure_of(images, wanted, made, title=str(options.run)), out)
    print(f"The codes of {len(images)} photographs ({which}) under {len(wanted)} labels: {out}")


def augment_run(options: argparse.Namespace) -> None:
    """Write the packed file."""
    from keras_faces.applications.augment import augment

    check_out(options.out)
    model = trained_run(options.run)[2]
    wanted = augment(model, options.out, options.per_label, options.interpolated, options.per_new, options.seed)
    known = len(wanted.names) - options.interpolated
    print(f"{len(wanted.persons):,} faces of {known} known and {options.interpolated} new labels: {options.out}")
    print(f"  read them by --data {options.out} --labels identity")


# ------------------------------------------------------------------------------------------------ what they read


def _asked(options: argparse.Namespace, config):
    """The pictures that are asked for, uint8 (n, H, W, 3), their labels, and in words which they are."""
    if options.pictures:
        from keras_faces.data import load_images

        return load_images(options.pictures, config.image_size, config.crop), options.label, "given"
    faces, which = photographs(config, options.data, options.count, options.seed)
    labels = faces.labels.vectors if config.labels and options.label is None else options.label
    return faces.images[:], labels, which


def _gallery(options: argparse.Namespace, config, model):
    """The run's photographs; those of --data without their labels, if the model can name them itself."""
    from dataclasses import replace

    from keras_faces import data

    try:
        return replace(config, data=options.data or config.data, label_names=[], label_kind="").faces()
    except ValueError as error:
        if options.data is None or not hasattr(model, "named"):
            raise
        print(f"{error}\nC says what is on them instead.")
        return data.load(options.data, config.image_size, crop=config.crop)


def read_mask(path: Path, image_size: int):
    """Read a mask, float32 (image_size, image_size): 1 where the picture is brighter than middle grey."""
    import cv2
    import numpy as np

    from keras_faces.data.pictures import PictureError, decode

    try:
        picture = decode(path)
    except PictureError as error:
        raise ValueError(f"--mask {path}: {error}") from error
    grey = cv2.resize(picture, (image_size, image_size), interpolation=cv2.INTER_NEAREST).mean(axis=2)
    return (grey > 127).astype(np.float32)
