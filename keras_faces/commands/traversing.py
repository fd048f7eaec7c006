"""``keras-faces traverse``: what each code of a trained InfoGAN does, a row a code."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.commands.options import natural, positive, trained_run, two_or_more


def add(commands) -> None:
    """Add the command."""
    command = commands.add_parser("traverse", help="what each code of an infogan run does", allow_abbrev=False)
    command.add_argument("run", type=Path, metavar="RUN", help="a run folder of infogan")
    command.add_argument("--steps", type=two_or_more, default=9, help="faces along a number (9)")
    command.add_argument("--reach", type=float, default=2.0, help="numbers go from -REACH to REACH (2; in training 1)")
    command.add_argument("--faces", type=positive, default=1, help="rows a code, each of another noise (1)")
    command.add_argument("--seed", type=natural, default=0, help="of the noise (0)")
    command.add_argument("--out", type=Path, help="the .png file (RUN/traversals.png)")
    command.set_defaults(command=traverse_run)


def traverse_run(options: argparse.Namespace) -> None:
    """Write the picture."""
    from keras_faces import plots, traverse

    out = options.out or options.run / "traversals.png"
    if out.suffix.lower() != ".png":
        raise ValueError(f"--out {out}: must be the name of a .png file.")
    folder, _, model = trained_run(options.run)
    rows = traverse.traversals(model, options.steps, options.reach, options.faces, options.seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    plots.save(traverse.picture(rows, title=str(folder.path)), out)
    print(f"{len(traverse.code_names(model))} codes of {folder.path}, each moved alone: {out}")
