"""``keras-faces reconstruct``, ``morph``, ``latent-map`` and ``eigenfaces``: pictures of runs that have an encoder."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from keras_faces.commands.options import natural, png, positive, trained_run, two_or_more


def add(commands) -> None:
    """Add the four commands."""
    again = commands.add_parser(
        "reconstruct", help="photographs above what a run's codes keep of them", allow_abbrev=False
    )
    _add_run(again)
    again.add_argument("--count", type=positive, default=32, help="how many photographs (32)")
    again.add_argument("--columns", type=positive, default=8, help="photographs side by side (8)")
    again.add_argument("--out", type=Path, help="the .png file (RUN/reconstructions.png)")
    again.set_defaults(command=reconstruct_photographs)

    way = commands.add_parser("morph", help="from one photograph to another: a picture and a GIF", allow_abbrev=False)
    way.add_argument("run", type=Path, metavar="RUN", help="a run folder of a system with an encoder")
    way.add_argument("pictures", type=Path, nargs=2, metavar="PICTURE", help="two photographs of faces")
    way.add_argument("--steps", type=two_or_more, default=8, help="faces on the way (8)")
    way.add_argument(
        "--mode", choices=("linear", "spherical"), default="linear", help="straight, or along the sphere (linear)"
    )
    way.add_argument(
        "--label",
        action="append",
        default=[],
        help='of a conditional system: what both show, such as "Smiling"; given twice: what each shows',
    )
    way.add_argument("--out", type=Path, help="the picture; the GIF lies beside it (RUN/morph.png)")
    way.set_defaults(command=morph_pictures)

    place = commands.add_parser(
        "latent-map", help="where the codes of photographs lie, in two dimensions", allow_abbrev=False
    )
    _add_run(place)
    place.add_argument("--count", type=positive, default=1000, help="how many photographs (1,000)")
    place.add_argument("--labels", help='what to colour by, as in `train`: "Smiling, Male" (the run\'s labels)')
    place.add_argument("--out", type=Path, help="the .png file (RUN/latent-map.png)")
    place.set_defaults(command=draw_map)

    faces = commands.add_parser(
        "eigenfaces", help="of pca: mean, components, and error against their number", allow_abbrev=False
    )
    _add_run(faces, "a run folder of pca")
    faces.add_argument("--components", type=positive, default=24, help="how many to draw (24)")
    faces.add_argument("--count", type=positive, default=1000, help="photographs for the curve (1,000)")
    faces.add_argument("--out", type=Path, help="the .png file; the curve lies beside it (RUN/eigenfaces.png)")
    faces.set_defaults(command=draw_eigenfaces)


def _add_run(command: argparse.ArgumentParser, what: str = "a run folder of a system with an encoder") -> None:
    command.add_argument("run", type=Path, metavar="RUN", help=what)
    command.add_argument("--data", help="other photographs (the run's own, those it was not trained on if there are)")
    command.add_argument("--seed", type=natural, default=0, help="which photographs (0)")


# ------------------------------------------------------------------------------------------------ commands


def reconstruct_photographs(options: argparse.Namespace) -> None:
    """Write photographs and their reconstructions, and say how near they are."""
    from keras_faces import encoding_pictures, plots

    out = png(options.out or options.run / "reconstructions.png")
    config, model = _encoder_run(options.run)
    faces, which = photographs(config, options.data, options.count, options.seed)
    images = faces.images[:]
    found, psnr = encoding_pictures.reconstructions(model, images, _labels_of(model, faces))
    picture = encoding_pictures.picture_of_reconstructions(images, found, min(options.columns, len(images)))
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save_picture(picture, out)
    print(f"{len(images)} photographs ({which}) above their reconstructions, PSNR {psnr:.1f} dB: {out}")


def morph_pictures(options: argparse.Namespace) -> None:
    """Write the way from one photograph to the other as a row, with both photographs at its ends, and as a GIF."""
    import numpy as np

    from keras_faces import encoding_pictures, plots

    out = png(options.out or options.run / "morph.png")
    config, model = _encoder_run(options.run)
    images = np.stack([read(path, config) for path in options.pictures])
    between = encoding_pictures.morph(model, *images, options.steps, options.mode, _labels_asked(model, options.label))
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save_picture(plots.tile(np.concatenate([images[:1], between, images[1:]]), columns=len(between) + 2), out)
    animated = out.with_suffix(".gif")
    there_and_back = [*between, *between[-2:0:-1]]
    plots.animation([plots.magnify(face, 192) for face in there_and_back], animated, milliseconds=120, hold=1)
    print(f"{options.pictures[0]} into {options.pictures[1]} in {len(between)} steps, {options.mode}; the photographs")
    print(f"are at the ends, their reconstructions beside them:\n  {out}\n  {animated}")


def draw_map(options: argparse.Namespace) -> None:
    """Write the map of the latent space."""
    from keras_faces import encoding_pictures, plots

    out = png(options.out or options.run / "latent-map.png")
    config, model = _encoder_run(options.run)
    faces, which = photographs(config, options.data, options.count, options.seed)
    images, told = faces.images[:], _labels_of(model, faces)
    found = encoding_pictures.latent_map(model, images, told)
    colours = _colours(faces, options.labels)
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save(encoding_pictures.figure_of_map(found, images, colours, title=str(options.run)), out)
    print(f"The codes of {len(images):,} photographs ({which}): {out}")


def draw_eigenfaces(options: argparse.Namespace) -> None:
    """Write the eigenfaces, and the curve of errors as a picture and a table."""
    from keras_faces import eigenfaces, plots
    from keras_faces.files import replacing

    out = png(options.out or options.run / "eigenfaces.png")
    _, config, model = trained_run(options.run)
    eigenfaces.check_pca(model, str(options.run))
    faces, which = photographs(config, options.data, options.count, options.seed)
    images = faces.images[:]
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save(eigenfaces.figure(model, options.components), out)
    table = eigenfaces.curve(model, images)
    errors = out.with_name(f"{out.stem}-errors.png")
    plots.save(eigenfaces.figure_of_errors(model, images, table), errors)
    with replacing(errors.with_suffix(".csv")) as beside:
        table.to_csv(beside, index=False, float_format="%.6g")
    print(f"The mean face and {min(options.components, model.latent_dim)} of {model.latent_dim} eigenfaces: {out}")
    print(f"What {len(images):,} photographs ({which}) lose: {errors}\n  the numbers: {errors.with_suffix('.csv')}")


# ------------------------------------------------------------------------------------------------- helpers


def _encoder_run(path: Path):
    """The configuration and the model of a run, which must have an encoder."""
    from keras_faces.encoding_pictures import check_encoder

    _, config, model = trained_run(path)
    check_encoder(model, str(path))
    return config, model


def photographs(config, data: str | None, count: int, seed: int):
    """Some photographs for a run, labelled as it has learnt, and in words which they are.

    Parameters
    ----------
    config
        The run's ``RunConfig``.
    data
        Other photographs than its own.
    count, seed
        How many, at most, and which.

    Raises
    ------
    ValueError
        If the labels of ``data`` are not those that the run has learnt.
    """
    from keras_faces import evaluate

    if data is not None:
        other = replace(config, data=data, count=None if data != "drawn" else max(count, 1000))
        faces, which = other.faces(), data
    else:
        own = evaluate.photographs(replace(config), count=max(count, 1000))
        which, faces = own.split(None)
        if config.labels and which == "held-out":
            faces, which = _labelled(faces, config, own.training)
    if config.labels and list(faces.labels.names) != config.label_names:
        raise ValueError(
            f"{faces.source} has the labels {', '.join(faces.labels.names[:10])}, and the run has learnt "
            f"{', '.join(config.label_names[:10])}: take photographs of these by --data, or leave --data out."
        )
    return faces.take(evaluate.some(len(faces), count, seed)), which


def _labelled(faces, config, training):
    """The held-out photographs with the run's labels; those it was trained on where they have others."""
    try:
        told = faces.labelled(config.labels)
    except ValueError:  # other people, or no table of attributes
        return training, "training"
    return (told, "held-out") if list(told.labels.names) == config.label_names else (training, "training")


