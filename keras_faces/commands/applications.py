"""``keras-faces inpaint``, ``retrieve``, ``relabel`` and ``augment``: what codes and labels are good for."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.commands.options import natural, png, positive, trained_run


def add(commands) -> None:
    """Add the four commands."""
    inpaint = commands.add_parser("inpaint", help="fill a hole in photographs, by their codes", allow_abbrev=False)
    _add_pictures(inpaint, "photographs to damage and repair (some of the run's own)")
    where = inpaint.add_mutually_exclusive_group()
    where.add_argument("--mask", type=Path, metavar="FILE", help="a picture that is white in the hole, black elsewhere")
    where.add_argument(
        "--hole", type=place, metavar="TOP,LEFT,HEIGHT,WIDTH", help="in pixels of the run's size (50/128 in the middle)"
    )
    inpaint.add_argument("--rounds", type=positive, default=1, help="how often the repaired picture is read again (1)")
    inpaint.add_argument(
        "--z-steps", type=natural, default=0, help="steps in which z then nears what can be seen (0, the source's way)"
    )
    inpaint.add_argument("--out", type=Path, help="the .png file (RUN/inpainting.png)")
    inpaint.set_defaults(command=inpaint_pictures)

    retrieve = commands.add_parser(
        "retrieve", help="photographs of the same pose and expression: nearest in z", allow_abbrev=False
    )
    _add_pictures(retrieve, "what to look for (some of the run's own photographs)")
    retrieve.add_argument("-k", type=positive, default=8, help="how many photographs of each (8)")
    retrieve.add_argument("--out", type=Path, help="the .png file (RUN/retrieval.png)")
    retrieve.set_defaults(command=retrieve_pictures)

    relabel = commands.add_parser("relabel", help="photographs' codes under other labels", allow_abbrev=False)
    _add_pictures(relabel, "whose codes (some of the run's own photographs)")
    relabel.add_argument("--as", dest="wanted", action="append", help="a label to make; may be given again (all)")
    relabel.add_argument("--out", type=Path, help="the .png file (RUN/relabelled.png)")
    relabel.set_defaults(command=relabel_pictures)

    augment = commands.add_parser(
        "augment", help="new faces of known and of interpolated labels, as a packed file", allow_abbrev=False
    )
    augment.add_argument("run", type=Path, metavar="RUN", help="a run folder of a conditional system")
    augment.add_argument("--per-label", type=natural, default=200, help="faces of each known label (200)")
    augment.add_argument("--interpolated", type=natural, default=0, metavar="M", help="how many new labels (0)")
    augment.add_argument("--per-new", type=positive, help="faces of each new label (as many as of the known ones)")
    augment.add_argument("--seed", type=natural, default=0, help="of noise and new labels (0)")
    augment.add_argument("--out", type=Path, required=True, help="the .h5 file; its labels are --labels identity")
    augment.set_defaults(command=augment_run)


def _add_pictures(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("run", type=Path, metavar="RUN", help="a run folder of a system with an encoder")
    command.add_argument("pictures", type=Path, nargs="*", metavar="PICTURE", help=what)
    command.add_argument("--label", help="of the pictures, for a system that reads labels (cvae-gan: what C says)")
    command.add_argument("--data", help="where the photographs of the run are now, or others (where they were)")
    command.add_argument("--count", type=positive, default=8, help="how many of the data, if no picture is given (8)")
    command.add_argument("--seed", type=natural, default=0, help="which of them (0)")


def place(text: str) -> tuple[int, int, int, int]:
    """Four numbers with commas between."""
    try:
        top, left, height, width = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be TOP,LEFT,HEIGHT,WIDTH, such as 39,39,50,50") from None
    return top, left, height, width


# ------------------------------------------------------------------------------------------------- the commands


def inpaint_pictures(options: argparse.Namespace) -> None:
    """Damage photographs, repair them, and write the picture."""
    from keras_faces import plots
    from keras_faces.applications import inpaint

    out = png(options.out or options.run / "inpainting.png")
    folder, config, model = _encoding_run(options.run)
    mask = inpaint.hole(config.image_size, options.hole)
    if options.mask is not None:
        mask = read_mask(options.mask, config.image_size)
    images, labels, which = _asked(options, config)
    found = inpaint.inpaint(model, images, mask, labels, options.rounds, options.z_steps)
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save(inpaint.figure_of(found, title=str(folder.path)), out)
    repaired, damaged = found.psnr()
    print(f"{len(images)} photographs ({which}), {mask.mean():.0%} of each damaged and repaired: {out}")
    print(f"  in the hole: {repaired:.1f} dB PSNR; the mean colour that was put there before has {damaged:.1f} dB")


def retrieve_pictures(options: argparse.Namespace) -> None:
    """Look up pictures, and write what was found."""
    from keras_faces import plots
    from keras_faces.applications import retrieve

    out = png(options.out or options.run / "retrieval.png")
    folder, config, model = _encoding_run(options.run)
    images, labels, which = _asked(options, config)
    faces = _gallery(options, config, model)
    numbers, distances = retrieve.retrieve(model, images, faces, options.k, labels)
    out.parent.mkdir(parents=True, exist_ok=True)
    title = f"{folder.path}: (b) nearest in z of {len(faces):,} photographs, with their distance"
    plots.save(retrieve.figure_of(images, faces, numbers, distances, title), out)
    print(f"{len(images)} pictures ({which}) looked up in {faces.source}:")
    for picture, row in enumerate(numbers):
        print(f"  {picture + 1}: {', '.join(faces.names[number] for number in row)}")
    print(f"the picture: {out}")


def relabel_pictures(options: argparse.Namespace) -> None:
    """Write photographs and their codes under other labels."""
    from keras_faces import label_pictures, plots
    from keras_faces.applications import relabel

    out = png(options.out or options.run / "relabelled.png")
    folder, config, model = _encoding_run(options.run)
    images, labels, which = _asked(options, config)
    wanted = options.wanted or (label_pictures.labels_to_show(model) if hasattr(model, "label_vectors") else [])
    made = relabel.relabelled(model, images, wanted, labels)
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save(relabel.figure_of(images, wanted, made, title=str(folder.path)), out)
    print(f"The codes of {len(images)} photographs ({which}) under {len(wanted)} labels: {out}")


def augment_run(options: argparse.Namespace) -> None:
    """Write the packed file."""
    from keras_faces.applications.augment import augment

    _, _, model = trained_run(options.run)
    wanted = augment(model, options.out, options.per_label, options.interpolated, options.per_new, options.seed)
    known = len(wanted.names) - options.interpolated
    print(f"{len(wanted.persons):,} faces of {known} known and {options.interpolated} new labels: {options.out}")
    print(f"  read them by --data {options.out} --labels identity")


# ------------------------------------------------------------------------------------------------ what they read


def _encoding_run(path: Path):
    """Folder, configuration and model of a run with an encoder."""
    from keras_faces.encoding_pictures import check_encoder

    folder, config, model = trained_run(path)
    check_encoder(model, str(path))
    return folder, config, model


def _asked(options: argparse.Namespace, config):
    """The pictures that are asked for, uint8 (n, H, W, 3), their labels, and in words which they are."""
    import numpy as np

    from keras_faces.commands.encoding import photographs, read

    if options.pictures:
        return np.stack([read(path, config) for path in options.pictures]), options.label, "given"
    faces, which = photographs(config, options.data, options.count, options.seed)
    labels = faces.labels.vectors if config.labels and options.label is None else options.label
    return np.asarray(faces.images[np.arange(len(faces))]), labels, which


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
    """A mask, float32 (image_size, image_size): 1 where the picture is brighter than middle grey."""
    import cv2
    import numpy as np

    from keras_faces.data.pictures import PictureError, decode

    try:
        picture = decode(path)
    except PictureError as error:
        raise ValueError(f"--mask {path}: {error}") from error
    grey = cv2.resize(picture, (image_size, image_size), interpolation=cv2.INTER_NEAREST).mean(axis=2)
    return (grey > 127).astype(np.float32)
