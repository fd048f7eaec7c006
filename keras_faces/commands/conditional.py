"""``keras-faces classes`` and ``attributes``: what a conditional system makes of its labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.commands.options import natural, png, positive, trained_run

STRENGTHS = "0, 0.25, 0.5, 0.75, 1, 1.5"


def add(commands) -> None:
    """Add the two commands."""
    classes = commands.add_parser("classes", help="a label a row, the same noise down each column", allow_abbrev=False)
    classes.add_argument("run", type=Path, metavar="RUN", help="a run folder of a conditional system")
    classes.add_argument(
        "--label", action="append", help='a row, such as "Smiling, !Male"; may be given again (all classes)'
    )
    _add_faces(classes)
    classes.add_argument("--out", type=Path, help="the .png file (RUN/classes.png)")
    classes.set_defaults(command=draw_classes)

    attributes = commands.add_parser(
        "attributes", help="an attribute, more and more of it, at the same noise", allow_abbrev=False
    )
    attributes.add_argument("run", type=Path, metavar="RUN", help="a run folder of a conditional system")
    attributes.add_argument("--add", required=True, help='what to add: "Smiling", "Smiling, !Male", or a class')
    attributes.add_argument("--from", dest="start", help='what to begin with: "Male" (none; or the first class)')
    attributes.add_argument(
        "--strengths", type=numbers, default=STRENGTHS, help=f"how much to add, a row each ({STRENGTHS})"
    )
    _add_faces(attributes)
    attributes.add_argument("--out", type=Path, help="the .png file (RUN/attributes-ADD.png)")
    attributes.set_defaults(command=draw_attributes)


def _add_faces(command: argparse.ArgumentParser) -> None:
    command.add_argument("--faces", type=positive, default=8, help="how many noise vectors, a column each (8)")
    command.add_argument("--seed", type=natural, default=0, help="seed of the noise (0)")
    command.add_argument("--truncation", type=float, help="no noise beyond so many standard deviations (no limit)")


def numbers(text: str) -> list[float]:
    """Numbers with commas between."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be numbers with commas between, such as 0, 0.5, 1") from None
    return found


def draw_classes(options: argparse.Namespace) -> None:
    """Write the picture of all labels."""
    from keras_faces import label_pictures, plots

    out = png(options.out or options.run / "classes.png")
    model = conditional_run(options.run)
    labels = options.label or label_pictures.labels_to_show(model)
    images = label_pictures.same_noise(model, labels, options.faces, options.seed, options.truncation)
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save(label_pictures.figure_of_labels(model, labels, images), out)
    print(f"{len(labels)} labels, {options.faces} faces of each: {out}")
    left_out = len(model.label_names) - len(labels)
    if not options.label and model.label_kind == "classes" and left_out > 0:
        print(f"  {left_out} more classes; say which by --label")


def draw_attributes(options: argparse.Namespace) -> None:
    """Write the picture of a growing attribute."""
    from keras_faces import label_pictures, plots

    name = "".join(letter if letter.isalnum() else "-" for letter in options.add).strip("-")
    out = png(options.out or options.run / f"attributes-{name}.png")
    model = conditional_run(options.run)
    start = options.start
    if start is None:
        others = [label for label in model.label_names if label != options.add]
        start = "" if model.label_kind == "attributes" else others[0]
    values = options.strengths
    images = label_pictures.strengths(
        model, options.add, start, values, options.faces, options.seed, options.truncation
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save(label_pictures.figure_of_strengths(model, options.add, start, values, images), out)
    print(f"{options.add}, {len(values)} strengths of it, {options.faces} faces: {out}")


def conditional_run(path: Path):
    """The model of a run, which must be told which faces to make."""
    _, _, model = trained_run(path)
    if not hasattr(model, "label_vectors"):
        raise ValueError(f"{path} is a run of {model.name}, which makes faces without being told a label.")
    return model
