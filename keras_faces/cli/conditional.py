"""``keras-faces classes`` and ``attributes``: what a conditional system makes of its labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.cli.options import (
    add_command,
    add_picture,
    add_run,
    add_seed,
    add_truncation,
    numbers,
    out_png,
    positive,
    write_picture,
)
from keras_faces.runs.folder import trained_run

STRENGTHS = "0, 0.25, 0.5, 0.75, 1, 1.5"


def register(commands) -> None:
    """Add both commands."""
    classes = add_command(commands, "classes", draw_classes, "a row for each label, the same noise down each column")
    add_run(classes, "a run folder of a conditional system")
    classes.add_argument("--label", action="append", help='a row, such as "Smiling, !Male"; may be given again (all)')
    _add_faces(classes)
    add_picture(classes, "classes")

    attributes = add_command(commands, "attributes", draw_attributes, "an attribute at growing strength, same noise")
    add_run(attributes, "a run folder of a conditional system")
    attributes.add_argument("--add", required=True, help='what to add: "Smiling", "Smiling, !Male", or a class')
    attributes.add_argument("--from", dest="start", help='what to begin with: "Male" (none; or the first class)')
    attributes.add_argument(
        "--strengths", type=numbers, default=STRENGTHS, help=f"how much to add, a row for each ({STRENGTHS})"
    )
    _add_faces(attributes)
    add_picture(attributes, "attributes-ADD")


def _add_faces(command: argparse.ArgumentParser) -> None:
    command.add_argument("--faces", type=positive, default=8, help="how many noise vectors, a column for each (8)")
    add_seed(command)
    add_truncation(command)


def draw_classes(options: argparse.Namespace) -> None:
    """Write the picture of all labels."""
    from keras_faces.figures import label_grids

    out = out_png(options, "classes")
    model = conditional_run(options.run)
    labels = options.label or label_grids.labels_to_show(model)
    images = label_grids.same_noise(model, labels, options.faces, options.seed, options.truncation)
    write_picture(label_grids.figure_of_labels(model, labels, images), out)
    print(f"{len(labels)} labels, {options.faces} faces of each: {out}")
    left_out = len(model.label_names) - len(labels)
    if not options.label and model.label_kind == "classes" and left_out > 0:
        print(f"  {left_out} more classes; say which by --label")


def draw_attributes(options: argparse.Namespace) -> None:
    """Write the picture of a growing attribute."""
    from keras_faces.figures import label_grids

    name = "".join(letter if letter.isalnum() else "-" for letter in options.add).strip("-")
    out = out_png(options, f"attributes-{name}")
    model = conditional_run(options.run)
    start = options.start
    if start is None:
        others = [label for label in model.label_names if label != options.add]
        start = "" if model.label_kind == "attributes" else others[0]
    values = options.strengths
    images = label_grids.strengths(model, options.add, start, values, options.faces, options.seed, options.truncation)
    write_picture(label_grids.figure_of_strengths(model, options.add, start, values, images), out)
    print(f"{options.add}, {len(values)} strengths of it, {options.faces} faces: {out}")


def conditional_run(path: Path):
    """Return the model of a run; raise ValueError if it makes faces without a label."""

    model = trained_run(path)[2]
    if not hasattr(model, "label_vectors"):
        raise ValueError(f"{path} is a run of {model.name}, which makes faces without being told a label.")
    return model