def _labels_of(model, faces):
    return faces.labels.vectors if hasattr(model, "label_vectors") else None


def _labels_asked(model, asked: list[str]):
    """The labels of both photographs for a system that reads some: two texts, or None."""
    if not hasattr(model, "label_vectors"):
        if asked:
            raise ValueError(f"{model.name} reads no labels: leave --label out.")
        return None
    if not 1 <= len(asked) <= 2:
        known = ", ".join(model.label_names[:10])
        raise ValueError(f"{model.name} reads a face together with its label: give one --label, or two, of {known}.")
    return [asked[0], asked[-1]]


def _colours(faces, labels: str | None):
    """What to colour a map by: what is asked for, the run's labels, or attributes that can be seen."""
    from keras_faces.encoding_pictures import names_to_colour_by

    if labels is None and faces.labels is not None:
        return faces.labels
    if labels is None and faces.attributes is not None:
        labels = names_to_colour_by(faces.attributes)
    if labels is None:
        return None
    coloured = faces.labelled(labels)
    if len(coloured) != len(faces):
        raise ValueError(
            f"--labels {labels!r} leaves out some of the photographs: name attributes, or classes for all."
        )
    return coloured.labels


def read(path: Path, config):
    """A picture file as the run's photographs were read: uint8 (H, W, 3) of its size."""
    from keras_faces.data.pictures import PictureError, decode, to_square

    try:
        return to_square(decode(path), config.image_size, config.crop)
    except PictureError as error:
        raise ValueError(f"{path}: {error}. Give two photographs of faces, such as .jpg or .png files.") from error
