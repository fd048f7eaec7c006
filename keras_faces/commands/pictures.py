"""``keras-faces sample``, ``interpolate`` and ``figure``: pictures of runs that are trained."""

from __future__ import annotations

import argparse
from pathlib import Path
from textwrap import fill

from keras_faces.commands.options import natural, png, positive, trained_run, two_or_more

FIGURES = {
    "s0-losses": ("the first paper's figures 6 and 7: both losses beside its settled values", ("RUN",)),
    "s0-fresh-noise": ("its figure 8: six moments of training, fresh noise in every cell", ("RUN",)),
    "s0-same-noise": ("its figure 9: six moments, the same noise down each column", ("RUN",)),
    "s1-sequence": ("the second paper's sequence, side by side", ("RUN_SIGMOID", "RUN_TANH", "RUN_CONV")),
    "s4-overlap": ("the dissertation's figures 3.1 and 3.3: losses where nothing overlaps; needs no run", ()),
}


def add(commands) -> None:
    """Add the three commands."""
    sample = commands.add_parser("sample", help="faces from a trained run", allow_abbrev=False)
    sample.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    sample.add_argument("--count", type=positive, default=64, help="how many faces (64)")
    _add_noise(sample)
    sample.add_argument("--label", help='of a conditional system: which faces to make, such as "Smiling, !Male"')
    sample.add_argument(
        "--text",
        action="append",
        help='of stackgan: which face to make, such as "a smiling woman with wavy hair"; given again, a row each',
    )
    sample.add_argument(
        "--out", type=Path, help="a .png file for one grid, or a folder for single files (RUN/faces.png)"
    )
    sample.set_defaults(command=sample_run)

    between = commands.add_parser("interpolate", help="from face to face: a picture and a GIF", allow_abbrev=False)
    between.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    between.add_argument(
        "--mode", choices=("linear", "spherical"), default="linear", help="straight, or along the sphere (linear)"
    )
    between.add_argument("--faces", type=two_or_more, default=6, help="how many faces to pass (6)")
    between.add_argument("--steps", type=two_or_more, default=8, help="pictures from one face to the next (8)")
    _add_noise(between)
    between.add_argument("--out", type=Path, help="the picture; the GIF lies beside it (RUN/interpolation-MODE.png)")
    between.set_defaults(command=interpolate_run)

    figure = commands.add_parser("figure", help="a figure of the papers, from a run of one's own")
    figures = figure.add_subparsers(required=True, metavar="FIGURE")
    for name, (line, runs) in FIGURES.items():
        one = figures.add_parser(name, help=line, allow_abbrev=False)
        for run in runs:
            one.add_argument(run.lower(), type=Path, metavar=run, help="a run folder")
        if not runs:
            one.add_argument("--out", type=Path, default=Path(f"{name}.png"), help=f"the .png file ({name}.png)")
            one.set_defaults(command=draw_overlap)
            continue
        if name != "s0-losses":
            faces = 7 if name.startswith("s0") else 9
            one.add_argument("--faces", type=positive, default=faces, help=f"how many faces of each ({faces})")
        one.add_argument("--out", type=Path, help=f"the .png file ({runs[-1]}/{name}.png)")
        one.set_defaults(command=draw_figure, figure=name, runs=[run.lower() for run in runs])


def _add_noise(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=natural, default=0, help="seed of the noise (0)")
    command.add_argument(
        "--truncation",
        type=float,
        help="no noise beyond so many standard deviations (no limit); for stylegan: ψ from 0 to 1, towards w's mean",
    )


