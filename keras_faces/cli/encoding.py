"""``keras-faces reconstruct``, ``morph``, ``latent-map`` and ``eigenfaces``: pictures of runs that have an encoder."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from keras_faces.cli.options import (
    add_command,
    add_picture,
    add_run,
    add_seed,
    given,
    out_png,
    path,
    positive,
    two_or_more,
    write_picture,
)
from keras_faces.runs.folder import trained_run

ENCODER = "a run folder of a system with an encoder"


def register(commands) -> None:
    """Add the four commands."""
    again = add_command(commands, "reconstruct", reconstruct_photographs, "photographs above their reconstructions")
    _add_run(again)
    again.add_argument("--count", type=positive, default=32, help="how many photographs (32)")
    again.add_argument("--columns", type=positive, default=8, help="photographs side by side (8)")
    add_picture(again, "reconstructions")

    morph = add_command(commands, "morph", morph_pictures, "from one photograph to another: a picture and a GIF")
    add_run(morph, ENCODER)
    morph.add_argument("pictures", type=path, nargs=2, metavar="PICTURE", help="two photographs of faces")
    morph.add_argument("--steps", type=two_or_more, default=8, help="faces on the way (8)")
    morph.add_argument(
        "--mode", choices=("linear", "spherical"), default="linear", help="straight, or along the sphere (linear)"
    )
    morph.add_argument(
        "--label",
        action="append",
        default=[],
        help='of a conditional system: what both show, such as "Smiling"; given twice: what each shows',
    )
    add_picture(morph, "morph", "; the GIF is beside it")

    latent_map = add_command(commands, "latent-map", draw_map, "where the codes of photographs are, in two dimensions")
    _add_run(latent_map)
    latent_map.add_argument("--count", type=positive, default=1000, help="how many photographs (1,000)")
    latent_map.add_argument("--labels", help='what to colour by, as in `train`: "Smiling, Male" (the run\'s labels)')
    add_picture(latent_map, "latent-map")

    faces = add_command(commands, "eigenfaces", draw_eigenfaces, "of pca: mean, components, error against their number")
    _add_run(faces, "a run folder of pca")
    faces.add_argument("--components", type=positive, default=24, help="how many to draw (24)")
    faces.add_argument("--count", type=positive, default=1000, help="photographs for the curve (1,000)")
    add_picture(faces, "eigenfaces", "; the curve is beside it")


def _add_run(command: argparse.ArgumentParser, what: str = ENCODER) -> None:
    add_run(command, what)
    command.add_argument(
        "--data", type=given, help="other photographs (the run's own, those it was not trained on if there are)"
    )
    add_seed(command, "which photographs")


# ------------------------------------------------------------------------------------------------ commands


def reconstruct_photographs(options: argparse.Namespace) -> None:
    """Write photographs and their reconstructions, and say how near they are."""
    from keras_faces.figures import encoding

    out = out_png(options, "reconstructions")
    config, model = encoder_run(options.run)
    faces, which = photographs(config, options.data, options.count, options.seed)
    images = faces.images[:]
    found, psnr = encoding.reconstructions(model, images, _labels_of(model, faces))
    write_picture(encoding.picture_of_reconstructions(images, found, min(options.columns, len(images))), out)
    print(f"{len(images)} photographs ({which}) above their reconstructions, PSNR {psnr:.1f} dB: {out}")


def morph_pictures(options: argparse.Namespace) -> None:
    """Write the way from one photograph to the other as a row, with both photographs at its ends, and as a GIF."""
    import numpy as np

    from keras_faces.data import load_images
    from keras_faces.figures import encoding, grids

    out = out_png(options, "morph", ".gif")
    config, model = encoder_run(options.run)
    images = load_images(options.pictures, config.image_size, config.crop, count=1)
    between = encoding.morph(model, *images, options.steps, options.mode, _labels_asked(model, options.label))
    write_picture(grids.tile(np.concatenate([images[:1], between, images[1:]]), columns=len(between) + 2), out)
    animated = out.with_suffix(".gif")
    there_and_back = [*between, *between[-2:0:-1]]
    grids.animation([grids.magnify(face, 192) for face in there_and_back], animated, milliseconds=120, hold=1)
    print(f"{options.pictures[0]} into {options.pictures[1]} in {len(between)} steps, {options.mode}; the photographs")
    print(f"are at the ends, their reconstructions beside them:\n  {out}\n  {animated}")


def draw_map(options: argparse.Namespace) -> None:
    """Write the map of the latent space."""
    from keras_faces.figures import encoding

    out = out_png(options, "latent-map")
    config, model = encoder_run(options.run)
    faces, which = photographs(config, options.data, options.count, options.seed)
    images = faces.images[:]
    found = encoding.latent_map(model, images, _labels_of(model, faces))
    write_picture(encoding.figure_of_map(found, images, _colours(faces, options.labels), title=str(options.run)), out)
    print(f"The codes of {len(images):,} photographs ({which}): {out}")


def draw_eigenfaces(options: argparse.Namespace) -> None:
    """Write the eigenfaces, and the curve of errors as a picture and a table."""
    from keras_faces.figures import eigenfaces
    from keras_faces.files import atomic_write

    out = out_png(options, "eigenfaces", "-errors.png", "-errors.csv")
    _, config, model = trained_run(options.run)
    eigenfaces.check_pca(model, str(options.run))
    faces, which = photographs(config, options.data, options.count, options.seed)
    images = faces.images[:]
    write_picture(eigenfaces.figure(model, options.components), out)
    table = eigenfaces.curve(model, images)
    errors = out.with_name(f"{out.stem}-errors.png")
    write_picture(eigenfaces.figure_of_errors(model, images, table), errors)
    with atomic_write(errors.with_suffix(".csv")) as beside:
        table.to_csv(beside, index=False, float_format="%.6g")
    print(f"The mean face and {min(options.components, model.latent_dim)} of {model.latent_dim} eigenfaces: {out}")
    print(f"What {len(images):,} photographs ({which}) lose: {errors}\n  the numbers: {errors.with_suffix('.csv')}")


# ------------------------------------------------------------------------------------------------- helpers


def encoder_run(path: Path):
    """Return the configuration and the model of a run; raise ValueError if it has no encoder."""
    from keras_faces.figures.encoding import check_encoder

    _, config, model = trained_run(path)
    check_encoder(model, str(path))
    return config, model


def photographs(config, data: str | None, count: int, seed: int):
    """Load some photographs for a run, labelled as it has learnt.

    Parameters
    ----------
    config : RunConfig
        Of the run.
    data : str or None
        Other photographs than its own.
    count, seed : int
        How many, at most, and which.

    Returns
    -------
    faces : Faces
        The photographs.
    which : str
        Which they are, in words.

    Raises
    ------
    ValueError
        If the labels of ``data`` are not those that the run has learnt.
    """
    from keras_faces.runs import reference

    if data is not None:
        other = replace(config, data=data, count=None if data != "drawn" else max(count, 1000))
        faces, which = other.faces(), data
    else:
        own = reference.photographs(replace(config), count=max(count, 1000))
        which, faces = own.split(None)
        if config.labels and which == "held-out":
            faces, which = _labelled(faces, config, own.training)
    if config.labels and list(faces.labels.names) != config.label_names:
        raise ValueError(
            f"{faces.source} has the labels {', '.join(faces.labels.names[:10])}, and the run has learnt "
            f"{', '.join(config.label_names[:10])}: take photographs of these by --data, or leave --data out."
        )
    return faces.take(reference.some(len(faces), count, seed)), which


def _labelled(faces, config, training):
    """The held-out photographs with the run's labels; those it was trained on where they have others."""
    try:
        labelled = faces.labelled(config.labels)
    except ValueError:  # other people, or no table of attributes
        return training, "training"
    return (labelled, "held-out") if list(labelled.labels.names) == config.label_names else (training, "training")


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
    from keras_faces.figures.encoding import names_to_colour_by

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
