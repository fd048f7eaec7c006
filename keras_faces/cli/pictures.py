"""``keras-faces sample``, ``interpolate``, ``traverse``, ``classes``, ``attributes``, ``figure``: pictures of runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from textwrap import fill

from keras_faces.cli.options import (
    add_command,
    add_picture,
    add_run,
    add_seed,
    add_truncation,
    numbers,
    out_png,
    out_png_or_folder,
    path,
    positive,
    two_or_more,
    write_picture,
)
from keras_faces.runs.folder import RunFolder, trained_run

FIGURES = {
    "s0-losses": ("the first paper's figures 6 and 7: both losses beside its settled values", ("RUN",)),
    "s0-fresh-noise": ("its figure 8: six moments of training, fresh noise in every cell", ("RUN",)),
    "s0-same-noise": ("its figure 9: six moments, the same noise down each column", ("RUN",)),
    "s1-sequence": ("the second paper's sequence, side by side", ("RUN_SIGMOID", "RUN_TANH", "RUN_CONV")),
}
STRENGTHS = "0, 0.25, 0.5, 0.75, 1, 1.5"
OVERLAP = ("s4-overlap", "the dissertation's figures 3.1 and 3.3: losses where nothing overlaps; needs no run")


def register(commands) -> None:
    """Add the six commands."""
    sample = add_command(commands, "sample", sample_run, "faces from a trained run")
    add_run(sample)
    sample.add_argument("--count", type=positive, default=64, help="how many faces (64)")
    add_seed(sample)
    add_truncation(sample)
    sample.add_argument(
        "--label", "--labels", help='of a conditional system: which faces to make, such as "Smiling, !Male"'
    )
    sample.add_argument(
        "--text",
        action="append",
        help='of stackgan: which face to make, such as "a smiling woman with wavy hair"; given again, a row for each',
    )
    sample.add_argument(
        "--out", type=path, help="a .png file for one grid, or a folder for single files (RUN/faces.png)"
    )

    between = add_command(commands, "interpolate", interpolate_run, "from face to face: a picture and a GIF")
    add_run(between)
    between.add_argument(
        "--mode", choices=("linear", "spherical"), default="linear", help="straight, or along the sphere (linear)"
    )
    between.add_argument("--faces", type=two_or_more, default=6, help="how many faces to pass (6)")
    between.add_argument("--steps", type=two_or_more, default=8, help="pictures from one face to the next (8)")
    add_seed(between)
    add_truncation(between)
    add_picture(between, "interpolation-MODE", "; the GIF is beside it")

    traverse = add_command(commands, "traverse", traverse_run, "what each code of an infogan run does")
    add_run(traverse, "a run folder of infogan")
    traverse.add_argument("--steps", type=two_or_more, default=9, help="faces along a continuous code (9)")
    traverse.add_argument("--reach", type=float, default=2.0, help="codes go from -REACH to REACH (2; in training 1)")
    traverse.add_argument("--faces", type=positive, default=1, help="rows for each code, each of other noise (1)")
    add_seed(traverse)
    add_picture(traverse, "traversals")

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

    figures = add_command(commands, "figure", draw_figure, "a figure of the papers, from your own runs").add_subparsers(
        required=True, metavar="FIGURE"
    )
    for name, (line, runs) in FIGURES.items():
        figure = add_command(figures, name, draw_figure, line)
        for run in runs:
            figure.add_argument(run.lower(), type=path, metavar=run, help="a run folder")
        if name != "s0-losses":
            faces = 7 if name.startswith("s0") else 9
            figure.add_argument("--faces", type=positive, default=faces, help=f"how many faces of each ({faces})")
        figure.add_argument("--out", type=path, help=f"the .png file ({runs[-1]}/{name}.png)")
        figure.set_defaults(figure=name, runs=[run.lower() for run in runs])
    name, line = OVERLAP
    overlap = add_command(figures, name, draw_overlap, line)
    overlap.add_argument("--out", type=path, default=Path(f"{name}.png"), help=f"the .png file ({name}.png)")


def _add_faces(command: argparse.ArgumentParser) -> None:
    command.add_argument("--faces", type=positive, default=8, help="how many noise vectors, a column for each (8)")
    add_seed(command)
    add_truncation(command)


def sample_run(options: argparse.Namespace) -> None:
    """Write faces of a trained run as one grid or as single files."""
    import numpy as np

    from keras_faces.figures import grids

    out = out_png_or_folder(options, "faces", *(["-stages.png"] if options.text else []))
    _, _, model = trained_run(options.run)
    if options.label is not None and not hasattr(model, "label_vectors"):
        raise ValueError(f"{options.run} is a run of {model.name}, which is told no label; leave --label out.")
    if options.text is not None and not hasattr(model, "text_encoder"):
        raise ValueError(f"{options.run} is a run of {model.name}, which reads no sentences; leave --text out.")
    labels = {} if options.label is None else {"labels": options.label}
    asked = [{**labels, "text": text} for text in options.text or ()] or [labels]
    noise = {"seed": options.seed, "truncation": options.truncation}
    faces = np.concatenate([model.sample(options.count, **noise, **one) for one in asked])
    if out.suffix.lower() == ".png":
        write_picture(grids.tile(faces, options.count if len(asked) > 1 else None), out)
    else:
        for index, face in enumerate(faces):
            write_picture(face, out / f"face-{index:05d}.png")
    print(f"{len(faces)} faces: {out}")
    if options.text is not None:
        _draw_stages(model, options, faces, out.with_name(f"{out.stem}-stages.png"))


def _draw_stages(model, options: argparse.Namespace, faces, out: Path) -> None:
    """Say how sentences were read, and draw the images of stage I above those of stage II."""
    from keras_faces.figures import grids

    rows, shown = [], min(options.count, 8)
    for number, text in enumerate(options.text):
        facts = model.text_encoder.captions.read(text)
        read = ", ".join(name if so else f"!{name}" for name, so in facts.items()) or "nothing that can be seen"
        print(f"{text}: {read}.")
        sketches = model.sample(shown, options.seed, options.truncation, text=text, stage=1)
        label = text if text.isascii() else read  # few machines have a font with Chinese characters
        pictures = faces[number * options.count :][:shown]
        rows += [(fill(label, 32), grids.magnify(sketches, faces.shape[1])), ("", pictures)]
    write_picture(grids.evolution(rows, title="stage I, and below it stage II"), out)
    print(f"Both stages: {out}")


def interpolate_run(options: argparse.Namespace) -> None:
    """Write the faces between faces as one picture, a row for each pair, and as a GIF of them all."""
    from keras_faces.figures import grids
    from keras_faces.figures.interpolate import faces_between

    out = out_png(options, f"interpolation-{options.mode}", ".gif")
    folder, _, model = trained_run(options.run)
    rows = faces_between(model, options.faces, options.steps, options.mode, options.seed, options.truncation)
    write_picture(grids.tile(rows.reshape(-1, *rows.shape[2:]), columns=options.steps), out)
    animated = out.with_suffix(".gif")
    frames = rows[:, :-1].reshape(-1, *rows.shape[2:])  # a row's last face is the first of the next one
    grids.animation([grids.magnify(face, 192) for face in frames], animated, milliseconds=120, hold=1)
    print(f"{options.faces} faces of {folder.path}, each into the next in {options.steps} steps, {options.mode}:")
    print(f"  {out}\n  {animated}")


def traverse_run(options: argparse.Namespace) -> None:
    """Write a picture with a row for each code."""
    from keras_faces.figures import traverse

    out = out_png(options, "traversals")
    folder, _, model = trained_run(options.run)
    rows = traverse.traversals(model, options.steps, options.reach, options.faces, options.seed)
    write_picture(traverse.picture(rows, title=str(folder.path)), out)
    print(f"{len(traverse.code_names(model))} codes of {folder.path}, each moved alone: {out}")


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


def draw_figure(options: argparse.Namespace) -> None:
    """Draw one of the papers' figures."""
    from keras_faces.figures import papers

    folders = [RunFolder(getattr(options, run)) for run in options.runs]
    options.run = folders[-1].path
    out = out_png(options, options.figure)
    drawing = getattr(papers, options.figure.replace("-", "_"))
    write_picture(drawing(*folders, **({"faces": options.faces} if "faces" in options else {})), out)
    print(f"{options.figure}: {out}")


def draw_overlap(options: argparse.Namespace) -> None:
    """Draw the dissertation's figures 3.1 and 3.3, and write their values beside them."""
    import numpy as np

    from keras_faces.runs.backend import use_backend

    out = out_png(options, OVERLAP[0], ".csv")
    out.parent.mkdir(parents=True, exist_ok=True)
    use_backend()
    from keras_faces.files import atomic_write
    from keras_faces.ring import overlap

    table = overlap.measured(np.linspace(-3.0, 3.0, 24))
    with atomic_write(out.with_suffix(".csv")) as beside:
        table.to_csv(beside, index=False, float_format="%.6g")
    write_picture(overlap.figure(table), out)
    print(f"figures 3.1 and 3.3: {out}\n  the numbers: {out.with_suffix('.csv')}")