def sample_run(options: argparse.Namespace) -> None:
    """Write faces of a trained run as one grid or as single files."""
    import numpy as np

    from keras_faces import plots

    folder, _, model = trained_run(options.run)
    if options.label is not None and not hasattr(model, "label_vectors"):
        raise ValueError(f"{options.run} is a run of {model.name}, which is told no label; leave --label out.")
    if options.text is not None and not hasattr(model, "text_encoder"):
        raise ValueError(f"{options.run} is a run of {model.name}, which reads no sentences; leave --text out.")
    told = {} if options.label is None else {"labels": options.label}
    asked = [{**told, "text": text} for text in options.text or ()] or [told]
    drawn = {"seed": options.seed, "truncation": options.truncation}
    faces = np.concatenate([model.sample(options.count, **drawn, **one) for one in asked])
    out = options.out or folder.path / "faces.png"
    if out.suffix.lower() == ".png":
        out.parent.mkdir(parents=True, exist_ok=True)
        plots.save_picture(plots.tile(faces, options.count if len(asked) > 1 else None), out)
    else:
        out.mkdir(parents=True, exist_ok=True)
        for index, face in enumerate(faces):
            plots.save_picture(face, out / f"face-{index:05d}.png")
    print(f"{len(faces)} faces: {out}")
    if options.text is not None:
        _draw_stages(model, options, faces, out.with_name(f"{out.stem}-stages.png"))


def _draw_stages(model, options: argparse.Namespace, faces, out: Path) -> None:
    """Say how sentences were read, and draw the sketches of stage I above what stage II made of them."""
    from keras_faces import plots

    rows, shown = [], min(options.count, 8)
    for number, text in enumerate(options.text):
        facts = model.text_encoder.captions.read(text)
        read = ", ".join(name if so else f"!{name}" for name, so in facts.items()) or "nothing that can be seen"
        print(f"{text}: {read}.")
        sketches = model.sample(shown, options.seed, options.truncation, text=text, stage=1)
        label = text if text.isascii() else read  # few machines have a font with Chinese characters
        pictures = faces[number * options.count :][:shown]
        rows += [(fill(label, 32), plots.magnify(sketches, faces.shape[1])), ("", pictures)]
    plots.save(plots.evolution(rows, title="stage I, and below it stage II"), out)
    print(f"Both stages: {out}")


def interpolate_run(options: argparse.Namespace) -> None:
    """Write the ways between faces as one picture, a row each, and as a GIF that goes round them all."""
    from keras_faces import plots
    from keras_faces.interpolate import faces_between

    out = png(options.out or options.run / f"interpolation-{options.mode}.png")
    folder, _, model = trained_run(options.run)
    rows = faces_between(model, options.faces, options.steps, options.mode, options.seed, options.truncation)
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save_picture(plots.tile(rows.reshape(-1, *rows.shape[2:]), columns=options.steps), out)
    animated = out.with_suffix(".gif")
    frames = rows[:, :-1].reshape(-1, *rows.shape[2:])  # a row's last face is the first of the next one
    plots.animation([plots.magnify(face, 192) for face in frames], animated, milliseconds=120, hold=1)
    print(f"{options.faces} faces of {folder.path}, each into the next in {options.steps} steps, {options.mode}:")
    print(f"  {out}\n  {animated}")


def draw_figure(options: argparse.Namespace) -> None:
    """Draw one of the papers' figures."""
    from keras_faces import figures, plots
    from keras_faces.runs import RunFolder

    folders = [RunFolder(getattr(options, run)) for run in options.runs]
    out = png(options.out or folders[-1].path / f"{options.figure}.png")
    drawing = {
        "s0-losses": figures.s0_losses,
        "s0-fresh-noise": figures.s0_fresh_noise,
        "s0-same-noise": figures.s0_same_noise,
        "s1-sequence": figures.s1_sequence,
    }[options.figure]
    figure = drawing(*folders, **({"faces": options.faces} if "faces" in options else {}))
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save(figure, out)
    print(f"{options.figure}: {out}")


def draw_overlap(options: argparse.Namespace) -> None:
    """Draw the dissertation's figures 3.1 and 3.3, and write their numbers beside them."""
    import numpy as np

    from keras_faces import plots
    from keras_faces.commands.options import use_backend

    out = png(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    use_backend(None)
    from keras_faces import overlap
    from keras_faces.files import replacing

    numbers = overlap.measured(np.linspace(-3.0, 3.0, 24))
    with replacing(out.with_suffix(".csv")) as beside:
        numbers.to_csv(beside, index=False, float_format="%.6g")
    plots.save(overlap.figure(numbers), out)
    print(f"figures 3.1 and 3.3: {out}\n  the numbers: {out.with_suffix('.csv')}")
